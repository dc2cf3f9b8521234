"""The data package and the codebook, both made from the schema."""

import json

import pytest

from htresearch import language
from htresearch.language import Text
from htresearch.study import package
from htresearch.study.schema import schema

FILES = {"schools": "schools.parquet", "classes": "classes.csv", "tiers": "tiers.parquet"}


@pytest.fixture(scope="module")
def described():
    return package.descriptor(schema(), FILES, Text("示例", "Example"), "CC0-1.0")


def test_descriptor(described):
    assert described["title"] == "Example"
    assert described["title:zh"] == "示例"
    assert described["licenses"] == [{"name": "CC0-1.0"}]
    assert {r["name"]: r["path"] for r in described["resources"]} == FILES
    assert json.loads(json.dumps(described)) == described


def test_a_resource_has_keys_types_and_bounds(described):
    classes = next(r for r in described["resources"] if r["name"] == "classes")
    fields = {f["name"]: f for f in classes["schema"]["fields"]}
    assert classes["format"] == "csv"
    assert classes["schema"]["primaryKey"] == ["class_id"]
    assert classes["schema"]["foreignKeys"] == [
        {"fields": "school_id", "reference": {"resource": "schools", "fields": "school_id"}}
    ]
    assert fields["entry_grade"]["type"] == "integer"
    assert fields["entry_grade"]["constraints"] == {"required": True, "minimum": 1, "maximum": 12}
    assert fields["stage"]["constraints"]["enum"] == ["primary", "junior", "senior"]


def test_optional_columns_are_not_required(described):
    tiers = next(r for r in described["resources"] if r["name"] == "tiers")
    fields = {f["name"]: f for f in tiers["schema"]["fields"]}
    assert "required" not in fields["ends_on"].get("constraints", {})
    assert fields["ends_on"]["type"] == "date"


def test_what_is_written_is_read_back(tmp_path):
    added = {"tier": {"star": Text("星级", "Star")}}
    described = package.descriptor(schema().extend(added), FILES, Text("示例", "Example"))
    (tmp_path / package.DESCRIPTOR).write_text(json.dumps(described, ensure_ascii=False), "utf-8")
    read, faults = package.vocabularies(tmp_path, schema())
    assert not faults
    assert list(read["tier"]) == [*schema().vocabularies["tier"], "star"]
    assert read["tier"]["star"] == added["tier"]["star"]
    assert schema().extend(read).vocabularies == schema().extend(added).vocabularies


def test_a_full_list_decides_the_ranking():
    text = Text("级", "step")
    full = {"grade_level": dict.fromkeys(("F", "E", "D", "C", "B", "A"), text)}
    assert schema().extend(full).vocabularies["grade_level"] == ("F", "E", "D", "C", "B", "A")
    assert schema().extend({"grade_level": {"F": text}}).vocabularies["grade_level"] == ("E", "D", "C", "B", "A", "F")


def test_codebook_in_both_languages():
    chinese = package.codebook(schema(), ["tiers"])
    with language.speaking("en"):
        english = package.codebook(schema(), ["tiers"])
    assert "backbone = 骨干" in chinese
    assert "backbone = Backbone" in english
    for column in schema().tables["tiers"].names:
        assert f"| {column} |" in chinese
        assert f"| {column} |" in english
    assert chinese.count("\n") == english.count("\n")
