"""Simulated answers as files of the field: laid out as the sources lay them out, dirty where it is said."""

import csv
import io
import json
import re
import zipfile
from dataclasses import asdict
from ipaddress import ip_address, ip_network

import numpy as np
import pandas as pd
import pyreadstat
import pytest

import htresearch as ht
from htresearch.errors import ArgumentError, MissingTableError
from htresearch.intake import open_table
from htresearch.intake.demonstration import answers, export, with_namesakes
from htresearch.intake.dirt import KINDS
from htresearch.intake.invented import Invented
from htresearch.intake.school import made_up_roster

WAVE = "2024-2"
FORMS = ("head_teacher", "class_climate", "home_school", "pupil_wellbeing")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("district") / "study"
    return ht.simulate(folder, 4, 10, 2, measures=["run"], surveys="surveys")


@pytest.fixture(scope="module")
def roster(study):
    return made_up_roster(study)


@pytest.fixture(scope="module")
def forms():
    return {name: ht.load_instrument(f"surveys/{name}.yaml") for name in FORMS}


@pytest.fixture
def write(study, roster, forms, tmp_path):
    def written(form, name="export.xlsx", source="wenjuanxing", **how):
        planted = export(study, forms[form], WAVE, tmp_path / name, source, roster=roster, **how)
        return tmp_path / name, planted

    return written


def table(path) -> pd.DataFrame:
    rows = open_table(path).sheets[0].rows
    width = len(rows[0])
    return pd.DataFrame([[*r, *[None] * (width - len(r))] for r in rows[1:]], columns=rows[0], dtype=object)


def missing(cell) -> bool:
    return cell in (None, "(空)", "(跳过)", -2, -3, "-2", "-3")


# --- answers ---------------------------------------------------------------------------------------------------


def test_answers_are_those_of_the_study(study, forms):
    frame = answers(study, forms["head_teacher"], WAVE)
    long = pd.read_parquet(study / "responses.parquet").query("instrument_id == 'head_teacher' and wave == @WAVE")
    assert len(frame) == long["respondent_id"].nunique()
    assert frame["submitted_at"].is_monotonic_increasing
    back = frame.drop(columns=["class_id", "submitted_at", "duration_s"]).melt("respondent_id", var_name="item")
    back = back.dropna(subset="value").astype(str).sort_values(["respondent_id", "item"], ignore_index=True)
    long = long[["respondent_id", "item", "value"]].sort_values(["respondent_id", "item"], ignore_index=True)
    pd.testing.assert_frame_equal(back, long, check_dtype=False)
    assert frame["ideas_1"].dtype == "Int64"


def test_a_study_without_answers_is_named(tmp_path, study, forms):
    with pytest.raises(MissingTableError, match="2031-1"):
        answers(study, forms["class_climate"], "2031-1")
    plain = ht.simulate(tmp_path / "plain", 1, 1, 1, measures=["run"])
    with pytest.raises(MissingTableError, match="surveys="):
        answers(plain, forms["class_climate"], "2024-1")


# --- 问卷星 ----------------------------------------------------------------------------------------------------


def test_wenjuanxing_begins_as_it_does(write):
    path, _ = write("head_teacher")
    frame = table(path)
    assert list(frame)[:6] == ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]
    assert list(frame)[6:8] == ["1、您所在学校的全称：", "2、您的姓名："]
    assert frame["序号"].tolist() == list(range(1, len(frame) + 1))
    assert frame["提交答卷时间"].map(lambda v: bool(re.fullmatch(r"2025/\d{1,2}/\d{1,2} \d\d:\d\d:\d\d", v))).all()
    assert frame["所用时间"].map(lambda v: bool(re.fullmatch(r"\d+秒", v))).all()
    assert frame["来自IP"].map(lambda v: bool(re.fullmatch(r"[\d.]+\(河南-..\)", v))).all()
    score = table(write("head_teacher", "score.xlsx", mode="score")[0])
    assert list(score)[6] == "总分"
    assert (score["总分"] > 50).all()


@pytest.mark.parametrize("modern", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_the_three_modes_hold_the_same_answers(write, study, forms, form, modern):
    instrument, truth = forms[form], answers(study, forms[form], WAVE)
    headers = "modern" if modern else "classic"
    by = {m: table(write(form, f"{m}.xlsx", mode=m, headers=headers)[0]) for m in ("text", "number", "score")}

    def header(question, part):
        if question.type == "matrix" and modern:
            return f"{question.number}、{question.text.zh}—{part}"
        return f"{question.number}、({part})" if modern else f"第{question.number}题({part})"

    for question in instrument.questions:
        for item in question.items:
            if item.identifies:
                continue
            alone = (
                header(question, item.text.zh) if question.type == "matrix" else f"{question.number}、{item.text.zh}"
            )
            meant = truth[item.id].astype(object).where(truth[item.id].notna(), None).tolist()
            said = by["text"][alone].tolist()
            if item.type == "single":
                values = {c.label.zh: c.value for c in item.choices if not c.missing}
                assert [values.get(cell) for cell in said] == meant
                order = [c.value for c in item.choices]
                number = [order[c - 1] if c > 0 else None for c in by["number"][alone]]
                assert [v if v is not None and v > 0 else None for v in number] == meant
                assert [c if c > 0 else None for c in by["score"][alone]] == meant
            elif item.type in ("multiple", "ranking"):
                mark = "┋" if item.type == "multiple" else "→"
                values = {c.label.zh: c.value for c in item.choices}
                assert [
                    None if missing(c) else ";".join(str(values[p]) for p in c.split(mark)) for c in said
                ] == meant
                for mode in ("number", "score"):
                    marks = {c.value: by[mode][header(question, c.label.zh)] for c in item.choices}
                    rows = pd.DataFrame(marks).to_dict("records")
                    found = [[v for v in sorted(r, key=r.get) if r[v] > 0] for r in rows]
                    assert [";".join(map(str, f)) or None for f in found] == meant
            else:
                cast = int if item.type == "number" else str
                assert [None if missing(c) else cast(c) for c in said] == meant
                assert [None if missing(c) else c for c in by["number"][alone]] == meant


def test_skipped_and_empty_are_told_apart(write, study, forms):
    text = table(write("head_teacher", "t.xlsx")[0])
    number = table(write("head_teacher", "n.xlsx", mode="number")[0])
    not_trained = answers(study, forms["head_teacher"], WAVE)["trained"] == 2
    column = next(c for c in text if c.startswith("19、"))
    assert ((text[column] == "(跳过)") == not_trained.to_numpy()).all()
    assert not_trained.any()
    options = [c for c in number if c.startswith("第19题(")]
    assert len(options) == 9
    assert ((number[options] == -3).all(axis=1) == not_trained.to_numpy()).all()
    assert set(text[list(text)[-1]].dropna()) - {"(空)"}
    assert (number[list(number)[-1]] == -2).any()


@pytest.mark.parametrize(
    ("encoding", "start"),
    [("utf-8-sig", b"\xef\xbb\xbf"), ("utf-8", "序号".encode()), ("gb18030", "序号".encode("gbk"))],
)
def test_text_is_written_in_each_encoding(write, encoding, start):
    path, _ = write("class_climate", "export.csv", encoding=encoding)
    content = path.read_bytes()
    assert content.startswith(start)
    assert open_table(path).sheets[0].rows[0][1] == "提交答卷时间"
    as_workbook = table(write("class_climate", "export.xlsx")[0])
    pd.testing.assert_frame_equal(table(path).astype(str), as_workbook.astype(str))


def test_the_same_seed_gives_the_same_file(write):
    one, two, three = (
        write("head_teacher", f"{n}.xlsx", dirty=True, seed=s)[0] for n, s in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != three.read_bytes()


# --- the other sources -----------------------------------------------------------------------------------------


def test_tencent_has_letters_times_and_a_comma_too_many(write, study, forms):
    path, _ = write("home_school", "export.csv", "tencent")
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    assert rows[0][:4] == ["编号", "开始答题时间", "结束答题时间", "答题时长"]
    assert rows[0][4:8] == ["地理位置国家和地区", "地理位置省", "地理位置市", "用户类型"]
    assert {row[-1] for row in rows} == {""}
    frame, truth = table(path), answers(study, forms["home_school"], WAVE)
    assert set(frame["2.您是孩子的："].dropna()) <= {"A.父亲", "B.母亲", "C.祖父母或外祖父母", "D.其他监护人"}
    begun, ended = (pd.to_datetime(frame[c]) for c in ("开始答题时间", "结束答题时间"))
    assert ((ended - begun).dt.total_seconds().to_numpy() == truth["duration_s"].to_numpy(float)).all()
    options = [c for c in frame if str(c).startswith("7.")]
    assert len(options) == 5
    chosen = truth["activities"].fillna("").map(lambda v: len([p for p in v.split(";") if p]))
    assert (frame[options].notna().sum(axis=1).to_numpy() == chosen.to_numpy()).all()
    modern = table(write("home_school", "m.csv", "tencent", headers="modern")[0])
    assert list(modern)[4].startswith("1.")


@pytest.mark.parametrize(("kind", "read"), [("sav", pyreadstat.read_sav), ("dta", pyreadstat.read_dta)])
def test_labelled_files_hold_values_and_labels(write, study, forms, kind, read):
    path, _ = write("head_teacher", f"export.{kind}", kind)
    frame, _ = read(str(path))
    _, meta = read(str(path), user_missing=True)
    truth = answers(study, forms["head_teacher"], WAVE)
    name = "Q7_R1" if kind == "sav" else "ideas_1"
    assert frame[name].tolist() == truth["ideas_1"].tolist()
    assert meta.variable_value_labels[name][5] == "非常同意"
    assert "班主任工作首先是育人" in meta.column_names_to_labels[name]
    if kind == "sav":
        assert meta.missing_ranges["Q19_A1"] == [{"lo": -4, "hi": -2}]
        assert frame["Q19_A1"].isna().any()  # declared missing
    else:
        assert (frame["formats_1"] == -3).any()


def test_plain_tables_have_ids_and_values(write, study, forms):
    frame = table(write("pupil_wellbeing", "export.csv", "csv")[0])
    truth = answers(study, forms["pupil_wellbeing"], WAVE)
    assert list(frame)[:3] == ["submitted_at", "duration_s", "class_code"]
    assert frame["class_code"].tolist() == truth["class_id"].tolist()
    assert frame["confide"].tolist() == truth["confide"].astype(object).where(truth["confide"].notna(), None).tolist()


# --- dirt ------------------------------------------------------------------------------------------------------


def columns_of(frame: pd.DataFrame, instrument, item: str | None) -> list[str]:
    """Return the columns of a file by text in which an item, or what tells of the answer, stands."""
    facts = {"submitted_at": "提交答卷时间", "duration_s": "所用时间", "ip": "来自IP"}
    if item is None or item in facts:
        return [facts[item]] if item else []
    question = next(q for q in instrument.questions if item in [i.id for i in q.items])
    text = instrument.items[item].text.zh
    return [f"第{question.number}题({text})" if question.type == "matrix" else f"{question.number}、{text}"]


@pytest.mark.parametrize("form", FORMS)
def test_every_plant_stands_where_it_is_listed(write, forms, form):
    path, planted = write(form, dirty=True, each=1)
    frame = table(path)
    assert len(frame) == len(planted.respondents)
    assert set(planted.kinds) <= set(KINDS)
    assert {"duplicate", "test", "before", "after"} <= set(planted.kinds)
    for plant in planted.plants:
        for column in columns_of(frame, forms[form], plant.item):
            cell = frame[column].iloc[plant.row - 1]
            if plant.kind in ("before", "after"):
                assert pd.Timestamp(cell) == pd.Timestamp(plant.value)
                day = pd.Timestamp(cell).date().isoformat()
                assert not planted.opened <= day <= planted.closed
            elif plant.kind == "other_text":
                assert "其他〖读书会〗" in cell
            elif plant.kind == "ipv6":
                assert cell.startswith(f"{plant.value}(")
            else:
                assert str(cell) == plant.value
    assert json.loads(path.with_name(path.name + ".planted.json").read_text("utf-8")) == json.loads(
        json.dumps(asdict(planted))
    )


def test_all_kinds_are_planted_somewhere(write):
    kinds = set()
    for form in FORMS:
        kinds |= set(write(form, f"{form}.xlsx", dirty=True, each=1)[1].kinds)
    assert kinds == set(KINDS)


def test_rows_without_plants_are_the_clean_answers(write, study, forms):
    clean = table(write("home_school", "clean.xlsx")[0])
    truth = answers(study, forms["home_school"], WAVE)["respondent_id"].tolist()
    path, planted = write("home_school", "dirty.xlsx", dirty=True)
    dirty = table(path).drop(columns=["微信昵称", "序号"])
    clean = clean.drop(columns="序号").set_index(pd.Index(truth))
    assert len(planted.untouched) > 20
    same = 0
    for row in planted.untouched:
        if planted.respondents.count(planted.respondents[row - 1]) > 1:
            continue  # sent again further down
        pair = dirty.iloc[row - 1], clean.loc[planted.respondents[row - 1]]
        assert pair[0].tolist() == pair[1].tolist()
        same += 1
    assert same > 20


def test_what_is_sent_again_is_the_same_but_for_the_time(write):
    path, planted = write("class_climate", dirty=True)
    frame = table(path)
    assert len(planted.of("duplicate")) == 3
    for plant in planted.of("duplicate"):
        rows = [i for i, who in enumerate(planted.respondents) if who == plant.value]
        assert len(rows) == 2
        first, second = (frame.iloc[i] for i in rows)
        assert first.drop(["序号", "提交答卷时间"]).equals(second.drop(["序号", "提交答卷时间"]))
        wait = pd.Timestamp(second["提交答卷时间"]) - pd.Timestamp(first["提交答卷时间"])
        assert pd.Timedelta(0) < wait < pd.Timedelta(minutes=5)


def test_listed_identifiers_are_all_that_there_are(write):
    path, planted = write("home_school", dirty=True)
    text = "\n".join("\t".join(str(v) for v in row) for row in open_table(path).sheets[0].rows)
    for kind, values in planted.identifiers.items():
        assert values, kind
        assert all(value in text for value in values), kind
    for values in planted.identifiers.values():
        for value in sorted(values, key=len, reverse=True):
            text = text.replace(value, "")
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)|\d{17}[\dX]|[\w.]+@\w+|\d+\.\d+\.\d+\.\d+", text)


def test_a_formula_stays_text(write):
    path, planted = write("home_school", dirty=True)
    assert any(plant.value.startswith("=") for plant in planted.of("formula"))
    with zipfile.ZipFile(path) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")


def test_dirty_labelled_and_plain_files_can_be_written(write):
    for name, source in (("d.sav", "sav"), ("d.dta", "dta"), ("d.csv", "csv"), ("t.xlsx", "tencent")):
        path, planted = write("pupil_wellbeing", name, source, dirty=True)
        assert path.is_file()
        assert planted.of("test")
    frame = table(write("pupil_wellbeing", "p.csv", "csv", dirty=True)[0])
    wrong = planted.of("not_an_option")
    assert [frame[p.item].iloc[p.row - 1] for p in wrong] == ["99"] * len(wrong)


def test_namesakes_are_made(roster):
    before = roster.teachers.groupby(["school_id", "name"]).size()
    after = with_namesakes(roster, 2).teachers.groupby(["school_id", "name"]).size()
    assert (before.max(), (after == 2).sum()) == (1, 2)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"source": "wjx"}, "source"),
        ({"mode": "letters"}, "mode"),
        ({"headers": "old"}, "headers"),
        ({"encoding": "big5"}, "encoding"),
        ({"each": -1}, "each"),
        ({"name": "export.sav"}, "path"),
    ],
)
def test_wrong_arguments_are_named(write, how, said):
    with pytest.raises(ArgumentError, match=said):
        write("class_climate", **how)


# --- invented numbers ------------------------------------------------------------------------------------------


def test_invented_numbers_belong_to_nobody():
    people = Invented(1)
    documentation = [ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    for key in map(str, range(200)):
        assert re.fullmatch(r"16[01389]\d{8}", people.phone(key))
        card = people.id_card(key)
        assert (
            sum(int(d) * w for d, w in zip(card[:17], weights, strict=True))
            + (10 if card[17] == "X" else int(card[17]))
        ) % 11 == 1
        assert card[2:6] == "9999"
        pd.Timestamp(card[6:14])
        assert re.fullmatch(r"[GL]\d{17}[\dX]", people.student_number(key))
        assert re.fullmatch(r"(199[89]|200\d)41999[1-4][01]\d{6}", people.certificate(key))
        assert any(ip_address(ip) in net for ip in (people.ip(key), people.ipv6(key)) for net in documentation)
        assert people.email(key).endswith("@example.com")
    assert people.phone("1") == Invented(1).phone("1") != Invented(2).phone("1")
    assert len({people.name(str(n)) for n in range(300)}) > 250
    assert np.mean(["班" in people.wechat(str(n)) for n in range(200)]) > 0.1
