"""Plain frames beside the data that they were made from: each number is computed anew, and checked as a cell."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.disclosure import reasons
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.tables import check_table
from htresearch.disclosure.tabulate import ALL, MISSING, Tabulation, tabulate
from htresearch.disclosure.verdicts import Finding

#: What pandas and people write for a margin.
_TOTALS = frozenset({"all", "(all)", "total", "合计", "总计", "小计", "全部", "全体"})
#: What a frame says of who stands behind its rows, by the columns of a table.
_UNITS = {"n_students": "n_persons", "n_teachers": "n_teachers", "n_schools": "n_schools"}


@dataclass(frozen=True, eq=False)
class Microdata:
    """The data behind a plain frame, and how they are read; see `tabulate`.

    Attributes
    ----------
    frame : pandas.DataFrame
    value : str, mapping or None
        The column that is summarised; by column of the plain frame where several have other names there.
    person, teacher, school, weight, second
        As in `tabulate`.
    """

    frame: pd.DataFrame
    value: object = None
    person: str = "student_id"
    teacher: str | None = "teacher_id"
    school: str | None = "school_id"
    weight: str | None = None
    second: str | None = None


@dataclass(frozen=True)
class _Cell:
    """One number of a plain frame: where it stands, what it is said to be, and of whom."""

    row: int
    shown: float
    rows: tuple[tuple[Hashable, object], ...]
    columns: tuple[tuple[Hashable, object], ...]
    value: str | None
    statistic: str | None
    unit: str | None = None


def findings_on(
    frame: pd.DataFrame, rules: Rules, statistic: object, q: float | None, keys: tuple[str, ...], data: Microdata
) -> tuple[list[str], list[Finding]]:
    """Return the terms of a frame's numbers, and what is wrong with each.

    Parameters
    ----------
    frame
        As pandas returns it from grouping, pivoting or cross-tabulating: columns of the microdata name its index, its
        columns, or are among its columns.
    rules
    statistic
        What the numbers are: a name, a name by column, or ``None`` where the columns say so (``("score", "mean")``).
    q
        Which quantile.
    keys
        Columns of numbers that say what a row is.
    data
        The microdata.
    """
    checks.require(checks.data_frame("microdata", data.frame))
    cells = _read(frame, rules, statistic, keys, data)
    if cells is None:
        return [], [reasons.finding(None, "rows")]
    terms = [str(n + 1) for n in range(len(cells))]
    findings: list[Finding] = []
    of_row = {}
    for (row_keys, column_keys, value, kind), members in _tables(cells).items():
        if kind is None:
            findings += [reasons.finding(i, "provenance") for i in members]
            continue
        table = _table(row_keys, column_keys, value, kind, q, [cells[i] for i in members], data)
        if table is None:
            findings += [reasons.finding(i, "mismatch") for i in members]
            continue
        verdicts = check_table(table, rules).frame
        where, noise = _where(table), _noise(table)
        for i in members:
            at = where.get(_place(cells[i], data.frame))
            if at is None or not _same(cells[i].shown, _told(table, at, kind), noise):
                findings.append(reasons.finding(i, "mismatch"))
                continue
            of_row.setdefault(cells[i].row, (table, at))
            terms[i] = str(verdicts["term"][at])
            findings += _carried(i, verdicts.iloc[at])
        findings += _hidden(table, verdicts, {where.get(_place(cells[i], data.frame)) for i in members}, members)
    findings += _units(cells, of_row)
    return terms, findings


# -- what a frame shows ----------------------------------------------------------------------------------------------


def _read(
    frame: pd.DataFrame, rules: Rules, statistic: object, keys: tuple[str, ...], data: Microdata
) -> list[_Cell] | None:
    """Return the numbers of a frame; ``None`` where it cannot be told what its rows are."""
    known = set(data.frame.columns)
    if frame.index.names == [None] and set(frame.index) <= known and set(frame.columns.names) <= known:
        frame = frame.T  # variables down, groups across
    plain = frame.index.names == [None] and pd.api.types.is_integer_dtype(frame.index)
    levels = [] if plain else list(frame.index.names)
    if not set(levels) <= known:
        return None
    told_across = [name for name in frame.columns.names if name in known]
    words = [
        c
        for c in frame.columns
        if not told_across
        and (c in keys or c in rules.known or not pd.api.types.is_numeric_dtype(frame[c]))
        and c not in _UNITS
    ]
    if not set(words) <= known or frame.columns.has_duplicates or (len(frame) > 1 and not levels and not words):
        return None
    found = []
    labels = frame.index.to_frame(index=False) if levels else pd.DataFrame(index=range(len(frame)))
    for number in range(len(frame)):
        row = tuple((name, labels.iloc[number, i]) for i, name in enumerate(levels))
        row += tuple((c, frame[c].iloc[number]) for c in words)
        for place, column in enumerate(frame.columns):
            if column in words:
                continue
            shown = pd.to_numeric(pd.Series([frame.iloc[number, place]], dtype=object), errors="coerce").iloc[0]
            across, value, kind = _about(column, frame.columns.names, statistic, data)
            unit = column if column in _UNITS else None
            found.append(_Cell(number, float(shown), row, across, value, kind, unit))
    return found


def _about(
    column: Hashable, names: list[Hashable], statistic: object, data: Microdata
) -> tuple[tuple[tuple[Hashable, object], ...], str | None, str | None]:
    """Return the keys, the value and the statistic that the label of a column tells."""
    across, value, kind = [], None, statistic if isinstance(statistic, str) else None
    parts = column if isinstance(column, tuple) else (column,)
    for name, part in zip(names, parts, strict=True):
        if name in data.frame.columns:
            across.append((name, part))
        elif part in data.frame.columns:
            value = part
        elif statistic is None and len(parts) > 1:
            kind = str(part)
    if isinstance(statistic, Mapping):
        kind = statistic.get(column, statistic.get(value))
    of = data.value.get(column) if isinstance(data.value, Mapping) else data.value
    value = of if of is not None else value
    kind = kind if kind is None or isinstance(kind, str) else getattr(kind, "__name__", type(kind).__name__)
    if kind in ("size", "nunique") and value in (None, data.person):
        kind, value = "count", None
    return tuple(across), value, kind


def _tables(cells: list[_Cell]) -> dict[tuple, list[int]]:
    """Put together the numbers that are cells of one table."""
    found: dict[tuple, list[int]] = {}
    for i, cell in enumerate(cells):
        if cell.unit is None:
            named = tuple(k for k, _ in cell.rows), tuple(k for k, _ in cell.columns)
            found.setdefault((*named, cell.value, cell.statistic), []).append(i)
    return found


# -- what the microdata say ------------------------------------------------------------------------------------------


def _table(
    rows: tuple, columns: tuple, value: str | None, kind: str, q: float | None, cells: list[_Cell], data: Microdata
) -> Tabulation | None:
    """Make the table that a frame is said to be; ``None`` where it cannot be made."""
    statistic = "percentage" if kind == "share" else kind
    if not rows:
        rows, columns = columns, ()
    if statistic == "percentage" and value is None and not columns:
        rows, columns = (rows[:-1], rows[-1:]) if len(rows) > 1 else (rows, ())
        statistic = statistic if columns else "count"
    if not rows:
        return None
    totals = any(_place(cell, data.frame)[i][1] == ALL for cell in cells for i in range(len(rows) + len(columns)))
    if not set(rows) | set(columns) <= set(data.frame.columns):
        return None
    frame = data.frame
    if statistic == "count" and value in frame:  # as pandas counts: who has a value
        frame = frame[frame[value].notna()]
    value = None if statistic == "count" else value
    weight = data.weight if statistic in ("sum", "mean", "percentage", "ratio") and value is not None else None
    second = data.second if statistic in ("correlation", "ratio") else None
    return tabulate(
        frame,
        list(rows),
        list(columns) or None,
        value,
        statistic,
        person=data.person,
        teacher=data.teacher,
        school=data.school,
        margins=totals,
        q=q if statistic == "quantile" else None,
        second=second,
        weight=weight,
    )


def _label(key: Hashable, said: object, frame: pd.DataFrame) -> object:
    """Return a label as the table has it."""
    if pd.api.types.is_scalar(said) and pd.isna(said):
        return MISSING
    if isinstance(said, str) and said.strip().lower() in _TOTALS and not (frame[key] == said).any():
        return ALL
    return said


def _place(cell: _Cell, frame: pd.DataFrame) -> tuple[tuple[Hashable, str], ...]:
    return tuple((key, str(_label(key, said, frame))) for key, said in (*cell.rows, *cell.columns))


def _where(table: Tabulation) -> dict[tuple, int]:
    keys = table.keys
    return {
        tuple((key, str(said)) for key, said in zip(keys, row, strict=True)): at
        for at, row in enumerate(table.cells[keys].itertuples(index=False))
    }


def _told(table: Tabulation, at: int, kind: str) -> list[float]:
    """Return what a cell may be written as."""
    cell = table.cells.iloc[at]
    value = float(cell["estimate"])
    if kind in ("share", "percentage") and table.statistic == "count":
        inner = table.cells[table.cells["depth_rows"] == len(table.rows)]
        value *= 100 / max(float(inner["estimate"].sum()), 1)
    if kind == "share":
        value /= 100
    # Whoever counts rows counts persons as often as they have rows.
    return [value, float(cell["n_rows"])] if kind == "count" else [value]


def _noise(table: Tabulation) -> float:
    """Return how far two ways of adding up may be apart: a mean of 0 comes out as 1e-17 or as -1e-16."""
    values = table.members.get("value")
    return 0.0 if values is None else 1e-12 * float(values.abs().max())


def _same(shown: float, told: list[float], noise: float = 0.0) -> bool:
    """Tell whether a number is what was computed, as far as it is written out."""
    if not np.isfinite(shown):
        return not np.isfinite(told).any()
    decimals = len(np.format_float_positional(shown, trim="-").partition(".")[2])
    near = max(0.5 * 10.0**-decimals if decimals < 8 else 0.0, 1e-7 * abs(shown), noise)
    return any(abs(shown - value) <= near * (1 + 1e-9) for value in told)


# -- what follows ----------------------------------------------------------------------------------------------------


def _carried(cell: int, verdict: pd.Series) -> Iterator[Finding]:
    """Give what was found of a table's cell as found of the frame's."""
    for number, rule in enumerate(verdict["rules"]):
        empty = type(verdict["reason"])("", "")
        yield Finding(cell, rule, empty if number else verdict["reason"], empty if number else verdict["needed"])


def _hidden(table: Tabulation, verdicts: pd.DataFrame, shown: set, members: list[int]) -> Iterator[Finding]:
    """Refuse a frame whose gaps tell something: margins without all of their cells, and cells with nobody."""
    left = [at for at in range(len(table.cells)) if at not in shown]
    if not left:
        return
    empty = table.cells["n_persons"].iloc[left] == 0
    if table.margins and not empty.all():
        yield from (reasons.finding(i, "incomplete") for i in members)
    elif empty.all() and any("zero" in rules for rules in verdicts["rules"].iloc[left]):
        yield from (reasons.finding(i, "zero") for i in members)


def _units(cells: list[_Cell], of_row: dict[int, tuple[Tabulation, int]]) -> Iterator[Finding]:
    """Refuse counts beside the numbers that are not those of the microdata, or whose row could not be found."""
    for i, cell in enumerate(cells):
        if cell.unit is None:
            continue
        table, at = of_row.get(cell.row, (None, 0))
        if table is None or not _same(cell.shown, [float(table.cells[_UNITS[cell.unit]].iloc[at])]):
            yield reasons.finding(i, "mismatch")
