"""What a planned study can show, as a table and a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.language import Text, label
from htresearch.multilevel.planned_design import PlannedDesign
from htresearch.multilevel.planned_words import said
from htresearch.result import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Answer = Callable[[pd.DataFrame], np.ndarray]

_SOURCE = (
    "Bloom (1995), doi:10.1177/0193841X9501900504; Dong & Maynard (2013), doi:10.1080/19345747.2012.673143; "
    "Hedges & Rhoads (2010), NCSER 2010-3006"
)
#: Columns that are found or are about the question; the rest describe the design.
_ANSWERS = ("effect", "effect_raw", "power", "mdes", "mdes_raw", "std_error", "df", "multiplier", "mdes_formula")
_GIVEN_FOR = {"mdes": "power", "power": "effect"}


@dataclass(frozen=True, kw_only=True)
class PlannedStudy(Estimates):
    """What a planned study can show; complete when built.

    Attributes
    ----------
    frame : pandas.DataFrame
        A row per combination of what was given, in the planner's order: the design, alpha, power, the answer.
    design : PlannedDesign
        The design, checked.
    column : str
        The answer, ``"mdes"`` or ``"power"``.
    answer : callable
        The answer for any rows of this design; the plot asks it for other numbers of schools.
    """

    design: PlannedDesign
    column: str
    answer: Answer

    def __post_init__(self):
        """Keep the planner's order of columns."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the answer against the number of schools (or whatever is outermost).

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.

        Dots are the rows of `tidy`; a power of .8 is marked. Several intraclass correlations make a band from the
        lowest to the highest answer; whatever else was given as a list has a line for each value. With one number
        of schools the curve runs from half to twice that number, otherwise between the numbers given.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.subplots(figsize=(6.8, 4.0))[1]
        top = self.design.top
        varied = [c for c in _varied(self.frame[self._given]) if c != top]
        iccs = [c for c in varied if c.startswith("icc_")]
        others = [c for c in varied if c not in iccs]
        groups = list(self.frame.groupby(others, sort=False)) if others else [((), self.frame)]
        for number, (values, rows) in enumerate(groups):
            parts = [f"{label(c)} {v:g}" for c, v in zip(others, values, strict=True)]
            parts += [f"{label(c)} {rows[c].min():g}–{rows[c].max():g}" for c in iccs]
            self._curve(ax, rows, f"C{number}", str(Text("，", ", ")).join(parts), bool(iccs))
        if self.column == "power":
            ax.axhline(0.8, color="0.4", linewidth=1, linestyle="--", zorder=1)
        ax.set_ylim(0, 1.02 if self.column == "power" else None)
        ax.set_xlabel(str(label(f"n_{top}")))
        ax.set_ylabel(str(label(self.column)))
        if varied:
            ax.legend(loc="lower right" if self.column == "power" else "upper right")
        return ax

    @property
    def _given(self) -> list[str]:
        """The columns that were given, not found."""
        return [c for c in self.frame if c not in _ANSWERS or c == _GIVEN_FOR[self.column]]

    def _curve(self, ax: Axes, rows: pd.DataFrame, colour: str, name: str, band: bool) -> None:
        """Draw one line, or one band over all intraclass correlations, with the planned studies as dots."""
        top = self.design.top
        few, many = rows[top].min(), rows[top].max()
        ends = (few / 2, 2 * few) if few == many else (few, many)
        grid = pd.DataFrame({top: np.unique(np.linspace(*ends, 61).round())})
        curve = rows[self._given].drop(columns=top).drop_duplicates().merge(grid, how="cross")
        curve = curve[self.design.df(curve) >= 1]
        curve = curve.assign(answer=self.answer(curve)).groupby(top)["answer"].agg(["min", "max"])
        ax.plot(curve.index, curve["min"], color=colour, linewidth=1 if band else 2, label=None if band else name)
        if band:
            ax.plot(curve.index, curve["max"], color=colour, linewidth=1)
            ax.fill_between(curve.index, curve["min"], curve["max"], color=colour, alpha=0.2, linewidth=0, label=name)
        ax.plot(rows[top], rows[self.column], "o", color=colour)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        # What does not vary stands in the note.
        shown = [c for c in self.frame if c in (*_ANSWERS, self.design.top, *_varied(self.frame))]
        return table(self.frame[shown], note=self.notes())._repr_mimebundle_(include, exclude)


def planned_study(
    design: PlannedDesign,
    rows: pd.DataFrame,
    column: str,
    answer: Answer,
    two_sided: bool,
    outcome_sd: float | None,
    **beside: np.ndarray,
) -> PlannedStudy:
    """Put the answer beside the design, further columns beside the answer, and say in the note what was assumed."""
    std_error, found = np.sqrt(design.variance(rows)), answer(rows)
    effect = "mdes" if column == "mdes" else "effect"
    frame = rows.assign(**{column: found})
    frame.insert(0, "design", design.name)
    if outcome_sd is not None:
        frame[f"{effect}_raw"] = frame[effect] * outcome_sd
    frame = frame.assign(std_error=std_error, df=design.df(rows), multiplier=frame[effect] / std_error, **beside)
    summary = pd.DataFrame(
        {
            "design": [design.name],
            "levels": [design.levels],
            "treatment_level": [design.treatment_level],
            "two_sided": [two_sided],
            f"{column}_low": [found.min()],
            f"{column}_high": [found.max()],
        }
    )
    note = said(design, rows, column, two_sided, outcome_sd)
    return PlannedStudy(frame, summary, note, _SOURCE, design=design, column=column, answer=answer)


def _varied(frame: pd.DataFrame) -> list[str]:
    """Return the columns that do not hold one value alone."""
    return list(frame.columns[(frame != frame.iloc[0]).any()])
