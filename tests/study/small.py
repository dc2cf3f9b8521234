"""Small studies in plain pandas: a sound one to break, and random ones that are as nasty as the rules allow.

A random study is made of islands that share the calendar and the assessments, so that one opening tries many studies.
"""

import random
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

DAY = timedelta(days=1)
#: Tables that a study may lack.
OPTIONAL = ("tiers", "studios", "studio_members", "training_events", "attendance", "incentives", "appraisals")
KEYS = {
    "tiers": ["teacher_id", "tier", "awarded_by", "effective_on"],
    "studio_members": ["studio_id", "teacher_id", "joined_on"],
    "attendance": ["event_id", "teacher_id"],
    "incentives": ["teacher_id", "kind", "level", "granted_on"],
    "appraisals": ["teacher_id", "kind", "period_from", "period_to", "decided_on"],
    "enrolments": ["student_id", "class_id", "starts_on"],
    "outcomes": ["assessment_id", "student_id"],
    "class_outcomes": ["assessment_id", "class_id"],
}
COLUMNS = {
    "schools": "school_id zone_id school_type ownership location",
    "terms": "term_id school_year term starts_on ends_on",
    "classes": "class_id school_id stage entry_year entry_grade class_no",
    "teachers": "teacher_id sex birth_year entered_on employment degree title subject",
    "appointments": "teacher_id class_id role starts_on ends_on reason_ended",
    "tiers": "teacher_id tier awarded_by effective_on ends_on basis_score decision",
    "studios": "studio_id lead_teacher_id opened_on",
    "studio_members": "studio_id teacher_id joined_on left_on",
    "training_events": "event_id level format theme mode held_on hours",
    "attendance": "event_id teacher_id hours_attended rating",
    "incentives": "teacher_id kind level granted_on amount_yuan",
    "appraisals": "teacher_id kind period_from period_to decided_on total_score results_score result incident "
    "followed_up_on",
    "students": "student_id sex ses_index only_child",
    "enrolments": "student_id class_id starts_on ends_on boarding left_behind migrant inclusive",
    "assessments": "assessment_id term_id stage grade domain measure set_by scale max_score comparable_within "
    "rated_by better",
    "outcomes": "assessment_id student_id score level status",
    "class_outcomes": "assessment_id class_id mean n excellent_share pass_share",
}
Tables = dict[str, pd.DataFrame]


def frames(lists: dict[str, list[tuple]]) -> Tables:
    """Return lists of rows as frames, one row a key."""
    made = {}
    for name, listed in lists.items():
        frame = pd.DataFrame(listed, columns=COLUMNS[name].split(), dtype=object)
        made[name] = frame.drop_duplicates(KEYS[name]) if name in KEYS else frame
    return made


def write(tables: Tables, folder: Path, suffix: str = "parquet") -> Path:
    """Write a study's tables into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        if suffix == "csv":
            frame.to_csv(folder / f"{name}.csv", index=False)
        else:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def sound() -> Tables:
    """Return a sound study: two schools, two classes and teachers, four pupils, two terms."""
    autumn, spring = date(2024, 9, 1), date(2025, 2, 20)
    return frames(
        {
            "schools": [("S1", "Z1", "primary", "public", "urban"), ("S2", None, "primary", "public", "rural")],
            "terms": [
                ("2024-1", "2024-2025", "1", autumn, date(2025, 1, 20)),
                ("2024-2", "2024-2025", "2", spring, date(2025, 7, 5)),
            ],
            "classes": [("C1", "S1", "primary", 2022, 1, 1), ("C2", "S2", "primary", 2022, 1, 1)],
            "teachers": [
                (t, "female", 1985, date(2010, 8, 15), "permanent", "bachelor", "first", "语文")
                for t in ("T1", "T2", "T3")
            ],
            "appointments": [
                ("T1", "C1", "head", date(2022, 8, 20), None, None),
                ("T2", "C2", "head", date(2022, 8, 20), date(2025, 1, 31), "leave"),
                ("T3", "C2", "head", date(2025, 2, 1), None, None),
            ],
            "tiers": [("T1", "backbone", "zone", date(2024, 8, 15), date(2026, 8, 14), 86.0, "accredited")],
            "training_events": [
                ("E1", "district", "lecture", "methods", "case", date(2024, 5, 10), 3.0),
                ("E2", "school", "seminar", "ideas", "theory", date(2024, 10, 10), 2.0),
            ],
            "attendance": [("E1", "T1", 3.0, 4.0), ("E2", "T1", 1.5, None), ("E2", "T2", 2.0, 5.0)],
            "appraisals": [
                (
                    "T1",
                    "annual",
                    date(2024, 1, 1),
                    date(2024, 12, 31),
                    date(2025, 1, 10),
                    88.0,
                    None,
                    "excellent",
                    False,
                    None,
                ),
                (
                    "T1",
                    "ethics",
                    date(2024, 1, 1),
                    date(2024, 12, 31),
                    date(2025, 1, 8),
                    None,
                    None,
                    "qualified",
                    False,
                    None,
                ),
            ],
            "students": [(f"P{i}", "male", 0.1 * i, True) for i in range(1, 5)],
            "enrolments": [
                (f"P{i}", "C1" if i < 3 else "C2", date(2022, 8, 25), None, False, i == 1, False, False)
                for i in range(1, 5)
            ],
            "assessments": [
                (
                    "A1",
                    "2024-1",
                    "primary",
                    3,
                    "academic",
                    "maths",
                    "district",
                    "raw",
                    100.0,
                    "district",
                    "test",
                    None,
                ),
                (
                    "A2",
                    "2024-2",
                    "primary",
                    3,
                    "academic",
                    "maths",
                    "district",
                    "raw",
                    100.0,
                    "district",
                    "test",
                    None,
                ),
                (
                    "A3",
                    "2024-2",
                    "primary",
                    3,
                    "academic",
                    "chinese",
                    "school",
                    "level",
                    None,
                    "school",
                    "test",
                    None,
                ),
            ],
            "outcomes": [
                *(
                    (a, f"P{i}", 60.0 + 7 * i + 3 * (i == 2), None, "present")
                    for a in ("A1", "A2")
                    for i in range(1, 5)
                ),
                *(("A3", f"P{i}", None, "ABCD"[i - 1], "present") for i in range(1, 5)),
            ],
        }
    )


def calendar(rng: random.Random, terms: int) -> list[tuple]:
    """Return terms whose first days differ from year to year; one spring begins on 29 February."""
    listed = []
    for number in range(terms):
        year, half = 2022 + number // 2, number % 2 + 1
        if half == 1:
            first, last = date(year, 8, 28) + rng.randrange(8) * DAY, date(year + 1, 1, 20)
        else:
            first, last = date(year + 1, 2, 15) + rng.randrange(10) * DAY, date(year + 1, 7, 5)
            first = date(2024, 2, 29) if year == 2023 else first
        listed.append((f"{year}-{half}", f"{year}-{year + 1}", str(half), first, last + rng.randrange(3) * DAY))
    rng.shuffle(listed)  # a file need not be in order
    return listed


class Islands:
    """A random study."""

    def __init__(self, seed: int, islands: int = 4, terms: int = 4):
        self.rng = rng = random.Random(seed)
        self.lists: dict[str, list[tuple]] = {name: [] for name in COLUMNS}
        self.lists["terms"] = calendar(rng, terms)
        edges = {day for *_, first, last in self.lists["terms"] for day in (first, last)}
        edges |= {pd.Timestamp(day) - pd.DateOffset(years=1) for day in edges}
        edges = [day.date() if isinstance(day, pd.Timestamp) else day for day in sorted(edges, key=str)]
        # The days on which the rules turn, the days beside them, and some between.
        self.days = sorted(
            {day + shift * DAY for day in edges for shift in (-1, 0, 1)}
            | {day + rng.randrange(5, 120) * DAY for day in edges}
        )
        self._assessments()
        for number in range(islands):
            self._island(f"{number:02d}")

    def tables(self, lacking: tuple[str, ...] = ()) -> Tables:
        """Return the study without some tables."""
        return {name: frame for name, frame in frames(self.lists).items() if name not in lacking}

    def _day(self) -> date:
        return self.rng.choice(self.days)

    def _spell(self) -> tuple[date, date | None]:
        since = self._day()
        later = [day for day in self.days if day >= since]
        return since, self.rng.choice([None, *later[:12], *later[-3:]])

    def _add(self, table: str, *row) -> None:
        self.lists[table].append(row)

    def _assessments(self) -> None:
        kinds = {
            "maths": ("academic", "district", "raw", 100.0, "district", "test", None),
            "run": ("physical", "city", "raw", None, "district", "test", "lower"),
            "arts": ("aesthetic", "district", "level", None, "zone", "test", "higher"),
            "chinese": ("academic", "school", "level", None, "school", "other_teacher", None),
            "conduct": ("moral", "class", "level", None, "class", "head_teacher", None),
        }
        for term, *_ in self.lists["terms"]:
            for measure, (domain, set_by, scale, full, wide, by, better) in kinds.items():
                for number in range(self.rng.choice([0, 1, 1, 2]) if term != "2023-1" else 2):
                    self._add(
                        "assessments",
                        f"{term}-{measure}-{number}",
                        term,
                        "primary",
                        4,
                        domain,
                        measure,
                        set_by,
                        scale,
                        full,
                        wide,
                        by,
                        better,
                    )

    def _island(self, name: str) -> None:
        rng = self.rng
        schools = [f"{name}1", f"{name}2"]
        for school in schools:
            zone = rng.choice([None, f"Z{name}", "Z0"])
            self._add(
                "schools", school, zone, rng.choice(["primary", "nine_year"]), "public", rng.choice(["urban", "town"])
            )
        classes = [f"{name}{c}" for c in "abc"]
        for number, class_id in enumerate(classes):
            grade = rng.choice([1, 4, 5])
            stage = "junior" if number == 2 and rng.random() < 0.5 else "primary"
            self._add(
                "classes",
                class_id,
                rng.choice(schools),
                stage,
                2022 - rng.randrange(2) - (grade == 4),
                7 if stage == "junior" else grade,
                number + 1,
            )
        teachers = [f"{name}{t}" for t in range(5)]
        for teacher in teachers:
            entered = date(1990 + rng.randrange(34), rng.randrange(1, 13), rng.randrange(1, 29))
            self._add("teachers", teacher, "female", 1970, entered, "permanent", "bachelor", "first", "语文")
        for class_id in classes:
            self._lead(class_id, teachers)
        for teacher in teachers:
            self._career(teacher)
        self._studios(name, teachers)
        self._trainings(name, teachers)
        self._pupils(name, classes)
        self._class_means(classes)

    def _lead(self, class_id: str, teachers: list[str]) -> None:
        """Spells of one role follow one another, with gaps; those of two roles may overlap."""
        for role, spells in (("head", 4), ("acting", 2), ("deputy", 2)):
            cuts = sorted(self.rng.sample(self.days, 2 * self.rng.randrange(spells + 1)))
            for number in range(0, len(cuts), 2):
                since, until = cuts[number], cuts[number + 1]
                if number + 2 < len(cuts) and self.rng.random() < 0.5:
                    until = cuts[number + 2] - DAY  # no gap
                if number + 2 == len(cuts) and self.rng.random() < 0.5:
                    until = None
                self._add("appointments", self.rng.choice(teachers), class_id, role, since, until, None)

    def _career(self, teacher: str) -> None:
        rng = self.rng
        decisions = ["accredited", "accredited", "renewed", "not_accredited", "revoked", "expired"]
        for tier in ("backbone", "chief", rng.choice(["renowned", "ordinary"])):
            for _ in range(rng.randrange(5)):
                since, until = self._spell()
                self._add(
                    "tiers",
                    teacher,
                    tier,
                    rng.choice(["school", "zone", "district", "city"]),
                    since,
                    until,
                    None,
                    rng.choice(decisions),
                )
        for _ in range(rng.randrange(8)):
            self._add(
                "incentives",
                teacher,
                rng.choice(["performance_pay", "honour", "promotion"]),
                rng.choice(["school", "district"]),
                self._day(),
                rng.choice([None, 100.0, 2400.5]),
            )
        for _ in range(rng.randrange(7)):
            since = date(2021, rng.choice([1, 9]), 1)
            until = date(2022, rng.choice([6, 12]), 30)
            decided = rng.choice([day for day in self.days if day >= since])
            self._add(
                "appraisals",
                teacher,
                rng.choice(["annual", "head_teacher", "ethics", "performance"]),
                since,
                until,
                decided,
                rng.choice([None, 75.0, 81.0, 93.0]),
                None,
                rng.choice(["excellent", "qualified", "basically_qualified"]),
                rng.random() < 0.2,
                None,
            )

    def _studios(self, name: str, teachers: list[str]) -> None:
        for number in range(2):
            self._add("studios", f"W{name}{number}", self.rng.choice(teachers), self.days[0])
            for _ in range(4):
                since, until = self._spell()
                self._add("studio_members", f"W{name}{number}", self.rng.choice(teachers), since, until)

    def _trainings(self, name: str, teachers: list[str]) -> None:
        rng = self.rng
        for number in range(14):
            event, hours = f"E{name}{number}", rng.choice([1.5, 3.0, 20.0])
            self._add(
                "training_events",
                event,
                rng.choice(["school", "zone", "district", "national"]),
                rng.choice(["seminar", "lecture", "other"]),
                rng.choice(["ideas", "methods", "other"]),
                rng.choice(["theory", "case", "mixed"]),
                self._day(),
                hours,
            )
            for teacher in rng.sample(teachers, rng.randrange(5)):
                self._add("attendance", event, teacher, rng.choice([0.0, hours / 2, hours]), None)

    def _pupils(self, name: str, classes: list[str]) -> None:
        """Pupils move, sit in two classes at once or in none, miss examinations or take another grade's."""
        rng = self.rng
        for number in range(9):
            pupil = f"P{name}{number}"
            self._add("students", pupil, rng.choice(["female", "male"]), rng.choice([None, -0.5, 1.25]), None)
            for _ in range(rng.choice([0, 1, 1, 2, 3])):
                since, until = self._spell() if rng.random() < 0.6 else (self.days[0], None)
                flags = [rng.random() < 0.3 for _ in range(4)]
                self._add("enrolments", pupil, rng.choice(classes), since, until, *flags)
            for assessment, *_, scale, full, _, _, _ in self.lists["assessments"]:
                if rng.random() < 0.3 or assessment.startswith("2023-1-maths"):
                    continue  # of maths in 2023-1 only class means are released
                status = rng.choice(["present"] * 6 + ["absent", "deferred", "exempt"])
                score = float(rng.randrange(40, 44)) if rng.random() < 0.5 else round(rng.uniform(20, full or 300), 1)
                raw, here = scale == "raw", status == "present"
                self._add(
                    "outcomes",
                    assessment,
                    pupil,
                    score if raw and here else None,
                    rng.choice("ABCDE") if here and not raw else None,
                    status,
                )

    def _class_means(self, classes: list[str]) -> None:
        rng = self.rng
        for assessment, *_ in self.lists["assessments"]:
            for class_id in classes:
                if rng.random() < 0.7 and "conduct" not in assessment:
                    self._add(
                        "class_outcomes",
                        assessment,
                        class_id,
                        rng.choice([None, 70.1, 70.1, round(rng.uniform(50, 90), 2)]),
                        rng.choice([0, 7, 31, 43]),
                        None,
                        None,
                    )
