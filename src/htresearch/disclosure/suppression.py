"""Suppression: which further cells must stay unpublished so that the unsafe ones cannot be worked out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from htresearch import checks
from htresearch.disclosure.audit import Audit, Protection, audit
from htresearch.disclosure.cuts import Master, optimal_pattern
from htresearch.disclosure.relations import LinearTable
from htresearch.errors import Fault, ModelError
from htresearch.language import Text

#: Up to how many cells the optimum is looked for unless told.
SMALL = 160


@dataclass(frozen=True)
class Suppression:
    """A protecting pattern, with its audit.

    Attributes
    ----------
    suppressed : ndarray of bool
        The cells not to publish.
    primary, secondary : ndarray of bool
        The unsafe ones, and those that protect them.
    cost : float
        The information loss: the weights of the suppressed cells.
    bound : float
        No protecting pattern costs less than this.
    optimal : bool
        Whether the pattern is proven to be the cheapest.
    audit : Audit
        What the attacker learns.
    method : str
        ``"optimal"`` or ``"heuristic"``.
    """

    suppressed: np.ndarray = field(repr=False)
    primary: np.ndarray = field(repr=False)
    cost: float
    bound: float
    optimal: bool
    audit: Audit = field(repr=False)
    method: str

    @property
    def secondary(self) -> np.ndarray:
        """The cells suppressed to protect others."""
        return self.suppressed & ~self.primary

    @property
    def gap(self) -> float:
        """How much dearer the pattern may be than the cheapest, as a share of its cost."""
        return 0.0 if self.optimal or self.cost <= 0 else max(0.0, 1.0 - self.bound / self.cost)

    @property
    def note(self) -> tuple[Text, ...]:
        """What a reader of the table must know."""
        said = Text(
            "{primary} 个单元格因人数过少等原因隐去，另隐去 {secondary} 个以防推算；{solved} 次线性规划核查通过。",
            "{primary} cells are suppressed as unsafe, {secondary} more so that those cannot be worked out; audited "
            "by {solved} linear programmes.",
        ).format(primary=int(self.primary.sum()), secondary=int(self.secondary.sum()), solved=self.audit.solved)
        how = (
            Text("隐去方案为最优。", "The pattern is the cheapest possible.")
            if self.optimal
            else Text(
                "隐去方案由启发式得到，信息损失至多比最优高 {gap}%。",
                "The pattern is a heuristic one: at most {gap}% of its information loss could be saved.",
            ).format(gap=round(100 * self.gap, 1))
        )
        return said, how


def suppress(
    table: LinearTable,
    protection: Protection,
    weights=None,
    published=None,
    alone: np.ndarray | Sequence[np.ndarray] | None = None,
    method: str | None = None,
    seconds: float = 20.0,
    seed: int = 1,
) -> Suppression:
    """Find a cheap pattern of suppressed cells that protects the unsafe ones, and audit it.

    Parameters
    ----------
    table
        The table and its relations.
    protection
        The unsafe cells and the interval owed to each.
    weights
        The loss of each cell when suppressed; by default 1 + log(1 + |value|), so that neither many small cells nor
        a few large ones are given away lightly.
    published
        Cells that must be published (a boolean each), e.g. margins already out.
    alone
        Cells that one contributor fills, a boolean each, or for every such contributor the positions of all cells
        that are theirs alone: they know these, so every other cell is protected against this knowledge as well. For
        counts it is not needed.
    method
        ``"optimal"``, ``"heuristic"``, or by default the optimum up to 160 cells within `seconds`, the heuristic
        beyond and where time runs out.
    seconds
        Time for the optimum, or for thinning out and bounding a heuristic pattern; the audit is always finished.
    seed
        Of the order in which the heuristic looks at cells.

    Returns
    -------
    Suppression
        The pattern; its audit has passed.

    Raises
    ------
    ModelError
        If no pattern can give the cells the interval owed to them.

    References
    ----------
    Fischetti, M., & Salazar, J. J. (2001). Solving the cell suppression problem on tabular data with linear
    constraints. Management Science, 47(7), 1008-1027. doi:10.1287/mnsc.47.7.1008.9805

    Examples
    --------
    >>> from htresearch.disclosure.audit import Protection
    >>> from htresearch.disclosure.relations import Axis, crossed_table
    >>> from htresearch.disclosure.suppression import suppress
    >>> rows, columns = (Axis.of([(k,) for k in "abc"]), Axis.of([(k,) for k in "xyz"]))
    >>> table = crossed_table([[3, 20, 31], [15, 18, 24], [21, 22, 40]], [rows, columns])
    >>> pattern = suppress(table, Protection.of(table, table.values < 10))
    >>> int(pattern.secondary.sum()), pattern.optimal
    (3, True)
    """
    checks.require(
        checks.one_of("method", method, (None, "optimal", "heuristic")),
        checks.between("seconds", seconds, 0, 3600),
    )
    m = len(table.values)
    weights = 1.0 + np.log1p(np.abs(table.values)) if weights is None else np.asarray(weights, float)
    frozen = np.zeros(m, bool) if published is None else np.asarray(published, bool).copy()
    primary = np.zeros(m, bool)
    primary[protection.cells] = True
    frozen &= ~primary
    start = time.monotonic()
    master = Master(table, protection, weights, frozen)
    pattern, bound, optimal = None, 0.0, False
    if method == "optimal" or (method is None and m <= SMALL):
        pattern, bound = optimal_pattern(master, seconds)
        optimal = pattern is not None
    if pattern is None:
        pattern = _heuristic(table, protection, weights, frozen, np.random.default_rng(seed))
    used = "optimal" if optimal else "heuristic"
    if alone is not None:
        wider = _against_insiders(table, protection, weights, frozen, pattern, alone)
        optimal = optimal and bool((wider == pattern).all())
        pattern = wider
    if not optimal:
        insiders = () if alone is None else _insiders(alone)
        pattern = _thinned(table, protection, weights, pattern, insiders, start + 0.6 * seconds)
        if not bound:
            master.add_relation_cuts()
            bound = master.solve(False, max(1.0, seconds / 2))[1]
    found = audit(table, pattern, protection)
    if not found.passed:
        raise ModelError(_unprotectable(table, protection, found))
    return Suppression(pattern, primary, float(weights[pattern].sum()), bound, optimal, found, used)


def _unprotectable(table, protection, found) -> Fault:
    open_cells = protection.cells[~found.protected]
    return Fault(
        Text("表格", "The table"),
        Text(
            "有 {n} 个单元格无论怎样隐去都得不到应有的保护区间", "{n} cells cannot be given the interval owed to them"
        ).format(n=len(open_cells)),
        Text("请合并类别，或改用舍入", "Merge categories, or round the table instead"),
        table.labels[int(open_cells[0])],
    )


def _heuristic(table, protection, weights, frozen, random, pattern=None, known=()) -> np.ndarray:
    """Add cells until the audit passes: the cheapest flows that move unprotected cells as far as is owed to them.

    Each round takes unprotected cells of which no two stand in one relation and moves them at once by a linear
    programme that minimises the weighted movement of what is still published; what moves is suppressed.
    """
    m = len(table.values)
    pattern = np.zeros(m, bool) if pattern is None else pattern.copy()
    pattern[protection.cells] = True
    halted: set[tuple[int, int]] = set()
    known = list(known)
    while True:
        found = audit(table, pattern, protection, known)
        slack = 1e-6 * np.maximum(1.0, np.abs(table.values[protection.cells]))
        missing = [(i, 1) for i in np.flatnonzero(found.high < protection.high - slack)]
        missing += [(i, -1) for i in np.flatnonzero(found.low > protection.low + slack)]
        skip = set(known)
        missing = [n for n in missing if n not in halted and int(protection.cells[n[0]]) not in skip]
        if not missing:
            return pattern
        batch = _independent(table, protection, missing, random)
        move = _flow(table, protection, weights, frozen, pattern, batch, known)
        if move is None and len(batch) > 1:
            batch = batch[:1]
            move = _flow(table, protection, weights, frozen, pattern, batch, known)
        if move is None:
            halted.update(batch)
            continue
        fresh = (np.abs(move) > 1e-6) & ~pattern
        if not fresh.any():
            halted.update(batch)
        pattern |= fresh


def widened(
    table: LinearTable,
    protection: Protection,
    pattern,
    frozen=None,
    alone: np.ndarray | Sequence[np.ndarray] | None = None,
    seed: int = 1,
) -> np.ndarray:
    """Add cells to a pattern until it protects, as far as may be; `frozen` cells stay published, `alone` as above."""
    frozen = np.zeros(len(pattern), bool) if frozen is None else frozen
    weights = 1.0 + np.log1p(np.abs(table.values))
    found = _heuristic(table, protection, weights, frozen, np.random.default_rng(seed), pattern)
    return found if alone is None else _against_insiders(table, protection, weights, frozen, found, alone)


def insiders_learn(
    table: LinearTable, protection: Protection, pattern, alone: np.ndarray | Sequence[np.ndarray]
) -> np.ndarray:
    """Tell of each protected cell whether someone who is alone in suppressed cells, and so knows them, learns it."""
    learned = np.zeros(len(protection.cells), bool)
    home = np.full(len(pattern), -1)
    for k, cells in enumerate(table.components(pattern)):
        home[cells] = k
    for own in _insiders(alone):
        known = own[home[own] >= 0]
        near = np.isin(home[protection.cells], home[known])
        others = np.flatnonzero(near & ~np.isin(protection.cells, own) & ~learned)
        if len(others):
            owed = Protection(protection.cells[others], protection.low[others], protection.high[others])
            if not audit(table, pattern, owed, known).passed:
                owed = _beyond_own(table, owed, known)
                learned[others[~audit(table, pattern, owed, known).protected]] = True
    return learned


def _beyond_own(table: LinearTable, owed: Protection, known: np.ndarray) -> Protection:
    """Return what is owed to cells against somebody who has some: no more than if nothing at all were published.

    Whoever has nine tenths of a margin knows without any table that it is not less than that.
    """
    before = audit(table, np.ones(len(table.values), bool), owed, known, exact=True)
    return Protection(owed.cells, np.maximum(owed.low, before.low), np.minimum(owed.high, before.high))


def _insiders(alone: np.ndarray | Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the cells of each who is alone in some."""
    if isinstance(alone, np.ndarray) and alone.dtype == bool:
        return [np.array([cell]) for cell in np.flatnonzero(alone)]
    return [np.asarray(own, int) for own in alone]


def _independent(table, protection, missing, random) -> list[tuple[int, int]]:
    """Choose needs of one direction whose cells share no relation."""
    by_column = table.relations.tocsc()
    sign = missing[0][1]
    candidates = [n for n in missing if n[1] == sign]
    random.shuffle(candidates)
    taken, batch = np.zeros(table.relations.shape[0], bool), []
    for i, _ in candidates:
        cell = protection.cells[i]
        rows = by_column.indices[by_column.indptr[cell] : by_column.indptr[cell + 1]]
        if not taken[rows].any():
            taken[rows] = True
            batch.append((int(i), sign))
    return batch


def _flow(table, protection, weights, frozen, pattern, batch, known) -> np.ndarray | None:
    """Return the cheapest movement of the table in which the batch moves by what is owed to it."""
    up, down = table.upper - table.values, table.values - table.lower
    closed = frozen & ~pattern
    closed[np.asarray(known, int)] = True
    up, down = np.where(closed, 0.0, up), np.where(closed, 0.0, down)
    cost = np.where(pattern, 0.0, weights)
    low = np.zeros(2 * len(up))
    high = np.concatenate([up, down])
    for i, sign in batch:
        cell = protection.cells[i]
        goal = (protection.high if sign > 0 else protection.low)[i]
        need = sign * (goal - table.values[cell])
        forward, back = (cell, cell + len(up)) if sign > 0 else (cell + len(up), cell)
        low[forward], high[forward] = min(need, high[forward]), max(need, 0.0)
        high[back] = 0.0
    matrix = sparse.hstack([table.relations, -table.relations], format="csr")
    found = linprog(
        np.concatenate([cost, cost]),
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([low, high]),
        method="highs",
    )
    return found.x[: len(up)] - found.x[len(up) :] if found.status == 0 else None


def _against_insiders(table, protection, weights, frozen, pattern, alone) -> np.ndarray:
    """Widen a pattern until it protects also against those who fill suppressed cells alone and so know them."""
    random = np.random.default_rng(0)
    done: dict[int, int] = {}
    insiders = _insiders(alone)
    while True:
        hidden = [int(pattern[own].sum()) for own in insiders]
        who = next((k for k, n in enumerate(hidden) if n > done.get(k, 0)), None)
        if who is None:
            return pattern
        done[who] = hidden[who]
        known = insiders[who][pattern[insiders[who]]]
        owed = _less(protection, insiders[who])
        if len(owed.cells) and not audit(table, pattern, owed, known).passed:
            owed = _beyond_own(table, owed, known)
            pattern = _heuristic(table, owed, weights, frozen, random, pattern, known)


def _thinned(table, protection, weights, pattern, insiders, end) -> np.ndarray:
    """Publish again what is not needed, dearest first, while there is time; every step is audited."""
    pattern = pattern.copy()
    secondary = pattern.copy()
    secondary[protection.cells] = False
    for cell in sorted(np.flatnonzero(secondary), key=lambda c: -weights[c]):
        if time.monotonic() > end:
            break
        trial = pattern.copy()
        trial[cell] = False
        # Only what hangs together with this cell can be affected.
        home = next(c for c in table.components(pattern) if cell in c)
        mine = np.isin(protection.cells, home)
        owed = Protection(protection.cells[mine], protection.low[mine], protection.high[mine])
        knowing = [np.array([], int)] + [own for own in insiders if (trial[own] & np.isin(own, home)).any()]
        if all(audit(table, trial, _less(owed, own), own[trial[own]]).passed for own in knowing):
            pattern = trial
    return pattern


def _less(protection: Protection, known) -> Protection:
    keep = ~np.isin(protection.cells, list(known))
    return Protection(protection.cells[keep], protection.low[keep], protection.high[keep])
