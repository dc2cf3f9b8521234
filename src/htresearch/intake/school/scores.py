"""成绩册: from wide score sheets, one column a subject, to assessments and outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Context
from htresearch.intake.school.dictionary import Dictionary, Measure, is_level, maximum
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Spot
from htresearch.intake.school.places import SchoolClass, Term
from htresearch.intake.school.plain import masked, plain
from htresearch.intake.school.roster import NUMBERS
from htresearch.language import Text, listing

if TYPE_CHECKING:
    pass

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
            )
        )
    for column in sorted(
        {c for _, row in block.rows for c, v in enumerate(row) if v is not None} - set(block.columns)
    ):
        ledger.fault(where.cell(block.header_row, column), _NO_HEADER, _WRITE_HEADER)
    return found


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
        said = words.said("set_by", context.own)
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
        return Result(float(value)) if value >= 0 and value < 1e6 else Result(fault=_NO_RESULT)
    if isinstance(value, time):
        return Result(fault=_TIME if measure.unit == "seconds" else _NO_RESULT)
    text = plain(value)
    if text in words.sets["empty"]:
        return None
    if match := _NUMBER.fullmatch(text):
        return Result(float(match[1]))
    if measure.unit == "seconds":
        if match := _MINUTES.fullmatch(text):
            return Result(60 * float(match[1]) + float(match[2]))
        if match := _SECONDS.fullmatch(text):
            return Result(float(match[1]))
    if status := words.value("statuses", text):
        return Result(status=status)
    if len(text) == 1 and text.upper() in words.levels:
        return Result(level=text.upper())
    if text in words.levels:
        return Result(level=text)
    if level := words.value("levels", text):
        return Result(level=level, word=text)
    return Result(fault=_NO_RESULT)


def read_scores(block: Block, context: Context, book: Book) -> None:
    """Add the results of a table to the book; what cannot be decided goes to the ledger as a fault."""
    desk, where = context.desk, block.where
    roles, columns = block.roles(desk.words), _columns(block, context)
    classes: dict[tuple, SchoolClass | None] = {}
    keys: dict[tuple, Results] = {}
    marked: dict[int, float] = {}
    for number, row in block.rows:
        if any(isinstance(value, str) and desk.words.word(value).states_maximum for value in row[:3]):
            marked = {c.column: float(row[c.column]) for c in columns if isinstance(row[c.column], int | float)}
            desk.ledger.find(_MAXIMUM_ROW, where.row(number))
            desk.ledger.rows_kept += 1
            continue
        cells = {role: row[column] for role, column in roles.items()}
        name = cells.get("name")
        numbers = {kind: cells[kind] for kind in NUMBERS if cells.get(kind) is not None}
        if not plain(name) and not numbers:
            desk.ledger.leave_out(_NOBODY, where.row(number))
            continue
        said = tuple(cells.get(role) for role in ("school", "term", "class", "grade"))
        if said not in classes:
            school = context.school_of(number, roles.get("school"), said[0])
            term = context.term_of(number, roles.get("term"), said[1])
            classes[said] = context.class_of(number, roles.get("class"), said[2], said[3], school, term), term
        known, term = classes[said]
        if known is None:
            continue
        match = desk.roster.pupil(known.class_id, name, numbers)
        if match.id is None:
            column = next((roles[k] for k in (*NUMBERS, "name") if k in roles and row[roles[k]] is not None), 0)
            shown = masked(name) or masked(next(iter(numbers.values()), ""))
            desk.ledger.fault(where.cell(number, column), match.why, match.fix, shown)
            continue
        desk.ledger.rows_kept += 1
        for column in columns:
            value = row[column.column]
            if value is None:
                desk.ledger.find(_EMPTY, where.cell(number, column.column))
                continue
            met = desk.cells.setdefault(column.measure.name, {})
            once = value if value is not True and value is not False else str(value)  # True equals 1
            if once not in met:
                met[once] = result(value, column.measure, desk.words)
            said_here = met[once]
            if said_here is None:
                desk.ledger.find(_EMPTY, where.cell(number, column.column))
                continue
            full = marked.get(column.column, column.full)
            if fault := said_here.fault or _beyond(said_here, column, full):
                desk.ledger.fault(where.cell(number, column.column), fault, _FIXES[fault], value)
                continue
            place = (known.class_id, column.column)
            if place not in keys:
                key = Key(term, known.stage, known.grade(term), column.measure, column.examination, column.set_by)
                keys[place] = book.setdefault(key, Results())
            results = keys[place]
            results.pupils.append(match.id)
            results.results.append(said_here)
            results.levels.append(column.holds_levels)
            results.fulls.append(full)
            results.places.append(Spot(where, number, column.column))


def _beyond(said: Result, column: ScoreColumn, full: float | None) -> Text | None:
    if said.score is None:
        return None
    if column.holds_levels:
        return _SCORE_IN_LEVELS
    return _ABOVE if full is not None and said.score > full else None


_NOT_SAID = Text(
    "没有写明由谁命题的测评，按学校自行命题处理，只在校内可比；统一命题的请在标题或表头写明（如“区统考”）",
    "Where nothing says who set a test, it is taken as the school's own and compares within the school; write 区统考 or "
    "the like into the title or header of a common paper",
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
_ABOVE = Text("高于满分", "is above the maximum score")
_SCORE_IN_LEVELS = Text("等级列里是数字", "is a number in a column of levels")
_FIXES = {
    _NO_RESULT: Text(
        "请改为分数、A–E、缺考、缓考或免考；没有记录则留空",
        "Write a score, A–E, 缺考, 缓考 or 免考, or leave it empty",
    ),
    _TIME: Text("请把这一列设为文本，写成 235 或 3'55\"", "Format the column as text and write 235 or 3'55\""),
    _ABOVE: Text("请核对分数与满分", "Check the score and the maximum"),
    _SCORE_IN_LEVELS: Text("请改为等级", "Write a level"),
}
