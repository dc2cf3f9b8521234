"""What an instrument knows of itself."""

import pytest

from htresearch import instruments, language

from .written import CONTENT, content, item, save


@pytest.fixture
def small(tmp_path):
    return instruments.load_instrument(save(tmp_path, CONTENT))


def test_bounds_of_items(small):
    assert small.items["view_1"].bounds == (1, 3)
    assert small.items["years"].bounds == (0, 45)
    assert small.items["comment"].bounds is None


def test_an_item_with_one_end_has_no_bounds(tmp_path):
    changed = content()
    del item(changed, "years")["max"]
    del changed["scales"]["length"]
    assert instruments.load_instrument(save(tmp_path, changed)).items["years"].bounds is None


def test_bounds_of_scales(small):
    assert small.scales["liking"].bounds(small.items) == (1, 3)
    assert small.scales["length"].bounds(small.items) == (1, 48)


def test_a_scale_without_ends(tmp_path):
    changed = content()
    item(changed, "years").pop("max")
    changed["scales"]["length"]["items"]["years"] = 1
    small = instruments.load_instrument(save(tmp_path, changed))
    assert small.scales["length"].bounds(small.items) is None


@pytest.mark.parametrize(
    ("told", "personal"),
    [("name", True), ("phone", True), ("seat_number", True), ("school", False), ("class", False), (None, False)],
)
def test_what_says_who_somebody_is(tmp_path, told, personal):
    changed = content()
    item(changed, "name")["identifies"] = told
    if told is None:
        del item(changed, "name")["identifies"]
    assert instruments.load_instrument(save(tmp_path, changed)).items["name"].personal is personal


@pytest.mark.parametrize(
    ("status", "zh", "en"), [("draft", "尚未试测", "not piloted yet"), ("piloted", "仅经试测", "piloted only")]
)
def test_scores_are_shown_with_a_caution_until_field_data_speak(tmp_path, status, zh, en):
    (caution,) = instruments.load_instrument(save(tmp_path, content() | {"status": status})).caution
    assert "小问卷" in caution.zh
    assert zh in caution.zh
    assert en in caution.en


def test_a_validated_instrument_needs_no_caution(tmp_path):
    assert instruments.load_instrument(save(tmp_path, content() | {"status": "validated"})).caution == ()


def test_a_status_is_said_in_the_language_spoken(small):
    with language.speaking("en"):
        assert "Small survey" in str(small.caution[0])
