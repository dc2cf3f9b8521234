"""From the results of score sheets to assessments and outcomes: one scale, one maximum, one result a pupil."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htresearch.intake.school.context import Desk
from htresearch.intake.school.ledger import Spot, Where
from htresearch.intake.school.scores import Book, Key, Results
from htresearch.language import Text, listing

if TYPE_CHECKING:
    import pandas as pd

#: By how much a paper of the city compares: no vocabulary is wider.
_WIDEST = "district"


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
            rows.append(assessment(key, scale, full))
            frame = pd.DataFrame(
                {
                    "assessment_id": rows[-1][0],
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
    names = [
        "assessment_id",
        "term_id",
        "stage",
        "grade",
        "domain",
        "measure",
        "set_by",
        "scale",
        "max_score",
        "comparable_within",
        "rated_by",
        "better",
    ]
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
            desk.ledger.fault(results.places[n], _LEVEL_AMONG_SCORES, _WRITE_SCORE)
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


def assessment(key: Key, scale: str, full: float | None) -> tuple:
    """Return a row of `assessments`."""
    within = key.set_by if key.set_by in ("class", "school", "zone") else _WIDEST
    measure = key.measure
    return (
        _identity(key, scale, full),
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
_LEVEL_AMONG_SCORES = Text("同一测评别处是分数，这里是等级", "is a level where the assessment has scores elsewhere")
_WRITE_SCORE = Text("请改为分数；等级请另写一列“（学科）等级”", "Write a score; levels go into a column of their own")
