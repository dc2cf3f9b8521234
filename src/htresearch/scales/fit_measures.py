"""How well a measurement model fits, with lavaan's definitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from htresearch.scales.covariance import Moments, Solution, implied
from htresearch.scales.efa import noncentrality
from htresearch.scales.structure import Structure


@dataclass(frozen=True)
class Scaling:
    """By what chi-squared statistics of clustered answers are divided: the model's and the baseline's."""

    model: float
    baseline: float


def measures(
    structure: Structure, solution: Solution, groups: list[Moments], scaling: Scaling | None = None
) -> dict[str, float]:
    """Return chi2 to bic in one row, then, of clustered answers, what is scaled."""
    n, n_groups, n_items = sum(m.n for m in groups), len(groups), len(structure.items)
    chi2, df = max(solution.discrepancy, 0.0), structure.df
    nothing = sum(m.n * (np.log(np.diag(m.covariance)).sum() - m.log_det) for m in groups)
    df_nothing = n_groups * n_items * (n_items - 1) // 2
    saturated = -sum(m.n * (n_items * np.log(2 * np.pi) + m.log_det + n_items) for m in groups) / 2
    log_likelihood = saturated - chi2 / 2
    row = {
        "chi2": chi2,
        "df": df,
        "p_value": float(stats.chi2.sf(chi2, df)) if df else np.nan,
        **_comparative(chi2, df, nothing, df_nothing),
        **_rmsea(chi2, df, n, n_groups),
        "srmr": _srmr(structure, solution, groups),
        "aic": 2 * structure.n_free - 2 * log_likelihood,
        "bic": np.log(n) * structure.n_free - 2 * log_likelihood,
        "log_likelihood": log_likelihood,
        "n_parameters": structure.n_free,
        "n_respondents": n,
        "n_groups": n_groups,
        "baseline_chi2": nothing,
        "baseline_df": df_nothing,
    }
    if scaling is not None:
        scaled, baseline = chi2 / scaling.model if df else chi2, nothing / scaling.baseline
        more = {
            "chi2": scaled,
            "p_value": float(stats.chi2.sf(scaled, df)) if df else np.nan,
            **_comparative(scaled, df, baseline, df_nothing),
            **_rmsea(scaled, df, n, n_groups),
        }
        row |= {f"{name}_scaled": value for name, value in more.items()} | {"scaling_factor": scaling.model}
    return row


def _comparative(chi2: float, df: int, nothing: float, df_nothing: int) -> dict[str, float]:
    """Bentler's CFI; Tucker and Lewis's index."""
    worst = max(nothing - df_nothing, chi2 - df, 0.0)
    cfi = 1.0 if worst == 0 else 1 - max(chi2 - df, 0.0) / worst
    if df == 0 or df_nothing == 0:
        return {"cfi": cfi, "tli": 1.0}
    ratio = nothing / df_nothing
    return {"cfi": cfi, "tli": (ratio - chi2 / df) / (ratio - 1)}


def _rmsea(chi2: float, df: int, n: int, n_groups: int) -> dict[str, float]:
    """Steiger and Lind's RMSEA with its 90 % interval, and the test that it is at most .05."""
    if df == 0:
        return {"rmsea": 0.0, "rmsea_low": 0.0, "rmsea_high": 0.0, "rmsea_p_value": np.nan}
    unit = np.sqrt(n_groups / (n * df))
    return {
        "rmsea": unit * np.sqrt(max(chi2 - df, 0.0)),
        "rmsea_low": unit * np.sqrt(noncentrality(chi2, df, 0.95)),
        "rmsea_high": unit * np.sqrt(noncentrality(chi2, df, 0.05)),
        "rmsea_p_value": float(stats.ncx2.sf(chi2, df, 0.05**2 / unit**2)),
    }


def _srmr(structure: Structure, solution: Solution, groups: list[Moments]) -> float:
    """Bentler's: residuals in standard deviations of the answers, means included where they are modelled."""
    total = 0.0
    for g, moments in enumerate(groups):
        said = implied(structure, solution.estimates, g, moments)
        scale = np.sqrt(np.diag(moments.covariance))
        apart = (moments.covariance - said.covariance) / np.outer(scale, scale)
        squares, count = np.sum(apart[np.tril_indices(len(scale))] ** 2), len(scale) * (len(scale) + 1) / 2
        if structure.means:
            squares += np.sum(((moments.mean - said.mean) / scale) ** 2)
            count += len(scale)
        total += moments.n * np.sqrt(squares / count)
    return float(total / sum(m.n for m in groups))
