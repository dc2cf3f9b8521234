"""A plan that changes after the first record does not go unnoticed."""

import json
from dataclasses import replace
from datetime import date

import pytest

from htresearch.errors import IntakeError
from htresearch.intake.class_study import Change, PlanHistory, read_class_study
from intake.class_study.filling import filled, plan

FIRST, THEN, LAST = date(2025, 10, 1), date(2025, 10, 8), date(2025, 10, 15)


@pytest.fixture
def form(tmp_path):
    return filled(tmp_path / "a.xlsx")


@pytest.fixture
def ledger(tmp_path):
    return tmp_path / "plans.json"


def remember(ledger, form, on):
    return PlanHistory(ledger).remember(read_class_study(form), on)


def test_a_plan_that_stays_is_no_change(ledger, form):
    assert remember(ledger, form, FIRST).changes == ()
    before = ledger.read_bytes()
    assert remember(ledger, form, THEN).changes == ()
    assert ledger.read_bytes() == before


def test_a_plan_that_differs_is_a_change_with_day_entries_and_fingerprints(ledger, form):
    first = remember(ledger, form, FIRST)
    second = remember(ledger, plan(form, 目标值=1, 怎样算成功="每天不到 1 次"), THEN)
    (change,) = second.changes
    assert change.noticed_on == THEN
    assert (change.what.zh, change.what.en) == (
        "改了：怎样算成功、目标值",
        "Changed: What counts as success, Target value",
    )
    assert (change.before, change.after) == (first.plan.fingerprint, second.plan.fingerprint)
    third = remember(ledger, plan(form, 目标值=None), LAST)
    assert [c.noticed_on for c in third.changes] == [THEN, LAST]
    assert third.changes[0] == change


def test_the_heading_of_the_report_is_no_part_of_the_plan(ledger, form):
    study = remember(ledger, form, FIRST)
    renamed = replace(study, plan=replace(study.plan, school="第二小学"))
    assert PlanHistory(ledger).remember(renamed, THEN).changes == ()


def test_what_the_teacher_wrote_down_stands_among_them(ledger, form):
    study = remember(ledger, form, FIRST)
    own = Change(date(2025, 9, 20), "问好改为每天一人")
    changed = replace(study, changes=(own,), plan=replace(study.plan, after="别的"))
    found = PlanHistory(ledger).remember(changed, THEN).changes
    assert found[0] == own
    assert found[1].what.zh == "改了：改变后怎么做"


def test_looking_changes_nothing(ledger, form):
    remember(ledger, form, FIRST)
    before = ledger.read_bytes()
    study = read_class_study(plan(form, 目标值=1))
    assert len(PlanHistory(ledger).changes(study, THEN)) == 1
    assert ledger.read_bytes() == before


def test_classes_that_filled_in_copies_of_one_form_do_not_meet(ledger, form):
    remember(ledger, form, FIRST)
    assert remember(ledger, plan(form, 班级="五(3)班", 目标值=1), THEN).changes == ()
    assert len(PlanHistory(ledger)) == 2


def test_a_study_without_an_id_is_said(ledger, form):
    study = PlanHistory(ledger).remember(replace(read_class_study(form), study_id=""), FIRST)
    assert study.note[-1].zh == "没有研究编号，计划无法与以前的比较"
    assert not ledger.exists()


def test_the_file_holds_no_words_of_the_plan(ledger, form):
    remember(ledger, form, FIRST)
    said = ledger.read_text(encoding="utf-8")
    assert "示范小学" not in said and "迟到" not in said
    assert [state["seen_on"] for seen in json.loads(said)["studies"].values() for state in seen] == ["2025-10-01"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"format": 2, "studies": {}}', b'{"format": 1, "studies": []}',
     b'{"format": 1, "studies": {"a": [{"seen_on": "soon"}]}}', b'{"format": 1, "studies": {"a": 3}}',
     b'{"format": 1, "studies": {"a": [{"seen_on": "2025-01-01", "fingerprint": 1, "entries": {}}]}}'],
)  # fmt: skip
def test_a_damaged_file_is_refused_and_left_as_it_is(ledger, content):
    ledger.write_bytes(content)
    with pytest.raises(IntakeError, match="不是完好的计划记录"):
        PlanHistory(ledger)
    assert ledger.read_bytes() == content
