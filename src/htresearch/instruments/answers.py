"""Whether answers are such as the items allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from numbers import Real
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault
from htresearch.instruments.instrument import Instrument, Item
from htresearch.language import Text, listing

if TYPE_CHECKING:
    import pandas as pd

SEVERAL = ("multiple", "ranking")
#: How many rows or values a message lists.
_SHOWN = 5


def faults(frame: pd.DataFrame, instrument: Instrument) -> Iterator[Fault]:
    """Yield what keeps a frame from being answers to an instrument: names, identities, impossible answers."""
    names = list(frame.columns)
    known = [name for name in dict.fromkeys(names) if name in instrument.items]
    if not known:
        yield Fault(
            checks.argument("frame"),
            Text("没有一列是《{title}》的题目", "no column is an item of “{title}”").format(title=instrument.title),
            Text("请检查问卷与答卷是否对应", "See whether the instrument is the one that was answered"),
        )
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        yield Fault(
            str(name),
            Text("列名重复", "the column's name is used twice"),
            Text("请改名或删去一列", "Rename or remove one"),
        )
    for item in (instrument.items[name] for name in known):
        if item.personal:
            yield Fault(
                item.id,
                Text("这一列能认出人，不能写出", "the column says who somebody is and cannot be written"),
                Text("请先用 intake 换成编号，或删去这一列", "Let intake turn it into ids first, or drop the column"),
            )
        elif names.count(item.id) == 1:
            yield from _impossible(frame[item.id], item)


def chosen(answer: object, item: Item) -> list[int] | None:
    """Return the values in a text such as "1;3", or ``None`` if it holds something else."""
    try:
        listed = [int(part) for part in str(answer).split(";")]
    except ValueError:
        return None
    if len(listed) == 1 and listed[0] in item.missing:
        return listed
    return listed if set(listed) <= _allowed(item) and len(set(listed)) == len(listed) else None


def limits(item: Item) -> tuple[float, float]:
    """Return between which numbers an answer lies, as far as anything is known."""
    allowed = _allowed(item)
    if allowed:
        return min(allowed), max(allowed)
    return (
        -math.inf if item.minimum is None else item.minimum,
        math.inf if item.maximum is None else item.maximum,
    )


def _allowed(item: Item) -> set[int]:
    return {choice.value for choice in item.choices if not choice.missing}


def _impossible(answers: pd.Series, item: Item) -> Iterator[Fault]:
    """Yield a fault if some answers cannot be; what is no number may say anything, so only its rows are told."""
    wrong = [answer for answer in answers.dropna().unique() if not _possible(answer, item)]
    if not wrong:
        return
    rows = (answers.isin(wrong).to_numpy().nonzero()[0] + 1).tolist()
    more = "…" if len(rows) > _SHOWN else ""
    first = listing(rows[:_SHOWN])
    numbers = [f"{answer:g}" for answer in wrong if isinstance(answer, Real)][:_SHOWN]
    yield Fault(
        item.id,
        Text(
            f"{len(rows)} 个答案不是可能的值（第 {first.zh}{more} 行）",
            f"{len(rows)} answers are none of the possible values (rows {first.en}{more})",
        ),
        Text("请先改正或清空；编码手册列有各题的取值", "Correct or empty them first; the codebook lists the values"),
        ", ".join(numbers) or None,
    )


def _possible(answer: object, item: Item) -> bool:
    import numpy as np
    import pandas as pd

    if item.type == "text":
        return True
    if item.type == "date":
        return not pd.isna(pd.to_datetime(answer, errors="coerce"))
    if item.type in SEVERAL:
        return chosen(answer, item) is not None
    if isinstance(answer, bool | np.bool_) or not isinstance(answer, Real) or not math.isfinite(answer):
        return False
    if item.type == "single" or answer in item.missing:
        return answer in _allowed(item) or answer in item.missing
    low, high = limits(item)
    return low <= answer <= high
