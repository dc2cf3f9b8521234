"""Alternating treatments: sequences of baseline and treatment, record by record, that could have been drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.singlecase.lottery import Lottery

#: The longest sequence whose outcomes are counted one by one.
MOST_ALTERNATIONS = 400


@dataclass(frozen=True)
class PairLottery(Lottery):
    """Records two by two: in each pair it is drawn which of them is under treatment.

    Attributes
    ----------
    n : int
        Records, an even number.

    An outcome is a 0 (baseline) or a 1 (treatment) for each record.

    Examples
    --------
    >>> PairLottery(10).size, PairLottery(10).outcome(1)
    (32, (0, 1, 0, 1, 0, 1, 0, 1, 1, 0))
    """

    n: int
    design: ClassVar[str] = "alternating in pairs"

    def __post_init__(self):
        checks.require(checks.integer("n", self.n, 2, MOST_ALTERNATIONS))
        checks.require(_odd(self.n))

    @property
    def length(self) -> int:
        """How many records there are."""
        return self.n

    @property
    def size(self) -> int:
        """Two orders for each pair."""
        return 2 ** (self.n // 2)

    @property
    def mirrored(self) -> bool:
        """Every sequence has its opposite."""
        return True

    def outcome(self, number: int) -> tuple[int, ...]:
        """Return one outcome by its number."""
        pairs = self.n // 2
        first = [(number >> (pairs - 1 - i)) & 1 for i in range(pairs)]
        return tuple(value for one in first for value in (one, 1 - one))

    def everything(self) -> np.ndarray:
        """Return all outcomes, a row each."""
        pairs = self.n // 2
        first = (np.arange(self.size)[:, None] >> np.arange(pairs - 1, -1, -1)) & 1
        return _paired(first.astype(bool))

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return outcomes drawn with replacement, a row each."""
        return _paired(rng.integers(0, 2, (count, self.n // 2), dtype=np.int8).astype(bool))

    def holds(self, outcome: tuple[int, ...]) -> bool:
        """Whether each pair has one of each."""
        values = np.asarray(outcome)
        return len(values) == self.n and bool(
            np.isin(values, (0, 1)).all() and (values[::2] + values[1::2] == 1).all()
        )

    def treated(self, outcome: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return which records are under treatment, of the one case there is."""
        return {"": np.array(outcome, dtype=bool)}

    def longer(self, records: int) -> PairLottery:
        """Return the design over so many more pairs."""
        return PairLottery(self.n + 2 * records)


@dataclass(frozen=True)
class SequenceLottery(Lottery):
    """So many records under treatment among all, in an order that is drawn, never more than so many in a row.

    Attributes
    ----------
    n : int
        Records.
    n_treatment : int
        How many of them are under treatment.
    most_in_row : int or None
        How often the same may come in a row; None: as often as it happens.

    An outcome is a 0 (baseline) or a 1 (treatment) for each record.

    Examples
    --------
    >>> SequenceLottery(8, 4, None).size, SequenceLottery(8, 4, 2).size
    (70, 34)
    """

    n: int
    n_treatment: int
    most_in_row: int | None = None
    design: ClassVar[str] = "alternating"

    def __post_init__(self):
        checks.require(checks.integer("n", self.n, 2, MOST_ALTERNATIONS))
        checks.require(
            checks.integer("n_treatment", self.n_treatment, 1, self.n - 1),
            None if self.most_in_row is None else checks.integer("most_in_row", self.most_in_row, 1, self.n),
        )
        if not self.size:
            checks.require(_too_few_alike(self))

    @property
    def length(self) -> int:
        """How many records there are."""
        return self.n

    @cached_property
    def _ways(self) -> list[np.ndarray]:
        """How many ways there are to go on after i records: by treated so far, the last condition, its run."""
        runs = self.most_in_row or 1
        after = np.zeros((self.n_treatment + 1, 2, runs + 1), dtype=object)
        after[self.n_treatment] = 1
        ways = [after]
        for _ in range(self.n - 1):
            before = np.zeros_like(after)
            for run in range(1, runs + 1):
                longer = run if self.most_in_row is None else run + 1
                for last in (0, 1):
                    if longer <= runs:
                        before[:, last, run] += _step(after[:, last, longer], last)
                    before[:, last, run] += _step(after[:, 1 - last, 1], 1 - last)
            after = before
            ways.append(after)
        return ways[::-1]  # ways[i - 1]: after i records

    @cached_property
    def _shares(self) -> list[np.ndarray]:
        """The ways as shares of the most that any state has: whole numbers of them can outgrow floats."""
        most = [max(int(ways.max()), 1) for ways in self._ways]
        return [(ways / many).astype(float) for ways, many in zip(self._ways, most, strict=True)]

    @property
    def size(self) -> int:
        """Sequences that keep the rule: Onghena and Edgington (1994)."""
        first = self._ways[0]
        return int(first[0, 0, 1] + first[1, 1, 1])

    @property
    def mirrored(self) -> bool:
        """Every sequence has its opposite if both conditions are as frequent."""
        return 2 * self.n_treatment == self.n

    def _next(self, i: int, ones: int, last: int, run: int, choice: int) -> tuple[int, int, int, int]:
        """Return the state after one more record, and how many ways lead on from it."""
        grown = run if self.most_in_row is None else run + 1
        run = grown if choice == last else 1
        ones += choice
        if ones > self.n_treatment or run > (self.most_in_row or 1):
            return ones, choice, run, 0
        return ones, choice, run, int(self._ways[i][ones, choice, run])

    def outcome(self, number: int) -> tuple[int, ...]:
        """Return one outcome by its number."""
        chosen, ones, last, run = [], 0, -1, 0
        for i in range(self.n):
            state = self._next(i, ones, last, run, 0)
            if number >= state[3]:
                number -= state[3]
                state = self._next(i, ones, last, run, 1)
            ones, last, run, _ = state
            chosen.append(last)
        return tuple(chosen)

    def everything(self) -> np.ndarray:
        """Return all outcomes, a row each, in lexicographic order."""
        rows, ones, last, run = self._begin(1)
        for i in range(self.n):
            possible = self._possible(i, ones, last, run) > 0
            parent, choice = np.nonzero(possible)
            rows = np.column_stack([rows[parent], choice.astype(bool)])
            ones, last, run = self._on(ones[parent], last[parent], run[parent], choice)
        return rows

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return outcomes drawn with replacement, a row each: each step as likely as what can follow it is many."""
        rows, ones, last, run = self._begin(count)
        for i in range(self.n):
            ways = self._possible(i, ones, last, run)
            choice = (rng.random(count) * ways.sum(axis=1) >= ways[:, 0]).astype(int)
            rows = np.column_stack([rows, choice.astype(bool)])
            ones, last, run = self._on(ones, last, run, choice)
        return rows

    def _begin(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return (
            np.zeros((count, 0), bool),
            np.zeros(count, int),
            np.full(count, -1),
            np.zeros(count, int),
        )

    def _on(self, ones, last, run, choice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        grown = run if self.most_in_row is None else run + 1
        return ones + choice, choice, np.where(choice == last, grown, 1)

    def _possible(self, i: int, ones, last, run) -> np.ndarray:
        """Return how many ways lead on after each choice (columns), relative to the most of any state."""
        ways = self._shares[i]
        found = np.zeros((len(ones), 2))
        for choice in (0, 1):
            new, _, grown = self._on(ones, last, run, np.full(len(ones), choice))
            allowed = (new <= self.n_treatment) & (grown <= (self.most_in_row or 1))
            found[allowed, choice] = ways[new[allowed], choice, grown[allowed]]
        return found

    def holds(self, outcome: tuple[int, ...]) -> bool:
        """Whether the sequence keeps the rule."""
        values = np.asarray(outcome)
        if len(values) != self.n or not np.isin(values, (0, 1)).all() or values.sum() != self.n_treatment:
            return False
        ends = np.flatnonzero(np.diff(values)) + 1
        runs = np.diff(np.concatenate([[0], ends, [self.n]]))
        return self.most_in_row is None or int(runs.max()) <= self.most_in_row

    def treated(self, outcome: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return which records are under treatment, of the one case there is."""
        return {"": np.array(outcome, dtype=bool)}

    def records_needed(self, alpha: float = 0.05) -> int | None:
        """Return the fewest records with which p can be at most `alpha`; None if no number is enough."""
        return None if self.most_in_row == 1 else super().records_needed(alpha)

    def longer(self, records: int) -> SequenceLottery:
        """Return the design over so many more records of each condition."""
        return SequenceLottery(self.n + 2 * records, self.n_treatment + records, self.most_in_row)


def _step(ways: np.ndarray, choice: int) -> np.ndarray:
    """Shift counts by the treated record that a choice adds."""
    if not choice:
        return ways
    shifted = np.zeros_like(ways)
    shifted[:-1] = ways[1:]
    return shifted


def _paired(first: np.ndarray) -> np.ndarray:
    return np.stack([first, ~first], axis=2).reshape(len(first), -1)


def _odd(n: int) -> Fault | None:
    if n % 2 == 0:
        return None
    return Fault(
        checks.argument("n"),
        Text("两两配对须为偶数次记录", "pairs need an even number of records"),
        Text(f"请改为 {n + 1}", f"Plan {n + 1}"),
        n,
    )


def _too_few_alike(lottery: SequenceLottery) -> Fault:
    return Fault(
        checks.argument("most_in_row"),
        Text("没有一种顺序能满足这个限制", "no order keeps this rule"),
        Text("请放宽连续次数，或让两种做法的次数更接近", "Allow longer runs, or make the two more equal in number"),
        lottery.most_in_row,
    )
