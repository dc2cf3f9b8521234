import numpy as np
import pytest
from scipy.optimize import minimize

from htresearch.multilevel.reml import Profile, nested_moments, one_thread, starts_from
from htresearch.multilevel.reml import solve as solve_from

from .dense import codes_of, covariance, criterion, estimates, nested_frame

NAMES = ("school", "class", "pair")


def solve(X, y, codes, reml):
    return solve_from(X, y, codes, reml, (np.full(len(codes), 0.1),))


def arrays(seed, depth, deviations=(2.0, 1.5, 1.0)):
    frame = nested_frame(seed, schools=6 if depth < 3 else 4, depth=depth, deviations=deviations)
    X = np.column_stack([np.ones(len(frame)), frame["x"] - 50, frame["size"]])
    return X, frame["y"].to_numpy() - 25, codes_of(frame, NAMES[:depth])


cases = pytest.mark.parametrize(("seed", "depth"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
likelihoods = pytest.mark.parametrize("reml", [True, False])


@cases
@likelihoods
@pytest.mark.parametrize("scale", [0.0, 0.01, 1.0, 30.0])
def test_the_criterion_is_the_dense_likelihood(seed, depth, reml, scale):
    X, y, codes = arrays(seed, depth)
    gamma = scale * np.array([0.7, 0.4, 1.3])[:depth]
    profile = Profile(nested_moments(X, y, codes), gamma, reml)
    assert profile.criterion == pytest.approx(criterion(X, y, codes, gamma, reml), abs=1e-8)


@cases
@likelihoods
def test_everything_at_given_variances_is_the_dense_formula(seed, depth, reml):
    X, y, codes = arrays(seed, depth)
    gamma = np.array([0.7, 0.4, 1.3])[:depth]
    profile = Profile(nested_moments(X, y, codes), gamma, reml)
    beta, cov, sigma2, blups, spread = estimates(X, y, codes, gamma, reml)
    np.testing.assert_allclose(profile.beta, beta, rtol=1e-9)
    np.testing.assert_allclose(profile.sigma2 * profile.covariance, cov, rtol=1e-9)
    assert profile.sigma2 == pytest.approx(sigma2, rel=1e-10)
    assert profile.log_det == pytest.approx(np.linalg.slogdet(covariance(codes, gamma))[1], abs=1e-10)
    for (ours, sd), theirs, their_sd in zip(profile.blups(), blups, spread, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
        np.testing.assert_allclose(sd, their_sd, atol=1e-9)


@cases
@likelihoods
@pytest.mark.parametrize("at", [0.0, 0.5])
def test_the_gradient_is_the_slope_of_the_dense_likelihood(seed, depth, reml, at):
    X, y, codes = arrays(seed, depth)
    gamma = np.full(depth, at)
    gradient = Profile(nested_moments(X, y, codes), gamma, reml).gradient
    for k, step in enumerate(1e-6 * np.eye(depth)):
        # The formula holds below 0 too, as long as V stays positive definite, so a central difference serves at 0.
        slope = (criterion(X, y, codes, gamma + step, reml) - criterion(X, y, codes, gamma - step, reml)) / 2e-6
        assert gradient[k] == pytest.approx(slope, rel=1e-5, abs=1e-4)


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
    assert solution.gradient_norm < 1e-5
    beta, cov, sigma2, blups, spread = estimates(X, y, codes, solution.gamma, reml)
    np.testing.assert_allclose(solution.beta, beta, rtol=1e-8)
    np.testing.assert_allclose(solution.covariance, cov, rtol=1e-7, atol=1e-12)
    assert solution.sigma2 == pytest.approx(sigma2, rel=1e-9)
    np.testing.assert_allclose(np.concatenate([e for e, _ in solution.effects]), np.concatenate(blups), atol=1e-8)
    np.testing.assert_allclose(np.concatenate([s for _, s in solution.effects]), np.concatenate(spread), atol=1e-8)


def test_a_variance_at_the_boundary_is_zero_and_certified():
    X, y, codes = arrays(1, 2, deviations=(0.0, 0.0))
    at_zero = [solve(X, np.random.default_rng(i).permutation(y), codes, True) for i in range(12)]
    assert all(solution.converged for solution in at_zero)
    assert any((solution.gamma == 0).any() for solution in at_zero)


@pytest.mark.parametrize("start", [0.0, 1e-9, 1e-3, 1.0, 100.0, 1e6])
def test_any_start_leads_to_the_same_optimum(start):
    X, y, codes = arrays(2, 2)
    best = solve(X, y, codes, True)
    found = solve_from(X, y, codes, True, (np.full(2, start),))
    assert found.criterion == pytest.approx(best.criterion, abs=1e-8)
    np.testing.assert_allclose(found.gamma, best.gamma, rtol=1e-6)


def test_large_means_cost_no_digits():
    X, y, codes = arrays(3, 2)
    far = X + np.array([0, 1e6, 0])
    near, moved = solve(X, y, codes, True), solve(far, y + 1e6, codes, True)
    assert moved.criterion == pytest.approx(near.criterion, abs=1e-5)
    np.testing.assert_allclose(moved.beta[1:], near.beta[1:], rtol=1e-6)


def test_a_start_on_the_boundary_is_not_alone():
    assert len(starts_from(np.array([0.2, 0.3]))) == 1
    assert [start.tolist() for start in starts_from(np.array([0.2, 0.0]))] == [[0.2, 0.0], [0.1, 0.1]]
