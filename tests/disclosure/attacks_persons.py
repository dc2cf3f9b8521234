"""Tables behind which stand too few persons, teachers or schools, or whose labels or margins tell."""

from dataclasses import replace

import numpy as np
import pandas as pd

from htresearch.disclosure import tabulate

from .districts import demo_pupils, demo_teachers, pupils, teachers

ATTACKS = {}


def attack(function):
    ATTACKS[function.__name__] = function
    return function


def of_teachers(frame, rows, columns=None, value=None, statistic="count", **more):
    return tabulate(frame, rows, columns, value, statistic, person="teacher_id", **more)


# ---- few persons -----------------------------------------------------------------------------------------------


@attack
def a_single_person():
    frame = pupils().copy()
    frame.loc[0, "sex"] = "unknown"
    return tabulate(frame, "school_type", "sex")


@attack
def nine_persons():
    return tabulate(pupils().groupby("sex").head(9), "sex")


@attack
def one_short_in_one_cell_of_many():
    keep = (
        pupils()["boarding"]
        | (pupils()["school_type"] != "junior")
        | (pupils().groupby("school_type").cumcount() < 12)
    )
    return tabulate(pupils()[keep], "school_type", "boarding")


@attack
def mean_of_two():
    return tabulate(pupils().iloc[[0, 900]], "zone_id", value="score", statistic="mean")


@attack
def rows_of_a_panel_are_not_persons():
    few = pupils().iloc[::600]
    return tabulate(pd.concat([few.assign(term_index=t) for t in range(6)]), "sex", value="score", statistic="mean")


@attack
def rows_counted_as_persons():
    few = pd.concat([pupils().iloc[::600]] * 20, ignore_index=True).reset_index(names="row")
    return tabulate(few, "sex", value="score", statistic="mean", person="row")


@attack
def answers_counted_as_persons():
    few = pd.concat([pupils().iloc[::600]] * 20, ignore_index=True).assign(respondent=lambda f: range(len(f)))
    return tabulate(few, "sex", person="respondent")


@attack
def persons_without_an_id():
    return tabulate(pupils().assign(student_id=None), "sex", value="score", statistic="mean")


@attack
def the_few_without_a_category():
    frame = pupils().copy()
    frame.loc[frame.index[:4], "sex"] = None
    return tabulate(frame, "sex")


@attack
def few_have_a_value():
    frame = pupils().copy()
    frame["score"] = frame["score"].where(frame.groupby("school_type").cumcount() < 5)
    return tabulate(frame, "school_type", value="score", statistic="mean")


@attack
def quasi_identifiers_crossed():
    return tabulate(pupils(), ["school_id", "grade"], ["sex", "boarding"])


@attack
def demo_quasi_identifiers_crossed():
    return tabulate(
        demo_pupils(), ["school_id", "grade" if "grade" in demo_pupils() else "entry_year"], "left_behind"
    )


@attack
def few_teachers_of_a_kind():
    return of_teachers(teachers(), "school_type", "tier")


@attack
def demo_few_teachers_of_a_kind():
    return of_teachers(demo_teachers(), "school_id", "employment")


# ---- teachers and schools behind pupils ------------------------------------------------------------------------


@attack
def the_mean_of_a_class():
    return tabulate(pupils(), "class_id", value="score", statistic="mean")


@attack
def demo_count_by_class():
    return tabulate(demo_pupils(), "class_id")


@attack
def a_class_under_another_name():
    return tabulate(pupils().assign(group=lambda f: f["class_id"].str[1:].astype(int) + 500), "group")


@attack
def a_grade_of_a_school_is_one_class():
    return tabulate(pupils(), ["school_id", "grade"], value="score", statistic="mean")


@attack
def two_classes():
    return tabulate(pupils()[pupils()["grade"] <= 2], "school_id", value="score", statistic="mean")


@attack
def three_classes_of_which_two_are_nearly_all():
    frame = pupils()[pupils()["grade"] <= 3]
    keep = (frame["grade"] < 3) | (frame.groupby("class_id").cumcount() < 3)
    return tabulate(frame[keep], "school_id", value="score", statistic="mean")


@attack
def a_frame_that_leaves_the_teachers_out():
    return tabulate(pupils().drop(columns=["teacher_id", "class_id"]), "school_id", value="score", statistic="mean")


@attack
def teachers_declared_unknown():
    return tabulate(pupils(), "school_id", value="score", statistic="mean", teacher=None)


@attack
def pupils_given_as_teachers():
    return tabulate(pupils(), ["school_id", "grade"], value="score", statistic="mean", teacher="student_id")


@attack
def one_school_of_a_type():
    frame = pupils().assign(kind=lambda f: np.where(f["school_id"] == "S0003", "special", "other"))
    return tabulate(frame, "kind", value="score", statistic="mean")


@attack
def two_schools_of_a_type():
    frame = pupils().assign(kind=lambda f: np.where(f["school_id"] < "S0002", "special", "other"))
    return tabulate(frame, "kind", "sex")


@attack
def schools_declared_unknown():
    return tabulate(pupils(), "school_type", value="score", statistic="mean", school=None)


@attack
def a_type_that_is_one_large_school():
    frame = pupils()
    keep = (frame["school_id"] == "S0000") | (frame.groupby("school_id").cumcount() < 4)
    return tabulate(frame[keep], "school_type", value="score", statistic="mean")


@attack
def an_appraisal_of_teachers_by_pupils():
    """Each of four teachers' scores stands in 30 rows: that are not 120 persons."""
    frame = pupils()[(pupils()["grade"] == 1) & pupils()["school_id"].isin(["S0000", "S0001", "S0002", "S0003"])]
    scores = dict(zip(frame["teacher_id"].unique(), [91.0, 77.0, 85.0, 64.0], strict=True))
    return tabulate(
        frame.assign(appraisal=frame["teacher_id"].map(scores)), "grade", value="appraisal", statistic="mean"
    )


@attack
def the_median_appraisal_of_teachers_by_pupils():
    frame = pupils()[(pupils()["grade"] == 1) & (pupils()["school_type"] == "junior")]
    years = {teacher: float(7 * i) for i, teacher in enumerate(frame["teacher_id"].unique())}
    return tabulate(frame.assign(years=frame["teacher_id"].map(years)), "grade", value="years", statistic="median")


# ---- labels ----------------------------------------------------------------------------------------------------


@attack
def a_row_per_teacher():
    return tabulate(pupils(), "teacher_id", value="score", statistic="mean")


@attack
def a_row_per_teacher_with_many_rows():
    frame = pd.concat([pupils().assign(teacher_id="T000001")], ignore_index=True)
    return tabulate(frame, "teacher_id")


@attack
def a_row_per_pupil():
    return tabulate(pupils().head(50), "student_id", value="score", statistic="mean")


@attack
def pseudonyms_in_another_column():
    return tabulate(pupils().assign(leader=lambda f: "class of " + f["teacher_id"].str[:6] + "0"), "leader")


@attack
def keyed_pseudonyms():
    return tabulate(
        pupils().assign(leader=np.where(pupils()["sex"] == "male", "t_0a1b2c3d4e5f60718293", "other")), "leader"
    )


@attack
def a_phone_as_a_label():
    return tabulate(pupils().assign(group=np.where(pupils()["sex"] == "male", "打13800138000", "其他")), "group")


@attack
def a_name_as_a_label():
    return tabulate(pupils().assign(group=np.where(pupils()["sex"] == "male", "班主任王兰老师", "其他")), "group")


# ---- margins, nesting, what is left out ------------------------------------------------------------------------


@attack
def a_margin_without_one_of_its_cells():
    table = tabulate(pupils(), "zone_id", "sex")
    gone = (table.cells["zone_id"] == "Z001") & (table.cells["sex"] == "female")
    return _with(table, table.cells[~gone])


@attack
def a_school_left_out_of_its_zone():
    table = tabulate(pupils(), ["zone_id", "school_id"])
    return _with(table, table.cells[table.cells["school_id"] != "S0003"])


def _with(table, cells):
    return replace(table, cells=cells)


@attack
def a_small_school_in_a_zone():
    frame = pupils()
    return tabulate(
        frame[(frame["school_id"] != "S0003") | (frame.groupby("school_id").cumcount() < 6)], ["zone_id", "school_id"]
    )


@attack
def nobody_of_a_kind():
    frame = teachers()[(teachers()["tier"] != "chief") | (teachers()["school_type"] != "junior")]
    frame = frame[frame["tier"] != "backbone"]
    return of_teachers(frame.assign(tier=frame["tier"].replace("chief", "x")), "school_type", "tier")


@attack
def everybody_of_a_kind():
    frame = pupils()[(pupils()["school_id"] != "S0003") | pupils()["boarding"]]
    return tabulate(frame, "school_id", "boarding")


@attack
def everybody_of_a_kind_by_nested_rows():
    frame = pupils()[(pupils()["school_id"] != "S0003") | pupils()["boarding"]]
    return tabulate(frame, ["school_id", "boarding"], margins=False)


@attack
def everybody_of_a_kind_without_margins():
    frame = pupils()[(pupils()["zone_id"] != "Z001") | ~pupils()["boarding"]]
    return tabulate(frame, "zone_id", "boarding", value="score", statistic="mean", margins=False)


@attack
def everyone_the_same_mark():
    frame = pupils().assign(score=lambda f: f["score"].where(f["zone_id"] != "Z001", 60.0))
    return tabulate(frame, "zone_id", value="score", statistic="mean")


@attack
def no_spread():
    frame = pupils().assign(score=lambda f: f["score"].where(f["zone_id"] != "Z001", 60.0))
    return tabulate(frame, "zone_id", value="score", statistic="sd")


@attack
def nobody_got_anything():
    frame = teachers().assign(amount_yuan=lambda f: f["amount_yuan"].where(f["zone_id"] != "Z002", 0.0))
    return of_teachers(frame, "zone_id", value="amount_yuan", statistic="sum")
