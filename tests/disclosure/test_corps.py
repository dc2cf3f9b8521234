"""Dashboards before the check for disclosure: what was hidden passes, what was brought back does not."""

from dataclasses import replace

import matplotlib.pyplot as plt
import pytest

import htresearch as ht
from htresearch.disclosure import RefusedError, check, show

ONLY = ["trained_last_year", "chief_share", "failed_in_post"]


@pytest.fixture(scope="module")
def study():
    return ht.open_study("data/demo")


@pytest.fixture(scope="module")
def view(study):
    return ht.corps.dashboard(study, only=ONLY)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def rules_broken(thing, **what):
    return {rule for rules in check(thing, **what).failures["rules"] for rule in rules}


def test_what_a_dashboard_shows_may_be_shown(view):
    boards = [view.table(), view.groups("stage"), view.differences(), view.funnel("trained_last_year", "zone_id")]
    assert all(show(board).verdicts.passed for board in boards)
    assert (
        check(view.district).passed and check(view.units["zone_id"]).passed and check(view.units["school_id"]).passed
    )


def test_its_figures_draw_nothing_else(view):
    ht.theme()
    funnel = view.funnel("trained_last_year", "zone_id")
    assert check(ht.figure(funnel.plot(), "A funnel"), data=funnel).passed
    assert check(ht.figure(view.trends(), "Trends"), data=view.district).passed


def test_indicators_as_they_are_may_not_leave(study):
    plain = ht.corps.indicators(study, by=None, only=["failed_in_post"])
    assert rules_broken(plain) == {"two_values"}
    with pytest.raises(RefusedError):
        show(plain)


def test_a_dashboard_for_the_district_itself_may_not_leave(study):
    inside = ht.corps.dashboard(study, only=["chief_share"], fewest=1)
    assert rules_broken(inside.table()) == {"two_values"}


def test_numbers_that_were_brought_back_are_seen(view, study):
    board = view.table(["chief_share"])
    inside = ht.corps.dashboard(study, only=["chief_share"], fewest=1).table()
    assert not check(replace(board, rows=inside.rows)).passed


def test_a_funnel_that_was_touched_is_seen(view):
    funnel = view.funnel("trained_last_year", "zone_id")
    frame = funnel.frame.copy()
    frame.loc[frame["line"] == "limits", "conf_high"] += 0.01
    assert "altered" in rules_broken(replace(funnel, frame=frame))
    other = funnel.frame.copy()
    other.loc[other.index[other["line"] == "unit"][0], "estimate"] = 0.123
    assert "altered" in rules_broken(replace(funnel, frame=other))


def test_differences_of_few_schools_are_refused(view):
    board = view.differences(["trained_last_year"])
    assert "schools" in rules_broken(replace(board, rows=board.rows.assign(n_units=6)))


def test_a_note_that_names_somebody_is_refused(view):
    assert rules_broken(replace(view.table(["trained_last_year"]), note="t_0123456789ab")) == {"label"}
