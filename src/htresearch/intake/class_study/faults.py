"""Everything that is wrong with a class study, gathered while it is read, and what was passed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from htresearch import checks
from htresearch.errors import ArgumentError, Fault, IntakeError
from htresearch.intake.entries import Unread
from htresearch.intake.place import masked
from htresearch.language import Text


def shown(value: object) -> object:
    """Return a value as it may be said: numbers as a spreadsheet shows them, words with names covered."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    covered = masked(value)
    return value if isinstance(value, int | float) and covered == str(value) else covered


def path_fault(path: object) -> Fault | None:
    """Refuse what is no path."""
    if isinstance(path, str | Path) and "\0" not in str(path):
        return None
    return Fault(
        checks.argument("path"),
        Text("不是路径", "is no path"),
        Text("请给文件的路径", "Give a path"),
        repr(path)[:40],
    )


@dataclass(eq=False)
class Findings:
    """Collects faults and notes; `settle` raises all faults at once."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)

    def refuse(self, where: Text | str, zh: str, en: str, fix: tuple[str, str], value: object = None) -> None:
        """Add a fault; what its value could tell of a person is covered."""
        self.faults.append(Fault(where, Text(zh, en), Text(*fix), shown(value)))

    def note(self, zh: str, en: str) -> None:
        """Add a note."""
        self.notes.append(Text(zh, en))

    def read(self, where: Text | str, value: object, reader: Callable, *more: object) -> object:
        """Return what a cell means; None, and a fault, where it means nothing."""
        try:
            return reader(value, *more)
        except Unread as unread:
            self.faults.append(Fault(where, unread.rule, unread.fix, shown(value)))
            return None

    def settle(self, from_file: bool = True) -> None:
        """Raise every fault that was found."""
        if self.faults:
            raise (IntakeError if from_file else ArgumentError)(*self.faults)
