"""Within and between in one call: a column of the formula becomes its two parts, and the parts are compared."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError
from formulaic.utils.code import sanitize_variable_names

from htresearch import checks
from htresearch.errors import ColumnError, Fault, FormulaError, UnsupportedError
from htresearch.language import Text, listing
from htresearch.multilevel.design import missing_note
from htresearch.multilevel.formula import ModelFormula, RandomTerm
from htresearch.multilevel.lazy import complete_rows
from htresearch.multilevel.mundlak import mundlak

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit
    from htresearch.result import Estimates


@dataclass(frozen=True, eq=False)
class Split:
    """A column split into what varies within groups and what varies between them.

    Attributes
    ----------
    column : str
    groups : tuple of str
        The columns that name a group.
    means : pandas.DataFrame or None
        Those columns and ``mean``, over the rows the model was fitted to; ``None`` where a file kept no groups.
    """

    column: str
    groups: tuple[str, ...]
    means: pd.DataFrame | None = None

    @property
    def within(self) -> str:
        """The name of the within part."""
        return f"{self.column}_within"

    @property
    def between(self) -> str:
        """The name of the group mean."""
        return f"{self.column}_between"

    def of(self, new: pd.DataFrame) -> pd.DataFrame:
        """Split the column of new rows.

        Raises
        ------
        ColumnError
            If columns are missing.
        """
        if {self.within, self.between} <= set(new):
            return new
        given = self.between in new
        wanted = [self.column] if given else [self.column, *self.groups]
        nameless = None if given or self.means is not None else _nameless(self)
        checks.require(*checks.columns("new", wanted, list(new)), nameless, error=ColumnError)
        values = new[self.column].astype(float)
        mean = new[self.between] if given else self._mean(new, values)
        return new.assign(**{self.within: values - mean, self.between: mean})

    def _mean(self, new: pd.DataFrame, values: pd.Series) -> np.ndarray:
        """Return each row's group mean: the model's own, or the new rows' where the model has not seen the group."""
        groups = list(self.groups)
        known = pd.MultiIndex.from_frame(self.means[groups].astype(object))
        at = known.get_indexer(pd.MultiIndex.from_frame(new[groups].astype(object)))
        fresh = values.groupby([new[name] for name in groups], observed=True).transform("mean")
        return np.where(at >= 0, self.means["mean"].to_numpy(float)[at], fresh)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model whose columns have been split.

    Attributes
    ----------
    formula : ModelFormula
        With the parts in place of the columns.
    table : pandas.DataFrame or narwhals.LazyFrame
        The complete rows, with the parts.
    splits : tuple of Split
    note : tuple of Text
        What was left out, and how columns were split.
    """

    formula: ModelFormula
    table: pd.DataFrame | nw.LazyFrame
    splits: tuple[Split, ...] = ()
    note: tuple[Text, ...] = ()


def prepare(
    formula: ModelFormula,
    table: object,
    wanted: Mapping[str, str | Sequence[str]] | None,
    weights: str | None,
    lazy: bool,
) -> Prepared:
    """Split the columns that are wanted split, over the rows that the model will use.

    Raises
    ------
    ArgumentError, ColumnError, FormulaError, UnsupportedError
        If a column cannot be split; every fault is named.
    """
    if wanted is None:
        return Prepared(formula, table)
    checks.require(_not_a_mapping(wanted))
    groups = {column: (g,) if isinstance(g, str) else tuple(g) for column, g in wanted.items()}
    splits = tuple(Split(column, named) for column, named in groups.items())
    whole = nw.from_native(table).lazy() if lazy else table
    schema = whole.collect_schema() if lazy else dict(whole.dtypes)
    parts = {part: s.column for s in splits for part in (s.within, s.between)}
    read = tuple(dict.fromkeys(parts.get(name, name) for name in formula.columns))
    grouping = [name for s in splits for name in s.groups]
    checks.require(
        *checks.columns("within_between", [s.column for s in splits] + grouping, list(schema)),
        *checks.columns("formula", [name for name in read if name not in groups], list(schema)),
        *checks.columns("weights", [] if weights is None else [weights], list(schema)),
        error=ColumnError,
    )
    checks.require(
        *[_not_numeric(s.column) for s in splits if not _is_number(schema[s.column], lazy)],
        *[_taken(part) for part in parts if part in schema],
        *[_unused(s.column) for s in splits if s.column not in read],
        error=ColumnError,
    )
    written = _rewritten(formula, splits)
    used = tuple(dict.fromkeys([*read, *grouping, *([] if weights is None else [weights])]))
    split = _split_lazy if lazy else _split_frame
    made, means, left_out = split(whole, schema, used, splits)
    known = tuple(replace(s, means=m) for s, m in zip(splits, means, strict=True))
    return Prepared(written, made, known, (*left_out, *map(_split_note, splits)))


def within_between(
    fit: MultilevelFit,
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    cluster: str | pd.Series | None = None,
) -> Estimates:
    """Test whether a column does the same within groups and between them.

    The difference of the two coefficients is what Hausman's test asks about: where it is not 0, a model with the
    column alone would mix the two, and the within part is the one that is free of all that differs between groups.
    With a random intercept of those groups it is the regression form of the test, which robust standard errors
    (``inference="cr2"``) keep valid where the variances are modelled wrongly. In a model of pupils in schools the
    difference is also called the contextual effect.

    Parameters
    ----------
    inference, conf_level, cluster
        As in `estimates`.

    Returns
    -------
    Estimates
        A row per column that was split, ``<x>_between_minus_within``. For columns in products with others it is the
        difference where the others are 0.

    Raises
    ------
    UnsupportedError
        If the model was fitted without ``within_between``.

    References
    ----------
    Mundlak, Y. (1978). On the pooling of time series and cross section data. Econometrica, 46, 69-85.
    https://doi.org/10.2307/1913646
    Hausman, J. A. (1978). Specification tests in econometrics. Econometrica, 46, 1251-1271.
    https://doi.org/10.2307/1913827

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> teacher = np.repeat(np.arange(60), 20)
    >>> ability = rng.normal(0, 2, 60)[teacher]
    >>> hours = 20 + 3 * ability + rng.normal(0, 5, 1200)  # able teachers train more
    >>> score = 60 + 0.2 * hours + 2 * ability + rng.normal(0, 3, 1200)
    >>> frame = pd.DataFrame({"teacher_id": teacher, "hours": hours, "score": score})
    >>> fit = ht.fit_multilevel("score ~ hours + (1 | teacher_id)", frame, within_between={"hours": "teacher_id"})
    >>> fit.tidy().round(2)[["term", "estimate"]].values.tolist()[1:]
    [['hours_within', 0.2], ['hours_between', 0.85]]
    >>> fit.within_between().tidy().round(2)[["term", "estimate", "p_value"]].values.tolist()
    [['hours_between_minus_within', 0.65, 0.0]]
    """
    checks.require(None if fit.splits else _NO_SPLIT, error=UnsupportedError)
    return fit.contrast(
        {f"{s.between}_minus_within": {s.between: 1.0, s.within: -1.0} for s in fit.splits},
        inference,
        conf_level,
        cluster,
    )


_NO_SPLIT = Fault(
    Text("within_between", "within_between"),
    Text("此模型没有拆成组内与组间两部分的列", "no column of this model was split into within and between"),
    Text('请在拟合时写 within_between={"列名": "分组"}', 'Fit it with within_between={"column": "group"}'),
)


def _split_frame(frame: pd.DataFrame, schema: object, used: tuple[str, ...], splits: tuple[Split, ...]):
    """Return the complete rows with the parts, the means by group, and what was left out."""
    complete = frame[list(used)].notna().all(axis=1)
    rows = frame.loc[complete]
    means = []
    for s in splits:
        rows = mundlak(rows, [s.column], s.groups)
        by_group = rows.groupby(list(s.groups), observed=True)[s.column].mean()
        means.append(by_group.rename("mean").reset_index())
    gone = missing_note(frame[list(used)].isna().sum().to_dict(), len(frame), int((~complete).sum()))
    return rows, means, gone


def _split_lazy(whole: nw.LazyFrame, schema: nw.Schema, used: tuple[str, ...], splits: tuple[Split, ...]):
    """As `_split_frame`, in the table: means by group, joined to the rows."""
    rows, gone = complete_rows(whole, schema, used)
    made, means = rows, []
    for s in splits:
        by_group = rows.group_by(*s.groups).agg(nw.col(s.column).cast(nw.Float64).mean().alias(s.between))
        found = by_group.collect("pandas").to_native().rename(columns={s.between: "mean"})
        means.append(found.sort_values(list(s.groups), ignore_index=True))
        made = made.join(by_group, on=list(s.groups), how="left")
        made = made.with_columns((nw.col(s.column).cast(nw.Float64) - nw.col(s.between)).alias(s.within))
    return made, means, gone


def _rewritten(formula: ModelFormula, splits: tuple[Split, ...]) -> ModelFormula:
    """Put both parts where the fixed part has a column, and the within part where the random part has it."""
    columns = {s.column: s for s in splits}
    try:
        terms = [list(term.factors) for term in Formula(formula.fixed)]
    except (FormulaicError, ValueError, TypeError, SyntaxError):
        return formula  # what is wrong with it is said where the columns are built
    pieces = [factor.expr for term in terms for factor in term if factor.eval_method.value == "python"]
    pieces += [p for t in formula.random for c in t.columns for p in c.split(":") if p.strip("`") not in columns]
    pieces.append(formula.response)
    checks.require(
        *[_inside(piece, name) for piece in dict.fromkeys(pieces) for name in columns if name in _names(piece)],
        error=FormulaError,
    )
    fixed = formula.fixed
    if any(factor.expr in columns for term in terms for factor in term):
        written: list[list[str]] = []
        for term in terms:
            products: list[list[str]] = [[]]
            for factor in term:
                said = _said(factor, columns)
                products = [[*product, part] for part in said for product in products]
            written += products
        plain = [":".join(product) for product in written if product != ["1"]]
        fixed = " + ".join([*([] if ["1"] in written else ["0"]), *plain])
    return replace(formula, fixed=fixed, random=tuple(_within_only(term, columns) for term in formula.random))


def _said(factor, columns: dict[str, Split]) -> list[str]:
    """Write a factor as formulaic reads it; a column that is split gives two."""
    how = factor.eval_method.value
    if how == "lookup" and factor.expr in columns:
        return [_ticked(columns[factor.expr].within), _ticked(columns[factor.expr].between)]
    return [_ticked(factor.expr) if how == "lookup" else f"{{{factor.expr}}}" if how == "python" else factor.expr]


def _ticked(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def _within_only(term: RandomTerm, columns: dict[str, Split]) -> RandomTerm:
    """Let the within part vary from group to group."""
    found = []
    for column in term.columns:
        parts = [part.strip() for part in column.split(":")]
        bare = [part.strip("`") for part in parts]
        found.append(
            ":".join(_ticked(columns[b].within) if b in columns else p for b, p in zip(bare, parts, strict=True))
        )
    return replace(term, columns=tuple(found))


def _names(piece: str) -> set[str]:
    """Return the names in a piece of Python; columns in backticks under their own."""
    aliases: dict[str, str] = {}
    try:
        tree = ast.parse(sanitize_variable_names(piece, {}, aliases), mode="eval")
    except (SyntaxError, ValueError):
        return set()
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {aliases.get(name, name) for name in found}


def _is_number(dtype: object, lazy: bool) -> bool:
    if lazy:
        return dtype.is_numeric()
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def _split_note(s: Split) -> Text:
    return Text(
        "{x} 按 {groups} 拆成两部分：{within}（与组平均之差）和 {between}（所用各行的组平均）；两个系数之差由 "
        "fit.within_between() 检验（Mundlak 1978，doi:10.2307/1913646）。",
        "{x} was split by {groups} into {within}, the distance from the group mean, and {between}, the group's mean "
        "over the rows used; fit.within_between() tests the difference of their coefficients (Mundlak 1978, "
        "doi:10.2307/1913646).",
    ).format(x=s.column, groups=listing(s.groups), within=s.within, between=s.between)


def _where(name: str) -> Text:
    return Text(f"参数 within_between 中的 {name}", f"{name} in the argument within_between")


def _not_a_mapping(wanted: object) -> Fault | None:
    if isinstance(wanted, Mapping) and wanted:
        return None
    return Fault(
        checks.argument("within_between"),
        Text("须为“列名：分组列”的字典", "must be the group by the name of each column"),
        Text(
            "例如 {'hours': 'teacher_id'}；不拆分时请去掉此参数",
            "For example {'hours': 'teacher_id'}; leave it out where nothing is to be split",
        ),
        type(wanted).__name__,
    )


def _not_numeric(name: str) -> Fault:
    return Fault(
        _where(name),
        Text("不是数值列，没有组平均数", "it is not numeric and has no group mean"),
        Text(
            "请只拆分数值列；类别可先转成 0 和 1 的列，其组平均即为比例",
            "Split numeric columns only; turn a category into columns of 0 and 1 first, whose group means are shares",
        ),
    )


def _taken(part: str) -> Fault:
    return Fault(
        _where(part.rpartition("_")[0]),
        Text(f"表中已有名为 {part} 的列", f"the table has a column {part} already"),
        Text(
            "请去掉 within_between 直接用已有的列，或给已有的列改名",
            "Leave within_between out and use the column there is, or rename that column",
        ),
    )


def _unused(name: str) -> Fault:
    return Fault(
        _where(name),
        Text("公式中没有这一列", "the formula does not name it"),
        Text(f"请在公式中写 {name}", f"Write {name} in the formula"),
    )


def _inside(piece: str, name: str) -> Fault:
    return Fault(
        Text(f"公式中的“{piece}”", f"The piece {piece!r} of the formula"),
        Text(
            f"{name} 要拆成组内与组间两部分，不能出现在函数、算式或因变量里",
            f"{name} is to be split and cannot stand in a function, in arithmetic or in the outcome",
        ),
        Text(
            "请先把它算成一列，再拆分那一列",
            "Make the piece a column of the table first, then split that column",
        ),
    )


def _nameless(s: Split) -> Fault:
    return Fault(
        checks.argument("new"),
        Text(
            f"须有 {s.between} 一列：此模型保存时未含各组（groups=False），不知道组平均",
            f"needs the column {s.between}: this model was saved without its groups (groups=False), so without means",
        ),
        Text(f"请给出 {s.between}", f"Give {s.between}"),
    )
