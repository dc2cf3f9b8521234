"""Forms that schools fill in: a workbook for one table, with lists to choose from and how to fill it in."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from htresearch import checks, language
from htresearch.atomic import write_file
from htresearch.errors import Fault, IntakeError
from htresearch.intake import files
from htresearch.intake.entries import BETWEEN
from htresearch.intake.escaping import escaped
from htresearch.intake.guidance import EXAMPLE, example, hint
from htresearch.intake.workbook import column_name
from htresearch.language import Text
from htresearch.study.rules import EARLIEST, LATEST
from htresearch.study.schema import Column, Schema, Table, schema
from htresearch.study.store import Store, open_store

FILL_IN, HOW_TO, LISTS = Text("填写", "Fill in"), Text("说明", "How to"), Text("选项", "Lists")
#: Heading of the first column, which is the schools' own: it marks the example and is not read.
NOTE = Text("备注（不读取）", "Note (not read)")
YES, NO = Text("是", "Yes"), Text("否", "No")
#: Rows of the form that have lists and checks; the header, the names, the example stand above them.
ROWS = 2000
_TITLE, _LABELS, _NAMES, _EXAMPLE, _FIRST = range(5)
#: Ids that can be chosen from a list; a longer list helps nobody.
MOST_CHOICES = 5000

_RULES = (
    Text("从“填写”的示例行下面开始，一条记录一行。", "Begin below the example in “Fill in”, one record a row."),
    Text(
        "橙色列必填；其余不知道的留空，不要写“无”或“0”。",
        "Orange columns are required; leave others empty where you do not know.",
    ),
    Text(
        "请勿改动表头，勿合并单元格；空行不要紧。",
        "Leave the header as it is and merge no cells; empty rows do no harm.",
    ),
    Text(
        "不要填写姓名、电话、身份证号、学籍号。",
        "Fill in no names, phone numbers or numbers of identity documents.",
    ),
    Text("填好后仍存为 .xlsx，文件名写上学校。", "Save it as .xlsx, with the school in the file's name."),
)

#: What tells the rows of a table apart in a list, beside the id.
_DESCRIBED_BY = {
    "schools": ("school_type", "location"),
    "terms": (),
    "classes": ("school_id", "entry_year", "class_no"),
    "teachers": ("subject", "title"),
    "studios": ("opened_on",),
    "training_events": ("held_on", "theme", "format"),
    "assessments": ("term_id", "stage", "grade", "measure"),
}


def template(
    study: str | Path | None,
    table: str,
    path: str | Path,
    language: str | None = None,
    roster: pd.DataFrame | None = None,
) -> Path:
    """Write the form of a table as xlsx, to be filled in by schools and read by `htresearch.intake.forms.read`.

    Parameters
    ----------
    study
        The study that the rows are for: its own vocabulary values and its ids are in the lists. None, or a folder
        that does not exist yet, gives a form with the shipped vocabularies.
    table
        A table of the schema, by its name, its label (``培训活动``), or what only one has: a beginning
        (``training``) or a part of the Chinese label (``任职``).
    path
        The xlsx file; it must not exist yet.
    language
        ``"zh"`` or ``"en"``; the language now spoken unless given.
    roster
        Ids with what a school knows them by, such as teacher_id, name, school: chosen from a list as
        ``t_1f… ｜ 王小明 三小``. Only the id is read back; a form with names is for that school's eyes.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    ArgumentError
        If there is no such table or language, or the file exists already.
    IntakeError
        If the study's files cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> template(None, "attendance", folder / "attendance.xlsx").name
    'attendance.xlsx'
    """
    from htresearch.language import LANGUAGES, current, speaking

    path, spoken = Path(path), language or current()
    store = _store(study)
    known = schema() if store is None else store.schema
    name = _table(table, known)
    checks.require(
        checks.one_of("language", spoken, LANGUAGES),
        None if name in known.tables else checks.one_of("table", table, tuple(known.tables)),
        _writable(path),
    )
    with speaking(spoken):
        return write_file(path, _workbook(known, known.tables[name], store, roster))


def _store(study: str | Path | None) -> Store | None:
    if study is None or not Path(study).exists():
        return None
    if Path(study).is_file():
        store = open_store(study)
        if store.faults:
            raise IntakeError(*store.faults)
        return store
    return files.open_folder(Path(study))


def _table(said: str, known: Schema) -> str:
    """Return the table that is meant, or what was said where that is none."""
    if said in known.tables:
        return said
    labelled = [name for name in known.tables if said in (known.label(name).zh, known.label(name).en)]
    begun = [name for name in known.tables if said and name.startswith(said)]
    part = [name for name in known.tables if said and said in known.label(name).zh]
    return next((found[0] for found in (labelled, begun, part) if len(found) == 1), said)


def _writable(path: Path) -> Fault | None:
    if path.suffix.lower() != ".xlsx":
        rule, fix = Text("表格是 .xlsx 文件", "a form is an .xlsx file"), Text("请改扩展名", "Change the ending")
    elif path.exists():
        rule = Text("已经存在，可能有人填过", "is there already and may have been filled in")
        fix = Text("请换一个文件名，或先移走它", "Choose another name, or move it away first")
    elif not path.parent.is_dir():
        rule, fix = Text("文件夹不存在", "there is no such folder"), Text("请先建立", "Make it first")
    else:
        return None
    return Fault(checks.argument("path"), rule, fix, str(path))


# --- the lists ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Choices:
    """A list that a column is chosen from, and whether other entries are refused."""

    items: tuple[str, ...]
    closed: bool


def _choices(known: Schema, table: Table, store: Store | None, roster: pd.DataFrame | None) -> dict[str, _Choices]:
    lists = {}
    for column in table.columns:
        if column.vocabulary:
            labels = (str(known.label(v, column.vocabulary)) for v in known.vocabularies[column.vocabulary])
            lists[column.name] = _Choices(tuple(labels), closed=True)
        elif column.type == "boolean":
            lists[column.name] = _Choices((str(YES), str(NO)), closed=True)
        elif ids := _ids(known, table, column, store, roster):
            lists[column.name] = _Choices(ids, closed=False)
    return lists


def _ids(
    known: Schema, table: Table, column: Column, store: Store | None, roster: pd.DataFrame | None
) -> tuple[str, ...]:
    """Return the ids to choose from, each with what it is known by: from the roster, else from the study."""
    other = column.refers_to or next((n for n, t in known.tables.items() if t.key == (column.name,)), None)
    key = known.tables[other].key[0] if other else column.name
    if roster is not None and key in roster:
        beside = [roster[c] for c in roster if c != key and not str(c).endswith("_id")]
        rows = roster[[key]].assign(**{str(i): values for i, values in enumerate(beside)})
    elif other and other != table.name and store is not None and other in store.tables:
        rows = store.table(other).select(key, *_DESCRIBED_BY.get(other, ())).collect("pandas").to_native()
        for name in rows.columns[1:]:
            if vocabulary := known.tables[other][name].vocabulary:
                rows[name] = [str(known.label(v, vocabulary)) for v in rows[name]]
    else:
        return ()
    rows = rows[rows[key].notna()].drop_duplicates(key)
    if len(rows) > MOST_CHOICES:
        return ()
    return tuple(sorted(_described(*row) for row in rows.itertuples(index=False)))


def _described(key: object, *beside: object) -> str:
    said = " ".join(str(b.date() if isinstance(b, pd.Timestamp) else b) for b in beside if not pd.isna(b))
    return f"{key}{BETWEEN}{said}" if said else str(key)


# --- the workbook ---------------------------------------------------------------------------------------------------


def _workbook(known: Schema, table: Table, store: Store | None, roster: pd.DataFrame | None) -> bytes:
    import xlsxwriter

    content = io.BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, plain) as book:
        formats = _formats(book)
        lists = _choices(known, table, store, roster)
        sheets = [book.add_worksheet(str(name)) for name in (FILL_IN, HOW_TO, LISTS)]
        _fill_in(sheets[0], known, table, lists, formats)
        _how_to(sheets[1], known, table, lists, formats)
        _lists(sheets[2], known, table, lists, formats)
        for sheet in sheets:
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
        sheets[0].repeat_rows(_LABELS, _NAMES)
        sheets[0].activate()
    return content.getvalue()


def _formats(book) -> dict:
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}
    line = {"border": 1, "border_color": "#D9D9D9"}
    made = {
        "title": {"bold": True, "font_size": 13},
        "lead": {"font_color": "#595959"},
        "head": {"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, **line},
        "required": {"bold": True, "bg_color": "#F8D7B0", "text_wrap": True, **line},
        "name": {"font_size": 8, "font_color": "#7F7F7F", "bg_color": "#F2F2F2", **line},
        "example": {"italic": True, "font_color": "#7F7F7F", "bg_color": "#F2F2F2", **line},
        "example_date": {
            "italic": True, "font_color": "#7F7F7F", "bg_color": "#F2F2F2", "num_format": "yyyy-mm-dd", **line
        },
        "text": {"num_format": "@"},
        "date": {"num_format": "yyyy-mm-dd"},
        "number": {"num_format": "General"},
        "wrapped": {"text_wrap": True, "valign": "top", **line},
        "lacking": {"bg_color": "#FFC7CE"},
    }  # fmt: skip
    return {name: book.add_format({**base, **look}) for name, look in made.items()}


def _fill_in(sheet, known: Schema, table: Table, lists: dict[str, _Choices], formats: dict) -> None:
    """Write the sheet to fill in: title, header, names, example, then rows with lists and checks."""
    title = Text("{label}（{name}）", "{label} ({name})").format(label=known.label(table.name), name=table.name)
    lead = Text(
        "橙色列（*）必填 · 灰色示例行不会读入 · 请勿改动表头 · 填法见“{how}”",
        "Orange columns (*) are required · the grey example is not read · leave the header as it is · see “{how}”",
    ).format(how=HOW_TO)
    sheet.write_string(_TITLE, 0, str(title), formats["title"])
    sheet.write_string(_TITLE, 3, str(lead), formats["lead"])
    sheet.write_string(_LABELS, 0, str(NOTE), formats["head"])
    sheet.write_string(_NAMES, 0, "", formats["name"])
    sheet.write_string(_EXAMPLE, 0, f"{EXAMPLE}", formats["example"])
    sheet.set_column(0, 0, 14, formats["text"])
    shown = example(known, table)
    for at, column in enumerate(table.columns, 1):
        mark = "" if column.optional else " *"
        label = f"{known.label(column.name, table.name)}{mark}"
        sheet.write_string(_LABELS, at, label, formats["head" if column.optional else "required"])
        sheet.write_string(_NAMES, at, column.name, formats["name"])
        _write_example(sheet, at, known, column, shown[column.name], formats)
        look = {"date": "date", "integer": "number", "number": "number"}.get(column.type, "text")
        sheet.set_column(at, at, max(13, min(30, _width(label) + 2)), formats[look])
        _check(sheet, at, column, lists)
    sheet.set_row(_TITLE, 24)
    sheet.set_row(_LABELS, 30)
    sheet.freeze_panes(_EXAMPLE, 1)
    _mark_lacking(sheet, table, formats)


def _width(text: str) -> int:
    """Return how wide a text is drawn: a Chinese character takes two places."""
    return sum(1 if mark < "\u2e80" else 2 for mark in text)


def _write_example(sheet, at: int, known: Schema, column: Column, value: object, formats: dict) -> None:
    look = formats["example"]
    if value is None:
        sheet.write_blank(_EXAMPLE, at, None, look)
    elif column.vocabulary:
        sheet.write_string(_EXAMPLE, at, str(known.label(value, column.vocabulary)), look)
    elif isinstance(value, bool):
        sheet.write_string(_EXAMPLE, at, str(YES if value else NO), look)
    elif isinstance(value, date):
        sheet.write_datetime(_EXAMPLE, at, value, formats["example_date"])
    elif isinstance(value, (int, float)) and column.type in ("integer", "number"):
        sheet.write_number(_EXAMPLE, at, value, look)
    else:
        sheet.write_string(_EXAMPLE, at, str(value), look)


def _check(sheet, at: int, column: Column, lists: dict[str, _Choices]) -> None:
    """Give a column its list, or the check of its type."""
    first, last = _FIRST, _FIRST + ROWS
    if column.name in lists:
        choices = lists[column.name]
        letter = column_name(list(lists).index(column.name))
        source = f"='{LISTS}'!${letter}$2:${letter}${len(choices.items) + 1}"
        rule = {"validate": "list", "source": source, "error_type": "stop" if choices.closed else "warning"}
        said = Text("请从下拉列表中选择。", "Choose from the list.")
    elif column.type == "date":
        rule = {"validate": "date", "criteria": "between", "minimum": EARLIEST, "maximum": LATEST}
        said = Text("请填日期，如 2024-9-1。", "Fill in a date such as 2024-9-1.")
    elif column.type in ("integer", "number"):
        low = -1e9 if column.minimum is None else column.minimum
        high = 1e9 if column.maximum is None else column.maximum
        kind = "integer" if column.type == "integer" else "decimal"
        rule = {"validate": kind, "criteria": "between", "minimum": low, "maximum": high}
        said = Text("请填数字（{low} 到 {high}）。", "Fill in a number ({low} to {high}).").format(
            low=f"{low:g}", high=f"{high:g}"
        )
    else:
        return
    title = str(Text("填写有误", "Not a possible entry"))
    sheet.data_validation(first, at, last, at, {**rule, "error_title": title, "error_message": str(said)})


def _mark_lacking(sheet, table: Table, formats: dict) -> None:
    """Colour the required cells that a begun row leaves empty."""
    row, last = _FIRST + 1, column_name(len(table.columns))
    for at, column in enumerate(table.columns, 1):
        if not column.optional:
            cell = f"{column_name(at)}{row}"
            rule = {"type": "formula", "criteria": f"=AND(COUNTA($B{row}:${last}{row})>0,ISBLANK({cell}))"}
            sheet.conditional_format(_FIRST, at, _FIRST + ROWS, at, {**rule, "format": formats["lacking"]})


def _how_to(sheet, known: Schema, table: Table, lists: dict[str, _Choices], formats: dict) -> None:
    """Write how to fill in the form, and what each column means."""
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 20)
    sheet.set_column(2, 2, 8)
    sheet.set_column(3, 3, 52)
    sheet.set_column(4, 4, 44)
    label = Text("怎样填写：{table}", "How to fill in: {table}").format(table=known.label(table.name))
    sheet.write_string(0, 0, str(label), formats["title"])
    at = 1
    for number, said in enumerate(_instructions(known, table), 1):
        sheet.write_string(at, 0, f"{number}. {said}", formats["lead"])
        at += 1
    heads = Text("列|列名|必填|怎样填|可选项", "Column|Name|Required|How to fill it in|Choices")
    for place, head in enumerate(str(heads).split("|")):
        sheet.write_string(at + 1, place, head, formats["head"])
    for row, column in enumerate(table.columns, at + 2):
        choices = lists.get(column.name)
        listed = ""
        if choices is not None:
            listed = str(language.listing(choices.items)) if choices.closed else str(
                Text("见“{lists}”", "See “{lists}”").format(lists=LISTS)
            )  # fmt: skip
        told = hint(table, column)
        if choices is not None and not choices.closed:
            told = Text(f"{told.zh}；可从列表中选", f"{told.en}; the list has those that are known")
        cells = (known.label(column.name, table.name), column.name, NO if column.optional else YES, told, listed)
        for place, cell in enumerate(cells):
            sheet.write_string(row, place, str(cell), formats["wrapped"])


def _instructions(known: Schema, table: Table) -> list[Text]:
    said = list(_RULES)
    if table.key:
        parts = [known.label(name, table.name) for name in table.key]
        joined = Text(" + ".join(p.zh for p in parts), " + ".join(p.en for p in parts))
        told = Text("“{key}”相同的记录只能有一行。", "Only one row may have the same {key}.")
        said.append(told.format(key=joined))
    for first, then in table.order:
        told = Text("“{then}”不得早于“{first}”。", "“{then}” must not lie before “{first}”.")
        labels = {k: known.label(v, table.name) for k, v in (("first", first), ("then", then))}
        said.append(told.format(**labels))
    return said


def _lists(sheet, known: Schema, table: Table, lists: dict[str, _Choices], formats: dict) -> None:
    """Write the lists that the columns are chosen from."""
    for at, (name, choices) in enumerate(lists.items()):
        head = Text("选项：{label}", "List: {label}").format(label=known.label(name, table.name))
        sheet.write_string(0, at, str(head), formats["head"])
        longest = max((_width(item) for item in choices.items), default=0)
        sheet.set_column(at, at, min(60, max(18, longest + 2)), formats["text"])
        for row, item in enumerate(choices.items, 1):
            sheet.write_string(row, at, escaped(item), formats["text"])
    sheet.freeze_panes(1, 0)
