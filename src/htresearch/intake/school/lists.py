"""每学期班主任名单: who led which class in each term, as the lists say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from htresearch.intake.school.context import Context
from htresearch.intake.school.dates import day
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Where
from htresearch.intake.school.places import SchoolClass, Term
from htresearch.intake.school.plain import masked, plain
from htresearch.intake.school.remarks import change, is_about_leading
from htresearch.language import Text

ROLES = ("head", "deputy", "acting")
_BETWEEN = re.compile(r"[、,，;；/\n]+")
_IN_BRACKETS = re.compile(r"\(.*?\)")


@dataclass(frozen=True)
class Entry:
    """That a list names a teacher for a class in a term, with what it says of the spell."""

    teacher_id: str
    known: SchoolClass
    role: str
    term: Term
    where: Where
    row: int
    column: int
    since: date | None = None
    until: date | None = None
    reason: str | None = None


def read_list(block: Block, context: Context) -> Iterator[Entry]:
    """Yield what the rows of a termly list say; what cannot be decided goes to the ledger as a fault."""
    desk, roles = context.desk, block.roles(context.desk.words)
    columns = {role: roles[role] for role in ROLES if role in roles}
    if "head" not in columns and "name" in roles:
        columns["head"] = roles["name"]
    for number, row in block.rows:
        cells = {role: row[column] for role, column in roles.items()}
        names = [(role, column, row[column]) for role, column in columns.items() if plain(row[column])]
        if not names:
            desk.ledger.leave_out(NOBODY, block.where.row(number))
            continue
        school = context.school_of(number, roles.get("school"), cells.get("school"))
        term = context.term_of(number, roles.get("term"), cells.get("term"))
        known = context.class_of(number, roles.get("class"), cells.get("class"), cells.get("grade"), school, term)
        if known is None:
            continue
        found = []
        for role, column, written in names:
            for name in _names(written):
                teacher = _teacher(context, number, column, name, school)
                if teacher is not None:
                    asks = "acting" if role == "head" and "代" in plain(name) and "(" in plain(name) else role
                    found.append(Entry(teacher, known, asks, term, block.where, number, column))
        if found:  # dates and remarks are about the head teacher, or the only one of the row
            found[:1] = _dated(context, found[0], roles, cells, school)
        desk.ledger.rows_kept += bool(found)
        yield from found


def _names(written: object) -> list[str]:
    return [name for name in _BETWEEN.split(str(written)) if plain(name)]


def _teacher(context: Context, row: int, column: int, name: str, school: str) -> str | None:
    asked = _IN_BRACKETS.sub("", plain(name))
    match = context.desk.roster.teacher(asked, school)
    if match.id is None:
        place = context.where.cell(row, column)
        context.desk.ledger.fault(place, match.why, match.fix, masked(asked))
    return match.id


def _dated(context: Context, entry: Entry, roles: dict[str, int], cells: dict, school: str) -> list[Entry]:
    """Return the entry with the dates and the reason of its row, and those that its remark adds."""
    desk, where, number = context.desk, entry.where, entry.row
    dates = {}
    for role in ("since", "until"):
        value = cells.get(role)
        if plain(value):
            dates[role] = day(value)
            if dates[role] is None:
                desk.ledger.fault(where.cell(number, roles[role]), NO_DAY, WRITE_DAY, value)
    reason = plain(cells.get("reason"))
    known = desk.words.value("reason", reason)
    if reason and known is None:
        desk.ledger.fault(where.cell(number, roles["reason"]), _NO_REASON, _REASONS, reason)
    entry = replace(entry, since=dates.get("since"), until=dates.get("until"), reason=known)
    if entry.since and entry.since > entry.term.ends_on:
        desk.ledger.fault(where.cell(number, roles["since"]), _LATE, CHECK_DATES, entry.since)
        return []
    if entry.since and entry.until and entry.until < entry.since:
        desk.ledger.fault(where.cell(number, roles["until"]), _BACKWARDS, CHECK_DATES, entry.until)
        return []
    remark = plain(cells.get("remark"))
    return _with_remark(context, entry, remark, roles["remark"], school) if remark else [entry]


def _with_remark(context: Context, entry: Entry, remark: str, column: int, school: str) -> list[Entry]:
    desk, where, number = context.desk, entry.where, entry.row
    said = change(remark, entry.term, desk.words)
    if said is None:
        if is_about_leading(remark):
            desk.ledger.fault(where.cell(number, column), _REMARK, _WRITE_REMARK)
        else:
            desk.ledger.find(_OTHER_REMARK, where.cell(number, column))
        return [entry]
    if said.kind == "started":
        return [replace(entry, since=said.first)]
    if said.kind == "ended":
        return [replace(entry, until=said.last, reason=said.reason or entry.reason)]
    other = _teacher(context, number, column, said.name, school)
    if other is None:
        return [entry]
    beside = replace(entry, teacher_id=other, column=column, since=None, until=None, reason=None)
    if said.kind == "acting":
        return [entry, replace(beside, role="acting", since=said.first, until=said.last or entry.term.ends_on)]
    if said.kind == "successor":
        return [
            replace(entry, until=said.last, reason=said.reason or entry.reason),
            replace(beside, since=said.first),
        ]
    return [replace(beside, until=said.last, reason=said.reason), replace(entry, since=said.first)]


NOBODY = Text("没有写人名的行", "rows that name nobody")
NO_DAY = Text("读不出是哪一天", "cannot be read as a day")
WRITE_DAY = Text("请写成 2024.9.1 或 2024年9月1日", "Write it as 2024.9.1 or 2024-09-01")
_NO_REASON = Text("不在词表之中", "is not in the vocabulary")
_REASONS = Text(
    "可用：毕业、换班、不再担任、调离、退休、休假、免去、其他",
    "Use one of: 毕业, 换班, 不再担任, 调离, 退休, 休假, 免去, 其他",
)
_LATE = Text("晚于名单所在学期的最后一天", "is after the last day of the list's term")
_BACKWARDS = Text("早于同一行的任职日期", "is before the day on which the spell begins")
CHECK_DATES = Text("请核对日期和学期", "Check the dates and the term")
_REMARK = Text("备注提到人事变动，但读不准", "the remark is about a change, but cannot be read with certainty")
_WRITE_REMARK = Text(
    "请写成“2024年11月11日起由某某接任”“原班主任某某2024年11月10日离任”，或另起一行并填任职、离任日期",
    "Write 2024年11月11日起由某某接任 or 原班主任某某2024年11月10日离任, or add a row with its first and last day",
)
_OTHER_REMARK = Text("与任职无关的备注（未用）", "remarks about other things (not used)")
