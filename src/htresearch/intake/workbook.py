"""Workbooks and text tables opened safely: what a file would cost is found out before anything is loaded.

Formulas are never evaluated (the values that were saved are read), macros and links to other files are not looked
at, and a file is known by what it holds, not by its name.
"""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from htresearch.errors import Fault, IntakeError
from htresearch.language import Text

#: Cells of a sheet, empty ones inside its rectangle included: half a gigabyte while it is read.
MOST_CELLS = 20_000_000
#: Bytes that a file may unpack to, and bytes of text that its cells may hold.
MOST_BYTES = 2_000_000_000
_MOST_PARTS = 10_000
_PIECE = 1 << 22

_SAVE_AS = Text("请在 Excel 或 WPS 中另存为 .xlsx 再试", "Save it as .xlsx from Excel or WPS and try again")
_ONE_SHEET = Text(
    "请删去表格右边和下边的空行空列（或把内容复制到新工作簿）再试",
    "Copy the filled part into a new workbook and try again",
)


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
        Cells whose formula failed (#N/A, #DIV/0!); their value is None too.
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
    if not path.is_file():
        raise _refused(path, Text("没有这个文件", "there is no such file"), Text("请检查路径", "Check the path"))
    if path.suffix.lower() in (".et", ".ett"):
        raise _refused(path, Text("是 WPS 自有的格式", "is in WPS's own format"), _SAVE_AS)
    with path.open("rb") as file:
        start = file.read(512)
    if not start.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise _refused(path, Text("文件是空的", "the file is empty"), Text("请重新导出", "Export it again"))
    if start.startswith(b"PK"):
        return _read_workbook(path, _check_package(path))
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return _read_workbook(path, {})
    if re.match(rb"(\xef\xbb\xbf)?\s*(<!doctype|<html|<\?xml|<table)", start, re.IGNORECASE):
        rule = Text("其实是网页或 XML，只是扩展名像表格", "is a web page or XML under the name of a table")
        raise _refused(path, rule, _SAVE_AS)
    return _read_text(path)


def _refused(path: Path, rule: Text, fix: Text, value: object = None) -> IntakeError:
    return IntakeError(Fault(path.name, rule, fix, value))


# --- workbooks ------------------------------------------------------------------------------------------------------


def _damaged(path: Path) -> IntakeError:
    return _refused(
        path, Text("不是可读的工作簿，可能已损坏", "is no readable workbook and may be damaged"), _SAVE_AS
    )


def _read_workbook(path: Path, errors: dict[str, tuple[str, ...]]) -> Workbook:
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(str(path)) as book:
            sheets = tuple(_sheet(path, book, meta, errors) for meta in book.sheets_metadata if _holds_cells(meta))
    except calamine.PasswordError:
        rule = Text("有密码保护", "is protected by a password")
        raise _refused(path, rule, Text("请去掉密码后另存", "Save it without the password")) from None
    except (calamine.CalamineError, OSError, ValueError, OverflowError):
        raise _damaged(path) from None
    except BaseException as error:
        # What the reader could not foresee in a damaged file arrives as a panic of its own kind.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(path) from None
    if not sheets:
        raise _refused(path, Text("没有工作表", "has no sheet with cells"), _SAVE_AS)
    return Workbook(path, sheets)


def _holds_cells(meta) -> bool:
    return str(meta.typ).rpartition(".")[2] == "WorkSheet"


def _sheet(path: Path, book, meta, errors: dict[str, tuple[str, ...]]) -> Sheet:
    read = book.get_sheet_by_name(meta.name)
    height, width = read.total_height, read.total_width
    if height * width > MOST_CELLS:
        raise _too_many(path, height, width, meta.name)
    # Row by row, and equal texts once: answers repeat, so this halves the memory that a large export takes.
    texts: dict[str, str] = {}
    left = [None] * (read.start or (0, 0))[1]  # empty columns before the first cell are not given
    known = texts.setdefault
    rows = [left + [known(v, v) if type(v) is str and v else _value(v) for v in row] for row in read.iter_rows()]
    while rows and all(v is None for v in rows[-1]):
        rows.pop()
    merged = tuple(((a, b), (c, d)) for (a, b), (c, d) in read.merged_cell_ranges or ())
    hidden = str(meta.visible).rpartition(".")[2] != "Visible"
    return Sheet(meta.name, rows, merged, hidden, errors.get(meta.name, ()))


def _value(value: object) -> object:
    if value == "":
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def _too_many(path: Path, height: int, width: int, name: str) -> IntakeError:
    return _refused(
        path,
        Text(
            f"工作表“{name}”的范围有 {height:,} 行 {width:,} 列，超过一次能读的 {MOST_CELLS:,} 格",
            f"sheet {name!r} spans {height:,} rows by {width:,} columns, more than the {MOST_CELLS:,} cells that can "
            "be read at once",
        ),
        _ONE_SHEET,
    )


def _check_package(path: Path) -> dict[str, tuple[str, ...]]:
    """Refuse a package that would unpack to more than it may, or whose few cells span a huge rectangle.

    Returns the cells with a failed formula by sheet, which the reader gives as empty.
    """
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
                raise _refused(
                    path,
                    Text("解压后过大", "would unpack to far too much"),
                    Text("请另存为新工作簿，或拆成几个文件", "Save it as a new workbook, or split it"),
                )
            if any(part.flag_bits & 1 for part in parts):
                raise _refused(path, Text("压缩包有密码", "is an encrypted archive"), _SAVE_AS)
            strings = [part for part in parts if part.filename.lower().endswith("sharedstrings.xml")]
            lengths = np.concatenate([_string_lengths(package, part) for part in strings] or [np.empty(0, np.int64)])
            errors = {
                part.filename: _check_sheet(path, package, part, lengths)
                for part in parts
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part.filename, re.IGNORECASE)
            }
            names = _sheet_names(package) if any(errors.values()) else {}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise _damaged(path) from None
    return {names[part]: found for part, found in errors.items() if part in names}


def _sheet_names(package: zipfile.ZipFile) -> dict[str, str]:
    """Return the name of each sheet by its part in the package."""
    parts = {}
    for tag in re.findall(rb"<(?:\w+:)?Relationship [^>]*>", package.read("xl/_rels/workbook.xml.rels")):
        there = dict(re.findall(r'(\w+)="([^"]*)"', tag.decode("utf-8", "replace")))
        parts[there.get("Id")] = "xl/" + there.get("Target", "").removeprefix("/xl/")
    names = {}
    for tag in re.findall(rb"<(?:\w+:)?sheet [^>]*>", package.read("xl/workbook.xml")):
        there = dict(re.findall(r'([\w:]+)="([^"]*)"', tag.decode("utf-8", "replace")))
        names[parts.get(there.get("r:id"))] = html.unescape(there.get("name", ""))
    return names


def _pieces(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the part piece by piece, each beginning with the end of the one before, so that no cell is cut."""
    with package.open(part) as stream:
        tail = b""
        while piece := stream.read(_PIECE):
            piece = tail + piece
            cut = piece.rfind(b"<") if len(piece) < 2 * _PIECE else -1
            piece, tail = (piece, b"") if cut <= 0 else (piece[:cut], piece[cut:])
            yield piece
        yield tail


def _check_sheet(path: Path, package: zipfile.ZipFile, part: zipfile.ZipInfo, lengths: np.ndarray) -> tuple[str, ...]:
    """Refuse a sheet of too many cells or too much text; return its cells with a failed formula."""
    columns: set[bytes] = {b"A"}
    last_row, rows, text, errors = 1, 0, 0, []
    long = len(lengths) and lengths.max() * part.file_size / 12 > MOST_BYTES
    for piece in _pieces(package, part):
        rows += piece.count(b"<row")
        last_row = max([last_row, *(int(r) for r in re.findall(rb'<(?:\w+:)?row\b[^>]*? r="(\d{1,9})"', piece))])
        columns.update(re.findall(rb' r="([A-Z]{1,3})\d', piece))
        errors += re.findall(rb'<(?:\w+:)?c r="([A-Z]{1,3}\d{1,7})"[^>]* t="e"', piece) if b't="e"' in piece else []
        if long:  # one long text that a million cells refer to is a million copies once it is read
            refers = np.array(re.findall(rb't="s"[^>]*>\s*<v>(\d{1,9})<', piece), dtype=np.int64)
            text += int(lengths[refers[refers < len(lengths)]].sum())
    width = max(_column_number(name) for name in columns)
    height = max(last_row, rows)
    if height * width > MOST_CELLS:
        raise _too_many(path, height, width, Path(part.filename).stem)
    if text > MOST_BYTES:
        raise _refused(path, Text("单元格的文字总量过大", "its cells hold far too much text"), _ONE_SHEET)
    return tuple(name.decode() for name in errors)


def _string_lengths(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> np.ndarray:
    """Return about how long each shared text is."""
    ends, at = [], 0
    for piece in _pieces(package, part):
        ends += [at + match.start() for match in re.finditer(rb"</(?:\w+:)?si>", piece)]
        at += len(piece)
    return np.diff(np.array([0, *ends], dtype=np.int64))


def _column_number(name: bytes) -> int:
    number = 0
    for letter in name:
        number = 26 * number + letter - 64
    return number


# --- text -----------------------------------------------------------------------------------------------------------


def _read_text(path: Path) -> Workbook:
    if path.stat().st_size > MOST_BYTES // 4:
        rule = Text("文本文件过大（超过 500 MB）", "the text is too large (over 500 MB)")
        raise _refused(path, rule, Text("请拆成几个文件", "Split it into several files"))
    text, encoding = _decoded(path)
    if "\0" in text:
        raise _refused(path, Text("不是文本表格，也不是工作簿", "is neither a text table nor a workbook"), _SAVE_AS)
    delimiter = _delimiter(text)
    csv.field_size_limit(1 << 26)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, cells = [], 0
    texts: dict[str, str] = {}
    try:
        for row in reader:
            cells += len(row)
            if cells > MOST_CELLS:
                raise _too_many(path, len(rows), len(row), path.name)
            rows.append([texts.setdefault(value, value) if value else None for value in row])
    except csv.Error as error:
        where = Text(f"{path.name} 第 {reader.line_num} 行附近", f"{path.name}, about line {reader.line_num}")
        rule = Text(f"不是可读的 CSV（{error}）", f"is not readable CSV ({error})")
        raise IntakeError(
            Fault(where, rule, Text("请检查引号是否成对", "See whether quotation marks come in pairs"))
        ) from None
    while rows and all(v is None for v in rows[-1]):
        rows.pop()
    if not rows:
        raise _refused(path, Text("文件是空的", "the file is empty"), Text("请重新导出", "Export it again"))
    return Workbook(path, (Sheet("", rows),), encoding)


def _decoded(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if marked else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise _refused(
        path,
        Text("既不是 UTF-8 也不是 GB18030 编码的文本", "is text in neither UTF-8 nor GB18030"),
        Text("请另存为“CSV UTF-8（逗号分隔）”或 .xlsx", "Save it as “CSV UTF-8 (comma delimited)” or .xlsx"),
    )


def _delimiter(text: str) -> str:
    """Return the delimiter that the first line with any has most of."""
    for line in text.splitlines()[:20]:
        counts = {mark: line.count(mark) for mark in (",", "\t", ";")}
        if any(counts.values()):
            return max(counts, key=counts.get)
    return ","
