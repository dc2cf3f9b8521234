r"""What estimates rest on: each is a weighted sum of the outcomes, and the weights say whose outcomes count.

With :math:`V` the covariance of the rows that a model implies (a multiple of 1 without groups), the coefficients are

.. math:: \hat\beta = (X'V^{-1}X)^{-1} X'V^{-1} y,

so that a combination :math:`l'\hat\beta` has the weights :math:`V^{-1}X (X'V^{-1}X)^{-1} l`, one for each row. The
share of a pupil, teacher or school in it is its part of the sum of squared weights, and :math:`1 / \sum share^2` is
the number of units of equal share that would say as much (Kish 1965). A dummy that one teacher alone has rests on one
teacher, however it is coded and however many rows there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import splu

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

#: The columns that name a pupil, a teacher and a school; a class stands for its teacher where no column names one.
UNITS = {"student": ("student_id",), "teacher": ("teacher_id", "class_id"), "school": ("school_id",)}
#: The columns that say which of a unit's rows one is.
TIMES = ("term_id", "term_index", "wave", "school_year")

SOURCE = "Kish (1965), Survey Sampling, ISBN 0-471-10949-5"


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a linear model, and how its coefficients come from them.

    Attributes
    ----------
    X : numpy.ndarray, rows by coefficients
        Of full column rank.
    y : numpy.ndarray
        Outcome.
    units : dict
        By ``"student"``, ``"teacher"``, ``"school"`` the unit of each row, as far as columns name them.
    index : pandas.Index
        Of the rows used.
    groups : tuple of (str, int)
        The levels with random effects: the column that names a group, and how many there are.
    absorbed : int
        Effects of groups that were taken out of X and y beforehand.
    Z : scipy.sparse.csr_array or None
        Rows by random effects, each scaled by its standard deviation relative to the residual's.
    weights : numpy.ndarray or None
        Precision weights.
    outcome : str
        The columns that the outcome is made of.
    who : pandas.DataFrame or None
        Who the units are: ``student``, ``teacher``, ``school`` and ``time``, as far as columns name them, as
        categories, so that an id is kept once however many rows have it. A release knows the units again by it.
    """

    X: np.ndarray
    y: np.ndarray
    units: dict[str, np.ndarray]
    index: pd.Index
    groups: tuple[tuple[str, int], ...] = ()
    absorbed: int = 0
    Z: sparse.csr_array | None = None
    weights: np.ndarray | None = None
    outcome: str = ""
    who: pd.DataFrame | None = field(default=None, repr=False)

    @classmethod
    def of(cls, fit: MultilevelFit) -> Rows | None:
        """Return the rows of a fit, or ``None`` where it has none: fitted to a lazy table, or read from a file."""
        design = fit.design
        if design.y is None:
            return None
        return cls(
            design.X,
            design.y,
            design.units,
            design.index,
            tuple((level.columns[-1], level.size) for level in design.levels),
            0,
            _scaled_effects(fit),
            design.weights,
            " ".join(sorted(fit.formula.response_columns)),
            design.who,
        )

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.y)

    @cached_property
    def of_coefficients(self) -> np.ndarray:
        """The weight of each row's outcome in each coefficient, rows by coefficients."""
        root = np.ones(self.n) if self.weights is None else np.sqrt(self.weights)
        X = self.X * root[:, None]
        if self.Z is not None and self.Z.shape[1]:
            Z = sparse.csr_array(self.Z.multiply(root[:, None]))
            inside = sparse.csc_array(Z.T @ Z + sparse.eye_array(Z.shape[1]))
            X = X - Z @ splu(inside).solve(Z.T @ X)
        X = X * root[:, None]
        scale = 1 / np.sqrt(np.sum(self.X**2, axis=0))
        information = (self.X * scale).T @ (X * scale)
        return (X * scale) @ np.linalg.inv(information) * scale

    @cached_property
    def unexplained(self) -> float:
        """The part of the outcome's squares about its mean that the coefficients leave."""
        left = self.y - self.X @ (self.of_coefficients.T @ self.y)
        total = self.y - self.y.mean()
        return float(left @ left / (total @ total))

    @property
    def residual_df(self) -> int:
        """Rows beyond coefficients and effects taken out."""
        return self.n - self.X.shape[1] - self.absorbed

    def df_between(self, kind: str) -> int:
        """Units of a kind beyond the coefficients of columns that never vary within one."""
        codes = self.units[kind]
        first = np.unique(codes, return_index=True)[1]
        groups = int(codes.max()) + 1
        of_unit = np.zeros((groups, self.X.shape[1]))
        of_unit[codes[first]] = self.X[first]
        constant = np.isclose(of_unit[codes], self.X).all(axis=0)
        return groups - (int(np.linalg.matrix_rank(of_unit[:, constant])) if constant.any() else 0)


@dataclass(frozen=True, eq=False)
class Basis:
    """What some estimates rest on.

    Attributes
    ----------
    terms : tuple of str
    estimates : numpy.ndarray
        As they are told; a check compares them with what is to be shown. Empty where no estimate is told.
    combinations : numpy.ndarray, terms by coefficients
    rows : Rows or None
        ``None`` where the model has no rows at hand.
    extra : tuple of str
        Columns of the result beyond those that every result has.
    """

    terms: tuple[str, ...]
    estimates: np.ndarray
    combinations: np.ndarray
    rows: Rows | None
    extra: tuple[str, ...] = ()

    @cached_property
    def weights(self) -> np.ndarray:
        """The weight of each row's outcome in each estimate, rows by terms."""
        return self.rows.of_coefficients @ self.combinations.T

    def support(self, kind: str) -> pd.DataFrame:
        """Return a row per term: how many units of a kind enter, and of how many equal shares its weight is."""
        entering, equal = shares(self.weights, self.rows.units[kind])
        return pd.DataFrame({"term": self.terms, "entering": entering, "equal_shares": equal})

    def patterns(self, most: int = 200) -> tuple[np.ndarray, np.ndarray]:
        """Return rows whose predictions rest on the fewest others, and the weights of what is told of them.

        From all coefficients that are told, anyone can compute the prediction for every combination of the columns,
        in whatever coding they stand.

        Returns
        -------
        which : numpy.ndarray
            Positions of the rows, the most exposed first.
        weights : numpy.ndarray, rows by `which`
        """
        told = self.combinations
        if not len(told) or not (np.count_nonzero(told, axis=1) == 1).all():
            return np.zeros(0, dtype=int), np.zeros((self.rows.n, 0))
        X = self.rows.X @ told.T
        distinct = np.unique(np.round(X, 10), axis=0, return_index=True)[1]
        distinct = distinct[np.abs(X[distinct]).max(axis=1) > 0]
        spread = self.weights.T @ self.weights
        exposed = np.einsum("ij,jk,ik->i", X[distinct], spread, X[distinct])
        which = distinct[np.argsort(-exposed, kind="stable")[:most]]
        return which, self.weights @ X[which].T


def share_of_units(weights: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the share of each unit in each column of weights, units by columns."""
    indicator = sparse.csr_array((np.ones(len(units)), (units, np.arange(len(units)))))
    parts = indicator @ weights**2
    total = parts.sum(axis=0)
    return np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)


def shares(weights: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each column of weights, how many units enter and of how many equal shares it consists."""
    share = share_of_units(weights, units)
    squares = np.sum(share**2, axis=0)
    equal = np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0)
    return np.count_nonzero(share > 1e-12, axis=0), equal


def units_of(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the unit of each row by kind; rows that name none count as one unit together."""
    found = {}
    for kind, columns in UNITS.items():
        named = next((column for column in columns if column in rows), None)
        if named is not None:
            found[kind] = pd.factorize(rows[named], use_na_sentinel=False)[0].astype(np.int32)
    return found


def who_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return who the unit of each row is by kind, and its time; `units_of` numbers the same units."""
    found = {}
    for kind, columns in {**UNITS, "time": TIMES}.items():
        named = next((column for column in columns if column in rows), None)
        if named is not None:
            found[kind] = pd.Categorical(rows[named].astype(object))
    return pd.DataFrame(found, index=pd.RangeIndex(len(rows)))


def basis_of(
    fit: MultilevelFit,
    terms: tuple[str, ...],
    estimates: np.ndarray,
    combinations: np.ndarray,
    extra: tuple[str, ...] = (),
) -> tuple[Basis]:
    """Return what combinations of a fit's coefficients rest on."""
    return (Basis(tuple(terms), np.asarray(estimates, float), np.atleast_2d(combinations), fit.rows, extra),)


def _scaled_effects(fit: MultilevelFit) -> sparse.csr_array:
    """Build Z times a root of the random effects' covariance relative to the residual variance."""
    design, parts = fit.design, []
    for block, covariance in zip(design.random.blocks, fit.solution.covariances, strict=True):
        values, vectors = np.linalg.eigh(covariance / fit.solution.sigma2)
        loaded = design.random.U[:, list(block.columns)] @ (vectors * np.sqrt(np.maximum(values, 0)))
        level, width = design.levels[block.level], len(block.columns)
        row = np.repeat(np.arange(design.n), width)
        column = (level.codes[:, None] * width + np.arange(width)).ravel()
        parts.append(sparse.csr_array((loaded.ravel(), (row, column)), shape=(design.n, level.size * width)))
    return sparse.csr_array(sparse.hstack(parts)) if parts else sparse.csr_array((design.n, 0))
