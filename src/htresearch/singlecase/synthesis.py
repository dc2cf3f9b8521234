"""What many small studies say together: their mean effect, how far cases and studies differ, every one in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text
from htresearch.result import Estimates
from htresearch.singlecase import synthesis_words as words
from htresearch.singlecase.synthesis_effects import Effects, read_effects
from htresearch.singlecase.synthesis_model import Pooled, pool, robust

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INFERENCES = ("cr2", "model")


@dataclass(frozen=True)
class Synthesis(Estimates):
    """The mean of many effects, with what it was made of.

    Attributes
    ----------
    effects : pandas.DataFrame
        A row per effect that counted: study, case, estimate, std_error, weight (its share of the mean, without
        moderators).
    """

    effects: pd.DataFrame = field(default=None, repr=False)
    read: Effects = field(default=None, repr=False)
    inference: str = "cr2"
    conf_level: float = 0.95

    def leave_one_out(self) -> Estimates:
        """Return the estimates again without each study (each case, where there is one study).

        `.tidy()` has the columns of the synthesis; the term is the study left out, ``"all"`` where none is. With
        moderators column ``line`` names the coefficient.
        """
        units = self.read.clusters
        kept = [("all", self.frame)]
        for unit in range(units.max() + 1):
            left = self.read.without(units == unit)
            if left is None:
                gone = {column: np.nan for column in self.frame.columns if column != "term"}
                found = self.frame[["term"]].assign(**gone)
            else:
                found, _ = _estimate(left, self.inference, self.conf_level)
            kept.append((self.read.cluster_names[unit], found))
        rows = [found.assign(line=found["term"], term=name) for name, found in kept]
        frame = pd.concat(rows, ignore_index=True)
        if len(self.frame) == 1:
            frame = frame.drop(columns="line")
        return Estimates(frame, self.summary, (words.LEAVE_ONE_OUT, *self.note), self.source)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw every effect with its interval, study by study, the mean as a diamond and the prediction interval."""
        from htresearch.singlecase.synthesis_figure import forest

        return forest(self, ax)


def synthesis(
    frame: pd.DataFrame | Estimates | Sequence[pd.DataFrame | Estimates],
    estimate: str = "estimate",
    std_error: str = "std_error",
    case: str = "case",
    study: str | None = "study",
    term: str | None = None,
    moderators: str | Sequence[str] | None = None,
    correlation: float = 0.0,
    begun: int | None = None,
    inference: str = "cr2",
    conf_level: float = 0.95,
) -> Synthesis:
    """Pool the effects of many cases in a multilevel meta-analysis: effects in cases in studies.

    Parameters
    ----------
    frame
        A row per effect, or several such frames, for example what `effect_sizes` returns. Effects without an estimate
        or without a standard error above 0 cannot count; the note names them.
    estimate, std_error, case, study
        Columns. ``study=None``: every case is a study of its own. Cases of one name in different studies are
        different cases.
    term
        Which index to pool, where column ``term`` names several.
    moderators
        Columns that may explain differences: numbers, or words, of which the first in the order of the alphabet is
        the one compared with.
    correlation
        Of the sampling errors of several effects of one case, from 0 to below 1.
    begun
        How many studies were begun, finished or not; the note then says how many are missing here.
    inference
        ``"cr2"``: robust variances by study with Satterthwaite's degrees of freedom (by case, where there is one
        study). ``"model"``: those of the model, with t on the number of studies less that of coefficients.
    conf_level
        Between 0 and 1.

    Returns
    -------
    Synthesis
        `.tidy()`: the mean, term ``"mean"``, or the coefficients ``(Intercept)`` and each moderator's. `.glance()`:
        n_effects, n_cases, n_studies, n_left_out, tau2_study, tau2_case, tau2_effect (NaN where that level cannot be
        told apart), i2_study, i2_case, i2_effect (percent of the whole variance), q, q_df, q_p_value, predict_low,
        predict_high (where the true effect of a case in a new study is expected to lie), log_likelihood, inference.
        `.plot()` is a forest plot, `.leave_one_out()` the estimates without each study.

    Raises
    ------
    ColumnError, ArgumentError
        If columns are missing or hold what cannot be used, or fewer than two effects can count.
    ModelError
        If moderators cannot be told apart.

    References
    ----------
    Van den Noortgate, W., López-López, J. A., Marín-Martínez, F., & Sánchez-Meca, J. (2013). Three-level
    meta-analysis of dependent effect sizes. Behavior Research Methods, 45, 576-594.
    https://doi.org/10.3758/s13428-012-0261-6 Tipton, E. (2015). Small sample adjustments for robust variance
    estimation with meta-regression. Psychological Methods, 20, 375-393. https://doi.org/10.1037/met0000011
    Pustejovsky, J. E., & Tipton, E. (2022). Meta-analysis with robust variance estimation: Expanding the range of
    working models. Prevention Science, 23, 425-438. https://doi.org/10.1007/s11121-021-01246-3

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> frame = pd.DataFrame({
    ...     "study": ["p", "p", "q", "q", "r", "s"],
    ...     "case": ["1", "2", "1", "2", "1", "1"],
    ...     "estimate": [0.2, 0.5, 0.4, 0.3, 0.6, 0.1],
    ...     "std_error": [0.2, 0.2, 0.3, 0.2, 0.25, 0.2],
    ... })
    >>> found = ht.singlecase.synthesis(frame)
    >>> found.tidy()[["term", "estimate"]].round(2).values.tolist()
    [['mean', 0.33]]
    """
    checks.require(
        checks.one_of("inference", inference, INFERENCES),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
        _not_a_correlation(correlation),
        None if begun is None else checks.integer("begun", begun, 1),
    )
    wanted = [moderators] if isinstance(moderators, str) else list(moderators or ())
    read = read_effects(frame, estimate, std_error, case, study, term, wanted, float(correlation))
    checks.require(_fewer_begun(begun, read))
    checks.require(_not_apart(read), error=ModelError)
    table, model = _estimate(read, inference, conf_level)
    summary = _summary(read, model, table, inference, conf_level)
    weight = np.linalg.solve(model.V, np.ones(len(read.y)))
    effects = read.table.assign(weight=weight / weight.sum())
    return Synthesis(
        table,
        summary,
        words.remarks(read, model, table, inference, begun),
        "https://doi.org/10.3758/s13428-012-0261-6; https://doi.org/10.1007/s11121-021-01246-3",
        effects,
        read,
        inference,
        conf_level,
    )


def _estimate(read: Effects, inference: str, conf_level: float) -> tuple[pd.DataFrame, Pooled]:
    model = pool(read.y, read.X, read.S, [codes for _, codes in read.levels])
    p = len(model.beta)
    units = int(read.clusters.max()) + 1
    if inference == "cr2" and units > 1:
        found = robust(model, read.clusters)
        covariance, df = found.covariance, found.df
    else:
        covariance, df = model.covariance, np.full(p, float(units - p) if units > p else np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), np.nan))
        error = np.where(np.isnan(df), np.nan, error)
        statistic = model.beta / error
    reach = stats.t.ppf((1 + conf_level) / 2, df) * error
    table = pd.DataFrame(
        {
            "term": list(read.names),
            "estimate": model.beta,
            "std_error": error,
            "df": df,
            "statistic": statistic,
            "p_value": 2 * stats.t.sf(np.abs(statistic), df),
            "conf_low": model.beta - reach,
            "conf_high": model.beta + reach,
        }
    )
    return table, model


def _summary(read: Effects, model: Pooled, table: pd.DataFrame, inference: str, conf_level: float) -> pd.DataFrame:
    tau2 = dict.fromkeys(("study", "case", "effect"), np.nan)
    tau2 |= {name: float(v) for (name, _), v in zip(read.levels, model.tau2, strict=True)}
    whole = float(model.tau2.sum()) + model.typical
    q_df = len(read.y) - len(model.beta)
    low = high = np.nan
    first = table.iloc[0]
    if len(table) == 1 and read.n_studies >= 3 and np.isfinite(first["std_error"]):
        reach = stats.t.ppf((1 + conf_level) / 2, first["df"]) * np.sqrt(
            first["std_error"] ** 2 + float(model.tau2.sum())
        )
        low, high = first["estimate"] - reach, first["estimate"] + reach
    return pd.DataFrame(
        {
            "n_effects": [len(read.y)],
            "n_cases": [read.n_cases],
            "n_studies": [read.n_studies],
            "n_left_out": [read.n_left_out],
            **{f"tau2_{name}": [v] for name, v in tau2.items()},
            **{f"i2_{name}": [100 * v / whole] for name, v in tau2.items()},
            "q": [model.q],
            "q_df": [q_df],
            "q_p_value": [float(stats.chi2.sf(model.q, q_df)) if q_df else np.nan],
            "predict_low": [low],
            "predict_high": [high],
            "log_likelihood": [model.log_likelihood],
            "inference": [inference],
        }
    )


# --- refusals -------------------------------------------------------------------------------------------------------


def _not_a_correlation(value: object) -> Fault | None:
    fault = checks.between("correlation", value, 0, 1)
    if fault is None and float(value) == 1:  # ty: ignore
        return replace(
            checks.between("correlation", 2, 0, 1),
            rule=Text("须小于 1", "must be below 1"),
            value=value,
        )
    return fault


def _fewer_begun(begun: int | None, read: Effects) -> Fault | None:
    if begun is None or begun >= read.n_studies:
        return None
    return Fault(
        checks.argument("begun"),
        Text(f"表中已有 {read.n_studies} 项研究，不能更少", f"the frame holds {read.n_studies} studies already"),
        Text("请给出开始过的研究总数，无论完成与否", "Give the number of all studies begun, finished or not"),
        begun,
    )


def _not_apart(read: Effects) -> Fault | None:
    n, p = read.X.shape
    if np.linalg.matrix_rank(read.X) == p and n > p:
        return None
    return Fault(
        checks.argument("moderators"),
        Text("这些调节变量在现有效应中分不开", "these moderators cannot be told apart in the effects at hand"),
        Text("请减少调节变量", "Use fewer moderators"),
        n,
    )
