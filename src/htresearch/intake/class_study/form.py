"""The workbook that a head teacher fills in: how to go about it, the plan, a row a day, and a finished example."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.atomic import write_file
from htresearch.errors import Fault
from htresearch.intake.class_study import entered, guide, sheets
from htresearch.intake.class_study.faults import path_fault
from htresearch.intake.class_study.layout import ENTRIES, FILE_NAME, SHEETS
from htresearch.intake.class_study.topics import Topic
from htresearch.intake.class_study.topics import topic as find_topic
from htresearch.language import Text

#: How many records to plan, and from which to which the start is drawn, unless a topic says otherwise.
RECORDS_PLANNED, RANGE = 40, (11, 30)


@dataclass(frozen=True)
class Prefilled:
    """What the workbook holds before anybody has written into it.

    Attributes
    ----------
    plan : mapping of str to object
        Entries of the plan by name.
    conditions : tuple of str
        ``"A"`` or ``"B"`` for each record of a design by turns whose order was drawn.
    records : pandas.DataFrame or None
        Records that were kept elsewhere.
    """

    plan: Mapping[str, object]
    conditions: tuple[str, ...] = ()
    records: pd.DataFrame | None = None


def write_workbook(
    path: str | Path,
    language: str | None = None,
    topic: str | Topic | None = None,
    draw: bool | tuple[int, int] = False,
    seed: int | None = None,
    entries: Mapping[str, object] | None = None,
    records: pd.DataFrame | None = None,
) -> Path:
    """Write the workbook of a class study, to be filled in and read by `read_class_study`.

    It has lists to choose from and checks that work in Excel and WPS; no macros, no links, no formulas.

    Parameters
    ----------
    path
        The xlsx file, which must not exist yet, or a folder that is there.
    language
        ``"zh"`` or ``"en"``; the language now spoken unless given.
    topic
        Fills in the plan: a key of `topics`, or its name in either language.
    draw
        True draws the start within the topic's range (11 to 30 without a topic) and writes it into the plan with
        today's date; a pair draws it within that range. For a topic by turns the order is drawn, in pairs.
    seed
        Makes the draw repeatable.
    entries
        What the plan says already, by the names of its entries (``school``, ``class_name``, ``consent``,
        ``start_record``, ``decided_on`` and so on); goes before what topic and draw would write.
    records
        Records that were kept elsewhere: a row each with ``date`` and ``value``, perhaps ``as_planned``,
        ``second_value``, ``remark`` and ``phase`` (``"A"`` or ``"B"``). What is missing is written as missing.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ArgumentError
        If there is no such topic, language, range, entry or column, or the file exists already.

    Examples
    --------
    >>> import tempfile
    >>> write_workbook(tempfile.mkdtemp(), language="en", topic="lateness").name
    'my-class-study.xlsx'
    """
    from htresearch.language import LANGUAGES, current, speaking

    spoken = language or current()
    checks.require(
        checks.one_of("language", spoken, LANGUAGES),
        path_fault(path),
        _seed_fault(seed),
        *entered.entries_faults(entries),
        *entered.records_faults(records),
    )
    path = Path(path)
    if path.is_dir():
        path = path / (FILE_NAME.zh if spoken == "zh" else FILE_NAME.en)
    chosen = None if topic is None else find_topic(topic)
    design = "AB" if chosen is None else chosen.design
    checks.require(_writable(path), _range_fault(draw, design))
    with speaking(spoken):
        plan, conditions = _prefilled(chosen, design, draw, seed)
        prefilled = Prefilled(plan | entered.worded(entries or {}), conditions, records)
        return write_file(path, _book(chosen, prefilled))


def draw_start(earliest: int, latest: int, seed: int | None = None) -> int:
    """Draw the record with which the change begins, each from `earliest` to `latest` being as likely.

    Examples
    --------
    >>> 11 <= draw_start(11, 30) <= 30
    True
    """
    checks.require(_range_fault((earliest, latest), "AB"), _seed_fault(seed))
    return int(np.random.default_rng(seed).integers(earliest, latest + 1))


def _writable(path: Path) -> Fault | None:
    if path.suffix.lower() != ".xlsx":
        rule, fix = (
            Text("班级研究的表是 .xlsx 文件", "the form is an .xlsx file"),
            Text("请改扩展名", "Change the ending"),
        )
    elif path.exists():
        rule = Text("已经存在，可能有人填过", "is there already and may have been filled in")
        fix = Text("请换一个文件名，或先移走它", "Choose another name, or move it away first")
    elif not path.parent.is_dir():
        rule, fix = Text("文件夹不存在", "there is no such folder"), Text("请先建立", "Make it first")
    else:
        return None
    return Fault(checks.argument("path"), rule, fix, str(path))


def _seed_fault(seed: object) -> Fault | None:
    return None if seed is None else checks.integer("seed", seed, at_least=0)


def _range_fault(draw: object, design: str) -> Fault | None:
    if isinstance(draw, bool):
        return None
    pair = isinstance(draw, tuple | list) and len(draw) == 2 and all(isinstance(bound, Integral) for bound in draw)
    if design == "alternating":
        rule = Text("两种做法轮流时抽的是先后，没有范围", "with conditions by turns the order is drawn, not a range")
        return Fault(checks.argument("draw"), rule, Text("请写 draw=True", "Give draw=True"), draw)
    if pair and 2 <= draw[0] < draw[1] <= sheets.PREPARED:
        return None
    rule = Text("不是抽签的范围", "is no range of a lot")
    fix = Text(
        f"请给最早和最晚的记录，如 (11, 30)：从 2 起，不超过 {sheets.PREPARED}",
        f"Give the earliest and the latest record such as (11, 30), from 2 to {sheets.PREPARED}",
    )
    return Fault(checks.argument("draw"), rule, fix, draw if pair else str(draw)[:40])


def _prefilled(
    topic: Topic | None, design: str, draw: bool | tuple[int, int], seed: int | None
) -> tuple[dict[str, object], tuple[str, ...]]:
    plan: dict[str, object] = {"school": None}
    if topic is not None:
        for name in ("question", "watched", "counting", "unit", "before", "after", "success"):
            plan[name] = str(getattr(topic, name))
        for name in ("scale", "improvement", "design"):
            plan[name] = _label(name, getattr(topic, name))
        plan["out_of"] = topic.out_of
    if draw is False:
        return plan, ()
    plan |= {"start": _label("start", "drawn"), "drawn_on": date.today()}
    if design == "alternating":
        return plan, _order(topic.records, seed)
    ours = (topic.earliest, topic.latest) if topic is not None else RANGE
    earliest, latest = ours if draw is True else draw
    plan |= {"earliest": earliest, "latest": latest, "start_record": draw_start(earliest, latest, seed)}
    return plan, ()


def _order(records: int, seed: int | None) -> tuple[str, ...]:
    """Draw the order of two conditions within every two records."""
    first = np.random.default_rng(seed).integers(0, 2, size=-(-records // 2))
    return tuple(phase for drawn in first for phase in ("AB", "BA")[drawn])[:records]


def _label(entry: str, value: str) -> str:
    return str(next(choice.label for choice in ENTRIES[entry].choices if choice.value == value))


def _book(topic: Topic | None, prefilled: Prefilled) -> bytes:
    import xlsxwriter

    content = io.BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, plain) as book:
        book.set_properties({"title": str(guide.TITLE), "comments": "htresearch"})
        book.set_size(1600, 1100)
        formats = sheets.formats(book)
        how, plan, records, example = (book.add_worksheet(str(name)) for name in SHEETS)
        sheets.write_guide(how, guide.sections(topic), formats)
        sheets.write_plan(plan, prefilled.plan, secrets.token_hex(6), formats)
        unit = None if topic is None else topic.unit
        sheets.write_records(book, records, unit, prefilled.conditions, formats)
        if prefilled.records is not None:
            entered.write_entered(records, prefilled.records, formats)
        sheets.write_example(book, example, formats)
        for sheet, colour in zip((how, plan, records, example), sheets.TABS, strict=True):
            sheet.set_tab_color(colour)
            sheet.set_paper(9)
            sheet.set_margins(0.5, 0.5, 0.55, 0.6)
            sheet.fit_to_pages(1, 0 if sheet is records else 1)
            sheet.center_horizontally()
            sheet.set_footer("&C&8&A · &P / &N")
            sheet.hide_gridlines(2)
        plan.activate() if topic is not None else how.activate()
    return content.getvalue()
