"""The rules of tables, each by itself, and as a loop over persons would apply them."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import htresearch as ht
from htresearch import language
from htresearch.disclosure import check, load_rules, register, tabulate
from htresearch.errors import ArgumentError

from .districts import pupils


def people(n, teachers=10, schools=10, **columns):
    number = np.arange(n)
    frame = pd.DataFrame({"student_id": number, "teacher_id": number % teachers, "school_id": number % schools})
    return frame.assign(all="x", **columns)


def rules_of(verdicts):
    return {rule for rules in verdicts.frame["rules"] for rule in rules}


def of(frame, rules="public", **what):
    made = {"rows": "grade", "margins": False}
    return rules_of(check(tabulate(frame.assign(grade=1), **(made | what)), rules))


@pytest.mark.parametrize(
    ("n", "rules", "passes"),
    [(9, "public", False), (10, "public", True), (19, "public-minors", False), (20, "public-minors", True)],
)
def test_threshold(n, rules, passes):
    assert ("threshold" not in of(people(n), rules)) is passes


@pytest.mark.parametrize(("teachers", "passes"), [(1, False), (2, False), (3, True)])
def test_teachers(teachers, passes):
    assert ("teachers" not in of(people(60, teachers=teachers))) is passes


@pytest.mark.parametrize(("schools", "passes"), [(1, False), (2, False), (3, True)])
def test_schools(schools, passes):
    assert ("schools" not in of(people(60, schools=schools))) is passes


def test_schools_that_are_named_are_not_counted():
    assert "schools" not in rules_of(check(tabulate(pupils(), "school_id")))


@pytest.mark.parametrize(("largest", "passes"), [(8.8, True), (9.0, False)])
def test_dominance_at_its_bound(largest, passes):
    """The two largest have 9.8 of 10.9, or 10 of 11.1: 90 % lies between."""
    values = np.full(22, 1.1 / 20)
    values[[0, 1]] = largest, 1.0
    assert (
        "dominance" not in of(people(22, teachers=22, schools=22, v=values), value="v", statistic="sum")
    ) is passes


@pytest.mark.parametrize(("rest", "passes"), [(0.099, False), (0.101, True)])
def test_p_ratio_at_its_bound(rest, passes):
    values = np.full(22, rest / 20)
    values[[0, 1]] = 1.0, 0.006
    assert ("p_ratio" not in of(people(22, teachers=22, schools=22, v=values), value="v", statistic="sum")) is passes


@pytest.mark.parametrize(("n", "passes"), [(19, False), (20, True)])
def test_a_median_needs_persons_on_both_sides(n, passes):
    assert ("sides" not in of(people(n, v=np.arange(n)), value="v", statistic="median")) is passes


@pytest.mark.parametrize(("having", "passes"), [(9, False), (10, True), (50, True), (51, False), (60, False)])
def test_a_percentage_needs_persons_of_both_kinds(having, passes):
    flag = np.arange(60) < having
    assert (not of(people(60, v=flag), value="v", statistic="percentage")) is passes


def test_quartiles_only_for_minors():
    frame = people(400, v=np.arange(400))
    assert "quantile" in of(frame, "public-minors", value="v", statistic="quantile", q=0.3)
    assert not of(frame, "public-minors", value="v", statistic="quantile", q=0.25)


def test_what_stays_inside_has_other_rules():
    frame = people(6, teachers=1, schools=1, v=[1, 2, 3, 4, 5, 900])
    assert not of(frame, "internal", value="v", statistic="mean")
    assert "extreme" in of(frame, "internal", value="v", statistic="max")
    assert not of(frame.assign(v=7), "internal", value="v", statistic="max")
    assert "extreme" in of(frame.assign(v=7), "internal", value="v", statistic="first")


def test_zero_cells_of_what_anyone_can_see_pass():
    frame = pupils()[(pupils()["grade"] != 6) | (pupils()["school_type"] != "senior")]
    assert check(tabulate(frame, "school_type", "grade")).passed
    hidden = frame.rename(columns={"grade": "illness"})
    assert {"zero"} <= rules_of(check(tabulate(hidden, "school_type", "illness")))


def test_a_hidden_cell_beside_its_margin_is_seen():
    table = tabulate(pupils(), "school_type", "sex")
    assert check(table).passed
    for gone in range(len(table.cells) - 1):  # the grand total may go
        kept = table.cells.drop(index=gone)
        inner = table.cells.loc[gone, ["school_type", "sex"]].ne("(all)").all()
        assert inner <= (not check(replace(table, cells=kept)).passed)


def test_a_verdict_repeats_no_secret():
    frame = pupils().assign(leader=np.where(pupils().index < 3, "打13800138000", "其他"), hurt=pupils().index < 7)
    table = tabulate(frame, ["leader", "hurt"])
    said = check(table).to_json() + check(table).to_html() + str(check(table)._repr_mimebundle_())
    assert "13800138000" not in said
    assert not re.search(r"[^\w.]3 ?人|[^\w.]7 ?人", said)


def test_the_record_has_acros_shape():
    verdicts = check(tabulate(pupils().groupby("sex").head(9), "sex"))
    content = json.loads(verdicts.to_json("by-sex", command="tabulate(…)"))
    record = content["results"]["by-sex"]
    assert set(record) >= {
        "uid",
        "status",
        "type",
        "properties",
        "files",
        "outcome",
        "command",
        "summary",
        "comments",
    }
    assert record["status"] == "fail"
    assert record["summary"].startswith("fail; ")
    assert record["files"][0]["sdc"]["summary"]["threshold"] == 2
    assert record["files"][0]["sdc"]["cells"]["threshold"] == [0, 1]
    assert record["properties"]["rules"]["threshold"] == 10


@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_the_record_is_a_page_in_either_language(spoken):
    with language.speaking(spoken):
        page = check(tabulate(pupils().groupby("sex").head(9), "sex"), "internal").to_html("by <sex>")
    assert "by &lt;sex&gt;" in page
    assert ("内部使用" if spoken == "zh" else "internal use") in page
    assert "http" not in page.split("</style>")[0]
    assert "<script" not in page


def test_verdicts_are_drawn():
    assert check(tabulate(pupils().groupby("sex").head(9), "sex")).plot().patches


def test_every_rule_has_a_label():
    from htresearch.disclosure.reasons import ORDER

    assert all(f"rule.{rule}" in language.words() for rule in (*ORDER, "unknown"))


@pytest.mark.parametrize("thing", [None, 3, "a table", [1, 2], {"a": 1}, object(), len, lambda: 3, np.arange(3)])
def test_what_is_not_known_is_refused(thing):
    verdicts = check(thing)
    assert not verdicts.passed
    assert rules_of(verdicts) == {"unknown"}


def test_a_keyword_the_checker_does_not_take_is_an_error():
    with pytest.raises(ArgumentError):
        check(tabulate(pupils(), "sex"), statistc="mean")


def test_a_subclass_is_checked_as_its_parent_and_a_registered_type_by_its_own():
    class Mine:
        pass

    class Yours(Mine):
        pass

    @register(Mine)
    def refuse_nothing(thing, rules):
        return ht.disclosure.decide(["all"], [], rules)

    assert check(Yours()).passed
    assert not check(object()).passed


rows = st.lists(
    st.tuples(st.integers(0, 29), st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 4), st.integers(1, 30)),
    min_size=1,
    max_size=90,
)


@given(rows, st.sampled_from(["sum", "mean"]))
@settings(max_examples=20, deadline=None)
def test_what_passes_keeps_every_rule_as_a_loop_applies_it(rows, statistic):
    frame = pd.DataFrame(rows, columns=["student_id", "teacher_id", "key", "value", "times"])
    frame = frame.loc[frame.index.repeat(frame["times"] // 10 + 1)].assign(school_id=lambda f: f["teacher_id"])
    rules = replace(load_rules("public"), threshold=4)
    verdicts = check(tabulate(frame, "key", value="value", statistic=statistic), rules)
    for key, verdict in zip([*sorted(set(frame["key"])), None], verdicts.frame["verdict"], strict=True):
        cell = frame if key is None else frame[frame["key"] == key]
        by = cell.groupby("student_id")["value"].sum().sort_values()
        bad = (
            len(by) < 4
            or cell["teacher_id"].nunique() < 3
            or (by > 0).sum() < 4
            or by.iloc[-2:].sum() >= 0.9 * by.sum()
            or by.iloc[:-2].sum() < 0.1 * by.iloc[-1]
        )
        assert verdict == "fail" or not bad


@given(st.permutations(range(60)), st.integers(2, 4))
@settings(max_examples=6, deadline=None)
def test_order_and_repetition_change_nothing(order, times):
    frame = people(60, v=np.arange(60), sex=np.where(np.arange(60) < 8, "f", "m"))
    one = check(tabulate(frame, "sex")).frame
    two = check(tabulate(pd.concat([frame.iloc[order]] * times), "sex")).frame
    assert one["rules"].tolist() == two["rules"].tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda t: {"cells": t.cells.assign(estimate=t.cells["estimate"] + 0.1)},
        lambda t: {"cells": t.cells.assign(largest_person=0.0, deviation=0.0)},
        lambda t: {"cells": t.cells.iloc[:-1]},
        lambda t: {"members": t.members.assign(person=range(len(t.members)))},
        lambda t: {"statistic": "median", "q": 0.5},
        lambda t: {"value": "wellbeing"},
        lambda t: {"seal": ""},
    ],
)
def test_a_table_that_was_edited_is_refused(change):
    table = tabulate(pupils(), "sex", value="score", statistic="mean")
    assert check(table).passed
    found = check(replace(table, **change(table)))
    assert not found.passed
    assert "altered" in {rule for rules in found.failures["rules"] for rule in rules}


def test_numbers_that_are_edited_in_place_are_seen():
    table = tabulate(pupils(), "sex", value="score", statistic="mean")
    table.cells.loc[0, "estimate"] = 71.0
    assert not check(table).passed
