"""Each type takes what it must and nothing else, in whatever dtype it comes."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from htresearch.intake.typed import read_column
from htresearch.study.schema import Column


def read(kind, values, dtype=object):
    array, misfits = read_column(pd.Series(values, dtype=dtype), Column("x", kind))
    return array.to_pylist(), {int(row) for m in misfits for row in m.rows}


DAY = date(2024, 9, 1)
TAKEN = {
    "date": [DAY, "2024-09-01", " 2024-09-01 ", datetime(2024, 9, 1), pd.Timestamp(2024, 9, 1)],
    "boolean": [True, np.True_, "true", "TRUE "],
    "integer": [7, 7.0, "7", " 7", np.int64(7), np.float32(7)],
    "number": [0.5, "0.5", ".5", "5e-1", Decimal("0.5"), np.float64(0.5)],
    "id": ["17", 17, 17.0, " 17 ", np.int32(17)],
    "text": ["17", 17, 17.0, "17\t"],
}
REFUSED = {
    "date": ["2024.9.1", "2024-9-1", "2024-02-30", "20240901", 45536, True, datetime(2024, 9, 1, 8), "epoch",
             pd.Timestamp(2024, 9, 1, tz="Asia/Shanghai")],
    "boolean": [1, 0, 1.0, "yes", "是", DAY],
    "integer": [7.5, "7.0", "seven", True, float("inf"), 10**30, "９９x", DAY],
    "number": ["86分", "1,030", "nan", "inf", float("inf"), True, DAY],
    "id": [True, 1.5, DAY, ["a"], "a\0b", "T\u200b1", "T\n1", "\ud800"],
    "text": [True, 1.5, DAY, {"a": 1}, "a\0b", "\ud800"],
}  # fmt: skip


@pytest.mark.parametrize("kind", TAKEN)
def test_what_a_type_takes(kind):
    values, wrong = read(kind, TAKEN[kind])
    assert wrong == set()
    assert values == [values[0]] * len(values)
    assert values[0] == {"date": DAY, "boolean": True, "integer": 7, "number": 0.5, "id": "17", "text": "17"}[kind]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_type_refuses(kind):
    values, wrong = read(kind, REFUSED[kind])
    assert wrong == set(range(len(REFUSED[kind])))
    assert values == [None] * len(values)


@pytest.mark.parametrize("kind", TAKEN)
def test_what_is_missing_is_missing_however_it_is_written(kind):
    assert read(kind, [None, np.nan, pd.NaT, pd.NA, "", "  "]) == ([None] * 6, set())


@pytest.mark.parametrize(
    "kind, values, dtype, expected",
    [
        ("integer", [1, None], "Int64", [1, None]),
        ("integer", [1.0, np.nan], "float64", [1, None]),
        ("number", [1, 2], "int64", [1.0, 2.0]),
        ("number", [-1.5, np.nan], "float64", [-1.5, None]),
        ("boolean", [True, None], "boolean", [True, None]),
        ("date", ["2024-09-01", None], "datetime64[ns]", [DAY, None]),
        ("date", ["2024-09-01", None], "datetime64[s]", [DAY, None]),
        ("id", ["a", "b "], "category", ["a", "b"]),
        ("id", ["a", None], "str", ["a", None]),
        ("id", [17, 18], "int64", ["17", "18"]),
    ],
)
def test_every_dtype_is_read(kind, values, dtype, expected):
    assert read(kind, values, dtype) == (expected, set())


def test_one_and_true_are_told_apart():
    assert read("integer", [1, True, 1.0]) == ([1, None, 1], {1})
    assert read("boolean", [1, True, "true"]) == ([None, True, True], {0})


def test_two_spellings_of_one_id_are_one():
    array, _ = read_column(pd.Series(["a", " a", "b"]), Column("x", "id"))
    assert array.dictionary.to_pylist() == ["a", "b"]


def test_many_different_misfits_are_all_found():
    assert len(read("number", [f"x{i}" for i in range(20_000)])[1]) == 20_000


def test_what_tells_who_somebody_is_does_not_fit_and_pseudonyms_do():
    telling = ["13800138000", "P13800138000", "370602198501011238", "G11010519491231002X", "x 13800138000"]
    harmless = ["t_1380013800012345", "t_0123456789abcdef", "P000001", "20240901", "S1-2024", "三小-1"]
    assert read("id", telling + harmless)[1] == set(range(len(telling)))
