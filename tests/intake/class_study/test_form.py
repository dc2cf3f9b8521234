"""The workbook of a class study: what is in it, that it is harmless, and that a start can be drawn into it."""

import re
import zipfile
from collections import Counter
from datetime import date

import pandas as pd
import pytest

from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.intake.class_study import read_class_study, read_plan, topics, write_workbook
from htresearch.intake.class_study.form import draw_start
from htresearch.intake.class_study.layout import COLUMNS, ENTRIES
from htresearch.intake.class_study.sheets import PREPARED
from htresearch.intake.workbook import open_table
from intake.class_study import filling

SHEETS = {"zh": ["说明", "我的计划", "每天记录", "例子"], "en": ["How to", "My plan", "Daily records", "Example"]}


def part(path, name):
    with zipfile.ZipFile(path) as package:
        return package.read(name).decode()


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_sheets_entries_and_columns(tmp_path, spoken):
    form = write_workbook(tmp_path, spoken)
    assert form.name == {"zh": "我的班级研究.xlsx", "en": "my-class-study.xlsx"}[spoken]
    book = open_table(form)
    assert [sheet.name for sheet in book.sheets] == SHEETS[spoken]
    plan, records = book.sheets[1].rows, book.sheets[2].rows
    labels = [str(row[0]).removesuffix(" *") for row in plan if row and row[0]]
    with language.speaking(spoken):
        assert all(str(entry.label) in labels for entry in ENTRIES.values())
        assert [str(v).split("\n")[0] for v in records[2]] == [str(column.label) for column in COLUMNS]
    assert [row[0] for row in records[4:]] == list(range(1, PREPARED + 1))
    assert 60 <= PREPARED <= 120


def test_lists_and_checks(tmp_path):
    form = write_workbook(tmp_path, "zh")
    at = filling.places(form)
    plan = dict(
        re.findall(
            r'<dataValidation type="\w+".*?sqref="(\w+)".*?<formula1>(.*?)</formula1>', part(form, filling.PLAN)
        )
    )
    assert plan[at["怎样算好"]] == '"越多越好,越少越好"'
    assert plan[at["开始日怎样定的"]] == '"抽签定的,自己定的"'
    records = re.findall(r'<dataValidation type="(\w+)".*?sqref="(\w)5:\w(\d+)"', part(form, filling.RECORDS))
    assert {(kind, column) for kind, column, _ in records} == {
        ("date", "B"), ("decimal", "C"), ("list", "D"), ("decimal", "E"), ("list", "G")
    }  # fmt: skip
    assert {int(last) for *_, last in records} == {PREPARED + 4}


def test_it_is_harmless_to_open_and_fits_on_pages(tmp_path):
    form = write_workbook(tmp_path, "zh", "homework", draw=True)
    with zipfile.ZipFile(form) as package:
        names = package.namelist()
        sheets = [package.read(n).decode() for n in names if n.startswith("xl/worksheets/sheet")]
    assert not [n for n in names if re.search("vba|externalLink|macro", n)]
    assert all("<f>" not in sheet and 'paperSize="9"' in sheet for sheet in sheets)
    assert [sheet.count("<pane ") for sheet in sheets] == [0, 1, 1, 0]
    assert "_xlnm.Print_Area" in part(form, "xl/workbook.xml")
    assert "_xlnm.Print_Titles" in part(form, "xl/workbook.xml")


@pytest.mark.parametrize("spoken", ["zh", "en"])
@pytest.mark.parametrize("key", topics())
def test_a_topic_fills_in_the_plan(tmp_path, key, spoken):
    topic = topics()[key]
    form = write_workbook(tmp_path / "a.xlsx", spoken, key, draw=True)
    at = filling.places(form)
    with language.speaking(spoken):
        labels = {name: str(ENTRIES[name].label) for name in ENTRIES}
    filling.put(form, {at[labels[name]]: "x" for name in ("school", "class_name", "consent")}, filling.PLAN)
    if topic.scale == "share" and topic.out_of is None:
        filling.put(form, {at[labels["out_of"]]: 42}, filling.PLAN)
    plan = read_plan(form)
    assert plan.question == getattr(topic.question, spoken)
    assert plan.counting == getattr(topic.counting, spoken)
    assert (plan.scale, plan.improvement, plan.design) == (topic.scale, topic.improvement, topic.design)
    assert (plan.start, plan.drawn_on) == ("drawn", date.today())
    assert (plan.earliest, plan.latest) == (topic.earliest, topic.latest)


def test_a_draw_is_within_its_range_and_as_likely_everywhere():
    found = Counter(draw_start(11, 30, seed) for seed in range(2000))
    assert sorted(found) == list(range(11, 31))
    # 100 expected each: chi-squared with 19 degrees of freedom stays below its 99.9 % point.
    assert sum((n - 100) ** 2 / 100 for n in found.values()) < 43.82
    assert draw_start(11, 30, 5) == draw_start(11, 30, 5)


def test_a_drawn_start_is_what_the_records_are_split_by(tmp_path):
    form = filling.filled(tmp_path / "a.xlsx")
    drawn = write_workbook(tmp_path / "b.xlsx", "zh", "lateness", draw=(6, 15), seed=3)
    plan = open_table(drawn).sheets[1].rows
    entries = {str(row[0]).removesuffix(" *"): row[1] for row in plan if len(row) > 1}
    number = entries["抽到从第几条记录起改"]
    assert 6 <= number <= 15
    filling.plan(form, 抽到从第几条记录起改=number, 改变从哪天开始=None)
    assert len(read_class_study(form).values("A")) == number - 1


def test_an_order_is_drawn_in_pairs(tmp_path):
    form = write_workbook(tmp_path / "a.xlsx", "zh", "speaking", draw=True, seed=1)
    rows = open_table(form).sheets[2].rows[4:]
    said = [row[6] for row in rows if len(row) > 6 and row[6]]
    assert len(said) == topics()["speaking"].records
    assert all({a, b} == {"改变前", "改变后"} for a, b in zip(said[::2], said[1::2], strict=True))
    assert len(set(said[::2])) == 2


def test_what_cannot_be_written_is_refused(tmp_path):
    form = write_workbook(tmp_path / "a.xlsx")
    for arguments, said in (
        ({"path": form}, "已经存在"),
        ({"path": tmp_path / "a.xls"}, "是 .xlsx 文件"),
        ({"path": tmp_path / "no" / "a.xlsx"}, "文件夹不存在"),
        ({"topic": "fights"}, "参数 topic.*不在可选值之中.*conflicts（同学之间的冲突）"),
        ({"language": "fr"}, "参数 language"),
        ({"draw": (30, 11)}, "参数 draw.*不是抽签的范围"),
        ({"draw": (1, 5)}, "参数 draw"),
        ({"draw": "11-30"}, "参数 draw"),
        ({"seed": "x"}, "参数 seed"),
        ({"draw": (5, 9), "topic": "speaking"}, "抽的是先后"),
    ):
        with pytest.raises(ArgumentError, match=said):
            write_workbook(**({"path": tmp_path / "b.xlsx"} | arguments))
    assert form.exists() and not (tmp_path / "b.xlsx").exists()


def test_two_forms_are_two_studies(tmp_path):
    ids = [
        [row[1] for row in open_table(write_workbook(tmp_path / name)).sheets[1].rows][-1]
        for name in ("a.xlsx", "b.xlsx")
    ]
    assert ids[0] != ids[1] and all(re.fullmatch("[0-9a-f]{12}", i) for i in ids)


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_what_is_known_already_is_written_in(tmp_path, spoken):
    days = pd.bdate_range("2025-09-01", periods=8)
    kept = pd.DataFrame(
        {
            "date": days,
            "value": [5, 4, None, 6, 2, 1, 2, 0],
            "second_value": [5, *[None] * 7],
            "as_planned": [*[True] * 6, False, True],
            "remark": ["", "", "sports day", *[""] * 5],
        }
    )
    entries = {
        "school": "A",
        "class_name": "7(3)",
        "consent": "yes",
        "start": "drawn",
        "earliest": 3,
        "latest": 6,
        "start_record": 5,
        "start_1": days[4].date(),
        "drawn_on": date(2025, 8, 30),
        "decided_on": date(2025, 8, 30),
    }
    form = write_workbook(tmp_path, spoken, "lateness", draw=True, seed=1, entries=entries, records=kept)
    study = read_class_study(form)
    assert (study.plan.earliest, study.plan.latest, study.plan.start) == (3, 6, "drawn")
    assert study.plan.drawn_on == date(2025, 8, 30) and study.plan.starts == (days[4].date(),)
    read = study.records
    assert read["date"].tolist() == days.tolist() and "".join(read["phase"]) == "AAAABBBB"
    pd.testing.assert_series_equal(read["value"], kept["value"])
    pd.testing.assert_series_equal(read["second_value"], kept["second_value"])
    assert read["as_planned"].tolist() == kept["as_planned"].tolist() and read["remark"][2] == "sports day"


def test_records_of_turns_keep_their_conditions(tmp_path):
    turns = next(key for key, topic in topics().items() if topic.design == "alternating")
    days = pd.bdate_range("2025-09-01", periods=8)
    kept = pd.DataFrame({"date": days, "value": range(8), "phase": list("ABBABAAB")})
    entries = {"school": "A", "class_name": "7(3)", "consent": "yes", "start": "drawn"}
    if topics()[turns].scale == "share" and topics()[turns].out_of is None:
        entries["out_of"] = 40
    study = read_class_study(write_workbook(tmp_path, "zh", turns, entries=entries, records=kept))
    assert study.records["phase"].tolist() == list("ABBABAAB")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"entries": {"teacher": "x"}}, "entries"),
        ({"entries": ["school"]}, "字典"),
        ({"records": [1, 2]}, "DataFrame"),
        ({"records": pd.DataFrame({"value": [1]})}, "date"),
        ({"records": pd.DataFrame({"date": [1] * 91, "value": [1] * 91})}, "90"),
    ],
)
def test_what_cannot_be_written_in_is_refused(tmp_path, given, said):
    with pytest.raises(ArgumentError, match=said):
        write_workbook(tmp_path, "zh", **given)
    assert not list(tmp_path.iterdir())
