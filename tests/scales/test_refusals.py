"""Whatever is handed in by mistake is refused in our words: no warning leaks, no other error, no odd number."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch import scales
from htresearch.errors import HTResearchError

INSTRUMENT = ht.load_instrument(Path(__file__).parents[2] / "surveys" / "class_climate.yaml")
RNG = np.random.default_rng(3)
NAMES = [name for scale in INSTRUMENT.scales.values() for name in scale.items]
FORM = pd.DataFrame(RNG.integers(1, 6, (200, len(NAMES))), columns=NAMES).astype(float)
ITEMS = pd.DataFrame(
    np.clip(np.round(3 + RNG.normal(size=(120, 1)) + 0.7 * RNG.normal(size=(120, 5))), 1, 5), columns=list("abcde")
)
MEMBERS = ITEMS.assign(g=np.arange(120) // 10)
GAPS = {"a": ITEMS["a"].where(ITEMS.index < 60), "b": ITEMS["b"].where(ITEMS.index >= 60)}
FRAMES = {
    "nobody answered": ITEMS.assign(b=np.nan),
    "complex": ITEMS.assign(a=1j),
    "no numbers at all": ITEMS.assign(a=pd.Timestamp("2020-01-01")),
    "beyond squares": ITEMS * 1e200,
    "rounding only": ITEMS.assign(a=np.where(ITEMS.index % 2, 0.3, 0.1 + 0.2)),
    "never together": ITEMS.assign(**GAPS),
    "infinite": ITEMS.assign(a=np.where(ITEMS.index, ITEMS["a"], np.inf)),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize(
    "ask",
    [
        lambda x: scales.alpha(x, missing="pairwise"),
        lambda x: scales.polychoric(x, missing="pairwise"),
        lambda x: scales.efa(x, 1, kind="pearson", missing="pairwise"),
        scales.omega,
        scales.rater_icc,
        lambda x: scales.cfa("f =~ a + b + c + d", x),
    ],
    ids=["alpha", "polychoric", "efa", "omega", "rater_icc", "cfa"],
)
def test_answers_of_which_nothing_can_be_made(frame, ask):
    with pytest.raises(HTResearchError):
        ask(frame)


WRONG = {
    "no frame": lambda: scales.agreement(None, "a", "g"),
    "no items": lambda: scales.agreement(MEMBERS, None, "g"),
    "the group as item": lambda: scales.agreement(MEMBERS, "g", "g"),
    "an item twice": lambda: scales.agreement(MEMBERS, ["a", "a"], "g"),
    "two groups": lambda: scales.agreement(MEMBERS, "a", ["g"]),
    "infinite": lambda: scales.agreement(MEMBERS.assign(a=np.inf), "a", "g"),
    "sizes": lambda: scales.agreement(MEMBERS, "a", "g").projected("ab"),
    "no ratings": lambda: scales.kappa(None, [1]),
    "tables": lambda: scales.kappa(np.ones((2, 2)), np.ones((2, 2))),
    "a word": lambda: scales.kappa("abc", "abd"),
    "an infinite rating": lambda: scales.kappa([1, np.inf, 2], [1, 2, 2]),
    "a category twice": lambda: scales.kappa([1, 2, 2], [1, 2, 1], categories=[1, 2, 2]),
    "no groups": lambda: scales.invariance("f =~ a + b + c + d", MEMBERS, None),
    "no answers to score": lambda: ht.score(None, INSTRUMENT),
    "no instrument": lambda: ht.score(FORM, "x"),
    "no answers to look at": lambda: scales.careless(None, INSTRUMENT),
    "no form": lambda: scales.careless(FORM, None),
    "words for seconds": lambda: scales.careless(FORM.assign(duration_s="x"), INSTRUMENT),
    "cut-offs": lambda: scales.careless(FORM, INSTRUMENT, ["longstring"]),
    "no keys": lambda: scales.reverse_key_check(None, INSTRUMENT),
    "no script": lambda: scales.lavaan_script(None, MEMBERS),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_refused_in_both_languages(call, in_both_languages):
    with pytest.raises(HTResearchError) as error:
        call()
    zh, en = in_both_languages(error.value)
    assert zh != en


@pytest.mark.parametrize("frame", [FORM * np.nan, FORM * 0 + 3, FORM.assign(**{NAMES[0]: np.nan}), FORM.head(1)])
def test_careless_takes_what_is_empty_or_constant(frame):
    assert len(scales.careless(frame, INSTRUMENT)) == len(frame)


def test_a_rater_with_one_rating_agrees_by_chance():
    row = scales.kappa(["a", "b", "a"], ["a", "a", "a"]).tidy().iloc[0]
    assert row["estimate"] == 0 and np.isnan(row["p_value"])


def test_one_name_is_a_list_of_one():
    turned = ITEMS.assign(a=6 - ITEMS["a"]).rename(columns={"a": "first"})
    named = scales.alpha(turned, reverse="first").tidy()
    assert named["estimate"].item() == pytest.approx(scales.alpha(ITEMS).tidy()["estimate"].item())
    assert scales.alpha(turned, reverse=None).tidy()["estimate"].item() < named["estimate"].item()
