"""Simulated power: the same as one study after another, valid without an effect, and known where it can be known."""

from datetime import date
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.singlecase.many_series import (
    normal_series,
    observed_series,
    p_by_start,
    statistic_by_start,
)
from htresearch.singlecase.power import nap_interval_z, piecewise_level_t
from htresearch.singlecase.reference import STATISTICS

mpl.use("Agg")
sc = ht.singlecase
DAY = date(2026, 9, 1)


@pytest.mark.parametrize("name", STATISTICS)
def test_many_series_at_once_have_the_p_of_one_after_another(name):
    rng = np.random.default_rng(2)
    values, starts = rng.integers(0, 6, (12, 19)).astype(float), np.arange(4, 15)
    drawn = rng.integers(0, len(starts), 12)
    found = statistic_by_start(values, starts, name)
    for alternative in ("improvement", "deterioration", "two-sided"):
        p = p_by_start(found, drawn, alternative)
        for one, at, expected in zip(values, drawn, p, strict=True):
            test = sc.randomisation_test(one, int(starts[at]), 4, 5, statistic=name, alternative=alternative)
            assert test.tidy()["p_value"][0] == pytest.approx(expected)


def test_the_two_other_methods_are_nap_and_piecewise():
    values = np.random.default_rng(4).normal(size=(6, 18))
    z, t = nap_interval_z(values, 7)[0], piecewise_level_t(values, 7)
    assert t[1] == 14
    for one, of_nap, of_level in zip(values, z, t[0], strict=True):
        level = 2 * stats.norm.cdf(abs(of_nap)) - 1
        # At the level that its own z has, one end of the interval lies at no effect.
        ends = sc.nap(one[:7], one[7:], conf_level=level).tidy()[["conf_low", "conf_high"]].to_numpy()[0]
        assert np.abs(ends - 0.5).min() < 1e-6
        table = sc.piecewise(one, ["A"] * 7 + ["B"] * 11).tidy().set_index("term")
        assert table.loc["level", "statistic"] == pytest.approx(of_level)


@pytest.mark.parametrize("rho", [-0.4, 0, 0.6])
def test_series_have_the_variance_and_autocorrelation_asked_for(rho):
    values = normal_series(np.random.default_rng(1), 40_000, 6, rho)
    assert values.var(axis=0) == pytest.approx(np.ones(6), abs=0.03)
    assert (values[:, 1:] * values[:, :-1]).mean(axis=0) == pytest.approx(np.full(5, rho), abs=0.03)


@pytest.mark.parametrize(
    ("family", "mean", "trials", "sd"), [("count", 9, 1, 3), ("percentage", 60, 40, 100 * np.sqrt(0.24 / 40))]
)
def test_counts_and_percentages_rise_by_the_effect(family, mean, trials, sd):
    normal = normal_series(np.random.default_rng(1), 20_000, 2, 0.2)
    values = observed_series(normal, np.array([False, True]), 1.5, family, mean, trials)
    assert values.mean(axis=0) == pytest.approx([mean, mean + 1.5 * sd], rel=0.01)
    assert values[:, 0].std() == pytest.approx(sd, rel=0.03)
    assert values.min() >= 0


def test_without_an_effect_a_randomisation_test_finds_no_more_than_it_may():
    table = sc.power([24, 29, 40], 5, 5, effect=0, autocorrelation=[0, 0.5], series=2000).tidy()
    at_most = np.floor(0.05 * table["n_assignments"] + 1e-9) / table["n_assignments"]
    assert (table["estimate"] <= at_most + 3 * np.sqrt(0.05 * 0.95 / 2000)).all()
    assert (table.loc[table["n_assignments"] < 20, "estimate"] == 0).all()


def test_the_published_table_of_false_alarms_keeps_the_promise():
    table = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "single_cases.csv")
    drawn = table[table["method"].str.startswith("randomisation")]
    assert (drawn["series"] >= 5000).all() and set(drawn["autocorrelation"]) == {0, 0.3, 0.5}
    assert (drawn["rate"] <= 0.05 + 2 * drawn["std_error"]).all()


def test_what_believes_in_independence_gives_false_alarms():
    table = sc.power(30, 5, 5, effect=0, autocorrelation=0.5, method=["nap_interval", "piecewise_level"]).tidy()
    assert (table["estimate"] > 0.08).all()


def test_an_overwhelming_effect_in_pairs_is_found_by_chance_of_ties_alone():
    # All pairs point one way, so that p is 1/2^7 in every study.
    found = sc.power(sc.draw_alternating(14), effect=15, series=50, alpha=1 / 128).tidy()
    assert found["estimate"][0] == 1 and found["n_assignments"][0] == 128


def test_z_test_power_of_a_nap_interval_is_near_that_of_mann_whitney():
    table = sc.power(30, 15, 15, effect=1, autocorrelation=0, method="nap_interval", alternative="two-sided").tidy()
    # Two samples of 15, one standard deviation apart: t has power .75, Mann-Whitney about .95 as many observations.
    assert 0.69 < table["estimate"][0] < 0.78


def test_more_records_and_larger_effects_give_more_power():
    table = sc.power([30, 60], 5, 5, effect=[0.5, 3], autocorrelation=0, alpha=0.1, series=1000).tidy()
    power = table.pivot_table(index="n", columns="effect", values="estimate")
    assert (power[3.0] > power[0.5]).all() and power.loc[60, 3.0] > 0.6


@pytest.mark.parametrize(
    "design",
    [
        sc.draw_phases(20, 3, seed=1, on=DAY),
        sc.draw_multiple_baseline(["a", "b", "c"], 16, starts=[4, 7, 10], seed=1, on=DAY),
        sc.draw_multiple_baseline(["a", "b", "c"], 16, windows=[(4, 6), (7, 9), (10, 12)], seed=1, on=DAY).lottery,
        sc.draw_alternating(12, "random", seed=1, on=DAY),
        sc.draw_phases(40, 4, seed=1, on=DAY),  # sampled
    ],
)
def test_other_designs(design):
    none, much = (sc.power(design, effect=e, series=150).tidy().iloc[0] for e in (0, 3))
    assert none["estimate"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert much["estimate"] > 0.5 or much["smallest_p"] > 0.05


def test_the_same_seed_gives_the_same_and_the_error_is_that_of_the_simulation():
    first, again, other = (
        sc.power(30, 5, 5, effect=2, series=400, seed=seed).tidy().iloc[0] for seed in (3, 3, 4)
    )  # fmt: skip
    pd.testing.assert_series_equal(first, again)
    assert first["estimate"] != other["estimate"]
    assert first["std_error"] == pytest.approx(np.sqrt(first["estimate"] * (1 - first["estimate"]) / 400))
    assert first["conf_low"] < first["estimate"] < first["conf_high"]


def test_it_says_where_nothing_can_be_found_and_what_would_be_needed():
    planned = sc.power([20, 30], 5, 5, series=50)
    assert "20 次记录时可能的结果太少" in planned.notes() and "29" in planned.notes()


def test_the_figure_has_a_line_for_each_statistic():
    planned = sc.power([20, 30], 5, 5, series=50, statistic=["mean", "nap"])
    ax = planned.plot()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["均值之差", "NAP"]
    assert ax.get_xlabel() == "记录次数" and ax.get_ylabel() == "检验力"
    assert sc.power(30, 5, 5, effect=[0, 1], series=50).plot().get_xlabel() == "效应（标准差）"


@pytest.mark.parametrize(
    "call",
    [
        lambda: sc.power(30),
        lambda: sc.power(None, 5, 5),
        lambda: sc.power("30", 5, 5),
        lambda: sc.power([], 5, 5),
        lambda: sc.power(9, 5, 5),
        lambda: sc.power(30, 5, 5, effect="large"),
        lambda: sc.power(30, 5, 5, effect=float("nan")),
        lambda: sc.power(30, 5, 5, autocorrelation=1),
        lambda: sc.power(30, 5, 5, statistic="best"),
        lambda: sc.power(30, 5, 5, method="anova"),
        lambda: sc.power(30, 5, 5, alternative="greater"),
        lambda: sc.power(30, 5, 5, family="poisson"),
        lambda: sc.power(30, 5, 5, family="count"),
        lambda: sc.power(30, 5, 5, family="percentage", mean=95, trials=10, effect=3),
        lambda: sc.power(30, 5, 5, alpha=5),
        lambda: sc.power(30, 5, 5, series=1),
        lambda: sc.power(30, 1, 5, statistic="level"),
        lambda: sc.power(sc.draw_phases(20, 3), 5, 5),
        lambda: sc.power(sc.draw_phases(20, 3), statistic="slope"),
        lambda: sc.power(sc.draw_phases(20, 3), method="nap_interval"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_in_both_languages(call, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        call()
    zh, en = in_both_languages(caught.value)
    assert zh and en and zh != en
