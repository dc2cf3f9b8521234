"""The instruments that are shipped: sound, complete, and written as survey practice asks."""

import re

import pytest

from htresearch import instruments
from htresearch.study.schema import schema

from .written import SURVEYS

FILES = sorted(SURVEYS.glob("*.yaml"))
LICENSED = {"maslach_educators", "my_class"}
SELF_WRITTEN = {"head_teacher", "class_climate", "pupil_wellbeing", "home_school", "class_visit"}
#: What each asks about, by the names of its scales.
SCALES = {
    "head_teacher": (
        "ideas methods moral research efficacy workload burnout support "
        "fair_appraisal fair_incentives usefulness stay"
    ),
    "class_climate": "relation peers order belonging load",
    "pupil_wellbeing": "wellbeing worry study_habits daily_habits",
    "home_school": "communication trust family participation",
    "class_visit": "aims interaction participation order",
}


@pytest.fixture(scope="module")
def shipped():
    return {path.stem: instruments.load_instrument(path) for path in FILES}


def test_they_are_all_there_and_sound():
    assert {path.stem for path in FILES} == LICENSED | SELF_WRITTEN
    assert instruments.lint(SURVEYS) == []


@pytest.mark.parametrize("name", sorted(SELF_WRITTEN))
class TestSelfWritten:
    def test_it_is_free_and_a_draft(self, shipped, name):
        assert shipped[name].licence == "Apache-2.0"
        assert shipped[name].status == "draft"
        assert shipped[name].caution
        assert shipped[name].version in shipped[name].citation

    def test_its_scales(self, shipped, name):
        scales = shipped[name].scales
        assert list(scales) == SCALES[name].split()
        assert all(3 <= len(scale.items) <= 5 for scale in scales.values())

    def test_some_items_are_keyed_the_other_way(self, shipped, name):
        turned = [i for scale in shipped[name].scales.values() for i, weight in scale.items.items() if weight == -1]
        assert len(turned) >= len(shipped[name].scales) / 2

    def test_scaled_items_have_five_labelled_options(self, shipped, name):
        instrument = shipped[name]
        for item in (instrument.items[i] for scale in instrument.scales.values() for i in scale.items):
            assert item.values == (1, 2, 3, 4, 5)
            assert all(len(choice.label.zh) >= 2 and choice.label.en for choice in item.choices)

    def test_no_item_negates_twice_or_asks_two_things(self, shipped, name):
        instrument = shipped[name]
        for item in (instrument.items[i] for scale in instrument.scales.values() for i in scale.items):
            assert len(re.findall(r"[不没无非未]", item.text.zh)) <= 1, item.text.zh
            assert len(re.findall(r"\b(?:not|no|never|nothing)\b|n't", item.text.en)) <= 1, item.text.en
            assert not re.search(r"[、；]|以及|并且", item.text.zh), item.text.zh

    def test_skipped_and_empty_are_told_apart(self, shipped, name):
        assert all({-3, -2} <= set(item.missing) for item in shipped[name].items.values())

    def test_both_languages_say_as_much(self, shipped, name):
        for item in shipped[name].items.values():
            assert re.search("[一-鿿]", item.text.zh)
            assert not re.search("[一-鿿]", item.text.en)
            assert bool(re.search(r"[？?]", item.text.zh)) == ("?" in item.text.en) or item.text.zh.endswith("：")


@pytest.mark.parametrize("name", ["class_climate", "pupil_wellbeing", "home_school"])
def test_pupils_and_parents_are_anonymous_but_for_their_class(shipped, name):
    assert shipped[name].anonymous
    assert [item.identifies for item in shipped[name].items.values() if item.identifies] == ["class"]


def test_the_head_teachers_survey_is_short_and_can_be_linked(shipped):
    survey = shipped["head_teacher"]
    assert survey.minutes <= 15
    assert {item.identifies for item in survey.items.values()} == {None, "name", "school"}
    assert {q.type for q in survey.questions} >= {"single", "multiple", "ranking", "matrix", "number", "text"}
    assert any(q.when for q in survey.questions)


def test_its_words_are_those_of_the_study(shipped):
    vocabularies = schema().vocabularies
    items = shipped["head_teacher"].items
    assert len(items["tier"].values) == len(vocabularies["tier"])
    themes = {name.removeprefix("useful_") for name in items if name.startswith("useful_")}
    assert themes == set(vocabularies["theme"]) - {"other"}
    assert len(items["formats"].values) == len(vocabularies["format"])


@pytest.mark.parametrize("name", sorted(LICENSED))
def test_of_licensed_instruments_there_are_only_numbers_and_keys(shipped, name):
    instrument = shipped[name]
    assert not instrument.worded
    assert all(str(item.text) == "" and str(question.text) == "" for question in instrument.questions
               for item in question.items)  # fmt: skip
    labels = [str(choice.label) for item in instrument.items.values() for choice in item.choices]
    assert all(label.isdigit() for label in labels)
    assert "许可" in instrument.licence
    assert instrument.citation


def test_maslach_keys(shipped):
    """Maslach, Jackson & Schwab (1996): 22 items rated 0 to 6; 9, 5 and 8 items."""
    survey = shipped["maslach_educators"]
    keys = {name: [int(i.removeprefix("mbi_")) for i in scale.items] for name, scale in survey.scales.items()}
    assert keys == {
        "exhaustion": [1, 2, 3, 6, 8, 13, 14, 16, 20],
        "depersonalisation": [5, 10, 11, 15, 22],
        "accomplishment": [4, 7, 9, 12, 17, 18, 19, 21],
    }
    assert sorted(number for key in keys.values() for number in key) == list(range(1, 23))
    ranges = {name: scale.bounds(survey.items) for name, scale in survey.scales.items()}
    assert ranges == {"exhaustion": (0, 54), "depersonalisation": (0, 30), "accomplishment": (0, 48)}


def test_my_class_claims_no_keys_it_cannot_vouch_for(shipped):
    assert len(shipped["my_class"].items) == 38
    assert shipped["my_class"].scales == {}
