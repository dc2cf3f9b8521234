import numpy as np
import pytest
from scipy import stats

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.multilevel.inference import containment_df
from htresearch.result import TIDY

from .dense import nested_frame


@pytest.fixture(scope="module")
def fit():
    frame = nested_frame(11, schools=12)
    frame["load"] = frame.groupby(["school", "class"])["x"].transform("mean")
    return ht.fit_multilevel("y ~ x + size + load + (1 | school/class)", frame)


def test_each_coefficient_belongs_to_the_outermost_level_where_it_is_constant(fit):
    schools, classes = (level.size for level in fit.design.levels)
    df = dict(zip(fit.design.names, fit.tidy("containment")["df"], strict=True))
    assert df == {
        "(Intercept)": schools - 2,
        "size": schools - 2,
        "load": classes - schools - 1,
        "x": fit.design.n - classes - 1,
    }


def test_without_an_intercept_one_more_is_left():
    frame = nested_frame(11, schools=12)
    fit = ht.fit_multilevel("y ~ 0 + size + x + (1 | school)", frame)
    assert fit.tidy("containment")["df"].tolist() == [11, fit.design.n - 12 - 1]


def test_tests_and_intervals_are_those_of_t(fit):
    frame = fit.tidy(conf_level=0.9)
    assert tuple(frame.columns) == TIDY[:8]
    np.testing.assert_allclose(frame["statistic"], frame["estimate"] / frame["std_error"])
    np.testing.assert_allclose(frame["p_value"], 2 * stats.t.sf(abs(frame["statistic"]), frame["df"]))
    low, high = stats.t.interval(0.9, frame["df"], frame["estimate"], frame["std_error"])
    np.testing.assert_allclose(frame["conf_low"], low)
    np.testing.assert_allclose(frame["conf_high"], high)


def test_where_no_degrees_are_left_nothing_is_claimed():
    frame = nested_frame(3, schools=2)
    fit = ht.fit_multilevel("y ~ x + size + (1 | school)", frame)
    estimates = fit.estimates("containment")
    assert estimates.tidy()[["df", "p_value", "conf_low"]].iloc[[0, 2]].isna().all(axis=None)
    assert "(Intercept), size" in estimates.note[-1].en and "没有剩余自由度" in estimates.note[-1].zh


def test_the_rule_and_its_source_are_said(fit):
    note = fit.estimates("containment").note[-1]
    for text in (note.zh, note.en):
        assert "10.1007/b98882" in text and "nlme" in text
    assert "截距" in note.zh and "intercept" in note.en


def test_unknown_inference_and_level_are_refused(fit, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        fit.tidy(inference="bayes")
    chinese, english = in_both_languages(caught.value)
    assert "参数 inference" in chinese and "Argument inference" in english
    with pytest.raises(ArgumentError) as caught:
        fit.tidy(conf_level=95)
    assert "conf_level" in in_both_languages(caught.value)[1]


def test_group_means_with_rounding_still_belong_to_their_level():
    frame = nested_frame(11, schools=12)
    codes = frame["school"].to_numpy()
    X = np.column_stack([np.ones(len(frame)), np.array([0.1, 0.3])[codes % 2] * 3 + 1e-17 * np.arange(len(frame))])

    class OneLevel:
        size = 12

    OneLevel.codes = codes
    assert containment_df(X, ("(Intercept)", "x"), (OneLevel,)).tolist() == [10, 10]
