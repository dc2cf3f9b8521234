"""What a monitoring centre publishes in a year, released in order by the rules for the public: how much is refused.

Run ``python benchmarks/release_year.py [TABLES]`` (all of them unless told); it writes ``release_year.csv`` line by
line: the cells of each table, those that are unsafe by themselves, those that are hidden, and why it was refused.
"""

import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import htresearch as ht
from htresearch.disclosure import RefusedError, Release, tabulate

HERE = Path(__file__).parent
TERMS = ("2023-1", "2023-2")
COLUMNS = ("name", "cells", "unsafe", "hidden", "refused", "reason", "seconds")


def year(study: ht.study.Study) -> Iterator[tuple[str, pd.DataFrame, dict]]:
    """Give the tables of a year: a name, the data and what `tabulate` is asked for."""
    heads, pupils = study.class_terms(measure="maths"), study.student_terms(measure="maths")
    for term in TERMS:
        now = heads[heads["term_id"] == term].drop_duplicates("teacher_id")
        children = pupils[pupils["term_id"] == term]
        yield f"{term} head teachers by school type", now, {"rows": "school_type"}
        yield f"{term} tier by school type", now, {"rows": "school_type", "columns": "tier"}
        yield f"{term} tier by stage", now, {"rows": "stage", "columns": "tier"}
        yield f"{term} tier by zone", now, {"rows": "zone_id", "columns": "tier"}
        for level in ("school", "zone", "district"):
            hours = {"value": f"training_hours_level_{level}", "statistic": "mean"}
            yield f"{term} training hours of the {level} by zone", now, {"rows": "zone_id", **hours}
        hours = {"value": "training_hours", "statistic": "mean"}
        yield f"{term} training hours by tier", now, {"rows": "tier", **hours}
        yield f"{term} training hours by school type", now, {"rows": "school_type", **hours}
        yield (
            f"{term} studio members by school type",
            now,
            {
                "rows": "school_type",
                "value": "studio_member",
                "statistic": "percentage",
            },
        )
        yield f"{term} pupils by school", children, {"rows": ["zone_id", "school_id"]}
        yield f"{term} pupils by grade and sex", children, {"rows": ["stage", "grade"], "columns": "sex"}
        yield f"{term} boarders by school type", children, {"rows": "school_type", "columns": "boarding"}
        score = {"value": "score", "statistic": "mean"}
        yield f"{term} score by stage", children, {"rows": "stage", **score}
        yield f"{term} score by stage and sex", children, {"rows": "stage", "columns": "sex", **score}
        yield f"{term} score by zone", children, {"rows": "zone_id", **score}
        yield f"{term} score by tier of the head teacher", children, {"rows": "tier", **score}
        yield f"{term} spread of scores by stage", children, {"rows": "stage", "value": "score", "statistic": "sd"}
        middle = {"value": "score", "statistic": "median"}
        yield f"{term} middle score by school type", children, {"rows": "school_type", **middle}
    both = heads[heads["term_id"].isin(TERMS)].drop_duplicates(["teacher_id", "term_id"])
    yield "the year: tier by term", both, {"rows": "term_id", "columns": "tier"}
    yield (
        "the year: training hours by term",
        both,
        {"rows": "term_id", "value": "training_hours", "statistic": "mean"},
    )
    judged = study.frame("appraisals")
    judged = judged[(judged["kind"] == "head_teacher") & (judged["decided_on"].dt.year == 2023)]
    judged = judged.merge(both.drop_duplicates("teacher_id"), on="teacher_id").drop_duplicates("teacher_id")
    yield "the year: appraisal by school type", judged, {"rows": "school_type", "columns": "result"}
    total = {"value": "total_score", "statistic": "mean"}
    yield "the year: appraisal score by tier", judged, {"rows": "tier", **total}


def released(release: Release, name: str, data: pd.DataFrame, ask: dict) -> dict:
    """Release a table of the year, and say what became of it."""
    start = time.process_time()
    persons = {} if "student_id" in data else {"person": "teacher_id"}
    table = tabulate(data, **persons, **ask)
    line = {"name": name, "cells": len(table.cells), "refused": False}
    try:
        shown = release.suppress(table, name=name, seconds=2)
        line |= {"unsafe": int(shown.primary.sum()), "hidden": int(shown.suppressed.sum())}
    except RefusedError as fault:
        line |= {"refused": True, "reason": fault.faults[0].rule.en}
    return line | {"seconds": round(time.process_time() - start, 1)}


def main() -> None:
    """Write a line for each table."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else None
    study = ht.open_study(HERE.parent / "data" / "demo")
    with (HERE / "release_year.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        with tempfile.TemporaryDirectory() as folder, Release(folder, "public") as release:
            for table in list(year(study))[:most]:
                out.writerow(released(release, *table))
                file.flush()


if __name__ == "__main__":
    main()
