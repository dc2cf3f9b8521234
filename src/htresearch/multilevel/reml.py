r"""The likelihood of a model with nested random intercepts, from means by group.

With :math:`V = I + \sum_k \gamma_k Z_k Z_k'`, :math:`\gamma_k` the variance of level k relative to the residual's,
nothing here sees a row: sizes and means of the innermost groups and one matrix of cross-products within them are
enough. A group of level k weighs :math:`\omega = a / (1 + \gamma_k a)`, with a its rows or, further out, the weights
of the groups inside it; the group around it has their weighted mean. Then

.. math:: A'V^{-1}A = \text{within} + \sum_k \sum_g \omega_g (m_g - \bar m)(m_g - \bar m)',

:math:`\bar m` the mean of the group around, 0 around the outermost. Nothing is subtracted from anything of its own
size, so that no digits are lost however large a variance is.

Sources: the profiled criterion is that of Bates et al. (2015), equations 34 and 42, doi:10.18637/jss.v067.i01;
the weights are the Woodbury identity, one level at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

METHODS = ("reml", "ml")

#: Runs a function with one BLAS thread: the matrices are a few columns wide, and threads that wait for one another
#: made a fit ten times slower on a busy machine.
one_thread = ThreadpoolController().wrap(limits=1, user_api="blas")


@dataclass(frozen=True, eq=False)
class NestedMoments:
    """What the likelihood needs to know of A = [X y].

    Attributes
    ----------
    n : int
        Rows.
    within : numpy.ndarray
        Cross-products of A about the means of the innermost groups.
    sizes : numpy.ndarray
        Rows of each innermost group.
    means : numpy.ndarray
        Means of A in each innermost group.
    parents : tuple of numpy.ndarray
        For each level but the outermost, from the outside in: the group of the level above.
    """

    n: int
    within: np.ndarray
    sizes: np.ndarray
    means: np.ndarray
    parents: tuple[np.ndarray, ...]

    @property
    def depth(self) -> int:
        """The number of levels of groups."""
        return len(self.parents) + 1


def nested_moments(X: np.ndarray, y: np.ndarray, codes: tuple[np.ndarray, ...]) -> NestedMoments:
    """Take the moments of [X y] by innermost group.

    Parameters
    ----------
    X, y
        Fixed part and outcome.
    codes
        For each level from the outside in, the group of each row.
    """
    A = np.column_stack([X, y])
    innermost = codes[-1]
    sizes = np.bincount(innermost).astype(float)
    means = _add_up(A, innermost, len(sizes)) / sizes[:, None]
    about = A - means[innermost]
    parents = tuple(outer[np.unique(inner, return_index=True)[1]] for outer, inner in pairwise(codes))
    return NestedMoments(len(y), about.T @ about, sizes, means, parents)


@dataclass(frozen=True, eq=False)
class _Level:
    """The groups of one level once the levels inside them are eliminated: a, m, ω and 1/(1 + γa)."""

    size: np.ndarray
    mean: np.ndarray
    weight: np.ndarray
    shrink: np.ndarray


@dataclass(frozen=True, eq=False)
class Profile:
    """The criterion at given variance ratios, with all that follows from them.

    The fixed effects and the residual variance stand at their best values given the ratios, so that the criterion is
    a function of the ratios alone.

    Attributes
    ----------
    data : NestedMoments
    gamma : numpy.ndarray
        Variance of each level relative to the residual's, from the outside in.
    reml : bool
        Restricted likelihood or likelihood.
    """

    data: NestedMoments
    gamma: np.ndarray
    reml: bool

    @cached_property
    def _levels(self) -> tuple[_Level, ...]:
        """The levels from the outside in, found from the inside out."""
        size, mean = self.data.sizes, self.data.means
        found = []
        for k in range(self.data.depth - 1, -1, -1):
            shrink = 1 / (1 + self.gamma[k] * size)
            found.append(_Level(size, mean, size * shrink, shrink))
            if k:
                parent, weight = self.data.parents[k - 1], size * shrink
                size = np.bincount(parent, weight)
                mean = _add_up(mean * weight[:, None], parent, len(size)) / size[:, None]
        return tuple(found[::-1])

    @cached_property
    def _weighted(self) -> np.ndarray:
        """A'V⁻¹A."""
        total = self.data.within.copy()
        for k, level in enumerate(self._levels):
            about = level.mean - self._levels[k - 1].mean[self.data.parents[k - 1]] if k else level.mean
            total += (about * level.weight[:, None]).T @ about
        return total

    @cached_property
    def log_det(self) -> float:
        """log|V|."""
        return -sum(np.log(level.shrink).sum() for level in self._levels)

    @cached_property
    def covariance(self) -> np.ndarray:
        """(X'V⁻¹X)⁻¹, the covariance of the fixed effects relative to the residual variance."""
        return np.linalg.inv(self._weighted[:-1, :-1])

    @cached_property
    def beta(self) -> np.ndarray:
        """Fixed effects, generalised least squares."""
        return np.linalg.solve(self._weighted[:-1, :-1], self._weighted[:-1, -1])

    @cached_property
    def rss(self) -> float:
        """(y - Xβ)'V⁻¹(y - Xβ)."""
        return float(self._weighted[-1, -1] - self._weighted[-1, :-1] @ self.beta)

    @property
    def df(self) -> int:
        """What the residual sum is divided by."""
        return self.data.n - len(self.beta) if self.reml else self.data.n

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return self.rss / self.df

    @cached_property
    def criterion(self) -> float:
        """-2 log (restricted) likelihood, with all constants (Bates et al. 2015, equations 34 and 42)."""
        value = self.log_det + self.df * (1 + np.log(2 * np.pi * self.sigma2))
        if self.reml:
            value += np.linalg.slogdet(self._weighted[:-1, :-1])[1]
        return float(value)

    @cached_property
    def projected(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each level the diagonal of Z'V⁻¹Z and the rows of Z'V⁻¹A."""
        found = []
        for k, level in enumerate(self._levels):
            rest, part = level.mean, np.ones(len(level.size))
            joint, ancestor = np.zeros(len(level.size)), np.arange(len(level.size))
            for m in range(k - 1, -1, -1):
                ancestor = self.data.parents[m][ancestor]
                outer = self._levels[m]
                shrink = outer.shrink[ancestor]
                rest = rest - (part * (1 - shrink))[:, None] * outer.mean[ancestor]
                joint = joint + part**2 * self.gamma[m] * shrink
                part = part * shrink
            found.append((level.weight - level.weight**2 * joint, level.weight[:, None] * rest))
        return tuple(found)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Derivative of the criterion by each variance ratio; valid at 0 too."""
        slopes = []
        for diagonal, rows in self.projected:
            residual = rows[:, -1] - rows[:, :-1] @ self.beta
            slope = diagonal.sum() - (residual @ residual) / self.sigma2
            if self.reml:
                slope -= np.sum(self.covariance * (rows[:, :-1].T @ rows[:, :-1]))
            slopes.append(slope)
        return np.array(slopes)

    def blups(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each level the predicted group effects and their standard deviations given the data and β."""
        return tuple(
            (
                gamma * (rows[:, -1] - rows[:, :-1] @ self.beta),
                np.sqrt(np.maximum(self.sigma2 * (gamma - gamma**2 * diagonal), 0)),
            )
            for gamma, (diagonal, rows) in zip(self.gamma, self.projected, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Solution:
    """The optimum, in the units of the data.

    Attributes
    ----------
    gamma : numpy.ndarray
        Variance of each level relative to the residual's, from the outside in.
    beta, covariance : numpy.ndarray
        Fixed effects and their covariance.
    sigma2 : float
        Residual variance.
    criterion : float
        -2 log (restricted) likelihood.
    gradient_norm : float
        Length of the criterion's gradient in `gamma`; a level at variance 0 counts only where the criterion would
        fall with a larger variance.
    converged : bool
        Whether Newton's decrement is below 1e-6 on the variances above 0 and no other could be raised with gain.
    effects : tuple
        For each level the predicted group effects and their conditional standard deviations.
    """

    gamma: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray
    sigma2: float
    criterion: float
    gradient_norm: float
    converged: bool
    effects: tuple[tuple[np.ndarray, np.ndarray], ...]


@dataclass(frozen=True, eq=False)
class Conditioned:
    """[X y] as orthonormal columns and what least squares leaves, so that no column is long beside another.

    Attributes
    ----------
    Q, R : numpy.ndarray
        X = QR.
    least_squares : numpy.ndarray
        Coefficients of ordinary least squares.
    residual : numpy.ndarray
        What they leave of y.
    """

    Q: np.ndarray
    R: np.ndarray
    least_squares: np.ndarray
    residual: np.ndarray


def condition(X: np.ndarray, y: np.ndarray) -> Conditioned:
    """Turn X into orthonormal columns and y into residuals."""
    Q, R = np.linalg.qr(X)
    least_squares = np.linalg.solve(R, Q.T @ y)
    return Conditioned(Q, R, least_squares, y - X @ least_squares)


def starts_from(gamma: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return where to search from when the optimum should be near `gamma`.

    On the boundary a start can be slow to leave or lie beside another hollow, so an even start joins it there.
    """
    even = np.full(len(gamma), 0.1)
    return (gamma, even) if (gamma < 1e-6).any() else (gamma,)


@one_thread
def solve(
    X: np.ndarray,
    y: np.ndarray,
    codes: tuple[np.ndarray, ...],
    reml: bool,
    starts: tuple[np.ndarray, ...],
) -> Solution:
    """Find the variances at which the (restricted) likelihood is largest.

    Parameters
    ----------
    X, y
        Fixed part, of full column rank, and outcome.
    codes
        For each level from the outside in, the group of each row.
    reml
        Restricted likelihood or likelihood.
    starts
        Variance ratios to start from; the best end counts.
    """
    conditioned = condition(X, y)
    data = nested_moments(conditioned.Q, conditioned.residual, codes)
    best = min((_optimum(data, np.asarray(start, dtype=float), reml) for start in starts), key=lambda p: p.criterion)
    norm, converged = _certificate(best)
    inverse = np.linalg.inv(conditioned.R)
    # |X'V⁻¹X| is |Q'V⁻¹Q| times |R|², and the restricted likelihood depends on how X is coded.
    shift = 2 * np.log(np.abs(np.diag(conditioned.R))).sum() if reml else 0.0
    return Solution(
        gamma=best.gamma,
        beta=conditioned.least_squares + inverse @ best.beta,
        covariance=best.sigma2 * inverse @ best.covariance @ inverse.T,
        sigma2=best.sigma2,
        criterion=best.criterion + float(shift),
        gradient_norm=norm,
        converged=converged,
        effects=best.blups(),
    )


def _add_up(values: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
    """Sum the rows of each group."""
    return np.column_stack([np.bincount(codes, column, groups) for column in values.T])


# The search runs in x = log(1 + γ/c): like γ near 0, where the bound is and where the gradient by a logarithm or a
# square root would vanish without an optimum; like log γ far out, where the criterion by γ is all but flat.
_BEND = 0.01


def _optimum(data: NestedMoments, start: np.ndarray, reml: bool) -> Profile:
    """Minimise the criterion: a quasi-Newton search with the bound at 0, then Newton's steps to the bottom."""

    def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
        profile = Profile(data, _ratios(x), reml)
        return profile.criterion, _slope(profile)

    # The search stops where it likes; whether the end is an optimum is asked of the end itself (`_certificate`).
    found = minimize(
        evaluate,
        np.log1p(start / _BEND),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 30)] * len(start),
        options={"ftol": 1e-14, "gtol": 1e-7},
    )
    x = found.x
    profile = Profile(data, _ratios(x), reml)
    for _ in range(30):
        free = _free(profile)
        x = np.where(free, x, 0.0)
        profile = Profile(data, _ratios(x), reml)
        if not free.any():
            break
        curvature = _curvature(profile, free)
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            break
        step = np.zeros_like(x)
        step[free] = -np.linalg.solve(curvature, _slope(profile)[free])
        decrement = -step @ _slope(profile)
        moved = Profile(data, _ratios(np.maximum(x + step, 0.0)), reml)
        # Below this change the criterion is rounding noise, and only the gradient still tells.
        while moved.criterion > profile.criterion + 1e-12 * abs(profile.criterion) and np.abs(step).max() > 1e-10:
            step /= 2
            moved = Profile(data, _ratios(np.maximum(x + step, 0.0)), reml)
        x, profile = np.maximum(x + step, 0.0), moved
        if decrement < 1e-13:
            break
    return profile


def _ratios(x: np.ndarray) -> np.ndarray:
    return _BEND * np.expm1(x)


def _slope(profile: Profile) -> np.ndarray:
    """Gradient of the criterion by x."""
    return profile.gradient * (profile.gamma + _BEND)


def _free(profile: Profile) -> np.ndarray:
    """Tell which variances may move: not those at 0, or next to it, that the gradient pushes down."""
    return ~((profile.gamma < 1e-8) & (profile.gradient >= 0))


def _curvature(profile: Profile, free: np.ndarray) -> np.ndarray:
    """Second derivatives of the criterion by x among the free variances, by differences of the exact gradient."""
    x = np.log1p(profile.gamma / _BEND)
    rows = []
    for k in np.flatnonzero(free):
        up, down = x.copy(), x.copy()
        up[k] += 1e-5
        down[k] = max(down[k] - 1e-5, 0.0)
        slopes = [_slope(Profile(profile.data, _ratios(end), profile.reml))[free] for end in (up, down)]
        rows.append((slopes[0] - slopes[1]) / (up[k] - down[k]))
    curvature = np.array(rows)
    return (curvature + curvature.T) / 2


def _certificate(profile: Profile) -> tuple[float, bool]:
    """Length of the gradient where it could still be followed, and whether the end is an optimum."""
    free = _free(profile)
    if not free.any():
        return 0.0, True
    slope = _slope(profile)[free]
    curvature = _curvature(profile, free)
    optimum = np.linalg.eigvalsh(curvature)[0] > 0 and slope @ np.linalg.solve(curvature, slope) < 1e-6
    return float(np.linalg.norm(profile.gradient[free])), bool(optimum)
