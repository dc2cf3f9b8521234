"""SPSS and Stata files: what a value means stands in the file itself, as labels and as declared missing values."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from htresearch.errors import Fault, IntakeError
from htresearch.intake import labelled_reader
from htresearch.intake.export import Column, Export, Layout, fact_of
from htresearch.intake.limits import MOST_CELLS
from htresearch.intake.spreadsheet import LAYOUT as PLAIN
from htresearch.language import Text

#: How a file begins: SPSS (plain and zipped), Stata 13 and later.
_STARTS = {b"$FL2": "sav", b"$FL3": "sav", b"<sta": "dta"}
_OLD_STATA = range(0x69, 0x74)
#: How long a file of the largest size that is read could take.
_SECONDS = 600


def kind(start: bytes) -> str | None:
    """Return ``"sav"`` or ``"dta"`` where a file begins like one."""
    start = start[:4]
    if start in _STARTS:
        return _STARTS[start]
    # Stata up to 12 begins with its version, the byte order and a one.
    return "dta" if len(start) == 4 and start[0] in _OLD_STATA and start[1] in (1, 2) and start[2] == 1 else None


def read(path: Path, source: str) -> Export:
    """Read a labelled file.

    Raises
    ------
    IntakeError
        If it cannot be read, or is too large to be read safely.
    """
    table, told = _read(path, source)
    columns = [_column(name, table, told) for name in told["columns"]]
    rows = table.num_rows
    layout = Layout(source, PLAIN.facts, (), ())
    facts: dict[str, Column] = {}
    questions = []
    for column in columns:
        fact = fact_of(layout, column.place) or fact_of(layout, column.header)
        if fact is not None and fact not in facts:
            facts[fact] = column
        else:
            questions.append(column)
    return Export(path, source, rows, facts, tuple(questions), (), ("label",), False, range(1, rows + 1))


def _read(path: Path, source: str) -> tuple[pa.Table, dict]:
    """Have the file read in another process, which a damaged one may bring down."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "read.arrow"
        command = [sys.executable, labelled_reader.__file__, str(path), source, str(result), str(MOST_CELLS)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            done = labelled_reader.UNREADABLE
        if done == labelled_reader.TOO_LARGE:
            raise IntakeError(_too_large(path))
        if done != 0 or not result.is_file():
            raise IntakeError(_unreadable(path, source))
        with pa.OSFile(str(result)) as file:
            table = pa.ipc.open_file(file).read_all()
    return table, json.loads(table.schema.metadata[b"told"])


def _column(name: str, table: pa.Table, told: dict) -> Column:
    parts = [
        table[part] for part in (json.dumps([name, kind]) for kind in ("text", "all")) if part in table.column_names
    ]

    def cells() -> np.ndarray:
        read = np.full(table.num_rows, None, dtype=object)
        for part in parts:
            listed = part.to_pylist()
            read[:] = [new if old is None else old for old, new in zip(read, listed, strict=True)]
        return read

    return Column(
        header=told["headers"].get(name) or name,
        place=name,
        read=cells,
        locate=lambda i: Text(f"{name} 第 {i + 1} 行", f"{name}, row {i + 1}"),
        labels=dict(told["labels"].get(name, ())),
        missing=_declared(told["ranges"].get(name, ()), told["letters"].get(name, ())),
        variable=name,
    )


def _declared(ranges: list, letters: list) -> Callable[[object], bool] | None:
    """Return what says of a value whether the file declares it missing: ranges in SPSS, letters in Stata."""
    if not ranges and not letters:
        return None

    def missing(value: object) -> bool:
        if isinstance(value, str):
            return value in letters or any(value == low for low, _ in ranges)
        numbers = isinstance(value, int | float)
        return numbers and any(not isinstance(low, str) and low <= value <= high for low, high in ranges)

    return missing


def _unreadable(path: Path, source: str) -> Fault:
    return Fault(
        path.name,
        Text(f"不是可读的 .{source} 文件，可能已损坏", f"is no readable .{source} file and may be damaged"),
        Text(
            "请在 SPSS 或 Stata 中另存一份，或导出为 xlsx",
            "Save it again from SPSS or Stata, or export it as xlsx",
        ),
    )


def _too_large(path: Path) -> Fault:
    return Fault(
        path.name,
        Text(
            f"总格数超过一次能读的 {MOST_CELLS:,} 格",
            f"holds more than the {MOST_CELLS:,} cells that can be read at once",
        ),
        Text("请只留需要的变量，或按行拆分", "Keep the variables that are needed, or split its rows"),
    )
