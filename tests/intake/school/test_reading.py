"""Whole workbooks: several schools and kinds at once, old formats, sheets that are nobody's, mangled ones."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch.errors import ArgumentError, HTResearchError, IntakeError
from htresearch.intake.school import Roster, read_workbooks, reading
from htresearch.intake.school.context import Desk
from htresearch.intake.school.dictionary import dictionary
from htresearch.intake.school.layout import blocks
from htresearch.intake.school.ledger import Ledger, Where
from htresearch.intake.workbook import Sheet, Workbook

from .conftest import PUPILS, TEACHERS, write
from .legacy import write_xls

LIST = [
    ["2023-2024学年第一学期班主任名单"],
    ["班级", "班主任", "备注"],
    ["二(1)班", "王静", None],
    ["二(2)班", "李敏", "骨干"],
]
SCORES = [
    ["2023-2024学年第一学期期末二年级（1）班成绩册", None, None, None],
    ["座号", "姓名", "区统考", None],
    [None, None, "语文", "数学"],
    [1, "林一诺", 95, 88],
    [4, "宋清越", "缺考", 90.5],
    ["平均分", None, 95, 89.25],
]
MERGED = ["A1:D1", "A2:A3", "B2:B3", "C2:D2"]
SIGNED = [
    ["班主任培训签到表"],
    ["层级：校本　形式：研讨会　主题：工作方法　方式：个案分析　时间：2023.10.10　时长：2小时"],
    ["序号", "姓名", "签到"],
    [1, "王静", "√"],
]
HONOURS = [["获奖名单"], ["姓名", "荣誉称号", "级别", "获奖日期"], ["李敏", "优秀班主任", "区级", "2023.9.10"]]


def test_one_workbook_may_hold_every_kind(read):
    books = read({"班主任": LIST, "成绩": SCORES, "签到": SIGNED, "获奖": HONOURS}, merged={"成绩": MERGED})
    assert {name: len(frame) for name, frame in books.tables.items()} == {
        "appointments": 2,
        "assessments": 2,
        "outcomes": 4,
        "training_events": 1,
        "attendance": 1,
        "incentives": 1,
    }
    assert str(books.places["outcomes"][0]) == "示例小学.xlsx · 成绩 · C4"
    assert books.rows_in - books.rows_kept == sum(left.count for left in books.exclusions)


def test_names_never_reach_the_tables(read):
    books = read({"班主任": LIST, "成绩": SCORES, "签到": SIGNED, "获奖": HONOURS}, merged={"成绩": MERGED})
    text = "".join(frame.to_csv() for frame in books.tables.values()) + str(books.note)
    assert not [name for name in (*PUPILS, *(name for _, name, _ in TEACHERS)) if name in text]


def test_several_schools_in_one_workbook(read):
    other = [["2023-2024学年第一学期班主任名单"], ["班级", "班主任"], ["七年级(3)班", "陈杰"]]
    books = read({"示例小学": LIST, "示例中学": other}, file="全区班主任.xlsx")
    assert sorted(books.tables["appointments"]["teacher_id"]) == ["T1", "T2", "T4"]


def test_a_folder_of_workbooks(tmp_path, study, roster):
    write(tmp_path / "示例小学.xlsx", {"a": LIST})
    write(tmp_path / "示例中学.xlsx", {"a": [LIST[0], ["班级", "班主任"], ["初一3班", "周芳"]]})
    (tmp_path / "~$示例小学.xlsx").write_bytes(b"a lock that Excel left behind")
    (tmp_path / "说明.txt").write_text("nothing", encoding="utf-8")
    assert len(read_workbooks(tmp_path, study, roster).tables["appointments"]) == 3


def test_the_old_format_is_read_alike(tmp_path, study, roster):
    new = write(tmp_path / "示例小学.xlsx", {"成绩": SCORES}, {"成绩": MERGED})
    ranges = [(0, 0, 0, 3), (1, 2, 0, 0), (1, 2, 1, 1), (1, 1, 2, 3)]
    (tmp_path / "old").mkdir()
    old = write_xls(tmp_path / "old" / "示例小学.xls", {"成绩": SCORES}, {"成绩": ranges})
    one, other = (read_workbooks(path, study, roster) for path in (new, old))
    for name in ("assessments", "outcomes"):
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_text_table_is_read_alike(tmp_path, study, roster, encoding):
    text = "2023-2024学年第一学期班主任名单,,\n班级,班主任,备注\n二（1）班,王静,\n二（2）班,李敏,骨干\n"
    path = tmp_path / "示例小学.csv"
    path.write_text(text, encoding=encoding)
    assert read_workbooks(path, study, roster).tables["appointments"]["class_id"].tolist() == ["C11", "C12"]


def test_sheets_of_other_kinds_and_hidden_ones_are_said(read):
    books = read(
        {"班主任": LIST, "封面": [["示例小学"]], "旧": LIST, "通讯录": [["姓名", "电话"], ["王静", 1]]},
        hidden=("旧",),
    )
    found = {str(left.rule): left.count for left in (*books.findings, *books.exclusions)}
    assert found["不属于这四种表的工作表"] == 1
    assert found["隐藏的工作表（未读）"] == 1
    assert found["不属于这四种表的行"] == 1


@pytest.mark.parametrize("title", ["成绩册", "班主任名单", "培训签到表", "获奖名单"])
def test_a_title_that_promises_more_than_is_found_is_a_fault(refused, title):
    ((where, rule, fix, _),) = refused({"甲": LIST, "乙": [[f"示例小学{title}"], ["无", "用"], [1, 2]]})
    assert where == "示例小学.xlsx · 乙"
    assert "找不到认得出的列名" in rule and "班主任、" not in rule and "成绩册" in fix


def test_nothing_that_is_known_is_a_fault(refused):
    ((_, rule, fix, _),) = refused([["封面"]])
    assert "没有认得出的表" in rule and "签到" in fix


def test_a_school_that_nothing_names_is_a_fault(refused):
    ((where, rule, fix, _),) = refused(LIST, file="名单.xlsx")
    assert where.endswith("第 2 行") and "哪所学校" in rule and "文件名" in fix


def test_a_title_that_names_two_schools_says_neither(refused):
    ((_, rule, _, _),) = refused([["示例小学、示例中学2023-2024学年第一学期班主任名单"], *LIST[1:]], file="名单.xlsx")
    assert "哪所学校" in rule


def test_a_school_that_is_not_on_the_roster_is_a_fault_with_the_nearest(refused):
    rows = [LIST[0], ["学校", "班级", "班主任"], ["示例小", "二(1)班", "王静"]]
    ((where, rule, fix, _),) = refused(rows)
    assert where.endswith("A3") and "没有这所学校" in rule and "示例小学" in fix


def test_a_term_that_nothing_names_is_a_fault(refused):
    ((where, rule, _, _),) = refused([["班主任名单"], *LIST[1:]])
    assert where.endswith("第 2 行") and "哪个学期" in rule


def test_the_faults_of_all_files_are_said_at_once(tmp_path, study, roster):
    write(tmp_path / "示例小学.xlsx", {"a": [*LIST, ["二(7)班", "王静"]]})
    write(tmp_path / "示例中学.xlsx", {"a": [["2023-2024学年第一学期成绩册"], ["座号", "语文"], [1, 90]]})
    (tmp_path / "旧.et").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(IntakeError) as caught:
        read_workbooks(tmp_path, study, roster)
    said = [str(fault.where) for fault in caught.value.faults]
    assert {s.split(" · ")[0] for s in said} == {"示例小学.xlsx", "示例中学.xlsx", "旧.et", "坏.xlsx"}


def test_many_faults_of_one_kind_are_counted(refused):
    said = refused([*LIST, *([f"二({n})班", "王静"] for n in range(30, 90))])
    assert len(said) == 21
    assert "另有 40 处" in said[-1][1]


def test_messages_are_said_in_both_languages(tmp_path, study, roster, in_both_languages):
    rows = [LIST[0], LIST[1], ["二(9)班", "王静"], ["二(1)班", "无名氏"]]
    with pytest.raises(IntakeError) as caught:
        read_workbooks(write(tmp_path / "示例小学.xlsx", {"a": rows}), study, roster)
    chinese, english = in_both_languages(caught.value)
    assert "该校在 2023-1 没有这个班" in chinese and "is nobody on the roster" in english


def test_arguments_are_checked(tmp_path, study, roster):
    with pytest.raises(ArgumentError, match="没有可读的文件"):
        read_workbooks(tmp_path, study, roster)
    with pytest.raises(ArgumentError) as caught:
        Roster(roster.schools.drop(columns="name"), roster.teachers.drop(columns="teacher_id"))
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("示例小学2024学年成绩", ["S1"]),
        ("滨海市示例小学成绩", ["S1"]),
        ("2024年示例小学成绩", ["S1"]),
        ("青山示例小学成绩", []),
        ("示例中学附属小学成绩", []),
        ("示例学校小学部", []),
        ("示例小学、示例中学联考", ["S1", "S2"]),
        ("示例九年一贯制学校", ["S3"]),
    ],
)
def test_a_school_is_found_by_its_whole_name(roster, title, found):
    assert roster.find_schools(title) == found


def test_a_roster_comes_back_as_it_was_written(tmp_path, roster):
    path = roster.write(tmp_path / "roster.xlsx")
    again = Roster.read(path)
    assert path.stat().st_mode & 0o077 == 0
    for name in ("schools", "teachers", "pupils"):
        assert getattr(again, name).astype(str).equals(getattr(roster, name).astype(str))


def test_a_roster_without_its_sheets_is_refused(tmp_path):
    with pytest.raises(IntakeError) as caught:
        Roster.read(write(tmp_path / "a.xlsx", {"学校": [["school_id"], ["S1"]]}))
    assert any("教师" in str(fault.where) for fault in caught.value.faults)


# ---- mangled sheets ------------------------------------------------------------------------------------------------

_PIECES = [row for rows in (LIST, SCORES, SIGNED, HONOURS) for row in rows]
_CELLS = st.one_of(
    st.none(),
    st.integers(-5, 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates().map(lambda d: d),
    st.text(max_size=8),
    st.sampled_from([v for row in _PIECES for v in row if v is not None]),
    st.sampled_from(
        [
            "满分",
            "合计",
            "学期",
            "学校",
            "年级",
            "任职日期",
            "(3)班",
            "2024级3班",
            "11月11日起由李敏接任",
            "2024-2025学年",
            "期中",
        ]
    ),
)
_ROWS = st.lists(st.one_of(st.sampled_from(_PIECES), st.lists(_CELLS, max_size=7)), max_size=14)
_SHEETS = st.lists(st.sampled_from([LIST, SCORES, SIGNED, HONOURS]), max_size=3).map(
    lambda sheets: [row for sheet in sheets for row in sheet]
)
_RANGES = st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=4)
_EDITS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "again", "column"]), *[st.integers(0, 20)] * 2, _CELLS), max_size=6
)


def edited(rows, edits):
    """Return a sound sheet after somebody's edits: cells overwritten, rows dropped or copied, columns taken out."""
    width = max(map(len, rows), default=0)
    rows = [list(row) + [None] * (width - len(row)) for row in rows]
    for what, i, j, value in edits:
        if rows and width:
            row = rows[i % len(rows)]
            if what == "put" and row:
                row[j % len(row)] = value
            elif what == "drop":
                rows.remove(row)
            elif what == "again":
                rows.insert(j % (len(rows) + 1), list(row))
            elif what == "column" and all(len(r) > 1 for r in rows):
                rows = [r[: j % len(r)] + r[j % len(r) + 1 :] for r in rows]
    return rows


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.one_of(_ROWS, _SHEETS),
    edits=_EDITS,
    ranges=_RANGES,
)
def test_a_mangled_sheet_gives_a_result_or_a_clear_message(monkeypatch, study, roster, rows, edits, ranges):
    merged = tuple(((min(a, c), min(b, d)), (max(a, c), max(b, d))) for a, b, c, d in ranges)
    book = Workbook(Path("示例小学.xlsx"), (Sheet("二(1)班", edited(rows, edits), merged),))
    monkeypatch.setattr(reading, "open_table", lambda path: book)
    try:
        books = read_workbooks("示例小学.xlsx", study, roster)
    except HTResearchError as error:
        assert all(str(fault) for fault in error.faults)
    else:
        assert books.rows_in - books.rows_kept == sum(left.count for left in books.exclusions)
        for name, frame in books.tables.items():
            key = list(study.store.schema.tables[name].key)
            assert not frame[key].isna().any(axis=None) and not frame.duplicated(key).any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=3, max_size=3), max_size=12))
def test_every_row_below_a_header_is_in_its_table_or_counted(rows):
    from htresearch.study.schema import schema

    words, ledger = dictionary(schema()), Ledger()
    sheet = Sheet("a", [["姓名", "语文", "数学"], *rows])
    (first, *more) = blocks(sheet, Where("a.xlsx", "a"), words, ledger)
    there = sum(len(block.rows) for block in (first, *more))
    assert ledger.rows_in == there + sum(left.count for left in ledger.exclusions)


def test_a_desk_remembers_cells_apart_for_each_reading(study, roster):
    assert Desk(None, roster, None, Ledger()).cells is not Desk(None, roster, None, Ledger()).cells


# --- who a file or a sheet is kept for ------------------------------------------------------------------------------


def test_nobody_is_named_by_the_places_and_headers_that_are_said(read):
    rows = [["示例小学2023-2024学年第一学期班主任名单"], ["班级", "班主任", "王静"], ["二年级(1)班", "李敏", "1"]]
    books = read({"李敏": [["x"]], "王静": rows}, file="示例小学王静.xlsx")
    said = str(books.note) + "".join(str(place) for found in books.findings for place in found.where)
    assert "王静" not in said and "李敏" not in said
    assert "示例小学‹姓名›.xlsx · ‹姓名› #2 · C2" in said


def test_nobody_is_named_by_a_header_that_is_refused(refused):
    title = ["示例小学2023-2024学年第一学期二年级(1)班成绩册"]
    rules = [rule for _, rule, _, _ in refused([title, ["座号", "语文", "lan@example.org", "王静"], [1, 90, 3, 4]])]
    assert len(rules) == 2 and not any("lan@" in rule or "王静" in rule for rule in rules)


def test_a_hidden_sheet_is_named_where_nothing_else_can_be_read(refused):
    scores = [["示例小学2023-2024学年第一学期二年级(1)班成绩册"], ["座号", "语文"], [1, 90]]
    said = refused({"说明": [["请填写"]], "成绩": scores}, hidden=("成绩",))
    assert [rule for _, rule, _, _ in said][1] == "是隐藏的工作表，没有读"


def test_what_else_stands_in_a_folder_is_said(tmp_path, study, roster):
    rows = [["示例小学2023-2024学年第一学期班主任名单"], ["班级", "班主任"], ["二年级(1)班", "王静"]]
    write(tmp_path / "示例小学.xlsx", {"a": rows})
    (tmp_path / "名单.docx").write_bytes(b"PK")
    (tmp_path / "二小").mkdir()
    assert "文件夹中没有读的 2 项：二小/、名单.docx" in str(read_workbooks(tmp_path, study, roster).note)
