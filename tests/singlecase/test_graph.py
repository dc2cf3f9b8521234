"""What the picture draws, told by the data in it."""

from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.singlecase import plot_case, plot_cases

VALUES = [6, 8, None, 7, 4, 3, 2, 2]
PHASES = list("AAAABBBB")


@pytest.fixture(autouse=True)
def themed():
    with plt.rc_context():
        ht.theme()
        yield
    plt.close("all")


def lines(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def series(ax):
    return [line for line in ax.lines if line.get_gid() is None]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_points_are_joined_within_a_phase_only_and_a_missing_one_leaves_a_gap():
    ax = plot_case(VALUES, PHASES)
    before, after = series(ax)
    assert before.get_xdata().tolist() == [1, 2, 3, 4]
    assert after.get_xdata().tolist() == [5, 6, 7, 8]
    assert np.isnan(before.get_ydata()).tolist() == [False, False, True, False]


def test_the_line_stands_half_way_between_the_phases():
    (line,) = lines(plot_case(VALUES, PHASES), "change")
    assert line.get_xdata().tolist() == [4.5, 4.5]


def test_each_phase_has_its_median_and_its_name():
    ax = plot_case(VALUES, PHASES, labels={"A": "改变前", "B": "改变后"})
    assert [line.get_ydata()[0] for line in lines(ax, "median")] == [7, 2.5]
    assert {"改变前", "改变后"} <= set(words(ax))
    assert not lines(plot_case(VALUES, PHASES, median=False), "median")


def test_a_phase_that_comes_back_is_drawn_again_and_may_have_its_own_name():
    ax = plot_case(VALUES, list("AABBAABB"), labels={"A2": "撤回"})
    assert len(lines(ax, "change")) == 3
    assert "撤回" in words(ax)
    a1, _, a2, _ = series(ax)
    assert a1.get_color() == a2.get_color()


def test_days_are_as_far_apart_as_they_are():
    days = [date(2024, 9, 2) + timedelta(days=d) for d in (0, 1, 2, 3, 7, 8, 9, 10)]
    ax = plot_case(VALUES, PHASES, days)
    drawn = np.concatenate([line.get_xdata() for line in series(ax)])
    assert np.diff(drawn).tolist() == [1, 1, 1, 4, 1, 1, 1]
    ax.figure.canvas.draw()
    assert ax.get_xticklabels()[0].get_text() == "9月2日"


@pytest.mark.parametrize(
    ("scale", "out_of", "low", "high"), [("count", None, 0, 8), ("share", 40, 0, 40), ("share", None, 0, 100)]
)
def test_counts_and_shares_begin_at_zero_and_shares_reach_their_whole(scale, out_of, low, high):
    bottom, top = plot_case(VALUES, PHASES, scale=scale, out_of=out_of).get_ylim()
    assert bottom == low
    assert high < top < 1.15 * high


def test_an_amount_fits_its_values_and_the_target_is_in_sight():
    bottom, top = plot_case([50, 52, 51, 54], list("AABB"), scale="amount", target=60).get_ylim()
    assert bottom > 45
    assert top > 60


def test_several_cases_share_both_axes_and_the_change_is_one_stepped_line():
    frame = pd.DataFrame(
        {"case": ["甲"] * 6 + ["乙"] * 6, "phase": list("AABBBB") + list("AAAABB"), "value": range(12)}
    )
    top = plot_cases(frame)
    upper, lower = top.figure.axes
    assert upper.get_xlim() == lower.get_xlim()
    assert upper.get_ylim() == lower.get_ylim()
    (one,), (two,) = lines(upper, "change"), lines(lower, "change")
    assert one.get_xdata().tolist() == [2.5, 2.5, 4.5]
    assert two.get_xdata().tolist() == [4.5, 4.5]
    # They meet: below the upper panel and above the lower one.
    ends = [
        ax.get_xaxis_transform().transform((4.5, y))
        for ax, y in ((upper, one.get_ydata()[-1]), (lower, two.get_ydata()[0]))
    ]
    assert ends[0] == pytest.approx(ends[1], abs=1)
    assert "甲" in words(upper)


def test_conditions_that_take_turns_are_a_line_each():
    ax = plot_case([1, 5, 2, 6, 1, 7], list("ABABAB"), alternating=True)
    assert [line.get_ydata().tolist() for line in series(ax)] == [[1, 2, 1], [5, 6, 7]]
    assert not lines(ax, "change")


def test_a_second_observer_is_drawn():
    ax = plot_case(VALUES, PHASES, second=[6, None, None, 8, None, None, None, 2])
    (line,) = lines(ax, "second")
    assert np.nansum(line.get_ydata()) == 16


def test_rows_are_put_in_time_order():
    frame = pd.DataFrame({"phase": list("BABA"), "value": [4, 1, 3, 2], "day": [4, 1, 3, 2]})
    assert [line.get_ydata().tolist() for line in series(plot_cases(frame, time="day"))] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "more",
    [
        {"values": "abc"},
        {"values": []},
        {"values": [1, "x", 3]},
        {"values": [None, None, None]},
        {"values": [1, float("inf"), 3]},
        {"values": [1, 1e300, 3]},
        {"phases": ["A", "B"]},
        {"phases": ["A", None, "B"]},
        {"phases": "AAB"},
        {"times": [1, 2]},
        {"times": [1, 3, 2]},
        {"times": [1, 2, None]},
        {"times": [date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 2)]},
        {"times": [date(2024, 1, 1), 2, 3]},
        {"scale": "percent"},
        {"target": "ten"},
        {"out_of": -1},
        {"labels": ["A"]},
        {"second": [1, 2]},
    ],
)
def test_what_cannot_be_drawn_is_refused(more, in_both_languages):
    given = {"values": [1, 2, 3], "phases": ["A", "A", "B"], **more}
    with pytest.raises(ArgumentError) as error:
        plot_case(**given)
    assert all(in_both_languages(error.value))


def test_faults_are_told_by_case(in_both_languages):
    frame = pd.DataFrame({"case": list("aabb"), "phase": ["A", None, "A", "B"], "value": [1, 2, "x", 3]})
    with pytest.raises(ArgumentError) as error:
        plot_cases(frame)
    zh, en = in_both_languages(error.value)
    assert "个案 a" in zh
    assert "Case b" in en
    twice = pd.concat([frame, frame[["value"]]], axis=1)
    for bad in (None, [1], frame.iloc[:0], frame.drop(columns="phase"), twice):
        with pytest.raises(ArgumentError):
            plot_cases(bad)
