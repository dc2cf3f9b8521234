"""Who stands behind a number: how many persons, teachers and schools, and how much of it is the largest one's.

All work on plain arrays: ``cell`` numbers the cell of each row from 0, a unit's codes are numbers, missing where the
unit is not known.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

#: The units that are counted behind each cell.
UNITS = ("person", "teacher", "school")


def _pairs(cell: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which rows have a unit, the pair of cell and unit of each of these, and the cell of each pair."""
    known = ~np.isnan(codes)
    unit = codes[known].astype(np.int64)
    width = int(unit.max(initial=0)) + 1
    pairs, of = np.unique(cell[known] * width + unit, return_inverse=True)
    return known, of, pairs // width


def distinct(cell: np.ndarray, codes: np.ndarray, n_cells: int) -> np.ndarray:
    """Count the units of each cell; rows without one count nobody, for they might all be one person."""
    return np.bincount(_pairs(cell, codes)[2], minlength=n_cells)


def two_largest(values: np.ndarray, owner: np.ndarray, n_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest and the second largest value of each cell; 0 where there is none."""
    order = np.lexsort((-values, owner))
    values, owner = values[order], owner[order]
    start = np.searchsorted(owner, np.arange(n_cells))
    n = np.bincount(owner, minlength=n_cells)
    padded = np.append(values, [0.0, 0.0])
    return np.where(n > 0, padded[start], 0.0), np.where(n > 1, padded[np.minimum(start + 1, len(values))], 0.0)


def persons(work: pd.DataFrame, n_cells: int, unit: str = "person") -> np.ndarray:
    """Count a unit by its column, and by the column that the schema has for it: the smaller number holds."""
    cell = work["cell"].to_numpy()
    found = distinct(cell, work[unit].to_numpy(), n_cells)
    double = f"{unit}+"
    return np.minimum(found, distinct(cell, work[double].to_numpy(), n_cells)) if double in work else found


def counts(work: pd.DataFrame, n_cells: int) -> pd.DataFrame:
    """Return the units behind each cell and how far the two largest dominate it.

    Parameters
    ----------
    work
        Rows that enter the statistic: ``cell``; ``person``, ``teacher``, ``school`` and the doubles that check them
        (``person+`` …); ``size`` (what a row contributes).
    n_cells
        How many cells there are.

    Returns
    -------
    pandas.DataFrame
        A row per cell: ``n_persons``, ``n_teachers``, ``n_schools``; ``total`` of the contributions; per unit
        ``largest_…`` and ``second_…`` contribution, and ``heads_…``, the share of the persons that the two largest
        teachers or schools have; ``n_contributors``, the persons who contribute anything.
    """
    cell, size = work["cell"].to_numpy(), work["size"].to_numpy(float)
    found = {f"n_{unit}s": persons(work, n_cells, unit) for unit in UNITS}
    found["total"] = np.bincount(cell, weights=size, minlength=n_cells)
    for unit in UNITS:
        known, of, owner = _pairs(cell, work[unit].to_numpy())
        sums = np.bincount(of, weights=size[known], minlength=len(owner))
        found[f"largest_{unit}"], found[f"second_{unit}"] = two_largest(sums, owner, n_cells)
        if unit != "person":
            heads = distinct(of, work["person"].to_numpy()[known], len(owner)).astype(float)
            both = np.add(*two_largest(heads, owner, n_cells))
            whole = np.bincount(owner, weights=heads, minlength=n_cells)
            found[f"heads_{unit}"] = np.divide(both, whole, out=np.full(n_cells, np.nan), where=whole > 0)
    found["n_contributors"] = persons(work[size > 0], n_cells)
    return pd.DataFrame(found)


def deviations(work: pd.DataFrame, n_cells: int, column: str = "value") -> np.ndarray:
    """Return the share of the sum of squared deviations from a cell's mean that one person has, at most.

    A mean moved, or a spread made, by one far-off value tells that value.
    """
    cell, values = work["cell"].to_numpy(), work[column].to_numpy(float)
    rows = np.bincount(cell, minlength=n_cells)
    mean = np.bincount(cell, weights=values, minlength=n_cells) / np.maximum(rows, 1)
    squares = (values - mean[cell]) ** 2
    known, of, owner = _pairs(cell, work["person"].to_numpy())
    sums = np.bincount(of, weights=squares[known], minlength=len(owner))
    total = np.bincount(cell, weights=squares, minlength=n_cells)
    return two_largest(sums, owner, n_cells)[0] / np.where(total > 0, total, np.inf)


def commonest(values: pd.Series) -> tuple[float, float]:
    """Return the two commonest values, the lower first; one value twice where there is no other."""
    top = sorted(values.value_counts().index[:2])
    return top[0], top[-1]


def holders(work: pd.DataFrame, n_cells: int, column: str = "value") -> tuple[np.ndarray, np.ndarray]:
    """Return how many persons have the lower and the higher of a column's two commonest values."""
    low, high = commonest(work[column])
    return persons(work[work[column] == low], n_cells), persons(work[work[column] == high], n_cells)


def fewest_joint(work: pd.DataFrame, n_cells: int) -> np.ndarray:
    """Return the fewest persons in any of the four combinations of two two-valued columns."""
    pairs = product(commonest(work["value"]), commonest(work["second"]))
    return np.min([persons(work[(work["value"] == a) & (work["second"] == b)], n_cells) for a, b in pairs], axis=0)


def is_of_teachers(work: pd.DataFrame, column: str) -> bool:
    """Tell whether a column is the teacher's (their tier, their appraisal) though rows are pupils.

    It has then one value among all of a teacher's rows of a time, and not merely because it is their school's.
    """
    if column not in work or work["teacher"].isna().all() or work[column].min() == work[column].max():
        return False
    times = [c for c in work if c.startswith("time:")]

    def alike(unit: str) -> bool:
        spread = work[work[unit].notna()].groupby([unit, *times])[column].agg(["min", "max"])
        return bool((spread["min"] == spread["max"]).all())

    if not alike("teacher"):
        return False
    # With one teacher to a school, what is the teacher's looks as if it were the school's.
    pairs = work[["school", "teacher"]].dropna().drop_duplicates()
    several = len(pairs) >= 2 * max(pairs["school"].nunique(), 1)
    return not (several and alike("school"))
