"""What several tables tell together: persons as atoms, released cells as 0/1 rows over them.

Persons who are in the same cells of every table form an atom. A released cell is the sum of some atoms; whoever holds
all tables knows every linear combination of these rows. A group of persons is given away if its 0/1 row is such a
combination: that is differencing, over two tables or over twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
import pandas as pd
from scipy import sparse

from htresearch.disclosure.relations import LinearTable
from htresearch.disclosure.tabulate import ALL

#: Beyond so many possible atoms only those with somebody in them are reckoned with: the attacker then knows more.
MOST_ATOMS = 20_000


@dataclass(frozen=True, eq=False)
class Record:
    """What a release remembers of a table.

    A table of a column with two values (a percentage, say) is remembered as one that counts who has either: its
    column is one more key. So numbers of persons are numbers of persons wherever they come from.

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
        A row per person and finest cell: ``person``, ``teacher``, ``school`` (keyed hashes), ``leaf``, ``amount``.
    leaves : tuple of tuple
        The keys of the finest cells, those with nobody in them among them.
    cells : pandas.DataFrame
        A row per number of persons: ``key`` (tuple), ``published``, ``primary``, ``line`` (the cell of the table that
        tells it).
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

    def without(self, lines: Sequence[int]) -> Record:
        """Return the record with some of the table's cells hidden as well."""
        shown = self.cells["published"] & ~self.cells["line"].isin(lines)
        return replace(self, cells=self.cells.assign(published=shown))


class Atoms:
    """The atoms of several tables about one kind of person; `known` are keys that anyone can see of a school."""

    def __init__(self, records: Sequence[Record], known: Sequence[str] = ()):
        self.records, self.known = list(records), frozenset(known)
        persons = pd.Index(np.unique(np.concatenate([r.members["person"].to_numpy(object) for r in records])))
        codes = np.full((len(persons), len(records)), -1)
        self.sets: list[list[tuple[int, ...]]] = []
        for k, record in enumerate(records):
            pairs = record.members[["person", "leaf"]].drop_duplicates().sort_values("leaf", kind="stable")
            place, leaf = persons.get_indexer(pairs["person"]), pairs["leaf"].to_numpy()
            sets = [(i,) for i in range(len(record.leaves))]
            if len(np.unique(place)) == len(place):
                codes[place, k] = leaf
            else:
                known_sets = {s: i for i, s in enumerate(sets)}
                for p, of in pd.Series(leaf).groupby(place).agg(tuple).items():
                    codes[p, k] = known_sets.setdefault(of, len(known_sets))
                sets = list(known_sets)
            self.sets.append(sets)
        self.persons = persons.to_numpy(object)
        self.simple = all(len(s) == 1 for sets in self.sets for s in sets)
        seen, self.atom_of = np.unique(codes, axis=0, return_inverse=True)
        self.atom_of = self.atom_of.ravel()
        fresh = self._possible(seen)
        self.codes = np.vstack([seen, fresh]) if len(fresh) else seen
        self.n = np.concatenate([np.bincount(self.atom_of, minlength=len(seen)), np.zeros(len(fresh))]).astype(float)
        self.cells = [self._over_atoms(k) for k in range(len(records))]

    def hide(self, k: int, lines: Sequence[int]) -> None:
        """Hide further cells of a table."""
        self.records[k] = self.records[k].without(lines)

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
        if len(self.records) == 1:
            absent = sorted(set(range(len(self.records[0].leaves))) - set(seen[:, 0]))
            return np.array(absent, int)[:, None]
        if not self.simple:
            return none
        frames = []
        for k, record in enumerate(self.records):
            frame = pd.DataFrame(record.leaves, columns=list(record.keys), dtype=object)
            frames.append(frame.assign(**{f"code {k}": range(len(frame))}))
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
            joined = _consistent(joined, real, {key for r in self.records for key in r.keys}, self.known)
            columns = [joined.get(f"code {k}", pd.Series(-1, joined.index)) for k in range(len(frames))]
            found.append(np.column_stack(columns).astype(int))
        every = np.unique(np.vstack(found), axis=0)
        known = {tuple(row) for row in seen}
        fresh = [row for row in every if tuple(row) not in known]
        return none if len(fresh) + len(seen) > MOST_ATOMS or not fresh else np.array(fresh)

    def rows(self, value: str | None = None) -> tuple[sparse.csr_matrix, list[tuple[int, int]]]:
        """Return the released cells as rows over the atoms, each less the released finest cells inside it.

        With `value`, of the tables about its amounts only. The second item is the table and the line of each row.
        """
        blocks, owner = [], []
        for k, record in enumerate(self.records):
            if value is not None and record.value != value:
                continue
            shown = record.cells["published"].to_numpy(bool)
            finest = np.array([ALL not in key for key in record.cells["key"]], bool)
            rows, lines = self.cells[k], record.cells["line"].to_numpy()
            low, high = np.flatnonzero(shown & finest), np.flatnonzero(shown & ~finest)
            block, wider = rows[low], rows[high]
            if self.simple:
                covered = np.asarray(block.sum(axis=0)).ravel() > 0
                wider = wider @ sparse.diags((~covered).astype(float))
            both = sparse.vstack([block, wider], format="csr")
            both.eliminate_zeros()
            some = np.diff(both.indptr) > 0
            blocks.append(both[some])
            owner += [(k, int(line)) for line in lines[np.concatenate([low, high])[some]]]
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

    def hidden(self, value: str | None = None) -> sparse.csr_matrix:
        """Return the unsafe cells that are not shown as rows over the atoms."""
        about = [k for k, r in enumerate(self.records) if value is None or r.value == value]
        parts = [self.cells[k][np.flatnonzero(_unsafe(self.records[k]))] for k in about]
        return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, len(self.n)))

    def amounts(self, value: str) -> np.ndarray:
        """Return how much each atom has of a column."""
        members = pd.concat([r.members[["person", "amount"]] for r in self.records if r.value == value])
        by_person = members.groupby("person")["amount"].max()
        found = np.zeros(len(self.n))
        np.add.at(found, self.atom_of[pd.Index(self.persons).get_indexer(by_person.index)], by_person.to_numpy())
        return found

    def units(self, unit: str, value: str | None = None) -> sparse.csr_matrix | None:
        """Return atoms x units: how many persons of a unit, or how much of a column it has; ``None`` if not known."""
        about = [r for r in self.records if value is None or r.value == value]
        if any(unit not in r.members for r in about):
            return None
        pairs = pd.concat([r.members[list(dict.fromkeys(["person", unit, "amount"]))] for r in about])
        if (pairs[unit] == "").any():
            return None
        sizes = pairs["amount"].abs() if value is not None else 1.0
        pairs = pairs.assign(size=sizes).groupby(list(dict.fromkeys(["person", unit])))["size"].max().reset_index()
        atom = self.atom_of[pd.Index(self.persons).get_indexer(pairs["person"])]
        codes, kinds = pd.factorize(pairs[unit])
        return sparse.csr_matrix((pairs["size"].to_numpy(float), (atom, codes)), (len(self.n), max(len(kinds), 1)))

    def of(self, atoms: np.ndarray) -> np.ndarray:
        """Return the hashes of the persons in atoms."""
        return self.persons[np.isin(self.atom_of, atoms)]


def _unsafe(record: Record) -> np.ndarray:
    return (record.cells["primary"] & ~record.cells["published"]).to_numpy(bool)


def with_sums(matrix, sums, amounts, lower) -> LinearTable:
    """Return atoms and sums of them as one table of unknowns, bound by the rows of a matrix."""
    n, m = len(amounts), sums.shape[0]
    top = sparse.hstack([matrix, sparse.csr_matrix((matrix.shape[0], m))])
    relations = sparse.vstack([top, sparse.hstack([sums, -sparse.identity(m)])], format="csr")
    values = np.concatenate([amounts, sums @ amounts])
    return LinearTable(values, relations, np.full(n + m, lower), np.full(n + m, np.inf))


def _consistent(joined: pd.DataFrame, real: pd.DataFrame, keys: set[str], known: frozenset[str]) -> pd.DataFrame:
    """Keep combinations of keys that are possible where one key determines another.

    Of what anyone can see (a school lies in a zone) one school is enough to tell; else three values are.
    """
    names = [k for k in joined if k in keys]
    for a in names:
        for b in names:
            pairs = real[[a, b]].drop_duplicates() if a != b else None
            if pairs is None or pairs[a].duplicated().any() or pairs[b].nunique() < 2:
                continue
            if pairs[a].nunique() < 3 and not {a, b} <= known:
                continue
            joined = joined.merge(pairs, on=[a, b])
    return joined
