"""Where a row was read, and how much of what it holds may be said in a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from htresearch.identifiers import mask
from htresearch.language import Text, words

_LONGEST = 40
#: What may be somebody's name: two to four Chinese characters, or a longer one with a dot.
_NAME = re.compile(r"[\u3400-\u9fff](?:\s*[\u3400-\u9fff]){1,3}|[\u3400-\u9fff]+[·•・][\u3400-\u9fff·•・]+")


@dataclass(frozen=True)
class Place:
    """Where a row was read: the index of a frame may hold one for each of its rows.

    Attributes
    ----------
    file, sheet : str
    row : int
        From 1, as a spreadsheet counts.
    cells : Mapping of str to str
        The cell of each column, such as ``{"teacher_id": "C7"}``.

    Examples
    --------
    >>> place = Place("三小.xlsx", "填写", 7, {"teacher_id": "C7"})
    >>> place.at("teacher_id").zh, place.at("sex").en
    ('三小.xlsx · 填写 · C7', '三小.xlsx · 填写 · row 7')
    """

    file: str
    sheet: str
    row: int
    cells: Mapping[str, str] = field(default_factory=dict, compare=False)

    def at(self, column: str) -> Text:
        """Name the cell of a column (of several, joined by ", ", the first), or the row where it has none."""
        cell = next((self.cells[c] for c in column.split(", ") if c in self.cells), None)
        where = " · ".join(part for part in (self.file, self.sheet) if part)
        if cell:
            return Text(f"{where} · {cell}", f"{where} · {cell}")
        return Text(f"{where} · 第 {self.row} 行", f"{where} · row {self.row}")

    def __str__(self) -> str:
        return str(self.at(""))


def masked(value: object) -> object:
    """Return a value as it may be shown in a message: what could be a name or a number of a person is covered.

    Examples
    --------
    >>> masked("王小明"), masked("fmale"), masked("优秀")
    ('王**', 'fmale', '优秀')
    """
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip()
    if _NAME.fullmatch(text) and text not in _known():
        return f"{text[0]}**"
    text = mask(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _known() -> set[str]:
    return {word.zh for word in words().values()}
