"""Cross-products of a lazy table: DuckDB, Polars, whatever Narwhals knows. Rows never enter memory."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError, Fault, ModelError
from htresearch.language import Text
from htresearch.multilevel.columns import Columns, LazyTable, build_columns
from htresearch.multilevel.crossproducts import (
    INTERCEPT,
    CrossProducts,
    centre_of,
    pseudo_inverse,
    times,
)
from htresearch.multilevel.design import COUNTED, Design, collinear_note, missing_note
from htresearch.multilevel.formula import ModelFormula
from htresearch.multilevel.groups import Level, find_levels
from htresearch.multilevel.random_part import Block, RandomPart, too_many_effects


def lazy_design(formula: ModelFormula, native: object, weights: str | None = None) -> tuple[Design, CrossProducts]:
    """Describe a model of a lazy table, and take its cross-products in one pass.

    Raises
    ------
    ColumnError, FormulaError, ModelError, UnsupportedError
        As for frames, and for what cannot be computed in the table.
    """
    whole = nw.from_native(native).lazy()
    schema = whole.collect_schema()
    named = () if weights is None else (weights,)
    checks.require(*checks.columns("formula", formula.columns, list(schema)), error=ColumnError)
    checks.require(*checks.columns("weights", named, list(schema)), error=ColumnError)
    used = tuple(dict.fromkeys((*formula.columns, *named)))
    rows, note, counts = _complete(whole, schema, used)
    table = LazyTable(rows, _categories(rows, schema, formula))
    checks.require(*[_numeric_outcome(name, schema[name]) for name in formula.response_columns], error=ModelError)
    fixed = build_columns(formula.fixed, formula.fixed_columns, table)
    outcome = build_columns(f"0 + {formula.response}", formula.response_columns, table)
    random, terms = _random(formula, table)
    A = Columns((*fixed.names, formula.response), (*fixed.expressions, *outcome.expressions), (), {})
    groups = tuple(dict.fromkeys(name for term in formula.random for name in term.groups))
    sums, centre, random_centre, n = _one_pass(rows, groups, A, random, weights)
    levels = find_levels(formula.random, sums[list(groups)], n)
    products = _products(sums, levels, A, random, centre, random_centre, weights)
    products, kept, dropped = _independent(products)
    checks.require(_exact(formula.response, products), error=ModelError)
    at = {frozenset(level.written): k for k, level in enumerate(levels)}
    blocks = sorted((Block(at[g], c) for g, c in terms), key=lambda block: block.level)
    part = RandomPart(None, random.names, tuple(blocks), (random,))
    checks.require(*too_many_effects(part, levels, n), error=ModelError)
    design = Design(
        X=None,
        y=None,
        names=products.columns[:-1],
        levels=tuple(replace(level, codes=None) for level in levels),
        random=part,
        weights=None,
        index=None,
        spec=fixed,
        kept=kept,
        counts=counts,
        note=(*note, *collinear_note(dropped)),
        rows=n,
    )
    return design, products


def _complete(whole: nw.LazyFrame, schema: nw.Schema, used: tuple[str, ...]) -> tuple[nw.LazyFrame, list[Text], dict]:
    """Leave rows with a missing value out, count them by column, and count people and schools among the rest."""
    floats = [name for name in used if schema[name].is_float()]
    missing = {name: nw.col(name).is_null() for name in used}
    for name in floats:
        missing[name] = missing[name] | nw.col(name).is_nan().fill_null(False)
    rows = whole.filter(*[~gone for gone in missing.values()])
    asked = [gone.cast(nw.Int64).sum().alias(str(i)) for i, gone in enumerate(missing.values())]
    before = whole.select(nw.len().alias("n"), *asked).collect("pandas").to_native().iloc[0]
    by_column = {name: int(before[str(i)]) for i, name in enumerate(used)}
    counted = {column: name for column, name in COUNTED.items() if column in schema}
    after = (
        rows.select(nw.len().alias("n"), *[nw.col(c).n_unique().alias(c) for c in counted])
        .collect("pandas")
        .to_native()
        .iloc[0]
    )
    if not after["n"]:
        raise ModelError(
            Fault(
                checks.argument("frame"),
                Text("没有一行在所用各列上都完整", "no row is complete in the columns used"),
                Text("请检查缺失值，或减少公式中的列", "Look at the missing values, or use fewer columns"),
            )
        )
    note = missing_note(by_column, int(before["n"]), int(before["n"] - after["n"]))
    return rows, note, {name: int(after[column]) for column, name in counted.items()}


def _categories(rows: nw.LazyFrame, schema: nw.Schema, formula: ModelFormula) -> dict[str, list]:
    """Find the categories that occur in each column of the formula that is not numeric, in order."""
    found = {}
    groups = {name for term in formula.random for name in term.groups}
    read = {*formula.response_columns, *formula.fixed_columns, *formula.slope_columns}
    written = " ".join([formula.fixed, *(column for term in formula.random for column in term.columns)])
    for name in formula.columns:
        kind = schema[name]
        # C(x) makes a category of a number.
        number = kind.is_numeric() or kind == nw.Boolean
        if (number and f"C({name}" not in written) or (name in groups and name not in read):
            continue
        occurring = rows.select(name).unique().collect("pandas").to_native()[name].tolist()
        order = list(kind.categories) if isinstance(kind, nw.Enum) else sorted(occurring)
        found[name] = [value for value in order if value in set(occurring)]
    return found


def _random(formula: ModelFormula, table: LazyTable) -> tuple[Columns, list[tuple[frozenset, tuple[int, ...]]]]:
    """Build the columns of U, and for each block its groups and its columns."""
    names: list[str] = []
    expressions, terms = [], []
    for term in formula.random:
        right = " + ".join(term.columns if "1" in term.columns else ("0", *term.columns))
        made = build_columns(right, formula.slope_columns, table)
        for name, expression in zip(made.names, made.expressions, strict=True):
            if name not in names:
                names.append(name)
                expressions.append(expression)
        columns = tuple(names.index(name) for name in made.names)
        parts = [columns] if term.correlated else [(column,) for column in columns]
        terms += [(frozenset(term.groups), part) for part in parts]
    return Columns(tuple(names), tuple(expressions), formula.slope_columns, table.categories), terms


def _one_pass(
    rows: nw.LazyFrame, groups: tuple[str, ...], A: Columns, U: Columns, weights: str | None
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, int]:
    """Find the means first, a cheap scan, then every sum by innermost group about them."""
    columns = {f"a{i}": e for i, e in enumerate(A.expressions)} | {f"u{i}": e for i, e in enumerate(U.expressions)}
    weight = nw.lit(1.0) if weights is None else nw.col(weights).cast(nw.Float64)
    made = rows.select(
        *[nw.col(g).alias(f"g{i}") for i, g in enumerate(groups)],
        *[e.alias(name) for name, e in columns.items()],
        weight.alias("w"),
    )
    means = made.select(nw.len().alias("n"), *[nw.col(name).mean() for name in columns]).collect("pandas").to_native()
    values = means[list(columns)].iloc[0].to_numpy(float)
    checks.require(*_infinite([*A.names, *U.names], values), error=ModelError)
    centre = centre_of(values[: len(A.names)], A.names)
    random_centre = centre_of(values[len(A.names) :], U.names)
    made = made.with_columns(
        *[nw.col(name) - float(c) for name, c in zip(columns, [*centre, *random_centre], strict=True)]
    )
    # Products are columns of their own, so that every engine finds plain sums in the aggregation.
    needed = dict.fromkeys(_pairs(A.names, U.names).values())
    products = {f"{one}*{other}": nw.col(one) * nw.col(other) for one, other in needed}
    asked = [nw.len().alias("n"), *[nw.col(key).sum() for key in products]]
    if weights is not None:
        products = {key: value * nw.col("w") for key, value in products.items()} | {"log_weights": nw.col("w").log()}
        asked += [nw.col("log_weights").sum(), nw.col("w").min()]
    keys = [f"g{i}" for i in range(len(groups))]
    wide = made.with_columns(*[value.alias(key) for key, value in products.items()])
    sums = wide.group_by(*keys).agg(*asked).collect("pandas").to_native()
    sums = sums.rename(columns={f"g{i}": g for i, g in enumerate(groups)})
    if weights is not None and not sums["w"].min() > 0:
        raise ModelError(
            Fault(
                Text(f"权重 {weights}", f"Weights {weights}"),
                Text("须为大于 0 的数", "they must be numbers above 0"),
                Text("请先去掉权重不是正数的行", "Take out the rows whose weight is not positive first"),
            )
        )
    return sums, centre, random_centre, int(means["n"].iloc[0])


def _pairs(columns: tuple[str, ...], random: tuple[str, ...]) -> dict[tuple[str, str], tuple[str, str]]:
    """Name the product behind each entry of U'U, U'A and A'A; a column of both U and A is multiplied once."""
    alike = (INTERCEPT in columns) == (INTERCEPT in random)  # then both are centred, or neither
    of_u = {f"a{i}": f"u{random.index(n)}" for i, n in enumerate(columns) if alike and n in random}
    a, u = [f"a{i}" for i in range(len(columns))], [f"u{i}" for i in range(len(random))]
    pairs = [(x, y) for x in u for y in u] + [(x, y) for x in u for y in a] + [(x, y) for x in a for y in a]
    return {(x, y): tuple(sorted((of_u.get(x, x), of_u.get(y, y)))) for x, y in pairs}


def _products(
    sums: pd.DataFrame,
    levels: tuple[Level, ...],
    A: Columns,
    U: Columns,
    centre: np.ndarray,
    random_centre: np.ndarray,
    weights: str | None,
) -> CrossProducts:
    """Arrange the sums, the groups sorted from the outside in."""
    keys = np.column_stack([level.codes for level in levels])
    order = np.lexsort(keys.T[::-1])
    keys, sums = keys[order], sums.iloc[order]
    m, r = len(A.names), len(U.names)
    gram, cross, squares = (np.empty((len(sums), *shape)) for shape in ((r, r), (r, m), (m, m)))
    behind = _pairs(A.names, U.names)
    for target, left, right in ((gram, "u", "u"), (cross, "u", "a"), (squares, "a", "a")):
        for i in range(target.shape[1]):
            for j in range(target.shape[2]):
                target[:, i, j] = sums["*".join(behind[f"{left}{i}", f"{right}{j}"])]
    squares -= np.einsum("gri,grj->gij", times(pseudo_inverse(gram), cross), cross)
    top = np.flatnonzero(np.diff(keys[:, 0], prepend=keys[0, 0] - 1))
    return CrossProducts(
        A.names,
        U.names,
        int(sums["n"].sum()),
        0.0 if weights is None else float(sums["log_weights"].sum()),
        centre,
        random_centre,
        keys,
        gram,
        cross,
        np.add.reduceat(squares, top, axis=0),
    )


def _independent(products: CrossProducts) -> tuple[CrossProducts, np.ndarray, list[str]]:
    """Leave out columns that the columns before them determine, as far as their cross-products can tell."""
    total = products.total.sum(axis=0)
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
    dropped = [name for i, name in enumerate(products.columns[:-1]) if i not in kept]
    chosen = [*kept, len(total) - 1]
    smaller = replace(
        products,
        columns=tuple(products.columns[i] for i in chosen),
        centre=products.centre[chosen],
        cross=products.cross[:, :, chosen],
        within=products.within[:, chosen][:, :, chosen],
    )
    return smaller, np.array(kept, dtype=int), dropped


def _numeric_outcome(name: str, kind: nw.dtypes.DType) -> Fault | None:
    if kind.is_numeric():
        return None
    return Fault(
        Text(f"因变量 {name}", f"Outcome {name}"),
        Text("不是数值", "it is not a number"),
        Text("请换成数值列", "Take a numeric column"),
        str(kind),
    )


def _infinite(names: list[str], means: np.ndarray) -> list[Fault]:
    return [
        Fault(
            Text(f"列 {name}", f"Column {name}"),
            Text("有不是有限的数的值", "it has values that are not finite numbers"),
            Text("请检查这些值（例如对 0 或负数取了对数）", "Look at them (a logarithm of zero, for example)"),
        )
        for name, mean in dict(zip(names, means, strict=True)).items()
        if not np.isfinite(mean)
    ]


def _exact(response: str, products: CrossProducts) -> Fault | None:
    """Refuse an outcome without variation, or one that columns and groups reproduce."""
    total, within = products.total.sum(axis=0)[-1, -1], products.within.sum(axis=0)
    left = within[-1, -1] - within[-1, :-1] @ np.linalg.pinv(within[:-1, :-1], hermitian=True) @ within[:-1, -1]
    if total > 0 and left > 1e-12 * total:
        return None
    return Fault(
        Text(f"因变量 {response}", f"Outcome {response}"),
        Text("没有差异，或被系数和最内层的组完全再现", "does not vary, or columns and groups reproduce it exactly"),
        Text("请检查因变量是否在组内不变或由其他列算出", "See whether it is constant within groups or computed"),
    )
