"""Page two: the numbers, with their intervals."""

from __future__ import annotations

import math

from htresearch.language import Text
from htresearch.publish.class_report.contents import Table
from htresearch.publish.class_report.evidence import phase_names
from htresearch.publish.class_report.findings import Findings, Interval
from htresearch.publish.class_report.quantity import number, per_cent


def levels(found: Findings) -> Table:
    """A row per stretch: how many records, and where they lie."""
    quantity = found.quantity
    names = [str(name)[:1].upper() + str(name)[1:] for name in phase_names(found)]
    rows = list(zip(names, (found.before, found.after), strict=True))
    if found.study.plan.design == "ABAB" and len(found.runs) > 2:
        rows = []
        seen = {"A": 0, "B": 0}
        for run in found.runs:
            seen[run.phase] += 1
            rows.append((f"{names['AB'.index(run.phase)]} {seen[run.phase]}", run))
    unit = f"（{quantity.unit}）" if quantity.unit else ""
    english = f" ({quantity.unit})" if quantity.unit else ""
    head = (
        Text("水平", "Level"),
        Text("记录", "Records"),
        Text("缺", "Missing"),
        Text(f"中位数{unit}", f"Median{english}"),
        Text("平均数", "Mean"),
        Text("最低–最高", "Range"),
    )
    cells = tuple(
        (
            name,
            str(level.records),
            str(level.records - level.observed),
            quantity.plain(level.median, 1),
            quantity.plain(level.mean, 1),
            quantity.span(level.low, level.high) if level.observed else "–",
        )
        for name, level in rows
    )
    return Table("", tuple(map(str, head)), cells, (1, 2, 3, 4, 5))


def comparison(found: Findings) -> Table:
    """A row per index; the probability of chance only where lots were drawn."""
    rows = [row for row in (_nap(found), _tau(found), _change(found), _chance(found)) if row]
    head = (
        Text("比较", "Comparison"),
        Text("数值", "Value"),
        Text("95% 区间", "95% interval"),
        Text("怎样读", "How to read it"),
    )
    return Table("", tuple(map(str, head)), tuple(tuple(map(str, row)) for row in rows), (1, 2))


def _nap(found: Findings) -> tuple | None:
    if found.nap is None:
        return None
    return (
        Text("更好的比例（NAP）", "Share of better pairs (NAP)"),
        per_cent(found.nap.estimate),
        _span(found.nap, per_cent),
        Text("50% 是没有差别，100% 是次次更好", "50% is no difference, 100% is better every time"),
    )


def _tau(found: Findings) -> tuple | None:
    if found.tau is None:
        return None
    return (
        Text("不重叠的程度（Tau）", "Nonoverlap (Tau)"),
        number(found.tau.estimate, 2),
        _span(found.tau, lambda x: number(x, 2)),
        Text("0 是没有差别，1 是次次更好，−1 是次次更差", "0 is no difference, 1 better and −1 worse every time"),
    )


def _change(found: Findings) -> tuple | None:
    if found.change is None:
        return None
    if found.change_kind == "lrr":

        def ratio(log: float) -> str:
            written = number(100 * math.expm1(log), 0)
            return f"{written}%" if written == "0" or not written[0].isdigit() else f"+{written}%"

        return (
            Text("平均水平的变化（LRR）", "Change of the mean (LRR)"),
            ratio(found.change.estimate),
            _span(found.change, ratio),
            Text("改变后的平均数比改变前多或少百分之几", "How much more or less than before, of the mean before"),
        )
    return (
        Text("标准化的差（SMD）", "Standardised difference (SMD)"),
        number(found.change.estimate, 2),
        _span(found.change, lambda x: number(x, 2)),
        Text(
            "以改变前的起伏（标准差）为一个单位，正数是变好", "In standard deviations of before; positive is better"
        ),
    )


def _chance(found: Findings) -> tuple | None:
    chance = found.chance
    if chance is None:
        return None
    p = "< 0.001" if chance.p_value < 0.001 else number(chance.p_value, 3)
    least = "< 0.001" if chance.smallest < 0.001 else number(chance.smallest, 3)
    return (
        Text("单凭抽签碰巧的可能（p）", "Chance of the lots alone (p)"),
        p,
        "–",
        Text(
            f"办法毫无作用时，抽签碰巧抽出这样好的比例（或更好）的可能；能抽的有 {chance.possible} 种，"
            f"最小也有 {least}",
            f"How often lots alone do as well or better if nothing changed; with {chance.possible} possible "
            f"draws, never "
            f"below {least}",
        ),
    )


def _span(interval: Interval, write) -> str:
    if math.isnan(interval.low) or math.isnan(interval.high):
        return "–"
    return str(Text("{0} 到 {1}", "{0} to {1}")).format(write(interval.low), write(interval.high))


def remarks(found: Findings) -> list[Text]:
    """How to take the numbers."""
    if found.nap is None:
        return [
            Text("两段都有记录之后，才有可比的数。", "There are numbers to compare once both phases have records.")
        ]
    said = [
        Text(
            "区间按各次记录互不相干计算；相邻的日子往往相像，真正的不确定还要大一些。",
            "Intervals take records as unrelated; neighbouring days are often alike, so the true uncertainty "
            "is larger.",
        )
    ]
    if found.study.plan.design == "ABAB":
        said.append(
            Text("比较时，同类的两段合在一起。", "For the comparison, both stretches of a kind are taken together.")
        )
    return [*said, *found.note]
