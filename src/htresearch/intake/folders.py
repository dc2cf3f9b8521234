"""The files that paths mean: a folder is the tables in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from htresearch import identifiers
from htresearch.language import Text, listing

TABLES = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".et", ".ett"})
LABELLED = frozenset({".sav", ".dta"})


def tables_in(
    paths: str | Path | Iterable[str | Path], suffixes: Collection[str] = TABLES
) -> tuple[list[Path], list[Path]]:
    """Return the files that are meant, and what stands in their folders beside them.

    Parameters
    ----------
    paths
        A file, a folder, or several of them. Of a folder, files that end in one of `suffixes`, by name; what is
        named itself is taken whatever its ending.
    suffixes
        In small letters.

    Returns
    -------
    tuple of list of Path and list of Path
        Locks that Excel leaves and hidden files are in neither.
    """
    files: list[Path] = []
    beside: list[Path] = []
    for path in [Path(paths)] if isinstance(paths, str | Path) else map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        for inside in sorted(path.iterdir()):
            if not inside.name.startswith(("~$", ".")):
                table = inside.suffix.lower() in suffixes and not inside.is_dir()
                (files if table else beside).append(inside)
    return [path for path in dict.fromkeys(files) if not path.name.startswith("~$")], beside


def not_read(beside: Iterable[Path]) -> Text | None:
    """Say what in the folders was not read."""
    names = [identifiers.mask(path.name) + ("/" if path.is_dir() else "") for path in beside]
    if not names:
        return None
    return Text("文件夹中没有读的 {n} 项：{all}", "{n} items of the folder were not read: {all}").format(
        n=len(names), all=listing(names[:20])
    )
