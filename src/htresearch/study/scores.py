"""Scores that may be compared: standardised within an assessment, never wider than they are comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from htresearch.checks import argument, one_of, require
from htresearch.errors import ComparabilityError, Fault
from htresearch.language import Text, listing

if TYPE_CHECKING:
    from htresearch.study.open import Study

_UNIT = {"class": "class_id", "school": "school_id", "zone": "zone_id"}


def check_measure(study: Study, measure: str, compare: str) -> None:
    """Refuse a measure that the study lacks, or a comparison wider than its assessments allow.

    Raises
    ------
    ArgumentError
        If `measure` or `compare` is none that exists.
    ComparabilityError
        If an assessment of the measure is comparable less widely than `compare`.
    """
    widths = study.store.schema.vocabularies["comparable_within"]
    study.needs(["assessments"])
    rows = study.table("assessments").select("assessment_id", "measure", "comparable_within")
    known = rows.collect("pandas").to_native()
    require(None if len(known) else _no_assessment())
    require(one_of("measure", measure, sorted(set(known["measure"]))), one_of("compare", compare, widths))
    ours = known[known["measure"] == measure]
    allowed = min(ours["comparable_within"], key=widths.index)
    if widths.index(allowed) < widths.index(compare):
        narrow = ours[ours["comparable_within"].map(widths.index) < widths.index(compare)]
        raise ComparabilityError(_too_wide(study, measure, compare, allowed, narrow, _wide(known, compare, widths)))


def _no_assessment() -> Fault:
    return Fault(
        argument("measure"),
        Text("本研究没有任何测评", "the study has no assessment"),
        Text(
            "不给 measure 也可建立面板；成绩请放入 assessments 与 outcomes",
            "The panel can be made without a measure; results belong in assessments and outcomes",
        ),
    )


def _too_wide(study: Study, measure: str, compare: str, allowed: str, narrow, wide: list[str]) -> Fault:
    said = {
        "n": len(narrow),
        "first": narrow["assessment_id"].min(),
        "allowed": study.store.schema.label(allowed, "comparable_within"),
        "wanted": study.store.schema.label(compare, "comparable_within"),
        "narrow": allowed,
        "wide": listing(wide),
    }
    rule = Text(
        "{n} 次测评（如 {first}）的分数只在同一{allowed}内可比，不能在全{wanted}范围内比较",
        "the scores of {n} assessments (such as {first}) compare within one {allowed}, not across the {wanted}",
    )
    fix = Text(
        '改用 compare="{narrow}" 可在该范围内比较；要作更宽的比较，请用统一命题的测评：{wide}',
        'compare="{narrow}" compares within that range; for wider comparisons use a measure set for all: {wide}',
    )
    return Fault(Text(f"测评项目 {measure}", f"Measure {measure}"), rule.format(**said), fix.format(**said))


def _wide(known, compare: str, widths: tuple[str, ...]) -> list[str]:
    enough = known[known["comparable_within"].map(widths.index) >= widths.index(compare)]
    narrow = known[known["comparable_within"].map(widths.index) < widths.index(compare)]
    return sorted(set(enough["measure"]) - set(narrow["measure"])) or ["–"]


def _oriented(value: nw.Expr) -> nw.Expr:
    """Turn a value so that more is better: fewer seconds are a better run."""
    return nw.when(nw.col("better") == "lower").then(-value).otherwise(value)


def _differ(within: list[str]) -> nw.Expr:
    """Tell whether values differ at all: of equal ones, rounding errors may leave a standard deviation."""
    return nw.col("value").min().over(*within) < nw.col("value").max().over(*within)


def _assessed(study: Study, measure: str) -> nw.LazyFrame:
    kept = ("assessment_id", "term_id", "scale", "rated_by", "better")
    return study.table("assessments").filter(nw.col("measure") == measure).select(*kept)


def results_of(study: Study, assessed: nw.LazyFrame) -> nw.LazyFrame:
    """Return the results of who was present, with ``value``: more is better, a level counts by its place.

    `assessed` holds the assessments in question: assessment_id, scale, better and what else is wanted of them.
    """
    levels = study.store.schema.vocabularies["grade_level"]
    rank = nw.lit(None).cast(nw.Float64)
    for number, level in enumerate(levels, 1):
        rank = nw.when(nw.col("level") == level).then(nw.lit(float(number))).otherwise(rank)
    results = study.table("outcomes").filter(nw.col("status") == "present").join(assessed, on="assessment_id")
    value = nw.when(nw.col("scale") == "level").then(rank).otherwise(nw.col("score"))
    return results.with_columns(value=_oriented(value))


def pupil_scores(study: Study, measure: str, compare: str, places: nw.LazyFrame) -> nw.LazyFrame:
    """Return each pupil's standardised score of a measure in each term.

    Parameters
    ----------
    places
        student_id, term_id, class_id, school_id, zone_id: where each pupil was at the term's first day.

    Returns
    -------
    narwhals.LazyFrame
        Everyone with a result: student_id, term_id, score (mean over the term's assessments, each with mean 0 and SD
        1 within assessment and unit of comparison; more is better), n_assessments (behind the score) and own_rating
        (the class's head teacher gave it). The score is missing where the unit is unknown or all its results equal.
    """
    results = results_of(study, _assessed(study, measure)).filter(~nw.col("value").is_null())
    unit = _UNIT.get(compare)
    if unit:
        results = results.join(places.select("student_id", "term_id", unit), on=["student_id", "term_id"], how="left")
    within = ["assessment_id", *([unit] if unit else [])]
    results = results.with_columns(
        _mean=nw.col("value").mean().over(*within),
        _sd=nw.col("value").std(ddof=1).over(*within),
        _differ=_differ(within),
    )
    sound = nw.col("_differ") if not unit else nw.col("_differ") & ~nw.col(unit).is_null()
    results = results.with_columns(z=nw.when(sound).then((nw.col("value") - nw.col("_mean")) / nw.col("_sd")))
    own = nw.when(nw.col("rated_by") == "head_teacher").then(nw.lit(1)).otherwise(nw.lit(0))
    return (
        results.with_columns(_own=own)
        .group_by("student_id", "term_id")
        .agg(score=nw.col("z").mean(), n_assessments=nw.col("z").count(), _own=nw.col("_own").max())
        .with_columns(own_rating=nw.col("_own") == 1)
        .drop("_own")
    )


def class_scores(study: Study, measure: str, compare: str, places: nw.LazyFrame) -> nw.LazyFrame:
    """Return classes' standardised means of a measure where pupils' results are not released.

    The means are standardised between classes, weighted by size, within assessment and unit of comparison (wider than
    the class); `places` has class_id, school_id and zone_id.

    Returns
    -------
    narwhals.LazyFrame
        class_id, term_id, released (the standardised mean), released_n (pupils behind it).
    """
    unit = _UNIT.get(compare)
    means = study.table("class_outcomes").filter(~nw.col("mean").is_null() & (nw.col("n") > 0))
    means = means.join(_assessed(study, measure), on="assessment_id").with_columns(value=_oriented(nw.col("mean")))
    within = ["assessment_id"]
    if unit:
        means = means.join(places.select("class_id", unit), on="class_id").filter(~nw.col(unit).is_null())
        within.append(unit)
    means = means.with_columns(_differ=_differ(within)).filter(nw.col("_differ"))
    means = means.with_columns(_n=nw.col("n").sum().over(*within), _nx=nw.col("n") * nw.col("value"))
    means = means.with_columns(_mean=nw.col("_nx").sum().over(*within) / nw.col("_n"))
    means = means.with_columns(
        _nd=nw.col("n") * (nw.col("value") - nw.col("_mean")) * (nw.col("value") - nw.col("_mean"))
    )
    means = means.with_columns(_sd=(nw.col("_nd").sum().over(*within) / nw.col("_n")).sqrt())
    means = means.with_columns(z=(nw.col("value") - nw.col("_mean")) / nw.col("_sd"))
    return means.group_by("class_id", "term_id").agg(released=nw.col("z").mean(), released_n=nw.col("n").max())
