"""What a single school or class does to the coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.multilevel.design import Design, independent_columns
from htresearch.multilevel.groups import named_level
from htresearch.multilevel.remarks import require_nested, require_rows
from htresearch.multilevel.reml import Solution, one_thread, solve

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


@one_thread
def influence(fit: MultilevelFit, group: str) -> pd.DataFrame:
    """Fit again without each group in turn.

    Parameters
    ----------
    group
        A level's name, as in `random_effects`.

    Returns
    -------
    pandas.DataFrame
        A row per group and coefficient: the columns that name the group; term; estimate without it; change from
        the whole data; change_in_std_errors, the same in standard errors (DFBETAS). A coefficient that cannot be
        estimated without the group is missing.

    References
    ----------
    Belsley, D. A., Kuh, E., & Welsch, R. E. (1980). Regression Diagnostics. https://doi.org/10.1002/0471725153
    """
    require_rows(fit, "influence")
    require_nested(fit, "influence")
    design, solution, level = fit.design, fit.solution, named_level(fit.design.levels, group)
    std_error = np.sqrt(np.diag(solution.covariance))
    parts = []
    for group in range(level.size):
        beta = _without(design, solution, level.codes != group, fit.method == "reml")
        change = beta - solution.beta
        parts.append(
            pd.DataFrame(
                {
                    **{column: level.labels[column].iloc[group] for column in level.columns},
                    "term": list(design.names),
                    "estimate": beta,
                    "change": change,
                    "change_in_std_errors": change / std_error,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _without(design: Design, solution: Solution, rows: np.ndarray, reml: bool) -> np.ndarray:
    """Return the coefficients from some of the rows; one that these rows cannot tell is missing."""
    codes = tuple(np.unique(level.codes[rows], return_inverse=True)[1] for level in design.levels)
    beta = np.full(len(design.names), np.nan)
    kept = independent_columns(design.X[rows])
    if len(kept) < rows.sum() and all(code.max() > 0 for code in codes):
        # The optimum of the whole data is near.
        beta[kept] = solve(design.X[rows][:, kept], design.y[rows], codes, reml, (solution.gamma,)).beta
    return beta
