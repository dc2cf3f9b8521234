"""Do two people who record the same thing record the same: counts, durations, yes or no, shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.singlecase.series import read_values
from htresearch.singlecase.stretches import read_case, too_large

#: What can be recorded, and the indices that suit it, the usual one first.
INDICES = {
    "count": ("mean_ratio", "total", "exact", "interval"),
    "duration": ("mean_ratio", "total", "exact"),
    "yes_no": ("exact", "kappa", "total"),
    "share": ("mean_ratio", "exact"),
}

#: What is conventionally asked for: 80 % of agreement, a kappa of .6.
LIMITS = {"kappa": 0.6}
LIMIT = 0.8


class ObserverAgreement(Estimates):
    """How far two observers agree, from 0 to 1 (kappa: at most 1)."""

    #: Nothing is learnt from comparing an agreement with zero.
    zero = False


def observer_agreement(
    first: Sequence,
    second: Sequence,
    phases: Sequence | None = None,
    *,
    scale: str = "count",
    tolerance: float = 0,
    conf_level: float = 0.95,
) -> ObserverAgreement:
    """Estimate how far a second observer agrees with the first.

    Parameters
    ----------
    first, second
        What each recorded, record by record; ``None`` or NaN where one did not.
    phases
        The phase of each record; the answers are then also given by phase.
    scale
        ``"count"`` (how often), ``"duration"`` (how long, in any unit), ``"yes_no"`` (0 and 1, or false and true) or
        ``"share"`` (any number from 0 on that has a fixed whole).
    tolerance
        Up to which difference two records count as the same in ``exact``, such as 5 seconds or 2 per cent.
    conf_level
        Between 0 and 1.

    Returns
    -------
    ObserverAgreement
        `.tidy()`: a row per index and phase, ``""`` standing for all: term, estimate, std_error, df, conf_low,
        conf_high, phase, n_records, n_both, share_both (of all records, those that both observers have), convention,
        reached (whether the estimate is at the convention). Terms that suit the scale, the usual one first:

        ``mean_ratio``: the smaller record over the larger, averaged over records (mean count, or duration, per
        record); two zeros agree fully. Standard error: of the mean over records, interval by t, cut at 0 and 1.
        ``total``: the smaller sum over the larger; disagreements may cancel out. No standard error.
        ``exact``: the share of records that are the same; Wilson's interval, the standard error is binomial,
        and none where all or no records are the same.
        ``interval``: the share of records for which both say that it happened at all, or both that it did not.
        ``kappa``: Cohen's, which takes off agreement by chance; standard error by Fleiss, Cohen & Everitt, interval
        by the normal distribution.
        `.glance()`: n_records, n_both, share_both, mean_difference (second less first), usual, agreement, reached.

    Raises
    ------
    ArgumentError
        If the two differ in length, no record has both, or values do not suit the scale.

    References
    ----------
    Fleiss, J. L., Cohen, J., & Everitt, B. S. (1969). Large sample standard errors of kappa and weighted kappa.
    Psychological Bulletin, 72, 323-327. https://doi.org/10.1037/h0028106
    Kratochwill, T. R., et al. (2013). Single-case intervention research design standards. Remedial and Special
    Education, 34, 26-38. https://doi.org/10.1177/0741932512452794
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association, 22, 209-212. https://doi.org/10.1080/01621459.1927.10502953

    Examples
    --------
    >>> import htresearch as ht
    >>> found = ht.singlecase.observer_agreement([4, 5, 2, 0], [4, 4, 3, 0]).tidy()
    >>> found[["term", "estimate"]].round(3).values.tolist()
    [['mean_ratio', 0.867], ['total', 1.0], ['exact', 0.5], ['interval', 1.0]]
    """
    checks.require(
        checks.one_of("scale", scale, tuple(INDICES)),
        checks.between("tolerance", tolerance, 0, 1e300),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
    )
    one, two, labels = _read(first, second, phases, scale)
    both = ~np.isnan(one) & ~np.isnan(two)
    names = [""] if phases is None else ["", *dict.fromkeys(labels)]
    rows = []
    for name in names:
        mine = np.ones(len(one), bool) if name == "" else labels == name
        pair = one[mine & both], two[mine & both]
        told = {"phase": name, "n_records": int((~np.isnan(one[mine])).sum()), "n_both": len(pair[0])}
        told["share_both"] = told["n_both"] / told["n_records"] if told["n_records"] else np.nan
        for index in INDICES[scale]:
            rows.append({**_row(index, *pair, tolerance, conf_level), **told})
    frame = pd.DataFrame(rows)
    frame["convention"] = [LIMITS.get(term, LIMIT) for term in frame["term"]]
    # 8 of 10 reach 80 %, whatever the last bit of .8 says.
    frame["reached"] = frame["estimate"] >= frame["convention"] - 1e-12
    usual = frame.iloc[0]
    summary = {name: [usual[name]] for name in ("n_records", "n_both", "share_both")}
    summary |= {
        "mean_difference": [float((two[both] - one[both]).mean())],
        "usual": [usual["term"]],
        "agreement": [usual["estimate"]],
        "reached": [bool(usual["reached"])],
    }
    note = tuple(_note(frame, one, two, phases is not None, tolerance))
    return ObserverAgreement(frame, pd.DataFrame(summary), note, "https://doi.org/10.1177/0741932512452794")


def _row(index: str, one: np.ndarray, two: np.ndarray, tolerance: float, conf_level: float) -> dict[str, object]:
    found = {"term": index, **dict.fromkeys(("estimate", "std_error", "df", "conf_low", "conf_high"), np.nan)}
    if not len(one):
        return found
    if index == "total":
        low, high = sorted((float(one.sum()), float(two.sum())))
        return found | {"estimate": low / high if high else 1.0}
    if index == "mean_ratio":
        return found | _mean(ratios(one, two), conf_level)
    if index == "exact":
        return found | _proportion(np.abs(one - two) <= tolerance + 1e-9, conf_level)
    if index == "interval":
        return found | _proportion((one > 0) == (two > 0), conf_level)
    return found | _kappa(one, two, conf_level)


def ratios(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return the smaller over the larger of each pair; 1 where both are 0."""
    larger = np.maximum(one, two)
    return np.where(larger > 0, np.minimum(one, two) / np.where(larger > 0, larger, 1), 1.0)


def _mean(values: np.ndarray, conf_level: float) -> dict[str, float]:
    estimate, n = float(values.mean()), len(values)
    if n < 2 or np.ptp(values) == 0:
        return {"estimate": estimate}
    error = float(values.std(ddof=1) / np.sqrt(n))
    reach = stats.t.ppf((1 + conf_level) / 2, n - 1) * error
    return {
        "estimate": estimate,
        "std_error": error,
        "df": float(n - 1),
        "conf_low": max(estimate - reach, 0.0),
        "conf_high": min(estimate + reach, 1.0),
    }


def _proportion(same: np.ndarray, conf_level: float) -> dict[str, float]:
    """Return a share with Wilson's interval (1927), which stays within 0 and 1 and has a width at both ends."""
    n, p = len(same), float(same.mean())
    z = stats.norm.ppf((1 + conf_level) / 2)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return {
        "estimate": p,
        "std_error": float(np.sqrt(p * (1 - p) / n)) if 0 < p < 1 else np.nan,
        "conf_low": float(max(centre - reach, 0.0)),
        "conf_high": float(min(centre + reach, 1.0)),
    }


def _kappa(one: np.ndarray, two: np.ndarray, conf_level: float) -> dict[str, float]:
    """Cohen's kappa of two categories; Fleiss, Cohen & Everitt (1969), equation 13, without weights."""
    table = np.array([[np.mean((one == i) & (two == j)) for j in (0, 1)] for i in (0, 1)])
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed, expected = float(np.trace(table)), float(rows @ columns)
    if expected >= 1 - 1e-12:  # all of one category: chance agrees as well
        return {}
    kappa = (observed - expected) / (1 - expected)
    margins = columns[:, None] + rows[None, :]  # of cell (i, j): share of i with the second, of j with the first
    inner = (table * (np.eye(2) - margins * (1 - kappa)) ** 2).sum() - (kappa - expected * (1 - kappa)) ** 2
    error = float(np.sqrt(max(inner, 0.0) / len(one)) / (1 - expected))
    if error == 0:
        return {"estimate": kappa}
    reach = stats.norm.ppf((1 + conf_level) / 2) * error
    return {
        "estimate": kappa,
        "std_error": error,
        "conf_low": max(kappa - reach, -1.0),
        "conf_high": min(kappa + reach, 1.0),
    }


# --- reading, notes -------------------------------------------------------------------------------------------------


def _read(first: object, second: object, phases: object, scale: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    one, fault = read_values("first", first)
    two, other = read_values("second", second)
    checks.require(fault, other)
    checks.require(_same_length(one, two), too_large("first", one), too_large("second", two))
    labels = np.array([""] * len(one)) if phases is None else read_case(first, phases).phases
    checks.require(*(_unsuited(n, v, scale) for n, v in (("first", one), ("second", two))), _none(one, two))
    return one, two, labels


def _same_length(one: np.ndarray, two: np.ndarray) -> Fault | None:
    if len(one) == len(two):
        return None
    return Fault(
        checks.argument("second"),
        Text("两位记录人的记录次数不同", "the two observers have different numbers of records"),
        Text("请一次对一次地给出，没有记录的写 None", "Give them record by record, None where there is none"),
        f"{len(one)} ≠ {len(two)}",
    )


def _none(one: np.ndarray, two: np.ndarray) -> Fault | None:
    if (~np.isnan(one) & ~np.isnan(two)).any():
        return None
    return Fault(
        checks.argument("second"),
        Text("没有一次是两个人都记录了的", "no record was made by both observers"),
        Text(
            "请安排第二位记录人与第一位同时记录几次",
            "Let a second observer record together with the first a few times",
        ),
    )


def _unsuited(name: str, values: np.ndarray, scale: str) -> Fault | None:
    seen = values[~np.isnan(values)]
    if scale == "yes_no":
        wrong, rule = seen[~np.isin(seen, (0, 1))], Text("是与否只能记 1 和 0", "yes and no are recorded as 1 and 0")
    elif scale == "count":
        wrong = seen[(seen < 0) | (seen != np.round(seen))]
        rule = Text("次数须为不小于 0 的整数", "counts are whole numbers from 0 on")
    else:
        wrong, rule = seen[seen < 0], Text("不能小于 0", "must not be below 0")
    if not len(wrong):
        return None
    return Fault(
        checks.argument(name),
        rule,
        Text("请改正，或换一种 scale", "Correct it, or choose another scale"),
        float(wrong[0]),
    )


def _note(frame: pd.DataFrame, one: np.ndarray, two: np.ndarray, by_phase: bool, tolerance: float) -> Iterator[Text]:
    n, both = int(frame["n_records"][0]), int(frame["n_both"][0])
    yield Text(
        f"{n} 次记录中有 {both} 次由两个人同时记录。80%（κ 为 .6）是惯例，不是定理：要看记错的是什么、"
        "会不会改变结论。",
        f"{both} of {n} records were made by both observers. 80 % (kappa: .6) is a convention, not a theorem: ask "
        "what the errors are about and whether they could change the conclusion.",
    )
    if tolerance:
        yield Text(f"相差不超过 {tolerance:g} 算相同。", f"A difference of up to {tolerance:g} counts as the same.")
    if extra := int((np.isnan(one) & ~np.isnan(two)).sum()):
        yield Text(
            f"另有 {extra} 次只有第二位记录人有记录，未计入。",
            f"{extra} records of the second observer alone do not count.",
        )
    if by_phase and len(bare := frame.loc[(frame["n_both"] == 0) & (frame["phase"] != ""), "phase"].unique()):
        yield Text(f"没有双人记录的阶段：{'、'.join(bare)}。", f"Phases without a record of both: {', '.join(bare)}.")
    bounded = frame[(frame["term"] != "total") & (frame["n_both"] > 0)]
    if bounded["std_error"].isna().any():
        yield Text(
            "记录太少或毫无差别时，这一项没有标准误；所有记录都是同一类时，κ 无从计算。",
            "With too few records, or none that differ, an index has no standard error; where all records are of one "
            "kind there is no kappa.",
        )
