"""Other people's notebooks under the rules: each rule sees what it should, and no fault repeats a secret."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from small_notebooks import write

from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.publish import Secrets, check_notebooks
from htresearch.publish.checking import RULES

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def printed(text, source="print(1)"):
    return new_code_cell(source, outputs=[new_output("stream", name="stdout", text=text)], execution_count=1)


def shown(data, metadata=None):
    return new_code_cell("show()", outputs=[new_output("display_data", data=data, metadata=metadata or {})])


def faulty(folder, *cells, **options):
    """The rules under which a notebook of these cells has faults, without running it."""
    frame = check_notebooks(write(folder / "a.ipynb", *cells), run=False, **options).frame
    assert list(frame) == ["notebook", *RULES]
    return [rule for rule in RULES if frame[rule].iloc[0] > 0]


def test_the_committed_notebooks_keep_the_rules():
    checked = check_notebooks(NOTEBOOKS, run=False)
    assert checked.passed, str(checked)
    assert checked.frame["run"].isna().all()


@pytest.mark.parametrize(
    "text",
    [
        "Wall time: 3.2 s",
        "2026-11-28 13:44:32.123456",
        "Date:                Sat, 28 Nov 2026   Prob (F-statistic): 0.1",
        "Time:                        13:44:32   Log-Likelihood: -20",
        "Sat Nov 28 13:44:32 2026",
        "<function f at 0x7f0c2b1d3a60>",
        "用时：3.2 秒",
        " 40%|████      | 4/10 [00:01<00:01,  3.9it/s]",
        "12.3 µs ± 1 µs per loop",
    ],
)
def test_clocks_are_seen(tmp_path, text):
    assert faulty(tmp_path, printed(text)) == ["time"]


@pytest.mark.parametrize(
    "text", ["2024-09-01", "2024-09-01 00:00:00", "比值 3:4", "区间 10:20", "学期 2024-1", "Time: 3", "p < 0.001"]
)
def test_days_and_ratios_are_no_clocks(tmp_path, text):
    assert faulty(tmp_path, printed(text)) == []


@pytest.mark.parametrize(
    "cell",
    [
        shown({"image/png": "AA=="}),
        shown({"image/png": "AA=="}, {"image/png": {"alt": " "}}),
        shown({"text/html": '<p><img src="data:,x"></p>'}),
        shown({"text/html": '<img alt="" src="data:,x">'}),
        new_markdown_cell("![](attachment:a.png)"),
        new_markdown_cell('<img src="a.png" width=3>'),
    ],
)
def test_images_without_words_are_seen(tmp_path, cell):
    assert "alt" in faulty(tmp_path, cell)


def test_images_with_words_are_well(tmp_path):
    cells = new_markdown_cell("![点图](attachment:a.png)"), shown({"text/html": "<img alt='点图' src='data:,x'>"})
    assert faulty(tmp_path, *cells) == []


def test_missing_glyphs_are_seen(tmp_path):
    said = "UserWarning: Glyph 29677 (\\N{CJK UNIFIED IDEOGRAPH-73ED}) missing from font(s) DejaVu Sans.\n"
    cell = new_code_cell("x", outputs=[new_output("stream", name="stderr", text=said)])
    assert faulty(tmp_path, cell) == ["glyphs"]
    assert faulty(tmp_path, printed("\ufffd\ufffd")) == ["glyphs"]


def test_leaks_are_seen_and_not_repeated(tmp_path, in_both_languages):
    write(tmp_path / "顾晓岚.ipynb", printed("13912345678 顾晓岚"))
    checked = check_notebooks(tmp_path, Secrets(["顾晓岚"]), run=False)
    for spoken in language.LANGUAGES:
        with language.speaking(spoken):
            assert "‹姓名›.ipynb" in str(checked)
            assert "顾晓岚" not in str(checked) + str(checked.frame) and "13912345678" not in str(checked)
    assert {fault.rule.en.split(": ")[-1] for fault in checked.faults} == {"Phone number", "Name"}


def test_what_is_no_notebook_is_told(tmp_path):
    (tmp_path / "a.ipynb").write_text("{", encoding="utf-8")
    checked = check_notebooks(tmp_path)
    assert len(checked.faults) == 1 and "a.ipynb" in str(checked)


def test_no_notebook_is_refused(tmp_path):
    for wrong in (tmp_path, tmp_path / "nowhere", []):
        with pytest.raises(ArgumentError):
            check_notebooks(wrong)


def test_notebooks_are_run_and_compared(tmp_path):
    draws = "import os; print('<object at 0x' + os.urandom(6).hex() + '>')"
    glyph = "import matplotlib.pyplot as plt\nfig = plt.figure()\nfig.text(0, 0, '班')\nfig.canvas.draw()"
    write(
        tmp_path / "a.ipynb",
        printed("1\n"),
        printed("2\n", "print(3)"),
        new_code_cell("secret = 'x13912345678'; raise KeyError(secret)"),
        new_code_cell(glyph),
    )
    write(tmp_path / "b.ipynb", printed("1\n"), printed("<object at 0xffffffffffff>\n", draws))
    checked = check_notebooks(tmp_path)
    frame = checked.frame.set_index("notebook")
    assert frame["run"].tolist() == [2, 0] and frame["glyphs"].tolist() == [1, 0]
    with language.speaking("en"):
        said = str(checked)
    assert "a.ipynb, cell 4: gives another output than the one that is kept" in said
    assert "a.ipynb, cell 5: fails when it is run" in said and "13912345678" not in said
    assert "a.ipynb, cell 6: a character has no glyph" in said
    assert nbformat.read(tmp_path / "a.ipynb", as_version=4).cells[2].outputs[0].text == "1\n"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"nbformat": 9, "cells": []}'])
def test_a_broken_notebook_is_a_fault_and_stops_nothing(tmp_path, content):
    (tmp_path / "a.ipynb").write_text(content, encoding="utf-8")
    (tmp_path / "folder.ipynb").mkdir()
    checked = check_notebooks(tmp_path, run=False)
    assert [str(fault.where) for fault in checked.faults] == ["a.ipynb"]
