import pytest

from htresearch.intake.school.class_names import ClassName, class_name, find_class, find_grade
from htresearch.intake.school.plain import plain


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("七年级(3)班", ClassName(3, grade=7)),
        ("七年级（３）班", ClassName(3, grade=7)),
        ("七（3）班", ClassName(3, grade=7)),
        ("7（3）班", ClassName(3, grade=7)),
        ("7年级3班", ClassName(3, grade=7)),
        ("七年级三班", ClassName(3, grade=7)),
        ("七3班", ClassName(3, grade=7)),
        ("7.3班", ClassName(3, grade=7)),
        ("703班", ClassName(3, grade=7)),
        ("703", ClassName(3, grade=7)),
        ("1012班", ClassName(12, grade=10)),
        ("三年级十二班", ClassName(12, grade=3)),
        ("三(十二)班", ClassName(12, grade=3)),
        ("初一3班", ClassName(3, stage="junior", nth=1)),
        ("初一（3）班", ClassName(3, stage="junior", nth=1)),
        ("高一3班", ClassName(3, stage="senior", nth=1)),
        ("高一级3班", ClassName(3, stage="senior", nth=1)),
        ("高三年级(12)班", ClassName(12, stage="senior", nth=3)),
        ("2024级3班", ClassName(3, entry_year=2024)),
        ("2024级（3）班", ClassName(3, entry_year=2024)),
        ("24级3班", ClassName(3, entry_year=2024)),
        ("高2024级3班", ClassName(3, stage="senior", entry_year=2024)),
        ("初中2024级(3)班", ClassName(3, stage="junior", entry_year=2024)),
        ("2027届3班", ClassName(3, leaving_year=2027)),
        ("（3）班", ClassName(3)),
        ("(3)", ClassName(3)),
        ("3班", ClassName(3)),
        ("三班", ClassName(3)),
        ("十二班", ClassName(12)),
        ("3", ClassName(3)),
    ],
)
def test_a_class_in_every_way(written, meant):
    assert class_name(plain(written)) == meant


@pytest.mark.parametrize(
    "written", ["三十一班", "二十班", "", "班", "0班", "七年级", "100班", "语文", "3班4班", "七年级(0)班", "第三班"]
)
def test_what_is_no_certain_class_is_none(written):
    assert class_name(plain(written)) is None


def test_a_number_takes_the_grade_that_stands_elsewhere():
    assert class_name("(3)班").within(find_grade("七年级")) == ClassName(3, grade=7)
    assert class_name("(3)班").within(find_grade("高一")) == ClassName(3, stage="senior", nth=1)
    assert class_name("八年级(3)班").within(find_grade("七年级")) == ClassName(3, grade=8)


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("示例小学2024-2025学年第一学期三年级（1）班成绩册", ClassName(1, grade=3)),
        ("高一3班期末成绩", ClassName(3, stage="senior", nth=1)),
        ("示例小学2024-2025学年第一学期成绩册", None),
        ("三年级成绩册", None),
        ("2024年9月12日", None),
    ],
)
def test_a_class_in_a_title(title, meant):
    assert find_class(plain(title)) == meant


@pytest.mark.parametrize(
    ("title", "meant"),
    [
        ("三年级成绩册", ClassName(grade=3)),
        ("初二期末", ClassName(stage="junior", nth=2)),
        ("初中二年级", ClassName(stage="junior", nth=2)),
        ("2024级成绩", ClassName(entry_year=2024)),
        ("高一", ClassName(stage="senior", nth=1)),
        ("九年一贯制学校", None),
        ("示例初中2024学年", None),
    ],
)
def test_a_grade_in_a_title(title, meant):
    assert find_grade(plain(title)) == meant
