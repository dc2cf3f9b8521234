"""What a planned single-case study would find, by simulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.language import Text, label
from htresearch.result import Estimates
from htresearch.singlecase.lottery import BaselineLottery, Lottery, PhaseLottery
from htresearch.singlecase.many_series import (
    FAMILIES,
    normal_series,
    observed_series,
    p_by_start,
    statistic_by_start,
)
from htresearch.singlecase.power_words import family_faults, listed, power_words, read_designs, unsuited
from htresearch.singlecase.randomisation import ALTERNATIVES
from htresearch.singlecase.reference import STATISTICS, AlternatingSeries, PhaseSeries, SeveralSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.singlecase.drawing import Drawing

#: How a change is looked for: by the randomisation test, by the interval of NAP, by piecewise regression.
METHODS = ("randomisation", "nap_interval", "piecewise_level")
#: Outcomes that each simulated series is compared with, where there are more.
_OUTCOMES = 999
_VARIED = ("n", "effect", "autocorrelation", "method", "test_statistic")

_SOURCE = "https://doi.org/10.1371/journal.pone.0228355"

Numbers = float | Sequence[float]


@dataclass(frozen=True, kw_only=True)
class SimulatedPower(Estimates):
    """Power of planned single-case studies, by simulation; complete when built."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw power over the number of records, or over the effect if only that varies.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.

        Whatever else varies has a line for each value; bars are 95 % intervals of the simulation.
        """
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(6.8, 4.0))[1] if ax is None else ax
        varied = [c for c in _VARIED if len(set(self.frame[c])) > 1]
        across = next((c for c in ("n", "effect", "autocorrelation") if c in varied), "n")
        others = [c for c in varied if c != across]
        groups = list(self.frame.groupby(others, sort=False)) if others else [((), self.frame)]
        for values, rows in groups:
            told = [
                f"{label(c)} {v:g}" if isinstance(v, float) else str(label(str(v), within=c))
                for c, v in zip(others, values, strict=True)
            ]
            reach = np.abs(rows[["conf_low", "conf_high"]].to_numpy().T - rows["estimate"].to_numpy())
            ax.errorbar(
                rows[across], rows["estimate"], yerr=reach, marker="o", label=str(Text("，", ", ")).join(told)
            )
        ax.axhline(0.8, color="0.4", linewidth=1, linestyle="--", zorder=1)
        ax.set_ylim(0, 1.02)
        ax.set_xlabel(str(Text("记录次数", "Records") if across == "n" else label(across)))
        ax.set_ylabel(str(label("power")))
        if others:
            ax.legend()
        return ax


def power(
    n: int | Sequence[int] | Drawing | Lottery,
    min_baseline: int | None = None,
    min_treatment: int | None = None,
    effect: Numbers = 1.0,
    *,
    autocorrelation: Numbers = 0.3,
    statistic: str | Sequence[str] = "mean",
    method: str | Sequence[str] = "randomisation",
    alternative: str = "improvement",
    family: str = "gaussian",
    mean: float | None = None,
    trials: int | None = None,
    alpha: float = 0.05,
    series: int = 2000,
    seed: int = 1,
) -> SimulatedPower:
    """Simulate a planned single-case study many times, and tell how often it finds an effect.

    Each simulated study draws anew when its treatment starts. The effect is there from the first treatment record on,
    and lasts. Numbers may be lists: every combination gives a row.

    Parameters
    ----------
    n
        Records of an AB design; or any other design, as `draw_phases`, `draw_multiple_baseline` and
        `draw_alternating` drew it (what was drawn does not matter here, only what could have been).
    min_baseline, min_treatment
        The fewest records of each phase of an AB design.
    effect
        For the better, in standard deviations of the baseline; 0 gives the rate of false alarms.
    autocorrelation
        How much each observation resembles the one before it, from -0.9 to 0.9.
    statistic
        Of the randomisation test, as in `randomisation_test`.
    method
        ``"randomisation"``; for AB also ``"nap_interval"``, whether the interval of NAP leaves .5 out, and
        ``"piecewise_level"``, whether the change of level by least squares differs from 0. Both believe that
        observations do not depend on one another, and give false alarms if they do: see what they find at effect 0.
    alternative
        ``"improvement"``, ``"deterioration"`` or ``"two-sided"``.
    family
        ``"gaussian"``; ``"count"`` (Poisson of baseline `mean`); ``"percentage"`` (of `trials`, with baseline `mean`
        between 0 and 100).
    mean, trials
        Of counts and percentages.
    alpha
        A change is found if p is at most this.
    series, seed
        How many studies are simulated for each row, and the seed of it.

    Returns
    -------
    SimulatedPower
        `.tidy()`: a row per combination: term ``"power"``; estimate; std_error of the simulation, conf_low and
        conf_high its 95 % interval (Clopper and Pearson); design, n (records of a case), n_assignments, smallest_p,
        effect, autocorrelation, method, test_statistic. `.glance()`: family, alternative, alpha, n_series, seed.

    Raises
    ------
    ArgumentError
        If anything is missing, out of range, or of no use in this design.

    References
    ----------
    Ferron, J., & Onghena, P. (1996). The power of randomization tests for single-case phase designs. Journal of
    Experimental Education, 64, 231-239.
    Bouwmeester, S., & Jongerling, J. (2020). Power of a randomization test in a single case multiple baseline AB
    design. PLoS ONE, 15, e0228355. https://doi.org/10.1371/journal.pone.0228355

    Examples
    --------
    >>> import htresearch as ht
    >>> planned = ht.singlecase.power([20, 30], 5, 5, effect=2, series=500)
    >>> planned.tidy()[["n", "n_assignments", "smallest_p"]].round(3).values.tolist()
    [[20.0, 11.0, 0.091], [30.0, 21.0, 0.048]]
    """
    designs = read_designs(n, min_baseline, min_treatment)
    varied = {
        "effect": listed(effect),
        "autocorrelation": listed(autocorrelation),
        "method": listed(method),
        "statistic": listed(statistic),
    }
    checks.require(
        *(checks.between("effect", e, -20, 20) for e in varied["effect"]),
        *(checks.between("autocorrelation", a, -0.9, 0.9) for a in varied["autocorrelation"]),
        *(checks.one_of("method", m, METHODS) for m in varied["method"]),
        *(checks.one_of("statistic", s, STATISTICS) for s in varied["statistic"]),
        checks.one_of("alternative", alternative, ALTERNATIVES),
        checks.one_of("family", family, FAMILIES),
        checks.between("alpha", alpha, 0, 1, open_ends=True),
        checks.integer("series", series, 10, 1_000_000),
        checks.integer("seed", seed, 0),
    )
    checks.require(*family_faults(family, mean, trials, varied["effect"]), *unsuited(designs, varied))
    rows = []
    for lottery, e, rho in product(designs, varied["effect"], varied["autocorrelation"]):
        # The same series for every method and statistic, so that they are compared on equal terms.
        study = _Simulation(lottery, e, rho, alternative, (family, mean or 0.0, trials or 1), series, seed)
        for m, s in _ways(varied["method"], varied["statistic"]):
            found = int((study.p_values(m, s) <= alpha + 1e-12).sum())
            rows.append(_row(lottery, e, rho, m, s, found, series))
    summary = {
        "family": [family],
        "alternative": [alternative],
        "alpha": [alpha],
        "n_series": [series],
        "seed": [seed],
    }
    return SimulatedPower(pd.DataFrame(rows), pd.DataFrame(summary), power_words(designs, alpha, series), _SOURCE)


@dataclass(frozen=True, eq=False)
class _Simulation:
    """The simulated studies of one design, effect and autocorrelation."""

    lottery: Lottery
    effect: float
    autocorrelation: float
    alternative: str
    observed_as: tuple[str, float, int]
    series: int
    seed: int

    def p_values(self, method: str, statistic: str) -> np.ndarray:
        """Return p of each study."""
        rng = np.random.default_rng(self.seed)
        if self.lottery.design != "AB":
            return np.array([self._one(rng, statistic) for _ in range(self.series)])
        starts = self.lottery.everything()[:, 0]
        drawn = rng.integers(0, len(starts), self.series)
        normal = normal_series(rng, self.series, self.lottery.n, self.autocorrelation)
        treated = np.arange(self.lottery.n) >= starts[drawn][:, None]
        values = observed_series(normal, treated, self.effect, *self.observed_as)
        if method == "randomisation":
            return p_by_start(statistic_by_start(values, starts, statistic), drawn, self.alternative)
        ways = {"nap_interval": nap_interval_z, "piecewise_level": piecewise_level_t}
        found, df = np.zeros(self.series), np.inf
        for at, start in enumerate(starts):
            found[drawn == at], df = ways[method](values[drawn == at], int(start))
        tail = stats.t(df) if np.isfinite(df) else stats.norm
        sided = {"improvement": tail.sf(found), "deterioration": tail.cdf(found)}
        return sided.get(self.alternative, 2 * tail.sf(np.abs(found)))

    def _one(self, rng: np.random.Generator, statistic: str) -> float:
        """Simulate one study of any other design, and return its p."""
        lottery = self.lottery
        outcome = tuple(lottery.sample(rng, 1)[0].astype(int))
        cases = [
            observed_series(
                normal_series(rng, 1, len(treated), self.autocorrelation), treated, self.effect, *self.observed_as
            )[0]
            for treated in lottery.treated(outcome).values()
        ]
        if isinstance(lottery, BaselineLottery):
            laid = SeveralSeries(cases)
        else:
            laid = (PhaseSeries if isinstance(lottery, PhaseLottery) else AlternatingSeries)(cases[0])
        exact = lottery.size <= _OUTCOMES
        rows = self._all if exact else lottery.sample(rng, _OUTCOMES)
        found = laid.statistic(np.concatenate([np.array([outcome], dtype=rows.dtype), rows]), statistic)[None]
        p = p_by_start(found, np.zeros(1, int), self.alternative)[0]
        # The outcome itself stands in front: among all outcomes it would be counted twice.
        return (p * found.size - 1) / (found.size - 1) if exact else p

    @property
    def _all(self) -> np.ndarray:
        if "all" not in self.__dict__:
            object.__setattr__(self, "all", self.lottery.everything())
        return self.__dict__["all"]


def nap_interval_z(values: np.ndarray, start: int) -> tuple[np.ndarray, float]:
    """Return by how many of its standard errors NAP lies above .5, for each series (row) with this start.

    Newcombe's (2006) interval leaves .5 out exactly if this exceeds the normal quantile: at .5 its variance is
    (m + n + 1)/12mn.
    """
    m, n = start, values.shape[1] - start
    found = statistic_by_start(values, np.array([start]), "nap")[:, 0]
    return found / np.sqrt((m + n + 1) / (12 * m * n)), np.inf


def piecewise_level_t(values: np.ndarray, start: int) -> tuple[np.ndarray, float]:
    """Return t of the change of level by least squares, for each series (row), and its degrees of freedom."""
    n = values.shape[1]
    times, late = np.arange(n), np.arange(n) >= start
    x = np.column_stack([np.ones(n), times, late, late * (times - start)])
    inverse = np.linalg.inv(x.T @ x)
    beta = values @ x @ inverse
    residual = ((values - beta @ x.T) ** 2).sum(axis=1) / (n - 4)
    error = np.sqrt(residual * inverse[2, 2])
    return np.where(error > 0, beta[:, 2] / np.where(error > 0, error, 1), 0.0), n - 4


# --- rows and words -------------------------------------------------------------------------------------------------


def _ways(methods: Iterable[str], statistics: Iterable[str]) -> Iterator[tuple[str, str]]:
    for method in methods:
        yield from ((method, s) for s in (statistics if method == "randomisation" else [""]))


def _row(lottery: Lottery, effect: float, rho: float, method: str, statistic: str, found: int, series: int) -> dict:
    share = found / series
    low = stats.beta.ppf(0.025, found, series - found + 1) if found else 0.0
    high = stats.beta.ppf(0.975, found + 1, series - found) if found < series else 1.0
    return {
        "term": "power",
        "estimate": share,
        "std_error": np.sqrt(share * (1 - share) / series),
        "conf_low": low,
        "conf_high": high,
        "design": lottery.design,
        "n": lottery.length,
        "n_assignments": lottery.size if lottery.size < 2**53 else float(lottery.size),
        "smallest_p": lottery.smallest_p,
        "effect": float(effect),
        "autocorrelation": float(rho),
        "method": method,
        "test_statistic": statistic,
    }
