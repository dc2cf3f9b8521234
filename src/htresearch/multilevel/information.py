r"""Second derivatives of the criterion by the variances: what Newton's steps and degrees of freedom are made of.

With :math:`V = I + \sum_i \gamma_i G_i` and :math:`P = V^{-1} - V^{-1}X \Phi X'V^{-1}`:

.. math::
    \text{expected} \quad & \mathrm{tr}(P G_i P G_j), \qquad
    \text{average} \quad y'P G_i P G_j P y / \sigma^2, \\
    \text{observed} \quad & 2 \cdot \text{average} - \text{expected}

(Gilmour, Thompson & Cullis 1995, doi:10.2307/2533274). The averages come from columns
:math:`f_i = G_i V^{-1}[X\,e]`, which lie in the span of U within every innermost group and so pass through the same
elimination as A. The traces need sums of :math:`B \otimes B` over pairs of groups, :math:`B = U_g'V^{-1}U_h`: pairs
that meet in a group a of an outer level have :math:`B = -Y_g N_a Y_h'`, so that they add up from the inside out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from htresearch.multilevel.crossproducts import times

if TYPE_CHECKING:
    from htresearch.multilevel.likelihood import Profile


@dataclass(frozen=True, eq=False)
class Direction:
    """One parameter of V: G = Z_level (I ⊗ matrix) Z_level'.

    Attributes
    ----------
    level : int
        From the outside in.
    matrix : numpy.ndarray, r by r
        Symmetric.
    """

    level: int
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class Information:
    """What the second derivatives are made of, at one profile.

    Attributes
    ----------
    profile : Profile
    directions : tuple of Direction
    """

    profile: Profile
    directions: tuple[Direction, ...]

    @cached_property
    def first(self) -> np.ndarray:
        """A'V⁻¹G_iV⁻¹A with A = [X e], parameters by m by m."""
        found = []
        for direction in self.directions:
            rows = self.profile.projected[direction.level]
            flat = rows.reshape(-1, rows.shape[2])
            found.append((direction.matrix @ rows).reshape(flat.shape).T @ flat)
        return np.array(found)

    @cached_property
    def second(self) -> np.ndarray:
        """A'V⁻¹G_iV⁻¹G_jV⁻¹A with A = [X e], parameters by parameters by m by m."""
        nest, innermost = self.profile.data.nest, self.profile.data.nest.depth - 1
        columns = [
            (d.matrix @ self.profile.projected[d.level])[nest.down(innermost, d.level)] for d in self.directions
        ]
        about = self.profile.about_means(np.concatenate(columns, axis=2))
        product = self.profile.product(about, about)
        q, m = len(self.directions), columns[0].shape[2]
        return product.reshape(q, m, q, m).swapaxes(1, 2)

    @cached_property
    def traces(self) -> np.ndarray:
        """tr(V⁻¹G_i)."""
        sums = [diagonal.sum(axis=0) for diagonal in self.profile.diagonals]
        return np.array([np.sum(sums[d.level] * d.matrix) for d in self.directions])

    @cached_property
    def square_traces(self) -> np.ndarray:
        """tr(V⁻¹G_iV⁻¹G_j)."""
        sums = _pair_sums(self.profile)
        q = len(self.directions)
        found = np.empty((q, q))
        for i, a in enumerate(self.directions):
            for j, b in enumerate(self.directions[: i + 1]):
                (outer, e), (inner, f) = sorted(((a.level, a.matrix), (b.level, b.matrix)), key=lambda pair: pair[0])
                found[i, j] = found[j, i] = e.ravel() @ sums[outer, inner] @ f.ravel()
        return found

    @cached_property
    def expected(self) -> np.ndarray:
        """tr(PG_iPG_j), or tr(V⁻¹G_iV⁻¹G_j) by maximum likelihood: the expected curvature of the criterion."""
        if not self.profile.reml:
            return self.square_traces
        phi = self.profile.covariance
        fixed, twice = self.first[:, :-1, :-1], self.second[:, :, :-1, :-1]
        weighted = phi @ fixed
        return (
            self.square_traces
            - 2 * np.einsum("ab,ijba->ij", phi, twice)
            + np.einsum("iab,jba->ij", weighted, weighted)
        )

    @cached_property
    def projections(self) -> np.ndarray:
        """tr(PG_i), or tr(V⁻¹G_i) by maximum likelihood."""
        if not self.profile.reml:
            return self.traces
        return self.traces - np.einsum("ab,iba->i", self.profile.covariance, self.first[:, :-1, :-1])

    @cached_property
    def average(self) -> np.ndarray:
        """y'PG_iPG_jPy / σ²."""
        cross = self.first[:, :-1, -1]
        quadratic = self.second[:, :, -1, -1] - cross @ self.profile.covariance @ cross.T
        return quadratic / self.profile.sigma2

    @cached_property
    def squares(self) -> np.ndarray:
        """y'PG_iPy / σ²."""
        return self.first[:, -1, -1] / self.profile.sigma2

    @cached_property
    def gradient(self) -> np.ndarray:
        """Derivatives of the profiled criterion."""
        return np.array([np.sum(self.profile.slopes[d.level] * d.matrix) for d in self.directions])

    @cached_property
    def observed(self) -> np.ndarray:
        """2 y'PG_iPG_jPy / σ² - tr(PG_iPG_j): twice the observed information."""
        return 2 * self.average - self.expected

    @cached_property
    def hessian(self) -> np.ndarray:
        """Second derivatives of the profiled criterion: twice the observed information with σ² taken out."""
        return self.observed - np.outer(self.squares, self.squares) / self.profile.df

    @cached_property
    def scoring(self) -> np.ndarray:
        """Expected second derivatives with σ² taken out: never indefinite, so that its steps lead downhill."""
        return self.expected - np.outer(self.projections, self.projections) / self.profile.df


def _pair_sums(profile: Profile) -> dict[tuple[int, int], np.ndarray]:
    """For each two levels the sum of B ⊗ B over all their groups g and h, B = U_g'V⁻¹U_h; outer level first."""
    nest, levels = profile.data.nest, profile.levels
    depth = nest.depth
    sums = {(k, k): _kron(d, d).sum(axis=0) for k, d in enumerate(profile.diagonals)}
    # Y_g ⊗ Y_g of all groups g of level k, added up in the groups of the level now reached.
    reached: dict[int, np.ndarray] = {}
    for k in range(depth - 1, -1, -1):
        shrink = np.swapaxes(levels[k].shrink, 1, 2)
        lost = np.eye(shrink.shape[-1]) - times(profile.outer[k], levels[k].information)
        for inner, values in reached.items():
            onto = np.swapaxes(_kron(lost, lost), 1, 2)
            sums[k, inner] = sums.get((k, inner), 0) + times(onto, np.swapaxes(values, 1, 2)).sum(axis=0)
        handed = {inner: times(values, _kron(shrink, shrink)) for inner, values in reached.items()}
        handed[k] = _kron(levels[k].weight, levels[k].weight)
        if k == 0:
            break
        around = _kron(profile.outer[k - 1], profile.outer[k - 1])
        reached = {inner: nest.up(values, k, k - 1) for inner, values in handed.items()}
        below = around[nest.parents[k - 1]]
        for a in handed:
            left, all_left = times(handed[a], below), times(reached[a], around)
            for b in handed:
                if a > b:
                    continue
                same = times(left, np.swapaxes(handed[b], 1, 2)).sum(axis=0)
                every = times(all_left, np.swapaxes(reached[b], 1, 2)).sum(axis=0)
                sums[a, b] = sums.get((a, b), 0) + every - same
    return sums


def _kron(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kronecker products of two stacks of matrices."""
    if a.shape[-1] == 1:
        return a * b
    g, r, s = a.shape
    return (a[:, :, None, :, None] * b[:, None, :, None, :]).reshape(g, r * r, s * s)
