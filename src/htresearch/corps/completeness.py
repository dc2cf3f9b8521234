"""Whether a teacher's file is complete: a rule for each part, and what of it is missing.

A rule asks only for what the study keeps at all: of a school year without any appraisal in the study, nobody's file
lacks one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from htresearch.corps.parts import PAID, leading, tier_at
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.study.open import Study

#: What each rule asks for.
RULES: Mapping[str, Text] = {
    "person": Text("teachers 表中每一栏都有内容", "every column of the table of teachers is filled in"),
    "spells": Text("至少一段任职；已结束的任职写明原因", "at least one appointment; an ended one says why it ended"),
    "tiers": Text("每次认定、续认或未通过都有依据的分数", "every accreditation decided on has the score it rests on"),
    "studios": Text("首席班主任主持一个工作室", "a chief head teacher leads a studio"),
    "training": Text(
        "带班的每一学年至少参加一次培训", "at least one training event in every school year of leading a class"
    ),
    "incentives": Text("每笔津贴、绩效和团队激励都有金额", "every allowance, pay and team incentive has its amount"),
    "appraisals": Text("带班的每一学年有一次考核", "an appraisal for every school year of leading a class"),
    "activities": Text(
        "带班的每一学期都有主题班会记录", "a theme meeting on record in every term of leading a class"
    ),
    "outcomes": Text(
        "学期第一天带班的每一学期都有班级结果", "results of the class in every term that began under the teacher"
    ),
}


@dataclass(frozen=True)
class Kept:
    """What a study keeps at all up to a day, so that a file may be asked for it.

    Attributes
    ----------
    terms : pandas.DataFrame
        term_id, school_year, starts_on, ends_on of the terms that had begun; what is dated up to `through`, the last
        day of the holidays after it, belongs to a term.
    years_of_training, years_of_appraisals : frozenset of str
        School years with a training event attended, with an appraisal, of anybody.
    terms_of_meetings : frozenset of str
        Terms with a theme meeting of any class.
    assessed : frozenset of (str, str, int)
        Terms, stages and grades with an assessment that compares wider than a class.
    until : datetime.date
    """

    terms: pd.DataFrame
    years_of_training: frozenset[str]
    years_of_appraisals: frozenset[str]
    terms_of_meetings: frozenset[str]
    assessed: frozenset[tuple[str, str, int]]
    until: date


def kept(study: Study, day: date) -> Kept:
    """Return what a study keeps at all up to a day."""
    if "terms" not in study.tables:
        return Kept(pd.DataFrame(), frozenset(), frozenset(), frozenset(), frozenset(), day)
    terms = study.frame("terms").sort_values("starts_on", ignore_index=True)
    terms = terms.assign(through=terms["starts_on"].shift(-1) - pd.Timedelta(days=1)).fillna(
        {"through": pd.Timestamp(day)}
    )
    terms = terms[terms["starts_on"] <= pd.Timestamp(day)].astype({"term_id": "str"})
    held = _days(study, "training_events", "held_on", day)
    periods = _days(study, "appraisals", "period_to", day)
    meetings = _days(study, "activities", "held_on", day, nw.col("kind") == "theme_meeting")
    years = {
        year: (since, until)
        for year, since, until in terms.groupby("school_year", observed=True)
        .agg(since=("starts_on", "min"), until=("through", "max"))
        .itertuples()
    }
    assessed = frozenset()
    if "assessments" in study.tables:
        rows = study.frame("assessments")
        rows = rows[rows["comparable_within"] != "class"]
        assessed = frozenset(zip(rows["term_id"].astype(str), rows["stage"].astype(str), rows["grade"], strict=True))
    spans = list(zip(terms["term_id"], terms["starts_on"], terms["through"], strict=True))
    return Kept(
        terms,
        frozenset(year for year, (since, until) in years.items() if held.between(since, until).any()),
        frozenset(year for year, (since, until) in years.items() if periods.between(since, until).any()),
        frozenset(term for term, since, until in spans if meetings.between(since, until).any()),
        assessed,
        day,
    )


def _days(study: Study, table: str, column: str, day: date, only: nw.Expr | None = None) -> pd.Series:
    if table not in study.tables:
        return pd.Series(dtype="datetime64[us]")
    rows = study.table(table) if only is None else study.table(table).filter(only)
    days = rows.select(column).unique().collect("pandas").to_native()[column]
    return days[days <= pd.Timestamp(day)]


def judge(own: Mapping[str, pd.DataFrame | None], known: Kept) -> pd.DataFrame:
    """Return a row for each part: rule, expected, found, missing and state."""
    rows = []
    for part, rule in RULES.items():
        if own[part] is None:
            rows.append((part, rule, pd.NA, pd.NA, "", "not_kept"))
            continue
        due, there = _DUE[part](own, known)
        missing = [one for one in due if one not in there]
        found = len(due) - len(missing)
        state = "nothing_due" if not due else "complete" if not missing else "partial" if found else "missing"
        rows.append((part, rule, len(due), found, ", ".join(missing), state))
    frame = pd.DataFrame(rows, columns=["part", "rule", "expected", "found", "missing", "state"])
    return frame.astype({"expected": "Int64", "found": "Int64"})


# --- what is due, and what is there ---------------------------------------------------------------------------------

Due = tuple[list[str], set[str]]


def _person(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    row = own["person"].iloc[0]
    return list(row.index), set(row.index[row.notna() & (row.astype(str) != "")])


def _spells(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    spells = own["spells"]
    if not len(spells):
        return ["appointments"], set()
    ended = spells[spells["ends_on"].notna()]
    named = [f"{c} {day:%Y-%m-%d}" for c, day in zip(ended["class_id"], ended["ends_on"], strict=True)]
    said = [name for name, why in zip(named, ended["reason_ended"], strict=True) if not pd.isna(why)]
    return ["appointments", *named], {"appointments", *said}


def _tiers(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    tiers = own["tiers"]
    decided = tiers[tiers["decision"].isin(["accredited", "renewed", "not_accredited"])]
    named = [f"{t} {day:%Y-%m-%d}" for t, day in zip(decided["tier"], decided["effective_on"], strict=True)]
    return named, {name for name, score in zip(named, decided["basis_score"], strict=True) if not pd.isna(score)}


def _studios(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    if tier_at(own.get("tiers"), known.until) != "chief":
        return [], set()
    studios = own["studios"]
    return ["lead"], set(studios["part"].astype(str)) if len(studios) else set()


def _terms_led(own: Mapping[str, pd.DataFrame], known: Kept) -> pd.DataFrame:
    """Return the terms in which a class was led on any day."""
    terms, spells = known.terms, own.get("spells")
    if spells is None or not len(spells) or not len(terms):
        return terms.iloc[:0]
    led = leading(spells)
    starts, ends = led["starts_on"].to_numpy(), led["ends_on"].fillna(known.terms["through"].max()).to_numpy()
    first, last = terms["starts_on"].to_numpy()[:, None], terms["ends_on"].to_numpy()[:, None]
    return terms[((starts <= last) & (ends >= first)).any(axis=1)]


def _years_led(own: Mapping[str, pd.DataFrame], known: Kept) -> list[str]:
    led = _terms_led(own, known)
    return list(dict.fromkeys(led["school_year"].astype(str))) if len(led) else []


def _within(days: pd.Series, year: str, known: Kept) -> bool:
    terms = known.terms[known.terms["school_year"] == year]
    return bool(days.between(terms["starts_on"].min(), terms["through"].max()).any())


def _training(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    due = [year for year in _years_led(own, known) if year in known.years_of_training]
    training = own["training"]
    return due, {year for year in due if len(training) and _within(training["held_on"], year, known)}


def _incentives(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    granted = own["incentives"]
    paid = granted[granted["kind"].isin(PAID)]
    named = [f"{kind} {day:%Y-%m-%d}" for kind, day in zip(paid["kind"], paid["granted_on"], strict=True)]
    return named, {name for name, yuan in zip(named, paid["amount_yuan"], strict=True) if not pd.isna(yuan)}


def _appraisals(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    due = [year for year in _years_led(own, known) if year in known.years_of_appraisals]
    rows = own["appraisals"]
    return due, {year for year in due if len(rows) and _within(rows["period_to"], year, known)}


def _activities(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    led = _terms_led(own, known)
    due = [term for term in led["term_id"] if term in known.terms_of_meetings] if len(led) else []
    rows = own["activities"]
    return due, set(rows.loc[rows["kind"] == "theme_meeting", "term_id"].astype(str)) if len(rows) else set()


def _outcomes(own: Mapping[str, pd.DataFrame], known: Kept) -> Due:
    spells, terms = own.get("spells"), known.terms
    if spells is None or not len(spells) or not len(terms):
        return [], set()
    rows = leading(spells).merge(
        terms[terms["ends_on"] <= pd.Timestamp(known.until)], how="cross", suffixes=("", "_t")
    )
    eve = rows["starts_on_t"] - pd.Timedelta(days=1)
    rows = rows[(rows["starts_on"] <= eve) & (rows["ends_on"].isna() | (rows["ends_on"] >= eve))]
    grade = rows["entry_grade"] + rows["school_year"].str[:4].astype(int) - rows["entry_year"]
    of = zip(rows["term_id"], rows["stage"].astype(str), grade, strict=True)
    due = dict.fromkeys(term for term, stage, g in of if (term, stage, g) in known.assessed)
    return list(due), set(own["outcomes"]["term_id"].astype(str))


_DUE: Mapping[str, Callable[[Mapping[str, pd.DataFrame], Kept], Due]] = {
    "person": _person,
    "spells": _spells,
    "tiers": _tiers,
    "studios": _studios,
    "training": _training,
    "incentives": _incentives,
    "appraisals": _appraisals,
    "activities": _activities,
    "outcomes": _outcomes,
}
