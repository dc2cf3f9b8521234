"""Read an SPSS or Stata file in a process of its own: ``python labelled_reader.py FILE KIND RESULT MOST_CELLS``.

The library behind it is written in C and can be brought down by a damaged file, or made to ask for all the memory
there is; here neither touches the session. What was read is handed over as an Arrow file: its columns (one that mixes
numbers and letters, as Stata's missing values do, as two) and, as JSON, its labels. This file runs by itself and
imports nothing of the package.
"""

import json
import sys
from pathlib import Path

_MEMORY = 4_000_000_000
_ENCODINGS = (None, "gb18030")
TOO_LARGE, UNREADABLE = 3, 4


def main(path: str, kind: str, result: str, most_cells: int) -> int:
    """Read the file, write the result, and return how it went."""
    _bound()
    import pyreadstat

    reader = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
    for encoding in _ENCODINGS:
        try:
            _, meta = reader(path, metadataonly=True, encoding=encoding)
            limit = most_cells // max(meta.number_columns, 1)
            if (meta.number_rows or 0) > limit:
                return TOO_LARGE
            # One row more than may be: a file that does not say how many it has is found out all the same.
            table, meta = reader(
                path, user_missing=True, output_format="dict", encoding=encoding, row_limit=limit + 1
            )
        except Exception as error:  # noqa: BLE001  whatever it is, the file cannot be read
            if (
                isinstance(error, UnicodeDecodeError)
                or "encod" in str(error).lower()
                or "convert" in str(error).lower()
            ):
                continue
            return UNREADABLE
        if len(next(iter(table.values()), ())) > limit:
            return TOO_LARGE
        _write(table, meta, Path(result))
        return 0
    return UNREADABLE


def _bound() -> None:
    """Keep a hostile file from taking the machine's memory, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _write(table: dict, meta, result: Path) -> None:
    import pyarrow as pa

    arrays, names = [], []
    for name, values in table.items():
        for part, array in _arrays(list(values)):
            arrays.append(array)
            names.append(json.dumps([name, part]))
    told = {
        "columns": list(table),
        "headers": meta.column_names_to_labels or {},
        "labels": {name: list(labels.items()) for name, labels in (meta.variable_value_labels or {}).items()},
        "ranges": {name: [[r["lo"], r["hi"]] for r in rs] for name, rs in (meta.missing_ranges or {}).items()},
        "letters": {name: list(found) for name, found in (meta.missing_user_values or {}).items()},
    }
    schema = pa.schema(
        [pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)],
        {"told": json.dumps(told, default=str)},
    )
    with pa.ipc.new_file(str(result), schema) as file:
        file.write_table(pa.table(arrays, schema=schema))


def _arrays(values: list):
    """Yield a column as Arrow arrays: one, or of a mixture its texts and its other values."""
    import pyarrow as pa

    try:
        yield "all", pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        yield "text", pa.array([v if isinstance(v, str) else None for v in values], pa.string())
        rest = [None if isinstance(v, str) else v for v in values]
        try:
            yield "all", pa.array(rest, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            yield "all", pa.array([None if v is None else str(v) for v in rest], pa.string())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
