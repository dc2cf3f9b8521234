"""Differences of phase means: standardised, or as a share of the way to a goal."""

from __future__ import annotations

import numpy as np

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, effect, few, mean_and_variance, normal_interval, read, yes_or_no
from htresearch.singlecase.series import Values

DEVIATIONS = ("baseline", "pooled")


def smd(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    std_dev: str = "baseline",
    bias_correct: bool = True,
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate the within-case standardised mean difference.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is; positive is improvement.
    std_dev
        Standard deviation to divide by: ``"baseline"`` (Gingerich, 1984; Busk & Serlin, 1992), or ``"pooled"`` over
        both phases (Hedges' g).
    bias_correct
        Whether to multiply by 1 - 3 / (4 df - 1), for small samples (Hedges, 1981); df = m - 1, or m + n - 2 pooled.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"smd"``, or ``"hedges_g"`` if pooled; own columns: difference (of means, in the
        values' units), std_dev, correction (the factor). The standard error is that of the delta method, times the
        factor (Pustejovsky, 2019); the interval is normal.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or an option is none of those above.

    Notes
    -----
    It measures change against the fluctuation of one case, and must not be compared with the standardised mean
    differences of studies of groups. Where the standard deviation is 0 or cannot be computed, the estimate is missing
    and the note says why.

    References
    ----------
    Hedges, L. V. (1981). Distribution theory for Glass's estimator of effect size and related estimators. Journal of
    Educational Statistics, 6, 107-128. https://doi.org/10.3102/10769986006002107
    Pustejovsky, J. E. (2019). Procedural sensitivities of effect sizes for single-case designs with directly observed
    behavioral outcome measures. Psychological Methods, 24, 217-235. https://doi.org/10.1037/met0000179

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.smd([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["estimate"].round(3).tolist()
    [1.65]
    """
    phases = read(
        baseline,
        treatment,
        improvement,
        conf_level,
        checks.one_of("std_dev", std_dev, DEVIATIONS),
        yes_or_no("bias_correct", bias_correct),
    )
    before, after = phases.improving
    m, n = len(before), len(after)
    pooled = std_dev == "pooled"
    df = m + n - 2 if pooled else m - 1
    note: list[Text] = [
        Text(
            "除以{which}标准差；只反映这一个案自身的波动，不能与分组研究的标准化均差相比。",
            "Divided by {which}; it counts in this case's own fluctuation, and cannot be compared with that of "
            "studies of groups.",
        ).format(
            which=Text("两阶段合并的", "the standard deviation pooled over both phases")
            if pooled
            else Text("改变前的", "the baseline's standard deviation")
        )
    ]
    factor = _small_sample(df, bias_correct, note)
    with np.errstate(all="ignore"):
        (mean_before, v_before), (mean_after, v_after) = mean_and_variance(before), mean_and_variance(after)
        difference = mean_after - mean_before
        deviation = _scale(m, n, v_before, v_after, pooled, note)
        estimate = factor * difference / deviation
        # Around what the difference itself varies by, the standard deviation adds its own error (delta method).
        by_mean = 1 / m + 1 / n if pooled else 1 / m + v_after / (n * deviation**2)
        error = float(factor * np.sqrt(by_mean + estimate**2 / (2 * df)))
    if n < 2 and not pooled:
        note.append(few("B", n, 2, Text("标准误", "The standard error")))
    return effect(
        "hedges_g" if pooled else "smd",
        phases,
        estimate,
        error,
        normal_interval(estimate, error, conf_level),
        note=note,
        source="https://doi.org/10.1037/met0000179",
        null=0.0,
        difference=difference,
        std_dev=deviation,
        correction=factor,
    )


def _small_sample(df: int, bias_correct: bool, note: list[Text]) -> float:
    """Return Hedges's factor, NaN where there are no degrees of freedom."""
    if df < 1:
        return np.nan
    if not bias_correct:
        note.append(Text("未作小样本校正。", "Not corrected for small samples."))
        return 1.0
    factor = 1 - 3 / (4 * df - 1)
    if df == 1:
        # The approximation gives 0 here, which would make every effect nothing.
        note.append(
            Text(
                "只有 1 个自由度，无法作小样本校正。",
                "With one degree of freedom there is no small-sample correction.",
            )
        )
        return np.nan
    note.append(
        Text(
            f"已乘小样本校正系数 {factor:.3f}（Hedges，1981）。",
            f"Multiplied by {factor:.3f} for small samples (Hedges, 1981).",
        )
    )
    return factor


def _scale(m: int, n: int, v_before: float, v_after: float, pooled: bool, note: list[Text]) -> float:
    """Return the standard deviation to divide by, NaN (and why) where there is none."""
    if pooled:
        parts = [(k - 1) * v for k, v in ((m, v_before), (n, v_after)) if k > 1]
        variance = sum(parts) / (m + n - 2) if parts else np.nan
    else:
        variance = v_before
    if np.isnan(variance):
        note.append(few("A", m, 2, Text("标准差", "The standard deviation")))
    elif variance == 0:
        note.append(
            Text(
                "观察值没有波动，标准差为 0，无法标准化；可看均值之差，或用 NAP。",
                "The values do not vary: the standard deviation is 0 and nothing can be standardised. See the "
                "difference of means, or NAP.",
            )
        )
        variance = np.nan
    return float(np.sqrt(variance))


def pogo(
    baseline: Values, treatment: Values, goal: float, improvement: str = "increase", conf_level: float = 0.95
) -> EffectSize:
    """Estimate the percent of goal obtained: how much of the way from the baseline to the goal has been gone.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    goal
        The level aimed at, in the values' units, set before the treatment began.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is. The estimate does not depend on it, as the
        goal says which way to go; the note says so if both do not agree.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"pogo"``, in percent: 0 is no change, 100 the goal, more is beyond it; own columns:
        goal, mean_baseline, mean_treatment. The standard error is that of a ratio of normal variables (Dunlap &
        Silver, 1986), as Patrona et al. (2022) use it.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or the goal is no finite number.

    Notes
    -----
    It takes both phases as stable. Where the baseline's mean is the goal already, the estimate is missing.

    References
    ----------
    Ferron, J., Goldstein, H., Olszewski, A., & Rohrer, L. (2020). Indexing effects in single-case experimental
    designs by estimating the percent of goal obtained. Evidence-Based Communication Assessment and Intervention, 14,
    6-27.
    https://doi.org/10.1080/17489539.2020.1732024
    Dunlap, W. P., & Silver, N. C. (1986). Confidence intervals and standard errors for ratios of normal variables.
    Behavior Research Methods, Instruments, & Computers, 18, 469-471. https://doi.org/10.3758/BF03201412

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.pogo([10, 10], [14, 16], goal=20).tidy()["estimate"].tolist()
    [50.0]
    """
    phases = read(baseline, treatment, improvement, conf_level, _goal(goal))
    before, after = phases.baseline, phases.treatment
    note = [Text("以百分数计：100 即达到目标。", "In percent: 100 is the goal.")]
    with np.errstate(all="ignore"):
        (mean_before, v_before), (mean_after, v_after) = mean_and_variance(before), mean_and_variance(after)
        way = float(goal) - mean_before
        if np.isclose(way, 0, atol=1e-12 * abs(float(goal))):
            note.append(Text("改变前的均值已等于目标，无从计算。", "The baseline's mean is the goal already."))
            way = np.nan
        elif way * phases.sign < 0:
            note.append(
                Text(
                    "目标与改进方向不一致：改变前已好过目标，请核对。",
                    "The goal and the direction of improvement do not agree: the baseline is better than the goal.",
                )
            )
        gone = (mean_after - mean_before) / way
        e_before, e_after = v_before / len(before), v_after / len(after)
        error = 100 * float(np.sqrt(e_before + e_after + gone**2 * e_before)) / abs(way)
    for letter, values in (("A", before), ("B", after)):
        if len(values) < 2:
            note.append(few(letter, len(values), 2, Text("标准误", "The standard error")))
    if error == 0:
        note.append(_no_spread())
        error = np.nan
    return effect(
        "pogo",
        phases,
        100 * gone,
        error,
        normal_interval(100 * gone, error, conf_level),
        note=note,
        source="https://doi.org/10.1080/17489539.2020.1732024",
        null=0.0,
        goal=float(goal),
        mean_baseline=mean_before,
        mean_treatment=mean_after,
    )


def _no_spread() -> Text:
    return Text(
        "两个阶段内的观察值都没有波动，无法估计标准误。",
        "Values do not vary within either phase: no standard error can be estimated.",
    )


def _goal(goal: object) -> Fault | None:
    number = isinstance(goal, int | float | np.number) and not isinstance(goal, bool)
    if number and np.isfinite(goal):
        return None
    return Fault(
        checks.argument("goal"),
        Text("须为有限的数", "must be a finite number"),
        Text("请给出事先定下的目标值", "Give the level aimed at, decided beforehand"),
        goal,
    )
