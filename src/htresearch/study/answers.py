"""The survey rounds of a simulated district: who is asked, who answers, and what.

A round runs once a year, in the last term and in every second one before it. It reads the district's hidden state and
draws from streams of its own, so that the district is the same with and without surveys. Pieces arise for some tens
of thousands of respondents at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from htresearch import checks
from htresearch.errors import Fault, InstrumentError
from htresearch.instruments import Instrument, load_instrument
from htresearch.language import Text
from htresearch.study.answer_truth import CARELESS, KINDS, AnswerTruth, ScaleTruth, as_record, scale_truths
from htresearch.study.filling import NOTHING, Column, People, fill_in
from htresearch.study.school_year import Piece, ids, repeat
from htresearch.study.truth import THEMES, Truth

if TYPE_CHECKING:
    from htresearch.study.district import District

#: What no study ever holds about the answers, by table.
HIDDEN = {
    "respondents": pa.schema(
        [
            ("instrument_id", pa.string()),
            ("wave", pa.string()),
            ("respondent_kind", pa.string()),
            ("respondent_id", pa.string()),
            ("person_id", pa.string()),
            ("class_id", pa.string()),
            ("answered", pa.bool_()),
            ("careless", pa.string()),
            ("submitted_at", pa.timestamp("s")),
            ("duration_s", pa.int32()),
        ]
    ),
    "latents": pa.schema(
        [
            ("instrument_id", pa.string()),
            ("wave", pa.string()),
            ("respondent_id", pa.string()),
            ("scale", pa.string()),
            ("value", pa.float32()),
        ]
    ),
    "mediators": pa.schema(
        [
            ("class_id", pa.string()),
            ("term_id", pa.string()),
            ("efficacy", pa.float64()),
            ("climate", pa.float64()),
        ]
    ),
}
_AT_ONCE = 25_000
#: A round opens after so many days of the term and stays open for two weeks.
_OPENS_AFTER, _OPEN_FOR = 80, 13
#: Seconds that an item takes, and the hours of the day in which the form is filled in.
_SECONDS = {"teacher": 5.5, "pupil": 6.5, "parent": 5.0}
_HOURS = {"teacher": (8, 22), "pupil": (9, 17), "parent": (18, 23)}


class Surveys:
    """The survey rounds of a district.

    Parameters
    ----------
    folder
        Where the instruments are: those for head teachers, pupils and parents are answered; forms for observers, and
        licensed ones without their wording, are left out and named so in the truth.
    seed
        Seed of the district.
    truth
        What is true in the district.

    Raises
    ------
    ArgumentError
        If there is no instrument in the folder that could be answered.
    InstrumentError
        If an instrument breaks a rule.
    """

    def __init__(self, folder: str | Path, seed: int, truth: Truth):
        self.instruments, self.left_out = _read(Path(folder))
        self.seed, self.truth, self.answers = seed, truth, AnswerTruth()
        self.scales = scale_truths(self.instruments)
        self.lasting: dict[str, np.ndarray] = {}
        self.own_of_class = np.empty((0, 2))
        self.hours_before = 0.0
        self.numbered = 0

    def as_record(self) -> dict:
        """Return what is true about the answers, for ``truth.json``."""
        return as_record(self.truth, self.answers, self.instruments, self.left_out)

    def round(self, district: District, term: int) -> Iterator[Piece]:
        """Yield the pieces of a round, between teaching and the training of a term; nothing in other terms."""
        if (district.calendar.count - 1 - term) % 2:
            return
        state = self._state(district, term)
        wave = district.calendar.name(term)
        yield (
            "truth/mediators",
            {
                "class_id": district._class(district.slot_class),
                "term_id": repeat(wave, len(district.slot_class)),
                "efficacy": state["efficacy"].round(4),
                "climate": state["climate"].round(4),
            },
        )
        opened = district.calendar.dates(term)[0] + _OPENS_AFTER
        for instrument in self.instruments:
            yield (
                "waves",
                {
                    "instrument_id": repeat(instrument.id, 1),
                    "wave": repeat(wave, 1),
                    "opened_on": np.array([opened]),
                    "closed_on": np.array([opened + _OPEN_FOR]),
                },
            )
            yield from _Wave(self, district, instrument, wave, opened, state, self._stream(instrument.id, term)).pieces()

    def _stream(self, name: str, term: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), term])

    # --- the hidden state ---------------------------------------------------------------------------------------------

    def _state(self, district: District, term: int) -> dict[str, np.ndarray]:
        """Return the standardised sources of the scales, a value a class, as they stand in the middle of the term."""
        teacher, truth, answers = district.slot_teacher, self.truth, self.answers
        total = sum(district.hours.values())
        within_cap = np.minimum(1, truth.training_hours_cap / np.maximum(total, 1e-9))
        burnout = district.burnout / np.sqrt(0.5**2 + 0.2**2 + 0.8**2)
        pay = district.pay[0]
        state = {
            "quality": district.quality[teacher],
            "workload": district.workload[teacher],
            "burnout": burnout[teacher],
            "keen": district.keen[teacher] / truth.attendance_sd,
            "leadership": district.school_leadership[district.slot_school],
            "appraisal": (district.appraisal[teacher] - truth.appraisal_mean) / truth.appraisal_sd,
            "pay": np.where(pay > 0, np.clip((pay - 2450) / 350, -3, 3), 0.0)[teacher],
            **{f"hours_{theme}": (district.hours[theme] * within_cap / 10)[teacher] for theme in THEMES},
        }
        own = self._own(district, term)
        on_efficacy, on_climate = answers.per_10_research_hours(truth)
        state["efficacy"] = (
            answers.efficacy_by_quality * state["quality"]
            + answers.efficacy_by_burnout * state["burnout"]
            + on_efficacy * state["hours_research"]
            + own[:, 0]
        )
        state["climate"] = (
            answers.climate_by_quality * state["quality"]
            + answers.climate_by_burnout * state["burnout"]
            + on_climate * state["hours_research"]
            + own[:, 1]
        )
        state["trained"] = (total - self.hours_before)[teacher] > 0
        self.hours_before = total.copy()
        return state

    def _own(self, district: District, term: int) -> np.ndarray:
        """Return what self-efficacy and climate have of their own, a row a class.

        The outcomes' class effect and luck of a term came first in the making; given them, these are drawn so that
        jointly all is as if an outcome were b_1 efficacy + b_2 climate + the rest, with the rest apart from both.
        """
        answers, rng = self.answers, self._stream("mediators", term)
        lasting = (answers.efficacy_of_class, answers.climate_of_class)
        passing = (answers.efficacy_of_term, answers.climate_of_term)
        fresh = district.class_effect[len(self.own_of_class) :]
        drawn = self._given(rng, fresh, self.truth.class_sd, lasting)
        self.own_of_class = np.concatenate([self.own_of_class, drawn])
        return self.own_of_class[district.slot_class] + self._given(
            rng, district.shock, self.truth.class_term_sd, passing
        )

    def _given(
        self, rng: np.random.Generator, effect: np.ndarray, sd: float, variances: tuple[float, float]
    ) -> np.ndarray:
        worth = np.array([self.answers.efficacy_on_outcome, self.answers.climate_on_outcome])
        shared = worth * variances  # covariances with the effect
        left = np.diag(variances) - np.outer(shared, shared) / sd**2
        return np.outer(effect, shared / sd**2) + rng.normal(size=(len(effect), 2)) @ np.linalg.cholesky(left).T


class _Wave:
    """One instrument in one round."""

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
        """Return what stands in the study for each person, which says nothing if the form is anonymous, and who it is."""
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
            years = int(self.name[:4]) - district.entered[teacher] - teacher % 6  # not a head teacher from the first day
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

    # --- tables ---------------------------------------------------------------------------------------------------------

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
        day = np.minimum(rng.exponential(3.5, n).astype(int), _OPEN_FOR)  # most answer in the first days
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


def _fits(item, values: np.ndarray) -> bool:
    """Tell whether an instrument of the same names asks the same: another's may have other choices."""
    return item.type == "number" or (item.type == "single" and set(np.unique(values)) <= set(item.values))


def _read(folder: Path) -> tuple[tuple[Instrument, ...], dict[str, str]]:
    found = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml")) if folder.is_dir() else []
    instruments, left_out, faults = [], {}, []
    for path in found:
        try:
            instrument = load_instrument(path)
        except InstrumentError as error:
            faults += error.faults
            continue
        if instrument.respondent not in KINDS:
            left_out[instrument.id] = "filled in by observers, not by head teachers, pupils or parents"
        elif not instrument.worded:
            left_out[instrument.id] = "licensed: its wording is not here"
        else:
            instruments.append(instrument)
    checks.require(*faults, error=InstrumentError)
    checks.require(None if instruments else _no_instrument(folder))
    return tuple(instruments), left_out


def _no_instrument(folder: Path) -> Fault:
    return Fault(
        checks.argument("surveys"),
        Text("文件夹中没有班主任、学生或家长的问卷", "holds no instrument for head teachers, pupils or parents"),
        Text("请给出问卷所在的文件夹，如 surveys", "Name the folder of the instruments, such as surveys"),
        str(folder),
    )
