"""The plan of a class study, read from its sheet or from what was given, and checked as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from htresearch.errors import Fault
from htresearch.identifiers import mask
from htresearch.intake.class_study import cells
from htresearch.intake.class_study.faults import Findings
from htresearch.intake.class_study.layout import CHANGED, CHANGED_ON, ENTRIES, STUDY_ID, Entry
from htresearch.intake.class_study.study import Plan
from htresearch.intake.entries import bare
from htresearch.intake.workbook import Sheet, cell
from htresearch.language import Text

_STARTS = ("start_1", "start_2", "start_3")
#: Starts that each design has.
STARTS_OF = {"AB": 1, "ABAB": 3, "alternating": 0}
_FILL_IN = ("请填写", "Fill it in")


@dataclass(eq=False)
class Draft:
    """A plan while it is read: what was entered, and where each entry stands.

    Attributes
    ----------
    values : dict of str to object
        By the names of `ENTRIES`; entries that are empty or could not be read are None.
    where : callable
        Says where an entry stands.
    bad : set of str
        Entries that are there but could not be read.
    study_id : str
    changes : list of (date, str)
        Changes that the teacher wrote down.
    """

    values: dict[str, object]
    where: Callable[[str], Text | str]
    bad: set[str] = field(default_factory=set)
    study_id: str = ""
    changes: list[tuple[date, str]] = field(default_factory=list)

    @property
    def starts(self) -> list[date]:
        """The first days of the phases, as far as they are given."""
        return [self.values[name] for name in _STARTS if self.values.get(name) is not None]


# --- from a sheet ---------------------------------------------------------------------------------------------------


def from_sheet(sheet: Sheet, where: Callable[[str], str], findings: Findings) -> Draft | None:
    """Read the sheet of the plan; None where nothing was filled in.

    Parameters
    ----------
    where
        Names a cell of the sheet in a message.
    """
    places = _places(sheet)
    draft = Draft({}, lambda name: where(places.get(name, "")))
    for name in [n for n in ENTRIES if n not in places]:
        label = ENTRIES[name].label
        findings.refuse(
            where(""),
            f"找不到“{label.zh}”这一项",
            f"lacks the entry “{label.en}”",
            (
                "请不要改动左边的项目名称；可从一份新表里抄回来",
                "Leave the labels as they are; copy it from a new form",
            ),
        )
    held = {name: _at(sheet, place) for name, place in places.items()}
    if places and all(cells.empty(held[n]) for n in held if n in ENTRIES) and not sheet.errors:
        findings.refuse(
            where(""),
            "计划还没有填",
            "the plan has not been filled in",
            ("请先把计划写好，再开始记录", "Write the plan before the first record"),
        )
        return None
    for name, entry in ENTRIES.items():
        if name in places:
            draft.values[name] = _entry(entry, held[name], places[name], sheet, draft, findings)
    draft.study_id = _study_id(_at(sheet, places.get("study_id", "")), findings)
    _read_changes(sheet, where, draft, findings)
    return draft


def labels_in(sheet: Sheet) -> int:
    """Count the entries of the plan that a sheet names."""
    return len(set(_places(sheet)) & set(ENTRIES))


def _places(sheet: Sheet) -> dict[str, str]:
    """Return the cell of each entry: the first to the right of its label, beyond what is merged with the label."""
    names = {bare(said): name for name, e in ENTRIES.items() for said in (e.label.zh, e.label.en)}
    names |= {bare(STUDY_ID.zh): "study_id", bare(STUDY_ID.en): "study_id"}
    reaches = {top_left: end[1] for top_left, end in sheet.merged}
    found: dict[str, str] = {}
    for row, line in enumerate(sheet.rows):
        for column, value in enumerate(line):
            name = names.get(bare(value).rstrip("*")) if isinstance(value, str) else None
            if name:
                found.setdefault(name, cell(row, reaches.get((row, column), column) + 1))
                break
    return found


def _at(sheet: Sheet, place: str) -> object:
    """Return the value of a cell by its name."""
    letters = place.rstrip("0123456789")
    if not letters:
        return None
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    row = int(place[len(letters) :]) - 1
    line = sheet.rows[row] if row < len(sheet.rows) else []
    return line[column - 1] if column <= len(line) else None


def _entry(entry: Entry, value: object, place: str, sheet: Sheet, draft: Draft, findings: Findings) -> object:
    if place in sheet.errors:
        draft.bad.add(entry.name)
        findings.refuse(
            draft.where(entry.name),
            "公式出错或没有存下结果",
            "holds a formula that failed or was saved without its result",
            ("请直接填写内容，不用公式", "Fill in the content itself instead of a formula"),
        )
        return None
    return _understood(entry, value, draft, findings)


def _understood(entry: Entry, value: object, draft: Draft, findings: Findings) -> object:
    """Return what an entry means, None where it is empty or not to be understood."""
    if cells.empty(value):
        return None
    reader: dict[str, tuple] = {
        "text": (cells.read_text,),
        "choice": (cells.read_choice, entry.choices),
        "date": (cells.read_day,),
        "number": (cells.read_number,),
        "position": (cells.read_position,),
    }
    before = len(findings.faults)
    read = findings.read(draft.where(entry.name), value, *reader[entry.kind])
    if len(findings.faults) > before:
        draft.bad.add(entry.name)
        if cells.identifying(value):  # said, but never repeated
            last = findings.faults.pop()
            findings.faults.append(Fault(last.where, last.rule, last.fix))
    return read


def _study_id(value: object, findings: Findings) -> str:
    said = bare(value) if isinstance(value, str) else ""
    if 8 <= len(said) <= 40 and said.isalnum() and said.isascii():
        return said
    findings.note(
        "研究编号不见了或被改动，因此不能与这份表以前的样子比较",
        "The study id is gone or was changed, so the plan cannot be compared with an earlier version of the file",
    )
    return ""


def _read_changes(sheet: Sheet, where: Callable[[str], str], draft: Draft, findings: Findings) -> None:
    head = next(((r, c) for r, line in enumerate(sheet.rows) for c, v in enumerate(line) if _is(v, CHANGED_ON)), None)
    if head is None:
        return
    row, column = head
    for number in range(row + 1, len(sheet.rows)):
        line = [*sheet.rows[number], *[None] * (column + 2)]
        if _is(line[column], STUDY_ID):
            return
        day, what = line[column], line[column + 1]
        if cells.empty(day) and cells.empty(what):
            continue
        at_day, at_what = where(cell(number, column)), where(cell(number, column + 1))
        if cells.empty(day) or cells.empty(what):
            findings.refuse(
                at_day if cells.empty(day) else at_what,
                f"计划的改动要写“{CHANGED_ON.zh}”和“{CHANGED.zh}”，这里缺一样",
                f"a change needs both “{CHANGED_ON.en}” and “{CHANGED.en}”",
                ("请补上，或把这一行清空", "Fill in the other one, or empty the row"),
            )
            continue
        if cells.identifying(what):
            findings.refuse(
                at_what, "含有电话、证件号、姓名之类能认出人的内容", "holds a phone number, a name or the like",
                ("请删去", "Remove it"),
            )  # fmt: skip
            continue
        read = findings.read(at_day, day, cells.read_day)
        if read is not None:
            draft.changes.append((read, cells.read_text(what)))


def _is(value: object, label: Text) -> bool:
    return isinstance(value, str) and bare(value) in (bare(label.zh), bare(label.en))


# --- from what was given --------------------------------------------------------------------------------------------


def from_given(plan: Plan | Mapping, findings: Findings) -> Draft:
    """Read a plan that was given as a `Plan` or as a mapping of its fields, in the words of the form or in values."""
    given = asdict(plan) if isinstance(plan, Plan) else dict(plan)
    draft = Draft({}, lambda name: _field(name if name not in _STARTS else "starts"))
    known = {f.name for f in fields(Plan)} | {"start_record"}
    for name in [n for n in given if n not in known]:
        findings.refuse(
            _field(mask(str(name)[:40])),
            "计划没有这一项",
            "is no entry of a plan",
            (f"可用的有：{'、'.join(sorted(known))}", f"The entries are: {', '.join(sorted(known))}"),
        )
    starts = given.pop("starts", None)
    starts = () if starts is None else [starts] if isinstance(starts, str | date) else starts
    if not isinstance(starts, list | tuple | np.ndarray | pd.Series) or len(starts) > 3:
        findings.refuse(_field("starts"), "不是一到三个日期", "is not one to three days",
                        ("请给一个日期的列表", "Give a list of dates"), str(starts)[:40])  # fmt: skip
        starts = ()
    given |= dict(zip(_STARTS, starts, strict=False))
    for name, entry in ENTRIES.items():
        draft.values[name] = _understood(entry, cells.native(given.get(name)), draft, findings)
    draft.values["design"] = draft.values["design"] or ("AB" if "design" not in draft.bad else None)
    draft.values["start"] = draft.values["start"] or ("chosen" if "start" not in draft.bad else None)
    return draft


def _field(name: str) -> Text:
    return Text(f"计划的 {name}", f"{name} of the plan")


# --- checked as a whole ---------------------------------------------------------------------------------------------


def check(draft: Draft, findings: Findings, from_form: bool) -> None:
    """Refuse what is missing, and entries that contradict one another; the records are not asked."""
    optional = () if from_form else ("school", "class_name", "consent", "success")
    for name, entry in ENTRIES.items():
        if entry.required and name not in optional and name in draft.values and _lacks(draft, name):
            findings.refuse(draft.where(name), f"“{entry.label.zh}”没有填", f"“{entry.label.en}” is empty", _FILL_IN)
    _check_share(draft, findings)
    _check_lot(draft, findings)
    _check_starts(draft, findings)
    _check_days(draft, findings)


def _lacks(draft: Draft, name: str) -> bool:
    return draft.values.get(name) in (None, "") and name not in draft.bad


def _check_share(draft: Draft, findings: Findings) -> None:
    out_of, scale = draft.values.get("out_of"), draft.values.get("scale")
    if scale == "share" and _lacks(draft, "out_of"):
        findings.refuse(
            draft.where("out_of"),
            "记的是总数中的几个，却没有填总数",
            "is empty although values are out of it",
            ("请填全班人数；记百分之几就填 100", "Fill in the pupils of the class; 100 where per cent are recorded"),
        )
    elif out_of is not None and (out_of <= 0 or out_of != int(out_of)):
        fix = ("请填全班人数这样的数", "Fill in a number such as the pupils of the class")
        findings.refuse(draft.where("out_of"), "总数须是大于 0 的整数", "must be a whole number above 0", fix, out_of)
        _set_aside(draft, "out_of")
    elif out_of is not None and scale in ("count", "amount"):
        findings.refuse(
            draft.where("out_of"),
            "填了总数，“记录的是”却不是“总数中的几个”",
            "is given, but what is recorded is not “how many of all”",
            (
                "若每个值都是总数中的几个，请改“记录的是”；否则清空总数",
                "Change “What is recorded” if each value is out of it; else empty it",
            ),
            out_of,
        )


def _set_aside(draft: Draft, *names: str) -> None:
    """Let nothing else follow from entries that were refused."""
    draft.bad |= set(names)
    draft.values |= dict.fromkeys(names)


def _check_lot(draft: Draft, findings: Findings) -> None:
    """Check the range of the lot; a start that was chosen has none."""
    values, lot = draft.values, ("earliest", "latest", "start_record")
    if values.get("start") == "chosen":
        given = [name for name in (*lot, "drawn_on") if values.get(name) is not None]
        if given:
            findings.note(
                "开始日是自己定的，因此抽签的几项没有采用",
                "The start was chosen, so the entries about the lot were not used",
            )
        values |= dict.fromkeys((*lot, "drawn_on"))
    if values.get("start") != "drawn" or values.get("design") == "alternating":
        return
    for name in [n for n in ("earliest", "latest") if _lacks(draft, n)]:
        findings.refuse(
            draft.where(name),
            "开始日是抽签定的，却没有写抽签的范围",
            "is empty although the start was drawn by lot",
            (
                "请填签上最早（最晚）是第几条记录；没有抽过签，就选“自己定的”",
                "Fill in the first (last) record that could have been drawn; if there was no lot, say “chosen”",
            ),
        )
    first, last, drawn = (values.get(name) for name in lot)
    if first is not None and first < 2:
        findings.refuse(draft.where("earliest"), "最早也要从第 2 条起，前面才有记录", "must be at least 2",
                        ("请核对抽签的范围", "Check the range of the lot"), first)  # fmt: skip
    if first is None or last is None:
        return
    if last < first:
        fix = ("请把最早与最晚对调", "Exchange the earliest and the latest")
        what = (f"最晚反而早于最早（{first}）", f"lies before the earliest ({first})")
        findings.refuse(draft.where("latest"), *what, fix, last)
    elif last == first:
        fix = (
            "只有一种可能就不是抽签：请改范围，或选“自己定的”",
            "One possibility is no lot: mend it, or say “chosen”",
        )
        findings.refuse(draft.where("latest"), "最早与最晚相同", "equals the earliest", fix, last)
    elif drawn is not None and not first <= drawn <= last:
        what = (
            f"不在抽签的范围（第 {first} 条到第 {last} 条）之内",
            f"lies outside the range of the lot (records {first} to {last})",
        )
        fix = (
            "请核对抽到的是第几条；没有照抽到的开始，就选“自己定的”",
            "Check which record was drawn; if the draw was not followed, say “chosen”",
        )
        findings.refuse(draft.where("start_record"), *what, fix, drawn)
        _set_aside(draft, "start_record")
        return
    else:
        return
    _set_aside(draft, "earliest", "latest")


def _check_starts(draft: Draft, findings: Findings) -> None:
    design = draft.values.get("design")
    needed = STARTS_OF.get(design, 3)
    beyond = [name for name in _STARTS[needed:] if draft.values.get(name) is not None]
    if beyond and design:
        findings.refuse(
            draft.where(beyond[0]),
            "这种安排用不到这个日期",
            "is a day that this design has no use for",
            ("请清空；或改“怎样安排”", "Empty it, or change the design"),
            draft.values[beyond[0]],
        )
    for before, then in pairwise(_STARTS[:needed]):
        first, second = draft.values.get(before), draft.values.get(then)
        if first is not None and second is not None and second <= first:
            findings.refuse(
                draft.where(then),
                f"不晚于前一次的日期（{first}）",
                f"is not later than the one before ({first})",
                ("请核对两个日期", "Check both days"),
                second,
            )


def _check_days(draft: Draft, findings: Findings) -> None:
    today = date.today()
    for name in ("decided_on", "drawn_on"):
        day = draft.values.get(name)
        if day is not None and day > today:
            findings.refuse(draft.where(name), "日期还没有到", "lies in the future",
                            ("请检查日期", "Check the day"), day)  # fmt: skip


def finished(draft: Draft, starts: tuple[date, ...]) -> Plan:
    """Return the plan, once nothing is wrong with it."""
    names = {f.name for f in fields(Plan)} - {"starts"}
    held = {name: value for name, value in draft.values.items() if name in names and value is not None}
    return Plan(**held, starts=starts)
