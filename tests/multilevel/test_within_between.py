"""Within and between in one call: the split written by hand, the fixed-effects estimator, new rows, lazy tables."""

import duckdb
import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, ColumnError, FormulaError, ModelError, UnsupportedError
from htresearch.multilevel import mundlak

from .dense import nested_frame

SPLIT = {"x": "school"}


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(51, schools=14)
    rng = np.random.default_rng(8)
    made["area"] = rng.choice(["town", "city"], len(made))
    made["课时 数"] = rng.normal(5, 2, len(made)) + made["school"] / 10
    made["w"] = rng.uniform(0.5, 2, len(made))
    made["x"] += made["school"] / 7
    return made


def fitted(frame, fixed, random="(1 | school)", split=SPLIT, **options):
    return ht.fit_multilevel(f"y ~ {fixed} + {random}", frame, within_between=split, **options)


@pytest.fixture(scope="module")
def fit(frame):
    return fitted(frame, "x + size")


def test_the_within_part_is_the_fixed_effects_estimator(frame):
    """With a random intercept of the groups it is least squares about the group means (Mundlak 1978)."""
    found = fitted(frame, "x").tidy().set_index("term")["estimate"]
    about = frame[["y", "x"]] - frame.groupby("school")[["y", "x"]].transform("mean")
    assert found["x_within"] == pytest.approx((about["x"] @ about["y"]) / (about["x"] @ about["x"]), rel=1e-8)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("x * area + (1 | school)", "(x_within + x_between) * area + (1 | school)"),
        ("0 + area + x + (1 + x | school)", "0 + area + x_within + x_between + (1 + x_within | school)"),
        (
            "x:area + I(size**2) + (0 + x:size || school)",
            "(x_within + x_between):area + I(size**2) + (0 + x_within:size || school)",
        ),
        ("x_within * area + x_between + (1 | school/class)", "x_within * area + x_between + (1 | school/class)"),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_it_is_the_model_written_by_hand(frame, short, long, lazy):
    table = duckdb.from_df(frame) if lazy else frame
    fit = ht.fit_multilevel(f"y ~ {short}", table, weights="w", within_between=SPLIT)
    by_hand = ht.fit_multilevel(f"y ~ {long}", mundlak(frame, ["x"], "school"), weights="w")
    ours, theirs = (f.tidy().sort_values("term", ignore_index=True) for f in (fit, by_hand))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(fit.predict(frame), by_hand.predict(mundlak(frame, ["x"], "school")), rtol=1e-6)
    assert fit.formula.random == by_hand.formula.random


def test_odd_names_and_several_columns(frame):
    split = {"课时 数": ["school", "class"], "x": "school"}
    fit = fitted(frame, "`课时 数` + x", "(1 | school/class)", split)
    assert fit.design.names == ("(Intercept)", "课时 数_within", "课时 数_between", "x_within", "x_between")
    by_class = frame.groupby(["school", "class"])["课时 数"].transform("mean")
    np.testing.assert_allclose(fit.design.X[:, 2], by_class)
    assert fit.within_between().tidy()["term"].tolist() == [
        "课时 数_between_minus_within",
        "x_between_minus_within",
    ]


@pytest.mark.parametrize("lazy", [False, True])
def test_means_are_taken_over_the_rows_used(frame, lazy):
    holes = frame.copy()
    holes.loc[[0, 5], "x"] = np.nan
    holes.loc[[1, 20], "y"] = np.nan
    holes.loc[2, "size"] = np.nan
    fit = fitted(duckdb.from_df(holes) if lazy else holes, "x + size")
    used = holes.dropna(subset=["x", "y", "size"])
    by_hand = ht.fit_multilevel("y ~ x_within + x_between + size + (1 | school)", mundlak(used, ["x"], "school"))
    values = fit.tidy().set_index("term")["estimate"]
    np.testing.assert_allclose(values[list(by_hand.design.names)], by_hand.tidy()["estimate"], rtol=1e-7)
    note = "".join(n.zh for n in fit.note)
    assert f"{len(frame)} 行中有 5 行因缺失值未用：y（2）、x（2）、size（1）" in note and note.count("未用") == 1
    assert "x 按 school 拆成两部分" in note


def test_within_against_between_is_one_call(fit):
    found = fit.within_between("kenward-roger", 0.9).tidy()
    by_hand = fit.contrast({"x_between_minus_within": {"x_between": 1, "x_within": -1}}, "kenward-roger", 0.9).tidy()
    pd.testing.assert_frame_equal(found, by_hand)
    beta = fit.tidy().set_index("term")["estimate"]
    assert found["estimate"][0] == pytest.approx(beta["x_between"] - beta["x_within"])


def test_the_test_is_that_of_the_column_beside_its_mean(frame, fit):
    """In y ~ x + mean, the coefficient of the mean is the difference (Mundlak's form of Hausman's test)."""
    other = ht.fit_multilevel("y ~ x + x_between + size + (1 | school)", mundlak(frame, ["x"], "school"))
    row = other.tidy().set_index("term").loc["x_between"]
    found = fit.within_between().tidy().loc[0]
    for column in ("estimate", "std_error", "df", "p_value"):
        assert found[column] == pytest.approx(row[column], rel=1e-6)


def test_new_rows(frame, fit):
    means = frame.groupby("school")["x"].mean()
    beta = fit.tidy().set_index("term")["estimate"]
    new = pd.DataFrame({"school": [0, 0, 99, 99, None], "x": [1.0, 2.0, 1.0, 3.0, 1.0], "size": 30.0})
    between = np.array([means[0], means[0], 2.0, 2.0, np.nan])  # a school not seen has the mean of its new rows
    expected = beta["(Intercept)"] + 30 * beta["size"]
    expected += beta["x_within"] * (new["x"] - between) + beta["x_between"] * between
    np.testing.assert_allclose(fit.predict(new, random=False), expected)
    given = new.assign(x_between=[1.0, 2.0, 3.0, 4.0, 5.0])
    expected = beta["(Intercept)"] + 30 * beta["size"] + beta["x_within"] * (new["x"] - given["x_between"])
    np.testing.assert_allclose(fit.predict(given, random=False), expected + beta["x_between"] * given["x_between"])
    np.testing.assert_allclose(fit.predict(frame), frame["y"] - fit.residuals())
    with pytest.raises(ColumnError, match="没有“school”这一列"):
        fit.predict(new.drop(columns="school"), random=False)


def test_a_model_read_again_knows_the_means(frame, fit, tmp_path):
    again = ht.load_fit(fit.save(tmp_path / "a"))
    np.testing.assert_allclose(again.predict(frame), fit.predict(frame), rtol=1e-12)
    pd.testing.assert_frame_equal(again.within_between("cr2").tidy(), fit.within_between("cr2").tidy())
    nameless = ht.load_fit(fit.save(tmp_path / "b", groups=False))
    with pytest.raises(ColumnError, match="须有 x_between 一列"):
        nameless.predict(frame, random=False)
    given = frame.assign(x_between=frame.groupby("school")["x"].transform("mean"))
    np.testing.assert_allclose(nameless.predict(given, random=False), fit.predict(frame, random=False), rtol=1e-12)


def test_a_column_without_a_within_part_is_named(frame):
    fit = fitted(frame.assign(x=frame["school"] % 5 * 1.0), "x")
    assert fit.design.names == ("(Intercept)", "x_between") and any("x_within" in n.en for n in fit.note[2:])


@pytest.mark.parametrize(
    ("options", "error", "zh", "en"),
    [
        ({"fixed": "x + area", "split": {"area": "school"}}, ColumnError, "area：不是数值列", "not numeric"),
        ({"fixed": "size"}, ColumnError, "公式中没有这一列", "does not name it"),
        ({"fixed": "log(x) + x"}, FormulaError, "log(x)", "cannot stand in a function"),
        ({"fixed": "{x * size}"}, FormulaError, "x * size", "Make the piece a column"),
        ({"fixed": "x", "random": "(1 + exp(x) | school)"}, FormulaError, "exp(x)", "cannot stand in a function"),
        ({"fixed": "x", "split": {"x": "scool"}}, ColumnError, "是否想写 school", "Did you mean school"),
        ({"fixed": "x", "split": {"x": "x"}, "random": "(1 | g)"}, ColumnError, "没有“g”这一列", "no column 'g'"),
        ({"fixed": "x", "split": "school"}, ArgumentError, "须为“列名：分组列”", "must be the group"),
        ({"fixed": "x", "split": {}}, ArgumentError, "{'hours': 'teacher_id'}", "leave it out"),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_what_cannot_be_split_is_refused(frame, options, error, zh, en, lazy, in_both_languages):
    with pytest.raises(error) as caught:
        fitted(duckdb.from_df(frame) if lazy else frame, **options)
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese and en in english


def test_a_name_that_is_taken_is_refused(frame, fit):
    with pytest.raises(ColumnError, match="已有名为 x_between 的列"):
        fitted(frame.assign(x_between=0.0), "x")
    with pytest.raises(UnsupportedError, match="within_between="):
        ht.fit_multilevel("y ~ x + (1 | school)", frame).within_between()
    with pytest.raises(ModelError, match="没有一行"):
        fitted(frame.assign(x=np.nan), "x")
