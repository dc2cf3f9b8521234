"""A class study read from its workbook, from a text table or from a frame: the same series gives the same records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.intake.class_study import cells, phases, planning, records
from htresearch.intake.class_study.faults import Findings
from htresearch.intake.class_study.layout import COLUMNS, EXAMPLE, GUIDE, NOT_READ, PLAN, RECORDS, same_sheet
from htresearch.intake.class_study.planning import Draft
from htresearch.intake.class_study.records import Table
from htresearch.intake.class_study.study import RECORDS as RECORD_COLUMNS
from htresearch.intake.class_study.study import Change, ClassStudy, Plan
from htresearch.intake.entries import bare
from htresearch.intake.place import masked
from htresearch.intake.workbook import Sheet, Workbook, cell, open_table
from htresearch.language import Text

#: A sheet with another name is the plan if it names so many of its entries.
_UNMISTAKABLE = 8
_GET_FORM = ("请用 htresearch new class-study 生成的表填写", "Use the form that htresearch new class-study writes")
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
    >>> from htresearch.intake.class_study import write_workbook
    >>> form = write_workbook(Path(tempfile.mkdtemp()) / "class.xlsx", topic="homework")
    >>> try:
    ...     read_class_study(form)
    ... except IntakeError as error:
    ...     print(error.faults[-1])
    class.xlsx · 每天记录：还没有记录。请从例子下面的空行开始，一天填一行。
    """
    path = Path(path)
    given = _given(plan)
    book = open_table(path)
    findings = Findings()
    reader = _Reader(path.name, book, findings)
    draft = reader.plan(given)
    table = reader.table()
    draft_or_none, kept = _records(table, draft, findings) if table else (draft, [])
    from_form = given is None
    if draft_or_none is not None:
        planning.check(draft_or_none, findings, from_form)
    return _study(draft_or_none, table, kept, findings, path.name)


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
    rows = [names, *([_native(v) for v in row] for row in frame.itertuples(index=False, name=None))]

    def place(row: int, name: str) -> Text:
        column = names[table.columns[name]] if table and name in table.columns else name
        return Text(f"列 {column} 第 {row} 行", f"column {column}, row {row}")

    table = _table_of(rows, None, place, Text("frame", "frame"), findings, form=False)
    draft, kept = _records(table, draft, findings) if table else (draft, [])
    planning.check(draft, findings, from_form=False)
    return _study(draft, table, kept, findings, "", from_file=False)


def read_plan(path: str | Path) -> Plan:
    """Read the plan of a workbook, whether there are records yet or not.

    Days on which phases begin are in it as far as they are written down.

    Raises
    ------
    IntakeError
        If it has no plan, or something in it is wrong.
    """
    path, findings = Path(path), Findings()
    draft = _Reader(path.name, open_table(path), findings).plan(None)
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


def _native(value: object) -> object:
    """Return a value of a frame as a cell of a file would hold it."""
    if value is None or (not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value if isinstance(value, str | int | float | date) else str(value)


# --- sheets ---------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Reader:
    """Finds the sheets of a file by their names, or by what they hold."""

    file: str
    book: Workbook
    findings: Findings

    def where(self, sheet: Sheet) -> Callable[[str], str]:
        """Return what names a cell of a sheet."""
        return lambda name="": " · ".join(part for part in (self.file, _shown(sheet), name) if part)

    def plan(self, given: Plan | Mapping | None) -> Draft | None:
        """Return the plan: the one given, or that of the file; None, and a fault, where there is none."""
        named = [sheet for sheet in self.book.sheets if same_sheet(sheet.name, PLAN)]
        alike = [s for s in self._others() if not named and planning.labels_in(s) >= _UNMISTAKABLE]
        found = named or alike
        if given is not None:
            if found:
                self.findings.note(
                    "计划用的是另外给出的，文件里的没有采用", "The plan given was used, not that of the file"
                )
            return planning.from_given(given, self.findings)
        if len(found) == 1:
            if alike:
                self._renamed(found[0], PLAN)
            return planning.from_sheet(found[0], self.where(found[0]), self.findings)
        if self.book.encoding:
            self.findings.refuse(
                self.file,
                "文本表格里没有计划",
                "is a text table, which has no plan",
                ("请用 plan= 另外给出计划，或改填工作簿", "Give the plan by plan=, or fill in the workbook"),
            )
        elif found:
            self._several(found, PLAN)
        else:
            self._none(PLAN)
        return None

    def table(self) -> Table | None:
        """Return where the records stand; None, and a fault, where that is not certain."""
        if self.book.encoding:
            return self._table_in(self.book.sheets[0], form=False)
        named = [sheet for sheet in self.book.sheets if same_sheet(sheet.name, RECORDS)]
        alike = [sheet for sheet in self._others() if self._is_records(sheet)]
        filled = [sheet for sheet in alike if records.holds_records(sheet.rows)]
        if len(named) == 1 and not filled:
            chosen = named[0]
        elif not named and len(filled or alike) == 1:
            chosen = (filled or alike)[0]
            self._renamed(chosen, RECORDS)
        elif named or alike:
            self._several([*named, *(filled or alike)], RECORDS)
            return None
        else:
            self._none(RECORDS)
            return None
        self._extra(chosen)
        return self._table_in(chosen, form=True)

    def _table_in(self, sheet: Sheet, form: bool) -> Table | None:
        where = self.where(sheet)

        def place(row: int, name: str) -> str:
            column = table.columns.get(name) if table else None
            return where(cell(row, column) if column is not None else f"{row + 1}:{row + 1}")

        table = _table_of(sheet.rows, sheet, place, where(""), self.findings, form, where)
        return table

    def _others(self) -> list[Sheet]:
        own = (GUIDE, PLAN, RECORDS, EXAMPLE)
        return [
            s for s in self.book.sheets if not any(same_sheet(s.name, name) for name in own) and not _is_example(s)
        ]

    def _is_records(self, sheet: Sheet) -> bool:
        found = records.header_of(sheet.rows)
        return found is not None and {"date", "value"} <= set(found[1])

    def _extra(self, chosen: Sheet) -> None:
        for sheet in self._others():
            if sheet is not chosen and sheet.rows and planning.labels_in(sheet) < _UNMISTAKABLE:
                name = _shown(sheet)
                self.findings.note(
                    f"多出来的工作表“{name}”没有读入", f"The sheet “{name}” is no part of the form; not read"
                )

    def _renamed(self, sheet: Sheet, name: Text) -> None:
        said = _shown(sheet)
        self.findings.note(f"工作表“{said}”当作“{name.zh}”读入", f"The sheet “{said}” was read as “{name.en}”")

    def _several(self, found: list[Sheet], name: Text) -> None:
        said = "、".join(f"“{_shown(sheet)}”" for sheet in found)
        self.findings.refuse(
            self.file,
            f"有几张工作表都像“{name.zh}”：{said}",
            f"has several sheets that look like “{name.en}”: {said}",
            (f"请把记录合在“{name.zh}”一张里，其余的删去", f"Keep one sheet “{name.en}” and delete the others"),
        )

    def _none(self, name: Text) -> None:
        said = "、".join(_shown(sheet) for sheet in self.book.sheets[:10])
        self.findings.refuse(
            self.file,
            f"找不到“{name.zh}”这张工作表，现有：{said}",
            f"has no sheet “{name.en}”; its sheets are: {said}",
            _GET_FORM,
        )


def _shown(sheet: Sheet) -> str:
    """Return the name of a sheet; one that the form did not give could be somebody's."""
    own = any(same_sheet(sheet.name, name) for name in (GUIDE, PLAN, RECORDS, EXAMPLE))
    return sheet.name if own else str(masked(sheet.name))


def _is_example(sheet: Sheet) -> bool:
    marks = {bare(NOT_READ.zh), bare(NOT_READ.en)}
    return any(isinstance(value, str) and bare(value) in marks for row in sheet.rows[:3] for value in row)


# --- records --------------------------------------------------------------------------------------------------------


def _table_of(
    rows: list[list],
    sheet: Sheet | None,
    place: Callable,
    where: Text | str,
    findings: Findings,
    form: bool,
    naming: Callable[[str], str] | None = None,
) -> Table | None:
    """Return where the records stand, once the headings are sound."""
    found = records.header_of(rows)
    labels = {column.name: column.label for column in COLUMNS}
    header, at = found or (0, {})
    for name in [n for n in ("date", "value") if n not in at]:
        line = rows[header] if rows else []
        seen = "、".join(str(masked(v)) for v in line[:12] if not cells.empty(v))
        here = where if naming is None or found is None else naming(f"{header + 1}:{header + 1}")
        findings.refuse(
            here,
            f"找不到“{labels[name].zh}”这一列；这一行的表头是：{seen}",
            f"has no column “{labels[name].en}”; the headings of this row are: {seen}",
            ("请把表头改回原样", "Give the column its heading again"),
        )
    for name, places in at.items():
        if len(places) > 1 and name != "session":
            here = where if naming is None else naming(cell(header, places[1]))
            findings.refuse(
                here,
                f"有两列都是“{labels[name].zh}”",
                f"is the second column “{labels[name].en}”",
                ("请删去一列，或改掉它的表头", "Delete one of them, or change its heading"),
            )
    if not {"date", "value"} <= set(at):
        return None
    columns = {name: places[0] for name, places in at.items()}
    table = Table(rows, header, columns, place, sheet)
    if sheet is not None and form:
        _check_headings(table, naming, findings)
    return table


def _check_headings(table: Table, naming: Callable[[str], str], findings: Findings) -> None:
    """Refuse a heading that was changed in the form: the column under it would be lost."""
    lacking = [column for column in COLUMNS if column.name not in table.columns and column.name != "session"]
    line = table.rows[table.header]
    last = max(table.columns.values())
    for at, name in enumerate(line[: last + 2] if lacking else ()):
        if at in table.columns.values() or cells.empty(name):
            continue
        if any(at < len(row) and not cells.empty(row[at]) for row in table.rows[table.header + 1 :]):
            missing = "、".join(f"“{column.label.zh}”" for column in lacking)
            findings.refuse(
                naming(cell(table.header, at)),
                f"表头认不出，而 {missing} 这一列找不到",
                f"is a heading that is not known, and {', '.join(c.label.en for c in lacking)} is missing",
                (
                    "若是同一列，请把表头改回原样；若是自己加的，请移到最右边",
                    "Give it its heading again, or move it to the far right",
                ),
                name,
            )


def _records(table: Table, draft: Draft | None, findings: Findings) -> tuple[Draft | None, list]:
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
        return draft, []
    if len(kept) > _LARGEST_TABLE:
        findings.refuse(
            where,
            f"有 {len(kept)} 条记录，不像一个班的研究",
            f"has {len(kept)} records, which is no study of one class",
            ("请检查是不是选错了文件", "See whether this is the right file"),
        )
        return draft, []
    unknown = records.unknown_columns(table, kept)
    if unknown:
        said = "、".join(name for _, name in unknown)
        findings.note(f"没有读的列：{said}", f"Columns that were not read: {said}")
    records.read(table, kept, draft or Draft({}, lambda _: ""), findings)
    return draft, kept


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
