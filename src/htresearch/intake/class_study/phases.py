"""Which record lies before a change and which after it, from the days of the plan or the conditions written down."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date

from htresearch.intake.class_study.faults import Findings
from htresearch.intake.class_study.planning import STARTS_OF, Draft
from htresearch.intake.class_study.table import Record
from htresearch.language import Text

_NAMES = {"A": Text("改变前", "before the change"), "B": Text("改变后", "after the change")}
Place = Callable[[int, str], "Text | str"]


def assign(records: list[Record], draft: Draft, place: Place, findings: Findings) -> tuple[date, ...]:
    """Give every record its phase and run; return the first days of the phases after the first.

    Parameters
    ----------
    records
        With their dates read, all of them sound.
    draft
        With its design.
    place
        Names the cell of a row and a column.
    """
    design = draft.values["design"]
    if design == "alternating":
        _alternating(records, draft, place, findings)
        return ()
    starts = _starts(records, draft, place, findings)
    if starts is None:
        return ()
    for record in records:
        turn = bisect_right(starts, record.read["date"])
        record.read["run"], expected = turn // 2 + 1, "AB"[turn % 2]
        said = record.read.get("phase")
        if said is not None and said != expected:
            findings.refuse(
                place(record.row, "phase"),
                f"写的是“{_NAMES[said].zh}”，按计划的日期这一天是“{_NAMES[expected].zh}”",
                f"says “{_NAMES[said].en}”, but by the days of the plan it is “{_NAMES[expected].en}”",
                (
                    "请核对计划里的开始日期，或这一天的做法",
                    "Check the start in the plan, or the condition of the day",
                ),
                said,
            )
        record.read["phase"] = expected
    _check_runs(records, starts, draft, findings)
    return tuple(starts)


def _starts(records: list[Record], draft: Draft, place: Place, findings: Findings) -> list[date] | None:
    """Return the days on which phases begin: given, of the record that was drawn, or by the phases written down."""
    needed, given = STARTS_OF[draft.values["design"]], draft.starts
    drawn = draft.values.get("start_record")
    if drawn is not None and drawn > len(records):
        findings.refuse(
            draft.where("start_record"),
            f"抽到从第 {drawn} 条记录起改，现在只有 {len(records)} 条：还没有改变后的记录",
            f"says that the change begins with record {drawn}, but there are {len(records)}: none lies after it yet",
            (
                "请接着记录，改变后也记了一段，再出报告",
                "Go on recording; make the report once there are records after it",
            ),
            drawn,
        )
        return None
    if drawn is not None and draft.values.get("start_1") is None and "start_1" not in draft.bad:
        given = [records[drawn - 1].read["date"], *given]
    if len(given) == needed:
        return given
    written = [record.read.get("phase") for record in records]
    if not given and all(written):
        return _written(records, needed, draft, place, findings)
    by_lot = drawn is not None or "start_record" in draft.bad
    for name in ("start_1", "start_2", "start_3")[:needed]:
        if draft.values.get(name) is None and name not in draft.bad and not (name == "start_1" and by_lot):
            findings.refuse(
                draft.where(name),
                "没有填从哪天开始，分不出改变前后",
                "is empty, so before and after cannot be told apart",
                ("请填日期，如 2026-9-21", "Fill in a day such as 2026-9-21"),
            )
    return None


def _written(records: list[Record], needed: int, draft: Draft, place: Place, findings: Findings) -> list[date] | None:
    written = [record.read["phase"] for record in records]
    turns = [i for i in range(1, len(written)) if written[i] != written[i - 1]]
    if written[0] == "A" and len(turns) == needed:
        return [records[i].read["date"] for i in turns]
    findings.refuse(
        place(records[turns[needed] if len(turns) > needed else 0].row, "phase"),
        f"改变前后的次序是 {''.join(_runs(written))}，计划的安排却是 {draft.values['design']}",
        f"makes the order {''.join(_runs(written))}, but the design is {draft.values['design']}",
        ("请核对各天的做法，或改“怎样安排”", "Check the condition of each day, or change the design"),
    )
    return None


def _runs(written: list[str]) -> list[str]:
    return [phase for i, phase in enumerate(written) if i == 0 or phase != written[i - 1]]


def _check_runs(records: list[Record], starts: list[date], draft: Draft, findings: Findings) -> None:
    """Refuse a phase without a value, and a draw that was not what happened."""
    counts = [0] * (len(starts) + 1)
    for record in records:
        counts[bisect_right(starts, record.read["date"])] += record.read.get("value") is not None
    first, last = records[0].read["date"], records[-1].read["date"]
    for turn in [i for i, count in enumerate(counts) if not count]:
        name = _NAMES["AB"[turn % 2]]
        entry = draft.where(f"start_{max(turn, 1)}")
        findings.refuse(
            entry,
            f"没有“{name.zh}”的记录：记录从 {first} 到 {last}，计划的日期是 {'、'.join(map(str, starts))}",
            f"leaves no record {name.en}: the records run from {first} to {last}, the days are "
            f"{', '.join(map(str, starts))}",
            (
                "请检查日期；若还没有开始改，就接着记录，改变后也记了一段再出报告",
                "Check the day; if the change is yet to come, go on recording and make the report after it",
            ),
        )
    if all(counts) and draft.values.get("start") == "drawn":
        _check_draw(records, starts, draft, findings)


def _check_draw(records: list[Record], starts: list[date], draft: Draft, findings: Findings) -> None:
    begun = 1 + sum(record.read["date"] < starts[0] for record in records)
    low, high, drawn = (draft.values.get(name) for name in ("earliest", "latest", "start_record"))
    if "start_record" in draft.bad:
        return
    where = draft.where("start_1" if draft.values.get("start_1") is not None else "start_record")
    if drawn is not None and drawn != begun:
        findings.refuse(
            where,
            f"改变从 {starts[0]} 开始，那是第 {begun} 条记录，抽到的却是第 {drawn} 条",
            f"begins the change on {starts[0]}, which is record {begun}, but record {drawn} was drawn",
            (
                "请核对日期与抽到的序号（空着的行不算一条）；没有照抽到的开始，就选“自己定的”",
                "Check both (an empty row is no record); if the draw was not followed, say “chosen”",
            ),
        )
    elif low is not None and high is not None and not low <= begun <= high:
        findings.refuse(
            where,
            f"改变从第 {begun} 条记录开始，不在抽签的范围（第 {low} 条到第 {high} 条）之内",
            f"begins the change with record {begun}, outside the range of the lot (records {low} to {high})",
            (
                "请核对日期和范围；没有照抽到的开始，就选“自己定的”",
                "Check the day and the range; if the draw was not followed, say “chosen”",
            ),
        )
    elif high is not None and high > len(records):
        findings.note(
            f"抽签的范围到第 {high} 条，记录只有 {len(records)} 条：研究还没有记完，或提前结束了",
            f"The lot went up to record {high}, but there are {len(records)}: the study is not finished, or "
            "ended early",
        )


def _alternating(records: list[Record], draft: Draft, place: Place, findings: Findings) -> None:
    if not any(record.held.get("phase") for record in records):
        findings.refuse(
            place(records[0].row, "phase"),
            "两种做法轮流，却没有写哪天用的是哪一种",
            "is empty, as is the column: with two conditions by turns each day needs its own",
            ("请每天填“改变前”或“改变后”", "Fill in “Before” or “After” for each day"),
        )
        return
    runs, before = {"A": 0, "B": 0}, None
    for record in records:
        phase = record.read.get("phase")
        if phase is None:
            if "phase" not in record.read or not record.held.get("phase"):
                findings.refuse(
                    place(record.row, "phase"),
                    "两种做法轮流时，每天都要写用的是哪一种",
                    "is empty, but with two conditions by turns each day needs its own",
                    ("请填“改变前”或“改变后”", "Fill in “Before” or “After”"),
                )
            continue
        runs[phase] += phase != before
        record.read["run"] = runs[phase]
        before = phase
    for phase, name in _NAMES.items():
        if not any(r.read.get("phase") == phase and r.read.get("value") is not None for r in records):
            findings.refuse(
                draft.where("design"),
                f"没有“{name.zh}”的做法的记录",
                f"is by turns, but there is no record {name.en}",
                ("请核对“每天记录”里每天的做法", "Check the condition of each day in the records"),
            )
