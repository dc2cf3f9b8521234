"""The package of a workbook looked into before anything is loaded: what it unpacks to and what it spans."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from htresearch.intake import limits
from htresearch.intake.kinds import no_workbook
from htresearch.intake.limits import FILLED_PART, SAVE_AS, damaged, refused
from htresearch.language import Text

_MOST_PARTS = 10_000
_PIECE = 1 << 22
#: A formula whose result was not saved; an empty text (t="str") is a result.
_UNSAVED = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]{1,3}\d{1,7})"(?![^>]* t="str")[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)'
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)

_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s/>])")
#: Attributes that say where a row or a cell is, and what they say: the number of its row, the letters of its column.
_PLACE = re.compile(rb"\sr\s*=\s*[\"']")
_NUMBERS = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]*(\d{1,20})[\"']")
_COLUMNS = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]+)\d")
#: A cell that does not say where it is: it stands behind the one before.
_NAMELESS = re.compile(rb"<(?:\w+:)?c(?:(?=\s)(?![^<>]*\sr\s*=)[^<>]*)?/?>")


def check_package(path: Path) -> dict[str, tuple[str, ...]]:
    """Refuse a package that would unpack to more than it may, or whose few cells span a huge rectangle.

    Returns the cells by sheet whose formula failed or was saved without its result, which the reader gives as empty.
    """
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > limits.MOST_BYTES:
                raise refused(
                    path,
                    Text("解压后过大", "would unpack to far too much"),
                    Text("请另存为新工作簿，或拆成几个文件", "Save it as a new workbook, or split it"),
                )
            if (other := no_workbook(path, package.namelist())) is not None:
                raise other
            if any(re.fullmatch(r"xl/worksheets/[^/]+\.bin", part.filename, re.IGNORECASE) for part in parts):
                raise refused(path, Text("是二进制工作簿（.xlsb）", "is a binary workbook (.xlsb)"), SAVE_AS)
            if any(part.flag_bits & 1 for part in parts):
                raise refused(path, Text("压缩包有密码", "is an encrypted archive"), SAVE_AS)
            strings = [part for part in parts if part.filename.lower().endswith("sharedstrings.xml")]
            lengths = np.concatenate([_string_lengths(package, part) for part in strings] or [np.empty(0, np.int64)])
            errors = {
                part.filename: _check_sheet(path, package, part, lengths) for part in parts if _may_be_sheet(part)
            }
            if any(_hides_sheet(package, part) for part in parts if not _may_be_sheet(part)):
                raise damaged(path)
            names = _sheet_names(package) if any(errors.values()) else {}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ):
        raise damaged(path) from None
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


def _may_be_sheet(part: zipfile.ZipInfo) -> bool:
    """Tell whether a part is looked into as a sheet: its name need not be the usual one."""
    name = part.filename.lower()
    return name.startswith("xl/") and not name.endswith((".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".bmp"))


def _hides_sheet(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Tell whether a sheet stands where none is looked for, such as under the name of a picture."""
    with package.open(part) as stream:
        tail = b""
        while piece := stream.read(_PIECE):
            if b"sheetData" in tail + piece:
                return True
            tail = piece[-10:]
    return False


def _pieces(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the part piece by piece, each beginning with a tag, so that none is cut.

    Raises
    ------
    ValueError
        If a tag, or the text between two, is longer than any that a spreadsheet writes.
    """
    with package.open(part) as stream:
        tail = b""
        while piece := stream.read(_PIECE):
            piece = tail + piece
            cell = max(piece.rfind(b"<c "), piece.rfind(b":c "))
            cut = piece.rfind(b"<", 0, max(cell, 0) + 1)
            cut = piece.rfind(b"<") if cut <= 0 else cut
            if cut <= 0 and len(piece) > 2 * _PIECE:
                raise ValueError("an endless tag")
            tail = piece[max(cut, 0) :]
            if cut > 0:
                yield piece[:cut]
        yield tail


def _check_sheet(path: Path, package: zipfile.ZipFile, part: zipfile.ZipInfo, lengths: np.ndarray) -> tuple[str, ...]:
    """Refuse a sheet of too many cells or too much text; return its cells whose formula left no value."""
    columns, numbers, spans = {b"A"}, {b"1"}, (0, 0)
    strange, nameless, rows, text, is_sheet, errors = 0, _Longest(), 0, 0, False, []
    long = len(lengths) and lengths.max() * part.file_size / 12 > limits.MOST_BYTES
    for piece in _pieces(package, part):
        is_sheet = is_sheet or b"sheetData" in piece
        if (usual := _as_usual(piece)) is not None:
            rows += usual.rows
            spans = max(spans[0], usual.height), max(spans[1], usual.width)
            nameless.pass_over(usual.rows)
        else:
            rows += len(_ROW.findall(piece))
            # Rows and cells say where they are; what the reader would believe counts, however it is written.
            said = _NUMBERS.findall(piece)
            numbers.update(said)
            columns.update(_COLUMNS.findall(piece))
            strange += len(_PLACE.findall(piece)) - len(said)
            nameless.add(piece)
        errors += re.findall(rb'<(?:\w+:)?c r="([A-Z]{1,3}\d{1,7})"[^>]* t="e"', piece) if b't="e"' in piece else []
        errors += _UNSAVED.findall(piece) if b"<f" in piece or b":f" in piece else []
        if long:  # one long text that a million cells refer to is a million copies once it is read
            refers = np.array(re.findall(rb't="s"[^>]*>\s*<v>(\d{1,9})<', piece), dtype=np.int64)
            text += int(lengths[refers[refers < len(lengths)]].sum())
    if not is_sheet:
        return ()
    if strange:
        raise damaged(path)
    width = max(nameless.longest, spans[1], *(_column_number(name.upper()) for name in columns))
    height = max(rows, spans[0], *map(int, numbers))
    if height * width > limits.MOST_CELLS:
        raise limits.too_many(path, height, width, Path(part.filename).stem)
    if text > limits.MOST_BYTES:
        raise refused(path, Text("单元格的文字总量过大", "its cells hold far too much text"), FILLED_PART)
    return tuple(name.decode() for name in errors)


class _Usual(NamedTuple):
    """What a piece of a sheet spans in which every row and every cell says where it is, as spreadsheets write it."""

    rows: int
    height: int
    width: int


def _as_usual(piece: bytes) -> _Usual | None:
    """Return what a piece spans; None if anything in it is not written as spreadsheets write it.

    Nearly every piece of a large sheet is, and there a look at the bytes beside each ``<`` is ten times as fast as
    expressions that allow for every way of writing.
    """
    marks = np.frombuffer(piece + b"\0" * 16, np.uint8)
    at = np.flatnonzero(marks == ord("<"))
    first = marks[at + 1]
    cells, rows = at[first == ord("c")], at[first == ord("r")]
    places = len(cells) + len(rows)
    if (
        not np.isin(first, list(b"cr/vfti")).all()
        or any(piece.count(b" \t\n\r"[i : i + 1] + b"r") != (0 if i else places) for i in range(4))
        or not _spelled(marks, cells, b'<c r="')
        or not _spelled(marks, rows, b'<row r="')
    ):
        return None
    letters = marks[cells[:, None] + 6 + np.arange(4)]
    is_letter = np.logical_and.accumulate((letters >= ord("A")) & (letters <= ord("Z")), axis=1)
    many = is_letter.sum(axis=1)
    heights = _numbers(marks, np.concatenate([cells + 6 + many, rows + 8]))
    if heights is None or not ((many > 0) & (many < 4)).all():
        return None
    width = np.zeros(len(cells), np.int64)
    for letter, counts in zip(letters.T[:3], is_letter.T[:3], strict=True):
        width = np.where(counts, 26 * width + letter - (ord("A") - 1), width)
    return _Usual(len(rows), int(heights.max(initial=0)), int(width.max(initial=0)))


def _spelled(marks: np.ndarray, at: np.ndarray, word: bytes) -> bool:
    return all((marks[at + i] == letter).all() for i, letter in enumerate(word))


def _numbers(marks: np.ndarray, at: np.ndarray) -> np.ndarray | None:
    """Return the numbers of at most seven digits that begin at places and end at a quotation mark; None elsewhere."""
    written = marks[at[:, None] + np.arange(8)]
    digits = np.logical_and.accumulate((written >= ord("0")) & (written <= ord("9")), axis=1)
    many = digits.sum(axis=1)
    if ((many < 1) | (many > 7)).any() or (marks[at + many] != ord('"')).any():
        return None
    found = np.zeros(len(at), np.int64)
    for digit, counts in zip(written.T, digits.T, strict=True):
        found = np.where(counts, 10 * found + digit - ord("0"), found)
    return found


class _Longest:
    """Counts the cells of the longest row that do not say where they are."""

    def __init__(self) -> None:
        self.longest = self.now = 0

    def pass_over(self, rows: int) -> None:
        """Count a piece without such cells."""
        self.now = 0 if rows else self.now

    def add(self, piece: bytes) -> None:
        """Count the cells of a piece; a row may go on in the next."""
        if not _NAMELESS.search(piece):
            self.now = 0 if _ROW.search(piece) else self.now
            return
        for number, row in enumerate(_ROW.split(piece)):
            self.now = len(_NAMELESS.findall(row)) + (self.now if number == 0 else 0)
            self.longest = max(self.longest, self.now)


def _string_lengths(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> np.ndarray:
    """Return about how long each shared text is."""
    ends, at = [], 0
    for piece in _pieces(package, part):
        if b"sheetData" in piece:
            raise ValueError("a sheet where texts should be")
        ends += [at + match.start() for match in re.finditer(rb"</(?:\w+:)?si>", piece)]
        at += len(piece)
    return np.diff(np.array([0, *ends], dtype=np.int64))


def _column_number(name: bytes) -> int:
    number = 0
    for letter in name:
        number = 26 * number + letter - 64
    return number
