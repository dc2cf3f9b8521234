"""How several cases are read from one table."""

import pandas as pd
import pytest

from htresearch.errors import ArgumentError
from htresearch.singlecase.cases import read_case, read_cases


def test_a_phase_is_a_run_of_one_label():
    case, faults = read_case("x", [1, 2, 3, None, 5, 6], ["A", "A", "B", "B", "A", "A"], None)
    assert not faults
    assert case.labels == ("A", "B", "A")
    assert case.names == ("A", "B", "A2")
    assert case.conditions == ("A", "B", "A")
    assert case.phase.tolist() == [0, 0, 1, 2, 2]
    assert case.starts.tolist() == [0, 2, 4]
    assert case.lasts.tolist() == [1, 3, 5]
    assert case.missing == 1


def test_rows_are_put_in_the_order_of_their_times():
    case, _ = read_case("x", [3, 1, 2], ["B", "A", "A"], [30, 10, 20])
    assert case.values.tolist() == [1, 2, 3]
    assert case.times.tolist() == [10, 20, 30]


def test_labels_may_be_numbers_of_any_kind():
    for labels in ([0, 0, 1], [0.0, 0.0, 1.0], [False, False, True]):
        case, _ = read_case("x", [1, 2, 3], labels, None)
        assert case.conditions == ("0", "1")


def test_dates_become_days():
    days = pd.to_datetime(["2024-09-02", "2024-09-04", "2024-09-09"])
    for given in (days, list(days), [d.date() for d in days]):
        case, _ = read_case("x", [1, 2, 3], ["A", "A", "B"], given)
        assert (case.times - case.times[0]).tolist() == [0, 2, 7]


def test_cases_keep_the_order_in_which_they_come():
    frame = pd.DataFrame({"c": ["z", "a", "z", "a"], "p": ["A", "A", "B", "B"], "v": [1, 2, 3, None]})
    with pytest.raises(ArgumentError, match=r"个案 a.*阶段 B"):
        read_cases(frame, "c", "p", "v", None)
    found, note = read_cases(frame.fillna(4), "c", "p", "v", None)
    assert [one.name for one in found] == ["z", "a"]
    assert note == ()


def test_faults_name_case_and_column_all_at_once(in_both_languages):
    frame = pd.DataFrame({"c": list("aabb"), "p": ["A", "B", "A", None], "v": [1, "x", 2, 3]})
    with pytest.raises(ArgumentError) as error:
        read_cases(frame, "c", "p", "v", None)
    for said in in_both_languages(error.value):
        assert "a" in said and "'x'" in said and "b" in said


@pytest.mark.parametrize("value", [1e16, -1e300, 1e-200, 10**400])
def test_values_no_observation_can_have_are_refused(value):
    case, faults = read_case("x", [1, value, 2], ["A", "A", "B"], None)
    assert case is None
    assert len(faults) == 1
