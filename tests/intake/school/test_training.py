"""培训签到表: the event above the list or in every row, who signed, and for how long."""

from datetime import date

import pandas as pd
import pytest

from htresearch.intake.school import read_workbooks
from htresearch.study import open_study

from .conftest import study_tables, write

SAID = "层级：校本　形式：研讨会　主题：工作方法　方式：个案分析　时间：2023.10.10　时长：2小时"
TITLE = ["示例小学班主任培训签到表"]
HEADER = ["序号", "姓名", "签到", "备注"]


def events(books):
    return books.tables["training_events"].drop(columns="event_id").to_numpy().tolist()


def attendance(books):
    frame = books.tables["attendance"]
    return [(r.teacher_id, r.hours_attended, None if r.rating != r.rating else r.rating) for r in frame.itertuples()]


def test_a_sign_in_sheet_is_an_event_and_who_was_there(read):
    rows = [TITLE, [SAID], HEADER, [1, "王静", "√"], [2, "李 敏", "李敏"], [3, "张伟", "请假"], [4, None, None]]
    books = read(rows)
    assert events(books) == [["school", "seminar", "methods", "case", date(2023, 10, 10), 2.0]]
    assert attendance(books) == [("T1", 2.0, None), ("T2", 2.0, None)]
    assert [(str(left.rule), left.count) for left in books.exclusions] == [
        ("没有到场的人（未签到、请假等）", 1),
        ("没有写人名的行", 1),
    ]
    assert "按全程参加计" in str(books.note)


def test_an_empty_signature_says_that_nobody_signed(read):
    assert attendance(read([TITLE, [SAID], HEADER, [1, "王静", "√"], [2, "李敏", None]])) == [("T1", 2.0, None)]


def test_labels_may_stand_in_cells_of_their_own(read):
    rows = [
        TITLE,
        ["层级：区级", "形式：专题讲座", "主题：德育", "方式：理论学习"],
        ["时间", "2023年10月10日", "学时", 4],
        HEADER,
        [1, "王静", "√"],
    ]
    assert events(read(rows)) == [["district", "lecture", "moral_education", "theory", date(2023, 10, 10), 3.0]]


def test_an_event_may_stand_in_every_row(read):
    header = [
        "姓名",
        "学校",
        "培训名称",
        "培训层级",
        "培训形式",
        "培训主题",
        "培训方式",
        "培训日期",
        "培训学时",
        "参加学时",
        "评价",
    ]
    one = ["家校沟通", "区级", "工作坊", "家庭教育指导", "理论与个案结合", "2023-10-10", 4]
    rows = [["2023年班主任培训登记"], header, ["王静", "示例小学", *one, 4, 5], ["王静", "示例中学", *one, 2, 4]]
    books = read(rows, file="全区.xlsx")
    assert events(books) == [["district", "workshop", "family_guidance", "mixed", date(2023, 10, 10), 3.0]]
    assert attendance(books) == [("T1", 3.0, 5.0), ("T6", 1.5, 4.0)]


def test_several_events_in_one_sheet_and_one_that_nobody_attended(read):
    rows = [
        TITLE,
        ["活动编号：E1"],
        [SAID],
        HEADER,
        [1, "王静", "√"],
        [None],
        TITLE,
        ["活动编号：E2"],
        [SAID.replace("10.10", "11.10")],
        HEADER,
        [None],
        TITLE,
        ["活动编号：E3"],
        [SAID],
        ["姓名", "参加时长（小时）"],
        ["王静", 1.5],
    ]
    books = read(rows)
    assert books.tables["training_events"]["event_id"].tolist() == ["E1", "E2", "E3"]
    assert books.tables["attendance"].to_numpy()[:, :3].tolist() == [["E1", "T1", 2.0], ["E3", "T1", 1.5]]


def test_an_event_of_the_district_is_the_same_in_every_schools_sheet(read):
    said = SAID.replace("校本", "区级")
    sheets = {
        "小": [TITLE, [said], HEADER, [1, "王静", "√"]],
        "中": [["示例中学培训签到"], [said], HEADER, [1, "陈杰", "√"]],
    }
    books = read(sheets, file="全区.xlsx")
    assert len(events(books)) == 1
    assert [row[0] for row in attendance(books)] == ["T1", "T4"]


def test_events_of_two_schools_are_two(read):
    sheets = {
        "小": [TITLE, [SAID], HEADER, [1, "王静", "√"]],
        "中": [["示例中学培训签到"], [SAID], HEADER, [1, "陈杰", "√"]],
    }
    books = read(sheets, file="全区.xlsx")
    assert len(events(books)) == 2
    again = read(sheets, file="全区.xlsx")
    assert (
        again.tables["training_events"]["event_id"].tolist() == books.tables["training_events"]["event_id"].tolist()
    )


def test_an_event_that_the_study_has_need_only_be_named(tmp_path, roster):
    tables = study_tables()
    columns = ["event_id", "level", "format", "theme", "mode", "held_on", "hours"]
    event = ("E7", "district", "lecture", "ideas", "theory", date(2023, 10, 10), 3.0)
    tables["training_events"] = pd.DataFrame([event], columns=columns)
    (tmp_path / "study").mkdir()
    for name, frame in tables.items():
        frame.to_csv(tmp_path / "study" / f"{name}.csv", index=False)
    rows = [TITLE, ["活动编号：E7"], ["姓名", "签到"], ["王静", "√"]]
    books = read_workbooks(write(tmp_path / "a.xlsx", {"a": rows}), open_study(tmp_path / "study"), roster)
    assert attendance(books) == [("T1", 3.0, None)]


def test_who_signed_twice_counts_once(read):
    books = read([TITLE, [SAID], HEADER, [1, "王静", "√"], [2, "王静", "√"]])
    assert attendance(books) == [("T1", 2.0, None)]
    assert "只计一次" in str(books.note)


@pytest.mark.parametrize(
    ("said", "header", "row", "cell", "rule", "near"),
    [
        (SAID, HEADER, [1, "王静静", "√"], "B4", "名册中没有此人", "T1"),
        (SAID, HEADER, [1, "王静", "？"], "C4", "看不出是否到场", "√"),
        (SAID.replace("工作方法", "班级文化"), HEADER, [1, "王静", "√"], "A2", "不在词表之中", "工作方法"),
        (SAID.replace("校本", "街道"), HEADER, [1, "王静", "√"], "A2", "不在词表之中", "校本"),
        (SAID.replace("2023.10.10", "十月十日"), HEADER, [1, "王静", "√"], "A2", "读不出是哪一天", "2024.9.1"),
        (SAID.replace("2小时", "2"), HEADER, [1, "王静", "√"], "A2", "读不出是多长时间", "学时"),
        (SAID.replace("2小时", "半天"), HEADER, [1, "王静", "√"], "A2", "读不出是多长时间", "学时"),
        (SAID, ["序号", "姓名", "参加学时"], [1, "王静", 4], "C4", "长于该次培训", "45 分钟"),
        (SAID, ["序号", "姓名", "参加时长", "评价"], [1, "王静", 2, "很好"], "D4", "评价不是数字", "数字"),
        ("时间：2023.10.10", HEADER, [1, "王静", "√"], "第 3 行", "层级、形式、主题、方式、时长", "在表上方写明"),
    ],
)
def test_what_cannot_be_decided_is_a_fault_at_its_cell(refused, said, header, row, cell, rule, near):
    found = refused([TITLE, [said], header, row])
    where, told, fix, _ = found[0]
    assert where.endswith(f" · {cell}")
    assert rule in told and near in fix


def test_two_sheets_that_tell_one_event_differently_are_a_fault(refused):
    def sheet(hours):
        return [TITLE, ["活动编号：E1"], [SAID.replace("2小时", hours)], ["姓名", "签到"], ["王静", "√"]]

    ((where, rule, fix, _),) = refused({"一": sheet("2小时"), "二": sheet("3小时")})
    assert "二" in where and "时长" in rule and "一 · A5" in fix


def test_two_records_of_one_person_are_a_fault(refused):
    rows = [TITLE, [SAID], ["姓名", "参加时长"], ["王静", 2], ["王静", 1]]
    ((where, rule, fix, _),) = refused(rows)
    assert where.endswith("A5") and "另有不同的记录" in rule and "A4" in fix
