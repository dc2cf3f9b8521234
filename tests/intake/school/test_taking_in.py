"""Workbooks taken into a study: what is added, what is known, what is ended, what contradicts."""

import shutil
from datetime import date

import pandas as pd
import pytest

from htresearch.errors import IntakeError
from htresearch.intake.school import take_in
from htresearch.study import open_study

from .conftest import study_tables, write

COLUMNS = ["teacher_id", "class_id", "role", "starts_on", "ends_on", "reason_ended"]
KNOWN = [
    ("T1", "C11", "head", date(2022, 8, 20), None, None),
    ("T3", "C12", "head", date(2022, 8, 20), None, None),
    ("T3", "C16", "head", date(2022, 8, 20), None, None),
]
AUTUMN = [["2024-2025学年第一学期班主任名单"], ["班级", "班主任"], ["三(1)班", "李敏"], ["三(2)班", "张伟"]]


@pytest.fixture
def held(request, tmp_path):
    """A study with three open spells, as CSV unless a test says otherwise."""
    kind = getattr(request, "param", "csv")
    folder = tmp_path / "study"
    folder.mkdir()
    for name, frame in {**study_tables(), "appointments": pd.DataFrame(KNOWN, columns=COLUMNS)}.items():
        if kind == "csv":
            frame.to_csv(folder / f"{name}.csv", index=False)
        elif kind == "parquet":
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            (folder / name).mkdir()
            frame.to_parquet(folder / name / "part-0.parquet", index=False)
    return folder


def appointments(folder):
    frame = open_study(folder).frame("appointments").astype(object)
    frame = frame.where(frame.notna(), None).sort_values(["class_id", "starts_on"])
    return [tuple(str(v)[:10] if v is not None else None for v in row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize("held", ["csv", "parts"], indirect=True)
def test_a_new_list_ends_the_spells_that_it_shows_over(tmp_path, held, roster):
    taken = take_in(write(tmp_path / "示例小学.xlsx", {"a": AUTUMN}), held, roster)
    assert appointments(held) == [
        ("T1", "C11", "head", "2022-08-20", "2024-07-05", None),
        ("T2", "C11", "head", "2024-08-31", None, None),
        ("T3", "C12", "head", "2022-08-20", None, None),
        ("T3", "C16", "head", "2022-08-20", "2024-07-05", "graduated"),
    ]
    assert (taken.merged.added["appointments"], taken.merged.same["appointments"]) == (1, 1)
    assert "补上了结束日期" in taken.receipt.to_json()
    again = take_in(tmp_path / "示例小学.xlsx", held, roster)
    assert again.merged.added == {"appointments": 0} and again.books.ended is None


def test_what_contradicts_the_study_is_listed_by_cell_and_nothing_is_overwritten(tmp_path, held, roster):
    scores = [["2023-2024学年第一学期二年级(1)班成绩册"], ["座号", "语文"], [1, 90]]
    take_in(write(tmp_path / "示例小学.xlsx", {"a": scores}), held, roster)
    scores[2][1] = 80
    taken = take_in(write(tmp_path / "示例小学.xlsx", {"a": scores}), held, roster)
    (conflict,) = taken.merged.conflicts.itertuples()
    assert (conflict.there, conflict.new) == (90, 80)
    assert conflict.source == "示例小学.xlsx · a · B3"
    assert open_study(held).frame("outcomes")["score"].tolist() == [90]


def test_a_study_that_would_be_broken_stays_as_it_was(tmp_path, held, roster):
    rows = [
        ["2023-2024学年第一学期班主任名单"],
        ["班级", "班主任", "任职日期", "离任日期"],
        ["二(1)班", "李敏", "2022.8.1", "2023.12.1"],
    ]
    before = appointments(held)
    with pytest.raises(IntakeError) as caught:
        take_in(write(tmp_path / "示例小学.xlsx", {"a": rows}), held, roster)
    ((where, fix),) = [(str(f.where), str(f.fix)) for f in caught.value.faults]
    assert where == "示例小学.xlsx · a · B3" and "2022-08-20 至 … 是 T1" in fix
    assert appointments(held) == before
    assert [p.name for p in held.parent.iterdir() if p.name.startswith(".")] == []


def test_nothing_is_written_where_a_sheet_cannot_be_read(tmp_path, held, roster):
    copy = tmp_path / "copy"
    shutil.copytree(held, copy)
    with pytest.raises(IntakeError):
        take_in(write(tmp_path / "示例小学.xlsx", {"a": [*AUTUMN, ["三(9)班", "王静"]]}), held, roster)
    assert {p.relative_to(held): p.read_bytes() for p in held.rglob("*") if p.is_file()} == {
        p.relative_to(copy): p.read_bytes() for p in copy.rglob("*") if p.is_file()
    }
