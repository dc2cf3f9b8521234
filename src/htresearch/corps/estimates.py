"""From sums to estimates: intervals for small numbers, targets, and why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from htresearch.corps.catalogue import Definition
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.corps.record import Record
    from htresearch.corps.tally import Tally

_EMPTY = Text("分母为 0：{what}", "the denominator is empty: {what}")
#: The vocabulary of each breakdown whose name is not its own.
_VOCABULARY = {
    ("recognised_per_100", "kind"): "incentive",
    ("practice_days", "kind"): "activity",
}
_COUNTED = {"teachers": "n_teachers", "classes": "n_classes", "students": "n_students"}


def wilson(x: np.ndarray, n: np.ndarray, conf_level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval of a share; it has a width at 0 and at 1 too.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association, 22, 209-212. https://doi.org/10.1080/01621459.1927.10502953
    """
    z = norm.ppf(0.5 + conf_level / 2)
    p = x / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.where(x == 0, 0.0, middle - half), np.where(x == n, 1.0, middle + half)


def estimate(sums: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    """Return estimate, std_error, conf_low and conf_high of one indicator from its sums."""
    x, m, n = (sums[c].to_numpy(float) for c in ("x", "m", "n"))
    made = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.full(len(sums), np.nan))
    # Nothing can be said of an empty denominator; the reason stands beside it.
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(m > 0, x / m, np.nan)
        if definition.unit == "sd":
            made["estimate"] = np.sqrt(value)
        elif definition.interval == "wilson":
            low, high = wilson(x, m)
            per = definition.per
            error = np.sqrt(value * (1 - value) / m)
            made = {"estimate": per * value, "std_error": per * error, "conf_low": per * low, "conf_high": per * high}
        elif definition.interval == "rates":
            error = np.sqrt(1 / sums["xx"] + 1 / sums["mm"]).to_numpy(float)
            error = np.where(np.isfinite(error), error, np.nan)
            factor = np.exp(norm.ppf(0.975) * error)
            made |= {"estimate": value, "conf_low": value / factor, "conf_high": value * factor}
        else:
            made = _ratio(sums, value, m, n, bounded=definition.unit == "share")
    return pd.DataFrame(made).where(np.repeat((m > 0)[:, None], 4, axis=1))


def _ratio(sums: pd.DataFrame, value: np.ndarray, m: np.ndarray, n: np.ndarray, bounded: bool) -> dict:
    """Return a ratio of sums with its linearised standard error over those counted, and Student's t."""
    xx, xm, mm = (sums[c].to_numpy(float) for c in ("xx", "xm", "mm"))
    squares = np.clip(xx - 2 * value * xm + value**2 * mm, 0, None)
    # What is left of equal values is rounding.
    squares = np.where(squares < 1e-12 * np.maximum(xx, value**2 * mm), 0, squares)
    error = np.where(n > 1, np.sqrt(n / (n - 1) * squares) / m, np.nan)
    half = t.ppf(0.975, np.where(n > 1, n - 1, np.nan)) * error
    low, high = np.maximum(value - half, 0), value + half
    return {
        "estimate": value,
        "std_error": error,
        "conf_low": low,
        "conf_high": np.minimum(high, 1) if bounded else high,
    }


def assemble(tally: Tally, known: dict[str, Definition], record: Record) -> pd.DataFrame:
    """Return a row for each unit, term and indicator, and for each value of its breakdowns that has a denominator."""
    units, terms = len(tally.level.ids), len(record.terms.ids)
    names = [name for name in known if name in tally.wanted]
    parts = pd.concat(tally.parts, ignore_index=True) if tally.parts else None
    made = []
    for number, name in enumerate(names):
        definition = known[name]
        ours = parts[parts["indicator"] == name] if parts is not None and name not in tally.why else None
        made.append(_rows(tally, definition, ours, units * terms).assign(_indicator=number))
        made[-1] = _with_targets(made[-1], definition, tally, record)
    frame = pd.concat(made, ignore_index=True)
    frame = frame.iloc[
        np.lexsort(
            (frame["_value"], frame["_group"], frame["_indicator"], frame["cell"] // units, frame["cell"] % units)
        )
    ]
    return _named(frame, tally, known, names, record)


def _rows(tally: Tally, definition: Definition, ours: pd.DataFrame | None, cells: int) -> pd.DataFrame:
    grid = pd.DataFrame({"cell": np.arange(cells)})
    columns = ["cell", "value", "x", "m", "xx", "xm", "mm", "n", "schools"]
    if ours is None:
        whole = grid.reindex(columns=columns)
        whole["value"] = 0
        groups = []
    else:
        whole = grid.merge(ours.loc[ours["group"] == "", columns], on="cell", how="left")
        whole = whole.fillna({"value": 0, "x": 0.0, "m": 0.0})
        groups = [(g, ours[(ours["group"] == g) & (ours["m"] > 0)]) for g in definition.groups]
    blocks = []
    for order, (group, part) in enumerate([("", whole), *groups]):
        block = pd.concat(
            [part[columns].reset_index(drop=True), estimate(part, definition).set_index(pd.RangeIndex(len(part)))],
            axis=1,
        )
        blocks.append(block.assign(_group=order, _value=part["value"].to_numpy(int)))
    rows = pd.concat([block for block in blocks if len(block)], ignore_index=True)
    return rows.drop(columns=["value", "xx", "xm", "mm"])


def _with_targets(rows: pd.DataFrame, definition: Definition, tally: Tally, record: Record) -> pd.DataFrame:
    """Add the target in force on each first day to the whole of an indicator, and why there is no estimate."""
    units = len(tally.level.ids)
    whole = rows["_group"].to_numpy() == 0
    term = rows["cell"].to_numpy() // units
    target = np.array([record.target(definition.id, tally.level.name, i) for i in range(len(record.terms.ids))])
    why = np.full(len(rows), None, object)
    if definition.id in tally.why:
        why[:] = tally.why[definition.id]
    else:
        why[rows["estimate"].isna().to_numpy()] = _EMPTY.format(what=definition.denominator)
        for i in range(len(record.terms.ids)):
            if (definition.id, i) in tally.why_in:
                why[rows["estimate"].isna().to_numpy() & (term == i)] = tally.why_in[definition.id, i]
    return rows.assign(target=np.where(whole, target[term] if len(target) else np.nan, np.nan), why=why)


def _named(frame: pd.DataFrame, tally: Tally, known, names: list[str], record: Record) -> pd.DataFrame:
    """Put ids and words in the place of codes."""
    units = len(tally.level.ids)
    key = "unit" if tally.level.name == "district" else f"{tally.level.name}_id"
    number = frame["_indicator"].to_numpy()
    ids = pd.Categorical.from_codes(number, names).astype(str)
    group, value = _breakdowns(frame, tally, known, names, record)
    made = {
        "term": ids,
        "estimate": frame["estimate"].to_numpy(),
        "std_error": frame["std_error"].to_numpy(),
        "conf_low": frame["conf_low"].to_numpy(),
        "conf_high": frame["conf_high"].to_numpy(),
    }
    counted = np.array([_COUNTED.get(known[name].of, "") for name in names], object)[number]
    for column in ("n_students", "n_teachers", "n_classes"):
        made[column] = np.where(counted == column, frame["n"].to_numpy(float), np.nan)
    made["n_schools"] = frame["schools"].to_numpy(float)
    cell = frame["cell"].to_numpy()
    made |= {
        key: pd.Categorical.from_codes(cell % units, tally.level.ids).astype(str),
        "term_id": pd.Categorical.from_codes(cell // units, record.terms.ids).astype(str),
        "indicator_id": ids,
        "group": group,
        "value": value,
        "numerator": frame["x"].to_numpy(),
        "denominator": frame["m"].to_numpy(),
        "target": frame["target"].to_numpy(),
        "why": frame["why"].to_numpy(),
    }
    return pd.DataFrame(made)


def _breakdowns(frame: pd.DataFrame, tally: Tally, known, names: list[str], record: Record):
    group, value = np.full(len(frame), "", object), np.full(len(frame), "", object)
    number, order, code = (frame[c].to_numpy() for c in ("_indicator", "_group", "_value"))
    for i, name in enumerate(names):
        for place, one in enumerate(known[name].groups, 1):
            here = np.flatnonzero((number == i) & (order == place))
            words = tally.values.get(one) or record.vocabulary(_VOCABULARY.get((name, one), one))
            group[here], value[here] = one, np.array(words, object)[code[here]]
    return group, value
