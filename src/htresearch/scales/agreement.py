"""May answers be averaged to groups: do members agree, do groups differ, how reliable is a group's mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates
from htresearch.scales.between import Between

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How many groups a message lists.
_SHOWN = 5


@dataclass(frozen=True)
class Agreement(Estimates):
    """Agreement within groups and reliability of their means.

    Attributes
    ----------
    groups : pandas.DataFrame
        A row per group: the group, n, mean, std_dev, rwg, reliability (of its mean), apart (its 95 % interval, from
        the variance within groups, does not hold the mean of all).
    """

    groups: pd.DataFrame = field(default_factory=pd.DataFrame)

    zero = False

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw each group's mean with its 95 % interval, in the order of the means; the darker ones stand apart.

        The line is the mean of all members. With `terms` the estimates are drawn instead.
        """
        if terms is not None:
            return super().plot(ax, terms)
        import matplotlib.pyplot as plt

        ordered = self.groups.sort_values("mean", ignore_index=True)
        if ax is None:
            ax = plt.subplots()[1]
        reach = 1.96 * np.sqrt(float(self.summary["ms_within"].iloc[0]) / ordered["n"])
        for apart, colour in ((False, "0.8"), (True, "C5")):
            here = ordered["apart"] == apart
            low, high = (ordered["mean"] - reach)[here], (ordered["mean"] + reach)[here]
            ax.vlines(ordered.index[here], low, high, color=colour, linewidth=1)
        ax.plot(ordered.index, ordered["mean"], "o", color="C0", markersize=3)
        ax.axhline(np.average(ordered["mean"], weights=ordered["n"]), color="0.3", linewidth=1)
        ax.set_xlabel(str(Text("各组（按均值排列）", "Groups, in the order of their means")))
        ax.set_ylabel(str(Text("组均值与 95% 区间", "Mean of the group with its 95 % interval")))
        return ax

    def projected(self, sizes: Sequence[int]) -> pd.DataFrame:
        """Return how reliable the mean of a group of each size would be, by Spearman and Brown from ICC(1).

        Columns: size, estimate, conf_low, conf_high.
        """
        sizes = [sizes] if isinstance(sizes, int | str) else list(sizes)
        checks.require(*(checks.integer("sizes", size) for size in sizes))
        shares = {name: self._icc1(name) for name in ("estimate", "conf_low", "conf_high")}
        size = np.asarray(list(sizes))
        return pd.DataFrame({"size": size, **{name: size * r / (1 + (size - 1) * r) for name, r in shares.items()}})

    def needed(self, reliability: float = 0.7) -> pd.DataFrame:
        """Return how many members a group needs for its mean to be so reliable: reliability, estimate and interval.

        The inverse of `projected`, rounded up. Where the interval of ICC(1) holds 0 there is no upper bound
        (missing), where ICC(1) itself is not positive no number suffices.
        """
        checks.require(checks.between("reliability", reliability, 0, 1, open_ends=True))
        shares = {"estimate": "estimate", "conf_low": "conf_high", "conf_high": "conf_low"}
        odds = reliability / (1 - reliability)
        found = {name: self._icc1(of) for name, of in shares.items()}
        members = {n: np.ceil(odds * (1 - r) / r - 1e-9) if r > 0 else np.nan for n, r in found.items()}
        return pd.DataFrame({"reliability": [reliability], **{n: [value] for n, value in members.items()}})

    def _icc1(self, column: str) -> float:
        return max(float(self.frame.set_index("term").loc["icc1", column]), 0.0)


def agreement(
    frame: pd.DataFrame,
    items: str | Sequence[str],
    group: str,
    choices: int | None = None,
    expected_variance: float | None = None,
    min_size: int | None = None,
    conf_level: float = 0.95,
) -> Agreement:
    """Estimate whether members of a group agree, and how reliable the groups' means are.

    Parameters
    ----------
    frame
        A row per member, such as a pupil.
    items
        A score, or the items it is the mean of. With items r_wg(j) is computed, with a score r_wg. Only who answered
        every item counts.
    group
        The column of groups, such as classes.
    choices
        How many answers an item offers, for the variance that is expected where nobody agrees. If not given it is
        taken from the lowest and the highest whole number answered; a score with fractions then has no r_wg.
    expected_variance
        That variance itself, where another than the uniform distribution is taken for "no agreement": (A² - 1) / 12
        for A choices is uniform; LeBreton and Senter give 1.34 for a slight skew over five.
    min_size
        Groups with fewer members are left out and counted. If not given nothing is left out, and a group of one is
        refused.
    conf_level
        Between 0 and 1.

    Returns
    -------
    Agreement
        `.tidy()`, a row per term: ``icc1``, the share of variance that lies between groups, or the correlation of two
        members (with the mean size of groups); ``icc2``, the reliability of the mean of a group of that size;
        ``group_mean_reliability``, the mean over groups of τ² / (τ² + σ² / n), with the size that each has;
        ``rwg_mean`` and ``rwg_median`` over groups. `.groups` has a row per group. `.glance()`: n, n_groups,
        mean_size, ms_between, ms_within, statistic, df1, df2, p_value (of no difference between groups).

    Raises
    ------
    ArgumentError
        If a column is missing or holds no numbers, there are fewer than two groups, a group has one member, nobody
        differs within groups, or an argument is out of range.

    Notes
    -----
    Intervals come from the F distribution of the two mean squares: exact with groups of one size and normal scores,
    near where sizes differ. Reliabilities come out too low by about 2 (1 - reliability) / (groups - 1). A negative
    variance between groups is shown as it comes. A negative r_wg (members differ more than by chance) is set to 0 and
    counted in the note.

    References
    ----------
    Bliese, P. D. (2000). Within-group agreement, non-independence, and reliability. In K. J. Klein & S. W. J.
    Kozlowski (Eds.), Multilevel theory, research, and methods in organizations, 349-381. Jossey-Bass.
    James, L. R., Demaree, R. G., & Wolf, G. (1984). Estimating within-group interrater reliability with and without
    response bias. Journal of Applied Psychology, 69, 85-98. https://doi.org/10.1037/0021-9010.69.1.85
    LeBreton, J. M., & Senter, J. L. (2008). Answers to 20 questions about interrater reliability and interrater
    agreement. Organizational Research Methods, 11, 815-852. https://doi.org/10.1177/1094428106296642
    Raudenbush, S. W., & Bryk, A. S. (2002). Hierarchical linear models (2nd ed.), equation 3.59. Sage.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> frame = pd.DataFrame({"class_id": list("aaabbbccc"), "climate": [4, 4, 5, 2, 3, 2, 3, 3, 4]})
    >>> ht.scales.agreement(frame, "climate", "class_id", choices=5).tidy()["estimate"].round(2).tolist()[:2]
    [0.73, 0.89]
    """
    checks.require(checks.data_frame("frame", frame))
    names = [items] if isinstance(items, str) else list(items or ())
    _require_arguments(frame, names, group, choices, expected_variance, min_size, conf_level)
    members, note = _members(frame, names, group, min_size)
    labels, index = np.unique(members[group].to_numpy(), return_inverse=True)
    values = members[names].to_numpy(dtype=float)
    checks.require(*_groups_refused(labels, np.bincount(index), group))
    between = Between.of(values.mean(axis=1), index)
    checks.require(_no_difference(between.ms_within, names))
    expected, why = _expected(values, choices, expected_variance)
    rwg, negative = _rwg(values, index, between.sizes, expected)
    note = (*note, *why, *_negative(negative, len(labels), between))
    groups = pd.DataFrame(
        {
            group: labels,
            "n": between.sizes,
            "mean": between.means,
            "std_dev": np.sqrt(between.within / (between.sizes - 1)),
            "rwg": rwg,
            "reliability": between.reliability(between.ratio),
            "apart": between.apart(),
        }
    )
    summary = {
        "n": [len(values)],
        "n_groups": [len(labels)],
        "mean_size": [between.sizes.mean()],
        "ms_between": [between.ms_between],
        "ms_within": [between.ms_within],
        "statistic": [between.statistic],
        "df1": [between.df1],
        "df2": [between.df2],
        "p_value": [stats.f.sf(between.statistic, between.df1, between.df2)],
    }
    rows = pd.DataFrame(_terms(between, rwg, conf_level), columns=["term", "estimate", "conf_low", "conf_high"])
    return Agreement(rows, pd.DataFrame(summary), note, "https://doi.org/10.1177/1094428106296642", groups)


def _terms(between: Between, rwg: np.ndarray | None, conf_level: float) -> Iterator[tuple]:
    size, ends = between.sizes.mean(), between.bounds(conf_level)
    points = (between.statistic, *ends)
    yield ("icc1", *((f - 1) / (f + size - 1) for f in points))
    # Groups with one and the same mean: ICC(2) has no lower end.
    yield ("icc2", *(1 - 1 / f if f > 0 else np.nan for f in points))
    yield ("group_mean_reliability", *(between.from_ratio((f - 1) / between.size_for_variance) for f in points))
    if rwg is not None:
        yield ("rwg_mean", float(np.mean(rwg)), np.nan, np.nan)
        yield ("rwg_median", float(np.median(rwg)), np.nan, np.nan)


def _rwg(
    values: np.ndarray, index: np.ndarray, sizes: np.ndarray, expected: float | None
) -> tuple[np.ndarray | None, int]:
    """Return r_wg of each group (r_wg(j) of several items), and how many were negative and set to 0."""
    if expected is None:
        return None, 0
    variances = np.empty((len(sizes), values.shape[1]))
    for j, column in enumerate(values.T):
        means = np.bincount(index, column) / sizes
        variances[:, j] = np.bincount(index, (column - means[index]) ** 2) / (sizes - 1)
    j, share = values.shape[1], variances.mean(axis=1) / expected
    # James et al. (1984), equation 4; with one item it is equation 1.
    agreed = np.where(share > 1, 0.0, j * (1 - share) / (j * (1 - share) + share))
    return agreed, int((share > 1).sum())


def _members(
    frame: pd.DataFrame, names: list[str], group: str, min_size: int | None
) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """Return who answered every item and belongs to a group that is large enough, and what was left out."""
    answered = frame[names].notna().all(axis=1)
    placed = frame[group].notna()
    members, note = frame.loc[answered & placed, [group, *names]], []
    for reason, zh, en in (
        (~answered, "有缺失的答案", "left an item out"),
        (answered & ~placed, "没有组别", "have no group"),
    ):
        if count := int(reason.sum()):
            note.append(Text(f"{count} 人{zh}，未计入。", f"{count} respondents {en} and do not count."))
    if min_size is not None:
        size = members.groupby(group, observed=True)[group].transform("size")
        small = members.loc[size < min_size, group]
        members = members[size >= min_size]
        if len(small):
            note.append(
                Text(
                    f"{small.nunique()} 个组不足 {min_size} 人，连同其 {len(small)} 人未计入。",
                    f"{small.nunique()} groups with fewer than {min_size} members, {len(small)} members in all, are "
                    "left out.",
                )
            )
    return members, tuple(note)


def _expected(
    values: np.ndarray, choices: int | None, expected_variance: float | None
) -> tuple[float | None, tuple[Text, ...]]:
    """Return the variance of answers where nobody agrees, and how it was found."""
    if expected_variance is not None:
        return expected_variance, (
            Text(
                f"r_wg 以方差 {expected_variance:g} 为无一致。",
                f"r_wg takes a variance of {expected_variance:g} for no agreement.",
            ),
        )
    found = choices
    if choices is None:
        if (np.floor(values) < values).any():
            return None, (
                Text(
                    "得分不是整数，又没有写明 choices，因此没有 r_wg。",
                    "The score has fractions and choices is not given, so there is no r_wg.",
                ),
            )
        found = int(values.max() - values.min()) + 1
    said = Text(
        f"r_wg 以 {found} 个选项的均匀分布为无一致。",
        f"r_wg takes a uniform distribution over {found} choices for no agreement.",
    )
    if choices is None:
        said = Text(
            said.zh + f"选项数由答案的最小值和最大值（{values.min():g} 与 {values.max():g}）得出；"
            "如有无人选的选项，请写明 choices。",
            said.en + f" Their number is taken from the lowest and highest answer ({values.min():g} and "
            f"{values.max():g}); give choices if some were never chosen.",
        )
    return (found**2 - 1) / 12, (said,)


# --- refusals -------------------------------------------------------------------------------------------------------


def _require_arguments(frame, names, group, choices, expected_variance, min_size, conf_level) -> None:
    if not isinstance(group, str | int) or group in names or len(set(names)) < len(names):
        checks.require(_not_apart(names, group))
    absent = checks.columns("items", names, frame.columns) + checks.columns("group", [group], frame.columns)
    text = [n for n in names if n in frame and not _finite(frame[n])]
    checks.require(
        *absent,
        *(
            Fault(
                n,
                Text("不全是（有限的）数", "holds what is no (finite) number"),
                Text("请把答案换成数字", "Turn the answers into numbers"),
            )
            for n in text
        ),
        None if names else _nothing(),
        None if choices is None else checks.integer("choices", choices, 2),
        None
        if expected_variance is None
        else checks.between("expected_variance", expected_variance, 0, np.inf, True),
        None if min_size is None else checks.integer("min_size", min_size, 2),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        *(_beyond(frame, names, choices) if choices is not None and not absent and not text else ()),
    )


def _finite(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not np.isinf(column.to_numpy(dtype=float, na_value=np.nan)).any()


def _not_apart(names: list, group: object) -> Fault:
    return Fault(
        checks.argument("group"),
        Text(
            "须为一列的列名，与各不相同的题目分开",
            "must be the name of one column, apart from items that are all different",
        ),
        Text("请检查 items 与 group", "See whether items and group are right"),
        f"{names}, {group}",
    )


def _nothing() -> Fault:
    return Fault(
        checks.argument("items"),
        Text("没有给出题目", "names no item"),
        Text("请写出得分的列名或题目的列名", "Name a score or items"),
    )


def _beyond(frame: pd.DataFrame, names: list[str], choices: object) -> Iterator[Fault]:
    for name in names:
        spread = frame[name].max() - frame[name].min()
        if isinstance(choices, int) and spread > choices - 1:
            yield Fault(
                name,
                Text(f"答案的跨度超出 {choices} 个选项", f"answers spread over more than {choices} choices"),
                Text("请检查 choices 或数据", "See whether choices or the data are right"),
                f"{frame[name].min():g}–{frame[name].max():g}",
            )


def _groups_refused(labels: np.ndarray, sizes: np.ndarray, group: str) -> Iterator[Fault]:
    if len(labels) < 2:
        yield Fault(
            checks.argument("group"),
            Text("至少要有两个组", "there must be at least two groups"),
            Text("一个组看不出组间差异", "One group cannot show differences between groups"),
            len(labels),
        )
    single = labels[sizes == 1]
    if len(single):
        more = "…" if len(single) > _SHOWN else ""
        first = listing(single[:_SHOWN].tolist())
        yield Fault(
            Text(f"{group} {first.zh}{more}", f"{group} {first.en}{more}"),
            Text(
                f"{len(single)} 个组只有一人，谈不上一致",
                f"{len(single)} groups have one member, who agrees with nobody",
            ),
            Text("可用 min_size=2 不计这些组", "Give min_size=2 to leave them out"),
        )


def _no_difference(ms_within: float, names: list[str]) -> Fault | None:
    if ms_within > 0:
        return None
    return Fault(
        listing(names),
        Text("组内没有任何差异", "nobody differs from the rest of the group"),
        Text("请检查得分是否已经按组平均", "See whether the score is a mean of the group already"),
    )


def _negative(negative: int, n_groups: int, between: Between) -> Iterator[Text]:
    if negative:
        yield Text(
            f"{n_groups} 个组中 {negative} 个组的 r_wg 为负，记为 0。",
            f"r_wg is negative in {negative} of {n_groups} groups and set to 0.",
        )
    if between.statistic < 1:
        yield Text(
            "组间方差估计为负：组与组的差异不比偶然更大，组均值没有信度。",
            "The variance between groups comes out negative: groups differ no more than by chance, and their means "
            "have no reliability.",
        )
