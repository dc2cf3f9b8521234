r"""The likelihood of a model with crossed random intercepts, from sums by level and counts of pairs.

With :math:`V = W^{-1} + \sum_k \gamma_k Z_k Z_k'`, :math:`\gamma_k` the variance of factor k relative to the
residual's, the factor with the most levels (f) is eliminated first. Its levels weigh :math:`1/D`,
:math:`D = 1 + \gamma_f n`, and what is left for the levels of the others (r) is

.. math:: N = C_{rr} - C_{rf}\, \mathrm{diag}(\gamma_f / D)\, C_{fr}, \qquad S = I + \Lambda N \Lambda,

with C = Z'WZ and :math:`\Lambda^2` the others' ratios; then log|V| = Σ log D + log|S| - Σ log w, and
:math:`Z_r'V^{-1}A = \Lambda^{-1} S^{-1} \Lambda h` with h the same at :math:`\Lambda = 0`. Traces need the inverse of
S at the entries of N only, since :math:`Z_r'V^{-1}Z_r = \Lambda^{-1} S^{-1} \Lambda N`.

Sources: the profiled criterion is that of Bates et al. (2015), equations 34 and 42, doi:10.18637/jss.v067.i01; the
matrix of the others is the Schur complement of their equation 54's; the search is by average information, Gilmour,
Thompson & Cullis (1995), doi:10.2307/2533274.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.multilevel.crossed_moments import CrossedMoments
from htresearch.multilevel.selected_inverse import Factor

#: What stands for a ratio of 0 in Λ. It is far below rounding beside the 1 of S's diagonal, and every quantity above
#: is a quotient in which it cancels: the limits at 0, gradient included, come out to the last digit.
_ZERO = 1e-20


@dataclass(frozen=True, eq=False)
class CrossedProfile:
    """The criterion at given variance ratios, with all that follows from them.

    The fixed effects and the residual variance stand at their best values given the ratios, so that the criterion is
    a function of the ratios alone.

    Attributes
    ----------
    data : CrossedMoments
    gamma : numpy.ndarray
        Variance of each factor relative to the residual's.
    reml : bool
        Restricted likelihood or likelihood.
    """

    data: CrossedMoments
    gamma: np.ndarray
    reml: bool

    @cached_property
    def shrink(self) -> np.ndarray:
        """1/D of each level of the eliminated factor."""
        f = self.data.eliminated
        return 1 / (1 + self.gamma[f] * self.data.sizes[f])

    @cached_property
    def root(self) -> np.ndarray:
        """Λ of each level of the others."""
        ratios = np.sqrt(np.maximum(self.gamma, _ZERO))
        return np.concatenate([np.empty(0), *(np.full(len(self.data.sizes[k]), ratios[k]) for k in self.data.others)])

    @cached_property
    def _schur(self) -> tuple[np.ndarray, np.ndarray]:
        """N and C_rf D⁻² C_fr at the entries."""
        weights = np.column_stack([self.gamma[self.data.eliminated] * self.shrink, self.shrink**2])
        elimination = self.data.elimination
        products = elimination.products(weights)
        return elimination.among - products[:, 0], products[:, 1]

    @cached_property
    def factor(self) -> Factor:
        """S, eliminated."""
        e = self.data.elimination
        values = self.root[e.rows] * self.root[e.columns] * self._schur[0] + (e.rows == e.columns)
        return Factor(e.pattern, values)

    def _left(self, eliminated: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Turn Z'Wv into what is left of it for the others' levels: h."""
        weight = self.gamma[self.data.eliminated] * self.shrink
        return others - self.data.joint.T @ (weight[:, None] * eliminated)

    def against(self, eliminated: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn Z'Wv into Z'V⁻¹v, for the eliminated factor and the others; with it the others' γZ'V⁻¹v."""
        scaled = self.factor.solve(self.root[:, None] * self._left(eliminated, others))
        weighted = self.root[:, None] * scaled
        return self.shrink[:, None] * (eliminated - self.data.joint @ weighted), scaled / self.root[:, None], weighted

    @cached_property
    def _projected(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.against(*self.stacked(self.data.sums))

    def stacked(self, values: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Take values by factor apart into the eliminated factor's and the others', one after another."""
        own = values[self.data.eliminated]
        return own, np.concatenate([own[:0], *(values[k] for k in self.data.others)])

    def by_factor(self, eliminated: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, ...]:
        """Hand values of all levels out to the factors, in their own order."""
        found = [eliminated] * len(self.gamma)
        for k, block in zip(self.data.others, self.data.blocks, strict=True):
            found[k] = others[block]
        return tuple(found)

    @cached_property
    def rows(self) -> tuple[np.ndarray, ...]:
        """Z'V⁻¹A of each factor."""
        return self.by_factor(*self._projected[:2])

    @cached_property
    def weighted(self) -> np.ndarray:
        """A'V⁻¹A."""
        total, others = self.stacked(self.data.sums)
        size = self.data.sizes[self.data.eliminated]
        # About the means of the eliminated factor, so that a large variance of it costs no digits.
        between = (total * (self.shrink / np.maximum(size, 1e-300))[:, None]).T @ total
        h = self._left(total, others)
        value = self.data.within + between - h.T @ self._projected[2]
        return (value + value.T) / 2

    @cached_property
    def log_det(self) -> float:
        """log|V|."""
        return -float(np.log(self.shrink).sum()) + self.factor.log_det - self.data.log_weights

    @property
    def information(self) -> np.ndarray:
        """X'V⁻¹X."""
        return self.weighted[:-1, :-1]

    @cached_property
    def covariance(self) -> np.ndarray:
        """(X'V⁻¹X)⁻¹, the covariance of the fixed effects relative to the residual variance."""
        return np.linalg.inv(self.information)

    @cached_property
    def beta(self) -> np.ndarray:
        """Fixed effects, generalised least squares."""
        return np.linalg.solve(self.information, self.weighted[:-1, -1])

    @cached_property
    def rss(self) -> float:
        """(y - Xβ)'V⁻¹(y - Xβ)."""
        return float(self.weighted[-1, -1] - self.weighted[-1, :-1] @ self.beta)

    @property
    def df(self) -> int:
        """What the residual sum is divided by."""
        return self.data.n - len(self.beta) if self.reml else self.data.n

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return self.rss / self.df

    @cached_property
    def criterion(self) -> float:
        """-2 log (restricted) likelihood, with all constants (Bates et al. 2015, equations 34 and 42)."""
        if self.sigma2 <= 0:  # rounding, where the factors leave nothing of y
            return np.inf
        value = self.log_det + self.df * (1 + np.log(2 * np.pi * self.sigma2))
        if self.reml:
            value += np.linalg.slogdet(self.information)[1]
        return float(value)

    @cached_property
    def diagonal(self) -> np.ndarray:
        """The diagonal of Z_r'V⁻¹Z_r = Λ⁻¹S⁻¹ΛN, without a difference of near equals."""
        e = self.data.elimination
        value = self.factor.selected * self._schur[0]
        ratio = self.root[e.columns] / self.root[e.rows]
        off = e.rows != e.columns
        lower = np.bincount(e.rows, value * ratio, len(self.root))
        return lower + np.bincount(e.columns[off], (value / ratio)[off], len(self.root))

    @cached_property
    def traces(self) -> np.ndarray:
        """tr(Z'V⁻¹Z) of each factor."""
        e = self.data.elimination
        twice = np.where(e.rows == e.columns, 1.0, 2.0) * self.root[e.rows] * self.root[e.columns]
        own = self.data.sizes[self.data.eliminated] @ self.shrink - (twice * self.factor.selected) @ self._schur[1]
        return np.array([block.sum() for block in self.by_factor(np.array([own]), self.diagonal)])

    @cached_property
    def residuals(self) -> tuple[np.ndarray, ...]:
        """Z'V⁻¹(y - Xβ) of each factor."""
        return tuple(rows[:, -1] - rows[:, :-1] @ self.beta for rows in self.rows)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Derivative of the criterion by each variance ratio; valid at 0 too."""
        slopes = self.traces - np.array([r @ r for r in self.residuals]) / self.sigma2
        if self.reml:
            slopes -= [np.sum(self.covariance * (rows[:, :-1].T @ rows[:, :-1])) for rows in self.rows]
        return slopes

    def quadratic(self, vectors: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """Return Z'V⁻¹ Σ Z_k u_k of each factor, with a matrix u_k per factor."""
        own, others = self.stacked(vectors)
        size = self.data.sizes[self.data.eliminated]
        onto = size[:, None] * own + self.data.joint @ others
        return self.by_factor(*self.against(onto, self.data.joint.T @ own + self.data.among @ others)[:2])

    def blups(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """For each factor the predicted effects and their standard deviations given the data and β."""
        e = self.data.elimination
        on = e.rows == e.columns
        inverse = np.empty(len(self.root))
        inverse[e.rows[on]] = self.factor.selected[on]
        kept = self.by_factor(self.shrink + self._pulled(), inverse)
        return tuple(
            (gamma * r, np.sqrt(np.maximum(self.sigma2 * gamma * part, 0)))
            for gamma, r, part in zip(self.gamma, self.residuals, kept, strict=True)
        )

    def _pulled(self) -> np.ndarray:
        """What the others' effects, being estimated, add to the eliminated factor's: the diagonal of γD⁻¹C S⁻¹ C'D⁻¹.

        Level by level it is the inverse of S at the pairs that the level saw, so the map of pairs serves again.
        """
        e = self.data.elimination
        scaled = self.factor.selected * self.root[e.rows] * self.root[e.columns]
        return self.gamma[self.data.eliminated] * self.shrink**2 * e.quadratic(scaled)
