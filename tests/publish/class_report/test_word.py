"""The Word file: real headings and tables, a picture with words, Chinese fonts by name; LibreOffice opens it."""

import shutil
import subprocess
import zipfile
from io import BytesIO

import docx
import pytest
from docx.oxml.ns import qn
from made_up_studies import usual
from pypdf import PdfReader

from htresearch import language
from htresearch.publish.class_report.compose import compose
from htresearch.publish.class_report.word import to_word


@pytest.fixture(scope="module", params=language.LANGUAGES)
def written(request):
    with language.speaking(request.param):
        report = compose(usual())
    return report, to_word(report)


def test_headings_tables_and_sentences_are_real_ones(written):
    report, content = written
    document = docx.Document(BytesIO(content))
    headings = [p.text for p in document.paragraphs if p.style.name.startswith("Heading")]
    assert headings[0] == report.title
    assert [s.title for s in report.sections] == headings[3:-1]
    said = [p.text for p in document.paragraphs]
    assert all(sentence in said for sentence in report.sentences)
    plan, levels, comparison, records = document.tables
    assert [cell.text for cell in levels.rows[0].cells] == list(report.tables[0].head)
    assert [cell.text for cell in comparison.rows[1].cells] == list(report.tables[1].rows[0])
    assert len(plan.rows) == len(report.plan)
    cells = {cell.text for row in records.rows for cell in row.cells}
    assert {row[0] for row in report.records.rows} <= cells
    for table in (levels, comparison, records):
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None


def test_the_picture_has_words_that_stand_for_it(written):
    report, content = written
    (shape,) = docx.Document(BytesIO(content)).inline_shapes
    assert shape._inline.docPr.get("descr") == report.picture.alt
    with zipfile.ZipFile(BytesIO(content)) as archive:
        pictures = [archive.read(name) for name in archive.namelist() if name.startswith("word/media/")]
    assert pictures == [report.picture.png]


def test_chinese_fonts_are_named_and_no_theme_overrides_them(written):
    styles = docx.Document(BytesIO(written[1])).styles
    for name, font in (
        ("Normal", "宋体"),
        ("Heading 1", "微软雅黑"),
        ("Heading 2", "微软雅黑"),
        ("Sentence", "宋体"),
    ):
        fonts = styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) == font
        assert not [key for key in fonts.attrib if key.endswith("Theme")]


def test_nobody_and_no_time_is_named_in_it(written):
    report, content = written
    core = docx.Document(BytesIO(content)).core_properties
    assert (core.author, core.last_modified_by, core.title) == ("htresearch", "htresearch", report.title)
    assert content == to_word(report)


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice (soffice) is not installed")
def test_libreoffice_opens_it_on_two_pages_with_picture_and_tables(written, tmp_path):
    report, content = written
    (tmp_path / "report.docx").write_bytes(content)
    home = f"-env:UserInstallation=file://{tmp_path / 'home'}"
    command = [
        "soffice",
        home,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(tmp_path),
        str(tmp_path / "report.docx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    first, second = PdfReader(tmp_path / "report.pdf").pages
    assert len(first.images) == 1
    text = "".join((first.extract_text() + second.extract_text()).split())
    assert "".join(report.tables[1].rows[0][0].split()) in text
    assert "".join(report.sentences[0].split())[:20] in text
