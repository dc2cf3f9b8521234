"""Fractions worked by hand; kappa against the one of scales, which is checked against psych; Wilson against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from htresearch import scales
from htresearch.errors import ArgumentError
from htresearch.singlecase import observer_agreement

FIRST, SECOND = [4, 5, 2, 0, 6], [4, 4, 3, 0, None]


def found(*given, term, column="estimate", phase="", **more):
    frame = observer_agreement(*given, **more).tidy()
    return frame[(frame["term"] == term) & (frame["phase"] == phase)][column].item()


def test_counts_by_hand():
    assert found(FIRST, SECOND, term="mean_ratio") == pytest.approx((1 + 4 / 5 + 2 / 3 + 1) / 4)
    assert found(FIRST, SECOND, term="total") == 11 / 11
    assert found(FIRST, SECOND, term="exact") == 2 / 4
    assert found([0, 1, 3, 0], [0, 2, 0, 0], term="interval") == 3 / 4


def test_how_much_was_recorded_twice():
    glance = observer_agreement(FIRST, SECOND).glance().loc[0]
    assert glance[["n_records", "n_both", "share_both"]].tolist() == [5, 4, 0.8]
    assert glance["mean_difference"] == (0 - 1 + 1 + 0) / 4


def test_by_phase():
    frame = observer_agreement(FIRST, SECOND, list("AABBB")).tidy()
    exact = frame[frame["term"] == "exact"].set_index("phase")
    assert exact["estimate"].tolist() == [1 / 2, 1 / 2, 1 / 2]
    assert exact["n_both"].tolist() == [4, 2, 2]
    assert exact["share_both"].tolist() == [4 / 5, 1, 2 / 3]


def test_the_limit_is_the_conventional_one():
    assert found([1] * 10, [1] * 8 + [0] * 2, term="exact", column="reached", scale="yes_no")
    assert not found([1] * 9, [1] * 7 + [0] * 2, term="exact", column="reached", scale="yes_no")
    assert found([1, 0], [1, 0], term="kappa", column="convention", scale="yes_no") == 0.6


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_kappa_is_that_of_scales(pairs):
    one, two = ([float(p[i]) for p in pairs] for i in (0, 1))
    if len(set(one)) < 2 or len(set(two)) < 2:
        return
    expected = scales.kappa(one, two, weights=None, categories=[0.0, 1.0]).tidy().iloc[0]
    frame = observer_agreement(one, two, scale="yes_no").tidy().set_index("term")
    assert frame.loc["kappa", "estimate"] == pytest.approx(expected["estimate"], abs=1e-12)
    if expected["std_error"] > 1e-9:
        assert frame.loc["kappa", "std_error"] == pytest.approx(expected["std_error"], rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.data())
def test_wilson_is_that_of_scipy(n, data):
    same = data.draw(st.integers(0, n))
    expected = stats.binomtest(same, n).proportion_ci(0.95, "wilson")
    row = observer_agreement([1] * n, [1] * same + [0] * (n - same), scale="yes_no").tidy().iloc[0]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((expected.low, expected.high), abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=20))
def test_agreement_is_between_nothing_and_all_and_the_same_both_ways(pairs):
    one, two = ([p[i] for p in pairs] for i in (0, 1))
    there, back = (observer_agreement(*pair).tidy()["estimate"] for pair in ((one, two), (two, one)))
    assert there.between(0, 1).all()
    assert there.tolist() == pytest.approx(back.tolist())


def test_durations_and_shares_may_differ_a_little():
    assert found([30, 60], [33, 60], term="exact", scale="duration", tolerance=5) == 1
    assert found([30, 60], [33, 60], term="exact", scale="duration") == 0.5
    assert found([0.5, 0.8], [0.52, 0.8], term="exact", scale="share", tolerance=0.02) == 1
    assert set(observer_agreement([1.5], [1.2], scale="share").tidy()["term"]) == {"mean_ratio", "exact"}


def test_full_agreement_has_no_made_up_error():
    result = observer_agreement([1, 2, 3], [1, 2, 3])
    row = result.tidy().iloc[0]
    assert row["estimate"] == 1
    assert np.isnan(row["std_error"])
    assert "没有标准误" in result.notes()
    one_kind = observer_agreement([1, 1], [1, 1], scale="yes_no")
    assert np.isnan(one_kind.tidy().set_index("term").loc["kappa", "estimate"])


def test_a_phase_without_a_second_observer_is_named():
    result = observer_agreement([1, 2, 3], [1, 2, None], list("AAB"))
    assert "B" in result.notes()
    assert result.tidy().query("phase == 'B'")["estimate"].isna().all()
    assert "只有第二位" in observer_agreement([1, None], [1, 2]).notes()


@pytest.mark.parametrize(
    ("first", "second", "more"),
    [
        ([1, 2], [1], {}),
        ([1, None], [None, 1], {}),
        ([1.5], [1], {}),
        ([-1], [1], {}),
        ([2], [1], {"scale": "yes_no"}),
        ([-2], [1], {"scale": "duration"}),
        ([1], [1], {"scale": "minutes"}),
        ([1], [1], {"tolerance": -1}),
        ([1], [1], {"conf_level": 95}),
        ([1], [1], {"phases": ["A", "B"]}),
        ("1", [1], {}),
        (None, None, {}),
        ([], [], {}),
        (["x"], [1], {}),
        ([float("inf")], [1], {}),
        ([1e300], [1], {}),
    ],
)
def test_what_cannot_be_is_refused(first, second, more, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        observer_agreement(first, second, **more)
    assert all(in_both_languages(error.value))
