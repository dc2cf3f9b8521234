"""Where a row says something else than the study, listed cell by cell; and which of that is taken on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from htresearch.intake.place import Place
from htresearch.language import Text
from htresearch.study.schema import Table

#: Columns of the list of conflicts.
COLUMNS = ("table", "key", "column", "there", "new", "source", "there_in")
#: What may be taken where a row says something else than the study.
ACCEPT = ("nothing", "empty", "new")
#: What stands in `there_in` where the study itself says otherwise.
STUDY = Text("研究", "the study")


def nothing() -> pd.DataFrame:
    """Return a list without a conflict."""
    return pd.DataFrame({column: [] for column in COLUMNS}, dtype=object)


def listed(
    there: pa.Table | None,
    rows: pa.Table,
    table: Table,
    index: pd.Index,
    source: str,
    differs: Mapping[str, np.ndarray],
    ours: np.ndarray,
) -> pd.DataFrame:
    """Return a row for each cell that says something else than the row it is compared with.

    Parameters
    ----------
    there, rows
        The study's rows and the new ones.
    table, index, source
        What they are of, and where each new row was read.
    differs
        By column, which of the new rows differ.
    ours
        The row that each new one is compared with, the study's first.
    """
    known = there.num_rows if there is not None else 0
    frames = []
    for column, wrong in differs.items():
        at = np.flatnonzero(wrong)
        if not len(at):
            continue
        new = rows.take(at)
        key = pd.Series("", index=range(len(at)), dtype=object)
        for number, part in enumerate(table.key):
            said = new[part].cast(pa.string()).to_pandas().fillna("").astype(object)
            key = key + (" · " if number else "") + said
        other = [
            there[column][i].as_py() if i < known else rows[column][i - known].as_py() for i in ours[at].tolist()
        ]
        named = [_source(index, i, source, column) for i in at.tolist()]
        place = [_source(index, i - known, source, column) if i >= known else str(STUDY) for i in ours[at].tolist()]
        made = (table.name, key, column, other, new[column].to_pylist(), named, place)
        frame = pd.DataFrame(dict(zip(COLUMNS, made, strict=True)), dtype=object)
        frames.append(frame.assign(_row=at))
    if not frames:
        return nothing()
    return pd.concat(frames).sort_values("_row", kind="stable").drop(columns="_row").reset_index(drop=True)


def _source(index: pd.Index, row: int, source: str, column: str) -> str:
    label = index[row]
    return str(label.at(column)) if isinstance(label, Place) else source


# --- what is taken on request ---------------------------------------------------------------------------------------


def taken(
    accept: str,
    there: pa.Table | None,
    rows: pa.Table,
    differs: Mapping[str, np.ndarray],
    ours: np.ndarray,
    groups: np.ndarray,
) -> np.ndarray:
    """Tell which rows may change the study's own.

    An empty cell never takes a value's place, and of rows with one key that say different things none is taken.

    Parameters
    ----------
    accept
        One of `ACCEPT`: what the study leaves empty (``"empty"``), or whatever a row says (``"new"``).
    there, rows, differs, ours
        As in `listed`.
    groups
        A number for each new row, equal where its key is.
    """
    known = there.num_rows if there is not None else 0
    found = np.zeros(rows.num_rows, bool)
    if accept == "nothing" or not known or not differs:
        return found
    found = np.logical_or.reduce(list(differs.values())) & (ours < known)
    at = np.flatnonzero(found)
    for column, wrong in differs.items():
        said = pc.is_valid(rows[column].take(at)).to_numpy()
        empty = pc.is_null(there[column].take(ours[at])).to_numpy()
        found[at] &= ~wrong[at] | (said & (empty | (accept == "new")))
    if found.any():
        cells = pd.DataFrame({name: rows[name].cast(pa.string()).to_pandas() for name in differs}).fillna("")
        found &= cells.groupby(groups).nunique().max(axis=1).le(1).loc[groups].to_numpy()
    return found


def with_changes(
    there: pa.Table, rows: pa.Table, differs: Mapping[str, np.ndarray], chosen: np.ndarray, ours: Sequence[int]
) -> pa.Table:
    """Return the study's rows with what the chosen new ones say in the columns in which they differ."""
    made = there
    for column, wrong in differs.items():
        at = np.flatnonzero(chosen & wrong)
        if not len(at):
            continue
        places, first = np.unique(np.asarray(ours)[at], return_index=True)
        mask = np.zeros(there.num_rows, bool)
        mask[places] = True
        kind = there[column].type
        plain = pa.string() if pa.types.is_dictionary(kind) else kind
        values = rows[column].take(at[first]).cast(plain).combine_chunks()
        changed = pc.replace_with_mask(there[column].cast(plain).combine_chunks(), pa.array(mask), values)
        whole = changed.dictionary_encode() if pa.types.is_dictionary(kind) else changed
        made = made.set_column(made.schema.get_field_index(column), column, whole)
    return made
