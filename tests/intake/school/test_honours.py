"""获奖名单: who was honoured by whom, and when."""

from datetime import date

import pytest

TITLE = ["示例小学班主任获奖名单"]
HEADER = ["序号", "姓名", "荣誉称号", "级别", "获奖日期"]


def incentives(books):
    frame = books.tables["incentives"]
    return [tuple(None if v != v else v for v in row) for row in frame.itertuples(index=False, name=None)]


def test_a_list_of_honours(read):
    rows = [
        TITLE,
        HEADER,
        [1, "王静", "优秀班主任", "区级", "2023.9.10"],
        [2, "李敏", "师德标兵", "校级", date(2024, 7, 10)],
        ["以上名单已公示。"],
    ]
    books = read(rows)
    assert incentives(books) == [
        ("T1", "honour", "district", date(2023, 9, 10), None),
        ("T2", "honour", "school", date(2024, 7, 10), None),
    ]


@pytest.mark.parametrize(
    ("body", "level"),
    [("示例市教育局", "city"), ("示例区教育局", "district"), ("东片学区", "zone"), ("示例小学", "school")],
)
def test_the_level_may_follow_from_who_signed_it(read, body, level):
    header = ["姓名", "奖项", "授予单位", "获奖时间"]
    assert incentives(read([TITLE, header, ["王静", "优秀班主任", body, "2023.9.10"]]))[0][2] == level


def test_the_level_may_stand_in_the_name_of_the_honour(read):
    books = read([TITLE, ["姓名", "荣誉称号", "获奖日期"], ["王静", "区级优秀班主任", "2023.9.10"]])
    assert incentives(books)[0][2] == "district"


def test_a_month_counts_as_its_last_day_and_is_said(read):
    books = read([TITLE, HEADER, [1, "王静", "优秀班主任", "区级", "2023年9月"]])
    assert incentives(books)[0][3] == date(2023, 9, 30)
    assert "按该月最后一天计：1" in str(books.note)


def test_other_incentives_with_amounts(read):
    header = ["姓名", "荣誉名称", "激励类别", "级别", "获奖日期", "金额（元）"]
    rows = [
        TITLE,
        header,
        ["王静", "津贴", "班主任津贴", "校级", "2023.9.10", "3,000元"],
        ["李敏", None, "职称评定", "区级", "2023.9.10", None],
    ]
    assert [(row[1], row[4]) for row in incentives(read(rows))] == [
        ("head_teacher_allowance", 3000.0),
        ("title_review", None),
    ]


def test_two_honours_of_one_day_and_level_are_one_row_and_said(read):
    rows = [
        TITLE,
        HEADER,
        [1, "王静", "优秀班主任", "区级", "2023.9.10"],
        [2, "王静", "师德标兵", "区级", "2023.9.10"],
    ]
    books = read(rows)
    assert len(incentives(books)) == 1
    assert "记为一次：1" in str(books.note)


@pytest.mark.parametrize(
    ("row", "cell", "rule", "near"),
    [
        (["王静静", "优秀班主任", "区级", "2023.9.10"], "B3", "名册中没有此人", "T1"),
        (["王静", "优秀班主任", "街道级", "2023.9.10"], "D3", "不在词表之中", "区级"),
        (["王静", "优秀班主任", "省级", "2023.9.10"], "D3", "不在词表之中", "区级"),
        (["王静", "优秀班主任", None, "2023.9.10"], "C3", "看不出是哪一级", "级别"),
        (["王静", "优秀班主任", "区级", None], "E3", "没有获奖日期", "2024.9.10"),
        (["王静", "优秀班主任", "区级", 2023.1], "E3", "读不出是哪一天", "2024.9.10"),
    ],
)
def test_what_cannot_be_decided_is_a_fault_at_its_cell(refused, row, cell, rule, near):
    ((where, said, fix, _),) = refused([TITLE, HEADER, [1, *row]])
    assert where.endswith(f" · {cell}")
    assert rule in said and near in fix


def test_an_amount_that_is_none_is_a_fault(refused):
    ((where, rule, _, _),) = refused(
        [TITLE, [*HEADER, "金额"], [1, "王静", "优秀班主任", "区级", "2023.9.10", "若干"]]
    )
    assert where.endswith("F3") and "多少钱" in rule


def test_a_list_of_allowances_needs_no_honour(read):
    header = ["姓名", "激励类别", "级别", "发放日期", "发放金额"]
    rows = [["示例小学班主任激励发放表"], header, ["王静", "班主任津贴", "校级", "2023.9.10", 900]]
    assert incentives(read(rows)) == [("T1", "head_teacher_allowance", "school", date(2023, 9, 10), 900.0)]


def test_an_honour_that_is_an_incentive_of_its_own_is_that(read):
    books = read([TITLE, HEADER, [1, "王静", "年度考核优秀", "区级", "2023.9.10"]])
    assert incentives(books)[0][1] == "annual_excellent"


def test_money_alone_is_no_honour(refused):
    header = ["姓名", "级别", "发放日期", "发放金额"]
    rows = [["示例小学班主任绩效奖励表"], header, ["王静", "校级", "2023.9.10", 900]]
    ((where, rule, fix, _),) = refused(rows)
    assert where.endswith("A3") and "看不出是荣誉" in rule and "激励类别" in fix
