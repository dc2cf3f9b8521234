"""Labelled files, read back. R's haven 2.5.1 reads the same labels, codes and counts out of them."""

import datetime

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch import instruments, language
from htresearch.errors import ArgumentError, ColumnError
from htresearch.instruments import labelled

from .written import CONTENT, SURVEYS, content, item, save

READ = {".sav": pyreadstat.read_sav, ".dta": pyreadstat.read_dta}
ENDINGS = pytest.mark.parametrize("ending", READ)


@pytest.fixture
def small(tmp_path):
    return instruments.load_instrument(save(tmp_path, CONTENT))


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "respondent_id": ["t_1", "t_2", "t_3", None],
            "submitted_at": pd.to_datetime(["2025-06-01 10:00", None, "2025-06-02 09:30", "2025-06-03 08:15"]),
            "duration_s": pd.array([120, None, 95, 300], "Int64"),
            "trained": pd.array([1, 2, -3, None], "Int64"),
            "formats": ["1;2", None, "-3", "2"],
            "ways": ["3;1;2", "2", None, "-3"],
            "view_1": pd.array([3, -4, None, 1], "Int64"),
            "view_2": [1.0, np.nan, 2.0, -3.0],
            "years": pd.array([12, None, -3, 0], "Float64"),
            "began_on": [datetime.date(2012, 9, 1), None, None, datetime.date(2020, 9, 1)],
            "comment": ["班里很好", None, "", "x" * 3000],
        },
        index=[5, 5, 7, 8],
    )


def back(path):
    return READ[path.suffix](path, user_missing=True)


def same(column: pd.Series, expected: list) -> bool:
    return [None if pd.isna(value) else value for value in column] == expected


class TestAnswers:
    def test_spss(self, frame, small, tmp_path):
        data, meta = back(labelled.write(frame, small, tmp_path / "a.sav"))
        assert same(data["trained"], [1, 2, -3, None])
        assert same(data["view_1"], [3, -4, None, 1])
        assert same(data["view_2"], [1, None, 2, -3])
        assert same(data["years"], [12, None, -3, 0])
        assert same(data["formats_1"], [1, None, -3, 0])
        assert same(data["formats_2"], [1, None, -3, 1])
        assert same(data["ways_1"], [2, None, None, -3])
        assert same(data["ways_3"], [1, None, None, -3])
        assert meta.missing_ranges["view_1"] == [{"lo": -4, "hi": -4}, {"lo": -3, "hi": -3}]
        assert meta.missing_ranges["trained"] == [{"lo": -3, "hi": -3}]

    def test_spss_leaves_the_codes_out_of_what_is_computed(self, frame, small, tmp_path):
        data, _ = pyreadstat.read_sav(labelled.write(frame, small, tmp_path / "a.sav"))
        assert same(data["view_1"], [3, None, None, 1])

    def test_stata(self, frame, small, tmp_path):
        data, meta = back(labelled.write(frame, small, tmp_path / "a.dta"))
        assert same(data["trained"], [1, 2, "a", None])
        assert same(data["view_1"], [3, "b", None, 1])
        assert same(data["view_2"], [1, None, 2, "a"])
        assert same(data["years"], [12, None, "a", 0])
        assert same(data["formats_1"], [1, None, "a", 0])
        assert same(data["ways_3"], [1, None, None, "a"])
        assert meta.variable_value_labels["view_1"] == {
            1: "不同意",
            2: "说不清",
            3: "同意",
            "a": "跳过",
            "b": "不适用",
        }

    @ENDINGS
    def test_what_needs_no_labels(self, frame, small, tmp_path, ending):
        data, _ = back(labelled.write(frame, small, tmp_path / f"a{ending}"))
        assert same(data["respondent_id"], ["t_1", "t_2", "t_3", ""])
        assert data["submitted_at"].tolist() == frame["submitted_at"].tolist()
        assert same(data["duration_s"], [120, None, 95, 300])
        assert same(data["comment"], ["班里很好", "", "", "x" * 3000])
        assert same(
            pd.to_datetime(data["began_on"]).dt.date,
            [frame["began_on"].iloc[0], None, None, frame["began_on"].iloc[3]],
        )

    @ENDINGS
    def test_the_frame_stays_as_it_was(self, frame, small, tmp_path, ending):
        before = frame.copy(deep=True)
        labelled.write(frame, small, tmp_path / f"a{ending}")
        pd.testing.assert_frame_equal(frame, before)

    @ENDINGS
    def test_a_code_of_one_item_is_an_answer_of_another(self, tmp_path, ending):
        changed = content()
        changed["missing"] = []
        item(changed, "trained")["missing"] = [{"value": 9, "zh": "忘了", "en": "Forgotten"}]
        instrument = instruments.load_instrument(save(tmp_path, changed))
        frame = pd.DataFrame({"trained": [1, 9], "years": [9.0, 10.0]})
        data, _ = back(labelled.write(frame, instrument, tmp_path / f"a{ending}"))
        assert same(data["years"], [9, 10])
        assert same(data["trained"], [1, 9 if ending == ".sav" else "a"])

    @ENDINGS
    def test_times_with_a_zone_and_flags(self, small, tmp_path, ending):
        zoned = pd.to_datetime(["2025-06-01 10:00"]).tz_localize("Asia/Shanghai")
        frame = pd.DataFrame({"trained": [1], "submitted_at": zoned, "test": [True], "kind": pd.Categorical(["x"])})
        data, _ = back(labelled.write(frame, small, tmp_path / f"a{ending}"))
        assert str(data["submitted_at"][0]) == "2025-06-01 10:00:00"
        assert (data["test"][0], data["kind"][0]) == (1, "x")

    @ENDINGS
    def test_no_rows(self, small, tmp_path, ending):
        frame = pd.DataFrame({"trained": pd.array([], "Int64"), "formats": pd.array([], "string")})
        data, meta = back(labelled.write(frame, small, tmp_path / f"a{ending}"))
        assert len(data) == 0
        assert meta.column_names == ["trained", "formats_1", "formats_2"]


class TestLabels:
    @ENDINGS
    def test_questions_rows_and_choices(self, frame, small, tmp_path, ending):
        _, meta = back(labelled.write(frame, small, tmp_path / f"a{ending}"))
        said = meta.column_names_to_labels
        assert said["trained"] == "参加过培训吗？"
        assert said["view_1"] == "我喜欢这份工作。 · 您同意吗？"
        assert said["formats_2"] == "参观 · 哪些形式？"
        assert said["comment"] == "其他："
        assert meta.file_label == "小问卷"
        assert {k: v for k, v in meta.variable_value_labels["formats_1"].items() if k in (0, 1)} == {
            0: "未选",
            1: "选中",
        }

    def test_spss_says_how_items_are_measured(self, frame, small, tmp_path):
        _, meta = back(labelled.write(frame, small, tmp_path / "a.sav"))
        assert [meta.variable_measure[n] for n in ("trained", "view_1", "years", "formats_1", "ways_1")] == [
            "nominal", "ordinal", "scale", "nominal", "ordinal",
        ]  # fmt: skip

    @ENDINGS
    def test_in_english(self, frame, small, tmp_path, ending):
        with language.speaking("en"):
            _, meta = back(labelled.write(frame, small, tmp_path / f"a{ending}"))
        assert meta.variable_value_labels["trained"][1] == "Yes"
        assert meta.file_label == "Small survey"

    @ENDINGS
    def test_long_labels_are_cut_between_characters(self, frame, tmp_path, ending):
        changed = content()
        changed["title"]["zh"] = "题" * 200
        item(changed, "trained")["zh"] = "问" * 300
        item(changed, "trained")["choices"][0]["zh"] = "答" * 200
        instrument = instruments.load_instrument(save(tmp_path, changed))
        _, meta = back(labelled.write(frame, instrument, tmp_path / f"a{ending}"))
        label, title = meta.column_names_to_labels["trained"], meta.file_label
        assert label == "问" * (84 if ending == ".sav" else 79) + "…"
        assert title == "题" * (20 if ending == ".sav" else 79) + "…"
        answer = meta.variable_value_labels["trained"][1]
        assert answer == ("答" * 39 + "…" if ending == ".sav" else "答" * 200)

    def test_an_instrument_without_wording_has_value_labels_only(self, tmp_path):
        instrument = instruments.load_instrument(SURVEYS / "maslach_educators.yaml")
        frame = pd.DataFrame({"mbi_01": [0, 6, None]})
        data, meta = back(labelled.write(frame, instrument, tmp_path / "a.sav"))
        assert same(data["mbi_01"], [0, 6, None])
        assert meta.column_names_to_labels["mbi_01"] is None


class TestMissingCodes:
    def coded(self, tmp_path, *codes):
        changed = content()
        changed["missing"] = [{"value": v, "zh": f"缺{v}", "en": f"Missing {v}"} for v in codes]
        return instruments.load_instrument(save(tmp_path, changed))

    def test_more_than_three_are_a_range(self, tmp_path):
        instrument = self.coded(tmp_path, -5, -6, -7, -9)
        frame = pd.DataFrame({"trained": [1, -5, -9], "years": [3, -6, -7]})
        _, meta = back(labelled.write(frame, instrument, tmp_path / "a.sav"))
        assert meta.missing_ranges["trained"] == [{"lo": -9, "hi": -5}]

    def test_or_a_range_and_one(self, tmp_path):
        instrument = self.coded(tmp_path, -9, 97, 98, 99)
        _, meta = back(labelled.write(pd.DataFrame({"trained": [1]}), instrument, tmp_path / "a.sav"))
        assert sorted(meta.missing_ranges["trained"], key=lambda r: r["lo"]) == [
            {"lo": -9, "hi": -9},
            {"lo": 97, "hi": 99},
        ]

    def test_what_spss_cannot_declare_is_refused_and_goes_to_stata(self, tmp_path):
        instrument = self.coded(tmp_path, -9, -8, 98, 99)
        frame = pd.DataFrame({"trained": [1, 99], "comment": ["a", "b"]})
        with pytest.raises(ColumnError, match="至多三个缺失码") as raised:
            labelled.write(frame, instrument, tmp_path / "a.sav")
        assert [str(fault.where) for fault in raised.value.faults] == ["trained"]
        data, _ = back(labelled.write(frame, instrument, tmp_path / "a.dta"))
        assert same(data["trained"], [1, "a"])

    def test_stata_has_26_letters(self, tmp_path):
        instrument = self.coded(tmp_path, *range(-40, -13))
        with pytest.raises(ColumnError, match="26"):
            labelled.write(pd.DataFrame({"trained": [1]}), instrument, tmp_path / "a.dta")


class TestRefused:
    @pytest.mark.parametrize(
        ("column", "answers", "words"),
        [
            ("trained", [1, 3], "1 个答案不是可能的值（第 2 行）"),
            ("trained", [1, 1.5], "第 2 行"),
            ("trained", ["1", 2], "第 1 行"),
            ("trained", [True, 2], "第 1 行"),
            ("years", [46, -1], "第 1、2 行"),
            ("years", [np.inf, 1], "第 1 行"),
            ("formats", ["1;3", "1"], "第 1 行"),
            ("formats", ["1;1", "2"], "第 1 行"),
            ("formats", ["1;-3", "2"], "第 1 行"),
            ("formats", ["讲座", ""], "第 1、2 行"),
            ("began_on", ["九月", None], "第 1 行"),
            ("view_1", [-2, 1], "第 1 行"),
        ],
    )
    def test_impossible_answers(self, small, tmp_path, column, answers, words):
        frame = pd.DataFrame({column: pd.Series(answers, dtype=object)})
        with pytest.raises(ColumnError, match=column) as raised:
            labelled.write(frame, small, tmp_path / "a.sav")
        assert words in str(raised.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["small.yaml"]

    def test_what_is_no_number_is_not_repeated(self, small, tmp_path):
        frame = pd.DataFrame({"trained": ["张三 13812345678", 1]})
        with pytest.raises(ColumnError) as raised:
            labelled.write(frame, small, tmp_path / "a.sav")
        assert "138" not in str(raised.value)
        assert "张三" not in str(raised.value)

    def test_many_are_counted_and_some_told(self, small, tmp_path):
        with pytest.raises(ColumnError, match="9 个答案不是可能的值（第 1、2、3、4、5… 行）"):
            labelled.write(pd.DataFrame({"trained": [7] * 9}), small, tmp_path / "a.sav")

    def test_all_columns_are_told_at_once(self, small, tmp_path):
        frame = pd.DataFrame({"trained": [7], "years": [99], "name": ["王老师"]})
        with pytest.raises(ColumnError) as raised:
            labelled.write(frame, small, tmp_path / "a.sav")
        assert [str(fault.where) for fault in raised.value.faults] == ["trained", "years", "name"]
        assert "王老师" not in str(raised.value)

    def test_another_instrument(self, small, tmp_path):
        with pytest.raises(ColumnError, match="没有一列是《小问卷》的题目"):
            labelled.write(pd.DataFrame({"q1": [1]}), small, tmp_path / "a.sav")

    def test_a_column_twice(self, small, tmp_path):
        frame = pd.DataFrame([[1, 2]], columns=["trained", "trained"])
        with pytest.raises(ColumnError, match="列名重复"):
            labelled.write(frame, small, tmp_path / "a.sav")

    def test_a_column_in_the_way(self, small, tmp_path):
        frame = pd.DataFrame({"formats": ["1"], "formats_2": [0]})
        with pytest.raises(ColumnError, match="formats_2：一道多选题"):
            labelled.write(frame, small, tmp_path / "a.sav")

    def test_a_name_too_long(self, small, tmp_path):
        frame = pd.DataFrame({"trained": [1], "班" * 11: [1]})
        with pytest.raises(ColumnError, match="至多 32 个字节"):
            labelled.write(frame, small, tmp_path / "a.dta")
        assert labelled.write(frame, small, tmp_path / "a.sav").exists()

    @pytest.mark.parametrize("name", ["a.csv", "a", "a.sav.txt"])
    def test_another_ending(self, frame, small, tmp_path, name):
        with pytest.raises(ArgumentError, match=r"须以 \.sav 或 \.dta 结尾"):
            labelled.write(frame, small, tmp_path / name)

    def test_no_folder(self, frame, small, tmp_path):
        with pytest.raises(ArgumentError, match="没有这个文件夹"):
            labelled.write(frame, small, tmp_path / "none" / "a.sav")


@ENDINGS
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([1, 2, -3, None]),
            st.sampled_from([1, 2, 3, -3, -4, None]),
            st.floats(0, 45, width=32) | st.sampled_from([-3, None]),
            st.lists(st.sampled_from([1, 2, 3]), unique=True, max_size=3),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_was_answered_comes_back(tmp_path, ending, rows):
    instrument = instruments.load_instrument(save(tmp_path, CONTENT))
    trained, view, years, ways = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "trained": pd.array(trained, "Int64"),
            "view_1": pd.array(view, "Int64"),
            "years": pd.array(years, "Float64"),
            "ways": [";".join(map(str, order)) or None for order in ways],
        }
    )
    data, _ = back(labelled.write(frame, instrument, tmp_path / f"a{ending}"))
    letters = {} if ending == ".sav" else {-3: "a", -4: "b"}
    for name, answers in (("trained", trained), ("view_1", view), ("years", years)):
        assert same(data[name], [letters.get(answer, answer) for answer in answers])
    for value in (1, 2, 3):
        assert same(data[f"ways_{value}"], [order.index(value) + 1 if value in order else None for order in ways])
