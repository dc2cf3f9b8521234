"""A study written as its schools would hold it, and read again: the same study."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

import htresearch as ht
from htresearch.identifiers import find
from htresearch.intake import open_table
from htresearch.intake.school import MESS, Roster, made_up_roster, read_workbooks, take_in, write_workbooks
from htresearch.study import open_study

GIVEN = ("schools", "terms", "classes", "teachers", "students", "enrolments")
DEMO = Path(__file__).parents[3] / "data" / "demo"


def rows(frame, key):
    """The rows of a table in the order of its key, as plain values: days as text, nothing as None."""
    made = {
        name: [
            None
            if v is None or v != v
            else float(v)
            if isinstance(v, int | float)
            else str(v)[: 10 if name.endswith("_on") else None]
            for v in frame[name].astype(object)
        ]
        for name in frame
    }
    return pd.DataFrame(made).sort_values(key, ignore_index=True)


def check_same(books, study, schools=None):
    for name in ("appointments", "assessments", "outcomes", "training_events", "attendance", "incentives"):
        key = list(study.store.schema.tables[name].key)
        wanted = study.frame(name)
        pd.testing.assert_frame_equal(rows(books.tables[name][list(wanted)], key), rows(wanted, key))


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """A district with every stage, the study that is given, and a roster."""
    folder = tmp_path_factory.mktemp("district")
    out = ht.simulate(folder / "whole", schools=8, classes_per_school=2, terms=4, seed=11)
    (folder / "given").mkdir()
    for name in GIVEN:
        shutil.copy(out / f"{name}.parquet", folder / "given")
    study = open_study(out)
    return study, folder / "given", made_up_roster(study)


@pytest.mark.parametrize(("seed", "mess", "together"), [(1, MESS, 1), (2, MESS, 3), (3, (), 1)])
def test_a_district_written_and_read_is_the_same(tmp_path, district, seed, mess, together):
    study, given, roster = district
    written = write_workbooks(study, tmp_path / "books", roster, seed, mess=mess, schools_per_book=together)
    assert len(written.paths) == -(-8 // together)
    books = read_workbooks(written.paths, given, roster)
    check_same(books, study)
    assert written.findings == ()
    assert written.left_out == ()


def test_schools_of_the_demo_district_written_and_read_are_the_same(tmp_path):
    """Three schools, one of each stage; the whole district takes a quarter of a minute."""
    study = open_study(DEMO)
    whole = made_up_roster(study)
    chosen = ["S0001", "S0014", "S0017"]
    classes = study.frame("classes").query("school_id in @chosen")["class_id"]
    roster = Roster(
        *(frame[frame["school_id"].isin(chosen)] for frame in (whole.schools, whole.teachers)),
        whole.pupils[whole.pupils["class_id"].isin(classes)],
    )
    books = read_workbooks(write_workbooks(study, tmp_path / "books", roster).paths, study, roster)
    pupils, staff = set(roster.pupils["student_id"]), set(roster.teachers["teacher_id"])
    ours = {
        "appointments": ("class_id", set(classes)),
        "outcomes": ("student_id", pupils),
        "attendance": ("teacher_id", staff),
        "incentives": ("teacher_id", staff),
    }
    for name, (column, ids) in ours.items():
        key = list(study.store.schema.tables[name].key)
        wanted = study.frame(name)
        wanted = wanted[wanted[column].isin(ids)]
        pd.testing.assert_frame_equal(rows(books.tables[name][list(wanted)], key), rows(wanted, key))


def test_workbooks_taken_into_a_study_make_it_whole_and_twice_changes_nothing(tmp_path, district):
    study, given, roster = district
    shutil.copytree(given, tmp_path / "study")
    paths = write_workbooks(study, tmp_path / "books", roster, 4).paths
    taken = take_in(paths, tmp_path / "study", roster)
    again = open_study(tmp_path / "study")
    for name in ("appointments", "assessments", "outcomes", "training_events", "attendance", "incentives"):
        key = list(study.store.schema.tables[name].key)
        pd.testing.assert_frame_equal(rows(again.frame(name), key), rows(study.frame(name), key))
    assert taken.receipt.rows_in - taken.receipt.rows_kept == sum(e.count for e in taken.receipt.exclusions)
    text = taken.receipt.to_json() + taken.receipt.to_html()
    named = [*roster.teachers["name"], *roster.pupils["name"], *roster.pupils["student_number"]]
    assert not [name for name in named if len(name) > 2 and name in text]
    twice = take_in(iter(paths), tmp_path / "study", roster)
    assert set(twice.merged.added.values()) == {0}
    assert len(twice.merged.conflicts) == 0
    assert twice.merged.same == taken.merged.added


def test_a_study_grows_term_by_term(tmp_path, district):
    """The lists of one term after another give the spells that all of them at once give."""
    study, given, roster = district
    shutil.copytree(given, tmp_path / "study")
    listed = study.frame("terms").sort_values("starts_on")["term_id"].astype(str).tolist()
    for term in listed[-2:]:
        part = tmp_path / term
        part.mkdir()
        for name in (*GIVEN, "appointments"):
            frame = pd.read_parquet(study.path / f"{name}.parquet")
            if name == "terms":
                frame = frame[frame["term_id"] == term]
            frame.to_parquet(part / f"{name}.parquet", index=False)
        take_in(write_workbooks(part, tmp_path / f"{term} books", roster, mess=()).paths, tmp_path / "study", roster)
    key = ["class_id", "starts_on"]
    columns = ["teacher_id", "class_id", "starts_on", "ends_on", "reason_ended"]
    made = rows(open_study(tmp_path / "study").frame("appointments")[columns], key)
    wanted = rows(study.frame("appointments")[columns], key)
    since = str(study.frame("terms").query("term_id == @listed[-2]")["starts_on"].iloc[0])[:10]
    wanted = wanted[wanted["ends_on"].isna() | (wanted["ends_on"] >= since)].reset_index(drop=True)
    pd.testing.assert_frame_equal(made, wanted)


def test_the_same_seed_writes_the_same_files(tmp_path, district):
    study, _, roster = district
    one, two, other = (write_workbooks(study, tmp_path / n, roster, s) for n, s in (("a", 1), ("b", 1), ("c", 2)))
    contents = [[path.read_bytes() for path in written.paths] for written in (one, two, other)]
    assert contents[0] == contents[1] != contents[2]


def test_mess_is_in_the_workbooks(tmp_path, district):
    study, _, roster = district
    written = write_workbooks(study, tmp_path / "books", roster, 1)
    cells = [
        v for p in written.paths for s in open_table(p).sheets for row in s.rows for v in row if isinstance(v, str)
    ]
    text = "\n".join(cells)
    for sign in ("（", "级", "平均分", "制表", "学年度", "起由", "　", "缺考", "满分", "区统考", "８"):
        assert sign in text, sign
    assert any(sheet.merged for path in written.paths for sheet in open_table(path).sheets)


def test_made_up_names_are_seeded_and_tell_teachers_of_a_school_apart(district):
    study, _, roster = district
    again, other = made_up_roster(study), made_up_roster(study, 2)
    assert again.teachers.equals(roster.teachers) and again.pupils.equals(roster.pupils)
    assert not other.teachers["name"].equals(roster.teachers["name"])
    assert not roster.teachers.duplicated(["school_id", "name"]).any()
    assert set(roster.pupils["student_id"]) == set(study.frame("students")["student_id"])
    assert [f.kind for f in find(roster.pupils["student_number"].iloc[0])] == ["student_number"]


def test_arguments_are_checked(tmp_path, district):
    study, _, roster = district
    with pytest.raises(ht.HTResearchError) as caught:
        write_workbooks(study, tmp_path / "a", roster, -1, mess=("ink",), schools_per_book=0)
    assert len(caught.value.faults) == 3
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ht.HTResearchError, match="不会覆盖"):
        write_workbooks(study, tmp_path / "b", roster)
