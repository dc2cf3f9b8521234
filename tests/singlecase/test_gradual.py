"""The gradual effects model: what was put in comes out, and a model without delay is a generalised linear one."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from htresearch.errors import ArgumentError
from htresearch.singlecase import gradual_effects

TERMS = ["gradual_immediate", "gradual_total", "gradual_delay"]


def grown(link, level, total, omega, n, m=None):
    """Means of n treatment occasions, total after the m-th."""
    k = np.arange(1, n + 1)
    return link(level + total * (1 - omega**k) / (1 - omega ** (m or n)))


LINKS = {
    "count": np.exp,
    "proportion": lambda x: 1 / (1 + np.exp(-x)),
    "percentage": lambda x: 100 / (1 + np.exp(-x)),
    "other": lambda x: x,
}


@pytest.mark.parametrize("scale", list(LINKS))
@pytest.mark.parametrize(("total", "omega"), [(0.8, 0.6), (-1.2, 0.3), (0.5, 0.9), (1.0, 0.0)])
def test_swan_pustejovsky_2018_model_is_recovered(scale, total, omega):
    link = LINKS[scale]
    before, after = [float(link(0.4))] * 5, grown(link, 0.4, total, omega, 12)
    found = gradual_effects(before, after, scale=scale).tidy()
    assert found["term"].tolist() == TERMS
    immediate = total * (1 - omega) / (1 - omega**12)
    assert found["estimate"].tolist() == pytest.approx([immediate, total, omega], abs=1e-4)


def test_effects_turn_with_the_direction():
    before, after = [9, 11, 10, 10], [7, 6, 5, 4, 5, 4]
    up, down = (gradual_effects(before, after, d).tidy() for d in ("increase", "decrease"))
    assert up["estimate"][:2].tolist() == pytest.approx((-down["estimate"][:2]).tolist())
    assert up["estimate"][2] == down["estimate"][2]
    assert up["std_error"].tolist() == pytest.approx(down["std_error"].tolist())


@pytest.mark.parametrize(
    ("scale", "family"),
    [("count", sm.families.Poisson()), ("proportion", sm.families.Binomial()), ("other", sm.families.Gaussian())],
)
def test_without_delay_it_is_a_generalised_linear_model(scale, family):
    """A treatment that starts at its highest: omega is 0, and the effect that of a quasi-likelihood GLM."""
    before = np.array([0.2, 0.3, 0.25, 0.2, 0.3])
    after = np.array([0.6, 0.5, 0.55, 0.5, 0.45, 0.4])
    found = gradual_effects(before, after, scale=scale)
    design = sm.add_constant(np.r_[np.zeros(5), np.ones(6)])
    model = sm.GLM(np.r_[before, after], design, family).fit(scale="X2")
    tidy = found.tidy()
    assert tidy["estimate"].tolist() == pytest.approx([model.params[1], model.params[1], 0], abs=1e-8)
    assert tidy["std_error"][:2].tolist() == pytest.approx([model.bse[1]] * 2, rel=1e-6)
    assert math.isnan(tidy["std_error"][2])
    assert found.glance()["dispersion"][0] == pytest.approx(model.scale, rel=1e-6)
    assert "取值范围的一端" in found.notes()


def test_standard_errors_are_those_of_nonlinear_least_squares():
    """With an identity link the model is a nonlinear regression, whose errors SciPy knows."""
    from scipy.optimize import curve_fit

    occasion = np.r_[np.zeros(6), np.arange(1, 13)]
    noise = np.array(
        [0.3, -0.2, 0.1, -0.4, 0.2, 0.0, 0.1, -0.3, 0.2, 0.3, -0.1, -0.2, 0.4, 0.0, -0.3, 0.2, 0.1, -0.1]
    )
    y = 5 + 4 * (1 - 0.7**occasion) / (1 - 0.7**12) + noise
    best, covariance = curve_fit(
        lambda x, a, b, w: a + b * (1 - w**x) / (1 - w**12),
        occasion,
        y,
        [5, 4, 0.5],
        bounds=([-99, -99, 0], [99, 99, 0.99]),
    )
    found = gradual_effects(y[:6], y[6:], scale="other").tidy()
    assert found["estimate"][1:].tolist() == pytest.approx(best[1:].tolist(), abs=1e-4)
    assert found["std_error"][1:].tolist() == pytest.approx(np.sqrt(np.diag(covariance))[1:].tolist(), rel=1e-3)


def test_the_total_effect_is_that_on_the_occasion_asked_for():
    before, after = [math.e] * 4, grown(np.exp, 1, 1.0, 0.7, 10)
    found = gradual_effects(before, after, occasions=3)
    assert found.tidy()["estimate"][1] == pytest.approx((1 - 0.7**3) / (1 - 0.7**10), abs=1e-4)
    assert found.glance()["occasions"][0] == 3


def test_a_gap_is_an_occasion():
    after = list(grown(np.exp, 1, 1.0, 0.7, 10))
    gaps = [*after[:3], None, *after[4:]]
    assert gradual_effects([math.e] * 4, gaps).tidy()["estimate"].tolist() == pytest.approx(
        gradual_effects([math.e] * 4, after).tidy()["estimate"].tolist(), abs=1e-4
    )


@pytest.mark.parametrize(
    ("before", "after", "scale", "said"),
    [
        ([0, 0, 0], [3, 4, 5], "count", "量尺的一端"),
        ([3, 4, 5], [0, 0, 0], "count", "量尺的一端"),
        ([100, 100, 100], [30, 40, 50], "percentage", "量尺的一端"),
        ([3], [4, 5, 6, 7], "count", "至少要有 5 次观察"),
        ([3, 4], [4, 5], "count", "至少要有 5 次观察"),
    ],
)
def test_what_has_no_estimate_is_missing_and_says_why(before, after, scale, said):
    found = gradual_effects(before, after, scale=scale)
    assert found.tidy()[["estimate", "std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    assert said in found.notes()


def test_equal_values():
    found = gradual_effects([5, 5, 5], [5, 5, 5])
    assert found.tidy()["estimate"][:2].tolist() == pytest.approx([0, 0], abs=1e-9)
    assert found.tidy()["std_error"].isna().all()


def test_options_are_refused(in_both_languages):
    with pytest.raises(ArgumentError) as error:
        gradual_effects([1, 2], [3, 4], scale="ratio", occasions=0)
    assert len(error.value.faults) == 2
    assert all(in_both_languages(error.value))
    with pytest.raises(ArgumentError):
        gradual_effects([-1, 2], [3, 4])
    assert gradual_effects([-1, 2, 0], [3, 4, 2], scale="other").tidy()["estimate"].notna().all()
