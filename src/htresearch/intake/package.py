"""The package of a workbook looked into before anything is loaded: what it unpacks to and what it spans."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
#: The reader asks for no space between two attributes.
_PLACE = re.compile(rb"[\s\"']r\s*=\s*[\"']")
_NUMBERS = re.compile(rb"[\s\"']r\s*=\s*[\"'][A-Za-z]*(\d{1,20})[\"']")
_COLUMNS = re.compile(rb"[\s\"']r\s*=\s*[\"']([A-Za-z]+)\d")
#: A cell that does not say where it is: it stands behind the one before.
_NAMELESS = re.compile(rb"<(?:\w+:)?c(?:(?=\s)(?![^<>]*[\s\"']r\s*=)[^<>]*)?/?>")


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
            cell = piece.rfind(b"<c ")
            cell = piece.rfind(b":c ") if cell < 0 else cell
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
    for piece, usual in _looked_at(_pieces(package, part)):
        is_sheet = is_sheet or b"sheetData" in piece
        if usual is not None:
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
        errors += _UNSAVED.findall(piece) if usual is None or usual.formulas else []
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


def _looked_at(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, _Usual | None]]:
    """Yield each piece with what it spans; two are looked at while the next is unpacked."""
    with ThreadPoolExecutor(2) as pool:
        waiting: deque[tuple[bytes, Future]] = deque()
        for piece in pieces:
            waiting.append((piece, pool.submit(_as_usual, piece)))
            if len(waiting) > 2:
                first, usual = waiting.popleft()
                yield first, usual.result()
        for first, usual in waiting:
            yield first, usual.result()


class _Usual(NamedTuple):
    """What a piece of a sheet spans in which every row and every cell says where it is, as spreadsheets write it."""

    rows: int
    height: int
    width: int
    formulas: bool


def _as_usual(piece: bytes) -> _Usual | None:
    """Return what a piece spans; None if anything in it is not written as spreadsheets write it.

    Nearly every piece of a large sheet is, and there a look at the eight bytes beside each ``<c`` is twenty times as
    fast as expressions that allow for every way of writing.
    """
    marks = np.frombuffer(piece + b"\0" * 24, np.uint8)
    #: The eight bytes that begin at each place, as one number, the first of them the lowest.
    words = np.ndarray(len(marks) - 7, "<u8", marks, strides=(1,))
    opens = marks[:-1] == ord("<")
    cells, rows = (np.flatnonzero(opens & (marks[1:] == ord(letter))) for letter in "cr")
    if (
        piece.count(b"r=") != len(cells) + len(rows)
        or b" =" in piece
        or any(space in piece and space + b"=" in piece for space in (b"\t", b"\n", b"\r"))
        or _prefixed(marks)
        or not (words[cells] & _LOW[6] == _word(b'<c r="')).all()
        or not (words[rows] == _word(b'<row r="')).all()
    ):
        return None
    letters = words[cells + 6]
    # A capital is 0x41 to 0x5a, a digit 0x30 to 0x39: bit 6 tells them apart, and what is neither gives no number.
    of = [(letters >> np.uint64(8 * i)) & np.uint64(0xFF) for i in range(3)]
    capital = np.logical_and.accumulate([(o >= ord("A")) & (o <= ord("Z")) for o in of])
    heights = _numbers(words[np.concatenate([cells + 6 + capital.sum(axis=0), rows + 8])])
    if heights is None or not capital[0].all():
        return None
    width = np.zeros(len(cells), np.int64)
    for letter, counts in zip(of, capital, strict=True):
        width = np.where(counts, 26 * width + letter.astype(np.int64) - (ord("A") - 1), width)
    formulas = bool((opens & (marks[1:] == ord("f"))).any())
    return _Usual(len(rows), int(heights.max(initial=0)), int(width.max(initial=0)), formulas)


#: The lowest bytes of a word, by how many.
_LOW = [np.uint64((1 << 8 * many) - 1) for many in range(8)]


def _word(letters: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(letters, "little"))


def _prefixed(marks: np.ndarray) -> bool:
    """Tell whether a colon stands before what may be a row, a cell or a formula: ``<x:c r="A1">`` is a cell."""
    return bool(np.isin(marks[np.flatnonzero(marks == ord(":")) + 1], list(b"crf")).any())


def _numbers(words: np.ndarray) -> np.ndarray | None:
    """Return the numbers of one to seven digits that words begin with, a quotation mark behind; None elsewhere."""
    number, ended = np.zeros(len(words), np.int64), np.zeros(len(words), bool)
    for place in range(8):
        byte = ((words >> np.uint64(8 * place)) & np.uint64(0xFF)).astype(np.int64)
        if not (ended | ((byte >= ord("0")) & (byte <= ord("9"))) | ((byte == ord('"')) & (place > 0))).all():
            return None
        ended |= byte == ord('"')
        number = np.where(ended, number, 10 * number + byte - ord("0"))
    return number if ended.all() else None


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
