"""What a comparison of classes says, in words a head teacher can follow, and its picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.appearance import significant
from htresearch.language import Text
from htresearch.singlecase.class_data import Classes
from htresearch.singlecase.class_models import Fit, Line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.singlecase.class_shuffling import Shuffled
    from htresearch.singlecase.two_groups import ClassComparison

#: What Works Clearinghouse: up to .05 SD groups are alike, beyond .25 no adjustment makes them so.
ALIKE, APART = 0.05, 0.25

#: With fewer classes a side a test is hardly ever able to see anything.
FEW = 5


def sentence(method: str, treated: str, control: str, line: Line, conf_level: float) -> Text:
    """Say one estimate."""
    if not np.isfinite(line.estimate):
        return Text("这一项算不出来，原因见说明。", "This cannot be estimated; the note says why.")
    words = {"t": treated, "c": control, "range": _range(method, line, conf_level)}
    if method == "superiority":
        share = f"{100 * line.estimate:.0f}%"
        return Text(
            "设想起点拉平，从两组各任取一名学生：“{t}”的那名更高的情形约占 {share}"
            "（相同算一半，50% 就是没有差别{range}）。",
            "Had all started alike, take one pupil of each: the one of {t} does better about {share} of the time "
            "(ties count half, 50% is no difference{range}).",
        ).format(share=share, **words | {"range": _range(method, line, conf_level, opening=False)})
    if method == "permutation":
        below = Text("不到", "less than") if line.p_value < 0.001 else Text("约占", "about")
        return Text(
            "假如做法毫无作用，组别只是随手分的，差别至少这么大的情形{below} {share}。",
            "If nothing had made a difference and groups were dealt out at random, a difference at least this large "
            "would come up {below} {share} of the time.",
        ).format(below=below, share=_percent(line.p_value))
    if method == "proportional_odds":
        return Text(
            "起点相同的学生，“{t}”得到更高一级的机会比（优势）是“{c}”的 {times} 倍{range}。",
            "Of pupils who started alike, the odds of a higher grade in {t} are {times} times those in {c}{range}.",
        ).format(times=significant(float(np.exp(line.estimate)), 2), **words)
    whole, (more, less) = _DIFFERENCES[method]
    by = (more if line.estimate >= 0 else less).format(size=significant(abs(line.estimate), 2))
    return whole.format(by=by, **words)


_DIFFERENCES = {
    "adjusted": (
        Text(
            "起点相同的学生，“{t}”的平均比“{c}”的{by}{range}。",
            "Of pupils who started alike, those of {t} are on average {by} than those of {c}{range}.",
        ),
        (Text("高 {size}", "{size} higher"), Text("低 {size}", "{size} lower")),
    ),
    "standardised": (
        Text(
            "换成标准差：起点相同的学生，“{t}”的比“{c}”的{by}{range}。",
            "In standard deviations: of pupils who started alike, those of {t} are {by} than those of {c}{range}.",
        ),
        (Text("高 {size} 个标准差", "{size} higher"), Text("低 {size} 个标准差", "{size} lower")),
    ),
    "gain": (
        Text(
            "只看前后之差：“{t}”的平均进步比“{c}”的{by}{range}。",
            "By gains alone: {t} gained on average {by} than {c}{range}.",
        ),
        (Text("多 {size}", "{size} more"), Text("少 {size}", "{size} less")),
    ),
}


def _range(method: str, line: Line, conf_level: float, opening: bool = True) -> Text:
    if not np.isfinite(line.low):
        return Text("", "")
    low, high = line.low, line.high
    if method == "proportional_odds":
        low, high = np.exp(low), np.exp(high)
    if method == "superiority":
        ends = f"{100 * low:.0f}%", f"{100 * high:.0f}%"
    else:
        ends = significant(float(low), 2), significant(float(high), 2)
    level = f"{100 * conf_level:g}%"
    zh, en = f"{level} 区间 {ends[0]} 到 {ends[1]}", f"{level} interval {ends[0]} to {ends[1]}"
    return Text(f"（{zh}）", f" ({en})") if opening else Text(f"；{zh}", f"; {en}")


def _percent(p_value: float) -> str:
    if p_value < 0.001:
        return "0.1%"
    return f"{100 * p_value:.0f}%" if p_value >= 0.095 else f"{100 * p_value:.2g}%"


def imbalance(apart: float, sd: float) -> Text:
    """Say how far groups differed to begin with."""
    size = abs(apart) / sd if sd > 0 else np.nan
    if not np.isfinite(size):
        return Text("起点没有差异可言。", "There is no spread in where pupils started.")
    if size <= ALIKE:
        return Text("起点相当。", "They started alike.")
    if size <= APART:
        return Text("起点略有差别，已按起点校正。", "They started a little apart, which is adjusted for.")
    return Text(
        "起点差得多，校正也未必拉得平。", "They started far apart; adjusting for it may not make them comparable."
    )


def slopes(p_value: float) -> Text:
    """Say whether where a pupil started matters alike in all groups."""
    if not np.isfinite(p_value):
        return Text("看不出各组的线是否平行。", "Whether the lines of the groups are parallel cannot be seen.")
    if p_value < 0.05:
        return Text(
            "各组的线不平行：作用可能因起点而异，一个平均数说不全，请看图。",
            "The lines are not parallel: the difference may depend on where a pupil started, and one average does "
            "not tell it all. Look at the figure.",
        )
    return Text("没有看出各组的线不平行。", "The lines are not seen to be other than parallel.")


def notes(
    data: Classes, fit: Fit, slope_test: tuple, rows: list, shuffles: dict[str, Shuffled], diagnostics: pd.DataFrame
) -> Iterator[Text]:
    """Say what a reader must know, the gravest first."""
    yield from _classes(data)
    yield from _left_out(data)
    slope = float(fit.coefficients[data.constants.shape[1]])
    yield Text(
        "主要看“起点拉平后的差别”。只看进步会受“回到平均”影响：前测偏低的学生，下一次本来就容易升一些。"
        f"这里前测每差 1 分，后测平均只差 {significant(slope, 2)} 分；只看进步等于当它是 1，起点低的一组便占便宜。",
        "Read the adjusted difference first. Gains suffer from regression to the mean: pupils with a low first "
        "result tend to rise by themselves. Here pupils one point apart before are on average "
        f"{significant(slope, 2)} apart afterwards; gains take that to be 1, which favours the group that started "
        "lower.",
    )
    yield from _shuffles(data, shuffles)
    for row in diagnostics.itertuples():
        if row.term == "imbalance" and not abs(row.estimate) <= APART:
            yield Text(
                f"“{row.group}”与“{data.control}”：{row.said.zh}", f"{row.group} and {data.control}: {row.said.en}"
            )
    if slope_test[1] < 0.05:
        yield slopes(slope_test[1])
    if data.several:
        yield Text("进步之差只列数值，不另算区间。", "The difference in gains is given without an interval.")
    told = [(method, line) for _, method, line in rows if method != "permutation"]
    if any(not np.isfinite(line.std_error) for method, line in told if not (data.several and method == "gain")):
        yield Text(
            "有的项没有标准误：学生太少，或结果完全由起点决定，或两组完全不重叠。",
            "Some rows have no standard error: too few pupils, results that the start determines, or groups without "
            "any overlap.",
        )


def _classes(data: Classes) -> Iterator[Text]:
    if data.several:
        counts = [data.classes_of(group) for group in data.groups]
        yield Text(
            f"各组有 {'、'.join(map(str, counts))} 个班，区间与随机分配检验都以班为单位。",
            f"Groups have {', '.join(map(str, counts))} classes; intervals and the permutation test go by classes.",
        )
        if min(counts) < FEW:
            yield Text(
                "班还很少，区间因此很宽，这是如实的宽。", "These are few classes, so intervals are wide: honestly so."
            )
        return
    opening = (
        Text("有的组只有一个班。", "Some group has one class only.")
        if data.clustered
        else Text(
            "没有写明班级（cluster），按每组一个班看待。",
            "Classes are not named (cluster), so each group counts as one.",
        )
    )
    yield Text(
        opening.zh
        + "一个班对一个班，做法的作用和班级本身的不同分不开：教师、同伴、课时、这学期发生的事，都混在差别里。"
        "这里的区间只算了学生之间的波动，没有算班与班之间的，所以偏窄；这里只能说“有差别”，不能说“是这个办法的效果”。"
        "想分得开，可以请两三个班先后错开开始：同一个办法，各班从不同的周开始，谁先谁后抽签；"
        "每个班既和自己的从前比，也和还没开始的班比。",
        opening.en
        + " With one class against one class, what was done cannot be told from what else is different about the "
        "class: the teacher, the other pupils, the timetable, whatever happened that term. The intervals count how "
        "pupils vary, not how classes do, so they are too narrow; say that there is a difference, not that it is an "
        "effect. To tell them apart, let two or three classes start one after the other: the same change, from a "
        "different week in each, the order drawn by lot. Then each class is compared with its own past and with "
        "those that have not begun.",
    )


def _left_out(data: Classes) -> Iterator[Text]:
    if not data.left_out:
        return
    parts = [(g, n) for g, n in data.left_out.items() if g]
    zh = [f"{g} {n} 名" for g, n in parts] + [f"没有组别的 {n} 名" for g, n in data.left_out.items() if not g]
    en = [f"{n} of {g}" for g, n in parts] + [f"{n} without a group" for g, n in data.left_out.items() if not g]
    yield Text(
        f"缺少数据、未计入的学生：{'、'.join(zh)}。如果缺的多是成绩差或缺勤多的学生，比较就会走样。",
        f"Pupils who lack something and do not count: {', '.join(en)}. If those are mostly weak or absent pupils, "
        "the comparison is off.",
    )


def _shuffles(data: Classes, shuffles: dict[str, Shuffled]) -> Iterator[Text]:
    unit = Text("班", "classes") if data.several else Text("学生", "pupils")
    for treated, found in shuffles.items():
        how = (
            Text(f"走遍全部 {found.ways:,} 种分法", f"all {found.ways:,} ways were gone through")
            if found.exact
            else Text(
                f"分法太多，随机取了 {found.drawn:,} 种", f"of too many ways, {found.drawn:,} were drawn at random"
            )
        )
        p = f"{found.smallest:.2g}"
        yield Text(
            "随机分配检验（“{t}”）：以{unit}为单位，{how}，p 最小只能是 {p}。",
            "Permutation test ({t}): {unit} are dealt out, {how}; p could not be smaller than {p}.",
        ).format(t=treated, unit=unit, how=how, p=p)
    yield Text(
        "只有组别当初真是抽签定的，它才是严格的检验；否则只当一把尺子。",
        "It is a test in the strict sense only if groups were drawn by lot; otherwise take it as a yardstick.",
    )


def draw(found: ClassComparison, ax: Axes | None) -> Axes:
    """Draw pupils before and after, and the adjusted line of each group."""
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    if ax is None:
        ax = plt.subplots(figsize=(6.8, 4.2))[1]
    order = [found.control, *(g for g in found.lines if g != found.control)]
    keys = []
    for number, group in enumerate(order):
        mine = found.pupils[found.pupils["group"] == group]
        colour = "0.35" if number == 0 else f"C{number - 1}"
        face = "white" if number == 0 else colour
        marker, dashes = "os^Dv"[number % 5], "--" if number == 0 else "-"
        ax.scatter(
            mine["pre"], mine["post"], s=30, marker=marker, facecolor=face, edgecolor=colour, linewidth=1.3, zorder=3
        )
        intercept, slope = found.lines[group]
        ends = np.array([mine["pre"].min(), mine["pre"].max()])
        ax.plot(ends, intercept + slope * ends, color=colour, linewidth=2.2, linestyle=dashes, zorder=2)
        look = {"marker": marker, "markerfacecolor": face, "markeredgecolor": colour, "linestyle": dashes}
        keys.append(Line2D([], [], color=colour, linewidth=2, label=group, **look))
    ax.set_xlabel(str(Text("前测", "Before")))
    ax.set_ylabel(str(Text("后测", "After")))
    ax.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(order), handlelength=3)
    return ax
