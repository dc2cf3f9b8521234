"""Piecewise regression of several cases against lme4 and lmerTest."""

import numpy as np
import pandas as pd
import pytest

from htresearch.errors import ArgumentError
from htresearch.singlecase import piecewise, piecewise_multilevel


@pytest.mark.parametrize("number", range(3))
def test_estimates_are_those_of_lme4(models, number):
    expected = models["several"][number]
    random = ("level",) if expected["random"] == "level2" else ()
    found = piecewise_multilevel(pd.DataFrame(expected["data"]), time="time", random=random)
    table = found.tidy()
    assert found.fit.criterion == pytest.approx(expected["criterion"], abs=1e-8)
    assert table["estimate"].tolist() == pytest.approx(expected["estimate"], rel=1e-5)
    assert table["std_error"].tolist() == pytest.approx(expected["std_error"], rel=1e-5)
    assert table["df"].tolist() == pytest.approx(expected["df"], rel=1e-4)
    assert table["between_case_sd"].notna().tolist() == [True, False, bool(random), False]


def several(phases, n_cases=5, seed=1):
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"case": f"c{i}", "phase": list(phases), "value": rng.normal(i, 1, len(phases))})
        for i in range(n_cases)
    ]
    return pd.concat(parts, ignore_index=True)


def test_cases_of_one_shape_give_the_mean_of_their_own_regressions():
    frame = several("AAAAAABBBBBBB")
    found = piecewise_multilevel(frame, random=()).tidy()["estimate"].tolist()
    own = [piecewise(f["value"], f["phase"]).tidy()["estimate"] for _, f in frame.groupby("case")]
    assert found == pytest.approx(np.mean(own, axis=0).tolist(), abs=1e-8)


def test_reversals_have_terms_for_every_change():
    found = piecewise_multilevel(several("AAAABBBBAAAABBBB"), random=())
    assert found.tidy()["term"].tolist()[2:] == [f"{t}[{p}]" for p in ("B", "A2", "B2") for t in ("level", "slope")]


def test_ways_of_inference_and_the_figure():
    frame = several("AAAAABBBBB")
    for inference in ("kenward-roger", "cr2"):
        assert piecewise_multilevel(frame, random=(), inference=inference).tidy()["std_error"].notna().all()
    ax = piecewise_multilevel(frame, random=()).plot()
    assert len(ax.lines) == 5 * 2 + 3
    ax.figure.clear()


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (lambda f: f[f["case"] == "c0"], {}),
        (lambda f: f[(f["case"] != "c0") | (f["phase"] == "A")], {}),
        (lambda f: f, {"random": "level"}),
        (lambda f: f, {"random": ("size",)}),
        (lambda f: f, {"inference": "normal"}),
        (lambda f: f.assign(case=f["case"].where(f.index > 3)), {}),
    ],
)
def test_what_cannot_be_is_refused(change, options, in_both_languages):
    with pytest.raises(ArgumentError) as error:
        piecewise_multilevel(change(several("AAAABBBB")), **options)
    assert all(in_both_languages(error.value))
