"""Find, mask, and tell of a whole column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from htresearch.identifiers.found import Found, mark
from htresearch.identifiers.names import Names
from htresearch.identifiers.plain import plain
from htresearch.identifiers.rules import MEASURE, OPAQUE, RULES, SIEVE

if TYPE_CHECKING:
    import pandas as pd

_HINT = re.compile(SIEVE.format(d=r"\d"))
_MEASURE = re.compile(MEASURE)


def _each(text: str) -> Iterator[Found]:
    """Give what the rules find, rule by rule; no two finds overlap."""
    if not _HINT.search(text) or _MEASURE.match(text):
        return
    read, places = plain(text)
    taken = [match.span() for match in OPAQUE.finditer(read)]
    for rule in RULES:
        position = 0
        while match := rule.pattern.search(read, position):
            start, end = match.span("it")
            if any(start < b and a < end for a, b in taken) or not rule.holds(match):
                position = match.start() + 1
                continue
            taken.append((start, end))
            position = end
            yield Found(rule.kind, *((start, end) if places is None else (places[start], places[end - 1] + 1)))


def find(text: str) -> list[Found]:
    """Find what identifies somebody in a text.

    Parameters
    ----------
    text
        Any text; digits may be full-width, grouped by spaces or dashes, or stand next to Chinese characters.

    Returns
    -------
    list of Found
        In the order of the text; finds don't overlap. The kinds are `KINDS`.

    Examples
    --------
    >>> text = "班主任电话１３８ ００１３ ８０００，学籍号G11010519491231002X。"
    >>> [(kind, text[start:end]) for kind, start, end in find(text)]
    [('phone', '１３８ ００１３ ８０００'), ('student_number', 'G11010519491231002X')]
    """
    return sorted(_each(text), key=lambda found: found.start)


def mask(text: str, names: Names | None = None) -> str:
    """Replace every find by a mark of its kind: ``‹电话›``.

    Parameters
    ----------
    text
        Any text.
    names
        Names that are to be replaced too.

    Returns
    -------
    str
        The text, in which `find` finds nothing more. The marks are the same in either language: they become data.

    Examples
    --------
    >>> mask("打13800138000找李建国", Names(["李建国"]))
    '打‹电话›找‹姓名›'
    """
    # What stood beside a find may have hidden another: so it is read again until there is none.
    while found := find(text) or (names.find(text) if names else []):
        for kind, start, end in reversed(found):
            text = text[:start] + mark(kind) + text[end:]
    return text


def any_in(values: pd.Series, names: Names | None = None) -> pd.Series:
    """Tell of each value of a column whether it holds an identifier.

    Parameters
    ----------
    values
        A column of any type; whole numbers are read as they would be written.
    names
        Names that count too.

    Returns
    -------
    pandas.Series
        True where `find` would find something, with the index of `values`; missing values hold nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> any_in(pd.Series(["满意", "请打13800138000", None])).tolist()
    [False, True, False]
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if isinstance(values.dtype, pd.CategoricalDtype):
        held, places = any_in(pd.Series(values.cat.categories), names).to_numpy(), values.cat.codes
    else:
        texts = pa.chunked_array([_as_texts(values)]).combine_chunks().dictionary_encode()
        held, places = _hold(texts.dictionary, names), texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    held = np.append(held, False)  # the last stands for what is missing, which is at -1
    return pd.Series(held[places], index=values.index, name=values.name)


_PHONE = r"^1[3-9][0-9]{9}$"


def _hold(texts, names: Names | None):
    """Tell of each text of an Arrow array whether it holds an identifier."""
    import pyarrow.compute as pc

    held = pc.match_substring_regex(texts, _PHONE)
    doubtful = pc.and_not(pc.match_substring_regex(texts, SIEVE.format(d=r"\p{Nd}")), held)
    doubtful = pc.and_not(doubtful, pc.match_substring_regex(texts, MEASURE))
    held, doubtful = (array.to_numpy(zero_copy_only=False).copy() for array in (held, doubtful))
    held[doubtful] = [next(_each(text), None) is not None for text in texts.filter(doubtful).to_pylist()]
    if names:
        held[~held] = [bool(names.find(text)) for text in texts.filter(~held).to_pylist()]
    return held


def _as_texts(values: pd.Series):
    """Return a column as an Arrow array of texts."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind) or len(values) == 0:
        return pa.nulls(len(values), pa.large_string())
    if pd.api.types.is_numeric_dtype(kind):
        numbers = values.to_numpy("float64", na_value=np.nan)
        long = (numbers >= 1e9) & (numbers < 1e19) & (numbers == np.floor(numbers))  # no other is an identifier
        written = np.full(len(values), None, dtype=object)
        written[long] = [_written(value) for value in values[long].tolist()]
        return pa.array(written, pa.large_string())
    if isinstance(kind, pd.StringDtype):
        return pa.array(values, pa.large_string())
    return pa.array([None if pd.isna(v) is True else _written(v) for v in values.tolist()], pa.large_string())


def _written(value: object) -> str:
    """Return a value as a cell would show it: a phone that was read as 13800138000.0 is one."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).encode("utf-8", "replace").decode()
