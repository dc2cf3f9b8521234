"""Workbooks and text tables opened safely: what a file would cost is found out before anything is loaded.

Formulas are never evaluated (the values that were saved are read), macros and links to other files are not looked
at, and a file is known by what it holds, not by its name.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from htresearch.errors import IntakeError
from htresearch.intake import delimited, kinds, limits
from htresearch.intake.limits import SAVE_AS, damaged, refused
from htresearch.intake.package import check_package
from htresearch.language import Text


@dataclass(frozen=True, eq=False)
class Sheet:
    """One sheet as it was saved.

    Attributes
    ----------
    name : str
        Empty for a text file.
    rows : list of list
        Cells from A1 on: text, numbers, truth values, dates and times; None where a cell is empty.
    merged : tuple of ((int, int), (int, int))
        First and last cell of each merged range, rows and columns from 0.
    hidden : bool
    errors : tuple of str
        Cells whose formula failed (#N/A, #DIV/0!) or was saved without its result; their value is None too.
    """

    name: str
    rows: list[list]
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    hidden: bool = False
    errors: tuple[str, ...] = ()

    @property
    def spread(self) -> list[list]:
        """The rows with the value of a merged range in all of its cells."""
        rows = [list(row) for row in self.rows]
        for (top, left), (bottom, right) in self.merged:
            if top >= len(rows) or left >= len(rows[top]):
                continue
            for row in rows[top : bottom + 1]:
                row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
        return rows


@dataclass(frozen=True, eq=False)
class Workbook:
    """The sheets of a file; a text file has one.

    Attributes
    ----------
    path : pathlib.Path
    sheets : tuple of Sheet
    encoding : str
        Of a text file; empty for a workbook.
    """

    path: Path
    sheets: tuple[Sheet, ...]
    encoding: str = ""


def column_name(column: int) -> str:
    """Return the letters of a column counted from 0.

    Examples
    --------
    >>> column_name(27)
    'AB'
    """
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def cell(row: int, column: int) -> str:
    """Return the name of a cell; rows and columns are counted from 0.

    Examples
    --------
    >>> cell(6, 2)
    'C7'
    """
    return f"{column_name(column)}{row + 1}"


def open_table(path: str | Path) -> Workbook:
    """Open a workbook (xlsx, xlsm, xls, ods) or a text table (csv, tsv; UTF-8, UTF-16 or GB18030).

    Parameters
    ----------
    path
        The file; its content says what it is.

    Returns
    -------
    Workbook

    Raises
    ------
    IntakeError
        If there is no such file, or it is none of these, damaged, protected by a password, or larger than can be
        read safely.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "list.csv"
    >>> _ = file.write_text("name,class\\nA,3\\n", encoding="utf-8")
    >>> open_table(file).sheets[0].rows
    [['name', 'class'], ['A', '3']]
    """
    path = Path(path)
    start = kinds.start(path)
    if start.startswith(b"PK"):
        return _read_workbook(path, check_package(path))
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        _try_out(path)
        return _read_workbook(path, {})
    rows, encoding = delimited.read(path)
    return Workbook(path, (Sheet("", rows),), encoding)


# --- workbooks ------------------------------------------------------------------------------------------------------


#: Reads the sheets and keeps nothing; the memory that it may take is bounded where the system can.
_TRIAL = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
except (ImportError, OSError, ValueError):
    pass
import python_calamine
with open(sys.argv[1], "rb") as file, python_calamine.CalamineWorkbook.from_filelike(file) as book:
    for name in book.sheet_names:
        book.get_sheet_by_name(name)
"""


def _try_out(path: Path) -> None:
    """Refuse an old workbook at which the reader would take the whole program down with it.

    What such a file spans stands inside the records, so it is opened by another process first: one that says of a
    cell that it is in the last row and the last column of all takes a hundred gigabytes.
    """
    tried = subprocess.run(
        [sys.executable, "-P", "-c", _TRIAL, str(path.resolve())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if tried.returncode not in (0, 1):  # 1: it said what is wrong, and will again
        raise damaged(path)


def _read_workbook(path: Path, errors: dict[str, tuple[str, ...]]) -> Workbook:
    import python_calamine as calamine

    try:
        # By its content: the name would be believed otherwise.
        with path.open("rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            sheets = tuple(_sheet(path, book, meta, errors) for meta in book.sheets_metadata if _holds_cells(meta))
    except calamine.PasswordError:
        rule = Text("有密码保护", "is protected by a password")
        raise refused(path, rule, Text("请去掉密码后另存", "Save it without the password")) from None
    except (calamine.CalamineError, OSError, ValueError, OverflowError):
        raise _no_book(path) from None
    except BaseException as error:
        # What the reader could not foresee in a damaged file arrives as a panic of its own kind.
        if type(error).__name__ != "PanicException":
            raise
        raise _no_book(path) from None
    if not sheets:
        raise refused(path, Text("没有工作表", "has no sheet with cells"), SAVE_AS)
    return Workbook(path, sheets)


def _no_book(path: Path) -> IntakeError:
    try:
        return kinds.old_word(path) or damaged(path)
    except OSError as error:
        return limits.unreadable(path, error)


def _holds_cells(meta) -> bool:
    return str(meta.typ).rpartition(".")[2] == "WorkSheet"


def _sheet(path: Path, book, meta, errors: dict[str, tuple[str, ...]]) -> Sheet:
    read = book.get_sheet_by_name(meta.name)
    height, width = read.total_height, read.total_width
    if height * width > limits.MOST_CELLS:
        raise limits.too_many(path, height, width, meta.name)
    left = [None] * (read.start or (0, 0))[1]  # empty columns before the first cell are not given
    value = _Values().__getitem__
    with _no_collection():
        rows = [left + list(map(value, row)) for row in read.iter_rows()]
    while rows and all(v is None for v in rows[-1]):
        rows.pop()
    merged = tuple(((a, b), (c, d)) for (a, b), (c, d) in read.merged_cell_ranges or ())
    hidden = str(meta.visible).rpartition(".")[2] != "Visible"
    return Sheet(meta.name, rows, merged, hidden, errors.get(meta.name, ()))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for rubbish again and again among lists of which none is."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Values(dict):
    """What cells hold, by what the reader gives; equal texts once, which halves the memory that answers take."""

    def __missing__(self, given: object) -> object:
        if isinstance(given, str):
            return self.setdefault(given, given or None)
        # Numbers are not kept: 1, 1.0 and True would be one key.
        if isinstance(given, timedelta):
            return given.total_seconds()
        return int(given) if isinstance(given, float) and given.is_integer() and abs(given) < 1e15 else given
