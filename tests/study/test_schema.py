"""The schema is whole: types exist, references lead somewhere, every name has a label in both languages."""

import pytest

from htresearch import language
from htresearch.language import Text
from htresearch.study.schema import TYPES, schema

from . import small

TABLES = schema().tables.values()


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_keys_and_references_exist(table):
    known = schema()
    assert set(table.key) <= set(table.names)
    assert {c for pair in table.order for c in pair} <= set(table.names)
    for column in table.columns:
        assert column.type in TYPES or column.type in known.vocabularies
        assert (column.vocabulary is None) == (column.type in TYPES)
        if column.refers_to:
            assert len(known.tables[column.refers_to].key) == 1
    for other, columns in table.references.items():
        assert known.tables[other].key == columns


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_everything_has_a_label(table):
    words, known = language.words(), schema()
    for column in table.columns:
        assert column.name in words or f"{table.name}.{column.name}" in words
        for value in known.vocabularies.get(column.type, ()):
            assert value in words or f"{column.type}.{value}" in words or column.type == "grade_level", (
                column,
                value,
            )


def test_every_vocabulary_is_used():
    assert {c.vocabulary for table in TABLES for c in table.columns} - {None} == set(schema().vocabularies)


def test_foreign_keys_are_told_from_names():
    tables = schema().tables
    assert tables["classes"]["school_id"].refers_to == "schools"
    assert tables["schools"]["school_id"].refers_to is None
    assert tables["studios"]["lead_teacher_id"].refers_to == "teachers"


def test_the_schema_is_the_specification():
    """The columns that the tests write are the columns of the schema."""
    tables = schema().tables
    for name, columns in small.COLUMNS.items():
        assert tables[name].names == tuple(columns.split())


def test_vocabularies_grow_and_tables_do_not():
    grown = schema().extend({"tier": {"star": Text("星级", "Star"), "chief": Text("再", "again")}})
    assert grown.vocabularies["tier"] == ("ordinary", "backbone", "renowned", "chief", "star")
    assert str(grown.label("star", "tier")) == "星级"
    assert grown.tables is schema().tables
    assert "star" not in schema().vocabularies["tier"]
