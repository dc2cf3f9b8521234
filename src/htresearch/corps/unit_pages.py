"""What a report on one unit shows: tables and figures of a `UnitView`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.appearance import significant, table
from htresearch.corps.catalogue import UNITS, Definition, definitions
from htresearch.corps.unit_view import FEWEST_PEERS, PARTS, UnitView, kind_of
from htresearch.language import Text, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from htresearch.appearance import Table

#: What the trends show unless told otherwise: one or two of each measure.
_KEY = (
    "accredited_share",
    "training_hours",
    "trained_last_year",
    "theme_meetings_kept",
    "home_visits",
    "head_changes",
)
_HEADINGS = {
    "indicator": Text("指标", "Indicator"),
    "own": Text("本单位（95% 区间）", "This unit (95 % interval)"),
    "counts": Text("分子/分母", "Counts"),
    "peers": Text("同类（中间一半）", "Peers (middle half)"),
    "district": Text("全区", "District"),
    "target": Text("目标", "Target"),
    "reading": Text("怎么看", "Reading"),
    "part": Text("分项", "Part"),
    "why": Text("原因", "Reason"),
}
_ABOVE = Text("高", "above")
_BELOW = Text("低", "below")
_ALIKE = Text("分不出", "unclear")
_BESIDE = ("own", "counts", "peers", "district", "target")
_NONE = "–"
_WHOLE = Text("合计", "All")
_HIDDEN = Text("不显示", "not shown")
#: How a breakdown is headed.
_BY = {
    "tier": Text("按梯队层级", "By tier"),
    "stage": Text("按学段", "By stage"),
    "level": Text("按举办层级", "By level"),
    "theme": Text("按主题", "By theme"),
    "result": Text("按考核等次", "By result"),
}


def opening(view: UnitView) -> Table:
    """Return who the report is about, and whether it must stay inside."""
    rows = [
        (label(view.by), view.unit),
        (label("term_id"), view.term),
        (Text("学期第一天的班主任", "Head teachers on the first day"), str(view.n_heads)),
        (
            Text("同类", "Peers"),
            str(Text("{kind}，{n} 个", "{kind}: {n}").format(kind=kind_of(view), n=view.n_peers)),
        ),
    ]
    if view.n_peers < FEWEST_PEERS:
        few = Text(
            "同类不足 {n} 个，不作比较：那会说出别人的数", "fewer than {n}: no comparison, which would tell theirs"
        )
        rows.append((Text("比较", "Comparison"), str(few.format(n=FEWEST_PEERS))))
    cells = pd.DataFrame([(str(name), value) for name, value in rows], columns=["what", "value"])
    names = {"what": Text("项目", "Item"), "value": Text("内容", "Content")}
    return table(cells, title=view.mark or "", names=names)


def whole_table(view: UnitView) -> Table:
    """Return the indicators that could be computed."""
    known = definitions()
    rows = view.now()
    rows = rows[rows["estimate"].notna()]
    cells = pd.DataFrame([_line(row, known[row["indicator_id"]]) for row in rows.to_dict("records")])
    cells = cells if len(cells) else pd.DataFrame(columns=["indicator", *_BESIDE, "reading"])
    empty = [name for name in ("peers", "district", "target") if (cells[name] == _NONE).all()]
    if "peers" in empty:
        empty.append("reading")
    said = str(Text("", " ")).join(str(note) for note in view.notes)
    return _numbered(cells.drop(columns=empty), note=said)


def parts_table(view: UnitView, indicator_id: str) -> Table:
    """Return an indicator, and below it its parts by each of its breakdowns."""
    checks.require(checks.one_of("indicator_id", indicator_id, list(PARTS)))
    definition, rows = definitions()[indicator_id], view.now(indicator_id)
    whole = rows[rows["group"] == ""].iloc[0]
    if len(rows) == 1:
        why = str(whole["why"] or Text("本学期没有分项的记录", "no records of its parts this term"))
        return table(pd.DataFrame({"indicator": [str(definition.name)], "why": [why]}), names=_HEADINGS)
    if PARTS[indicator_id] == ("result",):
        rows = rows[rows["group"] != ""]  # the whole is one of its parts
    cells = pd.DataFrame([_part(row, definition) for row in rows.to_dict("records")])
    empty = [name for name in ("counts", "peers", "district") if (cells[name] == _NONE).all()]
    hidden = rows[rows["estimate"].isna()]
    said = [
        Text("{part}：{why}。", "{part}: {why}.").format(part=_named(row), why=row["why"])
        for row in hidden.to_dict("records")
    ]
    note = str(Text("", " ")).join(map(str, [definition.caution, *said]))
    return _numbered(cells.drop(columns=empty), note=note, groups="head")


def _numbered(cells: pd.DataFrame, note: str, groups: str | None = None) -> Table:
    """Return a table whose numbers stand to the right, each on a line with its interval."""
    right = [name for name in _BESIDE if name in cells]
    return table(cells, note=note, names=_HEADINGS, groups=groups, right=right, unbroken=right)


def _part(row: dict, definition: Definition) -> dict[str, str]:
    head = _BY[row["group"]] if row["group"] else definition.heading
    numbers = _numbers(row, definition)
    if numbers["own"] == _NONE:
        numbers |= {"own": str(_HIDDEN)}
    return {"head": str(head), "part": str(_named(row))} | {
        n: numbers[n] for n in ("own", "counts", "peers", "district")
    }


def _named(row: dict) -> Text | str:
    return label(row["value"], within=row["group"]) if row["group"] else _WHOLE


def missing_table(view: UnitView) -> Table:
    """Return the indicators that have no estimate, with the reasons."""
    known = definitions()
    rows = view.now()
    rows = rows[rows["estimate"].isna()]
    cells = [(str(known[name].name), str(why)) for name, why in zip(rows["indicator_id"], rows["why"], strict=True)]
    return table(pd.DataFrame(cells, columns=["indicator", "why"]), names=_HEADINGS)


def _line(row: dict, definition: Definition) -> dict[str, str]:
    return {
        "indicator": f"{definition.heading} · {', '.join(definition.clauses)}",
        **_numbers(row, definition),
        "reading": str(_reading(row)),
    }


def _numbers(row: dict, definition: Definition) -> dict[str, str]:
    """Write the unit's number with its interval and counts, and what stands beside it."""

    def number(value: float) -> str:
        if definition.unit == "share":
            return f"{100 * value:.1f}%" if np.isfinite(value) else _NONE
        return significant(value) if np.isfinite(value) else _NONE

    def between(low: float, high: float) -> str:
        a, b = number(low).removesuffix("%"), number(high).removesuffix("%")
        return str(Text("（{a}–{b}）", " ({a}–{b})")).format(a=a, b=b)

    own = number(row["estimate"])
    # Where all have the same an interval would claim to be sure of it.
    if np.isfinite([row["conf_low"], row["conf_high"]]).all() and row["conf_low"] < row["conf_high"]:
        own += between(row["conf_low"], row["conf_high"])
    peers = number(row["peers_median"])
    if peers != _NONE:
        peers += between(row["peers_low"], row["peers_high"])
    counted = definition.interval == "wilson" and np.isfinite(row["estimate"])
    return {
        "own": own,
        "counts": f"{row['numerator']:g}/{row['denominator']:g}" if counted else _NONE,
        "peers": peers,
        "district": number(row["district"]),
        "target": number(row["target"]),
    }


def _reading(row: dict) -> Text | str:
    if not np.isfinite([row["conf_low"], row["conf_high"], row["peers_low"], row["peers_high"]]).all():
        return _NONE
    if row["conf_low"] > row["peers_high"]:
        return _ABOVE
    return _BELOW if row["conf_high"] < row["peers_low"] else _ALIKE


def shares(view: UnitView) -> Figure:
    """Draw the shares of the term with their intervals over the middle half of the peers."""
    import matplotlib.pyplot as plt

    known = definitions()
    rows = view.now()
    share = np.array([known[name].unit == "share" for name in rows["indicator_id"]], bool)
    rows = rows[share & rows["estimate"].notna() & rows["conf_low"].notna()].iloc[::-1]
    drawn, ax = plt.subplots(figsize=(7.2, 1.4 + 0.27 * len(rows)))
    at = np.arange(len(rows))
    beside = rows["peers_median"].notna().to_numpy()
    if beside.any():
        peers = 100 * rows.loc[beside, ["peers_low", "peers_median", "peers_high"]].to_numpy()
        width = peers[:, 2] - peers[:, 0]
        middle = str(Text("同类的中间一半", "middle half of peers"))
        ax.barh(at[beside], width, left=peers[:, 0], height=0.6, color="0.85", label=middle)
        median = str(Text("同类的中位数", "median of peers"))
        ax.plot(peers[:, 1], at[beside], "|", color="0.4", markersize=10, label=median)
    own = str(Text("本单位，95% 区间", "this unit, 95 % interval"))
    ax.hlines(at, 100 * rows["conf_low"], 100 * rows["conf_high"], color="C0", linewidth=1.6)
    ax.plot(100 * rows["estimate"], at, "o", color="C0", markersize=5, label=own)
    ax.set_yticks(at, [str(known[name].name) for name in rows["indicator_id"]])
    ax.set_xlim(-2, 102)
    ax.set_xlabel(str(Text("百分比（%）", "Per cent")))
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.5 / (1 + 0.27 * len(rows))), ncols=3)
    return drawn


def over_terms(view: UnitView, indicator_ids: Collection[str] | None) -> Figure:
    """Draw indicators over terms, each in a panel of its own."""
    import matplotlib.pyplot as plt

    known = definitions()
    checks.require(*(checks.one_of("indicator_ids", one, list(known)) for one in indicator_ids or ()))
    wholes = view.frame[view.frame["group"] == ""]
    there = set(wholes.loc[wholes["estimate"].notna(), "indicator_id"])
    chosen = [name for name in indicator_ids or _KEY if name in there]
    lines = max((len(chosen) + 1) // 2, 1)
    drawn, axes = plt.subplots(lines, 2, figsize=(7.2, 2.1 * lines), squeeze=False, sharex=True)
    drawn.subplots_adjust(hspace=0.28, wspace=0.24)  # enough for these panels, and far quicker than a layout engine
    for ax in axes.flat[len(chosen) :]:
        ax.axis("off")
    for ax, name in zip(axes.flat, chosen, strict=False):
        _panel(ax, wholes[wholes["indicator_id"] == name], known[name])
    return drawn


def _panel(ax: Axes, rows: pd.DataFrame, definition: Definition) -> None:
    share = definition.unit == "share"
    numbers = rows.set_index("term_id")[
        ["estimate", "conf_low", "conf_high", "peers_low", "peers_median", "peers_high"]
    ]
    numbers = numbers * (100 if share else 1)
    at = np.arange(len(numbers))
    ax.fill_between(at, numbers["peers_low"], numbers["peers_high"], color="0.85", linewidth=0)
    ax.plot(at, numbers["peers_median"], color="0.4", linestyle="--", linewidth=1)
    ax.vlines(at, numbers["conf_low"], numbers["conf_high"], color="C0", linewidth=1.5, alpha=0.6)
    ax.plot(at, numbers["estimate"], "o-", color="C0", linewidth=1, markersize=4)
    ax.set_xticks(at, numbers.index, rotation=30)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("%" if share else str(UNITS[definition.unit]))
    ax.set_title(str(definition.name), fontsize=9)
