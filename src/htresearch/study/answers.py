"""The survey rounds of a simulated district: who is asked, who answers, and what.

A round runs once a year, in the last term and in every second one before it. It reads the district's hidden state and
draws from streams of its own, so that the district is the same with and without surveys.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from htresearch import checks
from htresearch.errors import Fault, InstrumentError
from htresearch.instruments import Instrument, load_instrument
from htresearch.language import Text
from htresearch.study.answer_truth import KINDS, AnswerTruth, as_record, scale_truths
from htresearch.study.respondents import OPEN_FOR, Wave
from htresearch.study.school_year import Piece, repeat
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
#: A round opens after so many days of the term.
_OPENS_AFTER = 80


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
                    "closed_on": np.array([opened + OPEN_FOR]),
                },
            )
            yield from Wave(
                self, district, instrument, wave, opened, state, self._stream(instrument.id, term)
            ).pieces()

    def _stream(self, name: str, term: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), term])

    # --- the hidden state ------------------------------------------------------------------------------------------

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
