"""成绩册: titles, merged headers, rows that are nobody's, levels and absences, several subjects."""

from datetime import time

import pytest

TITLE = ["示例小学2023-2024学年第一学期期末二年级（1）班成绩册"]
HEADER = ["座号", "姓名", "语文", "数学"]


def outcomes(books):
    """Results by assessment and pupil: score, level or status."""
    frame = books.tables["outcomes"]
    return {
        (row.assessment_id, row.student_id): row.score
        if row.score == row.score
        else row.level
        if isinstance(row.level, str)
        else row.status
        for row in frame.itertuples()
    }


def assessments(books):
    return books.tables["assessments"].set_index("assessment_id")


def test_a_wide_sheet_becomes_long(read):
    books = read(
        [
            TITLE,
            HEADER,
            [1, "林一诺", 95, 88.5],
            [2, "高子轩", "缺考", "９０"],
            [3, "高子轩", "免考", "缓考"],
            [4, "宋清越", None, "76分"],
        ]
    )
    maths, chinese = "2023-1-maths-G02-school-raw", "2023-1-chinese-G02-raw"
    assert outcomes(books) == {
        (chinese, "P111"): 95,
        (maths, "P111"): 88.5,
        (chinese, "P112"): "absent",
        (maths, "P112"): 90,
        (chinese, "P113"): "exempt",
        (maths, "P113"): "deferred",
        (maths, "P114"): 76,
    }
    row = assessments(books).loc[maths]
    assert (row.term_id, row.stage, row.grade, row.domain, row.measure) == (
        "2023-1",
        "primary",
        2,
        "academic",
        "maths",
    )
    assert (row.set_by, row.scale, row.max_score, row.comparable_within, row.rated_by, row.better) == (
        "school",
        "raw",
        None,
        "school",
        "test",
        None,
    )
    assert [left.count for left in books.findings if "空着的成绩格" in str(left.rule)] == [1]
    assert "只在校内可比" in str(books.note)


def test_merged_headers_say_who_set_it_and_out_of_how_much(read):
    rows = [
        TITLE,
        ["座号", "姓名", "区统考", None, "校内测评", "班级评定", "总分", "名次"],
        [None, None, "语文(满分100)", "数学（满分120）", "英语", "品行"],
        [1, "林一诺", 95, 110, "A", "Ｂ", 205, 1],
        ["合计", None, 95, 110, None, None, 205],
        ["平均分", None, 95.0, 110.0],
    ]
    merged = {"Sheet1": ["A1:H1", "A2:A3", "B2:B3", "C2:D2", "G2:G3", "H2:H3"]}
    books = read(rows, merged=merged)
    found = assessments(books)
    assert found["set_by"].to_dict() == {
        "2023-1-chinese-G02-district": "district",
        "2023-1-conduct-G02": "class",
        "2023-1-english-G02-school": "school",
        "2023-1-maths-G02": "district",
    }
    assert found.loc["2023-1-maths-G02", ["max_score", "comparable_within"]].tolist() == [120, "district"]
    assert found.loc["2023-1-conduct-G02", ["scale", "rated_by", "comparable_within"]].tolist() == [
        "level",
        "head_teacher",
        "class",
    ]
    assert outcomes(books)["2023-1-conduct-G02", "P111"] == "B"
    assert (books.rows_in, books.rows_kept) == (3, 1)
    assert [(str(left.rule), left.count) for left in books.exclusions] == [("汇总行（合计、平均分等）", 2)]
    assert sorted(str(left.rule) for left in books.findings) == ["没有用到的列“名次”", "没有用到的列“总分”"]


def test_headers_of_two_rows_that_were_not_merged(read):
    rows = [TITLE, ["座号", "姓名", "区统考", None], [None, None, "语文", "数学"], [1, "林一诺", 95, 88]]
    assert set(assessments(read(rows))["set_by"]) == {"district"}


def test_a_group_above_headers_that_stand_below(read):
    rows = [TITLE, [None, None, "区统考", None], ["座号", "姓名", "语文", "数学"], [1, "林一诺", 95, 88]]
    assert set(assessments(read(rows, merged={"Sheet1": ["C2:D2"]}))["set_by"]) == {"district"}


def test_classes_below_one_another_each_with_its_title(read):
    rows = [
        TITLE,
        HEADER,
        [1, "林一诺", 95, 88],
        ["平均分", None, 95, 88],
        ["注：缺考不计入平均分"],
        [None],
        ["示例小学2023-2024学年第一学期期末二年级(2)班成绩册"],
        HEADER,
        [1, "林一诺", 85, 78],
        ["制表人：教务处"],
    ]
    books = read(rows)
    assert {pupil for _, pupil in outcomes(books)} == {"P111", "P121"}
    assert books.rows_in - books.rows_kept == sum(left.count for left in books.exclusions) == 3


def test_a_header_that_is_repeated_goes_on_with_the_table(read):
    rows = [TITLE, HEADER, [1, "林一诺", 95, 88], [None], HEADER, [2, "高子轩", 85, 78]]
    assert {pupil for _, pupil in outcomes(read(rows))} == {"P111", "P112"}


def test_a_grade_with_a_column_for_classes_merged_down(read):
    rows = [
        ["示例小学2023-2024学年第一学期二年级成绩册"],
        ["班级", "座号", "姓名", "语文"],
        ["（1）班", 1, "林一诺", 90],
        [None, 2, "高子轩", 80],
        ["(2)班", 1, "林一诺", 70],
        ["合计", None, None, 240],
    ]
    books = read(rows, merged={"Sheet1": ["A3:A4"]})
    assert {pupil for _, pupil in outcomes(books)} == {"P111", "P112", "P121"}


def test_the_sheet_and_the_file_may_say_what_the_title_does_not(read):
    books = read({"二(1)班": [["成绩册"], HEADER, [1, "林一诺", 90, 80]]}, file="示例小学 2023-2024学年（上）.xlsx")
    assert list(outcomes(books)) == [("2023-1-chinese-G02-raw", "P111"), ("2023-1-maths-G02-school-raw", "P111")]


def test_the_first_title_holds_for_tables_below_it(read):
    rows = [
        ["示例小学2023-2024学年第一学期成绩册"],
        ["二(1)班成绩"],
        HEADER,
        [1, "林一诺", 90, 80],
        [None],
        ["二(2)班成绩"],
        HEADER,
        [1, "林一诺", 70, 60],
    ]
    assert {pupil for _, pupil in outcomes(read(rows, file="成绩.xlsx"))} == {"P111", "P121"}


@pytest.mark.parametrize(
    ("header", "row", "pupil"),
    [
        (["学籍号", "姓名", "语文"], ["L999999202200001102", "高子轩", 90], "P112"),
        (["学籍号", "语文"], ["l999999202200001102", 90], "P112"),
        (["学号", "姓名", "语文"], [20220102, "高子轩", 90], "P112"),
        (["学号", "语文"], ["２０２２０１０３", 90], "P113"),
        (["座号", "姓名", "语文"], ["03", "高子轩", 90], "P113"),
        (["序号", "姓名", "语文"], [7, "宋清越", 90], "P114"),
        (["姓名", "语文"], ["宋 清 越", 90], "P114"),
    ],
)
def test_pupils_are_known_by_number_or_name(read, header, row, pupil):
    assert [p for _, p in outcomes(read([TITLE, header, row]))] == [pupil]


@pytest.mark.parametrize(
    ("header", "row", "cell", "rule", "near"),
    [
        (["姓名", "语文"], ["高子轩", 90], "A3", "不止一人", "P112、P113"),
        (["姓名", "语文"], ["高子轶", 90], "A3", "名册中没有此人", "P112（高**）"),
        (["座号", "姓名", "语文"], [9, "林一诺", 90], "A3", "名册中没有此人", "P111"),
        (["座号", "姓名", "语文"], [1, "宋清越", 90], "A3", "指的不是同一人", "P114"),
        (["学籍号", "姓名", "语文"], ["L999999202299999999", "林一诺", 90], "A3", "名册中没有此人", "P111"),
    ],
)
def test_a_pupil_who_cannot_be_told_is_a_fault(refused, header, row, cell, rule, near):
    ((where, said, fix, value),) = refused([TITLE, header, row])
    assert where.endswith(f" · {cell}")
    assert rule in said and near in fix
    assert not any(isinstance(v, str) and v in f"{said}{fix}{value}" for v in row)


def test_levels_and_words_for_levels(read):
    rows = [
        TITLE,
        ["座号", "语文", "品行"],
        [1, "优秀", "a"],
        [2, "良好", "E"],
        [3, "合格", "免"],
        [4, "待合格", "-"],
    ]
    books = read(rows)
    chinese = {pupil: value for (name, pupil), value in outcomes(books).items() if "chinese" in name}
    assert chinese == {"P111": "A", "P112": "B", "P113": "C", "P114": "D"}
    assert assessments(books).loc["2023-1-chinese-G02", "scale"] == "level"
    assert outcomes(books)["2023-1-conduct-G02", "P113"] == "exempt"
    assert "等级“优秀”记为 A：1" in str(books.note)


def test_scores_and_levels_side_by_side_are_one_result(read):
    rows = [TITLE, ["座号", "语文", None], [None, "成绩", "等级"], [1, 95, "A"], [2, "缺考", "缺考"], [3, 60, None]]
    books = read(rows, merged={"Sheet1": ["A2:A3", "B2:C2"]})
    frame = books.tables["outcomes"].set_index("student_id")
    assert frame.loc["P111", ["score", "level"]].tolist() == [95, "A"]
    assert frame.loc["P112", "status"] == "absent"
    assert len(frame) == 3
    assert books.tables["assessments"]["scale"].tolist() == ["raw"]


def test_a_row_may_state_the_maximum(read):
    books = read([TITLE, HEADER, ["满分", None, 100, 120], [1, "林一诺", 95, 118]])
    assert sorted(assessments(books)["max_score"]) == [100, 120]


def test_seconds_are_read_in_every_way(read):
    header = ["座号", "耐力跑（秒）"]
    books = read([TITLE, header, [1, 235], [2, "3分55秒"], [3, "3'55\""], [4, "235秒"]])
    assert set(outcomes(books).values()) == {235}
    row = books.tables["assessments"].iloc[0]
    assert (row["better"], row["domain"], row["set_by"]) == ("lower", "physical", "school")


def test_examinations_of_one_term_are_kept_apart(read):
    rows = [
        ["示例小学2023-2024学年第一学期二年级（1）班期中成绩册"],
        ["座号", "语文"],
        [1, 80],
        [None],
        ["示例小学2023-2024学年第一学期二年级（1）班期末成绩册"],
        ["座号", "语文"],
        [1, 90],
        [None],
        ["示例小学2023-2024学年第一学期二年级（1）班第一次月考成绩册"],
        ["座号", "语文"],
        [1, 70],
    ]
    assert {name: score for (name, _), score in outcomes(read(rows)).items()} == {
        "2023-1-chinese-G02-midterm-raw": 80,
        "2023-1-chinese-G02-raw": 90,
        "2023-1-chinese-G02-monthly1-raw": 70,
    }


def test_examinations_may_stand_side_by_side(read):
    rows = [
        TITLE[0].replace("期末", ""),
        ["座号", "期中", None, "期末", None],
        [None, "语文", "数学", "语文", "数学"],
        [1, 1, 2, 3, 4],
    ]
    books = read([[rows[0]], *rows[1:]], merged={"Sheet1": ["A2:A3", "B2:C2", "D2:E2"]})
    assert outcomes(books)["2023-1-maths-G02-midterm-school-raw", "P111"] == 2
    assert outcomes(books)["2023-1-maths-G02-school-raw", "P111"] == 4


def test_schools_own_papers_of_different_length_stay_apart(read):
    def sheet(school, name, full):
        return [[f"{school}2023-2024学年第一学期{name}成绩册"], ["座号", f"语文(满分{full})"], [1, 66]]

    books = read(
        {"一": sheet("示例学校", "七年级(3)班", 100), "二": sheet("示例中学", "七年级(3)班", 120)}, file="成绩.xlsx"
    )
    assert outcomes(books) == {("2023-1-chinese-G07-of100", "P321"): 66, ("2023-1-chinese-G07-of120", "P211"): 66}


def test_the_same_result_twice_counts_once_and_is_said(read):
    sheet = [TITLE, ["座号", "语文"], [1, 90]]
    books = read({"一": sheet, "二": sheet})
    assert len(books.tables["outcomes"]) == 1
    assert "同一成绩写了两遍：1" in str(books.note)


def test_measures_that_a_caller_describes(read):
    rows = [TITLE, ["座号", "书法"], [1, "A"]]
    own = {"calligraphy": {"words": ["书法"], "domain": "aesthetic", "set_by": "school", "rated_by": "other_teacher"}}
    row = read(rows, measures=own).tables["assessments"].iloc[0]
    assert (row["measure"], row["domain"], row["rated_by"]) == ("calligraphy", "aesthetic", "other_teacher")


def test_a_list_printed_in_two_halves_is_one(read):
    rows = [
        TITLE,
        ["座号", "姓名", "语文", "座号", "姓名", "语文"],
        [1, "林一诺", 90, 4, "宋清越", 70],
        [2, "高子轩", 80],
        ["平均分", None, 80],
    ]
    books = read(rows)
    assert {pupil: score for (_, pupil), score in outcomes(books).items()} == {"P111": 90, "P112": 80, "P114": 70}
    assert books.rows_in - books.rows_kept == sum(left.count for left in books.exclusions)


@pytest.mark.parametrize(
    ("title", "set_by"),
    [
        ("示例小学区统考二(1)班2023-2024学年第一学期成绩册", "district"),
        ("2023-2024学年第一学期区期末统考二(1)班成绩册", "district"),
        ("2023-2024学年第一学期学区联考二(1)班成绩册", "zone"),
        ("2023-2024学年第一学期全区统一测试二(1)班成绩册", "district"),
        ("2023-2024学年第一学期全市统测二(1)班成绩册", "city"),
        ("某某小学区统考二(1)班2023-2024学年第一学期成绩册", "school"),
    ],
)
def test_who_set_a_paper_is_what_the_title_says_or_the_school(read, title, set_by):
    row = read([[title], ["座号", "数学"], [1, 90]]).tables["assessments"].iloc[0]
    assert (row["set_by"], row["comparable_within"]) == (set_by, "district" if set_by == "city" else set_by)


def test_columns_may_be_of_several_terms(read):
    rows = [
        ["示例小学二(1)班成绩册"],
        ["座号", "2023-2024学年第一学期", None, "2023-2024学年第二学期", None],
        [None, "语文", "数学", "语文", "数学"],
        [1, 1, 2, 3, 4],
    ]
    books = read(rows, merged={"Sheet1": ["A2:A3", "B2:C2", "D2:E2"]})
    assert outcomes(books)["2023-2-maths-G02-school-raw", "P111"] == 4
    assert outcomes(books)["2023-1-chinese-G02-raw", "P111"] == 1


def test_an_absence_may_be_merged_over_several_subjects(read):
    rows = [TITLE, ["座号", "语文", "数学"], [1, "缺考", None], [2, 90, 80]]
    assert list(outcomes(read(rows, merged={"Sheet1": ["B3:C3"]})).values()).count("absent") == 2


def test_a_number_that_is_the_seat_is_taken_with_the_name_that_agrees(read):
    books = read([TITLE, ["学号", "姓名", "语文"], [2, "高子轩", 90]])
    assert [pupil for _, pupil in outcomes(books)] == ["P112"]
    assert "“学号”写的是座号" in str(books.note)


def test_pupils_known_by_a_number_alone_and_zeros_are_counted(read):
    books = read([TITLE, ["座号", "语文"], [2, 0]])
    assert "没有姓名可核对的行：1" in str(books.note)
    assert "0 分（缺考不是 0 分，请核对）：1" in str(books.note)


def test_grades_may_stand_in_a_column_as_numbers(read):
    rows = [
        ["示例小学2023-2024学年第一学期成绩"],
        ["年级", "班级", "座号", "语文"],
        ["二", 1, 1, 90],
        [2, "(2)班", 1, 80],
    ]
    assert {pupil for _, pupil in outcomes(read(rows))} == {"P111", "P121"}


# ---- what cannot be decided ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "cell", "rule", "near"),
    [
        ([["座号", "语文", "电脑"], [1, 90, 80]], "C2", "不知道“电脑”", "measures="),
        ([["座号", "语", "数学"], [1, 90, 80]], "B2", "不知道“语”", "语文"),
        ([["座号", "语文", None], [1, 90, 80]], "C2", "没有列名", "写上列名"),
        ([["座号", "语文"], [1, "作弊"]], "B3", "不是分数", "缺考"),
        ([["座号", "语文"], [1, -3]], "B3", "不是分数", "缺考"),
        ([["座号", "语文"], [1, True]], "B3", "不是分数", "缺考"),
        ([["座号", "语文(满分100)"], [1, 101]], "B3", "高于满分", "核对"),
        ([["座号", "语文"], [1, 90], [2, "B"]], "B4", "这里是等级", "等级"),
        ([["座号", "语文等级"], [1, 90]], "B3", "等级列里是数字", "等级"),
        ([["座号", "语文"], [1, "中"], [2, "及格"]], "B4", "两种写法", "A–E"),
        ([["座号", "耐力跑"], [1, time(3, 55)]], "B3", "钟点", "文本"),
        ([["座号", "语文"], [1, 90], [1, 80]], "B4", "另有不同的成绩", "B3"),
        ([["学号", "姓名", "语文"], [3, "林一诺", 90]], "A3", "名册中没有此人", "P111"),
        ([["姓名", "学生姓名", "语文"], ["林一诺", "宋清越", 90]], "B2", "说的是同一回事", "改名"),
        ([["座号", "2030-2031学年第一学期"], [None, "语文"], [1, 90]], "B3", "不是这项研究的学期", "2024-2"),
    ],
)
def test_what_cannot_be_decided_is_a_fault_at_its_cell(refused, rows, cell, rule, near):
    said = refused([TITLE, *rows])
    assert [(where.split(" · ")[-1], rule in found, near in fix) for where, found, fix, _ in said] == [
        (cell, True, True)
    ]


def test_a_common_paper_has_one_maximum(refused):
    def sheet(name, full):
        return [[f"示例小学2023-2024学年第一学期{name}区统考成绩册"], ["座号", f"数学(满分{full})"], [1, 66]]

    ((where, rule, fix, _),) = refused({"一": sheet("二(1)班", 100), "二": sheet("二(2)班", 120)})
    assert "两种满分" in rule and "一 · B3" in fix and where.endswith("二 · B3")


def test_a_result_in_merged_cells_is_a_fault(refused):
    rows = [TITLE, ["座号", "语文"], [1, 90], [2, None]]
    ((where, rule, _, _),) = refused(rows, merged={"Sheet1": ["B3:B4"]})
    assert where.endswith("B4") and "合并单元格" in rule


def test_a_failed_formula_is_a_fault_where_a_result_should_be(tmp_path, study, roster):
    import xlsxwriter

    from htresearch.errors import IntakeError
    from htresearch.intake.school import read_workbooks

    with xlsxwriter.Workbook(str(tmp_path / "示例小学.xlsx")) as book:
        sheet = book.add_worksheet("成绩")
        for i, row in enumerate([TITLE, [*HEADER, "总分"], [1, "林一诺", 90, 80]]):
            sheet.write_row(i, 0, row)
        sheet.write_formula("D3", "=1/0", None, "#DIV/0!")
        sheet.write_formula("E3", "=1/0", None, "#DIV/0!")
    with pytest.raises(IntakeError) as caught:
        read_workbooks(tmp_path / "示例小学.xlsx", study, roster)
    assert [str(f.where) for f in caught.value.faults] == ["示例小学.xlsx · 成绩 · D3"]
    assert "公式出错" in str(caught.value)


@pytest.mark.parametrize("phone", [16112345678, "16112345678", "１６１１２３４５６７８分"])
def test_a_number_longer_than_any_score_is_none(refused, phone):
    ((where, rule, _, value),) = refused([TITLE, HEADER, [1, "林一诺", phone, 90]])
    assert "C3" in where and "不是分数" in rule and "16112345678" not in str(value)
