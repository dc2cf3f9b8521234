"""The engine "statsmodels": nested random intercepts through `statsmodels.MixedLM`.

MixedLM searches on square roots of variances, stops early now and then, and warns instead of saying so in its
result. So its answer is taken as a start, and `reml.solve` goes from there to the bottom and certifies it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from htresearch.multilevel.groups import Level
from htresearch.multilevel.reml import Solution, one_thread, solve

_OPTIMISERS = ["bfgs", "lbfgs", "cg"]


def fit_nested(X: np.ndarray, y: np.ndarray, levels: tuple[Level, ...], reml: bool) -> Solution:
    """Fit nested random intercepts.

    Parameters
    ----------
    X, y
        Fixed part, of full column rank, and outcome.
    levels
        The groups, the outermost first.
    reml
        Restricted likelihood or likelihood.
    """
    codes = tuple(level.codes for level in levels)
    searched = variance_ratios(X, y, codes, reml)
    return solve(X, y, codes, reml, () if searched is None else (searched,))


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


@one_thread
def variance_ratios(X: np.ndarray, y: np.ndarray, codes: tuple[np.ndarray, ...], reml: bool) -> np.ndarray | None:
    """Return MixedLM's variances relative to the residual's, or ``None`` where no optimiser gets through."""
    conditioned = condition(X, y)
    spread = conditioned.residual.std()
    if spread == 0:
        return None
    order = np.lexsort(codes[::-1])  # rows of a cluster stand together
    codes = tuple(code[order] for code in codes)
    model = MixedLM(
        conditioned.residual[order] / spread,
        conditioned.Q[order]
        * np.sqrt(len(y)),  # columns of unit length per row, so that every direction counts alike
        groups=codes[0],
        exog_vc=_components(codes),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = model.fit(reml=reml, method=_OPTIMISERS)
        except (np.linalg.LinAlgError, ValueError):
            return None
    ratios = np.asarray(found.vcomp, dtype=float) / found.scale
    return np.maximum(ratios, 0.0) if np.isfinite(ratios).all() else None


def _components(codes: tuple[np.ndarray, ...]) -> VCSpec:
    """Describe the random intercepts as variance components, straight from the group codes.

    MixedLM takes the outermost groups as its clusters; each level is a component with one indicator per group.
    """
    clusters = [np.flatnonzero(codes[0] == cluster) for cluster in np.unique(codes[0])]
    names = [str(k) for k in range(len(codes))]
    matrices, labels = [], []
    for code in codes:
        within = [np.unique(code[rows], return_inverse=True) for rows in clusters]
        matrices.append([np.eye(len(groups))[which] for groups, which in within])
        labels.append([[str(group) for group in groups] for groups, _ in within])
    return VCSpec(names, labels, matrices)
