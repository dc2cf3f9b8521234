"""Files and folders that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text


def write_file(path: str | Path, content: bytes, mode: int = 0o644) -> Path:
    """Write a file under another name in the same folder, then give it its own.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    content
        All of it.
    mode
        Who may read it; 0o600 is the owner alone, from its first byte on.

    Examples
    --------
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_file(folder / "a.txt", b"whole").read_bytes()
    b'whole'
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp keeps others out; a report is for colleagues to read.
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


@contextmanager
def new_folder(path: str | Path, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a folder to write in that takes the place of `path` when the block ends well.

    Parameters
    ----------
    path
        The folder to make. One that exists is replaced only if it is empty or an earlier result: a mistyped path
        must not cost anyone their files.
    ours
        Says whether a folder is an earlier result.

    Raises
    ------
    ArgumentError
        If `path` holds something else.
    """
    path = Path(path).absolute()
    require_free(path, ours)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    fresh.chmod(0o755)
    try:
        yield fresh
        if not path.exists():
            fresh.rename(path)
            return
        old = fresh.with_name(f"{fresh.name}-old")
        path.rename(old)
        try:
            fresh.rename(path)
        except BaseException:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def require_free(path: str | Path, ours: Callable[[Path], bool]) -> None:
    """Refuse a folder that `new_folder` would refuse, before the work that is to go into it.

    If a process was killed at the very moment when one folder took the other's place, the earlier one is put back.

    Raises
    ------
    ArgumentError
        If `path` holds something else than an earlier result.
    """
    path = Path(path).absolute()
    if not path.exists():
        for old in sorted(path.parent.glob(f".{path.name}-*-old")):
            if ours(old):
                old.rename(path)
                break
    checks.require(_taken(path, ours))


def _taken(path: Path, ours: Callable[[Path], bool]) -> Fault | None:
    if not path.exists() or (path.is_dir() and (not any(path.iterdir()) or ours(path))):
        return None
    return Fault(
        str(path),
        Text("已有别的内容，不会覆盖", "holds something else and is not overwritten"),
        Text("请换一个文件夹名", "Choose another folder"),
    )
