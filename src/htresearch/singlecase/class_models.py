"""What two groups of pupils differ in: analysis of covariance, gains, a standardised effect, ordinal answers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from htresearch.singlecase.class_data import Classes

#: Of residuals relative to the values; anything smaller is nothing but rounding.
_NOTHING = 1e-10


@dataclass(frozen=True, eq=False)
class Line:
    """One coefficient with its uncertainty; NaN where there is none."""

    estimate: float
    std_error: float = np.nan
    df: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p_value: float = np.nan

    @property
    def statistic(self) -> float:
        """The estimate over its standard error."""
        return self.estimate / self.std_error if self.std_error > 0 else np.nan


@dataclass(frozen=True, eq=False)
class Fit:
    """A model fitted by least squares."""

    coefficients: np.ndarray
    covariance: np.ndarray
    residuals: np.ndarray
    df: int
    r_squared: float

    @property
    def sigma(self) -> float:
        """The standard deviation of what is left over."""
        return float(np.sqrt(self.residuals @ self.residuals / self.df)) if self.df > 0 else np.nan

    def line(self, place: int, conf_level: float) -> Line:
        """Return one coefficient."""
        return with_t(
            float(self.coefficients[place]), float(np.sqrt(self.covariance[place, place])), self.df, conf_level
        )


def with_t(estimate: float, error: float, df: float, conf_level: float) -> Line:
    """Return an estimate with interval and p of a t distribution; bare where there is no error or no df."""
    if not error > 0 or not df > 0:
        return Line(estimate)
    reach = stats.t.ppf((1 + conf_level) / 2, df) * error
    return Line(
        estimate, error, df, estimate - reach, estimate + reach, float(2 * stats.t.sf(abs(estimate / error), df))
    )


def least_squares(design: np.ndarray, outcome: np.ndarray) -> Fit | None:
    """Fit a model, or return None where its columns cannot be told apart."""
    n, k = design.shape
    if np.linalg.matrix_rank(design) < k:
        return None
    q, r = np.linalg.qr(design)
    coefficients = np.linalg.solve(r, q.T @ outcome)
    residuals = outcome - design @ coefficients
    df = n - k
    left, total = float(residuals @ residuals), float(((outcome - outcome.mean()) ** 2).sum())
    if df <= 0 or left <= _NOTHING**2 * max(float(outcome @ outcome), 1e-300):
        covariance = np.full((k, k), np.nan)
    else:
        inverse = np.linalg.inv(r)
        covariance = left / df * inverse @ inverse.T
    return Fit(coefficients, covariance, residuals, df, 1 - left / total if total > 0 else np.nan)


def ancova(data: Classes) -> Fit | None:
    """Fit post ~ strata + pre + group, the groups last."""
    return least_squares(np.column_stack([data.covariates, data.dummies]), data.post)


def gains(data: Classes) -> Fit | None:
    """Fit post - pre ~ strata + group, the groups last."""
    return least_squares(np.column_stack([data.constants, data.dummies]), data.post - data.pre)


def unequal_slopes(data: Classes, fit: Fit) -> tuple[float, float, int, int]:
    """Test whether where a pupil started matters alike in all groups: F, p and degrees of freedom."""
    by_group = data.dummies * (data.pre - data.pre.mean())[:, None]
    larger = least_squares(np.column_stack([data.covariates, data.dummies, by_group]), data.post)
    if larger is None or larger.df <= 0 or not np.isfinite(larger.covariance).all():
        return np.nan, np.nan, len(data.treated), 0
    before, after = (float(f.residuals @ f.residuals) for f in (fit, larger))
    statistic = (before - after) / len(data.treated) / (after / larger.df)
    return statistic, float(stats.f.sf(statistic, len(data.treated), larger.df)), len(data.treated), larger.df


def by_class(data: Classes, conf_level: float) -> list[Line]:
    """Fit the same with a random intercept of the class; Kenward and Roger's degrees of freedom count classes."""
    from htresearch.multilevel import fit_multilevel

    names = [f"treated_{i}" for i in range(len(data.treated))]
    frame = pd.DataFrame({"post": data.post, "pre": data.pre, "cluster": data.cluster, "stratum": data.stratum})
    frame[names] = data.dummies
    strata = ["stratum"] if len(data.strata) > 1 else []
    fit = fit_multilevel(f"post ~ {' + '.join(['pre', *strata, *names])} + (1 | cluster)", frame)
    found = fit.tidy("kenward-roger", conf_level=conf_level).set_index("term").loc[names]
    return [
        Line(*row) for row in found[["estimate", "std_error", "df", "conf_low", "conf_high", "p_value"]].to_numpy()
    ]


def standardised(data: Classes, line: Line, conf_level: float) -> Line:
    """Return Hedges' g of an adjusted difference: over the SD of results within groups, corrected for small samples.

    Pustejovsky (2016): its variance is that of the difference in standard deviations, plus g² over twice the degrees
    of freedom of the SD; J(ν) after Hedges (1981), in its exact form.
    """
    df = len(data.post) - len(data.groups)
    within = sum(((data.post[data.group == g] - data.post[data.group == g].mean()) ** 2).sum() for g in data.groups)
    sd = float(np.sqrt(within / df)) if df > 0 else np.nan
    if not sd > 0:
        return Line(np.nan)
    small = (
        float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2)) if df > 1 else np.nan
    )
    g = small * line.estimate / sd
    error = small * np.sqrt((line.std_error / sd) ** 2 + (line.estimate / sd) ** 2 / (2 * df))
    return with_t(g, float(error), line.df, conf_level)


def superiority(data: Classes, treated: str, fit: Fit, conf_level: float) -> Line:
    """Estimate how often a pupil of one group does better than one of the other, had both started alike.

    Brunner and Munzel (2000) on what is left of the results once strata and start are taken off, with the slope of
    all groups, which counts as known.
    """
    adjusted = data.post - data.covariates @ fit.coefficients[: data.covariates.shape[1]]
    adjusted = np.round(adjusted, 9)  # so that equal pupils stay equal
    one, two = adjusted[data.group == data.control], adjusted[data.group == treated]
    n, m = len(one), len(two)
    ranks = stats.rankdata(np.concatenate([one, two]))
    inner = stats.rankdata(one), stats.rankdata(two)
    estimate = float((ranks[n:].mean() - (m + 1) / 2) / n)
    own = ranks[:n] - inner[0], ranks[n:] - inner[1]
    variances = [float(part.var(ddof=1)) for part in own]
    parts = variances[0] / (n * m**2), variances[1] / (m * n**2)
    variance = sum(parts)
    if not variance > 0:  # every pupil of one group is better than every one of the other, or all are equal
        return Line(estimate)
    df = variance**2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1))
    error = float(np.sqrt(variance))
    reach = stats.t.ppf((1 + conf_level) / 2, df) * error
    p_value = float(2 * stats.t.sf(abs(estimate - 0.5) / error, df))
    return Line(estimate, error, df, max(estimate - reach, 0.0), min(estimate + reach, 1.0), p_value)


def proportional_odds(data: Classes, conf_level: float) -> list[Line]:
    """Estimate by how much the odds of a higher result differ, in logarithms; NaN where the search finds no end."""
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    # A start in standard units keeps the search well-behaved; it changes nothing else.
    start = (data.pre - data.pre.mean()) / data.pre.std()
    design = np.column_stack([data.constants[:, 1:], start, data.dummies])
    codes = np.unique(data.post, return_inverse=True)[1]
    nothing = [Line(np.nan)] * len(data.treated)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = OrderedModel(codes, design, distr="logit").fit(method="bfgs", disp=False, maxiter=500, gtol=1e-8)
            errors = np.asarray(fit.bse)
        except (np.linalg.LinAlgError, ValueError):
            return nothing
    first = design.shape[1] - len(data.treated)
    z = stats.norm.ppf((1 + conf_level) / 2)
    lines = []
    for place in range(first, design.shape[1]):
        b, error = float(fit.params[place]), float(errors[place])
        # Where one group has all the high results the estimate runs away: no end, so no number.
        if not np.isfinite(error) or error <= 0 or error > 50 or abs(b) > 20:
            return nothing
        lines.append(Line(b, error, np.nan, b - z * error, b + z * error, float(2 * stats.norm.sf(abs(b / error)))))
    return lines
