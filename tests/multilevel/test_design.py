import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ColumnError, FormulaError, ModelError
from htresearch.multilevel.design import build_design, independent_columns
from htresearch.multilevel.formula import parse_formula

from .dense import nested_frame


def design(formula, frame):
    return build_design(parse_formula(formula), frame)


@pytest.fixture
def frame():
    made = nested_frame(5, schools=8)
    rng = np.random.default_rng(2)
    made["tier"] = pd.Categorical(
        rng.choice(["backbone", "none", "senior"], len(made)), ["none", "backbone", "senior", "expert"]
    )
    made["area"] = rng.choice(["town", "city"], len(made))
    return made


def test_the_base_is_the_first_category_or_the_value_sorted_first(frame):
    assert design("y ~ tier + area + x + (1 | school)", frame).names == (
        "(Intercept)",
        "tier[T.backbone]",
        "tier[T.senior]",
        "area[T.town]",
        "x",
    )


def test_a_category_that_does_not_occur_is_said(frame):
    note = design("y ~ tier + (1 | school)", frame).note[0]
    assert note.zh == "tier 的以下类别没有出现在所用的行中：expert。"
    assert note.en == "These categories of tier do not occur in the rows used: expert."


def test_missing_rows_are_left_out_and_counted_by_column(frame):
    frame.loc[[0, 1, 2], "x"] = np.nan
    frame.loc[[2, 3], "school"] = np.nan
    frame.loc[[4], "y"] = np.nan
    frame["unused"] = np.nan
    made = design("y ~ x + (1 | school)", frame)
    assert made.n == len(frame) - 5
    assert made.index.tolist() == frame.index[5:].tolist()
    note = made.note[0]
    assert note.zh == f"{len(frame)} 行中有 5 行因缺失值未用：y（1）、x（3）、school（2）；一行可以缺几列。"
    assert note.en == (
        f"5 of {len(frame)} rows were left out for missing values: y (1), x (3), school (2); "
        "one row may miss several."
    )


def test_collinear_columns_are_dropped_and_named(frame):
    frame["twice"] = 2 * frame["x"] + 1
    made = design("y ~ x + twice + size + (1 | school)", frame)
    assert made.names == ("(Intercept)", "x", "size")
    assert "twice" in made.note[0].zh and "未放入模型" in made.note[0].zh
    assert "twice" in made.note[0].en and "were left out" in made.note[0].en


def test_independent_columns_keeps_the_first_of_each():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) + 1000
    X = np.column_stack([np.ones(30), X[:, 0], X[:, 0] - 5, X[:, 1], X[:, 1] + X[:, 0], X[:, 2], np.zeros(30)])
    assert independent_columns(X).tolist() == [0, 1, 3, 5]


def test_chinese_and_spaced_names_work_everywhere(frame):
    named = frame.rename(columns={"y": "数学 成绩", "x": "专业年限", "size": "规模 (人)", "school": "学校 编号"})
    ours = ht.fit_multilevel("`数学 成绩` ~ 专业年限 + `规模 (人)` + (1 | `学校 编号`/class)", named)
    plain = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame)
    assert ours.tidy()["term"].tolist() == ["(Intercept)", "专业年限", "规模 (人)"]
    np.testing.assert_allclose(ours.tidy()["estimate"], plain.tidy()["estimate"], rtol=1e-10)
    assert ours.variance_components["group"].tolist() == ["学校 编号", "学校 编号:class", "Residual"]


def test_nullable_and_arrow_columns_are_taken(frame):
    plain = design("y ~ x + area + (1 | school)", frame)
    for backend in ("numpy_nullable", "pyarrow"):
        other = design("y ~ x + area + (1 | school)", frame.convert_dtypes(dtype_backend=backend))
        assert other.names == plain.names
        np.testing.assert_array_equal(other.X, plain.X)


def test_the_frame_is_not_changed(frame):
    before = frame.copy()
    ht.fit_multilevel("y ~ x + tier + (1 | school/class)", frame)
    pd.testing.assert_frame_equal(frame, before)


def test_every_missing_column_is_named(frame, in_both_languages):
    with pytest.raises(ColumnError) as caught:
        design("z ~ xx + tiers + (1 | school_id)", frame)
    chinese, english = in_both_languages(caught.value)
    for column in ("z", "xx", "tiers", "school_id"):
        assert f"没有“{column}”这一列" in chinese
        assert f"no column {column!r}" in english
    assert "Did you mean tier?" in english


@pytest.mark.parametrize(
    ("change", "formula", "zh", "en"),
    [
        ({"y": "优"}, "y ~ x + (1 | school)", "文字或类别", "text or a category"),
        ({"y": True}, "y ~ x + (1 | school)", "“是”“否”", "true or false"),
        ({"y": 3.0}, "y ~ x + (1 | school)", "所有取值都相同", "all its values are the same"),
        ({"x": 0.0}, "y ~ log(x) + (1 | school)", "不是有限的数", "not finite numbers"),
        ({"x": np.nan}, "y ~ x + (1 | school)", "没有一行", "no row is complete"),
        ({"y": lambda f: f["x"] * 2}, "y ~ x + (1 | school)", "没有剩余的差异", "nothing is left as residual"),
        ({"y": lambda f: f["size"]}, "y ~ x + (1 | school)", "没有剩余的差异", "nothing is left as residual"),
        ({"school": 1}, "y ~ x + (1 | school)", "只有 1 个组", "with 1 group"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_data_that_cannot_carry_a_model_are_refused_in_plain_words(change, formula, zh, en, frame, in_both_languages):
    with pytest.raises(ModelError) as caught:
        design(formula, frame.assign(**change))
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese
    assert en in english


@pytest.mark.parametrize("formula", ["y ~ foo(x) + (1 | school)", "y ~ x** + (1 | school)", "y ~ 3 + (1 | school)"])
def test_what_formulaic_cannot_read_is_a_formula_error(formula, frame, in_both_languages):
    with pytest.raises(FormulaError) as caught:
        design(formula, frame)
    chinese, english = in_both_languages(caught.value)
    assert "无法计算" in chinese and "cannot be evaluated" in english


def test_two_outcomes_are_refused(frame, in_both_languages):
    with pytest.raises(FormulaError) as caught:
        design("y + x ~ size + (1 | school)", frame)
    chinese, english = in_both_languages(caught.value)
    assert "2 列" in chinese and "2 columns" in english
