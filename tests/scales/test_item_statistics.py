"""The check of keys; `item_statistics` is tested against psych in test_reliability."""

import numpy as np
import pandas as pd
import pytest

from htresearch.errors import ArgumentError
from htresearch.scales import item_statistics, reverse_key_check


def test_items_of_bfi_that_are_keyed_the_other_way_show(bfi):
    for scale, expected in {"A": ["A1"], "C": ["C4", "C5"], "E": ["E1", "E2"], "O": ["O2", "O5"], "N": []}.items():
        found = reverse_key_check(bfi[[f"{scale}{i}" for i in range(1, 6)]])
        table = found.tidy()
        assert table.loc[table["verdict"] == "turned", "term"].tolist() == expected
        assert found.glance()["turned"][0] == len(expected)
        for name in expected:
            assert name in found.notes()


@pytest.fixture
def answers(instrument):
    rng = np.random.default_rng(1)
    columns = {}
    for scale in instrument.scales.values():
        trait = rng.normal(size=400)
        for name, key in scale.items.items():
            columns[name] = np.clip(np.round(3 + key * trait + rng.normal(size=400)), 1, 5)
    return pd.DataFrame(columns)


def test_keys_of_an_instrument_are_used_and_an_item_turned_already_shows(answers, instrument):
    assert set(reverse_key_check(answers, instrument).tidy()["verdict"]) == {"fine"}
    answers["moral_5"] = 6 - answers["moral_5"]
    answers["support_2"] = 6 - answers["support_2"]
    table = reverse_key_check(answers, instrument).tidy()
    assert table.loc[table["verdict"] != "fine", ["term", "scale", "key"]].to_numpy().tolist() == [
        ["moral_5", "moral", -1],
        ["support_2", "support", 1],
    ]


def test_an_item_that_goes_with_nothing_is_unclear(answers, instrument):
    answers["moral_1"] = np.random.default_rng(2).integers(1, 6, 400)
    table = reverse_key_check(answers, instrument).tidy().set_index("term")
    assert table.loc["moral_1", "verdict"] == "unclear"


def test_where_half_are_turned_the_majority_cannot_be_told():
    rng = np.random.default_rng(1)
    trait = rng.normal(size=(300, 1))
    items = pd.DataFrame(trait + 0.5 * rng.normal(size=(300, 4)), columns=list("abcd"))
    items[["a", "b"]] *= -1
    assert set(reverse_key_check(items).tidy()["verdict"]) == {"unclear"}


def test_scales_that_are_not_there_are_passed_over_and_said(answers, instrument):
    found = reverse_key_check(answers.drop(columns="stay_1"), instrument)
    assert "stay" in found.notes() and "stay" not in set(found.tidy()["scale"])
    with pytest.raises(ArgumentError):
        reverse_key_check(answers[["stay_1"]], instrument)


def test_constant_items_of_all_scales_are_refused_at_once(answers, instrument, in_both_languages):
    answers[["moral_1", "stay_2"]] = 3
    with pytest.raises(ArgumentError) as error:
        reverse_key_check(answers, instrument)
    assert len(error.value.faults) == 2
    assert all("moral_1" in said and "stay_2" in said for said in in_both_languages(error.value))


def test_reversed_items_are_turned_for_correlations_only(bfi):
    items = bfi[["A1", "A2", "A3", "A4", "A5"]].dropna()
    plain = item_statistics(items.assign(A1=7 - items["A1"])).tidy().set_index("term")
    turned = item_statistics(items, reverse=["A1"]).tidy().set_index("term")
    assert turned["estimate"].tolist() == pytest.approx(plain["estimate"].tolist())
    assert turned.loc["A1", "mean"] == pytest.approx(7 - plain.loc["A1", "mean"])
    assert item_statistics(items, reverse=["A1"]).plot().get_yticklabels()[0].get_text() == "A1"
