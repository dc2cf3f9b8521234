"""Many workbooks: a report each, a faulty one stops no other, nothing of anybody else's is touched."""

import shutil
from datetime import date

import pytest
from intake.class_study.filling import filled, plan, records
from made_up_studies import usual

from htresearch import cli
from htresearch.errors import ArgumentError
from htresearch.intake.class_study import PlanHistory
from htresearch.publish import report_class
from htresearch.publish.class_report import folder as module


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("form") / "sound.xlsx")


@pytest.fixture
def desk(tmp_path, sound):
    (tmp_path / "desk").mkdir()
    shutil.copy(sound, tmp_path / "desk" / "感谢王兰老师.xlsx")
    broken = shutil.copy(sound, tmp_path / "desk" / "b.xlsx")
    plan(broken, 班级="五(3)班")
    records(broken, {"C7": "很多", "C9": "三四次"})
    return tmp_path / "desk"


def run(*arguments):
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    return left.value.code


def test_every_format_of_every_report_lies_in_a_folder_of_its_own(desk, tmp_path):
    reports = report_class(desk, tmp_path / "out")
    good = next(one for one in reports.reported if not one.faults)
    assert sorted(path.suffix for path in good.folder.iterdir()) == [".docx", ".html", ".pdf", ".png"]
    assert {path.stem for path in good.folder.iterdir()} == {good.folder.name}
    names = [path.name for path in (tmp_path / "out").rglob("*")]
    assert not [name for name in names if not name.isascii()]
    assert sorted(name for name in names if "class-study" not in name) == ["index.html", "plans.json"]


def test_a_faulty_workbook_is_named_with_all_its_faults(desk, tmp_path):
    reports = report_class(desk, tmp_path / "out", "html")
    (bad,) = reports.failed
    assert len(bad.faults) == 2
    index = reports.index.read_text(encoding="utf-8")
    for said in (index, str(reports)):
        assert "b.xlsx" in said
        assert "C7" in said
        assert "C9" in said
        assert "王兰" not in said


def test_the_command_says_it_and_leaves_with_1(desk, tmp_path, capsys):
    assert run("report", "class", desk, "--out", tmp_path / "out", "--format", "pdf") == 1
    said = capsys.readouterr().out
    assert "C7" in said
    assert "写了 1 份报告" in said
    assert len(list((tmp_path / "out").rglob("*.pdf"))) == 1
    (desk / "b.xlsx").unlink()
    assert run("report", "class", desk, "--out", tmp_path / "out", "--format", "html", "--language", "en") == 0
    assert "1 reports written" in capsys.readouterr().out.replace("1 report ", "1 reports ")


def test_running_again_replaces_the_same_report_and_leaves_others(desk, tmp_path):
    out = tmp_path / "out"
    first = report_class(usual(school="甲"), out, "html").reported[0]
    own = first.folder / f"{first.folder.name}.html"
    own.write_text("old", encoding="utf-8")
    other = report_class(desk, out, ("html", "png"))
    assert own.read_text(encoding="utf-8") == "old"
    again = report_class(desk, out, "html")
    good = next(one for one in again.reported if not one.faults)
    assert good.folder == next(one for one in other.reported if not one.faults).folder
    assert [path.suffix for path in good.folder.iterdir()] == [".html"]


def test_a_report_folder_in_which_somebody_keeps_notes_is_not_replaced(tmp_path):
    one = report_class(usual(), tmp_path / "out", "html").reported[0]
    (one.folder / "notes.txt").write_text("mine", encoding="utf-8")
    (failed,) = report_class(usual(), tmp_path / "out", "html").failed
    assert "不会覆盖" in str(failed.faults[0])
    assert (one.folder / "notes.txt").exists()


@pytest.mark.parametrize("inside", ["desk", "else", "file"])
def test_a_folder_of_others_is_refused(desk, tmp_path, inside, in_both_languages):
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "thesis.docx").write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ArgumentError) as caught:
        report_class(desk, tmp_path / inside, "html")
    assert all("out" in said for said in in_both_languages(caught.value))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_without_workbooks_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="没有工作簿"):
        report_class(tmp_path, tmp_path / "out")
    assert run("report", "class", tmp_path, "--out", tmp_path / "out") == 1


def test_wrong_arguments_are_refused_at_once(tmp_path):
    with pytest.raises(ArgumentError) as caught:
        report_class(usual(), tmp_path / "out", ("html", "odt"), language="fr", workers=0)
    assert len(caught.value.faults) == 3


def test_a_plan_that_changed_after_the_first_record_is_printed(sound, tmp_path):
    form = shutil.copy(sound, tmp_path / "a.xlsx")
    report_class(form, tmp_path / "out", "html")
    plan(form, 怎样算成功="改变后平均每天不到 3 人次")
    one = report_class(form, tmp_path / "out", "html").reported[0]
    page = one.written[0].read_text(encoding="utf-8")
    today = date.today()
    assert f"第一次记录之后改过计划（{today.year}年{today.month}月{today.day}日）" in page
    assert len(PlanHistory(tmp_path / "out" / "plans.json")) == 1


def test_two_files_of_one_study_do_not_share_a_folder(sound, tmp_path):
    (tmp_path / "desk").mkdir()
    for name in ("a.xlsx", "b.xlsx"):
        shutil.copy(sound, tmp_path / "desk" / name)
    folders = [one.folder.name for one in report_class(tmp_path / "desk", tmp_path / "out", "html").reported]
    assert len(set(folders)) == 2


def test_several_are_written_at_once_and_progress_is_told(tmp_path):
    told = []
    studies = [usual(school=f"第{n}小学") for n in range(4)]
    studies = [type(s)(s.plan, s.records, f"{n}.xlsx", f"study-{n}") for n, s in enumerate(studies)]
    reports = report_class(studies, tmp_path / "out", "html", progress=lambda *now: told.append(now))
    assert [one.source for one in reports.reported] == ["0.xlsx", "1.xlsx", "2.xlsx", "3.xlsx"]
    assert [done for done, _, _ in told] == [1, 2, 3, 4]
    assert all(one.written[0].exists() for one in reports.reported)
    assert not list((tmp_path / "out").rglob(".*"))


def test_the_same_study_gives_the_same_files(tmp_path):
    contents = []
    for name in ("a", "b"):
        one = report_class(usual(), tmp_path / name).reported[0]
        contents.append({path.suffix: path.read_bytes() for path in one.written})
    assert contents[0] == contents[1]
    assert module.FORMATS == ("html", "pdf", "docx", "png")
