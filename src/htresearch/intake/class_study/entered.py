"""What is known of a study before its form is written: entries of the plan, records kept elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.intake.class_study.layout import COLUMNS, ENTRIES, NO, PHASES, YES
from htresearch.intake.class_study.sheets import FIRST_ROW, PREPARED
from htresearch.intake.escaping import escaped
from htresearch.language import Text, listing

MISSING = Text("缺", "missing")
_WRITTEN = tuple(column.name for column in COLUMNS if column.name != "session")


def entries_faults(entries: object) -> list[Fault | None]:
    """Return what is wrong with entries that are to be written into the plan."""
    if entries is None:
        return []
    if not isinstance(entries, Mapping):
        rule, fix = (
            Text("不是字典", "is no mapping"),
            Text("请按“项目: 内容”给出", "Give them by the names of entries"),
        )
        return [Fault(checks.argument("entries"), rule, fix, type(entries).__name__)]
    return [checks.one_of("entries", str(name), tuple(ENTRIES)) for name in entries]


def records_faults(records: object) -> list[Fault | None]:
    """Return what is wrong with records that are to be written into the form."""
    if records is None:
        return []
    if not isinstance(records, pd.DataFrame):
        rule, fix = Text("不是 DataFrame", "is no DataFrame"), Text("请给一个 pandas.DataFrame", "Give a DataFrame")
        return [Fault(checks.argument("records"), rule, fix, type(records).__name__)]
    lacking = [name for name in ("date", "value") if name not in records]
    found = []
    if lacking:
        rule = Text("缺少列 {names}", "lacks the columns {names}").format(names=listing(lacking))
        fix = Text("至少要有 date 和 value 两列", "It needs date and value at least")
        found.append(Fault(checks.argument("records"), rule, fix))
    if len(records) > PREPARED:
        rule = Text(f"超过表里的 {PREPARED} 行", f"has more rows than the form's {PREPARED}")
        fix = Text("记录这样多，请直接用 from_frame 读入", "Read so many by from_frame instead")
        found.append(Fault(checks.argument("records"), rule, fix, len(records)))
    return found


def worded(entries: Mapping[str, object]) -> dict[str, object]:
    """Return entries as they stand in the form: a choice by the words of its list."""
    said: dict[str, object] = {}
    for name, value in entries.items():
        labels = {choice.value: str(choice.label) for choice in ENTRIES[name].choices}
        value = labels.get(value, value) if isinstance(value, str) else value
        said[name] = str(value) if isinstance(value, Text) else value
    return said


def write_entered(sheet, records: pd.DataFrame, looks: Mapping) -> None:
    """Write records over the prepared rows; where there is no value, that it is missing."""
    place = {column.name: at for at, column in enumerate(COLUMNS)}
    phases = {choice.value: str(choice.label) for choice in PHASES}
    for row, record in enumerate(records.to_dict("records"), FIRST_ROW):
        for name in (name for name in _WRITTEN if name in record):
            value, column = record[name], place[name]
            if pd.isna(value):
                if name == "value":
                    sheet.write_string(row, column, str(MISSING), looks["cell"])
            elif name == "date":
                sheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), looks["date"])
            elif name in ("value", "second_value"):
                sheet.write_number(row, column, float(value), looks["cell"])
            elif name == "as_planned":
                sheet.write_string(row, column, str(YES if value else NO), looks["cell"])
            elif name == "phase":
                sheet.write_string(row, column, phases.get(value, str(value)), looks["cell"])
            elif str(value).strip():
                sheet.write_string(row, column, escaped(str(value)), looks["remark"])
