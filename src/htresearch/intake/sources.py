"""Which source a file is of, and its columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from htresearch.checks import suggestion
from htresearch.errors import Fault, IntakeError
from htresearch.instruments import Instrument
from htresearch.intake import kinds, labelled, spreadsheet, tencent, wenjuanxing
from htresearch.intake.export import Export, Layout, lay_out, signs
from htresearch.intake.targets import target_names, target_words
from htresearch.intake.workbook import Sheet, Workbook, open_table
from htresearch.language import Text, listing

SOURCES = ("wenjuanxing", "tencent", "sav", "dta", "csv", "xlsx")
_PLATFORMS = {"wenjuanxing": wenjuanxing.LAYOUT, "tencent": tencent.LAYOUT}


def open_export(
    path: str | Path, instrument: Instrument, source: str | None = None, sheet: str | None = None
) -> Export:
    """Open a file of answers.

    Parameters
    ----------
    path
        The file.
    instrument
        The form it should hold answers to: tells a plain table of answers from other sheets.
    source
        One of `SOURCES`; None finds it from the file.
    sheet
        The name of the sheet, where a workbook has several that could be meant.

    Raises
    ------
    IntakeError
        If the file cannot be read, is not of that source, or holds no or several tables of answers.
    """
    path = Path(path)
    found = labelled.kind(kinds.start(path))
    if (found or source in ("sav", "dta")) and source not in (None, found):
        raise IntakeError(_other_kind(path, source, found))
    if found:
        return labelled.read(path, found)
    book = open_table(path)
    plain = "csv" if book.encoding else "xlsx"
    if source in ("csv", "xlsx") and source != plain:
        raise IntakeError(_other_kind(path, source, plain))
    names = target_names(instrument)
    known = _known(names, target_words(instrument))
    table = replace(
        spreadsheet.LAYOUT, source=plain, facts={k: v for k, v in spreadsheet.LAYOUT.facts.items() if k not in names}
    )
    chosen, layout = _choose(book, source, sheet, table, known)
    return lay_out(book, chosen, layout, known if layout is table else lambda _: False)


def _known(names: frozenset[str], worded: frozenset[str]) -> Callable[[object], bool]:
    from htresearch.intake.export import heading

    return lambda header: header in names or (isinstance(header, str) and heading(header).words in worded)


def _choose(
    book: Workbook, source: str | None, sheet: str | None, table: Layout, known: Callable[[object], bool]
) -> tuple[Sheet, Layout]:
    filled = [s for s in book.sheets if s.rows]
    sheets = [s for s in filled if not s.hidden]
    if filled and not sheets and sheet is None:
        raise IntakeError(_hidden(book, filled))
    if sheet is not None:
        sheets = [s for s in book.sheets if s.name == sheet]
        if not sheets:
            raise IntakeError(_no_sheet(book, sheet))
    layouts = [_PLATFORMS[source]] if source in _PLATFORMS else [table] if source else [*_PLATFORMS.values()]
    best = [(s, max(layouts, key=lambda layout, s=s: signs(s.rows, layout))) for s in sheets]
    fitting = [(s, layout) for s, layout in best if signs(s.rows, layout)]
    if not fitting and source not in _PLATFORMS:
        fitting = [(s, table) for s in sheets if _names_items(s, known)]
    if not fitting and len(sheets) == 1:
        return sheets[0], layouts[0] if source else table
    if len(fitting) != 1:
        raise IntakeError(_which_sheet(book, sheets, fitting))
    return fitting[0]


def _names_items(sheet: Sheet, known: Callable[[object], bool]) -> bool:
    return any(known(v) for row in sheet.rows[:20] for v in row)


def _other_kind(path: Path, source: str, found: str | None) -> Fault:
    said = Text("不是 .{source} 文件", "is no .{source} file").format(source=source)
    if found is not None:
        said = Text("是 {found} 文件，不是 {source}", "is a {found} file, not {source}").format(
            found=found, source=source
        )
    return Fault(
        path.name,
        said,
        Text("请改 source，或省去它（由文件判断）", "Change source, or leave it out: the file tells"),
        source,
    )


def _no_sheet(book: Workbook, sheet: str) -> Fault:
    names = [s.name for s in book.sheets]
    return Fault(
        book.path.name,
        Text("没有这张工作表", "has no such sheet"),
        suggestion(sheet, names) or Text("有：{all}", "It has: {all}").format(all=listing(names)),
        sheet,
    )


def _hidden(book: Workbook, sheets: list[Sheet]) -> Fault:
    return Fault(
        book.path.name,
        Text("有内容的工作表都隐藏了", "all sheets that hold anything are hidden"),
        Text("请取消隐藏，或用 sheet 指明一张：{all}", "Unhide one, or name it with `sheet`: {all}").format(
            all=listing([s.name for s in sheets])
        ),
    )


def _which_sheet(book: Workbook, sheets: list[Sheet], fitting: list) -> Fault:
    if not sheets:
        return Fault(
            book.path.name,
            Text("工作表都是空的", "its sheets are empty"),
            Text("请重新导出", "Export it again"),
        )
    if not fitting:
        return Fault(
            book.path.name,
            Text("没有一张工作表像这份问卷的答卷", "no sheet looks like answers to this instrument"),
            Text("有：{all}。请用 sheet 指明", "It has: {all}. Name one with `sheet`").format(
                all=listing([s.name for s in sheets])
            ),
        )
    return Fault(
        book.path.name,
        Text("有 {n} 张工作表都像答卷：{all}", "{n} sheets look like answers: {all}").format(
            n=len(fitting), all=listing([s.name for s, _ in fitting])
        ),
        Text("请用 sheet 指明一张，逐张接收", "Take them in one by one, each named with `sheet`"),
    )
