"""Validators of the arguments that recur.

Each returns a `Fault` or ``None``; `require` raises one `ArgumentError` with all of them, so that a user mends a
call once.
"""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from numbers import Integral, Real

from htresearch.errors import ArgumentError, Fault, HTResearchError
from htresearch.language import Text, listing


def require(*faults: Fault | None, error: type[HTResearchError] = ArgumentError) -> None:
    """Raise `error` with every fault that is not ``None``.

    Parameters
    ----------
    *faults
        What checks returned.
    error
        The kind of error.

    Returns
    -------
    None
        Where nothing is wrong.

    Raises
    ------
    ArgumentError
        Or another `error`, with all faults at once.

    Examples
    --------
    >>> require(integer("workers", 2), one_of("language", "en", ("zh", "en")))
    """
    found = [fault for fault in faults if fault is not None]
    if found:
        raise error(*found)


def argument(name: str) -> Text:
    """Name an argument in a message.

    Parameters
    ----------
    name
        The argument.

    Returns
    -------
    Text
        Its name as both languages write it.

    Examples
    --------
    >>> argument("digits").en
    'Argument digits'
    """
    return Text(f"参数 {name}", f"Argument {name}")


def suggestion(value: object, known: Iterable[object]) -> Text | None:
    """Return "did you mean …?" where a known word lies near, else ``None``.

    Parameters
    ----------
    value
        What was given.
    known
        The words that are known.

    Returns
    -------
    Text or None
        The question, in both languages.

    Examples
    --------
    >>> "score" in suggestion("scor", ["score", "tier"]).en
    True
    """
    near = get_close_matches(str(value), [str(k) for k in known], n=1, cutoff=0.6)
    return Text(f"是否想写 {near[0]}？", f"Did you mean {near[0]}?") if near else None


def one_of(name: str, value: object, allowed: Collection[object]) -> Fault | None:
    """Refuse a value outside a closed list.

    Parameters
    ----------
    name
        The argument, for the message.
    value
        What was given.
    allowed
        The list.

    Returns
    -------
    Fault or None
        What is wrong, if anything is.

    Examples
    --------
    >>> one_of("language", "en", ("zh", "en")) is None
    True
    """
    if value in allowed:
        return None
    return Fault(
        argument(name),
        Text("不在可选值之中", "not one of the possible values"),
        Text("可选：{all}", "Choose from: {all}").format(all=listing(allowed)),
        value,
    )


def integer(name: str, value: object, at_least: int = 1, at_most: int | None = None) -> Fault | None:
    """Refuse what is not a whole number in its range.

    Parameters
    ----------
    name
        The argument, for the message.
    value
        What was given.
    at_least, at_most
        The range, both ends in it; no upper end where `at_most` is ``None``.

    Returns
    -------
    Fault or None
        What is wrong, if anything is.

    Examples
    --------
    >>> integer("workers", 2) is None, integer("workers", 0) is None
    (True, False)
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole and value >= at_least and (at_most is None or value <= at_most):
        return None
    upper = Text("", "") if at_most is None else Text(f"、不大于 {at_most}", f" and at most {at_most}")
    return Fault(
        argument(name),
        Text("须为整数", "must be a whole number"),
        Text("请给一个不小于 {low}{upper} 的整数", "Give a whole number of at least {low}{upper}").format(
            low=at_least, upper=upper
        ),
        value,
    )


def between(name: str, value: object, low: float, high: float, open_ends: bool = False) -> Fault | None:
    """Refuse a number outside [low, high], or outside (low, high) with `open_ends`.

    Parameters
    ----------
    name
        The argument, for the message.
    value
        What was given.
    low, high
        The bounds.
    open_ends
        Whether the bounds themselves are refused too.

    Returns
    -------
    Fault or None
        What is wrong, if anything is.

    Examples
    --------
    >>> between("conf_level", 0.95, 0, 1, open_ends=True) is None
    True
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if number and (low < value < high if open_ends else low <= value <= high):
        return None
    ends = Text("（不含两端）", ", ends excluded") if open_ends else Text("", "")
    return Fault(
        argument(name),
        Text("超出范围", "out of range"),
        Text("请给 {low} 到 {high} 之间的数{ends}", "Give a number from {low} to {high}{ends}").format(
            low=low, high=high, ends=ends
        ),
        value,
    )


def data_frame(name: str, value: object) -> Fault | None:
    """Refuse what is no pandas DataFrame, and one in which a column's name recurs.

    Parameters
    ----------
    name
        The argument, for the message.
    value
        What was given.

    Returns
    -------
    Fault or None
        What is wrong, if anything is.

    Examples
    --------
    >>> import pandas as pd
    >>> data_frame("data", pd.DataFrame({"x": [1]})) is None
    True
    """
    # Named, not imported: `import htresearch` does not load pandas.
    if not any(f"{kind.__module__}.{kind.__name__}".startswith("pandas") for kind in type(value).__mro__) or (
        not hasattr(value, "columns")
    ):
        return Fault(
            argument(name),
            Text("须为 pandas 数据框", "must be a pandas data frame"),
            Text("请给一个数据框，每人一行", "Give a data frame with a row per respondent"),
            type(value).__name__,
        )
    twice = value.columns[value.columns.duplicated()].unique()
    if not len(twice):
        return None
    return Fault(
        argument(name),
        Text("列名重复：{all}", "columns of one name: {all}").format(all=listing(list(twice))),
        Text("每个名称只留一列", "Keep one column of each name"),
    )


def columns(name: str, wanted: Iterable[str], present: Collection[str]) -> list[Fault]:
    """Refuse names that are not columns of a frame, each with the nearest column.

    Parameters
    ----------
    name
        The argument, for the message.
    wanted
        The names that were given.
    present
        The frame's columns.

    Returns
    -------
    list of Fault
        One for each name that is no column.

    Examples
    --------
    >>> len(columns("outcome", ["scor"], ["score", "tier"]))
    1
    """
    return [
        Fault(
            argument(name),
            Text(f"没有“{column}”这一列", f"there is no column {column!r}"),
            suggestion(column, present)
            or Text("现有的列：{all}", "The columns are: {all}").format(all=listing(list(present)[:20])),
        )
        for column in wanted
        if column not in present
    ]
