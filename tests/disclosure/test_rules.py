"""Rules and where they come from."""

import pytest

from htresearch.disclosure import PRESETS, Rules, load_rules
from htresearch.errors import ArgumentError


def test_the_presets_are_as_strict_as_they_should_be():
    public, minors, internal = (load_rules(name) for name in PRESETS)
    assert (public.threshold, public.schools, public.dominance, public.p_ratio) == (10, 3, 0.9, 0.1)
    assert (public.residual_df, public.rounding_base) == (10, 5)
    assert minors.threshold > public.threshold > internal.threshold
    assert minors.teachers > public.teachers > internal.teachers
    assert minors.quantiles == (0.25, 0.5, 0.75)
    assert not any(r.zero_cells or r.minimum_maximum for r in (public, minors))
    assert internal.mark and not public.mark


def test_nothing_said_is_public():
    assert load_rules() == load_rules("public")
    assert load_rules(load_rules("internal")).name == "internal"


def test_a_file_may_change_a_preset(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("district:\n  like: public-minors\n  threshold: 30\n", encoding="utf-8")
    rules = load_rules(path)
    assert (rules.name, rules.threshold, rules.teachers) == ("district", 30, 5)
    assert isinstance(rules, Rules)


@pytest.mark.parametrize(
    "text",
    [
        "district:\n  like: public\n  treshold: 30\n",
        "district:\n  threshold: 30\n",
        "district:\n  like: nobody\n",
        "district:\n  like: public\n  threshold: 0\n",
        "district:\n  like: public\n  threshold: many\n",
        "district:\n  like: public\n  dominance: 2\n",
        "district:\n  like: public\n  zero_cells: perhaps\n",
        "district:\n  like: public\n  quantiles: [0.5, 1.5]\n",
        "a:\n  like: public\nb:\n  like: public\n",
        "just words\n",
        "",
        "a: [\n",
    ],
)
def test_a_faulty_file_is_refused(tmp_path, text, in_both_languages):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError) as error:
        load_rules(path)
    assert all(in_both_languages(error.value))


@pytest.mark.parametrize("name", ["publik", 3, "", "no/such/file.yaml", ["public"]])
def test_an_unknown_preset_is_refused(name):
    with pytest.raises(ArgumentError):
        load_rules(name)


def test_protection_is_the_larger_of_share_and_number():
    rules = load_rules("public")
    assert rules.protection(20) == 5
    assert rules.protection(200) == pytest.approx(20)
