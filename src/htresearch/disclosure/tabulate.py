"""Tables from microdata that remember who stands behind each cell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.disclosure import building, reading
from htresearch.disclosure.reading import STATISTICS
from htresearch.disclosure.units import UNITS
from htresearch.language import Text, label

#: The key of a margin, and of rows without one.
ALL, MISSING = reading.ALL, reading.MISSING


@dataclass(frozen=True, eq=False)
class Tabulation:
    """A table with what its check needs.

    Attributes
    ----------
    cells : pandas.DataFrame
        A row per cell, margins included (their keys are `ALL`): the keys; ``estimate``; ``n_persons``,
        ``n_teachers``, ``n_schools``; ``total``, ``largest_person``, ``second_person``, ``largest_teacher`` … of the
        contributions; ``n_contributors``; ``heads_teacher``, ``heads_school`` (share of the persons that the two
        largest have); ``n_low``, ``n_high`` (persons on either side of a quantile, or with either of two values);
        ``constant`` (all have one value); ``deviation`` (share of the farthest person in the sum of squares);
        ``n_rows``; ``full_rows``, ``full_columns`` (all of the next margin of the rows, or of the columns, are here);
        ``identifying`` (a label tells who somebody is); ``depth_rows``, ``depth_columns`` (how many of the keys are
        no margin).
    rows, columns : tuple of str
        The keys, from coarse to fine.
    statistic : str
        What was computed; ``"unknown"`` if it is none of `STATISTICS`.
    asked : str
        What was asked for.
    value, second, weight, person, teacher, school : str or None
        Columns of the microdata.
    q : float or None
        Which quantile.
    margins : bool
        Whether margins are among the cells.
    additive : bool
        Whether cells add up to their margins: sums, and counts if nobody is in two cells.
    of_teachers : bool
        Whether `value` is the teachers' though rows are pupils: then teachers are the persons.
    teachers_are_persons : bool
        Whether rows are teachers, so that they are not counted beside the persons.
    signed, two_valued : bool
        Whether `value` has negative values; whether it has two values, all but a few, so that a mean is a percentage.
    note : tuple of Text
        What was left out, and assumed.
    members : pandas.DataFrame
        The rows behind the cells: keys, ``person``, ``teacher``, ``school``, ``value``. Never shown; a release
        remembers them under keyed hashes.
    seal : str
        A digest of all this as it was computed; a check refuses a table that has changed since.
    """

    cells: pd.DataFrame
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    statistic: str
    asked: str
    value: str | None
    person: str
    teacher: str | None
    school: str | None
    second: str | None = None
    weight: str | None = None
    q: float | None = None
    margins: bool = True
    additive: bool = False
    signed: bool = False
    of_teachers: bool = False
    teachers_are_persons: bool = False
    two_valued: bool = False
    note: tuple[Text, ...] = field(default=())
    members: pd.DataFrame | None = field(default=None, repr=False)
    seal: str = field(default="", repr=False)

    @property
    def unaltered(self) -> bool:
        """Whether cells, members and what they are said to be are those that were computed."""
        return self.seal == _seal(self)

    @property
    def keys(self) -> list[str]:
        """The key columns of `cells`."""
        return [*self.rows, *self.columns]

    def tidy(self) -> pd.DataFrame:
        """Return a row per cell: keys, estimate and the units behind it."""
        return self.cells[[*self.keys, "estimate", "n_persons", "n_teachers", "n_schools"]].copy()

    def glance(self) -> pd.DataFrame:
        """Return one row about the table."""
        whole = {"statistic": self.statistic, "n_cells": len(self.cells), "margins": self.margins}
        return pd.DataFrame([whole])

    def wide(self) -> pd.DataFrame:
        """Return the estimates as a reader sees them: rows down, columns across."""
        if not self.columns:
            return self.cells.set_index(list(self.rows))[["estimate"]]
        frame = self.cells.set_index(self.keys)["estimate"]
        return frame.unstack(list(self.columns), sort=False)  # noqa: PD010 (every key has one cell)

    def notes(self) -> str:
        """Return the note as one paragraph in the language now spoken."""
        return str(Text("", " ")).join(str(n) for n in self.note)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table
        from htresearch.disclosure.check import check
        from htresearch.disclosure.seals import seal

        shown = self.tidy()
        for key in self.keys:
            shown[key] = [str(label(str(v), within=key)) for v in shown[key]]
        data = table(shown, note=self.notes())._repr_mimebundle_(include, exclude)
        return data, seal(data, check(self))  # the leak scan lets a small number of teachers or schools pass by it


def tabulate(
    frame: pd.DataFrame,
    rows: str | Sequence[str],
    columns: str | Sequence[str] | None = None,
    value: str | None = None,
    statistic: str | Callable = "count",
    *,
    person: str = "student_id",
    teacher: str | None = "teacher_id",
    school: str | None = "school_id",
    margins: bool = True,
    q: float | None = None,
    second: str | None = None,
    weight: str | None = None,
) -> Tabulation:
    """Make a table from microdata, which can be checked because it remembers who stands behind each cell.

    Parameters
    ----------
    frame
        A row per person, or several; it is not changed.
    rows, columns
        Key columns; several go from coarse to fine (``["zone_id", "school_id"]``), and each has its own margin.
    value
        The column that is summarised; none is needed for ``"count"``.
    statistic
        One of ``"count"`` (distinct persons), ``"percentage"`` (of a two-valued `value`; without one, of each row's
        persons over the columns), ``"sum"``, ``"mean"``, ``"sd"``, ``"median"``, ``"quantile"`` (with `q`),
        ``"correlation"`` and ``"ratio"`` (of the sums; both with `second`). ``"min"``, ``"max"``, ``"first"``,
        ``"last"`` are computed, and refused in public. Anything else is not computed, and `check` refuses it.
    person, teacher, school
        Columns of the units. A class stands in for its teacher where there is no teacher. ``None``: they are not
        known, which a check by public rules refuses.
    margins
        Whether totals of rows, of columns and of all are cells too.
    q
        The quantile, between 0 and 1.
    second
        The other column of a correlation, or the denominator of a ratio.
    weight
        Weights of a sum, mean, percentage or ratio, not negative.

    Returns
    -------
    Tabulation

    Raises
    ------
    ArgumentError
        With every fault: unknown columns, one name twice, a value that is no number, negative weights, no rows.

    References
    ----------
    Hundepool, A., et al. (2012). *Statistical Disclosure Control*. https://doi.org/10.1002/9781118348239

    Examples
    --------
    >>> import pandas as pd
    >>> pupils = pd.DataFrame({"student_id": range(40), "sex": ["f"] * 20 + ["m"] * 20})
    >>> pupils = pupils.assign(teacher_id=pupils["student_id"] % 4, school_id=pupils["student_id"] % 4)
    >>> tabulate(pupils, "sex").tidy()["estimate"].tolist()
    [20, 20, 40]
    """
    checks.require(checks.data_frame("frame", frame))
    data = reading.read(frame, rows, columns, value, statistic, person, teacher, school, q, second, weight)
    cells, additive = building.build(data, bool(margins))
    table = Tabulation(
        cells=cells,
        rows=data.rows,
        columns=data.columns,
        statistic=data.statistic,
        asked=data.asked,
        value=value,
        person=person,
        teacher=data.teacher,
        school=data.school,
        second=second,
        weight=weight,
        q=data.q,
        margins=bool(margins),
        additive=additive,
        signed=data.signed,
        of_teachers=data.of_teachers,
        teachers_are_persons=data.teachers_are_persons,
        two_valued=data.two_valued,
        note=data.note,
        members=_members(data),
    )
    return replace(table, seal=_seal(table))


def _seal(table: Tabulation) -> str:
    """Return a digest of the numbers of a table, of whose they are, and of what they are said to be."""
    said = {
        f.name: getattr(table, f.name) for f in fields(table) if f.name not in ("cells", "members", "seal", "note")
    }
    found = hashlib.sha256(repr(said).encode())
    for frame in (table.cells, table.members):
        for name, column in {} if frame is None else frame.items():
            plain = column.to_numpy() if column.dtype.kind in "iufb" else "\x1f".join(map(str, column)).encode()
            found.update(f"{name}\x1f{len(column)}".encode())
            found.update(plain if isinstance(plain, bytes) else np.ascontiguousarray(plain).tobytes())
    return found.hexdigest()


def _members(data: reading.Data) -> pd.DataFrame:
    """Return the rows behind the cells with the ids as they were given."""
    found = data.work[[*data.keys]].copy()
    for unit in UNITS:
        found[unit] = data.work[f"{unit}:id"]
    return found.assign(value=data.work["value"]) if "value" in data.work else found


__all__ = ["ALL", "MISSING", "STATISTICS", "Tabulation", "tabulate"]
