"""Labels that tell who somebody is."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from htresearch import identifiers

#: Columns each of whose values is one person.
PERSONAL = frozenset(
    {"student_id", "teacher_id", "respondent_id", "lead_teacher_id", "teacher_id_most_days", "name", "姓名", "phone"}
)
#: Pseudonyms as this package writes them, wherever they stand in a label.
_PSEUDONYM = re.compile(r"(?<![A-Za-z0-9])(?:[TPR]\d{5,}|[tspr]_[0-9a-f]{8,})(?![A-Za-z0-9])")

#: A class is its teacher: its id as this package writes it, and how classes are called.
_CLASS = re.compile(
    r"(?<![A-Za-z0-9])(?:C\d{5,}(?!\d)|cls_[0-9a-f]{8,})"
    r"|(?:年级|[初高][一二三]|[一二三四五六七八九]|(?<![\d.])\d{1,2}|20\d\d级)\s*[(（]\s*\d{1,2}\s*[)）]\s*班"
    r"|(?:年级|[初高][一二三])\s*[(（]?\s*[\d一二三四五六七八九十]{1,2}\s*[)）]?\s*班"
)


def is_class(text: object) -> bool:
    """Tell whether a label says which class it is.

    Examples
    --------
    >>> is_class("七年级(3)班"), is_class("C000123"), is_class("七年级"), is_class("3 个班")
    (True, True, False, False)
    """
    return isinstance(text, str) and bool(_CLASS.search(text))


def is_identifying(text: object) -> bool:
    """Tell whether a label holds a pseudonym of a person or what `htresearch.identifiers` finds."""
    if text is None or (not isinstance(text, str) and isinstance(text, float)):
        return False
    said = str(text)
    return bool(_PSEUDONYM.search(said) or identifiers.find(said))


def identifying(keys: pd.DataFrame) -> pd.Series:
    """Tell of each row of keys whether one of them identifies somebody, by its column or by what it says."""
    found = pd.Series(False, index=keys.index)
    for column in keys.columns:
        held = {value: is_identifying(value) for value in dict.fromkeys(keys[column])}
        found |= keys[column].map(held).astype(bool)
        if str(column) in PERSONAL:
            found |= keys[column] != "(all)"
    return found


def any_identifying(labels: Iterable[object]) -> bool:
    """Tell whether any of some labels identifies somebody."""
    return any(is_identifying(label) for label in labels)
