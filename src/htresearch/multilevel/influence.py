"""What a single school or class does to the coefficients and to the variances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.multilevel.components import variance_components
from htresearch.multilevel.crossproducts import CrossProducts, from_rows
from htresearch.multilevel.groups import Level, named_level
from htresearch.multilevel.remarks import require_groups, require_rows
from htresearch.multilevel.reml import Solution, one_thread, solve_products

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

#: The optimum without a group, and which coefficients it has; or nothing, where the rest cannot carry the model.
Refit = tuple[Solution, np.ndarray] | None

OF = ("coefficients", "variances")


@one_thread
def influence(fit: MultilevelFit, group: str, of: str = "coefficients") -> pd.DataFrame:
    """Fit again without each group in turn, to the bottom: coefficients and variances are all estimated anew.

    The outermost groups (the fewest, where groups cross) are left out of the cross-products, so that this needs no
    rows; of other groups the rows of the outermost groups around them are read.

    Parameters
    ----------
    group
        A level's name, as in `random_effects`.
    of
        ``"coefficients"`` or ``"variances"``.

    Returns
    -------
    pandas.DataFrame
        Of coefficients a row per group and coefficient: the columns that name the group; term; estimate without it;
        change from the whole data; change_in_std_errors, the same in standard errors (DFBETAS); cooks_distance, of
        all coefficients of the group together, their squared change in the metric of their covariance by their
        number (:math:`d'C^{-1}d / p`). A coefficient that cannot be estimated without the group is missing, and then
        so is Cook's distance.

        Of variances a row per group and variance: the columns that name the group; component, the level that the
        variance belongs to, and term, as in `variance_components`; estimate, the variance, or the correlation where
        term names two effects; change; relative_change, by the value from the whole data.

    Raises
    ------
    ArgumentError
        If no level has that name.
    UnsupportedError
        For other than the outermost groups where the model has no rows: fitted to a lazy table, or read from a file;
        and where the file kept no names of groups.

    References
    ----------
    Belsley, D. A., Kuh, E., & Welsch, R. E. (1980). Regression Diagnostics. https://doi.org/10.1002/0471725153
    Cook, R. D. (1977). Detection of influential observation in linear regression. Technometrics, 19, 15-18.
    https://doi.org/10.1080/00401706.1977.10489493
    Demidenko, E., & Stukel, T. A. (2005). Influence analysis for linear mixed-effects models. Statistics in
    Medicine, 24, 893-909. https://doi.org/10.1002/sim.1974

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school = np.repeat(np.arange(12), 10)
    >>> frame = pd.DataFrame({"school_id": school, "score": rng.normal(0, 3, 12)[school] + rng.normal(0, 5, 120)})
    >>> without = ht.fit_multilevel("score ~ 1 + (1 | school_id)", frame).influence("school_id")
    >>> int(without.loc[without["cooks_distance"].idxmax(), "school_id"])
    3
    """
    checks.require(checks.one_of("of", of, OF))
    require_groups(fit, "influence")
    level = named_level(fit.design.levels, group)
    table = _coefficients if of == "coefficients" else _variances
    frame, per_group = table(fit, list(_refits(fit, level)))
    labels = level.labels.loc[np.repeat(np.arange(level.size), per_group)].reset_index(drop=True)
    return pd.concat([labels, frame], axis=1)


def _coefficients(fit: MultilevelFit, refits: list[Refit]) -> tuple[pd.DataFrame, int]:
    """Set the coefficients of the refits one after another, with how many they are in each."""
    p = len(fit.design.names)
    beta = np.full((len(refits), p), np.nan)
    for row, refit in zip(beta, refits, strict=True):
        if refit is not None:
            row[refit[1]] = refit[0].beta
    change = beta - fit.solution.beta
    covariance = fit.solution.covariance
    distance = np.einsum("gi,gi->g", change, np.linalg.solve(covariance, change.T).T) / p
    frame = pd.DataFrame(
        {
            "term": list(fit.design.names) * len(refits),
            "estimate": beta.ravel(),
            "change": change.ravel(),
            "change_in_std_errors": (change / np.sqrt(np.diag(covariance))).ravel(),
            "cooks_distance": np.repeat(distance, p),
        }
    )
    return frame, p


def _variances(fit: MultilevelFit, refits: list[Refit]) -> tuple[pd.DataFrame, int]:
    """Set the variances of the refits one after another, with how many they are in each."""

    def values(table: pd.DataFrame) -> np.ndarray:
        return table["variance"].fillna(table.get("correlation", np.nan)).to_numpy()

    whole = variance_components(fit)
    missing = np.full(len(whole), np.nan)
    found = np.array(
        [missing if r is None else values(variance_components(replace(fit, solution=r[0]))) for r in refits]
    )
    change = found - values(whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = change / np.abs(values(whole))
    frame = pd.DataFrame(
        {
            "component": whole["group"].tolist() * len(refits),
            "term": whole["term"].tolist() * len(refits),
            "estimate": found.ravel(),
            "change": change.ravel(),
            "relative_change": np.where(np.isfinite(relative), relative, np.nan).ravel(),
        }
    )
    return frame, len(whole)


def _refits(fit: MultilevelFit, level: Level) -> Iterator[Refit]:
    """Fit without each group of a level, starting at the optimum of the whole data, which is near."""
    outermost = level is fit.design.levels[0]
    if not outermost:
        require_rows(fit, f"influence({level.name!r})")
    for group in range(level.size):
        rest = fit.solution.products.without(group) if outermost else _without_inner(fit, level, group)
        yield _refitted(fit, rest)


def _refitted(fit: MultilevelFit, rest: CrossProducts) -> Refit:
    """Fit to what is left, unless that cannot carry the random part or no optimum is certified."""
    terms, sizes = fit.design.random.terms, rest.groups
    moment = rest.gram.sum(axis=0)
    scale = np.sqrt(np.maximum(np.diag(moment), 1e-300))
    known = min(sizes) > 1 and not rest.alike
    known = known and all(len(columns) * sizes[k] < rest.n for k, columns in terms)
    if not known or np.linalg.matrix_rank(moment / np.outer(scale, scale), hermitian=True) < len(moment):
        return None
    kept = rest.independent
    starts = (fit.solution.optimum.covariances,)
    found = solve_products(rest.taking(kept), terms, fit.method == "reml", starts)
    return (found, kept) if found.converged else None


def _without_inner(fit: MultilevelFit, level: Level, group: int) -> CrossProducts:
    """Leave out a group: read the other rows of the outermost groups around it, and keep the other sums."""
    design, products = fit.design, fit.solution.products
    outermost, own = design.levels[0].codes, level.codes == group
    around = np.unique(outermost[own])
    rest = products.without(around)
    rows = np.flatnonzero(np.isin(outermost, around) & ~own)
    if not len(rows):
        return rest
    read = from_rows(
        np.column_stack([design.X[rows], design.y[rows]]),
        design.random.U[rows],
        tuple(each.codes[rows] for each in design.levels),
        products.columns,
        products.random,
        None if design.weights is None else design.weights[rows],
        products.centre,
        products.random_centre,
    )
    return rest + read if rest.n else read
