"""From sums to estimates: intervals for small numbers, targets, and why there is none."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.corps.catalogue import Definition
from htresearch.corps.tally import Sums, Tally
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.corps.record import Record

_MOMENTS = ("x", "m", "xx", "xm", "mm", "n", "schools")
_EMPTY = Text("分母为 0：{what}", "the denominator is empty: {what}")
#: The vocabulary of each breakdown whose name is not its own.
VOCABULARY = {
    ("recognised_per_100", "kind"): "incentive",
    ("practice_days", "kind"): "activity",
}
_Z = NormalDist().inv_cdf(0.975)
_COUNTED = {"teachers": "n_teachers", "classes": "n_classes", "students": "n_students"}


def wilson(x: np.ndarray, n: np.ndarray, conf_level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval of a share; it has a width at 0 and at 1 too.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association, 22, 209-212. https://doi.org/10.1080/01621459.1927.10502953
    """
    z = NormalDist().inv_cdf(0.5 + conf_level / 2)
    p = x / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.where(x == 0, 0.0, middle - half), np.where(x == n, 1.0, middle + half)


def estimate(sums: Sums, definition: Definition) -> Sums:
    """Return estimate, std_error, conf_low and conf_high of one indicator from its sums."""
    x, m, n = sums["x"], sums["m"], sums["n"]
    made = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.full(len(x), np.nan))
    # Nothing can be said of an empty denominator; the reason stands beside it.
    with np.errstate(divide="ignore", invalid="ignore"):
        value = x / m
        if definition.interval == "wilson":
            low, high = wilson(x, m)
            error, per = np.sqrt(value * (1 - value) / m), definition.per
            made = {"estimate": per * value, "std_error": per * error, "conf_low": per * low, "conf_high": per * high}
        elif definition.interval == "rates":
            factor = np.exp(_Z * np.sqrt(1 / sums["xx"] + 1 / sums["mm"]))
            made |= {"estimate": value, "conf_low": value / factor, "conf_high": value * factor}
        elif definition.interval == "ratio":
            made = _ratio(sums, value, m, n, bounded=definition.unit == "share")
        else:
            made["estimate"] = np.sqrt(value)
    return {name: np.where(m > 0, column, np.nan) for name, column in made.items()}


def _ratio(sums: Sums, value: np.ndarray, m: np.ndarray, n: np.ndarray, bounded: bool) -> dict:
    """Return a ratio of sums with its linearised standard error over those counted, and Student's t."""
    from scipy.special import stdtrit

    xx, xm, mm = (sums[c] for c in ("xx", "xm", "mm"))
    squares = np.clip(xx - 2 * value * xm + value**2 * mm, 0, None)
    # What is left of equal values is rounding.
    squares = np.where(squares < 1e-12 * np.maximum(xx, value**2 * mm), 0, squares)
    error = np.where(n > 1, np.sqrt(n / (n - 1) * squares) / m, np.nan)
    # Few numbers of those counted, many units.
    freedom, place = np.unique(np.where(n > 1, n - 1, np.nan), return_inverse=True)
    half = stdtrit(freedom, 0.975)[place] * error
    low, high = np.maximum(value - half, 0), value + half
    return {
        "estimate": value,
        "std_error": error,
        "conf_low": low,
        "conf_high": np.minimum(high, 1) if bounded else high,
    }


def assemble(tally: Tally, known: dict[str, Definition], record: Record) -> pd.DataFrame:
    """Return a row for each unit, term and indicator, and for each value of its breakdowns that has a denominator."""
    cells = len(tally.level.ids) * len(record.terms.ids)
    names = [name for name in known if name in tally.wanted]
    blocks = []
    for number, name in enumerate(names):
        for place, group in enumerate(("", *known[name].groups)):
            parts = [] if name in tally.why else tally.parts.get((name, group), [])
            sums = {c: np.concatenate([part[c] for part in parts]) for c in parts[0]} if parts else None
            if not group:
                sums = _whole(sums, cells)
            if sums is not None:
                codes = {"_number": np.full(len(sums["x"]), number), "_place": np.full(len(sums["x"]), place)}
                kept = {c: sums[c] for c in ("cell", "value", "x", "m", "n", "schools")}
                blocks.append(kept | estimate(sums, known[name]) | codes)
    columns = {c: np.concatenate([block[c] for block in blocks]) for c in blocks[0]}
    units = len(tally.level.ids)
    order = columns["cell"] % units
    for part in (columns["cell"] // units, columns["_number"], columns["_place"], columns["value"]):
        order = order * (int(part.max(initial=0)) + 1) + part
    order = np.argsort(order, kind="stable")
    return _named({c: column[order] for c, column in columns.items()}, tally, known, names, record)


def _whole(sums: Sums | None, cells: int) -> Sums:
    """Return a row for every unit and term, of an empty denominator where nothing was counted."""
    empty = {c: np.full(cells, 0.0 if c in ("x", "m") else np.nan) for c in _MOMENTS}
    if sums is not None:
        for name in empty.keys() & sums.keys():
            empty[name][sums["cell"]] = sums[name]
    return {"cell": np.arange(cells), "value": np.zeros(cells, np.int64), **empty}


def _named(columns: Sums, tally: Tally, known: dict[str, Definition], names: list[str], record: Record):
    """Put ids and words in the place of codes."""
    number, units = columns["_number"], len(tally.level.ids)
    unit, term = columns["cell"] % units, columns["cell"] // units
    refused = np.array([name in tally.why for name in names], bool)[number]
    ids = _words(names, number)
    made = {"term": ids} | {c: columns[c] for c in ("estimate", "std_error", "conf_low", "conf_high")}
    for column in ("n_students", "n_teachers", "n_classes"):
        counted = np.array([_COUNTED.get(known[name].of) == column for name in names])
        made[column] = np.where(counted[number], columns["n"], np.nan)
    group, value = _breakdowns(columns, tally, known, names, record)
    made |= {
        "n_schools": columns["schools"],
        "unit" if tally.level.name == "district" else f"{tally.level.name}_id": _words(tally.level.ids, unit),
        "term_id": _words(record.terms.ids, term),
        "indicator_id": ids,
        "group": group,
        "value": value,
        # Where a table lacks, nothing was counted: that is not 0.
        "numerator": np.where(refused, np.nan, columns["x"]),
        "denominator": np.where(refused, np.nan, columns["m"]),
        "target": _targets(columns, term, tally, names, record),
        "why": _why(columns, term, tally, known, names),
    }
    return pd.DataFrame(made)


def _words(words: list[str], code: np.ndarray) -> pd.Series:
    return pd.Series(pd.array(words, dtype="str").take(code))


def _targets(columns: Sums, term: np.ndarray, tally: Tally, names: list[str], record: Record) -> np.ndarray:
    """Return the target in force on each first day, for the whole of an indicator."""
    known = np.array([record.targets(name, tally.level.name) for name in names])
    return np.where(columns["_place"] == 0, known[columns["_number"], term], np.nan)


def _why(columns: Sums, term: np.ndarray, tally: Tally, known: dict[str, Definition], names: list[str]) -> np.ndarray:
    """Say of each missing estimate why it is missing."""
    reasons = np.full((len(names), tally.terms), None, object)
    for i, name in enumerate(names):
        reasons[i] = tally.why.get(name) or _EMPTY.format(what=known[name].denominator)
    for (name, number), reason in tally.why_in.items():
        if name in names:
            reasons[names.index(name), number] = reason
    why, missing = np.full(len(term), None, object), np.isnan(columns["estimate"])
    why[missing] = reasons[columns["_number"][missing], term[missing]]
    return why


def _breakdowns(columns: Sums, tally: Tally, known: dict[str, Definition], names: list[str], record: Record):
    """Return the variable and the value of each breakdown, empty for the whole."""
    vocabularies = record.study.store.schema.vocabularies
    groups, values, shape = [""], [""], (len(names), int(columns["_place"].max(initial=0)) + 1)
    variable, first = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for i, name in enumerate(names):
        for place, group in enumerate(known[name].groups[: shape[1] - 1], 1):
            variable[i, place], first[i, place] = len(groups), len(values)
            groups.append(group)
            values.extend(tally.values.get(group) or vocabularies.get(VOCABULARY.get((name, group), group), ()))
    at = (columns["_number"], columns["_place"])
    return _words(groups, variable[at]), _words(values, first[at] + np.where(at[1] > 0, columns["value"], 0))
