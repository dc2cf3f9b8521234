"""Class studies made up for tests."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd

from htresearch.intake.class_study import ClassStudy, Plan

PLAN = Plan(
    question="每天放学前由小组长提醒，按时交作业的人会不会多起来？",
    watched="按时交齐作业的人数",
    counting="每天早读前，课代表数交齐三科作业的人数；请假的不算在内",
    unit="人",
    scale="share",
    out_of=45,
    improvement="increase",
    before="和平时一样，由课代表收作业",
    after="放学前五分钟，四人小组的组长看一遍每人的作业单",
    success="一半以上的日子有 40 人以上交齐",
    target=40,
    consent="家长会上说明并发了告知书，45 户都同意",
    decided_on=date(2024, 8, 30),
    school="示例中学",
    class_name="初二（3）班",
)
LATE = replace(PLAN, watched="迟到", unit="次", scale="count", out_of=None, improvement="decrease", target=1)


def school_days(n, first=date(2024, 9, 2), every=1):
    """School days one after another, weekends left out."""
    found, day = [], first
    while len(found) < n:
        if day.weekday() < 5 or every > 1:
            found.append(day)
        day += timedelta(days=every)
    return found


def made_up(phases, values, plan=PLAN, others=None, done=None, every=1, **changed):
    """A study with these phases (a letter each) and values (None where missing)."""
    days = school_days(len(values), every=every)
    runs, seen, last = [], {"A": 0, "B": 0}, ""
    for phase in phases:
        seen[phase] += phase != last
        runs.append(seen[phase])
        last = phase
    records = pd.DataFrame(
        {
            "session": range(1, len(values) + 1),
            "date": pd.to_datetime(days),
            "phase": list(phases),
            "run": runs,
            "value": pd.array(values, dtype="float64"),
            "as_planned": pd.array(done or [None] * len(values), dtype="boolean"),
            "second_value": pd.array(others or [None] * len(values), dtype="float64"),
            "remark": [""] * len(values),
        }
    )
    turns = [day for day, a, b in zip(days[1:], phases, phases[1:], strict=False) if a != b]
    design = changed.get("design", "AB")
    starts = () if design == "alternating" else tuple(turns)
    return ClassStudy(replace(plan, **{"starts": starts, **changed}), records, "made-up.xlsx", "a1b2c3d4e5f60718")


def before_and_after(first, second, plan=PLAN, **changed):
    """An AB study with these values."""
    return made_up("A" * len(first) + "B" * len(second), [*first, *second], plan, **changed)


def usual(n=10, m=12, **changed):
    """An AB study as most are: a clear improvement, no gaps."""
    first = [(31, 29, 33, 30, 34, 28, 31, 32, 33, 30)[i % 10] for i in range(n)]
    second = [(35, 34, 37, 36, 40, 39, 41, 33, 42, 40, 39, 41)[i % 12] for i in range(m)]
    return before_and_after(first, second, **{"done": [True] * (n + m)} | changed)
