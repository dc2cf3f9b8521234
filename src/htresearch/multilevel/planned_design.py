"""A study before it is run: who is randomised where, and how precisely its effect will be estimated.

Levels go up from the pupils. With P the share treated, N_l the number of units at level l in all, ρ_l the share of
the outcome's variance between units of level l, R²_l what covariates explain of it, and t the level that is
randomised, the variance of the estimated effect in standard deviations of the outcome is one sum for all designs:

    Σ_{l ≤ t} ρ_l (1 − R²_l) / (P(1 − P) N_l)  +  Σ_{l > t} ω_l ρ_l / N_l                                (1)

The second sum, the variation of the effect between blocks, is there for random blocks only. Dong & Maynard (2013)
print (1) design by design.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import product

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing

UNITS = ("pupil", "class", "school")
TOTALS = {"pupil": "pupils", "class": "classes", "school": "schools"}
BLOCKS = ("random", "fixed", "constant")


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedDesign:
    """What a planner says of a study; `minimum_detectable_effect` explains every argument.

    A number may also be a list of numbers: `rows` holds every combination.
    """

    levels: int | None = None
    treatment_level: int | None = None
    blocks: str | None = None
    schools: int | None = None
    classes: int | None = None
    pupils: int | None = None
    classes_per_school: float | None = None
    pupils_per_school: float | None = None
    pupils_per_class: float | None = None
    icc_school: float | None = None
    icc_class: float | None = None
    r2_school: float = 0
    r2_class: float = 0
    r2_pupil: float = 0
    omega_school: float | None = None
    omega_class: float | None = None
    cv_classes: float = 0
    cv_pupils: float = 0
    covariates: int = 0
    treated: float = 0.5

    def __post_init__(self):
        checks.require(*self._shape_faults())
        checks.require(*self._faults())
        checks.require(*self._row_faults())

    # -- what the design is made of ----------------------------------------------------------------------------------

    @property
    def units(self) -> tuple[str, ...]:
        """The levels by name, from the pupils up; two levels are pupils in classes if classes are counted."""
        if self.levels == 2:
            counted = (self.classes, self.pupils_per_class, self.icc_class)
            in_classes = self.schools is None and any(value is not None for value in counted)
            return ("pupil", "class" if in_classes else "school")
        return UNITS[: self.levels]

    @property
    def top(self) -> str:
        """The argument that counts the outermost units."""
        return TOTALS[self.units[-1]]

    @property
    def sizes(self) -> tuple[str, ...]:
        """The arguments that say how many units lie in one of the level above, from the pupils up."""
        return tuple(f"{TOTALS[low]}_per_{high}" for low, high in zip(self.units, self.units[1:], strict=False))

    @property
    def blocked(self) -> tuple[str, ...]:
        """The levels above the randomised one, within which both arms are found."""
        return self.units[self.treatment_level :]

    @property
    def name(self) -> str:
        """What kind of experiment it is."""
        if self.blocked:
            return f"multisite_{self.blocks}"
        return "individual" if self.levels == 1 else "cluster_randomised"

    @property
    def needed(self) -> tuple[str, ...]:
        """The arguments without a default that the design asks for."""
        omegas = [f"omega_{unit}" for unit in reversed(self.blocked) if self.blocks == "random"]
        iccs = [f"icc_{unit}" for unit in reversed(self.units[1:])]
        return (*(("blocks",) if self.blocked else ()), self.top, *reversed(self.sizes), *iccs, *omegas)

    @property
    def used(self) -> tuple[str, ...]:
        """Every argument that bears on the precision of this design."""
        explained = [f"r2_{unit}" for unit in reversed(self.units[: self.treatment_level])]
        unequal = [f"cv_{size.split('_per_')[0]}" for size in reversed(self.sizes)]
        return (*self.needed, *explained, *unequal, "covariates", "treated")

    @property
    def rows(self) -> pd.DataFrame:
        """A row per combination of the numbers given, a column per argument in use."""
        names = [name for name in self.used if name != "blocks"]
        values = [np.atleast_1d(np.asarray(getattr(self, name))).tolist() for name in names]
        return pd.DataFrame(list(product(*values)), columns=names)

    # -- its precision -----------------------------------------------------------------------------------------------

    def variance(self, rows: pd.DataFrame) -> np.ndarray:
        """Return (1), the variance of the estimated effect, per row; unequal groups by their harmonic mean."""
        share = self._shares(rows)
        total = self._totals(rows, harmonic=True)
        arms = rows["treated"] * (1 - rows["treated"])
        terms = [share[u] * (1 - rows[f"r2_{u}"]) / (arms * total[u]) for u in self.units[: self.treatment_level]]
        if self.blocks == "random":
            terms += [rows[f"omega_{unit}"] * share[unit] / total[unit] for unit in self.blocked]
        return np.sum(terms, axis=0)

    def df(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the degrees of freedom of the test, per row (Dong & Maynard 2013).

        One mean per arm where whole groups are randomised; one effect per outermost unit where blocks are random; one
        mean per arm and block where they are fixed; one mean per block and one effect where it is constant.
        """
        total = self._totals(rows, harmonic=False)
        randomised = total[self.units[self.treatment_level - 1]]
        if not self.blocked:
            parameters, n = 2, randomised
        elif self.blocks == "random":
            parameters, n = 1, total[self.units[-1]]
        else:
            block = total[self.blocked[0]]
            parameters, n = (2 * block if self.blocks == "fixed" else block + 1), randomised
        return np.asarray(n - parameters - rows["covariates"], dtype=float)

    def both_arms(self, rows: pd.DataFrame) -> np.ndarray:
        """Tell, per row, whether each arm (in each block) has at least one unit."""
        total = self._totals(rows, harmonic=False)
        units = total[self.units[self.treatment_level - 1]]
        if self.blocked:
            units = units / total[self.blocked[0]]
        return np.asarray(units * np.minimum(rows["treated"], 1 - rows["treated"]) > 1 - 1e-9)

    def _shares(self, rows: pd.DataFrame) -> dict[str, pd.Series]:
        """Return the share of the outcome's variance at each level."""
        upper = {unit: rows[f"icc_{unit}"] for unit in self.units[1:]}
        return {"pupil": 1 - sum(upper.values(), start=0 * rows["treated"]), **upper}

    def _totals(self, rows: pd.DataFrame, harmonic: bool) -> dict[str, pd.Series]:
        """Return the number of units at each level in all."""
        total = {self.units[-1]: rows[self.top]}
        for unit, above in zip(self.units[-2::-1], self.units[:0:-1], strict=True):
            per = f"{TOTALS[unit]}_per_{above}"
            size = rows[per]
            if harmonic:
                # The harmonic mean of sizes whose mean and coefficient of variation are known: exact where they are
                # lognormal, the second-order expansion of E(1/n) otherwise.
                size = size / (1 + rows[f"cv_{TOTALS[unit]}"] ** 2)
            total[unit] = total[above] * size
        return total

    # -- what can be wrong with it -----------------------------------------------------------------------------------

    def _shape_faults(self) -> list[Fault | None]:
        """Look at levels and blocks; where levels are missing, name all that any design asks for."""
        if self.levels is None:
            return [_missing([n for n in ("levels", "treatment_level") if getattr(self, n) is None])]
        faults = [checks.integer("levels", self.levels, 1, 3)]
        if faults == [None] and self.treatment_level is not None:
            faults.append(checks.integer("treatment_level", self.treatment_level, 1, self.levels))
        if self.blocks is not None:
            faults.append(checks.one_of("blocks", self.blocks, BLOCKS))
        return faults

    def _faults(self) -> list[Fault | None]:
        """Look at each argument by itself: all that are missing in one fault, those without use, those off range."""
        if self.treatment_level is None:
            # The group counts are asked for whatever is randomised; blocks depend on it.
            names = [self.top, *reversed(self.sizes), *(f"icc_{unit}" for unit in reversed(self.units[1:]))]
            return [_missing(["treatment_level", *(n for n in names if getattr(self, n) is None)], self.levels)]
        absent = [name for name in self.needed if getattr(self, name) is None]
        unused = [
            _unused(field.name, getattr(self, field.name))
            for field in fields(self)
            if field.name not in ("levels", "treatment_level", *self.used)
            and _given(getattr(self, field.name), field.default)
        ]
        present = [name for name in self.used if name != "blocks" and getattr(self, name) is not None]
        return [
            _missing(absent, self.levels) if absent else None,
            *unused,
            *(f for name in present for f in number_faults(name, getattr(self, name))),
        ]

    def _row_faults(self) -> list[Fault | None]:
        """Look at the numbers together: shares that exceed 1, too few units for a test or for two arms."""
        rows = self.rows
        return [
            _no_variance() if (self._shares(rows)["pupil"] <= 0).any() else None,
            None if self.both_arms(rows).all() else _one_arm(self),
            _no_df(self, self.df(rows).min()) if (self.df(rows) < 1).any() else None,
        ]


def number_faults(name: str, value: object) -> list[Fault | None]:
    """Refuse what is not a number, or a list of numbers, in the range of its argument."""
    values = np.asarray(value, dtype=object).ravel().tolist()
    return [fault for one in values or [value] if (fault := _number(name, one)) is not None][:1]


def _number(name: str, value: object) -> Fault | None:
    if name in TOTALS.values():
        return checks.integer(name, value, 2)
    if name == "covariates":
        return checks.integer(name, value, 0)
    if "_per_" in name:
        return checks.between(name, value, 1, 100_000)
    if name.startswith(("omega_", "cv_")):
        return checks.between(name, value, 0, 100)
    if name.startswith(("icc_", "r2_")):
        return checks.between(name, value, 0, 0.99)
    if name == "effect":
        return checks.between(name, value, 0, 10, open_ends=True)
    return checks.between(name, value, 0, 1, open_ends=True)


def _given(value: object, default: object) -> bool:
    """Tell whether a planner set an argument; arrays have no plain equality."""
    return np.ndim(value) > 0 or value != default


def _missing(names: Iterable[str], levels: int | None = None) -> Fault:
    fix = Text("请给出这些参数", "Give these arguments")
    if "blocks" in names:
        fix = Text(
            '请给出这些参数；blocks 可选 "random"（学校是抽样而来，效应因校而异，另需 omega_…）、'
            '"fixed"（只论这些学校，每校一个效应）、"constant"（只论这些学校，各校效应相同）',
            'Give these arguments; blocks is "random" (blocks are a sample and the effect varies: give omega_… too), '
            '"fixed" (these blocks only, an effect in each) or "constant" (these blocks only, one effect for all)',
        )
    elif levels == 2 and "schools" in names:
        fix = Text(
            "请给出这些参数；若两层是班级与学生，则给 classes、pupils_per_class、icc_class",
            "Give these arguments; for pupils in classes give classes, pupils_per_class and icc_class",
        )
    return Fault(
        Text("所缺参数", "Missing arguments"),
        Text("这项设计没有这些就无从计算：{all}", "this design cannot do without them: {all}").format(
            all=listing(names)
        ),
        fix,
    )


def _unused(name: str, value: object) -> Fault:
    return Fault(
        checks.argument(name),
        Text("这项设计用不到", "this design has no use for it"),
        Text(
            "请去掉，或改 levels、treatment_level、blocks", "Leave it out, or change levels, treatment_level, blocks"
        ),
        value,
    )


def _no_variance() -> Fault:
    return Fault(
        Text("icc_school 与 icc_class", "icc_school and icc_class"),
        Text("两者之和须小于 1", "their sum must be below 1"),
        Text(
            "icc_class 是同一学校各班之间的方差占比，不含学校那部分",
            "icc_class is the share between classes of one school, without the share between schools",
        ),
    )


def _one_arm(design: PlannedDesign) -> Fault:
    unit = _ONE[design.units[design.treatment_level - 1]]
    return Fault(
        checks.argument("treated"),
        Text("干预或对照一方不足{unit}", "one of the arms has less than {unit}").format(unit=unit),
        Text("请增加数量，或让 treated 更接近 0.5", "Take more of them, or bring treated nearer to 0.5"),
    )


def _no_df(design: PlannedDesign, df: float) -> Fault:
    fix = Text("请增加学校或班级，或减少协变量", "Take more schools or classes, or fewer covariates")
    if design.blocks == "fixed":
        fix = Text(
            '请增加数量，或改用 blocks="constant"（各校效应相同）',
            'Take more of them, or blocks="constant" (one effect for all)',
        )
    return Fault(
        Text("自由度", "Degrees of freedom"),
        Text(f"只剩 {df:g}，无法检验", f"{df:g} are left, too few for a test"),
        fix,
    )


_ONE = {
    "pupil": Text("一名学生", "one pupil"),
    "class": Text("一个班", "one class"),
    "school": Text("一所学校", "one school"),
}
