"""Change in proportion of what is skewed: the log ratio of medians."""

from __future__ import annotations

import numpy as np
from scipy import stats

from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, effect, few, normal_interval, read
from htresearch.singlecase.ratios import on_scale
from htresearch.singlecase.series import Values


def lrm(baseline: Values, treatment: Values, improvement: str = "increase", conf_level: float = 0.95) -> EffectSize:
    """Estimate the log ratio of the phases' medians.

    Parameters
    ----------
    baseline, treatment
        Values in time order, none negative; ``None`` and NaN are missing. Zero must mean that there was none of it.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is; positive is improvement.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"lrm"``; own columns: median_baseline, median_treatment. The standard error comes
        from the order statistics that enclose each median (Bonett & Price, 2020); the interval is normal.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number or is negative.

    Notes
    -----
    A median of 0 has no logarithm: the estimate is missing. So is the standard error where an order statistic is 0,
    or a phase has one observation.

    References
    ----------
    Bonett, D. G., & Price, R. M. (2020). Confidence intervals for ratios of means and medians. Journal of Educational
    and Behavioral Statistics, 45, 750-770. https://doi.org/10.3102/1076998620934125

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.lrm([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["estimate"].round(4).tolist()
    [0.2187]
    """
    phases = read(baseline, treatment, improvement, conf_level)
    on_scale(phases, "other")
    note: list[Text] = []
    medians = [float(np.median(x)) for x in (phases.baseline, phases.treatment)]
    with np.errstate(all="ignore"):
        estimate = phases.sign * float(np.log(medians[1]) - np.log(medians[0]))
    if min(medians) <= 0:
        estimate = np.nan
        note.append(Text("有阶段的中位数为 0，没有对数。", "The median of a phase is 0, which has no logarithm."))
    errors = []
    for letter, values in (("A", phases.baseline), ("B", phases.treatment)):
        if len(values) < 2:
            note.append(few(letter, len(values), 2, Text("标准误", "The standard error")))
        errors.append(_median_error(values))
    error = float(np.hypot(*errors))
    if np.isfinite(estimate) and not error > 0 and min(len(phases.baseline), len(phases.treatment)) > 1:
        note.append(
            Text(
                "两阶段中间的观察值都相同，或其中有 0，无法估计标准误。",
                "Around both medians values are equal, or one is 0: no standard error can be estimated.",
            )
        )
    error = error if error > 0 and np.isfinite(estimate) else np.nan
    return effect(
        "lrm",
        phases,
        estimate,
        error,
        normal_interval(estimate, error, conf_level),
        note=note,
        source="https://doi.org/10.3102/1076998620934125",
        null=0.0,
        median_baseline=medians[0],
        median_treatment=medians[1],
    )


def _median_error(values: np.ndarray) -> float:
    """Return the standard error of a log median from the order statistics around it (Bonett & Price, 2020)."""
    n = len(values)
    if n < 2:
        return np.nan
    lower = max(1, round(n / 2 - np.sqrt(n)))
    low, high = np.sort(values)[[lower - 1, n - lower]]
    if low <= 0:
        return np.nan
    z = stats.norm.isf(stats.binom.cdf(lower - 1, n, 0.5))
    return float((np.log(high) - np.log(low)) / (2 * z))
