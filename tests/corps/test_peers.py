"""What a report on a unit does not show of it, of its parts and of the district, by rows made by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from htresearch.corps.peers import _Cube, _middle
from htresearch.corps.withholding import WIDTH

STAGE = ("accredited_share", "stage")
RESULT = ("appraisal_excellent", "result")
LEVEL = ("training_hours", "level")
RESULTS = ("excellent", "qualified", "basically_qualified", "unqualified")


def line(unit, indicator, group, value, x, m, error=np.nan, column="school_id"):
    return {
        column: unit,
        "term_id": "t",
        "indicator_id": indicator,
        "group": group,
        "value": value,
        "estimate": x / m if m else np.nan,
        "std_error": error,
        "conf_low": np.nan,
        "conf_high": np.nan,
        "numerator": float(x),
        "denominator": float(m),
        "n_teachers": np.nan if indicator.startswith("appraisal") else float(m),
        "n_students": np.nan,
        "n_classes": np.nan,
        "n_schools": 1,
        "target": np.nan,
        "why": None,
    }


def of_stages(**cells):
    """A share and its parts: of each stage how many have a tier, and how many there are."""
    whole = tuple(np.sum(list(cells.values()), axis=0))
    return [(*STAGE[:1], "", "", *whole), *((*STAGE, stage, *cell) for stage, cell in cells.items())]


def of_results(*counts):
    total = sum(counts)
    parts = [(*RESULT, result, count, total) for result, count in zip(RESULTS, counts, strict=True)]
    return [(RESULT[0], "", "", counts[0], total), *parts]


def of_hours(**levels):
    """Hours of each head teacher at each level."""

    def cell(amounts):
        return np.sum(amounts), len(amounts), np.std(amounts, ddof=1) / np.sqrt(len(amounts))

    whole = cell(np.sum(list(levels.values()), axis=0))
    return [(LEVEL[0], "", "", *whole), *((*LEVEL, level, *cell(one)) for level, one in levels.items())]


def seen(own, *others, heads=20):
    """The view of the first of several schools."""
    units = {f"S{i}": cells for i, cells in enumerate((own, *others))}
    rows = [line(unit, "several_classes", "", "", 0, heads) for unit in units]
    rows += [line(unit, *cell) for unit, cells in units.items() for cell in cells]
    frame = pd.DataFrame(rows)
    keys = ["term_id", "indicator_id", "group", "value"]
    whole = frame.groupby(keys, sort=False)[["numerator", "denominator", "n_teachers"]].sum(min_count=1).reset_index()
    whole = whole.assign(unit="district", estimate=whole["numerator"] / whole["denominator"], n_schools=9)
    whole = whole.reindex(columns=[*whole, "std_error", "n_students", "n_classes"])
    view = _Cube(frame, whole, "school_id", list(units), ["t"]).view("S0", "t", pd.Series("", index=list(units)), ())
    return view.frame[view.frame["indicator_id"] != "several_classes"].set_index(["group", "value"]).sort_index()


def shown(rows):
    return {value: not np.isnan(n) for (_, value), n in rows["estimate"].items()}


def test_a_part_of_few_takes_the_other_with_it_and_leaves_the_whole(in_both_languages):
    rows = seen(of_stages(primary=(5, 20), junior=(2, 4)))
    assert shown(rows) == {"": True, "primary": False, "junior": False}
    assert rows.loc[("stage", ["primary", "junior"]), ["numerator", "denominator", "conf_low"]].isna().all(axis=None)
    assert ["不足 10 人" in in_both_languages(why)[0] for why in rows.loc["stage", "why"]] == [True, False]
    assert "would give what is hidden" in in_both_languages(rows.loc[("stage", "primary"), "why"])[1]


def test_of_three_the_smallest_goes_with_it():
    assert shown(seen(of_stages(primary=(5, 30), junior=(2, 4), senior=(3, 12))))["primary"]


def test_where_nobody_has_it_no_other_part_is_hidden():
    assert shown(seen(of_stages(primary=(0, 20), junior=(0, 4)))) == {"": True, "primary": True, "junior": False}


def test_what_follows_from_the_whole_alone_hides_no_whole():
    """Of four at least two have it, if 22 of 24 have: that is said by the whole, and by no part."""
    assert shown(seen(of_stages(primary=(18, 20), junior=(4, 4)))) == {"": True, "primary": False, "junior": False}


def test_inside_a_marked_report_all_parts_are_shown():
    assert all(shown(seen(of_stages(primary=(2, 5), junior=(2, 4)), heads=9)).values())
    assert not all(shown(seen(of_stages(primary=(2, 5), junior=(2, 4)), heads=10)).values())


@pytest.mark.parametrize("few", [1, 2])
def test_one_or_two_poor_results_are_not_told_and_do_not_follow(few):
    """The same parts go, whether it is one or two: which go must not tell either."""
    for results in ((3, 15, few, 0), (3, 15, 0, few)):
        told = shown(seen(of_results(*results)))
        poor = "basically_qualified" if results[2] else "unqualified"
        other = "unqualified" if results[2] else "basically_qualified"
        assert told == {"": True, "excellent": True, "qualified": False, poor: False, other: True}


def test_where_the_rule_says_one_or_two_no_more_is_hidden_than_keeps_it_open():
    told = shown(seen(of_results(17, 1, 2, 0)))
    assert told == {
        "": True,
        "excellent": True,
        "qualified": False,
        "basically_qualified": False,
        "unqualified": True,
    }


def test_three_poor_results_and_none_are_told():
    assert all(shown(seen(of_results(1, 16, 3, 0))).values())


def test_hours_that_one_or_two_make_up_are_not_told():
    alone = of_hours(school=[2.0] * 20, zone=[3.0] * 10 + [0.0] * 10, district=[9.0] + [0.0] * 19)
    assert shown(seen(alone)) == {"": True, "school": False, "zone": True, "district": False}
    assert "一两个人" in str(seen(alone).loc[("level", "district"), "why"])
    # That nobody was there is told; so is what several made up.
    some = of_hours(school=[2.0] * 20, zone=[3.0] * 10 + [0.0] * 10, district=[0.0] * 20)
    assert all(shown(seen(some)).values())
    # Where one made up all of it, the whole says it too.
    assert shown(seen(of_hours(school=[9.0] + [0.0] * 19, zone=[0.0] * 20)))[""] is False


def test_the_district_is_told_where_more_than_five_have_a_number():
    both, one = of_stages(primary=(5, 20), junior=(6, 20)), of_stages(primary=(5, 20))
    assert np.isfinite(seen(both, *[both] * 5)["district"]).all()
    # Of five schools with a junior stage one's own is known: four are no crowd. What is left would give them away.
    few = seen(both, *[both] * 4, *[one] * 3)["district"]
    assert np.isnan(few["stage"]).all() and np.isfinite(few["", ""])
    assert np.isnan(seen(both, *[both] * 4)["district"]).all()


@pytest.mark.parametrize(("failed", "told"), [(0, True), (1, False), (2, False), (3, True)])
def test_one_or_two_of_the_whole_district_are_not_told(failed, told):
    """Whoever reads of one who failed, and has none, knows that it is at another school."""
    others = [[("failed_in_post", "", "", i < failed, 40)] for i in range(6)]
    assert np.isfinite(seen([("failed_in_post", "", "", 0, 40)], *others)["district"]).all() == told
    results = [of_results(4, 30, 0, int(i < failed)) for i in range(6)]
    district = seen(of_results(4, 30, 0, 0), *results)["district"]
    assert np.isfinite(district["result", "unqualified"]) == np.isfinite(district["result", "qualified"]) == told
    assert np.isfinite(district["result", "excellent"]) and np.isfinite(district["result", "basically_qualified"])


def reachable(x, m, hidden, bounds, total):
    """The least and the most of each hidden part for one who knows the whole and the shown parts."""
    at = np.flatnonzero(hidden)
    known = {"A_eq": np.ones((1, len(at))), "b_eq": [total - x[~hidden].sum()], "bounds": [bounds[i] for i in at]}
    return {i: [s * linprog(s * np.eye(len(at))[k], **known).fun for s in (1, -1)] for k, i in enumerate(at)}


def test_no_attacker_learns_more_of_a_hidden_part_than_the_rules_and_the_whole_tell():
    rng, tried = np.random.default_rng(11), 0
    for _ in range(70):
        if rng.random() < 0.5:
            m = rng.integers(1, 30, rng.integers(2, 5))
            x = rng.binomial(m, rng.choice([0.05, 0.3, 0.9]))
            cells = of_stages(**{f"part{i}": pair for i, pair in enumerate(zip(x, m, strict=True))})
        else:
            x = rng.multinomial(rng.integers(10, 60), [0.1, 0.82, 0.05, 0.03])
            m = np.full(4, x.sum())
            cells = of_results(*x)
        rows = seen(cells).droplevel(0).loc[[cell[2] for cell in cells]]
        hidden, why = rows["estimate"].isna().to_numpy()[1:], [str(w) for w in rows["why"]][1:]
        total = x.sum()
        if rows["estimate"].isna().iloc[0] or not hidden.any():
            continue
        alone = [(max(0, total - (np.minimum(m, total).sum() - min(n, total))), min(n, total)) for n in m]
        bounds = [(1, 2) if "不足 3 人" in said else whole for said, whole in zip(why, alone, strict=True)]
        for i, (least, most) in reachable(x, m, hidden, bounds, total).items():
            if "推算" not in why[i]:
                tried += 1
                assert most - least >= WIDTH - 1e-6 or (least <= bounds[i][0] + 1e-6 and most >= bounds[i][1] - 1e-6)
    assert tried > 20


def test_quartiles_leave_out_who_has_no_number():
    rng = np.random.default_rng(3)
    values = np.where(rng.random((12, 60)) < 0.4, np.nan, rng.normal(size=(12, 60)))
    middle, enough = _middle(values), np.isfinite(values).sum(axis=0) >= 5
    assert 5 < enough.sum() < 60
    for name, share in (("peers_low", 0.25), ("peers_median", 0.5), ("peers_high", 0.75)):
        assert np.allclose(middle[name][enough], np.nanquantile(values[:, enough], share, axis=0))
        assert np.isnan(middle[name][~enough]).all()
