"""Counts that somebody asserts are marked as such, wherever the verdict is read."""

import json

import pandas as pd
import pytest

import htresearch as ht

from .districts import pupils

FRAME = pd.DataFrame({"sex": ["f", "m"], "score": [70.5, 71.5], "n_students": [300, 310]})
FRAME = FRAME.assign(n_teachers=[20, 21], n_schools=[5, 6])


def record(verdicts):
    return json.loads(verdicts.to_json())["results"]["output_0"]["properties"]["counts"]


def test_asserted_counts_are_marked():
    verdicts = ht.disclosure.check(FRAME, statistic="mean")
    assert verdicts.passed
    assert verdicts.counts == "asserted"
    assert record(verdicts) == "asserted by the caller"
    assert "未与原始数据核对" in verdicts.to_html()
    assert "未与原始数据核对" in verdicts.notes()


def test_verified_numbers_are_marked():
    frame = pupils().groupby("sex")["score"].mean()
    verdicts = ht.disclosure.check(frame, statistic="mean", microdata=pupils())
    assert verdicts.passed
    assert record(verdicts) == "verified against the data"
    assert "未与原始数据核对" not in verdicts.to_html()


def test_a_table_holds_what_was_counted():
    assert record(ht.disclosure.check(ht.disclosure.tabulate(pupils(), "sex"))) == "computed with the output"


@pytest.mark.parametrize(
    "what",
    [
        {"counts": {"n_students": [1, 2, 3]}},
        {"counts": "many"},
        {"keys": "nowhere"},
        {"microdata": 3},
        {"microdata": pupils(), "value": "nothing"},
        {"counted": 5},
    ],
)
def test_what_is_said_wrongly_is_told(what):
    with pytest.raises(ht.errors.ArgumentError):
        ht.disclosure.check(FRAME.set_index("sex")["score"], statistic="mean", **what)


def test_a_word_that_is_no_argument_is_called_so():
    with pytest.raises(ht.errors.ArgumentError, match="没有这个参数"):
        ht.disclosure.check(FRAME, statistics="mean")
