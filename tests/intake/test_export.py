"""Headers as platforms write them."""

import pytest

from htresearch.intake.export import Heading, heading, plain, words


@pytest.mark.parametrize(
    ("header", "number", "said"),
    [
        ("1、您的性别：", 1, "您的性别"),
        ("1：您的性别", 1, "您的性别"),
        ("1.您的性别？", 1, "您的性别"),
        ("１、您的 性别", 1, "您的性别"),
        ("12、(多选题)参加过哪些【多选题】*", 12, "参加过哪些"),
        ("*3、年龄[填空题]", 3, "年龄"),
        ("第7题(我觉得累)", 7, "我觉得累"),
        ("第7题（排序能力）", 7, "排序能力"),
        ("7、(其他)", 7, "其他"),
        ("7(香蕉)", 7, "香蕉"),
        ("Q7. How old?", 7, "howold"),
        ("21.你在哪里:家里", 21, "你在哪里家里"),
        ("5、请评价—教学", 5, "请评价教学"),
        ("2024.9.1", None, "202491"),
        ("1.5倍", None, "15倍"),
        ("总分", None, "总分"),
        ("", None, ""),
        (None, None, ""),
        (3.0, None, "30"),
    ],
)
def test_headings(header, number, said):
    assert heading(header) == Heading(number, said)


def test_what_tells_questions_apart_stays():
    assert words("<5年") != words(">5年")
    assert words("A+B") != words("A-B")


@pytest.mark.parametrize(("cell", "text"), [(3.0, "3"), (3.5, "3.5"), (" Ａ 好 ", "A好"), (None, ""), (True, "True")])
def test_cells_are_compared_plainly(cell, text):
    assert plain(cell) == text
