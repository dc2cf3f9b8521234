"""What is searched for is read from rosters, linkage tables and studies; what is in order is let through."""

from pathlib import Path

import pandas as pd
import pytest

from htresearch.errors import ArgumentError
from htresearch.intake.identity import Linkage
from htresearch.publish.leaks import Secrets, scan

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def demo():
    return Secrets.read(study=ROOT / "data" / "demo")


def test_the_committed_notebooks_hold_nothing(demo):
    assert scan(ROOT / "notebooks", demo) == ()


@pytest.mark.parametrize(
    "table, column", [("teachers", "teacher_id"), ("students", "student_id"), ("classes", "class_id")]
)
def test_the_ids_of_a_study_are_found(demo, table, column):
    one = pd.read_parquet(ROOT / "data" / "demo" / f"{table}.parquet", columns=[column])[column].iloc[-1]
    assert "study_id" in demo.kinds(f"见 {one.lower()}.csv")
    assert demo.kinds("S0001 2024-1 zone") == []


def test_a_roster_as_a_table(tmp_path):
    table = pd.DataFrame({"班级": ["1班"], "学生姓名": ["顾 晓岚"], "学籍号": [20230145], "学校名称": ["示例小学"]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_excel(tmp_path / "a.xlsx", index=False, engine="xlsxwriter")
    for name in ("a.csv", "a.xlsx"):
        secrets = Secrets.read(roster=tmp_path / name)
        assert secrets.kinds("顾晓岚") == ["name"]
        assert secrets.kinds("no. 20230145") == ["known_number"]
        assert secrets.kinds("示例小学 1班") == []


def test_a_roster_as_a_list(tmp_path):
    (tmp_path / "names.txt").write_text("顾晓岚\n欧阳明\n", encoding="utf-8")
    assert Secrets.read(roster=tmp_path / "names.txt").kinds("欧阳明") == ["name"]


def test_a_roster_without_names_is_refused(tmp_path, in_both_languages):
    (tmp_path / "a.csv").write_text("班级,分数\n1班,3\n", encoding="utf-8")
    with pytest.raises(ArgumentError) as error:
        Secrets.read(roster=tmp_path / "a.csv")
    assert "姓名" in in_both_languages(error.value)[0]


def test_a_linkage_table(tmp_path):
    linkage = Linkage()
    linkage.add("t_00aa11bb22cc33dd44ee", "teacher", name="顾晓岚", school="示例小学", phone="66778899")
    linkage.save(tmp_path / "linkage.csv")
    secrets = Secrets.read(linkage=tmp_path / "linkage.csv")
    assert secrets.kinds("顾晓岚") == ["name"]
    assert "study_id" in secrets.kinds("T_00AA11BB22CC33DD44EE")
    assert secrets.kinds("tel 66778899 x")[-1] == "known_number"
    assert secrets.kinds("示例小学") == []


def test_a_study_that_is_none_is_refused(tmp_path):
    with pytest.raises(ArgumentError):
        Secrets.read(study=tmp_path / "nowhere")


def test_short_ids_are_left_out_and_counted():
    secrets = Secrets(ids=["3", "12345", "T1", "T1001", None], names=["王", "王兰"])
    assert secrets.left_out == 4
    assert secrets.kinds("3 12345 T1") == []
    assert secrets.kinds("t1001") == ["study_id"]
    assert secrets.kinds("xt1001 t10012") == []


def test_it_shows_no_name():
    assert "王兰" not in repr(Secrets(["王兰"]))


@pytest.mark.parametrize(
    "text",
    [
        "ICC(1) = 0.12, χ²(3) = 7.81, p < 0.001",
        "doi:10.1080/07350015.2016.1247004",
        "https://doi.org/10.1002/9781118348239",
        "$f: X \\to Y$, $x:\\mathbb{R}$",
        "score ~ training_hours + (1 | school_id/class_id)",
        "school_id:teacher_id（621）",
        "print('用时：\\n', x)",
        "<td class='gt_row' id='t_head'>1,404</td></tr></var></media>",
        "../data/demo, src/home/a, data/var/x",
        "2024-11-28 08:00",
        "#C00000 #0072B2 #D55E00",
        "t_test p_value s_i r_wg cls_mean t_5 p_05",
        "r_0.05 = 0.31; 1.96; 13.5",
        "t(12345678) = 2.1",
        "版本 3.11.7.1",
    ],
)
def test_what_is_in_order_is_let_through(text):
    assert Secrets(["顾晓岚"], ["T-104"]).kinds(text) == []
