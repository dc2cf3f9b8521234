"""What a head teacher had been exposed to before a term began: states, flows and last records.

Each function adds columns to one row a teacher and term. All follow the rules of `htresearch.study.timeline`, and
none sees a day of the term itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from htresearch.study.timeline import day_number, days_once, in_force, latest

if TYPE_CHECKING:
    from htresearch.study.open import Study

KEY = ("teacher_id", "term_id")
#: The roles that lead a class; a deputy does not.
LEADS = ("head", "acting")
DIMENSIONS = ("level", "format", "theme", "mode")
_IN_POWER = ("accredited", "renewed")
_DAYS_A_YEAR = 365.25


def exposures(study: Study, terms: nw.LazyFrame) -> nw.LazyFrame:
    """Return every teacher in every term with all exposures that the study's tables allow."""
    teachers = study.table("teachers").select("teacher_id", "entered_on")
    rows = teachers.join(terms, how="cross")
    for needed, add in _ADDED:
        if set(needed) <= set(study.tables):
            rows = add(study, terms, rows)
    return rows.drop("entered_on", "year", "first_day", "last_day", "eve", "year_before")


def _beside(rows: nw.LazyFrame, added: nw.LazyFrame) -> nw.LazyFrame:
    """Join columns to the rows they belong to; rows without them stay."""
    kept = [c for c in added.collect_schema().names() if c not in KEY]
    return rows.join(added.select(*KEY, *kept), on=list(KEY), how="left")


def _ranked(column: str, values: tuple[str, ...]) -> nw.Expr:
    rank = nw.lit(None).cast(nw.Int64)
    for number, value in enumerate(values):
        rank = nw.when(nw.col(column) == value).then(nw.lit(number)).otherwise(rank)
    return rank


def _named(rank: str, values: tuple[str, ...]) -> nw.Expr:
    name = nw.lit(values[0])
    for number, value in enumerate(values):
        name = nw.when(nw.col(rank) == number).then(nw.lit(value)).otherwise(name)
    return name


def _experience(study: Study, terms: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Years in teaching, and years as head teacher by the appointments; two classes at once count once."""
    rows = rows.with_columns(
        teaching_years=(day_number(nw.col("first_day")) - day_number(nw.col("entered_on"))) / _DAYS_A_YEAR
    )
    spells = study.table("appointments").filter(nw.col("role").is_in(list(LEADS)))
    past = spells.join(terms, how="cross").filter(nw.col("starts_on") <= nw.col("eve"))
    ended = nw.col("ends_on").is_null() | (nw.col("ends_on") > nw.col("eve"))
    until = nw.when(ended).then(nw.col("eve")).otherwise(nw.col("ends_on"))
    past = days_once(past.with_columns(until=until), KEY, "starts_on", "until")
    years = past.group_by(*KEY).agg(head_teacher_years=nw.col("days").sum() / _DAYS_A_YEAR)
    return _beside(rows, years).with_columns(nw.col("head_teacher_years").fill_null(0.0))


def _tier(study: Study, terms: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Return the highest tier in force, for how many terms it has been held, and how it changed since the last term.

    Who holds none is ordinary.
    """
    names = study.store.schema.vocabularies["tier"]
    highest = tiers_in_force(study, terms)
    rows = _beside(rows, highest).with_columns(nw.col("tier_rank").fill_null(names.index("ordinary")))
    order = {"order_by": "term_index"}
    rows = rows.with_columns(_before=nw.col("tier_rank").shift(1).over("teacher_id", **order), _one=nw.lit(1))
    rows = rows.with_columns(
        tier=_named("tier_rank", names),
        tier_change=nw.col("tier_rank") - nw.col("_before"),
        _moved=nw.when(nw.col("tier_rank") == nw.col("_before")).then(nw.lit(0)).otherwise(nw.lit(1)),
    )
    rows = rows.with_columns(_run=nw.col("_moved").cum_sum().over("teacher_id", **order))
    rows = rows.with_columns(terms_in_tier=nw.col("_one").cum_sum().over("teacher_id", "_run", **order))
    return rows.drop("_before", "_one", "_moved", "_run")


def tiers_in_force(study: Study, days: nw.LazyFrame) -> nw.LazyFrame:
    """Return the highest tier that each teacher holds at the end of each day; who holds none is left out.

    The last decision about a teacher and a tier governs it, of two on one day the higher body's: accredited or
    renewed until its last day, ended by revoked and expired, untouched by not being accredited.

    Parameters
    ----------
    days
        term_id and eve, as in `htresearch.study.timeline.calendar`: what names each day, and the day.
    """
    names, bodies = study.store.schema.vocabularies["tier"], study.store.schema.vocabularies["awarded_by"]
    decisions = study.table("tiers").filter(nw.col("decision") != "not_accredited")
    decisions = decisions.with_columns(_body=_ranked("awarded_by", bodies))
    made = decisions.join(days, how="cross").filter(nw.col("effective_on") <= nw.col("eve"))
    governing = latest(made, [*KEY, "tier"], ["effective_on", "_body"])
    held = governing.filter(nw.col("decision").is_in(list(_IN_POWER)) & in_force("effective_on", "ends_on"))
    return held.with_columns(rank=_ranked("tier", names)).group_by(*KEY).agg(tier_rank=nw.col("rank").max())


def _studio(study: Study, terms: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    members = study.table("studio_members").join(terms, how="cross").filter(in_force("joined_on", "left_on"))
    inside = members.select(*KEY).unique().with_columns(studio_member=nw.lit(True))
    return _beside(rows, inside).with_columns(nw.col("studio_member").fill_null(False))


def _training(study: Study, terms: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Hours attended before the term, ever and in the last year, in total and by each kind of event."""
    events = study.table("training_events").drop("hours")
    attended = study.table("attendance").join(events, on="event_id")
    past = attended.join(terms, how="cross").filter(nw.col("held_on") < nw.col("first_day"))
    kinds = {f"_{d}_{value}": nw.col(d) == value for d in DIMENSIONS for value in study.store.schema.vocabularies[d]}
    sums = {}
    for prefix, counted in (
        ("training_hours", nw.lit(True)),
        ("training_hours_last_year", nw.col("held_on") >= nw.col("year_before")),
    ):
        for suffix, kind in {"": nw.lit(True), **kinds}.items():
            sums[prefix + suffix] = nw.when(counted & kind).then(nw.col("hours_attended")).otherwise(nw.lit(0.0))
    hours = past.with_columns(**sums).group_by(*KEY).agg(*(nw.col(name).sum() for name in sums))
    return _beside(rows, hours).with_columns(*(nw.col(name).fill_null(0.0) for name in sums))


def _incentives(study: Study, terms: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    """How often each kind was granted in the year before the term, and how much money it was."""
    granted = study.table("incentives").join(terms, how="cross")
    recent = granted.filter(
        (nw.col("granted_on") < nw.col("first_day")) & (nw.col("granted_on") >= nw.col("year_before"))
    )
    sums = {}
    for kind in study.store.schema.vocabularies["incentive"]:
        this = nw.col("kind") == kind
        sums[f"{kind}_last_year"] = nw.when(this).then(nw.lit(1)).otherwise(nw.lit(0))
        sums[f"{kind}_yuan_last_year"] = (
            nw.when(this).then(nw.col("amount_yuan").fill_null(0.0)).otherwise(nw.lit(0.0))
        )
    counted = recent.with_columns(**sums).group_by(*KEY).agg(*(nw.col(name).sum() for name in sums))
    return _beside(rows, counted).with_columns(*(nw.col(name).fill_null(0) for name in sums))


def _appraisal(study: Study, terms: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Return the last appraisal decided before the term: of any kind, and of each kind."""
    decided = study.table("appraisals").join(terms, how="cross").filter(nw.col("decided_on") < nw.col("first_day"))
    order = ["decided_on", "period_to", "kind", "period_from"]
    last = latest(decided, list(KEY), order)
    rows = _beside(
        rows,
        last.select(
            *KEY,
            last_appraisal_kind=nw.col("kind"),
            last_appraisal_on=nw.col("decided_on"),
            last_appraisal_score=nw.col("total_score"),
            last_appraisal_result=nw.col("result"),
        ),
    )
    by_kind = latest(decided, [*KEY, "kind"], order)
    for kind in study.store.schema.vocabularies["appraisal"]:
        this = by_kind.filter(nw.col("kind") == kind)
        columns = {f"{kind}_appraisal_score": nw.col("total_score"), f"{kind}_appraisal_result": nw.col("result")}
        rows = _beside(rows, this.select(*KEY, **columns))
    return rows


_ADDED = (
    (("appointments",), _experience),
    (("tiers",), _tier),
    (("studio_members",), _studio),
    (("training_events", "attendance"), _training),
    (("incentives",), _incentives),
    (("appraisals",), _appraisal),
)
