"""An export taken into a study: persons replaced by pseudonyms, classes by their ids, then merged, with a receipt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from htresearch import checks, identifiers
from htresearch.errors import Fault
from htresearch.instruments import Instrument, load_instrument
from htresearch.intake import files
from htresearch.intake.export import plain
from htresearch.intake.identity import Key, Linkage, normalised
from htresearch.intake.merge import Merged, merge
from htresearch.intake.persons import Persons, names_of, roster_frame
from htresearch.intake.receipt import MOST_PLACES, Exclusion, Receipt
from htresearch.intake.responses import Answers, read
from htresearch.intake.school import Roster
from htresearch.intake.school.class_names import class_name
from htresearch.intake.school.places import Places
from htresearch.intake.screening import EXCLUDED
from htresearch.intake.times import moment
from htresearch.language import Text, label
from htresearch.study.open import open_study
from htresearch.study.store import Store


def take_in(
    path: str | Path,
    instrument: Instrument | str | Path,
    study: str | Path,
    wave: str,
    key: Key,
    linkage: Linkage,
    roster: pd.DataFrame | Roster | None = None,
    *,
    source: str | None = None,
    opened_on: object = None,
    closed_on: object = None,
    classes: Mapping[str, str] | None = None,
    exclude: Collection[str] = EXCLUDED,
    **how: object,
) -> Receipt:
    """Take the answers of an export into a study.

    Names, phones and numbers stay out of the study: a respondent becomes the teacher of the roster, or a pseudonym
    under `key`; in an anonymous form each record gets a pseudonym of its own. What identifies somebody in a text
    answer is replaced by a mark. Taking the same file in twice changes nothing, and what the study has is never
    overwritten: contradictions are counted in the receipt.

    Parameters
    ----------
    path, instrument
        As in `htresearch.read_responses`.
    study
        The study's folder; made if there is none.
    wave
        The name of the round, such as ``"2024-2"``.
    key
        Makes the pseudonyms: the same person gets the same in every round.
    linkage
        Is told who stands behind each pseudonym; save it apart from the study.
    roster
        Head teachers: `htresearch.intake.school.Roster`, or a frame with name, school and teacher_id.
    source
        As in `htresearch.read_responses`.
    opened_on, closed_on
        First and last day of the round; by default those that the study has, or else the days of the first and the
        last answer.
    classes
        What respondents wrote for a class to its class_id, where the study's own ids and names do not tell.
    exclude
        Rules by which answers are left out; see `htresearch.intake.screening.RULES`.
    **how
        What `htresearch.intake.read` takes besides.

    Returns
    -------
    Receipt
        What was found, taken in and left out, counted.

    Raises
    ------
    IntakeError
        If the file cannot be read for certain or the study would break a rule; nothing is written then.
    ArgumentError
        If an argument is none of its possible values.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> from htresearch.intake import Key, Linkage, demonstration
    >>> desk = Path(tempfile.mkdtemp())
    >>> form = ht.load_instrument("surveys/class_climate.yaml")
    >>> asked = ht.simulate(desk / "asked", 1, 3, 1, measures=["run"], surveys="surveys")
    >>> planted = demonstration.export(asked, form, "2024-1", desk / "climate.xlsx")
    >>> study = ht.simulate(desk / "study", 1, 3, 1, measures=["run"])
    >>> key = Key.create(desk / "centre.key", study)
    >>> receipt = take_in(desk / "climate.xlsx", form, study, "2024-1", key, Linkage(key))
    >>> "responses" in ht.open_study(study).tables
    True
    """
    if not isinstance(instrument, Instrument):
        instrument = load_instrument(instrument)
    folder = files.resolve(Path(study))
    store = files.open_folder(folder)
    checks.require(_wave_fault(wave))
    days = _days(store, instrument, wave)
    opened_on, closed_on = opened_on or days[0], closed_on or days[1]
    people = Persons(instrument, key, roster_frame(roster))
    pupils = (
        roster.pupils["name"].dropna().astype(str) if isinstance(roster, Roster) and roster.pupils is not None else ()
    )
    answers = read(
        path,
        instrument,
        source,
        opened_on=opened_on,
        closed_on=closed_on,
        exclude=exclude,
        names=names_of(people.roster, pupils),
        people=people.find if people.told.keys() - {"school", "class"} else None,
        **how,
    )
    if answers.frame.empty:
        return _nothing_left(answers.receipt)
    taking = _Taking(answers, instrument, wave, key, people)
    placed = _Classes(store, folder, classes or {}, roster if isinstance(roster, Roster) else None, key)
    respondent = taking.respondents()
    class_id, notes, findings = placed.find(taking)
    rounds, more = _round(taking, opened_on, closed_on)
    tables = {"waves": rounds, "responses": taking.long(respondent, class_id)}
    merged = merge(folder, tables, answers.receipt.source)
    taking.link(respondent, linkage)
    notes = (*answers.receipt.notes, *notes, *more, _KEY.format(key=key.fingerprint))
    findings = (*answers.receipt.findings, *people.findings(answers), *findings, *_conflicts(merged))
    joined = {_JOINED: _counts(merged)}
    return replace(answers.receipt, notes=notes, findings=findings, tables={**joined, **answers.receipt.tables})


_KEY = Text(
    "假名用密钥 {key} 生成（这是密钥的指纹，不是密钥）", "Pseudonyms were made with key {key} (its fingerprint)"
)
_JOINED = Text("并入研究的行", "Rows joined to the study")


def _wave_fault(wave: object) -> Fault | None:
    if isinstance(wave, str) and wave.strip() and not identifiers.find(wave):
        return None
    return Fault(
        checks.argument("wave"),
        Text("须是批次的名称", "must name the round"),
        Text("请写如 2024-2", "Write it like 2024-2"),
        wave if not isinstance(wave, str) else None,
    )


def _days(store: Store | None, instrument: Instrument, wave: str) -> tuple:
    """Return the first and last day of a round that the study has."""
    if store is None or "waves" not in store.tables:
        return None, None
    rows = files.rows_of(store, store.schema.tables["waves"]).to_pandas()
    own = rows[(rows["instrument_id"] == instrument.id) & (rows["wave"] == wave)]
    return (None, None) if own.empty else (own["opened_on"].iloc[0], own["closed_on"].iloc[0])


def _round(taking: _Taking, opened_on: object, closed_on: object) -> tuple[pd.DataFrame, list[Text]]:
    """Return the row of the round, and what is to be said of it."""
    notes = []
    at = taking.answers.frame["submitted_at"].dropna()
    opened, closed = (None if day is None else moment(day).date() for day in (opened_on, closed_on))
    if opened is None or closed is None:
        checks.require(_no_days() if at.empty else None)
        opened, closed = opened or at.min().date(), closed or at.max().date()
        notes.append(
            Text(
                f"没有给出调查起止日期，按首末两份答卷记为 {opened} 至 {closed}",
                f"No days were given for the round: {opened} to {closed}, by the first and the last answer",
            )
        )
    row = {"instrument_id": taking.instrument.id, "wave": taking.wave, "opened_on": opened, "closed_on": closed}
    return pd.DataFrame([row]), notes


def _no_days() -> Fault:
    return Fault(
        checks.argument("opened_on"),
        Text("文件中没有提交时间，研究中也没有这一批次", "neither the file nor the study says when the round was"),
        Text("请写 opened_on 和 closed_on", "Give opened_on and closed_on"),
    )


def _nothing_left(receipt: Receipt) -> Receipt:
    note = Text("没有剩下答卷，研究没有改动", "No answers are left; the study was not changed")
    return replace(receipt, notes=(*receipt.notes, note))


# --- answers as rows of the study -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Taking:
    """The answers of one file, on their way into a study."""

    answers: Answers
    instrument: Instrument
    wave: str
    key: Key
    people: Persons

    def respondents(self) -> pd.Series:
        """Return the id of each row: of the person, or of the record where nobody can be known."""
        frame = self.answers.frame
        known = (
            self.people.ids.iloc[self.answers.rows]
            if len(self.people.ids)
            else pd.Series(pd.NA, frame.index, "string")
        )
        known = known.reset_index(drop=True)
        alone = known.isna()
        at = frame["submitted_at"].astype("str").where(frame["submitted_at"].notna(), "-")
        if at[alone].eq("-").any():
            # Without a time the number alone could be another file's too; the answers tell the two apart.
            items = [name for name in self.instrument.items if name in frame]
            hashed = pd.Series(pd.util.hash_pandas_object(frame[items], index=False).to_numpy(), frame.index)
            at = at.where(at != "-", hashed.astype("str"))
        rows = zip(frame.loc[alone, "respondent_id"], at[alone], strict=True)
        own = [self.key.pseudonym("respondent", self.instrument.id, self.wave, number, when) for number, when in rows]
        known[alone] = own
        return known

    def long(self, respondent: pd.Series, class_id: pd.Series) -> pd.DataFrame:
        """Return a row an answer; what was not answered has none."""
        frame = self.answers.frame
        items = [name for name in self.instrument.items if name in frame]
        rows, what, words, said = [], [], [], []
        for number, name in enumerate(items):
            given = np.flatnonzero(frame[name].notna().to_numpy())
            codes, distinct = pd.factorize(frame[name].iloc[given])
            rows.append(given)
            what.append(np.full(len(given), number, dtype=np.int32))
            said.append(codes + len(words))
            words += [_as_text(value) for value in distinct]
        at = np.concatenate([*rows, np.empty(0, np.int64)]).astype(np.int64)
        values = np.concatenate([*said, np.empty(0, np.int64)]).astype(np.int64)
        same, texts = pd.factorize(np.array([*words, ""], dtype=object))
        return pd.DataFrame(
            {
                "instrument_id": _constant(self.instrument.id, len(at)),
                "wave": _constant(self.wave, len(at)),
                "respondent_kind": _constant(self.people.kind, len(at)),
                "respondent_id": _coded(respondent, at),
                "class_id": _coded(class_id, at),
                "item": pd.Categorical.from_codes(np.concatenate([*what, np.empty(0, np.int32)]), items),
                "value": pd.Categorical.from_codes(same[values], texts),
            }
        )

    def link(self, respondent: pd.Series, linkage: Linkage) -> None:
        """Tell the linkage table what was known of each person; of an anonymous record nothing is."""
        told = {what: item for what, item in self.people.told.items() if item in self.answers.identifying}
        if not told.keys() - {"school", "class"}:
            return
        columns = {what: self.answers.identifying[item].tolist() for what, item in told.items()}
        for row, pseudonym in enumerate(respondent.tolist()):
            linkage.add(pseudonym, self.people.kind, **{what: values[row] for what, values in columns.items()})


def _as_text(value: object) -> str:
    """Return an answer as the study writes it: whole numbers without a point, days as 2024-09-01."""
    return (
        str(value.date())
        if isinstance(value, pd.Timestamp)
        else plain(value)
        if isinstance(value, float)
        else str(value)
    )


def _constant(value: str, rows: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(rows, np.int8), [value])


def _coded(values: pd.Series, at: np.ndarray) -> pd.Categorical:
    codes, distinct = pd.factorize(values)
    return pd.Categorical.from_codes(codes[at], distinct.astype(object))


# --- classes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Classes:
    """The classes that respondents name."""

    store: Store | None
    folder: Path
    given: Mapping[str, str]
    roster: Roster | None
    key: Key

    def find(self, taking: _Taking) -> tuple[pd.Series, list[Text], list[Exclusion]]:
        """Return the class of each row, notes, and what could not be placed."""
        answers, told = taking.answers, taking.people.told
        empty = pd.Series(pd.NA, index=answers.frame.index, dtype="string")
        if "class" not in told or told["class"] not in answers.identifying:
            return empty, [], []
        written = answers.identifying[told["class"]]
        school = answers.identifying[told["school"]] if told.get("school") in answers.identifying else empty
        asked = pd.DataFrame({"class": written, "school": school})
        if self.store is None or "classes" not in self.store.tables:
            note = Text(
                "研究中没有班级表，班级按假名记；以后要与班级表对上，须在有了班级表的研究中重新并入",
                "The study has no table of classes: they got pseudonyms. To join them to one, take the file in again "
                "where there is one",
            )
            parts = [written] if told.get("school") not in answers.identifying else [school.fillna("-"), written]
            return self.key.pseudonyms("class", *parts).astype("string"), [note], []
        lookup = self._lookup(asked.drop_duplicates(), answers)
        found = pd.Series(
            [lookup[pair] for pair in zip(written.fillna(""), school.fillna(""), strict=True)], dtype="string"
        )
        lost = np.flatnonzero((found.isna() & written.notna()).to_numpy()).tolist()
        if not lost:
            return found, [], []
        places = tuple(answers.place(told["class"], row) for row in lost[:MOST_PLACES])
        rule = Text("研究中没有这个班，答卷保留，不记班级", "No class of the study; the answers are kept without one")
        return found, [], [Exclusion(rule, len(lost), places)]

    def _lookup(self, asked: pd.DataFrame, answers: Answers) -> dict[tuple[str, str], str | None]:
        rows = files.rows_of(self.store, self.store.schema.tables["classes"]).to_pandas()
        ids = {normalised(i): str(i) for i in rows["class_id"]}
        ids |= {normalised(said): str(i) for said, i in self.given.items()}
        unknown = sorted({str(i) for i in self.given.values()} - set(rows["class_id"].astype(str)))
        checks.require(
            *(
                Fault(
                    checks.argument("classes"),
                    Text("研究中没有这个班", "the study has no such class"),
                    checks.suggestion(i, ids.values()) or Text("请写 class_id", "Give a class_id"),
                    i,
                )
                for i in unknown
            )
        )
        found = {}
        for said, school in asked.fillna("").itertuples(index=False, name=None):
            found[said, school] = ids.get(normalised(said)) or self._by_name(said, school, answers)
        return found

    def _by_name(self, said: str, school: str, answers: Answers) -> str | None:
        """Return the class of a name such as 七年级(3)班, where the school is on the roster and the term is known."""
        name, places = class_name(plain(said)), self._places
        at = answers.frame["submitted_at"].dropna()
        if name is None or places is None or not school or at.empty:
            return None
        own, term = self.roster.school(plain(school)), places.term_of(at.median().date())
        matching = places.matching(name, own, term) if own and term else []
        return matching[0].class_id if len(matching) == 1 else None

    @cached_property
    def _places(self) -> Places | None:
        needed = {"schools", "terms", "classes"}
        return (
            Places(open_study(self.folder)) if self.roster is not None and needed <= set(self.store.tables) else None
        )


# --- what became of it ----------------------------------------------------------------------------------------------


def _counts(merged: Merged) -> dict[Text, int]:
    said = (
        (Text("{t}：新增", "{t}: added"), merged.added),
        (Text("{t}：已有", "{t}: known already"), merged.same),
        (Text("{t}：有矛盾，未并入", "{t}: contradicting, left out"), merged.held),
    )
    return {text.format(t=label(name)): n[name] for name in merged.added for text, n in said if n[name]}


def _conflicts(merged: Merged) -> list[Exclusion]:
    if merged.conflicts.empty:
        return []
    rule = Text("与研究中已有的记录矛盾，未并入", "Contradicts what the study has, and was left out")
    where = tuple(merged.conflicts["table"] + " · " + merged.conflicts["key"] + " · " + merged.conflicts["column"])
    return [Exclusion(rule, len(where), where[:MOST_PLACES])]
