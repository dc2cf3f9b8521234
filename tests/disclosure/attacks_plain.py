"""What pandas makes, which says nothing of who stands behind it; and what is said of it falsely."""

import numpy as np
import pandas as pd

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
