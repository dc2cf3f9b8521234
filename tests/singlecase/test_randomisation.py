"""Randomisation tests against published values, independent programs and enumeration by hand."""

from datetime import date
from itertools import combinations, permutations, product

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.singlecase import Drawing
from htresearch.singlecase.lottery import PhaseLottery
from htresearch.singlecase.reference import LOCATIONS, STATISTICS
from htresearch.singlecase.sequences import PairLottery, SequenceLottery

mpl.use("Agg")
sc = ht.singlecase
DAY = date(2026, 9, 1)
# Johanna, from the documentation of scan.
JOHANNA = [54, 53, 56, 58, 52, 61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87]


AB_LONG = Drawing(PhaseLottery(60, (5, 5)), (30,), DAY)
TURNS = sc.draw_alternating(12, "random", most_in_row=3, seed=2, on=DAY)


def row(test):
    return test.tidy().iloc[0]


def compare(before, after, name):
    """The statistic of two groups, written down once more."""
    if name == "mean":
        return np.mean(after) - np.mean(before)
    if name == "median":
        return np.median(after) - np.median(before)
    if name == "trimmed_mean":
        return stats.trim_mean(after, 0.2) - stats.trim_mean(before, 0.2)
    return np.mean([(b > a) + 0.5 * (b == a) for a in before for b in after])


def at_least(found, observed):
    return np.mean([value >= observed - 1e-9 for value in found])


# --- published ------------------------------------------------------------------------------------------------------


def test_fisher_1935_darwins_maize_863_of_32768():
    # The Design of Experiments, section 21: differences of 15 pairs in eighths of an inch.
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    crossed_second = Drawing(PairLottery(30), (0, 1) * 15, DAY)
    values = [v for d in differences for v in (0, d)]
    found = row(sc.randomisation_test(values, crossed_second, statistic="mean"))
    assert found["p_value"] == 863 / 32768 and found["n_assignments"] == 32768
    both = row(sc.randomisation_test(values, crossed_second, statistic="mean", alternative="two-sided"))
    assert both["p_value"] == 1726 / 32768 and both["smallest_p"] == 2 / 32768


@pytest.mark.parametrize(("right", "expected"), [(4, 1 / 70), (3, 17 / 70)])
def test_fisher_1935_lady_tasting_tea(right, expected):
    said = [1] * right + [0] * (4 - right) + [1] * (4 - right) + [0] * right
    drawn = Drawing(SequenceLottery(8, 4, None), (1, 1, 1, 1, 0, 0, 0, 0), DAY)
    assert row(sc.randomisation_test(said, drawn, statistic="mean"))["p_value"] == expected


def test_wampold_worsham_1986_the_best_order_of_four_has_p_of_1_in_24():
    starts = (4, 7, 10, 13)
    drawn = sc.draw_multiple_baseline(["a", "b", "c", "d"], 16, starts=starts, seed=1, on=DAY)
    values = {c: [0] * s + [1] * (16 - s) for c, s in zip("abcd", drawn.outcome, strict=True)}
    assert row(sc.randomisation_test(values, drawn, statistic="mean"))["p_value"] == 1 / 24


def test_edgington_1975_the_best_of_20_starts_has_p_of_one_in_20():
    values = [0] * 9 + [5] * 20
    found = row(sc.randomisation_test(values, 9, 5, 5, statistic="mean"))
    assert (found["p_value"], found["smallest_p"], found["n_assignments"]) == (0.05, 0.05, 20)


def test_scan_johanna_level_and_slope_are_those_of_its_piecewise_regression():
    # scan counts time from the first record, so that its level is that of the last baseline record's successor.
    after, before = np.polyfit(range(5, 20), JOHANNA[5:], 1), np.polyfit(range(5), JOHANNA[:5], 1)
    level = row(sc.randomisation_test(JOHANNA, 5, 5, 5, statistic="level"))["estimate"]
    slope = row(sc.randomisation_test(JOHANNA, 5, 5, 5, statistic="slope"))["estimate"]
    assert level == pytest.approx(np.polyval(after, 5) - np.polyval(before, 5))
    assert level == pytest.approx(7.858333, abs=1e-6) and slope == pytest.approx(1.525, abs=1e-9)


def test_johanna_by_hand():
    # Mean differences for the 11 starts, each worked out anew.
    found = [np.mean(JOHANNA[s:]) - np.mean(JOHANNA[:s]) for s in range(5, 16)]
    test = sc.randomisation_test(JOHANNA, 5, 5, 5, statistic="mean")
    assert row(test)["estimate"] == pytest.approx(19.53333, abs=1e-5)  # scan's Diff_mean
    assert row(test)["p_value"] == at_least(found, found[0])
    assert np.allclose(np.sort(test.distribution), np.sort(found))


# --- independent programs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alternative", ["improvement", "deterioration", "two-sided"])
def test_unrestricted_alternation_is_scipys_permutation_test(alternative):
    rng = np.random.default_rng(8)
    for _ in range(5):
        values = rng.normal(size=10).round(1)
        drawn = sc.draw_alternating(10, "random", most_in_row=None, seed=int(rng.integers(99)), on=DAY)
        treated = np.array(drawn.outcome, bool)
        name = {"improvement": "greater", "deterioration": "less", "two-sided": "two-sided"}[alternative]
        expected = stats.permutation_test(
            (values[treated], values[~treated]), lambda x, y: np.mean(x) - np.mean(y), alternative=name
        )
        found = row(sc.randomisation_test(values, drawn, statistic="mean", alternative=alternative))
        assert found["p_value"] == pytest.approx(expected.pvalue)


def test_nap_under_unrestricted_alternation_is_the_exact_mann_whitney_test():
    values = np.array([3.1, 2.5, 6.0, 4.4, 5.2, 7.7, 1.9, 8.3, 4.9, 6.6, 2.2])
    drawn = sc.draw_alternating(11, "random", most_in_row=None, seed=4, on=DAY)
    treated = np.array(drawn.outcome, bool)
    expected = stats.mannwhitneyu(values[treated], values[~treated], alternative="greater", method="exact")
    found = row(sc.randomisation_test(values, drawn, statistic="nap"))
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["estimate"] == pytest.approx(expected.statistic / (treated.sum() * (~treated).sum()))


# --- enumeration by hand --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mean", "median", "trimmed_mean", "nap"])
@pytest.mark.parametrize("missing", [False, True])
def test_ab_by_enumeration(name, missing):
    rng = np.random.default_rng(2)
    values = rng.integers(0, 8, 22).astype(float)
    if missing:
        values[[0, 6, 15, 21]] = np.nan

    def parts(start):
        return (v[~np.isnan(v)] for v in (values[:start], values[start:]))

    found = [compare(*parts(s), name) for s in range(4, 19)]
    test = row(sc.randomisation_test(values, 9, 4, 4, statistic=name))
    assert test["estimate"] == pytest.approx(found[5]) and test["p_value"] == at_least(found, found[5])
    fewer = row(sc.randomisation_test(values, 9, 4, 4, statistic=name, improvement="decrease"))
    assert fewer["p_value"] == np.mean(np.array(found) <= found[5] + 1e-9)


@pytest.mark.parametrize("name", ["mean", "median", "trimmed_mean", "nap"])
def test_abab_by_enumeration(name):
    values = np.random.default_rng(4).integers(0, 9, 17).astype(float)
    drawn = sc.draw_phases(17, 3, seed=6, on=DAY)
    changes = [c for c in combinations(range(17), 3) if min(np.diff([0, *c, 17])) >= 3]

    def pooled(a, b, c):
        before, after = np.r_[values[:a], values[b:c]], np.r_[values[a:b], values[c:]]
        return compare(before, after, name)

    def by_phase(a, b, c):
        f = {"mean": np.mean, "median": np.median, "trimmed_mean": lambda x: stats.trim_mean(x, 0.2)}[name]
        return (f(values[a:b]) + f(values[c:])) / 2 - (f(values[:a]) + f(values[b:c])) / 2

    for combine, statistic in (("records", pooled), ("phases", by_phase)):
        if combine == "phases" and name == "nap":
            continue
        found = [statistic(*change) for change in changes]
        test = row(sc.randomisation_test(values, drawn, statistic=name, combine=combine))
        assert test["estimate"] == pytest.approx(statistic(*drawn.outcome))
        assert test["p_value"] == at_least(found, statistic(*drawn.outcome))


@pytest.mark.parametrize("method", ["wampold-worsham", "koehler-levin", "marascuilo-busk"])
def test_multiple_baselines_by_enumeration(method):
    rng = np.random.default_rng(5)
    values = pd.DataFrame(rng.normal(size=(18, 3)), columns=["x", "y", "z"])
    windows = [(4, 5), (7, 9), (11, 12)]
    given_ = {"starts": [4, 7, 11]} if method == "wampold-worsham" else {"windows": windows}
    drawn = sc.draw_multiple_baseline(["x", "y", "z"], 18, **given_, method=method, seed=9, on=DAY)
    starts = {
        "wampold-worsham": list(permutations((4, 7, 11))),
        "koehler-levin": [
            p for s in product((4, 5), (7, 8, 9), (11, 12)) for p in permutations(s)
        ],
        "marascuilo-busk": list(product((4, 5), (7, 8, 9), (11, 12))),
    }[method]  # fmt: skip

    def mean(chosen):
        return np.mean([compare(values[c][:s], values[c][s:], "median") for c, s in zip("xyz", chosen, strict=True)])

    found = [mean(s) for s in starts]
    test = row(sc.randomisation_test(values, drawn))
    assert test["n_assignments"] == len(starts)
    assert test["p_value"] == at_least(found, mean(drawn.outcome))


def test_alternation_in_pairs_by_enumeration():
    values = np.array([3, 5, 2, 2, 6, 9, 4, 3, 7, 8.0])
    drawn = sc.draw_alternating(10, seed=5, on=DAY)
    orders = [np.array([v for f in first for v in (f, 1 - f)], bool) for first in product((0, 1), repeat=5)]
    for name in ("mean", "median", "nap"):
        found = [compare(values[~t], values[t], name) for t in orders]
        treated = np.array(drawn.outcome, bool)
        observed = compare(values[~treated], values[treated], name)
        assert row(sc.randomisation_test(values, drawn, statistic=name))["p_value"] == at_least(found, observed)


def test_a_function_of_ones_own_gives_the_same():
    values = np.random.default_rng(1).normal(size=20).round(1)
    own = sc.randomisation_test(values, 8, 4, 4, statistic=lambda a, b: b.mean() - a.mean(), improvement="decrease")
    built_in = sc.randomisation_test(values, 8, 4, 4, statistic="mean", improvement="decrease")
    for column in ("estimate", "p_value", "n_assignments"):
        assert row(own)[column] == pytest.approx(row(built_in)[column])


# --- rules ----------------------------------------------------------------------------------------------------------


def test_a_chosen_start_gets_no_p_and_the_reason():
    for lengths in ((), (3, 3)):
        test = sc.randomisation_test(JOHANNA, 5, *lengths, drawn=False)
        assert np.isnan(row(test)["p_value"]) and row(test)["estimate"] == 74 - 54
        assert "不是抽签定的" in test.notes()
        test.plot()
    assert row(test)["n_assignments"] == 15 and row(test)["smallest_p"] == 1 / 15


def test_the_smallest_p_and_what_would_be_needed_are_said():
    test = sc.randomisation_test(JOHANNA, 5, 5, 5)
    assert row(test)["smallest_p"] == 1 / 11 and test.glance()["records_needed"][0] == 29
    assert "29" in test.notes() and "11" in test.notes()


def test_equal_values_give_p_of_one():
    for name in STATISTICS:
        assert row(sc.randomisation_test([4] * 24, 10, 4, 4, statistic=name))["p_value"] == 1


def test_outcomes_with_an_empty_phase_are_left_out_and_counted():
    values = [None, None, None, 3, 4, 5, 8, 9, 8, None, None, None]
    test = sc.randomisation_test(values, 6, 2, 2, statistic="mean")
    # Starts 2, 3 and 10 leave a phase empty (9 too): 4 to 8 can be compared.
    assert test.glance()[["n_undefined", "n_assignments", "n_missing"]].iloc[0].tolist() == [4, 5, 6]
    assert row(test)["p_value"] == 1 / 5 == row(test)["smallest_p"]
    assert "4 种结果" in test.notes()


def test_fewer_records_than_planned_count_as_missing():
    drawn = sc.draw_start(24, 4, 4, seed=1, on=DAY)
    values = list(np.random.default_rng(0).normal(size=22))
    short = sc.randomisation_test(values, drawn)
    padded = sc.randomisation_test([*values, None, None], drawn)
    assert row(short)["p_value"] == row(padded)["p_value"] and "少 2 次记录" in short.notes()


def test_sampled_outcomes_surround_the_exact_p():
    values = np.random.default_rng(3).normal(size=40)
    values[20:30] += 1
    drawn = sc.draw_phases(40, 4, seed=12, on=DAY)
    for alternative in ("improvement", "two-sided"):
        exact = row(sc.randomisation_test(values, drawn, alternative=alternative))
        for seed in range(5):
            sampled = sc.randomisation_test(values, drawn, alternative=alternative, most=100, samples=999, seed=seed)
            assert row(sampled)["p_low"] <= exact["p_value"] <= row(sampled)["p_high"]
            assert (row(sampled)["p_value"] * 1000) == pytest.approx(round(row(sampled)["p_value"] * 1000))
            assert row(sampled)["smallest_p"] == 1 / 1000
            assert sampled.glance()["n_samples"][0] == 999 and not sampled.glance()["exact"][0]


def test_the_seed_makes_samples_again():
    drawn = sc.draw_phases(60, 4, seed=12, on=DAY)
    values = np.random.default_rng(3).normal(size=60)
    first, again = (sc.randomisation_test(values, drawn, most=10, samples=500, seed=4) for _ in range(2))
    assert (first.distribution == again.distribution).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=14, max_size=24),
    st.sampled_from(STATISTICS),
    st.sampled_from(["improvement", "deterioration", "two-sided"]),
)
def test_turning_values_round_turns_the_direction_round(values, name, alternative):
    start = len(values) // 2
    one = sc.randomisation_test(values, start, 4, 4, statistic=name, alternative=alternative)
    other = sc.randomisation_test(
        [-v for v in values], start, 4, 4, statistic=name, alternative=alternative, improvement="decrease"
    )
    assert row(one)["p_value"] == row(other)["p_value"]
    assert row(one)["estimate"] == pytest.approx(row(other)["estimate"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=14, max_size=24), st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_shifting_and_stretching_values_leaves_p(values, shift, scale):
    for name in ("mean", "median", "nap", "slope"):
        start = len(values) // 2
        plain = row(sc.randomisation_test(values, start, 4, 4, statistic=name))
        moved = row(sc.randomisation_test([shift + scale * v for v in values], start, 4, 4, statistic=name))
        assert plain["p_value"] == moved["p_value"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=14, max_size=24), st.integers(0, 99))
def test_p_is_a_whole_number_of_outcomes_and_both_sides_count_ties(values, seed):
    drawn = sc.draw_start(len(values), 3, 4, seed=seed, on=DAY)
    up, down = (row(sc.randomisation_test(values, drawn, alternative=a)) for a in ("improvement", "deterioration"))
    size = up["n_assignments"]
    assert up["p_value"] * size == pytest.approx(round(up["p_value"] * size)) and up["p_value"] >= 1 / size
    assert up["p_value"] + down["p_value"] >= 1 + 1 / size - 1e-12


@pytest.mark.parametrize("statistic", STATISTICS)
def test_under_no_effect_p_is_valid_whatever_the_series(statistic):
    # A strong trend and autocorrelation: over all starts that could have been drawn, p <= k/N for at most k of N.
    values = np.cumsum(np.random.default_rng(6).normal(0.3, 1, size=29))
    p = [row(sc.randomisation_test(values, s, 5, 5, statistic=statistic))["p_value"] for s in range(5, 25)]
    for k in range(1, 21):
        assert np.sum(np.array(p) <= k / 20 + 1e-12) <= k


@pytest.mark.parametrize("rho", [0, 0.3, 0.5])
def test_type_one_error_of_400_null_series(rho):
    rng = np.random.default_rng(11)
    refused = {"median": 0, "mean": 0}
    for _ in range(400):
        errors = rng.normal(size=60)
        for i in range(1, 60):
            errors[i] += rho * errors[i - 1]
        drawn = sc.draw_start(30, 5, 5, seed=int(rng.integers(10**6)), on=DAY)
        for name in refused:
            refused[name] += row(sc.randomisation_test(errors[30:], drawn, statistic=name))["p_value"] <= 0.05
    # 21 starts: at most 1/21; three Monte Carlo errors.
    assert all(count / 400 <= 1 / 21 + 3 * np.sqrt(0.05 * 0.95 / 400) for count in refused.values())
    assert refused["mean"] >= 5  # and not by never refusing


# --- intervals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCATIONS)
@pytest.mark.parametrize("drawn", [AB_LONG, TURNS], ids=["AB", "alternating"])
def test_the_interval_holds_the_shifts_that_are_not_refused(name, drawn):
    treated = next(iter(drawn.lottery.treated(drawn.outcome).values()))
    values = np.random.default_rng(9).normal(size=len(treated)).round(1) + 3 * treated
    test = row(sc.randomisation_test(values, drawn, statistic=name, conf_level=0.9))
    # A median can be blind to a neighbouring start for good: then no shift is too large, and the end is open.
    low, high = test[["conf_low", "conf_high"]].fillna({"conf_low": -1e3, "conf_high": 1e3})
    assert low <= test["estimate"] <= high

    def refused(shift):
        p = [
            row(sc.randomisation_test(values - shift * treated, drawn, statistic=name, alternative=a))["p_value"]
            for a in ("improvement", "deterioration")
        ]
        return min(p) <= 0.05

    assert not any(refused(inside) for inside in np.linspace(low + 1e-4, high - 1e-4, 9))
    assert abs(low) == 1e3 or refused(low - 1e-4)
    assert abs(high) == 1e3 or refused(high + 1e-4)


def test_the_interval_of_a_difference_of_means_is_wholly_symmetrical_in_direction():
    values = np.random.default_rng(10).normal(size=60)
    one = row(sc.randomisation_test(values, 25, 5, 5, statistic="mean"))
    other = row(sc.randomisation_test(values, 25, 5, 5, statistic="mean", improvement="decrease"))
    assert (one["conf_low"], one["conf_high"]) == pytest.approx((-other["conf_high"], -other["conf_low"]))


def test_intervals_hold_a_shift_as_often_as_they_say():
    rng, held = np.random.default_rng(12), 0
    for _ in range(300):
        drawn = sc.draw_alternating(14, "random", most_in_row=3, seed=int(rng.integers(10**6)), on=DAY)
        values = rng.normal(size=14) + 2 * np.array(drawn.outcome)
        test = row(sc.randomisation_test(values, drawn, statistic="mean", conf_level=0.9))
        held += test["conf_low"] <= 2 <= test["conf_high"]
    assert 0.9 - 3 * np.sqrt(0.09 / 300) <= held / 300 <= 0.97


def test_too_few_outcomes_leave_the_interval_open():
    test = sc.randomisation_test(JOHANNA, 5, 5, 5, statistic="mean")
    assert np.isnan(row(test)["conf_low"]) and "没有界限" in test.notes()
    assert not np.isnan(row(sc.randomisation_test(JOHANNA, 10, 5, 5, statistic="mean", conf_level=0.5))["conf_low"])


# --- speed and looks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mean", "median", "nap"])
def test_a_million_outcomes_are_gone_through_quickly(name):
    from time import process_time

    drawn = Drawing(PhaseLottery(200, (5, 5, 5, 5)), (50, 100, 150), DAY)
    values = np.random.default_rng(1).normal(size=200)
    begin = process_time()
    test = sc.randomisation_test(values, drawn, statistic=name)
    assert process_time() - begin < 6  # under 2 s on an idle machine
    assert test.glance()["exact"][0] and row(test)["n_assignments"] == 1_004_731


def test_the_figure_shows_the_distribution_and_the_observed_value():
    test = sc.randomisation_test(JOHANNA, 8, 5, 5, statistic="mean")
    ax = test.plot()
    assert sum(patch.get_height() for patch in ax.patches) == 11
    assert ax.lines[0].get_xdata()[0] == row(test)["estimate"]
    assert ax.get_xlabel() == "均值之差"


def test_columns_and_labels():
    test = sc.randomisation_test(JOHANNA, 8, 5, 5)
    assert list(test.tidy()) == [
        *("term", "estimate", "p_value", "conf_low", "conf_high"),
        *("alternative", "n_assignments", "smallest_p", "p_low", "p_high"),
    ]
    assert "中位数之差" in test._repr_mimebundle_()["text/plain"]


# --- refusals -------------------------------------------------------------------------------------------------------

AB = sc.draw_start(20, 5, 5, seed=1, on=DAY)
SEVERAL = sc.draw_multiple_baseline(["a", "b"], 20, windows=[(5, 7), (9, 11)], seed=1, on=DAY)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sc.randomisation_test("abc", 5, 5, 5),
        lambda: sc.randomisation_test(None, 5, 5, 5),
        lambda: sc.randomisation_test([], 5, 5, 5),
        lambda: sc.randomisation_test([3], 5, 5, 5),
        lambda: sc.randomisation_test([1, 2, "x", 4], 2, 1, 1),
        lambda: sc.randomisation_test([1, 2, float("inf"), 4], 2, 1, 1),
        lambda: sc.randomisation_test([1.0] * 3000, 5, 5, 5),
        lambda: sc.randomisation_test([1e300, -1e300] * 10, 5, 5, 5),
        lambda: sc.randomisation_test(np.ones((4, 4)), 2, 1, 1),
        lambda: sc.randomisation_test(JOHANNA, 3, 5, 5),
        lambda: sc.randomisation_test(JOHANNA, 16, 5, 5),
        lambda: sc.randomisation_test(JOHANNA, 5),
        lambda: sc.randomisation_test(JOHANNA, 5, 15, 15),
        lambda: sc.randomisation_test(JOHANNA, "5", 5, 5),
        lambda: sc.randomisation_test(JOHANNA, None, 5, 5),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, statistic="best"),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, statistic=None),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, improvement="up"),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, alternative="greater"),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, conf_level=95),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, samples=3),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, statistic=lambda a, b: a.nothing),
        lambda: sc.randomisation_test(JOHANNA, 5, 5, 5, statistic=lambda a, b: "x"),
        lambda: sc.randomisation_test([None] * 5 + [3] * 15, 5, 5, 5),
        lambda: sc.randomisation_test([1] + [None] * 4 + [3] * 15, 5, 5, 5, statistic="level"),
        lambda: sc.randomisation_test(JOHANNA, AB, 5, 5),
        lambda: sc.randomisation_test(JOHANNA, AB, drawn=False),
        lambda: sc.randomisation_test([*JOHANNA, 3], AB),
        lambda: sc.randomisation_test(JOHANNA, SEVERAL),
        lambda: sc.randomisation_test({"a": JOHANNA, "c": JOHANNA}, SEVERAL),
        lambda: sc.randomisation_test({"a": JOHANNA, "b": ["x"]}, SEVERAL),
        lambda: sc.randomisation_test(JOHANNA, sc.draw_phases(20, 3), statistic="level"),
        lambda: sc.randomisation_test(JOHANNA, sc.draw_phases(20, 3), statistic="nap", combine="phases"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_in_both_languages(call, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        call()
    zh, en = in_both_languages(caught.value)
    assert zh and en and zh != en
