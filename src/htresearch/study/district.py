"""The simulated district: how its tables come about, term by term.

Nothing here writes files: `District.tables` yields pieces of tables as they arise, so that a province needs no more
memory than its pupils do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from htresearch.study.truth import THEMES, Truth

#: The last school year of every simulated study begins in this year.
LAST_YEAR = 2024
#: Years of appraisal and tier decisions before the first term, so that the ladder has settled when it is first seen.
YEARS_BEFORE = 4
_STAGES = {"primary": (1, 6), "junior": (7, 9), "senior": (10, 12)}
_FULL_MARKS = {"primary": (72.0, 12.5, 100.0), "junior": (78.0, 18.0, 120.0), "senior": (92.0, 23.0, 150.0)}
_ORDINARY, _BACKBONE, _CHIEF = 0, 1, 3

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

Piece = tuple[str, dict[str, np.ndarray]]


def _days(days) -> np.ndarray:
    return np.asarray(days, dtype="datetime64[D]")


def _repeat(value, n: int) -> np.ndarray:
    return np.full(n, value, dtype=object if isinstance(value, str) or value is None else None)


def _pick(rng: np.random.Generator, values: tuple, shares: tuple, n: int) -> np.ndarray:
    return np.asarray(values, dtype=object)[rng.choice(len(values), n, p=np.asarray(shares))]


@dataclass(frozen=True)
class Calendar:
    """The terms of a study."""

    first_year: int
    count: int

    @classmethod
    def of(cls, terms: int) -> Calendar:
        """Return the calendar whose last school year is `LAST_YEAR`."""
        return cls(LAST_YEAR - (terms - 1) // 2, terms)

    def term(self, index: int) -> tuple[int, int]:
        """Return school year and term (1 or 2) of the term at `index`, from 0; negative ones lie before the study."""
        return self.first_year + index // 2, index % 2 + 1

    def name(self, index: int) -> str:
        """Return the term's id."""
        year, half = self.term(index)
        return f"{year}-{half}"

    def dates(self, index: int) -> tuple[np.datetime64, np.datetime64]:
        """Return first and last day."""
        year, half = self.term(index)
        first, last = (
            (date(year, 9, 1), date(year + 1, 1, 20)) if half == 1 else (date(year + 1, 2, 20), date(year + 1, 7, 5))
        )
        return np.datetime64(first), np.datetime64(last)


class District:
    """The state of a district while it is being simulated.

    Parameters
    ----------
    schools, classes_per_school, terms, seed
        As in `htresearch.study.simulate.simulate`.
    truth
        What is true there.
    """

    def __init__(
        self,
        schools: int,
        classes_per_school: int,
        terms: int,
        seed: int,
        truth: Truth,
        measures: tuple[str, ...] = MEASURES,
    ):
        self.rng = np.random.default_rng(seed)
        self.truth, self.calendar, self.measures = truth, Calendar.of(terms), measures
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
        self.school_location = _pick(rng, ("urban", "town", "rural"), (0.5, 0.3, 0.2), n)
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

    @staticmethod
    def _august(year: int, day: int) -> np.datetime64:
        return np.datetime64(date(year, 8, day))

    def ids(self, letter: str, numbers: np.ndarray, width: int) -> np.ndarray:
        """Write running numbers as pseudonyms."""
        return np.array([f"{letter}{number:0{width}d}" for number in (np.asarray(numbers) + 1).tolist()], object)

    def _teacher(self, numbers):
        return self.ids("T", numbers, 6)

    def _class(self, numbers):
        return self.ids("C", numbers, 6)

    # --- the tables -------------------------------------------------------------------------------------------------

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
            yield from self._training(term)  # after teaching: it takes one term to work
            yield from self._pay(term)
            yield from self._activities(term)
        last_year, half = self.calendar.term(self.calendar.count - 1)
        if half == 2:
            yield from self._appraise(last_year + 1)
        yield from self._still_there()
        yield self._teachers()

    def _schools(self) -> Piece:
        n = len(self.school_stage)
        return "schools", {
            "school_id": self.ids("S", np.arange(n), 4),
            "zone_id": self.ids("Z", self.school_zone, 3),
            "school_type": self.school_stage.astype(object),
            "ownership": np.where(self.school_public, "public", "private").astype(object),
            "location": self.school_location,
        }

    def _terms(self) -> Piece:
        terms = range(self.calendar.count)
        pairs = [self.calendar.term(t) for t in terms]
        return "terms", {
            "term_id": np.array([self.calendar.name(t) for t in terms], object),
            "school_year": np.array([f"{year}-{year + 1}" for year, _ in pairs], object),
            "term": np.array([str(half) for _, half in pairs], object),
            "starts_on": _days([self.calendar.dates(t)[0] for t in terms]),
            "ends_on": _days([self.calendar.dates(t)[1] for t in terms]),
        }

    def _cutoffs(self) -> Piece:
        stages = [s for s in _STAGES if s in set(self.school_stage)]
        quota = [self._quota(stage) for stage in stages]
        since = date(self.calendar.first_year - YEARS_BEFORE, 7, 1)
        n = len(stages)
        return "cutoffs", {
            "tier": np.array(["backbone", *["chief"] * n], object),
            "school_type": np.array([None, *stages], object),
            "stage": np.array([None, *stages], object),
            "valid_from": _days([since] * (n + 1)),
            "cutoff_score": np.array([self.truth.backbone_cutoff, *[self.truth.chief_cutoff] * n]),
            "quota": np.array([None, *quota], object),
        }

    def _quota(self, stage: str) -> int:
        return max(round(self.truth.chief_share * (self.school_stage[self.slot_school] == stage).sum()), 1)

    def _teachers(self) -> Piece:
        rng, n = self.rng, len(self.quality)
        experience = self.calendar.first_year - self.entered
        titles = np.array(["third", "second", "first", "senior", "full_senior"], object)
        step = np.clip((experience + rng.normal(0, 3, n)) // 6, 0, 4).astype(int)
        step = np.where(rng.random(n) < 0.9, np.minimum(step, 3), step)
        return "teachers", {
            "teacher_id": self._teacher(np.arange(n)),
            "sex": _pick(rng, ("female", "male"), (0.72, 0.28), n),
            "birth_year": self.entered - rng.integers(22, 27, n),
            "entered_on": _days([date(y, 8, 15) for y in self.entered]),
            "employment": _pick(rng, ("permanent", "contract", "substitute", "exchange"), (0.8, 0.12, 0.03, 0.05), n),
            "degree": _pick(rng, ("associate", "bachelor", "master"), (0.12, 0.75, 0.13), n),
            "title": titles[step],
            "subject": _pick(rng, ("语文", "数学", "英语", "其他"), (0.4, 0.28, 0.2, 0.12), n),
        }

    # --- classes, pupils, appointments ------------------------------------------------------------------------------

    def _first_classes(self) -> Iterator[Piece]:
        low, high = self._grade_range()
        grade = low + self.slot_no % (high - low + 1)
        first = self.calendar.first_year
        since = np.maximum(first - (grade - low), first - 1)
        self.spell_since = _days([self._august(year, 20) for year in since])
        yield from self._open(np.arange(len(self.slot_class)), first, grade)

    def _grade_range(self) -> tuple[np.ndarray, np.ndarray]:
        stage = self.school_stage[self.slot_school]
        bounds = np.array([_STAGES[s] for s in stage])
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
                "school_id": self.ids("S", school, 4),
                "stage": self.school_stage[school].astype(object),
                "entry_year": year - (grade - low),
                "entry_grade": low,
                "class_no": self.slot_no[slots] % 99 + 1,
            },
        )
        size = np.clip(rng.poisson(5, n) + 39, 20, 60)
        since = _days([self._august(y, 25) for y in year - (grade - low)])
        yield from self._admit(np.repeat(slots, size), np.repeat(pull, size), np.repeat(since, size))

    def _admit(self, slots: np.ndarray, pull: np.ndarray, since: np.ndarray) -> Iterator[Piece]:
        rng, truth, n = self.rng, self.truth, len(slots)
        if n == 0:
            return
        names = self.ids("P", self.n_pupils + np.arange(n), 8)
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
                "sex": _pick(rng, ("female", "male"), (0.47, 0.53), n),
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
            "ends_on": _days([np.datetime64("NaT") if until is None else until] * n),
            **{k: self.pupil[k][rows] for k in ("boarding", "left_behind", "migrant", "inclusive")},
        }

    def _movers(self, term: int) -> Iterator[Piece]:
        """About one pupil in a hundred leaves in the autumn, and about as many come."""
        year, _ = self.calendar.term(term)
        if term == 0:
            return
        old = self.pupil["since"] < self._august(year, 1)
        yield from self._dismiss(old & (self.rng.random(len(old)) < 0.01), np.datetime64(date(year, 8, 10)))
        into = self.rng.choice(len(self.slot_class), self.rng.poisson(0.4 * len(self.slot_class)))
        since = np.full(len(into), self._august(year, 26))
        yield from self._admit(np.sort(into), np.zeros(len(into)), since)

    def _summer(self, year: int) -> Iterator[Piece]:
        """Between two school years: appraisal and ladder, classes that leave, head teachers who change."""
        yield from self._appraise(year)
        _, high = self._grade_range()
        leaving = self.slot_grade >= high
        slots = np.flatnonzero(leaving)
        july = np.datetime64(date(year, 7, 10))
        yield from self._dismiss(leaving[self.pupil["slot"]], july)
        yield self._spells(slots, july, "graduated")
        self.spell_since[slots] = self._august(year, 20)
        self.slot_grade[~leaving] += 1
        rng = self.rng
        role = -2.6 + 0.45 * self.burnout[self.slot_teacher] - 0.22 * (self.pay[0, self.slot_teacher] - 2400) / 600
        stops = rng.random(len(role)) < self.truth.leaves_role / 0.075 / (1 + np.exp(-role))
        stops |= leaving & (rng.random(len(leaving)) < 0.15)
        stops |= self.barred[self.slot_teacher]  # who fails the year may not go on
        yield from self._replace(np.flatnonzero(stops), july, self._august(year, 20), "stepped_down", ~leaving)
        yield from self._exchange(np.flatnonzero(~stops & ~leaving), july, self._august(year, 20))
        low, _ = self._grade_range()
        yield from self._open(slots, year, low[slots])

    def _spells(self, slots: np.ndarray, until: np.datetime64 | None, reason: str | None) -> Piece:
        n = len(slots)
        return "appointments", {
            "teacher_id": self._teacher(self.slot_teacher[slots]),
            "class_id": self._class(self.slot_class[slots]),
            "role": _repeat("head", n),
            "starts_on": self.spell_since[slots],
            "ends_on": _days([np.datetime64("NaT") if until is None else until] * n),
            "reason_ended": _repeat(reason, n),
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
                        "event_id": self.ids("E", number, 6),
                        "level": _repeat(level, n),
                        "format": _pick(rng, formats[level], (1 / len(formats[level]),) * len(formats[level]), n),
                        "theme": _repeat(theme, n),
                        "mode": _pick(rng, ("theory", "case", "mixed"), (0.4, 0.3, 0.3), n),
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
                        "event_id": self.ids("E", number[where[level][there]], 6),
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
            + truth.backbone * (tier == _BACKBONE)
            + truth.chief * (tier == _CHIEF)
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
            stage = next(s for s, (low, high) in _STAGES.items() if low <= grade <= high)
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
        status = _pick(rng, ("present", "absent", "deferred", "exempt"), (0.985, 0.009, 0.003, 0.003), n)
        missing = status != "present"
        score[missing], level[missing] = np.nan, None
        return "outcomes", {
            "assessment_id": _repeat(name, n),
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
                    "kind": _repeat(kind, n),
                    "level": _repeat("school", n),
                    "granted_on": _days([end - 10] * n),
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
                    "kind": _repeat(kind, n),
                    "participants": np.ones(n, int) if alone else (size[slots] * rng.uniform(0.85, 1, n)).astype(int),
                },
            )

    # --- appraisal and ladder ---------------------------------------------------------------------------------------

    def _appraise(self, year: int) -> Iterator[Piece]:
        """Appraise the head teachers of the school year that ends in `year`, then decide on the ladder."""
        rng, truth, teacher = self.rng, self.truth, self.slot_teacher
        n, s = len(teacher), truth.selection
        ethics = rng.normal(0, 1, n)
        lucky = self.shock_year / truth.class_term_sd
        # Unfair in two ways: the class one was given counts, and so does a lucky year.
        results = 0.45 * s * self.quality[teacher] + 0.8 * s * self.class_mean + truth.luck * lucky
        rest = np.sqrt(max(1 - results.var() - 0.2**2, 0.1))
        total = results + 0.2 * ethics + rest * rng.normal(0, 1, n)
        score = np.clip((truth.appraisal_mean + truth.appraisal_sd * total).round(), 40, 100)
        self.appraisal[teacher] = score
        unethical = rng.random(n) < 0.002
        incident = rng.random(n) < 0.006
        yield from self._appraisal_rows(year, teacher, score, results, unethical, incident)
        self.barred[teacher[unethical]] = True
        yield from self._honours(year, teacher, score)
        yield from self._decide(year, teacher, score)

    def _appraisal_rows(self, year, teacher, score, results, unethical, incident) -> Iterator[Piece]:
        n = len(teacher)
        top = np.argsort(np.argsort(-score, kind="stable"), kind="stable") < 0.15 * n
        annual = np.where(
            unethical,
            "unqualified",
            np.where(top, "excellent", np.where(score < 62, "basically_qualified", "qualified")),
        ).astype(object)
        own = np.select(
            [score < 60, score < 68, score < 85], ["unqualified", "basically_qualified", "qualified"], "excellent"
        ).astype(object)
        nothing = np.full(n, np.nan)
        july = date(year, 7, 6)
        kinds = (
            ("head_teacher", date(year - 1, 9, 1), date(year, 7, 5), july, own, score, (50 + 6 * results).round(1)),
            (
                "ethics",
                date(year - 1, 1, 1),
                date(year - 1, 12, 31),
                date(year, 1, 8),
                np.where(unethical, "unqualified", "qualified").astype(object),
                nothing,
                nothing,
            ),
            ("annual", date(year - 1, 1, 1), date(year - 1, 12, 31), date(year, 1, 10), annual, nothing, nothing),
        )
        for kind, since, until, decided, result, total, results_score in kinds:
            involved = incident if kind == "head_teacher" else np.zeros(n, bool)
            followed = np.where(involved, np.datetime64(date(year, 7, 20)), np.datetime64("NaT"))
            yield (
                "appraisals",
                {
                    "teacher_id": self._teacher(teacher),
                    "kind": _repeat(kind, n),
                    "period_from": _days([since] * n),
                    "period_to": _days([until] * n),
                    "decided_on": _days([decided] * n),
                    "total_score": total,
                    "results_score": results_score,
                    "result": result,
                    "incident": involved,
                    "followed_up_on": _days(followed),
                },
            )

    def _honours(self, year: int, teacher: np.ndarray, score: np.ndarray) -> Iterator[Piece]:
        rng = self.rng
        for kind, level, line, chance, day in (
            ("honour", "school", 82, 0.5, 10),
            ("honour", "district", 87, 0.4, 12),
            ("title_review", "district", 84, 0.15, 14),
            ("promotion", "district", 88, 0.06, 16),
        ):
            who = teacher[(score >= line) & (rng.random(len(score)) < chance)]
            yield (
                "incentives",
                {
                    "teacher_id": self._teacher(who),
                    "kind": _repeat(kind, len(who)),
                    "level": _repeat(level, len(who)),
                    "granted_on": _days([date(year, 7, day)] * len(who)),
                    "amount_yuan": np.full(len(who), np.nan),
                },
            )

    def _decide(self, year: int, teacher: np.ndarray, score: np.ndarray) -> Iterator[Piece]:
        """Review who is due, select chiefs within the quota, accredit backbones at the cut-off."""
        rng, truth = self.rng, self.truth
        tier, due = self.tier[teacher], year - self.tier_year[teacher] >= 2
        stage = self.school_stage[self.teacher_school[teacher]]
        # Who left the role keeps the tier until it runs out.
        gone = np.setdiff1d(np.flatnonzero((self.tier > 0) & (year - self.tier_year >= 2)), teacher)
        yield self._decisions(year, gone, self.tier[gone], "expired", np.full(len(gone), np.nan))
        self.tier[gone] = _ORDINARY

        loses = (tier > 0) & due & (score < truth.backbone_review) & (rng.random(len(tier)) < truth.backbone_loss)
        rises = np.zeros(len(tier), bool)
        for name in np.unique(stage):
            held = ((self.tier == _CHIEF) & (self.school_stage[self.teacher_school] == name)).sum()
            able = np.flatnonzero((stage == name) & (tier == _BACKBONE) & due & (score >= truth.chief_cutoff))
            best = able[np.argsort(-score[able], kind="stable")]
            rises[best[: max(self._quota(name) - int(held), 0)]] = True
        renewed = (tier > 0) & due & ~loses & ~rises
        for rows, decision in ((loses, "revoked"), (renewed, "renewed")):
            yield self._decisions(year, teacher[rows], tier[rows], decision, score[rows])
        self.tier[teacher[loses]] = _ORDINARY
        self.lost_year[teacher[loses]] = year
        yield self._decisions(year, teacher[rises], np.full(rises.sum(), _CHIEF), "accredited", score[rises])
        self.tier[teacher[rises]] = _CHIEF

        applies = (tier == _ORDINARY) & (score >= 74) & (rng.random(len(tier)) < 0.4)
        accepted = applies & (score >= truth.backbone_cutoff) & (rng.random(len(tier)) < truth.backbone_compliance)
        refused = applies & ~accepted
        one = np.full(len(tier), _BACKBONE)
        yield self._decisions(year, teacher[refused], one[refused], "not_accredited", score[refused])
        yield self._decisions(year, teacher[accepted], one[accepted], "accredited", score[accepted])
        self.tier[teacher[accepted]] = _BACKBONE
        self.tier_year[teacher[rises | renewed | accepted]] = year
        yield from self._run_studios(year, teacher)

    def _decisions(self, year: int, teacher: np.ndarray, tier: np.ndarray, decision: str, score) -> Piece:
        n = len(teacher)
        names = np.array(["ordinary", "backbone", "renowned", "chief"], object)
        lasts = decision in ("accredited", "renewed")
        end = np.datetime64(date(year + 2, 8, 14)) if lasts else np.datetime64("NaT")
        return "tiers", {
            "teacher_id": self._teacher(teacher),
            "tier": names[tier],
            "awarded_by": np.where(tier == _CHIEF, "district", "zone").astype(object),
            "effective_on": _days([date(year, 8, 15)] * n),
            "ends_on": _days([end] * n),
            "basis_score": np.asarray(score, float),
            "decision": _repeat(decision, n),
        }

    def _run_studios(self, year: int, teacher: np.ndarray) -> Iterator[Piece]:
        """A new chief opens a studio with six to ten members; a lost chief's studio ends."""
        rng = self.rng
        for chief in [c for c in self.studios if self.tier[c] != _CHIEF]:
            yield self._members(self.studios.pop(chief), date(year, 8, 20))
        for chief in np.flatnonzero(self.tier == _CHIEF):
            if chief in self.studios:
                continue
            school = self.teacher_school
            near = (
                (self.school_stage[school[teacher]] == self.school_stage[school[chief]])
                & (self.studio[teacher] < 0)
                & (teacher != chief)
            )
            members = rng.permutation(teacher[near])[: rng.integers(6, 11)]
            self.studio[members] = chief
            number = self.n_studios
            self.n_studios += 1
            self.studios[int(chief)] = {"number": number, "members": members, "since": date(year, 8, 20)}
            yield (
                "studios",
                {
                    "studio_id": self.ids("W", np.array([number]), 4),
                    "lead_teacher_id": self._teacher(np.array([chief])),
                    "opened_on": _days([date(year, 8, 18)]),
                },
            )

    def _members(self, studio: dict, until: date | None) -> Piece:
        members = studio["members"]
        self.studio[members] = -1
        n = len(members)
        return "studio_members", {
            "studio_id": self.ids("W", np.full(n, studio["number"]), 4),
            "teacher_id": self._teacher(members),
            "joined_on": _days([studio["since"]] * n),
            "left_on": _days([np.datetime64("NaT") if until is None else np.datetime64(until)] * n),
        }

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
