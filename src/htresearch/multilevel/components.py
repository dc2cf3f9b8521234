"""Variances and correlations of random effects as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def shares(fit: MultilevelFit) -> np.ndarray:
    """Return the variance at each level, at the average of the rows where slopes are random, then the residual's."""
    # Where groups cross, random effects are intercepts, whose column is 1 in every row.
    moment = np.ones((1, 1)) if fit.design.crossed else fit.solution.moment
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


def r_squared(fit: MultilevelFit) -> pd.DataFrame:
    """Return the share of the variance that the fixed part explains, and the one that fixed and random parts do.

    Returns
    -------
    pandas.DataFrame
        One row: marginal, conditional.

    References
    ----------
    Nakagawa, S., & Schielzeth, H. (2013). A general and simple method for obtaining R² from generalized linear
    mixed-effects models. Methods in Ecology and Evolution, 4, 133-142.
    https://doi.org/10.1111/j.2041-210x.2012.00261.x
    """
    variances = shares(fit)
    beta = fit.solution.beta
    explained = float(beta @ fit.design.spread @ beta) if fit.design.crossed else fit.solution.explained
    total = explained + variances.sum()
    return pd.DataFrame(
        {"marginal": [explained / total], "conditional": [(explained + variances[:-1].sum()) / total]}
    )
