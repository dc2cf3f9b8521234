"""Units set beside their peers: what a report on each may hold, worked out with every unit in view."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.corps.catalogue import definitions
from htresearch.corps.indicators import indicators
from htresearch.corps.unit_view import FEWEST_HEADS, FEWEST_PEERS, NUMBERS, PARTS, UnitView
from htresearch.corps.withholding import protect, unsafe
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.study.open import Study

#: Of these indicators, and parts of one, a count of one or two points at somebody, who may be at fault.
_POINTING = frozenset({"demotions_per_100", "failed_in_post", "incidents_per_100", "incidents_followed_up"})
_POINTING_PARTS = frozenset({("result", "basically_qualified"), ("result", "unqualified")})
_FEWEST_POINTED = 3
_PERSONS = frozenset({"teachers", "students", "members", "decisions", "appraisals"})
_KEYS = ["term_id", "indicator_id", "group", "value"]
_WHY = {
    "threshold": Text("涉及不足 {n} 人，不显示", "fewer than {n} persons are behind it; not shown").format(
        n=FEWEST_HEADS
    ),
    "pointed": Text("有，但不足 {n} 人，不显示", "there are some, fewer than {n}; not shown").format(
        n=_FEWEST_POINTED
    ),
    "contributors": Text("主要出自一两个人，不显示", "one or two persons make up most of it; not shown"),
    "incomplete": Text(
        "由它和其他各项能推算出不显示的数，不显示", "with the others it would give what is hidden; not shown"
    ),
}


def unit_views(
    study: Study,
    by: str = "school_id",
    only: Collection[str] | None = None,
    term: str | None = None,
) -> dict[str, UnitView]:
    """Set units beside their peers: other schools of the same school type, or the other school zones.

    The views hold no other unit's name and no person's. Where a unit has ten head teachers or more, so that its
    report carries no mark, numbers that rest on fewer than ten persons are withheld, and so are amounts that one or
    two persons make up, and one or two head teachers who failed, lost a tier or had an incident; of a breakdown
    further parts go with these, until none of them follows from the whole and the other parts. The district's number
    is told where more than five units have one, and keeps the same rules.

    Parameters
    ----------
    study
        As `open_study` gives it.
    by
        ``"school_id"`` or ``"zone_id"``.
    only
        Which units; all of them otherwise.
    term
        The term that the reports are about; the last one otherwise. Earlier terms are kept for trends.

    Returns
    -------
    dict of str to UnitView
        By the unit, in the order of their ids.

    Raises
    ------
    ArgumentError
        If `by`, `only` or `term` names what does not exist.
    MissingTableError
        If the study has no schools or no terms.

    Examples
    --------
    >>> import htresearch as ht
    >>> views = ht.corps.unit_views(ht.open_study("data/demo"), only=["S0001"])
    >>> list(views)
    ['S0001']
    """
    checks.require(checks.one_of("by", by, ("school_id", "zone_id")))
    found = indicators(study, by)
    ids = sorted(set(found.frame[by]))
    terms = list(dict.fromkeys(found.frame["term_id"]))
    asked = None if only is None else [only] if isinstance(only, str) else list(dict.fromkeys(only))
    checks.require(
        None if term is None else checks.one_of("term", term, terms),
        *(checks.one_of("only", one, ids) for one in asked or ()),
    )
    term = terms[-1] if term is None else term
    kinds = _kinds(study, by, ids)
    cube = _Cube(found.frame, found.district, by, ids, terms[: terms.index(term) + 1])
    return {unit: cube.view(unit, term, kinds, found.note) for unit in ids if asked is None or unit in asked}


def _kinds(study: Study, by: str, ids: list[str]) -> pd.Series:
    """Return what each unit is compared within."""
    if by == "zone_id" or not study.store.has("schools", "school_type"):
        return pd.Series("", index=ids)
    schools = study.frame("schools").set_index("school_id")["school_type"].astype(object)
    return schools.where(schools.notna(), "").reindex(ids)


class _Cube:
    """Every unit's rows side by side, from which the middle of any of them is soon taken."""

    def __init__(self, frame: pd.DataFrame, district: pd.DataFrame, by: str, ids: list[str], terms: list[str]):
        self.by, self.ids = by, ids
        frame, whole = _kept(frame, terms), _kept(district, terms)
        every = pd.MultiIndex.from_frame(frame[_KEYS])
        keys = every.unique()
        # Of a part that a unit has nobody in there is no row.
        column = keys.get_indexer(every)
        self._values = np.full((len(ids), len(keys)), np.nan)
        self._values[pd.Index(ids).get_indexer(frame[by]), column] = frame["estimate"]
        rules = _rules(frame, by, by)
        self._rows = {unit: (frame.iloc[at], column[at], rules[at]) for unit, at in frame.groupby(by).indices.items()}
        # A breakdown that only the district has is in no report.
        there = keys.get_indexer(pd.MultiIndex.from_frame(whole[_KEYS]))
        whole, there = whole[there >= 0].reset_index(drop=True), there[there >= 0]
        # Out of a district of few units anybody's number comes by subtraction.
        few = np.isfinite(self._values[:, there]).sum(axis=0) <= FEWEST_PEERS
        told = whole["estimate"].where(_rules(whole, by, "unit", few) == "")
        self._district = np.full(len(keys), np.nan)
        self._district[there] = told

    def view(self, unit: str, term: str, kinds: pd.Series, notes: tuple[Text, ...]) -> UnitView:
        like = (kinds == kinds[unit]).to_numpy(bool, copy=True)
        like[self.ids.index(unit)] = False
        rows, columns, rules = self._rows[unit]
        heads = rows.loc[
            (rows["term_id"] == term) & (rows["indicator_id"] == "several_classes"), "denominator"
        ].fillna(0)
        beside = {"district": self._district[columns]} | _middle(self._values[np.ix_(like, columns)])
        made = rows[[*_KEYS, *NUMBERS, "why"]].assign(**beside).reset_index(drop=True)
        n_heads = int(heads.sum())
        if n_heads >= FEWEST_HEADS:
            made = _withheld(made, rules)
        return UnitView(unit, self.by, term, str(kinds[unit]), int(like.sum()), n_heads, made, notes)


def _kept(frame: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    """Return the rows of these terms that a view holds: wholes, and the parts that are shown."""
    shown = np.zeros(len(frame), bool)
    for name, groups in PARTS.items():
        shown |= ((frame["indicator_id"] == name) & frame["group"].isin(groups)).to_numpy()
    return frame[((frame["group"] == "") | shown) & frame["term_id"].isin(terms)].reset_index(drop=True)


def _middle(values: np.ndarray) -> dict[str, np.ndarray]:
    """Return quartiles of each column that has enough values, and how many it has."""
    counted = np.isfinite(values).sum(axis=0)
    quartiles = np.full((3, values.shape[1]), np.nan)
    enough = counted >= FEWEST_PEERS
    # As `nanquantile`, which goes through the columns one by one: missing values are sorted to the end.
    ordered, last = np.sort(values[:, enough], axis=0), counted[enough] - 1
    for number, share in enumerate((0.25, 0.5, 0.75)):
        below = (share * last).astype(int)
        low, high = (np.take_along_axis(ordered, at[None], 0)[0] for at in (below, np.minimum(below + 1, last)))
        quartiles[number, enough] = low + (high - low) * (share * last - below)
    made = dict(zip(("peers_low", "peers_median", "peers_high"), quartiles, strict=True))
    return made | {"n_peers": counted.astype(float)}


def _rules(rows: pd.DataFrame, by: str, unit: str, few_units: np.ndarray | None = None) -> np.ndarray:
    """Return for each row why it is not shown, or an empty text; `unit` is the column of the units."""
    known = definitions()
    of_persons = np.array([known[name].of in _PERSONS for name in rows["indicator_id"]], bool)
    persons = rows["n_teachers"].fillna(rows["n_students"]).fillna(rows["denominator"]).to_numpy(float)
    count = rows["numerator"].to_numpy(float)
    parts = [pair in _POINTING_PARTS for pair in zip(rows["group"], rows["value"], strict=True)]
    pointing = (rows["indicator_id"].isin(_POINTING) & (rows["group"] == "")).to_numpy() | np.array(parts, bool)
    rules = unsafe(rows, by, _FEWEST_POINTED, schools=1, zero=True)
    rules[rules != "contributors"] = ""
    rules[pointing & (count > 0) & (count < _FEWEST_POINTED)] = "pointed"
    rules[of_persons & (persons > 0) & (persons < FEWEST_HEADS)] = "threshold"
    if few_units is not None:
        rules[few_units] = "threshold"
    protect(rows, rules, unit, _known, _smallest_part)
    return rules


def _known(name: str, x: np.ndarray, m: np.ndarray, rules: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what a reader knows of a report's parts from the rules and the whole alone."""
    most = np.minimum(m, total) if definitions()[name].interval == "wilson" else np.full(len(x), total)
    least = np.maximum(total - (most.sum() - most), 0)
    pointed = rules == "pointed"
    return np.where(pointed, 1.0, least), np.where(pointed, _FEWEST_POINTED - 1.0, most)


def _smallest_part(x: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Let the part of the fewest persons go first, of equal ones that with most cases: a 0 would hide nothing."""
    return m - x / (1 + x.sum())


def _withheld(made: pd.DataFrame, rules: np.ndarray) -> pd.DataFrame:
    """Take out what the rules forbid, and say so."""
    made, hidden = made.copy(), rules != ""
    made.loc[hidden, ["estimate", "conf_low", "conf_high", "numerator", "denominator"]] = np.nan
    why = made["why"].to_numpy(object, copy=True)
    why[hidden] = [_WHY[rule] for rule in rules[hidden]]
    return made.assign(why=pd.Series(why, dtype=object))
