"""What a workbook spans is found however it is written: the reader would take the memory, and the program with it."""

import io
import re
import struct
import zipfile

import pytest
import xlsxwriter

from htresearch.errors import IntakeError
from htresearch.intake import open_table, package

from .school.legacy import write_xls

SHEET, RELATIONS = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"
FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
ROWS = {
    "the cell alone says so": b'<row r="3"><c r="XFD1048576"><v>1</v></c></row>',
    "columns that no sheet has": b'<row r="3"><c r="ZZZZZZ3"><v>1</v></c></row>',
    "rows that no sheet has": b'<row r="3"><c r="A4000000000"><v>1</v></c></row>',
    "other quotation marks": FAR.replace(b'"', b"'"),
    "line breaks": FAR.replace(b" r=", b"\nr="),
    "no space before it": b'<row r="3"><c t="n"r="XFD1048576"><v>1</v></c></row>',
    "spaces": FAR.replace(b"=", b" = "),
    "small letters": FAR.replace(b"XFD", b"xfd"),
    "character references": FAR.replace(b"XFD", b"&#88;FD"),
    "a name space": FAR.replace(b"<", b"<x:").replace(b"<x:/", b"</x:"),
    "a bracket before it": b'<row r="3"><c x=">" r="XFD1048576"><v>1</v></c></row>',
    "spaces without end": b"<row r='3'><c " + b" " * 9_000_000 + b"r='XFD1048576'><v>1</v></c></row>",
    "cells that do not say where they are": b"<row>" + b"<c><v>1</v></c>" * 30_000 + b"</row>" + b"<row/>" * 1000,
}


def write(path, rows=b"", moved_to=SHEET):
    """Write a workbook with more rows, its sheet perhaps elsewhere in the package."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.add_worksheet().write_column(0, 0, ["班级", "三(1)班"])
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == SHEET:
                part = re.sub(b"<worksheet ", b'<worksheet xmlns:x="http://x" ', part)
                name, part = moved_to, part.replace(b"</sheetData>", rows + b"</sheetData>")
            if name == RELATIONS:
                part = part.replace(b"worksheets/sheet1.xml", f"/{moved_to}".encode())
            new.writestr(name, part)
    return path


@pytest.mark.parametrize("way", ROWS)
def test_a_far_cell_is_found_however_it_is_written(tmp_path, way):
    with pytest.raises(IntakeError, match=r"超过一次能读的|损坏"):
        open_table(write(tmp_path / "a.xlsx", ROWS[way]))


@pytest.mark.parametrize("where", ["xl/mine/s.dat", "mine/s.xml", "xl/media/s.png", "xl/mine/sharedStrings.xml"])
def test_a_sheet_is_looked_into_wherever_it_lies(tmp_path, where):
    with pytest.raises(IntakeError, match=r"超过一次能读的|损坏"):
        open_table(write(tmp_path / "a.xlsx", FAR, where))


def test_what_is_like_a_place_in_a_text_is_none(tmp_path):
    text = '<row r="3"><c r="A3" t="inlineStr"><is><t>相关系数 r = 0.5，r="A5"</t></is></c></row>'
    assert open_table(write(tmp_path / "a.xlsx", text.encode())).sheets[0].rows[2] == ['相关系数 r = 0.5，r="A5"']


def test_an_old_workbook_is_tried_out_in_a_process_of_its_own(tmp_path):
    path = write_xls(tmp_path / "a.xls", {"名单": [["班级"], [2]]})
    assert open_table(path).sheets[0].rows == [["班级"], [2]]
    cell = struct.pack("<HHHd", 1, 0, 0, 2)
    path.write_bytes(path.read_bytes().replace(cell, struct.pack("<HHHd", 65535, 65535, 0, 2)))
    with pytest.raises(IntakeError, match="损坏"):
        open_table(path)


def test_a_binary_workbook_is_told_to_be_saved_as_another(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsb", "w") as package:
        package.writestr("xl/worksheets/sheet1.bin", b"x")
    with pytest.raises(IntakeError, match="xlsb"):
        open_table(tmp_path / "a.xlsb")


USUAL = (
    b'<row r="2" spans="1:3"><c r="A2" t="s"><v>0</v></c><c r="AB2"/></row>'
    b'<row r="1048576"><c r="XFD1048576" s="1"><f>'
)
STRANGE = [
    b"<c r='A2'>",
    b'<c\nr="A2">',
    b'<x:c r="A2">',
    b'<c s="1" r="A2">',
    b'<c r="A2" r="ZZ99">',
    b'<c r="A2" r ="ZZ99">',
    b'<c r="A2"\tr="ZZ99">',
    b'<c r="A2"\nr\t="ZZ99">',
    b'<c t="n"r="ZZ99">',
    b"<x:f/>",
    b'<c r="ab2">',
    b'<c r="AAAA2">',
    b'<c r="A12345678">',
    b'<c r="2">',
    b'<c r="A">',
    b'<c r="A2 ">',
    b"<c/>",
    b"<c>",
    b'<row s="1" r="9">',
    b"<row>",
    b'<t:c r="ZZ99">',
    b'<C r="ZZ99">',
]


def test_what_is_written_as_usual_is_measured_by_its_bytes():
    assert package._as_usual(USUAL) == (2, 1_048_576, 16_384, True)
    assert package._as_usual(USUAL[:-3]) == (2, 1_048_576, 16_384, False)
    assert package._as_usual(b"") == (0, 0, 0, False)


@pytest.mark.parametrize("tag", STRANGE)
def test_what_is_written_otherwise_is_looked_at_closely(tag):
    assert package._as_usual(USUAL + tag) is None
    assert package._as_usual(tag + USUAL) is None
