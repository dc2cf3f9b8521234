"""Many simulated series at once: how they are drawn, and the statistic of each for every possible start."""

from __future__ import annotations

import numpy as np
from scipy import stats

from htresearch.singlecase.reference import TRIMMED

FAMILIES = ("gaussian", "count", "percentage")


def normal_series(rng: np.random.Generator, series: int, n: int, autocorrelation: float) -> np.ndarray:
    """Draw stationary first-order autoregressive series of mean 0 and variance 1, a row each."""
    values = rng.normal(size=(series, n))
    for i in range(1, n):
        values[:, i] = autocorrelation * values[:, i - 1] + np.sqrt(1 - autocorrelation**2) * values[:, i]
    return values


def observed_series(
    normal: np.ndarray, treated: np.ndarray, effect: float, family: str, mean: float, trials: int
) -> np.ndarray:
    """Turn normal series into observations that treatment raises by `effect` baseline standard deviations.

    Counts are Poisson and percentages binomial; they have the quantile that the normal value has (a Gaussian copula),
    so that they resemble one another in time nearly as much.
    """
    if family == "gaussian":
        return normal + effect * treated
    place = stats.norm.cdf(normal)
    if family == "count":
        return stats.poisson.ppf(place, mean + effect * np.sqrt(mean) * treated)
    share = mean / 100
    raised = np.clip(share + effect * np.sqrt(share * (1 - share) / trials) * treated, 0, 1)
    return 100 * stats.binom.ppf(place, trials, raised) / trials


def statistic_by_start(values: np.ndarray, starts: np.ndarray, name: str) -> np.ndarray:
    """Return the statistic of each series (row) for each start (column); the same as `PhaseSeries`, without gaps."""
    n = values.shape[1]
    before, after = starts, n - starts
    if name in ("mean", "nap"):
        kept = values if name == "mean" else stats.rankdata(values, axis=1) - 0.5
        sums = np.cumsum(kept, axis=1)
        late = sums[:, -1:] - sums[:, starts - 1]
        if name == "mean":
            return late / after - sums[:, starts - 1] / before
        return (late - after**2 / 2) / (before * after) - 0.5
    if name in ("level", "slope"):
        lines = [_lines(values, starts, part) for part in ("before", "after")]
        return lines[1][name == "slope"] - lines[0][name == "slope"]
    if name == "median":
        return np.column_stack([np.median(values[:, s:], axis=1) - np.median(values[:, :s], axis=1) for s in starts])
    return np.column_stack(
        [
            stats.trim_mean(values[:, s:], TRIMMED, axis=1) - stats.trim_mean(values[:, :s], TRIMMED, axis=1)
            for s in starts
        ]
    )


def _lines(values: np.ndarray, starts: np.ndarray, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each start, the height at the start and the slope of the line through one phase."""
    times = np.arange(values.shape[1], dtype=float)
    sums = []
    for kept in (np.ones_like(times), times, times**2, values, times * values):
        so_far = np.cumsum(kept, axis=-1)
        early = so_far[..., starts - 1]
        sums.append(early if part == "before" else so_far[..., -1:] - early)
    n, t, tt, y, ty = sums
    slope = (ty - t * y / n) / (tt - t**2 / n)
    return y / n + slope * (starts - t / n), slope


def p_by_start(found: np.ndarray, drawn: np.ndarray, alternative: str) -> np.ndarray:
    """Return p of the randomisation test of each series, ties counted, given which start (column) was drawn."""
    observed = found[np.arange(len(found)), drawn][:, None]
    near = 1e-9 * np.maximum(np.ptp(found, axis=1), 1e-300)[:, None]
    if alternative == "improvement":
        as_extreme = found >= observed - near
    elif alternative == "deterioration":
        as_extreme = found <= observed + near
    else:
        as_extreme = np.abs(found) >= np.abs(observed) - near
    return as_extreme.mean(axis=1)
