"""The validators of recurring arguments."""

import numpy as np
import pytest

from htresearch import checks, language
from htresearch.errors import ArgumentError, FormulaError


def test_require_raises_all_faults_at_once():
    with pytest.raises(ArgumentError) as caught:
        checks.require(checks.integer("n", 0), None, checks.between("p", 2, 0, 1))
    assert len(caught.value.faults) == 2


def test_require_is_content_without_faults():
    checks.require(None, None)


def test_require_raises_the_error_it_is_given():
    with pytest.raises(FormulaError):
        checks.require(checks.integer("n", 0), error=FormulaError)


def test_one_of():
    assert checks.one_of("compare", "school", ("class", "school")) is None
    fault = checks.one_of("compare", "world", ("class", "school"))
    assert fault.value == "world"
    assert "class、school" in str(fault)
    with language.speaking("en"):
        assert "Argument compare (found 'world')" in str(fault)


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_whole_numbers(value):
    assert checks.integer("n", value, 1, 7) is None


@pytest.mark.parametrize("value", [0, 8, 2.0, "3", True, None, float("nan")])
def test_what_is_no_whole_number_in_range(value):
    fault = checks.integer("n", value, 1, 7)
    assert "不小于 1、不大于 7" in str(fault)


@pytest.mark.parametrize(
    ("value", "open_ends", "within"),
    [
        (0, False, True),
        (1, False, True),
        (0, True, False),
        (1, True, False),
        (0.5, True, True),
        (np.float64(0.5), False, True),
        (-0.1, False, False),
        (float("nan"), False, False),
        (True, False, False),
        ("0.5", False, False),
    ],
)
def test_between(value, open_ends, within):
    assert (checks.between("p", value, 0, 1, open_ends) is None) == within


def test_columns_suggest_the_nearest():
    faults = checks.columns("x", ["tear", "score", "zzz"], ["tier", "score"])
    assert [str(f.rule) for f in faults] == ["没有“tear”这一列", "没有“zzz”这一列"]
    assert "tier" in str(faults[0].fix)
    assert "tier、score" in str(faults[1].fix)


def test_suggestion():
    assert checks.suggestion("teacher", ["teachers", "terms"]).en == "Did you mean teachers?"
    assert checks.suggestion("xyz", ["teachers"]) is None
