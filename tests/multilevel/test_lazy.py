"""The same model of a frame and of lazy tables: same sums, same results, rows never in memory."""

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ColumnError, FormulaError, ModelError, UnsupportedError
from htresearch.multilevel.formula import parse_formula
from htresearch.multilevel.lazy import lazy_design

from .dense import nested_frame


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(21, schools=12)
    rng = np.random.default_rng(5)
    made["tier"] = rng.choice(["none", "backbone", "senior"], len(made))
    made["area"] = rng.choice(["town", "city"], len(made))
    made["grade"] = rng.integers(1, 4, len(made))
    made["w"] = rng.uniform(0.5, 2, len(made))
    made["on"] = rng.random(len(made)) < 0.5
    made["班级 人数"] = rng.normal(40, 5, len(made))
    return made


LAZY = {
    "duckdb": duckdb.from_df,
    "narwhals": lambda frame: nw.from_native(frame).lazy(),
}

FORMULAS = [
    "y ~ x + size + (1 | school/class)",
    "y ~ scale(x) * area + C(grade, contr.poly) + size + (1 | school/class)",
    "y ~ 0 + tier + center(x) + I(x**2) + (1 | school)",
    "y ~ log(x) + {x * size} + tier:area + on + (1 + x | school) + (1 | school:class)",
    "y ~ x + `班级 人数` + (0 + size | school) + (x || class:school)",
    "log(y) ~ x + (1 + area | school)",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("engine", LAZY)
def test_a_lazy_table_gives_the_frames_results(frame, formula, engine):
    ours = ht.fit_multilevel(formula, frame)
    lazy = ht.fit_multilevel(formula, LAZY[engine](frame))
    assert lazy.criterion == pytest.approx(ours.criterion, abs=1e-6)
    assert lazy.design.names == ours.design.names
    for inference in ("satterthwaite", "kenward-roger", "cr2"):
        left, right = (fit.tidy(inference).set_index("term") for fit in (lazy, ours))
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)
    pd.testing.assert_frame_equal(lazy.variance_components, ours.variance_components, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(lazy.predict(frame), ours.predict(frame), rtol=1e-6)
    np.testing.assert_allclose(lazy.r_squared(), ours.r_squared(), rtol=1e-6)
    level = ours.design.levels[-1].columns[-1]
    np.testing.assert_allclose(
        lazy.random_effects(level)["estimate"], ours.random_effects(level)["estimate"], atol=1e-6
    )


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("weights", [None, "w"])
def test_the_two_producers_agree_to_ten_digits(frame, formula, weights):
    ours = ht.fit_multilevel(formula, frame, weights=weights).solution.products
    lazy = lazy_design(parse_formula(formula), duckdb.from_df(frame), weights)[1]
    np.testing.assert_array_equal(lazy.keys, ours.keys)
    a, b = ours.total.sum(axis=0), lazy.total.sum(axis=0)
    scale = np.sqrt(np.diag(a))
    assert np.abs(a - b).max(where=np.outer(scale, scale) > 0, initial=0) <= 1e-10 * np.outer(scale, scale).max()
    assert (np.abs(a - b) <= 1e-10 * np.outer(scale, scale)).all()
    np.testing.assert_allclose(lazy.gram, ours.gram, rtol=1e-9, atol=1e-9)


def test_parts_add_up(frame):
    whole = ht.fit_multilevel("y ~ x + (1 + x | school/class)", frame)
    products = whole.solution.products
    from htresearch.multilevel.crossproducts import from_rows

    half = np.arange(len(frame)) % 2 == 0
    design = whole.design
    parts = [
        from_rows(
            np.column_stack([design.X, design.y])[rows],
            design.random.U[rows],
            tuple(level.codes[rows] for level in design.levels),
            products.columns,
            products.random,
            centre=products.centre,
            random_centre=products.random_centre,
        )
        for rows in (half, ~half)
    ]
    both = parts[0] + parts[1]
    assert both.n == products.n
    np.testing.assert_array_equal(both.keys, products.keys)
    np.testing.assert_allclose(both.gram, products.gram, atol=1e-9)
    np.testing.assert_allclose(both.cross, products.cross, atol=1e-9)
    np.testing.assert_allclose(both.within, products.within, atol=1e-7)


def test_parts_of_different_models_do_not_add_up(frame, in_both_languages):
    a, b = (ht.fit_multilevel(f"y ~ {x} + (1 | school)", frame).solution.products for x in ("x", "size"))
    with pytest.raises(ht.errors.ArgumentError) as caught:
        a + b
    chinese, english = in_both_languages(caught.value)
    assert "不能相加" in chinese and "differ in columns" in english


def test_missing_rows_and_people_are_counted(frame):
    holes = frame.rename(columns={"school": "school_id"}).assign(student_id=range(len(frame)))
    holes.loc[[0, 1], "x"] = np.nan
    holes.loc[2, "y"] = np.nan
    ours = ht.fit_multilevel("y ~ x + (1 | school_id)", holes)
    lazy = ht.fit_multilevel("y ~ x + (1 | school_id)", duckdb.from_df(holes))
    assert [str(n) for n in lazy.note] == [str(n) for n in ours.note]
    assert lazy.tidy()[["n_students", "n_schools"]].equals(ours.tidy()[["n_students", "n_schools"]])


def test_columns_that_determine_one_another_are_dropped_and_named(frame):
    lazy = ht.fit_multilevel(
        "y ~ x + twice + size + (1 | school)", duckdb.from_df(frame.assign(twice=2 * frame["x"] + 1))
    )
    assert lazy.design.names == ("(Intercept)", "x", "size")
    assert "twice" in lazy.note[1].en


def test_what_needs_rows_says_so(frame, in_both_languages):
    lazy = ht.fit_multilevel("y ~ x + (1 | school/class)", duckdb.from_df(frame))
    for ask in (lazy.residuals, lambda: lazy.influence("class"), lambda: lazy.tidy("containment")):
        with pytest.raises(UnsupportedError) as caught:
            ask()
        chinese, english = in_both_languages(caught.value)
        assert "惰性表" in chinese and "lazy table" in english


@pytest.mark.parametrize(
    ("formula", "error", "zh", "en"),
    [
        ("y ~ poly(x, 2) + (1 | school)", UnsupportedError, "惰性表中无法计算", "cannot be computed in a lazy table"),
        ("y ~ xx + (1 | school)", ColumnError, "没有“xx”", "no column 'xx'"),
        ("tier ~ x + (1 | school)", ModelError, "不是数值", "not a number"),
        ("y ~ x** + (1 | school)", FormulaError, "无法计算", "cannot be evaluated"),
        ("y ~ log(zero) + (1 | school)", ModelError, "不是有限的数", "not finite"),
        ("zero ~ x + (1 | school)", ModelError, "没有差异", "does not vary"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_what_cannot_be_done_is_said(frame, formula, error, zh, en, in_both_languages):
    with pytest.raises(error) as caught:
        ht.fit_multilevel(formula, nw.from_native(frame.assign(zero=0.0)).lazy())
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese and en in english


def test_unseen_categories_are_refused(frame, in_both_languages):
    lazy = ht.fit_multilevel("y ~ tier + (1 | school)", duckdb.from_df(frame))
    with pytest.raises(ModelError) as caught:
        lazy.predict(frame.assign(tier="expert"))
    chinese, english = in_both_languages(caught.value)
    assert "拟合时没有的类别" in chinese and "not fitted to" in english


def test_parquet_is_read_by_duckdb(frame, tmp_path):
    path = tmp_path / "pupils.parquet"
    frame.to_parquet(path)
    lazy = ht.fit_multilevel("y ~ x + (1 | school/class)", duckdb.read_parquet(str(path)))
    assert lazy.criterion == pytest.approx(ht.fit_multilevel("y ~ x + (1 | school/class)", frame).criterion, abs=1e-7)
