"""Degrees of freedom, tests and intervals of the fixed effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.design import INTERCEPT
from htresearch.multilevel.groups import Level

#: What `MultilevelFit.tidy` takes today.
INFERENCES = ("containment",)
#: What is known and needs quantities that the engine statsmodels doesn't give.
LATER = ("satterthwaite", "kenward-roger", "cr2", "normal")

CONTAINMENT_SOURCE = (
    "Pinheiro, J. C., & Bates, D. M. (2000). Mixed-Effects Models in S and S-PLUS, section 2.4.2. "
    "https://doi.org/10.1007/b98882"
)
CONTAINMENT_NOTE = Text(
    "自由度用包含法（内外规则，Pinheiro 与 Bates 2000，2.4.2 节，doi:10.1007/b98882）：每个系数取其变量在组内不变的"
    "最外一层；与 nlme 不同，截距取最外层的自由度，这是较保守的选择。",
    "Degrees of freedom by containment (the inner-outer rule of Pinheiro and Bates 2000, section 2.4.2, "
    "doi:10.1007/b98882): a coefficient belongs to the outermost level within whose groups its column is constant; "
    "other than in nlme, the intercept takes the outermost level's, the conservative choice.",
)


def check_inference(inference: str) -> None:
    """Refuse what is unknown, and what is known but not to be had here.

    Raises
    ------
    ArgumentError
        If `inference` is no kind of inference.
    UnsupportedError
        If the engine lacks what it needs.
    """
    checks.require(checks.one_of("inference", inference, (*INFERENCES, *LATER)))
    if inference in INFERENCES:
        return
    reasons = {
        "satterthwaite": Text(
            "它需要方差参数的观测信息，而引擎 statsmodels 不提供",
            "it needs the observed information of the variances, which the engine statsmodels does not give",
        ),
        "kenward-roger": Text(
            "它需要方差参数的期望信息和对标准误的修正，而引擎 statsmodels 不提供",
            "it needs the expected information of the variances and corrected standard errors, which the engine "
            "statsmodels does not give",
        ),
        "cr2": Text(
            "它需要逐群修正的残差，而引擎 statsmodels 不提供",
            "it needs residuals corrected cluster by cluster, which the engine statsmodels does not give",
        ),
        "normal": Text(
            "把自由度当作无穷大，学校不多时 p 值偏小、区间偏窄",
            "it takes the degrees of freedom as infinite: with few schools p values are too small and intervals "
            "too narrow",
        ),
    }
    fix = Text(
        "请用 inference='containment'，其自由度来自组数，学校不多时也可用",
        "Use inference='containment', whose degrees of freedom come from the numbers of groups and which holds for "
        "few schools too",
    )
    raise UnsupportedError(Fault(checks.argument("inference"), reasons[inference], fix, inference))


def containment_df(X: np.ndarray, names: tuple[str, ...], levels: tuple[Level, ...]) -> np.ndarray:
    """Degrees of freedom by the inner-outer rule.

    A coefficient is estimated at the outermost level within whose groups its column is constant, or among the rows
    where it varies within the innermost groups. Level i has mᵢ - (mᵢ₋₁ + pᵢ) degrees of freedom: mᵢ groups (or rows),
    pᵢ coefficients, and m₀ = 1 with an intercept, else 0.

    Parameters
    ----------
    X : numpy.ndarray, rows by coefficients
    names
        Of the coefficients; ``(Intercept)`` takes the outermost level's degrees of freedom.
    levels
        The groups, the outermost first.

    Returns
    -------
    numpy.ndarray
        One number per coefficient; missing where none are left.

    References
    ----------
    Pinheiro & Bates (2000), section 2.4.2, doi:10.1007/b98882.
    """
    at = np.full(X.shape[1], len(levels))
    for k in range(len(levels) - 1, -1, -1):
        at[_constant_within(X, levels[k].codes)] = k
    intercept = np.array([name == INTERCEPT for name in names])
    groups = [int(intercept.any()), *(level.size for level in levels), len(X)]
    counts = np.bincount(at[~intercept], minlength=len(levels) + 1)
    df = np.diff(groups) - counts
    at[intercept] = 0
    return np.where(df[at] > 0, df[at].astype(float), np.nan)


def coefficient_table(
    names: tuple[str, ...], beta: np.ndarray, covariance: np.ndarray, df: np.ndarray, conf_level: float
) -> pd.DataFrame:
    """Return a row per coefficient: estimate, standard error, t test and interval."""
    std_error = np.sqrt(np.diag(covariance))
    statistic = beta / std_error
    reach = stats.t.ppf((1 + conf_level) / 2, df) * std_error
    return pd.DataFrame(
        {
            "term": list(names),
            "estimate": beta,
            "std_error": std_error,
            "df": df,
            "statistic": statistic,
            "p_value": 2 * stats.t.sf(np.abs(statistic), df),
            "conf_low": beta - reach,
            "conf_high": beta + reach,
        }
    )


def _constant_within(X: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Tell which columns are the same throughout every group, up to rounding."""
    first = np.unique(codes, return_index=True)[1]
    return np.isclose(X, X[first[codes]], rtol=1e-10, atol=1e-12).all(axis=0)
