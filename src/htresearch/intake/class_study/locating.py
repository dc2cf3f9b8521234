"""Where a file holds the plan and where the records: by the names of its sheets, or by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from htresearch.intake.class_study import cells, planning, records
from htresearch.intake.class_study.faults import Findings
from htresearch.intake.class_study.layout import (
    COLUMNS,
    EXAMPLE,
    GUIDE,
    NOT_READ,
    PLAN,
    RECORDS,
    heading,
    same_sheet,
)
from htresearch.intake.class_study.planning import Draft
from htresearch.intake.class_study.study import Plan
from htresearch.intake.class_study.table import Table
from htresearch.intake.entries import bare
from htresearch.intake.place import masked
from htresearch.intake.workbook import Sheet, Workbook, cell
from htresearch.language import Text

#: A sheet with another name is the plan if it names so many of its entries.
_UNMISTAKABLE = 8
_GET_FORM = ("请用 htresearch new class-study 生成的表填写", "Use the form that htresearch new class-study writes")


@dataclass(eq=False)
class Locator:
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
                (
                    "请另外给出计划（命令行用 --plan，程序里用 plan=），或改填工作簿",
                    "Give the plan (--plan on the command line, plan= in Python), or fill in the workbook",
                ),
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

        table = table_of(sheet.rows, sheet, place, where(""), self.findings, form, where)
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


# --- headings -------------------------------------------------------------------------------------------------------


def table_of(
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
    known = {said for column in COLUMNS for said in column.known}
    line = table.rows[table.header]
    last = max(table.columns.values())
    for at, name in enumerate(line[: last + 2] if lacking else ()):
        if heading(name) in known or cells.empty(name):
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
