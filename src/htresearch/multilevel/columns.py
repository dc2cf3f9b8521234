"""The columns of a formula as expressions on a lazy table: numbers, categories, interactions, center() and the like.

formulaic says which columns a formula has and how categories are coded; a small frame with every category once stands
for the table, so that no rule of coding is written here a second time.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from itertools import product

import narwhals as nw
import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError

from htresearch.errors import Fault, FormulaError, ModelError, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.crossproducts import INTERCEPT

Statistic = Callable[[nw.Expr], float]

_FUNCTIONS = {
    "log": lambda x: x.log(),
    "log2": lambda x: x.log(2),
    "log10": lambda x: x.log(10),
    "log1p": lambda x: (x + 1.0).log(),
    "exp": lambda x: x.exp(),
    "sqrt": lambda x: x.sqrt(),
    "abs": lambda x: x.abs(),
    "I": lambda x: x,
}
_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


@dataclass(frozen=True, eq=False)
class LazyTable:
    """A lazy table without missing values in the columns used.

    Attributes
    ----------
    table : narwhals.LazyFrame
    categories : dict
        The categories of each column that is not numeric, in order.
    moments : dict
        Mean and standard deviation (n - 1) of what center() and scale() have asked for, by expression.
    """

    table: nw.LazyFrame
    categories: dict[str, list]
    moments: dict[str, tuple[float, float]] = field(default_factory=dict)

    def moments_of(self, key: str, expression: nw.Expr) -> tuple[float, float]:
        """Return mean and standard deviation (n - 1) of an expression."""
        if key not in self.moments:
            found = (
                self.table.select(expression.mean().alias("mean"), expression.std(ddof=1).alias("deviation"))
                .collect("pandas")
                .to_native()
            )
            self.moments[key] = (float(found["mean"].iloc[0]), float(found["deviation"].iloc[0]))
        return self.moments[key]


@dataclass(frozen=True, eq=False)
class Columns:
    """Named expressions.

    Attributes
    ----------
    names : tuple of str
        As formulaic names them; the constant is ``(Intercept)``.
    expressions : tuple of narwhals.Expr
    used : tuple of str
        The columns of the table that they read.
    categories : dict
        Of those columns.
    formulas : tuple of str
        What they were built from.
    moments : dict
        What center() and scale() took from the table.
    """

    names: tuple[str, ...]
    expressions: tuple[nw.Expr, ...]
    used: tuple[str, ...]
    categories: dict[str, list]
    formulas: tuple[str, ...] = ()
    moments: dict[str, tuple[float, float]] = field(default_factory=dict)

    def matrix(self, rows: pd.DataFrame) -> np.ndarray:
        """Evaluate the expressions on rows in memory.

        Raises
        ------
        ModelError
            If a category did not occur in the table.
        """
        for name in set(self.used) & set(self.categories):
            unseen = [value for value in rows[name].unique() if value not in self.categories[name]]
            if unseen:
                raise ModelError(
                    Fault(
                        Text(f"列 {name}", f"Column {name}"),
                        Text("含有拟合时没有的类别", "holds a category that the model was not fitted to"),
                        Text("请只预测拟合时出现过的类别", "Predict only for categories that the model has seen"),
                        unseen[0],
                    )
                )
        frame = nw.from_native(rows.assign(**{"": 0.0}))
        made = frame.select(*[(e + nw.col("") * 0.0).alias(str(i)) for i, e in enumerate(self.expressions)])
        return made.to_numpy().astype(float)


def build_columns(formula: str, used: tuple[str, ...], table: LazyTable) -> Columns:
    """Translate the right-hand side of a formula.

    Raises
    ------
    FormulaError
        If formulaic cannot read it.
    UnsupportedError
        If it holds what cannot be computed in the table; the fault says what to do.
    """
    spec = _spec(formula, used, table)
    names, expressions = [], []
    for encoded in spec.structure:
        made: dict[str, nw.Expr] = {}
        for scoped in encoded.scoped_terms:
            factors = [_factor(s.factor, s.reduced, used, table) for s in scoped.factors]
            for chosen in product(*factors):
                name = ":".join(part for part, _ in chosen) if chosen else "Intercept"
                scale = [nw.lit(float(scoped.scale))] if scoped.scale != 1 or not chosen else []
                made[name] = reduce(lambda a, b: a * b, [*scale, *(e for _, e in chosen)])
        for name in encoded.columns:
            if name not in made:
                raise _unsupported(name)
            names.append(INTERCEPT if name == "Intercept" else name)
            expressions.append(made[name])
    return Columns(tuple(names), tuple(expressions), used, table.categories, (formula,), table.moments)


def joined(parts: list[Columns]) -> Columns:
    """Set columns of one table side by side, each name once."""
    named: dict[str, nw.Expr] = {}
    for part in parts:
        named = dict(zip(part.names, part.expressions, strict=True)) | named
    order = dict.fromkeys(name for part in parts for name in part.names)
    formulas = tuple(dict.fromkeys(formula for part in parts for formula in part.formulas))
    first = parts[0]
    expressions = tuple(named[name] for name in order)
    return Columns(tuple(order), expressions, first.used, first.categories, formulas, first.moments)


def _spec(formula: str, used: tuple[str, ...], table: LazyTable):
    """Let formulaic code the formula on a frame in which every category occurs."""
    number = max([3, *(len(values) for values in table.categories.values())])
    sample = {}
    for name in used:
        if name in table.categories:
            values = table.categories[name]
            repeated = [values[i % len(values)] for i in range(number)]
            sample[name] = pd.Categorical(repeated, categories=values)
        else:
            sample[name] = np.linspace(1.0, 2.0, number)
    frame = pd.DataFrame(sample, index=range(number))
    try:
        return Formula(formula).get_model_matrix(frame, context={}, na_action="ignore").model_spec
    except (FormulaicError, ValueError, TypeError, SyntaxError) as failure:
        reason = str(failure).split("\n")[0]
        raise FormulaError(
            Fault(
                Text(f"公式“{formula}”", f"Formula {formula!r}"),
                Text(f"无法计算（{reason}）", f"it cannot be evaluated ({reason})"),
                Text("请检查运算符与函数名", "Check operators and names of functions"),
            )
        ) from failure


def _factor(factor, reduced: bool, used: tuple[str, ...], table: LazyTable) -> list[tuple[str, nw.Expr]]:
    """Return the columns of one factor, each with its name."""
    expression = factor.expr
    categorical = _category(expression, table)
    if categorical is not None:
        return _dummies(expression, categorical, reduced, used, table)
    if expression in used:
        return [(expression, nw.col(expression).cast(nw.Float64))]
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise _unsupported(expression) from None
    return [(expression, _numeric(tree, expression, used, table))]


def _category(expression: str, table: LazyTable) -> str | None:
    """Name the column of a factor that is a category: ``tier`` or ``C(tier, ...)``."""
    if expression in table.categories:
        return expression
    inside = expression[2:-1].split(",")[0].strip(" `") if expression.startswith("C(") else None
    return inside if inside in table.categories else None


def _dummies(
    expression: str, column: str, reduced: bool, used: tuple[str, ...], table: LazyTable
) -> list[tuple[str, nw.Expr]]:
    """Read the coding off formulaic's own matrix, a row per category."""
    values = table.categories[column]
    frame = pd.DataFrame({column: pd.Categorical(values, categories=values)})
    plain = f"`{expression}`" if expression == column else expression
    coded = Formula(f"{1 if reduced else 0} + {plain}").get_model_matrix(frame, context={}, na_action="ignore")
    found = []
    for name in coded.columns:
        if name == "Intercept":
            continue
        cases = nw.lit(0.0)
        for value, code in zip(values, coded[name].to_numpy(float), strict=True):
            if code:
                cases = nw.when(nw.col(column) == value).then(nw.lit(float(code))).otherwise(cases)
        found.append((name, cases))
    return found


def _numeric(tree: ast.AST, whole: str, used: tuple[str, ...], table: LazyTable) -> nw.Expr:
    """Translate arithmetic, powers, logarithms, center() and scale()."""

    def go(node: ast.AST) -> nw.Expr:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return nw.lit(float(node.value))
        if isinstance(node, ast.Name) and node.id in used and node.id not in table.categories:
            return nw.col(node.id).cast(nw.Float64)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return nw.lit(0.0) - go(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            power = isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant)
            right = node.right.value if power else go(node.right)
            return _OPERATORS[type(node.op)](go(node.left), right)
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](go(node.args[0]))
            if name in ("center", "scale"):
                inner = go(node.args[0])
                mean, deviation = table.moments_of(ast.unparse(node.args[0]), inner)
                return inner - mean if name == "center" else (inner - mean) / deviation
        raise _unsupported(whole)

    return go(tree)


def _unsupported(expression: str) -> UnsupportedError:
    return UnsupportedError(
        Fault(
            Text(f"公式中的“{expression}”", f"The piece {expression!r} of the formula"),
            Text("惰性表中无法计算", "it cannot be computed in a lazy table"),
            Text(
                "可用：数值列、类别列、C(x, contr.poly)、交互、四则运算、乘方、log、exp、sqrt、center()、"
                "scale()；其余请先在表中算成一列",
                "Numeric and categorical columns, C(x, contr.poly), interactions, arithmetic, powers, log, exp, "
                "sqrt, center() and scale() can; make anything else a column of the table first",
            ),
        )
    )
