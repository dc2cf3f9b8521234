"""The parts of a teacher's file, each for several teachers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from htresearch.study.exposures import DIMENSIONS, LEADS

if TYPE_CHECKING:
    from htresearch.corps.archive import Archive
    from htresearch.study.open import Study

#: Kinds of incentive that are honours, not money or a post.
COMMENDATIONS = ("honour", "annual_excellent")
#: Kinds of incentive that are an amount of money.
PAID = ("head_teacher_allowance", "performance_pay", "class_team")
#: The column that dates a row, by table.
DATED = {
    "appointments": "starts_on",
    "tiers": "effective_on",
    "studio_members": "joined_on",
    "training_events": "held_on",
    "incentives": "granted_on",
    "appraisals": "decided_on",
    "activities": "held_on",
}


def last_day(study: Study) -> date:
    """Return the last day on record: of the terms, or of anything dated."""
    dated = {"terms": "ends_on", **DATED}
    days = [
        study.table(table).select(nw.col(column).max()).collect("pandas").to_native().iloc[0, 0]
        for table, column in dated.items()
        if table in study.tables
    ]
    return max((pd.Timestamp(day) for day in days if not pd.isna(day)), default=pd.Timestamp.now()).date()


def of_teacher(rows: pd.DataFrame, teacher_id: str) -> pd.DataFrame:
    """Return the rows of one teacher, numbered anew."""
    return rows[rows["teacher_id"] == teacher_id].drop(columns="teacher_id").reset_index(drop=True)


def leading(spells: pd.DataFrame) -> pd.DataFrame:
    """Return the spells of those who lead a class: head teachers and acting ones."""
    return spells[spells["role"].isin(LEADS)]


def at(spells: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the spells in force on a day; the last day of a spell still counts."""
    day = pd.Timestamp(day)
    return spells[(spells["starts_on"] <= day) & (spells["ends_on"].isna() | (spells["ends_on"] >= day))]


def schools_of(spells: pd.DataFrame | None, day: date) -> dict[str, tuple[str, ...]]:
    """Return by teacher the schools of the classes led on a day; of the class led last, if none."""
    if spells is None or not len(spells):
        return {}
    led = leading(spells)
    last = led.sort_values(["starts_on", "class_id"]).groupby("teacher_id", observed=True)["school_id"].last()
    now = at(led, day).groupby("teacher_id", observed=True)["school_id"].unique()
    return {teacher: (school,) for teacher, school in last.items()} | {
        teacher: tuple(sorted(schools)) for teacher, schools in now.items()
    }


# --- parts ----------------------------------------------------------------------------------------------------------


def _of(study: Study, table: str, ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a table on these teachers."""
    rows = study.table(table).filter(nw.col("teacher_id").is_in(list(ids))).collect("pandas").to_native()
    columns = study.store.schema.tables[table].columns
    return study.categorical(rows, {c.name: c.vocabulary for c in columns if c.vocabulary})


def _dated(rows: pd.DataFrame, column: str, day: date, then: Sequence[str] = ()) -> pd.DataFrame:
    """Keep the rows up to a day, in the order of time."""
    kept = rows[rows[column] <= pd.Timestamp(day)]
    return kept.sort_values(["teacher_id", column, *then], ignore_index=True)


def _ended(rows: pd.DataFrame, column: str, day: date) -> pd.Series:
    """Return ends of spells; one that lies after the day is not known yet."""
    return rows[column].where(rows[column] <= pd.Timestamp(day))


def _person(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    return _of(study, "teachers", ids)


def _spells(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    spells = _dated(_of(study, "appointments", ids), "starts_on", day, ["class_id", "role"])
    classes = study.frame("classes")[["class_id", "school_id", "stage", "entry_year", "entry_grade", "class_no"]]
    ended = _ended(spells, "ends_on", day)
    return spells.assign(ends_on=ended, reason_ended=spells["reason_ended"].where(ended.notna())).merge(
        classes, on="class_id", how="left"
    )


def _tiers(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    return _dated(_of(study, "tiers", ids), "effective_on", day, ["tier", "awarded_by"])


def _studios(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    member = _of(study, "studio_members", ids).assign(part="member")
    studios = study.frame("studios").rename(columns={"lead_teacher_id": "teacher_id", "opened_on": "joined_on"})
    led = studios[studios["teacher_id"].isin(list(ids))].assign(part="lead", left_on=pd.NaT)
    rows = pd.concat([frame for frame in (led, member) if len(frame)] or [member], ignore_index=True)
    rows = _dated(rows, "joined_on", day, ["studio_id"])
    rows = rows.assign(left_on=_ended(rows.astype({"left_on": "datetime64[us]"}), "left_on", day))
    return rows[["teacher_id", "studio_id", "part", "joined_on", "left_on"]]


def _training(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    events = study.frame("training_events")
    rows = _dated(_of(study, "attendance", ids).merge(events, on="event_id"), "held_on", day, ["event_id"])
    if "terms" in study.tables:
        rows = rows.assign(term_id=_term_of(study, rows["held_on"]))
    return rows


def _incentives(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    return _dated(_of(study, "incentives", ids), "granted_on", day, ["kind", "level"])


def _appraisals(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    rows = _dated(_of(study, "appraisals", ids), "decided_on", day, ["kind", "period_from"])
    return rows.assign(followed_up_on=_ended(rows, "followed_up_on", day))


def _activities(study: Study, ids: Sequence[str], day: date) -> pd.DataFrame:
    """Count what the classes did while the teacher led them, by class, term and kind."""
    led = leading(_spells(study, ids, day))
    held = study.table("activities").filter(nw.col("class_id").is_in(sorted(set(led["class_id"]))))
    held = held.collect("pandas").to_native()
    held = held[held["held_on"] <= pd.Timestamp(day)]
    held = held.assign(term_id=_term_of(study, held["held_on"])).reset_index(names="_row")
    rows = held.merge(led[["teacher_id", "class_id", "starts_on", "ends_on"]], on="class_id")
    inside = (rows["held_on"] >= rows["starts_on"]) & (rows["ends_on"].isna() | (rows["held_on"] <= rows["ends_on"]))
    rows = rows[inside].drop_duplicates(["teacher_id", "_row"])
    by = ["teacher_id", "class_id", "term_id", "kind"]
    counted = rows.groupby(by, observed=True, dropna=False).agg(
        n=("held_on", "size"), participants=("participants", lambda p: p.sum(min_count=1))
    )
    return study.categorical(counted.reset_index(), {"kind": "activity"})


def _term_of(study: Study, days: pd.Series) -> pd.Series:
    """Return the term in which, or in the holidays after which, each day lies; none before the first term."""
    terms = study.frame("terms").sort_values("starts_on", ignore_index=True)
    place = terms["starts_on"].searchsorted(days, side="right") - 1
    names = pd.Series(terms["term_id"].astype("object"))
    return pd.Series([names[i] if i >= 0 else None for i in place], index=days.index, dtype="object")


MAKERS: Mapping[str, Callable[[Study, Sequence[str], date], pd.DataFrame]] = {
    "person": _person,
    "spells": _spells,
    "tiers": _tiers,
    "studios": _studios,
    "training": _training,
    "incentives": _incentives,
    "appraisals": _appraisals,
    "activities": _activities,
}


# --- of the parts together ------------------------------------------------------------------------------------------


def hours_by(training: pd.DataFrame) -> pd.DataFrame:
    """Return hours attended by each kind of event and by term."""
    by = [c for c in (*DIMENSIONS, "term_id") if c in training]
    sums = [
        training.groupby(c, observed=True)["hours_attended"].sum().rename("hours").rename_axis("value").reset_index()
        for c in by
    ]
    frames = [frame.astype({"value": "str"}).assign(by=c) for c, frame in zip(by, sums, strict=True)]
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["by", "value", "hours"])
    return rows[["by", "value", "hours"]]


#: How a part's rows stand on the time line: since, until, kind and detail; studios' and classes' ids are details.
_LINES = {
    "spells": ("starts_on", "ends_on", "role", "class_id"),
    "tiers": ("effective_on", "ends_on", "decision", "tier"),
    "studios": ("joined_on", "left_on", "part", "studio_id"),
    "training": ("held_on", None, "theme", "hours_attended"),
    "incentives": ("granted_on", None, "kind", "level"),
    "appraisals": ("decided_on", None, "kind", "result"),
}


def dated(found: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """Return everything dated in the order of time."""
    frames = []
    for part, (since, until, kind, detail) in _LINES.items():
        rows = found.get(part)
        if rows is None or not len(rows):
            continue
        frames.append(
            pd.DataFrame(
                {
                    "part": part,
                    "since": rows[since],
                    "until": rows[until] if until else rows[since],
                    "kind": rows[kind].astype("object"),
                    "detail": rows[detail].astype("object"),
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=["part", "since", "until", "kind", "detail"])
    return pd.concat(frames, ignore_index=True).sort_values(["since", "part"], kind="stable", ignore_index=True)


def summary(file: Archive) -> dict[str, object]:
    """Return one row about a file: what it amounts to."""
    spells, training, day = file["spells"], file["training"], pd.Timestamp(file.until)
    led = leading(spells) if len(spells) else spells
    appraisals = file["appraisals"]
    year = training[training["held_on"] > day - pd.DateOffset(years=1)] if len(training) else training
    honours = file["incentives"]
    due = file.completeness[~file.completeness["state"].isin(["not_kept", "nothing_due"])]
    return {
        "teacher_id": file.teacher_id,
        "until": day,
        "tier": tier_at(file.parts["tiers"], file.until),
        "n_classes": led["class_id"].nunique() if len(led) else 0,
        "head_teacher_years": _years(led, day),
        "training_hours": float(training["hours_attended"].sum()) if len(training) else 0.0,
        "training_hours_last_year": float(year["hours_attended"].sum()) if len(year) else 0.0,
        "n_commendations": int(honours["kind"].isin(COMMENDATIONS).sum()) if len(honours) else 0,
        "last_appraisal_result": str(appraisals["result"].iloc[-1]) if len(appraisals) else None,
        "parts_complete": int((due["state"] == "complete").sum()),
        "parts_due": len(due),
    }


def tier_at(tiers: pd.DataFrame | None, day: date) -> str | None:
    """Return the highest tier in force on a day, as the panels count it; None where the study keeps no tiers."""
    if tiers is None:
        return None
    names, bodies = list(tiers["tier"].cat.categories), list(tiers["awarded_by"].cat.categories)
    made = tiers[(tiers["decision"] != "not_accredited") & (tiers["effective_on"] <= pd.Timestamp(day))]
    made = made.assign(_body=made["awarded_by"].map(bodies.index).astype(int)).sort_values(["effective_on", "_body"])
    last = made.drop_duplicates("tier", keep="last")
    held = last[
        last["decision"].isin(["accredited", "renewed"])
        & (last["ends_on"].isna() | (last["ends_on"] >= pd.Timestamp(day)))
    ]
    return max(held["tier"].astype(str), key=names.index, default="ordinary")


def _years(led: pd.DataFrame, day: pd.Timestamp) -> float:
    """Return the years of leading a class up to a day; two classes at once count once."""
    days: set[int] = set()
    for since, until in zip(led["starts_on"], led["ends_on"].fillna(day), strict=True) if len(led) else ():
        days |= set(range(since.toordinal(), min(until, day).toordinal() + 1))
    return len(days) / 365.25
