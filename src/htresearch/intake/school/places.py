"""Where and when: the terms of a study, and the classes that a name means in a school and a term."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from htresearch.intake.school.class_names import ClassName
from htresearch.intake.school.dates import find_term
from htresearch.study.open import Study
from htresearch.study.rules import GRADES

_DAY = timedelta(days=1)
_GRADES = "一二三四五六七八九"
_FIRST = {"primary": 1, "junior": 7, "senior": 10}


@dataclass(frozen=True)
class Term:
    """A term of the study; `index` counts from 0 in time."""

    index: int
    term_id: str
    year: int
    half: int
    starts_on: date
    ends_on: date

    @property
    def eve(self) -> date:
        """The day before the first: who leads a class then leads it in the term's exposures."""
        return self.starts_on - _DAY

    @property
    def words(self) -> str:
        """The term as schools write it."""
        return f"{self.year}-{self.year + 1}学年第{'一二'[self.half - 1]}学期"


@dataclass(frozen=True)
class SchoolClass:
    """A class of the study."""

    class_id: str
    school_id: str
    stage: str
    entry_year: int
    entry_grade: int
    number: int

    def grade(self, term: Term) -> int:
        """Return its grade in a term."""
        return self.entry_grade + term.year - self.entry_year

    def runs(self, term: Term) -> bool:
        """Tell whether it exists in a term."""
        return self.entry_year <= term.year and self.grade(term) <= GRADES[self.stage][1]

    def is_last(self, term: Term) -> bool:
        """Tell whether the term is the last of its last grade; five-year primaries end before and are not known."""
        return term.half == 2 and self.grade(term) == GRADES[self.stage][1]

    def name(self, term: Term) -> str:
        """Return what it is called in a term, such as 七年级(3)班 or 高一(3)班."""
        grade = self.grade(term)
        if self.stage == "senior":
            return f"高{_GRADES[max(grade - 10, 0)]}({self.number})班"
        return f"{_GRADES[max(min(grade, 9), 1) - 1]}年级({self.number})班"


class Places:
    """The schools, classes and terms of a study."""

    def __init__(self, study: Study):
        study.needs(["schools", "terms", "classes"])
        terms = study.frame("terms").sort_values("starts_on")
        self.terms = tuple(
            Term(index, str(t.term_id), int(t.school_year[:4]), int(t.term), _date(t.starts_on), _date(t.ends_on))
            for index, t in enumerate(terms.itertuples(index=False))
        )
        self.classes = {
            str(c.class_id): SchoolClass(
                str(c.class_id),
                str(c.school_id),
                str(c.stage),
                int(c.entry_year),
                int(c.entry_grade),
                int(c.class_no),
            )
            for c in study.frame("classes").itertuples(index=False)
        }
        schools = study.frame("schools")
        self.zones = {
            str(i): z if isinstance(z, str) else None
            for i, z in zip(schools["school_id"], schools["zone_id"], strict=True)
        }

    @cached_property
    def _by_term(self) -> dict[tuple[int, int], Term]:
        return {(term.year, term.half): term for term in self.terms}

    def term(self, text: str) -> Term | None:
        """Return the study's term that a text, made `plain`, names."""
        named = find_term(text)
        return self._by_term.get(named) if named else None

    def term_of(self, day: date) -> Term | None:
        """Return the term in which a day lies."""
        return next((term for term in self.terms if term.starts_on <= day <= term.ends_on), None)

    @cached_property
    def _running(self) -> dict[tuple[str, int], list[SchoolClass]]:
        return {
            (school, term.index): [c for c in classes if c.runs(term)]
            for school, classes in self._by_school.items()
            for term in self.terms
        }

    @cached_property
    def _by_school(self) -> dict[str, list[SchoolClass]]:
        found: dict[str, list[SchoolClass]] = {}
        for known in self.classes.values():
            found.setdefault(known.school_id, []).append(known)
        return found

    def running(self, school: str, term: Term) -> list[SchoolClass]:
        """Return the classes of a school in a term."""
        return self._running.get((school, term.index), [])

    def matching(self, name: ClassName, school: str, term: Term) -> list[SchoolClass]:
        """Return the classes that a name may mean; where it has no grade, none."""
        return [c for c in self.in_grade(name, school, term) if c.number == name.number] if name.has_grade else []

    def in_grade(self, name: ClassName, school: str, term: Term) -> list[SchoolClass]:
        """Return the classes of the grade that a name names."""
        return [known for known in self.running(school, term) if _fits(name, known, term)]

    def near(self, name: ClassName, school: str, term: Term) -> list[str]:
        """Return the names of classes that may be meant: of the same grade, or of the same number."""
        running = self.running(school, term)
        alike = [c for c in running if name.has_grade and _fits(name, c, term)]
        alike = alike or [c for c in running if c.number == name.number] or running
        alike = sorted(alike, key=lambda c: (abs(c.number - (name.number or 0)), c.grade(term)))
        return [c.name(term) for c in alike[:4]]


def _fits(name: ClassName, known: SchoolClass, term: Term) -> bool:
    first = _FIRST[known.stage]
    if known.stage == "junior" and known.entry_grade == GRADES["junior"][0]:
        first = known.entry_grade  # 五四学制
    entered = known.entry_year - (known.entry_grade - first)
    # How long primary school lasts is not said anywhere; of the others it is known.
    leaves = None if known.stage == "primary" else entered + GRADES[known.stage][1] - first + 1
    return (
        name.stage in (None, known.stage)
        and name.grade in (None, known.grade(term))
        and name.nth in (None, known.grade(term) - first + 1)
        and name.entry_year in (None, entered)
        and name.leaving_year in (None, leaves)
    )


def only(found: Iterable) -> object | None:
    """Return the one thing that is found, None where there is none or more than one."""
    found = list(found)
    return found[0] if len(found) == 1 else None


def _date(value: object) -> date:
    return value.date() if hasattr(value, "date") else value
