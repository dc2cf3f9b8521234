"""Time without look-ahead: what was there before a term's first day.

Written in the part of Narwhals that its DuckDB and its Spark backends share, so these expressions run on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import narwhals as nw

if TYPE_CHECKING:
    from htresearch.study.open import Study


def calendar(study: Study) -> nw.LazyFrame:
    """Return the terms in order, each with the days that decide what counts.

    Returns
    -------
    narwhals.LazyFrame
        term_id, term_index (from 1), year (the school year's first), first_day, last_day, eve (the day before the
        first day) and year_before (the same day a year before the first day).
    """
    import pandas as pd

    terms = study.table("terms").collect("pandas").to_native().sort_values("starts_on", ignore_index=True)
    start = pd.to_datetime(terms["starts_on"])
    days = {
        "first_day": start,
        "last_day": pd.to_datetime(terms["ends_on"]),
        "eve": start - pd.Timedelta(days=1),
        "year_before": start - pd.DateOffset(years=1),
    }
    index = pd.DataFrame(
        {
            "term_id": terms["term_id"].astype("str"),
            "term_index": range(1, len(terms) + 1),
            "year": terms["school_year"].str[:4].astype(int),
        }
    )
    # Lent as times and cast there: the type of an empty column of dates would be lost on the way.
    lent = study.store.lend(index.assign(**days))
    return lent.with_columns(*(nw.col(name).cast(nw.Date) for name in days))


def in_force(since: str, until: str) -> nw.Expr:
    """Tell whether a state held at the end of the day before the term; the last day of a spell still counts."""
    return (nw.col(since) <= nw.col("eve")) & (nw.col(until).is_null() | (nw.col(until) >= nw.col("eve")))


def overlaps(since: str, until: str) -> nw.Expr:
    """Tell whether a spell has a day in the term."""
    return (nw.col(since) <= nw.col("last_day")) & (nw.col(until).is_null() | (nw.col(until) >= nw.col("first_day")))


def earliest(lazy: nw.LazyFrame, by: Sequence[str], order: Sequence[str]) -> nw.LazyFrame:
    """Keep the first row of each group in the given order."""
    return _numbered(lazy, by, order).filter(nw.col("_nth") == 1).drop("_one", "_nth")


def latest(lazy: nw.LazyFrame, by: Sequence[str], order: Sequence[str]) -> nw.LazyFrame:
    """Keep the last row of each group in the given order."""
    numbered = _numbered(lazy, by, order).with_columns(_all=nw.col("_one").sum().over(*by))
    return numbered.filter(nw.col("_nth") == nw.col("_all")).drop("_one", "_nth", "_all")


def _numbered(lazy: nw.LazyFrame, by: Sequence[str], order: Sequence[str]) -> nw.LazyFrame:
    return lazy.with_columns(_one=nw.lit(1)).with_columns(
        _nth=nw.col("_one").cum_sum().over(*by, order_by=list(order))
    )


def days_once(spells: nw.LazyFrame, by: Sequence[str], since: str, until: str) -> nw.LazyFrame:
    """Add ``days``: the days of each spell that no earlier spell of its group covers, so that no day counts twice."""
    order = {"order_by": ["_first", "_last"]}
    spells = spells.with_columns(_first=day_number(nw.col(since)), _last=day_number(nw.col(until)))
    spells = spells.with_columns(_reach=nw.col("_last").cum_max().over(*by, **order))
    spells = spells.with_columns(_before=nw.col("_reach").shift(1).over(*by, **order))
    covered = nw.when(nw.col("_before") >= nw.col("_first")).then(nw.col("_before")).otherwise(nw.col("_first") - 1)
    days = nw.when(nw.col("_last") > covered).then(nw.col("_last") - covered).otherwise(nw.lit(0))
    return spells.with_columns(days=days).drop("_first", "_last", "_reach", "_before")


def day_number(day: nw.Expr) -> nw.Expr:
    """Return the running number of a day in the Gregorian calendar.

    Backends disagree on the type of a difference of dates; they agree on this.
    """
    year = day.dt.year() - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + day.dt.ordinal_day()
