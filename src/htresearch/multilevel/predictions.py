"""Predicted effects of groups: as a table, and looked up for rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError
from htresearch.multilevel.groups import Level

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def random_effects(fit: MultilevelFit, level: Level) -> pd.DataFrame:
    """Return a row per group and effect; see `MultilevelFit.random_effects`."""
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


def effects_of(level: Level, effects: np.ndarray, new: pd.DataFrame) -> np.ndarray:
    """Look up the effect of each row's group; unknown groups get 0."""
    columns = list(level.columns)
    checks.require(*checks.columns("new", columns, list(new.columns)), error=ColumnError)
    known = pd.MultiIndex.from_frame(level.labels.astype(object))
    wanted = pd.MultiIndex.from_frame(new[columns].astype(object))
    at = known.get_indexer(wanted)
    return np.where((at >= 0)[:, None], effects[at], 0.0)
