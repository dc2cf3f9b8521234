r"""Sparse symmetric positive definite systems: determinant, solutions, and the inverse where the matrix has entries.

The pattern is ordered once and cut into fronts: runs of columns that share their rows below. A front is a small dense
matrix, so a factorisation is one pass over fronts from the leaves to the root and a selected inverse one pass back,

.. math:: Z_{21} = -Z_{22} G, \qquad Z_{11} = F_{11}^{-1} - G' Z_{21}, \qquad G = F_{21} F_{11}^{-1},

where :math:`Z_{22}` stands already in the front above. A matrix that fills up is one front, and all this becomes
LAPACK's ``potrf`` and ``potri``.

Sources: the recurrence is that of Takahashi, Fagan & Chen (1973), in the form of Erisman & Tinney (1975), equations
4 to 6, doi:10.1145/360680.360704, here by blocks; fronts are those of Duff & Reid (1983), doi:10.1145/356044.356047.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.sparse.linalg import splu

#: A factor fuller than this share of the triangle is one front: index lists would cost more than the zeros.
_FULL = 0.2
#: Seconds that a front costs however small it is, per entry that is moved, and per multiplication: what decides
#: whether a front takes in its last child, zeros and all. Only ratios matter, and those roughly.
_FRONT, _ENTRY, _PRODUCT = 6e-5, 5e-9, 1e-10


@dataclass(frozen=True, eq=False)
class _Front:
    """Columns start to stop, the rows below them, the front above, and where things go.

    `into` are the places of `below` in the front above; `entries` the slice of the matrix's entries, in the order of
    fronts, that belong to these columns, and `places` their flat places in the front.
    """

    start: int
    stop: int
    below: np.ndarray
    above: int
    into: np.ndarray
    entries: slice
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class Pattern:
    """A symmetric pattern, ordered and cut into fronts.

    Attributes
    ----------
    size : int
        Rows of the matrix.
    order : numpy.ndarray
        The rows in the order of elimination.
    fronts : tuple
        The fronts, every one before the one above it.
    entry_order : numpy.ndarray
        The entries, as they were given, in the order of fronts.
    """

    size: int
    order: np.ndarray
    fronts: tuple[_Front, ...]
    entry_order: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether the matrix is treated as dense: one front."""
        return len(self.fronts) == 1


def analyse(rows: np.ndarray, columns: np.ndarray, size: int) -> Pattern:
    """Order a pattern and cut it into fronts.

    Parameters
    ----------
    rows, columns
        The entries on and below the diagonal, each once, the whole diagonal among them.
    size
        Rows of the matrix.
    """
    triangle = size * (size + 1) / 2
    blocks = [(0, size, np.empty(0, dtype=np.intp))]
    order = np.arange(size)
    if len(rows) <= _FULL * triangle:
        order_found, factor = _symbolic(rows, columns, size)
        if factor.nnz <= _FULL * triangle:
            order, blocks = order_found, _amalgamated(_blocks(factor))
    return _placed(rows, columns, order, blocks)


def _symbolic(rows: np.ndarray, columns: np.ndarray, size: int) -> tuple[np.ndarray, sparse.csc_array]:
    """Return an ordering of minimum degree and the pattern of the factor in it."""
    off = rows != columns
    lower = sparse.csc_array((-np.ones(off.sum()), (rows[off], columns[off])), shape=(size, size))
    graph = lower + lower.T
    # A graph's Laplacian stays one when rows are eliminated: its entries never cancel to 0, so that the numerical
    # factor shows the whole pattern. The unit added keeps every pivot away from 0.
    laplacian = sparse.csc_array(graph + sparse.diags_array(1.0 - graph.sum(axis=1)))
    found = splu(
        laplacian,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    factor = sparse.csc_array(found.L)
    factor.sort_indices()
    # SuperLU leaves the tree of a symmetric matrix as it grew; fronts need every column next to its last child.
    after = _postorder(_parents(factor))
    order = np.empty(size, dtype=np.intp)
    order[after[found.perm_c]] = np.arange(size)
    entries = factor.tocoo()
    factor = sparse.csc_array((entries.data, (after[entries.row], after[entries.col])), shape=(size, size))
    factor.sort_indices()
    return order, factor


def _parents(factor: sparse.csc_array) -> np.ndarray:
    """Return the first row below the diagonal of each column, -1 where there is none: the elimination tree."""
    parents = np.full(factor.shape[0], -1)
    has = np.diff(factor.indptr) > 1
    parents[has] = factor.indices[factor.indptr[:-1][has] + 1]
    return parents


def _postorder(parents: np.ndarray) -> np.ndarray:
    """Return each column's place when every one directly follows what hangs from it."""
    above = parents.tolist()
    count = len(above)
    inside = [1] * (count + 1)
    for j, parent in enumerate(above):
        inside[parent] += inside[j]  # the last place, -1, gathers the roots
    free = [0] * count + [count - 1]
    after = np.empty(count, dtype=np.intp)
    for j in range(count - 1, -1, -1):
        place = free[above[j]]
        free[above[j]] -= inside[j]
        free[j] = place - 1
        after[j] = place
    return after


def _blocks(factor: sparse.csc_array) -> list[tuple[int, int, np.ndarray]]:
    """Cut the factor into runs of columns with the same rows below."""
    counts = np.diff(factor.indptr)
    joins = (_parents(factor)[:-1] == np.arange(1, len(counts))) & (counts[:-1] == counts[1:] + 1)
    starts = np.concatenate([[0], np.flatnonzero(~joins) + 1])
    stops = np.append(starts[1:], len(counts))
    return [
        (int(a), int(b), factor.indices[factor.indptr[b - 1] + 1 : factor.indptr[b]].astype(np.intp))
        for a, b in zip(starts, stops, strict=True)
    ]


def _amalgamated(blocks: list[tuple[int, int, np.ndarray]]) -> list[tuple[int, int, np.ndarray]]:
    """Let blocks take in the child just before them where one front is faster than two."""
    kept: list[tuple[int, int, np.ndarray]] = []
    for start, stop, below in blocks:
        while kept and len(kept[-1][2]) and kept[-1][2][0] < stop:
            first, end, rows = kept[-1]
            apart = _cost(end - first, len(rows)) + _cost(stop - start, len(below))
            if _cost(stop - first, len(below)) > apart:
                break
            kept.pop()
            start = first
        kept.append((start, stop, below))
    return kept


def _cost(width: int, below: int) -> float:
    """Return about how long a front takes there and back."""
    products = width**3 + 4 * width * below * (width + below)
    return _FRONT + _ENTRY * (width + below) ** 2 + _PRODUCT * products


def _placed(
    rows: np.ndarray, columns: np.ndarray, order: np.ndarray, blocks: list[tuple[int, int, np.ndarray]]
) -> Pattern:
    """Say where each entry stands in its front and each front in the one above."""
    size = len(order)
    rank = np.empty(size, dtype=np.intp)
    rank[order] = np.arange(size)
    low, high = np.minimum(rank[rows], rank[columns]), np.maximum(rank[rows], rank[columns])
    owner = np.repeat(np.arange(len(blocks)), [b - a for a, b, _ in blocks])
    entry_order = np.argsort(owner[low], kind="stable")
    low, high = low[entry_order], high[entry_order]
    ends = np.searchsorted(owner[low], np.arange(len(blocks) + 1))
    fronts = []
    for k, (a, b, below) in enumerate(blocks):
        entries = slice(int(ends[k]), int(ends[k + 1]))
        height = b - a + len(below)
        above = int(owner[below[0]]) if len(below) else -1
        into = _where(below, *blocks[above]) if above >= 0 else below
        places = _where(high[entries], a, b, below) * height + (low[entries] - a)
        fronts.append(_Front(a, b, below, above, into, entries, places))
    return Pattern(size, order, tuple(fronts), entry_order)


def _where(rows: np.ndarray, start: int, stop: int, below: np.ndarray) -> np.ndarray:
    """Return the places of rows in a front."""
    return np.where(rows < stop, rows - start, stop - start + np.searchsorted(below, rows))


@dataclass(frozen=True, eq=False)
class Factor:
    """A matrix of a known pattern, eliminated front by front.

    Attributes
    ----------
    pattern : Pattern
    values : numpy.ndarray
        The entries, in the order in which the pattern was given.
    """

    pattern: Pattern
    values: np.ndarray

    @cached_property
    def _eliminated(self) -> tuple[list[tuple[np.ndarray, np.ndarray]], float]:
        """For each front F₁₁⁻¹ and G, and the log determinant of all."""
        values = self.values[self.pattern.entry_order]
        waiting: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in self.pattern.fronts]
        done, log_det = [], 0.0
        for front, children in zip(self.pattern.fronts, waiting, strict=True):
            width = front.stop - front.start
            height = width + len(front.below)
            full = np.zeros((height, height))
            full.ravel()[front.places] = values[front.entries]
            for into, update in children:
                full[into[:, None], into] += update
            inverse, part = _inverted(full[:width, :width])
            log_det += part
            below = full[width:, :width]
            weights = below @ inverse
            if front.above >= 0:
                waiting[front.above].append((front.into, full[width:, width:] - weights @ below.T))
            children.clear()
            done.append((inverse, weights))
        return done, log_det

    @property
    def log_det(self) -> float:
        """Logarithm of the determinant."""
        return self._eliminated[1]

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Return the matrix's inverse times `right`, a matrix."""
        x = right[self.pattern.order]
        done = self._eliminated[0]
        for front, (_, weights) in zip(self.pattern.fronts, done, strict=True):
            if len(front.below):
                x[front.below] -= weights @ x[front.start : front.stop]
        for front, (inverse, weights) in zip(self.pattern.fronts[::-1], done[::-1], strict=True):
            own = inverse @ x[front.start : front.stop]
            x[front.start : front.stop] = own - weights.T @ x[front.below] if len(front.below) else own
        solved = np.empty_like(x)
        solved[self.pattern.order] = x
        return solved

    @cached_property
    def selected(self) -> np.ndarray:
        """The inverse at the entries, in the order in which the pattern was given."""
        found = np.empty(len(self.values))
        inverses: list[np.ndarray] = [np.empty(0)] * len(self.pattern.fronts)
        for k in range(len(inverses) - 1, -1, -1):
            front, (own, weights) = self.pattern.fronts[k], self._eliminated[0][k]
            if front.above >= 0:
                width = len(own)
                full = np.empty((width + len(front.below),) * 2)
                outer = inverses[front.above][front.into[:, None], front.into]
                across = outer @ weights
                full[:width, :width] = own + weights.T @ across
                full[width:, :width] = -across
                full[:width, width:] = -across.T
                full[width:, width:] = outer
            else:
                full = own
            inverses[k] = full
            found[self.pattern.entry_order[front.entries]] = full.ravel()[front.places]
        return found

    def inverse(self) -> np.ndarray:
        """Return the whole inverse, a dense matrix."""
        if self.pattern.whole:
            full = np.empty((self.pattern.size,) * 2)
            full[np.ix_(self.pattern.order, self.pattern.order)] = self._eliminated[0][0][0]
            return full
        return self.solve(np.eye(self.pattern.size))


def _inverted(lower: np.ndarray) -> tuple[np.ndarray, float]:
    """Invert a dense matrix of which the lower triangle stands; also its log determinant."""
    if len(lower) <= 1:
        return 1 / lower, float(np.log(lower).sum())
    # A row-major lower triangle is LAPACK's upper one: the transpose is handed over without a copy.
    root, fault = dpotrf(lower.T, lower=0, clean=0)
    if fault:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    log_det = 2 * float(np.log(np.diag(root)).sum())
    full, _ = dpotri(root, lower=0, overwrite_c=1)
    for start in range(0, len(full), 64):  # mirrored in place, strip by strip
        stop = start + 64
        corner = full[start:stop, start:stop]
        below = _below_diagonal(len(corner))
        corner[below] = corner.T[below]
        full[stop:, start:stop] = full[start:stop, stop:].T
    return full.T, log_det


@cache
def _below_diagonal(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(size, -1)
