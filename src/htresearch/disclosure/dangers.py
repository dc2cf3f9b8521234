"""What released tables give away together: groups that follow by subtraction, and numbers bounded too tightly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from htresearch.disclosure.atoms import Atoms, Record, with_sums
from htresearch.disclosure.audit import Protection, audit
from htresearch.disclosure.relations import LinearTable
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.spans import Span

#: Columns that name a school, so that a number may be one school's.
_SCHOOL = "school_id"


@dataclass(frozen=True, eq=False)
class Danger:
    """A group that released tables give away.

    Attributes
    ----------
    kind : str
        ``"differencing"`` (it can be computed), ``"bounds"`` (it can be bounded too tightly), ``"teachers"``,
        ``"schools"`` (few of these stand behind it), ``"dominance"`` (one or two have nearly all of it), ``"time"``
        (it could not be shown to be safe).
    persons : ndarray
        The hashes of all persons whose cells hang together with it.
    lines : tuple of (int, int)
        The tables and their cells that give it away, where that is known.
    """

    kind: str
    persons: np.ndarray = field(repr=False)
    lines: tuple[tuple[int, int], ...] = ()


def dangers(atoms: Atoms, rules: Rules, seconds: float = 20.0) -> Iterator[Danger]:
    """Find groups that the tables give away together."""
    yield from computed(atoms, rules, seconds)
    yield from bounded(atoms, rules)


def computed(atoms: Atoms, rules: Rules, seconds: float = 20.0) -> Iterator[Danger]:
    """Find groups that follow by adding and subtracting and that no table might show."""
    yield from _contained(atoms, rules.threshold)
    for value in (None, *values_of(atoms)):
        matrix, owner = atoms.rows(value)
        units = {u: atoms.units(u, value) for u in ("person", "teacher", "school")}
        for inside, rows in _components(matrix):
            part = matrix[rows][:, inside]
            crossing = np.asarray(part.sum(axis=0)).max(initial=0.0) > 1
            if value is not None and not crossing:
                continue  # cells that do not overlap: what they tell together is more than each
            here = {u: None if m is None else m[inside] for u, m in units.items()}
            n = atoms.n[inside] if value is None else np.asarray((here["person"] > 0).sum(axis=1)).ravel()
            found = _unsafe(Span(part, seconds), n, here, rules, value, _names_schools(atoms, value), crossing)
            for kind, group in found:
                lines = () if group.rows is None else tuple(owner[rows[i]] for i in group.rows)
                yield Danger("time" if group.rows is None else kind, atoms.of(inside), lines)


def _unsafe(span: Span, n, units: dict, rules: Rules, value, schools_named: bool, crossing: bool) -> Iterator[tuple]:
    """Give the kinds of groups that follow from a span, and one of each."""
    group = span.small(n, rules.threshold)
    if group is not None:
        yield "differencing", group
    if not crossing:
        return
    counted = ["teacher"] if rules.teachers > 1 else []
    counted += ["school"] if rules.schools > 1 and not schools_named else []
    if value is None:
        for unit in counted:
            if units[unit] is not None:
                group = span.few(units[unit], n, getattr(rules, f"{unit}s"))
                if group is not None:
                    yield f"{unit}s", group
        return
    factors = [(1 / rules.dominance,) * 2] if 0 < rules.dominance < 1 else []
    if rules.p_ratio > 0 and not (factors and factors[0][0] >= 1 + rules.p_ratio):
        factors.append((1 + rules.p_ratio, 1.0))
    for unit in ("person", *counted):
        for first, second in factors if units[unit] is not None else ():
            group = span.dominated(units[unit], first, second)
            if group is not None:
                yield "dominance", group


def values_of(atoms: Atoms) -> list[str]:
    """Return the columns of which the tables tell amounts."""
    return sorted({r.value for r in atoms.records if r.value})


def _names_schools(atoms: Atoms, value: str | None) -> bool:
    """Tell whether some table names schools, so that numbers of single schools are told anyway."""
    return any(_SCHOOL in r.keys for r in atoms.records if value is None or r.value == value)


def _components(matrix: sparse.csr_matrix) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give atoms and rows that hang together."""
    if not matrix.shape[0]:
        return
    number, home = connected_components(matrix.T @ matrix, directed=False)
    row_home = home[matrix.indices[matrix.indptr[:-1]]]
    parts = np.split(np.argsort(home, kind="stable"), np.cumsum(np.bincount(home, minlength=number))[:-1])
    for c in np.unique(row_home):
        yield parts[c], np.flatnonzero(row_home == c)


def _contained(atoms: Atoms, threshold: int) -> Iterator[Danger]:
    """Find released cells that hold another but for a few persons: the commonest case, seen without a search."""
    shown = [np.flatnonzero(r.cells["published"]) for r in atoms.records]
    rows = sparse.vstack([c[s] for c, s in zip(atoms.cells, shown, strict=True)], format="csr")
    lines = [(k, int(line)) for k, s in enumerate(shown) for line in atoms.records[k].cells["line"].to_numpy()[s]]
    n, size = rows @ atoms.n, np.asarray(rows.sum(axis=1)).ravel()
    both = (rows @ rows.T).tocoo()
    rest = n[both.row] - n[both.col]
    inside = (both.data == size[both.col]) & (rest > 0) & (rest < threshold)
    for i, j in zip(both.row[inside], both.col[inside], strict=True):
        yield Danger("differencing", around(atoms, rows[i]), (lines[i], lines[j]))


def around(atoms: Atoms, row: sparse.csr_matrix) -> np.ndarray:
    """Return all persons whose cells hang together with those of a row."""
    matrix, _ = atoms.rows()
    number, home = connected_components(matrix.T @ matrix, directed=False)
    del number
    return atoms.of(np.flatnonzero(np.isin(home, np.unique(home[row.indices]))))


def owed_to(atoms: Atoms, hidden: sparse.csr_matrix, rules: Rules, table: LinearTable, at: np.ndarray) -> Protection:
    """Return the interval owed to unsafe cells, and to the small groups that arise where tables cross.

    A small group that is in no table may be bounded from above as far as one released number bounds it already: that
    there are 12 in all says by itself that there are not more than 12 of any kind.
    """
    cells = Protection.of(table, at, rules.protection_relative, rules.protection_absolute)
    small = _crossed(atoms, rules.threshold)
    owed = Protection.of(table, small, rules.protection_relative, rules.protection_absolute)
    matrix = sparse.vstack(
        [c[np.flatnonzero(r.cells["published"])] for c, r in zip(atoms.cells, atoms.records, strict=True)],
        format="csc",
    )
    sizes = matrix @ atoms.n
    least = [sizes[matrix.indices[matrix.indptr[a] : matrix.indptr[a + 1]]].min(initial=np.inf) for a in owed.cells]
    return Protection(
        np.concatenate([cells.cells, owed.cells]),
        np.concatenate([cells.low, owed.low]),
        np.concatenate([cells.high, np.maximum(np.minimum(owed.high, least), atoms.n[owed.cells])]),
    )


def _crossed(atoms: Atoms, threshold: int) -> np.ndarray:
    """Return atoms of few persons, where tables cross."""
    matrix, _ = atoms.rows()
    crossed = np.zeros(len(atoms.n), bool)
    for inside, rows in _components(matrix):
        crossed[inside] = np.asarray(matrix[rows].sum(axis=0)).max(initial=0.0) > 1
    return np.flatnonzero(crossed & (atoms.n > 0) & (atoms.n < threshold))


def bounded(atoms: Atoms, rules: Rules) -> Iterator[Danger]:
    """Attack suppressed cells, and small groups where tables cross, by linear programming."""
    matrix, _ = atoms.rows()
    hidden = atoms.hidden()
    table = with_sums(matrix, hidden, atoms.n, 0.0)
    owed = owed_to(atoms, hidden, rules, table, len(atoms.n) + np.arange(hidden.shape[0]))
    for cell in owed.cells[~audit(table, np.ones(len(table.values), bool), owed).protected]:
        row = hidden[cell - len(atoms.n)] if cell >= len(atoms.n) else _one(cell, len(atoms.n))
        yield Danger("bounds", around(atoms, row), _touching(atoms, row))
    for value in values_of(atoms):
        hidden = atoms.hidden(value)
        if not hidden.shape[0]:
            continue
        table = with_sums(atoms.rows(value)[0], hidden, atoms.amounts(value), least_of(atoms, value))
        at = len(atoms.n) + np.arange(hidden.shape[0])
        owed = Protection.of(table, at, rules.protection_relative, 1e-6)
        for cell in owed.cells[~audit(table, np.ones(len(table.values), bool), owed).protected]:
            row = hidden[cell - len(atoms.n)]
            yield Danger("bounds", around(atoms, row), _touching(atoms, row))


def _touching(atoms: Atoms, row: sparse.csr_matrix) -> tuple[tuple[int, int], ...]:
    """Return the shown cells of every table that have persons in common with a row."""
    found = []
    for k, (record, cells) in enumerate(zip(atoms.records, atoms.cells, strict=True)):
        shared = (cells @ row.T).toarray().ravel() > 0
        lines = record.cells["line"].to_numpy()[shared & record.cells["published"].to_numpy(bool)]
        found += [(k, int(line)) for line in np.unique(lines)]
    return tuple(found)


def least_of(atoms: Atoms, value: str) -> float:
    """Return what anybody has of a column at least."""
    return -np.inf if any(r.signed for r in atoms.records if r.value == value) else 0.0


def revealed(
    before: Sequence[Record], new: Record, rules: Rules, seconds: float = 20.0
) -> tuple[str, list[str]] | None:
    """Say what a new table gives away with earlier ones, and which of these it takes; ``None`` if nothing."""
    danger = _first([*before, new], rules, seconds)
    if danger is None:
        return None
    around_it = [_among(r, danger.persons) for r in before]
    mine = _among(new, danger.persons)
    needed = [r for r in around_it if len(r.members)]
    for record in list(needed):
        if danger.kind == "time":
            break
        fewer = [r for r in needed if r is not record]
        if _first([*fewer, mine], rules, seconds) is not None:
            needed = fewer
    return danger.kind, [r.name for r in needed]


def _first(records: Sequence[Record], rules: Rules, seconds: float) -> Danger | None:
    return next(dangers(Atoms(records, rules.known), rules, seconds), None)


def _among(record: Record, persons: np.ndarray) -> Record:
    """Return a record of some persons only; cells hang together with no others."""
    return replace(record, members=record.members[record.members["person"].isin(set(persons))])


def _one(atom: int, size: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(([1.0], ([0], [int(atom)])), (1, size))
