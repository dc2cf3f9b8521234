"""Rank correlations of phase and outcome: Tau, Tau-U and baseline-corrected Tau."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, effect, few, normal_interval, read, summary
from htresearch.singlecase.kendall import s_between, s_deviation, s_within, tau_b
from htresearch.singlecase.overlap import STANDARD_ERRORS, compare, nap, nap_error, nap_interval
from htresearch.singlecase.series import Phases, Values

#: What each variant of Tau-U adds up, and the pairs it divides by. A, B: trend of a phase; AB: A against B.
VARIANTS = {
    "AB/mn": (("AB",), ("AB",)),
    "AB-A/mn": (("AB", "-A"), ("AB",)),
    "AB-A/(mn+A)": (("AB", "-A"), ("AB", "A")),
    "AB+B/(mn+B)": (("AB", "B"), ("AB", "B")),
    "AB+B-A/all": (("AB", "B", "-A"), ("AB", "A", "B")),
}
CORRECTIONS = ("always", "significant", "never")
FORMS = ("nonoverlap", "kendall")
_TAU_U = "https://doi.org/10.1016/j.beth.2010.08.006"
_TAU_BC = "https://doi.org/10.1177/0145445516676750"


def tau(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    std_error: str = "unbiased",
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate Tau: the share of pairs that improve minus the share that get worse; 2 NAP - 1.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    std_error
        ``"unbiased"``, ``"hanley"`` or ``"null"``: twice that of `nap`.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"tau"``, between -1 and 1; no effect is 0.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or an option is none of those above.

    References
    ----------
    Parker, R. I., Vannest, K. J., Davis, J. L., & Sauber, S. B. (2011). Combining nonoverlap and trend for
    single-case research: Tau-U. Behavior Therapy, 42, 284-299. https://doi.org/10.1016/j.beth.2010.08.006

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.tau([3, 3, 4, 5], [4, 5, 6, 7, 7]).tidy()["estimate"].tolist()
    [0.8]
    """
    pairs = nap(baseline, treatment, improvement, std_error, conf_level)
    row = pairs.frame.iloc[0]
    ends = 2 * row[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float) - 1
    frame = pairs.frame.assign(
        term="tau", estimate=ends[0], std_error=2 * row["std_error"], conf_low=ends[1], conf_high=ends[2]
    )
    return EffectSize(frame, pairs.summary.assign(null_value=0.0), pairs.note, _TAU_U)


def tau_u(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    variant: str = "AB-A/mn",
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate Tau-U: Kendall's S of the phases and of the trends within them, over a number of pairs.

    Programs differ in what they add and in what they divide by; each variant is named by both.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    variant
        With m baseline and n treatment observations:

        ``"AB/mn"``: A against B, over the mn pairs between the phases (`tau`);
        ``"AB-A/mn"``: minus the baseline's trend, over mn (Parker et al.; SingleCaseES);
        ``"AB-A/(mn+A)"``: the same over mn + m(m-1)/2 (so that it stays within -1 and 1);
        ``"AB+B/(mn+B)"``: plus the treatment's trend, over mn + n(n-1)/2;
        ``"AB+B-A/all"``: both, over all (m+n)(m+n-1)/2 pairs;
        ``"all"``: a row for each.
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"tau_u"``, with statistic and p_value of no difference and no trend; own columns:
        variant, s, pairs. The standard error is that of S under this hypothesis, corrected for ties (Kendall), over
        the pairs.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or there is no such variant.

    Notes
    -----
    Over mn, Tau-U can lie outside -1 and 1, and its range depends on the lengths of the phases (Tarlow, 2017).

    References
    ----------
    Parker, R. I., Vannest, K. J., Davis, J. L., & Sauber, S. B. (2011). Combining nonoverlap and trend for
    single-case research: Tau-U. Behavior Therapy, 42, 284-299. https://doi.org/10.1016/j.beth.2010.08.006
    Tarlow, K. R. (2017). An improved rank correlation effect size statistic for single-case designs: Baseline
    corrected Tau. Behavior Modification, 41, 427-467. https://doi.org/10.1177/0145445516676750

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.tau_u([2, 3, 5, 3], [4, 5, 5, 7, 6]).tidy()[["estimate", "s", "pairs"]].to_dict("records")
    [{'estimate': 0.65, 's': 13, 'pairs': 20}]
    """
    phases = read(baseline, treatment, improvement, conf_level, checks.one_of("variant", variant, (*VARIANTS, "all")))
    chosen = list(VARIANTS) if variant == "all" else [variant]
    rows, note = [], [_SAID_OF_TAU_U]
    for name in chosen:
        s, pairs, error = _kendall_of(phases, name)
        found = s / pairs
        if not error > 0:
            note.append(
                Text("所有观察值都相同，没有标准误。", "All observations are equal: there is no standard error.")
            )
            error = np.nan
        low, high = normal_interval(found, error / pairs, conf_level)
        z = s / error
        rows.append(
            {
                "term": "tau_u",
                "estimate": found,
                "std_error": error / pairs,
                "statistic": z,
                "p_value": 2 * stats.norm.sf(abs(z)),
                "conf_low": low,
                "conf_high": high,
                "variant": name,
                "s": s,
                "pairs": pairs,
            }
        )
    frame = pd.DataFrame(rows)
    if variant == "all":
        frame["line"] = frame["variant"]  # drawn side by side
    return EffectSize(frame, summary(phases, 0.0), tuple(dict.fromkeys([*note, *phases.note])), _TAU_U)


_SAID_OF_TAU_U = Text(
    "标准误是没有差异也没有趋势时 S 的标准误（按相同值校正）；除以 mn 的变式可能超出 ±1。",
    "The standard error is that of S under no difference and no trend, corrected for ties; a variant over mn can lie "
    "outside -1 and 1.",
)


def tau_bc(
    baseline: Values,
    treatment: Values,
    improvement: str = "increase",
    correct: str = "always",
    form: str = "nonoverlap",
    alpha: float = 0.05,
    std_error: str = "unbiased",
    conf_level: float = 0.95,
) -> EffectSize:
    """Estimate baseline-corrected Tau: Tau after the baseline's trend has been taken out of both phases.

    The trend is the Theil-Sen line of the baseline, carried on through the treatment.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing, and keep their place in time.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    correct
        ``"always"``; ``"significant"``: only if Kendall's rank correlation of the baseline with time has p < `alpha`
        (Tarlow, 2017); ``"never"``.
    form
        ``"nonoverlap"``: share of pairs that improve minus share that get worse, as `tau`; ``"kendall"``: Kendall's
        tau-b of outcome and phase (Tarlow, 2017), which does not reach 1 with complete nonoverlap.
    alpha
        Level of the pretest.
    std_error
        Of the nonoverlap form: ``"unbiased"``, ``"hanley"`` or ``"null"``, twice that of `nap`. That of the Kendall
        form is sqrt(2 (1 - tau^2) / (m + n)) (Tarlow, 2017).
    conf_level
        Between 0 and 1.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"tau_bc"``; own columns: form, corrected (or not), slope (of the baseline, in the
        values' units per occasion), trend_p_value, uncorrected (the same form without correction), tau_b and
        tau_b_uncorrected (the Kendall form, whichever was asked for).

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or an option is none of those above.

    Notes
    -----
    Neither standard error knows that the slope was estimated: it is too small after a correction. The correction can
    turn a clear decline into an improvement where a falling baseline is carried on below what can be; the note says
    so when the sign is reversed.

    References
    ----------
    Tarlow, K. R. (2017). An improved rank correlation effect size statistic for single-case designs: Baseline
    corrected Tau. Behavior Modification, 41, 427-467. https://doi.org/10.1177/0145445516676750

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.tau_bc([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]).tidy()[["estimate", "uncorrected"]].iloc[0].tolist()
    [0.0, 1.0]
    """
    phases = read(
        baseline,
        treatment,
        improvement,
        conf_level,
        checks.one_of("correct", correct, CORRECTIONS),
        checks.one_of("form", form, FORMS),
        checks.one_of("std_error", std_error, STANDARD_ERRORS),
        checks.between("alpha", alpha, 0, 1, open_ends=True),
    )
    before, after = phases.improving
    slope, p_value = _baseline_trend(phases)
    wanted = correct == "always" or (correct == "significant" and p_value < alpha)
    own = {
        "form": form,
        "corrected": bool(wanted and not np.isnan(slope)),
        "slope": slope,
        "trend_p_value": p_value,
        "uncorrected": _form(before, after, form),
        "tau_b": np.nan,
        "tau_b_uncorrected": _form(before, after, "kendall"),
    }
    note = [_pretest(correct, own["corrected"], p_value, alpha)]
    found, error, interval = np.nan, np.nan, (np.nan, np.nan)
    if wanted and np.isnan(slope):
        note.append(few("A", len(before), 2, Text("基线趋势", "The baseline's trend")))
    else:
        if own["corrected"]:
            before, after = _detrended(phases, slope)
        found, own["tau_b"] = _form(before, after, form), _form(before, after, "kendall")
        error, interval, said = _form_error(before, after, form, std_error, conf_level)
        note += said
        note += _reversal(found, own)
    return effect("tau_bc", phases, found, error, interval, note=note, source=_TAU_BC, null=0.0, **own)


def _kendall_of(phases: Phases, variant: str) -> tuple[int, int, float]:
    """Return S of a variant, the pairs it is divided by, and the standard deviation of S under no association."""
    before, after = phases.improving
    m, n = len(before), len(after)
    s = {"AB": s_between(before, after), "B": s_within(after), "-A": -s_within(before)}
    pairs = {"AB": m * n, "A": m * (m - 1) // 2, "B": n * (n - 1) // 2}
    parts, over = VARIANTS[variant]
    # Each variant is S of the outcome with a time variable: A reversed or all equal, B in order or all equal.
    order = np.concatenate(
        [
            -np.arange(m) if "-A" in parts else np.zeros(m),
            1 + (np.arange(n) if "B" in parts else np.zeros(n)),
        ]
    )
    return (
        sum(s[p] for p in parts),
        sum(pairs[p] for p in over),
        s_deviation(order, np.concatenate([before, after])),
    )


# --- the baseline's trend -------------------------------------------------------------------------------------------


def _baseline_trend(phases: Phases) -> tuple[float, float]:
    """Return the Theil-Sen slope of the baseline and the p value of Kendall's rank correlation with time."""
    values, times = phases.baseline, phases.baseline_times
    if len(values) < 2:
        return np.nan, np.nan
    i, j = np.triu_indices(len(values), 1)
    slope = float(np.median((values[j] - values[i]) / (times[j] - times[i])))
    if np.ptp(values) == 0:
        return slope, 1.0
    return slope, float(stats.kendalltau(times, values).pvalue)


def _detrended(phases: Phases, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Return both phases without the baseline's trend; what differs by rounding only is equal."""
    times = np.concatenate([phases.baseline_times, phases.treatment_times])
    values = np.concatenate([phases.baseline, phases.treatment])
    left = values - slope * times
    scale = max(np.abs(values).max(), np.abs(slope * times).max())
    if scale > 0:
        left = np.round(left / scale, 11)
    left = phases.sign * left
    return left[: len(phases.baseline)], left[len(phases.baseline) :]


def _form(before: np.ndarray, after: np.ndarray, form: str) -> float:
    if form == "nonoverlap":
        return float(2 * compare(before, after).mean() - 1)
    return tau_b(before, after)


def _form_error(
    before: np.ndarray, after: np.ndarray, form: str, std_error: str, conf_level: float
) -> tuple[float, tuple[float, float], list[Text]]:
    if form == "nonoverlap":
        pairs = compare(before, after)
        error, note = nap_error(pairs, std_error)
        low, high = nap_interval(float(pairs.mean()), *pairs.shape, conf_level)
        return 2 * error, (2 * low - 1, 2 * high - 1), note
    found = _form(before, after, form)
    error = float(np.sqrt(2 * (1 - found**2) / (len(before) + len(after))))
    low, high = normal_interval(found, error, conf_level)
    said = Text(
        "Kendall tau-b 形式；标准误按 Tarlow（2017）的近似，偏大。",
        "Kendall's tau-b; the standard error is the approximation of Tarlow (2017), on the large side.",
    )
    return error, (max(low, -1.0), min(high, 1.0)), [said]


def _pretest(correct: str, corrected: bool, p_value: float, alpha: float) -> Text:
    if correct == "never":
        return Text("未校正基线趋势。", "The baseline's trend was not taken out.")
    if correct == "always":
        return Text(
            "已去除基线趋势（Theil–Sen），不论其是否显著；标准误没有计入趋势估计的误差，基线短时区间太窄，常把偶然当成变化。",
            "The baseline's trend (Theil-Sen) was taken out, significant or not; the standard error does not know "
            "that it was estimated: after a short baseline the interval is too narrow and takes chance for change.",
        )
    if corrected:
        return Text(
            f"基线趋势显著（p = {p_value:.3f} < {alpha:g}），已去除；"
            "标准误没有计入趋势估计的误差，基线短时区间太窄。",
            f"The baseline's trend is significant (p = {p_value:.3f} < {alpha:g}) and was taken out; the standard "
            "error does not know that it was estimated: after a short baseline the interval is too narrow.",
        )
    if np.isnan(p_value):
        return Text("基线太短，无法检验趋势，未校正。", "The baseline is too short to test its trend: not corrected.")
    return Text(
        f"基线趋势不显著（p = {p_value:.3f}），未校正。",
        f"The baseline's trend is not significant (p = {p_value:.3f}): it was not taken out.",
    )


def _reversal(found: float, own: dict) -> list[Text]:
    if not (own["corrected"] and found * own["uncorrected"] < 0):
        return []
    raw, b_raw, b = own["uncorrected"], own["tau_b_uncorrected"], own["tau_b"]
    return [
        Text(
            f"注意：校正使符号反转（校正前 {raw:.2f}，校正后 {found:.2f}；tau-b 为 {b_raw:.2f} 与 {b:.2f}）。"
            "请看图判断基线趋势能否一直延续下去，不要只凭这个数下结论。",
            f"Beware: the correction reverses the sign (before {raw:.2f}, after {found:.2f}; tau-b {b_raw:.2f} and "
            f"{b:.2f}). See in the graph whether the baseline's trend could really go on; do not conclude from this "
            "number alone.",
        )
    ]
