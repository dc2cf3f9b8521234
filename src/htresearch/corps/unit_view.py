"""One school or school zone beside its peers: all that a report on it may hold, and nothing of anybody else's."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from htresearch import atomic
from htresearch.language import Text, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from htresearch.appearance import Table

#: With fewer others no median is given: it would be single schools.
FEWEST_PEERS = 5
#: With fewer head teachers a number about them is nearly a number about one of them.
FEWEST_HEADS = 10
#: The indicators that a view holds part by part. Of others it has the whole alone: what is not there needs no hiding,
#: and the parts of two indicators over the same persons would tell more than those of either.
PARTS = {
    "accredited_share": ("tier", "stage"),
    "training_hours": ("level", "theme"),
    "appraisal_excellent": ("result",),
}
NUMBERS = ("estimate", "conf_low", "conf_high", "numerator", "denominator", "target")
_BESIDE = ("district", "peers_low", "peers_median", "peers_high", "n_peers")


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
        A row per term up to `term` and indicator (``group`` empty), and one for each part of a breakdown that reports
        show: the unit's estimate with its interval, numerator and denominator, target, why it has none; the
        district's estimate; median and middle half of the peers, and how many have one.
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

    def now(self, indicator_id: str | None = None) -> pd.DataFrame:
        """Return the rows of the report's term: the wholes, or one indicator with its parts."""
        rows = self.frame[self.frame["term_id"] == self.term]
        return rows[rows["group"] == "" if indicator_id is None else rows["indicator_id"] == indicator_id]

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
        frame[[*NUMBERS, *_BESIDE]] = frame[[*NUMBERS, *_BESIDE]].astype(float)
        frame["why"] = pd.Series([Text(**why) if why else None for why in frame["why"]], dtype=object)
        notes = tuple(Text(**note) for note in told.pop("notes"))
        return cls(**told, frame=frame, notes=notes)

    def table(self) -> Table:
        """Return every indicator of the term that could be computed, beside peers, district and target."""
        from htresearch.corps.unit_pages import whole_table

        return whole_table(self)

    def parts(self, indicator_id: str) -> Table:
        """Return an indicator part by part beside peers and district, or why it has no parts.

        Parameters
        ----------
        indicator_id
            ``"training_hours"`` (by level and theme), ``"accredited_share"`` (by tier and stage) or
            ``"appraisal_excellent"`` (by result).
        """
        from htresearch.corps.unit_pages import parts_table

        return parts_table(self, indicator_id)

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


def kind_of(view: UnitView) -> Text:
    """Say what a unit's peers are."""
    if view.by == "zone_id":
        return Text("其他学区", "other school zones")
    if not view.school_type:
        return Text("其他学校", "other schools")
    return Text("其他学校（{kind}）", "other schools ({kind})").format(
        kind=label(view.school_type, within="school_type")
    )
