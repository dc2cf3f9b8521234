"""How every figure and table looks: one theme, a Chinese font that is always there, tables that never vary.

The font is Noto Sans SC, which the zhplot package carries under the SIL Open Font License.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from numbers import Integral, Real
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.language import Text, label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as MatplotlibFigure

#: Okabe & Ito's palette in an order that also differs in lightness, so that it survives colour blindness and print.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

# seaborn's `set_theme` and `set_style` ask for "sans-serif", which they make mean Arial first, and Matplotlib falls
# back glyph by glyph only in an explicit list of families. So that a later call cannot undo the Chinese glyphs, our
# font also answers to Arial, ahead of the machine's own.
_SEABORN_FIRST = "Arial"


#: What `seaborn.set_theme` sets for its style "whitegrid" and its context "notebook", and what we want otherwise.
#: Written down, for importing seaborn takes a kernel longer than drawing a figure.
_LOOK = {
    "axes.axisbelow": True,
    "axes.edgecolor": ".8",
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.labelcolor": ".15",
    "axes.labelsize": 10,
    "axes.linewidth": 1.25,
    **{f"axes.spines.{side}": side in ("left", "bottom") for side in ("left", "bottom", "top", "right")},
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.unicode_minus": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.figsize": (6.8, 4.0),
    "font.sans-serif": [_SEABORN_FIRST, "DejaVu Sans", "Liberation Sans", "Bitstream Vera Sans", "sans-serif"],
    "font.size": 10,
    "grid.color": "0.9",
    "grid.linestyle": "-",
    "grid.linewidth": 1.0,
    "image.cmap": "viridis",  # seaborn's own is known only where seaborn is
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.title_fontsize": 9,
    "lines.linewidth": 1.5,
    "lines.markersize": 6,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "patch.linewidth": 1,
    "savefig.dpi": 160,
    "text.color": ".15",
    **{
        f"{axis}tick.{name}": value
        for axis, sides in (("x", ("bottom", "top")), ("y", ("left", "right")))
        for name, value in (
            *((side, False) for side in sides),
            ("direction", "out"),
            ("color", ".15"),
            ("labelsize", 9),
            ("major.size", 6.0),
            ("major.width", 1.25),
            ("minor.size", 4.0),
            ("minor.width", 1.0),
        )
    },
}

#: A cell of at most this many characters is not broken over lines.
_NEVER_BROKEN = 16


@cache
def _register_font() -> str:
    """Make the font known to Matplotlib, under its own name and seaborn's first choice; return its name."""
    from matplotlib.font_manager import FontEntry, fontManager

    path = str(files("zhplot").joinpath("fonts/NotoSansSC-Regular.ttf"))
    fontManager.addfont(path)
    name = fontManager.ttflist[-1].name
    # The one face serves bold too: there is no bold file, and Matplotlib would log its absence at every title.
    for family, weight in ((name, 700), (_SEABORN_FIRST, 400), (_SEABORN_FIRST, 700)):
        fontManager.ttflist.insert(0, FontEntry(fname=path, name=family, weight=weight, size="scalable"))
    return name


def theme() -> None:
    """Set how figures look from now on: font, colours, grid, size.

    A glyph that the font lacks becomes an error instead of an empty box.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.theme()
    """
    import matplotlib as mpl

    font = _register_font()
    mpl.rcParams.update(_LOOK)
    mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=PALETTE)
    mpl.rcParams["font.family"] = [font, "DejaVu Sans"]
    warnings.filterwarnings("error", message=r"Glyph .* missing from", category=UserWarning)


#: Where what was drawn keeps the digest of its picture.
_PICTURE = "_htresearch_picture"


@dataclass(frozen=True)
class Figure:
    """A finished figure with the words that stand for it where it cannot be seen."""

    png: bytes
    alt: str
    #: The numbers behind it, for those who want them; unless given, those that were drawn.
    data: pd.DataFrame | None = field(default=None, compare=False)
    #: What was drawn, for those who check what may be published.
    drawn: MatplotlibFigure | None = field(default=None, repr=False, compare=False)
    #: What these are told of it: the results that are drawn, or who stands behind each mark.
    told: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def unaltered(self) -> bool:
        """Whether the picture is the one that was made of what was drawn."""
        return getattr(self.drawn, _PICTURE, "") == hashlib.sha256(self.png).hexdigest()

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": self.png, "text/plain": self.alt}, {"image/png": {"alt": self.alt}}


def figure(
    drawn: Axes | MatplotlibFigure,
    alt: Text | str,
    data: pd.DataFrame | None = None,
    of: object = None,
    counts: pd.DataFrame | Mapping[str, object] | None = None,
    statistic: str | None = None,
    known: Sequence[float] = (),
) -> Figure:
    """Finish a figure for display: draw it once, close it, keep its alternative text and the data behind it.

    Parameters
    ----------
    drawn
        What was drawn on.
    alt
        What a reader who cannot see the figure should know: what is shown against what, and what stands out.
    data
        The data behind the figure, which its page offers as CSV; unless given, they are read from what was drawn.
        An empty frame offers none.
    of
        The result or table that is drawn, or a list of them. A site offers the data behind a figure only if these
        may be published and every number is one of theirs; see `htresearch.disclosure.check`.
    counts, statistic
        Or: how many pupils, teachers and schools stand behind each mark (or each row of `data`), and what is drawn,
        ``"mean"`` for instance.
    known
        Numbers that readers know anyway, such as a cut-off, at which a line stands.

    Returns
    -------
    Figure
        The figure as a PNG with its words; it shows itself in a notebook.

    Raises
    ------
    ArgumentError
        If `alt` is empty or `data` is no data frame.

    Examples
    --------
    >>> import matplotlib.pyplot as plt, htresearch as ht
    >>> ax = plt.subplots()[1]
    >>> ht.figure(ax, alt="Empty axes").alt
    'Empty axes'
    """
    import matplotlib.pyplot as plt

    if not str(alt).strip():
        checks.require(
            checks.Fault(
                checks.argument("alt"),
                Text("图形须有替代文字", "a figure needs an alternative text"),
                Text("请用一两句话写出图中的内容", "Say in a sentence or two what the figure shows"),
            )
        )
    checks.require(None if data is None else checks.data_frame("data", data))
    whole = drawn if hasattr(drawn, "savefig") else drawn.figure
    buffer = BytesIO()
    # No date and no software version, so that the same data give the same bytes.
    whole.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(whole)
    # What was drawn keeps the digest of its picture: neither of the two can be exchanged by itself.
    setattr(whole, _PICTURE, hashlib.sha256(buffer.getvalue()).hexdigest())
    told = {"of": of, "counts": counts, "statistic": statistic, "known": tuple(known)}
    return Figure(buffer.getvalue(), str(alt), data, whole, told)


@dataclass(frozen=True)
class Table:
    """A finished table: the same cells as HTML and as plain text."""

    html: str
    plain: str

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "text/plain": self.plain}


def table(
    frame: pd.DataFrame,
    title: Text | str = "",
    note: Text | str = "",
    digits: int = 3,
    names: Mapping[str, Text | str] | None = None,
    groups: str | None = None,
    right: Sequence[str] = (),
    unbroken: Sequence[str] = (),
) -> Table:
    """Show a frame as a table for readers.

    Column names and vocabulary values get their labels in the language now spoken; numbers are rounded to
    `digits` significant digits (whole numbers stay whole), a missing value is a dash.

    Parameters
    ----------
    frame
        What to show; its index is left out.
    title, note
        Above and below the table.
    digits
        Significant digits of numbers that are not whole.
    names
        Labels for columns that `htresearch.language.label` does not know.
    groups
        A column whose values head the rows below them, instead of standing in each. A row that begins with an empty
        cell then belongs to the row above, without a line between them.
    right
        Columns of words that are set to the right, as numbers are.
    unbroken
        Columns whose cells stay on one line however long they are, as numbers with their intervals.

    Returns
    -------
    Table
        Shows itself in a notebook; `plain` is the same as text.

    Raises
    ------
    ArgumentError
        If `digits` is no whole number from 1 to 15.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> print(ht.table(pd.DataFrame({"x": [0.12345, 12.0]})).plain)
        x
    0.123
     12.0
    """
    import pandas as pd
    from great_tables import GT, loc, style

    checks.require(checks.integer("digits", digits, 1, 15))
    names = names or {}
    cells = pd.DataFrame(
        {
            column: [_cell(value, column, digits, whole=_is_whole(frame[column])) for value in frame[column]]
            for column in frame.columns
        },
        dtype=object,
    )
    labels = {column: str(names.get(column, label(column))) for column in frame.columns}
    numeric = [
        column
        for column in frame.columns
        if (pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column]))
        or column in right
    ]
    shown = GT(cells, id="htresearch", groupname_col=groups).cols_label(**{str(c): labels[c] for c in frame.columns})
    body = [c for c in cells.columns if c != groups]
    shown = shown.cols_align("left", [c for c in body if c not in numeric]).cols_align("right", numeric)
    worded = [c for c in body if c not in numeric or c in right]
    short = [c for c in worded if c in unbroken or cells[c].str.len().max() <= _NEVER_BROKEN]
    if short:
        shown = shown.tab_style(style.css("white-space: nowrap"), loc.body(columns=short))
    brief = [c for c in body if len(labels[c]) <= _NEVER_BROKEN // 2]
    if brief:
        shown = shown.tab_style(style.css("white-space: nowrap"), loc.column_labels(columns=brief))
    if groups is not None:
        below = [i for i, cell in enumerate(cells[body[0]]) if not cell]
        shown = shown.tab_style(style.text(weight="bold"), loc.row_groups())
        # great_tables joins styles with a space: the semicolon ends the one before.
        shown = shown.tab_style(style.css("; border-top-style: hidden; padding-top: 0"), loc.body(rows=below))
    if str(title):
        shown = shown.tab_header(title=str(title))
    if str(note):
        shown = shown.tab_source_note(str(note))
    plain = _plain(cells.rename(columns=labels), None if groups is None else labels[groups])
    parts = [str(title), plain, str(note)]
    return Table(shown.as_raw_html(), "\n".join(p for p in parts if p))


def _plain(cells: pd.DataFrame, groups: str | None) -> str:
    """Write cells as text, the rows of each group below its name."""
    if groups is None:
        return cells.to_string(index=False)
    head, *lines = cells.drop(columns=groups).to_string(index=False).splitlines()
    for name in reversed(list(dict.fromkeys(cells[groups]))):
        lines.insert(cells[groups].tolist().index(name), name)
    return "\n".join([head, *lines])


def _is_whole(values: pd.Series) -> bool:
    kept = values.dropna()
    return kept.dtype.kind in "iu" or (
        kept.dtype.kind == "f" and len(kept) > 0 and (kept % 1 == 0).all() and kept.abs().max() >= 1000
    )


def _cell(value: object, column: str, digits: int, whole: bool) -> str:
    """Return one cell as text; integers keep every digit, other numbers `digits` significant ones."""
    import pandas as pd

    if isinstance(value, Text):
        return str(value)
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "–"
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(Text("是", "yes") if value else Text("否", "no"))
    if isinstance(value, Integral) or (whole and isinstance(value, Real)):
        return f"{int(value):,}"
    if isinstance(value, Real):
        if column == "p_value" and 0 <= value < 0.001:
            return "< 0.001"
        return significant(float(value), digits)
    return str(label(str(value), within=column))


def significant(value: float, digits: int = 3) -> str:
    """Write a number with `digits` significant digits, without exponents and without a negative zero.

    Parameters
    ----------
    value
        The number.
    digits
        How many digits count, 1 or more.

    Returns
    -------
    str
        The number as text.

    Examples
    --------
    >>> significant(0.012345), significant(-0.0001, digits=1), significant(1234.5)
    ('0.0123', '0.0', '1,234')
    """
    if value == 0 or abs(value) < 10.0 ** (-digits - 2):
        return "0.0"
    from math import floor, log10

    decimals = max(digits - 1 - floor(log10(abs(value))), 0)
    rounded = round(value, decimals)
    if not rounded:
        return "0.0"
    shown = f"{rounded:,.{min(decimals, digits + 1)}f}"
    return shown if shown.strip("-0.") else shown.lstrip("-")
