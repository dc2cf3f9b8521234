"""From cross-products to the optimum: scoring, Newton's steps, and a certificate of where they ended.

Scoring on the expected information is nearly exact for variances and gets close in a few steps; Newton's method on
the factors of the covariances, with the exact second derivatives, goes to the bottom, into a corner of the boundary
too. Both stop on the decrement: differences of the criterion are rounding noise where the criterion is large.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product

import numpy as np

from htresearch.multilevel.crossed_likelihood import CrossedProfile
from htresearch.multilevel.crossed_moments import CrossedMoments
from htresearch.multilevel.information import Information
from htresearch.multilevel.likelihood import Moments, Profile
from htresearch.multilevel.variances import Factors, Structure, Tangent

#: Variances relative to the residual's from which the search starts; the later ones only where the first ones fail,
#: or where a model has slopes and few groups.
STARTS = (0.1, 1.0, 0.01, 10.0)
#: At most so many patterns of correlations are started from.
_PATTERNS = 8
#: Below this a variance relative to the residual's is tried at exactly 0.
NOTHING = 1e-8
#: The decrement below which an end is an optimum, in units of the criterion.
DECREMENT = 1e-6
#: Curvature, beside what it is made of, that is no more than rounding.
FLAT = 1e-8
#: The decrement before a step below which the second derivatives hardly change over it.
NEAR = 1e-2


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    data : Moments or CrossedMoments
    structure : Structure
    covariances : list of numpy.ndarray
        Γ of each block.
    reml : bool
    evaluations : int
        How often the criterion was computed.
    nearby : numpy.ndarray or None
        Second derivatives of the criterion by the parameters at a point so near that they serve here too.
    """

    data: Moments | CrossedMoments
    structure: Structure
    covariances: list[np.ndarray]
    reml: bool
    evaluations: int = 0
    nearby: np.ndarray | None = None

    @cached_property
    def profile(self) -> Profile | CrossedProfile:
        """The criterion there."""
        return self.data.profile(self.structure.gammas(self.covariances), self.reml)

    @cached_property
    def information(self) -> Information:
        """The second derivatives there."""
        return self.profile.information(self.structure.directions)

    def elsewhere(self, covariances: list[np.ndarray]) -> Information:
        """Return the criterion and its derivatives at other covariances."""
        return self.data.profile(self.structure.gammas(covariances), self.reml).information(self.structure.directions)

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
    def decrement(self) -> float:
        """How far the criterion could still fall along the free directions; infinite at a saddle."""
        if not len(self.gradient):
            return 0.0
        if self.nearby is not None:
            found, least = self._decrement(self.nearby)
            if least > 1e-2:
                return found
        # Where little is left of some direction's curvature only the second derivatives right here tell.
        return self._decrement(self.information.hessian)[0]

    def _decrement(self, hessian: np.ndarray) -> tuple[float, float]:
        """Return the decrement by these second derivatives, and their least curvature beside the largest."""
        jacobian = self.tangent.jacobian
        curvature = jacobian.T @ hessian @ jacobian + self.tangent.bend
        own = np.diag(curvature)
        # What rounding leaves where there is no curvature: a grouping within X.
        if (own <= FLAT * (jacobian.T @ self.information.traces) ** 2 / self.data.n).any():
            return np.inf, 0.0
        # Directions differ in length by orders of magnitude; the decrement does not, and is taken in even units.
        unit = 1 / np.sqrt(own)
        values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
        if values[0] <= FLAT * values[-1]:
            return np.inf, 0.0
        return float(np.sum((vectors.T @ (unit * self.gradient)) ** 2 / values)), values[0] / values[-1]

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
    def undetermined(self) -> bool:
        """Whether the criterion does not change with a variance of 0 either: a grouping within X."""
        for block, slope, null in zip(self.structure.blocks, self.slopes, self.tangent.null, strict=True):
            along = block.loading @ null
            whole = along.T @ self.profile.diagonals[block.level].sum(axis=0) @ along
            if (np.abs(np.diag(null.T @ slope @ null)) <= FLAT * np.diag(whole)).any():
                return True
        return False

    @property
    def converged(self) -> bool:
        """Whether the end is an optimum: flat and curved upwards where it can move, and no gain off the boundary."""
        return bool(self.decrement < DECREMENT and not self.ways_out and not self.undetermined)


def find_optimum(
    data: Moments | CrossedMoments,
    structure: Structure,
    reml: bool,
    starts: tuple[list[np.ndarray], ...] = (),
    beside: tuple[list[np.ndarray], ...] = (),
) -> Optimum:
    """Search for the covariances at which the (restricted) likelihood is largest.

    Parameters
    ----------
    data, structure, reml
        The model.
    starts
        Points to start from, a covariance per block, before our own.
    beside
        Points that are tried whatever comes of the others.

    Returns
    -------
    Optimum
        The best certified end, or the best one where none is.
    """
    ends: list[Optimum] = []
    evaluations = 0
    even = _even_starts(structure)
    surely = [*(starts or even[:1]), *beside]
    for i, start in enumerate((*surely, *even[0 if starts else 1 :], *_tilted_starts(structure))):
        end = _descend(Optimum(data, structure, start, reml, evaluations))
        for _ in range(5):
            if not end.ways_out:
                break
            covariances = list(end.covariances)
            for block, step in end.ways_out:
                covariances[block] = covariances[block] + step
            end = _descend(Optimum(data, structure, covariances, reml, end.evaluations))
        evaluations = end.evaluations
        ends.append(end)
        # With few groups one optimum may lie beside a better one: a slope without variance beside one whose variance
        # takes a large intercept's with it, correlations of 1 beside those of -1.
        if end.converged and i + 1 >= len(surely) and not data.few:
            break
    certified = [end for end in ends if end.converged] or ends
    best = min(certified, key=lambda end: end.profile.criterion)
    # What it knows already need not be found again.
    return best if best.evaluations == evaluations else replace(best, evaluations=evaluations)


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
        if -step @ gradient < NEAR:
            break
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
    return point


def _lifted(covariance: np.ndarray) -> np.ndarray:
    """Move to the nearest matrix with some variance in every direction, so that none is lost for good."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 1e-6)) @ vectors.T


def _newton(point: Optimum) -> Optimum:
    """Take Newton's steps on the lower triangular factors."""
    lifted = [_lifted(c) for c in point.covariances]
    factors = Factors(point.structure, [np.linalg.cholesky(c) for c in lifted], lower=True)
    if not all(np.allclose(a, b, rtol=1e-9) for a, b in zip(lifted, point.covariances, strict=True)):
        point = replace(point, covariances=factors.covariances)
    hessian, last = None, np.inf
    for _ in range(60):
        fresh = hessian is None
        hessian = point.information.hessian if fresh else hessian
        jacobian = factors.jacobian
        gradient = jacobian.T @ point.information.gradient
        curvature = jacobian.T @ hessian @ jacobian + factors.bend(point.slopes)
        step = newton_step(gradient, curvature)
        decrement = -step @ gradient
        if decrement < 1e-13:
            break
        if not fresh and decrement > last / 100:
            hessian = None
            continue
        here, evaluations, moved = point.profile.criterion, point.evaluations, None
        # Second derivatives serve again as long as the decrement falls a hundredfold.
        hessian = hessian if decrement < NEAR else None
        while np.abs(step).max() > 1e-10:
            candidate = factors.moved(step)
            evaluations += 1
            tried = replace(point, covariances=candidate.covariances, evaluations=evaluations, nearby=hessian)
            if np.isfinite(tried.profile.criterion) and tried.profile.criterion <= here + _noise(here):
                moved = tried
                break
            step = step / 2
        if moved is None:
            break
        factors, point, last = candidate, moved, decrement
        if decrement < 1e-9 and here - point.profile.criterion <= 0:
            break
    return point


def newton_step(gradient: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Return Newton's step; a direction that curves down is followed downhill as if it curved up."""
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)), 1e-300))
    values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    if not size.any():  # level in every direction, as far as numbers can tell
        return np.zeros_like(gradient)
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
