"""Against the definitions of R's careless, one respondent at a time (tests/reference/reliability.R)."""

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, ColumnError
from htresearch.scales import careless
from htresearch.scales import careless_indices as indices

KINDS = ("longstring", "alternating", "random", "speeding", "copied")


@pytest.fixture(scope="module")
def rows(bfi):
    return bfi.iloc[:300, 1:26].to_numpy(dtype=float)


def test_indices_are_those_of_r(rows, bfi, turned, reference):
    expected = {name: np.array(v, dtype=float) for name, v in reference["careless"].items()}
    keyed = turned[bfi.columns[1:26]].to_numpy(dtype=float)[:300]
    scales = [range(5 * s, 5 * s + 5) for s in range(5)]
    found = {
        "longstring": indices.longstring(rows),
        "irv": indices.irv(rows),
        "mahalanobis_d2": indices.mahalanobis_d2(rows),
        "even_odd": indices.even_odd(keyed, scales),
        "psychsyn": indices.synonyms(rows, indices.synonym_pairs(rows, 0.5)),
        "psychant": indices.synonyms(rows, indices.synonym_pairs(rows, 0.3, antonyms=True)),
    }
    assert set(found) == set(expected)
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-9, err_msg=name)
    assert np.isnan(rows).any() and np.isnan(found["psychsyn"]).any()  # missing answers, and nobody invented


def test_a_form_without_answers_has_no_run():
    assert indices.longstring(np.array([[np.nan, np.nan], [2, np.nan], [2, 2]])).tolist() == [0, 1, 2]


def test_a_cycle_is_counted_from_its_first_answer():
    answers = np.array([[1, 3, 4, 3, 4, 3, 4, 2], [1, 2, 3, 1, 2, 3, 5, 4], [1, 2, 4, 3, 5, 1, 4, 2]], dtype=float)
    assert indices.longest_cycle(answers).tolist() == [6, 6, 0]
    answers[0, 4] = np.nan
    assert indices.longest_cycle(answers)[0] == 0


def test_near_duplicates_are_all_found():
    rng = np.random.default_rng(1)
    answers = rng.integers(1, 6, (300, 30)).astype(float)
    answers[200:250] = answers[:50]  # exact copies
    answers[250:280] = answers[50:80]
    for row in range(250, 280):
        changed = rng.choice(30, 3, replace=False)
        answers[row, changed] = answers[row, changed] % 5 + 1
    answers[0, 3] = answers[200, 3] = np.nan
    partner, match = indices.nearest(answers, 0.9)
    filled = np.nan_to_num(answers, nan=-9)
    same = (filled[:, None] == filled).mean(axis=2)
    np.fill_diagonal(same, 0)
    best = same.max(axis=1)
    np.testing.assert_allclose(match, np.where(best >= 0.9, best, np.nan))
    assert partner[200:280].tolist() == list(range(80)) and partner[:80].tolist() == list(range(200, 280))
    assert (partner[80:200] == -1).all()


@pytest.fixture(scope="module")
def simulated(instrument):
    return simulate(instrument, np.random.default_rng(7), 1500)


def simulate(instrument, rng, n, share=0.02):
    """Answers to a form from known scales, and kinds of careless ones among them, 2 % of each."""
    kind = np.full(n, "", dtype=object)
    for place, name in enumerate(KINDS):
        kind[place * round(share * n) : (place + 1) * round(share * n)] = name
    tone = rng.normal(size=n)
    columns, copied = {}, np.flatnonzero(kind == "copied")
    height = rng.integers(1, 6, n)
    for scale in instrument.scales.values():
        trait = 0.55 * tone + np.sqrt(1 - 0.55**2) * rng.normal(size=n)
        for name, key in scale.items.items():
            loading = 0.7 if key > 0 else 0.6
            latent = 0.3 + key * (loading * trait + np.sqrt(1 - loading**2) * rng.normal(size=n))
            columns[name] = 1.0 + np.searchsorted([-1.5, -0.5, 0.5, 1.5], latent)
    for turn, name in enumerate(n for n in instrument.items if n in columns):
        column = columns[name]
        column[kind == "longstring"] = height[kind == "longstring"]
        column[kind == "alternating"] = np.minimum(height, 4)[kind == "alternating"] + turn % 2
        blind = (kind == "random") | ((kind == "speeding") & (rng.random(n) < 0.5))
        column[blind] = rng.integers(1, 6, int(blind.sum()))
        other = rng.random(len(copied)) < 0.03
        column[copied] = np.where(other, column[copied], column[copied - n // 2])
        column[rng.random(n) < 0.01] = np.nan
    seconds = len(columns) * 5 * np.exp(rng.normal(0, 0.35, n))
    seconds = np.where(kind == "speeding", len(columns) * rng.uniform(0.7, 1.5, n), seconds)
    order = rng.permutation(n)
    frame = pd.DataFrame({"respondent_id": [f"r{i}" for i in range(n)], "duration_s": seconds, **columns})
    return frame.iloc[order].reset_index(drop=True), kind[order]


def test_planted_kinds_are_flagged_and_others_are_not(simulated, instrument):
    frame, kind = simulated
    found = careless(frame, instrument)
    assert found["flag"][kind == ""].mean() < 0.05
    for name in KINDS:
        assert found["flag"][kind == name].mean() >= 0.8, name
    assert (found["why"] != "").tolist() == found["flag"].tolist()
    assert found.glance()["flagged"][0] == found["flag"].sum()


def test_reasons_are_said_with_their_numbers(simulated, instrument):
    frame, kind = simulated
    found = careless(frame, instrument)
    row = int(np.flatnonzero(kind == "speeding")[0])
    assert f"每题只用 {found['seconds_per_item'][row]:.1f} 秒" in found["why"][row]
    copy = int(np.flatnonzero(kind == "copied")[0])
    twin = frame.index[frame["respondent_id"] == found["match_with"][copy]][0]
    assert found["match"][copy] >= 0.9
    assert (
        frame.loc[copy].drop(["respondent_id", "duration_s"]) == frame.loc[twin].drop(["respondent_id", "duration_s"])
    ).mean() > 0.85
    with ht.language.speaking("en"):
        assert "seconds an item" in careless(frame, instrument)["why"][row]


def test_cut_offs_can_be_set_and_taken_out(simulated, instrument):
    frame, _ = simulated
    strict = careless(frame, instrument, {"longstring": 4, "even_odd": 0})
    assert strict.cutoffs["longstring"] == 4 and "even_odd" in strict.cutoffs
    assert strict["flag"].equals(
        careless(frame, instrument)["flag"] | (strict["longstring"] >= 4) | (strict["even_odd"] >= 0)
    )
    only = careless(frame, instrument, dict.fromkeys(("longest_cycle", "mahalanobis_d2", "match", "longstring")))
    assert list(only.cutoffs) == ["seconds_per_item"]
    assert only["flag"].equals(only["seconds_per_item"] < 2)


def test_what_could_not_be_looked_at_is_said(simulated, instrument):
    frame, _ = simulated
    found = careless(frame.drop(columns="duration_s").head(60), instrument)
    assert found["seconds_per_item"].isna().all() and found["mahalanobis_d2"].isna().all()
    assert "duration_s" in found.notes() and "60 人" in found.notes()
    assert {"even_odd", "irv", "longstring", "psychsyn", "psychant"} <= set(found.columns)


def test_what_cannot_be_is_refused(simulated, instrument, in_both_languages):
    frame, _ = simulated
    with pytest.raises(ArgumentError) as error:
        careless(frame, instrument, {"longstrings": 3, "irv": "low"})
    assert len(error.value.faults) == 2
    assert all("irv" in said for said in in_both_languages(error.value))
    with pytest.raises(ColumnError):
        careless(frame.drop(columns="stay_1"), instrument)
    with pytest.raises(ArgumentError):
        careless(frame.assign(stay_1=7), instrument)
    with pytest.raises(ArgumentError):
        careless(frame.head(0), instrument)


def test_the_plot_has_a_bar_for_each_index(simulated, instrument):
    found = careless(simulated[0], instrument)
    assert len(found.plot().patches) == len(found.cutoffs)
