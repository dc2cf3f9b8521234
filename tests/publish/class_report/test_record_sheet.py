"""The sheet to record on by pen: one page of A4 with the plan, rows and a grid."""

import pytest
from made_up_studies import PLAN, usual
from pypdf import PdfReader

from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.intake.class_study import topics
from htresearch.publish import record_sheet


def text(path):
    reader = PdfReader(path)
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == (595, 842)
    return "".join(reader.pages[0].extract_text().split())


@pytest.mark.parametrize("spoken", language.LANGUAGES)
@pytest.mark.parametrize("topic", [None, *topics()])
def test_every_topic_has_one_page(topic, spoken, tmp_path):
    said = text(record_sheet(tmp_path / "sheet.pdf", topic, spoken)).replace("-", "")
    assert "40" in said
    if topic:
        assert "".join(getattr(topics()[topic].watched, spoken).split()).replace("-", "") in said


@pytest.mark.parametrize("plan", [PLAN, usual(), "作业按时上交"])
def test_a_plan_a_study_or_a_topic_by_name_will_do(plan, tmp_path):
    said = text(record_sheet(tmp_path, plan))
    assert "班级研究记录表" in said
    assert "交齐" in said


def test_the_same_sheet_has_the_same_bytes(tmp_path):
    assert (
        record_sheet(tmp_path / "a.pdf", "homework").read_bytes()
        == record_sheet(tmp_path / "b.pdf", "homework").read_bytes()
    )


def test_an_unknown_topic_and_a_folder_that_is_not_there_are_refused(tmp_path, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        record_sheet(tmp_path, "weather")
    assert all("homework" in said for said in in_both_languages(caught.value))
    with pytest.raises(ArgumentError):
        record_sheet(tmp_path / "nowhere" / "a.pdf", "homework")
