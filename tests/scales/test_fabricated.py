"""Made-up answers have the alpha that was ordered, and each kind trips the check it is meant for."""

from pathlib import Path

import numpy as np
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.scales import careless, fabricated, items_of, parallel_analysis, scale_reliability


@pytest.fixture(scope="module")
def climate():
    return ht.load_instrument(Path(__file__).parents[2] / "surveys" / "class_climate.yaml")


@pytest.mark.parametrize("kind", ["one_number", "hurried", "copies"])
@pytest.mark.parametrize("wanted", [0.7, 0.9])
def test_alpha_is_as_ordered_and_answers_are_possible(climate, kind, wanted):
    made_up = fabricated(climate, 400, kind, wanted)
    found = scale_reliability(made_up, climate).tidy()
    assert found.loc[found["line"] == "cronbach_alpha", "estimate"].mean() == pytest.approx(wanted, abs=0.01)
    assert made_up.iloc[:, 2:].isin([1, 2, 3, 4, 5]).all(axis=None)
    assert made_up["respondent_id"].is_unique


def test_one_number_has_one_factor_and_nothing_else_to_see(climate):
    made_up = fabricated(climate, kind="one_number")
    assert parallel_analysis(items_of(made_up, climate)).glance()["n_factors"].item() == 1
    assert careless(made_up, climate)["flag"].mean() < 0.1


def test_hurried_answers_have_structure_and_no_time(climate):
    made_up = fabricated(climate, kind="hurried")
    assert parallel_analysis(items_of(made_up, climate)).glance()["n_factors"].item() == 5
    found = careless(made_up, climate)
    assert (found["seconds_per_item"] < 1).all()
    assert found["match"].notna().mean() < 0.02


def test_copies_are_found_by_what_they_share(climate):
    found = careless(fabricated(climate, kind="copies"), climate)
    assert (found["match"] >= 0.9).mean() > 0.95
    assert (found["seconds_per_item"] > 2).all()


def test_the_same_seed_gives_the_same_answers(climate):
    first, again, other = (fabricated(climate, 100, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not np.array_equal(first.iloc[:, 2:], other.iloc[:, 2:])


def test_refusals(climate, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        fabricated(climate, 3, "bot", 1.0)
    assert len(error.value.faults) == 3
    zh, en = in_both_languages(error.value)
    assert "one_number" in zh
    assert zh != en
    without = ht.load_instrument(Path(__file__).parents[2] / "surveys" / "my_class.yaml")
    with pytest.raises(ArgumentError, match="题号字典"):
        fabricated(without)
