"""Multilevel models: the fit and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, ColumnError, Fault, UnsupportedError
from htresearch.language import Text, listing
from htresearch.multilevel import compare as comparison
from htresearch.multilevel import mixedlm
from htresearch.multilevel.design import Design, build_design, fixed_part
from htresearch.multilevel.formula import ModelFormula, RandomTerm, parse_formula
from htresearch.multilevel.groups import Level
from htresearch.multilevel.inference import (
    CONTAINMENT_NOTE,
    CONTAINMENT_SOURCE,
    check_inference,
    coefficient_table,
    containment_df,
)
from htresearch.multilevel.influence import leave_out
from htresearch.multilevel.reml import METHODS, Solution, solve
from htresearch.result import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENGINES = ("statsmodels",)


@dataclass(frozen=True, eq=False)
class MultilevelFit:
    """A fitted multilevel model, complete when built; `fit_multilevel` makes it.

    Attributes
    ----------
    formula : ModelFormula
    design : Design
        Arrays, coefficient names, groups (the outermost first) and the rows used.
    solution : Solution
        The optimum.
    method : str
        ``"reml"`` or ``"ml"``.
    engine : str
        What fitted it.
    """

    formula: ModelFormula
    design: Design
    solution: Solution
    method: str
    engine: str

    # -- the coefficients --------------------------------------------------------------------------------------------

    def tidy(self, inference: str = "containment", conf_level: float = 0.95) -> pd.DataFrame:
        """Return a row per fixed effect; the arguments are those of `estimates`."""
        return self.estimates(inference, conf_level).tidy()

    def estimates(self, inference: str = "containment", conf_level: float = 0.95) -> Estimates:
        """Return the fixed effects with their tests, intervals and notes.

        Parameters
        ----------
        inference
            ``"containment"``: degrees of freedom from the numbers of groups (Pinheiro & Bates 2000, section 2.4.2,
            doi:10.1007/b98882), the intercept's from the outermost level.
        conf_level
            Of the intervals.

        Raises
        ------
        UnsupportedError
            For an inference that this engine has not the means for.
        """
        check_inference(inference)
        checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
        df = containment_df(self.design.X, self.design.names, self.design.levels)
        frame = coefficient_table(self.design.names, self.solution.beta, self.solution.covariance, df, conf_level)
        note = (*self.note, CONTAINMENT_NOTE, *_no_df_note(self.design.names, df))
        return Estimates(frame.assign(**self.design.counts), self.glance(), note, CONTAINMENT_SOURCE)

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the fixed effects with their intervals; see `Estimates.plot`."""
        return self.estimates().plot(ax, terms)

    # -- the whole ---------------------------------------------------------------------------------------------------

    @property
    def criterion(self) -> float:
        """-2 log (restricted) likelihood with all constants, lme4's REMLcrit and deviance."""
        return self.solution.criterion

    @property
    def log_likelihood(self) -> float:
        """Log (restricted) likelihood."""
        return -self.criterion / 2

    @property
    def converged(self) -> bool:
        """Whether the end of the search is an optimum."""
        return self.solution.converged

    @property
    def gradient_norm(self) -> float:
        """Length of the criterion's gradient by the variances relative to the residual's."""
        return self.solution.gradient_norm

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as 0 (its square root below 1e-4 of the residual's standard deviation)."""
        return bool((self.solution.gamma < 1e-8).any())

    @property
    def n_parameters(self) -> int:
        """Fixed effects, variances of the groups and the residual variance."""
        return len(self.design.names) + len(self.design.levels) + 1

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self.criterion + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """Schwarz's criterion, with the number of rows."""
        return self.criterion + np.log(self.design.n) * self.n_parameters

    @cached_property
    def note(self) -> tuple[Text, ...]:
        """How the model was fitted and all that was left out, counted."""
        method = {"reml": Text("限制最大似然（REML）", "restricted maximum likelihood (REML)")}.get(
            self.method, Text("最大似然（ML）", "maximum likelihood (ML)")
        )
        sizes = listing(
            Text(f"{level.name}（{level.size}）", f"{level.name} ({level.size})") for level in self.design.levels
        )
        fitted = Text(
            "{method}估计，{n} 行；分组由外到内：{sizes}。",
            "Fitted by {method} to {n} rows; groups from the outside in: {sizes}.",
        ).format(method=method, n=self.design.n, sizes=sizes)
        return (fitted, *self.design.note, *self._warnings())

    def _warnings(self) -> list[Text]:
        notes = []
        at_zero = [level.name for level, g in zip(self.design.levels, self.solution.gamma, strict=True) if g < 1e-8]
        if at_zero:
            notes.append(
                Text(
                    "{groups} 的方差估计为 0：数据中看不出这一层的差异，可考虑删去该随机项。",
                    "The variance of {groups} is estimated as 0: the data show no difference at this level; consider "
                    "leaving the term out.",
                ).format(groups=listing(at_zero))
            )
        if not self.converged:
            notes.append(
                Text(
                    "优化没有收敛，以下结果不可用；请简化模型或检查数据。",
                    "The search did not converge: do not use these results; simplify the model or look at the data.",
                )
            )
        return notes

    def glance(self) -> pd.DataFrame:
        """Return one row: rows, groups by level, method, likelihood, information criteria, sigma, convergence."""
        groups = {f"n_{level.name}": level.size for level in self.design.levels}
        return pd.DataFrame(
            [
                {
                    "n": self.design.n,
                    **groups,
                    "method": self.method,
                    "criterion": self.criterion,
                    "log_likelihood": self.log_likelihood,
                    "aic": self.aic,
                    "bic": self.bic,
                    "sigma": np.sqrt(self.solution.sigma2),
                    "converged": self.converged,
                    "singular": self.singular,
                }
            ]
        )

    # -- the variances -----------------------------------------------------------------------------------------------

    @cached_property
    def _variances(self) -> np.ndarray:
        return self.solution.sigma2 * np.append(self.solution.gamma, 1.0)

    @property
    def variance_components(self) -> pd.DataFrame:
        """A row per variance, from the outermost level to the residual: group, term, variance, std_dev."""
        names = [level.name for level in self.design.levels]
        return pd.DataFrame(
            {
                "group": [*names, "Residual"],
                "term": [*["(Intercept)"] * len(names), ""],
                "variance": self._variances,
                "std_dev": np.sqrt(self._variances),
            }
        )

    def icc(self) -> pd.DataFrame:
        """Return how much of the variance lies at each level, given the fixed effects.

        Returns
        -------
        pandas.DataFrame
            A row per level: group; share, the level's part of the whole variance; icc, the correlation of two rows of
            the same group, which counts the levels around it too.

        References
        ----------
        Hox, J. J., Moerbeek, M., & van de Schoot, R. (2017). Multilevel Analysis, chapter 2.
        https://doi.org/10.4324/9781315650982
        """
        shares = self._variances[:-1] / self._variances.sum()
        names = [level.name for level in self.design.levels]
        return pd.DataFrame({"group": names, "share": shares, "icc": np.cumsum(shares)})

    def r_squared(self) -> pd.DataFrame:
        """Return the share of the variance that the fixed part explains, and the one that fixed and random parts do.

        Returns
        -------
        pandas.DataFrame
            One row: marginal, conditional.

        References
        ----------
        Nakagawa, S., & Schielzeth, H. (2013). A general and simple method for obtaining R² from generalized linear
        mixed-effects models. Methods in Ecology and Evolution, 4, 133-142.
        https://doi.org/10.1111/j.2041-210x.2012.00261.x
        """
        explained = np.var(self.design.X @ self.solution.beta, ddof=1)
        total = explained + self._variances.sum()
        return pd.DataFrame(
            {"marginal": [explained / total], "conditional": [(explained + self._variances[:-1].sum()) / total]}
        )

    # -- groups and rows ---------------------------------------------------------------------------------------------

    def random_effects(self, group: str) -> pd.DataFrame:
        """Return the predicted effect of each group (BLUP).

        Parameters
        ----------
        group
            A level's name, ``"school_id"`` or ``"school_id:class_id"``; its last column alone will do.

        Returns
        -------
        pandas.DataFrame
            A row per group: the columns that name it; estimate, in the outcome's units and pulled towards 0; std_dev,
            the standard deviation given the data and the fixed effects, as lme4's ``condVar``.
        """
        level = self._level(group)
        estimate, std_dev = self.solution.effects[self.design.levels.index(level)]
        return level.labels.assign(estimate=estimate, std_dev=std_dev)

    def predict(self, new: pd.DataFrame, random: bool = True) -> pd.Series:
        """Predict the outcome of new rows.

        Parameters
        ----------
        new
            A row per prediction, with the columns of the fixed part and, with `random`, those of the groups.
        random
            Whether to add the groups' predicted effects; a group that the model has not seen, or a missing one,
            gets 0.

        Returns
        -------
        pandas.Series
            Indexed as `new`; missing where a column of the fixed part is missing.

        Raises
        ------
        ColumnError
            If columns are missing.
        ModelError
            If a category occurs that the model was not fitted to.
        """
        fixed = fixed_part(self.design, new, self.formula.fixed_columns) @ self.solution.beta
        if random:
            for level, (estimate, _) in zip(self.design.levels, self.solution.effects, strict=True):
                fixed = fixed + _effects_of(level, estimate, new)
        return pd.Series(fixed, index=new.index, name=self.formula.response.strip("`"))

    def residuals(self, random: bool = True) -> pd.Series:
        """Return the outcome minus its prediction for the rows used, with or without the groups' effects."""
        left = self.design.y - self.design.X @ self.solution.beta
        if random:
            for level, (estimate, _) in zip(self.design.levels, self.solution.effects, strict=True):
                left = left - estimate[level.codes]
        return pd.Series(left, index=self.design.index, name="residual")

    def influence(self, group: str) -> pd.DataFrame:
        """Fit again without each group in turn.

        Parameters
        ----------
        group
            A level's name, as in `random_effects`.

        Returns
        -------
        pandas.DataFrame
            A row per group and coefficient: the columns that name the group; term; estimate without it; change from
            the whole data; change_in_std_errors, the same in standard errors (DFBETAS). A coefficient that cannot be
            estimated without the group is missing.

        References
        ----------
        Belsley, D. A., Kuh, E., & Welsch, R. E. (1980). Regression Diagnostics. https://doi.org/10.1002/0471725153
        """
        return leave_out(self.design, self.solution, self._level(group), self.method == "reml")

    def _level(self, group: str) -> Level:
        levels = self.design.levels
        named = {level.columns[-1]: level for level in levels} | {level.name: level for level in levels}
        if group not in named:
            checks.require(checks.one_of("group", group, [level.name for level in levels]))
        return named[group]

    # -- other models ------------------------------------------------------------------------------------------------

    def refit(self, method: str) -> MultilevelFit:
        """Return the same model fitted by another method, ``"reml"`` or ``"ml"``."""
        checks.require(checks.one_of("method", method, METHODS))
        if method == self.method:
            return self
        codes = tuple(level.codes for level in self.design.levels)
        found = solve(self.design.X, self.design.y, codes, method == "reml", (self.solution.gamma,))
        return replace(self, solution=found, method=method)

    def compare(self, other: MultilevelFit) -> comparison.Comparison:
        """Test the smaller of two models against the larger by their likelihoods.

        Models whose fixed parts differ are first fitted again by ML. A variance of 0 lies on the boundary of what it
        can be: for one variance the p value is that of an even mixture of two χ² distributions.

        Raises
        ------
        ModelError
            If the models use different rows, or neither contains the other.

        References
        ----------
        Self, S. G., & Liang, K.-Y. (1987). Journal of the American Statistical Association, 82, 605-610.
        https://doi.org/10.1080/01621459.1987.10478472
        """
        return comparison.compare(self, other)

    def __repr__(self) -> str:
        return f"MultilevelFit({str(self.formula)!r}, method={self.method!r}, n={self.design.n})"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.estimates()._repr_mimebundle_(include, exclude)


def fit_multilevel(
    formula: str,
    frame: pd.DataFrame,
    method: str = "reml",
    weights: str | None = None,
    engine: str = "statsmodels",
) -> MultilevelFit:
    """Fit a linear model whose rows lie in groups: pupils in classes in schools.

    Parameters
    ----------
    formula
        ``outcome ~ fixed part + (1 | school_id/class_id)``; see `parse_formula`.
    frame
        A row per observation. Rows with a missing value in a column used are left out and counted in the note.
    method
        ``"reml"``, restricted maximum likelihood, or ``"ml"``.
    weights
        Not taken by this engine.
    engine
        ``"statsmodels"``: random intercepts, nested to any depth.

    Returns
    -------
    MultilevelFit

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    ColumnError
        If the frame lacks columns.
    ModelError
        If the data cannot carry the model.
    UnsupportedError
        For random slopes, crossed groups, weights, and tables that are not pandas frames.

    References
    ----------
    Bates, D., Mächler, M., Bolker, B., & Walker, S. (2015). Fitting linear mixed-effects models using lme4. Journal
    of Statistical Software, 67(1). https://doi.org/10.18637/jss.v067.i01

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school = np.repeat(np.arange(20), 15)
    >>> hours = rng.uniform(0, 40, 300)
    >>> score = 60 + 0.2 * hours + rng.normal(0, 3, 20)[school] + rng.normal(0, 5, 300)
    >>> frame = pd.DataFrame({"school_id": school, "hours": hours, "score": score})
    >>> fit = ht.fit_multilevel("score ~ hours + (1 | school_id)", frame)
    >>> fit.tidy()[["term", "df", "n_schools"]].values.tolist()
    [['(Intercept)', 19.0, 20], ['hours', 279.0, 20]]
    """
    checks.require(checks.one_of("method", method, METHODS), checks.one_of("engine", engine, ENGINES))
    parsed = parse_formula(formula)
    _frame_must_be_pandas(frame)
    checks.require(_weighted(weights), *[_slope(term) for term in parsed.random], error=UnsupportedError)
    design = build_design(parsed, frame)
    solution = mixedlm.fit_nested(design.X, design.y, design.levels, method == "reml")
    return MultilevelFit(parsed, design, solution, method, engine)


def _frame_must_be_pandas(frame: object) -> None:
    if isinstance(frame, pd.DataFrame):
        return
    kind = f"{type(frame).__module__}.{type(frame).__name__}"
    tabular = any(hasattr(frame, name) for name in ("collect", "to_pandas", "to_df", "df", "toPandas"))
    raise (UnsupportedError if tabular else ArgumentError)(
        Fault(
            checks.argument("frame"),
            Text(
                "引擎 statsmodels 只接受 pandas 的 DataFrame", "the engine statsmodels takes a pandas DataFrame only"
            ),
            Text(
                "请先选出所用的列，再转成 pandas（例如 .to_pandas() 或 .df()）",
                "Select the columns used, then turn the table into pandas (for example .to_pandas() or .df())",
            ),
            kind,
        )
    )


def _weighted(weights: object) -> Fault | None:
    if weights is None:
        return None
    return Fault(
        checks.argument("weights"),
        Text("引擎 statsmodels 不能加权", "the engine statsmodels cannot weight rows"),
        Text(
            "请不加权拟合，并把决定抽样的变量放进固定部分",
            "Fit without weights, with the variables that the sampling depends on in the fixed part",
        ),
        weights if isinstance(weights, str) else type(weights).__name__,
    )


def _slope(term: RandomTerm) -> Fault | None:
    if term.columns == ("1",):
        return None
    intercept = replace(term, columns=("1",), correlated=True)
    return Fault(
        Text(f"随机项 {term}", f"Random term {term}"),
        Text("引擎 statsmodels 只能估计随机截距", "the engine statsmodels estimates random intercepts only"),
        Text(
            f"请改写为 {intercept}，并把斜率放进固定部分", f"Write {intercept} and put the slope into the fixed part"
        ),
    )


def _effects_of(level: Level, estimate: np.ndarray, new: pd.DataFrame) -> np.ndarray:
    """Look up the effect of each row's group; unknown groups get 0."""
    columns = list(level.columns)
    checks.require(*checks.columns("new", columns, list(new.columns)), error=ColumnError)
    known = pd.MultiIndex.from_frame(level.labels.astype(object))
    wanted = pd.MultiIndex.from_frame(new[columns].astype(object))
    at = known.get_indexer(wanted)
    return np.where(at >= 0, estimate[at], 0.0)


def _no_df_note(names: tuple[str, ...], df: np.ndarray) -> list[Text]:
    without = [name for name, value in zip(names, df, strict=True) if np.isnan(value)]
    if not without:
        return []
    return [
        Text(
            "组数太少，以下系数没有剩余自由度，因而没有检验和区间：{names}。",
            "There are too few groups to leave degrees of freedom for a test or an interval of: {names}.",
        ).format(names=listing(without))
    ]
