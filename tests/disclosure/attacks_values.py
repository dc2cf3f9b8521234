"""Statistics that tell a value: percentages, amounts, positions."""

import numpy as np

from htresearch.disclosure import tabulate

from .districts import demo_money, pupils, teachers

ATTACKS = {}


def attack(function):
    ATTACKS[function.__name__] = function
    return function


def of_teachers(frame, rows, columns=None, value=None, statistic="count", **more):
    return tabulate(frame, rows, columns, value, statistic, person="teacher_id", **more)


# ---- percentages -----------------------------------------------------------------------------------------------


@attack
def a_percentage_near_nought():
    flag = pupils().groupby("zone_id").cumcount() < 3
    return tabulate(pupils().assign(incident=flag), "zone_id", value="incident", statistic="percentage")


@attack
def a_percentage_near_all():
    flag = pupils().groupby("zone_id").cumcount() >= 3
    return tabulate(pupils().assign(passed=flag), "zone_id", value="passed", statistic="percentage")


@attack
def a_percentage_of_all():
    return tabulate(pupils().assign(passed=1), "zone_id", value="passed", statistic="percentage")


@attack
def a_percentage_as_a_mean():
    flag = (pupils().groupby("zone_id").cumcount() < 3).astype(float) * 2 - 1
    return tabulate(pupils().assign(incident=flag), "zone_id", value="incident", statistic="mean")


@attack
def a_percentage_with_one_odd_value():
    flag = (pupils().groupby("zone_id").cumcount() >= 3).astype(float)
    flag.iloc[-1] = 2
    return tabulate(pupils().assign(passed=flag), "zone_id", value="passed", statistic="mean")


@attack
def a_percentage_as_a_standard_deviation():
    flag = (pupils().groupby("zone_id").cumcount() < 3).astype(float)
    return tabulate(pupils().assign(incident=flag), "zone_id", value="incident", statistic="sd")


@attack
def a_count_as_a_sum():
    flag = (pupils().groupby("zone_id").cumcount() < 3).astype(int)
    return tabulate(pupils().assign(incident=flag), "zone_id", value="incident", statistic="sum")


@attack
def row_percentages_of_few():
    kind = np.where(pupils().groupby("zone_id").cumcount() < 5, "yes", "no")
    return tabulate(pupils().assign(incident=kind), "zone_id", "incident", statistic="percentage")


# ---- amounts ---------------------------------------------------------------------------------------------------


@attack
def one_dominant_allowance():
    frame = teachers().copy()
    frame.loc[5, "amount_yuan"] = 900_000
    return of_teachers(frame, "zone_id", value="amount_yuan", statistic="sum")


@attack
def two_dominant_allowances_as_a_mean():
    frame = teachers().copy()
    frame.loc[[5, 130], "amount_yuan"] = 500_000
    return of_teachers(frame, "zone_id", value="amount_yuan", statistic="mean")


@attack
def demo_one_dominant_allowance():
    frame = demo_money().copy()
    frame.loc[frame.index[0], "amount_yuan"] = 5e7
    return of_teachers(frame, "zone_id", value="amount_yuan", statistic="sum")


@attack
def the_second_largest_knows_the_largest():
    frame = teachers().assign(amount_yuan=0.5)
    frame.loc[[0, 120], "amount_yuan"] = [1000.0, 900.0]
    return of_teachers(frame, "zone_id", value="amount_yuan", statistic="sum")


@attack
def few_got_anything():
    amount = np.where(teachers().groupby("zone_id").cumcount() < 4, 500.0, 0.0)
    return of_teachers(teachers().assign(amount_yuan=amount), "zone_id", value="amount_yuan", statistic="mean")


@attack
def a_filter_hidden_in_the_data():
    mine = pupils()["score"].where(pupils()["student_id"] == "P00000005", 0.0)
    return tabulate(pupils().assign(score=mine), "zone_id", value="score", statistic="sum")


@attack
def one_value_hidden_in_a_shift():
    mine = pupils()["wellbeing"] + 1e6 * (pupils()["student_id"] == "P00000005")
    return tabulate(pupils().assign(wellbeing=mine), "zone_id", value="wellbeing", statistic="mean")


@attack
def one_value_as_a_spread():
    mine = pupils()["score"].where(pupils()["student_id"] == "P00000005", 70.0)
    mine = mine.where(pupils().index != 5, 12.0) + pupils()["wellbeing"] / 100
    return tabulate(pupils().assign(score=mine), "zone_id", value="score", statistic="sd")


@attack
def a_weight_that_picks_one():
    weight = np.where(pupils()["student_id"] == "P00000005", 1e6, 1e-3)
    return tabulate(pupils().assign(w=weight), "zone_id", value="score", statistic="mean", weight="w")


@attack
def weights_of_nought():
    weight = (pupils().groupby("zone_id").cumcount() < 4).astype(float)
    return tabulate(pupils().assign(w=weight), "zone_id", value="score", statistic="mean", weight="w")


@attack
def a_weighted_percentage_that_picks_one():
    weight = np.where(pupils()["student_id"] == "P00000005", 1e6, 1e-3)
    frame = pupils().assign(w=weight)
    return tabulate(frame, "zone_id", value="boarding", statistic="percentage", weight="w")


@attack
def a_ratio_whose_denominator_is_one_persons():
    below = np.where(pupils()["student_id"] == "P00000005", 7.0, 0.0)
    return tabulate(pupils().assign(below=below), "sex", value="score", statistic="ratio", second="below")


@attack
def a_ratio_whose_numerator_is_one_persons():
    above = pupils()["score"].where(pupils()["student_id"] == "P00000005", 0.0)
    return tabulate(pupils().assign(above=above, one=1.0), "sex", value="above", statistic="ratio", second="one")


# ---- positions -------------------------------------------------------------------------------------------------


@attack
def maximum():
    return tabulate(pupils(), "zone_id", value="score", statistic="max")


@attack
def minimum():
    return tabulate(pupils(), "zone_id", value="score", statistic="min")


@attack
def demo_largest_allowance():
    return of_teachers(demo_money(), "kind", value="amount_yuan", statistic="max")


@attack
def first():
    return tabulate(pupils(), "zone_id", value="score", statistic="first")


@attack
def last():
    return tabulate(pupils(), "zone_id", value="score", statistic="last")


@attack
def a_lambda():
    return tabulate(pupils(), "zone_id", value="score", statistic=lambda values: values.max())


@attack
def a_function_that_is_called_mean():
    def mean(values):
        return values.iloc[0]

    return tabulate(pupils(), "zone_id", value="score", statistic=mean)


@attack
def numpys_maximum():
    return tabulate(pupils(), "zone_id", value="score", statistic=np.max)


@attack
def an_unknown_statistic():
    return tabulate(pupils(), "zone_id", value="score", statistic="nlargest")


@attack
def a_quantile_of_few():
    return tabulate(pupils(), "zone_id", value="score", statistic="quantile", q=0.99)


@attack
def a_quantile_beyond_everybody():
    return tabulate(pupils(), "zone_id", value="score", statistic="quantile", q=1e-9)


@attack
def a_median_of_twelve():
    return tabulate(pupils().iloc[::360], "sex", value="score", statistic="median", margins=False)


@attack
def a_correlation_of_few():
    return tabulate(pupils().iloc[::400], "sex", value="score", statistic="correlation", second="wellbeing")


@attack
def a_correlation_of_one():
    return tabulate(
        pupils().assign(twice=lambda f: 3 - 2 * f["score"]),
        "sex",
        value="score",
        statistic="correlation",
        second="twice",
    )


@attack
def a_correlation_made_by_one():
    mine = 1e6 * (pupils()["student_id"] == "P00000005") + pupils()["wellbeing"]
    return tabulate(pupils().assign(x=mine), "sex", value="x", statistic="correlation", second="score")


@attack
def a_correlation_of_two_rare_flags():
    flag = (pupils().groupby("zone_id").cumcount() < 100).astype(int)
    rare = (pupils().groupby("zone_id").cumcount() < 15).astype(int)
    return tabulate(pupils().assign(a=flag, b=rare), "zone_id", value="a", statistic="correlation", second="b")
