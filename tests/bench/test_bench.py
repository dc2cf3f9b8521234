"""The benchmark runs programs in processes of their own and says what came of it."""

import pandas as pd
import pytest

from htresearch import bench, cli
from htresearch.bench import tasks
from htresearch.bench.run import _timed
from htresearch.bench.tasks import Task

TIMES = pd.DataFrame(
    [
        ("nested 1 M", 1_000_000, "htresearch", "fit", 2.0, 0.25, 400.0, 1.0, ""),
        ("nested 1 M", 1_000_000, "glmm", "fit", 1.0, 0.75, 600.0, None, ""),
        ("nested 1 M", 1_000_000, "lme4", "fit", 20.0, None, 900.0, 1.0, ""),
        ("nested 1 M", 1_000_000, "statsmodels", "fit", None, None, None, None, "> 900 s"),
    ],
    columns=["task", "rows", "program", "step", "cold", "warm", "megabytes", "criterion", "trouble"],
)


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Task:
    return tasks.inference(tasks.district(tmp_path_factory.mktemp("bench"), 3000))


def test_a_district_is_the_same_every_time(tmp_path):
    first = tasks.district(tmp_path, 3000)
    again = tasks.district(tmp_path.with_name(f"{tmp_path.name}_again"), 3000)
    pd.testing.assert_frame_equal(first.frame(), again.frame())
    assert first.rows == len(first.frame())
    assert len(first.frame()[["school", "class"]].drop_duplicates()) == first.frame()["class"].nunique()


def test_each_step_is_timed(task, tmp_path):
    rows = pd.DataFrame(_timed(task, "htresearch", 2, 120, tmp_path))
    assert rows["step"].tolist() == ["load", "fit", "kenward-roger", "cr2"]
    assert (rows["trouble"] == "").all()
    assert (rows["cold"] > 0).all() and (rows.loc[1:, "warm"] > 0).all()


def test_a_program_that_takes_too_long_is_stopped_and_named(task, tmp_path):
    (row,) = _timed(task, "htresearch", 1, 0.05, tmp_path)
    assert row["trouble"] == "> 0.05 s"


def test_a_program_that_fails_says_why(task, tmp_path):
    broken = Task(task.name, ["no-such-file.parquet"], 1, task.formula)
    (row,) = _timed(broken, "htresearch", 1, 60, tmp_path)
    assert "no-such-file" in row["trouble"]


def test_ratios_compare_warm_times_and_cold_ones_where_there_is_no_other():
    assert bench.ratios(TIMES)["ratio"].tolist()[:3] == [1.0, 3.0, 80.0]


def test_the_table_and_the_figure_show_every_program():
    plain = bench.table(TIMES).plain
    assert all(name in plain for name in TIMES["program"]) and "> 900 s" in plain
    drawn = [line.get_label() for line in bench.figure(TIMES).get_lines()]
    assert drawn == ["htresearch", "glmm", "lme4"]


def test_the_command_writes_table_and_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "run", lambda *given: TIMES)
    with pytest.raises(SystemExit) as left:
        cli.main(["bench", str(tmp_path / "out"), "--rows", "3000"])
    assert not left.value.code
    assert "glmm" in capsys.readouterr().out
    assert (tmp_path / "out" / "engine_speed.csv").read_text(encoding="utf-8-sig").startswith("task,rows,program")
    assert (tmp_path / "out" / "engine_speed.png").read_bytes().startswith(b"\x89PNG")
