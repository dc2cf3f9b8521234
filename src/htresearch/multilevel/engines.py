"""From a formula and a table to a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ArgumentError, Fault, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel import mixedlm
from htresearch.multilevel.crossproducts import from_rows
from htresearch.multilevel.design import Design, build_design
from htresearch.multilevel.fit import MultilevelFit
from htresearch.multilevel.formula import RandomTerm, parse_formula
from htresearch.multilevel.lazy import lazy_design
from htresearch.multilevel.reml import METHODS, Solution, one_thread, solve_products
from htresearch.multilevel.within_between import prepare

ENGINES = ("one-pass", "statsmodels")


def one_pass(design: Design, reml: bool) -> Solution:
    """Fit by cross-products."""
    products = from_rows(
        np.column_stack([design.X, design.y]),
        design.random.U,
        tuple(level.codes for level in design.levels),
        (*design.names, "y"),
        design.random.names,
        design.weights,
    )
    return solve_products(products, design.random.terms, reml)


@one_thread
def fit_multilevel(
    formula: str,
    frame: pd.DataFrame,
    method: str = "reml",
    weights: str | None = None,
    engine: str = "one-pass",
    within_between: Mapping[str, str | Sequence[str]] | None = None,
) -> MultilevelFit:
    """Fit a linear model whose rows lie in groups: pupils in classes in schools.

    Parameters
    ----------
    formula
        ``outcome ~ fixed part + (1 | school_id/class_id)``; see `parse_formula`.
    frame
        A row per observation: a pandas frame, or a lazy table (a DuckDB relation, a Narwhals or Polars
        LazyFrame), whose rows never enter memory. Rows with a missing value in a column used are left out and
        counted in the note.
    method
        ``"reml"``, restricted maximum likelihood, or ``"ml"``.
    weights
        Column of precision weights: the residual variance of a row is divided by its weight.
    engine
        ``"one-pass"``: everything from cross-products by group. ``"statsmodels"``, as a check: `MixedLM` searches,
        random intercepts only.
    within_between
        Columns to split into what varies within groups and what varies between them (Mundlak 1978), each with the
        column, or columns, that name a group: ``{"hours": "teacher_id"}``. Where the fixed part has ``hours``, alone
        or in products, it gets ``hours_within``, the distance from the group mean, and ``hours_between``, the group
        mean over the rows used; where the random part has it, ``hours_within``. Both names may be written in the
        formula too. `MultilevelFit.within_between` tests the difference of the two.

    Returns
    -------
    MultilevelFit

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    ColumnError
        If the frame lacks columns, or a column to split is not numeric.
    ModelError
        If the data cannot carry the model.
    UnsupportedError
        With the engine statsmodels for crossed groups, slopes and weights.

    References
    ----------
    Bates, D., Mächler, M., Bolker, B., & Walker, S. (2015). Fitting linear mixed-effects models using lme4. Journal
    of Statistical Software, 67(1). https://doi.org/10.18637/jss.v067.i01

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school = np.repeat(np.arange(20), 15)
    >>> hours = rng.uniform(0, 40, 300)
    >>> score = 60 + 0.2 * hours + rng.normal(0, 3, 20)[school] + rng.normal(0, 5, 300)
    >>> frame = pd.DataFrame({"school_id": school, "hours": hours, "score": score})
    >>> fit = ht.fit_multilevel("score ~ hours + (1 | school_id)", frame)
    >>> fit.tidy().round(1)[["term", "df", "n_schools"]].values.tolist()
    [['(Intercept)', 40.6, 20], ['hours', 282.3, 20]]
    """
    checks.require(checks.one_of("method", method, METHODS), checks.one_of("engine", engine, ENGINES))
    parsed = parse_formula(formula)
    lazy = engine == "one-pass" and _is_lazy(frame)
    if not lazy:
        _frame_must_be_pandas(frame)
    if engine == "statsmodels":
        checks.require(_weighted(weights), *[_slope(term) for term in parsed.random], error=UnsupportedError)
    ready = prepare(parsed, frame, within_between, weights, lazy)
    parsed, splits = ready.formula, ready.splits
    if lazy:
        design, products = lazy_design(parsed, ready.table, weights)
        design = replace(design, note=(*ready.note, *design.note))
        solution = solve_products(products, design.random.terms, method == "reml")
        return MultilevelFit(parsed, design, solution, method, engine, splits)
    design = build_design(parsed, ready.table, weights, crossed=engine == "one-pass")
    design = replace(design, note=(*ready.note, *design.note))
    if engine == "statsmodels":
        solution = mixedlm.fit_nested(design.X, design.y, design.levels, method == "reml")
    else:
        solution = one_pass(design, method == "reml")
    return MultilevelFit(parsed, design, solution, method, engine, splits)


def _is_lazy(table: object) -> bool:
    """Tell whether Narwhals can ask the table for sums: anything tabular but a pandas frame."""
    if isinstance(table, pd.DataFrame):
        return False
    try:
        nw.from_native(table)
    except TypeError:
        return False
    return True


def _frame_must_be_pandas(frame: object) -> None:
    if isinstance(frame, pd.DataFrame):
        return
    kind = f"{type(frame).__module__}.{type(frame).__name__}"
    tabular = any(hasattr(frame, name) for name in ("collect", "to_pandas", "to_df", "df", "toPandas"))
    raise (UnsupportedError if tabular else ArgumentError)(
        Fault(
            checks.argument("frame"),
            Text(
                "须为 pandas 的 DataFrame 或惰性表；引擎 statsmodels 只接受 pandas 的 DataFrame",
                "must be a pandas DataFrame or a lazy table; the engine statsmodels takes a pandas DataFrame only",
            ),
            Text(
                "请先选出所用的列，再转成 pandas（例如 .to_pandas() 或 .df()）",
                "Select the columns used, then turn the table into pandas (for example .to_pandas() or .df())",
            ),
            kind,
        )
    )


def _weighted(weights: object) -> Fault | None:
    if weights is None:
        return None
    return Fault(
        checks.argument("weights"),
        Text("引擎 statsmodels 不能加权", "the engine statsmodels cannot weight rows"),
        Text(
            "请不加权拟合，并把决定抽样的变量放进固定部分",
            "Fit without weights, with the variables that the sampling depends on in the fixed part",
        ),
        weights if isinstance(weights, str) else type(weights).__name__,
    )


def _slope(term: RandomTerm) -> Fault | None:
    if term.columns == ("1",):
        return None
    intercept = replace(term, columns=("1",), correlated=True)
    return Fault(
        Text(f"随机项 {term}", f"Random term {term}"),
        Text("引擎 statsmodels 只能估计随机截距", "the engine statsmodels estimates random intercepts only"),
        Text(
            f"请改写为 {intercept}，并把斜率放进固定部分", f"Write {intercept} and put the slope into the fixed part"
        ),
    )
