"""From a study to the report on it: every word is put together here, once, for the page, the print and Word."""

from __future__ import annotations

import pandas as pd

from htresearch.intake.class_study import ClassStudy, Plan
from htresearch.language import Text, current
from htresearch.publish.class_report import findings
from htresearch.publish.class_report.advice import next_steps
from htresearch.publish.class_report.contents import Report, Section, Table
from htresearch.publish.class_report.evidence import agreed_beforehand, day, meaning, reliability
from htresearch.publish.class_report.findings import Findings
from htresearch.publish.class_report.numbers import comparison, levels, remarks
from htresearch.publish.class_report.picture import picture
from htresearch.publish.class_report.sentences import three_sentences
from htresearch.publish.class_report.standard import against_the_standard
from htresearch.publish.class_report.teachers_words import clean, holds_identifiers

#: More starts than this are not listed day by day.
_MOST_STARTS = 3


def compose(study: ClassStudy) -> Report:
    """Build the report of a study in the language now spoken."""
    found = findings.find(study)
    plan = study.plan
    return Report(
        language=current(),
        kind=str(Text("班级研究报告", "Report of a class study")),
        stamp=str(Text("内部资料", "Internal")),
        place=" · ".join(part for part in (clean(plan.school), clean(plan.class_name)) if part),
        title=clean(plan.watched).rstrip("。.；;，,") or str(Text("我的班级研究", "A study of my class")),
        question=clean(plan.question),
        plan_title=str(Text("计划", "The plan")),
        plan=_plan(found),
        picture=picture(found),
        caption=str(_caption(found)),
        sentences_title=str(Text("看到了什么", "What was seen")),
        sentences=tuple(map(str, three_sentences(found))),
        numbers_title=str(Text("数字", "The numbers")),
        tables=tuple(table for table in (levels(found), comparison(found)) if table.rows),
        remarks=_joined(remarks(found)),
        sections=tuple(_sections(found)),
        records=_records(found),
        records_note=_joined(_records_note(found)),
        foot=str(_foot(plan)),
    )


def _joined(said: list[Text]) -> str:
    return str(Text("", " ")).join(map(str, said))


def _plan(found: Findings) -> tuple[tuple[str, str], ...]:
    plan = found.study.plan
    entries = [
        (Text("怎样记", "How it is recorded"), clean(plan.counting)),
        (Text("改变前", "Before"), clean(plan.before)),
        (Text("改变后", "After"), clean(plan.after)),
        (Text("怎样安排", "How it was set up"), str(_design(plan))),
    ]
    return tuple((str(name), what) for name, what in entries if what)


def _design(plan: Plan) -> Text:
    """Say the design, its turning points, and who or what settled them."""
    lots = plan.start == "drawn"
    if plan.design == "alternating":
        how = (
            Text("次序由抽签定", "in an order drawn by lot")
            if lots
            else Text("次序自己定", "in an order that was chosen")
        )
        return Text(f"照旧与改变轮流进行，{how.zh}。", f"As usual and changed by turns, {how.en}.")
    days = [day(start) for start in plan.starts[:_MOST_STARTS]]
    when = Text("、".join(d.zh for d in days), ", ".join(d.en for d in days))
    how = Text("日子由抽签定", "drawn by lot") if lots else Text("日子自己选定", "chosen by the teacher")
    if plan.design == "ABAB":
        return Text(
            f"改变、照旧、再改变，分别从{when.zh}开始，{how.zh}。",
            f"Changed, back to the usual, changed again, from {when.en}, {how.en}.",
        )
    return Text(f"从{when.zh}开始改变，{how.zh}。", f"Changed from {when.en}, {how.en}.") if days else how


def _caption(found: Findings) -> Text:
    plan = found.study.plan
    hope = (
        Text("越高越好", "Higher is better")
        if plan.improvement == "increase"
        else Text("越低越好", "Lower is better")
    )
    said = [
        Text(
            f"每个点是一次记录，横带是各段的中位数；{hope.zh}。",
            f"Each point is a record, each band the median of its stretch. {hope.en}.",
        )
    ]
    if plan.target is not None:
        said.append(Text("点划线是事先定的目标。", "The dash-dotted line is the target set beforehand."))
    if found.agreement is not None:
        said.append(Text("叉号是第二记录人记的。", "Crosses are the second recorder's."))
    return Text("".join(t.zh for t in said), " ".join(t.en for t in said))


def _sections(found: Findings) -> list[Section]:
    listed = [
        (Text("记录靠得住吗", "Can the records be relied on?"), reliability(found)),
        (Text("事先的约定", "What was settled beforehand"), agreed_beforehand(found)),
        (Text("能说明什么，不能说明什么", "What this can and cannot show"), meaning(found)),
        (
            Text("和单案例研究的标准对一对", "Held against the standards for single cases"),
            against_the_standard(found),
        ),
        (Text("下一步", "What to do next"), next_steps(found)),
    ]
    return [Section(str(title), tuple(map(str, points))) for title, points in listed if points]


def _records(found: Findings) -> Table:
    """Every record; columns in which nobody wrote anything are left out."""
    records, quantity = found.study.records, found.quantity
    letters = {"A": Text("前", "before"), "B": Text("后", "after")}
    if found.study.plan.design != "AB":
        letters = {"A": Text("照旧", "usual"), "B": Text("改变", "change")}
    done = {True: Text("是", "yes"), False: Text("否", "no")}
    columns = [
        (Text("次", "No."), [str(n) for n in records["session"].astype(int)], True),
        (Text("日期", "Date"), [_short(when) for when in records["date"]], True),
        (Text("段", "Phase"), [str(letters[phase]) for phase in records["phase"]], False),
        (Text("值", "Value"), [quantity.plain(float(v)) for v in records["value"].astype(float)], True),
    ]
    if records["second_value"].notna().any():
        second = [quantity.plain(float(v)) for v in records["second_value"].astype(float)]
        columns.append((Text("第二人", "Second"), second, True))
    if records["as_planned"].notna().any():
        said = ["–" if pd.isna(v) else str(done[bool(v)]) for v in records["as_planned"]]
        columns.append((Text("照做", "Done"), said, False))
    return Table(
        title=str(Text("全部记录", "All records")),
        head=tuple(str(name) for name, _, _ in columns),
        rows=tuple(zip(*(cells for _, cells, _ in columns), strict=True)),
        numeric=tuple(i for i, (_, _, numeric) in enumerate(columns) if numeric),
    )


def _short(when: object) -> str:
    if pd.isna(when):
        return "–"
    at = pd.Timestamp(when)
    return str(Text(f"{at.month}/{at.day}", f"{at.day} {at:%b}"))


def _records_note(found: Findings) -> list[Text]:
    study, plan = found.study, found.study.plan
    unit = found.quantity.unit
    said = []
    if unit:
        of = "" if not found.quantity.out_of else f"{found.quantity.plain(found.quantity.out_of)} "
        whole = Text(f"，共 {of}{unit}", f" out of {of.strip()}") if of else Text("", "")
        said.append(Text(f"值的单位：{unit}{whole.zh}。", f"Values are in {unit}{whole.en}."))
    if study.records["remark"].fillna("").astype(str).str.strip().ne("").any():
        said.append(Text("备注里可能提到学生，不印在这里。", "Remarks may speak of pupils and are not printed here."))
    words = (plan.question, plan.watched, plan.counting, plan.before, plan.after, plan.success, plan.consent)
    if holds_identifiers(*words, plan.school, plan.class_name):
        said.append(
            Text(
                "计划里的电话、证件号、姓名一类已换成‹ ›中的字。",
                "Phones, ID numbers, names and the like in the plan are replaced by words in ‹ ›.",
            )
        )
    return [*said, *study.note]


def _foot(plan: Plan) -> Text:
    mark = plan.fingerprint[:12]
    return Text(
        f"内部资料，请勿外传 · 计划指纹 {mark}",
        f"Internal, not to be passed on · Plan {mark}",
    )
