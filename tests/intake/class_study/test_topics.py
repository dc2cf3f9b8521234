"""What head teachers study: every topic is complete, in both languages, and asks for nobody's name."""

from dataclasses import fields

import pytest

from htresearch.errors import ArgumentError
from htresearch.identifiers import find
from htresearch.intake.class_study import topics
from htresearch.intake.class_study.study import DESIGNS, SCALES
from htresearch.intake.class_study.topics import Topic, topic
from htresearch.language import Text


def test_what_is_studied():
    assert list(topics()) == [
        "homework",
        "lateness",
        "conflicts",
        "speaking",
        "wellbeing",
        "contact",
        "reading",
        "duty",
    ]


@pytest.mark.parametrize("key", topics())
def test_a_topic_is_complete(key):
    held = topics()[key]
    texts = [getattr(held, field.name) for field in fields(Topic) if isinstance(getattr(held, field.name), Text)]
    assert len(texts) == 10
    for text in texts:
        assert text.zh and text.en and text.zh != text.en
        assert any("\u4e00" <= mark <= "\u9fff" for mark in text.zh)
        assert text.en.replace("“", "").replace("”", "").replace("…", "").isascii()
        assert not find(text.zh) and not find(text.en)
    assert held.scale in SCALES and held.design in DESIGNS and held.improvement in ("increase", "decrease")
    assert len(held.counting.zh) > 30, "somebody else must be able to count the same"


@pytest.mark.parametrize("key", topics())
def test_the_lot_leaves_records_on_both_sides(key):
    held = topics()[key]
    if held.design == "alternating":
        assert held.earliest is held.latest is None and held.records % 2 == 0
        return
    assert 5 < held.earliest < held.latest < held.records - 5
    if held.design == "AB":  # twenty possible starts: chance alone hits one in twenty
        assert held.latest - held.earliest + 1 >= 20


def test_a_topic_is_known_by_its_key_and_its_names():
    assert topic("duty") is topic("值日") is topic("Duty performance") is topic(topics()["duty"])
    with pytest.raises(ArgumentError, match=r"topic.*homework（作业按时上交）"):
        topic("home work")
