"""Attempts to learn one person's, class's or school's value from a model, and models that may be shown."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

import htresearch as ht
from htresearch.disclosure import check
from htresearch.multilevel import Comparison, MultilevelFit, fixed_effects, model_table, three_lines
from htresearch.multilevel.basis import shares
from htresearch.result import Estimates, beside

from .results_data import classes, fit, marked, pupil_fit, pupils, safe_fit

TEACHERS = "(1 | school_id/teacher_id)"


def teachers_of(n: int) -> list[str]:
    """The teachers who have the most rows."""
    return classes()["teacher_id"].value_counts().index[:n].tolist()


def tiny(terms: int) -> MultilevelFit:
    rng = np.random.default_rng(3)
    rows = classes().dropna(subset=["score"])
    rows = rows[rows["school_id"].isin(rows["school_id"].unique()[:4])].drop_duplicates("teacher_id")
    frame = rows.groupby("school_id").head(10).copy()
    for k in range(terms):
        frame[f"x{k}"] = rng.normal(size=len(frame))
    return fit("score ~ " + " + ".join(f"x{k}" for k in range(terms)) + " + (1 | school_id)", frame)


def exact() -> MultilevelFit:
    rng = np.random.default_rng(5)
    frame = classes().dropna(subset=["prior_mean", "training_hours"]).copy()
    frame["score"] = 2 * frame["prior_mean"] + 0.1 * frame["training_hours"] + rng.normal(0, 1e-4, len(frame))
    return fit("score ~ prior_mean + training_hours + (1 | school_id)", frame)


def one_apart() -> dict[str, MultilevelFit]:
    rows = classes().dropna(subset=["score", "training_hours"])
    formula = "score ~ training_hours + (1 | school_id)"
    return {"all": fit(formula, rows), "without one": fit(formula, rows.drop(rows.index[100]))}


def one_teacher_apart() -> dict[str, MultilevelFit]:
    rows = classes().dropna(subset=["score", "training_hours"])
    formula = "score ~ training_hours + (1 | school_id)"
    rest = rows[~rows["teacher_id"].isin(teachers_of(1))]
    return {"all": fit(formula, rows), "rest": fit(formula, rest)}


def pupil_apart() -> MultilevelFit:
    return fit("score ~ prior + (1 | class_id)", pupils().iloc[1:])


def sheltered(frame: pd.DataFrame) -> Estimates:
    """Somebody's values under the cover of a model that passes."""
    safe = safe_fit().estimates()
    return Estimates(frame, safe.summary, basis=safe.basis)


def names_of_teachers() -> Estimates:
    safe = safe_fit().estimates()
    return safe.rename({"training_hours": "T00012"})


def two_values(column: str, condition) -> pd.DataFrame:
    frame = pupils()
    return frame.assign(**{column: condition(frame).astype(float)})


ATTACKS = {
    "dummy of one teacher": lambda: fit(f"score ~ one + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(1))),
    "dummy of two teachers": lambda: fit(
        f"score ~ one + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(2))
    ),
    "dummy of all but one": lambda: fit(
        f"score ~ I(1 - one) + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(1))
    ),
    "dummy times a number": lambda: fit(
        f"score ~ I(1000 * one + 3) + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(1))
    ),
    "dummy of one class among pupils": lambda: fit(
        "score ~ one + prior + (1 | school_id)", marked(pupils(), "class_id", [pupils()["class_id"].iloc[0]])
    ),
    "dummy of one school": lambda: fit(
        "score ~ one + prior + (1 | class_id)", marked(pupils(), "school_id", [pupils()["school_id"].iloc[0]])
    ),
    "dummies of every teacher": lambda: fit(
        "score ~ C(teacher_id) + (1 | term_id)", classes()[classes()["teacher_id"].isin(teachers_of(12))]
    ),
    "dummies of every school": lambda: fit("score ~ C(school_id) + prior + (1 | class_id)", pupils()),
    "a tier of four": lambda: fit(f"score ~ tier + {TEACHERS}"),
    "a tier of four by its rank": lambda: fit(f"score ~ C(tier_rank) + {TEACHERS}"),
    "polynomial contrasts of tiers": lambda: fit(f"score ~ C(tier, contr.poly) + {TEACHERS}"),
    "sum contrasts of tiers": lambda: fit(f"score ~ C(tier, contr.sum) + {TEACHERS}"),
    "no intercept": lambda: fit(f"score ~ 0 + tier + {TEACHERS}"),
    "school by tier": lambda: fit("score ~ school_id * tier + (1 | teacher_id)"),
    "stage by tier by sex": lambda: fit("score ~ stage * tier * sex + (1 | class_id)", pupils()),
    "reference group of two teachers": lambda: fit(
        f"score ~ side + {TEACHERS}",
        classes().assign(side=np.where(classes()["teacher_id"].isin(teachers_of(2)), "a", "b")),
    ),
    "a number that only one has": lambda: fit(
        f"score ~ odd + {TEACHERS}",
        classes().assign(odd=np.where(classes()["teacher_id"] == teachers_of(1)[0], 7.5, 1.0)),
    ),
    "nearly saturated": lambda: tiny(31),
    "exact": exact,
    "two schools": lambda: fit(
        "score ~ training_hours + (1 | school_id)",
        classes()[classes()["school_id"].isin(classes()["school_id"].unique()[:2])],
    ),
    "nine teachers": lambda: fit(
        "score ~ training_hours + (1 | teacher_id)", classes()[classes()["teacher_id"].isin(teachers_of(9))]
    ),
    "no ids": lambda: fit("score ~ training_hours + (1 | stage)", classes()[["score", "training_hours", "stage"]]),
    "one observation apart": lambda: model_table(one_apart()),
    "one observation apart, compared": lambda: Comparison(
        pd.DataFrame({"model": ["a", "b"], "criterion": [1.0, 2.0]}),
        (),
        basis=tuple(part for f in one_apart().values() for part in f.estimates().basis),
    ),
    "one teacher apart, side by side": lambda: beside({n: f.estimates() for n, f in one_teacher_apart().items()}),
    "three lines of a rare tier": lambda: three_lines(classes(), "score", ["tier"], ["term_id"]),
    "fixed effects of a rare tier": lambda: fixed_effects(
        classes(), "score", ["tier"], group="school_id", cluster="teacher_id"
    ),
    "marginal means of tiers": lambda: fit(f"score ~ tier + {TEACHERS}").marginal_means("tier"),
    "differences of marginal means": lambda: fit(f"score ~ tier + {TEACHERS}").marginal_means("tier", pairs=True),
    "contrast that is one teacher": lambda: fit(
        f"score ~ one + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(1))
    ).contrast({"c": {"one": 1, "(Intercept)": 1}}),
    "standardised dummy of one": lambda: fit(
        f"score ~ one + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(1))
    ).standardised(),
    "test of a dummy of one": lambda: fit(
        f"score ~ one + {TEACHERS}", marked(classes(), "teacher_id", teachers_of(1))
    ).test(["one"]),
    "nearly everybody passes": lambda: fit(
        "passed ~ sex + (1 | class_id)", two_values("passed", lambda f: f.index % 4000 > 0)
    ),
    "effects of teachers as a frame": lambda: safe_fit().random_effects("teacher_id"),
    "effects of schools as a frame": lambda: safe_fit().random_effects("school_id"),
    "residuals": lambda: safe_fit().residuals(),
    "level residuals": lambda: safe_fit().level_residuals("teacher_id"),
    "influence": lambda: safe_fit().influence("school_id"),
    "prediction for one row": lambda: safe_fit().predict(classes().dropna(subset=["prior_mean"]).head(1)),
    "leverage": lambda: pd.Series(np.einsum("ij,ij->i", pupil_fit().rows.of_coefficients, pupil_fit().design.X)),
    "values under cover": lambda: sheltered(
        pd.DataFrame({"term": ["training_hours"], "estimate": [classes()["score"].dropna().iloc[0]]})
    ),
    "a column under cover": lambda: sheltered(safe_fit().estimates().frame.assign(own=1.5)),
    "estimates of unknown origin": lambda: Estimates(
        pd.DataFrame({"term": ["x"], "estimate": [1.0], "n_students": [500]}), pd.DataFrame({"n": [500]})
    ),
    "a term that names a teacher": names_of_teachers,
    "a learner": lambda: DecisionTreeRegressor().fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 4.0]),
    "a linear learner": lambda: LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 2.0, 4.0]),
    "a function": lambda: lambda rows: rows.max(),
    "a panel": classes,
    "rows of pupils": pupils,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_gets_through(name):
    assert not check(ATTACKS[name]()).passed


@pytest.mark.parametrize("part", ["random_effects", "caterpillar", "influence", "residuals", "predict", "unheard of"])
def test_parts_about_single_persons_are_refused_in_public(part):
    assert not check(safe_fit(), part=part, group="teacher_id").passed


def test_a_model_one_pupil_apart_from_one_that_has_left():
    now = fit("score ~ prior + (1 | class_id)", pupils())
    assert check(now).passed
    verdict = check(now, before=[pupil_apart()])
    assert not verdict.passed
    assert set(verdict.failures["rule"]) == {"differencing"}


def test_units_by_other_columns_count_as_well():
    rows = pupils().assign(head=pupils()["class_id"].map(lambda c: "one of two" if c < "C000100" else "other"))
    rows = rows.rename(columns={"class_id": "room", "student_id": "person"}).drop(columns="teacher_id")
    plain = rows[["score", "prior", "sex", "room", "person", "school_id", "head"]]
    model = fit("score ~ prior + sex + (1 | room)", plain)
    assert not check(model).passed  # whose the rows are is not known
    units = {"student": plain["person"]}
    assert not check(model, units=units).passed  # nor by how many teachers
    assert check(model, units=units | {"teacher": plain["room"]}).passed
    assert not check(model, units=units | {"teacher": plain["head"]}).passed
    assert not check(model, units=units | {"teacher": plain["head"].head(5)}).passed
    assert not check(model, units=units | {"parent": plain["head"]}).passed


def test_the_verdict_repeats_no_name():
    model = fit("score ~ C(teacher_id) + (1 | term_id)", classes()[classes()["teacher_id"].isin(teachers_of(12))])
    verdict = check(model)
    assert "identifying" in {rule for rules in verdict.frame["rules"] for rule in rules}
    said = verdict.to_json() + verdict.to_html()
    assert not any(teacher in said for teacher in teachers_of(12))


SAFE = {
    "classes": safe_fit,
    "pupils": pupil_fit,
    "estimates": lambda: safe_fit().estimates(),
    "kenward-roger": lambda: safe_fit().estimates("kenward-roger"),
    "cr2": lambda: safe_fit().estimates("cr2"),
    "backbone or not": lambda: fit(f"score ~ tier + {TEACHERS}", classes()[classes()["tier"] != "chief"]),
    "zones": lambda: fit("score ~ C(zone_id) + prior + (1 | class_id)", pupils()),
    "stages by sex": lambda: fit("score ~ stage * sex + (1 | class_id)", pupils()),
    "location": lambda: fit("score ~ location + (1 | class_id)", pupils()),
    "a slope that varies": lambda: fit("score ~ prior + sex + (1 + prior | school_id)", pupils()),
    "crossed": lambda: fit("score ~ training_hours + (1 | school_id) + (1 | term_id)"),
    "joint test": lambda: safe_fit().test(["C(term_id)"]),
    "contrast": lambda: pupil_fit().contrast({"boys": {"sex[T.male]": 1.0}}),
    "standardised": lambda: pupil_fit().standardised(),
    "marginal means": lambda: pupil_fit().marginal_means("sex"),
    "differences": lambda: pupil_fit().marginal_means("sex", pairs=True),
    "within and between": lambda: fit(
        f"score ~ training_hours + {TEACHERS}", within_between={"training_hours": "teacher_id"}
    ),
    "contextual effect": lambda: fit(
        f"score ~ training_hours + {TEACHERS}", within_between={"training_hours": "teacher_id"}
    ).within_between(),
    "variance intervals": lambda: safe_fit().variance_intervals(),
    "three lines": lambda: three_lines(classes(), "score", ["training_hours"], ["term_id"]),
    "fixed effects": lambda: fixed_effects(
        classes(), "score", ["training_hours"], group="school_id", cluster="teacher_id"
    ),
    "model table": lambda: model_table(
        {
            "empty": fit("score ~ C(term_id) + (1 | school_id)", classes().dropna(subset=["training_hours"])),
            "hours": fit("score ~ C(term_id) + training_hours + (1 | school_id)"),
        }
    ),
    "comparison": lambda: fit("score ~ C(term_id) + training_hours + (1 | school_id)").compare(
        fit("score ~ C(term_id) + training_hours + (1 | school_id/teacher_id)")
    ),
    "halves of the pupils": lambda: beside(
        {
            sex: fit("score ~ prior + (1 | class_id)", pupils()[pupils()["sex"] == sex]).estimates()
            for sex in ("male", "female")
        }
    ),
    "a share": lambda: fit(
        "passed ~ sex + (1 | class_id)", two_values("passed", lambda f: f["score"] > f["score"].median())
    ),
    "a planned study": lambda: ht.minimum_detectable_effect(
        levels=3,
        treatment_level=3,
        schools=26,
        classes_per_school=20,
        pupils_per_class=45,
        icc_school=0.1,
        icc_class=0.1,
    ),
}


@pytest.mark.parametrize("name", SAFE)
def test_what_is_safe_passes(name):
    verdict = check(SAFE[name]())
    assert verdict.passed, verdict.failures[["term", "rule", "reason"]].to_string()


@pytest.mark.parametrize("part", ["tidy", "glance", "variance_components", "icc", "r_squared"])
def test_what_a_fit_says_of_all_passes(part):
    assert check(safe_fit(), part=part).passed


def test_inside_a_school_effects_of_teachers_pass_with_a_mark_and_pupils_do_not():
    verdict = check(safe_fit(), "internal", part="random_effects", group="teacher_id")
    assert verdict.passed
    assert verdict.note
    assert not check(safe_fit(), "internal", part="random_effects").passed
    assert not check(pupil_fit(), "internal", part="residuals").passed
    assert check(safe_fit(), "internal", part="residuals").passed


@pytest.mark.parametrize(
    "formula",
    [
        "score ~ training_hours + prior_mean + (1 | school_id/teacher_id)",
        "score ~ training_hours + (1 + training_hours | school_id)",
        "score ~ training_hours + (1 | school_id) + (1 | term_id)",
    ],
)
def test_the_weights_of_the_rows_give_the_estimates(formula):
    """The rule rests on this: an estimate is the sum of the outcomes, each times its weight."""
    model = fit(formula, weights="class_size")
    (basis,) = model.estimates().basis
    np.testing.assert_allclose(basis.weights.T @ model.design.y, model.solution.beta, rtol=1e-6)


def test_equal_shares_are_counted_as_they_are():
    entering, equal = shares(np.array([[1.0], [-1.0], [1.0], [0.0]]), np.array([0, 1, 2, 3]))
    assert entering.tolist() == [3]
    assert equal.tolist() == [3.0]
    # of two units, one with 9 times the other's weight squared: 1 / (0.9² + 0.1²)
    assert shares(np.array([[3.0], [1.0]]), np.array([0, 1]))[1] == pytest.approx([1 / 0.82])


class TestStatsmodels:
    frame = staticmethod(lambda: pupils().dropna(subset=["prior", "score", "sex"]))

    def ols(self, *more: str):
        rows = self.frame()
        X = pd.DataFrame({"const": 1.0, "prior": rows["prior"], "male": (rows["sex"] == "male").astype(float)})
        return sm.OLS(rows["score"], X.assign(**{m: rows[m].astype(float) for m in more})).fit()

    def test_without_ids_it_is_refused(self):
        assert not check(self.ols()).passed

    def test_with_ids_it_passes(self):
        assert check(self.ols(), frame=self.frame()).passed

    def test_a_dummy_of_one_class_is_refused(self):
        rows = self.frame().assign(one=self.frame()["class_id"] == self.frame()["class_id"].iloc[0])
        X = pd.DataFrame({"const": 1.0, "one": rows["one"].astype(float)})
        assert not check(sm.OLS(rows["score"], X).fit(), frame=rows).passed

    def test_a_logit(self):
        rows = self.frame()
        X = pd.DataFrame({"const": 1.0, "prior": rows["prior"]})
        y = (rows["score"] > rows["score"].median()).astype(float)
        found = sm.GLM(y, X, family=sm.families.Binomial()).fit()
        assert check(found, frame=rows).passed
        few = pd.Series(0.0, rows.index)
        few.iloc[::4000] = 1.0
        assert few.sum() < 10
        assert not check(sm.GLM(few, X, family=sm.families.Binomial()).fit(), frame=rows).passed

    def test_other_results_are_refused(self):
        rows = self.frame()
        found = sm.RLM(rows["score"], sm.add_constant(rows[["prior"]])).fit()
        assert not check(found).passed


def test_a_model_from_a_file_is_checked_with_its_data(tmp_path):
    read = ht.multilevel.load_fit(safe_fit().save(tmp_path / "model.fit"))
    assert "frame=" in str(check(read).failures["needed"][0])
    assert check(read, frame=classes()).passed
    assert not check(read, frame=classes().iloc[:-50]).passed
