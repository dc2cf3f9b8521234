"""A study that opened: its tables as frames, and what it says of tables it lacks."""

import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, MissingTableError

from . import small


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    tables = {
        name: frame for name, frame in small.sound().items() if name in ("schools", "terms", "tiers", "teachers")
    }
    return ht.open_study(small.write(tables, tmp_path_factory.mktemp("sound") / "study"))


def test_frames_have_the_schemas_columns_in_order(study):
    frame = study.frame("tiers")
    assert frame.columns.tolist() == small.COLUMNS["tiers"].split()
    assert frame["effective_on"].tolist() == [pd.Timestamp("2024-08-15")]
    assert frame["basis_score"].tolist() == [86.0]


def test_vocabularies_are_ordered_as_the_schema_orders_them(study):
    assert study.frame("tiers")["tier"].cat.categories.tolist() == ["ordinary", "backbone", "renowned", "chief"]


def test_tables_are_lazy_until_collected(study):
    lazy = study.table("schools")
    assert not isinstance(lazy, pd.DataFrame)
    assert lazy.collect("pandas").to_native()["school_id"].tolist() == ["S1", "S2"]


def test_tables_come_in_the_schemas_order(study):
    assert study.tables == ("schools", "terms", "teachers", "tiers")
    assert study.path.name == "study"


def test_unknown_and_missing_tables(study):
    with pytest.raises(ArgumentError, match="pupils"):
        study.table("pupils")
    with pytest.raises(MissingTableError) as caught:
        study.needs(["schools", "outcomes", "enrolments"])
    assert [fault.where for fault in caught.value.faults] == ["outcomes", "enrolments"]


@pytest.mark.parametrize("panel", ["student_terms", "class_terms", "teacher_shares"])
def test_a_panel_names_what_it_lacks(study, panel):
    with pytest.raises(MissingTableError, match=r"appointments|enrolments"):
        getattr(study, panel)()
