"""The same outputs shown to ACRO and to htresearch: which of them does each let out?

ACRO has an environment of its own, as it needs an older pandas; this package is put there without what it requires::

    python3 -m venv acro
    acro/bin/pip install acro==1.0.2 pyarrow threadpoolctl narwhals duckdb
    acro/bin/pip install --no-deps .
    acro/bin/python benchmarks/acro_side_by_side.py

It writes ``acro_side_by_side.csv``. ACRO lets an output out if it computes it and marks it neither ``fail`` nor
``review``; htresearch if `check` passes, or `Release.add` where one table follows another.
"""

import contextlib
import csv
import io
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "disclosure"))

import acro  # noqa: E402
import statsmodels.api as sm  # noqa: E402
from districts import pupils, teachers  # noqa: E402

from htresearch.disclosure import Release, check, tabulate  # noqa: E402

PUPILS, TEACHERS = pupils(), teachers()
ONE = PUPILS["student_id"] == "P00000005"
FEW = PUPILS.groupby("zone_id").cumcount() < 3
CASES = []


def case(harmful, what, theirs, ours):
    """Keep a case."""
    CASES.append((harmful, what, theirs, ours))


def table(frame, rows, columns=None, value=None, statistic="count", **more):
    """Both of them make the same table."""
    names = {"percentage": "mean", "sd": "std"}

    def theirs(session):
        if statistic == "count":
            session.crosstab(frame[rows], frame[columns])
        else:
            session.pivot_table(
                frame, values=value, index=rows, columns=columns, aggfunc=names.get(statistic, statistic)
            )

    return theirs, lambda: check(tabulate(frame, rows, columns, value, statistic, **more)).passed


def of_teachers(frame, rows, columns=None, value=None, statistic="count"):
    """Both of them make the same table of teachers."""
    return table(frame, rows, columns, value, statistic, person="teacher_id")


def regression(frame, names):
    """Both of them fit the same regression."""
    data = frame.assign(**{n: frame[n].astype(float) for n in names})

    def ours():
        fitted = sm.OLS(data["score"], sm.add_constant(data[names])).fit()
        return check(fitted, frame=data).passed

    return lambda session: session.ols(data["score"], sm.add_constant(data[names])), ours


def two(first, second, rows, columns):
    """One table after another."""

    def theirs(session):
        for frame in (first, second):
            session.crosstab(frame[rows], frame[columns])

    def ours():
        with tempfile.TemporaryDirectory() as folder, Release(folder) as release:
            return all(release.add(tabulate(f, rows, columns), str(i)).passed for i, f in enumerate((first, second)))

    return theirs, ours


odd = PUPILS.assign(sex=PUPILS["sex"].where(~ONE, "unknown"))
flagged = PUPILS.assign(incident=FEW.astype(int), passed=(~FEW).astype(int), all_passed=1)
rich = TEACHERS.assign(amount_yuan=TEACHERS["amount_yuan"].where(TEACHERS.index != 5, 900_000.0))
mine = PUPILS.assign(one=ONE.astype(int))
teacher = PUPILS["teacher_id"] == "T000003"
alike = PUPILS.assign(score=PUPILS["score"].where(PUPILS["zone_id"] != "Z001", 60.0))

case(True, "one pupil in a cell", *table(odd, "school_type", "sex"))
case(True, "nine pupils in a cell", *table(PUPILS.groupby(["school_type", "sex"]).head(9), "school_type", "sex"))
case(True, "the mean of a class: one teacher", *table(PUPILS, "class_id", "sex", "score", "mean"))
case(True, "a grade of a school: one class", *table(PUPILS, "school_id", "grade", "score", "mean"))
case(True, "a row per teacher", *table(PUPILS, "teacher_id", "sex"))
named = PUPILS.assign(kind=np.where(PUPILS["school_id"] == "S0003", "special", "other"))
case(True, "a type that is one school", *table(named, "kind", "sex", "score", "mean"))
panel = PUPILS.iloc[np.repeat(np.arange(0, len(PUPILS), 600), 20)]
case(True, "rows of a panel: 8 pupils, 160 rows", *table(panel, "sex", "boarding", "score", "mean"))
case(True, "maximum", *table(PUPILS, "zone_id", "sex", "score", "max"))
case(True, "minimum", *table(PUPILS, "zone_id", "sex", "score", "min"))
case(True, "a lambda that picks the largest", *table(PUPILS, "zone_id", "sex", "score", lambda v: v.max()))
case(True, "first", *table(PUPILS, "zone_id", "sex", "score", "first"))
case(True, "one allowance is nearly the whole sum", *of_teachers(rich, "zone_id", "sex", "amount_yuan", "sum"))
case(True, "one allowance is nearly the whole mean", *of_teachers(rich, "zone_id", "sex", "amount_yuan", "mean"))
case(True, "3 of 720 have had an incident", *table(flagged, "zone_id", "school_type", "incident", "mean"))
case(True, "all but 3 have passed", *table(flagged, "zone_id", "school_type", "passed", "mean"))
case(True, "all have passed", *table(flagged, "zone_id", "school_type", "all_passed", "mean"))
case(True, "everyone of a zone has one mark", *table(alike, "zone_id", "sex", "score", "mean"))
case(True, "no spread", *table(alike, "zone_id", "sex", "score", "sd"))
case(True, "few teachers of a kind", *of_teachers(TEACHERS, "school_id", "tier"))
case(True, "a school and then all but two pupils", *two(PUPILS, PUPILS.iloc[2:], "school_id", "sex"))
case(True, "all and then all but one class", *two(PUPILS, PUPILS[~teacher], "school_type", "sex"))
case(True, "all and then all but one school", *two(PUPILS, named[named["kind"] == "other"], "school_type", "sex"))
case(True, "a dummy of one pupil", *regression(mine, ["one", "boarding"]))
case(True, "a dummy of one teacher", *regression(PUPILS.assign(one=teacher.astype(int)), ["one", "boarding"]))
case(False, "pupils by type and sex", *table(PUPILS, "school_type", "sex"))
case(False, "pupils by zone and boarding", *table(PUPILS, "zone_id", "boarding"))
case(False, "mean score by zone and sex", *table(PUPILS, "zone_id", "sex", "score", "mean"))
case(False, "mean score by school type and tier", *table(PUPILS, "school_type", "tier", "score", "mean"))
case(False, "share of boarders by zone and sex", *table(PUPILS, "zone_id", "sex", "boarding", "percentage"))
case(False, "teachers by type and sex", *of_teachers(TEACHERS, "school_type", "sex"))
case(False, "allowances by zone and sex", *of_teachers(TEACHERS, "zone_id", "sex", "amount_yuan", "sum"))
case(False, "median score by zone and sex", *table(PUPILS, "zone_id", "sex", "score", "median"))
case(False, "score on boarding and being an only child", *regression(PUPILS, ["boarding", "only_child"]))


def lets_out(theirs) -> tuple[str, str]:
    """Return whether ACRO lets an output out, and how it marks it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.chdir(folder):
        session = acro.ACRO(suppress=False)
        try:
            theirs(session)
        except Exception as fault:  # noqa: BLE001 - whatever it raises, nothing is computed
            return "no", f"{type(fault).__name__}: {str(fault)[:60]}"
        marks = [record.status for record in session.results.results.values()]
    return ("yes" if marks and set(marks) <= {"pass"} else "no"), " ".join(marks)


def main() -> None:
    """Show every case to both."""
    warnings.simplefilter("ignore")
    with (HERE / "acro_side_by_side.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("output", "gives_somebody_away", "acro_lets_it_out", "acro_says", "htresearch_lets_it_out"))
        for harmful, what, theirs, ours in CASES:
            try:
                mine = "yes" if ours() else "no"
            except Exception as fault:  # noqa: BLE001 - the same
                mine = f"no ({type(fault).__name__})"
            out.writerow((what, "yes" if harmful else "no", *lets_out(theirs), mine))
            file.flush()


if __name__ == "__main__":
    main()
