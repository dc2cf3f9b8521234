"""The statistic of a randomisation test under every outcome of a lottery, without going through records each time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: What compares the phases, by name; a function of two arrays of observed values is another possibility.
STATISTICS = ("median", "mean", "trimmed_mean", "nap", "level", "slope")
#: Those that shift by as much as all treatment values are shifted, so that a test can be turned into an interval.
LOCATIONS = ("median", "mean", "trimmed_mean")
#: The share that a trimmed mean leaves out at each end.
TRIMMED = 0.2
#: Rows that are worked on at once: their intermediate arrays stay in the processor's cache.
_BATCH = 1 << 15

Statistic = str | Callable[[np.ndarray, np.ndarray], float]


class PhaseSeries:
    """A series of one case, laid out so that the statistic of any division into phases is a few look-ups.

    Values are signed so that more is better, centred, and may be missing. For the t records before a change, the
    sums of values, of mid-ranks and of times, and how many values of each rank there are, are kept (prefix sums); a
    phase is then the difference of two of them.
    """

    def __init__(self, values: np.ndarray):
        self.values = values
        seen = ~np.isnan(values)
        self.n, self.m = len(values), int(seen.sum())
        self.seen = seen
        filled = np.where(seen, values, 0.0)
        self.count = _prefix(seen.astype(np.int64))
        self.sum = _prefix(filled)
        order = np.argsort(np.where(seen, values, np.inf), kind="stable")[: self.m]
        self.sorted = values[order]
        #: before[t, r]: how many of the first t records are observed and of rank below r.
        place = np.full(self.n, self.m)
        place[order] = np.arange(self.m)
        below = np.zeros((self.n + 1, self.m + 1), dtype=np.int16)
        below[1:] = np.cumsum(place[:, None] < np.arange(self.m + 1), axis=0)
        self.below = below
        self._within = None

    @property
    def within(self) -> np.ndarray:
        """within[t, r]: the sum of those of the first t records whose rank is below r."""
        if self._within is None:
            added = np.diff(self.below, axis=1) * self.sorted
            self._within = np.concatenate([np.zeros((self.n + 1, 1)), np.cumsum(added, axis=1)], axis=1)
        return self._within

    @property
    def midranks(self) -> np.ndarray:
        """For each record, how many observed ones it exceeds, ties (and itself) counting half; 0 where missing."""
        low = np.searchsorted(self.sorted, self.values, side="left")
        high = np.searchsorted(self.sorted, self.values, side="right")
        return np.where(self.seen, (low + high) / 2, 0.0)

    def statistic(self, changes: np.ndarray, name: Statistic, by_phase: bool = False) -> np.ndarray:
        """Return the statistic for each row of changes; NaN where a phase has too few values for it."""
        if callable(name):
            return self._called(changes, name)
        if by_phase:
            return self._mean_of_phases(changes, name)
        found = np.empty(len(changes))
        work = {"nap": self._nap, "mean": self._mean, "level": self._lines, "slope": self._lines}.get(name)
        for begin in range(0, len(changes), _BATCH):
            rows = changes[begin : begin + _BATCH]
            edges = [rows[:, j].astype(np.intp) for j in range(rows.shape[1])]
            part = self._location(edges, name) if work is None else work(edges, name)
            # Every phase must have a value of its own, not only every condition.
            counts = np.diff(
                [np.zeros(len(rows)), *(self.count[e] for e in edges), np.full(len(rows), self.m)], axis=0
            )
            found[begin : begin + _BATCH] = np.where((counts > 0).all(axis=0), part, np.nan)
        return found

    def _treated(self, kept: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
        """Return what the treatment phases (the second, the fourth, …) hold of something kept as prefix sums."""
        found = np.zeros(len(edges[0]), dtype=np.result_type(kept.dtype, np.int64))
        for j, edge in enumerate(edges):
            found = found - kept[edge] if j % 2 == 0 else found + kept[edge]
        return found + kept[-1] if len(edges) % 2 else found

    def _mean(self, edges: list[np.ndarray], name: str) -> np.ndarray:
        total, count = self._treated(self.sum, edges), self._treated(self.count, edges)
        with np.errstate(invalid="ignore", divide="ignore"):
            return total / count - (self.sum[-1] - total) / (self.m - count)

    def _nap(self, edges: list[np.ndarray], name: str) -> np.ndarray:
        count = self._treated(self.count, edges)
        # Pairs won by treatment values against all, less those against one another, which win half.
        won = self._treated(_prefix(self.midranks), edges) - count**2 / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return won / (count * (self.m - count)) - 0.5

    def _location(self, edges: list[np.ndarray], name: str) -> np.ndarray:
        count = self._treated(self.count, edges)
        after, before = self._middle(edges, count, name, True), self._middle(edges, self.m - count, name, False)
        return after - before

    def _middle(self, edges: list[np.ndarray], count: np.ndarray, name: str, treated: bool) -> np.ndarray:
        """Return the median or trimmed mean of one condition, from the ranks of its lowest and highest kept value."""
        left_out = (count - 1) // 2 if name == "median" else np.floor(TRIMMED * count + 1e-9).astype(np.int64)
        left_out = np.maximum(left_out, 0)
        low = self._rank(edges, left_out, treated)
        high = low.copy()
        apart = np.flatnonzero(count - 1 - left_out != left_out)
        high[apart] = self._rank([e[apart] for e in edges], (count - 1 - left_out)[apart], treated)
        low, high = np.minimum(low, self.m - 1), np.minimum(high, self.m - 1)
        if name == "median":
            return (self.sorted[low] + self.sorted[high]) / 2
        width, flat = self.m + 1, self.within.ravel()
        total = np.zeros(len(count))
        for rank, sign in ((high + 1, 1), (low, -1)):
            for j, edge in enumerate(edges):
                total += (sign if j % 2 else -sign) * flat[edge * width + rank]
            if len(edges) % 2:
                total += sign * flat[self.n * width + rank]
        if not treated:
            kept = np.concatenate([[0.0], np.cumsum(self.sorted)])
            total = kept[high + 1] - kept[low] - total
        return total / np.maximum(count - 2 * left_out, 1)

    def _rank(self, edges: list[np.ndarray], wanted: np.ndarray, treated: bool) -> np.ndarray:
        """Return the rank, among all, of the `wanted`-th lowest (from 0) value of one condition: by bisection."""
        width, flat = self.m + 1, self.below.ravel()
        bases = [edge * width for edge in edges]
        low = np.zeros(len(wanted), dtype=np.intp)
        odd = len(edges) % 2
        # low is the largest r with no more than `wanted` values of the condition below rank r.
        for step in (1 << b for b in range(self.m.bit_length() - 1, -1, -1)):
            ranks = np.minimum(low + step, self.m)
            below = np.zeros(len(wanted), dtype=np.int32)
            for j, base in enumerate(bases):
                part = flat.take(base + ranks)
                below = below + part if j % 2 else below - part
            if odd:
                below += ranks
            if not treated:
                below = ranks - below
            low = np.where((below <= wanted) & (low + step <= self.m), low + step, low)
        return low

    def _lines(self, edges: list[np.ndarray], name: str) -> np.ndarray:
        """Return how two straight lines, one through each phase, differ at the first treated record, or in slope.

        The same as the two change parameters of piecewise regression by least squares.
        """
        change = edges[0]
        times = np.arange(self.n, dtype=float)
        kept = np.where(self.seen, 1.0, 0.0), np.where(self.seen, self.values, 0.0)
        sums = [_prefix(v) for v in (kept[0], times * kept[0], times**2 * kept[0], kept[1], times * kept[1])]
        at = []
        for part in ([s[change] for s in sums], [s[-1] - s[change] for s in sums]):
            n, t, tt, y, ty = part
            with np.errstate(invalid="ignore", divide="ignore"):
                spread = tt - t**2 / n
                slope = np.where(spread > 1e-9, (ty - t * y / n) / spread, np.nan)
                at.append((y / n + slope * (change - t / n), slope))
        return at[1][0] - at[0][0] if name == "level" else at[1][1] - at[0][1]

    def _mean_of_phases(self, changes: np.ndarray, name: str) -> np.ndarray:
        """Return the mean of the treatment phases' locations less that of the baseline phases'."""
        first, last = np.triu_indices(self.n + 1, 1)
        table = np.full((self.n + 1, self.n + 1), np.nan)
        inside = self.count[last] > self.count[first]
        edges = [first[inside].astype(np.intp), last[inside].astype(np.intp)]
        count = self._treated(self.count, edges)
        if name == "mean":
            table[edges[0], edges[1]] = self._treated(self.sum, edges) / count
        else:
            table[edges[0], edges[1]] = self._middle(edges, count, name, True)
        rows = np.column_stack([np.zeros(len(changes), int), changes, np.full(len(changes), self.n)]).astype(np.intp)
        phases = [table[rows[:, j], rows[:, j + 1]] for j in range(rows.shape[1] - 1)]
        return np.mean(phases[1::2], axis=0) - np.mean(phases[::2], axis=0)

    def _called(self, changes: np.ndarray, function: Callable) -> np.ndarray:
        found = np.full(len(changes), np.nan)
        for i, row in enumerate(changes):
            parts = np.split(self.values, row)
            parts = [part[~np.isnan(part)] for part in parts]
            if all(len(part) for part in parts):
                found[i] = function(np.concatenate(parts[::2]), np.concatenate(parts[1::2]))
        return found


class AlternatingSeries:
    """A series of one case whose records are under baseline or treatment in any order."""

    def __init__(self, values: np.ndarray):
        self.values = values
        self.seen = ~np.isnan(values)
        self.order = np.argsort(np.where(self.seen, values, np.inf), kind="stable")[: self.seen.sum()]

    def statistic(self, rows: np.ndarray, name: Statistic, by_phase: bool = False) -> np.ndarray:
        """Return the statistic for each row, true where a record is under treatment."""
        if callable(name):
            return self._called(rows, name)
        found = np.empty(len(rows))
        for begin in range(0, len(rows), _BATCH):
            # By rank, observed values alone.
            treated = rows[begin : begin + _BATCH].astype(bool)[:, self.order]
            found[begin : begin + _BATCH] = self._compare(treated, name)
        return found

    def _compare(self, treated: np.ndarray, name: str) -> np.ndarray:
        ordered, m = self.values[self.order], len(self.order)
        count = treated.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            if name == "mean":
                total = treated @ ordered
                found = total / count - (ordered.sum() - total) / (m - count)
            elif name == "nap":
                low, high = (np.searchsorted(ordered, ordered, side=side) for side in ("left", "right"))
                found = (treated @ ((low + high) / 2) - count**2 / 2) / (count * (m - count)) - 0.5
            else:
                found = _middles(treated, ordered, name) - _middles(~treated, ordered, name)
        return np.where((count > 0) & (count < m), found, np.nan)

    def _called(self, rows: np.ndarray, function: Callable) -> np.ndarray:
        found = np.full(len(rows), np.nan)
        for i, row in enumerate(rows.astype(bool)):
            before, after = self.values[~row & self.seen], self.values[row & self.seen]
            if len(before) and len(after):
                found[i] = function(before, after)
        return found


class SeveralSeries:
    """Series of several cases, each with one change: the statistic is the mean of the cases'."""

    def __init__(self, values: list[np.ndarray]):
        self.series = [PhaseSeries(one) for one in values]

    def statistic(self, rows: np.ndarray, name: Statistic, by_phase: bool = False) -> np.ndarray:
        """Return the statistic for each row of starts; NaN where that of any case is."""
        found = np.zeros(len(rows))
        for case, series in enumerate(self.series):
            starts, where = np.unique(rows[:, case], return_inverse=True)
            found += series.statistic(starts[:, None], name)[where]
        return found / len(self.series)


def _middles(chosen: np.ndarray, ordered: np.ndarray, name: str) -> np.ndarray:
    """Return the median or trimmed mean of the chosen values of each row."""
    so_far = np.cumsum(chosen, axis=1, dtype=np.int16)
    count = so_far[:, -1].astype(np.int64)
    left_out = (count - 1) // 2 if name == "median" else np.floor(TRIMMED * count + 1e-9).astype(np.int64)
    kept = chosen & (so_far > left_out[:, None]) & (so_far <= (count - left_out)[:, None])
    return (kept @ ordered) / np.maximum(count - 2 * left_out, 1)


def _prefix(values: np.ndarray) -> np.ndarray:
    """Return the sums of the first 0, 1, 2, … values."""
    return np.concatenate([np.zeros(1, dtype=values.dtype), np.cumsum(values)])
