"""What a Matplotlib figure draws: every mark with its numbers, every word, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib import axis, collections, image, legend, lines, patches, spines, text
from matplotlib.axes import Axes
from matplotlib.category import StrCategoryLocator
from matplotlib.ticker import FixedLocator


@dataclass(frozen=True, eq=False)
class Mark:
    """What one artist shows.

    Attributes
    ----------
    kind : str
        ``"points"``, ``"line"``, ``"bars"``, ``"intervals"``, ``"band"``, ``"cells"``, ``"wedges"``, ``"reference"``
        (a line across the axes) or ``"unknown"``.
    x, y : numpy.ndarray
        Where its values lie, as far as it has both; of bars the middle and the end, of intervals both ends, of a band
        (`fill_between`) every corner.
    values : numpy.ndarray
        What is told otherwise: of cells and coloured points their colour or size, of wedges their share.
    edges : numpy.ndarray
        Of bars, where each begins and ends on the axis they stand on, bars by 2.
    artist : str
        The kind of artist.
    """

    kind: str
    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    edges: np.ndarray
    artist: str

    @property
    def n(self) -> int:
        """How many values it shows."""
        return len(self.values) if self.kind in ("cells", "wedges") else len(self.x)

    def surrounds(self, line: Mark) -> bool:
        """Tell whether a band is the interval of a curve: it has corners where the curve has points, one of them
        above or on it and one below or on it, and none elsewhere.
        """
        return any(
            _encloses(along, across, *curve)
            for along, across, curve in ((self.x, self.y, (line.x, line.y)), (self.y, self.x, (line.y, line.x)))
        )


def _encloses(at: np.ndarray, ends: np.ndarray, places: np.ndarray, values: np.ndarray) -> bool:
    kept = np.isfinite(places) & np.isfinite(values)
    places, values = places[kept], values[kept]
    if not len(at) or len(np.unique(places)) < len(places) or not np.isin(at, places).all():
        return False
    inside = [ends[at == place] for place in places]
    return all(
        not len(found) or found.min() <= value <= found.max() for found, value in zip(inside, values, strict=True)
    )


def marks(ax: Axes) -> list[Mark]:
    """Return what the artists of axes draw, bars and wedges of one container together."""
    found = []
    for artist in ax.get_children():
        if artist is ax.patch or not artist.get_visible() or isinstance(artist, _FRAME):
            continue
        found.append(_read(artist, ax))
    return [*_joined([m for m in found if m.kind == "bar"], "bars"), *_rest(found)]


def _rest(found: list[Mark]) -> list[Mark]:
    wedges = _joined([m for m in found if m.kind == "wedge"], "wedges")
    return [*wedges, *(m for m in found if m.kind not in ("bar", "wedge"))]


def words(ax: Axes) -> Iterator[str]:
    """Return every text of axes: titles, labels, ticks, legend, and what stands inside."""
    # Tick labels are written when the figure is drawn; asking for them writes them now.
    ticks = [label for about in (ax.xaxis, ax.yaxis) for label in about.get_ticklabels(which="both")]
    for part in [*ax.findobj(text.Text), *ticks]:
        if part.get_visible() and part.get_text().strip():
            yield part.get_text()
    for about in (ax.xaxis, ax.yaxis):
        yield from map(str, getattr(about.get_units(), "_mapping", ()))  # categories beyond the view


def annotations(ax: Axes) -> list[str]:
    """Return what stands written among the marks."""
    return [part.get_text() for part in ax.texts if part.get_visible() and part.get_text().strip()]


def ticks(ax: Axes, which: str) -> np.ndarray | None:
    """Return the places of an axis whose ticks are names; ``None`` for an axis of numbers."""
    about = getattr(ax, f"{which}axis")
    locator = about.get_major_locator()
    if isinstance(locator, StrCategoryLocator):
        return np.asarray(locator(), float)
    if isinstance(locator, FixedLocator):
        places = np.asarray(locator.locs, float)
        labels = [label.get_text() for label in about.get_ticklabels()]
        if len(places) and np.allclose(places, np.round(places)) and not all(_is_number(t) for t in labels):
            return places
    return None


_FRAME = (axis.Axis, spines.Spine, text.Text, legend.Legend)
_NONE = np.zeros(0)
#: What `fill_between` draws; Matplotlib has given it a class of its own.
_BANDS = (collections.PolyCollection, getattr(collections, "FillBetweenPolyCollection", collections.PolyCollection))


def _is_number(said: str) -> bool:
    try:
        float(said.replace("\u2212", "-"))
    except ValueError:
        return False
    return True


def _mark(kind: str, artist: object, x=_NONE, y=_NONE, values=_NONE, edges=None) -> Mark:
    edges = np.zeros((0, 2)) if edges is None else edges
    plain = (np.ma.filled(np.ma.asarray(part, float), np.nan).ravel() for part in (x, y, values))
    return Mark(kind, *plain, edges, type(artist).__name__)


def _read(artist: object, ax: Axes) -> Mark:
    """Return what one artist shows; what is not known here is unknown."""
    if isinstance(artist, lines.Line2D):
        return _line(artist, ax)
    if isinstance(artist, patches.Rectangle):
        return _bar(artist, ax)
    if isinstance(artist, patches.Wedge):
        return _mark("wedge", artist, values=[(artist.theta2 - artist.theta1) / 360])
    if isinstance(artist, image.AxesImage):
        return _mark("cells", artist, values=artist.get_array())
    if isinstance(artist, collections.PathCollection):
        return _points(artist, ax)
    if isinstance(artist, collections.LineCollection) and artist.get_array() is None:
        if artist.get_transform() != ax.transData:
            return _mark("unknown", artist)
        ends = [segment for segment in artist.get_segments() if len(segment)]
        if all(len(segment) == 2 for segment in ends):
            flat = np.concatenate(ends) if ends else np.zeros((0, 2))
            return _mark("intervals", artist, flat[:, 0], flat[:, 1])
    if type(artist) in _BANDS and artist.get_array() is None:
        return _band(artist, ax)
    if isinstance(artist, collections.QuadMesh):
        return _mark("cells", artist, values=artist.get_array())
    return _mark("unknown", artist)


def _line(line: lines.Line2D, ax: Axes) -> Mark:
    if type(line) is not lines.Line2D:
        return _mark("unknown", line)
    x, y = (
        np.atleast_1d(np.asarray(part, float)) for part in (line.get_xdata(orig=False), line.get_ydata(orig=False))
    )
    if line.get_transform() == ax.get_xaxis_transform(which="grid") and len(set(x)) == 1:
        return _mark("reference", line, x[:1])
    if line.get_transform() == ax.get_yaxis_transform(which="grid") and len(set(y)) == 1:
        return _mark("reference", line, y=y[:1])
    if line.get_transform() != ax.transData:
        return _mark("unknown", line)
    bare = line.get_linestyle() in ("None", " ", "")
    return _mark("points" if bare else "line", line, x, y)


def _band(band: collections.PolyCollection, ax: Axes) -> Mark:
    """Return the corners of what `fill_between` draws; anything shifted, or of several colours, tells more."""
    shifted = np.asarray(band.get_offsets(), float).any() or len(band.get_offsets()) > 1
    if band.get_transform() != ax.transData or shifted or len(band.get_facecolor()) > 1:
        return _mark("unknown", band)
    corners = [path.vertices for path in band.get_paths()]
    flat = np.concatenate(corners) if corners else np.zeros((0, 2))
    return _mark("band", band, flat[:, 0], flat[:, 1])


def _bar(bar: patches.Rectangle, ax: Axes) -> Mark:
    if bar.get_transform() != bar.get_patch_transform() + ax.transData or bar.angle:
        return _mark("unknown", bar)
    low = np.array(bar.get_xy(), float)
    high = low + np.array([bar.get_width(), bar.get_height()])
    level = _orientation(bar, ax) == "horizontal"
    along, end = (1, 0) if level else (0, 1)
    middle = (low[along] + high[along]) / 2
    # A stacked bar tells its length; one that stands on the axis, its end.
    value = high[end] - low[end]
    x, y = (value, middle) if level else (middle, value)
    return _mark("bar", bar, [x], [y], edges=np.array([[low[along], high[along]]]))


def _orientation(bar: patches.Rectangle, ax: Axes) -> str:
    for container in ax.containers:
        if bar in container.get_children():
            return getattr(container, "orientation", None) or "vertical"
    return "vertical"


def _points(dots: collections.PathCollection, ax: Axes) -> Mark:
    if dots.get_offset_transform() != ax.transData:
        return _mark("unknown", dots)
    places = np.ma.filled(np.ma.asarray(dots.get_offsets(), float), np.nan)
    told = [np.asarray(dots.get_array(), float).ravel()] if dots.get_array() is not None else []
    sizes = np.asarray(dots.get_sizes(), float)
    told += [sizes] if len(np.unique(sizes)) > 1 else []
    return _mark("points", dots, places[:, 0], places[:, 1], np.concatenate(told) if told else _NONE)


def _joined(found: list[Mark], kind: str) -> list[Mark]:
    if not found:
        return []
    x, y, values = (np.concatenate([getattr(m, part) for m in found]) for part in ("x", "y", "values"))
    return [Mark(kind, x, y, values, np.concatenate([m.edges for m in found]), found[0].artist)]
