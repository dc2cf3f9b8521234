"""How the sources lay answers out: columns with their headers, and the files they are written to."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from htresearch.instruments import Choice, Instrument, Item, Question
    from htresearch.intake.dirt import Form

MODES = ("text", "number", "score")
_SKIPPED = {"text": "(跳过)", "number": -3, "score": -3}
_BLANK = {"text": "(空)", "number": -2, "score": -2}
_SEVERAL = ("multiple", "ranking")
_CHANNELS = (("微信", "N/A"), ("手机提交", "直接访问"), ("链接", "直接访问"))
_CITIES = ("河南-郑州", "河南-洛阳", "河南-开封")


@dataclass(frozen=True)
class Column:
    """A column of a file, with what it answers: an item, or a choice of it."""

    header: str
    cells: list
    item: Item | None = None
    choice: Choice | None = None


@dataclass(frozen=True)
class Table:
    """The columns of a file; 腾讯问卷 ends each line of text with a comma."""

    columns: tuple[Column, ...]
    trailing_comma: bool = False

    @property
    def rows(self) -> Iterator[tuple]:
        """The rows below the headers."""
        return zip(*(column.cells for column in self.columns), strict=True)


# --- 问卷星 ----------------------------------------------------------------------------------------------------


def wenjuanxing(form: Form, instrument: Instrument, mode: str, modern: bool = False) -> Table:
    """Lay answers out as 问卷星 does: what tells of the answer, then the questions."""
    n = len(form.frame)
    channel = [_CHANNELS[hash_of(ip) % 3] for ip in form.frame["ip"]]
    facts = [
        Column("序号", list(range(1, n + 1))),
        Column("提交答卷时间", _submitted(form, "{0.year}/{0.month}/{0.day} {0:%H:%M:%S}")),
        Column("所用时间", _duration(form, "秒")),
        Column("来源", [name for name, _ in channel]),
        Column("来源详情", [detail for _, detail in channel]),
        Column("来自IP", [f"{ip}({_CITIES[hash_of(ip) % 3]})" for ip in form.frame["ip"]]),
    ]
    if form.dirty:
        facts.append(Column("微信昵称", form.wechat()))
    questions = [column for q in instrument.questions for column in _wenjuanxing(form, q, instrument, mode, modern)]
    if mode == "score":
        facts.append(Column("总分", _totals(questions, n)))
    return Table((*facts, *questions))


def _wenjuanxing(form: Form, question: Question, instrument: Instrument, mode: str, modern: bool) -> Iterator[Column]:
    number, asked = question.number, _asked(form.frame, question)
    for item in question.items:
        if item.type in _SEVERAL and mode != "text":
            for choice in item.choices:
                named = f"{number}、({choice.label.zh})" if modern else f"第{number}题({choice.label.zh})"
                yield Column(named, _marks(form.frame[item.id], asked, item, choice, mode), item, choice)
            continue
        if question.type != "matrix":
            header = f"{number}、{item.text.zh}"
        elif modern:
            header = f"{number}、{question.text.zh}—{item.text.zh}"
        else:
            header = f"第{number}题({item.text.zh})"
        values = form.frame[item.id]
        if item.type in _SEVERAL:
            cells = _joined(values, asked, item, "┋" if item.type == "multiple" else "→")
        elif item.type == "single":
            cells = _chosen(values, asked, item, mode)
        else:
            cells = _typed(values, asked, mode)
        yield Column(header, _rewritten(form, item.id, mode, cells), item)


def _asked(frame: pd.DataFrame, question: Question) -> np.ndarray:
    asked = np.ones(len(frame), bool)
    for name, values in question.when.items():
        asked &= frame[name].isin(values).fillna(False).to_numpy(bool)
    return asked


def _empty(asked: bool, mode: str) -> object:
    return _BLANK[mode] if asked else _SKIPPED[mode]


def _written(item: Item, mode: str) -> dict[int, object]:
    """Return how each choice is written."""
    if mode == "text":
        return {c.value: c.label.zh for c in item.choices}
    return {c.value: n if mode == "number" else c.value for n, c in enumerate(item.choices, 1)}


def _chosen(values: pd.Series, asked: np.ndarray, item: Item, mode: str) -> list:
    written = _written(item, mode)
    refusals = [written[c.value] for c in item.choices if c.missing]
    cells = []
    for n, (value, shown) in enumerate(zip(_plain(values), asked, strict=True)):
        if value is not None and shown:
            cells.append(written[value])
        # Who has nothing to answer mostly says so where the form lets them.
        elif refusals and shown and n % 10:
            cells.append(refusals[0])
        else:
            cells.append(_empty(shown, mode))
    return cells


def _joined(values: pd.Series, asked: np.ndarray, item: Item, mark: str) -> list:
    written = _written(item, "text")
    return [
        mark.join(written[int(v)] for v in value.split(";")) if value is not None and shown else _empty(shown, "text")
        for value, shown in zip(_plain(values), asked, strict=True)
    ]


def _marks(values: pd.Series, asked: np.ndarray, item: Item, choice: Choice, mode: str) -> list:
    """Return the column of one choice: chosen or not, or its rank; -2 where it was given none."""
    cells = []
    for value, shown in zip(_plain(values), asked, strict=True):
        if value is None or not shown:
            cells.append(_empty(shown, mode))
            continue
        chosen = [int(v) for v in value.split(";")]
        if item.type == "multiple":
            cells.append(int(choice.value in chosen))
        else:
            cells.append(chosen.index(choice.value) + 1 if choice.value in chosen else -2)
    return cells


def _typed(values: pd.Series, asked: np.ndarray, mode: str) -> list:
    return [
        (str(value) if mode == "text" else value) if value is not None and shown else _empty(shown, mode)
        for value, shown in zip(_plain(values), asked, strict=True)
    ]


def _plain(values: pd.Series) -> list:
    """Return the values as Python's own, None where there is none."""
    return [None if v is None or v != v else v for v in values.astype(object).where(values.notna(), None)]


def _rewritten(form: Form, item: str, mode: str, cells: list) -> list:
    for index, written in form.cells(item, mode).items():
        cells[index] = str(written) if mode == "text" else written
    return cells


def _submitted(form: Form, pattern: str) -> list:
    cells = [pattern.format(at) for at in form.frame["submitted_at"]]
    return _rewritten(form, "submitted_at", "text", cells)


def _duration(form: Form, unit: str) -> list:
    cells = [f"{seconds}{unit}" for seconds in form.frame["duration_s"]]
    for index, written in form.cells("duration_s", "text").items():
        cells[index] = written
    return cells


def _totals(questions: list[Column], n: int) -> list[int]:
    scored = [c.cells for c in questions if c.item is not None and c.item.type == "single"]
    return [sum(v for cells in scored if isinstance(v := cells[row], int) and v > 0) for row in range(n)]


def hash_of(text: str) -> int:
    """Return a small number that a text always has."""
    return sum(text.encode())


# --- 腾讯问卷 --------------------------------------------------------------------------------------------------


def tencent(form: Form, instrument: Instrument, modern: bool = False) -> Table:
    """Lay answers out as 腾讯问卷 does; options bear their letters, and cells without an answer are empty."""
    import pandas as pd

    frame, n = form.frame, len(form.frame)
    begun = frame["submitted_at"] - pd.to_timedelta(frame["duration_s"].astype(int), unit="s")
    first = [
        Column("编号", list(range(1, n + 1))),
        Column("开始答题时间", [f"{at:%Y-%m-%d %H:%M:%S}" for at in begun]),
        Column("结束答题时间", _submitted(form, "{0:%Y-%m-%d %H:%M:%S}")),
        Column("答题时长", _duration(form, "")),
    ]
    city = [_CITIES[hash_of(ip) % 3].split("-") for ip in frame["ip"]]
    place = [
        Column("地理位置国家和地区", ["中国"] * n),
        Column("地理位置省", [province for province, _ in city]),
        Column("地理位置市", [name for _, name in city]),
        Column("用户类型", ["微信用户" if hash_of(ip) % 2 else "匿名用户" for ip in frame["ip"]]),
        Column("用户标识", [f"o{form.invented.wechat(ip).encode().hex()[:20]}" for ip in frame["ip"]]),
        Column("昵称", form.wechat() if form.dirty else [""] * n),
        Column("自定义字段", [""] * n),
        Column("IP", frame["ip"].tolist()),
    ]
    questions = [column for q in instrument.questions for column in _tencent(form, q)]
    parts = (first, questions, place) if modern else (first, place, questions)
    return Table(tuple(column for part in parts for column in part), trailing_comma=True)


def _tencent(form: Form, question: Question) -> Iterator[Column]:
    number, asked = question.number, _asked(form.frame, question)
    for item in question.items:
        values = form.frame[item.id]
        if item.type in _SEVERAL:
            for choice in item.choices:
                marks = _marks(values, asked, item, choice, "number")
                named = choice.label.zh if item.type == "multiple" else None
                cells = [(named or mark) if mark > 0 else "" for mark in marks]
                yield Column(f"{number}.{item.text.zh}:{choice.label.zh}", cells, item, choice)
            continue
        if item.type == "single":
            cells = _chosen(values, asked, item, "text")
            letters = {c.label.zh: f"{chr(65 + n)}.{c.label.zh}" for n, c in enumerate(item.choices)}
            cells = [letters.get(cell, cell) for cell in cells] if question.type != "matrix" else cells
        else:
            cells = _typed(values, asked, "text")
        cells = _rewritten(form, item.id, "text", cells)
        cells = ["" if cell in ("(空)", "(跳过)") else cell for cell in cells]
        header = f"{question.text.zh}:{item.text.zh}" if question.type == "matrix" else item.text.zh
        yield Column(f"{number}.{header}", cells, item)


# --- plain tables ---------------------------------------------------------------------------------------------------


def plain(form: Form, instrument: Instrument) -> Table:
    """Lay answers out under the items' ids, as values of the choices; cells without an answer are empty."""
    columns = [
        Column("submitted_at", _submitted(form, "{0:%Y-%m-%d %H:%M:%S}")),
        Column("duration_s", _duration(form, "")),
    ]
    if form.dirty:
        columns.append(Column("IP", form.frame["ip"].tolist()))
    for question in instrument.questions:
        asked = _asked(form.frame, question)
        for item in question.items:
            values = zip(_plain(form.frame[item.id]), asked, strict=True)
            cells = [value if value is not None and shown else "" for value, shown in values]
            columns.append(Column(item.id, _rewritten(form, item.id, "plain", cells), item))
    return Table(tuple(columns))


# --- files ----------------------------------------------------------------------------------------------------------


def write_xlsx(table: Table, path: Path) -> None:
    """Write a workbook of one sheet; text stays text, whatever it begins with."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime(2025, 7, 1)})  # the same answers make the same file
        sheet = book.add_worksheet("Sheet1")
        sheet.write_row(0, 0, [column.header for column in table.columns])
        for number, row in enumerate(table.rows, 1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, value)
                else:
                    sheet.write_number(number, place, value)


def write_csv(table: Table, path: Path, encoding: str) -> None:
    """Write a text table."""
    end = [""] if table.trailing_comma else []
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.header for column in table.columns] + end)
        writer.writerows([*row, *end] for row in table.rows)


def write_labelled(table: Table, path: Path, stata: bool) -> None:
    """Write 问卷星's scores with labels: for SPSS as Q1, Q7_R2 and Q23_A1, for Stata under the items' ids."""
    import pandas as pd
    import pyreadstat

    sav = not stata
    data, labels, values, missing = {}, {}, {}, {}
    for column in table.columns:
        name = _variable(column, labels, sav)
        labels[name] = column.header if sav else column.header[:80]
        if any(isinstance(cell, str) for cell in column.cells):
            data[name] = [str(cell) for cell in column.cells]
            continue
        data[name] = np.asarray(column.cells, float)
        if column.choice is not None:
            values[name] = {0: "未选中", 1: "选中"} if column.item.type == "multiple" else {}
        elif column.item is not None:
            values[name] = {c.value: c.label.zh for c in column.item.choices}
        if column.item is not None:
            missing[name] = [{"lo": -4, "hi": -2}]
    frame = pd.DataFrame(data)
    values = {name: listed for name, listed in values.items() if listed}
    if sav:
        pyreadstat.write_sav(
            frame, str(path), column_labels=labels, variable_value_labels=values, missing_ranges=missing
        )
    else:
        pyreadstat.write_dta(frame, str(path), column_labels=labels, variable_value_labels=values, version=15)


def _variable(column: Column, taken: dict[str, str], sav: bool) -> str:
    if column.item is None:
        names = {"序号": "id", "提交答卷时间": "submitted_at", "所用时间": "duration_s", "来自IP": "ip"}
        return names.get(column.header, f"v{len(taken) + 1}")
    if not sav:  # Stata's labels are too short to tell questions apart
        return column.item.id if column.choice is None else f"{column.item.id}_{column.choice.value}"
    number = "".join(c for c in column.header.split("题(")[0].split("、")[0] if c.isdigit())
    if column.choice is not None:
        return f"Q{number}_A{column.choice.value}"
    if column.header.startswith("第"):
        rows = sum(name.startswith(f"Q{number}_R") for name in taken)
        return f"Q{number}_R{rows + 1}"
    return f"Q{number}"
