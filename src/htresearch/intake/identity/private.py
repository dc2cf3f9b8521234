"""Files that only their owner may read, and that never lie where they would be handed on."""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
from pathlib import Path

from htresearch import atomic, checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text

POSIX = os.name == "posix"
OWNER_ONLY = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_WINDOWS = Text(
    "Windows 上无法确认别人读不到 {path}：请把它放在自己的用户文件夹里，不要放进共享文件夹或网盘",
    "On Windows it cannot be made sure that nobody else reads {path}: keep it in your own user folder, not in a "
    "shared one or on a cloud drive",
)


def place(path: str | Path, study: str | Path | None = None) -> Path:
    """Return where a private file lies or will lie; refuse a study and a git repository.

    Raises
    ------
    ArgumentError
        If `path` lies in `study`, in any folder with a study, or in a git repository.
    """
    path = Path(path).expanduser().absolute()
    real = path.resolve()
    inside = [folder for folder in real.parents if _is_study(folder)]
    if study is not None and Path(study).resolve() in (real, *real.parents):
        inside.append(Path(study))
    repositories = [folder for folder in real.parents if _is_repository(folder)]
    elsewhere = Text(
        "请放到研究和仓库之外、只有自己能读的文件夹，例如用户文件夹下的 htresearch-keys",
        "Put it in a folder outside both that only you can read, such as htresearch-keys in your home folder",
    )
    checks.require(
        Fault(str(path), Text("不能放在研究文件夹里", "may not lie in a study"), elsewhere) if inside else None,
        Fault(
            str(path),
            Text(f"不能放在 git 仓库里（{repositories[0]}）", f"may not lie in a git repository ({repositories[0]})"),
            elsewhere,
        )
        if repositories
        else None,
    )
    return path


def _is_study(folder: Path) -> bool:
    tables = ("schools", "teachers", "classes", "responses")
    return (folder / "datapackage.json").exists() or (
        sum((folder / f"{name}.{end}").exists() for name in tables for end in ("parquet", "csv")) > 1
    )


def _is_repository(folder: Path) -> bool:
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return bare or (folder / ".git").exists()


def create(path: Path, content: bytes) -> tuple[Text, ...]:
    """Write a new private file and return what this system could not do to keep others out.

    Raises
    ------
    ArgumentError
        If the file is there already, or if the drive cannot keep others from reading it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), OWNER_ONLY)
    except FileExistsError:
        checks.require(
            Fault(
                str(path),
                Text("已有这个文件，不会覆盖", "is there already and is not overwritten"),
                Text("要用它，请用 Key.open；要新的，请换一个文件名", "Use it with Key.open, or choose another name"),
            )
        )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return _close(path)
    except (ArgumentError, OSError):  # no file that is not whole, or open to others, is left
        path.unlink()
        raise


def write(path: Path, content: bytes) -> tuple[Text, ...]:
    """Write a private file, replacing the one that is there; see `create`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic.write_file(path, content, OWNER_ONLY)
    return _close(path)


def read(path: Path, missing: Text) -> bytes:
    """Read a private file.

    Raises
    ------
    ArgumentError
        If there is none (`missing` says what to do), or if others may read it.
    """
    checks.require(
        None if path.is_file() else Fault(str(path), Text("没有这个文件", "there is no such file"), missing)
    )
    checks.require(_open_to_others(path))
    return path.read_bytes()


def caution() -> tuple[Text, ...]:
    """Return what cannot be said of a private file on this system."""
    return () if POSIX else (_WINDOWS.format(path=Text("这个文件", "this file")),)


def _open_to_others(path: Path) -> Fault | None:
    if not POSIX or not path.stat().st_mode & _OTHERS:
        return None
    return Fault(
        str(path),
        Text("别人也能读这个文件", "others may read this file"),
        Text(
            f"请运行 chmod 600 '{path}'；若改不了，请换到支持权限的硬盘上。曾经公开过的，就当已泄露",
            f"Run chmod 600 '{path}'; where that has no effect, move it to a drive that keeps permissions. What lay "
            "open counts as leaked",
        ),
        oct(path.stat().st_mode & 0o777),
    )


def _close(path: Path) -> tuple[Text, ...]:
    """Make sure that others are kept from a file just written."""
    if POSIX:
        checks.require(_open_to_others(path))
        return ()
    # icacls: nothing inherited, full access for this user alone.
    command = ["icacls", str(path), "/inheritance:r", "/grant:r", f"{getpass.getuser()}:F"]
    try:
        closed = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        closed = False
    return () if closed else (_WINDOWS.format(path=str(path)),)
