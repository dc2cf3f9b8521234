"""The report as a page: nothing from elsewhere, and nothing that keeps people from reading it."""

import re

import pytest
from browser import CHROMIUM, violations
from made_up_studies import before_and_after, usual

from htresearch import language
from htresearch.publish import report_class
from htresearch.publish.class_report.compose import compose
from htresearch.publish.class_report.html import to_html

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def page(study, spoken="zh"):
    with language.speaking(spoken):
        return to_html(compose(study))


def test_it_says_everything_and_loads_nothing():
    with language.speaking("zh"):
        report = compose(usual())
    html = to_html(report)
    for sentence in report.sentences:
        assert sentence in html
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"|url\(|@import|<script', html)
    assert "default-src 'none'" in html
    assert f'alt="{report.picture.alt}"' in html


def test_what_a_teacher_wrote_is_text():
    assert "<b>x</b>" not in page(usual(question="<b>x</b> & y"))
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y" in page(usual(question="<b>x</b> & y"))


@needs_chromium
@pytest.mark.parametrize("spoken", language.LANGUAGES)
def test_axe_finds_nothing_wrong(spoken, tmp_path):
    assert violations(page(usual(), spoken), tmp_path) == []


@needs_chromium
def test_axe_finds_nothing_wrong_with_a_report_without_a_picture(tmp_path):
    assert violations(page(before_and_after([None, None], [None])), tmp_path) == []


@needs_chromium
def test_axe_finds_nothing_wrong_with_the_page_of_all_reports(tmp_path):
    (tmp_path / "bad.csv").write_text("日期,记录值\n,\n", encoding="utf-8")
    reports = report_class([usual(), tmp_path / "bad.csv"], tmp_path / "out", "html")
    assert len(reports.failed) == 1
    assert violations(reports.index.read_text(encoding="utf-8"), tmp_path) == []


@needs_chromium
def test_axe_sees_a_picture_without_words(tmp_path):
    html = re.sub(r' alt="[^"]*"', "", page(usual()))
    assert [found[0] for found in violations(html, tmp_path)] == ["image-alt"]
