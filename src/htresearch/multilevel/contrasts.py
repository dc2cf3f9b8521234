"""The fixed effects and combinations of them: estimated one by one, and tested together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.multilevel.basis import basis_of
from htresearch.multilevel.inference import SOURCES, coefficient_table, means_of
from htresearch.multilevel.remarks import no_df_note
from htresearch.multilevel.reml import one_thread
from htresearch.result import Estimates

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


@one_thread
def estimates(
    fit: MultilevelFit,
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    cluster: str | pd.Series | None = None,
) -> Estimates:
    """Return the fixed effects with their tests, intervals and notes.

    Parameters
    ----------
    inference
        ``"satterthwaite"``; ``"kenward-roger"``, whose standard errors count the estimated variances too;
        ``"cr2"``, which holds whatever happens inside clusters; ``"normal"``, infinite degrees of freedom;
        ``"containment"``, degrees of freedom from the numbers of groups.
    conf_level
        Of the intervals.
    cluster
        For ``"cr2"``: the outermost groups unless given, or a Series over the rows with larger clusters.

    Raises
    ------
    ArgumentError
        If an argument is outside what it can be.
    UnsupportedError
        If a random group does not lie within one cluster.
    """
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    means, said = means_of(fit, inference, cluster)
    names = fit.design.names
    df = means.df(np.eye(len(names)))
    frame = coefficient_table(names, means.solution.beta, means.covariance, df, conf_level)
    note = (*fit.note, *said, *no_df_note(names, df))
    basis = basis_of(fit, names, means.solution.beta, np.eye(len(names)))
    return Estimates(frame.assign(**fit.design.counts), fit.glance(), note, SOURCES[inference], basis=basis)


@one_thread
def test(
    fit: MultilevelFit,
    terms: Sequence[str] | np.ndarray,
    inference: str = "satterthwaite",
    cluster: str | pd.Series | None = None,
) -> Estimates:
    """Test several coefficients, or combinations of them, at once: an F test that all are 0.

    Parameters
    ----------
    terms
        Names of coefficients; a column of the formula such as ``"tier"`` stands for all its categories. Or a
        matrix with a row per combination and a column per coefficient.
    inference, cluster
        As in `estimates`. Satterthwaite's degrees of freedom are those of Fai and Cornelius (1996), CR2's are
        those of Hotelling's T² (HTZ).

    Returns
    -------
    Estimates
        One row: term, statistic, df_numerator, df, p_value.
    """
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
    basis = basis_of(fit, tuple(names), np.zeros(0), rows)
    return Estimates(pd.DataFrame([row]), fit.glance(), (*fit.note, *said), SOURCES[inference], basis=basis)


@one_thread
def contrast(
    fit: MultilevelFit,
    weights: Mapping[str, Mapping[str, float]],
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    cluster: str | pd.Series | None = None,
) -> Estimates:
    """Estimate combinations of coefficients.

    Parameters
    ----------
    weights
        By the name of the combination, the weight of each coefficient that enters:
        ``{"small - aide": {"cltype[T.small]": 1, "cltype[T.reg+A]": -1}}``.
    inference, conf_level, cluster
        As in `estimates`.

    Returns
    -------
    Estimates
        A row per combination.
    """
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    rows = weighted_rows(fit.design.names, weights)
    means, said = means_of(fit, inference, cluster)
    covariance = rows @ means.covariance @ rows.T
    df = means.df(rows)
    frame = coefficient_table(tuple(weights), rows @ means.solution.beta, covariance, df, conf_level)
    basis = basis_of(fit, tuple(weights), rows @ means.solution.beta, rows)
    return Estimates(frame, fit.glance(), (*fit.note, *said), SOURCES[inference], basis=basis)


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
