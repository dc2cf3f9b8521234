"""成绩册: from wide score sheets, one column a subject, to assessments and outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import time
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Context
from htresearch.intake.school.dates import find_term
from htresearch.intake.school.dictionary import Dictionary, Measure, is_level, maximum
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Spot
from htresearch.intake.school.places import SchoolClass, Term
from htresearch.intake.school.plain import masked, plain
from htresearch.intake.school.roster import NUMBERS
from htresearch.language import Text, listing

if TYPE_CHECKING:
    pass

#: Above every score; phones and the numbers of pupils are longer.
_HIGHEST = 1e6
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)分?")
_MINUTES = re.compile(r"(\d{1,2})[分:'′](\d{1,2}(?:\.\d+)?)(?:秒|\"|″|'')?")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(?:秒|s|\"|″)")


@dataclass(frozen=True)
class Result:
    """What a cell says: a score, a level or why there is none; `fault` where it says nothing that is known."""

    score: float | None = None
    level: str | None = None
    status: str = "present"
    word: str | None = None
    fault: Text | None = None


@dataclass(frozen=True)
class ScoreColumn:
    """A column of results."""

    column: int
    measure: Measure
    holds_levels: bool
    full: float | None
    set_by: str
    examination: str
    term: Term | None = None  # where the header names one


@dataclass(frozen=True)
class Key:
    """What results are of one assessment."""

    term: Term
    stage: str
    grade: int
    measure: Measure
    examination: str
    set_by: str


@dataclass
class Results:
    """The results of one assessment, as columns; each with the cell it stands in."""

    pupils: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    levels: list[bool] = field(default_factory=list)
    fulls: list[float | None] = field(default_factory=list)
    places: list[Spot] = field(default_factory=list)


Book = dict[Key, Results]


# --- the columns ----------------------------------------------------------------------------------------------------


def is_scores(block: Block, words: Dictionary) -> bool:
    """Tell whether a table holds results: it knows pupils and at least one subject."""
    return bool(block.roles(words).keys() & {"name", *NUMBERS}) and any(
        words.subject(text) for header in block.columns.values() for text in header
    )


def _columns(block: Block, context: Context) -> list[ScoreColumn]:
    """Return the columns of results; a header that is neither a subject nor known otherwise is a fault."""
    words, ledger, where = context.desk.words, context.desk.ledger, block.where
    found = []
    for column, header in block.columns.items():
        subjects = dict.fromkeys(s for text in header if (s := words.subject(text)))
        role = next((role for text in reversed(header) if (role := words.role(text))), None)
        place = where.cell(block.header_row, column)
        if role in ("computed", "other") or (role and not subjects):
            if role in ("computed", "other", "remark"):
                ledger.find(LEFT_COLUMN.format(name=header[-1]), place)
            continue
        if len(subjects) != 1:
            if any(row[column] is not None for _, row in block.rows):
                near = [] if subjects else words.near_subjects(header[-1])
                fix = _NEAR_SUBJECT.format(near=listing(near)) if near else _ADD_SUBJECT
                ledger.fault(place, _NO_SUBJECT.format(name="/".join(header)), fix)
            continue
        measure = words.measures[next(iter(subjects))]
        fulls = [full for text in header if (full := maximum(text))]
        found.append(
            ScoreColumn(
                column,
                measure,
                any(map(is_level, header)),
                fulls[0] if fulls else _maximum_of(context, measure),
                _set_by(header, context, measure),
                _examination(header, context),
                _term(header, place, context),
            )
        )
    for column in sorted(
        {c for _, row in block.rows for c, v in enumerate(row) if v is not None} - set(block.columns)
    ):
        ledger.fault(where.cell(block.header_row, column), _NO_HEADER, _WRITE_HEADER)
    return found


def _term(header: tuple[str, ...], place: Spot, context: Context) -> Term | None:
    """Return the term that a header names, where the columns of one table are of several."""
    named = next((text for text in header if find_term(text)), None)
    return context.term_in(named, place) if named else None


def _maximum_of(context: Context, measure: Measure) -> float | None:
    """Return the maximum that a title states for all subjects."""
    if measure.unit or measure.domain != "academic":
        return None
    return next((full for text in context.own if (full := maximum(text)) and "满分" in text), None)


def _set_by(header: tuple[str, ...], context: Context, measure: Measure) -> str:
    """Return who set it: what the header says, or the title for school subjects, or else no one above the school."""
    words = context.desk.words
    said = words.said("set_by", header)
    if not said and measure.domain == "academic":
        said = words.said("set_by", context.bare)
    if said:
        return said[0]
    if measure.set_by not in ("class", "school"):
        context.desk.ledger.note(_NOT_SAID)
        return "school"
    return measure.set_by


def _examination(header: tuple[str, ...], context: Context) -> str:
    words = context.desk.words
    said = (words.examination(text) for text in (*header, *context.titles))
    return next((name for name in said if name is not None), "")


# --- the cells ------------------------------------------------------------------------------------------------------


def result(value: object, measure: Measure, words: Dictionary) -> Result | None:
    """Read a cell; None where nothing stands in it.

    Parameters
    ----------
    value
        As saved: a number, text, or a time where Excel took 3:55 for one.
    measure
        Says whether the unit is seconds.
    """
    if isinstance(value, bool):
        return Result(fault=_NO_RESULT)
    if isinstance(value, int | float):
        return _scored(value)
    if isinstance(value, time):
        return Result(fault=_TIME if measure.unit == "seconds" else _NO_RESULT)
    text = plain(value)
    if text in words.sets["empty"]:
        return None
    if match := _NUMBER.fullmatch(text):
        return _scored(float(match[1]))
    if measure.unit == "seconds":
        if match := _MINUTES.fullmatch(text):
            return _scored(60 * float(match[1]) + float(match[2]))
        if match := _SECONDS.fullmatch(text):
            return _scored(float(match[1]))
    if status := words.value("statuses", text):
        return Result(status=status)
    if len(text) == 1 and text.upper() in words.levels:
        return Result(level=text.upper())
    if text in words.levels:
        return Result(level=text)
    if level := words.value("levels", text):
        return Result(level=level, word=text)
    return Result(fault=_NO_RESULT)


def _scored(value: float) -> Result:
    """Return a score; a phone or a pupil's number, which is longer than any, is none."""
    return Result(float(value)) if 0 <= value < _HIGHEST else Result(fault=_NO_RESULT)


def read_scores(block: Block, context: Context, book: Book) -> None:
    """Add the results of a table to the book; what cannot be decided goes to the ledger as a fault."""
    _Reader(block, context, book).read()


class _Reader:
    """The reading of one table."""

    def __init__(self, block: Block, context: Context, book: Book):
        self.block, self.context, self.book = block, context, book
        self.desk, self.where = context.desk, block.where
        self.roles, self.columns = block.roles(self.desk.words), _columns(block, context)
        self.term = next((column.term for column in self.columns if column.term), None)
        self.copied = block.copied()
        self.classes: dict[tuple, tuple[SchoolClass | None, Term | None]] = {}
        self.kept: dict[tuple, Results] = {}

    def read(self) -> None:
        """Read row by row."""
        ledger, words = self.desk.ledger, self.desk.words
        for number, row in self.block.rows:
            if any(isinstance(value, str) and words.word(value).states_maximum for value in row[:3]):
                self.columns = [self._marked(column, row[column.column]) for column in self.columns]
                ledger.find(_MAXIMUM_ROW, self.where.row(number))
                ledger.rows_kept += 1
                continue
            cells = {role: row[column] for role, column in self.roles.items()}
            name = cells.get("name")
            numbers = {kind: cells[kind] for kind in NUMBERS if cells.get(kind) is not None}
            if not plain(name) and not numbers:
                ledger.leave_out(_NOBODY, self.where.row(number))
                continue
            known, term = self._class(number, cells)
            pupil = self._pupil(number, row, known, name, numbers) if known else None
            if pupil is None:
                continue
            ledger.rows_kept += 1
            for column in self.columns:
                said = self._cell(number, column, row[column.column])
                if said is not None:
                    results = self._results(known, column.term or term, column)
                    results.pupils.append(pupil)
                    results.results.append(said)
                    results.levels.append(column.holds_levels)
                    results.fulls.append(column.full)
                    results.places.append(Spot(self.where, number, column.column))

    def _marked(self, column: ScoreColumn, value: object) -> ScoreColumn:
        said = result(value, column.measure, self.desk.words) if value is not None else None
        return replace(column, full=said.score) if said and said.score else column

    def _class(self, number: int, cells: dict) -> tuple[SchoolClass | None, Term | None]:
        said = tuple(cells.get(role) for role in ("school", "term", "class", "grade"))
        if said not in self.classes:
            context, roles = self.context, self.roles
            school = context.school_of(number, roles.get("school"), said[0])
            if not plain(said[1]) and context.term is None and self.term is not None:
                term = self.term
            else:
                term = context.term_of(number, roles.get("term"), said[1])
            self.classes[said] = context.class_of(number, roles.get("class"), said[2], said[3], school, term), term
        return self.classes[said]

    def _pupil(self, number: int, row: list, known: SchoolClass, name: object, numbers: dict) -> str | None:
        match, roles = self.desk.roster.pupil(known.class_id, name, numbers), self.roles
        if match.id is None:
            column = next((roles[k] for k in (*NUMBERS, "name") if k in roles and row[roles[k]] is not None), 0)
            shown = masked(name) or masked(next(iter(numbers.values()), ""))
            self.desk.ledger.fault(self.where.cell(number, column), match.why, match.fix, shown)
        elif match.how is not None:
            self.desk.ledger.find(match.how, self.where.row(number))
        return match.id

    def _cell(self, number: int, column: ScoreColumn, value: object) -> Result | None:
        """Return what a cell says, None where it says nothing or cannot be read, which is a fault."""
        ledger, at = self.desk.ledger, column.column
        met = self.desk.cells.setdefault(column.measure.name, {})
        once = value if value is not True and value is not False else str(value)  # True equals 1
        if once not in met:
            met[once] = None if value is None else result(value, column.measure, self.desk.words)
        said = met[once]
        if said is None:
            ledger.find(_EMPTY, self.where.cell(number, at))
            return None
        fault = said.fault or _beyond(said, column)
        if fault is None and said.status == "present" and (number, at) in self.copied:
            fault = _COPIED
        if fault is not None:
            ledger.fault(self.where.cell(number, at), fault, _FIXES[fault], value)
            return None
        if said.score == 0:
            ledger.find(_ZERO, self.where.cell(number, at))
        return said

    def _results(self, known: SchoolClass, term: Term, column: ScoreColumn) -> Results:
        place = known.class_id, term.index, column.column
        if place not in self.kept:
            key = Key(term, known.stage, known.grade(term), column.measure, column.examination, column.set_by)
            self.kept[place] = self.book.setdefault(key, Results())
        return self.kept[place]


def _beyond(said: Result, column: ScoreColumn) -> Text | None:
    if said.score is None:
        return None
    if column.holds_levels:
        return _SCORE_IN_LEVELS
    return _ABOVE if column.full is not None and said.score > column.full else None


_NOT_SAID = Text(
    "没有写明由谁命题的测评，按学校自行命题处理，只在校内可比；统一命题的请在标题或表头写明（如“区统考”）",
    "Where nothing says who set a test, it is taken as the school's own and compares within the school; write 区统考 "
    "or the like into the title or header of a common paper",
)
LEFT_COLUMN = Text("没有用到的列“{name}”", "columns that are not used: {name}")
_NEAR_SUBJECT = Text(
    "是否指：{near}？可改列名，或用 measures= 说明这个项目",
    "Did it mean {near}? Rename it, or describe it by measures=",
)
_ADD_SUBJECT = Text(
    "请改成学科名，或用 measures= 说明这个项目；不用的列请删去",
    "Rename it to a subject, describe it by measures=, or delete the column",
)
_NO_SUBJECT = Text("不知道“{name}”这一列是什么", "{name} is no subject that is known")
_NO_HEADER = Text("这一列有内容，却没有列名", "the column holds something, but has no header")
_WRITE_HEADER = Text("请写上列名；不用的列请删去", "Write its header, or delete the column")
_NOBODY = Text("没有姓名也没有号码的行", "rows with neither name nor number")
_EMPTY = Text("空着的成绩格（没有记录，不作缺考）", "empty cells of results (no record, not counted as absent)")
_MAXIMUM_ROW = Text("写明满分的行", "rows that state the maximum score")
_NO_RESULT = Text("不是分数、等级，也不是缺考、缓考、免考", "is neither a score nor a level nor a known absence")
_TIME = Text("成了钟点，看不出是几分几秒", "became a time of day, and does not say how many minutes and seconds")
_COPIED = Text("合并单元格里的成绩，分不清是谁的", "a result in merged cells, which does not say whose it is")
_ZERO = Text("0 分（缺考不是 0 分，请核对）", "scores of 0 (check that they are no absences)")
_ABOVE = Text("高于满分", "is above the maximum score")
_SCORE_IN_LEVELS = Text("等级列里是数字", "is a number in a column of levels")
_FIXES = {
    _NO_RESULT: Text(
        "请改为分数、A–E、缺考、缓考或免考；没有记录则留空",
        "Write a score, A–E, 缺考, 缓考 or 免考, or leave it empty",
    ),
    _TIME: Text("请把这一列设为文本，写成 235 或 3'55\"", "Format the column as text and write 235 or 3'55\""),
    _COPIED: Text("请取消合并，分别填写", "Unmerge the cells and write each result"),
    _ABOVE: Text("请核对分数与满分", "Check the score and the maximum"),
    _SCORE_IN_LEVELS: Text("请改为等级", "Write a level"),
}
