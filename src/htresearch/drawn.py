"""The data that a finished figure shows, read from what was drawn: a row per point, bar, interval or field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: A value keeps this many significant digits: more than a picture shows.
DIGITS = 6

_LINE, _POINT, _BAR = Text("线", "line"), Text("点", "point"), Text("柱", "bar")
_INTERVAL, _BAND, _FIELD, _REFERENCE = (
    Text("区间", "interval"),
    Text("区间带", "band"),
    Text("色块", "field"),
    Text("参照线", "reference line"),
)
_HEADS = {
    "panel": Text("子图", "Panel"),
    "series": Text("系列", "Series"),
    "mark": Text("形式", "Mark"),
    "x": Text("横轴", "Horizontal"),
    "x_low": Text("横轴下限", "Horizontal, low"),
    "x_high": Text("横轴上限", "Horizontal, high"),
    "y": Text("纵轴", "Vertical"),
    "y_low": Text("纵轴下限", "Vertical, low"),
    "y_high": Text("纵轴上限", "Vertical, high"),
    "value": Text("数值", "Value"),
}

Row = dict[str, object]


def data_behind(figure: Figure) -> pd.DataFrame:
    """Return what a figure shows as a tidy frame: lines, points, bars, intervals, bands and coloured fields.

    Parameters
    ----------
    figure
        A figure before it is closed.

    Returns
    -------
    pandas.DataFrame
        Columns in the language now spoken: panel, series (as in the legend), mark, horizontal and vertical position
        with their limits, value; those that are empty throughout are left out. Where an axis shows categories or
        dates, these stand in place of positions. Lines that only guide the eye are said to be reference lines.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from htresearch import language
    >>> drawing, ax = plt.subplots()
    >>> _ = ax.bar(["A", "B"], [1, 2])
    >>> with language.speaking("en"):
    ...     print(data_behind(drawing).to_csv(index=False))
    Mark,Horizontal,Vertical
    bar,A,1.0
    bar,B,2.0
    <BLANKLINE>
    >>> plt.close(drawing)
    """
    import pandas as pd

    figure.canvas.draw()  # only then are the words of the axes there
    panels = [ax for ax in figure.axes if ax.get_visible() and ax.get_label() != "<colorbar>"]
    legends = _legend(figure)
    rows: list[Row] = []
    for number, ax in enumerate(panels, 1):
        name = ax.get_title(loc="left") or ax.get_title() or ax.get_title(loc="right") or str(number)
        series = legends | _legend(ax)
        rows += [{"panel": name if len(panels) > 1 else "", **row} for row in _rows(ax, series)]
    frame = pd.DataFrame(rows, columns=list(_HEADS), dtype=object)
    kept = [c for c in frame if not frame[c].map(lambda cell: cell is None or cell == "" or cell != cell).all()]
    return frame[kept].rename(columns={c: _head(c, panels) for c in kept})


def _head(column: str, panels: list[Axes]) -> str:
    """Return a column's name, with what the axis is said to show where that is one thing."""
    head = str(_HEADS[column])
    if column[0] in "xy":
        shown = {(ax.get_xlabel() if column[0] == "x" else ax.get_ylabel()).replace("\n", " ") for ax in panels}
        said = shown.pop() if len(shown) == 1 else ""
        head += str(Text(f"：{said}", f": {said}")) if said else ""
    return head


def _rows(ax: Axes, series: dict[str, str]) -> Iterator[Row]:
    from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh

    for line in ax.lines:
        if line.get_visible():
            yield from _line(ax, line, series)
    for container in ax.containers:
        if type(container).__name__ == "BarContainer":
            yield from _bars(ax, container, series)
    for drawn in ax.collections:
        if not drawn.get_visible():
            continue
        if isinstance(drawn, PathCollection) and _in_data(drawn.get_offset_transform(), ax):
            for x, y in np.asarray(drawn.get_offsets().filled(np.nan)):
                yield _row(ax, _POINT, _series(drawn, series), x=x, y=y)
        elif isinstance(drawn, LineCollection) and _in_data(drawn.get_transform(), ax):
            for segment in drawn.get_segments():
                yield from _stretch(ax, np.asarray(segment, float), _series(drawn, series))
        elif isinstance(drawn, QuadMesh):
            yield from _fields(ax, drawn)
        elif isinstance(drawn, PolyCollection) and _in_data(drawn.get_transform(), ax):
            yield from _bands(ax, drawn, series)
    for image in ax.images:
        values = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
        if values.ndim == 2:
            for (row, column), value in np.ndenumerate(values):
                yield _row(ax, _FIELD, "", x=float(column), y=float(row), value=value)


def _line(ax: Axes, line: Any, series: dict[str, str]) -> Iterator[Row]:
    x, y = (np.ma.filled(np.ma.asarray(v, float), np.nan) for v in line.get_data(orig=False))
    name = _series(line, series)
    if not _in_data(line.get_transform(), ax):
        if len(x) == 2 and x[0] == x[1] and _in_data(line.get_transform(), ax, "x"):
            yield _row(ax, _REFERENCE, name, x=x[0])
        elif len(y) == 2 and y[0] == y[1] and _in_data(line.get_transform(), ax, "y"):
            yield _row(ax, _REFERENCE, name, y=y[0])
        return
    joined = line.get_linestyle() not in ("None", "none", " ", "")
    if not joined and line.get_marker() in ("None", "none", " ", "", "|", "_", None, 2, 3, 0, 1):
        return  # the caps of intervals
    if joined and len(x) == 2 and (x[0] == x[1] or y[0] == y[1]) and line.get_marker() in ("None", "none", "", None):
        yield from _stretch(ax, np.column_stack([x, y]), name)
        return
    for across, up in zip(x, y, strict=True):
        if not (np.isnan(across) or np.isnan(up)):
            yield _row(ax, _LINE if joined else _POINT, name, x=across, y=up)


def _stretch(ax: Axes, segment: np.ndarray, name: str) -> Iterator[Row]:
    """Give two points one above or beside the other as an interval, any others as they are."""
    if len(segment) == 2 and segment[0, 0] == segment[1, 0]:
        low, high = sorted(segment[:, 1])
        yield _row(ax, _INTERVAL, name, x=segment[0, 0], y_low=low, y_high=high)
    elif len(segment) == 2 and segment[0, 1] == segment[1, 1]:
        low, high = sorted(segment[:, 0])
        yield _row(ax, _INTERVAL, name, y=segment[0, 1], x_low=low, x_high=high)
    else:
        for x, y in segment:
            yield _row(ax, _LINE, name, x=x, y=y)


def _bars(ax: Axes, container: Any, series: dict[str, str]) -> Iterator[Row]:
    own = str(container.get_label() or "")
    upright = getattr(container, "orientation", None) != "horizontal"
    for bar in container.patches:
        name = own if own and not own.startswith("_") else _series(bar, series)
        x, y, width, height = bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()
        if upright:
            where = {"x": x + width / 2}
            if not _words(ax, "x"):
                where |= {"x_low": x, "x_high": x + width}
            yield _row(ax, _BAR, name, y=y + height, **where, **({"y_low": y} if y else {}))
        else:
            where = {"y": y + height / 2}
            if not _words(ax, "y"):
                where |= {"y_low": y, "y_high": y + height}
            yield _row(ax, _BAR, name, x=x + width, **where, **({"x_low": x} if x else {}))


def _bands(ax: Axes, drawn: Any, series: dict[str, str]) -> Iterator[Row]:
    for path in drawn.get_paths():
        corners = path.vertices[np.isfinite(path.vertices).all(axis=1)]
        for x in np.unique(corners[:, 0]):
            heights = corners[corners[:, 0] == x, 1]
            yield _row(ax, _BAND, _series(drawn, series), x=x, y_low=heights.min(), y_high=heights.max())


def _fields(ax: Axes, mesh: Any) -> Iterator[Row]:
    values = np.ma.filled(np.ma.asarray(mesh.get_array(), float), np.nan)
    corners = np.asarray(mesh.get_coordinates())
    middle = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    if values.size != middle.shape[0] * middle.shape[1]:
        return
    for place, value in np.ndenumerate(values.reshape(middle.shape[:2])):
        x, y = middle[place]
        yield _row(ax, _FIELD, "", x=x, y=y, value=value)


def _row(ax: Axes, mark: Text, series: str, **cells: float) -> Row:
    """Return a row, its positions in the words of the axes where these show words."""
    said = {
        name: _rounded(at) if name == "value" else _said(ax, name[0], float(at), exact=len(name) > 1)
        for name, at in cells.items()
    }
    return {"series": series, "mark": str(mark), **said}


def _rounded(value: float) -> float:
    return float(f"{float(value):.{DIGITS}g}") if np.isfinite(value) else float(value)


def _said(ax: Axes, axis: str, at: float, exact: bool) -> object:
    from matplotlib.dates import DateFormatter, num2date

    scale = ax.xaxis if axis == "x" else ax.yaxis
    kind = type(scale.get_major_formatter()).__name__
    if "Date" in kind or isinstance(scale.get_major_formatter(), DateFormatter):
        moment = num2date(at)
        return moment.date().isoformat() if moment.hour == moment.minute == 0 else moment.isoformat()[:16]
    words = {} if exact else _words(ax, axis)
    nearest = min(words, key=lambda place: abs(place - at), default=None)
    if nearest is not None and abs(nearest - at) <= 0.5:
        return words[nearest]
    return _rounded(at)


def _words(ax: Axes, axis: str) -> dict[float, str]:
    """Return the words at an axis's ticks by their places, if it shows words in place of numbers."""
    scale = ax.xaxis if axis == "x" else ax.yaxis
    if type(scale.get_major_formatter()).__name__ not in ("FixedFormatter", "StrCategoryFormatter", "FuncFormatter"):
        return {}
    labels = [label.get_text().replace("\n", " ").strip() for label in scale.get_ticklabels()]
    if all(_is_number(label) for label in labels):
        return {}
    ticks = zip(scale.get_ticklocs(), labels, strict=False)
    return {float(place): label for place, label in ticks if label}


def _is_number(label: str) -> bool:
    try:
        float(label.replace("\u2212", "-").rstrip("%").replace(",", "") or "0")
    except ValueError:
        return False
    return True


def _in_data(transform: Any, ax: Axes, axis: str = "xy") -> bool:
    """Say whether positions along an axis (or both) are those of the data, not of the picture."""
    across, up = transform.contains_branch_seperately(ax.transData)
    return ("x" not in axis or across) and ("y" not in axis or up)


def _legend(holder: Any) -> dict[str, str]:
    """Return the words of legends by the colour beside them."""
    from matplotlib.legend import Legend

    found: dict[str, str] = {}
    own = [holder.get_legend()] if hasattr(holder, "get_legend") else list(getattr(holder, "legends", []))
    own += [child for child in getattr(holder, "artists", []) if isinstance(child, Legend)]
    for legend in filter(None, own):
        for handle, words in zip(legend.legend_handles, legend.get_texts(), strict=False):
            colour = _colour(handle)
            if colour:
                found.setdefault(colour, words.get_text())
    return found


def _series(drawn: Artist, legend: dict[str, str]) -> str:
    own = str(drawn.get_label() or "")
    return own if own and not own.startswith("_") else legend.get(_colour(drawn), "")


def _colour(drawn: Any) -> str:
    from matplotlib.colors import to_hex

    for ask in ("get_color", "get_facecolor", "get_edgecolor"):
        if hasattr(drawn, ask):
            colour = np.asarray(getattr(drawn, ask)(), dtype=object)
            try:
                first = colour if colour.ndim < 2 else colour[0]
                return to_hex(first.item() if colour.ndim == 0 else tuple(first))
            except (ValueError, IndexError, TypeError):
                continue
    return ""
