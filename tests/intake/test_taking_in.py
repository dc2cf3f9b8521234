"""Exports taken into a study: the study that was simulated comes back, nothing in it says who anybody is."""

import io
import shutil
import zipfile

import pandas as pd
import pytest

import htresearch as ht
from htresearch import intake
from htresearch.errors import ArgumentError, IntakeError
from htresearch.intake import Key, Linkage
from htresearch.intake.demonstration import export
from htresearch.intake.school import made_up_roster

from . import small_form as small

WAVE = "2024-2"


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    folder = tmp_path_factory.mktemp("district") / "study"
    return ht.simulate(folder, 2, 6, 2, measures=["run"], surveys="surveys")


@pytest.fixture(scope="module")
def roster(district):
    return made_up_roster(district)


@pytest.fixture
def key(tmp_path):
    return Key.create(tmp_path / "keys" / "key.txt")


@pytest.fixture(scope="module")
def forms():
    return {
        name: ht.load_instrument(f"surveys/{name}.yaml") for name in ("head_teacher", "class_climate", "home_school")
    }


@pytest.fixture
def without(district, tmp_path):
    """A copy of the district without the answers to a form in the last round."""

    def copied(form):
        study = tmp_path / "study"
        study.mkdir()
        for table in ("schools", "terms", "classes", "teachers", "waves", "responses"):
            shutil.copy(district / f"{table}.parquet", study)
        rows = pd.read_parquet(study / "responses.parquet")
        own = (rows["instrument_id"] == form) & (rows["wave"] == WAVE)
        rows[~own].to_parquet(study / "responses.parquet", index=False)
        return study, rows[own]

    return copied


def answers(study, form):
    rows = pd.read_parquet(study / "responses.parquet")
    return rows[(rows["instrument_id"] == form) & (rows["wave"] == WAVE)]


def in_order(rows, columns):
    return rows[columns].astype(str).sort_values(columns, ignore_index=True)


SOURCES = [
    ("wenjuanxing", "xlsx", {"mode": "text"}),
    ("wenjuanxing", "csv", {"mode": "number"}),
    ("tencent", "csv", {}),
    ("sav", "sav", {}),
]


@pytest.mark.parametrize(("source", "ending", "how"), SOURCES)
def test_the_same_study_comes_back(district, roster, forms, without, key, tmp_path, source, ending, how):
    study, taken_out = without("head_teacher")
    path = tmp_path / f"export.{ending}"
    export(district, forms["head_teacher"], WAVE, path, source, roster=roster, **how)
    linkage = Linkage(key)
    receipt = intake.take_in(path, forms["head_teacher"], study, WAVE, key, linkage, roster)
    columns = ["respondent_kind", "respondent_id", "class_id", "item", "value"]
    pd.testing.assert_frame_equal(in_order(answers(study, "head_teacher"), columns), in_order(taken_out, columns))
    assert receipt.rows_kept == taken_out["respondent_id"].nunique() == len(linkage)
    assert ht.open_study(study).frame("responses").shape[0] > len(taken_out)


def test_anonymous_answers_come_back_without_a_name(district, roster, forms, without, key, tmp_path):
    study, taken_out = without("class_climate")
    path = tmp_path / "export.xlsx"
    export(district, forms["class_climate"], WAVE, path, roster=roster)
    linkage = Linkage(key)
    intake.take_in(path, forms["class_climate"], study, WAVE, key, linkage)
    got = answers(study, "class_climate")
    columns = ["respondent_kind", "class_id", "item", "value"]
    pd.testing.assert_frame_equal(in_order(got, columns), in_order(taken_out, columns))
    assert got["respondent_id"].str.fullmatch(r"r_[0-9a-f]{20}").all()
    assert got["respondent_id"].nunique() == taken_out["respondent_id"].nunique()
    assert len(linkage) == 0


@pytest.mark.parametrize("form", ["head_teacher", "class_climate"])
def test_taking_in_twice_changes_nothing(district, roster, forms, without, key, tmp_path, form):
    study, _ = without(form)
    path = tmp_path / "export.csv"
    export(district, forms[form], WAVE, path, roster=roster, dirty=True, each=1)
    first = intake.take_in(path, forms[form], study, WAVE, key, Linkage(key), roster)
    before = {p.name: p.read_bytes() for p in study.iterdir() if p.is_file()}
    second = intake.take_in(path, forms[form], study, WAVE, key, Linkage(key), roster)
    assert {p.name: p.read_bytes() for p in study.iterdir() if p.is_file()} == before
    assert first.exclusions == second.exclusions
    joined = next(iter(second.tables.values()))
    assert all("known already" in name.en for name in joined)


@pytest.mark.parametrize("form", ["head_teacher", "home_school"])
def test_what_is_planted_is_counted(district, roster, forms, without, key, tmp_path, form):
    study, _ = without(form)
    path = tmp_path / "export.xlsx"
    planted = export(district, forms[form], WAVE, path, roster=roster, dirty=True, each=1)
    receipt = intake.take_in(path, forms[form], study, WAVE, key, Linkage(key), roster)
    n = planted.kinds
    left_out = {e.rule.en.split(":")[0].split(" ")[0]: e.count for e in receipt.exclusions}
    assert left_out["A"] == n["test"]
    late = sum(p.kind == "resubmission" and _after(path, p.row, planted.closed) for p in planted.plants)
    assert left_out["Submitted"] == n["before"] + n["after"] + late
    if form == "head_teacher":
        assert left_out.get("The", 0) == n["duplicate"] + n["resubmission"] - late
    found = {f.rule.en: f.count for f in receipt.findings}
    assert sum(c for rule, c in found.items() if "no possible answer" in rule) == sum(
        n.get(kind, 0) for kind in ("not_an_option", "not_a_number", "out_of_range")
    )
    if form == "home_school":
        assert found["No class of the study; the answers are kept without one"] == n["unknown_class"]
        assert found["All answers equal those of another record sent within ten minutes"] == n["duplicate"]
    elif "unknown_name" in n:
        assert sum(c for rule, c in found.items() if rule.startswith("Nobody on the roster")) == n["unknown_name"]
    assert receipt.rows_in == len(planted.respondents)


def _after(path, row, closed):
    cells = intake.open_table(path).sheets[0].rows[row]
    return pd.Timestamp(cells[1]) >= pd.Timestamp(closed) + pd.Timedelta(days=1)


def contents(path):
    """The text of a file as somebody could find it, out of Parquet and zip too."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    data = path.read_bytes()
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return "".join(package.read(name).decode("utf-8", "replace") for name in package.namelist())
    return data.decode("utf-8", "replace")


@pytest.mark.parametrize("form", ["head_teacher", "home_school"])
def test_nothing_written_says_who_anybody_is(district, roster, forms, without, key, tmp_path, form):
    study, _ = without(form)
    path = tmp_path / "export.csv"
    planted = export(district, forms[form], WAVE, path, roster=roster, dirty=True, each=1)
    receipt = intake.take_in(path, forms[form], study, WAVE, key, Linkage(key), roster)
    receipt.write(study / "receipts")
    on_roster = set(roster.teachers["name"])
    said = "".join(contents(p) for p in study.rglob("*") if p.is_file())
    for kind, secrets in planted.identifiers.items():
        for secret in secrets:
            # A name in free text that is on no roster and that nothing announces cannot be told from a word.
            if kind == "name" and secret not in on_roster and form == "home_school":
                continue
            assert secret not in said, kind


def test_classes_have_pseudonyms_until_there_is_a_table_of_them(district, roster, forms, key, tmp_path):
    path = tmp_path / "export.xlsx"
    export(district, forms["class_climate"], WAVE, path, roster=roster)
    receipt = intake.take_in(path, forms["class_climate"], tmp_path / "new", WAVE, key, Linkage(key))
    got = ht.open_study(tmp_path / "new").frame("responses")
    assert got["class_id"].str.fullmatch(r"cls_[0-9a-f]{20}").all()
    asked = pd.read_parquet(district / "responses.parquet").query(
        "instrument_id == 'class_climate' and wave == @WAVE"
    )
    assert got["class_id"].nunique() == asked["class_id"].nunique()
    assert any("no table of classes" in note.en for note in receipt.notes)


# --- who an answer is of ------------------------------------------------------------------------------------------


@pytest.fixture
def small_form(tmp_path):
    return small.form(tmp_path)


@pytest.fixture
def taken(small_form, key, tmp_path):
    """Take rows in and return the receipt, the rows of the study and the linkage table."""
    linkage = Linkage(key)

    def done(rows, wave="w1", name="a.xlsx", **how):
        path = small.write(tmp_path / name, rows)
        receipt = intake.take_in(path, small_form, tmp_path / "new", wave, key, linkage, **how)
        return receipt, pd.read_parquet(tmp_path / "new" / "responses.parquet"), linkage

    return done


def test_a_study_is_made_where_there_is_none(small_form, taken):
    receipt, rows, linkage = taken(small.wenjuanxing(small_form, small.answers(small_form, 20), "text"))
    assert rows["respondent_id"].str.fullmatch(r"t_[0-9a-f]{20}").all()
    assert rows["respondent_id"].nunique() == 20 == len(linkage)
    assert set(rows["item"]) <= set(small_form.items) - {"name", "school"}
    assert any("2024-09-02 to 2024-09-03" in note.en for note in receipt.notes)


def test_a_person_has_one_pseudonym_in_every_round_and_file(small_form, taken):
    said = small.answers(small_form, 12)
    _, first, linkage = taken(small.wenjuanxing(small_form, said, "text"), "w1")
    for row in said:
        row["name"] = f"{row['name'][0]}　{row['name'][1:]} "
    _, both, _ = taken(small.wenjuanxing(small_form, said, "number", split=True), "w2", "b.xlsx", mode="number")
    assert set(both.loc[both["wave"] == "w2", "respondent_id"]) == set(first["respondent_id"])
    assert len(linkage) == 12


def test_a_roster_decides_and_ties_are_reported(small_form, taken):
    said = small.answers(small_form, 6)
    staff = [{"teacher_id": f"T{n}", "name": row["name"], "school": row["school"]} for n, row in enumerate(said)]
    staff[1] = {**staff[1], "name": "无人知"}
    roster = pd.DataFrame([*staff, {**staff[0], "teacher_id": "T9"}])
    said[4] = {**said[4], "school": small.BLANK}
    receipt, rows, _ = taken(small.wenjuanxing(small_form, said, "text"), roster=roster)
    ids = set(rows["respondent_id"])
    assert {"T2", "T3", "T5"} <= ids and not {"T0", "T1", "T4", "T9"} & ids and len(ids) == 6
    found = {f.rule.en.split(";")[0]: (f.count, [str(w) for w in f.where]) for f in receipt.findings}
    assert found["Nobody on the roster"] == (1, ["G3（可能是 T4）"])
    count, (where,) = found["More than one person of this name at the school"]
    assert count == 1 and where.startswith("G2（可能是 T0、T9）")
    assert found["Name or school is missing"] == (1, ["G6"])


def test_namesakes_of_a_roster_are_not_taken_for_one_person(small_form, taken):
    said = small.answers(small_form, 2)
    said[1] = {**said[1], "name": said[0]["name"], "school": said[0]["school"]}
    roster = pd.DataFrame({"teacher_id": ["T1", "T2"], "name": said[0]["name"], "school": said[0]["school"]})
    receipt, rows, _ = taken(small.wenjuanxing(small_form, said, "text"), roster=roster)
    assert rows["respondent_id"].nunique() == 2 and not receipt.exclusions
    receipt, rows, _ = taken(small.wenjuanxing(small_form, said, "text"), "w2")
    assert len(set(rows.loc[rows["wave"] == "w2", "respondent_id"])) == 1 and receipt.exclusions[0].count == 1


def test_a_phone_behind_a_name_does_not_hide_the_person(small_form, taken):
    said = small.answers(small_form, 3)
    roster = pd.DataFrame(
        [{"teacher_id": f"T{n}", "name": r["name"], "school": r["school"]} for n, r in enumerate(said)]
    )
    said[1] = {**said[1], "name": f"{said[1]['name']}13800138000"}
    _, rows, linkage = taken(small.wenjuanxing(small_form, said, "text"), roster=roster)
    assert set(rows["respondent_id"]) == {"T0", "T1", "T2"}
    assert linkage.of("T1")["name"] == (said[1]["name"],)


def test_a_contradiction_is_counted_and_nothing_overwritten(small_form, taken):
    said = [{**row, "years": 10} for row in small.answers(small_form, 5)]
    _, before, _ = taken(small.wenjuanxing(small_form, said, "text"))
    said[2]["years"] = 11
    receipt, after, _ = taken(small.wenjuanxing(small_form, said, "text"), name="b.xlsx")
    assert before.equals(after)
    (found,) = [f for f in receipt.findings if "Contradicts" in f.rule.en]
    assert found.count == 1 and "years" in found.where[0]


def test_records_without_number_or_time_are_told_apart_by_their_answers(small_form, taken):
    rows = [row[3:] for row in small.plain(small_form, small.answers(small_form, 8))]
    items = list(small_form.items)
    unnamed = [["id", *items[2:]], *([n, *row[2:]] for n, row in enumerate(rows[1:]))]
    how = {"without": ["name", "school"], "opened_on": "2024-09-01", "closed_on": "2024-09-30"}
    _, first, linkage = taken(unnamed, **how)
    assert first["respondent_id"].nunique() == 8 and len(linkage) == 0
    _, again, _ = taken(unnamed, name="b.xlsx", **how)
    assert again.equals(first)
    unnamed[1][items.index("years") - 1] = 44
    _, more, _ = taken(unnamed, name="c.xlsx", **how)
    assert more["respondent_id"].nunique() == 9


def test_the_days_of_a_round(small_form, taken):
    rows = [row[3:] for row in small.plain(small_form, small.answers(small_form, 4))]
    with pytest.raises(ArgumentError, match="opened_on"):
        taken(rows)
    taken(rows, opened_on="2024-09-01", closed_on="2024-09-30")
    late = small.wenjuanxing(small_form, small.answers(small_form, 4), "text")
    late[2][1] = "2024/10/1 8:00:00"
    receipt, _, _ = taken(late, name="late.xlsx")  # the study knows the round by now
    assert [e.count for e in receipt.exclusions] == [1]


def test_no_answers_are_left(small_form, taken, tmp_path):
    path = small.write(tmp_path / "a.xlsx", small.wenjuanxing(small_form, small.answers(small_form, 3), "text"))
    receipt = intake.take_in(
        path, small_form, tmp_path / "x", "w", Key.create(tmp_path / "k"), Linkage(), closed_on="2020-01-01"
    )
    assert receipt.rows_kept == 0 and not (tmp_path / "x").exists()


def test_classes_by_code_by_name_and_as_the_user_says(district, roster, forms, key, tmp_path):
    visit = ht.load_instrument("surveys/class_visit.yaml")
    classes = pd.read_parquet(district / "classes.parquet")
    one = classes.iloc[0]
    school = roster.schools.set_index("school_id").loc[one["school_id"], "name"]
    name = f"{one['entry_year']}级({one['class_no']})班"
    items = [i for i in visit.items if i not in ("school", "class_code")]
    rows = [["id", "submitted_at", "school", "class_code", items[0], "rater"]]
    when = pd.read_parquet(district / "terms.parquet")["starts_on"].iloc[-1]
    for n, said in enumerate([one["class_id"], name, "红班", "不知道"]):
        rows.append(
            [n, f"{pd.Timestamp(when) + pd.Timedelta(days=9):%Y-%m-%d} 08:00:0{n}", school, said, "2025-05-06", 1]
        )
    path = small.write(tmp_path / "visits.csv", rows)
    study = tmp_path / "study"
    shutil.copytree(district, study)
    how = {"without": [i for i in items if i not in rows[0]], "classes": {"红班": classes.iloc[1]["class_id"]}}
    receipt = intake.take_in(path, visit, study, "visits", key, Linkage(key), roster, **how)
    got = pd.read_parquet(study / "responses.parquet").query("instrument_id == 'class_visit'")
    by = got[got["item"] == "rater"].set_index("respondent_id")["class_id"]
    assert sorted(by.fillna("-")) == sorted([one["class_id"]] * 2 + [classes.iloc[1]["class_id"], "-"])
    assert [f.count for f in receipt.findings if "No class" in f.rule.en] == [1]
    with pytest.raises(ArgumentError, match="classes"):
        intake.take_in(path, visit, study, "visits", key, Linkage(key), roster, **{**how, "classes": {"红班": "C0"}})


@pytest.mark.parametrize("wave", ["", " ", None, 3, "13800138000"])
def test_a_round_needs_a_name(small_form, key, tmp_path, wave):
    path = small.write(tmp_path / "a.xlsx", small.wenjuanxing(small_form, small.answers(small_form, 3), "text"))
    with pytest.raises(ArgumentError, match="wave"):
        intake.take_in(path, small_form, tmp_path / "x", wave, key, Linkage(key))


def test_a_study_that_would_break_a_rule_stays_as_it_is(small_form, taken, tmp_path):
    rows = small.wenjuanxing(small_form, small.answers(small_form, 3), "text")
    taken(rows)
    before = {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()}
    with pytest.raises((IntakeError, ArgumentError)):
        taken(rows, "w 2", opened_on="2024-09-30", closed_on="2024-09-01")
    assert {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()} == before
