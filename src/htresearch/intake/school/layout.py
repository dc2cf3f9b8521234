"""How a sheet is laid out: titles, a header of one or more rows, rows below it, and perhaps all of it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from htresearch.intake.school.dictionary import Dictionary, base
from htresearch.intake.school.ledger import Ledger, Where
from htresearch.intake.school.plain import plain
from htresearch.intake.workbook import Sheet
from htresearch.language import Text

#: Roles of which one at least stands in any header, and how many known headers make a header row.
_ANCHORS = frozenset({"name", "class", "head", "award", "student_number", "number", "seat"})
_TITLE_MARKS = (
    "学年",
    "学期",
    "名单",
    "成绩",
    "签到",
    "登记",
    "统计",
    "一览",
    "安排表",
    "年级",
    "培训",
    "获奖",
    "表彰",
    "表)",
)

SUMMARY = Text("汇总行（合计、平均分等）", "summary rows (sums, means and the like)")
FOOTER = Text("表末的说明、签字等文字行", "lines of text below a table (remarks, signatures)")
BLANK = Text("没有填写的空白行", "rows left blank")


@dataclass(frozen=True, eq=False)
class Block:
    """One table of a sheet.

    Attributes
    ----------
    where : Where
    prose : tuple of (str, int, int)
        What stands above the header, as written, each with row and column.
    columns : dict of int to tuple of str
        The header of each column from top to bottom, made `plain`; a merged header stands over all of its columns.
    header_row : int
        The last row of the header.
    rows : list of (int, list)
        Rows below the header, each with its number from 0.
    failed : frozenset of (int, int)
        Cells whose formula failed, which were saved without a value.
    """

    where: Where
    prose: tuple[tuple[str, int, int], ...]
    columns: dict[int, tuple[str, ...]]
    header_row: int
    rows: list[tuple[int, list]] = field(default_factory=list)
    failed: frozenset[tuple[int, int]] = frozenset()

    def roles(self, words: Dictionary) -> dict[str, int]:
        """Return the first column of each role."""
        found: dict[str, int] = {}
        for column, header in self.columns.items():
            for text in reversed(header):
                if role := words.role(text):
                    found.setdefault(role, column)
                    break
        return found

    @property
    def titles(self) -> list[str]:
        """The texts above the header, made `plain`."""
        return [plain(text) for text, _, _ in self.prose]


def blocks(sheet: Sheet, where: Where, words: Dictionary, ledger: Ledger) -> list[Block]:
    """Return the tables of a sheet; rows that hold no data of anyone are counted and left out.

    Parameters
    ----------
    sheet
        As it was saved.
    where
        File and sheet, for messages.
    words
        What headers mean.
    ledger
        Where summary rows, footers and blank rows are counted.
    """
    rows = sheet.spread
    failed = frozenset(map(_place, sheet.errors))
    headers = list(_headers(rows, sheet, words))
    found, below = [], 0
    for place, (top, bottom) in enumerate(headers):
        above = _prose_above(rows, below, top, words, ledger if found else None, where)
        end = headers[place + 1][0] if place + 1 < len(headers) else len(rows)
        below = bottom + 1
        columns = _columns(rows, top, bottom, words)
        stop = _first_prose(rows, below, end, words) if place + 1 < len(headers) else end
        block = Block(
            where, above, columns, bottom, list(_data(rows, below, stop, columns, words, ledger, where)), failed
        )
        found.append(block)
        below = stop
    return found


def _place(name: str) -> tuple[int, int]:
    """Return row and column, from 0, of a cell such as C7."""
    letters = name.rstrip("0123456789")
    column = 0
    for letter in letters.upper():
        column = 26 * column + ord(letter) - 64
    return int(name[len(letters) :]) - 1, column - 1


def _distinct(row: list) -> list[str]:
    """Return the different texts of a row: a merged cell counts once."""
    return [text for text in dict.fromkeys(plain(value) for value in row) if text]


# --- headers --------------------------------------------------------------------------------------------------------


def _headers(rows: list[list], sheet: Sheet, words: Dictionary) -> Iterator[tuple[int, int]]:
    """Yield the first and last row of every header."""
    merged = {
        (row, column): (top, bottom)
        for (top, left), (bottom, right) in sheet.merged
        if bottom > top and bottom - top < 6 and right - left < 6
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    }
    last = -1
    for number, row in enumerate(rows):
        if number <= last:
            continue
        anchors = _anchors(row, words)
        if not anchors:
            continue
        spans = [merged[number, column] for column in anchors if (number, column) in merged]
        top, bottom = min([number, *(s[0] for s in spans)]), max([number, *(s[1] for s in spans)])
        if bottom == number and _continues(rows, number, anchors, words):
            bottom += 1
        if top == number and number - 1 > last and _groups(rows[number - 1], anchors, words):
            top -= 1
        last = bottom = min(bottom, len(rows) - 1)  # blank rows at the end are not saved, though they may be merged
        yield top, bottom


def _anchors(row: list, words: Dictionary) -> list[int]:
    """Return the columns of a header row whose headers say what a row is about; none if it is no header row."""
    known, anchors = 0, []
    for column, value in enumerate(row):
        if isinstance(value, str):
            word = words.word(value)
            if word.role in _ANCHORS:
                anchors.append(column)
            known += word.role is not None or word.subject is not None
    if not anchors:
        return []
    texts = sum(value is not None for value in row)
    if known < 2 and texts > 1:
        return []
    # A cell that says 姓名 in a row of data or of labels is none: most of a header's cells are headers.
    return anchors if known * 3 >= texts else []


def _continues(rows: list[list], number: int, anchors: list[int], words: Dictionary) -> bool:
    """Tell whether the header goes on in the next row: nothing below its anchors, words below the rest."""
    if number + 1 >= len(rows):
        return False
    row = rows[number + 1]
    if any(
        row[column] is not None and row[column] != rows[number][column] for column in anchors if column < len(row)
    ):
        return False
    texts = [plain(value) for column, value in enumerate(row) if value is not None and column not in anchors]
    if any(plain(value) in words.sets["maximum_rows"] | words.sets["summary_rows"] for value in row[:3]):
        return False
    return bool(texts) and all(words.subject(t) or words.role(t) or _is_detail(t) for t in texts)


def _is_detail(text: str) -> bool:
    return base(text) in ("等级", "等第", "成绩", "分数", "得分", "满分", "") or text.startswith(("满分", "("))


def _groups(row: list, anchors: list[int], words: Dictionary) -> bool:
    """Tell whether a row groups the headers below it: texts that begin right of the first anchor."""
    filled = [column for column, value in enumerate(row) if value is not None]
    return bool(filled) and filled[0] > min(anchors) and all(isinstance(row[c], str) for c in filled)


def _columns(rows: list[list], top: int, bottom: int, words: Dictionary) -> dict[int, tuple[str, ...]]:
    """Return the header of each column; a group's name that was not merged stands for the columns to its right."""
    width = max(len(row) for row in rows[top : bottom + 1])
    parts: list[list[str]] = [[] for _ in range(width)]
    for number in range(top, bottom + 1):
        group = ""
        for column in range(width):
            value = rows[number][column] if column < len(rows[number]) else None
            text = plain(value) if value is not None else ""
            below = number < bottom and column < len(rows[bottom]) and rows[bottom][column] is not None
            if number < bottom:
                group = ("" if words.role(text) else text) or (group if below and not text else "")
                text = text or group
            if text and text not in parts[column]:
                parts[column].append(text)
    return {column: tuple(texts) for column, texts in enumerate(parts) if texts}


# --- what stands between headers ------------------------------------------------------------------------------------


def _is_prose(row: list, words: Dictionary) -> bool:
    """Tell whether a row is a title, a line of labels with their values, or a remark below a table."""
    first = next((value for value in row if value is not None), None)
    if not isinstance(first, str):
        return False
    word = words.word(first)
    labels = word.role is not None and word.role.startswith("event_")
    alone = all(value is None or value == first for value in row)
    if not (word.may_be_prose or labels or alone):
        return False
    texts = _distinct(row)
    if not texts:
        return False
    if all(":" in text and not text[0].isdigit() for text in texts):
        return True
    if len(texts) == 1:
        return any(mark in texts[0] for mark in _TITLE_MARKS) or bool(words.footers.search(texts[0]))
    return (labels and len(texts) % 2 == 0) or bool(words.footers.search(texts[0]) and len(texts) <= 4)


def _first_prose(rows: list[list], start: int, end: int, words: Dictionary) -> int:
    """Return where the lines above the next header begin: they go up to the last row of data."""
    stop = end
    while stop > start and (_is_prose(rows[stop - 1], words) or not _distinct(rows[stop - 1])):
        stop -= 1
    return stop


def _prose_above(
    rows: list[list], start: int, top: int, words: Dictionary, ledger: Ledger | None, where: Where
) -> tuple[tuple[str, int, int], ...]:
    """Return the texts above a header; below another table, those that touch it are its footers."""
    first = start
    if ledger is not None:
        blank = [number for number in range(start, top) if not _distinct(rows[number])]
        if blank:
            first = blank[0]
            for number in range(start, first):
                ledger.leave_out(FOOTER, where.row(number))
                ledger.rows_in += 1
    found, seen = [], set()
    for number in range(first, top):
        for column, value in enumerate(rows[number]):
            text = plain(value) if value is not None else ""
            if text and (number, text) not in seen:
                seen.add((number, text))
                found.append((str(value), number, column))
    return tuple(found)


def _data(
    rows: list[list],
    start: int,
    end: int,
    columns: dict[int, tuple[str, ...]],
    words: Dictionary,
    ledger: Ledger,
    where: Where,
) -> Iterator[tuple[int, list]]:
    """Yield the rows of data, each at least as wide as the header."""
    width = max(columns) + 1
    for number in range(start, end):
        row = rows[number]
        filled = [value for value in row if value is not None]
        if not filled:
            continue
        ledger.rows_in += 1
        if all(isinstance(value, str) and not value.strip() for value in filled):
            ledger.leave_out(BLANK, where.row(number))
        elif any(isinstance(value, str) and words.word(value).sums_up for value in filled[:3]):
            ledger.leave_out(SUMMARY, where.row(number))
        elif _is_prose(row, words):
            ledger.leave_out(FOOTER, where.row(number))
        else:
            yield number, row + [None] * (width - len(row))
