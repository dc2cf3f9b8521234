r"""The likelihood of a model with nested random effects, from cross-products alone.

Everything is relative to the residual variance: :math:`V = I + \sum_k Z_k (I \otimes \Gamma_k) Z_k'`, and the columns
of :math:`Z_k` are those of U in the groups of level k. Levels are eliminated from the inside out. A group that holds
:math:`S = U'V^{-1}U` of the levels inside it, and coefficients C with :math:`SC = U'V^{-1}A`, is left with

.. math:: F = (I + S \Gamma)^{-1}, \quad W = F S, \quad \log|V| \mathrel{+}= \log|I + S \Gamma|,

and hands W and WC to the group around it, whose coefficients are the weighted mean :math:`\bar C`. Then

.. math:: A'V^{-1}A = \text{within} + \sum_k \sum_g (C_g - \bar C)' W_g (C_g - \bar C).

Nothing is subtracted from anything of its own size, so that no digits are lost however large a variance is.

Sources: the profiled criterion is that of Bates et al. (2015), equations 34 and 42, doi:10.18637/jss.v067.i01;
the elimination is the Woodbury identity, one level at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.multilevel.crossproducts import CrossProducts, Nest, pseudo_inverse, times
from htresearch.multilevel.information import Direction, Information

#: Up to so many innermost groups a model with slopes tries every start.
FEW = 1000


@dataclass(frozen=True, eq=False)
class Moments:
    """Cross-products in the coordinates in which the likelihood is searched.

    Attributes
    ----------
    n : int
        Rows.
    log_weights : float
        Sum of the logarithms of the weights.
    nest : Nest
    gram : numpy.ndarray, groups by r by r
        U'U of each innermost group.
    coefficients : numpy.ndarray, groups by r by m
        Least squares of A = [X y] on U in each innermost group.
    within : numpy.ndarray, m by m
        Cross-products of what that leaves.
    """

    n: int
    log_weights: float
    nest: Nest
    gram: np.ndarray
    coefficients: np.ndarray
    within: np.ndarray

    @classmethod
    def of(cls, products: CrossProducts, columns: np.ndarray, basis: np.ndarray) -> Moments:
        """Write the cross-products in other columns of A and of U."""
        return cls(
            products.n,
            products.log_weights,
            products.nest,
            basis.T @ products.gram @ basis,
            np.linalg.solve(basis, products.coefficients @ columns),
            columns.T @ products.within.sum(axis=0) @ columns,
        )

    def profile(self, gammas: tuple[np.ndarray, ...], reml: bool) -> Profile:
        """Return the criterion at the covariances of U's effects relative to the residual variance."""
        return Profile(self, gammas, reml)

    @property
    def few(self) -> bool:
        """Whether slopes vary and groups are so few that the criterion may have several hollows, at little work."""
        return self.gram.shape[1] > 1 and len(self.gram) <= FEW

    @property
    def ids(self) -> tuple[np.ndarray, ...]:
        """For each level the code of each group, in the order in which they stand."""
        return self.nest.ids


@dataclass(frozen=True, eq=False)
class _Level:
    """Groups of one level, those inside them eliminated: S, S⁺, F, W and C of the module's text."""

    information: np.ndarray
    inverse: np.ndarray
    shrink: np.ndarray
    weight: np.ndarray
    coefficients: np.ndarray


class Profiled:
    """What the criterion makes of A'V⁻¹A, log|V| and Z'V⁻¹A, however these were found.

    The fixed effects and the residual variance stand at their best values given the rest, so that the criterion is a
    function of the relative covariances alone. A class that says so has `data`, `gammas` and `reml`; `weighted`,
    A'V⁻¹A; `log_det`, log|V|; for each level `diagonals`, the blocks of Z'V⁻¹Z on its diagonal, and `projected`,
    Z'V⁻¹[X e] by group, e = y - Xβ, groups by r by m.
    """

    @cached_property
    def covariance(self) -> np.ndarray:
        """Φ = (X'V⁻¹X)⁻¹, the covariance of the fixed effects relative to the residual variance."""
        return np.linalg.inv(self.weighted[:-1, :-1])

    @cached_property
    def beta(self) -> np.ndarray:
        """Fixed effects, generalised least squares."""
        return np.linalg.solve(self.weighted[:-1, :-1], self.weighted[:-1, -1])

    @cached_property
    def rss(self) -> float:
        """(y - Xβ)'V⁻¹(y - Xβ)."""
        return float(self.weighted[-1, -1] - self.weighted[-1, :-1] @ self.beta)

    @property
    def df(self) -> int:
        """ν, what the residual sum is divided by."""
        return self.data.n - len(self.beta) if self.reml else self.data.n

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return self.rss / self.df

    @cached_property
    def criterion(self) -> float:
        """-2 log (restricted) likelihood, with all constants (Bates et al. 2015, equations 34 and 42)."""
        if self.sigma2 <= 0:  # rounding, where the effects leave nothing of y
            return np.inf
        value = self.log_det - self.data.log_weights + self.df * (1 + np.log(2 * np.pi * self.sigma2))
        if self.reml:
            value += np.linalg.slogdet(self.weighted[:-1, :-1])[1]
        return float(value)

    @property
    def onto(self) -> np.ndarray:
        """From A to [X e]."""
        found = np.eye(len(self.beta) + 1)
        found[:-1, -1] = -self.beta
        return found

    @cached_property
    def slopes(self) -> list[np.ndarray]:
        """For each level the symmetric matrix of the criterion's derivatives by Γ; valid where Γ is singular too."""
        found = []
        for diagonal, rows in zip(self.diagonals, self.projected, strict=True):
            slope = diagonal.sum(axis=0) - rows[:, :, -1].T @ rows[:, :, -1] / self.sigma2
            if self.reml:
                fixed = rows[:, :, :-1]
                slope = slope - np.einsum("gri,gsi->rs", fixed @ self.covariance, fixed)
            found.append(slope)
        return found


@dataclass(frozen=True, eq=False)
class Profile(Profiled):
    """The criterion at given variances, with all that follows from them.

    Attributes
    ----------
    data : Moments
    gammas : tuple of numpy.ndarray, r by r
        Covariance of U's effects at each level relative to the residual variance, from the outside in.
    reml : bool
        Restricted likelihood or likelihood.
    """

    data: Moments
    gammas: tuple[np.ndarray, ...]
    reml: bool

    @cached_property
    def levels(self) -> tuple[_Level, ...]:
        """The levels from the outside in, found from the inside out."""
        nest = self.data.nest
        information, coefficients = self.data.gram, self.data.coefficients
        inverse = None
        found = []
        for k in range(nest.depth - 1, -1, -1):
            shrink = inverted(identity_plus(times(information, self.gammas[k])))
            weight = times(shrink, information)
            found.append(_Level(information, inverse, shrink, weight, coefficients))
            if k:
                information = nest.up(weight, k, k - 1)
                inverse = pseudo_inverse(information)
                coefficients = times(inverse, nest.up(times(weight, coefficients), k, k - 1))
        return tuple(found[::-1])

    def about_means(self, coefficients: np.ndarray) -> tuple[np.ndarray, ...]:
        """For each level the coefficients of columns of U's span about those of the group around, outermost first.

        Parameters
        ----------
        coefficients : numpy.ndarray, innermost groups by r by columns
        """
        nest, found = self.data.nest, []
        for k in range(nest.depth - 1, 0, -1):
            weighted = nest.up(times(self.levels[k].weight, coefficients), k, k - 1)
            around = times(self.levels[k - 1].inverse, weighted)
            found.append(coefficients - around[nest.parents[k - 1]])
            coefficients = around
        return (coefficients, *found[::-1])

    def product(self, left: tuple[np.ndarray, ...], right: tuple[np.ndarray, ...]) -> np.ndarray:
        """Return the part of B'V⁻¹C that lies in U's span, from what `about_means` gives for B and C."""
        total = 0.0
        for level, a, b in zip(self.levels, left, right, strict=True):
            total = total + _flat(a).T @ _flat(times(level.weight, b))
        return total

    @cached_property
    def about(self) -> tuple[np.ndarray, ...]:
        """`about_means` of A."""
        return self.about_means(self.data.coefficients)

    @cached_property
    def weighted(self) -> np.ndarray:
        """A'V⁻¹A."""
        return self.data.within + self.product(self.about, self.about)

    @cached_property
    def log_det(self) -> float:
        """log|V|."""
        return -sum(log_determinants(level.shrink) for level in self.levels)

    # -- what comes down from the outermost level --------------------------------------------------------------------

    @cached_property
    def outer(self) -> tuple[np.ndarray, ...]:
        """For each level N with V⁻¹ = V₊⁻¹ - V₊⁻¹U N U'V₊⁻¹ in a group; V₊ is of the levels inside it."""
        found = []
        for k, level in enumerate(self.levels):
            own = times(np.broadcast_to(self.gammas[k], level.shrink.shape), level.shrink)
            if k:
                around = found[-1][self.data.nest.parents[k - 1]]
                own = own + times(times(np.swapaxes(level.shrink, 1, 2), around), level.shrink)
            found.append(own)
        return tuple(found)

    @cached_property
    def diagonals(self) -> tuple[np.ndarray, ...]:
        """For each level the blocks of Z'V⁻¹Z on its diagonal."""
        found = [self.levels[0].weight]
        for k in range(1, len(self.levels)):
            weight = self.levels[k].weight
            around = self.outer[k - 1][self.data.nest.parents[k - 1]]
            found.append(weight - times(times(weight, around), weight))
        return tuple(found)

    @cached_property
    def projected(self) -> tuple[np.ndarray, ...]:
        """For each level Z'V⁻¹[X e] by group, e = y - Xβ, groups by r by m."""
        found, effects = [], 0.0
        for k, level in enumerate(self.levels):
            if k:
                effects = effects[self.data.nest.parents[k - 1]]
            rows = times(level.weight, level.coefficients @ self.onto - effects)
            found.append(rows)
            effects = effects + times(np.broadcast_to(self.gammas[k], level.shrink.shape), rows)
        return tuple(found)

    def information(self, directions: tuple[Direction, ...]) -> Information:
        """Return the second derivatives along these directions."""
        return Information(self, directions)


def _flat(stack: np.ndarray) -> np.ndarray:
    return stack.reshape(-1, stack.shape[-1])


def identity_plus(stack: np.ndarray) -> np.ndarray:
    """Add the identity to each matrix of a stack."""
    return stack + np.eye(stack.shape[-1])


def inverted(stack: np.ndarray) -> np.ndarray:
    """Invert each matrix of a stack; numbers are much faster."""
    return 1 / stack if stack.shape[-1] == 1 else np.linalg.inv(stack)


def log_determinants(stack: np.ndarray) -> float:
    """Add the log determinants of a stack up."""
    return float(np.log(stack).sum() if stack.shape[-1] == 1 else np.linalg.slogdet(stack)[1].sum())
