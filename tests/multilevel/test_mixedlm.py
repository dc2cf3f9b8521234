import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

import htresearch as ht
from htresearch.multilevel.mixedlm import variance_ratios
from htresearch.multilevel.reml import solve

from .dense import codes_of, nested_frame


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("names", [("school",), ("school", "class"), ("school", "class", "pair")])
def test_statsmodels_ends_near_the_certified_optimum(names, reml):
    frame = nested_frame(7, schools=12, depth=3, deviations=(2.0, 1.5, 1.5)).sample(frac=1, random_state=1)
    X = np.column_stack([np.ones(len(frame)), frame["x"]])
    codes = codes_of(frame, names)
    searched = variance_ratios(X, frame["y"].to_numpy(), codes, reml)
    certified = solve(X, frame["y"].to_numpy(), codes, reml, (np.ones(len(names)),))
    np.testing.assert_allclose(searched, certified.gamma, rtol=0.02, atol=0.002)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_criterion_has_statsmodels_constants(method):
    frame = nested_frame(8, schools=15, depth=1)
    X = np.column_stack([np.ones(len(frame)), frame["x"]])
    theirs = MixedLM(frame["y"].to_numpy(), X, groups=frame["school"]).fit(reml=method == "reml")
    ours = ht.fit_multilevel("y ~ x + (1 | school)", frame, method=method)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-5)


@pytest.mark.parametrize("failure", [np.linalg.LinAlgError, ValueError])
def test_where_statsmodels_fails_the_search_starts_evenly(failure, monkeypatch):
    frame = nested_frame(8, schools=15)
    expected = ht.fit_multilevel("y ~ x + (1 | school/class)", frame)

    def fail(*args, **kwargs):
        raise failure("no way through")

    monkeypatch.setattr(MixedLM, "fit", fail)
    found = ht.fit_multilevel("y ~ x + (1 | school/class)", frame)
    assert found.converged
    assert found.criterion == pytest.approx(expected.criterion, abs=1e-9)
