"""Filled forms come back as the rows that were meant; every wrong way to fill one in is named by its cell."""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study import small

import htresearch as ht
from htresearch.errors import IntakeError
from htresearch.intake import forms
from htresearch.intake.entries import Entries
from htresearch.intake.merge import merge
from htresearch.intake.template import template
from htresearch.intake.typed import read_frame
from htresearch.intake.workbook import Sheet
from htresearch.language import LANGUAGES, speaking
from htresearch.study.schema import schema

from . import filled

TABLES = small.sound()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A study of teachers alone, and one of classes and who leads them."""
    folder = tmp_path_factory.mktemp("start")
    merge(folder / "teachers", {"teachers": TABLES["teachers"]}, "start")
    kept = ("schools", "classes", "teachers", "appointments")
    merge(folder / "classes", {name: TABLES[name] for name in kept}, "start")
    return folder


@pytest.fixture
def study(tmp_path, start):
    return Path(shutil.copytree(start / "teachers", tmp_path / "study"))


@pytest.fixture
def form(tmp_path, study):
    """Make a form of a table."""

    def make(table="appraisals", name="三小.xlsx", **given):
        return template(study, table, tmp_path / name, **given)

    return make


def entries(table, rows=None):
    frame = TABLES[table] if rows is None else rows
    return filled.as_entries(frame, schema().tables[table], schema())


def same(left, right):
    """Compare two tables of opened studies, whatever the order of their rows."""
    text = [frame.astype(object).where(frame.notna(), None).map(str) for frame in (left, right)]
    ordered = [frame.sort_values(list(frame)).reset_index(drop=True) for frame in text]
    pd.testing.assert_frame_equal(*ordered)


class TestRoundTrip:
    @pytest.mark.parametrize(
        "language, names", [("zh", tuple(TABLES)), ("en", ("schools", "terms", "classes", "teachers", "appraisals"))]
    )
    def test_a_study_through_forms_is_the_same_study(self, tmp_path, language, names):
        paths = [
            filled.fill(template(None, name, tmp_path / f"{name}.xlsx", language), entries(name)) for name in names
        ]
        tables, faults = forms.read(paths, tmp_path / "again")
        assert [str(f) for f in faults] == []
        assert merge(tmp_path / "again", tables, "forms").added == {name: len(TABLES[name]) for name in names}
        again = ht.open_study(tmp_path / "again")
        original = ht.open_study(small.write({name: TABLES[name] for name in names}, tmp_path / "original"))
        for name in names:
            same(again.frame(name), original.frame(name))

    def test_forms_of_several_schools_are_taken_together_and_twice_changes_nothing(self, form, study):
        rows = entries("appraisals")
        paths = [filled.fill(form(name=f"{n}小.xlsx"), [rows[n]]) for n in (0, 1)]
        tables, faults = forms.read(paths, study)
        assert faults == ()
        assert merge(study, tables, "forms").added == {"appraisals": 2}
        assert merge(study, forms.read(paths, study).tables, "forms").same == {"appraisals": 2}

    def test_every_usual_way_of_writing_is_understood(self, form, study):
        ways = [
            ["T1", "年度考核", "2024.1.1", "2024/12/31", "2025年1月10日", "８８", 30, "优秀", "是", None],
            ["T2 ", "annual", "2024-01-01", "20241231", date(2025, 1, 10), 88.5, "1,030.5", "Excellent", "no",
             "2025-2-1"],
            ["Ｔ3", " 年度考核", "2024。1。1", "2024 年 12 月 31 日", "２０２５.1.10", -3, "-3", "优秀", True, " "],
        ]  # fmt: skip
        tables, faults = forms.read(filled.fill(form(), ways), study)
        assert [str(f) for f in faults] == []
        frame = tables["appraisals"]
        assert frame["teacher_id"].tolist() == ["T1", "T2", "T3"]
        assert frame["period_from"].tolist() == [date(2024, 1, 1)] * 3
        assert frame["period_to"].tolist() == [date(2024, 12, 31)] * 3
        assert frame["decided_on"].tolist() == [date(2025, 1, 10)] * 3
        assert frame["total_score"].tolist() == [88, 88.5, -3]
        assert frame["results_score"].tolist() == [30, 1030.5, -3]
        assert frame["result"].tolist() == ["excellent"] * 3
        assert frame["incident"].tolist() == [True, False, True]
        assert frame["followed_up_on"].tolist() == [None, date(2025, 2, 1), None]

    def test_an_id_chosen_from_the_list_is_read_without_its_description(self, form, study):
        roster = pd.DataFrame({"teacher_id": ["T1"], "name": ["王小明"], "school": ["三小"]})
        path = filled.fill(form(roster=roster), [["T1 ｜ 王小明 三小", *entries("appraisals")[0][1:]]])
        tables, faults = forms.read(path, study)
        assert faults == ()
        assert tables["appraisals"]["teacher_id"].tolist() == ["T1"]

    def test_a_study_s_own_values_are_understood(self, tmp_path, study):
        path = study / "datapackage.json"
        text = path.read_text("utf-8").replace(
            '"value": "ethics"', '"value": "peer", "title": "Peers", "title:zh": "同行评议"},\n{"value": "ethics"'
        )
        path.write_text(text, "utf-8")
        row = ["T1", "同行评议", *entries("appraisals")[0][2:]]
        tables, faults = forms.read(filled.fill(template(study, "appraisals", tmp_path / "a.xlsx"), [row]), study)
        assert faults == ()
        merge(study, tables, "forms")
        assert ht.open_study(study).frame("appraisals")["kind"].tolist() == ["peer"]


class TestLayout:
    def test_rows_put_above_the_header_and_blank_rows_do_no_harm(self, tmp_path, study):
        rows = entries("appraisals")
        path = tmp_path / "三小.csv"
        header = ["备注"] + [schema().label(c.name, "appraisals").zh for c in schema().tables["appraisals"].columns]
        lines = [["某区第三小学"], [], header, ["", *rows[0]], [""] * 11, [], ["", *rows[1]]]
        text = "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in lines)
        path.write_text(text, "utf-8")
        read = forms.read(path, study)
        assert [str(f) for f in read.faults] == []
        assert read.counts.to_numpy().tolist() == [["三小.csv", "", "appraisals", 2, 2, 0]]
        assert [str(place) for place in read.tables["appraisals"].index] == [
            "三小.csv · 第 4 行",
            "三小.csv · 第 7 行",
        ]

    def test_the_example_is_passed_over_and_counted(self, form, study):
        read = forms.read(filled.fill(form(), entries("appraisals")), study)
        assert read.counts[["rows", "blank", "examples"]].to_numpy().tolist() == [[2, 0, 1]]

    def test_the_example_is_known_even_without_its_mark(self, form, study):
        path = filled.put(filled.fill(form(), entries("appraisals")), {"A4": None})
        assert forms.read(path, study).counts["examples"].tolist() == [1]

    def test_columns_in_another_order_are_known_by_their_heads(self, tmp_path, study):
        table = schema().tables["appraisals"]
        frame = pd.DataFrame(
            entries("appraisals"), columns=[f"{schema().label(c, 'appraisals').zh} *" for c in table.names]
        )
        frame[frame.columns[::-1]].to_csv(tmp_path / "a.csv", index=False)
        tables, faults = forms.read(tmp_path / "a.csv", study)
        assert faults == ()
        assert tables["appraisals"]["teacher_id"].tolist() == ["T1", "T1"]

    def test_a_sheet_without_a_header_is_named(self, form, study):
        path = filled.fill(form(), entries("appraisals"))
        filled.change(path, "xl/workbook.xml", 'name="说明"', 'name="草稿"')
        assert [note.zh for note in forms.read(path, study).notes] == ["三小.xlsx · 草稿：没有表头，没有读取"]

    def test_a_folder_of_forms_is_read_without_excel_s_own_files(self, form, tmp_path, study):
        folder = tmp_path / "forms"
        folder.mkdir()
        filled.fill(form(name="forms/三小.xlsx"), entries("appraisals"))
        (folder / "~$三小.xlsx").write_bytes(b"x")
        assert len(forms.read(folder, study).tables["appraisals"]) == 2

    def test_no_file_at_all_is_refused(self, tmp_path, study):
        with pytest.raises(IntakeError, match="里面没有表格文件"):
            forms.read(tmp_path / "study", study)

    def test_a_file_that_cannot_be_read_does_not_hide_the_faults_of_others(self, form, tmp_path, study):
        (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 no package")
        path = filled.put(filled.fill(form(), entries("appraisals")), {"C5": "优秀"})
        said = [str(f) for f in forms.read([tmp_path / "坏.xlsx", path], study).faults]
        assert len(said) == 2
        assert said[0].startswith("坏.xlsx") and said[1].startswith("三小.xlsx · 填写 · C5")


GOOD = dict(zip("BCDEFGHIJK", entries("appraisals")[0], strict=True))

#: What is filled in wrongly: the cells, the cell that is named, the rule.
WRONG = {
    "required and empty": ({"I5": None}, "I5", "不能为空"),
    "no such choice": ({"I5": "很好"}, "I5", "不在选项之中"),
    "two choices in a cell": ({"I5": "优秀、合格"}, "I5", "填了不止一项"),
    "a choice of another column": ({"C5": "优秀"}, "C5", "不在选项之中"),
    "a day that does not exist": ({"D5": "2024-2-30"}, "D5", "没有这一天"),
    "a month without a day": ({"D5": "2024年9月"}, "D5", "不是完整的日期"),
    "a year in two digits": ({"D5": "24.9.1"}, "D5", "不是完整的日期"),
    "a date with the day first": ({"D5": "1/9/2024"}, "D5", "不是完整的日期"),
    "a date as a number of Excel": ({"D5": "45536"}, "D5", "是一个数"),
    "a date with a time of day": ({"D5": "2024-9-1 8:30"}, "D5", "不是完整的日期"),
    "a date before all dates": ({"D5": "1024-01-01"}, "D5", "早于 1920-01-01"),
    "dates in the wrong order": ({"E5": "2023-12-31"}, "E5", "早于同一行的 period_from"),
    "words for a number": ({"G5": "八十六"}, "G5", "不是数字"),
    "a number with its unit": ({"G5": "86分"}, "G5", "不是数字"),
    "a date for a number": ({"K5": None, "G5": "2024-9-1"}, "G5", "不是数字"),
    "neither yes nor no": ({"J5": "不清楚"}, "J5", "不是“是”或“否”"),
    "a name for an id": ({"B5": "王小明"}, "B5", "像是姓名"),
    "a phone number for an id": ({"B5": 13800138000}, "B5", "含有电话、证件号"),
    "an id that the study lacks": ({"B5": "T99"}, "B5", "在 teachers 中没有"),
    "an id that became a date": ({"B5": True}, "B5", "编号被 Excel 变成了"),
    "an id of many digits": ({"B5": 1.2345678901234567e17}, "B5", "超过 15 位"),
    "an id in scientific notation": ({"B5": "1.23E+17"}, "B5", "科学记数"),
    "written over the example": (
        {**{f"{c}4": v for c, v in GOOD.items()}, "B4": "T2"}, "第 4 行", "标着“示例”，填的却不是示例"
    ),
    "the same record twice, differently": (
        {**{f"{c}6": v for c, v in GOOD.items()}, "G6": 61}, "G6", "主键相同，说法不同"
    ),
    "beside the columns": ({"L5": "见附件"}, "L5", "没有表头"),
    "a column of its own": ({"L2": "是否党员", "L5": "是"}, "L2", "不是这张表的列"),
    "a column twice": ({"L2": "教师编号", "L3": "teacher_id", "L5": "T1"}, "L2", "出现了两次"),
    "a header that was changed": ({"I2": "备选", "I3": "备选"}, "I2", "不是这张表的列"),
    "a header line that disagrees": ({"G2": "实绩分", "H2": "总分"}, "G2", "表头两行说法不一"),
    "ethics failed and the year passed": (
        {**{f"{c}6": v for c, v in GOOD.items()}, "C6": "师德考核", "I6": "不合格"}, "I5", "同期师德考核不合格"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def wrongly_filled(start, tmp_path_factory):
    """The faults of all wrong ways, one file each, read together."""
    folder = tmp_path_factory.mktemp("wrong")
    blank = template(start / "teachers", "appraisals", folder / "blank.xlsx").read_bytes()
    (folder / "blank.xlsx").unlink()
    for number, (cells, _, _) in enumerate(WRONG.values()):
        path = folder / f"{number}.xlsx"
        path.write_bytes(blank)
        day = date(2025, 1, 10) + timedelta(number)  # so that no two files hold the same key
        filled.put(path, {f"{c}5": v for c, v in GOOD.items()} | {"F5": day})
        filled.put(path, {cell: day if cell in ("F4", "F6") else value for cell, value in cells.items()})
    return forms.read(folder, start / "teachers").faults


@pytest.mark.parametrize("way", WRONG)
def test_each_wrong_way_is_named_by_its_cell(wrongly_filled, way):
    _, where, rule = WRONG[way]
    file = f"{list(WRONG).index(way)}.xlsx · 填写"
    mine = [fault for fault in wrongly_filled if str(fault.where).startswith(file)]
    assert [f for f in mine if str(f.where) == f"{file} · {where}" and rule in f.rule.zh], list(map(str, mine))
    assert not re.search("王小明|13800138000", "".join(map(str, mine)))


class TestOtherFaults:
    def test_merged_cells_are_named_one_by_one(self, form, study):
        rows = entries("appraisals")
        path = filled.merge_cells(filled.fill(form(), [rows[0], [None, *rows[1][1:]]]), "B5:B6")
        said = [str(f) for f in forms.read(path, study).faults]
        assert said == ["三小.xlsx · 填写 · B6：是合并单元格 B5:B6 的一部分。请取消合并，每行各自填写。"]

    def test_a_failed_formula_is_named(self, form, study):
        path = filled.fill(form(), [entries("appraisals")[0]])
        filled.put(path, {"G5": None})
        filled.change(path, "xl/worksheets/sheet1.xml", '<c r="G5" s="', '<c r="G5" t="e" s="')
        sheet = "xl/worksheets/sheet1.xml"
        before = filled._parts(path)[sheet].decode()
        cell = before[before.index('<c r="G5"') :].split("/>")[0]
        style = cell.rpartition('s="')[2].rstrip('"')
        filled.change(path, sheet, f"{cell}/>", f'<c r="G5" s="{style}" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
        assert [str(f.where) for f in forms.read(path, study).faults] == ["三小.xlsx · 填写 · G5"]

    def test_all_faults_of_all_files_come_at_once(self, form, study):
        rows = entries("appraisals")
        one = filled.put(filled.fill(form(name="一小.xlsx"), rows), {"I5": "很好", "B6": "T99"})
        two = filled.put(filled.fill(form(name="二小.xlsx"), rows), {"D5": "昨天", "D6": "x", "G6": "-"})
        where = [str(f.where) for f in forms.read([one, two], study).faults]
        assert sorted(w for w in where) == sorted(
            f"{f}小.xlsx · 填写 · {c}"
            for f, c in (("一", "I5"), ("一", "B6"), ("二", "D5"), ("二", "D6"), ("二", "G6"))
        )

    def test_rows_with_a_fault_are_not_handed_on(self, form, study):
        path = filled.put(filled.fill(form(), entries("appraisals")), {"G5": "多"})
        tables, faults = forms.read(path, study)
        assert len(faults) == 1
        assert tables["appraisals"]["kind"].tolist() == ["ethics"]

    def test_a_column_that_was_deleted_is_named_once(self, tmp_path, study):
        table = schema().tables["appraisals"]
        names = [n for n in table.names if n != "result"]
        frame = pd.DataFrame(entries("appraisals"), columns=list(table.names))[names]
        frame.to_csv(tmp_path / "a.csv", index=False)
        faults = forms.read(tmp_path / "a.csv", study).faults
        assert [f.rule.zh for f in faults] == ["缺少“考核等次”（result）这一列"]

    def test_a_file_of_something_else_is_refused(self, tmp_path, study):
        (tmp_path / "a.csv").write_text("甲,乙\n1,2\n", "utf-8")
        assert [f.rule.zh for f in forms.read(tmp_path / "a.csv", study).faults] == ["找不到任何数据表的表头"]

    def test_spells_that_overlap_are_named_by_their_cell(self, form, start):
        path = filled.fill(form("appointments"), [["T3", "C1", "班主任", "2023-9-1", None, None]])
        assert [(str(f.where), f.rule.zh) for f in forms.read(path, start / "classes").faults] == [
            ("三小.xlsx · 填写 · E5", "与同一班级同一角色的另一段任职重叠")
        ]

    def test_a_fault_speaks_both_languages(self, form, study, in_both_languages):
        fault = forms.read(filled.put(form(), {**{f"{c}5": v for c, v in GOOD.items()}, "I5": "很好"}), study).faults[
            0
        ]
        assert in_both_languages(fault) == [
            "三小.xlsx · 填写 · I5（现为 '很**'）：不在选项之中。请从下拉列表中选择：优秀、合格、基本合格、不合格。",
            "三小.xlsx · 填写 · I5 (found '很**'): is not one of the choices. Choose from the list: Excellent, "
            "Qualified, Basically qualified, Unqualified.",
        ]


NASTY = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.booleans(),
    st.sampled_from(
        [
            "示例",
            "是",
            "2024-9-1",
            "teacher_id",
            "教师编号",
            "（appraisals）",
            "=1+1",
            "'",
            "｜",
            "T1 ｜ x",
            "備注",
            "优秀",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.tuples(st.integers(0, 8), st.integers(0, 11)), NASTY, max_size=12))
def test_whatever_stands_in_the_cells_there_is_no_traceback(cells):
    """Cells of a sound form are replaced; rows of the header too."""
    table = schema().tables["appraisals"]
    rows = [["appraisals"], ["备注", *(schema().label(c, "appraisals").zh for c in table.names)], ["", *table.names]]
    rows = [row + [None] * (12 - len(row)) for row in [*rows, *(["", *row] for row in entries("appraisals") * 3)]]
    for (row, column), value in cells.items():
        rows[row][column] = value
    reader = forms._Reader(Entries(schema()))
    reader.read_file("a.xlsx", (Sheet("填写", rows),))
    assert [read_frame(frame, schema().tables[name])[1] for name, frame in reader.frames().items()] in ([[]], [])
    for spoken in LANGUAGES:
        with speaking(spoken):
            assert all(str(fault) for fault in reader.faults)
