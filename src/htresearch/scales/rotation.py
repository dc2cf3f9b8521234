"""Rotations of factor loadings by gradient projection.

Bernaards & Jennrich (2005), Educational and Psychological Measurement, 65, 676-696,
https://doi.org/10.1177/0013164404272507. From the unrotated loadings and some random starts the best end is taken,
as a rotation may stop in a hollow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROTATIONS = ("oblimin", "varimax", "none")
_STARTS = 8


@dataclass(frozen=True)
class Rotated:
    """Rotated loadings (items × factors), the factors' correlations, and whether every step was made."""

    loadings: np.ndarray
    factors: np.ndarray
    converged: bool


def rotate(loadings: np.ndarray, rotation: str) -> Rotated:
    """Rotate loadings: ``"varimax"`` with Kaiser's weights, ``"oblimin"`` (gamma 0, no weights), or ``"none"``."""
    n_factors = loadings.shape[1]
    if rotation == "none" or n_factors == 1:
        return Rotated(loadings, np.eye(n_factors), True)
    oblique = rotation == "oblimin"
    weight = np.ones(len(loadings)) if oblique else np.sqrt((loadings**2).sum(axis=1))
    weight = np.where(weight == 0, 1.0, weight)
    random = np.random.default_rng(1)
    starts = [np.eye(n_factors)]
    starts += [np.linalg.qr(random.normal(size=(n_factors, n_factors)))[0] for _ in range(_STARTS)]
    ends = [_descend(loadings / weight[:, None], start, oblique) for start in starts]
    criterion, turned, converged = min(ends, key=lambda end: (not end[2], round(end[0], 9)))
    del criterion
    found = _pattern(loadings, turned, oblique)
    factors = turned.T @ turned if oblique else np.eye(n_factors)
    order = np.argsort(-np.diag(factors @ found.T @ found), kind="stable")  # by the variance explained
    sign = np.where(found[:, order].sum(axis=0) < 0, -1, 1)
    return Rotated(found[:, order] * sign, factors[np.ix_(order, order)] * np.outer(sign, sign), converged)


def _pattern(loadings: np.ndarray, turned: np.ndarray, oblique: bool) -> np.ndarray:
    return loadings @ np.linalg.inv(turned).T if oblique else loadings @ turned


def _quartimin(found: np.ndarray) -> tuple[float, np.ndarray]:
    """Sum over pairs of factors of the products of squared loadings, and its gradient."""
    squares = found**2
    others = squares.sum(axis=1, keepdims=True) - squares
    return float(np.sum(squares * others) / 4), found * others


def _varimax(found: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the variance of the squared loadings of each factor, and its gradient."""
    apart = found**2 - (found**2).mean(axis=0)
    return float(-np.sum(apart**2) / 4), -found * apart


def _descend(loadings: np.ndarray, turned: np.ndarray, oblique: bool) -> tuple[float, np.ndarray, bool]:
    """Walk down the projected gradient on the manifold of rotations."""
    measure = _quartimin if oblique else _varimax
    found = _pattern(loadings, turned, oblique)
    value, slope = measure(found)
    step = 1.0
    for _ in range(2000):
        if oblique:
            gradient = -(found.T @ slope @ np.linalg.inv(turned)).T
            projected = gradient - turned * (turned * gradient).sum(axis=0)
        else:
            gradient = loadings.T @ slope
            inner = turned.T @ gradient
            projected = gradient - turned @ (inner + inner.T) / 2
        length = np.linalg.norm(projected)
        if length < 1e-8:
            return value, turned, True
        step *= 2
        for _ in range(30):
            ahead = turned - step * projected
            if oblique:
                ahead = ahead / np.sqrt((ahead**2).sum(axis=0))
            else:
                left, _, right = np.linalg.svd(ahead, full_matrices=False)
                ahead = left @ right
            there = _pattern(loadings, ahead, oblique)
            value_there, slope_there = measure(there)
            if value - value_there > 0.5 * length**2 * step:
                break
            step /= 2
        else:  # no step goes down any more: rounding is reached
            return value, turned, bool(length < 1e-5)
        turned, found, value, slope = ahead, there, value_there, slope_there
    return value, turned, False
