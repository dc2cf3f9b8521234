"""REML and maximum likelihood for random intercepts of crossed, or partly nested, factors.

Rows, or the cells of a table by all factors, are read once into sums by level and counts of pairs of levels; memory
and time of everything after that do not grow with rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.multilevel.crossed_information import VarianceTerms, variance_terms
from htresearch.multilevel.crossed_moments import CrossedMoments, crossed_moments
from htresearch.multilevel.crossed_search import CrossedOptimum, certify, find_optimum
from htresearch.multilevel.reml import Coordinates, InUnitsOfTheData, one_thread


@dataclass(frozen=True, eq=False)
class CrossedSolution(InUnitsOfTheData):
    """The optimum, in the units of the data; it answers as `reml.Solution` does, and inference takes either.

    Attributes
    ----------
    optimum : CrossedOptimum
        In the coordinates of the search.
    coordinates : Coordinates
    """

    optimum: CrossedOptimum
    coordinates: Coordinates

    @property
    def gamma(self) -> np.ndarray:
        """Variance of each factor relative to the residual's."""
        return self.optimum.profile.gamma

    @property
    def covariances(self) -> tuple[np.ndarray, ...]:
        """Variance of each factor, as a matrix."""
        return tuple(self.sigma2 * covariance for covariance in self.optimum.covariances)

    @property
    def gradient_norm(self) -> float:
        """Length of the criterion's gradient in `gamma`, a factor at 0 left out unless it would gain by rising."""
        return self.optimum.gradient_norm

    @cached_property
    def effects(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each factor the predicted effects, levels by 1, and their variances given the data and β, as matrices.

        Levels stand in the order of their codes.
        """
        return tuple((e[:, None], np.square(spread)[:, None, None]) for e, spread in self.optimum.profile.blups())

    def variance_terms(self) -> VarianceTerms:
        """Return information and Kenward-Roger's matrices for X as it was given.

        Raises
        ------
        UnsupportedError
            Where the factors but the largest have too many levels for the expected information.
        """
        terms = variance_terms(self.optimum.information)
        R = np.linalg.inv(self.coordinates.onto)
        return VarianceTerms(terms.average, terms.expected, terms.observed, R.T @ terms.P @ R, R.T @ terms.Q @ R)


@one_thread
def solve(
    X: np.ndarray,
    y: np.ndarray,
    codes: tuple[np.ndarray, ...],
    reml: bool,
    starts: tuple[np.ndarray, ...] | None = None,
    weights: np.ndarray | None = None,
) -> CrossedSolution:
    """Find the variances at which the (restricted) likelihood is largest, from rows.

    Parameters
    ----------
    X, y
        Fixed part, of full column rank, and outcome.
    codes
        For each factor the level of each row, from 0 upwards.
    reml
        Restricted likelihood or likelihood.
    starts
        Variance ratios to start from; the best end counts. None finds its own.
    weights
        Precision weights; none are all 1.
    """
    root = None if weights is None else np.sqrt(np.asarray(weights, dtype=float))[:, None]
    Q, R = np.linalg.qr(X if root is None else X * root)
    least_squares = np.linalg.solve(R, Q.T @ (y if root is None else y * root[:, 0]))
    data = crossed_moments(Q if root is None else Q / root, y - X @ least_squares, codes, weights)
    return CrossedSolution(find_optimum(data, reml, starts), _coordinates(R, least_squares))


@one_thread
def solve_moments(data: CrossedMoments, reml: bool, starts: tuple[np.ndarray, ...] | None = None) -> CrossedSolution:
    """Find the variances at which the (restricted) likelihood is largest, from moments alone.

    Parameters
    ----------
    data
        Moments of [X y]; columns far from 0 for their spread cost digits and should be centred first.
    reml, starts
        As for `solve`.
    """
    total = data.total
    scale = np.sqrt(np.diag(total))
    p = len(total) - 1
    R = np.linalg.cholesky(total[:p, :p] / np.outer(scale[:p], scale[:p])).T * scale[:p]
    inverse = np.linalg.inv(R)
    coordinates = _coordinates(R, inverse @ (inverse.T @ total[:p, p]))
    return CrossedSolution(find_optimum(data.times(coordinates.columns), reml, starts), coordinates)


@one_thread
def again(solution: CrossedSolution, reml: bool) -> CrossedSolution:
    """Find the optimum anew by the other of the two likelihoods."""
    return CrossedSolution(find_optimum(solution.optimum.data, reml), solution.coordinates)


@one_thread
def certified(solution: CrossedSolution) -> CrossedSolution:
    """Judge anew whether the search ended at an optimum."""
    return CrossedSolution(certify(solution.optimum), solution.coordinates)


def _coordinates(R: np.ndarray, least_squares: np.ndarray) -> Coordinates:
    """Return the way back from X = QR's Q and from what least squares leaves of y."""
    p = len(R)
    columns = np.eye(p + 1)
    columns[:p, :p], columns[:p, p] = np.linalg.inv(R), -least_squares
    log_scale = 2 * float(np.log(np.abs(np.diag(R))).sum())
    return Coordinates(columns[:p, :p], least_squares, columns, log_scale)
