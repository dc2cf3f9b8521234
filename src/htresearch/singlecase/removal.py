"""How few observations must go until the phases no longer overlap: PAND and IRD."""

from __future__ import annotations

import numpy as np

from htresearch import checks
from htresearch.language import Text
from htresearch.singlecase.effect import EffectSize, effect, read
from htresearch.singlecase.overlap import NO_DISTRIBUTION
from htresearch.singlecase.series import Phases, Values

IRD_FORMS = ("robust", "parker-2009")


def pand(baseline: Values, treatment: Values, improvement: str = "increase") -> EffectSize:
    """Estimate the percentage of all nonoverlapping data: the most that can be kept without overlap.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"pand"``: the largest number of observations of both phases of which every
        treatment one is better than every baseline one, divided by the number of all; exact, and without standard
        error. Own column: removed.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number.

    Notes
    -----
    By removing the whole of the shorter phase at least the longer one remains: PAND is never less than the longer
    phase's share of all observations.

    References
    ----------
    Parker, R. I., Hagan-Burke, S., & Vannest, K. (2007). Percentage of all non-overlapping data (PAND): An
    alternative to PND. The Journal of Special Education, 40, 194-204. https://doi.org/10.1177/00224669070400040101
    Parker, R. I., Vannest, K. J., & Davis, J. L. (2011). Effect size in single-case research: A review of nine
    nonoverlap techniques. Behavior Modification, 35, 303-322. https://doi.org/10.1177/0145445511399147

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.pand([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["removed"].tolist()
    [2]
    """
    phases = read(baseline, treatment, improvement, 0.95)
    total = len(phases.baseline) + len(phases.treatment)
    kept = sum(_most_kept(phases)[0])
    return effect(
        "pand",
        phases,
        kept / total,
        note=(
            NO_DISTRIBUTION,
            Text(
                "精确值：去掉尽可能少的观察，使两个阶段不再重叠。",
                "Exact: the fewest observations are removed that make the phases not overlap.",
            ),
        ),
        source="https://doi.org/10.1177/0145445511399147",
        removed=total - kept,
    )


def ird(baseline: Values, treatment: Values, improvement: str = "increase", form: str = "robust") -> EffectSize:
    """Estimate the improvement rate difference, from the fewest observations that make the phases overlap.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    form
        ``"robust"`` (Parker, Vannest & Davis, 2011) lays half of the removed observations to each phase, so that it
        follows from `pand`; ``"parker-2009"`` (Parker, Vannest & Brown, 2009) counts them where they are: improvement
        rate of the treatment phase minus that of the baseline. Where several removals are equally small it takes the
        one with the smallest difference, and gives the largest beside it.

    Returns
    -------
    EffectSize
        `.tidy()`: one row, term ``"ird"``, without standard error; own columns: form, removed, and for
        ``"parker-2009"`` rate_baseline, rate_treatment, largest. No effect is about 0; the robust form can fall
        below.

    Raises
    ------
    ArgumentError
        If a phase has no observed value or holds what is no number, or there is no such form.

    References
    ----------
    Parker, R. I., Vannest, K. J., & Brown, L. (2009). The improvement rate difference for single-case research.
    Exceptional Children, 75, 135-150. https://doi.org/10.1177/001440290907500201
    Parker, R. I., Vannest, K. J., & Davis, J. L. (2011). Effect size in single-case research: A review of nine
    nonoverlap techniques. Behavior Modification, 35, 303-322. https://doi.org/10.1177/0145445511399147

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.ird([20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]).tidy()["estimate"].round(4).tolist()
    [0.6905]
    """
    phases = read(baseline, treatment, improvement, 0.95, checks.one_of("form", form, IRD_FORMS))
    m, n = len(phases.baseline), len(phases.treatment)
    solutions = _most_kept(phases)
    removed = m + n - sum(solutions[0])
    if form == "robust":
        return effect(
            "ird",
            phases,
            1 - removed / (2 * m) - removed / (2 * n),
            note=(
                NO_DISTRIBUTION,
                Text(
                    "稳健形式（Parker 等，2011）：去掉的观察平均算在两个阶段。",
                    "The robust form (Parker et al., 2011): removed observations are shared equally by both phases.",
                ),
            ),
            source="https://doi.org/10.1177/0145445511399147",
            null=0,
            form=form,
            removed=removed,
        )
    rates = sorted((j / n - (m - i) / m, (m - i) / m, j / n) for i, j in solutions)
    found, rate_before, rate_after = rates[0]
    note = [
        NO_DISTRIBUTION,
        Text(
            "Parker 等（2009）形式：改变后的改进率减去改变前的改进率。",
            "The form of Parker et al. (2009): improvement rate of the treatment phase minus that of the baseline.",
        ),
    ]
    if rates[-1][0] > found:
        note.append(
            Text(
                f"有 {len(rates)} 种同样少的去法，取差值最小的一种；最大为 {rates[-1][0]:.3f}。",
                f"{len(rates)} removals are equally small; this is the one with the smallest difference, the largest "
                f"is {rates[-1][0]:.3f}.",
            )
        )
    return effect(
        "ird",
        phases,
        found,
        note=note,
        source="https://doi.org/10.1177/001440290907500201",
        null=0,
        form=form,
        removed=removed,
        rate_baseline=rate_before,
        rate_treatment=rate_after,
        largest=rates[-1][0],
    )


def _most_kept(phases: Phases) -> list[tuple[int, int]]:
    """Return every (i, j) with most kept: the i worst of the baseline, and the j of the treatment better than all."""
    before, after = phases.improving
    before = np.sort(before)
    # With the i lowest of the baseline kept, every treatment observation above the i-th may stay (Pustejovsky, 2019).
    better = [len(after), *(int((after > highest).sum()) for highest in before)]
    most = max(i + j for i, j in enumerate(better))
    return [(i, j) for i, j in enumerate(better) if i + j == most]
