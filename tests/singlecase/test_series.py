"""Observations are read once for every method: what is missing is counted, what is no number is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htresearch.errors import ArgumentError
from htresearch.singlecase.series import read_phases, read_values

VALUES = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=12)


@given(before=VALUES, after=VALUES)
def test_a_gap_stays_a_gap_and_is_counted(before, after):
    phases = read_phases(before, after, fewest=(0, 0))
    everything = [*before, *after]
    for seen, times in ((phases.baseline, phases.baseline_times), (phases.treatment, phases.treatment_times)):
        assert [everything[place] for place in times] == list(seen)
    assert phases.missing == (before.count(None), after.count(None))
    assert bool(phases.note) == (None in everything)


@pytest.mark.parametrize(
    "values", [[1, 2.5, 3], (1, 2.5, 3), np.array([1, 2.5, 3]), pd.Series([1, 2.5, 3], index=[7, 8, 9])]
)
def test_any_sequence_of_numbers_will_do(values):
    assert read_values("baseline", values)[0].tolist() == [1, 2.5, 3]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_every_way_of_missing_is_missing(missing):
    assert np.isnan(read_values("baseline", [1, missing])[0][1])


@pytest.mark.parametrize(
    "values",
    [
        "345",
        None,
        7,
        {1: 2},
        {1, 2},
        [1, "2"],
        [1, [2]],
        [1, np.inf],
        [1, 10**400],
        [1, 1j],
        [1, pd.Timestamp("2025-09-01")],
        [1, np.datetime64("2025-09-01")],
        [],
        [None, None],
    ],
    ids=str,
)
def test_what_is_no_sequence_of_numbers_is_refused(values, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        read_phases(values, [1, 2])
    zh, en = in_both_languages(caught.value)
    assert "baseline" in zh
    assert "baseline" in en


def test_everything_wrong_is_said_at_once():
    with pytest.raises(ArgumentError) as caught:
        read_phases(["x"], [], improvement="up")
    assert len(caught.value.faults) == 3


def test_the_direction_turns_the_sign():
    up, down = (read_phases([1, 2], [3], direction).improving for direction in ("increase", "decrease"))
    assert [list(-x) for x in up] == [list(x) for x in down]
