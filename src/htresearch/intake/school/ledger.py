"""What is found while sheets are read: every fault by file, sheet and cell, what is left out, and what is worth a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from htresearch.checks import require
from htresearch.errors import Fault, IntakeError
from htresearch.intake.receipt import MOST_PLACES, Exclusion
from htresearch.intake.workbook import cell
from htresearch.language import Text

#: Faults of one rule in one sheet that are listed each; how many more there are follows.
AT_MOST = 20


@dataclass(frozen=True)
class Where:
    """A sheet of a file."""

    file: str
    sheet: str

    def __str__(self) -> str:
        return " · ".join(part for part in (self.file, self.sheet) if part)

    def cell(self, row: int, column: int) -> str:
        """Name a cell; rows and columns are counted from 0."""
        return f"{self} · {cell(row, column)}"

    def row(self, row: int) -> Text:
        """Name a row, counted from 0."""
        return Text(f"{self} · 第 {row + 1} 行", f"{self} · row {row + 1}")


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
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        self._beyond: Counter[tuple[str, str]] = Counter()
        self._left: dict[str, _Counted] = {}
        self._seen: dict[str, _Counted] = {}
        self.notes: dict[str, Text] = {}
        self.rows_in = self.rows_kept = 0

    def fault(self, sheet: Where, place: str | Text, rule: Text, fix: Text, value: object = None) -> None:
        """Keep a fault; of many that break one rule in one sheet the first are listed, the others counted."""
        key = str(sheet), rule.en
        known = self._faults.setdefault(key, [])
        if len(known) < AT_MOST:
            known.append(Fault(place, rule, fix, value))
        else:
            self._beyond[key] += 1

    def fault_once(self, sheet: Where, place: str | Text, rule: Text, fix: Text, value: object = None) -> None:
        """Keep a fault unless the same place breaks the same rule already."""
        if all(str(known.where) != str(place) for known in self._faults.get((str(sheet), rule.en), ())):
            self.fault(sheet, place, rule, fix, value)

    def leave_out(self, rule: Text, place: str | Text, count: int = 1) -> None:
        """Count rows below a header that go into no table."""
        _count(self._left, rule, place, count)

    def find(self, rule: Text, place: str | Text, count: int = 1) -> None:
        """Count what was seen, apart from rows left out: cells and columns left aside, words that were read as others."""
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

    @property
    def faults(self) -> list[Fault]:
        """Every fault, sheet by sheet."""
        return list(self._listed())

    def _listed(self) -> Iterable[Fault]:
        for key, faults in self._faults.items():
            yield from faults
            if more := self._beyond[key]:
                rule = Text("另有 {n:,} 处：{rule}", "{n:,} more of this kind: {rule}").format(n=more, rule=faults[0].rule)
                yield Fault(key[0], rule, faults[0].fix)

    def require(self) -> None:
        """Raise one `IntakeError` with every fault, if there is any."""
        require(*self.faults, error=IntakeError)


def _count(listed: dict[str, _Counted], rule: Text, place: str | Text, count: int) -> None:
    left = listed.setdefault(rule.en, _Counted(rule))
    left.count += count
    if len(left.where) < MOST_PLACES:
        left.where.append(place)
