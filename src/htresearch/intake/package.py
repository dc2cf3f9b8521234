"""The package of a workbook looked into before anything is loaded: what it unpacks to and what it spans."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

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
            if any(part.flag_bits & 1 for part in parts):
                raise refused(path, Text("压缩包有密码", "is an encrypted archive"), SAVE_AS)
            strings = [part for part in parts if part.filename.lower().endswith("sharedstrings.xml")]
            lengths = np.concatenate([_string_lengths(package, part) for part in strings] or [np.empty(0, np.int64)])
            errors = {
                part.filename: _check_sheet(path, package, part, lengths)
                for part in parts
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part.filename, re.IGNORECASE)
            }
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


def _pieces(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the part piece by piece, each beginning with the end of the one before, so that no cell is cut."""
    with package.open(part) as stream:
        tail = b""
        while piece := stream.read(_PIECE):
            piece = tail + piece
            cell = max(piece.rfind(b"<c "), piece.rfind(b":c "))
            cut = piece.rfind(b"<", 0, max(cell, 0) + 1)
            cut = piece.rfind(b"<") if cut <= 0 else cut
            cut = -1 if len(piece) > 2 * _PIECE else cut
            piece, tail = (piece, b"") if cut <= 0 else (piece[:cut], piece[cut:])
            yield piece
        yield tail


def _check_sheet(path: Path, package: zipfile.ZipFile, part: zipfile.ZipInfo, lengths: np.ndarray) -> tuple[str, ...]:
    """Refuse a sheet of too many cells or too much text; return its cells whose formula left no value."""
    columns: set[bytes] = {b"A"}
    last_row, rows, text, errors = 1, 0, 0, []
    long = len(lengths) and lengths.max() * part.file_size / 12 > limits.MOST_BYTES
    for piece in _pieces(package, part):
        rows += piece.count(b"<row")
        last_row = max([last_row, *(int(r) for r in re.findall(rb'<(?:\w+:)?row\b[^>]*? r="(\d{1,9})"', piece))])
        columns.update(re.findall(rb' r="([A-Z]{1,3})\d', piece))
        errors += re.findall(rb'<(?:\w+:)?c r="([A-Z]{1,3}\d{1,7})"[^>]* t="e"', piece) if b't="e"' in piece else []
        errors += _UNSAVED.findall(piece) if b"<f" in piece or b":f" in piece else []
        if long:  # one long text that a million cells refer to is a million copies once it is read
            refers = np.array(re.findall(rb't="s"[^>]*>\s*<v>(\d{1,9})<', piece), dtype=np.int64)
            text += int(lengths[refers[refers < len(lengths)]].sum())
    width = max(_column_number(name) for name in columns)
    height = max(last_row, rows)
    if height * width > limits.MOST_CELLS:
        raise limits.too_many(path, height, width, Path(part.filename).stem)
    if text > limits.MOST_BYTES:
        raise refused(path, Text("单元格的文字总量过大", "its cells hold far too much text"), FILLED_PART)
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
