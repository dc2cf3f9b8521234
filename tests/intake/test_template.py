"""A form says what to fill in, offers the lists, and is harmless to open."""

import re
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from study import small

from htresearch.errors import ArgumentError
from htresearch.intake import forms
from htresearch.intake.merge import merge
from htresearch.intake.template import template
from htresearch.intake.workbook import open_table
from htresearch.study.schema import schema


def sheets(path):
    return {sheet.name: sheet.rows for sheet in open_table(path).sheets}


def xml(path, part="xl/worksheets/sheet1.xml"):
    with zipfile.ZipFile(path) as package:
        return package.read(part).decode()


def lists(path):
    """The column of each list by its head."""
    rows = sheets(path)["选项"]
    columns = zip(*(row + [None] * (len(rows[0]) - len(row)) for row in rows), strict=True)
    return {head.removeprefix("选项："): [v for v in column if v is not None] for head, *column in columns}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("table", schema().tables)
def test_every_table_has_a_form_whose_example_is_known(tmp_path, table, language):
    path = template(None, table, tmp_path / "form.xlsx", language)
    assert list(sheets(path)) == {"zh": ["填写", "说明", "选项"], "en": ["Fill in", "How to", "Lists"]}[language]
    read = forms.read(path, tmp_path / "study")
    assert read.counts[["table", "rows", "examples"]].to_numpy().tolist() == [[table, 0, 1]]
    assert [fault.rule.zh for fault in read.faults] == ["没有填写任何记录"]


def test_the_header_says_what_is_required_and_how_columns_are_named(tmp_path):
    rows = sheets(template(None, "attendance", tmp_path / "a.xlsx"))["填写"]
    assert rows[0][0] == "培训参加记录（attendance）"
    assert rows[1] == ["备注（不读取）", "活动编号 *", "教师编号 *", "参加时长（小时） *", "评价"]
    assert rows[2][1:] == ["event_id", "teacher_id", "hours_attended", "rating"]
    assert rows[3][:3] == ["示例", "示例-1", "示例-1"]


def test_choices_dates_and_numbers_are_checked_and_the_header_is_frozen(tmp_path):
    path = template(None, "tiers", tmp_path / "a.xlsx")
    sheet = xml(path)
    found = re.findall(r'<dataValidation type="(\w+)".*?sqref="([A-Z]+)5:\w+".*?<formula1>([^<]*)', sheet)
    assert {(kind, column) for kind, column, _ in found} == {
        ("list", "C"), ("list", "D"), ("date", "E"), ("date", "F"), ("decimal", "G"), ("list", "H")
    }  # fmt: skip
    assert "'选项'!$A$2:$A$5" in [formula for *_, formula in found]
    assert re.search(r'<pane xSplit="1" ySplit="3"', sheet)
    assert lists(path)["梯队层级"] == ["普通班主任", "骨干班主任", "名班主任", "首席班主任"]


def test_the_instructions_name_every_column_and_its_rules(tmp_path):
    rows = sheets(template(None, "appraisals", tmp_path / "a.xlsx"))["说明"]
    said = {row[1]: row for row in rows if len(row) > 1 and row[1]}
    assert set(said) == {"列名", *schema().tables["appraisals"].names}
    assert said["result"][2:5] == [
        "是", "从下拉列表中选择；同期师德考核不合格的，年度考核也应为不合格", "优秀、合格、基本合格、不合格"
    ]  # fmt: skip
    assert any("“考核期止”不得早于“考核期起”" in str(row[0]) for row in rows if row)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    tables = small.sound()
    folder = tmp_path_factory.mktemp("template") / "study"
    merge(folder, {name: tables[name] for name in ("schools", "classes", "teachers")}, "start")
    return folder


def test_ids_of_the_study_are_offered_with_what_tells_them_apart(tmp_path, start):
    offered = lists(template(start, "appointments", tmp_path / "a.xlsx"))
    assert offered["班级编号"] == ["C1 ｜ S1 2022 1", "C2 ｜ S2 2022 1"]
    assert offered["教师编号"][0] == "T1 ｜ 语文 一级教师"


def test_a_study_s_own_values_are_offered(tmp_path, start):
    study = Path(shutil.copytree(start, tmp_path / "study"))
    path = study / "datapackage.json"
    own = '"value": "intern", "title": "Intern", "title:zh": "实习"},\n{"value": "acting"'
    path.write_text(path.read_text("utf-8").replace('"value": "acting"', own), "utf-8")
    assert "实习" in lists(template(study, "appointments", tmp_path / "a.xlsx"))["角色"]


def test_what_begins_a_formula_is_escaped_and_negative_numbers_are_not(tmp_path):
    roster = pd.DataFrame(
        {"teacher_id": ["=cmd|' /C calc'!A0", "@SUM(1)", "-5", "t_1"], "name": ["a", "b", None, "+86"]}
    )
    path = template(None, "attendance", tmp_path / "a.xlsx", roster=roster)
    assert lists(path)["教师编号"] == ["-5", "'=cmd|' /C calc'!A0 ｜ a", "'@SUM(1) ｜ b", "t_1 ｜ +86"]
    assert "<f>" not in xml(path) + xml(path, "xl/worksheets/sheet3.xml")


def test_a_form_that_may_have_been_filled_in_is_not_overwritten(tmp_path):
    path = template(None, "terms", tmp_path / "a.xlsx")
    before = path.read_bytes()
    with pytest.raises(ArgumentError, match="可能有人填过"):
        template(None, "terms", path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "said, table",
    [
        ("training", "training_events"),
        ("培训活动", "training_events"),
        ("Training attendance", "attendance"),
        ("任职", "appointments"),
    ],
)
def test_a_table_is_known_by_its_label_or_an_unmistakable_part(tmp_path, said, table):
    assert f"（{table}）" in sheets(template(None, said, tmp_path / "a.xlsx"))["填写"][0][0]


def test_what_cannot_be_made_is_refused_with_all_reasons(tmp_path):
    with pytest.raises(ArgumentError) as raised:
        template(None, "class", tmp_path / "no" / "a.xls", "fr")
    assert len(raised.value.faults) == 3
