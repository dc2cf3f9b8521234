"""What page two says: numbers with intervals, whether to rely on them, what was agreed, what to do next."""

from dataclasses import replace
from datetime import date

import pytest
from made_up_studies import LATE, before_and_after, made_up, usual

import htresearch as ht
from htresearch import language
from htresearch.intake.class_study import Change
from htresearch.language import Text
from htresearch.publish.class_report.compose import compose


def section(report, title):
    return next(" ".join(s.points) for s in report.sections if s.title.startswith(title))


def numbers(report):
    return {row[0]: row for row in report.tables[-1].rows}


def test_the_numbers_are_those_of_the_package():
    study = usual()
    report = compose(study)
    nap = ht.singlecase.nap(study.values("A"), study.values("B"), "increase").tidy().iloc[0]
    row = numbers(report)["更好的比例（NAP）"]
    assert row[1] == f"{nap['estimate']:.0%}"
    assert 0.99 < nap["conf_high"] < 1  # so it is not rounded to what it is not
    assert row[2] == f"{nap['conf_low']:.0%} 到 {nap['conf_high']:.1%}"
    assert report.tables[0].rows[0] == ("改变前", "10", "0", "31", "31.1", "28–34")


def test_a_mean_falls_by_so_many_per_cent_whichever_way_is_better():
    # from 5 to 2.25
    study = before_and_after([5, 4, 6, 5], [2, 4, 1, 2], LATE)
    assert numbers(compose(study))["平均水平的变化（LRR）"][1] == "−55%"
    study = before_and_after([4, 4, 4, 5, 3], [5, 6, 4, 5, 5], LATE)
    assert numbers(compose(study))["平均水平的变化（LRR）"][1] == "+25%"


def test_an_amount_is_compared_in_standard_deviations():
    study = before_and_after([-3, 2, 1, 0, 2], [4, 5, 6, 2, 7.5], scale="amount", out_of=None, unit="分钟")
    smd = ht.singlecase.smd([-3, 2, 1, 0, 2], [4, 5, 6, 2, 7.5]).tidy()["estimate"].item()
    assert float(numbers(compose(study))["标准化的差（SMD）"][1]) == pytest.approx(smd, abs=0.005)


def test_p_is_there_only_where_lots_were_drawn_and_with_the_least_it_can_be():
    assert not any("（p）" in name for name in numbers(compose(usual())))
    study = before_and_after([5, 6, 5, 4, 5, 6, 5, 5], [9, 8, 9, 10, 9, 8, 9, 9, 8, 10], LATE, improvement="increase",
                             start="drawn", earliest=6, latest=13)  # fmt: skip
    row = numbers(compose(study))["单凭抽签碰巧的可能（p）"]
    assert row[1] == "0.125"  # 8 possible starts, and only the one drawn parts all pairs
    assert "能抽的有 8 种，最小也有 0.125" in row[3]
    unfinished = replace(study, plan=replace(study.plan, latest=30))
    assert not any("（p）" in name for name in numbers(compose(unfinished)))
    assert "还不够" in section(compose(unfinished), "能说明什么")


def test_pairs_that_were_drawn_are_tested_and_other_orders_are_not():
    turns = made_up("ABBAABBAABBA", [5, 8, 9, 5, 6, 9, 8, 4, 5, 8, 9, 5], LATE, design="alternating", start="drawn",
                    improvement="increase")  # fmt: skip
    assert numbers(compose(turns))["单凭抽签碰巧的可能（p）"][1] == "0.016"  # 1 of 2 to the power of 6
    other = made_up("AABBBABAABBA", [5, 8, 9, 5, 6, 9, 8, 4, 5, 8, 9, 5], LATE, design="alternating", start="drawn")
    assert not any("（p）" in name for name in numbers(compose(other)))
    assert "不是两次一签" in section(compose(other), "能说明什么")


def test_two_recorders_are_compared():
    second = [31, None, None, None, 30, None, None, None, None, None, 35, None, None, 36, *[None] * 8]
    report = compose(usual(others=second))
    assert "有 4 次由两个人各自记录（占 18%；通常希望有五分之一以上），其中 3 次完全一样" in section(
        report, "记录靠得住"
    )
    assert "第二人" in report.records.head
    assert "没有第二个人同时记录" in section(compose(usual()), "记录靠得住")


def test_it_is_told_how_often_things_were_done_as_planned():
    assert "次次照计划做了" in section(compose(usual()), "记录靠得住")
    done = [True] * 5 + [True, False, None, False, True]
    study = before_and_after([3, 4, 5, 4, 3], [6, 7, 8, 7, 6], LATE, done=done)
    said = section(compose(study), "记录靠得住")
    assert "照计划做了的有 2 次，没有做的有 2 次，1 次没有写明" in said
    assert "不到八成" in said
    assert "先把办法做实" in section(compose(study), "下一步")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"target": 40}, "达到了；12 天中有"),
        ({"target": 45}, "没有达到；12 天中有 0 天达到"),
        ({"target": None}, "请对照上面的记录判断"),
        ({"target": None, "success": ""}, "事先没有写下怎样才算成功"),
    ],
)
def test_success_was_decided_beforehand(changed, expected):
    study = usual(**changed)
    if changed["target"] == 40:
        study.records.loc[study.records["phase"] == "B", "value"] = 41
    assert expected in section(compose(study), "事先")


def test_changes_of_the_plan_are_printed_with_day_and_fingerprints():
    assert "没有发现计划有改动" in section(compose(usual()), "事先")
    change = Change(date(2024, 9, 20), Text("改了：怎样算好", "Changed: target"), "a" * 64, "b" * 64)
    said = section(compose(replace(usual(), changes=(change,))), "事先")
    assert "第一次记录之后改过计划（2024年9月20日）：改了：怎样算好；指纹 aaaaaaaaaaaa → bbbbbbbbbbbb。" in said
    assert usual().plan.fingerprint[:12] in said


def test_a_plan_after_the_first_record_counts_for_less():
    assert "在第一次记录之前" in section(compose(usual()), "事先")
    assert "晚于第一次记录" in section(compose(usual(decided_on=date(2024, 10, 1))), "事先")
    assert "没有写日期" in section(compose(usual(decided_on=None)), "事先")


def test_what_to_do_next_follows_from_what_is_missing():
    assert "每一段最好记到 5 次以上，现在最少的一段是 2 次" in section(compose(usual(2, 6)), "下一步")
    assert "等记录平稳了再开始" in section(
        compose(before_and_after([1, 2, 3, 4, 5], [7, 8, 7, 8, 7], LATE, improvement="increase")), "下一步"
    )
    assert "先停一停" in section(compose(before_and_after([1, 2, 1, 2, 1], [7, 8, 7, 8, 7], LATE)), "下一步")
    assert "接近最好" in section(compose(before_and_after([44, 45, 44, 45, 44], [45, 45, 44, 45, 45])), "下一步")
    assert "错开开始" in section(compose(usual()), "下一步")
    assert len(next(s for s in compose(usual()).sections if s.title == "下一步").points) <= 5


def test_the_standard_is_told_kindly():
    said = section(compose(usual()), "和单案例研究的标准")
    assert "WWC（4.1 版）" in said
    assert "不是您做得好不好" in said


def test_remarks_stay_out():
    study = usual()
    study.records.loc[3, "remark"] = "小明没来"
    report = compose(study)
    assert "小明" not in str(replace(report, picture=None))
    assert "备注里可能提到学生" in report.records_note


def test_every_report_is_in_one_language():
    with language.speaking("en"):
        report = compose(
            usual(
                question="More homework?",
                watched="Homework",
                counting="Counted",
                unit="pupils",
                before="As always",
                after="Reminded",
                success="40",
                consent="All agreed",
                school="A School",
                class_name="3",
            )
        )
    whole = str(replace(report, picture=None)) + report.picture.alt
    assert not [mark for mark in whole if 0x2E80 < ord(mark) < 0xFF00]
