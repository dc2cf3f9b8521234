"""The files of a study's folder: read as they are, carried over, added to, described."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from htresearch import language
from htresearch.atomic import write_file
from htresearch.errors import Fault, IntakeError, StudyError
from htresearch.intake.typed import ARROW
from htresearch.language import Text
from htresearch.study import package
from htresearch.study.schema import Schema, Table, schema
from htresearch.study.store import WRITTEN, Store, open_store
from htresearch.study.validate import as_faults, inspect, report

CODEBOOKS = (("zh", "CODEBOOK.zh-CN.md"), ("en", "CODEBOOK.md"))
_TITLE = Text("由上报材料整理的研究", "A study taken in from the field")
_ROWS_A_GROUP = 500_000


def resolve(path: Path) -> Path:
    """Return where the study really lies; one that a crash left under its other name is put back."""
    path = path.resolve()
    if not path.exists() and path.parent.is_dir():
        left = [p for p in path.parent.glob(f".{path.name}-*-old") if p.is_dir()]
        if len(left) == 1:
            left[0].rename(path)
    return path


def fingerprint(path: Path) -> dict[str, tuple[int, int]]:
    """Return what tells whether a study was changed: time and size of each of its files."""
    if not path.is_dir():
        return {}
    found = (file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): ((s := file.stat()).st_mtime_ns, s.st_size) for file in found}


def changed(path: Path, before: dict[str, tuple[int, int]]) -> Fault | None:
    """Refuse to replace a study that somebody else changed meanwhile."""
    if fingerprint(path) == before:
        return None
    rule = Text("合并期间被别的程序改动过，没有写入", "was changed by another program meanwhile; nothing was written")
    return Fault(str(path), rule, Text("请再运行一次", "Run it again"))


def schema_of(store: Store | None) -> Schema:
    """Return the schema of a study, with its own vocabulary values; of a new one, the schema as it is shipped."""
    return schema() if store is None else store.schema


def open_folder(path: Path) -> Store | None:
    """Open the study to add to; None where there is none yet.

    Raises
    ------
    IntakeError
        If it is a file, or its files cannot be read.
    """
    if path.is_file():
        rule = Text(
            "是单个文件（如 DuckDB），不能往里合并", "is a single file (DuckDB), which nothing is merged into"
        )
        fix = Text(
            "请把各表导出到一个文件夹（DuckDB 中：COPY 表名 TO '文件夹/表名.parquet'），再合并到该文件夹",
            "Export its tables to a folder (in DuckDB: COPY NAME TO 'FOLDER/NAME.parquet') and merge into that",
        )
        raise IntakeError(Fault(str(path), rule, fix))
    if not path.exists() or not any(path.iterdir()):
        return None
    store = open_store(path)
    if store.faults:
        raise IntakeError(*store.faults)
    return store


def rows_of(store: Store, table: Table) -> pa.Table:
    """Return the rows of a table in the types of the schema, in the order of their file.

    Raises
    ------
    StudyError
        If a cell cannot be read as its type: writing the table anew would lose it.
    """
    typed = [c for c in table.columns if c.type in ARROW]
    if typed:
        unread = [
            (nw.col(c.name).is_null() & ~nw.col(c.name + WRITTEN).is_null()).cast(nw.Int64).sum().alias(c.name)
            for c in typed
        ]
        if store.cells(table.name).select(*unread).collect("pandas").to_native().fillna(0).to_numpy().sum():
            faults = inspect(store)
            raise StudyError(*as_faults(faults), table=faults, text=report(faults))
    rows = store.table(table.name).collect("pyarrow").to_native()
    columns = [
        rows[c.name].cast(ARROW[c.type]) if c.type in ARROW else rows[c.name].cast(pa.string()).dictionary_encode()
        for c in table.columns
    ]
    return pa.table(columns, list(table.names))


def carry_over(study: Path, folder: Path) -> None:
    """Bring all of a study's files to another folder: linked where the disk can, so that nothing is copied."""
    for item in study.iterdir():
        to = folder / item.name
        if item.is_symlink():
            to.symlink_to(item.readlink())
        elif item.is_dir():
            to.mkdir()
            carry_over(item, to)
            shutil.copystat(item, to)
        else:
            try:
                os.link(item, to)
            except OSError:
                shutil.copy2(item, to)
    shutil.copystat(study, folder)


# --- adding rows ----------------------------------------------------------------------------------------------------


def _file(folder: Path, name: str) -> Path | None:
    """Return the file or folder of a table."""
    return next((p for p in sorted(folder.iterdir()) if _holds(p, name)), None)


def _holds(path: Path, name: str) -> bool:
    return path.is_dir() if path.name == name else path.stem == name and path.suffix.lower() in (".parquet", ".csv")


def append(folder: Path, table: Table, there: pa.Table | None, rows: pa.Table) -> None:
    """Write a table with its new rows: a Parquet file anew, CSV with more lines, a folder with one more part."""
    file = _file(folder, table.name)
    if file is None:
        _write_parquet(folder / f"{table.name}.parquet", [rows])
    elif file.suffix.lower() == ".csv":
        _append_csv(file, table, rows)
    elif file.is_dir():
        number = len(list(file.glob("*.parquet")))
        while (part := file / f"part-{number}.parquet").exists():
            number += 1
        _write_parquet(part, [rows])
    else:
        file.unlink()  # it may be a link to the old study's file
        _write_parquet(file, [there, rows])


def rewrite(folder: Path, table: Table, there: pa.Table, rows: pa.Table) -> None:
    """Write a table anew where rows that the study had are no longer the same; CSV stays CSV."""
    file = _file(folder, table.name)
    lines = file.suffix.lower() == ".csv"
    if file.is_dir():
        shutil.rmtree(file)
    else:
        mark = file.read_bytes()[:3] if lines else b""
        file.unlink()  # it may be a link to the old study's file
    if not lines:
        _write_parquet(folder / f"{table.name}.parquet", [there, rows])
        return
    encoding = "utf-8-sig" if mark == b"\xef\xbb\xbf" else "utf-8"
    file.write_text(",".join(table.names) + "\n", encoding=encoding)
    for piece in (there, rows):
        _append_csv(file, table, piece)


def _write_parquet(path: Path, pieces: list[pa.Table]) -> None:
    fields = pieces[-1].schema
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in fields])
    with pq.ParquetWriter(path, plain, compression="zstd") as writer:
        for piece in pieces:
            for start in range(0, piece.num_rows, _ROWS_A_GROUP):
                writer.write_table(piece.slice(start, _ROWS_A_GROUP).cast(plain))


def _append_csv(file: Path, table: Table, rows: pa.Table) -> None:
    content = file.read_bytes()
    file.unlink()  # it may be a link to the old study's file
    text = content.decode("utf-8-sig")
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(lines)]
    end = "\r\n" if "\r\n" in text else "\n"
    lacking = [name for name in table.names if name not in header and rows[name].null_count < rows.num_rows]
    kept: list[list[str]] = []
    if lacking:  # a column that may be left out, and is needed now
        kept = [[*header, *lacking], *([*line, *([""] * len(lacking))] for line in lines if line)]
        text = ""
    elif not text.endswith(("\n", "\r")):
        text += end
    added = zip(*(_as_text(rows[name]) for name in [*header, *lacking]), strict=True)
    encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
    with file.open("w", encoding=encoding, newline="") as out:
        out.write(text)
        csv.writer(out, lineterminator=end).writerows([*kept, *added])


def _as_text(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_boolean(column.type):
        return ["" if v is None else str(v).lower() for v in column.to_pylist()]
    return ["" if v is None else str(v) for v in column.to_pylist()]


def row_numbers(folder: Path, table: Table, there: pa.Table | None) -> Callable[[int], int | None]:
    """Return what turns a row number of the validation into the place among the rows that were added."""
    known = there.num_rows if there is not None else 0
    file = _file(folder, table.name)
    if file.is_dir():
        return lambda _: None  # each part counts its own rows
    if file.suffix.lower() != ".csv":
        return lambda row: row - 1 - known
    places: dict[int, int] = {}

    def place(line: int) -> int | None:
        if not places:
            with file.open(encoding="utf-8-sig", newline="") as text:
                reader = csv.reader(text)
                before, number = 0, -1
                for cells in reader:
                    if cells:
                        places[before + 1] = number - known
                        number += 1
                    before = reader.line_num
        return places.get(line)

    return place


# --- its description ------------------------------------------------------------------------------------------------


def describe(folder: Path, known: Schema) -> None:
    """Bring ``datapackage.json`` and the codebooks up to date; what the study says of itself there is kept."""
    tables = {name: file.name for name in known.tables if (file := _file(folder, name)) is not None}
    path = folder / package.DESCRIPTOR
    kept = json.loads(path.read_text(encoding="utf-8-sig")) if path.is_file() else {}
    listed = [r for r in kept.get("resources") or () if isinstance(r, dict) and r.get("name") in tables]
    if {r["name"] for r in listed} == set(tables) and all((folder / file).exists() for _, file in CODEBOOKS):
        return
    made = package.descriptor(known, tables, _TITLE)
    own = {r["name"]: r for r in listed}
    resources = [own.get(r["name"], r) for r in made["resources"]]
    content = json.dumps({**made, **kept, "resources": resources}, indent=1, ensure_ascii=False) + "\n"
    write_file(path, content.encode())
    for spoken, file in CODEBOOKS:
        with language.speaking(spoken):
            write_file(folder / file, package.codebook(known, tables).encode())
