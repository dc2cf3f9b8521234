r"""Second derivatives of the criterion of crossed intercepts by the variances, and what tests of β make of them.

With :math:`G_i = Z_iZ_i'` and :math:`P = V^{-1} - V^{-1}X \Phi X'V^{-1}` the average of observed and expected second
derivatives is :math:`y'PG_iPG_jPy / \sigma^2` (Gilmour, Thompson & Cullis 1995, doi:10.2307/2533274) and costs one
solution per factor. The expected ones need the squares of all entries of :math:`Z_i'V^{-1}Z_j`, and with them the
whole inverse of the matrix of the factors that were not eliminated: they are refused beyond `MOST_LEVELS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.crossed_likelihood import CrossedProfile

#: Levels of the factors but the largest up to which the expected information is found: about a gigabyte.
MOST_LEVELS = 6000


@dataclass(frozen=True, eq=False)
class CrossedInformation:
    """What the second derivatives are made of, at one profile; parameters are the factors' ratios, in their order.

    Attributes
    ----------
    profile : CrossedProfile
    """

    profile: CrossedProfile

    @cached_property
    def first(self) -> np.ndarray:
        """A'V⁻¹G_iV⁻¹A with A = [X e], parameters by m by m."""
        return np.array([rows.T @ rows for rows in self._columns])

    @property
    def _columns(self) -> list[np.ndarray]:
        """Z'V⁻¹[X e] of each factor."""
        return [
            np.column_stack([a[:, :-1], e]) for a, e in zip(self.profile.rows, self.profile.residuals, strict=True)
        ]

    @cached_property
    def second(self) -> np.ndarray:
        """A'V⁻¹G_iV⁻¹G_jV⁻¹A with A = [X e], parameters by parameters by m by m."""
        return _second(self.profile, self._columns)

    @property
    def traces(self) -> np.ndarray:
        """tr(V⁻¹G_i)."""
        return self.profile.traces

    @cached_property
    def square_traces(self) -> np.ndarray:
        """tr(V⁻¹G_iV⁻¹G_j).

        Raises
        ------
        UnsupportedError
            Where the factors but the largest have more than `MOST_LEVELS` levels together.
        """
        levels = len(self.profile.root)
        if levels > MOST_LEVELS:
            raise UnsupportedError(
                Fault(
                    Text("方差参数的期望信息", "The expected information of the variances"),
                    Text(
                        f"除最大的因子外，各随机因子共有 {levels} 个水平，多于 {MOST_LEVELS} 个",
                        f"the random factors but the largest have {levels} levels together, more than {MOST_LEVELS}",
                    ),
                    Text(
                        "水平这样多时，正态近似的区间已足够准确",
                        "With so many levels intervals from the normal distribution are accurate",
                    ),
                )
            )
        return _square_traces(self.profile)

    @cached_property
    def expected(self) -> np.ndarray:
        """tr(PG_iPG_j), or tr(V⁻¹G_iV⁻¹G_j) by maximum likelihood: the expected curvature of the criterion."""
        if not self.profile.reml:
            return self.square_traces
        phi = self.profile.covariance
        weighted = phi @ self.first[:, :-1, :-1]
        return (
            self.square_traces
            - 2 * np.einsum("ab,ijba->ij", phi, self.second[:, :, :-1, :-1])
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
        """y'PG_iPG_jPy / σ² (Gilmour et al. 1995, equation 6)."""
        residuals = self.profile.residuals
        across = _second(self.profile, [r[:, None] for r in residuals])[:, :, 0, 0]
        fixed = np.array([rows[:, :-1].T @ r for rows, r in zip(self.profile.rows, residuals, strict=True)])
        return (across - fixed @ self.profile.covariance @ fixed.T) / self.profile.sigma2

    @cached_property
    def squares(self) -> np.ndarray:
        """y'PG_iPy / σ²."""
        return np.array([r @ r for r in self.profile.residuals]) / self.profile.sigma2

    @property
    def gradient(self) -> np.ndarray:
        """Derivatives of the profiled criterion."""
        return self.profile.gradient

    @cached_property
    def hessian(self) -> np.ndarray:
        """Second derivatives of the profiled criterion: twice the observed information with σ² taken out."""
        return 2 * self.average - self.expected - np.outer(self.squares, self.squares) / self.profile.df

    @cached_property
    def scoring(self) -> np.ndarray:
        """Averaged second derivatives with σ² taken out: never indefinite, so that its steps lead downhill."""
        return self.average - np.outer(self.squares, self.squares) / self.profile.df


def _second(profile: CrossedProfile, columns: list[np.ndarray]) -> np.ndarray:
    """Return u_i'Z_i'V⁻¹Z_ju_j for each two factors."""
    count, width = len(columns), columns[0].shape[1]
    spread = []
    for k, u in enumerate(columns):
        wide = np.zeros((len(u), count * width))
        wide[:, k * width : (k + 1) * width] = u
        spread.append(wide)
    across = profile.quadratic(tuple(spread))
    found = np.array([u.T @ a for u, a in zip(columns, across, strict=True)])
    found = found.reshape(count, width, count, width).swapaxes(1, 2)
    return (found + found.transpose(1, 0, 3, 2)) / 2


def _square_traces(profile: CrossedProfile) -> np.ndarray:
    """Squared lengths of Z_i'V⁻¹Z_j, from the whole S⁻¹ and C_rf diag(w) C_fr in its pattern.

    With S̃ = ΛS⁻¹Λ and F = C_rf D⁻² C_fr: for two of the others it is Λ⁻¹S⁻¹Λ⁻¹ but for the diagonal, for the
    eliminated factor and another D⁻¹C_fr ΛS⁻¹Λ⁻¹, for the eliminated one itself n/D - D⁻¹C_fr S̃ C_rf D⁻¹.
    """
    data, f = profile.data, profile.data.eliminated
    inverse = profile.factor.inverse()
    root = profile.root
    found = np.empty((len(data.sizes),) * 2)
    F = data.elimination.symmetric(data.elimination.products(profile.shrink[:, None] ** 2)[:, 0])
    scaled = inverse * root[:, None] * root
    product = (F.toarray() if profile.factor.pattern.whole else F) @ scaled
    shared = np.einsum("ab,ab->b", scaled, product) / np.maximum(root, 1e-300) ** 4
    lengths = np.square(inverse / root / root[:, None])
    np.fill_diagonal(lengths, profile.diagonal**2)
    for i, rows in zip(data.others, data.blocks, strict=True):
        found[f, i] = found[i, f] = shared[rows].sum()
        for j, columns in zip(data.others, data.blocks, strict=True):
            found[i, j] = lengths[rows, columns].sum()
    own = data.sizes[f] * profile.shrink
    e = data.elimination
    twice = np.where(e.rows == e.columns, 1.0, 2.0) * scaled[e.rows, e.columns]
    crossed = twice @ e.products((own * profile.shrink**2)[:, None])[:, 0]
    found[f, f] = own @ own - 2 * crossed + np.einsum("ab,ba->", product, product)
    return found


@dataclass(frozen=True, eq=False)
class VarianceTerms:
    """Information and Kenward-Roger's matrices by the variances themselves: each factor's, then the residual's.

    Attributes
    ----------
    average, expected, observed : numpy.ndarray
        Information, half the second derivatives of the criterion; Satterthwaite's method takes the observed one.
    P : numpy.ndarray
        -X'V⁻¹G_iV⁻¹X, parameters by p by p (Kenward & Roger 1997, doi:10.2307/2533558); V with its scale.
    Q : numpy.ndarray
        X'V⁻¹G_iV⁻¹G_jV⁻¹X, parameters by parameters by p by p.
    """

    average: np.ndarray
    expected: np.ndarray
    observed: np.ndarray
    P: np.ndarray
    Q: np.ndarray


def variance_terms(information: CrossedInformation) -> VarianceTerms:
    """Turn derivatives by ratios into those by variances, the residual's among them.

    Since Σ φ_i G_i = V, whatever holds the residual's G follows from the others': no trace of it is taken.
    """
    profile = information.profile
    sigma2 = profile.sigma2
    phi = sigma2 * profile.gamma
    first, second = information.first, information.second
    P = _completed(-first[:, :-1, :-1] / sigma2**2, -profile.information / sigma2, phi, sigma2)
    Q = _completed_twice(second[:, :, :-1, :-1] / sigma2**3, -P, phi, sigma2)
    squares = np.append(information.squares / sigma2, 0.0)
    squares[-1] = (profile.df - phi @ squares[:-1]) / sigma2
    average = _completed_twice(information.average / sigma2**2, squares, phi, sigma2) / 2
    traces = np.append(information.traces / sigma2, 0.0)
    traces[-1] = (profile.data.n - phi @ traces[:-1]) / sigma2
    expected = _completed_twice(information.square_traces / sigma2**2, traces, phi, sigma2) / 2
    if profile.reml:
        covariance = sigma2 * profile.covariance
        weighted = covariance @ P
        expected -= np.einsum("ab,ijba->ij", covariance, Q)
        expected += np.einsum("iab,jba->ij", weighted, weighted) / 2
    return VarianceTerms(average, expected, 2 * average - expected, P, Q)


def _completed(terms: np.ndarray, total: np.ndarray, phi: np.ndarray, sigma2: float) -> np.ndarray:
    """Add the residual's term to those of the factors, given Σ φ_i term_i."""
    return np.concatenate([terms, ((total - np.tensordot(phi, terms, 1)) / sigma2)[None]])


def _completed_twice(terms: np.ndarray, totals: np.ndarray, phi: np.ndarray, sigma2: float) -> np.ndarray:
    """Add the residual's row and column, given Σ_j φ_j term_ij for every parameter."""
    rows = np.array([_completed(own, total, phi, sigma2) for own, total in zip(terms, totals, strict=False)])
    last = np.swapaxes(rows[:, -1], -1, -2) if rows.ndim == 4 else rows[:, -1]
    corner = _completed(last, totals[-1], phi, sigma2)
    return np.concatenate([rows, corner[None]])
