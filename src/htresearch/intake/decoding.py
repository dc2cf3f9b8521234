"""Answers read from cells: what each distinct cell of a column means is found once, however many rows hold it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from unicodedata import normalize

import numpy as np
import pandas as pd

from htresearch.instruments import Item
from htresearch.intake.export import Column, plain
from htresearch.intake.times import moment, whole
from htresearch.language import Text

CLOSED = ("single", "multiple", "ranking")

#: Why there is no answer. The codes of an item come after these, by their labels.
SKIPPED = Text("跳过", "Skipped")
EMPTY = Text("未作答", "No answer")
DECLARED = Text("文件中声明为缺失", "Declared missing in the file")
REFUSED = Text("不是可能的答案", "No possible answer")

_WORDS = {
    "": EMPTY,
    "(空)": EMPTY,
    "-2": EMPTY,
    "(跳过)": SKIPPED,
    "-3": SKIPPED,
}
#: What programs write for nothing; a text could mean something else by them.
_NOTHING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "."})
_SEPARATORS = {"multiple": ("┋", ";", "|", "、", ",", "\n"), "ranking": ("→", "->", ";", "|", ",", "、", "\n", ">")}
_OTHER = re.compile(r"([^〖]*?)_{0,40}〖.*〗", re.DOTALL)
_OUTSIDE = r"(?![^〖]*〗)"  # words that somebody wrote beside a choice may hold a separator
_LETTERED = re.compile(r"\(?([A-Za-z]|\d{1,2})[.、:)](.+)", re.DOTALL)
_NUMERAL = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?")
_YES = frozenset({"1", "true", "是", "选中", "已选", "√", "✓", "yes", "y"})
_NO = frozenset({"0", "false", "否", "未选", "未选中", "no", "n", "×"})


@dataclass(frozen=True)
class Meaning:
    """What one cell means: a value, or why there is none; `aside` where words stand beside a choice."""

    value: object = None
    why: Text | None = None
    aside: bool = False


@dataclass(frozen=True, eq=False)
class Cells:
    """A column with its distinct cells.

    Attributes
    ----------
    column : Column
    codes : array of int
        By row: which of the distinct cells; -1 where empty.
    distinct : array of object
    counts : array of int
        How many rows hold each.
    """

    column: Column
    codes: np.ndarray
    distinct: np.ndarray
    counts: np.ndarray

    @cached_property
    def keys(self) -> list[str]:
        """The distinct cells as compared."""
        return [plain(v) for v in self.distinct]


def cells(column: Column) -> Cells:
    """Read a column and find its distinct cells."""
    read = column.read()
    codes, distinct = pd.factorize(read)
    return Cells(column, codes, distinct, np.bincount(codes[codes >= 0], minlength=len(distinct)))


# --- what one cell means --------------------------------------------------------------------------------------------


def choice_table(item: Item, mode: str) -> dict[str, int]:
    """Return what stands for each choice in a mode, as compared, to its value."""
    if mode == "number":
        return {str(i): choice.value for i, choice in enumerate(item.choices, 1)}
    if mode == "score":
        return {str(choice.value): choice.value for choice in item.choices}
    table: dict[str, int] = {}
    doubtful = set()
    for choice in item.choices:
        for label in {plain(choice.label.zh), plain(choice.label.en)} - {""}:
            doubtful |= {label} if table.get(label, choice.value) != choice.value else set()
            table[label] = choice.value
    folded = {label.casefold(): value for label, value in table.items()}
    if len(folded) == len(table):
        table = folded | table
    return {label: value for label, value in table.items() if label not in doubtful}


def no_answer(key: str, item: Item, nothing: bool = True) -> Text | None:
    """Return why a cell is no answer, if it says so."""
    if key in _WORDS and not (
        item.type == "number" and key.startswith("-") and _within(float(key), item, strict=True)
    ):
        return item.missing.get(int(key), _WORDS[key]) if key.startswith("-") else _WORDS[key]
    if item.missing and (_NUMERAL.fullmatch(key) and "." not in key and int(key) in item.missing):
        return item.missing[int(key)]
    return EMPTY if nothing and key.casefold() in _NOTHING else None


def chosen(key: str, table: Mapping[str, int], item: Item, mode: str) -> Meaning | None:
    """Return which choice a piece of a cell names, if one for certain."""
    value = table.get(key, table.get(key.casefold()))
    aside = False
    if value is None and mode == "text":
        if "〖" in key and (found := _OTHER.fullmatch(key)):
            value, aside = table.get(found[1], table.get(found[1].casefold())), True
        elif key.endswith("_"):
            value = table.get(key.rstrip("_"))
        elif found := _LETTERED.fullmatch(key):
            # “C.有时” names the third choice twice over; anything else under that letter names none.
            value = table.get(found[2])
            place = [c.value for c in item.choices].index(value) + 1 if value is not None else 0
            if place == 0 or found[1].upper() not in (chr(64 + place), str(place), str(value)):
                value = None
    if value is None:
        return None
    if value in item.missing:
        return Meaning(why=item.missing[value], aside=aside)
    return Meaning(value, aside=aside)


def _single(item: Item, mode: str) -> Callable[[object, str], Meaning]:
    table = choice_table(item, mode)

    def read(cell: object, key: str) -> Meaning:
        found = chosen(key, table, item, mode)
        return found or Meaning(why=no_answer(key, item) or REFUSED)

    return read


def _joined(item: Item, mode: str) -> Callable[[object, str], Meaning]:
    """Read several choices in one cell; a separator counts only where every part between is a choice."""
    table = choice_table(item, mode)
    order = {choice.value: i for i, choice in enumerate(item.choices)}

    def read(cell: object, key: str) -> Meaning:
        whole_cell = chosen(key, table, item, mode)
        parts = [whole_cell] if whole_cell else None
        text = normalize("NFKC", str(cell)).strip() if isinstance(cell, str) else key
        for mark in _SEPARATORS[item.type] if parts is None else ():
            pieces = [plain(p) for p in re.split(re.escape(mark) + _OUTSIDE, text)]
            named = [chosen(p, table, item, mode) for p in pieces if p]
            if len(pieces) > 1 and named and all(named):
                parts = named
                break
        if parts is None:
            return Meaning(why=no_answer(key, item) or REFUSED)
        values = [p.value for p in parts if p.why is None]
        if not values:
            return parts[0]
        if len(values) < len(parts) or (item.type == "ranking" and len(set(values)) < len(values)):
            return Meaning(why=REFUSED)
        listed = values if item.type == "ranking" else sorted(set(values), key=order.get)
        return Meaning(";".join(map(str, listed)), aside=any(p.aside for p in parts))

    return read


def _number(item: Item) -> Callable[[object, str], Meaning]:
    def read(cell: object, key: str) -> Meaning:
        if why := no_answer(key, item):
            return Meaning(why=why)
        if isinstance(cell, bool | date | time) or not _NUMERAL.fullmatch(key):
            # Excel keeps more digits of a number than it shows.
            if not (isinstance(cell, float) and np.isfinite(cell)):
                return Meaning(why=REFUSED)
            key = repr(cell)
        value = float(key)
        return Meaning(value) if _within(value, item) else Meaning(why=REFUSED)

    return read


def _within(value: float, item: Item, strict: bool = False) -> bool:
    """Tell whether a number lies in the bounds; with `strict`, an open end bounds too."""
    low = item.minimum if item.minimum is not None else (np.inf if strict else -np.inf)
    return low <= value <= (item.maximum if item.maximum is not None else np.inf)


def _text(item: Item) -> Callable[[object, str], Meaning]:
    def read(cell: object, key: str) -> Meaning:
        if why := no_answer(key, item, nothing=False):
            return Meaning(why=why)
        # A date in a column of words is what Excel made of a class such as 3-1.
        if isinstance(cell, bool | date | time):
            return Meaning(why=REFUSED)
        return Meaning(cell.strip() if isinstance(cell, str) else key)

    return read


def _date(item: Item) -> Callable[[object, str], Meaning]:
    def read(cell: object, key: str) -> Meaning:
        if why := no_answer(key, item):
            return Meaning(why=why)
        read = moment(cell)
        return Meaning(why=REFUSED) if read is None else Meaning(datetime(read.year, read.month, read.day))

    return read


def reader(item: Item, mode: str) -> Callable[[object, str], Meaning]:
    """Return what reads a cell (given also as compared) of an item's own column."""
    if item.type == "single":
        return _single(item, mode)
    if item.type in CLOSED:
        return _joined(item, mode)
    return {"number": _number, "text": _text, "date": _date}[item.type](item)


def by_labels(item: Item, column: Column) -> Callable[[object, str], Meaning]:
    """Return what reads a value of a labelled file: its label decides where the choices have such labels."""
    own = reader(item, "score")
    named_by = reader(item, "text")
    labels = {plain(value): label for value, label in column.labels.items()}

    def read(cell: object, key: str) -> Meaning:
        label = labels.get(key)
        declared = column.missing is not None and column.missing(cell)
        if label is not None and item.type == "single" and not declared:
            named = named_by(label, plain(label))
            return named if named.why is not REFUSED else _cut(label, item) or named
        if declared:
            known = item.missing.get(cell if isinstance(cell, int) else int(cell)) if _is_whole(cell) else None
            return Meaning(why=known or (Text(label, label) if label else DECLARED))
        return own(cell, key)

    return read


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and float(value).is_integer()


def _cut(label: str, item: Item) -> Meaning | None:
    """Return the choice whose label a format has cut short, if there is but one."""
    if not label.endswith(("…", "...")):
        return None
    start = plain(label.rstrip("….")).casefold()
    near = {c.value for c in item.choices for t in (c.label.zh, c.label.en) if plain(t).casefold().startswith(start)}
    return chosen(str(near.pop()), choice_table(item, "score"), item, "score") if len(near) == 1 else None


# --- columns --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Decoded:
    """The answers to an item.

    Attributes
    ----------
    given : pandas.Series
    why : array of int
        By row: 0 where there is an answer, else 1 + the position in `reasons`.
    reasons : tuple of Text
    aside : int
        Answers beside which words stood that were not taken in.
    """

    given: pd.Series
    why: np.ndarray
    reasons: tuple[Text, ...]
    aside: int = 0

    def rows(self, reason: Text) -> np.ndarray:
        """Return the rows without an answer for this reason."""
        return (
            np.flatnonzero(self.why == 1 + self.reasons.index(reason)) if reason in self.reasons else np.empty(0, int)
        )


def decode(item: Item, read: Cells, meanings: list[Meaning]) -> Decoded:
    """Give every row what its cell means."""
    found = [*meanings, Meaning(why=EMPTY)]  # the last, at -1, is the empty cell
    reasons = tuple(dict.fromkeys(m.why for m in found if m.why is not None))
    place = {reason: i for i, reason in enumerate(reasons, 1)}
    why = np.array([0 if m.why is None else place[m.why] for m in found], dtype=np.int16)[read.codes]
    values = np.array([*(m.value for m in found), None], dtype=object)[:-1][read.codes]
    aside = sum(int(n) for m, n in zip(meanings, read.counts, strict=True) if m.aside)
    return Decoded(_typed(values, item.type), why, reasons, aside)


def _typed(values: np.ndarray, kind: str) -> pd.Series:
    if kind == "single":
        return pd.Series(pd.array(values, dtype="Int64"))
    if kind == "number":
        return whole(pd.Series(pd.array(values, dtype="Float64")))
    if kind == "date":
        return pd.Series(pd.to_datetime(values), dtype="datetime64[us]")
    return pd.Series(values, dtype="str")


def decode_split(item: Item, columns: Mapping[int, Column]) -> tuple[Decoded, dict[int, tuple[Column, np.ndarray]]]:
    """Put together an item whose choices have a column each; return also the rows of cells that mean nothing.

    Chosen is 1, the choice itself, its number or a tick; in a ranking, the rank.
    """
    listed = [c for c in item.choices if c.value in columns]
    read = [cells(columns[c.value]) for c in listed]
    states = [_states(item, choice.value, i, r) for i, (choice, r) in enumerate(zip(listed, read, strict=True))]
    grid = np.stack([np.append(s, _BLANK)[r.codes] for s, r in zip(states, read, strict=True)], axis=1)
    refused = {c.value: (columns[c.value], np.flatnonzero(grid[:, j] == _BAD)) for j, c in enumerate(listed)}
    aside = sum(int(r.counts[["〖" in k for k in r.keys]].sum()) for r in read if len(r.counts))
    patterns, which = np.unique(grid, axis=0, return_inverse=True)
    meanings = [_pattern(item, [c.value for c in listed], row) for row in patterns]
    whole_item = Cells(
        columns[listed[0].value], which.ravel(), patterns, np.bincount(which.ravel(), minlength=len(patterns))
    )
    decoded = decode(item, whole_item, meanings)
    return Decoded(decoded.given, decoded.why, decoded.reasons, aside), refused


_BLANK, _SKIP, _BAD = -1, -2, -3


def _states(item: Item, value: int, place: int, read: Cells) -> np.ndarray:
    """Return for each distinct cell its rank, 1 for chosen, 0 for not, or one of the marks above."""
    table = choice_table(item, "text")
    numbers = {str(value), str(place + 1)}
    own_code = set(read.keys) <= {"0", *_WORDS, *_NO} | numbers

    def state(key: str) -> int:
        small = key.casefold()
        if _WORDS.get(key) is SKIPPED:
            return _SKIP
        if key in _WORDS or small in _NOTHING:
            return _BLANK
        if small in _NO:
            return 0
        if item.type == "ranking":
            return int(key) if re.fullmatch(r"[1-9]\d?", key) and int(key) <= len(item.choices) else _BAD
        if small in _YES or (own_code and key in numbers):
            return 1
        named = chosen(key, table, item, "text")
        return 1 if named and named.value == value else _BAD

    return np.array([state(key) for key in read.keys], dtype=np.int16)


def _pattern(item: Item, values: list[int], row: Iterable[int]) -> Meaning:
    marks = list(row)
    if _BAD in marks:
        return Meaning(why=REFUSED)
    ranked = sorted((rank, value) for rank, value in zip(marks, values, strict=True) if rank > 0)
    if not ranked:
        return Meaning(why=SKIPPED if _SKIP in marks else EMPTY)
    if item.type == "ranking":
        if [rank for rank, _ in ranked] != list(range(1, len(ranked) + 1)):
            return Meaning(why=REFUSED)
        return Meaning(";".join(str(value) for _, value in ranked))
    named = [value for value in values if any(value == v for _, v in ranked)]
    answers = [value for value in named if value not in item.missing]
    if not answers:
        return Meaning(why=item.missing[named[0]])
    return Meaning(why=REFUSED) if len(answers) < len(named) else Meaning(";".join(map(str, answers)))
