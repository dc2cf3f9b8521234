"""SPSS and Stata files: what a value means stands in the file itself, as labels and as declared missing values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from htresearch.errors import Fault, IntakeError
from htresearch.intake.export import Column, Export, Layout, fact_of
from htresearch.intake.spreadsheet import LAYOUT as PLAIN
from htresearch.intake.workbook import MOST_CELLS
from htresearch.language import Text

#: How a file begins: SPSS (plain and zipped), Stata 13 and later.
_STARTS = {b"$FL2": "sav", b"$FL3": "sav", b"<sta": "dta"}
_OLD_STATA = range(0x69, 0x74)
_ENCODINGS = (None, "gb18030")


def kind(path: Path) -> str | None:
    """Return ``"sav"`` or ``"dta"`` where a file begins like one."""
    with path.open("rb") as file:
        start = file.read(4)
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
    table, meta = _read(path, source)
    rows = len(next(iter(table.values()), ()))
    columns = [_column(name, table, meta) for name in table]
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


def _read(path: Path, source: str):
    import pyreadstat

    reader = pyreadstat.read_sav if source == "sav" else pyreadstat.read_dta
    for encoding in _ENCODINGS:
        try:
            _, meta = reader(str(path), metadataonly=True, encoding=encoding)
            limit = MOST_CELLS // max(meta.number_columns, 1)
            if (meta.number_rows or 0) > limit:
                raise IntakeError(_too_large(path, meta))
            # One row more than may be: a file that does not say how many rows it has is found out all the same.
            table, meta = reader(
                str(path), user_missing=True, output_format="dict", encoding=encoding, row_limit=limit + 1
            )
        except UnicodeDecodeError:
            continue
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OverflowError, OSError) as error:
            if "encod" in str(error).lower() or "convert" in str(error).lower():
                continue
            raise IntakeError(_unreadable(path, source)) from None
        if len(next(iter(table.values()), ())) > limit:
            raise IntakeError(_too_large(path, meta))
        return table, meta
    raise IntakeError(_unreadable(path, source))


def _column(name: str, table: dict[str, list], meta) -> Column:
    def cells() -> np.ndarray:
        read = np.empty(len(table[name]), dtype=object)
        read[:] = [None if v is None or v != v else v for v in table[name]]
        return read

    return Column(
        header=meta.column_names_to_labels.get(name) or name,
        place=name,
        read=cells,
        locate=lambda i: Text(f"{name} 第 {i + 1} 行", f"{name}, row {i + 1}"),
        labels=meta.variable_value_labels.get(name, {}),
        missing=_declared(meta, name),
        variable=name,
    )


def _declared(meta, name: str) -> Callable[[object], bool] | None:
    """Return what says of a value whether the file declares it missing: ranges in SPSS, letters in Stata."""
    ranges = meta.missing_ranges.get(name, ()) if meta.missing_ranges else ()
    letters = meta.missing_user_values.get(name, ()) if meta.missing_user_values else ()
    if not ranges and not letters:
        return None

    def missing(value: object) -> bool:
        if isinstance(value, str):
            return value in letters or any(value == r["lo"] for r in ranges)
        return any(not isinstance(r["lo"], str) and r["lo"] <= value <= r["hi"] for r in ranges)

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


def _too_large(path: Path, meta) -> Fault:
    return Fault(
        path.name,
        Text(
            f"有 {meta.number_columns:,} 列，总格数超过一次能读的 {MOST_CELLS:,} 格",
            f"has {meta.number_columns:,} columns and more than the {MOST_CELLS:,} cells that can be read at once",
        ),
        Text("请只留需要的变量，或按行拆分", "Keep the variables that are needed, or split its rows"),
    )
