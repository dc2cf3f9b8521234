"""One class study, however it came in: its plan, and a row per record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date

import pandas as pd

from htresearch.language import Text

#: Columns of the records, in this order.
RECORDS = ("session", "date", "phase", "run", "value", "as_planned", "second_value", "remark")

SCALES = ("count", "share", "amount")
DESIGNS = ("AB", "ABAB", "alternating")
STARTS = ("drawn", "chosen")


@dataclass(frozen=True)
class Plan:
    """What was decided, as far as possible before the first record.

    Attributes
    ----------
    question, watched, counting
        What the study asks, what is watched, and how it is counted, in the teacher's words.
    unit
        What a value is in, such as ``次`` or ``份``.
    scale
        ``"count"``: how often, from 0 up; ``"share"``: how many of `out_of`; ``"amount"``: any number, as minutes.
    out_of
        Of how many, for a share: the pupils of the class, or 100 where per cent were written.
    improvement
        ``"increase"`` or ``"decrease"``: which way is better.
    before, after
        What is done in the baseline, and what once things are changed.
    design
        ``"AB"``: before, then after; ``"ABAB"``: back and once more; ``"alternating"``: by turns.
    starts
        The first day of each phase after the first: one for AB, three for ABAB, none for alternating.
    start
        ``"drawn"`` if the start (alternating: the order) was drawn by lot, ``"chosen"`` otherwise.
    earliest, latest
        Where the start was drawn: the first and the last record, counted from 1, with which the change could have
        begun. None elsewhere. For ABAB it is the first change that was drawn. `latest` may lie beyond the records of
        a study that is not finished.
    drawn_on
        The day of the draw, or None.
    success
        What was to count as success, in words.
    target
        The same as a value, or None.
    consent
        Who agreed, and how it was asked, in words.
    decided_on
        The day on which the plan was written down, or None.
    school, class_name
        For the heading of the report; no person's name.
    """

    question: str
    watched: str
    counting: str
    unit: str
    scale: str
    improvement: str
    before: str
    after: str
    design: str = "AB"
    starts: tuple[date, ...] = ()
    start: str = "chosen"
    out_of: float | None = None
    earliest: int | None = None
    latest: int | None = None
    drawn_on: date | None = None
    success: str = ""
    target: float | None = None
    consent: str = ""
    decided_on: date | None = None
    school: str = ""
    class_name: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all of the plan: the same plan, the same fingerprint."""
        numbers = {name: value and float(value) for name, value in (("out_of", self.out_of), ("target", self.target))}
        content = json.dumps(asdict(self) | numbers, ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True)
class Change:
    """A change of the plan after the first record.

    Attributes
    ----------
    noticed_on
        The day on which it was written down by the teacher, or found by comparison with the plan seen before.
    what
        What was changed, or which entries differ.
    before, after
        Fingerprints of the plan before and after; empty where the teacher wrote it down themselves.
    """

    noticed_on: date
    what: Text | str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, eq=False)
class ClassStudy:
    """One class study.

    Attributes
    ----------
    plan : Plan
    records : pandas.DataFrame
        A row per record in time order, with the columns of `RECORDS`: session (1, 2, …), date, phase (``"A"``
        before, ``"B"`` after), run (1 for the first stretch of its phase, 2 for the second), value (missing where
        nothing could be recorded), as_planned (true, false or missing), second_value (what a second observer
        recorded), remark.
        Shares are numbers from 0 to `Plan.out_of`. Types: int64, datetime64, str, int64, float64, boolean, float64,
        str (empty where there is no remark).
    source : str
        The name of the file.
    study_id : str
        Tells one study from another through all versions of its file, also where many classes fill in copies of one
        form (it is made of the form's id, the school and the class); empty if it came as a frame or as text.
    note : tuple of Text
        How the file was read: what was understood, what was left out.
    changes : tuple of Change
        Changes of the plan after the first record.
    """

    plan: Plan
    records: pd.DataFrame
    source: str = ""
    study_id: str = ""
    note: tuple[Text, ...] = ()
    changes: tuple[Change, ...] = ()

    def values(self, phase: str) -> list[float]:
        """Return the values of a phase in time order, NaN where missing."""
        return self.records.loc[self.records["phase"] == phase, "value"].astype(float).tolist()
