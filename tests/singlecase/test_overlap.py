"""NAP, PND and PEM against the papers' fractions and against definitions by loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htresearch.errors import ArgumentError
from htresearch.singlecase import nap, pem, pnd

from . import definitions
from .definitions import briefly

#: Parker, Vannest & Davis (2011), the series that the paper computes every index from.
A, B = [20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]
SIGN = {"increase": 1, "decrease": -1}
#: Whole numbers of a small range: ties are frequent, phases short.
series = st.lists(st.integers(0, 8), min_size=1, max_size=8)
directions = st.sampled_from(["increase", "decrease"])


def row(found):
    return found.tidy().iloc[0]


def test_parker_vannest_davis_2011_nap():
    assert row(nap(A, B))["estimate"] == pytest.approx(38.5 / 42, abs=1e-12)


def test_parker_vannest_davis_2011_pnd():
    assert row(pnd(A, B))[["estimate", "better", "best_baseline"]].tolist() == [5 / 7, 5, 26]


def test_parker_vannest_davis_2011_pem():
    assert row(pem(A, B))["estimate"] == 7 / 7


def test_parker_vannest_2009_nap():
    """Their example, 106 of 110 pairs; standard error and interval as SingleCaseES 0.7.0 prints them for it."""
    before, after = [4, 3, 4, 3, 4, 7, 5, 2, 3, 2], [5, 9, 7, 9, 7, 5, 9, 11, 11, 10, 9]
    found = row(nap(before, after))
    assert found["estimate"] == pytest.approx(106 / 110, abs=1e-12)
    assert found["std_error"] == pytest.approx(0.03192622, abs=1e-8)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([0.7499741, 0.9950729], abs=1e-4)


@pytest.mark.parametrize(
    ("conf_level", "low", "high"),
    [(0.95, 0.5973406, 0.9860176), (0.99, 0.4875014, 0.9907377), (0.90, 0.6591091, 0.9822249)],
)
def test_newcombe_2006_interval_of_the_series(conf_level, low, high):
    """As the vignette of SingleCaseES 0.7.0 prints it, whose root is found to 1e-4."""
    found = row(nap(A, B, conf_level=conf_level))
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([low, high], abs=1e-4)


@pytest.mark.parametrize(
    ("std_error", "expected"),
    [("unbiased", 0.06900656), ("hanley", 0.07739185), ("null", math.sqrt(14 / (12 * 42)))],
)
def test_mee_1990_hanley_mcneil_1982_standard_errors(std_error, expected):
    """As the vignette of SingleCaseES 0.7.0 prints them; that under no effect is 1/6."""
    assert row(nap(A, B, std_error=std_error))["std_error"] == pytest.approx(expected, abs=1e-8)


def test_singlecasees_vignette_decreasing():
    found = row(nap(A, B, "decrease"))
    assert found["estimate"] == pytest.approx(3.5 / 42, abs=1e-12)
    assert found["std_error"] == pytest.approx(0.06900656, abs=1e-8)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([0.01398242, 0.4026594], abs=1e-4)
    assert row(pnd(A, B, "decrease"))["estimate"] == 0
    assert row(pem(A, B, "decrease"))["estimate"] == 0


def test_singlecasees_vignette_three_phases():
    found = row(nap(A[:5], [A[5], *B[:4]]))
    assert found["estimate"] == pytest.approx(0.78, abs=1e-12)
    assert found["std_error"] == pytest.approx(0.155, abs=1e-12)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([0.4115567, 0.9423658], abs=1e-4)


def test_singlecasees_vignette_complete_nonoverlap_keeps_an_error():
    """Half a pair short of 1: sqrt((29/30)(1/30) / (4 * 2))."""
    found = row(nap(A[:5], B[4:]))
    assert found["estimate"] == found["conf_high"] == 1
    assert found["std_error"] == pytest.approx(0.06346478, abs=1e-8)
    assert 0.4 < found["conf_low"] < 0.8


def test_wilbert_scan_nap_of_aggressive_behaviour():
    """The example of scan's nap(): 94 %, rescaled 88, w 22 = pairs that are better, ties as half."""
    found = row(nap([12, 14, 9, 10], [10, 6, 4, 5, 3, 4], "decrease"))
    assert found["estimate"] == pytest.approx(22.5 / 24, abs=1e-12)


#: Grosche (2011), as scan documents it: three pupils' reading.
GROSCHE = {
    "Eva": (
        [3.39, 2.09, 1.46, 3.23, 3.06, 2.83],
        [2.44, 1.86, 2.17, 2.59, 3.92, 4.14, 3.31, 2.69, 4.27, 4.66, 3.20, 4.98, 4.42],
    ),
    "Georg": (
        [13.00, 17.40, 13.00, 7.74, 8.82, 7.50, 5.82],
        [
            6.26,
            5.60,
            12.79,
            9.17,
            10.59,
            9.23,
            10.71,
            7.61,
            9.78,
            8.33,
            12.00,
            12.19,
            10.70,
            11.36,
            7.89,
            10.82,
            11.56,
        ],
    ),
    "Olaf": (
        [7.69, 7.27, 7.02, 5.37, 4.57, 3.02, 4.68, 4.97, 5.73, 7.63, 6.98, 7.50],
        [6.91, 4.86, 6.71, 5.67, 5.00, 6.14, 8.14, 4.53],
    ),
}


@pytest.mark.parametrize(("pupil", "rescaled", "w"), [("Eva", 38.5, 24), ("Georg", -4.2, 62), ("Olaf", -10.4, 53)])
def test_grosche_2011_nap(pupil, rescaled, w):
    """Rescaled NAP and Wilcoxon's w (pairs that are no better) as scan prints them."""
    before, after = GROSCHE[pupil]
    found = row(nap(before, after))["estimate"]
    assert 100 * (2 * found - 1) == pytest.approx(rescaled, abs=0.051)
    assert found == pytest.approx(1 - w / (len(before) * len(after)), abs=1e-12)


#: McKissick et al. (2010): disruptive behaviours in three classes, as SingleCaseES has them.
MCKISSICK = {
    "Period 1": ([13.62, 12.57, 15.76], [5.97, 4.63, 5.82, 3.72, 8.07, 2.95, 11.86]),
    "Period 2": ([8.07, 21.86, 19.6, 20.98, 17.75], [9.96, 4.02, 10.8, 9.57, 0.04, 5.57, 24.52]),
    "Period 3": ([11.82, 13.95, 11.93, 16.09, 18.09, 11.75, 13.75, 12.59, 11], [1.98, 4.8, 11.87, 5.34]),
}


@pytest.mark.parametrize(
    ("period", "expected", "error", "nonoverlap"),
    [
        ("Period 1", 1.0, 0.0440101, 1.0),
        ("Period 2", 0.7714286, 0.1538619, 0.4285714),
        ("Period 3", 0.9166667, 0.0833333, 0.75),
    ],
)
def test_mckissick_2010_nap_and_pnd(period, expected, error, nonoverlap):
    """The table of SingleCaseES's vignette."""
    found = row(nap(*MCKISSICK[period], "decrease"))
    assert found[["estimate", "std_error"]].tolist() == pytest.approx([expected, error], abs=1e-7)
    assert row(pnd(*MCKISSICK[period], "decrease"))["estimate"] == pytest.approx(nonoverlap, abs=1e-7)


@pytest.mark.parametrize(
    ("period", "low", "high"), [("Period 2", 0.4305321, 0.9322444), ("Period 3", 0.5676324, 0.9874545)]
)
def test_mckissick_2010_nap_interval(period, low, high):
    found = row(nap(*MCKISSICK[period], "decrease"))
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([low, high], abs=1e-4)


@briefly
@given(series, series, directions)
def test_estimates_are_those_of_the_definitions(before, after, direction):
    sign = SIGN[direction]
    assert row(nap(before, after, direction))["estimate"] == pytest.approx(definitions.nap(before, after, sign))
    assert row(pnd(before, after, direction))["estimate"] == pytest.approx(definitions.pnd(before, after, sign))
    assert row(pem(before, after, direction))["estimate"] == pytest.approx(definitions.pem(before, after, sign))


@briefly
@given(series, series, directions)
def test_standard_errors_are_those_of_the_definitions(before, after, direction):
    unbiased, hanley = definitions.nap_variance(before, after, SIGN[direction])
    found = row(nap(before, after, direction))["std_error"]
    if unbiased > 1e-12:
        assert found == pytest.approx(math.sqrt(unbiased))
    else:
        assert math.isnan(found)
    assert row(nap(before, after, direction, "hanley"))["std_error"] == pytest.approx(math.sqrt(hanley))


@briefly
@given(series, series)
def test_directions_mirror_each_other(before, after):
    up, down = row(nap(before, after)), row(nap(before, after, "decrease"))
    assert up["estimate"] == pytest.approx(1 - down["estimate"])
    assert up["conf_low"] == pytest.approx(1 - down["conf_high"], abs=1e-9)
    turned = [-x for x in before], [-x for x in after]
    for index in (nap, pnd, pem):
        assert row(index(before, after))["estimate"] == row(index(*turned, "decrease"))["estimate"]


@briefly
@given(series, series)
def test_only_the_order_counts(before, after):
    stretched = [[math.exp(x) + x**3 for x in phase] for phase in (before, after)]
    assert row(nap(*stretched))["estimate"] == row(nap(before, after))["estimate"]
    assert row(pnd(*stretched))["estimate"] == row(pnd(before, after))["estimate"]


@briefly
@given(series, series, st.floats(0.5, 0.999))
def test_the_interval_holds_the_estimate_and_solves_newcombes_equation(before, after, conf_level):
    found = row(nap(before, after, conf_level=conf_level))
    m, n = len(before), len(after)
    assert 0 <= found["conf_low"] <= found["estimate"] <= found["conf_high"] <= 1
    from scipy import stats

    z = stats.norm.ppf((1 + conf_level) / 2)
    for end in (found["conf_low"], found["conf_high"]):
        h = (m + n) / 2 - 1
        spread = end * (1 - end) * (1 + h * (1 - end) / (2 - end) + h * end / (1 + end)) / (m * n)
        assert (found["estimate"] - end) ** 2 == pytest.approx(z**2 * spread, abs=1e-8)


def test_missing_is_as_if_it_had_not_been_asked(in_both_languages):
    gaps = [20, None, 20, 26, float("nan"), 25, 22, 23]
    for index in (nap, pnd, pem):
        found = index(gaps, np.array([*B, np.nan]))
        assert row(found)["estimate"] == row(index(A, B))["estimate"]
        assert "改变前 2 次，改变后 1 次" in found.notes()
        assert found.glance()[["missing_baseline", "missing_treatment"]].iloc[0].tolist() == [2, 1]


def test_a_phase_of_one_has_no_unbiased_error_and_says_why():
    found = nap([3], [5, 6])
    assert row(found)["estimate"] == 1
    assert math.isnan(row(found)["std_error"])
    assert "改变前只有 1 次观察" in found.notes()
    assert "改变后只有 1 次观察" in nap([3, 4], [5]).notes()
    assert row(nap([3], [5], std_error="null"))["std_error"] == pytest.approx(0.5)


def test_no_variance_no_effect():
    assert row(nap([5, 5, 5], [5, 5, 5]))[["estimate", "std_error"]].tolist() == [0.5, 0.25]
    assert row(pnd([5, 5, 5], [5, 5, 5]))["estimate"] == 0
    assert row(pem([5, 5, 5], [5, 5, 5]))["estimate"] == 0.5


@pytest.mark.parametrize(
    "bad", ["345", None, 5, [], [None], ["x", 1], [np.inf], {"a": 1}, [[1, 2], [3, 4]], [1 + 2j]]
)
@pytest.mark.parametrize("index", [nap, pnd, pem])
def test_what_cannot_be_is_refused_in_both_phases_at_once(index, bad, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        index(bad, bad)
    assert len(error.value.faults) == 2
    assert all("baseline" in said and "treatment" in said for said in in_both_languages(error.value))


def test_every_fault_is_said_at_once(in_both_languages):
    with pytest.raises(ArgumentError) as error:
        nap([], [1], improvement="up", std_error="sen", conf_level=95)
    assert len(error.value.faults) == 4
    for said in in_both_languages(error.value):
        assert all(name in said for name in ("baseline", "improvement", "std_error", "conf_level"))


def test_the_plot_shows_the_interval_and_the_line_of_no_effect():
    import matplotlib.pyplot as plt

    ax = nap(A, B).plot()
    assert [list(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2] == [[0.5, 0.5]]
    plt.close(ax.figure)
    ax = pnd(A, B).plot()  # neither interval nor a value of no effect
    assert all(len(line.get_xdata()) == 1 for line in ax.lines)
    plt.close(ax.figure)
