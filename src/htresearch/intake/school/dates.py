"""Days and terms in the ways in which schools write them; what could mean two things is not read."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from functools import lru_cache

from htresearch.intake.school.plain import digits, plain

_DAY = re.compile(r"((?:19|20)\d{2})[年./-](\d{1,2})[月./-](\d{1,2})(?!\d)[日号]?")
_RUN = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_SHORT = re.compile(r"(?<![\d年./-])(\d{1,2})[月.](\d{1,2})(?![\d.月])[日号]?")
_MONTH = re.compile(r"((?:19|20)\d{2})(?:年|[./-])(\d{1,2})月?份?")
_AFTER_DAY = r"(?:\(?(?:星期|周)[一二三四五六日天]\)?)?(?:[上下]午)?(?:\d{1,2}[:时].*)?"

_TIME = re.compile(r"[\sT]+\d{1,2}[:：时].*$", re.DOTALL)

_YEARS = r"(?P<first>(?:19|20)?\d{2})[-/至](?P<second>(?:19|20)?\d{2})"
_HALF = (
    r"(?:第?(?P<nth>[一二12])学期|(?P<side>[上下])(?:学期|半学年|(?![\u3400-\u9fff]))|\((?P<paren>[上下一二12])\)"
    r"|(?P<season>[春秋])(?:季|学期|期))"
)
_TERMS = (
    re.compile(_YEARS + r"(?:学?年度?)?第?[,，(]?" + _HALF),
    re.compile(_YEARS + r"-(?P<nth>[12])(?!\d)"),
    re.compile(r"(?<![-0-9/至到.、])(?P<first>(?:19|20)\d{2})学年度?[,，(]?" + _HALF),
    re.compile(r"(?P<year>(?:19|20)\d{2})年?(?P<season>[春秋])(?!游|运|天)"),
)
_ID = re.compile(r"(?P<first>(?:19|20)\d{2})-(?P<nth>[12])")


def day(value: object) -> date | None:
    """Read a cell that holds one day; None where it holds none, or none that is certain.

    Text reads as 2024.9.1, 2024-9-1, 2024/9/1, 2024年9月1日 or 20240901, also in full-width digits.

    Examples
    --------
    >>> day("２０２４．９．１"), day(20240901), day("24.9.1")
    (datetime.date(2024, 9, 1), datetime.date(2024, 9, 1), None)
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    # The time of day is cut off while a blank still parts it from the day.
    text = digits(plain(_TIME.sub("", value) if isinstance(value, str) else value))
    match = _RUN.fullmatch(text) or re.fullmatch(_DAY.pattern + _AFTER_DAY, text)
    return _date(*match.groups()[:3]) if match else None


def month_end(value: object) -> date | None:
    """Read a cell that holds a month only, as text, and return its last day.

    A number such as 2024.1 is not read: it may have been 2024.10.

    Examples
    --------
    >>> month_end("2024年2月"), month_end("2024.10"), month_end(2024.1)
    (datetime.date(2024, 2, 29), datetime.date(2024, 10, 31), None)
    """
    match = _MONTH.fullmatch(digits(plain(value))) if isinstance(value, str) else None
    if not match or not 1 <= int(match[2]) <= 12:
        return None
    year, month = int(match[1]), int(match[2])
    return date(year, month, calendar.monthrange(year, month)[1])


def find_days(text: str, since: date, until: date) -> list[tuple[date, int, int]]:
    """Find the days that a remark names, with where each begins and ends.

    A day without a year is read in the year that puts it from `since` to `until`, if there is exactly one.

    Parameters
    ----------
    text
        The remark, made `plain`.

    Examples
    --------
    >>> find_days("11月11日起休假", date(2024, 9, 1), date(2025, 1, 20))
    [(datetime.date(2024, 11, 11), 0, 6)]
    """
    found = []
    for match in _DAY.finditer(text):
        if read := _date(*match.groups()):
            found.append((read, *match.span()))
    taken = [range(begins, ends) for _, begins, ends in found]
    for match in _SHORT.finditer(text):
        if any(match.start() in span for span in taken):
            continue
        years = range(since.year, until.year + 1)
        dates = [d for year in years if (d := _date(year, *match.groups())) and since <= d <= until]
        if len(dates) == 1:
            found.append((dates[0], *match.span()))
    return sorted(found, key=lambda entry: entry[1])


def _date(year: object, month: object, of_month: object) -> date | None:
    try:
        return date(int(year), int(month), int(of_month))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def find_term(text: str) -> tuple[int, int] | None:
    """Find the term that a text names: the year in which its school year begins, and 1 (autumn) or 2 (spring).

    A “2024年上学期” is not read: it is the spring of 2024 in some provinces and the autumn in others.

    Parameters
    ----------
    text
        A title, a sheet's name or a cell, made `plain`.

    Examples
    --------
    >>> find_term("2024-2025学年第一学期成绩册"), find_term("2024学年度下学期"), find_term("2025年春季")
    ((2024, 1), (2024, 2), (2024, 2))
    >>> find_term("2024-1"), find_term("2024年上学期"), find_term("2024-2026学年第一学期")
    ((2024, 1), None, None)
    """
    text = digits(text)
    if match := _ID.fullmatch(text):
        return int(match["first"]), int(match["nth"])
    for pattern in _TERMS:
        if match := pattern.search(text):
            return _term(match.groupdict())
    return None


def _term(said: dict[str, str | None]) -> tuple[int, int] | None:
    half = 1 if (said.get("nth") or said.get("side") or said.get("paren") or said.get("season")) in "一1上秋" else 2
    if said.get("year"):
        return int(said["year"]) - (half == 2), half
    first = _full(said["first"])
    if said.get("second") and _full(said["second"]) != first + 1:
        return None
    return first, half


def _full(year: str) -> int:
    return int(year) + (2000 if len(year) == 2 else 0)
