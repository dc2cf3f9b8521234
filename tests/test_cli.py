"""The command line: what it calls, what it prints, how it leaves."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest

from htresearch import cli, language
from htresearch.cli.publish import DEMO_FORMULA
from htresearch.errors import Fault, NotebookError
from htresearch.language import Text

FAULTS = pd.DataFrame(
    {"table": ["班级"], "row": [3], "column": ["class_id"], "value": ["x"], "rule": ["不得重复"], "fix": ["请改正"]}
)

ROOT = Path(__file__).parents[1]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    printed = capsys.readouterr()
    return left.value.code or 0, printed.out, printed.err


@pytest.fixture
def study(monkeypatch):
    """A study package that finds what the test puts into it."""
    import htresearch

    fake = ModuleType("htresearch.study")
    fake.validate = lambda path: FAULTS
    fake.report = lambda faults, at_most=20: f"{len(faults)} 个问题"
    fake.simulate = ModuleType("htresearch.study.simulate")
    monkeypatch.setitem(sys.modules, "htresearch.study", fake)
    monkeypatch.setitem(sys.modules, "htresearch.study.simulate", fake.simulate)
    monkeypatch.setattr(htresearch, "study", fake, raising=False)
    return fake


def test_help_is_in_the_spoken_language(capsys):
    assert "运行笔记本" in run(capsys, "--help")[1]
    assert "Run the notebooks" in run(capsys, "--language", "en", "--help")[1]
    assert "Run the notebooks" in run(capsys, "--language=en", "--help")[1]


@pytest.mark.parametrize("command", ["demo", "simulate", "validate", "publish", "check", "bench", "lab"])
def test_each_command_has_help(capsys, command):
    assert run(capsys, command, "--help")[0] == 0


@pytest.mark.parametrize(
    "wrong", [["no-such-command"], ["validate"], ["publish", "--workers", "0"], ["--language", "fr"]]
)
def test_wrong_usage_leaves_with_2(capsys, wrong):
    assert run(capsys, *wrong)[0] == 2


def test_faults_are_printed_and_written_whole(capsys, tmp_path, study):
    csv = tmp_path / "faults.csv"
    status, printed, _ = run(capsys, "validate", "somewhere", "--csv", str(csv))
    assert (status, printed.strip()) == (1, "1 个问题")
    assert csv.read_bytes().startswith(b"\xef\xbb\xbf")
    assert pd.read_csv(csv).astype(str).equals(FAULTS.astype(str))
    assert [p.name for p in tmp_path.iterdir()] == ["faults.csv"]


def test_a_sound_study_is_one_line(capsys, study):
    study.validate = lambda path: FAULTS.head(0)
    status, printed, _ = run(capsys, "--language", "en", "validate", "district")
    assert (status, printed) == (0, "district: sound, no faults.\n")


def test_a_fault_is_told_without_a_traceback(capsys, study):
    def refuse(path):
        raise NotebookError(
            Fault("甲", Text("没有", "is missing"), Text("请补", "Add it")),
            Fault("乙", Text("错", "b"), Text("改", "c")),
        )

    study.validate = refuse
    status, printed, told = run(capsys, "validate", "nowhere")
    assert (status, printed) == (1, "")
    assert told.splitlines() == ["1. 甲：没有。请补。", "2. 乙：错。改。"]


def test_a_file_that_cannot_be_written_is_told_without_a_traceback(capsys, tmp_path, study):
    status, _, told = run(capsys, "validate", "x", "--csv", str(tmp_path / "no" / "faults.csv"))
    assert status == 1 and "无法读取或写入" in told and "Traceback" not in told


def test_simulate_passes_its_numbers_on(capsys, tmp_path, study):
    called = []
    study.simulate.simulate = lambda out, **numbers: called.append((out, numbers))
    assert run(capsys, "simulate", str(tmp_path), "--schools", "3", "--terms", "2")[0] == 0
    assert called == [(tmp_path, {"schools": 3, "classes_per_school": 20, "terms": 2, "seed": 1, "surveys": None})]


def test_publish_of_nothing_is_a_fault(capsys, tmp_path):
    status, _, told = run(capsys, "publish", str(tmp_path / "none"))
    assert status == 1 and "没有这个文件夹" in told


def test_lab_without_a_folder_is_a_fault(capsys, tmp_path):
    status, _, told = run(capsys, "lab", str(tmp_path / "none"))
    assert status == 1 and "没有这个文件夹" in told


def test_a_missing_package_is_told_with_what_to_install(capsys, monkeypatch, tmp_path):
    import htresearch

    monkeypatch.setattr(htresearch, "publish", htresearch.publish)  # put back with the modules that are taken out
    monkeypatch.setitem(sys.modules, "nbclient", None)
    for name in [name for name in sys.modules if name.startswith("htresearch.publish")]:
        monkeypatch.delitem(sys.modules, name)
    status, _, told = run(capsys, "publish", str(tmp_path))
    assert status == 1 and 'pip install -e ".[all]"' in told


def test_demo_goes_the_whole_way(capsys, monkeypatch, tmp_path):
    import htresearch

    rows = pd.DataFrame({"x": range(1234)})
    panel = SimpleNamespace(student_terms=lambda measure: rows, class_terms=lambda measure: rows.head(5))
    fit = SimpleNamespace(tidy=lambda: pd.DataFrame({"term": ["training_hours"], "estimate": [0.0812]}))
    monkeypatch.setattr(htresearch, "open_study", lambda path: panel, raising=False)
    monkeypatch.setattr(htresearch, "fit_multilevel", lambda formula, frame: fit, raising=False)
    monkeypatch.setattr("htresearch.publish.build_site", lambda *a, **k: tmp_path / "site" / "index.html")
    status, printed, _ = run(capsys, "demo")
    assert status == 0
    assert "1,234" in printed and "0.0812" in printed and DEMO_FORMULA in printed
    assert printed.rstrip().endswith("index.html")


def test_the_language_of_the_test_before_is_gone():
    assert language.current() == "zh"


def test_instruments_are_checked(capsys, tmp_path):
    assert run(capsys, "validate", str(ROOT / "surveys"))[0] == 0
    (tmp_path / "mine.yaml").write_text("id: other\n", encoding="utf-8")
    status, told, _ = run(capsys, "validate", str(tmp_path))
    assert status == 1 and "mine.yaml" in told and "title" in told


def test_a_form_is_written_filled_and_taken_in(capsys, tmp_path):
    import htresearch as ht

    study = ht.simulate(tmp_path / "study", 1, 2, 1, measures=["run"])
    form = tmp_path / "form.xlsx"
    assert run(capsys, "template", str(study), "--table", "training", "--out", str(form))[0] == 0
    status, told, _ = run(capsys, "intake", str(form), "--study", str(study))
    assert status == 1 and "没有填写任何记录" in told


def test_taking_answers_in_names_all_that_is_lacking(capsys, tmp_path):
    form = str(ROOT / "surveys/head_teacher.yaml")
    status, _, told = run(capsys, "intake", "a.xlsx", "--study", str(tmp_path / "s"), "--instrument", form)
    assert status == 1 and "--wave" in told and "--key" in told and "--linkage" in told
    assert not list(tmp_path.iterdir())


def test_check_prints_a_table_and_leaves_with_1_at_a_fault(capsys, tmp_path):
    import nbformat

    (tmp_path / "names.txt").write_text("顾晓岚\n", encoding="utf-8")
    for name, text in (("a", "好"), ("b", "顾晓岚")):
        cells = [nbformat.v4.new_markdown_cell(text)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    how = "--no-run", "--roster", str(tmp_path / "names.txt")
    status, out, err = run(capsys, "check", str(tmp_path), *how)
    assert status == 1 and "b.ipynb，第 1 个单元格" in out and "顾晓岚" not in out + err
    assert run(capsys, "check", str(tmp_path / "a.ipynb"), *how)[0] == 0
    assert run(capsys, "check", str(tmp_path / "nowhere"))[0] == 1
