"""lavaan's model text. R reads each of these models (lavaan 0.6-14, lavaanify) with as many loadings as keys."""

import pytest

from htresearch import instruments, language
from htresearch.errors import ArgumentError
from htresearch.instruments import lavaan

from .written import CONTENT, SURVEYS, content, item, save


@pytest.fixture
def small(tmp_path):
    return instruments.load_instrument(save(tmp_path, CONTENT))


def test_a_factor_for_every_scale(small):
    with language.speaking("en"):
        model = lavaan.model(small)
    assert model.text == (
        "# Liking; reversed: view_2\nliking =~ view_1 + view_2\n# Length; reversed: years\nlength =~ years + view_1\n"
    )


def test_numbers_are_not_ordered_categories(small):
    assert lavaan.model(small).ordered == ("view_1", "view_2")


@pytest.mark.parametrize(("n", "ordered"), [(7, True), (8, False)])
def test_with_many_categories_answers_are_as_good_as_continuous(tmp_path, n, ordered):
    changed = content()
    changed["choices"]["agreement"] = [{"value": v, "zh": f"{v} 分", "en": f"{v} points"} for v in range(n)]
    model = lavaan.model(instruments.load_instrument(save(tmp_path, changed)), ["liking"])
    assert bool(model.ordered) is ordered
    assert ("ordered" in model.script) is ordered


def test_some_scales(small):
    assert lavaan.model(small, ["length", "length"]).text.count("=~") == 1


def test_a_label_cannot_end_the_comment_or_the_string(tmp_path):
    changed = content()
    changed["scales"]["liking"]["zh"] = "一'\n); quit("
    text = lavaan.model(instruments.load_instrument(save(tmp_path, changed)), ["liking"]).text
    assert "'" not in text
    assert len(text.splitlines()) == 2


def test_the_script(small):
    assert lavaan.model(small, ["liking"]).script == (
        "library(lavaan)\nmodel <- '\n# 喜爱；反向：view_2\nliking =~ view_1 + view_2\n'\nfit <- cfa(\n  model,\n"
        '  data = answers,\n  ordered = c(\n    "view_1", "view_2"\n  ),\n  std.lv = TRUE\n)\n'
        "summary(fit, fit.measures = TRUE, standardized = TRUE)\n"
    )


@pytest.mark.parametrize("path", sorted(SURVEYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_key_is_a_loading(path):
    instrument = instruments.load_instrument(path)
    if not instrument.scales:
        with pytest.raises(ArgumentError, match="没有量表"):
            lavaan.model(instrument)
        return
    lines = [line.split(" =~ ") for line in lavaan.model(instrument).text.splitlines() if " =~ " in line]
    assert {name: items.split(" + ") for name, items in lines} == {
        name: list(scale.items) for name, scale in instrument.scales.items()
    }


def test_unknown_scales_are_all_told(small):
    with pytest.raises(ArgumentError) as raised:
        lavaan.model(small, ["likng", "width"])
    assert len(raised.value.faults) == 2


def test_no_scale_chosen(small, tmp_path):
    changed = content()
    item(changed, "views")
    with pytest.raises(ArgumentError, match="没有量表"):
        lavaan.model(small, [])
