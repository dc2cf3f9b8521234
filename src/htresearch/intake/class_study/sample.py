"""The finished example that the workbook shows: an invented class, forty mornings."""

from __future__ import annotations

from datetime import date, timedelta

from htresearch.language import Text

#: Late pupils on forty school days; the change began with the 17th record.
LATE = (
    4,
    3,
    5,
    4,
    2,
    4,
    3,
    4,
    5,
    3,
    4,
    2,
    4,
    3,
    4,
    3,
    3,
    2,
    2,
    1,
    2,
    1,
    None,
    1,
    2,
    0,
    1,
    1,
    2,
    1,
    0,
    1,
    1,
    0,
    2,
    1,
    0,
    1,
    1,
    0,
)
STARTED = 17
#: The second recorder's numbers by the place of the record.
SECOND = {3: 5, 8: 4, 12: 2, 16: 3, 20: 1, 25: 2, 29: 1, 34: 0, 38: 1}
NOT_AS_PLANNED = {22}
REMARKS = {
    5: Text("大雨，1 人校车晚点，不算", "Heavy rain; 1 on a late school bus, not counted"),
    22: Text("值日班长请假，没有迎接", "The duty monitors were away; nobody greeted"),
    23: Text("运动会，没有早读", "Sports day, no first lesson"),
}
#: What the plan said, in short.
PLAN = (
    (
        Text("研究的问题", "Question"),
        Text(
            "值日班长在门口问好，迟到会不会变少？", "If duty monitors greet pupils at the door, does lateness fall?"
        ),
    ),
    (
        Text("怎样数", "How it is counted"),
        Text(
            "早读铃停后进教室算 1 人次；病假、校车晚点不算",
            "After the bell has stopped; not illness or a late school bus",
        ),
    ),
    (
        Text("改变前 → 改变后", "Before → after"),
        Text("照常提醒 → 两名值日班长提前十分钟在门口问好", "Reminded as usual → two monitors greet at the door"),
    ),
    (
        Text("开始日", "Start"),
        Text(
            "从第 11 到 30 条里抽签，9 月 1 日抽到第 17 条", "Drawn from records 11 to 30 on 1 September: record 17"
        ),
    ),
    (Text("怎样算成功", "Success"), Text("改变后平均每天不到 1.5 人次", "Fewer than 1.5 a day on average")),
)


def days() -> list[date]:
    """Return the school days of the example: Mondays to Fridays, without the first week of October."""
    found, day = [], date(2025, 9, 2)
    while len(found) < len(LATE):
        if day.weekday() < 5 and not date(2025, 10, 1) <= day <= date(2025, 10, 8):
            found.append(day)
        day += timedelta(days=1)
    return found
