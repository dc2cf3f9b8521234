"""The benchmark runs programs in processes of their own and says what came of it."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from shutil import which

import pandas as pd
import pytest
from scipy import stats

from htresearch import bench, cli, intake, scales
from htresearch.bench import answers, engine
from htresearch.bench import corps as corps_tasks
from htresearch.bench import intake as intake_tasks
from htresearch.bench import scales as scales_tasks
from htresearch.bench import singlecase as singlecase_tasks
from htresearch.bench.peers import PEERS, PROGRAMS
from htresearch.bench.run import _reason, timed
from htresearch.bench.tasks import Task
from htresearch.cli.bench import Group
from htresearch.errors import ArgumentError

TIMES = pd.DataFrame(
    [
        ("engine", "nested 1 M", 1_000_000, "htresearch", "fit", 2.0, 0.25, 400.0, 1.0, ""),
        ("engine", "nested 1 M", 1_000_000, "glmm", "fit", 1.0, 0.75, 600.0, None, ""),
        ("engine", "nested 1 M", 1_000_000, "lme4", "fit", 20.0, None, 900.0, 1.0, ""),
        ("engine", "nested 1 M", 1_000_000, "statsmodels", "fit", None, None, None, None, "> 900 s"),
        ("scales", "alpha, 100 k", 100_000, "htresearch", "alpha", 1.0, 0.1, 400.0, 0.9, ""),
        ("scales", "alpha, 100 k", 100_000, "psych", "alpha", 2.0, 0.5, 400.0, 0.9, ""),
    ],
    columns=["group", "task", "rows", "program", "step", "cold", "warm", "megabytes", "value", "trouble"],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def fitting(folder) -> Task:
    return engine.inference(engine.district(folder, 3000))


def named(tasks: list[Task], step: str) -> Task:
    return next(task for task in tasks if task.steps[0] == step)


def test_a_district_is_the_same_every_time(tmp_path):
    first, again = (pd.read_parquet(engine.district(tmp_path / name, 3000).files[0]) for name in "ab")
    pd.testing.assert_frame_equal(first, again)
    assert engine.district(tmp_path / "a", 3000).rows == len(first)
    assert len(first[["school", "class"]].drop_duplicates()) == first["class"].nunique()


def test_each_step_is_timed(fitting, folder):
    rows = pd.DataFrame(timed(fitting, "htresearch", 2, 120, folder))
    assert rows["step"].tolist() == ["load", "fit", "kenward-roger", "cr2"]
    assert (rows["trouble"] == "").all()
    assert (rows["cold"] > 0).all() and (rows.loc[1:, "warm"] > 0).all()
    assert (rows["megabytes"] > 20).all()


def test_a_program_that_takes_too_long_is_stopped_and_named(fitting, folder):
    (row,) = timed(fitting, "htresearch", 1, 0.05, folder)
    assert row["trouble"] == "> 0.05 s"


def test_a_program_that_fails_says_why(fitting, folder):
    broken = replace(fitting, files=["no-such-file.parquet"])
    (row,) = timed(broken, "htresearch", 1, 60, folder)
    assert row["step"] == "fit" and "no-such-file" in row["trouble"]


def test_the_reason_is_the_last_line_of_python_and_the_error_of_r():
    assert _reason("Traceback:\n  File x\nKeyError: 's1_1'\n") == "KeyError: 's1_1'"
    said = "Loading\nError in f(x) : \n  it is missing\nCalls: f -> g\nExecution halted\n"
    assert _reason(said) == "Error in f(x) : it is missing"
    assert _reason("") == ""


class TestAnswers:
    def test_the_export_reads_back_as_the_answers(self, folder):
        task = named(intake_tasks.tasks(60, folder), "read")
        read = intake.read_responses(task.files[0], answers.instrument(), source="wenjuanxing")
        pd.testing.assert_frame_equal(read[answers.ITEMS].astype("int8"), answers.answers(60)[answers.ITEMS])

    def test_nobody_is_the_same_as_another(self):
        assert len({answers._who(n) for n in range(100_000)}) == 100_000

    def test_the_last_item_of_a_scale_points_the_other_way(self):
        frame, form = answers.answers(2000), answers.instrument()
        found = scales.alpha(scales.items_of(frame, form, "scale_1")).tidy()["estimate"][0]
        raw = scales.alpha(frame[answers.ITEMS[:10]]).tidy()["estimate"][0]
        assert found > 0.8 > raw


@pytest.mark.parametrize("step", ["open workbook", "read", "take in"])
def test_intake_is_timed_and_counts_its_rows(folder, step):
    task = named(intake_tasks.tasks(60, folder), step)
    (_, row) = timed(task, "htresearch", 1, 60, folder)
    assert (row["step"], row["value"], row["trouble"]) == (step, 60, "")


def here(name: str) -> bool:
    return PEERS[name].installed(sys.executable)


@pytest.mark.parametrize("name", ["htresearch", "psych", "lavaan"])
def test_programs_agree_on_scales(folder, name):
    if not here(name):
        pytest.skip(f"{name} is not installed")
    tasks = [task for task in scales_tasks.tasks(400, folder) if PEERS[name].takes(task, slow=False)]
    tasks = [task for task in tasks if task.steps[0] in ("score", "alpha", "invariance")]
    frame, form = pd.read_parquet(tasks[0].files[0]), answers.instrument()
    model = named(scales_tasks.tasks(400, folder), "invariance").given["model"]
    truth = {
        "score": scales.score(frame, form)["scale_1"].mean(),
        "alpha": scales.alpha(frame[answers.ITEMS]).tidy()["estimate"][0],
        "invariance": scales.invariance(model, frame, "group").tidy()["chi2"].iloc[-1],
    }
    for task in tasks:
        row = timed(task, name, 1, 120, folder)[-1]
        assert row["value"] == pytest.approx(truth[task.steps[0]], rel=1e-5), row


@pytest.mark.parametrize("name", ["htresearch", "scipy"])
def test_programs_agree_on_randomisation_tests(folder, name):
    tasks = [task for task in singlecase_tasks.tasks(40, folder, turns=12) if PEERS[name].takes(task, slow=False)]
    assert {task.steps[0] for task in tasks} == ({"reversal", "turns"} if name == "htresearch" else {"turns"})
    found = {task.name: timed(task, name, 1, 120, folder)[-1] for task in tasks}
    assert not any(row["trouble"] for row in found.values())
    values = singlecase_tasks.series(12, by_turns=True)
    groups = [values.loc[values["treated"] == t, "value"].to_numpy() for t in (1, 0)]
    # Student's t is a good approximation of the exact p.
    expected = stats.ttest_ind(*groups, alternative="greater").pvalue
    assert found["turns, 12 records, mean"]["value"] == pytest.approx(expected, abs=0.02)


def test_the_programs_of_others_run_without_this_package():
    others = [path for path in PROGRAMS.glob("*.py") if path.stem not in ("__init__", "htresearch")]
    assert len(others) >= 8
    for path in others:
        assert not re.search(r"(import|from) htresearch", path.read_text(encoding="utf-8")), path


def test_another_python_is_asked(fitting, folder, tmp_path):
    task = replace(fitting, steps=["efa"], given={"items": [], "factors": 1})
    (row,) = timed(task, "factor_analyzer", 1, 60, folder, sys.executable)
    assert "factor_analyzer" in row["trouble"]
    with pytest.raises(FileNotFoundError):
        timed(task, "factor_analyzer", 1, 60, folder, str(tmp_path / "python"))


def test_timing_needs_nothing_but_python(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("def load(task):\n    return 2\ndef do_it(data, task):\n    yield data\n    yield None\n")
    task = json.dumps({"steps": ["do it", "more"], "files": [], "given": {}})
    command = [sys.executable, "-I", str(PROGRAMS / "timed.py"), str(program), "2"]
    said = subprocess.run(command, input=task, capture_output=True, text=True, check=True).stdout.splitlines()
    lines = [json.loads(line) for line in said]
    assert [(line["step"], line["repeat"], line["value"]) for line in lines] == [
        ("load", 0, None),
        ("do it", 0, 2.0),
        ("more", 0, None),
        ("do it", 1, 2.0),
        ("more", 1, None),
    ]


@pytest.mark.skipif(not which("Rscript"), reason="R is not installed")
def test_r_counts_what_it_computes_late(fitting, folder, tmp_path):
    program = tmp_path / "program.R"
    program.write_text("does <- list(fit = function(frame) done({Sys.sleep(0.3); nrow(frame)}))\n")
    command = PEERS["lme4"].command(replace(fitting, steps=["fit"]), 1, folder, sys.executable)
    command[3] = str(program)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    step = json.loads(said[-1])
    assert step["value"] == fitting.rows and step["seconds"] > 0.25


def test_who_is_asked_what(folder):
    district = engine.district(folder, 3000)

    def asked(task: Task, slow: bool = False) -> list[str]:
        return [name for name, peer in PEERS.items() if peer.takes(task, slow)]

    everyone = ["htresearch", "htresearch, frame", "glmm", "mixedlm", "statsmodels", "lme4"]
    assert asked(district) == everyone
    assert asked(replace(district, rows=10_000_000)) == ["htresearch", "htresearch, frame", "glmm"]
    assert asked(engine.repeated(district, 4)) == asked(engine.inference(district)) == ["htresearch"]
    known = replace(district, needs=["text", "crossed"])
    assert asked(known) == ["htresearch, frame", "glmm", "mixedlm", "lme4"]
    slow = replace(district, needs=["text", "kenward-roger"])
    assert asked(slow) == ["htresearch, frame"] and asked(slow, slow=True) == ["htresearch, frame", "lme4"]


def test_groups_and_programs_that_are_unknown_are_named():
    with pytest.raises(ArgumentError) as refused:
        bench.run(only=["engin"], pythons={"semopi": "python3"})
    assert "engin" in str(refused.value) and "semopi" in str(refused.value)


def test_ratios_compare_warm_times_and_cold_ones_where_there_is_no_other():
    assert bench.ratios(TIMES)["ratio"].tolist()[:3] == [1.0, 3.0, 80.0]


def test_the_table_and_the_figures_show_every_program():
    plain = bench.table(TIMES).plain
    assert all(name in plain for name in TIMES["program"]) and "> 900 s" in plain
    drawn = [line.get_label() for line in bench.figure(TIMES[TIMES["group"] == "engine"]).get_lines()]
    assert drawn == ["htresearch", "glmm", "lme4"]
    ax = bench.figure(TIMES[TIMES["group"] == "scales"])
    assert [line.get_label() for line in ax.get_lines()] == ["htresearch", "psych"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["alpha, 100 k"]


def test_the_command_writes_a_table_and_a_figure_for_each_group(tmp_path, monkeypatch, capsys):
    given = []
    monkeypatch.setattr(bench, "run", lambda *args: given.extend(args) or TIMES)
    with pytest.raises(SystemExit) as left:
        cli.main(["bench", str(tmp_path / "out"), "--rows", "3000", "--python", "semopy=python3"])
    assert not left.value.code
    assert "glmm" in capsys.readouterr().out
    assert given[0] == [3000] and given[-2:] == [list(bench.GROUPS), {"semopy": "python3"}]
    for group in ("engine", "scales"):
        csv = (tmp_path / "out" / f"{group}_speed.csv").read_text(encoding="utf-8-sig")
        assert csv.startswith("task,rows,program")
        assert (tmp_path / "out" / f"{group}_speed.png").read_bytes().startswith(b"\x89PNG")


def test_a_python_without_a_name_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["bench", str(tmp_path / "out"), "--python", "python3"])
    assert left.value.code == 1
    assert "--python" in capsys.readouterr().err


def test_the_groups_of_the_command_are_those_that_can_be_run():
    assert [group.value for group in Group] == list(bench.GROUPS)


def test_indicators_by_hand_have_the_same_denominators(folder):
    task = named(corps_tasks.tasks(20, folder), "some indicators")
    ours, theirs = (timed(task, name, 1, 120, folder)[-1] for name in ("htresearch", "pandas"))
    assert (ours["trouble"], theirs["trouble"]) == ("", "")
    assert ours["value"] == theirs["value"] > 1000
