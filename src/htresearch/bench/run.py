"""Run every program on every task, each in a process of its own, and keep what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from htresearch import checks
from htresearch.bench import corps, engine, intake, scales, singlecase
from htresearch.bench.peers import PEERS
from htresearch.bench.tasks import Task
from htresearch.language import Text

#: What can be timed, and with how many rows unless others are asked for.
GROUPS = {
    "engine": engine.SIZES,
    "intake": (100_000,),
    "scales": (100_000,),
    "singlecase": singlecase.SIZES,
    "corps": corps.SIZES,
}

Progress = Callable[[int, int, str], None]


def run(
    sizes: Iterable[int] | None = None,
    repeats: int = 3,
    limit: int = 900,
    slow: bool = False,
    folder: Path | None = None,
    progress: Progress | None = None,
    only: Iterable[str] = tuple(GROUPS),
    pythons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Time this project and what else is installed, side by side.

    Parameters
    ----------
    sizes
        Rows of the simulated data, about; each group has its own unless given.
    repeats
        How often each task is done; the first one is cold, the fastest of the others warm. A program that has taken a
        minute is not asked again.
    limit
        Seconds after which a program is stopped.
    slow
        Also what takes others minutes: pbkrtest on all grades of STAR.
    folder
        Where the data are kept, so that another run need not make them again; a temporary folder unless given.
    progress
        Is told how many runs are done, of how many, and the one now begun.
    only
        Which groups of tasks: ``"engine"``, ``"intake"``, ``"scales"``, ``"singlecase"``, ``"corps"``.
    pythons
        By the name of a program, the Python that has it where this one does not: some need older libraries.

    Returns
    -------
    pandas.DataFrame
        A row per task, program and step: group, task, rows, program, step, cold and warm seconds, megabytes held at
        most, value (a number of the result, by which programs can be compared), and trouble: what went wrong if
        something did.

    Raises
    ------
    ArgumentError
        If a group or a program is unknown.
    """
    pythons = dict(pythons or {})
    checks.require(
        *(checks.one_of("only", group, list(GROUPS)) for group in only),
        *(checks.one_of("pythons", name, list(PEERS)) for name in pythons),
    )
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return run(sizes, repeats, limit, slow, Path(made), progress, only, pythons)
    folder.mkdir(parents=True, exist_ok=True)
    if progress:
        progress(0, 1, str(Text("准备数据", "making the data")))
    asked = [
        (group, task, name)
        for group in only
        for task in _tasks(group, sizes or GROUPS[group], folder)
        for name, peer in PEERS.items()
        if peer.takes(task, slow) and peer.installed(pythons.get(name, sys.executable))
    ]
    found = []
    for done, (group, task, name) in enumerate(asked):
        if progress:
            progress(done, len(asked), f"{task.name}, {name}")
        rows = timed(task, name, repeats, limit, folder, pythons.get(name, sys.executable))
        found += [{"group": group, **row} for row in rows]
    if progress:
        progress(len(asked), len(asked), "")
    return pd.DataFrame(found)


def _tasks(group: str, sizes: Iterable[int], folder: Path) -> list[Task]:
    if group == "engine":
        return engine.tasks(sizes, folder)
    room = {"intake": intake, "scales": scales, "singlecase": singlecase, "corps": corps}[group]
    return [task for rows in sizes for task in room.tasks(rows, folder)]


def timed(task: Task, name: str, repeats: int, limit: int, folder: Path, python: str = sys.executable) -> list[dict]:
    """Run one program on one task and return a row per step."""
    peer = PEERS[name]
    command = peer.command(task, repeats, folder, python)
    given, trouble = replace(task, given={**task.given, **peer.given}).to_json(), ""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=limit, check=False)
        said = done.stdout
        if done.returncode:
            trouble = _reason(done.stderr) or f"exit {done.returncode}"
    except subprocess.TimeoutExpired as stopped:
        said = (stopped.stdout or b"").decode()
        trouble = f"> {limit} s"
    steps = pd.DataFrame([json.loads(line) for line in said.splitlines() if line.startswith("{")])
    about = {"task": task.name, "rows": task.rows, "program": name}
    if steps.empty or task.steps[0] not in set(steps["step"]):
        return [{**about, "step": task.steps[0], "trouble": trouble or "?"}]
    return [
        {
            **about,
            "step": step,
            "cold": times["seconds"].iloc[0],
            "warm": times["seconds"].iloc[1:].min(),
            "megabytes": times["megabytes"].max(),
            "value": times["value"].iloc[0],
            "trouble": trouble,
        }
        for step, times in steps.groupby("step", sort=False)
    ]


def _reason(said: str) -> str:
    """Return why a program stopped: Python says it last, R from the line on that begins with Error."""
    lines = said.strip().splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith("Error")), len(lines) - 1)
    return " ".join(line.strip() for line in lines[max(begin, 0) :] if not line.startswith(("Calls:", "Execution")))
