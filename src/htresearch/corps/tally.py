"""Sums by unit and term, and the estimates made from them.

What is counted is counted once in a unit, however many classes or schools of it lead there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from htresearch.corps.catalogue import Definition
from htresearch.language import Text

#: By cell (term and unit) and value of a breakdown: sums of numerators x and denominators m, of their squares and
#: products, how many were counted, in how many schools.
Sums = dict[str, np.ndarray]


@dataclass(frozen=True)
class Level:
    """Units of one kind: their ids, and the unit of each school (-1 for none)."""

    name: str
    ids: list[str]
    of_school: np.ndarray


class Counted:
    """Rows of which those with one `key` are one within a unit, a term and a value of `group`.

    Parameters
    ----------
    rows
        term, school, the key, and columns of codes to break down by.
    key
        The column that tells what is one.
    level
        The units.
    group
        A column of codes to break down by; rows below 0 are left out then.
    """

    def __init__(self, rows: pd.DataFrame, key: str, level: Level, group: str | None = None):
        self.rows, self.key, self.level, self.group = rows, key, level, group
        unit = level.of_school[rows["school"].to_numpy()]
        value = rows[group].to_numpy() if group else np.zeros(len(rows), np.int64)
        self._kept = np.flatnonzero((unit >= 0) & (value >= 0))
        cell = rows["term"].to_numpy() * len(level.ids) + unit
        self._values = int(value.max(initial=0)) + 1
        self._keys = int(rows[key].max()) + 1 if len(rows) else 1
        code = ((cell * self._values + value) * self._keys + rows[key].to_numpy())[self._kept]
        self._codes, first, self._one = np.unique(code, return_index=True, return_inverse=True)
        self.first = self._kept[first]
        self.cell, self.value = cell[self.first], value[self.first]
        self._gathered: tuple[Counted | None, np.ndarray] = (None, np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.rows[column].to_numpy()[self.first]

    def by(self, group: str) -> Counted:
        """Return the same rows broken down by a column."""
        if group not in self._grouped:
            self._grouped[group] = Counted(self.rows, self.key, self.level, group)
        return self._grouped[group]

    @cached_property
    def _grouped(self) -> dict[str, Counted]:
        return {}

    def gather(self, other: Counted, amount: np.ndarray | float = 1.0, where: np.ndarray | None = None) -> np.ndarray:
        """Sum an amount of things over those here whose they are: things have our key as a column."""
        if self._gathered[0] is not other:
            code = (other.cell * self._values) * self._keys + other[self.key]
            self._gathered = (other, np.searchsorted(self._codes, code))
        place = self._gathered[1]
        amounts = np.broadcast_to(np.asarray(amount, float), len(other))
        if where is not None:
            place, amounts = place[where], amounts[where]
        return np.bincount(place, weights=amounts, minlength=len(self))

    def from_whole(self, whole: Counted, amounts: np.ndarray) -> np.ndarray:
        """Return amounts of the rows without a breakdown for those of this one."""
        of_row = np.empty(len(self.rows))
        of_row[whole._kept] = amounts[whole._one]
        return of_row[self.first]

    def sums(self, x: np.ndarray, m: np.ndarray, squares: bool = True) -> Sums:
        """Return sums by cell (term and unit) and value, with the number of those counted and of their schools."""
        there = m != 0
        cell = self.cell * self._values + self.value
        if not there.all():
            cell, x, m = cell[there], x[there], m[there]
        size = int(cell.max(initial=-1)) + 1
        weights = {"n": None, "x": x, "m": m} | ({"xx": x * x, "xm": x * m, "mm": m * m} if squares else {})
        made = {name: np.bincount(cell, weights=w, minlength=size) for name, w in weights.items()}
        found = np.flatnonzero(made["n"])
        where = {"cell": found // self._values, "value": found % self._values}
        schools = self._schools(there, found)
        return where | {name: made[name][found] for name in weights} | {"schools": schools}

    def _schools(self, there: np.ndarray, found: np.ndarray) -> np.ndarray:
        if self.level.name == "school":
            return np.ones(len(found), np.int64)
        rows = self._kept[there[self._one]]
        term, school = (self.rows[name].to_numpy()[rows] for name in ("term", "school"))
        value = self.rows[self.group].to_numpy()[rows] if self.group else 0
        # A school is in one unit only, so it need not be told from the same school elsewhere.
        shape = (int(term.max(initial=-1)) + 1, self._values, len(self.level.of_school))
        hit = np.zeros(shape, bool)
        hit[term, value, school] = True
        term, value, school = np.nonzero(hit)
        cell = term * len(self.level.ids) + self.level.of_school[school]
        return np.bincount(cell * self._values + value, minlength=int(found.max(initial=-1)) + 1)[found]


@dataclass
class Tally:
    """The sums of all indicators for units of one kind."""

    level: Level
    terms: int
    wanted: frozenset[str]
    known: Mapping[str, Definition]
    parts: dict[tuple[str, str], list[Sums]] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)  # of breakdowns by what is no vocabulary
    why: dict[str, Text] = field(default_factory=dict)
    why_in: dict[tuple[str, int], Text] = field(default_factory=dict)
    _counted: dict[tuple[int, str], Counted] = field(default_factory=dict)

    def wants(self, *names: str) -> bool:
        """Tell whether any of these is asked for and can be computed."""
        return any(name in self.wanted and name not in self.why for name in names)

    def counted(self, rows: pd.DataFrame, key: str) -> Counted:
        """Return rows counted by a key in the units; the same rows are looked through once."""
        known = (id(rows), key)  # of rows that are kept, so that no others can have the id
        if known not in self._counted:
            self._counted[known] = Counted(rows, key, self.level)
        return self._counted[known]

    def refuse(self, name: str, why: Text, terms: Iterable[int] | None = None) -> None:
        """Say why an indicator cannot be computed, at all or in some terms."""
        if terms is None:
            self.why[name] = why
        else:
            self.why_in |= {(name, term): why for term in terms}

    def add(
        self,
        name: str,
        of: Counted,
        x: np.ndarray | float,
        m: np.ndarray | float = 1.0,
        broken_down: bool = True,
    ) -> None:
        """Add the whole of an indicator and its breakdowns by columns of the rows.

        Parameters
        ----------
        name
            The indicator.
        of
            Those counted.
        x, m
            What each adds to the numerator and to the denominator.
        broken_down
            Whether the breakdowns are those of the rows; otherwise they are added value by value.
        """
        if not self.wants(name):
            return
        x, m = (np.broadcast_to(np.asarray(v, float), len(of)) for v in (x, m))
        squares = self.known[name].interval == "ratio"
        self._keep(name, "", of.sums(x, m, squares))
        for group in self.known[name].groups if broken_down else ():
            if group in of.rows:
                rows = of.by(group)
                self._keep(name, group, rows.sums(rows.from_whole(of, x), rows.from_whole(of, m), squares))

    def add_value(self, name: str, group: str, value: int, of: Counted, x: np.ndarray, m: np.ndarray | float = 1.0):
        """Add one value of a breakdown that is no column of those counted."""
        if self.wants(name):
            x, m = (np.broadcast_to(np.asarray(v, float), len(of)) for v in (x, m))
            sums = of.sums(x, m, self.known[name].interval == "ratio")
            self._keep(name, group, sums | {"value": np.full(len(sums["cell"]), value)})

    def add_spread(self, name: str, sums: pd.DataFrame) -> None:
        """Add sums of squares (x) and degrees of freedom (m) by cell and value of the breakdown, and their sum."""
        if not self.wants(name):
            return
        (group,) = self.known[name].groups
        whole = sums.groupby("cell", as_index=False).agg(x=("x", "sum"), m=("m", "sum"), schools=("schools", "max"))
        # A class may be in several measures.
        for kind, part in (("", whole.assign(value=0, n=np.nan)), (group, sums)):
            self._keep(name, kind, {column: part[column].to_numpy() for column in part})

    def add_rates(self, name: str, term: int, ours: tuple[int, int], theirs: tuple[int, int], none: Text) -> None:
        """Add one rate over another, (count, of how many) each; `none` says why where a side has none."""
        (x, of_x), (y, of_y) = ours, theirs
        # What the interval of a ratio of rates is made of: the two counts.
        row = {"cell": term, "value": 0, "x": x * of_y, "m": y * of_x, "xx": x, "mm": y}
        row |= {"n": of_x, "schools": np.nan}
        self._keep(name, "", {column: np.array([value]) for column, value in row.items()})
        if not (x and y):
            self.refuse(name, none, [term])

    def _keep(self, name: str, group: str, sums: Sums) -> None:
        self.parts.setdefault((name, group), []).append(sums)
