"""From who is listed for each term to spells of appointment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Desk
from htresearch.intake.school.ledger import Spot
from htresearch.intake.school.lists import CHECK_DATES, Entry
from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spell:
    """A spell of a teacher leading a class, with the first and last entry that show it."""

    first: Entry
    last: Entry
    starts_on: date
    ends_on: date | None
    reason: str | None

    @property
    def place(self) -> Spot:
        """The cell that it begins with."""
        return _at(self.first)


def spells(entries: Iterable[Entry], desk: Desk) -> list[Spell]:
    """Return the spells that the entries show.

    A teacher who is listed term after term keeps one spell. Where the lists give no date, a spell begins on the eve
    of the first term it is listed for, so that it counts in that term's exposures, and ends on the last day of the
    last term it is listed for; one that is listed in the school's last list goes on.
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
                desk.ledger.fault(_at(entry), _TWO, _PART_THEM.format(first=_at(before)))
                continue
            if entry.since is None:
                entry = replace(entry, since=before.until + _DAY)
        kept.append(entry)
    return kept


def _at(entry: Entry) -> Spot:
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
                desk.ledger.fault(_at(entry), _OVERLAP, _PART_THEM.format(first=_at(current.last)))
                continue
            yield replace(current, ends_on=ends)
        if entry.until is not None and entry.until < starts:
            desk.ledger.fault(_at(entry), _ENDS_EARLY, CHECK_DATES, entry.until)
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


@dataclass(frozen=True)
class Known:
    """A spell that the study has."""

    teacher_id: str
    class_id: str
    role: str
    starts_on: date
    ends_on: date | None
    reason: str | None

    def overlaps(self, spell: Spell | Known) -> bool:
        """Tell whether another spell shares a day with it."""
        return self.starts_on <= (spell.ends_on or date.max) and spell.starts_on <= (self.ends_on or date.max)


def known_spells(frame: pd.DataFrame | None) -> list[Known]:
    """Return the spells of a study's appointments."""
    if frame is None:
        return []
    return [
        Known(
            str(row.teacher_id),
            str(row.class_id),
            str(row.role),
            _date(row.starts_on),
            _date(row.ends_on),
            row.reason_ended if isinstance(row.reason_ended, str) else None,
        )
        for row in frame.itertuples(index=False)
    ]


def _date(value: object) -> date | None:
    if value is None or value != value:
        return None
    return value.date() if hasattr(value, "date") else value


def join(found: list[Spell], known: list[Known], desk: Desk) -> tuple[list[tuple[Spell, Known]], list[Known]]:
    """Join spells from lists to those that the study has: who is listed again keeps the spell that is there.

    Returns
    -------
    tuple
        Each spell as a row of `appointments`; and the spells that the study has open and the lists show ended.
    """
    there: dict[tuple[str, str], list[Known]] = {}
    for spell in known:
        there.setdefault((spell.class_id, spell.role), []).append(spell)
    rows, ended, goes_on = [], [], set()
    for spell in found:
        entry = spell.first
        row = Known(entry.teacher_id, entry.known.class_id, entry.role, spell.starts_on, spell.ends_on, spell.reason)
        same = [
            k for k in there.get((row.class_id, row.role), ()) if k.teacher_id == row.teacher_id and k.overlaps(spell)
        ]
        if same:
            goes_on.add(same[0])
            row = _joined(spell, row, same[0], desk)
            if same[0].ends_on is None and row.ends_on is not None:
                ended.append(row)
        rows.append((spell, row))
    left = [k for k in known if k.ends_on is None and k not in goes_on]
    over = list(_ended(left, found, desk))
    ends = {replace(k, ends_on=None, reason=None): k for k in over}
    for spell, row in rows:
        for k in there.get((row.class_id, row.role), ()):
            now = ends.get(replace(k, reason=None), k)
            if now.teacher_id != row.teacher_id and now.overlaps(row):
                fix = _OTHER_KNOWN.format(who=now.teacher_id, since=now.starts_on, until=now.ends_on or "…")
                desk.ledger.fault(spell.place, _OVERLAPS_KNOWN, fix)
    return rows, ended + over


def _joined(spell: Spell, row: Known, known: Known, desk: Desk) -> Known:
    """Return a row with the days that the study has, where the lists only let them be inferred."""
    if known.starts_on != row.starts_on:
        desk.ledger.find(_KNOWN_START, _at(spell.first))
    inferred = row.ends_on is None or spell.last.until is None
    if inferred and known.ends_on is not None and known.ends_on >= spell.last.term.starts_on:
        row = replace(row, ends_on=known.ends_on, reason=known.reason)
    return replace(row, starts_on=known.starts_on)


def _ended(left: list[Known], found: list[Spell], desk: Desk) -> Iterator[Known]:
    """Yield spells that the study has open, with their end: another has come, or the class has left."""
    following: dict[tuple[str, str], Spell] = {}
    for spell in sorted(found, key=lambda s: s.starts_on, reverse=True):
        following[spell.first.known.class_id, spell.first.role] = spell
    last_list: dict[str, int] = {}
    for spell in found:
        school = spell.first.known.school_id
        last_list[school] = max(last_list.get(school, -1), spell.last.term.index)
    for known in left:
        spell, there = following.get((known.class_id, known.role)), desk.places.classes[known.class_id]
        if spell is not None and spell.starts_on > known.starts_on:
            before = [t.ends_on for t in desk.places.terms[: spell.first.term.index]][-1:]
            ends = min([*before, spell.starts_on - _DAY])
            desk.ledger.find(_ENDED, _at(spell.first))
            yield replace(known, ends_on=max(ends, known.starts_on))
        elif spell is None:
            final = [t for t in desk.places.terms if there.is_last(t) and t.ends_on >= known.starts_on]
            if final and last_list.get(there.school_id, -1) > final[-1].index:
                desk.ledger.note(_GRADUATED)
                reason = "graduated" if known.role == "head" else None
                yield replace(known, ends_on=final[-1].ends_on, reason=reason)


_ENDS_EARLY = Text("早于推出的任职开始日期", "is before the spell could begin")
_TWO = Text(
    "同一学期同一班有两位同一角色的教师，分不出先后", "two teachers in one role of one class and term, with no order"
)
_OVERLAP = Text("与前一任的任职重叠", "overlaps the spell of the one before")
_PART_THEM = Text(
    "另一处在 {first}；请填任职日期、离任日期，或更正其中一处",
    "The other is {first}; give the days on which they began and ended, or correct one of them",
)
_RENEWED = Text(
    "留任的班主任又写了较晚的任职日期，仍算同一段任职", "a later first day of one who stayed: still one spell"
)
_BRIDGED = Text(
    "中间有学期没有名单，前后是同一人，算同一段任职", "terms without a list between two that name the same: one spell"
)
_NO_START = Text(
    "名单没有任职日期的，任职从首次列名学期的前一天算起（真正的开始可能更早）",
    "Where a list gives no first day, a spell begins on the eve of the first term that lists it; it may have begun "
    "earlier",
)
_NO_END = Text(
    "名单没有离任日期的，任职算到最后列名学期的最后一天（下一任更早到任的，算到其前一天）",
    "Where a list gives no last day, a spell ends with the last term that lists it, or before the next one begins",
)
_GRADUATED = Text(
    "最高年级第二学期之后不再列名的，卸任原因记为毕业", "Classes not listed after their last term have graduated"
)
_OVERLAPS_KNOWN = Text(
    "与研究中同一班级同一角色的另一段任职重叠",
    "overlaps another spell that the study has of the class in the same role",
)
_OTHER_KNOWN = Text(
    "研究中 {since} 至 {until} 是 {who}；请核对名单，或更正研究中的任职",
    "The study has {who} from {since} to {until}; check the list, or correct the study",
)
_KNOWN_START = Text("研究中已有这段任职，开始日期依研究", "spells that the study has: their first day is the study's")
_ENDED = Text(
    "名单上已换人，研究中前一任的任职到此为止", "spells that the study has open, ended because the lists name another"
)
DERIVED = Text(
    "任职时段由各学期班主任名单推出，不是原始任免记录",
    "Spells are derived from termly lists, not from records of appointment",
)
