import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, ColumnError, ModelError, UnsupportedError
from htresearch.multilevel import parse_formula
from htresearch.result import TIDY, Estimates

from .dense import codes_of, estimates, nested_frame


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(21, schools=10)
    made["tier"] = pd.Categorical(np.where(made["x"] > 50, "senior", "none"), ["none", "senior"])
    return made


@pytest.fixture(scope="module")
def fit(frame):
    return ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame)


@pytest.fixture(scope="module")
def dense(frame, fit):
    X = np.column_stack([np.ones(len(frame)), frame["x"], frame["size"]])
    return estimates(X, frame["y"].to_numpy(), codes_of(frame, ("school", "class")), fit.solution.gamma, True)


def test_glance_is_one_row(fit, frame):
    row = fit.glance().iloc[0].to_dict()
    assert list(row) == [
        "n",
        "n_school",
        "n_school:class",
        "method",
        "criterion",
        "log_likelihood",
        "aic",
        "bic",
        "sigma",
        "converged",
        "singular",
    ]
    assert row["n"] == len(frame) and row["n_school"] == 10
    assert row["log_likelihood"] == fit.log_likelihood == -fit.criterion / 2
    assert row["aic"] == fit.criterion + 2 * 6
    assert row["bic"] == pytest.approx(fit.criterion + 6 * np.log(len(frame)))
    assert row["converged"] and not row["singular"] and fit.gradient_norm < 1e-4


def test_people_and_schools_are_counted_where_the_frame_knows_them(frame):
    known = frame.rename(columns={"school": "school_id"}).assign(
        student_id=range(len(frame)), teacher_id=frame["class"]
    )
    known.loc[0, "y"] = np.nan
    tidy = ht.fit_multilevel("y ~ x + (1 | school_id)", known).tidy()
    assert tuple(tidy.columns) == TIDY
    assert tidy[["n_students", "n_teachers", "n_schools"]].iloc[0].tolist() == [
        len(frame) - 1,
        frame["class"].nunique(),
        10,
    ]


def test_variances_and_their_shares(fit):
    components = fit.variance_components
    assert components["group"].tolist() == ["school", "school:class", "Residual"]
    assert components["term"].tolist() == ["(Intercept)", "(Intercept)", ""]
    np.testing.assert_allclose(components["std_dev"] ** 2, components["variance"])
    total = components["variance"].sum()
    icc = fit.icc()
    np.testing.assert_allclose(icc["share"], components["variance"][:2] / total)
    np.testing.assert_allclose(icc["icc"], components["variance"].cumsum()[:2] / total)


def test_r_squared_is_nakagawas(fit, frame, dense):
    explained = np.var(dense[0][0] + dense[0][1] * frame["x"] + dense[0][2] * frame["size"], ddof=1)
    school, klass, residual = fit.variance_components["variance"]
    total = explained + school + klass + residual
    row = fit.r_squared().iloc[0]
    assert row["marginal"] == pytest.approx(explained / total)
    assert row["conditional"] == pytest.approx((total - residual) / total)


def test_random_effects_are_the_dense_blups(fit, dense):
    for k, name in enumerate(["school", "school:class"]):
        effects = fit.random_effects(name)
        np.testing.assert_allclose(effects["estimate"], dense[3][k], atol=1e-7)
        np.testing.assert_allclose(effects["std_dev"], dense[4][k], atol=1e-7)
    assert fit.random_effects("school:class").columns.tolist() == ["school", "class", "estimate", "std_dev"]
    pd.testing.assert_frame_equal(fit.random_effects("class"), fit.random_effects("school:class"))


def test_predictions_add_the_effects_and_give_new_groups_none(fit, frame, dense):
    beta, _, _, blups, _ = dense
    fixed = beta[0] + beta[1] * frame["x"] + beta[2] * frame["size"]
    school, klass = codes_of(frame, ("school", "class"))
    np.testing.assert_allclose(fit.predict(frame, random=False), fixed, rtol=1e-9)
    np.testing.assert_allclose(fit.predict(frame), fixed + blups[0][school] + blups[1][klass], rtol=1e-8)
    new = frame.iloc[:3].assign(school=[0, 0, 99], x=[50.0, np.nan, 50.0])
    new["class"] = [77, 0, 0]
    predicted = fit.predict(new)
    assert predicted.index.equals(new.index)
    assert predicted.iloc[0] == pytest.approx(
        fixed.iloc[0] + beta[1] * (50 - frame["x"].iloc[0]) + blups[0][0], rel=1e-8
    )
    assert np.isnan(predicted.iloc[1])
    assert predicted.iloc[2] == pytest.approx(fit.predict(new, random=False).iloc[2])


def test_an_empty_model_predicts_too(frame):
    fit = ht.fit_multilevel("y ~ 1 + (1 | school)", frame)
    assert fit.predict(pd.DataFrame({"school": [99, 98]})).tolist() == pytest.approx([fit.tidy()["estimate"][0]] * 2)


def test_residuals_are_what_predictions_leave(fit, frame):
    np.testing.assert_allclose(fit.residuals(), frame["y"] - fit.predict(frame), atol=1e-9)
    np.testing.assert_allclose(fit.residuals(random=False), frame["y"] - fit.predict(frame, random=False), atol=1e-9)
    assert fit.residuals().index.equals(frame.index)


def test_predicting_needs_known_columns_and_categories(frame, in_both_languages):
    fit = ht.fit_multilevel("y ~ tier + (1 | school)", frame)
    with pytest.raises(ColumnError) as caught:
        fit.predict(frame.drop(columns="tier"))
    assert "没有“tier”这一列" in in_both_languages(caught.value)[0]
    with pytest.raises(ColumnError) as caught:
        fit.predict(frame.drop(columns="school"))
    assert "no column 'school'" in in_both_languages(caught.value)[1]
    with pytest.raises(ModelError) as caught:
        fit.predict(frame.assign(tier="expert"))
    chinese, english = in_both_languages(caught.value)
    assert "拟合时没有的类别" in chinese and "expert" in chinese
    assert "a category that the model was not fitted to" in english and "expert" in english


def test_a_variance_of_zero_is_singular_and_said(in_both_languages):
    frame = nested_frame(2, schools=10, deviations=(3.0, 0.0))
    # Alternate signs within every class, so that classes differ less than chance would have it.
    frame["y"] = frame["school"] * 2.0 + np.where(np.arange(len(frame)) % 2, 1.0, -1.0) + 0.01 * frame["x"]
    fit = ht.fit_multilevel("y ~ x + (1 | school/class)", frame)
    assert fit.singular and fit.converged
    assert fit.variance_components["variance"][1] == 0
    assert (fit.random_effects("class")[["estimate", "std_dev"]] == 0).all(axis=None)
    assert "school:class 的方差估计为 0" in fit.note[-1].zh
    assert "The variance of school:class is estimated as 0" in fit.note[-1].en


def test_the_note_says_method_rows_and_groups(fit, frame):
    assert fit.note[0].zh.startswith(
        f"限制最大似然（REML）估计，{len(frame)} 行；分组由外到内：school（10）、school:class（"
    )
    assert fit.note[0].en.startswith(f"Fitted by restricted maximum likelihood (REML) to {len(frame)} rows; groups")


def test_a_fit_shows_itself_and_draws(fit):
    shown = fit._repr_mimebundle_()
    assert "10.2307/2530872" in shown["text/plain"] and "<table" in shown["text/html"]
    assert isinstance(fit.estimates(), Estimates)
    assert [label.get_text() for label in fit.plot().get_yticklabels()] == ["x", "size"]
    assert (
        repr(fit)
        == f"MultilevelFit('y ~ x + size + (1 | school) + (1 | school:class)', method='reml', n={fit.design.n})"
    )


def test_refit_gives_the_other_method_and_keeps_the_first(fit, frame):
    ml = fit.refit("ml")
    direct = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame, method="ml")
    assert ml.method == "ml" and fit.method == "reml" and fit.refit("reml") is fit
    assert ml.criterion == pytest.approx(direct.criterion, abs=1e-8)


def test_rows_in_any_order_give_the_same(fit, frame):
    other = ht.fit_multilevel("y ~ x + size + (1 | school/class)", frame.sample(frac=1, random_state=4))
    np.testing.assert_allclose(
        other.tidy().iloc[:, 1:].astype(float), fit.tidy().iloc[:, 1:].astype(float), rtol=1e-7
    )


@pytest.mark.parametrize(
    ("arguments", "error", "zh", "en"),
    [
        (
            {"formula": "y ~ x + (x | school)", "engine": "statsmodels"},
            UnsupportedError,
            "改写为 (1 | school)",
            "Write (1 | school)",
        ),
        (
            {"formula": "y ~ x + (x || school)", "engine": "statsmodels"},
            UnsupportedError,
            "只能估计随机截距",
            "random intercepts only",
        ),
        ({"weights": "x", "engine": "statsmodels"}, UnsupportedError, "不能加权", "cannot weight rows"),
        ({"method": "REML"}, ArgumentError, "可选：reml、ml", "Choose from: reml, ml"),
        ({"engine": "lme4"}, ArgumentError, "参数 engine", "Argument engine"),
        ({"frame": [1, 2]}, ArgumentError, "只接受 pandas", "must be a pandas DataFrame"),
    ],
)
def test_what_the_engine_cannot_do_is_said(arguments, error, zh, en, frame, in_both_languages):
    with pytest.raises(error) as caught:
        ht.fit_multilevel(**{"formula": "y ~ x + (1 | school)", "frame": frame, **arguments})
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese
    assert en in english


def test_lazy_tables_are_refused_with_the_way_out(frame, in_both_languages):
    import duckdb
    import narwhals as nw

    for lazy in (duckdb.from_df(frame), nw.from_native(frame).lazy()):
        with pytest.raises(UnsupportedError) as caught:
            ht.fit_multilevel("y ~ x + (1 | school)", lazy, engine="statsmodels")
        chinese, english = in_both_languages(caught.value)
        assert ".to_pandas()" in chinese and "turn the table into pandas" in english


def test_slopes_and_weights_are_refused_together(frame):
    with pytest.raises(UnsupportedError) as caught:
        ht.fit_multilevel("y ~ x + (x | school) + (0 + x | class)", frame, weights="x", engine="statsmodels")
    assert len(caught.value.faults) == 3


def test_an_unknown_level_is_refused_with_the_levels(fit, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        fit.random_effects("pupil")
    chinese, english = in_both_languages(caught.value)
    assert "school、school:class" in chinese and "school, school:class" in english


def test_the_formula_of_a_fit_is_the_one_read(fit):
    assert fit.formula == parse_formula("y ~ x + size + (1 | school/class)")
