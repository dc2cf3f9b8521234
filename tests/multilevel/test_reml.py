import numpy as np
import pytest
from scipy.optimize import minimize

from htresearch.multilevel.reml import one_thread, solve

from .dense import codes_of, criterion, estimates, nested_frame

NAMES = ("school", "class", "pair")


def arrays(seed, depth, deviations=(2.0, 1.5, 1.0)):
    frame = nested_frame(seed, schools=6 if depth < 3 else 4, depth=depth, deviations=deviations)
    X = np.column_stack([np.ones(len(frame)), frame["x"] - 50, frame["size"]])
    return X, frame["y"].to_numpy() - 25, codes_of(frame, NAMES[:depth])


likelihoods = pytest.mark.parametrize("reml", [True, False])


@pytest.mark.parametrize(("seed", "depth"), [(1, 1), (2, 2), (4, 3)])
@likelihoods
@one_thread
def test_the_optimum_is_the_dense_likelihoods(seed, depth, reml):
    X, y, codes = arrays(seed, depth)
    solution = solve(X, y, codes, reml)
    dense = min(
        minimize(
            lambda root: criterion(X, y, codes, root**2, reml),
            np.full(depth, start),
            method="Nelder-Mead",
            options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000},
        ).fun
        for start in (0.3, 1.0)
    )
    assert solution.criterion == pytest.approx(dense, abs=1e-7)
    assert solution.converged
    assert solution.gradient_norm < 1e-4
    beta, cov, sigma2, blups, spread = estimates(X, y, codes, solution.gamma, reml)
    np.testing.assert_allclose(solution.beta, beta, rtol=1e-8)
    np.testing.assert_allclose(solution.covariance, cov, rtol=1e-7, atol=1e-12)
    assert solution.sigma2 == pytest.approx(sigma2, rel=1e-9)
    for (effects, given), blup, sd in zip(solution.effects, blups, spread, strict=True):
        np.testing.assert_allclose(effects[:, 0], blup, atol=1e-8)
        np.testing.assert_allclose(np.sqrt(given[:, 0, 0]), sd, atol=1e-7)


def test_a_variance_at_the_boundary_is_zero_and_certified():
    X, y, codes = arrays(1, 2, deviations=(0.0, 0.0))
    at_zero = [solve(X, np.random.default_rng(i).permutation(y), codes, True) for i in range(12)]
    assert all(solution.converged for solution in at_zero)
    assert any((solution.gamma == 0).any() and solution.singular for solution in at_zero)


@pytest.mark.parametrize("start", [0.0, 1e-9, 1e-3, 1.0, 100.0, 1e6])
def test_any_start_leads_to_the_same_optimum(start):
    X, y, codes = arrays(2, 2)
    best = solve(X, y, codes, True)
    found = solve(X, y, codes, True, (np.full(2, start),))
    assert found.criterion == pytest.approx(best.criterion, abs=1e-8)
    np.testing.assert_allclose(found.gamma, best.gamma, rtol=1e-6)


def test_large_means_cost_no_digits():
    X, y, codes = arrays(3, 2)
    far = X + np.array([0, 1e6, 0])
    near, moved = solve(X, y, codes, True), solve(far, y + 1e6, codes, True)
    assert moved.criterion == pytest.approx(near.criterion, abs=1e-5)
    np.testing.assert_allclose(moved.beta[1:], near.beta[1:], rtol=1e-6)


def test_few_evaluations_are_enough():
    """Scoring is nearly exact for variances: the criterion is computed a handful of times."""
    assert max(solve(*arrays(seed, 2), True).optimum.evaluations for seed in range(8)) <= 25
