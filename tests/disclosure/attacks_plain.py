"""What pandas makes, which says nothing of who stands behind it; and what is said of it falsely."""

from dataclasses import replace

import numpy as np
import pandas as pd

from htresearch.disclosure import tabulate

from .districts import pupils, teachers

ATTACKS = {}


def attack(function):
    ATTACKS[function.__name__] = function
    return function


COUNTS = {"n_students": 300, "n_teachers": 12, "n_schools": 6}


# ---- plain pandas ----------------------------------------------------------------------------------------------


@attack
def a_groupby_mean():
    return pupils().groupby("zone_id")["score"].mean()


@attack
def a_crosstab():
    return pd.crosstab(pupils()["zone_id"], pupils()["sex"])


@attack
def a_pivot_table():
    return pupils().pivot_table("score", "zone_id", "sex", aggfunc="max")


@attack
def described():
    return pupils()[["score"]].describe()


@attack
def described_and_called_means():
    return pupils()[["score"]].describe(), {"statistic": "mean", "counts": COUNTS}


@attack
def maxima_called_means():
    return pupils().groupby("zone_id").agg(top=("score", "max"), score_max=("score", "max")), {
        "statistic": "mean",
        "counts": COUNTS,
    }


@attack
def several_aggregations():
    return pupils().groupby("zone_id")["score"].agg(["mean", "max"]), {"statistic": "mean", "counts": COUNTS}


@attack
def the_microdata():
    return pupils()


@attack
def the_microdata_called_means():
    return pupils()[["teacher_id", "score"]], {"statistic": "mean", "counts": COUNTS}


@attack
def a_plain_sum():
    return teachers().groupby("zone_id")["amount_yuan"].sum(), {"statistic": "sum", "counts": COUNTS}


@attack
def a_plain_mean_of_money():
    return teachers().groupby("zone_id")["amount_yuan"].mean(), {"statistic": "mean", "counts": COUNTS}


@attack
def a_plain_lambda():
    return pupils().groupby("zone_id")["score"].mean(), {"statistic": lambda s: s.max(), "counts": COUNTS}


@attack
def a_plain_mean_without_teachers():
    return pupils().groupby("zone_id")["score"].mean(), {
        "statistic": "mean",
        "counts": {"n_students": 700, "n_schools": 4},
    }


@attack
def a_plain_count_of_few():
    return pd.DataFrame({"sex": ["f", "m"], "n": [4, 200]}), {"statistic": "count", "counts": COUNTS}


@attack
def a_plain_percentage_of_few():
    return pd.DataFrame({"sex": ["f", "m"], "left_behind": [0.7, 40.0]}), {
        "statistic": "percentage",
        "counts": COUNTS,
    }


@attack
def a_plain_cell_hidden_by_hand():
    frame = pd.DataFrame({"sex": ["f", "m", "all"], "n": [np.nan, 200, 204]})
    return frame, {"statistic": "count", "counts": COUNTS}


@attack
def plain_counts_that_are_no_numbers():
    return pd.DataFrame(
        {"sex": ["f"], "score": [70.0], "n_students": ["many"], "n_teachers": [9], "n_schools": [9]}
    ), {"statistic": "mean"}


@attack
def plain_counts_beside_few():
    return pd.DataFrame({"sex": ["f"], "score": [70.0], "n_students": [4], "n_teachers": [9], "n_schools": [9]}), {
        "statistic": "mean"
    }


@attack
def a_plain_correlation_matrix_of_one_thing():
    frame = pd.DataFrame({"x": [1.0, 1.0], "y": [1.0, 1.0]}, index=["x", "y"])
    return frame, {"statistic": "correlation", "counts": COUNTS}


@attack
def a_survival_curve_of_single_persons():
    frame = pd.DataFrame(
        {"years": [1, 2, 3], "n_risk": [60, 59, 58], "n_events": [1, 1, 1], "survival": [0.98, 0.97, 0.95]}
    )
    return frame, {"statistic": "survival", "counts": COUNTS, "keys": "years"}


@attack
def a_survival_curve_to_its_end():
    frame = pd.DataFrame({"n_risk": [60, 40, 12, 2], "n_events": [20, 15, 10, 2]})
    return frame, {"statistic": "survival", "counts": COUNTS}


@attack
def a_survival_curve_whose_censored_are_few():
    frame = pd.DataFrame({"n_risk": [60, 38, 20], "n_events": [20, 15, 20]})
    return frame, {"statistic": "survival", "counts": COUNTS}


@attack
def a_groupby_not_yet_aggregated():
    return pupils().groupby("zone_id")


@attack
def a_styled_frame():
    from htresearch.appearance import table

    return table(pd.DataFrame({"n": [1]}))


@attack
def an_array():
    return np.array([1.0, 2.0])


@attack
def an_empty_frame():
    return pd.DataFrame(), {"statistic": "mean", "counts": COUNTS}


@attack
def a_name_in_a_plain_index():
    return pd.Series([70.0, 71.0], index=["T000123", "T000124"], name="score"), {
        "statistic": "mean",
        "counts": COUNTS,
    }


@attack
def values_in_a_plain_index():
    frame = pd.DataFrame({"score": [70.0]}, index=pd.Index([3], name="n"))
    return frame, {"statistic": "count", "counts": COUNTS}


# ---- said of it falsely, beside the data or without ----------------------------------------------------------------


def beside(name, make, **what):
    ATTACKS[f"beside_{name}"] = lambda: (make(pupils()), {"microdata": pupils(), **what})


beside("maxima", lambda f: f.groupby("zone_id")["score"].max(), statistic="max")
beside("maxima_called_means", lambda f: f.groupby("zone_id")["score"].max(), statistic="mean")
beside("a_lambda", lambda f: f.groupby("sex")["score"].agg(lambda s: s.max()), statistic="mean")
beside("described", lambda f: f.groupby("sex")["score"].describe(), statistic="mean", value="score")
beside("one_extreme_among_means", lambda f: f.groupby("sex").agg({"score": ["mean", "max"]}))
beside("a_teacher_each", lambda f: f.groupby("teacher_id")["score"].mean(), statistic="mean")
beside("raw_rows", lambda f: f[["sex", "score"]].head(50), statistic="mean")
beside("counts_of_its_own", lambda f: f.groupby("sex")[["score"]].mean().assign(n_teachers=99), statistic="mean")
beside(
    "a_total_without_a_part", lambda f: pd.crosstab(f["sex"], f["zone_id"], margins=True).iloc[1:], statistic="count"
)
beside("words_beside", lambda f: f.groupby("sex")[["score"]].mean().assign(who="t_0a1b2c3d4e"), statistic="mean")


def asserted(name, frame, statistic="mean", **more):
    whole = {"n_students": [120, 130, 140], "n_teachers": [5, 6, 7], "n_schools": [4, 5, 6]}
    made = pd.DataFrame({"group": ["a", "b", "c"], **whole, **frame})
    ATTACKS[f"asserted_{name}"] = lambda: (made, {"statistic": statistic, **more})


VALUES = {"score": [51.5, 52.5, 53.5]}
asserted("the_same_everywhere", {**VALUES, "n_students": 1000, "n_teachers": 50, "n_schools": 10})
asserted("more_teachers_than_pupils", {**VALUES, "n_students": 20, "n_teachers": [30, 40, 50]})
asserted("more_schools_than_teachers", {**VALUES, "n_schools": [10, 20, 30]})
asserted("more_shown_than_there_are", {"boarders": [50, 60, 700]}, "count")
asserted("a_total_less_than_its_parts", {**VALUES, "group": ["a", "b", "合计"]})
asserted("a_few_left_out_of_a_total", {**VALUES, "group": ["a", "b", "All"], "n_students": [120, 130, 253]})
asserted(
    "a_mean_outside_its_parts", {"score": [51.0, 52.0, 63.0], "group": ["a", "b", "总计"], "n_students": [1, 2, 3]}
)
asserted("classes", {**VALUES, "group": ["七年级(1)班", "七年级(2)班", "八年级3班"]})
asserted("rows_of_one_name", {**VALUES, "group": "a"})
asserted("no_names", {**VALUES, "group": [1, 2, 3]}, keys=())
asserted("coefficients", {**VALUES, "group": ["Intercept", "b", "c"]})
asserted("the_highest", {"最高分": [91.5, 92.5, 93.5]})
asserted("a_small_share_called_a_mean", {"通过率": [0.02, 0.5, 0.5]})
asserted("a_key_of_decimals", {**VALUES, "grade": [51.25, 61.75, 71.5], "group": "a"}, keys=["grade"])
asserted("another_quantile", {"99%": [91.5, 92.5, 93.5]}, "quantile", q=0.5)


@attack
def a_table_that_was_altered():
    table = tabulate(pupils().assign(few=["yes"] * 3 + ["no"] * (len(pupils()) - 3)), "few")
    return replace(table, cells=table.cells.assign(n_persons=900, n_teachers=90, n_schools=9))
