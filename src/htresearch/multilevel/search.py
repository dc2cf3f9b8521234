"""From cross-products to the optimum: scoring, Newton's steps, and a certificate of where they ended.

Scoring on the expected information is nearly exact for variances and gets close in a few steps; Newton's method on
the factors of the covariances, with the exact second derivatives, goes to the bottom, into a corner of the boundary
too. Both stop on the decrement: differences of the criterion are rounding noise where the criterion is large.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product

import numpy as np

from htresearch.multilevel.information import Information
from htresearch.multilevel.likelihood import Moments, Profile
from htresearch.multilevel.variances import Factors, Structure, Tangent

#: Variances relative to the residual's from which the search starts; the later ones only where the first ones fail,
#: or where a model has slopes and few groups.
STARTS = (0.1, 1.0, 0.01, 10.0)
#: Up to so many innermost groups a model with slopes tries every start: few groups make for hollows beside one
#: another, and little work.
_FEW = 1000
#: At most so many patterns of correlations are started from.
_PATTERNS = 8
#: Below this a variance relative to the residual's is tried at exactly 0.
NOTHING = 1e-8
#: The decrement below which an end is an optimum, in units of the criterion.
DECREMENT = 1e-6


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    data : Moments
    structure : Structure
    covariances : list of numpy.ndarray
        Γ of each block.
    reml : bool
    evaluations : int
        How often the criterion was computed.
    """

    data: Moments
    structure: Structure
    covariances: list[np.ndarray]
    reml: bool
    evaluations: int = 0

    @cached_property
    def profile(self) -> Profile:
        """The criterion there."""
        return Profile(self.data, self.structure.gammas(self.covariances), self.reml)

    @cached_property
    def information(self) -> Information:
        """The second derivatives there."""
        return Information(self.profile, self.structure.directions)

    def elsewhere(self, covariances: list[np.ndarray]) -> Information:
        """Return the criterion and its derivatives at other covariances."""
        gammas = self.structure.gammas(covariances)
        return Information(Profile(self.data, gammas, self.reml), self.structure.directions)

    @cached_property
    def slopes(self) -> list[np.ndarray]:
        """Derivatives of the criterion by Γ of each block."""
        return self.structure.slopes(self.information)

    @cached_property
    def tangent(self) -> Tangent:
        """The free directions."""
        return Tangent.at(self.structure, self.covariances, self.slopes)

    @property
    def singular(self) -> bool:
        """Whether the end lies on the boundary: a variance of 0, a correlation of ±1."""
        return any(null.shape[1] > 0 for null in self.tangent.null)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Derivatives of the criterion along the free directions."""
        return self.tangent.jacobian.T @ self.information.gradient

    @cached_property
    def curvature(self) -> np.ndarray:
        """Second derivatives along the free directions."""
        jacobian = self.tangent.jacobian
        return jacobian.T @ self.information.hessian @ jacobian + self.tangent.bend

    @cached_property
    def decrement(self) -> float:
        """How far the criterion could still fall along the free directions; infinite at a saddle."""
        if not len(self.gradient):
            return 0.0
        # Directions differ in length by orders of magnitude; the decrement does not, and is taken in even units.
        unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(self.curvature)), 1e-300))
        values, vectors = np.linalg.eigh(self.curvature * np.outer(unit, unit))
        if values[0] <= 1e-12 * values[-1]:
            return np.inf
        return float(np.sum((vectors.T @ (unit * self.gradient)) ** 2 / values))

    @cached_property
    def ways_out(self) -> list[tuple[int, np.ndarray]]:
        """Blocks and steps off the boundary that would lower the criterion."""
        found = []
        for i, (slope, null) in enumerate(zip(self.slopes, self.tangent.null, strict=True)):
            if not null.shape[1]:
                continue
            values, vectors = np.linalg.eigh(null.T @ slope @ null)
            along = null @ vectors[:, 0]
            step = self.structure.joined(
                [np.outer(along, along) if k == i else np.zeros_like(s) for k, s in enumerate(self.slopes)]
            )
            curvature = max(step @ self.information.scoring @ step, 1e-300)
            if values[0] < 0 and values[0] ** 2 > DECREMENT * curvature:
                found.append((i, -values[0] / curvature * np.outer(along, along)))
        return found

    @property
    def converged(self) -> bool:
        """Whether the end is an optimum: flat and curved upwards where it can move, and no gain off the boundary."""
        return bool(self.decrement < DECREMENT and not self.ways_out)


def find_optimum(
    data: Moments, structure: Structure, reml: bool, starts: tuple[list[np.ndarray], ...] = ()
) -> Optimum:
    """Search for the covariances at which the (restricted) likelihood is largest.

    Parameters
    ----------
    data, structure, reml
        The model.
    starts
        Points to start from, a covariance per block, before our own.

    Returns
    -------
    Optimum
        The best certified end, or the best one where none is.
    """
    ends: list[Optimum] = []
    evaluations = 0
    # With slopes one optimum may lie beside a better one: a slope without variance beside one whose variance takes a
    # large intercept's with it, correlations of 1 beside those of -1.
    several = len(structure.rotation) > 1 and len(data.gram) <= _FEW
    for i, start in enumerate((*starts, *_even_starts(structure), *_tilted_starts(structure))):
        end = _descend(Optimum(data, structure, start, reml))
        for _ in range(5):
            if not end.ways_out:
                break
            covariances = list(end.covariances)
            for block, step in end.ways_out:
                covariances[block] = covariances[block] + step
            end = _descend(Optimum(data, structure, covariances, reml, end.evaluations))
        evaluations += end.evaluations
        ends.append(end)
        if end.converged and i + 1 >= len(starts) and not several:
            break
    certified = [end for end in ends if end.converged] or ends
    best = min(certified, key=lambda end: end.profile.criterion)
    if best.evaluations == evaluations:  # what it knows already need not be found again
        return best
    return Optimum(data, structure, best.covariances, reml, evaluations)


def _even_starts(structure: Structure) -> list[list[np.ndarray]]:
    """Return covariances without correlations."""
    return [[level * np.eye(block.size) for block in structure.blocks] for level in STARTS]


def _tilted_starts(structure: Structure) -> list[list[np.ndarray]]:
    """Return covariances with every pattern of signs of large correlations."""
    most = max(block.size for block in structure.blocks)
    if most == 1:
        return []
    patterns = islice(product((1.0, -1.0), repeat=most - 1), _PATTERNS)
    signs = [np.array([1.0, *pattern]) for pattern in patterns]
    return [
        [np.outer(sign[: b.size], sign[: b.size]) + 0.1 * np.eye(b.size) for b in structure.blocks] for sign in signs
    ]


def _descend(start: Optimum) -> Optimum:
    return _snapped(_newton(_scoring(start)))


def _noise(criterion: float) -> float:
    """Changes below this are rounding."""
    return 1e-12 * abs(criterion)


def _scoring(point: Optimum) -> Optimum:
    """Take Fisher's scoring steps among positive definite covariances, while they pay."""
    for _ in range(12):
        scoring, gradient = point.information.scoring, point.information.gradient
        step = -np.linalg.lstsq(scoring, gradient, rcond=1e-12)[0]
        target = [
            _lifted(c + change) for c, change in zip(point.covariances, point.structure.split(step), strict=True)
        ]
        here = point.profile.criterion
        share, moved = 1.0, None
        evaluations = point.evaluations
        while share > 1e-3:
            mixed = [(1 - share) * c + share * t for c, t in zip(point.covariances, target, strict=True)]
            evaluations += 1
            tried = Optimum(point.data, point.structure, mixed, point.reml, evaluations)
            if np.isfinite(tried.profile.criterion) and tried.profile.criterion < here - _noise(here):
                moved = tried
                break
            share /= 2
        if moved is None:
            break
        point = moved
        if here - point.profile.criterion < 1e-2:
            break
    return point


def _lifted(covariance: np.ndarray) -> np.ndarray:
    """Move to the nearest matrix with some variance in every direction, so that none is lost for good."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 1e-6)) @ vectors.T


def _newton(point: Optimum) -> Optimum:
    """Take Newton's steps on the lower triangular factors."""
    factors = Factors(point.structure, [np.linalg.cholesky(_lifted(c)) for c in point.covariances], lower=True)
    point = Optimum(point.data, point.structure, factors.covariances, point.reml, point.evaluations)
    for _ in range(60):
        jacobian = factors.jacobian
        gradient = jacobian.T @ point.information.gradient
        curvature = jacobian.T @ point.information.hessian @ jacobian + factors.bend(point.slopes)
        step = newton_step(gradient, curvature)
        decrement = -step @ gradient
        if decrement < 1e-13:
            break
        here, evaluations, moved = point.profile.criterion, point.evaluations, None
        while np.abs(step).max() > 1e-10:
            candidate = factors.moved(step)
            evaluations += 1
            tried = Optimum(point.data, point.structure, candidate.covariances, point.reml, evaluations)
            if np.isfinite(tried.profile.criterion) and tried.profile.criterion <= here + _noise(here):
                moved = tried
                break
            step = step / 2
        if moved is None:
            break
        factors, point = candidate, moved
        if decrement < 1e-9 and here - point.profile.criterion <= 0:
            break
    return point


def newton_step(gradient: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Return Newton's step; a direction that curves down is followed downhill as if it curved up."""
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), 1e-300))
    values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    return -unit * (vectors @ (vectors.T @ (unit * gradient) / size))


def _snapped(point: Optimum) -> Optimum:
    """Set variances that are all but 0 to 0, where that costs nothing."""
    covariances = []
    for covariance in point.covariances:
        values, vectors = np.linalg.eigh(covariance)
        kept = values > NOTHING
        covariances.append((vectors[:, kept] * values[kept]) @ vectors[:, kept].T)
    if all((np.linalg.eigvalsh(c) > NOTHING).all() for c in point.covariances):
        return point
    snapped = Optimum(point.data, point.structure, covariances, point.reml, point.evaluations + 1)
    lost = snapped.profile.criterion - point.profile.criterion
    return snapped if lost < DECREMENT / 10 + _noise(point.profile.criterion) else point
