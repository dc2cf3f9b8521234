"""How one school writes: its dates, brackets and class names, each a habit that a reader has to understand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from htresearch.intake.school.class_names import class_name
from htresearch.intake.school.places import Places, SchoolClass, Term
from htresearch.intake.school.plain import plain

_WIDE = str.maketrans("0123456789()ABCDE", "０１２３４５６７８９（）ＡＢＣＤＥ")
_CHINESE = "一二三四五六七八九"


@dataclass(frozen=True, eq=False)
class Hand:
    """The habits of one school.

    Attributes
    ----------
    rng : numpy.random.Generator
    mess : frozenset of str
        Which habits it may have; see `htresearch.intake.school.books.writing.MESS`.
    """

    rng: np.random.Generator
    mess: frozenset[str]

    def may(self, habit: str, share: float = 0.5) -> bool:
        """Decide by lot whether it gives in to a habit now."""
        return bool(habit in self.mess and self.rng.random() < share)

    def wide(self, text: str, share: float = 0.3) -> str:
        """Write digits, brackets and levels in full width, now and then."""
        return text.translate(_WIDE) if self.may("widths", share) else text

    def name(self, name: str) -> str:
        """Write a name, now and then with blanks in a short one or behind it."""
        if not self.may("names", 0.3):
            return name
        return f"{name[0]}　{name[1]}" if len(name) == 2 else f"{name} "

    def day(self, day: date) -> str | date:
        """Write a day in one of the usual ways, or as a date of the spreadsheet."""
        if "dates" not in self.mess:
            return day
        ways = (
            f"{day.year}.{day.month}.{day.day}",
            f"{day.year}年{day.month}月{day.day}日",
            f"{day.year}-{day.month}-{day.day}",
            f"{day:%Y/%m/%d}",
            f"{day:%Y%m%d}",
            day,
        )
        written = ways[self.rng.integers(len(ways))]
        return self.wide(written, 0.2) if isinstance(written, str) else written

    def term(self, term: Term) -> str:
        """Write a term."""
        if "dates" not in self.mess:
            return term.words
        first, second = term.year, term.year + 1
        side, nth = ("上", "下")[term.half - 1], ("一", "二")[term.half - 1]
        season = f"{first}年秋季学期" if term.half == 1 else f"{second}年春季学期"
        ways = (
            term.words,
            f"{first}—{second}学年度{side}学期",
            f"{first}～{second}学年第{term.half}学期",
            f"{first}-{second}学年({side})",
            f"{first}学年第{nth}学期",
            season,
        )
        return self.wide(ways[self.rng.integers(len(ways))], 0.2)

    def class_name(self, known: SchoolClass, term: Term, places: Places) -> str:
        """Write a class in one of the usual ways, as long as it still names this class alone."""
        usual = known.name(term)
        if "class_names" not in self.mess:
            return usual
        grade, n = known.grade(term), known.number
        if grade >= 10:
            ways = [
                f"高{_CHINESE[grade - 10]}{n}班",
                f"高{_CHINESE[grade - 10]}（{n}）班",
                f"高{known.entry_year}级{n}班",
            ]
        else:
            digit = _CHINESE[grade - 1]
            ways = [usual, f"{digit}（{n}）班", f"{digit}年级{n}班", f"{grade}({n})班", f"{known.entry_year}级{n}班"]
            if grade >= 7:
                ways.append(f"初{_CHINESE[grade - 7]}({n})班")
            else:
                ways.append(f"{grade}{n:02d}班")
        written = self.wide(ways[self.rng.integers(len(ways))], 0.2)
        read = class_name(plain(written))
        return written if read and places.matching(read, known.school_id, term) == [known] else usual
