"""A corpus of faulty and hostile exports, made by this script: each with what should become of it.

``python tests/intake/corpus.py FOLDER`` writes them all, to look at.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

from htresearch.instruments import Instrument
from intake import small_form as small

#: Made up: a phone, an ID card with a sound check character, an address kept for documentation.
SECRETS = ("16112345678", "449999197609222520", "192.0.2.7")
PHONE, ID_CARD, ADDRESS = SECRETS


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


def _each(name: str, header: str, values: tuple, found: int = 0, left_out: int = 0) -> tuple[Faulty, ...]:
    """Write an export for each of several values in one cell, all with the same outcome."""
    return tuple(
        Faulty(f"{name}_{k}.xlsx", _set(3, header, value), found=found, left_out=left_out)
        for k, value in enumerate(values, 1)
    )


def _text(change: Callable[[str], str] = str, encoding: str = "utf-8-sig", mark: str = ","):
    """Write an export as text after a change of that text."""

    def make(path: Path, form: Instrument, answers: list[dict]) -> None:
        out = io.StringIO()
        csv.writer(out, delimiter=mark).writerows(small.wenjuanxing(form, answers, "text"))
        path.write_bytes(change(out.getvalue()).encode(encoding, "replace"))

    return make


def _part(name: str, old: str, new: str, count: int = 1):
    """Change a part of a sound workbook by a pattern; without a new text, the part is left out."""

    def change(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as was, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            for part in was.namelist():
                text = was.read(part)
                if part == name and not old:
                    continue
                if part == name:
                    text, changes = re.subn(old.encode(), new.encode(), text, count=count)
                    assert changes, f"{name} has no {old}"
                made.writestr(part, text)
        return out.getvalue()

    return _bytes(change)


def _zip(parts: dict[str, bytes]):
    def make(path: Path, form: Instrument, answers: list[dict]) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in parts.items():
                package.writestr(name, content)

    return make


def _hidden(path: Path, form: Instrument, answers: list[dict]) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("数据")
        for i, row in enumerate(small.wenjuanxing(form, answers, "text")):
            sheet.write_row(i, 0, row)
        book.add_worksheet("空").activate()
        sheet.hide()


def _day_zero_in_1904(path: Path, form: Instrument, answers: list[dict]) -> None:
    with xlsxwriter.Workbook(str(path), {"date_1904": True, "default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(small.wenjuanxing(form, answers, "text")):
            sheet.write_row(i, 0, row)
            if i:
                sheet.write_datetime(i, 1, datetime(2024, 9, 2, 8, i))


def _lie(content: bytes) -> bytes:
    """Say of the last part of a package that it unpacks to ten bytes."""
    lying = bytearray(content)
    at = lying.rfind(b"PK\x01\x02", 0, lying.rfind(b"sheet1.xml"))
    struct.pack_into("<I", lying, at + 24, 10)
    return bytes(lying)


def _swallow(text: str) -> str:
    """Take the marks of two neighbouring cells' ends: what stands between them becomes one cell, and is sound CSV."""
    lines = text.split("\r\n")
    lines[3] = ",".join([*lines[3].split(",")[:-1], '"' + lines[3].split(",")[-1]])
    lines[4] += '"'
    return "\r\n".join(lines)


def _sent_again(rows: list[list]) -> list[list]:
    again = list(rows[-1])
    again[:2] = [99, "2024/9/9 9:00:00"]
    again[rows[0].index(YEARS)] = 44
    return [*rows, again]


def _one_person(rows: list[list]) -> None:
    for row in rows[1:]:
        row[6:8] = rows[1][6:8]


def _named_after_a_person(path: Path, form: Instrument, answers: list[dict]) -> None:
    small.write(path, small.wenjuanxing(form, answers, "text"), sheet="王伟")


def _with(content: bytes, parts: dict[str, bytes]) -> bytes:
    """Add parts to a package."""
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


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
SHEET = "xl/worksheets/sheet1.xml"
DAYS = (("opened_on", "2024-09-01"), ("closed_on", "2024-09-30"))

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
CORPUS += (
    # files that are none, by another name
    Faulty("page_with_comment.xls", _bytes(b"<!-- made by x --><style>td{}</style>" + HTML), "web page"),
    Faulty("page_in_gbk.xls", _text(lambda t: f"\r\n<table><tr><td>{t}</td></tr></table>", "gbk"), "web page"),
    Faulty("page_in_utf16.xls", _text(lambda t: f"<html>{t}</html>", "utf-16"), "web page"),
    Faulty(
        "archived_page.xls",
        _bytes(b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n" + HTML),
        "web page",
    ),
    Faulty("workbook_of_2003.xls", _bytes(b'<?xml version="1.0"?><Workbook/>'), "web page or XML"),
    Faulty("picture.xlsx", _bytes(lambda c: b"\x89PNG\r\n\x1a\n" + c), "is a picture"),
    Faulty("print.xlsx", _bytes(b"%PDF-1.7\n" + _noise(6)), "is a PDF"),
    Faulty("rar.xlsx", _bytes(b"Rar!\x1a\x07\x00" + _noise(7)), "is an archive"),
    Faulty("gzipped.csv", _bytes(lambda c: gzip.compress(c)), "is an archive"),
    Faulty("zipped.zip", _zip({"导出.csv": b"a,b"}), "is an archive"),
    Faulty("letter.xlsx", _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}), "Word document"),
    Faulty("apple.numbers", _zip({"Index/Document.iwa": b"x", "preview.jpg": b"x"}), "Numbers"),
    Faulty("portable.por", _bytes(b"ASCII SPSS PORT FILE" + b" " * 500), "SPSS portable"),
    Faulty("table.parquet", _bytes(b"PAR1" + _noise(8)), "Parquet"),
    Faulty("bomb.xlsx", _zip({"xl/worksheets/sheet1.xml": b"<row>" + b" " * 60_000_000}), "damaged|no sheet"),
    Faulty("csv.sav", _text()),
    Faulty("xlsx.xls", _bytes(lambda c: c)),
    Faulty("xlsx.csv", _bytes(lambda c: c)),
    Faulty("trailing.xlsx", _bytes(lambda c: c + bytes(5000))),
    Faulty(
        "macros.xlsm",
        _bytes(lambda c: _with(c, {"xl/vbaProject.bin": b"x", "xl/externalLinks/externalLink1.xml": b"<x/>"})),
    ),
    # parts of a workbook that are not what they should be
    Faulty("no_texts.xlsx", _part("xl/sharedStrings.xml", "", ""), "damaged"),
    Faulty("no_relations.xlsx", _part("xl/_rels/workbook.xml.rels", "", ""), "damaged"),
    Faulty("no_sheet.xlsx", _part(SHEET, "", ""), "damaged"),
    Faulty("text_out_of_range.xlsx", _part(SHEET, 't="s"><v>[0-9]+', 't="s"><v>99999'), "damaged"),
    Faulty("sheet_cut.xlsx", _part(SHEET, "</row></sheetData>.*", ""), "damaged"),
    Faulty("entities.xlsx", _part("xl/sharedStrings.xml", r"\?>", '?><!DOCTYPE a [<!ENTITY b "bb">]>'), ""),
    Faulty("entity_used.xlsx", _part("xl/sharedStrings.xml", "<t>微信", "<t>&b;"), "damaged"),
    Faulty("lying_size.xlsx", _bytes(_lie), "damaged"),
    Faulty("lying_dimension.xlsx", _part(SHEET, 'dimension ref="[^"]*"', 'dimension ref="A1:XFD1048576"')),
    Faulty(
        "merged_all_over.xlsx",
        _part(SHEET, "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
    ),
    Faulty(
        "last_row.xlsx",
        _part(SHEET, "</row></sheetData>", '</row><row r="1048576"><c r="XFD1048576"/></row></sheetData>'),
        "more than the",
    ),
    Faulty("no_result.xlsx", _part(SHEET, '<c r="N4"[^>]*><v>[0-9]+</v>', '<c r="N4"><f>A1</f><v></v>')),
    Faulty("hidden.xlsx", _hidden, "sheets that hold anything are hidden"),
    Faulty("days_from_1904.xlsx", _day_zero_in_1904),
    Faulty("王伟16112345678.xlsx", _named_after_a_person),
    # text
    Faulty("marked_twice.csv", _text(lambda t: "\ufeff" + t)),
    Faulty("gb18030.csv", _text(encoding="gb18030")),
    Faulty("utf16.csv", _text(encoding="utf-16", mark="\t")),
    Faulty("unmarked_utf16.csv", _text(encoding="utf-16-le"), "neither"),
    Faulty("big5.csv", _text(encoding="big5"), "no row of headers"),
    Faulty("semicolons.csv", _text(mark=";")),
    Faulty("bars.csv", _text(mark="|")),
    Faulty("said_by_excel.csv", _text(lambda t: "sep=;\r\n" + t, mark=";")),
    Faulty("title_with_semicolons.csv", _text(lambda t: "班主任;问卷;导出\r\n" + t)),
    Faulty("title_with_tab.csv", _text(lambda t: "导出时间\t2024-09-30\r\n" + t)),
    Faulty("open_quotation_mark.csv", _text(lambda t: t.replace("微信", '"微信', 1)), "not readable CSV"),
    Faulty("rows_in_a_cell.csv", _text(_swallow), "holds other rows"),
    Faulty("old_mac.csv", _text(lambda t: t.replace("\r\n", "\r"))),
    # headers and rows
    Faulty("empty_header.xlsx", _head(YEARS, None), "no column answers"),
    Faulty("reversed.xlsx", _rows(lambda r: [row[:6] + row[:5:-1] for row in r])),
    Faulty("no_facts.xlsx", _rows(lambda r: [row[6:] for row in r]), how=DAYS),
    Faulty("phone_in_header.xlsx", _head(YEARS, f"7、您的工龄{PHONE}？"), "‹电话›"),
    Faulty("beyond.xlsx", _rows(lambda r: [*r[:3], [*r[3], "多", PHONE], *r[4:]])),
    Faulty("short.xlsx", _rows(lambda r: [*r[:3], r[3][:8], *r[4:]])),
    Faulty("total.xlsx", _rows(lambda r: [*r, ["合计"]]), found=2),
    Faulty("spaces.xlsx", _rows(lambda r: [[f" {v} " if isinstance(v, str) else v for v in row] for row in r])),
    Faulty("sent_again.xlsx", _rows(_sent_again), left_out=1),
    Faulty("one_person.xlsx", _rows(_one_person), left_out=11),
    Faulty("phones_as_numbers.xlsx", _column("序号", lambda v: int(PHONE) + v)),
    Faulty("names_as_numbers.xlsx", _rows(lambda r: [r[0], *([row[6], *row[1:]] for row in r[1:])])),
    # answers
    *_each("no_option", TIRED, ("8", 9, True, "从不从不", "〖其他〗", "5.0", "Ｔ", f"{PHONE}"), found=1),
    *_each("no_answer", TIRED, ("(跳过)", "(空)", "（跳过）", -3, "-2", None)),
    *_each("no_number", YEARS, ("十五年", -4, 400, "inf", 1e300, int(PHONE), PHONE, "9" * 400), found=1),
    *_each("number", YEARS, ("１５", "15", 15.0, 3.5, "nan")),
    *_each("no_kinds", KINDS, ("讲座┋家访", "讲座,工作坊", "讲座┋讲座"), found=1),
    *_each("no_moment", "提交答卷时间", ("昨天", "2024-13-40 25:61", 1e12), found=1),
    *_each("moment", "提交答卷时间", (45537.5, datetime(2024, 9, 2, 8), None)),
    *_each("no_length", "所用时间", ("-5秒", "很久", 1e12), found=1),
    *_each("length", "所用时间", ("1:23", "2分3秒", 123, None)),
    *_each("nobody", NAME, (None, "无", "！！！"), found=1),
    *_each("tried", NAME, ("test", "测试"), left_out=1),
    *_each("told", COMMENT, (f"电话{PHONE}", f"身份证{ID_CARD}", f"来自{ADDRESS}", "王伟老师帮助很大")),
    *_each("like_a_formula", COMMENT, ("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-5")),
    *_each("day", BEGAN, (date(2015, 3, 1), "2015年3月1日", "2015.3.1")),
    *_each("no_day", BEGAN, ("2015-02-30", "0000-00-00", PHONE), found=1),
)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    form = small.form(folder)
    for faulty in CORPUS:
        faulty.make(folder / faulty.name, form, said(form))
