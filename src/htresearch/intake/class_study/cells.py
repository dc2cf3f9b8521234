"""What is written in one cell of a class study, read where its meaning is certain and refused where it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time

import numpy as np
import pandas as pd

from htresearch.checks import suggestion
from htresearch.identifiers import find
from htresearch.intake.class_study.layout import Choice
from htresearch.intake.entries import NO_WORDS, YES_WORDS, Unread, bare, plain
from htresearch.intake.escaping import unescaped
from htresearch.intake.school import dates
from htresearch.intake.school.plain import numeral
from htresearch.intake.times import moment
from htresearch.language import Text, listing

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
LARGEST = 1e9

#: What says that there is no record, where a value is expected.
MISSING = frozenset(
    bare(word)
    for word in (
        *(
            "缺",
            "缺失",
            "缺记",
            "无",
            "无记录",
            "没记录",
            "没有记录",
            "未记录",
            "未记",
            "没记",
            "漏记",
            "忘记",
            "忘了",
        ),
        *("请假", "放假", "假期", "停课", "缺勤", "缺席", "调课", "外出", "-", "--", "—", "——", "/", "\\"),
        *("na", "n/a", "nan", "none", "null", "missing", "absent", "not recorded", "no record", "holiday"),
    )
)
_YES = YES_WORDS | {"有", "做了", "做到了", "按计划", "✔", "☑", "t", "ok", "done"}
_NO = NO_WORDS | {"没有", "没做", "没做到", "未做", "没按计划", "✘", "☒", "f", "notdone"}

_UNITS = (
    *("次", "份", "人", "名", "个", "人次", "分钟", "分", "本", "页", "条", "件", "篇", "遍", "题", "天", "节", "封"),
    *("times", "time", "pupils", "pupil", "pieces", "piece", "minutes", "minute", "min", "points", "point", "pages"),
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_OF = re.compile(r"(\d+(?:\.\d+)?)[/⁄∕](\d+(?:\.\d+)?)")

AS_DATE = Text("请写作 2026-9-1（年、月、日都要有）", "Write it as 2026-9-1, with year, month and day")
AS_NUMBER = Text(
    "只填一个数，如 12；没有记录就写“缺”", "Fill in one number, such as 12, or “missing” if there is none"
)


def empty(value: object) -> bool:
    """Tell whether a cell holds nothing that can be seen."""
    return value is None or (isinstance(value, str) and not plain(value))


def native(value: object) -> object:
    """Return a value of a frame or a mapping as a cell of a file would hold it."""
    if value is None or (not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value).to_pydatetime()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, str | int | float | date) else str(value)


def identifying(value: object) -> bool:
    """Tell whether a cell holds a phone number or the like."""
    whole = isinstance(value, float) and value.is_integer()
    return not empty(value) and not isinstance(value, date) and bool(find(str(int(value)) if whole else str(value)))


def read_text(value: object) -> str:
    """Read words of the plan; a number stands as it is written.

    Raises
    ------
    Unread
        If they hold what identifies somebody.
    """
    if identifying(value):
        raise Unread(
            Text("含有电话、证件号、姓名之类能认出人的内容", "holds a phone number, a name or the like"),
            Text("请删去；只写座号、人数或全班合计", "Remove it; write seat numbers or totals of the class"),
        )
    value = unescaped(value)
    if isinstance(value, datetime):
        return str(value.date())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", str(value)).strip()


def read_choice(value: object, choices: Sequence[Choice]) -> str:
    """Read an answer that is chosen from a list."""
    labels = [choice.label for choice in choices]
    said = bare(unescaped(value)) if isinstance(value, str) else ""
    for choice in choices:
        if said in {bare(word) for word in (choice.value, choice.label.zh, choice.label.en, *choice.words)}:
            return choice.value
    near = suggestion(said, [label.zh for label in labels] + [label.en for label in labels])
    offered = Text("请从下拉列表中选：{all}", "Choose from the list: {all}").format(all=listing(labels))
    raise Unread(Text("不在可选的答案里", "is not one of the answers"), near or offered)


def read_yes(value: object) -> bool | None:
    """Read whether the day went as planned; None where nothing was recorded."""
    if isinstance(value, bool):
        return value
    said = bare(unescaped(_whole(value))) if isinstance(value, (str, int, float)) else ""
    if said in _YES or said in _NO:
        return said in _YES
    if said in MISSING:
        return None
    raise Unread(Text("不是“是”或“否”", "is neither yes nor no"), Text("请填 是 或 否", "Fill in yes or no"))


def read_day(value: object) -> date:
    """Read one day, however it is written; a day without its year is refused as one.

    Raises
    ------
    Unread
        With `YEARLESS` as its rule where only the year is missing.
    """
    if isinstance(value, bool | time):
        raise Unread(Text("不是日期", "is no date"), AS_DATE)
    value = unescaped(value)
    day = dates.day(_whole(value))
    if day is None and (read := moment(_whole(value))) is not None:
        day = read.date()
    if day is None:
        raise Unread(YEARLESS if _yearless(value) else Text("不是完整的日期", "is no complete date"), AS_DATE)
    if not FIRST_DAY <= day <= LAST_DAY:
        rule = Text("日期不在 2000 年到 2100 年之间", "lies outside the years 2000 to 2100")
        raise Unread(rule, Text("请检查年份", "Check the year"))
    return day


def same_day(value: object, day: date) -> bool:
    """Tell whether a cell holds this day."""
    try:
        return read_day(value) == day
    except Unread:
        return False


YEARLESS = Text("没有写年份", "has no year")


def _yearless(value: object) -> bool:
    text = "".join(plain(value).split()) if isinstance(value, str) else ""
    found = dates.find_days(text, date(2024, 1, 1), date(2024, 12, 31))  # a leap year has every day
    return len(found) == 1 and found[0][1:] == (0, len(text))


def read_yearless(value: object, since: date, until: date) -> date | None:
    """Read a day that names no year, where exactly one year puts it from `since` to `until`."""
    found = dates.find_days("".join(plain(value).split()), since, until)
    return found[0][0] if len(found) == 1 else None


def read_number(value: object, unit: str = "", out_of: float | None = None) -> float | None:
    """Read a value with or without its unit; None where it is said that nothing was recorded.

    Parameters
    ----------
    value
        A cell that is not empty.
    unit
        The unit of the plan, which may follow the number.
    out_of
        For a share: of how many. Per cent are read where it is 100, and ``38/42`` where it is 42.

    Raises
    ------
    Unread
        If it is no number, or could be two.
    """
    if isinstance(value, bool | date | time):
        what = Text("是日期或逻辑值，不是数字", "is a date or a truth value, not a number")
        raise Unread(
            what, Text("请把单元格格式改成“数值”，重新填写", "Format the cell as a number and fill it in again")
        )
    if isinstance(value, (int, float)):
        return _bounded(float(value))
    text = "".join(plain(unescaped(value)).split()).casefold()
    if text in MISSING:
        return None
    if found := _OF.fullmatch(text):
        return _of(float(found[1]), float(found[2]), out_of)
    if text.endswith("%"):
        if out_of != 100 and bare(unit) not in ("%", "percent"):
            rule = Text("是百分数，计划里记的却不是百分数", "is per cent, but the plan does not record per cent")
            fix = Text(
                "请改填个数；要记百分数，就在“我的计划”里把总数填 100、单位填 %",
                "Fill in the number itself; to record per cent, make “Out of” 100 and the unit % in the plan",
            )
            raise Unread(rule, fix)
        text = text.removesuffix("%")
    else:
        text = _without_unit(text, unit)
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if _NUMBER.fullmatch(text):
        return _bounded(float(text))
    if (spelled := numeral(text)) is not None:
        return float(spelled)
    raise Unread(Text("不是一个数", "is not one number"), AS_NUMBER)


def read_position(value: object) -> int:
    """Read the place of a record, counted from 1."""
    text = re.sub(r"^第|(条记录|条|次|天|节课|节)?(起|开始)?$", "", bare(value)) if isinstance(value, str) else value
    try:
        number = None if empty(text) else read_number(text)
    except Unread:
        number = None
    if number is None or number != int(number) or not 1 <= number <= 10_000:
        rule = Text("不是第几条记录的序号", "is not the number of a record")
        raise Unread(
            rule, Text("请填一个整数，如 8（从 1 数起）", "Fill in a whole number such as 8, counted from 1")
        )
    return int(number)


def _bounded(number: float) -> float:
    if not math.isfinite(number) or abs(number) > LARGEST:
        raise Unread(Text("数字太大，不像记录", "is too large to be a record"), Text("请检查后重填", "Check it"))
    return number


def _of(number: float, whole: float, out_of: float | None) -> float:
    if out_of is not None and whole == out_of:
        return number
    if out_of is None:
        raise Unread(Text("写成了“几分之几”", "is written as a fraction"), AS_NUMBER)
    raise Unread(
        Text(
            f"说是 {whole:g} 个中的几个，计划里的总数却是 {out_of:g}",
            f"is out of {whole:g}, the plan out of {out_of:g}",
        ),
        Text(
            "总数每天不同，就改记百分数（总数填 100）；否则请按计划的总数填",
            "Where the total differs by day, record per cent (out of 100); else fill in the number out of the "
            "plan's total",
        ),
    )


def _without_unit(text: str, unit: str) -> str:
    for end in sorted({bare(unit), *_UNITS} - {""}, key=len, reverse=True):
        if text.endswith(end) and len(text) > len(end):
            return text.removesuffix(end)
    return text


def _whole(value: object) -> object:
    """Return a number as the whole one that a spreadsheet shows."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
