"""Restricted and ordinary maximum likelihood for nested random effects: from cross-products to a solution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from threadpoolctl import ThreadpoolController

from htresearch.multilevel.crossed_moments import CrossedMoments
from htresearch.multilevel.crossproducts import INTERCEPT, CrossProducts, from_rows
from htresearch.multilevel.likelihood import Moments
from htresearch.multilevel.search import Optimum, find_optimum
from htresearch.multilevel.variances import Structure

METHODS = ("reml", "ml")

#: Runs a function with one BLAS thread: the matrices are a few columns wide, and threads that wait for one another
#: made a fit ten times slower on a busy machine.
one_thread = ThreadpoolController().wrap(limits=1, user_api="blas")


@dataclass(frozen=True, eq=False)
class Coordinates:
    """How coefficients in the search's coordinates become those of X as given.

    The search runs on orthonormal columns, X less its centre = QR, and on what least squares leaves of y, so that no
    column is long beside another.

    Attributes
    ----------
    onto : numpy.ndarray
        From coefficients of Q to coefficients of X.
    offset : numpy.ndarray
        Coefficients of ordinary least squares.
    columns : numpy.ndarray, m by m
        From the columns of A, centred, to [Q, residual].
    log_scale : float
        2 log|R|: the restricted likelihood depends on how X is coded.
    """

    onto: np.ndarray
    offset: np.ndarray
    columns: np.ndarray
    log_scale: float

    @classmethod
    def of(cls, products: CrossProducts) -> Coordinates:
        """Find the coordinates from the cross-products over all rows."""
        total = products.overall
        p = len(total) - 1
        scale = np.sqrt(np.diag(total))
        even = total / np.outer(scale, scale)
        R = np.linalg.cholesky(even[:p, :p]).T * scale[:p]
        inverse = np.linalg.inv(R)
        least_squares = inverse @ (inverse.T @ total[:p, p])
        columns = np.eye(p + 1)
        columns[:p, :p], columns[:p, p] = inverse, -least_squares
        uncentre, offset = np.eye(p), least_squares
        if INTERCEPT in products.columns:
            at = products.columns.index(INTERCEPT)
            uncentre[at] -= products.centre[:p]
            offset = uncentre @ least_squares
            offset[at] += products.centre[p]
        return cls(uncentre @ inverse, offset, columns, 2 * float(np.log(np.abs(np.diag(R))).sum()))


@dataclass(frozen=True, eq=False)
class Solution:
    """The optimum, in the units of the data.

    Attributes
    ----------
    products : CrossProducts
    optimum : Optimum
        In the coordinates of the search.
    coordinates : Coordinates
    """

    products: CrossProducts
    optimum: Optimum
    coordinates: Coordinates

    @cached_property
    def beta(self) -> np.ndarray:
        """Fixed effects."""
        return self.coordinates.offset + self.coordinates.onto @ self.optimum.profile.beta

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the fixed effects as if the variances were known."""
        onto = self.coordinates.onto
        return self.sigma2 * onto @ self.optimum.profile.covariance @ onto.T

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return self.optimum.profile.sigma2

    @property
    def criterion(self) -> float:
        """-2 log (restricted) likelihood, with all constants."""
        profile = self.optimum.profile
        return profile.criterion + (self.coordinates.log_scale if profile.reml else 0.0)

    @property
    def converged(self) -> bool:
        """Whether the end is certified as an optimum."""
        return self.optimum.converged

    @property
    def singular(self) -> bool:
        """Whether a variance is 0 or a correlation ±1."""
        return self.optimum.singular

    @cached_property
    def covariances(self) -> tuple[np.ndarray, ...]:
        """Covariance matrix of each random term, in the units of the data."""
        blocks, found = self.optimum.structure.blocks, self.optimum.covariances
        return tuple(self.sigma2 * b.scale @ c @ b.scale.T for b, c in zip(blocks, found, strict=True))

    @property
    def gamma(self) -> np.ndarray:
        """Variance of every random effect relative to the residual's, term by term."""
        return np.concatenate([np.diag(c) for c in self.covariances]) / self.sigma2

    @cached_property
    def moment(self) -> np.ndarray:
        """U'U by the number of rows, in the units of the data."""
        products = self.products
        onto = uncentring(products)
        return onto.T @ products.gram.sum(axis=0) @ onto / products.n

    @cached_property
    def _constant(self) -> tuple[float, np.ndarray] | None:
        """Sum of the weights and sums of the fixed part's columns, centred; unknown where no column is constant."""
        products = self.products
        if INTERCEPT in products.columns:
            row = products.overall[products.columns.index(INTERCEPT), :-1]
            return float(row[products.columns.index(INTERCEPT)]), row
        if INTERCEPT in products.random:
            at = products.random.index(INTERCEPT)
            return float(products.gram[:, at, at].sum()), products.cross[:, at, :-1].sum(axis=0)
        return None

    @property
    def weight(self) -> float:
        """Average weight of a row."""
        return 1.0 if self._constant is None else self._constant[0] / self.products.n

    @property
    def means(self) -> np.ndarray:
        """Means of the fixed part's columns over the rows, which count as they weigh; 0 without a constant column."""
        if self._constant is None:
            return np.zeros(len(self.beta))
        return self.products.centre[:-1] + self._constant[1] / self._constant[0]

    @cached_property
    def spread(self) -> np.ndarray:
        """Covariance of the fixed part's columns over the rows, which count as they weigh.

        Without any constant column it is about 0, not about their means.
        """
        total, n = self.products.overall[:-1, :-1], self.products.n
        if self._constant is not None:
            total = total - np.outer(self._constant[1], self._constant[1]) / self._constant[0]
        return total / self.weight / (n - 1)

    @property
    def explained(self) -> float:
        """Variance of the fixed part over the rows, times their average weight."""
        return float(self.beta @ self.spread @ self.beta) * self.weight

    @property
    def gradient_norm(self) -> float:
        """Length of the criterion's gradient along the directions in which the covariances can move both ways."""
        return float(np.linalg.norm(self.optimum.gradient))

    @cached_property
    def effects(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each random term the predicted effects, groups by columns, and their covariances given the data and β.

        Groups stand in the order of their codes.
        """
        profile = self.optimum.profile
        found = []
        for block, gamma in zip(self.optimum.structure.blocks, self.optimum.covariances, strict=True):
            onto = block.scale @ gamma @ block.loading.T
            rows, diagonal = profile.projected[block.level], profile.diagonals[block.level]
            spread = profile.sigma2 * (block.scale @ gamma @ block.scale.T - onto @ diagonal @ onto.T)
            order = np.argsort(self.optimum.data.ids[block.level])
            found.append(((rows[:, :, -1] @ onto.T)[order], spread[order]))
        return tuple(found)


def uncentring(products: CrossProducts) -> np.ndarray:
    """Return what turns U, centred, into U as given."""
    onto = np.eye(len(products.random))
    if INTERCEPT in products.random:
        onto[products.random.index(INTERCEPT)] += products.random_centre
    return onto


Terms = list[tuple[int, tuple[int, ...]]]


@one_thread
def solve_products(
    products: CrossProducts, terms: Terms, reml: bool, starts: tuple[list[np.ndarray], ...] = ()
) -> Solution:
    """Find the covariances at which the (restricted) likelihood is largest.

    Parameters
    ----------
    products
        Of a fixed part of full column rank.
    terms
        For each random term its level and its columns of U; effects of one term are correlated.
    reml
        Restricted likelihood or likelihood.
    starts
        Covariances to start from, in the search's coordinates; even ones unless given.
    """
    data, structure, coordinates = _posed(products, terms)
    if products.crossed and (not starts or data.few):
        starts = (*starts, *data.starts(structure))
    beside = structure.far_starts(products.gram.sum(axis=0) / products.n, products.random)
    return Solution(products, find_optimum(data, structure, reml, starts, beside), coordinates)


@one_thread
def solution_at(
    products: CrossProducts, terms: Terms, reml: bool, covariances: list[np.ndarray], evaluations: int = 0
) -> Solution:
    """Return the solution at covariances found before, in the search's coordinates: nothing is searched."""
    data, structure, coordinates = _posed(products, terms)
    return Solution(products, Optimum(data, structure, covariances, reml, evaluations), coordinates)


def _posed(products: CrossProducts, terms: Terms) -> tuple[Moments | CrossedMoments, Structure, Coordinates]:
    """Write the problem in the coordinates of the search."""
    coordinates = Coordinates.of(products)
    moment = products.gram.sum(axis=0) / products.n
    crossed = products.crossed
    structure = Structure.of(terms, moment, uncentring(products), products.nest.depth, apart=crossed)
    if crossed:
        return CrossedMoments.of(products, coordinates.columns, structure.bases), structure, coordinates
    return Moments.of(products, coordinates.columns, structure.bases[0]), structure, coordinates


def solve(
    X: np.ndarray,
    y: np.ndarray,
    codes: tuple[np.ndarray, ...],
    reml: bool,
    starts: tuple[np.ndarray, ...] = (),
    weights: np.ndarray | None = None,
) -> Solution:
    """Fit random intercepts, nested or crossed, to rows in memory.

    Parameters
    ----------
    X, y
        Fixed part, of full column rank, and outcome.
    codes
        For each level, from the outside in where they nest, the group of each row.
    reml
        Restricted likelihood or likelihood.
    starts
        Variance ratios to start from; the best end counts.
    weights
        Precision weights; none are all 1.
    """
    constant = np.flatnonzero((X == 1).all(axis=0))
    names = tuple(INTERCEPT if i in constant[:1] else str(i) for i in range(X.shape[1] + 1))
    products = from_rows(np.column_stack([X, y]), np.ones((len(y), 1)), codes, names, (INTERCEPT,), weights)
    points = tuple([np.array([[float(g)]]) for g in start] for start in starts)
    return solve_products(products, [(k, (0,)) for k in range(len(codes))], reml, points)
