"""Every outcome is counted, numbered and listed once, and keeps the rules; the counts are those of the papers."""

from itertools import combinations, product
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htresearch.errors import ArgumentError
from htresearch.singlecase.lottery import BaselineLottery, PhaseLottery
from htresearch.singlecase.sequences import PairLottery, SequenceLottery

FOUR = ("1", "2", "3", "4")
LOTTERIES = [
    PhaseLottery(20, (5, 5)),
    PhaseLottery(13, (3, 2, 3)),
    PhaseLottery(15, (3, 2, 3, 1)),
    BaselineLottery(20, FOUR, ((5, 5), (8, 8), (11, 11), (14, 14)), True),
    BaselineLottery(20, ("a", "b", "c"), ((5, 7), (8, 10), (12, 13)), True),
    BaselineLottery(20, ("a", "b", "c"), ((5, 7), (5, 10), (6, 8)), False),
    PairLottery(10),
    SequenceLottery(8, 4, 2),
    SequenceLottery(9, 3, None),
    SequenceLottery(7, 3, 1),
    PhaseLottery(30, (7, 6, 9)),  # few changes for so many records: sampled another way
]


def test_onghena_1992_abab_of_24_records_has_165_outcomes():
    assert PhaseLottery(24, (4, 4, 4, 4)).size == 165


def test_scan_rand_test_counts_of_its_documentation():
    # 20 measurements, at least 5 in each phase; 3 and 10 cases with starts of their own.
    assert PhaseLottery(20, (5, 5)).size == 11
    own = [(5, 15)] * 10
    assert BaselineLottery(20, tuple("abc"), tuple(own[:3]), False).size == 1331
    assert BaselineLottery(20, tuple("abcdefghij"), tuple(own), False).size == 25937424601


def test_wampold_worsham_1986_orders_of_four_cases():
    assert LOTTERIES[3].size == factorial(4) and LOTTERIES[3].smallest_p == 1 / 24


def test_koehler_levin_1998_orders_times_starts():
    assert LOTTERIES[4].size == factorial(3) * 3 * 3 * 2


def test_fisher_1935_eight_cups_have_70_orders():
    assert SequenceLottery(8, 4, None).size == 70


@pytest.mark.parametrize("lottery", LOTTERIES, ids=str)
def test_the_list_has_every_outcome_once_in_the_order_of_its_numbers(lottery):
    listed = [tuple(map(int, row)) for row in lottery.everything()]
    assert len(listed) == len(set(listed)) == lottery.size
    assert listed == [lottery.outcome(number) for number in range(lottery.size)]
    assert all(lottery.holds(outcome) for outcome in listed)


@pytest.mark.parametrize("lottery", LOTTERIES, ids=str)
def test_samples_are_outcomes_and_all_equally_frequent(lottery):
    sample = lottery.sample(np.random.default_rng(5), 200 * lottery.size)
    found, counts = np.unique(sample.astype(int), axis=0, return_counts=True)
    assert {tuple(row) for row in found.tolist()} == {lottery.outcome(i) for i in range(lottery.size)}
    chi2 = ((counts - 200) ** 2 / 200).sum()
    assert chi2 < lottery.size - 1 + 5 * np.sqrt(2 * lottery.size)


def test_phases_by_brute_force():
    n, shortest = 12, (2, 3, 1, 2)
    found = [c for c in combinations(range(1, n), 3) if (np.diff([0, *c, n]) >= shortest).all()]
    assert [tuple(row) for row in PhaseLottery(n, shortest).everything().tolist()] == found


@pytest.mark.parametrize("most", [1, 2, 3, None])
@pytest.mark.parametrize("treated", [2, 4, 5])
def test_sequences_by_brute_force(most, treated):
    def longest(sequence):
        return max(len(run) for value in "01" for run in "".join(map(str, sequence)).split("10"[int(value)]))

    kept = [s for s in product((0, 1), repeat=9) if sum(s) == treated and (most is None or longest(s) <= most)]
    if not kept:
        with pytest.raises(ArgumentError):
            SequenceLottery(9, treated, most)
        return
    lottery = SequenceLottery(9, treated, most)
    assert [tuple(row) for row in lottery.everything().astype(int).tolist()] == kept
    assert all(lottery.holds(s) == (s in kept) for s in product((0, 1), repeat=9))


@given(st.integers(2, 60), st.integers(1, 20), st.integers(1, 20))
def test_records_needed_is_the_first_number_that_is_enough(more, before, after):
    lottery = PhaseLottery(before + after + more, (before, after))
    needed = lottery.records_needed(0.05)
    assert needed == max(lottery.n, before + after + 19)
    assert PhaseLottery(needed, (before, after)).smallest_p <= 0.05


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 200), st.integers(2, 100))
def test_large_sequences_are_numbered_too(number, half):
    lottery = SequenceLottery(2 * half, half, 3)
    outcome = lottery.outcome(number % lottery.size)
    assert lottery.holds(outcome)
    assert lottery.size <= comb(2 * half, half)


def test_opposites_exist_only_where_both_are_as_frequent():
    assert PairLottery(6).mirrored and SequenceLottery(8, 4, 2).mirrored
    assert not SequenceLottery(9, 4, 2).mirrored and not PhaseLottery(20, (5, 5)).mirrored


def test_a_strict_turn_has_no_number_of_records_that_would_do():
    assert SequenceLottery(8, 4, 1).size == 2
    assert SequenceLottery(8, 4, 1).records_needed() is None
    assert SequenceLottery(6, 3, 2).records_needed() == 8  # 14 orders, then 34


@pytest.mark.parametrize(
    "make",
    [
        lambda: PhaseLottery(9, (5, 5)),
        lambda: PhaseLottery(9, (5,)),
        lambda: PhaseLottery("9", (5, 2)),
        lambda: BaselineLottery(20, ("a", "b"), ((5, 7), (7, 9)), True),
        lambda: BaselineLottery(20, ("a", "a"), ((5, 7), (8, 9)), True),
        lambda: BaselineLottery(20, ("a", "b"), ((5, 7),), True),
        lambda: BaselineLottery(20, ("a", "b"), ((0, 7), (8, 20)), False),
        lambda: BaselineLottery(200, tuple(map(str, range(99))), ((5, 7),) * 99, False),
        lambda: PhaseLottery(200, (1,) * 50),
        lambda: PairLottery(9),
        lambda: SequenceLottery(9, 9, 2),
        lambda: SequenceLottery(9, 1, 2),
    ],
)
def test_what_makes_no_lottery_is_refused_in_both_languages(make, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        make()
    zh, en = in_both_languages(caught.value)
    assert zh != en and en.isascii()
