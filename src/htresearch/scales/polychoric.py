"""Polychoric correlations: those of the continuous answers that lie behind ordered categories.

Olsson (1979), Psychometrika, 44, 443-460, https://doi.org/10.1007/BF02296207, in two steps: thresholds from each
item's own shares, then for every pair the correlation that makes its table most likely. All pairs are done at once
from their tables, so that the cost after one pass does not depend on how many answered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, owens_t

#: Beyond this many standard deviations the normal distribution is 0 or 1 in double precision.
_FAR = 12.0
#: A correlation no nearer to ±1 than this is looked for,
BOUND = 0.9999
#: and a table that asks for one beyond this is short of respondents.
NEARLY_ONE = 0.998
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Polychoric:
    """Polychoric correlations of all pairs of items.

    Attributes
    ----------
    correlations, std_errors : array, items × items
        The standard errors take it into account that the thresholds were estimated too.
    thresholds : list of array
        Of each item, one fewer than it has categories.
    n : array of int, items × items
        Respondents who answered both.
    corrected : array of bool, items × items
        Tables that ask for a correlation of ±1, as two-by-two ones with an empty cell do: two imagined respondents
        were spread evenly over their cells (over two by two, the usual half in each).
    """

    correlations: np.ndarray
    std_errors: np.ndarray
    thresholds: list[np.ndarray]
    n: np.ndarray
    corrected: np.ndarray


def polychoric_matrix(values: np.ndarray) -> Polychoric:
    """Estimate the polychoric correlation of every pair of columns; NaN is no answer."""
    categories = [np.unique(column[~np.isnan(column)]) for column in values.T]
    tables = _tables(values, categories)
    margins = tables[np.arange(len(categories)), np.arange(len(categories))].diagonal(axis1=1, axis2=2)
    cuts = _thresholds(margins)
    first, second = np.triu_indices(len(categories), 1)
    pairs = tables[first, second]
    n = pairs.sum(axis=(1, 2))
    sizes = np.array([len(c) for c in categories])
    a, b = cuts[first], cuts[second]
    corrected = (sizes[first] == 2) & (sizes[second] == 2) & (pairs[:, :2, :2] == 0).any(axis=(1, 2))
    pairs = _filled(pairs, corrected, sizes[first], sizes[second])
    rho = _most_likely(pairs, a, b)
    extreme = np.abs(rho) > NEARLY_ONE
    if extreme.any():
        pairs = _filled(pairs, extreme & ~corrected, sizes[first], sizes[second])
        rho[extreme] = _most_likely(pairs[extreme], a[extreme], b[extreme])
    corrected |= extreme
    errors = _standard_errors(pairs, a, b, rho, n)

    def square(of_pairs: np.ndarray, diagonal: np.ndarray | float) -> np.ndarray:
        whole = np.zeros((len(sizes), len(sizes)), of_pairs.dtype)
        whole[first, second] = whole[second, first] = of_pairs
        whole[np.diag_indices(len(sizes))] = diagonal
        return whole

    return Polychoric(
        square(rho, 1.0),
        square(errors, 0.0),
        [cut[: size - 1] for cut, size in zip(cuts, sizes, strict=True)],
        square(n.astype(int), margins.sum(axis=1).astype(int)),
        square(corrected, False),
    )


def _tables(values: np.ndarray, categories: list[np.ndarray]) -> np.ndarray:
    """The table of every pair of items, from one product of indicators: items × items × categories × categories."""
    most = max(len(c) for c in categories)
    wide = len(categories) * most
    product = np.zeros((wide, wide))
    for begin in range(0, len(values), _ROWS_AT_ONCE):
        rows = values[begin : begin + _ROWS_AT_ONCE]
        # Whole numbers below 2^24 are exact in single precision.
        marks = np.zeros((len(rows), len(categories), most), np.float32)
        for item, known in enumerate(categories):
            for place, value in enumerate(known):
                marks[:, item, place] = rows[:, item] == value
        marks = marks.reshape(len(rows), wide)
        product += marks.T @ marks
    return product.reshape(len(categories), most, len(categories), most).transpose(0, 2, 1, 3)


def _thresholds(margins: np.ndarray) -> np.ndarray:
    """Cut points from cumulated shares; those above an item's last category lie far out."""
    shares = margins.cumsum(axis=1)[:, :-1] / margins.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.clip(ndtri(shares), -_FAR, _FAR)


def _filled(pairs: np.ndarray, which: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Spread two imagined respondents evenly over the cells of some tables."""
    most = np.arange(pairs.shape[1])
    inside = (most < rows[:, None])[:, :, None] & (most < columns[:, None])[:, None, :]
    return pairs + inside * (which * 2 / (rows * columns))[:, None, None]


def binormal(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """P(X ≤ a, Y ≤ b) of two standard normal variables with correlation `rho`, by Owen's T.

    Owen (1956), Annals of Mathematical Statistics, 27, 1075-1090, https://doi.org/10.1214/aoms/1177728074 (2.1).
    """
    a = np.where(a == 0, 1e-300, a)
    b = np.where(b == 0, 1e-300, b)
    root = np.sqrt((1 - rho) * (1 + rho))
    opposite = (a < 0) != (b < 0)
    with np.errstate(over="ignore"):
        of_a = owens_t(a, (b / a - rho) / root)
        of_b = owens_t(b, (a / b - rho) / root)
    return (ndtr(a) + ndtr(b) - opposite) / 2 - of_a - of_b


def _density(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    rest = (1 - rho) * (1 + rho)
    return np.exp(-(a**2 - 2 * rho * a * b + b**2) / (2 * rest)) / (2 * np.pi * np.sqrt(rest))


def _cells(corners: np.ndarray, right: np.ndarray, below: np.ndarray, all_of_it: float) -> np.ndarray:
    """Differences of a function of the cut points: what falls into each cell of each table."""
    pairs, rows, columns = corners.shape
    whole = np.zeros((pairs, rows + 2, columns + 2))
    whole[:, 1:-1, 1:-1] = corners
    whole[:, 1:-1, -1], whole[:, -1, 1:-1], whole[:, -1, -1] = right, below, all_of_it
    return np.diff(np.diff(whole, axis=1), axis=2)


def _shares(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each cell, and its derivative by the correlation (Plackett's identity)."""
    at, to, r = a[:, :, None], b[:, None, :], rho[:, None, None]
    share = _cells(binormal(at, to, r), ndtr(a), ndtr(b), 1.0)
    return np.maximum(share, 1e-18), _cells(_density(at, to, r), 0.0, 0.0, 0.0)


def _most_likely(pairs: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The correlation of every table: Fisher scoring within a bracket that the sign of the score narrows."""
    n = pairs.sum(axis=(1, 2))
    low, high = np.full(len(pairs), -BOUND), np.full(len(pairs), BOUND)
    rho = np.zeros(len(pairs))
    going = np.arange(len(pairs))
    for _ in range(60):
        share, slope = _shares(a[going], b[going], rho[going])
        score = np.sum(pairs[going] * slope / share, axis=(1, 2))
        information = n[going] * np.sum(slope**2 / share, axis=(1, 2))
        low[going] = np.where(score > 0, rho[going], low[going])
        high[going] = np.where(score > 0, high[going], rho[going])
        with np.errstate(divide="ignore", invalid="ignore"):
            step = rho[going] + score / information
        inside = (step > low[going]) & (step < high[going])
        step = np.where(inside, step, (low[going] + high[going]) / 2)
        moved = np.abs(step - rho[going])
        rho[going] = step
        going = going[moved > 1e-11]
        if not len(going):
            break
    return rho


def _standard_errors(pairs: np.ndarray, a: np.ndarray, b: np.ndarray, rho: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Of the second step, from the influence of one respondent in each cell, thresholds included."""
    share, slope = _shares(a, b, rho)
    score = slope / share
    information = np.sum(slope * score, axis=(1, 2))
    influence = score.copy()
    for cuts, others, turned in ((a, b, False), (b, a, True)):
        by_category = score.transpose(0, 2, 1) if turned else score
        # A cut that moves up by dτ takes φ(τ) P(other in its cell | τ) dτ from the category above to the one below.
        given = ndtr(
            (others[:, None, :] - rho[:, None, None] * cuts[:, :, None]) / np.sqrt(1 - rho**2)[:, None, None]
        )
        moved = np.diff(given, axis=2, prepend=0.0, append=1.0)
        pull = np.sum(np.diff(by_category, axis=1) * moved, axis=2)
        below = np.tri(cuts.shape[1] + 1, cuts.shape[1], -1) == 0  # category c lies below cut k if c ≤ k
        swing = np.einsum("pk,pck->pc", pull, below - ndtr(cuts)[:, None, :])
        influence += swing[:, None, :] if turned else swing[:, :, None]
    seen = pairs / pairs.sum(axis=(1, 2), keepdims=True)
    variance = np.sum(seen * influence**2, axis=(1, 2)) - np.sum(seen * influence, axis=(1, 2)) ** 2
    return np.sqrt(np.maximum(variance, 0) / n) / information
