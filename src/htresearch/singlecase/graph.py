"""The picture of a single case: points joined within a phase, a line where things were changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.singlecase import panels
from htresearch.singlecase.panels import APART, Style
from htresearch.singlecase.stretches import Case, read_case, read_cases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: ``"count"`` begins at 0 in whole numbers, a ``"share"`` goes from 0 to its whole, an ``"amount"`` fits its values.
SCALES = ("count", "share", "amount")


def plot_case(
    values: Sequence,
    phases: Sequence,
    times: Sequence | None = None,
    *,
    labels: Mapping[str, Text | str] | None = None,
    value_label: Text | str = "",
    time_label: Text | str = "",
    title: Text | str = "",
    target: float | None = None,
    scale: str | None = None,
    out_of: float | None = None,
    second: Sequence | None = None,
    median: bool = True,
    alternating: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw one case: its values over time, joined within each phase, with the median of each.

    Parameters
    ----------
    values, phases
        The values in time order, ``None`` or NaN where missing, and the phase of each. A missing value leaves a gap.
    times
        When each was observed: days, which are drawn as far apart as they are, or rising numbers; 1, 2, … otherwise.
    labels
        What to call the phases, by their names; a phase that comes back is also found as ``"A1"``, ``"A2"``.
    value_label, time_label, title
        Words above the vertical axis, below the horizontal one, and above all.
    target
        A value to reach, drawn as a line.
    scale
        ``"count"``: from 0 up, whole numbers; ``"share"``: from 0 to `out_of`, or to 100 or 1, whichever holds the
        values; ``"amount"``: fitted to the values. If not given, from 0 up where no value is negative.
    out_of
        The whole of a share, such as the number of pupils.
    second
        What a second observer recorded, drawn as small crosses.
    median
        Whether to draw the median of each phase.
    alternating
        Whether conditions take turns; each is then a line of its own, with no lines between phases.
    ax
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        With everything that is wrong with the arguments.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.theme()
    >>> ax = ht.singlecase.plot_case([6, 8, 7, 9, 4, 3, None, 2], "A A A A B B B B".split(), target=3)
    >>> len(ax.lines) > 3
    True
    """
    case = read_case(values, phases, times)
    others = None
    if second is not None:
        others = read_case(second, phases, times, fewest=0).values
    style = _style([case], labels, target, scale, out_of, median, alternating)
    return _figure([case], style, (value_label, time_label, title), ax, others)


def plot_cases(
    frame: pd.DataFrame,
    case: str | None = "case",
    phase: str = "phase",
    value: str = "value",
    time: str | None = None,
    *,
    labels: Mapping[str, Text | str] | None = None,
    value_label: Text | str = "",
    time_label: Text | str = "",
    title: Text | str = "",
    target: float | None = None,
    scale: str | None = None,
    out_of: float | None = None,
    median: bool = True,
    alternating: bool = False,
) -> Axes:
    """Draw several cases one below the other over the same time, the change as one stepped line.

    Parameters
    ----------
    frame
        A row per observation.
    case, phase, value, time
        Its columns; without a column of cases all rows are one case, without `time` rows are in time order.
    labels, value_label, time_label, title, target, scale, out_of, median, alternating
        As for `plot_case`.

    Returns
    -------
    matplotlib.axes.Axes
        The uppermost; its ``figure`` holds them all.

    Raises
    ------
    ArgumentError
        With everything that is wrong, told by case.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> ht.theme()
    >>> frame = pd.DataFrame({"case": ["1"] * 6 + ["2"] * 6, "phase": list("AABBBB") + list("AAAABB"),
    ...                       "value": [3, 4, 6, 7, 6, 8, 2, 3, 3, 2, 6, 5]})
    >>> len(ht.singlecase.plot_cases(frame).figure.axes)
    2
    """
    cases = read_cases(frame, case, phase, value, time)
    style = _style(cases, labels, target, scale, out_of, median, alternating)
    return _figure(cases, style, (value_label, time_label, title), None, None)


def draw(cases: list[Case], ax: Axes | None = None, **options: object) -> Axes:
    """Draw cases already read, with the options of `plot_case`."""
    words = tuple(options.pop(name, "") for name in ("value_label", "time_label", "title"))
    given = {name: options.pop(name, None) for name in ("labels", "target", "scale", "out_of")}
    style = _style(cases, **given, median=options.pop("median", True), alternating=options.pop("alternating", False))
    return _figure(cases, style, words, ax, None)


def _style(
    cases: list[Case],
    labels: Mapping[str, Text | str] | None,
    target: float | None,
    scale: str | None,
    out_of: float | None,
    median: bool,
    alternating: bool,
) -> Style:
    checks.require(
        None if scale is None else checks.one_of("scale", scale, SCALES),
        None if target is None else checks.between("target", target, -1e300, 1e300),
        None if out_of is None else checks.between("out_of", out_of, 0, 1e300, open_ends=True),
        None if labels is None or isinstance(labels, Mapping) else _no_mapping(labels),
        _nothing_seen(cases),
    )
    kinds: dict[str, int] = {}
    phases: dict[str, int] = {}
    for one in cases:
        for stretch in one.stretches:
            phases[stretch.phase] = kinds.setdefault(stretch.kind, len(kinds))
    return Style(phases, labels or {}, target, scale, out_of, median, alternating)


def _figure(
    cases: list[Case],
    style: Style,
    words: tuple[Text | str, Text | str, Text | str],
    ax: Axes | None,
    second: np.ndarray | None,
) -> Axes:
    """Draw the panels, and what they share."""
    import matplotlib.pyplot as plt

    value_label, time_label, title = words
    dated = cases[0].dated
    cases = [replace(case, times=panels.places(case)) for case in cases]
    if ax is not None and len(cases) == 1:
        axes = [ax]
    else:
        tall = 3.6 if len(cases) == 1 else 1.75 * len(cases) + 1.0
        figure = plt.figure(figsize=(6.8, tall))
        grid = figure.add_gridspec(len(cases), hspace=APART)
        axes = []
        for number in range(len(cases)):
            axes.append(figure.add_subplot(grid[number], sharex=axes[0] if axes else None))
    changes = [panels.panel(panel, case, style) for panel, case in zip(axes, cases, strict=True)]
    panels.limits(axes, cases, style)
    panels.ticks(axes[-1], dated, min(c.times[0] for c in cases), max(c.times[-1] for c in cases))
    for panel in axes:
        panels.target_line(panel, style.target, named=panel is axes[0])
    if not style.alternating:
        panels.steps(axes, changes)
    lines = panels.phase_names(axes[0], cases[0], style)
    if len(cases) > 1:
        for panel, case in zip(axes, cases, strict=True):
            panels.case_name(panel, case.name)
        for panel in axes[:-1]:
            panel.tick_params(labelbottom=False)
    panels.words_around(axes, dated, str(value_label), str(time_label), str(title), 8 + 14 * lines)
    if second is not None:
        panels.second_observer(axes[0], cases[0], second, 8 + 14 * lines)
    if style.median:
        panels.explain_bands(axes[-1])
    return axes[0]


def _no_mapping(labels: object) -> Fault:
    return Fault(
        checks.argument("labels"),
        Text("须为阶段与名称的对照", "must name phases by their values"),
        Text('例如 {"A": "改变前", "B": "改变后"}', 'For example {"A": "before", "B": "after"}'),
        type(labels).__name__,
    )


def _nothing_seen(cases: list[Case]) -> Fault | None:
    if len({case.dated for case in cases}) == 1:
        return None
    return Fault(
        checks.argument("time"),
        Text("有的个案用日期，有的用序号", "some cases have days and some have numbers"),
        Text("请统一", "Use one of them"),
    )
