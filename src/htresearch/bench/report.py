"""The times as a table, as ratios to this project's, and as a figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from htresearch import appearance
from htresearch.language import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS = "htresearch"
_NAMES = {
    "task": Text("任务", "task"),
    "rows": Text("行数", "rows"),
    "program": Text("程序", "program"),
    "step": Text("步骤", "step"),
    "cold": Text("首次（秒）", "cold, s"),
    "warm": Text("再次（秒）", "warm, s"),
    "megabytes": Text("内存峰值（MB）", "peak MB"),
    "ratio": Text("倍数", "ratio"),
    "trouble": Text("问题", "trouble"),
}


def ratios(times: pd.DataFrame) -> pd.DataFrame:
    """Add how many times this project's seconds each program takes for the same task and step; warm where known."""
    found = times.copy()
    seconds = found["warm"].fillna(found["cold"])
    ours = found.assign(seconds=seconds)[found["program"].str.startswith(OURS)]
    # Known data come as frames only; else the one that reads Parquet itself counts.
    ours = ours.drop_duplicates(["task", "step"]).set_index(["task", "step"])["seconds"]
    keys = pd.MultiIndex.from_frame(found[["task", "step"]])
    found["ratio"] = seconds / ours.reindex(keys).to_numpy()
    return found


def table(times: pd.DataFrame) -> appearance.Table:
    """Show the times."""
    shown = ratios(times[times["step"] != "load"])
    shown = shown[["task", "rows", "program", "step", "cold", "warm", "megabytes", "ratio", "trouble"]]
    shown["megabytes"] = shown["megabytes"].round()
    if not shown["trouble"].any():
        shown = shown.drop(columns="trouble")
    note = Text(
        "首次：新进程里的第一次，含程序的载入；再次：其后最快的一次，超过一分钟的不再重复。拟合与量表：其余程序的数据已在内存中，"
        "只计计算；htresearch 的拟合从 Parquet 文件算到系数表。倍数：所用秒数是 htresearch 的几倍。",
        "Cold: the first time in a fresh process, imports included; warm: the fastest one after it, none after a "
        "minute. Fits and scales: the others have the data in memory, and only the computation counts; htresearch "
        "fits from the Parquet file to the table of coefficients. Ratio: how many times htresearch's seconds.",
    )
    return appearance.table(shown, note=note, names=_NAMES)


def figure(times: pd.DataFrame) -> Axes:
    """Draw the seconds of one group of tasks: of the engine against rows, else a line of marks for each task."""
    import matplotlib.pyplot as plt

    appearance.theme()
    shown = times[times["step"] != "load"].assign(seconds=times["warm"].fillna(times["cold"]))
    shown = shown.dropna(subset=["seconds"])
    nested = shown[shown["task"].str.startswith("nested") & ~shown["task"].str.contains("same groups")]
    tasks = list(dict.fromkeys(shown["task"]))[::-1]
    ax = plt.subplots(figsize=(6.8, 4.2 if len(nested) else 0.45 * len(tasks) + 1.3))[1]
    if len(nested):
        for look, rows in _by_program(nested.sort_values("rows")):
            ax.plot(rows["rows"], rows["seconds"], **look)
        ax.set(yscale="log", xlabel=str(Text("行数", "Rows")), ylabel=str(_SECONDS))
    else:
        for look, rows in _by_program(shown):
            ax.plot(rows["seconds"], rows["task"].map(tasks.index), linestyle="", **look)
        ax.set_yticks(range(len(tasks)), tasks)
        ax.set_xlabel(str(_SECONDS))
    ax.set_xscale("log")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


_SECONDS = Text("秒", "Seconds")


def _by_program(times: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    for number, (program, rows) in enumerate(times.groupby("program", sort=False)):
        yield {"marker": "os^Dv*PX"[number % 8], "color": f"C{number % 8}", "label": program}, rows
