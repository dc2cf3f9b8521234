"""A small study of three schools, its roster, and a way to read sheets as a school would send them."""

from datetime import date

import pandas as pd
import pytest
import xlsxwriter

from htresearch.errors import IntakeError
from htresearch.intake.school import Roster, read_workbooks
from htresearch.study import open_study

TERMS = {
    "2023-1": (date(2023, 9, 1), date(2024, 1, 20)),
    "2023-2": (date(2024, 2, 20), date(2024, 7, 5)),
    "2024-1": (date(2024, 9, 1), date(2025, 1, 20)),
    "2024-2": (date(2025, 2, 20), date(2025, 7, 5)),
}
CLASSES = [
    ("C11", "S1", "primary", 2022, 1, 1),
    ("C12", "S1", "primary", 2022, 1, 2),
    ("C16", "S1", "primary", 2018, 1, 1),
    ("C21", "S2", "junior", 2023, 7, 3),
    ("C22", "S2", "junior", 2023, 7, 4),
    ("C31", "S3", "primary", 2023, 1, 3),
    ("C32", "S3", "junior", 2023, 7, 3),
]
TEACHERS = [
    ("T1", "王静", "S1"),
    ("T2", "李敏", "S1"),
    ("T3", "张伟", "S1"),
    ("T4", "陈杰", "S2"),
    ("T5", "周芳", "S2"),
    ("T6", "王静", "S2"),
    ("T7", "刘洋", "S3"),
    ("T8", "刘洋", "S3"),
    ("T9", "古丽·热娜", "S3"),
]
PUPILS = ("林一诺", "高子轩", "高子轩", "宋清越")


def study_tables() -> dict[str, pd.DataFrame]:
    schools = [("S1", "Z1", "primary"), ("S2", "Z1", "junior"), ("S3", None, "nine_year")]
    pupils = [f"P{c[1:]}{i}" for c, *_ in CLASSES for i in range(1, 5)]
    classes = [c for c, *_ in CLASSES for _ in range(4)]
    return {
        "schools": pd.DataFrame(schools, columns=["school_id", "zone_id", "school_type"]).assign(
            ownership="public", location="urban"
        ),
        "terms": pd.DataFrame(
            [(t, f"{t[:4]}-{int(t[:4]) + 1}", t[-1], *days) for t, days in TERMS.items()],
            columns=["term_id", "school_year", "term", "starts_on", "ends_on"],
        ),
        "classes": pd.DataFrame(
            CLASSES, columns=["class_id", "school_id", "stage", "entry_year", "entry_grade", "class_no"]
        ),
        "teachers": pd.DataFrame({"teacher_id": [t for t, *_ in TEACHERS]}).assign(
            sex="female",
            birth_year=1985,
            entered_on=date(2010, 8, 15),
            employment="permanent",
            degree="bachelor",
            title="first",
            subject="语文",
        ),
        "students": pd.DataFrame({"student_id": pupils}).assign(sex="male", ses_index=0.0, only_child=True),
        "enrolments": pd.DataFrame({"student_id": pupils, "class_id": classes}).assign(
            starts_on=date(2023, 8, 25),
            ends_on=None,
            boarding=False,
            left_behind=False,
            migrant=False,
            inclusive=False,
        ),
    }


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The study's folder; tests that write into one copy it."""
    made = tmp_path_factory.mktemp("study")
    for name, frame in study_tables().items():
        frame.to_csv(made / f"{name}.csv", index=False)
    return made


@pytest.fixture(scope="session")
def study(folder):
    return open_study(folder)


@pytest.fixture(scope="session")
def roster():
    pupils = [
        (f"P{c[1:]}{i}", name, c, f"L999999{year}0000{c[1:]}{i:02d}", f"{year}{no:02d}{i:02d}", i)
        for c, _, _, year, _, no in CLASSES
        for i, name in enumerate(PUPILS, 1)
    ]
    return Roster(
        pd.DataFrame(
            [("S1", "示例小学"), ("S2", "示例中学"), ("S3", "示例学校"), ("S3", "示例九年一贯制学校")],
            columns=["school_id", "name"],
        ),
        pd.DataFrame(TEACHERS, columns=["teacher_id", "name", "school_id"]),
        pd.DataFrame(pupils, columns=["student_id", "name", "class_id", "student_number", "number", "seat"]),
    )


def write(path, sheets, merged=None, hidden=()):
    """Write sheets of rows; `merged` lists ranges such as A1:C1 by sheet."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy/m/d"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    if value is not None:
                        sheet.write(i, j, value)
            for area in (merged or {}).get(name, ()):
                corner = area.split(":")[0]
                row, column = int(corner[1:]) - 1, ord(corner[0]) - 65
                sheet.merge_range(area, rows[row][column])
            if name in hidden:
                sheet.hide()
    return path


@pytest.fixture
def read(tmp_path, study, roster):
    """Write sheets into a workbook named after a school and read it."""

    def reader(sheets, *, file="示例小学.xlsx", merged=None, hidden=(), measures=None):
        sheets = sheets if isinstance(sheets, dict) else {"Sheet1": sheets}
        return read_workbooks(write(tmp_path / file, sheets, merged, hidden), study, roster, measures)

    return reader


@pytest.fixture
def refused(read):
    """Read sheets that cannot be read, and return what is said: place, rule and fix of each fault."""

    def reader(sheets, **how):
        with pytest.raises(IntakeError) as caught:
            read(sheets, **how)
        return [(str(f.where), str(f.rule), str(f.fix), f.value) for f in caught.value.faults]

    return reader
