"""成绩册: from wide score sheets, one column a subject, to assessments and outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING

from htresearch.intake.school.context import Context, Desk
from htresearch.intake.school.dictionary import Dictionary, Measure, is_level, maximum
from htresearch.intake.school.layout import Block
from htresearch.intake.school.ledger import Spot, Where
from htresearch.intake.school.places import SchoolClass, Term
from htresearch.intake.school.plain import masked, plain
from htresearch.intake.school.roster import NUMBERS
from htresearch.language import Text, listing

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)分?")
_MINUTES = re.compile(r"(\d{1,2})[分:'′](\d{1,2}(?:\.\d+)?)(?:秒|\"|″|'')?")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(?:秒|s|\"|″)")
#: By how much an assessment compares, from narrow to wide; a city's paper compares within the district.
_WIDEST = "district"


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


# --- the tables -----------------------------------------------------------------------------------------------------


def tables(book: Book, desk: Desk) -> tuple[pd.DataFrame, pd.DataFrame, list[Spot]]:
    """Return `assessments` and `outcomes`, and the cell that each outcome stands in.

    The id of an assessment is made of its term, measure and grade, and of what sets it apart: the examination (if not
    the term's last), the stage where another has that grade too, who set it (if not who usually does), and, for
    papers that schools set themselves, the maximum score, so that papers out of 100 and of 120 stay two assessments.
    """
    import pandas as pd

    rows, frames, places = [], [], []
    for key, results in sorted(book.items(), key=lambda item: _order(item[0])):
        for part in _by_paper(key, results, desk):
            scale, full = _scale(part, key, desk)
            identity = _identity(key, scale, full)
            rows.append(_assessment(identity, key, scale, full))
            frame = pd.DataFrame(
                {
                    "assessment_id": identity,
                    "student_id": part.pupils,
                    "score": pd.Series([r.score for r in part.results], dtype="float64"),
                    "level": pd.Series([r.level for r in part.results], dtype=object),
                    "status": [r.status for r in part.results],
                }
            )
            frame, kept = _once(frame, part, desk)
            frames.append(frame)
            places += kept
    columns = ["assessment_id", "student_id", "score", "level", "status"]
    outcomes = (
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({c: [] for c in columns}, dtype=object)
    )
    names = ["assessment_id", "term_id", "stage", "grade", "domain", "measure", "set_by", "scale", "max_score", "comparable_within", "rated_by", "better"]
    return pd.DataFrame(rows, columns=names, dtype=object), outcomes, places


def _order(key: Key) -> tuple:
    return key.term.index, key.measure.name, key.examination, key.grade, key.stage, key.set_by


def _by_paper(key: Key, results: Results, desk: Desk) -> list[Results]:
    """Part the results of schools' own papers by maximum; of a common paper there is one maximum."""
    stated = sorted({full for full in results.fulls if full is not None})
    if len(stated) < 2:
        return [results]
    if key.set_by not in ("school", "class"):
        first = results.places[results.fulls.index(stated[0])]
        other = results.places[results.fulls.index(stated[1])]
        fix = _ONE_MAXIMUM.format(first=first, a=f"{stated[0]:g}", b=f"{stated[1]:g}")
        desk.ledger.fault(other, _MAXIMA, fix)
        return [results]
    parts: dict[float | None, Results] = {}
    for values in zip(results.pupils, results.results, results.levels, results.fulls, results.places, strict=True):
        part = parts.setdefault(values[3], Results())
        for listed, value in zip(
            (part.pupils, part.results, part.levels, part.fulls, part.places), values, strict=True
        ):
            listed.append(value)
    return list(parts.values())


def _scale(results: Results, key: Key, desk: Desk) -> tuple[str, float | None]:
    """Return the scale and the maximum; levels where scores are asked for are faults, and words are noted."""
    full = next((f for f in results.fulls if f is not None), None)
    scores = sum(r.score is not None for r in results.results)
    own = [n for n, r in enumerate(results.results) if r.level is not None and not results.levels[n]]
    if scores:
        for n in own:
            desk.ledger.fault(results.places[n], _LEVEL_AMONG_SCORES, _FIXES[_LEVEL_AMONG_SCORES])
    if any(r.word is not None for r in results.results):
        _one_wording(results, desk)
    levels = any(r.level is not None for r in results.results)
    return ("raw" if scores or not levels else "level"), (full if scores else None)


def _one_wording(results: Results, desk: Desk) -> None:
    """Count levels that are written as words; two words of one column for one level may not mean the same there."""
    used: dict[tuple[Where, int, str], dict[str, Spot]] = {}
    count: dict[tuple[str, str], list[Spot]] = {}
    for r, place in zip(results.results, results.places, strict=True):
        if r.level is not None:
            used.setdefault((place.where, place.column, r.level), {}).setdefault(r.word or r.level, place)
        if r.word is not None:
            count.setdefault((r.word, r.level), []).append(place)
    for (word, level), cells in count.items():
        desk.ledger.find(_WORD.format(word=word, level=level), cells[0], len(cells))
    for words in used.values():
        if len(words) > 1:
            fix = _SAY_LEVELS.format(words=listing(words))
            desk.ledger.fault_once(list(words.values())[1], _TWO_WORDS, fix)


def _identity(key: Key, scale: str, full: float | None) -> str:
    parts = [key.term.term_id, key.measure.name, f"G{key.grade:02d}"]
    usual = "primary" if key.grade <= 6 else "junior" if key.grade <= 9 else "senior"
    if key.stage != usual:
        parts.append(key.stage)
    if key.examination:
        parts.append(key.examination)
    if key.set_by != key.measure.set_by:
        parts.append(key.set_by)
    if key.set_by in ("school", "class") and scale == "raw" and not key.measure.unit:
        parts.append("raw" if full is None else f"of{full:g}")
    return "-".join(parts)


def _assessment(identity: str, key: Key, scale: str, full: float | None) -> tuple:
    within = key.set_by if key.set_by in ("class", "school", "zone") else _WIDEST
    measure = key.measure
    return (
        identity,
        key.term.term_id,
        key.stage,
        key.grade,
        measure.domain,
        measure.name,
        key.set_by,
        scale,
        full,
        within,
        measure.rated_by,
        measure.better,
    )


def _once(frame: pd.DataFrame, results: Results, desk: Desk) -> tuple[pd.DataFrame, list[Spot]]:
    """Join a score and the level beside it, drop what is said twice; what is said in two ways is a fault."""
    twice = frame["student_id"].duplicated(keep=False)
    if not twice.any():
        return frame, results.places
    first: dict[str, int] = {}
    keep, drop = [], set()
    scores, levels, status = frame["score"].tolist(), frame["level"].tolist(), frame["status"].tolist()
    for n, pupil in enumerate(frame["student_id"].tolist()):
        at = first.setdefault(pupil, n)
        if at == n:
            keep.append(n)
            continue
        drop.add(n)
        if results.levels[n] != results.levels[at] and status[n] == status[at]:
            scores[at] = scores[at] if scores[at] == scores[at] else scores[n]
            levels[at] = levels[at] or levels[n]
        elif (scores[n] == scores[at] or (scores[n] != scores[n] and scores[at] != scores[at])) and (
            levels[n] == levels[at] and status[n] == status[at]
        ):
            desk.ledger.find(_SAME_TWICE, results.places[n])
        else:
            desk.ledger.fault(results.places[n], _OTHERWISE, _NAME_IT.format(first=results.places[at]))
    frame = frame.assign(score=scores, level=levels).iloc[keep].reset_index(drop=True)
    return frame, [results.places[n] for n in keep]


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
_LEVEL_AMONG_SCORES = Text("同一测评别处是分数，这里是等级", "is a level where the assessment has scores elsewhere")
_FIXES = {
    _NO_RESULT: Text(
        "请改为分数、A–E、缺考、缓考或免考；没有记录则留空",
        "Write a score, A–E, 缺考, 缓考 or 免考, or leave it empty",
    ),
    _TIME: Text("请把这一列设为文本，写成 235 或 3'55\"", "Format the column as text and write 235 or 3'55\""),
    _ABOVE: Text("请核对分数与满分", "Check the score and the maximum"),
    _SCORE_IN_LEVELS: Text("请改为等级", "Write a level"),
    _LEVEL_AMONG_SCORES: Text(
        "请改为分数；等级请另写一列“（学科）等级”", "Write a score; levels go into a column of their own"
    ),
}
_MAXIMA = Text("同一份统一命题的试卷有两种满分", "a common paper has two maximum scores")
_ONE_MAXIMUM = Text(
    "{first} 处为 {a}，这里为 {b}；请更正；若是学校自主命题，请在表头注明“校内”",
    "It is {a} at {first} and {b} here; correct it, or write 校内 into the header of a paper that the school set",
)
_WORD = Text("等级“{word}”记为 {level}", "levels written {word} are {level}")
_TWO_WORDS = Text("同一列用两个词表示同一等级", "two words for one level in one column")
_SAY_LEVELS = Text("这里有：{words}；请统一写成 A–E", "There are: {words}; write A–E")
_SAME_TWICE = Text("同一成绩写了两遍", "results that are written twice")
_OTHERWISE = Text("同一学生在同一测评中另有不同的成绩", "the pupil has another result in the same assessment")
_NAME_IT = Text(
    "另一处在 {first}；若是两次考试，请在标题写明（期中、期末、第一次月考……）",
    "The other is {first}; if these are two examinations, name them in the title (期中, 期末, 第一次月考, …)",
)
