r"""The likelihood of a model with crossed random effects, from sums by level and by pairs of levels.

With :math:`V = W^{-1} + \sum_k Z_k (I \otimes \Gamma_k) Z_k'`, :math:`\Gamma_k` the covariance of factor k's effects
relative to the residual variance, the factor with the most effects (f) is eliminated first. Its levels have

.. math:: F = (I + M \Gamma_f)^{-1}, \quad T = \Gamma_f F, \quad M = Z_f'WZ_f,

level by level, and what is left for the effects of the others (r) is

.. math:: N = C_{rr} - \sum_g C_g' T_g C_g, \qquad S = I + \Lambda N \Lambda,

with C = Z'WZ. The columns of each of the others are turned so that their covariances, :math:`\Lambda^2`, are
diagonal. Then log|V| = Σ log|I + MΓ| + log|S| - Σ log w, and :math:`Z_r'V^{-1}A = \Lambda^{-1} S^{-1} \Lambda h` with
h the same at :math:`\Lambda = 0`. Traces need the inverse of S at the entries of N only: :math:`Z_r'V^{-1}Z_r`
is :math:`\Lambda^{-1} S^{-1} \Lambda N`, and off the diagonal :math:`-\Lambda^{-1} S^{-1} \Lambda^{-1}`.

Sources: the profiled criterion is that of Bates et al. (2015), equations 34 and 42, doi:10.18637/jss.v067.i01; the
matrix of the others is the Schur complement of their equation 54's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from htresearch.multilevel.crossed_information import CrossedInformation
from htresearch.multilevel.crossproducts import times
from htresearch.multilevel.information import Direction
from htresearch.multilevel.likelihood import Profiled, identity_plus, inverted, log_determinants
from htresearch.multilevel.selected_inverse import Factor

if TYPE_CHECKING:
    from htresearch.multilevel.crossed_moments import CrossedMoments

#: What stands for a variance of 0 in Λ². It is far below rounding beside the 1 of S's diagonal, and every quantity
#: above is a quotient in which it cancels: the limits at 0, gradient included, come out to the last digit.
_ZERO = 1e-20


@dataclass(frozen=True, eq=False)
class CrossedProfile(Profiled):
    """The criterion at given variances, with all that follows from them.

    Attributes
    ----------
    data : CrossedMoments
    gammas : tuple of numpy.ndarray
        For each factor the covariance of its effects relative to the residual variance.
    reml : bool
        Restricted likelihood or likelihood.
    """

    data: CrossedMoments
    gammas: tuple[np.ndarray, ...]
    reml: bool

    # -- the eliminated factor ---------------------------------------------------------------------------------------

    @property
    def _gamma(self) -> np.ndarray:
        return self.gammas[self.data.eliminated]

    @property
    def _gram(self) -> np.ndarray:
        return self.data.grams[self.data.eliminated]

    @cached_property
    def shrink(self) -> np.ndarray:
        """F of each level of the eliminated factor."""
        return inverted(identity_plus(times(self._gram, self._gamma)))

    @cached_property
    def own(self) -> np.ndarray:
        """FM of each level: what the blocks of Z_f'V⁻¹Z_f would be without the others."""
        return times(self.shrink, self._gram)

    @cached_property
    def _weight(self) -> np.ndarray:
        """T of each level."""
        weight = times(np.broadcast_to(self._gamma, self.shrink.shape), self.shrink)
        return (weight + np.swapaxes(weight, 1, 2)) / 2

    # -- the others --------------------------------------------------------------------------------------------------

    @cached_property
    def turns(self) -> tuple[np.ndarray, ...]:
        """For each of the others the orthogonal matrix that makes its covariance diagonal."""
        return tuple(vectors for _, vectors in self._spectra)

    @cached_property
    def _spectra(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [np.linalg.eigh(self.gammas[k]) for k in self.data.others]

    @cached_property
    def root(self) -> np.ndarray:
        """Λ of each effect of the others."""
        levels = [len(self.data.grams[k]) for k in self.data.others]
        roots = [np.sqrt(np.maximum(values, _ZERO)) for values, _ in self._spectra]
        return np.concatenate([np.tile(root, count) for root, count in zip(roots, levels, strict=True)])

    def turned(self, effects: np.ndarray, back: bool = False) -> np.ndarray:
        """Turn rows by effect of the others into the coordinates of Λ, or back."""
        if all(len(turn) == 1 for turn in self.turns):
            return effects
        found = np.empty_like(effects)
        for turn, block in zip(self.turns, self.data.blocks, strict=True):
            rows = effects[block].reshape(-1, len(turn), effects.shape[1])
            found[block] = ((turn if back else turn.T) @ rows).reshape(-1, effects.shape[1])
        return found

    def turned_entries(self, values: np.ndarray, back: bool = False) -> np.ndarray:
        """Turn a matrix of the others, given at the entries, into the coordinates of Λ, or back."""
        if all(len(turn) == 1 for turn in self.turns):
            return values
        found = values.copy()
        for k, j, places in self.data.elimination.meetings:
            left, right = (self.turns[i].T if back else self.turns[i] for i in (k, j))
            found[places] = left.T @ values[places] @ right
        return found

    @cached_property
    def schur(self) -> np.ndarray:
        """N at the entries."""
        elimination = self.data.elimination
        return self.turned_entries(elimination.among - elimination.products(self._weight))

    @cached_property
    def factor(self) -> Factor:
        """S, eliminated."""
        e = self.data.elimination
        return Factor(e.pattern, self.root[e.rows] * self.root[e.columns] * self.schur + (e.rows == e.columns))

    @cached_property
    def log_det(self) -> float:
        """log|V| + Σ log w."""
        return self.factor.log_det - log_determinants(self.shrink)

    # -- products with V⁻¹ -------------------------------------------------------------------------------------------

    def stacked(self, values: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Take values by factor apart into the eliminated factor's and the others', effect by effect."""
        width = values[0].shape[-1]
        return values[self.data.eliminated], np.concatenate([values[k].reshape(-1, width) for k in self.data.others])

    def _left(self, eliminated: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Turn Z'Wv into what is left of it for the others: h."""
        weighted = times(self._weight, eliminated).reshape(-1, others.shape[1])
        return self.turned(others - self.data.joint.T @ weighted)

    def _solved(self, eliminated: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn Z'Wv into Λh and S⁻¹Λh."""
        scaled = self.root[:, None] * self._left(eliminated, others)
        return scaled, self.factor.solve(scaled)

    def _rows(self, eliminated: np.ndarray, solved: np.ndarray) -> tuple[np.ndarray, ...]:
        """Turn Z'Wv of the eliminated factor and S⁻¹Λh into Z'V⁻¹v of each factor."""
        effects = self.data.joint @ self.turned(self.root[:, None] * solved, back=True)
        found = [times(self.shrink, eliminated - effects.reshape(eliminated.shape))] * len(self.gammas)
        rows = self.turned(solved / self.root[:, None], back=True)
        for k, block in zip(self.data.others, self.data.blocks, strict=True):
            found[k] = rows[block].reshape(len(self.data.grams[k]), -1, rows.shape[1])
        return tuple(found)

    def against(self, eliminated: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, ...]:
        """Turn Z'Wv, of the eliminated factor and of the others, into Z'V⁻¹v of each factor."""
        return self._rows(eliminated, self._solved(eliminated, others)[1])

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray]:
        return self._solved(*self.stacked(self.data.sums))

    @cached_property
    def weighted(self) -> np.ndarray:
        """A'V⁻¹A."""
        # About the eliminated factor's own effects, so that a large variance of it costs no digits.
        effects = self.data.effects
        m = effects.shape[-1]
        between = effects.reshape(-1, m).T @ times(self.own, effects).reshape(-1, m)
        value = self.data.within + between - self._sums[0].T @ self._sums[1]
        return (value + value.T) / 2

    @cached_property
    def projected(self) -> tuple[np.ndarray, ...]:
        """For each factor Z'V⁻¹[X e] by level, e = y - Xβ, levels by r by m."""
        own = self.data.sums[self.data.eliminated]
        return tuple(rows @ self.onto for rows in self._rows(own, self._sums[1]))

    # -- the blocks of Z'V⁻¹Z on its diagonal ------------------------------------------------------------------------

    @cached_property
    def diagonal(self) -> np.ndarray:
        """The diagonal of Λ⁻¹S⁻¹ΛN, without a difference of near equals."""
        e = self.data.elimination
        value = self.factor.selected * self.schur
        ratio = self.root[e.columns] / self.root[e.rows]
        off = e.rows != e.columns
        lower = np.bincount(e.rows, value * ratio, len(self.root))
        return lower + np.bincount(e.columns[off], (value / ratio)[off], len(self.root))

    @cached_property
    def diagonals(self) -> tuple[np.ndarray, ...]:
        """For each factor the blocks of Z'V⁻¹Z on its diagonal."""
        e = self.data.elimination
        scaled = self.turned_entries(self.factor.selected * self.root[e.rows] * self.root[e.columns], back=True)
        pulled = times(times(self.shrink, e.quadratic(scaled)), np.swapaxes(self.shrink, 1, 2))
        found = [self.own - pulled] * len(self.gammas)
        for k, block, turn in zip(self.data.others, self.data.blocks, self.turns, strict=True):
            r = len(turn)
            diagonal = self.diagonal[block].reshape(-1, r)
            if r == 1:
                found[k] = diagonal[:, :, None]
                continue
            effects = np.arange(block.start, block.stop).reshape(-1, r)
            rows, columns = effects[:, :, None], effects[:, None, :]
            own = -self.factor.selected[e.places(rows, columns)] / (self.root[rows] * self.root[columns])
            own[:, np.arange(r), np.arange(r)] = diagonal
            found[k] = turn @ own @ turn.T
        return tuple(found)

    def information(self, directions: tuple[Direction, ...]) -> CrossedInformation:
        """Return the second derivatives along these directions."""
        return CrossedInformation(self, directions)
