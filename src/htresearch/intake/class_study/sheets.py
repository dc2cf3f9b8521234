"""How the sheets of a class study look: written cell by cell, with lists, checks and a page to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from htresearch.intake.class_study import guide, sample
from htresearch.intake.class_study.cells import FIRST_DAY, LAST_DAY
from htresearch.intake.class_study.layout import (
    CHANGED,
    CHANGED_ON,
    CHANGES,
    COLUMNS,
    EXAMPLE_RECORD,
    EXAMPLE_ROW,
    NO,
    NOT_READ,
    PHASES,
    PLAN,
    RECORDS,
    SECTIONS,
    STUDY_ID,
    YES,
    Entry,
)
from htresearch.intake.escaping import escaped
from htresearch.language import Text

#: Rows of the records that have numbers, lists and checks.
PREPARED = 90
TABS = ("#7F7F7F", "#E0A458", "#2F5F8A", "#BFBFBF")
_ROWS_OF_CHANGES = 6
_LINE_HEIGHT = 15.5
_TITLE, _LEAD, _HEAD, _EXAMPLE, FIRST_ROW = range(5)
_BLUE, _ORANGE, _GREY = "#2F5F8A", "#C8741A", "#7F7F7F"


def formats(book) -> dict:
    """Return the formats by name; colours as in the other forms."""
    base = {"font_name": "Microsoft YaHei", "font_size": 10.5, "valign": "vcenter"}
    line = {"border": 1, "border_color": "#D9D9D9"}
    shown = {"italic": True, "font_color": _GREY, "bg_color": "#F2F2F2", "align": "center", **line}
    day = {"num_format": "yyyy-mm-dd"}
    made = {
        "title": {"bold": True, "font_size": 18, "font_color": _BLUE},
        "lead": {"font_color": "#595959", "text_wrap": True},
        "section": {"bold": True, "font_size": 12, "font_color": "#FFFFFF", "bg_color": _BLUE, "indent": 1},
        "heading": {"bold": True, "font_size": 12, "font_color": _BLUE, "bottom": 2, "bottom_color": _BLUE},
        "body": {"font_size": 11.5, "text_wrap": True, "valign": "top"},
        "number": {"bold": True, "font_size": 11.5, "font_color": _BLUE, "align": "center", "valign": "top"},
        "head": {"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, "align": "center", **line},
        "label": {"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, "indent": 1, **line},
        "required": {"bold": True, "bg_color": "#F8D7B0", "text_wrap": True, "indent": 1, **line},
        "required_head": {"bold": True, "bg_color": "#F8D7B0", "text_wrap": True, "align": "center", **line},
        "entry": {"text_wrap": True, "indent": 1, **line},
        "entry_date": {"align": "left", "indent": 1, **day, **line},
        "hint": {"font_size": 9, "font_color": _GREY, "text_wrap": True, "indent": 1, **line},
        "id": {"font_size": 9, "font_color": _GREY, "indent": 1, **line},
        "cell": {"align": "center", **line},
        "date": {"align": "center", **day, **line},
        "remark": {"text_wrap": True, **line},
        "changed": {"align": "center", "bg_color": "#FBEBD7", **line},
        "changed_date": {"align": "center", "bg_color": "#FBEBD7", **day, **line},
        "changed_remark": {"text_wrap": True, "bg_color": "#FBEBD7", **line},
        "shown": shown,
        "shown_date": {**shown, **day},
        "shown_remark": {**shown, "align": "left"},
        "lacking": {"bg_color": "#FDE9D9"},
    }
    return {name: book.add_format({**base, **look}) for name, look in made.items()}


def drawn_width(text: object) -> int:
    """Return how wide a text is drawn: a Chinese character takes two places."""
    return sum(1 if mark < "\u2e80" else 2 for mark in str(text))


def _lines(text: object, width: float) -> int:
    return sum(max(1, -(-drawn_width(part) // max(int(width), 1))) for part in str(text).split("\n"))


# --- how to ---------------------------------------------------------------------------------------------------------


def write_guide(sheet, sections: Sequence[tuple[Text, Sequence[Text], bool]], looks: Mapping) -> None:
    """Write how to go about it, on one page."""
    sheet.set_column(0, 0, 4)
    sheet.set_column(1, 1, 96)
    sheet.merge_range(0, 0, 0, 1, str(guide.TITLE), looks["title"])
    sheet.set_row(0, 32)
    sheet.merge_range(1, 0, 1, 1, str(guide.LEAD), looks["lead"])
    sheet.set_row(1, _LINE_HEIGHT * _lines(guide.LEAD, 96) + 8)
    row = 2
    for title, sentences, numbered in sections:
        sheet.merge_range(row + 1, 0, row + 1, 1, str(title), looks["heading"])
        sheet.set_row(row, 6)
        sheet.set_row(row + 1, 20)
        row += 2
        for number, sentence in enumerate(sentences, 1):
            sheet.write_string(row, 0, str(number) if numbered else "·", looks["number"])
            sheet.write_string(row, 1, str(sentence), looks["body"])
            sheet.set_row(row, 17.5 * _lines(sentence, 84) + 4)
            row += 1
    sheet.set_portrait()
    sheet.print_area(0, 0, row - 1, 1)


# --- the plan -------------------------------------------------------------------------------------------------------


def write_plan(sheet, given: Mapping[str, object], study_id: str, looks: Mapping) -> None:
    """Write the plan: label, entry and hint in a row each; then room for changes, and the study's id."""
    for column, width in enumerate((24, 52, 40)):
        sheet.set_column(column, column, width)
    sheet.merge_range(_TITLE, 0, _TITLE, 2, str(PLAN), looks["title"])
    lead = Text(
        "开始记录之前写好 · 橙色的必填 · 填在中间一栏，请勿改动左边的项目",
        "Written before the first record · orange entries are required · fill in the middle column",
    )
    sheet.merge_range(_LEAD, 0, _LEAD, 2, str(lead), looks["lead"])
    sheet.set_row(_TITLE, 32)
    sheet.set_row(_LEAD, 22)
    row = 2
    for title, entries in SECTIONS.items():
        sheet.merge_range(row, 0, row, 2, str(title), looks["section"])
        sheet.set_row(row, 22)
        row += 1
        for entry in entries:
            _write_entry(sheet, row, entry, given.get(entry.name), looks)
            row += 1
    row = _write_changes(sheet, row, looks)
    sheet.write_string(row, 0, str(STUDY_ID), looks["id"])
    sheet.write_string(row, 1, study_id, looks["id"])
    sheet.write_string(
        row,
        2,
        str(Text("让改过的表也认得出是同一项研究", "Tells that a later file is the same study")),
        looks["hint"],
    )
    sheet.freeze_panes(2, 1)
    sheet.set_portrait()
    sheet.print_area(0, 0, row, 2)


def _write_entry(sheet, row: int, entry: Entry, value: object, looks: Mapping) -> None:
    mark = " *" if entry.required else ""
    sheet.write_string(row, 0, f"{entry.label}{mark}", looks["required" if entry.required else "label"])
    sheet.write_string(row, 2, str(entry.hint), looks["hint"])
    look = looks["entry_date" if entry.kind == "date" else "entry"]
    if value is None:
        sheet.write_blank(row, 1, None, look)
    elif isinstance(value, date):
        sheet.write_datetime(row, 1, value, look)
    elif isinstance(value, int | float):
        sheet.write_number(row, 1, value, looks["entry_date"] if entry.kind == "date" else look)
    else:
        sheet.write_string(row, 1, escaped(value), look)
    lines = max(
        entry.lines, _lines(value or "", 47), _lines(f"{entry.label}{mark}", 21), _lines(entry.hint, 40) * 0.85
    )
    sheet.set_row(row, max(22, _LINE_HEIGHT * lines + 5))
    _check_entry(sheet, row, entry)
    if entry.required:
        rule = {"type": "blanks", "format": looks["lacking"]}
        sheet.conditional_format(row, 1, row, 1, rule)


def _check_entry(sheet, row: int, entry: Entry) -> None:
    title = str(Text("填写有误", "Not a possible entry"))
    if entry.kind == "choice":
        rule = {"validate": "list", "source": [str(choice.label) for choice in entry.choices]}
        said = Text("请从下拉列表中选。", "Choose from the list.")
    elif entry.kind == "date":
        rule = {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY}
        said = Text("请填日期，如 2026-9-1。", "Fill in a date such as 2026-9-1.")
    elif entry.kind == "position":
        rule = {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": 1000}
        said = Text("请填一个整数，如 8。", "Fill in a whole number such as 8.")
    elif entry.kind == "number":
        rule = {"validate": "decimal", "criteria": "between", "minimum": -1e9, "maximum": 1e9}
        said = Text("请填一个数。", "Fill in a number.")
    else:
        return
    sheet.data_validation(row, 1, row, 1, {**rule, "error_title": title, "error_message": str(said)})


def _write_changes(sheet, row: int, looks: Mapping) -> int:
    title = Text(
        f"五、{CHANGES.zh}（开始记录之后才改的，写在这里；上面的不要涂改）",
        f"5  {CHANGES.en} (after the first record; leave what stands above)",
    )
    sheet.merge_range(row, 0, row, 2, str(title), looks["section"])
    sheet.set_row(row, 22)
    sheet.write_string(row + 1, 0, str(CHANGED_ON), looks["label"])
    sheet.merge_range(row + 1, 1, row + 1, 2, str(CHANGED), looks["label"])
    first, last = row + 2, row + 1 + _ROWS_OF_CHANGES
    for at in range(first, last + 1):
        sheet.write_blank(at, 0, None, looks["entry_date"])
        sheet.merge_range(at, 1, at, 2, None, looks["entry"])
        sheet.set_row(at, 22)
    rule = {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY}
    said = str(Text("请填日期，如 2026-9-1。", "Fill in a date such as 2026-9-1."))
    sheet.data_validation(first, 0, last, 0, {**rule, "error_message": said})
    return last + 2


# --- the records ----------------------------------------------------------------------------------------------------


def write_records(book, sheet, unit: Text | None, conditions: Sequence[str], looks: Mapping) -> None:
    """Write the sheet with a row a day, numbered and checked, and a picture that grows beside it."""
    _write_head(sheet, unit, looks)
    _write_example_row(sheet, looks)
    labels = {choice.value: str(choice.label) for choice in PHASES}
    for at in range(PREPARED):
        row = FIRST_ROW + at
        sheet.write_number(row, 0, at + 1, looks["cell"])
        for column, known in enumerate(COLUMNS[1:], 1):
            look = looks[{"date": "date", "remark": "remark"}.get(known.name, "cell")]
            if known.name == "phase" and at < len(conditions):
                sheet.write_string(row, column, labels[conditions[at]], look)
            else:
                sheet.write_blank(row, column, None, look)
        sheet.set_row(row, 20)
    _check_records(sheet)
    _mark_lacking(sheet, looks)
    chart = _chart(book, unit)
    name = str(RECORDS)
    chart.add_series(_series(name, FIRST_ROW, FIRST_ROW + PREPARED - 1, 2, _BLUE, None))
    chart.set_legend({"none": True})
    sheet.insert_chart(_HEAD, len(COLUMNS) + 1, chart)
    sheet.set_column(len(COLUMNS), len(COLUMNS), 3)
    sheet.freeze_panes(_EXAMPLE, 2)
    sheet.set_portrait()
    sheet.repeat_rows(_HEAD)
    sheet.print_area(0, 0, FIRST_ROW + PREPARED - 1, len(COLUMNS) - 1)


def _write_head(sheet, unit: Text | None, looks: Mapping) -> None:
    last = len(COLUMNS) - 1
    sheet.merge_range(_TITLE, 0, _TITLE, last, str(RECORDS), looks["title"])
    lead = Text(
        "一天一行，当天填 · 没有记录写“缺”，真的是 0 才写 0 · 不写任何人的姓名 · 例子那一行不会读入",
        "A row a day, filled in the same day · write “missing” where nothing was recorded; 0 only for none · "
        "nobody's name",
    )
    sheet.merge_range(_LEAD, 0, _LEAD, last, str(lead), looks["lead"])
    sheet.set_row(_TITLE, 32)
    sheet.set_row(_LEAD, 22)
    for column, known in enumerate(COLUMNS):
        label = str(known.label)
        if known.name == "value" and unit is not None:
            label = str(Text("{label}（{unit}）", "{label} ({unit})").format(label=known.label, unit=unit))
        if known.name == "phase":
            only = Text("{label}\n（轮流才填）", "{label}\n(by turns only)")
            label = str(only.format(label=known.label))
        required = known.name in ("date", "value")
        sheet.write_string(_HEAD, column, label, looks["required_head" if required else "head"])
        sheet.set_column(column, column, known.width)
    sheet.set_row(_HEAD, 36)


def _write_example_row(sheet, looks: Mapping) -> None:
    sheet.write_string(_EXAMPLE, 0, str(EXAMPLE_ROW), looks["shown"])
    for column, known in enumerate(COLUMNS[1:], 1):
        value = EXAMPLE_RECORD.get(known.name)
        if value is None:
            sheet.write_blank(_EXAMPLE, column, None, looks["shown"])
        elif isinstance(value, date):
            sheet.write_datetime(_EXAMPLE, column, value, looks["shown_date"])
        elif isinstance(value, int):
            sheet.write_number(_EXAMPLE, column, value, looks["shown"])
        else:
            sheet.write_string(
                _EXAMPLE, column, str(value), looks["shown_remark" if known.name == "remark" else "shown"]
            )
    sheet.set_row(_EXAMPLE, 20)


def _check_records(sheet) -> None:
    first, last = FIRST_ROW, FIRST_ROW + PREPARED - 1
    title = str(Text("请再看一下", "Please look again"))
    number = Text(
        "这里填一个数；没有记录就写“缺”。确实要这样填吗？", "A number, or “missing” if there is none. Keep it?"
    )
    said = {
        "date": (
            {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY},
            Text("请填日期，如 2026-9-1。", "Fill in a date such as 2026-9-1."),
            "stop",
        ),
        "value": ({"validate": "decimal", "criteria": "between", "minimum": -1e9, "maximum": 1e9}, number, "warning"),
        "as_planned": (
            {"validate": "list", "source": [str(YES), str(NO)]},
            Text("请填“是”或“否”。", "Fill in yes or no."),
            "stop",
        ),
        "phase": (
            {"validate": "list", "source": [str(choice.label) for choice in PHASES]},
            Text("请从下拉列表中选。", "Choose from the list."),
            "stop",
        ),
    }
    said["second_value"] = said["value"]
    for column, known in enumerate(COLUMNS):
        if known.name in said:
            rule, message, kind = said[known.name]
            more = {"error_title": title, "error_message": str(message), "error_type": kind}
            sheet.data_validation(first, column, last, column, {**rule, **more})


def _mark_lacking(sheet, looks: Mapping) -> None:
    """Colour the date or the value that a begun row lacks."""
    row = FIRST_ROW + 1
    for column, letter in ((1, "B"), (2, "C")):
        rule = {"type": "formula", "criteria": f"=AND(COUNTA($C{row}:$F{row})>0,ISBLANK(${letter}{row}))"}
        sheet.conditional_format(
            FIRST_ROW, column, FIRST_ROW + PREPARED - 1, column, {**rule, "format": looks["lacking"]}
        )


def _chart(book, unit: Text | None):
    chart = book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    font = {"name": "Microsoft YaHei", "size": 9, "color": "#595959"}
    axis = {"num_font": font, "line": {"color": "#BFBFBF"}, "major_gridlines": {"visible": False}}
    name = str(Text("第几条记录", "Record"))
    chart.set_x_axis({**axis, "name": name, "name_font": {**font, "bold": False}, "min": 0})
    chart.set_y_axis({**axis, "name": "" if unit is None else str(unit), "name_font": {**font, "bold": False},
                      "major_gridlines": {"visible": True, "line": {"color": "#EDEDED"}}})  # fmt: skip
    chart.set_title({"none": True})
    chart.set_chartarea({"border": {"color": "#D9D9D9"}})
    chart.set_size({"width": 640, "height": 300})
    chart.show_blanks_as("gap")
    return chart


def _series(sheet: str, first: int, last: int, value: int, colour: str, name: str | None) -> dict:
    series = {
        "categories": [sheet, first, 0, last, 0],
        "values": [sheet, first, value, last, value],
        "line": {"color": colour, "width": 1.5},
        "marker": {"type": "circle", "size": 6, "fill": {"color": colour}, "border": {"color": colour}},
    }
    return series if name is None else {**series, "name": name}


# --- the example ----------------------------------------------------------------------------------------------------


def write_example(book, sheet, looks: Mapping) -> None:
    """Write a finished study to look at: its plan in short, its picture, its records."""
    columns = [column for column in COLUMNS if column.name != "phase"]
    last = len(columns) - 1
    sheet.merge_range(0, 0, 0, last, str(NOT_READ), looks["title"])
    sheet.set_row(0, 32)
    for row, (label, said) in enumerate(sample.PLAN, 1):
        sheet.merge_range(row, 0, row, 1, str(label), looks["label"])
        sheet.merge_range(row, 2, row, last, str(said), looks["entry"])
        sheet.set_row(row, 21)
    top = len(sample.PLAN) + 2
    head = top + 16
    for column, known in enumerate(columns):
        sheet.write_string(head, column, str(known.label), looks["head"])
        sheet.set_column(column, column, known.width + (5 if known.name == "remark" else 0))
    sheet.set_row(head, 32)
    for at, (day, late) in enumerate(zip(sample.days(), sample.LATE, strict=True), 1):
        _write_sample_row(sheet, head + at, at, day, late, looks)
    name = sheet.get_name()
    chart = _chart(book, Text("迟到人次", "Late pupils"))
    bounds = (head + 1, head + sample.STARTED, head + 1 + len(sample.LATE))
    for (first, then), colour, label in zip(
        pairwise(bounds), (_BLUE, _ORANGE), (PHASES[0].label, PHASES[1].label), strict=True
    ):
        chart.add_series(_series(name, first, then - 1, 2, colour, str(label)))
    chart.set_legend({"position": "top", "font": {"name": "Microsoft YaHei", "size": 9}})
    sheet.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 2})
    sheet.set_portrait()
    sheet.repeat_rows(head)
    sheet.print_area(0, 0, head + len(sample.LATE), last)


def _write_sample_row(sheet, row: int, at: int, day: date, late: int | None, looks: Mapping) -> None:
    kind = "changed" if at >= sample.STARTED else "cell"
    marked = {"cell": ("cell", "date", "remark"), "changed": ("changed", "changed_date", "changed_remark")}[kind]
    plain, dated, worded = (looks[name] for name in marked)
    sheet.write_number(row, 0, at, plain)
    sheet.write_datetime(row, 1, day, dated)
    if late is None:
        sheet.write_string(row, 2, str(Text("缺", "missing")), plain)
    else:
        sheet.write_number(row, 2, late, plain)
    done = "" if late is None else str(NO if at in sample.NOT_AS_PLANNED else YES)
    sheet.write_string(row, 3, done, plain)
    if at in sample.SECOND:
        sheet.write_number(row, 4, sample.SECOND[at], plain)
    else:
        sheet.write_blank(row, 4, None, plain)
    sheet.write_string(row, 5, str(sample.REMARKS.get(at, "")), worded)
    sheet.set_row(row, 18)
