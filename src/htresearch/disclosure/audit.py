"""The attacker: how far linear programming pins suppressed cells down.

Whoever reads a table knows the published cells, that margins are sums, and that cells are not negative. The smallest
and the largest value of a suppressed cell under these are two linear programmes; a cell is protected if the interval
between them covers its protection interval (Hundepool et al. 2012, section 4.3.1; Fischetti & Salazar 2001).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from htresearch.disclosure.relations import LinearTable

#: What counts as nothing, as a share of the largest number of its component.
TOLERANCE = 1e-7


@dataclass(frozen=True)
class Protection:
    """What is owed to each unsafe cell: an attacker must not be able to exclude any value of [low, high].

    Attributes
    ----------
    cells : ndarray of int
        The unsafe cells.
    low, high : ndarray of float
        The protection interval of each; `low` is never below what is known beforehand.
    """

    cells: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, table: LinearTable, cells, relative: float = 0.2, absolute: float = 1.0) -> Protection:
        """Owe every cell the larger of `relative` times its value and `absolute`, to either side."""
        cells = np.asarray(cells)
        cells = np.flatnonzero(cells) if cells.dtype == bool else cells.astype(int)
        value = table.values[cells]
        width = np.maximum(relative * np.abs(value), absolute)
        return cls(
            cells,
            np.maximum(value - width, table.lower[cells]),
            np.minimum(value + width, table.upper[cells]),
        )


@dataclass(frozen=True)
class Audit:
    """What an attacker learns of the protected cells.

    Attributes
    ----------
    cells : ndarray of int
        The cells, as in the protection.
    low, high : ndarray of float
        With ``exact``: the attacker's interval. Otherwise an interval that the attacker cannot exclude, which covers
        the protection interval if the cell is protected and is exact if it is not.
    protected : ndarray of bool
        Whether each is protected.
    solved : int
        How many linear programmes that took.
    """

    cells: np.ndarray
    low: np.ndarray
    high: np.ndarray
    protected: np.ndarray
    solved: int

    @property
    def passed(self) -> bool:
        """Whether every cell is protected."""
        return bool(self.protected.all())


class Component:
    """Suppressed cells that hang together, as deviations t from the truth: A t = 0, lower - x <= t <= upper - x."""

    def __init__(self, table: LinearTable, cells: np.ndarray, known: Iterable[int] = ()):
        self.cells, self.place = cells, {int(c): k for k, c in enumerate(cells)}
        part = table.relations[:, cells].tocsr()
        part = part[np.diff(part.indptr) > 0]
        self.matrix = part
        self.down = table.lower[cells] - table.values[cells]
        self.up = table.upper[cells] - table.values[cells]
        for cell in known:
            if int(cell) in self.place:
                self.down[self.place[int(cell)]] = self.up[self.place[int(cell)]] = 0.0
        self.scale = max(1.0, float(np.abs(table.values[cells]).max(initial=0.0)))
        self.solved = 0

    def reach(self, cell: int, sign: int) -> tuple[float, np.ndarray | None]:
        """Return how far a cell can move (infinity where nothing stops it) and a table in which it does."""
        k = self.place[int(cell)]
        cost = np.zeros(len(self.cells))
        cost[k] = -sign
        found = self._solve(cost, self.matrix, np.column_stack([self.down, self.up]))
        if found.status == 3:
            return np.inf, None
        if found.status != 0:  # the truth itself is feasible: numerical trouble counts as no protection
            return 0.0, None
        return float(sign * found.x[k]), found.x

    def together(self, places: np.ndarray, signs: np.ndarray, needs: np.ndarray) -> np.ndarray | None:
        """Return one table in which cells move towards what they need, as many as far as possible at once."""
        m, n = len(self.cells), len(places)
        gain = sparse.csr_matrix((signs, (np.arange(n), places)), (n, m))
        # s <= sign * t, 0 <= s <= need; the sum of the shares s / need is made as large as possible.
        limit = sparse.hstack([-gain, sparse.identity(n)], format="csr")
        matrix = sparse.hstack([self.matrix, sparse.csr_matrix((self.matrix.shape[0], n))], format="csr")
        bounds = np.column_stack([np.concatenate([self.down, np.full(n, -np.inf)]), np.concatenate([self.up, needs])])
        cost = np.concatenate([np.zeros(m), -1.0 / np.maximum(needs, 1e-12)])
        found = self._solve(cost, matrix, bounds, limit)
        return found.x[:m] if found.status == 0 else None

    def _solve(self, cost, matrix, bounds, limit=None):
        self.solved += 1
        return linprog(
            cost,
            A_ub=limit,
            b_ub=None if limit is None else np.zeros(limit.shape[0]),
            A_eq=matrix if matrix.shape[0] else None,
            b_eq=np.zeros(matrix.shape[0]) if matrix.shape[0] else None,
            bounds=bounds,
            method="highs",
        )


def audit(
    table: LinearTable,
    suppressed: np.ndarray,
    protection: Protection,
    known: Iterable[int] = (),
    exact: bool = False,
) -> Audit:
    """Attack a pattern of suppressed cells.

    Parameters
    ----------
    table
        The table with its truth.
    suppressed
        A boolean per cell: what is not published.
    protection
        The cells to attack and the interval owed to each.
    known
        Suppressed cells whose value the attacker knows nevertheless, e.g. their own class.
    exact
        Find the attacker's interval of every cell. Otherwise one feasible table may show at once that many cells
        have the room they need, and only the rest is attacked one by one: the verdict is the same, far sooner.

    Returns
    -------
    Audit
        The intervals, and whether each cell is protected.

    References
    ----------
    Hundepool, A., et al. (2012). Statistical Disclosure Control. Wiley. doi:10.1002/9781118348239

    Examples
    --------
    >>> import numpy as np
    >>> from htresearch.disclosure.audit import Protection, audit
    >>> from htresearch.disclosure.relations import linear_table
    >>> table = linear_table([3, 20, 23], [[1, 1, -1]])
    >>> found = audit(table, np.array([True, True, False]), Protection.of(table, [0]), exact=True)
    >>> found.low, found.high, found.passed
    (array([0.]), array([23.]), True)
    """
    suppressed = np.asarray(suppressed, bool)
    value = table.values[protection.cells]
    low, high = value.copy(), value.copy()
    known = {int(k) for k in known}
    row = {int(c): i for i, c in enumerate(protection.cells) if suppressed[c] and int(c) not in known}
    solved = 0
    for cells in table.components(suppressed):
        targets = np.array([row[int(c)] for c in cells if int(c) in row], int)
        if not len(targets):
            continue
        component = Component(table, cells, known)
        for sign, found, wanted in ((1, high, protection.high), (-1, low, protection.low)):
            rest = targets if exact else _at_once(component, protection, targets, sign, found, wanted)
            for i in rest:
                distance, _ = component.reach(protection.cells[i], sign)
                found[i] = value[i] + sign * distance
        solved += component.solved
    # A cell known beforehand to lie in the owed interval only up to a bound owes no more than that.
    slack = TOLERANCE * np.maximum(1.0, np.abs(value)) * 10
    protected = (low <= protection.low + slack) & (high >= protection.high - slack)
    return Audit(protection.cells, low, high, protected, solved)


def _at_once(component, protection, targets, sign, found, wanted) -> np.ndarray:
    """Raise `found` by feasible tables until no more cells reach what they need; return those that did not."""
    value = found[targets].copy()
    places = np.array([component.place[int(c)] for c in protection.cells[targets]])
    needs = np.maximum(sign * (wanted[targets] - value), 0.0)
    slack = 10 * TOLERANCE * np.maximum(1.0, np.abs(value))
    reached = np.zeros(len(targets))
    while True:
        rest = np.flatnonzero(reached < needs - slack)
        if len(rest) < 2:
            break
        move = component.together(places[rest], np.full(len(rest), float(sign)), needs[rest])
        if move is None:
            break
        before = len(rest)
        reached = np.maximum(reached, sign * move[places])
        if (reached < needs - slack).sum() > 0.7 * before and before < 12:
            break
        if (reached < needs - slack).sum() == before:
            break
    found[targets] = value + sign * reached
    return targets[reached < needs - slack]
