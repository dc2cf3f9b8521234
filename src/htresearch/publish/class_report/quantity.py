"""How values are said: with their unit, as a reader counts, in both languages."""

from __future__ import annotations

import math
from dataclasses import dataclass

from htresearch.intake.class_study import Plan
from htresearch.language import Text

_PER_CENT = frozenset({"%", "％", "百分比", "百分数", "百分率", "per cent", "percent", "percentage"})
_MINUS = "\N{MINUS SIGN}"


def number(value: float, decimals: int = 1) -> str:
    """Write a number with at most so many decimals, a proper minus and no negative zero.

    Examples
    --------
    >>> number(31.0), number(-0.25, 2), number(-0.001), number(12345.5)
    ('31', '−0.25', '0', '12,345.5')
    """
    written = f"{round(value, decimals) + 0.0:,.{decimals}f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return written.replace("-", _MINUS) if written not in ("-0", "") else "0"


def per_cent(share: float) -> str:
    """Write a share of 1 as per cent; with a decimal where it would seem to be all or none and is not.

    Examples
    --------
    >>> per_cent(0.917), per_cent(1.0), per_cent(0.9966), per_cent(0.99999), per_cent(-0.2)
    ('92%', '100%', '99.7%', '99.9%', '−20%')
    """
    if 0.99 < share < 1:
        return f"{min(math.floor(share * 1000 + 0.5), 999) / 10:g}%"
    if 0 < share < 0.01:
        return f"{max(math.floor(share * 1000 + 0.5), 1) / 10:g}%"
    return f"{number(100 * share, 0)}%"


@dataclass(frozen=True)
class Quantity:
    """What the values of a study are numbers of.

    Attributes
    ----------
    unit
        In the teacher's words; ``%`` for per cent.
    out_of
        Of how many, for a share in units; None elsewhere.
    decimals
        As many as the records have, at most two.
    """

    unit: str
    out_of: float | None
    decimals: int

    @classmethod
    def of(cls, plan: Plan, values: list[float]) -> Quantity:
        """Read it from a plan and the values recorded."""
        share = plan.scale == "share"
        unit = plan.unit.strip()
        known = [value for value in values if not math.isnan(value)]
        decimals = next(n for n in range(3) if n == 2 or all(abs(v - round(v, n)) < 1e-9 for v in known))
        if unit.lower() in _PER_CENT or (share and plan.out_of == 100 and not unit):
            return cls("%", None, decimals)
        return cls(unit, plan.out_of if share else None, decimals)

    def plain(self, value: float, extra: int = 0) -> str:
        """Write a value without its unit; a dash where it is missing."""
        return "–" if math.isnan(value) else number(value, min(self.decimals + extra, 2))

    def say(self, value: float) -> Text:
        """Say a value with its unit; a median may lie halfway between two values."""
        return self._with_unit(self.plain(value, 1))

    def part(self, value: float) -> str:
        """Write how much of all a value is; nothing where it is none of so many, or is per cent itself."""
        return per_cent(value / self.out_of) if self.out_of else ""

    def share(self, value: float) -> Text:
        """Say a value with its unit and, where it is one of so many, how much of all that is."""
        said, part = self.say(value), self.part(value)
        return Text(f"{said.zh}（{part}）", f"{said.en} ({part})") if part else said

    def difference(self, value: float) -> Text:
        """Say how far two values lie apart."""
        written = self.plain(abs(value), 1)
        if self.unit == "%":
            return Text(f"{written} 个百分点", f"{written} percentage point{'' if written == '1' else 's'}")
        return self._with_unit(written)

    def span(self, low: float, high: float) -> str:
        """Write the lowest and the highest value."""
        return self.plain(low) if low == high else f"{self.plain(low)}–{self.plain(high)}"

    def _with_unit(self, written: str) -> Text:
        if self.unit == "%":
            return Text(f"{written}%", f"{written}%")
        said = f"{written} {self.unit}".strip()
        return Text(said, said)


@dataclass(frozen=True)
class Moment:
    """What one record is of: a day, where there is about one a day, otherwise a record.

    Attributes
    ----------
    daily
        Whether records are days.
    """

    daily: bool

    def counted(self, n: int) -> Text:
        """Say how many there are."""
        if self.daily:
            return Text(f"{n} 天", f"{n} day{'' if n == 1 else 's'}")
        return Text(f"{n} 次记录", f"{n} record{'' if n == 1 else 's'}")

    @property
    def one(self) -> Text:
        """Say one of them."""
        return Text("一天", "day") if self.daily else Text("一次", "record")
