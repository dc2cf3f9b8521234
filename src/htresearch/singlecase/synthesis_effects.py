"""The effects that go into a synthesis: which can count, and who belongs to what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import ColumnError, Fault
from htresearch.language import Text, listing
from htresearch.result import Estimates

#: Effects and standard errors beyond these, other than 0, are none.
_SIZES = 1e-6, 1e9


@dataclass(frozen=True, eq=False)
class Effects:
    """Effects in cases in studies.

    Attributes
    ----------
    table : pandas.DataFrame
        study, case, estimate, std_error of each effect that counts.
    X : numpy.ndarray
        Intercept and moderators, named by `names`.
    S : numpy.ndarray
        Covariance of the sampling errors.
    levels : tuple of (str, numpy.ndarray)
        The levels whose variance can be estimated, the outermost first, each with the group of every effect.
    clusters : numpy.ndarray
        The study of each effect (its case, where there is one study).
    left_out : tuple of str
        The cases of which an effect could not count.
    """

    table: pd.DataFrame
    y: np.ndarray
    X: np.ndarray
    S: np.ndarray
    names: tuple[str, ...]
    levels: tuple[tuple[str, np.ndarray], ...]
    clusters: np.ndarray
    cluster_names: tuple[str, ...]
    left_out: tuple[str, ...]
    n_left_out: int
    without_study: bool

    @property
    def n_studies(self) -> int:
        """Studies with an effect that counts."""
        return int(self.table["study"].nunique())

    @property
    def n_cases(self) -> int:
        """Cases with an effect that counts."""
        return int(self.table.groupby(["study", "case"]).ngroups)

    def without(self, gone: np.ndarray) -> Effects | None:
        """Return the effects without some, nothing if too few are left to estimate anything."""
        kept = ~gone
        X = self.X[kept]
        if kept.sum() <= X.shape[1] or np.linalg.matrix_rank(X) < X.shape[1]:
            return None
        table = self.table[kept].reset_index(drop=True)
        levels, clusters, names = _grouping(table)
        return replace(
            self,
            table=table,
            y=self.y[kept],
            X=X,
            S=self.S[np.ix_(kept, kept)],
            levels=levels,
            clusters=clusters,
            cluster_names=names,
        )


def read_effects(
    frame: object,
    estimate: str,
    std_error: str,
    case: str,
    study: str | None,
    term: str | None,
    moderators: list[str],
    correlation: float,
) -> Effects:
    """Read the effects of one frame or several.

    Raises
    ------
    ColumnError, ArgumentError
    """
    whole = _together(frame)
    wanted = {"estimate": estimate, "std_error": std_error, "case": case}
    if study is not None:
        wanted["study"] = study
    if term is not None:
        wanted["term"] = "term"
    faults = [f for name, column in wanted.items() for f in checks.columns(name, [column], list(whole.columns))]
    if study is not None and study not in whole.columns:
        faults = [f for f in faults if f.where != checks.argument("study")] + [_no_study(study)]
    faults += checks.columns("moderators", moderators, list(whole.columns))
    checks.require(*faults, error=ColumnError)
    whole = _one_index(whole, term)
    checks.require(
        _no_numbers("estimate", estimate, whole[estimate]),
        _no_numbers("std_error", std_error, whole[std_error]),
        *[_gaps(name, column, whole[column]) for name, column in wanted.items() if name in ("case", "study")],
        *[_gaps("moderators", column, whole[column]) for column in moderators],
    )
    error = pd.to_numeric(whole[std_error]).astype(float)
    checks.require(_negative(std_error, error))
    value = pd.to_numeric(whole[estimate]).astype(float)
    names = whole[case].astype(str)
    studies = names if study is None else whole[study].astype(str)
    counts = (value.notna() & np.isfinite(value) & (error > 0) & np.isfinite(error)).to_numpy()
    checks.require(_too_few(int(counts.sum()), len(whole)) if counts.sum() < 2 else None)
    table = pd.DataFrame({"study": studies, "case": names, "estimate": value, "std_error": error})
    left = table[~counts]
    labels = tuple(dict.fromkeys(left["case"] if study is None else left["study"] + " " + left["case"]))
    table = table[counts].reset_index(drop=True)
    X, columns = _design(whole.loc[counts, moderators])
    levels, clusters, cluster_names = _grouping(table)
    return Effects(
        table,
        table["estimate"].to_numpy(),
        X,
        _sampling(table, correlation),
        columns,
        levels,
        clusters,
        cluster_names,
        labels,
        len(left),
        study is None,
    )


def _together(frame: object) -> pd.DataFrame:
    parts = [frame] if isinstance(frame, (pd.DataFrame, Estimates)) else frame
    if isinstance(parts, (list, tuple)):
        parts = [part.tidy() if isinstance(part, Estimates) else part for part in parts]
    right = isinstance(parts, (list, tuple)) and len(parts) > 0 and all(isinstance(p, pd.DataFrame) for p in parts)
    if not right:
        checks.require(
            Fault(
                checks.argument("frame"),
                Text("须为 DataFrame，或由 DataFrame 组成的列表", "must be a DataFrame or a list of DataFrames"),
                Text(
                    "每行一个效应：研究、个案、估计值、标准误", "Give a row per effect: study, case, estimate, error"
                ),
                type(frame).__name__,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _one_index(whole: pd.DataFrame, term: str | None) -> pd.DataFrame:
    """Keep one index: effects of different indices cannot be pooled."""
    if "term" not in whole:
        return whole
    known = list(dict.fromkeys(whole["term"].dropna().astype(str)))
    if term is None and len(known) > 1:
        checks.require(
            Fault(
                checks.argument("term"),
                Text(
                    "表中有几种指标，不同的指标不能合在一起",
                    "the frame holds several indices, which cannot be pooled with one another",
                ),
                Text("请选一种：{all}", "Choose one of: {all}").format(all=listing(known[:20])),
            )
        )
    if term is None:
        return whole
    checks.require(checks.one_of("term", term, known))
    return whole[whole["term"].astype(str) == term].reset_index(drop=True)


def _grouping(table: pd.DataFrame) -> tuple[tuple[tuple[str, np.ndarray], ...], np.ndarray, tuple[str, ...]]:
    """Return the levels that can be told apart, and clusters with their names.

    A level of one group is the mean itself; a level whose groups are those of the level within it is one level with
    it, and counts as the outer one, unless the inner ones are single effects of single studies.
    """
    studies = pd.factorize(table["study"])
    cases = pd.factorize(table["study"] + "\x00" + table["case"])
    n = len(table)
    found: list[tuple[str, np.ndarray]] = []
    for name, codes in (("study", studies[0]), ("case", cases[0]), ("effect", np.arange(n))):
        groups = codes.max() + 1
        if groups == 1 or (found and found[-1][1].max() + 1 == groups):
            continue
        found.append((name, codes))
    if studies[0].max() > 0:
        return tuple(found), studies[0], tuple(map(str, studies[1]))
    return tuple(found), cases[0], tuple(str(name).rpartition("\x00")[2] for name in cases[1])


def _sampling(table: pd.DataFrame, correlation: float) -> np.ndarray:
    error = table["std_error"].to_numpy()
    same = pd.factorize(table["study"] + "\x00" + table["case"])[0]
    S = correlation * (same[:, None] == same) * np.outer(error, error)
    np.fill_diagonal(S, error**2)
    return S


def _design(moderators: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    columns, names = [np.ones(len(moderators))], ["(Intercept)" if moderators.shape[1] else "mean"]
    for name in moderators:
        given = moderators[name]
        if pd.api.types.is_numeric_dtype(given) and not pd.api.types.is_bool_dtype(given):
            columns.append(given.to_numpy(dtype=float))
            names.append(str(name))
            continue
        known = sorted(given.astype(str).unique())
        for one in known[1:]:
            columns.append((given.astype(str) == one).to_numpy(dtype=float))
            names.append(f"{name}[T.{one}]")
    return np.column_stack(columns), tuple(names)


# --- refusals -------------------------------------------------------------------------------------------------------


def _no_study(study: str) -> Fault:
    return Fault(
        checks.argument("study"),
        Text(f"没有“{study}”这一列", f"there is no column {study!r}"),
        Text(
            "请写明每个个案属于哪项研究；每个个案就是一项研究的，请给 study=None",
            "Say which study each case belongs to; if every case is a study of its own, give study=None",
        ),
    )


def _no_numbers(name: str, column: str, values: pd.Series) -> Fault | None:
    bad = values[values.notna() & ~values.map(_is_number)]
    if bad.empty:
        return None
    return Fault(
        checks.argument(name),
        Text(
            f"列“{column}”有 {len(bad)} 个值不是像样的数",
            f"column {column!r} has {len(bad)} values that are no usable number",
        ),
        Text("请改正；没有的留空", "Correct them; leave empty what is not there"),
        str(bad.iloc[0]),
    )


def _is_number(value: object) -> bool:
    """Tell a number of a size that effects can have; text, an infinite one and 1e200 are none."""
    if isinstance(value, (str, bytes)) or not np.isscalar(value):
        return False
    try:
        return bool(value == 0 or _SIZES[0] < abs(float(value)) < _SIZES[1])
    except (TypeError, ValueError, OverflowError):
        return False


def _negative(column: str, error: pd.Series) -> Fault | None:
    bad = error[error < 0]
    if bad.empty:
        return None
    return Fault(
        checks.argument("std_error"),
        Text(f"列“{column}”有 {len(bad)} 个负值", f"column {column!r} has {len(bad)} negative values"),
        Text("标准误不会是负数，请核对是否用错了列", "A standard error is never negative: check the column"),
        float(bad.iloc[0]),
    )


def _gaps(name: str, column: str, values: pd.Series) -> Fault | None:
    count = int(values.isna().sum())
    if not count:
        return None
    return Fault(
        checks.argument(name),
        Text(f"列“{column}”有 {count} 行是空的", f"column {column!r} is empty in {count} rows"),
        Text("请补全", "Fill them in"),
    )


def _too_few(found: int, rows: int) -> Fault:
    return Fault(
        checks.argument("frame"),
        Text(
            f"至少要有两个带标准误的效应；{rows} 行中只有 {found} 个",
            f"at least two effects with a standard error are needed; of {rows} rows {found} have one",
        ),
        Text("请加入更多完成的研究", "Add finished studies"),
    )
