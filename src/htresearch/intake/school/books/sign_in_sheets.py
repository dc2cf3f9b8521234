"""培训签到表, 获奖名单 and 激励发放表, written from training events, attendance and incentives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from htresearch.intake.school.books.hand import Hand
from htresearch.intake.school.books.page import Table
from htresearch.intake.school.dictionary import Dictionary
from htresearch.intake.school.ledger import Ledger
from htresearch.intake.school.places import Places
from htresearch.intake.school.roster import Roster
from htresearch.intake.school.training import PERIOD_HOURS
from htresearch.language import Text
from htresearch.study.open import Study

_LEVELS = {
    "school": "校本",
    "zone": "学区",
    "district": "区级",
    "city": "市级",
    "province": "省级",
    "national": "国家级",
}
_AWARDS = {"school": "校级", "zone": "学区级", "district": "区级", "city": "市级"}


def _homes(roster: Roster) -> dict[str, tuple[str, str]]:
    """Return the first school of every teacher, and the name there."""
    homes: dict[str, tuple[str, str]] = {}
    frame = roster.teachers
    for teacher, school, name in zip(frame["teacher_id"], frame["school_id"], frame["name"], strict=True):
        homes.setdefault(str(teacher), (str(school), name))
    return homes


def _day(value: object) -> date:
    return value.date() if hasattr(value, "date") else value


class SignInSheets:
    """The sign-in sheets of every school; an event that nobody attended stands with the first."""

    def __init__(self, study: Study, places: Places, roster: Roster, words: Dictionary, ledger: Ledger):
        self.homes, self.places = _homes(roster), places
        self.label = study.store.schema.label
        self.attended: dict[str, dict[str, list[tuple]]] = {}
        self.events: dict[str, tuple] = {}
        if "training_events" not in study.tables:
            return
        for event in study.frame("training_events").itertuples(index=False):
            self.events[str(event.event_id)] = event
        schools = sorted(map(str, roster.schools["school_id"].unique()))
        if "attendance" in study.tables:
            for row in study.frame("attendance").itertuples(index=False):
                home = self.homes.get(str(row.teacher_id))
                if home is None:
                    ledger.leave_out(_NO_NAME, str(row.event_id))
                    continue
                there = self.attended.setdefault(home[0], {}).setdefault(str(row.event_id), [])
                there.append((home[1], row.hours_attended, row.rating))
        held = {event for events in self.attended.values() for event in events}
        for event in self.events:
            if event not in held and schools:
                self.attended.setdefault(schools[0], {})[event] = []

    def sheets(self, school: str, name: str, hand: Hand) -> Iterator[tuple[str, list[Table]]]:
        """Yield the sign-in sheets of a school, a sheet a school year."""
        years: dict[int, list[str]] = {}
        for event in self.attended.get(school, {}):
            held = _day(self.events[event].held_on)
            years.setdefault(held.year - (held.month < 8), []).append(event)
        for year, events in sorted(years.items()):
            events.sort(key=lambda event: (_day(self.events[event].held_on), event))
            tables = [self._table(school, name, event, hand) for event in events]
            yield f"培训签到 {year}-{year + 1}", tables

    def _table(self, school: str, name: str, identity: str, hand: Hand) -> Table:
        event, there = self.events[identity], self.attended[school][identity]
        held = hand.day(_day(event.held_on))
        written = f"{held:%Y-%m-%d}" if isinstance(held, date) else held
        hours = f"{event.hours:g}小时"
        periods = event.hours / PERIOD_HOURS
        if hand.mess and abs(periods - round(periods)) < 1e-9 and hand.may("dates"):
            hours = f"{periods:g}学时"
        said = [
            f"活动编号：{identity}",
            f"层级：{_LEVELS.get(str(event.level), event.level)}",
            f"形式：{self.label(str(event.format), 'format').zh}",
            f"主题：{self.label(str(event.theme), 'theme').zh}",
            f"方式：{self.label(str(event.mode), 'mode').zh}",
            f"时间：{written}",
            f"时长：{hours}",
        ]
        rated = any(rating == rating for _, _, rating in there)
        signs = hand.may("blocks")
        header = [
            "序号",
            "姓名",
            *(["签到"] if signs else []),
            "参加时长（小时）",
            *(["评价"] if rated else []),
            "备注",
        ]
        rows = []
        for number, (who, attended, rating) in enumerate(there, 1):
            shown = [None if rating != rating else rating] if rated else []
            rows.append([number, hand.name(who), *(["√"] if signs else []), attended, *shown, None])
        titles = [[f"{name}班主任培训签到表"]]
        titles += [["　".join(said)]] if hand.may("blocks") else [said[:4], said[4:]]
        return Table(titles, [("", text) for text in header], rows)


class IncentiveLists:
    """The lists of honours of every school, and of what else it grants."""

    def __init__(self, study: Study, roster: Roster, words: Dictionary, ledger: Ledger):
        homes = _homes(roster)
        self.rows: dict[str, list[tuple]] = {}
        if "incentives" not in study.tables:
            return
        named = {kind: study.store.schema.label(kind, "incentive").zh for kind in words.words["incentive"].values()}
        for row in study.frame("incentives").itertuples(index=False):
            home, kind = homes.get(str(row.teacher_id)), str(row.kind)
            if home is None:
                ledger.leave_out(_NO_NAME, "incentives")
            elif kind not in named:
                ledger.leave_out(_NO_WORD, kind)
            else:
                self.rows.setdefault(home[0], []).append(
                    (_day(row.granted_on), home[1], str(row.level), named[kind], kind == "honour", row.amount_yuan)
                )

    def sheets(self, school: str, name: str, hand: Hand) -> Iterator[tuple[str, list[Table]]]:
        """Yield the lists of a school: honours, and allowances, pay, title reviews and promotions."""
        rows = sorted(self.rows.get(school, ()), key=lambda row: row[:4])
        for honours, title, said in ((True, "获奖名单", "荣誉称号"), (False, "激励发放表", "激励类别")):
            chosen = [row for row in rows if row[4] is honours]
            if not chosen:
                continue
            paid = any(amount == amount for *_, amount in chosen)
            day = "获奖日期" if honours else "发放日期"
            header = ["序号", "姓名", said, "级别", day, *(["金额（元）"] if paid else [])]
            written = []
            for number, (granted, who, level, kind, _, amount) in enumerate(chosen, 1):
                money = [None if amount != amount else amount] if paid else []
                what = "优秀班主任" if honours else kind
                written.append([number, hand.name(who), what, _AWARDS.get(level, level), hand.day(granted), *money])
            footers = ["以上名单已公示。", "审核：校长室"] if hand.may("footers") else []
            yield title, [Table([[f"{name}班主任{title}"]], [("", text) for text in header], written, footers)]


_NO_NAME = Text("名册中没有姓名的教师的记录", "records of teachers without a name on the roster")
_NO_WORD = Text("学校的表中没有这类激励的叫法", "incentives of a kind that schools' lists have no word for")
