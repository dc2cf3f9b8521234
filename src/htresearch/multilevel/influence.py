"""What a single school or class does to the coefficients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.multilevel.design import Design, independent_columns
from htresearch.multilevel.groups import Level
from htresearch.multilevel.reml import Solution, one_thread, solve


@one_thread
def leave_out(design: Design, solution: Solution, level: Level, reml: bool) -> pd.DataFrame:
    """Fit again without each group in turn; see `MultilevelFit.influence`."""
    std_error = np.sqrt(np.diag(solution.covariance))
    parts = []
    for group in range(level.size):
        beta = _without(design, solution, level.codes != group, reml)
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
