"""Designs made to meet each rule of the handbook by a hair, and to miss it by one."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.singlecase import standards


def study(phases, cases=1, values=None, second=None, start=0):
    """A series per case, with the phases given as ("A", 5), ("B", 5), …"""
    rows = []
    for number in range(cases):
        names = [name for name, n in phases for _ in range(n)]
        for i, name in enumerate(names):
            rows.append({"case": str(number), "phase": name, "value": i % 3 + 3 * (name == "B"), "day": start + i})
    frame = pd.DataFrame(rows)
    if values is not None:
        frame["value"] = values
    frame["second"] = frame["value"] if second is None else second
    return frame


def baseline(*starts, length=20):
    frames = [study([("A", n), ("B", length - n)]).assign(case=str(i)) for i, n in enumerate(starts)]
    return pd.concat(frames, ignore_index=True)


ABAB = [("A", 5), ("B", 5), ("A", 5), ("B", 5)]


def verdicts(result, term):
    return result.tidy().query("term == @term")["verdict"].tolist()


def test_abab_with_five_each_meets():
    found = standards(study(ABAB), second="second", manipulated=True)
    assert found.glance().loc[0, ["version", "design", "verdict"]].tolist() == ["4.1", "ABAB", "meets"]
    assert found.needed == ()


def test_kratochwill_2013_three_points_leave_reservations_and_two_fail():
    for n, verdict in ((4, "reservations"), (3, "reservations"), (2, "fails")):
        found = standards(study([("A", 5), ("B", 5), ("A", n), ("B", 5)]), second="second", manipulated=True)
        assert verdicts(found, "points")[2] == verdict
        assert found.verdict == verdict


def test_one_change_is_one_attempt_and_said_kindly():
    found = standards(study([("A", 10), ("B", 10)]), second="second", manipulated=True)
    attempts = found.tidy().set_index("term").loc["attempts"]
    assert (attempts["estimate"], attempts["verdict"]) == (1, "fails")
    assert found.verdict == "fails"
    assert "值得做" in found.notes()
    assert any("ABAB" in needed.en for needed in found.needed)


def test_aba_has_two_attempts():
    found = standards(study(ABAB[:3]), second="second", manipulated=True)
    assert found.tidy().set_index("term").loc["attempts", "estimate"] == 2
    assert found.verdict == "fails"


def test_version_5_wants_six_in_the_first_baseline():
    short, long = study(ABAB), study([("A", 6), *ABAB[1:]])
    assert verdicts(standards(short, version="5.0"), "points") == ["reservations", "meets", "meets", "meets"]
    assert verdicts(standards(long, version="5.0"), "points") == ["meets"] * 4
    assert verdicts(standards(short, version="4.1"), "points") == ["meets"] * 4


def test_version_5_looks_at_the_end_of_the_baseline_and_at_the_return():
    up = [1, 2, 3, 4, 5, 6, *[9] * 5, *[9] * 5, *[9] * 5]
    found = standards(study([("A", 6), *ABAB[1:]], values=up), version="5.0").tidy().set_index("term")
    assert found.loc["baseline_trend", ["estimate", "verdict"]].tolist() == [1, "reservations"]
    assert found.loc["return", ["estimate", "verdict"]].tolist() == [1, "reservations"]
    flat = [1, 2, 1, 2, 1, 2, *[9] * 5, *[1] * 5, *[9] * 5]
    fine = standards(study([("A", 6), *ABAB[1:]], values=flat), version="5.0").tidy().set_index("term")
    # Of 1 2 1 against 2 1 2: 2 beats 1 four times, ties four times, loses once: (4 + 4/2) / 9.
    assert fine.loc["baseline_trend", "estimate"] == pytest.approx(6 / 9)
    assert fine.loc["return", ["estimate", "verdict"]].tolist() == [0.25, "meets"]
    turned = standards(study([("A", 6), *ABAB[1:]], values=up), version="5.0", improvement="decrease")
    assert verdicts(turned, "baseline_trend") == ["meets"]
    assert "baseline_trend" not in set(standards(study(ABAB)).tidy()["term"])


def test_a_second_observer_for_a_fifth_of_each_condition():
    values = study(ABAB)["value"].astype(float)
    for both, share, phases in (([0, 5, 10, 15], "meets", "meets"), ([0, 5, 15], "fails", "fails")):
        second = pd.Series(np.nan, index=values.index)
        second[both] = values[both]
        found = standards(study(ABAB, second=second), second="second", manipulated=True)
        assert verdicts(found, "share_both")[0] == share
        assert verdicts(found, "second_observer")[2] == phases


def test_agreement_must_reach_the_convention_over_all():
    frame = study(ABAB, values=[10] * 20)
    for second, verdict in ((8, "meets"), (7.9, "fails")):
        found = standards(frame.assign(second=second), second="second", scale="duration", manipulated=True)
        assert verdicts(found, "agreement") == [verdict]
    yes = study(ABAB, values=[0, 1] * 10)
    assert verdicts(standards(yes, second="second", scale="yes_no", agreement="kappa"), "agreement") == ["meets"]
    same = study(ABAB, values=[1] * 20)
    assert verdicts(standards(same, second="second", scale="yes_no", agreement="kappa"), "agreement") == ["unknown"]


def test_without_a_second_observer_it_is_said_what_is_needed():
    found = standards(study(ABAB), manipulated=True)
    assert found.verdict == "fails"
    assert any("第二个人" in needed.zh for needed in found.needed)


def test_what_is_not_known_is_no_verdict():
    found = standards(study(ABAB), second="second")
    assert found.verdict == "unknown"
    assert standards(study(ABAB), second="second", manipulated=False).verdict == "fails"


def test_multiple_baseline_needs_three_different_starts():
    three, two = baseline(5, 8, 11), baseline(5, 8, 8)
    assert standards(three, second="second", manipulated=True).verdict == "meets"
    found = standards(two, second="second", manipulated=True)
    assert found.glance()["design"].item() == "multiple_baseline"
    assert verdicts(found, "attempts") == ["fails"]


def test_cases_one_after_the_other_are_not_concurrent():
    frame = baseline(5, 8, 11)
    frame["day"] = frame["day"] + 100 * frame["case"].astype(int)
    found = standards(frame, time="day", second="second", manipulated=True)
    assert verdicts(found, "concurrent") == ["fails"]
    assert verdicts(standards(baseline(5, 8, 11), time="day"), "concurrent") == ["meets"]
    gap = baseline(5, 8, 11)
    gap.loc[(gap["case"] == "2") & gap["day"].between(5, 10), "value"] = np.nan
    assert verdicts(standards(gap, time="day"), "concurrent") == ["fails"]


def test_days_are_times_too():
    frame = baseline(5, 8, 11)
    frame["day"] = pd.Timestamp("2024-09-02") + pd.to_timedelta(frame["day"], unit="D")
    assert standards(frame, time="day", second="second", manipulated=True).verdict == "meets"


def test_conditions_that_take_turns():
    found = standards(study([("A", 1), ("B", 1)] * 5), second="second", manipulated=True)
    assert found.glance().loc[0, ["design", "verdict"]].tolist() == ["alternating", "meets"]
    four = standards(study([("A", 1), ("B", 1)] * 4), second="second", manipulated=True)
    assert four.verdict == "reservations"
    row = standards(study([("A", 3), ("B", 1)] * 5), design="alternating", second="second")
    assert verdicts(row, "in_a_row") == ["fails", "meets"]


def test_a_changing_criterion_changes_three_times():
    phases = [("A", 5), ("40%", 5), ("60%", 5), ("80%", 5)]
    options = {"design": "changing_criterion", "second": "second", "manipulated": True}
    assert standards(study(phases), **options).verdict == "meets"
    assert standards(study(phases[:3]), **options).verdict == "fails"


def test_missing_observations_do_not_count():
    frame = study(ABAB)
    frame["value"] = frame["value"].astype(float)
    frame.loc[0, "value"] = np.nan
    assert verdicts(standards(frame), "points")[0] == "reservations"


def test_every_row_says_what_was_found_the_rule_and_what_is_needed(in_both_languages):
    for frame, more in (
        (study(ABAB), {"version": "5.0"}),
        (baseline(3, 4), {}),
        (study([("A", 1), ("B", 1)] * 3), {}),
    ):
        for row in standards(frame, **more).tidy().itertuples():
            for text in (row.found, row.rule, row.needed):
                assert text.zh
                assert text.en
            assert (row.verdict == "meets") == (row.needed.en == "nothing")


def test_the_figure_has_a_mark_for_each_row():
    ht.theme()
    found = standards(study(ABAB), second="second", version="5.0")
    ax = found.plot()
    assert sum(len(line.get_xdata()) for line in ax.lines) == len(found.tidy())


@pytest.mark.parametrize(
    ("frame", "more"),
    [
        (None, {}),
        (study(ABAB), {"version": "3.0"}),
        (study(ABAB), {"design": "ABC"}),
        (study(ABAB), {"manipulated": "yes"}),
        (study(ABAB), {"second": "third"}),
        (study(ABAB, second=["x"] * 20), {"second": "second"}),
        (study(ABAB, second=[-1] * 20), {"second": "second"}),
        (study(ABAB), {"scale": "feet"}),
        (study(ABAB), {"agreement": "kappa"}),
        (study(ABAB), {"improvement": "up"}),
        (study(ABAB), {"design": "multiple_baseline"}),
        (study([("A", 5), ("B", 5)]), {"design": "ABAB"}),
        (study([("A", 5)]), {}),
        (study(ABAB).drop(columns="phase"), {}),
    ],
)
def test_what_cannot_be_checked_is_refused(frame, more, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        standards(frame, **more)
    assert all(in_both_languages(error.value))
