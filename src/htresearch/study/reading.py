"""How the files of a study are found and read, and what can be wrong with them.

Everything about a file is found out before DuckDB sees it: its encoding, its delimiter, its header, its kind. So a
fault names what the user has to mend, and no error of a library reaches anyone.
"""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.checks import suggestion
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.study.schema import Schema, Table

if TYPE_CHECKING:
    import pyarrow as pa

#: Column that carries the place in the file: the line of a CSV file (the header is line 1), the row of other tables.
ROW = "_row"
#: Folder beside the tables that is never read: a simulated study keeps its hidden truth there.
TRUTH = "truth"

_ALSO_THERE = {".json", ".md", ".html", ".txt"}
_ROWS_A_BATCH = 100_000
_LONGEST_CELL = 1 << 26
_EXPORT_AGAIN = Text("请重新导出", "Export it again")
_AS_UTF8 = Text(
    "请在 Excel 或 WPS 中另存为“CSV UTF-8（逗号分隔）”",
    "Save it from Excel or WPS as “CSV UTF-8 (comma delimited)”",
)


@dataclass(frozen=True)
class Source:
    """The file, or the table of a database, that holds one table of the study."""

    where: str
    path: Path | None = None
    query: str = ""


# --- where the tables are -------------------------------------------------------------------------------------------


def find_files(folder: Path, known: Schema) -> tuple[dict[str, Source], list[Fault]]:
    """Return the file of each table, and the faults of those that are none."""
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    for file in sorted(folder.iterdir()):
        suffix = file.suffix.lower()
        name = file.name if file.is_dir() and not suffix else file.stem
        if file.name.startswith((".", "_", "~$")) or suffix in _ALSO_THERE or file.name == TRUTH:
            continue
        fault = _not_a_table(file, suffix, name, known)
        if fault is None and name in sources:
            fault = _twice(file.name, name, sources[name].where)
        if fault is None:
            sources[name] = Source(file.name, file)
        else:
            faults.append(fault)
    return sources, faults


def _not_a_table(file: Path, suffix: str, name: str, known: Schema) -> Fault | None:
    if file.is_dir() and suffix:
        return Fault(
            file.name,
            Text("是文件夹，不是文件", "is a folder, not a file"),
            Text(
                f"分成几个 Parquet 的表，文件夹名写作 {name}",
                f"A table in several Parquet files is a folder named {name}",
            ),
        )
    if not file.exists():
        return Fault(
            file.name,
            Text("链接已失效", "is a broken link"),
            Text("请放入文件本身", "Put the file itself there"),
        )
    if file.is_file() and suffix not in (".csv", ".parquet"):
        return Fault(
            file.name,
            Text("研究文件夹只读 Parquet 和 CSV", "a study folder holds Parquet or CSV"),
            Text(
                "请另存为“CSV UTF-8（逗号分隔）”，或移出该文件夹",
                "Save it as “CSV UTF-8 (comma delimited)”, or move it out of the folder",
            ),
        )
    return None if name in known.tables else unknown_table(file.name, name, known)


def unknown_table(where: str, name: str, known: Schema) -> Fault:
    """Say that a name is not a table, with the nearest one that is."""
    return Fault(
        where,
        Text("不是本研究格式中的数据表", "is not a table of a study"),
        suggestion(name, known.tables)
        or Text("可用的表名：{all}", "The tables are: {all}").format(all=listing(known.tables)),
    )


def _twice(where: str, name: str, other: str) -> Fault:
    return Fault(
        where,
        Text(f"数据表 {name} 出现了两次", f"table {name} is there twice"),
        Text(f"请只留一个（另一个是 {other}）", f"Keep one of them (the other is {other})"),
    )


def find_tables(rows: list[tuple[str, str]], file: str, known: Schema) -> tuple[dict[str, Source], list[Fault]]:
    """Return the tables among the ``(schema, name)`` pairs of an attached DuckDB file, and what is wrong."""
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    for schema, name in rows:
        where = f"{file}: {schema}.{name}"
        if name not in known.tables:
            faults.append(unknown_table(where, name, known))
        elif name in sources:
            faults.append(_twice(where, name, sources[name].where))
        else:
            sources[name] = Source(where, query=f'study."{schema}"."{name}"')
    return sources, faults


# --- headers --------------------------------------------------------------------------------------------------------


def check_header(where: str, table: Table, names: list[str]) -> list[Fault]:
    """Return what is wrong with a header: names that are empty, repeated, unknown or missing."""
    faults = [
        Fault(
            where,
            Text(f"第 {position} 列没有列名", f"column {position} has no name"),
            Text("请补上列名，或删去这一列（包括行末多余的逗号）", "Name it, or remove it with its commas"),
        )
        for position, name in enumerate(names, 1)
        if not name
    ]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        faults.append(
            Fault(
                where,
                Text("列名重复：{all}", "repeated column: {all}").format(all=listing(twice)),
                Text("请删去多余的一列", "Remove one of them"),
            )
        )
    faults += [
        Fault(
            where,
            Text(f"“{name}”不是这张表的列", f"column {name!r} is not part of the table"),
            suggestion(name, table.names)
            or Text("可用的列：{all}", "The columns are: {all}").format(all=listing(table.names)),
        )
        for name in dict.fromkeys(names)
        if name and name not in table.names
    ]
    return faults + [
        Fault(
            where,
            Text(f"缺少“{c.name}”这一列", f"column {c.name!r} is missing"),
            Text(
                "请补上这一列；必填而留空的格会逐一列出",
                "Add it; required cells that are empty are listed one by one",
            ),
        )
        for c in table.columns
        if not c.optional and c.name not in names
    ]


# --- CSV ------------------------------------------------------------------------------------------------------------


def read_csv(source: Source, table: Table) -> tuple[pa.Table | None, list[Fault]]:
    """Read a CSV file as text, each row with its line; return what is wrong instead where something is."""
    fault = _not_text(source.path)
    if fault:
        return None, [fault]
    csv.field_size_limit(_LONGEST_CELL)
    with source.path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            header = [name.strip() for name in next(reader, [])]
            faults = _wrong_delimiter(source.where, header, table) or check_header(source.where, table, header)
            return (None, faults) if faults else _rows(reader, header, source.where)
        except csv.Error as error:
            return None, [
                Fault(
                    Text(
                        f"{source.where} 第 {reader.line_num} 行附近", f"{source.where}, about line {reader.line_num}"
                    ),
                    Text(f"不是可读的 CSV（{error}）", f"is not readable CSV ({error})"),
                    Text("请检查引号是否成对", "See whether quotation marks come in pairs"),
                )
            ]


def _rows(reader, header: list[str], where: str) -> tuple[pa.Table | None, list[Fault]]:
    import pyarrow as pa

    kinds = pa.schema([(ROW, pa.int64()), *((name, pa.string()) for name in header)])
    batches: list[pa.RecordBatch] = []
    held: list[list] = []
    faults: list[Fault] = []
    before = reader.line_num

    def keep() -> None:
        columns = zip(*held, strict=True) if held else [[] for _ in kinds]
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, kinds, strict=True)]
        batches.append(pa.record_batch(arrays, kinds))
        held.clear()

    for cells in reader:
        line, before = before + 1, reader.line_num
        if not cells:
            continue
        if len(cells) != len(header):
            faults.append(_uneven(where, line, len(cells), len(header)))
        elif any("\0" in cell for cell in cells):
            faults.append(_nul(where, line))
        else:
            held.append([line, *cells])
        if len(held) == _ROWS_A_BATCH:
            keep()
    keep()
    return (None, faults) if faults else (pa.Table.from_batches(batches), [])


def _uneven(where: str, line: int, found: int, wanted: int) -> Fault:
    return Fault(
        Text(f"{where} 第 {line} 行", f"{where} line {line}"),
        Text(f"有 {found} 格，表头有 {wanted} 格", f"has {found} cells, the header has {wanted}"),
        Text("请检查该行的逗号和引号", "Check the commas and quotation marks of the line"),
    )


def _nul(where: str, line: int) -> Fault:
    return Fault(
        Text(f"{where} 第 {line} 行", f"{where} line {line}"),
        Text("含有空字符（文件可能已损坏）", "holds a NUL character (the file may be damaged)"),
        _EXPORT_AGAIN,
    )


def _not_text(path: Path) -> Fault | None:
    """Refuse a file that is empty or not in UTF-8."""
    with path.open("rb") as stream:
        start = stream.read(4)
        if not start.removeprefix(codecs.BOM_UTF8).strip():
            return Fault(
                path.name,
                Text("文件是空的", "the file is empty"),
                Text("请重新导出，至少保留表头", "Export it again, with at least its header"),
            )
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return Fault(path.name, Text("是 UTF-16 编码，不是 UTF-8", "is in UTF-16, not in UTF-8"), _AS_UTF8)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            while block := stream.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return Fault(
                path.name, Text("不是 UTF-8 编码（多半是 GBK）", "is not in UTF-8 (most likely GBK)"), _AS_UTF8
            )
    return None


def _wrong_delimiter(where: str, header: list[str], table: Table) -> list[Fault]:
    for sign, zh, en in ((";", "分号", "semicolons"), ("\t", "制表符", "tabs")):
        if len(header) == 1 and set(header[0].split(sign)) & set(table.names) and sign in header[0]:
            return [
                Fault(where, Text(f"似乎用{zh}分隔", f"seems to be delimited by {en}"), _AS_UTF8),
            ]
    return []


# --- Parquet --------------------------------------------------------------------------------------------------------


def check_parquet(source: Source, table: Table) -> tuple[list[Path], list[Fault]]:
    """Return the Parquet files of a table and what is wrong with them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [source.path] if source.path.is_file() else sorted(source.path.glob("*.parquet"))
    faults: list[Fault] = []
    if not parts:
        faults.append(
            Fault(
                source.where,
                Text("文件夹里没有 Parquet 文件", "the folder holds no Parquet file"),
                Text("请放入 *.parquet 或删除该文件夹", "Put *.parquet there or remove the folder"),
            )
        )
    for part in parts:
        where = source.where if part == source.path else f"{source.where}/{part.name}"
        try:
            found = pq.read_schema(part)
        except (pa.ArrowInvalid, OSError):
            faults.append(_not_parquet(where, part))
            continue
        faults += check_header(where, table, found.names) + _kinds(where, table, found)
    return parts, faults


def _not_parquet(where: str, part: Path) -> Fault:
    if part.stat().st_size == 0:
        return Fault(where, Text("文件是空的", "the file is empty"), _EXPORT_AGAIN)
    return Fault(
        where,
        Text("扩展名是 .parquet，内容却不是可读的 Parquet", "ends in .parquet but is not readable Parquet"),
        Text(
            "请重新导出；若其实是 CSV，请把扩展名改为 .csv",
            "Export it again; if it is really CSV, give it the ending .csv",
        ),
    )


def _kinds(where: str, table: Table, found: pa.Schema) -> list[Fault]:
    """Refuse columns that hold more than one value a cell, and days that depend on the reader's time zone."""
    import pyarrow as pa

    faults = []
    for field in found:
        if pa.types.is_nested(field.type):
            rule = Text(f"“{field.name}”一格里有多个值", f"column {field.name!r} holds several values a cell")
            faults.append(Fault(where, rule, Text("请拆成一行一个值", "Write one value a row")))
            continue
        zoned = pa.types.is_timestamp(field.type) and field.type.tz
        if zoned and field.name in table.names and table[field.name].type == "date":
            rule = Text(
                f"“{field.name}”是带时区的时间，换个时区就是另一天",
                f"column {field.name!r} is a time with a zone, which is another day elsewhere",
            )
            faults.append(Fault(where, rule, Text("请存为日期", "Store it as a date")))
    return faults
