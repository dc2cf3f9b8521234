"""What lavaan's modifiers say; each pair of texts is one model in lavaan 0.6-14, too."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ModelError


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(8)
    frame = rng.normal(size=(400, 1)) * [0.9, 0.8, 0.7, 0.6] + rng.normal(size=(400, 4)) * 0.7
    return pd.DataFrame(frame, columns=["甲", "q2", "q3", "q4"]).assign(school=np.repeat(["a", "b"], 200))


def fitted(model, answers, **more):
    fit = ht.scales.cfa(model, answers, **more)
    return fit.tidy()[["estimate", "std_error"]].to_numpy(), fit.glance()[["chi2", "df"]].to_numpy()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f =~ a*甲 + q2 + q3 + q4", "f =~ 甲 + q2 + q3 + q4"),
        ("f =~ a*甲 + a*q2 + q3 + q4", "f =~ 甲 + 1*q2 + q3 + q4"),
        ("f =~ 甲 + 2*q2 + a*q2 + a*q3 + q4", "f =~ 甲 + 2*q2 + 2*q3 + q4"),
        ("f =~ NA*甲 + a*甲 + a*q2 + q3 + q4; f ~~ 1*f", "f =~ NA*甲 + q2 + q3 + q4; f ~~ 1*f; 甲 ~~ 甲"),
        ("f =~ 甲 + start(.8)*q2 + 0.5?q3 + q4", "f =~ 甲 + q2 + q3 + q4"),
        ('f =~ 甲 + label("k")*q2 + "k"*q3 + q4', "f =~ 甲 + k*q2 + k*q3 + q4"),
    ],
)
def test_two_ways_to_write_one_model(one, other, answers):
    (values, fit), (wanted, wanted_fit) = fitted(one, answers), fitted(other, answers)
    if "NA*甲 + a*" in one:  # one equality more
        assert fit[0, 1] == wanted_fit[0, 1] + 1
        assert values[0, 0] == values[1, 0]
        return
    np.testing.assert_allclose(fit, wanted_fit, atol=1e-8)
    np.testing.assert_allclose(values, wanted, atol=1e-8)


def test_a_label_does_not_free_what_std_lv_holds(answers):
    rows = ht.scales.cfa("f =~ 甲 + q2 + q3 + q4\nf ~~ v*f", answers, std_lv=True).tidy().set_index("term")
    assert rows.loc["f ~~ f", "estimate"] == 1 and np.isnan(rows.loc["f ~~ f", "std_error"])


def test_values_and_names_by_group(answers):
    rows = ht.scales.cfa("f =~ 甲 + c(1, .8)*q2 + c(a, b)*q3 + c(d, d)*q4", answers, group="school").tidy()
    of = rows.set_index(["right", "group"])["estimate"][rows["operator"].to_numpy() == "=~"]
    assert of["q2"].tolist() == [1, 0.8]
    assert of["q3", "a"] != of["q3", "b"]
    assert of["q4", "a"] == of["q4", "b"]


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("f =~ 甲 + c(1, 2, 3)*q2 + q3 + q4", {"group": "school"}),
        ("f =~ 甲 + c(1, 2)*q2 + q3 + q4", {}),
        ("f =~ 甲 + c(1, 2)*q2 + q3 + q4", {"group": "school", "equal": "loadings"}),
        ("f =~ 甲 + c()*q2 + q3 + q4", {"group": "school"}),
        ("f =~ 甲 + NA*q2 + 1*q2 + q3 + q4", {}),
        ("f =~ 甲 + q2 + q3 + q4\nf ~~ -1*f", {}),
        ("f =~ 甲 + 1e300*q2 + q3 + q4", {}),
    ],
)
def test_what_contradicts_itself_is_refused(text, more, answers, in_both_languages):
    with pytest.raises(ModelError) as error:
        ht.scales.cfa(text, answers, **more)
    zh, en = in_both_languages(error.value)
    assert zh != en


def test_a_model_with_nothing_free_is_tested(answers):
    text = "f =~ 1*甲 + 1*q2 + 1*q3\nf ~~ .6*f\n甲 ~~ .5*甲\nq2 ~~ .5*q2\nq3 ~~ .5*q3"
    assert ht.scales.cfa(text, answers).glance()["df"].item() == 6
