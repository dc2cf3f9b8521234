"""Respondents in clusters, as pupils in classes: robust covariances of estimates and scaled statistics.

The sandwich of Huber (1967) with scores summed over clusters; the statistic divided as in Yuan & Bentler (2000),
Sociological Methodology, 30, 165-200, https://doi.org/10.1111/0081-1750.00078, in the form that Mplus and lavaan use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from htresearch.scales.covariance import Moments, implied, score, whitened_slopes
from htresearch.scales.structure import Structure


@dataclass(frozen=True)
class Clusters:
    """Of one group: per cluster its size, and sums and products of its answers about the group's means."""

    sizes: np.ndarray
    sums: np.ndarray
    products: np.ndarray

    @property
    def correction(self) -> float:
        """Of few clusters: C / (C - 1)."""
        return len(self.sizes) / (len(self.sizes) - 1)


def gather(values: np.ndarray, mean: np.ndarray, codes: np.ndarray) -> Clusters:
    """Sum answers within clusters; `codes` run from 0."""
    order = np.argsort(codes, kind="stable")
    apart, codes = (values - mean)[order], codes[order]
    begins = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    sizes = np.diff(np.r_[begins, len(codes)])
    ends = begins + sizes
    products = np.array([apart[b:e].T @ apart[b:e] for b, e in zip(begins, ends, strict=True)])
    return Clusters(sizes, np.add.reduceat(apart, begins), products)


def _meat(structure: Structure, values: np.ndarray, groups: list[Moments], clusters: list[Clusters]) -> np.ndarray:
    """Sum of the products of the clusters' scores."""
    total = np.zeros((structure.n_free, structure.n_free))
    for g, (moments, inside) in enumerate(zip(groups, clusters, strict=True)):
        said = implied(structure, values, g, moments)
        white, slopes, shifts = whitened_slopes(structure, g, said)
        off = moments.mean - said.mean  # products are about the means of the answers
        sums, sizes = inside.sums + inside.sizes[:, None] * off, inside.sizes[:, None, None]
        crossed = inside.sums[:, :, None] * off
        products = inside.products + crossed + crossed.transpose(0, 2, 1) + sizes * np.outer(off, off)
        excess = white @ products @ white.T - sizes * np.eye(len(off))
        scores = excess.reshape(len(excess), -1) @ slopes.T / 2 + sums @ white.T @ shifts.T
        total += inside.correction * scores.T @ scores
    return total


def observed_information(structure: Structure, values: np.ndarray, groups: list[Moments]) -> np.ndarray:
    """Minus the Hessian of the log-likelihood, by central differences of its exact gradient."""
    columns = []
    for k, value in enumerate(values):
        step = np.zeros_like(values)
        step[k] = 1e-5 * max(abs(value), 0.1)
        ahead, behind = score(structure, values + step, groups)[0], score(structure, values - step, groups)[0]
        columns.append((behind - ahead) / (2 * step[k]))
    hessian = np.array(columns)
    return (hessian + hessian.T) / 2


def _moments_information(structure: Structure, values: np.ndarray, groups: list[Moments]) -> np.ndarray:
    """Observed information of the implied moments, carried over to the parameters: what Mplus and lavaan scale by."""
    total = np.zeros((structure.n_free, structure.n_free))
    for g, moments in enumerate(groups):
        said = implied(structure, values, g, moments)
        white, slopes, shifts = whitened_slopes(structure, g, said)
        off = white @ (moments.mean - said.mean)
        seen = white @ moments.covariance @ white.T + np.outer(off, off)
        square = slopes.reshape(len(slopes), len(off), len(off))
        bent = (square @ (2 * seen - np.eye(len(off)))).reshape(slopes.shape)
        crossed = shifts @ (square @ off).T
        total += moments.n * (bent @ slopes.T / 2 + shifts @ shifts.T + crossed + crossed.T)
    return (total + total.T) / 2


def sandwich(
    structure: Structure, values: np.ndarray, groups: list[Moments], clusters: list[Clusters]
) -> tuple[np.ndarray, float]:
    """Return the robust covariance of the estimates and by what chi-squared is to be divided."""
    bread = np.linalg.inv(observed_information(structure, values, groups))
    meat = _meat(structure, values, groups, clusters)
    if not structure.df:
        return bread @ meat @ bread, 1.0
    curved = np.linalg.inv(_moments_information(structure, values, groups))
    factor = (_saturated(groups, clusters) - np.sum(meat * curved)) / structure.df
    return bread @ meat @ bread, float(factor)


def _saturated(groups: list[Moments], clusters: list[Clusters]) -> float:
    """Trace of the clusters' information times the inverse information of saturated moments, whitened by S."""
    total = 0.0
    for moments, inside in zip(groups, clusters, strict=True):
        white = np.linalg.inv(np.linalg.cholesky(moments.covariance))
        excess = white @ inside.products @ white.T - inside.sizes[:, None, None] * np.eye(len(white))
        shift = inside.sums @ white.T
        total += inside.correction * (np.sum(excess**2) / 2 + np.sum(shift**2)) / moments.n
    return total
