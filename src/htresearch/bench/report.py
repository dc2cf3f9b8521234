"""The times as a table, as ratios to this engine's, and as a figure."""

from __future__ import annotations

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
    """Add how many times this engine's seconds each program takes for the same task and step; warm where known."""
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
    shown = ratios(times[times["step"] != "load"]).drop(columns="criterion")
    shown = shown[["task", "rows", "program", "step", "cold", "warm", "megabytes", "ratio", "trouble"]]
    shown["megabytes"] = shown["megabytes"].round()
    if not shown["trouble"].any():
        shown = shown.drop(columns="trouble")
    note = Text(
        "首次：新进程里的第一次拟合，含程序的载入；再次：其后最快的一次。htresearch 从 Parquet 文件算到系数表；"
        "其余程序的数据已在内存中，只计拟合。倍数：所用秒数是 htresearch 的几倍。",
        "Cold: the first fit of a fresh process, imports included; warm: the fastest one after it. htresearch goes "
        "from the Parquet file to the table of coefficients; the others have the data in memory, and only the fit "
        "counts. Ratio: how many times htresearch's seconds.",
    )
    return appearance.table(shown, note=note, names=_NAMES)


def figure(times: pd.DataFrame) -> Axes:
    """Draw the warm seconds of the nested model against its rows, a line per program."""
    import matplotlib.pyplot as plt

    appearance.theme()
    shown = times[(times["step"] == "fit") & times["task"].str.startswith("nested")]
    shown = shown[~shown["task"].str.contains("same groups")].assign(seconds=lambda t: t["warm"].fillna(t["cold"]))
    ax = plt.subplots(figsize=(6.8, 4.2))[1]
    for number, (program, rows) in enumerate(shown.dropna(subset=["seconds"]).groupby("program", sort=False)):
        rows = rows.sort_values("rows")
        ax.plot(rows["rows"], rows["seconds"], marker="os^Dv*P"[number % 7], color=f"C{number % 7}", label=program)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(str(Text("行数", "Rows")))
    ax.set_ylabel(str(Text("秒", "Seconds")))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
