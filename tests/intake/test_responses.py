"""Answers read from exports: one frame whatever the source; every fault named once, nothing guessed."""

from datetime import datetime, timedelta

import pandas as pd
import pyreadstat
import pytest

import htresearch as ht
from htresearch import intake, language
from htresearch.errors import ArgumentError, IntakeError

from . import small_form as small


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    return small.form(tmp_path_factory.mktemp("form"))


@pytest.fixture(scope="module")
def said(form):
    return small.answers(form, 40)


@pytest.fixture
def wjx(form, said):
    """An export by text, a fresh list of rows."""
    return [list(row) for row in small.wenjuanxing(form, said, "text")]


@pytest.fixture
def read(form, tmp_path):
    def done(rows, name="export.xlsx", **how):
        return intake.read(small.write(tmp_path / name, rows), form, **how)

    return done


@pytest.fixture
def refused(read):
    """The faults of a file that is refused, in English."""

    def done(rows, name="export.xlsx", **how):
        with language.speaking("en"), pytest.raises(IntakeError) as caught:
            read(rows, name, **how)
        with language.speaking("en"):
            return [str(fault) for fault in caught.value.faults]

    return done


def column(rows, item_header):
    return rows[0].index(item_header)


TRAINED, KINDS, YEARS, COMMENT = (
    "3、您是否参加过培训？",
    "4、参加过哪些形式？（可多选）",
    "7、您当了几年班主任？",
    "9、您还想说什么？",
)
TIRED, BEGAN, NAME = "第5题(我觉得累)", "8、您哪天开始当班主任？", "1、您的姓名："


def truth(form, said) -> pd.DataFrame:
    """What every source should give, written down from the answers without the reader."""
    rows = []
    for row in said:
        rows.append({i: _value(item, row[i]) for i, item in form.items.items() if not item.identifies})
    frame = pd.DataFrame(rows)
    kinds = {"single": "Int64", "number": "Int64", "date": "datetime64[us]"}
    return frame.astype({i: kinds.get(form.items[i].type, "str") for i in frame})


def _value(item, said):
    if said in (small.SKIPPED, small.BLANK) or (item.type == "single" and said in item.missing):
        return None
    return ";".join(map(str, said)) if isinstance(said, list) else said


# --- the same answers ---------------------------------------------------------------------------------------------


WRITTEN = {
    **{
        f"wenjuanxing {m} {s} {e}": (m, s, e)
        for m in ("text", "number", "score")
        for s in (0, 1)
        for e in ("xlsx", "csv")
    },
}


@pytest.mark.parametrize("written", WRITTEN)
def test_every_mode_of_wenjuanxing_gives_the_same_answers(form, said, read, written):
    mode, split, ending = WRITTEN[written]
    got = read(small.wenjuanxing(form, said, mode, bool(split)), f"a.{ending}")
    pd.testing.assert_frame_equal(got.frame[list(truth(form, said))], truth(form, said))
    assert got.frame["submitted_at"][1] == pd.Timestamp("2024-09-02 09:00:07")
    assert got.frame["duration_s"].tolist() == [100 + i for i in range(40)]
    assert list(got.identifying) == ["name", "school"]
    assert got.identifying["name"].tolist() == [row["name"] for row in said]
    assert (got.receipt.rows_in, got.receipt.rows_kept) == (40, 40)


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize("source", ["tencent", "plain"])
def test_other_sheets_give_the_same_answers(form, said, read, source, ending):
    rows = getattr(small, source)(form, said)
    got = read(rows, f"a.{ending}")
    pd.testing.assert_frame_equal(got.frame, read(small.wenjuanxing(form, said, "text"), "b.xlsx").frame)


@pytest.mark.parametrize("ending", ["sav", "dta"])
def test_labelled_files_give_the_same_answers(form, said, read, tmp_path, ending):
    got = intake.read(small.write_labelled(tmp_path / f"a.{ending}", form, said), form)
    pd.testing.assert_frame_equal(got.frame, read(small.wenjuanxing(form, said, "text"), "b.xlsx").frame)


def test_labels_decide_what_a_value_of_a_labelled_file_means(form, said, tmp_path, monkeypatch):
    # 问卷星's own SPSS file numbers the options; only its labels say which they are.
    score = small.wenjuanxing
    numbered = {"score": "number"}
    monkeypatch.setattr(small, "wenjuanxing", lambda f, s, mode, split=False: score(f, s, numbered[mode], split))
    path = small.write_labelled(tmp_path / "a.sav", form, said)
    meant = small.written(form.items["tired"], "text")
    table, _ = pyreadstat.read_sav(str(path), user_missing=True)
    labels = {"tired": {n: meant[v] for v, n in small.written(form.items["tired"], "number").items()}}
    labels["glad"] = labels["tired"]
    ranges = {name: [{"lo": -3, "hi": -2}] for name in ("tired", "glad", "trained")}
    pyreadstat.write_sav(table, str(path), variable_value_labels=labels, missing_ranges=ranges)
    got = intake.read(path, form).frame
    pd.testing.assert_series_equal(got["tired"], truth(form, said)["tired"])


def test_text_in_gb18030_is_read(form, said, read, wjx, tmp_path):
    path = small.write(tmp_path / "gb.csv", wjx, "gb18030")
    got = intake.read(path, form)
    pd.testing.assert_frame_equal(got.frame[list(truth(form, said))], truth(form, said))
    assert any("GB18030" in note.en for note in got.receipt.notes)


def test_questions_are_found_wherever_they_start(form, said, read, wjx):
    more = [["总分", "自定义", *row] if n == 0 else [99, "x", *row] for n, row in enumerate(wjx)]
    fewer = [row[:3] + row[6:] for row in wjx]
    titled = [["小问卷答卷导出"], [], *wjx]
    for rows in (more, fewer, titled):
        pd.testing.assert_frame_equal(read(rows).frame[list(truth(form, said))], truth(form, said))
    assert any("总分" in note.zh for note in read(more).receipt.notes)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.replace("、", "："),
        lambda h: h.replace("、", "."),
        lambda h: h + "【单选题】*",
        lambda h: "*" + h.replace("？", "?"),
        lambda h: h.replace("第5题(", "5、下面的情况多久出现一次？—").replace(")", "") if h.startswith("第5") else h,
        lambda h: h.replace("第5题(", "5(") if h.startswith("第5") else h,
        lambda h: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in h),
    ],
)
def test_headers_may_be_decorated(form, said, read, wjx, change):
    start = wjx[0].index(NAME)
    wjx[0] = wjx[0][:start] + [change(h) for h in wjx[0][start:]]
    pd.testing.assert_frame_equal(read(wjx).frame[list(truth(form, said))], truth(form, said))


def test_columns_may_stand_in_any_order_and_be_in_english(form, said, read, wjx):
    words = {}
    for q in form.questions:
        for item in q.items:
            old = f"第{q.number}题({item.text.zh})" if q.type == "matrix" else f"{q.number}、{item.text.zh}"
            words[old] = f"{q.number}. {q.text.en + ': ' if q.type == 'matrix' else ''}{item.text.en}"
    wjx[0] = [words.get(h, h) for h in wjx[0]]
    turned = [row[::-1] for row in wjx]
    pd.testing.assert_frame_equal(read(turned).frame[list(truth(form, said))], truth(form, said))


def test_public_names(form, said, wjx, tmp_path):
    path = small.write(tmp_path / "a.xlsx", wjx)
    frame = ht.read_responses(path, form, source="wenjuanxing")
    assert list(frame)[:3] == ["respondent_id", "submitted_at", "duration_s"]
    assert not {"name", "school"} & set(frame)
    assert all(isinstance(note, str) for note in frame.attrs["notes"])


# --- how answers are written --------------------------------------------------------------------------------------


def _without_ends(form, said):
    return [{**row, "tired": 1, "glad": 2} for row in said]


def test_a_file_that_fits_two_modes_is_asked_about(form, said, read, refused):
    rows = small.wenjuanxing(form, _without_ends(form, said), "number", split=True)
    (fault,) = refused(rows)
    assert "mode='number'" in fault and "mode='score'" in fault
    assert read(rows, mode="number").frame["tired"].eq(1).all()
    assert read(rows, mode="score").frame["tired"].eq(2).all()


def test_one_answer_can_settle_the_mode(form, said, read):
    settled = _without_ends(form, said)
    settled[7]["tired"] = 0  # by score a 0, which no option has for its number
    assert read(small.wenjuanxing(form, settled, "score", split=True)).frame["tired"][0] == 1


def test_a_stray_answer_does_not_turn_the_mode(form, said, read, wjx):
    wjx[3][column(wjx, TIRED)] = 99
    got = read(wjx)
    assert got.frame["tired"].isna()[2]
    assert got.frame.drop(index=2)["tired"].equals(truth(form, said).drop(index=2)["tired"])


def test_scales_that_stand_as_numbers_in_a_file_by_text(form, said, read, wjx):
    score = small.wenjuanxing(form, said, "score")
    for header in (TIRED, "第5题(我觉得高兴)"):
        for row, other in zip(wjx[1:], score[1:], strict=True):
            row[column(wjx, header)] = other[column(wjx, header)]
    got = read(wjx)
    pd.testing.assert_frame_equal(got.frame[list(truth(form, said))], truth(form, said))
    assert any("tired" in note.en and "numbers" in note.en for note in got.receipt.notes)


def test_labels_are_compared_without_width_and_spaces(form, said, read, wjx):
    for row in wjx[1:]:
        for j in (column(wjx, TRAINED), column(wjx, TIRED)):
            row[j] = f" {row[j]}\u3000"
        row[column(wjx, TIRED)] = row[column(wjx, TIRED)].replace("从不", "Ｎever")
    pd.testing.assert_frame_equal(read(wjx).frame[list(truth(form, said))], truth(form, said))


def test_words_behind_other_are_left_out_and_counted(form, said, read, wjx):
    at = column(wjx, KINDS)
    rows = [row for row in wjx[1:] if "其他" in row[at]]
    for row in rows:
        row[at] = row[at].replace("其他", "其他〖读书会 13800138000〗")
    got = read(wjx)
    assert got.frame["kinds"].equals(truth(form, said)["kinds"])
    assert any(f" {len(rows)} times" in note.en for note in got.receipt.notes)
    assert "13800138000" not in got.receipt.to_json() + got.frame.to_csv()


@pytest.mark.parametrize("cell", ["B.有时", "2、有时", "有时"])
def test_an_option_may_bear_its_letter(read, wjx, cell):
    wjx[1][column(wjx, TIRED)] = cell
    assert read(wjx).frame["tired"][0] == 1


@pytest.mark.parametrize("cell", ["C.有时", "有时候", "有时┋经常", "2.5", "=1+1", "TRUE"])
def test_what_is_no_option_is_missing_and_listed(read, wjx, cell):
    wjx[1][column(wjx, TIRED)] = cell
    got = read(wjx)
    assert got.frame["tired"].isna()[0]
    (found,) = [f for f in got.receipt.findings if "tired" in f.rule.en]
    assert found.count == 1 and found.where[0].en.startswith("K2 (")


def test_a_name_in_a_closed_question_is_not_repeated(read, wjx):
    wjx[1][column(wjx, TIRED)] = "王小明"
    receipt = read(wjx).receipt
    assert "王小明" not in receipt.to_json() + receipt.to_html()


@pytest.mark.parametrize(
    ("header", "cell", "value"),
    [
        (YEARS, "１２", 12),
        (YEARS, 12.0, 12),
        (YEARS, "12年", None),
        (YEARS, 46, None),
        (YEARS, -1, None),
        (YEARS, "-3", None),
        (YEARS, "(空)", None),
        (YEARS, True, None),
        (YEARS, "1e1", None),
        (BEGAN, "2015年3月2日", pd.Timestamp(2015, 3, 2)),
        (BEGAN, datetime(2015, 3, 2), pd.Timestamp(2015, 3, 2)),
        (BEGAN, 42065, pd.Timestamp(2015, 3, 2)),
        (BEGAN, "3/2/2015", None),
        (BEGAN, "2015-02-30", None),
        (COMMENT, 12, "12"),
        (COMMENT, " 好 ", "好"),
        (COMMENT, "(跳过)", None),
        (COMMENT, datetime(2024, 1, 3), None),
        (KINDS, "讲座", "1"),
        (KINDS, "其他┋讲座", "1;3"),
        (KINDS, "讲座┋聚餐", None),
        ("6、您最需要什么？", "帮手→时间", "3;1"),
        ("6、您最需要什么？", "帮手→帮手", None),
    ],
)
def test_cells(form, read, wjx, header, cell, value):
    item = next(i for i in form.items if form.items[i].text.zh == header.split("、")[1])
    wjx[1][column(wjx, header)] = cell
    got = read(wjx).frame[item]
    assert pd.isna(got[0]) if value is None else got[0] == value


@pytest.mark.parametrize(
    ("ranks", "value"),
    [((1, 2, 3), "1;2;3"), ((2, -2, 1), "3;1"), ((1, 1, -2), None), ((2, 3, -2), None), ((-3, -3, -3), None)],
)
def test_ranks_of_choices(form, said, read, ranks, value):
    rows = small.wenjuanxing(form, said, "number", split=True)
    at = column(rows, "第6题(时间)")
    rows[1][at : at + 3] = ranks
    got = read(rows, mode="number").frame["wishes"][0]
    assert pd.isna(got) if value is None else got == value


# --- headers that do not match ------------------------------------------------------------------------------------


def test_another_number_is_asked_about(refused, wjx):
    wjx[0][column(wjx, YEARS)] = "6、您当了几年班主任？"
    (fault,) = refused(wjx)
    assert "N1" in fault and "number 6" in fault and "question 7" in fault and "years" in fault


def test_other_words_are_asked_about_with_the_nearest(form, said, read, refused, wjx):
    wjx[0][column(wjx, YEARS)] = "7、您当班主任几年了？"
    (fault,) = refused(wjx)
    assert 'columns={"N1": "years"}' in fault
    for key in ("N1", "7、您当班主任几年了？"):
        assert read(wjx, columns={key: "years"}).frame["years"].equals(truth(form, said)["years"])


def test_a_header_that_lost_its_number_is_asked_about(form, said, read, refused, wjx):
    wjx[0][column(wjx, YEARS)] = "您当了几年班主任？"
    (fault,) = refused(wjx)
    assert 'columns={"N1": "years"}' in fault
    assert read(wjx, columns={"N1": "years"}).frame["years"].equals(truth(form, said)["years"])


def test_a_question_that_is_not_on_the_form(read, refused, wjx):
    rows = [[*row, "10、您的工资是多少？" if n == 0 else 5000] for n, row in enumerate(wjx)]
    (fault,) = refused(rows)
    assert "is no question" in fault and 'columns={"Q1": None}' in fault
    assert any("您的工资" in note.zh for note in read(rows, columns={"Q1": None}).receipt.notes)


def test_a_question_without_a_column(read, refused, wjx):
    at = column(wjx, YEARS)
    rows = [row[:at] + row[at + 1 :] for row in wjx]
    (fault,) = refused(rows)
    assert "question 7" in fault and "without=['years']" in fault
    got = read(rows, without=["years"])
    assert got.frame["years"].isna().all()
    assert any("years" in note.en for note in got.receipt.notes)


def test_a_matrix_under_other_words_is_one_fault(read, refused, wjx):
    rows = [list(row) for row in wjx]
    for header in (TIRED, "第5题(我觉得高兴)"):
        rows[0][column(wjx, header)] = header.replace("第5题(", "5、近来怎样—").replace(")", "")
    (fault,) = refused(rows)
    assert '{"K1": "tired", "L1": "glad"}' in fault
    assert read(rows, columns={"K1": "tired", "L1": "glad"}).frame["glad"].notna().any()


def test_a_form_numbered_otherwise_is_one_fault(form, said, read, refused, wjx):
    start = column(wjx, NAME)

    def moved(header):
        number = int(header.removeprefix("第").partition("题")[0].partition("、")[0])
        return header.replace(str(number), str(number + 1), 1)

    wjx[0] = wjx[0][:start] + [moved(h) for h in wjx[0][start:]]
    (fault,) = refused(wjx)
    assert "numbers=False" in fault
    pd.testing.assert_frame_equal(read(wjx, numbers=False).frame[list(truth(form, said))], truth(form, said))


def test_two_columns_of_one_item(refused, wjx):
    (fault,) = refused([[*row, row[column(wjx, YEARS)]] for row in wjx])
    assert "N1" in fault and "Q1" in fault and "years" in fault


def test_several_answers_as_one_column_and_as_many(refused, form, said):
    rows = small.wenjuanxing(form, said, "text", split=True)
    whole = small.wenjuanxing(form, said, "text")
    faults = refused([[*row, other[column(whole, KINDS)]] for row, other in zip(rows, whole, strict=True)])
    assert len(faults) == 1 and "kinds" in faults[0]


def test_a_choice_without_its_column(refused, form, said):
    rows = small.wenjuanxing(form, said, "number", split=True)
    at = column(rows, "第4题(工作坊)")
    (fault,) = refused([row[:at] + row[at + 1 :] for row in rows], mode="number")
    assert "Workshop" in fault


def test_another_form_is_one_fault(refused):
    rows = [
        [*small.FACTS, "1、您喜欢什么颜色？", "2、您住在哪里？"],
        [1, "2024/9/1 8:00:00", "9秒", "", "", "", "红", "这里"],
    ]
    (fault,) = refused(rows)
    assert "no column answers" in fault


def test_options_of_another_form_are_a_fault(refused, wjx):
    for row in wjx[1:]:
        row[column(wjx, TIRED)] = "非常满意"
    (fault,) = refused(wjx)
    assert "tired" in fault and "从不" not in fault and "Never" in fault


def test_all_faults_at_once(refused, wjx):
    wjx[0][column(wjx, YEARS)] = "7、年龄"
    wjx[0][column(wjx, COMMENT)] = "9、工资"
    for row in wjx[1:]:
        row[column(wjx, TIRED)] = "非常满意"
    assert len(refused(wjx)) == 2  # columns first: answers are read once it is known whose they are


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"columns": {"Z9": "years"}}, "Z9"),
        ({"columns": {"N1": "jahre"}}, "jahre"),
        ({"without": ["yeras"]}, "years"),
        ({"sheet": "Sheet2"}, "Sheet1"),
        ({"source": "sav"}, "sav"),
        ({"source": "csv"}, "xlsx"),
    ],
)
def test_what_the_user_says_must_be_there(refused, wjx, how, word):
    assert any(word in fault for fault in refused(wjx, **how))


@pytest.mark.parametrize(
    "how",
    [
        {"mode": "letters"},
        {"source": "google"},
        {"exclude": ["twins"]},
        {"opened_on": "soon"},
        {"opened_on": "2024-09-02", "closed_on": "2024-09-01"},
    ],
)
def test_arguments_outside_their_lists_are_refused(read, wjx, how):
    with pytest.raises(ArgumentError):
        read(wjx, **how)


def test_two_sheets_of_answers_are_asked_about(form, said, wjx, tmp_path):
    import xlsxwriter

    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("甲校", "乙校", "说明"):
            sheet = book.add_worksheet(name)
            for i, row in enumerate(wjx if name != "说明" else [["请勿改动"]]):
                sheet.write_row(i, 0, row)
    with pytest.raises(IntakeError, match="甲校、乙校"):
        intake.read(path, form)
    assert len(intake.read(path, form, sheet="乙校").frame) == 40


def test_cells_beyond_the_headers_are_a_fault(refused, wjx):
    wjx[5].append("错位")
    (fault,) = refused(wjx, "a.csv")
    assert "Q6" in fault


@pytest.mark.parametrize("number", [lambda n: f"1、说法—第{n}条", lambda n: f"{n}、第{n}条"])
def test_a_licensed_form_is_matched_by_number_and_order(tmp_path, number):
    form = ht.load_instrument("surveys/maslach_educators.yaml")
    rows = [["序号", "提交答卷时间", *(number(n) for n in range(1, 23))]]
    rows += [[r, "2024/9/2 8:00:00", *((n + r) % 7 for n in range(22))] for r in range(7)]
    got = intake.read(small.write(tmp_path / "a.xlsx", rows), form)
    assert got.frame["mbi_03"].tolist() == [(2 + r) % 7 for r in range(7)]
    assert any("no wording" in note.en for note in got.receipt.notes)
    with pytest.raises(IntakeError):
        intake.read(small.write(tmp_path / "b.xlsx", [row[:-1] for row in rows]), form)


# --- rows ---------------------------------------------------------------------------------------------------------


def counts(receipt):
    return {e.rule.en: e.count for e in receipt.exclusions}


def test_empty_rows_and_repeated_headers_are_passed_over(read, wjx):
    got = read([wjx[0], *wjx[1:10], [], wjx[0], *wjx[10:], [None] * 5])
    assert got.receipt.rows_in == got.receipt.rows_kept == 40
    assert sum("not counted" in note.en for note in got.receipt.notes) == 2


def test_a_record_that_stands_there_twice(read, wjx):
    got = read([*wjx, wjx[7], wjx[7]])
    assert (got.receipt.rows_in, got.receipt.rows_kept) == (42, 40)
    (found,) = got.receipt.exclusions
    assert found.count == 2 and [str(w.en) for w in found.where] == ["row 42", "row 43"]
    assert got.frame["respondent_id"].is_unique


def test_numbers_that_two_records_have_are_told_apart(read, wjx):
    wjx[2][0] = 1
    got = read(wjx)
    assert got.frame["respondent_id"].tolist()[:3] == ["1", "1-2", "3"]
    assert len(got.frame) == 40


def test_a_person_who_answered_twice(read, wjx):
    again = [99, "2024/9/20 8:00:00", *wjx[4][2:]]
    again[column(wjx, NAME)] = wjx[4][column(wjx, NAME)][:1] + " " + wjx[4][column(wjx, NAME)][1:]
    again[column(wjx, TRAINED)] = "否"
    got = read([*wjx, again])
    assert [e.count for e in got.receipt.exclusions] == [1]
    assert got.receipt.exclusions[0].where[0].en == "row 5"  # the last is kept
    assert len(read([*wjx, again], exclude=()).frame) == 41


def test_the_window(read, wjx):
    wjx[1][1], wjx[2][1] = "2024/9/1 23:59:59", "2024/9/5 00:00:00"
    got = read(wjx, opened_on="2024-09-02", closed_on="2024-09-04")
    assert counts(got.receipt) == {"Submitted before the round opened or after it closed": 2}
    assert len(read(wjx).frame) == 40


@pytest.mark.parametrize(
    ("place", "cell"),
    [(3, "测试链接"), (4, "预览"), (5, "127.0.0.1"), (5, "10.9.9.9(北京-北京)"), (NAME, "测试"), (NAME, "test1")],
)
def test_tests_of_the_form(read, wjx, place, cell):
    wjx[3][place if isinstance(place, int) else column(wjx, place)] = cell
    got = read(wjx, tests=["10.9.9.9"])
    assert [e.where[0].en for e in got.receipt.exclusions] == ["row 4"]


def test_what_may_be_a_test_is_only_reported(read, wjx):
    wjx[3][column(wjx, COMMENT)] = "测试"
    wjx[4][column(wjx, COMMENT)] = "测试太多，学生很累"
    got = read(wjx)
    assert len(got.frame) == 40
    assert [f.where[0].en for f in got.receipt.findings] == ["row 4"]
    assert len(read(wjx, exclude=["test_words"]).frame) == 39


def test_equal_answers_in_quick_succession_are_reported(form, tmp_path):
    climate = ht.load_instrument("surveys/class_climate.yaml")
    items = [i for i in climate.items.values() if i.type == "single"]
    rows = [["id", "submitted_at", "class_code", *(i.id for i in items)]]
    start = datetime(2024, 9, 2, 8)
    for number, (minutes, shift) in enumerate([(0, 0), (5, 0), (60, 0), (61, 1)]):
        at = start + timedelta(minutes=minutes)
        rows.append([number, f"{at:%Y-%m-%d %H:%M:%S}", "C1", *(1 + (n + shift) % 2 for n in range(len(items)))])
    path = small.write(tmp_path / "a.csv", rows)
    rest = [i for i in climate.items if i not in rows[0]]
    receipt = intake.read(path, climate, without=rest).receipt
    (found,) = receipt.findings
    assert found.rule.en.startswith("All answers equal") and found.count == 1 and found.where[0].en == "row 3"


def test_answers_against_the_skip_rule_are_reported_and_kept(form, said, read, wjx):
    row = next(n for n, s in enumerate(said, 1) if s["trained"] == 2)
    wjx[row][column(wjx, KINDS)] = "讲座"
    got = read(wjx)
    assert got.frame["kinds"][row - 1] == "1"
    (found,) = [f for f in got.receipt.findings if "kinds" in f.rule.en]
    assert found.where == (f"J{row + 1}",)


def test_times_that_cannot_be_read_are_listed(read, wjx):
    wjx[2][1], wjx[3][2] = "昨天", "很久"
    got = read(wjx)
    assert got.frame["submitted_at"].isna()[1] and got.frame["duration_s"].isna()[2]
    assert [f.where for f in got.receipt.findings] == [("B3",), ("C4",)]


def test_a_row_of_two_rules_is_counted_once(read, wjx):
    wjx[1][1], wjx[1][3] = "2023/1/1 8:00:00", "测试"
    receipt = read(wjx, opened_on="2024-09-01").receipt
    assert sum(e.count for e in receipt.exclusions) == receipt.rows_in - receipt.rows_kept == 1


def test_counts_of_missing_answers(form, said, read, wjx):
    receipt = read(wjx).receipt
    table = next(counts for title, counts in receipt.tables.items() if title.en == "Why there is no answer")
    flat = [(i, row[i]) for row in said for i in form.items]
    assert table[ht.language.Text("跳过", "Skipped")] == sum(v == small.SKIPPED for _, v in flat)
    assert table[ht.language.Text("未作答", "No answer")] == sum(v == small.BLANK for _, v in flat)
    assert table[ht.language.Text("不适用", "Does not apply")] == sum(
        v == -4 for i, v in flat if i in ("tired", "glad")
    )


def test_no_rows_at_all(read, wjx):
    got = read(wjx[:1])
    assert got.frame.empty and got.receipt.rows_in == 0
    assert list(got.frame)[3:] == ["trained", "kinds", "tired", "glad", "wishes", "years", "began", "comment"]


# --- what identifies ----------------------------------------------------------------------------------------------


def test_identifiers_in_text_are_replaced_and_counted(read, wjx):
    name = wjx[9][column(wjx, NAME)]
    wjx[1][column(wjx, COMMENT)] = f"请打13800138000，找{name}"
    got = read(wjx)
    assert got.frame["comment"][0] == "请打‹电话›，找‹姓名›"
    table = next(counts for title, counts in got.receipt.tables.items() if title.en.startswith("Identifiers"))
    assert sorted(table.values()) == [1, 1]


def test_record_numbers_that_identify_are_not_kept(form, said, read):
    rows = small.plain(form, said)
    for n, row in enumerate(rows[1:]):
        row[0] = f"138{n:08d}"
    assert read(rows).frame["respondent_id"].tolist()[:2] == ["1", "2"]


def test_the_receipt_holds_no_identifier(read, wjx, form):
    wjx[0].append("手机号")
    for n, row in enumerate(wjx[1:]):
        row.append(f"139{n:08d}")
    wjx[1][column(wjx, TIRED)] = "13800138000"
    wjx[2][column(wjx, YEARS)] = "王小明"
    got = read(wjx, "13700137000.xlsx")
    said = got.receipt.to_json() + got.receipt.to_html() + got.frame.to_csv()
    for secret in ("13800138000", "13900000001", "13700137000", "王小明", *got.identifying["name"]):
        assert secret not in said
