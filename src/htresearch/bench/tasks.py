"""What a program is asked: some data, and what to do with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Task:
    """Data, and what is done with them.

    Attributes
    ----------
    name : str
        What it is called in tables.
    steps : list of str
        What is timed: the first is the task itself, such as ``"fit"``; what follows builds on it.
    files : list of str
        Parquet files that hold the rows, one after another, or the workbook.
    rows : int
    needs : list of str
        What a program must be able to do besides, such as ``"crossed"``.
    categories : list of str
        Columns that are categories.
    given : mapping
        What the programs are told besides, such as the formula.
    """

    name: str
    steps: list[str]
    files: list[str]
    rows: int
    needs: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    given: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the task for the process that does it."""
        return json.dumps(asdict(self))


def short(rows: int) -> str:
    """Write how many rows."""
    return f"{rows / 1e6:.3g} M" if rows >= 500_000 else f"{rows / 1e3:.3g} k"
