"""Standardised effects against lmerTest with numDeriv (tests/reference/standardised.R), Hedges's balanced design in
closed form, and whole matrices."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, UnsupportedError

from . import dense
from .test_marginal_means import exam, star3

MODELS = json.loads((Path(__file__).parents[1] / "reference" / "standardised.json").read_text(encoding="utf-8"))[
    "models"
]


@pytest.mark.parametrize("reference", MODELS, ids=lambda m: f"{m['data']} {m['by']}")
def test_effects_and_their_errors_are_rs(reference):
    fit = ht.fit_multilevel(reference["formula"], star3() if reference["data"] == "star3" else exam())
    ours = fit.standardised(reference["by"]).tidy()
    assert [term.replace("[T.", "").replace("]", "") for term in ours["term"]] == reference["term"]
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(ours[column], reference[column], rtol=1e-5)


def balanced(groups=20, size=8):
    rng = np.random.default_rng(4)
    school = np.repeat(np.arange(groups), size)
    y = 2.0 * (school % 2) + rng.normal(0, 1.5, groups)[school] + rng.normal(0, 2, len(school))
    return pd.DataFrame({"school": school, "arm": np.where(school % 2, "new", "old"), "y": y})


def test_two_arms_of_equal_groups_are_hedges_in_closed_form():
    """Mean squares are independent and scaled χ²: their variances, and the delta method, by hand."""
    frame = balanced()
    groups, size = 20, 8
    means = frame.groupby("school")["y"].mean()
    arm = np.arange(groups) % 2
    effect = means[arm == 1].mean() - means[arm == 0].mean()
    within = frame.groupby("school")["y"].var().mean()
    between = sum(np.sum((means[arm == a] - means[arm == a].mean()) ** 2) for a in (0, 1)) * size / (groups - 2)
    of_between = 2 * between**2 / (groups - 2)
    of_within = 2 * within**2 / (groups * (size - 1))
    of_effect = between / size * 4 / groups
    fit = ht.fit_multilevel("y ~ arm + (1 | school)", frame.assign(arm=frame["arm"].map({"old": "a", "new": "b"})))
    assert not fit.singular
    for by, variance, spread in (
        (
            "total",
            between / size + within * (size - 1) / size,
            of_between / size**2 + of_within * (1 - 1 / size) ** 2,
        ),
        ("within", within, of_within),
    ):
        row = fit.standardised(by).tidy().iloc[0]
        assert row["estimate"] == pytest.approx(effect / np.sqrt(variance), rel=1e-6)
        error = np.sqrt(of_effect / variance + effect**2 * spread / (4 * variance**3))
        assert row["std_error"] == pytest.approx(error, rel=1e-5)
        assert row["df"] == pytest.approx(groups - 2, rel=1e-4)


def test_crossed_groups_by_whole_matrices():
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 9, 150), rng.integers(0, 7, 150)
    x = rng.normal(3, 2, 150)
    y = 0.5 * x + rng.normal(0, 1.2, 9)[a] + rng.normal(0, 1, 7)[b] + rng.normal(0, 1, 150)
    fit = ht.fit_multilevel("y ~ x + (1 | a) + (1 | b)", pd.DataFrame({"a": a, "b": b, "x": x, "y": y}))
    X = fit.design.X
    G = [Z @ Z.T for Z in (dense.indicators(level.codes) for level in fit.design.levels)] + [np.eye(150)]
    omega = np.append([c[0, 0] for c in fit.solution.covariances], fit.solution.sigma2)
    V = sum(o * g for o, g in zip(omega, G, strict=True))
    inverse = np.linalg.inv(V)
    phi = np.linalg.inv(X.T @ inverse @ X)
    P = inverse - inverse @ X @ phi @ X.T @ inverse
    observed = np.array([[-np.trace(P @ g @ P @ h) / 2 + y @ P @ g @ P @ h @ P @ y for h in G] for g in G])
    slope, deviation = fit.solution.beta[1], x.std(ddof=1)
    total = omega.sum() + slope**2 * deviation**2
    row = fit.standardised().tidy().iloc[0]
    assert row["estimate"] == pytest.approx(slope * deviation / np.sqrt(total))
    by_beta = deviation / np.sqrt(total) * (1 - slope**2 * deviation**2 / total)
    uncertain = np.linalg.inv(observed).sum() * (row["estimate"] / (2 * total)) ** 2
    assert row["std_error"] == pytest.approx(np.sqrt(by_beta**2 * phi[1, 1] + uncertain), rel=1e-4)
    with pytest.raises(UnsupportedError):
        fit.standardised("within")


@pytest.fixture(scope="module")
def frame():
    made = dense.nested_frame(21, schools=12)
    rng = np.random.default_rng(5)
    made["tier"] = rng.choice(["ordinary", "backbone", "chief"], len(made))
    made["girl"] = rng.integers(0, 2, len(made))
    made["on"] = rng.random(len(made)) < 0.4
    made["w"] = rng.uniform(0.5, 3, len(made))
    return made


FORMULA = "y ~ tier * x + girl + on + size + x:size + (1 + x | school) + (1 | school:class)"


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_lazy_table_gives_the_frames_effects(frame, weights):
    ours, lazy = (ht.fit_multilevel(FORMULA, table, weights=weights) for table in (frame, duckdb.from_df(frame)))
    for by in ("total", "within", "residual"):
        left, right = (fit.standardised(by).tidy() for fit in (ours, lazy))
        pd.testing.assert_frame_equal(left, right, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("weights", [None, "w"])
def test_numeric_columns_count_per_deviation_and_categories_whole(frame, weights):
    fit = ht.fit_multilevel(FORMULA, frame, weights=weights)
    ours = fit.standardised("residual").tidy().set_index("term")
    w = np.ones(len(frame)) if weights is None else frame["w"]
    n = len(frame)
    x, size = (
        np.sqrt(np.average((frame[c] - np.average(frame[c], weights=w)) ** 2, weights=w) * n / (n - 1))
        for c in ("x", "size")
    )
    expected = {"tier[T.chief]": 1, "tier[T.chief]:x": x, "girl": 1, "x": x, "size": size, "x:size": x * size}
    for term, scale in expected.items():
        assert ours["unit"][term] == pytest.approx(scale)
    assert next(scale for term, scale in ours["unit"].items() if term.startswith("on")) == 1
    sigma = np.sqrt(fit.solution.sigma2 / np.mean(w))
    np.testing.assert_allclose(ours["outcome_sd"], sigma)


def test_a_product_of_a_category_and_a_column_without_its_own_effect_is_missing_and_named(frame):
    fit = ht.fit_multilevel("y ~ tier + tier:x + (1 | school)", frame)
    found = fit.standardised()
    rows = found.tidy().set_index("term")["estimate"]
    assert rows.filter(like=":x").isna().all() and rows.drop(rows.filter(like=":x").index).notna().all()
    assert "tier[chief]:x" in found.note[-1].en


def test_units_of_outcome_and_columns_do_not_matter(frame):
    other = frame.assign(y=1000 * frame["y"], x=frame["x"] / 7 + 3)
    formula = "y ~ x + tier + (1 + x | school) + (1 | school:class)"
    one, two = (ht.fit_multilevel(formula, table).standardised().tidy() for table in (frame, other))
    columns = ["estimate", "std_error", "df"]
    np.testing.assert_allclose(one[columns], two[columns], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("inference", ["kenward-roger", "cr2", "normal"])
def test_other_covariances_of_the_coefficients_enter(frame, inference):
    fit = ht.fit_multilevel("y ~ tier + x + (1 | school/class)", frame)
    ours, plain = (fit.standardised("residual", how).tidy() for how in (inference, "satterthwaite"))
    tidy, first = (fit.tidy(how).iloc[1:].reset_index() for how in (inference, "satterthwaite"))
    np.testing.assert_allclose(ours["estimate"], plain["estimate"])
    more = (tidy["std_error"] ** 2 - first["std_error"] ** 2) * ours["unit"] ** 2 / ours["outcome_sd"] ** 2
    np.testing.assert_allclose(ours["std_error"] ** 2 - plain["std_error"] ** 2, more, atol=1e-10)
    np.testing.assert_allclose(ours["df"], tidy["df"])


def test_the_note_says_which_deviation_and_faults_are_named(frame, in_both_languages):
    fit = ht.fit_multilevel("y ~ x + (1 | school)", frame)
    for by, zh, en in (
        ("total", "总标准差", "total standard"),
        ("within", "之内", "within"),
        ("residual", "残差", "residual"),
    ):
        note = fit.standardised(by).note
        assert any(zh in n.zh and en in n.en for n in note[len(fit.note) :])
    with pytest.raises(ArgumentError) as caught:
        fit.standardised("school")
    chinese, english = in_both_languages(caught.value)
    assert "可选" in chinese and "Choose from" in english


def test_the_fixed_parts_variance_is_about_its_mean_without_an_intercept_too(frame):
    fits = [ht.fit_multilevel(f"y ~ {fixed} + (1 | school)", frame) for fixed in ("tier", "0 + tier")]
    np.testing.assert_allclose(*(fit.r_squared() for fit in fits), rtol=1e-6)


@pytest.mark.parametrize("random", ["(1 | school/class)", "(1 | school) + (1 | girl)"])
def test_a_model_kept_in_a_file_answers_alike(frame, tmp_path, random):
    """All that needs no rows: this, marginal means, intervals of variances and, where groups nest, the partition."""
    fit = ht.fit_multilevel(f"y ~ tier + x + on + {random}", frame)
    kept = ht.load_fit(fit.save(tmp_path / "model.htfit"))
    questions = [
        lambda f: f.standardised().tidy(),
        lambda f: f.marginal_means(["tier", "on"], weights="proportional").tidy(),
        lambda f: f.variance_intervals().tidy(),
    ]
    if not fit.design.crossed:
        questions.append(lambda f: f.r_squared("rights-sterba"))
    for ask in questions:
        pd.testing.assert_frame_equal(ask(fit), ask(kept), rtol=1e-6)
