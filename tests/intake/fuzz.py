"""Sound files spoilt at random, and taken the whole way: read, decoded, taken in, said.

``python tests/intake/fuzz.py --seconds 600`` tries as many files as it can; each has a seed of its own. A file that
breaks a promise is kept with its seed, and ``--only SEED`` makes it and tries it again. In the test run the time is
`HTRESEARCH_FUZZ_SECONDS`; without it 60 on a machine that says it is CI, 20 elsewhere. The seeds begin at
`HTRESEARCH_FUZZ_SEED`, 1 by default, so that a run that was green stays green.

What is promised of any file: no error but the package's own, which says what is wrong in both languages; no warning;
after a refusal the study is what it was, byte for byte, and nothing lies beside it; a receipt adds up, and
the study it speaks of is sound; nobody's name or number is in anything that is written or said.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

import pandas as pd
import pyarrow.parquet as pq
import xlsxwriter

from htresearch.errors import HTResearchError
from htresearch.intake import Key, Linkage, Receipt, forms, merge, open_table, take_in
from htresearch.intake.school import Roster, read_workbooks
from htresearch.intake.school import take_in as take_in_workbooks
from htresearch.intake.template import template
from htresearch.language import speaking
from htresearch.study import open_study
from htresearch.study.schema import schema
from intake import small_form as small
from intake.filled import as_entries
from intake.school.conftest import CLASSES, PUPILS, TEACHERS, study_tables

#: Made up: a phone, an address kept for documentation, an ID card with a sound check character, and a pupil's number.
NUMBERS = ("16112345678", "192.0.2.77", "449999197609222520", "G449999197609222520", "lan.fuzz@example.org")
_SPELLED = (
    *NUMBERS,
    "１６１１２３４５６７８",
    "161-1234-5678",
    "电话16112345678找我",
    16112345678,
    449999197609222520,
)
_SECRET = re.compile("|".join(map(re.escape, NUMBERS)))
#: What stands in cells where it should not.
ODD = (
    None, "", " ", "\u3000", 0, -1, 1, 3, 7, 99, 2.5, 1e300, -1e300, 1e-9, 10**15, 2**53, True, False, "nan",
    "inf", "-", "1e999", "９", "十二", "#N/A", "=1/0", "='x'!A1", "@x", "(空)", "(跳过)", "-3", "是", "有时",
    "讲座┋其他〖x〗",
    "时间→时间", "2024.9.1", "2024-02-30", "0000-00-00", "9999-12-31", "2024/9/2 8:00:00", "45537.5", "1:23",
    "24:61", "缺考", "免考", "优", "A", "合计", "平均分", "姓名", "班级", "班主任", "序号", "1、您的姓名：",
    "第5题(我觉得累)", "二年级(1)班",
    "七(3)班", "王静", "王静/李敏", "示例小学", "无", "测试", "a\nb", "a\tb", "\u202e\u200b", "\U0001f600",
    "<script>x</script>", "长" * 3000, '"', "'", ",", ";", "|", "\\", date(2024, 9, 1), date(1900, 1, 1),
    datetime(2024, 9, 1, 8, 30), date(9999, 12, 31),
)  # fmt: skip


# --- what is there to begin with ------------------------------------------------------------------------------------


@dataclass
class World:
    """A study, who is in it, an instrument, and sound files to spoil."""

    folder: Path
    tables: dict[str, pd.DataFrame] = field(default_factory=study_tables)

    def __post_init__(self):
        self.base, self.study = self.folder / "base", self.folder / "work" / "study"
        self.base.mkdir()
        for name, frame in self.tables.items():
            frame.to_csv(self.base / f"{name}.csv", index=False)
        self.opened = open_study(self.base)
        self.form, self.schema = small.form(self.folder), schema()
        self.key = Key.create(self.folder / "key")
        schools = [("S1", "示例小学"), ("S2", "示例中学"), ("S3", "示例学校")]
        pupils = [
            (f"P{c[1:]}{i}", name, c, f"L999999{year}0000{c[1:]}{i:02d}", f"{year}{no:02d}{i:02d}", i)
            for c, _, _, year, _, no in CLASSES
            for i, name in enumerate(PUPILS, 1)
        ]
        self.roster = Roster(
            pd.DataFrame(schools, columns=["school_id", "name"]),
            pd.DataFrame(TEACHERS, columns=["teacher_id", "name", "school_id"]),
            pd.DataFrame(pupils, columns=["student_id", "name", "class_id", "student_number", "number", "seat"]),
        )
        self.answers = small.answers(self.form, 8)
        self.names = {row["name"] for row in self.answers} | {name for _, name, _ in TEACHERS} | set(PUPILS)
        labelled = [
            small.write_labelled(self.folder / f"a{end}", self.form, self.answers) for end in (".sav", ".dta")
        ]
        self.labelled = {path.suffix: path.read_bytes() for path in labelled}
        self.filled = {name: self._filled(name) for name in ("teachers", "appointments", "appraisals", "attendance")}
        self.fresh()

    def _filled(self, table: str) -> list[list]:
        sheet = open_table(template(self.base, table, self.folder / f"{table}.xlsx")).sheets[0]
        made = {
            "appointments": pd.DataFrame({"teacher_id": ["T1"], "class_id": ["C11"], "role": ["head"]}).assign(
                starts_on=pd.Timestamp("2023-09-01"), ends_on=None, reason_ended=None
            ),
        }
        frame = made.get(table, self.tables.get(table, pd.DataFrame()))
        return [*sheet.rows, *([None, *row] for row in as_entries(frame, self.schema.tables[table], self.schema))]

    def fresh(self, kind: str = "") -> None:
        """Put the study back as it was at the beginning: as much of one as files of a kind are about."""
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        self.study.mkdir(parents=True)
        wanted = {"school": self.tables, "form": ("schools", "terms", "classes", "teachers")}.get(kind, ())
        for name in wanted:
            shutil.copy(self.base / f"{name}.csv", self.study)

    def state(self) -> dict[str, str]:
        """Return what tells whether anything was written."""
        return {
            str(path): hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "folder"
            for path in (self.folder / "work").rglob("*")
        }

    def words(self) -> str:
        """Return all that stands in the study."""
        said = []
        for path in self.study.rglob("*"):
            if path.suffix == ".parquet":
                table = pq.read_table(path)
                said += [str(v) for column in table.columns for v in column.unique().to_pylist()]
            elif path.is_file():
                said.append(path.read_text("utf-8"))
        return "\n".join(said)


# --- sound tables ---------------------------------------------------------------------------------------------------

_TERM = "示例小学2023-2024学年第一学期"
_EVENT = "层级：校本　形式：研讨会　主题：工作方法　方式：个案分析　时间：2023.10.10　时长：2小时"
SCHOOL = (
    [
        [f"{_TERM}班主任名单"],
        ["序号", "班级", "班主任", "任职日期", "离任日期", "离任原因", "备注"],
        [1, "二年级(1)班", "王静", "2023.9.1", None, None, None],
        [2, "二年级(2)班", "李敏", None, None, None, "王静产假"],
    ],
    [
        [f"{_TERM}期末二年级（1）班成绩册"],
        ["座号", "姓名", "语文", "数学", "总分"],
        [1, "林一诺", 95, 88.5, 183.5],
        [2, "高子轩", "缺考", "９０", 90],
        [3, "高子轩", "免考", "缓考", None],
        [4, "宋清越", None, "76分", 76],
        ["平均分", None, 95, 85, None],
    ],
    [
        ["示例小学班主任培训签到表"],
        [_EVENT],
        ["序号", "姓名", "签到"],
        [1, "王静", "√"],
        [2, "李 敏", "李敏"],
        [3, "张伟", "请假"],
    ],
    [
        ["示例小学班主任获奖名单"],
        ["序号", "姓名", "荣誉称号", "级别", "获奖日期"],
        [1, "王静", "优秀班主任", "区级", "2023.9.10"],
        [2, "李敏", "师德标兵", "校级", date(2024, 7, 10)],
    ],
)


def _answers(world: World, rng: random.Random) -> list[list]:
    which = rng.random()
    if which < 0.7:
        mode = rng.choice(["text", "text", "number", "score"])
        return small.wenjuanxing(world.form, world.answers, mode, rng.random() < 0.3)
    return (small.tencent if which < 0.85 else small.plain)(world.form, world.answers)


# --- spoiling -------------------------------------------------------------------------------------------------------


def spoil_rows(rows: list[list], rng: random.Random, names: list[str]) -> list[list]:
    """Change cells, headers, rows and columns; names only below the third row: nobody heads a column."""
    rows = [list(row) for row in rows]
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 2, 3, 6, 15])):
        if not rows or not any(rows):
            break
        change = rng.random()
        i = rng.randrange(len(rows))
        row = rows[i]
        j = rng.randrange(len(row)) if row else 0
        if change < 0.5 and row:
            pool = rng.random()
            if pool < 0.2:
                row[j] = rng.choice(_SPELLED)
            elif pool < 0.3 and i > 2:
                row[j] = rng.choice(names) + rng.choice(["", "", "老师", " ", "16112345678"])
            elif pool < 0.45:
                other = rng.choice([r for r in rows if r])
                row[j] = other[min(j, len(other) - 1)]
            elif pool < 0.6 and isinstance(row[j], str):
                row[j] = _spoil_text(row[j], rng)
            else:
                row[j] = rng.choice(ODD)
        elif change < 0.6:
            rows.insert(i, list(rng.choice(rows)))
        elif change < 0.67:
            del rows[i]
        elif change < 0.72:
            rows.insert(i, [rng.choice(ODD)] * rng.choice([0, 1, len(row)]))
        elif change < 0.77:
            rows.append([rng.choice(ODD), *([None] * rng.randrange(4)), rng.choice(_SPELLED)])
        elif change < 0.83:
            for r in rows:
                if j < len(r):
                    del r[j]
        elif change < 0.9:
            for r in rows:
                r.insert(j, rng.choice(ODD) if rng.random() < 0.3 else (r[j - 1] if 0 < j <= len(r) else None))
        elif change < 0.94:
            rows[i] = [*row[:j], rng.choice(ODD), *row[j:]]
        elif change < 0.97:
            rows[i] = row[:j]
        else:
            rng.shuffle(rows)
    return rows


def _spoil_text(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        [
            text[:at] + text[at + 1 :],
            text[:at] + rng.choice("、:：()（）\u200b \n\"'1２x·") + text[at:],
            text * 2,
            f" {text} ",
            text.upper(),
            text.replace("、", "."),
            f"*{text}【单选题】",
            text[::-1],
        ]
    )


def write_book(path: Path, rows: list[list], rng: random.Random) -> None:
    """Write rows as a workbook with a few of the things that workbooks have."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    options |= {"default_date_format": "yyyy/m/d h:mm", "date_1904": rng.random() < 0.05}
    with xlsxwriter.Workbook(str(path), options) as book:
        if rng.random() < 0.1:
            book.add_worksheet("说明").write(0, 0, rng.choice(["请各校填写", "姓名", *NUMBERS]))
        sheet = book.add_worksheet(rng.choice(["Sheet1", "Sheet1", "二年级(1)班", "a'b&<"]))
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if value is None:
                    continue
                if isinstance(value, date) and value.year < 1905:
                    value = str(value)
                if isinstance(value, str) and rng.random() < 0.01:
                    sheet.write_formula(i, j, "=A1", None, rng.choice(["#N/A", value, 0, ""]))
                else:
                    sheet.write(i, j, value)
        if rng.random() < 0.1 and rows:
            top, left = rng.randrange(len(rows)), rng.randrange(8)
            sheet.merge_range(
                top, left, top + rng.randrange(1, 4), left + rng.randrange(3), rng.choice(["", "x", "王静"])
            )
        if rng.random() < 0.05:
            sheet.hide_unused = True
            book.add_worksheet("又").activate()
            sheet.hide()


def write_text(path: Path, rows: list[list], rng: random.Random) -> None:
    """Write rows as a text table in some encoding, with some delimiter, perhaps with its text spoilt."""
    out = io.StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    made = csv.writer(
        out, delimiter=rng.choice(",,,\t;|"), lineterminator=rng.choice(["\r\n", "\n"]), quoting=quoting
    )
    made.writerows(["" if v is None else v for v in row] for row in rows)
    text = out.getvalue()
    for _ in range(rng.choice([0, 0, 0, 1, 2, 5])):
        at = rng.randrange(len(text) + 1)
        text = (
            text[:at]
            + rng.choice(['"', "\n", ",", "\t", ";", "\r", "\0", "\ufeff", "\x1a", ""])
            + text[at + rng.randrange(2) :]
        )
    if rng.random() < 0.05:
        text = rng.choice(["sep=,\n", "<table>", "{", "标题;一;二\n", "\ufeff\ufeff"]) + text
    encoding = rng.choice(
        ["utf-8-sig", "utf-8", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-8-sig", "utf-32", "big5"]
    )
    path.write_bytes(text.encode(encoding, "replace"))


_VALUES = (
    "", "-1", "0", "1", "99999999999", "XFD1048576", "A1:XFD1048576", "A0", "1A", "NaN", "1e999", "s", "e", "b",
    "str", "inlineStr", "n", "d", "x", "&#0;", "\u202e", "../../x", "hidden", "veryHidden", "2024-13-45",
)  # fmt: skip


def spoil_xml(content: bytes, rng: random.Random) -> bytes:
    """Change, drop, double or move tags of a part, or what stands between them."""
    tags = list(re.finditer(rb"<[^>]+>", content))
    for _ in range(rng.choice([1, 1, 2, 4])):
        if not tags:
            break
        tag, other = rng.choice(tags), rng.choice(tags)
        value = rng.choice(_VALUES).encode()
        said = b'="' + value + b'"'
        change = rng.random()
        if change < 0.25:
            new = re.sub(rb'="[^"]*"', lambda _, said=said: said, tag[0], count=1)
        elif change < 0.45:
            new = re.sub(rb'( [rst])="[^"]*"', lambda match, said=said: match[1] + said, tag[0])
        elif change < 0.6:
            new = b""
        elif change < 0.7:
            new = tag[0] * 2
        elif change < 0.8:
            new = other[0]
        elif change < 0.95:
            new = tag[0] + rng.choice(
                [value, b"<v>", b"</v>", b"<f>A1</f>", b"&x;", b"]]>", b"<!--", b"\xff", b"<c/>"]
            )
        else:
            content = content[: tag.start()]
            break
        content = content[: tag.start()] + new + content[tag.end() :]
        tags = list(re.finditer(rb"<[^>]+>", content))
    return content


def spoil_package(path: Path, rng: random.Random) -> None:
    """Spoil a part of a workbook's package, or the parts it has."""
    with zipfile.ZipFile(path) as package:
        parts = [(name, package.read(name)) for name in package.namelist()]
    sheets = [i for i, (name, _) in enumerate(parts) if "sheet" in name or "haredStrings" in name]
    at = rng.choice(sheets) if rng.random() < 0.75 else rng.randrange(len(parts))
    name, content = parts[at]
    change = rng.random()
    if change < 0.85:
        parts[at] = name, spoil_xml(content, rng)
    elif change < 0.9:
        del parts[at]
    elif change < 0.95:
        parts.append((name, content))
    else:
        parts[at] = rng.choice(["xl/worksheets/sheet9.xml", name.upper(), f"../{name}", "xl/vbaProject.bin"]), content
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two parts of one name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in parts:
                package.writestr(name, content)


def spoil_bytes(path: Path, rng: random.Random) -> None:
    """Change, cut or double bytes of a file."""
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 3, 10, 50])):
        if content:
            content[rng.randrange(len(content))] = rng.choice([0, 255, rng.randrange(256)])
    cut = rng.random()
    if cut < 0.2:
        del content[rng.randrange(len(content)) :]
    elif cut < 0.25:
        content += content[: rng.randrange(len(content))]
    path.write_bytes(content)


def _write(path: Path, rows: list[list], rng: random.Random) -> Path:
    """Write rows and spoil the file, as often as not."""
    if rng.random() < 0.35:
        path = path.with_suffix(rng.choice([".csv", ".csv", ".tsv", ".txt", ".xls"]))
        write_text(path, rows, rng)
    else:
        path = path.with_suffix(rng.choice([".xlsx", ".xlsx", ".xlsx", ".xls", ".et", ".csv"]))
        write_book(path, rows, rng)
        if rng.random() < 0.4:
            spoil_package(path, rng)
    if rng.random() < 0.06:
        spoil_bytes(path, rng)
    return path


def make(world: World, seed: int) -> tuple[str, Path]:
    """Make the file of a seed; return its kind and where it is."""
    rng = random.Random(seed)
    folder = world.folder / "file"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = sorted(world.names)
    kind = rng.choices(["answers", "school", "form", "labelled"], [45, 28, 20, 7])[0]
    if kind == "labelled":
        ending = rng.choice(sorted(world.labelled))
        path = folder / f"export{ending}"
        path.write_bytes(world.labelled[ending])
        if rng.random() < 0.3:
            said = [dict(row) for row in world.answers]
            said[rng.randrange(8)]["comment"] = str(rng.choice(_SPELLED))
            small.write_labelled(path, world.form, said)
        else:
            spoil_bytes(path, rng)
        return kind, path
    called = ["示例小学.xlsx", "export.xlsx", *(["示例小学王静.xlsx"] if kind == "school" else [])]
    if kind == "answers":
        rows = _answers(world, rng)
    elif kind == "form":
        rows = world.filled[rng.choice(sorted(world.filled))]
    else:
        rows = [row for table in rng.choices(SCHOOL, k=rng.choice([1, 1, 1, 2])) for row in [*table, []]]
    return kind, _write(folder / rng.choice(called), spoil_rows(rows, rng, names), rng)


# --- what is promised -----------------------------------------------------------------------------------------------


def _said(error: HTResearchError) -> str:
    told = []
    assert error.faults, "an error without a fault"
    for language in ("zh", "en"):
        with speaking(language):
            told.append(str(error))
            assert told[-1].strip(), f"nothing is said ({language})"
    return "\n".join(told)


def _take(world: World, kind: str, path: Path, rng: random.Random) -> Iterator[str]:
    """Take a file in; yield what is said of it, and check the receipt."""
    if kind == "form":
        read = forms.read(path, world.study)
        yield "\n".join(_said(HTResearchError(fault)) for fault in read.faults)
        yield "\n".join(text for note in read.notes for text in (note.zh, note.en))
        if not read.faults:
            merged = merge(world.study, read.tables, path.name)
            held = sum(len(frame) for frame in read.tables.values())
            counted = sum(sum(counts.values()) for counts in (merged.added, merged.same, merged.held))
            assert counted == held, f"{held} rows, {counted} counted"
        return
    if kind == "school" and rng.random() < 0.75:  # what is slow about the rest is to open the study anew
        books = read_workbooks(path, world.opened, world.roster)
        counts = books.rows_in, books.rows_kept, books.exclusions, books.notes
        receipt = Receipt("", "", *counts, {}, books.findings)
        yield "\n".join(str(v) for table in books.tables.values() for column in table for v in table[column].unique())
    elif kind == "school":
        receipt = take_in_workbooks(path, world.study, world.roster).receipt
    else:
        without = [name for name in world.form.items if rng.random() < 0.03]
        how = {"without": without, "numbers": rng.random() < 0.9}
        linkage = Linkage(world.key)
        receipt = take_in(path, world.form, world.study, "2024-2", world.key, linkage, world.roster, **how)
    out = sum(e.count for e in receipt.exclusions)
    assert receipt.rows_in == receipt.rows_kept + out, (
        f"{receipt.rows_in} in, {receipt.rows_kept} kept, {out} left out"
    )
    assert all(e.count >= max(len(e.where), 1) for e in (*receipt.exclusions, *receipt.findings)), (
        "places not counted"
    )
    yield receipt.to_json() + receipt.to_html()


def check(world: World, kind: str, path: Path, seed: int) -> str:
    """Try a file; return what became of it, or raise where a promise is broken."""
    rng = random.Random(-seed)
    world.fresh(kind)
    before, said, became = world.state(), "", "taken in"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            for words in _take(world, kind, path, rng):
                said += words
        except HTResearchError as error:
            said += _said(error)
            became = "refused"
    after = world.state()
    if became == "refused":
        assert after == before, f"written though refused: {sorted(set(after.items()) ^ set(before.items()))[:5]}"
    elif after != before:
        assert {p.name for p in (world.folder / "work").iterdir()} == {"study"}, "something lies beside the study"
        said += world.words()
        if seed % 5 == 0:  # what is taken in was validated; this asks again
            open_study(world.study)
    leaked = {match[0] for match in _SECRET.finditer(said)}
    if kind != "form" and (became == "taken in" or kind == "answers"):
        leaked |= {name for name in world.names if name in said}
    assert not leaked, f"said or written: {leaked}"
    return became


@dataclass
class Broken:
    """A promise that a file broke."""

    seed: int
    file: Path
    what: str

    def __str__(self) -> str:
        return f"seed {self.seed}, kept as {self.file}\n{self.what}"


def run(
    seconds: float, first: int = 1, only: int | None = None, keep: Path | None = None, tell: Callable = lambda _: None
) -> tuple[Counter, list[Broken]]:
    """Try files for a while; return how many of each kind became what, and what was broken."""
    tried: Counter = Counter()
    broken: list[Broken] = []
    keep = keep or Path(tempfile.gettempdir()) / "htresearch-fuzz"
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        end = time.monotonic() + seconds
        seed = first if only is None else only
        while time.monotonic() < end:
            kind, path = make(world, seed)
            start = time.monotonic()
            try:
                became = check(world, kind, path, seed)
                assert time.monotonic() - start < 60, "took longer than a minute"
            except Exception:  # noqa: BLE001  whatever it is, it is what is looked for
                became = "broken"
                keep.mkdir(parents=True, exist_ok=True)
                kept = Path(shutil.copy(path, keep / f"{seed}-{kind}{path.suffix}"))
                broken.append(Broken(seed, kept, traceback.format_exc(limit=-8)))
                tell(broken[-1])
            tried[kind, became] += 1
            seed += 1
            if only is not None or len(broken) >= 200:
                break
    return tried, broken


def seconds_by_default() -> float:
    """How long the test run tries files."""
    given = os.environ.get("HTRESEARCH_FUZZ_SECONDS")
    return float(given) if given else 60 if os.environ.get("CI", "").lower() == "true" else 20


def main() -> int:
    """Run by hand."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--only", type=int, help="try the file of this seed alone")
    parser.add_argument("--keep", type=Path, help="the folder for files that break a promise")
    given = parser.parse_args()
    tried, broken = run(given.seconds, given.seed, given.only, given.keep, lambda b: print(b, flush=True))
    print(f"{sum(tried.values())} files, {len(broken)} broken promises")
    for (kind, became), count in sorted(tried.items()):
        print(f"  {kind:9} {became:9} {count}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
