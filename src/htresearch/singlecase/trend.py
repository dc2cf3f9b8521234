"""The treatment against the baseline's trend carried on: PET and the conservative dual criterion."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, effect, few, read
from htresearch.singlecase.overlap import NO_DISTRIBUTION
from htresearch.singlecase.series import Phases, Values

TRENDS = ("regression", "split-middle")
_SAID = {
    "regression": Text("最小二乘回归", "least-squares regression"),
    "split-middle": Text("中分法", "the split-middle method"),
}


def pet(baseline: Values, treatment: Values, improvement: str = "increase", trend: str = "regression") -> EffectSize:
    """Estimate the percentage exceeding the trend: the share of the treatment better than the baseline's line.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing, and keep their place in time.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    trend
        The line through the baseline that is carried on: ``"regression"`` by least squares, or ``"split-middle"``
        (White & Haring, 1980): through the medians of its two halves, then moved so that half of the baseline lies
        above it.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"pet"``, between 0 and 1, without standard error; an observation on the line does
        not exceed it. Own columns: better, trend, intercept (at the first observation), slope. No effect is .5.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or there is no such trend.

    Notes
    -----
    With fewer than two baseline observations there is no line: the estimate is missing, the note says so. A line
    through a short baseline is very uncertain, the more so the farther it is carried on.

    References
    ----------
    Wolery, M., Busick, M., Reichow, B., & Barton, E. E. (2010). Comparison of overlap methods for quantitatively
    synthesizing single-subject data. The Journal of Special Education, 44, 18-28.
    https://doi.org/10.1177/0022466908328009

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.pet([1, 2, 3, 4], [6, 6, 6, 9]).tidy()["estimate"].tolist()
    [0.5]
    """
    phases = read(baseline, treatment, improvement, 0.95, checks.one_of("trend", trend, TRENDS))
    note = [
        NO_DISTRIBUTION,
        Text(
            "趋势线：{how}；落在线上的不算超过。", "Trend line: {how}; an observation on it does not exceed it."
        ).format(how=_SAID[trend]),
    ]
    own = {"better": pd.NA, "trend": trend, "intercept": np.nan, "slope": np.nan}
    found = np.nan
    if len(phases.baseline) < 2:
        note.append(few("A", len(phases.baseline), 2, Text("趋势线", "A trend line")))
    else:
        intercept, slope = line(phases.baseline_times, phases.baseline, trend)
        beyond = exceeds(phases, intercept + slope * phases.treatment_times)
        own |= {"better": int(beyond.sum()), "intercept": intercept, "slope": slope}
        found = float(beyond.mean())
    return effect("pet", phases, found, note=note, source="https://doi.org/10.1177/0022466908328009", null=0.5, **own)


def cdc(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    trend: str = "regression",
    shift: float = 0.25,
    alpha: float = 0.05,
) -> EffectSize:
    """Apply the conservative dual criterion: treatment observations beyond the baseline's mean line and trend line.

    Both lines are moved towards improvement by a share of the baseline's standard deviation. The change counts as
    systematic if so many treatment observations lie beyond both that a fair coin would show it with p < alpha.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing, and keep their place in time.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    trend
        ``"regression"`` (as Fisher et al.) or ``"split-middle"``.
    shift
        By how many standard deviations of the baseline the lines move; 0 gives the dual criterion.
    alpha
        Significance level of the one-sided binomial test.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"cdc"``: the share of treatment observations beyond both lines, p_value of the
        binomial test; own columns: better, critical (how many it takes; missing where even all do not suffice),
        systematic. No standard error.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or an option is out of range.

    Notes
    -----
    With fewer than two baseline observations there are no lines: the estimate is missing, the note says so. The p
    value takes the lines as known and observations as independent: it is a rule for looking, no test of a drawn
    start.

    References
    ----------
    Fisher, W. W., Kelley, M. E., & Lomas, J. E. (2003). Visual aids and structured criteria for improving visual
    inspection and interpretation of single-case designs. Journal of Applied Behavior Analysis, 36, 387-406.
    https://doi.org/10.1901/jaba.2003.36-387

    Examples
    --------
    >>> import htresearch as ht
    >>> found = ht.singlecase.cdc([3, 4, 3, 4], [6, 7, 6, 8, 7]).tidy()
    >>> found[["better", "critical", "systematic"]].to_dict("records")
    [{'better': 5, 'critical': 5, 'systematic': True}]
    """
    phases = read(
        baseline,
        treatment,
        improvement,
        0.95,
        checks.one_of("trend", trend, TRENDS),
        checks.between("shift", shift, 0, 10),
        checks.between("alpha", alpha, 0, 1, open_ends=True),
    )
    n = len(phases.treatment)
    note = [
        Text(
            "平均线和趋势线（{how}）都朝改进方向移动 {shift:g} 个改变前的标准差；"
            "p 值只是判断的规则，把两条线当作已知。",
            "Mean line and trend line ({how}) are moved towards improvement by {shift:g} baseline standard "
            "deviations; the p value takes both as known and is a rule for looking.",
        ).format(how=_SAID[trend], shift=float(shift))
    ]
    enough = [k for k in range(n + 1) if stats.binom.sf(k - 1, n, 0.5) < alpha]
    own = {"p_value": np.nan, "better": pd.NA, "critical": enough[0] if enough else pd.NA, "systematic": pd.NA}
    found = np.nan
    if not enough:
        note.append(
            Text(
                f"改变后只有 {n} 次观察，即使全部超过也达不到 p < {alpha:g}。",
                f"With {n} treatment observation(s) even all of them beyond the lines do not reach p < {alpha:g}.",
            )
        )
    if len(phases.baseline) < 2:
        note.append(few("A", len(phases.baseline), 2, Text("双重标准", "The dual criterion")))
    else:
        intercept, slope = line(phases.baseline_times, phases.baseline, trend)
        step = phases.sign * shift * _deviation(phases.baseline)
        beyond = exceeds(phases, phases.baseline.mean() + step) & exceeds(
            phases, intercept + slope * phases.treatment_times + step
        )
        better = int(beyond.sum())
        own |= {
            "p_value": float(stats.binom.sf(better - 1, n, 0.5)),
            "better": better,
            "systematic": bool(enough and better >= enough[0]),
        }
        found = better / n
    return effect("cdc", phases, found, note=note, source="https://doi.org/10.1901/jaba.2003.36-387", **own)


def line(times: np.ndarray, values: np.ndarray, trend: str) -> tuple[float, float]:
    """Return intercept and slope of the line through two or more values."""
    times = np.asarray(times, dtype=float)
    if trend == "regression":
        away = times - times.mean()
        slope = float(away @ (values - values.mean()) / (away @ away))
        return float(values.mean() - slope * times.mean()), slope
    half = len(values) // 2  # an odd middle observation belongs to neither half
    first, last = slice(None, half), slice(len(values) - half, None)
    rise = np.median(values[last]) - np.median(values[first])
    slope = float(rise / (np.median(times[last]) - np.median(times[first])))
    return float(np.median(values - slope * times)), slope


def exceeds(phases: Phases, level: float | np.ndarray) -> np.ndarray:
    """Return which treatment observations are better than a level; rounding does not make one so."""
    scale = np.abs(np.concatenate([phases.baseline, phases.treatment])).max()
    return phases.sign * (phases.treatment - level) > 1e-10 * max(scale, np.finfo(float).tiny)


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1))
