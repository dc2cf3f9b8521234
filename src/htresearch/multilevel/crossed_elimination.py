r"""One factor of crossed effects eliminated: which entries of the others' matrix that fills, and with what.

Within a level g of the eliminated factor the levels of the others that it saw are joined: the matrix of the others is
:math:`C_{rr} - \sum_g C_g' T_g C_g`, with :math:`C_g` the rows of :math:`C_{fr}` that belong to g. Which entry each
such pair goes to is found once; at every step of the search the sum is then one sparse product with the weights T.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from htresearch.multilevel.selected_inverse import Pattern, analyse

#: Beyond so many pairs (16 bytes each) the others are nearly all joined, and a dense product is faster.
_PAIRS = 40_000_000
#: Up to so many possible entries a table finds an entry's place; beyond, sorting does.
_TABLE = 50_000_000


@dataclass(frozen=True, eq=False)
class Elimination:
    r"""How the matrix of the others follows from the weights of the eliminated factor's levels.

    Attributes
    ----------
    rows, columns : numpy.ndarray
        Its entries on and below the diagonal, row by row. Two levels that meet do so in all their columns.
    among : numpy.ndarray
        :math:`C_{rr}` at these entries.
    joint : scipy.sparse.csr_array
        :math:`C_{fr}`.
    width : int
        Columns of the eliminated factor.
    others : tuple of (slice, int)
        Where each of the others stands among their effects, and its columns.
    pairs : scipy.sparse.csc_array or None
        What a weight of 1 at each entry of the lower triangle of each T adds to each entry; None where there are too
        many.
    levels : numpy.ndarray
        Which levels, in their order, the columns of `pairs` belong to.
    pattern : Pattern
        The entries ordered for elimination.
    """

    rows: np.ndarray
    columns: np.ndarray
    among: np.ndarray
    joint: sparse.csr_array
    width: int
    others: tuple[tuple[slice, int], ...]
    pairs: sparse.csc_array | None
    levels: np.ndarray
    pattern: Pattern

    @property
    def size(self) -> int:
        """Effects of the others."""
        return self.joint.shape[1]

    def products(self, weights: np.ndarray) -> np.ndarray:
        r"""Return :math:`\sum_g C_g' T_g C_g` at the entries; `weights` are symmetric, levels by r by r."""
        if self.pairs is not None:
            high, low = np.tril_indices(self.width)
            return self.pairs @ weights[self.levels][:, high, low].ravel()
        total = np.zeros((self.size, self.size))
        for start in range(0, len(weights), 2048):
            own = weights[start : start + 2048]
            part = self.joint[start * self.width : (start + len(own)) * self.width].toarray()
            weighted = own @ part.reshape(len(own), self.width, self.size)
            total += part.T @ weighted.reshape(part.shape)
        return total[self.rows, self.columns]

    def quadratic(self, values: np.ndarray) -> np.ndarray:
        """Return C_g M C_g' of each level, where the symmetric M has these values at the entries."""
        found = np.zeros((self.joint.shape[0] // self.width, self.width, self.width))
        if self.pairs is None:
            onto = self.joint @ self.symmetric(values)
            for i, j in np.ndindex(self.width, self.width):
                found[:, i, j] = onto[i :: self.width].multiply(self.joint[j :: self.width]).sum(axis=1)
            return found
        high, low = np.tril_indices(self.width)
        sums = self.pairs.T @ (np.where(self.rows == self.columns, 1.0, 2.0) * values)
        # A pair counts both ways round already where the two columns differ.
        sums = sums.reshape(-1, len(high)) * np.where(high == low, 1.0, 0.5)
        found[self.levels[:, None], high, low] = found[self.levels[:, None], low, high] = sums
        return found

    def symmetric(self, values: np.ndarray) -> sparse.csr_array:
        """Return the whole matrix with these values at the entries."""
        off = self.rows != self.columns
        rows = np.concatenate([self.rows, self.columns[off]])
        columns = np.concatenate([self.columns, self.rows[off]])
        return sparse.csr_array((np.concatenate([values, values[off]]), (rows, columns)), shape=(self.size,) * 2)

    @cached_property
    def meetings(self) -> list[tuple[int, int, np.ndarray]]:
        """For each two of the others, if not both of one column, the places of every two levels that meet.

        A row of them is a matrix: the columns of a level of the first by those of a level of the second.
        """
        found = []
        for k, (block, r) in enumerate(self.others):
            for j, (beside, s) in enumerate(self.others[: k + 1]):
                if r * s == 1:
                    continue
                corners = (self.rows >= block.start) & (self.rows < block.stop)
                corners &= (self.columns >= beside.start) & (self.columns < beside.stop)
                corners &= ((self.rows - block.start) % r == 0) & ((self.columns - beside.start) % s == 0)
                rows = self.rows[corners, None, None] + np.arange(r)[:, None]
                found.append((k, j, self.places(rows, self.columns[corners, None, None] + np.arange(s))))
        return found

    def places(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return where the entries of these rows and columns stand, either way round."""
        keys = self.rows.astype(np.int64) * self.size + self.columns
        return np.searchsorted(keys, np.maximum(rows, columns) * self.size + np.minimum(rows, columns))


def eliminate(
    joint: sparse.csr_array, among: sparse.csr_array, width: int, others: tuple[tuple[slice, int], ...]
) -> Elimination:
    """Find the entries of the matrix of the others and where each pair of levels goes."""
    size = among.shape[0]
    counts = np.diff(joint.indptr)[::width].astype(np.int64)
    lower = sparse.tril(among, format="coo")
    known = lower.row.astype(np.int64) * size + lower.col
    weights = width * (width + 1) // 2
    if weights * (counts * (counts + 1) // 2).sum() > _PAIRS:
        at = lower.row.astype(np.int64) * (lower.row + 1) // 2 + lower.col
        rows, columns = np.tril_indices(size)
        pairs, levels = None, np.empty(0, np.intp)
    else:
        keys, levels, products = _pairs_of(joint, counts, width)
        entries, places = _places(np.concatenate([known, keys]), size * size)
        rows, columns = entries // size, entries % size
        at = places[: len(known)]
        starts = np.cumsum([0, *np.repeat((counts * (counts + 1) // 2)[levels], weights)])
        pairs = sparse.csc_array((products, places[len(known) :], starts), shape=(len(entries), len(starts) - 1))
    values = np.zeros(len(rows))
    values[at] = lower.data
    return Elimination(rows, columns, values, joint, width, others, pairs, levels, analyse(rows, columns, size))


def _pairs_of(joint: sparse.csr_array, counts: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List, level by level of the eliminated factor, each two of the others' effects that it saw.

    Returns the entries as row times size plus column, the levels in their order here, and what a weight of 1 adds.
    """
    size = joint.shape[1]
    triangle = list(zip(*np.tril_indices(width), strict=True))
    keys, levels, products = [np.empty(0, np.int64)], [np.empty(0, np.intp)], [np.empty(0)]
    for count in np.unique(counts[counts > 0]):
        # Levels that saw equally many are done together.
        level = np.flatnonzero(counts == count)
        at = joint.indptr[level * width][:, None] + np.arange(count)
        seen = joint.indices[at].astype(np.int64)
        columns = [joint.data[at + i * count] for i in range(width)]
        high, low = np.tril_indices(count)
        found = [columns[i][:, high] * columns[j][:, low] for i, j in triangle]
        for k, (i, j) in enumerate(triangle):
            if i != j:
                found[k] += columns[j][:, high] * columns[i][:, low]
        places = [seen[:, high] * size + seen[:, low]] * len(triangle)
        keys.append(np.concatenate(places, axis=1).ravel())
        products.append(np.concatenate(found, axis=1).ravel())
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
