"""A class study read from its workbook, from a text table or from a frame: the same series gives the same records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path

import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.intake.class_study import cells, phases, planning, records
from htresearch.intake.class_study.faults import Findings, path_fault
from htresearch.intake.class_study.locating import Locator, table_of
from htresearch.intake.class_study.planning import Draft
from htresearch.intake.class_study.study import RECORDS as RECORD_COLUMNS
from htresearch.intake.class_study.study import Change, ClassStudy, Plan
from htresearch.intake.class_study.table import Table
from htresearch.intake.entries import bare
from htresearch.intake.workbook import open_table
from htresearch.language import Text

_LARGEST_TABLE = 5000


def read_class_study(path: str | Path, plan: Plan | Mapping | ClassStudy | str | Path | None = None) -> ClassStudy:
    """Read a class study from a file, with everything that is wrong with it said at once.

    Read where the meaning is certain: full-width digits, ``12次``, ``85%``, ``2024.9.1``, a day without its year
    between days that have one, 缺 or 请假 for no record, 是 否 √ × for done as planned. The sheets may stand in any
    order and be renamed, other sheets and columns may be added. Blank and prepared rows are passed over, and the
    example row is. Phones, names and the like are taken out of the remarks.

    Parameters
    ----------
    path
        A workbook made by `write_workbook`, also saved again by Excel, WPS or LibreOffice; or a text table (UTF-8 or
        GBK) whose headings are those of the records in Chinese or English: 日期 and 记录值 at least.
    plan
        Of a table without one: a `Plan`, a mapping of its fields, a study or a workbook that has the plan. Where the
        phase of each record is written down, the plan needs no `Plan.starts`.

    Returns
    -------
    ClassStudy

    Raises
    ------
    IntakeError
        With every fault: sheet and cell, value, rule and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from htresearch.errors import IntakeError
    >>> from htresearch.intake.class_study import write_workbook
    >>> form = write_workbook(Path(tempfile.mkdtemp()) / "class.xlsx", topic="homework")
    >>> try:
    ...     read_class_study(form)
    ... except IntakeError as error:
    ...     print(error.faults[-1])
    class.xlsx · 每天记录：还没有记录。请从例子下面的空行开始，一天填一行。
    """
    checks.require(path_fault(path))
    path = Path(path)
    given = _given(plan)
    book = open_table(path)
    findings = Findings()
    reader = Locator(path.name, book, findings)
    draft = reader.plan(given)
    table = reader.table()
    if draft is not None:
        planning.check(draft, findings, from_form=given is None)
    kept = _records(table, draft, findings) if table else []
    return _study(draft, table, kept, findings, path.name)


def from_frame(frame: pd.DataFrame, plan: Plan | Mapping | ClassStudy | str | Path) -> ClassStudy:
    """Make a class study of a frame, by the rules by which files are read.

    Parameters
    ----------
    frame
        A row per record in time order, with ``date`` and ``value`` and perhaps the other columns of `RECORDS`; the
        headings of the form are understood too.
    plan
        A `Plan`, a mapping of its fields, a study or a workbook that has the plan.

    Returns
    -------
    ClassStudy
        Without file or id.

    Raises
    ------
    ArgumentError
        With every fault: row and column, value, rule and what to do.

    Examples
    --------
    >>> days = pd.date_range("2025-09-01", periods=8)
    >>> records = pd.DataFrame({"date": days, "value": [5, 6, 5, 7, 2, 1, 2, 1]})
    >>> plan = {"question": "?", "watched": "迟到", "counting": "早读铃响后进教室", "unit": "次", "scale": "count",
    ...         "improvement": "decrease", "before": "照常", "after": "值日生迎接", "starts": ["2025-09-05"]}
    >>> from_frame(records, plan).records["phase"].tolist()
    ['A', 'A', 'A', 'A', 'B', 'B', 'B', 'B']
    """
    if not isinstance(frame, pd.DataFrame):
        rule, fix = Text("不是 DataFrame", "is no DataFrame"), Text("请给一个 pandas.DataFrame", "Give a DataFrame")
        checks.require(Fault(checks.argument("frame"), rule, fix, type(frame).__name__))
    findings = Findings()
    given = _given(plan)
    if given is None:
        rule, fix = Text("没有给出计划", "is missing"), Text("请给 Plan 或各项的字典", "Give a Plan or a mapping")
        checks.require(Fault(checks.argument("plan"), rule, fix))
    draft = planning.from_given(given, findings)
    names = [str(name) for name in frame.columns]
    rows = [names, *([cells.native(v) for v in row] for row in frame.itertuples(index=False, name=None))]

    def place(row: int, name: str) -> Text:
        column = names[table.columns[name]] if table and name in table.columns else name
        return Text(f"列 {column} 第 {row} 行", f"column {column}, row {row}")

    table = table_of(rows, None, place, Text("frame", "frame"), findings, form=False)
    planning.check(draft, findings, from_form=False)
    kept = _records(table, draft, findings) if table else []
    return _study(draft, table, kept, findings, "", from_file=False)


def read_plan(path: str | Path) -> Plan:
    """Read the plan of a workbook, whether there are records yet or not.

    Days on which phases begin are in it as far as they are written down.

    Raises
    ------
    IntakeError
        If it has no plan, or something in it is wrong.
    """
    checks.require(path_fault(path))
    path, findings = Path(path), Findings()
    draft = Locator(path.name, open_table(path), findings).plan(None)
    if draft is not None:
        planning.check(draft, findings, from_form=True)
    findings.settle()
    return planning.finished(draft, tuple(draft.starts))


def _given(plan: object) -> Plan | Mapping | None:
    if plan is None or isinstance(plan, Plan | Mapping):
        return plan
    if isinstance(plan, ClassStudy):
        return plan.plan
    if isinstance(plan, str | Path):
        return read_plan(plan)
    rule = Text("不是计划", "is no plan")
    fix = Text("请给 Plan、各项的字典、一项研究，或有计划的工作簿", "Give a Plan, a mapping, a study or a workbook")
    return checks.require(Fault(checks.argument("plan"), rule, fix, type(plan).__name__))


# --- records --------------------------------------------------------------------------------------------------------


def _records(table: Table, draft: Draft | None, findings: Findings) -> list:
    """Read the records; they are read without a plan too, so that all faults are found at once."""
    kept = records.gather(table, findings)
    where = table.place(table.header, "")
    if not kept:
        findings.refuse(
            str(where).rpartition(" · ")[0] if table.sheet is not None else where,
            "还没有记录",
            "holds no record yet",
            ("请从例子下面的空行开始，一天填一行", "Fill in a row each day, below the example"),
        )
        return []
    if len(kept) > _LARGEST_TABLE:
        findings.refuse(
            where,
            f"有 {len(kept)} 条记录，不像一个班的研究",
            f"has {len(kept)} records, which is no study of one class",
            ("请检查是不是选错了文件", "See whether this is the right file"),
        )
        return []
    unknown = records.unknown_columns(table, kept)
    if unknown:
        said = "、".join(name for _, name in unknown)
        findings.note(f"没有读的列：{said}", f"Columns that were not read: {said}")
    records.read(table, kept, draft or Draft({}, lambda _: ""), findings)
    return kept


def _study(
    draft: Draft | None, table: Table | None, kept: list, findings: Findings, source: str, from_file: bool = True
) -> ClassStudy:
    """Put the study together, once its plan and its records are sound each."""
    dated = bool(kept) and all(record.read["date"] is not None for record in kept)
    days = [record.read["date"] for record in kept] if dated else []
    ordered = all(a < b for a, b in pairwise(days))
    starts = ()
    if draft is not None and dated and ordered and draft.values.get("design"):
        starts = phases.assign(kept, draft, table.place, findings)
    if draft is not None and dated:
        _note_when_decided(draft, days, findings)
    findings.settle(from_file)
    plan = planning.finished(draft, starts)
    changes = tuple(Change(day, what) for day, what in sorted(draft.changes))
    return ClassStudy(plan, _frame(kept), source, _identity(draft, plan), tuple(findings.notes), changes)


def _note_when_decided(draft: Draft, days: list[date], findings: Findings) -> None:
    decided = draft.values.get("decided_on")
    if decided is None and "decided_on" not in draft.bad:
        findings.note(
            "没有写计划定于哪天，看不出计划是不是在记录之前定的",
            "It is not said when the plan was settled, so it cannot be told whether that was before the first record",
        )
    elif decided is not None and decided > days[0]:
        findings.note(
            f"计划定于 {decided}，晚于第一条记录（{days[0]}）：不是事先定的",
            f"The plan was settled on {decided}, after the first record ({days[0]}): it was not settled beforehand",
        )


def _identity(draft: Draft, plan: Plan) -> str:
    """Return what tells this study from others that were filled in on copies of the same form."""
    if not draft.study_id:
        return ""
    parts = "\n".join((draft.study_id, bare(plan.school), bare(plan.class_name)))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _frame(kept: list) -> pd.DataFrame:
    held = {name: [record.read.get(name) for record in kept] for name in RECORD_COLUMNS if name != "session"}
    held["session"] = range(1, len(kept) + 1)
    frame = pd.DataFrame(held, columns=list(RECORD_COLUMNS))
    frame["date"] = pd.to_datetime(frame["date"]).astype("datetime64[ns]")
    kinds = {
        "session": "int64",
        "run": "int64",
        "value": "float64",
        "second_value": "float64",
        "as_planned": "boolean",
    }
    return frame.astype(kinds)
