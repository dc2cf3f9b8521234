"""Dashboards of the demo district and of small studies: what is shown is what the indicators say, no more."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import htresearch as ht
from htresearch.corps.dashboard import dashboard
from htresearch.corps.indicators import Indicators
from htresearch.corps.spread import spread
from htresearch.errors import ArgumentError

from . import small

ONLY = ["trained_last_year", "chief_share", "training_reached", "years_as_head"]
TERM = "2024-2"


@pytest.fixture(scope="module")
def study():
    return ht.open_study("data/demo")


@pytest.fixture(scope="module")
def view(study):
    return dashboard(study, only=ONLY, targets={"trained_last_year": 0.8})


@pytest.fixture(scope="module")
def plain(study):
    found = ht.corps.indicators(study, by=None, only=ONLY).frame
    return found[found["term_id"] == TERM]


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def number(plain, name, group="", value=""):
    found = plain[(plain["indicator_id"] == name) & (plain["group"] == group) & (plain["value"] == value)]
    return found.iloc[0]


def text(thing):
    return thing._repr_mimebundle_()["text/plain"]


def test_the_table_says_what_the_indicators_say(view, plain):
    own = number(plain, "trained_last_year")
    line = view.table(["trained_last_year"]).cells.iloc[0]
    assert line["counts"] == f"{own['numerator']:.0f}/{own['denominator']:.0f}"
    assert line["value"].startswith(f"{100 * own['estimate']:.1f}%（{100 * own['conf_low']:.1f}%–")
    assert line["target"] == "80.0%" and line["reached"] == "未达到"


def test_the_few_are_bounded_and_not_counted(view, plain):
    own = number(plain, "chief_share")
    assert 0 < own["numerator"] < 10
    line = view.table(["chief_share"]).cells.iloc[0]
    assert line["value"] == "< 2%" and line["counts"] == "–"
    assert "不足 10 人" in text(view.table(["chief_share"]))


def test_for_the_districts_own_eyes_all_is_there(study, plain):
    inside = dashboard(study, only=["chief_share"], fewest=1)
    own = number(plain, "chief_share")
    assert inside.table().cells.iloc[0]["counts"] == f"{own['numerator']:.0f}/{own['denominator']:.0f}"


def test_groups_stand_side_by_side(view, plain):
    board = view.groups("stage", ["trained_last_year"])
    assert board.cells["who"].tolist() == ["全区", "小学", "初中", "高中"]
    own = number(plain, "trained_last_year", "stage", "primary")
    assert board.cells["value"].iloc[1].startswith(f"{100 * own['estimate']:.1f}%")
    assert set(board.cells["head"]) == {"近一年培训覆盖率"} and "小学" in text(board)


def test_a_breakdown_that_there_is_not_is_refused(view, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        view.groups("theme", ["trained_last_year"])
    zh, en = in_both_languages(error.value)
    assert "stage" in zh and "stage" in en
    with pytest.raises(ArgumentError):
        view.groups("planet")
    with pytest.raises(ArgumentError):
        view.table(["nothing"])


@pytest.fixture(scope="module")
def heads(study):
    led = study.class_terms().query("term_id == @TERM").dropna(subset=["teacher_id"])
    return led.assign(reached=led["training_hours_last_year"] > 0)


def test_a_share_is_split_by_what_the_indicator_does_not_know(view, heads):
    board = view.split("trained_last_year", heads, "reached", {"location": "Location"})
    urban = heads[heads["location"] == "urban"]
    row = board.rows[board.rows["value"] == "urban"].iloc[0]
    assert (row["numerator"], row["denominator"]) == (urban["reached"].sum(), len(urban))
    assert row["n_schools"] == urban["school_id"].nunique()
    assert board.cells["head"].tolist() == ["全区", *["Location"] * 3]


def test_other_people_than_the_indicators_are_refused(view, heads, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        view.split("trained_last_year", heads.iloc[1:], "reached", {"location": "Location"})
    zh, en = in_both_languages(error.value)
    assert "不是同一批人" in zh and "not the persons" in en
    with pytest.raises(ArgumentError):
        view.split("years_as_head", heads, "reached", {"location": "Location"})


def test_trends_have_a_panel_each_and_the_target(view):
    drawn = view.trends(["trained_last_year", "years_as_head", "chief_share"])
    panels = [ax for ax in drawn.axes if ax.get_title(loc="left") or ax.get_title()]
    assert len(panels) == 3
    line = view.district.of("trained_last_year")["estimate"]
    np.testing.assert_allclose(panels[0].get_lines()[0].get_ydata(), line)
    assert panels[0].get_lines()[1].get_ydata()[0] == 0.8
    assert np.isnan(panels[2].get_lines()[0].get_ydata().astype(float)).any()  # where there are few


def test_a_funnel_reaches_down_to_a_middling_school_and_names_nobody(view):
    funnel = view.funnel("trained_last_year", by="zone_id")
    grid = funnel.frame[funnel.frame["line"] == "limits"]
    assert grid["denominator"].min() <= view.sizes["trained_last_year"] <= grid["denominator"].max()
    zones = view.units["zone_id"].of("trained_last_year")
    drawn = funnel.frame[funnel.frame["line"] == "unit"]
    assert len(drawn) == (zones[zones["term_id"] == TERM]["estimate"].notna()).sum() > 2
    ax = funnel.plot()
    said = " ".join(t.get_text() for t in [*ax.texts, *ax.get_legend().get_texts()])
    assert not any(zone in said for zone in zones["zone_id"].unique())
    schools = view.funnel("trained_last_year")
    assert schools.summary["n_hidden"].iloc[0] > 0 and schools.note


def of_schools(x, m):
    """Indicators of schools and their district, for one share."""
    x, m = np.asarray(x, float), np.asarray(m, float)

    def made(x, m, **more):
        p = x / m
        cells = {"numerator": x, "denominator": m, "estimate": p, "std_error": np.sqrt(p * (1 - p) / m)}
        return pd.DataFrame(cells).assign(term="novices", term_id="t", indicator_id="novices", group="", **more)

    district = made(np.array([x.sum()]), np.array([m.sum()]))
    return Indicators(
        made(x, m, school_id=[f"s{i}" for i in range(len(x))]), pd.DataFrame(), district=district, by="school_id"
    )


def test_spread_by_hand():
    """With equal sizes Q is that of Pearson's test of equal shares; what is beyond chance follows by subtraction."""
    x, n = np.array([3, 9, 5, 12, 7, 8, 4, 11, 6, 5, 14, 6]), 20
    found = spread(of_schools(x, [n] * len(x)), "t").iloc[0]
    pearson = stats.chi2_contingency(np.array([x, n - x]), correction=False)
    assert found["statistic"] == pytest.approx(pearson.statistic)
    assert found["p_value"] == pytest.approx(pearson.pvalue)
    chance = found["whole"] * (1 - found["whole"]) / n
    assert found["chance"] == pytest.approx(np.sqrt(chance))
    assert found["beyond"] ** 2 == pytest.approx(np.var(x / n, ddof=1) - chance)


def test_alike_schools_are_seldom_called_different():
    rng = np.random.default_rng(3)
    found = [spread(of_schools(rng.binomial(20, 0.4, 26), [20] * 26), "t").iloc[0] for _ in range(150)]
    assert np.mean([f["p_value"] < 0.05 for f in found]) == pytest.approx(0.05, abs=0.05)
    assert np.mean([f["outside"] for f in found]) == pytest.approx(found[0]["expected"], rel=0.6)


def test_of_few_schools_and_of_rare_things_nothing_is_said():
    assert spread(of_schools([8] * 9, [20] * 9), "t").empty
    assert spread(of_schools([1] * 26, [20] * 26), "t").empty


def test_one_or_two_schools_outside_are_not_told_from_none(view):
    board = view.differences(["trained_last_year"])
    assert int(board.rows["outside"].iloc[0]) < 3
    assert board.cells["outside"].iloc[0] == "不足 3"
    assert not board.cells.astype(str).apply(lambda c: c.str.contains("S00")).to_numpy().any()


def test_a_small_study_without_tables_says_why(tmp_path):
    tables = small.Corps(11).study_tables(whole=True)
    for name in ("incentives", "studios", "studio_members"):
        tables.pop(name, None)
    found = dashboard(small.opened(tables, tmp_path / "study"), only=["performance_pay", "novices", "studio_reach"])
    said = text(found.table())
    assert "缺少数据表" in said
    assert found.table().rows["numerator"].isna().all()  # a handful of teachers
