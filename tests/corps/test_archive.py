"""One teacher, one file: every part by hand, nothing later than the day, and what is missing."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from study.small import frames, sound, write

import htresearch as ht
from htresearch.corps import parts
from htresearch.errors import ArgumentError, MissingTableError


@pytest.fixture(scope="module")
def tables():
    rows = frames(
        {
            "studios": [("W1", "T2", date(2023, 9, 1))],
            "studio_members": [("W1", "T1", date(2024, 9, 10), date(2025, 3, 1))],
            "incentives": [
                ("T1", "honour", "school", date(2024, 7, 10), None),
                ("T1", "performance_pay", "school", date(2025, 1, 10), 2400.0),
                ("T1", "performance_pay", "school", date(2025, 6, 25), None),
            ],
        }
    )
    tiers = sound()["tiers"]
    tiers.loc[1] = ["T2", "backbone", "zone", date(2024, 8, 15), None, 80.0, "not_accredited"]
    rows["tiers"] = tiers
    activities = [
        ("C1", date(2024, 9, 20), "theme_meeting", 40),
        ("C1", date(2024, 9, 20), "theme_meeting", 38),
        ("C1", date(2025, 2, 3), "home_visit", None),
        ("C2", date(2025, 1, 31), "theme_meeting", 30),
        ("C2", date(2025, 2, 1), "theme_meeting", 31),
        ("C2", date(2025, 3, 1), "theme_meeting", 32),
    ]
    columns = ["class_id", "held_on", "kind", "participants"]
    return sound() | rows | {"activities": pd.DataFrame(activities, columns=columns)}


@pytest.fixture(scope="module")
def study(tables, tmp_path_factory):
    return ht.open_study(write(tables, tmp_path_factory.mktemp("study")))


@pytest.fixture(scope="module")
def file(study):
    return ht.corps.archive(study, "T1")


def test_every_part_holds_the_teachers_rows(file):
    assert file.until == date(2025, 7, 5) and file.school_ids == ("S1",)
    assert file["spells"][["class_id", "school_id", "role"]].values.tolist() == [["C1", "S1", "head"]]
    assert file["tiers"]["decision"].tolist() == ["accredited"]
    assert file["training"][["event_id", "hours_attended", "term_id"]].astype(object).values.tolist() == [
        ["E1", 3.0, None],
        ["E2", 1.5, "2024-1"],
    ]
    assert file["incentives"]["kind"].tolist() == ["honour", "performance_pay", "performance_pay"]
    assert file["appraisals"]["kind"].tolist() == ["ethics", "annual"]  # in the order in which they were decided
    assert file["studios"][["studio_id", "part"]].values.tolist() == [["W1", "member"]]
    assert file["person"]["title"].tolist() == ["first"]


def test_a_visit_in_the_holidays_belongs_to_the_term_before(file):
    rows = file["activities"].set_index(["term_id", "kind"])
    assert rows.loc[("2024-1", "theme_meeting"), ["n", "participants"]].tolist() == [2, 78]
    visit = rows.loc[("2024-1", "home_visit")]
    assert visit["n"] == 1 and pd.isna(visit["participants"])


def test_activities_go_with_who_led_the_class_on_the_day(study):
    files = ht.corps.archives(study, ["T2", "T3"])
    assert {t: f["activities"]["participants"].tolist() for t, f in files.items()} == {"T2": [30], "T3": [31, 32]}


def test_hours_are_added_up_by_every_kind_and_term(file):
    hours = file.training_hours.set_index(["by", "value"])["hours"]
    assert hours[("level", "district")] == 3.0 and hours[("mode", "theory")] == 1.5
    assert hours[("term_id", "2024-1")] == 1.5
    assert hours["theme"].sum() == hours["format"].sum() == 4.5


def test_outcomes_are_the_classs_mean_with_a_t_interval_beside_the_others(file):
    z = stats.zscore([67.0, 77.0, 81.0, 88.0], ddof=1)[:2]
    half = stats.t.ppf(0.975, 1) * z.std(ddof=1) / np.sqrt(2)
    row = file["outcomes"].set_index(["measure", "term_id"]).loc[("maths", "2024-1")]
    assert row["estimate"] == pytest.approx(z.mean())
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([z.mean() - half, z.mean() + half])
    assert row["n_students"] == 2 and row["n_others"] == 1 and pd.isna(row["others_median"])


def test_the_middle_half_is_that_of_the_other_classes(study):
    demo = ht.open_study("data/demo")
    classes = demo.class_results("maths")
    mine = classes[(classes["grade"] == 5) & classes["score"].notna()].iloc[0]
    same = classes[(classes["term_id"] == mine["term_id"]) & (classes["grade"] == 5)]
    others = same.loc[same["class_id"] != mine["class_id"], "score"].dropna()
    led = parts.leading(demo.frame("appointments"))
    eve = demo.frame("terms").set_index("term_id").loc[mine["term_id"], "starts_on"] - pd.Timedelta(days=1)
    teacher = parts.at(led[led["class_id"] == mine["class_id"]], eve).sort_values("starts_on")["teacher_id"].iloc[0]
    rows = ht.corps.archive(demo, teacher)["outcomes"].set_index(["measure", "term_id", "class_id"])
    row = rows.loc[("maths", mine["term_id"], mine["class_id"])]
    assert row[["others_low", "others_median", "others_high"]].tolist() == pytest.approx(
        np.quantile(others, [0.25, 0.5, 0.75])
    )
    assert row["n_others"] == len(others) and row["estimate"] == pytest.approx(mine["score"])
    assert "conduct" not in set(rows.reset_index()["measure"])


def test_nothing_later_than_the_day_is_in_the_file(study):
    before = ht.corps.archive(study, "T1", until="2024-12-31")
    assert len(before["appraisals"]) == 0 and before["incentives"]["kind"].tolist() == ["honour"]
    assert pd.isna(before["studios"]["left_on"].iloc[0])  # nobody knew that day
    assert len(before["outcomes"]) == 0  # the term had not ended
    assert ht.corps.archive(study, "T2", until="2025-01-30")["spells"]["reason_ended"].isna().all()
    assert ht.corps.archive(study, "T2", until="2025-01-31")["spells"]["reason_ended"].tolist() == ["leave"]


def test_what_is_missing_is_named(file):
    rows = file.completeness.set_index("part")
    assert rows.loc["incentives", ["expected", "found", "missing", "state"]].tolist() == [
        2,
        1,
        "performance_pay 2025-06-25",
        "partial",
    ]
    assert rows.loc["activities", ["missing", "state"]].tolist() == ["2024-2", "partial"]
    assert rows.loc["tiers", "state"] == "complete" and rows.loc["studios", "state"] == "nothing_due"
    assert rows.loc["outcomes", ["expected", "state"]].tolist() == [2, "complete"]


def test_one_line_says_what_the_file_amounts_to(file):
    line = file.glance().iloc[0]
    assert line["tier"] == "backbone" and line["n_classes"] == 1 and line["training_hours"] == 4.5
    assert line["head_teacher_years"] == pytest.approx((date(2025, 7, 5) - date(2022, 8, 20)).days / 365.25, abs=0.01)
    assert line["n_commendations"] == 1 and line["last_appraisal_result"] == "excellent"


def test_the_tier_is_the_one_that_the_panels_have():
    demo = ht.open_study("data/demo")
    panel = demo.teacher_terms()
    last = panel[panel["term_index"] == panel["term_index"].max()].set_index("teacher_id")["tier"].astype(str)
    eve = demo.frame("terms")["starts_on"].max() - pd.Timedelta(days=1)
    tiers = demo.frame("tiers")
    held = {t: parts.tier_at(rows, eve) for t, rows in tiers.groupby("teacher_id", observed=True)}
    assert held == last[list(held)].to_dict()


@pytest.mark.parametrize("table", ["tiers", "studios", "attendance", "incentives", "appraisals", "outcomes"])
def test_a_study_without_a_table_has_a_file_without_the_part(tables, tmp_path, table):
    also = {"studios": ["studio_members"], "outcomes": []}.get(table, [])
    fewer = {name: rows for name, rows in tables.items() if name not in (table, *also)}
    part = {"studios": "studios", "attendance": "training"}.get(table, table)
    found = ht.corps.archive(ht.open_study(write(fewer, tmp_path)), "T1")
    assert found.parts[part] is None and len(found[part]) == 0
    assert found.completeness.set_index("part").loc[part, "state"] == "not_kept"
    assert len(found.glance()) == 1 and found.plot() is not None


def test_a_small_school_has_files_too(tables, tmp_path):
    few = {name: tables[name] for name in ("schools", "terms", "classes", "teachers", "appointments")}
    found = ht.corps.archives(ht.open_study(write(few, tmp_path)), school_id="S2")
    assert list(found) == ["T3"]
    states = found["T3"].completeness.set_index("part")["state"]
    assert states[["person", "spells"]].tolist() == ["complete", "complete"]
    assert set(states.drop(["person", "spells"])) == {"not_kept"}


def test_a_schools_files_are_those_of_who_leads_there_on_the_day(study):
    assert list(ht.corps.archives(study, school_id="S2")) == ["T3"]
    assert list(ht.corps.archives(study, school_id="S2", until="2025-01-31")) == ["T2"]


def test_what_is_asked_for_must_be_there(study, in_both_languages):
    with pytest.raises(ArgumentError) as refused:
        ht.corps.archives(study, ["T1", "T8", "T9"], until="2025-13-01")
    for said in in_both_languages(refused.value):
        assert "2025-13-01" in said
    with pytest.raises(ArgumentError) as refused:
        ht.corps.archives(study, ["T1", "T8", "T9"])
    for said in in_both_languages(refused.value):
        assert "T8" in said and "T9" in said and "T1" not in said.replace("T18", "")
    for wrong in ({"school_id": "S9"}, {"teacher_ids": ["T1"], "school_id": "S1"}):
        with pytest.raises(ArgumentError):
            ht.corps.archives(study, **wrong)
    with pytest.raises(ArgumentError):
        ht.corps.archive(study, "T1")["salary"]


def test_without_teachers_there_are_no_files(tables, tmp_path):
    few = {name: tables[name] for name in ("schools", "terms")}
    with pytest.raises(MissingTableError):
        ht.corps.archive(ht.open_study(write(few, tmp_path)), "T1")


def test_the_time_line_draws_everything_dated(file):
    rows = file.tidy()
    assert rows["part"].value_counts().to_dict() == {
        "incentives": 3,
        "training": 2,
        "appraisals": 2,
        "spells": 1,
        "tiers": 1,
        "studios": 1,
    }
    assert rows["since"].is_monotonic_increasing
    ax = file.plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["带班", "梯队", "工作室", "培训", "表彰", "考核"]
    assert sum(len(one.get_offsets()) for one in ax.collections) == 2


def test_a_candidate_who_never_passed_has_a_time_line_without_a_tier(study):
    found = ht.corps.archive(study, "T2")
    assert found["tiers"]["decision"].tolist() == ["not_accredited"]
    assert found.glance()["tier"].tolist() == ["ordinary"]
    assert [bar.get_height() for bar in found.plot().patches] == [0.5, 0.5]  # a class and the studio
