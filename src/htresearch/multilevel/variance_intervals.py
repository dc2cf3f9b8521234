"""Profile-likelihood intervals of the standard deviations and correlations of random effects, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.language import Text
from htresearch.multilevel.basis import basis_of
from htresearch.multilevel.profiles import Chart, Quantity, find_end, settled
from htresearch.multilevel.reml import one_thread
from htresearch.result import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from htresearch.multilevel.fit import MultilevelFit

SOURCE = "Venzon & Moolgavkar (1988), https://doi.org/10.2307/2347496; Bates et al. (2015), https://doi.org/10.18637/jss.v067.i01"


class VarianceIntervals(Estimates):
    """Intervals of standard deviations and correlations; `plot` draws the standard deviations."""

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw each standard deviation with its interval.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.
        terms
            Which, as ``"group: term"``, or ``"Residual"``; all otherwise.
        """
        shown = self.frame[self.frame["quantity"] == "std_dev"]
        named = [f"{g}: {t}" if t else g for g, t in zip(shown["group"], shown["term"], strict=True)]
        plain = Estimates(shown.assign(term=named), self.summary)
        return plain.plot(ax, named if terms is None else terms)


@one_thread
def variance_intervals(fit: MultilevelFit, conf_level: float = 0.95) -> VarianceIntervals:
    """Return profile-likelihood intervals of every standard deviation and correlation, the residual's among them.

    They are of the criterion the model was fitted by: the restricted likelihood for ``method="reml"``, the
    likelihood for ``"ml"`` (``confint(method="profile")`` of lme4 always takes the latter).

    Parameters
    ----------
    conf_level
        Of the intervals.

    Returns
    -------
    VarianceIntervals
        A row per quantity, in the order of `variance_components`: term, estimate, conf_low, conf_high, in the
        outcome's units for a standard deviation; group; quantity, ``"std_dev"`` or ``"correlation"``; variance,
        variance_low and variance_high, the squares. A lower end of exactly 0 says that the data do not exclude a
        variance of 0; an upper end may be infinite where there are too few groups.

    Raises
    ------
    ArgumentError
        If `conf_level` is not between 0 and 1.

    References
    ----------
    Venzon, D. J., & Moolgavkar, S. H. (1988). A method for computing profile-likelihood-based confidence intervals.
    Applied Statistics, 37, 87-94. https://doi.org/10.2307/2347496
    Bates, D., Mächler, M., Bolker, B., & Walker, S. (2015). Fitting linear mixed-effects models using lme4. Journal
    of Statistical Software, 67(1). https://doi.org/10.18637/jss.v067.i01

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school = np.repeat(np.arange(20), 15)
    >>> score = 60 + rng.normal(0, 3, 20)[school] + rng.normal(0, 5, 300)
    >>> fit = ht.fit_multilevel("score ~ 1 + (1 | school_id)", pd.DataFrame({"school_id": school, "score": score}))
    >>> fit.variance_intervals().tidy().round(2)[["group", "estimate", "conf_low", "conf_high"]].values.tolist()
    [['school_id', 1.34, 0.57, 2.29], ['Residual', 4.75, 4.38, 5.17]]
    """
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    reach = float(stats.norm.ppf((1 + conf_level) / 2))
    found = [(*names, *_interval(fit, quantity, reach)) for names, quantity in _quantities(fit)]
    frame = pd.DataFrame(found, columns=["group", "term", "quantity", "estimate", "conf_low", "conf_high"])
    deviation = frame["quantity"] == "std_dev"
    for name, column in (("variance", "estimate"), ("variance_low", "conf_low"), ("variance_high", "conf_high")):
        frame[name] = np.where(deviation, frame[column] ** 2, np.nan)
    basis = basis_of(fit, (), np.zeros(0), np.zeros((0, len(fit.design.names))))
    return VarianceIntervals(frame, fit.glance(), (*fit.note, *_notes(fit, frame)), SOURCE, basis=basis)


def _notes(fit: MultilevelFit, frame: pd.DataFrame) -> list[Text]:
    if fit.method == "reml":
        said = Text(
            "区间由限制似然（REML）的剖面求得；lme4 的 confint(method='profile') 用的是似然（ML），要与之对照请以 "
            "method='ml' 拟合。",
            "Intervals are profiles of the restricted likelihood (REML); confint(method='profile') of lme4 profiles "
            "the likelihood (ML): fit with method='ml' to compare.",
        )
    else:
        said = Text(
            "区间由似然（ML）的剖面求得，与 lme4 的 confint(method='profile') 相同；组数少时标准差的估计偏小，"
            "REML 的偏差较小。",
            "Intervals are profiles of the likelihood (ML), as those of confint(method='profile') of lme4; with few "
            "groups its standard deviations are too small, those of REML less so.",
        )
    notes = [said]
    if ((frame["conf_low"] == 0) & (frame["quantity"] == "std_dev")).any():
        notes.append(
            Text(
                "下限为 0 表示：在此置信水平上，数据不排除该方差为 0。",
                "A lower end of 0 says that, at this level of confidence, the data do not exclude a variance of 0.",
            )
        )
    if np.isinf(frame["conf_high"]).any():
        notes.append(
            Text(
                "上限为无穷大表示：组数太少，数据没有给出上限。",
                "An infinite upper end says that there are too few groups for the data to set one.",
            )
        )
    return notes


def _quantities(fit: MultilevelFit) -> list[tuple[tuple[str, str, str], Quantity]]:
    """Return group, term and kind of every quantity, with what it is."""
    found, below = [], []
    for b, block in enumerate(fit.design.random.blocks):
        group = fit.design.levels[block.level].name
        names = [fit.design.random.names[c] for c in block.columns]
        found += [((group, name, "std_dev"), Quantity(b, (i,))) for i, name in enumerate(names)]
        for i, j in zip(*np.tril_indices(len(names), -1), strict=True):
            below.append(((group, f"{names[j]}, {names[i]}", "correlation"), Quantity(b, (int(j), int(i)))))
    return [*found, (("Residual", "", "std_dev"), Quantity(None)), *below]


def _interval(fit: MultilevelFit, quantity: Quantity, reach: float) -> tuple[float, float, float]:
    """Return a quantity's estimate and the ends of its interval."""
    chart = Chart.of(fit.solution.optimum, quantity)
    start = settled(chart.start(fit.solution.covariances, fit.solution.sigma2))
    best = min(start.value, fit.solution.optimum.profile.criterion)
    low, high = (chart.told(find_end(start, best, reach, side)) for side in (-1, 1))
    estimate = chart.told(start.theta[chart.target])
    if chart.turned:
        variances = np.diag(fit.solution.covariances[quantity.block])[list(quantity.effects)]
        estimate = estimate if variances.all() else np.nan
    return estimate, low, high
