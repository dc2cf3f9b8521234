"""Controlled rounding keeps sums, and each number next to its truth."""

import numpy as np
import pytest

from htresearch.disclosure import Axis, crossed_table, round_table
from htresearch.errors import ArgumentError


@pytest.mark.parametrize("seed", range(4))
def test_rounded_tables_are_additive_and_zero_restricted(seed):
    draw = np.random.default_rng(seed)
    schools = Axis.of([(f"z{i // 3}", f"s{i}") for i in range(9)])
    table = crossed_table(draw.poisson(8, (9, 4)), [schools, Axis.of([(k,) for k in "wxyz"])])
    found = round_table(table, 5)
    assert found.zero_restricted
    np.testing.assert_allclose(table.relations @ found.values, 0, atol=1e-9)
    np.testing.assert_allclose(found.values % 5, 0)
    assert (np.abs(found.values - table.values) < 5).all()
    whole = table.values % 5 == 0
    np.testing.assert_allclose(found.values[whole], table.values[whole])


def test_three_ways_still_add_up():
    draw = np.random.default_rng(1)
    axes = [Axis.of([(k,) for k in "abc"])] * 3
    table = crossed_table(draw.poisson(4, (3, 3, 3)), axes)
    found = round_table(table, 3)
    np.testing.assert_allclose(table.relations @ found.values, 0, atol=1e-9)
    assert (found.values >= 0).all()
    assert (found.values[table.values == 0] == 0).all()


def test_a_base_of_nothing_is_refused():
    table = crossed_table([1, 2], [Axis.of([("a",), ("b",)])])
    with pytest.raises(ArgumentError):
        round_table(table, 0)
