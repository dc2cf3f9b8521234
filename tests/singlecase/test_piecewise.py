"""Piecewise regression against base R, nlme and sandwich, and against published analyses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htresearch.errors import ArgumentError
from htresearch.singlecase import piecewise

#: Johanna, of scan 0.67's examples.
BEFORE = [54, 53, 56, 58, 52]
AFTER = [61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87]
JOHANNA = BEFORE + AFTER, ["A"] * 5 + ["B"] * 15

KINDS = {
    "ols": ("y", {}),
    "newey": ("y", {"autocorrelation": "newey-west"}),
    "poisson": ("count", {"family": "poisson"}),
    "quasi": ("count", {"family": "poisson", "dispersion": "estimated"}),
    "binomial": ("done", {"family": "binomial", "trials": 20}),
}


def test_scan_johanna():
    found = piecewise(*JOHANNA)
    estimates = found.tidy().set_index("term")["estimate"]
    # Line of A through sessions 0 to 4; level is B's line at session 5 less A's led there: 62.7583 - 54.9.
    assert estimates["intercept"] == pytest.approx(272 / 5 + 0.2 - 0.2)
    assert estimates["trend"] == pytest.approx((-2 * 54 - 53 + 58 + 2 * 52) / 10)
    assert estimates["level"] == pytest.approx(7.858333, abs=1e-6)
    assert estimates["slope"] == pytest.approx(1.525, abs=1e-6)
    assert found.glance()["r_squared"][0] == pytest.approx(0.84324, abs=5e-6)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_estimates_and_errors_are_those_of_r(models, kind, number):
    series = models["single"][number]
    values, options = KINDS[kind]
    found = piecewise(series[values], series["phase"], series["time"], **options)
    table, about, expected = found.tidy(), found.glance().iloc[0], series[kind]
    assert table["estimate"].tolist() == pytest.approx(expected["estimate"], rel=1e-8, abs=1e-10)
    assert table["std_error"].tolist() == pytest.approx(expected["std_error"], rel=1e-6)
    for ours, theirs in {
        "sigma": "sigma",
        "aic": "aic",
        "dispersion": "dispersion",
        "adjusted_r_squared": "adjusted",
        "autocorrelation": "lag1",
    }.items():
        if theirs in expected and kind in ("ols", "quasi", "poisson", "binomial"):
            assert about[ours] == pytest.approx(expected[theirs], rel=1e-6), ours
    if "p" in expected:
        assert table["p_value"].tolist() == pytest.approx(expected["p"], rel=1e-5)
    if kind == "ols":
        assert table["conf_low"].tolist() == pytest.approx(expected["low"], rel=1e-8)
        assert table["conf_high"].tolist() == pytest.approx(expected["high"], rel=1e-8)
        if number < 3:  # with more phases a term of the comparison changes its meaning when another is dropped
            assert table["delta_r_squared"][1:].tolist() == pytest.approx(expected["delta"], rel=1e-6)
    if kind == "poisson":
        assert about["r_squared"] == pytest.approx(1 - expected["deviance"] / expected["null"], rel=1e-8)


@pytest.mark.parametrize("number", range(5))
def test_a_first_order_process_is_that_of_nlme(models, number):
    series = models["single"][number]
    found = piecewise(series["y"], series["phase"], series["time"], autocorrelation="ar1")
    about, expected = found.glance().iloc[0], series["ar1"]
    assert about["phi"] == pytest.approx(expected["phi"], abs=5e-6)
    assert about["log_likelihood"] == pytest.approx(expected["log_likelihood"], abs=1e-8)
    assert about["sigma"] == pytest.approx(expected["sigma"], rel=1e-5)
    assert found.tidy()["estimate"].tolist() == pytest.approx(expected["estimate"], rel=1e-5, abs=1e-6)
    assert found.tidy()["std_error"].tolist() == pytest.approx(expected["std_error"], rel=1e-5)


def test_terms_are_named_by_phase_where_there_are_several():
    values, phases = [1, 3, 2, 5, 7, 6, 2, 3, 1, 8, 9, 9], list("AAABBBAAABBB")
    found = piecewise(values, phases).tidy().set_index("term")["estimate"]
    assert list(found.index[2:]) == ["level[B]", "slope[B]", "level[A2]", "slope[A2]", "level[B2]", "slope[B2]"]
    first = piecewise(values, phases, baseline="A").tidy().set_index("term")["estimate"]
    assert first["level[B]"] == found["level[B]"]
    # Against the first phase, slopes of all changes so far add up.
    assert first["slope[B2]"] == pytest.approx(found[["slope[B]", "slope[A2]", "slope[B2]"]].sum())


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.integers(-50, 50), min_size=7, max_size=20), st.integers(3, 4), st.floats(0.1, 9), st.integers(-9, 9)
)
def test_scale_moves_estimates_along(values, start, unit, origin):
    phases = ["A"] * start + ["B"] * (len(values) - start)
    before = piecewise(values, phases).tidy()["estimate"].to_numpy()
    after = piecewise([unit * v + origin for v in values], phases).tidy()["estimate"].to_numpy()
    assert after == pytest.approx(unit * before + np.array([origin, 0, 0, 0]), abs=1e-6)


def test_a_missing_value_is_removed_but_its_time_is_not():
    values, phases = [3, None, 5, 4, 8, 9, None, 12], list("AAAABBBB")
    found = piecewise(values, phases)
    kept = [i for i, v in enumerate(values) if v is not None]
    same = piecewise([values[i] for i in kept], [phases[i] for i in kept], kept)
    assert found.tidy().equals(same.tidy())
    assert "2 次" in found.notes()


def test_dates_count_in_days():
    days = pd.to_datetime(["2024-09-02", "2024-09-03", "2024-09-05", "2024-09-09", "2024-09-10", "2024-09-12"])
    values, phases = [3, 4, 4, 8, 8, 10], list("AAABBB")
    assert piecewise(values, phases, days).tidy().equals(piecewise(values, phases, [0, 1, 3, 7, 8, 10]).tidy())


def test_a_phase_of_one_observation_has_no_slope():
    found = piecewise([1, 2, 4, 3, 9], list("AAAAB"))
    table = found.tidy().set_index("term")
    assert np.isnan(table.loc["slope", "estimate"])
    assert table.loc["level", "estimate"] == pytest.approx(9 - 4.5)
    assert "只有一个观察" in found.notes()


def test_lines_through_all_points_have_no_error():
    found = piecewise([1, 2, 5, 7], list("AABB"))
    assert found.tidy()["std_error"].isna().all()
    assert "没有标准误" in found.notes()
    flat = piecewise([2, 2, 2, 2, 2, 2], list("AAABBB"))
    assert flat.tidy()["estimate"].tolist() == pytest.approx([2, 0, 0, 0])
    assert flat.tidy()["p_value"].isna().all()


@pytest.mark.parametrize("after", [[0, 0, 0, 0], [0, 0, 0, 5]])
def test_counts_without_a_maximum_are_not_made_up(after):
    found = piecewise([4, 6, 3, 5, *after], list("AAAABBBB"), family="poisson")
    table = found.tidy().set_index("term")
    assert table.loc[["level", "slope"], "estimate"].isna().all()
    assert table.loc["trend", "std_error"] > 0
    assert "阶段 B" in found.notes()


def test_counts_that_vary_too_much_are_spoken_of():
    found = piecewise([0, 40, 1, 35, 2, 60, 0, 55, 3], list("AAAABBBBB"), family="poisson")
    assert "dispersion" in found.notes()
    assert (
        "拟似然" in piecewise([0, 40, 1, 35, 2, 60], list("AAABBB"), family="poisson", dispersion="estimated").notes()
    )


def test_alike_neighbours_are_spoken_of():
    rng = np.random.default_rng(1)
    noise = np.zeros(60)
    for i in range(1, 60):
        noise[i] = 0.9 * noise[i - 1] + rng.normal()
    assert "一阶自相关" in piecewise(noise, ["A"] * 30 + ["B"] * 30).notes()


def test_an_autocorrelation_at_its_end_is_spoken_of():
    # Residuals that turn with every session, as exactly as can be.
    values = [1, 3, 1, 3, 1, 3.01, 5, 7, 5, 7, 5, 7]
    found = piecewise(values, ["A"] * 6 + ["B"] * 6, autocorrelation="ar1")
    assert found.glance()["phi"][0] < -0.95
    assert "范围的边上" in found.notes()


def test_the_figure_shows_data_lines_and_phases():
    ax = piecewise(*JOHANNA).plot()
    assert [text.get_text() for text in ax.texts] == ["A", "B"]
    drawn = ax.lines[1].get_xydata()
    assert drawn[0].tolist() == pytest.approx([0, 54.4])
    ax.figure.clear()


def test_successes_are_drawn_as_shares():
    ax = piecewise([2, 4, 3, 8, 9, 7], list("AAABBB"), family="binomial", trials=[10, 10, 10, 20, 20, 20]).plot()
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.2, 0.4, 0.3])
    assert ax.get_ylabel() == "发生的比例"
    ax.figure.clear()


@pytest.mark.parametrize(
    ("values", "phases", "options"),
    [
        ([1, 2, 3], ["A", "B"], {}),
        ([1, 2, 3], ["A", "A", "A"], {}),
        ([1, 2, 3], ["A", "B", "B"], {}),
        ([1, 2, "x", 4], list("AABB"), {}),
        ([1, 2, float("inf"), 4], list("AABB"), {}),
        ([1, 2, 3, 4], ["A", "A", None, "B"], {}),
        ([1, 2, None, None], list("AABB"), {}),
        ("1234", list("AABB"), {}),
        ([1, 2, 3, 4], "AABB", {}),
        ([1, 2, 3, 4], list("AABB"), {"times": [0, 1, 1, 2]}),
        ([1, 2, 3, 4], list("AABB"), {"times": [0, 1, None, 2]}),
        ([1, 2, 3, 4], list("AABB"), {"times": [0, 1, 2]}),
        ([1, 2, 3, 4], list("AABB"), {"times": ["a", "b", "c", "d"]}),
        ([1, 2, 3, 4.5], list("AABB"), {"family": "poisson"}),
        ([1, 2, 3, -4], list("AABB"), {"family": "poisson"}),
        ([1, 2, 3, 4], list("AABB"), {"family": "binomial"}),
        ([1, 2, 3, 4], list("AABB"), {"family": "binomial", "trials": 3}),
        ([1, 2, 3, 4], list("AABB"), {"family": "binomial", "trials": [5, 5, 5]}),
        ([1, 2, 3, 4], list("AABB"), {"family": "binomial", "trials": [5, 5, 5, None]}),
        ([1, 2, 3, 4], list("AABB"), {"family": "binomial", "trials": "5"}),
        ([1, 2, 3, 4], list("AABB"), {"trials": 5}),
        ([1, 2, 3, 4], list("AABB"), {"family": "poisson", "autocorrelation": "ar1"}),
        ([1, 2, 3, 4], list("AABB"), {"dispersion": "estimated"}),
        ([1, 2, 3, 4], list("AABB"), {"family": "gamma"}),
        ([1, 2, 3, 4], list("AABB"), {"baseline": "B"}),
        ([1, 2, 3, 4], list("AABB"), {"conf_level": 95}),
        (None, None, {}),
        ([], [], {}),
    ],
)
def test_what_cannot_be_is_refused(values, phases, options, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        piecewise(values, phases, **options)
    assert all(in_both_languages(error.value))
