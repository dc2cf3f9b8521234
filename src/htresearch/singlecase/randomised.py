"""What a randomisation test works on: the observations of each case, and the lottery that decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text
from htresearch.singlecase.drawing import Drawing
from htresearch.singlecase.lottery import MOST_RECORDS, BaselineLottery, Lottery, PhaseLottery, too_short
from htresearch.singlecase.reference import AlternatingSeries, PhaseSeries, SeveralSeries, Statistic
from htresearch.singlecase.series import read_values

#: Values beyond this leave no room for sums of squares.
_LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class Randomised:
    """The observations, what was drawn, and the statistic.

    Attributes
    ----------
    cases : dict of str to numpy.ndarray
        The observations of each case, NaN where missing.
    outcome : tuple of int
        What was drawn, or chosen.
    lottery : Lottery or None
        What it was drawn from; None for a chosen start of which nothing more is known.
    drawn : bool
    statistic : str or callable
    by_phase : bool
    sign : int
        1 if higher is better, -1 if lower is.
    note : tuple of Text
    """

    cases: dict[str, np.ndarray]
    outcome: tuple[int, ...]
    lottery: Lottery | None
    drawn: bool
    statistic: Statistic
    by_phase: bool
    sign: int
    note: tuple[Text, ...]

    @property
    def treated(self) -> dict[str, np.ndarray]:
        """Which records of each case are under treatment."""
        if isinstance(self.lottery, BaselineLottery):
            return {c: np.arange(len(v)) >= s for (c, v), s in zip(self.cases.items(), self.outcome, strict=True)}
        ((case, values),) = self.cases.items()
        if self.lottery is None or isinstance(self.lottery, PhaseLottery):
            return {case: np.searchsorted(self.outcome, np.arange(len(values)), side="right") % 2 == 1}
        return {case: np.array(self.outcome, dtype=bool)}

    def series(self, shift: float = 0.0) -> PhaseSeries | AlternatingSeries | SeveralSeries:
        """Return the observations laid out for look-ups, after taking a shift back from treatment values."""
        if callable(self.statistic):
            laid = list(self.cases.values())
        else:
            # Centred: sums of small numbers keep more digits.
            laid = []
            for case, treated in self.treated.items():
                signed = self.sign * self.cases[case]
                laid.append(signed - np.nanmedian(signed) - shift * treated)
        if isinstance(self.lottery, BaselineLottery):
            return SeveralSeries(laid)
        return (PhaseSeries if self.lottery is None or isinstance(self.lottery, PhaseLottery) else AlternatingSeries)(
            laid[0]
        )

    def statistic_of(self, rows: np.ndarray, shift: float = 0.0) -> np.ndarray:
        """Return the statistic, positive for the better, for each outcome (a row)."""
        return self._found(self.series(shift), rows)

    def share_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the statistic of 1 where treatment was and 0 elsewhere: how far an outcome divides alike."""
        same = {c: np.where(np.isnan(v), np.nan, self.sign * self.treated[c]) for c, v in self.cases.items()}
        return Randomised(
            same, self.outcome, self.lottery, True, self.statistic, self.by_phase, self.sign, ()
        ).statistic_of(rows)

    def _found(self, series: PhaseSeries | AlternatingSeries | SeveralSeries, rows: np.ndarray) -> np.ndarray:
        try:
            found = series.statistic(rows, self.statistic, self.by_phase)
        except Exception as error:
            if not callable(self.statistic):
                raise
            raise ArgumentError(_failed(error)) from error
        return self.sign * found if callable(self.statistic) else found

    def observed(self) -> float:
        """Return the statistic as it was."""
        found = float(self.statistic_of(np.array([self.outcome]))[0])
        checks.require(None if np.isfinite(found) else _too_few(self))
        return found

    def tolerance(self, observed: float) -> float:
        """Return how far two statistics may differ and yet be a tie, in which they would differ by rounding alone."""
        spread = max(float(np.nanmax(v) - np.nanmin(v)) for v in self.cases.values())
        # What was written with few digits left after a large constant has lost some of them before it came here.
        largest = max(float(np.nanmax(np.abs(v))) for v in self.cases.values())
        return max(
            1e-9 * max(abs(observed), 1.0 if self.statistic == "nap" else spread),
            0.0 if self.statistic == "nap" else 1e-14 * largest,
        )

    def counts(self) -> dict[str, list]:
        """Return how many observations there are, for one row about the whole."""
        treated, values = np.concatenate(list(self.treated.values())), np.concatenate(list(self.cases.values()))
        seen = ~np.isnan(values)
        return {
            "design": ["AB" if self.lottery is None else self.lottery.design],
            "n": [len(values)],
            "n_missing": [int((~seen).sum())],
            "n_baseline": [int((seen & ~treated).sum())],
            "n_treatment": [int((seen & treated).sum())],
            "n_cases": [len(self.cases)],
        }


def read_randomised(
    values: object,
    start: int | Drawing,
    min_baseline: int | None,
    min_treatment: int | None,
    drawn: bool,
    statistic: Statistic,
    combine: str,
    improvement: str,
) -> Randomised:
    """Read what a randomisation test was given, and refuse with all faults what does not fit together."""
    if isinstance(start, Drawing):
        checks.require(
            *(_not_beside(name, v) for name, v in (("min_baseline", min_baseline), ("min_treatment", min_treatment))),
            None if drawn else _not_beside("drawn", drawn),
        )
        lottery, outcome = start.lottery, start.outcome
        cases, extra = _cases_of(lottery, values)
    else:
        cases = _one_case(values)
        lottery, outcome, extra = _ab(len(cases[""]), start, min_baseline, min_treatment, drawn), (start,), ()
    checks.require(_not_for(statistic, lottery), _not_combined(statistic, combine))
    missing = sum(int(np.isnan(v).sum()) for v in cases.values())
    if missing:
        extra += (
            Text(
                f"缺失的 {missing} 次观察保留其位置，不计入统计量。",
                f"{missing} missing observations keep their places and do not count in the statistic.",
            ),
        )
    sign = 1 if improvement == "increase" else -1
    return Randomised(cases, outcome, lottery, drawn, statistic, combine == "phases", sign, extra)


def _one_case(values: object) -> dict[str, np.ndarray]:
    read, fault = read_values("values", values, fewest=2)
    checks.require(fault)
    checks.require(_beyond_measure("values", read))
    checks.require(checks.integer("n", len(read), 2, MOST_RECORDS))
    return {"": read}


def _ab(n: int, start: object, min_baseline: object, min_treatment: object, drawn: bool) -> PhaseLottery | None:
    """Return the lottery of an AB start, or None where it was chosen and nothing is known of any other."""
    needed = drawn or min_baseline is not None or min_treatment is not None
    checks.require(
        checks.integer("start", start, 1, n - 1),
        checks.integer("min_baseline", min_baseline) if needed else None,
        checks.integer("min_treatment", min_treatment) if needed else None,
    )
    if not needed:
        return None
    checks.require(too_short(n, (min_baseline, min_treatment), "values"))
    if drawn and not min_baseline <= start <= n - min_treatment:
        checks.require(_impossible(start, min_baseline, n - min_treatment))
    return PhaseLottery(n, (min_baseline, min_treatment))


def _cases_of(lottery: Lottery, values: object) -> tuple[dict[str, np.ndarray], tuple[Text, ...]]:
    """Return the observations of each case of a drawing, as long as they were planned to be."""
    if not isinstance(lottery, BaselineLottery):
        read = _one_case(values)
    else:
        checks.require(_no_mapping(values))
        given = {str(name): values[name] for name in values}
        checks.require(*checks.columns("values", lottery.cases, list(given)))
        read, faults = {}, []
        for case in lottery.cases:
            read[case], fault = read_values(case, given[case], fewest=2)
            faults.append(fault)
        checks.require(*faults)
        checks.require(*(_beyond_measure(case, v) for case, v in read.items()))
    planned = lottery.length
    longest = max(len(v) for v in read.values())
    checks.require(_too_long(lottery, longest))
    fewer = {c: planned - len(v) for c, v in read.items() if len(v) < planned}
    padded = {c: np.concatenate([v, np.full(max(planned - len(v), 0), np.nan)]) for c, v in read.items()}
    if not fewer:
        return padded, ()
    return padded, (
        Text(
            f"比原计划的 {planned} 次少 {sum(fewer.values())} 次记录，按缺失处理。",
            f"{sum(fewer.values())} of the planned {planned} records were not made; they count as missing.",
        ),
    )


# --- refusals -------------------------------------------------------------------------------------------------------


def _beyond_measure(name: str, values: np.ndarray) -> Fault | None:
    largest = float(np.nanmax(np.abs(values)))
    if largest <= _LARGEST:
        return None
    return Fault(
        checks.argument(name),
        Text("数值大得不可能是观察到的", "values are too large to have been observed"),
        Text("请检查单位与录入", "Check units and entries"),
        largest,
    )


def _not_beside(name: str, value: object) -> Fault | None:
    if value is None:
        return None
    return Fault(
        checks.argument(name),
        Text("抽签结果里已经有了", "a drawing has it already"),
        Text("给了抽签结果就不要再给它", "Leave it out beside a drawing"),
        value,
    )


def _impossible(start: int, first: int, last: int) -> Fault:
    return Fault(
        checks.argument("start"),
        Text(
            f"按这两个最短长度，抽到的只能在 {first} 到 {last} 之间",
            f"with these minimal lengths only {first} to {last} could have been drawn",
        ),
        Text(
            "请核对起点（从 0 数起）与最短长度；若不是抽签定的，写 drawn=False",
            "Check the start (counted from 0) and the lengths; if it was not drawn, say drawn=False",
        ),
        start,
    )


def _too_long(lottery: Lottery, n: int) -> Fault | None:
    if n <= lottery.length:
        return None
    return Fault(
        checks.argument("values"),
        Text(
            f"比抽签时计划的 {lottery.length} 次记录多",
            f"there are more than the {lottery.length} records planned at the draw",
        ),
        Text("请只给计划之内的记录", "Give only those that were planned"),
        n,
    )


def _no_mapping(values: object) -> Fault | None:
    if isinstance(values, (Mapping, pd.DataFrame)):
        return None
    return Fault(
        checks.argument("values"),
        Text(
            "有几个个案时，须为个案名称到观察值的对照，或每个个案一列的表",
            "several cases come as a mapping or a frame with a column each",
        ),
        Text('例如 {"一班": [3, 4], "二班": [5, 6]}', 'For example {"1": [3, 4], "2": [5, 6]}'),
        type(values).__name__,
    )


def _not_for(statistic: Statistic, lottery: Lottery | None) -> Fault | None:
    if statistic not in ("level", "slope") or lottery is None or lottery.design in ("AB", "multiple baseline"):
        return None
    return Fault(
        checks.argument("statistic"),
        Text("只适用于 AB 设计与多基线设计", "is for AB and multiple-baseline designs only"),
        Text("请改用 mean、median、trimmed_mean 或 nap", "Choose mean, median, trimmed_mean or nap"),
        statistic,
    )


def _not_combined(statistic: Statistic, combine: str) -> Fault | None:
    if combine == "records" or statistic in ("mean", "median", "trimmed_mean"):
        return None
    return Fault(
        checks.argument("combine"),
        Text(
            "按阶段平均只适用于均值、中位数与截尾均值", "a mean over phases is for mean, median and trimmed mean only"
        ),
        Text('请写 combine="records"', 'Say combine="records"'),
        combine,
    )


def _too_few(study: Randomised) -> Fault:
    wanted = Text("每个阶段至少要有两个观察值", "each phase needs at least two observed values")
    if study.statistic not in ("level", "slope"):
        wanted = Text("每个阶段至少要有一个观察值", "each phase needs at least one observed value")
    if callable(study.statistic):
        wanted = Text("统计量须为有限的数", "the statistic must be a finite number")
    return Fault(
        checks.argument("values"), wanted, Text("请补充观察或换统计量", "Add observations, or choose another")
    )


def _failed(error: Exception) -> Fault:
    return Fault(
        checks.argument("statistic"),
        Text(f"函数出错：{error}", f"the function failed: {error}"),
        Text(
            "须能接受两组观察值（改变前、改变后）并返回一个数",
            "It takes two arrays, baseline and treatment values, and returns a number",
        ),
    )
