"""A unit beside its peers: the middle of the others by hand, nothing of anybody else's, and what is withheld."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from study.small import frames, write

import htresearch as ht
from htresearch.corps import UnitView, unit_views
from htresearch.errors import ArgumentError

AUTUMN, SPRING = date(2024, 9, 1), date(2025, 2, 20)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Seven primary schools and one junior; school i has i classes, the last primary one twelve; some have a tier."""
    sizes = {**{f"SCH{i}": i for i in range(1, 7)}, "SCH7": 12, "SCH8": 2}
    lists = {
        "schools": [
            (s, f"Z{i % 2}", "junior" if s == "SCH8" else "primary", "public", "urban") for i, s in enumerate(sizes)
        ],
        "terms": [
            ("2024-1", "2024-2025", "1", AUTUMN, date(2025, 1, 20)),
            ("2024-2", "2024-2025", "2", SPRING, date(2025, 7, 5)),
        ],
        "classes": [],
        "teachers": [],
        "appointments": [],
        "tiers": [],
    }
    for school, size in sizes.items():
        stage = "junior" if school == "SCH8" else "primary"
        for number in range(size):
            teacher, own = f"TEA{school}x{number}", f"CLA{school}x{number}"
            lists["teachers"].append(
                (teacher, "female", 1985, date(2010, 8, 15), "permanent", "bachelor", "first", "语文")
            )
            lists["classes"].append((own, school, stage, 2023, 7 if stage == "junior" else 1, number + 1))
            lists["appointments"].append((teacher, own, "head", date(2023, 8, 20), None, None))
            if number == 0:
                lists["tiers"].append(
                    (teacher, "backbone", "zone", date(2024, 8, 15), date(2024, 12, 31), 86.0, "accredited")
                )
    tables = frames(lists)
    return ht.open_study(write(tables, tmp_path_factory.mktemp("study")))


@pytest.fixture(scope="module")
def views(study):
    return unit_views(study, term="2024-1")


def row(view, indicator_id, term="2024-1", group="", value=""):
    asked = {"indicator_id": indicator_id, "term_id": term, "group": group, "value": value}
    found = view.frame[(view.frame[list(asked)] == pd.Series(asked)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_middle_is_that_of_the_other_schools_of_the_type(views):
    own = row(views["SCH2"], "accredited_share")
    others = [1 / n for n in (1, 3, 4, 5, 6, 12)]
    assert views["SCH2"].n_peers == 6 == own["n_peers"]
    assert own["estimate"] == 0.5 and own["numerator"] == 1 and own["denominator"] == 2
    got = own[["peers_low", "peers_median", "peers_high"]].to_numpy(float)
    assert np.allclose(got, np.quantile(others, [0.25, 0.5, 0.75]))
    assert own["district"] == pytest.approx(8 / 35)


def test_parts_are_those_of_the_indicators_beside_their_peers(views, study):
    frame = ht.corps.indicators(study, term="2024-1", only=["accredited_share"]).frame
    for value in ("backbone", "chief"):
        rows = frame[(frame["group"] == "tier") & (frame["value"] == value)].set_index("school_id")
        own, others = (
            row(views["SCH7"], "accredited_share", group="tier", value=value),
            [f"SCH{i}" for i in range(1, 7)],
        )
        assert own["estimate"] == rows.loc["SCH7", "estimate"] and own["numerator"] == rows.loc["SCH7", "numerator"]
        got = own[["peers_low", "peers_median", "peers_high"]].to_numpy(float)
        assert np.allclose(got, np.quantile(rows.loc[others, "estimate"], [0.25, 0.5, 0.75]))
        assert own["district"] == pytest.approx(rows["numerator"].sum() / 35)
    # Of one junior school the district's number is that school's; with that of the primary schools it would follow.
    assert np.isnan(row(views["SCH8"], "accredited_share", group="stage", value="junior")["district"])
    assert np.isnan(row(views["SCH7"], "accredited_share", group="stage", value="primary")["district"])


def test_of_too_few_peers_nothing_is_said(views, study):
    alone = views["SCH8"]
    assert alone.n_peers == 0
    assert alone.frame[["peers_low", "peers_median", "peers_high"]].isna().all(axis=None)
    assert "不作比较" in alone._repr_mimebundle_()["text/plain"]
    zones = unit_views(study, "zone_id")
    assert set(zones) == {"Z0", "Z1"} and zones["Z0"].n_peers == 1
    # The district's number less one's own would be the other zone's.
    assert zones["Z0"].frame["district"].isna().all()


def test_the_mark_follows_the_number_of_head_teachers(views):
    assert {unit for unit, view in views.items() if not view.internal} == {"SCH7"}
    assert views["SCH1"].mark and "内部资料" in views["SCH1"]._repr_mimebundle_()["text/plain"]
    assert views["SCH7"].mark is None and views["SCH7"].n_heads == 12


def test_without_a_mark_what_rests_on_few_is_withheld(study):
    views = unit_views(study, term="2024-2")
    # One of the twelve held a tier that ran out: of one person, and of a person who fell.
    withheld = row(views["SCH7"], "demotions_per_100", "2024-1")
    assert np.isnan(withheld[["estimate", "numerator", "denominator"]].astype(float)).all()
    assert "不显示" in str(withheld["why"])
    assert row(views["SCH7"], "accredited_share")["numerator"] == 1
    # A marked report has them.
    assert row(views["SCH6"], "demotions_per_100", "2024-2")["denominator"] >= 0
    assert "不显示" not in " ".join(map(str, views["SCH6"].frame["why"]))


def test_nobody_else_is_in_the_file(views, study, tmp_path):
    for unit, view in views.items():
        text = view.save(tmp_path / "view.json").read_text(encoding="utf-8")
        others = set(views) - {unit}
        persons = set(study.frame("teachers")["teacher_id"]) | set(study.frame("classes")["class_id"])
        assert unit in text and not [one for one in others | persons if f'"{one}"' in text or one in text]


def test_a_view_is_read_as_it_was_written(views, tmp_path):
    view = views["SCH3"]
    again = UnitView.read(view.save(tmp_path / "view.json"))
    pd.testing.assert_frame_equal(again.frame, view.frame, check_dtype=False)
    assert vars(again).keys() == vars(view).keys() and again.notes == view.notes
    assert json.loads((tmp_path / "view.json").read_text(encoding="utf-8"))["unit"] == "SCH3"
    assert again.table().plain == view.table().plain


def test_what_cannot_be_computed_says_why(views):
    view = views["SCH7"]
    told = view.missing().plain
    assert "缺少数据表" in told and "training_events" in told
    missing = view.now()["estimate"].isna()
    assert missing.any() and view.now().loc[missing, "why"].notna().all()
    assert len(view.table().plain.splitlines()) > 5


def test_parts_stand_in_a_table_of_their_own(views, in_both_languages):
    told = views["SCH7"].parts("accredited_share").plain
    assert "骨干班主任" in told and "按学段" in told and "1/12" in told
    assert "骨干班主任" not in views["SCH7"].table().plain + views["SCH7"].missing().plain
    lacking = views["SCH7"].parts("training_hours").plain
    assert "人均培训时长" in lacking and "缺少数据表：training_events" in lacking
    with pytest.raises(ArgumentError, match="indicator_id"):
        views["SCH7"].parts("home_visits")


def test_figures_show_what_there_is(views):
    import matplotlib.pyplot as plt

    drawn = views["SCH2"].plot()
    names = [tick.get_text() for tick in drawn.axes[0].get_yticklabels()]
    assert "梯队班主任占比" in names and "本期培训覆盖率" not in names
    trends = views["SCH2"].trends(["accredited_share", "years_as_head"])
    assert [ax.get_title(loc="left") or ax.get_title() for ax in trends.axes] == ["梯队班主任占比", "班主任平均年限"]
    # Wholes alone: a point a term, a line an indicator.
    assert [len(ax.lines[-1].get_xdata()) for ax in trends.axes] == [1, 1] and len(names) == len(set(names))
    plt.close("all")


def test_what_does_not_exist_is_refused(study):
    for wrong in ({"by": "class_id"}, {"only": ["SCH99"]}, {"term": "1999-1"}):
        with pytest.raises(ArgumentError):
            unit_views(study, **wrong)
    with pytest.raises(ArgumentError):
        unit_views(study, only=["SCH1"])["SCH1"].trends(["nothing"])
