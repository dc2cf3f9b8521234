"""What the eye looks for in the picture of a single case, in numbers: level, trend, variability, immediacy, overlap,
consistency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.singlecase.graph import draw
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.stretches import Case, Stretch, read_case, read_cases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A phase is called stable where at least this share of its values lies within the envelope.
STABLE = 0.8

_PHASE_TERMS = ("n", "mean", "median", "slope", "robust_slope", "change_along_trend", "std_dev", "minimum", "maximum",
                "level_stability", "trend_stability")  # fmt: skip


@dataclass(frozen=True)
class VisualAnalysis(Estimates):
    """What is seen in the picture of one or several cases.

    Attributes
    ----------
    cases : tuple of Case
        The observations.
    alternating : bool
        Whether conditions take turns.
    """

    cases: tuple[Case, ...] = ()
    alternating: bool = False

    def by_phase(self) -> pd.DataFrame:
        """Return a row per case and phase, a column per aspect, and the words for trend and stability."""
        return self._wide("phase", list(_PHASE_TERMS), {"trend": "change_along_trend", "stable": "level_stability"})

    def by_pair(self) -> pd.DataFrame:
        """Return a row per case and pair of phases, a column per aspect."""
        rest = dict.fromkeys(t for t in self.frame["term"] if t not in _PHASE_TERMS)
        return self._wide("pair", list(rest), {})

    def plot(self, ax: Axes | None = None, **options: object) -> Axes:
        """Draw the cases; options are those of `plot_case`."""
        return draw(list(self.cases), ax, alternating=self.alternating, **options)

    def _wide(self, about: str, terms: list[str], more: dict[str, str]) -> pd.DataFrame:
        """Return a row per phase or pair, in their order, with a column per term and the words of some."""
        rows: dict[tuple[str, str], dict] = {}
        for row in self.frame[self.frame["about"] == about].itertuples():
            one = rows.setdefault((row.case, row.phase), {"case": row.case, "phase": row.phase})
            one[row.term] = row.estimate
            for name in (name for name, term in more.items() if term == row.term):
                one[name] = row.said
        return pd.DataFrame(list(rows.values()), columns=["case", "phase", *terms, *more])


def visual_analysis(
    data: pd.DataFrame | Sequence,
    phases: Sequence | None = None,
    times: Sequence | None = None,
    *,
    improvement: str = "increase",
    envelope: float = 0.25,
    alternating: bool = False,
    case: str | None = "case",
    phase: str = "phase",
    value: str = "value",
    time: str | None = None,
) -> VisualAnalysis:
    """Describe what is to be seen in the picture of a single case; nothing here is tested.

    Parameters
    ----------
    data
        Values in time order, missing ones as ``None`` or NaN; or a frame with a row per observation.
    phases, times
        With values: the phase of each, and when each was observed (1, 2, … if not given).
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    envelope
        How far from the median a value may lie and still count as stable, as a share of the median.
    alternating
        Whether conditions take turns; each condition is then described as a whole.
    case, phase, value, time
        Of a frame: its columns.

    Returns
    -------
    VisualAnalysis
        `.tidy()`: a row per aspect: term, estimate, case, about (``"phase"`` or ``"pair"``), phase (its name, or two
        joined by an arrow), aspect, and for trend and stability what is said of it.

        Of each phase: n; mean, median (level); slope by least squares and robust_slope (Theil-Sen: the median of the
        slopes of all pairs), both per unit of time, and change_along_trend, the latter from the phase's first to its
        last observation (trend); std_dev, minimum, maximum, and level_stability and trend_stability, the shares of
        values within the envelope around the median and around the Theil-Sen line (variability).
        Of each pair of phases that follow one another: median_change; immediacy, from the median of the last three
        values to the median of the first three; absolute_change, from the last value to the first (Lane & Gast);
        overlap, the share of the later values that are no better than the best before, and range_overlap, the share
        within the range before. Changes are later minus earlier, whichever way is better.
        Of phases that come back: median_difference to the time before (consistency). `.by_phase()` and `.by_pair()`
        give the same with a column per aspect; `.glance()` one row: n_cases, n, n_missing. No standard errors.

    Raises
    ------
    ArgumentError
        With everything that is wrong with the arguments.

    Notes
    -----
    Trend: rising or falling where the change along the Theil-Sen line is at least the envelope's share of the median
    and least squares agree in direction; level otherwise; not judged with fewer than three values. Stable: four
    fifths of the values within the envelope (Lane & Gast's 80 % within 25 %). Their trend line is split-middle;
    Theil-Sen serves the same purpose and stands outliers better. Immediacy is of medians, which outliers move less.

    References
    ----------
    Kratochwill, T. R., et al. (2013). Single-case intervention research design standards. Remedial and Special
    Education, 34, 26-38. https://doi.org/10.1177/0741932512452794
    Lane, J. D., & Gast, D. L. (2014). Visual analysis in single case experimental design studies: Brief review and
    guidelines. Neuropsychological Rehabilitation, 24, 445-463. https://doi.org/10.1080/09602011.2013.815636

    Examples
    --------
    >>> import htresearch as ht
    >>> seen = ht.singlecase.visual_analysis([2, 3, 3, 2, 6, 7, 8], "A A A A B B B".split())
    >>> seen.by_phase()[["phase", "median", "robust_slope"]].values.tolist()
    [['A', 2.5, 0.0], ['B', 7.0, 1.0]]
    >>> seen.by_pair()[["phase", "immediacy", "overlap"]].values.tolist()
    [['A → B', 4.0, 0.0]]
    """
    checks.require(
        checks.one_of("improvement", improvement, IMPROVEMENT),
        checks.between("envelope", envelope, 0, 1, open_ends=True),
        _both(data, phases),
    )
    if isinstance(data, pd.DataFrame):
        cases = read_cases(data, case, phase, value, time)
    else:
        cases = [read_case(data, phases, times)]
    sign = 1 if improvement == "increase" else -1
    rows = []
    for one in cases:
        stretches = conditions(one) if alternating else one.stretches
        for stretch in stretches:
            rows += [(one.name, "phase", stretch.name, *row) for row in _of_phase(stretch, sign, envelope)]
        for before, after in combinations(stretches, 2) if alternating else pairwise(stretches):
            name = f"{before.name} → {after.name}"
            rows += [(one.name, "pair", name, *row) for row in _of_pair(before, after, sign, alternating)]
        for before, after in _again(stretches):
            change = _median(after.seen) - _median(before.seen)
            row = ("consistency", "median_difference", change, None)
            rows.append((one.name, "pair", f"{before.name} → {after.name}", *row))
    frame = pd.DataFrame(rows, columns=["case", "about", "phase", "aspect", "term", "estimate", "said"])
    summary = pd.DataFrame(
        {
            "n_cases": [len(cases)],
            "n": [sum(len(c.values) - c.missing for c in cases)],
            "n_missing": [sum(c.missing for c in cases)],
        }
    )
    note = (*_note(cases, envelope), *_short(cases, alternating))
    return VisualAnalysis(frame, summary, note, "https://doi.org/10.1177/0741932512452794", tuple(cases), alternating)


def conditions(case: Case) -> list[Stretch]:
    """Return each condition of an alternating design as one stretch."""
    found = []
    for phase in dict.fromkeys(case.phases):
        mine = case.phases == phase
        found.append(
            Stretch(str(phase), str(phase), int(np.flatnonzero(mine)[0]), case.values[mine], case.times[mine])
        )
    return found


# --- of one phase ---------------------------------------------------------------------------------------------------


def _of_phase(stretch: Stretch, sign: int, envelope: float) -> Iterator[tuple]:
    values, times = stretch.seen, _numbers(stretch)
    median = _median(values)
    slope, robust = _slopes(times, values)
    change = robust * (times[-1] - times[0]) if len(values) > 1 else np.nan
    reach = envelope * abs(median)
    near = _share(np.abs(values - median) <= reach)
    # Theil and Sen give the slope only; the line runs through the median of what is left.
    left = values - robust * times if len(values) > 1 else values * np.nan
    along = _share(np.abs(left - _median(left)) <= reach) if len(values) > 1 else np.nan
    yield "level", "n", float(len(values)), None
    yield "level", "mean", float(values.mean()) if len(values) else np.nan, None
    yield "level", "median", median, None
    yield "trend", "slope", slope, None
    yield "trend", "robust_slope", robust, None
    yield "trend", "change_along_trend", change, _direction(len(values), change, slope, reach, sign)
    yield "variability", "std_dev", float(values.std(ddof=1)) if len(values) > 1 else np.nan, None
    yield "variability", "minimum", float(values.min()) if len(values) else np.nan, None
    yield "variability", "maximum", float(values.max()) if len(values) else np.nan, None
    yield "variability", "level_stability", near, _stable(near)
    yield "variability", "trend_stability", along, _stable(along)


def _slopes(times: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return the slopes by least squares and of Theil and Sen."""
    if len(values) < 2:
        return np.nan, np.nan
    centred = times - times.mean()
    least = float(centred @ (values - values.mean()) / (centred @ centred))
    first, second = np.triu_indices(len(values), 1)
    return least, float(np.median((values[second] - values[first]) / (times[second] - times[first])))


def _numbers(stretch: Stretch) -> np.ndarray:
    """Return the times of what was observed as numbers: days where they are days."""
    times = stretch.times[~np.isnan(stretch.values)]
    if times.dtype.kind == "M":
        return (times - stretch.times[0]) / np.timedelta64(1, "D") if len(times) else np.array([])
    return times.astype(float)


def _direction(n: int, change: float, slope: float, reach: float, sign: int) -> Text | None:
    if n < 3:
        return None
    if change == 0 or abs(change) < reach or change * slope <= 0:
        return Text("平", "level")
    better = change * sign > 0
    if change > 0:
        return Text("上升，变好", "rising, for the better") if better else Text("上升，变差", "rising, for the worse")
    return Text("下降，变好", "falling, for the better") if better else Text("下降，变差", "falling, for the worse")


def _stable(share: float) -> Text | None:
    if np.isnan(share):
        return None
    # Four fifths of five values are four of them, whatever the last bit of 4/5 says.
    return Text("稳定", "stable") if share >= STABLE - 1e-12 else Text("波动", "variable")


# --- of two phases --------------------------------------------------------------------------------------------------


def _of_pair(before: Stretch, after: Stretch, sign: int, alternating: bool) -> Iterator[tuple]:
    a, b = before.seen, after.seen
    yield "level", "median_change", _median(b) - _median(a), None
    if not alternating:
        yield "immediacy", "immediacy", _median(b[:3]) - _median(a[-3:]), None
        yield "immediacy", "absolute_change", float(b[0] - a[-1]) if len(a) and len(b) else np.nan, None
    some = len(a) > 0 and len(b) > 0
    yield "overlap", "overlap", _share(sign * b <= (sign * a).max()) if some else np.nan, None
    yield "overlap", "range_overlap", _share((b >= a.min()) & (b <= a.max())) if some else np.nan, None


def _again(stretches: list[Stretch]) -> Iterator[tuple[Stretch, Stretch]]:
    """Yield each phase with the same one before it."""
    last: dict[str, Stretch] = {}
    for stretch in stretches:
        if stretch.kind in last:
            yield last[stretch.kind], stretch
        last[stretch.kind] = stretch


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else np.nan


def _share(which: np.ndarray) -> float:
    return float(which.mean()) if len(which) else np.nan


# --- notes ----------------------------------------------------------------------------------------------------------


def _both(data: object, phases: object) -> Fault | None:
    if isinstance(data, pd.DataFrame) == (phases is None):
        return None
    return Fault(
        checks.argument("phases"),
        Text("数据表自带阶段列；一列数则须另给阶段", "a frame has its phases in a column; values need them beside"),
        Text("请给数据表，或给数值和 phases", "Give a frame, or values and phases"),
    )


def _note(cases: list[Case], envelope: float) -> Iterator[Text]:
    yield Text(
        f"这里只描述，不检验。走向：沿 Theil-Sen 线的变化不小于中位数的 {envelope:.0%}，且与最小二乘同向，"
        f"才算上升或下降；稳定：至少八成的值在中位数（或趋势线）上下 {envelope:.0%} 以内。",
        "Description only, nothing is tested. Trend: rising or falling where the change along the Theil-Sen line is "
        f"at least {envelope:.0%} of the median and least squares agree in direction. Stable: at least 80 % of the "
        f"values within {envelope:.0%} of the median (or the trend line).",
    )
    if missing := sum(case.missing for case in cases):
        yield Text(f"缺失的 {missing} 次观察未计入。", f"{missing} missing observations do not count.")
    zero = [c for c in cases for s in c.stretches if len(s.seen) and np.median(s.seen) == 0]
    if zero:
        yield Text(
            "有的阶段中位数为 0，“上下百分之几”就只剩 0 本身，稳定与否请看图。",
            "Where a phase has a median of 0 the envelope holds 0 alone: judge its stability from the picture.",
        )


def _short(cases: list[Case], alternating: bool) -> Iterator[Text]:
    stretches = [s for c in cases for s in (conditions(c) if alternating else c.stretches)]
    if any(len(s.seen) < 3 for s in stretches):
        yield Text(
            "不足三次观察的阶段看不出走向。",
            "Phases with fewer than three observations show no direction of a trend.",
        )
    if any(len(s.seen) == 0 for s in stretches):
        yield Text(
            "一次也没有观察到的阶段，各项都空着。", "Phases in which nothing was observed have no values at all."
        )
