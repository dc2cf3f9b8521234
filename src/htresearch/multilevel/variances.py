r"""The covariances of random effects as parameters: blocks, their factors, and where a factor may move.

A block is the covariance matrix of the effects of one random term, :math:`\Gamma_b`, in coordinates in which its
columns are orthonormal over the rows, so that every variance is of the order of the residual's. In U's coordinates a
level has :math:`\Gamma = \sum_b R_b \Gamma_b R_b'`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.multilevel.crossproducts import INTERCEPT
from htresearch.multilevel.information import Direction, Information


@dataclass(frozen=True, eq=False)
class Block:
    """The covariance matrix of one random term.

    Attributes
    ----------
    level : int
        From the outside in.
    columns : tuple of int
        Which columns of U, as given, it takes.
    scale : numpy.ndarray
        K with covariance K Γ K' of the effects in the units of the columns.
    loading : numpy.ndarray, r by columns
        R, from the block to the coordinates of U in which the likelihood is searched.
    """

    level: int
    columns: tuple[int, ...]
    scale: np.ndarray
    loading: np.ndarray

    @property
    def size(self) -> int:
        """The number of columns."""
        return len(self.columns)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Entries of the lower triangle: one parameter each."""
        return tuple((a, b) for a in range(self.size) for b in range(a + 1))


@dataclass(frozen=True, eq=False)
class Structure:
    """All blocks of a model.

    Attributes
    ----------
    blocks : tuple of Block
    bases : tuple of numpy.ndarray, r by columns
        For each level K of its columns of U: U K is orthonormal per row.
    """

    blocks: tuple[Block, ...]
    bases: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls,
        terms: list[tuple[int, tuple[int, ...]]],
        moment: np.ndarray,
        uncentred: np.ndarray,
        depth: int,
        apart: bool = False,
    ) -> Structure:
        """Build the blocks of terms.

        Parameters
        ----------
        terms
            For each block its level and its columns of U.
        moment
            U'U divided by the number of rows, U centred.
        uncentred
            What turns the centred columns into those of the terms.
        depth
            The number of levels.
        apart
            Give each level the columns of its own terms only, not all of U.
        """
        bases = [whitening(moment)] * depth
        if apart:
            for k in range(depth):
                own = uncentred[:, sorted({c for level, columns in terms if level == k for c in columns})]
                bases[k] = own @ whitening(own.T @ moment @ own)
        blocks = []
        for level, columns in terms:
            embedding = uncentred[:, list(columns)]
            scale = whitening(embedding.T @ moment @ embedding)
            blocks.append(Block(level, columns, scale, bases[level].T @ moment @ embedding @ scale))
        return cls(tuple(blocks), tuple(bases))

    @cached_property
    def directions(self) -> tuple[Direction, ...]:
        """A direction of V for each parameter, block by block in the order of `Block.pairs`."""
        found = []
        for block in self.blocks:
            for a, b in block.pairs:
                outer = np.outer(block.loading[:, a], block.loading[:, b])
                found.append(Direction(block.level, outer if a == b else outer + outer.T))
        return tuple(found)

    def gammas(self, covariances: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return the covariance of U's effects at each level."""
        found = [np.zeros((basis.shape[1],) * 2) for basis in self.bases]
        for block, covariance in zip(self.blocks, covariances, strict=True):
            found[block.level] += block.loading @ covariance @ block.loading.T
        return tuple(found)

    def far_starts(self, moment: np.ndarray, names: tuple[str, ...]) -> tuple[list[np.ndarray], ...]:
        """Return where to start from beside others where slopes without their intercept belong to columns far from 0.

        Such a column is all but the constant, and what its slope explains beyond that lies at a large variance, a
        hollow of its own: a slope's variance starts at that of its column about the mean.

        Parameters
        ----------
        moment, names
            U'U divided by the number of rows, U centred, and the names of U's columns.
        """
        if INTERCEPT not in names:
            return ()
        constant, found, far = names.index(INTERCEPT), [], False
        for block in self.blocks:
            own = 0.1 * np.eye(block.size)
            if constant not in block.columns:
                own = np.linalg.inv(block.scale) / np.sqrt(np.diag(moment)[list(block.columns)])
                own = own @ own.T
                far = far or np.trace(own) > 4 * block.size
            found.append(own)
        return (found,) if far else ()

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Write a vector of parameters as a symmetric matrix per block."""
        found, at = [], 0
        for block in self.blocks:
            matrix = np.zeros((block.size, block.size))
            for a, b in block.pairs:
                matrix[a, b] = matrix[b, a] = values[at]
                at += 1
            found.append(matrix)
        return found

    def joined(self, matrices: list[np.ndarray]) -> np.ndarray:
        """Write a symmetric matrix per block as a vector of parameters."""
        return np.array([m[a, b] for block, m in zip(self.blocks, matrices, strict=True) for a, b in block.pairs])

    def slopes(self, information: Information) -> list[np.ndarray]:
        """For each block the symmetric matrix of the criterion's derivatives by its covariance."""
        by_level = information.profile.slopes
        return [block.loading.T @ by_level[block.level] @ block.loading for block in self.blocks]


@dataclass(frozen=True, eq=False)
class Factors:
    """A point written as Γ = L L' in each block, and the geometry there.

    Attributes
    ----------
    structure : Structure
    factors : list of numpy.ndarray
        L of each block, columns by rank.
    lower : bool
        Whether only the lower triangles may move.
    """

    structure: Structure
    factors: list[np.ndarray]
    lower: bool

    @property
    def covariances(self) -> list[np.ndarray]:
        """Γ of each block."""
        return [factor @ factor.T for factor in self.factors]

    @cached_property
    def entries(self) -> list[tuple[int, int, int]]:
        """The entries that may move: block, row, column."""
        return [
            (i, row, column)
            for i, factor in enumerate(self.factors)
            for row in range(factor.shape[0])
            for column in range(min(row + 1, factor.shape[1]) if self.lower else factor.shape[1])
        ]

    @cached_property
    def jacobian(self) -> np.ndarray:
        """Derivatives of the parameters, the entries of Γ, by the entries of L."""
        parameters = [(i, a, b) for i, block in enumerate(self.structure.blocks) for a, b in block.pairs]
        found = np.zeros((len(parameters), len(self.entries)))
        for k, (i, a, b) in enumerate(parameters):
            for m, (j, row, column) in enumerate(self.entries):
                if i == j:
                    factor = self.factors[i]
                    found[k, m] = (a == row) * factor[b, column] + (b == row) * factor[a, column]
        return found

    def bend(self, slopes: list[np.ndarray]) -> np.ndarray:
        """Return the curvature that L L' adds: 2 tr(dL' G dL), G the criterion's derivatives by Γ."""
        found = np.zeros((len(self.entries),) * 2)
        for m, (i, row, column) in enumerate(self.entries):
            for k, (j, other, same) in enumerate(self.entries):
                if i == j and column == same:
                    found[m, k] = 2 * slopes[i][row, other]
        return found

    def moved(self, step: np.ndarray) -> Factors:
        """Return the point a step away."""
        factors = [factor.copy() for factor in self.factors]
        for (i, row, column), change in zip(self.entries, step, strict=True):
            factors[i][row, column] += change
        return Factors(self.structure, factors, self.lower)


@dataclass(frozen=True, eq=False)
class Tangent:
    """The directions in which the covariances can move both ways without leaving the boundary they lie on.

    Attributes
    ----------
    jacobian : numpy.ndarray, parameters by directions
    bend : numpy.ndarray, directions by directions
        The curvature that comes from the bend of the boundary.
    null : list of numpy.ndarray
        For each block a basis of the directions without variance.
    """

    jacobian: np.ndarray
    bend: np.ndarray
    null: list[np.ndarray]

    @classmethod
    def at(cls, structure: Structure, covariances: list[np.ndarray], slopes: list[np.ndarray]) -> Tangent:
        """Find the free directions at covariances whose null directions are exactly 0."""
        factors, null = [], []
        for covariance in covariances:
            values, vectors = np.linalg.eigh(covariance)
            kept = values > 1e-13  # what rounding leaves of a variance set to 0
            factors.append(vectors[:, kept] * np.sqrt(values[kept]))
            null.append(vectors[:, ~kept])
        point = Factors(structure, factors, lower=False)
        # Turning L's columns into one another leaves Γ as it is: those directions are none.
        _, lengths, rows = np.linalg.svd(point.jacobian, full_matrices=False)
        basis = rows[lengths > 1e-9 * max(lengths, default=0.0)].T if len(point.entries) else np.zeros((0, 0))
        # Where the covariances can move both ways the slopes are to vanish: only what is left off them bends.
        off = [n @ (n.T @ slope @ n) @ n.T for n, slope in zip(null, slopes, strict=True)]
        return cls(point.jacobian @ basis, basis.T @ point.bend(off) @ basis, null)


def whitening(moment: np.ndarray) -> np.ndarray:
    """Return the upper triangular K with K'MK = 1."""
    return np.linalg.inv(np.linalg.cholesky(moment)).T
