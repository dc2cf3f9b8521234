"""Multilevel models: the fit and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.language import Text
from htresearch.multilevel import compare as comparison
from htresearch.multilevel import crossed
from htresearch.multilevel.components import components, icc, r_squared
from htresearch.multilevel.contrasts import combinations, joint_test
from htresearch.multilevel.design import Design, fixed_part
from htresearch.multilevel.formula import ModelFormula
from htresearch.multilevel.groups import Level
from htresearch.multilevel.inference import SOURCES, coefficient_table, containment_df, means_of
from htresearch.multilevel.influence import leave_out
from htresearch.multilevel.predictions import effects_of, random_effects
from htresearch.multilevel.remarks import no_df_note, remarks, require_nested, require_rows
from htresearch.multilevel.reml import METHODS, Solution, solve_products
from htresearch.result import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    def tidy(
        self, inference: str = "satterthwaite", conf_level: float = 0.95, cluster: str | pd.Series | None = None
    ) -> pd.DataFrame:
        """Return a row per fixed effect; the arguments are those of `estimates`."""
        return self.estimates(inference, conf_level, cluster).tidy()

    def estimates(
        self, inference: str = "satterthwaite", conf_level: float = 0.95, cluster: str | pd.Series | None = None
    ) -> Estimates:
        """Return the fixed effects with their tests, intervals and notes.

        Parameters
        ----------
        inference
            ``"satterthwaite"``; ``"kenward-roger"``, whose standard errors count the estimated variances too;
            ``"cr2"``, which holds whatever happens inside clusters; ``"normal"``, infinite degrees of freedom;
            ``"containment"``, degrees of freedom from the numbers of groups.
        conf_level
            Of the intervals.
        cluster
            For ``"cr2"``: the outermost groups unless given, or a Series over the rows with larger clusters.

        Raises
        ------
        ArgumentError
            If an argument is outside what it can be.
        UnsupportedError
            If a random group does not lie within one cluster.
        """
        checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
        means, said = means_of(self, inference, cluster)
        names = self.design.names
        df = means.df(np.eye(len(names)))
        frame = coefficient_table(names, means.solution.beta, means.covariance, df, conf_level)
        note = (*self.note, *said, *no_df_note(names, df))
        return Estimates(frame.assign(**self.design.counts), self.glance(), note, SOURCES[inference])

    def test(
        self,
        terms: Sequence[str] | np.ndarray,
        inference: str = "satterthwaite",
        cluster: str | pd.Series | None = None,
    ) -> Estimates:
        """Test several coefficients, or combinations of them, at once: an F test that all are 0.

        Parameters
        ----------
        terms
            Names of coefficients; a column of the formula such as ``"tier"`` stands for all its categories. Or a
            matrix with a row per combination and a column per coefficient.
        inference, cluster
            As in `estimates`. Satterthwaite's degrees of freedom are those of Fai and Cornelius (1996), CR2's are
            those of Hotelling's T² (HTZ).

        Returns
        -------
        Estimates
            One row: term, statistic, df_numerator, df, p_value.
        """
        return joint_test(self, terms, inference, cluster)

    def contrast(
        self,
        weights: Mapping[str, Mapping[str, float]],
        inference: str = "satterthwaite",
        conf_level: float = 0.95,
        cluster: str | pd.Series | None = None,
    ) -> Estimates:
        """Estimate combinations of coefficients.

        Parameters
        ----------
        weights
            By the name of the combination, the weight of each coefficient that enters:
            ``{"small - aide": {"cltype[T.small]": 1, "cltype[T.reg+A]": -1}}``.
        inference, conf_level, cluster
            As in `estimates`.

        Returns
        -------
        Estimates
            A row per combination.
        """
        return combinations(self, weights, inference, conf_level, cluster)

    @cached_property
    def containment(self) -> np.ndarray:
        """Degrees of freedom of each coefficient by the inner-outer rule."""
        require_rows(self, "containment")
        require_nested(self, "containment")
        return containment_df(self.design.X, self.design.names, self.design.levels)

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
        """Whether a variance is estimated as 0 or a correlation as ±1."""
        return self.solution.singular

    @property
    def n_parameters(self) -> int:
        """Fixed effects, variances and covariances of the groups, and the residual variance."""
        return len(self.design.names) + self.n_covariances + 1

    @property
    def n_covariances(self) -> int:
        """Variances and covariances of the groups."""
        return sum(len(block.columns) * (len(block.columns) + 1) // 2 for block in self.design.random.blocks)

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
        return remarks(self)

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

    @property
    def variance_components(self) -> pd.DataFrame:
        """A row per variance, from the outermost level to the residual: group, term, variance, std_dev.

        With correlated slopes a row per correlation follows, whose term names both effects, and the column
        correlation.
        """
        return components(self)

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
        Johnson, P. C. D. (2014), for random slopes, at the average of the rows.
        https://doi.org/10.1111/2041-210X.12225
        """
        return icc(self)

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
        return r_squared(self)

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
            A row per group, and per effect where slopes are random: the columns that name it; term, with slopes;
            estimate, in the outcome's units and pulled towards 0; std_dev,
            the standard deviation given the data and the fixed effects, as lme4's ``condVar``.
        """
        return random_effects(self, self._level(group))

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
            U = self.design.random.new(new)
            for block, (effects, _) in zip(self.design.random.blocks, self.solution.effects, strict=True):
                known = effects_of(self.design.levels[block.level], effects, new)
                fixed = fixed + np.sum(U[:, list(block.columns)] * known, axis=1)
        return pd.Series(fixed, index=new.index, name=self.formula.response.strip("`"))

    def residuals(self, random: bool = True) -> pd.Series:
        """Return the outcome minus its prediction for the rows used, with or without the groups' effects."""
        require_rows(self, "residuals")
        left = self.design.y - self.design.X @ self.solution.beta
        if random:
            for block, (effects, _) in zip(self.design.random.blocks, self.solution.effects, strict=True):
                of_row = effects[self.design.levels[block.level].codes]
                left = left - np.sum(self.design.random.U[:, list(block.columns)] * of_row, axis=1)
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
        require_rows(self, "influence")
        require_nested(self, "influence")
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
        if self.design.crossed:
            codes = tuple(level.codes for level in self.design.levels)
            found = crossed.solve(self.design.X, self.design.y, codes, method == "reml", weights=self.design.weights)
            return replace(self, solution=found, method=method)
        found = solve_products(
            self.solution.products, self.design.random.terms, method == "reml", (self.solution.optimum.covariances,)
        )
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
        for fit in (self, other):
            require_nested(fit, "compare")
        return comparison.compare(self, other)

    def __repr__(self) -> str:
        return f"MultilevelFit({str(self.formula)!r}, method={self.method!r}, n={self.design.n})"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.estimates()._repr_mimebundle_(include, exclude)
