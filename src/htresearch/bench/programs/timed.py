"""Time one program on one task, in a process of its own.

    python timed.py PROGRAM.py REPEATS < task.json

prints a line of JSON for every timed step. The program has a generator function named for the first step, which
yields a number of the result as each step is done, and may have `load`, from the task to what that function takes.
This file and the programs but ours know nothing of htresearch, so that another Python can run them.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
import warnings
from pathlib import Path

#: Seconds after which a task is not repeated.
PATIENCE = 60


def main() -> None:
    """Run the program and print the times."""
    # Beside this file lie programs named for the packages that they use.
    sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]
    program, repeats, task = sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)
    warnings.simplefilter("ignore")
    does = runpy.run_path(program)
    began = time.perf_counter()
    data = does.get("load", frame)(task)
    say("load", 0, time.perf_counter() - began, None)
    for repeat in range(repeats):
        start = time.perf_counter()
        if repeat and start - began > PATIENCE:
            break
        values = does[task["steps"][0].replace(" ", "_")](data, task)
        for step, value in zip(task["steps"], values):  # noqa: B905
            say(step, repeat, time.perf_counter() - start, value)
            start = time.perf_counter()


def frame(task: dict) -> object:
    """Return the rows of the task as a pandas frame."""
    import pandas as pd

    return pd.concat([pd.read_parquet(file) for file in task["files"]], ignore_index=True)


def say(step: str, repeat: int, seconds: float, value: float | None) -> None:
    """Print what was timed."""
    value = None if value is None else float(value)
    line = {"step": step, "repeat": repeat, "seconds": seconds, "value": value, "megabytes": peak()}
    print(json.dumps(line), flush=True)


def peak() -> float | None:
    """Return the most memory that the process has held; Windows does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone; what `resource` tells begins with that of the parent
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
