"""Filled forms, taken in."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from htresearch.cli.progress import working
from htresearch.errors import HTResearchError
from htresearch.language import Text, label

if TYPE_CHECKING:
    from htresearch.intake.merge import Merged


def take_in_forms(paths: list[Path], study: Path, accept: str) -> int:
    """Take forms in and say what has changed; return the exit status."""
    from htresearch.intake import forms, merge

    with working(Text("正在读入填好的表……", "Reading filled forms …")):
        read = forms.read(paths, study, accept=accept)
    if read.faults:
        typer.echo(str(HTResearchError(*read.faults)))
        return 1
    merged = merge(study, read.tables, ", ".join(path.name for path in paths[:3]), accept=accept)
    for note in read.notes:
        typer.echo(str(note))
    for table in merged.added:
        typer.echo(_counts(merged, table))
    for title, cells in ((_CHANGED, merged.changes), (_LEFT, merged.conflicts)):
        if len(cells):
            typer.echo(str(title))
            typer.echo(cells.to_string(index=False))
    return 0


def _counts(merged: "Merged", table: str) -> str:
    counts = Text(
        "{table}：新增 {added} 行，已有 {same} 行，有矛盾未并入 {held} 行",
        "{table}: {added} rows added, {same} known already, {held} contradicting and left out",
    )
    numbers = {"added": merged.added[table], "same": merged.same[table], "held": merged.held[table]}
    changed = merged.changed[table]
    more = Text(f"，改动 {changed} 行", f", {changed} changed") if changed else ""
    return f"{counts.format(table=label(table), **numbers)}{more}"


_CHANGED = Text("研究中已有的记录，按要求改动：", "Changed in the study, as asked:")
_LEFT = Text(
    "与研究已有的记录不同，未并入（核对后，可用 --accept empty 补上空着的，或用 --accept new 以新写的为准）：",
    "Different from the study and left out (once checked, --accept empty fills in what is empty there, --accept new "
    "takes what is new):",
)
