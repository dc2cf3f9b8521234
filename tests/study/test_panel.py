"""The panels against the same panels by plain loops, cell by cell."""

from pathlib import Path

import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, ComparabilityError, MissingTableError
from htresearch.study import validate
from htresearch.study.open import Study
from htresearch.study.schema import schema
from htresearch.study.store import open_store

from . import small
from .brute_force import BruteForce, differences

CLASS, PUPIL, TEACHER = ["class_id", "term_id"], ["student_id", "term_id"], ["teacher_id", "term_id"]
DEMO = Path(__file__).parents[2] / "data" / "demo"
VOCABULARIES = schema().vocabularies

#: Five studies of four islands each: seed, measure, compare, tables that are lacking, form of the files.
RANDOM = [
    (11, "maths", "district", (), "parquet"),
    (12, "run", "school", ("tiers", "studios", "studio_members"), "csv"),
    (13, "arts", "zone", ("class_outcomes", "incentives", "training_events", "attendance"), "parquet"),
    (14, "conduct", "class", ("appraisals",), "csv"),
    (15, "chinese", "school", (), "csv"),
]


@pytest.mark.parametrize(("seed", "measure", "compare", "lacking", "suffix"), RANDOM)
def test_random_studies(tmp_path, seed, measure, compare, lacking, suffix):
    tables = small.Islands(seed).tables(lacking)
    study = Study(open_store(small.write(tables, tmp_path / "study", suffix)))
    expected = BruteForce(tables, VOCABULARIES, measure, compare)
    assert not differences(expected.teacher_terms(), study.teacher_terms(), TEACHER)
    assert not differences(expected.teacher_shares(), study.teacher_shares(), ["class_id", "term_id", "teacher_id"])
    assert not differences(expected.class_terms(), study.class_terms(measure, compare), CLASS)
    assert not differences(expected.student_terms(), study.student_terms(measure, compare), PUPIL)


def test_the_random_studies_are_sound(tmp_path):
    assert validate(small.write(small.Islands(11).tables(), tmp_path / "study")).empty


def test_the_random_studies_are_nasty():
    """What the comparison is there for does occur: else it would compare nothing."""
    seen = {
        "two leaders": 0,
        "no leader": 0,
        "leads two classes": 0,
        "two classes at once": 0,
        "newcomer": 0,
        "chief above backbone": 0,
        "lost": 0,
        "several assessments": 0,
        "classes only": 0,
        "zone unknown": 0,
        "studio left": 0,
        "nobody there": 0,
    }
    for seed, measure, compare, lacking, _ in RANDOM:
        world = BruteForce(small.Islands(seed).tables(lacking), VOCABULARIES, measure, compare)
        panel = world.class_terms()
        leaders = [(row["teacher_id"], key[1]) for key, row in panel.items() if row["teacher_id"]]
        pupils = world.student_terms()
        seen["two leaders"] += sum(row["n_leaders"] == 2 for row in panel.values())
        seen["no leader"] += sum(row["teacher_id"] is None for row in panel.values())
        seen["leads two classes"] += len(leaders) - len(set(leaders))
        seen["newcomer"] += sum(row["class_id"] is None for row in pupils.values())
        seen["several assessments"] += sum(row["n_assessments"] > 1 for row in pupils.values())
        seen["classes only"] += sum(row.get("score_from") == "classes" for row in panel.values())
        seen["zone unknown"] += sum(row["zone_id"] is None for row in panel.values())
        seen["nobody there"] += sum(row["class_size"] == 0 for row in panel.values())
        for term in world.terms:
            seen["two classes at once"] += sum(
                sum(e["starts_on"] <= term["eve"] and (e["ends_on"] or term["eve"]) >= term["eve"] for e in spells)
                > 1
                for spells in world.spells_of.values()
            )
        if "tiers" not in lacking:
            ranks = [row["tier_rank"] for row in world.teacher_terms().values()]
            seen["chief above backbone"] += sum(rank == 3 for rank in ranks)
            seen["lost"] += sum((row["tier_change"] or 0) < 0 for row in world.teacher_terms().values())
            seen["studio left"] += sum(row["studio_member"] for row in world.teacher_terms().values())
    assert min(seen.values()) > 0, seen


@pytest.fixture(scope="module")
def demo():
    return ht.open_study(DEMO)


def test_demo_district(demo):
    """Every column of sixty classes and of five hundred pupils of the demo district."""
    tables = {file.stem: pd.read_parquet(file) for file in DEMO.glob("*.parquet") if file.stem in small.COLUMNS}
    tables["outcomes"] = tables["outcomes"][tables["outcomes"]["assessment_id"].str.contains("maths")]
    expected = BruteForce(tables, VOCABULARIES, "maths")
    classes = sorted(expected.classes)[:: len(expected.classes) // 60][:60]
    panel = demo.class_terms("maths")
    assert not differences(expected.class_terms(classes), panel[panel["class_id"].isin(classes)], CLASS)
    students = {
        s["student_id"] for s in expected.tables["students"][:: len(expected.tables["students"]) // 500][:500]
    }
    panel = demo.student_terms("maths")
    assert not differences(expected.student_terms(students), panel[panel["student_id"].isin(students)], PUPIL)


def test_without_a_measure_the_panels_hold_exposures_only(tmp_path):
    tables = small.Islands(21, islands=2).tables()
    study = Study(open_store(small.write(tables, tmp_path / "study")))
    expected = BruteForce(tables, VOCABULARIES)
    assert not differences(expected.class_terms(), study.class_terms(), CLASS)
    assert not differences(expected.student_terms(), study.student_terms(), PUPIL)


def test_equal_class_means_are_not_standardised(tmp_path):
    """Equal means differ by rounding errors only: they tell nothing, rather than plus or minus one."""
    tables = small.sound()
    del tables["outcomes"]
    tables["class_outcomes"] = pd.DataFrame(
        {
            "assessment_id": ["A1"] * 2 + ["A2"] * 2,
            "class_id": ["C1", "C2"] * 2,
            "mean": [70.1, 70.1, 60.0, 80.0],
            "n": [31, 43, 30, 30],
        }
    )
    panel = Study(open_store(small.write(tables, tmp_path / "study"))).class_terms("maths", compare="district")
    assert panel.loc[panel["term_id"] == "2024-1", "score"].isna().all()
    assert panel.loc[panel["term_id"] == "2024-2", "score"].tolist() == [-1.0, 1.0]
    assert panel.loc[panel["term_id"] == "2024-2", "score_from"].tolist() == ["classes", "classes"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return ht.open_study(small.write(small.sound(), tmp_path_factory.mktemp("sound") / "study"))


def test_school_set_papers_are_not_compared_between_schools(sound):
    with pytest.raises(ComparabilityError) as caught:
        sound.class_terms("chinese")
    said = str(caught.value)
    assert "chinese" in said
    assert "A3" in said
    assert 'compare="school"' in said
    assert "maths" in said
    with ht.language.speaking("en"):
        assert "within one School" in str(caught.value)


def test_within_schools_they_are(sound):
    panel = sound.student_terms("chinese", compare="school").set_index(["student_id", "term_id"])
    assert panel.loc[("P1", "2024-2"), "score"] == pytest.approx(2**-0.5)  # A beats B
    assert panel.loc[("P4", "2024-2"), "score"] == pytest.approx(-(2**-0.5))  # D is below C


def test_unknown_measures_and_ranges_are_refused(sound):
    with pytest.raises(ArgumentError, match="geography"):
        sound.class_terms("geography")
    with pytest.raises(ArgumentError, match="world"):
        sound.student_terms("maths", compare="world")


def test_a_missing_table_is_named(tmp_path):
    tables = small.sound()
    del tables["outcomes"]
    study = Study(open_store(small.write(tables, tmp_path / "study")))
    with pytest.raises(MissingTableError, match="outcomes"):
        study.student_terms("maths")
    with pytest.raises(MissingTableError, match="studio_members"):
        study.frame("studio_members")


def test_lazy_panels_hold_the_same_rows(sound):
    lazy = sound.teacher_terms(lazy=True).collect("pandas").to_native().sort_values(TEACHER, ignore_index=True)
    now = sound.teacher_terms().sort_values(TEACHER, ignore_index=True)
    assert lazy.columns.tolist() == now.columns.tolist()
    assert lazy[TEACHER].equals(now[TEACHER])
