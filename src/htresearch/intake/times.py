"""Moments and durations as exports and people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from unicodedata import normalize

import numpy as np
import pandas as pd

#: Excel counts days from here (its 1900 leap-year error is behind all dates that matter).
_EXCEL_DAY_0 = datetime(1899, 12, 30)
_EXCEL_DAYS = (20_000, 80_000)  # 1954 to 2119

_CLOCK = (
    r"(?:(?P<half>上午|下午|中午|晚上|凌晨|早上|am|pm)?\s*(?P<h>\d{1,2})\s*[:时点]\s*(?P<m>\d{1,2})\s*"
    r"(?:[:分]\s*(?P<s>\d{1,2})(?:\.\d+)?\s*秒?|分)?\s*(?P<half_after>am|pm)?)?"
)
# Of offsets only China's own is read: another's day may not be the day it was here.
_YEAR_FIRST = re.compile(
    r"(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?(?:\s*(?:星期|周).)?[\st,]*"
    rf"{_CLOCK}\s*(?:\+08:?00)?"
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_MONTH_NAMED = re.compile(rf"(?P<d>\d{{1,2}})[-\s](?P<name>[a-z]{{3}})[a-z]*[-\s,]+(?P<y>\d{{4}})[\st,]*{_CLOCK}")
_COMPACT = re.compile(rf"(?P<y>20\d\d)(?P<mo>[01]\d)(?P<d>[0-3]\d)(?:[\st]*{_CLOCK})")
_AFTERNOON = ("下午", "晚上", "pm")

_UNITS = re.compile(
    r"(?:(?P<d>\d+)\s*(?:天|days?|d))?\s*(?:(?P<h>\d+)\s*(?:小时|时|hours?|hrs?|h))?\s*"
    r"(?:(?P<m>\d+)\s*(?:分钟|分|minutes?|mins?|m))?\s*(?:(?P<s>\d+(?:\.\d+)?)\s*(?:秒钟|秒|seconds?|secs?|s))?"
)
_COLONS = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2})(?:\.\d+)?")


def moment(value: object) -> datetime | None:
    """Read a date or a date and time; None where there is none to be read for certain.

    Years stand first, or months by name: ``1/2/2024`` could be January or February and is not read.

    Parameters
    ----------
    value
        A cell: text, a date, or the number by which Excel counts days.

    Examples
    --------
    >>> str(moment("2024年9月1日 下午2:05:03"))
    '2024-09-01 14:05:03'
    >>> str(moment(45536.5))
    '2024-09-01 12:00:00'
    >>> moment("1/2/2024") is None
    True
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=None) if 1900 < value.year < 2200 else None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day) if 1900 < value.year < 2200 else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _excel(float(value))
    text = normalize("NFKC", str(value)).strip().casefold()
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _excel(float(text))
    for form in (_YEAR_FIRST, _MONTH_NAMED, _COMPACT):
        if found := form.fullmatch(text):
            return _put_together(found.groupdict())
    return None


def _excel(days: float) -> datetime | None:
    if not _EXCEL_DAYS[0] <= days <= _EXCEL_DAYS[1]:
        return None
    return _EXCEL_DAY_0 + timedelta(seconds=round(days * 86_400))


def _put_together(part: dict[str, str | None]) -> datetime | None:
    month = _MONTHS.get(part["name"], 0) if "name" in part else int(part["mo"])
    hour = int(part["h"] or 0)
    half = part["half"] or part["half_after"]
    if half in _AFTERNOON and hour < 12:
        hour += 12
    elif half in ("上午", "凌晨", "am") and hour == 12:
        hour = 0
    if not 1900 < int(part["y"]) < 2200:
        return None
    try:
        return datetime(int(part["y"]), month, int(part["d"]), hour, int(part["m"] or 0), int(part["s"] or 0))
    except ValueError:
        return None


#: Longer than a year is no time that somebody took to answer.
_LONGEST = 366 * 86_400


def moments(cells: Sequence[object]) -> pd.Series:
    """Read a column of moments; what cannot be read is NaT."""
    read = {value: moment(value) for value in pd.unique(np.asarray(cells, dtype=object)) if value is not None}
    return pd.Series(pd.to_datetime([read.get(value) for value in cells]), dtype="datetime64[us]")


def seconds(value: object, minutes_first: bool = False) -> float | None:
    """Read how long something took, in seconds; None where it cannot be read.

    Parameters
    ----------
    value
        A cell: ``123秒``, ``2分3秒``, ``1:23`` (a minute and 23 seconds), ``1:02:03``, a number of seconds.
    minutes_first
        Whether a time of day is really minutes and seconds: Excel turns a typed ``1:23`` into 01:23:00.

    Examples
    --------
    >>> [seconds(v) for v in ("123秒", "2分3秒", "1:23", "1小时2分3秒", 45)]
    [123.0, 123.0, 83.0, 3723.0, 45.0]
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, time):
        whole = value.hour * 3600 + value.minute * 60 + value.second
        return float(value.hour * 60 + value.minute) if minutes_first else float(whole)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        # Less than a second is a time of day that lost its format, and 1:23 may then be an hour or a minute.
        return float(value) if np.isfinite(value) and (value >= 1 or value == 0) else None
    text = normalize("NFKC", str(value)).strip().casefold()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if found := _COLONS.fullmatch(text):
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        return hours * 3600.0 + minutes * 60 + rest
    if text and (found := _UNITS.fullmatch(text)):
        part = {name: float(number or 0) for name, number in found.groupdict().items()}
        return part["d"] * 86_400 + part["h"] * 3600 + part["m"] * 60 + part["s"]
    return None


def durations(cells: Iterable[object]) -> pd.Series:
    """Read a column of durations in seconds; what cannot be read is missing."""
    cells = np.asarray(cells, dtype=object)
    distinct = [value for value in pd.unique(cells) if value is not None]
    clocks = [value for value in distinct if isinstance(value, time)]
    # Minutes and seconds typed as 1:23 all fall on full minutes once Excel takes them for hours and minutes.
    typed = bool(clocks) and not any(value.second for value in clocks)
    took = {value: seconds(value, typed) for value in distinct}
    read = {value: s if s is not None and s <= _LONGEST else None for value, s in took.items()}
    return whole(pd.Series([read.get(value) for value in cells], dtype="Float64"))


def whole(numbers: pd.Series) -> pd.Series:
    """Return numbers as whole ones (``Int64``) where all are, else as they are."""
    kept = numbers.dropna()
    return numbers.astype("Int64") if ((kept % 1 == 0) & (kept.abs() < 2**53)).all() else numbers
