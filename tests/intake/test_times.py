"""Moments and durations in every form that exports have."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htresearch.intake.times import durations, moment, moments, seconds, whole


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024/9/1 8:05:03", (2024, 9, 1, 8, 5, 3)),
        ("2024-09-01 08:05", (2024, 9, 1, 8, 5, 0)),
        ("2024.9.1", (2024, 9, 1, 0, 0, 0)),
        ("20240901", (2024, 9, 1, 0, 0, 0)),
        ("2024年9月1日 8时5分3秒", (2024, 9, 1, 8, 5, 3)),
        ("2024年9月1日 下午2:05", (2024, 9, 1, 14, 5, 0)),
        ("2024/9/1 12:05 AM", (2024, 9, 1, 0, 5, 0)),
        ("2024/9/1 星期日 8:05:03", (2024, 9, 1, 8, 5, 3)),
        ("02-Feb-2021 20:26:58", (2021, 2, 2, 20, 26, 58)),
        ("2024-09-01T08:05:03+08:00", (2024, 9, 1, 8, 5, 3)),
        ("２０２４／９／１　８：０５", (2024, 9, 1, 8, 5, 0)),
        (45536.5, (2024, 9, 1, 12, 0, 0)),
        ("45536.337", (2024, 9, 1, 8, 5, 17)),
        (date(2024, 9, 1), (2024, 9, 1, 0, 0, 0)),
        (datetime(2024, 9, 1, 8, 5, 3), (2024, 9, 1, 8, 5, 3)),
    ],
)
def test_moments_are_read(written, read):
    assert moment(written) == datetime(*read)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "昨天",
        "9/1/2024",
        "1.2.24",
        "2024/13/1",
        "2024-02-30",
        "2024-09-01T00:05:03Z",
        "0001-01-01",
        12,
        True,
        None,
        "12:30",
    ],
)
def test_what_could_mean_two_days_or_none_is_not_read(written):
    assert moment(written) is None


@given(st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)).map(lambda d: d.replace(microsecond=0)))
def test_a_moment_survives_being_written(at):
    for form in (
        "{0.year}/{0.month}/{0.day} {0.hour}:{0:%M:%S}",
        "{0:%Y-%m-%d %H:%M:%S}",
        "{0.year}年{0.month}月{0.day}日 {0:%H:%M:%S}",
    ):
        assert moment(form.format(at)) == at


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("123秒", 123),
        ("2分3秒", 123),
        ("1小时2分3秒", 3723),
        ("1天2小时", 93600),
        ("1分钟", 60),
        ("1:23", 83),
        ("1:02:03", 3723),
        ("90:00", 5400),
        (45, 45),
        ("45.5", 45.5),
        (timedelta(minutes=2), 120),
        (time(0, 1, 23), 83),
        ("很久", None),
        ("-5", None),
        (-5, None),
        ("", None),
        (True, None),
        (None, None),
    ],
)
def test_durations_are_read(written, read):
    assert seconds(written) == read


def test_minutes_that_excel_took_for_hours():
    assert durations([time(1, 23), time(12, 5), None]).tolist()[:2] == [83, 725]
    # One with seconds says that hours were meant.
    assert durations([time(0, 1, 23), time(1, 5)]).tolist() == [83, 3900]


def test_columns():
    read = moments(["2024/9/1", None, "x"])
    assert str(read.dtype) == "datetime64[us]" and read.isna().tolist() == [False, True, True]
    assert str(durations(["1秒", "2秒"]).dtype) == "Int64"
    assert str(whole(durations(["1.5", "2"])).dtype) == "Float64"


def test_a_time_of_day_without_its_format_is_no_duration():
    assert seconds(0.0576) is None  # 1:23, which may be an hour or a minute
    assert seconds(0) == 0 and seconds(1.5) == 1.5
