"""Several cases in one table, read once: sessions in time order, phases as runs of one condition."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError, Fault
from htresearch.language import Text, listing
from htresearch.singlecase.series import read_values

#: More faults of one kind than this are counted, not listed.
_LISTED = 5
#: Values beyond these, other than 0, are no observations of anything, and their squares no numbers.
_SIZES = 1e-100, 1e15
#: Times beyond this are none; times nearer to one another than this are one.
_LATEST, _NEAREST = 1e9, 1e-6


@dataclass(frozen=True, eq=False)
class Case:
    """The observations of one case.

    Attributes
    ----------
    name : str
    values, times : numpy.ndarray
        What was observed and when, in time order; missing observations are left out.
    phase : numpy.ndarray
        The phase of each observation: 0 for the first, and so on.
    labels : tuple of str
        The label of each phase.
    starts : numpy.ndarray
        The time of the first session of each phase, observed or missing.
    lasts : numpy.ndarray
        The time of the last session of each phase, observed or missing.
    missing : int
        How many observations are missing.
    """

    name: str
    values: np.ndarray
    times: np.ndarray
    phase: np.ndarray
    labels: tuple[str, ...]
    starts: np.ndarray
    lasts: np.ndarray
    missing: int

    @property
    def conditions(self) -> tuple[str, ...]:
        """The condition of each phase: its label without a number behind it (A1 and A2 are both A)."""
        return tuple(condition(label) for label in self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each phase, told apart where a label comes again: A, B, A2, B2."""
        seen: dict[str, int] = {}
        found = []
        for label in self.labels:
            seen[label] = seen.get(label, 0) + 1
            found.append(label if seen[label] == 1 else f"{label}{seen[label]}")
        return tuple(found)


def condition(label: str) -> str:
    """Return a phase's condition.

    Examples
    --------
    >>> condition("B2"), condition("基线 1"), condition("1")
    ('B', '基线', '1')
    """
    return re.sub(r"[\s_\-]*\d+$", "", label) or label


def read_case(
    name: str, values: Sequence, phases: Sequence, times: Sequence | None
) -> tuple[Case | None, list[Fault]]:
    """Read one case from its columns, in the order of their times (of the rows without times).

    The second of what is returned are the faults, each naming its argument.
    """
    seen, fault = _values(values)
    faults = [] if fault is None else [fault]
    labels, more = _labels(phases)
    faults += more
    clock, more = _times(times, len(labels))
    faults += more
    if not faults and not len(seen) == len(labels) == len(clock):
        faults.append(_unequal(len(seen), len(labels), len(clock)))
    if faults:
        return None, faults
    order = np.argsort(clock, kind="stable")
    seen, clock, labels = seen[order], clock[order], [labels[i] for i in order]
    if len(clock) > 1 and (again := np.flatnonzero(np.diff(clock) < _NEAREST)).size:
        return None, [_twice(clock[again[0]])]
    starting = [i for i in range(len(labels)) if i == 0 or labels[i] != labels[i - 1]]
    phase = np.cumsum([i in set(starting) for i in range(len(labels))]) - 1
    ending = [*[i - 1 for i in starting[1:]], len(labels) - 1]
    there = ~np.isnan(seen)
    found = Case(
        name,
        seen[there],
        clock[there],
        phase[there],
        tuple(labels[i] for i in starting),
        clock[starting],
        clock[ending],
        int((~there).sum()),
    )
    empty = [found.names[p] for p in range(len(found.labels)) if not (found.phase == p).any()]
    return (None, [_empty(empty)]) if empty else (found, [])


def read_cases(
    frame: pd.DataFrame, case: str, phase: str, value: str, time: str | None, fewest: int = 1
) -> tuple[list[Case], tuple[Text, ...]]:
    """Read all cases of a frame, in the order in which they come, and what is to be said of what is missing.

    Raises
    ------
    ColumnError
        If the frame lacks a column.
    ArgumentError
        With everything that is wrong in any case.
    """
    if not isinstance(frame, pd.DataFrame):
        checks.require(
            Fault(
                checks.argument("frame"),
                Text("须为 pandas 的 DataFrame", "must be a pandas DataFrame"),
                Text("每行一次观察：个案、阶段、数值", "Give a row per observation: case, phase, value"),
                type(frame).__name__,
            )
        )
    wanted = {"case": case, "phase": phase, "value": value, **({} if time is None else {"time": time})}
    checks.require(
        *(f for name, column in wanted.items() for f in checks.columns(name, [column], list(frame.columns))),
        error=ColumnError,
    )
    nameless = int(frame[case].isna().sum())
    checks.require(_nameless(case, nameless) if nameless else None)
    found, faults = [], []
    for name, rows in frame.groupby(case, sort=False, observed=True):
        one, wrong = read_case(
            str(name),
            rows[value].astype(object).to_numpy(),
            rows[phase].tolist(),
            None if time is None else rows[time].tolist(),
        )
        named = {"values": value, "phases": phase, "times": time}
        faults += [_of_case(name, fault, named) for fault in wrong]
        found += [one] if one is not None else []
    if len(faults) > _LISTED:
        faults = [*faults[:_LISTED], _further(len(faults) - _LISTED)]
    checks.require(*faults)
    checks.require(_too_few(len(found), fewest) if len(found) < fewest else None)
    return found, missing_note(found)


def missing_note(cases: list[Case]) -> tuple[Text, ...]:
    """Say what is missing, case by case; nothing where nothing is."""
    missing = [one for one in cases if one.missing]
    if not missing:
        return ()
    if len(cases) == 1:
        n = missing[0].missing
        return (
            Text(
                f"缺失的观察 {n} 次，未计入；其时间照算。", f"{n} missing observations do not count; their time does."
            ),
        )
    return (
        Text(
            "缺失的观察未计入（其时间照算）：{each}。",
            "Missing observations do not count (their time does): {each}.",
        ).format(each=listing([Text(f"{c.name} {c.missing} 次", f"{c.name} {c.missing}") for c in missing])),
    )


def _values(values: object) -> tuple[np.ndarray, Fault | None]:
    try:
        seen, fault = read_values("values", values)
    except OverflowError:  # a whole number that no float can hold
        return np.array([]), _size(None)
    if fault is not None:
        return seen, fault
    size = np.abs(seen[~np.isnan(seen) & (seen != 0)])
    wrong = size[(size < _SIZES[0]) | (size > _SIZES[1])]
    return seen, _size(float(wrong[0])) if wrong.size else None


def _labels(phases: object) -> tuple[list[str], list[Fault]]:
    if isinstance(phases, (str, bytes)) or not hasattr(phases, "__len__") or isinstance(phases, (dict, set)):
        return [], [
            Fault(
                checks.argument("phases"),
                Text("须为与观察值一一对应的一列阶段名", "must be a sequence with the phase of each value"),
                Text('例如 ["A", "A", "B", "B"]', 'For example ["A", "A", "B", "B"]'),
                phases if isinstance(phases, (str, int, float)) else type(phases).__name__,
            )
        ]
    found, wrong = [], []
    for place, label in enumerate(list(phases)):
        if not np.isscalar(label) or pd.isna(label) or not str(label).strip():
            wrong.append(place)
        elif isinstance(label, (float, np.floating)) and float(label).is_integer():
            label = int(label)
        found.append(str(int(label) if isinstance(label, (bool, np.bool_)) else label).strip())
    if not wrong:
        return found, []
    return found, [
        Fault(
            checks.argument("phases"),
            Text(
                f"第 {wrong[0] + 1} 个观察没有阶段名（这样的共 {len(wrong)} 个）",
                f"observation {wrong[0] + 1} has no phase ({len(wrong)} in all)",
            ),
            Text("请写明它属于哪个阶段", "Say which phase it belongs to"),
        )
    ]


def _times(times: object, n: int) -> tuple[np.ndarray, list[Fault]]:
    """Return times as numbers (dates as days); the place of each row from 0 on where there are none."""
    if times is None:
        return np.arange(n, dtype=float), []
    wrong = [
        Fault(
            checks.argument("times"),
            Text("须为数或日期，一个也不能缺", "must be numbers or dates, none missing"),
            Text(
                "没有时间的，请不给 times：按行的先后计", "Without times leave it out: rows then count in their order"
            ),
        )
    ]
    if isinstance(times, (str, bytes)) or not hasattr(times, "__len__") or isinstance(times, (dict, set)):
        return np.array([]), wrong
    given = pd.Series(list(times), dtype=object)
    try:
        if len(given) and given.map(lambda t: hasattr(t, "year") and hasattr(t, "day")).all():
            days = pd.to_datetime(given)
            return ((days - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1)).to_numpy(dtype=float), []
        if given.map(lambda t: isinstance(t, (str, bytes, bool)) or t is None).any():
            return np.array([]), wrong
        found = given.astype(float).to_numpy()
    except (TypeError, ValueError, OverflowError):
        return np.array([]), wrong
    return (found, []) if (np.abs(found) <= _LATEST).all() else (np.array([]), wrong)


# --- refusals -------------------------------------------------------------------------------------------------------


def _size(value: float | None) -> Fault:
    return Fault(
        checks.argument("values"),
        Text("数值大得或小得不像观察结果", "a value is too large or too small to be an observation"),
        Text("请核对；必要时换一个单位", "Check it; change the unit where needed"),
        value,
    )


def _unequal(values: int, phases: int, times: int) -> Fault:
    return Fault(
        checks.argument("phases"),
        Text(
            f"观察值 {values} 个，阶段名 {phases} 个，时间 {times} 个，须一样多",
            f"there are {values} values, {phases} phases and {times} times, which must be as many",
        ),
        Text("请让它们一一对应；没有观察到的写 None", "Give one of each per session; write None for a missing value"),
    )


def _twice(time: float) -> Fault:
    return Fault(
        checks.argument("times"),
        Text(f"时间 {time:g} 出现了不止一次", f"time {time:g} comes more than once"),
        Text("每个个案在一个时间只能有一个观察", "A case has one observation at a time"),
    )


def _empty(names: list[str]) -> Fault:
    return Fault(
        checks.argument("values"),
        Text("阶段 {names} 没有一个观察值", "phase {names} has no observed value").format(names=listing(names)),
        Text("请补充观察，或去掉这一阶段", "Add observations or leave the phase out"),
    )


def _nameless(column: str, count: int) -> Fault:
    return Fault(
        checks.argument("case"),
        Text(f"列“{column}”有 {count} 行是空的", f"column {column!r} is empty in {count} rows"),
        Text("请写明每个观察属于哪个个案", "Say which case each observation belongs to"),
    )


def _of_case(name: object, fault: Fault, columns: dict[str, str | None]) -> Fault:
    argument = str(fault.where.en).removeprefix("Argument ")
    column = columns.get(argument)
    where = Text(f"个案 {name}，列“{column}”", f"Case {name}, column {column!r}")
    return Fault(where, fault.rule, fault.fix, fault.value)


def _further(count: int) -> Fault:
    return Fault(
        checks.argument("frame"),
        Text(f"另有 {count} 处同类问题", f"there are {count} further faults"),
        Text("请先改正以上各处", "Mend those above first"),
    )


def _too_few(found: int, fewest: int) -> Fault:
    return Fault(
        checks.argument("case"),
        Text(f"至少要有 {fewest} 个个案", f"at least {fewest} cases are needed"),
        Text("请加入更多个案", "Add cases"),
        found,
    )
