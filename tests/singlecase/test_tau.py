"""Tau, Tau-U and baseline-corrected Tau against the papers, scan and SingleCaseES, and against loops over pairs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from htresearch.errors import ArgumentError
from htresearch.singlecase import nap, tau, tau_bc, tau_u
from htresearch.singlecase.kendall import s_deviation
from htresearch.singlecase.tau import VARIANTS

from . import definitions
from .definitions import briefly
from .test_overlap import GROSCHE, SIGN, A, B, directions, row, series

BOB = [2, 3, 5, 3], [4, 5, 5, 7, 6]
JOHANNA = [54, 53, 56, 58, 52], [61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87]
TARLOW = [33, 25, 17, 25, 14, 13, 15], [15, 16, 16, 5, 7, 9, 6, 5, 3, 3, 8, 11, 7]


# --- Tau ------------------------------------------------------------------------------------------------------------


def test_parker_vannest_davis_2011_tau():
    assert row(tau(A, B))["estimate"] == pytest.approx((38 - 3) / 42, abs=1e-12)
    assert row(tau([3, 3, 4, 5], [4, 5, 6, 7, 7]))["estimate"] == pytest.approx(16 / 20, abs=1e-12)


def test_parker_vannest_davis_2011_tau_with_the_error_and_interval_of_singlecasees():
    found = row(tau(A, B))
    assert found["std_error"] == pytest.approx(0.13801311, abs=1e-8)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([0.1946812, 0.9720352], abs=1e-4)
    turned = row(tau(A, B, "decrease"))
    assert turned[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [-0.83333333, -0.97203517, -0.1946812], abs=1e-4
    )


def test_parker_vannest_2009_tau():
    """The example of SingleCaseES's calc_ES()."""
    found = row(tau([4, 3, 4, 3, 4, 7, 5, 2, 3, 2], [5, 9, 7, 9, 7, 5, 9, 11, 11, 10, 9]))
    assert found["estimate"] == pytest.approx(102 / 110, abs=1e-12)
    assert found["std_error"] == pytest.approx(0.06385245, abs=1e-8)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([0.4999482, 0.9901458], abs=1e-4)


@briefly
@given(series, series, directions, st.sampled_from(["unbiased", "hanley", "null"]))
def test_tau_is_nap_on_another_scale(before, after, direction, std_error):
    found, pairs = row(tau(before, after, direction, std_error)), row(nap(before, after, direction, std_error))
    for end in ("estimate", "conf_low", "conf_high"):
        assert found[end] == pytest.approx(2 * pairs[end] - 1)
    assert found["std_error"] == pytest.approx(2 * pairs["std_error"], nan_ok=True)
    m, n = len(before), len(after)
    assert found["estimate"] == pytest.approx(definitions.s_between(before, after, SIGN[direction]) / (m * n))


# --- Tau-U ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "s", "pairs", "published"),
    [
        ("AB/mn", 16, 20, 0.80),
        ("AB-A/mn", 13, 20, 0.65),
        ("AB+B/(mn+B)", 23, 30, 0.77),
        ("AB+B-A/all", 20, 36, 0.56),
    ],
)
def test_parker_vannest_davis_sauber_2011_tau_u(variant, s, pairs, published):
    """Their worked example: S over pairs."""
    found = row(tau_u(*BOB, variant=variant))
    assert found[["s", "pairs"]].tolist() == [s, pairs]
    assert found["estimate"] == pytest.approx(s / pairs, abs=1e-12)
    assert found["estimate"] == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(
    ("variant", "variance", "z"),
    [("AB-A/mn", 71.86, 1.53), ("AB+B/(mn+B)", 79.37, 2.58), ("AB+B-A/all", 87.33, 2.14)],
)
def test_parker_vannest_davis_sauber_2011_variance_of_s(variant, variance, z):
    """As scan prints it for the same example (VAR_S, Z)."""
    found = row(tau_u(*BOB, variant=variant))
    assert (found["std_error"] * found["pairs"]) ** 2 == pytest.approx(variance, abs=0.005)
    assert found["statistic"] == pytest.approx(z, abs=0.005)


@pytest.mark.parametrize(
    ("variant", "s", "pairs", "deviation", "z"),
    [
        ("AB/mn", 75, 75, 22.90, 3.27),
        ("AB-A/(mn+A)", 75, 85, 23.26, 3.22),
        ("AB+B/(mn+B)", 145, 180, 30.53, 4.75),
        ("AB+B-A/all", 145, 190, 30.81, 4.71),
    ],
)
def test_tarlow_2017_tau_u_of_johanna(variant, s, pairs, deviation, z):
    """Tarlow's code as scan repeats it (method tarlow, Tau 1.00, .88, .81, .76); Z without continuity correction."""
    found = row(tau_u(*JOHANNA, variant=variant))
    assert found[["s", "pairs"]].tolist() == [s, pairs]
    assert found["std_error"] * pairs == pytest.approx(deviation, abs=0.0051)
    assert found["statistic"] == pytest.approx(z, abs=0.0051)


@pytest.mark.parametrize(
    ("pupil", "variant", "deviation", "z"),
    [
        ("Eva", "AB/mn", 22.80, 1.32),
        ("Eva", "AB-A/mn", 23.42, 1.41),
        ("Eva", "AB+B/(mn+B)", 28.08, 2.85),
        ("Eva", "AB+B-A/all", 28.58, 2.90),
        ("Georg", "AB-A/mn", 32.18, 0.34),
        ("Georg", "AB+B/(mn+B)", 39.75, 0.93),
        ("Georg", "AB+B-A/all", 40.30, 1.32),
        ("Olaf", "AB/mn", 25.92, -0.39),
        ("Olaf", "AB-A/mn", 29.74, -0.34),
        ("Olaf", "AB+B/(mn+B)", 27.15, -0.52),
        ("Olaf", "AB+B-A/all", 30.82, -0.45),
    ],
)
def test_grosche_2011_tau_u(pupil, variant, deviation, z):
    """SD_S and Z as scan prints them for the three pupils."""
    found = row(tau_u(*GROSCHE[pupil], variant=variant))
    assert found["std_error"] * found["pairs"] == pytest.approx(deviation, abs=0.0051)
    assert found["statistic"] == pytest.approx(z, abs=0.0051)


def test_singlecasees_tau_u():
    """Parker, Vannest & Davis (2011) and Tarlow (2017), as SingleCaseES tests them."""
    assert row(tau_u(A, B))["estimate"] == pytest.approx(31 / 42, abs=1e-12)
    assert row(tau_u(A, B, "decrease"))["estimate"] == pytest.approx(-31 / 42, abs=1e-12)
    assert row(tau_u([3, 3, 4, 5], [4, 5, 6, 7, 7]))["estimate"] == pytest.approx(11 / 20, abs=1e-12)
    assert row(tau_u([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]))["estimate"] == pytest.approx(0.6, abs=1e-12)


@briefly
@given(series, series, directions)
def test_tau_u_is_that_of_loops(before, after, direction):
    sign = SIGN[direction]
    m, n = len(before), len(after)
    ab, a, b = (
        definitions.s_between(before, after, sign),
        definitions.kendall_s(before, sign),
        definitions.kendall_s(after, sign),
    )
    mn, mm, nn = m * n, m * (m - 1) / 2, n * (n - 1) / 2
    expected = [ab / mn, (ab - a) / mn, (ab - a) / (mn + mm), (ab + b) / (mn + nn), (ab + b - a) / (mn + mm + nn)]
    found = tau_u(before, after, direction, variant="all").tidy()
    assert found["variant"].tolist() == list(VARIANTS)
    assert found["estimate"].tolist() == pytest.approx(expected)


@briefly
@given(st.lists(st.integers(0, 3), min_size=2, max_size=9), st.randoms())
def test_the_deviation_of_s_is_that_of_all_orders(values, random):
    """Kendall's variance with ties, against the mean over many shuffles' S squared: exactly, over all orders of x."""
    from itertools import permutations

    values = values[:6]
    x = [random.randint(0, 2) for _ in values]
    squares = [
        sum(np.sign(x[j] - x[i]) * np.sign(p[j] - p[i]) for i in range(len(x)) for j in range(i + 1, len(x))) ** 2
        for p in permutations(values)
    ]
    assert s_deviation(np.array(x), np.array(values)) ** 2 == pytest.approx(np.mean(squares), abs=1e-8)


def test_equal_values_have_no_error_of_tau_u():
    found = tau_u([3, 3], [3, 3, 3])
    assert row(found)["estimate"] == 0
    assert math.isnan(row(found)["std_error"])
    assert "所有观察值都相同" in found.notes()


# --- baseline-corrected Tau -----------------------------------------------------------------------------------------


def test_tarlow_2017_tau_bc_as_singlecasees_computes_it():
    found = row(tau_bc(A, B))
    assert found["estimate"] == pytest.approx(12 / 42, abs=1e-12)
    assert found["std_error"] == pytest.approx(0.35951593, abs=1e-8)
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx([-0.3260702, 0.7180613], abs=1e-4)
    assert found["slope"] == pytest.approx(definitions.theil_sen(A), abs=1e-12)
    assert row(tau_bc(A, B, "decrease"))["estimate"] == pytest.approx(-12 / 42, abs=1e-12)


def test_tarlow_2017_a_trend_that_goes_on_is_no_effect():
    for form in ("nonoverlap", "kendall"):
        assert row(tau_bc([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], form=form))["estimate"] == 0


def test_rounding_breaks_no_tie_of_residuals():
    """Tenths are no binary fractions: what lies on the line stays on it."""
    assert row(tau_bc([0.1, 0.2, 0.3], [0.4, 0.5, 0.6, 0.7]))["estimate"] == 0
    assert row(tau_bc([1, 4 / 3, 5 / 3], [2, 7 / 3, 8 / 3], form="kendall"))["estimate"] == 0


@pytest.mark.parametrize(
    ("series", "baseline", "raw", "corrected"),
    [
        (TARLOW, -0.68, -0.57, 0.70),
        (([33, 25, 17, 25, 14, 13, 14], [14, 15, 15, 4, 6, 9, 5, 4, 2, 2, 8, 11, 7]), -0.75, -0.58, 0.69),
    ],
)
def test_tarlow_2017_figure_as_scan_computes_it(series, baseline, raw, corrected):
    """Page 439, read off the figure in two ways; the pretest is significant, so that it is corrected."""
    found = tau_bc(*series, correct="significant", form="kendall")
    assert row(found)["estimate"] == pytest.approx(corrected, abs=0.005)
    assert row(found)["uncorrected"] == pytest.approx(raw, abs=0.005)
    assert row(found)["corrected"]
    assert stats.kendalltau(range(7), series[0]).statistic == pytest.approx(baseline, abs=0.005)


@pytest.mark.parametrize("form", ["nonoverlap", "kendall"])
def test_a_correction_that_reverses_the_sign_is_said(form):
    found = tau_bc(*TARLOW, form=form)
    assert row(found)["estimate"] > 0 > row(found)["uncorrected"]
    assert "校正使符号反转" in found.notes()
    assert "-0.57" in found.notes()
    assert "0.70" in found.notes()
    assert "反转" not in tau_bc(A, B).notes()


def test_tarlow_2017_standard_error_of_the_kendall_form():
    """sqrt(2 (1 - tau^2) / (m + n))."""
    found = row(tau_bc(*TARLOW, form="kendall"))
    assert found["std_error"] == pytest.approx(math.sqrt(2 * (1 - found["estimate"] ** 2) / 20), abs=1e-12)


def test_without_a_significant_trend_nothing_is_corrected():
    """As SingleCaseES tests it: Tau-BC is Tau; and .63 for scan's Johanna."""
    found = tau_bc(A, B, correct="significant")
    assert row(found)["estimate"] == row(tau(A, B))["estimate"]
    assert not row(found)["corrected"]
    assert "不显著" in found.notes()
    assert row(tau_bc(*JOHANNA, correct="significant", form="kendall"))["estimate"] == pytest.approx(0.63, abs=0.005)
    rising = [1, 1, 3, 3, 5, 5], [5, 6, 4, 8, 9]  # its p lies between .01 and .05
    assert row(tau_bc(*rising, correct="significant"))["corrected"]
    assert not row(tau_bc(*rising, correct="significant", alpha=0.01))["corrected"]


def test_never_is_tau():
    assert row(tau_bc(*TARLOW, correct="never"))["estimate"] == row(tau(*TARLOW))["estimate"]


@briefly
@given(st.lists(st.integers(0, 8), min_size=2, max_size=7), series, directions)
def test_tau_bc_is_tau_of_the_residuals(before, after, direction):
    from fractions import Fraction

    m = len(before)
    slopes = sorted(Fraction(before[j] - before[i], j - i) for i in range(m) for j in range(i + 1, m))
    k = len(slopes)
    slope = (slopes[(k - 1) // 2] + slopes[k // 2]) / 2
    left = [v - slope * i for i, v in enumerate([*before, *after])]  # exact: no tie is lost
    sign = SIGN[direction]
    expected = definitions.s_between(left[:m], left[m:], sign) / (m * len(after))
    assert row(tau_bc(before, after, direction))["estimate"] == pytest.approx(expected, abs=1e-12)


@briefly
@given(st.lists(st.integers(0, 8), min_size=2, max_size=7), series, directions)
def test_the_kendall_form_is_tau_b(before, after, direction):
    found = row(tau_bc(before, after, direction, correct="never", form="kendall"))["estimate"]
    phase = [0] * len(before) + [1] * len(after)
    values = [SIGN[direction] * v for v in [*before, *after]]
    if len(set(values)) > 1:
        assert found == pytest.approx(stats.kendalltau(phase, values).statistic)
    else:
        assert found == 0


def test_a_gap_keeps_its_place_in_time():
    assert row(tau_bc([1, None, 3, 4], [5, 6, None, 8]))["estimate"] == 0
    assert row(tau_bc([1, 3, 4], [5, 6, 8]))["estimate"] != 0


def test_a_baseline_of_one_has_no_trend():
    found = tau_bc([3], [4, 5])
    assert math.isnan(row(found)["estimate"])
    assert "改变前只有 1 次观察" in found.notes()
    assert row(tau_bc([3], [4, 5], correct="significant"))["estimate"] == 1


def test_options_are_refused(in_both_languages):
    with pytest.raises(ArgumentError) as error:
        tau_bc(A, B, correct="yes", form="tau-b", alpha=5, std_error="x")
    assert len(error.value.faults) == 4
    assert all(in_both_languages(error.value))
    with pytest.raises(ArgumentError, match="AB-A/mn"):
        tau_u(A, B, variant="parker")
