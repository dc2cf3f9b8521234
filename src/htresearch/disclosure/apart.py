"""Results that are no tables: whom they were computed from, and whether two of them are a few persons apart.

What a model, or a figure of one, says of n persons and another says of n - 1 tells of the one who is missing. So a
release remembers the rows behind each, under keyed hashes, and lets out none that differs from it by a few. Two
results on the very same rows tell nothing of that kind, whatever their formulas; nor do results on rows that have
nothing in common, nor those of two outcomes. An outcome is the same as another if its values are, whatever its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from htresearch.disclosure.atoms import Record
from htresearch.disclosure.memory import hashes
from htresearch.disclosure.models import thresholds
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.tabulate import ALL

if TYPE_CHECKING:
    from htresearch.multilevel.basis import Basis, Rows

#: Outcomes that go together so closely are one: in other units, about a mean, or corrected here and there.
SAME = 0.99
#: A sum over rows is their mean if what others weigh in it is less than so many rows' own part.
_ONE_MEAN = 3.0


@dataclass(frozen=True, eq=False)
class Trace:
    """What a release remembers of a result that is no table.

    Attributes
    ----------
    name : str
        The result's name.
    person : str
        ``"student"``, or ``"teacher"`` where no pupils are known.
    outcome : str
        The columns that its outcome is made of.
    tells_mean : bool
        Whether the mean of the outcome over its rows follows from it.
    members : pandas.DataFrame
        A line per row: ``person``, ``teacher``, ``school`` (keyed hashes, as far as they are known), ``row`` (a keyed
        hash of these, of the time, the outcome and the weight) and ``value``, the outcome in standard deviations.
    """

    name: str
    person: str
    outcome: str
    tells_mean: bool
    members: pd.DataFrame = field(repr=False)


def traces_of(
    bases: Iterable[Basis], name: str, key: bytes, rules: Rules, units: Mapping[str, object] | None = None
) -> list[Trace] | None:
    """Return what is to be remembered of models, one for all that have the same rows.

    Parameters
    ----------
    bases
        What their estimates rest on.
    name, key
        The result's name, and the key of the hashes.
    rules
    units
        Whose each row is where columns do not say it, as in `check_estimates`: the ids themselves.

    Returns
    -------
    list of Trace or None
        ``None`` where it is not known who the persons are.
    """
    found: dict[tuple, Trace] = {}
    for basis in bases:
        who = None if basis.rows is None else _who(basis.rows, units)
        person = None if who is None else next((kind for kind in ("student", "teacher") if kind in who), None)
        if person is None:
            return None
        members = _members(basis.rows, who, person, key)
        trace = Trace(name, person, basis.rows.outcome, tells_mean(basis, rules.threshold), members)
        same = (trace.outcome, trace.tells_mean, np.sort(members["row"].to_numpy()).tobytes())
        found.setdefault(same, trace)
    return list(found.values())


def tells_mean(basis: Basis, few: int) -> bool:
    """Tell whether the mean of the outcome over all rows follows from what is told.

    It is the prediction at the columns' means. Readers know those of columns with two values, which are shares, and
    of columns about their means, but for `few` persons; and the prediction is the mean of the rows if all have, but
    for little, the same weight in it.
    """
    rows = basis.rows
    means, spread = rows.X.mean(axis=0), rows.X.std(axis=0)
    for j in np.flatnonzero(np.abs(means) > few * spread / rows.n):
        if len(np.unique(rows.X[:, j])) > 2:
            return False
    told = np.atleast_2d(basis.combinations)
    if not len(told) or not np.allclose(told.T @ np.linalg.lstsq(told.T, means, rcond=None)[0], means, atol=1e-8):
        return False
    others = rows.of_coefficients @ means - 1 / rows.n
    return bool(np.sqrt(others @ others) < _ONE_MEAN / rows.n)


def are_apart_by_few(one: Trace, other: Trace, rules: Rules) -> bool:
    """Tell whether a few persons, teachers or schools are all that one of two results has and the other has not.

    Rows are looked at where some are the same to the value, and persons where the outcomes are the same in substance.
    """
    if one.person != other.person:
        return False
    sides = _only(one, other, "row")
    common = sum(map(len, sides)) < len(one.members) + len(other.members)
    if common and any(_is_few(side, one.person, rules) for side in sides):
        return True
    sides = _only(one, other, "person")
    return any(_is_few(side, one.person, rules) for side in sides) and _is_same_outcome(one, other)


def is_apart_by_few(trace: Trace, table: Record, rules: Rules) -> bool:
    """Tell whether a mean that follows from a model and one of a table, or a total, are those of all but a few."""
    from htresearch.multilevel.basis import UNITS

    if not trace.tells_mean or (table.person in UNITS["teacher"]) != (trace.person == "teacher"):
        return False
    property_at = next((k for k, key in enumerate(table.keys) if key.removesuffix(":value") == trace.outcome), None)
    if table.value != trace.outcome and property_at is None:
        return False
    persons, of = np.unique(table.members["person"].to_numpy(object), return_inverse=True)
    inside = sparse.csr_matrix(
        (np.ones(len(of)), (table.members["leaf"].to_numpy(), of)), (len(table.leaves), len(persons))
    )
    shown = table.cells["published"].to_numpy(bool)
    whole = shown & np.array([property_at is None or key[property_at] == ALL for key in table.cells["key"]], bool)
    sets = table.leaf_sets()
    every = np.asarray(sets[np.flatnonzero(shown)].sum(axis=0)).reshape(1, -1)
    cells = ((sparse.vstack([sets[np.flatnonzero(whole)], sparse.csr_matrix(every)]) @ inside) > 0).astype(float)
    own = trace.members["person"].unique()
    shared = cells @ np.isin(persons, own).astype(float)
    size = np.asarray(cells.sum(axis=1)).ravel()
    # Where fewer than half are the same the rest on either side cannot all be a few.
    for cell in np.flatnonzero(2 * shared > np.maximum(size, len(own))):
        there = persons[cells[[cell]].indices]
        sides = (
            trace.members[~trace.members["person"].isin(there)],
            table.members[table.members["person"].isin(np.setdiff1d(there, own))],
        )
        few = [_is_few(side, trace.person, rules) for side in sides]
        if any(few) and all(f or side.empty for f, side in zip(few, sides, strict=True)):
            return True
    return False


def _who(rows: Rows, units: Mapping[str, object] | None) -> pd.DataFrame | None:
    """Return who the units of each row are: what columns say, and what is said besides."""
    who = pd.DataFrame(index=pd.RangeIndex(rows.n)) if rows.who is None else rows.who
    for kind, values in (units or {}).items():
        if kind not in who:
            ids = values.loc[rows.index] if isinstance(values, pd.Series) else pd.Series(list(values))
            who = who.assign(**{kind: ids.to_numpy(object)})
    return who if len(who.columns) else None


def _members(rows: Rows, who: pd.DataFrame, person: str, key: bytes) -> pd.DataFrame:
    named = {"person": person} | {kind: kind for kind in ("teacher", "school") if kind in who}
    members = pd.DataFrame({column: hashes(who[kind], key) for column, kind in named.items()})
    weights = np.ones(rows.n) if rows.weights is None else rows.weights / np.median(rows.weights)
    times = who["time"].astype(str) if "time" in who else [""] * rows.n
    said = [
        "\x1f".join((*ids, time, rows.outcome, f"{value:.9g}", f"{weight:.4g}"))
        for *ids, time, value, weight in zip(
            *(members[c] for c in members), times, rows.y + 0.0, weights, strict=True
        )
    ]
    again = pd.Series(said).groupby(said).cumcount()  # the second of two rows that say the same is another row
    small = key[:64]
    members["row"] = np.array(
        [
            int.from_bytes(hashlib.blake2b(f"{text}\x1f{k}".encode(), key=small, digest_size=8).digest())
            for text, k in zip(said, again, strict=True)
        ],
        np.uint64,
    )
    spread = rows.y.std()
    members["value"] = np.round((rows.y - rows.y.mean()) / (spread if spread > 0 else 1.0), 2)
    return members


def _only(one: Trace, other: Trace, by: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lines of either that the other has not."""
    a, b = one.members, other.members
    return a[~a[by].isin(b[by].unique())], b[~b[by].isin(a[by].unique())]


def _is_few(members: pd.DataFrame, person: str, rules: Rules) -> bool:
    """Tell whether there is somebody, and too few persons, teachers or schools for a number of their own."""
    if members.empty:
        return False
    needed = thresholds([person], rules)
    columns = {kind: "person" if kind == person else kind for kind in needed}
    return any(members[column].nunique() < needed[kind] for kind, column in columns.items() if column in members)


def _is_same_outcome(one: Trace, other: Trace) -> bool:
    """Tell whether the outcomes of the persons whom two results share are one, whatever their names and units."""
    both = pd.concat([t.members.groupby("person")["value"].mean() for t in (one, other)], axis=1, join="inner")
    a, b = both.to_numpy(float).T
    if len(both) < 3 or a.std() == 0 or b.std() == 0:
        return one.outcome == other.outcome
    return abs(np.corrcoef(a, b)[0, 1]) >= SAME
