"""What titles say for all rows below them: the school, the term, the grade and class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from htresearch.intake.school.class_names import ClassName, class_name, find_class, find_grade
from htresearch.intake.school.dates import find_term
from htresearch.intake.school.dictionary import Dictionary
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Ledger, Where
from htresearch.intake.school.places import Places, SchoolClass, Term, only
from htresearch.intake.school.plain import plain
from htresearch.intake.school.roster import Roster
from htresearch.language import Text, listing


@dataclass(frozen=True)
class Desk:
    """What any sheet is understood with, and the ledger; `cells` remembers what each value of a measure says."""

    places: Places
    roster: Roster
    words: Dictionary
    ledger: Ledger
    cells: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What is said for a whole table; the nearest title that says it counts.

    Attributes
    ----------
    where : Where
    own : tuple of str
        The titles above the table, made `plain`.
    titles : tuple of str
        These, then the sheet's name and the file's.
    header_row : int
    school : str or None
    term : Term or None
    grade, name : ClassName or None
        The grade, and the class.
    """

    desk: Desk
    where: Where
    own: tuple[str, ...]
    titles: tuple[str, ...]
    header_row: int
    school: str | None
    term: Term | None
    grade: ClassName | None
    name: ClassName | None

    @classmethod
    def of(cls, desk: Desk, block: Block, before: Context | None, around: Iterable[str]) -> Context:
        """Read the titles of a table: its own, then those around it.

        Parameters
        ----------
        before
            The table above it in the sheet: its school and term hold on, and all that it says where a header is only
            repeated.
        around
            The sheet's name and the file's.
        """
        own = tuple(block.titles) or (before.own if before else ())
        texts = (*own, *around)
        schools = [only(desk.roster.find_schools(text)) for text in texts]
        terms = [desk.places.term(text) for text in texts]
        if before is not None:
            schools.insert(len(own), before.school)
            terms.insert(len(own), before.term)
        name = next((found for text in texts if (found := find_class(text))), None)
        grade = next((found for text in texts if (found := find_grade(text))), None)
        return cls(
            desk,
            block.where,
            own,
            texts,
            block.header_row,
            next(filter(None, schools), None),
            next(filter(None, terms), None),
            grade,
            name.within(grade) if name else None,
        )

    # --- what a row says, or else the titles ------------------------------------------------------------------------

    def school_of(self, row: int, column: int | None, value: object) -> str | None:
        """Return the school of a row; one that is not known is a fault."""
        text = plain(value)
        if not text:
            if self.school is None:
                self._fault_sheet(_NO_SCHOOL, _SAY_SCHOOL)
            return self.school
        found = self.desk.roster.school(text) or only(self.desk.roster.find_schools(text))
        if found is None:
            near = self.desk.roster.near_schools(text)
            fix = _NEAR.format(near=listing(near)) if near else _ADD_SCHOOL
            self.desk.ledger.fault(self.where.cell(row, column), _UNKNOWN_SCHOOL, fix, value)
        return found

    def term_of(self, row: int, column: int | None, value: object) -> Term | None:
        """Return the term of a row; one that the study does not have is a fault."""
        text = plain(value)
        if not text:
            if self.term is None:
                named = next((text for text in self.titles if find_term(text)), None)
                rule = _NO_TERM if named is None else _OTHER_TERM
                fix = _SAY_TERM if named is None else self._terms()
                self._fault_sheet(rule, fix, named)
            return self.term
        found = self.desk.places.term(text)
        if found is None:
            rule = _OTHER_TERM if find_term(text) else _NO_SUCH_TERM
            self.desk.ledger.fault(self.where.cell(row, column), rule, self._terms(), value)
        return found

    def _terms(self) -> Text:
        terms = self.desk.places.terms
        return Text("研究中的学期：{all}；写法如 2024-2025学年第一学期", "The study has: {all}").format(
            all=listing(term.term_id for term in terms)
        )

    def class_of(
        self, row: int, column: int | None, value: object, grade: object, school: str | None, term: Term | None
    ) -> SchoolClass | None:
        """Return the class of a row; what cannot be decided is a fault with the classes that may be meant."""
        if school is None or term is None:
            return None
        text = plain(value)
        ledger, place = self.desk.ledger, self.where.row(row) if column is None else self.where.cell(row, column)
        if not text:
            name = self.name
            if name is None:
                ledger.fault(place, _NO_CLASS, _SAY_CLASS)
                return None
        else:
            name = class_name(text)
            if name is None:
                ledger.fault(place, _NOT_A_CLASS, _SAY_CLASS, value)
                return None
        above = find_grade(plain(grade)) if grade is not None else self.grade
        name = name.within(above)
        shown = value if text else None
        found = self.desk.places.matching(name, school, term)
        if len(found) == 1:
            return found[0]
        if not name.has_grade:
            ledger.fault(place, _NO_GRADE, _SAY_CLASS, shown)
        elif found:
            names = listing(f"{c.name(term)}（{c.entry_year}级）" for c in found)
            ledger.fault(place, _SEVERAL_CLASSES, _NEAR.format(near=names), shown)
        else:
            near = self.desk.places.near(name, school, term)
            fix = _NEAR.format(near=listing(near)) if near else _ADD_CLASS
            ledger.fault(place, _UNKNOWN_CLASS.format(term=term.term_id), fix, shown)
        return None

    def _fault_sheet(self, rule: Text, fix: Text, value: object = None) -> None:
        """Say once for a table what its titles lack."""
        self.desk.ledger.fault_once(self.where.row(self.header_row), rule, fix, value)


_NO_SCHOOL = Text("看不出是哪所学校", "does not say which school it is about")
_SAY_SCHOOL = Text(
    "请在标题、工作表名、文件名或“学校”一列写明与名册一致的校名",
    "Write the school's name as on the roster into the title, the sheet's name, the file's name or a column 学校",
)
_UNKNOWN_SCHOOL = Text("名册中没有这所学校", "is no school on the roster")
_ADD_SCHOOL = Text("请更正，或把这个校名补进名册", "Correct it, or add the name to the roster")
_NEAR = Text("可能是：{near}；请改成确切的写法", "It may be: {near}; write which")
_NO_TERM = Text("看不出是哪个学期", "does not say which term it is about")
_SAY_TERM = Text(
    "请在标题或工作表名中写明，如“2024-2025学年第一学期”",
    "Write it into the title or the sheet's name, such as 2024-2025学年第一学期",
)
_OTHER_TERM = Text("不是这项研究的学期", "is no term of this study")
_NO_SUCH_TERM = Text("读不出是哪个学期", "cannot be read as a term")
_NO_CLASS = Text("没有写明班级", "does not say which class")
_NOT_A_CLASS = Text("读不出是哪个班", "cannot be read as a class")
_NO_GRADE = Text("没有写明年级", "does not say which grade")
_SAY_CLASS = Text("请写成“七年级(3)班”或“2024级3班”", "Write it as 七年级(3)班 or 2024级3班")
_SEVERAL_CLASSES = Text("与不止一个班相符", "fits more than one class")
_UNKNOWN_CLASS = Text("该校在 {term} 没有这个班", "is no class of the school in {term}")
_ADD_CLASS = Text("请更正，或把这个班补进 classes", "Correct it, or add the class to classes")
