"""Combinations of coefficients: estimated one by one, and tested together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.multilevel.inference import SOURCES, coefficient_table, means_of
from htresearch.result import Estimates

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def joint_test(
    fit: MultilevelFit, terms: Sequence[str] | np.ndarray, inference: str, cluster: str | pd.Series | None
) -> Estimates:
    """Test several coefficients at once; see `MultilevelFit.test`."""
    rows, names = contrast_rows(fit.design.names, terms)
    means, said = means_of(fit, inference, cluster)
    found = means.joint(rows)
    row = {
        "term": ", ".join(names),
        "df": found.df_denominator,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "df_numerator": found.df_numerator,
    }
    return Estimates(pd.DataFrame([row]), fit.glance(), (*fit.note, *said), SOURCES[inference])


def combinations(
    fit: MultilevelFit,
    weights: Mapping[str, Mapping[str, float]],
    inference: str,
    conf_level: float,
    cluster: str | pd.Series | None,
) -> Estimates:
    """Estimate combinations of coefficients; see `MultilevelFit.contrast`."""
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    rows = weighted_rows(fit.design.names, weights)
    means, said = means_of(fit, inference, cluster)
    covariance = rows @ means.covariance @ rows.T
    df = means.df(rows)
    frame = coefficient_table(tuple(weights), rows @ means.solution.beta, covariance, df, conf_level)
    return Estimates(frame, fit.glance(), (*fit.note, *said), SOURCES[inference])


def contrast_rows(names: tuple[str, ...], terms: Sequence[str] | np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return a row per combination to test, and the names of the coefficients that enter."""
    if isinstance(terms, np.ndarray):
        rows = np.atleast_2d(terms).astype(float)
        checks.require(_fits(rows, len(names)))
        return rows, [name for name, used in zip(names, (rows != 0).any(axis=0), strict=True) if used]
    wanted = [terms] if isinstance(terms, str) else list(terms)
    of = {term: [n for n in names if n == term or n.startswith(f"{term}[")] for term in wanted}
    unknown = [term for term, found in of.items() if not found]
    checks.require(*checks.columns("terms", unknown, names))
    chosen = list(dict.fromkeys(name for found in of.values() for name in found))
    return np.eye(len(names))[[names.index(name) for name in chosen]], chosen


def _fits(rows: np.ndarray, p: int) -> Fault | None:
    if rows.shape[1] == p and np.linalg.matrix_rank(rows) == len(rows):
        return None
    return Fault(
        checks.argument("terms"),
        Text(f"须有 {p} 列，且各行互不决定", f"needs {p} columns, and rows that do not determine one another"),
        Text("请为每个系数写一列", "Write a column per coefficient"),
        rows.shape,
    )


def weighted_rows(names: tuple[str, ...], weights: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Return a row per combination from the weights of the coefficients that enter."""
    used = dict.fromkeys(name for combination in weights.values() for name in combination)
    checks.require(*checks.columns("weights", used, names))
    return np.array([[combination.get(name, 0.0) for name in names] for combination in weights.values()])
