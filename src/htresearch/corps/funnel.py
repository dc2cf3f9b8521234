"""Funnel plots and trends of indicators: no unit is ranked, and none is named unless that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import bdtr, ndtri

from htresearch import checks
from htresearch.checks import argument
from htresearch.corps.catalogue import UNITS, Definition, definitions
from htresearch.errors import Fault
from htresearch.language import Text, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    half = ndtri(1 - tail) * error
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


def _draw_limits(ax: Axes, definition: Definition, district: pd.Series, denominators: pd.Series) -> None:
    low, high = max(denominators.min() * 0.8, 1), denominators.max() * 1.1 + 1
    if definition.interval == "wilson":
        n = np.unique(np.linspace(np.floor(low), np.ceil(high), _POINTS).astype(int))
    else:
        n = np.linspace(low, high, _POINTS)
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
