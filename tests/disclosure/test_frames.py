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


TYPES = ["primary", "junior", "nine_year", "senior", "special"]
BEHIND = {"n_students": [120, 140, 90, 310, 60], "n_teachers": [5, 6, 4, 12, 3], "n_schools": [3, 4, 3, 5, 3]}


def of_types(**columns) -> pd.DataFrame:
    return pd.DataFrame({"kind": TYPES, **columns, **BEHIND})


@pytest.mark.parametrize(
    ("shown", "statistic"),
    [
        ([25.0, 30.0, 20.0, 50.3, 41.7], "percentage"),  # of 60 persons 41.7 %, of 310 50.3 %: possible
        ([0.25, 0.3, 0.2, 0.503, 0.417], "share"),
        ([25.0, 30.0, 20.0, 50.0, 100 * 25 / 60], "percentage"),
        ([25, 30, 20, 50, 42], "percentage"),
    ],
)
def test_a_share_that_so_many_persons_can_make(shown, statistic):
    assert ht.disclosure.check(of_types(boarding=shown), statistic=statistic).passed


@pytest.mark.parametrize(
    ("shown", "statistic"),
    [
        ([25.0, 30.0, 20.0, 50.3, 41.3], "percentage"),
        ([0.25, 0.3, 0.2, 0.503, 0.413], "share"),
        ([25.0, 30.0, 20.0, 50.0, 41.123456789], "percentage"),
    ],
)
def test_a_share_that_so_many_persons_cannot_make(shown, statistic):
    found = ht.disclosure.check(of_types(boarding=shown), statistic=statistic)
    assert set(found.failures["cell"]) == {4}
    assert set(found.failures["rule"]) == {"inconsistent"}


@pytest.mark.parametrize("amounts", [[403, 977, 1210, 388, 150], [3, 4, 2, 5, 6], [3, 4, 3, 4, 3]])
def test_an_amount_is_no_key(amounts):
    frame = of_types(sick=amounts, score=[70.1, 71.2, 69.4, 72.5, 70.8])
    assert not ht.disclosure.check(frame, statistic="mean", keys="sick").passed
    without = frame.drop(columns="kind")
    assert not ht.disclosure.check(without, statistic="mean", keys="sick").passed


@pytest.mark.parametrize("years", [[2019, 2020, 2021, 2022, 2023], [1, 3, 5, 7, 9], [6, 5, 4, 3, 2]])
def test_a_year_is_a_key(years):
    frame = of_types(year=years, score=[70.1, 71.2, 69.4, 72.5, 70.8]).drop(columns="kind")
    assert ht.disclosure.check(frame, statistic="mean", keys="year").passed
    both = pd.concat([frame.assign(kind=kind) for kind in ("junior", "senior")])
    assert ht.disclosure.check(both, statistic="mean", keys="year").passed


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4, 5], [104, 101, 103, 105, 102]])
def test_numbers_of_rows_are_persons(numbers):
    frame = of_types(score=[70.1, 71.2, 69.4, 72.5, 70.8])
    assert ht.disclosure.check(frame, statistic="mean").passed
    assert not ht.disclosure.check(frame.assign(no=numbers), statistic="mean").passed


def test_means_of_zero_and_counts_of_those_with_a_value_are_what_pandas_gives():
    """Standardised scores have the mean 0 in each group, but for the order in which they are added up."""
    frame = pupils()
    frame.loc[frame.index % 7 == 0, "score"] = None
    by = frame.groupby("zone_id")["score"]
    frame["z"] = (frame["score"] - by.transform("mean")) / by.transform("std")
    told = frame.groupby("zone_id")["z"].agg(["mean", "count", "size"])
    what = {"statistic": {"mean": "mean", "count": "count", "size": "size"}, "value": {"mean": "z", "count": "z"}}
    assert (told["count"] < told["size"]).all()
    assert ht.disclosure.check(told, microdata=frame, **what).passed
    for column in told:
        wrong = told.assign(**{column: told[column] + 1})
        assert not ht.disclosure.check(wrong, microdata=frame, **what).passed
