"""Faulty and hostile exports: a clear message and nothing written, or a receipt that counts what was done."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch import intake, language
from htresearch.errors import IntakeError
from htresearch.intake import Key, Linkage

from . import small_form as small
from .faulty_exports import CORPUS, ROWS, said


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    return small.form(tmp_path_factory.mktemp("form"))


@pytest.mark.parametrize("faulty", CORPUS, ids=lambda f: f.name)
def test_every_fault_is_said_or_counted(form, tmp_path, faulty):
    path = tmp_path / faulty.name
    faulty.make(path, form, said(form))
    before = sorted(tmp_path.iterdir())
    with language.speaking("en"):
        if faulty.refused:
            with pytest.raises(IntakeError) as caught:
                intake.read(path, form, **dict(faulty.how))
            assert re.search(faulty.refused, str(caught.value))
            assert all(fault.fix.zh and fault.fix.en for fault in caught.value.faults)
        else:
            receipt = intake.read(path, form, **dict(faulty.how)).receipt
            assert receipt.rows_in - receipt.rows_kept == sum(e.count for e in receipt.exclusions) == faulty.left_out
            assert sum(f.count for f in receipt.findings) == faulty.found
            json.loads(receipt.to_json())
            assert "<script" not in receipt.to_html()
    assert sorted(tmp_path.iterdir()) == before


def test_the_corpus_is_large_and_each_file_its_own():
    assert len({faulty.name for faulty in CORPUS}) == len(CORPUS) >= 40
    assert ROWS == 12


def test_nothing_is_written_when_a_file_is_refused(form, tmp_path):
    key = Key.create(tmp_path / "keys" / "key.txt")
    for faulty in [f for f in CORPUS if f.refused][::4]:
        path = tmp_path / faulty.name
        faulty.make(path, form, said(form))
        linkage = Linkage(key)
        with pytest.raises(IntakeError):
            intake.take_in(path, form, tmp_path / "study", "2024-1", key, linkage)
        assert not (tmp_path / "study").exists() and len(linkage) == 0


# --- anything at all ----------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.none(),
    st.integers(-5, 60),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.text(max_size=12).filter(lambda t: "\0" not in t),
    st.sampled_from(
        ["(跳过)", "(空)", "-3", "有时", "是", "讲座┋其他〖x〗", "时间→帮手", "2024/9/1", "1:23", "A.是", "测试"]
    ),
)
HEADERS = st.one_of(
    st.sampled_from(
        [
            *small.FACTS,
            "3、您是否参加过培训？",
            "第5题(我觉得累)",
            "7、您当了几年班主任？",
            "tired",
            "years",
            "kinds_1",
            "总分",
            "1、",
        ]
    ),
    st.text(max_size=10).filter(lambda t: "\0" not in t),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HEADERS, min_size=1, max_size=8), st.data())
def test_any_table_ends_in_a_receipt_or_a_message(form, tmp_path, headers, data):
    rows = data.draw(st.lists(st.lists(CELLS, max_size=9), max_size=6))
    path = small.write(tmp_path / data.draw(st.sampled_from(["a.csv", "a.xlsx"])), [headers, *rows], "utf-8")
    without = [i for i in form.items if data.draw(st.booleans())]
    try:
        answers = intake.read(path, form, without=without, mode=data.draw(st.sampled_from([None, "text", "score"])))
    except IntakeError as error:
        assert str(error)
    else:
        assert answers.receipt.rows_kept == len(answers.frame)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_sound_export_with_any_cells_changed(form, tmp_path, data):
    rows = [
        list(row)
        for row in small.wenjuanxing(
            form, small.answers(form, 8), data.draw(st.sampled_from(["text", "number", "score"]))
        )
    ]
    for _ in range(data.draw(st.integers(0, 6))):
        i = data.draw(st.integers(0, len(rows) - 1))
        rows[i][data.draw(st.integers(0, len(rows[0]) - 1))] = data.draw(CELLS)
    path = small.write(tmp_path / data.draw(st.sampled_from(["b.csv", "b.xlsx"])), rows, "utf-8")
    try:
        answers = intake.read(path, form)
    except IntakeError as error:
        assert str(error)
    else:
        receipt = answers.receipt
        assert receipt.rows_in - receipt.rows_kept == sum(e.count for e in receipt.exclusions)
        for item in form.items.values():
            if item.type == "single":
                assert answers.frame[item.id].dropna().isin(item.values).all()


@pytest.fixture(scope="module")
def sound(form, tmp_path_factory):
    """Sound files of every kind: made once, for a file that is made twice bears two times."""
    folder, answers = tmp_path_factory.mktemp("sound"), small.answers(form, 5)
    paths = [small.write(folder / f"a.{e}", small.wenjuanxing(form, answers, "text")) for e in ("csv", "xlsx")]
    paths += [small.write_labelled(folder / f"a.{e}", form, answers) for e in ("sav", "dta")]
    return {path.suffix: path.read_bytes() for path in paths}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_sound_file_with_any_bytes_changed(form, sound, tmp_path, data):
    ending = data.draw(st.sampled_from(sorted(sound)))
    path, content = tmp_path / f"c{ending}", bytearray(sound[ending])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content)
    try:
        intake.read(path, form)
    except IntakeError as error:
        assert str(error)
