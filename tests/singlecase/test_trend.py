"""PET and the conservative dual criterion."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from htresearch.errors import ArgumentError
from htresearch.singlecase import cdc, pet
from htresearch.singlecase.trend import line

from .definitions import briefly
from .test_overlap import SIGN, directions, row, series
from .test_tau import JOHANNA

baselines = st.lists(st.integers(0, 8), min_size=2, max_size=8)


def test_wilbert_scan_pet_of_johanna():
    """100 %: all 15 lie above the baseline's regression line, 54.4 + .1 t."""
    found = row(pet(*JOHANNA))
    assert found[["estimate", "better"]].tolist() == [1, 15]
    assert found[["intercept", "slope"]].tolist() == pytest.approx([54.4, 0.1], abs=1e-10)


def test_fisher_kelley_lomas_2003_johanna():
    """All beyond both lines: p = 2^-15, as scan prints 3.05e-05 for the binomial test of 15 of 15."""
    found = row(cdc(*JOHANNA))
    assert found["p_value"] == pytest.approx(2**-15)
    assert found["systematic"]


@pytest.mark.parametrize(
    ("n", "better", "p"), [(15, 14, 0.000488), (15, 13, 0.003693), (15, 12, 0.017578), (13, 7, 0.50), (10, 4, 0.83)]
)
def test_fisher_kelley_lomas_2003_binomial_test(n, better, p):
    """P values that scan prints for so many of n (for 4 of 10 it prints .82 of .828)."""
    found = row(cdc([1, 1.5, 1, 1.5], [9] * better + [0] * (n - better)))
    assert found["better"] == better
    assert found["p_value"] == pytest.approx(p, abs=0.0051)
    assert found["systematic"] == (p < 0.05)


def test_the_lines_move_by_a_quarter_of_the_deviation():
    """Baseline 0, 2 (in turn): mean 1, flat enough; SD of 0,2,2,0 is 2/sqrt(3), a quarter of it .2887."""
    before = [0, 2, 2, 0]
    lines = 1 + 0.25 * 2 / math.sqrt(3)
    after = [lines - 0.001, lines + 0.001, 1.1, 3, 3]
    assert row(cdc(before, after))["better"] == 3
    assert row(cdc(before, after, shift=0))["better"] == 5
    assert row(cdc([-x for x in before], [-x for x in after], "decrease"))["better"] == 3


@briefly
@given(baselines, series, directions)
def test_pet_is_that_of_a_regression(before, after, direction):
    fit = stats.linregress(range(len(before)), before)
    sign = SIGN[direction]
    expected = [sign * (b - fit.intercept - fit.slope * t) > 1e-9 for t, b in enumerate(after, start=len(before))]
    assert row(pet(before, after, direction))["estimate"] == pytest.approx(np.mean(expected))


@briefly
@given(baselines, series, directions, st.floats(0, 2))
def test_cdc_counts_what_lies_beyond_both_lines(before, after, direction, shift):
    fit = stats.linregress(range(len(before)), before)
    sign, step = SIGN[direction], shift * np.std(before, ddof=1)
    count = sum(
        sign * (b - np.mean(before)) - step > 1e-9 and sign * (b - fit.intercept - fit.slope * t) - step > 1e-9
        for t, b in enumerate(after, start=len(before))
    )
    found = row(cdc(before, after, direction, shift=shift))
    assert found["better"] == count
    assert found["p_value"] == pytest.approx(stats.binomtest(count, len(after), alternative="greater").pvalue)
    assert found["systematic"] == (found["p_value"] < 0.05)


def test_a_point_on_the_line_does_not_exceed_it():
    """.1 is no binary fraction: rounding must not put the points off the line."""
    assert row(pet([0.1, 0.2, 0.3], [0.4, 0.5, 0.6, 0.7]))["estimate"] == 0
    assert row(pet([0.3, 0.2, 0.1], [0.0, -0.1], "decrease"))["estimate"] == 0


def test_white_haring_1980_split_middle():
    """Halves 1, 3, 2 and 6, 8, 7: medians 2 and 7 at the second and the fifth occasion; half of the points above."""
    intercept, slope = line(np.arange(6), np.array([1, 3, 2, 6, 8, 7.0]), "split-middle")
    assert slope == pytest.approx(5 / 3)
    left = np.array([1, 3, 2, 6, 8, 7]) - slope * np.arange(6)
    assert (left > intercept).sum() == (left < intercept).sum()
    odd = line(np.arange(5), np.array([1, 2, 99, 4, 5.0]), "split-middle")
    assert odd == pytest.approx((1.0, 1.0))  # the middle one belongs to neither half


def test_too_short_a_baseline_is_said():
    for index in (pet, cdc):
        found = index([3], [4, 5])
        assert math.isnan(row(found)["estimate"])
        assert "改变前只有 1 次观察" in found.notes()


def test_too_short_a_treatment_cannot_be_systematic():
    found = cdc([1, 2, 1], [9, 9, 9, 9])
    assert not row(found)["systematic"]
    assert "改变后只有 4 次观察" in found.notes()
    assert row(cdc([1, 2, 1], [9] * 5))["needed"] == 5


def test_gaps_keep_their_place():
    assert row(pet([1, None, 3], [4, None, 6]))["estimate"] == 0
    assert row(pet([1, 3], [4, 6]))["estimate"] == 0
    assert row(pet([1, None, 3], [4.5, None, 6.5]))["estimate"] == 1


def test_no_variance():
    assert row(pet([2, 2, 2], [2, 2, 3, 3]))["estimate"] == 0.5
    assert row(cdc([2, 2, 2], [2, 2, 3, 3]))["better"] == 2


def test_options_are_refused(in_both_languages):
    with pytest.raises(ArgumentError) as error:
        cdc([1, 2], [3, 4], trend="loess", shift=-1, alpha=0)
    assert len(error.value.faults) == 3
    assert all(in_both_languages(error.value))
