"""The tasks of single cases: randomisation tests that go through every outcome of the draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from htresearch.bench.tasks import Task

#: Records of the ABAB series: with at least 5 in each phase, 200 of them have 1,004,731 outcomes.
SIZES = (200,)
#: Records in any order, half of them under treatment: 705,432 orders.
TURNS = 22


def tasks(rows: int, folder: Path, turns: int = TURNS) -> list[Task]:
    """Return the randomisation tests: of a reversal with so many records (200 at most), and of records by turns."""
    found = []
    for step, n, statistics in (
        ("reversal", min(rows, SIZES[0]), ("mean", "median", "nap")),
        ("turns", turns, ("mean",)),
    ):
        path = folder / f"series_{step}_{n}.parquet"
        if not path.exists():
            series(n, step == "turns").to_parquet(path)
        for statistic in statistics:
            name = f"{'ABAB' if step == 'reversal' else step}, {n} records, {statistic}"
            found.append(Task(name, [step], [str(path)], n, given={"statistic": statistic, "shortest": 5}))
    return found


def series(n: int, by_turns: bool = False) -> pd.DataFrame:
    """Draw a series, the same every time, with its phases: four as long as one another, or by turns."""
    rng = np.random.default_rng(1)
    treated = rng.permutation(np.arange(n) % 2) if by_turns else (4 * np.arange(n) // n) % 2
    return pd.DataFrame({"value": rng.normal(size=n) + 0.3 * treated, "treated": treated})
