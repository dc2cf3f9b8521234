"""Whatever stands in the cells, the package's own errors are the only ones."""

import shutil
from contextlib import suppress
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch.errors import HTResearchError
from htresearch.intake.class_study import from_frame, read_class_study
from intake.class_study import filling

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.dates(date(1901, 1, 1), date(2150, 1, 1)),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
    st.sampled_from(
        [
            "9月1日",
            "2.30",
            "12次",
            "85%",
            "3/4",
            "第",
            "缺",
            "例",
            "改变后",
            "日期",
            "记录值",
            "=1+1",
            "１２",
            "0/0",
            "%",
        ]
    ),
)
ENTRIES = (*filling.ENTRIES, "怎样安排", "总数", "改变从哪天开始", "恢复原样从哪天开始", "单位", "记录的是")
QUICK = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return filling.filled(tmp_path_factory.mktemp("sound") / "a.xlsx")


@QUICK
@given(
    cells=st.dictionaries(st.tuples(st.sampled_from("ABCDEFGH"), st.integers(2, 28)), CELLS, max_size=8),
    entries=st.dictionaries(st.sampled_from(ENTRIES), CELLS, max_size=3),
    merged=st.none() | st.tuples(st.integers(30, 60), st.integers(1, 5)),
)
def test_cells_spoilt_at_random(sound, tmp_path, cells, entries, merged):
    form = shutil.copy(sound, tmp_path / "b.xlsx")
    filling.records(form, {f"{column}{row}": value for (column, row), value in cells.items()})
    filling.plan(form, **entries)
    if merged:
        filling.merge(form, f"B{merged[0]}:C{sum(merged)}")
    try:
        study = read_class_study(form)
    except HTResearchError as error:
        assert all(fault.rule.en and fault.fix.zh for fault in error.faults)
        return
    assert study.records["session"].tolist() == list(range(1, len(study.records) + 1))
    assert study.records["date"].is_monotonic_increasing
    again = from_frame(study.records, study.plan)
    pd.testing.assert_frame_equal(again.records, study.records)


@QUICK
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5),
    entries=st.dictionaries(
        st.sampled_from(["scale", "unit", "starts", "design", "out_of", "earliest", "start", "x"]), CELLS, max_size=3
    ),
)
def test_frames_and_plans_of_anything(rows, entries):
    plan = dict.fromkeys(("question", "watched", "counting", "unit", "before", "after"), "?")
    plan |= {"scale": "count", "improvement": "increase", "starts": ["2025-9-3"]} | entries
    with suppress(HTResearchError):
        from_frame(pd.DataFrame(rows, columns=["date", "value", "remark"], dtype=object), plan)
