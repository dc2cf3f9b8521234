"""What every analysis returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """

    frame: pd.DataFrame
    summary: pd.DataFrame
    note: tuple[Text, ...] = ()
    source: str = ""

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
        """Draw each estimate with its interval, and a line at zero.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.
        terms
            Which terms, from the top; all but the intercept otherwise.
        """
        import matplotlib.pyplot as plt

        from htresearch.language import label

        shown = self.frame[self.frame["term"] != "(Intercept)"]
        if terms is not None:
            shown = shown.set_index("term").loc[terms].reset_index()
        if ax is None:
            ax = plt.subplots(figsize=(6.4, 0.45 * len(shown) + 1.2))[1]
        rows = range(len(shown) - 1, -1, -1)
        ax.axvline(0, color="0.6", linewidth=1, zorder=0)
        ax.hlines(rows, shown["conf_low"], shown["conf_high"], color="C0", linewidth=2)
        ax.plot(shown["estimate"], rows, "o", color="C0")
        ax.set_yticks(list(rows), [str(label(t)) for t in shown["term"]])
        ax.set_ylim(-0.6, len(shown) - 0.4)
        ax.set_xlabel(str(Text("估计值与置信区间", "Estimate with confidence interval")))
        return ax

    def notes(self) -> str:
        """Return the note as one paragraph in the language now spoken."""
        return str(Text("", " ")).join(str(n) for n in self.note)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        return table(self.frame, note=self.notes())._repr_mimebundle_(include, exclude)
