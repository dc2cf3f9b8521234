"""What people enter in a cell, read as its column means it; what cannot be read is said, not guessed."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta

from htresearch.checks import suggestion
from htresearch.identifiers import find
from htresearch.intake.escaping import unescaped
from htresearch.intake.typed import misfit
from htresearch.language import Text, listing
from htresearch.study.schema import Column, Schema

#: What stands between an id and its description in the lists of a form.
BETWEEN = " ｜ "
#: Columns that point to a person: what stands there is a pseudonym, never a name.
_PERSON_COLUMNS = ("teacher_id", "lead_teacher_id", "student_id", "respondent_id")

YES_WORDS = {"是", "true", "yes", "y", "1", "√", "✓", "对"}
NO_WORDS = {"否", "false", "no", "n", "0", "×", "x", "✗", "不是"}
_DAY = re.compile(
    r"(\d{4})(?:年(\d{1,2})月(\d{1,2})日?|([-./。])(\d{1,2})\4(\d{1,2})|(\d{2})(\d{2}))(?:T?0{1,2}:00(:00)?)?"
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_EPOCH = date(1899, 12, 30)

_CHOOSE = Text("请从下拉列表中选择：{all}", "Choose from the list: {all}")
_AS_DAY = Text("请写作 2024-9-1（年、月、日都要有）", "Write it as 2024-9-1, with year, month and day")
_AS_TEXT = Text("请把单元格格式设为“文本”后重新填写", "Format the cell as text and fill it in again")


class Unread(Exception):
    """An entry that cannot be read: the rule it breaks and what to do."""

    def __init__(self, rule: Text, fix: Text):
        super().__init__(rule)
        self.rule, self.fix = rule, fix


def plain(value: object) -> str:
    """Return a text in its plain form: half-width, without blanks around it or marks that nobody sees.

    Examples
    --------
    >>> plain(" （３）班\u3000")
    '(3)班'
    """
    text = unicodedata.normalize("NFKC", str(value))
    return "".join(mark for mark in text if unicodedata.category(mark) not in ("Cc", "Cf")).strip()


def bare(text: object) -> str:
    """Return a text as it is compared with a label: plain, without blanks, in lower case."""
    return "".join(plain(text).split()).casefold()


class Entries:
    """Reads entries of the tables of one schema.

    Parameters
    ----------
    schema
        With the study's own vocabulary values, whose labels are understood too.
    """

    def __init__(self, schema: Schema):
        self.schema = schema
        self._values = {name: self._readings(name) for name in schema.vocabularies}

    def _readings(self, vocabulary: str) -> dict[str, str]:
        """Return what each value of a vocabulary may be called; a label that two values share names neither."""
        called: dict[str, set[str]] = {}
        for value in self.schema.vocabularies[vocabulary]:
            label = self.schema.label(value, vocabulary)
            for name in (value, label.zh, label.en):
                called.setdefault(bare(name), set()).add(value)
        own = {bare(value): value for value in self.schema.vocabularies[vocabulary]}
        return {name: next(iter(values)) for name, values in called.items() if len(values) == 1} | own

    def labels(self, vocabulary: str) -> list[Text]:
        """Return the labels of a vocabulary in its order."""
        return [self.schema.label(value, vocabulary) for value in self.schema.vocabularies[vocabulary]]

    def read(self, value: object, column: Column) -> object:
        """Return what an entry means, None where it is empty.

        Raises
        ------
        Unread
            If it means nothing that the column can hold.
        """
        value = unescaped(value)
        if value is None or (isinstance(value, str) and not plain(value)):
            return None
        if column.vocabulary:
            return self._choice(value, column.vocabulary)
        if column.type in ("id", "text") and find(str(_digits(value))):
            rule = Text("含有电话、证件号之类能认出人的内容", "holds a phone number or the like")
            raise Unread(rule, Text("请改填编号，或删去", "Fill in the id instead, or remove it"))
        read = _READERS[column.type](value, column)
        if (rule := misfit(read, column)) is not None:
            raise Unread(rule, Text("请改正", "Correct it"))
        return read

    def _choice(self, value: object, vocabulary: str) -> str:
        readings = self._values[vocabulary]
        said = "" if isinstance(value, (bool, date, datetime)) else bare(_digits(value))
        if said in readings:
            return readings[said]
        labels = self.labels(vocabulary)
        parts = [part for part in re.split(r"[、,;/+和]", said) if part]
        if len(parts) > 1 and all(part in readings for part in parts):
            rule = Text("填了不止一项", "holds more than one choice")
            raise Unread(rule, Text("只能选一项；各占一行", "Choose one; give each its own row"))
        near = suggestion(said, [label.zh for label in labels] + [label.en for label in labels])
        raise Unread(Text("不在选项之中", "is not one of the choices"), near or _CHOOSE.format(all=listing(labels)))


def _digits(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# --- each type ------------------------------------------------------------------------------------------------------


def _id(value: object, column: Column) -> str:
    if isinstance(value, (bool, date, datetime)):
        rule = Text("编号被 Excel 变成了日期或逻辑值", "is an id that Excel turned into a date or a truth value")
        raise Unread(rule, _AS_TEXT)
    if isinstance(value, float) and abs(value) >= 1e15:
        raise Unread(
            Text("数字超过 15 位，Excel 已改动末尾", "has over 15 digits, the last of which Excel changed"), _AS_TEXT
        )
    if isinstance(value, float) and not value.is_integer():
        raise Unread(Text("不是编号", "is no id"), _AS_TEXT)
    text = plain(_digits(value)).split(BETWEEN.replace("｜", "|"))[0].strip()
    if re.fullmatch(r"\d\.\d+E\+\d+", text, re.IGNORECASE):
        raise Unread(Text("被 Excel 写成了科学记数", "was turned into scientific notation by Excel"), _AS_TEXT)
    if column.name in _PERSON_COLUMNS and not text.isascii():
        rule = Text("像是姓名，不是编号", "looks like a name, not an id")
        raise Unread(rule, Text("请填编号，不填姓名", "Fill in the id, never the name"))
    return text


def _text(value: object, column: Column) -> str:
    if isinstance(value, (bool, date, datetime)):
        raise Unread(Text("应为文字，却是日期或逻辑值", "should be text but is a date or a truth value"), _AS_TEXT)
    text = plain(_digits(value))
    return text if text.isascii() else str(value).strip()


def _date(value: object, column: Column) -> date:
    if isinstance(value, datetime):
        if (value.hour, value.minute, value.second) != (0, 0, 0):
            raise Unread(Text("带有时间", "has a time of day"), _AS_DAY)
        return value.date()
    if isinstance(value, date):
        return value
    text = "" if isinstance(value, bool) else re.sub(r"\s", "", plain(_digits(value)))
    if found := _DAY.fullmatch(text):
        year, *rest = (int(part) for part in found.groups()[:8] if part and part.isdecimal())
        try:
            return date(year, *rest)
        except ValueError:
            raise Unread(Text("没有这一天", "is no day of the calendar"), _AS_DAY) from None
    if text.isdecimal() and 20_000 < int(text) < 75_000:
        day = _EPOCH + timedelta(int(text))
        rule = Text(
            f"是一个数（若是 Excel 的日期序号，则为 {day}）", f"is a number (as a day of Excel it would be {day})"
        )
        raise Unread(rule, Text("请把单元格格式设为“日期”", "Format the cell as a date"))
    raise Unread(Text("不是完整的日期", "is no complete date"), _AS_DAY)


def _boolean(value: object, column: Column) -> bool:
    if isinstance(value, bool):
        return value
    said = bare(_digits(value))
    if said in YES_WORDS or said in NO_WORDS:
        return said in YES_WORDS
    raise Unread(Text("不是“是”或“否”", "is neither yes nor no"), Text("请填 是 或 否", "Fill in yes or no"))


def _number(value: object, column: Column) -> float:
    if isinstance(value, (bool, date, datetime)) or hasattr(value, "minute"):
        rule = Text("应为数字，却是日期或逻辑值", "should be a number but is a date or a truth value")
        raise Unread(
            rule, Text("请把单元格格式设为“数值”后重新填写", "Format the cell as a number and fill it in again")
        )
    if isinstance(value, (int, float)):
        return value
    text = re.sub(r"\s", "", plain(value))
    share = text.endswith("%") and column.maximum == 1
    text = text.removesuffix("%") if share else text
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        rule = Text("不是数字", "is no number")
        raise Unread(rule, Text("只填数字，不带单位和文字", "Fill in the number alone, without unit or words"))
    return float(text) / 100 if share else float(text)


def _integer(value: object, column: Column) -> int:
    number = _number(value, column)
    if not math.isfinite(number) or number != int(number):
        raise Unread(Text("不是整数", "is no whole number"), Text("请填整数", "Fill in a whole number"))
    return int(number)


def _timestamp(value: object, column: Column) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(plain(value))
    except ValueError:
        rule = Text("不是时间", "is no time")
        raise Unread(rule, Text("请写作 2024-09-01 08:30", "Write it as 2024-09-01 08:30")) from None


_READERS: dict[str, Callable[[object, Column], object]] = {
    "id": _id,
    "text": _text,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
