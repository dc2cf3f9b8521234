"""Piecewise regression of one case: its level and its trend before a change, and how both move at the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, label
from htresearch.result import Estimates
from htresearch.singlecase.cases import Case, missing_note, read_case
from htresearch.singlecase.piecewise_lines import AUTOCORRELATIONS, FAMILIES, Lines, fit_lines
from htresearch.singlecase.piecewise_words import not_the_family, remarks
from htresearch.singlecase.series import Values, read_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DISPERSIONS = ("fixed", "estimated")


@dataclass(frozen=True)
class PiecewiseRegression(Estimates):
    """Intercept and trend of the baseline, and the changes of level and slope.

    Attributes
    ----------
    data : pandas.DataFrame
        The observations used: time, value, phase, fitted (on the scale of the values), and trials for binomial.
    """

    data: pd.DataFrame = field(default=None, repr=False)
    lines: Lines = field(default=None, repr=False)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the observations, a line at each change of phase, the fitted lines, and where the baseline led."""
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.subplots(figsize=(6.8, 3.6))[1]
        case, names = self.lines.case, self.lines.case.names
        for p, name in enumerate(names):
            rows = self.data[self.data["phase"] == name]
            # Successes are drawn as shares of their trials, as the line is one of shares.
            shown = rows["value"] / rows["trials"] if "trials" in rows else rows["value"]
            color = "C0" if p % 2 == 0 else "C1"
            ax.plot(rows["time"], shown, "o-", color=color, linewidth=0.8, alpha=0.7)
            ends = np.linspace(case.starts[p], case.lasts[p], 50)
            ax.plot(ends, self.lines.curve(p, ends), color=color, linewidth=2.2)
            if p:
                ax.axvline((case.lasts[p - 1] + case.starts[p]) / 2, color="0.4", linestyle="--", linewidth=1)
            ax.annotate(
                name, ((case.starts[p] + case.lasts[p]) / 2, 1.01), xycoords=("data", "axes fraction"), ha="center"
            )
        onward = np.linspace(case.lasts[0], case.lasts[1], 50)
        ax.plot(onward, self.lines.curve(0, onward), color="C0", linestyle=":", linewidth=1.5)
        ax.set_xlabel(str(Text("时间", "Time")))
        ax.xaxis.get_major_locator().set_params(integer=bool((case.times % 1 == 0).all()))
        share = "trials" in self.data
        ax.set_ylabel(str(Text("发生的比例", "Share of trials") if share else Text("观察值", "Observed value")))
        return ax

    def _repr_mimebundle_(self, include=None, exclude=None):
        return Estimates._repr_mimebundle_(
            Estimates(self.rename(_terms_for_readers(self.frame["term"])).frame, self.summary, self.note),
            include,
            exclude,
        )


def _terms_for_readers(terms: Sequence[str]) -> dict[str, Text]:
    """Name terms such as ``level[B]``: the words of the term, then the phase."""
    found = {}
    for term in terms:
        word, _, phase = term.partition("[")
        said = label(word, within="term")
        phase = phase.rstrip("]")
        found[term] = Text("{word}：{phase}", "{word}: {phase}").format(word=said, phase=phase) if phase else said
    return found


def piecewise(
    values: Values,
    phases: Sequence | pd.Series,
    times: Sequence | pd.Series | None = None,
    family: str = "gaussian",
    trials: Sequence | int | None = None,
    autocorrelation: str | None = None,
    baseline: str | None = None,
    dispersion: str = "fixed",
    conf_level: float = 0.95,
) -> PiecewiseRegression:
    """Fit a line to each phase, and tell how level and slope change from phase to phase.

    Parameters
    ----------
    values
        What was observed; ``None`` and NaN are missing.
    phases
        The label of each value's phase; a phase is a run of one label, so that ABAB has four.
    times
        Numbers or dates (counted in days), one per value; the place of each value, missing ones counted, if not
        given.
    family
        ``"gaussian"``; ``"poisson"`` for counts, on the log scale; ``"binomial"`` for successes out of `trials`, on
        the logit scale.
    trials
        For ``"binomial"``: how many times it could have happened, one number for all or one per value.
    autocorrelation
        What is done about observations that resemble those before them, for ``"gaussian"``. ``None``: nothing, but
        the autocorrelation is reported. ``"ar1"``: generalised least squares with a first-order process, by REML.
        ``"newey-west"``: least squares with standard errors after Newey and West (lag ⌊4(n/100)^(2/9)⌋, small-sample
        factor n/(n - p)).
    baseline
        With more than two phases every phase is compared with the one before it; given the label of the first phase,
        with that phase.
    dispersion
        For counts: ``"fixed"`` takes the variance of the distribution and normal intervals, ``"estimated"``
        multiplies it by Pearson's chi-square over its degrees of freedom (quasi-likelihood) and takes t.
    conf_level
        Between 0 and 1.

    Returns
    -------
    PiecewiseRegression
        `.tidy()`: ``intercept``, the baseline's line at the first session; ``trend``, its slope; ``level``, by how
        much the treatment's line at the first session of its phase lies above where the comparison's line had led;
        ``slope``, the change of slope. With more phases ``level[B]``, ``slope[B]``, ``level[A2]`` and so on. Also
        delta_r_squared (gaussian): by how much R² falls without the term. `.glance()`: n, n_phases, family, link,
        r_squared (of the deviance for counts), adjusted_r_squared, sigma, df_residual, autocorrelation (lag 1, of the
        residuals), durbin_watson, phi (``"ar1"``), dispersion, log_likelihood, aic.

    Raises
    ------
    ArgumentError
        If the arguments do not fit together, there are fewer than two phases, the first has fewer than two
        observations, or the values are none of the family.

    Notes
    -----
    Time runs from 0 at the first session; the clock of each slope starts from 0 at the first session of its phase, so
    that ``level`` is the change at that session (Huitema and McKean, 2000; scan's model "W" with two phases). A gap
    in time stays a gap. A term whose phase holds too few different observations to estimate it is NaN, with a note.

    References
    ----------
    Huitema, B. E., & McKean, J. W. (2000). Design specification issues in time-series intervention models.
    Educational and Psychological Measurement, 60, 38-58. https://doi.org/10.1177/00131640021970358
    Newey, W. K., & West, K. D. (1987). A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix. Econometrica, 55, 703-708. https://doi.org/10.2307/1913610

    Examples
    --------
    >>> import htresearch as ht
    >>> found = ht.singlecase.piecewise([2, 3, 4, 8, 10, 12], ["A", "A", "A", "B", "B", "B"])
    >>> found.tidy()[["term", "estimate"]].round(3).values.tolist()
    [['intercept', 2.0], ['trend', 1.0], ['level', 3.0], ['slope', 1.0]]
    """
    checks.require(
        checks.one_of("family", family, FAMILIES),
        checks.one_of("autocorrelation", autocorrelation, AUTOCORRELATIONS),
        checks.one_of("dispersion", dispersion, DISPERSIONS),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
    )
    case, faults = read_case("", values, phases, times)
    checks.require(*faults)
    sizes, fault = _read_trials(trials, values, times)
    checks.require(
        fault,
        *not_the_family(case, family, sizes, trials, autocorrelation, dispersion),
        *_wrong_phases(case, baseline),
    )
    lines = fit_lines(case, family, sizes, autocorrelation, dispersion == "estimated")
    frame = _table(lines, baseline is not None, conf_level)
    return PiecewiseRegression(
        frame,
        pd.DataFrame({name: [value] for name, value in lines.summary.items()}),
        (*missing_note((case,)), *remarks(lines, frame)),
        "https://doi.org/10.1177/00131640021970358",
        pd.DataFrame(
            {
                "time": case.times,
                "value": case.values,
                "phase": [case.names[p] for p in case.phase],
                "fitted": lines.fitted,
                **({} if sizes is None else {"trials": sizes}),
            }
        ),
        lines,
    )


def _contrasts(case: Case, from_first: bool) -> tuple[list[str], np.ndarray]:
    """Return terms and their weights on the intercept and slope of each phase's own line.

    A phase's own line is a_p + b_p (t - start_p). Then level is a_p - (a_c + b_c (start_p - start_c)) and slope
    b_p - b_c, c being the phase it is compared with.
    """
    k = len(case.labels)
    names = ["intercept", "trend"]
    rows = [np.eye(2 * k)[0], np.eye(2 * k)[1]]
    for p in range(1, k):
        before = 0 if from_first else p - 1
        level, slope = np.zeros(2 * k), np.zeros(2 * k)
        level[[2 * p, 2 * before]] = 1, -1
        level[2 * before + 1] = -(case.starts[p] - case.starts[before])
        slope[[2 * p + 1, 2 * before + 1]] = 1, -1
        rows += [level, slope]
        ending = "" if k == 2 else f"[{case.names[p]}]"
        names += [f"level{ending}", f"slope{ending}"]
    return names, np.array(rows)


def _table(lines: Lines, from_first: bool, conf_level: float) -> pd.DataFrame:
    names, weights = _contrasts(lines.case, from_first)
    known = ~((weights != 0) & np.isnan(lines.theta)).any(axis=1)
    theta = np.nan_to_num(lines.theta)
    estimate = np.where(known, weights @ theta, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.einsum("ij,jk,ik->i", weights, lines.covariance, weights))
        error = np.where(known & (error > 0), error, np.nan)
        statistic = estimate / error
    df = lines.df
    tail = stats.norm if np.isinf(df) else stats.t(df if df > 0 else np.nan)
    reach = tail.ppf((1 + conf_level) / 2) * error
    frame = pd.DataFrame(
        {
            "term": names,
            "estimate": estimate,
            "std_error": error,
            "df": float(df) if df > 0 else np.nan,
            "statistic": statistic,
            "p_value": 2 * tail.sf(np.abs(statistic)),
            "conf_low": estimate - reach,
            "conf_high": estimate + reach,
        }
    )
    if lines.ordinary is not None:
        # Dropping one term from the model raises the residual sum of squares by estimate² / (w (X'X)⁻¹ w').
        own = np.einsum("ij,jk,ik->i", weights, lines.ordinary.inverse, weights)
        rise = estimate**2 / np.where(known & (own > 0), own, np.nan)
        frame["delta_r_squared"] = rise / lines.ordinary.total if lines.ordinary.total > 0 else np.nan
        frame.loc[frame["term"] == "intercept", "delta_r_squared"] = np.nan
    return frame


def _read_trials(trials: object, values: Sequence, times: object) -> tuple[np.ndarray | None, Fault | None]:
    """Return the trials of each observation that is there, in time order."""
    if trials is None:
        return None, None
    alone = isinstance(trials, (int, float, np.number)) and not isinstance(trials, bool)
    seen, _ = read_values("values", values)
    read, fault = read_values("trials", [trials] * len(seen) if alone else trials)
    if fault is not None:
        return None, fault
    if len(read) != len(seen):
        return None, Fault(
            checks.argument("trials"),
            Text(f"须与观察值一样多（{len(seen)} 个）", f"must be as many as the values ({len(seen)})"),
            Text("请给一个数，或每个观察一个数", "Give one number, or one per value"),
            len(read),
        )
    order = np.arange(len(seen)) if times is None else np.argsort(pd.Series(list(times)), kind="stable")
    ordered = np.asarray(order)
    return read[ordered][~np.isnan(seen[ordered])], None


def _wrong_phases(case: Case, baseline: object) -> list[Fault | None]:
    faults: list[Fault | None] = []
    if len(case.labels) < 2:
        faults.append(
            Fault(
                checks.argument("phases"),
                Text("至少要有两个阶段", "at least two phases are needed"),
                Text("请写明改变从哪里开始", "Say where the change begins"),
                case.labels[0],
            )
        )
    elif (n := int((case.phase == 0).sum())) < 2:
        faults.append(
            Fault(
                checks.argument("phases"),
                Text(
                    "第一个阶段至少要有两个观察值，才有趋势可言",
                    "the first phase needs two observed values for a trend",
                ),
                Text("请补充改变前的观察", "Add observations of the baseline"),
                n,
            )
        )
    if baseline is not None and str(baseline) != case.labels[0]:
        faults.append(
            Fault(
                checks.argument("baseline"),
                Text(
                    f"须是第一个阶段的名称 {case.labels[0]}",
                    f"must be the label of the first phase, {case.labels[0]}",
                ),
                Text(
                    "不给此参数时，每个阶段与前一阶段相比", "Without it every phase is compared with the one before"
                ),
                baseline if isinstance(baseline, (str, int, float)) else type(baseline).__name__,
            )
        )
    return faults
