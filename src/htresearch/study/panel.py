"""The panels: a pupil in a term, a class in a term, a teacher in a term.

An exposure of a term uses only what was there before the term's first day: flows (hours, incentives) dated before it,
states (tier, studio, appointment, class) in force at the end of the day before, the last appraisal decided before
it, the prior score of an earlier term. So the head teacher of an exposure is the one of the day before the term
begins; an appointment that starts on the first day itself counts from the next term on. What happens during the term
is an outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from htresearch.study.exposures import LEADS, exposures
from htresearch.study.rules import GRADES
from htresearch.study.scores import check_measure, class_scores, pupil_scores
from htresearch.study.timeline import calendar, days_once, earliest, in_force, overlaps

if TYPE_CHECKING:
    import pandas as pd

    from htresearch.study.open import Study

_PLACE = ("school_id", "zone_id", "school_type", "ownership", "location")
_FLAGS = ("boarding", "left_behind", "migrant", "inclusive")
#: What a class's results in the term are made of: outcomes, which no pupil's row may carry as a condition.
_OF_THE_TERM = ("score", "score_sd", "low_share", "n_scored", "n_without_score", "score_from")
_VOCABULARIES = {name: name for name in ("school_type", "ownership", "location", "stage", "sex", "tier")} | {
    "last_appraisal_kind": "appraisal",
    "last_appraisal_result": "result",
}


def student_terms(study: Study, measure: str | None = None, compare: str = "district", lazy: bool = False):
    """Return the panel of pupils in terms.

    A row is a pupil who was in a class at the end of the day before the term, or who has a result in it (a newcomer:
    the class is missing then). Nobody is dropped for want of a score or a prior.

    Parameters
    ----------
    measure
        The measure whose scores become ``score`` and ``prior``; without one the panel holds exposures only.
    compare
        How widely scores will be compared: ``"district"``, ``"zone"``, ``"school"`` or ``"class"``. Scores are
        standardised within assessment and this unit.
    lazy
        Return the LazyFrame instead of collecting it.

    Returns
    -------
    pandas.DataFrame or narwhals.LazyFrame
        student_id, term_id, term_index, class_id, grade, school columns, sex, ses_index, the enrolment's flags,
        ``score`` and ``prior`` (in SD, more is better), ``prior_term_index``, ``own_rating``, the class's columns,
        and the exposures of the first-day head teacher ``teacher_id``. Sorted by term and pupil.

    Raises
    ------
    ArgumentError
        If `measure` or `compare` is unknown.
    ComparabilityError
        If scores are not comparable as widely as `compare`.
    MissingTableError
        If the study lacks a table that the panel needs.

    Examples
    --------
    >>> import htresearch as ht
    >>> panel = ht.open_study("data/demo").student_terms(measure="maths")
    >>> bool((panel.loc[panel["term_index"] == 1, "prior"].isna()).all())
    True
    """
    study.needs(["students", "enrolments", *(["outcomes"] if measure else [])])
    classes = _classes(study, measure, compare)
    pupils = _pupils(study, measure, compare)
    about = study.table("students").select("student_id", "sex", "ses_index")
    key = ["class_id", "term_id"]
    elsewhere = {*key, *_OF_THE_TERM, *pupils.collect_schema().names()}
    of_the_class = [c for c in classes.collect_schema().names() if c not in elsewhere]
    rows = pupils.join(about, on="student_id", how="left")
    rows = rows.join(classes.select(*key, *of_the_class), on=key, how="left")
    return rows if lazy else _collected(study, rows, ["term_index", "student_id"])


def class_terms(study: Study, measure: str | None = None, compare: str = "district", lazy: bool = False):
    """Return the panel of classes in terms.

    A row is a class of a term in which it had a pupil or a head teacher. Pupils count where they were at the end of
    the day before the term. What is cumulative counts from the study's first record, and ``terms_in_tier`` from its
    first term. Grades awarded (A to E) enter as equal steps.

    Parameters
    ----------
    measure, compare, lazy
        As for `student_terms`.

    Returns
    -------
    pandas.DataFrame or narwhals.LazyFrame
        class_id, term_id, term_index, stage, grade, school columns; with a measure ``score`` (mean of its pupils'
        standardised scores), ``score_sd``, ``low_share`` (share of pupils below -1), ``n_scored``,
        ``n_without_score``, ``prior_mean``, ``prior_sd``, ``prior_n`` and, in a study with released class means,
        ``score_from`` ("pupils", or "classes" where only the mean is known, standardised between classes);
        ``class_size`` and the shares of left-behind, boarding, migrant and inclusive pupils; ``teacher_id`` of the
        first day with every exposure; and as description only, ``teacher_share``, ``teacher_id_most_days``,
        ``most_days_share``, ``n_leaders``. Sorted by term and class.

    Raises
    ------
    ArgumentError, ComparabilityError, MissingTableError
        As for `student_terms`.

    Examples
    --------
    >>> import htresearch as ht
    >>> panel = ht.open_study("data/demo").class_terms(measure="maths")
    >>> {"tier", "training_hours", "prior_mean"} <= set(panel.columns)
    True
    """
    rows = _classes(study, measure, compare)
    return rows if lazy else _collected(study, rows, ["term_index", "class_id"])


def class_results(study: Study, measure: str, compare: str = "district", lazy: bool = False):
    """Return the classes of each term with their results alone: `class_terms` without head teachers and exposures.

    Parameters
    ----------
    measure, compare, lazy
        As for `student_terms`.

    Returns
    -------
    pandas.DataFrame or narwhals.LazyFrame
        The columns of `class_terms` from class_id to the shares of pupils. Sorted by term and class.

    Raises
    ------
    ArgumentError, ComparabilityError, MissingTableError
        As for `student_terms`.

    Examples
    --------
    >>> import htresearch as ht
    >>> results = ht.open_study("data/demo").class_results("maths")
    >>> bool(results["score"].abs().max() < 3)
    True
    """
    rows = _results(study, measure, compare)
    return rows if lazy else _collected(study, rows, ["term_index", "class_id"])


def teacher_terms(study: Study, lazy: bool = False):
    """Return every teacher in every term with the exposures at its first day, whether or not they lead a class.

    Examples
    --------
    >>> import htresearch as ht
    >>> panel = ht.open_study("data/demo").teacher_terms()
    >>> int(panel.groupby("teacher_id")["term_index"].max().min())
    6
    """
    study.needs(["terms", "teachers"])
    rows = _exposed(study)
    return rows if lazy else _collected(study, rows, ["term_index", "teacher_id"])


def teacher_shares(study: Study, lazy: bool = False):
    """Return who led each class during each term for how many days: the weights of a multi-membership model.

    This looks into the term, so it describes and is no exposure.

    Returns
    -------
    pandas.DataFrame or narwhals.LazyFrame
        class_id, term_id, teacher_id, days, share (of the days that anyone led the class), since.

    Examples
    --------
    >>> import htresearch as ht
    >>> shares = ht.open_study("data/demo").teacher_shares()
    >>> bool((shares.groupby(["class_id", "term_id"])["share"].sum().round(9) == 1).all())
    True
    """
    study.needs(["terms", "appointments"])
    rows = _shares(study, calendar(study))
    return rows if lazy else _collected(study, rows, ["term_id", "class_id", "teacher_id"])


def _collected(study: Study, rows: nw.LazyFrame, order: list[str]) -> pd.DataFrame:
    frame = rows.sort(*order).collect("pandas").to_native()
    results = {c: "result" for c in frame.columns if c.endswith("_appraisal_result")}
    return study.categorical(frame, _VOCABULARIES | results)


# --- pupils ---------------------------------------------------------------------------------------------------------


def _enrolled(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    """Return each pupil's class at the end of the day before each term."""
    spells = study.table("enrolments").join(terms, how="cross").filter(in_force("starts_on", "ends_on"))
    first = earliest(spells, ["student_id", "term_id"], ["starts_on", "class_id"])
    return first.select("student_id", "term_id", "class_id", *_FLAGS)


def _places(study: Study, enrolled: nw.LazyFrame) -> nw.LazyFrame:
    where = study.table("classes").select("class_id", "school_id")
    where = where.join(study.table("schools").select("school_id", "zone_id"), on="school_id", how="left")
    return enrolled.join(where, on="class_id", how="left")


def _pupils(study: Study, measure: str | None, compare: str) -> nw.LazyFrame:
    """Return pupils in terms with their class, score and prior score."""
    terms = calendar(study)
    enrolled = _enrolled(study, terms)
    keys = ["student_id", "term_id"]
    if measure is None:
        return enrolled.join(terms.select("term_id", "term_index"), on="term_id")
    scores = pupil_scores(study, measure, compare, _places(study, enrolled))
    everyone = nw.concat([enrolled.select(*keys), scores.select(*keys)]).unique()
    rows = everyone.join(enrolled, on=keys, how="left").join(scores, on=keys, how="left")
    rows = rows.join(terms.select("term_id", "term_index"), on="term_id")
    by = {"order_by": "term_index"}
    scored_in = nw.when(~nw.col("score").is_null()).then(nw.col("term_index"))
    rows = rows.with_columns(_scored_in=scored_in)
    rows = rows.with_columns(
        prior=nw.col("score").shift(1).over("student_id", **by),
        prior_term_index=nw.col("_scored_in").shift(1).over("student_id", **by),
    )
    return rows.with_columns(
        nw.col("prior").fill_null(strategy="forward").over("student_id", **by),
        nw.col("prior_term_index").fill_null(strategy="forward").over("student_id", **by),
        nw.col("n_assessments").fill_null(0),
    ).drop("_scored_in")


# --- classes --------------------------------------------------------------------------------------------------------


def _classes(study: Study, measure: str | None, compare: str) -> nw.LazyFrame:
    study.needs(["terms", "schools", "classes", "teachers", "appointments"])
    rows = _results(study, measure, compare)
    led = study.store.kept("led classes", lambda: _led(study, calendar(study)))
    rows = rows.join(led, on=["class_id", "term_id"], how="left")
    return rows.join(_exposed(study).drop("term_index"), on=["teacher_id", "term_id"], how="left")


def _exposed(study: Study) -> nw.LazyFrame:
    return study.store.kept("exposures", lambda: exposures(study, calendar(study)))


def _led(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    """Return who led each class of each term."""
    key = ["class_id", "term_id"]
    rows = living(study).select(*key).join(_leaders(study, terms), on=key, how="left")
    rows = rows.join(_description(study, terms), on=key, how="left")
    share = _shares(study, terms).select(*key, "teacher_id", teacher_share=nw.col("share"))
    return rows.join(share, on=[*key, "teacher_id"], how="left")


def _results(study: Study, measure: str | None, compare: str) -> nw.LazyFrame:
    """Return the classes of each term, who was in them and how they did."""
    study.needs(["terms", "schools", "classes", "appointments"])
    if measure is not None:
        check_measure(study, measure, compare)
        means = "class_outcomes" in study.tables and compare != "class"
        study.needs([] if means else ["enrolments", "outcomes"])
    rows = living(study)
    key = ["class_id", "term_id"]
    if "enrolments" in study.tables:
        scored = measure if "outcomes" in study.tables else None
        rows = rows.join(_composition(study, scored, compare), on=key, how="left")
        counts = ["class_size", *(["n_scored", "n_without_score", "prior_n"] if scored else [])]
        rows = rows.with_columns(nw.col(*counts).fill_null(0))
    if measure is not None and means:
        rows = _with_released(study, measure, compare, rows)
    return rows


def living(study: Study) -> nw.LazyFrame:
    """Return the classes that existed in each term, with the grade they were in and what their school is."""
    return study.store.kept("living classes", lambda: _living(study, calendar(study)))


def _living(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    last = nw.lit(12)
    for stage, (_, top) in GRADES.items():
        last = nw.when(nw.col("stage") == stage).then(nw.lit(top)).otherwise(last)
    grade = nw.col("entry_grade") + nw.col("year") - nw.col("entry_year")
    rows = study.table("classes").join(terms, how="cross").with_columns(grade=grade, _last=last)
    rows = rows.filter((nw.col("grade") >= nw.col("entry_grade")) & (nw.col("grade") <= nw.col("_last")))
    spells = [study.table("appointments").filter(nw.col("role").is_in(list(LEADS)))]
    spells += [study.table("enrolments")] if "enrolments" in study.tables else []
    alive = (
        nw.concat([spell.select("class_id", "starts_on", "ends_on").unique() for spell in spells])
        .join(terms, how="cross")
        .filter(overlaps("starts_on", "ends_on"))
    )
    alive = alive.select("class_id", "term_id").unique()
    rows = rows.join(alive, on=["class_id", "term_id"], how="semi")
    rows = rows.select("class_id", "term_id", "term_index", "school_id", "stage", "grade")
    return rows.join(study.table("schools").select(*_PLACE), on="school_id", how="left")


def _composition(study: Study, measure: str | None, compare: str) -> nw.LazyFrame:
    """Return what each class was made of at the first day, and how its pupils did."""
    pupils = _pupils(study, measure, compare).filter(~nw.col("class_id").is_null())
    shares = {flag: nw.when(nw.col(flag)).then(nw.lit(1.0)).otherwise(nw.lit(0.0)) for flag in _FLAGS}
    pupils = pupils.with_columns(**{f"{flag}_share": share for flag, share in shares.items()})
    sums = [nw.len().alias("class_size"), *(nw.col(f"{flag}_share").mean() for flag in _FLAGS)]
    if measure is not None:
        low = nw.when(nw.col("score") < -1).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
        pupils = pupils.with_columns(
            _low=nw.when(~nw.col("score").is_null()).then(low),
            _own=nw.when(nw.col("own_rating")).then(nw.lit(1)).otherwise(nw.lit(0)),
        )
        sums += [
            nw.col("score").count().alias("n_scored"),
            nw.col("score").std(ddof=1).alias("score_sd"),
            nw.col("_low").mean().alias("low_share"),
            nw.col("prior").mean().alias("prior_mean"),
            nw.col("prior").std(ddof=1).alias("prior_sd"),
            nw.col("prior").count().alias("prior_n"),
            nw.col("_own").max().alias("_own"),
            nw.col("score").mean(),
        ]
    made = pupils.group_by("class_id", "term_id").agg(*sums)
    if measure is None:
        return made
    return made.with_columns(
        n_without_score=nw.col("class_size") - nw.col("n_scored"), own_rating=nw.col("_own") == 1
    ).drop("_own")


def _with_released(study: Study, measure: str, compare: str, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Fill classes without pupils' scores from the class means that are released, and say so."""
    places = _places(study, study.table("classes").select("class_id"))
    released = class_scores(study, measure, compare, places)
    rows = rows.join(released, on=["class_id", "term_id"], how="left")
    by = {"order_by": "term_index"}
    rows = rows.with_columns(_before=nw.col("released").shift(1).over("class_id", **by))
    rows = rows.with_columns(nw.col("_before").fill_null(strategy="forward").over("class_id", **by))
    if "score" not in rows.collect_schema().names():
        empty = nw.lit(None).cast(nw.Float64)
        rows = rows.with_columns(score=empty, prior_mean=empty)
    use = nw.col("score").is_null() & ~nw.col("released").is_null()
    pupils = nw.when(~nw.col("score").is_null()).then(nw.lit("pupils"))
    return rows.with_columns(
        score_from=nw.when(use).then(nw.lit("classes")).otherwise(pupils),
        score=nw.when(use).then(nw.col("released")).otherwise(nw.col("score")),
        prior_mean=nw.when(use).then(nw.col("_before")).otherwise(nw.col("prior_mean")),
    ).drop("released", "released_n", "_before")


def _leaders(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    """Return each class's head teacher at the end of the day before the term; of two, the one appointed earlier."""
    spells = study.table("appointments").filter(nw.col("role").is_in(list(LEADS))).join(terms, how="cross")
    spells = spells.filter(in_force("starts_on", "ends_on")).with_columns(
        _rank=nw.when(nw.col("role") == "head").then(nw.lit(0)).otherwise(nw.lit(1))
    )
    first = earliest(spells, ["class_id", "term_id"], ["starts_on", "_rank", "teacher_id"])
    return first.select("class_id", "term_id", "teacher_id")


def _shares(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    spells = study.table("appointments").filter(nw.col("role").is_in(list(LEADS))).join(terms, how="cross")
    spells = spells.filter(overlaps("starts_on", "ends_on"))
    after = nw.col("starts_on") > nw.col("first_day")
    before = ~nw.col("ends_on").is_null() & (nw.col("ends_on") < nw.col("last_day"))
    spells = spells.with_columns(
        since=nw.when(after).then(nw.col("starts_on")).otherwise(nw.col("first_day")),
        until=nw.when(before).then(nw.col("ends_on")).otherwise(nw.col("last_day")),
    )
    key = ("class_id", "term_id", "teacher_id")
    spells = days_once(spells, key, "since", "until")
    led = spells.group_by(*key).agg(nw.col("days").sum(), nw.col("since").min())
    return led.with_columns(share=nw.col("days") / nw.col("days").sum().over("class_id", "term_id"))


def _description(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    shares = _shares(study, terms).with_columns(_most=-nw.col("days"))
    most = earliest(shares, ["class_id", "term_id"], ["_most", "since", "teacher_id"])
    most = most.select(
        "class_id", "term_id", teacher_id_most_days=nw.col("teacher_id"), most_days_share=nw.col("share")
    )
    led = shares.group_by("class_id", "term_id").agg(n_leaders=nw.len())
    return most.join(led, on=["class_id", "term_id"])
