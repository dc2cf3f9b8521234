"""Figures: the data they draw. A dot is a person, and every mark must be accounted for.

A figure passes in one of two ways. Either every number it draws is one of a result or table that has passed
(``data=``); or it is said how many persons, teachers and schools stand behind each mark (``counts=``), and of what
statistic. A mark that can't be read is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.disclosure.check import check, register
from htresearch.disclosure.labels import is_class, is_identifying
from htresearch.disclosure.models import thresholds
from htresearch.disclosure.reading import STATISTICS
from htresearch.disclosure.results import marks as page_marks
from htresearch.disclosure.results import refused
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.said import NUMBER, among, is_told, says_only
from htresearch.disclosure.verdicts import ASSERTED, Finding, Verdicts, decide
from htresearch.language import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

    from htresearch.appearance import Figure
    from htresearch.disclosure.drawn import Mark

#: Where a line may stand without telling anything.
_KNOWN = (0.0, 1.0)
_UNITS = ("student", "teacher", "school")


@register("htresearch.appearance.Figure")
def check_figure(
    figure: Figure,
    rules: Rules,
    data: object = None,
    counts: object = None,
    statistic: str | None = None,
    known: Sequence[float] = (),
) -> Verdicts:
    """Check a finished figure: its words for those who can't see it, and what was drawn; see `check_axes`."""
    if figure.drawn is None:
        return refused(rules, "figure", "figure", _NOT_KEPT)
    if not figure.unaltered:
        return refused(rules, "figure", "figure", _EXCHANGED)
    found = check_axes(figure.drawn, rules, data, counts, statistic, known)
    faults = [_NAMES] if _names_somebody(figure.alt) else []
    numbers = _allowed(data, counts, known)
    faults += [] if says_only(figure.alt, numbers) else [_WRITTEN]
    if figure.data is not None:
        faults += _offered(figure.data, numbers)
    if not faults:
        return found
    findings = [
        Finding(int(row.cell), row.rule, row.reason, row.needed) for row in found.failures.itertuples(index=False)
    ]
    return decide(
        list(found.frame["term"]), [*faults, *findings], rules, kind="figure", method="figure", counts=found.counts
    )


@register("matplotlib.figure.FigureBase", "matplotlib.axes._base._AxesBase")
def check_axes(
    drawn: Axes | MatplotlibFigure,
    rules: Rules,
    data: object = None,
    counts: object = None,
    statistic: str | None = None,
    known: Sequence[float] = (),
) -> Verdicts:
    """Check what a figure draws.

    Parameters
    ----------
    data
        The result or table that is drawn, or a list of them: each must pass, and every number drawn must be one of
        theirs. An axis with names as ticks holds places, not numbers.
    counts
        Or: who stands behind each mark, in the order of drawing: a frame with a row per mark and the columns
        ``n_students``, ``n_teachers``, ``n_schools`` (without ``n_students`` a teacher is the person).
    statistic
        With `counts`: what is drawn, one of ``"count"``, ``"percentage"``, ``"mean"``, …
    known
        Numbers that readers know anyway, such as a cut-off, at which a line may stand.
    """
    from htresearch.disclosure.drawn import annotations, marks, words

    whole = hasattr(drawn, "savefig") or not hasattr(drawn, "transData")
    panels = list(drawn.axes) if whole else [drawn]
    findings = _outside(drawn) if whole else []
    panels = [ax for ax in panels if ax.get_visible() and ax.get_label() != "<colorbar>"]
    panels += [] if whole else _over(drawn)
    read = [(ax, mark) for ax in panels for mark in marks(ax)]
    said = [t for ax in panels for t in words(ax)] + (_words(drawn) if whole else [])
    findings += [_NAMES] if any(map(_names_somebody, said)) else []
    terms = [f"{m.artist} {i + 1}" for i, (_, m) in enumerate(read)] or [type(drawn).__name__]
    findings += [_unreadable(i) for i, (_, m) in enumerate(read) if m.kind == "unknown"]
    shown = [t for ax in panels for t in annotations(ax)]
    numbers = _allowed(data, counts, known)
    findings += [] if all(says_only(t, numbers) for t in said if t not in shown) else [_WRITTEN]
    if data is not None:
        findings += _not_passed(data, rules)
        findings += [_unbound(i) for i, (ax, m) in enumerate(read) if not _is_bound(ax, m, numbers)]
        findings += [_WRITTEN] if not all(is_told(t, numbers) for t in shown) else []
    else:
        findings += _counted(read, counts, statistic, rules, known)
        findings += [_WRITTEN] if any(NUMBER.search(t) for t in shown) else []
    return decide(
        terms,
        list(dict.fromkeys(findings)),
        rules,
        kind="figure",
        method=statistic or "figure",
        note=page_marks(rules),
        counts="" if counts is None else ASSERTED,
    )


def _names_somebody(said: str) -> bool:
    return is_identifying(said) or is_class(said)


def _outside(figure: MatplotlibFigure) -> list[Finding]:
    """Refuse what a figure draws outside its axes, but for words."""
    kept = (*figure.axes, *figure.texts, *figure.legends, *getattr(figure, "subfigs", ()), figure.patch)
    others = [artist for artist in figure.get_children() if not any(artist is one for one in kept)]
    return [_OUTSIDE] if others or getattr(figure, "subfigs", []) else []


def _words(figure: MatplotlibFigure) -> list[str]:
    legends = [t for legend in figure.legends for t in legend.get_texts()]
    return [part.get_text() for part in (*figure.texts, *legends)]


def _over(drawn: Axes) -> list[Axes]:
    """Return the axes that are drawn over some axes, in the same place."""
    place = drawn.get_position().bounds
    return [ax for ax in drawn.figure.axes if ax is not drawn and np.allclose(ax.get_position().bounds, place)]


def several(data: object) -> list:
    """Return the results that a figure draws."""
    return list(data) if isinstance(data, list | tuple) else [] if data is None else [data]


def _not_passed(data: object, rules: Rules) -> list[Finding]:
    """Refuse results that have not passed themselves, and verdicts in their place."""
    return [_DATA for one in several(data) if isinstance(one, Verdicts) or not check(one, rules).passed]


def _allowed(data: object, counts: object, known: Sequence[float]) -> np.ndarray:
    """Return every number that may be drawn and written: those of the results, and what readers know anyway."""
    found = [np.asarray([*_KNOWN, *np.atleast_1d(known)], float)]
    for one in [*several(data), *([] if counts is None else [_as_frame(counts)])]:
        if one is None or isinstance(one, Verdicts):
            continue
        frame = one.cells if hasattr(one, "cells") else one.tidy() if hasattr(one, "tidy") else one
        try:
            found.append(pd.DataFrame(frame).select_dtypes("number").to_numpy(float, na_value=np.nan).ravel())
        except (TypeError, ValueError):  # what is no table has not passed either
            continue
    numbers = np.concatenate(found)
    return numbers[np.isfinite(numbers)]


def _offered(data: pd.DataFrame, numbers: np.ndarray) -> list[Finding]:
    """Refuse data that are offered with a figure and are not those that have passed."""
    told = [pd.to_numeric(data[c].astype(object), errors="coerce").astype(float) for c in data]
    foreign = any(not among(column.dropna().to_numpy(), numbers).all() for column in told)
    words = [str(v) for c, column in zip(data, told, strict=True) for v in data[c][column.isna()].dropna()]
    findings = [_OFFERED] if foreign else []
    return findings + ([_NAMES] if any(map(_names_somebody, [*words, *map(str, data.columns)])) else [])


def _is_bound(ax: Axes, mark: Mark, numbers: np.ndarray) -> bool:
    """Tell whether every number that a mark shows is one of those that have passed."""
    from htresearch.disclosure.drawn import ticks

    if mark.kind == "unknown":
        return False
    if mark.kind == "reference":
        return bool(among(np.concatenate([mark.x, mark.y]), numbers).all())
    if mark.kind in ("cells", "wedges"):
        values = mark.values[np.isfinite(mark.values)]
        return among(values, numbers).all() or (mark.kind == "wedges" and among(100 * values, numbers).all())
    fine = among(mark.values, numbers).all() and _even(mark)
    for which, values in (("x", mark.x), ("y", mark.y)):
        places = ticks(ax, which)
        values = values[np.isfinite(values)]
        on_names = places is not None and (np.abs(values[:, None] - places).min(axis=1, initial=np.inf) < 0.5).all()
        fine = fine and bool(on_names or among(values, numbers).all())
    return fine and not (ticks(ax, "x") is not None and ticks(ax, "y") is not None)


def _even(mark: Mark) -> bool:
    """Tell whether bars are of one width: otherwise it tells something too."""
    width = np.diff(mark.edges, axis=1)
    width = width[width > 0]
    return not len(width) or bool(np.isclose(width, width[0]).all()) or _joined(mark)


def _joined(mark: Mark) -> bool:
    return len(mark.edges) > 1 and bool(np.isclose(mark.edges[1:, 0], mark.edges[:-1, 1]).all())


def _counted(
    read: list[tuple[Axes, Mark]], counts: object, statistic: str | None, rules: Rules, known: Sequence[float]
) -> list[Finding]:
    """Check marks by who stands behind each; without counts each of them is a person."""
    shown = [(i, m) for i, (_, m) in enumerate(read) if m.kind in ("points", "line", "bars", "cells", "wedges")]
    if counts is None:
        return [_dot(i) for i, _ in shown] or [_NOTHING]
    frame = _as_frame(counts)
    if frame is None or statistic not in STATISTICS:
        return [_NO_COUNTS]
    findings = [
        _unbound(i)
        for i, (_, m) in enumerate(read)
        if m.kind == "reference" and not among(np.concatenate([m.x, m.y]), np.array([*_KNOWN, *known])).all()
    ]
    curves = [(ax, m) for ax, m in read if m.kind in ("line", "points")]
    findings += [
        _loose(i)
        for i, (ax, m) in enumerate(read)
        if m.kind == "band" and not any(ax is one and m.surrounds(curve) for one, curve in curves)
    ]
    intervals = sum(m.n for _, m in read if m.kind == "intervals") / 2
    total = sum(m.n for _, m in shown)
    if (
        total != len(frame)
        or intervals not in (0, total)
        or any(len(m.values) and m.kind == "points" for _, m in shown)
    ):
        return [*findings, _MISMATCH]
    needed = thresholds([k for k in _UNITS if f"n_{k}s" in frame], rules)
    missing = [k for k, least in needed.items() if least > 1 and f"n_{k}s" not in frame]
    findings += [_MISSING] if missing else []
    at = 0
    for i, mark in shown:
        rows = frame.iloc[at : at + mark.n]
        at += mark.n
        few = [k for k, least in needed.items() if f"n_{k}s" in rows and not (rows[f"n_{k}s"] >= least).all()]
        findings += [_few(i, k, needed[k]) for k in few]
        findings += _bars(i, mark, rows, statistic)
    return findings


def _as_frame(counts: object) -> pd.DataFrame | None:
    """Return counts as a frame of finite numbers, ``None`` where they are not."""
    if isinstance(counts, dict):
        counts = pd.DataFrame({k: np.atleast_1d(v) for k, v in counts.items()})
    if not isinstance(counts, pd.DataFrame):
        return None
    named = [f"n_{k}s" for k in _UNITS if f"n_{k}s" in counts]
    frame = counts[named].apply(pd.to_numeric, errors="coerce")
    return frame if len(named) and not frame.isna().any(axis=None) else None


def _bars(cell: int, mark: Mark, rows: pd.DataFrame, statistic: str) -> Iterable[Finding]:
    """Refuse bars of numbers of persons that are not those counted, and a histogram that ends at somebody's value."""
    if mark.kind != "bars":
        return
    heights = mark.y if len(set(mark.edges.mean(axis=1)) & set(mark.x)) else mark.x
    if statistic == "count" and not any(np.allclose(heights, rows[column]) for column in rows):
        yield _unbound(cell)
    if not _even(mark):
        yield _unbound(cell)
    if _joined(mark):
        steps = mark.edges / np.diff(mark.edges, axis=1).min()
        if not np.isclose(steps, np.round(steps), atol=1e-6).all():
            yield _edges(cell)


# -- what is said ----------------------------------------------------------------------------------------------------

_BIND = Text(
    "请用 data= 给出所画的结果，或用 counts= 与 statistic= 写明每个图形后面有多少学生、教师、学校。",
    "Give the result that is drawn by data=, or say by counts= and statistic= how many stand behind each mark.",
)
_NOT_KEPT = Finding(
    None,
    "unknown",
    Text("图已成为图片，看不出画的是什么数据。", "It is a picture: what data it draws is not known."),
    Text("请检查 ht.figure 直接返回的图，或坐标轴。", "Check what ht.figure returned, or the axes."),
)
_EXCHANGED = Finding(
    None,
    "altered",
    Text("图片不是由所画的内容生成的那一张。", "The picture is not the one that was made of what was drawn."),
    Text("请检查 ht.figure 直接返回的图。", "Check what ht.figure returned."),
)
_NAMES = Finding(
    None,
    "identifying",
    Text(
        "标题、标签、图例或替代文字里有能认出人或班级的内容。",
        "A title, label, legend or alternative text tells who or which class it is.",
    ),
    Text("请去掉。", "Take it out."),
)
_OUTSIDE = Finding(
    None,
    "unknown",
    Text("坐标轴之外还画了内容，无法检查。", "Something is drawn outside the axes and cannot be checked."),
    Text("请只在坐标轴里作图。", "Draw inside the axes only."),
)
_DATA = Finding(
    None,
    "data",
    Text("所画的结果本身未通过检查。", "The result that is drawn did not pass itself."),
    Text("请先单独检查它。", "Check it by itself first."),
)
_WRITTEN = Finding(
    None,
    "unknown",
    Text(
        "图中、标题里或替代文字里写有来历不明的人数或数值。",
        "Numbers of persons or values of unknown origin are written in it, its title or its alternative text.",
    ),
    Text(
        "请只写 data= 所给结果里的数；众所周知的数（如分数线）用 known= 写明。",
        "Write only numbers of the result given by data=; what readers know anyway, such as a cut-off, by known=.",
    ),
)
_OFFERED = Finding(
    None,
    "data",
    Text(
        "随图提供的数据不在已通过检查的结果之中。",
        "The data offered with the figure are not among those that have passed.",
    ),
    Text("请用 data= 给出已通过检查的结果。", "Give the result that has passed by data=."),
)
_NOTHING = Finding(None, "empty", Text("没有可检查的内容。", "There is nothing to check."), _BIND)
_NO_COUNTS = Finding(
    None,
    "unknown",
    Text(
        "没有写明画的是哪种统计量，或 counts 不是所需的表。",
        "What statistic is drawn is not said, or counts is no table of them.",
    ),
    Text(
        "counts 须有 n_students、n_teachers、n_schools 各列；statistic 例如 'mean'。",
        "counts needs the columns n_students, n_teachers, n_schools; statistic is 'mean', for example.",
    ),
)
_MISMATCH = Finding(
    None,
    "unknown",
    Text(
        "counts 的行数与图形数不符，或图形还用颜色、大小、线段表示了别的值。",
        "counts has not a row per mark, or marks tell more by colour, size or lines.",
    ),
    _BIND,
)
_MISSING = Finding(
    None,
    "unknown",
    Text(
        "不知道各图形涉及多少教师、多少学校。", "How many teachers and schools stand behind the marks is not known."
    ),
    Text("counts 须有 n_teachers、n_schools 两列。", "counts needs the columns n_teachers and n_schools."),
)


def _unreadable(cell: int) -> Finding:
    return Finding(cell, "unknown", Text("这种图形无法读取。", "This kind of mark cannot be read."), _BIND)


def _unbound(cell: int) -> Finding:
    reason = Text("画的数值不在已通过检查的结果之中。", "It draws numbers that are not among those that have passed.")
    return Finding(cell, "unknown", reason, _BIND)


def _loose(cell: int) -> Finding:
    reason = Text("色带不是图中任何一条曲线的区间。", "The band is the interval of no curve that is drawn.")
    return Finding(cell, "unknown", reason, _BIND)


def _dot(cell: int) -> Finding:
    reason = Text("每个点、条、线段都可能是一个人。", "Each dot, bar or piece of line may be a person.")
    return Finding(cell, "persons", reason, _BIND)


def _few(cell: int, kind: str, least: int) -> Finding:
    rule = {"student": "threshold", "teacher": "teachers", "school": "schools"}[kind]
    return Finding(
        cell,
        rule,
        Text("有的图形后面人数（校数）太少。", "Too few stand behind some of the marks."),
        Text(f"每个后面至少须有 {least}。", f"At least {least} are needed behind each."),
    )


def _edges(cell: int) -> Finding:
    return Finding(
        cell,
        "extreme",
        Text("直方图的两端就是最小值和最大值。", "The histogram ends at the smallest and the largest value."),
        Text("请用整齐的分界，例如 bins=range(40, 101, 10)。", "Use round edges, such as bins=range(40, 101, 10)."),
    )
