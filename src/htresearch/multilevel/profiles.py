r"""Profiles of the likelihood by one standard deviation or correlation, from cross-products alone.

A quantity is held at a value, the criterion (-2 log likelihood, restricted or not) is minimised over everything else,
and the interval is where that minimum lies less than :math:`z^2` above the lowest. Quantities are absolute, so σ² is
a parameter of its own here: where the profiled criterion has σ² at its best value :math:`\hat\sigma^2`, another costs

.. math:: \nu\,(r - 1 - \log r), \qquad r = \hat\sigma^2 / \sigma^2 .

Covariances are :math:`\Psi = L L'` with L lower triangular. With a quantity's effects in the first rows its standard
deviation is an entry of L, and a correlation the sine of an angle: holding one is holding one coordinate, and where
it vanishes or the correlation is ±1 nothing breaks down.

Newton's steps towards an end are taken on the signed root of the profile, which is all but straight; each starts from
where the best of the rest is expected. Sources: Venzon & Moolgavkar (1988), doi:10.2307/2347496; Bates et al. (2015),
doi:10.18637/jss.v067.i01, for mixed models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from htresearch.multilevel.crossed_information import CrossedInformation
from htresearch.multilevel.information import Information
from htresearch.multilevel.search import Optimum, newton_step

#: With more levels of crossed factors than this the average information stands for the exact one: as good, and cheap.
_MANY = 400
#: An end is found when the signed root is this near to its target.
_NEAR = 1e-7
#: So many times the way that the curvature at the optimum suggests, and the end is taken as infinite.
_FAR = 1e4


@dataclass(frozen=True)
class Quantity:
    """A standard deviation or a correlation.

    Attributes
    ----------
    block : int or None
        Of the random part; ``None`` for the residual.
    effects : tuple of int
        Of that block: one for its standard deviation, two for their correlation.
    """

    block: int | None
    effects: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Chart:
    """Coordinates of all variances in which a quantity is one of them.

    They are the entries of the lower triangles of L, block by block, then log σ². Of a correlation's block the
    entries (1, 0) and (1, 1) are t sin α and t cos α, and the coordinates are α and t in their places.

    Attributes
    ----------
    optimum : Optimum
    quantity : Quantity
    orders : list of list of int
        For each block which effect each row of L belongs to.
    entries : list of tuple of int
        Block, row and column of each coordinate but the last.
    target : int
        The quantity's coordinate.
    """

    optimum: Optimum
    quantity: Quantity
    orders: list[list[int]]
    entries: list[tuple[int, int, int]]
    target: int

    @classmethod
    def of(cls, optimum: Optimum, quantity: Quantity) -> Chart:
        """Choose the coordinates for a quantity."""
        blocks = optimum.structure.blocks
        orders = [list(range(block.size)) for block in blocks]
        entries = [(b, r, c) for b, block in enumerate(blocks) for r in range(block.size) for c in range(r + 1)]
        if quantity.block is None:
            return cls(optimum, quantity, orders, entries, len(entries))
        first = list(quantity.effects)
        orders[quantity.block] = first + [i for i in orders[quantity.block] if i not in first]
        return cls(optimum, quantity, orders, entries, entries.index((quantity.block, len(first) - 1, 0)))

    @property
    def turned(self) -> bool:
        """Whether the quantity is a correlation."""
        return len(self.quantity.effects) == 2

    def told(self, value: float) -> float:
        """Return the quantity from its coordinate."""
        if self.quantity.block is None:
            return float(np.exp(value / 2))
        return float(np.sin(value)) if self.turned else float(value)

    def limit(self, side: int) -> float:
        """Return how far the coordinate goes."""
        if self.turned:
            return side * np.pi / 2
        return 0.0 if self.quantity.block is not None and side < 0 else side * np.inf

    def scale(self, block: int, sigma2: float) -> np.ndarray:
        """Return the deviations of a block's effects that make as much difference to a row as the residual."""
        return np.sqrt(sigma2) * np.linalg.norm(self.optimum.structure.blocks[block].scale, axis=1)

    def start(self, covariances: tuple[np.ndarray, ...], sigma2: float) -> Point:
        """Return the optimum's point."""
        theta = np.empty(len(self.entries) + 1)
        theta[-1] = np.log(sigma2)
        for b, covariance in enumerate(covariances):
            order = self.orders[b]
            even = covariance + 1e-12 * np.diag(self.scale(b, sigma2) ** 2)
            L = np.linalg.cholesky(even[np.ix_(order, order)])
            if self.turned and b == self.quantity.block:
                L[1, 0], L[1, 1] = np.arctan2(L[1, 0], L[1, 1]), np.hypot(L[1, 0], L[1, 1])
            for k, (block, row, column) in enumerate(self.entries):
                if block == b:
                    theta[k] = L[row, column]
        if self.quantity.block is not None and not self.turned:
            effect = self.quantity.effects[0]
            theta[self.target] = np.sqrt(covariances[self.quantity.block][effect, effect])
        return Point(self, theta)

    def factors(self, theta: np.ndarray) -> list[np.ndarray]:
        """Return K⁻¹L of each block, K what turns the search's coordinates into the data's."""
        found = [np.zeros((block.size, block.size)) for block in self.optimum.structure.blocks]
        for (b, row, column), value in zip(self.entries, theta, strict=False):
            found[b][self.orders[b][row], column] = value
        if self.turned:
            angle, length = theta[[self.target, self.target + 1]]
            found[self.quantity.block][self.quantity.effects[1], :2] = length * np.sin(angle), length * np.cos(angle)
        return [self._inside(b, L) for b, L in enumerate(found)]

    def moves(self, theta: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Return, for each coordinate but the last, its block and the derivative of K⁻¹L."""
        found = []
        for b, row, column in self.entries:
            move = np.zeros((len(self.orders[b]),) * 2)
            move[self.orders[b][row], column] = 1.0
            found.append((b, move))
        if self.turned:
            angle, length = theta[[self.target, self.target + 1]]
            second = self.quantity.effects[1]
            around, along = found[self.target][1], found[self.target + 1][1]
            around[second, :2] = length * np.cos(angle), -length * np.sin(angle)
            along[second, :2] = np.sin(angle), np.cos(angle)
        return [(b, self._inside(b, move)) for b, move in found]

    def bends(self, theta: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
        """Return the second derivatives of the quantity's K⁻¹L that are not 0, with their two coordinates."""
        if not self.turned:
            return []
        angle, length = theta[[self.target, self.target + 1]]
        around, along = (np.zeros((len(self.orders[self.quantity.block]),) * 2) for _ in range(2))
        around[self.quantity.effects[1], :2] = -length * np.sin(angle), -length * np.cos(angle)
        along[self.quantity.effects[1], :2] = np.cos(angle), -np.sin(angle)
        t, b = self.target, self.quantity.block
        return [(t, t, self._inside(b, around)), (t, t + 1, self._inside(b, along))]

    def _inside(self, block: int, matrix: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self.optimum.structure.blocks[block].scale, matrix)


@dataclass(frozen=True, eq=False)
class Point:
    """The criterion at given coordinates, with its derivatives by them."""

    chart: Chart
    theta: np.ndarray

    @cached_property
    def _factors(self) -> list[np.ndarray]:
        return [factor * np.exp(-self.theta[-1] / 2) for factor in self.chart.factors(self.theta)]

    @cached_property
    def _covariances(self) -> list[np.ndarray]:
        return [factor @ factor.T for factor in self._factors]

    @cached_property
    def _information(self) -> Information | CrossedInformation:
        return self.chart.optimum.elsewhere(self._covariances)

    @property
    def _ratio(self) -> float:
        """r, the best residual variance by the one here."""
        return self._information.profile.sigma2 * np.exp(-self.theta[-1])

    @cached_property
    def value(self) -> float:
        """The criterion."""
        profile, r = self._information.profile, self._ratio
        return profile.criterion + profile.df * (r - 1 - np.log(r))

    @cached_property
    def _by_gamma(self) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives by the relative covariances at a given σ²: first, second."""
        info, r = self._information, self._ratio
        first = info.projections - info.squares * r
        levels = len(info.profile.root) if isinstance(info, CrossedInformation) else 0
        if levels > _MANY:
            return first, info.average * r
        return first, 2 * info.average * r - info.expected

    @cached_property
    def _jacobian(self) -> np.ndarray:
        """Derivatives of the relative covariances by the coordinates."""
        structure, shrink = self.chart.optimum.structure, np.exp(-self.theta[-1] / 2)
        columns = []
        for b, move in self.chart.moves(self.theta):
            changes = [np.zeros_like(c) for c in self._covariances]
            half = shrink * move @ self._factors[b].T
            changes[b] = half + half.T
            columns.append(structure.joined(changes))
        return np.column_stack([*columns, -structure.joined(self._covariances)])

    @cached_property
    def gradient(self) -> np.ndarray:
        """First derivatives."""
        found = self._jacobian.T @ self._by_gamma[0]
        found[-1] += self._information.profile.df * (1 - self._ratio)
        return found

    @cached_property
    def curvature(self) -> np.ndarray:
        """Second derivatives."""
        first, second = self._by_gamma
        J, shrink = self._jacobian, np.exp(-self.theta[-1] / 2)
        found = J.T @ second @ J
        slopes = [(G + np.diag(np.diag(G))) / 2 for G in self.chart.optimum.structure.split(first)]
        moves = self.chart.moves(self.theta)
        for k, (b, one) in enumerate(moves):
            for m, (c, other) in enumerate(moves):
                if b == c:
                    found[k, m] += 2 * shrink**2 * np.sum(one * (slopes[b] @ other))
        for k, m, bend in self.chart.bends(self.theta):
            b = self.chart.quantity.block
            extra = 2 * shrink * np.sum(bend * (slopes[b] @ self._factors[b]))
            found[k, m] += extra
            if k != m:
                found[m, k] += extra
        # Γ falls as σ² grows: ∂²Γ/∂θ∂log σ² = -∂Γ/∂θ, for the last coordinate Γ itself; and σ² has derivatives too.
        mixed = J.T @ (self._information.squares * self._ratio)
        found[-1] += mixed - J.T @ first
        found[:, -1] += mixed
        found[:-1, -1] -= (J.T @ first)[:-1]
        found[-1, -1] += self._information.profile.df * self._ratio
        return found

    @cached_property
    def free(self) -> np.ndarray:
        """The coordinates but the target."""
        return np.arange(len(self.theta)) != self.chart.target

    def at(self, target: float) -> Point:
        """Return a point at another value of the target, the rest moved along so as to stay best."""
        free, t = self.free, self.chart.target
        H = self.curvature
        along = np.linalg.lstsq(H[np.ix_(free, free)], -H[free, t], rcond=1e-8)[0]
        theta = self.theta.copy()
        theta[free] += along * (target - self.theta[t])
        theta[t] = target
        return Point(self.chart, theta)

    def lifted(self) -> Point:
        """Return the point with some variance everywhere: where there is none at all its derivative by L is 0."""
        theta = self.theta.copy()
        for k, (b, row, column) in enumerate(self.chart.entries):
            if row == column and k != self.chart.target:
                floor = 1e-3 * self.chart.scale(b, np.exp(theta[-1]))[self.chart.orders[b][row]]
                theta[k] = np.copysign(max(abs(theta[k]), floor), theta[k])
        return replace(self, theta=theta)


def settled(point: Point) -> Point:
    """Minimise the criterion over all coordinates but the target."""
    point = point.lifted()
    for _ in range(50):
        free = point.free
        gradient = point.gradient[free]
        step = newton_step(gradient, point.curvature[np.ix_(free, free)])
        decrement = -step @ gradient
        if decrement < 1e-10 + 1e-14 * abs(point.value):
            break
        moved, share = None, 1.0
        while share > 1e-6:
            theta = point.theta.copy()
            theta[free] += share * step
            tried = Point(point.chart, theta)
            if np.isfinite(tried.value) and tried.value <= point.value + 1e-13 * abs(point.value):
                moved = tried
                break
            share /= 2
        if moved is None:
            break
        point = moved
    return point


def find_end(start: Point, best: float, reach: float, side: int) -> float:
    """Return the value of the target at which the profile is `reach`² above the best, or its limit.

    Parameters
    ----------
    start
        The optimum.
    best
        The criterion there.
    reach
        The value that the signed root is to reach.
    side
        -1 for the lower end, 1 for the upper one.
    """
    t, limit = start.chart.target, start.chart.limit(side)
    middle = start.theta[t]
    if middle == limit:
        return limit
    first = _first_step(start)
    inner, outer, point = middle, None, start
    value, tries = middle + side * reach * first, 0
    while True:
        value, tries = side * min(side * value, side * limit), tries + 1
        point = settled(point.at(value))
        zeta = np.sqrt(max(point.value - best, 0.0))
        if abs(zeta - reach) < _NEAR * reach or (outer is not None and abs(outer - inner) < 1e-10 * abs(outer)):
            return float(value)
        if zeta > reach:
            outer = value
        elif value == limit:
            return limit
        else:
            inner = value
        away = abs(value - middle)
        if outer is None and away > _FAR * max(abs(middle), first):
            return side * np.inf
        slope = side * point.gradient[t] / (2 * zeta) if zeta > 0 else 0.0
        # At most three times as far from the middle as now, and between the values that the end lies between.
        value += side * np.clip((reach - zeta) / slope if slope > 0 else np.inf, -away, 2 * away)
        if outer is not None and (tries % 6 == 0 or not side * inner < side * value < side * outer):
            value = (inner + outer) / 2


def _first_step(start: Point) -> float:
    """Return the change of the target that the curvature at the optimum takes for one unit of the signed root."""
    free, t, H = start.free, start.chart.target, start.curvature
    across = np.linalg.lstsq(H[np.ix_(free, free)], H[free, t], rcond=1e-8)[0]
    bend = H[t, t] - H[t, free] @ across
    quantity = start.chart.quantity
    if quantity.block is None:
        usual = 1.0
    elif start.chart.turned:
        usual = 0.5
    else:
        usual = 0.3 * start.chart.scale(quantity.block, np.exp(start.theta[-1]))[quantity.effects[0]]
    return min(np.sqrt(2 / bend), 3 * usual) if bend > 0 else usual
