"""Class names: 七年级(3)班, 七（3）班, 初一3班, 2024级3班, 703班, or (3)班 where the grade stands elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from htresearch.intake.school.plain import digits, numeral

_NUMBER = r"(?P<number>\d{1,2}|[一二三四五六七八九十]{1,3})"
_IN_BRACKETS = rf"(?:[(\[]{_NUMBER}[)\]]班?"
_EITHER = rf"{_IN_BRACKETS}|{_NUMBER.replace('number', 'open')}班)"
_BARE = rf"{_IN_BRACKETS}|{_NUMBER.replace('number', 'open')}班?)"
_GRADE = r"(?P<grade>[一二三四五六七八九]|[1-9])"
_STAGE = r"(?P<stage>小学|初中|高中|小|初|高)"
_YEAR = r"(?P<year>20\d{2}|19\d{2}|\d{2})"
_LEAD = r"(?<![0-9一二三四五六七八九十第])"


def _patterns(number: str) -> tuple[re.Pattern, ...]:
    """Return the ways of writing a grade and a number; the first that fits says what the name is."""
    written = (
        rf"{_STAGE}?{_YEAR}级{number}",
        rf"{_STAGE}?{_YEAR}届{number}",
        rf"(?P<stage>初|高)(?P<nth>[一二三四]|[1-4])年?级?[-.]?{number}",
        rf"(?P<stage>小学|初中|高中)(?P<nth>[一二三四五六]|[1-6])年级[-.]?{number}",
        rf"{_GRADE}年级?[-.]?{number}",
        rf"{_GRADE}[-.]?{_IN_BRACKETS})",
        rf"{_GRADE}[-.]{_EITHER}",
        r"(?P<grade>[1-9]|1[0-2])(?P<number>0[1-9]|[1-9]\d)班",
    )
    return tuple(re.compile(_LEAD + pattern) for pattern in written)


# In the middle of a title, a number without 班 or brackets may be anything.
_WHOLE, _WITHIN = _patterns(_BARE), _patterns(_EITHER)
_CHINESE_PAIR = re.compile(
    _LEAD + r"(?P<grade>[一二三四五六七八九])(?P<number>\d{1,2}|[一二三四五六七八九十]{1,3})班"
)
_ALONE = re.compile(_LEAD + rf"{_EITHER}(?!级)")
_GRADE_ALONE = re.compile(
    r"(?P<stage>初|高)(?P<nth>[一二三四]|[1-4])(?=年|级|$|[^0-9一二三四五六七八九十])"
    r"|(?P<in_stage>小学|初中|高中)(?P<in_nth>[一二三四五六]|[1-6])年级"
    rf"|{_LEAD}{_GRADE}年级|(?P<of>小学|初中|高中|初|高)?(?<![0-9]){_YEAR}级"
)
_STAGES = {"小": "primary", "初": "junior", "高": "senior"}


@dataclass(frozen=True)
class ClassName:
    """What a class name says; what it leaves open is None.

    Attributes
    ----------
    number : int
        班号.
    grade : int
        1 to 9, of 七年级.
    stage : str
        Of 初一, 高2024级: ``primary``, ``junior`` or ``senior``.
    nth : int
        Year within the stage, of 初一: 1.
    entry_year : int
        Of 2024级.
    leaving_year : int
        Of 2027届.
    """

    number: int | None = None
    grade: int | None = None
    stage: str | None = None
    nth: int | None = None
    entry_year: int | None = None
    leaving_year: int | None = None

    @property
    def has_grade(self) -> bool:
        """Whether the name says in which grade the class is."""
        return any(part is not None for part in (self.grade, self.nth, self.entry_year, self.leaving_year))

    def within(self, grade: ClassName | None) -> ClassName:
        """Return the name with the grade that stands elsewhere, where it has none of its own."""
        return self if self.has_grade or grade is None else replace(grade, number=self.number)


@lru_cache(maxsize=1 << 14)
def class_name(text: str) -> ClassName | None:
    """Read a cell that names a class; None where it names none, or could name two.

    Parameters
    ----------
    text
        The cell, made `plain`.

    Examples
    --------
    >>> class_name("七年级(3)班")
    ClassName(number=3, grade=7, stage=None, nth=None, entry_year=None, leaving_year=None)
    >>> class_name("高2024级12班").entry_year, class_name("高一3班").nth, class_name("(3)班").grade
    (2024, 1, None)
    >>> class_name("三十一班") is None  # class 31, or grade 3 class 11
    True
    """
    found = _read(text, whole=True)
    if found is None and re.fullmatch(r"\d{3,4}", text):
        found = _read(f"{text}班", whole=True)
    if found is None and (value := numeral(text)):
        found = ClassName(value)
    return found


@lru_cache(maxsize=1 << 12)
def find_class(text: str) -> ClassName | None:
    """Find the class that a title names.

    Examples
    --------
    >>> find_class("2024-2025学年第一学期三年级(1)班成绩册").number
    1
    """
    return _read(text, whole=False)


@lru_cache(maxsize=1 << 12)
def find_grade(text: str) -> ClassName | None:
    """Find the grade that a title, a sheet's name or a cell names.

    Examples
    --------
    >>> find_grade("三年级成绩册").grade, find_grade("高一").nth, find_grade("2024级").entry_year
    (3, 1, 2024)
    """
    match = _GRADE_ALONE.search(digits(text))
    if not match:
        return None
    said = match.groupdict()
    stage, nth = said["stage"] or said["in_stage"] or said["of"], said["nth"] or said["in_nth"]
    year = said["year"] and (int(said["year"]) + (2000 if len(said["year"]) == 2 else 0))
    return ClassName(
        grade=said["grade"] and numeral(said["grade"]),
        stage=_STAGES[stage[0]] if stage else None,
        nth=nth and numeral(nth),
        entry_year=year or None,
    )


def _read(text: str, whole: bool) -> ClassName | None:
    text = digits(text)
    look = "fullmatch" if whole else "search"
    for place, pattern in enumerate(_WHOLE if whole else _WITHIN):
        if match := getattr(pattern, look)(text):
            return _name(match.groupdict(), leaving=place == 1)
    alone = getattr(_ALONE, look)(text)
    pair = getattr(_CHINESE_PAIR, look)(text)
    number = numeral(alone["number"] or alone["open"]) if alone else None
    paired = numeral(pair["number"]) if pair else None
    if number and paired:
        return None
    if paired:
        return ClassName(paired, grade=numeral(pair["grade"]))
    return ClassName(number) if number else None


def _name(said: dict[str, str | None], leaving: bool) -> ClassName | None:
    number = numeral((said.get("number") or said.get("open")).lstrip("0"))
    if not number:
        return None
    year = said.get("year")
    year = int(year) + (2000 if len(year) == 2 else 0) if year else None
    stage, grade = said.get("stage"), said.get("grade")
    return ClassName(
        number,
        grade=grade and (int(grade) if grade.isdecimal() else numeral(grade)),
        stage=_STAGES[stage[0]] if stage else None,
        nth=numeral(said["nth"]) if said.get("nth") else None,
        entry_year=None if leaving else year,
        leaving_year=year if leaving else None,
    )
