"""A line for each phase: least squares, a first-order process, counts.

Every phase has its own intercept and slope, so that what a phase cannot tell is missing for that phase alone; the
terms that people read are contrasts of these.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from htresearch.singlecase.cases import Case

FAMILIES = ("gaussian", "poisson", "binomial")
AUTOCORRELATIONS = (None, "ar1", "newey-west")
_LINKS = {"gaussian": "identity", "poisson": "log", "binomial": "logit"}
#: Residuals smaller than this share of the values' spread are rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Ordinary:
    """Least squares: (X'X)⁻¹ over all lines, and the sum of squares about the mean."""

    inverse: np.ndarray
    total: float


@dataclass(frozen=True, eq=False)
class Lines:
    """The fitted lines.

    Attributes
    ----------
    theta : numpy.ndarray
        Intercept and slope of each phase on the link's scale, NaN where it tells neither.
    covariance : numpy.ndarray
        Of theta; 0 where it is NaN.
    df : float
        Residual degrees of freedom of the intervals, infinite for normal ones.
    unknown : tuple of (int, str)
        Phases that lack a slope or, with counts, both, and why.
    """

    case: Case
    family: str
    autocorrelation: str | None
    theta: np.ndarray
    covariance: np.ndarray
    df: float
    fitted: np.ndarray
    summary: dict[str, object]
    unknown: tuple[tuple[int, str], ...]
    ordinary: Ordinary | None = None

    def curve(self, phase: int, times: np.ndarray) -> np.ndarray:
        """Return a phase's line at some times on the scale of the values (of shares, for binomial)."""
        slope = self.theta[2 * phase + 1]
        line = self.theta[2 * phase] + (0.0 if np.isnan(slope) else slope) * (times - self.case.starts[phase])
        if self.family == "poisson":
            return np.exp(np.clip(line, -700, 700))
        if self.family == "binomial":
            return 1 / (1 + np.exp(-np.clip(line, -700, 700)))
        return line


def fit_lines(
    case: Case, family: str, trials: np.ndarray | None, autocorrelation: str | None, estimated: bool
) -> Lines:
    """Fit a line to each phase."""
    X, kept, unknown = _columns(case, family, trials)
    if family != "gaussian":
        return _counts(case, family, trials, X, kept, unknown, estimated)
    y = case.values
    x = X[:, kept]
    n, p = x.shape
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ (x.T @ y)
    df = n - p
    rest = _residuals(y, x @ beta)
    sigma2 = float(rest @ rest) / df if df else np.nan
    phi = np.nan
    if autocorrelation == "ar1" and df > 0 and rest.any():
        phi, beta, inverse_phi, sigma2 = _first_order(y, x, case.times)
        covariance = sigma2 * inverse_phi
        rest = _residuals(y, x @ beta)
    elif autocorrelation == "newey-west" and df > 0:
        covariance = _newey_west(x, rest, inverse)
    else:
        covariance = sigma2 * inverse if df else np.full((p, p), np.nan)
    total = float(((y - y.mean()) ** 2).sum())
    r_squared = 1 - float(rest @ rest) / total if total > 0 else np.nan
    summary = {
        "n": n,
        "n_phases": len(case.labels),
        "family": family,
        "link": "identity",
        "r_squared": r_squared,
        "adjusted_r_squared": 1 - (1 - r_squared) * (n - 1) / df if df else np.nan,
        "sigma": float(np.sqrt(sigma2)),
        "df_residual": df,
        **_serial(rest, case.times),
        "phi": phi,
        "dispersion": np.nan,
        **_likelihood(y, x, rest, phi, case.times, kept[1::2].sum() * np.log(_span(case))),
    }
    theta, full = _spread(beta, covariance, kept, case)
    ordinary = Ordinary(_spread(beta, inverse, kept, case)[1], total) if np.isnan(phi) else None
    return Lines(case, family, autocorrelation, theta, full, df, x @ beta, summary, unknown, ordinary)


def _columns(
    case: Case, family: str, trials: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, tuple[tuple[int, str], ...]]:
    """Return an intercept and a slope of each phase, which of them can be estimated, and why others cannot."""
    k = len(case.labels)
    X = np.zeros((len(case.values), 2 * k))
    kept, unknown = np.ones(2 * k, dtype=bool), []
    for p in range(k):
        here = case.phase == p
        X[here, 2 * p] = 1
        # In units of the whole time, so that columns are of one size; `_spread` turns slopes back.
        X[here, 2 * p + 1] = (case.times[here] - case.starts[p]) / _span(case)
        values, times = case.values[here], case.times[here]
        if family != "gaussian" and (why := _unbounded(values, times, None if trials is None else trials[here])):
            kept[[2 * p, 2 * p + 1]] = False
            unknown.append((p, why))
        elif here.sum() < 2:
            kept[2 * p + 1] = False
            unknown.append((p, "single"))
    return X, kept, tuple(unknown)


def _unbounded(values: np.ndarray, times: np.ndarray, trials: np.ndarray | None) -> str:
    """Tell why the likelihood of a phase has no maximum; nothing where it has one.

    Of counts it has none where only the first or the last session has any; of shares where successes and failures
    can be parted by time.
    """
    some = times[values > 0]
    if trials is None:
        if not some.size:
            return "zero"
        if len(times) > 1 and (some.max() == times.min() or some.min() == times.max()):
            return "edge"
        return ""
    fails = times[values < trials]
    if not some.size:
        return "zero"
    if not fails.size:
        return "all"
    return "edge" if len(times) > 1 and (some.min() >= fails.max() or fails.min() >= some.max()) else ""


def _span(case: Case) -> float:
    return float(case.times[-1] - case.times[0]) or 1.0


def _spread(beta: np.ndarray, covariance: np.ndarray, kept: np.ndarray, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return intercepts and slopes, in the unit of time, with their covariance; NaN where there is none."""
    k = len(case.labels)
    theta, full = np.full(2 * k, np.nan), np.zeros((2 * k, 2 * k))
    unit = np.tile([1.0, 1 / _span(case)], k)
    theta[kept] = beta
    full[np.ix_(kept, kept)] = covariance
    return theta * unit, full * np.outer(unit, unit)


def _residuals(y: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Return residuals, 0 where all are rounding."""
    rest = y - fitted
    return rest if np.abs(rest).max(initial=0) > _ROUNDING * max(np.abs(y).max(initial=0), 1e-300) else rest * 0


def _serial(rest: np.ndarray, times: np.ndarray) -> dict[str, float]:
    """Return the lag-1 autocorrelation and Durbin and Watson's statistic of residuals."""
    squares = float(rest @ rest)
    if not squares or len(rest) < 3:
        return {"autocorrelation": np.nan, "durbin_watson": np.nan}
    return {
        "autocorrelation": float(rest[1:] @ rest[:-1]) / squares,
        "durbin_watson": float((np.diff(rest) ** 2).sum()) / squares,
    }


def _likelihood(
    y: np.ndarray, x: np.ndarray, rest: np.ndarray, phi: float, times: np.ndarray, unit: float
) -> dict[str, float]:
    """Return log-likelihood and AIC: of least squares, or the restricted ones of a first-order process.

    The restricted likelihood depends on the unit of the columns: `unit` brings it back to the unit of time.
    """
    n, p = x.shape
    if not rest.any():
        return {"log_likelihood": np.nan, "aic": np.nan}
    if np.isnan(phi):
        found = -n / 2 * (np.log(2 * np.pi * float(rest @ rest) / n) + 1)
        return {"log_likelihood": found, "aic": 2 * (p + 1) - 2 * found}
    found = -_criterion(phi, y, x, times)[0] / 2 - unit
    return {"log_likelihood": found, "aic": 2 * (p + 2) - 2 * found}


def _newey_west(x: np.ndarray, rest: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    n, p = x.shape
    lags = int(np.floor(4 * (n / 100) ** (2 / 9)))
    scores = x * rest[:, None]
    meat = scores.T @ scores
    for lag in range(1, min(lags, n - 1) + 1):
        both = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (both + both.T)
    return n / (n - p) * inverse @ meat @ inverse


# --- a first-order process ------------------------------------------------------------------------------------------


def _criterion(
    phi: float, y: np.ndarray, x: np.ndarray, times: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Return -2 log restricted likelihood with σ² profiled out (without log|X'X|/2, as nlme has it), β and the "
    "rest."""
    n, p = x.shape
    gaps = np.abs(times[:, None] - times)
    root = np.linalg.cholesky(np.sign(phi) ** gaps * np.abs(phi) ** gaps if phi else np.eye(n))
    white = np.linalg.solve(root, np.column_stack([x, y]))
    wx, wy = white[:, :-1], white[:, -1]
    inverse = np.linalg.inv(wx.T @ wx)
    beta = inverse @ (wx.T @ wy)
    rest = wy - wx @ beta
    sigma2 = float(rest @ rest) / (n - p)
    logdet = 2 * np.log(np.diag(root)).sum() - np.linalg.slogdet(inverse)[1]
    return (n - p) * (np.log(2 * np.pi * sigma2) + 1) + logdet, beta, inverse, sigma2


def _first_order(y: np.ndarray, x: np.ndarray, times: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Estimate a first-order process by REML: φ by search, the rest in closed form."""
    low = -0.98 if (times % 1 == 0).all() else 0.0  # a negative power of a fraction is no number
    grid = np.linspace(low, 0.98, 50)
    worst = [_criterion(phi, y, x, times)[0] for phi in grid]
    best = int(np.argmin(worst))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        lambda phi: _criterion(phi, y, x, times)[0], bounds=around, method="bounded", options={"xatol": 1e-10}
    )
    phi = float(found.x)
    return phi, *_criterion(phi, y, x, times)[1:]


# --- counts ---------------------------------------------------------------------------------------------------------


def _counts(
    case: Case,
    family: str,
    trials: np.ndarray | None,
    X: np.ndarray,
    kept: np.ndarray,
    unknown: tuple[tuple[int, str], ...],
    estimated: bool,
) -> Lines:
    """Fit counts by maximum likelihood; phases whose likelihood has no maximum are left out."""
    from statsmodels.genmod.families import Binomial, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    used = X[:, kept].any(axis=1)
    x, y = X[used][:, kept], case.values[used]
    n, p = x.shape
    k = len(case.labels)
    summary = {"n": len(case.values), "n_phases": k, "family": family, "link": _LINKS[family]}
    fitted = np.full(len(case.values), np.nan)
    if p:
        distribution = Poisson() if family == "poisson" else Binomial()
        outcome = y if family == "poisson" else np.column_stack([y, trials[used] - y])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = GLM(outcome, x, family=distribution).fit(tol=1e-12, maxiter=200)
        df = n - p
        pearson = float(model.pearson_chi2)
        ratio = pearson / df if df else np.nan
        scale = ratio if estimated else 1.0
        theta, covariance = _spread(
            np.asarray(model.params), scale * np.asarray(model.normalized_cov_params), kept, case
        )
        fitted[used] = model.mu if family == "poisson" else model.mu * trials[used]
        rest = np.asarray(model.resid_pearson)
        null = float(model.null_deviance)
        summary |= {
            "r_squared": 1 - float(model.deviance) / null if null > 0 else np.nan,
            "adjusted_r_squared": np.nan,
            "sigma": float(np.sqrt(scale)) if estimated else np.nan,
            "df_residual": df,
            **_serial(rest, case.times[used]),
            "phi": np.nan,
            "dispersion": ratio,
            "log_likelihood": np.nan if estimated else float(model.llf),
            "aic": np.nan if estimated else 2 * p - 2 * float(model.llf),
        }
    else:
        theta, covariance, df = np.full(2 * k, np.nan), np.zeros((2 * k, 2 * k)), 0
        summary |= dict.fromkeys(
            ("r_squared", "adjusted_r_squared", "sigma", "autocorrelation", "durbin_watson", "phi", "dispersion"),
            np.nan,
        )
        summary |= {"df_residual": 0, "log_likelihood": np.nan, "aic": np.nan}
    return Lines(case, family, None, theta, covariance, float(df) if estimated else np.inf, fitted, summary, unknown)
