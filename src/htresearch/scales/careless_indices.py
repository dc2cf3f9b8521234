"""Indices of careless answering: arrays in, arrays out, respondents × items, missing answers NaN.

Definitions follow R's package careless 1.2.2 (https://doi.org/10.32614/CRAN.package.careless) where it has the index;
none is resampled, so that the same answers give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Pairs of respondents that are compared answer by answer, at most: beyond it, near-duplicates are not sought.
MOST_PAIRS = 200_000_000
_AT_ONCE = 200_000


def longstring(values: np.ndarray) -> np.ndarray:
    """Return the longest run of one answer; a missing answer ends a run."""
    longest = np.zeros(len(values), dtype=int)
    run, before = np.zeros(len(values), dtype=int), np.full(len(values), np.nan)
    for column in values.T:
        run = np.where(column == before, run + 1, np.where(np.isnan(column), 0, 1))
        np.maximum(longest, run, out=longest)
        before = column
    return longest


def longest_cycle(values: np.ndarray, periods: Sequence[int] = (2, 3, 4)) -> np.ndarray:
    """Return the longest stretch in which the answers so many items back are repeated, such as 3 4 3 4 3 4."""
    longest = np.zeros(len(values), dtype=int)
    for period in periods:
        run = np.zeros(len(values), dtype=int)
        for position in range(period, values.shape[1]):
            run = np.where(values[:, position] == values[:, position - period], run + 1, 0)
            # A stretch counts from its first answer, once a whole cycle has come again.
            np.maximum(longest, np.where(run >= period, run + period, 0), out=longest)
    return longest


def irv(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation of a person's answers."""
    count, total, squares = _sums(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.maximum(squares - total**2 / count, 0) / np.where(count > 1, count - 1, np.nan))


def mahalanobis_d2(values: np.ndarray) -> np.ndarray:
    """Return the squared Mahalanobis distance from the means; a missing answer counts as the item's mean."""
    from htresearch.scales.reliability import moments

    values = values[:, (~np.isnan(values)).sum(axis=0) > 1]  # an item that nobody answered tells nothing
    centred = values - np.nanmean(values, axis=0)
    centred[np.isnan(centred)] = 0
    covariance = np.nan_to_num(moments(values)[0]) if values.size else np.zeros((0, 0))
    return np.einsum("ij,ij->i", centred @ np.linalg.pinv(covariance, hermitian=True), centred)


def even_odd(values: np.ndarray, scales: Sequence[Sequence[int]]) -> np.ndarray:
    """Return minus the correlation, over scales, of the mean of the even and of the odd items, stepped up.

    The correlation is stepped up to full length by Spearman and Brown and not let below -1; higher is less
    consistent.

    Parameters
    ----------
    values
        Answers keyed so that the items of a scale point the same way.
    scales
        The columns of each scale, two or more.
    """
    even = np.column_stack([_mean(values[:, list(columns)[1::2]]) for columns in scales])
    odd = np.column_stack([_mean(values[:, list(columns)[::2]]) for columns in scales])
    r = row_correlation(even, odd)
    with np.errstate(invalid="ignore", divide="ignore"):
        return -np.maximum(2 * r / (1 + r), -1)


def synonym_pairs(
    values: np.ndarray, critical: float = 0.60, antonyms: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of items that correlate above `critical` in the sample, or below its negative."""
    from htresearch.scales.reliability import moments

    nobody = np.isnan(values).all(axis=0)
    covariance = np.full((values.shape[1],) * 2, np.nan)
    covariance[np.ix_(~nobody, ~nobody)] = moments(values[:, ~nobody])[0] if len(values) > 1 else np.nan
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = covariance / np.outer(spread, spread)
    first, second = np.tril_indices(len(r), -1)
    found = r[first, second] < -critical if antonyms else r[first, second] > critical
    return first[found], second[found]


def synonyms(values: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return a person's correlation over pairs of items that go together; of two pairs or fewer there is none."""
    one, other = values[:, pairs[0]], values[:, pairs[1]]
    enough = (~np.isnan(one + other)).sum(axis=1) > 2
    return np.where(enough, row_correlation(one, other), np.nan)


def row_correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the correlation of two arrays within each row, over the columns that both have; NaN without spread."""
    there = ~np.isnan(one + other)
    count = there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = (_deviations(a, there, count) for a in (one, other))
        spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
        r = (x * y).sum(axis=1) / spread
    return np.where((count > 1) & (spread > 1e-10), np.clip(r, -1, 1), np.nan)


def nearest(values: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Return who answers most like each respondent, and the share of answers that are the same; two missing are.

    Only matches of `share` or more are found, and all of those: rows that differ in at most d of k answers have at
    least one of d + 1 blocks of answers in common. Others have -1 and NaN. ``None`` if too many would be compared.
    """
    n, k = values.shape
    distinct, place, copies = np.unique(
        np.where(np.isnan(values), -32_768, values).astype(np.int16), axis=0, return_inverse=True, return_counts=True
    )
    place = place.ravel()
    twin = np.full(len(distinct), -1)
    best = np.zeros(len(distinct))
    differ = int(np.floor(k * (1 - share) + 1e-9))
    # Like answers stand near one another on the form: blocks take every so manieth item.
    blocks = [distinct[:, start :: differ + 1] for start in range(min(differ + 1, k))]
    buckets = [_buckets(block) for block in blocks]
    if sum(int((np.bincount(b).astype(float) ** 2).sum()) for b in buckets) / 2 > MOST_PAIRS:
        return None
    for bucket in buckets:
        order = np.argsort(bucket, kind="stable")
        ordered = bucket[order]
        for apart in range(1, int(np.bincount(bucket).max())):
            for first in _parts(np.flatnonzero(ordered[apart:] == ordered[:-apart])):
                one, other = order[first], order[first + apart]
                same = (distinct[one] == distinct[other]).mean(axis=1)
                for a, b in ((one, other), (other, one)):
                    better = same > best[a]
                    best[a[better]], twin[a[better]] = same[better], b[better]
    # Whoever has an exact copy is nearest to it.
    first_of = np.full(len(distinct), -1)
    first_of[place[::-1]] = np.arange(n)[::-1]
    second_of = np.full(len(distinct), -1)
    later = np.arange(n) != first_of[place]
    second_of[place[later][::-1]] = np.flatnonzero(later)[::-1]
    copied = copies[place] > 1
    partner = np.where(twin[place] >= 0, first_of[twin[place]], -1)
    partner = np.where(copied, np.where(later, first_of[place], second_of[place]), partner)
    match = np.where(copied, 1.0, best[place])
    found = match >= share - 1e-9
    return np.where(found, partner, -1), np.where(found, match, np.nan)


def _buckets(block: np.ndarray) -> np.ndarray:
    """Number rows so that equal ones have the same number."""
    wide = np.ascontiguousarray(block).view([("", np.void, block.dtype.itemsize * block.shape[1])]).ravel()
    return np.unique(wide, return_inverse=True)[1].ravel()


def _parts(positions: np.ndarray) -> list[np.ndarray]:
    return [positions[i : i + _AT_ONCE] for i in range(0, len(positions), _AT_ONCE)]


def _sums(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    there = ~np.isnan(values)
    known = np.where(there, values, 0.0)
    return there.sum(axis=1), known.sum(axis=1), (known**2).sum(axis=1)


def _mean(values: np.ndarray) -> np.ndarray:
    count, total, _ = _sums(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / count


def _deviations(values: np.ndarray, there: np.ndarray, count: np.ndarray) -> np.ndarray:
    known = np.where(there, values, 0.0)
    return np.where(there, known - (known.sum(axis=1) / count)[:, None], 0.0)
