"""The columns whose effects vary from group to group, and the terms they make."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import DataMismatchWarning, FormulaicError

from htresearch.errors import Fault, FormulaError, ModelError
from htresearch.language import Text, listing
from htresearch.multilevel.columns import Columns
from htresearch.multilevel.crossproducts import INTERCEPT
from htresearch.multilevel.formula import RandomTerm
from htresearch.multilevel.groups import Level


@dataclass(frozen=True)
class Block:
    """Effects whose covariance matrix is estimated whole.

    Attributes
    ----------
    level : int
        Position among the model's levels, from the outside in.
    columns : tuple of int
        Positions among the columns of U.
    """

    level: int
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class RandomPart:
    """The random part of a model.

    Attributes
    ----------
    U : numpy.ndarray
        Rows by columns.
    names : tuple of str
        Of the columns.
    blocks : tuple of Block
        From the outermost level to the innermost.
    specs : tuple of (formulaic.ModelSpec, list of int)
        Build the columns for new rows, in the order of `names`: a matrix, and which of its columns.
    note : tuple of Text
    """

    U: np.ndarray
    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    specs: tuple[tuple[ModelSpec, list[int]], ...]
    note: tuple[Text, ...] = ()

    @property
    def terms(self) -> list[tuple[int, tuple[int, ...]]]:
        """Level and columns of each block, as the solver takes them."""
        return [(block.level, block.columns) for block in self.blocks]

    @property
    def intercepts_only(self) -> bool:
        """Whether no slope is random."""
        return self.names == (INTERCEPT,)

    def new(self, rows: pd.DataFrame) -> np.ndarray:
        """Build U for new rows; categories not seen have no effect known, so their rows count as missing."""
        if self.intercepts_only:
            return np.ones((len(rows), 1))
        if isinstance(self.specs[0], Columns):
            return self.specs[0].matrix(rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataMismatchWarning)
            parts = [
                np.asarray(spec.get_model_matrix(rows, context={}, na_action="ignore"), dtype=float)[:, kept]
                for spec, kept in self.specs
            ]
        return np.column_stack(parts)


def build_random(terms: tuple[RandomTerm, ...], levels: tuple[Level, ...], data: pd.DataFrame) -> RandomPart:
    """Build U from the rows used.

    Raises
    ------
    FormulaError
        If formulaic cannot evaluate a column.
    ModelError
        If a column does not vary.
    """
    at = {frozenset(level.written): k for k, level in enumerate(levels)}
    names: list[str] = []
    matrices, specs, note = [], [], []

    def positions(written: tuple[str, ...]) -> tuple[int, ...]:
        matrix = _matrix(written, data)
        wanted = [INTERCEPT if name == "Intercept" else name for name in matrix.columns]
        if set(wanted) - set(names):
            fresh = [i for i, name in enumerate(wanted) if name not in names]
            names.extend(wanted[i] for i in fresh)
            matrices.append(matrix.to_numpy(float)[:, fresh])
            specs.append((matrix.model_spec, fresh))
        return tuple(names.index(name) for name in wanted)

    blocks = []
    for term in terms:
        columns = positions(term.columns)
        if not term.correlated and len(columns) > len(term.columns):
            note.append(_expanded(term))
        parts = [columns] if term.correlated else [(column,) for column in columns]
        blocks += [Block(at[frozenset(term.groups)], part) for part in parts]
    U = np.column_stack(matrices)
    _must_vary(U, names)
    blocks.sort(key=lambda block: block.level)
    return RandomPart(U, tuple(names), tuple(blocks), tuple(specs), tuple(note))


def too_many_effects(random: RandomPart, levels: tuple[Level, ...], n: int) -> list[Fault]:
    """Refuse terms with as many effects as rows: their variance cannot be told from the residual's."""
    return [
        Fault(
            Text(f"分组 {levels[block.level].name}", f"Groups {levels[block.level].name}"),
            Text(
                f"每组 {len(block.columns)} 个随机效应，共不少于 {n} 行，与残差无法区分",
                f"{len(block.columns)} random effects in each group are at least as many as the {n} rows and cannot "
                "be told from the residual",
            ),
            Text("请删去这一层的随机斜率", "Leave the random slopes of this level out"),
        )
        for block in random.blocks
        if len(block.columns) * levels[block.level].size >= n
    ]


def _matrix(written: tuple[str, ...], data: pd.DataFrame) -> pd.DataFrame:
    formula = " + ".join(written if "1" in written else ("0", *written))
    try:
        return Formula(formula).get_model_matrix(data, context={}, na_action="ignore")
    except (FormulaicError, ValueError, TypeError, SyntaxError) as failure:
        reason = str(failure).split("\n")[0]
        raise FormulaError(
            Fault(
                Text(f"随机项的列 {formula}", f"Columns {formula} of a random term"),
                Text(f"无法计算（{reason}）", f"they cannot be evaluated ({reason})"),
                Text("请检查列名与函数名", "Check the names of columns and functions"),
            )
        ) from failure


def _must_vary(U: np.ndarray, names: list[str]) -> None:
    flat = [name for name, column in zip(names, U.T, strict=True) if name != INTERCEPT and np.ptp(column) == 0]
    bad = [name for name, column in zip(names, U.T, strict=True) if not np.isfinite(column).all()]
    rank = np.linalg.matrix_rank(U / np.maximum(np.abs(U).max(axis=0), 1e-300))
    if not flat and not bad and rank == U.shape[1]:
        return
    raise ModelError(
        Fault(
            Text("随机斜率 {names}", "Random slopes {names}").format(names=listing(bad or flat or names)),
            Text("没有变化、不是有限的数，或彼此完全决定", "do not vary, are not finite, or determine one another"),
            Text("请删去多余的斜率", "Leave out the slopes that add nothing"),
        )
    )


def _expanded(term: RandomTerm) -> Text:
    return Text(
        f"{term} 中的类别列已展开为各自独立的虚拟变量。",
        f"The categories in {term} were expanded to dummies that are independent of one another.",
    )
