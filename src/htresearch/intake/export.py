"""What every source comes down to: columns under their headers, some telling of the answer, the others answering."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from unicodedata import category, normalize

import numpy as np

from htresearch import identifiers
from htresearch.errors import Fault, IntakeError
from htresearch.intake.workbook import Sheet, Workbook, cell
from htresearch.language import Text, listing

#: What a column can tell of an answer, apart from answering.
FACTS = ("respondent", "submitted_at", "started_at", "duration_s", "channel", "channel_detail", "ip", "user")
_ONCE = ("submitted_at", "duration_s")
_TOP_ROWS = 20

_NUMBER = re.compile(
    r"(?:第\s*(\d{1,3})\s*题|[Qq]?(\d{1,3})(?=\s*(?:[、:)(]|\.(?!\d))))\s*[、:.)]?\s*(.*)", re.DOTALL
)
_DECORATION = re.compile(
    r"[\[【(]\s*(?:(?:单选|多选|不定项选择|填空|单项填空|多项填空|矩阵|矩阵单选|矩阵量表|矩阵多选|量表|排序|下拉|评分|判断|"
    r"简答|问答|日期|选择)题|必答|必填|选答|选填|单选|多选|可多选|(?:最多|最少|至少|请|限)选择?\s*[\d\-~至到]+\s*项|"
    r"single choice|multiple choice|required|optional)\s*[\]】)]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Heading:
    """What a header says: the number of a question, where it bears one, and its words."""

    number: int | None
    words: str


def heading(header: object) -> Heading:
    """Read a header.

    Examples
    --------
    >>> heading("3、您的年龄【填空题】*")
    Heading(number=3, words='您的年龄')
    >>> heading("第5题(班主任公平)")
    Heading(number=5, words='班主任公平')
    """
    text = normalize("NFKC", "" if header is None else str(header)).strip().lstrip("*").strip()
    found = _NUMBER.match(text)
    if not found:
        return Heading(None, words(text))
    return Heading(int(found[1] or found[2]), words(found[3]))


def words(text: str) -> str:
    """Return what of a question's words identifies it: no width, case, spaces, punctuation, marks of its type."""
    text = _DECORATION.sub("", normalize("NFKC", text)).casefold()
    return "".join(c for c in text if category(c)[0] not in "PZC")


def plain(value: object) -> str:
    """Return a cell as the text that answers are compared by: NFKC, no spaces, whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else "".join(normalize("NFKC", str(value)).split())


@dataclass(frozen=True, eq=False)
class Column:
    """A column of an export.

    Attributes
    ----------
    header : str
    place : str
        Where the header stands (``"C1"``), or the name of the variable.
    read : callable
        Gives the cells, one a row: text, numbers, truth values, dates, None.
    locate : callable
        Gives the place of the cell in the i-th row that is kept.
    labels : mapping
        Value labels of a labelled file.
    missing : callable or None
        Says of a value whether a labelled file declares it missing.
    variable : str
        What may be the name of an item: of a sheet the header itself.
    """

    header: str
    place: str
    read: Callable[[], np.ndarray]
    locate: Callable[[int], Text | str]
    labels: Mapping[object, str] = field(default_factory=dict)
    missing: Callable[[object], bool] | None = None
    variable: str = ""

    @cached_property
    def heading(self) -> Heading:
        """What the header says."""
        return heading(self.header)

    @property
    def name(self) -> Text:
        """How messages call the column; a header is of the form, not of a person, but may be long."""
        shown = identifiers.mask(" ".join(self.header.split()))
        shown = shown if len(shown) <= 40 else shown[:39] + "…"
        return Text("{place}“{header}”", "{place} “{header}”").format(place=self.place, header=shown)


@dataclass(frozen=True, eq=False)
class Export:
    """A file of answers, read but not yet understood.

    Attributes
    ----------
    path : pathlib.Path
    source : str
        ``"wenjuanxing"``, ``"tencent"``, ``"sav"``, ``"dta"``, ``"csv"`` or ``"xlsx"``.
    rows : int
    facts : mapping of str to Column
        By what they tell, one of `FACTS`.
    questions : tuple of Column
        Those that may answer an item.
    others : tuple of Column
        Those that neither tell nor answer.
    modes : tuple of str
        How closed answers may be written: ``"text"``, ``"number"`` (of the option), ``"score"``.
    strict : bool
        Whether a question column always bears its number, so that each must be known.
    lines : sequence of int
        The line of the file on which each row stands, 1 for the first.
    notes : tuple of Text
    """

    path: Path
    source: str
    rows: int
    facts: Mapping[str, Column]
    questions: tuple[Column, ...]
    others: tuple[Column, ...]
    modes: tuple[str, ...]
    strict: bool
    lines: Sequence[int] = ()
    notes: tuple[Text, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Checksum of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


# --- a sheet laid out as columns ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """How a source writes a sheet.

    Attributes
    ----------
    source : str
    facts : mapping of str to str
        Header to what it tells; headers without spaces, in small letters.
    signs : tuple of str
        Headers of which one at least shows that a sheet is of this source.
    modes : tuple of str
    numbered : bool
        Whether question columns are those whose header bears a number, wherever they begin.
    """

    source: str
    facts: Mapping[str, str]
    signs: tuple[str, ...]
    modes: tuple[str, ...]
    numbered: bool = True


def fact_of(layout: Layout, header: object) -> str | None:
    """Return what a header tells by a layout, if anything."""
    return layout.facts.get(plain(header).casefold()) if header is not None else None


def header_row(
    rows: Sequence[Sequence], layout: Layout, known: Callable[[object], bool] = lambda _: False
) -> int | None:
    """Return the row of headers: of the first ones, that with most headers that mean something."""

    def weight(row: Sequence) -> int:
        named = (v for v in row if isinstance(v, str))
        return sum(fact_of(layout, v) is not None or heading(v).number is not None or known(v) for v in named)

    weights = [weight(row) for row in rows[:_TOP_ROWS]]
    best = max(weights, default=0)
    return weights.index(best) if best >= 1 else None


def signs(rows: Sequence[Sequence], layout: Layout) -> int:
    """Return how many signs of a layout a sheet bears."""
    row = header_row(rows, layout)
    named = () if row is None else (plain(v).casefold() for v in rows[row] if v is not None)
    return len(set(named) & set(layout.signs))


def lay_out(
    book: Workbook, sheet: Sheet, layout: Layout, known: Callable[[object], bool] = lambda _: False
) -> Export:
    """Take a sheet apart into columns.

    Raises
    ------
    IntakeError
        If there is no row of headers, a header that tells something stands there twice, or a row reaches beyond them.
    """
    rows = sheet.rows
    top = header_row(rows, layout, known)
    if top is None:
        raise IntakeError(_no_headers(book.path, sheet))
    headers = ["" if v is None else str(v) for v in rows[top]]
    body, notes = _body(rows, top)
    faults = list(_overhanging(book.path, sheet, rows, body, len(headers)))
    kept = [rows[i] for i in body]
    columns = [_column(kept, body, j, header, top) for j, header in enumerate(headers)]
    facts: dict[str, Column] = {}
    questions, others = [], []
    for column in columns:
        fact = fact_of(layout, column.header)
        numbered = column.heading.number is not None
        if fact is not None:
            if fact in facts and fact in _ONCE:
                faults.append(_twice(book.path, column, facts[fact]))
            elif fact in facts:
                others.append(column)
            facts.setdefault(fact, column)
        elif numbered or (not layout.numbered and column.header.strip()):
            questions.append(column)
        elif column.header.strip() or any(v is not None for v in column.read()):
            others.append(column)
    if faults:
        raise IntakeError(*faults)
    if top:
        notes.append(Text(f"表头在第 {top + 1} 行", f"The headers stand in row {top + 1}"))
    if sheet.errors:
        cells = listing(sheet.errors[:20])
        failed = Text(
            "公式没有值的 {n} 格当作空：{cells}",
            "{n} cells whose formula has no value were taken as empty: {cells}",
        )
        notes.append(failed.format(n=len(sheet.errors), cells=cells))
    if book.encoding == "gb18030":
        notes.append(Text("文本按 GB18030 编码读取", "The text was read as GB18030"))
    return Export(
        book.path,
        layout.source,
        len(body),
        facts,
        tuple(questions),
        tuple(others),
        layout.modes,
        layout.numbered,
        [i + 1 for i in body],
        tuple(notes),
    )


def _body(rows: list[list], top: int) -> tuple[list[int], list[Text]]:
    """Return which rows hold answers, and what was passed over: empty rows and headers that come again."""
    head = [v for v in rows[top] if v is not None]
    kept, empty, again = [], 0, 0
    for i in range(top + 1, len(rows)):
        row = rows[i]
        if row[:1] == rows[top][:1] and [v for v in row if v is not None] == head:
            again += 1
        elif all(v is None for v in row):
            empty += 1
        else:
            kept.append(i)
    notes = []
    if empty:
        notes.append(Text(f"空行 {empty} 行，不计入", f"{empty} empty rows, not counted"))
    if again:
        notes.append(Text(f"重复出现的表头 {again} 行，不计入", f"{again} rows repeat the headers, not counted"))
    return kept, notes


def _column(kept: list[list], body: list[int], j: int, header: str, top: int) -> Column:
    def read() -> np.ndarray:
        try:
            return np.fromiter(map(itemgetter(j), kept), object, len(kept))
        except IndexError:  # lines of a text file may be shorter
            return np.fromiter((row[j] if j < len(row) else None for row in kept), object, len(kept))

    return Column(header, cell(top, j), read, lambda i: cell(body[i], j), variable=header.strip())


def _overhanging(path: Path, sheet: Sheet, rows: list[list], body: list[int], width: int):
    over = [
        (i, j) for i in body if len(rows[i]) > width for j, v in enumerate(rows[i][width:], width) if v is not None
    ]
    lines = sorted({i for i, _ in over})
    if lines:
        shown = listing([cell(i, j) for i, j in over[:5]])
        yield Fault(
            Text(f"{path.name} · {sheet.name or '文本'}", f"{path.name} · {sheet.name or 'text'}"),
            Text(
                "有 {n} 行的内容超出表头（{cells}），单元格可能错位",
                "{n} rows reach beyond the headers ({cells}); cells may have shifted",
            ).format(n=len(lines), cells=shown),
            Text(
                "请检查这些行里的逗号和引号，或重新导出为 xlsx",
                "See to commas and quotation marks there, or export as xlsx",
            ),
        )


def _no_headers(path: Path, sheet: Sheet) -> Fault:
    return Fault(
        f"{path.name} · {sheet.name}" if sheet.name else path.name,
        Text("找不到表头", "no row of headers can be found"),
        Text(
            "第一行应是各列的名称，如“提交答卷时间”“1、您的性别”",
            "The first row should name the columns, such as 提交答卷时间 and 1、…",
        ),
    )


def _twice(path: Path, column: Column, first: Column) -> Fault:
    return Fault(
        Text("{f} · {c}", "{f} · {c}").format(f=path.name, c=column.name),
        Text("与 {first} 是同一项内容", "tells the same as {first}").format(first=first.name),
        Text("请只保留其中一列", "Keep one of the two columns"),
    )
