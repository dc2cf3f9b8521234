"""Answers to items, checked before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

#: Beyond this a number is no answer: its fourth power would be none.
LARGEST = 1e50


@dataclass(frozen=True)
class Answers:
    """A respondent a row, an item a column.

    Attributes
    ----------
    matrix : array of float, respondents × items
        NaN where there is no answer.
    names : tuple of str
        The items.
    dropped : int
        Respondents left out: an item was not answered (complete cases), or none was (pairwise).
    pairwise : bool
        Whether every pair of items takes all who answered both.
    """

    matrix: np.ndarray
    names: tuple[str, ...]
    dropped: int = 0
    pairwise: bool = False

    @property
    def note(self) -> tuple[Text, ...]:
        """What was left out, if anything."""
        gaps = int(np.isnan(self.matrix).any(axis=1).sum())
        told = []
        if gaps:
            told.append(
                Text(
                    "{n} 人有题未答，每对题目取两题都答了的人。",
                    "{n} respondents left items unanswered; each pair of items takes all who answered both.",
                ).format(n=gaps)
            )
        if self.dropped and self.pairwise:
            told.append(
                Text("{n} 人一题未答，未计入。", "{n} respondents answered nothing and are left out.").format(
                    n=self.dropped
                )
            )
        elif self.dropped:
            told.append(
                Text(
                    "{dropped} 人有题未答，未计入；计入 {kept} 人。",
                    "{dropped} respondents left items unanswered and are left out; {kept} count.",
                ).format(dropped=self.dropped, kept=len(self.matrix))
            )
        return tuple(told)


def read_items(items: pd.DataFrame, at_least: int = 2, missing: str = "listwise", argument: str = "items") -> Answers:
    """Return the answers as an array, or raise one error with all that is wrong with them.

    Parameters
    ----------
    items
        A column per item.
    at_least
        How many items the analysis needs.
    missing
        ``"listwise"`` keeps who answered every item, ``"pairwise"`` who answered any.
    argument
        Name of the argument in messages.

    Raises
    ------
    ArgumentError
        If `items` is no frame, has too few columns, columns of the same name, answers that are no finite numbers, an
        item that everybody answered alike, or fewer than three respondents.
    """
    checks.require(_no_frame(items, argument), checks.one_of("missing", missing, ("listwise", "pairwise")))
    checks.require(_too_few(items, at_least, argument), *_repeated(items.columns, argument))
    values, faults = _values(items, argument)
    there = ~np.isnan(values)
    counts = there.all(axis=1) if missing == "listwise" else there.any(axis=1)
    kept = values if counts.all() else values[counts]
    if not faults:
        few = _too_few_respondents(len(kept), argument)
        faults = [few] if few else constant_items(kept, items.columns, argument)
    checks.require(*faults)
    return Answers(kept, tuple(map(str, items.columns)), len(values) - len(kept), missing == "pairwise")


def constant_items(values: np.ndarray, names: Iterable[str], argument: str, within: Text | str = "") -> list[Fault]:
    """Refuse items whose answers are all the same, `within` a group if one is named."""
    nobody = np.isnan(values).all(axis=0)
    low, high = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    low[~nobody], high[~nobody] = np.nanmin(values[:, ~nobody], axis=0), np.nanmax(values[:, ~nobody], axis=0)
    faults = [
        Fault(
            Text("{where}中的题目 {name}{within}", "{where}, item {name}{within}").format(
                where=checks.argument(argument), name=name, within=within
            ),
            Text("没有任何人回答", "nobody answered it"),
            Text("请去掉这一题，或检查数据", "Leave the item out, or look at the data"),
        )
        for name, empty in zip(names, nobody, strict=True)
        if empty
    ]
    return faults + [
        Fault(
            Text("{where}中的题目 {name}{within}", "{where}, item {name}{within}").format(
                where=checks.argument(argument), name=name, within=within
            ),
            Text(
                "所有人的回答都相同，与任何题目都谈不上相关",
                "all answers are the same, so it correlates with nothing",
            ),
            Text("请去掉这一题，或检查它的编码", "Leave the item out, or check how it was coded"),
            float(value),
        )
        for name, value, same in zip(names, low, high - low <= 1e-13 * np.abs(high) + 1e-50, strict=True)
        if same
    ]


def _no_frame(items: object, argument: str) -> Fault | None:
    if isinstance(items, pd.DataFrame):
        return None
    return Fault(
        checks.argument(argument),
        Text("须为数据框，一列一题", "must be a data frame with a column per item"),
        Text('例如 frame[["A1", "A2", "A3"]]', 'For example frame[["A1", "A2", "A3"]]'),
        type(items).__name__,
    )


def _too_few(items: pd.DataFrame, at_least: int, argument: str) -> Fault | None:
    if items.shape[1] >= at_least:
        return None
    return Fault(
        checks.argument(argument),
        Text("题目太少，这一分析至少需要 {n} 题", "too few items: this analysis needs at least {n}").format(
            n=at_least
        ),
        Text("单独一题没有内部结构可言", "A single item has no inner structure")
        if items.shape[1] == 1
        else Text("请给出量表的全部题目", "Give all items of the scale"),
        items.shape[1],
    )


def _repeated(names: pd.Index, argument: str) -> list[Fault]:
    return [
        Fault(
            checks.argument(argument),
            Text("题目 {name} 出现了不止一次", "item {name} stands there more than once").format(name=name),
            Text("每题只留一列", "Keep one column per item"),
        )
        for name in names[names.duplicated()].unique()
    ]


def _values(items: pd.DataFrame, argument: str) -> tuple[np.ndarray, list[Fault]]:
    """Return all columns as numbers, and what is wrong with them."""
    if all(pd.api.types.is_numeric_dtype(kind) and kind.kind != "c" for kind in items.dtypes):
        values = items.to_numpy(dtype=float, na_value=np.nan)
        if not (np.abs(values) > LARGEST).any():
            return values, []
    numbers, faults = zip(*(_numbers(items[name], argument) for name in items.columns), strict=True)
    return np.column_stack(numbers), [fault for fault in faults if fault is not None]


def _numbers(column: pd.Series, argument: str) -> tuple[np.ndarray, Fault | None]:
    """Return a column as numbers, and what is wrong with it."""
    known = [answer if isinstance(answer, str | Real | Decimal) else None for answer in column]
    said = pd.to_numeric(pd.Series(known, dtype=object), errors="coerce").astype(float).to_numpy()
    wrong = (np.abs(said) > LARGEST) | (np.isnan(said) & column.notna().to_numpy())
    if not wrong.any():
        return said, None
    return said, Fault(
        Text("{where}中的题目 {name}", "{where}, item {name}").format(
            where=checks.argument(argument), name=column.name
        ),
        Text("有 {n} 个回答不是数", "{n} answers are no numbers").format(n=int(wrong.sum())),
        Text(
            "请先按编码本换成数，缺失留空", "Turn them into numbers by the codebook first; leave missing ones empty"
        ),
        column[wrong].iloc[0],
    )


def _too_few_respondents(n: int, argument: str) -> Fault | None:
    if n >= 3:
        return None
    return Fault(
        checks.argument(argument),
        Text("答全的人少于三个", "fewer than three respondents answered every item"),
        Text('请检查缺失；或用 missing="pairwise"', 'See what is missing, or take missing="pairwise"'),
        n,
    )
