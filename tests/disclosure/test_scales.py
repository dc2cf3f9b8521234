"""Scales: how items hang together may be shown; levels, single classes and single respondents not."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.disclosure import check

from .results_data import answers

COUNTS = {"n_teachers": 12, "n_schools": 4}
MODEL = "f =~ i1 + i2 + i3 + i4 + i5"


def rated(classes: int = 20, size: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    level = np.repeat(rng.normal(3, 0.5, classes), size)
    score = np.clip(np.round(level + rng.normal(0, 0.8, classes * size)), 1, 5)
    return pd.DataFrame({"room": np.repeat(np.arange(classes), size), "climate": score})


def in_groups(small: int) -> pd.DataFrame:
    frame = answers()
    return frame.assign(g=np.where(np.arange(len(frame)) < small, "small", "large"))


ATTACKS = {
    "reliability of nine": lambda: check(ht.scales.alpha(answers().head(9))),
    "as many items as respondents": lambda: check(ht.scales.alpha(answers(14, 8))),
    "correlations of eight": lambda: check(ht.scales.correlations(answers().head(8))),
    "items of one class": lambda: check(
        ht.scales.item_statistics(answers()), counts={"n_teachers": 1, "n_schools": 1}
    ),
    "items of unknown classes": lambda: check(ht.scales.item_statistics(answers())),
    "items of one school": lambda: check(ht.scales.item_statistics(answers()), counts=COUNTS | {"n_schools": 1}),
    "an answer that few gave": lambda: check(
        ht.scales.item_statistics(answers().assign(i1=lambda f: f["i1"].where(f.index != 3, 1).clip(lower=2))),
        counts=COUNTS,
    ),
    "agreement class by class": lambda: check(ht.scales.agreement(rated(), "climate", "room"), part="groups"),
    "agreement drawn": lambda: check(ht.scales.agreement(rated(), "climate", "room"), part="plot"),
    "agreement in nine classes": lambda: check(ht.scales.agreement(rated(9), "climate", "room")),
    "the classes themselves": lambda: check(ht.scales.agreement(rated(), "climate", "room").groups),
    "a measurement model with a small group": lambda: check(
        ht.scales.cfa(MODEL, in_groups(9), group="g"), counts=COUNTS
    ),
    "means by group, whose is not said": lambda: check(ht.scales.cfa(MODEL, in_groups(150), group="g")),
    "invariance with a small group": lambda: check(ht.scales.invariance(MODEL, in_groups(9), group="g")),
    "answers beside a script": lambda: check(ht.scales.lavaan_script(MODEL, answers())),
    "answers": lambda: check(answers()),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_gets_through(name):
    assert not ATTACKS[name]().passed


SAFE = {
    "alpha": lambda: check(ht.scales.alpha(answers())),
    "omega": lambda: check(ht.scales.omega(answers())),
    "correlations": lambda: check(ht.scales.correlations(answers())),
    "polychoric": lambda: check(ht.scales.polychoric(answers())),
    "factors": lambda: check(ht.scales.efa(answers(), 1)),
    "how many factors": lambda: check(ht.scales.parallel_analysis(answers())),
    "items": lambda: check(ht.scales.item_statistics(answers()), counts=COUNTS),
    "measurement model": lambda: check(ht.scales.cfa(MODEL, answers())),
    "measurement model in groups": lambda: check(ht.scales.cfa(MODEL, in_groups(150), group="g"), counts=COUNTS),
    "invariance": lambda: check(ht.scales.invariance(MODEL, in_groups(150), group="g")),
    "agreement": lambda: check(ht.scales.agreement(rated(), "climate", "room")),
    "raters": lambda: check(ht.scales.kappa(answers()["i1"], answers()["i2"])),
}


@pytest.mark.parametrize("name", SAFE)
def test_what_is_safe_passes(name):
    verdict = SAFE[name]()
    assert verdict.passed, verdict.failures[["term", "rule", "reason"]].to_string()


def test_a_school_may_see_its_classes():
    found = ht.scales.agreement(rated(), "climate", "room")
    verdict = check(found, "internal", part="groups")
    assert verdict.passed
    assert verdict.note


def test_a_measurement_model_keeps_its_groups_sizes():
    assert ht.scales.cfa(MODEL, in_groups(120), group="g").sizes == {"small": 120, "large": 180}
