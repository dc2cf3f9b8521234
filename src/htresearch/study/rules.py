"""The rules a study must keep, each written once as an expression over lazy tables.

Rules about one row are checked together, in one pass over their table; only what is broken is looked at again.
Rules see typed tables and the cells as written, so they hold on any store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import narwhals as nw

from htresearch.language import Text, listing
from htresearch.study.reading import ROW
from htresearch.study.schema import Column, Schema, Table
from htresearch.study.store import WRITTEN, Store

if TYPE_CHECKING:
    import pandas as pd

EARLIEST, LATEST = date(1920, 1, 1), date(2100, 12, 31)
#: First and last grade of each stage; grade 6 is the last of primary in the 6-3 system, the first of junior in 5-4.
GRADES = {"primary": (1, 6), "junior": (6, 9), "senior": (10, 12)}

_EXAMPLES = {
    "date": Text("有效日期（如 2024-09-01）", "a date such as 2024-09-01"),
    "timestamp": Text("有效时间（如 2024-09-01 08:30:00）", "a time such as 2024-09-01 08:30:00"),
    "boolean": Text(" true 或 false", "true or false"),
    "integer": Text("整数", "a whole number"),
    "number": Text("数字", "a number"),
}
_CHECK_IT = Text("请核对", "Check it")
_CHECK_BOTH = Text("请核对两个日期", "Check both dates")


@dataclass(frozen=True)
class Check:
    """A rule about one row: where it is broken, and what to say."""

    column: str
    broken: nw.Expr
    rule: Text
    fix: Text = _CHECK_IT


@dataclass(frozen=True)
class Finding:
    """All rows of one column that break one rule."""

    table: str
    column: str
    rule: Text
    fix: Text
    rows: pd.DataFrame  # row, value
    lacks: str | None = None  # the table whose absence is the fault


def findings(store: Store) -> Iterator[Finding]:
    """Yield every finding of a study: table by table, then the rules between rows and tables."""
    for name in store.tables:
        table = store.schema.tables[name]
        yield from _rows(store, table)
        for rule in (_key, _apart, _references):
            yield from rule(store, table)
    for name, rule in (("terms", _terms_apart), ("appraisals", _ethics)):
        if name in store.tables:
            yield from rule(store)


def _found(lazy: nw.LazyFrame, table: str, column: str, rule: Text, fix: Text) -> Iterator[Finding]:
    """Collect the rows of a broken rule; nothing where it holds. `lazy` has the columns `ROW` and value."""
    rows = lazy.select(nw.col(ROW).alias("row"), nw.col("value").cast(nw.String)).unique().sort("row", "value")
    frame = rows.collect("pandas").to_native()
    if len(frame):
        yield Finding(table, column, rule, fix, frame)


# --- rules about one row ------------------------------------------------------------------------------------------


def _rows(store: Store, table: Table) -> Iterator[Finding]:
    checks = [
        c for column in table.columns if store.has(table.name, column.name) for c in _cell(store.schema, column)
    ]
    checks += [_ordered(*pair) for pair in table.order]
    cells = store.cells(table.name)
    beside = _BESIDE.get(table.name)
    if beside is None or beside[0] in store.tables:
        checks += _SPECIAL[table.name](store.schema) if table.name in _SPECIAL else []
    if beside is not None and beside[0] in store.tables:
        other, key, columns = beside
        cells = cells.join(store.table(other).select(key, *columns), on=key, how="left")
    counts = {
        str(i): nw.when(check.broken).then(nw.lit(1)).otherwise(nw.lit(0)).sum() for i, check in enumerate(checks)
    }
    broken = cells.select(**counts).collect("pandas").to_native().iloc[0]
    for i, check in enumerate(checks):
        if broken[str(i)] > 0:
            rows = cells.filter(check.broken).with_columns(value=nw.col(check.column + WRITTEN))
            yield from _found(rows, table.name, check.column, check.rule, check.fix)


def _cell(schema: Schema, column: Column) -> Iterator[Check]:
    name, typed, written = column.name, nw.col(column.name), nw.col(column.name + WRITTEN)
    if not column.optional:
        yield Check(
            name,
            written.is_null(),
            Text("不能为空", "must not be empty"),
            Text("请补填；整行无用则删去", "Fill it in, or remove the row"),
        )
    if column.type in _EXAMPLES:
        example = _EXAMPLES[column.type]
        unknown = Text("，未知则留空", ", or leave it empty if unknown") if column.optional else Text("", "")
        yield Check(
            name,
            typed.is_null() & ~written.is_null(),
            Text("不是{a}", "is not {a}").format(a=example),
            Text("请改为{a}{or_empty}", "Write {a}{or_empty}").format(a=example, or_empty=unknown),
        )
    if column.vocabulary:
        allowed = schema.vocabularies[column.vocabulary]
        yield Check(
            name,
            ~typed.is_null() & ~typed.is_in(list(allowed)),
            Text("不在词表之中", "is not in the vocabulary"),
            Text(
                "可用：{all}；新增的值写进 datapackage.json",
                "Use one of: {all}; a new value belongs in datapackage.json",
            ).format(all=listing(allowed)),
        )
    low, high = (EARLIEST, LATEST) if column.type == "date" else (column.minimum, column.maximum)
    below, above = (
        (Text("早于 {x}", "is before {x}"), Text("晚于 {x}", "is after {x}"))
        if column.type == "date"
        else (Text("小于 {x}", "is below {x}"), Text("大于 {x}", "is above {x}"))
    )
    if low is not None:
        yield Check(name, typed < low, below.format(x=low))
    if high is not None:
        yield Check(name, typed > high, above.format(x=high))


def _ordered(first: str, then: str) -> Check:
    return Check(
        then,
        nw.col(then) < nw.col(first),
        Text(f"早于同一行的 {first}", f"lies before {first} of the same row"),
        _CHECK_BOTH,
    )


def _terms(schema: Schema) -> list[Check]:
    year, ends = nw.col("school_year"), nw.col("ends_on")
    shaped = year.is_in([f"{y}-{y + 1}" for y in range(EARLIEST.year, LATEST.year)])
    wanted = nw.concat_str([year.str.slice(0, 4), nw.col("term")], separator="-")
    begun = nw.col("starts_on").cast(nw.String).str.slice(0, 4)
    return [
        Check(
            "school_year",
            ~shaped,
            Text("不是“2024-2025”这样的学年", "is not a school year such as 2024-2025"),
            Text("请按“起始年-结束年”填写", "Write it as first year-second year"),
        ),
        Check(
            "term_id",
            shaped & (nw.col("term_id") != wanted),
            Text("与学年、学期不一致", "does not agree with its school year and term"),
            Text("2024–2025学年第一学期写作 2024-1", "The autumn term of 2024–2025 is 2024-1"),
        ),
        Check(
            "starts_on",
            shaped & ~nw.any_horizontal(*(begun == year.str.slice(k, 4) for k in (0, 5)), ignore_nulls=False),
            Text("不在所写的学年之内", "does not lie in its school year"),
            _CHECK_BOTH,
        ),
        Check(
            "ends_on", ends <= nw.col("starts_on"), Text("不晚于开始日期", "is not after its first day"), _CHECK_BOTH
        ),
    ]


def _grades(column: str) -> Callable[[Schema], list[Check]]:
    def checks(schema: Schema) -> list[Check]:
        return [
            Check(
                column,
                (nw.col("stage") == stage) & ((nw.col(column) < low) | (nw.col(column) > high)),
                Text("不在{stage}的年级之内", "is not a grade of {stage}").format(stage=schema.label(stage, "stage")),
                Text(f"应为 {low} 到 {high}", f"It must be {low} to {high}"),
            )
            for stage, (low, high) in GRADES.items()
        ]

    return checks


def _assessments(schema: Schema) -> list[Check]:
    """What one school set is not comparable between schools, whatever the table says."""
    checks = _grades("grade")(schema)
    order = schema.vocabularies["set_by"]
    for rank, setter in enumerate(order):
        wider = [w for w in schema.vocabularies["comparable_within"] if order.index(w) > rank]
        if wider:
            checks.append(
                Check(
                    "comparable_within",
                    (nw.col("set_by") == setter) & nw.col("comparable_within").is_in(wider),
                    Text(f"比命题单位（{setter}）更宽", f"is wider than set_by ({setter})"),
                    Text(
                        f"最宽为 {setter}；由上级统一命题的，请更正 set_by",
                        f"At most {setter}; if a higher body set the paper, correct set_by",
                    ),
                )
            )
    return checks


def _outcomes(schema: Schema) -> list[Check]:
    score, level, scale = nw.col("score"), nw.col("level"), nw.col("scale")
    present = nw.col("status") == "present"
    nothing = nw.col("score" + WRITTEN).is_null() & level.is_null()
    checks = [
        Check(
            "status",
            present & nothing,
            Text("参加了测评却没有成绩", "present, but without score or level"),
            Text("请补成绩，或改为 absent、deferred、exempt", "Enter the result, or absent, deferred or exempt"),
        ),
        Check(
            "status",
            ~present & ~nothing,
            Text("没有参加却有成绩", "not present, but with a result"),
            Text("请核对应考状态；缺考不是 0 分", "Check the status; an absence is not a score of 0"),
        ),
        Check(
            "score",
            score > nw.col("max_score"),
            Text("高于该测评的满分", "is above the maximum of its assessment"),
            Text("请核对分数与 max_score", "Check the score and max_score"),
        ),
        Check(
            "score",
            (score < 0) & (scale == "raw"),
            Text("原始分为负", "a raw score below 0"),
            Text("请核对；缺考请用 status", "Check it; use status for absence"),
        ),
    ]
    for kind, column in (("raw", "score"), ("standardised", "score"), ("level", "level")):
        wrong = (scale == kind) & present & ~nothing & nw.col(column + WRITTEN).is_null()
        checks.append(
            Check(
                column,
                wrong,
                Text(
                    f"该测评的计分方式是 {kind}，这里却没有 {column}",
                    f"its assessment has scale {kind}, but {column} is empty",
                ),
                Text("请填入，或更正 assessments 的 scale", "Fill it in, or correct scale in assessments"),
            )
        )
    return checks


def _attendance(schema: Schema) -> list[Check]:
    return [
        Check(
            "hours_attended",
            nw.col("hours_attended") > nw.col("hours"),
            Text("长于该次培训的时长", "is longer than the event"),
            Text(
                "请核对；学时须换算为小时（45 分钟 = 0.75）",
                "Check it; count clock hours (a 45-minute period is 0.75)",
            ),
        )
    ]


#: Rules of one table beyond its columns' own.
_SPECIAL: dict[str, Callable[[Schema], list[Check]]] = {
    "terms": _terms,
    "classes": _grades("entry_grade"),
    "assessments": _assessments,
    "outcomes": _outcomes,
    "attendance": _attendance,
}
#: What a table's rules need from another: the other table, the key, its columns.
_BESIDE: dict[str, tuple[str, str, Iterable[str]]] = {
    "outcomes": ("assessments", "assessment_id", ("max_score", "scale")),
    "attendance": ("training_events", "event_id", ("hours",)),
}


# --- rules between rows and tables --------------------------------------------------------------------------------


def _key(store: Store, table: Table) -> Iterator[Finding]:
    if not table.key:
        return
    parts = [nw.col(c + WRITTEN).fill_null("") for c in table.key]
    keys = store.cells(table.name).select(*parts)
    repeated = keys.group_by(*keys.collect_schema().names()).agg(times=nw.len()).filter(nw.col("times") > 1)
    if not len(repeated.head(1).collect("pandas")):
        return  # as nearly always; to find the rows costs several times as much
    keyed = store.cells(table.name).with_columns(value=nw.concat_str(parts, separator=" · "))
    twice = keyed.group_by("value").agg(first=nw.col(ROW).min(), times=nw.len()).filter(nw.col("times") > 1)
    later = keyed.join(twice, on="value").filter(nw.col(ROW) > nw.col("first"))
    yield from _found(
        later,
        table.name,
        ", ".join(table.key),
        Text("与前面的行重复", "repeats an earlier row"),
        Text("每个键只留一行；若确是两条记录，请核对日期", "Keep one row a key; if both are real, check their dates"),
    )


def _apart(store: Store, table: Table) -> Iterator[Finding]:
    """Spells of one class in one role must not overlap; both ends are inclusive."""
    if not table.apart:
        return
    spells = store.cells(table.name).with_columns(last=nw.col("ends_on").fill_null(nw.lit(LATEST)))
    ours = spells.select(*table.apart, ROW, "starts_on", value=nw.col("starts_on" + WRITTEN))
    theirs = spells.select(*table.apart, other=nw.col(ROW), since=nw.col("starts_on"), until=nw.col("last"))
    same_start = (nw.col("since") == nw.col("starts_on")) & (nw.col("other") < nw.col(ROW))
    clash = (nw.col("since") < nw.col("starts_on")) & (nw.col("until") >= nw.col("starts_on"))
    both = ours.join(theirs, on=list(table.apart)).filter(clash | same_start)
    yield from _found(
        both,
        table.name,
        "starts_on",
        Text("与同一班级同一角色的另一段任职重叠", "overlaps another spell of the same class in the same role"),
        Text(
            "请给前一段填上 ends_on（当日仍算在任），或把其中一人记为 acting",
            "End the earlier spell with ends_on (inclusive), or record one of them as acting",
        ),
    )


def _references(store: Store, table: Table) -> Iterator[Finding]:
    single = {(c.name,): c.refers_to for c in table.columns if c.refers_to}
    several = {columns: other for other, columns in table.references.items()}
    for columns, other in {**single, **several}.items():
        shown = ", ".join(columns)
        rows = store.cells(table.name).with_columns(
            value=nw.concat_str([nw.col(c + WRITTEN) for c in columns], separator=" · ")
        )
        rows = rows.filter(~nw.col("value").is_null())
        if other not in store.tables:
            if all(table[c].alone for c in columns):
                continue
            lacking = Text(
                f"引用了数据表 {other}，但研究中没有这张表", f"refers to table {other}, which the study lacks"
            )
            found = _found(
                rows.sort(ROW).head(1), table.name, shown, lacking, Text(f"请加入 {other}", f"Add {other}")
            )
            yield from (replace(finding, lacks=other) for finding in found)
            continue
        key = list(store.schema.tables[other].key)
        known = store.table(other).select(*key).unique()
        orphans = rows.join(known, left_on=list(columns), right_on=key, how="anti")
        yield from _found(
            orphans,
            table.name,
            shown,
            Text(f"在 {other} 中没有", f"is not in {other}"),
            Text(f"请在 {other} 中补上，或更正编号", f"Add it to {other}, or correct it"),
        )


def _terms_apart(store: Store) -> Iterator[Finding]:
    terms = store.cells("terms").with_columns(value=nw.col("starts_on" + WRITTEN))
    other = store.cells("terms").select(other=nw.col(ROW), since=nw.col("starts_on"), until=nw.col("ends_on"))
    same = (nw.col("since") == nw.col("starts_on")) & (nw.col("other") < nw.col(ROW))
    clash = same | ((nw.col("since") < nw.col("starts_on")) & (nw.col("until") >= nw.col("starts_on")))
    yield from _found(
        terms.join(other, how="cross").filter(clash),
        "terms",
        "starts_on",
        Text("落在另一学期之内", "lies within another term"),
        Text("学期之间不得重叠", "Terms must not overlap"),
    )


def _ethics(store: Store) -> Iterator[Finding]:
    """Ethics is a gate, not a summand."""
    rows = store.cells("appraisals")
    failed = rows.filter((nw.col("kind") == "ethics") & (nw.col("result") == "unqualified"))
    failed = failed.select("teacher_id", since=nw.col("period_from"), until=nw.col("period_to"))
    year = rows.filter((nw.col("kind") == "annual") & (nw.col("result") != "unqualified")).join(
        failed, on="teacher_id"
    )
    clash = year.filter((nw.col("since") <= nw.col("period_to")) & (nw.col("until") >= nw.col("period_from")))
    yield from _found(
        clash.with_columns(value=nw.col("result")),
        "appraisals",
        "result",
        Text(
            "同期师德考核不合格，年度考核不能高于不合格",
            "ethics of that year is unqualified, so the year must be too",
        ),
        Text("请核对两项考核结果", "Check both appraisals"),
    )
