"""How figures and tables look: the same cells in HTML and in plain text, labels in the language now spoken."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn

from htresearch import appearance, language
from htresearch.appearance import figure, table
from htresearch.errors import ArgumentError
from htresearch.language import Text


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "tier": ["chief", None],
            "estimate": [0.123456, np.nan],
            "n_students": [12345, 7],
            "p_value": [0.0000012, 0.25],
            "mine": [True, False],
        }
    )


def test_columns_and_values_have_labels_in_both_languages(frame):
    chinese = table(frame).plain
    with language.speaking("en"):
        english = table(frame, names={"mine": "My own"}).plain
    assert "梯队层级" in chinese
    assert "首席班主任" in chinese
    assert "Tier" in english
    assert "Chief" in english
    assert "My own" in english


def test_cells(frame):
    with language.speaking("en"):
        shown = table(frame).plain.splitlines()
    assert shown[1].split() == ["Chief", "0.123", "12,345", "<", "0.001", "yes"]
    assert shown[2].split() == ["–", "–", "7", "0.25", "no"] or shown[2].split() == ["–", "–", "7", "0.250", "no"]


def test_html_and_plain_text_hold_the_same_words(frame):
    shown = table(frame, title=Text("标题", "Title"), note=Text("注释", "Note"))
    assert shown.plain.startswith("标题\n")
    assert shown.plain.endswith("\n注释")
    for word in ("标题", "注释", "0.123", "12,345", "首席班主任"):
        assert word in shown.html
    assert set(shown._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_a_table_leaves_its_frame_alone(frame):
    before = frame.copy()
    table(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_digits_are_checked(frame):
    with pytest.raises(ArgumentError, match="digits"):
        table(frame, digits=0)


def test_a_figure_is_closed_and_has_the_same_bytes_each_time():
    def drawn():
        ax = plt.subplots()[1]
        ax.plot([1, 2], [3, 4])
        return figure(ax, Text("一条线", "A line"))

    open_before = plt.get_fignums()
    one, two = drawn(), drawn()
    assert one == two
    assert one.png.startswith(b"\x89PNG")
    assert one.alt == "一条线"
    assert plt.get_fignums() == open_before
    shown, about = one._repr_mimebundle_()
    assert shown["text/plain"] == "一条线"
    assert about["image/png"]["alt"] == "一条线"


def test_a_figure_needs_words():
    ax = plt.subplots()[1]
    with pytest.raises(ArgumentError, match="alt"):
        figure(ax, " ")
    plt.close("all")


def test_the_theme_finds_a_chinese_font():
    with plt.rc_context():
        appearance.theme()
        ax = plt.subplots()[1]
        ax.set_title("班主任")
        assert figure(ax, "x").png  # a missing glyph would be an error


def test_the_theme_is_the_one_of_seaborn_without_seaborn():
    with plt.rc_context():
        appearance.theme()
        ours = dict(plt.rcParams)
    with plt.rc_context():
        seaborn.set_theme(context="notebook", style="whitegrid")
        theirs = {name: plt.rcParams[name] for name in (*seaborn.axes_style(), *seaborn.plotting_context())}
    # What we want otherwise: our font and smaller letters, no colour map that only seaborn knows, fewer lines.
    chosen = {"font.family", "font.size", "image.cmap", "grid.color", "axes.spines.top", "axes.spines.right"}
    chosen |= {"axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize", "legend.title_fontsize"}
    assert {name for name, value in theirs.items() if ours[name] != value} == chosen
    with plt.rc_context({"lines.linewidth": 9, "axes.facecolor": "black"}):
        appearance.theme()  # whatever was set before
        assert plt.rcParams["lines.linewidth"] == 1.5 and plt.rcParams["axes.facecolor"] == "white"
    run = "import sys, htresearch as ht; ht.theme(); print('seaborn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", run], capture_output=True, text=True).stdout == "False\n"


def test_rows_below_a_heading():
    frame = pd.DataFrame({"part": ["A", "A", "B"], "term": ["x", "", "y"], "shown": ["1.0", "(0.5)", "22.0"]})
    shown = table(frame, groups="part", right=["shown"])
    lines = shown.plain.splitlines()
    assert [lines[1], lines[4]] == ["A", "B"]
    assert lines[2].endswith(" 1.0") and lines[3].endswith("(0.5)") and len(lines) == 6
    assert shown.html.count("gt_group_heading") >= 2 and "font-weight: bold" in shown.html
    # The row that begins with an empty cell belongs to the row above: no line between, in both of its cells.
    assert shown.html.count("border-top-style: hidden") == 2
    assert shown.html.count("white-space: nowrap ; border-top-style: hidden") == 2


def test_a_cell_that_may_not_be_broken_is_not():
    cells = pd.DataFrame({"long": ["2,512（2,318–2,707）", "x"]})
    assert "nowrap" not in table(cells, right=["long"], names={"long": "一个很长很长的表头"}).html
    assert "nowrap" in table(cells, right=["long"], unbroken=["long"], names={"long": "一个很长很长的表头"}).html


@pytest.mark.parametrize(
    ("value", "shown"), [(-0.0004, "0.000"), (-0.00001, "0.0"), (-0.004, "-0.004"), (0.0004, "0.000"), (-12.0, "-12")]
)
def test_no_number_is_a_negative_zero(value, shown):
    assert appearance.significant(value, 2) == shown
