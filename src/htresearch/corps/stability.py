"""Who leads the classes: vacancies, changes, experience."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.corps.record import Record
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

_YEAR = 365.25
_NO_TERM_BEFORE = Text("本研究没有上一学期", "the study has no term before")
_NO_TERM_AFTER = Text("本研究没有下一学期", "the study has no term after")


def stability(record: Record, tally: Tally) -> None:
    """Tally who leads the classes on the first day, and whether they stay."""
    heads = tally.counted(record.heads, "teacher")
    days = record.years[heads["teacher"], heads["term"]] if tally.wants("years_as_head", "novices") else np.zeros(0)
    tally.add("years_as_head", heads, days / _YEAR) if len(days) else None
    tally.add("novices", heads, days < 3 * _YEAR) if len(days) else None
    tally.add("several_classes", heads, _classes_led(record)[heads["teacher"], heads["term"]] > 1)
    _leavers(record, tally, heads)
    if tally.wants("classes_led_by_acting"):
        led = Counted(_led(record), "class", tally.level)
        tally.add("classes_led_by_acting", led, led["acting"])
    if tally.wants("mid_term_changes", "head_changes"):
        _changes(record, tally, tally.counted(record.heads, "class"))
    if tally.wants("classes_without_head"):
        _vacancies(record, tally)
    if tally.wants("pupils_per_class"):
        classes = tally.counted(record.of_term, "class")
        tally.add("pupils_per_class", classes, record.pupils[classes.first], record.pupils[classes.first] > 0)


def _classes_led(record: Record) -> np.ndarray:
    """Return how many classes each teacher leads on each first day."""
    led = np.zeros((len(record.teachers), len(record.terms.ids)), int)
    one = record.heads.drop_duplicates(["term", "teacher", "class"])
    np.add.at(led, (one["teacher"].to_numpy(), one["term"].to_numpy()), 1)
    return led


def _led(record: Record) -> pd.DataFrame:
    """Return the classes with a head or acting head teacher on each first day, and whether acting only."""
    spells, made = record.leading, []
    for term, day in enumerate(record.terms.first):
        there = spells[(spells["since"] <= day) & (spells["until"] >= day)]
        made.append(there.sort_values("acting", kind="stable").drop_duplicates("class").assign(term=term))
    return pd.concat(made, ignore_index=True)


def _leavers(record: Record, tally: Tally, heads: Counted) -> None:
    stays = np.zeros((len(record.teachers), len(record.terms.ids)), bool)
    for term, day in enumerate(record.terms.after):
        if day >= 0:
            stays[record.on(day)["teacher"].to_numpy(), term] = True
    known = record.terms.after[heads["term"]] >= 0
    tally.refuse("leavers", _NO_TERM_AFTER, np.flatnonzero(record.terms.after < 0))
    tally.add("leavers", heads, ~stays[heads["teacher"], heads["term"]] & known, known)


def _changes(record: Record, tally: Tally, led: Counted) -> None:
    spells = record.spells
    count = len(record.classes["ids"])
    changed = np.zeros((count, len(record.terms.ids)), bool)
    former = np.full((count, len(record.terms.ids)), -1)
    now = np.full((count, len(record.terms.ids)), -1)
    now[led["class"], led["term"]] = led["teacher"]
    for term, (first, last) in enumerate(zip(record.terms.first, record.terms.last, strict=True)):
        later = spells[(spells["since"] <= last) & (spells["until"] > first)]
        others = later["teacher"].to_numpy() != now[later["class"].to_numpy(), term]
        changed[later["class"].to_numpy()[others], term] = True
        if record.terms.before[term] >= 0:
            before = record.on(record.terms.before[term])
            former[before["class"].to_numpy(), term] = before["teacher"].to_numpy()
    tally.add("mid_term_changes", led, changed[led["class"], led["term"]])
    tally.refuse("head_changes", _NO_TERM_BEFORE, np.flatnonzero(record.terms.before < 0))
    known = former[led["class"], led["term"]]
    tally.add("head_changes", led, (known >= 0) & (known != led["teacher"]), known >= 0)


def _vacancies(record: Record, tally: Tally) -> None:
    classes = tally.counted(record.of_term, "class")
    headed = np.zeros((len(record.classes["ids"]), len(record.terms.ids)), bool)
    headed[record.heads["class"].to_numpy(), record.heads["term"].to_numpy()] = True
    tally.add(
        "classes_without_head", classes, ~headed[classes["class"], classes["term"]], record.pupils[classes.first] > 0
    )
