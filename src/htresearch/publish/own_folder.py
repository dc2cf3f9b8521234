"""A folder of reports that leave the machine: it is ours alone, and nothing gets into it unsearched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from htresearch import atomic, checks
from htresearch.errors import Fault
from htresearch.language import Text, current
from htresearch.publish import leaks
from htresearch.publish.leaks import Secrets

#: The page that an earlier run left, in which its mark stands.
INDEX = "index.html"


@dataclass(frozen=True)
class Listed:
    """Reports that were written, and the page that lists them.

    Attributes
    ----------
    index : pathlib.Path
        The page that lists them.
    written : tuple of pathlib.Path
        Their files.
    """

    index: Path
    written: tuple[Path, ...]
    _said: ClassVar[Text] = Text("写了 {n} 份报告：{index}", "{n} reports written: {index}")

    def __str__(self) -> str:
        n = len({path.stem for path in self.written})
        return str(self._said.format(n=n, index=self.index))


def in_the_way(out: Path, mark: str) -> Fault | None:
    """Refuse a folder in which others keep their things; `mark` is what our own page holds."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    index = out / INDEX
    if index.is_file() and mark in index.read_text(encoding="utf-8", errors="replace")[:2000]:
        return None
    return Fault(
        checks.argument("out"),
        Text("已有别的内容，不会往里面写", "holds something else, and nothing is written among it"),
        Text("请换一个新的文件夹", "Choose a new folder"),
        out.name,
    )


def put(
    folder: Path, contents: Mapping[str, bytes], secrets: Secrets | None = None, own: Iterable[object] = ()
) -> tuple[Path, ...]:
    """Search files for what says who somebody is, and write them if there is nothing: all of them, or none.

    Small counts are no find here: a report on one's own class, school or work is internal, and how few persons may
    stand behind a number is settled where the number is made.

    Parameters
    ----------
    folder
        Where they go.
    contents
        The files by their names.
    secrets
        Names and ids to be searched for, beside what is known by its form.
    own
        Ids that may stand in these files, as they are whom the report is about.

    Raises
    ------
    NotebookError
        With every find: in which file and where it stands and of which kind it is, not what it is.

    Examples
    --------
    >>> import tempfile
    >>> put(Path(tempfile.mkdtemp()), {"T000104.txt": b"T000104"}, own=["T000104"])[0].name
    'T000104.txt'
    """
    searched = (secrets or Secrets()).sparing(own)
    leaks.refuse(
        leak
        for name, content in contents.items()
        for leak in leaks.scan_content(name, content, searched, small_counts=False)
    )
    return tuple(atomic.write_file(folder / name, content) for name, content in contents.items())


def put_index(
    folder: Path,
    mark: str,
    title: Text,
    count: Text,
    head: Sequence[str],
    lines: Sequence[tuple[str, Sequence[str], Sequence[tuple[str, str]]]],
    failed: Sequence[tuple[str, Sequence[Fault]]] = (),
    secrets: Secrets | None = None,
    own: Iterable[object] = (),
) -> Path:
    """Write the page that lists the reports, in the language now spoken.

    Parameters
    ----------
    folder, mark
        Where it goes, and what tells that the folder is ours.
    title, count
        At its head.
    head, lines
        The columns, and a line for each report: its first cell, the others, and links by name and address.
    failed
        Files without a report, and what is wrong with each; what may not get out is masked there.
    secrets, own
        As for `put`.
    """
    from htresearch.publish.class_report.html import render

    searched = (secrets or Secrets()).sparing(own)
    page = render(
        "listed.html",
        current(),
        mark=mark,
        title=str(title),
        count=str(count),
        head=head,
        lines=lines,
        failed=[(searched.mask(name), [searched.mask(str(fault)) for fault in faults]) for name, faults in failed],
        say=lambda zh, en: str(Text(zh, en)),
    )
    return put(folder, {INDEX: page.encode()}, searched)[0]
