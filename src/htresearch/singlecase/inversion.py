"""Confidence intervals by turning a randomisation test round: the shifts that it does not refuse."""

from __future__ import annotations

import numpy as np

from htresearch.singlecase.randomised import Randomised

#: With more outcomes than this, only means are turned round: other statistics need all outcomes anew for every shift.
MOST_INVERTED = 20_000
_STEPS = 50


def shift_interval(
    study: Randomised, rows: np.ndarray, distribution: np.ndarray, observed: float, alpha: float
) -> tuple[float, float]:
    """Return the interval of a shift of all treatment values, NaN where it is open.

    If treatment shifts every value by d, then taking d back from the treatment values makes every outcome of the draw
    give the records that it would have given. The shifts for which p of neither side is at most alpha/2 are those
    that the data allow (Michiels et al., 2017). For medians and trimmed means too, the more is taken back, the more
    outcomes are at least as good as the observed one, because no outcome's statistic can fall faster than that: so
    each end can be found by bisection.
    """
    allowed = int(np.floor(alpha / 2 * len(distribution) + 1e-9))
    if not allowed:
        return np.nan, np.nan
    if study.statistic == "mean":
        return _of_means(study.share_of(rows), distribution, observed, allowed)
    if len(distribution) > MOST_INVERTED:
        return np.nan, np.nan
    return _end(study, rows, allowed, 1), _end(study, rows, allowed, -1)


def _of_means(share: np.ndarray, distribution: np.ndarray, observed: float, allowed: int) -> tuple[float, float]:
    """Return the ends for means: an outcome's statistic falls in a straight line, so each turns at one shift."""
    same = share > 1 - 1e-9
    with np.errstate(divide="ignore", invalid="ignore"):
        turns = (observed - distribution) / (1 - share)
    # An outcome that divides the observations as they were divided is always as good as itself.
    low = np.partition(np.where(same, -np.inf, turns), allowed)[allowed]
    high = -np.partition(np.where(same, -np.inf, -turns), allowed)[allowed]
    return tuple(float(end) if np.isfinite(end) else np.nan for end in (low, high))


def _end(study: Randomised, rows: np.ndarray, allowed: int, side: int) -> float:
    """Return the lowest (side 1) or highest (side -1) shift at which more outcomes than `allowed` are as extreme."""
    spread = max(float(np.nanmax(v) - np.nanmin(v)) for v in study.cases.values()) or 1.0
    own = np.array([study.outcome])

    def refused(shift: float) -> bool:
        found, observed = study.statistic_of(rows, shift), study.statistic_of(own, shift)[0]
        return int((side * found >= side * observed - 1e-9 * spread).sum()) <= allowed

    out, kept = -side * 64 * spread, float(study.statistic_of(own)[0])
    if not refused(out):
        return np.nan
    for _ in range(_STEPS):
        middle = (out + kept) / 2
        out, kept = (middle, kept) if refused(middle) else (out, middle)
    return kept
