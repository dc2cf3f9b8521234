r"""Fixed effects in standard deviations of the outcome, with standard errors that count that these are estimated.

A coefficient times the scale of its column is divided by S, a standard deviation that the model implies. With
:math:`S^2 = E(\beta) + M(\gamma, \sigma^2)`, E the variance of the fixed part where it belongs to S and M that of
random effects and residual, the delta method takes

.. math:: \delta = a\beta_j / S, \qquad
    \mathrm{Var}(\delta) = \delta_\beta' \mathrm{Var}(\hat\beta)\, \delta_\beta
    + \frac{\delta^2}{4 S^4} M_\omega' \mathrm{Var}(\hat\omega)\, M_\omega ,

with ω the variances and log σ², whose covariance is that of Satterthwaite's method; β and ω are independent in large
samples. For two categories and no other column it is the effect size δ_T (or δ_W) of Hedges (2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.language import Text, listing
from htresearch.multilevel.basis import basis_of
from htresearch.multilevel.crossproducts import INTERCEPT
from htresearch.multilevel.degrees import Satterthwaite
from htresearch.multilevel.inference import means_of
from htresearch.multilevel.remarks import require_nested
from htresearch.result import Estimates

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit
    from htresearch.multilevel.reml import Solution

DEVIATIONS = ("total", "within", "residual")

SOURCE = "Hedges (2007), https://doi.org/10.3102/1076998606298043"


def standardised(
    fit: MultilevelFit,
    by: str = "total",
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    cluster: str | pd.Series | None = None,
) -> Estimates:
    """Return each fixed effect in standard deviations of the outcome, with its interval.

    A numeric column counts per standard deviation of its own over the rows used, taken as known; a category, and a
    column of 0 and 1, counts whole. A product counts per standard deviation of each numeric column in it. Where
    columns have products, their own effects remain those at 0 of the other column.

    Parameters
    ----------
    by
        Which standard deviation of the outcome. ``"total"``: all that the model implies, the variance of the fixed
        part, of the groups (at the average of the rows where slopes are random) and of the residual; for a category
        without the effects of its own column, as the standard deviation is that within categories. ``"within"``: of
        rows within the outermost groups, given the fixed part: groups inside them, and the residual.
        ``"residual"``: of the residual alone.
    inference, conf_level, cluster
        As in `estimates`: they give the covariance of the coefficients and the degrees of freedom of the intervals.

    Returns
    -------
    Estimates
        A row per coefficient but the intercept: term, estimate, std_error, df, conf_low, conf_high; unit, what the
        coefficient was multiplied by; outcome_sd, what it was divided by. No test is given: whether an effect is 0
        is tested by `estimates`.

    Raises
    ------
    ArgumentError
        If an argument is outside what it can be.
    UnsupportedError
        For ``"within"`` where groups cross.

    References
    ----------
    Hedges, L. V. (2007). Effect sizes in cluster-randomized designs. Journal of Educational and Behavioral
    Statistics, 32, 341-370. https://doi.org/10.3102/1076998606298043

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school, hours = np.repeat(np.arange(40), 15), rng.normal(20, 5, 600)
    >>> score = 60 + 0.6 * hours + rng.normal(0, 4, 40)[school] + rng.normal(0, 5, 600)
    >>> frame = pd.DataFrame({"school_id": school, "hours": hours, "score": score})
    >>> fit = ht.fit_multilevel("score ~ hours + (1 | school_id)", frame)
    >>> fit.standardised().tidy()[["term", "estimate"]].round(1).values.tolist()
    [['hours', 0.4]]
    """
    checks.require(
        checks.one_of("by", by, DEVIATIONS), checks.between("conf_level", conf_level, 0, 1, open_ends=True)
    )
    if by == "within":
        require_nested(fit, "by='within'")
    means, said = means_of(fit, inference, cluster)
    solution, names = means.solution, fit.design.names
    beta = solution.beta
    columns = solution.spread
    scales, whole = _scales(fit, columns)
    around, slope = _around(fit, solution, by)
    uncertain = float(slope @ Satterthwaite(solution).variances[0] @ slope)
    df = means.df(np.eye(len(names)))
    rows = []
    for j, name in enumerate(names):
        if name == INTERCEPT:
            continue
        counted = np.array([by == "total" and not (whole[j] and _shares(name, other)) for other in names])
        turned = columns @ np.where(counted, beta, 0.0) * counted
        variance = around + turned @ beta
        sd = np.sqrt(variance)
        estimate = scales[j] * beta[j] / sd
        by_beta = scales[j] / sd * np.eye(len(names))[j] - estimate / variance * turned
        error = np.sqrt(by_beta @ means.covariance @ by_beta + estimate**2 * uncertain / (4 * variance**2))
        reach = stats.t.ppf((1 + conf_level) / 2, df[j]) * error
        rows.append((name, estimate, error, df[j], estimate - reach, estimate + reach, scales[j], sd))
    frame = pd.DataFrame(
        rows, columns=["term", "estimate", "std_error", "df", "conf_low", "conf_high", "unit", "outcome_sd"]
    )
    notes = [*said, *_notes(by, frame)]
    kept = [j for j, name in enumerate(names) if name != INTERCEPT]
    basis = basis_of(fit, tuple(frame["term"]), frame["estimate"], np.eye(len(names))[kept], ("unit", "outcome_sd"))
    counted = frame.assign(**fit.design.counts)
    return Estimates(counted, fit.glance(), (*fit.note, *notes), SOURCE, basis=basis)


def _around(fit: MultilevelFit, solution: Solution, by: str) -> tuple[float, np.ndarray]:
    """Return M, the variance of random effects and residual that counts, and its derivatives by ω."""
    optimum, weight = solution.optimum, solution.weight
    moment = solution.moment / weight
    parts = []
    for block in optimum.structure.blocks:
        counts = by == "total" or (by == "within" and block.level > 0)
        inside = block.scale.T @ moment[np.ix_(block.columns, block.columns)] @ block.scale
        parts.append(counts * (2 * inside - np.diag(np.diag(inside))))  # an entry off the diagonal stands twice
    loads = optimum.structure.joined(parts)
    relative = 1 / weight + loads @ optimum.structure.joined(optimum.covariances)
    slope = np.append(Satterthwaite(solution).variances[1].T @ loads, relative)
    return float(solution.sigma2 * relative), solution.sigma2 * slope


def _scales(fit: MultilevelFit, columns: np.ndarray) -> tuple[np.ndarray, list[bool]]:
    """Return what each column is multiplied by, and whether it stands for categories."""
    names, reference = fit.design.names, fit.design.reference
    deviations = np.sqrt(np.diag(columns))
    of = dict(zip(names, deviations, strict=True))
    binary = {
        name
        for name, mean, deviation in zip(names, fit.solution.means, deviations, strict=True)
        if name in reference.means and _binary(mean, deviation**2 * (fit.design.n - 1) / fit.design.n)
    }
    scales, whole = [], []
    for name, deviation in zip(names, deviations, strict=True):
        parts = name.split(":")
        numeric = [p for p in parts if not (p.endswith("]") or p in reference.categories or p in binary)]
        whole.append(not numeric)
        if all(part in of for part in numeric):
            scales.append(float(np.prod([of[part] for part in numeric])))
        else:
            # A product whose columns have no effects of their own is scaled as it stands, unless a category is in it.
            scales.append(float(deviation) if len(numeric) == len(parts) else np.nan)
    return np.array(scales), whole


def _binary(mean: float, variance: float) -> bool:
    """Tell whether a column is of 0 and 1: only then, but for chance, its variance follows from its mean so."""
    return 0 < mean < 1 and abs(variance - mean * (1 - mean)) < 1e-9


def _shares(name: str, other: str) -> bool:
    """Tell whether two coefficients are of one column of categories."""
    columns = [{part.partition("[")[0] for part in one.split(":")} for one in (name, other)]
    return bool(columns[0] & columns[1])


def _notes(by: str, frame: pd.DataFrame) -> list[Text]:
    said = {
        "total": Text(
            "以模型推出的因变量总标准差为单位：固定部分、各层与残差的方差之和的平方根；类别的差异则不计该列自身的效应"
            "（即类别内的标准差，Hedges 2007 的 δ_T）。",
            "In total standard deviations of the outcome as the model implies them: the root of the variances of "
            "fixed part, levels and residual; for categories without the effects of their own column (the standard "
            "deviation within categories: δ_T of Hedges 2007).",
        ),
        "within": Text(
            "以最外层分组之内的标准差为单位（其内各层与残差，给定固定部分；Hedges 2007 的 δ_W）。",
            "In standard deviations within the outermost groups (the levels inside them and the residual, given the "
            "fixed part; δ_W of Hedges 2007).",
        ),
        "residual": Text("以残差的标准差为单位。", "In standard deviations of the residual."),
    }[by]
    notes = [
        said,
        Text(
            "数值列按其自身的一个标准差计，类别与取值 0、1 的列按整体差异计；标准误用 delta 法，"
            "已计入标准差的估计误差。",
            "Numeric columns count per standard deviation of their own, categories and columns of 0 and 1 whole; "
            "standard errors by the delta method count that the standard deviation is estimated.",
        ),
    ]
    unknown = frame.loc[frame["unit"].isna(), "term"]
    if len(unknown):
        notes.append(
            Text(
                "以下乘积中的数值列没有自己的系数，无法确定其单位：{terms}。",
                "The numeric columns in these products have no coefficient of their own, so that their scale is not "
                "known: {terms}.",
            ).format(terms=listing(unknown))
        )
    return notes
