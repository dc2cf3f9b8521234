"""Who stands behind a number: how many persons, teachers and schools, and how much of it is the largest one's."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: The units that are counted behind each cell.
UNITS = ("person", "teacher", "school")


def counts(work: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the units behind each cell and how far the two largest dominate it.

    Parameters
    ----------
    work
        Rows that enter the statistic; ``person``, ``teacher``, ``school`` and the doubles that check them
        (``person+`` …), ``value`` and ``size`` (what a row contributes).
    keys
        Columns that define the cells; none is the grand total.

    Returns
    -------
    pandas.DataFrame
        A row per cell: ``n_persons``, ``n_teachers``, ``n_schools``; ``total`` of the contributions; per unit
        ``largest_…`` and ``second_…`` contribution, and ``heads_…``, the share of the persons that the two largest
        teachers or schools have; ``n_contributors``, the persons who contribute anything.
    """
    by = work.groupby(keys, sort=False, observed=True)
    # Missing ids count nobody: they might all be one person.
    cells = pd.DataFrame({f"n_{unit}s": _distinct(work, keys, unit) for unit in UNITS})
    cells["total"] = by["size"].sum()
    for unit in UNITS:
        sums = work.groupby([*keys, unit], sort=False, observed=True, dropna=True)["size"].sum()
        cells[[f"largest_{unit}", f"second_{unit}"]] = _two_largest(sums, keys)
        if unit != "person":
            pairs = work[[*keys, unit, "person"]].dropna().drop_duplicates()
            heads = pairs.groupby([*keys, unit], sort=False, observed=True).size()
            of = pairs.groupby(keys, sort=False, observed=True).size()
            cells[f"heads_{unit}"] = _two_largest(heads, keys).sum(axis=1) / of
    some = work[work["size"] > 0]
    cells["n_contributors"] = _distinct(some, keys, "person").reindex(cells.index, fill_value=0)
    return cells


def _distinct(work: pd.DataFrame, keys: list[str], unit: str) -> pd.Series:
    """Count a unit by its column, and by the column that the schema has for it: the smaller number holds."""
    by = work.groupby(keys, sort=False, observed=True)
    found = by[unit].nunique()
    double = f"{unit}+"
    return np.minimum(found, by[double].nunique()) if double in work else found


def _two_largest(sums: pd.Series, keys: list[str]) -> pd.DataFrame:
    """Return the largest and the second largest of each cell; 0 where there is none."""
    ordered = sums.sort_values(ascending=False, kind="stable")
    by = ordered.groupby(level=list(range(len(keys))), sort=False, observed=True)
    place = by.cumcount()
    first = ordered[place == 0].droplevel(-1)
    second = ordered[place == 1].droplevel(-1)
    if len(keys) == 1:
        first.index.name = second.index.name = keys[0]
    return pd.DataFrame({"first": first, "second": second.reindex(first.index, fill_value=0.0)})


def deviations(work: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Return the share of the sum of squared deviations from a cell's mean that its two largest persons have.

    A mean moved, or a spread made, by one far-off value tells that value.
    """
    mean = work.groupby(keys, sort=False, observed=True)["value"].transform("mean")
    squares = work.assign(square=(work["value"] - mean) ** 2)
    total = squares.groupby(keys, sort=False, observed=True)["square"].sum()
    persons = squares.groupby([*keys, "person"], sort=False, observed=True)["square"].sum()
    top = _two_largest(persons, keys).sum(axis=1)
    return (top / total.where(total > 0)).fillna(0.0)


def sides(work: pd.DataFrame, keys: list[str], q: float) -> pd.DataFrame:
    """Return the persons below and above a quantile, each counted once, at the side where most of them is."""
    per = work.groupby([*keys, "person"], sort=False, observed=True).size()
    n = per.groupby(level=list(range(len(keys))), sort=False, observed=True).size()
    below = np.floor(n * q + 1e-9)
    return pd.DataFrame({"n_low": below, "n_high": np.floor(n * (1 - q) + 1e-9)})


def holders(work: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return how many persons have the lower and the higher value of a two-valued column."""
    low, high = work["value"].min(), work["value"].max()
    index = work.groupby(keys, sort=False, observed=True).size().index
    return pd.DataFrame(
        {
            "n_low": _distinct(work[work["value"] == low], keys, "person").reindex(index, fill_value=0),
            "n_high": _distinct(work[work["value"] == high], keys, "person").reindex(index, fill_value=0),
        }
    )
