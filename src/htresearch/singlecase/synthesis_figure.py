"""The forest plot: every effect, study by study, and the mean below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from htresearch.language import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.singlecase.synthesis import Synthesis


def forest(found: Synthesis, ax: Axes | None = None) -> Axes:
    """Draw a forest plot; with moderators there is no diamond, as there is no one mean."""
    import matplotlib.pyplot as plt

    effects = found.effects
    order = {name: i for i, name in enumerate(dict.fromkeys(effects["study"]))}
    effects = effects.sort_values("study", key=lambda s: s.map(order), kind="stable").reset_index(drop=True)
    pooled = len(found.frame) == 1
    if ax is None:
        ax = plt.subplots(figsize=(6.8, 0.27 * (len(effects) + 2 * pooled) + 1.4))[1]
    z = stats.norm.ppf((1 + found.conf_level) / 2)
    height = np.arange(len(effects))[::-1] + (2.0 if pooled else 0.0)
    reach = z * effects["std_error"]
    ax.axvline(0, color="0.3", linewidth=1, zorder=1)
    ax.hlines(height, effects["estimate"] - reach, effects["estimate"] + reach, color="C0", linewidth=1.4, zorder=2)
    size = 20 + 130 * effects["weight"] / effects["weight"].max()
    ax.scatter(effects["estimate"], height, s=size, marker="s", color="C0", zorder=3)
    ticks, names = list(height), [_name(row) for row in effects.itertuples()]
    if pooled:
        _diamond(ax, found)
        ticks.append(0.4)
        names.append(str(Text("合并", "All together")))
    ax.set_yticks(ticks, names)
    ax.set_ylim(-0.6, height[0] + 0.6)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(
        str(
            Text("效应量与 {level:.0f}% 区间", "Effect with {level:.0f} % interval").format(
                level=100 * found.conf_level
            )
        )
    )
    return ax


def _name(row) -> str:
    return row.case if row.case == row.study else f"{row.study} · {row.case}"


def _diamond(ax: Axes, found: Synthesis) -> None:
    row, about = found.frame.iloc[0], found.summary.iloc[0]
    middle, low, high = row["estimate"], row["conf_low"], row["conf_high"]
    if np.isfinite(about["predict_low"]):
        ax.hlines(0.4, about["predict_low"], about["predict_high"], color="C1", linewidth=1.2, linestyle=":")
    if np.isfinite(low):
        ax.fill([low, middle, high, middle], [0.4, 0.75, 0.4, 0.05], color="C1", zorder=3)
    else:
        ax.plot([middle], [0.4], "D", color="C1", zorder=3)
    ax.axvline(middle, color="C1", linewidth=0.8, linestyle="--", zorder=1)
