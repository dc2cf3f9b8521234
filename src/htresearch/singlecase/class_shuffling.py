"""Would chance alone deal the groups out so: a permutation test within strata, of pupils or of whole classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from math import comb, prod

import numpy as np

from htresearch.singlecase.class_data import Classes

#: Up to so many ways to deal the labels out, all are gone through.
ALL_WAYS = 200_000
_AT_A_TIME = 4_000


@dataclass(frozen=True, eq=False)
class Shuffled:
    """What dealing the labels out again shows.

    Attributes
    ----------
    observed : float
        The difference, start and strata taken off, between the two groups.
    p_value : float
        The share of ways with a difference at least as large, either way.
    smallest : float
        The smallest p that this could have given.
    ways : int
        How many ways there are.
    exact : bool
        Whether all were gone through; otherwise `drawn` of them were, by lot.
    drawn : int
    """

    observed: float
    p_value: float
    smallest: float
    ways: int
    exact: bool
    drawn: int


def shuffle(data: Classes, draws: int, seed: int) -> Shuffled:
    """Deal the labels of two groups out again, within strata; whole classes where each group has several."""
    units, blocks = _units(data)
    treated = np.array([data.group[units == u][0] == data.treated[0] for u in range(units.max() + 1)])
    picks = [(np.flatnonzero(blocks == b), int(treated[blocks == b].sum())) for b in np.unique(blocks)]
    ways = prod(comb(len(members), k) for members, k in picks)
    difference = _Difference(data, units)
    observed = float(difference(treated[None, :].astype(float))[0])
    if ways <= ALL_WAYS:
        found = np.concatenate([difference(labels) for labels in _all(picks, len(treated))])
        sizes = np.abs(found)
        smallest = float((sizes >= _at_least(np.nanmax(sizes))).mean())
        return Shuffled(observed, float((sizes >= _at_least(observed)).mean()), smallest, ways, True, ways)
    generator = np.random.default_rng(seed)
    sizes = np.abs(np.concatenate([difference(labels) for labels in _some(picks, len(treated), draws, generator)]))
    # The observed way is one of them (Phipson & Smyth 2010).
    p_value = float(((sizes >= _at_least(observed)).sum() + 1) / (draws + 1))
    return Shuffled(observed, p_value, 1 / (draws + 1), ways, False, draws)


class _Difference:
    """The coefficient of the label in post ~ strata + pre + label, for many labels at once (Frisch-Waugh-Lovell)."""

    def __init__(self, data: Classes, units: np.ndarray):
        self._units = units
        covariates = data.covariates
        q, r = np.linalg.qr(covariates)
        self._q = q[:, np.abs(np.diag(r)) > 1e-10]
        self._left = data.post - self._q @ (self._q.T @ data.post)

    def __call__(self, labels: np.ndarray) -> np.ndarray:
        rows = labels[:, self._units]
        squares = (rows**2).sum(axis=1) - ((rows @ self._q) ** 2).sum(axis=1)
        # A label that strata and start tell exactly has no coefficient of its own; it counts against the finding.
        known = squares > 1e-9
        return np.where(known, rows @ self._left / np.where(known, squares, 1.0), np.inf)


def _at_least(observed: float) -> float:
    return abs(observed) * (1 - 1e-9) - 1e-12


def _units(data: Classes) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit of each pupil, the class or the pupil, and the stratum of each unit."""
    strata = np.unique(data.stratum, return_inverse=True)[1]
    if not data.several:
        return np.arange(len(data.post)), strata
    units = np.unique(data.cluster, return_inverse=True)[1]
    # Classes stay whole, so that they are only exchanged within strata that hold whole classes.
    within = [set(strata[units == u]) for u in range(units.max() + 1)]
    whole = all(len(found) == 1 for found in within)
    return units, np.array([min(found) if whole else 0 for found in within])


def _all(picks: list[tuple[np.ndarray, int]], n: int) -> Iterator[np.ndarray]:
    batch = []
    for way in product(*(combinations(members.tolist(), k) for members, k in picks)):
        batch.append([unit for chosen in way for unit in chosen])
        if len(batch) == _AT_A_TIME:
            yield _labels(batch, n)
            batch = []
    if batch:
        yield _labels(batch, n)


def _labels(batch: list[list[int]], n: int) -> np.ndarray:
    labels = np.zeros((len(batch), n))
    labels[np.arange(len(batch))[:, None], np.array(batch, dtype=int)] = 1.0
    return labels


def _some(
    picks: list[tuple[np.ndarray, int]], n: int, draws: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    for first in range(0, draws, _AT_A_TIME):
        number = min(_AT_A_TIME, draws - first)
        labels = np.zeros((number, n))
        for members, k in picks:
            order = generator.permuted(np.broadcast_to(members, (number, len(members))), axis=1)
            labels[np.arange(number)[:, None], order[:, :k]] = 1.0
        yield labels
