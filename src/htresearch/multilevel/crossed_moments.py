"""What the likelihood of crossed random effects needs to know of the data: sums by level and by pairs of levels.

They come from the cross-products by cell, a cell being the rows that share a level of every factor, so that frames,
lazy tables and parts that were added up all arrive the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import nnls

from htresearch.multilevel.crossed_elimination import Elimination, eliminate
from htresearch.multilevel.crossed_likelihood import CrossedProfile
from htresearch.multilevel.crossproducts import (
    CrossProducts,
    add_up,
    onto_columns,
    pseudo_inverse,
    times,
    within_columns,
)

if TYPE_CHECKING:
    from htresearch.multilevel.variances import Structure

#: Up to so many effects, the eliminated factor's apart, every start is tried: few levels make for hollows beside one
#: another, and little work.
FEW = 200


@dataclass(frozen=True, eq=False)
class CrossedMoments:
    """Moments of A = [X y] under factors that may cross, each with its own columns U of random effects.

    Attributes
    ----------
    n : int
        Rows.
    log_weights : float
        Sum of the logarithms of the precision weights.
    eliminated : int
        Which factor is eliminated: the one with the most effects.
    within : numpy.ndarray, m by m
        Cross-products of what the eliminated factor's U leaves of A within its levels.
    grams : tuple of numpy.ndarray, levels by r by r
        For each factor U'U in each level.
    sums : tuple of numpy.ndarray, levels by r by m
        For each factor U'A in each level.
    joint : scipy.sparse.csr_array
        U'U between the effects of the eliminated factor and those of the others, one factor after another.
    among : scipy.sparse.csr_array
        U'U between the effects of the others.
    """

    n: int
    log_weights: float
    eliminated: int
    within: np.ndarray
    grams: tuple[np.ndarray, ...]
    sums: tuple[np.ndarray, ...]
    joint: sparse.csr_array
    among: sparse.csr_array

    @classmethod
    def of(cls, products: CrossProducts, columns: np.ndarray, bases: tuple[np.ndarray, ...]) -> CrossedMoments:
        """Add cells up by level and by pairs of levels.

        Parameters
        ----------
        products
            By cell.
        columns
            From the columns of A to those of the moments.
        bases
            For each factor what turns the columns of U into its own.
        """
        codes = [_Codes(keys, base.shape[1]) for keys, base in zip(products.keys.T, bases, strict=True)]
        cross = products.cross @ columns
        grams = tuple(add_up(within_columns(b, products.gram, b), c.keys) for c, b in zip(codes, bases, strict=True))
        sums = tuple(add_up(onto_columns(b, cross), c.keys) for c, b in zip(codes, bases, strict=True))
        f = int(np.argmax([c.effects for c in codes]))
        within = columns.T @ products.about(f, bases[f]) @ columns
        others = [k for k in range(len(codes)) if k != f]
        starts = np.cumsum([0, *(codes[k].effects for k in others)])
        placed = list(zip(others, starts[:-1], strict=True))
        joint = [
            _entries(codes[f], codes[k], 0, start, within_columns(bases[f], products.gram, bases[k]))
            for k, start in placed
        ]
        among = [_on_diagonal(grams[k], start) for k, start in placed]
        for i, (k, start) in enumerate(placed):
            for j, other in placed[:i]:
                block = within_columns(bases[k], products.gram, bases[j])
                rows, at, values = _entries(codes[k], codes[j], start, other, block)
                among += [(rows, at, values), (at, rows, values)]
        return cls(
            products.n,
            products.log_weights,
            f,
            (within + within.T) / 2,
            grams,
            sums,
            _table(joint, (codes[f].effects, int(starts[-1]))),
            _table(among, (int(starts[-1]),) * 2),
        )

    def profile(self, gammas: tuple[np.ndarray, ...], reml: bool) -> CrossedProfile:
        """Return the criterion at the covariances of the factors' effects relative to the residual variance."""
        return CrossedProfile(self, gammas, reml)

    @property
    def ids(self) -> tuple[np.ndarray, ...]:
        """For each factor the code of each level: they stand in the order of their codes."""
        return tuple(np.arange(len(gram)) for gram in self.grams)

    @property
    def others(self) -> tuple[int, ...]:
        """The factors that are not eliminated."""
        return tuple(k for k in range(len(self.grams)) if k != self.eliminated)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Where each of the others stands among their effects."""
        ends = np.cumsum([0, *(self.grams[k].shape[0] * self.grams[k].shape[1] for k in self.others)])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @cached_property
    def effects(self) -> np.ndarray:
        """Least squares of A on the eliminated factor's U in each of its levels."""
        return times(pseudo_inverse(self.grams[self.eliminated]), self.sums[self.eliminated])

    @cached_property
    def elimination(self) -> Elimination:
        """The matrix of the others once the eliminated factor is gone: its pattern and how to fill it."""
        widths = [gram.shape[1] for gram in self.grams]
        others = tuple(zip(self.blocks, (widths[k] for k in self.others), strict=True))
        return eliminate(self.joint, self.among, widths[self.eliminated], others)

    @property
    def few(self) -> bool:
        """Whether there are so few levels that the criterion may well have several hollows."""
        return self.among.shape[0] <= FEW

    def starts(self, structure: Structure) -> tuple[list[np.ndarray], ...]:
        """Return where to start from: ratios by sums of squares and, with few levels, lopsided ones."""
        ratios = [np.diag(own) for own in column_ratios(self)]
        points = [[block.loading.T @ ratios[block.level] @ block.loading for block in structure.blocks]]
        if self.few:
            points += [
                [(10.0 if block.level == k else 0.05) * np.eye(block.size) for block in structure.blocks]
                for k in range(len(self.grams))
            ]
        return tuple(points)


def column_ratios(data: CrossedMoments) -> list[np.ndarray]:
    """Estimate for each factor the ratio of each column from sums of squares, unadjusted for one another.

    The sum of squares of a column between the levels of its factor has an expectation linear in all variances
    (Henderson 1953, method 1, doi:10.2307/3001853); y should be free of X, and effects count as uncorrelated.
    """
    f = data.eliminated
    order = [f, *data.others]
    widths = [data.grams[k].shape[1] for k in order]
    counts = np.concatenate([np.einsum("gaa->ga", data.grams[k]).ravel() for k in order])
    group = np.concatenate(
        [
            np.tile(np.arange(width) + first, len(data.grams[k]))
            for k, width, first in zip(order, widths, np.cumsum([0, *widths]), strict=False)
        ]
    )
    q = sum(widths)
    own = data.joint.shape[0]
    onto = sparse.csr_array((np.ones(len(group)), (np.arange(len(group)), group)), shape=(len(group), q))
    inverse = np.divide(1.0, counts, out=np.zeros_like(counts), where=counts > 0)
    scaled = sparse.csr_array(onto * inverse[:, None])
    joint, among = data.joint.power(2), data.among.power(2)
    itself = _table([_on_diagonal(data.grams[f] ** 2, 0)], (own, own))
    ahead = itself @ onto[:own] + joint @ onto[own:]
    after = joint.T @ onto[:own] + among @ onto[own:]
    expected = np.empty((q + 1, q + 1))
    expected[:q, :q] = (scaled[:own].T @ ahead + scaled[own:].T @ after).toarray()
    expected[:q, q] = np.bincount(group, counts > 0, q)
    expected[q, :q] = np.bincount(group, counts, q)
    expected[q, q] = data.n
    y = np.concatenate([data.sums[k][:, :, -1].ravel() for k in order])
    total = data.within[-1, -1] + np.sum(data.sums[f][:, :, -1] * data.effects[:, :, -1])
    variances, _ = nnls(expected, np.append(np.bincount(group, y**2 * inverse, q), total))
    ratios = np.clip(variances[:-1] / max(variances[-1], 1e-3 * variances.sum(), 1e-300), 0.003, 100.0)
    parts = dict(zip(order, np.split(ratios, np.cumsum(widths)[:-1]), strict=True))
    return [parts[k] for k in range(len(order))]


class _Codes:
    """The level of each cell, and how many columns each level has."""

    def __init__(self, keys: np.ndarray, width: int):
        self.keys, self.width = keys, width
        self.levels = int(keys.max()) + 1

    @property
    def effects(self) -> int:
        """Levels times columns."""
        return self.levels * self.width


def _entries(
    a: _Codes, b: _Codes, row: int, column: int, blocks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and values of the blocks of cells in a matrix of effects."""
    rows = row + a.keys[:, None, None] * a.width + np.arange(a.width)[:, None]
    columns = column + b.keys[:, None, None] * b.width + np.arange(b.width)
    shape = (len(blocks), a.width, b.width)
    return np.broadcast_to(rows, shape).ravel(), np.broadcast_to(columns, shape).ravel(), blocks.ravel()


def _on_diagonal(grams: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and values of a matrix with these blocks on its diagonal, zeros too."""
    levels = _Codes(np.arange(len(grams)), grams.shape[1])
    return _entries(levels, levels, start, start, grams)


def _table(parts: list[tuple[np.ndarray, ...]], shape: tuple[int, int]) -> sparse.csr_array:
    """Add entries up; a sum of 0 stays an entry, so that levels that meet do so in all their columns."""
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    table = sparse.csr_array((values, (rows, columns)), shape=shape)
    table.sum_duplicates()
    return table
