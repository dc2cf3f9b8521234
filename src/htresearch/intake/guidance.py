"""What a form says about each column beyond its label, and the example row that it shows."""

from __future__ import annotations

from datetime import date

from htresearch.language import Text
from htresearch.study.schema import Column, Schema, Table

#: What marks the example row and its ids.
EXAMPLE = Text("示例", "example")

#: Hints by ``table.column`` or by column.
_HINTS = {
    "school_id": Text("由区里统一编号", "As the district numbers its schools"),
    "zone_id": Text("区直学校留空", "Empty for schools run by the district itself"),
    "class_id": Text(
        "一个班从入学到毕业用同一个编号，升级不换", "A class keeps its id from its first year to its last"
    ),
    "teacher_id": Text("填编号，不填姓名", "The id, never the name"),
    "lead_teacher_id": Text("填编号，不填姓名", "The id, never the name"),
    "student_id": Text("填编号，不填姓名、学籍号", "The id; never the name or the number of the student register"),
    "respondent_id": Text("填编号，不填姓名", "The id, never the name"),
    "term_id": Text("2024–2025学年第一学期写作 2024-1", "The autumn term of 2024–2025 is 2024-1"),
    "school_year": Text("写作 2024-2025", "Written as 2024-2025"),
    "entry_year": Text("入学那年秋季的年份", "The year in whose autumn the class began"),
    "entry_grade": Text("入学时的年级：小学 1，初中 7（五四制 6），高中 10", "Its grade then: 1, 7 (or 6), or 10"),
    "class_no": Text("(3)班填 3", "For class (3) fill in 3"),
    "starts_on": Text("第一天", "The first day"),
    "ends_on": Text("最后一天（当日仍算在内）；仍在继续则留空", "The last day, inclusive; empty while it goes on"),
    "left_on": Text("最后一天（当日仍算在内）；仍在继续则留空", "The last day, inclusive; empty while it goes on"),
    "terms.ends_on": Text("最后一天", "The last day"),
    "tiers.ends_on": Text("到期日（当日仍有效）；没有期限则留空", "The last day it holds; empty if there is none"),
    "decision": Text("未获认定的申报人也请列入", "Also list candidates who were not accredited"),
    "basis_score": Text("认定时所依据的得分", "The score that the decision rested on"),
    "hours": Text("按 60 分钟计；一课时 45 分钟 = 0.75", "Clock hours; a 45-minute period is 0.75"),
    "hours_attended": Text("按 60 分钟计；不长于该次活动的时长", "Clock hours; no more than the event itself lasted"),
    "event_id": Text("全区不得重复，建议“学校编号-日期-序号”", "Unique in the district, such as SCHOOL-DATE-NUMBER"),
    "amount_yuan": Text("没有金额的（如荣誉）留空", "Empty where no money was given"),
    "period_from": Text("年度考核按自然年：1 月 1 日起", "The annual appraisal runs from 1 January"),
    "period_to": Text("年度考核按自然年：12 月 31 日止", "The annual appraisal runs to 31 December"),
    "incident": Text("考核期内是否发生安全责任事件", "Whether there was an incident in the period"),
    "appraisals.result": Text(
        "同期师德考核不合格的，年度考核也应为不合格", "Unqualified ethics means an unqualified year"
    ),
    "ses_index": Text("没有则留空", "Empty if there is none"),
    "max_score": Text("等级制留空", "Empty for grades"),
    "comparable_within": Text("不得宽于命题单位", "No wider than the body that set the paper"),
    "outcomes.score": Text(
        "缺考不是 0 分：留空并选应考状态", "An absence is no 0: leave it empty and say so in status"
    ),
    "outcomes.level": Text("计分方式为等级时填写", "For assessments that give grades"),
    "excellent_share": Text("0 到 1 之间，或百分数", "Between 0 and 1, or a percentage"),
    "pass_share": Text("0 到 1 之间，或百分数", "Between 0 and 1, or a percentage"),
}

_DATES = {
    "terms.starts_on": date(1999, 9, 1),
    "terms.ends_on": date(2000, 1, 20),
    "starts_on": date(2024, 9, 1),
    "ends_on": date(2025, 1, 20),
    "held_on": date(2024, 10, 16),
    "entered_on": date(2010, 8, 15),
    "effective_on": date(2024, 8, 15),
    "tiers.ends_on": date(2026, 8, 14),
    "period_from": date(2024, 1, 1),
    "period_to": date(2024, 12, 31),
    "decided_on": date(2025, 1, 10),
    "left_on": None,
    "followed_up_on": None,
    "closed_on": date(2024, 10, 31),
}
_VALUES = {
    "school_year": "2024-2025",
    "terms.school_year": "1999-2000",  # no id there says that it is an example
    "terms.term_id": "1999-1",
    "term_id": "2024-1",
    "birth_year": 1985,
    "entry_year": 2022,
    "entry_grade": 1,
    "grade": 3,
    "class_no": 3,
    "hours": 3,
    "hours_attended": 3,
    "rating": 4,
    "participants": 44,
    "n": 44,
    "quota": 12,
    "max_score": 100,
    "score": 86.5,
    "mean": 82.4,
    "excellent_share": 0.35,
    "pass_share": 0.96,
    "basis_score": 86,
    "total_score": 86,
    "results_score": 34,
    "cutoff_score": 85,
    "amount_yuan": 1500,
    "ses_index": 0.2,
    "subject": Text("语文", "Chinese"),
    "measure": "maths",
    "item": "Q1",
    "value": 3,
    "responses.value": "3",
}


def hint(table: Table, column: Column) -> Text:
    """Return what is to be said of a column, beginning with what its type asks for."""
    own = _HINTS.get(f"{table.name}.{column.name}") or _HINTS.get(column.name)
    parts = [] if own and column.type in ("id", "text") else [_of_type(column)]
    if column.minimum is not None or column.maximum is not None:
        parts.append(_bounds(column))
    parts += [own] if own else []
    if table.key == (column.name,):
        parts.append(Text("同一编号只填一行", "One row for each id"))
    return Text("；".join(p.zh for p in parts), "; ".join(p.en for p in parts))


def _of_type(column: Column) -> Text:
    if column.vocabulary:
        return Text("从下拉列表中选择", "Choose from the list")
    return {
        "date": Text("日期，如 2024-9-1", "A date such as 2024-9-1"),
        "timestamp": Text("时间，如 2024-9-1 8:30", "A time such as 2024-9-1 8:30"),
        "boolean": Text("是 或 否", "Yes or no"),
        "integer": Text("整数", "A whole number"),
        "number": Text("数字，不带单位", "A number, without unit"),
        "id": Text("编号", "An id"),
        "text": Text("文字", "Text"),
    }[column.type]


def _bounds(column: Column) -> Text:
    low, high = (None if bound is None else f"{bound:g}" for bound in (column.minimum, column.maximum))
    if high is None:
        return Text(f"不小于 {low}", f"at least {low}")
    return Text(f"{low} 到 {high}", f"{low} to {high}") if low else Text(f"不大于 {high}", f"at most {high}")


def example(schema: Schema, table: Table) -> dict[str, object]:
    """Return the example row of a form in the values of the schema; ids and texts may be a `Text`.

    It shows the shape of each entry; its ids say in both languages that it is no record.
    """
    return {column.name: _example(schema, table, column) for column in table.columns}


def _example(schema: Schema, table: Table, column: Column) -> object:
    for known in (_DATES, _VALUES):
        for name in (f"{table.name}.{column.name}", column.name):
            if name in known and not column.vocabulary:
                return known[name]
    if column.vocabulary:
        return schema.vocabularies[column.vocabulary][0] if not column.optional else None
    if column.type == "id":
        return Text(f"{EXAMPLE.zh}-1", f"{EXAMPLE.en}-1")
    return {"date": date(2024, 9, 1), "boolean": False, "integer": 1, "number": 1}.get(column.type, EXAMPLE)
