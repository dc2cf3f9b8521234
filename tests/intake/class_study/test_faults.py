"""Every way of filling in the workbook wrongly is said with its cell, its value, the rule and what to do."""

import re
import zipfile
from datetime import date, timedelta

import pandas as pd
import pytest

from htresearch.errors import ArgumentError, IntakeError
from htresearch.intake.class_study import PlanHistory, from_frame, read_class_study, read_plan, write_workbook
from intake.class_study import filling
from intake.class_study.filling import (
    PLAN,
    another,
    as_date,
    days,
    failed,
    filled,
    merge,
    plan,
    records,
    rename,
)

LATEST, EARLIEST = "抽签范围：最晚从第几条记录起", "抽签范围：最早从第几条记录起"


def spoil(**cells):
    return lambda form: records(form, cells)


def planned(**entries):
    return lambda form: plan(form, **entries)


def share(**cells):
    def made(form):
        plan(form, 记录的是="总数中的几个（或百分之几）", 总数=cells.pop("总数", 42), 单位="人")
        return records(form, cells)

    return made


def moved(form, by):
    return plan(form, 改变从哪天开始=days()[0] + timedelta(by), 抽到从第几条记录起改=None)


def turned_round(form):
    return plan(form, **{EARLIEST: 15, LATEST: 6})


TOMORROW = date.today() + timedelta(1)

#: What is done to a sound workbook; where it is said; words of what is said.
WAYS = {
    "all records before the start": (lambda f: moved(f, 200), "我的计划 · 改变从哪天开始", "没有“改变后”的记录"),
    "all records after the start": (lambda f: moved(f, -30), "我的计划 · 改变从哪天开始", "没有“改变前”的记录"),
    "a start on the first record": (lambda f: moved(f, 0), "我的计划 · 改变从哪天开始", "没有“改变前”的记录"),
    "no value before the start": (
        spoil(**{f"C{row}": "缺" for row in range(5, 15)}), "我的计划 · 改变从哪天开始", "没有“改变前”的记录"
    ),
    "dates out of order": (spoil(B8=date(2025, 8, 31)), "每天记录 · B8", "早于上面一行的日期（2025-09-03）"),
    "a date doubled": (spoil(B8=days()[2]), "每天记录 · B8", "已经有一条记录了（a.xlsx · 每天记录 · B7）"),
    "a date in the future": (spoil(B24=TOMORROW), "每天记录 · B24", "日期还没有到"),
    "a date before 2000": (spoil(B5="1999-9-1"), "每天记录 · B5", "不在 2000 年到 2100 年之间"),
    "a date after 2100": (spoil(B24="2125-9-1"), "每天记录 · B24", "不在 2000 年到 2100 年之间"),
    "a day that is none": (spoil(B7="2025-9-31"), "每天记录 · B7", "不是完整的日期"),
    "a month for a day": (spoil(B7="2025年9月"), "每天记录 · B7", "不是完整的日期"),
    "a day Excel took for a number": (spoil(B7=9.3), "每天记录 · B7", "不是完整的日期"),
    "American dates": (spoil(B7="9/3/2025"), "每天记录 · B7", "不是完整的日期"),
    "a record without its date": (spoil(B7=None), "每天记录 · B7", "有记录，没有日期"),
    "text in a count": (spoil(C7="很多"), "每天记录 · C7", "不是一个数"),
    "about so many": (spoil(C7="约12"), "每天记录 · C7", "不是一个数"),
    "two numbers": (spoil(C7="3-4"), "每天记录 · C7", "不是一个数"),
    "a number Excel took for a date": (lambda f: as_date(f, "C7"), "每天记录 · C7", "是日期或逻辑值"),
    "a day in the wrong column": (spoil(C7=date(2025, 9, 3)), "每天记录 · C7", "大得不像"),
    "a truth value for a count": (spoil(C7=True), "每天记录 · C7", "是日期或逻辑值"),
    "a negative count": (spoil(C7=-1), "每天记录 · C7", "是负数"),
    "half a count": (spoil(C7=2.5), "每天记录 · C7", "个数不是整数"),
    "a huge number": (spoil(C7=1e12), "每天记录 · C7", "数字太大"),
    "per cent in a count": (spoil(C7="85%"), "每天记录 · C7", "是百分数，计划里记的却不是百分数"),
    "more than the total": (share(C7=43), "每天记录 · C7", "超过了总数 42"),
    "out of another total": (share(C7="38/41"), "每天记录 · C7", "计划里的总数却是 42"),
    "above 100 per cent": (share(总数=100, C7=101), "每天记录 · C7", "百分数超过了 100"),
    "a share in a cell of per cent": (share(总数=100, C7=0.85), "每天记录 · C7", "85% 存成了 0.85"),
    "a share without its total": (share(总数=None), "我的计划 · 总数", "却没有填总数"),
    "a total of nothing": (share(总数=0), "我的计划 · 总数", "总数须是大于 0"),
    "a total for a count": (planned(总数=42), "我的计划 · 总数", "“记录的是”却不是"),
    "text for the second recorder": (spoil(E7="同上"), "每天记录 · E7", "不是一个数"),
    "neither yes nor no": (spoil(D7="部分"), "每天记录 · D7", "不是“是”或“否”"),
    "a condition that is none": (spoil(G7="丙"), "每天记录 · G7", "不在可选的答案里"),
    "a condition against the dates": (spoil(G7="改变后"), "每天记录 · G7", "按计划的日期这一天是“改变前”"),
    "no start": (
        planned(改变从哪天开始=None, 抽到从第几条记录起改=None),
        "我的计划 · 改变从哪天开始", "没有填从哪天开始",
    ),
    "a start that is no day": (planned(改变从哪天开始="第三周"), "我的计划 · 改变从哪天开始", "不是完整的日期"),
    "a start without its year": (planned(改变从哪天开始="9月15日"), "我的计划 · 改变从哪天开始", "没有写年份"),
    "a lot without its range": (planned(**{EARLIEST: None}), f"我的计划 · {EARLIEST}", "没有写抽签的范围"),
    "a start outside the lot": (
        planned(**{EARLIEST: 12, "抽到从第几条记录起改": None}),
        "我的计划 · 改变从哪天开始", "不在抽签的范围（第 12 条到第 15 条）",
    ),
    "a draw outside the lot": (planned(抽到从第几条记录起改=16), "我的计划 · 抽到从第几条记录起改", "不在抽签的范围"),
    "a start that was not drawn": (
        planned(抽到从第几条记录起改=9),
        "我的计划 · 改变从哪天开始", "那是第 11 条记录，抽到的却是第 9 条",
    ),
    "a range turned round": (turned_round, f"我的计划 · {LATEST}", "最晚反而早于最早（15）"),
    "a lot of one": (planned(**{EARLIEST: 11, LATEST: 11}), f"我的计划 · {LATEST}", "最早与最晚相同"),
    "a lot from the first record": (planned(**{EARLIEST: 1}), f"我的计划 · {EARLIEST}", "最早也要从第 2 条起"),
    "the place of a record in words": (planned(**{LATEST: "最后"}), f"我的计划 · {LATEST}", "不是第几条记录的序号"),
    "a draw beyond the records": (
        planned(**{LATEST: 30, "抽到从第几条记录起改": 25, "改变从哪天开始": None}),
        "我的计划 · 抽到从第几条记录起改", "现在只有 20 条",
    ),
    "an unknown choice": (planned(怎样算好="适中"), "我的计划 · 怎样算好", "不在可选的答案里"),
    "a design without its other days": (
        planned(怎样安排="前、后、前、后（ABAB）"),
        "我的计划 · 恢复原样从哪天开始", "没有填从哪天开始",
    ),
    "a day that the design has no use for": (
        planned(恢复原样从哪天开始=days()[15]), "我的计划 · 恢复原样从哪天开始", "这种安排用不到这个日期"
    ),
    "by turns without conditions": (
        planned(怎样安排="两种做法轮流（交替）", 改变从哪天开始=None), "每天记录 · G5", "却没有写哪天用的是哪一种"
    ),
    "an entry left empty": (planned(**{"谁同意了，怎样征求的": None}), "我的计划 · 谁同意了，怎样征求的", "没有填"),
    "no question": (planned(研究的问题="  "), "我的计划 · 研究的问题", "“研究的问题”没有填"),
    "a plan from the future": (planned(计划定于哪天=TOMORROW), "我的计划 · 计划定于哪天", "日期还没有到"),
    "a target in words": (planned(目标值="很少"), "我的计划 · 目标值", "不是一个数"),
    "a phone in the plan": (
        planned(**{"谁同意了，怎样征求的": "电话13800138000"}),
        "我的计划 · 谁同意了，怎样征求的", "能认出人",
    ),
    "a formula that failed": (lambda f: failed(f, "C7"), "每天记录 · C7", "#N/A"),
    "a formula that failed in the plan": (
        lambda f: failed(f, filling.places(f)["目标值"], PLAN),
        "我的计划 · 目标值", "公式出错",
    ),
    "two days in one merged cell": (lambda f: merge(f, "C7:C8"), "每天记录 · C7", "合并单元格 C7:C8"),
    "a row merged": (lambda f: merge(f, "C9:E9"), "每天记录 · C9", "合并单元格 C9:E9"),
    "the heading of the value renamed": (spoil(C3="人数"), "每天记录 · 3:3", "找不到“记录值”这一列"),
    "the heading of the date renamed": (spoil(B3="哪天"), "每天记录 · 3:3", "找不到“日期”这一列"),
    "the heading of the second recorder renamed": (spoil(E3="张三"), "每天记录 · E3", "表头认不出"),
    "a heading twice": (spoil(F3="记录值"), "每天记录 · F3", "有两列都是“记录值”"),
    "a record over the example": (spoil(C4=9), "每天记录 · A4", "填的却不是原来的例子"),
    "two sheets of records": (
        lambda f: another(f, "每天记录 (2)", filling.RECORDS), "", "有几张工作表都像“每天记录”"
    ),
    "a sheet of records that cannot be told": (
        lambda f: records(rename(f, "每天记录", "表"), {"B3": "甲", "C3": "乙"}), "", "找不到“每天记录”"
    ),
    "no sheet of the plan": (
        lambda f: plan(rename(f, "我的计划", "计划书")) and relabel(f), "", "找不到“我的计划”"
    ),
    "a label of the plan changed": (
        lambda f: filling.put(f, {filling.places(f)["怎样数"].replace("B", "A"): "数法"}, PLAN),
        "我的计划", "找不到“怎样数”这一项",
    ),
    "a change without its day": (
        lambda f: filling.put(f, {f"B{int(filling.places(f)['哪天改的'][1:]) + 1}": "换了人记"}, PLAN),
        "我的计划 · A", "缺一样",
    ),
}  # fmt: skip


def relabel(form):
    at = filling.places(form)
    return filling.put(form, {place.replace("B", "A"): "项目" for place in at.values()}, PLAN)


#: Ways that really are several mistakes.
SEVERAL = {"a design without its other days"}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_wrong_is_said_where_it_is(tmp_path, way, in_both_languages):
    spoilt, where, said = WAYS[way]
    form = filled(tmp_path / "a.xlsx")
    known = filling.places(form)
    spoilt(form)
    with pytest.raises(IntakeError) as caught:
        read_class_study(form)
    sheet, _, entry = where.partition(" · ")
    place = " · ".join(part for part in ("a.xlsx", sheet, known.get(entry, entry)) if part)
    found = [fault for fault in caught.value.faults if str(fault.where).startswith(place) and said in fault.rule.zh]
    assert found, str(caught.value)
    assert len(caught.value.faults) == 1 or way in SEVERAL, str(caught.value)
    assert all(fault.rule.en and fault.fix.zh and fault.fix.en for fault in caught.value.faults)
    assert "13800138000" not in "".join(in_both_languages(caught.value))


def test_all_faults_are_said_at_once(tmp_path):
    form = filled(tmp_path / "a.xlsx")
    records(form, {"B6": "不记得", "C7": "多", "D8": "?", "E9": "无数"})
    plan(form, 怎样算好="都行", 单位=None)
    with pytest.raises(IntakeError) as caught:
        read_class_study(form)
    cells = {str(fault.where).rpartition(" ")[2] for fault in caught.value.faults}
    at = filling.places(form)
    assert cells == {"B6", "C7", "D8", "E9", at["怎样算好"], at["单位"]}


def test_names_and_numbers_of_persons_are_not_repeated(tmp_path):
    form = filled(tmp_path / "a.xlsx")
    records(form, {"C7": "王小明", "D8": "13800138000", "E9": 13800138000, "B10": "11010519491231002X"})
    with pytest.raises(IntakeError) as caught:
        read_class_study(form)
    assert len(caught.value.faults) == 4
    assert not re.search("王小明|13800138000|11010519491231002X", str(caught.value))


def test_the_untouched_form_says_what_is_to_be_done(tmp_path):
    form = write_workbook(tmp_path / "a.xlsx", "zh")
    with pytest.raises(IntakeError) as caught:
        read_class_study(form)
    assert str(caught.value).split("\n") == [
        "1. a.xlsx · 我的计划：计划还没有填。请先把计划写好，再开始记录。",
        "2. a.xlsx · 每天记录：还没有记录。请从例子下面的空行开始，一天填一行。",
    ]


# --- files ----------------------------------------------------------------------------------------------------------


def word(path):
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("word/document.xml", "<w/>")


FILES = {
    "nothing.xlsx": (lambda p: None, "没有这个文件"),
    "empty.xlsx": (lambda p: p.write_bytes(b""), "文件是空的"),
    "torn.xlsx": (lambda p: p.write_bytes(filled(p.with_name("b.xlsx")).read_bytes()[:3000]), "可能已损坏"),
    "mine.et": (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600), "WPS 自有的格式"),
    "word.xlsx": (word, "Word 文档"),
    "picture.xlsx": (lambda p: p.write_bytes(b"\x89PNG\r\n" + b"1" * 90), "是图片"),
    "locked.xlsx": (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 900), "可能已损坏|密码"),
    "alone.csv": (lambda p: p.write_text("日期,记录值\n2025-9-1,3\n", encoding="gbk"), "文本表格里没有计划"),
    "novalue.csv": (lambda p: p.write_text("日期,备注\n2025-9-1,3\n", encoding="gbk"), "找不到“记录值”这一列"),
    "folder.xlsx": (lambda p: p.mkdir(), "是文件夹"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_class_study(tmp_path, name):
    make, said = FILES[name]
    make(tmp_path / name)
    with pytest.raises(IntakeError, match=said) as caught:
        read_class_study(tmp_path / name)
    assert str(caught.value.faults[0].where).startswith(name)


# --- what is given --------------------------------------------------------------------------------------------------

GIVEN = dict.fromkeys(("question", "watched", "counting", "unit", "before", "after"), "问")
GIVEN |= {"scale": "count", "improvement": "increase", "starts": ["2025-9-3"]}
FRAME = pd.DataFrame({"date": days(5), "value": [1, 2, 3, 4, 5]})


@pytest.mark.parametrize(
    ("frame", "given", "said"),
    [
        ([1, 2], GIVEN, "参数 frame.*不是 DataFrame"),
        (FRAME, None, "参数 plan.*没有给出计划"),
        (FRAME, 7, "参数 plan.*不是计划"),
        (FRAME, {**GIVEN, "hypothesis": "x"}, "hypothesis.*计划没有这一项"),
        (FRAME, {**GIVEN, "scale": "often"}, "计划的 scale.*不在可选的答案里"),
        (FRAME, {**GIVEN, "starts": 5}, "计划的 starts.*不是一到三个日期"),
        (FRAME, {**GIVEN, "starts": ["x"]}, "计划的 starts.*不是完整的日期"),
        (FRAME, {k: v for k, v in GIVEN.items() if k != "unit"}, "计划的 unit.*没有填"),
        (FRAME, {}, "计划的 question"),
        (FRAME, {**GIVEN, "decided_on": pd.NaT, "target": float("nan"), "unit": pd.NA}, "计划的 unit.*没有填"),
        (FRAME.assign(value=["a", 1, 2, 3, 4]), GIVEN, "列 value 第 1 行.*不是一个数"),
        (FRAME.assign(value=float("inf")), GIVEN, "列 value 第 1 行.*数字太大"),
        (FRAME.iloc[::-1], GIVEN, "列 date 第 2 行.*早于上面一行"),
        (FRAME.drop(columns="value"), GIVEN, "找不到“记录值”"),
        (FRAME.iloc[:0], GIVEN, "还没有记录"),
        (pd.DataFrame(), GIVEN, "找不到“日期”"),
    ],
)
def test_what_is_given_is_checked_too(frame, given, said):
    with pytest.raises(ArgumentError, match=said):
        from_frame(frame, given)


@pytest.mark.parametrize("path", [None, 5, "a\0b", ["a.xlsx"]])
@pytest.mark.parametrize("reads", [read_class_study, read_plan, PlanHistory, write_workbook])
def test_what_is_no_path_is_refused(reads, path):
    with pytest.raises(ArgumentError, match="不是路径"):
        reads(path)
