"""Many estimates with known sampling variances: their mean and how it varies, by restricted maximum likelihood.

y = Xβ + Σ Z_l u_l + e, u_l ~ N(0, τ_l²), e ~ N(0, S) with S known. Robust variances: CR2 (Pustejovsky & Tipton 2018,
2022) by study, with V̂ as the working covariance and Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

#: A variance component below this share of the typical sampling variance is 0.
_NOTHING = 1e-8


@dataclass(frozen=True, eq=False)
class Pooled:
    """The fitted model.

    Attributes
    ----------
    beta, covariance : numpy.ndarray
    tau2 : numpy.ndarray
        The variance of each level.
    log_likelihood : float
        Restricted, with its constants as metafor has them.
    V : numpy.ndarray
        Covariance of y.
    typical : float
        Typical sampling variance (Higgins & Thompson 2002, in its general form).
    q : float
        Cochran's Q: weighted residual sum of squares without random effects.
    """

    X: np.ndarray
    y: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray
    tau2: np.ndarray
    log_likelihood: float
    V: np.ndarray
    typical: float
    q: float


def pool(y: np.ndarray, X: np.ndarray, S: np.ndarray, levels: list[np.ndarray]) -> Pooled:
    """Fit by REML; `levels` hold the group of each estimate at each level."""
    alike = [(codes[:, None] == codes).astype(float) for codes in levels]
    tau2 = _search(y, X, S, alike)
    V = _covariance(S, alike, tau2)
    inverse = np.linalg.inv(V)
    covariance = np.linalg.inv(X.T @ inverse @ X)
    beta = covariance @ (X.T @ inverse @ y)
    fixed = np.linalg.inv(S)
    P = fixed - fixed @ X @ np.linalg.inv(X.T @ fixed @ X) @ X.T @ fixed
    n, p = X.shape
    typical = (n - p) / float(np.trace(P)) if n > p else float("nan")
    likelihood = -_criterion(y, X, V) / 2 + np.linalg.slogdet(X.T @ X)[1] / 2
    return Pooled(X, y, beta, covariance, tau2, float(likelihood), V, typical, float(y @ P @ y))


def _covariance(S: np.ndarray, alike: list[np.ndarray], tau2: np.ndarray) -> np.ndarray:
    V = S.copy()
    for variance, together in zip(tau2, alike, strict=True):
        V += variance * together
    return V


def _criterion(y: np.ndarray, X: np.ndarray, V: np.ndarray) -> float:
    """Return -2 log restricted likelihood, log|X'X| left out."""
    n, p = X.shape
    try:
        root = np.linalg.cholesky(V)
    except np.linalg.LinAlgError:
        return 1e300
    white = np.linalg.solve(root, np.column_stack([X, y]))
    wx, wy = white[:, :-1], white[:, -1]
    q, r = np.linalg.qr(wx)
    rest = wy - q @ (q.T @ wy)
    logdet = 2 * np.log(np.diag(root)).sum() + 2 * np.log(np.abs(np.diag(r))).sum()
    return float((n - p) * np.log(2 * np.pi) + logdet + rest @ rest)


def _search(y: np.ndarray, X: np.ndarray, S: np.ndarray, alike: list[np.ndarray]) -> np.ndarray:
    """Minimise over the variances, with their gradient, from several starts; the ends of every search are "
    "compared."""
    if not alike:
        return np.array([])
    scale = float(np.mean(np.diag(S)))
    spread = float(np.var(y)) / scale

    def value(theta: np.ndarray) -> tuple[float, np.ndarray]:
        V = _covariance(S, alike, theta * scale)
        inverse = np.linalg.inv(V)
        meets = inverse @ X
        P = inverse - meets @ np.linalg.solve(X.T @ meets, meets.T)
        Py = P @ y
        slope = [scale * (np.sum(P * together) - Py @ together @ Py) for together in alike]
        return _criterion(y, X, V), np.array(slope)

    best, least = np.zeros(len(alike)), value(np.zeros(len(alike)))[0]
    for size in (0.1, 0.7):
        for one in (None, *range(len(alike))):
            start = np.full(len(alike), size * max(spread, 0.1) / len(alike))
            if one is not None:
                start[one] *= 3
            found = optimize.minimize(
                value,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=[(0, None)] * len(alike),
                options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
            )
            if found.fun < least - 1e-12:
                best, least = found.x, float(found.fun)
    return np.where(best < _NOTHING, 0.0, best) * scale


@dataclass(frozen=True, eq=False)
class Robust:
    """CR2 by cluster: covariance of β and what its degrees of freedom need."""

    covariance: np.ndarray
    df: np.ndarray


def robust(model: Pooled, clusters: np.ndarray) -> Robust:
    """Return CR2 standard errors' covariance and Satterthwaite's degrees of freedom of each coefficient.

    With V the working covariance and W its inverse, D_s the root of V_s = D_s D_s' and B_s = D_s'(V_s - X_s M
    X_s')D_s, A_s = D_s B_s^(-1/2) D_s'. A coefficient's variance is that of Σ g_s'e, and its degrees of freedom
    (Σ g_s'V g_s)² / ΣΣ (g_s'V g_t)².
    """
    n, p = model.X.shape
    W = np.linalg.inv(model.V)
    M = model.covariance
    rest = model.y - model.X @ model.beta
    keep = np.eye(n) - model.X @ M @ model.X.T @ W
    scores, directions = [], []
    for cluster in np.unique(clusters):
        here = clusters == cluster
        V, X = model.V[np.ix_(here, here)], model.X[here]
        D = np.linalg.cholesky(V)
        B = D.T @ (V - X @ M @ X.T) @ D
        values, vectors = np.linalg.eigh(B)
        kept = values > 1e-10 * max(float(np.abs(values).max()), float(np.trace(V)) ** 2 * 1e-10)
        root = (vectors * np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)) @ vectors.T
        onto = M @ X.T @ np.linalg.inv(V) @ (D @ root @ D.T)
        scores.append(onto @ rest[here])
        directions.append(onto @ keep[here])
    covariance = np.sum([np.outer(s, s) for s in scores], axis=0)
    df = []
    for j in range(p):
        G = np.array([d[j] for d in directions])
        between = G @ model.V @ G.T
        squares = float(np.sum(between**2))
        df.append(float(np.trace(between)) ** 2 / squares if squares > 0 else np.nan)
    return Robust(covariance, np.array(df))
