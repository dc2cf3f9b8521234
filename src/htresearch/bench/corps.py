"""The tasks of the corps: the indicators of every school and term of a simulated district."""

from __future__ import annotations

from pathlib import Path

from htresearch.bench.tasks import Task, short
from htresearch.study.simulate import simulate

#: Head teachers.
SIZES = (1_000, 100_000)
_CLASSES = 20
#: What the pandas program computes too.
SOME = ["home_visits", "parents_meeting_held", "pupils_per_class"]


def tasks(rows: int, folder: Path) -> list[Task]:
    """Return the indicators of so many head teachers: over six terms, or two where they are more than 10,000."""
    terms = 6 if rows <= 10_000 else 2
    path = folder / f"district_{rows}"
    if not path.exists():
        simulate(path, schools=max(rows // _CLASSES, 1), classes_per_school=min(_CLASSES, rows), terms=terms)
    about = f"{short(rows)} head teachers, {terms} terms"
    return [
        Task(f"all indicators, {about}", ["all indicators"], [str(path)], rows),
        Task(f"three indicators, {about}", ["some indicators"], [str(path)], rows, given={"only": SOME}),
    ]
