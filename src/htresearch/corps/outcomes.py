"""Outcomes: what is assessed, how far classes and schools lie apart, and the weakest pupils."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from htresearch.corps.record import Record, codes, read
from htresearch.corps.tally import Counted, Tally
from htresearch.language import Text
from htresearch.study.scores import pupil_scores

DOMAINS = ("moral", "academic", "physical", "aesthetic", "labour")
#: The weakest pupils have a prior score of at most this.
WEAK = -1.0
_ON_SCORES = ("class_spread", "school_spread", "weakest_progress")
_NO_RESULTS = Text(
    "本研究没有 outcomes 表，也没有 class_outcomes 表", "the study has neither outcomes nor class_outcomes"
)
_NOT_COMPARABLE = Text(
    "没有一个测评项目可在全区比较且不由班主任评定",
    "no measure compares across the district without being rated by the head teacher",
)
_ONE_SCHOOL = Text("一个单位只有一所学校", "the unit is one school")


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
    measures = record.kept("measures", lambda: _measures(record))
    if not measures:
        for name in _ON_SCORES:
            tally.refuse(name, _NOT_COMPARABLE)
        return
    tally.values["measure"] = measures
    made = record.kept("scores", lambda: _scored(record, measures))
    _spread(tally, "class_spread", made["class"])
    if tally.level.name == "school":
        tally.refuse("school_spread", _ONE_SCHOOL)
    _spread(tally, "school_spread", made["school"])
    if len(made["weak"]):
        weak = Counted(made["weak"], "pupil", tally.level)
        tally.add("weakest_progress", weak, weak["gained"])


def _coverage(record: Record, tally: Tally) -> None:
    classes = Counted(record.of_term, "class", tally.level)
    covered = record.kept("covered", lambda: _covered(record))
    tally.add("outcome_coverage", classes, sum(covered.values())[classes.first], len(DOMAINS))
    for domain, there in covered.items():
        value = record.vocabulary("domain").index(domain)
        tally.add_value("outcome_coverage", "domain", value, classes, there[classes.first])


def _covered(record: Record) -> dict[str, np.ndarray]:
    """Tell for each class of `of_term` whether the term has a result of each domain."""
    study = record.study
    asked = study.table("assessments").filter(nw.col("domain").is_in(list(DOMAINS)))
    asked = asked.filter(nw.col("term_id").is_in(record.terms.ids)).select("assessment_id", "term_id", "domain")
    found, key = [], ("class_id", "term_id", "domain")
    if {"outcomes", "enrolments"} <= set(study.tables):
        there = study.table("outcomes").filter(nw.col("status") == "present").select("assessment_id", "student_id")
        there = there.join(asked, on="assessment_id").join(record.enrolled(), on=["student_id", "term_id"])
        found.append(there.select(*key).unique())
    if "class_outcomes" in study.tables:
        means = study.table("class_outcomes").filter(nw.col("n") > 0).join(asked, on="assessment_id")
        found.append(means.select(*key))
    rows = read(nw.concat(found).unique().with_columns(there=nw.lit(1)))
    table = pa.table(rows)
    of_domain = {domain: table.filter(pc.equal(table["domain"], domain)) for domain in DOMAINS}
    return {
        domain: record.beside({c: part[c].combine_chunks() for c in part.column_names}, "there")
        for domain, part in of_domain.items()
    }


def _measures(record: Record) -> list[str]:
    """Return the measures that compare across the district and that no head teacher rates."""
    rows = record.study.table("assessments").select("measure", "comparable_within", "rated_by")
    frame = rows.unique().collect("pandas").to_native()
    narrow = frame[(frame["comparable_within"] != "district") | (frame["rated_by"] == "head_teacher")]
    return sorted(set(frame["measure"]) - set(narrow["measure"]))


def _scored(record: Record, measures: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return class means, school means, and the weakest pupils, of all measures."""
    parts = [_of_measure(record, number, measure) for number, measure in enumerate(measures)]
    made = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    if len(made["weak"]):
        # A pupil's measure is one; the same pupil may be weak in another.
        pupil = pd.factorize(made["weak"]["student"] + " " + made["weak"]["measure"].astype(str))[0]
        made["weak"] = made["weak"].drop(columns="student").assign(pupil=pupil)
    return made


def _of_measure(record: Record, number: int, measure: str) -> dict[str, pd.DataFrame]:
    study, terms = record.study, record.terms
    index = record.calendar.select("term_id", "term_index")
    scores = pupil_scores(study, measure, "district", index).filter(~nw.col("score").is_null())
    scores = scores.select("student_id", "term_id", "score").join(index, on="term_id")
    scores = scores.with_columns(prior=nw.col("score").shift(1).over("student_id", order_by="term_index"))
    of_term = record.of_term
    grades = pd.DataFrame(
        {
            "class_id": record.classes["ids"].take(pa.array(of_term["class"])).to_pandas(),
            "term_id": np.array(terms.ids, object)[of_term["term"]],
            "school": of_term["school"],
            "grade": of_term["grade"],
        }
    )
    rows = (
        record.enrolled()
        .unique()
        .join(study.store.lend(grades), on=["class_id", "term_id"])
        .join(scores.drop("term_index"), on=["student_id", "term_id"])
    )
    means = rows.group_by("class_id", "term_id", "school", "grade").agg(nw.col("score").sum(), n=nw.len())
    weak = rows.filter(nw.col("prior") <= WEAK).with_columns(
        gained=nw.when(nw.col("score") > nw.col("prior")).then(nw.lit(1)).otherwise(nw.lit(0))
    )
    weak = weak.select("student_id", "term_id", "school", "gained").unique()
    of_class = _frame(record, means, number)
    of_school = of_class.groupby(["term", "measure", "school", "grade"], as_index=False)[["score", "n"]].sum()
    return {
        "class": of_class.assign(mean=of_class["score"] / of_class["n"]),
        "school": of_school.assign(mean=of_school["score"] / of_school["n"]),
        "weak": _frame(record, weak, number),
    }


def _frame(record: Record, lazy: nw.LazyFrame, measure: int) -> pd.DataFrame:
    table = read(lazy)
    frame = pd.DataFrame({"term": codes(table["term_id"], record.terms.ids), "measure": measure})
    for name in ("school", "grade", "score", "n", "gained"):
        if name in table:
            frame[name] = table[name].to_numpy(zero_copy_only=False)
    return frame.assign(student=table["student_id"].to_pandas()) if "student_id" in table else frame


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
