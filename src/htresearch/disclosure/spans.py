"""What follows from released cells by adding and subtracting: a search among all groups that can be made of them.

Released cells are 0/1 rows over atoms (see `Atoms`). A group of atoms z can be computed if z = M'w for some w;
whether there is such a group that is too small, rests on too few teachers or schools, or is somebody's by and large,
is a mixed-integer programme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp


@dataclass(frozen=True, eq=False)
class Group:
    """What a search found.

    Attributes
    ----------
    rows : ndarray of int or None
        The rows that are added and subtracted; ``None`` where time ran out, so that nothing is known.
    """

    rows: np.ndarray | None


class Span:
    """The groups that follow from rows over atoms; atoms that are in the same rows throughout are one."""

    def __init__(self, matrix: sparse.csr_matrix, seconds: float = 20.0):
        columns = matrix.tocsc()
        columns.sort_indices()
        known: dict[bytes, int] = {}
        self.of = np.empty(matrix.shape[1], int)
        for a in range(matrix.shape[1]):
            key = columns.indices[columns.indptr[a] : columns.indptr[a + 1]].tobytes()
            self.of[a] = known.setdefault(key, len(known))
        first = np.full(len(known), -1)
        first[self.of[::-1]] = np.arange(matrix.shape[1])[::-1]
        self.matrix, self.seconds = columns[:, first].tocsr(), seconds
        self.size = len(known)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Return values of atoms, or rows of a matrix, summed."""
        found = np.zeros((self.size, *values.shape[1:]))
        np.add.at(found, self.of, values)
        return found

    def united(self, units: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return a matrix atoms x units with the rows of atoms that are one added up."""
        gather = sparse.csr_matrix((np.ones(len(self.of)), (self.of, np.arange(len(self.of)))))
        return (gather @ units).tocsr()

    def small(self, amounts: np.ndarray, least: float) -> Group | None:
        """Look for a group with more than nothing and less than `least`."""
        amounts = self.summed(amounts)
        allowed = amounts < least
        limit = (sparse.csr_matrix(amounts[None]), 1, least - 1)
        return self._find(allowed, [limit]) if (allowed & (amounts > 0)).any() else None

    def few(self, units: sparse.csr_matrix, n: np.ndarray, least: int) -> Group | None:
        """Look for a group of somebody behind which stand fewer than `least` units (atoms x units)."""
        units = (self.united(units) > 0).astype(float).tocoo()
        n = self.summed(n)
        allowed = np.bincount(units.row, minlength=self.size) < least
        if not (allowed & (n > 0)).any():
            return None
        keep = allowed[units.row]
        row, place = units.row[keep], np.unique(units.col[keep], return_inverse=True)
        count, m, width = np.arange(len(row)), self.size, len(place[0])
        behind = sparse.csr_matrix(  # z_a <= u_t for every unit of atom a
            (
                np.concatenate([np.ones(len(row)), -np.ones(len(row))]),
                (np.concatenate([count, count]), np.concatenate([row, m + place[1]])),
            ),
            (len(row), m + width),
        )
        total = sparse.csr_matrix(np.concatenate([np.zeros(m), np.ones(width)])[None])
        some = sparse.csr_matrix(np.concatenate([n, np.zeros(width)])[None])
        limits = [(behind, -np.inf, 0), (total, 0, least - 1), (some, 1, np.inf)]
        return self._find(allowed, limits, np.ones(width))

    def dominated(self, sizes: sparse.csr_matrix, first: float, second: float) -> Group | None:
        """Look for a group of which two units have nearly all: first * u + second * v >= whole, first >= second.

        With `sizes` atoms x units. For dominance both factors are 1 / k, for the p% rule they are 1 + p and 1. As v
        has no more than u, the group is at most (first + second) * u: few units and atoms come into question, and
        whether any group of these is so much one unit's a linear programme tells before whole numbers are tried.
        """
        sizes = self.united(sizes).tocsc()
        whole = np.asarray(sizes.sum(axis=1)).ravel()
        most = (first + second) * np.asarray(sizes.sum(axis=0)).ravel()
        pairs = sizes.tocoo()
        able = (pairs.data > 0) & (whole[pairs.row] <= most[pairs.col] * (1 + 1e-9))
        for unit in np.unique(pairs.col[able]):
            own = sizes[:, [unit]].toarray().ravel()
            allowed = np.ones(self.size, bool)
            while True:
                fewer = allowed & (whole <= (first + second) * own[allowed].sum() * (1 + 1e-9))
                if fewer.sum() == allowed.sum():
                    break
                allowed = fewer
            if not own[allowed].any():
                continue
            scale = own[allowed].sum()
            some = ((own > 0).astype(float)[None], 1, np.inf)
            share = ((((first + second) * own - whole) / scale)[None], 0, np.inf)
            if self._find(allowed, [some, share], integer=False) is None:
                continue
            found = self._with_second(sizes, whole, own, int(unit), allowed, (first, second), [some, share])
            if found is not None:
                return found
        return None

    def _with_second(self, sizes, whole, own, unit, allowed, factors, limits) -> Group | None:
        """Look for a group of allowed atoms that a unit and one more dominate."""
        pairs = sizes[np.flatnonzero(allowed)].tocoo()
        keep = (pairs.data > 0) & (pairs.col != unit)
        row, data = np.flatnonzero(allowed)[pairs.row[keep]], pairs.data[keep]
        kinds, of = np.unique(pairs.col[keep], return_inverse=True)
        m, p, u = self.size, len(row), len(kinds)
        count, one = np.arange(p), np.ones(p)

        def at_most(place: np.ndarray) -> sparse.csr_matrix:  # y <= the variable at that place
            rows, columns = np.concatenate([count, count]), np.concatenate([m + count, place])
            return sparse.csr_matrix((np.concatenate([one, -one]), (rows, columns)), (p, m + p + u))

        # over z, y (another unit's part of an atom that counts), s (which other unit it is)
        wide = [(np.concatenate([line[0], np.zeros(p + u)])[None], low, high) for line, low, high in limits]
        wide += [(at_most(row), -np.inf, 0), (at_most(m + p + of), -np.inf, 0)] if p else []
        wide.append((np.concatenate([np.zeros(m + p), np.ones(u)])[None], 0, 1))
        both = np.concatenate([factors[0] * own - whole, factors[1] * data, np.zeros(u)]) / own[allowed].sum()
        wide.append((both[None], 0, np.inf))
        return self._find(allowed, wide, np.concatenate([np.zeros(p), np.ones(u)]))

    def _find(
        self, allowed: np.ndarray, limits: Sequence[tuple], whole: Sequence[float] = (), integer: bool = True
    ) -> Group | None:
        """Look for z = M'w that obeys limits over z and further variables in [0, 1]; `whole` of these are 0 or 1."""
        rows, m = self.matrix.shape
        more = len(whole)
        blank = sparse.csr_matrix((m, more))
        span = sparse.hstack([sparse.identity(m), -self.matrix.T, blank], format="csr")
        constraints = [LinearConstraint(span, 0, 0)]
        for limit, low, high in limits:
            matrix = sparse.csr_matrix(limit)
            empty = sparse.csr_matrix((matrix.shape[0], rows))
            wide = sparse.hstack([matrix[:, :m], empty, matrix[:, m:]], format="csr")
            constraints.append(LinearConstraint(wide, low, high))
        free = np.full(rows, np.inf)
        found = milp(
            np.zeros(m + rows + more),
            constraints=constraints,
            bounds=Bounds(
                np.concatenate([np.zeros(m), -free, np.zeros(more)]),
                np.concatenate([allowed.astype(float), free, np.ones(more)]),
            ),
            integrality=np.concatenate([np.full(m, float(integer)), np.zeros(rows), np.asarray(whole, float)]),
            options={"time_limit": self.seconds},
        )
        if found.x is not None:
            return Group(np.flatnonzero(np.abs(found.x[m : m + rows]) > 1e-6))
        return None if found.status == 2 else Group(None)
