"""What a folder or a file may hold, and what is said of files that cannot be read."""

import json
import shutil

import duckdb
import pandas as pd
import pytest

import htresearch as ht
from htresearch.errors import StudyError
from htresearch.study import validate
from htresearch.study.store import open_store

from . import small

SCHOOLS = "school_id,zone_id,school_type,ownership,location\nS1,Z1,primary,public,urban\nS2,,junior,private,rural\n"


@pytest.fixture
def folder(tmp_path):
    """Return a sound study of one table."""
    made = tmp_path / "study"
    made.mkdir()
    (made / "schools.csv").write_text(SCHOOLS, "utf-8")
    return made


def one_fault(folder, file, zh, en, fix=""):
    """Assert that exactly one fault is found, in a file, and that it is said in both languages."""
    said = {}
    for language in ("zh", "en"):
        with ht.language.speaking(language):
            faults = validate(folder)
            assert len(faults) == 1, faults
            with pytest.raises(StudyError) as caught:
                ht.open_study(folder)
        said[language] = faults.iloc[0]
        assert caught.value.table.equals(faults)
        assert str(faults.iloc[0]["rule"]) in str(caught.value)
    assert said["zh"]["table"] == file
    assert zh in said["zh"]["rule"]
    assert en in said["en"]["rule"]
    assert fix in said["en"]["fix"]
    assert said["zh"]["fix"] != said["en"]["fix"]


def test_a_sound_folder_opens(folder):
    assert validate(folder).empty
    assert ht.open_study(folder).tables == ("schools",)


@pytest.mark.parametrize("threads", [None, "1", "many"])
def test_a_folder_of_csv_opens_with_any_number_of_threads(folder, monkeypatch, threads):
    monkeypatch.delenv("HTRESEARCH_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("HTRESEARCH_THREADS", threads)
    assert ht.open_study(folder).tables == ("schools",)


def test_no_such_folder(tmp_path):
    one_fault(tmp_path / "nowhere", str(tmp_path / "nowhere"), "不存在", "no such folder or file", "simulate")


def test_an_empty_folder(tmp_path):
    (tmp_path / "study").mkdir()
    one_fault(tmp_path / "study", "study", "没有任何数据表", "holds no table", "schools.csv")


def test_an_empty_file(folder):
    (folder / "schools.csv").write_text("")
    one_fault(folder, "schools.csv", "空的", "empty")


def test_gbk(folder):
    (folder / "schools.csv").write_bytes(SCHOOLS.replace("Z1", "东学区").encode("gbk"))
    one_fault(folder, "schools.csv", "GBK", "not in UTF-8", "CSV UTF-8")


def test_not_parquet(folder):
    (folder / "schools.csv").rename(folder / "schools.parquet")
    one_fault(folder, "schools.parquet", "不是可读的 Parquet", "not readable Parquet", ".csv")


def test_an_empty_parquet(folder):
    (folder / "schools.csv").unlink()
    (folder / "schools.parquet").write_bytes(b"")
    one_fault(folder, "schools.parquet", "空的", "empty")


def test_a_truncated_parquet(folder):
    (folder / "schools.csv").unlink()
    small.sound()["schools"].to_parquet(folder / "schools.parquet")
    whole = (folder / "schools.parquet").read_bytes()
    (folder / "schools.parquet").write_bytes(whole[: len(whole) // 2])
    one_fault(folder, "schools.parquet", "Parquet", "not readable Parquet")


def test_a_ragged_line(folder):
    (folder / "schools.csv").write_text(SCHOOLS + "S3,Z1,primary,public,urban,extra\n", "utf-8")
    for language, said in (("zh", "schools.csv 第 4 行"), ("en", "schools.csv line 4")):
        with ht.language.speaking(language):
            faults = validate(folder)
            assert faults["table"].tolist() == [said]
            assert "6" in faults["rule"][0]
            assert "5" in faults["rule"][0]


def test_short_lines_are_all_named(folder):
    (folder / "schools.csv").write_text(SCHOOLS + "S3,Z1\nS4,,primary,public,urban\nS5\n", "utf-8")
    assert validate(folder)["table"].tolist() == ["schools.csv 第 4 行", "schools.csv 第 6 行"]


def test_a_column_twice(folder):
    (folder / "schools.csv").write_text(SCHOOLS.replace("zone_id", "zone_id,zone_id"), "utf-8")
    one_fault(folder, "schools.csv", "列名重复：zone_id", "repeated column: zone_id")


def test_an_unknown_column_suggests_the_nearest(folder):
    (folder / "schools.csv").write_text(SCHOOLS.replace("zone_id", "zone"), "utf-8")
    one_fault(folder, "schools.csv", "“zone”", "'zone' is not part", "zone_id")


def test_a_missing_column(folder):
    (folder / "schools.csv").write_text("school_id,zone_id,school_type,ownership\nS1,,primary,public\n", "utf-8")
    one_fault(folder, "schools.csv", "缺少“location”", "'location' is missing")


def test_an_optional_column_may_be_left_out(folder):
    (folder / "schools.csv").write_text(
        "school_id,school_type,ownership,location\nS1,primary,public,urban\n", "utf-8"
    )
    assert ht.open_study(folder).frame("schools")["zone_id"].isna().all()


def test_two_files_of_one_table(folder):
    small.sound()["schools"].to_parquet(folder / "schools.parquet")
    one_fault(folder, "schools.parquet", "schools 出现了两次", "schools is there twice", "schools.csv")


def test_xlsx(folder):
    (folder / "teachers.xlsx").write_bytes(b"PK\x03\x04")
    one_fault(folder, "teachers.xlsx", "只读 Parquet 和 CSV", "holds Parquet or CSV", "CSV UTF-8")


def test_a_misspelled_table(folder):
    (folder / "teacher.csv").write_text("teacher_id\nT1\n", "utf-8")
    one_fault(folder, "teacher.csv", "不是本研究格式中的数据表", "is not a table", "teachers")


def test_documents_beside_the_tables_are_left_alone(folder):
    for name in ("README.md", "notes.txt", "other.json", ".hidden", "_draft.csv", "~$schools.xlsx"):
        (folder / name).write_text("anything", "utf-8")
    (folder / "truth").mkdir()
    (folder / "truth" / "teachers.parquet").write_text("anything", "utf-8")
    assert ht.open_study(folder).tables == ("schools",)


@pytest.mark.parametrize(
    "written", ["{", "[]", '{"vocabularies": {"tier": [{"label": "x"}]}}', '{"vocabularies": 3}']
)
def test_a_broken_data_package(folder, written):
    (folder / "datapackage.json").write_text(written, "utf-8")
    one_fault(folder, "datapackage.json", "数据包", "not a readable data package", "vocabularies")


def test_an_unknown_vocabulary(folder):
    (folder / "datapackage.json").write_text('{"vocabularies": {"tears": [{"value": "star"}]}}', "utf-8")
    one_fault(folder, "datapackage.json", "tears", "no vocabulary 'tears'")


def test_vocabularies_grow_in_the_data_package(folder):
    (folder / "schools.csv").write_text(SCHOOLS.replace("junior", "boarding_school"), "utf-8")
    assert validate(folder)["value"].tolist() == ["boarding_school"]
    entry = {"value": "boarding_school", "title": "Boarding school", "title:zh": "寄宿制学校"}
    (folder / "datapackage.json").write_text(json.dumps({"vocabularies": {"school_type": [entry]}}), "utf-8")
    study = ht.open_study(folder)
    assert study.frame("schools")["school_type"].tolist() == ["primary", "boarding_school"]
    assert str(study.store.schema.label("boarding_school", "school_type")) == "寄宿制学校"


def test_csv_with_a_byte_order_mark_blanks_and_windows_lines(folder):
    written = SCHOOLS.replace("\n", "\r\n").replace("primary", " primary ")
    (folder / "schools.csv").write_bytes(b"\xef\xbb\xbf" + written.encode())
    frame = ht.open_study(folder).frame("schools")
    assert frame["school_id"].tolist() == ["S1", "S2"]
    assert frame["school_type"].tolist() == ["primary", "junior"]
    assert frame["zone_id"].isna().tolist() == [False, True]


def test_ids_as_integers_in_parquet(folder):
    (folder / "schools.csv").unlink()
    small.sound()["schools"].assign(school_id=[7, 8]).to_parquet(folder / "schools.parquet")
    assert ht.open_study(folder).frame("schools")["school_id"].tolist() == ["7", "8"]


def test_leading_zeros_of_ids_stay(folder):
    (folder / "schools.csv").write_text(SCHOOLS.replace("S1", "007"), "utf-8")
    assert ht.open_study(folder).frame("schools")["school_id"].tolist() == ["007", "S2"]


def test_a_table_in_parts(folder):
    (folder / "schools.csv").unlink()
    (folder / "schools").mkdir()
    schools = small.sound()["schools"]
    for number in range(2):
        schools.iloc[[number]].to_parquet(folder / "schools" / f"part{number}.parquet")
    assert ht.open_study(folder).frame("schools")["school_id"].tolist() == ["S1", "S2"]
    shutil.rmtree(folder / "schools")
    (folder / "schools").mkdir()
    one_fault(folder, "schools", "没有 Parquet", "holds no Parquet file")


def test_typed_cells(folder):
    (folder / "terms.csv").write_text(
        "term_id,school_year,term,starts_on,ends_on\n2024-1,2024-2025,1,2024-09-01,2025-01-20\n", "utf-8"
    )
    (folder / "schools.csv").unlink()
    terms = ht.open_study(folder).frame("terms")
    assert terms["starts_on"].tolist() == [pd.Timestamp("2024-09-01")]
    assert terms["term"].tolist() == ["1"]
    assert terms["term"].cat.categories.tolist() == ["1", "2"]


def test_csv_parquet_and_duckdb_give_the_same_panels(tmp_path):
    needed = ("schools", "terms", "classes", "teachers", "appointments", "students", "enrolments")
    tables = {name: small.sound()[name] for name in needed}
    parquet, csv = (small.write(tables, tmp_path / suffix, suffix) for suffix in ("parquet", "csv"))
    database = tmp_path / "study.duckdb"
    with duckdb.connect(str(database)) as connection:
        for name in tables:
            file = str(parquet / f"{name}.parquet")
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet('{file}')").fetchall()
    panels = [ht.open_study(path).class_terms() for path in (parquet, csv, database)]
    assert len(panels[0]) == 4
    pd.testing.assert_frame_equal(panels[0], panels[1])
    pd.testing.assert_frame_equal(panels[0], panels[2])


def test_what_is_kept_is_worked_out_once(folder):
    store, asked = open_store(folder), []
    for _ in range(2):
        rows = store.kept("schools", lambda: asked.append(1) or store.table("schools"))
        assert rows.collect("pandas").to_native().equals(store.table("schools").collect("pandas").to_native())
    assert asked == [1]
    assert store.tables == ("schools",)


def test_a_database_that_is_none(tmp_path):
    (tmp_path / "study.duckdb").write_text("not a database", "utf-8")
    one_fault(tmp_path / "study.duckdb", "study.duckdb", "不是可读的 DuckDB", "not a readable DuckDB file")


def test_a_database_with_a_foreign_table(tmp_path):
    with duckdb.connect(str(tmp_path / "study.duckdb")) as connection:
        connection.execute("CREATE TABLE pupils (a INTEGER)").fetchall()
        connection.execute(
            "CREATE TABLE schools AS SELECT 'S1' AS school_id, 'primary' AS school_type, 'public' AS ownership, "
            "'urban' AS location"
        ).fetchall()
    one_fault(tmp_path / "study.duckdb", "study.duckdb: main.pupils", "不是本研究格式中的数据表", "is not a table")


def test_tables_of_the_store_are_lazy(folder):
    store = open_store(folder)
    assert store.has("schools", "zone_id")
    assert store.cells("schools").collect("pandas").to_native()["_row"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("content", "zh", "en"),
    [
        (b"\xef\xbb\xbf", "空的", "empty"),
        (SCHOOLS.encode("utf-16"), "UTF-16", "UTF-16"),
        (SCHOOLS.replace(",", ";").encode(), "分号", "semicolons"),
        (SCHOOLS.replace(",", "\t").encode(), "制表符", "tabs"),
        (SCHOOLS.replace("location", "location,").encode(), "第 6 列没有列名", "column 6 has no name"),
        (SCHOOLS.replace("zone_id", "zone_id,Zone_ID").encode(), "“Zone_ID”不是这张表的列", "'Zone_ID' is not part"),
        (SCHOOLS.replace("zone_id", "zone_id,_row").encode(), "“_row”不是这张表的列", "'_row' is not part"),
        (b"\n" + SCHOOLS.encode(), "", ""),
    ],
    ids=["only a mark", "UTF-16", "semicolons", "tabs", "no name", "capitals", "reserved", "blank first line"],
)
def test_headers_that_cannot_be_read(folder, content, zh, en):
    (folder / "schools.csv").write_bytes(content)
    for language, said in (("zh", zh), ("en", en)):
        with ht.language.speaking(language):
            faults = validate(folder)
            assert len(faults)
            assert (faults["table"] == "schools.csv").all()
            assert said in faults["rule"].iloc[0]


def test_a_nul_and_an_open_quotation_mark_are_placed(folder):
    (folder / "schools.csv").write_text(SCHOOLS + "S9,\0,primary,public,urban\n", "utf-8")
    one_fault(folder, "schools.csv 第 4 行", "空字符", "NUL")


def test_mixed_line_ends_long_cells_and_blank_lines_are_read(folder):
    first, *rest = SCHOOLS.splitlines()
    long = rest[0].replace(rest[0].split(",")[0], "S" * 3_000_000)
    (folder / "schools.csv").write_bytes("\r\n".join([first, "", long]).encode() + b"\n" + rest[1].encode() + b"\n")
    assert len(ht.open_study(folder).frame("schools")) == 2


def test_rows_are_lines_of_the_file(folder):
    first, *rest = SCHOOLS.splitlines()
    quoted = rest[0].replace(rest[0].split(",")[0], '"S\n1"')
    (folder / "schools.csv").write_text("\n".join([first, "", quoted, rest[1].replace("private", "privat")]) + "\n")
    assert validate(folder)[["row", "value"]].to_numpy().tolist() == [[5, "privat"]]


def test_a_folder_or_a_broken_link_in_place_of_a_file(folder):
    (folder / "teachers.csv").mkdir()
    (folder / "classes.csv").symlink_to(folder / "nothing.csv")
    faults = validate(folder).set_index("table")["rule"]
    assert "文件夹" in faults["teachers.csv"]
    assert "链接" in faults["classes.csv"]


def test_endings_in_capitals_are_endings(folder):
    (folder / "schools.csv").rename(folder / "schools.CSV")
    assert ht.open_study(folder).tables == ("schools",)


def test_parquet_with_lists_and_zoned_days_is_refused(folder):
    zoned = pd.to_datetime(["2010-08-15"]).tz_localize("Asia/Shanghai")
    teacher = {
        "teacher_id": ["T1"],
        "sex": ["female"],
        "birth_year": [1980],
        "entered_on": zoned,
        "employment": ["permanent"],
        "degree": ["master"],
        "title": ["first"],
        "subject": [["语文"]],
    }
    pd.DataFrame(teacher).to_parquet(folder / "teachers.parquet")
    rules = validate(folder)["rule"].tolist()
    assert any("entered_on" in r and "时区" in r for r in rules)
    assert any("subject" in r and "多个值" in r for r in rules)


def test_numbers_beyond_whole_numbers_are_faults(folder):
    header = "class_id,school_id,stage,entry_year,entry_grade,class_no"
    (folder / "classes.csv").write_text(f"{header}\nC1,S1,primary,1e19,1,9223372036854775808\n")
    found = validate(folder)
    assert set(found["column"]) == {"entry_year", "class_no"}


def test_a_database_view_is_a_table_and_two_schemas_clash(tmp_path):
    school = "SELECT 'S1' AS school_id, 'primary' AS school_type, 'public' AS ownership, 'urban' AS location"
    with duckdb.connect(str(tmp_path / "study.duckdb")) as connection:
        connection.execute(f"CREATE VIEW schools AS {school}").fetchall()
    assert len(ht.open_study(tmp_path / "study.duckdb").frame("schools")) == 1
    with duckdb.connect(str(tmp_path / "study.duckdb")) as connection:
        connection.execute(f"CREATE SCHEMA other; CREATE TABLE other.schools AS {school}").fetchall()
    one_fault(tmp_path / "study.duckdb", "study.duckdb: other.schools", "出现了两次", "is there twice")


def test_a_database_has_its_vocabularies_beside_it(tmp_path):
    with duckdb.connect(str(tmp_path / "study.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE schools AS SELECT 'S1' AS school_id, 'art' AS school_type, 'public' AS ownership, "
            "'urban' AS location"
        ).fetchall()
    assert validate(tmp_path / "study.duckdb")["value"].tolist() == ["art"]
    added = {"vocabularies": {"school_type": [{"value": "art", "title": "Art school", "title:zh": "艺术学校"}]}}
    (tmp_path / "study.datapackage.json").write_text(json.dumps(added), "utf-8")
    assert validate(tmp_path / "study.duckdb").empty


@pytest.mark.parametrize("values", [["x"], [{"value": ""}], [{"value": None}], [{"value": "art", "title": 3}], "art"])
def test_vocabularies_that_are_not_words(folder, values):
    (folder / "datapackage.json").write_text(json.dumps({"vocabularies": {"school_type": values}}), "utf-8")
    one_fault(folder, "datapackage.json", "不是可读的数据包说明", "not a readable data package")


def test_a_ranking_is_extended_whole(folder):
    new = {"vocabularies": {"tier": [{"value": "star"}]}}
    (folder / "datapackage.json").write_text(json.dumps(new), "utf-8")
    one_fault(folder, "datapackage.json · tier", "次序", "ranking", "ordinary, backbone")
