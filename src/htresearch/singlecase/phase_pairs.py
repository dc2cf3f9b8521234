"""Which observations of a frame are compared with which: every baseline phase with the treatment that follows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text, listing
from htresearch.singlecase.series import IMPROVEMENT, read_values


@dataclass(frozen=True, eq=False)
class PhasePair:
    """Two phases of one case that are compared; missing values stay in, in time order."""

    case: object
    pair: int
    baseline: np.ndarray
    treatment: np.ndarray
    improvement: str


def phase_pairs(
    frame: pd.DataFrame,
    phase: str = "phase",
    value: str = "value",
    case: str = "case",
    time: str | None = None,
    baseline: object = None,
    improvement: object = "increase",
    phases: str = "pairs",
) -> tuple[list[PhasePair], list[Text]]:
    """Return the pairs of phases of every case, and what to say about them.

    Parameters
    ----------
    frame
        A row per observation.
    phase, value, case, time
        Names of its columns. Without a column ``"case"`` all rows are one case; without `time` rows are in order.
    baseline
        The label of baseline phases, or several; that of each case's first phase if not given. Labels that differ
        only in a number at their end (A1, A2) are one.
    improvement
        One direction, a column that holds it, or a mapping from case to direction.
    phases
        ``"pairs"``: each baseline phase with the treatment phase right after it; ``"pooled"``: all baseline
        observations of a case with all its treatment observations.

    Raises
    ------
    ArgumentError
        With everything that is wrong with the frame or an argument.
    """
    _check_frame(frame, phase, value, case, time, phases)
    note: list[Text] = []
    if case not in frame.columns:
        frame = frame.assign(**{case: 1})
        note.append(Text("没有案例列，所有观察算作一个案例。", "There is no column of cases: all rows are one case."))
    faults = [*_empty(frame, case), *_empty(frame, phase), *(_empty(frame, time) if time else ())]
    checks.require(*faults)
    values, fault = read_values(value, frame[value].to_numpy(dtype=object), 0)
    checks.require(fault)
    frame = frame.assign(**{value: values})
    directions = _directions(frame, case, improvement)
    first = _baseline_kinds(baseline, frame[phase])
    found: list[PhasePair] = []
    for name, rows in frame.groupby(case, sort=False):
        rows = rows if time is None else _in_time(rows, time, name)
        found += _pairs_of(name, rows[phase], rows[value], first, phases, directions[name], note)
    return found, note


def _pairs_of(
    name: object,
    labels: pd.Series,
    values: pd.Series,
    first: set[str],
    phases: str,
    direction: str,
    note: list[Text],
) -> Iterator[PhasePair]:
    """Yield the pairs of one case; what is compared with nothing is said."""
    kinds = [_kind(label) for label in labels]
    is_baseline = np.array([k in (first or {kinds[0]}) for k in kinds])
    values = values.to_numpy(dtype=float)
    runs = _runs([str(label) for label in labels])
    if phases == "pooled":
        note.append(
            Text(
                "每个案例的全部基线观察与全部实施观察合并比较。",
                "All baseline observations of a case are compared with all its treatment observations.",
            )
        )
        yield PhasePair(name, 1, values[is_baseline], values[~is_baseline], direction)
        return
    pairs = [
        (before, after)
        for before, after in pairwise(runs)
        if is_baseline[before.start] and not is_baseline[after.start]
    ]
    used = {r.start for pair in pairs for r in pair}
    if len(pairs) > 1:
        note.append(
            Text(
                "有多对阶段的案例，逐对比较：每个基线阶段与紧接其后的实施阶段（pair 列）；撤回不另作比较。",
                "Cases with several pairs of phases: each baseline phase with the treatment phase right after it "
                "(column pair); a return to baseline is not compared by itself.",
            )
        )
    left = [str(labels.iloc[r.start]) for r in runs if r.start not in used]
    if left:
        note.append(
            Text(
                "案例 {name}：阶段 {left} 前面没有紧接的基线（或后面没有实施阶段），未比较。",
                "Case {name}: phase(s) {left} follow no baseline, or no treatment follows: they are not compared.",
            ).format(name=name, left=listing(left))
        )
    if not pairs:
        yield PhasePair(name, 1, values[is_baseline], values[~is_baseline][:0], direction)
    for number, (before, after) in enumerate(pairs, 1):
        yield PhasePair(name, number, values[before], values[after], direction)


def _kind(label: object) -> str:
    """Return a phase's label without the number at its end: A1 and A2 are both A."""
    text = str(label).strip()
    return text.rstrip("0123456789").rstrip(" _-") or text


def _baseline_kinds(baseline: object, labels: pd.Series) -> set[str]:
    """Return the labels of baseline phases as asked for; none if each case's first phase is to be taken."""
    if baseline is None:
        return set()
    wanted = [baseline] if isinstance(baseline, str) or not isinstance(baseline, Iterable) else list(baseline)
    known = {_kind(label) for label in labels}
    checks.require(
        *(
            Fault(
                checks.argument("baseline"),
                Text("没有这个阶段", "there is no such phase"),
                Text("阶段有：{all}", "The phases are: {all}").format(all=listing(dict.fromkeys(labels.astype(str)))),
                str(label),
            )
            for label in wanted
            if _kind(label) not in known
        )
    )
    return {_kind(label) for label in wanted}


def _runs(labels: list[str]) -> list[slice]:
    """Return the stretches of equal labels."""
    starts = [0, *(i for i in range(1, len(labels)) if labels[i] != labels[i - 1])]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(labels)], strict=True)]


def _in_time(rows: pd.DataFrame, time: str, name: object) -> pd.DataFrame:
    try:
        ordered = rows.sort_values(time, kind="stable")
    except TypeError:
        raise ArgumentError(
            Fault(
                checks.argument("time"),
                Text(f"案例 {name} 的时间无法排序", f"the times of case {name} cannot be put in order"),
                Text("请统一写成日期或数字", "Write all as dates, or all as numbers"),
            )
        ) from None
    twice = ordered[time][ordered[time].duplicated()]
    if len(twice):
        raise ArgumentError(
            Fault(
                checks.argument("time"),
                Text(f"案例 {name} 有两次观察的时间相同", f"two observations of case {name} have the same time"),
                Text("请改正时间，或合并为一次观察", "Correct the time, or make one observation of both"),
                str(twice.iloc[0]),
            )
        )
    return ordered


def _directions(frame: pd.DataFrame, case: str, improvement: object) -> dict[object, str]:
    """Return the direction of improvement of every case."""
    cases = list(dict.fromkeys(frame[case]))
    if isinstance(improvement, Mapping):
        given = {c: improvement.get(c) for c in cases}
    elif isinstance(improvement, str) and improvement in IMPROVEMENT:
        return dict.fromkeys(cases, improvement)
    elif isinstance(improvement, str) and improvement in frame.columns:
        held = {c: list(dict.fromkeys(rows[improvement])) for c, rows in frame.groupby(case, sort=False)}
        given = {c: v[0] if len(v) == 1 else v for c, v in held.items()}
    else:
        raise ArgumentError(
            Fault(
                checks.argument("improvement"),
                Text("既不是方向，也不是列名", "is neither a direction nor a column"),
                Text(
                    '请写 "increase" 或 "decrease"，或给出各案例的方向',
                    'Write "increase" or "decrease", or one per case',
                ),
                improvement if isinstance(improvement, str | int | float) else type(improvement).__name__,
            )
        )
    checks.require(
        *(
            Fault(
                checks.argument("improvement"),
                Text(f"案例 {c} 须有一个方向", f"case {c} needs one direction"),
                Text('请写 "increase" 或 "decrease"', 'Write "increase" or "decrease"'),
                str(v),
            )
            for c, v in given.items()
            if not (isinstance(v, str) and v in IMPROVEMENT)
        )
    )
    return given


def _check_frame(frame: object, phase: str, value: str, case: str, time: str | None, phases: str) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise ArgumentError(
            Fault(
                checks.argument("frame"),
                Text("须为 pandas 数据框", "must be a pandas DataFrame"),
                Text("每行一次观察", "Give a row per observation"),
                type(frame).__name__,
            )
        )
    wanted = {"phase": phase, "value": value} | ({"time": time} if time is not None else {})
    wanted |= {} if case == "case" else {"case": case}
    checks.require(
        *(f for name, column in wanted.items() for f in checks.columns(name, [column], list(frame.columns))),
        checks.one_of("phases", phases, ("pairs", "pooled")),
        None
        if len(frame)
        else Fault(
            checks.argument("frame"), Text("没有任何观察", "has no rows"), Text("请补充观察", "Add observations")
        ),
    )


def _empty(frame: pd.DataFrame, column: str) -> list[Fault]:
    missing = np.flatnonzero(frame[column].isna())
    if not len(missing):
        return []
    return [
        Fault(
            checks.argument("frame"),
            Text(
                f"“{column}”列第 {missing[0] + 1} 行为空（这样的共 {len(missing)} 行）",
                f"column {column!r} is empty in row {missing[0] + 1} ({len(missing)} in all)",
            ),
            Text("请补上，或去掉这一行", "Fill it in, or leave the row out"),
        )
    ]
