"""Random small studies for the indicators: those of the panels, with activities, targets and more that goes wrong."""

from datetime import date

import pandas as pd
from study.small import DAY, Islands, Tables, frames

from htresearch.study.open import Study
from htresearch.study.schema import schema
from htresearch.study.store import open_store
from htresearch.study.validate import inspect

ACTIVITIES = schema().vocabularies["activity"]
INCENTIVES = schema().vocabularies["incentive"]
#: What a study may be without, each by its own chance; tables that others refer to go with them.
LACKING = (
    ("tiers",),
    ("studios", "studio_members"),
    ("training_events", "attendance"),
    ("incentives",),
    ("appraisals",),
    ("activities",),
    ("outcomes",),
    ("class_outcomes",),
    ("enrolments",),
)


class Corps(Islands):
    """A random study of the corps."""

    def __init__(self, seed: int, islands: int = 3):
        super().__init__(seed, islands)
        rng = self.rng
        terms = sorted(self.lists["terms"], key=lambda term: term[3])  # a file need not be in order
        self.lists["activities"] = [
            (class_id, day, rng.choice(ACTIVITIES), None)
            for class_id, *_ in self.lists["classes"]
            for _ in range(rng.choice([0, 5, 30]))
            for day in [self._held(terms)] * rng.choice([1, 1, 4])
        ]
        self.lists["targets"] = [
            ("classes_without_head", level, day, value)
            for level in ("school", "zone", "district")
            for day, value in ((date(2000, 1, 1), 0.25), (terms[1][3], 0.0), (terms[-1][3] + DAY, 9.0))
        ]
        appraised = [self._appraisal(row) for row in self.lists["appraisals"]]
        # Of two decided on one day the one of the later period is the last, wherever it stands in the file.
        before = [self._earlier(row) for row in appraised if row[1] != "performance" and rng.random() < 0.5]
        self.lists["appraisals"] = appraised + before
        # Of every kind of incentive there is something, for the panels know but a few.
        self.lists["incentives"] = [
            (teacher, rng.choice([kind, rng.choice(INCENTIVES)]), *rest)
            for teacher, kind, *rest in self.lists["incentives"]
        ]
        self._last_days(terms)
        self.lists["attendance"] = [(*row, rng.choice([None, 3.0, 5.0])) for *row, _ in self.lists["attendance"]]
        # Studios open on first days too, led by somebody who leads a class that day where there is one.
        self.lists["studios"] = [self._studio(row, [term[3] for term in terms]) for row in self.lists["studios"]]
        self._results(terms)
        # Studies in which no school has a zone.
        if rng.random() < 0.3:
            self.lists["schools"] = [(s, None, *rest) for s, _, *rest in self.lists["schools"]]

    def _studio(self, row: tuple, first_days: list[date]) -> tuple:
        studio, lead, _ = row
        if self.rng.random() < 0.5:
            return row
        day = self.rng.choice(first_days)
        leading = [
            teacher
            for teacher, _, role, since, until, _ in self.lists["appointments"]
            if role == "head" and since <= day and (until is None or until >= day)
        ]
        return studio, self.rng.choice(leading or [lead]), day + self.rng.choice([0, 0, 1]) * DAY

    def _last_days(self, terms) -> None:
        """Add what happens on the last days of periods and the days after: honours, and teachers who enter."""
        eves = [term[3] - DAY for term in terms[1:]]
        for number, eve in enumerate(eves):
            for after in (0, 1):
                self._add(
                    "teachers",
                    f"N{number}{after}",
                    "male",
                    1990,
                    eve + after * DAY,
                    "permanent",
                    "bachelor",
                    "first",
                    "语文",
                )
        there = {row[:4] for row in self.lists["incentives"]}
        for teacher, _, _, _, decided, *_ in self.lists["appraisals"]:
            eve = next((day for day in eves if day >= decided), None)
            grant = (teacher, "honour", "district", eve and eve + self.rng.choice([0, 1]) * DAY)
            if eve and grant not in there:
                there.add(grant)
                self._add("incentives", *grant, None)

    def _results(self, terms) -> None:
        """Add what standard scores can go wrong on: equal values, those of an earlier term again, and own ratings."""
        rng, results = self.rng, self.lists["outcomes"]
        runs: dict[str, list[str]] = {}
        for assessment, term, _, _, _, measure, *_ in self.lists["assessments"]:
            if measure == "run":
                runs.setdefault(term, []).append(assessment)
        level = [rng.choice(several) for several in runs.values() if len(several) > 1]
        results[:] = [(a, p, 41.1 if a in level and score else score, *rest) for a, p, score, *rest in results]
        alone = [several[0] for several in runs.values() if len(several) == 1]
        if len(alone) > 1:
            first, again = sorted(rng.sample(range(len(alone)), 2))
            results[:] = [row for row in results if row[0] != alone[again]]
            results += [(alone[again], *rest) for a, *rest in results if a == alone[first]]
        for term, *_ in terms:
            about = ("primary", 4, "moral", "manners", "district", "raw", 10.0, "district", "head_teacher", "higher")
            self.lists["assessments"].append((f"{term}-manners", term, *about))
            pupils = sorted({row[1] for row in results})
            results += [(f"{term}-manners", pupil, float(rng.randrange(10)), None, "present") for pupil in pupils]

    def _in_term(self, terms) -> date:
        _, _, _, first, last = self.rng.choice(terms)
        return first + self.rng.randrange((last - first).days + 1) * DAY

    def _held(self, terms) -> date:
        """Return any day, one of a term, or one about the end of the last holidays that count."""
        about_the_end = terms[-1][4] + self.rng.choice([61, 62, 63]) * DAY
        return self.rng.choice([self._day(), self._in_term(terms), about_the_end])

    def _appraisal(self, row: tuple) -> tuple:
        teacher, kind, since, until, decided, total, results, result, incident, _ = row
        if kind != "performance":
            result = self.rng.choice(["excellent", "qualified", "unqualified"])
        if kind == "ethics":  # of years before, for who fails it fails the year too
            since, until = since.replace(year=since.year - 4), until.replace(year=until.year - 4)
        followed = decided + 3 * DAY if incident and self.rng.random() < 0.5 else None
        return teacher, kind, since, until, decided, total, results, result, incident, followed

    def _earlier(self, row: tuple) -> tuple:
        teacher, kind, since, until, decided, total, results, _, *rest = row
        result = self.rng.choice(["excellent", "qualified", "unqualified"])
        since, until = (day.replace(year=day.year - 1) for day in (since, until))
        return teacher, kind, since, until, decided, total, results, result, *rest

    def study_tables(self, whole: bool = False) -> Tables:
        """Return the tables, unless the `whole` is asked for without those that this study happens to lack."""
        from study import small

        columns = {
            "activities": "class_id held_on kind participants",
            "targets": "indicator_id level valid_from value",
        }
        small.COLUMNS.update(columns)
        try:
            made = frames(self.lists)
        finally:
            for name in columns:
                small.COLUMNS.pop(name)
        for together in LACKING:
            if self.rng.random() < 0.15 and not whole:
                for name in together:
                    made.pop(name, None)
        return made


def opened(tables: Tables, folder, checked: bool = False) -> Study:
    """Write a study and open it; to see that it is sound takes longer than all else."""
    folder.mkdir()
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    store = open_store(folder)
    assert not store.faults
    if checked:
        faults = inspect(store)
        assert len(faults) == 0, faults.to_string()
    return Study(store)


def plain_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Return every table of a study as pandas reads it."""
    return {name: study.frame(name) for name in study.tables if name != "responses"}
