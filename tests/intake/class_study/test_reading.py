"""A class study is read the same whichever way it comes, and what surely means something is understood."""

import shutil
import subprocess
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from htresearch.errors import ArgumentError, IntakeError
from htresearch.intake.class_study import Plan, from_frame, read_class_study, read_plan, write_workbook
from htresearch.intake.class_study.study import RECORDS
from intake.class_study import filling
from intake.class_study.filling import STARTED, VALUES, another, days, filled, merge, plan, records, rename


@pytest.fixture
def form(tmp_path):
    return filled(tmp_path / "a.xlsx")


def values(path):
    return read_class_study(path).records["value"].tolist()


def notes(study):
    return [note.zh for note in study.note]


def test_a_filled_workbook_is_read_back(form):
    study = read_class_study(form)
    assert study.plan.starts == (days()[STARTED - 1],)
    assert (study.plan.scale, study.plan.improvement, study.plan.design) == ("count", "decrease", "AB")
    assert (study.plan.start, study.plan.earliest, study.plan.latest) == ("drawn", 6, 15)
    assert (study.plan.school, study.plan.class_name) == ("示范小学", "五(2)班")
    assert study.plan.decided_on == date(2025, 8, 30)
    frame = study.records
    assert tuple(frame.columns) == RECORDS
    assert frame["session"].tolist() == list(range(1, 21))
    assert frame["date"].dt.date.tolist() == days()
    assert frame["phase"].tolist() == ["A"] * 10 + ["B"] * 10
    assert study.values("B") == list(VALUES[10:])
    assert frame["as_planned"].tolist() == [True] * 20
    assert frame.set_index("session")["second_value"].dropna().to_dict() == {3: 6, 12: 2}
    assert frame["remark"].tolist() == ["", "", "", "下雨", *[""] * 16]
    assert (study.source, study.note, study.changes) == ("a.xlsx", (), ())


def test_workbook_text_tables_and_frame_give_the_same_study(form, tmp_path):
    study = read_class_study(form)
    chinese = study.records.drop(columns=["run", "session"]).rename(
        columns={"date": "日期", "value": "记录值", "phase": "阶段", "as_planned": "按计划", "remark": "备注"}
    )
    chinese.to_csv(tmp_path / "gbk.csv", index=False, encoding="gbk")
    study.records.to_csv(tmp_path / "utf8.csv", index=False, encoding="utf-8")
    others = [
        read_class_study(tmp_path / "gbk.csv", study.plan),
        read_class_study(tmp_path / "utf8.csv", study),
        read_class_study(tmp_path / "utf8.csv", form),
        from_frame(study.records, study.plan),
        from_frame(chinese, {"starts": list(study.plan.starts), **fields(replace(study.plan, starts=()))}),
    ]
    for other in others:
        pd.testing.assert_frame_equal(other.records, study.records)
        assert other.plan == study.plan
        assert other.plan.fingerprint == study.plan.fingerprint
        assert other.note == study.note


def fields(plan):
    return {name: value for name, value in vars(plan).items() if value}


def test_the_phases_written_down_stand_for_the_days_of_the_plan(form):
    study = read_class_study(form)
    given = replace(study.plan, starts=())
    again = from_frame(study.records, given)
    assert again.plan == study.plan
    with pytest.raises(ArgumentError, match=r"starts.*没有填从哪天开始"):
        from_frame(study.records.drop(columns=["phase"]), given)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_a_workbook_that_libreoffice_saved_again_is_read_the_same(form, tmp_path, ending):
    study = read_class_study(form)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", ending]
    subprocess.run([*command, "--outdir", tmp_path / "again", form], check=True, capture_output=True, timeout=120)
    again = read_class_study(tmp_path / "again" / f"a.{ending}")
    pd.testing.assert_frame_equal(again.records, study.records)
    assert (again.plan, again.study_id, again.note) == (study.plan, study.study_id, study.note)


# --- what is understood ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("１２", 12), ("12次", 12), ("12 人次", 12), (" 12 ", 12), ("12.0", 12), (12.0, 12), ("１２ 份", 12),
        ("十二", 12), ("十二次", 12), ("1,200", 1200), ("0", 0), ("'12", None),
    ],
)  # fmt: skip
def test_numbers_are_understood(form, written, meant):
    records(form, {"C6": written})
    if meant is None:
        with pytest.raises(IntakeError, match="C6"):
            values(form)
    else:
        assert values(form)[1] == meant


@pytest.mark.parametrize("said", ["缺", "无", "未记录", "请假", "—", "/", "N/A", "missing", " 缺 ", None])
def test_what_was_not_recorded_is_missing_and_counted(form, said):
    study = read_class_study(records(form, {"C6": said}))
    assert np.isnan(study.records["value"][1])
    assert notes(study)[0] == "1 条记录没有值（空着，或写了“缺”“请假”之类），按缺失处理"
    assert ("请填 0" in notes(study)[-1]) == (said == "无")


@pytest.mark.parametrize(
    "written",
    ["2025.9.2", "2025-9-2", "2025/9/2", "2025年9月2日", "２０２５．９．２", "20250902", 45902, 45902.0, "45902",
     "9月2日", "9.2", "2025年9月2日星期二", "2025-09-02 07:50", "2 Sep 2025"],
)  # fmt: skip
def test_days_are_understood(form, written):
    study = read_class_study(records(form, {"B6": written}))
    assert study.records["date"][1] == datetime(2025, 9, 2)


def test_days_without_a_year_follow_from_the_start_across_new_year(form):
    given = [date(2025, 12, d) for d in range(20, 30)] + [date(2026, 1, d) for d in range(5, 15)]
    records(form, {f"B{row}": f"{day.month}月{day.day}日" for row, day in enumerate(given, filling.FIRST)})
    study = read_class_study(plan(form, 改变从哪天开始=date(2026, 1, 5)))
    assert study.records["date"].dt.date.tolist() == given
    assert "20 个日期没有写年份，按前后的日期补上" in notes(study)


@pytest.mark.parametrize(("said", "meant"), [
    ("√", True), ("是", True), ("做了", True), ("Yes", True), (True, True), (1, True),
    ("×", False), ("否", False), ("没做", False), (False, False), ("缺", pd.NA), (None, pd.NA),
])  # fmt: skip
def test_whether_it_went_as_planned(form, said, meant):
    found = read_class_study(records(form, {"D6": said})).records["as_planned"][1]
    assert found is meant or found == meant


@pytest.mark.parametrize(
    ("out_of", "unit", "written", "meant"),
    [
        (100, "%", "85%", 85),
        (100, "%", "８５％", 85),
        (100, "%", 85.5, 85.5),
        (42, "人", "38/42", 38),
        (42, "人", "38人", 38),
    ],
)
def test_shares(form, out_of, unit, written, meant):
    plan(form, 记录的是="总数中的几个（或百分之几）", 单位=unit, 总数=out_of, 怎样算好="越多越好")
    assert values(records(form, {"C6": written}))[1] == meant


def test_choices_are_understood_in_other_words(form):
    plan(form, 记录的是="count", 怎样算好="越低越好", 怎样安排="ab", 开始日怎样定的="抽签")
    study = read_class_study(plan(form, **{"抽到从第几条记录起改": "第11条", "抽签范围：最晚从第几条记录起": "１５"}))
    assert (study.plan.scale, study.plan.improvement, study.plan.design) == ("count", "decrease", "AB")
    assert study.plan.latest == 15


def test_the_day_of_the_start_follows_from_the_record_that_was_drawn(form):
    study = read_class_study(plan(form, 改变从哪天开始=None))
    assert study.plan.starts == (days()[STARTED - 1],)


def test_blank_and_prepared_rows_are_passed_over(form):
    for column in "BCD":
        records(form, {f"{column}9": None})
    more = {"B25": date(2025, 9, 29), "B26": date(2025, 9, 30)}
    plan(form, 抽到从第几条记录起改=10)
    study = read_class_study(records(form, more))
    assert study.records["session"].tolist() == list(range(1, 20))
    assert notes(study) == [
        "最后有 2 行只写了日期，还没有记录，没有读入",
        "序号与记录的先后不一致（中间有空行，或改过序号），按记录的先后从 1 数起",
    ]


def test_a_day_with_a_date_alone_among_the_others_is_a_missing_record(form):
    study = read_class_study(records(form, {"C9": None, "D9": None}))
    assert len(study.records) == 20
    assert np.isnan(study.records["value"][4])


def test_other_sheets_and_columns_are_no_fault(form):
    another(form, "课表")
    records(form, {"J3": "我的想法", "J8": "好多了", "H3": "星期", "H9": "五"})
    study = read_class_study(form)
    assert study.values("A") == list(VALUES[:10])
    assert notes(study) == ["多出来的工作表“课**”没有读入", "没有读的列：H 星**、J 我**"]


def test_sheets_may_be_renamed_where_their_headings_leave_no_doubt(form):
    rename(rename(form, "每天记录", "10月"), "我的计划", "plan")
    study = read_class_study(form)
    assert study.values("A") == list(VALUES[:10])
    assert notes(study) == ["工作表“plan”当作“我的计划”读入", "工作表“10月”当作“每天记录”读入"]


def test_sheets_may_stand_in_another_order(form):
    shown = filling.change(
        form, "xl/workbook.xml", 'name="我的计划" sheetId="2" r:id="rId2"', 'name="例子" sheetId="2" r:id="rId4"'
    )
    filling.change(
        shown, "xl/workbook.xml", 'name="例子" sheetId="4" r:id="rId4"', 'name="我的计划" sheetId="4" r:id="rId2"'
    )
    assert values(form) == list(VALUES)


def test_the_finished_example_is_not_read_whatever_it_is_called(form):
    study = read_class_study(rename(form, "例子", "示范"))
    assert study.values("A") == list(VALUES[:10])


def test_merged_cells_beside_the_records_and_remarks_for_several_days_are_harmless(form):
    merge(merge(merge(form, "F8:F10"), "J4:K6"), "B40:D41")
    study = read_class_study(form)
    assert study.records["remark"][3] == "下雨"


def test_hidden_rows_are_records(form):
    filling.change(form, filling.RECORDS, '<row r="6"', '<row hidden="1" r="6"')
    assert values(form) == list(VALUES)


def test_what_identifies_somebody_is_taken_out_of_remarks(form):
    study = read_class_study(records(form, {"F9": "电话13800138000", "F10": "座号：12 打人"}))
    assert "13800138000" not in study.records["remark"][4]
    assert notes(study) == ["备注里有 2 处电话、证件号、姓名之类能认出人的内容，已经去掉；原来的文件里也请删去"]


def test_a_plan_settled_late_is_said_and_so_is_one_without_a_day(form):
    assert notes(read_class_study(plan(form, 计划定于哪天=date(2025, 9, 8)))) == [
        "计划定于 2025-09-08，晚于第一条记录（2025-09-01）：不是事先定的"
    ]
    assert "没有写计划定于哪天" in notes(read_class_study(plan(form, 计划定于哪天=None)))[0]


def test_a_lot_of_a_study_that_goes_on_is_said(form):
    study = read_class_study(plan(form, **{"抽签范围：最晚从第几条记录起": 30}))
    assert notes(study) == ["抽签的范围到第 30 条，记录只有 20 条：研究还没有记完，或提前结束了"]


def test_changes_that_the_teacher_wrote_down(form):
    at = filling.places(form)["哪天改的"]
    row = int(at[1:]) + 1
    filling.put(form, {f"A{row}": "2025.9.20", f"B{row}": "问好改为每天一人"}, filling.PLAN)
    (change,) = read_class_study(form).changes
    assert (change.noticed_on, change.what) == (date(2025, 9, 20), "问好改为每天一人")


def test_by_turns_and_back_again(tmp_path):
    turns = filled(tmp_path / "turns.xlsx", "lateness", 怎样安排="两种做法轮流（交替）", 改变从哪天开始=None)
    conditions = ["改变前", "改变后", "后", "A"] * 5
    records(turns, {f"G{row}": said for row, said in enumerate(conditions, filling.FIRST)})
    study = read_class_study(turns)
    assert study.plan.starts == ()
    assert study.records["phase"].str.cat() == "ABBA" * 5
    assert study.records["run"].tolist()[:6] == [1, 1, 1, 2, 2, 2]
    again = filled(
        tmp_path / "again.xlsx", 怎样安排="前、后、前、后（ABAB）", 改变从哪天开始=days()[5], 抽到从第几条记录起改=6,
        恢复原样从哪天开始=days()[10], 再次改变从哪天开始=days()[15],
    )  # fmt: skip
    study = read_class_study(again)
    assert study.records["phase"].str.cat() == ("A" * 5 + "B" * 5) * 2
    assert study.records["run"].tolist() == [1] * 10 + [2] * 10


def test_copies_of_one_form_are_told_apart_by_the_class(form):
    first = read_class_study(form)
    other = read_class_study(plan(form, 班级="五(3)班"))
    same = read_class_study(plan(form, 班级=" 五（2）班", 目标值=1))
    assert first.study_id == same.study_id != other.study_id


def test_an_english_form_is_read_in_either_language(tmp_path):
    form = write_workbook(tmp_path / "a.xlsx", "en", "reading")
    entries = {"School": "Model School", "Class": "5(2)", "How the start was settled": "Chosen"}
    entries |= {"First day of the change": days()[4], "Who agreed, and how they were asked": "families were told"}
    plan(form, **entries)
    cells = {}
    for row, day in enumerate(days(8), filling.FIRST):
        cells |= {f"B{row}": day, f"C{row}": "15 minutes", f"D{row}": "Yes"}
    study = read_class_study(records(form, cells))
    assert study.records["value"].tolist() == [15.0] * 8
    assert read_plan(form) == study.plan


def test_a_plan_that_was_given_takes_the_place_of_that_of_the_file(form):
    study = read_class_study(form)
    other = replace(study.plan, question="另一个问题")
    again = read_class_study(form, other)
    assert again.plan == other
    assert "计划用的是另外给出的，文件里的没有采用" in notes(again)


def test_a_plan_given_in_the_words_of_the_form():
    given = {"question": "问", "watched": "看", "counting": "数", "unit": "%", "scale": "百分比", "out_of": "100",
             "improvement": "越多越好", "before": "前", "after": "后", "starts": "2025.9.3"}  # fmt: skip
    frame = pd.DataFrame(
        {"日期": ["2025.9.1", "9月2日", "2025-9-3", pd.Timestamp(2025, 9, 4)], "记录值": ["80%", 81, None, 90.0]}
    )
    study = from_frame(frame, given)
    assert study.plan == Plan(
        "问", "看", "数", "%", "share", "increase", "前", "后", starts=(date(2025, 9, 3),), out_of=100
    )
    assert study.records["phase"].tolist() == list("AABB")
