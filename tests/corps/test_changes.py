"""Two versions of a study: what was added, corrected, withdrawn."""

import pandas as pd
import pytest
from study.small import sound, write

import htresearch as ht
from htresearch.errors import ArgumentError


@pytest.fixture
def both(tmp_path):
    old, new = sound(), sound()
    held = [("C1", pd.Timestamp("2024-09-20"), "theme_meeting", 40)]
    columns = ["class_id", "held_on", "kind", "participants"]
    old["activities"] = pd.DataFrame(held * 2 + [("C2", pd.Timestamp("2024-10-01"), "talk", 1)], columns=columns)
    new["activities"] = pd.DataFrame(held * 3, columns=columns)
    new["tiers"]["basis_score"] = [87.5]
    new["tiers"]["ends_on"] = [None]
    new["attendance"] = new["attendance"].iloc[:2].assign(rating=[4.0, 5.0])
    new["outcomes"] = pd.concat([new["outcomes"].iloc[1:]])
    new["incentives"] = pd.DataFrame(
        [("T2", "honour", "school", pd.Timestamp("2024-07-10"), None)],
        columns=["teacher_id", "kind", "level", "granted_on", "amount_yuan"],
    )
    return tuple(ht.open_study(write(t, tmp_path / n)) for n, t in (("old", old), ("new", new)))


def test_every_change_is_listed_with_its_key_and_values(both):
    rows = ht.corps.changes(*both).tidy()
    corrected = rows[rows["change"] == "corrected"].set_index(["table", "column"])[["old", "new"]]
    assert corrected.loc[("tiers", "basis_score")].tolist() == ["86", "87.5"]
    assert corrected.loc[("tiers", "ends_on"), "old"] == "2026-08-14"
    assert pd.isna(corrected.loc[("tiers", "ends_on"), "new"])
    assert corrected.loc[("attendance", "rating"), "new"] == "5" and len(corrected) == 3
    others = rows[rows["change"] != "corrected"]
    assert sorted(zip(others["table"], others["change"], others["key"], strict=True)) == [
        ("activities", "added", "C1 · 2024-09-20 · theme_meeting · 40"),
        ("activities", "withdrawn", "C2 · 2024-10-01 · talk · 1"),
        ("attendance", "withdrawn", "E2 · T2"),
        ("incentives", "added", "T2 · honour · school · 2024-07-10"),
        ("outcomes", "withdrawn", "A1 · P1"),
    ]


def test_they_are_counted_by_row_and_found_by_teacher(both):
    found = ht.corps.changes(*both)
    counts = found.glance().set_index("table")
    assert counts.loc["tiers"].tolist() == [0, 1, 0]  # two values of one row
    assert counts.loc["attendance"].tolist() == [0, 1, 1]
    assert counts.loc["schools"].tolist() == [0, 0, 0]
    assert set(found.of("T2")["table"]) == {"attendance", "incentives"}
    assert "incentives" in str(found.note[0]) and len(found.note) == 1


def test_backwards_everything_turns_round(both):
    forth, back = ht.corps.changes(*both).glance(), ht.corps.changes(*reversed(both)).glance()
    assert forth["added"].tolist() == back["withdrawn"].tolist()
    assert forth["corrected"].tolist() == back["corrected"].tolist()


def test_a_table_that_no_study_has_is_refused(both):
    with pytest.raises(ArgumentError, match="salaries"):
        ht.corps.changes(*both, tables=["salaries"])
