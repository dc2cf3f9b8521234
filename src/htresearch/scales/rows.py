"""A frame with a row per respondent or per item that carries what the reader must know about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from htresearch.language import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Rows(pd.DataFrame):
    """A data frame with a note; what is selected from it is a plain frame again.

    Attributes
    ----------
    note : tuple of Text
        The method, and all that was left out, counted, with the reason.
    source : str
        Where the method comes from, with its DOI.
    """

    _metadata = ["note", "source"]  # noqa: RUF012 - pandas adds lists to it

    def __init__(self, frame: pd.DataFrame, note: tuple[Text, ...] = (), source: str = ""):
        super().__init__(frame)
        self.note, self.source = note, source

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def notes(self) -> str:
        """Return the note as one paragraph in the language now spoken."""
        return str(Text("", " ")).join(str(n) for n in self.note)

    def tidy(self) -> pd.DataFrame:
        """Return the rows as a plain frame."""
        return pd.DataFrame(self)

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole."""
        raise NotImplementedError

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw what the rows say together."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        return table(self.tidy(), note=self.notes())._repr_mimebundle_(include, exclude)
