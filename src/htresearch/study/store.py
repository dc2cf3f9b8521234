"""Where a study's tables live: a folder of Parquet or CSV files, or a DuckDB file, reached lazily.

DuckDB runs in process and reads the files where they lie. This is the only module that knows it: what leaves here
are Narwhals LazyFrames, so another store (Spark) has to offer the same few methods and nothing else changes.
"""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import narwhals as nw

from htresearch.checks import suggestion
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.study import package
from htresearch.study.schema import Column, Schema, Table, schema

if TYPE_CHECKING:
    import pandas as pd

#: Column that carries the place in the file: the line of a CSV file (the header is line 1), the row of other tables.
ROW = "_row"
#: What follows a column's name where the cell as written is meant.
WRITTEN = " as written"
#: Folder beside the tables that is never read: a simulated study keeps its hidden truth there.
TRUTH = "truth"
_SQL_TYPES = {"date": "DATE", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE"}
_IGNORED_SUFFIXES = {".json", ".md", ".html", ".txt"}


def quote(name: str) -> str:
    """Quote an identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Store:
    """The tables of a study as they are written (`raw`) and as the schema types them (`table`)."""

    path: Path
    schema: Schema
    tables: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    _present: dict[str, frozenset[str]] = field(default_factory=dict)
    _connection: duckdb.DuckDBPyConnection | None = None

    def table(self, name: str, row: bool = False) -> nw.LazyFrame:
        """Return a table typed by the schema; `row` keeps the place in the file as the column `ROW`."""
        columns = (*self.schema.tables[name].names, ROW) if row else self.schema.tables[name].names
        return self._relation(f"SELECT {', '.join(map(quote, columns))} FROM {quote(name)}")

    def has(self, table: str, column: str) -> bool:
        """Tell whether the file holds the column at all."""
        return column in self._present[table]

    def cells(self, name: str) -> nw.LazyFrame:
        """Return a table typed, with its place in the file, and each cell as written as ``"NAME as written"``."""
        return self._relation(f"SELECT * FROM {quote(name)}")

    def lend(self, frame: pd.DataFrame) -> nw.LazyFrame:
        """Bring a small pandas frame to where the tables are, so that it can be joined to them."""
        import pyarrow as pa

        return nw.from_native(self._connection.from_arrow(pa.Table.from_pandas(frame, preserve_index=False)))

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
        return _refused(
            path,
            known,
            Text("文件夹或文件不存在", "no such folder or file"),
            Text(
                "请检查路径；建立示例：htresearch simulate 目录",
                "Check the path; htresearch simulate FOLDER makes an example",
            ),
        )
    listed, faults = package.vocabularies(path, known) if path.is_dir() else ({}, [])
    known = known.extend({name: values for name, values in listed.items() if name in known.vocabularies})
    connection = _connect()
    sources = _folder(path, known, faults) if path.is_dir() else _database(path, known, connection, faults)
    present = {}
    for name, source in sources.items():
        columns = _attach(connection, known.tables[name], source, faults)
        if columns is not None:
            present[name] = columns
    if not present and not faults:
        faults.append(
            Fault(
                str(path.name),
                Text("里面没有任何数据表", "holds no table"),
                Text(
                    "请放入 schools.csv、terms.csv 等文件，表名见编码手册",
                    "Put files such as schools.csv and terms.csv there; the codebook lists the tables",
                ),
            )
        )
    ordered = tuple(name for name in known.tables if name in present)
    return Store(path, known, ordered, tuple(faults), present, connection)


def _connect() -> duckdb.DuckDBPyConnection:
    """Open DuckDB in process; ``HTRESEARCH_THREADS`` bounds its threads, so that published outputs repeat."""
    connection = duckdb.connect(":memory:")
    # Only where it is on: in a Jupyter without ipywidgets it is off, and even switching it off would ask for them.
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        connection.execute("SET enable_progress_bar = false").fetchall()
    threads = os.environ.get("HTRESEARCH_THREADS", "")
    if threads.isdecimal() and int(threads) > 0:
        connection.execute(f"SET threads = {int(threads)}").fetchall()
    return connection


def _refused(path: Path, known: Schema, rule: Text, fix: Text) -> Store:
    return Store(path, known, (), (Fault(str(path), rule, fix),))


# --- where the tables are -------------------------------------------------------------------------------------------


def _folder(path: Path, known: Schema, faults: list[Fault]) -> dict[str, Path]:
    """Return the file of each table; name the files that are none."""
    sources: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        name = file.stem if file.is_file() else file.name
        if file.name.startswith((".", "_", "~$")) or file.suffix in _IGNORED_SUFFIXES or file.name == TRUTH:
            continue
        if file.is_file() and file.suffix not in (".csv", ".parquet"):
            faults.append(
                Fault(
                    file.name,
                    Text("研究文件夹只读 Parquet 和 CSV", "a study folder holds Parquet or CSV"),
                    Text(
                        "请另存为“CSV UTF-8（逗号分隔）”，或移出该文件夹",
                        "Save it as “CSV UTF-8 (comma delimited)”, or move it out of the folder",
                    ),
                )
            )
        elif name not in known.tables:
            faults.append(_unknown_table(file.name, name, known))
        elif name in sources:
            faults.append(
                Fault(
                    file.name,
                    Text(f"数据表 {name} 有两个文件", f"table {name} has two files"),
                    Text(
                        f"请只留一个（另一个是 {sources[name].name}）",
                        f"Keep one of them (the other is {sources[name].name})",
                    ),
                )
            )
        else:
            sources[name] = file
    return sources


def _unknown_table(where: str, name: str, known: Schema) -> Fault:
    return Fault(
        where,
        Text("不是本研究格式中的数据表", "is not a table of a study"),
        suggestion(name, known.tables)
        or Text("可用的表名：{all}", "The tables are: {all}").format(all=listing(known.tables)),
    )


def _database(path: Path, known: Schema, connection, faults: list[Fault]) -> dict[str, str]:
    """Attach a DuckDB file read-only and return its tables."""
    try:
        connection.execute(f"ATTACH {_literal(str(path))} AS study (READ_ONLY)").fetchall()
    except duckdb.Error:
        faults.append(
            Fault(
                path.name,
                Text("不是可读的 DuckDB 文件", "is not a readable DuckDB file"),
                Text(
                    "请给出研究文件夹或 DuckDB 文件；若另一程序正在写入，请先关闭它",
                    "Give a study folder or a DuckDB file; close any program that is writing to it",
                ),
            )
        )
        return {}
    rows = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'study' ORDER BY 1"
    ).fetchall()
    faults += [_unknown_table(f"{path.name}: {name}", name, known) for (name,) in rows if name not in known.tables]
    return {name: f"study.{quote(name)}" for (name,) in rows if name in known.tables}


# --- how a table is read --------------------------------------------------------------------------------------------


def _attach(connection, table: Table, source: Path | str, faults: list[Fault]) -> frozenset[str] | None:
    """Make views of a table, as written and as typed; return the columns that are there, ``None`` if unreadable."""
    where = source.name if isinstance(source, Path) else f"{table.name}"
    before = len(faults)
    if isinstance(source, str):
        query = f"SELECT rowid + 1 AS {ROW}, * FROM {source}"
    elif source.suffix == ".csv":
        query = _csv_query(source, faults)
    else:
        query = _parquet_query(source, faults)
    if len(faults) > before:
        return None
    try:
        described = connection.execute(f"DESCRIBE {query}").fetchall()
    except duckdb.Error:
        faults.append(
            Fault(
                where,
                Text("不是可读的 Parquet 文件", "is not a readable Parquet file"),
                Text(
                    "请重新导出；若其实是 CSV，请把扩展名改为 .csv",
                    "Export it again; if it is really CSV, give it the ending .csv",
                ),
            )
        )
        return None
    types = {name: kind for name, kind, *_ in described if name != ROW}
    header = _header_faults(where, table, types)
    faults += header
    if header:
        return None
    text = [_text(c.name, types.get(c.name)) for c in table.columns]
    # A CSV file is read once and kept; Parquet and DuckDB stay where they are.
    kept = "TABLE" if isinstance(source, Path) and source.suffix == ".csv" else "VIEW"
    try:
        connection.execute(
            f"CREATE {kept} {quote('raw ' + table.name)} AS SELECT {ROW}, {', '.join(text)} FROM ({query})"
        ).fetchall()
    except duckdb.Error:
        faults.extend(
            _ragged(source)
            or [
                Fault(
                    where,
                    Text("不是可读的 CSV", "is not readable CSV"),
                    Text("请用逗号分隔、UTF-8 编码另存", "Save it comma-delimited in UTF-8"),
                )
            ]
        )
        return None
    typed = ", ".join(
        f"{_typed(c)} AS {quote(c.name)}, raw.{quote(c.name)} AS {quote(c.name + WRITTEN)}" for c in table.columns
    )
    connection.execute(
        f"CREATE VIEW {quote(table.name)} AS SELECT {ROW}, {typed} FROM {quote('raw ' + table.name)} AS raw"
    ).fetchall()
    return frozenset(types)


def _text(name: str, kind: str | None) -> str:
    """Return a column as written: text without surrounding blanks, nothing where it is empty."""
    column = quote(name)
    if kind is None:
        return f"NULL::VARCHAR AS {column}"
    if kind in ("DOUBLE", "FLOAT"):  # NaN is how pandas writes a missing number
        return f"CASE WHEN isnan({column}) THEN NULL ELSE CAST({column} AS VARCHAR) END AS {column}"
    return f"NULLIF(TRIM(CAST({column} AS VARCHAR)), '') AS {column}"


def _typed(column: Column) -> str:
    """Return the expression that reads a written value, ``NULL`` where it cannot be read."""
    text = f"raw.{quote(column.name)}"
    kind = _SQL_TYPES.get(column.type)
    if kind is None:
        return text
    if kind in ("BIGINT", "DOUBLE"):
        number = f"TRY_CAST({text} AS DOUBLE)"
        # A cast to BIGINT would round 3.7 to 4, and "inf" is a number to DuckDB.
        sound = f"isfinite({number})" + (f" AND {number} = floor({number})" if kind == "BIGINT" else "")
        return f"CASE WHEN {sound} THEN CAST({number} AS {kind}) END"
    return f"TRY_CAST({text} AS {kind})"


def _parquet_query(source: Path, faults: list[Fault]) -> str:
    parts = [source] if source.is_file() else sorted(source.glob("*.parquet"))
    for part in parts:
        with part.open("rb") as file:
            start = file.read(4)
        if start != b"PAR1":
            empty = part.stat().st_size == 0
            faults.append(
                Fault(
                    part.name,
                    Text("文件是空的", "the file is empty")
                    if empty
                    else Text("扩展名是 .parquet，内容却不是 Parquet", "ends in .parquet but is not Parquet"),
                    Text(
                        "请重新导出；若其实是 CSV，请把扩展名改为 .csv",
                        "Export it again; if it is really CSV, give it the ending .csv",
                    ),
                )
            )
    if not parts:
        faults.append(
            Fault(
                source.name,
                Text("文件夹里没有 Parquet 文件", "the folder holds no Parquet file"),
                Text("请放入 *.parquet 或删除该文件夹", "Put *.parquet there or remove the folder"),
            )
        )
    listed = ", ".join(_literal(str(part)) for part in parts)
    return (
        f"SELECT file_row_number + 1 AS {ROW}, * EXCLUDE (file_row_number) "
        f"FROM read_parquet([{listed}], file_row_number = true, union_by_name = true)"
    )


def _csv_query(source: Path, faults: list[Fault]) -> str:
    if source.stat().st_size == 0:
        faults.append(
            Fault(
                source.name,
                Text("文件是空的", "the file is empty"),
                Text("请重新导出，至少保留表头", "Export it again, with at least its header"),
            )
        )
        return ""
    if not _is_utf8(source):
        faults.append(
            Fault(
                source.name,
                Text("不是 UTF-8 编码（多半是 GBK）", "is not in UTF-8 (most likely GBK)"),
                Text(
                    "请在 Excel 或 WPS 中另存为“CSV UTF-8（逗号分隔）”",
                    "Save it from Excel or WPS as “CSV UTF-8 (comma delimited)”",
                ),
            )
        )
        return ""
    with source.open(encoding="utf-8-sig", newline="") as file:
        header = [name.strip() for name in next(csv.reader(file))]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        faults.append(
            Fault(
                source.name,
                Text("{all} 这一列出现了两次", "column {all} stands twice").format(all=listing(twice)),
                Text("请删去多余的一列", "Remove one of them"),
            )
        )
        return ""
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in header)
    return (
        f"SELECT row_number() OVER () + 1 AS {ROW}, * FROM read_csv({_literal(str(source))}, header = true, "
        f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {{{columns}}})"
    )


def _is_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _ragged(source: Path) -> list[Fault]:
    """Name the lines of a CSV file that have too many or too few cells."""
    return [
        Fault(
            Text(f"{source.name} 第 {line} 行", f"{source.name} line {line}"),
            Text(f"有 {found} 格，表头有 {wanted} 格", f"has {found} cells, the header has {wanted}"),
            Text("请检查该行的逗号和引号", "Check the commas and quotation marks of the line"),
        )
        for line, found, wanted in _uneven_lines(source)
    ][:20]


def _uneven_lines(source: Path) -> Iterator[tuple[int, int, int]]:
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        wanted = len(next(reader))
        for cells in reader:
            if cells and len(cells) != wanted:
                yield reader.line_num, len(cells), wanted


def _header_faults(where: str, table: Table, present: dict[str, str]) -> list[Fault]:
    unknown = [name for name in present if name not in table.names]
    missing = [c.name for c in table.columns if not c.optional and c.name not in present]
    return [
        Fault(
            where,
            Text(f"没有“{name}”这一列的定义", f"column {name!r} is not part of the table"),
            suggestion(name, table.names)
            or Text("可用的列：{all}", "The columns are: {all}").format(all=listing(table.names)),
        )
        for name in unknown
    ] + [
        Fault(
            where,
            Text(f"缺少“{name}”这一列", f"column {name!r} is missing"),
            Text("请补上这一列；没有的值留空会另行指出", "Add it; cells left empty are pointed out separately"),
        )
        for name in missing
    ]
