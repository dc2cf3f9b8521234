"""The data behind figures: nothing leaves that has not been shown to be safe, and what does is what was drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_notebook, new_output

from htresearch import Estimates, figure
from htresearch.disclosure import load_rules, tabulate
from htresearch.publish.figure_data import Tally, behind, tally

PUBLIC = load_rules("public")
RNG = np.random.default_rng(4)
#: 40 teachers in 4 schools, 30 pupils each.
PUPILS = pd.DataFrame({"student_id": range(1200)}).assign(
    teacher_id=lambda d: d["student_id"] // 30,
    school_id=lambda d: d["teacher_id"] % 4,
    stage=lambda d: np.where(d["teacher_id"] < 20, "primary", "junior"),
    score=lambda d: RNG.normal(size=len(d)),
)


@pytest.fixture(autouse=True)
def english(monkeypatch):
    from htresearch import language

    with language.speaking("en"):
        yield
    plt.close("all")


def means() -> pd.DataFrame:
    groups = PUPILS.groupby("stage", sort=False)
    return groups.agg(
        mean=("score", "mean"),
        n_students=("student_id", "size"),
        n_teachers=("teacher_id", "nunique"),
        n_schools=("school_id", "nunique"),
    ).reset_index()


def bars(heights, **told):
    ax = plt.subplots()[1]
    ax.bar(["junior", "primary"][: len(heights)], heights)
    return figure(ax, "Two bars", **told)


def test_without_saying_whom_it_rests_on_nothing_is_offered():
    assert behind(bars([1, 2]), PUBLIC) == {"refused": ["persons"]}


def test_who_stands_behind_each_mark_is_counted():
    found = means()
    offered = behind(bars(found["mean"], counts=found, statistic="mean"), PUBLIC)
    assert offered["rules"] == "public" and offered["columns"] == ["Mark", "Horizontal", "Vertical"]
    assert [row[:2] for row in offered["rows"]] == [["bar", "junior"], ["bar", "primary"]]
    for column, few in (("n_students", 9), ("n_teachers", 2), ("n_schools", 2)):
        told = found.assign(**{column: [few, 100]})
        assert "refused" in behind(bars(found["mean"], counts=told, statistic="mean"), PUBLIC)


def test_what_is_drawn_of_a_table_that_passed_is_offered_and_no_other_number():
    table = tabulate(PUPILS, rows="stage", value="score", statistic="mean", person="student_id")
    shown = table.tidy()["estimate"] if hasattr(table, "tidy") else table.cells["estimate"]
    assert "rows" in behind(bars(list(shown[:2]), of=table), PUBLIC)
    assert behind(bars([shown[0], 0.123], of=table), PUBLIC) == {"refused": ["unknown"]}


def test_a_frame_that_is_given_is_held_to_the_same():
    found = means()
    heights = found["mean"]
    assert behind(bars(heights, data=found), PUBLIC) == {"refused": ["provenance"]}
    offered = behind(bars(heights, data=found, statistic="mean"), PUBLIC)
    assert len(offered["rows"]) == 2
    few = found.assign(n_teachers=2)
    assert "teachers" in behind(bars(heights, data=few, statistic="mean"), PUBLIC)["refused"]
    table = tabulate(PUPILS, rows="stage", value="score", statistic="mean", person="student_id")
    told = pd.DataFrame({"stage": ["a", "b"], "mean": table.cells["estimate"][:2].to_numpy()})
    assert "rows" in behind(bars(heights, data=told, of=table), PUBLIC)
    assert behind(bars(heights, data=told.assign(mean=[0.5, 0.6]), of=table), PUBLIC) == {"refused": ["unknown"]}
    assert behind(bars(heights, data=told.assign(stage="T00012"), of=table), PUBLIC) == {"refused": ["identifying"]}


def test_a_result_that_does_not_say_whom_it_rests_on_is_none():
    made_up = Estimates(pd.DataFrame({"term": ["a", "b"], "estimate": [1.0, 2.0]}), pd.DataFrame())
    assert "data" in behind(bars([1, 2], of=made_up), PUBLIC)["refused"]
    told = pd.DataFrame({"mean": [1.0, 2.0]})
    assert behind(bars([1, 2], data=told, of=made_up), PUBLIC) == {"refused": ["data"]}
    assert "refused" in behind(bars([1, 2], of=lambda: [1, 2]), PUBLIC)


@pytest.mark.parametrize(
    "told", [{"statistic": "mean"}, {"counts": [1], "statistic": "mean"}, {"counts": means(), "statistic": "magic"}]
)
def test_what_cannot_be_asked_is_refused(told):
    assert "refused" in behind(bars([1, 2], **told), PUBLIC)


def test_other_rules_decide_otherwise():
    few = means().assign(n_students=30, n_teachers=1, n_schools=1)
    drawn = bars(few["mean"], counts=few, statistic="mean")
    assert "refused" in behind(drawn, PUBLIC) and "rows" in behind(drawn, load_rules("internal"))


def test_unchecked_data_say_so():
    given = pd.DataFrame({"training_hours": [1.5, None], "n": [np.int64(3), 4]})
    assert behind(bars([1, 2], data=given), None) == {
        "columns": ["Cumulative training (hours)", "Number"],
        "rows": [[1.5, 3], [None, 4]],
        "rules": "",
    }
    ax = plt.subplots()[1]
    ax.plot([1, 2], [3, np.inf], marker="o")
    assert behind(figure(ax, "x"), None)["columns"] == ["Mark", "Horizontal", "Vertical"]
    assert behind(figure(plt.subplots()[1], "empty"), None) == {}


def test_a_site_counts_them():
    marks = [{"rows": [[1]], "rules": "public"}, {"refused": ["persons"]}, {"refused": ["data"]}]
    outputs = [new_output("display_data", metadata={"htresearch": mark}) for mark in marks]
    counted = tally([new_notebook(cells=[new_code_cell(outputs=outputs)])], "public")
    assert counted == Tally(1, 0, 2, "public")
    assert "3 幅" in counted.said().zh and "behind 1 are offered; those behind 2" in counted.said().en
    assert tally([], "public").said() is None
