"""What became different between two versions of a study: rows added, corrected, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.study.open import Study

COLUMNS = ("table", "key", "change", "column", "old", "new", "teacher_id")


@dataclass(frozen=True, eq=False)
class Changes:
    """What became different between two versions of a study.

    Attributes
    ----------
    frame : pandas.DataFrame
        table, key (as text), change (``"added"``, ``"corrected"``, ``"withdrawn"``), for a correction column, old and
        new value (as text), and teacher_id where the row is about one.
    counts : pandas.DataFrame
        By table, rows added, corrected and withdrawn; a row corrected in two columns counts once.
    note : tuple of Text
        Tables that only one version has.
    """

    frame: pd.DataFrame
    counts: pd.DataFrame
    note: tuple[Text, ...] = ()

    def tidy(self) -> pd.DataFrame:
        """Return a row for each row added or withdrawn and each value corrected."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return the numbers of rows by table."""
        return self.counts.copy()

    def of(self, teacher_id: str) -> pd.DataFrame:
        """Return what changed about one teacher."""
        return self.frame[self.frame["teacher_id"] == teacher_id].reset_index(drop=True)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.appearance import table

        return table(self.counts, note=str(Text("", " ")).join(map(str, self.note)))._repr_mimebundle_(
            include, exclude
        )


def changes(old: Study, new: Study, tables: Sequence[str] | None = None) -> Changes:
    """List what was added, corrected and withdrawn between two versions of a study.

    Rows are matched by the key of their table; in a table without one (activities) equal rows are counted.

    Parameters
    ----------
    old, new
        The versions.
    tables
        Which tables; all that either version has unless given.

    Returns
    -------
    Changes

    Raises
    ------
    ArgumentError
        If a name is no table of any study.

    Examples
    --------
    >>> import htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> len(ht.corps.changes(study, study, tables=["schools", "tiers"]).tidy())
    0
    """
    from htresearch.checks import one_of, require

    known = old.store.schema.tables
    require(*(one_of("tables", name, tuple(known)) for name in tables or ()))
    asked = [name for name in known if (tables is None or name in tables)]
    frames, counts, note = [], [], []
    for name in asked:
        there = [name in study.tables for study in (old, new)]
        if not any(there):
            continue
        if not all(there):
            gone = there[0]
            zh, en = (
                ("新版本没有 {t} 表", "the new version lacks the table {t}")
                if gone
                else ("旧版本没有 {t} 表", "the old version lacks the table {t}")
            )
            note.append(Text(zh, en).format(t=name))
        before, after = (_rows_of(study, name, has) for study, has in zip((old, new), there, strict=True))
        found = _compared(before, after, list(known[name].key)) if known[name].key else _counted(before, after)
        frames.append(found.assign(table=name))
        each = found.drop_duplicates(["key", "change"])["change"].value_counts()
        counts.append({"table": name, **{c: int(each.get(c, 0)) for c in ("added", "corrected", "withdrawn")}})
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    summary = pd.DataFrame(counts, columns=["table", "added", "corrected", "withdrawn"])
    return Changes(frame.reindex(columns=list(COLUMNS)), summary, tuple(note))


def _rows_of(study: Study, name: str, there: bool) -> pd.DataFrame:
    """Return a table with plain columns; empty where the study lacks it."""
    columns = study.store.schema.tables[name].names
    if not there:
        return pd.DataFrame(columns=list(columns), dtype=object)
    return study.table(name).collect("pandas").to_native().reindex(columns=list(columns))


def _written(value: object) -> str | None:
    """Write a value one way, whatever holds it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else str(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _key(rows: pd.DataFrame, key: list[str]) -> pd.Series:
    written = [[_written(value) or "" for value in row] for row in rows[key].itertuples(index=False)]
    return pd.Series([" · ".join(row) for row in written], index=rows.index, dtype=object)


def _compared(before: pd.DataFrame, after: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Match rows by their key."""
    both = before.merge(after, on=key, how="outer", indicator=True, suffixes=("", "\0new"))
    frames = []
    for side, change in (("right_only", "added"), ("left_only", "withdrawn")):
        rows = both[both["_merge"] == side]
        frames.append(_rows(rows, key, change))
    shared = both[both["_merge"] == "both"]
    for column in (c for c in before.columns if c not in key):
        old, new = shared[column], shared[column + "\0new"]
        differ = ((old != new).fillna(True) & ~(old.isna() & new.isna())).astype(bool)
        frames.append(
            _rows(shared[differ], key, "corrected", column, old[differ].map(_written), new[differ].map(_written))
        )
    return pd.concat(frames, ignore_index=True)


def _rows(rows: pd.DataFrame, key: list[str], change: str, column: str = "", old=None, new=None) -> pd.DataFrame:
    about = rows.get("teacher_id", pd.Series(None, index=rows.index, dtype=object))
    if "teacher_id\0new" in rows:  # not part of the key, so it stands on one side only
        about = about.fillna(rows["teacher_id\0new"])
    values = {"key": _key(rows, key), "change": change, "column": column, "old": old, "new": new, "teacher_id": about}
    return pd.DataFrame(values, index=rows.index)


def _counted(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare how often each row stands in a table without a key."""
    columns = list(before.columns)
    counts = [frame.value_counts(sort=False, dropna=False) for frame in (before, after)]
    more = counts[1].sub(counts[0], fill_value=0).astype(int)
    more = more[more != 0]
    rows = more.index.to_frame(index=False).loc[lambda f: f.index.repeat(more.abs().to_numpy())]
    change = pd.Series(["added" if n > 0 else "withdrawn" for n in more for _ in range(abs(n))], dtype=object)
    rows = rows.reset_index(drop=True)
    return pd.DataFrame(
        {
            "key": _key(rows, columns),
            "change": change,
            "column": "",
            "old": None,
            "new": None,
            "teacher_id": rows.get("teacher_id"),
        }
    )
