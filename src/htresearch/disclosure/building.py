"""Computing the cells of a table and what stands behind each."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.disclosure import units
from htresearch.disclosure.labels import identifying
from htresearch.disclosure.reading import EXTREMES, Data
from htresearch.errors import Fault
from htresearch.language import Text

ALL = "(all)"
#: More cells than this are no table that anybody reads.
MOST_CELLS = 200_000


def build(data: Data, margins: bool) -> tuple[pd.DataFrame, bool]:
    """Return the cells of a table, and whether they add up to their margins."""
    work = data.work.copy()
    work["weight"] = work.get("weight", 1.0)
    if "value" not in work:
        work["value"] = 1.0
    work["size"] = work["weight"] if data.statistic == "percentage" else (work["value"] * work["weight"]).abs()
    work["everyone"] = ALL
    sets = [(r, c) for r in range(len(data.rows), -1, -1) for c in range(len(data.columns), -1, -1)]
    whole = {depth: _cells(data, work, [*data.rows[: depth[0]], *data.columns[: depth[1]]]) for depth in sets}
    shown = sets if margins else sets[:1]
    frames = []
    for depth in shown:
        used = [*data.rows[: depth[0]], *data.columns[: depth[1]]]
        cells = whole[depth]
        for number, above in (("rows", (depth[0] - 1, depth[1])), ("columns", (depth[0], depth[1] - 1))):
            cells[f"full_{number}"] = _full(cells, whole.get(above), used, data, above) if min(above) >= 0 else False
        frames.append(_completed(cells, used, data).assign(depth_rows=depth[0], depth_columns=depth[1]))
    cells = pd.concat(frames, ignore_index=True)
    if data.statistic == "count":
        cells["estimate"] = cells["estimate"].astype("int64")
    for key in data.keys:
        cells[key] = cells[key].astype(object)
    cells["identifying"] = identifying(cells[data.keys])
    counted = ["n_persons", "n_teachers", "n_schools", "n_contributors"]
    cells[counted] = cells[counted].astype("int64")
    first = [*data.keys, "estimate", "n_persons", "n_teachers", "n_schools"]
    cells = cells[[*first, *[c for c in cells if c not in first]]]
    once = work.groupby("person", observed=True)[data.keys].nunique().le(1).all().all() if data.keys else True
    return cells, data.statistic == "sum" or (data.statistic == "count" and bool(once))


def _cells(data: Data, work: pd.DataFrame, used: list[str]) -> pd.DataFrame:
    """Return the observed cells of one set of keys, indexed by them."""
    by = work.groupby(used or ["everyone"], sort=False, observed=True)
    index = by.size().index
    work = work.assign(cell=by.ngroup())
    n = len(index)
    cells = units.counts(work, n)
    by = work.groupby("cell")
    spread = by[["value", *(["second"] if "second" in work else [])]].agg(["min", "max"])
    cells["n_rows"] = np.bincount(work["cell"], minlength=n)
    cells["constant"] = (spread["value", "min"] == spread["value", "max"]) & data.own_value
    cells["deviation"] = units.deviations(work, n) if data.own_value and data.n_values > 2 else 0.0
    cells["n_low"], cells["n_high"] = _sides(data, work, cells["n_persons"], n)
    if data.statistic in ("correlation", "ratio"):
        other = units.counts(work.assign(size=(work["second"] * work["weight"]).abs()), n)
        cells = cells.join(other.add_prefix("second_column_"))
        cells["second_column_deviation"] = units.deviations(work, n, "second")
        cells["constant"] |= spread["second", "min"] == spread["second", "max"]
    if data.weighted:
        cells = cells.join(units.counts(work.assign(size=work["weight"]), n).add_prefix("weight_"))
    cells.insert(0, "estimate", _estimate(data, work, cells, used))
    cells.index = index
    return cells


def _sides(data: Data, work: pd.DataFrame, persons: pd.Series, n: int) -> tuple:
    """Return the persons on either side of a quantile, with either of two values, or with an extreme."""
    kind = data.statistic
    if kind in ("median", "quantile"):
        return np.floor(persons * data.q + 1e-9), np.floor(persons * (1 - data.q) + 1e-9)
    if kind in EXTREMES:
        extreme = work.groupby("cell")["value"].transform("max" if kind == "max" else "min")
        return units.persons(work[work["value"] == extreme], n), np.nan
    if kind == "correlation" and work["second"].nunique() == 2:
        if data.two_valued:
            fewest = units.fewest_joint(work, n)
            return fewest, fewest
        return units.holders(work, n, "second")
    if data.own_value and data.two_valued:
        return units.holders(work, n)
    return np.nan, np.nan


def _estimate(data: Data, work: pd.DataFrame, cells: pd.DataFrame, used: list[str]) -> np.ndarray | pd.Series:
    """Compute the statistic of each cell."""
    kind, n = data.statistic, len(cells)
    cell, weight = work["cell"].to_numpy(), work["weight"].to_numpy(float)
    by = work.groupby("cell")

    def total(values: pd.Series | np.ndarray) -> np.ndarray:
        return np.bincount(cell, weights=np.asarray(values, float), minlength=n)

    if kind == "count":
        return units.distinct(cell, work["person"].to_numpy(), n)
    if kind == "percentage" and not data.own_value:
        rows = [key for key in used if key in data.rows] or ["everyone"]
        across = work.groupby(rows, sort=False, observed=True).ngroup().to_numpy()
        base = units.distinct(across, work["person"].to_numpy(), across.max() + 1)
        own = np.zeros(n, int)
        own[cell] = across
        return 100 * units.distinct(cell, work["person"].to_numpy(), n) / base[own]
    if kind == "percentage":
        plain = work["value"].isin([0, 1]).all()
        having = work["value"] if plain else work["value"] == work["value"].max()
        return 100 * total(having * weight) / total(weight)
    if kind in ("mean", "sum"):
        return total(work["value"] * weight) / (total(weight) if kind == "mean" else 1)
    if kind == "ratio":
        below = total(work["second"] * weight)
        return np.divide(total(work["value"] * weight), below, out=np.full(n, np.nan), where=below != 0)
    if kind == "sd":
        return by["value"].std()
    if kind in ("median", "quantile"):
        return by["value"].quantile(data.q)
    if kind == "correlation":
        x, y = (work[c] - by[c].transform("mean") for c in ("value", "second"))
        square = total(x * x) * total(y * y)
        return np.divide(total(x * y), np.sqrt(square), out=np.full(n, np.nan), where=square > 0)
    if kind in EXTREMES:
        return by["value"].agg(kind)
    return np.full(n, np.nan)


def _full(cells: pd.DataFrame, parent: pd.DataFrame | None, used: list[str], data: Data, above: tuple[int, int]):
    """Tell of each cell whether all rows of the next margin are in it: then all have what its label says."""
    keys = [*data.rows[: above[0]], *data.columns[: above[1]]]
    if not keys:
        return cells["n_rows"] == int(parent["n_rows"].iloc[0])
    lower = cells.index.to_frame(index=False)
    lower.columns = used
    upper = parent["n_rows"].rename("of").reset_index()
    upper.columns = [*keys, "of"]
    return cells["n_rows"].to_numpy() == lower.merge(upper, on=keys, how="left")["of"].to_numpy()


def _completed(cells: pd.DataFrame, used: list[str], data: Data) -> pd.DataFrame:
    """Add the cells with nobody in them, and the keys of margins."""
    if not used:
        return cells.reset_index(drop=True).assign(
            **dict.fromkeys(data.keys, ALL), full_rows=False, full_columns=False
        )
    cells.index.names = used
    wanted = possible(data.work[used].drop_duplicates())
    kinds = cells.dtypes
    index = pd.MultiIndex.from_frame(wanted) if len(used) > 1 else pd.Index(wanted[used[0]], name=used[0])
    full = cells.reindex(index)
    for column, kind in kinds.items():
        if kind.kind in "iu":
            full[column] = full[column].fillna(0)
        elif kind.kind == "b":
            full[column] = full[column].eq(True)
    if data.statistic in ("count", "sum", "percentage"):
        full["estimate"] = full["estimate"].fillna(0)
    full = full.reset_index()
    return full.assign(**{key: ALL for key in data.keys if key not in used})


def possible(seen: pd.DataFrame) -> pd.DataFrame:
    """Return every combination of keys that could occur: a school lies in one zone only, but either sex in both.

    A key is nested in an earlier one if each of its values occurs with one value of that only.
    """
    keys = list(seen.columns)
    values = {key: list(dict.fromkeys(seen[key])) for key in keys}
    found = [(v,) for v in _sorted(values[keys[0]])]
    for number, key in enumerate(keys[1:], 1):
        homes = {}
        for place, earlier in enumerate(keys[:number]):
            pairs = seen[[earlier, key]].drop_duplicates()
            if not pairs[key].duplicated().any() and len(values[earlier]) > 1:
                homes[place] = dict(zip(pairs[key], pairs[earlier], strict=True))
        if len(found) * len(values[key]) > 50 * MOST_CELLS:
            _too_many()
        found = [
            (*before, v)
            for before, v in product(found, _sorted(values[key]))
            if all(home[v] == before[place] for place, home in homes.items())
        ]
        if len(found) > MOST_CELLS:
            _too_many()
    return pd.DataFrame(found, columns=keys)


def _too_many() -> None:
    checks.require(
        Fault(
            checks.argument("rows"),
            Text(f"单元格超过 {MOST_CELLS} 个", f"make more than {MOST_CELLS} cells"),
            Text("请用更粗的类别", "Use coarser categories"),
        )
    )


def _sorted(values: list) -> list:
    """Sort values of one kind; values of several kinds by how they are written."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)
