"""The tasks of the corps: the indicators of every school and term of a simulated district, or of many together."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from htresearch.atomic import new_folder
from htresearch.bench.tasks import Task, short
from htresearch.study.simulate import simulate

#: Head teachers.
SIZES = (1_000, 100_000)
#: So many are simulated; more are districts like theirs side by side.
_SIMULATED = 1_000
_CLASSES, _TERMS = 20, 6
#: Whose ids differ from district to district; terms, assessments and training events are the same for all.
_OWN = ("school_id", "zone_id", "class_id", "teacher_id", "lead_teacher_id", "student_id", "studio_id")
#: What the pandas program computes too.
SOME = ["home_visits", "parents_meeting_held", "pupils_per_class"]


def tasks(rows: int, folder: Path) -> list[Task]:
    """Return the indicators of so many head teachers over six terms."""
    one = min(rows, _SIMULATED)
    path = folder / f"district_{one}"
    if not path.exists():
        simulate(path, schools=max(one // _CLASSES, 1), classes_per_school=min(_CLASSES, one), terms=_TERMS)
    if rows > one:
        path = side_by_side(path, rows // one, folder / f"district_{rows}")
    about = f"{short(rows)} head teachers, {_TERMS} terms"
    return [
        Task(f"all indicators, {about}", ["all indicators"], [str(path)], rows),
        Task(f"three indicators, {about}", ["some indicators"], [str(path)], rows, given={"only": SOME}),
    ]


def side_by_side(district: Path, copies: int, out: Path) -> Path:
    """Write a study of many districts like one: the same rows again, each time of other schools and persons.

    Parameters
    ----------
    district
        A study as `simulate` writes it.
    copies
        How many districts the study holds.
    out
        Its folder; what is there already is kept.
    """
    if out.exists():
        return out
    with new_folder(out, ours=lambda _: False) as made:
        for source in sorted(district.glob("*.parquet")):
            table = pq.read_table(source)
            own = [name for name in table.column_names if name in _OWN]
            with pq.ParquetWriter(made / source.name, table.schema, compression="zstd") as writer:
                for copy in range(copies if own else 1):
                    writer.write_table(_renamed(table, own, f"D{copy:03d}"))
    return out


def _renamed(table: pa.Table, own: list[str], district: str) -> pa.Table:
    for name in own:
        renamed = pc.binary_join_element_wise(district, table[name], "-")
        table = table.set_column(table.column_names.index(name), table.schema.field(name), renamed)
    return table
