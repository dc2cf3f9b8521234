"""Runs that are kept, so that a site whose making was cut short, or of which little changed, is soon made again.

A run is known by everything that could make it come out otherwise: the notebook's bytes, the language, the
parameters, the code of this package, the versions of every package, and the content of the files that the notebook
names or that lie beside it. Where that cannot be told, the run isn't kept.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from htresearch import atomic

#: A notebook that names a folder of more files than this is run every time.
MOST_FILES = 5000


class Kept:
    """A folder of finished runs.

    Parameters
    ----------
    folder
        Where the runs are; it is made when the first is kept. Of each notebook and language one run stays.
    parameters
        The values that every notebook is given.
    figure_data
        What kernels are told of the data behind figures: rules as JSON, an empty text for no check; None keeps none.

    Examples
    --------
    >>> import tempfile
    >>> Kept(Path(tempfile.mkdtemp()) / "runs").get("20_dose-zh", None) is None
    True
    """

    def __init__(self, folder: Path, parameters: Mapping[str, object] | None = None, figure_data: str | None = ""):
        self.folder = folder
        self.figure_data = figure_data
        self._parameters = {name: repr(value) for name, value in (parameters or {}).items()}
        self._paths = [str(v) for v in (parameters or {}).values() if isinstance(v, str | Path)]
        self._digests: dict[tuple[Path, int, int], str] = {}

    def key(self, path: Path, language: str) -> str | None:
        """Return what a run is known by, or ``None`` where it cannot be told what it depends on."""
        content = path.read_bytes()
        named = _named(content)
        if named is None:
            return None
        seen = [self._tree(path.parent, without=".ipynb")]
        for place in sorted({*named, *self._paths} - {"/"}):
            seen.append(self._place(path.parent, place))
        if None in seen:
            return None
        given = [language, self._parameters, self.figure_data]
        told = [hashlib.sha256(content).hexdigest(), *given, _surroundings(), seen]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def get(self, name: str, key: str | None) -> NotebookNode | None:
        """Return the run of that key, or ``None``; a file that was spoiled counts as none."""
        if key is None:
            return None
        try:
            kept = (self.folder / f"{name}-{key[:32]}.ipynb").read_bytes()
            digest, _, content = kept.partition(b"\n")
            if digest.decode() != hashlib.sha256(content).hexdigest():
                return None
            return nbformat.reads(content.decode("utf-8"), as_version=4)
        except (OSError, ValueError):
            return None

    def put(self, name: str, key: str | None, content: bytes) -> None:
        """Keep a run, in place of the one that was kept for the same notebook and language."""
        if key is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / f"{name}-{key[:32]}.ipynb"
        atomic.write_file(fresh, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        for old in self.folder.glob(f"{name}-{'?' * 32}.ipynb"):
            if old != fresh:
                old.unlink(missing_ok=True)

    def _place(self, folder: Path, place: str) -> str | None:
        """Return the digest of what a word of the notebook names or begins to name, if anything is there at all."""
        place = re.split(r"[*?\[]", place)[0]
        try:
            found = (folder / place).resolve()
            if not place or found == folder.resolve():
                return ""
            if found.exists():
                return self._any(found)
            if "/" not in place:
                return ""
            begun = [path for path in found.parent.glob("*") if path.name.startswith(found.name)]
        except (OSError, ValueError):
            return ""
        digests = [self._any(path) for path in sorted(begun)]
        return None if None in digests else " ".join(map(str, digests))

    def _any(self, path: Path) -> str | None:
        return self._tree(path) if path.is_dir() else self._file(path)

    def _tree(self, folder: Path, without: str = "") -> str | None:
        digests = {}
        for number, path in enumerate(_files(folder)):
            if number >= MOST_FILES:
                return None
            if path.suffix != without:
                digests[path.relative_to(folder).as_posix()] = self._file(path)
        return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()

    def _file(self, path: Path) -> str:
        try:
            state = path.stat()
            known = (path, state.st_size, state.st_mtime_ns)
            if known not in self._digests:
                with path.open("rb") as file:
                    self._digests[known] = hashlib.file_digest(file, "sha256").hexdigest()
            return self._digests[known]
        except OSError as error:  # a link that leads nowhere, a file that may not be read
            return type(error).__name__


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__pycache__")
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))


def _named(content: bytes) -> set[str] | None:
    """Return every text that stands in the code: the paths that a notebook reads are among them."""
    found: set[str] = set()
    try:
        notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                # A magic runs what cannot be seen from here: as it is no Python, such a notebook is not kept.
                nodes = ast.walk(ast.parse(cell.source))
                found |= {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    except (SyntaxError, ValueError):
        return None
    return {text for text in found if len(text) < 1000 and "\n" not in text}


@cache
def _surroundings() -> str:
    """Return a digest of the code that runs: this package's own files, every package's version, Python's."""
    told = [sys.version, platform.platform(), os.environ.get("PYTHONPATH", "")]
    told += sorted(f"{d.metadata['Name']} {d.version}" for d in distributions())
    source = Path(str(files("htresearch")))
    for path in _files(source):
        told += [path.relative_to(source).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
