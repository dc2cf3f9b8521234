"""What could have been drawn: the outcomes of a lottery, all equally likely, counted, numbered and listed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from itertools import pairwise, permutations
from math import ceil, comb, factorial, prod
from typing import ClassVar

import numpy as np

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

#: The longest series that is taken: beyond it, nobody watches a single case by the day.
MOST_RECORDS = 2000
#: The most phases, and the most cases.
MOST_PHASES, MOST_CASES = 12, 40
#: How many more records are thought of, where those planned are not enough.
_FURTHEST = 1000


class Lottery(ABC):
    """A design with all the outcomes that a draw can have, each as likely as any other.

    Outcomes are numbered from 0, in the order in which `everything` lists them.
    """

    #: How the design is called.
    design: ClassVar[str]

    @property
    @abstractmethod
    def size(self) -> int:
        """How many outcomes there are."""

    @property
    def smallest_p(self) -> float:
        """The smallest p that a one-sided randomisation test can give, whatever is observed."""
        return 1 / self.size

    @property
    def mirrored(self) -> bool:
        """Whether every outcome has its opposite, with baseline and treatment exchanged, among the outcomes."""
        return False

    @abstractmethod
    def outcome(self, number: int) -> tuple[int, ...]:
        """Return one outcome by its number."""

    @abstractmethod
    def everything(self) -> np.ndarray:
        """Return all outcomes, a row each."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return outcomes drawn with replacement, a row each."""

    @abstractmethod
    def holds(self, outcome: tuple[int, ...]) -> bool:
        """Whether this is an outcome of the lottery."""

    @abstractmethod
    def treated(self, outcome: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return which records of each case are under treatment."""

    @abstractmethod
    def longer(self, records: int) -> Lottery:
        """Return the same design, with the same rules, over so many more records."""

    def records_needed(self, alpha: float = 0.05) -> int | None:
        """Return the number of records of each case at which p of at most `alpha` becomes possible.

        None where no number of records is enough: an order without any choice stays without one.
        """
        checks.require(checks.between("alpha", alpha, 0.001, 0.5))
        lottery, enough = self, ceil(round(1 / alpha, 9))
        for more in range(1, _FURTHEST):
            if lottery.size >= enough:
                return lottery.length
            lottery = self.longer(more)
        return None

    @property
    @abstractmethod
    def length(self) -> int:
        """How many records a case has, as planned; of the longest case where they differ."""

    def to_dict(self) -> dict:
        """Return what defines the lottery, in plain values."""
        return {"design": self.design, **asdict(self)}


@dataclass(frozen=True)
class PhaseLottery(Lottery):
    """Phases by turns, baseline first (AB, ABA, ABAB …): where they change is drawn.

    Attributes
    ----------
    n : int
        Records.
    shortest : tuple of int
        The fewest records of each phase.

    An outcome is the position, from 0, of the first record of each phase after the first.

    Examples
    --------
    >>> lottery = PhaseLottery(20, (5, 5))
    >>> lottery.size, lottery.outcome(0), lottery.records_needed(0.05)
    (11, (5,), 29)
    """

    n: int
    shortest: tuple[int, ...]

    def __post_init__(self):
        object.__setattr__(self, "shortest", tuple(self.shortest))
        checks.require(
            checks.integer("n", self.n, 2, _FURTHEST + MOST_RECORDS),
            *(checks.integer("shortest", length) for length in self.shortest),
            checks.integer("phases", len(self.shortest), 2, MOST_PHASES),
        )
        checks.require(too_short(self.n, self.shortest))

    @property
    def design(self) -> str:
        """``"AB"``, ``"ABA"``, ``"ABAB"`` and so on."""
        return ("AB" * len(self.shortest))[: len(self.shortest)]

    @property
    def length(self) -> int:
        """How many records there are."""
        return self.n

    @property
    def _spare(self) -> int:
        return self.n - sum(self.shortest)

    @property
    def size(self) -> int:
        """Records to spare, shared out over the phases: Onghena (1992)."""
        return comb(self._spare + len(self.shortest) - 1, len(self.shortest) - 1)

    def outcome(self, number: int) -> tuple[int, ...]:
        """Return one outcome by its number."""
        spare, changes, at = self._spare, [], 0
        for j, length in enumerate(self.shortest[:-1]):
            left = len(self.shortest) - 2 - j
            extra = 0
            while number >= (block := comb(spare - extra + left, left)):
                number -= block
                extra += 1
            at += length + extra
            spare -= extra
            changes.append(at)
        return tuple(changes)

    def everything(self) -> np.ndarray:
        """Return all outcomes, a row each, in lexicographic order."""
        rows = np.zeros((1, 0), dtype=np.int32)
        for j, length in enumerate(self.shortest[:-1]):
            before = rows[:, -1] if j else np.zeros(1, dtype=np.int32)
            first = before + length
            options = self.n - sum(self.shortest[j + 1 :]) - first + 1
            begin = np.repeat(np.cumsum(options) - options, options)
            chosen = np.repeat(first, options) + np.arange(len(begin)) - begin
            rows = np.column_stack([np.repeat(rows, options, axis=0), chosen.astype(np.int32)])
        return rows

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return outcomes drawn with replacement, a row each."""
        changes = len(self.shortest) - 1
        # Places of the bars among spare records and bars: a uniform subset gives a uniform outcome.
        places = np.sort(subsets(rng, count, self._spare + changes, changes), axis=1)
        return places - np.arange(changes) + np.cumsum(self.shortest[:-1])

    def holds(self, outcome: tuple[int, ...]) -> bool:
        """Whether every phase is long enough."""
        edges = np.array([0, *outcome, self.n])
        return len(edges) == len(self.shortest) + 1 and bool((np.diff(edges) >= self.shortest).all())

    def treated(self, outcome: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return which records are under treatment, of the one case there is."""
        return {"": np.searchsorted(outcome, np.arange(self.n), side="right") % 2 == 1}

    def longer(self, records: int) -> PhaseLottery:
        """Return the design over so many more records."""
        return PhaseLottery(self.n + records, self.shortest)


@dataclass(frozen=True)
class BaselineLottery(Lottery):
    """Several cases, each with a baseline and then a treatment, that start at different times.

    Attributes
    ----------
    n : int
        Records of each case.
    cases : tuple of str
    windows : tuple of (int, int)
        The first and the last position, from 0, at which the treatment can start: one window for each case.
    shuffled : bool
        Whether it is drawn which case gets which window: with windows of one record, Wampold and Worsham (1986); with
        wider ones, Koehler and Levin (1998). Otherwise each case has the window of its own place: Marascuilo and
        Busk (1988).

    An outcome is the start of each case.

    Examples
    --------
    >>> BaselineLottery(20, ("a", "b", "c", "d"), ((5, 5), (8, 8), (11, 11), (14, 14)), True).size
    24
    >>> BaselineLottery(20, ("a", "b", "c"), ((5, 7), (8, 10), (11, 13)), True).size
    162
    """

    n: int
    cases: tuple[str, ...]
    windows: tuple[tuple[int, int], ...]
    shuffled: bool
    design: ClassVar[str] = "multiple baseline"

    def __post_init__(self):
        object.__setattr__(self, "cases", tuple(self.cases))
        object.__setattr__(self, "windows", tuple((int(a), int(b)) for a, b in self.windows))
        checks.require(checks.integer("n", self.n, 2, _FURTHEST + MOST_RECORDS))
        checks.require(*_window_faults(self))

    @property
    def length(self) -> int:
        """How many records a case has."""
        return self.n

    @property
    def _widths(self) -> list[int]:
        return [last - first + 1 for first, last in self.windows]

    @property
    def size(self) -> int:
        """Orders of the cases, times starts in each window."""
        return prod(self._widths) * (factorial(len(self.cases)) if self.shuffled else 1)

    def outcome(self, number: int) -> tuple[int, ...]:
        """Return one outcome by its number."""
        number, place = divmod(number, prod(self._widths))
        starts = []
        for (first, _), width in zip(reversed(self.windows), reversed(self._widths), strict=True):
            place, offset = divmod(place, width)
            starts.insert(0, first + offset)
        if not self.shuffled:
            return tuple(starts)
        left, order = list(range(len(self.cases))), []
        for remaining in range(len(self.cases) - 1, -1, -1):
            chosen, number = divmod(number, factorial(remaining))
            order.append(left.pop(chosen))
        return tuple(starts[window] for window in order)

    def everything(self) -> np.ndarray:
        """Return all outcomes, a row each."""
        offsets = np.indices(self._widths).reshape(len(self.windows), -1).T
        starts = offsets + np.array([first for first, _ in self.windows])
        if not self.shuffled:
            return starts
        orders = np.array(list(permutations(range(len(self.cases)))))
        return starts[:, orders].transpose(1, 0, 2).reshape(-1, len(self.cases))

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return outcomes drawn with replacement, a row each."""
        first, last = np.array(self.windows).T
        starts = rng.integers(first, last, (count, len(self.windows)), endpoint=True)
        if not self.shuffled:
            return starts
        order = np.argsort(rng.random(starts.shape), axis=1)
        return np.take_along_axis(starts, order, axis=1)

    def holds(self, outcome: tuple[int, ...]) -> bool:
        """Whether the starts lie in the windows, one in each."""
        if len(outcome) != len(self.cases):
            return False
        starts = sorted(outcome) if self.shuffled else outcome
        windows = sorted(self.windows) if self.shuffled else self.windows
        return all(first <= start <= last for start, (first, last) in zip(starts, windows, strict=True))

    def treated(self, outcome: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return which records of each case are under treatment."""
        return {case: np.arange(self.n) >= start for case, start in zip(self.cases, outcome, strict=True)}

    def longer(self, records: int) -> BaselineLottery:
        """Return the design with every window wider by one more record in turn, and the series by all of them."""
        windows, shift = [], 0
        for place, (first, last) in enumerate(self.windows):
            more = records // len(self.windows) + (place < records % len(self.windows))
            windows.append((first + shift, last + shift + more))
            shift += more if self.shuffled else 0
        return BaselineLottery(self.n + records, self.cases, tuple(windows), self.shuffled)


def subsets(rng: np.random.Generator, count: int, n: int, size: int) -> np.ndarray:
    """Return uniform subsets of so many of the numbers below n, a row each."""
    if size**2 > n:
        return np.argsort(rng.random((count, n)), axis=1)[:, :size]
    rows = rng.integers(0, n, (count, size))
    # Rows with a number twice are drawn anew: those that remain are uniform among the others.
    while len(twice := np.flatnonzero((np.diff(np.sort(rows, axis=1), axis=1) == 0).any(axis=1))):
        rows[twice] = rng.integers(0, n, (len(twice), size))
    return rows


def too_short(n: int, shortest: tuple[int, ...], name: str = "n") -> Fault | None:
    """Refuse fewer records than the phases need."""
    if n >= sum(shortest):
        return None
    return Fault(
        checks.argument(name),
        Text(
            f"各阶段至少共需 {sum(shortest)} 次记录", f"the phases need at least {sum(shortest)} records between them"
        ),
        Text("请增加记录，或放宽各阶段的最短长度", "Plan more records, or let the phases be shorter"),
        n,
    )


def _window_faults(lottery: BaselineLottery):
    """Yield what is wrong with cases and windows."""
    if not 2 <= len(lottery.cases) <= MOST_CASES or len(set(lottery.cases)) < len(lottery.cases):
        yield Fault(
            checks.argument("cases"),
            Text(
                f"须有 2 到 {MOST_CASES} 个名称不同的个案",
                f"there must be 2 to {MOST_CASES} cases with names of their own",
            ),
            Text("请给出各个案的名称", "Name each case"),
            list(lottery.cases),
        )
    if len(lottery.windows) != len(lottery.cases):
        yield Fault(
            checks.argument("windows"),
            Text("每个个案须有一个起点范围", "each case needs one window of starts"),
            Text(f"请给出 {len(lottery.cases)} 个范围", f"Give {len(lottery.cases)} windows"),
            len(lottery.windows),
        )
    for first, last in lottery.windows:
        if not 1 <= first <= last < lottery.n:
            yield Fault(
                checks.argument("windows"),
                Text(
                    "起点须在第一次记录之后、最后一次记录或之前，且先小后大",
                    "a start lies after the first record and not after the last one, the earlier one first",
                ),
                Text(f"请给 1 到 {lottery.n - 1} 之间的位置", f"Give positions from 1 to {lottery.n - 1}"),
                (first, last),
            )
    ordered = sorted(lottery.windows)
    if lottery.shuffled and any(b[0] <= a[1] for a, b in pairwise(ordered)):
        yield Fault(
            checks.argument("windows"),
            Text("各起点范围不能重叠，否则起点没有错开", "windows overlap, so that starts are not staggered"),
            Text("请把范围错开", "Set them one after another"),
            list(lottery.windows),
        )
