"""Kendall's S: how many pairs rise, less how many fall."""

from __future__ import annotations

import numpy as np


def s_between(before: np.ndarray, after: np.ndarray) -> int:
    """Return S of two phases: pairs in which the later one is higher minus pairs in which it is lower."""
    return int(np.sign(np.subtract.outer(after, before)).sum())


def s_within(values: np.ndarray) -> int:
    """Return S of one phase with time."""
    later = np.triu(np.sign(np.subtract.outer(values, values).T), 1)
    return int(later.sum())


def s_deviation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the standard deviation of Kendall's S under no association, with ties in both (Kendall, 1970)."""
    n = len(x)
    t, u = (np.unique(v, return_counts=True)[1].astype(float) for v in (x, y))

    def spread(c: np.ndarray | float) -> float:
        return float(np.sum(c * (c - 1) * (2 * c + 5)))

    variance = (spread(float(n)) - spread(t) - spread(u)) / 18
    if n > 2:
        threes = np.sum(t * (t - 1) * (t - 2)) * np.sum(u * (u - 1) * (u - 2))
        variance += float(threes) / (9 * n * (n - 1) * (n - 2))
    if n > 1:
        variance += float(np.sum(t * (t - 1)) * np.sum(u * (u - 1))) / (2 * n * (n - 1))
    return float(np.sqrt(max(variance, 0.0))) if variance > 1e-9 else 0.0


def tau_b(before: np.ndarray, after: np.ndarray) -> float:
    """Return Kendall's tau-b of outcome and phase, 0 where all outcomes are equal."""
    m, n = len(before), len(after)
    tied = np.unique(np.concatenate([before, after]), return_counts=True)[1]
    differ = (m + n) * (m + n - 1) / 2 - (tied * (tied - 1) / 2).sum()
    return float(s_between(before, after) / np.sqrt(m * n * differ)) if differ else 0.0
