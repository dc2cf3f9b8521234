"""No look-ahead: an event moved across a term's first day changes exactly the rows that the rule names.

One study holds a class, a head teacher and five pupils for each kind of event, every event on the last day that
still counts. An example moves one event of each kind by some days; what must change follows from the dates alone.
"""

import random
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from htresearch.study.open import Study
from htresearch.study.store import open_store

from . import small
from .brute_force import OF_THE_TERM, a_year_before, rows

DAY = timedelta(days=1)
FIRST = [date(2022, 9, 1), date(2023, 2, 20), date(2023, 9, 1), date(2024, 2, 20)]
LAST = [date(2023, 1, 20), date(2023, 7, 5), date(2024, 1, 20), date(2024, 7, 5)]
TERMS = ["2022-1", "2022-2", "2023-1", "2023-2"]
KINDS = [
    "attendance",
    "incentives",
    "appraisals",
    "tiers",
    "studio start",
    "studio end",
    "appointment start",
    "appointment end",
    "enrolment start",
    "enrolment end",
]
LADDER = [("backbone", "accredited"), ("chief", "accredited"), ("chief", "revoked"), ("renowned", "accredited")]
RESULTS = ["excellent", "qualified", "basically_qualified", "unqualified"]
#: What looks into the term: who led most days, and how its pupils did.
DESCRIPTION = {
    "teacher_share",
    "teacher_id_most_days",
    "most_days_share",
    "n_leaders",
    *OF_THE_TERM,
    "n_assessments",
    "own_rating",
}
COMPOSITION = {
    "class_size",
    "boarding_share",
    "left_behind_share",
    "migrant_share",
    "inclusive_share",
    "score",
    "score_sd",
    "low_share",
    "n_scored",
    "n_without_score",
    "prior_mean",
    "prior_sd",
    "prior_n",
}
PLACE = {"school_id", "stage", "grade", "zone_id", "school_type", "ownership", "location"}

few = settings(
    max_examples=4, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def study(moves=None) -> small.Tables:
    """Return the study, with one event of each kind moved: kind to (number of the term, days)."""
    moves = moves or {}
    lists = {name: [] for name in small.COLUMNS if name != "class_outcomes"}
    lists["schools"] = [("S", "Z", "primary", "public", "urban")]
    lists["terms"] = [
        (term, f"{term[:4]}-{int(term[:4]) + 1}", term[-1], first, last)
        for term, first, last in zip(TERMS, FIRST, LAST, strict=True)
    ]
    lists["assessments"] = [
        (f"A{term}", term, "primary", 4, "academic", "maths", "district", "raw", None, "district", "test", None)
        for term in TERMS
    ]
    lists["studios"] = [("W", "lead", date(2020, 1, 1))]
    lists["teachers"] = [("lead", "female", 1970, date(1990, 9, 1), "permanent", "bachelor", "first", "语文")]
    for number, kind in enumerate(KINDS):
        _group(lists, number, kind, moves.get(kind, (0, 0)))
    return small.frames(lists)


def _group(lists, number: int, kind: str, move: tuple[int, int]) -> None:
    def on(what: str, index: int) -> date:
        """Return the day before the term, moved if this is the event that moves."""
        return FIRST[index] - DAY + (move[1] * DAY if (what, index) == (kind, move[0]) else 0 * DAY)

    teacher, after, class_id = f"T{number}", f"U{number}", f"C{number}"
    for name in (teacher, after):
        lists["teachers"].append((name, "female", 1980, date(2005, 9, 1), "permanent", "bachelor", "first", "语文"))
    lists["classes"].append((class_id, "S", "primary", 2022, 2, number + 1))
    end = on("appointment end", 3)
    lists["appointments"] += [
        (teacher, class_id, "head", on("appointment start", 0), end, None),
        (after, class_id, "head", FIRST[3], None, None),
    ]
    lists["studio_members"] += [
        ("W", teacher, FIRST[0] - 30 * DAY, on("studio end", 0)),
        ("W", teacher, on("studio start", 2), None),
    ]
    for index in range(4):
        event = f"E{number}-{index}"
        lists["training_events"].append(
            (event, "district", "lecture", ["ideas", "methods"][index % 2], "case", on("attendance", index), 9.0)
        )
        lists["attendance"].append((event, teacher, 2.0**index, None))
        lists["incentives"].append((teacher, "honour", "school", on("incentives", index), 10.0**index))
        lists["appraisals"].append(
            (
                teacher,
                "annual",
                date(2021, 1, 1),
                date(2021, 12, 31),
                on("appraisals", index),
                70.0 + index,
                None,
                RESULTS[index],
                False,
                None,
            )
        )
        lists["tiers"].append((teacher, LADDER[index][0], "zone", on("tiers", index), None, None, LADDER[index][1]))
    for seat in range(5):
        pupil = f"P{number}-{seat}"
        lists["students"].append((pupil, "female", 0.5, None))
        since = on("enrolment start", 1) if seat == 0 else date(2022, 8, 1)
        until = on("enrolment end", 2) if seat == 1 else None
        lists["enrolments"].append((pupil, class_id, since, until, seat < 2, seat < 2, seat < 2, seat < 2))
        for index, term in enumerate(TERMS):
            lists["outcomes"].append(
                (f"A{term}", pupil, float((7 * number + 13 * seat + 29 * index) % 41 + 5 * seat), None, "present")
            )


@pytest.fixture(scope="module")
def panels(tmp_path_factory):
    """Return a function that gives the class and the pupil panel of tables, as plain rows by their key."""
    counter = iter(range(10_000))

    def made(tables: small.Tables, of_classes: bool = True) -> tuple[dict, dict]:
        opened = Study(open_store(small.write(tables, tmp_path_factory.mktemp("moved") / str(next(counter)))))
        pupils = {(r["student_id"], r["term_id"]): r for r in rows(opened.student_terms("maths"))}
        if not of_classes:
            return {}, pupils
        return {(r["class_id"], r["term_id"]): r for r in rows(opened.class_terms("maths"))}, pupils

    return made


@pytest.fixture(scope="module")
def unmoved(panels):
    return panels(study())


def changed(before: dict, after: dict) -> dict[tuple, set[str]]:
    """Return the columns in which each row changed; scores may differ by rounding."""
    assert before.keys() == after.keys()

    def differ(a, b) -> bool:
        return abs(a - b) > 1e-9 if isinstance(a, float) and isinstance(b, float) else a != b

    moved = {key: {c for c in before[key] if differ(before[key][c], after[key][c])} for key in before}
    return {key: columns for key, columns in moved.items() if columns}


def ladder(index: int, days: int) -> list[dict]:
    """Return what the ladder says in each term, from the ranks alone."""
    known = {"backbone": 1, "renowned": 2, "chief": 3}
    ranks = []
    for term in range(4):
        held = {}
        for number, (tier, decision) in enumerate(LADDER):
            day = FIRST[number] - DAY + (days * DAY if number == index else 0 * DAY)
            if day < FIRST[term]:
                held[tier] = decision == "accredited"
        ranks.append(max([0, *(known[tier] for tier, is_held in held.items() if is_held)]))
    said = []
    for term, rank in enumerate(ranks):
        same = 1
        while same <= term and ranks[term - same] == rank:
            same += 1
        said.append(
            {
                "tier": rank,
                "tier_rank": rank,
                "terms_in_tier": same,
                "tier_change": rank - ranks[term - 1] if term else None,
            }
        )
    return said


def expected(kind: str, index: int, days: int, before: dict, class_id: str) -> dict[str, set[str]]:
    """Return the columns of the class's row that change in each term."""
    old, new = FIRST[index] - DAY, FIRST[index] + (days - 1) * DAY
    crosses = new >= FIRST[index]
    exposures = {c for c in before[class_id, TERMS[index]] if before[class_id, TERMS[index]][c] is not None} - PLACE
    exposures -= {
        "class_id",
        "term_id",
        "term_index",
        "teacher_id_most_days",
        "most_days_share",
        "n_leaders",
        *COMPOSITION,
        *OF_THE_TERM,
        "own_rating",
    }
    found: dict[str, set[str]] = {term: set() for term in TERMS}
    for number, term in enumerate(TERMS):
        ever = (old < FIRST[number]) != (new < FIRST[number])
        since = a_year_before(FIRST[number])
        recent = (since <= old < FIRST[number]) != (since <= new < FIRST[number])
        if kind == "attendance":
            names = [
                "",
                "_level_district",
                "_format_lecture",
                f"_theme_{['ideas', 'methods'][index % 2]}",
                "_mode_case",
            ]
            found[term] |= {f"training_hours{n}" for n in names if ever}
            found[term] |= {f"training_hours_last_year{n}" for n in names if recent}
        elif kind == "incentives" and recent:
            found[term] |= {"honour_last_year", "honour_yuan_last_year"}
        elif kind == "appraisals" and number == index and days:
            found[term] |= {"last_appraisal_on"}
            if crosses:
                found[term] |= {
                    "last_appraisal_score",
                    "last_appraisal_result",
                    "annual_appraisal_score",
                    "annual_appraisal_result",
                } | ({"last_appraisal_kind"} if index == 0 else set())
        elif kind == "tiers":
            stay, move = ladder(index, 0)[number], ladder(index, days)[number]
            found[term] |= {c for c in stay if stay[c] != move[c]}
        elif kind in ("studio start", "studio end") and number == index:
            found[term] |= {"studio_member"} if (crosses if kind == "studio start" else days < 0) else set()
        elif kind == "appointment start" and days:
            # The years as head teacher count every day, so they differ in every term that teacher leads.
            found[term] |= exposures if crosses and number == index else {"head_teacher_years"}
        elif kind == "appointment end" and number == index and days < 0:
            found[term] |= exposures
    return {term: columns for term, columns in found.items() if columns}


BOTH_WAYS, ONLY_EARLIER = st.integers(-5, 5), st.integers(-5, 0)
PLACES = {
    "studio start": 2,
    "studio end": 0,
    "appointment start": 0,
    "appointment end": 3,
    "enrolment start": 1,
    "enrolment end": 2,
}
MOVES = st.fixed_dictionaries(
    {
        kind: st.tuples(
            st.just(PLACES[kind]) if kind in PLACES else st.integers(0, 3),
            ONLY_EARLIER if kind.endswith("end") else BOTH_WAYS,
        )
        for kind in KINDS
    }
)


def check(moves, unmoved, after) -> None:
    """Assert that exactly the rows and columns changed that the rule names."""
    classes, pupils = changed(unmoved[0], after[0]), changed(unmoved[1], after[1])
    for number, kind in enumerate(KINDS):
        class_id, (index, days) = f"C{number}", moves[kind]
        of_class = {key[1]: columns for key, columns in classes.items() if key[0] == class_id}
        of_pupils = {key: columns for key, columns in pupils.items() if key[0].startswith(f"P{number}-")}
        moved_pupil = None
        if kind.startswith("enrolment"):
            crosses = days > 0 if kind == "enrolment start" else days < 0
            assert set(of_class) == ({TERMS[index]} if crosses else set()), kind
            if crosses:
                assert (
                    {"class_size", "boarding_share", "n_scored", "score", "prior_mean", "prior_n"}
                    <= (of_class[TERMS[index]])
                    <= COMPOSITION
                )
                moved_pupil = f"P{number}-{int(kind == 'enrolment end')}", TERMS[index]
                own = of_pupils.pop(moved_pupil)
                assert {"class_id", "teacher_id", "class_size", "tier", "training_hours"} <= own
                assert not own & {"score", "prior", "prior_term_index", "sex", "ses_index"}
                assert after[1][moved_pupil]["class_id"] is None
        else:
            assert of_class == expected(kind, index, days, unmoved[0], class_id), (kind, index, days)
        wanted = {
            key: of_class[key[1]] - set(OF_THE_TERM)
            for key, row in unmoved[1].items()
            if row["class_id"] == class_id and key[1] in of_class and key != moved_pupil
        }
        assert of_pupils == {key: columns for key, columns in wanted.items() if columns}, kind


@few
@given(moves=MOVES)
def test_events_moved_across_the_first_day(panels, unmoved, moves):
    check(moves, unmoved, panels(study(moves)))


@pytest.mark.parametrize("days", [1, -1])
def test_one_day_decides(panels, unmoved, days):
    """From the day before to the first day itself; and, for what ends, to the day before the last that counts."""
    moves = {kind: (PLACES.get(kind, 2), -1 if kind.endswith("end") else days) for kind in KINDS}
    check(moves, unmoved, panels(study(moves)))


def test_the_score_of_a_term_is_no_exposure_of_it(panels, unmoved):
    """It moves the scores of its own term and the priors of later ones, nothing else."""
    tables = study()
    of_second = tables["outcomes"]["assessment_id"] == f"A{TERMS[1]}"
    tables["outcomes"].loc[of_second, "score"] = [float(n * n % 17) for n in range(of_second.sum())]
    after = panels(tables)
    classes, pupils = changed(unmoved[0], after[0]), changed(unmoved[1], after[1])
    assert {term for _, term in classes} == {term for _, term in pupils} == {TERMS[1], TERMS[2]}
    for (_, term), columns in classes.items():
        assert columns <= ({"score", "score_sd", "low_share"} if term == TERMS[1] else {"prior_mean", "prior_sd"})
    for (_, term), columns in pupils.items():
        assert columns <= ({"score"} if term == TERMS[1] else {"prior", "prior_mean", "prior_sd"})


@cache
def nasty() -> small.Tables:
    return small.Islands(31, islands=3).tables()


@pytest.fixture(scope="module")
def of_nasty(panels):
    return panels(nasty(), of_classes=False)[1]


def without_the_future(tables: small.Tables, term: str, rng: random.Random) -> small.Tables:
    """Return a study whose records from the term's first day on are dropped or changed at random."""
    terms = tables["terms"].set_index("term_id")["starts_on"]
    first = terms[term]
    dates = {
        "appointments": "starts_on",
        "tiers": "effective_on",
        "studio_members": "joined_on",
        "incentives": "granted_on",
        "appraisals": "decided_on",
        "enrolments": "starts_on",
    }
    made = {name: frame.copy() for name, frame in tables.items()}
    for name, column in dates.items():
        made[name] = made[name][made[name][column] < first]
        for end in {"ends_on", "left_on"} & set(made[name]):
            later = [day is not None and day >= first for day in made[name][end]]
            made[name].loc[later, end] = [rng.choice([None, first, first + 50 * DAY]) for _ in range(sum(later))]
    events = made["training_events"]
    later = events["held_on"] >= first
    events.loc[later, "held_on"] = [day + rng.randrange(300) * DAY for day in events.loc[later, "held_on"]]
    events.loc[later, "theme"] = "safety"
    held = made["assessments"].set_index("assessment_id")["term_id"].map(terms)
    kept = made["outcomes"]["assessment_id"].map(held) <= first  # results of the term itself make its rows
    made["outcomes"] = made["outcomes"][kept]
    raw = (made["outcomes"]["assessment_id"].map(held) == first) & made["outcomes"]["score"].notna()
    made["outcomes"].loc[raw, "score"] = [rng.uniform(0, 100) for _ in range(raw.sum())]
    return made


@few
@given(term=st.sampled_from(TERMS[1:]), seed=st.integers(0, 9))
def test_the_future_never_shows(panels, of_nasty, term, seed):
    after = panels(without_the_future(nasty(), term, random.Random(seed)), of_classes=False)[1]
    compared = 0
    for key, row in of_nasty.items():
        # Whether a class lives in a term is known from the term itself: rows of dead classes tell nothing.
        if key[1] == term and key in after and (row["school_id"] is None) == (after[key]["school_id"] is None):
            compared += row["teacher_id"] is not None
            for column in row.keys() - DESCRIPTION:
                assert row[column] == pytest.approx(after[key][column], abs=1e-9, nan_ok=True), (key, column)
    assert compared > 0
