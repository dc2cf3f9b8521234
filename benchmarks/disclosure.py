"""Random hierarchical tables released in random order, attacked by an attacker that shares no code with the package.

Run ``python benchmarks/disclosure.py [TABLES]`` (200 unless told; about ten minutes of processor time); it writes
``disclosure.csv`` line by line. The first line is the time for 200 schools x 12 cells with their zones, district and
margins; the others are districts of any shape, four tables each: counts, sums, means and percentages, with and
without margins.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "disclosure"))

from attacker import Attacker, any_district, any_tables  # noqa: E402

from htresearch.disclosure import (  # noqa: E402
    Axis,
    Protection,
    Release,
    crossed_table,
    suppress,
    tabulate,
)
from htresearch.errors import HTResearchError  # noqa: E402

#: Tables of each district.
EACH = 4
COLUMNS = (
    "study",
    "schools",
    "persons",
    "tables",
    "refused",
    "cells",
    "cells_hidden",
    "cells_unsafe",
    "attacked",
    "bounded_too_tightly",
    "seconds",
    "gap",
)


def one_district(seed: int) -> dict:
    """Release tables of one district and attack what passed."""
    pupils = any_district(seed)
    shown, targets, sizes, refused = [], [], [0, 0], 0
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder, Release(folder, seconds=60) as release:
        for number, ask in enumerate(any_tables(seed, EACH)):
            try:
                table = release.suppress(tabulate(pupils, **ask), name=str(number), seconds=1)
            except HTResearchError:
                refused += 1
                continue
            shown.append((table.tidy(), ask["statistic"], ask["value"]))
            sizes = [sizes[0] + len(table.suppressed), sizes[1] + int(table.suppressed.sum())]
            targets += list(protected(table, pupils))
    seconds = time.process_time() - start
    broken, attacker = 0, Attacker(pupils, shown) if shown else None
    for keys, of, value, share, least in targets:
        low, high = attacker.bounds(keys, of)
        owed = max(share * abs(value), least)
        signed = of in attacker.signed
        slack = 1e-6 * max(1.0, abs(value))
        tight = low > (value - owed if signed else max(0.0, value - owed)) + slack or high < value + owed - slack
        broken += tight
        if tight:
            print(seed, keys, of, value, low, high, owed, flush=True)
    unsafe = len({(tuple(k.items()), of) for k, of, *_ in targets if of is None})
    line = (f"district {seed}", pupils["school_id"].nunique(), len(pupils), EACH, refused, *sizes, unsafe)
    line = (*line, len(targets), int(broken), round(seconds, 1), "")
    return dict(zip(COLUMNS, line, strict=True))


def protected(table, pupils):
    """Give of each unsafe cell its keys, a column (none: persons), the truth, and the share and number owed to it."""
    rules, whole = table.rules, table.table
    for _, line in whole.cells[table.primary].iterrows():
        keys = dict(line[whole.keys])
        inside = np.ones(len(pupils), bool)
        for key, value in keys.items():
            inside &= (pupils[key] == value).to_numpy() | (value == "(all)")
        yield keys, None, float(inside.sum()), rules.protection_relative, rules.protection_absolute
        if whole.value is not None:
            least = rules.protection_absolute if whole.statistic == "percentage" else 1e-6
            yield keys, whole.value, float(pupils.loc[inside, whole.value].sum()), rules.protection_relative, least


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
    hidden, primary = int(found.suppressed.sum()), int(unsafe.sum())
    line = ("200 x 12 x 3", 200, "", 1, 0, len(table.values), hidden, primary, primary)
    line = (*line, int((~found.audit.protected).sum()), round(seconds, 1), round(found.gap, 3))
    return dict(zip(COLUMNS, line, strict=True))


def main() -> None:
    """Write a line for the large table, then one per district."""
    districts = max(1, int(sys.argv[1] if len(sys.argv) > 1 else 200) // EACH)
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
