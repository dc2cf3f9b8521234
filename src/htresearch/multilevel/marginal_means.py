"""Estimated marginal means: what the fixed part predicts for typical rows of each category, and their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from htresearch import checks
from htresearch.errors import ColumnError, Fault
from htresearch.language import Text, listing
from htresearch.multilevel.basis import basis_of
from htresearch.multilevel.design import Design, fixed_part
from htresearch.multilevel.inference import SOURCES, coefficient_table, means_of
from htresearch.result import TIDY, Estimates

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

WEIGHTS = ("equal", "proportional")
ADJUSTMENTS = ("holm", "tukey", "none")

SOURCE = "Searle, Speed & Milliken (1980), https://doi.org/10.1080/00031305.1980.10483031"


class MarginalMeans(Estimates):
    """Predicted outcomes: 0 is no value to compare them with, so `plot` draws no line there."""

    zero = False


def marginal_means(
    fit: MultilevelFit,
    by: str | Sequence[str],
    at: Mapping[str, object] | None = None,
    weights: str = "equal",
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    cluster: str | pd.Series | None = None,
    pairs: bool = False,
    p_adjust: str = "holm",
) -> Estimates:
    """Estimate the mean outcome of each category, all else held alike, or all differences between those means.

    The fixed part is evaluated on a grid: every combination of categories, numeric columns at their mean over the
    rows used; the categories that are not asked for are averaged over. True and false count as categories, and so
    do numbers in ``C()``.

    Parameters
    ----------
    by
        A column of the fixed part, or several: a row per combination. A numeric column needs values in `at`.
    at
        By column the value, or values, to hold it at instead: ``{"training_hours": [0, 20, 40]}``. Several values
        of a column that is not in `by` are averaged.
    weights
        Of the categories averaged over: ``"equal"``, as if all were equally frequent; ``"proportional"``, as
        frequent together as among the rows used.
    inference, conf_level, cluster
        As in `estimates`.
    pairs
        Whether to give all differences between two means instead.
    p_adjust
        Of the differences: ``"holm"``, p values by Holm's method, each interval for itself; ``"tukey"``, p values
        and intervals by the studentized range; ``"none"``.

    Returns
    -------
    Estimates
        A row per mean: term, the categories; estimate, std_error, df, statistic, p_value, conf_low, conf_high; a
        column per column of `by`, and n, the rows used that have these categories, where all of them are
        categories. Or a row per difference. A mean or difference that the data do not determine, because
        combinations of categories never occur, is missing and named in the note.

    Raises
    ------
    ColumnError
        If `by` or `at` names what is no column of the fixed part.
    ArgumentError
        If another argument is outside what it can be.

    References
    ----------
    Searle, S. R., Speed, F. M., & Milliken, G. A. (1980). Population marginal means in the linear model: an
    alternative to least squares means. The American Statistician, 34, 216-221.
    https://doi.org/10.1080/00031305.1980.10483031

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school, tier = np.repeat(np.arange(20), 15), rng.choice(["ordinary", "backbone", "chief"], 300)
    >>> score = 60 + 2.0 * (tier == "chief") + rng.normal(0, 3, 20)[school] + rng.normal(0, 5, 300)
    >>> frame = pd.DataFrame({"school_id": school, "tier": tier, "score": score})
    >>> fit = ht.fit_multilevel("score ~ tier + (1 | school_id)", frame)
    >>> fit.marginal_means("tier").tidy()["term"].tolist()
    ['backbone', 'chief', 'ordinary']
    >>> fit.marginal_means("tier", pairs=True).tidy()["term"].tolist()
    ['backbone - chief', 'backbone - ordinary', 'chief - ordinary']
    """
    checks.require(
        checks.one_of("weights", weights, WEIGHTS),
        checks.one_of("p_adjust", p_adjust, ADJUSTMENTS),
        checks.between("conf_level", conf_level, 0, 1, open_ends=True),
    )
    grid = _Grid.of(fit, [by] if isinstance(by, str) else list(by), dict(at or {}), weights)
    means, said = means_of(fit, inference, cluster)
    rows, wide, names = grid.averages(fit)
    if pairs:
        chosen = list(combinations(range(len(names)), 2))
        first, second = np.array(chosen, dtype=int).reshape(-1, 2).T
        rows, wide = rows[first] - rows[second], wide[first] - wide[second]
        terms = [f"{names[i]} - {names[j]}" for i, j in chosen]
    else:
        terms = names
    determined = _determined(fit.design, rows, wide)
    known = rows[determined]
    df = means.df(known) if len(known) else np.zeros(0)
    covariance = known @ means.covariance @ known.T
    found = coefficient_table(
        tuple(np.array(terms, dtype=object)[determined]), known @ means.solution.beta, covariance, df, conf_level
    )
    if pairs:
        found = _adjusted(found, p_adjust, len(names), conf_level)
    frame = found.set_index(np.flatnonzero(determined)).reindex(range(len(terms))).assign(term=terms)
    notes = [*grid.notes(), *_undetermined(terms, determined), *([_adjustment(p_adjust)] if pairs else [])]
    kind = Estimates if pairs else MarginalMeans
    source = "; ".join(s for s in (SOURCE, SOURCES[inference]) if s)
    told = tuple(np.array(terms, dtype=object)[determined])
    basis = basis_of(fit, told, known @ means.solution.beta, known, (*grid.by, "n"))
    shown = frame if pairs else grid.labelled(frame)
    return kind(shown, fit.glance(), (*fit.note, *said, *notes), source, basis=basis)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Every combination of the values that each column is held at.

    Attributes
    ----------
    design : Design
    by : list of str
    values : dict
        Of every column of the fixed part.
    given : dict
        Those that the caller chose.
    weights : str
    """

    design: Design
    by: list[str]
    values: dict[str, list]
    given: dict[str, list]
    weights: str

    @classmethod
    def of(cls, fit: MultilevelFit, by: list[str], at: dict[str, object], weights: str) -> _Grid:
        """Lay the grid out, the columns of `by` first."""
        columns, reference = fit.formula.fixed_columns, fit.design.reference
        checks.require(None if by and columns else _nothing(bool(columns)), error=ColumnError)
        checks.require(*checks.columns("by", by, columns), *checks.columns("at", at, columns), error=ColumnError)
        given = {name: _listed(values) for name, values in at.items()}
        checks.require(
            *[_no_values(name) for name in by if name in reference.means and name not in given],
            *[_no_value(name) for name, values in given.items() if not values],
            *[
                _unknown(name, value, reference.categories.get(name))
                for name, values in given.items()
                for value in values
                if not _fits(value, reference.categories.get(name))
            ],
        )
        typical = {name: [mean] for name, mean in reference.means.items()}
        order = dict.fromkeys([*by, *columns])
        values = {name: given.get(name) or typical.get(name) or reference.categories[name] for name in order}
        return cls(fit.design, list(dict.fromkeys(by)), values, given, weights)

    @property
    def averaged(self) -> list[str]:
        """The columns of categories that are averaged over."""
        return [n for n, v in self.values.items() if n not in self.by and n in self._categories and len(v) > 1]

    @property
    def _categories(self) -> dict[str, list]:
        return self.design.reference.categories

    @property
    def cells(self) -> pd.DataFrame:
        """A row per combination of the columns of `by`."""
        return pd.DataFrame(list(product(*(self.values[name] for name in self.by))), columns=self.by, dtype=object)

    @property
    def _inner(self) -> pd.DataFrame:
        """A row per combination of all other columns."""
        others = [name for name in self.values if name not in self.by]
        made = list(product(*(self.values[name] for name in others)))
        return pd.DataFrame(made, columns=others, index=range(len(made)), dtype=object)

    def _shares(self, inner: pd.DataFrame) -> np.ndarray:
        """Return the weight of each combination of the other columns."""
        if self.weights == "equal" or not self.averaged:
            return np.full(len(inner), 1 / len(inner))
        numbers = self.design.reference.numbers(inner[self.averaged]).astype(float)
        return numbers / numbers.sum() if numbers.any() else np.full(len(inner), np.nan)

    def averages(self, fit: MultilevelFit) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Return, for each cell, the weights of the coefficients, those of all columns of the formula, and a name."""
        cells, inner = self.cells, self._inner
        whole = cells.merge(inner, how="cross")
        for name in whole:
            whole[name] = self._typed(name, whole[name])
        design, count = self.design, len(self.design.names) + self.design.reference.aliases.shape[1]
        every = replace(design, names=("",) * count, kept=np.arange(count))
        columns = fit.formula.fixed_columns
        wide = fixed_part(every, whole if columns else whole.assign(**{"": 0}), columns)
        shares = self._shares(inner)
        used = shares > 0
        blocks = wide.reshape(len(cells), len(inner), count)[:, used]
        wide = np.einsum("i,cip->cp", shares[used], blocks) if used.any() else np.full((len(cells), count), np.nan)
        names = [", ".join(_written(value) for value in row) for row in cells.itertuples(index=False)]
        return wide[:, design.kept], wide, names

    def _typed(self, name: str, column: pd.Series) -> pd.Series:
        """Give a column of the grid the type that the fit saw."""
        known = self._categories.get(name)
        if known is None:
            return column.astype(float)
        if isinstance(known[0], str):
            return pd.Series(pd.Categorical(column, categories=known), index=column.index)
        return column.infer_objects()

    def labelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the columns of `by` and the rows used."""
        cells = self.cells
        for name in self.by:
            if name not in TIDY:
                frame = frame.assign(**{name: cells[name].infer_objects().to_numpy()})
        if all(name in self._categories for name in self.by):
            frame = frame.assign(n=self.design.reference.numbers(cells))
        return frame

    def notes(self) -> list[Text]:
        """Say where the columns are held and what is averaged over."""
        notes = []
        held = {n: v for n, v in self.values.items() if n not in self.by and n not in self.averaged}
        if held:
            where = listing(f"{name} = {listing(map(_written, values)).en}" for name, values in held.items())
            notes.append(
                Text(
                    "其他列取：{where}（数值列未指定时取所用各行的均值）。",
                    "Other columns are held at: {where} (numeric columns at their mean over the rows used unless "
                    "given).",
                ).format(where=where)
            )
        if self.averaged and self.weights == "equal":
            notes.append(
                Text("对 {names} 的各类别等权平均。", "Averaged over {names} with equal weights.").format(
                    names=listing(self.averaged)
                )
            )
        if self.averaged and self.weights == "proportional":
            notes.append(
                Text(
                    "对 {names} 的各类别（及其组合）按所用各行中的比例平均。",
                    "Averaged over {names} in proportion to how often the categories occur (together) in the rows "
                    "used.",
                ).format(names=listing(self.averaged))
            )
        return notes


def _determined(design: Design, rows: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """Tell which combinations the data determine: columns left out must enter as those kept say (Searle 1971)."""
    out = np.setdiff1d(np.arange(wide.shape[1]), design.kept)
    gap = wide[:, out] - rows @ design.reference.aliases
    size = 1 + np.abs(wide[:, out]) + np.abs(rows) @ np.abs(design.reference.aliases)
    return np.isfinite(rows).all(axis=1) & (np.abs(gap) <= 1e-7 * size).all(axis=1)


def _adjusted(frame: pd.DataFrame, method: str, means: int, conf_level: float) -> pd.DataFrame:
    """Adjust the differences of so many means for one another."""
    if method == "holm":
        return frame.assign(p_value=_holm(frame["p_value"].to_numpy()))
    if method == "none" or means < 3:
        return frame
    df, error = frame["df"].to_numpy(), frame["std_error"].to_numpy()
    p_value = stats.studentized_range.sf(np.sqrt(2) * np.abs(frame["statistic"].to_numpy()), means, df)
    # Equal degrees of freedom are looked up once: the inverse of the studentized range is slow.
    unique, at = np.unique(df, return_inverse=True)
    reach = (stats.studentized_range.ppf(conf_level, means, unique) / np.sqrt(2))[at] * error
    estimate = frame["estimate"]
    return frame.assign(p_value=p_value, conf_low=estimate - reach, conf_high=estimate + reach)


def _holm(p_value: np.ndarray) -> np.ndarray:
    """Return Holm's (1979) adjusted p values."""
    order = np.argsort(p_value)
    steps = np.maximum.accumulate(p_value[order] * np.arange(len(p_value), 0, -1))
    found = np.empty(len(p_value))
    found[order] = np.minimum(steps, 1.0)
    return found


def _adjustment(method: str) -> Text:
    return {
        "holm": Text(
            "p 值用 Holm 法对所有两两比较校正；区间未校正，各自成立。",
            "p values are adjusted for all pairs by Holm's method; intervals are not: each holds for itself.",
        ),
        "tukey": Text(
            "p 值与区间用 Tukey 法（学生化极差）对所有两两比较校正。",
            "p values and intervals are adjusted for all pairs by Tukey's method (studentized range).",
        ),
        "none": Text("p 值未对多次比较校正。", "p values are not adjusted for the number of comparisons."),
    }[method]


def _undetermined(terms: list[str], determined: np.ndarray) -> list[Text]:
    missing = [term for term, known in zip(terms, determined, strict=True) if not known]
    if not missing:
        return []
    return [
        Text(
            "有的类别组合没有出现，以下 {n} 项无法由数据确定：{terms}。",
            "Some combinations of categories do not occur, and the data do not determine these {n}: {terms}.",
        ).format(n=len(missing), terms=listing(missing))
    ]


def _listed(values: object) -> list:
    """Return each value once."""
    several = isinstance(values, Sequence | np.ndarray | pd.Series | pd.Index) and not isinstance(values, str)
    return list(dict.fromkeys(np.asarray(values).tolist() if several else [values]))


def _fits(value: object, known: list | None) -> bool:
    if known is not None:
        return value in known
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(value))


def _written(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _nothing(columns: bool) -> Fault:
    return Fault(
        checks.argument("by"),
        Text("没有列", "no column is named") if columns else Text("固定部分没有列", "the fixed part has no columns"),
        Text("请给固定部分中的一列或几列", "Name one or more columns of the fixed part"),
    )


def _no_values(name: str) -> Fault:
    return Fault(
        checks.argument("by"),
        Text(f"{name} 是数值列，没有类别", f"{name} is numeric and has no categories"),
        Text(f"请用 at={{'{name}': [值, …]}} 给出取值", f"Give values: at={{'{name}': [value, ...]}}"),
    )


def _no_value(name: str) -> Fault:
    return Fault(
        checks.argument("at"),
        Text(f"{name} 没有取值", f"there is no value of {name}"),
        Text("请至少给一个值", "Give one at least"),
    )


def _unknown(name: str, value: object, known: list | None) -> Fault:
    if known is None:
        return Fault(
            checks.argument("at"),
            Text(f"{name} 的取值须为有限的数", f"values of {name} must be finite numbers"),
            Text("请给数值", "Give numbers"),
            value,
        )
    return Fault(
        checks.argument("at"),
        Text(f"{name} 没有这个类别", f"{name} has no such category"),
        checks.suggestion(value, known) or Text("可选：{all}", "Choose from: {all}").format(all=listing(known)),
        value,
    )
