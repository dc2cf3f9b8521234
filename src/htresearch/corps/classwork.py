"""The work of a class: meetings, visits, practice."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from htresearch.corps.record import Record, read
from htresearch.corps.tally import Counted, Tally
from htresearch.study.timeline import day_number

_PER_PUPIL = {"home_visits": ("home_visit",), "phone_visits": ("phone_visit",), "talks": ("talk", "counselling")}
_PER_CLASS = {"parents_meetings": ("parents_meeting",), "parents_in_school": ("parents_forum", "parents_in_class")}
_PRACTICE = ("social_practice", "labour")
_KINDS = tuple(kind for kinds in (*_PER_PUPIL.values(), *_PER_CLASS.values()) for kind in kinds)
_KEY = ("class_id", "term_id")
_EPOCH = date(1970, 1, 1).toordinal()


def classwork(record: Record, tally: Tally) -> None:
    """Tally what the classes of each term did in its period."""
    if "activities" not in record.study.tables:
        return
    classes = Counted(record.of_term, "class", tally.level)
    done = record.kept("activities", lambda: _done(record))
    counts = {name: sum(done[kind] for kind in kinds)[classes.first] for name, kinds in _PER_CLASS.items()}
    for name, count in counts.items():
        tally.add(name, classes, count)
    tally.add("parents_meeting_held", classes, counts["parents_meetings"] > 0)
    if tally.wants(*_PER_PUPIL):
        for name, kinds in _PER_PUPIL.items():
            tally.add(name, classes, sum(done[kind] for kind in kinds)[classes.first], record.pupils[classes.first])
    weeks = record.terms.weeks[classes["term"]]
    tally.add("theme_meetings_kept", classes, done["theme_weeks"][classes.first], weeks)
    tally.add("practice_days", classes, done["practice_days"][classes.first])
    for kind in _PRACTICE:
        value = record.vocabulary("activity").index(kind)
        days = done[f"{kind}_days"][classes.first]
        tally.add_value("practice_days", "kind", value, classes, days)


def _done(record: Record) -> dict[str, np.ndarray]:
    """Return for each class of `of_term` how often it did each thing."""
    terms, table = record.terms, record.study.table("activities")
    dated = table.with_columns(term_id=_during(record, terms.ends)).filter(~nw.col("term_id").is_null())
    sums = {kind: nw.when(nw.col("kind") == kind).then(nw.lit(1)).otherwise(nw.lit(0)) for kind in _KINDS}
    counts = read(dated.with_columns(**sums).group_by(*_KEY).agg(*(nw.col(kind).sum() for kind in _KINDS)))
    done = {kind: record.beside(counts, kind) for kind in _KINDS}
    meetings = table.filter(nw.col("kind") == "theme_meeting")
    meetings = meetings.with_columns(term_id=_during(record, terms.first + 7 * terms.weeks - 1))
    meetings = meetings.filter(~nw.col("term_id").is_null())
    begins = _chain(record, [nw.lit(int(first) + _EPOCH) for first in terms.first])
    weeks = meetings.with_columns(week=(day_number(nw.col("held_on")) - begins) // 7)
    weeks = weeks.select(*_KEY, "week").unique().group_by(*_KEY).agg(weeks=nw.len())
    done["theme_weeks"] = record.beside(read(weeks), "weeks")
    return done | _practice(record, dated)


def _practice(record: Record, dated: nw.LazyFrame) -> dict[str, np.ndarray]:
    """Count the days of practice: of each kind, and of either."""
    days = dated.filter(nw.col("kind").is_in(list(_PRACTICE))).select(*_KEY, "kind", "held_on").unique()
    table = pa.table(read(days))
    frame = pd.DataFrame({name: table[name].to_numpy() for name in table.column_names})
    either = frame.drop_duplicates([*_KEY, "held_on"])
    parts = {"practice_days": either} | {f"{kind}_days": frame[frame["kind"] == kind] for kind in _PRACTICE}
    made = {}
    for name, part in parts.items():
        counted = part.groupby(list(_KEY), as_index=False).size()
        columns = {column: pa.array(counted[column], table[column].type) for column in _KEY}
        made[name] = record.beside({**columns, "size": pa.array(counted["size"], pa.int64())}, "size")
    return made


def _during(record: Record, until: np.ndarray) -> nw.Expr:
    """Return the term in which `held_on` lies, from its first day to the day given for it."""
    terms, found = record.terms, nw.lit(None).cast(nw.String)
    for name, first, last in zip(terms.ids, terms.first, until, strict=True):
        inside = (nw.col("held_on") >= nw.lit(_date(first))) & (nw.col("held_on") <= nw.lit(_date(last)))
        found = nw.when(inside).then(nw.lit(name)).otherwise(found)
    return found


def _chain(record: Record, values: list[nw.Expr]) -> nw.Expr:
    """Return the value of each row's term."""
    found = nw.lit(None).cast(nw.Int64)
    for name, value in zip(record.terms.ids, values, strict=True):
        found = nw.when(nw.col("term_id") == name).then(value).otherwise(found)
    return found


def _date(day: int) -> date:
    return date.fromordinal(int(day) + _EPOCH)
