"""Simulated answers to a form of 60 items: as a table, and as the export in which they would arrive."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from htresearch.instruments import Choice, Instrument, Item, Question, Scale
from htresearch.language import Text

SCALES, PER_SCALE = 6, 10
ITEMS = [f"s{scale}_{item}" for scale in range(1, SCALES + 1) for item in range(1, PER_SCALE + 1)]
_LABELS = ("非常不同意", "比较不同意", "说不清", "比较同意", "非常同意")
_THRESHOLDS = np.array([-1.5, -0.7, 0.2, 1.1])
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "明芳伟娜敏静丽强磊军洋勇艳杰娟涛超霞平刚"


def answers(rows: int) -> pd.DataFrame:
    """Draw answers, the same every time: six correlated traits, ten five-point items each, two groups alike.

    The last item of each scale is keyed the other way.
    """
    rng = np.random.default_rng(1)
    group, common = rng.integers(1, 3, rows), rng.normal(size=rows)
    columns = {"group": group}
    for scale in range(SCALES):
        trait = 0.6 * common + 0.8 * rng.normal(size=rows) + 0.2 * (group == 2)
        for item in range(PER_SCALE):
            loading = (0.8, 0.7, 0.6, 0.5, 0.7)[item % 5]
            drawn = loading * trait + np.sqrt(1 - loading**2) * rng.normal(size=rows)
            if item == PER_SCALE - 1:
                drawn = -drawn
            columns[ITEMS[scale * PER_SCALE + item]] = np.searchsorted(_THRESHOLDS, drawn) + 1
    return pd.DataFrame(columns).astype("int8")


def instrument() -> Instrument:
    """Return the form: school and name, then six matrices."""
    choices = tuple(Choice(value, Text(label, label)) for value, label in enumerate(_LABELS, 1))

    def question(number: int, kind: str, words: Text, *items: Item) -> Question:
        return Question(number, kind, words, items)

    school, name = Text("您所在学校的全称：", "Your school:"), Text("您的姓名：", "Your name:")
    questions = [
        question(1, "text", school, Item("school", "text", school, identifies="school")),
        question(2, "text", name, Item("name", "text", name, identifies="name")),
    ]
    scales = {}
    for scale in range(SCALES):
        own = ITEMS[scale * PER_SCALE : (scale + 1) * PER_SCALE]
        rows = [Item(item, "single", Text(f"说法 {item}", f"Statement {item}"), choices) for item in own]
        words = Text(f"第 {scale + 1} 组：您是否同意下面的说法？", f"Part {scale + 1}: do you agree?")
        questions.append(question(scale + 3, "matrix", words, *rows))
        keys = dict.fromkeys(own, 1) | {own[-1]: -1}
        scales[f"scale_{scale + 1}"] = Scale(f"scale_{scale + 1}", words, keys)
    return Instrument(
        id="bench",
        version="1.0.0",
        status="draft",
        title=Text("测速问卷", "Form for timings"),
        purpose=Text("", ""),
        introduction=Text("", ""),
        source=Text("", ""),
        licence="Apache-2.0",
        citation="",
        respondent="teacher",
        anonymous=False,
        clauses=(),
        minutes=None,
        questions=tuple(questions),
        scales=scales,
    )


def export(frame: pd.DataFrame, path: Path) -> None:
    """Write answers as 问卷星 exports them by option text: a row per respondent, facts, name and school first."""
    import xlsxwriter

    form = instrument()
    facts = ("序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP")
    headers = [*facts, *(_header(question, item) for question in form.questions for item in question.items)]
    begun, rng = datetime(2025, 3, 3, 8), np.random.default_rng(2)
    seconds, hosts = rng.integers(200, 900, len(frame)).tolist(), rng.integers(1, 255, len(frame)).tolist()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("Sheet1")
        sheet.write_row(0, 0, headers)
        chosen = frame[ITEMS].to_numpy()
        for n, (values, took, host) in enumerate(zip(chosen, seconds, hosts, strict=True)):
            at = begun + timedelta(seconds=7 * n)
            submitted = f"{at.year}/{at.month}/{at.day} {at:%H:%M:%S}"
            sheet.write_number(n + 1, 0, n + 1)
            words = (submitted, f"{took}秒", "手机提交", "直接访问", f"192.0.2.{host}(河南-郑州)", *_who(n))
            for place, word in enumerate((*words, *(_LABELS[value - 1] for value in values)), 1):
                sheet.write_string(n + 1, place, word)


def _header(question: Question, item: Item) -> str:
    number = question.number
    return f"第{number}题({item.text.zh})" if question.type == "matrix" else f"{number}、{item.text.zh}"


def _who(n: int) -> tuple[str, str]:
    """Return the school and the name of a respondent; no two have both in common."""
    school, teacher = divmod(n, 100)
    first, second = divmod(teacher, 20)
    surname = _SURNAMES[(first + school) % 20]
    return f"第{school + 1}实验学校", f"{surname}{_GIVEN[second]}{_GIVEN[(first * 7) % 20]}"
