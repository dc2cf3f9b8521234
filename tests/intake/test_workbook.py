"""What a file holds is read, and what it would cost is known before."""

import io
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch.errors import IntakeError
from htresearch.intake import limits, open_table
from htresearch.intake.workbook import cell, column_name


def book(path, **sheets):
    """Write a workbook; a sheet is rows of values, or a function that writes it."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as made:
        for name, content in sheets.items():
            sheet = made.add_worksheet(name)
            if callable(content):
                content(sheet, made)
                continue
            for i, row in enumerate(content):
                for j, value in enumerate(row):
                    if value is not None:
                        sheet.write(i, j, value)
    return path


def package(path, parts):
    """Write a zip archive of these parts into the frame of a workbook."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def changed(source, path, part, change):
    """Copy a workbook with one part changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == part else content)
    return path


def refusal(path, in_both_languages):
    with pytest.raises(IntakeError) as caught:
        open_table(path)
    return in_both_languages(caught.value)


# ---- what is read -----------------------------------------------------------------------------------------------


def test_cells_are_what_was_saved(tmp_path):
    def write(sheet, made):
        sheet.write_row(1, 1, ["三年级", 3, 2.5, True])
        sheet.write_datetime(2, 1, datetime(2024, 9, 1))
        sheet.write_datetime(2, 2, datetime(2024, 9, 1, 8, 30), made.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_formula(2, 3, "=1+1", None, 5)

    sheet = open_table(book(tmp_path / "a.xlsx", 一=write)).sheets[0]
    assert sheet.name == "一" and not sheet.hidden
    assert sheet.rows[0] == [None] * 5
    assert sheet.rows[1] == [None, "三年级", 3, 2.5, True]
    assert isinstance(sheet.rows[1][2], int)
    # The saved value of a formula, not what it would come to.
    assert sheet.rows[2] == [None, date(2024, 9, 1), datetime(2024, 9, 1, 8, 30), 5, None]


@pytest.mark.parametrize("cell", ["<f>A2+1</f>", "<f>A2+1</f><v></v>", '<f t="shared" si="0"/><v/>'])
def test_a_formula_saved_without_its_result_is_known(tmp_path, cell):
    """As programs write it that cannot calculate; an empty text is a result."""
    source = book(tmp_path / "a.xlsx", 一=[["x", 1, 7], ["y", 2, 8]])
    sheet = changed(
        source,
        tmp_path / "b.xlsx",
        "xl/worksheets/sheet1.xml",
        lambda part: part.replace(b'<c r="B2"><v>2</v>', f'<c r="B2">{cell}'.encode()).replace(
            b'<c r="C1"><v>7</v>', b'<c r="C1" t="str"><f>""</f><v></v>'
        ),
    )
    (read,) = open_table(sheet).sheets
    assert (read.rows[1][1], read.errors) == (None, ("B2",))


def test_merged_cells_can_be_spread(tmp_path):
    def write(sheet, made):
        sheet.merge_range(0, 0, 1, 1, "语文")
        sheet.write(2, 1, 90)

    sheet = open_table(book(tmp_path / "a.xlsx", 成绩=write)).sheets[0]
    assert sheet.merged == (((0, 0), (1, 1)),)
    assert sheet.spread == [["语文", "语文"], ["语文", "语文"], [None, 90]]
    assert sheet.rows[1] == [None, None]


def test_hidden_sheets_are_marked_and_empty_rows_below_are_none(tmp_path):
    def hidden(sheet, made):
        sheet.write(0, 0, "x")
        sheet.write_blank(5, 0, None, made.add_format({"bold": True}))
        sheet.hide()

    sheets = open_table(book(tmp_path / "a.xlsx", 一=[[1]], 二=hidden)).sheets
    assert [sheet.hidden for sheet in sheets] == [False, True]
    assert sheets[1].rows == [["x"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_text_tables(tmp_path, encoding, mark):
    path = tmp_path / "a.csv"
    path.write_text(f'姓名{mark}班级{mark}备注\n甲{mark}（3）班{mark}"两\n行"\n\n', encoding=encoding)
    read = open_table(path)
    assert read.sheets[0].rows == [["姓名", "班级", "备注"], ["甲", "（3）班", "两\n行"]]
    assert read.encoding in (encoding, "utf-8-sig")


def test_text_that_was_kept_from_being_a_number_is_that_text(tmp_path):
    (tmp_path / "a.csv").write_text('班级,人数\r\n="0301","=""44"""\r\n=1+1,="a"&"b"\r\n\x1a', encoding="utf-8")
    rows = open_table(tmp_path / "a.csv").sheets[0].rows
    assert rows == [["班级", "人数"], ["0301", "44"], ["=1+1", '="a"&"b"']]


def test_a_file_is_known_by_what_it_holds(tmp_path):
    path = book(tmp_path / "a.xlsx", 一=[["x"]])
    assert open_table(path.rename(tmp_path / "a.csv")).sheets[0].rows == [["x"]]


def test_cells_have_their_names():
    assert [column_name(c) for c in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert cell(6, 2) == "C7"


def test_errors_of_formulas_are_told_from_empty_cells(tmp_path):
    def write(sheet, made):
        sheet.write_row(0, 0, ["班", "平均分"])
        sheet.write_formula(1, 1, "=A1/0", None, "#DIV/0!")
        sheet.write(2, 1, "#N/A 缺")

    sheet = open_table(book(tmp_path / "a.xlsx", 一=[["x"]], 二=write)).sheets[1]
    assert sheet.errors == ("B2",)


# ---- what is refused --------------------------------------------------------------------------------------------


def _sparse(path):
    def write(sheet, made):
        sheet.write(0, 0, 1)
        sheet.write(1048575, 16383, 1)

    return book(path, 一=write)


def _lying(path):
    """A few cells far away, in a sheet that says it is small."""
    source = _sparse(path.with_suffix(".tmp"))
    return changed(source, path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"A1:XFD1048576", b"A1:B2"))


def _bomb(path):
    return package(path, {"[Content_Types].xml": "x", "xl/worksheets/sheet1.xml": b"0" * 30_000_000})


def _one_long_text(path):
    rows = "".join(
        f'<row r="{i}">' + "".join('<c t="s"><v>0</v></c>' for _ in range(200)) + "</row>" for i in range(1, 2001)
    )
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    source = book(path.with_suffix(".tmp"), 一=[["x"]])
    with zipfile.ZipFile(source) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["xl/sharedStrings.xml"] = f"<sst {space}><si><t>{'长' * 30_000}</t></si></sst>"
    parts["xl/worksheets/sheet1.xml"] = f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>"
    return package(path, parts)


def _cut(path):
    whole = book(path.with_suffix(".tmp"), 一=[["x"] * 50] * 50).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


HOSTILE = {
    "sparse": (_sparse, "1,048,576", "1,048,576"),
    "lying": (_lying, "16,384", "16,384"),
    "bomb": (_bomb, "解压后过大", "unpack"),
    "one long text": (_one_long_text, "文字总量", "too much text"),
    "cut": (_cut, "损坏", "damaged"),
    "empty": (lambda path: (path.write_bytes(b"") and None) or path, "空的", "empty"),
    "web page": (lambda path: path.write_text("<html><table></table></html>") and path, "网页", "web page"),
    "no workbook": (lambda path: package(path, {"a.txt": "x"}), "压缩包", "archive"),
    "neither": (lambda path: path.write_bytes(b"\x81\x00\xff\xff" * 50) and path, "", ""),
    "old and damaged": (
        lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)) and path,
        "损坏",
        "damaged",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_before_they_cost_anything(kind, tmp_path, in_both_languages, monkeypatch):
    monkeypatch.setattr(limits, "MOST_BYTES", 20_000_000)
    make, zh, en = HOSTILE[kind]
    chinese, english = refusal(make(tmp_path / "a.xlsx"), in_both_languages)
    assert zh in chinese and en in english and "a.xlsx" in chinese


def test_wps_is_told_to_save_as_xlsx(tmp_path, in_both_languages):
    path = tmp_path / "名单.et"
    path.write_bytes(b"\xd0\xcf\x11\xe0")
    chinese, english = refusal(path, in_both_languages)
    assert "另存为 .xlsx" in chinese and "WPS" in english


def test_no_file(tmp_path, in_both_languages):
    chinese, _ = refusal(tmp_path / "无.xlsx", in_both_languages)
    assert "没有这个文件" in chinese


def test_unreadable_quotes_have_their_line(tmp_path, in_both_languages, monkeypatch):
    monkeypatch.setattr(limits, "MOST_CELLS", 3)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    chinese, _ = refusal(tmp_path / "a.csv", in_both_languages)
    assert "3 格" in chinese


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = book(tmp_path_factory.mktemp("sound") / "a.xlsx", 一=[["姓名", "分"], ["甲", 90], ["乙", 85.5]])
    return path.read_bytes()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.floats(0, 1), what=st.binary(min_size=1, max_size=40), cut=st.booleans())
def test_damaged_workbooks_are_read_or_refused(sound, tmp_path, at, what, cut):
    place = int(at * len(sound))
    content = sound[:place] + what + (b"" if cut else sound[place + len(what) :])
    (tmp_path / "a.xlsx").write_bytes(content)
    try:
        open_table(tmp_path / "a.xlsx")
    except IntakeError as error:
        assert error.faults and str(error)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(part=st.sampled_from(["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"]),
       at=st.floats(0, 1), what=st.binary(min_size=1, max_size=20))  # fmt: skip
def test_damaged_parts_are_read_or_refused(sound, tmp_path, part, at, what):
    with zipfile.ZipFile(io.BytesIO(sound)) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            place = int(at * len(content))
            new.writestr(name, content[:place] + what + content[place:] if name == part else content)
    try:
        open_table(tmp_path / "b.xlsx")
    except IntakeError as error:
        assert error.faults and str(error)
