"""Markdown and printed HTML, made fit for a page."""

import nbformat
import pytest
from small_notebooks import OPENING, code, told

from htresearch.errors import NotebookError
from htresearch.publish import cells, render
from htresearch.publish.html.fragment import fit


def body(*sources: str, folder=".") -> str:
    notebook = nbformat.v4.new_notebook(cells=[told("zh", source) for source in sources])
    return render(notebook, "10_a.ipynb", "zh", folder).body


def test_lines_join_as_chinese_does():
    assert "<p>教师培训，\n2024 年</p>" in body("教师\n培训，\n2024 年")


def test_links_to_the_documentation_lead_to_its_pages():
    written = body("[一](../docs/privacy.zh-CN.md#s2) [two](../docs/howto/01-open-a-study.md) [三](20_b.ipynb#s1)")
    assert 'href="../docs/zh/privacy.html#s2"' in written and 'href="20_b.html#s1"' in written
    assert 'href="../docs/en/howto-01-open-a-study.html"' in written


@pytest.mark.parametrize(
    "source", ["**“关联”**不是效果", "说**关联**，不说**“效果”**的", "只说*（关联）*而已", "1. 甲**乙**丙"]
)
def test_emphasis_works_beside_chinese(source):
    written = body(source)
    assert "*" not in written and "\u200a" not in written


@pytest.mark.parametrize(
    "source",
    [
        "<img src=x onerror=alert(1)>",
        "<b>粗</b>",
        "[x](javascript:alert(1))",
        "`<script>`",
        '[x](a "t\\" onclick=1")',
    ],
)
def test_raw_html_and_scripts_stay_text(source):
    written = body(source)
    assert "<img" not in written and "<script" not in written and "<b>" not in written
    assert "javascript:" not in written and " onclick=" not in written.replace("&quot; onclick", "")


def test_headings_have_the_same_anchors_in_both_languages():
    assert '<h1 id="s1">' in body("# 甲", "## 乙") and '<h2 id="s2">' in body("# 甲", "## 乙")


def test_images_are_taken_in_or_refused(tmp_path):
    (tmp_path / "map.png").write_bytes(b"\x89PNG")
    assert 'src="data:image/png;base64,iVBORw==" alt="地图"' in body("![地图](map.png)", folder=tmp_path)
    with pytest.raises(NotebookError) as caught:
        body("![](map.png) ![x](https://example.com/a.png) ![y](missing.png)", folder=tmp_path)
    assert len(caught.value.faults) == 3


def test_cells_for_one_language_and_for_both():
    untagged = nbformat.v4.new_markdown_cell("2024")
    notebook = nbformat.v4.new_notebook(cells=[*OPENING, untagged])
    assert [c.source[:6] for c in cells.spoken_in(notebook, "en")] == ["# Trai", "2024"]


def test_the_opening_is_the_heading_and_the_question():
    notebook = nbformat.v4.new_notebook(cells=[*OPENING])
    assert cells.opening(notebook, "zh") == cells.Opening("培训时数", "培训多的班级是否更好？")
    plain = nbformat.v4.new_notebook(cells=[told("en", "# *A* `b`\n\nFirst **line**.\n\nSecond.")])
    assert cells.opening(plain, "en") == cells.Opening("A b", "First line.")


@pytest.mark.parametrize(
    ("html", "refused"),
    [
        ("<script>1</script>", "<script>"),
        ('<a href="javascript:x">x</a>', "href=javascript:x"),
        ('<p onclick="x">x</p>', "onclick="),
        ('<img src="a.png" alt="a">', "src=a.png"),
        ('<img src="data:image/png;base64,AA==">', "<img> alt"),
        ("<style>@import 'x'</style>", "<style>"),
        ('<p style="background: url(http:x)">x</p>', "style=background: url(http:x)"),
        ('<svg><use xlink:href="http://x"/></svg>', "xlink:href=http://x"),
        ('<meta http-equiv="refresh">', "<meta>"),
    ],
)
def test_what_loads_or_runs_is_refused(html, refused):
    assert refused in fit(html, "-1")[1]


def test_identifiers_and_their_styles_get_a_suffix():
    html = '<style>#T th {color: #fff} #Tx {}</style><b id="T">&lt;</b><i id="U" aria-labelledby="T U V">&#60;</i>'
    assert fit(html, "-2") == (
        '<style>#T-2 th {color: #fff} #Tx {}</style><b id="T-2">&lt;</b>'
        '<i id="U-2" aria-labelledby="T-2 U-2 V">&#60;</i>',
        [],
    )


def test_what_was_left_open_is_closed_and_no_more():
    assert fit("<div><p>a</div></div><b>c", "-1")[0] == "<div><p>a</p></div><b>c</b>"


def test_code_is_folded_and_an_error_is_refused():
    cell = code("x = '<&>'")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    page = render(notebook, "10_a.ipynb", "en")
    assert "<summary>Code</summary>" in page.body and "&lt;&amp;&gt;" in page.body
    cell.outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="\x1b[31mno\x1b[0m")]
    with pytest.raises(NotebookError, match="ValueError: no"):
        render(notebook, "10_a.ipynb", "en")


def test_a_summary_is_shown_right_after_the_question():
    late = told("zh", "## 说明了什么\n\n作用不大。")
    late.metadata.tags = ["zh", "summary"]
    notebook = nbformat.v4.new_notebook(cells=[*OPENING, told("zh", "## 数据"), code("1"), late])
    page = render(notebook, "10_a.ipynb", "zh").body
    assert (
        page.index("是否") < page.index('<section class="summary" aria-label="先说结论">') < page.index("数据</h2>")
    )
    assert page.count("作用不大") == 1


def test_a_page_alone_offers_no_file():
    cell = code("draw()")
    described = {"image/png": {"alt": "a"}, "htresearch": {"columns": ["x"], "rows": [[1.0]]}}
    cell.outputs = [nbformat.v4.new_output("display_data", {"image/png": "iVBORw=="}, metadata=described)]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    alone = render(notebook, "10_a.ipynb", "en")
    assert "<a " not in alone.body and not alone.data
    beside = render(notebook, "10_a.ipynb", "en", offer_data=True)
    assert list(beside.data) == ["data/10_a-1.csv"] and 'href="data/10_a-1.csv"' in beside.body
