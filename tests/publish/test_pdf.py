"""PDFs: one font, no clock, no missing glyph."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from htresearch.errors import ArgumentError
from htresearch.publish import compile_pdf
from htresearch.publish.pdf import missing_glyphs, printable

TEMPLATE = """#import "style.typ": *
#let data = json("data.json")
#show: page_style.with(data)
= #data.title
#data.said
"""
DATA = {"language": "zh", "title": "班级研究", "said": "记录“人数”与 mean，共 45 人。"}


def test_words_can_be_read_out_of_it_again():
    reader = PdfReader(BytesIO(compile_pdf(TEMPLATE, DATA)))
    text = "".join(reader.pages[0].extract_text().split())
    assert "班级研究" in text
    assert "记录“人数”与mean，共45人。" in text
    assert reader.metadata.title == "班级研究"
    assert {str(font["/BaseFont"]).partition("+")[2] for font in fonts(reader)} == {"NotoSansSC-Regular"}


def fonts(reader):
    return [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]


def test_the_same_content_gives_the_same_bytes_and_no_date():
    first = compile_pdf(TEMPLATE, DATA)
    assert first == compile_pdf(TEMPLATE, DATA)
    assert PdfReader(BytesIO(first)).metadata.creation_date is None


def test_it_says_of_itself_that_it_is_accessible():
    content = compile_pdf(TEMPLATE, DATA)
    assert PdfReader(BytesIO(content)).trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" in content


def test_a_character_that_the_font_lacks_is_refused(in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        compile_pdf(TEMPLATE, DATA | {"said": "很好𓀀", "rows": [["ᚠ"]]})
    for said in in_both_languages(caught.value):
        assert "𓀀 (U+13000)" in said
        assert "ᚠ (U+16A0)" in said


def test_a_template_that_does_not_fit_its_data_is_refused():
    with pytest.raises(ArgumentError, match="Typst"):
        compile_pdf(TEMPLATE + "#data.missing", DATA)


def test_marks_without_a_shape_are_not_missing():
    assert missing_glyphs(["a\u200bb\ufe0f", ("换行\n",)]) == []
    assert printable("好𓀀的") == "好〓的"
