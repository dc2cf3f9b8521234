"""A teacher's file as page and PDF: what it says, in both languages, and what it leaves alone."""

import re
from datetime import date

import pandas as pd
import pytest
from study.small import frames, sound, write

import htresearch as ht
from htresearch.corps import archive
from htresearch.errors import ArgumentError
from htresearch.language import speaking
from htresearch.publish import report_archives
from htresearch.publish.teacher_file.compose import compose


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    rows = frames({"incentives": [("T1", "performance_pay", "school", date(2025, 1, 10), None)]})
    activities = pd.DataFrame(
        [("C1", date(2024, 9, 20), "theme_meeting", 40)], columns=["class_id", "held_on", "kind", "participants"]
    )
    return ht.open_study(write(sound() | rows | {"activities": activities}, tmp_path_factory.mktemp("study")))


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_it_says_what_is_in_the_file_in_one_language(study, spoken):
    with speaking(spoken):
        report = compose(archive(study, "T1"))
    said = " ".join(
        [report.title, report.caption, *report.sentences, *(" ".join(t.head) for t in report.tables)]
        + [point for section in report.sections for point in section.points]
    )
    assert bool(re.search("[\u4e00-\u9fff]", said.replace("语文", ""))) == (spoken == "zh")
    assert "2.9" in report.sentences[0] and "4.5" in report.sentences[1]
    titles = {table.title for table in report.tables}
    assert len(titles) == len(report.tables) and "" not in titles


def test_what_is_missing_stands_under_its_own_heading(study):
    report = compose(archive(study, "T1"))
    lacking = report.sections[0]
    assert lacking.title == "待补的内容"
    assert any("奖励性绩效工资" in point and "2025-01-10" in point for point in lacking.points)
    assert any(point.startswith("本研究不记录") and "工作室" in point for point in lacking.points)


def test_files_are_written_with_a_page_that_lists_them(study, tmp_path):
    told = []
    found = report_archives(study, tmp_path / "out", progress=lambda *one: told.append(one))
    assert told == [(1, 3, "T1"), (2, 3, "T2"), (3, 3, "T3")]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        ["index.html", *(f"T{i}.{kind}" for i in (1, 2, 3) for kind in ("html", "pdf"))]
    )
    index = found.index.read_text(encoding="utf-8")
    assert all(f'href="T{i}.pdf"' in index for i in (1, 2, 3)) and "http" not in re.sub(r"http-equiv", "", index)
    page = re.sub('src="data:[^"]*"', "", (tmp_path / "out" / "T1.html").read_text(encoding="utf-8"))
    assert "内部资料" in page and "T2" not in page and "T3" not in page
    assert (tmp_path / "out" / "T1.pdf").read_bytes().startswith(b"%PDF")
    again = report_archives(study, tmp_path / "out", ["T1"], formats="html")
    assert [p.name for p in again.written] == ["T1.html"]


def test_they_are_not_written_among_other_things(study, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ArgumentError):
        report_archives(study, tmp_path)
    with pytest.raises(ArgumentError):
        report_archives(study, tmp_path / "out", ["T9"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(ArgumentError):
        report_archives(study, tmp_path / "out", formats=["docx"])
