"""The records of a class study while they are read: where they stand, and one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from htresearch.intake.workbook import Sheet
from htresearch.language import Text


@dataclass(eq=False)
class Record:
    """One row that holds a record: its cells, and what they mean as far as it is read."""

    row: int
    held: Mapping[str, object]
    read: dict[str, object] = field(default_factory=dict)


@dataclass(eq=False)
class Table:
    """Where the records stand.

    Attributes
    ----------
    rows : list of list
    header : int
        The row of the headings, from 0.
    columns : dict of str to int
        The place of each known column.
    place : callable
        Names a cell (row and column name) in a message.
    sheet : Sheet or None
        Where merged cells and failed formulas are known.
    """

    rows: list[list]
    header: int
    columns: dict[str, int]
    place: Callable[[int, str], Text | str]
    sheet: Sheet | None = None
