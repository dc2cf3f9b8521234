"""Funnel plots and trends of indicators: no unit is ranked, and none is named unless that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.checks import argument
from htresearch.corps.catalogue import UNITS, Definition, definitions
from htresearch.errors import Fault
from htresearch.language import Text, label
from htresearch.result import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htresearch.corps.indicators import Indicators

#: The two pairs of limits.
LEVELS = (0.95, 0.998)
_POINTS = 200


def binomial_limit(share: float, n: np.ndarray, below: float) -> np.ndarray:
    """Return the exact limit of a share under which `below` of the units with `n` cases fall by chance.

    Interpolated between whole numbers of cases, so that the funnel has no steps.

    References
    ----------
    Spiegelhalter, D. J. (2005). Funnel plots for comparing institutional performance. Statistics in Medicine, 24,
    1185-1202, appendix A.1.1. https://doi.org/10.1002/sim.1970
    """
    from scipy.special import bdtr

    limits = np.empty(len(n))
    for i, cases in enumerate(np.asarray(n, float)):
        # The smallest r with P(R <= r) >= below.
        low, high = -1, int(np.ceil(cases))
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if bdtr(middle, int(cases), share) >= below else (middle, high)
        at = bdtr(high, int(cases), share)
        under = bdtr(high - 1, int(cases), share) if high > 0 else 0.0
        limits[i] = (high - (at - below) / (at - under)) / cases
    return np.clip(limits, 0, 1)


def limits(definition: Definition, district: pd.Series, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the funnel around the district's value at the given denominators."""
    tail = (1 - level) / 2
    if definition.interval == "wilson":
        share = district["numerator"] / district["denominator"]
        per = definition.per
        return per * binomial_limit(share, n, tail), per * binomial_limit(share, n, 1 - tail)
    # A mean of as many as the denominator says, drawn from the district's: its error shrinks with the root.
    error = district["std_error"] * np.sqrt(district["denominator"] / n)
    half = NormalDist().inv_cdf(1 - tail) * error
    return np.maximum(district["estimate"] - half, 0), district["estimate"] + half


def funnel(result: Indicators, indicator_id: str | None, term: str | None, labels: bool, ax: Axes | None) -> Axes:
    """Draw each unit's estimate against its denominator within the limits of chance; see `Indicators.plot`."""
    import matplotlib.pyplot as plt

    known = list(dict.fromkeys(result.frame["indicator_id"]))
    indicator_id = known[0] if indicator_id is None and len(known) == 1 else indicator_id
    checks.require(checks.one_of("indicator_id", indicator_id, known))
    rows, definition = result.of(indicator_id), definitions()[indicator_id]
    rows = rows[rows["estimate"].notna()]
    terms = list(dict.fromkeys(result.frame["term_id"]))
    checks.require(None if term is None else checks.one_of("term", term, terms))
    if term is None and len(rows):
        term = max(rows["term_id"], key=terms.index)
    rows = rows[rows["term_id"] == term]
    checks.require(None if len(rows) else _nothing(indicator_id, term))
    whole = result.district
    whole = whole[(whole["indicator_id"] == indicator_id) & (whole["term_id"] == term) & (whole["group"] == "")].iloc[
        0
    ]
    ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")[1] if ax is None else ax
    _draw_limits(ax, definition, whole, rows["denominator"])
    ax.plot(
        rows["denominator"],
        rows["estimate"],
        "o",
        color="C0",
        markersize=5,
        alpha=0.75,
        label=str(Text("各单位", "units")),
    )
    if labels:
        for _, row in rows.iterrows():
            ax.annotate(
                row[result.unit],
                (row["denominator"], row["estimate"]),
                xytext=(4, 3),
                fontsize=8,
                textcoords="offset points",
            )
    ax.set_xlabel(str(Text("分母：{d}", "Denominator: {d}").format(d=definition.denominator)))
    ax.set_ylabel(_axis(definition))
    ax.set_title(str(Text("{name}（{term}）", "{name} ({term})").format(name=definition.name, term=term)))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    return ax


def _grid(definition: Definition, denominators: pd.Series) -> np.ndarray:
    """Return the denominators at which limits are drawn."""
    low, high = max(denominators.min() * 0.8, 1), denominators.max() * 1.1 + 1
    if definition.interval == "wilson":
        return np.unique(np.linspace(np.floor(low), np.ceil(high), _POINTS).astype(int))
    return np.linspace(low, high, _POINTS)


def _draw_limits(ax: Axes, definition: Definition, district: pd.Series, denominators: pd.Series) -> None:
    n = _grid(definition, denominators)
    ax.axhline(district["estimate"], color="0.3", linewidth=1, label=str(Text("全区", "district")))
    if definition.interval not in ("wilson", "ratio") or not np.isfinite(district["std_error"]):
        return
    for level, style in zip(LEVELS, ("--", "-"), strict=True):
        said = str(Text("{p:g}% 界限", "{p:g} % limits").format(p=100 * level))
        for number, line in enumerate(limits(definition, district, n, level)):
            ax.plot(n, line, style, color="C1", linewidth=1, label=said if not number else None)


def _nothing(indicator_id: str, term: str | None) -> Fault:
    return Fault(
        argument("indicator_id"),
        Text("{name} 在{term}没有任何估计值", "{name} has no estimate in {term}").format(
            name=indicator_id, term=term or Text("任何学期", "any term")
        ),
        Text("原因见 tidy() 的 why 一列", "The column why of tidy() says why"),
    )


def _axis(definition: Definition) -> str:
    unit = UNITS[definition.unit]
    return str(Text("{name}（{unit}）", "{name} ({unit})").format(name=definition.name, unit=unit))


def trend(result: Indicators, indicator_id: str, unit: str | None, ax: Axes | None) -> Axes:
    """Draw an indicator over terms with intervals; see `Indicators.trend`."""
    import matplotlib.pyplot as plt

    result.of(indicator_id)
    units = list(dict.fromkeys(result.frame[result.unit]))
    checks.require(None if unit is None else checks.one_of("unit", unit, units))
    definition = definitions()[indicator_id]
    terms = sorted(set(result.frame["term_id"]))
    whole = result.district
    lines = [(str(Text("全区", "district")), whole[(whole["indicator_id"] == indicator_id) & (whole["group"] == "")])]
    if unit is not None and result.by is not None:
        rows = result.of(indicator_id)
        lines.append((unit, rows[rows[result.unit] == unit]))
    ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")[1] if ax is None else ax
    for number, (name, rows) in enumerate(lines):
        rows = rows.set_index("term_id").reindex(terms)
        at = np.arange(len(terms)) + 0.08 * (number - (len(lines) - 1) / 2)
        ax.vlines(at, rows["conf_low"], rows["conf_high"], color=f"C{number}", linewidth=2, alpha=0.6)
        ax.plot(at, rows["estimate"], "os"[number] + "-", color=f"C{number}", label=name, linewidth=1)
    # A lone target is the district's, or that of the unit's kind.
    target = lines[-1][1]["target"].dropna()
    if len(target):
        ax.axhline(target.iloc[-1], color="0.4", linestyle=":", label=str(label("target")))
    ax.set_xticks(range(len(terms)), terms)
    ax.set_ylabel(_axis(definition))
    ax.margins(y=0.08)
    ax.set_ylim(bottom=0)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)
    return ax


@dataclass(frozen=True)
class Funnel(Estimates):
    """Units within the limits of chance around their district's value, none of them named.

    Attributes
    ----------
    frame : pandas.DataFrame
        By ``line``: a row per ``"unit"`` with its denominator and estimate; the ``"district"``; the ``"typical"``
        size of a school; and ``"limits"``: at each denominator the 95 % limits (conf_low, conf_high) and the 99.8 %
        ones (outer_low, outer_high).
    rows : pandas.DataFrame
        The rows of `Indicators` that are drawn, the district's last.
    by : str
        What the units are.
    """

    rows: pd.DataFrame = field(default_factory=pd.DataFrame, kw_only=True, repr=False, compare=False)
    by: str = field(default="school_id", kw_only=True)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the units, the district's value and the limits; `terms` is of no use here."""
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")[1] if ax is None else ax
        definition = definitions()[self.frame["term"].iloc[0]]
        parts = dict(list(self.frame.groupby("line", sort=False)))
        grid = parts["limits"]
        edges = (("conf_low", "conf_high", "--"), ("outer_low", "outer_high", "-"))
        for level, (low, high, style) in zip(LEVELS, edges, strict=True):
            said = str(Text("{p:g}% 界限", "{p:g} % limits").format(p=100 * level))
            ax.plot(grid["denominator"], grid[low], style, color="C1", linewidth=1, label=said)
            ax.plot(grid["denominator"], grid[high], style, color="C1", linewidth=1)
        ax.axhline(
            parts["district"]["estimate"].iloc[0], color="0.3", linewidth=1, label=str(Text("全区", "district"))
        )
        size = str(Text("一所中等学校的大小", "size of a middling school"))
        ax.axvline(parts["typical"]["denominator"].iloc[0], color="0.6", linestyle=":", linewidth=1.2, label=size)
        if "unit" in parts:
            name = str(Text("各学区", "school zones") if self.by == "zone_id" else Text("各学校", "schools"))
            units = parts["unit"]
            ax.plot(units["denominator"], units["estimate"], "o", color="C0", markersize=6, alpha=0.8, label=name)
        ax.set_xlabel(str(Text("分母：{d}", "Denominator: {d}").format(d=definition.denominator)))
        _scaled(ax, definition)
        ax.set_xlim(left=0)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
        return ax

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import figure

        alt = str(Text("漏斗图：{n} 个单位。", "Funnel plot of {n} units.").format(n=self.summary["n_drawn"].iloc[0]))
        return figure(self.plot(), alt)._repr_mimebundle_(include, exclude)


def funnel_of(result: Indicators, indicator_id: str, term: str, typical: float) -> Funnel:
    """Return the funnel of one indicator in one term, from the size of a middling school to that of the largest unit.

    Parameters
    ----------
    result
        Of units, what is not to be shown being hidden.
    indicator_id, term
        Which.
    typical
        The denominator of a middling school.
    """
    definition = definitions()[indicator_id]
    checks.require(None if definition.interval in ("wilson", "ratio") else _no_limits(indicator_id))
    whole = result.district[(result.district["term_id"] == term) & (result.district["group"] == "")]
    district = whole[whole["indicator_id"] == indicator_id].iloc[0]
    checks.require(None if district["std_error"] > 0 else _nothing(indicator_id, term))
    rows = result.of(indicator_id)
    rows = rows[rows["term_id"] == term]
    drawn = rows[rows["estimate"].notna()]
    grid = _grid(definition, pd.concat([drawn["denominator"], pd.Series([typical])]))
    edges = funnel_limits(district, grid)
    parts = [
        drawn[["denominator", "estimate"]].sort_values(["denominator", "estimate"]).assign(line="unit"),
        pd.DataFrame(
            {"denominator": [district["denominator"]], "estimate": [district["estimate"]], "line": "district"}
        ),
        pd.DataFrame({"denominator": [float(typical)], "line": "typical"}),
        pd.DataFrame(
            {"denominator": grid.astype(float), **edges, "level": 95.0, "outer_level": 99.8, "line": "limits"}
        ),
    ]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True).assign(term=indicator_id)
    summary = pd.DataFrame(
        {
            "indicator_id": [indicator_id],
            "term_id": [term],
            "n_drawn": [len(drawn)],
            "n_hidden": [len(rows) - len(drawn)],
        }
    )
    said = Text("{n} 个单位因涉及的人太少而不画。", "{n} units rest on too few persons and are not drawn.")
    note = (said.format(n=len(rows) - len(drawn)),) if len(drawn) < len(rows) else ()
    shown = pd.concat([drawn, district.to_frame().T.infer_objects()], ignore_index=True)
    return Funnel(frame, summary, note, result.source, rows=shown, by=result.by)


def funnel_limits(district: pd.Series, n: np.ndarray) -> dict[str, np.ndarray]:
    """Return both pairs of limits around a district's row at some denominators, by the columns of `Funnel`."""
    definition = definitions()[district["indicator_id"]]
    inner, outer = (limits(definition, district, n, level) for level in LEVELS)
    return dict(zip(("conf_low", "conf_high", "outer_low", "outer_high"), (*inner, *outer), strict=True))


def _no_limits(indicator_id: str) -> Fault:
    return Fault(
        argument("indicator_id"),
        Text("这个指标没有漏斗图的界限", "has no limits for a funnel"),
        Text("请选比例或人均的指标", "Choose a share or a mean"),
        indicator_id,
    )


def _scaled(ax: Axes, definition: Definition) -> None:
    """Name the axis of values, and write shares in per cent."""
    if definition.unit == "share":
        from matplotlib.ticker import PercentFormatter

        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.set_ylabel(str(definition.name))
    else:
        ax.set_ylabel(_axis(definition))


def panels(rows: Mapping[str, pd.DataFrame], columns: int) -> Figure:
    """Draw indicators over terms, each in a panel of its own, with intervals and targets.

    Parameters
    ----------
    rows
        By indicator, a row per term in order.
    columns
        How many stand side by side.
    """
    import matplotlib.pyplot as plt

    known = definitions()
    lines = -(-len(rows) // columns)
    drawn, axes = plt.subplots(lines, columns, figsize=(7.4, 0.5 + 2.0 * lines), squeeze=False, layout="constrained")
    for ax in axes.flat[len(rows) :]:
        ax.set_axis_off()
    for ax, (name, own) in zip(axes.flat, rows.items(), strict=False):
        definition, at = known[name], np.arange(len(own))
        interval = str(Text("95% 区间", "95 % interval"))
        ax.vlines(at, own["conf_low"], own["conf_high"], color="C0", linewidth=2, alpha=0.6, label=interval)
        ax.plot(at, own["estimate"], "o-", color="C0", linewidth=1, markersize=4, label=str(Text("全区", "district")))
        target = own["target"].dropna()
        if len(target):
            said = str(label("target"))
            ax.axhline(target.iloc[-1], color="C1", linestyle=":", linewidth=1.4, label=said)
        ax.set_xticks(at, own["term_id"], fontsize=7)
        ax.set_xlim(-0.4, len(own) - 0.6)  # terms without a number keep their place
        ax.margins(y=0.12)
        ax.set_ylim(bottom=0)
        _scaled(ax, definition)
        ax.set_ylabel("" if definition.unit == "share" else str(UNITS[definition.unit]))
        ax.set_title(fill(str(definition.name), 36), fontsize=9)
    shown = {said: mark for ax in axes.flat for mark, said in zip(*ax.get_legend_handles_labels(), strict=True)}
    drawn.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=3)
    drawn.get_layout_engine().set(h_pad=0.12)
    return drawn
