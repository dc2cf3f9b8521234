import pytest

from htresearch.intake.school.plain import digits, masked, numeral, plain, spelled


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("　七年级（３）班 ", "七年级(3)班"),
        ("王\u3000静", "王静"),
        ("2024—2025", "2024-2025"),
        ("2024～2025", "2024-2025"),
        ("⑶班", "(3)班"),
        ("A\u200bB", "AB"),
        (3.0, "3"),
        (3, "3"),
        (None, ""),
    ],
)
def test_what_is_written_in_many_ways_is_one(written, meant):
    assert plain(written) == meant


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("九十九", 99),
        ("一", 1),
        ("一二", None),
        ("百", None),
        ("", None),
    ],
)
def test_numerals(text, number):
    assert numeral(text) == number


def test_years_in_chinese_digits_are_years():
    assert digits(plain("二〇二四—二〇二五学年")) == "2024-2025学年"
    assert digits("三年级一班") == "三年级一班"


def test_names_and_numbers_are_compared_as_they_are_meant():
    assert spelled("王 静") == spelled("王静　")
    assert spelled("古丽·热娜") == spelled("古丽•热娜")
    assert spelled("007") == spelled(7) == spelled(7.0)
    assert spelled(None) == ""


def test_a_masked_name_shows_its_first_character_only():
    assert masked("欧阳 静") == "欧**"
    assert masked(None) == ""
