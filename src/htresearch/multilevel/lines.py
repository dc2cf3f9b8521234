"""The three lines that are always told apart: naive, multilevel, within teacher."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import statsmodels.api as sm

from htresearch import checks
from htresearch.errors import ColumnError, Fault, ModelError
from htresearch.language import Text
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
        "多层：教师嵌套于学校的随机截距模型；标准误更准，偏差照旧。",
        "Multilevel: random intercepts of teachers in schools; better standard errors, the same bias.",
    ),
    Text(
        "同一教师：模型再加入各变量的教师均值（Mundlak），只比较同一位教师的不同学期；"
        "前提是没有别的因素随学期变化、又同时影响暴露与结果。",
        "Within teacher: the same model with each variable's teacher mean (Mundlak), so that only terms of one "
        "teacher are compared; it assumes that nothing else that changes over terms drives both of them.",
    ),
)
_SOURCE = "Mundlak (1978), doi:10.2307/1913646; Cameron & Miller (2015), doi:10.3368/jhr.50.2.317"


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
        Columns of the groups; teachers belong to schools.
    conf_level
        Of the intervals.

    Returns
    -------
    Estimates
        For each exposure the three lines, in the column ``line``: ``"naive"``, ``"multilevel"``, ``"within"``.

    Raises
    ------
    ColumnError
        If a column is missing.
    ModelError
        If no exposure varies, or a model cannot be estimated.

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
    wanted = [outcome, *exposures, *controls, teacher, school]
    checks.require(
        *checks.columns("exposures", wanted, list(frame.columns)),
        error=ColumnError,
    )
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    rows = frame[list(dict.fromkeys(wanted))].dropna().reset_index(drop=True)
    tested = _columns(rows, exposures)
    if tested.empty:
        checks.require(_no_variation(exposures), error=ModelError)
    variables = pd.concat([tested, _columns(rows, controls)], axis=1)
    base = rows[[outcome, teacher, school]]
    means = variables.groupby(rows[teacher], observed=True).transform("mean").add_suffix(" (mean)")

    constant = variables.assign(**{"(Intercept)": 1.0})
    naive = _clustered(rows[outcome], constant, rows[school], conf_level)
    multilevel = _nested(base, variables, outcome, school, teacher, conf_level)
    within = _nested(base, pd.concat([variables, means], axis=1), outcome, school, teacher, conf_level)
    parts = [part[part["term"].isin(tested.columns)] for part in (naive, multilevel, within)]
    counts = {f"n_{name}s": rows[column].nunique() for name, column in (("teacher", teacher), ("school", school))}
    lines = pd.concat([p.assign(line=name, **counts) for name, p in zip(LINES, parts, strict=True)])
    order = {term: i for i, term in enumerate(tested.columns)}
    lines = lines.sort_values("term", key=lambda t: t.map(order), kind="stable")
    left_out = len(frame) - len(rows)
    note = (*_NOTE, _counted(left_out, frame[list(dict.fromkeys(wanted))])) if left_out else _NOTE
    summary = pd.DataFrame({"n": [len(rows)], "left_out": [left_out], **{k: [v] for k, v in counts.items()}})
    return Estimates(lines, summary, note, _SOURCE)


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
    exposures, controls
        Numeric or categorical columns; a category enters as its difference from the first one.
    group
        Column of the groups within which is compared, such as the school.
    cluster
        Column of the units within which errors go together, such as the class.
    conf_level
        Of the intervals.

    Returns
    -------
    Estimates
        A row per exposure, with CR1 standard errors and as many degrees of freedom as clusters less 1.

    Raises
    ------
    ColumnError
        If a column is missing.
    ModelError
        If no exposure varies within a group.

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
    wanted = list(dict.fromkeys([outcome, *exposures, *controls, group, cluster]))
    checks.require(*checks.columns("exposures", wanted, list(frame.columns)), error=ColumnError)
    checks.require(checks.between("conf_level", conf_level, 0, 1, open_ends=True))
    rows = frame[wanted].dropna().reset_index(drop=True)
    numbers = pd.concat([_columns(rows, [*exposures, *controls]), rows[[outcome]].astype(float)], axis=1)
    centred = numbers - numbers.groupby(rows[group], observed=True).transform("mean")
    x = centred.drop(columns=outcome)
    x = x.loc[:, x.abs().max() > 1e-9]
    tested = [column for column in _columns(rows, exposures) if column in x]
    if not tested:
        checks.require(_no_variation(exposures), error=ModelError)
    groups, clusters = rows[group].nunique(), rows[cluster].nunique()
    table = _clustered(centred[outcome], x, rows[cluster], conf_level, absorbed=groups)
    note = Text(
        "{n} 行，只在 {groups} 个组（{group}）之内比较；标准误按 {cluster}（{clusters} 个）聚类。",
        "{n} rows, compared within {groups} groups ({group}) only; errors clustered by {cluster} ({clusters}).",
    ).format(n=len(rows), groups=groups, group=group, cluster=cluster, clusters=clusters)
    left_out = len(frame) - len(rows)
    summary = pd.DataFrame({"n": [len(rows)], "left_out": [left_out], "groups": [groups], "clusters": [clusters]})
    notes = (note, _counted(left_out, frame[wanted])) if left_out else (note,)
    return Estimates(table[table["term"].isin(tested)], summary, notes, _SOURCE.split("; ")[1])


def _columns(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return numeric columns as they are and categories as differences from the first, without constant ones."""
    parts = []
    for name in names:
        values = rows[name]
        if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
            parts.append(values.astype(float))
        else:
            kept = values.astype("category").cat.remove_unused_categories()
            dummies = pd.get_dummies(kept, dtype=float).iloc[:, 1:]
            parts.append(dummies.set_axis([f"{name}[{c}]" for c in dummies.columns], axis=1))
    joined = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=rows.index)
    return joined.loc[:, joined.max() > joined.min()]


def _no_variation(exposures: Sequence[str]) -> Fault:
    return Fault(
        checks.argument("exposures"),
        Text("没有一个变量在这些数据中有变化", "none of them varies in these data"),
        Text("请换变量，或放宽样本", "Choose others, or widen the sample"),
        list(exposures),
    )


def _clustered(y: pd.Series, x: pd.DataFrame, clusters: pd.Series, level: float, absorbed: int = 0) -> pd.DataFrame:
    """Return ordinary least squares with CR1 standard errors and t on the number of clusters less 1.

    `absorbed` counts parameters that were taken out beforehand; they belong in the small-sample factor.
    """
    groups = {"groups": pd.factorize(clusters)[0]}
    fit = sm.OLS(y.to_numpy(float), x.to_numpy(float)).fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    n, k = x.shape
    covariance = fit.cov_params() * (n - k) / (n - k - absorbed)
    df = np.full(k, float(fit.df_resid_inference))
    return coefficient_table(tuple(x.columns), fit.params, covariance, df, level)


def _nested(
    base: pd.DataFrame, x: pd.DataFrame, outcome: str, school: str, teacher: str, level: float
) -> pd.DataFrame:
    """Fit teachers in schools; columns travel under plain names, as their own may hold any character."""
    plain = {column: f"x{i}" for i, column in enumerate(x.columns)}
    fixed = " + ".join(plain.values())
    formula = f"{quoted(outcome)} ~ {fixed} + (1 | {quoted(school)}/{quoted(teacher)})"
    fit = fit_multilevel(formula, pd.concat([base, x.rename(columns=plain)], axis=1))
    named = {short: column for column, short in plain.items()}
    return fit.tidy(conf_level=level).assign(term=lambda t: t["term"].map(named)).dropna(subset=["term"])


def _counted(n: int, frame: pd.DataFrame) -> Text:
    """Say how many rows were left out and which columns were empty there."""
    from htresearch.language import label, listing

    empty = frame.isna().sum()
    causes = listing(
        Text("{name} {n} 行", "{name} in {n}").format(name=label(c), n=k) for c, k in empty[empty > 0].items()
    )
    return Text("有缺失而未计入 {n} 行：{causes}。", "Left out for missing values, {n} rows: {causes}.").format(
        n=n, causes=causes
    )
