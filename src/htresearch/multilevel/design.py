"""From a frame to the arrays of a model: which rows, which columns, which groups, and what was left out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import DataMismatchWarning, FormulaicError

from htresearch import checks
from htresearch.errors import ColumnError, Fault, FormulaError, ModelError
from htresearch.language import Text, listing
from htresearch.multilevel.basis import units_of, who_of
from htresearch.multilevel.columns import Columns
from htresearch.multilevel.crossproducts import INTERCEPT
from htresearch.multilevel.formula import ModelFormula
from htresearch.multilevel.groups import Level, are_crossed, crossed_note, find_levels
from htresearch.multilevel.random_part import RandomPart, build_random, too_many_effects
from htresearch.multilevel.reference import Reference

#: Columns whose distinct values are people or schools, and under which name a result counts them.
COUNTED = {"student_id": "n_students", "teacher_id": "n_teachers", "school_id": "n_schools"}


@dataclass(frozen=True, eq=False)
class Design:
    """The arrays of a model.

    Attributes
    ----------
    X : numpy.ndarray
        Fixed part, rows by coefficients, of full column rank.
    y : numpy.ndarray
        Outcome.
    names : tuple of str
        Of the coefficients.
    levels : tuple of Level
        Groups, the outermost first.
    random : RandomPart
        Columns with random effects, and which terms they make.
    weights : numpy.ndarray or None
        Precision weights.
    index : pandas.Index
        Of the rows used.
    spec : formulaic.ModelSpec or Columns
        Builds the fixed part for new rows.
    kept : numpy.ndarray
        Which columns of `spec` are the columns of `X`.
    counts : dict
        Distinct students, teachers and schools among the rows used, where the frame has such columns.
    note : tuple of Text
        What was left out, and why.
    reference : Reference
        What the columns of the fixed part are like over the rows used.
    rows : int or None
        Rows used, where there are none here: they stayed in a lazy table, or a file kept the model without them.
        `X`, `y` and `index` are ``None`` then.
    crossed : bool
        Whether groups cross one another.
    units : dict
        By ``"student"``, ``"teacher"``, ``"school"`` the unit of each row used, as far as columns name them.
    who : pandas.DataFrame or None
        Who these units are; see `Rows`.
    known : dict
        What a file keeps of the rows: degrees of freedom by ``containment``, where groups nest.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    levels: tuple[Level, ...]
    random: RandomPart
    weights: np.ndarray | None
    index: pd.Index
    spec: ModelSpec
    kept: np.ndarray
    counts: dict[str, int]
    note: tuple[Text, ...]
    reference: Reference
    rows: int | None = None
    crossed: bool = False
    units: dict[str, np.ndarray] = field(default_factory=dict)
    who: pd.DataFrame | None = field(default=None, repr=False)
    known: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """The number of rows used."""
        return len(self.y) if self.rows is None else self.rows


def build_design(
    formula: ModelFormula, frame: pd.DataFrame, weights: str | None = None, crossed: bool = False
) -> Design:
    """Build the arrays of a model from a frame; groups may cross where `crossed` says so.

    Dummies are treatment contrasts; the base is the first category of a pandas Categorical that occurs in the rows
    used, or the value sorted first.

    Raises
    ------
    ColumnError
        If the frame lacks columns; all of them are named.
    FormulaError
        If formulaic cannot evaluate the fixed part.
    ModelError
        If the outcome is not numeric or does not vary, values are infinite, too few rows are complete, or groups
        cannot be told apart (see `find_levels`).
    """
    checks.require(*checks.columns("formula", formula.columns, list(frame.columns)), error=ColumnError)
    named = [] if weights is None else [weights]
    checks.require(*checks.columns("weights", named, list(frame.columns)), error=ColumnError)
    used = frame[list(dict.fromkeys([*formula.columns, *named]))]
    complete = used.notna().all(axis=1).to_numpy()
    rows = frame.loc[complete]
    checks.require(_no_rows(len(rows)), error=ModelError)
    data = used.loc[complete].apply(_plain)
    checks.require(*_outcome_faults(formula.response, data), error=ModelError)

    outcome, fixed = _matrices(formula, data)
    checks.require(_one_outcome(formula.response, outcome), error=FormulaError)
    y, wide = outcome.to_numpy(float)[:, 0], fixed.to_numpy(float)
    names = [INTERCEPT if name == "Intercept" else name for name in fixed.columns]
    checks.require(*_infinite([formula.response, *names], np.column_stack([y, wide])), error=ModelError)
    checks.require(_constant(formula.response, y), error=ModelError)
    kept = independent_columns(wide)
    left_out = [i for i in range(len(names)) if i not in set(kept)]
    levels = find_levels(formula.random, data, crossed=crossed)
    random = build_random(formula.random, levels, data)
    checks.require(*too_many_effects(random, levels, len(y)), error=ModelError)
    checks.require(_exact(formula.response, wide[:, kept], y, levels[-1].codes), error=ModelError)
    return Design(
        X=wide[:, kept],
        y=y,
        names=tuple(names[i] for i in kept),
        levels=levels,
        random=random,
        weights=None if weights is None else _positive(weights, data[weights]),
        index=rows.index,
        spec=fixed.model_spec,
        kept=kept,
        counts={name: int(rows[column].nunique()) for column, name in COUNTED.items() if column in rows},
        crossed=are_crossed(levels),
        units=units_of(rows),
        who=who_of(rows),
        note=(
            *missing_note(used.isna().sum().to_dict(), len(used), int((~complete).sum())),
            *_unused_note(used.loc[complete], formula.fixed_columns),
            *collinear_note([names[i] for i in left_out]),
            *random.note,
            *crossed_note(levels),
        ),
        reference=Reference.of_rows(data, formula.fixed_columns, formula.fixed, aliases(wide, kept, left_out)),
    )


def fixed_part(design: Design, new: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """Build the fixed part for new rows; a row with a missing value is missing throughout.

    Raises
    ------
    ColumnError
        If `new` lacks columns.
    ModelError
        If a category did not occur in the rows the model was fitted to.
    """
    checks.require(*checks.columns("new", columns, list(new.columns)), error=ColumnError)
    complete = new[list(columns)].notna().all(axis=1).to_numpy()
    X = np.full((len(new), len(design.names)), np.nan)
    if not complete.any():
        return X
    if isinstance(design.spec, Columns):
        X[complete] = design.spec.matrix(new.loc[complete])[:, design.kept]
        return X
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            plain = new.loc[complete, list(columns)].apply(_plain)
            # A formula without columns ("1") still has to know how many rows there are.
            built = design.spec.get_model_matrix(
                plain if columns else new.loc[complete], context={}, na_action="ignore"
            )
    except DataMismatchWarning as unseen:
        raise ModelError(
            Fault(
                checks.argument("new"),
                Text("含有拟合时没有的类别", "it holds a category that the model was not fitted to"),
                Text("请只预测拟合时出现过的类别", "Predict only for categories that the model has seen"),
                str(unseen).partition("{")[2].partition("}")[0] or None,
            )
        ) from None
    X[complete] = np.asarray(built, dtype=float)[:, design.kept]
    return X


def independent_columns(X: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
    """Return the positions of columns that are no combination of the columns before them.

    The first of two columns that say the same is kept, as R does. `tolerance` is relative to a column's length.
    """
    basis = np.empty(X.shape, order="F")
    kept: list[int] = []
    for i, column in enumerate(X.T):
        before = basis[:, : len(kept)]
        rest = column - before @ (before.T @ column)
        rest -= before @ (before.T @ rest)  # a second pass takes away what rounding left of the first
        length = np.sqrt(rest @ rest)
        if length > tolerance * np.sqrt(column @ column):
            basis[:, len(kept)] = rest / length
            kept.append(i)
    return np.array(kept, dtype=int)


def aliases(X: np.ndarray, kept: np.ndarray, left_out: list[int]) -> np.ndarray:
    """Write columns that were left out as combinations of those kept."""
    return np.linalg.lstsq(X[:, kept], X[:, left_out], rcond=None)[0] if left_out else np.zeros((len(kept), 0))


def _positive(name: str, column: pd.Series) -> np.ndarray:
    """Return precision weights, all of them finite and above 0."""
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    values = column.to_numpy(float) if numeric else np.zeros(1)
    if np.isfinite(values).all() and (values > 0).all():
        return values
    raise ModelError(
        Fault(
            Text(f"权重 {name}", f"Weights {name}"),
            Text("须为大于 0 的数", "they must be numbers above 0"),
            Text("请先去掉权重不是正数的行", "Take out the rows whose weight is not positive first"),
        )
    )


def _plain(column: pd.Series) -> pd.Series:
    """Give a column the plain dtype formulaic expects: numbers, text, categories that occur."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()
    if pd.api.types.is_bool_dtype(column):
        return column.astype(bool)
    if pd.api.types.is_integer_dtype(column):
        return column.astype(np.int64)
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    return column.astype("str") if pd.api.types.is_string_dtype(column) else column


def _matrices(formula: ModelFormula, data: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    try:
        # The empty context keeps names of the caller's session out of the formula.
        both = Formula(f"{formula.response} ~ {formula.fixed}").get_model_matrix(data, context={}, na_action="ignore")
    except (FormulaicError, ValueError, TypeError, SyntaxError) as failure:
        reason = str(failure).split("\n")[0]
        raise FormulaError(
            Fault(
                Text(
                    f"公式“{formula.response} ~ {formula.fixed}”", f"Formula '{formula.response} ~ {formula.fixed}'"
                ),
                Text(f"无法计算（{reason}）", f"it cannot be evaluated ({reason})"),
                Text(
                    "请检查运算符与函数名；带空格或符号的列名放在反引号之间",
                    "Check operators and names of functions; put columns with spaces or signs between backticks",
                ),
            )
        ) from failure
    return both.lhs, both.rhs


def _outcome(response: str) -> Text:
    return Text(f"因变量 {response}", f"Outcome {response}")


def _no_rows(n: int) -> Fault | None:
    if n:
        return None
    return Fault(
        checks.argument("frame"),
        Text("没有一行在所用各列上都完整", "no row is complete in the columns used"),
        Text("请检查缺失值，或减少公式中的列", "Look at the missing values, or use fewer columns in the formula"),
    )


def _outcome_faults(response: str, data: pd.DataFrame) -> list[Fault]:
    """Refuse an outcome that is text or two-valued before formulaic makes dummies of it."""
    name = response.strip("`")
    if name not in data:
        return []
    column = data[name]
    if pd.api.types.is_bool_dtype(column):
        return [
            Fault(
                _outcome(name),
                Text("只有“是”“否”两种取值", "it is true or false"),
                Text(
                    "线性模型要求数值型因变量；若只关心比例之差，可先转成 0 和 1",
                    "A linear model needs a numeric outcome; turn it into 0 and 1 to compare proportions",
                ),
            )
        ]
    if not pd.api.types.is_numeric_dtype(column):
        return [
            Fault(
                _outcome(name),
                Text("是文字或类别，不是数值", "it is text or a category, not a number"),
                Text("请换成数值列", "Take a numeric column"),
                column.iloc[0],
            )
        ]
    return []


def _one_outcome(response: str, outcome: pd.DataFrame) -> Fault | None:
    if outcome.shape[1] == 1:
        return None
    return Fault(
        _outcome(response),
        Text(f"“~”左边有 {outcome.shape[1]} 列", f"{outcome.shape[1]} columns stand left of ~"),
        Text("一个模型只能有一个因变量；求和请写 {a + b}", "A model has one outcome; write {a + b} for a sum"),
    )


def _infinite(names: list[str], values: np.ndarray) -> list[Fault]:
    return [
        Fault(
            Text(f"列 {name}", f"Column {name}"),
            Text(f"有 {count} 个值不是有限的数", f"{count} values are not finite numbers"),
            Text("请检查这些值（例如对 0 或负数取了对数）", "Look at them (a logarithm of zero, for example)"),
        )
        for name, count in zip(names, (~np.isfinite(values)).sum(axis=0), strict=True)
        if count
    ]


def _constant(response: str, y: np.ndarray) -> Fault | None:
    if np.ptp(y) > 0:
        return None
    return Fault(
        _outcome(response),
        Text("所有取值都相同", "all its values are the same"),
        Text("没有差异可以解释；请换一个因变量", "There is nothing to explain; take another outcome"),
        float(y[0]),
    )


def _exact(response: str, X: np.ndarray, y: np.ndarray, innermost: np.ndarray) -> Fault | None:
    """Refuse an outcome that coefficients and groups reproduce without remainder: its likelihood has no maximum."""
    sizes = np.bincount(innermost)
    within = np.array([c - (np.bincount(innermost, c) / sizes)[innermost] for c in (*X.T, y)]).T
    total = np.linalg.norm(y - y.mean())
    # Cross-products settle all but the close cases, at a fraction of the cost.
    products = within.T @ within
    left = products[-1, -1] - products[-1, :-1] @ np.linalg.pinv(products[:-1, :-1], 1e-8, True) @ products[:-1, -1]
    if left > 1e-6 * total**2:
        return None
    fitted = within[:, :-1] @ np.linalg.lstsq(within[:, :-1], within[:, -1], rcond=1e-10)[0]
    if np.linalg.norm(within[:, -1] - fitted) > 1e-10 * total:
        return None
    return Fault(
        _outcome(response),
        Text(
            f"{X.shape[1]} 个系数和 {len(sizes)} 个最内层的组恰好再现了全部 {len(y)} 行，没有剩余的差异可作残差",
            f"{X.shape[1]} coefficients and {len(sizes)} innermost groups reproduce all {len(y)} rows exactly: "
            "nothing is left as residual",
        ),
        Text(
            "请检查因变量是否在组内不变或由其他列算出；否则请减少公式中的项",
            "See whether the outcome is constant within groups or computed from other columns; else use fewer terms",
        ),
    )


def missing_note(missing: dict[str, int], n: int, left_out: int) -> list[Text]:
    """Say how many rows were left out, and which columns were empty there."""
    if not left_out:
        return []
    where = listing(Text(f"{name}（{count}）", f"{name} ({count})") for name, count in missing.items() if count)
    return [
        Text(
            "{all} 行中有 {out} 行因缺失值未用：{where}；一行可以缺几列。",
            "{out} of {all} rows were left out for missing values: {where}; one row may miss several.",
        ).format(all=n, out=left_out, where=where)
    ]


def _unused_note(rows: pd.DataFrame, columns: tuple[str, ...]) -> list[Text]:
    notes = []
    for name in columns:
        dtype = rows[name].dtype
        if not isinstance(dtype, pd.CategoricalDtype):
            continue
        absent = [value for value in dtype.categories if not (rows[name] == value).any()]
        if absent:
            notes.append(
                Text(
                    f"{name} 的以下类别没有出现在所用的行中：{{absent}}。",
                    f"These categories of {name} do not occur in the rows used: {{absent}}.",
                ).format(absent=listing(absent))
            )
    return notes


def collinear_note(dropped: list[str]) -> list[Text]:
    """Name the columns that the columns before them determine."""
    if not dropped:
        return []
    return [
        Text(
            "以下列完全由前面的列决定，未放入模型：{dropped}。",
            "These columns are determined by the columns before them and were left out: {dropped}.",
        ).format(dropped=listing(dropped))
    ]
