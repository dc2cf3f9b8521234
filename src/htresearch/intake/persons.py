"""Who an answer is of: a teacher of the roster, a pseudonym of what was given, or nobody that can be known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from htresearch import checks, identifiers
from htresearch.instruments import Instrument
from htresearch.intake.identity import Key, match_roster
from htresearch.intake.receipt import MOST_PLACES, Exclusion
from htresearch.intake.responses import Answers
from htresearch.intake.school import Roster
from htresearch.language import Text, listing

#: What a respondent is in the study; an observer is a teacher of some school.
KINDS = {"teacher": "teacher", "observer": "teacher", "pupil": "pupil", "parent": "parent"}
#: Numbers that only one person has.
_ONES_OWN = ("id_card", "student_number", "certificate")

_UNKNOWN = Text(
    "名册中没有这个人，按姓名和学校另给假名", "Nobody on the roster; given a pseudonym of name and school"
)
_TIED = Text(
    "名册中这个姓名在该校不止一人，无法确定是谁，未与任何人关联",
    "More than one person of this name at the school; linked to none",
)
_HALF = Text("缺姓名或学校，认不出是谁，未与任何人关联", "Name or school is missing; linked to nobody")


@dataclass
class Persons:
    """The persons of a file's answers.

    Attributes
    ----------
    instrument : Instrument
    key : Key
    roster : pandas.DataFrame or None
        name, school, and teacher_id where there is one.
    ids : pandas.Series
        By row of the file, who it is of; NA where that cannot be known. Filled in by `find`.
    """

    instrument: Instrument
    key: Key
    roster: pd.DataFrame | None
    ids: pd.Series = field(default_factory=pd.Series)
    _matched: pd.DataFrame | None = None

    @cached_property
    def told(self) -> dict[str, str]:
        """What items tell, to their names."""
        return {item.identifies: item.id for item in self.instrument.items.values() if item.identifies}

    @property
    def kind(self) -> str:
        """What the respondents are."""
        return KINDS[self.instrument.respondent]

    def find(self, identifying: pd.DataFrame) -> pd.Series:
        """Find who each row is of, and keep it in `ids`."""
        self.ids = pd.Series(pd.NA, index=identifying.index, dtype="string")
        told = {what: item for what, item in self.told.items() if item in identifying}
        for what in _ONES_OWN:
            if what in told:
                self._fill(self.key.pseudonyms(self.kind, identifying[told[what]]))
        if "name" in told:
            self._by_name(identifying, told)
        for what in ("phone", "email", "wechat"):
            if what in told and "name" not in told:
                self._fill(self.key.pseudonyms(self.kind, identifying[told[what]]))
        return self.ids

    def _fill(self, found: pd.Series) -> None:
        self.ids = self.ids.fillna(found.astype("string"))

    def _by_name(self, identifying: pd.DataFrame, told: dict[str, str]) -> None:
        name = bare(identifying[told["name"]])
        # Teachers are known within a school, pupils and parents within a class.
        place = next(
            (told[w] for w in (("school",) if self.kind == "teacher" else ("class", "school")) if w in told), None
        )
        where = identifying[place] if place else pd.Series(pd.NA, index=name.index)
        if self.roster is not None and self.kind == "teacher":
            self._matched = match_roster(pd.DataFrame({"name": name, "school": where}), self.roster)
            self._fill(self._roster_ids(self._matched["match"]))
            tied = self._matched["ties"].str.len() > 0
            name = name.mask(tied | self.ids.notna())
        if place:
            self._fill(self.key.pseudonyms(self.kind, name, where))

    def _roster_ids(self, match: pd.Series) -> pd.Series:
        if "teacher_id" in self.roster:
            return match.astype("string")
        # The roster's spelling stands for the person, not that of the day.
        own = dict(
            zip(
                self.roster.index,
                self.key.pseudonyms(self.kind, self.roster["name"], self.roster["school"]),
                strict=True,
            )
        )
        return match.map(own).astype("string")

    def findings(self, answers: Answers) -> Iterator[Exclusion]:
        """Yield what is to be known of the persons of the rows that are kept."""
        if "name" not in self.told or self.told["name"] not in answers.identifying:
            return
        item = self.told["name"]
        ids = self.ids.iloc[answers.rows].reset_index(drop=True)
        tied = near = None
        if self._matched is not None:
            matched = self._matched.iloc[answers.rows].reset_index(drop=True)
            tied, near = matched["ties"], matched["candidates"]
            unknown = matched["match"].isna() & (tied.str.len() == 0) & ids.notna()
            yield from _listed(_UNKNOWN, answers, item, unknown, near if "teacher_id" in self.roster else None)
            yield from _listed(
                _TIED, answers, item, tied.str.len() > 0, tied if "teacher_id" in self.roster else None
            )
            ids = ids.mask(tied.str.len() > 0, "tied")
        yield from _listed(_HALF, answers, item, ids.isna(), None)


def bare(names: pd.Series) -> pd.Series:
    """Return names without the phones and numbers that people write behind them."""
    held = identifiers.any_in(names)
    cleaned = names.copy()
    for row in names.index[held]:
        text = names[row]
        for found in reversed(identifiers.find(text)):
            if found.kind != "name":
                text = text[: found.start] + text[found.end :]
        cleaned[row] = text.strip() or pd.NA
    return cleaned


def _listed(rule: Text, answers: Answers, item: str, rows: pd.Series, near: pd.Series | None) -> Iterator[Exclusion]:
    at = rows.index[rows.to_numpy(bool, na_value=False)].tolist()
    if not at:
        return
    places = []
    for row in at[:MOST_PLACES]:
        place = answers.place(item, row)
        ids = listing(map(str, near[row])) if near is not None and len(near[row]) else None
        said = Text("{p}（可能是 {ids}）", "{p} (perhaps {ids})")
        places.append(place if ids is None else said.format(p=place, ids=ids))
    yield Exclusion(rule, len(at), tuple(places))


def roster_frame(roster: pd.DataFrame | Roster | None) -> pd.DataFrame | None:
    """Return a roster as name, school and teacher_id: schools of several names have a row for each.

    Raises
    ------
    ArgumentError
        If a frame lacks name or school.
    """
    if roster is None:
        return None
    if isinstance(roster, Roster):
        schools = roster.schools[["school_id", "name"]].rename(columns={"name": "school"}).astype({"school_id": str})
        staff = roster.teachers[["teacher_id", "name", "school_id"]].astype({"school_id": str})
        return staff.merge(schools, on="school_id")[["teacher_id", "name", "school"]]
    checks.require(*checks.columns("roster", ("name", "school"), roster.columns))
    return roster.reset_index(drop=True)


def names_of(roster: pd.DataFrame | None, pupils: Iterable[str] = ()) -> list[str]:
    """Return every name that is to be taken out of text answers."""
    own = [] if roster is None else roster["name"].dropna().astype(str).unique().tolist()
    return [*own, *pupils]
