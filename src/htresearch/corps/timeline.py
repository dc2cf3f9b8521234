"""A teacher's file as one figure: everything dated on one line of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from htresearch.corps.parts import COMMENDATIONS, leading
from htresearch.language import Text, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.corps.archive import Archive

#: The lanes, from the top.
LANES = {
    "class": Text("带班", "Classes led"),
    "tier": Text("梯队", "Tier"),
    "studio": Text("工作室", "Studio"),
    "training": Text("培训", "Training"),
    "commendation": Text("表彰", "Commendations"),
    "appraisal": Text("考核", "Appraisals"),
}
_TIER = {"backbone": 1, "renowned": 3, "chief": 2}
_RESULT = {"excellent": "o", "qualified": "o", "basically_qualified": "v", "unqualified": "X"}


def draw(file: Archive, ax: Axes | None = None) -> Axes:
    """Draw the time line of a file: bars for what lasts, marks for what happens on a day."""
    import matplotlib.dates as mdates
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(figsize=(6.8, 3.4))[1]
    height = {lane: len(LANES) - 1 - i for i, lane in enumerate(LANES)}
    until = pd.Timestamp(file.until)
    _bars(ax, height["class"], leading(file["spells"]) if len(file["spells"]) else file["spells"], until)
    _tiers(ax, height["tier"], file["tiers"], until)
    _studios(ax, height["studio"], file["studios"], until)
    _training(ax, height["training"], file["training"])
    honours = file["incentives"]
    if len(honours):
        days = honours.loc[honours["kind"].isin(COMMENDATIONS), "granted_on"]
        ax.plot(days, [height["commendation"]] * len(days), "D", color="C4", markersize=5)
    _appraisals(ax, height["appraisal"], file["appraisals"])
    ax.set_yticks(list(height.values()), [str(said) for said in LANES.values()])
    ax.set_ylim(-0.6, len(LANES) - 0.4)
    ax.grid(axis="y", visible=False)
    ax.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    ax.xaxis.set_major_formatter(mdates.DateFormatter("%Y-%m"))
    dated = file.tidy()
    if len(dated):
        first = dated["since"].min()
        room = (until - first) / 40 + pd.Timedelta(days=10)
        ax.set_xlim(first - room, until + room)
    return ax


def _bar(ax: Axes, height: float, since: pd.Timestamp, until: pd.Timestamp, colour: str, said: str) -> None:
    import matplotlib.dates as mdates

    start, end = mdates.date2num(since), mdates.date2num(until)
    ax.barh(height, end - start, left=start, height=0.5, color=colour, alpha=0.85, edgecolor="white", linewidth=1)
    if end - start > 200:  # days; a shorter bar has no room for words
        ink = "black" if colour == "C5" else "white"
        ax.text(start + 15, height, said, va="center", ha="left", fontsize=8, color=ink, clip_on=True)


def _bars(ax: Axes, height: float, spells: pd.DataFrame, until: pd.Timestamp) -> None:
    for row in spells.to_dict("records"):
        end = until if pd.isna(row["ends_on"]) else row["ends_on"]
        _bar(ax, height, row["starts_on"], end, "C0", str(row["class_id"]))


def _tiers(ax: Axes, height: float, tiers: pd.DataFrame, until: pd.Timestamp) -> None:
    """Draw how long each tier was held, and a mark where one was not accredited."""
    if not len(tiers):
        return
    for tier, rows in tiers.groupby("tier", observed=True):
        rows = rows[rows["decision"] != "not_accredited"]
        ends = [*rows["effective_on"], until][1:]
        for row, following in zip(rows.to_dict("records"), ends, strict=True):
            if row["decision"] in ("accredited", "renewed"):
                end = following if pd.isna(row["ends_on"]) else min(row["ends_on"], following)
                colour = f"C{_TIER.get(str(tier), 3)}"
                _bar(ax, height, row["effective_on"], end, colour, str(label(str(tier), within="tier")))
    lost = tiers[tiers["decision"].isin(["not_accredited", "revoked", "expired"])]
    ax.plot(lost["effective_on"], [height] * len(lost), "x", color="0.35", markersize=5)


def _studios(ax: Axes, height: float, studios: pd.DataFrame, until: pd.Timestamp) -> None:
    words = {"lead": Text("主持", "leads"), "member": Text("成员", "member")}
    for row in studios.to_dict("records"):
        end = until if pd.isna(row["left_on"]) else row["left_on"]
        _bar(ax, height, row["joined_on"], end, "C2" if row["part"] == "lead" else "C5", str(words[row["part"]]))


def _training(ax: Axes, height: float, training: pd.DataFrame) -> None:
    """Draw each event as a dot whose area goes with the hours."""
    if len(training):
        area = 6 + 5 * training["hours_attended"].clip(upper=20)
        ax.scatter(
            training["held_on"], [height] * len(training), s=area, color="C0", alpha=0.55, linewidth=0, zorder=2
        )


def _appraisals(ax: Axes, height: float, appraisals: pd.DataFrame) -> None:
    """Draw each appraisal by its result: filled where excellent, open where qualified, a cross where failed."""
    if not len(appraisals):
        return
    for result, rows in appraisals.groupby("result", observed=True):
        mark = _RESULT.get(str(result), "s")
        face = "none" if result == "qualified" else "C1"
        days = rows["decided_on"]
        ax.plot(days, [height] * len(days), mark, color="C1", markerfacecolor=face, markersize=5)
