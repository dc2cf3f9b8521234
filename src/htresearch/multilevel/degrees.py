r"""Standard errors and degrees of freedom of contrasts of the fixed effects, from cross-products alone.

Every way of inference gives a covariance matrix of the fixed effects, degrees of freedom for single contrasts and an
F test for several; `robust` has one more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from htresearch.multilevel.reml import Solution


@dataclass(frozen=True)
class JointTest:
    """An F test.

    Attributes
    ----------
    statistic : float
    df_numerator, df_denominator : float
    """

    statistic: float
    df_numerator: float
    df_denominator: float

    @property
    def p_value(self) -> float:
        """Of F, or of χ² where the denominator's degrees of freedom are infinite."""
        if np.isinf(self.df_denominator):
            return float(stats.chi2.sf(self.statistic * self.df_numerator, self.df_numerator))
        return float(stats.f.sf(self.statistic, self.df_numerator, self.df_denominator))


@dataclass(frozen=True, eq=False)
class Normal:
    """Degrees of freedom taken as infinite: the variances count as known."""

    solution: Solution

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the fixed effects."""
        return self.solution.covariance

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of each row of `contrasts`."""
        return np.full(len(contrasts), np.inf)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Test that all rows of `contrasts`, times the coefficients, are 0."""
        return JointTest(wald(self.solution.beta, self.covariance, contrasts), len(contrasts), np.inf)


@dataclass(frozen=True, eq=False)
class Satterthwaite(Normal):
    r"""Degrees of freedom from the observed information of the variances.

    :math:`\nu = 2 f^2 / (g'Ag)` with f the variance of a contrast, g its derivatives by the variances and A their
    covariance, twice the inverse of the criterion's second derivatives (Giesbrecht & Burns 1985,
    doi:10.2307/2530872; several contrasts: Fai & Cornelius 1996, doi:10.1080/00949659608811740). Variances at their
    boundary count as known there.
    """

    @cached_property
    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """The covariance of the free variances and log σ², and what turns parameters into them."""
        optimum = self.solution.optimum
        info, jacobian = optimum.information, optimum.tangent.jacobian
        free = jacobian.shape[1]
        second = np.empty((free + 1, free + 1))
        second[:free, :free] = jacobian.T @ info.observed @ jacobian + optimum.tangent.bend
        second[free, :free] = second[:free, free] = jacobian.T @ info.squares
        second[free, free] = optimum.profile.df
        return 2 * np.linalg.pinv(second, hermitian=True), jacobian

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of each row of `contrasts`."""
        optimum = self.solution.optimum
        spread, jacobian = self.variances
        rows = contrasts @ self.solution.coordinates.onto @ optimum.profile.covariance
        variance = np.einsum("ci,ij,cj->c", rows, optimum.profile.weighted[:-1, :-1], rows)
        slopes = np.einsum("ca,iab,cb->ci", rows, optimum.information.first[:, :-1, :-1], rows)
        gradient = np.column_stack([slopes @ jacobian, variance])
        return 2 * variance**2 / np.einsum("ci,ij,cj->c", gradient, spread, gradient)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Test all rows at once: independent contrasts, each with its own degrees of freedom (Fai & Cornelius)."""
        covariance = contrasts @ self.covariance @ contrasts.T
        vectors = np.linalg.eigh(covariance)[1]
        df = self.df(vectors.T @ contrasts)
        q = len(df)
        total = np.sum(df[df > 2] / (df[df > 2] - 2))
        several = 2 * total / (total - q) if total > q else 2.0
        denominator = df[0] if q == 1 else several
        return JointTest(wald(self.solution.beta, self.covariance, contrasts), q, float(denominator))


@dataclass(frozen=True, eq=False)
class KenwardRoger(Normal):
    """Standard errors that count the estimated variances, and F tests scaled to fit (Kenward & Roger 1997).

    The information of the variances is the expected one, all of them counted, as in pbkrtest. Equations are those of
    the paper, doi:10.2307/2533558.
    """

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X'V⁻¹G_iV⁻¹X, X'V⁻¹G_iV⁻¹G_jV⁻¹X and tr(V⁻¹G_iV⁻¹G_j), the residual's G₀ last.

        As V = G₀ + Σ γ_i G_i, what belongs to the residual follows from the rest.
        """
        optimum = self.solution.optimum
        info, gamma = optimum.information, optimum.structure.joined(optimum.covariances)
        first, second = info.first[:, :-1, :-1], info.second[:, :, :-1, :-1]
        q, p = first.shape[:2]
        one, two, squares = np.empty((q + 1, p, p)), np.empty((q + 1, q + 1, p, p)), np.empty((q + 1, q + 1))
        one[:q], two[:q, :q], squares[:q, :q] = first, second, info.square_traces
        one[q] = optimum.profile.weighted[:-1, :-1] - np.tensordot(gamma, first, 1)
        two[q, :q] = first - np.tensordot(gamma, second, 1)
        two[:q, q] = np.swapaxes(two[q, :q], 1, 2)
        two[q, q] = one[q] - np.tensordot(gamma, two[:q, q], 1)
        squares[q, :q] = squares[:q, q] = info.traces - gamma @ info.square_traces
        squares[q, q] = optimum.data.n - gamma @ info.traces - gamma @ squares[:q, q]
        return one, two, squares

    @cached_property
    def _information_inverse(self) -> np.ndarray:
        """W, the covariance of the variances (equation 3 of the paper), relative to σ⁴."""
        one, two, squares = self._parts
        phi = self.solution.optimum.profile.covariance
        weighted = phi @ one
        information = (
            squares - 2 * np.einsum("ab,ijba->ij", phi, two) + np.einsum("iab,jba->ij", weighted, weighted)
        ) / 2
        return np.linalg.pinv(information, hermitian=True)

    @cached_property
    def _adjusted(self) -> np.ndarray:
        """Φ_A = Φ + 2Λ in the search's coordinates, relative to σ²."""
        one, two, _ = self._parts
        phi, W = self.solution.optimum.profile.covariance, self._information_inverse
        inner = np.einsum("ij,ijab->ab", W, two) - np.einsum("ij,iab,bc,jcd->ad", W, one, phi, one, optimize=True)
        return phi + 2 * phi @ inner @ phi

    @cached_property
    def covariance(self) -> np.ndarray:
        """Adjusted covariance of the fixed effects."""
        onto = self.solution.coordinates.onto
        return self.solution.sigma2 * onto @ self._adjusted @ onto.T

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return the degrees of freedom of each row of `contrasts`.

        With one contrast A₁ = A₂ = t'Wt, t the derivatives of the log of its variance, and the paper's section 3
        comes down to λ = 1 and m = 2 / A₁.
        """
        one, W = self._parts[0], self._information_inverse
        rows = contrasts @ self.solution.coordinates.onto
        turned = rows @ self.solution.optimum.profile.covariance
        slopes = np.sum((turned @ one) * turned, axis=2) / np.sum(turned * rows, axis=1)
        return 2 / np.sum(slopes * (W @ slopes), axis=0)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Test all rows at once."""
        df, scale = self._scaled(contrasts)
        statistic = scale * wald(self.solution.beta, self.covariance, contrasts)
        return JointTest(statistic, len(contrasts), df)

    def _scaled(self, contrasts: np.ndarray) -> tuple[float, float]:
        """Return m and λ of the F test (section 3 of the paper)."""
        one, W = self._parts[0], self._information_inverse
        phi = self.solution.optimum.profile.covariance
        rows = contrasts @ self.solution.coordinates.onto
        q = len(rows)
        theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
        turned = theta @ phi @ one @ phi
        traces = np.einsum("iaa->i", turned)
        a1 = traces @ W @ traces
        a2 = np.einsum("ij,iab,jba->", W, turned, turned, optimize=True)
        b = (a1 + 6 * a2) / (2 * q)
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        below = 3 * q + 2 * (1 - g)
        c1, c2, c3 = g / below, (q - g) / below, (q + 2 - g) / below
        shift = 1 - a2 / q
        # V*/(2E*²); where 1 - A₂/q vanishes so does 1 - c₂B, and their ratio is 1.
        ratio = 1.0 if abs(shift) < 1e-14 else shift / (1 - c2 * b)
        rho = ratio**2 * (1 + c1 * b) / (1 - c3 * b) / q
        df = 4 + (q + 2) / (q * rho - 1)
        return float(df), float(df * shift / (df - 2))


def wald(beta: np.ndarray, covariance: np.ndarray, contrasts: np.ndarray) -> float:
    """Return the Wald statistic of contrasts divided by their number."""
    value = contrasts @ beta
    return float(value @ np.linalg.solve(contrasts @ covariance @ contrasts.T, value)) / len(contrasts)
