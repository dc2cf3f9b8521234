"""The observations of one case, read once for every method: numbers in time order, gaps counted, direction known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

#: The observations of a phase in time order; None and NaN are missing.
Values: TypeAlias = Sequence | np.ndarray | pd.Series

#: Whether a change for the better is a higher or a lower value.
IMPROVEMENT = ("increase", "decrease")


@dataclass(frozen=True, eq=False)
class Phases:
    """Two phases of one case, as they were observed.

    Attributes
    ----------
    baseline, treatment : numpy.ndarray
        The observed values in time order; missing ones are left out.
    baseline_times, treatment_times : numpy.ndarray
        When each was observed: its place from 0 on among all, missing ones counted, so that a gap stays a gap.
    sign : int
        1 where a higher value is better, -1 where a lower one is.
    missing : (int, int)
        How many observations of each phase are missing.
    """

    baseline: np.ndarray
    treatment: np.ndarray
    baseline_times: np.ndarray
    treatment_times: np.ndarray
    sign: int
    missing: tuple[int, int]

    @property
    def improving(self) -> tuple[np.ndarray, np.ndarray]:
        """Both phases with their sign turned where that is needed for more to be better."""
        return self.sign * self.baseline, self.sign * self.treatment

    @property
    def note(self) -> tuple[Text, ...]:
        """What was left out of the phases; empty where nothing was."""
        if not any(self.missing):
            return ()
        before, after = self.missing
        return (
            Text(
                f"缺失的观察未计入：改变前 {before} 次，改变后 {after} 次。",
                f"Missing observations do not count: {before} of the baseline, {after} of the treatment.",
            ),
        )


def read_phases(
    baseline: Values, treatment: Values, improvement: str = "increase", fewest: tuple[int, int] = (1, 1)
) -> Phases:
    """Read the two phases of a case.

    Parameters
    ----------
    baseline, treatment
        Values in time order; ``None`` and NaN are missing.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    fewest
        How many observed values each phase must have.

    Raises
    ------
    ArgumentError
        With everything that is wrong with any of them.

    Examples
    --------
    >>> phases = read_phases([3, None, 5], [6, 7], "increase")
    >>> phases.baseline.tolist(), phases.baseline_times.tolist(), phases.treatment_times.tolist()
    ([3.0, 5.0], [0, 2], [3, 4])
    """
    before, fault = read_values("baseline", baseline, fewest[0])
    after, other = read_values("treatment", treatment, fewest[1])
    checks.require(checks.one_of("improvement", improvement, IMPROVEMENT), fault, other)
    seen = ~np.isnan(before), ~np.isnan(after)
    return Phases(
        before[seen[0]],
        after[seen[1]],
        np.flatnonzero(seen[0]),
        len(before) + np.flatnonzero(seen[1]),
        1 if improvement == "increase" else -1,
        (int((~seen[0]).sum()), int((~seen[1]).sum())),
    )


def read_values(name: str, values: object, fewest: int = 1) -> tuple[np.ndarray, Fault | None]:
    """Return a sequence as floats, NaN where missing, and what is wrong with it as argument `name`.

    Examples
    --------
    >>> read_values("baseline", [1, None, 2.5])[0].tolist()
    [1.0, nan, 2.5]
    >>> read_values("baseline", ["3", "x"])[1].value
    '3'
    """
    nothing = np.array([])
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or isinstance(values, (dict, set)):
        return nothing, Fault(
            checks.argument(name),
            Text("须为按时间先后排列的一列数", "must be a sequence of numbers in time order"),
            Text("例如 [3, 5, 4]", "For example [3, 5, 4]"),
            values if isinstance(values, (str, int, float)) else type(values).__name__,
        )
    cells = list(np.asarray(values, dtype=object)) if isinstance(values, np.ndarray) else list(values)
    read, wrong = [], []
    for place, cell in enumerate(cells):
        number = _number(cell)
        read.append(np.nan if number is None else number)
        if number is None:
            wrong.append((place, cell))
    if wrong:
        place, cell = wrong[0]
        return nothing, Fault(
            checks.argument(name),
            Text(
                f"第 {place + 1} 个值不是有限的数（这样的共 {len(wrong)} 个）",
                f"value {place + 1} is no finite number ({len(wrong)} in all)",
            ),
            Text("请改正；没有观察到的写 None", "Correct it; write None for what was not observed"),
            cell,
        )
    found = np.array(read, dtype=float)
    if (observed := int((~np.isnan(found)).sum())) < fewest:
        return nothing, Fault(
            checks.argument(name),
            Text(f"至少要有 {fewest} 个观察值", f"at least {fewest} observed values are needed"),
            Text("请补充观察", "Add observations"),
            observed,
        )
    return found, None


def _number(cell: object) -> float | None:
    """Return a number, NaN for a missing one, None for what is neither."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return np.nan
    if isinstance(cell, (bool, np.bool_)):
        return float(cell)  # done or not done
    if isinstance(cell, (str, bytes)) or not hasattr(cell, "__float__") or np.ndim(cell):
        return None
    try:
        number = float(cell)
    except (OverflowError, TypeError, ValueError):  # a whole number beyond all floats, a date
        return None
    return None if np.isinf(number) else number
