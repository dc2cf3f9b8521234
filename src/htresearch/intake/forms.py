"""Filled forms of all schools read back: one frame a table, and every fault by file, sheet and cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from htresearch.errors import Fault, IntakeError
from htresearch.intake import files
from htresearch.intake.conflicts import STUDY
from htresearch.intake.entries import Entries, Unread, bare
from htresearch.intake.folders import not_read, tables_in
from htresearch.intake.guidance import EXAMPLE, example
from htresearch.intake.headers import AGAIN, Header, empty, find_header
from htresearch.intake.merge import AT_MOST, Finding, examine
from htresearch.intake.place import Place, masked
from htresearch.intake.template import FILL_IN, HOW_TO, LISTS
from htresearch.intake.workbook import Sheet, cell, open_table
from htresearch.language import Text, listing
from htresearch.study.schema import Column, Schema, Table


@dataclass(frozen=True, eq=False)
class Forms:
    """What filled forms hold; unpacks as ``tables, faults``.

    Attributes
    ----------
    tables : Mapping of str to pandas.DataFrame
        Rows by table in the schema's columns, each indexed by its `Place`; rows with a fault are not in them.
    faults : tuple of Fault
    counts : pandas.DataFrame
        A row per sheet that was read: file, sheet, table, rows, blank, examples.
    notes : tuple of Text
        What was passed over.
    """

    tables: Mapping[str, pd.DataFrame]
    faults: tuple[Fault, ...]
    counts: pd.DataFrame
    notes: tuple[Text, ...]

    def __iter__(self) -> Iterator:
        return iter((self.tables, self.faults))


def read(paths: str | Path | Iterable[str | Path], study: str | Path, *, accept: str = "nothing") -> Forms:
    """Read filled forms, of one table or of several, from one school or from all.

    The header is found wherever it stands; labels and names, Chinese and English values, full-width digits, the
    usual ways of writing a date and 是/否 are understood. The example row and blank rows are passed over. What the
    forms say is tried on the study too, so that a class that does not exist or two spells that overlap are named
    by their cells as well; nothing is written.

    Parameters
    ----------
    paths
        A file, several, or a folder of them.
    study
        The study that they are for, which may not exist yet.
    accept
        What may change the study's own rows, as in `htresearch.intake.merge`.

    Returns
    -------
    Forms

    Raises
    ------
    IntakeError
        If there is no file to read or the study's own files cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from htresearch.intake.template import template
    >>> folder = Path(tempfile.mkdtemp())
    >>> form = template(None, "attendance", folder / "三小.xlsx")
    >>> tables, faults = read(form, folder / "study")
    >>> print(faults[0])
    三小.xlsx · 填写：没有填写任何记录。请从示例行下面开始填写。
    """
    store = files.open_folder(files.resolve(Path(study)))
    reader = _Reader(Entries(files.schema_of(store)))
    found, beside = _listed(paths)
    if (passed := not_read(beside)) is not None:
        reader.notes.append(passed)
    for path in found:
        try:
            workbook = open_table(path)
        except IntakeError as error:
            reader.faults += error.faults
            continue
        reader.read_file(path.name, workbook.sheets)
    _try_on(Path(study), reader, accept)
    sound = {
        name: frame[[place not in reader.bad for place in frame.index]] for name, frame in reader.frames().items()
    }
    counts = pd.DataFrame(reader.counts, columns=["file", "sheet", "table", "rows", "blank", "examples"])
    return Forms({n: f for n, f in sound.items() if len(f)}, tuple(reader.faults), counts, tuple(reader.notes))


def _listed(paths: str | Path | Iterable[str | Path]) -> tuple[list[Path], list[Path]]:
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    found, beside = tables_in(given)
    if not found:
        where = str(listing([path.name for path in given])) or "paths"
        rule = Text("里面没有表格文件", "holds no form")
        raise IntakeError(
            Fault(where, rule, Text("请给出 .xlsx 文件或所在文件夹", "Give .xlsx files or their folder"))
        )
    return found, beside


@dataclass(eq=False)
class _Reader:
    """Collects the rows of all forms while they are read."""

    entries: Entries
    faults: list[Fault] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)
    counts: list[tuple] = field(default_factory=list)
    rows: dict[str, list[dict]] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=dict)
    bad: dict[Place, set[str]] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        return self.entries.schema

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return the rows by table, each at its place."""
        made = {}
        for name, rows in self.rows.items():
            if not rows:
                continue
            index = pd.Index(self.places[name], dtype=object, name="place")
            given = [column for column in self.schema.tables[name].names if any(column in row for row in rows)]
            made[name] = pd.DataFrame(rows, index=index, columns=given, dtype=object)
        return made

    def read_file(self, file: str, sheets: tuple[Sheet, ...]) -> None:
        """Read every sheet of a file that has a table's header."""
        found = False
        for sheet in sheets:
            if sheet.name in (HOW_TO.zh, HOW_TO.en, LISTS.zh, LISTS.en):
                continue
            header = find_header(file, sheet, self.schema)
            if header is None:
                if sheet.rows and sheet.name not in (FILL_IN.zh, FILL_IN.en):
                    passed = Text("{file} · {sheet}：没有表头，没有读取", "{file} · {sheet}: has no header; not read")
                    self.notes.append(passed.format(file=file, sheet=sheet.name))
                continue
            found = True
            self.faults += header.faults
            self._read_sheet(file, sheet, header)
        if not found:
            rule = Text("找不到任何数据表的表头", "has the header of no table")
            self.faults.append(Fault(file, rule, _OTHERWISE))

    def _read_sheet(self, file: str, sheet: Sheet, header: Header) -> None:
        table, merged, failed = header.table, _merged(sheet), set(sheet.errors)
        rows, places = self.rows.setdefault(table.name, []), self.places.setdefault(table.name, [])
        before, blank, examples = len(rows), 0, 0
        for number in range(header.last + 1, len(sheet.rows)):
            cells = sheet.rows[number]
            where = {name: cell(number, at) for at, name in header.columns.items()}
            held = {name: cells[at] if at < len(cells) else None for at, name in header.columns.items()}
            if all(empty(value) for value in held.values()) and not failed & set(where.values()):
                blank += 1
                continue
            place = Place(file, sheet.name, number + 1, where)
            note = cells[header.note] if header.note is not None and header.note < len(cells) else None
            if (marked := self._example(held, note, table)) is not None:
                examples += 1
                if not marked:
                    self.faults.append(_overwritten(place))
                continue
            row = {}
            for name, value in held.items():
                row[name] = self._entry(value, table, name, place, merged, failed)
            missing = [c.name for c in table.columns if not c.optional and c.name not in row]
            if missing:  # which was said once, of the header
                row |= dict.fromkeys(missing)
                self.bad.setdefault(place, set()).update(missing)
            rows.append(row)
            places.append(place)
        self.counts.append((file, sheet.name, table.name, len(rows) - before, blank, examples))
        if len(rows) == before and not any(f.where == f"{file} · {sheet.name}" for f in self.faults):
            rule = Text("没有填写任何记录", "holds no record")
            fix = Text("请从示例行下面开始填写", "Begin below the example")
            self.faults.append(Fault(" · ".join(p for p in (file, sheet.name) if p), rule, fix))

    def _entry(
        self, value: object, table: Table, name: str, place: Place, merged: Mapping[str, str], failed: set[str]
    ) -> object:
        """Return what a cell means; None, and a fault, where it means nothing."""
        column, at = table[name], place.cells[name]
        try:
            if at in failed:
                rule = Text(
                    "公式出错或没有存下结果，没有值", "holds a formula without a value (it failed, or was not saved)"
                )
                raise Unread(rule, Text("请改填数值或文字", "Fill in the value itself"))
            if at in merged:
                rule = Text(f"是合并单元格 {merged[at]} 的一部分", f"is part of the merged cells {merged[at]}")
                raise Unread(rule, Text("请取消合并，每行各自填写", "Unmerge them and fill in each row"))
            return self.entries.read(value, column)
        except Unread as unread:
            self.faults.append(Fault(place.at(name), unread.rule, unread.fix, masked(value)))
            self.bad.setdefault(place, set()).add(name)
            return None

    def _example(self, held: Mapping[str, object], note: object, table: Table) -> bool | None:
        """Tell whether a row that is marked as the example still is it; None where nothing marks it."""
        expected = example(self.schema, table)
        same = {name: self._is(value, expected[name], table[name]) for name, value in held.items()}
        named = any(same.get(c.name) for c in table.columns if c.type == "id" and isinstance(expected[c.name], Text))
        if not named and not (isinstance(note, str) and bare(note).startswith((EXAMPLE.zh, EXAMPLE.en))):
            return None
        return all(same.values())

    def _is(self, value: object, expected: object, column: Column) -> bool:
        if expected is None or empty(value):
            return expected is None and empty(value)
        if isinstance(expected, Text):
            return bare(value) in (bare(expected.zh), bare(expected.en))
        try:
            return self.entries.read(value, column) == expected
        except Unread:
            return False


def _overwritten(place: Place) -> Fault:
    """Refuse a record that was written over the example and would be passed over with it."""
    rule = Text("标着“示例”，填的却不是示例", "is marked as the example but holds something else")
    fix = Text("若是记录，请删去这一行的“示例”字样", "If it is a record, remove the word “example” from the row")
    return Fault(str(place), rule, fix)


def _merged(sheet: Sheet) -> dict[str, str]:
    """Return the cells that are merged into another, each with the whole range."""
    found = {}
    for (top, left), (bottom, right) in sheet.merged:
        for row in range(top, min(bottom, len(sheet.rows)) + 1):
            for column in range(left, min(right, left + 500) + 1):
                if (row, column) != (top, left):
                    found[cell(row, column)] = f"{cell(top, left)}:{cell(bottom, right)}"
    return found


# --- what the study says to it --------------------------------------------------------------------------------------


def _try_on(study: Path, reader: _Reader, accept: str) -> None:
    """Add the rules that the study with these rows would break, but for cells that are at fault already."""
    frames = reader.frames()
    if not frames:
        return
    merged, found = examine(study, frames, str(Text("表格", "the forms")), accept=accept)
    for finding in found:
        if not _follows(finding, frames, reader.bad):
            reader.faults.append(Fault(finding.where, finding.rule, finding.fix, finding.value))
            if finding.row is not None:
                place = frames[finding.table].index[finding.row]
                reader.bad.setdefault(place, set()).update(finding.column.split(", "))
    for row in merged.conflicts.itertuples(index=False):
        if row.there_in != str(STUDY):
            rule = Text("与 {there} 主键相同，说法不同", "has the key of {there} but says something else")
            fix = Text("请核对，只留一行", "Check both and keep one")
            reader.faults.append(Fault(row.source, rule.format(there=row.there_in), fix, masked(row.new)))
    ours = merged.conflicts[merged.conflicts["there_in"] == str(STUDY)]
    for row in ours.head(AT_MOST if found else 0).itertuples(index=False):
        reader.faults.append(Fault(row.source, _LEFT_OUT, _ACCEPT, masked(row.new)))


_OTHERWISE = Text(
    f"{AGAIN.zh}；若是问卷导出，请加 --instrument；若是学校自己的工作簿，请加 --roster",
    f"{AGAIN.en}; for an export of answers give --instrument, for a school's own workbook --roster",
)
_LEFT_OUT = Text(
    "与研究中的记录不同，没有并入；上面的问题可能由此而来",
    "differs from the study and was left out; what is said above may come of that",
)
_ACCEPT = Text(
    '请核对；若以这里为准，加 --accept empty（研究中空着的）或 --accept new，在 Python 中为 accept="empty" 或 "new"',
    "Check it; if this is right, add --accept empty (where the study is empty) or --accept new, in Python "
    'accept="empty" or "new"',
)


def _follows(finding: Finding, frames: Mapping[str, pd.DataFrame], bad: Mapping[Place, set[str]]) -> bool:
    """Tell whether a finding only says again that a cell could not be read."""
    if finding.row is None:
        return False
    return bool(bad.get(frames[finding.table].index[finding.row], set()) & set(finding.column.split(", ")))
