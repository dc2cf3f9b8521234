"""Randomisation tests: what was observed, against what would have been under every other outcome of the draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.language import Text, label
from htresearch.result import Estimates
from htresearch.singlecase.drawing import Drawing
from htresearch.singlecase.inversion import MOST_INVERTED, shift_interval
from htresearch.singlecase.lottery import Lottery
from htresearch.singlecase.randomised import Randomised, read_randomised
from htresearch.singlecase.reference import LOCATIONS, STATISTICS
from htresearch.singlecase.series import IMPROVEMENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALTERNATIVES = ("improvement", "deterioration", "two-sided")
COMBINE = ("records", "phases")
#: Up to how many outcomes all are gone through: 2 to the power of 20, a little more than a million.
EXACT = 2**20
_SOURCE = "Edgington & Onghena (2007), Randomization Tests; https://doi.org/10.1016/j.jcbs.2013.10.002"


@dataclass(frozen=True, kw_only=True)
class RandomisationTest(Estimates):
    """A randomisation test; complete when built.

    Attributes
    ----------
    distribution : numpy.ndarray
        The statistic under every outcome of the draw, or under those that were sampled; empty where nothing was
        drawn.
    """

    distribution: np.ndarray

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how often each value of the statistic arises by the draw alone, and the observed one.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.
        """
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(6.8, 3.4))[1] if ax is None else ax
        row = self.frame.iloc[0]
        finite = self.distribution[np.isfinite(self.distribution)]
        if len(finite):
            bins = min(40, max(5, len(np.unique(finite))))
            ax.hist(finite, bins=bins, color="C0", alpha=0.7, edgecolor="white", linewidth=0.5)
        name = Text("实际观察到的", "Observed")
        ax.axvline(row["estimate"], color="C1", linewidth=2, label=str(name))
        ax.set_xlabel(str(label(row["term"])))
        outcomes = Text("可能的抽签结果数", "Possible outcomes of the draw")
        ax.set_ylabel(str(outcomes if self.summary["exact"].iloc[0] else Text("抽取的结果数", "Outcomes sampled")))
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1))
        return ax


def randomisation_test(
    values: Sequence | Mapping[str, Sequence] | pd.DataFrame,
    start: int | Drawing,
    min_baseline: int | None = None,
    min_treatment: int | None = None,
    statistic: str | Callable[[np.ndarray, np.ndarray], float] = "median",
    improvement: str = "increase",
    alternative: str = "improvement",
    drawn: bool = True,
    *,
    combine: str = "records",
    conf_level: float = 0.95,
    most: int = EXACT,
    samples: int = 99_999,
    seed: int = 1,
) -> RandomisationTest:
    """Test whether treatment made no difference, by what else could have been drawn.

    If treatment changes nothing, every record would have been as it is whatever had been drawn. So the statistic is
    worked out for every outcome of the draw, and p is the share of outcomes with a statistic at least as good as the
    one observed, ties counted. Autocorrelation, trend and skewness do no harm to this p, as it rests on the draw
    alone; therefore there is none for a start that was chosen.

    Parameters
    ----------
    values
        Observations in time order, ``None`` where missing. For several cases a mapping from case to observations, or
        a frame with a column per case.
    start
        The position, from 0, of the first treatment record, or what `draw_start`, `draw_phases`,
        `draw_multiple_baseline` or `draw_alternating` drew.
    min_baseline, min_treatment
        The fewest records of each phase when the start was drawn; not with a `Drawing`, which knows them.
    statistic
        ``"median"``, ``"mean"``, ``"trimmed_mean"`` (20 % at each end): the difference, treatment less baseline, of
        that; ``"nap"``: share of pairs that improve; ``"level"``, ``"slope"``: the change at the first treatment
        record, or in trend, between straight lines through both phases (AB and multiple baseline only); or a function
        of the observed baseline and treatment values, which grows if there is more.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is.
    alternative
        ``"improvement"``, ``"deterioration"`` or ``"two-sided"`` (the size of the statistic, whichever its sign).
    drawn
        Whether the start really was drawn from all that the minimal lengths allow. If not, there is no p.
    combine
        For more than two phases: ``"records"`` puts the records of all phases of a kind together; ``"phases"`` takes
        the mean of the phases' means (medians, …), so that short phases count as much as long ones.
    conf_level
        Of the interval for a shift of all treatment values: those shifts that a two-sided test does not refuse.
    most
        Up to how many outcomes all are gone through; beyond that, `samples` of them are drawn.
    samples, seed
        How many outcomes are sampled, and the seed of that.

    Returns
    -------
    RandomisationTest
        `.tidy()`: one row; term; estimate, the observed statistic, positive (NAP: above .5) for the better; p_value;
        conf_low and conf_high of a shift, missing where no bound can be had from so few outcomes; then alternative,
        n_assignments, smallest_p (the smallest p this draw can give), and p_low and p_high, a 99 % interval of the
        exact p where outcomes were sampled. `.glance()`: design, n (records), n_missing, n_baseline, n_treatment,
        n_cases, n_assignments, n_undefined, exact, n_samples, drawn, records_needed (for p of .05).

    Raises
    ------
    ArgumentError
        If anything is out of range, the start could not have been drawn, or a phase has too few observations.

    Notes
    -----
    A missing value keeps its place: the marker moves with the phases, and the statistic takes what is there (De et
    al., 2020). Outcomes that would leave a phase without enough observations are left out of the comparison and
    counted (`n_undefined`). Which they are depends on where observations are missing, not on their values, so p stays
    exact as long as the treatment does not itself make observations missing.

    With sampled outcomes p is (b + 1)/(m + 1), which is valid for any number of samples.

    References
    ----------
    Edgington, E. S., & Onghena, P. (2007). Randomization tests (4th ed.). Chapman & Hall/CRC.
    Heyvaert, M., & Onghena, P. (2014). Randomization tests for single-case experiments. Journal of Contextual
    Behavioral Science, 3, 51-64. https://doi.org/10.1016/j.jcbs.2013.10.002
    Bulté, I., & Onghena, P. (2008). An R package for single-case randomization tests. Behavior Research Methods, 40,
    467-478. https://doi.org/10.3758/BRM.40.2.467
    De, T. K., Michiels, B., Tanious, R., & Onghena, P. (2020). Handling missing data in randomization tests for
    single-case experiments. Behavior Research Methods, 52, 1355-1370. https://doi.org/10.3758/s13428-019-01320-3
    Michiels, B., Heyvaert, M., Meulders, A., & Onghena, P. (2017). Confidence intervals for single-case effect size
    measures based on randomization test inversion. Behavior Research Methods, 49, 363-381.
    https://doi.org/10.3758/s13428-016-0714-4

    Examples
    --------
    >>> import htresearch as ht
    >>> values = [4, 3, 5, 4, 3, 4, 5, 4, 8, 9, 8, 10, 9, 9, 8, 10, 9, 8, 9, 10, 9, 8, 9, 10, 9]
    >>> test = ht.singlecase.randomisation_test(values, 8, min_baseline=3, min_treatment=3, statistic="mean")
    >>> test.tidy()[["estimate", "p_value", "n_assignments"]].round(3).values.tolist()
    [[4.941, 0.05, 20.0]]
    """
    name = statistic if isinstance(statistic, str) else "function"
    checks.require(
        None if callable(statistic) else checks.one_of("statistic", statistic, STATISTICS),
        checks.one_of("improvement", improvement, IMPROVEMENT),
        checks.one_of("alternative", alternative, ALTERNATIVES),
        checks.one_of("combine", combine, COMBINE),
        checks.one_of("drawn", drawn, (True, False)),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        checks.integer("most", most, 1, 10 * EXACT),
        checks.integer("samples", samples, 99, 10 * EXACT),
        checks.integer("seed", seed, 0),
    )
    study = read_randomised(values, start, min_baseline, min_treatment, drawn, statistic, combine, improvement)
    observed = study.observed()
    if study.lottery is None or not study.drawn:
        return _told(study, name, observed, alternative, Reference(np.array([]), 0, True, None))
    reference = _reference(study, observed, most, samples, seed)
    interval = (np.nan, np.nan)
    if name in LOCATIONS and combine == "records":
        interval = shift_interval(study, reference.rows, reference.distribution, observed, 1 - conf_level)
    return _told(study, name, observed, alternative, reference, interval, conf_level)


@dataclass(frozen=True)
class Reference:
    """The outcomes that the observed one is compared with, and the statistic under each.

    Where outcomes were sampled, the observed one stands in front, so that it counts.
    """

    distribution: np.ndarray
    undefined: int
    exact: bool
    rows: np.ndarray | None

    def p_value(self, observed: float, alternative: str, tolerance: float) -> float:
        """Return the share of outcomes at least as extreme, ties counted."""
        return self._at_least(observed, alternative, tolerance) / len(self.distribution)

    def p_interval(self, observed: float, alternative: str, tolerance: float) -> tuple[float, float]:
        """Return a 99 % interval (Clopper and Pearson) of the exact p where outcomes were sampled."""
        p = self.p_value(observed, alternative, tolerance)
        if self.exact:
            return p, p
        hits, m = self._at_least(observed, alternative, tolerance) - 1, len(self.distribution) - 1
        low = stats.beta.ppf(0.005, hits, m - hits + 1) if hits else 0.0
        return float(low), float(stats.beta.ppf(0.995, hits + 1, m - hits)) if hits < m else 1.0

    def _at_least(self, observed: float, alternative: str, tolerance: float) -> int:
        if alternative == "improvement":
            return int((self.distribution >= observed - tolerance).sum())
        if alternative == "deterioration":
            return int((self.distribution <= observed + tolerance).sum())
        return int((np.abs(self.distribution) >= abs(observed) - tolerance).sum())


def _reference(study: Randomised, observed: float, most: int, samples: int, seed: int) -> Reference:
    """Go through all outcomes, or sample some."""
    lottery: Lottery = study.lottery
    exact = lottery.size <= most
    rows = lottery.everything() if exact else lottery.sample(np.random.default_rng(seed), samples)
    distribution = study.statistic_of(rows)
    defined = np.isfinite(distribution)
    undefined = int((~defined).sum())
    if undefined:
        rows, distribution = rows[defined], distribution[defined]
    if not exact:
        rows = np.concatenate([np.array([study.outcome], dtype=rows.dtype), rows])
        distribution = np.concatenate([[observed], distribution])
    return Reference(distribution, undefined, exact, rows)


# --- the result and its note ----------------------------------------------------------------------------------------

_TERMS = {
    "median": "median_difference",
    "mean": "mean_difference",
    "trimmed_mean": "trimmed_mean_difference",
    "nap": "nap",
    "level": "level_change",
    "slope": "slope_change",
    "function": "own_statistic",
}


def _told(
    study: Randomised,
    name: str,
    observed: float,
    alternative: str,
    reference: Reference,
    interval: tuple[float, float] = (np.nan, np.nan),
    conf_level: float = 0.95,
) -> RandomisationTest:
    """Put the answer together."""
    shift = 0.5 if name == "nap" else 0.0
    compared = len(reference.distribution)
    possible = _possible(study, reference)
    sides = 2 if alternative == "two-sided" and study.lottery is not None and study.lottery.mirrored else 1
    tested = compared > 0
    arguments = (observed, alternative, study.tolerance(observed))
    p_low, p_high = reference.p_interval(*arguments) if tested else (np.nan, np.nan)
    row = {
        "term": [_TERMS[name]],
        "estimate": [observed + shift],
        "p_value": [reference.p_value(*arguments) if tested else np.nan],
        "conf_low": [interval[0]],
        "conf_high": [interval[1]],
        "alternative": [alternative],
        "n_assignments": [possible],
        "smallest_p": [_smallest(reference, sides, possible)],
        "p_low": [p_low],
        "p_high": [p_high],
    }
    summary = {
        **study.counts(),
        "n_assignments": [possible],
        "n_undefined": [reference.undefined],
        "exact": [reference.exact],
        "n_samples": [0 if reference.exact else compared - 1],
        "drawn": [study.drawn],
        "records_needed": [_needed(study.lottery)],
    }
    note = (*study.note, *_said(study, name, reference, possible, interval, conf_level))
    return RandomisationTest(
        pd.DataFrame(row), pd.DataFrame(summary), note, _SOURCE, distribution=reference.distribution + shift
    )


def _possible(study: Randomised, reference: Reference) -> float:
    """Return how many outcomes could be compared; those of the lottery where they were sampled."""
    if study.lottery is None:
        return np.nan
    size = study.lottery.size - (reference.undefined if reference.exact else 0)
    return size if size < 2**53 else float(size)


def _smallest(reference: Reference, sides: int, possible: float) -> float:
    """Return the smallest p there can be: of the draw, or of the samples where they are fewer."""
    return min(1.0, sides / possible) if reference.exact else 1 / len(reference.distribution)


def _needed(lottery: Lottery | None) -> float:
    needed = None if lottery is None else lottery.records_needed(0.05)
    return np.nan if needed is None else needed


def _said(
    study: Randomised,
    name: str,
    reference: Reference,
    possible: float,
    interval: tuple[float, float],
    conf_level: float,
) -> tuple[Text, ...]:
    """Say what was compared, what p can be, and what was left out."""
    said = []
    if not study.drawn:
        said.append(
            Text(
                "开始的时间不是抽签定的，随机化检验没有依据，所以不给 p 值。",
                "The start was chosen, not drawn: a randomisation test would rest on nothing, so there is no p.",
            )
        )
    if study.lottery is not None:
        said.append(_how_many(study, reference, possible))
    if reference.undefined:
        said.append(
            Text(
                f"另有 {reference.undefined} 种结果会使某个阶段没有足够的观察值，未计入比较。",
                f"{reference.undefined} outcomes that would leave a phase without enough observations are left out.",
            )
        )
    if study.drawn and name in LOCATIONS and not study.by_phase and not all(np.isfinite(interval)):
        said.append(_open_interval(len(reference.distribution), name, conf_level))
    elif study.drawn and all(np.isfinite(interval)):
        said.append(
            Text(
                "置信区间假定新做法使各次观察都改变同样多。",
                "The interval assumes that treatment shifts every observation by the same amount.",
            )
        )
    return tuple(said)


def _open_interval(compared: int, name: str, conf_level: float) -> Text:
    """Say why an end of the interval is not given."""
    if name != "mean" and compared > MOST_INVERTED:
        return Text(
            f'要比较的结果超过 {MOST_INVERTED:,} 种，不算置信区间；均值之差（statistic="mean"）有区间。',
            f"There is no interval with more than {MOST_INVERTED:,} outcomes, except for means.",
        )
    return Text(
        f"{conf_level:.0%} 置信区间中没有给出的一端没有界限：可能的结果太少，或统计量分不出相邻的结果。",
        f"The {conf_level:.0%} interval is open at the ends that are not given: there are too few outcomes, or the "
        "statistic does not tell them apart.",
    )


def _how_many(study: Randomised, reference: Reference, possible: float) -> Text:
    smallest, needed = _smallest(reference, 1, possible), study.lottery.records_needed(0.05)
    if not study.drawn:
        return Text(
            f"假如是从 {possible:.0f} 种可能中抽签，p 值最小为 {smallest:.3g}。",
            f"Had it been drawn from {possible:.0f} possible outcomes, p could be {smallest:.3g} at the smallest.",
        )
    how = Text("逐一算过", "all gone through") if reference.exact else Text(
        f"从中抽取 {len(reference.distribution) - 1:,} 种", f"{len(reference.distribution) - 1:,} of them sampled"
    )  # fmt: skip
    told = Text(
        f"抽签共有 {possible:,.0f} 种可能的结果（{{how}}），p 值最小为 {smallest:.3g}。",
        f"The draw had {possible:,.0f} possible outcomes ({{how}}); p can be {smallest:.3g} at the smallest.",
    ).format(how=how)
    if possible >= 20 or needed is None:
        return told
    return Text(
        f"{told.zh}p 不可能小到 .05；按同样的规则至少需要 {needed} 次记录。",
        f"{told.en} It cannot reach .05; with the same rules that takes at least {needed} records.",
    )
