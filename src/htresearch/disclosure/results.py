"""What the analyses return: checked by what it rests on, and refused where that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.disclosure.check import register
from htresearch.disclosure.labels import any_identifying
from htresearch.disclosure.models import findings_of
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.language import Text
from htresearch.result import TIDY, Estimates

if TYPE_CHECKING:
    from htresearch.multilevel.basis import Basis
    from htresearch.multilevel.compare import Comparison
    from htresearch.multilevel.fit import MultilevelFit
    from htresearch.multilevel.model_table import ModelTable
    from htresearch.multilevel.variance_intervals import VarianceIntervals

#: Columns of a result that say nothing of their own about anybody.
_PLAIN = frozenset({*TIDY, "line", "model", "effect", "group", "df_numerator"})
#: What a fit says of all rows together.
OF_ALL = ("tidy", "glance", "variance_components", "variance_intervals", "icc", "r_squared", "plot")
#: What it says of each group.
OF_GROUPS = ("random_effects", "caterpillar", "influence", "influence_plot")
#: What it says of each row.
OF_ROWS = ("residuals", "predict", "level_residuals", "diagnostics")

INTERNAL = Text("内部使用，不得外传。", "For internal use; not to be passed on.")


@register(Estimates, "htresearch.multilevel.marginal_means.MarginalMeans")
def check_estimates(result: Estimates, rules: Rules, units: Mapping[str, object] | None = None) -> Verdicts:
    """Check estimates of a model; see `findings_of`.

    Parameters
    ----------
    units
        Whose each row is, where the data have other columns than ``student_id``, ``teacher_id``, ``school_id``.
    """
    known = type(result) is Estimates or type(result).__module__ == "htresearch.multilevel.marginal_means"
    if not known or not result.basis:
        return refused(rules, "regression", type(result).__name__, _NO_BASIS)
    terms, findings = findings_of(result.basis, rules, units)
    findings += _shown(result.frame, result.basis)
    findings += _said(result)
    return decide(terms, findings, rules, kind="regression", method=type(result).__name__, note=marks(rules))


@register("htresearch.multilevel.fit.MultilevelFit")
def check_fit(
    fit: MultilevelFit,
    rules: Rules,
    part: str = "tidy",
    group: str | None = None,
    units: Mapping[str, object] | None = None,
    before: Sequence[MultilevelFit] = (),
    frame: pd.DataFrame | None = None,
) -> Verdicts:
    """Check a multilevel model, or a part of what it says.

    Parameters
    ----------
    part
        What is to leave: ``"tidy"`` and all else that is about all rows together; ``"random_effects"``,
        ``"caterpillar"``, ``"influence"``, ``"residuals"``, ``"predict"`` … are about single groups or rows.
    group
        The level that random effects or influence are of.
    units
        As in `check_estimates`.
    before
        Models that have left already: one whose rows differ by a few persons gives those away.
    frame
        The data that it was fitted to, for a model that has no rows at hand: one that was fitted to a lazy table, or
        read from a file. That they are the same is seen from the coefficients, which must follow from them.
    """
    if part in OF_GROUPS or part in OF_ROWS:
        return _single(fit, rules, part, group)
    if part not in OF_ALL:
        return refused(rules, "regression", str(part), _UNKNOWN_PART)
    bases = bases_of_fits([fit, *before], frame)
    if not bases:
        return refused(rules, "regression", "multilevel", _OTHER_ROWS)
    terms, findings = findings_of(bases, rules, units)
    own = len(fit.design.names)
    kept = [f for f in findings if f.cell is None or f.cell < own]
    return decide(terms[:own], kept, rules, kind="regression", method="multilevel", note=marks(rules))


@register(
    "htresearch.multilevel.model_table.ModelTable",
    "htresearch.multilevel.compare.Comparison",
    "htresearch.multilevel.variance_intervals.VarianceIntervals",
)
def check_models(
    result: ModelTable | Comparison | VarianceIntervals, rules: Rules, units: Mapping[str, object] | None = None
) -> Verdicts:
    """Check what several models, or the variances of one, say; the arguments are those of `check_estimates`."""
    if not result.basis:
        return refused(rules, "regression", type(result).__name__, _NO_BASIS)
    terms, findings = findings_of(result.basis, rules, units)
    if "effect" in result.frame:
        findings += _shown(result.frame[result.frame["effect"] == "fixed"], result.basis)
    return decide(terms, findings, rules, kind="regression", method=type(result).__name__, note=marks(rules))


@register("htresearch.scales.rows.Rows", "htresearch.scales.lavaan.LavaanScript")
def check_rows(result: object, rules: Rules) -> Verdicts:
    """Refuse what has a row per respondent: scores, careless answering, answers beside a script."""
    return refused(rules, "table", type(result).__name__, _MICRODATA)


@register("htresearch.multilevel.planned_study.PlannedStudy", "htresearch.singlecase.power.SimulatedPower")
def check_plan(result: Estimates, rules: Rules) -> Verdicts:
    """Let plans pass: they are computed from assumptions, not from data."""
    note = (Text("由假定算出，不含数据。", "Computed from assumptions; no data enter."), *marks(rules))
    terms = [str(term) for term in result.frame["term"]] if "term" in result.frame else []
    rows = terms or [str(i + 1) for i in range(len(result.frame))]
    return decide(rows, [], rules, kind="plan", method=type(result).__name__, note=note)


@register(
    "statsmodels.regression.linear_model.RegressionResultsWrapper",
    "statsmodels.genmod.generalized_linear_model.GLMResultsWrapper",
)
def check_statsmodels(
    result: object, rules: Rules, frame: pd.DataFrame | None = None, units: Mapping[str, object] | None = None
) -> Verdicts:
    """Check a regression that statsmodels fitted: OLS, WLS or GLM.

    Parameters
    ----------
    frame
        The data, with ``student_id``, ``teacher_id``, ``school_id`` and the index of the rows that were used.
    units
        As in `check_estimates`.
    """
    from htresearch.disclosure.foreign import basis_of_statsmodels

    basis, faults = basis_of_statsmodels(result, frame)
    if basis is None:
        return refused(rules, "regression", type(result).__name__, faults[0])
    terms, findings = findings_of([basis], rules, units)
    method = type(result.model).__name__
    return decide(terms, [*faults, *findings], rules, kind="regression", method=method, note=marks(rules))


@register("sklearn.base.BaseEstimator")
def check_learner(result: object, rules: Rules) -> Verdicts:
    """Refuse a fitted learner: what it keeps of the rows it was trained on is not known."""
    return refused(rules, "model", type(result).__name__, _LEARNER)


def bases_of_fits(fits: Sequence[MultilevelFit], frame: pd.DataFrame | None = None) -> tuple[Basis, ...]:
    """Return what the coefficients of models rest on, the first with the rows of a frame where it has none.

    Nothing where its coefficients do not follow from that frame.
    """
    from htresearch.multilevel.basis import basis_of

    first, *others = fits
    if first.rows is None and frame is not None:
        first = _with_rows(first, frame)
    if first is None:
        return ()
    return tuple(
        basis_of(f, f.design.names, f.solution.beta, np.eye(len(f.design.names)))[0] for f in (first, *others)
    )


def refused(rules: Rules, kind: str, method: str, finding: Finding) -> Verdicts:
    """Return the verdict on an output that may not leave as a whole."""
    return decide([str(Text("整个输出", "the whole output"))], [finding], rules, kind=kind, method=method)


def marks(rules: Rules) -> tuple[Text, ...]:
    """Return what must stand on the page."""
    return (INTERNAL,) if rules.mark else ()


def _with_rows(fit: MultilevelFit, frame: pd.DataFrame) -> MultilevelFit | None:
    """Return a model with the rows of a frame, or ``None`` where its coefficients do not follow from them."""
    from htresearch.multilevel.design import build_design

    checks.require(checks.data_frame("frame", frame))
    design = build_design(fit.formula, frame, crossed=fit.design.crossed)
    if design.names != fit.design.names:
        return None
    found = replace(fit, design=design)
    told, given = found.rows.of_coefficients.T @ design.y, np.asarray(fit.solution.beta)
    return found if np.allclose(told, given, rtol=1e-6, atol=1e-7 * np.abs(given).max()) else None


def _single(fit: MultilevelFit, rules: Rules, part: str, group: str | None) -> Verdicts:
    """Decide on what is said of each group or row: persons in public; inside a school all but pupils."""
    columns = {level.name: level.columns[-1] for level in fit.design.levels}
    about = columns.get(group, group) if group is not None else None
    if part in OF_ROWS:
        rows = fit.rows
        pupils = rows is None or "student" in rows.units or not rows.units
    else:
        pupils = about is None or about not in ("teacher_id", "class_id", "school_id", "zone_id")
    if rules.mark and not pupils:
        return decide([part], [], rules, kind="regression", method=part, note=marks(rules))
    return refused(rules, "regression", part, _PUPILS if rules.mark else _SINGLE)


def _shown(frame: pd.DataFrame, bases: Sequence[Basis]) -> list[Finding]:
    """Refuse estimates and columns that are not the ones whose basis was looked at."""
    known = _PLAIN.union(*(basis.extra for basis in bases))
    findings = [_UNKNOWN_COLUMN] if set(frame.columns) - known else []
    told = np.concatenate([basis.estimates for basis in bases])
    if "estimate" in frame:
        shown = frame["estimate"].dropna().to_numpy(float)
        near = [np.isclose(told, value, rtol=1e-6, atol=1e-9 * np.abs(told).max(initial=0)).any() for value in shown]
        findings += [] if all(near) else [_UNEXAMINED]
    return findings


def _said(result: Estimates) -> list[Finding]:
    """Refuse labels and notes that identify somebody."""
    texts = [text for note in result.note for text in (note.zh, note.en)]
    words = result.frame.select_dtypes(exclude="number")
    return [_NAMES] if any_identifying(texts) or any_identifying(words.to_numpy().ravel()) else []


# -- what is said ----------------------------------------------------------------------------------------------------

_NO_BASIS = Finding(
    None,
    "unknown",
    Text("这个结果没有记下由哪些人得出。", "This result does not keep whom it rests on."),
    Text(
        "请检查由 fit_multilevel、three_lines 等直接返回的结果；汇总表请用 tabulate 生成。",
        "Check what fit_multilevel, three_lines and the like return; make tables by tabulate.",
    ),
)
_OTHER_ROWS = Finding(
    None,
    "unknown",
    Text(
        "由 frame 的各行得不出这个模型的系数：不是拟合时的数据，或拟合时加了权。",
        "The coefficients do not follow from the rows of frame: it was fitted to others, or with weights.",
    ),
    Text(
        "请给出拟合时用的那些行；加权的模型请用内存中的数据框重新拟合。",
        "Give the very rows that it was fitted to; fit a weighted model again to a frame in memory.",
    ),
)
_UNKNOWN_PART = Finding(
    None,
    "unknown",
    Text("不认识要公开的这一部分。", "What part of the model is to leave is not known."),
    Text("请用 part= 写明，例如 'tidy'。", "Say it by part=, such as 'tidy'."),
)
_UNKNOWN_COLUMN = Finding(
    None,
    "unknown",
    Text("结果里多出了来历不明的列。", "The result has columns of unknown origin."),
    Text("请只公开分析本身给出的列。", "Publish only the columns that the analysis gives."),
)
_UNEXAMINED = Finding(
    None,
    "unknown",
    Text("有的估计值不是所检查的模型给出的。", "Some estimates are not those of the model that was examined."),
    Text(
        "请检查分析返回的结果本身，不要改动数值。",
        "Check the result that the analysis returned, its numbers unchanged.",
    ),
)
_MICRODATA = Finding(
    None,
    "microdata",
    Text("每行是一个人，或附有逐人的数据。", "It has a row per person, or holds such rows."),
    Text("请只公开汇总：用 tabulate 生成表格。", "Publish summaries only: make a table by tabulate."),
)
_LEARNER = Finding(
    None,
    "unknown",
    Text(
        "机器学习模型会留下训练数据的痕迹，无法检查。",
        "A learner keeps traces of the rows it was trained on and cannot be checked.",
    ),
    Text("请公开用 tabulate 算出的准确度，不要公开模型。", "Publish how well it does, by tabulate; not the model."),
)
_SINGLE = Finding(
    None,
    "persons",
    Text("这是逐人、逐班或逐校的值。", "These are values of single persons, classes or schools."),
    Text("请公开方差，或公开足够多的人合起来的平均值。", "Publish the variance, or means of enough of them."),
)
_PUPILS = Finding(
    None,
    "persons",
    Text(
        "这是逐个学生的值，内部也不可传阅。",
        "These are values of single pupils, not to be passed round inside either.",
    ),
    Text(
        "请用 group= 写明是教师、班级还是学校；学生的值不要给出。",
        "Say by group= that it is teachers, classes or schools; not pupils.",
    ),
)
_NAMES = Finding(
    None,
    "identifying",
    Text("名称或说明里有能认出人的内容。", "Labels or notes hold what tells who somebody is."),
    Text("请去掉。", "Take it out."),
)
