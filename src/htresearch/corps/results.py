"""The results of pupils, read in one pass: who was assessed in what, and standard scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from htresearch.corps.record import Record, coded
from htresearch.study.scores import results_of

DOMAINS = ("moral", "academic", "physical", "aesthetic", "labour")


@dataclass(frozen=True)
class Results:
    """What one pass over the results of pupils keeps.

    Attributes
    ----------
    present : dict
        By term asked for and place in `DOMAINS`: whether each pupil was present in an assessment.
    values : dict
        By measure and term of the study (from 0): the codes of pupils (-1 for one who never was in a class), of
        assessments, and the values.
    """

    present: dict[tuple[int, int], np.ndarray]
    values: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


def assessments(record: Record) -> pd.DataFrame:
    """Return the assessments: id, scale, better, and codes (-1 for none) of term, domain, measure.

    `term` is among those asked for, `time` among all of the study; a measure has a code if it compares.
    """

    def made() -> pd.DataFrame:
        frame = record.study.table("assessments").sort("assessment_id").collect("pandas").to_native()
        every = record.calendar.sort("term_index").collect("pandas").to_native()["term_id"]
        known = {"term": record.terms.ids, "time": every, "domain": DOMAINS, "measure": measures(record)}
        columns = {"term": "term_id", "time": "term_id", "domain": "domain", "measure": "measure"}
        codes = {name: pd.Index(known[name]).get_indexer(frame[column]) for name, column in columns.items()}
        return pd.DataFrame(
            {"id": frame["assessment_id"], "scale": frame["scale"], "better": frame["better"], **codes}
        )

    return record.kept("assessments", made)


def measures(record: Record) -> list[str]:
    """Return the measures that compare across the district and that no head teacher rates."""

    def made() -> list[str]:
        rows = record.study.table("assessments").select("measure", "comparable_within", "rated_by")
        frame = rows.unique().collect("pandas").to_native()
        narrow = frame[(frame["comparable_within"] != "district") | (frame["rated_by"] == "head_teacher")]
        return sorted(set(frame["measure"]) - set(narrow["measure"]))

    return record.kept("measures", made)


def results(record: Record) -> Results:
    """Read the results of pupils, a part of the table at a time, by a connection of its own."""
    about = assessments(record)
    covered = _numbered(about["term"], about["domain"])
    scored = _numbered(about["measure"], about["time"])
    asked = about.loc[(covered[0] >= 0) | (scored[0] >= 0), ["id", "scale", "better"]]
    asked = asked.rename(columns={"id": "assessment_id"}).assign(assessment=asked.index.astype(np.int32))
    store, students = record.study.store.apart(), record.enrolled.students
    lent = store.lend(pa.Table.from_pandas(asked, _SCHEMA, preserve_index=False))
    rows = results_of(replace(record.study, store=store), lent).select("student_id", "assessment", "value")
    rows = coded(store, rows, student_id=students).select("student_id", "assessment", "value")
    present = np.zeros((len(covered[1]), len(students)), bool)
    parts: list[list[tuple[np.ndarray, ...]]] = [[] for _ in scored[1]]
    for batch in store.batches(rows):
        student, assessment, value = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
        which = covered[0][assessment]
        known = np.flatnonzero((student >= 0) & (which >= 0))
        present[which[known], student[known]] = True
        which = np.where(np.isnan(value), -1, scored[0][assessment])
        for one in np.flatnonzero(np.bincount(which + 1, minlength=1)[1:]):
            here = np.flatnonzero(which == one)
            parts[one].append((student[here], assessment[here], value[here]))
    values = {
        key: tuple(map(np.concatenate, zip(*several, strict=True)))
        for key, several in zip(scored[1], parts, strict=True)
        if several
    }
    return Results(dict(zip(covered[1], present, strict=True)), values)


def _numbered(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Number the pairs of codes that occur, -1 where a code is; return each row's number, and the pairs."""
    pairs = list(zip(first, second, strict=True))
    known = {pair: number for number, pair in enumerate(sorted({pair for pair in pairs if min(pair) >= 0}))}
    return np.array([known.get(pair, -1) for pair in pairs], np.int64), list(known)


_SCHEMA = pa.schema(
    {"assessment_id": pa.string(), "scale": pa.string(), "better": pa.string(), "assessment": pa.int32()}
)


def standard_scores(record: Record) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Give for each measure and term asked for (their codes) every pupil's score and that of the latest term before.

    A score is the mean over the term's assessments of the measure, each with mean 0 and SD 1; missing where there is
    none, or where all results of an assessment are equal.
    """
    found, count = record.kept("results", lambda: results(record)), len(record.enrolled.students)
    about = assessments(record)
    asked = dict(zip(about["time"], about["term"], strict=True))
    for measure in range(len(measures(record))):
        prior = np.full(count, np.nan)
        for time in sorted(time for which, time in found.values if which == measure):
            score = _standardised(*found.values[measure, time], count)
            if asked[time] >= 0:
                yield asked[time], measure, score, prior
            prior = np.where(np.isnan(score), prior, score)


def _standardised(student: np.ndarray, assessment: np.ndarray, value: np.ndarray, count: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):  # of assessments that are not these, or of one pupil
        n = np.bincount(assessment)
        away = value - (np.bincount(assessment, value) / n)[assessment]
        spread = np.sqrt(np.bincount(assessment, away * away) / (n - 1))
        any_value = np.zeros(len(n))
        any_value[assessment] = value
        # Of equal values, rounding errors may leave a standard deviation.
        differ = np.bincount(assessment, value != any_value[assessment]) > 0
        ours = (student >= 0) & differ[assessment]
        z = away[ours] / spread[assessment[ours]]
        return np.bincount(student[ours], z, count) / np.bincount(student[ours], None, count)
