"""PAND and IRD against the papers' fractions, and against trying every subset of the observations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htresearch.errors import ArgumentError
from htresearch.singlecase import ird, pand

from . import definitions
from .definitions import briefly
from .test_overlap import SIGN, A, B, directions, row, series

short = st.lists(st.integers(0, 5), min_size=1, max_size=5)


def test_parker_vannest_davis_2011_pand():
    assert row(pand(A, B))[["estimate", "removed"]].tolist() == [pytest.approx(1 - 2 / 13, abs=1e-12), 2]


def test_parker_vannest_davis_2011_robust_ird():
    assert row(ird(A, B))["estimate"] == pytest.approx(6 / 7 - 1 / 6, abs=1e-12)


def test_parker_vannest_brown_2009_ird_of_the_same_series():
    """Two removals are equally small: two of the baseline (7/7 - 2/6) or two of the treatment (5/7 - 0/6)."""
    found = ird(A, B, form="parker-2009")
    assert row(found)["estimate"] == pytest.approx(7 / 7 - 2 / 6, abs=1e-12)
    assert row(found)["largest"] == pytest.approx(5 / 7 - 0 / 6, abs=1e-12)
    assert "有 2 种同样少的去法" in found.notes()


def test_singlecasees_vignette_decreasing():
    assert row(pand(A, B, "decrease"))["estimate"] == pytest.approx(0.53846154, abs=1e-8)
    assert row(ird(A, B, "decrease"))["estimate"] == pytest.approx(0.07142857, abs=1e-8)


def test_wilbert_scan_pand_of_a_falling_series():
    """The example of scan's pand(): 2 of 11 overlap."""
    found = row(pand([20, 22, 24, 17], [21, 13, 10, 9, 20, 9, 18], "decrease"))
    assert found[["estimate", "removed"]].tolist() == [pytest.approx(9 / 11), 2]


def test_wilbert_scan_johanna_does_not_overlap():
    before, after = [54, 53, 56, 58, 52], [61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87]
    assert row(pand(before, after))["estimate"] == 1
    assert row(ird(before, after))["estimate"] == 1


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([5, 7, 8, 5, 7], [12, 16, 18, 15, 14, 19], 1.0),
        ([5, 7, 10, 5, 12], [7, 10, 18, 15, 14, 19], 19 / 30),
        ([3, 4, 5, 3], [6, 7, 8, 9, 10, 11, 12], 1.0),
        ([6, 8, 7, 8, 7, 8], [10, 12, 13, 14, 15], 1.0),
    ],
)
def test_robust_ird_of_removals_counted_by_hand(before, after, expected):
    """Only the second overlaps: two must go, 1 - 2/10 - 2/12."""
    assert row(ird(before, after))["estimate"] == pytest.approx(expected, abs=1e-12)


@briefly
@given(short, short, directions)
def test_no_fewer_can_be_removed(before, after, direction):
    removed = definitions.fewest_removed(before, after, SIGN[direction])
    m, n = len(before), len(after)
    assert row(pand(before, after, direction))["removed"] == removed
    assert row(pand(before, after, direction))["estimate"] == pytest.approx(1 - removed / (m + n))
    assert row(ird(before, after, direction))["estimate"] == pytest.approx(1 - removed / (2 * m) - removed / (2 * n))


@briefly
@given(series, series, directions)
def test_robust_ird_follows_from_pand(before, after, direction):
    m, n = len(before), len(after)
    share = row(pand(before, after, direction))["estimate"]
    found = row(ird(before, after, direction))["estimate"]
    assert found == pytest.approx(1 - (m + n) ** 2 / (2 * m * n) * (1 - share))
    assert share >= max(m, n) / (m + n) - 1e-12


@briefly
@given(series, series, directions)
def test_both_forms_agree_on_what_is_removed(before, after, direction):
    robust, older = (row(ird(before, after, direction, form)) for form in ("robust", "parker-2009"))
    m, n = len(before), len(after)
    assert robust["removed"] == older["removed"]
    assert older["rate_treatment"] - older["rate_baseline"] == pytest.approx(older["estimate"])
    gone = older["rate_baseline"] * m + (1 - older["rate_treatment"]) * n
    assert gone == pytest.approx(robust["removed"])
    assert -1 <= older["estimate"] <= older["largest"] <= 1


def test_an_unknown_form_is_refused():
    with pytest.raises(ArgumentError, match="parker-2009"):
        ird(A, B, form="parker")
    with pytest.raises(ArgumentError):
        pand(A, [])


def test_equal_values_overlap():
    assert row(pand([3, 3], [3, 3, 3]))["estimate"] == 3 / 5
    assert row(ird([3, 3], [3, 3]))["estimate"] == 0
