"""What every analysis returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: The columns of ``tidy()``, always in this order, where they apply.
TIDY = (
    "term",
    "estimate",
    "std_error",
    "df",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "n_students",
    "n_teachers",
    "n_schools",
)


@dataclass(frozen=True)
class Estimates:
    """Estimates with their uncertainty, complete when built.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row per term; the columns of `TIDY` come first and in that order, further ones follow.
    summary : pandas.DataFrame
        One row about the whole analysis.
    note : tuple of Text
        What the reader must know: the method, and all that was left out, counted, with the reason.
    source : str
        Where the method comes from, with its DOI.
    basis : tuple
        Whose outcomes the estimates rest on, for those who check what may be published; empty where that isn't kept.
    """

    frame: pd.DataFrame
    summary: pd.DataFrame
    note: tuple[Text, ...] = ()
    source: str = ""
    basis: tuple[object, ...] = field(default=(), kw_only=True, repr=False, compare=False)

    #: Whether 0 is a value to compare estimates with, so that a plot shows it.
    zero = True

    def __post_init__(self):
        order = [c for c in TIDY if c in self.frame] + [c for c in self.frame if c not in TIDY]
        object.__setattr__(self, "frame", self.frame[order].reset_index(drop=True))

    def tidy(self) -> pd.DataFrame:
        """Return a row per term."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole."""
        return self.summary.copy()

    def rename(self, terms: dict[str, Text | str]) -> Estimates:
        """Return the same estimates with terms named for readers; the rest keep their names."""
        named = self.frame.assign(term=[str(terms.get(t, t)) for t in self.frame["term"]])
        return replace(self, frame=named)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw each estimate with its interval, and a line at zero where that is a value to compare with.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.
        terms
            Which terms, from the top; all but the intercept otherwise.

        Several estimates of one term, told apart by a column ``line``, are drawn side by side with a legend.
        """
        import matplotlib.pyplot as plt

        from htresearch.language import label

        shown = self.frame[self.frame["term"] != "(Intercept)"]
        order = list(dict.fromkeys(shown["term"])) if terms is None else terms
        lines = list(dict.fromkeys(shown["line"])) if "line" in shown else [None]
        if ax is None:
            ax = plt.subplots(figsize=(6.8, 0.3 * len(order) * (len(lines) + 1) + 1.2))[1]
        if self.zero:
            ax.axvline(0, color="0.3", linewidth=1, zorder=1)
        ax.grid(axis="y", visible=False)
        for number, line in enumerate(lines):
            rows = (shown if line is None else shown[shown["line"] == line]).set_index("term").loc[order]
            # The lines of one term stand one below the other, close together.
            height = [len(order) - 1 - i + 0.25 * ((len(lines) - 1) / 2 - number) for i in range(len(order))]
            ax.hlines(height, rows["conf_low"], rows["conf_high"], color=f"C{number}", linewidth=2)
            name = None if line is None else str(label(line, within="line"))
            ax.plot(rows["estimate"], height, "os^Dv"[number % 5], color=f"C{number}", label=name)
        ax.set_yticks(range(len(order) - 1, -1, -1), [str(label(t)) for t in order])
        ax.set_ylim(-0.6, len(order) - 0.4)
        ax.set_xlabel(str(Text("估计值与置信区间", "Estimate with confidence interval")))
        if lines != [None]:
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(lines))
        return ax

    def notes(self) -> str:
        """Return the note as one paragraph in the language now spoken."""
        return str(Text("", " ")).join(str(n) for n in self.note)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        return table(self.frame, note=self.notes())._repr_mimebundle_(include, exclude)


def beside(lines: Mapping[str, Estimates]) -> Estimates:
    """Set estimates of the same terms side by side, told apart by the column ``line``.

    Parameters
    ----------
    lines
        The estimates by the name of their line.

    Returns
    -------
    Estimates
        All rows, term by term; the notes of all lines, each once.

    Examples
    --------
    >>> import pandas as pd
    >>> from htresearch.result import Estimates, beside
    >>> one = Estimates(pd.DataFrame({"term": ["x"], "estimate": [1.0]}), pd.DataFrame({"n": [10]}))
    >>> beside({"maths": one, "reading": one}).tidy()["line"].tolist()
    ['maths', 'reading']
    """
    import pandas as pd

    frame = pd.concat([e.frame.assign(line=name) for name, e in lines.items()], ignore_index=True)
    order = {term: i for i, term in enumerate(dict.fromkeys(frame["term"]))}
    frame = frame.sort_values("term", key=lambda terms: terms.map(order), kind="stable")
    summary = pd.concat([e.summary.assign(line=name) for name, e in lines.items()], ignore_index=True)
    note = tuple(dict.fromkeys(n for e in lines.values() for n in e.note))
    sources = dict.fromkeys(e.source for e in lines.values() if e.source)
    basis = tuple(part for e in lines.values() for part in e.basis) if all(e.basis for e in lines.values()) else ()
    return Estimates(frame, summary, note, "; ".join(sources), basis=basis)
