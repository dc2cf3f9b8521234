"""What a table holds, and what it remembers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htresearch.disclosure import tabulate
from htresearch.disclosure.tabulate import ALL, MISSING
from htresearch.errors import ArgumentError

from .districts import pupils

FRAME = pd.DataFrame(
    {
        "student_id": ["a", "b", "c", "d", "d"],
        "teacher_id": ["t", "t", "u", "u", "u"],
        "school_id": ["s", "s", "s", "r", "r"],
        "sex": ["f", "m", "f", "f", "f"],
        "score": [1.0, 2.0, 4.0, 8.0, None],
    }
)


def cell(table, **keys):
    found = table.cells
    for key in table.keys:
        found = found[found[key] == keys.get(key, ALL)]
    (row,) = found.to_dict("records")
    return row


def test_a_person_counts_once():
    table = tabulate(FRAME, "sex")
    assert cell(table, sex="f")["estimate"] == 3
    assert cell(table)["estimate"] == 4


def test_units_are_counted():
    table = tabulate(FRAME, "school_id", "sex")
    assert {k: cell(table, school_id="s", sex="f")[k] for k in ("n_persons", "n_teachers", "n_schools")} == {
        "n_persons": 2,
        "n_teachers": 2,
        "n_schools": 1,
    }
    assert cell(table, school_id="r", sex="m")["n_persons"] == 0


@pytest.mark.parametrize(
    ("statistic", "more", "expected"),
    [
        ("sum", {}, 13),
        ("mean", {}, 13 / 3),
        ("median", {}, 4),
        ("quantile", {"q": 0.25}, 2.5),
        ("sd", {}, np.std([1, 4, 8], ddof=1)),
        ("max", {}, 8),
        ("min", {}, 1),
        ("ratio", {"second": "twice"}, 0.5),
        ("correlation", {"second": "twice"}, 1),
        ("mean", {"weight": "score"}, (1 + 16 + 64) / 13),
    ],
)
def test_statistics(statistic, more, expected):
    frame = FRAME.assign(twice=2 * FRAME["score"])
    assert cell(tabulate(frame, "sex", value="score", statistic=statistic, **more), sex="f")["estimate"] == (
        pytest.approx(expected)
    )


def test_percentages():
    flag = tabulate(FRAME.assign(high=FRAME["score"] > 3), "sex", value="high", statistic="percentage")
    assert cell(flag, sex="f")["estimate"] == pytest.approx(50)  # two of four rows: a missing score is not high
    rows = tabulate(FRAME, "school_id", "sex", statistic="percentage")
    assert cell(rows, school_id="s", sex="m")["estimate"] == pytest.approx(100 / 3)
    assert cell(rows, sex="f")["estimate"] == pytest.approx(75)
    with pytest.raises(ArgumentError):
        tabulate(FRAME, "sex", value="score", statistic="percentage")


def test_the_largest_contributions_are_remembered():
    found = cell(tabulate(FRAME, "sex", value="score", statistic="sum"), sex="f")
    assert [found[c] for c in ("total", "largest_person", "second_person", "largest_teacher", "second_teacher")] == [
        13,
        8,
        4,
        12,
        1,
    ]


def test_rows_without_a_value_are_counted():
    table = tabulate(FRAME, "sex", value="score", statistic="sum")
    assert "1 行" in table.notes()


def test_missing_keys_are_a_category():
    table = tabulate(FRAME.assign(sex=["f", None, "f", "f", "f"]), "sex")
    assert cell(table, sex=MISSING)["estimate"] == 1


def test_nested_keys_make_no_empty_cells():
    table = tabulate(pupils(), ["zone_id", "school_id"], "sex")
    assert len(table.cells) == (6 + 24 + 1) * 3
    assert (table.cells["n_persons"] > 0).all()


def test_a_class_stands_in_for_its_teacher():
    table = tabulate(pupils().drop(columns="teacher_id"), "school_id")
    assert table.teacher == "class_id"
    assert "class_id" in table.notes()


def test_counts_add_up_only_if_nobody_is_in_two_cells():
    assert tabulate(pupils(), "school_type", "sex").additive
    assert not tabulate(FRAME.assign(sex=["f", "m", "f", "f", "m"]), "sex").additive


def test_a_function_is_not_called():
    def explode(values):
        raise RuntimeError

    assert tabulate(FRAME, "sex", value="score", statistic=explode).cells["estimate"].isna().all()


def test_the_frame_is_not_changed():
    before = FRAME.copy()
    tabulate(FRAME, "sex", value="score", statistic="mean")
    pd.testing.assert_frame_equal(before, FRAME)


@pytest.mark.parametrize(
    ("args", "more"),
    [
        (("nothing",), {}),
        ((None,), {}),
        (((),), {}),
        ((3,), {}),
        ((["sex", "sex"],), {}),
        (("sex", "sex"), {}),
        (("school",), {}),
        (("sex", "n_persons"), {}),
        (("sex",), {"value": ["score"], "statistic": "mean"}),
        (("sex",), {"person": "nobody"}),
        (("sex",), {"person": None}),
        (("sex",), {"statistic": "mean"}),
        (("sex",), {"statistic": "mean", "value": "school_id"}),
        (("sex",), {"statistic": "mean", "value": "nothing"}),
        (("sex",), {"statistic": "quantile", "value": "score"}),
        (("sex",), {"statistic": "quantile", "value": "score", "q": 1}),
        (("sex",), {"statistic": "quantile", "value": "score", "q": "half"}),
        (("sex",), {"statistic": "ratio", "value": "score"}),
        (("sex",), {"statistic": "percentage"}),
        (("sex",), {"statistic": "mean", "value": "score", "weight": "minus"}),
        (("sex",), {"statistic": "mean", "value": "infinite"}),
        (("sex",), {"statistic": "median", "value": "score", "weight": "score"}),
    ],
)
def test_faults_are_named(args, more, in_both_languages):
    frame = FRAME.assign(minus=-1.0, infinite=np.inf, school="s", n_persons=1)
    with pytest.raises(ArgumentError) as error:
        tabulate(frame, *args, **more)
    assert all(in_both_languages(error.value))


@pytest.mark.parametrize("frame", [None, 3, "frame", FRAME.head(0), pd.DataFrame()])
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(ArgumentError):
        tabulate(frame, "sex")


rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2), st.sampled_from("xyz"), st.integers(-3, 9)),
    min_size=1,
    max_size=25,
)


@given(rows)
@settings(max_examples=12, deadline=None)
def test_cells_are_as_a_loop_counts_them(rows):
    frame = pd.DataFrame(rows, columns=["student_id", "teacher_id", "school_id", "key", "value"])
    table = tabulate(frame, "key", value="value", statistic="sum")
    for key in (*sorted(set(frame["key"])), ALL):
        of = [r for r in rows if key in (r[3], ALL)]
        found = cell(table, key=key)
        assert found["estimate"] == sum(r[4] for r in of)
        assert found["n_persons"] == len({r[0] for r in of})
        assert found["n_teachers"] == len({r[1] for r in of})
        sums = sorted((sum(abs(r[4]) for r in of if r[0] == p) for p in {r[0] for r in of}), reverse=True)
        assert found["largest_person"] == sums[0]
        assert found["second_person"] == (sums[1] if len(sums) > 1 else 0)
        heads = sorted((len({r[0] for r in of if r[1] == t}) for t in {r[1] for r in of}), reverse=True)
        assert found["heads_teacher"] == pytest.approx(sum(heads[:2]) / sum(heads))
