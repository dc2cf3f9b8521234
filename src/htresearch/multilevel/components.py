"""Variances and correlations of random effects as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.multilevel.variance_partition import variance_partition

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def shares(fit: MultilevelFit) -> np.ndarray:
    """Return the variance at each level, at the average of the rows where slopes are random, then the residual's."""
    moment = fit.solution.moment
    found = np.zeros(len(fit.design.levels) + 1)
    for block, covariance in zip(fit.design.random.blocks, fit.solution.covariances, strict=True):
        found[block.level] += np.sum(covariance * moment[np.ix_(block.columns, block.columns)])
    found[-1] = fit.solution.sigma2
    return found


def variance_components(fit: MultilevelFit) -> pd.DataFrame:
    """Return a row per variance, from the outermost level to the residual: group, term, variance, std_dev.

    With correlated slopes a row per correlation follows, whose term names both effects, and the column
    correlation.
    """
    rows, below = [], []
    for block, covariance in zip(fit.design.random.blocks, fit.solution.covariances, strict=True):
        group = fit.design.levels[block.level].name
        names = [fit.design.random.names[c] for c in block.columns]
        deviations = np.sqrt(np.diag(covariance))
        rows += [(group, n, d**2, d, np.nan) for n, d in zip(names, deviations, strict=True)]
        for i, j in zip(*np.tril_indices(len(names), -1), strict=True):
            both = deviations[i] * deviations[j]
            correlation = covariance[i, j] / both if both else np.nan
            below.append((group, f"{names[j]}, {names[i]}", np.nan, np.nan, correlation))
    sigma2 = fit.solution.sigma2
    rows = [*rows, ("Residual", "", sigma2, np.sqrt(sigma2), np.nan), *below]
    frame = pd.DataFrame(rows, columns=["group", "term", "variance", "std_dev", "correlation"])
    return frame if below else frame.drop(columns="correlation")


def icc(fit: MultilevelFit) -> pd.DataFrame:
    """Return how much of the variance lies at each level, given the fixed effects.

    Returns
    -------
    pandas.DataFrame
        A row per level: group; share, the level's part of the whole variance; icc, the correlation of two rows of
        the same group, which counts the levels around it too.

    References
    ----------
    Hox, J. J., Moerbeek, M., & van de Schoot, R. (2017). Multilevel Analysis, chapter 2.
    https://doi.org/10.4324/9781315650982
    Johnson, P. C. D. (2014), for random slopes, at the average of the rows.
    https://doi.org/10.1111/2041-210X.12225
    """
    variances = shares(fit)
    part = variances[:-1] / variances.sum()
    names = [level.name for level in fit.design.levels]
    correlation = part if fit.design.crossed else np.cumsum(part)
    return pd.DataFrame({"group": names, "share": part, "icc": correlation})


def r_squared(fit: MultilevelFit, decomposition: str = "nakagawa") -> pd.DataFrame:
    """Return how much of the outcome's variance, as the model implies it, each of its parts accounts for.

    Parameters
    ----------
    decomposition
        ``"nakagawa"``: what the fixed part explains, and what fixed and random parts do. ``"rights-sterba"``: the
        whole variance taken apart, for nested groups.

    Returns
    -------
    pandas.DataFrame
        ``"nakagawa"``: one row: marginal, conditional.

        ``"rights-sterba"``: a row per part: source, ``"fixed"``, ``"slopes"``, ``"intercepts"`` or ``"residual"``;
        group, the level whose effects they are (for the fixed part the level at which it varies); level, where that
        variance lies, ``"Residual"`` for the rows within innermost groups; variance; share, of the whole (R²ₜ);
        share_of_level, of the variance that lies at that level (R²_w and R²_b). With two levels and predictors
        centred within clusters the fixed part's rows are f₂ and f₁, then follow v, m and σ². Shares of the fixed
        part add up to Nakagawa's marginal R², all but the residual to the conditional one. With precision weights
        rows count as they weigh, and the residual is that of a row of average weight.

    Raises
    ------
    ArgumentError
        If `decomposition` is neither.
    UnsupportedError
        If groups cross, or a lazy table's model has no random intercept, with ``"rights-sterba"``.

    References
    ----------
    Nakagawa, S., & Schielzeth, H. (2013). A general and simple method for obtaining R² from generalized linear
    mixed-effects models. Methods in Ecology and Evolution, 4, 133-142.
    https://doi.org/10.1111/j.2041-210x.2012.00261.x
    Rights, J. D., & Sterba, S. K. (2019). Quantifying explained variance in multilevel models: An integrative
    framework for defining R-squared measures. Psychological Methods, 24, 309-338.
    https://doi.org/10.1037/met0000184
    Rights, J. D., & Sterba, S. K. (2021). R-squared measures for multilevel models with three or more levels.
    Multivariate Behavioral Research. https://doi.org/10.1080/00273171.2021.1985948
    """
    checks.require(checks.one_of("decomposition", decomposition, ("nakagawa", "rights-sterba")))
    if decomposition == "rights-sterba":
        return variance_partition(fit)
    variances = shares(fit)
    explained = fit.solution.explained
    total = explained + variances.sum()
    return pd.DataFrame(
        {"marginal": [explained / total], "conditional": [(explained + variances[:-1].sum()) / total]}
    )
