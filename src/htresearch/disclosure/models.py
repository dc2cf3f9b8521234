"""Models: whom each coefficient, and all of them together, rest on.

Nothing is decided by how a term is written. A coefficient is a weighted sum of outcomes, and the weights say whose
(`htresearch.multilevel.basis`): a dummy, an interaction or a trend that is one teacher's value is refused in any
coding. From all coefficients of a model anyone can compute predictions, so the predictions that rest on the fewest
are looked at as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.disclosure.labels import PERSONAL, is_identifying
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import Finding
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.multilevel.basis import Basis, Rows

#: The part of an outcome's squares below which what is left tells each value.
EXACT = 1e-3

_PERSONS = frozenset({"student", "teacher"})
_UNIT = {"student_id": "student", "teacher_id": "teacher", "class_id": "teacher", "school_id": "school"}
_RULE = {"student": "threshold", "teacher": "teachers", "school": "schools"}
_NAMED = {
    "student": Text("学生", "pupils"),
    "teacher": Text("教师", "teachers"),
    "school": Text("学校", "schools"),
}


def findings_of(
    bases: Sequence[Basis], rules: Rules, units: Mapping[str, object] | None = None
) -> tuple[list[str], list[Finding]]:
    """Return the terms of estimates, and what is wrong with each.

    Parameters
    ----------
    bases
        What the estimates rest on.
    rules
    units
        By ``"student"``, ``"teacher"``, ``"school"`` the unit of each row, a Series over the rows or an array of as
        many values, where the data have other columns than ``student_id``, ``teacher_id``, ``school_id``. Columns of
        those names count as well: the smaller number holds.
    """
    terms: list[str] = []
    findings: list[Finding] = []
    for basis in bases:
        at = len(terms)
        terms += _named(basis.terms, at)
        findings += [_identifying(at + i) for i, term in enumerate(basis.terms) if names_somebody(term)]
        if basis.rows is None:
            findings.append(_NO_ROWS)
            continue
        counted, faults = _counted(basis.rows, rules, units)
        findings += faults
        findings += _of_model(basis.rows, rules, counted)
        findings += [replace(f, cell=at + f.cell) for f in _of_terms(basis, rules, counted)]
        findings += _together(basis, rules, counted)
    findings += _apart([basis.rows for basis in bases if basis.rows is not None], rules, units)
    return terms or [str(Text("整个模型", "the whole model"))], findings


def thresholds(kinds: Sequence[str], rules: Rules) -> dict[str, int]:
    """Return how many units of each kind must stand behind a number; where no pupils are known, teachers are persons.

    Examples
    --------
    >>> from htresearch.disclosure import load_rules
    >>> thresholds(["student", "teacher"], load_rules("public")), thresholds(["teacher"], load_rules("public"))
    ({'student': 10, 'teacher': 3, 'school': 3}, {'teacher': 10, 'school': 3})
    """
    if "student" in kinds:
        return {"student": rules.threshold, "teacher": rules.teachers, "school": rules.schools}
    return {"teacher": max(rules.threshold, rules.teachers), "school": rules.schools}


def rests_on_enough(weights: np.ndarray, codes: np.ndarray, least: int, dominance: float) -> np.ndarray:
    """Tell of each sum of outcomes whether enough units stand behind it.

    Enough are as many equal shares as units are needed. Where units are of unequal size, enough are also as many
    units with a fifth of such a share, if the two largest don't dominate: the rule for the cells of a table.

    Examples
    --------
    >>> import numpy as np
    >>> three = np.sqrt([[0.5], [0.3], [0.2]])
    >>> rests_on_enough(three, np.array([0, 1, 2]), 3, 0.9), rests_on_enough(three, np.array([0, 1, 1]), 3, 0.9)
    (array([ True]), array([False]))
    """
    from htresearch.multilevel.basis import share_of_units

    share = share_of_units(weights, codes)
    squares = np.sum(share**2, axis=0)
    equal = np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0)
    two = np.sort(share, axis=0)[-2:].sum(axis=0)
    many = (np.count_nonzero(share >= 1 / (5 * least), axis=0) >= least) & (two < dominance) & (equal >= least / 2)
    return (equal >= least - 1e-6) | many


def names_somebody(term: str) -> bool:
    """Tell whether a term names a person: by what it says, or by being a value of a column of persons."""
    column = str(term).partition("[")[0].removeprefix("C(").partition(",")[0].strip(" `)")
    return is_identifying(term) or ("[" in str(term) and column in PERSONAL | {"class_id"})


def differing(one: Rows, other: Rows) -> dict[str, list[np.ndarray]] | None:
    """Return the rows that only one of two models has, on either side; ``None`` where rows cannot be told apart."""
    if not (one.index.is_unique and other.index.is_unique):
        return None
    sides = (~one.index.isin(other.index), ~other.index.isin(one.index))
    if sides[0].all():
        return {}
    return {"rows": [np.flatnonzero(side) for side in sides]}


def _named(terms: Sequence[str], at: int) -> list[str]:
    """Return names of terms that identify nobody."""
    hidden = Text("第 {n} 项", "term {n}")
    return [str(hidden.format(n=at + i + 1)) if names_somebody(t) else str(t) for i, t in enumerate(terms)]


def _counted(
    rows: Rows, rules: Rules, units: Mapping[str, object] | None
) -> tuple[list[tuple[str, int, np.ndarray]], list[Finding]]:
    """Return kind, threshold and codes of everything that is counted, and what cannot be."""
    given = {kind: _codes(values, rows) for kind, values in (units or {}).items()}
    unread = [kind for kind, codes in given.items() if codes is None or kind not in _RULE]
    known = dict.fromkeys([*rows.units, *(kind for kind in given if kind not in unread)])
    needed = thresholds(list(known), rules)
    counted = [(kind, needed[kind], codes) for kind, codes in rows.units.items() if kind in needed]
    counted += [(kind, needed[kind], codes) for kind, codes in given.items() if kind in needed and kind not in unread]
    findings = [_unread(kind) for kind in unread]
    if not _PERSONS & set(known):
        findings.append(_NO_PERSONS)
    findings += [_unknown_units(kind) for kind, least in needed.items() if least > 1 and kind not in known]
    return counted, findings


def _codes(values: object, rows: Rows) -> np.ndarray | None:
    """Return the unit of each row as codes; ``None`` where the values do not fit the rows."""
    if isinstance(values, pd.Series):
        if not (values.index.is_unique and rows.index.isin(values.index).all()):
            return None
        values = values.loc[rows.index]
    if np.ndim(values) != 1 or len(values) != rows.n:
        return None
    return pd.factorize(np.asarray(values), use_na_sentinel=False)[0]


def _of_model(rows: Rows, rules: Rules, counted: list[tuple[str, int, np.ndarray]]) -> list[Finding]:
    """Return what is wrong with a model as a whole."""
    findings = []
    if rows.residual_df < rules.residual_df:
        findings.append(_residual_df(rules.residual_df))
    if rows.unexplained < EXACT:
        findings.append(_EXACT)
    for kind, _, codes in counted:
        least = rules.residual_df if kind in _PERSONS else rules.schools
        if replace(rows, units={kind: codes}).df_between(kind) < least:
            findings.append(_saturated(kind, least))
    for column, size in rows.groups:
        least = rules.threshold if _UNIT.get(column) in _PERSONS else rules.schools
        if size < least:
            findings.append(_few_groups(column, least))
    return [*findings, *_two_valued(rows, rules, counted)]


def _two_valued(rows: Rows, rules: Rules, counted: list[tuple[str, int, np.ndarray]]) -> list[Finding]:
    """Refuse an outcome of two values that in some category too few persons have, or none, or all."""
    values = np.unique(rows.y)
    if len(values) != 2 or rules.zero_cells or not counted:
        return []
    codes = next(codes for kind, _, codes in counted if kind in _PERSONS) if _persons(counted) else None
    if codes is None:
        return []
    categories = [rows.X[:, j] != 0 for j in range(rows.X.shape[1]) if len(np.unique(rows.X[:, j])) == 2]
    for inside in [np.ones(rows.n, bool), *categories]:
        for value in values:
            if len(np.unique(codes[inside & (rows.y == value)])) < rules.threshold:
                return [_few_holders(rules.threshold)]
    return []


def _persons(counted: list[tuple[str, int, np.ndarray]]) -> bool:
    return any(kind in _PERSONS for kind, _, _ in counted)


def _of_terms(basis: Basis, rules: Rules, counted: list[tuple[str, int, np.ndarray]]) -> list[Finding]:
    """Return the terms that rest on too few."""
    findings = []
    for kind, least, codes in counted:
        enough = rests_on_enough(basis.weights, codes, least, rules.dominance)
        findings += [_few(i, kind, least) for i in np.flatnonzero(~enough)]
    return findings


def _together(basis: Basis, rules: Rules, counted: list[tuple[str, int, np.ndarray]]) -> list[Finding]:
    """Refuse coefficients from which a prediction follows that rests on too few."""
    weights = basis.patterns()[1]
    return [
        _combination(kind, least)
        for kind, least, codes in counted
        if weights.shape[1] and not rests_on_enough(weights, codes, least, rules.dominance).all()
    ]


def _apart(models: Sequence[Rows], rules: Rules, units: Mapping[str, object] | None) -> list[Finding]:
    """Refuse two models of one outcome whose rows differ by a few: their difference is those few."""
    findings = []
    for one, other in combinations(models, 2):
        if one is other or one.outcome != other.outcome:
            continue
        found = differing(one, other)
        if found is None:
            if 0 < abs(one.n - other.n) < rules.threshold:
                findings.append(_DIFFERENCE)
            continue
        for rows, side in zip((one, other), found.get("rows", ()), strict=False):
            counted, _ = _counted(rows, rules, units)
            few = [len(np.unique(codes[side])) < least for _, least, codes in counted]
            if len(side) and (any(few) or len(side) < rules.threshold):
                findings.append(_DIFFERENCE)
    return list(dict.fromkeys(findings))


# -- what is said ----------------------------------------------------------------------------------------------------

_FROM_ROWS = Text(
    "请用带有 student_id、teacher_id、school_id 的数据框拟合，或用 units= 给出各行所属。",
    "Fit it to a frame with student_id, teacher_id and school_id, or say by units= whose each row is.",
)
_NO_ROWS = Finding(
    None,
    "unknown",
    Text(
        "模型由惰性表拟合或由文件读入，没有带着数据行，查不出各项由哪些人得出。",
        "It was fitted to a lazy table or read from a file and has no rows: whom its terms rest on is unknown.",
    ),
    Text(
        "请用 frame= 给出拟合时的数据框，再检查一次；或用内存中的数据框重新拟合。",
        "Check it again with frame=, the data that it was fitted to; or fit it again to a frame in memory.",
    ),
)
_NO_PERSONS = Finding(None, "unknown", Text("不知道各行属于哪些人。", "Whose the rows are is not known."), _FROM_ROWS)
_EXACT = Finding(
    None,
    "exact",
    Text(
        "模型几乎一分不差地再现了因变量，由系数可以算出每个人的值。",
        "The model reproduces the outcome almost exactly: each value follows from the coefficients.",
    ),
    Text(
        "请减少项，或检查因变量是否由其他列算出。",
        "Use fewer terms, or see whether the outcome is made of other columns.",
    ),
)
_DIFFERENCE = Finding(
    None,
    "differencing",
    Text(
        "两个模型所用的行只差少数几个人，两者相减就是这几个人。",
        "Two models differ by the rows of a few: the difference of the models is those few.",
    ),
    Text("请用完全相同的行拟合各模型。", "Fit the models to the same rows."),
)


def _unread(kind: str) -> Finding:
    reason = Text(
        f"units 中的“{kind}”与模型的行对不上，或不是 student、teacher、school。",
        f"{kind!r} in units does not fit the model's rows, or is none of student, teacher, school.",
    )
    return Finding(None, "unknown", reason, _FROM_ROWS)


def _unknown_units(kind: str) -> Finding:
    who = _NAMED[kind]
    reason = Text(f"不知道涉及多少{who.zh}。", f"How many {who.en} stand behind it is not known.")
    return Finding(None, "unknown", reason, _FROM_ROWS)


def _few(cell: int, kind: str, least: int) -> Finding:
    who = _NAMED[kind]
    return Finding(
        int(cell),
        _RULE[kind],
        Text(f"这一项实际上只取决于少数几名（所）{who.zh}。", f"This term rests in effect on a few {who.en} alone."),
        Text(
            f"至少须相当于 {least} 个同等份额；请合并类别。",
            f"At least {least} of equal share are needed; join categories.",
        ),
    )


def _combination(kind: str, least: int) -> Finding:
    who = _NAMED[kind]
    return Finding(
        None,
        _RULE[kind],
        Text(
            f"由这些系数合起来，可以算出只取决于少数几名（所）{who.zh}的预测值。",
            f"From the coefficients together a prediction follows that rests on a few {who.en} alone.",
        ),
        Text(
            f"每个组合至少须相当于 {least} 个同等份额；请合并类别，或去掉交互项。",
            f"Behind every combination at least {least} of equal share are needed; join categories or drop products.",
        ),
    )


def _identifying(cell: int) -> Finding:
    return Finding(
        cell,
        "identifying",
        Text("这一项的名称能认出人。", "The name of this term tells who somebody is."),
        Text("请不要把人或班级当作类别。", "Do not use persons or classes as categories."),
    )


def _residual_df(least: int) -> Finding:
    return Finding(
        None,
        "residual_df",
        Text(
            "剩余自由度太少，模型接近于逐行照抄数据。",
            "Too few residual degrees of freedom: the model nearly copies the rows.",
        ),
        Text(f"至少须有 {least} 个；请减少项。", f"At least {least} are needed; use fewer terms."),
    )


def _saturated(kind: str, least: int) -> Finding:
    who = _NAMED[kind]
    return Finding(
        None,
        "residual_df",
        Text(
            f"描述{who.zh}的系数几乎与{who.zh}一样多，每一个都能还原。",
            f"There are nearly as many coefficients about {who.en} as {who.en}: each one follows.",
        ),
        Text(
            f"{who.zh}数至少须比系数多 {least}。", f"There must be at least {least} more {who.en} than coefficients."
        ),
    )


def _few_groups(column: str, least: int) -> Finding:
    return Finding(
        None,
        "groups",
        Text(
            f"随机效应的分组（{column}）太少，方差就是这几组的差别。",
            f"Too few groups ({column}) have a random effect: its variance is their difference.",
        ),
        Text(f"至少须有 {least} 组。", f"At least {least} are needed."),
    )


def _few_holders(least: int) -> Finding:
    return Finding(
        None,
        "two_values",
        Text(
            "因变量只有两个值，而在某一类别中，某个值几乎没有人有，或几乎人人都有。",
            "The outcome has two values, and in some category too few have one of them, or nearly all do.",
        ),
        Text(
            f"每个类别中，两个值都须至少有 {least} 人。",
            f"In every category at least {least} persons must have either.",
        ),
    )
