"""Schools' workbooks taken into a study: read, joined to what is there, with a receipt of what was done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch.atomic import new_folder
from htresearch.intake import files
from htresearch.intake.merge import Merged, merge
from htresearch.intake.place import Place
from htresearch.intake.receipt import Exclusion, Receipt
from htresearch.intake.school.ledger import Spot
from htresearch.intake.school.reading import Books, files_of, read_workbooks
from htresearch.intake.school.roster import Roster
from htresearch.intake.workbook import cell
from htresearch.language import Text, label
from htresearch.study.open import open_study

if TYPE_CHECKING:
    import pandas as pd

_ADDED = Text("{table}：新增", "{table}: added")
_SAME = Text("{table}：已有", "{table}: known already")
_CHANGED = Text("{table}：已按要求改动", "{table}: changed as asked")
_HELD = Text("{table}：有矛盾，未并入", "{table}: contradicting, left out")
_TITLE = Text("并入研究的行", "Rows joined to the study")


@dataclass(frozen=True, eq=False)
class TakenIn:
    """What an intake of schools' workbooks did.

    Attributes
    ----------
    books : Books
        What the workbooks hold.
    merged : Merged
        What became of it; ``merged.conflicts`` lists where the study says otherwise.
    receipt : Receipt
        Both in words and figures, without any name.
    """

    books: Books
    merged: Merged
    receipt: Receipt


def take_in(
    paths: str | Path | Iterable[str | Path],
    study: str | Path,
    roster: Roster,
    measures: Mapping[str, Mapping] | None = None,
    *,
    accept: str = "nothing",
) -> TakenIn:
    """Take schools' workbooks into a study.

    What the study has is not overwritten unless `accept` says so; taking the same workbooks in twice changes
    nothing. One thing is filled in: where a list shows that a spell is over which the study has without an end, it
    is ended.

    Parameters
    ----------
    paths, roster, measures
        As in `htresearch.intake.school.reading.read_workbooks`.
    study
        The folder of a study with schools, terms, classes, teachers and, for scores, pupils.

    Returns
    -------
    TakenIn

    Raises
    ------
    IntakeError
        If a sheet cannot be understood, or the study would break a rule; the study stays as it was.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    listed, _ = files_of(paths)
    books = read_workbooks(paths, open_study(study), roster, measures)
    source = ", ".join(roster.hide(path.name) for path in listed[:3])
    source += f" (+{len(listed) - 3})" if len(listed) > 3 else ""
    tables = {name: _placed(frame, books.places.get(name)) for name, frame in books.tables.items()}
    path = files.resolve(Path(study))
    if books.ended is None:
        merged = merge(path, tables, source, accept=accept)
    else:
        with new_folder(path, ours=lambda _: True) as fresh:
            files.carry_over(path, fresh)
            _end_spells(fresh, books.ended)
            merged = merge(fresh, tables, source, accept=accept)
    return TakenIn(books, merged, _receipt(listed, source, books, merged))


# --- where rows stand ---------------------------------------------------------------------------------------------


class _OneCell(Mapping[str, str]):
    """The cell of a row, whichever column is asked for."""

    __slots__ = ("spot",)

    def __init__(self, spot: Spot):
        self.spot = spot

    def __getitem__(self, column: str) -> str:
        return cell(self.spot.row, self.spot.column)

    def __contains__(self, column: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


def _placed(frame: pd.DataFrame, spots: list[Spot] | None) -> pd.DataFrame:
    """Return a frame whose index says where each row was read."""
    import pandas as pd

    if not spots:
        return frame
    places = [Place(s.where.file, s.where.sheet, s.row + 1, _OneCell(s)) for s in spots]
    return frame.set_axis(pd.Index(places, dtype=object), axis=0)


# --- spells that are over -------------------------------------------------------------------------------------------


def _end_spells(folder: Path, ended: pd.DataFrame) -> None:
    """Fill in the end of spells that the study has without one; their table is written anew."""
    import pyarrow as pa

    store = files.open_folder(folder)
    table = store.schema.tables["appointments"]
    rows = files.rows_of(store, table)
    ends = {tuple(row[:4]): row[4:] for row in ended.itertuples(index=False, name=None)}
    written = rows.to_pylist()
    for row in written:
        found = ends.get(tuple(row[name] for name in table.key))
        if found is not None and row["ends_on"] is None:
            row["ends_on"], row["reason_ended"] = found[0], row["reason_ended"] or found[1]
    made = pa.Table.from_pylist(written, rows.schema)
    files.rewrite(folder, table, made, made.slice(0, 0))


# --- the receipt ----------------------------------------------------------------------------------------------------


def _receipt(listed: list[Path], source: str, books: Books, merged: Merged) -> Receipt:
    digest = hashlib.sha256()
    for path in listed:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    counts: dict[Text | str, int] = {}
    for name in merged.added:
        parts = ((_ADDED, merged.added), (_SAME, merged.same), (_CHANGED, merged.changed), (_HELD, merged.held))
        counts |= {text.format(table=label(name)): rows[name] for text, rows in parts if rows[name]}
    findings = list(books.findings)
    if len(merged.conflicts):
        where = tuple(merged.conflicts["source"].astype(str))
        findings.append(Exclusion(_CONFLICTS, len(where), where[:500]))
    if len(merged.changes):
        where = tuple(merged.changes["source"].astype(str))
        findings.append(Exclusion(_TAKEN, len(where), where[:500]))
    if books.ended is not None:
        findings.append(Exclusion(_ENDED, len(books.ended)))
    content = digest.hexdigest()
    return Receipt(
        source,
        content,
        books.rows_in,
        books.rows_kept,
        books.exclusions,
        books.notes,
        {_TITLE: counts},
        tuple(findings),
    )


_CONFLICTS = Text("与研究中已有的记录矛盾，未并入", "contradict what the study has, and were left out")
_TAKEN = Text(
    "研究中已有的记录按这里所写的改动了", "cells of the study that were changed to what stands here, as asked"
)
_ENDED = Text(
    "研究中没有结束日期的任职，按名单补上了结束日期",
    "spells that the study had without an end, ended as the lists show",
)
