"""Rosters: schools, teachers and pupils by the names and numbers that sheets call them by.

A roster stays outside the study. What a sheet says is looked up here, and only ids go on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.checks import argument, require, suggestion
from htresearch.errors import ArgumentError, Fault, IntakeError
from htresearch.identifiers import Names, mask
from htresearch.intake.identity import match_roster
from htresearch.intake.school.plain import masked, plain, spelled
from htresearch.intake.workbook import open_table
from htresearch.language import Text, listing

if TYPE_CHECKING:
    import pandas as pd

#: Columns of each frame: those it must have, and the numbers that pupils may be known by.
NEEDED = {
    "schools": ("school_id", "name"),
    "teachers": ("teacher_id", "name", "school_id"),
    "pupils": ("student_id", "name", "class_id"),
}
NUMBERS = ("student_number", "number", "seat")
_SHEETS = {"schools": "学校", "teachers": "教师", "pupils": "学生"}


@dataclass(frozen=True)
class Match:
    """Who a name or a number means.

    Attributes
    ----------
    id : str or None
        None where nobody or more than one fits, or what stands in the row contradicts itself.
    why : Text or None
        Why there is no id.
    near : tuple of str
        Who may be meant, by id and first character of the name.
    how : Text or None
        What should be known of the way in which the person was found.
    """

    id: str | None
    why: Text | None = None
    near: tuple[str, ...] = ()
    how: Text | None = None

    @property
    def fix(self) -> Text:
        """What to do where there is no id."""
        if not self.near:
            return Text("请更正，或把此人补进名册", "Correct it, or add the person to the roster")
        return Text("请改成确切的写法；相近的有：{near}", "Write who is meant; near are: {near}").format(
            near=listing(self.near)
        )


UNKNOWN = Text("名册中没有此人", "is nobody on the roster")
SEVERAL = Text("名册中有不止一人与之相符", "fits more than one person on the roster")
BY_NUMBER = Text(
    "只凭学号或座号认人、没有姓名可核对的行", "rows known by a number alone, with no name to check it by"
)
SEAT_AS_NUMBER = Text("“学号”写的是座号、与姓名相符的行", "rows whose 学号 is the seat of the pupil who is named")
CONTRADICTS = Text("与同一行的号码指的不是同一人", "is not the person whose number stands in the same row")


@dataclass(frozen=True, eq=False, repr=False)
class Roster:
    """Who the sheets mean.

    Attributes
    ----------
    schools : pandas.DataFrame
        school_id, name; a school with several names has several rows.
    teachers : pandas.DataFrame
        teacher_id, name, school_id; a teacher who moved has a row a school.
    pupils : pandas.DataFrame
        student_id, name, class_id, and any of student_number (学籍号), number (学号) and seat (座号), the latter two
        within the class; a pupil who changed class has a row a class.

    Examples
    --------
    >>> import pandas as pd
    >>> schools = pd.DataFrame({"school_id": ["S1"], "name": ["示例小学"]})
    >>> teachers = pd.DataFrame({"teacher_id": ["T1"], "name": ["王 静"], "school_id": ["S1"]})
    >>> roster = Roster(schools, teachers)
    >>> roster.teacher("王静", "S1").id
    'T1'
    >>> roster.teacher("王静静", "S1").near
    ('T1（王*）',)
    """

    schools: pd.DataFrame
    teachers: pd.DataFrame
    pupils: pd.DataFrame | None = field(default=None)

    def __post_init__(self):
        frames = {name: getattr(self, name) for name in NEEDED}
        require(*(f for name, frame in frames.items() if frame is not None for f in _lacking(name, frame)))

    def __repr__(self) -> str:
        """Say how many there are, and nobody's name."""
        counts = (f"{len(frame)} {name}" for name in NEEDED if (frame := getattr(self, name)) is not None)
        return f"Roster({', '.join(counts)})"

    @classmethod
    def read(cls, path: str | Path) -> Roster:
        """Read a roster as `write` writes it: a workbook with the sheets 学校, 教师 and 学生.

        Raises
        ------
        IntakeError
            If a sheet or a column is missing.
        """
        import pandas as pd

        book = open_table(path)
        sheets = {sheet.name: sheet.rows for sheet in book.sheets}
        frames = {}
        for name, title in _SHEETS.items():
            rows = sheets.get(title)
            if rows:
                frames[name] = pd.DataFrame(rows[1:], columns=[plain(c) for c in rows[0]], dtype=object)
        missing = [title for name, title in _SHEETS.items() if name not in frames and name != "pupils"]
        require(
            *(
                Fault(
                    f"{Path(path).name} · {title}",
                    Text("名册缺少这张工作表", "the roster lacks this sheet"),
                    Text("名册须有“学校”“教师”“学生”三张工作表", "A roster has the sheets 学校, 教师 and 学生"),
                )
                for title in missing
            ),
            error=IntakeError,
        )
        try:
            return cls(**frames)
        except ArgumentError as error:
            raise IntakeError(*error.faults) from None

    def write(self, path: str | Path) -> Path:
        """Write the roster as a workbook that only its owner may read; it belongs outside the study."""
        import xlsxwriter

        path = Path(path)
        path.touch(mode=0o600)
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            for name, title in _SHEETS.items():
                frame = getattr(self, name)
                if frame is None:
                    continue
                sheet = book.add_worksheet(title)
                sheet.write_row(0, 0, list(frame.columns))
                for row, values in enumerate(frame.astype(object).where(frame.notna(), None).to_numpy().tolist(), 1):
                    sheet.write_row(row, 0, values)
        return path

    @cached_property
    def _persons(self) -> Names:
        frames = [frame for frame in (self.teachers, self.pupils) if frame is not None]
        return Names(name for frame in frames for name in frame["name"].dropna().astype(str).unique())

    def hide(self, text: str) -> str:
        """Return a text, such as the name of a file, without the names and numbers of persons."""
        return mask(text.encode("utf-8", "replace").decode(), self._persons)

    # --- schools ----------------------------------------------------------------------------------------------------

    @cached_property
    def _schools(self) -> dict[str, str]:
        return {plain(n): str(i) for i, n in zip(self.schools["school_id"], self.schools["name"], strict=True)}

    def school(self, name: str) -> str | None:
        """Return the school of a name, made `plain`, or of an id; None where it is unknown."""
        return self._schools.get(name) or (name if name in self._ids else None)

    def find_schools(self, text: str) -> list[str]:
        """Return the schools whose names stand in a text; a name within a longer one does not count."""
        names = [name for name in self._schools if name and _stands_alone(name, text)]
        longest = [n for n in names if not any(n != other and n in other for other in names)]
        return list(dict.fromkeys(self._schools[name] for name in longest))

    def without_schools(self, text: str) -> str:
        """Return a text with a blank for every school's name: 示例小学区统考 is of the 区, not of a 学区."""
        for name in sorted(filter(None, self._schools), key=len, reverse=True):
            text = text.replace(name, " ")
        return text

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(map(str, self.schools["school_id"]))

    def near_schools(self, name: str) -> list[str]:
        """Return the names that lie nearest to an unknown one."""
        return get_close_matches(name, list(self._schools), n=3, cutoff=0.4)

    # --- teachers ---------------------------------------------------------------------------------------------------

    @cached_property
    def _teachers(self) -> dict[tuple[str | None, str], dict[str, str]]:
        """Teachers by school and name, and by name alone."""
        found: dict[tuple[str | None, str], dict[str, str]] = {}
        frame = self.teachers
        for teacher, name, school in zip(frame["teacher_id"], frame["name"], frame["school_id"], strict=True):
            for key in ((plain(school), spelled(name)), (None, spelled(name))):
                found.setdefault(key, {})[str(teacher)] = plain(name)
        return found

    @cached_property
    def _near_teachers(self) -> dict[tuple[str | None, str], tuple[str, ...]]:
        """Who may be meant by names that were asked for in vain."""
        return {}

    def teacher(self, name: object, school: str | None) -> Match:
        """Return the teacher of a name in a school, or in the whole roster where the school is not known."""
        asked = spelled(name)
        found = self._teachers.get((school, asked), {})
        if len(found) == 1:
            return Match(next(iter(found)))
        if found:
            return Match(None, SEVERAL, tuple(_shown(i, n) for i, n in found.items()))
        if (school, asked) not in self._near_teachers:
            self._near_teachers[school, asked] = tuple(self._teachers_near(asked, school))
        return Match(None, UNKNOWN, self._near_teachers[school, asked])

    def _teachers_near(self, asked: str, school: str | None) -> list[str]:
        import pandas as pd

        staff = self.teachers.rename(columns={"school_id": "school"})
        near = match_roster(pd.DataFrame({"name": [asked], "school": [school]}), staff)["candidates"].iloc[0]
        names = dict(zip(staff["teacher_id"].astype(str), staff["name"], strict=True))
        return [_shown(str(who), names[str(who)]) for who in near]

    # --- pupils -----------------------------------------------------------------------------------------------------

    @cached_property
    def _pupils(self) -> Mapping[str, dict]:
        """Pupils by each number and by name: student_number, number within a class, seat and name within a class."""
        by: dict[str, dict] = {"student_number": {}, "number": {}, "seat": {}, "name": {}, "of": {}}
        if self.pupils is None:
            return by
        frame = self.pupils
        columns = {c: frame[c].astype(object).where(frame[c].notna(), None).tolist() for c in frame.columns}
        for at, (pupil, name, class_id) in enumerate(
            zip(columns["student_id"], columns["name"], columns["class_id"], strict=True)
        ):
            pupil, asked, class_id = str(pupil), spelled(name), plain(class_id)
            by["of"].setdefault(pupil, asked)
            for kind in NUMBERS:
                value = columns[kind][at] if kind in columns else None
                if value is not None:
                    key = spelled(value) if kind == "student_number" else (class_id, spelled(value))
                    by[kind].setdefault(key, []).append(pupil)
            by["name"].setdefault((class_id, asked), []).append(pupil)
        return by

    @cached_property
    def _names_of(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for class_id, name in self._pupils["name"]:
            names.setdefault(class_id, []).append(name)
        return names

    def pupil(self, class_id: str | None, name: object, numbers: Mapping[str, object]) -> Match:
        """Return the pupil of a row.

        A 学籍号 decides before a 学号, that before a 座号, that before a name. A name beside a number has to be that
        pupil's name; nothing is decided by half.

        Parameters
        ----------
        class_id
            The class of the row; a 学籍号 needs none.
        name
            As written; None where the sheet has no names.
        numbers
            What stands in the columns of `NUMBERS`.
        """
        by, asked = self._pupils, spelled(name)
        named = sorted(set(by["name"].get((class_id, asked), ())))
        for kind in NUMBERS:
            value = spelled(numbers.get(kind))
            if not value or not by[kind]:  # a number that the roster does not keep tells nothing
                continue
            found = set(by[kind].get(value if kind == "student_number" else (class_id, value), ()))
            if len(found) == 1:
                (pupil,) = found
                if asked and by["of"][pupil] and by["of"][pupil] != asked:
                    return Match(None, CONTRADICTS, self._near(class_id, asked))
                return Match(pupil, how=None if asked or kind == "student_number" else BY_NUMBER)
            if kind == "number" and asked:
                seated = set(by["seat"].get((class_id, value), ())) & set(named)
                if len(seated) == 1:
                    return Match(seated.pop(), how=SEAT_AS_NUMBER)
            return Match(None, SEVERAL if found else UNKNOWN, tuple(sorted(found)) or self._near(class_id, asked))
        if len(named) == 1:
            return Match(named[0])
        return Match(None, SEVERAL if named else UNKNOWN, tuple(named) or self._near(class_id, asked))

    def _near(self, class_id: str | None, asked: str) -> tuple[str, ...]:
        names = get_close_matches(asked, self._names_of.get(class_id, []), n=3, cutoff=0.5) if asked else []
        return tuple(_shown(p, n) for n in names for p in self._pupils["name"][class_id, n])


def _stands_alone(name: str, text: str) -> bool:
    """Tell whether a school's name stands in a text and is not part of another school's longer name.

    一中 is not meant by 第一中学附属小学, nor 实验小学 by 青山实验小学; before a name may stand a place.
    """
    before = r"(?:^|(?<=[^一-龥])|(?<=[省市区县镇乡旗州年期度]))"
    after = r"(?!附|分校|校区|小学|中学|学校|初中|高中|部|[东西南北]校)"
    return bool(re.search(before + re.escape(name) + after, text))


def _shown(identity: str, name: object) -> str:
    return f"{identity}（{masked(name)}）"


def _lacking(name: str, frame: pd.DataFrame) -> list[Fault]:
    return [
        Fault(
            argument(name),
            Text(f"名册缺少“{column}”这一列", f"the roster lacks the column {column!r}"),
            suggestion(column, frame.columns)
            or Text("须有：{all}", "It needs: {all}").format(all=listing(NEEDED[name])),
        )
        for column in NEEDED[name]
        if column not in frame.columns
    ]
