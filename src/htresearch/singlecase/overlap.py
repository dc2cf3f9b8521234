"""How much the phases overlap: NAP, PND, PEM."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from htresearch import checks
from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, effect, few, read
from htresearch.singlecase.series import Values

STANDARD_ERRORS = ("unbiased", "hanley", "null")
NO_DISTRIBUTION = Text(
    "这个指标的抽样分布未知，因此没有标准误和置信区间。",
    "The sampling distribution of this index is unknown: it has no standard error and no interval.",
)


def nap(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    std_error: str = "unbiased",
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate the nonoverlap of all pairs: how often a treatment observation is better than a baseline one.

    Of all pairs of one baseline and one treatment observation, the share in which the treatment observation is
    better; equal ones count half. No effect is .5.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    std_error
        ``"unbiased"`` (Sen, 1967; Mee, 1990), ``"hanley"`` (Hanley & McNeil, 1982), or ``"null"``, that under no
        effect. The first two take the NAP no nearer to 0 or 1 than half a pair, so that complete nonoverlap does not
        pass for certainty.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"nap"``; the interval is Newcombe's (2006) method 5, whichever standard error is
        asked for.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or an option is none of those above.

    Notes
    -----
    Standard error and interval assume independent observations; where they depend on one another in time, both are
    too small.

    References
    ----------
    Parker, R. I., & Vannest, K. J. (2009). An improved effect size for single-case research: Nonoverlap of all pairs.
    Behavior Therapy, 40, 357-367. https://doi.org/10.1016/j.beth.2008.10.006
    Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part
    2. Statistics in Medicine, 25, 559-573. https://doi.org/10.1002/sim.2324
    Hanley, J. A., & McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic
    (ROC) curve. Radiology, 143, 29-36. https://doi.org/10.1148/radiology.143.1.7063747
    Mee, R. W. (1990). Confidence intervals for probabilities and tolerance regions based on a generalization of the
    Mann-Whitney statistic. Journal of the American Statistical Association, 85, 793-800.
    https://doi.org/10.1080/01621459.1990.10474942

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.nap([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["estimate"].round(4).tolist()
    [0.9167]
    """
    phases = read(
        baseline, treatment, improvement, conf_level, checks.one_of("std_error", std_error, STANDARD_ERRORS)
    )
    before, after = phases.improving
    pairs = compare(before, after)
    found = float(pairs.mean())
    error, note = nap_error(pairs, std_error)
    return effect(
        "nap",
        phases,
        found,
        error,
        nap_interval(found, *pairs.shape, conf_level),
        note=note,
        source="https://doi.org/10.1016/j.beth.2008.10.006",
        null=0.5,
    )


def compare(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return for each pair 1 if the treatment observation is higher, 1/2 if equal, 0 if lower (q_ij)."""
    return (np.sign(np.subtract.outer(after, before).T) + 1) / 2


def nap_error(pairs: np.ndarray, std_error: str) -> tuple[float, list[Text]]:
    """Return the standard error of NAP and what to say about it."""
    m, n = pairs.shape
    names = {
        "unbiased": Text("无偏估计（Sen，1967；Mee，1990）", "the unbiased one (Sen, 1967; Mee, 1990)"),
        "hanley": Text("Hanley 与 McNeil（1982）", "that of Hanley and McNeil (1982)"),
        "null": Text("无效果时的标准误", "that under no effect"),
    }
    note = [
        Text(
            "标准误：{which}；区间：Newcombe（2006）方法 5；都假定各次观察相互独立。",
            "Standard error: {which}; interval: method 5 of Newcombe (2006); both assume independent observations.",
        ).format(which=names[std_error])
    ]
    if std_error == "null":
        return float(np.sqrt((m + n + 1) / (12 * m * n))), note
    found = pairs.mean()
    away = pairs - found
    q1, q2, q3 = (away.mean(axis=1) ** 2).mean(), (away.mean(axis=0) ** 2).mean(), (away**2).mean()
    # Complete nonoverlap would have no error at all: half a pair short of it is the nearest the variance may come.
    inside = np.clip(found, 1 / (2 * m * n), 1 - 1 / (2 * m * n))
    if std_error == "hanley":
        variance = (inside * (1 - inside) + (n - 1) * q1 + (m - 1) * q2) / (m * n)
        return float(np.sqrt(max(variance, 0.0))), note
    if min(m, n) < 2:
        letter, count = ("A", m) if m < 2 else ("B", n)
        note.append(few(letter, count, 2, Text("无偏标准误", "The unbiased standard error")))
        return np.nan, note
    variance = (inside * (1 - inside) + n * q1 + m * q2 - 2 * q3) / ((m - 1) * (n - 1))
    if variance <= 0:
        note.append(
            Text(
                '无偏的方差估计不为正数，故没有标准误；可改用 std_error="hanley"。',
                "The unbiased estimate of the variance is not positive: there is no standard error. "
                'Use std_error="hanley" instead.',
            )
        )
        return np.nan, note
    return float(np.sqrt(variance)), note


def nap_interval(found: float, m: int, n: int, conf_level: float) -> tuple[float, float]:
    """Return Newcombe's (2006) interval, method 5: the values that lie as far from NAP as their own error reaches."""
    z2 = stats.norm.ppf((1 + conf_level) / 2) ** 2
    half = (m + n) / 2 - 1

    def beyond(theta: float) -> float:
        spread = 1 + half * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (found - theta) ** 2 - z2 * theta * (1 - theta) * spread / (m * n)

    # At 0 and 1 the error is nothing, so that each end is a root of its own where NAP itself is 0 or 1.
    tiny = 1e-12
    low = 0.0 if found <= tiny else optimize.brentq(beyond, 0, min(found, 1 - tiny), xtol=1e-14)
    high = 1.0 if found >= 1 - tiny else optimize.brentq(beyond, max(found, tiny), 1, xtol=1e-14)
    return float(low), float(high)


def pnd(baseline: Values, treatment: Values, improvement: str = "increase") -> EffectSize:
    """Estimate the percentage of nonoverlapping data: the share of the treatment better than all of the baseline.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"pnd"``, between 0 and 1, without standard error; own columns: better (how many
        treatment observations) and best_baseline.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number.

    Notes
    -----
    The longer the baseline, the smaller PND becomes by chance alone; it rests on one single observation.

    References
    ----------
    Scruggs, T. E., Mastropieri, M. A., & Casto, G. (1987). The quantitative synthesis of single-subject research:
    Methodology and validation. Remedial and Special Education, 8, 24-33. https://doi.org/10.1177/074193258700800206

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.pnd([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["better"].tolist()
    [5]
    """
    phases = read(baseline, treatment, improvement, 0.95)
    before, after = phases.improving
    better = int((after > before.max()).sum())
    return effect(
        "pnd",
        phases,
        better / len(after),
        note=(
            NO_DISTRIBUTION,
            Text(
                "只与改变前最好的一次相比；改变前越长，PND 越小。",
                "It compares with the best baseline observation alone; the longer the baseline, the smaller it is.",
            ),
        ),
        source="https://doi.org/10.1177/074193258700800206",
        better=better,
        best_baseline=phases.sign * float(before.max()),
    )


def pem(baseline: Values, treatment: Values, improvement: str = "increase") -> EffectSize:
    """Estimate the percentage exceeding the median: the share of the treatment better than the baseline's median.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"pem"``, between 0 and 1, without standard error; an observation equal to the
        median counts half; own columns: better, equal and median_baseline. No effect is .5.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number.

    References
    ----------
    Ma, H.-H. (2006). An alternative method for quantitative synthesis of single-subject researches: Percentage of
    data points exceeding the median. Behavior Modification, 30, 598-617. https://doi.org/10.1177/0145445504272974

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.pem([3, 4, 4, 5], [4, 5, 6, 2]).tidy()["estimate"].tolist()
    [0.625]
    """
    phases = read(baseline, treatment, improvement, 0.95)
    before, after = phases.improving
    median = float(np.median(before))
    better, equal = int((after > median).sum()), int((after == median).sum())
    return effect(
        "pem",
        phases,
        (better + equal / 2) / len(after),
        note=(
            NO_DISTRIBUTION,
            Text("恰好等于改变前中位数的观察算一半。", "Observations equal to the baseline's median count half."),
        ),
        source="https://doi.org/10.1177/0145445504272974",
        null=0.5,
        better=better,
        equal=equal,
        median_baseline=phases.sign * median,
    )
