"""What gives somebody away does not get out; what does not is not refused."""

import pytest

import htresearch as ht

from .attacks import ATTACKS
from .harmless import SAFE


def asked(build):
    made = build()
    return made if isinstance(made, tuple) else (made, {})


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("rules", ["public", "public-minors"])
def test_an_attack_is_refused(name, rules):
    thing, what = asked(ATTACKS[name])
    verdicts = ht.disclosure.check(thing, rules, **what)
    assert not verdicts.passed
    assert all(reason.zh and reason.en for reason in verdicts.failures["reason"])


@pytest.mark.parametrize("name", SAFE)
def test_what_is_safe_passes(name):
    thing, what = asked(SAFE[name])
    verdicts = ht.disclosure.check(thing, "public", **what)
    assert verdicts.passed, verdicts.failures[["term", "rules"]].to_string()


def test_there_are_enough_of_both():
    assert len(ATTACKS) >= 60
    assert len(SAFE) >= 40
