"""The report for Word and WPS, to be filed and written in: real headings, real tables, Chinese fonts by name."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

from htresearch.publish.class_report.contents import Report, Section, Table

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

#: Western and Chinese fonts by what they are for; Windows and WPS have the Chinese ones.
_TEXT, _HEADING = ("Times New Roman", "宋体"), ("Arial", "微软雅黑")
_INK, _SOFT, _ACCENT, _LINE = "1C2024", "545C64", "0B5A8A", "9AA3AB"
#: Into how many columns side by side the records are set at most.
_BESIDE = 4
_WIDTH = 17.4  # of the text, in cm
#: Every file of the archive bears this day, so that the same report gives the same bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def to_word(report: Report) -> bytes:
    """Return the report as a Word file."""
    import docx

    document = docx.Document()
    _set_page(document)
    _set_styles(document, report.language)
    _set_properties(document, report)
    _page_one(document, report)
    _page_two(document, report)
    buffer = BytesIO()
    document.save(buffer)
    return _timeless(buffer.getvalue())


def _page_one(document: Document, report: Report) -> None:
    line = document.add_paragraph(style="Small")
    line.add_run(" · ".join(part for part in (report.kind, report.place) if part))
    stamp = line.add_run(f"\t{report.stamp}")
    _colour(stamp, _ACCENT)
    _right_tab(line)
    document.add_heading(report.title, level=1)
    if report.question:
        document.add_paragraph(report.question, style="Question")
    if report.plan:
        _plan(document, report.plan)
    if report.picture:
        _picture(document, report)
    document.add_heading(report.sentences_title, level=2)
    for sentence in report.sentences:
        document.add_paragraph(sentence, style="Sentence")


def _page_two(document: Document, report: Report) -> None:
    heading = document.add_heading(report.numbers_title, level=2)
    heading.paragraph_format.page_break_before = True
    for table in report.tables:
        _table(document, table, [4.6, *[2.56] * 5] if len(table.head) > 4 else [4.6, 1.8, 3.2, 7.8])
        document.add_paragraph(style="Gap")
    if report.remarks:
        document.add_paragraph(report.remarks, style="Small")
    _columns(document, 2)
    for section in report.sections:
        _section(document, section)
    _columns(document, 1)
    if report.records.rows:
        document.add_heading(report.records.title, level=2)
        _records(document, report.records)
    if report.records_note:
        document.add_paragraph(report.records_note, style="Small").paragraph_format.space_before = _pt(4)


def _section(document: Document, section: Section) -> None:
    document.add_heading(section.title, level=2)
    for point in section.points:
        document.add_paragraph(point, style="List Bullet")


def _columns(document: Document, number: int) -> None:
    """Go on in so many columns on the same page."""
    from docx.enum.section import WD_SECTION
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = document.add_section(WD_SECTION.CONTINUOUS)._sectPr
    for old in properties.findall(qn("w:cols")):
        properties.remove(old)
    columns = OxmlElement("w:cols")
    columns.set(qn("w:num"), str(number))
    columns.set(qn("w:space"), "400")
    properties.insert_element_before(columns, "w:docGrid")


# --- tables ---------------------------------------------------------------------------------------------------------


def _plan(document: Document, entries: tuple[tuple[str, str], ...]) -> None:
    longest = max(sum(1 if ord(mark) > 0x2E7F else 0.55 for mark in name) for name, _ in entries)
    first = min(max(0.34 * longest + 0.6, 1.9), 4.0)
    table, cells = _grid(document, len(entries), [first, _WIDTH - first])
    for (name, what), (left, right) in zip(entries, cells, strict=True):
        _write(left, name, colour=_SOFT)
        _write(right, what)
    _rules(table, inner=False)


def _table(document: Document, content: Table, widths: list[float], style: str = "Cell") -> None:
    table, cells = _grid(document, 1 + len(content.rows), widths)
    for line, (row, texts) in enumerate(zip(cells, (content.head, *content.rows), strict=True)):
        for place, (cell, text) in enumerate(zip(row, texts, strict=True)):
            _write(cell, text, style, bold=not line, right=place in content.numeric)
    _repeated(table.rows[0])
    _rules(table)


def _records(document: Document, content: Table) -> None:
    """Set records in columns side by side, so that they take a third of a page."""
    rows, each = content.rows, len(content.head)
    beside = max(min(_BESIDE if each < 6 else _BESIDE - 1, -(-len(rows) // 5)), 2)
    tall = -(-len(rows) // beside)
    blocks = [rows[start : start + tall] for start in range(0, len(rows), tall)]
    empty = ("",) * each

    def line(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(cell for part in parts for cell in (*part, ""))[:-1]  # an empty column between blocks

    lines = tuple(line([block[i] if i < len(block) else empty for block in blocks]) for i in range(tall))
    head = line([content.head] * len(blocks))
    numeric = tuple(place for place in range(len(head)) if place % (each + 1) in content.numeric)
    weights = [max(1.0, 0.55 * len(name) if name.isascii() else len(name) * 0.72) for name in content.head]
    shares = [*([*weights, 0.5] * len(blocks))][:-1]
    whole = sum([*weights, 0.5] * beside) - 0.5
    folded = Table("", head, lines, numeric)
    _table(document, folded, [_WIDTH * share / whole for share in shares], style="Tiny")


def _grid(document: Document, rows: int, widths: list[float]) -> tuple[object, list[list[_Cell]]]:
    """Add an empty table; return it and its cells row by row."""
    from docx.shared import Cm
    from docx.table import _Cell

    table = document.add_table(rows=rows, cols=len(widths))
    table.autofit = False
    for column, width in zip(table._tbl.tblGrid.gridCol_lst, widths, strict=True):
        column.w = Cm(width)
    cells = [[_Cell(each, table) for each in row.tc_lst] for row in table._tbl.tr_lst]
    for row in cells:
        for cell, width in zip(row, widths, strict=True):
            cell.width = Cm(width)
    return table, cells


def _write(
    cell: _Cell, text: str, style: str = "Cell", colour: str = "", bold: bool = False, right: bool = False
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = cell.paragraphs[0]
    paragraph._p.style = style  # by its id; python-docx would search all styles for each cell
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = paragraph.add_run(text)
    if bold:
        run.bold = True
    if colour:
        _colour(run, colour)


def _rules(table, inner: bool = True) -> None:
    """Draw lines above, below and, finer, between rows; none upright."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    borders = OxmlElement("w:tblBorders")
    for side, size, colour in (("top", 8, _INK), ("bottom", 8, _INK), ("insideH", 2, _LINE)):
        if side == "insideH" and not inner:
            continue
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", str(size if inner else 4)), ("space", "0"), ("color", colour)):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    table._tbl.tblPr.append(borders)


def _repeated(row) -> None:
    """Mark a row as the head of its table: it is repeated on the next page, and read out as such."""
    from docx.oxml import OxmlElement

    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


# --- picture --------------------------------------------------------------------------------------------------------


def _picture(document: Document, report: Report) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    paragraph = document.add_paragraph(style="Figure")
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    shown = paragraph.add_run().add_picture(BytesIO(report.picture.png), width=Cm(16.4))
    for described in (shown._inline.docPr, shown._inline.graphic.graphicData.pic.nvPicPr.cNvPr):
        described.set("descr", report.picture.alt)
        described.set("name", report.title[:60])
    document.add_paragraph(report.caption, style="Caption")


# --- page and styles ------------------------------------------------------------------------------------------------


def _set_page(document: Document) -> None:
    from docx.shared import Cm

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.8)
    section.top_margin, section.bottom_margin = Cm(1.4), Cm(1.5)
    section.header_distance, section.footer_distance = Cm(0.8), Cm(0.7)


def _set_styles(document: Document, language: str) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Cm

    styles = document.styles
    _style(styles["Normal"], 10.5, _TEXT, before=0, after=3, line=1.15)
    _language(styles["Normal"], language)
    _style(styles["Heading 1"], 20, _HEADING, _INK, before=2, after=5, bold=True)
    _style(styles["Heading 2"], 11.5, _HEADING, _ACCENT, before=6, after=3, bold=True)
    _style(styles["List Bullet"], 9, _TEXT, after=1, line=1.05)
    _style(styles["Caption"], 8.5, _TEXT, _SOFT, after=4, bold=False)
    own = {
        "Question": (11.5, _TEXT, _INK, 0, 6),
        "Sentence": (11.5, _TEXT, _INK, 0, 5),
        "Figure": (10, _TEXT, _INK, 6, 2),
        "Small": (9, _TEXT, _SOFT, 0, 2),
        "Cell": (9.5, _TEXT, _INK, 1, 1),
        "Tiny": (7.5, _TEXT, _INK, 0, 0),
        "Gap": (4, _TEXT, _INK, 0, 0),
    }
    for name, (size, fonts, colour, before, after) in own.items():
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
        _style(style, size, fonts, colour, before, after, 1.0 if name in ("Cell", "Tiny", "Gap") else 1.2)
    for name in ("Question", "Sentence"):
        styles[name].paragraph_format.left_indent = Cm(0.3)
        _bar(styles[name], _ACCENT if name == "Question" else "D5DADE")
    points = styles["List Bullet"].paragraph_format
    points.left_indent, points.first_line_indent = Cm(0.5), Cm(-0.5)


def _style(
    style,
    size: float,
    fonts: tuple[str, str],
    colour: str = _INK,
    before: float = 0,
    after: float = 0,
    line: float = 1.0,
    bold: bool | None = None,
) -> None:
    from docx.oxml.ns import qn
    from docx.shared import RGBColor

    style.font.size = _pt(size)
    style.font.color.rgb = RGBColor.from_string(colour)
    style.font.bold = bold
    style.font.name = fonts[0]
    found = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(found.attrib):  # a font by theme would win over a font by name
        if name.endswith("Theme"):
            del found.attrib[name]
    for name, font in (("ascii", fonts[0]), ("hAnsi", fonts[0]), ("cs", fonts[0]), ("eastAsia", fonts[1])):
        found.set(qn(f"w:{name}"), font)
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = _pt(before), _pt(after), line


def _language(style, language: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    spoken = OxmlElement("w:lang")
    spoken.set(qn("w:val"), "en-US" if language == "zh" else "en-GB")
    spoken.set(qn("w:eastAsia"), "zh-CN")
    properties = style.element.get_or_add_rPr()
    for old in properties.findall(qn("w:lang")):
        properties.remove(old)
    properties.append(spoken)


def _bar(style, colour: str) -> None:
    """Draw an upright line at the left of a paragraph."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    borders, line = OxmlElement("w:pBdr"), OxmlElement("w:left")
    for name, value in (("val", "single"), ("sz", "18"), ("space", "6"), ("color", colour)):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    style.element.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl"
    )


def _right_tab(paragraph: Paragraph) -> None:
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Cm

    paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(_WIDTH), WD_TAB_ALIGNMENT.RIGHT)


def _colour(run, colour: str) -> None:
    from docx.shared import RGBColor

    run.font.color.rgb = RGBColor.from_string(colour)


def _pt(points: float):
    from docx.shared import Pt

    return Pt(points)


def _set_properties(document: Document, report: Report) -> None:
    """Say what the file is, and nothing of who or when."""
    from datetime import datetime

    core = document.core_properties
    core.title, core.subject, core.keywords = report.title, report.kind, report.stamp
    core.author = core.last_modified_by = "htresearch"
    core.comments = ""
    core.language = "zh-CN" if report.language == "zh" else "en-GB"
    core.created = core.modified = datetime(2000, 1, 1)
    core.revision = 1
    footer = document.sections[0].footer.paragraphs[0]
    footer.style = document.styles["Small"]
    footer.add_run(f"{report.foot}\t")
    _right_tab(footer)
    _page_number(footer)


def _page_number(paragraph: Paragraph) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _timeless(content: bytes) -> bytes:
    """Return an archive with the same files and no times."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, _NO_TIME), old.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
