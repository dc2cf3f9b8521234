"""The data behind a figure: what was drawn comes out again, whatever drew it."""

import datetime

import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib import pyplot as plt

from htresearch import language
from htresearch.appearance import figure, theme
from htresearch.drawn import data_behind
from htresearch.errors import ArgumentError


@pytest.fixture
def ax():
    with language.speaking("en"):
        yield plt.subplots()[1]
    plt.close("all")


def rows(ax) -> list[tuple]:
    return list(data_behind(ax.figure).itertuples(index=False, name=None))


def test_a_line_with_its_label_and_axes(ax):
    ax.plot([1, 2, 3], [2.5, np.nan, 1 / 3], label="maths")
    ax.set(xlabel="Term", ylabel="Score")
    assert list(data_behind(ax.figure)) == ["Series", "Mark", "Horizontal: Term", "Vertical: Score"]
    assert rows(ax) == [("maths", "line", 1.0, 2.5), ("maths", "line", 3.0, 0.333333)]


def test_points_and_reference_lines(ax):
    ax.scatter([1, 2], [3, 4])
    ax.axhline(0.5)
    ax.axvline(7, label="change")
    assert {tuple(x if x == x else None for x in row) for row in rows(ax)} == {
        ("", "point", 1.0, 3.0),
        ("", "point", 2.0, 4.0),
        ("", "reference line", None, 0.5),
        ("change", "reference line", 7.0, None),
    }


def test_error_bars_are_points_and_intervals_without_caps(ax):
    ax.errorbar([1.0, 2.0], [5.0, 6.0], yerr=[[1, 1], [2, 3]], fmt="o", capsize=3, label="zone")
    frame = data_behind(ax.figure)
    assert frame["Mark"].tolist() == ["point", "point", "interval", "interval"]
    found = frame[frame["Mark"] == "interval"]
    assert found["Vertical, low"].tolist() == [4.0, 5.0] and found["Vertical, high"].tolist() == [7.0, 9.0]


def test_bars_lying_with_words(ax):
    ax.barh(["primary", "junior"], [3, 4])
    assert rows(ax) == [("bar", 3.0, "primary"), ("bar", 4.0, "junior")]


def test_a_histogram_has_the_ends_of_its_bars(ax):
    ax.hist([1, 1, 2], bins=[0, 1.5, 3])
    assert data_behind(ax.figure)["Horizontal, low"].tolist() == [0.0, 1.5]
    assert data_behind(ax.figure)["Vertical"].tolist() == [2.0, 1.0]


def test_a_band(ax):
    ax.fill_between([0, 1], [1, 2], [3, 5])
    assert rows(ax) == [("band", 0.0, 1.0, 3.0), ("band", 1.0, 2.0, 5.0)]


def test_seaborn_s_groups_are_named_as_in_the_legend(ax):
    frame = pd.DataFrame({"tier": ["A", "B"] * 4, "stage": ["P", "P", "J", "J"] * 2, "score": range(8)})
    sns.barplot(frame, x="tier", y="score", hue="stage", errorbar=None, ax=ax)
    told = data_behind(ax.figure)
    assert sorted(zip(told["Series"], told["Horizontal: tier"], told["Vertical: score"], strict=True)) == [
        ("J", "A", 4.0),
        ("J", "B", 5.0),
        ("P", "A", 2.0),
        ("P", "B", 3.0),
    ]


def test_a_heat_map_has_words_and_values_and_no_colour_bar(ax):
    sns.heatmap(pd.DataFrame([[0.1, 0.2]], index=["item"], columns=["F1", "F2"]), ax=ax)
    assert rows(ax) == [("field", "F1", "item", 0.1), ("field", "F2", "item", 0.2)]


def test_dates_are_written_as_dates(ax):
    ax.plot([datetime.date(2024, 9, 1), datetime.date(2024, 9, 2)], [1, 2], marker="o")
    assert data_behind(ax.figure)["Horizontal"].tolist() == ["2024-09-01", "2024-09-02"]


def test_panels_are_told_apart():
    theme()
    drawing, axes = plt.subplots(1, 2)
    axes[0].plot([0, 1], [0, 1])
    axes[1].plot([0, 1], [0, 2])
    axes[0].set_title("甲")
    assert data_behind(drawing)["子图"].tolist() == ["1 甲", "1 甲", "2", "2"]
    axes[1].set_title("乙")
    assert data_behind(drawing)["子图"].tolist() == ["甲", "甲", "乙", "乙"]
    plt.close(drawing)


def test_lines_without_a_legend_are_told_apart_by_words_of_their_colour_or_numbers(ax):
    for place, colour in enumerate(("C0", "C1", "C2")):
        ax.plot([0, 1], [place, place + 1], color=colour)
    ax.text(1, 1, "order", color="C0")
    assert data_behind(ax.figure)["Series"].tolist() == ["order", "order", "1", "1", "2", "2"]


def test_an_empty_figure_has_none(ax):
    ax.text(0.5, 0.5, "nothing")
    assert data_behind(ax.figure).empty


def test_a_stored_notebook_holds_the_picture_and_its_words_alone(ax):
    ax.plot([1, 2], [3, 4])
    drawn = figure(ax, "x", data=pd.DataFrame({"a": [1]}))
    assert drawn._repr_mimebundle_()[1] == {"image/png": {"alt": "x"}}
    with pytest.raises(ArgumentError, match="data"):
        figure(ax, "x", data=[1])
