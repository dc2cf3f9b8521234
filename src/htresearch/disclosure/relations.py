"""A table as numbers and the sums that bind them: what an attacker starts from.

Cells x of a table with margins obey A x = 0 (each margin less its parts). Rows may be a hierarchy
(school ⊂ zone ⊂ district), crossed with one or more classifications; the relations are then those of every axis at
every place of the others (Hundepool et al. 2012, doi:10.1002/9781118348239, chapter 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

#: The label of a margin.
TOTAL = "*"


@dataclass(frozen=True)
class Axis:
    """One dimension of a table: its nodes, and for every node that is a sum, the nodes that add up to it.

    Attributes
    ----------
    nodes : tuple of tuple
        Each node's path from coarse to fine; the whole is ``()``.
    children : dict of int to tuple of int
        The parts of each node that is a sum.
    leaves : tuple of int
        The finest nodes.
    """

    nodes: tuple[tuple, ...]
    children: dict[int, tuple[int, ...]]
    leaves: tuple[int, ...]

    @classmethod
    def of(cls, paths: Sequence[tuple], margins: bool = True) -> Axis:
        """Build the axis of leaves given by their paths, e.g. ``[("east", "s1"), ("east", "s2")]``.

        Without `margins` the leaves stand alone.
        """
        leaves = list(dict.fromkeys(tuple(p) for p in paths))
        if not margins:
            return cls(tuple(leaves), {}, tuple(range(len(leaves))))
        nodes = dict.fromkeys(path[:depth] for path in leaves for depth in range(len(path) + 1))
        place = {node: i for i, node in enumerate(nodes)}
        below: dict[int, list[int]] = {}
        for node, i in place.items():
            if node:
                below.setdefault(place[node[:-1]], []).append(i)
        return cls(tuple(nodes), {k: tuple(v) for k, v in below.items()}, tuple(place[p] for p in leaves))

    def membership(self) -> sparse.csr_matrix:
        """Return the 0/1 matrix nodes x leaves: which leaves a node sums."""
        column = {leaf: k for k, leaf in enumerate(self.leaves)}

        def below(node: int) -> list[int]:
            parts = self.children.get(node)
            return [column[node]] if parts is None else [leaf for part in parts for leaf in below(part)]

        pairs = [(i, leaf) for i in range(len(self.nodes)) for leaf in below(i)]
        rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
        return sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), (len(self.nodes), len(self.leaves)))

    def relations(self) -> sparse.csr_matrix:
        """Return a row per sum: 1 at the whole, -1 at its parts."""
        entries = [(r, node, 1.0) for r, node in enumerate(self.children)]
        entries += [(r, part, -1.0) for r, parts in enumerate(self.children.values()) for part in parts]
        rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
        return sparse.csr_matrix((values, (rows, columns)), (len(self.children), len(self.nodes)))


@dataclass(frozen=True)
class LinearTable:
    """A table's cells, the sums that bind them, and what anybody knows of each beforehand.

    Attributes
    ----------
    values : ndarray of shape (m,)
        The true cells.
    relations : scipy.sparse matrix of shape (k, m)
        A in A x = 0.
    lower, upper : ndarray of shape (m,)
        What an attacker knows without the table: 0 and infinity unless said otherwise.
    labels : tuple
        Each cell's place: a tuple with a path for every axis.
    """

    values: np.ndarray
    relations: sparse.csr_matrix
    lower: np.ndarray
    upper: np.ndarray
    labels: tuple = field(default=(), repr=False)

    @property
    def scale(self) -> float:
        """A size against which numbers count as zero."""
        return float(max(1.0, np.abs(self.values).max(initial=0.0)))

    def components(self, cells: np.ndarray) -> list[np.ndarray]:
        """Split cells into those that hang together by relations among them alone."""
        cells = np.flatnonzero(cells)
        if not len(cells):
            return []
        part = self.relations[:, cells]
        part = part[np.diff(part.indptr) > 0]
        link = abs(part.T) @ abs(part)
        number, which = connected_components(link, directed=False)
        order = np.argsort(which, kind="stable")
        return np.split(cells[order], np.cumsum(np.bincount(which, minlength=number))[:-1])


def linear_table(values, relations, lower=0.0, upper=np.inf, labels=()) -> LinearTable:
    """Build a table from values and any relations A x = 0.

    Parameters
    ----------
    values
        The true cells, m of them.
    relations
        A dense or sparse matrix with m columns.
    lower, upper
        Bounds known beforehand, one for all cells or one each.
    labels
        The cells' names.

    Returns
    -------
    LinearTable

    Raises
    ------
    ArgumentError
        If values are not finite, shapes do not fit, or the values break a relation or a bound.

    Examples
    --------
    >>> from htresearch.disclosure.relations import linear_table
    >>> linear_table([3, 20, 23], [[1, 1, -1]]).values
    array([ 3., 20., 23.])
    """
    values = np.asarray(values, float).ravel()
    matrix = sparse.csr_matrix(np.atleast_2d(relations) if not sparse.issparse(relations) else relations, dtype=float)
    checks.require(
        None
        if np.isfinite(values).all()
        else Fault(
            checks.argument("values"),
            Text("须全是有限的数", "must be finite numbers"),
            Text("缺失的单元格请先去掉或记为 0", "Leave missing cells out or set them to 0"),
        ),
        None
        if matrix.shape[1] == len(values)
        else Fault(
            checks.argument("relations"),
            Text("列数须等于单元格数", "must have a column per cell"),
            Text("每个关系一行，每个单元格一列", "Give a row per relation and a column per cell"),
            matrix.shape,
        ),
    )
    bounds = [np.broadcast_to(np.asarray(b, float), values.shape).copy() for b in (lower, upper)]
    table = LinearTable(values, matrix, *bounds, tuple(labels) or tuple(range(len(values))))
    tolerance = 1e-6 * table.scale
    off = np.abs(matrix @ values) > tolerance
    outside = (values < bounds[0] - tolerance) | (values > bounds[1] + tolerance)
    checks.require(
        Fault(
            checks.argument("relations"),
            Text("有 {n} 个关系与数值不符", "{n} relations do not hold for the values").format(n=int(off.sum())),
            Text("合计须等于各部分之和", "A margin must be the sum of its parts"),
        )
        if off.any()
        else None,
        Fault(
            checks.argument("values"),
            Text("有 {n} 个数超出事先已知的范围", "{n} values lie outside what is known beforehand").format(
                n=int(outside.sum())
            ),
            Text("请核对 lower 与 upper", "Check lower and upper"),
        )
        if outside.any()
        else None,
    )
    return table


def crossed_table(leaves, axes: Sequence[Axis], lower=0.0, upper=np.inf) -> LinearTable:
    """Build the table of all nodes of crossed axes from its finest cells.

    Parameters
    ----------
    leaves
        An array with a dimension per axis: the finest cells.
    axes
        The dimensions, e.g. a hierarchy of schools and a classification.
    lower, upper
        Bounds known of every cell beforehand.

    Returns
    -------
    LinearTable
        A cell for each combination of nodes, margins among them, and the relations that tie them.

    Examples
    --------
    >>> from htresearch.disclosure.relations import Axis, crossed_table
    >>> rows = Axis.of([("east", "s1"), ("east", "s2"), ("west", "s3")])
    >>> columns = Axis.of([("girls",), ("boys",)])
    >>> table = crossed_table([[3, 20], [15, 18], [21, 22]], [rows, columns])
    >>> len(table.values), table.relations.shape[0]
    (18, 15)
    """
    leaves = np.asarray(leaves, float)
    member = sparse.identity(1, format="csr")
    for axis in axes:
        member = sparse.kron(member, axis.membership(), format="csr")
    shape = tuple(len(a.nodes) for a in axes)
    blocks = []
    for k, axis in enumerate(axes):
        if axis.children:
            before, after = int(np.prod(shape[:k])), int(np.prod(shape[k + 1 :]))
            block = sparse.kron(sparse.identity(before), axis.relations())
            blocks.append(sparse.kron(block, sparse.identity(after), format="csr"))
    cells = int(np.prod(shape))
    matrix = sparse.vstack(blocks, format="csr") if blocks else sparse.csr_matrix((0, cells))
    labels = [()]
    for axis in axes:
        labels = [(*label, node) for label in labels for node in axis.nodes]
    return linear_table(member @ leaves.ravel(), matrix, lower, upper, labels)
