"""What a user asks of a model with random slopes, weights, contrasts and joint tests."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import htresearch as ht
from htresearch.errors import ArgumentError, ModelError, UnsupportedError

from . import dense
from .dense import codes_of, nested_frame


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(5, schools=14)
    rng = np.random.default_rng(8)
    codes = made["school"].to_numpy()
    made["y"] += (made["x"] - 50) * rng.normal(0, 0.8, 14)[codes] + 0.5 * rng.normal(size=len(made))
    made["tier"] = pd.Categorical(rng.choice(["none", "mid", "senior"], len(made)), ["none", "mid", "senior"])
    made["w"] = rng.uniform(0.5, 2, len(made))
    made["district"] = made["school"] // 2
    return made


@pytest.fixture(scope="module")
def fit(frame):
    return ht.fit_multilevel("y ~ x + tier + size + (1 + x | school) + (1 | school:class)", frame)


def test_variances_and_correlations(fit):
    table = fit.variance_components
    assert table["group"].tolist() == ["school", "school", "school:class", "Residual", "school"]
    assert table["term"].tolist() == ["(Intercept)", "x", "(Intercept)", "", "(Intercept), x"]
    assert table["correlation"].notna().tolist() == [False] * 4 + [True]
    assert fit.n_parameters == 5 + 4 + 1


def test_effects_predictions_and_residuals_are_the_dense_ones(fit, frame):
    U = np.column_stack([np.ones(len(frame)), frame["x"]])
    codes, terms = codes_of(frame, ("school", "class")), fit.design.random.terms
    raw = [c / fit.solution.sigma2 for c in fit.solution.covariances]
    V = dense.relative_covariance(codes, terms, U, raw)
    left = fit.design.y - fit.design.X @ fit.solution.beta
    weighted = np.linalg.solve(V, left)
    expected = []
    for Z, gamma in zip(dense.term_matrices(codes, terms, U), raw, strict=True):
        expected.append(np.kron(np.eye(Z.shape[1] // len(gamma)), gamma) @ Z.T @ weighted)
    schools = fit.random_effects("school")
    assert schools.columns.tolist() == ["school", "term", "estimate", "std_dev"]
    np.testing.assert_allclose(schools.query("term == 'x'")["estimate"], expected[0].reshape(-1, 2)[:, 1], atol=1e-6)
    np.testing.assert_allclose(fit.residuals(), weighted, atol=1e-7)
    np.testing.assert_allclose(frame["y"] - fit.predict(frame), weighted, atol=1e-7)


def test_weights_are_those_of_the_dense_likelihood(frame):
    fit = ht.fit_multilevel("y ~ x + (1 | school)", frame, weights="w")
    codes = codes_of(frame, ("school",))
    X = np.column_stack([np.ones(len(frame)), frame["x"]])
    V = dense.relative_covariance(
        codes, [(0, (0,))], X[:, :1], [fit.solution.covariances[0] / fit.solution.sigma2], frame["w"].to_numpy()
    )
    assert fit.criterion == pytest.approx(dense.deviance(X, frame["y"].to_numpy(), V, True), abs=1e-6)


def test_weights_have_to_be_positive(frame, in_both_languages):
    with pytest.raises(ModelError) as caught:
        ht.fit_multilevel("y ~ x + (1 | school)", frame.assign(w=0.0), weights="w")
    chinese, english = in_both_languages(caught.value)
    assert "大于 0" in chinese and "above 0" in english


def test_a_contrast_is_the_difference_of_two_coefficients(fit):
    pair = {"senior - mid": {"tier[T.senior]": 1, "tier[T.mid]": -1}}
    for inference in ("satterthwaite", "kenward-roger", "cr2", "normal", "containment"):
        row = fit.contrast(pair, inference).tidy().iloc[0]
        tidy = fit.tidy(inference).set_index("term")["estimate"]
        assert row["estimate"] == pytest.approx(tidy["tier[T.senior]"] - tidy["tier[T.mid]"])
        assert row["conf_low"] < row["estimate"] < row["conf_high"]


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward-roger", "cr2", "normal"])
def test_a_joint_test_of_one_coefficient_is_its_t_test(fit, inference):
    row, alone = fit.test("x", inference).tidy().iloc[0], fit.tidy(inference).set_index("term").loc["x"]
    assert row["statistic"] == pytest.approx(alone["statistic"] ** 2, rel=1e-8)
    assert row["df"] == pytest.approx(alone["df"], rel=1e-8)
    assert row["p_value"] == pytest.approx(alone["p_value"], rel=1e-6)


def test_a_category_stands_for_all_its_coefficients(fit):
    table = fit.test("tier").tidy()
    assert table["term"].tolist() == ["tier[T.mid], tier[T.senior]"] and table["df_numerator"].tolist() == [2]
    rows = np.eye(5)[2:4]
    assert fit.test(rows).tidy()["statistic"].tolist() == pytest.approx(table["statistic"].tolist())


def test_unknown_terms_and_wrong_matrices_are_refused(fit, in_both_languages):
    for terms in (["tiers"], np.ones((1, 3))):
        with pytest.raises(ArgumentError):
            fit.test(terms)
    with pytest.raises(ArgumentError):
        fit.contrast({"a": {"nothing": 1}})
    with pytest.raises(ArgumentError) as caught:
        fit.tidy("normal", cluster="school")
    chinese, english = in_both_languages(caught.value)
    assert "inference='cr2'" in chinese and "inference='cr2'" in english


def test_larger_clusters_are_taken_and_smaller_ones_refused(fit, frame, in_both_languages):
    larger = fit.estimates("cr2", cluster=frame["district"])
    assert "district (7)" in larger.note[-1].en
    assert fit.tidy("cr2", cluster="school").equals(fit.tidy("cr2"))
    with pytest.raises(UnsupportedError) as caught:
        fit.tidy("cr2", cluster=frame["class"])
    chinese, english = in_both_languages(caught.value)
    assert "一个群里" in chinese and "lies in one cluster" in english


def test_kenward_roger_of_an_ml_fit_is_the_reml_fits(fit):
    ml = fit.refit("ml")
    pd.testing.assert_frame_equal(ml.tidy("kenward-roger"), fit.tidy("kenward-roger"), rtol=1e-5)
    assert any("fitted again by REML" in note.en for note in ml.estimates("kenward-roger").note)


def test_few_outermost_groups_are_pointed_out(fit):
    assert any("fewer than 40" in note.en and "cr2" in note.zh for note in fit.estimates().note)


def test_a_variance_at_zero_changes_nothing_in_the_degrees_of_freedom():
    frame = nested_frame(2, schools=10, deviations=(3.0, 0.0))
    noise = [np.random.default_rng(seed).normal(size=len(frame)) for seed in range(30)]
    fits = (ht.fit_multilevel("y ~ x + (1 | school/class)", frame.assign(y=frame["y"] + e)) for e in noise)
    with_zero = next(fit for fit in fits if fit.singular)
    plain = ht.fit_multilevel("y ~ x + (1 | school)", frame.assign(y=with_zero.design.y))
    np.testing.assert_allclose(with_zero.tidy()["df"], plain.tidy()["df"], rtol=1e-6)
    np.testing.assert_allclose(with_zero.tidy()["std_error"], plain.tidy()["std_error"], rtol=1e-6)


def test_a_slope_with_its_covariance_is_tested_on_the_boundary(frame):
    small = ht.fit_multilevel("y ~ x + (1 | school)", frame)
    large = ht.fit_multilevel("y ~ x + (1 + x | school)", frame)
    row = small.compare(large).tidy().iloc[1]
    mixture = (stats.chi2.sf(row["statistic"], 1) + stats.chi2.sf(row["statistic"], 2)) / 2
    assert row["df"] == 2 and row["p_value"] == pytest.approx(mixture)


def test_categories_with_independent_effects_are_expanded_and_said(frame):
    fit = ht.fit_multilevel("y ~ x + (tier || school)", frame)
    assert [b.columns for b in fit.design.random.blocks] == [(0,), (1,), (2,)]
    assert any("independent" in note.en and "各自独立" in note.zh for note in fit.note)


def test_as_many_effects_as_rows_are_refused(frame, in_both_languages):
    pairs = frame.groupby(["school", "class"]).head(2)
    with pytest.raises(ModelError) as caught:
        ht.fit_multilevel("y ~ x + (1 + x | school:class)", pairs)
    chinese, english = in_both_languages(caught.value)
    assert "无法区分" in chinese and "cannot be told from the residual" in english
