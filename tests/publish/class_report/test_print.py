"""The report for print: two pages of A4 in either language, whatever the study."""

from dataclasses import replace
from io import BytesIO

import pytest
from made_up_studies import LATE, PLAN, before_and_after, made_up, usual
from pypdf import PdfReader

from htresearch import language
from htresearch.publish.class_report.compose import compose
from htresearch.publish.class_report.pdf import to_pdf


def printed(study, spoken="zh"):
    with language.speaking(spoken):
        report = compose(study)
    content = to_pdf(report)
    return report, content, ["".join(page.extract_text().split()) for page in PdfReader(BytesIO(content)).pages]


def squeezed(text):
    """A text without what a line's end may add: spaces, hyphens."""
    return "".join(text.split()).replace("-", "").replace("\u00ad", "")


@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_page_one_has_the_sentences_and_page_two_the_numbers(spoken):
    report, _, pages = printed(usual(), spoken)
    first, second = map(squeezed, pages)
    for sentence in report.sentences:
        assert squeezed(sentence) in first
    assert squeezed(report.question) in first
    for section in report.sections:
        assert squeezed(section.title) in second
        for point in section.points:
            assert squeezed(point) in second
    assert "NAP" in second
    assert "NAP" not in first


@pytest.mark.parametrize(("n", "m"), [(2, 1), (5, 5), (20, 20), (28, 32)])
def test_up_to_sixty_records_fit_on_two_pages(n, m):
    second = [31, None] * ((n + m) // 2) + [31] * ((n + m) % 2)
    study = usual(n, m, others=second)
    for spoken in language.LANGUAGES:
        assert len(printed(study, spoken)[2]) == 2


def test_long_plans_and_every_design_fit_on_two_pages():
    long = replace(
        PLAN, counting=PLAN.counting * 6, before=PLAN.before * 5, after=PLAN.after * 5, consent=PLAN.consent * 5
    )
    assert len(printed(usual(plan=long))[2]) == 2
    phases = "AAAAABBBBBAAAAABBBBB"
    values = [5, 6, 5, 4, 5, 9, 8, 9, 10, 9, 6, 5, 6, 7, 5, 9, 10, 9, 11, 10]
    assert len(printed(made_up(phases, values, LATE, design="ABAB"))[2]) == 2
    turns = made_up(
        "ABBAABBAABBA" * 3, [5, 8, 9, 5, 6, 9, 8, 4, 5, 8, 9, 5] * 3, LATE, design="alternating", start="drawn"
    )
    assert len(printed(turns)[2]) == 2


def test_a_study_without_a_single_value_has_a_report_without_a_picture():
    report, _, pages = printed(before_and_after([None, None, None], [None, None]))
    assert report.picture is None
    assert len(pages) == 2
    assert "现在什么也不能说" in pages[0]


def test_very_many_records_run_over_to_further_pages_and_none_is_lost():
    report, _, pages = printed(usual(90, 110))
    assert len(report.records.rows) == 200
    assert len(pages) > 2
    assert len(pages) <= 5


def test_the_same_study_gives_the_same_bytes():
    assert printed(usual())[1] == printed(usual())[1]


def test_what_a_teacher_wrote_with_other_characters_is_printed_with_a_mark():
    report, _, (first, second) = printed(usual(question="加油𓀀！"))
    assert "𓀀" in report.question
    assert "加油〓！" in first
    assert "有1个字符印不出来" in second


def test_phone_numbers_in_a_plan_are_not_printed():
    _, _, pages = printed(
        usual(question="有事打13800138000，按时交作业的人会多吗？", consent="李家长 13900139000 同意")
    )
    whole = "".join(pages)
    assert "13800138000" not in whole
    assert "13900139000" not in whole
    assert "‹电话›" in whole
