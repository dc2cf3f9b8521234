"""Suppression against brute force, and every pattern against the attacker."""

import itertools

import numpy as np
import pandas as pd
import pytest

from htresearch.disclosure import (
    Axis,
    Protection,
    audit,
    check,
    crossed_table,
    linear_table,
    suppress,
    suppress_table,
    tabulate,
)
from htresearch.errors import ArgumentError, ModelError

from .attacker import Attacker


def random_table(seed: int, shape=(3, 2), high: int = 30):
    draw = np.random.default_rng(seed)
    axes = [Axis.of([(f"{k}{i}",) for i in range(size)]) for k, size in enumerate(shape)]
    return crossed_table(draw.integers(1, high, shape), axes)


def cheapest(table, unsafe, protection, weights):
    """Try every pattern."""
    free, best = np.flatnonzero(~unsafe), np.inf
    for chosen in itertools.product((False, True), repeat=len(free)):
        pattern = unsafe.copy()
        pattern[free] = chosen
        cost = weights[pattern].sum()
        if cost < best - 1e-9 and audit(table, pattern, protection).passed:
            best = cost
    return best


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_that_of_brute_force(seed):
    table = random_table(seed, (2, 2))
    unsafe = np.zeros(len(table.values), bool)
    unsafe[np.argmin(table.values)] = True
    protection = Protection.of(table, unsafe, 0.1, 5)
    weights = 1 + np.log1p(table.values)
    found = suppress(table, protection, weights)
    assert found.optimal
    assert found.gap == 0
    assert found.cost == pytest.approx(cheapest(table, unsafe, protection, weights))
    assert found.bound == pytest.approx(found.cost)


def test_a_cell_alone_in_its_row_and_column_takes_three_more():
    table = crossed_table([[3, 20, 31], [15, 18, 24], [21, 22, 40]], [Axis.of([(k,) for k in "abc"])] * 2)
    found = suppress(table, Protection.of(table, table.values < 10))
    assert found.secondary.sum() == 3
    assert found.audit.passed


@pytest.mark.parametrize("seed", range(2))
def test_a_heuristic_pattern_passes_the_audit_and_its_bound_lies_below(seed):
    draw = np.random.default_rng(seed)
    schools = Axis.of([(f"z{i // 4}", f"s{i}") for i in range(12)])
    table = crossed_table(draw.integers(0, 40, (12, 4)), [schools, Axis.of([(k,) for k in "wxyz"])])
    unsafe = (table.values > 0) & (table.values < 6)
    protection = Protection.of(table, unsafe, 0.1, 5)
    found = suppress(table, protection, method="heuristic", seconds=2)
    exact = audit(table, found.suppressed, protection, exact=True)
    assert exact.passed
    assert (exact.low <= protection.low + 1e-6).all()
    assert (exact.high >= protection.high - 1e-6).all()
    assert 0 < found.bound <= found.cost + 1e-9
    assert 0 <= found.gap < 1


def test_three_classifications():
    draw = np.random.default_rng(5)
    axes = [Axis.of([("z0", "s0"), ("z0", "s1"), ("z1", "s2")]), Axis.of([("f",), ("m",)]), Axis.of([("a",), ("b",)])]
    table = crossed_table(draw.integers(12, 60, (3, 2, 2)), axes)
    low = np.argmin(table.values)
    protection = Protection.of(table, [low], 0.5, 5)
    found = suppress(table, protection, method="heuristic", seconds=1)
    assert audit(table, found.suppressed, protection, exact=True).passed


def test_whoever_fills_a_cell_alone_is_an_attacker_too():
    table = crossed_table([[3, 20, 31], [15, 18, 24], [21, 22, 40]], [Axis.of([(k,) for k in "abc"])] * 2)
    protection = Protection.of(table, table.values < 10)
    plain = suppress(table, protection)
    alone = plain.secondary
    found = suppress(table, protection, alone=alone)
    for cell in np.flatnonzero(found.suppressed & alone):
        assert audit(table, found.suppressed, protection, [cell]).passed


def test_what_must_be_published_is():
    table = crossed_table([[3, 20, 31], [15, 18, 24], [21, 22, 40]], [Axis.of([(k,) for k in "abc"])] * 2)
    published = np.array(["()" in str(label) for label in table.labels])
    found = suppress(table, Protection.of(table, table.values < 10), published=published)
    assert not (found.suppressed & published).any()


def test_a_lone_cell_cannot_be_protected():
    table = linear_table([3, 3], [[1, -1]])
    with pytest.raises(ModelError):
        suppress(table, Protection.of(table, [0]), published=[False, True])


def test_faults_are_named():
    with pytest.raises(ArgumentError):
        linear_table([1, 2, 4], [[1, 1, -1]])
    with pytest.raises(ArgumentError):
        linear_table([1, np.nan], [[1, -1]])
    with pytest.raises(ArgumentError):
        linear_table([1, 2], [[1, 1, -1]])


def test_the_audit_finds_the_textbook_interval():
    # Two cells of a row of 10, and of a column each: 3 + 7 = 10.
    table = linear_table([3, 7, 10], [[1, 1, -1]])
    found = audit(table, np.array([True, True, False]), Protection.of(table, [0, 1], 0, 1), exact=True)
    np.testing.assert_allclose(found.low, 0)
    np.testing.assert_allclose(found.high, 10)


def test_a_published_cell_is_not_protected():
    table = linear_table([3, 7, 10], [[1, 1, -1]])
    assert not audit(table, np.zeros(3, bool), Protection.of(table, [0])).passed
    assert not audit(table, np.array([True, False, False]), Protection.of(table, [0])).passed


def test_who_is_alone_in_a_hidden_cell_does_not_learn_another():
    """Two classes hidden in one row: each teacher knows their own sum, and must not learn the other's."""
    sizes = {("a", "x"): [20], ("a", "y"): [22], ("a", "z"): [30] * 6, ("b", "x"): [30] * 6, ("b", "y"): [30] * 6}
    sizes |= {("b", "z"): [30] * 6}
    rows = [(*at, f"{at}{k}") for at, classes in sizes.items() for k, n in enumerate(classes) for _ in range(n)]
    pupils = pd.DataFrame(rows, columns=["zone_id", "tier", "teacher_id"]).reset_index(names="student_id")
    pupils["school_id"] = pupils["teacher_id"]
    pupils["visits"] = np.random.default_rng(1).integers(1, 9, len(pupils)).astype(float)
    shown = suppress_table(tabulate(pupils, "zone_id", "tier", "visits", "sum"), "public")
    attacker = Attacker(pupils, [(shown.tidy(), "sum", "visits")])
    first, second = ({"zone_id": "a", "tier": tier} for tier in "xy")
    sums = [pupils.query("zone_id == 'a' and tier == @tier")["visits"].sum() for tier in "xy"]
    assert shown.primary.sum() >= 2
    for target, value, known in ((first, sums[0], (second, sums[1])), (second, sums[1], (first, sums[0]))):
        low, high = attacker.bounds(target, "visits", known)
        assert low <= 0.9 * value
        assert high >= 1.1 * value


def test_few_who_have_it_are_hidden_as_persons_are():
    """Of two in a cell, 10 % either way would be two: they are owed five persons."""
    flags = {"a": 2, "b": 40, "c": 60, "d": 50}
    rows = [(zone, int(i < some)) for zone, some in flags.items() for i in range(120)]
    pupils = pd.DataFrame(rows, columns=["zone_id", "left"]).reset_index(names="student_id")
    pupils["teacher_id"] = pupils["school_id"] = [f"{zone}{i % 6}" for i, zone in enumerate(pupils["zone_id"])]
    shown = suppress_table(tabulate(pupils, "zone_id", value="left", statistic="percentage"), "public")
    low, high = Attacker(pupils, [(shown.tidy(), "percentage", "left")]).bounds({"zone_id": "a"}, "left")
    assert low == pytest.approx(0)
    assert high >= 7


def test_who_has_most_of_a_margin_does_not_keep_all_of_a_table_back():
    """A teacher alone in a school knows all of its cells, and that its zone has no less: no table tells them that."""
    sizes = {("a", "s1"): [90], ("a", "s2"): [4] * 5, ("b", "s3"): [30] * 5, ("b", "s4"): [30] * 5, ("c", "s5"): [80]}
    rows = [(*at, f"{at}{k}") for at, classes in sizes.items() for k, n in enumerate(classes) for _ in range(n)]
    pupils = pd.DataFrame(rows, columns=["zone_id", "school_id", "teacher_id"]).reset_index(names="student_id")
    draw = np.random.default_rng(1)
    pupils["sex"] = draw.choice(["f", "m"], len(pupils))
    pupils["visits"] = draw.integers(1, 9, len(pupils)) * np.where(pupils["school_id"] == "s2", 0.1, 10.0)
    shown = suppress_table(tabulate(pupils, ["zone_id", "school_id"], "sex", "visits", "sum"), "public")
    assert 0 < shown.suppressed.sum() < len(shown.suppressed)
    assert check(shown).passed
