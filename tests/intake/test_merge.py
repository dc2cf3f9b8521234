"""Rows are added to a study once; what contradicts is listed; a study that would be unsound stays as it was."""

import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from study import small

import htresearch as ht
from htresearch import study as studies
from htresearch.errors import IntakeError, StudyError
from htresearch.intake import files
from htresearch.intake.conflicts import COLUMNS
from htresearch.intake.merge import examine, merge
from htresearch.intake.place import Place

TABLES = small.sound()
TEACHERS = TABLES["teachers"]
DEMO = Path(__file__).parents[2] / "data" / "demo"
NOTHING = {"added": 0, "same": 0, "conflicts": 0}


def teacher(teacher_id, **changed):
    row = dict(zip(TEACHERS.columns, TEACHERS.iloc[0], strict=True)) | {"teacher_id": teacher_id} | changed
    return pd.DataFrame([row])


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merge")
    merge(folder / "teachers", {"teachers": TEACHERS}, "start")
    merge(folder / "staffed", {name: TABLES[name] for name in ("schools", "classes", "teachers", "appointments")}, "")
    return folder


@pytest.fixture
def study(tmp_path, made):
    """A study of teachers."""
    return Path(shutil.copytree(made / "teachers", tmp_path / "study"))


@pytest.fixture
def staffed(tmp_path, made):
    """A study of classes and who leads them."""
    return Path(shutil.copytree(made / "staffed", tmp_path / "staffed"))


class TestRows:
    def test_a_study_that_is_not_there_is_made_and_sound(self, tmp_path):
        merged = merge(tmp_path / "a" / "study", {"teachers": TEACHERS}, "list")
        assert merged.counts == {"teachers": {"added": 3, "same": 0, "conflicts": 0}}
        assert ht.open_study(tmp_path / "a" / "study").frame("teachers")["teacher_id"].tolist() == ["T1", "T2", "T3"]
        assert [p.name for p in (tmp_path / "a").iterdir()] == ["study"]

    def test_the_same_twice_changes_nothing_at_all(self, staffed):
        before = contents(staffed), {p: p.stat().st_mtime_ns for p in staffed.iterdir()}
        merged = merge(staffed, {"teachers": TEACHERS, "appointments": TABLES["appointments"]}, "again")
        assert merged.counts == {name: NOTHING | {"same": 3} for name in ("teachers", "appointments")}
        assert (contents(staffed), {p: p.stat().st_mtime_ns for p in staffed.iterdir()}) == before

    def test_new_rows_follow_the_known_ones(self, study):
        merged = merge(study, {"teachers": pd.concat([teacher("T9"), TEACHERS])}, "list")
        assert merged.counts["teachers"] == {"added": 1, "same": 3, "conflicts": 0}
        assert ht.open_study(study).frame("teachers")["teacher_id"].tolist() == ["T1", "T2", "T3", "T9"]

    def test_a_conflict_is_listed_and_nothing_overwritten(self, study):
        before = (study / "teachers.parquet").read_bytes()
        changed = pd.concat([teacher("T1", sex="male", birth_year=1990), teacher("T2"), teacher("T8")])
        merged = merge(study, {"teachers": changed}, "三小.xlsx")
        assert merged.counts["teachers"] == {"added": 1, "same": 1, "conflicts": 1}
        assert merged.conflicts.to_dict("records") == [
            dict(zip(COLUMNS, ("teachers", "T1", column, there, new, "三小.xlsx", "研究"), strict=True))
            for column, there, new in (("sex", "female", "male"), ("birth_year", 1985, 1990))
        ]
        assert ht.open_study(study).frame("teachers")["birth_year"].tolist() == [1985] * 4
        assert (study / "teachers.parquet").read_bytes() != before

    def test_filling_in_what_the_study_leaves_empty_is_a_conflict_too(self, staffed):
        row = TABLES["appointments"].iloc[[0]].assign(ends_on=date(2025, 1, 31))
        conflicts = merge(staffed, {"appointments": row}, "list").conflicts
        assert conflicts[["key", "column", "there", "new"]].to_numpy().tolist() == [
            ["T1 · C1 · head · 2022-08-20", "ends_on", None, date(2025, 1, 31)]
        ]

    def test_columns_that_are_not_given_are_not_compared(self, staffed):
        row = TABLES["appointments"].iloc[[1]].drop(columns=["ends_on", "reason_ended"])
        assert merge(staffed, {"appointments": row}, "list").same == {"appointments": 1}

    def test_of_rows_that_contradict_each_other_none_is_taken(self, study):
        both = pd.concat([teacher("T7"), teacher("T7", sex="male"), teacher("T7"), teacher("T6"), teacher("T6")])
        merged = merge(study, {"teachers": both}, "list")
        assert merged.counts["teachers"] == {"added": 1, "same": 1, "conflicts": 3}
        assert merged.conflicts[["key", "column", "there", "new", "there_in"]].to_numpy().tolist() == [
            ["T7", "sex", "female", "male", "list"]
        ]

    def test_rows_without_a_key_are_counted_against_the_study(self, staffed):
        visit = pd.DataFrame({"class_id": ["C1"], "held_on": ["2024-10-01"], "kind": ["home_visit"]})
        twice, thrice = pd.concat([visit] * 2), pd.concat([visit] * 3)
        assert merge(staffed, {"activities": twice}, "a").counts["activities"] == NOTHING | {"added": 2}
        assert merge(staffed, {"activities": twice}, "a").counts["activities"] == NOTHING | {"same": 2}
        assert merge(staffed, {"activities": thrice}, "a").counts["activities"] == NOTHING | {"added": 1, "same": 2}
        assert len(ht.open_study(staffed).frame("activities")) == 3

    def test_a_key_with_an_empty_part_is_a_key(self, tmp_path):
        line = pd.DataFrame(
            {"tier": "chief", "school_type": [None], "valid_from": "2024-08-01", "cutoff_score": [91]}
        )
        merge(tmp_path / "study", {"cutoffs": line}, "a")
        merged = merge(tmp_path / "study", {"cutoffs": line.assign(cutoff_score=[91.5])}, "b")
        assert merged.conflicts["column"].tolist() == ["cutoff_score"]

    def test_what_is_given_is_not_changed(self, study):
        given = teacher("T9", birth_year="1985 ")
        kept = given.copy(deep=True)
        merge(study, {"teachers": given}, "list")
        pd.testing.assert_frame_equal(given, kept)

    @pytest.mark.parametrize("seed", range(3))
    def test_any_two_halves_in_any_order_give_the_same_study(self, tmp_path, seed):
        rng = np.random.default_rng(seed)
        rows = pd.DataFrame({"student_id": [f"s_{i}" for i in range(60)], "sex": rng.choice(["male", "female"], 60)})
        rows["ses_index"] = np.where(rng.random(60) < 0.3, np.nan, rng.normal(size=60))
        parts = [rows.iloc[rng.permutation(60)[:40]] for _ in range(4)]
        for part in parts:
            merged = merge(tmp_path / "study", {"students": part}, "part")
            assert merged.conflicts.empty
        known = pd.concat(parts).drop_duplicates("student_id").sort_values("student_id", ignore_index=True)
        frame = ht.open_study(tmp_path / "study").frame("students").sort_values("student_id", ignore_index=True)
        assert frame["student_id"].tolist() == known["student_id"].tolist()
        np.testing.assert_array_equal(frame["ses_index"], known["ses_index"])


class TestAccepting:
    """What the study has is changed only where that is asked for."""

    SPELL = TABLES["appointments"].iloc[[0]].assign(ends_on=date(2025, 1, 31), reason_ended="reassigned")

    @pytest.mark.parametrize("accept", ["empty", "new"])
    def test_what_the_study_leaves_empty_is_filled_in(self, staffed, accept):
        later = TABLES["appointments"].iloc[[0]].assign(teacher_id="T3", starts_on=date(2025, 2, 1))
        rows = pd.concat([self.SPELL, later])
        merged = merge(staffed, {"appointments": rows}, "list", accept=accept)
        assert (merged.counts["appointments"], merged.changed) == (NOTHING | {"added": 1}, {"appointments": 1})
        assert merged.changes[["column", "there", "new"]].to_numpy().tolist() == [
            ["ends_on", None, date(2025, 1, 31)],
            ["reason_ended", None, "reassigned"],
        ]
        frame = ht.open_study(staffed).frame("appointments")
        assert frame["teacher_id"].tolist() == [*TABLES["appointments"]["teacher_id"], "T3"]
        assert str(frame["ends_on"].iloc[0])[:10] == "2025-01-31"
        again = merge(staffed, {"appointments": rows}, "list", accept=accept)
        assert again.counts["appointments"] == NOTHING | {"same": 2} and again.changed == {"appointments": 0}

    def test_only_empty_places_are_filled_in_unless_it_says_new(self, study):
        row = teacher("T1", birth_year=1990)
        assert merge(study, {"teachers": row}, "list", accept="empty").held == {"teachers": 1}
        merged = merge(study, {"teachers": row}, "list", accept="new")
        assert merged.changed == {"teachers": 1} and merged.conflicts.empty
        assert ht.open_study(study).frame("teachers")["birth_year"].tolist() == [1990, 1985, 1985]

    def test_an_empty_cell_takes_no_value_away(self, staffed):
        merge(staffed, {"appointments": self.SPELL}, "list", accept="empty")
        row = self.SPELL.assign(ends_on=None)
        merged = merge(staffed, {"appointments": row}, "list", accept="new")
        assert (merged.changed, merged.conflicts["column"].tolist()) == ({"appointments": 0}, ["ends_on"])

    def test_of_two_that_say_different_things_neither_is_taken(self, study):
        both = pd.concat([teacher("T1", birth_year=1990), teacher("T1", birth_year=1991), teacher("T2", sex="male")])
        merged = merge(study, {"teachers": both}, "list", accept="new")
        assert (merged.changed, merged.held) == ({"teachers": 1}, {"teachers": 2})
        assert merged.changes["key"].tolist() == ["T2"]
        known = merge(
            study, {"teachers": pd.concat([teacher("T1"), teacher("T1", birth_year=1991)])}, "list", accept="new"
        )
        assert (known.changed, known.held) == ({"teachers": 0}, {"teachers": 1})

    def test_a_change_that_breaks_a_rule_is_refused_whole(self, staffed):
        before = contents(staffed)
        with pytest.raises(IntakeError, match="早于同一行的"):
            merge(staffed, {"appointments": self.SPELL.assign(ends_on=date(2001, 1, 1))}, "list", accept="new")
        assert contents(staffed) == before

    @pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""], ids=["Excel", "plain"])
    def test_csv_stays_csv(self, tmp_path, start):
        (tmp_path / "study").mkdir()
        path = tmp_path / "study" / "students.csv"
        path.write_bytes(start + b"sex,student_id\nmale,s_1\nfemale,s_2\n")
        rows = pd.DataFrame({"student_id": ["s_2", "s_3"], "sex": "male", "only_child": [True, None]})
        assert merge(tmp_path / "study", {"students": rows}, "list", accept="new").changed == {"students": 1}
        assert path.read_bytes().startswith(start or b"student_id")
        frame = ht.open_study(tmp_path / "study").frame("students")
        assert frame[["student_id", "sex"]].to_numpy().tolist() == [["s_1", "male"], ["s_2", "male"], ["s_3", "male"]]

    def test_what_may_be_accepted_is_checked(self, study):
        with pytest.raises(ht.HTResearchError, match="accept"):
            merge(study, {"teachers": teacher("T1")}, "list", accept="all")


class TestFaults:
    def test_what_does_not_fit_is_named_and_nothing_written(self, study, in_both_languages):
        before = contents(study)
        wrong = pd.concat(
            [teacher("T9", birth_year="nineteen", entered_on="2010年"), teacher("T10", birth_year=1985.5)]
        )
        with pytest.raises(IntakeError) as raised:
            merge(study, {"teachers": wrong, "appointment": wrong}, "a.xlsx")
        assert in_both_languages(raised.value) == [
            "a.xlsx · appointment：不是本研究格式中的数据表。是否想写 appointments？",
            "a.xlsx · appointment: is not a table of a study. Did you mean appointments?",
        ]
        with pytest.raises(IntakeError) as raised:
            merge(study, {"teachers": wrong}, "a.xlsx")
        assert [str(fault.where) for fault in raised.value.faults] == [
            "a.xlsx · teachers · 第 1 行 · birth_year",
            "a.xlsx · teachers · 第 2 行 · birth_year",
            "a.xlsx · teachers · 第 1 行 · entered_on",
        ]
        assert contents(study) == before

    def test_a_rule_that_the_merged_study_breaks_is_named_at_its_row(self, staffed):
        before = contents(staffed)
        rows = pd.concat([teacher("T1"), teacher("T9", sex="f"), teacher("T10", birth_year=1850)])
        rows.index = pd.Index(
            [Place("三小.xlsx", "填写", n, {"sex": f"C{n}", "birth_year": f"D{n}"}) for n in (5, 6, 9)]
        )
        spell = pd.DataFrame(
            {"teacher_id": ["T77"], "class_id": ["C1"], "role": ["deputy"], "starts_on": ["2024-09-01"]}
        )
        with pytest.raises(IntakeError) as raised:
            merge(staffed, {"appointments": spell, "teachers": rows}, "三小.xlsx")
        assert [(str(fault.where), fault.rule.zh) for fault in raised.value.faults] == [
            ("三小.xlsx · 填写 · C6", "不在词表之中"),
            ("三小.xlsx · 填写 · D9", "小于 1920"),
            ("三小.xlsx · appointments · 第 1 行 · teacher_id", "在 teachers 中没有"),
        ]
        assert contents(staffed) == before
        assert [p.name for p in staffed.parent.iterdir()] == ["staffed"]

    def test_examine_tells_the_same_and_writes_nothing(self, study):
        before = contents(study)
        merged, found = examine(study, {"teachers": teacher("T9", sex="f")}, "list")
        assert merged.added == {"teachers": 1}
        assert [(f.table, f.column, f.row, f.value) for f in found] == [("teachers", "sex", 0, "f")]
        assert contents(study) == before
        assert [p.name for p in study.parent.iterdir()] == ["study"]

    def test_thousands_of_faults_are_counted_not_listed(self, study):
        rows = pd.concat([teacher("T9")] * 5000, ignore_index=True)
        rows["teacher_id"] = [f"N{i}" for i in range(5000)]
        for column, value in (("birth_year", "?"), ("sex", "?")):
            with pytest.raises(IntakeError) as raised:
                merge(study, {"teachers": rows.assign(**{column: value})}, "list")
            assert len(raised.value.faults) == 21
            assert "另有 4,980 行也" in str(raised.value)

    def test_no_phone_or_identity_number_gets_in(self, study):
        wrong = pd.concat([teacher("13800138000"), teacher("T9", subject="语文（电话13912345678）")])
        with pytest.raises(IntakeError) as raised:
            merge(study, {"teachers": wrong}, "list")
        assert len(raised.value.faults) == 2
        assert "13800138000" not in str(raised.value) and "13912345678" not in str(raised.value)

    def test_a_fault_of_the_study_itself_is_said_to_be_one(self, tmp_path):
        folder = small.write({"teachers": teacher("T1", sex="f")}, tmp_path / "study")
        with pytest.raises(IntakeError, match="研究 · teachers · 第 1 行 · sex"):
            merge(folder, {"teachers": teacher("T2")}, "list")

    def test_a_cell_that_cannot_be_read_is_not_lost_on_the_way(self, tmp_path):
        folder = small.write({"teachers": teacher("T1", entered_on="2010年9月")}, tmp_path / "study")
        with pytest.raises(StudyError, match="2010年9月"):
            merge(folder, {"teachers": teacher("T2")}, "list")

    def test_a_duckdb_file_is_refused_with_what_to_do(self, tmp_path):
        duckdb.connect(str(tmp_path / "study.duckdb")).close()
        with pytest.raises(IntakeError, match="导出到一个文件夹"):
            merge(tmp_path / "study.duckdb", {"teachers": TEACHERS}, "list")

    def test_a_folder_of_other_things_is_refused(self, tmp_path):
        (tmp_path / "report.docx").write_bytes(b"x")
        with pytest.raises(IntakeError, match=r"report\.docx"):
            merge(tmp_path, {"teachers": TEACHERS}, "list")
        assert [p.name for p in tmp_path.iterdir()] == ["report.docx"]


class TestCrash:
    @pytest.mark.parametrize("moment", ["append", "describe", "carry_over"])
    def test_an_error_in_the_middle_leaves_the_old_study(self, study, monkeypatch, moment):
        before = contents(study)
        monkeypatch.setattr(files, moment, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            merge(study, {"teachers": teacher("T9")}, "list")
        assert contents(study) == before
        assert [p.name for p in study.parent.iterdir()] == ["study"]

    def test_an_error_while_the_folders_change_places_leaves_the_old_study(self, study, monkeypatch):
        before, rename = contents(study), Path.rename

        def broken(self, target):
            if Path(target) == study and "-old" not in self.name:
                raise OSError("the disk is full")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", broken)
        with pytest.raises(OSError, match="disk"):
            merge(study, {"teachers": teacher("T9")}, "list")
        monkeypatch.undo()
        assert contents(study) == before

    def test_a_killed_program_leaves_the_old_study(self, study):
        before = contents(study)
        code = """
import os, sys
from pathlib import Path
import pandas as pd
from htresearch.intake import files
from htresearch.intake.merge import merge
files.describe = lambda *_: os._exit(9)
merge(sys.argv[1], {"students": pd.DataFrame({"student_id": ["s_1"], "sex": ["male"]})}, "list")
"""
        done = subprocess.run([sys.executable, "-c", code, str(study)], check=False)
        assert done.returncode == 9
        assert contents(study) == before
        assert merge(study, {"teachers": teacher("T9")}, "list").added == {"teachers": 1}

    def test_a_study_caught_between_its_names_is_put_back(self, study):
        study.rename(study.parent / f".{study.name}-x1y2-old")
        assert merge(study, {"teachers": teacher("T9")}, "list").counts["teachers"] == NOTHING | {"added": 1}
        assert len(ht.open_study(study).frame("teachers")) == 4

    def test_a_study_that_changed_meanwhile_is_not_replaced(self, study, monkeypatch):
        append = files.append

        def meanwhile(folder, *rest):
            append(folder, *rest)
            (study / "notes.md").write_text("somebody else's")

        monkeypatch.setattr(files, "append", meanwhile)
        with pytest.raises(IntakeError, match="合并期间被别的程序改动过"):
            merge(study, {"teachers": teacher("T9")}, "list")
        assert (study / "notes.md").exists()


class TestFiles:
    def test_what_else_lies_in_the_study_stays(self, study):
        (study / "truth").mkdir()
        (study / "truth" / "classes.parquet").write_bytes(b"hidden")
        (study / "README.md").write_text("ours")
        merge(study, {"teachers": teacher("T9")}, "list")
        assert (study / "truth" / "classes.parquet").read_bytes() == b"hidden"
        assert (study / "README.md").read_text() == "ours"

    def test_a_study_behind_a_link_is_changed_where_it_lies(self, study, tmp_path):
        link = tmp_path / "link"
        link.symlink_to(study)
        merge(link, {"teachers": teacher("T9")}, "list")
        assert link.is_symlink()
        assert len(ht.open_study(study).frame("teachers")) == 4

    @pytest.mark.parametrize(
        "start, end", [(b"\xef\xbb\xbf", "\r\n"), (b"", "\n"), (b"", "")], ids=["Excel", "plain", "no end"]
    )
    def test_csv_stays_csv_and_its_lines_stay(self, tmp_path, start, end):
        header = ",".join(TEACHERS.columns)
        lines = [header, 'T1,female,1985,2010-08-15,permanent,bachelor,first,"语文\n（一）"']
        content = start + (end or "\n").join(lines).encode() + end.encode()
        (tmp_path / "study").mkdir()
        (tmp_path / "study" / "teachers.csv").write_bytes(content)
        merge(tmp_path / "study", {"teachers": teacher("T9", subject='数学,"理"')}, "list")
        written = (tmp_path / "study" / "teachers.csv").read_bytes()
        assert written.startswith(content)
        assert ht.open_study(tmp_path / "study").frame("teachers")["subject"].tolist() == [
            "语文\n（一）",
            '数学,"理"',
        ]
        with pytest.raises(IntakeError) as raised:
            merge(tmp_path / "study", {"teachers": pd.concat([teacher("T10"), teacher("T11", sex="f")])}, "list")
        assert str(raised.value.faults[0].where) == "list · teachers · 第 2 行 · sex"

    def test_a_column_that_a_csv_left_out_is_added_when_it_is_needed(self, tmp_path):
        (tmp_path / "study").mkdir()
        path = tmp_path / "study" / "students.csv"
        path.write_text("student_id,sex\ns_1,male\n", "utf-8")
        rows = pd.DataFrame({"student_id": ["s_2", "s_3"], "sex": "male", "only_child": [True, None]})
        merge(tmp_path / "study", {"students": rows.iloc[[1]]}, "list")
        assert path.read_text("utf-8") == "student_id,sex\ns_1,male\ns_3,male\n"
        merge(tmp_path / "study", {"students": rows}, "list")
        assert path.read_text("utf-8") == "student_id,sex,only_child\ns_1,male,\ns_3,male,\ns_2,male,true\n"

    def test_a_table_in_parts_gets_one_more(self, tmp_path):
        folder = tmp_path / "study"
        small.write({"part-1": TEACHERS}, folder / "teachers")
        merge(folder, {"teachers": pd.concat([TEACHERS, teacher("T9")])}, "list")
        assert sorted(p.name for p in (folder / "teachers").iterdir()) == ["part-1.parquet", "part-2.parquet"]
        assert len(ht.open_study(folder).frame("teachers")) == 4

    def test_the_study_s_own_words_are_kept_and_understood(self, staffed):
        path = staffed / "datapackage.json"
        described = json.loads(path.read_text("utf-8"))
        described["vocabularies"]["role"].append({"value": "intern", "title": "Intern", "title:zh": "实习"})
        described["contributors"] = [{"title": "the centre"}]
        path.write_text(json.dumps(described), "utf-8")
        spell = pd.DataFrame(
            {"teacher_id": ["T1"], "class_id": ["C1"], "role": ["intern"], "starts_on": ["2024-09-01"]}
        )
        pupils = pd.DataFrame({"student_id": ["s_1"], "sex": ["male"]})
        merge(staffed, {"appointments": spell, "students": pupils}, "list")
        after = json.loads(path.read_text("utf-8"))
        assert after["vocabularies"] == described["vocabularies"]
        assert after["contributors"] == described["contributors"]
        assert [r["name"] for r in after["resources"]] == [
            "schools",
            "classes",
            "teachers",
            "appointments",
            "students",
        ]
        assert "## students" in (staffed / "CODEBOOK.md").read_text("utf-8")
        assert "实习" in (staffed / "CODEBOOK.zh-CN.md").read_text("utf-8")
        assert ht.open_study(staffed).frame("appointments")["role"].tolist().count("intern") == 1

    def test_others_may_still_read_a_merged_study(self, study):
        merge(study, {"teachers": teacher("T9")}, "list")
        assert study.stat().st_mode & 0o777 == 0o755
        assert (study / "teachers.parquet").stat().st_mode & 0o444 == 0o444

    def test_a_half_then_the_whole_of_the_demo_is_the_demo(self, tmp_path):
        demo = ht.open_study(DEMO)
        tables = {name: demo.frame(name) for name in ("teachers", "training_events", "attendance")}
        merge(tmp_path / "study", {name: tables[name].iloc[::2] for name in ("teachers", "training_events")}, "a")
        merged = merge(tmp_path / "study", tables, "b")
        assert merged.conflicts.empty
        again = ht.open_study(tmp_path / "study")
        for name, frame in tables.items():
            left, right = (f.sort_values(list(f), ignore_index=True) for f in (again.frame(name), frame))
            pd.testing.assert_frame_equal(left, right)

    def test_a_simulated_study_taken_in_again_is_the_same(self, tmp_path):
        ht.simulate(tmp_path / "study", schools=1, classes_per_school=2, terms=2)
        study = ht.open_study(tmp_path / "study")
        merged = merge(tmp_path / "study", {name: study.frame(name) for name in study.tables}, "again")
        assert merged.conflicts.empty
        assert set(merged.added.values()) == {0}


def test_the_merged_study_is_what_the_validation_wants(study):
    merge(study, {"teachers": teacher("T9"), "tiers": TABLES["tiers"]}, "list")
    assert studies.validate(study).empty
    assert (study / "tiers.parquet").exists()
