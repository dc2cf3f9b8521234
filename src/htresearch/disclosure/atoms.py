"""What several tables tell together: persons as atoms, released cells as 0/1 rows over them.

Persons who are in the same cells of every table form an atom. A released cell is the sum of some atoms; whoever holds
all tables knows every linear combination of these rows. A group of persons is given away if its 0/1 row is such a
combination: that is differencing, over two tables or over twenty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import connected_components

from htresearch.disclosure.audit import Protection, audit
from htresearch.disclosure.relations import LinearTable
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.tabulate import ALL

#: Beyond so many possible atoms only those with somebody in them are reckoned with: the attacker then knows more.
MOST_ATOMS = 20_000


@dataclass(frozen=True, eq=False)
class Record:
    """What a release remembers of a table.

    Attributes
    ----------
    name : str
        The table's name.
    keys : tuple of str
        Its keys, from coarse to fine.
    value, person : str
        The column whose amounts it tells (or ""), and what its persons are.
    signed : bool
        Whether amounts may be negative.
    members : pandas.DataFrame
        A row per person and finest cell: ``person`` and ``teacher`` (keyed hashes), ``leaf``, ``amount``.
    leaves : tuple of tuple
        The keys of the finest cells.
    cells : pandas.DataFrame
        A row per cell: ``key`` (tuple), ``published``, ``primary``.
    """

    name: str
    keys: tuple[str, ...]
    value: str
    person: str
    signed: bool
    members: pd.DataFrame = field(repr=False)
    leaves: tuple[tuple, ...] = field(repr=False)
    cells: pd.DataFrame = field(repr=False)

    def leaf_sets(self) -> sparse.csr_matrix:
        """Return the 0/1 matrix cells x leaves."""
        leaves = np.array(self.leaves, dtype=object).reshape(len(self.leaves), len(self.keys))
        entries = []
        for key in self.cells["key"]:
            inside = np.ones(len(leaves), bool)
            for k, wanted in enumerate(key):
                if wanted != ALL:
                    inside &= leaves[:, k] == wanted
            entries.append(inside)
        return sparse.csr_matrix(np.array(entries, float).reshape(len(entries), len(leaves)))


@dataclass(frozen=True, eq=False)
class Danger:
    """A group that released tables give away.

    Attributes
    ----------
    kind : str
        ``"differencing"`` (it can be computed), ``"bounds"`` (it can be bounded too tightly), ``"teachers"`` (few
        teachers stand behind it), ``"time"`` (it could not be shown to be safe).
    persons : ndarray
        The hashes of all persons whose cells hang together with it.
    """

    kind: str
    persons: np.ndarray = field(repr=False)


class Atoms:
    """The atoms of several tables about one kind of person."""

    def __init__(self, records: Sequence[Record]):
        self.records = list(records)
        persons = pd.Index(np.unique(np.concatenate([r.members["person"].to_numpy(object) for r in records])))
        codes = np.full((len(persons), len(records)), -1)
        self.sets: list[list[tuple[int, ...]]] = []
        for k, record in enumerate(records):
            pairs = record.members[["person", "leaf"]].drop_duplicates().sort_values("leaf", kind="stable")
            sets = pairs.groupby("person")["leaf"].agg(tuple)
            known = {s: i for i, s in enumerate(dict.fromkeys([(i,) for i in range(len(record.leaves))]))}
            for s in sets:
                known.setdefault(s, len(known))
            codes[persons.get_indexer(sets.index), k] = [known[s] for s in sets]
            self.sets.append(list(known))
        self.persons = persons.to_numpy(object)
        self.simple = all(len(s) == 1 for sets in self.sets for s in sets)
        seen, self.atom_of = np.unique(codes, axis=0, return_inverse=True)
        self.atom_of = self.atom_of.ravel()
        fresh = self._possible(seen)
        self.codes = np.vstack([seen, fresh]) if len(fresh) else seen
        self.n = np.concatenate([np.bincount(self.atom_of, minlength=len(seen)), np.zeros(len(fresh))]).astype(float)
        self.cells = [self._over_atoms(k) for k in range(len(records))]

    def _over_atoms(self, k: int) -> sparse.csr_matrix:
        """Return the 0/1 matrix of the cells of a table over the atoms."""
        inside = self.records[k].leaf_sets()
        sets = self.sets[k]
        pairs = [(leaf, code) for code, leaves in enumerate(sets) for leaf in leaves]
        rows, columns = zip(*pairs, strict=True)
        holds = sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), (inside.shape[1], len(sets)))
        by_code = ((inside @ holds) > 0).astype(float).tocsc()
        padded = sparse.hstack([by_code, sparse.csc_matrix((by_code.shape[0], 1))], format="csc")
        return padded[:, self.codes[:, k]].tocsr()

    def _possible(self, seen: np.ndarray) -> np.ndarray:
        """Return the atoms in which nobody is, but might be for all that the tables' keys tell.

        Somebody is or is not in a table as those seen are; keys of one name agree across tables; a key that goes
        with one value of another throughout (a school with its zone) does so always.
        """
        none = np.empty((0, seen.shape[1]), int)
        if not self.simple or len(self.records) < 2:
            return none
        frames = []
        for k, record in enumerate(self.records):
            frame = pd.DataFrame(record.leaves, columns=list(record.keys), dtype=object)
            used = np.unique(seen[:, k])
            frames.append(frame.assign(**{f"code {k}": range(len(frame))}).iloc[used[used >= 0]])
        found = []
        for pattern in np.unique(seen >= 0, axis=0):
            inside = [frames[k] for k in np.flatnonzero(pattern)]
            if np.prod([float(len(f)) for f in inside]) > 1e9:
                return none
            joined = inside[0]
            for frame in inside[1:]:
                shared = [c for c in joined if c in frame]
                joined = joined.merge(frame, on=shared) if shared else joined.merge(frame, how="cross")
                if len(joined) > 50 * MOST_ATOMS:
                    return none
            real = reduce(
                lambda a, b: a.merge(b, on=[c for c in a if c in b]),
                inside,
                pd.DataFrame(
                    {f"code {k}": seen[(seen >= 0)[:, pattern].all(axis=1)][:, k] for k in np.flatnonzero(pattern)}
                ),
            )
            joined = _consistent(joined, real, {key for r in self.records for key in r.keys})
            columns = [joined.get(f"code {k}", pd.Series(-1, joined.index)) for k in range(len(frames))]
            found.append(np.column_stack(columns).astype(int))
        every = np.unique(np.vstack(found), axis=0)
        known = {tuple(row) for row in seen}
        fresh = [row for row in every if tuple(row) not in known]
        return none if len(fresh) + len(seen) > MOST_ATOMS or not fresh else np.array(fresh)

    def rows(self, value: str | None = None) -> tuple[sparse.csr_matrix, list[int]]:
        """Return the released cells as rows over the atoms, each less the released finest cells inside it.

        With `value`, of the tables about its amounts only. The second item is the table of each row.
        """
        blocks, owner = [], []
        for k, record in enumerate(self.records):
            if value is not None and record.value != value:
                continue
            shown = record.cells["published"].to_numpy(bool)
            finest = np.array([ALL not in key for key in record.cells["key"]], bool)
            rows = self.cells[k]
            block = rows[np.flatnonzero(shown & finest)]
            wider = rows[np.flatnonzero(shown & ~finest)]
            if self.simple:
                covered = np.asarray(block.sum(axis=0)).ravel() > 0
                wider = wider @ sparse.diags((~covered).astype(float))
            both = sparse.vstack([block, wider], format="csr")
            both.eliminate_zeros()
            both = both[np.diff(both.indptr) > 0]
            blocks.append(both)
            owner += [k] * both.shape[0]
        if not owner:
            return sparse.csr_matrix((0, len(self.n))), []
        matrix = sparse.vstack(blocks, format="csr")
        matrix.sort_indices()
        first = {
            matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]].tobytes(): i
            for i in reversed(range(matrix.shape[0]))
        }
        keep = sorted(first.values())
        return matrix[keep], [owner[i] for i in keep]

    def teachers(self) -> list[set] | None:
        """Return the teachers of each atom, or ``None`` if some are not known."""
        pairs = pd.concat([r.members[["person", "teacher"]] for r in self.records]).drop_duplicates()
        if pairs["teacher"].isna().any() or (pairs["teacher"] == "").any():
            return None
        atom = self.atom_of[pd.Index(self.persons).get_indexer(pairs["person"])]
        found: list[set] = [set() for _ in self.n]
        for a, teacher in zip(atom, pairs["teacher"], strict=True):
            found[a].add(teacher)
        return found

    def dangers(self, rules: Rules, seconds: float = 20.0) -> Iterator[Danger]:
        """Find groups that the tables give away together."""
        matrix, _ = self.rows()
        link = matrix.T @ matrix
        number, home = connected_components(link, directed=False)
        row_home = home[matrix.indices[matrix.indptr[:-1]]] if matrix.shape[0] else np.array([], int)
        teachers = self.teachers() if rules.teachers > 1 else None
        sizes = matrix @ self.n
        crossed = np.zeros(len(self.n), bool)
        by_home = np.argsort(home, kind="stable")
        parts = np.split(by_home, np.cumsum(np.bincount(home, minlength=number))[:-1])
        for whole in self._contained(rules.threshold):
            yield Danger("differencing", self._around(whole, parts, home))
        for c in np.unique(row_home):
            atoms, rows = parts[c], np.flatnonzero(row_home == c)
            small = (sizes[rows] > 0) & (sizes[rows] < rules.threshold)
            if small.any():
                yield Danger("differencing", self._of(atoms))
                continue
            part = matrix[rows][:, atoms]
            if np.asarray(part.sum(axis=0)).max(initial=0.0) <= 1:
                continue  # cells that do not overlap: what they tell together is larger than each
            crossed[atoms] = True
            here = None if teachers is None else [teachers[a] for a in atoms]
            kind = small_union(part, self.n[atoms], rules.threshold, here, rules.teachers, seconds)
            if kind:
                yield Danger(kind, self._of(atoms))
        yield from self._bounds(matrix, rules, crossed, parts, home)

    def _contained(self, threshold: int) -> Iterator[sparse.csr_matrix]:
        """Find released cells that hold another but for a few persons: the commonest case, seen without a search."""
        shown = [c[np.flatnonzero(r.cells["published"])] for c, r in zip(self.cells, self.records, strict=True)]
        rows = sparse.vstack(shown, format="csr")
        n, size = rows @ self.n, np.asarray(rows.sum(axis=1)).ravel()
        both = (rows @ rows.T).tocoo()
        rest = n[both.row] - n[both.col]
        inside = (both.data == size[both.col]) & (rest > 0) & (rest < threshold)
        for row in np.unique(both.row[inside]):
            yield rows[row]

    def _of(self, atoms: np.ndarray) -> np.ndarray:
        return self.persons[np.isin(self.atom_of, atoms)]

    def _bounds(self, matrix, rules, crossed, parts, home) -> Iterator[Danger]:
        """Attack suppressed cells, and small atoms where tables cross, by linear programming."""
        hidden = [self.cells[k][np.flatnonzero(r.cells["primary"])] for k, r in enumerate(self.records)]
        hidden = sparse.vstack(hidden, format="csr")
        small = np.flatnonzero(crossed & (self.n > 0) & (self.n < rules.threshold))
        table = _with_sums(matrix, hidden, self.n, 0.0)
        owed = Protection.of(
            table,
            len(self.n) + np.arange(hidden.shape[0]),
            rules.protection_relative,
            rules.protection_absolute,
        )
        every = np.ones(len(table.values), bool)
        for cell in np.flatnonzero(~audit(table, every, owed).protected):
            yield Danger("bounds", self._around(hidden[cell], parts, home))
        loose = Protection(small, np.maximum(0.0, self.n[small] - 1), self.n[small] + 1)
        tight = loose.cells[~audit(table, every, loose).protected]
        if len(tight):
            exact = audit(table, every, Protection(tight, self.n[tight], self.n[tight]), exact=True)
            width = exact.high - exact.low
            for atom in tight[(exact.low > 1e-6) & (width < rules.protection_absolute)]:
                yield Danger("bounds", self._of(parts[home[atom]]))
        for value in sorted({r.value for r in self.records if r.value}):
            yield from self._amounts(value, rules, parts, home)

    def _amounts(self, value, rules, parts, home) -> Iterator[Danger]:
        about = [k for k, r in enumerate(self.records) if r.value == value]
        hidden = sparse.vstack(
            [self.cells[k][np.flatnonzero(self.records[k].cells["primary"])] for k in about], format="csr"
        )
        if not hidden.shape[0]:
            return
        members = pd.concat([self.records[k].members[["person", "amount"]] for k in about])
        by_person = members.groupby("person")["amount"].max()
        amount = np.zeros(len(self.n))
        np.add.at(amount, self.atom_of[pd.Index(self.persons).get_indexer(by_person.index)], by_person.to_numpy())
        lower = -np.inf if any(self.records[k].signed for k in about) else 0.0
        table = _with_sums(self.rows(value)[0], hidden, amount, lower)
        owed = Protection.of(table, len(self.n) + np.arange(hidden.shape[0]), rules.protection_relative, 1e-6)
        for cell in np.flatnonzero(~audit(table, np.ones(len(table.values), bool), owed).protected):
            yield Danger("bounds", self._around(hidden[cell], parts, home))

    def _around(self, row, parts, home) -> np.ndarray:
        return self._of(np.concatenate([parts[c] for c in np.unique(home[row.indices])] or [np.array([], int)]))


def _with_sums(matrix, hidden, amounts, lower) -> LinearTable:
    """Return atoms and the hidden sums of them as one table of unknowns, bound by what has been released."""
    n, m = len(amounts), hidden.shape[0]
    top = sparse.hstack([matrix, sparse.csr_matrix((matrix.shape[0], m))])
    relations = sparse.vstack([top, sparse.hstack([hidden, -sparse.identity(m)])], format="csr")
    values = np.concatenate([amounts, hidden @ amounts])
    return LinearTable(values, relations, np.full(n + m, lower), np.full(n + m, np.inf))


def _consistent(joined: pd.DataFrame, real: pd.DataFrame, keys: set[str]) -> pd.DataFrame:
    """Keep combinations of keys that are possible where one key determines another."""
    names = [k for k in joined if k in keys]
    for a in names:
        for b in names:
            pairs = real[[a, b]].drop_duplicates() if a != b else None
            if pairs is None or pairs[a].duplicated().any() or pairs[b].nunique() < 2 or pairs[a].nunique() < 3:
                continue
            joined = joined.merge(pairs, on=[a, b])
    return joined


def small_union(
    matrix: sparse.csr_matrix,
    n: np.ndarray,
    threshold: int,
    teachers: list[set] | None = None,
    few: int = 1,
    seconds: float = 20.0,
) -> str:
    """Look for a union of atoms that is small and a combination of the rows; say which kind, or "".

    A 0/1 vector z = matrix' w with 0 < n'z < threshold, or with fewer than `few` teachers behind it: whether there is
    one is a mixed-integer programme. If time runs out the answer is ``"time"``.
    """
    rows, m = matrix.shape
    span = sparse.hstack([sparse.identity(m), -matrix.T], format="csr")
    free = np.full(rows, np.inf)

    def exists(allowed: np.ndarray, most: float, extra=None, cap: float = 0.0) -> str:
        if not (allowed & (n > 0)).any():
            return ""
        more = 0 if extra is None else extra.shape[1] - m
        size = m + rows + more
        limits = [
            LinearConstraint(sparse.hstack([span, sparse.csr_matrix((m, more))], format="csr"), 0, 0),
            LinearConstraint(sparse.csr_matrix(np.concatenate([n, np.zeros(rows + more)])[None]), 1, most),
        ]
        if extra is not None:
            wide = sparse.hstack([extra[:, :m], sparse.csr_matrix((extra.shape[0], rows)), extra[:, m:]])
            limits.append(LinearConstraint(wide.tocsr(), -np.inf, 0))
            total = np.concatenate([np.zeros(m + rows), np.ones(more)])
            limits.append(LinearConstraint(sparse.csr_matrix(total[None]), 0, cap))
        found = milp(
            np.zeros(size),
            constraints=limits,
            bounds=Bounds(
                np.concatenate([np.zeros(m), -free, np.zeros(more)]),
                np.concatenate([allowed.astype(float), free, np.ones(more)]),
            ),
            integrality=np.concatenate([np.ones(m), np.zeros(rows), np.ones(more)]),
            options={"time_limit": seconds},
        )
        return "yes" if found.x is not None else "" if found.status == 2 else "time"

    small = exists(n < threshold, threshold - 1)
    if small:
        return "differencing" if small == "yes" else "time"
    if teachers is None or few < 2:
        return ""
    everyone = sorted({t for of in teachers for t in of})
    place = {t: i for i, t in enumerate(everyone)}
    pairs = [(a, place[t]) for a, of in enumerate(teachers) for t in of]
    count = np.arange(len(pairs))
    extra = sparse.csr_matrix(  # z_a <= u_t for every teacher of atom a
        (
            np.concatenate([np.ones(len(pairs)), -np.ones(len(pairs))]),
            (np.concatenate([count, count]), np.array([a for a, _ in pairs] + [m + t for _, t in pairs])),
        ),
        (len(pairs), m + len(everyone)),
    )
    found = exists(np.array([len(of) < few for of in teachers]), float(n.sum()), extra, few - 1)
    return {"yes": "teachers", "time": "time"}.get(found, "")
