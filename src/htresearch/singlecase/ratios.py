"""Change in proportion: log response ratio and log odds ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text
from htresearch.singlecase.effect import (
    EffectSize,
    effect,
    few,
    mean_and_variance,
    normal_interval,
    positive,
    read,
    yes_or_no,
)
from htresearch.singlecase.series import Phases, Values

SCALES = ("count", "rate", "percentage", "proportion", "other")
#: The largest value of a scale that has one.
TOP = {"percentage": 100.0, "proportion": 1.0}
RATIO_FORMS = ("increasing", "decreasing")


@dataclass(frozen=True)
class _Level:
    """Mean and variance of one phase, kept off the ends of the scale (Pustejovsky, 2018, equations 4 and 5)."""

    n: int
    mean: float
    variance: float
    moved: bool


def lrr(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    form: str = "increasing",
    scale: str = "count",
    intervals: float | None = None,
    observation_length: float | None = None,
    bias_correct: bool = True,
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate the log response ratio: the logarithm of the ratio of the phases' means.

    Parameters
    ----------
    baseline, treatment
        Values in time order, none negative; ``None`` and NaN are missing. Zero must mean that there was none of it.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    form
        ``"increasing"`` (LRRi): positive is improvement; ``"decreasing"`` (LRRd): negative is. For percentages and
        proportions the two differ in size too: where improvement and form do not agree, the complement (what is
        lacking to 100 %) is compared. Use one form for all cases of a study.
    scale
        ``"count"``; ``"rate"`` (per minute); ``"percentage"`` (0 to 100); ``"proportion"`` (0 to 1); ``"other"``.
    intervals
        For percentages and proportions: of how many intervals (items, pupils) each is a share.
    observation_length
        For rates: minutes of each session.
    bias_correct
        Whether to correct for the bias in short phases (Pustejovsky, 2015).
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"lrr"``, or ``"lrr_decreasing"``; own columns: percent_change (from the
        baseline to the treatment, of the values compared), scale, truncated (whether a mean or variance was kept off
        zero). The standard error is that of the delta method; the interval is normal.

    Raises
    ------
    ArgumentError
        If a phase has no observed value, holds what is no number, a negative value, or one above the scale, or an
        option is none of those above.

    Notes
    -----
    A phase with nothing but zeros has no logarithm: its mean is taken as 1 / (2 D n) with D = 1 for counts, the
    observation length for rates, the number of intervals for proportions (a hundredth of it for percentages), and the
    note says so; where D is not known the estimate is missing.

    References
    ----------
    Pustejovsky, J. E. (2015). Measurement-comparable effect sizes for single-case studies of free-operant behavior.
    Psychological Methods, 20, 342-359. https://doi.org/10.1037/met0000019
    Pustejovsky, J. E. (2018). Using response ratios for meta-analyzing single-case designs with behavioral outcomes.
    Journal of School Psychology, 68, 99-112. https://doi.org/10.1016/j.jsp.2018.02.003

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.lrr([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["estimate"].round(4).tolist()
    [0.1954]
    """
    phases = read(
        baseline,
        treatment,
        improvement,
        conf_level,
        checks.one_of("form", form, RATIO_FORMS),
        checks.one_of("scale", scale, SCALES),
        positive("intervals", intervals),
        positive("observation_length", observation_length),
        yes_or_no("bias_correct", bias_correct),
    )
    on_scale(phases, scale)
    agrees = (phases.sign > 0) == (form == "increasing")
    before, after, sign = phases.baseline, phases.treatment, 1
    note = [_form_said(form, agrees, scale)]
    if not agrees:
        if scale in TOP:
            before, after = TOP[scale] - before, TOP[scale] - after
        else:
            sign = -1
    constant = _truncation(scale, intervals, observation_length)
    with np.errstate(all="ignore"):
        levels = [_level(x, constant) for x in (before, after)]
        logs = [np.log(x.mean) + (x.variance / (2 * x.n * x.mean**2) if bias_correct else 0.0) for x in levels]
        error = float(np.sqrt(sum(x.variance / (x.n * x.mean**2) for x in levels)))
        estimate = sign * float(logs[1] - logs[0])
        change = 100 * float(np.exp(logs[1] - logs[0]) - 1)
    estimate, error, more = _defined(estimate, error, levels, bias_correct)
    return effect(
        "lrr" if form == "increasing" else "lrr_decreasing",
        phases,
        estimate,
        error,
        normal_interval(estimate, error, conf_level),
        note=[*note, *more, *_moved(levels, constant)],
        source="https://doi.org/10.1016/j.jsp.2018.02.003",
        null=0.0,
        percent_change=change if np.isfinite(estimate) else np.nan,
        scale=scale,
        truncated=any(x.moved for x in levels),
    )


def lor(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    scale: str = "percentage",
    intervals: float | None = None,
    bias_correct: bool = True,
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate the log odds ratio of percentages or proportions.

    Parameters
    ----------
    baseline, treatment
        Values in time order, on their scale; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is; positive is improvement.
    scale
        ``"percentage"`` (0 to 100) or ``"proportion"`` (0 to 1).
    intervals
        Of how many intervals (items, pupils) each value is a share; needed where a phase is all 0 or all 1.
    bias_correct
        Whether to correct for the bias in short phases.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"lor"``; own columns: scale, truncated. The standard error is that of the delta
        method; the interval is normal.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number or off the scale, or an option is none of those
        above.

    References
    ----------
    Pustejovsky, J. E. (2015). Measurement-comparable effect sizes for single-case studies of free-operant behavior.
    Psychological Methods, 20, 342-359. https://doi.org/10.1037/met0000019

    Examples
    --------
    >>> import htresearch as ht
    >>> before, after = [20, 20, 25, 25, 20, 25], [30, 25, 25, 25, 35, 30, 25]
    >>> ht.singlecase.lor(before, after).tidy()["estimate"].round(4).tolist()
    [0.2853]
    """
    phases = read(
        baseline,
        treatment,
        improvement,
        conf_level,
        checks.one_of("scale", scale, tuple(TOP)),
        positive("intervals", intervals),
        yes_or_no("bias_correct", bias_correct),
    )
    on_scale(phases, scale)
    constant = _truncation("proportion", intervals, None)
    with np.errstate(all="ignore"):
        levels = [_level(x / TOP[scale], constant, both_ends=True) for x in (phases.baseline, phases.treatment)]
        odds = []
        for x in levels:
            spread = x.variance / (x.n * x.mean**2 * (1 - x.mean) ** 2)
            bias = spread * (2 * x.mean - 1) / 2 if bias_correct else 0.0
            odds.append((np.log(x.mean) - np.log(1 - x.mean) - bias, spread))
        estimate = phases.sign * float(odds[1][0] - odds[0][0])
        error = float(np.sqrt(odds[0][1] + odds[1][1]))
    estimate, error, more = _defined(estimate, error, levels, bias_correct)
    return effect(
        "lor",
        phases,
        estimate,
        error,
        normal_interval(estimate, error, conf_level),
        note=[*more, *_moved(levels, constant)],
        source="https://doi.org/10.1037/met0000019",
        null=0.0,
        scale=scale,
        truncated=any(x.moved for x in levels),
    )


def _level(values: np.ndarray, constant: float | None, both_ends: bool = False) -> _Level:
    n = len(values)
    mean, variance = mean_and_variance(values)
    if constant is None:
        return _Level(n, mean, variance, False)
    nearest = 1 / (2 * constant * n)
    inside = max(mean, nearest)
    if both_ends:
        inside = min(inside, 1 - nearest)
    least = 1 / (constant**2 * n**3)
    return _Level(n, inside, max(variance, least), inside != mean or variance < least)


def _truncation(scale: str, intervals: float | None, observation_length: float | None) -> float | None:
    """Return D, the number of countable units behind one value (Pustejovsky, 2018, table 1)."""
    if scale == "count":
        return 1.0
    if scale == "rate":
        return None if observation_length is None else float(observation_length)
    if scale in TOP:
        return None if intervals is None else float(intervals) / TOP[scale]
    return None


def _defined(
    estimate: float, error: float, levels: list[_Level], bias_correct: bool
) -> tuple[float, float, list[Text]]:
    """Return estimate and error, each NaN where it is not defined, and why."""
    note = []
    for letter, x in zip("AB", levels, strict=True):
        if x.n < 2:
            what = Text("小样本校正和标准误", "The bias correction and the standard error")
            note.append(few(letter, x.n, 2, what if bias_correct else Text("标准误", "The standard error")))
    if any(not x.mean > 0 for x in levels) or not np.isfinite(estimate):
        if all(x.n > 1 for x in levels):
            note.append(
                Text(
                    "有阶段的均值到了量尺的尽头（如全为 0），没有对数；请给出 intervals 或 observation_length。",
                    "The mean of a phase lies at an end of the scale (all 0, say), which has no logarithm; give "
                    "intervals or observation_length.",
                )
            )
        return np.nan, np.nan, note
    if error == 0:
        note.append(
            Text(
                "两个阶段内的观察值都没有波动，无法估计标准误。",
                "Values do not vary within either phase: no standard error can be estimated.",
            )
        )
    return estimate, error if error > 0 else np.nan, note


def _moved(levels: list[_Level], constant: float | None) -> list[Text]:
    if not any(x.moved for x in levels):
        return []
    return [
        Text(
            f"有阶段的均值或方差过于接近 0（或满值），按 D = {constant:g} 取了可能的最小值（Pustejovsky，2018）。",
            f"The mean or variance of a phase lies too near 0 (or the top): the least that D = {constant:g} allows "
            "was taken (Pustejovsky, 2018).",
        )
    ]


def _form_said(form: str, agrees: bool, scale: str) -> Text:
    better = Text("正值", "positive") if form == "increasing" else Text("负值", "negative")
    said = Text("{better}表示改进。", "A {better} value is improvement.").format(better=better)
    if agrees or scale not in TOP:
        return said
    return Text(
        "{said}比较的是距满值还差多少。", "{said} What is lacking to the top of the scale is compared."
    ).format(said=said)


def on_scale(phases: Phases, scale: str) -> None:
    """Refuse values below zero, and above the top of the scale."""
    faults = []
    for name in ("baseline", "treatment"):
        values = getattr(phases, name)
        off = values[(values < 0) | (values > TOP.get(scale, np.inf))]
        if len(off):
            faults.append(
                Fault(
                    checks.argument(name),
                    Text("须在 0 到 {top} 之间", "must lie between 0 and {top}").format(top=f"{TOP[scale]:g}")
                    if scale in TOP
                    else Text("不能为负数", "must not be negative"),
                    Text(
                        "请改正，或改用不要求零点的指标（如 NAP）",
                        "Correct it, or use an index that needs no zero point (NAP, say)",
                    ),
                    float(off[0]),
                )
            )
    if faults:
        raise ArgumentError(*faults)
