"""每学期班主任名单, written from spells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from htresearch.intake.school.books.hand import Hand
from htresearch.intake.school.books.page import Table
from htresearch.intake.school.ledger import Ledger
from htresearch.intake.school.places import Places, Term
from htresearch.intake.school.roster import Roster
from htresearch.language import Text
from htresearch.study.open import Study

_DAY = timedelta(days=1)
_COLUMNS = {"head": "班主任", "deputy": "副班主任", "acting": "代理班主任"}


class TermLists:
    """The head-teacher lists of every school and term."""

    def __init__(self, study: Study, places: Places, roster: Roster, ledger: Ledger):
        self.places = places
        teachers = roster.teachers
        self.names = {
            (str(t), str(s)): n
            for t, s, n in zip(teachers["teacher_id"], teachers["school_id"], teachers["name"], strict=True)
        }
        schools = set(roster.schools["school_id"].astype(str))
        self.label = study.store.schema.label
        self.spells: dict[tuple[str, int], list[tuple]] = {}
        if "appointments" not in study.tables:
            return
        for spell in study.frame("appointments").itertuples(index=False):
            known = places.classes[str(spell.class_id)]
            since, until = _day(spell.starts_on), _day(spell.ends_on)
            terms = [t for t in places.terms if since <= t.ends_on and (until is None or until >= t.starts_on)]
            reason = spell.reason_ended if isinstance(spell.reason_ended, str) else None
            if not terms:
                ledger.leave_out(_OUTSIDE, known.class_id)
            elif known.school_id in schools and (str(spell.teacher_id), known.school_id) not in self.names:
                ledger.leave_out(_NO_NAME, known.class_id)
                continue
            for term in terms:
                self.spells.setdefault((known.school_id, term.index), []).append(
                    (known, str(spell.role), str(spell.teacher_id), since, until, reason)
                )

    def sheets(self, school: str, name: str, hand: Hand) -> Iterator[tuple[str, list[Table]]]:
        """Yield the sheets of a school: one a term, or all below one another."""
        in_words = hand.may("remarks")
        tables = [
            (term, self._table(school, name, term, hand, in_words))
            for term in self.places.terms
            if (school, term.index) in self.spells
        ]
        if hand.may("blocks"):
            if tables:
                yield "班主任名单", [table for _, table in tables]
            return
        for term, table in tables:
            yield f"班主任名单 {term.term_id}", [table]

    def _table(self, school: str, name: str, term: Term, hand: Hand, in_words: bool) -> Table:
        spells = self.spells[school, term.index]
        roles = [role for role in _COLUMNS if role == "head" or any(s[1] == role for s in spells)]
        spells = sorted(spells, key=lambda s: (s[0].grade(term), s[0].number, list(_COLUMNS).index(s[1]), s[3]))
        dates = ("任职日期",) if in_words else ("任职日期", "离任日期", "离任原因")
        header = [("", h) for h in ("序号", "班级", *(_COLUMNS[r] for r in roles), *dates, "备注")]
        rows, told = [], set()
        for place, spell in enumerate(spells):
            if place in told:
                continue
            known, role, teacher, since, until, reason = spell
            remark, ends = None, until is not None
            if in_words and ends:
                following = spells[place + 1] if place + 1 < len(spells) else None
                if following and following[:2] == (known, role) and self._takes_over(spell, following, term):
                    remark = self._successor(following, reason, school)
                    told.add(place + 1)
                else:
                    why = self.label(reason, "reason_ended").zh if reason else "离任"
                    remark = f"{_written(until)}{why}"
            names = [hand.name(self.names[teacher, school]) if role == r else None for r in roles]
            row = [len(rows) + 1, hand.class_name(known, term, self.places), *names, hand.day(since)]
            if not in_words:
                row += [hand.day(until) if ends else None, self.label(reason, "reason_ended").zh if reason else None]
            rows.append([*row, remark])
        title = f"{name}{hand.term(term)}班主任名单"
        footers = ["制表：教导处    审核：校长室"] if hand.may("footers") else []
        return Table([[title]], header, rows, footers)

    def _takes_over(self, spell: tuple, following: tuple, term: Term) -> bool:
        """Tell whether a remark says it all: the next begins the day after, and a later list says how that ends."""
        until = spell[4]
        later = self.places.terms[term.index + 1 : term.index + 2]
        return (
            spell[1] == "head"
            and following[3] == until + _DAY
            and (following[4] is None or any(following[4] >= t.starts_on for t in later))
            and spell[5] in (None, "leave", "left_school", "retired", "stepped_down")
        )

    def _successor(self, following: tuple, reason: str | None, school: str) -> str:
        why = f"，原班主任{self.label(reason, 'reason_ended').zh}" if reason else ""
        return f"{_written(following[3])}起由{self.names[following[2], school]}接任{why}"


def _written(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _day(value: object) -> date | None:
    if value is None or value != value:
        return None
    return value.date() if hasattr(value, "date") else value


_OUTSIDE = Text("不含任何学期内一天的任职（名单写不出）", "spells without a day in any term, which no list shows")
_NO_NAME = Text("名册中没有姓名的教师的任职", "spells of teachers without a name on the school's roster")
