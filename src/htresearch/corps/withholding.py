"""What is not shown of indicators: numbers that rest on few persons, and those from which these could be computed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.corps.catalogue import definitions
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.corps.indicators import Indicators

#: Nobody may compute a hidden number of persons to closer than this.
WIDTH = 5
#: Bounds of shares. The share that the least number makes of a denominator would tell the denominator, and with that
#: of another table the persons between them; the next of these tells neither.
_EDGES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
_COUNTED = ("n_teachers", "n_students", "n_classes")
_NUMBERS = ("estimate", "std_error", "conf_low", "conf_high", "numerator", "denominator", *_COUNTED, "n_schools")
_KEYS = ["term_id", "indicator_id"]

_FEW = Text("涉及不足 {n} 人，不公布", "fewer than {n} persons are behind it; not published")
_RARE = Text("有此事的不足 {n} 人（或没有），不公布", "it is true of fewer than {n} persons, or none; not published")
_COMMON = Text(
    "无此事的不足 {n} 人（或没有），不公布", "it is not true of fewer than {n} persons, or none; not published"
)
_UNEVEN = Text(
    "少数几个人就占了大部分，或人人相同，不公布", "a few persons make up most of it, or all are alike; not published"
)
_SCHOOLS = Text("涉及的学校不足 {s} 所，不公布", "fewer than {s} schools are behind it; not published")
_CLASSES = Text("看不出涉及几位班主任，不公布", "behind how many head teachers it is, is not kept; not published")
_DERIVED = Text(
    "由它和其他各组可以推算出不公布的数，不公布", "with the other groups it would give what is hidden; not published"
)
#: The rules of the check for disclosure that each reason falls under.
RULES = {
    "threshold": _FEW,
    "rare": _RARE,
    "common": _COMMON,
    "contributors": _UNEVEN,
    "schools": _SCHOOLS,
    "teachers": _CLASSES,
    "incomplete": _DERIVED,
}


def unsafe(rows: pd.DataFrame, by: str | None, fewest: int = 10, schools: int = 3, zero: bool = False) -> np.ndarray:
    """Return for each row of indicators the rule of `RULES` that it breaks, or an empty text.

    A share may be shown if enough persons stand on either side of it; a mean per teacher if even by the squares of
    what each contributes enough must have contributed, for by Cauchy and Schwarz that is the least number of them.

    Parameters
    ----------
    rows
        Of `Indicators`.
    by
        The units: a school is known by its name, every other row needs several.
    fewest, schools
        The least numbers of persons and of schools.
    zero
        Whether it may be said that nobody, or everybody, is concerned.
    """
    known = definitions()
    of = np.array([known[name].of for name in rows["indicator_id"]], object)
    kind = np.array([known[name].interval for name in rows["indicator_id"]], object)
    x, m, value, error = (rows[c].to_numpy(float) for c in ("numerator", "denominator", "estimate", "std_error"))
    persons = rows[list(_COUNTED)].bfill(axis=1).iloc[:, 0].to_numpy(float)
    persons = np.where((kind == "wilson") | np.isnan(persons), m, persons)
    share, mean = kind == "wilson", (kind == "ratio") & (of == "teachers") & (persons == m)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = 1 / persons + (persons - 1) / persons * (error / value) ** 2
        contributors = np.where(value > 0, 1 / squares, 0.0)
    alike = (error == 0) & ~np.full(len(rows), zero)
    few_schools = (rows["n_schools"].to_numpy(float) < schools) & (by != "school_id")
    broken = {
        "threshold": persons < fewest,
        "rare": share & (x < fewest) & ~(zero & (x == 0)),
        "common": share & (m - x < fewest) & ~(zero & (x == m)),
        "contributors": mean & (((contributors < fewest - 1e-9) & ~(zero & (value == 0))) | alike),
        "schools": few_schools,
        "teachers": (of == "students") & (by == "school_id"),
    }
    found = np.full(len(rows), "", object)
    for rule in reversed(broken):  # the first is the gravest
        found[broken[rule]] = rule
    found[np.isnan(value)] = ""
    return found


def withheld(found: Indicators, fewest: int = 10, schools: int = 3, parts: Collection[str] = ()) -> Indicators:
    """Return indicators without the numbers that rest on few persons, each with the reason.

    Of a breakdown whose parts add up, further parts are hidden until nobody can compute a hidden one to closer than
    five persons. ``under`` and ``over`` say below or above what a share lies where it is true, or not true, of fewer
    persons than are needed, as one of a few round numbers. Only the parts of one breakdown are looked at together:
    who shows several breakdowns of one indicator has to think of what they tell together. Of the indicators in
    `parts` the whole is hidden first, where something has to be. With ``fewest=1`` all is shown.
    """
    frame = hide(found.frame, found.by, found.unit, fewest, schools, parts)
    district = frame if found.by is None else hide(found.district, None, "unit", fewest, schools, parts)
    hidden = int((frame["hidden"] != "").sum())
    said = Text("{n} 个数因涉及的人太少而不公布。", "{n} numbers rest on too few persons and are not published.")
    note = (*found.note, said.format(n=hidden)) if hidden else found.note
    return replace(found, frame=frame, district=district, note=note)


def telling(rows: pd.DataFrame, by: str | None) -> list[int]:
    """Return the places of hidden parts of breakdowns that follow from the whole and the other parts.

    Parameters
    ----------
    rows
        As `withheld` gives them.
    by
        The units.
    """
    if "hidden" not in rows:
        return []
    rows = rows.reset_index(drop=True)
    keys = [by or "unit", *_KEYS] if (by or "unit") in rows else _KEYS
    found = []
    for _, own in rows[rows["hidden"].isin([*RULES, ""])].groupby(keys, sort=False):
        whole = own[own["group"] == ""]
        if len(whole) != 1 or not np.isfinite(whole["numerator"].iloc[0]):
            continue
        for group, parts in own[own["group"] != ""].groupby("group", sort=False):
            column, exact = _sums_to(whole["indicator_id"].iloc[0], group)
            hidden = parts.index[parts["hidden"] != ""]
            rest = whole[column].iloc[0] - parts["numerator"].sum()
            if len(hidden) and exact and (len(hidden) == 1 or rest < WIDTH):
                found += list(hidden)
    return found


def _sums_to(indicator_id: str, group: str) -> tuple[str, bool]:
    """Return which number of the whole the parts of a breakdown add up to, and whether they do so without overlap."""
    if (indicator_id, group) == ("appraisal_excellent", "result"):
        return "denominator", True  # every appraisal has a result
    # Who attended two kinds, or was honoured twice, is in two parts.
    overlap = definitions()[indicator_id].interval == "wilson" and group in ("level", "theme", "kind", "awarded_by")
    return "numerator", not overlap


def hide(
    frame: pd.DataFrame, by: str | None, unit: str, fewest: int, schools: int = 3, parts: Collection[str] = ()
) -> pd.DataFrame:
    """Return rows of indicators without the numbers that `withheld` speaks of; `unit` is the column of the units."""
    if fewest <= 1:
        return frame.assign(hidden="", under=np.nan, over=np.nan)
    rules = unsafe(frame, by, fewest, schools)
    protect(frame, rules, unit, partial(_published, fewest), parts=parts)
    hidden = rules != ""
    per = np.array([definitions()[name].per for name in frame["indicator_id"]])
    bound = _rounded_up(fewest / frame["denominator"].where(frame["denominator"] > 0).to_numpy(float))
    made = frame.assign(
        hidden=rules,
        under=np.where(rules == "rare", per * bound, np.nan),
        over=np.where(rules == "common", per * (1 - bound), np.nan),
    )
    why = made["why"].to_numpy(object, copy=True)
    for at in np.flatnonzero(hidden):
        why[at] = RULES[rules[at]].format(n=fewest, s=schools)
    made["why"] = pd.Series(why, index=made.index, dtype=object)
    numbers = [c for c in _NUMBERS if c in made]
    made[numbers] = made[numbers].astype(float)
    made.loc[hidden, numbers] = np.nan
    return made


def _rounded_up(bound: np.ndarray) -> np.ndarray:
    """Return the next of the bounds that may be told; none above one half, which would say nothing."""
    edges = np.append(_EDGES, np.nan)
    return edges[np.searchsorted(_EDGES, np.nan_to_num(bound, nan=np.inf))]


#: What a reader knows of the parts of one breakdown beforehand: from the indicator's id, numerators, denominators,
#: rules and their sum, the least and the most that each may be.
Known = Callable[[str, np.ndarray, np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]


def _published(
    fewest: int, _name: str, x: np.ndarray, m: np.ndarray, rules: np.ndarray, _total: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return what anybody knows of what is published: a part hidden as rare has fewer than `fewest`."""
    low = np.where(rules == "common", m - fewest + 1, np.where(rules == "incomplete", np.minimum(fewest, m), 0.0))
    high = np.where(rules == "rare", np.minimum(fewest - 1, m), np.where(rules == "incomplete", m - fewest, m))
    return np.minimum(low, x), np.maximum(high, x)  # what is no share has no such bounds


def _least_lost(x: np.ndarray, m: np.ndarray) -> np.ndarray:
    return np.minimum(x, m - x)


def protect(
    frame: pd.DataFrame,
    rules: np.ndarray,
    unit: str,
    known: Known,
    cost: Callable[[np.ndarray, np.ndarray], np.ndarray] = _least_lost,
    parts: Collection[str] = (),
) -> None:
    """Mark further parts of breakdowns in `rules` until no part that is hidden for itself can be computed.

    Parameters
    ----------
    frame
        Rows of `Indicators`, those of a unit, a term and an indicator standing together.
    rules
        For each row why it is hidden, or an empty text; gets ``"incomplete"`` where a row goes with another.
    unit
        The column of the units.
    known
        What a reader knows beforehand.
    cost
        Of numerators and denominators of parts, by how much each is missed: the least goes first.
    parts
        Indicators of which the whole goes first.
    """
    concerned = frame["indicator_id"][(rules != "") & (frame["group"] != "").to_numpy()].unique()
    places = np.flatnonzero(frame["indicator_id"].isin(concerned))
    for (*_, name), rows in frame.iloc[places].groupby([unit, *_KEYS], sort=False).indices.items():
        _protect(frame, places[rows], rules, partial(known, name), cost, name in parts)


def _protect(frame: pd.DataFrame, rows: np.ndarray, rules: np.ndarray, known, cost, whole_first: bool) -> None:
    """Hide further parts of each breakdown of one indicator until no hidden part can be computed, or the whole."""
    groups, name = frame["group"].to_numpy()[rows], frame["indicator_id"].iloc[rows[0]]
    whole = rows[groups == ""]
    if len(whole) != 1 or rules[whole[0]] or definitions()[name].interval == "none":
        return
    x, m = (frame[c].to_numpy(float) for c in ("numerator", "denominator"))
    for group in dict.fromkeys(groups[groups != ""]):
        parts = rows[groups == group]
        column, exact = _sums_to(name, group)
        total = (x if column == "numerator" else m)[whole[0]]
        while (rules[parts] != "").any() and not _is_safe(x[parts], m[parts], rules[parts], known, total, exact):
            # A part that is the whole itself stands there anyway.
            left = parts[(rules[parts] == "") & ((x[parts] != x[whole[0]]) | (m[parts] != m[whole[0]]))]
            if len(left) and not (whole_first and column == "numerator"):
                rules[left[int(np.argmin(cost(x[left], m[left])))]] = "incomplete"
                continue
            others = rows if not whole_first else rows[groups != group]
            rules[others[rules[others] == ""]] = "incomplete"
            return


def _is_safe(x: np.ndarray, m: np.ndarray, rules: np.ndarray, known, total: float, exact: bool) -> bool:
    """Tell whether no part that is hidden for itself can be computed from the others and the total.

    Anybody knows what is known beforehand, and what all hidden parts together have, or (where parts overlap) have at
    least.
    """
    hidden = rules != ""
    low, high = (bound[hidden] for bound in known(x, m, rules, total))
    rest = total - x[~hidden].sum()
    least = np.maximum(low, rest - (high.sum() - high))
    most = np.minimum(high, rest - (low.sum() - low)) if exact else high
    own = rules[hidden] != "incomplete"
    wide = (most - least >= WIDTH) | ((least <= low + 1e-9) & (most >= high - 1e-9))
    return bool(wide[own].all())
