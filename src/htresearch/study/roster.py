"""Who is in a simulated district: schools, head teachers, classes and their pupils, and how they come and go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from htresearch.study.school_year import STAGES, Calendar, Piece, august, days, ids, pick, repeat
from htresearch.study.truth import THEMES, Truth


class Roster:
    """The people of a district while it is being simulated; the parameters are those of `District`."""

    def __init__(
        self,
        schools: int,
        classes_per_school: int,
        terms: int,
        seed: int,
        truth: Truth,
    ):
        self.rng = np.random.default_rng(seed)
        self.truth, self.calendar = truth, Calendar.of(terms)
        self.zones = max(schools * 6 // 26, 1)
        self._make_schools(schools)
        self._make_teachers(classes_per_school)
        slots = schools * classes_per_school
        self.slot_school = np.repeat(np.arange(schools), classes_per_school)
        self.slot_no = np.tile(np.arange(classes_per_school), schools)
        self.slot_class = np.full(slots, -1)
        self.slot_grade = np.zeros(slots, int)
        self.slot_teacher = np.concatenate([self.reserve[s][:classes_per_school] for s in range(schools)])
        self.reserve = [pool[classes_per_school:] for pool in self.reserve]
        self.spell_since = np.empty(slots, "datetime64[D]")
        self.class_effect = np.empty(0)
        self.class_mean = np.empty(0)
        self.n_classes = self.n_pupils = self.n_events = self.n_studios = 0
        # One row a pupil now at school; a class that leaves takes its pupils out of these arrays.
        self.pupil = {
            name: np.empty(0, kind)
            for name, kind in (
                ("id", object),
                ("class", int),
                ("slot", int),
                ("ability", float),
                ("since", "datetime64[D]"),
                ("boarding", bool),
                ("left_behind", bool),
                ("migrant", bool),
                ("inclusive", bool),
                ("slope", float),
            )
        }
        self.shock = np.zeros(slots)
        self.shock_year = np.zeros(slots)
        self.studios: dict[int, dict] = {}

    # --- who is there ---------------------------------------------------------------------------------------------

    def _make_schools(self, n: int) -> None:
        rng, primary = self.rng, (n + 1) // 2
        secondary = np.where(np.arange(n - primary) % 4 == 3, "senior", "junior")
        self.school_stage = np.concatenate([np.repeat("primary", primary), secondary])
        self.school_zone = np.concatenate([np.arange(primary), np.arange(n - primary)]) % self.zones
        zone = rng.normal(0, self.truth.zone_sd, self.zones)
        self.school_effect = rng.normal(0, self.truth.school_sd, n) + zone[self.school_zone]
        self.school_leadership = rng.normal(0, 1, n)
        self.school_location = pick(rng, ("urban", "town", "rural"), (0.5, 0.3, 0.2), n)
        self.school_public = rng.random(n) < 0.92

    def _make_teachers(self, classes: int) -> None:
        """Each school has those who lead a class and a reserve that is large enough for the whole study."""
        rng, schools = self.rng, len(self.school_stage)
        years = self.calendar.count // 2 + 2
        pool = classes + int(np.ceil(0.3 * classes * years)) + 4
        n = schools * pool
        self.reserve = [np.arange(s * pool, (s + 1) * pool) for s in range(schools)]
        self.teacher_school = np.repeat(np.arange(schools), pool)
        self.quality = rng.normal(0, 1, n)
        self.keen = rng.normal(0, self.truth.attendance_sd, n)
        self.workload = rng.normal(0, 1, n)
        self.burnout = 0.5 * self.workload - 0.2 * self.quality + rng.normal(0, 0.8, n)
        self.entered = self.calendar.first_year - rng.integers(1, 31, n)
        self.tier = np.zeros(n, int)
        self.tier_year = np.full(n, -1)
        self.lost_year = np.full(n, -99)
        self.studio = np.full(n, -1)
        self.appraisal = np.full(n, self.truth.appraisal_mean)
        self.pay = np.zeros((2, n))  # of the last term and of the one before
        self.hours = {theme: np.zeros(n) for theme in THEMES}
        self.barred = np.zeros(n, bool)

    def _teacher(self, numbers):
        return ids("T", numbers, 6)

    def _class(self, numbers):
        return ids("C", numbers, 6)

    def _schools(self) -> Piece:
        n = len(self.school_stage)
        return "schools", {
            "school_id": ids("S", np.arange(n), 4),
            "zone_id": ids("Z", self.school_zone, 3),
            "school_type": self.school_stage.astype(object),
            "ownership": np.where(self.school_public, "public", "private").astype(object),
            "location": self.school_location,
        }

    def _teachers(self) -> Piece:
        rng, n = self.rng, len(self.quality)
        experience = self.calendar.first_year - self.entered
        titles = np.array(["third", "second", "first", "senior", "full_senior"], object)
        step = np.clip((experience + rng.normal(0, 3, n)) // 6, 0, 4).astype(int)
        step = np.where(rng.random(n) < 0.9, np.minimum(step, 3), step)
        return "teachers", {
            "teacher_id": self._teacher(np.arange(n)),
            "sex": pick(rng, ("female", "male"), (0.72, 0.28), n),
            "birth_year": self.entered - rng.integers(22, 27, n),
            "entered_on": days([date(y, 8, 15) for y in self.entered]),
            "employment": pick(rng, ("permanent", "contract", "substitute", "exchange"), (0.8, 0.12, 0.03, 0.05), n),
            "degree": pick(rng, ("associate", "bachelor", "master"), (0.12, 0.75, 0.13), n),
            "title": titles[step],
            "subject": pick(rng, ("语文", "数学", "英语", "其他"), (0.4, 0.28, 0.2, 0.12), n),
        }

    # --- classes, pupils, appointments ------------------------------------------------------------------------------

    def _grade_range(self) -> tuple[np.ndarray, np.ndarray]:
        stage = self.school_stage[self.slot_school]
        bounds = np.array([STAGES[s] for s in stage])
        return bounds[:, 0], bounds[:, 1]

    def _open(self, slots: np.ndarray, year: int, grade: np.ndarray) -> Iterator[Piece]:
        """Open a class in each slot, as it stands in the school year `year`, and fill it with pupils."""
        rng, truth, n = self.rng, self.truth, len(slots)
        if n == 0:
            return
        new = self.n_classes + np.arange(n)
        self.n_classes += n
        self.slot_class[slots] = new
        low = self._grade_range()[0][slots]
        school = self.slot_school[slots]
        self.slot_grade[slots] = grade
        # Parents wish for a known head teacher: the abler pupils gather with the better one.
        pull = truth.sorting * truth.selection * self.quality[self.slot_teacher[slots]] + rng.normal(0, 0.05, n)
        self.class_effect = np.append(self.class_effect, rng.normal(0, truth.class_sd, n))
        yield (
            "classes",
            {
                "class_id": self._class(new),
                "school_id": ids("S", school, 4),
                "stage": self.school_stage[school].astype(object),
                "entry_year": year - (grade - low),
                "entry_grade": low,
                "class_no": self.slot_no[slots] % 99 + 1,
            },
        )
        size = np.clip(rng.poisson(5, n) + 39, 20, 60)
        since = days([august(y, 25) for y in year - (grade - low)])
        yield from self._admit(np.repeat(slots, size), np.repeat(pull, size), np.repeat(since, size))

    def _admit(self, slots: np.ndarray, pull: np.ndarray, since: np.ndarray) -> Iterator[Piece]:
        rng, truth, n = self.rng, self.truth, len(slots)
        if n == 0:
            return
        names = ids("P", self.n_pupils + np.arange(n), 8)
        self.n_pupils += n
        own = rng.normal(0, 1, n)
        r = truth.ability_ses_correlation
        ses = r * own + np.sqrt(1 - r**2) * rng.normal(0, 1, n)
        rural = (self.school_location[self.slot_school[slots]] == "rural").astype(float)
        new = {
            "id": names,
            "class": self.slot_class[slots],
            "slot": slots,
            "ability": truth.ability_sd * own + pull,
            "since": since,
            "boarding": rng.random(n) < 0.05 + 0.25 * rural,
            "left_behind": rng.random(n) < np.clip(0.08 + 0.15 * rural - 0.03 * ses, 0.01, 0.6),
            "migrant": rng.random(n) < 0.1 * (1 - rural),
            "inclusive": rng.random(n) < 0.005,
            # Training does more for pupils who start low.
            "slope": 1 + truth.training_low_prior_slope * own,
        }
        self.pupil = {name: np.concatenate([self.pupil[name], values]) for name, values in new.items()}
        self._refresh_means()
        yield (
            "students",
            {
                "student_id": names,
                "sex": pick(rng, ("female", "male"), (0.47, 0.53), n),
                "ses_index": ses.round(2),
                "only_child": rng.random(n) < 0.45,
            },
        )

    def _refresh_means(self) -> None:
        """Keep the mean ability of each slot's class: part of what an unfair appraisal rewards."""
        slots = len(self.slot_class)
        count = np.bincount(self.pupil["slot"], minlength=slots)
        total = np.bincount(self.pupil["slot"], self.pupil["ability"], minlength=slots)
        self.class_mean = total / np.maximum(count, 1)

    def _dismiss(self, leaving: np.ndarray, until: np.datetime64) -> Iterator[Piece]:
        """End the enrolment of the pupils marked in `leaving`."""
        if leaving.any():
            yield self._enrolments(leaving, until)
            self.pupil = {name: values[~leaving] for name, values in self.pupil.items()}
            self._refresh_means()

    def _enrolments(self, rows: np.ndarray, until: np.datetime64 | None) -> Piece:
        n = int(rows.sum())
        return "enrolments", {
            "student_id": self.pupil["id"][rows],
            "class_id": self._class(self.pupil["class"][rows]),
            "starts_on": self.pupil["since"][rows],
            "ends_on": days([np.datetime64("NaT") if until is None else until] * n),
            **{k: self.pupil[k][rows] for k in ("boarding", "left_behind", "migrant", "inclusive")},
        }

    def _movers(self, term: int) -> Iterator[Piece]:
        """About one pupil in a hundred leaves in the autumn, and about as many come."""
        year, _ = self.calendar.term(term)
        if term == 0:
            return
        old = self.pupil["since"] < august(year, 1)
        yield from self._dismiss(old & (self.rng.random(len(old)) < 0.01), np.datetime64(date(year, 8, 10)))
        into = self.rng.choice(len(self.slot_class), self.rng.poisson(0.4 * len(self.slot_class)))
        since = np.full(len(into), august(year, 26))
        yield from self._admit(np.sort(into), np.zeros(len(into)), since)

    def _spells(self, slots: np.ndarray, until: np.datetime64 | None, reason: str | None) -> Piece:
        n = len(slots)
        return "appointments", {
            "teacher_id": self._teacher(self.slot_teacher[slots]),
            "class_id": self._class(self.slot_class[slots]),
            "role": repeat("head", n),
            "starts_on": self.spell_since[slots],
            "ends_on": days([np.datetime64("NaT") if until is None else until] * n),
            "reason_ended": repeat(reason, n),
        }

    def _replace(
        self, slots: np.ndarray, until: np.datetime64, since: np.datetime64, reason: str, write: np.ndarray
    ) -> Iterator[Piece]:
        """Give slots a new head teacher from the school's reserve; `write` marks slots whose spell is still open."""
        able = np.array([len(self.reserve[self.slot_school[s]]) > 0 for s in slots], bool)
        slots = slots[able] if len(slots) else slots
        open_ = slots[write[slots]]
        yield self._spells(open_, until, reason)
        for slot in slots:
            pool = self.reserve[self.slot_school[slot]]
            chosen = self.rng.integers(len(pool))
            self.slot_teacher[slot] = pool[chosen]
            self.reserve[self.slot_school[slot]] = np.delete(pool, chosen)
        self.spell_since[slots] = since

    def _exchange(self, slots: np.ndarray, until: np.datetime64, since: np.datetime64) -> Iterator[Piece]:
        """Let some head teachers of a school change classes with one another."""
        chance = self.truth.changes_class / 2 * len(self.slot_school) / len(self.school_stage)
        pairs = []
        for school in np.flatnonzero(self.rng.random(len(self.school_stage)) < chance):
            there = slots[self.slot_school[slots] == school]
            if len(there) > 1:
                pairs.append(self.rng.choice(there, 2, replace=False))
        both = np.array(pairs, int).reshape(-1)
        yield self._spells(both, until, "reassigned")
        for a, b in pairs:
            self.slot_teacher[[a, b]] = self.slot_teacher[[b, a]]
        self.spell_since[both] = since

    def hidden(self) -> Iterator[Piece]:
        """Yield what no study ever holds: each teacher's and each class's true values."""
        n = len(self.quality)
        yield (
            "teachers",
            {
                "teacher_id": self._teacher(np.arange(n)),
                "quality": self.quality.round(4),
                "workload": self.workload.round(4),
                "burnout": self.burnout.round(4),
            },
        )
        yield "classes", {"class_id": self._class(np.arange(self.n_classes)), "effect": self.class_effect.round(4)}
