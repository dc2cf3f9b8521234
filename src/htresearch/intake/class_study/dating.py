"""The dates of the records: read, given their year where it is certain, compared with one another."""

from __future__ import annotations

from datetime import date, timedelta

from htresearch.errors import Fault
from htresearch.intake.class_study import cells
from htresearch.intake.class_study.cells import YEARLESS, empty
from htresearch.intake.class_study.faults import Findings, shown
from htresearch.intake.class_study.planning import Draft
from htresearch.intake.class_study.table import Record, Table
from htresearch.intake.entries import Unread
from htresearch.language import Text

_ABOUT_HALF_A_YEAR = timedelta(days=182)


def read(table: Table, records: list[Record], draft: Draft, findings: Findings) -> None:
    """Read the date of every record; refuse days to come, days that stand twice and rows out of order."""
    today, yearless = date.today(), []
    for record in records:
        if "date" in record.read:
            continue
        value, where = record.held.get("date"), table.place(record.row, "date")
        record.read["date"] = None
        if empty(value):
            findings.refuse(
                where,
                "有记录，没有日期",
                "has a record but no date",
                (
                    "请补上这一天的日期；不是记录就清空这一行",
                    "Fill in its date; empty the row if it is no record",
                ),
            )
            continue
        try:
            record.read["date"] = cells.read_day(value)
        except Unread as unread:
            if unread.rule is YEARLESS:
                yearless.append(record)
            elif not cells.identifying(value):
                findings.faults.append(Fault(where, unread.rule, unread.fix, shown(value)))
            else:
                findings.faults.append(Fault(where, unread.rule, unread.fix))
    _complete(table, records, yearless, draft, findings)
    for record in records:
        day = record.read["date"]
        if day is not None and day > today:
            fix = ("请检查年月日；还没到的日子不要先填", "Check it; do not fill in days to come")
            findings.refuse(table.place(record.row, "date"), "日期还没有到", "lies in the future", fix, day)
    _order(table, records, findings)


def _complete(table: Table, records: list[Record], yearless: list[Record], draft: Draft, findings: Findings) -> None:
    """Give days without a year the one year that the days around them leave, or refuse them."""
    known = [record.read["date"] for record in records if record.read["date"] is not None]
    planned = [*draft.starts, *([draft.values["decided_on"]] if draft.values.get("decided_on") else [])]
    for record in yearless:
        at = records.index(record)
        earlier = [r.read["date"] for r in records[:at] if r.read["date"] is not None]
        later = [r.read["date"] for r in records[at + 1 :] if r.read["date"] is not None]
        anchors = earlier[-1:] or later[:1] or known or planned
        read = None
        if anchors:
            since = earlier[-1] if earlier else min(anchors) - _ABOUT_HALF_A_YEAR
            until = later[0] if later else max(anchors) + _ABOUT_HALF_A_YEAR
            read = cells.read_yearless(record.held["date"], since, until)
        record.read["date"] = read
        if read is None:
            findings.faults.append(
                Fault(
                    table.place(record.row, "date"),
                    Text("没有写年份，也推不出是哪一年", "has no year, and which it is cannot be told"),
                    cells.AS_DATE,
                    shown(record.held["date"]),
                )
            )
    if sum(record.read["date"] is not None for record in yearless):
        count = sum(record.read["date"] is not None for record in yearless)
        findings.note(
            f"{count} 个日期没有写年份，按前后的日期补上",
            f"{count} dates have no year; it follows from those around them",
        )


def _order(table: Table, records: list[Record], findings: Findings) -> None:
    """Refuse a day that stands twice, and one that lies before the row above it."""
    seen: dict[date, Record] = {}
    latest = None
    for record in records:
        day = record.read["date"]
        if day is None:
            continue
        where = table.place(record.row, "date")
        if day in seen:
            above = table.place(seen[day].row, "date")
            findings.refuse(
                where,
                f"这一天已经有一条记录了（{above}）",
                f"is a day that has a record already ({above})",
                ("一天只能有一条：请核对日期，或把两条合成一条", "Keep one a day: check the date, or make them one"),
                day,
            )
        elif latest is not None and day < latest:
            findings.refuse(
                where,
                f"早于上面一行的日期（{latest}）",
                f"lies before the date above it ({latest})",
                (
                    "请检查日期；确实记乱了，就按日期重新排序",
                    "Check the date; if the rows are mixed up, sort them by date",
                ),
                day,
            )
        seen.setdefault(day, record)
        latest = day if latest is None else max(latest, day)
