"""The tasks of scales: the same answers scored, and their reliability and structure found."""

from __future__ import annotations

from pathlib import Path

from htresearch.bench.answers import ITEMS, SCALES, answers, instrument
from htresearch.bench.tasks import Task, short

_MODEL = "\n".join(f"f{s} =~ " + " + ".join(f"s{s}_{i}" for i in (1, 2, 3)) for s in (1, 2, 3))


def tasks(rows: int, folder: Path) -> list[Task]:
    """Return what is done with the answers of so many respondents."""
    path = folder / f"answers_{rows}.parquet"
    if not path.exists():
        answers(rows).to_parquet(path)
    keys = [
        item if key > 0 else f"-{item}" for scale in instrument().scales.values() for item, key in scale.items.items()
    ]
    asked = {
        "score": ("60 items", {"keys": keys}),
        "alpha": ("60 items", {"items": ITEMS}),
        "polychoric": ("30 items", {"items": ITEMS[:30]}),
        "efa": ("60 items", {"items": ITEMS, "factors": SCALES}),
        "cfa": ("3 factors, 9 items", {"model": _MODEL}),
        "invariance": ("3 factors, 9 items, 2 groups", {"model": _MODEL}),
    }
    return [
        Task(f"{step}, {size}, {short(rows)}", [step], [str(path)], rows, given=given)
        for step, (size, given) in asked.items()
    ]
