"""The optimum of random small designs, nested to three levels, with slopes, weights and boundaries, against the
dense likelihood searched from several starts."""

import numpy as np
import pytest
from scipy.optimize import minimize

from htresearch.multilevel.reml import one_thread, solve_products

from . import dense
from .random_designs import draw


def dense_optimum(case, starts):
    """Minimise the dense likelihood over Cholesky factors; Γ is formed from the raw entries of each term."""
    Zs = dense.term_matrices(case.codes, case.terms, case.U)
    sizes = [len(columns) for _, columns in case.terms]
    base = np.eye(len(case.y)) if case.weights is None else np.diag(1 / case.weights)

    def value(theta):
        V, at = base.copy(), 0
        for Z, r in zip(Zs, sizes, strict=True):
            L = np.zeros((r, r))
            L[np.tril_indices(r)] = theta[at : at + r * (r + 1) // 2]
            at += r * (r + 1) // 2
            ZL = (Z.reshape(len(Z), -1, r) @ L).reshape(len(Z), -1)
            V += ZL @ ZL.T
        return dense.deviance(case.X, case.y, V, case.reml)

    best = np.inf
    for start in starts:
        theta = np.concatenate([L[np.tril_indices(len(L))] for L in start])
        found = minimize(value, theta, method="BFGS", options={"gtol": 1e-7})
        best = min(best, found.fun)
    return best


@pytest.mark.parametrize("seed", range(40))
@one_thread
def test_no_dense_search_finds_a_better_point(seed):
    case = draw(seed + 500)
    solution = solve_products(case.products, case.terms, case.reml)
    assert solution.converged
    rng = np.random.default_rng(seed)
    roots = []
    for covariance in solution.covariances:
        jitter = covariance / solution.sigma2 + 1e-6 * np.eye(len(covariance))
        roots.append(np.linalg.cholesky(jitter))
    even = [0.3 * np.eye(len(columns)) for _, columns in case.terms]
    apart = [root + 0.3 * rng.normal(size=root.shape) for root in roots]
    best = dense_optimum(case, [roots, even, apart])
    assert solution.criterion == pytest.approx(best, abs=1e-4) or solution.criterion < best
    # What the engine reports is the likelihood at what it reports.
    raw = [c / solution.sigma2 for c in solution.covariances]
    V = dense.relative_covariance(case.codes, case.terms, case.U, raw, case.weights)
    assert solution.criterion == pytest.approx(dense.deviance(case.X, case.y, V, case.reml), abs=1e-6)
