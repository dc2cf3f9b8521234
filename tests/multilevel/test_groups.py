import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ModelError, UnsupportedError
from htresearch.multilevel.formula import parse_formula
from htresearch.multilevel.groups import find_levels

from .dense import nested_frame


def levels(random, frame):
    return find_levels(parse_formula(f"y ~ {random}").random, frame)


@pytest.fixture
def frame():
    made = nested_frame(3, schools=5, depth=3, deviations=(2.0, 1.5, 1.0))
    made["class_id"] = made.groupby(["school", "class"]).ngroup()
    made["pair_id"] = made.groupby(["school", "class", "pair"]).ngroup()
    return made


@pytest.mark.parametrize(
    "random",
    [
        "(1 | school/class_id/pair_id)",
        "(1 | school) + (1 | class_id) + (1 | pair_id)",
        "(1 | pair_id) + (1 | class_id) + (1 | school)",
        "(1 | school/class_id) + (1 | pair_id)",
        "(1 | class_id:school) + (1 | school) + (1 | pair_id)",
    ],
)
def test_the_nest_is_found_whichever_way_it_is_written(random, frame):
    found = levels(random, frame)
    assert [level.name for level in found] == ["school", "school:class_id", "school:class_id:pair_id"]
    assert [level.size for level in found] == [5, frame["class_id"].nunique(), frame["pair_id"].nunique()]


def test_labels_that_repeat_make_one_group_per_school_when_written_as_nested(frame):
    found = levels("(1 | school/class)", frame)
    assert found[1].size == frame["class_id"].nunique()
    np.testing.assert_array_equal(
        found[1].labels.iloc[found[1].codes].to_numpy(), frame[["school", "class"]].to_numpy()
    )


def test_both_spellings_give_the_same_fit(frame):
    a = ht.fit_multilevel("y ~ x + (1 | school/class_id)", frame)
    b = ht.fit_multilevel("y ~ x + (1 | class_id) + (1 | school)", frame)
    pd.testing.assert_frame_equal(a.tidy(), b.tidy())
    pd.testing.assert_frame_equal(a.variance_components, b.variance_components)


def test_repeated_labels_written_as_crossed_are_refused_with_the_nested_form(frame, in_both_languages):
    with pytest.raises(UnsupportedError) as caught:
        levels("(1 | school) + (1 | class)", frame)
    chinese, english = in_both_languages(caught.value)
    assert "(1 | school/class)" in chinese and "互相交叉" in chinese and "确实交叉" in chinese
    assert "(1 | school/class)" in english and "they are crossed" in english and "keep one of the two" in english


def test_the_same_groups_twice_are_refused(frame, in_both_languages):
    frame["town"] = frame["school"].map("town {}".format)
    with pytest.raises(ModelError) as caught:
        levels("(1 | school) + (1 | town)", frame)
    chinese, english = in_both_languages(caught.value)
    assert "同样的 5 组" in chinese and "same 5 groups" in english


def test_a_single_group_is_refused(frame, in_both_languages):
    with pytest.raises(ModelError) as caught:
        levels("(1 | school)", frame[frame["school"] == 0])
    chinese, english = in_both_languages(caught.value)
    assert "只有 1 个组" in chinese and "with 1 group" in english


def test_one_row_per_group_is_refused(frame, in_both_languages):
    frame["row"] = range(len(frame))
    with pytest.raises(ModelError) as caught:
        levels("(1 | school/row)", frame)
    chinese, english = in_both_languages(caught.value)
    assert "每组只有一个观测" in chinese and "every group has one observation" in english
