"""The same quantities from whole matrices, with the formulas as the books print them: slow and plain."""

from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import minimize


def indicators(codes):
    return np.eye(codes.max() + 1)[codes]


def covariance(codes, gamma):
    return np.eye(len(codes[0])) + sum(g * indicators(c) @ indicators(c).T for g, c in zip(gamma, codes, strict=True))


def criterion(X, y, codes, gamma, reml):
    """-2 log (restricted) likelihood at V = σ²(I + Σ γ Z Z'), σ² and β at their best."""
    V = covariance(codes, gamma)
    inverse = np.linalg.inv(V)
    beta = np.linalg.solve(X.T @ inverse @ X, X.T @ inverse @ y)
    e = y - X @ beta
    df = len(y) - X.shape[1] if reml else len(y)
    sigma2 = e @ inverse @ e / df
    value = len(y) * np.log(2 * np.pi * sigma2) + np.linalg.slogdet(V)[1] + df
    if reml:
        information = X.T @ inverse @ X / sigma2
        value += np.linalg.slogdet(information)[1] - X.shape[1] * np.log(2 * np.pi)
    return value


def estimates(X, y, codes, gamma, reml):
    """β, its covariance, σ², and for each level the BLUPs and their conditional standard deviations."""
    V = covariance(codes, gamma)
    inverse = np.linalg.inv(V)
    unscaled = np.linalg.inv(X.T @ inverse @ X)
    beta = unscaled @ X.T @ inverse @ y
    e = y - X @ beta
    sigma2 = e @ inverse @ e / (len(y) - X.shape[1] * reml)
    Z = np.hstack([indicators(c) for c in codes])
    G = np.diag(np.repeat(gamma, [c.max() + 1 for c in codes]))
    blups = G @ Z.T @ inverse @ e
    spread = np.sqrt(sigma2 * np.diag(G - G @ Z.T @ inverse @ Z @ G))
    ends = np.cumsum([c.max() + 1 for c in codes])[:-1]
    return beta, sigma2 * unscaled, sigma2, np.split(blups, ends), np.split(spread, ends)


def nested_frame(seed=1, schools=6, depth=2, deviations=(2.0, 1.5), sigma=1.0):
    """Unbalanced rows in groups in groups: school, class, pair; two covariates, one constant within schools."""
    rng = np.random.default_rng(seed)
    names = ("school", "class", "pair")[:depth]
    rows = [{"school": s} for s in range(schools)]
    for name in names[1:]:
        rows = [{**row, name: k} for row in rows for k in range(rng.integers(2, 5))]
    rows = [row for row in rows for _ in range(rng.integers(1, 6))]
    frame = pd.DataFrame(rows)
    frame["x"] = rng.normal(50, 2, len(frame))
    frame["size"] = rng.normal(0, 1, schools)[frame["school"]]
    frame["y"] = 3 + 0.5 * frame["x"] + frame["size"] + rng.normal(0, sigma, len(frame))
    for i, deviation in enumerate(deviations[:depth]):
        codes = frame.groupby(list(names[: i + 1])).ngroup()
        frame["y"] += rng.normal(0, deviation, codes.max() + 1)[codes]
    return frame


def codes_of(frame, names):
    return tuple(frame.groupby(list(names[: i + 1])).ngroup().to_numpy() for i in range(len(names)))


# -- random slopes: Z of a term is the row-wise product of group indicators and columns ------------------------------


def term_matrices(codes, terms, U):
    """For each term (level, columns of U) the matrix Z, group by group."""
    return [np.hstack([U[:, list(columns)] * g[:, None] for g in indicators(codes[k]).T]) for k, columns in terms]


def relative_covariance(codes, terms, U, covariances, weights=None):
    """V = W⁻¹ + Σ Z (I ⊗ Γ) Z'."""
    n = len(U)
    V = np.eye(n) if weights is None else np.diag(1 / weights)
    for Z, gamma in zip(term_matrices(codes, terms, U), covariances, strict=True):
        V = V + Z @ np.kron(np.eye(Z.shape[1] // len(gamma)), gamma) @ Z.T
    return V


def derivatives(codes, terms, U):
    """The matrices G_i of V = W⁻¹ + Σ γ_i G_i, entries of the lower triangles, term by term."""
    found = []
    for Z, (_, columns) in zip(term_matrices(codes, terms, U), terms, strict=True):
        r = len(columns)
        for a in range(r):
            for b in range(a + 1):
                E = np.zeros((r, r))
                E[a, b] = E[b, a] = 1
                found.append(Z @ np.kron(np.eye(Z.shape[1] // r), E) @ Z.T)
    return found


def deviance(X, y, V, reml):
    """-2 log (restricted) likelihood at V relative to σ²."""
    inverse = np.linalg.inv(V)
    information = X.T @ inverse @ X
    e = y - X @ np.linalg.solve(information, X.T @ inverse @ y)
    df = len(y) - X.shape[1] if reml else len(y)
    value = np.linalg.slogdet(V)[1] + df * (1 + np.log(2 * np.pi * (e @ inverse @ e) / df))
    return value + (np.linalg.slogdet(information)[1] if reml else 0)


# -- CR2 -------------------------------------------------------------------------------------------------------------


def root(matrix, power):
    """A power of a symmetric matrix, 0 where it has none."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-10 * values[-1]
    return (vectors[:, kept] * values[kept] ** power) @ vectors[:, kept].T


def cr2(V, X, clusters):
    """For each cluster w with w'y = ΦX'V⁻¹A(y - Xβ), by rows (Pustejovsky & Tipton 2018)."""
    inverse = np.linalg.inv(V)
    phi = np.linalg.inv(X.T @ inverse @ X)
    keep = np.eye(len(V)) - X @ phi @ X.T @ inverse
    found = []
    for s in np.unique(clusters):
        rows = np.flatnonzero(clusters == s)
        D = np.linalg.cholesky(V[np.ix_(rows, rows)]).T
        B = D @ keep[rows] @ V @ keep[rows].T @ D.T
        A = D.T @ root(B, -0.5) @ D
        found.append(keep[rows].T @ A @ np.linalg.inv(V[np.ix_(rows, rows)]) @ X[rows] @ phi)
    return found


# -- the likelihood searched, over factors of the covariances --------------------------------------------------------


class Likelihood:
    """-2 log (restricted) likelihood of a design with nested or crossed terms, by the factors L of Γ = K L L' K'.

    K makes the columns of each term orthonormal over the rows; without it the search would crawl along the valley in
    which an intercept and the slope of a column far from 0 trade places.
    """

    def __init__(self, X, y, codes, terms, U, weights, reml):
        self.X, self.y, self.reml = X, y, reml
        self.base = np.eye(len(y)) if weights is None else np.diag(1 / weights)
        moments = [U[:, list(columns)].T @ U[:, list(columns)] / len(y) for _, columns in terms]
        self.scales = [np.linalg.inv(np.linalg.cholesky(moment)).T for moment in moments]
        self.Z = [
            (Z.reshape(len(y), -1, len(K)) @ K).reshape(len(y), -1)
            for Z, K in zip(term_matrices(codes, terms, U), self.scales, strict=True)
        ]
        self.entries = [np.tril_indices(len(K)) for K in self.scales]

    def factors(self, theta):
        found, at = [], 0
        for K, entries in zip(self.scales, self.entries, strict=True):
            L = np.zeros(K.shape)
            L[entries] = theta[at : at + len(entries[0])]
            at += len(entries[0])
            found.append(L)
        return found

    def theta(self, factors):
        return np.concatenate([L[entries] for L, entries in zip(factors, self.entries, strict=True)])

    def at(self, theta):
        return Point(self, self.factors(theta))

    def raw(self, covariances):
        """The point at covariances in the units of the columns, relative to σ²."""
        inner = [np.linalg.solve(K, np.linalg.solve(K, C).T) for K, C in zip(self.scales, covariances, strict=True)]
        return Point(self, [(v * np.sqrt(np.maximum(w, 0))) for w, v in map(np.linalg.eigh, inner)])

    def descend(self, theta):
        """The end of a quasi-Newton search."""

        def evaluate(theta):
            point = self.at(theta)
            return point.criterion, self.theta(point.gradient)

        return self.at(minimize(evaluate, theta, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 1000}).x)


class Point:
    """What the likelihood is at given factors."""

    def __init__(self, model, factors):
        self.model, self.factors = model, factors
        self.V = model.base.copy()
        for Z, L in zip(model.Z, factors, strict=True):
            ZL = (Z.reshape(len(Z), -1, len(L)) @ L).reshape(len(Z), -1)
            self.V += ZL @ ZL.T
        self.inverse = np.linalg.inv(self.V)
        weighted = self.inverse @ model.X
        self.phi = np.linalg.inv(model.X.T @ weighted)
        self.beta = self.phi @ (weighted.T @ model.y)
        self.P = self.inverse - weighted @ self.phi @ weighted.T
        self.df = len(model.y) - model.X.shape[1] * model.reml
        self.sigma2 = (model.y - model.X @ self.beta) @ self.inverse @ (model.y - model.X @ self.beta) / self.df

    @cached_property
    def criterion(self):
        value = np.linalg.slogdet(self.V)[1] + self.df * (1 + np.log(2 * np.pi * self.sigma2))
        return value - self.model.reml * np.linalg.slogdet(self.phi)[1]

    @property
    def std_error(self):
        return np.sqrt(self.sigma2 * np.diag(self.phi))

    @property
    def gradient(self):
        """For each term the criterion's derivatives by L."""
        Py = self.P @ self.model.y
        middle = (self.P if self.model.reml else self.inverse) - np.outer(Py, Py) / self.sigma2
        found = []
        for Z, L in zip(self.model.Z, self.factors, strict=True):
            apart = Z.reshape(len(Z), -1, len(L))
            product = (middle @ Z).reshape(apart.shape)
            found.append(2 * np.tensordot(apart, product, axes=([0, 1], [0, 1])) @ L)
        return found

    @property
    def smallest(self):
        """The smallest variance of any direction of any term, relative to σ²."""
        return min(np.linalg.svd(L, compute_uv=False)[-1] ** 2 for L in self.factors)
