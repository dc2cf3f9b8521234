"""The programs that are timed side by side: what each can do, and how it is started."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from htresearch.bench.tasks import Task

PROGRAMS = Path(str(files("htresearch.bench.programs")))


@dataclass(frozen=True)
class Peer:
    """A program.

    Attributes
    ----------
    program : str
        The file in `programs` that asks it.
    package : str
        What must be installed.
    can : frozenset of str
        What it can do: first steps, and what tasks need besides.
    most : int
        Rows beyond which it is not asked: it would take hours or all memory.
    slow : frozenset of str
        What it takes minutes for.
    given : mapping
        What its file is told besides.
    """

    program: str
    package: str
    can: frozenset[str]
    most: int = 10**9
    slow: frozenset[str] = frozenset()
    given: Mapping[str, object] = field(default_factory=dict)

    def takes(self, task: Task, slow: bool) -> bool:
        """Whether it can be asked this."""
        can = self.can | self.slow if slow else self.can
        return task.rows <= self.most and {task.steps[0], *task.needs} <= can

    def installed(self, python: str) -> bool:
        """Whether the package is there."""
        return _installed(self.program, self.package, python)

    def command(self, task: Task, repeats: int, folder: Path, python: str) -> list[str]:
        """Return what starts it."""
        program = PROGRAMS / self.program
        if program.suffix == ".py":
            return [python, str(PROGRAMS / "timed.py"), str(program), str(repeats)]
        told = [f"{name}={_plain(value)}" for name, value in task.given.items()]
        about = (str(_columns(task, folder)), ",".join(task.steps), str(repeats))
        return ["Rscript", "--vanilla", str(PROGRAMS / "timed.R"), str(program), *about, *told]


def _can(*what: str) -> frozenset[str]:
    return frozenset(what)


_FRAMES = 20_000_000
#: By the name that tables show.
PEERS = {
    "htresearch": Peer(
        "htresearch.py",
        "htresearch",
        _can("fit", "inference", "repeated")
        | _can("open workbook", "read", "take in")
        | _can("score", "alpha", "polychoric", "efa", "cfa", "invariance")
        | _can("reversal", "turns")
        | _can("all indicators", "some indicators"),
    ),
    "htresearch, frame": Peer(
        "htresearch.py", "htresearch", _can("fit", "crossed", "text", "kenward-roger"), _FRAMES, given={"frame": True}
    ),
    "glmm": Peer("glmm.py", "glmm", _can("fit", "crossed", "text"), _FRAMES),
    "mixedlm": Peer("mixedlm.py", "mixedlm", _can("fit", "crossed", "text"), 2_000_000),
    "statsmodels": Peer("statsmodels.py", "statsmodels", _can("fit", "text"), 100_000),
    "lme4": Peer("lme4.R", "lme4", _can("fit", "crossed", "text"), 2_000_000, _can("kenward-roger")),
    "pandas, calamine": Peer("pandas.py", "python_calamine", _can("open workbook"), given={"reader": "calamine"}),
    "pandas, openpyxl": Peer("pandas.py", "openpyxl", _can("open workbook"), given={"reader": "openpyxl"}),
    "pandas": Peer("pandas.py", "pandas", _can("some indicators")),
    "semopy": Peer("semopy.py", "semopy", _can("polychoric", "cfa")),
    "factor_analyzer": Peer("factor_analyzer.py", "factor_analyzer", _can("efa", "cfa")),
    "pingouin": Peer("pingouin.py", "pingouin", _can("alpha")),
    "scipy": Peer("scipy.py", "scipy", _can("turns")),
    "psych": Peer("psych.R", "psych", _can("score", "alpha", "polychoric", "efa")),
    "lavaan": Peer("lavaan.R", "lavaan", _can("polychoric", "cfa", "invariance")),
}


@cache
def _installed(program: str, package: str, python: str) -> bool:
    if program.endswith(".R"):
        if not shutil.which("Rscript"):
            return False
        asked = f"quit(status = !requireNamespace('{package}', quietly = TRUE))"
        command = ["Rscript", "--vanilla", "-e", asked]
    else:
        asked = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{package}') is None)"
        command = [python, "-c", asked]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _plain(value: object) -> str:
    """Write a value for R: a list by spaces, lines by semicolons."""
    return " ".join(value) if isinstance(value, list) else str(value).replace("\n", "; ")


def _columns(task: Task, folder: Path) -> Path:
    """Write the columns where R reads them fastest, numbers as they stand in memory."""
    made = folder / f"{Path(task.files[0]).stem}_columns"
    made.mkdir(exist_ok=True)
    frame, listed = pd.concat([pd.read_parquet(file) for file in task.files], ignore_index=True), []
    for i, (name, column) in enumerate(frame.items()):
        number = name not in task.categories
        values = column.to_numpy("float64") if number else pd.factorize(column, sort=True)[0].astype("int32")
        (made / f"{i}.bin").write_bytes(values.tobytes())
        listed.append(f"{name}\t{'number' if number else 'category'}\t{len(frame)}")
    (made / "columns.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
    return made
