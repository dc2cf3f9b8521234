"""Pages for print: everything that a page says is there, whatever HTML it came in."""

import base64
import re
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from htresearch.publish import Page, cells, page_pdf, render
from htresearch.publish.pdf.markup import Markup

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def read(body: str, language: str = "en") -> str:
    reader = PdfReader(BytesIO(page_pdf(Page("10_a", language, "T", "", body))))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def said(blocks) -> str:
    """All words of nested blocks."""
    if isinstance(blocks, str):
        return blocks
    if isinstance(blocks, dict):
        return " ".join(
            said(v) for k, v in blocks.items() if k in ("c", "items", "lines", "title", "cells", "notes", "alt")
        )
    return " ".join(said(part) for part in blocks)


def table(body: str) -> dict:
    (found,) = Markup().read(body)
    return found


def test_each_kind_of_thing_is_printed():
    text = read(
        "<h1>One</h1>loose words<h4>Deep</h4><p>a <b>bold</b> <em>soft</em> <code>x = 1</code><br>H<sub>2</sub> "
        '<a href="https://example.com/a">out</a> <a href="20_b.html">in</a></p><ul><li>first<ol start="3"><li>third'
        "</li></ol></li></ul><blockquote><p>Asked?</p></blockquote><pre>two  spaces</pre><hr>"
        '<section class="summary"><p>In short</p></section>'
        '<details class="code"><summary>Code</summary>hidden</details>'
        "<details><summary>More</summary><p>shown</p></details><table><tr><td>cell</td></tr></table>"
    )
    told = ("One", "loose words", "Deep", "bold", "soft", "x = 1", "out in", "first", "3. third", "Asked?", "two")
    for words in (*told, "In short", "More", "shown", "cell"):
        assert words in text, words
    assert "hidden" not in text


def test_a_heading_and_its_words_stay_with_what_they_lead_to():
    """Wherever the page ends: with so many lines before it the picture no longer fits, but its heading would."""
    from PIL import Image

    image = BytesIO()
    Image.new("RGB", (1000, 700)).save(image, "PNG")
    picture = f'<img alt="a" src="data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}">'
    apart = 0
    for lines in range(12, 44, 4):
        led = f"<h2>Heading</h2><p>Leading.</p><figure>{picture}</figure><p>Behind.</p>"
        made = page_pdf(Page("10_a", "en", "T", "", "<h1>T</h1>" + "<p>x</p>" * lines + led))
        pages = [page.extract_text() for page in PdfReader(BytesIO(made)).pages]
        where = [next(i for i, text in enumerate(pages) if word in text) for word in ("Heading", "Leading", "Behind")]
        shown = next(i for i, page in enumerate(PdfReader(BytesIO(made)).pages) if page.images)
        assert where[:2] == [shown, shown], lines
        apart += shown > 0
    assert 0 < apart < 8


@pytest.mark.parametrize(("rows", "torn"), [(12, False), (60, True)])
def test_a_table_of_a_few_rows_is_not_torn_apart(rows, torn):
    cells = "".join(f"<tr><td>cell {i}.</td></tr>" for i in range(rows))
    made = set()
    for lines in range(24, 44, 4):
        body = "<h1>T</h1>" + "<p>x</p>" * lines + f"<table>{cells}</table>"
        pages = PdfReader(BytesIO(page_pdf(Page("10_a", "en", "T", "", body)))).pages
        made.add(sum("cell" in page.extract_text() for page in pages))
    assert (max(made) > 1) == torn


def test_headings_leave_no_gap():
    levels = [b["level"] for b in Markup().read("<h2>a</h2><h4>b</h4><h2>c</h2><h3>d</h3>")]
    assert levels == [1, 2, 2, 3]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("<p>", "</p>", "<blink>", "</blink>", "<ul>", "<li>", "</li>", "</ul>", "<table>", "<tr>", "<td>"),
                *("<td colspan=3>", "<th rowspan=9>", "</td>", "</tr>", "</table>", "<thead>", "</thead>", "<b>"),
                *("</b>", "<svg><text>", "</text></svg>", "<dl><dt>", "</dt><dd>", "</dd></dl>", "<h5>", "</h5>"),
                *("<pre>", "</pre>", "<caption>", "</caption>", "<tfoot>", "</tfoot>", "<figure>", "</figure>"),
                *("<br>", "word", "word", "word", "word", "<a href=x>", "</a>", "<blockquote>", "</blockquote>"),
            ]
        ),
        max_size=25,
    )
)
def test_no_word_is_lost_in_any_html(parts):
    numbered = [f" w{i}z " if part == "word" else part for i, part in enumerate(parts)]
    words = re.findall(r"w\d+z", "".join(numbered))
    assert sorted(re.findall(r"w\d+z", said(Markup().read("".join(numbered))))) == sorted(words)


def test_no_cell_overlaps_and_no_place_is_empty():
    found = table(
        "<table><thead><tr><th rowspan=2>a</th><th colspan=2>b</th></tr><tr><th>c</th><th>d</th></tr></thead>"
        "<tbody><tr><td rowspan=5>e</td><td>f</td></tr><tr><td>g</td><td>h</td></tr></tbody></table>"
    )
    places = [
        (cell["x"] + i, cell["y"] + j)
        for cell in found["cells"]
        for i in range(cell["across"])
        for j in range(cell["down"])
    ]
    assert found["head"] == 2
    assert sorted(places) == [(x, y) for x in range(3) for y in range(4)]


def test_a_wide_table_stays_within_the_page():
    head = "".join(f"<th>column number {i}</th>" for i in range(24))
    row = "".join(f"<td>{i}.123456789</td>" for i in range(24))
    reader = PdfReader(
        BytesIO(page_pdf(Page("a", "en", "T", "", f"<table><thead><tr>{head}</tr></thead><tr>{row}</tr></table>")))
    )
    furthest = []
    reader.pages[0].extract_text(visitor_text=lambda text, cm, tm, *_: furthest.append(tm[4] * cm[0] + cm[4]))
    assert "23.12" in "".join(reader.pages[0].extract_text().split())
    assert max(furthest) < reader.pages[0].mediabox.width - 40


def test_what_the_font_lacks_is_replaced_and_said():
    text = read("<p>好𓀀</p>", "zh")
    assert "好〓" in text and "U+13000" in text


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def test_pictures_are_taken_in_and_broken_ones_leave_their_words():
    svg = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>').decode()
    body = f'<p><img src="data:image/png;base64,{PNG}" alt="one"> and '
    body += f'<img src="data:image/svg+xml;base64,{svg}" alt="two">'
    assert len(PdfReader(BytesIO(page_pdf(Page("a", "en", "T", "", body)))).pages[0].images) >= 1
    assert "words instead" in read('<figure><img src="data:image/png;base64,AAAA" alt="words instead"></figure>')


@pytest.mark.parametrize("svg", [b"<svg", b"", b"<html/>", b"\xff\xfe"])
def test_a_drawing_that_cannot_be_read_leaves_its_words(svg):
    source = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    assert "words instead" in read(f'<p>before <img src="{source}" alt="words instead"></p>')


def test_a_page_gives_the_same_bytes_twice():
    page = Page("a", "zh", "题", "", "<h1>题</h1><p>词</p>")
    assert page_pdf(page) == page_pdf(page)


@pytest.mark.parametrize("path", NOTEBOOKS[:1] + NOTEBOOKS[-1:], ids=lambda path: path.stem)
@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_notebooks_are_printed_whole_with_no_glyph_missing(path, spoken):
    page = render(cells.read(path), path.name, spoken, path.parent)
    reader = PdfReader(BytesIO(page_pdf(page)))
    text = "".join("".join(sheet.extract_text() for sheet in reader.pages).split())
    assert "〓" not in text and reader.metadata.title == page.title
    for heading in re.findall(r"<h2[^>]*>([^<]+)</h2>", page.body):
        assert "".join(heading.replace("&quot;", '"').replace("&#39;", "'").split()) in text


def test_names_stand_with_what_is_said_of_them():
    (terms,) = Markup().read(
        '<dl><dt><code>level</code> <span class="kind">float</span></dt><dd><p>Of the interval.</p></dd>'
        "<dt>b</dt><dd>Two</dd></dl>"
    )
    first, second = terms["items"]
    assert first["c"][0] == {"t": "code", "c": ["level"]} and first["c"][-1] == {"t": "kind", "c": ["float"]}
    assert second == {"c": ["b"], "items": [{"t": "para", "c": ["Two"]}]}


def test_a_list_of_names_that_is_none_keeps_its_words():
    assert "lost" in str(Markup().read("<dl><dd>lost</dd><dt>a</dt>words</dl>"))


def test_code_is_set_in_letters_of_one_width_and_long_lines_are_broken():
    body = f"<h1>A</h1><pre>a  b&#10;甲乙  c&#10;  x{' yy' * 90}</pre>"
    reader = PdfReader(BytesIO(page_pdf(Page("a", "en", "A", "", body))))
    heights, fonts = set(), set()

    def seen(text, cm, tm, font, size):
        fonts.add(str(font["/BaseFont"]).split("+")[-1] if font else "")
        if "yy" in text:
            heights.add(round(tm[5] * cm[3] + cm[5]))

    reader.pages[0].extract_text(visitor_text=seen)
    assert any(name.startswith("DejaVuSansMono") for name in fonts), fonts
    assert "甲乙" in reader.pages[0].extract_text()
    assert len(heights) > 1
