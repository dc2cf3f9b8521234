"""Answers as numbers, one column an item: what every question to a scale begins with."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing


@dataclass(frozen=True)
class Answers:
    """Answers to several items.

    Attributes
    ----------
    names : tuple of str
    values : array, respondents × items
        Missing answers are NaN; items named in `reverse` are negated, so that all point the same way.
    empty : int
        How many rows held no answer to any item, and were left out.
    """

    names: tuple[str, ...]
    values: np.ndarray
    empty: int

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return len(self.names)

    def complete(self) -> np.ndarray:
        """Return the rows without a missing answer."""
        return self.values[~np.isnan(self.values).any(axis=1)]

    def left_out(self, kept: int) -> tuple[Text, ...]:
        """Say how many rows an analysis of `kept` rows leaves out, and why."""
        said = []
        if self.empty:
            said.append(
                Text(f"{self.empty} 行没有任何作答，未计入。", f"{self.empty} rows without any answer are left out.")
            )
        if missing := len(self.values) - kept:
            said.append(
                Text(
                    f"{missing} 行有缺失的题目，未计入；余 {kept} 行。",
                    f"{missing} rows with a missing answer are left out; {kept} remain.",
                )
            )
        return tuple(said)


def read(
    items: pd.DataFrame, reverse: Collection[str] = (), at_least: int = 2, argument: str = "items", rows: int = 3
) -> Answers:
    """Return the answers in a frame whose columns are all items, or refuse it with every fault.

    Parameters
    ----------
    items
        A row per respondent.
    reverse
        Items that are keyed the other way.
    at_least
        How many items the question needs.
    argument
        What the frame is called where faults are said.
    rows
        How many rows without missing answers are needed.
    """
    if not isinstance(items, pd.DataFrame):
        checks.require(_not_a_frame(items, argument))
    checks.require(*_faults(items, reverse, at_least, argument))
    values = numbers(items)
    checks.require(*_without_sense(values, tuple(map(str, items.columns)), rows, argument))
    for name in reverse:
        values[:, items.columns.get_loc(name)] *= -1
    answered = ~np.isnan(values).all(axis=1)
    empty = int((~answered).sum())
    return Answers(tuple(map(str, items.columns)), values[answered] if empty else values, empty)


def numbers(items: pd.DataFrame) -> np.ndarray:
    """Return numeric columns as an array of floats of its own, missing answers NaN."""
    return items.to_numpy(dtype=float, na_value=np.nan, copy=True)


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers, which truth values are not."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _not_a_frame(items: object, argument: str) -> Fault:
    return Fault(
        checks.argument(argument),
        Text("须为 DataFrame，一列一题", "must be a DataFrame with a column for each item"),
        Text("请用 pd.DataFrame 包起来", "Wrap it in pd.DataFrame"),
        type(items).__name__,
    )


def _faults(items: pd.DataFrame, reverse: Collection[str], at_least: int, argument: str) -> Iterator[Fault]:
    names = list(items.columns)
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        yield Fault(
            str(name),
            Text("列名重复", "the column's name is used twice"),
            Text("请改名或删去一列", "Rename or remove one"),
        )
    for position, name in enumerate(names):
        column = items.iloc[:, position]
        if not is_number(column):
            text = next((v for v in column.dropna() if isinstance(v, str)), None)
            yield Fault(
                str(name),
                Text("不是数字", "holds no numbers"),
                Text("请只给题目的列，并把答案换成数字", "Give item columns only, with numbers for the answers"),
                text,
            )
    if len(names) < at_least:
        yield too_few_items(argument, len(names), at_least)
    yield from checks.columns("reverse", reverse, names)


def too_few_items(where: Text | str, n_items: int, at_least: int) -> Fault:
    """Refuse a scale with too few items."""
    return Fault(
        checks.argument(where) if isinstance(where, str) else where,
        Text(f"至少要有 {at_least} 道题", f"needs at least {at_least} items"),
        Text("一道题无从看出题目之间是否一致", "One item cannot show whether items agree")
        if n_items < 2
        else Text("请加题目", "Give more items"),
        n_items,
    )


def _without_sense(values: np.ndarray, names: tuple[str, ...], rows: int, argument: str) -> Iterator[Fault]:
    """Yield a fault for each item that cannot be analysed: infinite, without answers, or constant."""
    missing = np.isnan(values)
    for position, name in enumerate(names):
        column = values[:, position]
        if np.isinf(column).any():
            yield Fault(name, Text("有无穷大的值", "holds infinite values"), Text("请改正", "Correct them"))
        elif missing[:, position].all():
            yield Fault(name, Text("没有任何作答", "nobody answered it"), Text("请去掉这一题", "Leave the item out"))
        elif np.nanmin(column) == np.nanmax(column):
            yield Fault(
                name,
                Text("所有人的答案都一样，没有方差", "everybody gave the same answer: it has no variance"),
                Text("请去掉这一题，或检查数据", "Leave the item out, or look at the data"),
                f"{column[~missing[:, position]][0]:g}",
            )
    complete = int((~missing.any(axis=1)).sum())
    if complete < rows and not missing.all(axis=0).any():
        yield Fault(
            checks.argument(argument),
            Text(f"各题都作答的至少要有 {rows} 人", f"at least {rows} respondents must have answered every item"),
            Text("请去掉缺失多的题目：{all}", "Leave out items that are often missing: {all}").format(
                all=listing([names[i] for i in np.argsort(-missing.sum(axis=0))[:3]])
            ),
            complete,
        )
