"""Within and between: what a variable does inside a group, and what its group mean does."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError, Fault
from htresearch.language import Text


def mundlak(frame: pd.DataFrame, columns: Sequence[str], group: str | Sequence[str]) -> pd.DataFrame:
    """Split variables into their group mean and the distance from it.

    With both parts in a model, the coefficient of the within part compares pupils or teachers of one group and is
    free of everything that differs between groups; the between part compares groups. Where the two differ, a single
    coefficient would mix them.

    Parameters
    ----------
    frame
        A row per observation.
    columns
        Numeric columns to split.
    group
        The column, or columns, that name a group.

    Returns
    -------
    pandas.DataFrame
        A copy of `frame` with ``<x>_within`` and ``<x>_between`` for each column, in its units. Means leave missing
        values out; a row whose group is missing has neither part.

    Raises
    ------
    ColumnError
        If a column is missing or not numeric.

    References
    ----------
    Mundlak, Y. (1978). On the pooling of time series and cross section data. Econometrica, 46, 69-85.
    https://doi.org/10.2307/1913646

    Examples
    --------
    >>> import pandas as pd
    >>> from htresearch.multilevel import mundlak
    >>> frame = pd.DataFrame({"school_id": ["a", "a", "b"], "hours": [10.0, 20.0, 40.0]})
    >>> split = mundlak(frame, ["hours"], "school_id")
    >>> split["hours_within"].tolist(), split["hours_between"].tolist()
    ([-5.0, 5.0, 0.0], [15.0, 15.0, 40.0])
    """
    groups = [group] if isinstance(group, str) else list(group)
    checks.require(
        *checks.columns("columns", columns, list(frame.columns)),
        *checks.columns("group", groups, list(frame.columns)),
        *[_not_numeric(frame, column) for column in columns if column in frame],
        error=ColumnError,
    )
    means = {column: frame.groupby(groups, observed=True)[column].transform("mean") for column in columns}
    parts = {}
    for column, mean in means.items():
        parts[f"{column}_within"] = frame[column] - mean
        parts[f"{column}_between"] = mean
    return frame.assign(**parts)


def _not_numeric(frame: pd.DataFrame, column: str) -> Fault | None:
    if pd.api.types.is_numeric_dtype(frame[column]):
        return None
    return Fault(
        checks.argument("columns"),
        Text(f"“{column}”不是数值列，没有组平均数", f"{column!r} is not numeric and has no group mean"),
        Text("请只给数值列；类别可先转成 0 和 1", "Give numeric columns; turn a category into 0 and 1 first"),
    )
