"""What a planned study can show: its minimum detectable effect, its power, the schools it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from htresearch import checks
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text
from htresearch.multilevel.planned_design import PlannedDesign, number_faults
from htresearch.multilevel.planned_study import PlannedStudy, planned_study
from htresearch.multilevel.planned_words import MANY

#: The largest number of outermost units that is looked at.
_MOST = 100_000

Numbers = float | Sequence[float]


def minimum_detectable_effect(
    levels: int | None = None,
    treatment_level: int | None = None,
    *,
    schools: int | Sequence[int] | None = None,
    classes: int | Sequence[int] | None = None,
    pupils: int | Sequence[int] | None = None,
    classes_per_school: Numbers | None = None,
    pupils_per_school: Numbers | None = None,
    pupils_per_class: Numbers | None = None,
    icc_school: Numbers | None = None,
    icc_class: Numbers | None = None,
    r2_school: Numbers = 0,
    r2_class: Numbers = 0,
    r2_pupil: Numbers = 0,
    blocks: str | None = None,
    omega_school: Numbers | None = None,
    omega_class: Numbers | None = None,
    cv_classes: Numbers = 0,
    cv_pupils: Numbers = 0,
    covariates: int | Sequence[int] = 0,
    treated: Numbers = 0.5,
    power: Numbers = 0.8,
    alpha: Numbers = 0.05,
    two_sided: bool = True,
    outcome_sd: float | None = None,
) -> PlannedStudy:
    """Find the smallest true effect that a planned experiment detects with the power asked for.

    The effect is in standard deviations of the outcome over all pupils of the district. What a design cannot do
    without has no default, and one error names all that is missing. Any number may be a list: every combination
    gives a row.

    Parameters
    ----------
    levels
        1, pupils; 2, pupils in schools (or in classes, if `classes` are counted); 3, pupils in classes in schools.
    treatment_level
        Who is randomised: 1 pupils, 2 the second level, 3 schools. If it is the highest level, whole groups are
        randomised; if lower, the units above are blocks, each of which holds both arms.
    schools, classes, pupils
        How many there are in all, of the highest level only.
    classes_per_school, pupils_per_school, pupils_per_class
        How many on average.
    icc_school, icc_class
        Share of the outcome's variance between schools, and between classes *of one school*: the column ``share`` of
        ``fit.icc()``, not the correlation that adds the levels up. Take them from data of your own district where
        possible; between schools, American test scores have about .2 without covariates (Hedges & Hedberg 2007, who
        list them by grade and subject).
        For fixed and constant blocks PowerUp! leaves the share of the highest level out (0 here), so that its effects
        are in standard deviations within blocks.
    r2_school, r2_class, r2_pupil
        Share of the variance of that level that covariates explain, above all a pretest. Levels that are blocks have
        none, as comparisons are made within them.
    blocks
        For blocks only. ``"random"``: they are a sample and the effect varies between them. ``"fixed"``: the
        conclusion is about these blocks, an effect in each, averaged. ``"constant"``: these blocks only, and one
        effect for all.
    omega_school, omega_class
        For random blocks: variance of the effect between them as a multiple of the outcome's variance between them.
        If covariates explain some of it, give what remains.
    cv_classes, cv_pupils
        Coefficient of variation (standard deviation over mean) of the number of classes per school, and of pupils
        per group. The mean m is replaced by the harmonic mean m/(1 + cv²): exact for lognormal sizes, and cautious,
        as a mixed model gives larger groups more weight.
    covariates
        How many covariates there are at the level that the degrees of freedom count: that of the groups that are
        randomised; for random blocks, that of the highest level.
    treated
        Share of the randomised units in the treatment arm.
    power, alpha, two_sided
        Of the test.
    outcome_sd
        Standard deviation of the outcome, to say the effect in its own units too.

    Returns
    -------
    PlannedStudy
        A row per combination: the design; mdes, the effect at which the noncentral t distribution gives exactly this
        power; mdes_raw if `outcome_sd` is given; std_error of the effect; df; multiplier, which is mdes over
        std_error; mdes_formula, the usual approximation (t of 1 - alpha/2 plus t of the power, times std_error) that
        PowerUp! prints.

    Raises
    ------
    ArgumentError
        If something needed is missing, out of range, or of no use in this design.

    References
    ----------
    Bloom, H. S. (1995). Minimum detectable effects. Evaluation Review, 19, 547-556.
    https://doi.org/10.1177/0193841X9501900504
    Dong, N., & Maynard, R. A. (2013). PowerUp!. Journal of Research on Educational Effectiveness, 6, 24-67.
    https://doi.org/10.1080/19345747.2012.673143
    Hedges, L. V., & Hedberg, E. C. (2007). Intraclass correlation values for planning group-randomized trials in
    education. Educational Evaluation and Policy Analysis, 29, 60-87. https://doi.org/10.3102/0162373707299706

    Examples
    --------
    >>> import htresearch as ht
    >>> study = dict(levels=3, treatment_level=3, schools=26, classes_per_school=20, pupils_per_class=45)
    >>> planned = ht.minimum_detectable_effect(**study, icc_school=[0.1, 0.2], icc_class=0.05, r2_school=0.5)
    >>> planned.tidy()[["icc_school", "mdes", "df"]].round(2).values.tolist()
    [[0.1, 0.26, 24.0], [0.2, 0.37, 24.0]]
    """
    given = dict(locals())  # every argument by its name, before anything else is defined
    asked = {name: given.pop(name) for name in ("power", "alpha")}
    about = {name: given.pop(name) for name in ("two_sided", "outcome_sd")}
    design = _planned(given, asked, **about)

    def answer(rows: pd.DataFrame) -> np.ndarray:
        asked = zip(design.df(rows), rows["alpha"], rows["power"], strict=True)
        return np.array([_multiplier(*one, two_sided) for one in asked]) * np.sqrt(design.variance(rows))

    rows = design.rows.merge(_combinations(asked), how="cross")
    formula = _formula(design.df(rows), rows["alpha"], rows["power"], two_sided) * np.sqrt(design.variance(rows))
    return planned_study(design, rows, "mdes", answer, **about, mdes_formula=formula)


def power(
    effect: Numbers,
    *,
    alpha: Numbers = 0.05,
    two_sided: bool = True,
    outcome_sd: float | None = None,
    **design,
) -> PlannedStudy:
    """Find the power of a planned experiment for an effect.

    Parameters
    ----------
    effect
        True effect in standard deviations of the outcome.
    alpha, two_sided, outcome_sd
        As in `minimum_detectable_effect`.
    **design
        The design in the words of `minimum_detectable_effect`.

    Returns
    -------
    PlannedStudy
        A row per combination, as there, with effect and its power by the noncentral t distribution.

    Raises
    ------
    ArgumentError
        As `minimum_detectable_effect`.

    References
    ----------
    Hedges, L. V., & Rhoads, C. (2010). Statistical power analysis in education research (NCSER 2010-3006). Institute
    of Education Sciences.

    Examples
    --------
    >>> import htresearch as ht
    >>> study = dict(levels=2, treatment_level=2, schools=40, pupils_per_school=50, icc_school=0.2)
    >>> ht.multilevel.power([0.3, 0.45], **study).tidy()["power"].round(2).tolist()
    [0.51, 0.85]
    """
    asked = {"effect": effect, "alpha": alpha}
    checked = _planned(design, asked, two_sided, outcome_sd)
    rows = checked.rows.merge(_combinations(asked), how="cross")
    return _power_study(checked, rows, two_sided, outcome_sd)


def schools_needed(
    effect: Numbers,
    *,
    power: Numbers = 0.8,
    alpha: Numbers = 0.05,
    two_sided: bool = True,
    outcome_sd: float | None = None,
    **design,
) -> PlannedStudy:
    """Find the smallest number of schools that gives an effect the power asked for.

    Where classes (or pupils) are the highest level of the design, it is their number.

    Parameters
    ----------
    effect
        True effect in standard deviations of the outcome.
    power, alpha, two_sided, outcome_sd
        As in `minimum_detectable_effect`.
    **design
        The design in the words of `minimum_detectable_effect`, without the number that is sought.

    Returns
    -------
    PlannedStudy
        A row per combination with the number in the column ``schools`` and the power that it really gives.

    Raises
    ------
    ArgumentError
        As `minimum_detectable_effect`; and if 100,000 schools are too few.

    References
    ----------
    Dong, N., & Maynard, R. A. (2013). PowerUp!. Journal of Research on Educational Effectiveness, 6, 24-67.
    https://doi.org/10.1080/19345747.2012.673143

    Examples
    --------
    >>> import htresearch as ht
    >>> study = dict(levels=2, treatment_level=2, pupils_per_school=50, icc_school=0.2)
    >>> ht.multilevel.schools_needed(0.3, **study).tidy()["schools"].tolist()
    [78]
    """
    sought = _sought(design)
    asked = {"effect": effect, "power": power, "alpha": alpha}
    checked = _planned({**design, sought: _MOST}, asked, two_sided, outcome_sd)
    rows = checked.rows.merge(_combinations(asked), how="cross")
    rows[sought] = _smallest(checked, rows, two_sided)
    found = replace(checked, **{sought: rows[sought].unique().tolist()})
    return _power_study(found, rows.drop(columns="power"), two_sided, outcome_sd)


# -- the arithmetic --------------------------------------------------------------------------------------------------


def _rejection(ncp: np.ndarray, df: np.ndarray, alpha: np.ndarray, two_sided: bool) -> np.ndarray:
    """Return the probability that a noncentral t passes the critical value (Hedges & Rhoads 2010)."""
    critical = stats.t.isf(alpha / (1 + two_sided), df)
    found = stats.nct.sf(critical, df, ncp)
    # Far out the other tail underflows to not-a-number; it is below 1e-16 long before.
    return found + np.nan_to_num(stats.nct.cdf(-critical, df, ncp)) if two_sided else found


def _multiplier(df: float, alpha: float, power: float, two_sided: bool) -> float:
    """Return the noncentrality at which the test has exactly this power."""
    high = _formula(df, alpha, power, two_sided)
    while _rejection(high, df, alpha, two_sided) < power:
        high *= 2
    return optimize.brentq(lambda ncp: _rejection(ncp, df, alpha, two_sided) - power, 0, high, xtol=1e-10)


def _formula(df, alpha, power, two_sided: bool):
    """Return the usual multiplier, t of 1 − α/2 plus t of the power (Dong & Maynard 2013)."""
    return stats.t.isf(alpha / (1 + two_sided), df) + stats.t.ppf(power, df)


def _smallest(design: PlannedDesign, rows: pd.DataFrame, two_sided: bool) -> np.ndarray:
    """Return the smallest number of outermost units per row, by halving: power grows with their number."""

    def enough(number: np.ndarray) -> np.ndarray:
        tried = rows.assign(**{design.top: number})
        df = design.df(tried)
        ncp = rows["effect"] / np.sqrt(design.variance(tried))
        reached = _rejection(ncp, np.maximum(df, 1), rows["alpha"], two_sided) >= rows["power"]
        return np.asarray(reached) & (df >= 1) & design.both_arms(tried)

    low, high = np.ones(len(rows), dtype=int), np.full(len(rows), _MOST)
    checks.require(None if enough(high).all() else _out_of_reach(design))
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = enough(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


# -- from what was given to what is returned -------------------------------------------------------------------------


def _planned(given: dict, asked: dict, two_sided: bool, outcome_sd: float | None) -> PlannedDesign:
    """Check the design and the question together."""
    faults = [fault for name, value in asked.items() for fault in number_faults(name, value)]
    if not faults and "power" in asked and np.min(asked["power"]) <= np.max(asked["alpha"]):
        faults = [_power_too_small(asked["power"])]
    faults.append(checks.one_of("two_sided", two_sided, (True, False)))
    if outcome_sd is not None:
        faults.append(_not_positive("outcome_sd", outcome_sd))
    try:
        design = PlannedDesign(**given)
    except ArgumentError as error:
        faults = [*error.faults, *faults]
    checks.require(*faults)
    return design


def _combinations(asked: dict) -> pd.DataFrame:
    """Return a row per combination of the question's numbers."""
    whole = pd.DataFrame({"": [0]})
    for name, value in asked.items():
        whole = whole.merge(pd.DataFrame({name: np.atleast_1d(np.asarray(value, dtype=float))}), how="cross")
    return whole.drop(columns="")


def _power_study(
    design: PlannedDesign, rows: pd.DataFrame, two_sided: bool, outcome_sd: float | None
) -> PlannedStudy:
    def answer(rows: pd.DataFrame) -> np.ndarray:
        ncp = rows["effect"] / np.sqrt(design.variance(rows))
        return np.asarray(_rejection(ncp, design.df(rows), rows["alpha"], two_sided))

    return planned_study(design, rows, "power", answer, two_sided, outcome_sd)


# -- what can be wrong with the question -----------------------------------------------------------------------------


def _sought(design: dict) -> str:
    """Return the argument whose number is sought, and refuse it among those given."""
    counts = ("schools", "classes", "pupils")
    given = [name for name in counts if design.get(name) is not None]
    checks.require(
        *(
            Fault(
                checks.argument(name),
                Text("要求的正是数量", "the number is what is sought"),
                Text("请去掉", "Leave it out"),
                design[name],
            )
            for name in given
        )
    )
    if design.get("levels") == 2:
        in_classes = any(design.get(name) is not None for name in ("pupils_per_class", "icc_class"))
        return "classes" if in_classes else "schools"
    return "pupils" if design.get("levels") == 1 else "schools"


def _out_of_reach(design: PlannedDesign) -> Fault:
    return Fault(
        checks.argument("effect"),
        Text("{n}也不够", "even {n} are too few").format(n=MANY[design.top].format(n=f"{_MOST:,}")),
        Text("请考虑更大的效应", "Consider a larger effect"),
    )


def _power_too_small(value: object) -> Fault:
    return Fault(
        checks.argument("power"),
        Text("须大于 alpha", "must be above alpha"),
        Text("通常取 0.8", "0.8 is usual"),
        value,
    )


def _not_positive(name: str, value: object) -> Fault | None:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and 0 < value < np.inf:
        return None
    return Fault(
        checks.argument(name),
        Text("须为正数", "must be a positive number"),
        Text("请给成绩在全体学生中的标准差", "Give the outcome's standard deviation over all pupils"),
        value,
    )
