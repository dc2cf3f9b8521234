r"""The outcome's variance, as a model implies it, taken apart: fixed part, slopes, intercepts, residual.

Over the rows, columns are taken apart into means of groups, about those of the groups around, and what lies within
the innermost groups; :math:`S_k` are the covariances that a level k adds, :math:`\mu` the mean of U. With T the
covariance of a term's effects,

.. math:: f_k = \beta' S^X_k \beta, \qquad v_k = \mathrm{tr}(T S^U_k), \qquad m = \mu' T \mu .

For two levels and predictors centred within clusters these are f₁, f₂, v and m of Rights & Sterba (2019),
doi:10.1037/met0000184; for more levels see Rights & Sterba (2021), doi:10.1080/00273171.2021.1985948. An effect of a
group times a column that varies inside the group varies where the column does; times one that varies around the
group, where the group does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.multilevel.crossproducts import INTERCEPT, CrossProducts, Nest, from_rows
from htresearch.multilevel.remarks import require_nested, require_rows

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

RESIDUAL = "Residual"


def variance_partition(fit: MultilevelFit) -> pd.DataFrame:
    """Take the implied variance of the outcome apart; see `components.r_squared`."""
    require_nested(fit, "rights-sterba")
    products = _with_constant(fit)
    constant, depth = products.random.index(INTERCEPT), products.nest.depth
    names = [*(level.name for level in fit.design.levels), RESIDUAL]
    weight = products.gram[:, constant, constant].sum()
    # The intercept moves no row from another, and would only cost digits; the outcome itself is no part of it.
    beta = [0.0 if name == INTERCEPT else b for name, b in zip(fit.design.names, fit.solution.beta, strict=True)]
    fixed, slopes, mean = _moments(products, np.array([*beta, 0.0]))
    v, m = np.zeros((depth, depth + 1)), np.zeros(depth)
    at = [products.random.index(name) for name in fit.design.random.names]
    for block, covariance in zip(fit.design.random.blocks, fit.solution.covariances, strict=True):
        columns, g = [at[c] for c in block.columns], block.level
        m[g] += mean[columns] @ covariance @ mean[columns]
        for k in range(depth + 1):
            v[g, max(g, k)] += np.sum(covariance * slopes[k][np.ix_(columns, columns)])
    rows = [("fixed", name, name, part) for name, part in zip(names, fixed, strict=True)]
    # Levels at which no slope's column varies are left out; what is there instead of 0 is rounding.
    none = 1e-14 * (v.sum() + m.sum())
    rows += [("slopes", names[g], names[k], v[g, k]) for g, k in zip(*np.nonzero(v > none), strict=True)]
    rows += [("intercepts", name, name, part) for name, part in zip(names, m, strict=False)]
    rows.append(("residual", RESIDUAL, RESIDUAL, fit.solution.sigma2 * products.n / weight))
    frame = pd.DataFrame(rows, columns=["source", "group", "level", "variance"])
    frame["share"] = frame["variance"] / frame["variance"].sum()
    frame["share_of_level"] = frame["variance"] / frame.groupby("level")["variance"].transform("sum")
    return frame


def _moments(products: CrossProducts, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return f_k and S_k of U for each level, and the mean of U."""
    constant = products.random.index(INTERCEPT)
    sizes, sums = products.gram[:, constant, constant], products.gram[:, constant]
    weight, nest = sizes.sum(), products.nest
    predicted = products.cross[:, constant] @ beta[:, None]
    total = np.array([[beta @ products.overall @ beta]])
    fixed = _by_level(nest, sizes, predicted, total)[:, 0, 0] / weight
    slopes = _by_level(nest, sizes, sums, products.gram.sum(axis=0)) / weight
    # The fixed part's variance is divided by n - 1 as elsewhere; U's by n, so that v + m is its second moment.
    fixed = np.maximum(fixed, 0.0)  # where nothing varies rounding leaves either sign
    return fixed * products.n / (products.n - 1), slopes, products.random_centre + sums.sum(axis=0) / weight


def _with_constant(fit: MultilevelFit) -> CrossProducts:
    """Return cross-products with the constant among the columns of U: sums by group, and how many rows there are."""
    products = fit.solution.products
    if INTERCEPT in products.random:
        return products
    require_rows(fit, "rights-sterba")
    design = fit.design
    return from_rows(
        np.column_stack([design.X, design.y]),
        np.column_stack([np.ones(design.n), design.random.U]),
        tuple(level.codes for level in design.levels),
        products.columns,
        (INTERCEPT, *design.random.names),
        design.weights,
    )


def _by_level(nest: Nest, sizes: np.ndarray, sums: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the cross-products that each level adds, from the outside in, and those within innermost groups.

    Parameters
    ----------
    nest
        How the groups lie.
    sizes, sums
        Rows, and sums of the columns, in each innermost group.
    total
        Cross-products over all rows.
    """
    innermost = nest.depth - 1
    about = [np.outer(sums.sum(axis=0), sums.sum(axis=0)) / sizes.sum()]
    for k in range(nest.depth):
        inside, number = nest.up(sums, innermost, k), nest.up(sizes, innermost, k)
        about.append((inside / number[:, None]).T @ inside)
    return np.diff(np.array([*about, total]), axis=0)
