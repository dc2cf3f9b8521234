"""Every rule broken once: the fault names table, row, column and value, and says in both languages what to do."""

import pytest

import htresearch as ht
from htresearch.errors import Fault, StudyError
from htresearch.study import report, validate
from htresearch.study.rules import findings
from htresearch.study.store import open_store

from . import small

TABLES = {
    "schools": "S1,Z1,primary,public,urban",
    "terms": "2024-1,2024-2025,1,2024-09-01,2025-01-20",
    "classes": "C1,S1,primary,2022,1,1",
    "teachers": "T1,female,1985,2010-08-15,permanent,bachelor,first,语文\n"
    "T2,male,1990,2015-08-15,contract,master,none,数学",
    "appointments": "T1,C1,head,2022-08-20,2024-01-31,",
    "tiers": "T1,backbone,zone,2024-08-15,2026-08-14,86,accredited",
    "training_events": "E1,district,lecture,methods,case,2024-05-10,3",
    "attendance": "E1,T1,3,4",
    "appraisals": "T1,ethics,2024-01-01,2024-12-31,2025-01-08,,,unqualified,false,",
    "students": "P1,male,0.1,true\nP2,male,0.1,true",
    "enrolments": "P1,C1,2022-08-25,,false,true,false,false",
    "assessments": "A1,2024-1,primary,3,academic,maths,district,raw,100,district,test,",
    "outcomes": "A1,P1,80,,present",
}
#: What each table refers to, so that a test writes no more than it needs.
NEEDS = {
    "classes": ("schools",),
    "appointments": ("schools", "classes", "teachers"),
    "tiers": ("teachers",),
    "attendance": ("teachers", "training_events"),
    "appraisals": ("teachers",),
    "enrolments": ("schools", "classes", "students"),
    "assessments": ("terms",),
    "outcomes": ("terms", "assessments", "students"),
}


def write(folder, changed):
    """Write a study of the changed tables and of what they refer to."""
    folder.mkdir(exist_ok=True)
    for name in {*changed, *(other for table in changed for other in NEEDS.get(table, ()))}:
        header = small.COLUMNS[name].replace(" ", ",")
        (folder / f"{name}.csv").write_text(f"{header}\n{changed.get(name, TABLES[name])}\n", "utf-8")
    return folder


#: table, its rows, then the fault: row (the line of the file), column, value, rule in Chinese and in English
BROKEN = {
    "no value": ("schools", "S1,Z1,,public,urban", 2, "school_type", None, "不能为空", "must not be empty"),
    "year 2204": (
        "teachers",
        "T1,female,1985,2204-09-01,permanent,bachelor,first,语文",
        2,
        "entered_on",
        "2204-09-01",
        "晚于 2100-12-31",
        "is after 2100-12-31",
    ),
    "31 February": (
        "teachers",
        "T1,female,1985,2010-02-31,permanent,bachelor,first,语文",
        2,
        "entered_on",
        "2010-02-31",
        "不是有效日期",
        "is not a date",
    ),
    "date in words": (
        "teachers",
        "T1,female,1985,2010年9月,permanent,bachelor,first,语文",
        2,
        "entered_on",
        "2010年9月",
        "不是有效日期",
        "is not a date",
    ),
    "half a class": (
        "classes",
        "C1,S1,primary,2022,1,1.5",
        2,
        "class_no",
        "1.5",
        "不是整数",
        "is not a whole number",
    ),
    "born too early": (
        "teachers",
        "T1,female,1885,2010-08-15,permanent,bachelor,first,语文",
        2,
        "birth_year",
        "1885",
        "小于 1920",
        "is below 1920",
    ),
    "a senior grade in primary": (
        "classes",
        "C1,S1,primary,2022,10,1",
        2,
        "entry_grade",
        "10",
        "年级之内",
        "is not a grade of",
    ),
    "unknown tier": (
        "tiers",
        "T1,骨干,zone,2024-08-15,,86,accredited",
        2,
        "tier",
        "骨干",
        "不在词表之中",
        "not in the vocabulary",
    ),
    "tier ends before it begins": (
        "tiers",
        "T1,chief,zone,2024-08-15,2024-08-14,,accredited",
        2,
        "ends_on",
        "2024-08-14",
        "早于同一行的 effective_on",
        "lies before effective_on",
    ),
    "text in a score": (
        "tiers",
        "T1,chief,zone,2024-08-15,,八十六,accredited",
        2,
        "basis_score",
        "八十六",
        "不是数字",
        "is not a number",
    ),
    "infinite score": (
        "tiers",
        "T1,chief,zone,2024-08-15,,inf,accredited",
        2,
        "basis_score",
        "inf",
        "不是数字",
        "is not a number",
    ),
    "duplicated key": (
        "schools",
        "S1,Z1,primary,public,urban\nS2,Z1,primary,public,urban\nS1,,junior,public,town",
        4,
        "school_id",
        "S1",
        "与前面的行重复",
        "repeats an earlier row",
    ),
    "orphan": (
        "classes",
        "C1,S1,primary,2022,1,1\nC2,S9,primary,2022,1,2",
        3,
        "school_id",
        "S9",
        "在 schools 中没有",
        "is not in schools",
    ),
    "overlapping spells": (
        "appointments",
        "T1,C1,head,2022-08-20,2024-01-31,\nT2,C1,head,2024-01-31,,",
        3,
        "starts_on",
        "2024-01-31",
        "重叠",
        "overlaps another spell",
    ),
    "two open spells": (
        "appointments",
        "T1,C1,head,2022-08-20,,\nT2,C1,head,2023-08-20,,",
        3,
        "starts_on",
        "2023-08-20",
        "重叠",
        "overlaps another spell",
    ),
    "longer than the event": (
        "attendance",
        "E1,T1,4,5",
        2,
        "hours_attended",
        "4",
        "长于该次培训的时长",
        "is longer than the event",
    ),
    "negative hours": ("attendance", "E1,T1,-1,5", 2, "hours_attended", "-1", "小于 0", "is below 0"),
    "above the maximum": (
        "outcomes",
        "A1,P1,80,,present\nA1,P2,101,,present",
        3,
        "score",
        "101",
        "高于该测评的满分",
        "above the maximum",
    ),
    "present without a score": ("outcomes", "A1,P1,,,present", 2, "status", "present", "没有成绩", "without score"),
    "absent with 0": ("outcomes", "A1,P1,0,,absent", 2, "status", "absent", "没有参加却有成绩", "not present, but"),
    "a level for a raw score": ("outcomes", "A1,P1,,A,present", 2, "score", None, "计分方式是 raw", "has scale raw"),
    "compared too widely": (
        "assessments",
        "A1,2024-1,primary,3,academic,maths,school,raw,100,district,test,",
        2,
        "comparable_within",
        "district",
        "比命题单位",
        "wider than set_by",
    ),
    "ethics is a gate": (
        "appraisals",
        TABLES["appraisals"] + "\nT1,annual,2024-01-01,2024-12-31,2025-01-10,88,,excellent,false,",
        3,
        "result",
        "excellent",
        "师德考核不合格",
        "ethics",
    ),
    "followed up before": (
        "appraisals",
        "T1,annual,2024-01-01,2024-12-31,2025-01-10,,,qualified,true,2025-01-09",
        2,
        "followed_up_on",
        "2025-01-09",
        "早于同一行的 decided_on",
        "lies before decided_on",
    ),
    "yes for true": (
        "appraisals",
        "T1,annual,2024-01-01,2024-12-31,2025-01-10,,,qualified,有,",
        2,
        "incident",
        "有",
        "true 或 false",
        "true or false",
    ),
    "school year": (
        "terms",
        "2024-1,2024,1,2024-09-01,2025-01-20",
        2,
        "school_year",
        "2024",
        "学年",
        "not a school year",
    ),
    "term id": (
        "terms",
        "2025-1,2024-2025,1,2024-09-01,2025-01-20",
        2,
        "term_id",
        "2025-1",
        "不一致",
        "does not agree",
    ),
    "terms overlap": (
        "terms",
        TABLES["terms"] + "\n2024-2,2024-2025,2,2025-01-20,2025-07-05",
        3,
        "starts_on",
        "2025-01-20",
        "落在另一学期之内",
        "lies within another term",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule(tmp_path, case):
    """Exactly one cell is at fault, and rule and fix stand in both languages."""
    table, written, row, column, value, zh, en = case
    (found,) = findings(open_store(write(tmp_path / "study", {table: written})))
    assert (found.table, found.column) == (table, column)
    assert found.rows.astype(object).where(found.rows.notna(), None).to_numpy().tolist() == [[row, value]]
    assert zh in found.rule.zh
    assert en in found.rule.en
    assert found.fix.zh
    assert found.fix.en not in ("", found.fix.zh)


def test_the_unbroken_rows_are_sound(tmp_path):
    assert validate(write(tmp_path / "study", TABLES)).empty


SOUND = {
    "a spell from the day after": ("appointments", "T1,C1,head,2022-08-20,2024-01-31,\nT2,C1,head,2024-02-01,,"),
    "acting beside the head": ("appointments", "T1,C1,head,2022-08-20,,\nT2,C1,acting,2024-01-01,2024-02-01,"),
    "a spell of one day": ("appointments", "T1,C1,head,2022-08-20,2022-08-20,"),
    "exactly the maximum": ("outcomes", "A1,P1,100,,present"),
    "exactly the hours": ("attendance", "E1,T1,3,"),
    "a corrected appraisal": (
        "appraisals",
        "T1,annual,2024-01-01,2024-12-31,2025-01-10,88,,excellent,false,\n"
        "T1,annual,2024-01-01,2024-12-31,2025-03-01,78,,qualified,false,",
    ),
    "ethics failed, so the year": (
        "appraisals",
        TABLES["appraisals"] + "\nT1,annual,2024-01-01,2024-12-31,2025-01-10,88,,unqualified,false,",
    ),
    "ethics failed in another year": (
        "appraisals",
        TABLES["appraisals"] + "\nT1,annual,2023-01-01,2023-12-31,2024-01-10,88,,excellent,false,",
    ),
    "set by the city, compared in the district": (
        "assessments",
        "A1,2024-1,primary,3,academic,maths,city,raw,100,district,test,",
    ),
}


@pytest.mark.parametrize("case", SOUND.values(), ids=SOUND.keys())
def test_what_lies_just_within_the_rules(tmp_path, case):
    assert validate(write(tmp_path / "study", dict([case]))).empty


def test_a_missing_table_is_said_once(tmp_path):
    folder = write(tmp_path / "study", {"classes": "C1,S1,primary,2022,1,1\nC2,S2,primary,2022,1,2"})
    (folder / "schools.csv").unlink()
    faults = validate(folder)
    assert faults[["table", "row", "column", "value"]].values.tolist() == [["classes", 2, "school_id", "S1"]]
    assert "schools" in faults["rule"][0]


def test_a_refused_file_is_not_also_a_missing_table(tmp_path):
    folder = write(tmp_path / "study", {"classes": TABLES["classes"]})
    (folder / "schools.csv").write_text("")
    assert validate(folder)["table"].tolist() == ["schools.csv"]


def test_all_faults_are_listed_at_once(tmp_path):
    folder = write(
        tmp_path / "study",
        {
            "schools": "S1,Z1,primary,public,mars\nS1,Z1,primary,public,urban",
            "teachers": "T1,f,1885,2010-13-01,permanent,bachelor,first,语文",
            "classes": "C1,S7,primary,2022,9,1",
            "assessments": "A1,2030-1,primary,3,academic,maths,school,raw,-5,district,test,",
        },
    )
    (folder / "typo.csv").write_text("a\n1\n", "utf-8")
    faults = validate(folder)
    found = {tuple(row) for row in faults[["table", "row", "column", "value"]].itertuples(index=False)}
    assert found == {
        ("typo.csv", None, None, None),
        ("schools", 2, "location", "mars"),
        ("schools", 3, "school_id", "S1"),
        ("teachers", 2, "sex", "f"),
        ("teachers", 2, "birth_year", "1885"),
        ("teachers", 2, "entered_on", "2010-13-01"),
        ("classes", 2, "school_id", "S7"),
        ("classes", 2, "entry_grade", "9"),
        ("assessments", 2, "term_id", "2030-1"),
        ("assessments", 2, "max_score", "-5"),
        ("assessments", 2, "comparable_within", "district"),
    }
    with pytest.raises(StudyError) as caught:
        ht.open_study(folder)
    assert caught.value.table.equals(faults)
    assert len(caught.value.faults) == len(faults) == 11
    assert all(isinstance(fault, Fault) for fault in caught.value.faults)
    for value in ("typo.csv", "mars", "1885", "2010-13-01", "S7", "2030-1", "-5"):
        assert value in str(caught.value)
    assert "共 11 处错误" in str(caught.value)


def test_twenty_lines_a_rule_then_a_count(tmp_path):
    many = "\n".join(f"S{i},Z1,primary,public,mars{i}" for i in range(25))
    folder = write(tmp_path / "study", {"schools": many})
    faults = validate(folder)
    assert len(faults) == 25
    lines = report(faults).splitlines()
    assert len(lines) == 1 + 20 + 1 + 1
    assert lines[0].startswith("【schools · location】不在词表之中")
    assert lines[1] == "    第 2 行：mars0"
    assert lines[20] == "    第 21 行：mars19"
    assert lines[21] == "    ……另有 5 处"
    assert lines[22] == "共 25 处错误。"
    with ht.language.speaking("en"):
        lines = report(validate(folder), at_most=3).splitlines()
    assert lines[0].startswith("[schools · location] is not in the vocabulary. Use one of:")
    assert lines[1:] == [
        "    row 2: mars0",
        "    row 3: mars1",
        "    row 4: mars2",
        "    … and 22 more",
        "25 faults in all.",
    ]


def test_a_missing_value_is_shown_as_such(tmp_path):
    folder = write(tmp_path / "study", {"schools": "S1,Z1,,public,urban"})
    assert "第 2 行：（空）" in report(validate(folder))
    with ht.language.speaking("en"):
        assert "row 2: (empty)" in report(validate(folder))


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("abcd-1,abcd-efgh,1,2024-09-01,2025-01-20", "school_year", "学年"),
        ("2024-1,2024-2030,1,2024-09-01,2025-01-20", "school_year", "学年"),
        ("2024-1,2024-2025,1,2020-09-01,2025-01-20", "starts_on", "学年之内"),
        (
            "2023-2,2023-2024,2,2024-09-01,2025-01-20\n2024-1,2024-2025,1,2024-09-01,2025-01-20",
            "starts_on",
            "另一学期",
        ),
    ],
    ids=["no year", "six years", "another year", "twice the same day"],
)
def test_terms_that_cannot_be(tmp_path, row, column, said):
    write(tmp_path / "study", {"terms": row})
    found = validate(tmp_path / "study")
    assert column in set(found["column"])
    assert any(said in rule for rule in found["rule"])


def test_a_study_without_terms_has_empty_panels(tmp_path):
    write(tmp_path / "study", {"appointments": TABLES["appointments"], "terms": ""})
    study = ht.open_study(tmp_path / "study")
    assert len(study.teacher_terms()) == 0
    assert len(study.class_terms()) == 0
