"""A corpus of faulty and hostile exports, made by this script: each with what should become of it.

``python -m tests.intake.faulty_exports FOLDER`` writes them all, to look at.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xlsxwriter

from htresearch.instruments import Instrument

from . import small_form as small


@dataclass(frozen=True)
class Faulty:
    """A faulty export.

    Attributes
    ----------
    name : str
        Of the file.
    make : callable
        Writes it.
    refused : str
        What the message says, in English; empty where the file is taken in.
    left_out : int
        Rows left out of 12.
    found : int
        Cells and rows that are listed.
    how : dict
        Arguments of the reader.
    """

    name: str
    make: Callable[[Path, Instrument, list[dict]], None]
    refused: str = ""
    left_out: int = 0
    found: int = 0
    how: tuple[tuple[str, object], ...] = ()


ROWS = 12


def said(form: Instrument) -> list[dict]:
    """The answers that were spoilt."""
    return small.answers(form, ROWS, seed=3)


def _rows(change: Callable[[list[list]], list[list] | None], mode: str = "text", split: bool = False):
    """Write an export after a change of its rows."""

    def make(path: Path, form: Instrument, answers: list[dict]) -> None:
        rows = [list(row) for row in small.wenjuanxing(form, answers, mode, split)]
        small.write(path, change(rows) or rows)

    return make


def _bytes(content: bytes | Callable[[bytes], bytes], start: str = ".xlsx"):
    """Write bytes, or what becomes of a sound file's bytes."""

    def make(path: Path, form: Instrument, answers: list[dict]) -> None:
        if isinstance(content, bytes):
            path.write_bytes(content)
            return
        sound = path.with_name(f"sound{start}")
        if start in (".sav", ".dta"):
            small.write_labelled(sound, form, answers)
        else:
            small.write(sound, small.wenjuanxing(form, answers, "text"))
        path.write_bytes(content(sound.read_bytes()))
        sound.unlink()

    return make


def _set(row: int, header: str, value: object):
    """Change a cell."""

    def change(rows: list[list]) -> None:
        rows[row][rows[0].index(header)] = value

    return _rows(change)


def _column(header: str, value: Callable[[object], object]):
    """Change a column below its header."""

    def change(rows: list[list]) -> None:
        at = rows[0].index(header)
        for row in rows[1:]:
            row[at] = value(row[at])

    return _rows(change)


def _head(old: str, new: object):
    """Change a header."""

    def change(rows: list[list]) -> None:
        rows[0][rows[0].index(old)] = new

    return _rows(change)


def _sparse(path: Path, form: Instrument, answers: list[dict]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "序号")
        sheet.write(1_048_575, 16_383, 1)


def _formulas(path: Path, form: Instrument, answers: list[dict]) -> None:
    rows = small.wenjuanxing(form, answers, "text")
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
        sheet.write_formula(1, 10, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 15, '=WEBSERVICE("http://localhost/")', None, "好")


def _two_sheets(path: Path, form: Instrument, answers: list[dict]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("甲", "乙"):
            sheet = book.add_worksheet(name)
            for i, row in enumerate(small.wenjuanxing(form, answers, "text")):
                sheet.write_row(i, 0, row)


def _empty_book(path: Path, form: Instrument, answers: list[dict]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet()


def _wide(path: Path, form: Instrument, answers: list[dict]) -> None:
    rows = small.wenjuanxing(form, answers, "text")
    small.write(
        path, [[*row, *([f"{90 + i}、题{i}" if n == 0 else i for i in range(5000)])] for n, row in enumerate(rows)]
    )


def _labelled_otherwise(path: Path, form: Instrument, answers: list[dict]) -> None:
    import pyreadstat

    small.write_labelled(path, form, answers)
    table, meta = pyreadstat.read_sav(str(path), user_missing=True)
    labels = {"tired": {0: "完全同意", 1: "同意", 2: "反对", 3: "完全反对"}}
    pyreadstat.write_sav(table, str(path), column_labels=meta.column_names_to_labels, variable_value_labels=labels)


def _two_modes(rows: list[list]) -> None:
    """Leave only answers that could be numbers of options and scores."""
    for row in rows[1:]:
        for header in (TIRED, GLAD):
            row[rows[0].index(header)] = 2


def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(4000)


def _flip(content: bytes) -> bytes:
    """Turn bits over in the middle of a file."""
    spoilt = bytearray(content)
    for at in range(len(spoilt) // 3, len(spoilt) // 3 + 200):
        spoilt[at] ^= 0x5A
    return bytes(spoilt)


NAME, TRAINED, KINDS, WISHES = (
    "1、您的姓名：",
    "3、您是否参加过培训？",
    "4、参加过哪些形式？（可多选）",
    "6、您最需要什么？",
)
TIRED, GLAD, YEARS, BEGAN = "第5题(我觉得累)", "第5题(我觉得高兴)", "7、您当了几年班主任？", "8、您哪天开始当班主任？"
COMMENT = "9、您还想说什么？"
HTML = b"<html><table><tr><td>\xe5\xba\x8f\xe5\x8f\xb7</td></tr></table></html>"

CORPUS = (
    # files that are none
    Faulty("empty.xlsx", _bytes(b""), "is empty"),
    Faulty("blank.csv", _bytes(b"\xef\xbb\xbf \r\n"), "is empty"),
    Faulty("noise.xlsx", _bytes(_noise(1)), "neither|damaged|no text|no row of headers"),
    Faulty("noise.sav", _bytes(b"$FL2" + _noise(2)), "no readable .sav file"),
    Faulty("noise.dta", _bytes(b"<stata_dta>" + _noise(3)), "no readable .dta file"),
    Faulty("old.xls", _bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + _noise(4)), "damaged"),
    Faulty("page.xls", _bytes(HTML), "web page"),
    Faulty("wps.et", _bytes(_noise(5)), "WPS"),
    Faulty("cut.xlsx", _bytes(lambda c: c[: len(c) // 2]), "damaged"),
    Faulty("flipped.xlsx", _bytes(_flip), "damaged|no sheet|no row"),
    Faulty("cut.sav", _bytes(lambda c: c[:200], ".sav"), "no readable .sav file"),
    Faulty("cut.dta", _bytes(lambda c: c[: len(c) // 2], ".dta"), "no readable .dta file"),
    Faulty("nul.csv", _bytes("序号,提交答卷时间\n1,\0\n".encode()), "neither a text table"),
    Faulty(
        "quotes.csv",
        _bytes(('序号,提交答卷时间,1、您的姓名：\n1,"2024' + "x" * 200_000).encode()),
        "no column answers|not readable CSV",
    ),
    Faulty("sparse.xlsx", _sparse, "more than the"),
    Faulty("empty_book.xlsx", _empty_book, "sheets are empty"),
    # headers
    Faulty("no_headers.xlsx", _rows(lambda r: r[1:]), "no row of headers|no column answers"),
    Faulty("headers_only_facts.xlsx", _rows(lambda r: [row[:6] for row in r]), "no column answers"),
    Faulty("other_number.xlsx", _head(YEARS, "70、您当了几年班主任？"), "question 7"),
    Faulty("other_words.xlsx", _head(YEARS, "7、您的工作年限是几年？"), "years"),
    Faulty("other_row.xlsx", _head(TIRED, "第5题(我觉得很累)"), "tired"),
    Faulty("no_number.xlsx", _head(YEARS, "您当了几年班主任？"), "question 7"),
    Faulty("twice.xlsx", _rows(lambda r: [[*row, row[-1]] for row in r]), "answer the same item"),
    Faulty("dropped.xlsx", _rows(lambda r: [row[:-3] for row in r]), "no column answers"),
    Faulty(
        "added.xlsx",
        _rows(lambda r: [[*row, "10、工资？" if n == 0 else 1] for n, row in enumerate(r)]),
        "is no question",
    ),
    Faulty("wide.xlsx", _wide, "more columns match nothing"),
    Faulty("time_twice.xlsx", _rows(lambda r: [[*row, row[1]] for row in r]), "tells the same"),
    Faulty("two_sheets.xlsx", _two_sheets, "2 sheets"),
    Faulty(
        "choice_dropped.xlsx", _rows(lambda r: [row[:9] + row[10:] for row in r], "number", True), "lacks the columns"
    ),
    # answers
    Faulty("two_modes.xlsx", _rows(_two_modes, "number", True), "mode='number' or mode='score'"),
    Faulty("shifted.csv", _rows(lambda r: r[4].append("x") or r), "beyond the headers"),
    Faulty("other_options.xlsx", _column(TIRED, lambda v: "非常满意"), "tired"),
    Faulty("labelled_otherwise.sav", _labelled_otherwise, "tired"),
    Faulty("stray.xlsx", _set(3, TIRED, "偶尔"), found=1),
    Faulty("stray_number.xlsx", _set(3, GLAD, 7), found=1),
    Faulty("half_choices.xlsx", _set(3, KINDS, "讲座┋聚餐"), found=1),
    Faulty("ranked_twice.xlsx", _set(3, WISHES, "时间→时间"), found=1),
    Faulty("years_in_words.xlsx", _set(3, YEARS, "十几年"), found=1),
    Faulty("years_beyond.xlsx", _set(3, YEARS, 450), found=1),
    Faulty("no_day.xlsx", _set(3, BEGAN, "去年"), found=1),
    Faulty("day_as_text_of_excel.xlsx", _set(3, COMMENT, datetime(2024, 3, 1)), found=1),
    Faulty("no_time.xlsx", _set(3, "提交答卷时间", "昨天"), found=1),
    Faulty("no_duration.xlsx", _set(3, "所用时间", "一会儿"), found=1),
    Faulty("phone_as_answer.xlsx", _set(3, TIRED, "13800138000"), found=1),
    Faulty("formulas.xlsx", _formulas),
    Faulty("long_text.xlsx", _set(3, COMMENT, "很" * 30_000)),
    Faulty("odd_characters.xlsx", _set(3, COMMENT, "\u202e\u200b𠮷👩‍👩‍👧\u0301")),
    Faulty("script.xlsx", _set(3, COMMENT, "<script>alert(1)</script>")),
    # rows
    Faulty("repeated.xlsx", _rows(lambda r: [*r[:-2], r[3], r[3]]), left_out=2),
    Faulty("headers_again.xlsx", _rows(lambda r: [*r[:5], r[0], *r[5:]])),
    Faulty("gaps.xlsx", _rows(lambda r: [*r[:5], [None], [None], *r[5:]])),
    Faulty("titled.xlsx", _rows(lambda r: [["答卷导出"], [None], *r])),
    Faulty("test.xlsx", _set(3, NAME, "测试"), left_out=1),
    Faulty("test_source.xlsx", _set(3, "来源", "测试链接"), left_out=1),
    Faulty("late.xlsx", _set(3, "提交答卷时间", "2025/9/2 8:00:00"), left_out=1, how=(("closed_on", "2024-12-31"),)),
    Faulty("same_number.xlsx", _set(3, "序号", 1)),
    Faulty("no_number_of_record.xlsx", _set(3, "序号", None)),
    Faulty("no_rows.xlsx", _rows(lambda r: r[:1]), left_out=0),
)


if __name__ == "__main__":
    import sys

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    form = small.form(folder)
    for faulty in CORPUS:
        faulty.make(folder / faulty.name, form, said(form))
