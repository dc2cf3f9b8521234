"""The work of a class: meetings, visits, practice."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from htresearch.corps.record import Record, coded
from htresearch.corps.tally import Tally

_PER_PUPIL = {"home_visits": ("home_visit",), "phone_visits": ("phone_visit",), "talks": ("talk", "counselling")}
_PER_CLASS = {"parents_meetings": ("parents_meeting",), "parents_in_school": ("parents_forum", "parents_in_class")}
_PRACTICE = ("social_practice", "labour")
_KINDS = (
    *(kind for kinds in (*_PER_PUPIL.values(), *_PER_CLASS.values()) for kind in kinds),
    "theme_meeting",
    *_PRACTICE,
)


def classwork(record: Record, tally: Tally) -> None:
    """Tally what the classes of each term did in its period."""
    if "activities" not in record.study.tables:
        return
    classes = tally.counted(record.of_term, "class")
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
    terms, shape = record.terms, record.place.shape
    held = record.study.table("activities").filter(nw.col("kind").is_in(list(_KINDS)))
    held = held.select("class_id", "held_on", "kind")
    held = coded(record.study.store, held, class_id=record.classes["ids"], kind=_KINDS)
    counts = np.zeros((len(_KINDS), record.place.size), np.int64)
    weeks = np.zeros((record.place.size, int(terms.weeks.max(initial=0))), bool)
    practised = []
    for batch in record.study.store.batches(held.select("class_id", "held_on", "kind")):
        day = batch.column("held_on").cast(pa.date32()).cast(pa.int32()).to_numpy(zero_copy_only=False)
        group, kind = (batch.column(name).to_numpy() for name in ("class_id", "kind"))
        term = terms.period_of(day)
        there = (term >= 0) & (group >= 0)
        term, kind, day = term[there], kind[there], day[there]
        place = term * shape[1] + group[there]
        counts += np.bincount(kind * record.place.size + place, None, counts.size).reshape(counts.shape)
        week = (day - terms.first[term]) // 7
        kept = (kind == _KINDS.index("theme_meeting")) & (week < terms.weeks[term])
        weeks[place[kept], week[kept]] = True
        kept = np.isin(kind, [_KINDS.index(one) for one in _PRACTICE])
        practised.append(np.stack([place[kept], day[kept], kind[kept]]))
    ours = record.of_term["term"].to_numpy() * shape[1] + record.of_term["class"].to_numpy()
    done = {kind: counts[number, ours] for number, kind in enumerate(_KINDS)}
    return done | {"theme_weeks": weeks[ours].sum(axis=1)} | _practice(practised, record.place.size, ours)


def _practice(parts: list[np.ndarray], size: int, ours: np.ndarray) -> dict[str, np.ndarray]:
    """Count the days of practice: of each kind, and of either."""
    place, day, kind = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0), np.int64)
    made = {}
    for name, kinds in {"practice_days": _PRACTICE, **{f"{kind}_days": (kind,) for kind in _PRACTICE}}.items():
        these = np.isin(kind, [_KINDS.index(one) for one in kinds])
        days = pd.unique(place[these] << 32 | day[these])  # a class's days, each once
        made[name] = np.bincount(days >> 32, None, size)[ours]
    return made
