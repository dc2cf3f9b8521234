"""The ID-card number of China (公民身份号码), GB 11643-1999."""

import re
from contextlib import suppress
from datetime import date

from htresearch.identifiers.plain import plain

PROVINCES = frozenset(
    str(code)
    for codes in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(codes[0], codes[1] + 1)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check_character(digits: str) -> str:
    """Return the 18th character of an ID card from its first 17 digits (ISO 7064, MOD 11-2).

    Parameters
    ----------
    digits
        The first 17 digits.

    Returns
    -------
    str
        A digit or ``"X"``.

    Examples
    --------
    >>> check_character("11010519491231002")
    'X'
    """
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


def as_id_card(text: str) -> str | None:
    """Return an ID-card number in its 18 characters, or ``None`` where the text is none.

    Groups, full-width digits and a small x are understood. Fifteen digits are brought to eighteen, and the G of a
    学籍号 is left off, for a G number is the ID card: so one person has one number.

    Parameters
    ----------
    text
        What may be a number.

    Returns
    -------
    str or None
        Its 18 characters.

    Examples
    --------
    >>> as_id_card("G110105 19491231 002x"), as_id_card("110105491231002"), as_id_card("110105194912310021")
    ('11010519491231002X', '11010519491231002X', None)
    """
    number = re.sub(r"[\s\-.·_]", "", plain(text)[0]).upper()
    number = re.sub(r"^G(?=[0-9]{17}[0-9X]$)", "", number)
    if re.fullmatch(r"[0-9]{15}", number):
        number = f"{number[:6]}19{number[6:]}"
        number += check_character(number)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or not begins_like_id_card(number):
        return None
    return number if check_character(number[:17]) == number[17] else None


def begins_like_id_card(number: str) -> bool:
    """Tell whether a province and a date of birth stand where an ID card has them."""
    province = number[1:3] if number[0] == "9" else number[:2]  # 9: permanent residence of foreigners
    return province in PROVINCES and is_date(number[6:14])


def is_date(digits: str) -> bool:
    """Tell whether eight digits are a day of the 20th or 21st century."""
    if len(digits) != 8 or digits[:2] not in ("19", "20"):
        return False
    with suppress(ValueError):
        return bool(date(int(digits[:4]), int(digits[4:6]), int(digits[6:])))
    return False
