"""Predicted effects of groups, predictions of rows, and what they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError
from htresearch.multilevel.design import fixed_part
from htresearch.multilevel.groups import Level, named_level
from htresearch.multilevel.remarks import require_groups, require_rows

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def random_effects(fit: MultilevelFit, group: str) -> pd.DataFrame:
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
    require_groups(fit, "random_effects")
    level = named_level(fit.design.levels, group)
    random, at = fit.design.random, fit.design.levels.index(level)
    parts = []
    for block, (effects, spread) in zip(random.blocks, fit.solution.effects, strict=True):
        if block.level != at:
            continue
        for i, column in enumerate(block.columns):
            named = {} if random.intercepts_only else {"term": random.names[column]}
            deviation = np.sqrt(np.maximum(spread[:, i, i], 0))
            parts.append(level.labels.assign(**named, estimate=effects[:, i], std_dev=deviation))
    return pd.concat(parts, ignore_index=True)


def predict(fit: MultilevelFit, new: pd.DataFrame, random: bool = True) -> pd.Series:
    """Predict the outcome of new rows.

    Parameters
    ----------
    new
        A row per prediction, with the columns of the fixed part and, with `random`, those of the groups. A column
        that the model splits into within and between may be given whole, with the columns of its groups: a group
        that the model has seen keeps its mean, any other has the mean of its rows in `new`, and a column
        ``<x>_between`` counts before both.
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
    for split in fit.splits:
        new = split.of(new)
    fixed = fixed_part(fit.design, new, fit.formula.fixed_columns) @ fit.solution.beta
    if random:
        require_groups(fit, "predict(random=True)")
        U = fit.design.random.new(new)
        for block, (effects, _) in zip(fit.design.random.blocks, fit.solution.effects, strict=True):
            known = _effects_of(fit.design.levels[block.level], effects, new)
            fixed = fixed + np.sum(U[:, list(block.columns)] * known, axis=1)
    return pd.Series(fixed, index=new.index, name=fit.formula.response.strip("`"))


def residuals(fit: MultilevelFit, random: bool = True) -> pd.Series:
    """Return the outcome minus its prediction for the rows used, with or without the groups' effects."""
    require_rows(fit, "residuals")
    left = fit.design.y - fit.design.X @ fit.solution.beta
    if random:
        for block, (effects, _) in zip(fit.design.random.blocks, fit.solution.effects, strict=True):
            of_row = effects[fit.design.levels[block.level].codes]
            left = left - np.sum(fit.design.random.U[:, list(block.columns)] * of_row, axis=1)
    return pd.Series(left, index=fit.design.index, name="residual")


def _effects_of(level: Level, effects: np.ndarray, new: pd.DataFrame) -> np.ndarray:
    """Look up the effect of each row's group; unknown groups get 0."""
    columns = list(level.columns)
    checks.require(*checks.columns("new", columns, list(new.columns)), error=ColumnError)
    known = pd.MultiIndex.from_frame(level.labels.astype(object))
    wanted = pd.MultiIndex.from_frame(new[columns].astype(object))
    at = known.get_indexer(wanted)
    return np.where((at >= 0)[:, None], effects[at], 0.0)
