"""The effect of a change across cases, in the standard deviations that a comparison of groups would have used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from htresearch import checks
from htresearch.errors import ModelError
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.singlecase import between_case_moments, between_case_reml
from htresearch.singlecase import between_case_words as words
from htresearch.singlecase.cases import Case, read_cases
from htresearch.singlecase.series import IMPROVEMENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DESIGNS = ("multiple_baseline", "reversal")
METHODS = ("moment", "reml")
INTERVALS = ("symmetric", "noncentral")

_SOURCES = {
    "multiple_baseline": "https://doi.org/10.1002/jrsm.1086",
    "reversal": "https://doi.org/10.1002/jrsm.1052",
    "reml": "https://doi.org/10.3102/1076998614547577",
}


@dataclass(frozen=True)
class BetweenCaseEffect(Estimates):
    """A standardised mean difference across cases.

    Attributes
    ----------
    cases : tuple of Case
        What it was estimated from.
    """

    cases: tuple[Case, ...] = field(default=(), repr=False)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the change of each case's mean, treatment less baseline, and the mean of all.

        The changes are in the unit of observation and in the direction of the estimate's sign.
        """
        import matplotlib.pyplot as plt

        sign = float(self.summary["sign"][0])
        changes = [sign * between_case_moments.change(one) for one in self.cases]
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 0.32 * len(changes) + 1.4))[1]
        height = np.arange(len(changes) - 1, -1, -1)
        ax.axvline(0, color="0.3", linewidth=1)
        ax.hlines(height, 0, changes, color="C0", linewidth=2)
        ax.plot(changes, height, "o", color="C0")
        ax.axvline(np.mean(changes), color="C1", linestyle="--", label=str(Text("各个案的平均", "Mean of the cases")))
        ax.set_yticks(height, [one.name for one in self.cases])
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(
            str(
                Text("改变后均值减改变前均值（原单位）", "Treatment mean less baseline mean, in units of observation")
            )
        )
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
        return ax


def between_case_smd(
    frame: pd.DataFrame,
    case: str = "case",
    phase: str = "phase",
    value: str = "value",
    time: str | None = None,
    design: str = "multiple_baseline",
    method: str = "moment",
    model: str = "MB1",
    at: tuple[float, float] | None = None,
    improvement: str = "increase",
    interval: str = "symmetric",
    conf_level: float = 0.95,
) -> BetweenCaseEffect:
    """Estimate the standardised mean difference between cases that a randomised comparison of groups would estimate.

    Within-case effect sizes divide by how much one case varies; this one divides by how much cases differ from one
    another at one time, so that it can stand beside the d of a group study.

    Parameters
    ----------
    frame
        A row per observation. In each case the first phase's label is the baseline's; labels may be numbered (A1, B1,
        A2, B2).
    case, phase, value, time
        Columns. Without a time rows count as sessions in their order; with one it must be whole numbers or dates.
    design
        ``"multiple_baseline"``: every case changes once, at times of its own. ``"reversal"``: every case goes from
        baseline to treatment and back, in the same order.
    method
        ``"moment"``: the estimators of Hedges, Pustejovsky and Shadish, 2013 for multiple baselines and 2012 for
        reversals. They assume no trend and one effect for all. ``"reml"``: that of Pustejovsky, Hedges and Shadish
        (2014), from a multilevel model with first-order autocorrelation within cases.
    model
        For ``"reml"``. ``"MB1"``: levels vary between cases, the effect does not. ``"MB2"``: both vary. ``"MB3"``:
        as MB1, with a trend in the baseline and a change of trend that are the same for all. ``"MB4"``: as MB3, the
        baseline's trend varies. ``"MB5"``: as MB4, the change of trend varies too.
    at
        For MB3 to MB5, whose effect depends on time: ``(start, end)``, the last session before treatment and the
        session of the comparison, in the unit of `time`. The effect is that of ``end - start`` sessions of treatment.
    improvement
        ``"decrease"`` turns the sign, so that a positive effect is one for the better.
    interval
        ``"symmetric"``, from a t distribution, or ``"noncentral"``, from a noncentral t.
    conf_level
        Between 0 and 1.

    Returns
    -------
    BetweenCaseEffect
        `.tidy()`: one row, term ``"between_case_smd"``: g with Hedges' correction for small samples, its standard
        error, df, statistic and p_value (t), interval; also variance and unadjusted. `.glance()`: n_cases, n,
        design, method, model, numerator and variance_total (what g divides by, squared), variance_within,
        autocorrelation, icc (share of variance between cases), kappa (the standard error of the numerator in standard
        deviations), sign.

    Raises
    ------
    ColumnError, ArgumentError
        If columns are missing or hold what cannot be used, there are fewer than three cases, or the phases are not
        those of the design.
    ModelError
        If nothing varies within phases or between cases, so that there is no standard deviation.

    Notes
    -----
    With ν degrees of freedom and J = 1 - 3/(4ν - 1), the variance of g is
    J²(νκ²/(ν - 2) + g²(ν/(ν - 2) - 1/J²)); where ν is 2 or less it does not exist and is NaN.
    The moment estimator for multiple baselines takes the sum of products of consecutive residuals over the whole
    case, the one for reversals within phases; both count a missing session as absent there, and the reversal design
    pools variances over the first sessions of each phase, as many as every case has.

    References
    ----------
    Hedges, L. V., Pustejovsky, J. E., & Shadish, W. R. (2012). A standardized mean difference effect size for single
    case designs. Research Synthesis Methods, 3, 224-239. https://doi.org/10.1002/jrsm.1052
    Hedges, L. V., Pustejovsky, J. E., & Shadish, W. R. (2013). A standardized mean difference effect size for
    multiple baseline designs across individuals. Research Synthesis Methods, 4, 324-341.
    https://doi.org/10.1002/jrsm.1086
    Pustejovsky, J. E., Hedges, L. V., & Shadish, W. R. (2014). Design-comparable effect sizes in multiple baseline
    designs: A general modeling framework. Journal of Educational and Behavioral Statistics, 39, 368-393.
    https://doi.org/10.3102/1076998614547577

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> values = {"1": [3, 4, 3, 7, 8, 6, 7], "2": [5, 6, 5, 6, 9, 9, 8], "3": [2, 2, 4, 3, 3, 6, 6]}
    >>> start = {"1": 3, "2": 4, "3": 5}
    >>> rows = [(c, "A" if i < start[c] else "B", v) for c, series in values.items() for i, v in enumerate(series)]
    >>> frame = pd.DataFrame(rows, columns=["case", "phase", "value"])
    >>> ht.singlecase.between_case_smd(frame).tidy()["estimate"].round(2).tolist()
    [1.57]
    """
    checks.require(
        checks.one_of("design", design, DESIGNS),
        checks.one_of("method", method, METHODS),
        checks.one_of("model", model, tuple(between_case_reml.MODELS)),
        checks.one_of("improvement", improvement, IMPROVEMENT),
        checks.one_of("interval", interval, INTERVALS),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
    )
    checks.require(*words.model_and_times(design, method, model, at))
    cases, note = read_cases(frame, case, phase, value, time)
    checks.require(*words.not_of_design(cases, design, method))
    checks.require(words.fractional(time, cases))
    checks.require(*words.nothing_varies(cases), error=ModelError)
    if method == "moment":
        found = between_case_moments.estimate(cases, design)
    else:
        found = between_case_reml.estimate(cases, model, at)
    sign = 1 if improvement == "increase" else -1
    row = _row(found, sign, interval, conf_level)
    summary = {
        "n_cases": [len(cases)],
        "n": [sum(len(one.values) for one in cases)],
        "design": [design],
        "method": [method],
        "model": [model if method == "reml" else ""],
        "numerator": [sign * found.numerator],
        "variance_total": [found.total],
        "variance_within": [found.within],
        "autocorrelation": [found.phi],
        "icc": [found.icc],
        "kappa": [found.kappa],
        "sign": [sign],
    }
    return BetweenCaseEffect(
        pd.DataFrame(row),
        pd.DataFrame(summary),
        (*note, *found.note, *words.remarks(found.df, len(cases), design)),
        _SOURCES[design if method == "moment" else "reml"],
        tuple(cases),
    )


def _row(found: between_case_moments.Found, sign: int, interval: str, conf_level: float) -> dict[str, list]:
    """Make the row of the estimate; Pustejovsky, Hedges and Shadish (2014), equations for g, V and J."""
    nu = found.df
    j = 1 - 3 / (4 * nu - 1)
    plain = sign * found.numerator / np.sqrt(found.total)
    g = j * plain
    variance = np.nan
    if nu > 2:
        variance = j**2 * (nu * found.kappa**2 / (nu - 2) + g**2 * (nu / (nu - 2) - 1 / j**2))
    error = np.sqrt(variance)
    if interval == "symmetric":
        reach = stats.t.ppf((1 + conf_level) / 2, nu) * error
        low, high = g - reach, g + reach
    else:
        low, high = _noncentral(plain / found.kappa, nu, conf_level, found.kappa)
    return {
        "term": ["between_case_smd"],
        "estimate": [g],
        "std_error": [error],
        "df": [nu],
        "statistic": [g / error],
        "p_value": [2 * stats.t.sf(abs(g / error), nu)],
        "conf_low": [low],
        "conf_high": [high],
        "variance": [variance],
        "unadjusted": [plain],
    }


def _noncentral(t: float, nu: float, conf_level: float, scale: float) -> tuple[float, float]:
    """Return the interval from the noncentral t: the noncentralities under which t is just not surprising."""
    if not np.isfinite(t):
        return np.nan, np.nan

    def bound(probability: float) -> float:
        def off(ncp: float) -> float:
            return float(special.nctdtr(nu, ncp, t)) - probability

        width = 5.0
        while width < 1e3:
            if off(t - width) > 0 > off(t + width):
                return float(optimize.brentq(off, t - width, t + width, xtol=1e-10))
            width *= 2
        return np.nan

    return scale * bound((1 + conf_level) / 2), scale * bound((1 - conf_level) / 2)
