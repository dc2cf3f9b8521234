"""Every faulty or hostile export ends in a clear message and nothing written, or in a receipt that counts all."""

import re
from pathlib import Path

import pandas as pd
import pytest

import htresearch as ht
from htresearch import intake, language
from htresearch.errors import IntakeError

from . import small_form as small
from .corpus import CORPUS, ROWS, SECRETS, said


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    return small.form(tmp_path_factory.mktemp("form"))


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return intake.Key.create(tmp_path_factory.mktemp("key") / "key")


def words(study: Path) -> str:
    """All that stands in the tables and texts of a study."""
    tables = [pd.read_parquet(path) for path in study.rglob("*.parquet")]
    cells = {str(v) for table in tables for column in table for v in table[column].unique()}
    return "\n".join([*cells, *(p.read_text("utf-8") for p in study.rglob("*.json"))])


@pytest.mark.parametrize("faulty", CORPUS, ids=lambda f: f.name)
def test_every_fault_is_said_or_counted(form, key, tmp_path, faulty, in_both_languages):
    answers = said(form)
    path, study = tmp_path / faulty.name, tmp_path / "study"
    faulty.make(path, form, answers)
    linkage, before = intake.Linkage(key), sorted(tmp_path.iterdir())

    def take_in():
        with language.speaking("en"):
            return intake.take_in(path, form, study, "2024-1", key, linkage, **dict(faulty.how))

    if faulty.refused:
        with pytest.raises(IntakeError) as caught:
            take_in()
        chinese, told = in_both_languages(caught.value)
        assert re.search(faulty.refused, told) and chinese.strip()
        assert sorted(tmp_path.iterdir()) == before and len(linkage) == 0
    else:
        receipt = take_in()
        assert receipt.rows_in - receipt.rows_kept == sum(e.count for e in receipt.exclusions) == faulty.left_out
        assert sum(f.count for f in receipt.findings) == faulty.found
        told = receipt.to_json() + receipt.to_html()
        assert "<script>" not in told
        if study.exists():
            ht.open_study(study)
            told += words(study)
        assert [secret for row in answers if (secret := row["name"]) in told] == []
    assert [secret for secret in SECRETS if secret in told] == []


def test_the_corpus_is_large_and_each_file_its_own():
    assert len({faulty.name for faulty in CORPUS}) == len(CORPUS) >= 130
    assert ROWS == 12
