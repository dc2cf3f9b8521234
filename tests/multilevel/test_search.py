"""The optimum of random small designs against the dense likelihood searched from several starts.

A spread sample of the table stands here; all 200 are compared by benchmarks/random_designs.py.
"""

import numpy as np
import pytest

from htresearch.multilevel.search import newton_step

from .random_designs import DESIGNS, HARD, SLOPED, compare


@pytest.mark.parametrize("number", [*range(len(HARD)), *range(len(HARD), len(DESIGNS), 4)])
def test_no_dense_search_finds_a_better_point(number):
    """The criterion, where it lies, what is singular, estimates and standard errors; see `Comparison.misses`."""
    assert compare(number).misses == []


@pytest.mark.parametrize("number", [*range(2), *range(2, len(SLOPED), 6)])
def test_no_dense_search_finds_a_better_point_where_slopes_cross(number):
    found = compare(number, SLOPED)
    assert found.case.products.crossed
    assert found.misses == []


def test_the_table_holds_every_kind():
    assert len(set(DESIGNS)) == 200
    cases = [kind(seed) for kind, seed in DESIGNS]
    nested = [case for case in cases if case.nested]
    assert len(nested) == 100
    assert {len(case.codes) for case in nested} == {1, 2, 3, 4}
    for part in (nested, [case for case in cases if not case.nested]):
        assert {case.reml for case in part} == {True, False}
        assert {case.weights is None for case in part} == {True, False}
    assert {case.slopes for case in nested} == {"none", "apart", "correlated"}


def test_where_nothing_curves_newton_goes_nowhere():
    assert newton_step(np.array([1e-9]), np.zeros((1, 1))).tolist() == [0.0]
