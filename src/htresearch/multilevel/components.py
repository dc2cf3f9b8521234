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


def components(fit: MultilevelFit) -> pd.DataFrame:
    """Return a row per variance and, below, per correlation; see `MultilevelFit.variance_components`."""
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
    """Return the share of each level in the variance; see `MultilevelFit.icc`."""
    variances = shares(fit)
    part = variances[:-1] / variances.sum()
    names = [level.name for level in fit.design.levels]
    correlation = part if fit.design.crossed else np.cumsum(part)
    return pd.DataFrame({"group": names, "share": part, "icc": correlation})


def r_squared(fit: MultilevelFit) -> pd.DataFrame:
    """Return the share that fixed and random parts explain; see `MultilevelFit.r_squared`."""
    variances = shares(fit)
    explained = np.var(fit.design.X @ fit.solution.beta, ddof=1) if fit.design.crossed else fit.solution.explained
    total = explained + variances.sum()
    return pd.DataFrame(
        {"marginal": [explained / total], "conditional": [(explained + variances[:-1].sum()) / total]}
    )
