"""What comes from the field joined to a study: new rows are added, known ones counted, contradictions listed.

The merged study is written beside the old one and validated there; only a sound one takes its place, whole. What the
study holds is changed only where that is asked for, and what was changed is listed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from htresearch.atomic import new_folder
from htresearch.checks import one_of, require
from htresearch.errors import Fault, IntakeError
from htresearch.intake import conflicts as differing
from htresearch.intake import files
from htresearch.intake.place import Place, masked
from htresearch.intake.typed import Misfit, read_frame
from htresearch.language import Text
from htresearch.study import reading
from htresearch.study.rules import findings
from htresearch.study.schema import Schema, Table
from htresearch.study.store import Store, open_store

#: Rows that are named where many break one rule and only their number says where they are.
AT_MOST = 20

_CHECK_BOTH = Text("请核对，两处只留一种说法", "Check both, and keep one of them")


@dataclass(frozen=True, eq=False)
class Merged:
    """What a merge did.

    Attributes
    ----------
    added, same, held : Mapping of str to int
        Rows by table: added to the study; known already, value by value; held back because they contradict.
    conflicts : pandas.DataFrame
        A row per contradicting cell: table, key (its parts joined by " · "), column, there, new, source, and
        there_in: the study, or the other place of the same intake.
    changed : Mapping of str to int
        Rows of the study that were changed, by table; none unless that was asked for.
    changes : pandas.DataFrame
        A row per cell that was changed, as in `conflicts`.
    """

    added: Mapping[str, int]
    same: Mapping[str, int]
    held: Mapping[str, int]
    conflicts: pd.DataFrame
    changed: Mapping[str, int]
    changes: pd.DataFrame

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The rows of each table by what became of them."""
        return {
            name: {"added": self.added[name], "same": self.same[name], "conflicts": self.held[name]}
            for name in self.added
        }


@dataclass(frozen=True)
class Finding:
    """A rule that a merged study would break.

    Attributes
    ----------
    table, column : str
    row : int or None
        The row of the frame that was given, from 0; None where the study's own row, or a whole table, is at fault.
    value : object
    rule, fix, where : Text
    """

    table: str
    column: str
    row: int | None
    value: object
    rule: Text
    fix: Text
    where: Text


@dataclass(frozen=True, eq=False)
class _Part:
    """One table's share of a merge: its rows, and which of them are new."""

    table: Table
    index: pd.Index
    rows: pa.Table
    there: pa.Table | None
    add: np.ndarray
    same: int
    held: int = 0
    conflicts: pd.DataFrame = field(default_factory=differing.nothing)
    changed: int = 0
    changes: pd.DataFrame = field(default_factory=differing.nothing)

    @property
    def grows(self) -> bool:
        """Whether the study's table becomes another."""
        return bool(len(self.add) or self.changed)


def merge(study: str | Path, tables: Mapping[str, pd.DataFrame], source: str, *, accept: str = "nothing") -> Merged:
    """Add rows to a study.

    A row whose key the study does not know is added; one that the study holds with the same values is counted; one
    that says something else, or fills in what the study leaves empty, is listed as a conflict and left out, as are
    rows of one intake that contradict each other. Columns that a frame lacks are not compared. In a table without a
    key (activities) as many equal rows are added as there are more of them here than in the study. So taking the
    same in twice changes nothing.

    Parameters
    ----------
    study
        A study's folder; one that does not exist yet is made. Tables stay Parquet or CSV as they are.
    tables
        Frames by table of the schema, with its columns. Dates are dates or ``2024-09-01``, truth values True or
        False; nothing is guessed. An index of `Place` objects says where each row was read.
    source
        What the rows come from, for messages and for the list of conflicts.
    accept
        What becomes of a known row that says something else: ``"nothing"`` lists it and leaves it out; ``"empty"``
        takes it where it only fills in what the study leaves empty, such as the end of a spell; ``"new"`` takes
        whatever it says. An empty cell never takes a value's place. What was changed is listed.

    Returns
    -------
    Merged

    Raises
    ------
    ArgumentError
        If `accept` is none of these.
    IntakeError
        If a value does not fit its column, if the merged study would break a rule, or if `study` is not a folder of
        tables. All faults are listed and the study stays as it was.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp()) / "study"
    >>> pupils = pd.DataFrame({"student_id": ["s_1", "s_2"], "sex": ["female", "male"]})
    >>> merge(folder, {"students": pupils}, "list.xlsx").added
    {'students': 2}
    >>> merge(folder, {"students": pupils.assign(sex="female")}, "list.xlsx").conflicts["there"].tolist()
    ['male']
    """
    path = files.resolve(Path(study))
    before = files.fingerprint(path)
    merged, parts, store = _compared(path, tables, source, accept)
    if not any(part.grows for part in parts):
        return merged
    with new_folder(path, ours=lambda _: True) as fresh:
        _write(fresh, store, parts)
        require(*_as_faults(_validated(fresh, parts, source), merged), error=IntakeError)
        require(files.changed(path, before), error=IntakeError)
    return merged


def examine(
    study: str | Path, tables: Mapping[str, pd.DataFrame], source: str, *, accept: str = "nothing"
) -> tuple[Merged, list[Finding]]:
    """Tell what `merge` would do, and every rule that the merged study would break; nothing is written.

    Parameters
    ----------
    study, tables, source, accept
        As in `merge`.

    Returns
    -------
    tuple of Merged and list of Finding

    Raises
    ------
    IntakeError
        If a value does not fit its column or `study` is not a folder of tables.
    """
    path = files.resolve(Path(study))
    merged, parts, store = _compared(path, tables, source, accept)
    if not any(part.grows for part in parts):
        return merged, []
    with _aside(path) as fresh:
        _write(fresh, store, parts)
        return merged, _validated(fresh, parts, source)


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Give a folder to try in, on the study's own disk so that its files need not be copied."""
    near = path.parent if path.parent.is_dir() else None
    with tempfile.TemporaryDirectory(dir=near, prefix=f".{path.name}-") as folder:
        yield Path(folder)


# --- what is new ----------------------------------------------------------------------------------------------------


def _compared(
    path: Path, tables: Mapping[str, pd.DataFrame], source: str, accept: str
) -> tuple[Merged, list[_Part], Store | None]:
    """Read the frames, and tell the new rows from the known ones and from those that contradict."""
    require(one_of("accept", accept, differing.ACCEPT))
    store = files.open_folder(path)
    schema = files.schema_of(store)
    require(*_unfit(tables, schema, source), error=IntakeError)
    read: dict[str, pa.Table] = {}
    faults: list[Fault] = []
    for name in sorted(tables, key=list(schema.tables).index):
        read[name], misfits = read_frame(tables[name], schema.tables[name])
        faults += [f for m in misfits for f in _misfit(name, tables[name].index, source, m)]
    require(*faults, error=IntakeError)
    parts = [_part(store, schema.tables[name], tables[name], rows, source, accept) for name, rows in read.items()]
    merged = Merged(
        {part.table.name: len(part.add) for part in parts},
        {part.table.name: part.same for part in parts},
        {part.table.name: part.held for part in parts},
        _together(part.conflicts for part in parts),
        {part.table.name: part.changed for part in parts},
        _together(part.changes for part in parts),
    )
    return merged, parts, store


def _together(lists: Iterator[pd.DataFrame]) -> pd.DataFrame:
    filled = [one for one in lists if len(one)]
    return pd.concat(filled, ignore_index=True) if filled else differing.nothing()


def _unfit(tables: Mapping[str, pd.DataFrame], schema: Schema, source: str) -> Iterator[Fault]:
    for name, frame in tables.items():
        if name not in schema.tables:
            yield reading.unknown_table(f"{source} · {name}", name, schema)
        else:
            columns = [str(column) for column in frame.columns]
            yield from reading.check_header(f"{source} · {name}", schema.tables[name], columns)


def _part(store: Store | None, table: Table, frame: pd.DataFrame, rows: pa.Table, source: str, accept: str) -> _Part:
    there = files.rows_of(store, table) if store is not None and table.name in store.tables else None
    keys = _codes(there, rows, table.key or table.names)
    old, new = np.split(keys, [there.num_rows if there is not None else 0])
    if not table.key:
        rank = pd.Series(new).groupby(new).cumcount().to_numpy()
        fresh = rank >= np.bincount(old, minlength=keys.max(initial=-1) + 1)[new]
        return _Part(table, frame.index, rows, there, np.flatnonzero(fresh), int((~fresh).sum()))
    first = np.full(keys.max(initial=-1) + 1, -1)
    first[keys[::-1]] = np.arange(len(keys))[::-1]  # of equal keys the first stands, and the study's come first
    at = np.arange(len(old), len(keys))
    ours = first[new]  # the row that each is compared with: in the study, or earlier in this intake
    differs = _differing(there, rows, table, frame, at, ours)
    contradicts = np.logical_or.reduce([np.zeros(len(new), bool), *differs.values()])
    # Of rows that contradict each other none is taken, not even the first.
    torn = np.zeros(len(first), bool)
    torn[new[contradicts & (ours >= len(old))]] = True
    held = contradicts | torn[new]
    chosen = differing.taken(accept, there, rows, differs, ours, new)
    held &= ~chosen
    fresh = ~held & ~chosen & (ours == at)
    same = int((~held & ~fresh & ~chosen).sum())
    about = (rows, table, frame.index, source)
    left, changes = (
        differing.listed(there, *about, {name: wrong & which for name, wrong in differs.items()}, ours)
        for which in (~chosen, chosen)
    )
    if chosen.any():
        there = differing.with_changes(there, rows, differs, chosen, ours)
    return _Part(
        table,
        frame.index,
        rows,
        there,
        np.flatnonzero(fresh),
        same,
        int(held.sum()),
        left,
        int(chosen.sum()),
        changes,
    )


def _codes(there: pa.Table | None, rows: pa.Table, columns: tuple[str, ...]) -> np.ndarray:
    """Return a number for each row, the study's first, equal where the columns are; empty equals empty."""
    keys = np.zeros((there.num_rows if there is not None else 0) + rows.num_rows, dtype=np.int64)
    span = 1
    for column in columns:
        codes, count = _column_codes(there, rows, column)
        if span * count >= 1 << 62:
            keys, found = pd.factorize(keys)
            span = len(found)
        keys, span = keys * count + codes, span * count
    return pd.factorize(keys)[0]


def _column_codes(there: pa.Table | None, rows: pa.Table, column: str) -> tuple[np.ndarray, int]:
    """Return a number for each cell of a column, 0 where it is empty, and how many numbers there are."""
    chunks = [*(there[column].chunks if there is not None else ()), *rows[column].chunks]
    whole = pa.chunked_array(chunks, rows[column].type)
    if pa.types.is_floating(whole.type):
        whole = pc.add(whole, 0.0)  # -0.0 is 0.0
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    whole = whole.unify_dictionaries()
    if not len(whole):
        return np.empty(0, np.int64), 1
    codes = np.concatenate([c.indices.fill_null(-1).to_numpy() for c in whole.chunks]).astype(np.int64) + 1
    return codes, len(whole.chunk(0).dictionary) + 1


def _differing(
    there: pa.Table | None, rows: pa.Table, table: Table, frame: pd.DataFrame, at: np.ndarray, ours: np.ndarray
) -> dict[str, np.ndarray]:
    """Tell for each column that is given where a row says something else than the one it is compared with."""
    if (ours == at).all():
        return {}
    given = [name for name in table.names if name not in table.key and name in frame]
    codes = ((name, _column_codes(there, rows, name)[0]) for name in given)
    return {name: code[at] != code[ours] for name, code in codes}


# --- where it stands ------------------------------------------------------------------------------------------------


def _where(index: pd.Index, row: int, source: str, table: str, column: str) -> Text:
    label = index[row]
    if isinstance(label, Place):
        return label.at(column)
    start = f"{source} · {table}"
    return Text(f"{start} · 第 {row + 1} 行 · {column}", f"{start} · row {row + 1} · {column}")


def _misfit(table: str, index: pd.Index, source: str, misfit: Misfit) -> Iterator[Fault]:
    shown = misfit.rows if len(index) and isinstance(index[0], Place) else misfit.rows[:AT_MOST]
    for row in shown.tolist():
        where = _where(index, row, source, table, misfit.column)
        yield Fault(where, misfit.rule, Text("请改正", "Correct it"), masked(misfit.value))
    yield from _more(f"{source} · {table} · {misfit.column}", misfit.rule, len(misfit.rows) - len(shown))


def _more(where: str, rule: Text, rest: int) -> Iterator[Fault]:
    if rest > 0:
        more = Text("另有 {n:,} 行也{rule}", "{n:,} more rows: {rule}").format(n=rest, rule=rule)
        yield Fault(where, more, Text("请一并改正", "Correct them too"))


# --- the merged study -----------------------------------------------------------------------------------------------


def _write(folder: Path, store: Store | None, parts: list[_Part]) -> None:
    """Write the merged study: what does not change is linked, not copied."""
    grown = [part for part in parts if part.grows]
    if store is not None:
        files.carry_over(store.path, folder)
    for part in grown:
        write = files.rewrite if part.changed else files.append
        write(folder, part.table, part.there, part.rows.take(part.add))
    files.describe(folder, files.schema_of(store))


def _validated(folder: Path, parts: list[_Part], source: str) -> list[Finding]:
    """Return every rule that the merged study breaks, each at the row of the frame that breaks it."""
    store = open_store(folder)
    require(*store.faults, error=IntakeError)
    by_name = {part.table.name: part for part in parts if part.grows}
    numbers = {name: files.row_numbers(folder, part.table, part.there) for name, part in by_name.items()}
    found = []
    for broken in findings(store):
        part = by_name.get(broken.table)
        for row, value in broken.rows.itertuples(index=False):
            place = numbers[broken.table](int(row)) if part is not None else None
            given = place is not None and 0 <= place < len(part.add)
            at = int(part.add[place]) if given else None
            where = (
                _where(part.index, at, source, broken.table, broken.column)
                if given
                else Text(
                    "{study} · {table} · 第 {row} 行 · {column}", "{study} · {table} · row {row} · {column}"
                ).format(study=differing.STUDY, table=broken.table, row=row, column=broken.column)
            )
            shown = None if pd.isna(value) else masked(value)
            found.append(Finding(broken.table, broken.column, at, shown, broken.rule, broken.fix, where))
    return found


def _as_faults(found: list[Finding], merged: Merged) -> Iterator[Fault]:
    """Yield what is to be mended; rows that were held back may be why others lack what they refer to."""
    groups: dict[tuple, list[Finding]] = {}
    for finding in found:
        groups.setdefault((finding.table, finding.column, finding.rule), []).append(finding)
    for (table, column, rule), members in groups.items():
        for finding in members[:AT_MOST]:
            yield Fault(finding.where, finding.rule, finding.fix, finding.value)
        yield from _more(f"{table} · {column}", rule, len(members) - AT_MOST)
    if found:
        for row in merged.conflicts.head(AT_MOST).itertuples(index=False):
            rule = Text(
                "与{there}不一致（主键 {key}），这一行没有并入", "contradicts {there} (key {key}) and was left out"
            ).format(there=row.there_in, key=row.key)
            yield Fault(f"{row.source} · {row.table} · {row.column}", rule, _CHECK_BOTH)
