"""Frames as they come, read strictly into the types of the schema: each distinct value once, every misfit kept."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from htresearch.identifiers import any_in
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.study.schema import Column, Table

#: The type in which each kind of column is kept; every other kind is text.
ARROW = {
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
}
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

#: A pseudonym, or a short running number: no identifier has either form.
_HARMLESS = r"^([a-z]_[0-9a-f]{16,64}|[A-Za-z]{0,4}[-_]?[0-9]{0,8})$"

_RULES = {
    "date": Text("不是日期（应如 2024-09-01，不带时间）", "is no date such as 2024-09-01, without a time of day"),
    "timestamp": Text("不是时间（应如 2024-09-01 08:30:00）", "is no time such as 2024-09-01 08:30:00"),
    "boolean": Text("不是 true 或 false", "is neither true nor false"),
    "integer": Text("不是整数", "is no whole number"),
    "number": Text("不是数字", "is no number"),
    "id": Text(
        "不能用作编号（须为文字或整数，不含看不见的字符）", "is no id: text or a whole number, nothing invisible"
    ),
}
_NO_TEXT = Text("不是文字", "is no text")
_TELLING = Text("含有电话、证件号之类能认出人的内容", "holds a phone number or the like, which tells who somebody is")


@dataclass(frozen=True, eq=False)
class Misfit:
    """A value that cannot be read as its column wants it, and the rows that hold it."""

    column: str
    rows: np.ndarray
    value: object
    rule: Text


def read_frame(frame: pd.DataFrame, table: Table) -> tuple[pa.Table, list[Misfit]]:
    """Return the columns of a frame in the types of the schema, and what does not fit.

    Parameters
    ----------
    frame
        Columns of the table; those it lacks are empty.
    table
        The table of the schema.

    Returns
    -------
    tuple
        All columns of the table, text as dictionaries (misfits are empty there); and the misfits.

    Examples
    --------
    >>> from htresearch.study.schema import schema
    >>> pupils = pd.DataFrame({"student_id": [17, "x"], "sex": "female"})
    >>> rows, misfits = read_frame(pupils, schema().tables["students"])
    >>> rows["student_id"].to_pylist(), misfits
    (['17', 'x'], [])
    """
    arrays, misfits = [], []
    for column in table.columns:
        if column.name in frame:
            array, wrong = read_column(frame[column.name], column)
            misfits += wrong
        else:
            array = pa.nulls(len(frame), ARROW.get(column.type, _DICTIONARY))
        arrays.append(array)
    return pa.table(arrays, list(table.names)), misfits


def read_column(series: pd.Series, column: Column) -> tuple[pa.Array, list[Misfit]]:
    """Return one column in its type, empty where a value does not fit, and the values that do not."""
    if column.type == "number" and series.dtype.kind in "if" and isinstance(series.dtype, np.dtype):
        numbers = series.to_numpy(dtype=float)
        endless = np.flatnonzero(np.isinf(numbers))
        wrong = [Misfit(column.name, endless, math.inf, _RULES["number"])] if len(endless) else []
        return pa.array(np.where(np.isfinite(numbers), numbers, np.nan), from_pandas=True), wrong
    codes, values = _distinct(series)
    read = _READERS.get(column.type, _text)
    made, rules = [], {}
    for code, value in enumerate(values):
        try:
            made.append(read(value))
        except (ValueError, OverflowError):
            made.append(None)
            rules[code] = _RULES.get(column.type, _NO_TEXT)
    if column.type in ("id", "text"):
        rules |= dict.fromkeys(_telling(made), _TELLING)
    rows = np.flatnonzero(np.isin(codes, list(rules)))
    wrong = [
        Misfit(column.name, rows[held], values[code], rules[code])
        for code, held in pd.Series(codes[rows]).groupby(codes[rows]).indices.items()
    ]
    return _array(codes, made, ARROW.get(column.type)), wrong


def misfit(value: object, column: Column) -> Text | None:
    """Return the rule that one value breaks as an entry of a column, None where it fits."""
    try:
        _READERS.get(column.type, _text)(value)
    except (ValueError, OverflowError):
        return _RULES.get(column.type, _NO_TEXT)
    return None


def _telling(texts: list[str | None]) -> list[int]:
    """Return the places of texts that tell who somebody is; ids that plainly do not are passed over quickly."""
    array = pa.array(texts, pa.string())
    doubtful = pc.invert(pc.match_substring_regex(array, _HARMLESS)).fill_null(False)
    at = np.flatnonzero(doubtful.to_numpy(zero_copy_only=False))
    return at[any_in(pd.Series([texts[i] for i in at.tolist()], dtype=object)).to_numpy(dtype=bool)].tolist()


def _distinct(series: pd.Series) -> tuple[np.ndarray, list]:
    """Return a code for each row, -1 where it is missing, and the values that the codes stand for."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy(), list(series.cat.categories)
    plain = {"string", "date", "datetime", "integer", "floating", "boolean", "empty"}
    if series.dtype != object or pd.api.types.infer_dtype(series, skipna=True) in plain:
        codes, values = pd.factorize(series)
        return codes, list(values)
    # 1, 1.0 and True are equal to Python, but not to a reader.
    kinds, types = pd.factorize(series.map(type))
    try:
        codes, _ = pd.factorize(series)
    except TypeError:  # lists and the like
        codes, _ = pd.factorize(series.map(repr))
    both = np.where(codes < 0, -1, codes * np.int64(len(types)) + kinds)
    pairs, first, codes = np.unique(both, return_index=True, return_inverse=True)
    missing = int(len(pairs) > 0 and pairs[0] < 0)
    return codes - missing, [series.iloc[at] for at in first[missing:]]


def _array(codes: np.ndarray, values: list, kind: pa.DataType | None) -> pa.Array:
    if kind is not None:
        return pa.array(values, kind).take(pa.array(codes, mask=codes < 0))
    merged, kept = pd.factorize(pd.Series(values, dtype=object))
    if len(merged):  # two ways of writing may have come out as one text
        codes = np.where(codes < 0, -1, merged[codes])
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(kept), pa.string()))


# --- how one value is read ------------------------------------------------------------------------------------------


def _text(value: object) -> str | None:
    if isinstance(value, str):
        text = value.strip()
        if "\0" in text or any("\ud800" <= mark <= "\udfff" for mark in text if mark > "\ud7ff"):
            raise ValueError
        return text or None
    return str(_integer(value))


def _id(value: object) -> str | None:
    text = _text(value)
    if text and not text.isascii() and any(unicodedata.category(mark) in ("Cc", "Cf") for mark in text):
        raise ValueError
    if text and text.isascii() and not text.isprintable():
        raise ValueError
    return text


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        if text and not _WHOLE.fullmatch(text):
            raise ValueError
        return int(text) if text else None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise ValueError
    whole = int(value)  # of infinity: OverflowError
    if whole != value or abs(whole) >= 1 << 63:
        raise ValueError
    return whole


def _number(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        if text and not _DECIMAL.fullmatch(text):
            raise ValueError
        value = float(text) if text else None
    elif isinstance(value, (bool, np.bool_)) or not hasattr(value, "__float__"):
        raise ValueError
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: object) -> bool | None:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false", ""):
        return {"true": True, "false": False, "": None}[value.strip().lower()]
    raise ValueError


def _date(value: object) -> date | None:
    if isinstance(value, str):
        text = value.strip()
        if text and not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text) if text else None
    if isinstance(value, datetime):
        if value.tzinfo or value != datetime(value.year, value.month, value.day):
            raise ValueError
        return value.date()
    if not isinstance(value, date):
        raise ValueError
    return value


def _timestamp(value: object) -> datetime | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip()) if value.strip() else None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    if value is not None and (not isinstance(value, datetime) or value.tzinfo):
        raise ValueError
    return value


_READERS: dict[str, Callable[[object], object]] = {
    "id": _id,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
