"""From the moments of crossed intercepts to the optimum, and a certificate of where the search ended.

Average information (Gilmour, Thompson & Cullis 1995, doi:10.2307/2533274) costs little more than the gradient and is
all but exact where factors have many levels, so it goes most of the way; second derivatives go to the bottom. Both
stop on Newton's decrement: differences of the criterion are rounding noise where the criterion is large.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from htresearch.multilevel.crossed_information import MOST_LEVELS, CrossedInformation
from htresearch.multilevel.crossed_likelihood import CrossedProfile
from htresearch.multilevel.crossed_moments import CrossedMoments
from htresearch.multilevel.variances import Block, Structure, Tangent

# The search runs in x = log(1 + γ/c): like γ near 0, where the bound is and where the gradient by a logarithm would
# vanish without an optimum; like log γ far out, where the criterion by γ is all but flat.
_BEND = 0.01
_REACH = 20.0
#: Below this a ratio that the gradient pushes down is set to 0.
NOTHING = 1e-8
#: The decrement below which an end is an optimum, in units of the criterion.
DECREMENT = 1e-6
#: Curvature, in even units, that differences of the gradient cannot tell from none.
_FLAT = 1e-6
#: A slope, in units of the criterion, that is no more than rounding.
_LEVEL = 1e-9
#: Where to start, all factors alike, when the first end is on the boundary or no optimum.
STARTS = (0.1, 2.0, 0.005)
#: Up to so many levels, the largest factor's apart, every start is tried: few levels make for hollows beside one
#: another, and little work.
_FEW = 200
#: After so many criteria a descent is given up: the criterion has no lowest point.
_PATIENCE = 200


@dataclass(frozen=True, eq=False)
class CrossedOptimum:
    """Where the search ended.

    Attributes
    ----------
    profile : CrossedProfile
        The criterion there.
    decrement : float
        How far it could still fall among the variances above 0; infinite where it is not curved upwards.
    gradient_norm : float
        Length of its gradient in the ratios, where it could be followed.
    evaluations : int
        How often the criterion was found.
    """

    profile: CrossedProfile
    decrement: float
    gradient_norm: float
    evaluations: int

    @property
    def data(self) -> CrossedMoments:
        """The moments."""
        return self.profile.data

    @cached_property
    def information(self) -> CrossedInformation:
        """The second derivatives there."""
        return CrossedInformation(self.profile)

    @cached_property
    def structure(self) -> Structure:
        """The ratios as covariances of one column each: what inference on nested effects reads, it reads here."""
        one = np.eye(1)
        count = len(self.profile.gamma)
        return Structure(tuple(Block(k, (0,), one, one) for k in range(count)), count, one)

    @property
    def covariances(self) -> list[np.ndarray]:
        """The ratio of each factor, as a matrix."""
        return [np.array([[gamma]]) for gamma in self.profile.gamma]

    def elsewhere(self, covariances: list[np.ndarray]) -> CrossedInformation:
        """Return the criterion and its derivatives at other ratios."""
        ratios = np.array([covariance[0, 0] for covariance in covariances])
        return CrossedInformation(CrossedProfile(self.data, ratios, self.profile.reml))

    @property
    def tangent(self) -> Tangent:
        """The ratios above 0, which can move both ways."""
        free = self.profile.gamma > 0
        null = [np.eye(1)[:, :0] if up else np.eye(1) for up in free]
        return Tangent(np.eye(len(free))[:, free], np.zeros((free.sum(), free.sum())), null)

    @property
    def converged(self) -> bool:
        """Whether the end is an optimum; a variance of 0 that would gain by rising counts as one above 0."""
        return bool(self.decrement < DECREMENT)

    @property
    def singular(self) -> bool:
        """Whether a variance is 0."""
        return bool((self.profile.gamma == 0).any())


def find_optimum(data: CrossedMoments, reml: bool, starts: tuple[np.ndarray, ...] | None = None) -> CrossedOptimum:
    """Search for the ratios at which the (restricted) likelihood is largest.

    Parameters
    ----------
    data, reml
        The model.
    starts
        Variance ratios to start from; the best end counts. None starts from `moment_ratios`, and from others too
        where that ends on the boundary or at no optimum or where levels are few.

    Returns
    -------
    CrossedOptimum
        The best certified end, or the best one where none is.
    """
    count = len(data.sizes)
    points = list(starts) if starts else [moment_ratios(data)]
    ends = [_descend(data, reml, np.asarray(point, dtype=float)) for point in points]
    few = data.among.shape[0] <= _FEW
    if starts is None and (few or ends[0].singular or not ends[0].converged):
        more = [np.full(count, value) for value in STARTS]
        if few:
            more += [np.where(np.arange(count) == k, 10.0, 0.05) for k in range(count)]
        ends += [_descend(data, reml, point) for point in more]
    certified = [end for end in ends if end.converged] or ends
    best = min(certified, key=lambda end: end.profile.criterion)
    evaluations = sum(end.evaluations for end in ends)
    return CrossedOptimum(best.profile, best.decrement, best.gradient_norm, evaluations)


def certify(end: CrossedOptimum) -> CrossedOptimum:
    """Judge an end anew: find its decrement and its gradient's length where it stands."""
    profile = end.profile
    point = _Point(profile.data, profile.reml, np.log1p(profile.gamma / _BEND))
    point.profile = profile
    free = point.free
    level = point.curvature() - np.diag(point.slope) if free.any() else np.zeros((0, 0))
    norm = float(np.linalg.norm(profile.gradient[free]))
    return CrossedOptimum(profile, point.decrement(level), norm, end.evaluations)


def moment_ratios(data: CrossedMoments) -> np.ndarray:
    """Estimate the ratios from the sums of squares of the factors, unadjusted for one another.

    A factor's sum of squares between levels has an expectation linear in all variances, Σ N_gh² / n_g of each other
    factor's (Henderson 1953, method 1, doi:10.2307/3001853); y should be free of X.
    """
    count, y = len(data.sizes), [sums[:, -1] for sums in data.sums]
    weight = data.sizes[0].sum()
    expected = np.full((count + 1, count + 1), weight)
    inverse = [1 / np.maximum(size, 1e-300) for size in data.sizes]
    f, joint, among = data.eliminated, data.joint.power(2), data.among.power(2)
    for i, rows in zip(data.others, data.blocks, strict=True):
        expected[f, i] = (inverse[f] @ joint)[rows].sum()
        expected[i, f] = (joint[:, rows] @ inverse[i]).sum()
        for j, columns in zip(data.others, data.blocks, strict=True):
            expected[i, j] = (inverse[i] @ among[rows, columns]).sum()
    expected[:count, count] = [len(size) for size in data.sizes]
    expected[count, count] = data.n
    squares = [np.sum(total**2 * inv) for total, inv in zip(y, inverse, strict=True)]
    variances, _ = nnls(expected, np.array([*squares, data.total[-1, -1]]))
    return np.clip(variances[:-1] / max(variances[-1], 1e-3 * variances.sum(), 1e-300), 0.003, 100.0)


def _descend(data: CrossedMoments, reml: bool, start: np.ndarray) -> CrossedOptimum:
    """Search from one start."""
    point = _Point(data, reml, np.clip(np.log1p(start / _BEND), 0.0, _REACH))
    point.settle()
    for _ in range(40):
        if not point.free.any() or point.step(point.scoring()) < 0.1:
            break
    for _ in range(30):
        if not point.free.any():
            return CrossedOptimum(point.profile, 0.0, 0.0, point.evaluations)
        curvature = point.curvature()
        # The bend of the scale itself adds the slope, which is to vanish: an end is judged without it.
        level = curvature - np.diag(point.slope)
        if point.step(curvature) < 1e-12 or point.decrement(level) < 1e-12 or point.evaluations > _PATIENCE:
            break
    free = point.free
    norm = float(np.linalg.norm(point.profile.gradient[free]))
    return CrossedOptimum(point.profile, point.decrement(level), norm, point.evaluations)


class _Point:
    """The place that the search has reached; it moves."""

    def __init__(self, data: CrossedMoments, reml: bool, x: np.ndarray):
        self.data, self.reml, self.evaluations = data, reml, 0
        self.x, self.profile = x, self._at(x)

    def _at(self, x: np.ndarray) -> CrossedProfile:
        self.evaluations += 1
        return CrossedProfile(self.data, _BEND * np.expm1(x), self.reml)

    @property
    def slope(self) -> np.ndarray:
        """Gradient of the criterion by x."""
        return self.profile.gradient * (self.profile.gamma + _BEND)

    @property
    def free(self) -> np.ndarray:
        """Which variances may move: not those at 0 that the gradient pushes down, rounding apart."""
        return ~((self.profile.gamma == 0) & (self.slope > _LEVEL))

    def settle(self) -> None:
        """Set variances next to 0 that the gradient pushes down to 0."""
        low = (self.profile.gamma > 0) & (self.profile.gamma < NOTHING) & (self.profile.gradient >= 0)
        if low.any():
            self.x = np.where(low, 0.0, self.x)
            self.profile = self._at(self.x)

    def scoring(self) -> np.ndarray:
        """Averaged second derivatives by x."""
        bend = self.profile.gamma + _BEND
        return CrossedInformation(self.profile).scoring * bend[:, None] * bend

    def curvature(self) -> np.ndarray:
        """Second derivatives by x: exact where the inverse stands already, else by differences of the gradient."""
        levels = len(self.profile.root)
        if self.profile.factor.pattern.whole and levels <= MOST_LEVELS:
            bend = self.profile.gamma + _BEND
            return CrossedInformation(self.profile).hessian * bend[:, None] * bend + np.diag(self.slope)
        found = np.eye(len(self.x))
        for k in np.flatnonzero(self.free):
            step = 1e-5 * np.eye(len(self.x))[k]
            # At 0 there is no way down, and the difference is taken upwards.
            low = np.maximum(self.x - step, 0.0)
            slopes = [p.gradient * (p.gamma + _BEND) for p in (self._at(self.x + step), self._at(low))]
            found[k] = (slopes[0] - slopes[1]) / (self.x + step - low)[k]
        return (found + found.T) / 2

    def _newton(self, curvature: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return curvatures, directions and slopes along them, in even units, among the free variances."""
        free = self.free
        part = curvature[np.ix_(free, free)]
        unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(part)), _FLAT**1.5))
        values, vectors = np.linalg.eigh(part * np.outer(unit, unit))
        directions = np.zeros((len(self.x), len(values)))
        directions[free] = unit[:, None] * vectors
        return values, directions, directions.T @ self.slope

    def decrement(self, curvature: np.ndarray) -> float:
        """Say how far the criterion could still fall; infinite where it is not curved upwards."""
        if not self.free.any():
            return 0.0
        values, _, slopes = self._newton(curvature)
        return float(np.sum(slopes**2 / values)) if values[0] > _FLAT else np.inf

    def step(self, curvature: np.ndarray) -> float:
        """Take a Newton step, halved until the criterion does not rise.

        Returns the decrement before the step; 0 where no step was to be had.
        """
        values, directions, slopes = self._newton(curvature)
        # Where the criterion neither bends nor slopes (two factors that are one, a factor within X) rounding leads.
        slopes = np.where((np.abs(values) < _FLAT) & (np.abs(slopes) < _FLAT), 0.0, slopes)
        # A direction that curves down is followed downhill as if it curved up.
        step = -directions @ (slopes / np.maximum(np.abs(values), 1e-8))
        decrement = -step @ self.slope
        step *= min(1.0, 3.0 / max(np.abs(step).max(), 1e-300))
        here = self.profile.criterion
        while np.abs(step).max() > 1e-11:
            x = np.clip(self.x + step, 0.0, _REACH)
            profile = self._at(x)
            # Below this change the criterion is rounding noise, and only the gradient still tells.
            if profile.criterion <= here + 1e-12 * abs(here):
                self.x, self.profile = x, profile
                self.settle()
                return float(decrement)
            step /= 2
        return 0.0
