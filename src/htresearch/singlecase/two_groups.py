"""Small group comparisons: before and after, with a comparison class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.singlecase import class_models as models
from htresearch.singlecase import class_words as said
from htresearch.singlecase.class_data import Classes, read_classes
from htresearch.singlecase.class_shuffling import Shuffled, shuffle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Ways to compare, as they stand in the column ``method``.
METHODS = ("adjusted", "standardised", "superiority", "permutation", "gain", "proportional_odds")

#: More different results than this are no grades.
GRADES = 20


@dataclass(frozen=True)
class ClassComparison(Estimates):
    """What groups differ in after something was done, given where their pupils started.

    Attributes
    ----------
    diagnostics : pandas.DataFrame
        What the comparison rests on, with a verdict each: how far groups differed to begin with, and whether where a
        pupil started matters alike in all.
    pupils : pandas.DataFrame
        What was compared: pre, post, group.
    control : str
        The comparison group.
    lines : dict
        Intercept and slope of the adjusted line of each group.
    """

    diagnostics: pd.DataFrame = None
    pupils: pd.DataFrame = None
    control: str = ""
    lines: dict = None

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each pupil before and after, with the adjusted line of each group.

        The vertical distance of two lines is the adjusted difference: what pupils who started alike differ in.
        """
        return said.draw(self, ax)


def compare_classes(
    frame: pd.DataFrame,
    pre: str = "pre",
    post: str = "post",
    group: str = "group",
    *,
    control: object = None,
    strata: str | None = None,
    cluster: str | None = None,
    ordinal: bool = False,
    draws: int = 9_999,
    seed: int = 1,
    conf_level: float = 0.95,
) -> ClassComparison:
    """Compare what became of pupils of two or more groups, given where each pupil started.

    Parameters
    ----------
    frame
        A row per pupil.
    pre, post, group
        Its columns: the result before, the result after (numbers both), and the group.
    control
        The group the others are compared with; not needed where groups are 0 and 1, or false and true.
    strata
        A column within which groups are compared, such as the grade, or the pair of classes that were matched.
    cluster
        The column of classes. Where every group has two or more, intervals and the permutation test go by classes.
    ordinal
        Whether results are grades; then also with a model of proportional odds.
    draws, seed
        How many ways the permutation test draws where there are more than 200,000 to deal the groups out, and how.
    conf_level
        Between 0 and 1.

    Returns
    -------
    ClassComparison
        `.tidy()`: a row per group other than the comparison group and method: term (the group), estimate, std_error,
        df, statistic, p_value, conf_low, conf_high, method, said (in words), n_ways and smallest_p (permutation):

        ``adjusted``: the difference between pupils who started alike, by analysis of covariance (post on strata, pre
        and group, one slope). The usual standard error of least squares; with several classes a side that of a random
        intercept of the class, with Kenward and Roger's degrees of freedom, which count classes.
        ``standardised``: the same as Hedges' g, in standard deviations of results within groups, corrected for small
        samples (variance: Pustejovsky 2016).
        ``superiority``: how often a pupil of the group does better than one of the comparison group, had they started
        alike; ties count half (Brunner-Munzel); .5 is no difference, p and interval are about that.
        ``permutation``: the adjusted difference between these two groups alone, and the share of all ways to deal the
        groups out within strata with one at least as large. Pupils are dealt out, or classes with several a side.
        ``gain``: the difference in how much was gained. Beside, not instead: see the note.
        ``proportional_odds``: the logarithm of the ratio of odds of a higher grade, start and strata given.
        `.glance()`: n, n_groups, n_classes, n_left_out, control, slope (of pre), r_squared, sigma, imbalance
        (largest, in SD), slopes_p_value. `.diagnostics`, `.plot()`.

    Raises
    ------
    ArgumentError
        With everything that is wrong with the arguments.
    ModelError
        If a group has fewer than two pupils with both results, all results are the same, a class is in two groups,
        or strata are groups.

    Notes
    -----
    With one class a group, all of these take pupils as if they had come to their group one by one. Nothing in such
    data tells what was done from everything else that is different about a class; the note says so. Permutation gives
    a test in the strict sense only if lots decided who was in which group.

    References
    ----------
    Brunner, E., & Munzel, U. (2000). The nonparametric Behrens-Fisher problem. Biometrical Journal, 42, 17-25.
    https://doi.org/10.1002/(SICI)1521-4036(200001)42:1%3C17::AID-BIMJ17%3E3.0.CO;2-U
    Phipson, B., & Smyth, G. K. (2010). Permutation P-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology, 9, 39. https://doi.org/10.2202/1544-6115.1585
    Vickers, A. J., & Altman, D. G. (2001). Analysing controlled trials with baseline and follow up measurements. BMJ,
    323, 1123-1124. https://doi.org/10.1136/bmj.323.7321.1123

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> pupils = pd.DataFrame({"group": [0] * 5 + [1] * 5, "pre": [5, 6, 7, 8, 9] * 2,
    ...                        "post": [6, 6, 8, 8, 10, 8, 9, 9, 11, 11]})
    >>> found = ht.singlecase.compare_classes(pupils).tidy()
    >>> found.loc[0, ["term", "method"]].tolist(), found["estimate"].round(2)[:1].tolist()
    (['1', 'adjusted'], [2.0])
    """
    checks.require(
        checks.integer("draws", draws, 99, 10_000_000),
        checks.integer("seed", seed, 0),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        None if isinstance(ordinal, bool) else checks.one_of("ordinal", ordinal, (True, False)),
    )
    data = read_classes(frame, pre, post, group, control, strata, cluster)
    fit = models.ancova(data)
    checks.require(_confounded(fit), _too_many_grades(data, ordinal), error=ModelError)
    slopes = models.unequal_slopes(data, fit)
    rows, shuffles = _rows(data, fit, conf_level, ordinal, draws, seed)
    diagnostics = _diagnostics(data, slopes)
    note = tuple(said.notes(data, fit, slopes, rows, shuffles, diagnostics))
    frame = pd.DataFrame([_told(data, *row, conf_level) for row in rows])
    ways = pd.DataFrame([_ways(method, shuffles.get(term)) for term, method, _ in rows])
    pupils = pd.DataFrame({"pre": data.pre, "post": data.post, "group": data.group})
    return ClassComparison(
        pd.concat([frame, ways], axis=1),
        _summary(data, fit, slopes, diagnostics),
        note,
        "https://doi.org/10.1136/bmj.323.7321.1123",
        diagnostics,
        pupils,
        data.control,
        _lines(data, fit),
    )


Row = tuple[str, str, models.Line]


def _rows(
    data: Classes, fit: models.Fit, conf_level: float, ordinal: bool, draws: int, seed: int
) -> tuple[list[Row], dict[str, Shuffled]]:
    """Return term, method and line of every estimate, and what shuffling showed."""
    k = len(data.treated)
    first = len(fit.coefficients) - k
    adjusted = [fit.line(first + i, conf_level) for i in range(k)]
    if data.several:
        adjusted = models.by_class(data, conf_level)
    gain = models.gains(data)
    odds = models.proportional_odds(data, conf_level) if ordinal else [None] * k
    shuffles = {treated: shuffle(data.pair(treated), draws, seed) for treated in data.treated}
    rows: list[Row] = []
    for i, treated in enumerate(data.treated):
        found = shuffles[treated]
        rows += [
            (treated, "adjusted", adjusted[i]),
            (treated, "standardised", models.standardised(data, adjusted[i], conf_level)),
            (treated, "superiority", models.superiority(data, treated, fit, conf_level)),
            (treated, "permutation", models.Line(found.observed, p_value=found.p_value)),
        ]
        # Of several classes a side the gain would need their variance too; its point is the comparison of the two.
        line = gain.line(len(gain.coefficients) - k + i, conf_level)
        rows.append((treated, "gain", models.Line(line.estimate) if data.several else line))
        if odds[i] is not None:
            rows.append((treated, "proportional_odds", odds[i]))
    return rows, shuffles


def _told(data: Classes, treated: str, method: str, line: models.Line, conf_level: float) -> dict[str, object]:
    # Superiority is compared with one half, everything else with zero.
    statistic = (line.estimate - 0.5) / line.std_error if method == "superiority" else line.statistic
    return {
        "term": treated,
        "estimate": line.estimate,
        "std_error": line.std_error,
        "df": line.df,
        "statistic": statistic,
        "p_value": line.p_value,
        "conf_low": line.low,
        "conf_high": line.high,
        "method": method,
        "said": said.sentence(method, treated, data.control, line, conf_level),
    }


def _ways(method: str, found: Shuffled | None) -> dict[str, float]:
    if method != "permutation":
        return {"n_ways": np.nan, "smallest_p": np.nan}
    return {"n_ways": float(found.drawn), "smallest_p": found.smallest}


def _diagnostics(data: Classes, slopes: tuple[float, float, int, int]) -> pd.DataFrame:
    """Return how far groups differed to begin with, in standard deviations, and whether slopes differ."""
    base = data.pre[data.group == data.control]
    rows = []
    for treated in data.treated:
        mine = data.pre[data.group == treated]
        df = len(mine) + len(base) - 2
        within = ((mine - mine.mean()) ** 2).sum() + ((base - base.mean()) ** 2).sum()
        sd = float(np.sqrt(within / df))
        apart = float(mine.mean() - base.mean())
        rows.append(("imbalance", treated, apart / sd if sd > 0 else np.nan, np.nan, said.imbalance(apart, sd)))
    statistic, p_value, *_ = slopes
    rows.append(("unequal_slopes", "", statistic, p_value, said.slopes(p_value)))
    return pd.DataFrame(rows, columns=["term", "group", "estimate", "p_value", "said"])


def _summary(data: Classes, fit: models.Fit, slopes: tuple, diagnostics: pd.DataFrame) -> pd.DataFrame:
    imbalance = diagnostics.loc[diagnostics["term"] == "imbalance", "estimate"]
    largest = imbalance.abs().max()
    return pd.DataFrame(
        {
            "n": [len(data.post)],
            "n_groups": [len(data.groups)],
            "n_classes": [len(set(data.cluster)) if data.clustered else np.nan],
            "n_left_out": [sum(data.left_out.values())],
            "control": [data.control],
            "slope": [float(fit.coefficients[data.constants.shape[1]])],
            "r_squared": [fit.r_squared],
            "sigma": [fit.sigma],
            "imbalance": [largest],
            "slopes_p_value": [slopes[1]],
        }
    )


def _lines(data: Classes, fit: models.Fit) -> dict[str, tuple[float, float]]:
    """Return intercept and slope for each group, at the mean of strata."""
    k = data.constants.shape[1]
    level, slope = float(data.constants.mean(axis=0) @ fit.coefficients[:k]), float(fit.coefficients[k])
    above = dict(zip(data.treated, fit.coefficients[k + 1 :], strict=True))
    return {group: (level + float(above.get(group, 0.0)), slope) for group in data.groups}


def _confounded(fit: models.Fit | None) -> Fault | None:
    if fit is not None:
        return None
    return Fault(
        checks.argument("strata"),
        Text("分层与组别（或前测）完全重合，分不开", "strata coincide with groups, or with the result before"),
        Text("请换一个两组都有的分层，或不分层", "Choose strata that hold both groups, or none"),
    )


def _too_many_grades(data: Classes, ordinal: bool) -> Fault | None:
    n = len(np.unique(data.post))
    if not ordinal or n <= GRADES:
        return None
    return Fault(
        checks.argument("ordinal"),
        Text(f"后测有 {n} 种不同的值，不像等级", f"there are {n} different results, which are hardly grades"),
        Text("分数请用 ordinal=False", "For scores use ordinal=False"),
    )
