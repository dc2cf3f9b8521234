r"""What one pass over the rows keeps: all that the likelihood, its tests and CR2 need.

With U the columns that carry random effects (1, slopes) and A = [X y], the pass keeps U'U and U'A for every
innermost group and, for every outermost group, the cross-products of what U does not explain of A within innermost
groups. So memory grows with groups, not with rows, and parts of a table add up. Where groups cross, the innermost
groups are cells: rows that share a group of every level. Columns of A are centred at a common
point before anything is multiplied, for large means would cost digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

#: The name of the constant column.
INTERCEPT = "(Intercept)"


@dataclass(frozen=True, eq=False)
class CrossProducts:
    """Sums over rows, by group.

    Attributes
    ----------
    columns : tuple of str
        Of A: the fixed part, then the outcome.
    random : tuple of str
        Of U.
    centre, random_centre : numpy.ndarray
        What was taken from each column of A and of U.
    keys : numpy.ndarray
        For each innermost group a row with the group of each level, from the outside in; sorted.
    sizes : numpy.ndarray
        Rows of each innermost group.
    logs : numpy.ndarray
        Sum of the logarithms of the precision weights in each innermost group; 0 without weights.
    gram : numpy.ndarray, groups by r by r
        U'U of each innermost group.
    cross : numpy.ndarray, groups by r by m
        U'A of each innermost group.
    within : numpy.ndarray, outermost groups by m by m
        Cross-products of A about its projections on U in the innermost groups.
    """

    columns: tuple[str, ...]
    random: tuple[str, ...]
    centre: np.ndarray
    random_centre: np.ndarray
    keys: np.ndarray
    sizes: np.ndarray
    logs: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    within: np.ndarray

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.sizes.sum())

    @property
    def log_weights(self) -> float:
        """Sum of the logarithms of the precision weights."""
        return float(self.logs.sum())

    @cached_property
    def nest(self) -> Nest:
        """How the groups lie within one another."""
        return Nest.of(self.keys)

    @cached_property
    def crossed(self) -> bool:
        """Whether a group of some level lies in several of the level before it; innermost groups are cells then."""
        return self.groups != self.nest.sizes

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """The number of groups of each level."""
        return tuple(int(np.count_nonzero(np.bincount(column))) for column in self.keys.T)

    @property
    def alike(self) -> bool:
        """Whether two levels next to one another divide the rows into the same groups."""
        pairs = [len(np.unique(self.keys[:, k : k + 2], axis=0)) for k in range(self.keys.shape[1] - 1)]
        return any(found == a == b for found, a, b in zip(pairs, self.groups[:-1], self.groups[1:], strict=True))

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Least squares of A on U in each innermost group."""
        return times(pseudo_inverse(self.gram), self.cross)

    @property
    def explained(self) -> np.ndarray:
        """For each outermost group what U explains of the cross-products of A."""
        m, innermost = len(self.columns), self.nest.depth - 1
        found = np.empty((self.nest.sizes[0], m, m))
        # Entry by entry: a matrix for every innermost group would fill memory only to be added up again.
        left, right = (np.ascontiguousarray(part.transpose(2, 1, 0)) for part in (self.coefficients, self.cross))
        for i, j in combinations_with_replacement(range(m), 2):
            entry = np.einsum("rg,rg->g", left[i], right[j])
            found[:, i, j] = found[:, j, i] = self.nest.up(entry, innermost, 0)
        return found

    @property
    def total(self) -> np.ndarray:
        """Cross-products of A for each outermost group."""
        return self.within + self.explained

    @cached_property
    def overall(self) -> np.ndarray:
        """Cross-products of A over all rows."""
        m = len(self.columns)
        return self.within.sum(axis=0) + self.coefficients.reshape(-1, m).T @ self.cross.reshape(-1, m)

    def about(self, level: int, basis: np.ndarray) -> np.ndarray:
        """Cross-products of A about its projections on U times `basis` in the groups of one level, over all rows."""
        groups = self.keys[:, level]
        inside = add_up(within_columns(basis, self.gram, basis), groups)
        fitted = times(pseudo_inverse(inside), add_up(onto_columns(basis, self.cross), groups))
        left = self.coefficients - onto_columns(basis.T, fitted)[groups]
        flat = left.reshape(-1, left.shape[2])
        return self.within.sum(axis=0) + flat.T @ times(self.gram, left).reshape(flat.shape)

    def __add__(self, other: CrossProducts) -> CrossProducts:
        """Add the sums of other rows; both parts are centred at the same point and count the same groups alike."""
        checks.require(_unlike(self, other))
        keys = np.concatenate([self.keys, other.keys])
        unique, at = np.unique(keys, axis=0, return_inverse=True)
        at = at.reshape(-1)
        sizes, logs, gram, cross = (
            _add_at(np.concatenate([getattr(self, name), getattr(other, name)]), at, len(unique))
            for name in ("sizes", "logs", "gram", "cross")
        )
        tops = np.concatenate([np.unique(part.keys[:, 0]) for part in (self, other)])
        top = np.unique(tops, return_inverse=True)[1].reshape(-1)
        total = _add_at(np.concatenate([self.total, other.total]), top, top.max() + 1)
        joined = replace(self, keys=unique, sizes=sizes, logs=logs, gram=gram, cross=cross, within=total)
        return replace(joined, within=total - joined.explained)

    @property
    def independent(self) -> np.ndarray:
        """Positions of the fixed part's columns that are no combination of those before them.

        As far as cross-products can tell: a column of which less than a millionth is its own counts as none.
        """
        total = self.overall
        kept: list[int] = []
        for i in range(len(total) - 1):
            left = total[i, i]
            if kept:
                inside = total[np.ix_(kept, kept)]
                scale = 1 / np.sqrt(np.diag(inside))
                solved = np.linalg.solve(inside * np.outer(scale, scale), total[kept, i] * scale) * scale
                left = left - total[kept, i] @ solved
            if left > 1e-12 * total[i, i] > 0:
                kept.append(i)
        return np.array(kept, dtype=int)

    def aliases(self, kept: np.ndarray) -> np.ndarray:
        """Write the fixed part's other columns as combinations of those kept; of columns not centred."""
        total, centre = self.overall, self.centre
        out = np.setdiff1d(np.arange(len(total) - 1), kept)
        scale = 1 / np.sqrt(np.diag(total)[kept])
        even = total[np.ix_(kept, kept)] * np.outer(scale, scale)
        found = np.linalg.solve(even, total[np.ix_(kept, out)] * scale[:, None]) * scale[:, None]
        if INTERCEPT in self.columns:
            found[list(kept).index(self.columns.index(INTERCEPT))] += centre[out] - centre[kept] @ found
        return found

    def taking(self, columns: np.ndarray) -> CrossProducts:
        """Return the sums of some columns of the fixed part, and of the outcome."""
        if len(columns) == len(self.columns) - 1:
            return self
        chosen = [*columns, len(self.columns) - 1]
        return replace(
            self,
            columns=tuple(self.columns[i] for i in chosen),
            centre=self.centre[chosen],
            cross=self.cross[:, :, chosen],
            within=self.within[:, chosen][:, :, chosen],
        )

    def without(self, groups: int | np.ndarray) -> CrossProducts:
        """Return the sums of the rows outside some outermost groups, by their keys: nothing has to be subtracted."""
        rest = ~np.isin(self.keys[:, 0], groups)
        inner = {name: getattr(self, name)[rest] for name in ("keys", "sizes", "logs", "gram", "cross")}
        return replace(self, **inner, within=self.within[~np.isin(self.nest.ids[0], groups)])


@dataclass(frozen=True, eq=False)
class Nest:
    """How sorted groups lie within one another.

    Attributes
    ----------
    sizes : tuple of int
        The number of groups of each level, from the outside in.
    parents : tuple of numpy.ndarray
        For each level but the outermost, the group of the level above.
    starts : tuple of numpy.ndarray
        For each level but the outermost, the first group in each group of the level above.
    ids : tuple of numpy.ndarray
        For each level the key of each group.
    """

    sizes: tuple[int, ...]
    parents: tuple[np.ndarray, ...]
    starts: tuple[np.ndarray, ...]
    ids: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, keys: np.ndarray) -> Nest:
        """Read the nest from sorted keys."""
        new = np.cumsum(np.diff(keys, axis=0, prepend=keys[:1] - 1) != 0, axis=1) > 0
        ranks = np.cumsum(new, axis=0) - 1
        firsts = [np.flatnonzero(column) for column in new.T]
        parents = tuple(ranks[inner, k] for k, inner in enumerate(firsts[1:]))
        starts = tuple(ranks[outer, k + 1] for k, outer in enumerate(firsts[:-1]))
        ids = tuple(keys[first, k] for k, first in enumerate(firsts))
        return cls(tuple(len(first) for first in firsts), parents, starts, ids)

    @property
    def depth(self) -> int:
        """The number of levels."""
        return len(self.sizes)

    def up(self, values: np.ndarray, inner: int, outer: int) -> np.ndarray:
        """Add values of level `inner` up within the groups of level `outer`."""
        for k in range(inner, outer, -1):
            values = np.add.reduceat(values, self.starts[k - 1], axis=0)
        return values

    def down(self, inner: int, outer: int) -> np.ndarray:
        """For each group of level `inner` the group of level `outer` around it."""
        at = np.arange(self.sizes[inner])
        for k in range(inner, outer, -1):
            at = self.parents[k - 1][at]
        return at


def from_rows(
    A: np.ndarray,
    U: np.ndarray,
    codes: tuple[np.ndarray, ...],
    columns: tuple[str, ...],
    random: tuple[str, ...],
    weights: np.ndarray | None = None,
    centre: np.ndarray | None = None,
    random_centre: np.ndarray | None = None,
) -> CrossProducts:
    """Take the cross-products of rows in memory.

    Parameters
    ----------
    A : numpy.ndarray, rows by m
        Fixed part and outcome.
    U : numpy.ndarray, rows by r
        Columns with random effects.
    codes
        For each level from the outside in, the group of each row.
    columns, random
        Names of the columns of A and of U.
    weights
        Precision weights, positive.
    centre, random_centre
        What to take from the columns of A and of U; their means unless given (`centre_of`).
    """
    centre = centre_of(A.mean(axis=0), columns) if centre is None else centre
    random_centre = centre_of(U.mean(axis=0), random) if random_centre is None else random_centre
    order = np.lexsort(codes[::-1])
    keys = np.column_stack([code[order] for code in codes])
    new = np.any(np.diff(keys, axis=0, prepend=keys[:1] - 1) != 0, axis=1)
    first = np.flatnonzero(new)
    group = np.cumsum(new) - 1
    A, U = A[order] - centre, U[order] - random_centre
    weighted = U if weights is None else U * weights[order, None]
    gram = np.stack([np.add.reduceat(weighted * column[:, None], first) for column in U.T], axis=1)
    cross = np.stack([np.add.reduceat(A * column[:, None], first) for column in weighted.T], axis=1)
    about = A - np.einsum("nr,nrm->nm", U, times(pseudo_inverse(gram), cross)[group])
    if weights is not None:
        about = about * np.sqrt(weights[order])[:, None]
    tops = np.flatnonzero(np.diff(keys[:, 0], prepend=keys[0, 0] - 1) != 0)
    within = _squares(about, tops)
    sizes = np.diff(first, append=len(A))
    logs = np.zeros(len(first)) if weights is None else np.add.reduceat(np.log(weights[order]), first)
    return CrossProducts(columns, random, centre, random_centre, keys[first], sizes, logs, gram, cross, within)


def centre_of(means: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return where to centre columns: at their means if one is the constant, which itself stays, else nowhere."""
    if INTERCEPT not in names:
        return np.zeros(len(names))
    return np.where([name == INTERCEPT for name in names], 0.0, means)


def times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply stacks of matrices; with a single random column they are numbers, which is much faster."""
    return a * b if a.shape[-1] == 1 else a @ b


def add_up(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Add matrices up by group, groups in the order of their codes; a code that does not occur gets 0."""
    count = int(groups.max()) + 1
    sums = np.column_stack([np.bincount(groups, column, count) for column in values.reshape(len(values), -1).T])
    return sums.reshape(count, *values.shape[1:])


def onto_columns(basis: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """Return B'v of each matrix v of a stack."""
    return basis * stack if basis.size == 1 else basis.T @ stack


def within_columns(left: np.ndarray, stack: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return L'GR of each matrix G of a stack."""
    return left * right * stack if stack.shape[-1] == 1 else left.T @ stack @ right


def pseudo_inverse(stack: np.ndarray) -> np.ndarray:
    """Invert symmetric positive semidefinite matrices on their range.

    A direction far below the largest is taken as none at all; what it holds then counts as unexplained in the same
    way everywhere, so that nothing is lost.
    """
    if stack.shape[-1] == 1:
        return np.divide(1.0, stack, out=np.zeros_like(stack), where=stack > 0)
    values, vectors = np.linalg.eigh(stack)
    floor = 1e-12 * np.maximum(values[:, -1:], 0.0)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=values > floor)
    return (vectors * inverse[:, None, :]) @ np.swapaxes(vectors, 1, 2)


def _squares(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the cross-products of the columns within each run of rows."""
    m = rows.shape[1]
    ends = [*starts[1:], len(rows)]
    if len(starts) <= 2000:  # a product of matrices per run costs less than m² sums over all rows
        return np.stack([rows[a:b].T @ rows[a:b] for a, b in zip(starts, ends, strict=True)])
    found = np.empty((len(starts), m, m))
    for i in range(m):
        found[:, i, : i + 1] = np.add.reduceat(rows[:, i : i + 1] * rows[:, : i + 1], starts)
        found[:, : i + 1, i] = found[:, i, : i + 1]
    return found


def _add_at(values: np.ndarray, at: np.ndarray, groups: int) -> np.ndarray:
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], np.arange(groups))
    return np.add.reduceat(values[order], starts, axis=0)


def _unlike(a: CrossProducts, b: CrossProducts) -> Fault | None:
    same = (
        (a.columns, a.random) == (b.columns, b.random)
        and np.array_equal(a.centre, b.centre)
        and np.array_equal(a.random_centre, b.random_centre)
    )
    if same and a.keys.shape[1] == b.keys.shape[1]:
        return None
    return Fault(
        checks.argument("other"),
        Text("两部分的列、分组层次或中心点不同，不能相加", "the parts differ in columns, levels or centre"),
        Text(
            "请用同一公式并以第一部分的 centre 生成各部分",
            "Make every part with the same formula, centred at the centre of the first",
        ),
    )
