"""What is hidden of indicators, against an attacker who knows the rules and tries every number."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from htresearch.corps.estimates import wilson
from htresearch.corps.withholding import WIDTH, hide, telling, unsafe

FEWEST = 10


def rows(*cells, indicator="trained_last_year", group="stage", **more):
    """The whole and its parts, each (numerator, denominator); the whole is their sum unless it is given first."""
    x, m = np.array(cells, float).T
    frame = pd.DataFrame({"numerator": [x.sum(), *x], "denominator": [m.sum(), *m]})
    share = frame["numerator"] / frame["denominator"]
    low, high = wilson(np.minimum(frame["numerator"], frame["denominator"]), frame["denominator"])
    frame = frame.assign(
        estimate=share,
        std_error=np.sqrt(np.clip(share * (1 - share), 0, None) / frame["denominator"]),
        conf_low=low,
        conf_high=high,
        n_teachers=frame["denominator"],
        n_students=np.nan,
        n_classes=np.nan,
        n_schools=9,
        unit="district",
        term_id="2024-1",
        indicator_id=indicator,
        group=["", *[group] * len(cells)],
        value=["", *[f"part{i}" for i in range(len(cells))]],
        target=np.nan,
        why=None,
    )
    return frame.assign(**more)


def hidden(*cells, parts=(), **more):
    return hide(rows(*cells, **more), None, "unit", FEWEST, parts=parts)["hidden"].tolist()


@pytest.mark.parametrize(
    ("x", "m", "rule"),
    [
        (10, 20, ""),
        (9, 40, "rare"),
        (31, 40, "common"),
        (30, 40, ""),
        (0, 40, "rare"),
        (40, 40, "common"),
        (5, 9, "threshold"),
    ],
)
def test_a_share_needs_ten_on_either_side(x, m, rule):
    assert unsafe(rows((x, m)), None).tolist() == [rule, rule]


def test_nobody_and_everybody_may_be_said_inside():
    assert unsafe(rows((0, 40), (40, 40)), None, fewest=5, schools=1, zero=True).tolist() == ["", "", ""]


def test_a_row_of_few_schools_is_hidden_unless_the_school_is_the_unit():
    few = rows((20, 40), n_schools=2)
    assert unsafe(few, None).tolist() == ["schools"] * 2
    assert unsafe(few, "school_id").tolist() == ["", ""]


def test_pupils_of_one_school_may_be_those_of_one_teacher():
    assert unsafe(rows((60, 120), indicator="weakest_progress"), "school_id").tolist() == ["teachers"] * 2


def mean_of(amounts):
    amounts = np.asarray(amounts, float)
    n = len(amounts)
    error = amounts.std(ddof=1) / np.sqrt(n)
    return rows((amounts.sum(), n), indicator="training_hours", estimate=amounts.mean(), std_error=error)


def test_a_mean_to_which_few_contribute_is_hidden():
    assert unsafe(mean_of([12.0, 9.0, *[0.0] * 48]), None).tolist() == ["contributors"] * 2
    assert unsafe(mean_of([*[3.0, 5.0] * 20]), None).tolist() == ["", ""]


def test_the_least_number_of_contributors_is_never_above_their_number():
    rng = np.random.default_rng(1)
    for _ in range(200):
        amounts = rng.exponential(3, 60) * (rng.random(60) < rng.uniform(0.05, 0.5))
        if (amounts > 0).sum() < FEWEST and amounts.any():
            assert unsafe(mean_of(amounts), None).tolist() == ["contributors"] * 2


def test_equal_amounts_tell_everybodys():
    assert unsafe(mean_of([3.0] * 40), None).tolist() == ["contributors"] * 2


def test_one_hidden_part_takes_another_with_it():
    assert hidden((4, 60), (36, 200), (31, 260)) == ["", "rare", "", "incomplete"]


def test_where_the_parts_matter_the_whole_is_hidden_instead():
    assert hidden((4, 60), (36, 200), (31, 260), parts=["trained_last_year"]) == ["incomplete", "rare", "", ""]


def test_parts_that_overlap_need_no_other():
    cells = ((6, 60), (40, 60), (30, 60))
    whole = rows(*cells, indicator="training_reached", group="level")
    whole.loc[0, ["numerator", "denominator"]] = 45, 60
    whole.loc[1:, "denominator"] = 60
    assert hide(whole, None, "unit", FEWEST)["hidden"].tolist() == ["", "rare", "", ""]


def test_results_of_appraisal_add_up_to_all_appraisals():
    made = rows((60, 520), (434, 520), (25, 520), (1, 520), indicator="appraisal_excellent", group="result")
    made.loc[0, ["numerator", "denominator"]] = 60, 520
    made.loc[0, "value"] = ""
    found = hide(made, None, "unit", FEWEST)["hidden"].tolist()
    assert found[0] == found[1] == ""  # the part that is the whole stands there anyway
    assert found[4] == "rare" and "incomplete" in found[2:4]


def test_numbers_go_and_bounds_and_reasons_stay(in_both_languages):
    made = hide(rows((4, 50), (30, 80)), None, "unit", FEWEST)
    part = made.iloc[1]
    assert part[["estimate", "conf_low", "numerator", "denominator", "n_teachers"]].isna().all()
    assert part["under"] == 0.2 and np.isnan(part["over"])
    zh, en = in_both_languages(part["why"])
    assert "不足 10 人" in zh and "fewer than 10" in en


def test_bounds_are_round_so_that_nobody_learns_of_how_many():
    """Below 10 of 25 would say 25, and where all are known to be 26, that one has another result."""
    told = [
        hide(rows((x, m), (30, 80)), None, "unit", FEWEST).iloc[1] for x, m in ((4, 25), (0, 40), (19, 20), (31, 40))
    ]
    assert [part["under"] for part in told[:2]] == [0.5, 0.5]
    assert [part["over"] for part in told[2:]] == [0.5, 0.5]
    small = hide(rows((4, 19), (30, 80)), None, "unit", FEWEST).iloc[1]  # of fewer than 20 it would say nothing
    assert small["hidden"] == "rare" and np.isnan([small["under"], small["over"]]).all()


def test_with_one_person_nothing_is_hidden():
    assert hide(rows((4, 50), (0, 80)), None, "unit", 1)["hidden"].eq("").all()


def attack(x, m, rules):
    """The least and the most of each hidden part, for one who knows the total, the sizes and what each rule means."""
    at = np.flatnonzero(rules != "")
    bounds = []
    for i in at:
        low, high = {
            "rare": (0, min(FEWEST - 1, m[i])),
            "common": (m[i] - FEWEST + 1, m[i]),
            "threshold": (0, m[i]),
            "incomplete": (FEWEST, m[i] - FEWEST),
        }[rules[i]]
        bounds.append((max(low, 0), high))
    equal = {"A_eq": np.ones((1, len(at))), "b_eq": [x[at].sum()]}
    for k, i in enumerate(at):
        goal = np.eye(len(at))[k]
        least, most = (sign * linprog(sign * goal, bounds=bounds, **equal).fun for sign in (1, -1))
        yield i, (least, most), bounds[k]


def test_no_attacker_comes_closer_than_the_rules_tell():
    rng = np.random.default_rng(7)
    tried = 0
    for _ in range(80):
        k = rng.integers(2, 6)
        m = rng.integers(5, 90, k)
        x = rng.binomial(m, rng.choice([0.03, 0.2, 0.6, 0.97]))
        made = hide(rows(*zip(x, m, strict=True)), None, "unit", FEWEST)
        rules = made["hidden"].to_numpy()
        assert telling(made, None) == []
        if rules[0] or not (rules[1:] != "").any():
            continue
        for i, (least, most), (low, high) in attack(x, m, rules[1:]):
            if rules[1 + i] != "incomplete":
                tried += 1
                assert most - least >= WIDTH - 1e-6 or (least <= low + 1e-6 and most >= high - 1e-6)
    assert tried > 20


def test_what_was_shown_after_all_is_seen():
    made = hide(rows((4, 60), (36, 200), (31, 260)), None, "unit", FEWEST)
    whole = rows((4, 60), (36, 200), (31, 260))
    made.loc[3, whole.columns] = whole.loc[3]
    made.loc[3, "hidden"] = ""
    assert telling(made, None) == [1]
