"""Names for a simulated district: put together by lot from common characters, so they are nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htresearch.checks import integer, require
from htresearch.intake.school.roster import Roster
from htresearch.study.open import Study, open_study

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯"
    "龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_DOUBLE = ("欧阳", "上官", "司马", "诸葛")
_GIVEN = (
    "静敏丽娟艳芳秀兰霞燕玲桂英华明强磊军洋勇杰涛超刚平辉鹏飞宇浩然子轩梓涵雨欣佳怡思远嘉诚文"
    "博俊熙若溪一诺可馨晨曦睿泽昊天宁安琪瑶悦彤书瀚清越之恒景行云舒望知夏南乔亦凡"
)
_OTHER = ("古丽", "热娜", "阿依", "米热", "卓玛", "扎西", "央金", "其其格", "乌云", "娜仁")
_KINDS = {
    "primary": "小学",
    "junior": "初级中学",
    "senior": "高级中学",
    "nine_year": "九年一贯制学校",
    "teaching_point": "教学点",
}
_NUMERALS = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九")


def made_up_roster(study: Study | str | Path, seed: int = 1) -> Roster:
    """Return names and numbers for everyone in a study: the roster that its schools would keep.

    Names are drawn by lot from lists of characters; pupils' 学籍号 begin with L999999, a region that does not exist.
    No two teachers of one school share a name; pupils of one class may.

    Parameters
    ----------
    study
        With schools, classes, teachers and appointments, and with enrolments if pupils are to have names.
    seed
        The same seed and study give the same names.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = ht.open_study(ht.simulate(folder + "/small", schools=2, classes_per_school=2, terms=2))
    ...     made_up_roster(study).schools["name"].tolist()
    ['示例第一小学', '示例第一初级中学']
    """
    require(integer("seed", seed, 0))
    study = study if isinstance(study, Study) else open_study(study)
    study.needs(["schools", "classes", "teachers", "appointments"])
    rng = np.random.default_rng([seed, 20])
    return Roster(
        _schools(study), _teachers(study, rng), _pupils(study, rng) if "enrolments" in study.tables else None
    )


def _schools(study: Study) -> pd.DataFrame:
    schools = study.frame("schools")[["school_id", "school_type"]].sort_values("school_id")
    kind = schools["school_type"].astype(str).map(_KINDS).fillna("中学")
    number = kind.groupby(kind).cumcount() + 1
    names = [f"示例第{_numeral(n)}{k}" for n, k in zip(number, kind, strict=True)]
    return schools[["school_id"]].assign(name=names).reset_index(drop=True)


def _numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    if number >= 100:
        return str(number)
    return ("" if tens < 1 else "十" if tens == 1 else f"{_NUMERALS[tens]}十") + _NUMERALS[ones]


def _teachers(study: Study, rng: np.random.Generator) -> pd.DataFrame:
    """Give every teacher who leads a class the school of that class."""
    spells = study.frame("appointments")[["teacher_id", "class_id"]]
    places = spells.merge(study.frame("classes")[["class_id", "school_id"]], on="class_id")
    frame = places[["teacher_id", "school_id"]].drop_duplicates().sort_values(["teacher_id", "school_id"])
    ids = frame["teacher_id"].unique()
    names = dict(zip(ids, names_by_lot(len(ids), rng), strict=True))
    taken: dict[str, set[str]] = {}
    for teacher, school in frame.itertuples(index=False):
        while names[teacher] in taken.setdefault(school, set()):
            names[teacher] = names_by_lot(1, rng)[0]
        taken[school].add(names[teacher])
    return frame.assign(name=frame["teacher_id"].map(names))[["teacher_id", "name", "school_id"]].reset_index(
        drop=True
    )


def _pupils(study: Study, rng: np.random.Generator) -> pd.DataFrame:
    spells = study.frame("enrolments")[["student_id", "class_id"]].drop_duplicates()
    classes = study.frame("classes")[["class_id", "entry_year", "class_no"]]
    frame = spells.merge(classes, on="class_id").sort_values(["class_id", "student_id"], ignore_index=True)
    ids = np.sort(frame["student_id"].unique())
    order = dict(zip(ids, range(len(ids)), strict=True))
    names = names_by_lot(len(ids), rng)
    number = frame["student_id"].map(order)
    seat = frame.groupby("class_id").cumcount() + 1
    year = frame["entry_year"].astype(str)
    return frame.assign(
        name=[names[i] for i in number],
        student_number=[f"L999999{y}{i:08d}" for y, i in zip(year, number, strict=True)],
        number=[f"{y}{c:02d}{s:02d}" for y, c, s in zip(year, frame["class_no"], seat, strict=True)],
        seat=seat,
    )[["student_id", "name", "class_id", "student_number", "number", "seat"]]


def names_by_lot(count: int, rng: np.random.Generator) -> list[str]:
    """Return names put together from characters: mostly a surname and one or two more, some of other peoples.

    Examples
    --------
    >>> names_by_lot(3, np.random.default_rng(1))  # doctest: +SKIP
    ['徐超', '欧阳嘉诚', '古丽·热娜']
    """
    surname = rng.integers(len(_SURNAMES), size=count)
    kind = rng.random(count)
    first, second = rng.integers(len(_GIVEN), size=(2, count))
    other = rng.integers(len(_OTHER), size=(2, count))
    made = []
    for i in range(count):
        if kind[i] < 0.01:
            made.append(f"{_OTHER[other[0, i]]}·{_OTHER[other[1, i]]}")
            continue
        family = _DOUBLE[surname[i] % len(_DOUBLE)] if kind[i] < 0.02 else _SURNAMES[surname[i]]
        made.append(family + _GIVEN[first[i]] + (_GIVEN[second[i]] if kind[i] > 0.3 else ""))
    return made
