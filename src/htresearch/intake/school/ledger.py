"""What is found while sheets are read: faults by file, sheet and cell, what is left out, what is worth a note."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from htresearch.checks import require
from htresearch.errors import Fault, IntakeError
from htresearch.identifiers import mask
from htresearch.intake.place import masked
from htresearch.intake.receipt import MOST_PLACES, Exclusion
from htresearch.intake.workbook import cell
from htresearch.language import Text

#: What shows that a text is about a class, a school, a term or a column, not about a person.
_PLACE = re.compile(r"[班级届校院学列/]")
#: Faults of one rule in one sheet that are listed each; how many more there are follows.
AT_MOST = 20


@dataclass(frozen=True)
class Where:
    """A sheet of a file."""

    file: str
    sheet: str

    def __str__(self) -> str:
        return " · ".join(part for part in (self.file, self.sheet) if part)

    def cell(self, row: int, column: int) -> Spot:
        """Return a cell; rows and columns are counted from 0."""
        return Spot(self, row, column)

    def row(self, row: int) -> Spot:
        """Return a row, counted from 0."""
        return Spot(self, row, None)

    def whole(self) -> Spot:
        """Return the sheet itself."""
        return Spot(self, None, None)


class Spot(NamedTuple):
    """A cell of a sheet, or a row, or the whole sheet; row and column are counted from 0."""

    where: Where
    row: int | None
    column: int | None

    @property
    def said(self) -> Text | str:
        """The place as a message names it."""
        if self.row is None:
            return str(self.where)
        if self.column is None:
            return Text(f"{self.where} · 第 {self.row + 1} 行", f"{self.where} · row {self.row + 1}")
        return f"{self.where} · {cell(self.row, self.column)}"

    def __str__(self) -> str:
        return str(self.said)


@dataclass
class _Counted:
    """How often a rule held, and where."""

    rule: Text
    count: int = 0
    where: list[str | Text] = field(default_factory=list)

    @property
    def exclusion(self) -> Exclusion:
        return Exclusion(self.rule, self.count, tuple(self.where))


class Ledger:
    """Faults, exclusions and notes of one reading.

    Attributes
    ----------
    rows_in, rows_kept : int
        Rows below the headers, and those that went into a table.
    """

    def __init__(self):
        self._faults: dict[tuple[str, str], dict[object, Fault]] = {}
        self._beyond: Counter[tuple[str, str]] = Counter()
        self._left: dict[str, _Counted] = {}
        self._seen: dict[str, _Counted] = {}
        self.notes: dict[str, Text] = {}
        self.rows_in = self.rows_kept = 0

    def fault(self, place: Spot, rule: Text, fix: Text, value: object = None) -> None:
        """Keep a fault; of many that break one rule in one sheet the first are listed, the others counted."""
        key = str(place.where), rule.en
        known = self._faults.setdefault(key, {})
        if len(known) < AT_MOST:
            fault = Fault(place.said, rule, fix, _shown(value))
            known.setdefault(len(known) if place in known else place, fault)
        else:
            self._beyond[key] += 1

    def fault_once(self, place: Spot, rule: Text, fix: Text, value: object = None) -> None:
        """Keep a fault unless the same place breaks the same rule already."""
        if place not in self._faults.get((str(place.where), rule.en), {}):
            self.fault(place, rule, fix, value)

    def leave_out(self, rule: Text, place: Spot | str, count: int = 1) -> None:
        """Count rows below a header that go into no table."""
        _count(self._left, rule, place, count)

    def find(self, rule: Text, place: Spot | str, count: int = 1) -> None:
        """Count what was seen, apart from rows left out: cells and columns left aside, words read as others."""
        _count(self._seen, rule, place, count)

    def note(self, text: Text) -> None:
        """Keep a sentence on how the sheets were read, once."""
        self.notes.setdefault(text.en, text)

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """Why rows were left out."""
        return tuple(counted.exclusion for counted in self._left.values())

    @property
    def findings(self) -> tuple[Exclusion, ...]:
        """What was seen."""
        return tuple(counted.exclusion for counted in self._seen.values())

    def places(self, rule: Text) -> tuple[Text | str, ...]:
        """Return where something was seen."""
        return tuple(self._seen[rule.en].where) if rule.en in self._seen else ()

    @property
    def faults(self) -> list[Fault]:
        """Every fault, sheet by sheet."""
        return list(self._listed())

    def _listed(self) -> Iterable[Fault]:
        for key, found in self._faults.items():
            yield from (faults := list(found.values()))
            if more := self._beyond[key]:
                rule = Text("另有 {n:,} 处：{rule}", "{n:,} more of this kind: {rule}").format(
                    n=more, rule=faults[0].rule
                )
                yield Fault(key[0], rule, faults[0].fix)

    def require(self) -> None:
        """Raise one `IntakeError` with every fault, if there is any."""
        require(*self.faults, error=IntakeError)


def _shown(value: object) -> object:
    """Return a value as a message may show it: what could be a person's name or number is covered."""
    if isinstance(value, str) and _PLACE.search(value):
        return mask(value)
    return masked(str(value) if isinstance(value, int | float) else value)


def _count(listed: dict[str, _Counted], rule: Text, place: Spot | str, count: int) -> None:
    counted = listed.setdefault(rule.en, _Counted(rule))
    counted.count += count
    if len(counted.where) < MOST_PLACES:
        counted.where.append(place.said if isinstance(place, Spot) else place)
