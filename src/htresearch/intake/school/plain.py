"""Words as they are meant: full-width digits, blanks inside names and Chinese numerals read as what they say."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from htresearch.intake.identity import normalised

_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－~～〜", "-"))
_DIGITS = {mark: value for value, marks in enumerate(("〇零○", *"一二三四五六七八九")) for mark in marks}


def plain(value: object) -> str:
    """Return a cell as text without blanks, in half-width characters and with one kind of dash.

    Examples
    --------
    >>> plain(" 七年级（ ３ ）班　")
    '七年级(3)班'
    >>> plain(None), plain(7.0), plain(1.5)
    ('', '7', '1.5')
    """
    if isinstance(value, str):
        return _plain(value)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@lru_cache(maxsize=1 << 16)
def _plain(text: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).translate(_DASHES)


@lru_cache(maxsize=1 << 17)
def spelled(value: object) -> str:
    """Return a name or a number as it is compared: as pseudonyms are made, so that a sheet and a roster agree.

    Examples
    --------
    >>> spelled("王　伟"), spelled("古丽·热娜") == spelled("古丽．热娜"), spelled("００３"), spelled(None)
    ('王伟', True, '3', '')
    """
    return "" if value is None else normalised(value)


def masked(name: object) -> str:
    """Return a name so that it can be shown: its first character.

    Examples
    --------
    >>> masked("欧阳 静")
    '欧**'
    """
    text = plain(name)
    return text[:1] + "*" * max(len(text) - 1, 1) if text else ""


def numeral(text: str) -> int | None:
    """Read a whole number below 100 in digits or in Chinese; None where it is none.

    Examples
    --------
    >>> numeral("12"), numeral("十二"), numeral("二十"), numeral("一二")
    (12, 12, 20, None)
    """
    if re.fullmatch(r"[0-9]{1,2}", text):
        return int(text)
    if len(text) == 1 and text in _DIGITS:
        return _DIGITS[text]
    match = re.fullmatch(r"([二三四五六七八九]?)十([一二三四五六七八九]?)", text)
    if not match:
        return None
    tens, ones = match.groups()
    return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)


def digits(text: str) -> str:
    """Write years in Chinese digits as figures.

    Examples
    --------
    >>> digits("二〇二四年")
    '2024年'
    """
    return re.sub(
        r"[〇零○一二三四五六七八九]{4}(?=[年学级届至到/-]|$)",
        lambda match: "".join(str(_DIGITS[mark]) for mark in match[0]),
        text,
    )
