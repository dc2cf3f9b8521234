"""All scales at once are the scales one by one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.scales import alpha, fabricated, invariance, items_of, omega, scale_invariance, scale_reliability


@pytest.fixture(scope="module")
def climate():
    return ht.load_instrument(Path(__file__).parents[2] / "surveys" / "class_climate.yaml")


@pytest.fixture(scope="module")
def answers(climate):
    made_up = fabricated(climate, 300, "hurried", 0.8)
    return made_up.assign(half=np.arange(300) % 2, block=np.arange(300) // 10)


def test_reliability_is_that_of_each_scale(climate, answers):
    found = scale_reliability(answers, climate).tidy()
    for scale in climate.scales.values():
        items = items_of(answers, climate, scale.id)
        of_scale = found[found["term"] == str(scale.label)].set_index("line")
        for name, method in (("cronbach_alpha", alpha), ("omega", omega)):
            alone = method(items).tidy().iloc[0]
            for column in ("estimate", "conf_low", "conf_high"):
                assert of_scale.loc[name, column] == alone[column]


def test_who_is_left_out_is_said_by_scale(climate, answers):
    with_gap = answers.assign(order_1=answers["order_1"].where(answers.index > 4))
    assert "秩序：5 人" in scale_reliability(with_gap, climate).notes()
    assert scale_reliability(answers, climate).plot().get_legend() is not None


def test_invariance_is_that_of_each_scale(climate, answers):
    found = scale_invariance(answers, climate, "half", "block")
    assert list(found) == list(climate.scales)
    items = pd.concat([items_of(answers, climate, "load"), answers[["half", "block"]]], axis=1)
    alone = invariance("load =~ load_1 + load_2 + load_3 + load_4", items, "half", "block")
    pd.testing.assert_frame_equal(found["load"].tidy(), alone.tidy())


def test_items_of_all_scales_are_those_of_each(climate, answers):
    whole = items_of(answers, climate)
    assert whole.shape[1] == sum(len(scale.items) for scale in climate.scales.values())
    pd.testing.assert_frame_equal(
        whole[["order_1", "order_4"]], items_of(answers, climate, "order")[["order_1", "order_4"]]
    )
