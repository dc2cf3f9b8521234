"""每学期班主任名单: what rows say, what remarks say, and the spells that follow."""

from datetime import date

import pandas as pd
import pytest

from htresearch.errors import IntakeError
from htresearch.intake.school import read_workbooks
from htresearch.intake.school.spells import known_spells
from htresearch.study import open_study

from .conftest import TERMS, study_tables, write

HEADER = ["序号", "班级", "班主任", "任职日期", "离任日期", "离任原因", "备注"]
TITLES = {t: f"示例小学{t[:4]}-{int(t[:4]) + 1}学年第{'一二'[int(t[-1]) - 1]}学期班主任名单" for t in TERMS}


def table(term, *rows):
    return [[TITLES[term]], HEADER, *([i, *row] for i, row in enumerate(rows, 1)), [None]]


def spells(books):
    """Spells as tuples in the order of class and first day."""
    frame = books.tables["appointments"].sort_values(["class_id", "role", "starts_on"])
    return [tuple(row) for row in frame.itertuples(index=False, name=None)]


def test_who_stays_keeps_one_spell(read):
    books = read(
        [
            *table("2023-1", ["二年级(1)班", "王静"]),
            *table("2023-2", ["二(1)班", "王 静"]),
            *table("2024-1", ["2022级1班", "王静"]),
        ]
    )
    assert spells(books) == [("T1", "C11", "head", date(2023, 8, 31), None, None)]
    assert "任职时段由各学期班主任名单推出" in str(books.note)


def test_without_dates_spells_meet_between_terms(read):
    books = read([*table("2023-1", ["二(1)班", "王静"]), *table("2023-2", ["二(1)班", "李敏"])])
    assert spells(books) == [
        ("T1", "C11", "head", date(2023, 8, 31), date(2024, 1, 20), None),
        ("T2", "C11", "head", date(2024, 2, 19), None, None),
    ]


def test_dates_of_the_list_are_kept(read):
    first = ["二(1)班", "王静", "2022.8.20", "2023年11月10日", "休假"]
    books = read(table("2023-1", first, ["二(1)班", "李敏", date(2023, 11, 11)]))
    assert spells(books) == [
        ("T1", "C11", "head", date(2022, 8, 20), date(2023, 11, 10), "leave"),
        ("T2", "C11", "head", date(2023, 11, 11), None, None),
    ]


def test_a_successor_who_came_in_an_earlier_term_ends_the_spell_before(read):
    books = read([*table("2023-1", ["二(1)班", "王静"]), *table("2023-2", ["二(1)班", "李敏", "2023.11.20"])])
    assert [row[4] for row in spells(books)] == [date(2023, 11, 19), None]


def test_a_yearly_first_day_begins_no_new_spell(read):
    books = read(
        [
            *table("2023-1", ["二(1)班", "王静", "2023.9.1"]),
            *table("2023-2", ["二(1)班", "王静", "2023.9.1"]),
            *table("2024-1", ["三(1)班", "王静", "2024.9.1"]),
        ]
    )
    assert spells(books) == [("T1", "C11", "head", date(2023, 9, 1), None, None)]
    assert [left.count for left in books.findings if "较晚的任职日期" in str(left.rule)] == [1]


def test_who_ended_and_came_back_has_two_spells(read):
    books = read(
        [
            *table("2023-1", ["二(1)班", "王静", "2022.8.20", "2023.12.1", "休假"], ["二(1)班", "李敏", "2023.12.2"]),
            *table("2023-2", ["二(1)班", "王静"]),
        ]
    )
    assert [(row[0], row[3], row[4]) for row in spells(books)] == [
        ("T1", date(2022, 8, 20), date(2023, 12, 1)),
        ("T2", date(2023, 12, 2), date(2024, 1, 20)),
        ("T1", date(2024, 2, 19), None),
    ]


def test_a_term_without_a_list_is_bridged_and_said(read):
    books = read([*table("2023-1", ["二(1)班", "王静"]), *table("2024-1", ["三(1)班", "王静"])])
    assert len(spells(books)) == 1
    assert "中间有学期没有名单" in str(books.note)


def test_a_class_that_has_left_has_graduated(read):
    books = read([*table("2023-2", ["六(1)班", "张伟"], ["二(1)班", "王静"]), *table("2024-1", ["三(1)班", "王静"])])
    assert ("T3", "C16", "head", date(2024, 2, 19), date(2024, 7, 5), "graduated") in spells(books)


def test_a_class_that_is_not_listed_any_more_ends_without_a_reason(read):
    books = read([*table("2023-2", ["二(2)班", "张伟"], ["二(1)班", "王静"]), *table("2024-1", ["三(1)班", "王静"])])
    assert ("T3", "C12", "head", date(2024, 2, 19), date(2024, 7, 5), None) in spells(books)


@pytest.mark.parametrize(
    ("remark", "rows"),
    [
        (
            "2023年11月11日起由李敏接任，原班主任休产假",
            [("T1", "head", None, date(2023, 11, 10), "leave"), ("T2", "head", date(2023, 11, 11), None, None)],
        ),
        (
            "11月11日起由李敏老师接任",
            [("T1", "head", None, date(2023, 11, 10), None), ("T2", "head", date(2023, 11, 11), None, None)],
        ),
        (
            "原班主任李敏2023.11.10调离",
            [("T2", "head", None, date(2023, 11, 10), "left_school"), ("T1", "head", date(2023, 11, 11), None, None)],
        ),
        ("2023年11月11日接任", [("T1", "head", date(2023, 11, 11), None, None)]),
        ("2023年12月1日退休", [("T1", "head", None, date(2023, 12, 1), "retired")]),
        ("2023年12月1日起休假", [("T1", "head", None, date(2023, 11, 30), "leave")]),
        (
            "11月1日至11月20日由李敏代理",
            [("T2", "acting", date(2023, 11, 1), date(2023, 11, 20), None), ("T1", "head", None, None, None)],
        ),
        (
            "11月1日起由李敏代理",
            [("T2", "acting", date(2023, 11, 1), date(2024, 1, 20), None), ("T1", "head", None, None, None)],
        ),
    ],
)
def test_a_remark_is_read_where_it_leaves_no_doubt(read, remark, rows):
    books = read(table("2023-1", ["二(1)班", "王静", None, None, None, remark]))
    eve = date(2023, 8, 31)
    assert spells(books) == [(t, "C11", role, since or eve, until, why) for t, role, since, until, why in rows]


@pytest.mark.parametrize(
    "remark", ["11月中旬换成李敏", "李敏11月11日接任班主任", "产假", "10月起由李敏接任", "11月11日休假，李敏接任"]
)
def test_a_remark_about_a_change_that_is_not_certain_is_a_fault(refused, remark):
    ((where, rule, fix, value),) = refused(table("2023-1", ["二(1)班", "王静", None, None, None, remark]))
    assert where == "示例小学.xlsx · Sheet1 · G3"
    assert "读不准" in rule and "起由某某接任" in fix and value is None


def test_other_remarks_are_counted(read):
    books = read(table("2023-1", ["二(1)班", "王静", None, None, None, "骨干教师"]))
    assert [left.count for left in books.findings if "无关的备注" in str(left.rule)] == [1]


def test_deputies_and_acting_head_teachers_have_their_columns(read):
    rows = [
        [TITLES["2023-1"]],
        ["班级", "班主任", "副班主任", "代理班主任"],
        ["二(1)班", "王静", "李敏", None],
        ["二(2)班", None, None, "张伟"],
    ]
    eve = date(2023, 8, 31)
    assert spells(read(rows)) == [
        ("T2", "C11", "deputy", eve, None, None),
        ("T1", "C11", "head", eve, None, None),
        ("T3", "C12", "acting", eve, None, None),
    ]


def test_a_school_may_stand_in_a_column_and_a_teacher_of_the_same_name_in_another(read):
    rows = [
        ["2023-2024学年第一学期班主任一览表"],
        ["学校", "班级", "班主任"],
        ["示例小学", "二(1)班", "王静"],
        ["示例中学", "初一(3)班", "王静"],
    ]
    assert [row[:2] for row in spells(read(rows, file="全区.xlsx"))] == [("T1", "C11"), ("T6", "C21")]


def test_a_name_of_another_people_is_found_without_its_dot(read):
    rows = [["示例学校2023-2024学年第一学期班主任名单"], ["班级", "班主任"], ["一年级3班", "古丽热娜"]]
    assert spells(read(rows, file="名单.xlsx"))[0][:2] == ("T9", "C31")


# ---- what cannot be decided ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "cell", "rule", "near"),
    [
        (["二年级(9)班", "王静"], "B3", "没有这个班", "二年级(2)班"),
        (["三十一班", "王静"], "B3", "读不出是哪个班", "七年级(3)班"),
        (["(1)班", "王静"], "B3", "没有写明年级", "七年级(3)班"),
        ([None, "王静"], "B3", "没有写明班级", "七年级(3)班"),
        (["二(1)班", "王静静"], "C3", "名册中没有此人", "T1"),
        (["二(1)班", "陈杰"], "C3", "名册中没有此人", "T4"),
        (["二(1)班", "王静", "9月1日"], "D3", "读不出是哪一天", "2024.9.1"),
        (["二(1)班", "王静", "2024.3.1"], "D3", "晚于名单所在学期", "核对"),
        (["二(1)班", "王静", "2023.9.1", "2023.8.1"], "E3", "早于同一行的任职日期", "核对"),
        (["二(1)班", "王静", None, None, "高升"], "F3", "不在词表之中", "调离"),
        (["二(1)班", "王静", None, None, None, "10月10日起由李明接任"], "G3", "名册中没有此人", "T2"),
    ],
)
def test_what_cannot_be_decided_is_a_fault_at_its_cell(refused, row, cell, rule, near):
    ((where, said, fix, _),) = refused(table("2023-1", row))
    assert where == f"示例小学.xlsx · Sheet1 · {cell}"
    assert rule in said
    assert near in fix


def test_a_name_that_fits_two_people_is_a_fault_with_both(refused):
    rows = [["示例学校2023-2024学年第一学期班主任名单"], ["班级", "班主任"], ["一年级3班", "刘洋"]]
    ((_, rule, fix, value),) = refused(rows, file="名单.xlsx")
    assert "不止一人" in rule
    assert "T7" in fix and "T8" in fix
    assert value == "刘*" and "刘洋" not in rule + fix


def test_a_class_name_that_fits_two_classes_is_a_fault_with_both(refused):
    rows = [["示例学校2023-2024学年第一学期班主任名单"], ["班级", "班主任"], ["2023级3班", "古丽热娜"]]
    ((_, rule, fix, _),) = refused(rows, file="名单.xlsx")
    assert "不止一个班" in rule
    assert "一年级(3)班" in fix and "七年级(3)班" in fix


def test_two_head_teachers_of_one_term_need_dates(refused):
    ((where, rule, fix, _),) = refused(table("2023-1", ["二(1)班", "王静"], ["二(1)班", "李敏"]))
    assert where.endswith("C4") and "分不出先后" in rule and "C3" in fix


def test_all_faults_are_said_at_once(refused):
    said = refused(table("2023-1", ["二年级(9)班", "王静"], ["二(1)班", "赵无名"], ["二(2)班", "张伟", "昨天"]))
    assert [where.split(" · ")[-1] for where, *_ in said] == ["B3", "C4", "D5"]


def test_no_name_is_in_a_message(refused, in_both_languages):
    for where, rule, fix, value in refused(table("2023-1", ["二(1)班", "欧阳无名"], ["二(2)班", "王静静"])):
        assert not any(name in f"{where}{rule}{fix}{value}" for name in ("欧阳无名", "王静"))


# ---- with what the study has ---------------------------------------------------------------------------------------


@pytest.fixture
def with_appointments(tmp_path):
    def make(*rows):
        columns = ["teacher_id", "class_id", "role", "starts_on", "ends_on", "reason_ended"]
        tables = {**study_tables(), "appointments": pd.DataFrame(rows, columns=columns)}
        (tmp_path / "known").mkdir()
        for name, frame in tables.items():
            frame.to_csv(tmp_path / "known" / f"{name}.csv", index=False)
        return open_study(tmp_path / "known")

    return make


def test_who_is_known_and_listed_again_keeps_the_spell(tmp_path, with_appointments, roster):
    study = with_appointments(("T1", "C11", "head", date(2022, 8, 20), None, None))
    books = read_workbooks(
        write(tmp_path / "示例小学.xlsx", {"a": table("2024-1", ["三(1)班", "王静"])}), study, roster
    )
    assert spells(books) == [("T1", "C11", "head", date(2022, 8, 20), None, None)]
    assert books.ended is None


def test_an_older_list_does_not_open_a_spell_again(tmp_path, with_appointments, roster):
    study = with_appointments(("T1", "C11", "head", date(2022, 8, 20), date(2023, 12, 1), "leave"))
    books = read_workbooks(
        write(tmp_path / "示例小学.xlsx", {"a": table("2023-1", ["二(1)班", "王静"])}), study, roster
    )
    assert spells(books) == [("T1", "C11", "head", date(2022, 8, 20), date(2023, 12, 1), "leave")]


def test_a_successor_ends_the_spell_that_is_open(tmp_path, with_appointments, roster):
    study = with_appointments(("T1", "C11", "head", date(2022, 8, 20), None, None))
    books = read_workbooks(
        write(tmp_path / "示例小学.xlsx", {"a": table("2024-1", ["三(1)班", "李敏"])}), study, roster
    )
    assert [s.ends_on for s in known_spells(books.ended)] == [date(2024, 7, 5)]
    assert spells(books) == [("T2", "C11", "head", date(2024, 8, 31), None, None)]


def test_an_open_spell_of_a_class_that_left_is_ended(tmp_path, with_appointments, roster):
    study = with_appointments(("T3", "C16", "head", date(2022, 8, 20), None, None))
    books = read_workbooks(
        write(tmp_path / "示例小学.xlsx", {"a": table("2024-1", ["三(1)班", "李敏"])}), study, roster
    )
    assert [(s.ends_on, s.reason) for s in known_spells(books.ended)] == [(date(2024, 7, 5), "graduated")]


def test_a_term_that_the_study_lacks_is_a_fault(tmp_path, study, roster):
    rows = [["示例小学2025-2026学年第一学期班主任名单"], ["班级", "班主任"], ["四(1)班", "王静"]]
    with pytest.raises(IntakeError, match="不是这项研究的学期") as caught:
        read_workbooks(write(tmp_path / "a.xlsx", {"a": rows}), study, roster)
    assert "2024-2" in str(caught.value)
