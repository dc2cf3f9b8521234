"""Text tables: csv and tsv in UTF-8, UTF-16 or GB18030, with whatever delimiter fits."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from htresearch.errors import Fault, IntakeError
from htresearch.intake import limits
from htresearch.intake.limits import SAVE_AS, refused
from htresearch.language import Text

_DELIMITERS = ",\t;|"
_SAMPLE = 1 << 18
_SAMPLE_ROWS = 20
#: One cell with so many delimiters and a line break has other rows in it.
_FEWEST_SWALLOWED = 5
#: How programs keep Excel from taking a text for a number: ="0012".
_AS_TEXT = re.compile(r'="[^"]*"')
#: How old programs end a text.
_END = "\x1a"
_QUOTES = Text("请检查引号是否成对", "See whether quotation marks come in pairs")


def read(path: Path) -> tuple[list[list], str]:
    """Return the rows of a text table, and its encoding.

    Raises
    ------
    IntakeError
        If it is no text, too large, or its quotation marks do not come in pairs: what stands between two of them
        would be one cell, with all the rows in it.
    """
    if path.stat().st_size > limits.MOST_BYTES // 4:
        rule = Text("文本文件过大（超过 500 MB）", "the text is too large (over 500 MB)")
        raise refused(path, rule, Text("请拆成几个文件", "Split it into several files"))
    text, encoding = _decoded(path)
    text = text.removesuffix(_END)
    if "\0" in text:
        raise refused(path, Text("不是文本表格，也不是工作簿", "is neither a text table nor a workbook"), SAVE_AS)
    csv.field_size_limit(1 << 26)
    rows = _rows(path, text, _delimiter(text))
    while rows and all(v is None for v in rows[-1]):
        rows.pop()
    if not rows:
        raise refused(path, Text("文件是空的", "the file is empty"), Text("请重新导出", "Export it again"))
    return rows, encoding


def _rows(path: Path, text: str, delimiter: str) -> list[list]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, cells, width, line = [], 0, 1, 0
    texts: dict[str, str] = {}
    try:
        for row in reader:
            cells, width = cells + len(row), max(width, len(row))
            if cells > limits.MOST_CELLS:
                raise limits.too_many(path, len(rows), len(row), path.name)
            if reader.line_num - line > 1 and any(_swallowed(value, delimiter, width) for value in row):
                rule = Text("有一格里是别的行", "a cell holds other rows")
                raise IntakeError(Fault(_about(path, line + 1), rule, _QUOTES))
            line = reader.line_num
            row = [value[2:-1] if _AS_TEXT.fullmatch(value) else value for value in row]
            rows.append([texts.setdefault(value, value) if value else None for value in row])
    except csv.Error as error:
        rule = Text(f"不是可读的 CSV（{error}）", f"is not readable CSV ({error})")
        raise IntakeError(Fault(_about(path, line + 1), rule, _QUOTES)) from None
    return rows


def _swallowed(value: str, delimiter: str, width: int) -> bool:
    return ("\n" in value or "\r" in value) and value.count(delimiter) >= max(width - 1, _FEWEST_SWALLOWED)


def _about(path: Path, line: int) -> Text:
    return Text(f"{path.name} 第 {line} 行附近", f"{path.name}, about line {line}")


def _decoded(path: Path) -> tuple[str, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise limits.unreadable(path, error) from None
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            # Programs that add a mark to a text that has one leave two.
            return content.decode(encoding).lstrip("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
    raise refused(
        path,
        Text("既不是 UTF-8 也不是 GB18030 编码的文本", "is text in neither UTF-8 nor GB18030"),
        Text("请另存为“CSV UTF-8（逗号分隔）”或 .xlsx", "Save it as “CSV UTF-8 (comma delimited)” or .xlsx"),
    )


def _delimiter(text: str) -> str:
    """Return the delimiter by which most of the first rows come out alike; of several, the one with most columns."""

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            rows = islice(csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=delimiter), _SAMPLE_ROWS)
            widths = Counter(len(row) for row in rows if len(row) > 1)
        except csv.Error:
            return 0, 0
        width, alike = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(0, 0))
        return alike, width

    return max(_DELIMITERS, key=fit)
