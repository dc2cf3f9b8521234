"""The common factor model of a correlation or covariance matrix: extraction by maximum likelihood or minres.

Equation numbers are those of Jöreskog (1967), Psychometrika, 32, 443-482, https://doi.org/10.1007/BF02289658.
Arrays in, arrays out: what users call stands in `htresearch.scales.efa`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

#: The smallest share of an item's variance that may be its own: R's `factanal` and psych stop there too.
LEAST_UNIQUE = 0.005
METHODS = ("ml", "minres")

#: Runs a function with one BLAS thread: the matrices are as wide as a form is long, and threads that wait for one
#: another made an extraction many times slower on a busy machine.
_one_thread = ThreadpoolController().wrap(limits=1, user_api="blas")


@dataclass(frozen=True)
class Extraction:
    """An unrotated factor solution.

    Attributes
    ----------
    loadings : array, items × factors
        Of principal axes; of each factor the sum is positive.
    uniquenesses : array, items
        Share of each item's variance that no factor explains.
    discrepancy : float
        What was minimised: log |Σ| - log |R| + tr(R Σ⁻¹) - p for ``"ml"``, half the sum of squared residual
        correlations for ``"minres"``.
    converged : bool
        Whether no step lowers the discrepancy further.
    improper : array of bool, items
        Heywood cases: the uniqueness stands at its bound, because the best fit would make it zero or negative.
    """

    loadings: np.ndarray
    uniquenesses: np.ndarray
    discrepancy: float
    converged: bool
    improper: np.ndarray


@_one_thread
def extract(correlations: np.ndarray, n_factors: int, method: str = "ml", exactly: bool = True) -> Extraction:
    """Fit R = ΛΛ' + Ψ.

    Parameters
    ----------
    correlations
        Positive definite for ``"ml"``.
    n_factors
        From 1 to fewer than there are items.
    method
        ``"ml"`` or ``"minres"``.
    exactly
        Whether to go on to the last digit.
    """
    correlations = np.asarray(correlations, dtype=float)
    criterion = {"ml": _likelihood, "minres": _least_squares}[method]
    # R's start: half of what the other items leave unexplained, or a half where there is no inverse.
    smallest = np.linalg.eigvalsh(correlations)[0]
    unexplained = 1 / np.diag(np.linalg.inv(correlations)) if smallest > 1e-8 else np.full(len(correlations), 0.5)
    start = np.clip((1 - 0.5 * n_factors / len(correlations)) * unexplained, LEAST_UNIQUE, 1)
    bounds = [(LEAST_UNIQUE, None if method == "ml" else 1)] * len(start)
    options = {"ftol": 1e-16, "gtol": 1e-10, "maxiter": 2000, "maxfun": 4000, "maxls": 60}
    found = minimize(
        criterion, start, (correlations, n_factors), method="L-BFGS-B", jac=True, bounds=bounds, options=options
    )
    unique = found.x
    for _ in range(50 if exactly else 0):  # the end of the way, where a line search drowns in rounding
        step = _newton_step(criterion, unique, correlations, n_factors)
        if not step.any():
            break
        unique = np.maximum(unique + step, LEAST_UNIQUE)
        if np.abs(step).max() < 1e-12:
            break
    after, gradient = criterion(unique, correlations, n_factors)
    if not after <= found.fun + 1e-10:
        unique = found.x
        after, gradient = criterion(unique, correlations, n_factors)
    improper = unique <= LEAST_UNIQUE * (1 + 1e-6)
    inward = np.where(improper, np.minimum(gradient, 0), gradient)
    return Extraction(
        _loadings(unique, correlations, n_factors, method),
        unique,
        float(after),
        bool(np.abs(inward).max() < 1e-5),
        improper,
    )


def _newton_step(criterion, unique: np.ndarray, correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """A Newton step on the uniquenesses that are free, by differences of the gradient; zero if it would fail."""
    here = criterion(unique, correlations, n_factors)[1]
    free = (unique > LEAST_UNIQUE * (1 + 1e-6)) | (here < 0)
    step = np.zeros_like(unique)
    if not free.any() or np.abs(here[free]).max() < 1e-13:
        return step
    width = 1e-5
    hessian = np.empty((free.sum(), len(unique)))
    for row, i in enumerate(np.flatnonzero(free)):
        apart = np.zeros_like(unique)
        apart[i] = width * unique[i]
        ahead = criterion(unique + apart, correlations, n_factors)[1]
        behind = criterion(unique - apart, correlations, n_factors)[1]
        hessian[row] = (ahead - behind) / (2 * apart[i])
    hessian = hessian[:, free]
    hessian = (hessian + hessian.T) / 2
    if np.linalg.eigvalsh(hessian)[0] <= 0:
        return step
    wanted = -np.linalg.solve(hessian, here[free])
    if np.abs(wanted).max() > 0.05:
        return step
    step[free] = wanted
    return step


def _likelihood(unique: np.ndarray, correlations: np.ndarray, n_factors: int) -> tuple[float, np.ndarray]:
    """The discrepancy of maximum likelihood over the best loadings for these uniquenesses, and its gradient."""
    scale = np.sqrt(unique)
    values, vectors = np.linalg.eigh(correlations / np.outer(scale, scale))
    left = values[: len(values) - n_factors]
    rest = vectors[:, : len(values) - n_factors]
    if left[0] <= 0:
        return np.inf, np.zeros_like(unique)
    # (16) and (17): only the eigenvalues that no factor takes count.
    return float(np.sum(left - np.log(left) - 1)), (rest**2 @ (1 - left)) / unique


def _least_squares(unique: np.ndarray, correlations: np.ndarray, n_factors: int) -> tuple[float, np.ndarray]:
    """Half the squared residuals over the best loadings; at its minimum those on the diagonal are zero: minres."""
    values, vectors = np.linalg.eigh(correlations - np.diag(unique))
    left = values.copy()
    left[len(values) - n_factors :] = np.minimum(left[len(values) - n_factors :], 0)
    return float(np.sum(left**2) / 2), -(vectors**2 @ left)


def _loadings(unique: np.ndarray, correlations: np.ndarray, n_factors: int, method: str) -> np.ndarray:
    scale = np.sqrt(unique) if method == "ml" else np.ones_like(unique)
    less = 1 if method == "ml" else 0
    reduced = correlations if method == "ml" else correlations - np.diag(unique)
    values, vectors = np.linalg.eigh(reduced / np.outer(scale, scale))
    order = np.argsort(values)[::-1][:n_factors]
    loadings = scale[:, None] * vectors[:, order] * np.sqrt(np.maximum(values[order] - less, 0))
    return loadings * np.where(loadings.sum(axis=0) < 0, -1, 1)


@dataclass(frozen=True)
class OneFactor:
    """One factor by maximum likelihood, in the units of the items.

    Attributes
    ----------
    loadings, residuals : array, items
        Loadings on a factor of variance 1, and residual variances.
    covariance : array, 2 items × 2 items
        Of the estimates, loadings first: the inverse of the expected information.
    converged : bool
    improper : array of bool, items
        Heywood cases.
    """

    loadings: np.ndarray
    residuals: np.ndarray
    covariance: np.ndarray
    converged: bool
    improper: np.ndarray


def one_factor(covariance: np.ndarray, n: int) -> OneFactor:
    """Fit one factor to a covariance matrix of `n` respondents (divided by `n` or n - 1: the model does not mind).

    The model is free of scale, so that the fit of the correlations, scaled back, is the fit of the covariances.
    """
    scale = np.sqrt(np.diag(covariance))
    fit = extract(covariance / np.outer(scale, scale), 1)
    loadings, residuals = fit.loadings[:, 0] * scale, fit.uniquenesses * scale**2
    inverse = np.linalg.inv(np.outer(loadings, loadings) + np.diag(residuals))
    tilted = inverse @ loadings
    # The expected information n/2 tr(Σ⁻¹ ∂Σ Σ⁻¹ ∂Σ), written out for ∂Σ/∂λi = ei λ' + λ ei' and ∂Σ/∂ψi = ei ei'.
    information = n * np.block(
        [
            [np.outer(tilted, tilted) + (loadings @ tilted) * inverse, inverse * tilted],
            [(inverse * tilted).T, inverse**2 / 2],
        ]
    )
    return OneFactor(loadings, residuals, np.linalg.inv(information), fit.converged, fit.improper)
