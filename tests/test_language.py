"""Chinese and English."""

import re
from importlib.resources import files

import pytest

from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.language import Text, label
from htresearch.study.schema import schema


def test_chinese_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("HTRESEARCH_LANGUAGE")
    assert language.current() == "zh"


@pytest.mark.parametrize(
    ("set_to", "spoken"), [("en", "en"), ("EN_GB.UTF-8", "en"), (" zh ", "zh"), ("fr", "zh"), ("", "zh")]
)
def test_the_environment_chooses(monkeypatch, set_to, spoken):
    monkeypatch.setenv("HTRESEARCH_LANGUAGE", set_to)
    assert language.current() == spoken


def test_use_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("HTRESEARCH_LANGUAGE", "zh")
    language.use("en")
    assert language.current() == "en"


def test_an_unknown_language_is_refused():
    with pytest.raises(ArgumentError, match=r"language.*'fr'"):
        language.use("fr")
    assert language.current() == "zh"


def test_speaking_ends_with_its_block_even_on_an_error():
    with pytest.raises(RuntimeError), language.speaking("en"):
        assert str(Text("班", "class")) == "class"
        raise RuntimeError
    assert str(Text("班", "class")) == "班"


def test_a_text_within_a_text_is_said_in_each_language():
    said = Text("{who}有 {n} 人", "{n} {who}").format(who=Text("班主任", "head teachers"), n=3)
    assert (said.zh, said.en) == ("班主任有 3 人", "3 head teachers")


def test_labels():
    assert language.label("tier") == Text("梯队层级", "Tier")
    assert language.label("senior", within="title").zh == "高级教师"
    assert language.label("senior", within="stage").zh == "高中"
    assert language.label("training_hours_within") == Text(
        "累计培训时长（小时）：组内", "Cumulative training (hours): within groups"
    )
    assert language.label("x_between").zh == "x：组间"
    assert language.label("training_hours_between_minus_within").zh == "累计培训时长（小时）：组间减组内"
    assert language.label("my_own_column") == Text("my_own_column", "my own column")


def test_every_word_is_written_in_both_languages():
    for name, text in language.words().items():
        assert text.zh.strip(), name
        assert text.en.strip(), name
        assert not re.search("[\u3000-\u9fff\uff00-\uffef]", text.en), name


def test_listing():
    assert language.listing([Text("甲", "A"), "B", 3]) == Text("甲、B、3", "A, B, 3")
    assert language.listing([]) == Text("", "")


def test_no_word_stands_twice():
    """YAML would keep the last without a sound."""
    lines = files("htresearch").joinpath("words.yaml").read_text(encoding="utf-8").splitlines()
    names = [line.split(": [")[0] for line in lines if ": [" in line]
    assert [name for name in names if names.count(name) > 1] == []


def test_every_column_and_value_of_the_schema_has_a_label():
    known = schema()
    wanted = {(name, None) for name in known.tables}
    wanted |= {(column.name, table.name) for table in known.tables.values() for column in table.columns}
    wanted |= {(v, name) for name, values in known.vocabularies.items() for v in values if name != "grade_level"}
    assert [w for w in wanted if label(*w).zh == w[0]] == []
