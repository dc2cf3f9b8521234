"""Writing a simulated district as a study, with its truth kept apart."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from htresearch import checks, language
from htresearch.atomic import new_folder
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.study import package
from htresearch.study.answers import HIDDEN, Surveys
from htresearch.study.district import MEASURES, District
from htresearch.study.reading import TRUTH
from htresearch.study.schema import schema
from htresearch.study.truth import Truth

if TYPE_CHECKING:
    from htresearch.study.schema import Table

_ARROW = {"date": pa.date32(), "boolean": pa.bool_(), "integer": pa.int32(), "number": pa.float64()}
_ROWS_HELD = 500_000


def simulate(
    out: str | Path,
    schools: int = 26,
    classes_per_school: int = 20,
    terms: int = 4,
    seed: int = 1,
    *,
    selection: float = 1.0,
    luck: float | None = None,
    sorting: float | None = None,
    measures: Collection[str] = MEASURES,
    surveys: str | Path | None = None,
) -> Path:
    """Write a simulated district: a study as it would come from the field, and what is true in it.

    Outcomes follow a stated process in which better head teachers are promoted, trained and given abler classes, so
    that a naive comparison is visibly wrong. Every parameter is in ``OUT/truth.json``; each teacher's and class's
    hidden values are in ``OUT/truth/``, which `open_study` never reads.

    Parameters
    ----------
    out
        A folder that does not exist yet or is empty.
    schools, classes_per_school, terms
        Size. A class has about 44 pupils; the last term is the spring of 2025 for an even number of terms.
    seed
        Seed of the random numbers: the same seed and size give the same study.
    selection
        How strongly the hidden quality of head teachers drives training, tiers, appraisal and classes: 1 as usual,
        0 not at all, so that even a naive comparison is right.
    luck
        How much of the appraisal is this year's luck of the class (default 0.1). At 1, promotion follows a lucky
        year, and the term before it stands out.
    sorting
        How strongly abler pupils gather with better head teachers, in SD per SD (default 0.18).
    measures
        Which of maths, chinese, run, habits_rating and conduct to assess.
    surveys
        Folder of the instruments that head teachers, pupils and parents answer in every second term; None for no
        surveys. All other tables are the same with and without them. Who answered when, how long and how carelessly
        is in ``OUT/truth/``, loadings and thresholds in ``OUT/truth.json``.

    Returns
    -------
    pathlib.Path
        `out`. Nothing is left there if the simulation fails.

    Raises
    ------
    ArgumentError
        If a size is not a positive whole number, `out` holds something already, or `surveys` has no instrument.
    InstrumentError
        If an instrument breaks a rule.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = ht.simulate(folder + "/small", schools=2, classes_per_school=3, terms=2)
    ...     len(ht.open_study(out).frame("schools"))
    2
    """
    out = Path(out)
    given = {"selection": selection, "luck": luck, "sorting": sorting}
    checks.require(
        checks.integer("schools", schools, 1, 100_000),
        checks.integer("classes_per_school", classes_per_school, 1, 99),
        checks.integer("terms", terms, 1, 40),
        checks.integer("seed", seed, 0),
        *(checks.between(name, value, 0, 2) for name, value in given.items() if value is not None),
        *(checks.one_of("measures", measure, MEASURES) for measure in measures),
        _free(out),
    )
    truth = replace(Truth(), **{name: value for name, value in given.items() if value is not None})
    record, rounds = truth.as_record(), None
    if surveys is not None:
        rounds = Surveys(surveys, seed, truth)
        record["surveys"] = rounds.as_record()
    assessed = tuple(m for m in MEASURES if m in measures)
    district = District(schools, classes_per_school, terms, seed, truth, assessed, rounds)
    with new_folder(out, ours=_never) as made:
        (made / TRUTH).mkdir()
        _write(made, district)
        for name, columns in district.hidden():
            pq.write_table(pa.table(columns), made / TRUTH / f"{name}.parquet", compression="zstd")
        (made / "truth.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return out


def _never(_: Path) -> bool:
    """Say that no folder is ours to replace: a study is never overwritten."""
    return False


def _free(out: Path) -> Fault | None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    return Fault(
        checks.argument("out"),
        Text("已有内容", "holds something already"),
        Text("请换一个新文件夹，或先清空它", "Choose a new folder, or empty it first"),
        str(out),
    )


def _write(folder: Path, district: District) -> None:
    """Write every table as one Parquet file, then the package description and the codebook."""
    known = schema()
    writers: dict[str, _Writer] = {}
    try:
        for name, columns in district.tables():
            if name not in writers:
                hidden = HIDDEN.get(name.removeprefix(f"{TRUTH}/"))
                writers[name] = _Writer(folder / f"{name}.parquet", hidden or _columns(known.tables[name]))
            writers[name].add(columns)
    finally:
        for writer in writers.values():
            writer.close()
    files = {name: f"{name}.parquet" for name in known.tables if name in writers}
    title = Text("模拟的区：人工生成，不含任何真人", "A simulated district: generated, no real person in it")
    described = package.descriptor(known, files, title, "CC0-1.0")
    (folder / package.DESCRIPTOR).write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for spoken, file in (("zh", "CODEBOOK.zh-CN.md"), ("en", "CODEBOOK.md")):
        with language.speaking(spoken):
            (folder / file).write_text(package.codebook(known, files), "utf-8")


def _columns(table: Table) -> pa.Schema:
    return pa.schema([(c.name, _ARROW.get(c.type, pa.string())) for c in table.columns])


class _Writer:
    """Collect the pieces of a table and write them in row groups, so that memory does not grow with the study."""

    def __init__(self, path: Path, schema: pa.Schema):
        self.schema = schema
        self.file = pq.ParquetWriter(path, self.schema, compression="zstd", compression_level=9)
        self.held: list[pa.Table] = []
        self.rows = 0

    def add(self, columns: dict[str, np.ndarray]) -> None:
        arrays = [_array(columns[field.name], field.type) for field in self.schema]
        self.held.append(pa.table(arrays, self.schema))
        self.rows += self.held[-1].num_rows
        if self.rows >= _ROWS_HELD:
            self.flush()

    def flush(self) -> None:
        if self.rows:
            self.file.write_table(pa.concat_tables(self.held), row_group_size=self.rows)
        self.held, self.rows = [], 0

    def close(self) -> None:
        self.flush()
        self.file.close()


def _array(values: np.ndarray | pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    return pa.array(values, kind, from_pandas=True)  # NaN and None are missing
