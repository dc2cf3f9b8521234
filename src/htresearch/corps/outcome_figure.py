"""How a teacher's classes did, drawn beside comparable classes: a panel for each measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htresearch.language import Text, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

#: So many panels at most stand beside one another.
_BESIDE = 4


def draw(outcomes: pd.DataFrame, on: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw a panel for each measure, the terms from left to right, on a new figure or on one that is there."""
    import matplotlib.pyplot as plt

    measures = list(dict.fromkeys(outcomes["measure"]))
    wide = min(len(measures), _BESIDE)
    tall = -(-len(measures) // _BESIDE)
    figure = on or plt.figure(figsize=(6.8, 2.4 * tall), layout="constrained")
    axes = figure.subplots(tall, wide, squeeze=False, sharey=True)
    terms = list(outcomes.sort_values("term_index")["term_id"].unique())
    for ax, measure in zip(axes.flat, measures, strict=False):
        draw_measure(outcomes[outcomes["measure"] == measure], terms, ax)
        ax.set_title(str(label(measure)), fontsize=10)
    for ax in list(axes.flat)[len(measures) :]:
        ax.set_visible(False)
    axes[0][0].set_ylabel(str(Text("标准分（0 为平均）", "SD units (0: average)")))
    return figure


def draw_measure(rows: pd.DataFrame, terms: Sequence[str], ax: Axes) -> None:
    """Draw the classes' means with their intervals over the middle half of comparable classes."""
    place = {term: x for x, term in enumerate(terms)}
    ax.axhline(0, color="0.6", linewidth=0.8, zorder=1)
    for row in rows.drop_duplicates(["term_id", "grade", "others_low"]).to_dict("records"):
        if np.isfinite(row["others_low"]):
            x, low, high = place[row["term_id"]], row["others_low"], row["others_high"]
            ax.bar(x, high - low, bottom=low, width=0.6, color="0.87", zorder=0)
            ax.hlines(row["others_median"], x - 0.3, x + 0.3, color="0.55", linewidth=1.2, zorder=1)
    classes = list(dict.fromkeys(rows["class_id"]))
    for number, name in enumerate(classes):
        own = rows[rows["class_id"] == name].sort_values("term_index")
        x = [place[term] + 0.12 * (number - (len(classes) - 1) / 2) for term in own["term_id"]]
        ax.vlines(x, own["conf_low"], own["conf_high"], color=f"C{number}", linewidth=1.6)
        ax.plot(x, own["estimate"], "osD^v"[number % 5] + "-", color=f"C{number}", markersize=4.5, linewidth=0.9)
    ax.set_xticks(list(place.values()), list(place), rotation=45, ha="right", fontsize=8)
    ax.set_xlim(-0.6, len(place) - 0.4)
    ax.grid(axis="x", visible=False)
