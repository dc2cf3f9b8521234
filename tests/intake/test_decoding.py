"""What cells mean: choices, why there is none, and nothing by half."""

import pytest

from htresearch.instruments import Choice, Item
from htresearch.intake.decoding import REFUSED, reader
from htresearch.intake.export import plain
from htresearch.language import Text

NONE = Text("都没有", "None of these")
ITEM = Item(
    "kinds",
    "multiple",
    Text("哪些", "Which"),
    (
        Choice(1, Text("甲，乙", "A, B")),
        Choice(2, Text("丙", "C")),
        Choice(3, Text("丁(请注明)", "D (say which)")),
        Choice(-4, NONE, missing=True),
    ),
    missing={-4: NONE, -3: Text("跳过", "Skipped"), 9: Text("不清楚", "Don't know")},
)


def read(cell, mode="text", item=ITEM):
    meant = reader(item, mode)(cell, plain(cell))
    return meant.value if meant.why is None else meant.why


@pytest.mark.parametrize(
    ("cell", "mode", "meant"),
    [
        ("丙┋甲，乙", "text", "1;2"),
        ("丙;甲，乙", "text", "1;2"),
        ("甲，乙", "text", "1"),
        ("甲，乙，丙", "text", REFUSED),  # where an option holds the mark, the mark divides nothing for certain
        ("A, B┋c", "text", "1;2"),
        ("丁（请注明）〖戊〗", "text", "3"),
        ("丁(请注明)____〖戊〗", "text", "3"),
        ("丙┋丁(请注明)〖戊┋己〗", "text", "2;3"),
        ("丁(请注明)〖戊、己〗、丙", "text", "2;3"),
        ("丁〖戊〗", "text", REFUSED),
        ("都没有", "text", NONE),
        ("都没有┋丙", "text", REFUSED),
        ("2┋1", "number", "1;2"),
        ("4", "number", NONE),
        (4, "number", NONE),
        ("-4", "score", NONE),
        ("9", "score", Text("不清楚", "Don't know")),
        ("5", "number", REFUSED),
        ("2┋", "number", "2"),
        ("┋", "number", REFUSED),
        ("", "text", Text("未作答", "No answer")),
        ("(跳过)", "number", Text("跳过", "Skipped")),
        ("(空)", "score", Text("未作答", "No answer")),
    ],
)
def test_several_choices(cell, mode, meant):
    assert read(cell, mode) == meant


def test_a_number_may_be_what_says_skipped_elsewhere():
    degrees = Item("degrees", "number", Text("温度", "Temperature"), minimum=-40, maximum=50)
    assert read(-3, item=degrees) == -3
    years = Item("years", "number", Text("年数", "Years"))
    assert read(-3, item=years) == Text("跳过", "Skipped")


def test_labels_that_differ_in_case_alone_are_told_apart():
    item = Item("x", "single", Text("x", "x"), (Choice(1, Text("a", "a1")), Choice(2, Text("A", "a2"))))
    assert (read("a", item=item), read("A", item=item)) == (1, 2)
