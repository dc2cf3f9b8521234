"""Tables that give nobody away: each a function that returns what `check` is asked."""

import numpy as np
import pandas as pd

from htresearch.disclosure import tabulate

from .districts import demo_money, demo_pupils, demo_teachers, pupils, teachers

SAFE = {}
COUNTS = {"n_students": 700, "n_teachers": 24, "n_schools": 4}


def safe(function):
    SAFE[function.__name__] = function
    return function


def of_teachers(frame, rows, columns=None, value=None, statistic="count", **more):
    return tabulate(frame, rows, columns, value, statistic, person="teacher_id", **more)


def simple(name, *args, frame=pupils, **more):
    """Keep a table of pupils, or of another frame."""
    SAFE[name] = lambda: tabulate(frame(), *args, **more)


simple("pupils_by_sex", "sex")
simple("pupils_by_type", "school_type")
simple("pupils_by_type_and_sex", "school_type", "sex")
simple("pupils_by_zone_and_sex", "zone_id", "sex")
simple("pupils_by_zone_and_school", ["zone_id", "school_id"])
simple("pupils_by_zone_school_and_sex", ["zone_id", "school_id"], "sex")
simple("pupils_by_zone_school_and_boarding", ["zone_id", "school_id"], "boarding")
simple("pupils_by_type_and_grade", "school_type", "grade")
simple("pupils_by_grade_and_sex_without_margins", "grade", "sex", margins=False)
simple("pupils_by_type_and_tier_of_teacher", "school_type", "tier")
simple("boarders_as_percentage", "zone_id", value="boarding", statistic="percentage")
simple("boarders_as_mean", "zone_id", value="boarding", statistic="mean")
simple("boarders_as_sum", "zone_id", value="boarding", statistic="sum")
simple("boarders_by_school", "school_id", value="boarding", statistic="percentage")
simple("only_children_by_type_and_sex", "school_type", "sex", "only_child", "percentage")
simple("row_percentages", "school_type", "boarding", statistic="percentage")
simple("mean_score", "school_type", value="score", statistic="mean")
simple("mean_score_by_zone_and_school", ["zone_id", "school_id"], value="score", statistic="mean")
simple("mean_score_by_type_and_sex", "school_type", "sex", "score", "mean")
simple("mean_of_a_signed_scale", "zone_id", "sex", "wellbeing", "mean")
simple("weighted_mean", "zone_id", value="score", statistic="mean", weight="weight")
simple("weighted_percentage", "zone_id", value="boarding", statistic="percentage", weight="weight")
simple("standard_deviation", "zone_id", "sex", "score", "sd")
simple("median", "school_id", value="score", statistic="median")
simple("quartile", "zone_id", "sex", "score", "quantile", q=0.25)
simple("tenth_centile", "zone_id", value="score", statistic="quantile", q=0.1)
simple("visits_per_pupil", "zone_id", value="visits", statistic="mean")
simple("all_visits", "zone_id", value="visits", statistic="sum")
simple("visits_per_score", "zone_id", value="visits", statistic="ratio", second="score")
simple("correlation", "zone_id", value="score", statistic="correlation", second="wellbeing")
simple("correlation_with_a_flag", "zone_id", value="score", statistic="correlation", second="boarding")
simple("correlation_of_two_flags", "zone_id", value="only_child", statistic="correlation", second="boarding")
simple("an_answer_of_one_to_five", "school_type", value="answer", statistic="mean")
simple("answers_counted", "zone_id", "answer")
simple("a_class_for_its_teacher", "zone_id", frame=lambda: pupils().drop(columns="teacher_id"))
simple("demo_pupils_by_type", "school_type", frame=demo_pupils)
simple("demo_pupils_by_stage_and_sex", "stage", "sex", frame=demo_pupils)
simple("demo_pupils_by_school", ["zone_id", "school_id"], frame=demo_pupils)
simple("demo_schools_and_stages", "school_type", "stage", frame=demo_pupils)
simple("demo_left_behind", "stage", value="left_behind", statistic="percentage", frame=demo_pupils)
simple("demo_left_behind_and_location", "location", "left_behind", frame=demo_pupils)
simple("demo_ses_by_stage", "stage", value="ses_index", statistic="mean", frame=demo_pupils)
simple("demo_ses_spread", "stage", "sex", "ses_index", "sd", frame=demo_pupils)


@safe
def teachers_by_sex():
    return of_teachers(teachers(), "sex")


@safe
def teachers_by_type_and_sex():
    return of_teachers(teachers(), "school_type", "sex")


@safe
def teachers_by_tier():
    return of_teachers(teachers(), "tier")


@safe
def allowances_by_zone():
    return of_teachers(teachers(), "zone_id", value="amount_yuan", statistic="sum")


@safe
def mean_allowance_by_tier():
    return of_teachers(teachers(), "tier", value="amount_yuan", statistic="mean")


@safe
def allowance_per_year_served():
    return of_teachers(teachers(), "zone_id", value="amount_yuan", statistic="ratio", second="years")


@safe
def burnout_by_tier():
    return of_teachers(teachers(), "tier", value="burnout", statistic="mean")


@safe
def burnout_of_schools():
    return of_teachers(teachers(), "school_id", value="burnout", statistic="mean")


@safe
def excellent_by_type():
    return of_teachers(teachers(), "school_type", value="excellent", statistic="percentage")


@safe
def median_years():
    return of_teachers(teachers(), "school_type", value="years", statistic="median")


@safe
def demo_teachers_by_stage():
    return of_teachers(demo_teachers(), "stage", "sex")


@safe
def demo_allowances():
    money = demo_money()
    return of_teachers(money[money["kind"] == "performance_pay"], "zone_id", value="amount_yuan", statistic="sum")


@safe
def a_panel_of_six_terms():
    panel = pd.concat([pupils().assign(term_index=t) for t in range(6)], ignore_index=True)
    return tabulate(panel, "term_index", "sex", "score", "mean")


@safe
def a_long_table_of_two_measures():
    long = pupils().melt(["student_id", "teacher_id", "school_id", "sex"], ["score", "visits"], "measure", "value")
    return tabulate(long, "measure", "sex", "value", "mean")


@safe
def missing_values_of_many():
    return tabulate(pupils().assign(sex=pupils()["sex"].where(np.arange(len(pupils())) % 3 > 0)), "sex")


@safe
def a_plain_mean_with_counts():
    by = pupils()[7:].groupby("zone_id")  # zones of exactly one size look as if somebody had typed them
    frame = (
        by["score"]
        .mean()
        .to_frame()
        .join(
            by.agg(
                n_students=("student_id", "nunique"),
                n_teachers=("teacher_id", "nunique"),
                n_schools=("school_id", "nunique"),
            )
        )
    )
    return frame, {"statistic": "mean"}


@safe
def a_plain_mean_with_counts_beside():
    return pupils().groupby("zone_id")["score"].mean(), {"statistic": "mean", "counts": COUNTS}


@safe
def a_plain_count():
    return pd.DataFrame({"sex": ["f", "m"], "n": [340, 360]}), {"statistic": "count", "counts": COUNTS}


@safe
def a_plain_percentage():
    return pd.DataFrame({"sex": ["f", "m"], "boarding": [31.0, 40.0]}), {"statistic": "percentage", "counts": COUNTS}


@safe
def a_plain_share():
    return pd.DataFrame({"sex": ["f", "m"], "boarding": [0.31, 0.4]}), {"statistic": "share", "counts": COUNTS}


@safe
def a_plain_median():
    return pupils().groupby("zone_id")["score"].median(), {"statistic": "median", "counts": COUNTS}


@safe
def a_plain_standard_deviation():
    return pupils().groupby("zone_id")["score"].std(), {"statistic": "sd", "counts": COUNTS}


@safe
def a_plain_correlation():
    frame = pd.DataFrame({"pair": ["score, wellbeing"], "r": [0.31]})
    return frame, {"statistic": "correlation", "counts": COUNTS}


@safe
def a_plain_crosstab_of_means():
    frame = pupils().pivot_table("score", "zone_id", "sex", aggfunc="mean")
    return frame, {"statistic": "mean", "counts": COUNTS}


@safe
def a_plain_frame_of_teachers():
    frame = pd.DataFrame(
        {"tier": ["ordinary", "chief"], "burnout": [3.1, 2.9], "n_teachers": [280, 48], "n_schools": 24}
    )
    return frame, {"statistic": "mean"}


@safe
def a_survival_curve_of_many():
    frame = pd.DataFrame({"years": [1, 2, 3], "n_risk": [400, 350, 300], "n_events": [50, 50, 40]})
    return frame, {"statistic": "survival", "counts": COUNTS, "keys": "years"}


@safe
def a_table_made_plain_again():
    return tabulate(pupils(), "zone_id", value="score", statistic="mean").tidy(), {"statistic": "mean"}


# ---- what pandas makes, beside the data that it was made from ------------------------------------------------------


def beside(name, make, **what):
    SAFE[f"beside_{name}"] = lambda: (make(pupils()), {"microdata": pupils(), **what})


beside("a_mean", lambda f: f.groupby("zone_id")["score"].mean(), statistic="mean")
beside("a_rounded_mean", lambda f: f.groupby("zone_id")[["score"]].mean().round(1).reset_index(), statistic="mean")
beside("two_statistics", lambda f: f.groupby("sex").agg({"score": ["mean", "std", "median"]}))
beside("a_named_column", lambda f: f.groupby("sex").agg(average=("score", "mean")), statistic="mean", value="score")
beside("a_size", lambda f: f.groupby("sex").size(), statistic="count")
beside("counted_values", lambda f: f["sex"].value_counts(normalize=True), statistic="share")
beside("a_cross_table", lambda f: pd.crosstab(f["school_type"], f["sex"], margins=True), statistic="count")
beside("shares_of_rows", lambda f: pd.crosstab(f["zone_id"], f["sex"], normalize="index"), statistic="share")
beside(
    "a_pivot_table",
    lambda f: f.pivot_table("score", "zone_id", "sex", margins=True),
    statistic="mean",
    value="score",
)
beside("groups_across", lambda f: f.groupby("sex")[["score"]].mean().T, statistic="mean")
beside("nullable", lambda f: f.convert_dtypes().groupby("sex")["score"].mean(), statistic="mean")
