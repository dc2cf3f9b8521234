"""Page one says what was seen in words that are right in every case, and never more than the design bears."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_studies import LATE, PLAN, before_and_after, made_up, usual

from htresearch import language
from htresearch.publish.class_report import findings
from htresearch.publish.class_report.compose import compose
from htresearch.publish.class_report.sentences import how_often, three_sentences

ONCE = "单凭这一次，还不能说就是这个办法起的作用"


def said(study, spoken="zh"):
    with language.speaking(spoken):
        return [str(sentence) for sentence in three_sentences(findings.find(study))]


def test_an_improvement_upwards_is_told_as_a_share_of_pairs():
    # 4 x 3 pairs: 10 better, 1 tie, 1 worse, so 10.5 / 12 = 87.5 %
    study = before_and_after([30, 31, 32, 33], [32, 40, 41])
    first, second, _ = said(study)
    assert first == (
        "改变前记了 4 天，居中的一天是 31.5 人（占 70%，最低 30，最高 33）；"
        "改变后记了 3 天，居中的一天是 40 人（占 89%，最低 32，最高 41）；改变后高了 8.5 人，是希望的方向。"
    )
    assert second == f"任取改变前后各一天比较，约有 88% 的情况是后一天更好（相同算一半）；{ONCE}。"


def test_an_improvement_downwards_is_one():
    first, second, _ = said(before_and_after([5, 4, 6, 5], [2, 4, 1, 2], LATE))
    assert first.endswith("改变后低了 3 次，是希望的方向。")
    # 16 pairs: 15 better, one tie
    assert second == f"任取改变前后各一天比较，约有 97% 的情况是后一天更好（相同算一半）；{ONCE}。"


def test_a_change_for_the_worse_is_said_plainly():
    first, second, third = said(before_and_after([2, 1, 2, 4], [4, 5, 6, 5], LATE))
    assert first.endswith("改变后高了 3 次，与希望的方向相反。")
    assert "只有约 3% 的情况是后一天更好（相同算一半），改变后总的来说变差了" in second
    assert second.endswith("单凭这一次，也不能说就是这个办法造成的。")
    assert "可以先停下来" in third


def test_no_clear_difference_is_neither():
    first, second, third = said(before_and_after([5, 6, 7, 5, 6], [6, 5, 7, 6, 5]))
    assert first.endswith("前后居中的值一样。")
    assert "约有 50% 的情况是后一天更好（相同算一半），接近一半对一半，看不出明显的差别" in second
    assert second.endswith("也不能说这个办法没有用。")
    assert "变化小" in third


def test_values_that_are_all_alike_leave_nothing_to_compare():
    first, second, _ = said(before_and_after([5] * 5, [5] * 4, LATE))
    assert first == "改变前记了 5 天，每天都是 5 次；改变后记了 4 天，每天都是 5 次；前后居中的值一样。"
    assert second.startswith("任取改变前后各一天比较，全都一样，分不出高下；")


def test_only_what_is_always_so_is_called_so():
    assert "每一次都是后一天更好" in said(before_and_after([1, 2, 3], [4, 5, 6]))[1]
    assert "每一次都是后一天更差" in said(before_and_after([4, 5, 6], [1, 2, 3]))[1]
    assert [how_often(share).zh for share in (0.996, 0.9949, 0.004, 0.985)] == [
        "超过 99%",
        "超过 99%",
        "不到 1%",
        "约 99%",
    ]


@pytest.mark.parametrize(("before", "after"), [([5], [7, 8]), ([5, 6], [7]), ([1, 2, 3, 4, 5], [9])])
def test_one_or_two_records_are_a_first_impression(before, after):
    first, second, _ = said(before_and_after(before, after, LATE))
    assert "只记了" in first
    assert "记录还太少" in second


def test_one_and_two_records_are_told_one_by_one():
    first = said(before_and_after([5], [7, 8], LATE))[0]
    assert first.startswith("改变前只记了 1 天，是 5 次；改变后只记了 2 天：7 和 8 次；")


def test_phases_without_a_value_are_not_compared():
    assert said(before_and_after([None, None], [None]))[1] == "还没有可以比较的数，现在什么也不能说。"
    first, second, third = said(before_and_after([3, 4, 5], [None, None]))
    assert first.endswith("改变后的 2 天都没有记到数。")
    assert second.startswith("只有一段记到了数")
    assert third.startswith("请照计划接着记")


def test_per_cent_differ_by_percentage_points():
    plan = replace(PLAN, unit="%", out_of=100, target=80)
    first = said(before_and_after([62.5, 70, 65], [80, 85.5, 90], plan))[0]
    assert "居中的一天是 65%（最低 62.5，最高 70）" in first
    assert "改变后高了 20.5 个百分点" in first


def test_records_of_a_week_are_no_days():
    first, second, _ = said(before_and_after([3, 4, 5], [6, 7, 8], LATE, every=7))
    assert first.startswith("改变前记了 3 次记录，居中的一次是 4 次")
    assert "任取改变前后各一次比较" in second


def test_a_baseline_that_was_improving_is_told():
    assert "改变之前，记录就已经在一天天变好" in said(before_and_after([1, 2, 3, 4, 5], [6, 7, 8, 9]))[2]
    assert "改变之前，记录就已经" not in said(before_and_after([5, 4, 3, 2, 1], [6, 7, 8, 9]))[2]


def test_a_drawn_start_is_told():
    assert "抽签" in said(usual(start="drawn", earliest=6, latest=15))[2]
    assert "抽签" not in "".join(said(usual()))


def test_back_and_again_counts_the_turns_that_went_as_hoped():
    study = made_up("AAABBBAAABBB", [3, 4, 3, 8, 9, 8, 3, 4, 4, 9, 8, 9], LATE, design="ABAB", improvement="increase")
    assert "用上就变好，停下就退回，再用又变好" in said(study)[1]
    study = made_up("AAABBBAAABBB", [3, 4, 3, 8, 9, 8, 9, 9, 8, 9, 8, 9], LATE, design="ABAB", improvement="increase")
    assert "三次转换中，有 1 次的变化是希望的方向" in said(study)[1]
    study = made_up("AAABBBAAA", [3, 4, 3, 8, 9, 8, 3, 4, 3], LATE, design="ABAB", improvement="increase")
    assert "来回还没有做完" in said(study)[1]


def test_taking_turns_compares_kinds_of_days():
    phases, values = "ABBAABBAAB", [5, 8, 9, 5, 6, 9, 8, 4, 5, 8]
    study = made_up(phases, values, LATE, design="alternating", improvement="increase", start="drawn")
    first, second, third = said(study)
    assert first.startswith("照旧的时候记了 5 天")
    assert second.startswith("任取照旧和改变的各一天比较，每一次都是改变的那一天更好；哪次改变是抽签定的")
    assert "比先后各记一段的更可信" in third


def test_english_says_the_same():
    first, second, third = said(before_and_after([30, 31, 32, 33], [32, 40, 41], replace(PLAN, unit="pupils")), "en")
    assert first == (
        "On 4 days before the change, the middle value was 31.5 pupils (70%; lowest 30, highest 33); on 3 days "
        "after it, "
        "the middle value was 40 pupils (89%; lowest 32, highest 41); it rose by 8.5 pupils, as was hoped."
    )
    assert "in about 88% of all such pairs the later day is the better one (a tie counts half)" in second
    assert "cannot be said" in second
    assert third


VALUES = st.lists(st.one_of(st.none(), st.integers(0, 45)), min_size=1, max_size=9)
CLAIMS = re.compile(r"有效|显著|p\s*[=<＝]|p\s?值|\bP\b|\beffective|\bsignificant|\bp-?value", re.IGNORECASE)


@settings(max_examples=150, deadline=None)
@given(
    before=VALUES,
    after=VALUES,
    improvement=st.sampled_from(["increase", "decrease"]),
    scale=st.sampled_from(["count", "share", "amount"]),
    start=st.sampled_from(["drawn", "chosen"]),
    spoken=st.sampled_from(language.LANGUAGES),
)
def test_no_study_of_one_change_claims_an_effect_or_shows_p_on_page_one(
    before, after, improvement, scale, start, spoken
):
    study = before_and_after(
        before,
        after,
        improvement=improvement,
        scale=scale,
        start=start,
        out_of=45 if scale == "share" else None,
        earliest=2 if start == "drawn" else None,
        latest=max(3, len(before) + 1) if start == "drawn" else None,
    )
    sentences = said(study, spoken)
    assert not CLAIMS.search(" ".join(sentences))
    assert not re.search(r"nan|None|\{|\}|--|−0(?!\.)", " ".join(sentences))
    assert len(sentences) == 3
    assert all(sentence.endswith("。" if spoken == "zh" else ".") for sentence in sentences)
    assert all(sentence.count("。") <= 1 for sentence in sentences)


@settings(max_examples=12, deadline=None)
@given(before=VALUES, after=VALUES, start=st.sampled_from(["drawn", "chosen"]))
def test_no_report_on_one_change_says_that_it_works(before, after, start):
    study = before_and_after(before, after, start=start, earliest=2, latest=max(3, len(before)))
    for spoken in language.LANGUAGES:
        with language.speaking(spoken):
            report = compose(study)
        whole = str(replace(report, picture=None))
        assert not re.search("有效|显著|effective|significant", whole)
        first_page = [report.title, report.question, report.caption, *report.sentences, str(report.plan)]
        if report.picture:
            first_page.append(report.picture.alt)
        assert not CLAIMS.search(" ".join(first_page))
        assert not re.search(r"\bnan\b|None(?!\w)", whole.replace("picture=None", ""))
