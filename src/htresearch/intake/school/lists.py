"""每学期班主任名单: from who led which class in each term to spells of appointment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Context, Desk
from htresearch.intake.school.dates import day
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Where
from htresearch.intake.school.places import SchoolClass, Term
from htresearch.intake.school.plain import masked, plain
from htresearch.intake.school.remarks import change, is_about_leading
from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd

ROLES = ("head", "deputy", "acting")
_DAY = timedelta(days=1)
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


@dataclass(frozen=True)
class Spell:
    """A spell of a teacher leading a class, with the first and last entry that show it."""

    first: Entry
    last: Entry
    starts_on: date
    ends_on: date | None
    reason: str | None


# --- reading a list -------------------------------------------------------------------------------------------------


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
        context.desk.ledger.fault(context.where, place, match.why, match.fix, masked(asked))
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
                desk.ledger.fault(where, where.cell(number, roles[role]), NO_DAY, WRITE_DAY, value)
    reason = plain(cells.get("reason"))
    known = desk.words.value("reason", reason)
    if reason and known is None:
        desk.ledger.fault(where, where.cell(number, roles["reason"]), _NO_REASON, _REASONS, reason)
    entry = replace(entry, since=dates.get("since"), until=dates.get("until"), reason=known)
    if entry.since and entry.since > entry.term.ends_on:
        desk.ledger.fault(where, where.cell(number, roles["since"]), _LATE, _CHECK_DATES, entry.since)
        return []
    if entry.since and entry.until and entry.until < entry.since:
        desk.ledger.fault(where, where.cell(number, roles["until"]), _BACKWARDS, _CHECK_DATES, entry.until)
        return []
    remark = plain(cells.get("remark"))
    return _with_remark(context, entry, remark, roles["remark"], school) if remark else [entry]


def _with_remark(context: Context, entry: Entry, remark: str, column: int, school: str) -> list[Entry]:
    desk, where, number = context.desk, entry.where, entry.row
    said = change(remark, entry.term, desk.words)
    if said is None:
        if is_about_leading(remark):
            desk.ledger.fault(where, where.cell(number, column), _REMARK, _WRITE_REMARK)
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
        return [replace(entry, until=said.last, reason=said.reason or entry.reason), replace(beside, since=said.first)]
    return [replace(beside, until=said.last, reason=said.reason), replace(entry, since=said.first)]


# --- from terms to spells -------------------------------------------------------------------------------------------


def spells(entries: Iterable[Entry], desk: Desk) -> list[Spell]:
    """Return the spells that the entries show.

    A teacher who is listed term after term keeps one spell. Where the lists give no date, a spell begins on the eve of
    the first term it is listed for, so that it counts in that term's exposures, and ends on the last day of the last
    term it is listed for; one that is listed in the school's last list goes on.
    """
    grouped: dict[tuple[str, str], list[Entry]] = {}
    last_list: dict[str, int] = {}
    for entry in entries:
        grouped.setdefault((entry.known.class_id, entry.role), []).append(entry)
        school = entry.known.school_id
        last_list[school] = max(last_list.get(school, -1), entry.term.index)
    found = []
    for (_, role), listed in grouped.items():
        made = list(_chained(_in_order(listed, desk), desk))
        found += [_closed(spell, desk, role, last_list) for spell in made]
    return found


def _in_order(listed: list[Entry], desk: Desk) -> list[Entry]:
    """Sort the entries of a class in a role; two of one term need a date that parts them."""
    unique = {(e.term.index, e.teacher_id, e.since, e.until, e.reason): e for e in reversed(listed)}
    ordered = sorted(
        unique.values(), key=lambda e: (e.term.index, e.since or date.min, e.until or date.max, e.where.file, e.row)
    )
    kept: list[Entry] = []
    for entry in ordered:
        before = kept[-1] if kept else None
        if before and before.term == entry.term and before.teacher_id == entry.teacher_id:
            if entry.since is None or before.until is None:  # the same, said more and less fully
                kept[-1] = replace(
                    before,
                    since=before.since or entry.since,
                    until=before.until or entry.until,
                    reason=before.reason or entry.reason,
                )
                continue
        elif before and before.term == entry.term:
            if before.until is None and entry.since is not None and entry.since > (before.since or date.min):
                kept[-1] = before = replace(before, until=entry.since - _DAY)
            if before.until is None or (entry.since is not None and entry.since <= before.until):
                place = entry.where.cell(entry.row, entry.column)
                desk.ledger.fault(entry.where, place, _TWO, _PART_THEM.format(first=_at(before)))
                continue
            if entry.since is None:
                entry = replace(entry, since=before.until + _DAY)
        kept.append(entry)
    return kept


def _at(entry: Entry) -> str:
    return entry.where.cell(entry.row, entry.column)


def _chained(entries: list[Entry], desk: Desk) -> Iterator[Spell]:
    """Yield spells: entries of one teacher one after the other are one, unless one of them ends it."""
    current: Spell | None = None
    for entry in entries:
        if current is not None and _goes_on(current, entry):
            if entry.since and entry.since != current.starts_on and entry.since > current.first.term.ends_on:
                desk.ledger.find(_RENEWED, _at(entry))
            if entry.term.index > current.last.term.index + 1:
                desk.ledger.find(_BRIDGED, _at(entry))
            current = replace(
                current,
                last=entry,
                ends_on=entry.until or current.ends_on,
                reason=entry.reason or current.reason,
            )
            continue
        starts = entry.since
        if starts is None:
            starts = entry.term.eve
            desk.ledger.note(_NO_START)
        if current is not None:
            # Listed terms ago and not since: the last day of the last term that lists it.
            ends = current.ends_on or min(current.last.term.ends_on, starts - _DAY)
            if current.ends_on is None:
                desk.ledger.note(_NO_END)
            if entry.since is None:
                starts = max(starts, ends + _DAY)
            if ends >= starts or ends < current.starts_on:
                desk.ledger.fault(entry.where, _at(entry), _OVERLAP, _PART_THEM.format(first=_at(current.last)))
                continue
            yield replace(current, ends_on=ends)
        if entry.until is not None and entry.until < starts:
            desk.ledger.fault(entry.where, _at(entry), _ENDS_EARLY, _CHECK_DATES, entry.until)
            current = None
            continue
        current = Spell(entry, entry, starts, entry.until, entry.reason)
    if current is not None:
        yield current


def _goes_on(current: Spell, entry: Entry) -> bool:
    if current.first.teacher_id != entry.teacher_id:
        return False
    if current.ends_on is None:
        return True
    return entry.until == current.ends_on and entry.since in (None, current.starts_on)


def _closed(spell: Spell, desk: Desk, role: str, last_list: dict[str, int]) -> Spell:
    """End a spell that later lists of its school no longer show."""
    entry = spell.last
    if spell.ends_on is not None or entry.term.index == last_list[entry.known.school_id]:
        return spell
    desk.ledger.note(_NO_END)
    if role == "head" and entry.known.is_last(entry.term):
        desk.ledger.note(_GRADUATED)
        return replace(spell, ends_on=entry.term.ends_on, reason=spell.reason or "graduated")
    return replace(spell, ends_on=max(entry.term.ends_on, spell.starts_on))


# --- with what the study knows --------------------------------------------------------------------------------------


def join_known(found: list[Spell], known: pd.DataFrame | None, desk: Desk) -> list[tuple[Spell, tuple]]:
    """Return rows of `appointments`, each with its spell; a spell that the study knows keeps its first day.

    Parameters
    ----------
    known
        The study's appointments, or None.
    """
    there: dict[tuple[str, str], list[tuple[str, date, date | None]]] = {}
    if known is not None:
        for row in known.itertuples(index=False):
            key = str(row.class_id), str(row.role)
            there.setdefault(key, []).append((str(row.teacher_id), _as_date(row.starts_on), _as_date(row.ends_on)))
    rows = []
    for spell in found:
        entry = spell.first
        key = entry.known.class_id, entry.role
        starts = spell.starts_on
        for teacher, since, until in there.get(key, ()):
            goes_on = until is None or until >= starts or until == spell.ends_on
            if teacher == entry.teacher_id and since <= starts and goes_on:
                if since != starts:
                    desk.ledger.find(_KNOWN_START, _at(entry))
                starts = since
        rows.append((spell, (entry.teacher_id, entry.known.class_id, entry.role, starts, spell.ends_on, spell.reason)))
    return rows


def _as_date(value: object) -> date | None:
    if value is None or value != value:
        return None
    return value.date() if hasattr(value, "date") else value


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
_ENDS_EARLY = Text("早于推出的任职开始日期", "is before the spell could begin")
_CHECK_DATES = Text("请核对日期和学期", "Check the dates and the term")
_REMARK = Text("备注提到人事变动，但读不准", "the remark is about a change, but cannot be read with certainty")
_WRITE_REMARK = Text(
    "请写成“2024年11月11日起由某某接任”“原班主任某某2024年11月10日离任”，或另起一行并填任职、离任日期",
    "Write 2024年11月11日起由某某接任 or 原班主任某某2024年11月10日离任, or add a row with the days it began and ended",
)
_OTHER_REMARK = Text("与任职无关的备注（未用）", "remarks about other things (not used)")
_TWO = Text("同一学期同一班有两位同一角色的教师，分不出先后", "two teachers in one role of one class and term, with no order")
_OVERLAP = Text("与前一任的任职重叠", "overlaps the spell of the one before")
_PART_THEM = Text(
    "另一处在 {first}；请填任职日期、离任日期，或更正其中一处",
    "The other is {first}; give the days on which they began and ended, or correct one of them",
)
_RENEWED = Text("留任的班主任又写了较晚的任职日期，仍算同一段任职", "a later first day of one who stayed: still one spell")
_BRIDGED = Text(
    "中间有学期没有名单，前后是同一人，算同一段任职", "terms without a list between two that name the same: one spell"
)
_NO_START = Text(
    "名单没有任职日期的，任职从首次列名学期的前一天算起（真正的开始可能更早）",
    "Where a list gives no first day, a spell begins on the eve of the first term that lists it; it may have begun earlier",
)
_NO_END = Text(
    "名单没有离任日期的，任职算到最后列名学期的最后一天（下一任更早到任的，算到其前一天）",
    "Where a list gives no last day, a spell ends with the last term that lists it, or before the next one begins",
)
_GRADUATED = Text("最高年级第二学期之后不再列名的，卸任原因记为毕业", "Classes not listed after their last term have graduated")
_KNOWN_START = Text("研究中已有这段任职，开始日期依研究", "spells that the study has: their first day is the study's")
DERIVED = Text(
    "任职时段由各学期班主任名单推出，不是原始任免记录", "Spells are derived from termly lists, not from records of appointment"
)


