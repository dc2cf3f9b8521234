"""The daily records of a class study: the header found, each row read, what was passed over counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

import numpy as np

from htresearch.identifiers import find, mask
from htresearch.intake.class_study import cells, dating
from htresearch.intake.class_study.cells import empty
from htresearch.intake.class_study.faults import Findings
from htresearch.intake.class_study.layout import COLUMNS, DERIVED, EXAMPLE_RECORD, EXAMPLE_ROW, PHASES, heading
from htresearch.intake.class_study.planning import Draft
from htresearch.intake.class_study.table import Record, Table
from htresearch.intake.entries import bare, plain
from htresearch.intake.place import masked
from htresearch.intake.workbook import cell, column_name
from htresearch.language import Text

_HEADER_WITHIN = 40
#: What makes a row a record; a date or a condition alone was written down ahead of the day.
_TELLING = ("value", "as_planned", "second_value", "remark")
#: More than a class does in a day; days of Excel, which are numbers too, lie above it.
_LARGEST_COUNT = 10_000


def header_of(rows: list[list]) -> tuple[int, dict[str, list[int]]] | None:
    """Return the row with most of the headings of records, and where each stands; None where there is none."""
    best, most = None, 1
    for number, line in enumerate(rows[:_HEADER_WITHIN]):
        found: dict[str, list[int]] = {}
        for at, value in enumerate(line):
            name = next((c.name for c in COLUMNS if heading(value) and heading(value) in c.known), None)
            if name:
                found.setdefault(name, []).append(at)
        if len(found) > most:
            best, most = (number, found), len(found)
    return best


def holds_records(rows: list[list]) -> bool:
    """Tell whether there is a record below a header of records."""
    found = header_of(rows)
    if found is None:
        return False
    at = [places[0] for name, places in found[1].items() if name in _TELLING]
    return any(
        not empty(line[column])
        for line in rows[found[0] + 1 :]
        for column in at
        if column < len(line) and bare(line[0]) not in (bare(EXAMPLE_ROW.zh), bare(EXAMPLE_ROW.en))
    )


# --- rows that are records ------------------------------------------------------------------------------------------


def gather(table: Table, findings: Findings) -> list[Record]:
    """Return the rows that hold something of a record; prepared and blank ones are passed over."""
    found, last = [], None
    for row in range(table.header + 1, len(table.rows)):
        line = table.rows[row]
        held = {name: line[at] if at < len(line) else None for name, at in table.columns.items()}
        if _is_marked(held.get("session")):
            if not _is_example(held):
                findings.refuse(
                    table.place(row, "session"),
                    f"这一行标着“{EXAMPLE_ROW.zh}”，填的却不是原来的例子",
                    f"is marked “{EXAMPLE_ROW.en}” but no longer holds the example",
                    ("若是真的记录，请把它写到下面的空行里", "If it is a record, write it into a row below"),
                )
            continue
        failed = any(_failed(table, row, name) for name in table.columns if name != "session")
        if failed or any(not empty(v) for n, v in held.items() if n not in ("session", "phase")):
            found.append(Record(row, held))
            if failed or any(not empty(held.get(name)) for name in _TELLING):
                last = len(found)
    ahead = len(found) - (last or 0)
    if ahead and last:
        findings.note(
            f"最后有 {ahead} 行只写了日期，还没有记录，没有读入",
            f"{ahead} rows at the end have a date but no record yet; they were not read",
        )
    return found[: last or 0]


def _is_marked(value: object) -> bool:
    return isinstance(value, str) and bare(value).strip("。.") in ("例", "例子", "示例", "e.g", "example")


def _is_example(held: Mapping[str, object]) -> bool:
    """Tell whether a row that is marked as the example still is it."""
    for name, expected in EXAMPLE_RECORD.items():
        value = held.get(name)
        if isinstance(expected, Text):
            same = isinstance(value, str) and bare(value) in (bare(expected.zh), bare(expected.en))
        elif isinstance(expected, date):
            same = not empty(value) and cells.same_day(value, expected)
        else:
            same = str(expected) == plain("" if value is None else value).removesuffix(".0")
        if not same and not empty(value):
            return False
    return empty(held.get("phase"))


def _failed(table: Table, row: int, name: str) -> bool:
    return table.sheet is not None and cell(row, table.columns[name]) in table.sheet.errors


# --- what they hold -------------------------------------------------------------------------------------------------


def read(table: Table, records: list[Record], draft: Draft, findings: Findings) -> None:
    """Read the cells of every record; what is wrong is found, and the dates are compared with one another."""
    _refuse_merged(table, records, findings)
    for record in records:
        for name in table.columns:
            if name != "session" and name != "remark" and _failed(table, record.row, name):
                findings.refuse(
                    table.place(record.row, name),
                    "公式出错（如 #N/A）或没有存下结果，没有值",
                    "holds a formula that failed (such as #N/A) or was saved without its result",
                    ("请直接填写数字，不用公式", "Fill in the number itself instead of a formula"),
                )
                record.read[name] = None
    _read_values(table, records, draft, findings)
    _read_rest(table, records, findings)
    dating.read(table, records, draft, findings)
    _remarks(records, findings)
    _sessions(records, findings)


def _refuse_merged(table: Table, records: list[Record], findings: Findings) -> None:
    rows = {record.row for record in records}
    read = set(table.columns.values())
    remark = table.columns.get("remark")
    for (top, left), (bottom, right) in table.sheet.merged if table.sheet else ():
        touched = rows & set(range(top, min(bottom, max(rows, default=0)) + 1))
        within = {at for at in read if left <= at <= right}
        if not touched or not within or within == {remark}:
            continue  # a title, a column that is not read, or one remark for several days
        area = f"{cell(top, left)}:{cell(bottom, right)}"
        findings.refuse(
            table.place(min(touched), next(n for n, at in table.columns.items() if at in within)),
            f"是合并单元格 {area} 的一部分，不知道里面的值是哪一天的",
            f"is part of the merged cells {area}, whose value cannot be told to belong to one day",
            ("请取消合并，一天一行各自填写", "Unmerge them and fill in a row for each day"),
        )


def _read_values(table: Table, records: list[Record], draft: Draft, findings: Findings) -> None:
    scale, out_of = draft.values.get("scale"), draft.values.get("out_of")
    unit, missing, none = draft.values.get("unit") or "", 0, 0
    for record in records:
        for name in ("value", "second_value"):
            if name in record.read:
                continue
            value, where = record.held.get(name), table.place(record.row, name)
            record.read[name] = None
            if not empty(value):
                number = _safely(where, value, findings, cells.read_number, unit, out_of)
                record.read[name] = None if number is None else _in_scale(where, number, scale, out_of, findings)
            if name == "value" and record.read[name] is None and (empty(value) or _says_missing(value)):
                missing += 1
                none += bare(value) == "无"
    if missing:
        findings.note(
            f"{missing} 条记录没有值（空着，或写了“缺”“请假”之类），按缺失处理",
            f"{missing} records have no value (empty, or “missing” and the like); they count as missing",
        )
    if none:
        findings.note(
            f"其中 {none} 条写的是“无”，按没有记录处理；如果当天是 0，请填 0",
            f"{none} of them say 无 (none) and count as not recorded; fill in 0 where it was 0",
        )


def _says_missing(value: object) -> bool:
    return isinstance(value, str) and bare(value) in cells.MISSING


def _safely(where: Text | str, value: object, findings: Findings, reader: Callable, *more: object) -> object:
    """Read a cell; where it holds what identifies somebody, the fault does not repeat it."""
    if cells.identifying(value):
        findings.refuse(
            where,
            "像是电话、证件号之类能认出人的内容",
            "looks like a phone number or the number of a document",
            ("请删去，改填当天的记录", "Remove it and fill in the record of the day"),
        )
        return None
    return findings.read(where, value, reader, *more)


def _in_scale(
    where: Text | str, number: float, scale: object, out_of: float | None, findings: Findings
) -> float | None:
    """Return a value that its scale can have; refuse another."""
    if scale in ("count", "share") and number < 0:
        findings.refuse(where, "是负数", "is negative", ("请填 0 或更大的数", "Fill in 0 or more"), number)
    elif scale == "share" and out_of is not None and number > out_of:
        what = ("百分数超过了 100", "is above 100 per cent") if out_of == 100 else (
            f"超过了总数 {out_of:g}", f"is above the total of {out_of:g}"
        )  # fmt: skip
        fix = (
            "请核对这一天的记录；若总数填错了，改“我的计划”里的总数",
            "Check the record, or mend “Out of” in the plan",
        )
        findings.refuse(where, *what, fix, number)
    elif scale == "share" and out_of == 100 and 0 < number < 1:
        findings.refuse(
            where,
            "小于 1：可能是“百分比”格式的单元格，85% 存成了 0.85",
            "is below 1: perhaps the cell is formatted as per cent, which stores 85% as 0.85",
            (
                "请把单元格格式改成“数值”，填 85 这样的数",
                "Format the cell as a number and fill in a number such as 85",
            ),
            number,
        )
    elif scale == "count" and number > _LARGEST_COUNT:
        fix = ("请检查；若是日期，是填错了列", "Check it; if it is a date, it stands in the wrong column")
        findings.refuse(where, "大得不像一个班一天的次数", "is too large a count for one class and day", fix, number)
    elif (scale == "count" or (scale == "share" and out_of != 100)) and number != int(number):
        fix = ("请填整数；若记的是时间或分数，请把“记录的是”改为“数量”",
               "Fill in a whole number; if it is time or points, say “an amount” in the plan")  # fmt: skip
        findings.refuse(where, "个数不是整数", "is a count but no whole number", fix, number)
    else:
        return number
    return None


def _read_rest(table: Table, records: list[Record], findings: Findings) -> None:
    for record in records:
        for name, reader, more in (("as_planned", cells.read_yes, ()), ("phase", cells.read_choice, (PHASES,))):
            if name in record.read or name not in table.columns:
                continue
            value = record.held[name]
            where = table.place(record.row, name)
            record.read[name] = None if empty(value) else _safely(where, value, findings, reader, *more)
        remark = record.held.get("remark")
        record.read["remark"] = "" if empty(remark) else _as_text(remark)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return str(value.date())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(plain(value).split()) if str(value).isascii() else str(value).strip()


# --- remarks and numbers --------------------------------------------------------------------------------------------


def _remarks(records: list[Record], findings: Findings) -> None:
    """Take out of the remarks what identifies somebody, and count it."""
    removed = 0
    for record in records:
        said = record.read["remark"]
        removed += len(find(said))
        record.read["remark"] = mask(said)
    if removed:
        findings.note(
            f"备注里有 {removed} 处电话、证件号、姓名之类能认出人的内容，已经去掉；原来的文件里也请删去",
            f"{removed} phone numbers, names or the like were taken out of the remarks; remove them from the "
            "file too",
        )


def _sessions(records: list[Record], findings: Findings) -> None:
    given = [record.held.get("session") for record in records]
    numbers = [int(v) if isinstance(v, (int, float)) and np.isfinite(v) and v == int(v) else None for v in given]
    if any(n is not None and n != i for i, n in enumerate(numbers, 1)):
        findings.note(
            "序号与记录的先后不一致（中间有空行，或改过序号），按记录的先后从 1 数起",
            "The numbers in the first column differ from the order of the records, which were counted from 1",
        )


def unknown_columns(table: Table, first_records: list[Record]) -> list[tuple[int, str]]:
    """Return the columns with content whose heading is not known."""
    line = table.rows[table.header]
    known = set(table.columns.values())
    found = []
    for at in range(max((len(row) for row in table.rows[table.header :]), default=0)):
        name = line[at] if at < len(line) else None
        if at in known or heading(name) in DERIVED:
            continue
        if any(at < len(table.rows[r.row]) and not empty(table.rows[r.row][at]) for r in first_records):
            found.append((at, f"{column_name(at)} {masked(name)}" if not empty(name) else column_name(at)))
    return found
