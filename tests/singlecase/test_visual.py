"""Worked by hand, and against SciPy's Theil-Sen and least squares."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from htresearch.errors import ArgumentError
from htresearch.singlecase import visual_analysis

#: SingleCaseES's example, also in the reference values of the project.
A, B = [20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]
SEEN = visual_analysis(A + B, ["A"] * 6 + ["B"] * 7)


def test_level_and_variability_by_hand():
    a, b = SEEN.by_phase().to_dict("records")
    assert (a["n"], a["mean"], a["median"]) == (6, 136 / 6, 22.5)
    assert (b["minimum"], b["maximum"], b["median"]) == (24, 30, 28)
    assert a["std_dev"] == pytest.approx(np.std(A, ddof=1))
    # ± 25 % of 22.5 is 16.875 to 28.125: all; ± 5 % of 28 is 26.6 to 29.4: 28, 27, 29.
    assert a["level_stability"] == 1
    tight = visual_analysis(A + B, ["A"] * 6 + ["B"] * 7, envelope=0.05).by_phase()
    assert tight["level_stability"][1] == 3 / 7
    assert [str(word) for word in tight["stable"]] == ["波动", "波动"]


def test_kratochwill_2013_immediacy_of_the_last_and_first_three():
    pair = SEEN.by_pair().iloc[0]
    assert pair["phase"] == "A → B"
    assert pair["immediacy"] == 25 - 23
    assert pair["absolute_change"] == 28 - 23
    assert pair["median_change"] == 28 - 22.5


def test_overlap_is_what_pnd_leaves_over():
    pair = SEEN.by_pair().iloc[0]
    assert pair["overlap"] == 2 / 7  # PND is 5/7
    assert pair["range_overlap"] == 2 / 7
    down = visual_analysis(A + B, ["A"] * 6 + ["B"] * 7, improvement="decrease").by_pair().iloc[0]
    assert down["overlap"] == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=12), st.data())
def test_slopes_are_those_of_scipy(values, data):
    times = np.cumsum(data.draw(st.lists(st.integers(1, 5), min_size=len(values), max_size=len(values))))
    found = visual_analysis(values, ["A"] * len(values), times).by_phase().iloc[0]
    assert found["robust_slope"] == pytest.approx(stats.theilslopes(values, times)[0])
    assert found["slope"] == pytest.approx(stats.linregress(times, values).slope)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-50, 50), min_size=3, max_size=8), st.lists(st.floats(-50, 50), min_size=3, max_size=8))
def test_turning_the_direction_turns_the_overlap(a, b):
    phases = ["A"] * len(a) + ["B"] * len(b)
    up = visual_analysis(a + b, phases).tidy().query("aspect == 'overlap'")["estimate"]
    down = visual_analysis([-x for x in a + b], phases, improvement="decrease").tidy()
    assert up.tolist() == down.query("aspect == 'overlap'")["estimate"].tolist()


def test_missing_values_are_left_out_but_keep_their_time():
    found = visual_analysis([1, None, 3, 4], ["A"] * 4)
    assert found.by_phase().loc[0, ["n", "slope"]].tolist() == [3, 1]
    assert "缺失的 1 次" in found.notes()


def test_days_count_as_days():
    days = pd.to_datetime(["2024-09-02", "2024-09-04", "2024-09-09"])
    assert visual_analysis([0, 2, 7], ["A"] * 3, days).by_phase()["slope"][0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "improvement", "said"),
    [
        ([2, 4, 6, 8], "increase", "上升，变好"),
        ([2, 4, 6, 8], "decrease", "上升，变差"),
        ([8, 6, 4, 2], "decrease", "下降，变好"),
        ([5, 5, 5, 5], "increase", "平"),
        ([100, 101, 102, 103], "increase", "平"),  # 3 in 100 is less than a quarter
        ([1, 9], "increase", "None"),
    ],
)
def test_the_direction_is_judged_by_rule(values, improvement, said):
    found = visual_analysis(values, ["A"] * len(values), improvement=improvement).by_phase()
    assert str(found["trend"][0]) == said


def test_phases_that_come_back_are_compared():
    found = visual_analysis([1, 1, 5, 5, 2, 2, 7, 7], list("AABBAABB")).by_pair().set_index("phase")
    assert found.loc["A1 → A2", "median_difference"] == 1
    assert found.loc["B1 → B2", "median_difference"] == 2
    assert list(found.index[:3]) == ["A1 → B1", "B1 → A2", "A2 → B2"]


def test_conditions_that_take_turns_are_wholes():
    found = visual_analysis([1, 5, 2, 6, 3, 7], list("ABABAB"), alternating=True)
    assert found.by_phase()["median"].tolist() == [2, 6]
    assert "immediacy" not in found.by_pair()
    assert len(found.plot().lines) == 4


def test_several_cases_of_a_frame():
    frame = pd.DataFrame({"who": list("aaaabbbb"), "p": list("AABBAAAB"), "v": range(8)})
    found = visual_analysis(frame, case="who", phase="p", value="v")
    assert found.glance().loc[0].tolist() == [2, 8, 0]
    assert len(found.by_pair()) == 2
    assert len(found.plot().figure.axes) == 2


def test_phases_of_one_value_or_none_have_gaps_instead_of_numbers():
    found = visual_analysis([3, None, None, 4], ["A", "B", "B", "C"])
    assert found.by_phase()["std_dev"].isna().all()
    assert found.by_pair()["overlap"].isna().all()
    assert "一次也没有" in found.notes()


def test_what_cannot_be_described_is_refused(in_both_languages):
    for data, more in (
        ([1, 2], {}),
        ([1, 2], {"phases": ["A"]}),
        ([1, 2], {"phases": ["A", "B"], "improvement": "up"}),
        ([1, 2], {"phases": ["A", "B"], "envelope": 2}),
        (pd.DataFrame({"phase": ["A"], "value": [1]}), {"phases": ["A"]}),
        (pd.DataFrame({"phase": ["A"]}), {}),
        (None, {"phases": ["A"]}),
        ("12", {"phases": ["A", "B"]}),
    ):
        with pytest.raises(ArgumentError) as error:
            visual_analysis(data, **more)
        assert all(in_both_languages(error.value))
