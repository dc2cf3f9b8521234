"""Where a study's tables live: a folder of Parquet or CSV files, or a DuckDB file, reached lazily.

DuckDB runs in process and reads Parquet where it lies. This is the only module that knows it: what leaves here are
Narwhals LazyFrames, so another store (Spark) has to offer the same few methods and nothing else changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import narwhals as nw

from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.study import package, reading
from htresearch.study.reading import ROW, Source
from htresearch.study.schema import Column, Schema, Table, schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: What follows a column's name where the cell as written is meant.
WRITTEN = " as written"
#: Types of a file's numbers that say in a double what their text says.
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "DOUBLE")
#: Types of which no value has blanks about it when it is written out.
_BARE = (*_NUMBERS[:-1], "DATE", "BOOLEAN")
_SQL_TYPES = {"date": "DATE", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}


def quote(name: str) -> str:
    """Quote an identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Store:
    """The tables of a study, as the schema types them and as they are written."""

    path: Path
    schema: Schema
    tables: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    refused: frozenset[str] = frozenset()  # tables whose files have faults
    _present: dict[str, frozenset[str]] = field(default_factory=dict)
    _connection: duckdb.DuckDBPyConnection | None = None
    _kept: set[str] = field(default_factory=set)

    def table(self, name: str) -> nw.LazyFrame:
        """Return a table typed by the schema."""
        columns = map(quote, self.schema.tables[name].names)
        return self._relation(f"SELECT {', '.join(columns)} FROM {quote(name)}")

    def cells(self, name: str) -> nw.LazyFrame:
        """Return a table typed, with its place in the file, and each cell as written as ``"NAME as written"``."""
        return self._relation(f"SELECT * FROM {quote(name)}")

    def has(self, table: str, column: str) -> bool:
        """Tell whether the file holds the column at all."""
        return column in self._present[table]

    def lend(self, frame: pd.DataFrame | pa.Table) -> nw.LazyFrame:
        """Bring a small pandas frame or Arrow table to where the tables are, so that it can be joined to them."""
        import pyarrow as pa

        table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
        return nw.from_native(self._connection.from_arrow(table))

    def kept(self, name: str, make: Callable[[], nw.LazyFrame]) -> nw.LazyFrame:
        """Return what `make` gives, worked out the first time and kept where the tables are.

        For what many panels of a study have in common: to plan it anew takes longer than all else on a small study.
        It must depend on the study alone, and be no larger than its teachers or classes in their terms.
        """
        table = "kept " + name
        if table not in self._kept:
            make().to_native().create(table)
            self._kept.add(table)
        return self._relation(f"SELECT * FROM {quote(table)}")

    def batches(self, lazy: nw.LazyFrame, rows: int = 1_000_000) -> Iterator[pa.RecordBatch]:
        """Give a lazy table in parts, where all of it need not be in memory; take them all before asking anew."""
        return iter(lazy.to_native().to_arrow_reader(rows))

    def apart(self) -> Store:
        """Return the same tables by a connection of its own, to be read in a thread of its own."""
        return replace(self, _connection=_silenced(self._connection.cursor()))

    def _relation(self, query: str) -> nw.LazyFrame:
        return nw.from_native(self._connection.sql(query))


def open_store(path: str | Path) -> Store:
    """Find the tables of a study and make them readable; what is wrong with the files is kept as faults.

    Parameters
    ----------
    path
        A folder with one ``NAME.parquet``, ``NAME.csv`` (UTF-8) or sub-folder ``NAME/*.parquet`` a table, or a
        DuckDB file.
    """
    path = Path(path)
    known = schema()
    if not path.exists():
        return Store(path, known, (), (_no_such_place(path),))
    listed, faults = package.vocabularies(path, known)
    known = known.extend({name: values for name, values in listed.items() if name in known.vocabularies})
    connection = _connect()
    sources, misplaced = reading.find_files(path, known) if path.is_dir() else _attach(path, known, connection)
    faults += misplaced
    present: dict[str, frozenset[str]] = {}
    for name, source in sources.items():
        wrong, columns = _read(connection, known.tables[name], source)
        faults += wrong
        if not wrong:
            present[name] = columns
    if not sources and not faults:
        faults.append(_no_tables(path))
    ordered = tuple(name for name in known.tables if name in present)
    return Store(path, known, ordered, tuple(faults), frozenset(sources) - frozenset(present), present, connection)


def _no_such_place(path: Path) -> Fault:
    return Fault(
        str(path),
        Text("文件夹或文件不存在", "no such folder or file"),
        Text(
            "请检查路径；建立示例：htresearch simulate 文件夹",
            "Check the path; htresearch simulate FOLDER makes an example",
        ),
    )


def _no_tables(path: Path) -> Fault:
    return Fault(
        path.name,
        Text("里面没有任何数据表", "holds no table"),
        Text(
            "请放入 schools.csv、terms.csv 等文件，表名见编码手册",
            "Put files such as schools.csv and terms.csv there; the codebook lists the tables",
        ),
    )


def _connect() -> duckdb.DuckDBPyConnection:
    """Open DuckDB in process; ``HTRESEARCH_THREADS`` bounds its threads, so that published outputs repeat."""
    connection = _silenced(duckdb.connect(":memory:"))
    threads = os.environ.get("HTRESEARCH_THREADS", "")
    if threads.isdecimal() and int(threads) > 0:
        connection.execute(f"SET threads = {int(threads)}").fetchall()
    return connection


def _silenced(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Switch the progress bar off.

    Only where it is on: in a Jupyter without ipywidgets it is off, and even switching it off would ask for them.
    Results are fetched to their end everywhere here: an unfinished one would block the connection.
    """
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        connection.execute("SET enable_progress_bar = false").fetchall()
    return connection


def _attach(path: Path, known: Schema, connection) -> tuple[dict[str, Source], list[Fault]]:
    """Attach a DuckDB file read-only and find its tables and views."""
    try:
        connection.execute(f"ATTACH {_literal(str(path))} AS study (READ_ONLY)").fetchall()
        rows = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_catalog = 'study' ORDER BY 1, 2"
        ).fetchall()
    except duckdb.Error:
        return {}, [
            Fault(
                path.name,
                Text("不是可读的 DuckDB 文件", "is not a readable DuckDB file"),
                Text(
                    "请给出研究文件夹或 DuckDB 文件；若另一程序正在写入，请先关闭它",
                    "Give a study folder or a DuckDB file; close any program that is writing to it",
                ),
            )
        ]
    return reading.find_tables(rows, path.name, known)


def _read(connection, table: Table, source: Source) -> tuple[list[Fault], frozenset[str]]:
    """Make a view of a table, as typed and as written; return what is wrong, and the columns that are there."""
    if source.path is None:
        query, faults = f"SELECT row_number() OVER () AS {ROW}, * FROM {source.query}", []
    elif source.path.suffix.lower() == ".csv":
        rows, faults = reading.read_csv(source, table)
        if rows is not None:
            # CSV is read once and kept; Parquet and DuckDB stay where they are.
            connection.from_arrow(rows).create("file " + table.name)
        query = f"SELECT * FROM {quote('file ' + table.name)}"
    else:
        parts, faults = reading.check_parquet(source, table)
        listed = ", ".join(_literal(str(part)) for part in parts)
        query = (
            f"SELECT file_row_number + 1 AS {ROW}, * EXCLUDE (file_row_number) "
            f"FROM read_parquet([{listed}], file_row_number = true, union_by_name = true)"
        )
    if faults:
        return faults, frozenset()
    try:
        described = connection.execute(f"DESCRIBE {query}").fetchall()[1:]
        types = {name: kind for name, kind, *_ in described}
        if source.path is None and (faults := reading.check_header(source.where, table, list(types))):
            return faults, frozenset()
        shown = ", ".join(part for c in table.columns for part in _shown(c, types.get(c.name)))
        connection.execute(f"CREATE VIEW {quote(table.name)} AS SELECT {ROW}, {shown} FROM ({query})").fetchall()
    except duckdb.Error as error:
        return [_unreadable(source, error)], frozenset()
    return [], frozenset(types)


def _unreadable(source: Source, error: duckdb.Error) -> Fault:
    reason = str(error).split("\n")[0][:200]
    return Fault(
        source.where,
        Text(f"无法读取（{reason}）", f"cannot be read ({reason})"),
        Text("请重新导出", "Export it again"),
    )


def _shown(column: Column, kind: str | None) -> tuple[str, str]:
    """Return a column as the schema types it and as it is written."""
    text = _text(column, kind)
    return (
        f"{_typed(column, kind, text)} AS {quote(column.name)}",
        f"{text} AS {quote(column.name + WRITTEN)}",
    )


def _text(column: Column, kind: str | None) -> str:
    """Return a column as written: text without surrounding blanks, nothing where it is empty."""
    name = quote(column.name)
    if kind is None:
        return "NULL::VARCHAR"
    if kind in ("DOUBLE", "FLOAT"):  # NaN is how pandas writes a missing number
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS VARCHAR) END"
    if kind in _BARE:
        return f"CAST({name} AS VARCHAR)"
    trimmed = f"NULLIF(TRIM(CAST({name} AS VARCHAR)), '')"
    if kind != "VARCHAR" or column.type != "id":
        return trimmed
    # To trim millions of ids takes longer than to see that there is nothing to trim: with as many bytes as characters
    # no blank is possible but " ".
    bare = f"strlen({name}) = length({name}) AND NOT prefix({name}, ' ') AND NOT suffix({name}, ' ')"
    return f"CASE WHEN {bare} AND {name} <> '' THEN {name} ELSE {trimmed} END"


def _typed(column: Column, kind: str | None, text: str) -> str:
    """Return the expression that reads a written value, ``NULL`` where it cannot be read.

    What a file has in the schema's own type is taken as it is: by way of text it would be the same, only slower.
    """
    name, wanted = quote(column.name), _SQL_TYPES.get(column.type)
    if wanted is None:
        return text
    if wanted in ("BIGINT", "DOUBLE"):
        number = f"CAST({name} AS DOUBLE)" if kind in _NUMBERS else f"TRY_CAST({text} AS DOUBLE)"
        # A cast to BIGINT would round 3.7 to 4, and "inf" is a number to DuckDB.
        sound = f"isfinite({number})" + (f" AND {number} = floor({number})" if wanted == "BIGINT" else "")
        return f"CASE WHEN {sound} THEN TRY_CAST({number} AS {wanted}) END"
    if wanted == "DATE":  # DuckDB also knows days such as "epoch" and "infinity"
        if kind == "DATE":
            return f"CASE WHEN isfinite({name}) THEN {name} END"
        return f"CASE WHEN regexp_matches({text}, '^[0-9]') THEN TRY_CAST({text} AS DATE) END"
    return name if kind == wanted == "BOOLEAN" else f"TRY_CAST({text} AS {wanted})"
