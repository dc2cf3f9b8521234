"""Checking tables that remember who stands behind each cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from htresearch.disclosure import reasons
from htresearch.disclosure.check import register
from htresearch.disclosure.labels import PERSONAL
from htresearch.disclosure.reading import EXTREMES, STATISTICS
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.tabulate import ALL, Tabulation
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.language import Text, label

#: Statistics to which every person contributes an amount.
_AMOUNTS = ("sum", "mean", "ratio")
#: Statistics that one far-off value can move.
_MOVED = ("sum", "mean", "sd", "ratio", "correlation")
#: So close to ±1 that one column can be computed from the other.
_PERFECT = 1 - 1e-9


@register(Tabulation)
def check_table(table: Tabulation, rules: Rules) -> Verdicts:
    """Return the verdict on each cell of a table, margins included."""
    cells = table.cells.reset_index(drop=True)
    terms = [term(table, row, number) for number, row in enumerate(cells.to_dict("records"), 1)]
    findings = sorted(_findings(table, cells, rules), key=lambda f: reasons.ORDER.index(f.rule))
    return decide(terms, findings, rules, kind="table", method=table.asked, note=table.note)


def term(table: Tabulation, cell: dict, number: int) -> str:
    """Return what a cell is called: its keys, or its number where a label identifies somebody."""
    if cell["identifying"]:
        return str(Text(f"第 {number} 格（标签能认出人）", f"cell {number} (its label identifies somebody)"))
    keys = [(key, cell[key]) for key in table.keys if cell[key] != ALL]
    if not keys:
        return str(Text("总计", "total"))
    return str(Text("，", ", ")).join(f"{label(key)}={label(str(value), within=key)}" for key, value in keys)


def _findings(table: Tabulation, cells: pd.DataFrame, rules: Rules) -> Iterator[Finding]:
    def where(broken: pd.Series, rule: str, **values: object) -> Iterator[Finding]:
        for cell in np.flatnonzero(broken.to_numpy(bool)):
            yield reasons.finding(int(cell), rule, **values)

    yield from where(cells["identifying"], "label")
    yield from where(_altered(table, cells), "altered")
    if table.statistic not in (*STATISTICS, *EXTREMES):
        yield reasons.finding(None, "unknown_statistic", name=table.asked)
        return
    if set(table.keys) & ({table.person, table.teacher} - {None} | PERSONAL):
        yield reasons.finding(None, "label")
    yield from where(_incomplete(table, cells), "incomplete")
    empty = cells["n_persons"] == 0
    full = _full(table, cells, rules) & ~empty
    if not rules.zero_cells:
        yield from where(empty & ~_all_known(table, cells, rules), "zero")
        yield from where(full, "full")
        yield from where(cells["constant"] & (table.statistic != "count") & ~empty, "constant")
    for rule, broken in (*_units(table, cells, rules), *_statistic(table, cells, rules)):
        yield from where(
            broken & ~empty, rule, threshold=rules.threshold, teachers=rules.teachers, schools=rules.schools
        )


def _units(table: Tabulation, cells: pd.DataFrame, rules: Rules) -> Iterator[tuple[str, pd.Series]]:
    """Give the rules on how many stand behind a cell, and how evenly."""
    persons = cells["n_persons"]
    if table.of_teachers:
        persons = np.minimum(persons, cells["n_teachers"])
    yield "threshold", persons < rules.threshold
    for unit in counted(table, rules):
        if unit != "person":
            yield f"{unit}s", cells[f"n_{unit}s"] < getattr(rules, f"{unit}s")
            yield "dominance", (rules.dominance < 1) & ~(cells[f"heads_{unit}"] < rules.dominance)
        sizes = [""] if table.statistic in _AMOUNTS else []
        sizes += ["second_column_"] if table.statistic == "ratio" else []
        sizes += ["weight_"] if table.weight else []
        for of in sizes:
            largest, second, total = (cells[of + c] for c in (f"largest_{unit}", f"second_{unit}", "total"))
            some = total > 0
            # Hundepool et al. 2012, 4.2.1: (n,k)-dominance with n = 2, and the p% rule
            yield "dominance", some & (rules.dominance < 1) & (largest + second >= rules.dominance * total)
            yield "p_ratio", some & (total - largest - second < rules.p_ratio * largest * (1 - 1e-12))


def counted(table: Tabulation, rules: Rules) -> list[str]:
    """Return the units that count for a table.

    Teachers do not where they are the persons already; schools do not where the table names them.
    """
    found = ["person"]
    if not table.teachers_are_persons and rules.teachers > 1:
        found.append("teacher")
    if not {table.school, "school_id"} & set(table.keys) and rules.schools > 1:
        found.append("school")
    return found


def _statistic(table: Tabulation, cells: pd.DataFrame, rules: Rules) -> Iterator[tuple[str, pd.Series]]:
    """Give the rules that are a statistic's own."""
    kind = table.statistic
    few = (cells["n_low"] < rules.threshold) | (cells["n_high"] < rules.threshold)
    yield "undefined", cells["estimate"].isna()
    if kind in _AMOUNTS and not (table.two_valued and table.statistic != "ratio"):
        yield "contributors", cells["n_contributors"] < rules.threshold
    if kind == "ratio":
        yield "contributors", cells["second_column_n_contributors"] < rules.threshold
    if kind in ("median", "quantile"):
        yield "sides", few
        allowed = any(abs(table.q - q) < 1e-12 for q in rules.quantiles) or not rules.quantiles
        yield "quantile", pd.Series(not allowed, index=cells.index)
    elif kind in EXTREMES:
        refused = not rules.minimum_maximum or kind in ("first", "last")
        yield "extreme", (cells["n_low"] < rules.threshold) | refused
    elif kind != "count":
        # n_low and n_high are missing, and so never few, where a column has more than two values
        yield "two_values", few & ~(rules.zero_cells & cells["constant"])
    if kind in _MOVED:
        yield "outlier", (rules.dominance < 1) & (cells["deviation"] >= rules.dominance)
    if kind in ("ratio", "correlation"):
        yield "outlier", (rules.dominance < 1) & (cells["second_column_deviation"] >= rules.dominance)
    if kind == "correlation":
        yield "perfect", cells["estimate"].abs() >= _PERFECT
        yield "residual_df", cells["n_persons"] - 2 < rules.residual_df


def _altered(table: Tabulation, cells: pd.DataFrame) -> pd.Series:
    """Tell of each cell whether it is no longer what was computed, or claims more persons than its rows have."""
    if not table.unaltered:
        return pd.Series(True, index=cells.index)
    if table.members is None:
        return pd.Series(table.statistic in STATISTICS, index=cells.index)
    members, keys = table.members, table.keys
    found = pd.Series(False, index=cells.index)
    for unit in ("person", "teacher"):
        most = np.zeros(len(cells))
        for depth, rows in cells.groupby((cells[keys] != ALL).apply(tuple, axis=1)).groups.items():
            used = [key for key, there in zip(keys, depth, strict=True) if there]
            if not used:
                most[rows] = members[unit].nunique()
                continue
            counted = members.groupby(used, sort=False, observed=True)[unit].nunique().rename("most").reset_index()
            most[rows] = cells.loc[rows, used].merge(counted, on=used, how="left")["most"].fillna(0).to_numpy()
        found |= cells[f"n_{unit}s"] > most
    return found


def _all_known(table: Tabulation, cells: pd.DataFrame, rules: Rules) -> pd.Series:
    """Tell of each cell whether all keys that define it can be seen by anyone."""
    hidden = [key for key in table.keys if key not in rules.known]
    return (cells[hidden] == ALL).all(axis=1)


def _full(table: Tabulation, cells: pd.DataFrame, rules: Rules) -> pd.Series:
    """Tell of each cell whether it says of all in a margin what not everybody knows."""
    found = pd.Series(False, index=cells.index)
    for axis, keys in (("rows", table.rows), ("columns", table.columns)):
        for depth, key in enumerate(keys, 1):
            if key not in rules.known:
                found |= cells[f"full_{axis}"].astype(bool) & (cells[f"depth_{axis}"] == depth)
    return found


def _incomplete(table: Tabulation, cells: pd.DataFrame) -> pd.Series:
    """Tell of each margin whether it lacks some of its cells: subtraction gives what was hidden."""
    found = pd.Series(False, index=cells.index)
    for axis, keys in (("rows", table.rows), ("columns", table.columns)):
        depth = cells[f"depth_{axis}"]
        for level, key in enumerate(keys, 1):
            others = [k for k in table.keys if k != key]
            if not others:
                below = cells.loc[depth == level, "n_persons"].sum()
                found |= (depth == level - 1) & (cells["n_persons"] > below)
                continue
            below = cells[depth == level].groupby(others, sort=False)["n_persons"].sum().rename("below").reset_index()
            here = cells[[*others]].merge(below, on=others, how="left")["below"].fillna(0).to_numpy()
            found |= (depth == level - 1) & (cells["n_persons"] > here)
    return found & bool(table.margins)
