"""Training: who is reached, for how long, in what."""

from __future__ import annotations

import numpy as np

from htresearch.corps.record import Record, codes, read
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

_ATTENDANCE = Text("培训参加记录", "records of attendance")
_BREAKDOWNS = ("level", "theme")


def training(record: Record, tally: Tally) -> None:
    """Tally hours, reach and kinds of training."""
    if not {"training_events", "attendance"} <= set(record.study.tables):
        return
    events = record.study.table("training_events").select("event_id", "level", "theme", "mode", "held_on", "hours")
    table = record.kept("attendance", lambda: read(record.study.table("attendance").join(events, on="event_id")))
    hours = table["hours_attended"].to_numpy()
    _before(record, tally, table, hours)
    where = record.once("attendance", table["teacher_id"], table["held_on"], _ATTENDANCE)
    heads = tally.counted(record.heads_of_period, "teacher")
    rows = Counted(where, "row", tally.level)
    attended = hours[rows["row"]]
    total = heads.gather(rows, attended)
    tally.add("training_hours", heads, total)
    tally.add("training_reached", heads, total > 0)
    for name in _BREAKDOWNS:
        every = codes(table[name], record.vocabulary(name))
        kind = every[rows["row"]]
        for value in np.unique(every) if tally.wants("training_hours", "training_reached") else ():
            some = heads.gather(rows, attended, kind == value)
            tally.add_value("training_hours", name, value, heads, some)
            tally.add_value("training_reached", name, value, heads, some > 0)
    mode = table["mode"].to_numpy(zero_copy_only=False)[rows["row"]]
    weight = np.where(mode == "case", 1.0, np.where(mode == "mixed", 0.5, 0.0))
    tally.add("case_balance", heads, heads.gather(rows, weight * attended), total)
    tally.add("attendance_kept", heads, total, heads.gather(rows, table["hours"].to_numpy()[rows["row"]]))
    if tally.wants("training_rating"):
        rating = table["rating"].to_numpy(zero_copy_only=False).astype(float)[rows["row"]]
        given = ~np.isnan(rating)
        tally.add("training_rating", heads, heads.gather(rows, rating, given), heads.gather(rows, 1.0, given))


def _before(record: Record, tally: Tally, table: dict, hours: np.ndarray) -> None:
    """Tally who was trained in the year before."""
    if not tally.wants("trained_last_year", "new_heads_trained"):
        return
    heads = tally.counted(record.heads, "teacher")
    teacher, day = codes(table["teacher_id"], record.teachers), table["held_on"].to_numpy()
    trained = np.zeros((len(record.teachers), len(record.terms.ids)), bool)
    new = np.zeros_like(trained)
    begun = record.spells.groupby("teacher")["since"].min().reindex(np.arange(len(record.teachers))).to_numpy()
    for term, (first, year_before) in enumerate(zip(record.terms.first, record.terms.year_before, strict=True)):
        there = (teacher >= 0) & (hours > 0) & (day >= year_before) & (day < first)
        trained[teacher[there], term] = True
        new[:, term] = begun >= year_before
    of = (heads["teacher"], heads["term"])
    tally.add("trained_last_year", heads, trained[of])
    tally.add("new_heads_trained", heads, trained[of], new[of])
