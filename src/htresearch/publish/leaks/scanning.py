"""The scan: every piece of every file, and the files' names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault, NotebookError
from htresearch.language import Text, label
from htresearch.publish.leaks import pieces, small_cells
from htresearch.publish.leaks.prose import says_few
from htresearch.publish.leaks.secrets import Secrets

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True)
class Leak:
    """Something that may not get out: where it stands and of which kind it is, never what it is.

    Attributes
    ----------
    file : str
        The file; where its name itself says too much, with marks in it.
    where : Text
        The cell and the output, the page of a PDF, the file's name …
    kind : str
        One of `htresearch.identifiers.KINDS`, or ``"pseudonym"``, ``"study_id"``, ``"known_number"``, ``"path"``,
        ``"small_cell"``, ``"unreadable"``.
    """

    file: str
    where: Text
    kind: str

    @property
    def fault(self) -> Fault:
        """The leak as a fault, which stops what is being done."""
        what = label(self.kind, within="identifier")
        if self.kind == "unreadable":
            rule = Text("无法检查里面有没有身份信息", "cannot be searched for what identifies somebody")
        else:
            rule = Text(f"含有{what.zh}", f"holds what may not get out: {what.en}")
        place = Text(f"{self.file}，{self.where.zh}", f"{self.file}, {self.where.en}") if self.where.zh else self.file
        return Fault(place, rule, _FIX.get(self.kind, _FIX[""]))


_FIX = {
    "": Text(
        "请从数据或代码中除去，重新运行后再发布；此处有意不重复原文",
        "Take it out of the data or the code, run again and then publish; it is not repeated here on purpose",
    ),
    "path": Text(
        "请改用相对于笔记本的路径，重新运行后再发布",
        "Use a path relative to the notebook, run again and then publish",
    ),
    "small_cell": Text(
        "请用 htresearch.disclosure 检查过的表；若数的不是人，给单元格加上标签 no-persons",
        "Show a table checked by htresearch.disclosure; if it counts no persons, tag the cell no-persons",
    ),
    "unreadable": Text(
        "请去掉密码或换一种格式（PDF、PNG、HTML、CSV），或不发布这个文件",
        "Take off its password or use another format (PDF, PNG, HTML, CSV), or leave it out",
    ),
}


def scan(
    paths: str | Path | Iterable[str | Path], secrets: Secrets | None = None, small_counts: bool = True
) -> tuple[Leak, ...]:
    """Search files that are to be published for what says who somebody is.

    Parameters
    ----------
    paths
        Files, or folders with all that is in them: notebooks, pages, CSV, PDF, images, Word and Excel files, and
        anything that is text. What cannot be read is a leak of the kind ``"unreadable"``.
    secrets
        Names and ids to be searched for; what is known by its form is found in any case.
    small_counts
        Whether tables of fewer than ten persons, printed by hand, are leaks.

    Returns
    -------
    tuple of Leak
        In the order of the files; each kind once for each place. The pixels of images are not read.

    Raises
    ------
    ArgumentError
        If a path does not exist.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.scan("notebooks")
    ()
    """
    secrets = secrets or Secrets()
    given = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    checks.require(*(_missing(path) for path in given))
    found: dict[Leak, None] = {}
    for top in given:
        files = sorted(path for path in top.rglob("*") if path.is_file()) if top.is_dir() else [top]
        for path in files:
            name = path.relative_to(top).as_posix() if top.is_dir() else path.name
            found.update(dict.fromkeys(scan_content(name, path.read_bytes(), secrets, small_counts)))
    return tuple(found)


def scan_content(
    name: str, content: bytes, secrets: Secrets | None = None, small_counts: bool = True
) -> Iterator[Leak]:
    """Search the content of one file that is to have this name; see `scan`."""
    secrets = secrets or Secrets()
    for kind in secrets.kinds(name):
        yield Leak(secrets.mask(name), Text("文件名", "the file's name"), kind)
    yield from _scan_pieces(secrets.mask(name), pieces.of_file(name, content), secrets, small_counts)


def scan_notebook(
    notebook: NotebookNode, name: str, secrets: Secrets | None = None, small_counts: bool = True
) -> tuple[Leak, ...]:
    """Search a notebook that has been run; see `scan`."""
    secrets = secrets or Secrets()
    shown = secrets.mask(name)
    found = [Leak(shown, Text("文件名", "the file's name"), kind) for kind in secrets.kinds(name)]
    found += _scan_pieces(shown, pieces.of_notebook(notebook), secrets, small_counts)
    return tuple(dict.fromkeys(found))


def refuse(leaks: Iterable[Leak]) -> None:
    """Stop at leaks.

    Raises
    ------
    NotebookError
        With all of them; the message says where each stands and of which kind it is, and repeats none.
    """
    checks.require(*(leak.fault for leak in dict.fromkeys(leaks)), error=NotebookError)


def _scan_pieces(name: str, found: Iterable[pieces.Piece], secrets: Secrets, small_counts: bool) -> Iterator[Leak]:
    seen = set()
    for piece in found:
        kinds = ["unreadable"] if piece.text is None else secrets.kinds(piece.text)
        if piece.table and piece.text is not None:
            page = piece.table.removeprefix("html:") if piece.table.startswith("html:") else None
            kinds = [*kinds, *small_cells.persons(page or piece.text, "text" if page is None else "html")]
            if small_counts and _shows_small_count(piece):
                kinds = [*kinds, "small_cell"]
        for kind in kinds:
            if (piece.where, kind) not in seen:
                seen.add((piece.where, kind))
                yield Leak(name, piece.where, kind)


def _shows_small_count(piece: pieces.Piece) -> bool:
    text = piece.text or ""
    if piece.table.startswith("html:"):
        return small_cells.in_html(piece.table.removeprefix("html:"))
    if piece.table == "csv":
        return small_cells.in_csv(text)
    if piece.table == "markdown":
        return small_cells.in_markdown(text) or says_few(text) or ("<table" in text and small_cells.in_html(text))
    if piece.table == "latex":
        return small_cells.in_latex(text)
    if piece.table == "words":
        return small_cells.in_sentences(text)
    return small_cells.in_text(text)


def _missing(path: Path) -> Fault | None:
    if path.exists():
        return None
    return Fault(
        checks.argument("paths"),
        Text("没有这个文件或文件夹", "there is no such file or folder"),
        Text("请检查路径", "Check the path"),
        Secrets().mask(path.name),
    )
