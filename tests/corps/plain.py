"""The indicators once more, by plain loops over plain rows, written from ``indicators.yaml`` and from nothing else.

Each indicator is a function of one cell (a unit in a term) that yields (group, value, numerator, denominator) for
every one of those it counts; the whole has the group "".
"""

from collections import defaultdict
from datetime import timedelta
from functools import cache, cached_property
from statistics import mean, stdev

from study.brute_force import a_year_before, holds, rows

DAY = timedelta(days=1)
BODIES = ("school", "zone", "district", "city")
GRADES = {"primary": (1, 6), "junior": (6, 9), "senior": (10, 12)}
FIVE = ("moral", "academic", "physical", "aesthetic", "labour")
RECOGNITION = ("honour", "annual_excellent", "title_review", "promotion")
IN_POWER = ("accredited", "renewed")
DONE = {}


def indicator(function):
    """Register a function under the indicator it computes."""
    DONE[function.__name__] = function
    return function


class Plain:
    """A study as lists of dictionaries, looked up by loops."""

    def __init__(self, tables, vocabularies):
        self.tables = {name: rows(frame) for name, frame in tables.items()}
        self.known = vocabularies
        self.terms = sorted(self.tables["terms"], key=lambda t: t["starts_on"])
        for i, term in enumerate(self.terms):
            term["index"], term["year"] = i, int(term["school_year"][:4])
            after = self.terms[i + 1]["starts_on"] if i + 1 < len(self.terms) else None
            longest = term["ends_on"] + 62 * DAY
            term["until"] = longest if after is None else min(after - DAY, longest)
        self.schools = {s["school_id"]: s for s in self.tables["schools"]}
        self.classes = {c["class_id"]: c for c in self.tables["classes"]}
        self.head_spells = [a for a in self.tables["appointments"] if a["role"] == "head"]
        self.spells_of = self.grouped(self.head_spells, "teacher_id")
        self.lead_spells_in = self.grouped(
            [a for a in self.tables["appointments"] if a["role"] in ("head", "acting")], "class_id"
        )
        self.pupils_in = self.grouped(self.tables.get("enrolments", ()), "class_id")
        self.done_by = self.grouped(self.tables.get("activities", ()), "class_id")
        self.tiers_of = self.grouped(self.tables.get("tiers", ()), "teacher_id")
        self.appraised = self.grouped(self.tables.get("appraisals", ()), "teacher_id")
        self.granted = self.grouped(self.tables.get("incentives", ()), "teacher_id")
        self.member_of = self.grouped(self.tables.get("studio_members", ()), "teacher_id")
        self.members_in = self.grouped(self.tables.get("studio_members", ()), "studio_id")
        self.events = {e["event_id"]: e for e in self.tables.get("training_events", ())}
        self.attended = [a | {"event": self.events[a["event_id"]]} for a in self.tables.get("attendance", ())]
        self.attended_by = self.grouped(self.attended, "teacher_id")
        for name in ("classes_led", "rank", "belongs", "in_class", "alive", "days_led"):
            setattr(self, name, cache(getattr(self, name)))

    def grouped(self, records, column):
        found = defaultdict(list)
        for record in records:
            found[record[column]].append(record)
        return found

    def has(self, *tables):
        return set(tables) <= set(self.tables)

    def classes_led(self, teacher, day):
        """The classes that a teacher leads as head teacher on a day."""
        spells = self.spells_of[teacher]
        return frozenset(a["class_id"] for a in spells if holds(a["starts_on"], a["ends_on"], day))

    def head_of(self, class_id, day):
        for a in self.lead_spells_in[class_id]:
            if a["role"] == "head" and holds(a["starts_on"], a["ends_on"], day):
                return a["teacher_id"]
        return None

    def rank(self, teacher, day):
        best = 0
        for rank, tier in enumerate(self.known["tier"]):
            made = [d for d in self.tiers_of[teacher] if d["tier"] == tier and d["effective_on"] <= day]
            made = [d for d in made if d["decision"] != "not_accredited"]
            if made:
                last = max(made, key=lambda d: (d["effective_on"], BODIES.index(d["awarded_by"])))
                if last["decision"] in IN_POWER and holds(last["effective_on"], last["ends_on"], day):
                    best = max(best, rank)
        return best

    def belongs(self, teacher, day, index):
        """The classes to which what a teacher did on a day belongs, within the period of a term."""
        now = self.classes_led(teacher, day)
        if now:
            return now
        first = self.terms[index]["starts_on"]
        past = [a for a in self.spells_of[teacher] if a["ends_on"] and first <= a["ends_on"] < day]
        past = [a for a in past if a["starts_on"] <= day]
        if not past:
            return frozenset()
        last = max(a["ends_on"] for a in past)
        return frozenset(a["class_id"] for a in past if a["ends_on"] == last)

    def in_class(self, class_id, day):
        return frozenset(
            e["student_id"] for e in self.pupils_in[class_id] if holds(e["starts_on"], e["ends_on"], day)
        )

    def grade(self, class_id, term):
        own = self.classes[class_id]
        return own["entry_grade"] + term["year"] - own["entry_year"]

    def alive(self, class_id, index):
        own, term = self.classes[class_id], self.terms[index]
        if not own["entry_grade"] <= self.grade(class_id, term) <= GRADES[own["stage"]][1]:
            return False
        spells = self.lead_spells_in[class_id] + self.pupils_in[class_id]
        return any(
            s["starts_on"] <= term["ends_on"] and (s["ends_on"] is None or s["ends_on"] >= term["starts_on"])
            for s in spells
        )

    def days_led(self, teacher, before):
        days = set()
        for a in self.spells_of[teacher]:
            until = before - DAY if a["ends_on"] is None else min(a["ends_on"], before - DAY)
            days |= set(range(a["starts_on"].toordinal(), until.toordinal() + 1))
        return len(days)

    # --- standard scores --------------------------------------------------------------------------------------------

    @cached_property
    def measures(self):
        every = defaultdict(list)
        for a in self.tables.get("assessments", ()):
            every[a["measure"]].append(a["comparable_within"] == "district" and a["rated_by"] != "head_teacher")
        return sorted(m for m, sound in every.items() if all(sound))

    def scores(self):
        """Standard scores by measure, pupil and term index."""
        if not hasattr(self, "_scores"):
            about = {a["assessment_id"]: a for a in self.tables["assessments"]}
            index = {t["term_id"]: t["index"] for t in self.terms}
            values = defaultdict(dict)
            for o in self.tables["outcomes"]:
                a = about[o["assessment_id"]]
                if o["status"] != "present" or a["measure"] not in self.measures:
                    continue
                value = "EDCBA".index(o["level"]) + 1 if a["scale"] == "level" and o["level"] else o["score"]
                if a["scale"] == "level" and not o["level"]:
                    value = None
                if value is not None:
                    values[o["assessment_id"]][o["student_id"]] = -value if a["better"] == "lower" else value
            scores = defaultdict(list)
            for assessment, results in values.items():
                if len(set(results.values())) < 2:
                    continue
                middle, spread = mean(results.values()), stdev(map(float, results.values()))
                a = about[assessment]
                for student, value in results.items():
                    scores[a["measure"], student, index[a["term_id"]]].append((value - middle) / spread)
            self._scores = {key: mean(several) for key, several in scores.items()}
        return self._scores

    def prior(self, measure, student, index):
        for earlier in range(index - 1, -1, -1):
            if (measure, student, earlier) in self.scores():
                return self.scores()[measure, student, earlier]
        return None


class Cell:
    """One unit in one term."""

    def __init__(self, study: Plain, level: str, unit: str, term: dict):
        self.study, self.level, self.unit, self.term = study, level, unit, term
        self.day, self.until, self.index = term["starts_on"], term["until"], term["index"]
        own = {"district": lambda s: "district", "zone": lambda s: s["zone_id"], "school": lambda s: s["school_id"]}
        self.inside = {
            c["class_id"] for c in study.classes.values() if own[level](study.schools[c["school_id"]]) == unit
        }

    def about(self, class_id, name):
        own = self.study.classes[class_id]
        return own[name] if name in own else self.study.schools[own["school_id"]][name]

    def heads(self):
        """Head teachers on the first day with their classes here."""
        found = defaultdict(set)
        for c in self.inside:
            if teacher := self.study.head_of(c, self.day):
                found[teacher].add(c)
        return found

    def heads_of_period(self):
        spells = (a for c in self.inside for a in self.study.lead_spells_in[c] if a["role"] == "head")
        return {
            a["teacher_id"]
            for a in spells
            if a["starts_on"] <= self.until and (a["ends_on"] is None or a["ends_on"] >= self.day)
        }

    def classes_of_term(self):
        return [c for c in sorted(self.inside) if self.study.alive(c, self.index)]

    def ours(self, records, day):
        """The records of the period that belong here."""
        for record in records:
            when = day(record)
            inside = self.day <= when <= self.until
            if inside and self.study.belongs(record["teacher_id"], when, self.index) & self.inside:
                yield record

    def of_heads(self, groups, tell):
        """Count each head teacher once, and once in each value of what their classes are."""
        for teacher, classes in self.heads().items():
            x, m = tell(teacher)
            yield "", "", x, m
            for group in groups:
                for value in {self.about(c, group) for c in classes}:
                    yield group, value, x, m

    def of_classes(self, groups, tell, classes=None):
        for c in self.classes_of_term() if classes is None else classes:
            x, m = tell(c)
            yield "", "", x, m
            for group in groups:
                yield group, self.about(c, group), x, m

    def trained_before(self, teacher):
        return any(
            a["hours_attended"] > 0 and a_year_before(self.day) <= a["event"]["held_on"] < self.day
            for a in self.study.attended_by[teacher]
        )


def cells(study: Plain, level: str):
    """Every unit of a kind in every term."""
    units = {
        "district": ["district"],
        "school": sorted(study.schools),
        "zone": sorted({s["zone_id"] for s in study.schools.values() if s["zone_id"]}),
    }[level]
    for unit in units:
        for term in study.terms:
            yield Cell(study, level, unit, term)


# --- the ladder and the studios ---------------------------------------------------------------------------------


@indicator
def accredited_share(cell):
    rank = cell.study.rank
    yield from cell.of_heads(("stage", "school_type", "location"), lambda t: (rank(t, cell.day) > 0, 1))
    heads, tiers = list(cell.heads()), cell.study.known["tier"]
    for i, tier in enumerate(tiers[1:], 1):
        for teacher in heads:
            yield "tier", tier, rank(teacher, cell.day) == i, 1


@indicator
def chief_share(cell):
    chief = cell.study.known["tier"].index("chief")
    yield from cell.of_heads(("stage", "school_type"), lambda t: (cell.study.rank(t, cell.day) == chief, 1))


@indicator
def promotions_per_100(cell):
    for t in cell.heads_of_period():
        yield "", "", cell.study.rank(t, cell.until) > cell.study.rank(t, cell.day - DAY), 1


@indicator
def demotions_per_100(cell):
    for t in cell.heads_of_period():
        before = cell.study.rank(t, cell.day - DAY)
        if before > 0:
            yield "", "", cell.study.rank(t, cell.until) < before, 1


def _decided(cell, won, all_of):
    for d in cell.ours(cell.study.tables["tiers"], lambda d: d["effective_on"]):
        if d["decision"] in all_of:
            for group, value in (("", ""), ("tier", d["tier"])):
                yield group, value, d["decision"] == won, 1


@indicator
def candidates_accredited(cell):
    yield from _decided(cell, "accredited", ("accredited", "not_accredited"))


@indicator
def renewals_granted(cell):
    yield from _decided(cell, "renewed", ("renewed", "revoked", "expired"))


def _open_studios(cell):
    heads = cell.heads()
    return [s for s in cell.study.tables["studios"] if s["opened_on"] <= cell.day and s["lead_teacher_id"] in heads]


@indicator
def chiefs_with_studio(cell):
    chief = cell.study.known["tier"].index("chief")
    leaders = {s["lead_teacher_id"] for s in _open_studios(cell)}
    for t in cell.heads():
        if cell.study.rank(t, cell.day) == chief:
            yield "", "", t in leaders, 1


@indicator
def studio_reach(cell):
    for t in cell.heads():
        yield "", "", any(holds(m["joined_on"], m["left_on"], cell.day) for m in cell.study.member_of[t]), 1


def _members(cell, studio):
    members = cell.study.members_in[studio["studio_id"]]
    return {m["teacher_id"] for m in members if holds(m["joined_on"], m["left_on"], cell.day)}


@indicator
def members_per_studio(cell):
    for studio in _open_studios(cell):
        yield "", "", len(_members(cell, studio)), 1


@indicator
def members_from_elsewhere(cell):
    def schools(teacher):
        return {cell.study.classes[c]["school_id"] for c in cell.study.classes_led(teacher, cell.day)}

    for studio in _open_studios(cell):
        for member in _members(cell, studio):
            if schools(member):
                yield "", "", not schools(member) & schools(studio["lead_teacher_id"]), 1


# --- training ---------------------------------------------------------------------------------------------------


def _attended(cell):
    return list(cell.ours(cell.study.attended, lambda a: a["event"]["held_on"]))


def _by_teacher(cell, records, amount):
    found = dict.fromkeys(cell.heads_of_period(), 0.0)
    for record in records:
        found[record["teacher_id"]] += amount(record)
    return found


def _hours(cell, turn):
    records = _attended(cell)
    for group, values in (("", ("",)), *((g, cell.study.known[g]) for g in ("level", "theme"))):
        for value in values:
            some = [a for a in records if not group or a["event"][group] == value]
            if not group or any(a["event"][group] == value for a in cell.study.attended):
                for hours in _by_teacher(cell, some, lambda a: a["hours_attended"]).values():
                    yield group, value, turn(hours), 1


@indicator
def training_hours(cell):
    yield from _hours(cell, lambda hours: hours)


@indicator
def training_reached(cell):
    yield from _hours(cell, lambda hours: hours > 0)


@indicator
def trained_last_year(cell):
    yield from cell.of_heads(("stage", "school_type"), lambda t: (cell.trained_before(t), 1))


@indicator
def new_heads_trained(cell):
    for t in cell.heads():
        if not any(a["starts_on"] < a_year_before(cell.day) for a in cell.study.spells_of[t]):
            yield "", "", cell.trained_before(t), 1


def _ratio(cell, x, m):
    records = _attended(cell)
    over, under = _by_teacher(cell, records, x), _by_teacher(cell, records, m)
    for t in over:
        yield "", "", over[t], under[t]


@indicator
def case_balance(cell):
    weight = {"case": 1.0, "mixed": 0.5, "theory": 0.0}
    yield from _ratio(cell, lambda a: weight[a["event"]["mode"]] * a["hours_attended"], lambda a: a["hours_attended"])


@indicator
def attendance_kept(cell):
    yield from _ratio(cell, lambda a: a["hours_attended"], lambda a: a["event"]["hours"])


@indicator
def training_rating(cell):
    yield from _ratio(cell, lambda a: a["rating"] or 0.0, lambda a: a["rating"] is not None)


# --- treatment and commendation ---------------------------------------------------------------------------------


def _granted(cell):
    return list(cell.ours(cell.study.tables["incentives"], lambda i: i["granted_on"]))


def _paid(cell, kind):
    records = [i for i in _granted(cell) if i["kind"] == kind]
    for yuan in _by_teacher(cell, records, lambda i: i["amount_yuan"] or 0.0).values():
        yield "", "", yuan, 1


@indicator
def performance_pay(cell):
    yield from _paid(cell, "performance_pay")


@indicator
def allowance(cell):
    yield from _paid(cell, "head_teacher_allowance")


@indicator
def recognised_per_100(cell):
    records = [i for i in _granted(cell) if i["kind"] in RECOGNITION]
    parts = [("", "", records)]
    # Values that occur somewhere in the study.
    every = [i for i in cell.study.tables["incentives"] if i["kind"] in RECOGNITION]
    for group, column in (("kind", "kind"), ("awarded_by", "level")):
        for value in {i[column] for i in every}:
            parts.append((group, value, [i for i in records if i[column] == value]))
    for group, value, some in parts:
        for count in _by_teacher(cell, some, lambda i: 1).values():
            yield group, value, count > 0, 1


@indicator
def incentive_tilt(cell):
    if cell.level != "district":
        return
    heads = cell.heads_of_period()
    others = {t["teacher_id"] for t in cell.study.tables["teachers"] if t["entered_on"] <= cell.until} - heads
    ours = sum(i["kind"] in RECOGNITION for i in _granted(cell))
    theirs = sum(
        i["kind"] in RECOGNITION and i["teacher_id"] in others and cell.day <= i["granted_on"] <= cell.until
        for i in cell.study.tables["incentives"]
    )
    yield "", "", ours * len(others), theirs * len(heads)


@indicator
def honoured_after_appraisal(cell):
    for a in cell.ours(cell.study.tables["appraisals"], lambda a: a["decided_on"]):
        if a["kind"] == "head_teacher":
            honoured = any(
                i["kind"] == "honour" and a["decided_on"] <= i["granted_on"] <= cell.until
                for i in cell.study.granted[a["teacher_id"]]
            )
            yield "", "", honoured, 1
            yield "result", a["result"], honoured, 1


# --- appraisal --------------------------------------------------------------------------------------------------


@indicator
def appraised_last_year(cell):
    def tell(teacher):
        return any(
            a["kind"] == "head_teacher" and a_year_before(cell.day) <= a["decided_on"] < cell.day
            for a in cell.study.appraised[teacher]
        ), 1

    yield from cell.of_heads(("stage", "school_type"), tell)


@indicator
def appraisal_excellent(cell):
    results = [
        a["result"]
        for a in cell.ours(cell.study.tables["appraisals"], lambda a: a["decided_on"])
        if a["kind"] == "head_teacher"
    ]
    for own in results:
        yield "", "", own == "excellent", 1
        for result in cell.study.known["result"]:
            yield "result", result, own == result, 1


@indicator
def failed_in_post(cell):
    for t in cell.heads():
        lasts = []
        for kind in ("annual", "ethics"):
            past = [a for a in cell.study.appraised[t] if a["kind"] == kind and a["decided_on"] < cell.day]
            if past:
                lasts.append(max(past, key=lambda a: (a["decided_on"], a["period_to"], a["period_from"])))
        if lasts:
            yield "", "", any(a["result"] == "unqualified" for a in lasts), 1


@indicator
def incidents_per_100(cell):
    records = [a for a in cell.ours(cell.study.tables["appraisals"], lambda a: a["decided_on"]) if a["incident"]]
    for count in _by_teacher(cell, records, lambda a: 1).values():
        yield "", "", count > 0, 1


@indicator
def incidents_followed_up(cell):
    for a in cell.ours(cell.study.tables["appraisals"], lambda a: a["decided_on"]):
        if a["incident"]:
            yield "", "", a["followed_up_on"] is not None, 1


# --- the work of a class ----------------------------------------------------------------------------------------


def _done(cell, class_id, *kinds):
    return [a for a in cell.study.done_by[class_id] if a["kind"] in kinds and cell.day <= a["held_on"] <= cell.until]


@indicator
def theme_meetings_kept(cell):
    weeks = ((cell.term["ends_on"] - cell.day).days + 1) // 7

    def tell(c):
        held = {a["held_on"] for a in cell.study.done_by[c] if a["kind"] == "theme_meeting"}
        kept = sum(any(cell.day + (7 * w + d) * DAY in held for d in range(7)) for w in range(weeks))
        return kept, weeks

    yield from cell.of_classes(("stage",), tell)


def _per_pupil(cell, groups, *kinds):
    def tell(c):
        pupils = len(cell.study.in_class(c, cell.day))
        return (len(_done(cell, c, *kinds)), pupils) if pupils else (0, 0)

    yield from cell.of_classes(groups, tell)


@indicator
def home_visits(cell):
    yield from _per_pupil(cell, ("stage",), "home_visit")


@indicator
def phone_visits(cell):
    yield from _per_pupil(cell, (), "phone_visit")


@indicator
def talks(cell):
    yield from _per_pupil(cell, (), "talk", "counselling")


@indicator
def parents_meetings(cell):
    yield from cell.of_classes(("stage",), lambda c: (len(_done(cell, c, "parents_meeting")), 1))


@indicator
def parents_meeting_held(cell):
    yield from cell.of_classes(("stage", "school_type"), lambda c: (bool(_done(cell, c, "parents_meeting")), 1))


@indicator
def parents_in_school(cell):
    yield from cell.of_classes((), lambda c: (len(_done(cell, c, "parents_forum", "parents_in_class")), 1))


@indicator
def practice_days(cell):
    def days(c, *kinds):
        return len({a["held_on"] for a in _done(cell, c, *kinds)})

    for c in cell.classes_of_term():
        yield "", "", days(c, "social_practice", "labour"), 1
        for kind in ("social_practice", "labour"):
            yield "kind", kind, days(c, kind), 1


# --- who leads the classes --------------------------------------------------------------------------------------


@indicator
def classes_without_head(cell):
    classes = [c for c in cell.classes_of_term() if cell.study.in_class(c, cell.day)]
    yield from cell.of_classes(
        ("stage", "school_type"), lambda c: (cell.study.head_of(c, cell.day) is None, 1), classes
    )


@indicator
def classes_led_by_acting(cell):
    for c in cell.inside:
        roles = {a["role"] for a in cell.study.lead_spells_in[c] if holds(a["starts_on"], a["ends_on"], cell.day)}
        if roles:
            yield "", "", roles == {"acting"}, 1


@indicator
def mid_term_changes(cell):
    def tell(c):
        first, day = cell.study.head_of(c, cell.day), cell.day + DAY
        later = {cell.study.head_of(c, day + i * DAY) for i in range((cell.term["ends_on"] - cell.day).days)}
        return bool(later - {first, None}), 1

    yield from cell.of_classes(("stage",), tell, [c for c in cell.inside if cell.study.head_of(c, cell.day)])


@indicator
def head_changes(cell):
    if cell.index:
        before = cell.study.terms[cell.index - 1]["starts_on"]
        both = [c for c in cell.inside if cell.study.head_of(c, cell.day) and cell.study.head_of(c, before)]
        changed = {c: cell.study.head_of(c, cell.day) != cell.study.head_of(c, before) for c in both}
        yield from cell.of_classes(("stage",), lambda c: (changed[c], 1), both)


@indicator
def leavers(cell):
    if cell.index + 1 < len(cell.study.terms):
        after = cell.study.terms[cell.index + 1]["starts_on"]
        yield from cell.of_heads(("stage",), lambda t: (not cell.study.classes_led(t, after), 1))


@indicator
def years_as_head(cell):
    yield from cell.of_heads(("stage", "school_type"), lambda t: (cell.study.days_led(t, cell.day) / 365.25, 1))


@indicator
def novices(cell):
    yield from cell.of_heads(("stage", "school_type"), lambda t: (cell.study.days_led(t, cell.day) < 1095.75, 1))


@indicator
def several_classes(cell):
    for t in cell.heads():
        yield "", "", len(cell.study.classes_led(t, cell.day)) >= 2, 1


@indicator
def pupils_per_class(cell):
    classes = [c for c in cell.classes_of_term() if cell.study.in_class(c, cell.day)]
    yield from cell.of_classes(("stage",), lambda c: (len(cell.study.in_class(c, cell.day)), 1), classes)


# --- outcomes ---------------------------------------------------------------------------------------------------


def _with_results(study, index):
    """The classes and domains that have a result in a term, looked up once."""
    if not hasattr(study, "_results"):
        study._results = defaultdict(set)
        about = {a["assessment_id"]: a for a in study.tables["assessments"]}
        present = defaultdict(set)
        for o in study.tables.get("outcomes", ()):
            if o["status"] == "present":
                a = about[o["assessment_id"]]
                present[a["term_id"], a["domain"]].add(o["student_id"])
        for term in study.terms:
            for c in study.classes:
                for domain in FIVE:
                    if study.in_class(c, term["starts_on"]) & present[term["term_id"], domain]:
                        study._results[term["index"]].add((c, domain))
        for means in study.tables.get("class_outcomes", ()):
            a = about[means["assessment_id"]]
            if means["n"] > 0:
                index_of = next(t["index"] for t in study.terms if t["term_id"] == a["term_id"])
                study._results[index_of].add((means["class_id"], a["domain"]))
    return study._results[index]


@indicator
def outcome_coverage(cell):
    if not cell.study.has("outcomes", "enrolments") and not cell.study.has("class_outcomes"):
        return
    there = _with_results(cell.study, cell.index)
    for c in cell.classes_of_term():
        yield "", "", sum((c, domain) in there for domain in FIVE), 5
        for domain in FIVE:
            yield "domain", domain, (c, domain) in there, 1


def _spread(cell, of_school):
    for measure in cell.study.measures:
        squares = freedom = 0
        found = defaultdict(list)
        for c in cell.classes_of_term():
            grade = cell.study.grade(c, cell.term)
            key = (grade, cell.study.classes[c]["school_id"]) if of_school else (grade, c)
            for student in cell.study.in_class(c, cell.day):
                if (score := cell.study.scores().get((measure, student, cell.index))) is not None:
                    found[key].append(score)
        by_grade = defaultdict(list)
        for (grade, _), scores in found.items():
            by_grade[grade].append(mean(scores))
        for means in by_grade.values():
            middle = mean(means)
            squares += sum((m - middle) ** 2 for m in means)
            freedom += len(means) - 1
        yield "", "", squares, freedom
        yield "measure", measure, squares, freedom


@indicator
def class_spread(cell):
    yield from _spread(cell, of_school=False)


@indicator
def school_spread(cell):
    if cell.level != "school":
        yield from _spread(cell, of_school=True)


@indicator
def weakest_progress(cell):
    pupils = set().union(*(cell.study.in_class(c, cell.day) for c in cell.classes_of_term()))
    for measure in cell.study.measures:
        for student in pupils:
            score, prior = (
                cell.study.scores().get((measure, student, cell.index)),
                cell.study.prior(measure, student, cell.index),
            )
            if score is not None and prior is not None and prior <= -1:
                yield "", "", score > prior, 1
                yield "measure", measure, score > prior, 1
