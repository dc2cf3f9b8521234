"""Cross-products of a lazy table: DuckDB, Polars, whatever Narwhals knows. Rows never enter memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import combinations_with_replacement

import narwhals as nw
import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError, Fault, ModelError
from htresearch.language import Text
from htresearch.multilevel.columns import Columns, LazyTable, build_columns, joined
from htresearch.multilevel.crossproducts import INTERCEPT, CrossProducts, centre_of
from htresearch.multilevel.design import COUNTED, Design, collinear_note, missing_note
from htresearch.multilevel.formula import ModelFormula
from htresearch.multilevel.groups import Level, crossed_note, find_levels
from htresearch.multilevel.random_part import Block, RandomPart, too_many_effects
from htresearch.multilevel.reference import Reference, is_category


def lazy_design(formula: ModelFormula, native: object, weights: str | None = None) -> tuple[Design, CrossProducts]:
    """Describe a model of a lazy table, and take its cross-products.

    The table is asked four times, for a row, a row, a row per innermost and a row per outermost group: how much is
    missing, the means, U'U and U'A, A'A. Sums of squares by outermost group only, because a database that holds all
    of them for every class fills its memory and loses more time than a second look at the columns costs.

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
    rows, note = complete_rows(whole, schema, tuple(dict.fromkeys((*formula.columns, *named))))
    cells, sizes = _cells(rows, schema, formula)
    table = LazyTable(rows, _categories(rows, schema, formula, cells))
    checks.require(*[_numeric_outcome(name, schema[name]) for name in formula.response_columns], error=ModelError)
    fixed = build_columns(formula.fixed, formula.fixed_columns, table)
    outcome = build_columns(f"0 + {formula.response}", formula.response_columns, table)
    random, terms = _random(formula, table)
    A = Columns((*fixed.names, formula.response), (*fixed.expressions, *outcome.expressions), (), {})
    groups = tuple(dict.fromkeys(name for term in formula.random for name in term.groups))
    counted = [column for column in COUNTED if column in schema and column not in groups]
    numbers = [name for name in formula.fixed_columns if name not in cells]
    *found, typical = _means(rows, A, random, counted, numbers)
    asked = _Asked(rows, groups, A, random, weights, *found)
    sums = asked.by_group()
    levels = find_levels(formula.random, sums[list(groups)], asked.n, crossed=True)
    full = asked.products(sums, levels)
    kept = full.independent
    dropped = [name for i, name in enumerate(full.columns[:-1]) if i not in kept]
    products = full.taking(kept)
    checks.require(_exact(formula.response, products), error=ModelError)
    at = {frozenset(level.written): k for k, level in enumerate(levels)}
    blocks = sorted((Block(at[g], c) for g, c in terms), key=lambda block: block.level)
    part = RandomPart(None, random.names, tuple(blocks), (random,))
    checks.require(*too_many_effects(part, levels, asked.n), error=ModelError)
    distinct = asked.distinct | {column: sums[column].nunique() for column in COUNTED if column in groups}
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
        counts={name: int(distinct[column]) for column, name in COUNTED.items() if column in distinct},
        note=(*note, *collinear_note(dropped), *crossed_note(levels)),
        reference=Reference(
            typical,
            {name: table.categories.get(name) or sorted(cells[name].unique()) for name in cells},
            cells,
            sizes if len(cells.columns) else np.array([asked.n]),
            full.aliases(kept),
        ),
        rows=asked.n,
        crossed=products.crossed,
    )
    return design, products


def complete_rows(whole: nw.LazyFrame, schema: nw.Schema, used: tuple[str, ...]) -> tuple[nw.LazyFrame, list[Text]]:
    """Leave rows with a missing value out, and count them by column."""
    missing = {name: nw.col(name).is_null() for name in used}
    for name in used:
        if schema[name].is_float():
            missing[name] = missing[name] | nw.col(name).is_nan().fill_null(False)
    asked = [gone.cast(nw.Int64).sum().alias(str(i)) for i, gone in enumerate(missing.values())]
    gone_at_all = reduce(lambda one, other: one | other, missing.values()).cast(nw.Int64).sum().alias("out")
    found = whole.select(nw.len().alias("n"), gone_at_all, *asked).collect("pandas").to_native().iloc[0].fillna(0)
    if found["n"] == found["out"]:
        raise ModelError(
            Fault(
                checks.argument("frame"),
                Text("没有一行在所用各列上都完整", "no row is complete in the columns used"),
                Text("请检查缺失值，或减少公式中的列", "Look at the missing values, or use fewer columns"),
            )
        )
    if not found["out"]:
        return whole, []
    by_column = {name: int(found[str(i)]) for i, name in enumerate(used)}
    note = missing_note(by_column, int(found["n"]), int(found["out"]))
    return whole.filter(*[~gone for gone in missing.values()]), note


def _cells(rows: nw.LazyFrame, schema: nw.Schema, formula: ModelFormula) -> tuple[pd.DataFrame, np.ndarray]:
    """Find which categories of the fixed part occur together, and in how many rows."""
    names = [n for n in formula.fixed_columns if is_category(n, formula.fixed, schema[n].is_numeric())]
    if not names:
        return pd.DataFrame(index=[0]), np.zeros(1)
    plain = rows.select(*[nw.col(n).alias(f"c{i}") for i, n in enumerate(names)])
    found = (
        plain.group_by(*[f"c{i}" for i in range(len(names))]).agg(nw.len().alias("n")).collect("pandas").to_native()
    )
    cells = {name: found[f"c{i}"].tolist() for i, name in enumerate(names)}
    return pd.DataFrame(cells, dtype=object), found["n"].to_numpy()


def _categories(rows: nw.LazyFrame, schema: nw.Schema, formula: ModelFormula, cells: pd.DataFrame) -> dict[str, list]:
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
        known = cells[name].drop_duplicates() if name in cells else None
        occurring = (
            rows.select(name).unique().collect("pandas").to_native()[name] if known is None else known
        ).tolist()
        order = list(kind.categories) if isinstance(kind, nw.Enum) else sorted(occurring)
        found[name] = [value for value in order if value in set(occurring)]
    return found


def _random(formula: ModelFormula, table: LazyTable) -> tuple[Columns, list[tuple[frozenset, tuple[int, ...]]]]:
    """Build the columns of U, and for each block its groups and its columns."""
    parts = []
    for term in formula.random:
        right = " + ".join(term.columns if "1" in term.columns else ("0", *term.columns))
        parts.append(build_columns(right, formula.slope_columns, table))
    U = joined(parts)
    terms = []
    for term, made in zip(formula.random, parts, strict=True):
        columns = tuple(U.names.index(name) for name in made.names)
        blocks = [columns] if term.correlated else [(column,) for column in columns]
        terms += [(frozenset(term.groups), block) for block in blocks]
    return U, terms


def _means(
    rows: nw.LazyFrame, A: Columns, U: Columns, counted: list[str], numbers: list[str]
) -> tuple[int, np.ndarray, np.ndarray, dict[str, int], dict[str, float]]:
    """Return the number of rows, where to centre A and U, how many people and schools there are, and means."""
    every = dict(zip((*U.names, *A.names), (*U.expressions, *A.expressions), strict=True))
    every.pop(INTERCEPT, None)
    every = {name: nw.col(name).cast(nw.Float64) for name in numbers} | every
    made = rows.select(*counted, *[e.alias(f"c{i}") for i, e in enumerate(every.values())])
    asked = [nw.col(f"c{i}").mean() for i in range(len(every))] + [nw.col(name).n_unique() for name in counted]
    found = made.select(nw.len().alias("n"), *asked).collect("pandas").to_native().iloc[0]
    means = {name: float(found[f"c{i}"]) for i, name in enumerate(every)}
    checks.require(*_infinite(means), error=ModelError)
    centre, random_centre = (
        centre_of(np.array([means.get(name, 1.0) for name in names]), names) for names in (A.names, U.names)
    )
    typical = {name: means[name] for name in numbers}
    return int(found["n"]), centre, random_centre, {name: int(found[name]) for name in counted}, typical


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of a table of complete rows, and what is known of it: rows, centres, people and schools.

    Columns that stand in A and in U alike are asked for once, as columns of U.
    """

    rows: nw.LazyFrame
    groups: tuple[str, ...]
    A: Columns
    U: Columns
    weights: str | None
    n: int
    centre: np.ndarray
    random_centre: np.ndarray
    distinct: dict[str, int]

    @cached_property
    def alone(self) -> dict[int, int]:
        """For each column of A that is no column of U, its place among those."""
        alike = (INTERCEPT in self.A.names) == (INTERCEPT in self.U.names)  # then both are centred, or neither
        places = [i for i, name in enumerate(self.A.names) if not (alike and name in self.U.names)]
        return {column: place for place, column in enumerate(places)}

    @cached_property
    def made(self) -> nw.LazyFrame:
        """The groups, U as u0, u1, …, what A has beside U as a0, a1, …, the weights w and their logarithms."""
        u = map(_about, self.U.expressions, self.random_centre)
        a = [_about(self.A.expressions[i], self.centre[i]) for i in self.alone]
        w = [] if self.weights is None else [nw.col(self.weights).cast(nw.Float64)]
        return self.rows.select(
            *[nw.col(g).alias(f"g{i}") for i, g in enumerate(self.groups)],
            *[e.alias(f"u{i}") for i, e in enumerate(u)],
            *[e.alias(f"a{i}") for i, e in enumerate(a)],
            *[e.alias("w") for e in w],
            *[e.log().alias("log_weights") for e in w],
        )

    def _sums(self, keys: list[str], pairs: list[tuple[str, str]], *more: nw.Expr) -> pd.DataFrame:
        """Add products of columns up by group; they are columns of their own, so that every engine finds sums."""
        weigh = (lambda e: e) if self.weights is None else (lambda e: e * nw.col("w"))
        # The constant times a column is the column.
        constant = f"u{self.U.names.index(INTERCEPT)}" if INTERCEPT in self.U.names else None
        products = {
            f"{one}*{other}": weigh(nw.col(other) if one == constant else nw.col(one) * nw.col(other))
            for one, other in pairs
        }
        wide = self.made.with_columns(*[e.alias(name) for name, e in products.items()])
        asked = [nw.col(name).sum() for name in products]
        return wide.group_by(*keys).agg(*asked, *more).collect("pandas").to_native()

    def by_group(self) -> pd.DataFrame:
        """Return a row per innermost group: the groups' names, and the sums of U'U and of what U'A has beside."""
        r = len(self.U.names)
        pairs = [(f"u{i}", f"u{j}") for i in range(r) for j in range(i, r)]
        pairs += [(f"u{i}", f"a{j}") for i in range(r) for j in range(len(self.alone))]
        more = [nw.len().alias("#rows")]
        if self.weights is not None:
            more += [nw.col("log_weights").sum().alias("#log_weights"), nw.col("w").min().alias("#least")]
        sums = self._sums([f"g{i}" for i in range(len(self.groups))], pairs, *more)
        if self.weights is not None:
            checks.require(None if sums["#least"].min() > 0 else _weightless(self.weights), error=ModelError)
        return sums.rename(columns={f"g{i}": g for i, g in enumerate(self.groups)})

    def by_top(self, outermost: Level) -> np.ndarray:
        """Return the cross-products of what A has beside U for each outermost group, in the order of its codes."""
        keys = [f"g{self.groups.index(name)}" for name in outermost.columns]
        m = len(self.alone)
        pairs = [(f"a{i}", f"a{j}") for i in range(m) for j in range(i, m)]
        sums = self._sums(keys, pairs)
        known = pd.MultiIndex.from_frame(outermost.labels)
        order = np.argsort(known.get_indexer(pd.MultiIndex.from_frame(sums[keys])))
        found = np.empty((outermost.size, m, m))
        for (i, j), (left, right) in zip(combinations_with_replacement(range(m), 2), pairs, strict=True):
            found[:, i, j] = found[:, j, i] = sums[f"{left}*{right}"].to_numpy()[order]
        return found

    def products(self, sums: pd.DataFrame, levels: tuple[Level, ...]) -> CrossProducts:
        """Arrange the sums, the groups sorted from the outside in."""
        keys = np.column_stack([level.codes for level in levels])
        order = np.lexsort(keys.T[::-1])
        m, r = len(self.A.names), len(self.U.names)
        column = {name: sums[name].to_numpy()[order] for name in sums if "*" in str(name)}
        gram, cross = np.empty((len(sums), r, r)), np.empty((len(sums), r, m))
        for i in range(r):
            for j in range(r):
                gram[:, i, j] = column[f"u{min(i, j)}*u{max(i, j)}"]
            for j, name in enumerate(self.A.names):
                other = f"u{i}*a{self.alone[j]}" if j in self.alone else None
                cross[:, i, j] = column[other] if other else gram[:, i, self.U.names.index(name)]
        between = CrossProducts(
            columns=self.A.names,
            random=self.U.names,
            centre=self.centre,
            random_centre=self.random_centre,
            keys=keys[order],
            sizes=sums["#rows"].to_numpy(int)[order],
            logs=np.zeros(len(sums)) if self.weights is None else sums["#log_weights"].to_numpy(float)[order],
            gram=gram,
            cross=cross,
            within=np.zeros((levels[0].size, m, m)),
        )
        within = between.within.copy()
        beside = np.ix_(range(levels[0].size), list(self.alone), list(self.alone))
        within[beside] = self.by_top(levels[0]) - between.explained[beside]
        return replace(between, within=within)


def _about(expression: nw.Expr, centre: float) -> nw.Expr:
    return expression - float(centre) if centre else expression


def _weightless(weights: str) -> Fault:
    return Fault(
        Text(f"权重 {weights}", f"Weights {weights}"),
        Text("须为大于 0 的数", "they must be numbers above 0"),
        Text("请先去掉权重不是正数的行", "Take out the rows whose weight is not positive first"),
    )


def _numeric_outcome(name: str, kind: nw.dtypes.DType) -> Fault | None:
    if kind.is_numeric():
        return None
    return Fault(
        Text(f"因变量 {name}", f"Outcome {name}"),
        Text("不是数值", "it is not a number"),
        Text("请换成数值列", "Take a numeric column"),
        str(kind),
    )


def _infinite(means: dict[str, float]) -> list[Fault]:
    return [
        Fault(
            Text(f"列 {name}", f"Column {name}"),
            Text("有不是有限的数的值", "it has values that are not finite numbers"),
            Text("请检查这些值（例如对 0 或负数取了对数）", "Look at them (a logarithm of zero, for example)"),
        )
        for name, mean in means.items()
        if not np.isfinite(mean)
    ]


def _constant_of(products: CrossProducts) -> np.ndarray:
    """Return the constant among the columns of U, or all of them where it is not there."""
    if INTERCEPT not in products.random:
        return np.eye(len(products.random))
    return np.eye(len(products.random))[:, [products.random.index(INTERCEPT)]]


def _exact(response: str, products: CrossProducts) -> Fault | None:
    """Refuse an outcome without variation, or one that columns and groups reproduce."""
    total, within = products.overall[-1, -1], products.within.sum(axis=0)
    if products.crossed:  # a cell may be a single row: what counts is the largest factor
        within = products.about(products.keys.shape[1] - 1, _constant_of(products))
    left = within[-1, -1] - within[-1, :-1] @ np.linalg.pinv(within[:-1, :-1], hermitian=True) @ within[:-1, -1]
    if total > 0 and left > 1e-12 * total:
        return None
    return Fault(
        Text(f"因变量 {response}", f"Outcome {response}"),
        Text("没有差异，或被系数和最内层的组完全再现", "does not vary, or columns and groups reproduce it exactly"),
        Text("请检查因变量是否在组内不变或由其他列算出", "See whether it is constant within groups or computed"),
    )
