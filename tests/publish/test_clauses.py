"""Which clauses of the notice a notebook speaks to, and the index of the contents."""

from pathlib import Path

import nbformat
import pytest
from small_notebooks import told

from htresearch.publish import Page, cells, clauses
from htresearch.publish.html.page import lay_out_contents
from htresearch.publish.site import PARTS

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def notebook(*told_cells):
    return nbformat.v4.new_notebook(cells=list(told_cells))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("（措施 M1 至 M5）", ["M1", "M2", "M3", "M4", "M5"]),
        ("measures M1 to M3", ["M1", "M2", "M3"]),
        ("W2–W4；O3", ["O3", "W2", "W3", "W4"]),
        ("班风W3。", ["W3"]),
        ("M9, O4, MM1, M12, HW2, M1a", []),
        ("M3 至 M1", []),
    ],
)
def test_clauses_are_read_from_words(words, found):
    assert clauses.named(words) == found


def test_only_the_question_counts_in_either_language():
    asked = notebook(
        told("zh", "# 甲\n\n> 问（M2）？\n\n另见 M4。"), told("en", "# A\n\n> Why (M3)?"), told("en", "O1")
    )
    assert clauses.of(asked) == ("M2", "M3")


def test_a_tag_has_the_last_word():
    tagged = told("zh", "# 甲\n\n> 问（M2）？")
    tagged.metadata.tags = ["zh", "clause:O3", "clause:X1"]
    assert clauses.of(notebook(tagged)) == ("O3",)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_names_its_clause(path):
    assert clauses.of(cells.read(path))


def test_the_contents_lead_from_a_clause_to_its_pages():
    pages = {spoken: Page("20_dose", spoken, f"T-{spoken}", "Q", "", ("M2", "W7")) for spoken in ("zh", "en")}
    index = lay_out_contents([(PARTS["2"], [pages])], ("zh", "en"))
    after = index.partition('id="M2"')[2]
    assert 'href="zh/20_dose.html"' in after and 'href="en/20_dose.html"' in after
    assert 'id="M1"' not in index and "还没有写到：M1、M3、M4、M5" in index and "about: O1, O2, O3" in index
    assert "id=" in lay_out_contents([], ("zh",)) and "按《意见》" not in lay_out_contents([], ("zh",))
