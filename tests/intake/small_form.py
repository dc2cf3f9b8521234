"""A form with every type of question, answers to it, and the files in which they could arrive."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyreadstat
import xlsxwriter

from htresearch.instruments import Instrument, Item, load_instrument

FORM = """
id: small
version: "1.0"
status: draft
title: {zh: 小问卷, en: A small form}
purpose: {zh: 测试, en: Tests}
source: {zh: 自编, en: Own}
licence: Apache-2.0
respondent: teacher
missing:
  - {value: -3, zh: 跳过, en: Skipped}
  - {value: -2, zh: 未作答, en: No answer}
choices:
  often:
    - {value: 0, zh: 从不, en: Never}
    - {value: 1, zh: 有时, en: Sometimes}
    - {value: 2, zh: 经常, en: Often}
    - {value: 3, zh: 总是, en: Always}
    - {value: -4, zh: 不适用, en: Does not apply, missing: true}
items:
  - {id: name, type: text, zh: 您的姓名：, en: "Your name:", identifies: name}
  - {id: school, type: text, zh: 您的学校：, en: "Your school:", identifies: school}
  - id: trained
    type: single
    zh: 您是否参加过培训？
    en: Have you been trained?
    choices: [{value: 1, zh: 是, en: "Yes"}, {value: 2, zh: 否, en: "No"}]
  - id: kinds
    type: multiple
    zh: 参加过哪些形式？（可多选）
    en: Which kinds?
    when: {trained: [1]}
    choices:
      - {value: 1, zh: 讲座, en: Lecture}
      - {value: 2, zh: 工作坊, en: Workshop}
      - {value: 3, zh: 其他, en: Other}
  - id: often
    type: matrix
    zh: 下面的情况多久出现一次？
    en: How often is this so?
    choices: often
    rows:
      tired: {zh: 我觉得累, en: I am tired}
      glad: {zh: 我觉得高兴, en: I am glad}
  - id: wishes
    type: ranking
    zh: 您最需要什么？
    en: What do you need most?
    choices:
      - {value: 1, zh: 时间, en: Time}
      - {value: 2, zh: 经费, en: Money}
      - {value: 3, zh: 帮手, en: Help}
  - {id: years, type: number, zh: 您当了几年班主任？, en: "For how many years?", min: 0, max: 45}
  - {id: began, type: date, zh: 您哪天开始当班主任？, en: "When did you begin?"}
  - {id: comment, type: text, zh: 您还想说什么？, en: "Anything else?", optional: true}
"""

FACTS = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]
OPENED = datetime(2024, 9, 2, 8, 0)
SKIPPED, BLANK = "skipped", "blank"


def form(folder: Path) -> Instrument:
    """The instrument."""
    path = folder / "small.yaml"
    path.write_text(FORM, encoding="utf-8")
    return load_instrument(path)


def answers(instrument: Instrument, rows: int = 30, seed: int = 1) -> list[dict]:
    """Answers by item: values, lists of values, or why there is none."""
    rng = np.random.default_rng(seed)
    made = []
    for row in range(rows):
        said: dict[str, object] = {}
        for question in instrument.questions:
            asked = all(said[name] in values for name, values in question.when.items())
            for item in question.items:
                said[item.id] = _answer(item, row, rng) if asked else SKIPPED
                if asked and not item.identifies and item.id != "trained" and rng.random() < 0.08:
                    said[item.id] = BLANK
        made.append(said)
    return made


def _answer(item: Item, row: int, rng: np.random.Generator) -> object:
    if item.type == "single":
        return int(rng.choice([choice.value for choice in item.choices]))
    if item.type in ("multiple", "ranking"):
        values = [int(v) for v in rng.permutation(item.values)[: rng.integers(1, len(item.values) + 1)]]
        return values if item.type == "ranking" else sorted(values)
    if item.type == "number":
        return int(rng.integers(0, 46))
    if item.type == "date":
        return datetime(2010, 1, 1) + timedelta(days=int(rng.integers(0, 4000)))
    surname, given = "王李张刘陈"[row % 5], f"{'伟芳敏静磊'[row // 5 % 5]}{'军霞平强丽'[row // 25 % 5]}"
    return {"name": surname + given, "school": f"第{'一二三'[row % 3]}小学", None: f"意见{row}"}[item.identifies]


def header(number: int, text: str) -> str:
    """A header of 问卷星."""
    return f"{number}、{text}"


def wenjuanxing(instrument: Instrument, said: list[dict], mode: str, split: bool = False) -> list[list]:
    """Rows of an export of 问卷星, the headers first; `split` gives every choice of several a column."""
    columns = [
        (name, values) for name, values in zip(FACTS, zip(*map(_facts, range(len(said))), strict=True), strict=True)
    ]
    for question in instrument.questions:
        for item in question.items:
            given = [row[item.id] for row in said]
            if question.type == "matrix":
                columns.append((f"第{question.number}题({item.text.zh})", _cells(item, given, mode)))
            elif item.type in ("multiple", "ranking") and split:
                for choice in item.choices:
                    columns.append(
                        (f"第{question.number}题({choice.label.zh})", _marks(item, choice.value, given, mode))
                    )
            else:
                columns.append((header(question.number, item.text.zh), _cells(item, given, mode)))
    return [[name for name, _ in columns], *map(list, zip(*(cells for _, cells in columns), strict=True))]


def _facts(row: int) -> tuple:
    at = OPENED + timedelta(hours=row, seconds=7 * row)
    return (
        row + 1,
        f"{at.year}/{at.month}/{at.day} {at:%H:%M:%S}",
        f"{100 + row}秒",
        "微信",
        "N/A",
        f"10.1.2.{row % 250}",
    )


def _none(why: object, mode: str) -> object:
    return {SKIPPED: ("(跳过)", -3), BLANK: ("(空)", -2)}[why][mode != "text"]


def written(item: Item, mode: str) -> dict[int, object]:
    """How each choice is written."""
    if mode == "text":
        return {c.value: c.label.zh for c in item.choices}
    return {c.value: n if mode == "number" else c.value for n, c in enumerate(item.choices, 1)}


def _cells(item: Item, given: list, mode: str) -> list:
    words = written(item, mode)
    marks = {"multiple": "┋", "ranking": "→"}
    cells = []
    for value in given:
        if value in (SKIPPED, BLANK):
            cells.append(_none(value, mode))
        elif item.type == "single":
            cells.append(words[value])
        elif item.type in marks:
            cells.append(marks[item.type].join(str(words[v]) for v in value))
        elif item.type == "date":
            cells.append(f"{value.year}-{value.month}-{value.day}")
        else:
            cells.append(value)
    return cells


def _marks(item: Item, choice: int, given: list, mode: str) -> list:
    cells = []
    for value in given:
        if value in (SKIPPED, BLANK):
            cells.append(_none(value, mode))
        elif item.type == "ranking":
            cells.append(value.index(choice) + 1 if choice in value else -2)
        else:
            cells.append(int(choice in value))
    return cells


def tencent(instrument: Instrument, said: list[dict]) -> list[list]:
    """Rows of an export of 腾讯问卷, which leaves cells without an answer empty."""
    rows = wenjuanxing(instrument, said, "text", split=True)
    names = {"序号": "编号", "提交答卷时间": "结束答题时间", "所用时间": "答题时长", "来自IP": "IP"}
    heads = [names.get(h, h) for h in rows[0]]
    for question in instrument.questions:
        for item in question.items:
            for place, head in enumerate(heads):
                if head == header(question.number, item.text.zh):
                    heads[place] = f"{question.number}.{item.text.zh}"
                elif head == f"第{question.number}题({item.text.zh})":
                    heads[place] = f"{question.number}.{question.text.zh}:{item.text.zh}"
                for choice in item.choices:
                    if (
                        question.type in ("multiple", "ranking")
                        and head == f"第{question.number}题({choice.label.zh})"
                    ):
                        heads[place] = f"{question.number}.{item.text.zh}:{choice.label.zh}"
    return [heads, *([None if v in ("(空)", "(跳过)", -2) else v for v in row] for row in rows[1:])]


def plain(instrument: Instrument, said: list[dict]) -> list[list]:
    """Rows of a plain table under the items' names, with the values of the choices."""
    rows = wenjuanxing(instrument, said, "score")
    items = list(instrument.items)
    heads = ["respondent_id", "submitted_at", "duration_s", *items]
    joined = {"┋": ";", "→": ";"}
    body = []
    for row in rows[1:]:
        cells = [None if v in (-2, -3) else v for v in [*row[:3], *row[len(FACTS) :]]]
        body.append(["".join(joined.get(c, c) for c in v) if isinstance(v, str) else v for v in cells])
    return [heads, *body]


def write(path: Path, rows: list[list], encoding: str = "utf-8-sig", sheet: str = "Sheet1") -> Path:
    """Write rows as xlsx or csv, by the name of the file."""
    if path.suffix == ".csv":
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
        return path
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        made = book.add_worksheet(sheet)
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if isinstance(value, datetime):
                    made.write_datetime(i, j, value, day)
                elif value is not None:
                    made.write(i, j, value)
    return path


def write_labelled(path: Path, instrument: Instrument, said: list[dict], **how: object) -> Path:
    """Write scores with value labels; the codes below zero are declared missing in SPSS."""
    import pandas as pd

    rows = wenjuanxing(instrument, said, "score", split=True)
    data, labels, values, missing = {}, {}, {}, {}
    names = iter([n for item in instrument.items.values() for n in _variables(item)])
    for place, head in enumerate(rows[0]):
        name = {"序号": "id", "提交答卷时间": "submitted_at", "所用时间": "duration_s"}.get(head)
        if name is None and head in FACTS:
            continue
        cells = [row[place] for row in rows[1:]]
        own = name or next(names)
        data[own] = [str(c) for c in cells] if any(isinstance(c, str) for c in cells) else [float(c) for c in cells]
        labels[own] = head
        item = instrument.items.get(own)
        if item is not None and item.type == "single":
            values[own] = {c.value: c.label.zh for c in item.choices}
        if not isinstance(data[own][0], str) and name is None:
            missing[own] = [{"lo": -4, "hi": -2}]
    frame = pd.DataFrame(data)
    if path.suffix == ".sav":
        pyreadstat.write_sav(
            frame, str(path), column_labels=labels, variable_value_labels=values, missing_ranges=missing, **how
        )
    else:
        pyreadstat.write_dta(frame, str(path), column_labels=labels, variable_value_labels=values, version=15, **how)
    return path


def _variables(item: Item) -> list[str]:
    several = item.type in ("multiple", "ranking")
    return [f"{item.id}_{choice.value}" for choice in item.choices] if several else [item.id]
