"""A sheet as a school would lay it out: titles over the whole width, headers of one or two rows, tables below it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xlsxwriter

_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_LONGEST = 31


@dataclass
class Table:
    """A table of a sheet.

    Attributes
    ----------
    titles : list of list
        Rows above the header; one text alone is merged over the width.
    header : list of (str, str)
        The group of each column, empty for none, and its name.
    rows : list of list
    footers : list of str
    two_rows : bool
        Whether groups stand merged in a row of their own.
    """

    titles: list[list]
    header: list[tuple[str, str]]
    rows: list[list]
    footers: list[str] = field(default_factory=list)
    two_rows: bool = False


class Page:
    """A sheet that is being written."""

    def __init__(self, book: xlsxwriter.Workbook, title: str):
        self.sheet = book.add_worksheet(_title(book, title))
        self.row = 0

    def fill(self, tables: Iterable[Table]) -> None:
        """Write tables below one another, with a blank row between."""
        for table in tables:
            width = max(len(table.header), 2)
            for title in table.titles:
                if len(title) == 1:
                    self.sheet.merge_range(self.row, 0, self.row, width - 1, title[0])
                else:
                    self._write(title)
                self.row += 1
            self._header(table)
            for row in table.rows:
                self._write(row)
                self.row += 1
            for footer in table.footers:
                self.sheet.write_string(self.row, 0, footer)
                self.row += 1
            self.row += 1

    def _write(self, row: list) -> None:
        sheet, number = self.sheet, self.row
        for column, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            elif isinstance(value, int | float):
                sheet.write_number(number, column, value)
            else:
                sheet.write_datetime(number, column, value)

    def _header(self, table: Table) -> None:
        if not table.two_rows:
            self._write([f"{name}({group})" if group else name for group, name in table.header])
            self.row += 1
            return
        column = 0
        for group, members in groupby(table.header, key=lambda pair: pair[0]):
            names = [name for _, name in members]
            if not group:
                for offset, name in enumerate(names):
                    self.sheet.merge_range(self.row, column + offset, self.row + 1, column + offset, name)
            else:
                if len(names) > 1:
                    self.sheet.merge_range(self.row, column, self.row, column + len(names) - 1, group)
                else:
                    self.sheet.write_string(self.row, column, group)
                for offset, name in enumerate(names):
                    self.sheet.write_string(self.row + 1, column + offset, name)
            column += len(names)
        self.row += 2


def _title(book: xlsxwriter.Workbook, title: str) -> str:
    """Return a name that a sheet may have and that no other has."""
    wanted = title.translate(_FORBIDDEN).strip()[:_LONGEST]
    taken = {sheet.get_name().casefold() for sheet in book.worksheets()}
    name, number = wanted, 2
    while name.casefold() in taken:
        name = f"{wanted[: _LONGEST - 5]}({number})"
        number += 1
    return name
