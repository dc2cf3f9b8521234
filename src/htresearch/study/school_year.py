"""The calendar of a simulated study, and the small things its tables are made with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

#: The last school year of every simulated study begins in this year.
LAST_YEAR = 2024
#: First and last grade of each stage, in the 6-3 system.
STAGES = {"primary": (1, 6), "junior": (7, 9), "senior": (10, 12)}

#: Rows of one table: its name and its columns.
Piece = tuple[str, dict[str, np.ndarray]]


def days(dates) -> np.ndarray:
    """Return dates as an array of days."""
    return np.asarray(dates, dtype="datetime64[D]")


def august(year: int, day: int) -> np.datetime64:
    """Return a day of August, when appointments, tiers and classes are made."""
    return np.datetime64(date(year, 8, day))


def repeat(value, n: int) -> np.ndarray:
    """Return a value `n` times."""
    return np.full(n, value, dtype=object if isinstance(value, str) or value is None else None)


def pick(rng: np.random.Generator, values: tuple, shares: tuple, n: int) -> np.ndarray:
    """Draw `n` values with the given shares."""
    return np.asarray(values, dtype=object)[rng.choice(len(values), n, p=np.asarray(shares))]


def ids(letter: str, numbers: np.ndarray, width: int) -> np.ndarray:
    """Write running numbers as pseudonyms."""
    return np.array([f"{letter}{number:0{width}d}" for number in (np.asarray(numbers) + 1).tolist()], object)


@dataclass(frozen=True)
class Calendar:
    """The terms of a study."""

    first_year: int
    count: int

    @classmethod
    def of(cls, terms: int) -> Calendar:
        """Return the calendar whose last school year is `LAST_YEAR`."""
        return cls(LAST_YEAR - (terms - 1) // 2, terms)

    def term(self, index: int) -> tuple[int, int]:
        """Return school year and term (1 or 2) of the term at `index`, from 0; negative ones lie before the study."""
        return self.first_year + index // 2, index % 2 + 1

    def name(self, index: int) -> str:
        """Return the term's id."""
        year, half = self.term(index)
        return f"{year}-{half}"

    def dates(self, index: int) -> tuple[np.datetime64, np.datetime64]:
        """Return first and last day."""
        year, half = self.term(index)
        first, last = (
            (date(year, 9, 1), date(year + 1, 1, 20)) if half == 1 else (date(year + 1, 2, 20), date(year + 1, 7, 5))
        )
        return np.datetime64(first), np.datetime64(last)
