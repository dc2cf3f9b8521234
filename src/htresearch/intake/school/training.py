"""培训签到表: from sign-in sheets, one event a table or one row a participant, to training events and attendance."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Context
from htresearch.intake.school.dates import day
from htresearch.intake.school.dictionary import Dictionary, base
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Spot, Where
from htresearch.intake.school.lists import NO_DAY, NOBODY, WRITE_DAY
from htresearch.intake.school.plain import masked, plain
from htresearch.language import Text, listing

if TYPE_CHECKING:
    import pandas as pd

#: Clock hours of a 学时.
PERIOD_HOURS = 0.75
#: Between two labels with their values in one cell.
_PARTED = re.compile(r"[\s,;]+(?=[^\s:,;]{1,8}:)")
_HOURS = re.compile(r"(?:共|约)?(\d+(?:\.\d+)?)(个?小时|时|个?学时|课时|分钟|h|H)?")
_UNITS = {"小时": 1.0, "时": 1.0, "h": 1.0, "H": 1.0, "学时": PERIOD_HOURS, "课时": PERIOD_HOURS, "分钟": 1 / 60}
#: Columns of an event and the roles whose cells state them.
_WORDS = {"event_level": "training_level", "event_format": "format", "event_theme": "theme", "event_mode": "mode"}
_PARTS = ("level", "format", "theme", "mode", "held_on", "hours")
_LABELS = {
    "level": Text("层级", "its level (层级)"),
    "format": Text("形式", "its format (形式)"),
    "theme": Text("主题", "its theme (主题)"),
    "mode": Text("方式", "its mode (方式)"),
    "held_on": Text("日期", "its day (日期)"),
    "hours": Text("时长", "its hours (时长)"),
}


@dataclass(frozen=True)
class Event:
    """What a sheet says of an event; what it does not say is None."""

    event_id: str | None = None
    name: str | None = None
    level: str | None = None
    format: str | None = None
    theme: str | None = None
    mode: str | None = None
    held_on: date | None = None
    hours: float | None = None

    def over(self, other: Event) -> Event:
        """Return this event with what it leaves out filled in from another."""
        return replace(
            self, **{f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        )


@dataclass
class Held:
    """An event with the place where it was read, and who was there."""

    event: Event
    unit: str
    place: Spot
    where: Where
    attended: dict[str, tuple[float, float | None, Spot]] = field(default_factory=dict)


Trainings = dict[tuple, Held]


# --- reading a sheet ------------------------------------------------------------------------------------------------


def read_training(block: Block, context: Context, book: Trainings, known: dict[str, Event]) -> None:
    """Add the events and participants of a table to the book.

    Parameters
    ----------
    known
        Events that the study has, by id: a sheet need only name them.
    """
    desk, where = context.desk, block.where
    roles = block.roles(desk.words)
    titled = _titled(block, context)
    if not block.rows:
        _held(titled, context, book, known, block.header_row, context.school)
    for number, row in block.rows:
        cells = {role: row[column] for role, column in roles.items()}
        own = _of_cells(cells, roles, number, context)
        name = cells.get("name")
        if not plain(name):
            desk.ledger.leave_out(NOBODY, where.row(number))
            continue
        school = None
        if plain(cells.get("school")) or context.school:
            school = context.school_of(number, roles.get("school"), cells.get("school"))
            if school is None:
                continue
        held = _held(own.over(titled), context, book, known, number, school)
        match = desk.roster.teacher(plain(name), school)
        if match.id is None:
            desk.ledger.fault(where.cell(number, roles["name"]), match.why, match.fix, masked(name))
            continue
        if held is None:
            continue
        there = _was_there(cells.get("signed"), roles, number, context)
        if there is False:
            desk.ledger.leave_out(_AWAY, where.row(number))
        if not there:
            continue
        _attend(held, match.id, cells, roles, number, context)


def _attend(held: Held, teacher: str, cells: dict, roles: dict[str, int], number: int, context: Context) -> None:
    ledger, where = context.desk.ledger, context.where
    hours = held.event.hours
    for role, unit in (("attended_hours", 1.0), ("attended_periods", PERIOD_HOURS)):
        value = cells.get(role)
        if plain(value):
            hours = _hours(value, unit)
            if hours is None:
                ledger.fault(where.cell(number, roles[role]), _NO_HOURS, _WRITE_HOURS, value)
                return
            if held.event.hours is not None and hours > held.event.hours + 1e-9:
                ledger.fault(where.cell(number, roles[role]), _TOO_LONG, _CHECK_HOURS, value)
                return
            break
    else:
        ledger.note(_WHOLE)
    rating = cells.get("rating")
    if plain(rating):
        rating = _number(rating)
        if rating is None:
            ledger.fault(where.cell(number, roles["rating"]), _NO_RATING, _WRITE_RATING, cells["rating"])
            return
    else:
        rating = None
    place = where.cell(number, roles["name"])
    said = held.attended.setdefault(teacher, (hours, rating, place))
    ledger.rows_kept += 1
    if said[2] == place:
        return
    if said[:2] == (hours, rating):
        ledger.find(_TWICE, place)
    else:
        ledger.fault(place, _OTHERWISE, _KEEP_ONE.format(first=said[2]))


def _was_there(value: object, roles: dict[str, int], number: int, context: Context) -> bool | None:
    """Tell whether who stands in a row was there; None where a cell cannot be read, which is a fault.

    Without a column for signatures, who is listed was there; with one, a cell left empty says that nobody signed.
    """
    if "signed" not in roles:
        return True
    text = plain(value)
    if not text:
        return False
    said = context.desk.words.value("signed", text.lower())
    if said is not None:
        return said == "yes"
    if re.fullmatch(r"[一-龥·]{2,4}", text):  # a signature
        return True
    place = context.where.cell(number, roles["signed"])
    context.desk.ledger.fault(place, _NO_SIGN, _WRITE_SIGN, value if len(text) < 3 else None)
    return None


# --- the event ------------------------------------------------------------------------------------------------------


def _titled(block: Block, context: Context) -> Event:
    """Read what stands above a table: 层级：校本, or a label and its value in two cells."""
    said: dict[str, tuple[object, str, Spot]] = {}
    words = context.desk.words
    for place, (text, row, column) in enumerate(block.prose):
        pairs = [part.split(":", 1) for part in _PARTED.split(unicodedata.normalize("NFKC", text)) if ":" in part]
        if not pairs and place + 1 < len(block.prose) and block.prose[place + 1][1] == row:
            pairs = [(text, block.prose[place + 1][0])]
        for label, value in pairs:
            role = words.role(plain(label))
            if role and role.startswith("event_") and plain(value):
                said.setdefault(role, (value.strip(" ,;"), plain(label), context.where.cell(row, column)))
    event = _event(said, context)
    if not said and context.own:
        # A heading such as 区级班主任培训签到表 says the level in passing.
        known = words.words["training_level"].items()
        levels = {value for text in context.own for word, value in known if len(word) > 1 and f"{word}班主任" in text}
        event = replace(event, level=levels.pop() if len(levels) == 1 else None)
    return event


def _of_cells(cells: dict, roles: dict[str, int], number: int, context: Context) -> Event:
    said = {
        role: (value, role, context.where.cell(number, roles[role]))
        for role, value in cells.items()
        if role.startswith("event_") and plain(value)
    }
    return _event(said, context) if said else Event()


def _event(said: dict[str, tuple[object, str, Spot]], context: Context) -> Event:
    """Read the cells that state an event; a word or a day that is not known is a fault."""
    ledger, words = context.desk.ledger, context.desk.words
    parts: dict[str, object] = {}
    for role, (value, label, place) in said.items():
        text = plain(value)
        if role in _WORDS:
            found = _word(words, _WORDS[role], text)
            if found is None:
                known = listing(dict.fromkeys(w for w in words.words[_WORDS[role]] if not w.isascii()))
                ledger.fault(place, _NO_WORD, Text("可用：{all}", "Use one of: {all}").format(all=known), value)
            parts[role.removeprefix("event_")] = found
        elif role == "event_held_on":
            parts["held_on"] = day(value)
            if parts["held_on"] is None:
                ledger.fault(place, NO_DAY, WRITE_DAY, value)
        elif role in ("event_hours", "event_periods"):
            unit = PERIOD_HOURS if role == "event_periods" else 1.0 if "小时" in label else None
            hours = _hours(value, unit)
            if hours is None:
                ledger.fault(place, _NO_HOURS, _WRITE_HOURS, value)
            parts.setdefault("hours", hours)
        elif role == "event_id":
            parts["event_id"] = text
        elif role == "event_name":
            parts["name"] = text
    return Event(**parts)


def _word(words: Dictionary, name: str, text: str) -> str | None:
    return words.value(name, text) or words.value(name, base(text))


def _hours(value: object, unit: float | None) -> float | None:
    """Read clock hours; a bare number needs a unit in its header."""
    match = _HOURS.fullmatch(plain(value))
    if not match:
        return None
    factor = _UNITS[match[2].removeprefix("个")] if match[2] else unit
    return None if factor is None else round(float(match[1]) * factor, 4)


def _number(value: object) -> float | None:
    try:
        number = float(plain(value).removesuffix("分"))
    except ValueError:
        return None
    return number if 0 <= number <= 1000 else None


def _held(
    event: Event, context: Context, book: Trainings, known: dict[str, Event], number: int, school: str | None
) -> Held | None:
    """Return the event of a row in the book; one that cannot be told from others, or lacks a part, is a fault."""
    ledger, where, desk = context.desk.ledger, context.where, context.desk
    if event.event_id in known:
        event = event.over(known[event.event_id])
    lacking = [part for part in _PARTS if getattr(event, part) is None]
    if lacking:
        rule = _LACKS.format(parts=listing(_LABELS[part] for part in lacking))
        ledger.fault_once(where.row(context.header_row), rule, _SAY_IT)
        return None
    unit = ""
    if event.level in ("school", "zone"):
        if school is None:
            ledger.fault_once(where.row(context.header_row), _WHOSE, _SAY_WHOSE)
            return None
        unit = school if event.level == "school" else (desk.places.zones.get(school) or school)
    key = (
        ("id", event.event_id)
        if event.event_id
        else (event.level, unit, event.held_on, event.name, event.theme, event.format)
    )
    held = book.setdefault(key, Held(event, unit, where.cell(number, 0), where))
    other = [p for p in _PARTS if getattr(held.event, p) != getattr(event, p)]
    if other:
        rule = _DIFFERS.format(parts=listing(_LABELS[p] for p in other))
        ledger.fault_once(where.row(context.header_row), rule, _KEEP_ONE.format(first=held.place))
        return None
    return held


# --- the tables -----------------------------------------------------------------------------------------------------


def tables(book: Trainings) -> tuple[pd.DataFrame, pd.DataFrame, list[Spot]]:
    """Return `training_events` and `attendance`, and the cell of each participant.

    An event without a number of its own gets an id made of its level, who held it, day, name, theme and format, so
    that the same event has the same id in every school's sheet and in every intake.
    """
    import pandas as pd

    events, rows, places = [], [], []
    for key, held in book.items():
        event = held.event
        identity = event.event_id or "e_" + hashlib.sha256("\x1f".join(map(str, key)).encode()).hexdigest()[:12]
        events.append((identity, event.level, event.format, event.theme, event.mode, event.held_on, event.hours))
        for teacher, (hours, rating, place) in held.attended.items():
            rows.append((identity, teacher, hours, rating))
            places.append(place)
    columns = ["event_id", "level", "format", "theme", "mode", "held_on", "hours"]
    attendance = pd.DataFrame(rows, columns=["event_id", "teacher_id", "hours_attended", "rating"])
    return pd.DataFrame(events, columns=columns), attendance, places


def known_events(frame: pd.DataFrame | None) -> dict[str, Event]:
    """Return the events of a study by id."""
    if frame is None:
        return {}
    return {
        str(row.event_id): Event(
            str(row.event_id),
            None,
            str(row.level),
            str(row.format),
            str(row.theme),
            str(row.mode),
            row.held_on.date() if hasattr(row.held_on, "date") else row.held_on,
            float(row.hours),
        )
        for row in frame.itertuples(index=False)
    }


def is_training(roles: Iterable[str]) -> bool:
    """Tell whether the headers of a table are those of a sign-in sheet."""
    roles = set(roles)
    signs = {"signed", "attended_hours", "attended_periods"}
    return "name" in roles and bool(roles & signs or {"event_name", "event_held_on"} <= roles)


_AWAY = Text("没有到场的人（未签到、请假等）", "who was not there (did not sign, on leave and the like)")
_NO_HOURS = Text("读不出是多长时间", "cannot be read as hours")
_WRITE_HOURS = Text("请写成“2小时”“4学时”或“90分钟”", "Write it with its unit, such as 2小时, 4学时 or 90分钟")
_TOO_LONG = Text("长于该次培训的时长", "is longer than the event")
_CHECK_HOURS = Text("请核对；一学时按 45 分钟计", "Check it; a 学时 is 45 minutes")
_WHOLE = Text("没有写参加时长的，按全程参加计", "Where no hours are written, who signed was there all the time")
_NO_RATING = Text("评价不是数字", "a rating is a number")
_WRITE_RATING = Text("请改为数字，没有评价则留空", "Write a number, or leave it empty")
_TWICE = Text("同一活动签了两次名的人，只计一次", "who signed twice for one event, counted once")
_OTHERWISE = Text("同一人在同一活动中另有不同的记录", "the person has another record at the same event")
_KEEP_ONE = Text("另一处在 {first}；请更正其中一处", "The other is {first}; correct one of them")
_NO_SIGN = Text("看不出是否到场", "does not say whether the person was there")
_WRITE_SIGN = Text("请写 √ 或 ×", "Write √ or ×")
_NO_WORD = Text("不在词表之中", "is not in the vocabulary")
_LACKS = Text("没有写明这次培训的{parts}", "does not say of the event {parts}")
_SAY_IT = Text(
    "请在表上方写明，如“层级：校本　形式：研讨会　主题：工作方法　方式：个案分析　时间：2024.10.10　时长：2小时”",
    "Write it above the table, such as 层级：校本 形式：研讨会 主题：工作方法 方式：个案分析 时间：2024.10.10 "
    "时长：2小时",
)
_WHOSE = Text("看不出是哪所学校（哪个学区）的培训", "does not say whose event it is")
_SAY_WHOSE = Text(
    "请在标题、工作表名或文件名中写明校名", "Write the school into the title, the sheet's name or the file's"
)
_DIFFERS = Text("同一次培训的{parts}与另一处不同", "the event differs from another sheet in {parts}")
