"""Multilevel models: the fit and what can be asked of it.

Every question is a function in the module of its name; here stand what a fit is made of and the list of questions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.language import Text
from htresearch.multilevel import (
    compare,
    components,
    contrasts,
    export,
    figures,
    files,
    influence,
    level_residuals,
    marginal_means,
    predictions,
    standardised,
    variance_intervals,
    within_between,
)
from htresearch.multilevel.basis import Rows
from htresearch.multilevel.design import Design
from htresearch.multilevel.formula import ModelFormula
from htresearch.multilevel.inference import containment_df
from htresearch.multilevel.remarks import remarks, require_nested, require_rows
from htresearch.multilevel.reml import METHODS, Solution, solve_products
from htresearch.multilevel.within_between import Split

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
    splits : tuple of Split
        Columns that were split into within and between.
    """

    formula: ModelFormula
    design: Design
    solution: Solution
    method: str
    engine: str
    splits: tuple[Split, ...] = ()

    # -- the coefficients --------------------------------------------------------------------------------------------

    def tidy(
        self, inference: str = "satterthwaite", conf_level: float = 0.95, cluster: str | pd.Series | None = None
    ) -> pd.DataFrame:
        """Return a row per fixed effect; the arguments are those of `estimates`."""
        return self.estimates(inference, conf_level, cluster).tidy()

    def plot(self, ax: Axes | None = None, terms: list[str] | None = None) -> Axes:
        """Draw the fixed effects with their intervals; see `Estimates.plot`."""
        return self.estimates().plot(ax, terms)

    estimates = contrasts.estimates
    test = contrasts.test
    contrast = contrasts.contrast
    within_between = within_between.within_between
    marginal_means = marginal_means.marginal_means
    standardised = standardised.standardised

    @cached_property
    def containment(self) -> np.ndarray:
        """Degrees of freedom of each coefficient by the inner-outer rule."""
        if "containment" in self.design.known:
            return self.design.known["containment"]
        require_rows(self, "containment")
        require_nested(self, "containment")
        return containment_df(self.design.X, self.design.names, self.design.levels)

    @cached_property
    def rows(self) -> Rows | None:
        """The rows, and how the coefficients come from them; ``None`` where the model has no rows at hand."""
        return Rows.of(self)

    # -- the variances -----------------------------------------------------------------------------------------------

    variance_components = property(components.variance_components)
    variance_intervals = variance_intervals.variance_intervals
    icc = components.icc
    r_squared = components.r_squared

    # -- groups and rows ---------------------------------------------------------------------------------------------

    random_effects = predictions.random_effects
    predict = predictions.predict
    residuals = predictions.residuals
    level_residuals = level_residuals.level_residuals
    influence = influence.influence
    diagnostics = figures.diagnostics
    caterpillar = figures.caterpillar
    influence_plot = figures.influence_plot

    # -- other models ------------------------------------------------------------------------------------------------

    compare = compare.compare

    def refit(self, method: str) -> MultilevelFit:
        """Return the same model fitted by another method, ``"reml"`` or ``"ml"``."""
        checks.require(checks.one_of("method", method, METHODS))
        if method == self.method:
            return self
        found = solve_products(
            self.solution.products, self.design.random.terms, method == "reml", (self.solution.optimum.covariances,)
        )
        return replace(self, solution=found, method=method)

    # -- files -------------------------------------------------------------------------------------------------------

    save = files.save
    export = export.export

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

    def __repr__(self) -> str:
        return f"MultilevelFit({str(self.formula)!r}, method={self.method!r}, n={self.design.n})"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.estimates()._repr_mimebundle_(include, exclude)
