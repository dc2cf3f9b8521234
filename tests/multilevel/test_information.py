"""Criterion, gradient and second derivatives against whole matrices, at random covariances of random designs."""

import numpy as np
import pytest

from htresearch.multilevel.reml import solve_products

from . import dense
from .random_designs import draw


def at_random(seed):
    """A design and a point of it that is no optimum: the same covariances for the engine and for whole matrices."""
    case = draw(seed)
    rng = np.random.default_rng(seed + 1000)
    solution = solve_products(case.products, case.terms, case.reml)
    optimum = solution.optimum
    roots = [rng.normal(size=(b.size, b.size)) for b in optimum.structure.blocks]
    relative = [root @ root.T for root in roots]
    point = type(optimum)(optimum.data, optimum.structure, relative, case.reml)
    raw = [b.scale @ c @ b.scale.T for b, c in zip(optimum.structure.blocks, relative, strict=True)]
    return case, solution, point, raw


@pytest.fixture(scope="module", params=range(12))
def pair(request):
    return at_random(request.param)


def matrices(case, solution, point, raw):
    V = dense.relative_covariance(case.codes, case.terms, case.U, raw, case.weights)
    G = dense.derivatives(case.codes, case.terms, case.U)
    # From the entries in the units of the columns to those of the search.
    onto, at = np.zeros((len(G), len(G))), 0
    for block in point.structure.blocks:
        pairs = block.pairs
        for i, (a, b) in enumerate(pairs):
            E = np.zeros((block.size, block.size))
            E[a, b] = E[b, a] = 1
            moved = block.scale @ E @ block.scale.T
            onto[at + i, at : at + len(pairs)] = [moved[c, d] for c, d in pairs]
        at += len(pairs)
    return V, np.einsum("ij,jab->iab", onto, np.array(G))


def test_the_criterion_is_the_dense_likelihood(pair):
    case, solution, point, _ = pair
    V, _ = matrices(*pair)
    ours = point.profile.criterion + solution.coordinates.log_scale * case.reml
    assert ours == pytest.approx(dense.deviance(case.X, case.y, V, case.reml), abs=1e-7)


def test_the_estimates_are_the_dense_ones(pair):
    case, solution, point, raw = pair
    V, _ = matrices(*pair)
    here = type(solution)(solution.products, point, solution.coordinates)
    inverse = np.linalg.inv(V)
    phi = np.linalg.inv(case.X.T @ inverse @ case.X)
    beta = phi @ case.X.T @ inverse @ case.y
    e = case.y - case.X @ beta
    sigma2 = e @ inverse @ e / (len(e) - 4 * case.reml)
    np.testing.assert_allclose(here.beta, beta, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(here.covariance, sigma2 * phi, rtol=1e-6, atol=1e-10)
    for (effects, spread), Z, gamma in zip(
        here.effects, dense.term_matrices(case.codes, case.terms, case.U), raw, strict=True
    ):
        G = np.kron(np.eye(Z.shape[1] // len(gamma)), gamma)
        np.testing.assert_allclose(effects.ravel(), G @ Z.T @ inverse @ e, rtol=1e-6, atol=1e-7)
        given = sigma2 * (G - G @ Z.T @ inverse @ Z @ G)
        for g, covariance in enumerate(spread):
            rows = slice(g * len(gamma), (g + 1) * len(gamma))
            np.testing.assert_allclose(covariance, given[rows, rows], rtol=1e-6, atol=1e-7)


def test_the_second_derivatives_are_the_dense_ones(pair):
    case, _, point, _ = pair
    V, G = matrices(*pair)
    inverse = np.linalg.inv(V)
    P = inverse - inverse @ case.X @ np.linalg.solve(case.X.T @ inverse @ case.X, case.X.T @ inverse)
    M = P if case.reml else inverse
    sigma2 = case.y @ P @ case.y / (len(case.y) - 4 * case.reml)
    info = point.information
    close = {"rtol": 1e-6, "atol": 1e-8}
    np.testing.assert_allclose(info.traces, [np.trace(inverse @ g) for g in G], **close)
    expected = np.array([[np.trace(M @ a @ M @ b) for b in G] for a in G])
    np.testing.assert_allclose(
        info.square_traces, [[np.trace(inverse @ a @ inverse @ b) for b in G] for a in G], **close
    )
    np.testing.assert_allclose(info.expected, expected, **close)
    average = np.array([[case.y @ P @ a @ P @ b @ P @ case.y for b in G] for a in G]) / sigma2
    np.testing.assert_allclose(info.average, average, rtol=1e-6, atol=1e-7)
    squares = np.array([case.y @ P @ g @ P @ case.y for g in G]) / sigma2
    np.testing.assert_allclose(info.gradient, [np.trace(M @ g) for g in G] - squares, rtol=1e-6, atol=1e-7)
