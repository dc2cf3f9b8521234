"""One panel of the picture of a single case, and what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from htresearch.language import Text, label
from htresearch.singlecase.stretches import Case

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart by lightness and by an empty or a full point, so that a copy in black and white says the same.
_INK, _SOFT, _LINE = "#3A3A3A", "#6B6B6B", "#9A9A9A"
_COLOURS = ("#5A5A5A", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
_MARKERS = ("o", "o", "s", "^", "D")
_TARGET = "#B34700"


@dataclass(frozen=True, eq=False)
class Style:
    """What is the same in every panel of one figure."""

    kinds: dict[str, int]
    labels: Mapping[str, Text | str]
    target: float | None
    scale: str | None
    out_of: float | None
    median: bool
    alternating: bool

    def colour(self, phase: str) -> str:
        """The colour of a phase, the same wherever it comes back."""
        return _COLOURS[self.kinds[phase] % len(_COLOURS)]

    def marker(self, phase: str) -> dict[str, object]:
        """The points of a phase: empty in the first, full in the others."""
        number = self.kinds[phase]
        return {
            "marker": _MARKERS[number % len(_MARKERS)],
            "markersize": 6.2,
            "markeredgecolor": self.colour(phase),
            "markeredgewidth": 1.6,
            "markerfacecolor": "white" if number == 0 else self.colour(phase),
        }

    def name(self, phase: str, said: str | None = None) -> str:
        """What a phase is called, by its numbered name or by its own."""
        return str(self.labels.get(said or phase) or self.labels.get(phase) or label(said or phase, within="phase"))


#: Between panels, as a share of the height of one.
APART = 0.22


def panel(ax: Axes, case: Case, style: Style) -> list[float]:
    """Draw one case; return where its phases change."""
    stretches = case.stretches
    ax.grid(False)
    ax.grid(axis="y", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(_LINE)
    ax.tick_params(colors=_INK, length=3, color=_LINE, bottom=True, left=False)
    if style.alternating:
        _turns(ax, case, style)
        return []
    changes = [_middle(a.times[-1], b.times[0]) for a, b in pairwise(stretches)]
    ends = [case.times[0], *changes, case.times[-1]]
    pad = _step(case.times) / 2
    for number, stretch in enumerate(stretches):
        colour = style.colour(stretch.phase)
        ax.plot(
            stretch.times,
            stretch.values,
            color=colour,
            linewidth=1.5,
            zorder=3,
            **style.marker(stretch.phase),
            solid_capstyle="round",
            clip_on=False,
        )
        if style.median and len(stretch.seen):
            low = ends[number] - pad * (number == 0)
            high = ends[number + 1] + pad * (number == len(stretches) - 1)
            level = float(np.median(stretch.seen))
            ax.plot(
                [low, high],
                [level, level],
                color=colour,
                linewidth=5,
                alpha=0.22,
                zorder=1,
                gid="median",
                solid_capstyle="butt",
            )
    return changes


def _turns(ax: Axes, case: Case, style: Style) -> None:
    """Draw each condition of an alternating design as a line of its own, named at its end."""
    for phase in dict.fromkeys(case.phases):
        mine = (case.phases == phase) & ~np.isnan(case.values)
        if not mine.any():
            continue
        ax.plot(
            case.times[mine],
            case.values[mine],
            color=style.colour(phase),
            linewidth=1.5,
            zorder=3,
            label=style.name(phase),
            **style.marker(phase),
            clip_on=False,
        )
        if style.median:
            level = float(np.median(case.values[mine]))
            ax.plot(
                [case.times[0], case.times[-1]],
                [level, level],
                color=style.colour(phase),
                linewidth=5,
                alpha=0.22,
                zorder=1,
                gid="median",
                solid_capstyle="butt",
            )


def second_observer(ax: Axes, case: Case, values: np.ndarray, height: int) -> None:
    """Draw what the second observer recorded, with its key."""
    ax.plot(
        case.times,
        values,
        linestyle="none",
        marker="x",
        markersize=6,
        markeredgewidth=1.3,
        color=_TARGET,
        zorder=4,
        gid="second",
        clip_on=False,
    )
    said = Text("× 第二记录人", "× second observer")
    ax.annotate(
        str(said),
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, height),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=9,
        color=_TARGET,
    )


def places(case: Case) -> np.ndarray:
    """Return where each observation stands on the axis of time: days as Matplotlib counts them."""
    from matplotlib.dates import date2num

    return np.asarray(date2num(case.times), dtype=float) if case.dated else case.times


def _middle(a: float, b: float) -> float:
    return a + (b - a) / 2


def _step(times: np.ndarray) -> float:
    """The usual distance of two observations."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 1.0


def limits(axes: list[Axes], cases: list[Case], style: Style) -> None:
    """Give all panels the same axes: time as long as the longest, values from 0 where that is sound."""
    from matplotlib.ticker import MaxNLocator

    first, last = min(c.times[0] for c in cases), max(c.times[-1] for c in cases)
    pad = max(_step(c.times) for c in cases) * 3 / 5
    seen = np.concatenate(
        [c.values[~np.isnan(c.values)] for c in cases] + [[style.target]] * (style.target is not None)
    )
    low, high = float(seen.min()), float(seen.max())
    whole = style.out_of if style.scale == "share" else None
    if style.scale == "share" and whole is None:
        whole = 1.0 if high <= 1 else 100.0 if high <= 100 else None
    bottom = min(low, 0.0) if style.scale in ("count", "share") or (style.scale is None and low >= 0) else None
    reach = high - (low if bottom is None else bottom) or abs(high) or 1.0
    bottom = low - 0.12 * reach if bottom is None else bottom
    top = max(whole, high) + 0.02 * (max(whole, high) - bottom) if whole else high + 0.12 * reach
    for ax in axes:
        ax.set_xlim(first - pad, last + pad)
        ax.set_ylim(bottom, top)
        ax.yaxis.set_major_locator(MaxNLocator(5 if len(axes) == 1 else 4, integer=style.scale == "count"))


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ticks(ax: Axes, dated: bool, first: float, last: float) -> None:
    """Count records, or write days as people do, 9月2日 or 2 Sep, from the first on in days or whole weeks."""
    from matplotlib.dates import num2date
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if not dated:
        ax.xaxis.set_major_locator(MaxNLocator(12, integer=True, steps=[1, 2, 5, 10]))
        return
    apart = next((days for days in (1, 2, 7, 14, 28, 56) if (last - first) / days <= 8), (last - first) / 6)
    ax.set_xticks(np.arange(np.floor(first), last + 0.5, apart))

    def said(number: float, _: object) -> str:
        day = num2date(number)
        return str(Text(f"{day.month}月{day.day}日", f"{day.day} {_MONTHS[day.month - 1]}"))

    ax.xaxis.set_major_formatter(FuncFormatter(said))


def target_line(ax: Axes, target: float | None, named: bool) -> None:
    """Draw the value to reach."""
    if target is None:
        return
    ax.axhline(target, color=_TARGET, linewidth=1.2, linestyle=(0, (6, 2, 1.2, 2)), zorder=2, gid="target")
    if named:
        said = Text(f"目标 {target:g}", f"target {target:g}")
        ax.annotate(
            str(said),
            (1.0, target),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=_TARGET,
            annotation_clip=False,
        )


def steps(axes: list[Axes], changes: list[list[float]]) -> None:
    """Draw the lines between phases; where every panel has as many, they are joined into steps."""
    look = {"color": _INK, "linewidth": 1.2, "linestyle": (0, (5, 2.5)), "zorder": 2, "clip_on": False}
    joined = len(axes) > 1 and len({len(c) for c in changes}) == 1
    for number, (ax, where) in enumerate(zip(axes, changes, strict=True)):
        below = -APART / 2 if joined and number < len(axes) - 1 else 0.0
        above = 1 + APART / 2 if joined and number else 1.0 + (0.09 if len(axes) == 1 else 0.12) * (number == 0)
        for place, x in enumerate(where):
            xs, ys = [x, x], [above, below]
            if below:
                xs.append(changes[number + 1][place])
                ys.append(below)
            ax.plot(xs, ys, transform=ax.get_xaxis_transform(), gid="change", **look)


def phase_names(ax: Axes, case: Case, style: Style) -> int:
    """Write each phase's name above it, broken where the phase is short; return the number of lines."""
    if style.alternating:
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, borderaxespad=0.2, handlelength=1.6)
        return 1
    low, high = ax.get_xlim()
    point = ax.get_window_extent().width / ax.figure.dpi * 72 / (high - low)  # points of paper for one unit of time
    lines = 1
    for stretch in case.stretches:
        room = (stretch.times[-1] - stretch.times[0] + 0.8 * _step(case.times)) * point
        name = _broken(style.name(stretch.phase, stretch.name), room / 10.5)
        lines = max(lines, name.count("\n") + 1)
        ax.annotate(
            name,
            (_middle(stretch.times[0], stretch.times[-1]), 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=10.5,
            linespacing=1.15,
            color=style.colour(stretch.phase),
            gid="phase",
            annotation_clip=False,
        )
    return lines


def _broken(name: str, room: float) -> str:
    """Break a name into lines of at most `room` Chinese characters, or twice as many Latin ones.

    Examples
    --------
    >>> _broken("改变后：值日生提醒", 5)
    '改变后：值\\n日生提醒'
    >>> _broken("after the change", 5)
    'after the\\nchange'
    """
    import textwrap

    wide = sum(1 if ord(letter) > 0x2E7F else 0.52 for letter in name)
    if wide <= room:
        return name
    share = wide / len(name)
    lines = int(np.ceil(wide / max(room, 2)))
    width = max(int(room / share), int(np.ceil(len(name) / lines)), 2)
    return "\n".join(textwrap.wrap(name, width, break_long_words=share > 0.8))


def case_name(ax: Axes, name: str) -> None:
    """Write the name of a case beside its panel."""
    ax.annotate(
        name,
        (1.0, 0.5),
        xycoords="axes fraction",
        xytext=(8, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=10,
        color=_INK,
        gid="case",
    )


def words_around(axes: list[Axes], dated: bool, value_label: str, time_label: str, title: str, height: int) -> None:
    """Write what is on the axes: the values' words lie flat at the top, for turned Chinese is hard to read."""
    ax = axes[0]
    if value_label:
        ax.annotate(
            value_label,
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(-24, height),
            textcoords="offset points",
            ha="left",
            va="bottom",
            fontsize=9.5,
            color=_SOFT,
        )
        height += 16
    if title:
        ax.annotate(
            title,
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(-24, height + 2),
            textcoords="offset points",
            ha="left",
            va="bottom",
            fontsize=12.5,
            color="black",
        )
    usual = Text("日期", "Date") if dated else Text("第几次记录", "Record")
    axes[-1].set_xlabel(time_label or str(usual), fontsize=9.5, color=_SOFT)


def explain_bands(ax: Axes) -> None:
    """Say what the bands are."""
    said = Text("横带：各阶段的中位数", "bands: the median of each phase")
    ax.annotate(
        str(said),
        (1.0, 0.0),
        xycoords="axes fraction",
        xytext=(0, -25),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8.5,
        color=_SOFT,
    )
