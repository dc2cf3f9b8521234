"""What the likelihood of crossed random intercepts needs to know of the data: sums by level and counts of pairs.

The factor with the most levels is eliminated: within it V is diagonal plus rank one, so that the levels of the others
are joined where a level of it saw both. Which entry each such pair goes to is found once; at every step of the search
the matrix of the others is then one sparse product with the weights of the levels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np
from scipy import sparse

from htresearch.multilevel.selected_inverse import Pattern, analyse

#: Beyond so many pairs (16 bytes each) the others are nearly all joined, and a dense product is faster.
_PAIRS = 40_000_000
#: Up to so many possible entries a table finds an entry's place; beyond, sorting does.
_TABLE = 50_000_000


@dataclass(frozen=True, eq=False)
class CrossedMoments:
    """Moments of A = [X y] under factors that may cross; rows with weights count as often as they weigh.

    Attributes
    ----------
    n : int
        Rows.
    log_weights : float
        Sum of the logarithms of the precision weights.
    eliminated : int
        Which factor is eliminated.
    within : numpy.ndarray
        Cross-products of A about the means of the eliminated factor's levels.
    sizes, sums : tuple of numpy.ndarray
        For each factor, rows and sums of A in each level.
    joint : scipy.sparse.csr_array
        Rows in each level of the eliminated factor and each level of the others, one other after another.
    among : scipy.sparse.csr_array
        Rows in each two levels of the others; the sizes on the diagonal.
    """

    n: int
    log_weights: float
    eliminated: int
    within: np.ndarray
    sizes: tuple[np.ndarray, ...]
    sums: tuple[np.ndarray, ...]
    joint: sparse.csr_array
    among: sparse.csr_array

    @property
    def others(self) -> tuple[int, ...]:
        """The factors that are not eliminated."""
        return tuple(k for k in range(len(self.sizes)) if k != self.eliminated)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Where each of the others stands among their levels."""
        ends = np.cumsum([0, *(len(self.sizes[k]) for k in self.others)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    def times(self, columns: np.ndarray) -> CrossedMoments:
        """Return the moments of A times a matrix."""
        sums = tuple(total @ columns for total in self.sums)
        return replace(self, within=columns.T @ self.within @ columns, sums=sums)

    @property
    def total(self) -> np.ndarray:
        """A'WA."""
        size, sums = self.sizes[self.eliminated], self.sums[self.eliminated]
        return self.within + (sums / np.maximum(size, 1e-300)[:, None]).T @ sums

    @cached_property
    def elimination(self) -> Elimination:
        """The matrix of the others once the eliminated factor is gone: its pattern and how to fill it."""
        return eliminate(self.joint, self.among)


def crossed_moments(
    X: np.ndarray, y: np.ndarray, codes: tuple[np.ndarray, ...], weights: np.ndarray | None = None
) -> CrossedMoments:
    """Take the moments of [X y] from rows.

    Parameters
    ----------
    X, y
        Fixed part and outcome.
    codes
        For each factor the level of each row, from 0 upwards.
    weights
        Precision weights; none are all 1.
    """
    A = np.column_stack([X, y])
    sizes = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    log_weights = 0.0 if weights is None else float(np.log(sizes).sum())
    return moments_of_cells(codes, sizes, A, np.zeros((A.shape[1],) * 2), len(y), log_weights)


def moments_of_cells(
    codes: tuple[np.ndarray, ...],
    sizes: np.ndarray,
    means: np.ndarray,
    within: np.ndarray,
    n: int,
    log_weights: float = 0.0,
) -> CrossedMoments:
    """Take the moments of [X y] from the cells of a table by all factors, as a database gives them.

    Parameters
    ----------
    codes
        For each factor the level of each cell, from 0 upwards.
    sizes, means
        Rows (or the sum of their weights) and means of [X y] in each cell.
    within
        Cross-products of [X y] about the means of the cells, over all cells.
    n
        Rows.
    log_weights
        Sum of the logarithms of the precision weights.
    """
    codes = tuple(np.asarray(c) for c in codes)
    levels = [int(c.max()) + 1 for c in codes]
    eliminated = int(np.argmax(levels))
    sums = means * sizes[:, None]
    per_factor = tuple(_add_up(sums, c, q) for c, q in zip(codes, levels, strict=True))
    counts = tuple(np.bincount(c, sizes, q) for c, q in zip(codes, levels, strict=True))
    inner = codes[eliminated]
    # A level without rows has no mean, and whatever stands for it weighs 0.
    about = means - (per_factor[eliminated] / np.maximum(counts[eliminated], 1e-300)[:, None])[inner]
    others = [k for k in range(len(codes)) if k != eliminated]
    starts = np.cumsum([0, *(levels[k] for k in others)])
    placed = [codes[k] + start for k, start in zip(others, starts[:-1], strict=True)]
    total = int(starts[-1])
    return CrossedMoments(
        n=n,
        log_weights=log_weights,
        eliminated=eliminated,
        within=within + (about * sizes[:, None]).T @ about,
        sizes=counts,
        sums=per_factor,
        joint=_table([(inner, c) for c in placed], sizes, (levels[eliminated], total)),
        among=_among(placed, sizes, np.concatenate([np.empty(0), *(counts[k] for k in others)])),
    )


def _among(placed: list[np.ndarray], sizes: np.ndarray, diagonal: np.ndarray) -> sparse.csr_array:
    """Count the rows in each two levels of factors that stand one after another."""
    shape = (len(diagonal),) * 2
    upper = _table(list(combinations(placed, 2)), sizes, shape)
    return sparse.csr_array(upper + upper.T + sparse.diags_array(diagonal, shape=shape))


def _table(pairs: list[tuple[np.ndarray, np.ndarray]], sizes: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Count the rows in each pair of levels."""
    if not pairs:
        return sparse.csr_array(shape)
    rows = np.concatenate([a for a, _ in pairs])
    columns = np.concatenate([b for _, b in pairs])
    table = sparse.csr_array((np.tile(sizes, len(pairs)), (rows, columns)), shape=shape)
    table.sort_indices()
    return table


def _add_up(values: np.ndarray, codes: np.ndarray, levels: int) -> np.ndarray:
    return np.column_stack([np.bincount(codes, column, levels) for column in values.T])


@dataclass(frozen=True, eq=False)
class Elimination:
    r"""How the matrix of the others, :math:`C_{rr} - C_{rf} \mathrm{diag}(w) C_{fr}`, follows from the weights w.

    Attributes
    ----------
    rows, columns : numpy.ndarray
        Its entries on and below the diagonal.
    among : numpy.ndarray
        :math:`C_{rr}` at these entries.
    joint : scipy.sparse.csr_array
        :math:`C_{fr}`.
    pairs : scipy.sparse.csc_array or None
        What a weight of 1 at each level of the eliminated factor adds to each entry; None where there are too many.
    levels : numpy.ndarray
        Which level each column of `pairs` belongs to.
    pattern : Pattern
        The entries ordered for elimination.
    """

    rows: np.ndarray
    columns: np.ndarray
    among: np.ndarray
    joint: sparse.csr_array
    pairs: sparse.csc_array | None
    levels: np.ndarray
    pattern: Pattern

    def products(self, weights: np.ndarray) -> np.ndarray:
        r"""Return :math:`C_{rf} \mathrm{diag}(w) C_{fr}` at the entries, for each column of `weights`."""
        if self.pairs is not None:
            return self.pairs @ weights[self.levels]
        size = self.joint.shape[1]
        total = np.zeros((weights.shape[1], size, size))
        for start in range(0, self.joint.shape[0], 2048):
            part = self.joint[start : start + 2048].toarray()
            for k, column in enumerate(weights[start : start + 2048].T):
                total[k] += (part * column[:, None]).T @ part
        return total[:, self.rows, self.columns].T

    def quadratic(self, values: np.ndarray) -> np.ndarray:
        """Return c'Mc for each row c of C_fr, where M has these values at the entries."""
        if self.pairs is not None:
            found = np.zeros(self.joint.shape[0])
            found[self.levels] = self.pairs.T @ (np.where(self.rows == self.columns, 1.0, 2.0) * values)
            return found
        return np.asarray((self.joint @ self.symmetric(values)).multiply(self.joint).sum(axis=1)).ravel()

    def symmetric(self, values: np.ndarray) -> sparse.csr_array:
        """Return the whole matrix with these values at the entries."""
        off = self.rows != self.columns
        rows = np.concatenate([self.rows, self.columns[off]])
        columns = np.concatenate([self.columns, self.rows[off]])
        shape = (self.joint.shape[1],) * 2
        return sparse.csr_array((np.concatenate([values, values[off]]), (rows, columns)), shape=shape)


def eliminate(joint: sparse.csr_array, among: sparse.csr_array) -> Elimination:
    """Find the entries of the matrix of the others and where each pair of levels goes."""
    size = among.shape[0]
    counts = np.diff(joint.indptr).astype(np.int64)
    # The diagonal is listed whole, levels without rows too: S has ones there.
    lower = sparse.tril(among, format="coo")
    off = lower.row != lower.col
    on = np.arange(size)
    rows, columns = np.concatenate([on, lower.row[off]]), np.concatenate([on, lower.col[off]])
    counted = np.concatenate([among.diagonal(), lower.data[off]])
    known = rows.astype(np.int64) * size + columns
    if (counts * (counts + 1) // 2).sum() > _PAIRS:
        at = rows * (rows + 1) // 2 + columns
        rows, columns = np.tril_indices(size)
        pairs, levels = None, np.empty(0, np.intp)
    else:
        keys, levels, products = _pairs_of(joint, counts, size)
        entries, places = _places(np.concatenate([known, keys]), size * size)
        rows, columns = entries // size, entries % size
        at, starts = places[: len(known)], np.cumsum([0, *(counts * (counts + 1) // 2)[levels]])
        pairs = sparse.csc_array((products, places[len(known) :], starts), shape=(len(entries), len(levels)))
    values = np.zeros(len(rows))
    values[at] = counted
    return Elimination(rows, columns, values, joint, pairs, levels, analyse(rows, columns, size))


def _pairs_of(joint: sparse.csr_array, counts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List, level by level of the eliminated factor, each two of the others' levels that it saw.

    Returns the entries as row times `size` plus column, the levels in their order here, and the products of the two
    counts of rows.
    """
    keys, levels, products = [np.empty(0, np.int64)], [np.empty(0, np.intp)], [np.empty(0)]
    for count in np.unique(counts[counts > 0]):
        # Levels that saw equally many are done together.
        level = np.flatnonzero(counts == count)
        at = joint.indptr[level][:, None] + np.arange(count)
        seen, rows = joint.indices[at].astype(np.int64), joint.data[at]
        high, low = np.tril_indices(count)
        keys.append((seen[:, high] * size + seen[:, low]).ravel())
        products.append((rows[:, high] * rows[:, low]).ravel())
        levels.append(level)
    return np.concatenate(keys), np.concatenate(levels), np.concatenate(products)


def _places(keys: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys that occur, in order, and which of them each key is."""
    if most > _TABLE:
        return np.unique(keys, return_inverse=True)
    seen = np.zeros(most, dtype=bool)
    seen[keys] = True
    entries = np.flatnonzero(seen)
    place = np.empty(most, dtype=np.int32)
    place[entries] = np.arange(len(entries))
    return entries, place[keys]
