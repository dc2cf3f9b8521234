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
    work["weight"] = work["weight"] if "weight" in work else 1.0
    if "value" not in work:
        work["value"] = 1.0
    work["size"] = (work["value"] * work["weight"]).abs()
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
    keys = used or ["everyone"]
    cells = units.counts(work, keys)
    by = work.groupby(keys, sort=False, observed=True)
    spread = by["value"].agg(["min", "max"])
    cells["constant"] = (spread["min"] == spread["max"]) & data.own_value
    cells["deviation"] = units.deviations(work, keys) if data.own_value else 0.0
    if data.statistic in ("median", "quantile"):
        cells[["n_low", "n_high"]] = units.sides(work, keys, data.q)
    elif data.own_value and data.two_valued:
        cells[["n_low", "n_high"]] = units.holders(work, keys)
    else:
        cells[["n_low", "n_high"]] = np.nan
    if data.statistic in EXTREMES:
        extreme = by["value"].transform("max" if data.statistic == "max" else "min")
        cells["n_low"] = work[work["value"] == extreme].groupby(keys, sort=False, observed=True)["person"].nunique()
    if data.statistic in ("correlation", "ratio"):
        other = work.assign(value=work["second"], size=(work["second"] * work["weight"]).abs())
        cells = cells.join(units.counts(other, keys).add_prefix("second_column_"))
        cells["second_column_deviation"] = units.deviations(other, keys)
        spread = by["second"].agg(["min", "max"])
        cells["constant"] |= spread["min"] == spread["max"]
    cells.insert(0, "estimate", _estimate(data, work, keys, by))
    return cells


def _estimate(data: Data, work: pd.DataFrame, keys: list[str], by) -> pd.Series:
    """Compute the statistic of each cell."""
    kind = data.statistic
    if kind == "count":
        return by["person"].nunique()
    weighted = work["value"] * work["weight"]
    of = [work[k] for k in keys]

    def total(values: pd.Series) -> pd.Series:
        return values.groupby(of, sort=False, observed=True).sum()

    if kind == "percentage" and not data.own_value:
        rows = [k for k in keys if k in data.rows] or ["everyone"]
        n = by["person"].nunique().rename("n").reset_index()
        base = work.groupby(rows, sort=False, observed=True)["person"].nunique().rename("base").reset_index()
        both = n.merge(base, on=rows, how="left")
        return (100 * both.set_index(keys)["n"] / both.set_index(keys)["base"]).rename("estimate")
    if kind in ("mean", "percentage"):
        low, high = work["value"].min(), work["value"].max()
        if kind == "percentage" and data.two_valued and (low, high) not in ((0, 1), (0, 0), (1, 1)):
            weighted = (work["value"] == high) * work["weight"]
        return total(weighted) / total(work["weight"]) * (100 if kind == "percentage" else 1)
    if kind == "sum":
        return total(weighted)
    if kind == "ratio":
        below = total(work["second"] * work["weight"])
        return total(weighted) / below.where(below != 0)
    if kind == "sd":
        return by["value"].std()
    if kind in ("median", "quantile"):
        return by["value"].quantile(data.q)
    if kind == "correlation":
        return _correlation(work, of)
    if kind in EXTREMES:
        return by["value"].agg(kind)
    return pd.Series(np.nan, index=by.size().index)


def _correlation(work: pd.DataFrame, of: list[pd.Series]) -> pd.Series:
    def centred(name: str) -> pd.Series:
        return work[name] - work[name].groupby(of, sort=False, observed=True).transform("mean")

    def total(values: pd.Series) -> pd.Series:
        return values.groupby(of, sort=False, observed=True).sum()

    x, y = centred("value"), centred("second")
    square = total(x * x) * total(y * y)
    return total(x * y) / np.sqrt(square.where(square > 0))


def _full(cells: pd.DataFrame, parent: pd.DataFrame | None, used: list[str], data: Data, above: tuple[int, int]):
    """Tell of each cell whether all of the next margin are in it."""
    keys = [*data.rows[: above[0]], *data.columns[: above[1]]]
    if not keys:
        return cells["n_persons"] == int(parent["n_persons"].iloc[0])
    lower = cells.index.to_frame(index=False)
    lower.columns = used
    upper = parent["n_persons"].rename("of").reset_index()
    upper.columns = [*keys, "of"]
    return cells["n_persons"].to_numpy() == lower.merge(upper, on=keys, how="left")["of"].to_numpy()


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
            if not pairs[key].duplicated().any() and seen[earlier].nunique() > 1:
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
