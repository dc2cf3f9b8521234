"""How the columns of new rows are built, written down: factors, what their functions learned, how they are coded.

formulaic hands the pieces of a formula to Python. So a piece is kept, and read back, only if it is made of columns,
constants, arithmetic and formulaic's and NumPy's own functions: nothing else in a file is ever run.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

import numpy as np
from formulaic import Formula, ModelSpec, SimpleFormula
from formulaic.materializers.base import EncodedTermStructure
from formulaic.materializers.types import EvaluatedFactor, ScopedFactor, ScopedTerm
from formulaic.parser.types import Factor, Term
from formulaic.transforms import TRANSFORMS, contrasts
from formulaic.utils.code import sanitize_variable_names

from htresearch import checks
from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.columns import Columns, LazyTable, build_columns, joined

# hashed() calls a function it is given.
_FUNCTIONS = set(TRANSFORMS) - {"np", "contr", "hashed", "Q"} | {"abs", "round"}
_NODES = (
    *(ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Constant, ast.Load),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
    *(ast.List, ast.Tuple, ast.Dict),
)
_CODINGS = {
    kind.__name__: kind
    for kind in vars(contrasts).values()
    if isinstance(kind, type) and issubclass(kind, contrasts.Contrasts)
}


@dataclass(frozen=True)
class KeptCoding:
    """How categories become columns: the name of formulaic's class, and what it was given."""

    name: str
    given: dict


@dataclass(frozen=True)
class KeptFactor:
    """What formulaic knows of a factor: its kind and, of categories, their order and coding."""

    kind: str
    state: dict


@dataclass(frozen=True)
class KeptSpec:
    """A `formulaic.ModelSpec` in plain values.

    Attributes
    ----------
    terms : list of list of (str, str)
        For each term its factors: the expression and how it is evaluated.
    structure : list of list
        For each term the products its columns come from, each a scale and factors (expression and whether a category
        is left out), then the columns' names.
    learned : dict
        What functions such as scale() and poly() learned from the rows.
    factors : dict
        `KeptFactor` by expression.
    """

    terms: list
    structure: list
    learned: dict
    factors: dict

    @classmethod
    def of(cls, spec: ModelSpec) -> KeptSpec:
        """Write a spec down.

        Raises
        ------
        UnsupportedError
            If a piece of the formula is more than columns, arithmetic and known functions.
        """
        terms = [[(factor.expr, factor.eval_method.value) for factor in term.factors] for term in spec.formula]
        _require_known(terms)
        structure = [
            [
                [(st.scale, [(f.factor.expr, f.reduced) for f in st.factors]) for st in part.scoped_terms],
                list(part.columns),
            ]
            for part in spec.structure
        ]
        factors = {name: KeptFactor(kind.value, _plain(state)) for name, (kind, state) in spec.encoder_state.items()}
        return cls(terms, structure, spec.transform_state, factors)

    def built(self) -> ModelSpec:
        """Return the spec."""
        _require_known(self.terms)
        made = [Term([Factor(expr, eval_method=how) for expr, how in factors]) for factors in self.terms]
        structure = [
            EncodedTermStructure(term, [_scoped(scale, factors) for scale, factors in products], columns)
            for term, (products, columns) in zip(made, self.structure, strict=True)
        ]
        return ModelSpec(
            formula=SimpleFormula(made, _ordering="none"),
            materializer="pandas",
            materializer_params={},
            na_action="ignore",
            output="pandas",
            structure=structure,
            transform_state=copy.deepcopy(self.learned),
            encoder_state={n: (Factor.Kind(f.kind), _built(f.state)) for n, f in self.factors.items()},
        )


@dataclass(frozen=True)
class KeptColumns:
    """The columns of a lazy table in plain values: what `Columns` was built from."""

    formulas: tuple[str, ...]
    used: tuple[str, ...]
    categories: dict
    moments: dict

    @classmethod
    def of(cls, columns: Columns) -> KeptColumns:
        """Write columns down."""
        return cls(columns.formulas, columns.used, columns.categories, columns.moments)

    def built(self) -> Columns:
        """Return the columns."""
        table = LazyTable(None, self.categories, dict(self.moments))
        for formula in self.formulas:
            _require_known([[(f.expr, f.eval_method.value) for f in term.factors] for term in Formula(formula)])
        return joined([build_columns(formula, self.used, table) for formula in self.formulas])


def kept(spec: ModelSpec | Columns) -> KeptSpec | KeptColumns:
    """Write down how columns are built."""
    return (KeptColumns if isinstance(spec, Columns) else KeptSpec).of(spec)


def runs_nothing_else(piece: str) -> bool:
    """Tell whether a piece of a formula is columns, constants, arithmetic and known functions only.

    Examples
    --------
    >>> runs_nothing_else("np.log(x + 1)"), runs_nothing_else("__import__('os').getcwd()")
    (True, False)
    """
    try:
        # As formulaic itself writes the piece before it evaluates it: columns in backticks become plain names.
        tree = ast.parse(sanitize_variable_names(piece, {}, {}), mode="eval")
    except (SyntaxError, ValueError, IndexError, RecursionError):
        return False
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return all(_is_known(node, id(node) in called) for node in ast.walk(tree))


def _is_known(node: ast.AST, called: bool) -> bool:
    """Tell whether a node is harmless where it stands."""
    if isinstance(node, ast.Name):
        return node.id in _FUNCTIONS if called else not node.id.startswith("__")
    if isinstance(node, ast.Attribute):
        base = getattr(node.value, "id", None)
        known = base == "contr" or (base == "np" and isinstance(getattr(np, node.attr, None), np.ufunc))
        return known and not node.attr.startswith("_")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        # formulaic writes expressions between quotes of its own.
        return not set(node.value) & set("'\"`\\\n\r{}")
    return isinstance(node, _NODES) and not (called and not isinstance(node, ast.Name | ast.Attribute))


def _require_known(terms: list) -> None:
    pieces = dict.fromkeys(expr for factors in terms for expr, how in factors if how == "python")
    checks.require(*[_unknown(piece) for piece in pieces if not runs_nothing_else(piece)], error=UnsupportedError)


def _unknown(piece: str) -> Fault:
    return Fault(
        Text(f"公式中的“{piece}”", f"The piece {piece!r} of the formula"),
        Text(
            "模型文件只收列、常数、四则运算和 formulaic、NumPy 自己的函数，因为读入文件时不得运行任何别的东西",
            "a model file takes columns, constants, arithmetic and the functions of formulaic and NumPy only, since "
            "reading it must not run anything else",
        ),
        Text("请先把它算成一列再拟合", "Make it a column of the table first, then fit"),
    )


def _scoped(scale: float, factors: list) -> ScopedTerm:
    return ScopedTerm(
        [ScopedFactor(EvaluatedFactor(Factor(expr), None), reduced) for expr, reduced in factors], scale
    )


def _plain(value: object) -> object:
    """Turn formulaic's codings into plain ones, wherever they stand in a state."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, contrasts.ContrastsState):
        return KeptCoding("ContrastsState", {"contrasts": _plain(value.contrasts), "levels": list(value.levels)})
    if isinstance(value, contrasts.CustomContrasts):
        return KeptCoding("CustomContrasts", {"contrasts": value.contrasts, "names": value.contrast_names})
    if isinstance(value, contrasts.Contrasts):
        given = {name: part for name, part in vars(value).items() if part is not contrasts.UNSET}
        return KeptCoding(type(value).__name__, given)
    return value


def _built(value: object) -> object:
    """Undo `_plain`."""
    if isinstance(value, dict):
        return {key: _built(part) for key, part in value.items()}
    if isinstance(value, KeptCoding):
        kind = contrasts.ContrastsState if value.name == "ContrastsState" else _CODINGS[value.name]
        return kind(**{name: _built(part) for name, part in value.given.items()})
    return value
