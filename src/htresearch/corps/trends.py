"""How the classes of a head teacher did over the terms, beside comparable classes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.corps.parts import leading
from htresearch.language import Text, label, listing

if TYPE_CHECKING:
    from htresearch.study.open import Study

#: Of fewer other classes no middle half is given: it would be single classes.
FEWEST_OTHERS = 4
_WIDER = {"district": [], "zone": ["zone_id"], "school": ["school_id"]}
COLUMNS = (
    "teacher_id",
    "class_id",
    "measure",
    "term_id",
    "term_index",
    "grade",
    "estimate",
    "conf_low",
    "conf_high",
    "n_students",
    "others_median",
    "others_low",
    "others_high",
    "n_others",
    "compared_within",
    "own_rating",
)


def trends(study: Study, spells: pd.DataFrame | None, day: date) -> tuple[pd.DataFrame | None, tuple[Text, ...]]:
    """Return the results of classes in the terms in which a teacher led them at the first day, and what was left out.

    A class's estimate is the mean of its pupils' scores, standardised as widely as the measure may be compared, with
    a 95 % t interval over its pupils; beside it the median and the middle half of the other classes of the same term,
    stage and grade within that width. None where the study keeps no results.
    """
    kept = {"assessments", "classes", "schools", "terms"} <= set(study.tables)
    if spells is None or not kept or not ({"outcomes", "class_outcomes"} & set(study.tables)):
        return None, ()
    led = _first_days(study, leading(spells), day)
    widths = study.store.schema.vocabularies["comparable_within"]
    known = study.frame("assessments")[["measure", "comparable_within"]].astype(str)
    found, unlike = [], []
    for measure, ours in known.groupby("measure"):
        width = min(ours["comparable_within"], key=widths.index)
        if width not in _WIDER:
            unlike.append(str(measure))
        elif len(led):
            found.append(_of_measure(study, led, str(measure), width))
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))
    rows = rows.sort_values(["teacher_id", "measure", "term_index", "class_id"], ignore_index=True)
    note = Text(
        "只在班内可比的测评项目不列趋势，共 {n} 项：{names}",
        "Measures that compare within a class only have no trend ({n}): {names}",
    )
    said = note.format(n=len(unlike), names=listing([label(one) for one in unlike]))
    return rows[list(COLUMNS)], (said,) if unlike else ()


def _first_days(study: Study, led: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return which classes each teacher led at the end of the day before each term that had ended by the day."""
    terms = study.frame("terms").sort_values("starts_on", ignore_index=True)
    terms = terms.assign(term_index=range(1, len(terms) + 1), eve=terms["starts_on"] - pd.Timedelta(days=1))
    terms = terms[terms["ends_on"] <= pd.Timestamp(day)]
    rows = led.merge(terms[["term_id", "term_index", "eve"]], how="cross")
    there = (rows["starts_on"] <= rows["eve"]) & (rows["ends_on"].isna() | (rows["ends_on"] >= rows["eve"]))
    # Of two who led it, the one appointed earlier, a head teacher before an acting one, as the panels have it.
    order = rows[there].assign(_acting=rows["role"] == "acting")
    order = order.sort_values(["starts_on", "_acting", "teacher_id"])
    return order.drop_duplicates(["teacher_id", "class_id", "term_id"])[["teacher_id", "class_id", "term_id"]]


def _of_measure(study: Study, led: pd.DataFrame, measure: str, width: str) -> pd.DataFrame:
    from scipy.special import stdtrit

    lazy = study.class_results(measure, width, lazy=True)
    there = lazy.collect_schema().names()
    wanted = ["class_id", "term_id", "term_index", "stage", "grade", "school_id", "zone_id", "score", "score_sd"]
    optional = [c for c in ("n_scored", "own_rating") if c in there]
    classes = lazy.select(*(c for c in wanted if c in there), *optional).collect("pandas").to_native()
    classes = classes[classes["score"].notna()]
    for name in ("score_sd", "n_scored"):  # only class means are released
        classes = classes.assign(**{name: classes.get(name, np.nan)})
    own = classes.merge(led, on=["class_id", "term_id"])
    groups = dict(list(classes.groupby(["term_id", "stage", "grade", *_WIDER[width]], observed=True)))
    beside = [_beside(row, groups, width) for row in own.to_dict("records")]
    half = stdtrit(np.maximum(own["n_scored"] - 1, 1), 0.975) * own["score_sd"] / np.sqrt(own["n_scored"])
    half = half.where(own["n_scored"] > 1)
    return own.assign(
        measure=measure,
        estimate=own["score"],
        conf_low=own["score"] - half,
        conf_high=own["score"] + half,
        n_students=own["n_scored"].astype("Int64"),
        compared_within=width,
        own_rating=own.get("own_rating", pd.Series(False, own.index)).fillna(False).astype(bool),
        **{name: [one[i] for one in beside] for i, name in enumerate(COLUMNS[10:14])},
    )[list(COLUMNS)]


def _beside(row: dict, groups: dict, width: str) -> tuple[float, float, float, int]:
    """Return median, quartiles and number of the other classes of a term, stage and grade."""
    same = groups.get(tuple(row[c] for c in ("term_id", "stage", "grade", *_WIDER[width])))
    others = same.loc[same["class_id"] != row["class_id"], "score"] if same is not None else pd.Series(dtype=float)
    if len(others) < FEWEST_OTHERS:
        return np.nan, np.nan, np.nan, len(others)
    low, median, high = np.quantile(others, [0.25, 0.5, 0.75])
    return median, low, high, len(others)
