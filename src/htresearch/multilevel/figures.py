"""Pictures of a fit: whether the model holds, how groups differ, which of them moves the result.

Groups may be persons or schools: their names are drawn only where they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from htresearch import checks
from htresearch.language import Text, label
from htresearch.multilevel.crossproducts import INTERCEPT
from htresearch.multilevel.groups import Level, named_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htresearch.multilevel.fit import MultilevelFit

#: Up to so many rows each is a dot; of more, hexagons count them, and quantiles stand for them.
DOTS = 3000
#: Up to so many groups their names can be read.
NAMES = 60
#: Normal quantiles drawn where rows are more than `DOTS`.
QUANTILES = 400


def diagnostics(fit: MultilevelFit, labels: bool = False) -> Figure:
    """Draw what shows whether the model holds: residuals of rows and of each level's groups.

    Residuals of rows against fitted values (should be level, and as wide everywhere), their normal quantiles, and
    the root of their size against fitted values (should be level); then for each level and random effect the normal
    quantiles of the standardised residuals (`level_residuals`; should lie on the line). A model of a lazy table
    shows the groups only. Many rows are counted in hexagons, darker where more rows lie, and the orange line joins
    the means of twentieths of the rows; each panel says how many rows or groups it shows.

    Parameters
    ----------
    labels
        Whether to name the three outermost groups of each panel: these may be persons or schools.

    References
    ----------
    Pinheiro, J. C., & Bates, D. M. (2000). Mixed-Effects Models in S and S-PLUS, section 4.3.
    https://doi.org/10.1007/b98882
    Goldstein, H. (2011). Multilevel Statistical Models (4th ed.), section 2.8. https://doi.org/10.1002/9780470973394
    """
    import matplotlib.pyplot as plt

    groups = []
    for level in fit.design.levels:
        residuals = fit.level_residuals(level.name)
        groups += [(level, term, rows) for term, rows in residuals.groupby("term", sort=False)]
    of_rows = [_against_fitted, _of_rows, _scale_location] if fit.design.y is not None else []
    count = len(of_rows) + len(groups)
    across = 2 if count == 4 else min(count, 3)
    down = -(-count // across)
    whole, axes = plt.subplots(down, across, figsize=(3.5 * across, 3.2 * down), layout="constrained", squeeze=False)
    panels = axes.ravel()
    for draw, ax in zip(of_rows, panels, strict=False):
        draw(fit, ax)
    for (level, term, rows), ax in zip(groups, panels[len(of_rows) :], strict=False):
        _of_groups(ax, level, term, rows, labels)
    for ax in panels[count:]:
        ax.set_axis_off()
    return whole


def caterpillar(
    fit: MultilevelFit,
    group: str,
    term: str | None = None,
    comparison: bool = True,
    labels: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the predicted effects of a level's groups in order, with their intervals.

    Parameters
    ----------
    group
        A level's name, as in `random_effects`.
    term
        Which random effect; the first otherwise.
    comparison
        Intervals for comparing groups, about ±1.39 standard deviations: over all pairs, two that do not overlap
        differ at 5% on average (one planned comparison; not the first against the last after looking). Otherwise
        95% intervals, ±1.96, which compare a group with the average of all.
    labels
        Whether to name the groups, where they are 60 at most: these may be persons or schools.
    ax
        Where to draw; a new figure otherwise.

    Raises
    ------
    ArgumentError
        If no level has that name, or the level has no such effect.

    References
    ----------
    Goldstein, H., & Healy, M. J. R. (1995). The graphical presentation of a collection of means. Journal of the
    Royal Statistical Society A, 158, 175-177. https://doi.org/10.2307/2983411
    """
    import matplotlib.pyplot as plt

    level = named_level(fit.design.levels, group)
    rows = fit.level_residuals(group)
    terms = list(dict.fromkeys(rows["term"]))
    term = terms[0] if term is None else term
    checks.require(checks.one_of("term", term, terms))
    rows = rows[rows["term"] == term].sort_values("estimate", kind="stable")
    times = comparison_factor(rows["comparative_sd"].to_numpy()) if comparison else norm.ppf(0.975)
    named = labels and len(rows) <= NAMES
    if ax is None:
        ax = plt.subplots(figsize=(6.8, 0.22 * len(rows) + 1.2 if named else 4.6), layout="constrained")[1]
    at, half = np.arange(len(rows)), times * rows["comparative_sd"]
    ax.axvline(0, color="0.6", linewidth=1, zorder=0)
    ax.grid(axis="y", visible=False)
    thin = len(rows) > NAMES
    ax.hlines(at, rows["estimate"] - half, rows["estimate"] + half, color="C0", linewidth=0.5 if thin else 1.5)
    ax.plot(rows["estimate"], at, "o", color="C1" if thin else "C0", markersize=1.5 if thin else 4)
    ax.set_yticks(at if named else [], _names(level, rows) if named else [])
    ax.set_ylim(-0.5 - 0.02 * len(rows), len(rows) * 1.02 - 0.5)
    ax.set_title(str(_title(level, term)))
    ax.set_ylabel(
        str(Text("{n} 组，按估计值排列", "{n} groups in order of their estimates").format(n=f"{len(rows):,}"))
    )
    kind = Text("比较区间", "comparison interval") if comparison else Text("95% 区间", "95% interval")
    said = Text(
        "{outcome}：预测效应及{kind}（±{z} 个标准差）", "{outcome}: predicted effect with {kind} (±{z} SD)"
    ).format(outcome=label(fit.formula.response.strip("`")), kind=kind, z=f"{times:.2f}")
    if comparison:
        said = Text(
            "{said}\n两组的区间不重叠，即平均在 5% 水平上有差异",
            "{said}\nTwo that do not overlap differ at 5%, on average over pairs",
        ).format(said=said)
    ax.set_xlabel(str(said))
    return ax


def influence_plot(fit: MultilevelFit, group: str, labels: bool = False, ax: Axes | None = None) -> Axes:
    """Draw Cook's distance of each group of a level, the largest first, and the line above which to look at one.

    Parameters
    ----------
    group
        A level's name, as in `influence`, which this takes its values and its errors from.
    labels
        Whether to name the groups above the line: these may be persons or schools.
    ax
        Where to draw; a new figure otherwise.

    References
    ----------
    Van der Meer, T., te Grotenhuis, M., & Pelzer, B. (2010). Influential cases in multilevel modeling. American
    Sociological Review, 75, 173-178. The line: 4 by the number of groups. https://doi.org/10.1177/0003122409359166
    """
    import matplotlib.pyplot as plt

    level = named_level(fit.design.levels, group)
    rows = fit.influence(group).drop_duplicates(list(level.columns))
    rows = rows.sort_values("cooks_distance", ascending=False, kind="stable")
    known = rows[rows["cooks_distance"].notna()]
    line = 4 / len(rows)
    if ax is None:
        ax = plt.subplots(figsize=(6.8, 4.0), layout="constrained")[1]
    at = np.arange(1, len(known) + 1)
    ax.vlines(at, 0, known["cooks_distance"], color="C0", linewidth=1 if len(known) <= NAMES else 0.5)
    ax.plot(at, known["cooks_distance"], "o", color="C0", markersize=4 if len(known) <= NAMES else 1.5)
    ax.axhline(line, color="C1", linestyle="--", linewidth=1)
    ax.annotate(
        f"4/{len(rows):,}",
        (1, line),
        (0, 3),
        xycoords=("axes fraction", "data"),
        ha="right",
        textcoords="offset points",
        color="C1",
    )
    if labels:
        above = known[known["cooks_distance"] > line].head(NAMES // 4)
        for x, y, name in zip(at, above["cooks_distance"], _names(level, above), strict=False):
            ax.annotate(name, (x, y), (4, 2), textcoords="offset points", fontsize=8)
    ax.set_ylim(0)
    ax.grid(axis="x", visible=False)
    ax.set_title(str(label(level.columns[-1])))
    gone = len(rows) - len(known)
    order = Text("{n} 组，由大到小", "{n} groups, the largest first").format(n=f"{len(known):,}")
    if gone:
        order = Text(
            "{order}；另有 {gone} 组去掉后无法估计全部系数",
            "{order}; without {gone} others not all coefficients can be estimated",
        ).format(order=order, gone=gone)
    ax.set_xlabel(str(order))
    ax.set_ylabel(str(label("cooks_distance")))
    return ax


def comparison_factor(deviations: np.ndarray, level: float = 0.05) -> float:
    """Return by how many standard deviations intervals reach so that two which just touch differ at a level.

    Two of half-widths z s and z t just touch at a difference of z (s + t), whose standard deviation is √(s² + t²);
    z is such that the chance of more, averaged over all pairs, is `level` (Goldstein & Healy 1995). It is 1.39 where
    all deviations are alike.

    Parameters
    ----------
    deviations
        Of each group; up to 400 quantiles stand for more.
    """
    if len(deviations) > QUANTILES:
        deviations = np.quantile(deviations, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    i, j = np.triu_indices(len(deviations), 1)
    spread = np.hypot(deviations[i], deviations[j])
    known = spread > 0
    if not known.any():
        return float(norm.ppf(1 - level / 2) / np.sqrt(2))
    ratio = (deviations[i] + deviations[j])[known] / spread[known]
    return float(brentq(lambda z: 2 * norm.sf(z * ratio).mean() - level, 0.5, 5.0))


def _title(level: Level, term: str) -> Text:
    group = label(level.columns[-1])
    if term == INTERCEPT:
        return group
    return Text("{group}：{term}", "{group}: {term}").format(group=group, term=label(term))


def _names(level: Level, rows: pd.DataFrame) -> list[str]:
    """Name each group, by the groups around it too."""
    return [" · ".join(map(str, row)) for row in rows[list(level.columns)].itertuples(index=False)]


def _standardised(fit: MultilevelFit) -> tuple[np.ndarray, np.ndarray]:
    """Return the fitted values of the rows, and their residuals in standard deviations of the row."""
    left = fit.residuals().to_numpy()
    root = 1.0 if fit.design.weights is None else np.sqrt(fit.design.weights)
    return fit.design.y - left, left * root / np.sqrt(fit.solution.sigma2)


def _cloud(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw rows as dots, or many of them as hexagons, and the means of twentieths of them."""
    many = len(x) > DOTS
    if many:
        from matplotlib import colormaps
        from matplotlib.colors import ListedColormap

        blues = ListedColormap(colormaps["Blues"](np.linspace(0.25, 1, 256)))  # a single row is seen too
        ax.hexbin(x, y, gridsize=40, bins="log", mincnt=1, cmap=blues, linewidths=0.1, zorder=2)
    else:
        ax.plot(x, y, "o", color="C0", markersize=2.5, alpha=0.5, markeredgewidth=0)
    order = np.argsort(x, kind="stable")
    bins = np.array_split(order, 20)
    ax.plot([x[b].mean() for b in bins if len(b)], [y[b].mean() for b in bins if len(b)], color="C1", zorder=3)
    ax.set_xlabel(str(Text("拟合值", "Fitted value")))
    kind = Text("{n} 行（六边形计数）", "{n} rows, counted in hexagons") if many else Text("{n} 行", "{n} rows")
    _say(ax, kind.format(n=f"{len(x):,}"))


def _say(ax: Axes, what: Text) -> None:
    """Say in small print above a panel what it shows."""
    ax.annotate(
        str(what),
        (1, 1),
        (0, 2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7.5,
        color="0.4",
    )


def _against_fitted(fit: MultilevelFit, ax: Axes) -> None:
    ax.axhline(0, color="0.6", linewidth=1, zorder=0)
    _cloud(ax, *_standardised(fit))
    ax.set_ylabel(str(Text("残差（标准差）", "Residual (SD)")))
    ax.set_title(str(Text("残差", "Residuals")))


def _scale_location(fit: MultilevelFit, ax: Axes) -> None:
    fitted, residual = _standardised(fit)
    _cloud(ax, fitted, np.sqrt(np.abs(residual)))
    ax.set_ylabel(str(Text("√|残差|（标准差）", "√|residual| (SD)")))
    ax.set_title(str(Text("离散程度", "Spread")))


def _of_rows(fit: MultilevelFit, ax: Axes) -> None:
    residual = np.sort(_standardised(fit)[1])
    n = len(residual)
    many = n > DOTS
    share = (np.arange(n) + 0.5) / n
    if many:  # the tails row by row, for there the model fails; quantiles between
        at = np.unique(np.r_[np.linspace(0, n - 1, QUANTILES).astype(int), :50, n - 50 : n])
        share, residual = share[at], residual[at]
    _quantiles(ax, norm.ppf(share), residual)
    ax.set_title(str(Text("残差的正态性", "Residuals, Q-Q")))
    ax.set_ylabel(str(Text("残差（标准差）", "Residual (SD)")))
    kind = Text("{n} 行（取 {shown} 点）", "{shown} of {n} rows") if many else Text("{n} 行", "{n} rows")
    _say(ax, kind.format(n=f"{n:,}", shown=len(share)))


def _of_groups(ax: Axes, level: Level, term: str, rows: pd.DataFrame, labels: bool) -> None:
    rows = rows[rows["standardised"].notna()].sort_values("standardised", kind="stable")
    residual = rows["standardised"].to_numpy()
    ax.set_title(str(_title(level, term)))
    if not len(rows):
        ax.set_axis_off()
        ax.text(0.5, 0.5, str(Text("方差估计为 0", "Variance estimated as 0")), ha="center", transform=ax.transAxes)
        return
    x = norm.ppf((np.arange(len(rows)) + 0.5) / len(rows))
    _quantiles(ax, x, residual)
    ax.set_ylabel(str(label("standardised")))
    _say(ax, Text("{n} 组", "{n} groups").format(n=f"{len(rows):,}"))
    if labels:
        outermost = np.argsort(-np.abs(residual), kind="stable")[:3]
        for i in outermost:
            above = residual[i] > 0
            ax.annotate(
                _names(level, rows.iloc[[i]])[0],
                (x[i], residual[i]),
                (0, 3 if above else -3),
                textcoords="offset points",
                fontsize=7.5,
                ha="right" if above else "left",
                va="bottom" if above else "top",
            )
        ax.margins(0.12)


def _quantiles(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    ax.axline((0, 0), slope=1, color="0.6", linewidth=1, zorder=0)
    ax.plot(x, y, "o", color="C0", markersize=2.5)
    ax.set_xlabel(str(Text("正态分位数", "Normal quantile")))
