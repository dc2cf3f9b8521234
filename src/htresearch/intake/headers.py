"""Where the columns of a table stand in a sheet, whatever was put above or beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from htresearch.checks import suggestion
from htresearch.errors import Fault
from htresearch.intake.entries import bare, plain
from htresearch.intake.place import masked
from htresearch.intake.template import NOTE
from htresearch.intake.workbook import Sheet, cell
from htresearch.language import Text, listing
from htresearch.study.schema import Schema, Table

#: Rows among which a header is looked for.
_HEADER_WITHIN = 40
#: Columns that schools keep for themselves.
_OWN = {bare(said) for text in (NOTE, Text("备注", "Note"), Text("序号", "No.")) for said in (text.zh, text.en)}
_NUMBERS = (bare("序号"), bare("No."))
AGAIN = Text("请用 htresearch template 生成的表格填写", "Use the form that htresearch template writes")


@dataclass(frozen=True)
class Header:
    """Where the columns of a table stand in a sheet."""

    table: Table
    last: int  # the last row of the header, from 0
    columns: Mapping[int, str]
    note: int | None = None
    faults: tuple[Fault, ...] = ()


def empty(value: object) -> bool:
    """Tell whether a cell holds nothing that can be seen."""
    return value is None or (isinstance(value, str) and not plain(value))


def find_header(file: str, sheet: Sheet, schema: Schema) -> Header | None:
    """Return the header of the table that the sheet is about, None where there is none."""
    best, score = None, 0.0
    words = _words_above(sheet)
    for table in schema.tables.values():
        called = _Names(schema, table)
        required = sum(not c.optional for c in table.columns)
        for number, cells in enumerate(sheet.rows[:_HEADER_WITHIN]):
            known = {column for value in cells if (column := called.column(value))}
            strange = sum(not called.column(value) and not _own(value) for value in cells)
            if len(known) < 2 or len(known) < 0.6 * required:
                continue
            points = len(known) - 0.5 * strange + 100 * (table.name in words)
            if points > score:
                best, score = (table, number, called), points
    return None if best is None else _header(file, sheet, schema, *best)


def _words_above(sheet: Sheet) -> set[str]:
    """Return the words of the first rows, among which the form names its table."""
    text = " ".join(str(v) for row in sheet.rows[:_HEADER_WITHIN] for v in row[:3] if isinstance(v, str))
    return set(re.findall(r"[（(]([a-z_]+)[）)]", text))


class _Names:
    """What the columns of a table may be called: by name, or by a label that no other column has."""

    def __init__(self, schema: Schema, table: Table):
        self.names = set(table.names)
        self.labels: dict[str, str] = {}
        shared = set()
        for column in table.columns:
            label = schema.label(column.name, table.name)
            for said in {bare(label.zh), bare(label.en)}:
                shared |= {said} if self.labels.get(said, column.name) != column.name else set()
                self.labels[said] = column.name
        for said in shared:
            del self.labels[said]

    def column(self, value: object) -> str | None:
        """Return the column that a heading names."""
        if isinstance(value, str) and plain(value) in self.names:
            return plain(value)
        return self.labels.get(_heading(value))


def _heading(value: object) -> str:
    return re.sub(r"\*|\((?:必填|required)\)", "", bare(value)) if isinstance(value, str) else ""


def _own(value: object) -> bool:
    return empty(value) or _heading(value) in _OWN


def _header(file: str, sheet: Sheet, schema: Schema, table: Table, number: int, called: _Names) -> Header:
    """Return where the columns stand, and what is wrong with the header."""
    lines = _header_lines(sheet, number, called)
    where = " · ".join(part for part in (file, sheet.name) if part)
    columns: dict[int, str] = {}
    faults: list[Fault] = []
    note = None
    for at in range(max(len(row) for row in sheet.rows)):
        said = [(line, row[at]) for line in lines if at < len(row := sheet.rows[line]) and not empty(row[at])]
        names = list(dict.fromkeys(column for _, value in said if (column := called.column(value))))
        filled = _first_filled(sheet, at, lines[-1] + 1)
        here = f"{where} · {cell(said[0][0] if said else filled or number, at)}"
        if len(names) == 1 and names[0] not in columns.values():
            columns[at] = names[0]
        elif names:
            faults.append(_torn(here, schema, table, names))
        elif said and all(_own(value) for _, value in said):
            note = at if note is None and _heading(said[0][1]) not in _NUMBERS else note
        elif filled is not None:
            faults.append(_strange(here, schema, table, said))
    for column in table.columns:
        if not column.optional and column.name not in columns.values():
            label = schema.label(column.name, table.name)
            rule = Text(f"缺少“{label.zh}”（{column.name}）这一列", f"lacks the column “{label.en}” ({column.name})")
            faults.append(Fault(f"{where} · {cell(number, 0)}", rule, AGAIN))
    return Header(table, lines[-1], columns, note, tuple(faults))


def _header_lines(sheet: Sheet, number: int, called: _Names) -> list[int]:
    """Return the rows of the header: labels and names stand one above the other."""
    first = last = number
    while first > 0 and any(called.column(v) or (_own(v) and not empty(v)) for v in sheet.rows[first - 1]):
        first -= 1
    while last + 1 < len(sheet.rows) and _is_heading(sheet.rows[last + 1], called):
        last += 1
    return list(range(first, last + 1))


def _is_heading(cells: list, called: _Names) -> bool:
    known = sum(called.column(value) is not None for value in cells)
    return known >= 2 and known >= 0.5 * sum(not empty(value) for value in cells)


def _first_filled(sheet: Sheet, at: int, start: int) -> int | None:
    """Return the first row below the header where a column holds something."""
    rows = range(start, len(sheet.rows))
    return next((n for n in rows if at < len(sheet.rows[n]) and not empty(sheet.rows[n][at])), None)


def _torn(here: str, schema: Schema, table: Table, names: list[str]) -> Fault:
    labels = listing([schema.label(name, table.name) for name in names])
    if len(names) > 1:
        rule = Text("表头两行说法不一：{all}", "the two lines of the header disagree: {all}").format(all=labels)
    else:
        rule = Text("“{all}”这一列出现了两次", "the column “{all}” is there twice").format(all=labels)
    return Fault(here, rule, AGAIN)


def _strange(here: str, schema: Schema, table: Table, said: list[tuple[int, object]]) -> Fault:
    if not said:
        rule = Text("这一列没有表头，却填了内容", "is filled in but its column has no header")
        return Fault(here, rule, Text("请移到有表头的列，或删去", "Move it to a column with a header, or remove it"))
    heading = plain(said[0][1])
    near = suggestion(heading, [schema.label(c.name, table.name).zh for c in table.columns] + list(table.names))
    rule = Text("不是这张表的列", "is no column of this table")
    return Fault(here, rule, near or Text("请删去这一列，或移到另一张表", "Remove the column"), masked(heading))
