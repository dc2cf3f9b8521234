"""Maximum likelihood for covariances and means: the criterion, its gradient, Fisher scoring.

Derivatives after Jöreskog (1971), whitened: with Σ = LL', every ∂Σ becomes L⁻¹ ∂Σ L⁻ᵀ, and the expected information
of a respondent between two parameters is half the inner product of theirs, plus that of their whitened means.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.scales.structure import FACTOR, INTERCEPT, LOADING, MEAN, RESIDUAL, Structure


@dataclass(frozen=True)
class Moments:
    """Of one group: respondents, means, and covariances divided by `n`."""

    n: int
    mean: np.ndarray
    covariance: np.ndarray

    @cached_property
    def log_det(self) -> float:
        """log |S|."""
        return float(np.linalg.slogdet(self.covariance)[1])


@dataclass(frozen=True)
class Implied:
    """What the parameters say of one group."""

    loadings: np.ndarray
    factors: np.ndarray
    residuals: np.ndarray
    intercepts: np.ndarray
    means: np.ndarray

    @cached_property
    def covariance(self) -> np.ndarray:
        """Σ."""
        return self.loadings @ self.factors @ self.loadings.T + self.residuals

    @cached_property
    def mean(self) -> np.ndarray:
        """μ."""
        return self.intercepts + self.loadings @ self.means


@dataclass(frozen=True)
class Solution:
    """Where Fisher scoring ended.

    Attributes
    ----------
    estimates : array
        The free parameters.
    discrepancy : float
        Σ n (log |Σ| - log |S| + tr(SΣ⁻¹) - p + (m - μ)'Σ⁻¹(m - μ)): the likelihood-ratio statistic.
    information : array
        Expected, of all respondents.
    converged : bool
    """

    estimates: np.ndarray
    discrepancy: float
    information: np.ndarray
    converged: bool


def implied(structure: Structure, values: np.ndarray, group: int, moments: Moments) -> Implied:
    """Fill the matrices of a group; where means are not modelled, they are those of the answers."""
    n_items, n_factors = len(structure.items), len(structure.factors)
    filled = {
        LOADING: np.zeros((n_items, n_factors)),
        FACTOR: np.zeros((n_factors, n_factors)),
        RESIDUAL: np.zeros((n_items, n_items)),
        INTERCEPT: np.zeros((n_items, 1)),
        MEAN: np.zeros((n_factors, 1)),
    }
    for p in structure.of_group(group):
        value = p.fixed if p.free < 0 else values[p.free]
        filled[p.matrix][p.row, p.column] = value
        if p.matrix in (FACTOR, RESIDUAL):
            filled[p.matrix][p.column, p.row] = value
    intercepts = filled[INTERCEPT][:, 0] if structure.means else moments.mean
    return Implied(filled[LOADING], filled[FACTOR], filled[RESIDUAL], intercepts, filled[MEAN][:, 0])


def whitened_slopes(structure: Structure, group: int, said: Implied) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return L⁻¹, and of every free parameter L⁻¹ ∂Σ L⁻ᵀ as a row of items² and L⁻¹ ∂μ as a row.

    Raises numpy's LinAlgError where Σ is not positive definite.
    """
    n_items = len(structure.items)
    white = np.linalg.inv(np.linalg.cholesky(said.covariance))
    of_factors = white @ said.loadings
    scores = of_factors @ said.factors
    slopes = np.zeros((structure.n_free, n_items, n_items))
    shifts = np.zeros((structure.n_free, n_items))
    for p in structure.of_group(group):
        if p.free < 0:
            continue
        i, j = p.row, p.column
        if p.matrix == INTERCEPT:
            shifts[p.free] += white[:, i]
        elif p.matrix == MEAN:
            shifts[p.free] += of_factors[:, i]
        else:
            left = of_factors[:, i] if p.matrix == FACTOR else white[:, i]
            right = {LOADING: scores, FACTOR: of_factors, RESIDUAL: white}[p.matrix][:, j]
            outer = np.outer(left, right)
            slopes[p.free] += outer if p.matrix != LOADING and i == j else outer + outer.T
            if p.matrix == LOADING:
                shifts[p.free] += white[:, i] * said.means[j]
    return white, slopes.reshape(structure.n_free, n_items**2), shifts


def criterion(structure: Structure, values: np.ndarray, groups: list[Moments]) -> float:
    """The likelihood-ratio statistic against saturated moments; infinite where some Σ is not positive definite."""
    total = 0.0
    for g, moments in enumerate(groups):
        said = implied(structure, values, g, moments)
        try:
            lower = np.linalg.cholesky(said.covariance)
        except np.linalg.LinAlgError:
            return np.inf
        white = np.linalg.inv(lower)
        apart = white @ (moments.mean - said.mean)
        log_det = 2 * np.log(np.diag(lower)).sum()
        trace = np.sum((white @ moments.covariance) * white)
        total += moments.n * (log_det - moments.log_det + trace - len(lower) + apart @ apart)
    return float(total)


def score(structure: Structure, values: np.ndarray, groups: list[Moments]) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient of the log-likelihood and the expected information, of all respondents."""
    gradient = np.zeros(structure.n_free)
    information = np.zeros((structure.n_free, structure.n_free))
    for g, moments in enumerate(groups):
        said = implied(structure, values, g, moments)
        white, slopes, shifts = whitened_slopes(structure, g, said)
        apart = white @ (moments.mean - said.mean)
        excess = white @ moments.covariance @ white.T + np.outer(apart, apart) - np.eye(len(apart))
        gradient += moments.n * (slopes @ excess.ravel() / 2 + shifts @ apart)
        information += moments.n * (slopes @ slopes.T / 2 + shifts @ shifts.T)
    return gradient, information


def maximise(structure: Structure, groups: list[Moments], start: np.ndarray | None = None) -> Solution:
    """Climb by Fisher scoring, damped where a full step would not lower the criterion (Marquardt)."""
    values = starting_values(structure, groups) if start is None else start.copy()
    here = criterion(structure, values, groups)
    if not np.isfinite(here):  # fixed values that no covariances can have
        return Solution(values, here, np.eye(structure.n_free), False)
    if not structure.n_free:
        return Solution(values, here, np.zeros((0, 0)), True)
    n = sum(m.n for m in groups)
    damping, converged = 0.0, False
    gradient, information = score(structure, values, groups)
    for _ in range(500):
        scale = np.maximum(np.diag(information), 1e-12)
        step = np.linalg.lstsq(information + np.diag(damping * scale), gradient, rcond=1e-13)[0]
        if gradient @ step < 1e-14 * n and damping < 1e-3:
            converged = True
            break
        there = criterion(structure, values + step, groups)
        if there <= here + 1e-12 * abs(here):
            done = here - there < 1e-13 * n and gradient @ step < 1e-10 * n
            values, here = values + step, there
            damping = 0.0 if damping < 1e-6 else damping / 10
            gradient, information = score(structure, values, groups)
            if done:
                converged = True
                break
        else:
            damping = max(damping * 10, 1e-4)
            if damping > 1e12:
                break
    return Solution(values, here, information, converged)


def starting_values(structure: Structure, groups: list[Moments]) -> np.ndarray:
    """Loadings from the first axis of each factor's items; equal parameters take the mean of their groups."""
    total, count = np.zeros(structure.n_free), np.zeros(structure.n_free)
    for g, moments in enumerate(groups):
        spread = np.diag(moments.covariance)
        loadings, factors = _axes(structure, g, moments)
        for p in structure.of_group(g):
            if p.free < 0:
                continue
            half = np.diag(spread / 2)
            known = {LOADING: loadings, FACTOR: factors, RESIDUAL: half, INTERCEPT: moments.mean[:, None]}
            total[p.free] += known[p.matrix][p.row, p.column] if p.matrix in known else 0.0
            count[p.free] += 1
    return total / count


def _axes(structure: Structure, group: int, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Rough loadings and factor covariances: half of each item's variance common, signs from the first axis."""
    scale = np.sqrt(np.diag(moments.covariance))
    correlations = moments.covariance / np.outer(scale, scale)
    n_items, n_factors = len(structure.items), len(structure.factors)
    parameters = structure.of_group(group)
    loadings = np.zeros((n_items, n_factors))
    signs = np.zeros((n_items, n_factors))
    units = np.ones(n_factors)
    taken: set[int] = set()
    for k in range(n_factors):
        of_factor = [p for p in parameters if p.matrix == LOADING and p.column == k]
        own = [p.row for p in of_factor if p.row not in taken] or [p.row for p in of_factor]
        axis = np.linalg.eigh(correlations[np.ix_(own, own)])[1][:, -1]
        axis = axis * (1 if axis[0] >= 0 else -1)
        rough = np.zeros(n_items)
        rough[own] = np.sqrt(0.5) * np.sign(np.where(axis == 0, 1, axis)) * scale[own]
        signs[own, k] = np.sign(rough[own]) / scale[own]
        held = next((p for p in of_factor if p.free < 0 and p.fixed and rough[p.row]), None)
        if held is not None:
            units[k] = rough[held.row] / held.fixed
        else:
            variance = next(p for p in parameters if p.matrix == FACTOR and p.row == p.column == k)
            units[k] = 1 / np.sqrt(variance.fixed) if variance.free < 0 and variance.fixed > 0 else 1.0
        loadings[:, k] = rough / units[k]
        taken |= set(own)
    # Factors covary as the sums of their items do, a little less so that no correlation starts at its bound.
    sums = signs.T @ moments.covariance @ signs
    spread = np.sqrt(np.maximum(np.diag(sums), 1e-12))
    factors = np.clip(sums / np.outer(spread, spread), -0.7, 0.7)
    np.fill_diagonal(factors, 1.0)
    return loadings, factors * np.outer(units, units)
