"""The between-case standardised mean difference from a multilevel model (Pustejovsky, Hedges & Shadish, 2014).

y_i = X_i β + Z_i u_i + e_i, u ~ N(0, Τ), e an autoregressive process of order 1 with variance σ² and correlation φ.
Estimated by restricted maximum likelihood; degrees of freedom from the expected information of (Τ, φ, σ²).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.singlecase.between_case_moments import Found
from htresearch.singlecase.cases import Case

#: Columns of X and of Z of each model: level, trend, effect, change of trend.
MODELS = {
    "MB1": (("level", "effect"), ("level",)),
    "MB2": (("level", "effect"), ("level", "effect")),
    "MB3": (("level", "trend", "effect", "change"), ("level",)),
    "MB4": (("level", "trend", "effect", "change"), ("level", "trend")),
    "MB5": (("level", "trend", "effect", "change"), ("level", "trend", "change")),
}
WITH_TRENDS = ("MB3", "MB4", "MB5")


@dataclass(frozen=True, eq=False)
class _Data:
    """Rows of each case: outcome, fixed and random columns, distances in time."""

    y: list[np.ndarray]
    X: list[np.ndarray]
    Z: list[np.ndarray]
    apart: list[np.ndarray]

    @property
    def n(self) -> int:
        return sum(len(y) for y in self.y)

    @property
    def q(self) -> int:
        return self.Z[0].shape[1]


def estimate(cases: list[Case], model: str, at: tuple[float, float] | None) -> Found:
    """Estimate by restricted maximum likelihood."""
    data, scales = _data(cases, model, at)
    rank = np.linalg.matrix_rank(np.vstack(data.X))
    checks.require(_too_little(model) if rank < data.X[0].shape[1] or data.n <= rank else None, error=ModelError)
    tau, phi, sigma2, settled = _search(data)
    covariance, information = _inference(data, tau, phi, sigma2)
    fixed = MODELS[model][0]
    p = np.zeros(len(fixed))
    p[fixed.index("effect")] = 1
    if at is not None:
        p[fixed.index("change")] = (at[1] - at[0]) / scales["change"]
    beta = covariance @ sum(
        X.T @ np.linalg.solve(V, y)
        for X, y, V in zip(data.X, data.y, _covariances(data, tau, phi, sigma2), strict=True)
    )
    # r'ω = τ₀₀ + σ²: the variance between and within cases at the time of comparison, without treatment.
    r = np.zeros(len(information))
    r[0] = r[-1] = 1
    total = float(tau[0, 0] + sigma2)
    spread = float(r @ np.linalg.pinv(information, hermitian=True) @ r)
    note = _notes(tau, phi, settled)
    return Found(
        float(p @ beta),
        total,
        float(sigma2),
        float(phi),
        float(tau[0, 0] / total),
        float(np.sqrt(p @ covariance @ p / total)),
        2 * total**2 / spread,
        note,
    )


def _data(cases: list[Case], model: str, at: tuple[float, float] | None) -> tuple[_Data, dict[str, float]]:
    """Make the columns; time counts from the session of the comparison, treatment from the last one before it."""
    fixed, random = MODELS[model]
    end = 0.0 if at is None else float(at[1])
    # Times are divided by their spread, so that all columns are of one size for the search.
    scale = max(float(np.ptp(np.concatenate([one.times for one in cases]))), 1.0) / 2
    y, X, Z, apart = [], [], [], []
    for one in cases:
        treated = (one.phase % 2).astype(float)
        column = {
            "level": np.ones(len(treated)),
            "trend": (one.times - end) / scale,
            "effect": treated,
            "change": treated * (one.times - one.lasts[0]) / scale,
        }
        y.append(one.values)
        X.append(np.column_stack([column[name] for name in fixed]))
        Z.append(np.column_stack([column[name] for name in random]))
        apart.append(np.abs(one.times[:, None] - one.times).astype(int))
    # β of a column that was divided by `scale` is in units of scale; p is divided likewise.
    return _Data(y, X, Z, apart), {"change": scale}


def _covariances(data: _Data, tau: np.ndarray, phi: float, sigma2: float) -> list[np.ndarray]:
    return [Z @ tau @ Z.T + sigma2 * np.power(float(phi), apart) for Z, apart in zip(data.Z, data.apart, strict=True)]


@dataclass(frozen=True, eq=False)
class _Parameters:
    """The search's coordinates: lower factor of Τ, atanh φ, log σ²."""

    q: int

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, float, float]:
        lower = np.zeros((self.q, self.q))
        lower[np.tril_indices(self.q)] = theta[:-2]
        return lower, float(np.tanh(theta[-2])), float(np.exp(theta[-1]))


def _criterion(data: _Data, lower: np.ndarray, phi: float, sigma2: float) -> tuple[float, np.ndarray]:
    """Return -2 log restricted likelihood and its gradient in the search's coordinates.

    The derivative along dV is tr(G dV), G = V⁻¹ - V⁻¹X M X'V⁻¹ - V⁻¹ee'V⁻¹ with e = y - Xβ and M = (X'V⁻¹X)⁻¹.
    """
    p = data.X[0].shape[1]
    tau = lower @ lower.T
    inverses, logdet = [], 0.0
    gram, right = np.zeros((p, p)), np.zeros(p)
    for y, X, V in zip(data.y, data.X, _covariances(data, tau, phi, sigma2), strict=True):
        root = np.linalg.cholesky(V)
        inverse = np.linalg.inv(V)
        logdet += 2 * np.log(np.diag(root)).sum()
        gram += X.T @ inverse @ X
        right += X.T @ (inverse @ y)
        inverses.append(inverse)
    M = np.linalg.inv(gram)
    beta = M @ right
    value = (data.n - p) * np.log(2 * np.pi) + logdet + np.linalg.slogdet(gram)[1]
    along_tau = np.zeros_like(tau)
    along_phi = along_sigma = 0.0
    for y, X, Z, k, inverse in zip(data.y, data.X, data.Z, data.apart, inverses, strict=True):
        rest = inverse @ (y - X @ beta)
        value += float((y - X @ beta) @ rest)
        meets = inverse @ X
        G = inverse - meets @ M @ meets.T - np.outer(rest, rest)
        along_tau += Z.T @ G @ Z
        along_sigma += float(np.sum(G * np.power(phi, k)))
        along_phi += sigma2 * float(np.sum(G * k * np.power(phi, np.maximum(k - 1, 0))))
    gradient = (2 * along_tau @ lower)[np.tril_indices(data.q)]
    return float(value), np.array([*gradient, along_phi * (1 - phi**2), along_sigma * sigma2])


def _search(data: _Data) -> tuple[np.ndarray, float, float, bool]:
    """Minimise the criterion from several starts."""
    parameters = _Parameters(data.q)
    spread = float(np.var(np.concatenate(data.y)))
    # Outcomes are searched in units of their standard deviation, as tolerances are absolute.
    scaled = _Data([y / np.sqrt(spread) for y in data.y], data.X, data.Z, data.apart)

    def value(theta: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            return _criterion(scaled, *parameters.split(theta))
        except np.linalg.LinAlgError:
            return 1e12, np.zeros(len(theta))

    best = None
    below = np.tril_indices(data.q)
    for size in (0.3, 0.9):
        for phi in (0.0, 0.4, -0.3):
            start = np.array([*(size * np.eye(data.q))[below], np.arctanh(phi), np.log(0.5)])
            bounds = [(-1e3, 1e3)] * len(below[0]) + [(-4.0, 4.0), (-30.0, 10.0)]
            found = optimize.minimize(
                value,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-8},
            )
            if best is None or found.fun < best.fun:
                best = found
    lower, phi, sigma2 = parameters.split(best.x)
    return spread * lower @ lower.T, phi, spread * sigma2, bool(best.fun < 1e12)


def _inference(data: _Data, tau: np.ndarray, phi: float, sigma2: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariance of β and the expected information of (Τ by its lower triangle, φ, σ²)."""
    V = linalg.block_diag(*_covariances(data, tau, phi, sigma2))
    X = np.vstack(data.X)
    inverse = np.linalg.inv(V)
    covariance = np.linalg.inv(X.T @ inverse @ X)
    Q = inverse - inverse @ X @ covariance @ X.T @ inverse
    rows, columns = np.tril_indices(data.q)
    by = []
    for a, b in zip(rows, columns, strict=True):
        parts = []
        for Z in data.Z:
            outer = np.outer(Z[:, a], Z[:, b])
            parts.append(outer if a == b else outer + outer.T)
        by.append(linalg.block_diag(*parts))
    slopes = [sigma2 * k * np.power(float(phi), np.maximum(k - 1, 0)) for k in data.apart]
    by.append(linalg.block_diag(*slopes))
    by.append(linalg.block_diag(*[np.power(float(phi), k) for k in data.apart]))
    moved = [Q @ each for each in by]
    information = np.array([[0.5 * np.einsum("ij,ji->", left, right) for right in moved] for left in moved])
    return covariance, information


# --- refusals and notes ---------------------------------------------------------------------------------------------


def _too_little(model: str) -> Fault:
    return Fault(
        checks.argument("model"),
        Text("数据不足以估计这个模型的各项", "the data cannot carry the terms of this model"),
        Text("请用较简单的模型（MB1），或补充观察", "Use a simpler model (MB1), or add observations"),
        model,
    )


def _notes(tau: np.ndarray, phi: float, settled: bool) -> tuple[Text, ...]:
    said = []
    spread = np.diag(tau)
    values = np.linalg.eigvalsh(tau / np.sqrt(np.outer(spread, spread))) if (spread > 0).all() else np.zeros(1)
    if values[0] < 1e-4:
        said.append(
            Text(
                "个案之间的协方差矩阵在边界上（方差为 0，或相关为 ±1）：自由度是近似的，请考虑较简单的模型。",
                "The covariance matrix between cases lies on its boundary (a variance of 0 or a correlation of ±1): "
                "degrees of freedom are approximate; consider a simpler model.",
            )
        )
    if abs(phi) > 0.95 or not settled:
        said.append(
            Text(
                f"自相关的估计为 {phi:.2f}，接近 ±1：水平与自相关难以分开，请看各阶段是否有趋势。",
                f"The autocorrelation is estimated as {phi:.2f}, close to ±1: it can hardly be told from the "
                "level; look "
                "for trends in the phases.",
            )
        )
    return tuple(said)
