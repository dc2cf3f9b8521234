"""Planned studies against R's power.t.test, printed values, whole matrices, and simulated districts."""

import json
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import htresearch as ht
from htresearch import language
from htresearch.errors import ArgumentError
from htresearch.multilevel import power, schools_needed

from .dense import covariance, indicators

mdes = ht.minimum_detectable_effect
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "power.json").read_text(encoding="utf-8"))
TWO = {"levels": 2, "treatment_level": 2, "schools": 20, "pupils_per_school": 15, "icc_school": 0.17}
THREE = {"levels": 3, "treatment_level": 3, "schools": 26, "classes_per_school": 20, "pupils_per_class": 45}
THREE |= {"icc_school": 0.15, "icc_class": 0.05}


# -- references ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", REFERENCE["designs"], ids=lambda case: "-".join(map(str, case["design"].values())))
def test_exact_values_are_those_of_power_t_test(case):
    test = {"alpha": case["alpha"], "two_sided": case["two_sided"]}
    found = mdes(**case["design"], **test, power=case["power"]).tidy().loc[0]
    assert found["mdes"] == pytest.approx(case["mdes"], rel=1e-6)
    assert found["mdes"] == pytest.approx(found["multiplier"] * found["std_error"])
    assert power(case["effect"], **case["design"], **test).tidy()["power"][0] == pytest.approx(
        case["power_of_effect"], rel=1e-6
    )


def blocks(**more):
    return {"levels": 2, "treatment_level": 1, "schools": 20, "pupils_per_school": 15} | more


@pytest.mark.parametrize(
    ("design", "value", "std_error", "df"),
    [
        # ira1r1(n=250)
        ({"levels": 1, "treatment_level": 1, "pupils": 250}, 0.356, 0.126, 248),
        # bira2c1(n=15, J=20), bira2f1(n=15, J=20), bira2r1(rho2=.17, omega2=.50, n=15, J=20)
        (blocks(icc_school=0, blocks="constant"), 0.325, 0.115, 279),
        (blocks(icc_school=0, blocks="fixed"), 0.325, 0.115, 260),
        (blocks(icc_school=0.17, blocks="random", omega_school=0.5), 0.366, 0.124, 19),
        # cra2r2(rho2=.17, n=15, J=20)
        (TWO, 0.629, 0.212, 18),
        # cra3r3(rho3=.06, rho2=.17, n=15, J=3, K=60)
        (
            {"levels": 3, "treatment_level": 3, "schools": 60, "classes_per_school": 3, "pupils_per_class": 15}
            | {"icc_school": 0.06, "icc_class": 0.17},
            *(0.269, 0.094, 58),
        ),
        # bcra3f2(rho2=.10, n=20, J=44, K=5)
        (
            {"levels": 3, "treatment_level": 2, "schools": 5, "classes_per_school": 44, "pupils_per_class": 20}
            | {"icc_school": 0, "icc_class": 0.1, "blocks": "fixed"},
            *(0.145, 0.051, 210),
        ),
        # bcra3r2(rho3=.13, rho2=.10, omega3=.4, n=10, J=6, K=24)
        (
            {"levels": 3, "treatment_level": 2, "schools": 24, "classes_per_school": 6, "pupils_per_class": 10}
            | {"icc_school": 0.13, "icc_class": 0.1, "blocks": "random", "omega_school": 0.4},
            *(0.246, 0.084, 23),
        ),
        # bira3r1(rho3=.20, rho2=.15, omega3=.10, omega2=.10, n=69, J=10, K=100)
        (
            {"levels": 3, "treatment_level": 1, "schools": 100, "classes_per_school": 10, "pupils_per_class": 69}
            | {"icc_school": 0.2, "icc_class": 0.15, "blocks": "random", "omega_school": 0.1, "omega_class": 0.1},
            *(0.045, 0.016, 99),
        ),
    ],
)
def test_the_formula_prints_what_powerupr_prints(design, value, std_error, df):
    """The examples of the vignette "Cross-checks" of the R package PowerUpR, with what it prints for them."""
    found = mdes(**design).tidy().loc[0]
    assert round(found["mdes_formula"], 3) == value
    assert round(found["std_error"], 3) == std_error
    assert found["df"] == df


def test_covariates_and_shares_as_in_the_example_of_powerupr():
    """Its vignette on three levels plans with R² at each level, one covariate, 40 % treated, and an effect of .23."""
    design = THREE | {"schools": 83, "classes_per_school": 2, "pupils_per_class": 10, "treated": 0.4, "covariates": 1}
    design |= {"icc_school": 0.18, "icc_class": 0.06, "r2_school": 0.45, "r2_class": 0.5, "r2_pupil": 0.55}
    found = mdes(**design).tidy().loc[0]
    assert round(found["mdes"], 2) == 0.23
    assert found["df"] == 83 - 2 - 1


@pytest.mark.parametrize(
    ("asked", "alpha", "multiplier"), [(0.9, 0.05, 2.93), (0.8, 0.05, 2.49), (0.7, 0.05, 2.17), (0.8, 0.1, 2.12)]
)
def test_multipliers_of_bloom(asked, alpha, multiplier):
    """Bloom (1995), table 1 and page 552: one-sided, by the normal distribution."""
    found = mdes(1, 1, pupils=100_000, power=asked, alpha=alpha, two_sided=False).tidy()["multiplier"][0]
    assert found == pytest.approx(multiplier, abs=0.005)


def test_unequal_arms_cost_what_bloom_says():
    """Bloom (1995), page 554: 60/40 costs a factor of 1.02, 70/30 of 1.09."""
    half, sixty, seventy = mdes(1, 1, pupils=10_000, treated=[0.5, 0.6, 0.7]).tidy()["mdes"]
    assert [round(sixty / half, 2), round(seventy / half, 2)] == [1.02, 1.09]


# -- whole matrices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "kind"), [(3, None), *product((1, 2), ("random", "fixed", "constant"))], ids=str)
def test_the_variance_is_that_of_generalised_least_squares(level, kind):
    schools, classes, pupils = 4, 4, 6
    school = np.repeat(np.arange(schools), classes * pupils)
    class_ = np.repeat(np.arange(schools * classes), pupils)
    treated = np.choose(level - 1, [np.arange(len(school)), class_, school]) % 2
    design = {"levels": 3, "treatment_level": level, "schools": schools, "classes_per_school": classes}
    design |= {"pupils_per_class": pupils, "icc_school": 0.2, "icc_class": 0.1, "blocks": kind}
    omega = {"omega_school": 0.6, "omega_class": 0.3} if level == 1 else {"omega_school": 0.6}
    if kind == "random":
        design |= omega
    V = 0.7 * covariance((school, class_), (0.2 / 0.7, 0.1 / 0.7))
    X = np.column_stack([np.ones(len(school)), treated])
    contrast = np.array([0.0, 1.0])
    for unit, codes in (("omega_school", school), ("omega_class", class_)):
        if kind == "random" and unit in omega:
            slope = indicators(codes) * (treated - 0.5)[:, None]
            V += omega[unit] * {"omega_school": 0.2, "omega_class": 0.1}[unit] * slope @ slope.T
    if kind in ("fixed", "constant"):
        block = indicators(school if level == 2 else class_)
        effects = block * treated[:, None] if kind == "fixed" else treated[:, None]
        X = np.column_stack([block, effects])
        contrast = np.r_[np.zeros(block.shape[1]), np.full(effects.shape[1], 1 / effects.shape[1])]
    inverse = np.linalg.inv(V)
    variance = contrast @ np.linalg.inv(X.T @ inverse @ X) @ contrast
    found = mdes(**design).tidy().loc[0]
    assert found["std_error"] ** 2 == pytest.approx(variance, rel=1e-9)
    randomised = [len(school), schools * classes, schools][level - 1]
    assert found["df"] == (schools - 1 if kind == "random" else randomised - X.shape[1])


def test_unequal_groups_count_by_their_harmonic_mean():
    sizes = stats.lognorm(s=0.5, scale=30).ppf((np.arange(200_000) + 0.5) / 200_000)
    cv = sizes.std() / sizes.mean()
    unequal = mdes(**TWO | {"pupils_per_school": sizes.mean()}, cv_pupils=cv).tidy().loc[0]
    harmonic = mdes(**TWO | {"pupils_per_school": stats.hmean(sizes)}).tidy().loc[0]
    assert unequal["std_error"] == pytest.approx(harmonic["std_error"], rel=1e-4)
    assert unequal["df"] == harmonic["df"]
    wider = mdes(**THREE, cv_classes=0.5).tidy()["std_error"][0]
    assert wider == pytest.approx(mdes(**THREE | {"classes_per_school": 16}).tidy()["std_error"][0])


# -- the engine ------------------------------------------------------------------------------------------------------


def test_the_engine_finds_the_minimum_effect_as_often_as_planned():
    """Its Satterthwaite test on balanced schools has the planned df and, within chance, the planned power."""
    schools, pupils, replicates = 12, 6, 100
    design = {"levels": 2, "treatment_level": 2, "schools": schools, "pupils_per_school": pupils, "icc_school": 0.4}
    planned = mdes(**design).tidy().loc[0]
    rng = np.random.default_rng(1)
    school = np.repeat(np.arange(schools), pupils)
    treated = school % 2
    rejected, df = 0, []
    for _ in range(replicates):
        y = planned["mdes"] * treated + rng.normal(0, 0.4**0.5, schools)[school]
        frame = {"y": y + rng.normal(0, 0.6**0.5, len(school)), "treated": treated, "school": school}
        effect = ht.fit_multilevel("y ~ treated + (1 | school)", pd.DataFrame(frame))
        row = effect.tidy(inference="satterthwaite").loc[1]
        rejected += row["p_value"] < 0.05
        df.append(row["df"])
    assert np.median(df) == pytest.approx(planned["df"], rel=1e-6)
    assert stats.binomtest(rejected, replicates, 0.8).pvalue > 0.01


# -- the questions ---------------------------------------------------------------------------------------------------


def test_the_three_questions_agree():
    found = mdes(**THREE, power=0.9).tidy().loc[0]
    assert power(found["mdes"], **THREE).tidy()["power"][0] == pytest.approx(0.9)
    without = {name: value for name, value in THREE.items() if name != "schools"}
    assert schools_needed(found["mdes"] + 1e-9, power=0.9, **without).tidy()["schools"][0] == THREE["schools"]
    needed = schools_needed([0.2, 0.3, 3], **without).tidy()
    for effect, number, reached in needed[["effect", "schools", "power"]].itertuples(index=False):
        assert reached >= 0.8
        fewer = {**without, "schools": number - 1}
        assert number == 3 or power(effect, **fewer).tidy()["power"][0] < 0.8


def test_classes_are_counted_where_they_are_the_highest_level():
    design = {"levels": 2, "treatment_level": 2, "pupils_per_class": 45, "icc_class": 0.1}
    found = schools_needed(0.3, **design)
    needed = found.tidy()
    assert found.design.classes == needed["classes"].tolist()
    assert power(0.3, **design, classes=int(needed["classes"][0])).tidy()["power"][0] == needed["power"][0] >= 0.8


def test_lists_give_a_row_per_combination():
    iccs, schools, asked = [0.1, 0.2], np.array([20, 40, 80]), (0.8, 0.9)
    rows = mdes(**TWO | {"schools": schools, "icc_school": iccs}, power=asked, outcome_sd=12).tidy()
    assert rows[["schools", "icc_school", "power"]].to_numpy().tolist() == [
        list(c) for c in product(schools, iccs, asked)
    ]
    one = mdes(**TWO | {"schools": 40, "icc_school": 0.2}, power=0.9).tidy()["mdes"][0]
    assert rows["mdes"][7] - one == pytest.approx(0)
    np.testing.assert_allclose(rows["mdes_raw"], 12 * rows["mdes"])
    glance = mdes(**TWO | {"icc_school": iccs}).glance()
    assert len(glance) == 1
    assert glance["mdes_low"][0] < glance["mdes_high"][0]


# -- faults ----------------------------------------------------------------------------------------------------------


def faults(call, **given):
    with pytest.raises(ArgumentError) as caught:
        call(**given)
    return caught.value.faults


def test_all_that_is_missing_is_named_at_once(in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        mdes(levels=3, treatment_level=2, schools=26, blocks="random")
    assert len(caught.value.faults) == 1
    for text in in_both_languages(caught.value):
        for name in ("classes_per_school", "pupils_per_class", "icc_school", "icc_class", "omega_school"):
            assert name in text
        assert "omega_class" not in text
    assert "treatment_level" in str(faults(mdes)[0])
    assert "blocks" in str(faults(mdes, levels=2, treatment_level=1)[0])
    assert "pupils_per_class" in str(faults(mdes, levels=2, treatment_level=2, classes=40)[0])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"schools": 2.5}, "schools"),
        ({"schools": [20, 1]}, "schools"),
        ({"schools": True}, "schools"),
        ({"icc_school": 1.2}, "icc_school"),
        ({"icc_school": []}, "icc_school"),
        ({"icc_school": np.nan}, "icc_school"),
        ({"icc_school": 0.8, "icc_class": 0.3}, "icc_class"),
        ({"treated": 0}, "treated"),
        ({"treated": 0.01}, "treated"),
        ({"r2_school": "x"}, "r2_school"),
        ({"covariates": 24}, "自由度"),
        ({"power": 0.04}, "power"),
        ({"power": [0.8, 1]}, "power"),
        ({"alpha": 0}, "alpha"),
        ({"two_sided": "yes"}, "two_sided"),
        ({"outcome_sd": -3}, "outcome_sd"),
        ({"omega_school": 0.1}, "omega_school"),
        ({"blocks": "random"}, "blocks"),
        ({"blocks": "none"}, "blocks"),
        ({"pupils": 900}, "pupils"),
        ({"levels": 4}, "levels"),
        ({"treatment_level": 4}, "treatment_level"),
    ],
)
def test_what_is_wrong_is_named(wrong, named):
    found = faults(mdes, **THREE | wrong)
    assert len(found) == 1
    assert named in str(found[0])


def test_a_design_that_has_no_use_for_an_argument_says_so():
    within = blocks(icc_school=0.2, blocks="constant")
    assert "r2_school" in str(faults(mdes, **within, r2_school=0.5)[0])
    assert "omega_school" in str(faults(mdes, **within, omega_school=0.5)[0])


def test_faults_of_the_design_and_of_the_question_come_together():
    assert len(faults(mdes, **TWO | {"icc_school": 2, "schools": 0}, power=7, outcome_sd=0)) == 4
    assert len(faults(power, effect=[-1], **TWO | {"icc_school": 2})) == 2


def test_pairs_of_classes_need_one_effect_for_all():
    pairs = {"levels": 3, "treatment_level": 2, "schools": 10, "classes_per_school": 2, "pupils_per_class": 40}
    pairs |= {"icc_school": 0.1, "icc_class": 0.1}
    assert "constant" in str(faults(mdes, **pairs, blocks="fixed")[0])
    assert mdes(**pairs, blocks="constant").tidy()["df"][0] == 9


def test_schools_needed_refuses_the_number_it_seeks_and_effects_out_of_reach():
    assert "schools" in str(faults(schools_needed, effect=0.2, **TWO)[0])
    without = {name: value for name, value in TWO.items() if name != "schools"}
    assert "100,000" in str(faults(schools_needed, effect=1e-4, **without)[0])
    assert "icc_school" in str(
        faults(schools_needed, effect=0.2, levels=2, treatment_level=2, pupils_per_school=9)[0]
    )


# -- words and figures -----------------------------------------------------------------------------------------------


def test_the_note_says_the_design_in_words():
    planned = mdes(**THREE | {"icc_school": [0.1, 0.2]}, r2_school=0.5, covariates=1, outcome_sd=12)
    chinese = planned.notes()
    assert "26 所学校、每校 20 个班、每班 45 名学生；随机取一半的学校接受干预" in chinese
    assert "双侧检验，显著性水平 0.05，检验力 80%" in chinese
    assert "学校之间占 10% 或 20%" in chinese
    with language.speaking("en"):
        english = planned.notes()
    assert "26 schools, 20 classes per school, 45 pupils per class; half of the schools are treated" in english
    assert "Covariates explain 50% of the variance between schools." in english
    within = mdes(**blocks(icc_school=0.2, blocks="random", omega_school=0.3, treated=0.4), two_sided=False)
    assert "每所学校之内，随机取 40% 的学生接受干预" in within.notes()
    assert "单侧" in within.notes()
    assert "0.3 倍" in within.notes()


def test_the_plot_draws_a_band_over_iccs_and_a_line_per_other_value():
    iccs = mdes(**TWO | {"icc_school": [0.1, 0.2, 0.3]}, r2_school=[0, 0.5])
    ax = iccs.plot()
    assert len(ax.collections) == 2
    assert len(ax.get_legend().get_texts()) == 2
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert sorted(y for line in dots for y in line.get_ydata()) == pytest.approx(sorted(iccs.tidy()["mdes"]))
    edges = [line for line in ax.lines if line.get_marker() != "o"]
    at_twenty = [line.get_ydata()[list(line.get_xdata()).index(20)] for line in edges]
    by_r2 = iccs.tidy().groupby("r2_school")["mdes"].agg(["min", "max"]).to_numpy().ravel()
    np.testing.assert_allclose(at_twenty, by_r2)
    plain = power(0.4, **TWO | {"schools": [10, 40]}).plot()
    assert plain.get_legend() is None
    assert plain.lines[1].get_xdata()[[0, -1]].tolist() == [10, 40]
    plt.close("all")


def test_a_notebook_shows_what_varies_and_the_answer():
    shown = mdes(**TWO | {"icc_school": [0.1, 0.2]})._repr_mimebundle_()["text/plain"]
    assert "学校的组内相关" in shown and "最小可检测效应" in shown
    assert "协变量个数" not in shown
