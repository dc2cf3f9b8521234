"""Random hierarchical tables released in random order, attacked by an attacker that shares no code with the package.

Run ``python benchmarks/disclosure.py [TABLES]`` (200 unless told); it writes ``disclosure.csv`` line by line. The
first line is the time for 200 schools x 12 cells with their zones, district and margins.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "disclosure"))

from attacker import bounds, district  # noqa: E402

from htresearch.disclosure import (  # noqa: E402
    Axis,
    Protection,
    RefusedError,
    Release,
    crossed_table,
    load_rules,
    suppress,
    tabulate,
)

WAYS = [
    (["zone_id", "school_id"], "tier"),
    (["zone_id", "school_id"], "grade"),
    ("zone_id", "tier"),
    (["zone_id", "school_id"], "sex"),
]
COLUMNS = ("study", "tables", "refused", "cells_hidden", "cells_unsafe", "bounded_too_tightly", "seconds", "gap")


def one_district(seed: int) -> dict:
    """Release four tables of one district in random order and attack what passed."""
    rules, pupils, draw = load_rules("public"), district(seed), np.random.default_rng(seed)
    shown, unsafe, hidden, refused, broken = [], [], 0, 0, 0
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder, Release(folder) as release:
        for k in draw.permutation(len(WAYS)):
            try:
                table = release.suppress(tabulate(pupils, *WAYS[k]), name=str(k), seconds=1)
            except RefusedError:
                refused += 1
                continue
            shown.append(table.tidy())
            hidden += int(table.suppressed.sum())
            cells = table.table.cells[table.primary]
            unsafe += [(dict(line[table.table.keys]), line["estimate"]) for _, line in cells.iterrows()]
    seconds = time.process_time() - start
    for target, value in unsafe:
        low, high = bounds(pupils, shown, target)
        owed = rules.protection(value)
        broken += low > max(0, value - owed) + 1e-6 or high < value + owed - 1e-6
    line = (f"district {seed}", len(WAYS), refused, hidden, len(unsafe), int(broken), round(seconds, 1), "")
    return dict(zip(COLUMNS, line, strict=True))


def large_table() -> dict:
    """Suppress and audit 200 schools in 20 zones x 12 cells."""
    draw = np.random.default_rng(0)
    schools = Axis.of([(f"z{i // 10}", f"s{i}") for i in range(200)])
    columns = Axis.of([(k,) for k in range(12)])
    table = crossed_table(draw.poisson(draw.gamma(2, 12, (200, 12))), [schools, columns])
    unsafe = (table.values > 0) & (table.values < 10)
    start = time.process_time()
    found = suppress(table, Protection.of(table, unsafe, 0.1, 5))
    seconds = time.process_time() - start
    line = ("200 x 12 x 3", 1, 0, int(found.suppressed.sum()), int(unsafe.sum()), int((~found.audit.protected).sum()))
    return dict(zip(COLUMNS, (*line, round(seconds, 1), round(found.gap, 3)), strict=True))


def main() -> None:
    """Write a line for the large table, then one per district."""
    districts = max(1, int(sys.argv[1] if len(sys.argv) > 1 else 200) // len(WAYS))
    with (HERE / "disclosure.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerow(large_table())
        file.flush()
        for seed in range(districts):
            out.writerow(one_district(seed))
            file.flush()


if __name__ == "__main__":
    main()
