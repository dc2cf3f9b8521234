"""Forms filled in as a school would: cells are put into the workbook that the template wrote."""

import re
import zipfile
from datetime import date
from html import escape
from pathlib import Path

import pandas as pd

from htresearch.intake.workbook import column_name
from htresearch.study.schema import Schema, Table

#: The first row below the example, as a spreadsheet counts.
FIRST = 5
_SHEET = "xl/worksheets/sheet1.xml"


def fill(form: Path, rows: list[list], first: int = FIRST, column: int = 1) -> Path:
    """Put rows of values into the first sheet of a form, from a row and column on (columns from 0)."""
    cells = {(first + i, column + j): value for i, row in enumerate(rows) for j, value in enumerate(row)}
    return put(form, {f"{column_name(j)}{i}": value for (i, j), value in cells.items()})


def put(form: Path, cells: dict[str, object], part: str = _SHEET) -> Path:
    """Put values into cells of a sheet, the first unless said otherwise, by name; None empties a cell."""
    parts = _parts(form)
    sheet = parts[part].decode()
    styles = _column_styles(sheet)
    rows: dict[int, dict[int, str]] = {}
    body = re.search(r"<sheetData>(.*)</sheetData>", sheet, re.DOTALL)[1]
    for number, inner in re.findall(r'<row r="(\d+)"[^>]*?(?:/>|>(.*?)</row>)', body, re.DOTALL):
        found = re.finditer(r'<c r="([A-Z]+)\d+"[^>]*?(?:/>|>.*?</c>)', inner, re.DOTALL)
        rows[int(number)] = {_number(match[1]): match[0] for match in found}
    for name, value in cells.items():
        letters, number = re.fullmatch(r"([A-Z]+)(\d+)", name).groups()
        at = _number(letters)
        rows.setdefault(int(number), {})[at] = _cell(name, value, styles.get(at, 0))
    written = "".join(
        f'<row r="{number}">{"".join(held[at] for at in sorted(held))}</row>' for number, held in sorted(rows.items())
    )
    sheet = sheet.replace(f"<sheetData>{body}</sheetData>", f"<sheetData>{written}</sheetData>")
    sheet = re.sub(r'<dimension ref="[^"]*"/>', "", sheet)
    return _save(form, parts | {part: sheet.encode()})


def change(form: Path, part: str, old: str, new: str) -> Path:
    """Replace text in a part of the workbook."""
    parts = _parts(form)
    assert old in parts[part].decode()
    return _save(form, parts | {part: parts[part].decode().replace(old, new, 1).encode()})


def merge_cells(form: Path, area: str) -> Path:
    """Merge cells of the first sheet."""
    return change(
        form, _SHEET, "</sheetData>", f'</sheetData><mergeCells count="1"><mergeCell ref="{area}"/></mergeCells>'
    )


def as_entries(frame: pd.DataFrame, table: Table, schema: Schema) -> list[list]:
    """Return the rows of a table as people enter them: Chinese labels, yes and no, dates."""
    columns = []
    for column in table.columns:
        values = frame[column.name] if column.name in frame else pd.Series([None] * len(frame))
        columns.append([_entry(value, column, schema) for value in values.astype(object)])
    return [list(row) for row in zip(*columns, strict=True)]


def _entry(value: object, column, schema: Schema) -> object:
    if pd.isna(value):
        return None
    if column.vocabulary:
        return schema.label(value, column.vocabulary).zh
    if column.type == "boolean":
        return "是" if value else "否"
    return value.date() if isinstance(value, pd.Timestamp) else value


def _parts(form: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(form) as package:
        return {name: package.read(name) for name in package.namelist()}


def _save(form: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(form, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return form


def _column_styles(sheet: str) -> dict[int, int]:
    styles = {}
    for tag in re.findall(r"<col [^>]*>", sheet):
        there = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        styles |= dict.fromkeys(range(int(there["min"]) - 1, int(there["max"])), int(there.get("style", 0)))
    return styles


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


def _cell(name: str, value: object, style: int) -> str:
    if value is None:
        return f'<c r="{name}" s="{style}"/>'
    if isinstance(value, bool):
        return f'<c r="{name}" s="{style}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, date):
        return f'<c r="{name}" s="{style}"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, str):
        return f'<c r="{name}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{name}" s="{style}"><v>{value}</v></c>'
