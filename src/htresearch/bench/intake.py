"""The tasks of intake: one large export, opened, read and taken into a study."""

from __future__ import annotations

from pathlib import Path

from htresearch.bench.answers import answers, export
from htresearch.bench.tasks import Task, short


def tasks(rows: int, folder: Path) -> list[Task]:
    """Return what is done with an export of so many respondents."""
    path = folder / f"export_{rows}.xlsx"
    if not path.exists():
        part = path.with_suffix(".part")
        export(answers(rows), part)
        part.rename(path)
    return [
        Task(f"{step}, {short(rows)}", [step], [str(path)], rows) for step in ("open workbook", "read", "take in")
    ]
