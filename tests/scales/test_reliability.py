"""Against psych, lavaan and the papers' definitions written out in R (tests/reference/reliability.R)."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.scales import alpha, item_statistics, omega, omega_hierarchical

GROUPS = {"all": (1, 2), "men": (1,), "women": (2,)}
CASES = [(scale, group) for scale in "ACENO" for group in GROUPS]


def items(turned, scale, group):
    return turned.loc[turned["gender"].isin(GROUPS[group]), [f"{scale}{i}" for i in range(1, 6)]]


def case(values, scale, group, missing=None):
    (found,) = (
        c for c in values if (c["scale"], c["group"]) == (scale, group) and c.get("missing") in (missing, None)
    )
    return found


@pytest.mark.parametrize(("scale", "group"), CASES)
def test_alpha_and_its_intervals_are_those_of_psych_and_of_the_paper(turned, reference, scale, group):
    answers = items(turned, scale, group)
    expected = case(reference["alpha"], scale, group, "listwise")
    found = {way: alpha(answers, interval=way) for way in ("adf", "normal", "feldt")}
    row = found["adf"].tidy().iloc[0]
    glance = found["adf"].glance().iloc[0]
    assert row["estimate"] == pytest.approx(expected["alpha"], abs=1e-10)
    assert row["std_error"] == pytest.approx(expected["adf"], rel=1e-9)
    assert found["normal"].tidy()["std_error"][0] == pytest.approx(expected["normal"], rel=1e-9)
    assert found["feldt"].tidy().loc[0, ["conf_low", "conf_high"]].tolist() == pytest.approx(
        expected["feldt"], abs=1e-9
    )
    assert glance[["standardised_alpha", "average_r"]].tolist() == pytest.approx(
        [expected["standardised"], expected["average_r"]], abs=1e-10
    )
    assert glance["n"] == expected["n"]
    pairwise = case(reference["alpha"], scale, group, "pairwise")
    assert alpha(answers, missing="pairwise").tidy()["estimate"][0] == pytest.approx(pairwise["alpha"], abs=1e-10)


@pytest.mark.parametrize(("scale", "group"), CASES)
def test_omega_and_its_errors_are_those_of_lavaan(turned, reference, scale, group):
    answers = items(turned, scale, group)
    expected = case(reference["omega"], scale, group)
    normal, robust = (omega(answers, interval=way).tidy().iloc[0] for way in ("normal", "robust"))
    assert normal["estimate"] == pytest.approx(expected["omega"], abs=2e-6)  # where lavaan stops
    assert normal["std_error"] == pytest.approx(expected["normal"], rel=1e-5)
    # lavaan's MLM has n - 1 where the papers have n.
    assert robust["std_error"] == pytest.approx(expected["robust"], rel=2e-3)
    assert robust["conf_high"] - robust["estimate"] == pytest.approx(1.959964 * robust["std_error"], rel=1e-6)


def test_known_values_of_bfi(bfi):
    """Agreeableness, conscientiousness, extraversion as in the literature on psych's bfi."""
    for scale, reverse, listwise, pairwise, congeneric in (
        ("A", ["A1"], 0.70376, 0.70302, 0.71213),
        ("C", ["C4", "C5"], 0.72928, 0.72673, 0.73302),
        ("E", ["E1", "E2"], 0.76093, 0.76173, 0.76733),
    ):
        answers = bfi[[f"{scale}{i}" for i in range(1, 6)]]
        assert alpha(answers, reverse).tidy()["estimate"][0] == pytest.approx(listwise, abs=5e-6)
        assert alpha(answers, reverse, missing="pairwise").tidy()["estimate"][0] == pytest.approx(pairwise, abs=5e-6)
        assert omega(answers, reverse).tidy()["estimate"][0] == pytest.approx(congeneric, abs=5e-6)


@pytest.mark.parametrize("number", range(4))
def test_hierarchical_omega_is_that_of_psych(turned, reference, number):
    expected = reference["hierarchical"][number]
    answers = turned[[f"{s}{i}" for s in expected["scales"] for i in range(1, 6)]]
    found = omega_hierarchical(answers).tidy().set_index("term")
    assert found["estimate"].tolist() == pytest.approx([expected["hierarchical"], expected["total"]], abs=1e-4)
    assert ((found["conf_low"] < found["estimate"]) & (found["estimate"] < found["conf_high"])).all()


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
@pytest.mark.parametrize("scale", list("ACENO"))
def test_item_statistics_are_those_of_psych(turned, reference, scale, missing):
    answers = items(turned, scale, "all")
    expected = case(reference["alpha"], scale, "all", missing)
    found = item_statistics(answers.dropna() if missing == "listwise" else answers, missing=missing).tidy()
    assert found["estimate"].tolist() == pytest.approx(expected["item_rest"], abs=1e-8)
    assert found["alpha_if_dropped"].tolist() == pytest.approx(expected["alpha_if_dropped"], abs=1e-8)
    assert found["skew"].tolist() == pytest.approx(expected["skew"], abs=1e-8)
    assert found["kurtosis"].tolist() == pytest.approx(expected["kurtosis"], abs=1e-8)


def test_missing_answers_and_the_ends_of_the_form_are_counted():
    answers = pd.DataFrame({"a": [1, 2, 3, np.nan, 5, 5], "b": [2, 2, 3, 4, 4, 5], "c": [1, 3, 3, 3, 4, 5]})
    found = item_statistics(answers)
    table = found.tidy().set_index("term")
    assert table["missing"].tolist() == [1, 0, 0]
    assert table.loc["a", ["floor", "ceiling", "mean"]].tolist() == [0.2, 0.4, 3.2]
    assert "1 人" in found.notes()


def test_an_item_against_the_others_is_named(bfi):
    found = alpha(bfi[["A1", "A2", "A3", "A4", "A5"]])
    assert "A1" in found.notes()
    assert "A1" not in alpha(bfi[["A1", "A2", "A3", "A4", "A5"]], ["A1"]).notes()


def test_a_heywood_case_is_reported():
    rng = np.random.default_rng(3)
    trait = rng.normal(size=300)
    answers = pd.DataFrame({"a": trait, "b": trait + 0.05 * rng.normal(size=300), "c": rng.normal(size=300)})
    answers["c"] += 0.3 * answers["b"]
    found = omega(answers)
    assert found.glance()["heywood"][0] >= 1
    assert "Heywood" in found.notes()


def test_what_cannot_be_computed_is_refused_all_at_once(in_both_languages):
    one = pd.DataFrame({"a": [1, 2, 3, 4]})
    with pytest.raises(ArgumentError):
        alpha(one)
    constant = pd.DataFrame({"a": [1, 2, 3, 4], "b": [3, 3, 3, 3], "c": [2, 2, 2, 2]})
    with pytest.raises(ArgumentError) as error:
        alpha(constant)
    assert len(error.value.faults) == 2
    for said in in_both_languages(error.value):
        assert "b" in said and "c" in said
    with pytest.raises(ArgumentError) as error:
        alpha(constant, interval="adff", conf_level=2)
    assert len(error.value.faults) == 2
    with pytest.raises(ArgumentError):
        alpha(constant.assign(b=[1, 2, 2, 1]), missing="pairwise", interval="adf")
    with pytest.raises(ArgumentError):
        alpha(constant.assign(b=[1, 2, 2, 1]), reverse=["x"])
    with pytest.raises(ArgumentError):
        omega(pd.DataFrame({"a": [1, 2, 3, 4], "b": [1, 3, 2, 4]}))
    with pytest.raises(ArgumentError):
        omega_hierarchical(pd.DataFrame(np.random.default_rng(1).normal(size=(100, 8))).add_prefix("q"))


def test_reliability_is_recovered_and_intervals_cover():
    """A small version of benchmarks/scales.py: five answers on a known congeneric scale, all intervals."""
    rng = np.random.default_rng(5)
    loadings = np.array([0.8, 0.7, 0.6, 0.5, 0.7])
    truth = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    hits, estimates = [], []
    for _ in range(200):
        answers = rng.normal(size=(300, 1)) * loadings + rng.normal(size=(300, 5)) * np.sqrt(1 - loadings**2)
        row = omega(pd.DataFrame(answers).add_prefix("q")).tidy().iloc[0]
        estimates.append(row["estimate"])
        hits.append(row["conf_low"] < truth < row["conf_high"])
    assert np.mean(estimates) == pytest.approx(truth, rel=0.005)
    assert 0.91 < np.mean(hits) < 0.985


def test_the_plot_shows_the_interval(turned):
    ax = alpha(items(turned, "A", "all")).plot()
    assert ax.get_yticklabels()[0].get_text() == "克龙巴赫 α"
    with ht.language.speaking("en"):
        assert omega(items(turned, "A", "all")).plot().get_yticklabels()[0].get_text() == "McDonald's omega"
