"""Outcomes: what is assessed, how far classes and schools lie apart, and the weakest pupils."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Executor

import narwhals as nw
import numpy as np
import pandas as pd

from htresearch.corps.record import Record, coded, enrolled, read
from htresearch.corps.results import DOMAINS, assessments, measures, results, standard_scores
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text

#: The weakest pupils have a prior score of at most this.
WEAK = -1.0
#: Scores that differ by less are the same, but for rounding.
_SAME = 1e-9
_ON_SCORES = ("class_spread", "school_spread", "weakest_progress")
_NO_RESULTS = Text(
    "本研究没有 outcomes 表，也没有 class_outcomes 表", "the study has neither outcomes nor class_outcomes"
)
_NOT_COMPARABLE = Text(
    "没有一个测评项目可在全区比较且不由班主任评定",
    "no measure compares across the district without being rated by the head teacher",
)
_ONE_SCHOOL = Text("一个单位只有一所学校", "the unit is one school")


def begin_results(record: Record, pool: Executor, wanted: Collection[str]) -> None:
    """Begin to read the results of pupils, if they are needed: it takes longest, and the rest can go on beside it."""
    tables = {"assessments", "outcomes", "enrolments"}
    if tables <= set(record.study.tables) and not {"outcome_coverage", *_ON_SCORES}.isdisjoint(wanted):
        _ = record.terms, record.classes, assessments(record), measures(record)
        record.begin("enrolled", pool, lambda: enrolled(record))
        record.begin("results", pool, lambda: results(record))


def outcomes(record: Record, tally: Tally) -> None:
    """Tally coverage of the domains, spreads and the progress of the weakest."""
    tables = set(record.study.tables)
    if "assessments" not in tables:
        return
    if not {"outcomes", "class_outcomes"} & tables or ("class_outcomes" not in tables and "enrolments" not in tables):
        tally.refuse("outcome_coverage", _NO_RESULTS)
    if tally.wants("outcome_coverage"):
        _coverage(record, tally)
    if not {"outcomes", "enrolments"} <= tables or not tally.wants(*_ON_SCORES):
        return
    if not measures(record):
        for name in _ON_SCORES:
            tally.refuse(name, _NOT_COMPARABLE)
        return
    tally.values["measure"] = measures(record)
    made = record.kept("scores", lambda: _scored(record))
    _spread(tally, "class_spread", made["class"])
    if tally.level.name == "school":
        tally.refuse("school_spread", _ONE_SCHOOL)
    _spread(tally, "school_spread", made["school"])
    if len(made["weak"]):
        weak = Counted(made["weak"], "pupil", tally.level)
        tally.add("weakest_progress", weak, weak["gained"])


def _coverage(record: Record, tally: Tally) -> None:
    classes = tally.counted(record.of_term, "class")
    covered = record.kept("covered", lambda: _covered(record))
    tally.add("outcome_coverage", classes, covered.sum(axis=0)[classes.first], len(DOMAINS))
    for domain, there in zip(DOMAINS, covered, strict=True):
        value = record.vocabulary("domain").index(domain)
        tally.add_value("outcome_coverage", "domain", value, classes, there[classes.first])


def _covered(record: Record) -> np.ndarray:
    """Tell for each domain and class of `of_term` whether the term has a result of it."""
    study = record.study
    covered = np.zeros((len(DOMAINS), len(record.of_term)), bool)
    if {"outcomes", "enrolments"} <= set(study.tables):
        for (term, domain), present in record.kept("results", lambda: results(record)).present.items():
            student, group = record.enrolled.there[term]
            place = record.place[term, group[present[student]]]
            covered[domain, place[place >= 0]] = True
    if "class_outcomes" in study.tables:
        about = assessments(record)
        means = study.table("class_outcomes").filter(nw.col("n") > 0).select("assessment_id", "class_id")
        known = {"assessment_id": about["id"], "class_id": record.classes["ids"]}
        table = read(coded(study.store, means, **known))
        term, domain = (about[name].to_numpy()[table["assessment_id"]] for name in ("term", "domain"))
        asked = (term >= 0) & (domain >= 0)
        place = record.place[term[asked], table["class_id"].to_numpy()[asked]]
        covered[domain[asked][place >= 0], place[place >= 0]] = True
    return covered


def _scored(record: Record) -> dict[str, pd.DataFrame]:
    """Return class means, school means, and the weakest pupils, of all measures."""
    made: dict[str, list[pd.DataFrame]] = {"class": [], "weak": []}
    for term, measure, score, prior in standard_scores(record):
        student, group = record.enrolled.there[term]
        place, scored = record.place[term, group], score[student]
        ours = (place >= 0) & ~np.isnan(scored)
        student, place, scored = student[ours], place[ours], scored[ours]
        sums = {
            "score": np.bincount(place, scored, len(record.of_term)),
            "n": np.bincount(place, None, len(record.of_term)),
        }
        classes = record.of_term[["term", "school", "grade"]].assign(measure=measure, **sums)
        made["class"].append(classes[classes["n"] > 0])
        weak = np.flatnonzero(prior[student] <= WEAK)
        pupils = {
            "pupil": student[weak].astype(np.int64) * len(measures(record)) + measure,
            "school": record.of_term["school"].to_numpy()[place[weak]],
            "gained": scored[weak] - prior[student[weak]] > _SAME,
        }
        made["weak"].append(pd.DataFrame(pupils).assign(term=term, measure=measure))
    of_class, weak = (pd.concat(made[name], ignore_index=True) for name in ("class", "weak"))
    of_school = of_class.groupby(["term", "measure", "school", "grade"], as_index=False)[["score", "n"]].sum()
    means = {"class": of_class, "school": of_school}
    return {name: frame.assign(mean=frame["score"] / frame["n"]) for name, frame in means.items()} | {"weak": weak}


def _spread(tally: Tally, name: str, means: pd.DataFrame) -> None:
    """Tally the squared deviations of means from those of their unit, measure and grade."""
    unit = tally.level.of_school[means["school"].to_numpy()]
    frame = means.assign(cell=means["term"] * len(tally.level.ids) + unit)[unit >= 0]
    by = ["cell", "measure", "grade"]
    centred = frame["mean"] - frame.groupby(by)["mean"].transform("mean")
    frame = frame.assign(x=centred**2, m=1.0, n=1.0)
    sums = frame.groupby(by, as_index=False).agg(x=("x", "sum"), m=("m", "sum"), n=("n", "sum"))
    sums["m"] -= 1
    sums = sums[sums["m"] > 0].drop(columns="grade")
    sums = sums.groupby(["cell", "measure"], as_index=False).sum().rename(columns={"measure": "value"})
    schools = frame.groupby("cell")["school"].nunique()
    tally.add_spread(name, sums.assign(schools=schools.reindex(sums["cell"]).to_numpy()))
