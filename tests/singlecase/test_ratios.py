"""Log response ratios, log odds ratios and log ratios of medians."""

import math

import numpy as np
import pytest
from hypothesis import assume, given

from htresearch.errors import ArgumentError
from htresearch.singlecase import lor, lrm, lrr

from .definitions import briefly
from .schmidt import DISRUPTIVE, ON_TASK
from .test_overlap import MCKISSICK, A, B, directions, row, series

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]
A_PCT, B_PCT = [20, 20, 25, 25, 20, 25], [30, 25, 25, 25, 35, 30, 25]


# --- log response ratio ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.1953962, 0.05557723, 0.08646679, 0.3043255]),
        ({"improvement": "decrease"}, [-0.1953962, 0.05557723, -0.3043255, -0.08646679]),
        ({"scale": "percentage"}, [0.1953962, 0.05557723, 0.08646679, 0.3043255]),
        (
            {"scale": "percentage", "improvement": "decrease"},
            [-0.06553504, 0.01810144, -0.1010132, -0.03005687],
        ),
        ({"form": "decreasing", "improvement": "decrease"}, [0.1953962, 0.05557723, 0.08646679, 0.3043255]),
        (
            {"form": "decreasing", "improvement": "decrease", "bias_correct": False},
            [0.1958846, 0.05557723, 0.08695525, 0.304814],
        ),
        ({"form": "decreasing"}, [-0.1953962, 0.05557723, -0.30432554, -0.08646679]),
    ],
)
def test_pustejovsky_2018_lrr_as_singlecasees_prints_it(options, expected):
    assert row(lrr(A, B, **options))[NUMBERS].tolist() == pytest.approx(expected, abs=5e-7)


def test_pustejovsky_2018_percent_change():
    assert row(lrr(A, B))["percent_change"] == pytest.approx(21.5792546, abs=5e-7)


def test_parker_vannest_2009_lrr():
    """The example of SingleCaseES's calc_ES()."""
    found = row(lrr([4, 3, 4, 3, 4, 7, 5, 2, 3, 2], [5, 9, 7, 9, 7, 5, 9, 11, 11, 10, 9]))
    assert found[NUMBERS].tolist() == pytest.approx([0.8102983, 0.14867023, 0.5189100, 1.1016866], abs=5e-7)


@pytest.mark.parametrize(
    ("options", "estimate", "low", "high"),
    [
        ({"scale": "rate", "observation_length": 30}, 8.672947, 7.690897, 9.654996),
        ({"scale": "percentage", "intervals": 180}, 5.859536, 4.877487, 6.841586),
    ],
)
def test_pustejovsky_2018_a_phase_of_zeros(options, estimate, low, high):
    """As SingleCaseES's vignette prints it: D is 30 for the rate, 1.8 for the percentage."""
    found = lrr([0, 0, 0, 0], B, "decrease", form="decreasing", **options)
    assert row(found)[NUMBERS].tolist() == pytest.approx([estimate, 0.5010548, low, high], abs=1e-6)
    assert row(found)["truncated"]
    assert "D = " in found.notes()


@pytest.mark.parametrize("scale", ["rate", "percentage", "proportion", "other"])
def test_a_phase_of_zeros_without_d_is_missing(scale):
    found = lrr([0, 0, 0, 0], [0.2, 0.3, 0.1], scale=scale)
    assert row(found)[NUMBERS].isna().all()
    assert "量尺的尽头" in found.notes()


@pytest.mark.parametrize(
    ("period", "expected", "error", "low", "high"),
    [
        ("Period 1", 0.807, 0.198, 0.419, 1.19),
        ("Period 2", 0.610, 0.349, -0.0736, 1.29),
        ("Period 3", 0.748, 0.353, 0.0550, 1.44),
    ],
)
def test_mckissick_2010_lrr(period, expected, error, low, high):
    """Pustejovsky's (2018) first example, as SingleCaseES prints it; LRRd is its negative."""
    found = row(lrr(*MCKISSICK[period], "decrease"))
    assert found[["estimate", "std_error", "conf_low"]].tolist() == pytest.approx([expected, error, low], abs=5.1e-4)
    assert found["conf_high"] == pytest.approx(high, abs=0.0051)
    assert row(lrr(*MCKISSICK[period], "decrease", "decreasing"))["estimate"] == pytest.approx(-expected, abs=5.1e-4)


@pytest.mark.parametrize(
    ("pair", "expected", "error"),
    [
        (("Albert", 1), 1.749, 0.210),
        (("Albert", 2), 0.947, 0.538),
        (("Faith", 1), 1.606, 0.324),
        (("Faith", 2), 1.651, 0.376),
        (("Lilly", 1), 1.168, 0.227),
        (("Lilly", 2), 1.427, 0.310),
    ],
)
def test_schmidt_2007_lrr_of_disruptive_behaviour(pair, expected, error):
    """Pustejovsky's (2018) second example, as SingleCaseES's vignette prints it."""
    found = row(lrr(*DISRUPTIVE[pair], "decrease"))
    assert found[["estimate", "std_error"]].tolist() == pytest.approx([expected, error], abs=5.1e-4)


@pytest.mark.parametrize(
    ("pair", "increasing", "error", "decreasing", "decreasing_error"),
    [
        (("Albert", 1), 0.421, 0.162, -1.56, 0.511),
        (("Albert", 2), 0.0525, 0.117, -0.871, 0.940),
        (("Faith", 1), 0.323, 0.129, -1.72, 0.393),
        (("Faith", 2), 0.241, 0.201, -1.17, 0.917),
        (("Lilly", 1), 0.0147, 0.114, -0.00904, 0.364),
        (("Lilly", 2), 0.604, 0.672, -2.70, 0.534),
    ],
)
def test_schmidt_2007_lrr_of_on_task_behaviour(pair, increasing, error, decreasing, decreasing_error):
    """Percentages: the decreasing form compares what is lacking to 100 %."""
    found = row(lrr(*ON_TASK[pair], scale="percentage"))
    assert found[["estimate", "std_error"]].tolist() == pytest.approx([increasing, error], abs=5.1e-4)
    found = row(lrr(*ON_TASK[pair], form="decreasing", scale="percentage"))
    assert found["estimate"] == pytest.approx(decreasing, rel=0.0051)
    assert found["std_error"] == pytest.approx(decreasing_error, abs=5.1e-4)


@briefly
@given(series, series, directions)
def test_lrr_is_that_of_the_formula(before, after, direction):
    assume(min(len(before), len(after)) > 1)
    logs, spread = [], 0.0
    for values in (before, after):
        n = len(values)
        mean, variance = max(np.mean(values), 1 / (2 * n)), max(np.var(values, ddof=1), 1 / n**3)
        logs.append(math.log(mean) + variance / (2 * n * mean**2))
        spread += variance / (n * mean**2)
    sign = 1 if direction == "increase" else -1
    found = row(lrr(before, after, direction))
    assert found[["estimate", "std_error"]].tolist() == pytest.approx([sign * (logs[1] - logs[0]), math.sqrt(spread)])


@briefly
@given(series, series, directions)
def test_forms_of_counts_mirror_each_other_and_the_unit_of_ratios_is_free(before, after, direction):
    assume(min(len(before), len(after)) > 1 and min(sum(before), sum(after)) > 0)
    up, down = row(lrr(before, after, direction)), row(lrr(before, after, direction, "decreasing"))
    assert up["estimate"] == -down["estimate"]
    assume(min(np.ptp(before), np.ptp(after)) > 0)
    plain = row(lrr(before, after, direction, scale="other"))
    wide = row(lrr([7 * x for x in before], [7 * x for x in after], direction, scale="other"))
    assert wide[NUMBERS].tolist() == pytest.approx(plain[NUMBERS].tolist(), abs=1e-9)


def test_one_observation_cannot_be_corrected():
    found = lrr([3], [4, 5])
    assert math.isnan(row(found)["estimate"])
    assert "改变前只有 1 次观察" in found.notes()
    plain = row(lrr([3], [4, 5], bias_correct=False))
    assert plain["estimate"] == pytest.approx(math.log(4.5 / 3))
    assert math.isnan(plain["std_error"])


def test_no_variance_has_no_error_where_d_is_not_known():
    found = lrr([2, 2], [4, 4], scale="other")
    assert row(found)["estimate"] == pytest.approx(math.log(2))
    assert math.isnan(row(found)["std_error"])
    assert "没有波动" in found.notes()
    assert row(lrr([2, 2], [4, 4]))["std_error"] > 0  # counts: the least that D = 1 allows


@pytest.mark.parametrize(
    ("index", "before", "options"),
    [
        (lrr, [-1, 2], {}),
        (lrr, [101, 2], {"scale": "percentage"}),
        (lrr, [1.01, 0.2], {"scale": "proportion"}),
        (lor, [20, 30], {"scale": "proportion"}),
        (lor, [101, 30], {}),
        (lrm, [-1, 2], {}),
    ],
)
def test_what_is_off_the_scale_is_refused(index, before, options, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        index(before, before, **options)
    assert len(error.value.faults) == 2
    assert all("baseline" in said and "treatment" in said for said in in_both_languages(error.value))


def test_options_are_refused(in_both_languages):
    with pytest.raises(ArgumentError) as error:
        lrr(A, B, form="up", scale="percent", intervals=0, observation_length="10", bias_correct=1)
    assert len(error.value.faults) == 5
    assert all(in_both_languages(error.value))
    with pytest.raises(ArgumentError, match="percentage"):
        lor(A, B, scale="count")


# --- log odds ratio -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.2852854, 0.09790282, 0.09339935, 0.4771713]),
        ({"intervals": 20}, [0.2852854, 0.09790282, 0.09339935, 0.4771713]),
        ({"bias_correct": False}, [0.2852038, 0.09790282, 0.09331776, 0.4770898]),
        ({"improvement": "decrease"}, [-0.2852854, 0.09790282, -0.4771713, -0.09339935]),
    ],
)
def test_pustejovsky_2015_lor_as_singlecasees_prints_it(options, expected):
    assert row(lor(A_PCT, B_PCT, **options))[NUMBERS].tolist() == pytest.approx(expected, abs=5e-7)


def test_pustejovsky_2015_lor_of_proportions_is_that_of_percentages():
    found = row(lor([x / 100 for x in A_PCT], [x / 100 for x in B_PCT], scale="proportion"))
    assert found[NUMBERS].tolist() == pytest.approx([0.2852854, 0.09790282, 0.09339935, 0.4771713], abs=5e-7)


def test_pustejovsky_2015_lor_of_a_phase_of_zeros():
    found = lor([0, 0, 0], B_PCT, intervals=20)
    assert row(found)[NUMBERS].tolist() == pytest.approx([3.60657, 0.676328, 2.280992, 4.932149], abs=5e-6)
    assert "D = 20" in found.notes()
    assert math.isnan(row(lor([0, 0, 0], B_PCT))["estimate"])
    assert math.isnan(row(lor([100, 100], B_PCT))["estimate"])


def test_lor_of_the_complement_is_the_negative():
    up = row(lor(A_PCT, B_PCT, intervals=20))
    down = row(lor([100 - x for x in A_PCT], [100 - x for x in B_PCT], intervals=20))
    assert down["estimate"] == pytest.approx(-up["estimate"])
    full, empty = row(lor([100, 100], B_PCT, intervals=10)), row(lor([0, 0], [100 - x for x in B_PCT], intervals=10))
    assert full["estimate"] == pytest.approx(-empty["estimate"])


# --- log ratio of medians -------------------------------------------------------------------------------------------


def test_bonett_price_2020_lrm_of_the_series():
    """As SingleCaseES prints it."""
    expected = [0.2186892, 0.07641543, 0.06891771, 0.3684607]
    assert row(lrm(A, B))[NUMBERS].tolist() == pytest.approx(expected, abs=5e-7)
    assert row(lrm(A, B))["estimate"] == pytest.approx(math.log(28 / 22.5), abs=1e-12)


def test_bonett_price_2020_ratio_of_medians():
    """The example of statpsych's ci.ratio.median2(): 43 / 37 = 1.162162, .927667 to 1.455933."""
    before = [32, 39, 26, 35, 43, 27, 40, 37, 34, 29, 49, 42, 40]
    after = [36, 44, 47, 42, 49, 39, 46, 31, 33, 48]
    found = row(lrm(before, after))
    assert found[["median_baseline", "median_treatment"]].tolist() == [37, 43]
    assert math.exp(found["estimate"]) == pytest.approx(43 / 37, abs=1e-12)
    assert np.exp([found["conf_low"], found["conf_high"]]).tolist() == pytest.approx([0.927667, 1.455933], abs=1e-6)


def test_lrm_of_zeros():
    zeros = lrm([9, 5, 5, 6], [0, 0, 0, 3])
    assert row(zeros)[NUMBERS].isna().all()
    assert "中位数为 0" in zeros.notes()
    some = lrm([9, 5, 5, 6], [0, 3, 1, 4])
    assert row(some)["estimate"] == pytest.approx(math.log(2 / 5.5))
    assert math.isnan(row(some)["std_error"])
    assert "无法估计标准误" in some.notes()


def test_lrm_of_short_and_constant_phases():
    assert math.isnan(row(lrm([3], [4, 5]))["std_error"])
    assert "改变前只有 1 次观察" in lrm([3], [4, 5]).notes()
    assert math.isnan(row(lrm([3, 3, 3], [4, 4]))["std_error"])


@briefly
@given(series, series)
def test_lrm_turns_with_the_direction(before, after):
    up, down = row(lrm(before, after)), row(lrm(before, after, "decrease"))
    assert up["estimate"] == pytest.approx(-down["estimate"], nan_ok=True)
    assert up["std_error"] == pytest.approx(down["std_error"], nan_ok=True)
