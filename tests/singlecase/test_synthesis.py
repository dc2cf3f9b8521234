"""Syntheses against metafor and clubSandwich, and against published meta-analyses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from htresearch.errors import ArgumentError, ColumnError, HTResearchError
from htresearch.result import Estimates
from htresearch.singlecase import synthesis

#: BCG vaccine (Colditz et al. 1994): cases and others among vaccinated, cases and others among controls.
BCG = """4 119 11 128, 6 300 29 274, 3 228 11 209, 62 13536 248 12619, 33 5036 47 5761, 180 1361 372 1079, 8 2537 10
619,
505 87886 499 87892, 29 7470 45 7232, 17 1699 65 1600, 186 50448 141 27197, 5 2493 3 2338, 27 16886 29 17825"""


def bcg():
    counts = np.array([[float(c) for c in row.split()] for row in BCG.split(",")])
    a, b, c, d = counts.T
    estimate = np.log(a / (a + b)) - np.log(c / (c + d))
    error = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    return pd.DataFrame({"case": np.arange(13), "estimate": estimate, "std_error": error})


def test_viechtbauer_2010_bcg():
    """Metafor's paper, section 4: 36, DOI 10.18637/jss.v036.i03; random effects by REML."""
    found = synthesis(bcg(), study=None, inference="model")
    about = found.glance().iloc[0]
    assert found.tidy()["estimate"][0] == pytest.approx(-0.7145, abs=5e-5)
    assert found.tidy()["std_error"][0] == pytest.approx(0.1798, abs=5e-5)
    assert about["tau2_study"] == pytest.approx(0.3132, abs=5e-5)
    assert about["i2_study"] == pytest.approx(92.22, abs=5e-3)
    assert about["q"] == pytest.approx(152.2330, abs=5e-5)
    assert about["q_df"] == 12


def test_konstantopoulos_2011(models):
    """Schools in districts, as metafor's documentation has them."""
    found = synthesis(pd.DataFrame(models["konstantopoulos"]), inference="model")
    row, about = found.tidy().iloc[0], found.glance().iloc[0]
    assert row["estimate"] == pytest.approx(0.1847, abs=5e-5)
    assert row["std_error"] == pytest.approx(0.0846, abs=5e-5)
    assert [about["tau2_study"], about["tau2_case"]] == pytest.approx([0.0651, 0.0327], abs=5e-5)
    assert about["q"] == pytest.approx(578.8640, abs=5e-5)
    assert about["log_likelihood"] == pytest.approx(-7.9587, abs=5e-5)


@pytest.mark.parametrize("number", range(8))
def test_estimates_are_those_of_metafor_and_clubsandwich(models, number):
    expected = models["many"][number]
    frame = pd.DataFrame(expected["data"])
    moderators = expected["moderators"]
    found = synthesis(frame, moderators=moderators, correlation=expected["rho"])
    about, table = found.glance().iloc[0], found.tidy()

    def listed(value):
        return value if isinstance(value, list) else [value]

    assert table["estimate"].tolist() == pytest.approx(listed(expected["estimate"]), rel=1e-6)
    assert table["std_error"].tolist() == pytest.approx(listed(expected["robust_error"]), rel=1e-6)
    assert table["df"].tolist() == pytest.approx(listed(expected["df"]), rel=1e-6)
    assert table["p_value"].tolist() == pytest.approx(listed(expected["p"]), rel=1e-5)
    model = synthesis(frame, moderators=moderators, correlation=expected["rho"], inference="model").tidy()
    assert model["std_error"].tolist() == pytest.approx(listed(expected["model_error"]), rel=1e-6)
    tau2 = [v for v in about[["tau2_study", "tau2_case", "tau2_effect"]] if not np.isnan(v)]
    assert tau2 == pytest.approx(listed(expected["tau2"]), rel=1e-5, abs=1e-7)
    i2 = [v for v in about[["i2_study", "i2_case", "i2_effect"]] if not np.isnan(v)]
    assert i2 == pytest.approx(listed(expected["i2"]), rel=1e-5, abs=1e-5)
    assert about["q"] == pytest.approx(expected["q"], rel=1e-9)
    assert about["q_p_value"] == pytest.approx(expected["q_p"], rel=1e-6, abs=1e-12)
    assert about["log_likelihood"] == pytest.approx(expected["log_likelihood"], abs=1e-7)


def drawn(seed=1, studies=6, most=4):
    rng = np.random.default_rng(seed)
    rows = [
        (f"s{s}", f"c{i}", rng.normal(0.5, 0.5), rng.uniform(0.1, 0.4))
        for s in range(studies)
        for i in range(rng.integers(1, most + 1))
    ]
    return pd.DataFrame(rows, columns=["study", "case", "estimate", "std_error"])


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10**6), st.floats(-5, 5))
def test_a_shift_moves_the_mean_and_nothing_else(seed, shift):
    frame = drawn(seed)
    before, after = synthesis(frame), synthesis(frame.assign(estimate=frame["estimate"] + shift))
    assert after.tidy()["estimate"][0] == pytest.approx(before.tidy()["estimate"][0] + shift, abs=1e-5)
    assert after.tidy()["std_error"][0] == pytest.approx(before.tidy()["std_error"][0], rel=1e-3)


def test_equal_effects_are_weighted_by_their_precision():
    frame = pd.DataFrame(
        {"study": list("abc"), "case": "1", "estimate": [0.3, 0.3, 0.3], "std_error": [0.1, 0.2, 0.2]}
    )
    found = synthesis(frame)
    assert found.glance()["tau2_study"][0] == 0
    assert found.effects["weight"].tolist() == pytest.approx([4 / 6, 1 / 6, 1 / 6])


def test_frames_of_several_studies_may_be_given_as_a_list():
    frame = drawn()
    parts = [part for _, part in frame.groupby("study")]
    assert synthesis(parts).tidy().equals(synthesis(frame).tidy())
    results = [Estimates(part, pd.DataFrame({"n": [1]})) for part in parts]
    assert synthesis(results).tidy().equals(synthesis(frame).tidy())


def test_cases_of_one_name_in_two_studies_are_two():
    frame = drawn()
    assert synthesis(frame).glance()["n_cases"][0] == len(frame)


def test_effects_that_cannot_count_are_named():
    frame = drawn()
    frame.loc[0, "std_error"] = 0
    frame.loc[1, "estimate"] = np.nan
    found = synthesis(frame)
    assert found.glance()["n_left_out"][0] == 2
    assert f"{frame.loc[0, 'study']} {frame.loc[0, 'case']}" in found.notes()


def test_one_index_is_chosen_of_several():
    frame = pd.concat([drawn().assign(term="nap"), drawn(2).assign(term="tau")])
    with pytest.raises(ArgumentError, match="nap、tau"):
        synthesis(frame)
    assert synthesis(frame, term="tau").tidy().equals(synthesis(drawn(2)).tidy())


@pytest.mark.parametrize("studies", [1, 2, 3])
def test_few_studies_say_what_they_cannot_tell(studies):
    frame = drawn(4, studies=studies, most=4).assign(case=lambda f: f.index.astype(str))
    frame = pd.concat([frame, drawn(9, 1).assign(study="s0", case="x")])
    found = synthesis(frame)
    about = found.glance().iloc[0]
    assert np.isfinite(found.tidy()["estimate"][0])
    assert np.isnan(about["predict_low"]) == (studies < 3)
    assert np.isnan(about["tau2_study"]) == (studies == 1)
    assert "研究" in found.notes()


def test_two_studies_of_one_case_each():
    frame = pd.DataFrame({"study": ["a", "b"], "case": ["1", "1"], "estimate": [0.2, 0.6], "std_error": [0.1, 0.2]})
    found = synthesis(frame)
    assert found.tidy()["df"][0] == pytest.approx(1, abs=0.05)
    assert "分不开" in found.notes()


def test_unfinished_studies_are_counted():
    assert "3 项不在此处" in synthesis(drawn(), begun=9).notes()
    assert "全部计入" in synthesis(drawn(), begun=6).notes()
    with pytest.raises(ArgumentError):
        synthesis(drawn(), begun=2)


def test_leaving_one_out_is_estimating_without_it():
    frame = drawn()
    found = synthesis(frame).leave_one_out().tidy().set_index("term")
    assert found.loc["all", "estimate"] == synthesis(frame).tidy()["estimate"][0]
    assert found.loc["s2", "estimate"] == synthesis(frame[frame["study"] != "s2"]).tidy()["estimate"][0]
    assert len(found) == 7


def test_leaving_one_out_is_drawn_and_knows_moderators():
    frame = drawn()
    found = synthesis(frame.assign(weeks=range(len(frame))), moderators="weeks").leave_one_out()
    assert found.tidy()["line"].tolist() == ["(Intercept)", "weeks"] * 7
    ax = found.plot()
    assert ax.get_yticklabels()[0].get_text() == "全部"
    ax.figure.clear()


def test_leaving_one_out_of_two_leaves_what_there_is():
    frame = pd.DataFrame({"study": ["a", "b"], "case": ["1", "1"], "estimate": [0.2, 0.6], "std_error": [0.1, 0.2]})
    assert synthesis(frame).leave_one_out().tidy()["estimate"].isna().tolist() == [False, True, True]


def test_the_forest_shows_every_case_and_the_mean():
    frame = drawn()
    ax = synthesis(frame).plot()
    assert len(ax.get_yticklabels()) == len(frame) + 1
    assert len(ax.patches) == 1
    ax.figure.clear()
    ax = synthesis(frame.assign(weeks=range(len(frame))), moderators="weeks").plot()
    assert len(ax.get_yticklabels()) == len(frame)
    ax.figure.clear()


@pytest.mark.parametrize(
    ("change", "options", "error"),
    [
        (lambda f: f.head(1), {}, ArgumentError),
        (lambda f: f.head(0), {}, ArgumentError),
        (lambda f: f.drop(columns="study"), {}, ColumnError),
        (lambda f: f.drop(columns="estimate"), {}, ColumnError),
        (lambda f: f.assign(estimate="x"), {}, ArgumentError),
        (lambda f: f.assign(std_error=-1.0), {}, ArgumentError),
        (lambda f: f.assign(std_error=np.inf), {}, ArgumentError),
        (lambda f: f.assign(study=None), {}, ArgumentError),
        (lambda f: f.assign(m=1), {"moderators": "m"}, HTResearchError),
        (lambda f: f.assign(m=f["case"] + f["study"]), {"moderators": "m"}, HTResearchError),
        (lambda f: f, {"moderators": "m"}, ColumnError),
        (lambda f: f, {"correlation": 1}, ArgumentError),
        (lambda f: f, {"correlation": "x"}, ArgumentError),
        (lambda f: f, {"conf_level": 95}, ArgumentError),
        (lambda f: f, {"inference": "z"}, ArgumentError),
        (lambda f: f, {"term": "nap"}, ColumnError),
        (lambda f: [], {}, ArgumentError),
        (lambda f: "x", {}, ArgumentError),
        (lambda f: [f, 3], {}, ArgumentError),
    ],
)
def test_what_cannot_be_is_refused(change, options, error, in_both_languages):
    with pytest.raises(error) as raised:
        synthesis(change(drawn()), **options)
    assert all(in_both_languages(raised.value))
