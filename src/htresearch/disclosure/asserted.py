"""Counts that come with a plain frame are what somebody says: whether they can be true at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from htresearch.disclosure import reasons
from htresearch.disclosure.labels import is_class
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import Finding
from htresearch.language import Text

#: Rows that stand for all others, as programs and people write them.
_TOTAL = re.compile(
    r"\(?(?:all|(?:grand |sub)?totals?|overall|margins?)\)?"
    r"|(?:总|合|小|共)计|总和|总体|全部|全体|全区|全县|全市|全校",
    re.IGNORECASE,
)
#: Whole numbers rounded in words or by 5 may be this far from adding up.
_ROUNDED = 5

_SCHOOLS = Text("学校比教师还多", "more schools than teachers")
_TEACHERS = Text("教师比学生还多", "more teachers than pupils")
_VALUES = Text("人数的合计比总人数还大", "more persons are shown than are said to stand behind them")
_ALIKE = Text("各组人数全都相同", "all groups have the same counts")
_PARTS = Text("总计小于各部分之和，或小于其中一部分", "a total is less than its parts together, or than one of them")
_MEAN = Text("总计的数值不在各部分之间", "the value of a total does not lie between those of its parts")
_SHARE = Text(
    "这么多人里，无论多少人，都得不出这样的百分比", "no number of so many persons makes such a share of them"
)
_SUM = Text("总计不等于各部分之和", "a total is not the sum of its parts")


def findings_on(
    behind: pd.DataFrame,
    labels: pd.DataFrame,
    shown: pd.DataFrame,
    statistic: str,
    rules: Rules,
    one_group: bool,
) -> Iterator[Finding]:
    """Give what is wrong with counts that somebody asserts.

    Parameters
    ----------
    behind
        The counts, a row per row.
    labels
        What says what each row is.
    shown
        The numbers that are shown.
    statistic, rules
    one_group
        Whether it is said that the same persons stand behind every row, as behind several variables of one group.
    """
    persons = behind["n_students" if "n_students" in behind else "n_teachers"].astype(float)
    yield from _impossible(behind, persons, shown, statistic)
    if statistic == "survival":
        return
    yield from _told_apart(labels, one_group)
    yield from _classes(labels, rules)
    if not one_group and len(behind) > 2 and (behind == behind.iloc[0]).all(axis=None):
        yield _inconsistent(None, _ALIKE)
    yield from _totals(labels, shown, persons, statistic, rules)


def _impossible(behind: pd.DataFrame, persons: pd.Series, shown: pd.DataFrame, statistic: str) -> Iterator[Finding]:
    orders = [("n_schools", "n_teachers", _SCHOOLS), ("n_teachers", "n_students", _TEACHERS)]
    broken = [(behind[a] > behind[b], why) for a, b, why in orders if a in behind and b in behind]
    if statistic == "count" and not shown.empty:
        broken.append((shown.sum(axis=1) > shown.shape[1] * persons, _VALUES))
        broken.append(((shown.gt(persons, axis=0)).any(axis=1), _VALUES))
    if statistic in ("percentage", "share"):
        of = 100.0 if statistic == "percentage" else 1.0
        broken += [(~_is_share(shown[column] / of, persons, of), _SHARE) for column in shown]
    for few, why in broken:
        for row in np.flatnonzero(few):
            yield _inconsistent(int(row), why)


def _is_share(shares: pd.Series, persons: pd.Series, of: float) -> pd.Series:
    """Tell of each share whether some number of the persons makes it, as far as it is written out.

    The test of granularity (Brown & Heathers 2017, doi:10.1177/1948550616673876): of 12 persons none are 30 %.
    """
    found = []
    for share, n in zip(shares, persons, strict=True):
        if not (np.isfinite(share) and n > 0):
            found.append(True)  # other rules look at these
            continue
        decimals = len(np.format_float_positional(share * of, precision=10, trim="-").partition(".")[2])
        room = 0.5 * 10.0**-decimals / of if decimals < 8 else 1e-7
        found.append(abs(round(share * n) / n - share) <= room * (1 + 1e-6) + 1e-12)
    return pd.Series(found, index=shares.index)


def _told_apart(labels: pd.DataFrame, one_group: bool) -> Iterator[Finding]:
    """Refuse rows that nothing tells apart: they may be persons."""
    if len(labels) < 2:
        return
    if labels.shape[1] == 0 or (labels.astype(str).duplicated().any() and not one_group):
        yield reasons.finding(None, "rows")


def _classes(labels: pd.DataFrame, rules: Rules) -> Iterator[Finding]:
    """Refuse rows that are classes: each is one teacher's, whatever counts are given."""
    if rules.teachers < 2:
        return
    for row, said in enumerate(labels.itertuples(index=False)):
        if any(is_class(text) for text in said) or "class_id" in labels:
            yield reasons.finding(row, "teachers", teachers=rules.teachers)


def _totals(
    labels: pd.DataFrame, shown: pd.DataFrame, persons: pd.Series, statistic: str, rules: Rules
) -> Iterator[Finding]:
    """Look at each row that stands for others beside those that it stands for."""
    for key in labels:
        total = labels[key].astype(str).str.strip().map(lambda said: bool(_TOTAL.fullmatch(said)))
        if not total.any() or total.all():
            continue
        others = [k for k in labels if k != key]
        group = labels[others].astype(str).agg("/".join, axis=1) if others else pd.Series("", index=labels.index)
        for rows in labels.groupby(group).groups.values():
            whole, parts = [r for r in rows if total[r]], [r for r in rows if not total[r]]
            for row in whole if parts else ():
                left = float(persons[row] - persons[parts].sum())
                if left < 0:
                    yield _inconsistent(int(row), _PARTS)
                elif 0 < left < rules.threshold:
                    yield reasons.finding(int(row), "incomplete")
                yield from _values(int(row), shown.loc[[row]].iloc[0], shown.loc[parts], statistic, left)


def _values(row: int, whole: pd.Series, parts: pd.DataFrame, statistic: str, left: float) -> Iterator[Finding]:
    """Compare a total with its parts, as far as they are all there."""
    for column in parts if left == 0 and parts.notna().all(axis=None) else ():
        value, those = float(whole[column]), parts[column].astype(float)
        if statistic == "count" and abs(value - those.sum()) > _ROUNDED * len(those):
            yield _inconsistent(row, _SUM)
        elif statistic in ("mean", "percentage", "share"):
            width = 0.01 * max(abs(those).max(), 1e-9)
            if not those.min() - width <= value <= those.max() + width:
                yield _inconsistent(row, _MEAN)


def _inconsistent(cell: int | None, why: Text) -> Finding:
    reason, needed = reasons.RULES["inconsistent"]
    return Finding(cell, "inconsistent", reason.format(why=why), needed)
