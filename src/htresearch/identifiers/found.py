"""What a find is, and the mark that takes its place."""

from functools import cache
from typing import NamedTuple

from htresearch.language import label


class Found(NamedTuple):
    """Where a text holds something that identifies: ``text[start:end]``."""

    kind: str
    start: int
    end: int


@cache
def mark(kind: str) -> str:
    """Return the mark of a kind: the same in either language, for it becomes data."""
    return f"‹{label(kind, within='identifier').zh}›"
