import time

import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, ColumnError


@pytest.fixture
def answers(instrument) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    names = [name for scale in instrument.scales.values() for name in scale.items]
    frame = pd.DataFrame(rng.integers(1, 6, (40, len(names))), columns=names).astype(float)
    return frame.assign(respondent_id=[f"r{i}" for i in range(40)])


def by_hand(row, scale, instrument, share):
    """The definition, one respondent at a time."""
    kept = []
    for name, key in scale.items.items():
        value = row[name]
        if not np.isnan(value) and value not in instrument.items[name].missing:
            kept.append(value if key > 0 else sum(instrument.items[name].bounds) - value)
    return np.mean(kept) if kept and len(kept) >= share * len(scale.items) else np.nan


@pytest.mark.parametrize("share", [0.4, 0.8, 1])
def test_scores_are_those_made_by_hand(answers, instrument, share):
    rng = np.random.default_rng(2)
    names = [c for c in answers if c != "respondent_id"]
    holes = rng.random((40, len(names))) < 0.2
    answers[names] = answers[names].mask(holes).mask(rng.random((40, len(names))) < 0.05, -2)
    scores = ht.score(answers, instrument, min_answered=share)
    assert list(scores.columns) == ["respondent_id", *instrument.scales]
    for name, scale in instrument.scales.items():
        expected = [by_hand(row, scale, instrument, share) for _, row in answers.iterrows()]
        np.testing.assert_allclose(scores[name], expected, atol=1e-12)


def test_each_scale_has_its_own_share_unless_told(answers, instrument):
    answers["useful_ideas"] = np.nan
    answers["useful_methods"] = -4.0  # did not attend: a code of the instrument
    answers["stay_1"] = np.nan
    scores = ht.score(answers, instrument)
    assert scores["usefulness"].notna().all()  # half is enough there
    assert scores["stay"].isna().all()
    assert ht.score(answers, instrument, min_answered=1)["usefulness"].isna().all()
    assert "usefulness" in scores.notes() and "40 人有未答的题" in scores.notes()
    assert "40 处缺失码" in scores.notes()
    assert "尚未试测" in scores.notes()


def test_a_sum_score_is_the_mean_times_the_items(answers, instrument):
    from dataclasses import replace

    scale = replace(instrument.scales["stay"], scoring="sum", min_answered=0.5)
    summed = replace(instrument, scales={"stay": scale})
    answers.loc[0, "stay_1"] = np.nan
    row = answers.loc[0]
    expected = 3 * np.mean([row["stay_2"], 6 - row["stay_3"]])
    assert ht.score(answers, summed)["stay"][0] == pytest.approx(expected)


def test_impossible_answers_and_missing_items_are_refused_all_at_once(answers, instrument, in_both_languages):
    answers.loc[3, "ideas_1"] = 9
    answers.loc[4, "ideas_2"] = 2.5
    answers["ideas_3"] = "often"
    with pytest.raises(ArgumentError) as error:
        ht.score(answers, instrument)
    assert len(error.value.faults) == 3
    for said in in_both_languages(error.value):
        assert "ideas_1" in said and "9" in said and "4" in said and "ideas_2" in said and "ideas_3" in said
    with pytest.raises(ColumnError) as error:
        ht.score(answers.drop(columns=["stay_1", "moral_2"]), instrument)
    assert len(error.value.faults) == 5


@pytest.mark.parametrize("share", [0, -1, 1.5, "all", True])
def test_a_share_that_is_none_is_refused(answers, instrument, share):
    with pytest.raises(ArgumentError):
        ht.score(answers, instrument, min_answered=share)


def test_the_frame_is_left_as_it_was(answers, instrument):
    answers.loc[0, "ideas_1"] = -2
    before = answers.copy()
    ht.score(answers, instrument)
    ht.scales.items_of(answers, instrument, "ideas")
    pd.testing.assert_frame_equal(answers, before)


def test_items_come_keyed_as_they_enter_the_score(answers, instrument):
    items = ht.scales.items_of(answers, instrument, "moral")
    assert items["moral_5"].tolist() == (6 - answers["moral_5"]).tolist()
    assert items.mean(axis=1).tolist() == pytest.approx(ht.score(answers, instrument)["moral"].tolist())
    with pytest.raises(ArgumentError):
        ht.scales.items_of(answers, instrument, "morals")


def test_scores_are_a_frame_that_describes_itself(answers, instrument, tmp_path):
    answers.loc[0, ["stay_1", "stay_2"]] = np.nan
    scores = ht.score(answers.set_index("respondent_id", drop=False), instrument)
    assert isinstance(scores, pd.DataFrame)
    assert scores.index[0] == "r0"
    tidy = scores.tidy().set_index("term")
    assert tidy.loc["stay", ["n", "missing"]].tolist() == [39, 1]
    assert tidy.loc["stay", "mean"] == pytest.approx(scores["stay"].mean())
    assert scores.glance().loc[0].tolist() == [40, 12, 39]
    assert type(scores[["stay"]]) is pd.DataFrame
    scores.to_parquet(tmp_path / "scores.parquet")
    assert len(scores.plot().get_yticklabels()) == 12
    assert "text/html" in scores._repr_mimebundle_()


def test_a_hundred_thousand_respondents_take_no_time(instrument):
    names = [name for scale in instrument.scales.values() for name in scale.items]
    frame = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (100_000, len(names))), columns=names)
    start = time.process_time()
    ht.score(frame, instrument)
    assert time.process_time() - start < 1  # 0.07 s on the machine it was written on
