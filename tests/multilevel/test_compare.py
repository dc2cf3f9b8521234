import numpy as np
import pytest
from scipy import stats

import htresearch as ht
from htresearch.errors import ModelError

from .dense import nested_frame


@pytest.fixture(scope="module")
def frame():
    return nested_frame(31, schools=12)


def fit(formula, frame, method="ml"):
    return ht.fit_multilevel(formula, frame, method=method)


def test_fixed_effects_are_compared_by_ml(frame):
    small = fit("y ~ x + (1 | school/class)", frame, "reml")
    large = fit("y ~ x + size + (1 | school/class)", frame, "reml")
    compared = large.compare(small)
    statistic = small.refit("ml").criterion - large.refit("ml").criterion
    test = compared.glance().iloc[0]
    assert test["statistic"] == pytest.approx(statistic, abs=1e-9)
    assert test["df"] == 1
    assert test["p_value"] == pytest.approx(stats.chi2.sf(statistic, 1))
    assert "ML" in compared.note[0].zh and "fitted again by maximum likelihood" in compared.note[0].en
    np.testing.assert_allclose(compared.tidy()["n_parameters"], [5, 6])
    assert compared.tidy()["model"][0] == "y ~ x + (1 | school) + (1 | school:class)"
    assert "p_value" in compared._repr_mimebundle_()["text/html"] or compared._repr_mimebundle_()["text/plain"]


def test_one_variance_is_tested_at_the_boundary(frame):
    small = fit("y ~ x + (1 | school)", frame, "reml")
    large = fit("y ~ x + (1 | school/class)", frame, "reml")
    compared = small.compare(large)
    test = compared.glance().iloc[0]
    assert test["statistic"] == pytest.approx(small.criterion - large.criterion)
    assert test["p_value"] == pytest.approx(stats.chi2.sf(test["statistic"], 1) / 2)
    assert "各半" in compared.note[-1].zh and "even mixture" in compared.note[-1].en


def test_a_variance_estimated_as_zero_has_p_one(frame):
    frame = frame.assign(y=np.where(np.arange(len(frame)) % 2, 1.0, -1.0) + frame["school"])
    small, large = fit("y ~ x + (1 | school)", frame), fit("y ~ x + (1 | school/class)", frame)
    assert large.singular
    assert small.compare(large).glance()["p_value"][0] == pytest.approx(1, abs=1e-6)


def test_variance_and_coefficient_together(frame):
    small, large = fit("y ~ x + (1 | school)", frame), fit("y ~ x + size + (1 | school/class)", frame)
    test = small.compare(large).glance().iloc[0]
    expected = (stats.chi2.sf(test["statistic"], 1) + stats.chi2.sf(test["statistic"], 2)) / 2
    assert test["df"] == 2 and test["p_value"] == pytest.approx(expected)


def test_methods_are_made_equal(frame):
    compared = fit("y ~ x + (1 | school)", frame, "reml").compare(fit("y ~ x + (1 | school/class)", frame, "ml"))
    assert "估计方法不同" in compared.note[0].zh and "methods differ" in compared.note[0].en


def test_several_variances_are_tested_conservatively():
    frame = nested_frame(3, schools=8, depth=3, deviations=(2.0, 1.0, 1.0))
    test = fit("y ~ x + (1 | school)", frame).compare(fit("y ~ x + (1 | school/class/pair)", frame))
    assert test.glance()["p_value"][0] == pytest.approx(stats.chi2.sf(test.glance()["statistic"][0], 2))
    assert "偏保守" in test.note[-1].zh and "conservative" in test.note[-1].en


def test_other_rows_are_refused(frame, in_both_languages):
    a, b = fit("y ~ x + (1 | school)", frame), fit("y ~ x + size + (1 | school)", frame.iloc[3:])
    with pytest.raises(ModelError) as caught:
        a.compare(b)
    chinese, english = in_both_languages(caught.value)
    assert "所用的行不同" in chinese and "use different rows" in english


def test_models_that_do_not_contain_one_another_are_refused(frame, in_both_languages):
    a, b = fit("y ~ x + (1 | school)", frame), fit("y ~ size + (1 | school)", frame)
    with pytest.raises(ModelError) as caught:
        a.compare(b)
    chinese, english = in_both_languages(caught.value)
    assert "不是一个包含另一个" in chinese and "neither model contains the other" in english
