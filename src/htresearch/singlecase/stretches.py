"""The observations of cases in all their phases, read once: stretches of one phase after another, in time order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text, listing
from htresearch.singlecase.series import read_values

#: Beyond this squares and sums overflow.
LARGEST = 1e50


@dataclass(frozen=True, eq=False)
class Stretch:
    """One phase, from its first observation to its last.

    Attributes
    ----------
    name : str
        The phase's name, with a number where the phase comes back (A1, B1, A2, B2).
    phase : str
        As it was given.
    first : int
        The place of its first observation among all of the case, from 0 on.
    values, times : numpy.ndarray
        All its observations, NaN where missing, and when each was made.
    """

    name: str
    phase: str
    first: int
    values: np.ndarray
    times: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """The values that were observed."""
        return self.values[~np.isnan(self.values)]

    @property
    def kind(self) -> str:
        """What the phase is a repetition of: A for A1 and A2."""
        return kind_of(self.phase)


@dataclass(frozen=True, eq=False)
class Case:
    """One case: its values, the phase and the time of each."""

    name: str
    values: np.ndarray
    phases: np.ndarray
    times: np.ndarray
    rows: np.ndarray

    @property
    def dated(self) -> bool:
        """Whether times are days, not numbers."""
        return self.times.dtype.kind == "M"

    @property
    def missing(self) -> int:
        """How many observations are missing."""
        return int(np.isnan(self.values).sum())

    @property
    def stretches(self) -> list[Stretch]:
        """Its phases in time order; a phase that comes back is a stretch of its own."""
        starts = [0, *(np.flatnonzero(self.phases[1:] != self.phases[:-1]) + 1).tolist()]
        ends = [*starts[1:], len(self.phases)]
        names = _numbered([str(self.phases[start]) for start in starts])
        return [
            Stretch(name, str(self.phases[start]), start, self.values[start:end], self.times[start:end])
            for name, start, end in zip(names, starts, ends, strict=True)
        ]


def kind_of(phase: str) -> str:
    """Return what a phase repeats.

    Examples
    --------
    >>> kind_of("A2"), kind_of("A"), kind_of("改变前"), kind_of("2")
    ('A', 'A', '改变前', '2')
    """
    found = re.fullmatch(r"(.*[^\d\s])\s*\d+", phase)
    return found[1] if found else phase


def _numbered(phases: list[str]) -> list[str]:
    """Number the phases that come back."""
    so_far: dict[str, int] = {}
    names = []
    for phase in phases:
        so_far[phase] = so_far.get(phase, 0) + 1
        names.append(f"{phase}{so_far[phase]}" if phases.count(phase) > 1 else phase)
    return names


def read_case(
    values: Sequence, phases: Sequence, times: Sequence | None = None, name: str = "", fewest: int = 1
) -> Case:
    """Read one case.

    Parameters
    ----------
    values
        In time order; ``None`` and NaN are missing.
    phases
        The phase of each value, missing ones too.
    times
        When each was observed, rising: days or numbers; 1, 2, … if not given.
    name
        Of the case.
    fewest
        How many values must be observed.

    Raises
    ------
    ArgumentError
        With everything that is wrong.

    Examples
    --------
    >>> case = read_case([3, 4, None, 6], ["A", "A", "B", "B"])
    >>> [(s.name, s.seen.tolist()) for s in case.stretches]
    [('A', [3.0, 4.0]), ('B', [6.0])]
    """
    found, fault = read_values("values", values, fewest)
    number = len(values) if hasattr(values, "__len__") and not isinstance(values, (str, bytes)) else None
    read_labels, label_fault = _read_phases(phases, number)
    read_times, time_fault = _read_times(times, number)
    checks.require(fault or too_large("values", found), label_fault, time_fault or _too_late(read_times))
    return Case(name, found, read_labels, read_times, np.arange(len(found)))


def read_cases(
    frame: pd.DataFrame,
    case: str | None = "case",
    phase: str = "phase",
    value: str = "value",
    time: str | None = None,
    more: Sequence[str] = (),
) -> list[Case]:
    """Read every case of a frame, in the order in which they first appear.

    Parameters
    ----------
    frame
        A row per observation.
    case, phase, value, time
        Its columns; without a column of cases all rows are one case, without `time` rows are in time order.
    more
        Further columns that must be there.

    Raises
    ------
    ArgumentError
        With everything that is wrong, told by case.
    """
    if not isinstance(frame, pd.DataFrame):
        checks.require(
            Fault(
                checks.argument("frame"),
                Text("须为 DataFrame，每行一次观察", "must be a DataFrame with a row per observation"),
                Text("例如 pandas.DataFrame({...})", "For example pandas.DataFrame({...})"),
                type(frame).__name__,
            )
        )
    single = case is None or (case == "case" and "case" not in frame)
    named = {"phase": phase, "value": value, **({} if single else {"case": case}), **({"time": time} if time else {})}
    wrong = [fault for key, column in named.items() for fault in checks.columns(key, [column], frame.columns)]
    wrong += [fault for column in more for fault in checks.columns("columns", [column], frame.columns)]
    wrong += [twice(frame, column) for column in (*named.values(), *more)]
    checks.require(*wrong, _nothing(frame), None if single or any(wrong) else _unnamed(frame, case))
    groups = [("", np.arange(len(frame)))] if single else _groups(frame[case])
    cases, faults = [], []
    for name, rows in groups:
        try:
            cases.append(_one(frame, name, rows, phase, value, time))
        except ArgumentError as error:
            faults += [_of_case(name, fault) for fault in error.faults]
    checks.require(*faults)
    return cases


def _one(frame: pd.DataFrame, name: str, rows: np.ndarray, phase: str, value: str, time: str | None) -> Case:
    part = frame.iloc[rows]
    if time is not None:
        with suppress(TypeError):  # days mixed with words have no order: read_case says so
            rows = rows[part[time].argsort(kind="stable").to_numpy()]
        part = frame.iloc[rows]
    found = read_case(
        part[value].astype(object).tolist(),
        part[phase].astype(object).tolist(),
        None if time is None else part[time].tolist(),
        name,
    )
    return Case(name, found.values, found.phases, found.times, rows)


def _groups(names: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    codes, known = pd.factorize(names)
    for code, name in enumerate(known):
        yield str(name), np.flatnonzero(codes == code)


def _of_case(name: str, fault: Fault) -> Fault:
    where = fault.where if isinstance(fault.where, Text) else Text(fault.where, fault.where)
    if not name:
        return fault
    return Fault(
        Text("个案 {name}，{where}", "Case {name}, {where}").format(
            name=name, where=Text(where.zh, where.en[:1].lower() + where.en[1:])
        ),
        fault.rule,
        fault.fix,
        fault.value,
    )


# --- phases and times -----------------------------------------------------------------------------------------------


def _read_phases(phases: object, number: int | None) -> tuple[np.ndarray, Fault | None]:
    nothing = np.array([], dtype=object)
    if isinstance(phases, (str, bytes, dict, set)) or not hasattr(phases, "__len__"):
        return nothing, Fault(
            checks.argument("phases"),
            Text("须为一列阶段名，每个值一个", "must be a sequence of phases, one for each value"),
            Text('例如 ["A", "A", "B", "B"]', 'For example ["A", "A", "B", "B"]'),
            phases if isinstance(phases, str) else type(phases).__name__,
        )
    found = [None if _absent(p) else p for p in list(phases)]
    if number is not None and len(found) != number:
        return nothing, _unequal("phases", len(found), number)
    without = [place for place, p in enumerate(found, 1) if p is None or not str(p).strip()]
    if without:
        return nothing, Fault(
            checks.argument("phases"),
            Text("第 {all} 个值没有写明阶段", "value {all} has no phase").format(all=listing(without[:10])),
            Text("请补上，缺失的值也要写", "Add it, for missing values too"),
        )
    return np.array([str(p).strip() for p in found], dtype=object), None


def _read_times(times: object, number: int | None) -> tuple[np.ndarray, Fault | None]:
    if times is None:
        return np.arange(1, (number or 0) + 1, dtype=float), None
    nothing = np.array([])
    if isinstance(times, (str, bytes, dict, set)) or not hasattr(times, "__len__"):
        return nothing, Fault(
            checks.argument("times"),
            Text("须为一列日期或数", "must be a sequence of days or numbers"),
            Text("例如 [1, 2, 3]", "For example [1, 2, 3]"),
            times if isinstance(times, str) else type(times).__name__,
        )
    cells = list(times)
    if number is not None and len(cells) != number:
        return nothing, _unequal("times", len(cells), number)
    days = bool(cells) and all(isinstance(t, (date, np.datetime64, pd.Timestamp)) and not _absent(t) for t in cells)
    if days:
        read = np.array([pd.Timestamp(t).tz_localize(None).to_datetime64() for t in cells], dtype="datetime64[ns]")
    else:
        read, fault = read_values("times", cells)
        if fault is not None or np.isnan(read).any():
            return nothing, fault or _timeless(read)
    steps = np.diff(read.astype("int64") if days else read)
    if (steps <= 0).any():
        place = int(np.flatnonzero(steps <= 0)[0]) + 1
        return nothing, Fault(
            checks.argument("times"),
            Text(
                f"第 {place + 1} 次不晚于第 {place} 次",
                f"observation {place + 1} is not later than observation {place}",
            ),
            Text("请按时间先后排列，一个时间只留一次观察", "Put them in time order, one observation at a time"),
            str(cells[place]),
        )
    return read, None


def _absent(cell: object) -> bool:
    return cell is None or (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))


def _too_late(times: np.ndarray) -> Fault | None:
    return None if times.dtype.kind == "M" else too_large("times", times)


def _timeless(read: np.ndarray) -> Fault:
    place = int(np.flatnonzero(np.isnan(read))[0]) + 1
    return Fault(
        checks.argument("times"),
        Text(f"第 {place} 次观察没有时间", f"observation {place} has no time"),
        Text("请补上；没有观察到的，值写 None，时间照写", "Add it; a missing value still has its time"),
    )


def _unequal(name: str, found: int, wanted: int) -> Fault:
    return Fault(
        checks.argument(name),
        Text(f"应与 values 一样长（{wanted} 个）", f"must be as long as values ({wanted})"),
        Text("请检查是否漏了或多了", "See what is missing or too many"),
        found,
    )


def too_large(name: str, values: np.ndarray) -> Fault | None:
    """Refuse what no school counts and no computer squares."""
    if not len(values) or not (wrong := np.abs(values[~np.isnan(values)]) > LARGEST).any():
        return None
    return Fault(
        checks.argument(name),
        Text(f"有 {int(wrong.sum())} 个值大得不像话", f"{int(wrong.sum())} values are absurdly large"),
        Text("请检查是否多打了数字", "See whether digits were typed twice"),
        float(values[~np.isnan(values)][wrong][0]),
    )


def twice(frame: pd.DataFrame, column: str) -> Fault | None:
    """Refuse a name that several columns have."""
    if (frame.columns == column).sum() < 2:
        return None
    return Fault(
        checks.argument("frame"),
        Text(f"有不止一列叫“{column}”", f"more than one column is called {column!r}"),
        Text("请改名", "Rename them"),
    )


def _nothing(frame: pd.DataFrame) -> Fault | None:
    if len(frame):
        return None
    return Fault(
        checks.argument("frame"),
        Text("一行也没有", "has no rows"),
        Text("请给出观察记录", "Give the observations"),
    )


def _unnamed(frame: pd.DataFrame, case: str) -> Fault | None:
    without = np.flatnonzero(frame[case].isna().to_numpy()) + 1
    if not len(without):
        return None
    return Fault(
        checks.argument("case"),
        Text("第 {all} 行没有写明个案", "row {all} names no case").format(all=listing(without[:10].tolist())),
        Text("请补上", "Add it"),
    )
