"""Every faulty or hostile export ends in a clear message and nothing written, or in a receipt that adds up."""

import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import htresearch as ht
from htresearch import intake
from htresearch.errors import HTResearchError

from .corpus import CORPUS, FORM, NAMES, SECRETS, book, sound

#: What a receipt must say of some of them.
EXCLUDED = {"the same serial twice": 1, "a test 1": 1, "sent twice": 1, "all the same person": 19}
REFUSED = (
    "a question is missing",
    "other wording 2",
    "no questions",
    "no header",
    "cut",
    "a bomb",
    "WPS's own",
    "empty",
)


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    path = tmp_path_factory.mktemp("form") / "little.yaml"
    path.write_text(FORM, encoding="utf-8")
    return ht.load_instrument(path)


def taken(path, form, folder):
    """Take a file in; return the receipt, or the message where it is refused."""
    key = intake.Key.create(folder / "key")
    before = state(folder / "study") if (folder / "study").exists() else {}
    try:
        linkage = intake.Linkage(key)
        return intake.take_in(
            path, form, folder / "study", "2025", key, linkage, opened_on="2025-05-12", closed_on="2025-05-25"
        )
    except HTResearchError as error:
        assert error.faults and str(error).strip()
        assert (state(folder / "study") if (folder / "study").exists() else {}) == before
        return str(error)


def words(study: Path) -> str:
    """All that stands in the tables and texts of a study."""
    tables = [pd.read_parquet(path) for path in study.rglob("*.parquet")]
    cells = {str(v) for table in tables for column in table for v in table[column].unique()}
    return "\n".join([*cells, *(p.read_text("utf-8") for p in study.rglob("*.json"))])


@pytest.mark.parametrize("kind", CORPUS)
def test_a_message_and_nothing_or_a_receipt_that_adds_up(kind, form, tmp_path):
    found = taken(CORPUS[kind](tmp_path), form, tmp_path)
    if isinstance(found, str):
        assert kind != "sound" and re.search("[。？！.?!]", found)
        return
    assert kind not in REFUSED
    assert found.rows_kept + sum(e.count for e in found.exclusions) == found.rows_in
    assert sum(e.count for e in found.exclusions) >= EXCLUDED.get(kind, 0)
    said = found.to_json() + found.to_html()
    if (tmp_path / "study").exists():
        ht.open_study(tmp_path / "study")
        said += words(tmp_path / "study")
    assert not [secret for secret in SECRETS if secret in said]
    assert not [name for name in NAMES if f"试{name}" in said]


def test_they_are_many():
    assert len(CORPUS) >= 40


def test_the_sound_one_is_taken_in_whole(form, tmp_path):
    receipt = taken(CORPUS["sound"](tmp_path), form, tmp_path)
    assert (receipt.rows_in, receipt.rows_kept) == (20, 20)
    responses = ht.open_study(tmp_path / "study").frame("responses")
    assert set(responses["item"]) == {"calm", "tired", "years", "ways"}
    assert responses["respondent_id"].nunique() == 20


cells = st.one_of(
    st.none(),
    st.integers(-10, 10**15),
    st.floats(),
    st.booleans(),
    st.text(max_size=20),
    st.dates(),
    st.sampled_from(["同意", "(跳过)", "家访┋电话", "2025/5/13 8:00", "1、您的姓名", "合计", "-3", "='x'!A1"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 14), cells), min_size=1, max_size=30))
def test_whatever_stands_in_the_cells(form, tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("fuzz")
    rows = sound()
    for row, column, value in changes:
        rows[row] += [None] * (column + 1 - len(rows[row]))
        rows[row][column] = None if isinstance(value, float) and value != value else value
    try:
        path = book(folder / "export.xlsx", rows)
    except (TypeError, ValueError):  # a value that no workbook can hold
        return
    found = taken(path, form, folder)
    if not isinstance(found, str):
        assert found.rows_kept + sum(e.count for e in found.exclusions) == found.rows_in
