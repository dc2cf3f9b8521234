"""The three lines that are always told apart: naive, multilevel, within teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from htresearch import checks
from htresearch.errors import ColumnError, Fault, ModelError
from htresearch.language import Text, label, listing
from htresearch.multilevel.basis import Basis, Rows, units_of, who_of
from htresearch.multilevel.design import independent_columns
from htresearch.multilevel.engines import fit_multilevel
from htresearch.multilevel.formula import quoted
from htresearch.multilevel.inference import coefficient_table
from htresearch.result import Estimates

LINES = ("naive", "multilevel", "within")

_NOTE = (
    Text(
        "朴素：普通最小二乘，标准误按学校聚类，自由度为学校数减 1。",
        "Naive: ordinary least squares, standard errors clustered by school, degrees of freedom schools less 1.",
    ),
    Text(
        "多层：教师嵌套于学校的随机截距模型；标准误更准，但它不是用来去除偏差的：偏差可能变小，没有保证。",
        "Multilevel: random intercepts of teachers in schools; better standard errors, but no cure for bias, which "
        "may shrink without any guarantee.",
    ),
    Text(
        "同一教师：每位教师一个截距（与 Mundlak 加入教师均值的模型估计相同），只比较同一位教师的不同学期；"
        "标准误按学校聚类。前提是没有别的因素随学期变化、又同时影响这些条件与结果。",
        "Within teacher: an intercept for every teacher (the same estimate as Mundlak's model with teacher means), "
        "so that only terms of one teacher are compared; standard errors clustered by school. It assumes that "
        "nothing else that changes over terms drives both conditions and outcome.",
    ),
)
_CLUSTERED = "Cameron & Miller (2015), doi:10.3368/jhr.50.2.317"
_SOURCE = f"Mundlak (1978), doi:10.2307/1913646; {_CLUSTERED}"


def three_lines(
    frame: pd.DataFrame,
    outcome: str,
    exposures: Sequence[str],
    controls: Sequence[str] = (),
    teacher: str = "teacher_id",
    school: str = "school_id",
    conf_level: float = 0.95,
) -> Estimates:
    """Estimate the relation of exposures and outcome in three ways that must not be mixed up.

    Parameters
    ----------
    frame
        A row per class (or pupil) and term.
    outcome
        A numeric column.
    exposures, controls
        Numeric or categorical columns; a category enters as its difference from the first one. Term effects belong
        among the controls wherever outcomes are standardised within a term.
    teacher, school
        Columns of the groups. A teacher who moves counts anew in each school.
    conf_level
        Of the intervals.

    Returns
    -------
    Estimates
        For each exposure the lines ``"naive"``, ``"multilevel"`` and ``"within"`` in the column ``line``. An exposure
        that never changes within a teacher has no within line, and the note says so.

    Raises
    ------
    ColumnError
        If a column is missing or of a kind that cannot be used.
    ModelError
        If no exposure varies, there are fewer than two schools, or a model cannot be estimated.

    References
    ----------
    Mundlak, Y. (1978). Econometrica, 46, 69-85. https://doi.org/10.2307/1913646
    Cameron, A. C., & Miller, D. L. (2015). Journal of Human Resources, 50, 317-372.
    https://doi.org/10.3368/jhr.50.2.317

    Examples
    --------
    >>> import htresearch as ht
    >>> panel = ht.open_study("data/demo").class_terms(measure="maths")
    >>> lines = ht.multilevel.three_lines(panel, "score", ["training_hours"], controls=["term_id"])
    >>> lines.tidy()["line"].tolist()
    ['naive', 'multilevel', 'within']
    """
    data = _Data.of(frame, outcome, exposures, controls, {"teacher": teacher, "school": school}, conf_level)
    rows, x = data.rows, data.x
    naive = _clustered(rows[outcome], x.assign(**{"(Intercept)": 1.0}), rows[school], conf_level)
    multilevel, about, nested = _nested(rows, x, outcome, school, teacher, conf_level)
    within = _within(rows[outcome], x, rows[[school, teacher]], rows[school], conf_level)
    parts = [part[part["term"].isin(data.tested)] for part in (naive, multilevel, within)]
    counts = {"n_teachers": len(rows[[school, teacher]].drop_duplicates()), "n_schools": rows[school].nunique()}
    lines = pd.concat([p.assign(line=name, **counts) for name, p in zip(LINES, parts, strict=True)])
    order = {term: i for i, term in enumerate(data.tested)}
    lines = lines.sort_values("term", key=lambda t: t.map(order), kind="stable")
    unmoved = [term for term in data.tested if term not in set(parts[-1]["term"])]
    note = (*_NOTE, *about, *_unmoved(unmoved), *data.note)
    summary = pd.DataFrame({"n": [len(rows)], "left_out": [data.left_out], **{k: [v] for k, v in counts.items()}})
    named = {"teacher": rows[teacher], "school": rows[school]}
    whose = {
        "units": data.units | {kind: pd.factorize(ids)[0] for kind, ids in named.items()},
        "who": data.who.assign(**{kind: pd.Categorical(ids.astype(object)) for kind, ids in named.items()}),
        "index": data.index,
        "outcome": outcome,
    }
    plain = Rows(x.assign(**{"(Intercept)": 1.0}).to_numpy(float), rows[outcome].to_numpy(float), **whose)
    inside = _inside(rows[outcome], x, rows[[school, teacher]], whose)
    of_lines = (plain, list(x.columns)), (replace(nested, **whose), ["", *x.columns]), inside
    basis = tuple(_told(part, *line) for part, line in zip(parts, of_lines, strict=True) if len(part))
    return Estimates(lines, summary, note, _SOURCE, basis=basis)


def fixed_effects(
    frame: pd.DataFrame,
    outcome: str,
    exposures: Sequence[str],
    group: str,
    cluster: str,
    controls: Sequence[str] = (),
    conf_level: float = 0.95,
) -> Estimates:
    """Compare within groups only: ordinary least squares with an effect for every group.

    Parameters
    ----------
    frame
        A row per observation.
    outcome
        A numeric column.
    exposures
        Numeric or categorical columns; a category enters as its difference from the first one.
    group
        Column of the groups within which is compared, such as the school.
    cluster
        Column of the units within which errors go together, such as the class.
    controls
        Further columns, as `exposures`.
    conf_level
        Of the intervals.

    Returns
    -------
    Estimates
        A row per exposure that varies within groups, with CR1 standard errors and as many degrees of freedom as
        clusters less 1. Groups that lie within clusters do not count in the small-sample factor.

    Raises
    ------
    ColumnError
        If a column is missing or of a kind that cannot be used.
    ModelError
        If no exposure varies within a group, or there are fewer than two clusters.

    References
    ----------
    Cameron, A. C., & Miller, D. L. (2015). Journal of Human Resources, 50, 317-372.
    https://doi.org/10.3368/jhr.50.2.317

    Examples
    --------
    >>> import pandas as pd
    >>> from htresearch.multilevel import fixed_effects
    >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 3, 5, 8], "x": [0, 1, 2, 0, 1, 2], "school": list("aaabbb")})
    >>> fixed_effects(frame, "y", ["x"], group="school", cluster="school").tidy()["estimate"].tolist()
    [2.0]
    """
    data = _Data.of(frame, outcome, exposures, controls, {"group": group, "cluster": cluster}, conf_level)
    rows = data.rows
    table = _within(rows[outcome], data.x, rows[[group]], rows[cluster], conf_level)
    table = table[table["term"].isin(data.tested)]
    checks.require(None if len(table) else _no_variation(exposures), error=ModelError)
    groups, clusters = rows[group].nunique(), rows[cluster].nunique()
    note = Text(
        "{n} 行，只在 {groups} 个组（{group}）之内比较；标准误按 {cluster}（{clusters} 个）聚类。",
        "{n} rows, compared within {groups} groups ({group}) only; errors clustered by {cluster} ({clusters}).",
    ).format(n=len(rows), groups=groups, group=label(group), cluster=label(cluster), clusters=clusters)
    unmoved = [term for term in data.tested if term not in set(table["term"])]
    summary = pd.DataFrame(
        {"n": [len(rows)], "left_out": [data.left_out], "groups": [groups], "clusters": [clusters]}
    )
    whose = {"units": data.units, "who": data.who, "index": data.index, "outcome": outcome}
    inside = _inside(rows[outcome], data.x, rows[[group]], whose)
    note = (note, *_unmoved(unmoved), *data.note)
    return Estimates(table, summary, note, _CLUSTERED, basis=(_told(table, *inside),))


@dataclass(frozen=True, eq=False)
class _Data:
    """The complete rows, the columns that vary and say something of their own, and what was left out."""

    rows: pd.DataFrame
    x: pd.DataFrame
    tested: list[str]
    left_out: int
    note: tuple[Text, ...]
    units: dict[str, np.ndarray]
    who: pd.DataFrame
    index: pd.Index

    @classmethod
    def of(cls, frame, outcome, exposures, controls, groups, conf_level) -> _Data:
        controls = [c for c in dict.fromkeys(controls) if c not in exposures]
        given = {"outcome": [outcome], "exposures": exposures, "controls": controls}
        given |= {argument: [column] for argument, column in groups.items()}
        checks.require(
            *(
                f
                for argument, columns in given.items()
                for f in checks.columns(argument, columns, list(frame.columns))
            ),
            error=ColumnError,
        )
        checks.require(
            _not_a_number(outcome, frame[outcome]),
            *(_a_date(a, c, frame[c]) for a in ("exposures", "controls") for c in given[a]),
            error=ColumnError,
        )
        checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
        wanted = frame[list(dict.fromkeys(c for columns in given.values() for c in columns))]
        rows = wanted.dropna().reset_index(drop=True)
        rows[outcome] = rows[outcome].astype(float)
        tested, adjusted = _columns(rows, exposures), _columns(rows, controls)
        every = pd.concat([tested, adjusted], axis=1)
        kept = _own_say(every)
        checks.require(
            _few_clusters(*list(groups.items())[-1], rows),
            None if set(kept) & set(tested) else _no_variation(exposures),
            error=ModelError,
        )
        note = (*_counted(len(frame) - len(rows), wanted), *_dropped([c for c in every if c not in kept]))
        used = frame[wanted.notna().all(axis=1)]
        left_out, kept_tested = len(frame) - len(rows), [c for c in tested if c in kept]
        return cls(rows, every[kept], kept_tested, left_out, note, units_of(used), who_of(used), used.index)


def _columns(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return numeric columns as they are and categories as differences from the first."""
    parts = [pd.DataFrame(index=rows.index)]
    for name in names:
        values = rows[name]
        if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
            parts.append(values.astype(float))
        else:
            kept = values.astype("category").cat.remove_unused_categories()
            dummies = pd.get_dummies(kept, dtype=float).iloc[:, 1:]
            parts.append(dummies.set_axis([f"{name}[{c}]" for c in dummies.columns], axis=1))
    return pd.concat(parts, axis=1)


def _own_say(x: pd.DataFrame) -> list[str]:
    """Return the columns that are not constant and no combination of those before them."""
    with_constant = np.column_stack([np.ones(len(x)), x.to_numpy(float)])
    return [x.columns[i - 1] for i in independent_columns(with_constant) if i]


def _clustered(y: pd.Series, x: pd.DataFrame, clusters: pd.Series, level: float, absorbed: int = 0) -> pd.DataFrame:
    """Return ordinary least squares with CR1 standard errors and t on the number of clusters less 1.

    `absorbed` counts parameters that were taken out beforehand; they belong in the small-sample factor.
    """
    groups = {"groups": pd.factorize(clusters)[0]}
    fit = OLS(y.to_numpy(float), x.to_numpy(float)).fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    n, k = x.shape
    covariance = fit.cov_params() * (n - k) / (n - k - absorbed)
    df = np.full(k, float(fit.df_resid_inference))
    return coefficient_table(tuple(x.columns), fit.params, covariance, df, level)


def _within(y: pd.Series, x: pd.DataFrame, groups: pd.DataFrame, clusters: pd.Series, level: float) -> pd.DataFrame:
    """Return least squares within groups; terms that do not vary there are left out."""
    codes = groups.groupby(list(groups.columns), observed=True).ngroup()
    moving = _moving(x, codes)
    if moving.empty:
        return pd.DataFrame({"term": []})
    # Groups inside clusters do not count (Cameron & Miller 2015, section VI.A): the clusters carry their uncertainty.
    inside = clusters.groupby(codes).nunique().max() == 1
    absorbed = 0 if inside else codes.nunique()
    return _clustered(y - y.groupby(codes).transform("mean"), moving, clusters, level, absorbed)


def _moving(x: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    """Return what varies within groups, about the groups' means."""
    centred = x - x.groupby(codes).transform("mean")
    moving = centred.loc[:, centred.abs().max() > 1e-9 * x.std()]
    return moving.iloc[:, independent_columns(moving.to_numpy(float))]


def _inside(y: pd.Series, x: pd.DataFrame, groups: pd.DataFrame, whose: dict) -> tuple[Rows, list[str]]:
    """Return the rows about their groups' means, and the names of their columns; `whose` says whose they are."""
    codes = groups.groupby(list(groups.columns), observed=True).ngroup()
    moving = _moving(x, codes)
    y = y - y.groupby(codes).transform("mean")
    rows = Rows(moving.to_numpy(float), y.to_numpy(float), absorbed=codes.nunique(), **whose)
    return rows, list(moving)


def _told(table: pd.DataFrame, rows: Rows, names: list[str]) -> Basis:
    """Return what the terms of a table rest on."""
    told = np.zeros((len(table), rows.X.shape[1]))
    told[np.arange(len(table)), [names.index(term) for term in table["term"]]] = 1
    return Basis(tuple(table["term"]), table["estimate"].to_numpy(float), told, rows, ("line",))


def _nested(
    rows: pd.DataFrame, x: pd.DataFrame, outcome: str, school: str, teacher: str, level: float
) -> tuple[pd.DataFrame, tuple[Text, ...], Rows]:
    """Fit teachers in schools; columns travel under plain names, as their own may hold any character."""
    plain = {column: f"x{i}" for i, column in enumerate(x.columns)}
    formula = f"{quoted(outcome)} ~ {' + '.join(plain.values())} + (1 | {quoted(school)}/{quoted(teacher)})"
    fit = fit_multilevel(formula, pd.concat([rows[[outcome, school, teacher]], x.rename(columns=plain)], axis=1))
    named = {short: column for column, short in plain.items()}
    table = fit.tidy(conf_level=level).assign(term=lambda t: t["term"].map(named)).dropna(subset=["term"])
    return table, fit.note, fit.rows


def _not_a_number(outcome: str, values: pd.Series) -> Fault | None:
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return None
    return Fault(
        checks.argument("outcome"),
        Text(f"“{outcome}”不是数值列", f"{outcome!r} is not a numeric column"),
        Text("请换成数值列", "Take a numeric column"),
    )


def _a_date(argument: str, column: str, values: pd.Series) -> Fault | None:
    if not pd.api.types.is_datetime64_any_dtype(values):
        return None
    return Fault(
        checks.argument(argument),
        Text(f"“{column}”是日期", f"{column!r} is a date"),
        Text("请先换算成天数或年数", "Turn it into a number of days or years first"),
    )


def _few_clusters(argument: str, column: str, rows: pd.DataFrame) -> Fault | None:
    found = rows[column].nunique()
    if found > 1:
        return None
    return Fault(
        checks.argument(argument),
        Text(f"完整的行里“{column}”只有 {found} 个", f"the complete rows hold {found} of {column!r}"),
        Text(
            "聚类标准误至少要两个，实际上要几十个", "Clustered errors need at least two, and in earnest some dozens"
        ),
    )


def _no_variation(exposures: Sequence[str]) -> Fault:
    return Fault(
        checks.argument("exposures"),
        Text("没有一个变量在这里有变化", "none of them varies here"),
        Text("请换变量，或放宽样本", "Choose others, or widen the sample"),
        list(exposures),
    )


def _unmoved(terms: list[str]) -> list[Text]:
    if not terms:
        return []
    return [
        Text(
            "以下各项在组内从不变化，没有组内的估计：{terms}。",
            "No estimate within groups, where they never vary: {terms}.",
        ).format(terms=listing(label(t) for t in terms))
    ]


def _dropped(terms: list[str]) -> list[Text]:
    if not terms:
        return []
    return [
        Text(
            "以下各项不变化，或由其他各项决定，未放入模型：{terms}。",
            "Left out because they do not vary or are determined by the others: {terms}.",
        ).format(terms=listing(label(t) for t in terms))
    ]


def _counted(n: int, frame: pd.DataFrame) -> list[Text]:
    """Say how many rows were left out and which columns were empty there."""
    if not n:
        return []
    empty = frame.isna().sum()
    causes = listing(
        Text("{name} {n} 行", "{name} in {n}").format(name=label(c), n=k) for c, k in empty[empty > 0].items()
    )
    return [
        Text("有缺失而未计入 {n} 行：{causes}。", "Left out for missing values, {n} rows: {causes}.").format(
            n=n, causes=causes
        )
    ]
