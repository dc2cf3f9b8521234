"""Faulty and hostile exports, made from one sound export: what schools send, and what nobody should."""

import csv
import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

FORM = """
id: little
version: "1.0"
status: draft
title: {zh: 小问卷, en: A little form}
purpose: {zh: 试验, en: Trial}
source: {zh: 自编, en: Own}
licence: Apache-2.0
respondent: teacher
missing: [{value: -3, zh: 跳过, en: skipped}, {value: -2, zh: 空, en: left blank}]
choices:
  agree:
    - {value: 1, zh: 非常不同意, en: Strongly disagree}
    - {value: 2, zh: 不同意, en: Disagree}
    - {value: 3, zh: 说不清, en: Neither}
    - {value: 4, zh: 同意, en: Agree}
    - {value: 5, zh: 非常同意, en: Strongly agree}
items:
  - {id: who, type: text, zh: 您的姓名, en: Your name, identifies: name}
  - {id: place, type: text, zh: 您所在的学校, en: Your school, identifies: school}
  - {id: calm, type: single, choices: agree, zh: 我能平静地处理学生的冲突, en: I handle conflicts calmly}
  - {id: tired, type: single, choices: agree, zh: 带班让我疲惫, en: Leading a class tires me}
  - {id: years, type: number, min: 0, max: 45, zh: 您当班主任几年, en: Years as a head teacher}
  - id: ways
    type: multiple
    zh: 您用过哪些方式
    en: Which ways have you used
    choices:
      - {value: 1, zh: 家访, en: Home visits}
      - {value: 2, zh: 电话, en: Phone}
      - {value: 3, zh: 班会, en: Class meetings}
  - {id: note, type: text, optional: true, zh: 其他想说的, en: Anything else}
"""

AGREE = ("非常不同意", "不同意", "说不清", "同意", "非常同意")
HEADER = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]
HEADER += ["1、您的姓名", "2、您所在的学校", "3、我能平静地处理学生的冲突", "4、带班让我疲惫", "5、您当班主任几年"]
HEADER += ["6、您用过哪些方式", "7、其他想说的"]
#: Made up; the addresses are of the range kept for documentation.
NAMES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"
SECRETS = ("16112345678", "192.0.2.7", "449999197609222520")


def sound() -> list[list]:
    """Return header and twenty answers."""
    rows = []
    for i, name in enumerate(NAMES):
        at = f"2025/5/{12 + i % 9} {8 + i % 9}:{10 + i}:0{i % 10}"
        told = [i + 1, at, f"{90 + 7 * i}秒", "微信", "N/A", f"192.0.2.{i + 1}(示例省-示例市)"]
        ways = "┋".join(w for k, w in enumerate(("家访", "电话", "班会")) if (i >> k) & 1 or k == i % 3)
        rows.append(
            [
                *told,
                f"试{name}",
                f"示例第{'一二三'[i % 3]}小学",
                AGREE[i % 5],
                AGREE[(i * 2 + 1) % 5],
                i + 1,
                ways,
                None,
            ]
        )
    return [list(HEADER), *rows]


def book(path: Path, rows: list[list], sheets: dict[str, list[list]] | None = None) -> Path:
    with xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "default_date_format": "yyyy/m/d h:mm"}
    ) as made:
        for name, content in {"Sheet1": rows, **(sheets or {})}.items():
            sheet = made.add_worksheet(name)
            for i, row in enumerate(content):
                for j, value in enumerate(row):
                    if value is not None:
                        sheet.write(i, j, value)
    return path


def text(path: Path, rows: list[list], encoding: str = "utf-8-sig", mark: str = ",") -> Path:
    out = io.StringIO()
    csv.writer(out, delimiter=mark).writerows(["" if v is None else v for v in row] for row in rows)
    path.write_bytes(out.getvalue().encode(encoding, "replace"))
    return path


Change = Callable[[list[list]], object]
CORPUS: dict[str, Callable[[Path], Path]] = {}


def _rows(name: str, change: Change) -> None:
    """Add the sound export with its rows changed."""

    def make(folder: Path) -> Path:
        rows = sound()
        return book(folder / "export.xlsx", change(rows) or rows)

    CORPUS[name] = make


def _set(row: int, column: int, value: object) -> Change:
    def change(rows: list[list]) -> None:
        rows[row][column] = value

    return change


def _put(name: str, row: int, column: int, *values: object) -> None:
    for k, value in enumerate(values):
        _rows(f"{name} {k + 1}" if len(values) > 1 else name, _set(row, column, value))


def _bytes(name: str, suffix: str, change: Callable[[bytes], bytes]) -> None:
    def make(folder: Path) -> Path:
        whole = book(folder / "whole.xlsx", sound()).read_bytes()
        path = folder / f"export{suffix}"
        path.write_bytes(change(whole))
        return path

    CORPUS[name] = make


def _zip(name: str, suffix: str, parts: dict[str, str | bytes]) -> None:
    def make(folder: Path) -> Path:
        path = folder / f"export{suffix}"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for part, content in parts.items():
                file.writestr(part, content)
        return path

    CORPUS[name] = make


# Rows and columns that are not what they should be.
_rows("sound", lambda rows: None)
_rows("header only", lambda rows: rows[:1])
_rows("no header", lambda rows: rows[1:])
_rows("titles above", lambda rows: [["2025年班主任问卷"], [None], ["导出时间", "2025/6/1"], *rows])
_rows("blank rows between", lambda rows: [*rows[:5], [], [None] * 13, *rows[5:]])
_rows("a total at the end", lambda rows: [*rows, ["合计", None, None, None, None, None, None, None, 70]])
_rows("no questions", lambda rows: [row[:6] for row in rows])
_rows("a question is missing", lambda rows: [row[:9] + row[10:] for row in rows])
_rows(
    "a question too many",
    lambda rows: [[*row, "8、您的手机号" if i == 0 else SECRETS[0]] for i, row in enumerate(rows)],
)
_rows("a column twice", lambda rows: [[*row, row[8]] for row in rows])
_rows("columns in another order", lambda rows: [row[:6] + row[:5:-1] for row in rows])
_rows("no leading columns", lambda rows: [row[6:] for row in rows])
_rows("a row too short", lambda rows: [*rows[:4], rows[4][:8], *rows[5:]])
_rows("a row too long", lambda rows: [*rows[:4], [*rows[4], "多", "余"], *rows[5:]])
_put(
    "other wording",
    0,
    8,
    "3、我能冷静处理学生冲突",
    "3、学校食堂的饭菜可口",
    "4、我能平静地处理学生的冲突",
    "我能平静地处理学生的冲突",
)
_put("an empty header", 0, 9, None)
# Answers that are none.
_put("no option", 3, 8, "基本同意", "8", 9, -1, True, "非常同意非常同意", "〖其他〗", "5.0", "Ｔ")
_put("missing codes", 3, 8, "(跳过)", "(空)", -3, "-2", "（跳过）")
_put("numbers", 3, 10, "十五年", "１５", -4, 400, 3.5, "1e3", "nan", "inf", 1e300, "15年")
_put("several", 3, 11, "家访┋走访", "家访,电话", "家访┋家访", "┋", "其他〖微信群〗", "1┋3")
_put(
    "times",
    3,
    1,
    "昨天",
    "2025-13-40 25:61",
    45789.5,
    "2019/1/1 8:00:00",
    "2099/1/1 8:00:00",
    None,
    datetime.date(2025, 5, 13),
)
_put("durations", 3, 2, "-5秒", "很久", "1:23", "2分3秒", 1e12, None)
# Who stands there twice, or should not.
_rows("the same serial twice", lambda rows: [*rows, list(rows[-1])])
_rows("the same answers twice", lambda rows: [*rows, [21, *rows[-1][1:]]])
_rows(
    "sent twice", lambda rows: [*rows, [21, "2025/5/22 9:00:00", *rows[-1][2:8], AGREE[0], AGREE[0], *rows[-1][10:]]]
)
_rows(
    "all the same person", lambda rows: [rows[0], *([*row[:6], "试甲", "示例第一小学", *row[8:]] for row in rows[1:])]
)
_put("a test", 3, 6, "测试", "test")
_put("no name", 3, 6, None, "匿名", "无", "！！！")
_put("who in a comment", 3, 12, f"电话{SECRETS[0]}", f"身份证{SECRETS[2]}", f"来自{SECRETS[1]}", "试甲老师帮助很大")
# What spreadsheets carry along.
_put("a formula as text", 3, 12, "=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-5")
_put("odd text", 3, 12, "长" * 32_000, "‮反\u200b向", "\U0001f600" * 50, "a\tb\nc")
_rows("text in all number cells", lambda rows: [[v if v is None else f" {v} " for v in row] for row in rows])
_rows("many empty columns", lambda rows: [[*row, *[None] * 200, "x"] for row in rows])


def _second_sheet(folder: Path) -> Path:
    return book(folder / "export.xlsx", sound(), {"汇总": [["同意", 3], ["不同意", 2]], "Sheet3": []})


def _two_exports(folder: Path) -> Path:
    return book(folder / "export.xlsx", sound(), {"又一份": sound()})


def _failed_formula(folder: Path) -> Path:
    path = folder / "export.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet()
        for i, row in enumerate(sound()):
            sheet.write_row(i, 0, ["" if v is None else v for v in row])
        sheet.write_formula(3, 10, "=1/0", None, "#DIV/0!")
    return path


def _macros(folder: Path) -> Path:
    source = book(folder / "whole.xlsx", sound())
    path = folder / "export.xlsm"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"x" * 100)
        new.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    return path


CORPUS |= {
    "a second sheet": _second_sheet,
    "two exports in one file": _two_exports,
    "a failed formula": _failed_formula,
    "macros and links": _macros,
    "csv in GB18030": lambda folder: text(folder / "export.csv", sound(), "gb18030"),
    "csv in Big5": lambda folder: text(folder / "export.csv", sound(), "big5"),
    "csv with semicolons": lambda folder: text(folder / "export.csv", sound(), "utf-8", ";"),
    "csv in UTF-16": lambda folder: text(folder / "export.csv", sound(), "utf-16"),
    "csv as xlsx": lambda folder: text(folder / "export.xlsx", sound()),
}
_bytes("empty", ".xlsx", lambda whole: b"")
_bytes("cut", ".xlsx", lambda whole: whole[: len(whole) * 2 // 3])
_bytes("a flipped byte", ".xlsx", lambda whole: whole[:900] + bytes([whole[900] ^ 255]) + whole[901:])
_bytes("xlsx as csv", ".csv", lambda whole: whole)
_bytes("WPS's own", ".et", lambda whole: b"\xd0\xcf\x11\xe0" + whole)
_bytes("a picture", ".xlsx", lambda whole: b"\x89PNG\r\n\x1a\n" + whole)
_bytes("a page as xls", ".xls", lambda whole: b"<html><body><table><tr><td>1</td></tr></table></body></html>")
_bytes("noughts", ".csv", lambda whole: b"a,b\n\x00\x00,1\n")
_bytes("an open quotation mark", ".csv", lambda whole: '序号,"1、您的姓名\n1,甲\n'.encode())
_zip("a document", ".xlsx", {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w:document/>"})
_zip("a bomb", ".xlsx", {"xl/worksheets/sheet1.xml": b"<row>" + b" " * 60_000_000})
