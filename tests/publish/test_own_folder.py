"""Reports that leave the machine: each is searched before it is written, under the rules that are right for it."""

import shutil
from datetime import date

import nbformat
import pandas as pd
import pytest
from publish.class_report.made_up_studies import usual
from study.small import sound, write

import htresearch as ht
from htresearch import cli
from htresearch.errors import Fault, HTResearchError, NotebookError
from htresearch.language import Text
from htresearch.publish import Secrets, report_archives, report_class, report_schools, school_report
from htresearch.publish.own_folder import put, put_index
from htresearch.publish.runs import Run
from htresearch.publish.teacher_file import folder as teacher_folder

# In pieces, so that this file itself could be published.
PHONE, PUPIL, TEACHER = "13800138000", "P00000104", "T000104"
LONG = {"S1": "S0001", "S2": "S0002", "C1": "C000001", "C2": "C000002", "T1": "T000001", "T2": "T000002"}
LONG |= {"T3": "T000003"} | {f"P{i}": f"P0000000{i}" for i in range(1, 5)}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study whose ids are as long as those of a real one."""
    tables = {name: rows.replace(LONG) for name, rows in sound().items()}
    activities = pd.DataFrame(
        [(LONG["C1"], date(2024, 9, 20), "theme_meeting", 40)],
        columns=["class_id", "held_on", "kind", "participants"],
    )
    return ht.open_study(write(tables | {"activities": activities}, tmp_path_factory.mktemp("study")))


def refused(what: str, said: tuple[str, str], secret: str) -> None:
    """A refusal names file and place in both languages and repeats nothing."""
    for one in said:
        assert what in one
        assert secret not in one


class TestPut:
    def test_all_of_them_or_none(self, tmp_path, in_both_languages):
        files = {"a.html": b"<p>sound</p>", "b.txt": f"line\ncall {PHONE}".encode()}
        with pytest.raises(NotebookError) as error:
            put(tmp_path, files)
        assert not list(tmp_path.iterdir())
        refused("b.txt", in_both_languages(error.value), PHONE)
        assert [path.name for path in put(tmp_path, {"a.html": files["a.html"]})] == ["a.html"]

    @pytest.mark.parametrize(
        "leak", [PHONE, "顾晓岚", "/".join(["", "home", "gu", "a.csv"]), PUPIL, "t_00aa11bb22cc33dd44ee"]
    )
    def test_what_is_nobodys_own_is_refused(self, tmp_path, leak):
        with pytest.raises(NotebookError):
            put(tmp_path, {"a.txt": f"{TEACHER} {leak}".encode()}, Secrets(names=["顾晓岚"]), own=[TEACHER])
        assert not list(tmp_path.iterdir())

    def test_only_an_id_is_somebodys_own(self, tmp_path):
        for leak in (PHONE, "顾晓岚"):
            with pytest.raises(NotebookError):
                put(tmp_path, {"a.txt": leak.encode()}, Secrets(names=["顾晓岚"]), own=[leak])

    def test_ones_own_id_stands_in_files_and_in_their_names(self, tmp_path):
        page = f'<h1 id="{TEACHER}">{TEACHER.lower()}</h1>'.encode()
        assert put(tmp_path, {f"{TEACHER}.html": page}, Secrets(ids=[TEACHER]), own=[TEACHER])

    def test_what_is_said_of_files_at_fault_is_masked_on_the_page(self, tmp_path):
        fault = Fault(f"C7: {PHONE}", Text("有错", "is wrong"), Text("请改", "Mend it"))
        title = Text("报告", "Reports")
        page = put_index(tmp_path, "m", title, title, ["a"], [], [(f"{PHONE}.xlsx", [fault])])
        said = page.read_text(encoding="utf-8")
        assert PHONE not in said
        assert "C7" in said
        assert "‹电话›" in said


class TestSchools:
    @pytest.fixture
    def saying(self, monkeypatch):
        """Have the notebook of each report say something, without a kernel."""

        def say(by_unit):
            def run(path, spoken, kept, name, parameters):
                cells = [nbformat.v4.new_markdown_cell(f"# Report\n\n{by_unit.get(parameters['unit'], 'sound')}")]
                cells[0].metadata["tags"] = [spoken]
                return Run(path, spoken, nbformat.v4.new_notebook(cells=cells))

            monkeypatch.setattr("htresearch.publish.runs.run_kept", run)

        return say

    @pytest.fixture
    def made(self, study, tmp_path):
        def make(**how):
            notebook = tmp_path / "school_report.ipynb"
            notebook.write_text("{}", encoding="utf-8")
            return report_schools(study, tmp_path / "out", notebook=notebook, workers=1, **how)

        return make

    @pytest.mark.parametrize("leak", [LONG["S2"], LONG["T1"], LONG["C2"], PHONE, PUPIL, "顾晓岚"])
    def test_another_unit_or_anybody_stops_the_report_and_no_other(
        self, saying, made, tmp_path, leak, in_both_languages
    ):
        saying({LONG["S1"]: f"see {leak}"})
        with pytest.raises(NotebookError) as error:
            made(secrets=Secrets(names=["顾晓岚"]))
        refused(f"school-{LONG['S1']}.html", in_both_languages(error.value), leak)
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
            "index.html",
            *(f"school-{LONG['S2']}.{kind}" for kind in ("html", "pdf")),
        ]
        assert f"school-{LONG['S1']}" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")

    def test_ones_own_school_may_be_named(self, saying, made):
        saying({LONG["S1"]: LONG["S1"]})
        assert len(made(formats="html").written) == 2

    def test_the_command_leaves_with_1(self, saying, study, tmp_path, capsys, monkeypatch):
        saying({LONG["S1"]: PHONE})
        monkeypatch.setattr("htresearch.study.open.open_study", lambda path: study)
        (tmp_path / "n.ipynb").write_text("{}", encoding="utf-8")
        asked = ["report", "school", "--study", "s", "--out", tmp_path / "o", "--notebook", tmp_path / "n.ipynb"]
        with pytest.raises(SystemExit) as left:
            cli.main([*map(str, asked)])
        assert left.value.code == 1
        assert PHONE not in "".join(capsys.readouterr())

    def test_who_is_cut_short_starts_no_more(self, saying, made, monkeypatch):
        saying({})
        started = []
        whole = school_report._Work.one
        monkeypatch.setattr(school_report._Work, "one", lambda self, u, v: started.append(u) or whole(self, u, v))

        def cut(*told):
            raise KeyboardInterrupt

        monkeypatch.setattr(school_report, "as_completed", lambda waiting: cut())
        with pytest.raises(KeyboardInterrupt):
            made(formats="html")
        assert len(started) < 2


class TestTeachers:
    def test_the_files_as_they_are_hold_nobody_else(self, study, tmp_path):
        assert len(report_archives(study, tmp_path / "out", formats="html").written) == 3

    @pytest.mark.parametrize("leak", [LONG["T2"], PUPIL, PHONE, "顾晓岚"])
    def test_anybody_else_stops_the_file_and_no_other(self, study, tmp_path, monkeypatch, leak, in_both_languages):
        whole = teacher_folder._contents

        def contents(file, formats):
            made = whole(file, formats)
            if file.teacher_id == LONG["T1"]:
                made = {
                    name: page.replace(b"</main>", f"<p>{leak}</p></main>".encode()) for name, page in made.items()
                }
            return made

        monkeypatch.setattr(teacher_folder, "_contents", contents)
        with pytest.raises(NotebookError) as error:
            report_archives(study, tmp_path / "out", formats="html", secrets=Secrets(names=["顾晓岚"]))
        refused(f"{LONG['T1']}.html", in_both_languages(error.value), leak)
        left = sorted(p.name for p in (tmp_path / "out").iterdir())
        assert left == [f"{LONG['T2']}.html", f"{LONG['T3']}.html", "index.html"]

    def test_the_classes_led_may_stand_in_it_and_no_other_class(self, study):
        from htresearch.corps import archive

        own = teacher_folder._own(archive(study, LONG["T1"]))
        led = study.frame("appointments").query("teacher_id == @LONG['T1']")["class_id"]
        assert set(own) == {LONG["T1"], *led}


class TestClasses:
    def test_a_name_of_the_roster_stops_the_report_and_no_other(self, tmp_path, in_both_languages):
        studies = [usual(school="甲", question="顾晓岚会不会少迟到"), usual(school="乙")]
        reports = report_class(studies, tmp_path / "out", workers=1, secrets=Secrets(names=["顾晓岚"]))
        (failed,) = reports.failed
        assert len([one for one in reports.reported if not one.faults]) == 1
        refused("class-study-", in_both_languages(HTResearchError(*failed.faults)), "顾晓岚")
        assert all(any(f".{kind}" in str(fault) for fault in failed.faults) for kind in ("html", "pdf", "docx"))
        written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        assert len(written) == 4 + 2  # one report whole, nothing of the other
        assert "顾晓岚" not in reports.index.read_text(encoding="utf-8")
        assert "顾晓岚" not in str(reports)

    @pytest.mark.parametrize("leak", [PUPIL, TEACHER, "p_00aa11bb22cc33dd44ee55ff"])
    def test_a_pseudonym_in_the_teachers_words(self, tmp_path, leak):
        reports = report_class(usual(question=f"{leak} 的作业"), tmp_path / "out", "html")
        assert reports.failed

    def test_the_class_as_the_plan_names_it_may_stand_there(self, tmp_path):
        own = usual(school=LONG["S1"], class_name=LONG["C1"])
        reports = report_class(own, tmp_path / "out", "html", secrets=Secrets(ids=LONG.values()))
        assert not reports.failed

    def test_the_command_takes_a_roster_and_leaves_with_1(self, tmp_path, capsys):
        from intake.class_study.filling import filled, plan

        book = filled(tmp_path / "a.xlsx")
        plan(book, 研究的问题="顾晓岚会不会少迟到")
        shutil.copy(book, tmp_path / "顾晓岚.xlsx")
        book.unlink()
        (tmp_path / "names.txt").write_text("顾晓岚\n", encoding="utf-8")
        asked = ["report", "class", tmp_path / "顾晓岚.xlsx", "--out", tmp_path / "out", "--format", "html"]
        with pytest.raises(SystemExit) as left:
            cli.main([*map(str, asked), "--roster", str(tmp_path / "names.txt")])
        assert left.value.code == 1
        assert "顾晓岚" not in "".join(capsys.readouterr())
