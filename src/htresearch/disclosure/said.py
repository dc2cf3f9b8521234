"""Numbers that are drawn or said: whether each is one of those that have passed."""

from __future__ import annotations

import re

import numpy as np

from htresearch.identifiers.plain import plain

NUMBER = re.compile(r"[-\u2212]?\d+(?:[.,]\d+)*")
#: What in words about a figure is a number of persons, an extreme, a share, or a value with decimals.
_VALUE = re.compile(
    r"(?:最[高低大小好差多少]|\b(?:max|min)(?:imum)?\b|highest|lowest)[^\d,.，。;；]{0,12}(\d+(?:\.\d+)?)"
    r"|(?<![\w.])n\s*=\s*(\d[\d,]*)"
    r"|(\d[\d,]*)\s*(?:人|名|位|个(?:学生|教师|班主任|孩子|家长)"
    r"|(?:pupils?|students?|teachers?|persons?|people|children|parents?)\b)"
    r"|(?<![\d.])(?!(?:80|90|95|99)\s*%)(\d+(?:\.\d+)?)\s*%"
    r"|(?<![\d.])(\d+\.\d+)",
    re.IGNORECASE,
)


def among(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Tell of each value whether it is one of some numbers."""
    ordered = np.sort(np.asarray(numbers, float))
    if not len(ordered):
        return np.zeros(len(values), bool)
    at = np.clip(np.searchsorted(ordered, values), 1, max(len(ordered) - 1, 1))
    near = np.minimum(np.abs(ordered[at - 1] - values), np.abs(ordered[np.minimum(at, len(ordered) - 1)] - values))
    return near <= 1e-6 * np.maximum(np.abs(values), 1e-9)


def is_told(said: str, numbers: np.ndarray) -> bool:
    """Tell whether the numbers in a text are some of those that have passed, rounded."""
    for token in NUMBER.findall(said):
        written = token.replace("\u2212", "-").replace(",", "")
        try:
            value = float(written)
        except ValueError:
            return False
        decimals = len(written.partition(".")[2])
        if not np.isclose(np.round(numbers, decimals), value, rtol=0, atol=1e-9).any():
            return False
    return True


def says_only(said: str, numbers: np.ndarray) -> bool:
    """Tell whether the words about a figure tell no number of persons and no value beyond those that have passed.

    A year, the number of a school, a scale from 0 to 100 and the level of an interval tell nothing.
    """
    read = plain(said)[0]
    if re.fullmatch(r"\s*[-\u2212]?[\d.,]+\s*%?\s*", read):
        return True  # a tick of an axis
    return all(is_told(next(filter(None, found.groups())), numbers) for found in _VALUE.finditer(read))
