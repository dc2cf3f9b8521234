"""What a file is, by how it begins: what is no table is called by its name, and how to get one is said."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from htresearch.errors import IntakeError
from htresearch.intake.limits import SAVE_AS, refused, unreadable
from htresearch.language import Text

_START = 512
_UNPACK = Text("请先解压，再给出里面的表格", "Unpack it and give the tables inside")
_AS_TABLE = Text("请给出表格本身（.xlsx 或 .csv）", "Give the table itself (.xlsx or .csv)")
_WORD = Text("是 Word 文档，不是表格", "is a Word document, not a table")
_ARCHIVE = Text("是压缩包，不是表格", "is an archive, not a table")
_KINDS = (
    (rb"Rar!\x1a|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ", _ARCHIVE, _UNPACK),
    (rb"%PDF-", Text("是 PDF，不是表格", "is a PDF, not a table"), _AS_TABLE),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", Text("是图片，不是表格", "is a picture, not a table"), _AS_TABLE),
    (rb"\{\\rtf", _WORD, _AS_TABLE),
    (
        rb"ASCII SPSS PORT|.{0,200}SPSSPORT|\0{12}\xc2\xea\x81\x60|HEADER RECORD\*",
        Text("是 SPSS 便携文件或 SAS 文件", "is an SPSS portable or a SAS file"),
        Text("请另存为 .sav 或导出为 .xlsx", "Save it as .sav or export it as .xlsx"),
    ),
    (rb"PAR1", Text("是 Parquet 文件", "is a Parquet file"), Text("请导出为 .xlsx 或 .csv", "Export .xlsx or .csv")),
    (
        rb"(?i)\s*(<(!--|!doctype|\?xml|/?(html|head|meta|link|style|script|title|body|div|center|font|p|table|tr|td)\b)"
        rb"|mime-version:|from: <)",
        Text("其实是网页或 XML，只是扩展名像表格", "is a web page or XML under the name of a table"),
        SAVE_AS,
    ),
)


def start(path: Path) -> bytes:
    """Return how a file begins.

    Raises
    ------
    IntakeError
        If there is no such file, it cannot be opened, it is empty, or it is known to be no table.
    """
    # Unlike those of Path, these two raise nothing, whatever the path.
    if os.path.isdir(path):  # noqa: PTH112
        raise refused(path, Text("是文件夹，不是文件", "is a folder, not a file"), _AS_TABLE)
    if not os.path.isfile(path):  # noqa: PTH113
        raise refused(path, Text("没有这个文件", "there is no such file"), Text("请检查路径", "Check the path"))
    try:
        with path.open("rb") as file:
            begin = file.read(_START)
    except OSError as error:
        raise unreadable(path, error) from None
    if path.suffix.lower() in (".et", ".ett", ".wps", ".wpt"):
        raise refused(path, Text("是 WPS 自有的格式", "is in WPS's own format"), SAVE_AS)
    if not begin.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise refused(path, Text("文件是空的", "the file is empty"), Text("请重新导出", "Export it again"))
    plain = re.sub(rb"^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)+", b"", begin)
    for candidate in (begin, plain.replace(b"\0", b"")):
        for pattern, rule, fix in _KINDS:
            if re.match(pattern, candidate, re.DOTALL):
                raise refused(path, rule, fix)
    return begin


def no_workbook(path: Path, parts: Iterable[str]) -> IntakeError | None:
    """Return what a zip archive is that holds no workbook, by the names of its parts."""
    names = [name.lower() for name in parts]
    if any(name.startswith("xl/") or name == "content.xml" for name in names):
        return None
    if any(name.endswith(".iwa") or name == "index.zip" for name in names):
        rule = Text("是 Numbers 表格", "is a Numbers spreadsheet")
        return refused(path, rule, Text("请在 Numbers 中导出为 Excel（.xlsx）", "Export it to Excel (.xlsx) there"))
    if any(name.startswith("word/") for name in names):
        return refused(path, _WORD, _AS_TABLE)
    return refused(path, _ARCHIVE, _UNPACK)


def old_word(path: Path) -> IntakeError | None:
    """Return what a file of the old Office is that holds a document of Word."""
    stream = "WordDocument".encode("utf-16-le")
    return refused(path, _WORD, _AS_TABLE) if stream in path.read_bytes() else None
