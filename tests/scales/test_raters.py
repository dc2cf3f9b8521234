"""Against psych's ICC and cohen.kappa (tests/reference/reliability.R)."""

import numpy as np
import pandas as pd
import pytest

from htresearch.errors import ArgumentError
from htresearch.scales import kappa, rater_icc

#: Shrout and Fleiss (1979), table 2.
RATINGS = pd.DataFrame(
    {"a": [9, 6, 8, 7, 10, 6], "b": [2, 1, 4, 1, 5, 2], "c": [5, 3, 6, 2, 6, 4], "d": [8, 2, 8, 6, 9, 7]}
)
PSYCH = {"ICC(1)": "ICC1", "ICC(A,1)": "ICC2", "ICC(C,1)": "ICC3", "ICC(k)": "ICC1k", "ICC(A,k)": "ICC2k"}
PSYCH["ICC(C,k)"] = "ICC3k"


def test_shrout_and_fleiss():
    """Their table 4."""
    found = rater_icc(RATINGS).tidy().set_index("term")["estimate"]
    assert found[list(PSYCH)].round(2).tolist() == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]


@pytest.mark.parametrize("number", range(7))
def test_intraclass_correlations_are_those_of_psych(bfi, reference, number):
    expected = reference["icc"][number]
    found = rater_icc(bfi.loc[:119, expected["items"]]).tidy().set_index("term")
    order = [expected["type"].index(PSYCH[term]) for term in found.index]
    for column, name in {"estimate": "icc", "statistic": "f", "df": "df1", "df2": "df2", "p_value": "p"}.items():
        assert found[column].tolist() == pytest.approx([expected[name][i] for i in order], rel=1e-8), column
    assert found["conf_low"].tolist() == pytest.approx([expected["low"][i] for i in order], abs=1e-8)
    assert found["conf_high"].tolist() == pytest.approx([expected["high"][i] for i in order], abs=1e-8)


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_is_that_of_psych_and_its_error_that_of_the_delta_method(bfi, reference, number, weights):
    expected = reference["kappa"][number]
    first, second = expected["items"]
    found = kappa(bfi.loc[:399, first], bfi.loc[:399, second], weights, categories=range(1, 7)).tidy().iloc[0]
    name = weights or "plain"
    assert found["estimate"] == pytest.approx(expected[name], abs=1e-10)
    assert found["std_error"] == pytest.approx(expected[f"{name}_error"], rel=1e-6)


def test_words_are_categories_in_the_order_given():
    first, second = ["low", "high", "middle", "low"], ["low", "middle", "middle", "middle"]
    ordered = ["low", "middle", "high"]
    words = kappa(first, second, categories=ordered).tidy()["estimate"][0]
    numbers = kappa([ordered.index(w) for w in first], [ordered.index(w) for w in second]).tidy()["estimate"][0]
    assert words == numbers


def test_perfect_agreement_is_one():
    assert kappa([1, 2, 3], [1, 2, 3]).tidy().loc[0, ["estimate", "conf_high"]].tolist() == [1, 1]


def test_cases_without_a_rating_are_counted():
    found = kappa([1, 2, 3, np.nan], [1, 2, 2, 1])
    assert found.glance()["n"][0] == 3
    assert "1 个对象" in found.notes()
    assert "1 个对象" in rater_icc(RATINGS.astype(float).where(RATINGS < 10)).notes()


def test_what_cannot_be_is_refused(in_both_languages):
    for first, second, more in (
        ([1, 2], [1, 2, 3], {}),
        ([1, 1], [1, 1], {}),
        ([1, 2, 3], [1, 2, 3], {"categories": [1, 2]}),
        ([1, np.nan], [np.nan, 1], {}),
        ([1, 2], [1, 2], {"weights": "cubic"}),
    ):
        with pytest.raises(ArgumentError) as error:
            kappa(first, second, **more)
        assert all(in_both_languages(error.value))
    with pytest.raises(ArgumentError):
        rater_icc(RATINGS[["a"]])
    with pytest.raises(ArgumentError):
        rater_icc(pd.DataFrame({"a": [1, 2, 3], "b": [2, 3, 4]}))
