from datetime import date, datetime

import pytest

from htresearch.intake.school.dates import day, find_days, find_term, month_end
from htresearch.intake.school.plain import plain

FIRST = date(2024, 9, 1)


@pytest.mark.parametrize(
    "written",
    [
        "2024.9.1",
        "2024.09.01",
        "2024-9-1",
        "2024/9/1",
        "2024年9月1日",
        "2024年9月1号",
        "２０２４．９．１",
        "2024 年 9 月 1 日",
        "20240901",
        20240901,
        "2024-09-01 08:30:00",
        "2024年9月1日（星期日）",
        "2024.9.1上午",
        "二〇二四年9月1日",
        datetime(2024, 9, 1, 8, 30),
        FIRST,
    ],
)
def test_a_day_in_every_way(written):
    assert day(written) == FIRST


@pytest.mark.parametrize(
    "written",
    ["24.9.1", "9月1日", "2024.9", "2024.13.1", "2024.2.30", "9.1", "", None, 45536, True, 2024.9, "2024.9.11.1"],
)
def test_what_is_no_certain_day_is_none(written):
    assert day(written) is None


def test_a_month_is_read_from_text_only():
    assert month_end("2024年2月") == month_end("2024.02") == date(2024, 2, 29)
    assert month_end("2024.10") == date(2024, 10, 31)
    assert month_end(2024.1) is None  # October or January
    assert month_end("2024.13") is None


@pytest.mark.parametrize(
    "written",
    [
        "2024-2025学年第一学期",
        "2024—2025学年度第一学期",
        "2024～2025学年上学期",
        "2024/2025学年（上）",
        "２０２４－２０２５学年第１学期",
        "24-25学年第一学期",
        "24-25学年上",
        "2024-2025上",
        "2024-2025（1）",
        "2024-2025学年（一）",
        "2024-2025(上)期末成绩册",
        "2024-2025-1",
        "2024学年第一学期",
        "2024年秋季学期",
        "2024秋",
        "二〇二四至二〇二五学年第一学期",
        "2024-1",
        "示例小学2024-2025学年度第一学期期末成绩册",
    ],
)
def test_a_term_in_every_way(written):
    assert find_term(plain(written)) == (2024, 1)


def test_the_second_term_is_the_spring_after():
    for written in ("2024-2025学年第二学期", "2025年春季学期", "2024-2025学年(下)", "2024学年下学期", "2024-2"):
        assert find_term(plain(written)) == (2024, 2)


@pytest.mark.parametrize(
    "written",
    [
        "2024-2025学年",
        "2024-2025学年上报名单",
        "2024-2025学年(3)班成绩",
        "2024年上学期",
        "2024-2026学年第一学期",
        "2024、2025学年第一学期",
        "第一学期",
        "2024.9.1",
        "2024年春游",
        "",
    ],
)
def test_what_is_no_certain_term_is_none(written):
    assert find_term(plain(written)) is None


def test_days_in_a_remark_take_the_year_that_fits():
    found = find_days("11月11日起由某某接任,1月5日离任", date(2024, 9, 1), date(2025, 1, 20))
    assert [f[0] for f in found] == [date(2024, 11, 11), date(2025, 1, 5)]
    assert find_days("8月1日", date(2024, 9, 1), date(2025, 1, 20)) == []
    assert find_days("10月1日", date(2023, 9, 1), date(2025, 1, 20)) == []  # of which year?
    assert find_days("2024年11月11日", date(2020, 9, 1), date(2021, 1, 20))[0][0] == date(2024, 11, 11)
