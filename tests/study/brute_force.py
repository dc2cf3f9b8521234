"""The panels once more, by plain loops over plain rows: slow, and written from the rules, not from the package.

Days are counted one by one, the state of a day is looked up spell by spell, and nothing is shared with
`htresearch.study` but the vocabularies.
"""

from collections import defaultdict
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd

DAY = timedelta(days=1)
LEADING = ("head", "acting")
BODIES = ("school", "zone", "district", "city")
LAST_GRADE = {"primary": 6, "junior": 9, "senior": 12}
FLAGS = ("boarding", "left_behind", "migrant", "inclusive")
OF_A_SCHOOL = ("zone_id", "school_type", "ownership", "location")
#: What a class's row says about the scores of the term itself: no pupil's row repeats it.
OF_THE_TERM = ("score", "score_sd", "low_share", "n_scored", "n_without_score", "score_from")


def plain(value):
    """Return a cell as a Python value: ``None`` where it is missing, a date for a day."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp | np.datetime64):
        return pd.Timestamp(value).date()
    return value.item() if isinstance(value, np.generic) else value


def rows(frame: pd.DataFrame) -> list[dict]:
    """Return a frame as a list of dictionaries of plain values."""
    columns = {name: [plain(value) for value in frame[name].tolist()] for name in frame}
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def a_year_before(day: date) -> date:
    """Return the same day a year earlier; 28 February for a 29th."""
    return date(day.year - 1, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def holds(since: date, until: date | None, day: date) -> bool:
    """Tell whether a spell was in force at the end of a day; its last day counts."""
    return since <= day and (until is None or day <= until)


def days_of(since: date, until: date | None, first: date, last: date) -> set[int]:
    """Return the days of a spell from `first` to `last`, one by one."""
    until = last if until is None else min(until, last)
    return set(range(max(since, first).toordinal(), until.toordinal() + 1))


def mean(values) -> float | None:
    """Return the mean, nothing of nothing."""
    return float(np.mean(values)) if len(values) else None


def spread(values) -> float | None:
    """Return the standard deviation of a sample, nothing of fewer than two."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


class BruteForce:
    """The panels of a study whose tables are given as pandas frames."""

    def __init__(
        self,
        tables: dict[str, pd.DataFrame],
        vocabularies: dict[str, tuple[str, ...]],
        measure: str | None = None,
        compare: str = "district",
    ):
        self.tables = {name: rows(frame) for name, frame in tables.items()}
        self.known, self.measure, self.compare = vocabularies, measure, compare
        self.terms = sorted(self.tables["terms"], key=lambda t: t["starts_on"])
        for index, term in enumerate(self.terms, 1):
            term["index"], term["eve"] = index, term["starts_on"] - DAY
            term["year"] = int(term["school_year"][:4])
        self.schools = {s["school_id"]: s for s in self.tables["schools"]}
        self.classes = {c["class_id"]: c for c in self.tables["classes"]}
        self.teachers = {t["teacher_id"]: t for t in self.tables["teachers"]}
        self.leading = [a for a in self.tables["appointments"] if a["role"] in LEADING]
        events = {e["event_id"]: e for e in self.tables.get("training_events", ())}
        for attended in self.tables.get("attendance", ()):
            attended["event"] = events.get(attended["event_id"])
        self.of_teacher = {
            name: self._by(name, "teacher_id")
            for name in ("tiers", "studio_members", "attendance", "incentives", "appraisals")
            if name in self.tables
        }
        self.led_by = self._group(self.leading, "teacher_id")
        self.led = self._group(self.leading, "class_id")
        self.spells_of = self._by("enrolments", "student_id")
        self.spells_in = self._by("enrolments", "class_id")
        self.class_of = cache(self.class_of)
        self.exposures = cache(self.exposures)
        self.tier_rank = cache(self.tier_rank)
        self.score_of, self.rated_by_own, self.n_of = self._pupil_scores() if measure else ({}, {}, {})
        self.scored_terms = defaultdict(list)
        for student, index in sorted(self.score_of):
            self.scored_terms[student].append(index)
        # A class's mean says nothing within the class.
        self.means = bool(measure) and "class_outcomes" in self.tables and compare != "class"
        self.released = self._released() if self.means else {}

    def _group(self, records, column: str) -> dict[str, list[dict]]:
        grouped = defaultdict(list)
        for record in records:
            grouped[record[column]].append(record)
        return grouped

    def _by(self, table: str, column: str) -> dict[str, list[dict]]:
        return self._group(self.tables.get(table, ()), column)

    # --- a teacher at a term's first day ------------------------------------------------------------------------

    def teacher_terms(self) -> dict[tuple, dict]:
        """Return every teacher in every term."""
        return {
            (teacher, term["term_id"]): {"term_index": term["index"], **self.exposures(teacher, term["index"])}
            for teacher in self.teachers
            for term in self.terms
        }

    def exposures(self, teacher: str, index: int) -> dict:
        """Return what a teacher had been exposed to before the first day of the term at `index`."""
        term = self.terms[index - 1]
        first, eve = term["starts_on"], term["eve"]
        led = set()
        for spell in self.led_by[teacher]:
            led |= days_of(spell["starts_on"], spell["ends_on"], date(1900, 1, 1), eve)
        found = {
            "teaching_years": (first - self.teachers[teacher]["entered_on"]).days / 365.25,
            "head_teacher_years": len(led) / 365.25,
        }
        if "tiers" in self.tables:
            rank = self.tier_rank(teacher, index)
            before = [self.tier_rank(teacher, earlier) for earlier in range(1, index)]
            held = 1
            for earlier in reversed(before):
                if earlier != rank:
                    break
                held += 1
            found |= {
                "tier_rank": rank,
                "tier": self.known["tier"][rank],
                "terms_in_tier": held,
                "tier_change": rank - before[-1] if before else None,
            }
        if "studio_members" in self.tables:
            found["studio_member"] = any(
                holds(m["joined_on"], m["left_on"], eve) for m in self.of_teacher["studio_members"][teacher]
            )
        if {"training_events", "attendance"} <= set(self.tables):
            found |= self._training(teacher, first)
        if "incentives" in self.tables:
            found |= self._incentives(teacher, first)
        if "appraisals" in self.tables:
            found |= self._appraisals(teacher, first)
        return found

    def tier_rank(self, teacher: str, index: int) -> int:
        """Return the rank of the highest tier in force at the end of the day before the term."""
        eve = self.terms[index - 1]["eve"]
        best = 0
        for rank, tier in enumerate(self.known["tier"]):
            made = [d for d in self.of_teacher["tiers"][teacher] if d["tier"] == tier and d["effective_on"] <= eve]
            made = [d for d in made if d["decision"] != "not_accredited"]
            if made:
                # Of two decisions on one day the higher body's governs.
                last = max(made, key=lambda d: (d["effective_on"], BODIES.index(d["awarded_by"])))
                in_power = last["decision"] in ("accredited", "renewed")
                if in_power and holds(last["effective_on"], last["ends_on"], eve):
                    best = max(best, rank)
        return best

    def _training(self, teacher: str, first: date) -> dict:
        hours = {}
        for dimension in ("level", "format", "theme", "mode"):
            for value in self.known[dimension]:
                hours[f"_{dimension}_{value}"] = 0.0
        hours[""] = 0.0
        recent = dict(hours)
        for attended in self.of_teacher["attendance"][teacher]:
            event = attended["event"]
            if event["held_on"] >= first:
                continue
            for name in ("", *(f"_{d}_{event[d]}" for d in ("level", "format", "theme", "mode"))):
                hours[name] += attended["hours_attended"]
                if event["held_on"] >= a_year_before(first):
                    recent[name] += attended["hours_attended"]
        return {f"training_hours{name}": value for name, value in hours.items()} | {
            f"training_hours_last_year{name}": value for name, value in recent.items()
        }

    def _incentives(self, teacher: str, first: date) -> dict:
        found = {}
        for kind in self.known["incentive"]:
            granted = [
                i
                for i in self.of_teacher["incentives"][teacher]
                if i["kind"] == kind and a_year_before(first) <= i["granted_on"] < first
            ]
            found[f"{kind}_last_year"] = len(granted)
            found[f"{kind}_yuan_last_year"] = sum(i["amount_yuan"] or 0 for i in granted)
        return found

    def _appraisals(self, teacher: str, first: date) -> dict:
        decided = [a for a in self.of_teacher["appraisals"][teacher] if a["decided_on"] < first]
        # The last decision; of two on one day the later period, then the kind's name.
        decided.sort(key=lambda a: (a["decided_on"], a["period_to"], a["kind"], a["period_from"]))
        last = decided[-1] if decided else {}
        found = {
            "last_appraisal_kind": last.get("kind"),
            "last_appraisal_on": last.get("decided_on"),
            "last_appraisal_score": last.get("total_score"),
            "last_appraisal_result": last.get("result"),
        }
        for kind in self.known["appraisal"]:
            own = [a for a in decided if a["kind"] == kind]
            found[f"{kind}_appraisal_score"] = own[-1]["total_score"] if own else None
            found[f"{kind}_appraisal_result"] = own[-1]["result"] if own else None
        return found

    # --- who leads a class --------------------------------------------------------------------------------------

    def leader(self, class_id: str, term: dict) -> str | None:
        """Return who led the class at the end of the day before the term; of two, the one appointed earlier."""
        there = [a for a in self.led[class_id] if holds(a["starts_on"], a["ends_on"], term["eve"])]
        there.sort(key=lambda a: (a["starts_on"], LEADING.index(a["role"]), a["teacher_id"]))
        return there[0]["teacher_id"] if there else None

    def shares(self, class_id: str, term: dict) -> dict[str, dict]:
        """Return the days that each teacher led the class in the term, counted one by one."""
        days = defaultdict(set)
        for spell in self.led[class_id]:
            days[spell["teacher_id"]] |= days_of(
                spell["starts_on"], spell["ends_on"], term["starts_on"], term["ends_on"]
            )
        days = {teacher: led for teacher, led in days.items() if led}
        total = sum(len(led) for led in days.values())
        return {
            teacher: {"days": len(led), "share": len(led) / total, "since": date.fromordinal(min(led))}
            for teacher, led in days.items()
        }

    def teacher_shares(self) -> dict[tuple, dict]:
        """Return who led each class in each term."""
        return {
            (class_id, term["term_id"], teacher): found
            for class_id in self.classes
            for term in self.terms
            for teacher, found in self.shares(class_id, term).items()
        }

    # --- pupils and their scores --------------------------------------------------------------------------------

    def class_of(self, student: str, index: int) -> dict | None:
        """Return the enrolment in force at the end of the day before the term; of two, the earlier."""
        eve = self.terms[index - 1]["eve"]
        there = [e for e in self.spells_of[student] if holds(e["starts_on"], e["ends_on"], eve)]
        there.sort(key=lambda e: (e["starts_on"], e["class_id"]))
        return there[0] if there else None

    def unit(self, class_id: str | None) -> str | None:
        """Return the unit of comparison that a class belongs to; nothing where it is not known."""
        if self.compare == "district":
            return "the district"
        if class_id is None:
            return None
        school = self.schools[self.classes[class_id]["school_id"]]
        return {"class": class_id, "school": school["school_id"], "zone": school["zone_id"]}[self.compare]

    def _assessed(self) -> dict[str, dict]:
        index = {term["term_id"]: term["index"] for term in self.terms}
        return {
            a["assessment_id"]: {**a, "index": index[a["term_id"]]}
            for a in self.tables["assessments"]
            if a["measure"] == self.measure
        }

    def _pupil_scores(self) -> tuple[dict, dict, dict]:
        assessed, groups, own = self._assessed(), defaultdict(list), {}
        for outcome in self.tables.get("outcomes", ()):
            about = assessed.get(outcome["assessment_id"])
            if about is None or outcome["status"] != "present":
                continue
            value = outcome["score"]
            if about["scale"] == "level":
                value = None if outcome["level"] is None else 1.0 + self.known["grade_level"].index(outcome["level"])
            if value is None:
                continue
            value = -value if about.get("better") == "lower" else value
            student, index = outcome["student_id"], about["index"]
            own[student, index] = own.get((student, index), False) or about["rated_by"] == "head_teacher"
            enrolment = self.class_of(student, index)
            unit = self.unit(enrolment["class_id"] if enrolment else None)
            if unit is not None:
                groups[outcome["assessment_id"], unit].append((student, index, value))
        standardised = defaultdict(list)
        for members in groups.values():
            values = [value for *_, value in members]
            if len(set(values)) > 1:
                centre, sd = mean(values), spread(values)
                for student, index, value in members:
                    standardised[student, index].append((value - centre) / sd)
        return (
            {key: mean(found) for key, found in standardised.items()},
            own,
            {key: len(found) for key, found in standardised.items()},
        )

    def prior(self, student: str, index: int) -> tuple[float | None, int | None]:
        """Return the score of the latest earlier term that has one, and that term."""
        earlier = [t for t in self.scored_terms[student] if t < index]
        return (self.score_of[student, earlier[-1]], earlier[-1]) if earlier else (None, None)

    def student_terms(self, students=None) -> dict[tuple, dict]:
        """Return pupils in terms; only some pupils on request."""
        panel, of_class = {}, cache(self.class_term)
        for pupil in self.tables["students"]:
            student = pupil["student_id"]
            if students is not None and student not in students:
                continue
            for term in self.terms:
                index = term["index"]
                enrolment = self.class_of(student, index)
                if enrolment is None and (student, index) not in self.rated_by_own:
                    continue
                class_id = enrolment["class_id"] if enrolment else None
                about = of_class(class_id, index) if class_id else None
                row = {
                    "term_index": index,
                    "class_id": class_id,
                    "sex": pupil["sex"],
                    "ses_index": pupil["ses_index"],
                }
                row |= {flag: enrolment[flag] if enrolment else None for flag in FLAGS}
                if self.measure:
                    prior, when = self.prior(student, index)
                    row |= {
                        "score": self.score_of.get((student, index)),
                        "prior": prior,
                        "prior_term_index": when,
                        "n_assessments": self.n_of.get((student, index), 0),
                        "own_rating": self.rated_by_own.get((student, index)),
                    }
                for name in self._class_columns():
                    if name not in row and name not in OF_THE_TERM:
                        row[name] = about[name] if about else None
                panel[student, term["term_id"]] = row
        return panel

    # --- classes ------------------------------------------------------------------------------------------------

    def _class_columns(self) -> set[str]:
        """Return the columns of a class's row, whichever class it is."""
        if not hasattr(self, "_columns"):
            each = (self.class_term(c, term["index"]) for c in self.classes for term in self.terms)
            self._columns = set(next(row for row in each if row is not None))
        return self._columns

    def class_terms(self, classes=None) -> dict[tuple, dict]:
        """Return classes in terms; only some classes on request."""
        panel = {}
        for class_id in self.classes if classes is None else classes:
            for term in self.terms:
                row = self.class_term(class_id, term["index"])
                if row is not None:
                    panel[class_id, term["term_id"]] = row
        return panel

    def class_term(self, class_id: str, index: int) -> dict | None:
        """Return a class in a term, nothing where it had neither pupil nor head teacher or no such grade."""
        term, about = self.terms[index - 1], self.classes[class_id]
        grade = about["entry_grade"] + term["year"] - about["entry_year"]
        spells = [*self.led[class_id], *self.spells_in[class_id]]
        alive = any(days_of(s["starts_on"], s["ends_on"], term["starts_on"], term["ends_on"]) for s in spells)
        if not alive or not about["entry_grade"] <= grade <= LAST_GRADE[about["stage"]]:
            return None
        school = self.schools[about["school_id"]]
        row = {"term_index": index, "school_id": about["school_id"], "stage": about["stage"], "grade": grade}
        row |= {name: school[name] for name in OF_A_SCHOOL}
        if "enrolments" in self.tables:
            row |= self._composition(class_id, index)
        if self.means:
            row |= self._from_released(class_id, index, row)
        teacher, shares = self.leader(class_id, term), self.shares(class_id, term)
        row["teacher_id"] = teacher
        most = sorted(shares, key=lambda t: (-shares[t]["days"], shares[t]["since"], t))
        row["teacher_id_most_days"] = most[0] if most else None
        row["most_days_share"] = shares[most[0]]["share"] if most else None
        row["n_leaders"] = len(shares) if shares else None
        row["teacher_share"] = shares[teacher]["share"] if teacher in shares else None
        exposed = self.exposures(teacher if teacher is not None else next(iter(self.teachers)), index)
        return row | {name: value if teacher is not None else None for name, value in exposed.items()}

    def _composition(self, class_id: str, index: int) -> dict:
        there = {e["student_id"] for e in self.spells_in[class_id]}
        enrolled = {student: self.class_of(student, index) for student in sorted(there)}
        pupils = {s: e for s, e in enrolled.items() if e is not None and e["class_id"] == class_id}
        row = {"class_size": len(pupils)}
        row |= {f"{flag}_share": mean([float(e[flag]) for e in pupils.values()]) for flag in FLAGS}
        if self.measure and "outcomes" in self.tables:
            scores = [self.score_of[s, index] for s in pupils if (s, index) in self.score_of]
            priors = [p for p in (self.prior(s, index)[0] for s in pupils) if p is not None]
            row |= {
                "score": mean(scores),
                "score_sd": spread(scores),
                "low_share": mean([float(s < -1) for s in scores]),
                "n_scored": len(scores),
                "n_without_score": len(pupils) - len(scores),
                "prior_mean": mean(priors),
                "prior_sd": spread(priors),
                "prior_n": len(priors),
                "own_rating": any(self.rated_by_own.get((s, index), False) for s in pupils) if pupils else None,
            }
        return row

    def _released(self) -> dict[tuple, float]:
        """Return the standardised class means of classes of a term, where class means are released."""
        assessed, groups = self._assessed(), defaultdict(list)
        for outcome in self.tables["class_outcomes"]:
            about = assessed.get(outcome["assessment_id"])
            if about is None or outcome["mean"] is None or not outcome["n"]:
                continue
            unit = self.unit(outcome["class_id"])
            if unit is not None:
                value = -outcome["mean"] if about.get("better") == "lower" else outcome["mean"]
                groups[outcome["assessment_id"], unit].append(
                    (outcome["class_id"], about["index"], value, outcome["n"])
                )
        standardised = defaultdict(list)
        for members in groups.values():
            values, sizes = [m[2] for m in members], [m[3] for m in members]
            if len(set(values)) > 1:
                centre = np.average(values, weights=sizes)
                sd = np.average((np.array(values) - centre) ** 2, weights=sizes) ** 0.5
                for class_id, index, value, _ in members:
                    standardised[class_id, index].append((value - centre) / sd)
        return {key: mean(found) for key, found in standardised.items()}

    def _from_released(self, class_id: str, index: int, row: dict) -> dict:
        score, released = row.get("score"), self.released.get((class_id, index))
        if score is not None or released is None:
            return {
                "score": score,
                "prior_mean": row.get("prior_mean"),
                "score_from": None if score is None else "pupils",
            }
        before = [self.released[class_id, t] for t in range(1, index) if (class_id, t) in self.released]
        return {"score": released, "prior_mean": before[-1] if before else None, "score_from": "classes"}


def differences(
    expected: dict[tuple, dict], panel: pd.DataFrame, key: list[str], tolerance: float = 1e-9
) -> list[str]:
    """Name every cell in which a panel differs from what was expected, every row and every column included."""
    found = {tuple(row[k] for k in key): row for row in rows(panel)}
    said = [f"row {k} twice" for k in panel.loc[panel.duplicated(key), key].itertuples(index=False)]
    said += [f"row {k} is not in the panel" for k in expected if k not in found]
    said += [f"row {k} should not be in the panel" for k in found if k not in expected]
    columns = set(panel.columns) - set(key)
    for k, row in expected.items():
        if k not in found:
            continue
        if set(row) - set(key) != columns:
            return [f"columns differ: {sorted((set(row) - set(key)) ^ columns)}"]
        for name in sorted(columns):
            want, got = plain(row[name]), found[k][name]
            numbers = isinstance(want, int | float) and isinstance(got, int | float)
            same = abs(want - got) <= tolerance * max(1, abs(want)) if numbers else want == got
            if not same:
                said.append(f"{k} {name}: expected {want!r}, found {got!r}")
    return said
