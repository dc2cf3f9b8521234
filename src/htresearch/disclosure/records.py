"""What a release remembers of a table."""

from __future__ import annotations

from numbers import Number

import numpy as np
import pandas as pd

from htresearch.disclosure.atoms import Record
from htresearch.disclosure.memory import hashes
from htresearch.disclosure.protected import ProtectedTable
from htresearch.disclosure.tabulate import ALL, Tabulation
from htresearch.disclosure.units import UNITS

#: Statistics that tell an amount, once multiplied by the persons behind them.
_AMOUNTS = ("sum", "mean", "percentage")


def record_of(thing: Tabulation | ProtectedTable, name: str, key: bytes) -> Record:
    """Return what is to be remembered of a table."""
    if isinstance(thing, ProtectedTable):
        table, hidden, primary = thing.table, thing.suppressed, thing.primary
    else:
        table = thing
        hidden = primary = np.zeros(len(table.cells), bool)
    rows = table.members
    keys = list(table.keys)
    labels = _words(rows[keys])
    told = table.statistic in _AMOUNTS and not table.weight and table.value is not None
    values = np.unique(rows["value"]) if told else ()
    cells = _cells(table, hidden, primary)
    if len(values) == 2:
        keys.append(table.value if table.value not in keys else f"{table.value}:value")
        labels = labels.assign(**{keys[-1]: _words(rows[["value"]])["value"]})
        cells = _split(cells, [_word(v) for v in values])
    finest = cells["key"][[ALL not in k for k in cells["key"]]]
    leaves = dict.fromkeys([*finest, *labels.itertuples(index=False, name=None)])
    place = {leaf: i for i, leaf in enumerate(leaves)}
    unit = dict.fromkeys(UNITS) | {"person": "teacher" if table.of_teachers else "person"}
    members = pd.DataFrame({u: hashes(rows[of or u], key) for u, of in unit.items() if (of or u) in rows})
    members["leaf"] = [place[k] for k in labels.itertuples(index=False, name=None)]
    members["amount"] = rows["value"].to_numpy(float) if told and len(values) > 2 else 0.0
    by = [c for c in members if c != "amount"]
    members = members.groupby(by, sort=False, as_index=False)["amount"].sum()
    person = table.teacher if table.of_teachers else table.person
    value = table.value if told and len(values) > 2 else ""
    return Record(name, tuple(keys), value, str(person), bool(table.signed), members, tuple(place), cells)


def _cells(table: Tabulation, hidden: np.ndarray, primary: np.ndarray) -> pd.DataFrame:
    keys = list(_words(table.cells[table.keys]).itertuples(index=False, name=None))
    return pd.DataFrame(
        {"key": keys, "published": ~hidden, "primary": primary & hidden, "line": np.arange(len(keys))}
    )


def _split(cells: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Return the cells, and each of them once more for those who have either value."""
    parts = [cells.assign(key=[(*key, value) for key in cells["key"]]) for value in (ALL, *values)]
    return pd.concat(parts, ignore_index=True)


def _words(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({c: [_word(v) for v in frame[c]] for c in frame}, index=frame.index, dtype=object)


def _word(value: object) -> str:
    """Write a label so that 1, 1.0 and True are one, as a key of one table and a value of another."""
    return f"{float(value):.12g}" if isinstance(value, Number | np.bool_) else str(value)
