"""One school or school zone beside its peers: all that a report on it may hold, and nothing of anybody else's."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import atomic, checks
from htresearch.corps.catalogue import definitions
from htresearch.corps.indicators import indicators
from htresearch.language import Text, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from htresearch.appearance import Table
    from htresearch.study.open import Study

#: With fewer others no median is given: it would be single schools.
FEWEST_PEERS = 5
#: With fewer head teachers a number about them is nearly a number about one of them.
FEWEST_HEADS = 10
#: Of these a count of one or two points at somebody, who may be a head teacher at fault.
_POINTING = frozenset({"demotions_per_100", "failed_in_post", "incidents_per_100", "incidents_followed_up"})
_FEWEST_POINTED = 3
_PERSONS = frozenset({"teachers", "students", "members", "decisions", "appraisals"})
_NUMBERS = ("estimate", "conf_low", "conf_high", "numerator", "denominator", "target")
_BESIDE = ("district", "peers_low", "peers_median", "peers_high", "n_peers")
_FEW = Text("涉及不足 {n} 人，不显示", "fewer than {n} persons are behind it; not shown")
_POINTS = Text("有，但不足 {n} 人，不显示", "there are some, fewer than {n}; not shown")


@dataclass(frozen=True)
class UnitView:
    """The indicators of one unit, term by term, beside the middle of its peers.

    Peers are the other schools of the same school type, or the other school zones. They are never named; without at
    least five of them nothing is said about them.

    Attributes
    ----------
    unit, by, term : str
        Whose, and the term that the report is about.
    school_type : str
        Of a school; empty for a zone.
    n_peers, n_heads : int
        How many peers there are, and how many head teachers the unit has on the term's first day.
    frame : pandas.DataFrame
        A row per term up to `term` and indicator: the unit's estimate with its interval, numerator and denominator,
        target, why it has none; the district's estimate; median and middle half of the peers, and how many have one.
    notes : tuple of Text
        What the reader must know.
    """

    unit: str
    by: str
    term: str
    school_type: str
    n_peers: int
    n_heads: int
    frame: pd.DataFrame = field(repr=False)
    notes: tuple[Text, ...] = ()

    @property
    def internal(self) -> bool:
        """Whether the unit has so few head teachers that its report must stay inside."""
        return self.n_heads < FEWEST_HEADS

    @property
    def mark(self) -> Text | None:
        """What an internal report says at its head."""
        if not self.internal:
            return None
        return Text(
            "内部资料，请勿外传：班主任不足 {n} 人。", "Internal, not to be passed on: fewer than {n} head teachers."
        ).format(n=FEWEST_HEADS)

    def now(self) -> pd.DataFrame:
        """Return the rows of the report's term."""
        return self.frame[self.frame["term_id"] == self.term]

    def save(self, path: str | Path) -> Path:
        """Write the view as a file that `read` takes."""
        told = {name: value for name, value in vars(self).items() if name not in ("frame", "notes")}
        rows = self.frame.astype(object).where(self.frame.notna(), None)
        rows["why"] = [asdict(why) if isinstance(why, Text) else None for why in rows["why"]]
        told |= {"rows": rows.to_dict("list"), "notes": [asdict(note) for note in self.notes]}
        return atomic.write_file(path, json.dumps(told, ensure_ascii=False).encode())

    @classmethod
    def read(cls, path: str | Path) -> UnitView:
        """Read a view that `save` wrote."""
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        frame = pd.DataFrame(told.pop("rows"))
        frame[[*_NUMBERS, *_BESIDE]] = frame[[*_NUMBERS, *_BESIDE]].astype(float)
        frame["why"] = pd.Series([Text(**why) if why else None for why in frame["why"]], dtype=object)
        notes = tuple(Text(**note) for note in told.pop("notes"))
        return cls(**told, frame=frame, notes=notes)

    def table(self) -> Table:
        """Return every indicator of the term that could be computed, beside peers, district and target."""
        from htresearch.corps.unit_pages import whole_table

        return whole_table(self)

    def missing(self) -> Table:
        """Return the indicators without an estimate, each with the reason."""
        from htresearch.corps.unit_pages import missing_table

        return missing_table(self)

    def plot(self) -> Figure:
        """Draw the unit's shares with their intervals over the middle half of its peers."""
        from htresearch.corps.unit_pages import shares

        return shares(self)

    def trends(self, indicator_ids: Collection[str] | None = None) -> Figure:
        """Draw indicators over the terms beside the middle of the peers; a handful that matter unless named."""
        from htresearch.corps.unit_pages import over_terms

        return over_terms(self, indicator_ids)

    def _repr_mimebundle_(self, include=None, exclude=None):
        from htresearch.corps.unit_pages import opening

        return opening(self)._repr_mimebundle_(include, exclude)


def unit_views(
    study: Study,
    by: str = "school_id",
    only: Collection[str] | None = None,
    term: str | None = None,
) -> dict[str, UnitView]:
    """Set units beside their peers: other schools of the same school type, or the other school zones.

    The views hold no other unit's name and no person's. Where a unit has ten head teachers or more, so that its
    report carries no mark, numbers that rest on fewer than ten persons are withheld, and so are one or two head
    teachers who failed, lost a tier or had an incident; the district's one or two are never told.

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
    frame = found.frame[found.frame["group"] == ""]
    ids = sorted(set(frame[by]))
    terms = list(dict.fromkeys(frame["term_id"]))
    asked = None if only is None else [only] if isinstance(only, str) else list(dict.fromkeys(only))
    checks.require(
        None if term is None else checks.one_of("term", term, terms),
        *(checks.one_of("only", one, ids) for one in asked or ()),
    )
    term = terms[-1] if term is None else term
    kinds = _kinds(study, by, ids)
    cube = _Cube(frame, found.district, by, ids, terms[: terms.index(term) + 1])
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
        frame = frame[frame["term_id"].isin(terms)]
        self.rows = dict(list(frame.groupby(by, sort=False)))
        keys = self.rows[ids[0]][["term_id", "indicator_id"]].reset_index(drop=True)
        self.values = np.stack([self.rows[unit]["estimate"].to_numpy(float) for unit in ids])
        whole = district[(district["group"] == "") & district["term_id"].isin(terms)]
        # One or two in the whole district point at somebody too.
        few = whole["indicator_id"].isin(_POINTING) & whole["numerator"].between(
            0, _FEWEST_POINTED, inclusive="neither"
        )
        whole = whole.assign(estimate=whole["estimate"].mask(few))
        self.district = keys.merge(whole[["term_id", "indicator_id", "estimate"]], how="left")["estimate"].to_numpy()

    def view(self, unit: str, term: str, kinds: pd.Series, notes: tuple[Text, ...]) -> UnitView:
        like = (kinds == kinds[unit]).to_numpy(bool, copy=True)
        like[self.ids.index(unit)] = False
        rows = self.rows[unit].reset_index(drop=True)
        heads = rows.loc[
            (rows["term_id"] == term) & (rows["indicator_id"] == "several_classes"), "denominator"
        ].fillna(0)
        # Out of a district of few schools anybody's number comes by subtraction.
        many = len(self.ids) > FEWEST_PEERS
        columns = ["term_id", "indicator_id", *_NUMBERS, "why"]
        made = rows[columns].assign(district=self.district if many else np.nan, **_middle(self.values[like]))
        n_heads = int(heads.sum())
        if n_heads >= FEWEST_HEADS:
            made = _withheld(made, rows)
        return UnitView(unit, self.by, term, str(kinds[unit]), int(like.sum()), n_heads, made, notes)


def _middle(values: np.ndarray) -> dict[str, np.ndarray]:
    """Return quartiles of each column that has enough values, and how many it has."""
    counted = np.isfinite(values).sum(axis=0)
    quartiles = np.full((3, values.shape[1]), np.nan)
    enough = counted >= FEWEST_PEERS
    if enough.any():
        quartiles[:, enough] = np.nanquantile(values[:, enough], [0.25, 0.5, 0.75], axis=0)
    made = dict(zip(("peers_low", "peers_median", "peers_high"), quartiles, strict=True))
    return made | {"n_peers": counted.astype(float)}


def _withheld(made: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Take out what rests on few persons, and say so."""
    known = definitions()
    of_persons = np.array([known[name].of in _PERSONS for name in rows["indicator_id"]])
    persons = rows["n_teachers"].fillna(rows["n_students"]).fillna(rows["denominator"]).to_numpy(float)
    few = of_persons & (persons > 0) & (persons < FEWEST_HEADS)
    count = rows["numerator"].to_numpy(float)
    pointed = rows["indicator_id"].isin(_POINTING).to_numpy() & (count > 0) & (count < _FEWEST_POINTED) & ~few
    made = made.copy()
    made.loc[few | pointed, ["estimate", "conf_low", "conf_high", "numerator", "denominator"]] = np.nan
    why = made["why"].to_numpy(object, copy=True)
    why[few], why[pointed] = _FEW.format(n=FEWEST_HEADS), _POINTS.format(n=_FEWEST_POINTED)
    return made.assign(why=pd.Series(why, dtype=object))


def kind_of(view: UnitView) -> Text:
    """Say what a unit's peers are."""
    if view.by == "zone_id":
        return Text("其他学区", "other school zones")
    if not view.school_type:
        return Text("其他学校", "other schools")
    return Text("其他学校（{kind}）", "other schools ({kind})").format(
        kind=label(view.school_type, within="school_type")
    )
