"""One instrument in one round: who is asked, who answers, and the rows that come of it.

Pieces arise for some tens of thousands of people at a time, so that memory does not grow with the district.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from htresearch.study.answer_truth import CARELESS, ScaleTruth
from htresearch.study.filling import NOTHING, Column, People, fill_in
from htresearch.study.school_year import Piece, ids
from htresearch.study.truth import THEMES

if TYPE_CHECKING:
    from htresearch.instruments import Instrument, Item
    from htresearch.study.answers import Surveys
    from htresearch.study.district import District

_AT_ONCE = 25_000
#: Days from the first of a round to its last.
OPEN_FOR = 13
#: Seconds that an item takes, and the hours of the day in which the form is filled in.
_SECONDS = {"teacher": 5.5, "pupil": 6.5, "parent": 5.0}
_HOURS = {"teacher": (8, 22), "pupil": (9, 17), "parent": (18, 23)}


class Wave:
    """One instrument in one round.

    Parameters
    ----------
    surveys, district, instrument
        What is asked where.
    wave, opened
        Its name and first day.
    state
        The sources of the scales, a value a class.
    rng
        A stream of its own.
    """

    def __init__(
        self,
        surveys: Surveys,
        district: District,
        instrument: Instrument,
        wave: str,
        opened: np.datetime64,
        state: Mapping[str, np.ndarray],
        rng: np.random.Generator,
    ):
        self.surveys, self.district, self.instrument = surveys, district, instrument
        self.name, self.opened, self.state, self.rng = wave, opened, state, rng
        self.kind, self.answers = instrument.respondent, surveys.answers
        self.scales = surveys.scales[instrument.id]

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces of the answers and of what is hidden about them."""
        slot, pupil = self._asked()
        for start in range(0, len(slot), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            yield from self._part(slot[part], None if pupil is None else pupil[part])

    def _asked(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the class of everyone who is asked, and the row of the pupil."""
        district, answers = self.district, self.answers
        if self.kind == "teacher":
            return np.arange(len(district.slot_class)), None
        most = answers.pupils_per_class if self.kind == "pupil" else answers.parents_per_class
        slot = district.pupil["slot"]
        order = np.argsort(slot + self.rng.random(len(slot)))
        counts = np.bincount(slot, minlength=len(district.slot_class))
        place = np.arange(len(slot)) - np.repeat(np.cumsum(counts) - counts, counts)
        chosen = order[place < most]
        if self.kind == "pupil":
            chosen = chosen[district.slot_grade[slot[chosen]] >= answers.lowest_grade_of_pupils]
        return slot[chosen], chosen

    def _part(self, slot: np.ndarray, pupil: np.ndarray | None) -> Iterator[Piece]:
        rng, answers, n = self.rng, self.answers, len(slot)
        log_odds = answers.response[self.kind]
        log_odds = log_odds + answers.response_per_sd_of_burnout[self.kind] * self.state["burnout"][slot]
        answered = rng.random(n) < 1 / (1 + np.exp(-log_odds))
        careless = np.where(rng.random(n) < answers.careless_share, rng.integers(0, len(CARELESS), n), -1)
        respondent, person = self._names(slot, pupil)
        yield self._hidden(slot, respondent, person, answered, careless)
        slot, careless, respondent = slot[answered], careless[answered], respondent[answered]
        pupil = pupil if pupil is None else pupil[answered]
        good_light = rng.normal(0, 1, len(slot))
        theta = {name: self._theta(scale, slot, pupil, good_light) for name, scale in self.scales.items()}
        yield self._latents(respondent, theta)
        facts, absent = self._facts(slot)
        secondary = self.district.school_stage[self.district.slot_school[slot]] != "primary"
        blank = 0.0 if self.kind == "teacher" else answers.left_blank
        people = People(theta, secondary, careless, self.opened, facts, absent, blank)
        columns = fill_in(rng, self.instrument, self.scales, people)
        classes = None if self.kind == "teacher" else self.district._class(self.district.slot_class[slot])
        yield "responses", self._long(respondent, classes, columns)

    def _names(self, slot: np.ndarray, pupil: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return what stands in the study for each person, a mere number if the form is anonymous, and who it is."""
        district, n = self.district, len(slot)
        if pupil is None:
            person = district._teacher(district.slot_teacher[slot])
        else:
            person = district.pupil["id"][pupil]
            if self.kind == "parent":
                person = np.array([f"F{name[1:]}" for name in person], object)  # the family of a pupil
        if not self.instrument.anonymous:
            return person, person
        # Within a class they come in the order of the draw, so that the number tells nothing but the class.
        numbers = self.surveys.numbered + np.arange(n)
        self.surveys.numbered += n
        return ids("R", numbers, 8), person

    def _theta(
        self, scale: ScaleTruth, slot: np.ndarray, pupil: np.ndarray | None, good_light: np.ndarray
    ) -> np.ndarray:
        """Return the values of a scale; a person who sees all in a good light does so on every scale."""
        sources, rng, n = scale.sources, self.rng, len(slot)
        theta = sum((c * self._source(name, slot, pupil) for name, c in sources.of.items()), np.zeros(n))
        if not sources.residual_sd:
            return theta
        general = np.sqrt(self.answers.general_share) * sources.tone * good_light
        special = rng.normal(0, 1, n)
        if pupil is None:
            lasting = self._lasting(scale.id)[self.district.slot_teacher[slot]]
            share = self.answers.lasting_share
            special = np.sqrt(share) * lasting + np.sqrt(1 - share) * special
        return theta + sources.residual_sd * (general + np.sqrt(1 - self.answers.general_share) * special)

    def _source(self, name: str, slot: np.ndarray, pupil: np.ndarray | None) -> np.ndarray:
        if name == "ability":
            return self.district.pupil["ability"][pupil] / self.surveys.truth.ability_sd
        return self.state[name][slot]

    def _lasting(self, scale: str) -> np.ndarray:
        """Return what a head teacher keeps from round to round."""
        key = f"{self.instrument.id} {scale}"
        if key not in self.surveys.lasting:
            drawn = self.surveys._stream(key, 0).normal(0, 1, len(self.district.quality))
            self.surveys.lasting[key] = drawn.astype(np.float32)
        return self.surveys.lasting[key]

    def _facts(self, slot: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the answers to plain items that the district's state decides, and who cannot answer some."""
        district, rng, n = self.district, self.rng, len(slot)
        if self.kind == "teacher":
            teacher = district.slot_teacher[slot]
            stages = np.array(["primary", "junior", "senior"])
            stage = district.school_stage[district.slot_school[slot]]
            years = (
                int(self.name[:4]) - district.entered[teacher] - teacher % 6
            )  # not a head teacher from the first day
            facts = {
                "tier": district.tier[teacher] + 1,
                "stage": 1 + np.argmax(stages == stage[:, None], axis=1),
                "years": np.clip(years, 0, 45),
                "weekly_hours": np.clip(np.round(13 + 4 * self.state["workload"][slot] + rng.normal(0, 3, n)), 0, 80),
                "trained": np.where(self.state["trained"][slot], 1, 2),
            }
            absent = {f"useful_{theme}": self.state[f"hours_{theme}"][slot] == 0 for theme in THEMES}
            # The district offers nothing on these; some went elsewhere.
            for theme in ("mental_health", "safety", "family_guidance"):
                absent[f"useful_{theme}"] = rng.random(n) < 0.65
        elif self.kind == "parent":
            # As many visits as `District._activities` makes in a term.
            young = district.slot_grade[slot] <= 6
            visits = np.exp(1.2 + 0.3 * self.state["quality"][slot] + 0.3 * young) / 44
            facts = {
                "relation_to_child": rng.choice([1, 2, 3, 4], n, p=[0.26, 0.60, 0.12, 0.02]),
                "visited": np.where(rng.random(n) < 0.8 * visits, 1, 2),
            }
            absent = {}
        else:
            facts, absent = {}, {}
        known = self.instrument.items
        fits = {name: v for name, v in facts.items() if name in known and _fits(known[name], v)}
        return fits, {name: v for name, v in absent.items() if name in known}

    # --- tables ----------------------------------------------------------------------------------------------------

    def _long(self, respondent: np.ndarray, classes: np.ndarray | None, columns: Mapping[str, Column]) -> dict:
        """Return a row an answer; who was not asked, or left an item out, has none."""
        n, k = len(respondent), len(columns)
        index = np.empty((n, k), np.int32)
        words: list[str] = []
        for number, column in enumerate(columns.values()):
            index[:, number] = np.where(column.index == NOTHING, NOTHING, column.index + len(words))
            words += column.words
        given = np.flatnonzero(index.ravel() != NOTHING)
        who = pa.array(given // k, pa.int32())
        rows = len(given)
        what = pa.DictionaryArray.from_arrays(pa.array(given % k, pa.int32()), list(columns))
        return {
            "instrument_id": _same(self.instrument.id, rows),
            "wave": _same(self.name, rows),
            "respondent_kind": _same(self.kind, rows),
            "respondent_id": pa.array(respondent, pa.string()).take(who),
            "class_id": pa.nulls(rows, pa.string()) if classes is None else pa.array(classes, pa.string()).take(who),
            "item": what,
            "value": pa.DictionaryArray.from_arrays(pa.array(index.ravel()[given]), pa.array(words, pa.string())),
        }

    def _latents(self, respondent: np.ndarray, theta: Mapping[str, np.ndarray]) -> Piece:
        n, k = len(respondent), len(theta)
        return "truth/latents", {
            "instrument_id": _same(self.instrument.id, n * k),
            "wave": _same(self.name, n * k),
            "respondent_id": np.repeat(respondent, k),
            "scale": np.tile(np.array(list(theta), object), n),
            "value": np.column_stack([np.round(v, 2) for v in theta.values()]).ravel() if k else np.empty(0),
        }

    def _hidden(self, slot, respondent, person, answered, careless) -> Piece:
        rng, n = self.rng, len(slot)
        seconds = _SECONDS[self.kind] * len(self.instrument.items) * np.exp(rng.normal(0, 0.35, n))
        seconds = np.where(careless >= 0, seconds / 2, seconds)
        hurried = careless == CARELESS.index("speeding")
        seconds = np.where(hurried, len(self.instrument.items) * rng.uniform(0.7, 1.5, n), seconds)
        first, last = _HOURS[self.kind]
        day = np.minimum(rng.exponential(3.5, n).astype(int), OPEN_FOR)  # most answer in the first days
        at = self.opened.astype("datetime64[s]") + 86_400 * day + rng.integers(first * 3600, last * 3600, n)
        kinds = np.array([*CARELESS, None], object)
        return "truth/respondents", {
            "instrument_id": _same(self.instrument.id, n),
            "wave": _same(self.name, n),
            "respondent_kind": _same(self.kind, n),
            "respondent_id": respondent,
            "person_id": person,
            "class_id": self.district._class(self.district.slot_class[slot]),
            "answered": answered,
            "careless": np.where(answered, kinds[careless], None),
            "submitted_at": np.where(answered, at, np.datetime64("NaT")),
            "duration_s": np.where(answered, np.maximum(seconds.round(), 5), np.nan),
        }


def _same(value: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), [value])


def _fits(item: Item, values: np.ndarray) -> bool:
    """Tell whether an instrument of the same names asks the same: another's may have other choices."""
    return item.type == "number" or (item.type == "single" and set(np.unique(values)) <= set(item.values))
