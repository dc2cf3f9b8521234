"""Standardised mean differences and percent of goal obtained."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from htresearch.errors import ArgumentError
from htresearch.singlecase import pogo, smd

from .definitions import briefly
from .test_overlap import A, B, directions, row, series
from .test_tau import JOHANNA


@pytest.mark.parametrize(
    ("options", "estimate", "error", "low", "high"),
    [
        ({}, 1.649932, 0.6340935, 0.4071314, 2.892732),
        ({"improvement": "decrease"}, -1.649932, 0.6340935, -2.892732, -0.4071314),
        ({"bias_correct": False}, 1.959294, 0.8237984, 0.3446789, 3.573909),
        ({"std_dev": "pooled"}, 1.876247, 0.6374216, 0.6269241, 3.125571),
    ],
)
def test_pustejovsky_2019_smd_as_singlecasees_prints_it(options, estimate, error, low, high):
    found = row(smd(A, B, **options))
    expected = [estimate, error, low, high]
    assert found[["estimate", "std_error", "conf_low", "conf_high"]].tolist() == pytest.approx(expected, abs=5e-7)


def test_singlecasees_standard_deviations():
    assert row(smd(A, B))["std_dev"] == pytest.approx(2.503331, abs=5e-7)
    assert row(smd(A, B, std_dev="pooled"))["std_dev"] == pytest.approx(2.431752, abs=5e-7)


def test_parker_vannest_2009_smd():
    """The example of SingleCaseES's calc_ES()."""
    found = row(smd([4, 3, 4, 3, 4, 7, 5, 2, 3, 2], [5, 9, 7, 9, 7, 5, 9, 11, 11, 10, 9]))
    assert found["estimate"] == pytest.approx(2.8531844, abs=5e-8)
    assert found["std_error"] == pytest.approx(0.78308117, abs=5e-8)
    assert found["std_dev"] == pytest.approx(1.494434, abs=5e-7)


def test_wilbert_scan_johanna():
    """Glass's delta, Hedges's g and its correction, and the difference of means, as scan's tests have them."""
    assert row(smd(*JOHANNA, bias_correct=False))["estimate"] == pytest.approx(8.1108, abs=5e-5)
    assert row(smd(*JOHANNA, std_dev="pooled", bias_correct=False))["estimate"] == pytest.approx(2.45, abs=0.005)
    assert row(smd(*JOHANNA, std_dev="pooled"))["estimate"] == pytest.approx(2.3478, abs=5e-5)
    assert row(smd(*JOHANNA))["difference"] == pytest.approx(19.5333, abs=5e-5)


def test_hedges_1981_the_factor_is_said():
    """1 - 3 / (4 df - 1): 16/19 for five, 40/43 for eleven degrees of freedom."""
    assert row(smd(A, B))["correction"] == pytest.approx(16 / 19, abs=1e-12)
    assert row(smd(A, B, std_dev="pooled"))["correction"] == pytest.approx(40 / 43, abs=1e-12)
    assert "0.842" in smd(A, B).notes()
    assert row(smd(A, B, std_dev="pooled"))["term"] == "hedges_g"


@briefly
@given(series, series, directions, st.sampled_from(["baseline", "pooled"]))
def test_smd_has_no_unit(before, after, direction, std_dev):
    assume(len(before) > 2 and np.ptp(before) > 0)
    found = row(smd(before, after, direction, std_dev))
    moved = row(smd([7 + 3 * x for x in before], [7 + 3 * x for x in after], direction, std_dev))
    other = row(smd(before, after, "increase" if direction == "decrease" else "decrease", std_dev))
    assert moved["estimate"] == pytest.approx(found["estimate"], abs=1e-9)
    assert moved["std_error"] == pytest.approx(found["std_error"], abs=1e-9, nan_ok=True)
    assert other["estimate"] == pytest.approx(-found["estimate"], abs=1e-12)


@pytest.mark.parametrize(
    ("before", "after", "std_dev", "said"),
    [
        ([3, 3, 3], [4, 5, 6], "baseline", "标准差为 0"),
        ([0.1, 0.1, 0.1], [4, 5, 6], "baseline", "标准差为 0"),
        ([3, 3, 3], [5, 5], "pooled", "标准差为 0"),
        ([3], [4, 5], "baseline", "改变前只有 1 次观察"),
        ([3, 4], [4, 5], "baseline", "只有 1 个自由度"),
        ([3], [4], "pooled", "改变前只有 1 次观察"),
    ],
)
def test_what_cannot_be_standardised_is_missing_and_says_why(before, after, std_dev, said):
    found = smd(before, after, std_dev=std_dev)
    assert row(found)[["estimate", "std_error", "conf_low", "conf_high"]].isna().all()
    assert said in found.notes()


def test_one_treatment_observation_has_no_error_with_the_baselines_deviation():
    found = smd([3, 4, 5], [6])
    assert row(found)["estimate"] == pytest.approx((1 - 3 / 7) * 2)
    assert math.isnan(row(found)["std_error"])
    assert "改变后只有 1 次观察" in found.notes()


def test_ferron_2020_pogo_as_singlecasees_prints_it():
    found = row(pogo(A, B, goal=30))
    assert found["estimate"] == pytest.approx(66.88312, abs=5e-6)
    assert found["std_error"] == pytest.approx(20.74513, abs=5e-6)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([26.22341, 107.5428], abs=5e-5)


def test_ferron_2020_pogo_is_the_share_of_the_way():
    """As SingleCaseES tests it: 100 (mean B - mean A) / (25 - mean A), whichever the direction."""
    expected = 100 * (193 / 7 - 136 / 6) / (25 - 136 / 6)
    for direction in ("increase", "decrease"):
        assert row(pogo(A, B, 25, direction))["estimate"] == pytest.approx(expected, abs=1e-10)
    assert row(pogo([10, 12], [5, 7], goal=1, improvement="decrease"))["estimate"] == pytest.approx(50)
    assert row(pogo([10, 12], [5, 7], goal=1, improvement="decrease"))["std_error"] > 0
    assert "方向不一致" in pogo(A, B, 25, "decrease").notes()
    assert "方向不一致" not in pogo(A, B, 25).notes()


def test_dunlap_silver_1986_error_of_the_ratio():
    """Variances 2 and 8, two and four observations, half of a way of 10: sqrt(1 + 2 + 1/4 * 1) / 10."""
    found = row(pogo([9, 11], [15 - math.sqrt(6), 15 - math.sqrt(6), 15 + math.sqrt(6), 15 + math.sqrt(6)], 20))
    assert found["estimate"] == pytest.approx(50)
    assert found["std_error"] == pytest.approx(100 * math.sqrt(1 + 2 + 0.25) / 10)


def test_a_goal_reached_before_has_no_way_to_go():
    found = pogo([0.1, 0.1, 0.1], [1, 2], goal=0.1)
    assert math.isnan(row(found)["estimate"])
    assert "已等于目标" in found.notes()


def test_pogo_without_spread_has_no_error():
    found = pogo([1, 1], [2, 2], goal=3)
    assert row(found)["estimate"] == 50
    assert math.isnan(row(found)["std_error"])
    assert "没有波动" in found.notes()
    assert math.isnan(row(pogo([1], [2, 3], goal=3))["std_error"])


@pytest.mark.parametrize("goal", ["30", None, math.inf, math.nan, True, [30]])
def test_a_goal_is_a_number(goal, in_both_languages):
    with pytest.raises(ArgumentError, match="goal") as error:
        pogo(A, B, goal=goal)
    assert all(in_both_languages(error.value))


def test_options_are_refused():
    with pytest.raises(ArgumentError) as error:
        smd(A, B, std_dev="pool", bias_correct="no")
    assert len(error.value.faults) == 2


@pytest.mark.parametrize("far", [1e300, -1e60, 1e-320])
def test_what_cannot_be_computed_with_is_refused(far, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        smd([far, 1, 2], [1, far])
    assert len(error.value.faults) == 2
    assert all(in_both_languages(error.value))
