"""A share of an indicator among groups of persons that it does not come with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.checks import argument
from htresearch.corps.catalogue import definitions
from htresearch.corps.estimates import wilson
from htresearch.corps.withholding import hide
from htresearch.errors import Fault
from htresearch.language import Text


def split_rows(people: pd.DataFrame, yes: str, by: list[str], whole: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """Return the rows of an indicator for each group of persons, the whole first, few persons being hidden.

    Parameters
    ----------
    people
        A row per person, with `yes`, the columns in `by` and ``school_id``.
    yes
        The column that says of whom it is true.
    by
        The columns of groups; groups stand in the order of their categories, otherwise in that of their names.
    whole
        The indicator's row of the district.
    fewest
        The least number of persons.
    """
    checks.require(checks.data_frame("people", people))
    checks.require(*checks.columns("people", [yes, "school_id", *by], people.columns))
    own = whole.iloc[0]
    definition = definitions()[own["indicator_id"]]
    true = people[yes].astype(float)
    checks.require(
        None if definition.interval == "wilson" else _no_share(definition.id),
        _others(own, int(true.sum()), len(people)) if np.isfinite(own["estimate"]) else None,
    )
    made = []
    for group in by:
        values = people[group].astype(object)
        order = (
            people[group].cat.categories
            if isinstance(people[group].dtype, pd.CategoricalDtype)
            else sorted(values.dropna().unique(), key=str)
        )
        for value in order:
            here = (values == value).to_numpy(bool)
            if here.any():
                schools = people.loc[here, "school_id"].nunique()
                made.append(
                    {
                        "group": group,
                        "value": str(value),
                        "numerator": true[here].sum(),
                        "denominator": here.sum(),
                        "n_schools": schools,
                    }
                )
    parts = pd.DataFrame(made)
    x, m = parts["numerator"].to_numpy(float), parts["denominator"].to_numpy(float)
    low, high = (definition.per * edge for edge in wilson(x, m))
    share = x / m
    parts = parts.assign(
        estimate=definition.per * share,
        std_error=definition.per * np.sqrt(share * (1 - share) / m),
        conf_low=low,
        conf_high=high,
    )
    kept = ("term", "term_id", "indicator_id", "unit")
    parts = parts.assign(**{c: own[c] for c in kept}, n_teachers=m, target=np.nan, why=None)
    plain = whole.drop(columns=["hidden", "under", "over"])
    rows = pd.concat(
        [plain, parts.reindex(columns=plain.columns).astype(plain.dtypes.drop("why").to_dict())], ignore_index=True
    )
    return hide(rows, None, "unit", fewest)


def _others(own: pd.Series, numerator: int, denominator: int) -> Fault | None:
    if (numerator, denominator) == (own["numerator"], own["denominator"]):
        return None
    said = f"{numerator}/{denominator}"
    return Fault(
        argument("people"),
        Text("与指标数的不是同一批人：{said}", "are not the persons of the indicator: {said}").format(said=said),
        Text(
            "指标为 {n:.0f}/{d:.0f}；请只留这一学期分母中的人，每人一行",
            "The indicator has {n:.0f}/{d:.0f}; keep a row for each person of its denominator in this term",
        ).format(n=own["numerator"], d=own["denominator"]),
    )


def _no_share(indicator_id: str) -> Fault:
    return Fault(
        argument("indicator_id"),
        Text("不是人数的比例", "is no share of persons"),
        Text("请选比例的指标", "Choose a share"),
        indicator_id,
    )
