"""A folder that a run may write to: a new one, an empty one, or one that an earlier run wrote."""

from __future__ import annotations

from pathlib import Path

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

#: The page that an earlier run left, in which its mark stands.
INDEX = "index.html"


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
