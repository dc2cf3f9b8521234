"""The simulated district: how its tables come about, term by term.

Nothing here writes files: `District.tables` yields pieces of tables as they arise, so that a province needs no more
memory than its pupils do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from htresearch.study.ladder import BACKBONE, CHIEF, YEARS_BEFORE, Ladder
from htresearch.study.school_year import STAGES, Piece, august, days, ids, pick, repeat
from htresearch.study.truth import THEMES, Truth

if TYPE_CHECKING:
    from htresearch.study.answers import Surveys

_FULL_MARKS = {"primary": (72.0, 12.5, 100.0), "junior": (78.0, 18.0, 120.0), "senior": (92.0, 23.0, 150.0)}

#: Domain of each measure, and how much of it is what a pupil brings to school work.
_DOMAINS = {
    "maths": ("academic", 1.0),
    "chinese": ("academic", 1.0),
    "run": ("physical", 0.5),
    "habits_rating": ("habits", 1.0),
    "conduct": ("moral", 1.0),
}
#: What a simulated district measures.
MEASURES = tuple(_DOMAINS)


class District(Ladder):
    """The state of a district while it is being simulated.

    Parameters
    ----------
    schools, classes_per_school, terms, seed
        As in `htresearch.study.simulate.simulate`.
    truth
        What is true there.
    measures
        What is assessed.
    surveys
        The survey rounds, if there are any.
    """

    def __init__(
        self,
        schools: int,
        classes_per_school: int,
        terms: int,
        seed: int,
        truth: Truth,
        measures: tuple[str, ...] = MEASURES,
        surveys: Surveys | None = None,
    ):
        super().__init__(schools, classes_per_school, terms, seed, truth)
        self.measures = measures
        self.surveys = surveys

    def tables(self) -> Iterator[Piece]:
        """Yield the pieces of every table in the order in which they arise."""
        yield self._schools()
        yield self._terms()
        yield self._cutoffs()
        yield from self._before()
        for term in range(self.calendar.count):
            if self.calendar.term(term)[1] == 1:
                if term:
                    yield from self._summer(self.calendar.term(term)[0])
                else:
                    yield from self._first_classes()
                yield from self._movers(term)
            yield from self._teach(term)
            if self.surveys:
                yield from self.surveys.round(self, term)
            yield from self._training(term)  # after teaching: it takes one term to work
            yield from self._pay(term)
            yield from self._activities(term)
        last_year, half = self.calendar.term(self.calendar.count - 1)
        if half == 2:
            yield from self._appraise(last_year + 1)
        yield from self._still_there()
        yield self._teachers()

    def _terms(self) -> Piece:
        terms = range(self.calendar.count)
        pairs = [self.calendar.term(t) for t in terms]
        return "terms", {
            "term_id": np.array([self.calendar.name(t) for t in terms], object),
            "school_year": np.array([f"{year}-{year + 1}" for year, _ in pairs], object),
            "term": np.array([str(half) for _, half in pairs], object),
            "starts_on": days([self.calendar.dates(t)[0] for t in terms]),
            "ends_on": days([self.calendar.dates(t)[1] for t in terms]),
        }

    def _first_classes(self) -> Iterator[Piece]:
        low, high = self._grade_range()
        grade = low + self.slot_no % (high - low + 1)
        first = self.calendar.first_year
        since = np.maximum(first - (grade - low), first - 1)
        self.spell_since = days([august(year, 20) for year in since])
        yield from self._open(np.arange(len(self.slot_class)), first, grade)

    def _summer(self, year: int) -> Iterator[Piece]:
        """Between two school years: appraisal and ladder, classes that leave, head teachers who change."""
        yield from self._appraise(year)
        _, high = self._grade_range()
        leaving = self.slot_grade >= high
        slots = np.flatnonzero(leaving)
        july = np.datetime64(date(year, 7, 10))
        yield from self._dismiss(leaving[self.pupil["slot"]], july)
        yield self._spells(slots, july, "graduated")
        self.spell_since[slots] = august(year, 20)
        self.slot_grade[~leaving] += 1
        rng = self.rng
        role = -2.6 + 0.45 * self.burnout[self.slot_teacher] - 0.22 * (self.pay[0, self.slot_teacher] - 2400) / 600
        stops = rng.random(len(role)) < self.truth.leaves_role / 0.075 / (1 + np.exp(-role))
        stops |= leaving & (rng.random(len(leaving)) < 0.15)
        stops |= self.barred[self.slot_teacher]  # who fails the year may not go on
        yield from self._replace(np.flatnonzero(stops), july, august(year, 20), "stepped_down", ~leaving)
        yield from self._exchange(np.flatnonzero(~stops & ~leaving), july, august(year, 20))
        low, _ = self._grade_range()
        yield from self._open(slots, year, low[slots])

    def _still_there(self) -> Iterator[Piece]:
        yield self._spells(np.arange(len(self.slot_class)), None, None)
        yield self._enrolments(np.ones(len(self.pupil["id"]), bool), None)
        for studio in self.studios.values():
            yield self._members(studio, None)

    # --- what happens in a term -------------------------------------------------------------------------------------

    def _before(self) -> Iterator[Piece]:
        """Appraisals and decisions of earlier years, and the training of the year before the first term."""
        self.class_mean = np.zeros(len(self.slot_class))
        first = self.calendar.first_year
        for year in range(first - YEARS_BEFORE + 1, first):
            yield from self._appraise(year)
        for term in (-2, -1):
            yield from self._training(term)
            yield from self._pay(term)
        yield from self._appraise(first)

    def _training(self, term: int) -> Iterator[Piece]:
        """Each level offers each theme in equal hours; who is invited is partly drawn by lot."""
        rng, truth = self.rng, self.truth
        start, end = self.calendar.dates(term)
        length = int((end - start).astype(int)) - 20
        zones, schools = np.arange(self.zones), np.arange(len(self.school_stage))
        offers = [("district", np.zeros(1, int), 3.0), ("zone", zones, 2.0), ("school", schools, 2.0)]
        school = self.teacher_school[self.slot_teacher]
        where = {"district": np.zeros(len(school), int), "zone": self.school_zone[school], "school": school}
        keen = self.keen[self.slot_teacher] + truth.selection * (
            truth.attendance_by_quality * self.quality[self.slot_teacher]
            + 0.1 * self.school_leadership[school]
            - 0.15 * self.workload[self.slot_teacher]
            + 0.1 * (self.tier[self.slot_teacher] > 0)
        )
        goes = 1 / (1 + np.exp(-(keen - 1.3)))
        invited = rng.random(len(goes)) < 0.5  # by lot within teacher and term: what a study can lean on
        formats = {
            "district": ("lecture", "seminar", "visit", "commendation"),
            "zone": ("seminar", "workshop"),
            "school": ("seminar", "workshop", "lecture"),
        }
        for level, units, hours in offers:
            for theme in THEMES:
                n = len(units)
                number = self.n_events + np.arange(n)
                self.n_events += n
                held = start + rng.integers(5, length, n)
                yield (
                    "training_events",
                    {
                        "event_id": ids("E", number, 6),
                        "level": repeat(level, n),
                        "format": pick(rng, formats[level], (1 / len(formats[level]),) * len(formats[level]), n),
                        "theme": repeat(theme, n),
                        "mode": pick(rng, ("theory", "case", "mixed"), (0.4, 0.3, 0.3), n),
                        "held_on": held,
                        "hours": np.full(n, hours),
                    },
                )
                there = invited & (rng.random(len(goes)) < goes)
                who = self.slot_teacher[there]
                stayed = np.where(rng.random(len(who)) < 0.9, hours, hours / 2)
                self.hours[theme][who] += stayed  # a teacher leads one class, so no index repeats
                yield (
                    "attendance",
                    {
                        "event_id": ids("E", number[where[level][there]], 6),
                        "teacher_id": self._teacher(who),
                        "hours_attended": stayed,
                        "rating": np.clip(rng.normal(4.2, 0.6, len(who)).round(), 1, 5),
                    },
                )

    def _exposure(self, teacher: np.ndarray, term: int) -> np.ndarray:
        """Return what a head teacher is worth in a term besides training."""
        truth, year = self.truth, self.calendar.term(term)[0]
        years = np.clip(year - self.entered[teacher], 0, truth.experience_years)
        tier = self.tier[teacher]
        return (
            truth.quality * self.quality[teacher]
            + truth.experience_per_year * (years - truth.experience_years / 2)
            + truth.backbone * (tier == BACKBONE)
            + truth.chief * (tier == CHIEF)
            + truth.studio * (self.studio[teacher] >= 0)
            + truth.lost_tier * (year - self.lost_year[teacher] < 2)
            + truth.pay_per_1000_yuan * self.pay[:, teacher].mean(axis=0) / 1000
        )

    def _effective_hours(self, domain: str) -> np.ndarray:
        """Return the hours that work in a domain, capped where the total passes the cap."""
        total = sum(self.hours.values())
        carried = sum(w * self.hours[theme] for theme, w in self.truth.theme_weights(domain).items())
        return carried * np.minimum(1, self.truth.training_hours_cap / np.maximum(total, 1e-9))

    def _teach(self, term: int) -> Iterator[Piece]:
        """Let a term pass: some classes change hands in it, then every pupil is assessed."""
        rng, truth = self.rng, self.truth
        start, end = self.calendar.dates(term)
        before = self.slot_teacher.copy()
        share = np.ones(len(before))
        changed = np.flatnonzero(rng.random(len(before)) < truth.changes_mid_term)
        middle = start + int((end - start).astype(int)) // 2
        yield from self._replace(changed, middle, middle + 1, "leave", np.ones(len(before), bool))
        share[changed] = 0.5
        # The shock of a class in a term is its luck; part of it may count in the appraisal.
        self.shock = rng.normal(0, truth.class_term_sd, len(before))
        self.shock_year = self.shock if self.calendar.term(term)[1] == 1 else (self.shock_year + self.shock) / 2
        led = share * self._exposure(before, term) + (1 - share) * self._exposure(self.slot_teacher, term)
        base = self.school_effect[self.slot_school] + self.class_effect[self.slot_class] + self.shock + led
        slot = self.pupil["slot"]
        for measure in self.measures:
            domain, weight = _DOMAINS[measure]
            dose = truth.training_per_10_hours / 10 * self._effective_hours(domain)
            trained = share * dose[before] + (1 - share) * dose[self.slot_teacher]
            z = (
                weight * (self.pupil["ability"] + base[slot])
                + trained[slot] * self.pupil["slope"]
                + rng.normal(0, truth.noise_sd, len(slot))
                + (1 - weight) * rng.normal(0, 1, len(slot))
            )
            yield from self._assess(term, domain, measure, z)

    def _assess(self, term: int, domain: str, measure: str, z: np.ndarray) -> Iterator[Piece]:
        _, half = self.calendar.term(term)
        if (measure == "run" and half == 2) or (measure in ("chinese", "habits_rating", "conduct") and half == 1):
            return
        grades = self.slot_grade[self.pupil["slot"]]
        lowest = 3 if measure in ("maths", "chinese", "run") else 1
        for grade in np.unique(grades[grades >= lowest]):
            rows = np.flatnonzero(grades == grade)
            stage = next(s for s, (low, high) in STAGES.items() if low <= grade <= high)
            name = f"{self.calendar.name(term)}-{measure}-G{grade:02d}"
            yield self._assessment(name, term, stage, int(grade), domain, measure)
            yield self._outcomes(name, measure, stage, self.pupil["id"][rows], z[rows])

    def _assessment(self, name: str, term: int, stage: str, grade: int, domain: str, measure: str) -> Piece:
        full = _FULL_MARKS[stage][2] if measure == "maths" else None
        set_by, scale, comparable, rated, better = {
            "maths": ("district", "raw", "district", "test", None),
            "chinese": ("school", "level", "school", "test", None),
            "run": ("city", "raw", "district", "test", "lower"),
            "habits_rating": ("school", "level", "school", "other_teacher", None),
            "conduct": ("class", "level", "class", "head_teacher", None),
        }[measure]
        values = (
            name,
            self.calendar.name(term),
            stage,
            grade,
            domain,
            measure,
            set_by,
            scale,
            full,
            comparable,
            rated,
            better,
        )
        columns = (
            "assessment_id",
            "term_id",
            "stage",
            "grade",
            "domain",
            "measure",
            "set_by",
            "scale",
            "max_score",
            "comparable_within",
            "rated_by",
            "better",
        )
        return "assessments", {c: np.array([v], object) for c, v in zip(columns, values, strict=True)}

    def _outcomes(self, name: str, measure: str, stage: str, pupils: np.ndarray, z: np.ndarray) -> Piece:
        rng, n = self.rng, len(pupils)
        score, level = np.full(n, np.nan), np.full(n, None, object)
        if measure == "maths":
            mean, sd, full = _FULL_MARKS[stage]
            score = np.clip(np.round(mean + sd * z), 0, full)
        elif measure == "run":
            # Seconds are skewed and fewer is better.
            score = np.round(235 * np.exp(-0.12 * z))
        else:
            level = np.array(list("EDCBA"), object)[np.searchsorted([-1.9, -1.0, 0.1, 1.1], z)]
        status = pick(rng, ("present", "absent", "deferred", "exempt"), (0.985, 0.009, 0.003, 0.003), n)
        missing = status != "present"
        score[missing], level[missing] = np.nan, None
        return "outcomes", {
            "assessment_id": repeat(name, n),
            "student_id": pupils,
            "score": score,
            "level": level,
            "status": status,
        }

    def _pay(self, term: int) -> Iterator[Piece]:
        rng, teacher = self.rng, self.slot_teacher
        _, end = self.calendar.dates(term)
        n = len(teacher)
        pay = 2400 + 500 * (self.tier[teacher] > 0) + 40 * (self.appraisal[teacher] - 78) + rng.normal(0, 200, n)
        pay = np.clip(pay, 600, None).round(-1)
        self.pay[1], self.pay[0] = self.pay[0], 0.0
        self.pay[0, teacher] = pay
        for kind, amount in (("head_teacher_allowance", np.full(n, 3000.0)), ("performance_pay", pay)):
            yield (
                "incentives",
                {
                    "teacher_id": self._teacher(teacher),
                    "kind": repeat(kind, n),
                    "level": repeat("school", n),
                    "granted_on": days([end - 10] * n),
                    "amount_yuan": amount,
                },
            )

    def _activities(self, term: int) -> Iterator[Piece]:
        rng = self.rng
        start, end = self.calendar.dates(term)
        weeks = int((end - start).astype(int)) // 7
        quality = 0.3 * self.quality[self.slot_teacher]
        young = self.slot_grade <= 6
        size = np.bincount(self.pupil["slot"], minlength=len(self.slot_class))
        rates = {
            "theme_meeting": np.clip(0.85 + 0.1 * quality, 0.4, 1) * weeks,
            "home_visit": np.exp(1.2 + quality + 0.3 * young),
            "phone_visit": np.exp(1.5 + quality),
            "talk": np.exp(1.6 + quality),
            "parents_meeting": np.full(len(quality), 1.2),
            "social_practice": np.full(len(quality), 0.8),
            "parents_in_class": 0.4 + 0.4 * young,
        }
        for kind, rate in rates.items():
            times = rng.poisson(rate) if kind != "theme_meeting" else rng.binomial(weeks, np.clip(rate / weeks, 0, 1))
            slots = np.repeat(np.arange(len(rate)), times)
            n = len(slots)
            if kind == "theme_meeting":  # one a week, in the weeks in which it was kept
                week = np.concatenate([rng.permutation(weeks)[:t] for t in times]) if n else np.empty(0, int)
                held = start + 7 * week + 3
            else:
                held = start + rng.integers(3, 7 * weeks, n)
            alone = kind in ("home_visit", "phone_visit", "talk")
            yield (
                "activities",
                {
                    "class_id": self._class(self.slot_class[slots]),
                    "held_on": np.asarray(held, "datetime64[D]"),
                    "kind": repeat(kind, n),
                    "participants": np.ones(n, int) if alone else (size[slots] * rng.uniform(0.85, 1, n)).astype(int),
                },
            )
