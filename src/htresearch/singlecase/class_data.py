"""Pupils of classes that are to be compared, read once: before, after, group, stratum, class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault, ModelError
from htresearch.language import Text, listing
from htresearch.singlecase.series import read_values
from htresearch.singlecase.stretches import too_large, twice


@dataclass(frozen=True, eq=False)
class Classes:
    """The pupils that have all that is needed.

    Attributes
    ----------
    pre, post : numpy.ndarray
        Before and after.
    group, stratum, cluster : numpy.ndarray
        Of each pupil, as words; one stratum, and the group for a class, where none are given.
    control : str
        The group the others are compared with.
    treated : tuple of str
        The others, in order.
    left_out : dict
        How many pupils of each group lack a value.
    clustered : bool
        Whether classes were named.
    """

    pre: np.ndarray
    post: np.ndarray
    group: np.ndarray
    stratum: np.ndarray
    cluster: np.ndarray
    control: str
    treated: tuple[str, ...]
    left_out: dict[str, int]
    clustered: bool

    @property
    def groups(self) -> tuple[str, ...]:
        """The comparison group, then the others."""
        return (self.control, *self.treated)

    @property
    def strata(self) -> list[str]:
        """The strata in order."""
        return sorted(set(self.stratum))

    def classes_of(self, group: str) -> int:
        """Return how many classes a group has."""
        return len(set(self.cluster[self.group == group]))

    @property
    def several(self) -> bool:
        """Whether every group has two classes or more."""
        return self.clustered and all(self.classes_of(group) > 1 for group in self.groups)

    def pair(self, treated: str) -> Classes:
        """Return the pupils of one group and of the comparison group."""
        kept = np.isin(self.group, (self.control, treated))
        parts = (part[kept] for part in (self.pre, self.post, self.group, self.stratum, self.cluster))
        return Classes(*parts, self.control, (treated,), self.left_out, self.clustered)

    @property
    def dummies(self) -> np.ndarray:
        """A column for each group but the comparison group."""
        return np.column_stack([(self.group == group).astype(float) for group in self.treated])

    @property
    def constants(self) -> np.ndarray:
        """The intercept, and a column for each stratum but the first."""
        return np.column_stack(
            [np.ones(len(self.post)), *((self.stratum == s).astype(float) for s in self.strata[1:])]
        )

    @property
    def covariates(self) -> np.ndarray:
        """What groups are made alike in: strata, and where each pupil started."""
        return np.column_stack([self.constants, self.pre])


def read_classes(
    frame: pd.DataFrame, pre: str, post: str, group: str, control: object, strata: str | None, cluster: str | None
) -> Classes:
    """Read the pupils, or refuse them with all that is wrong."""
    if not isinstance(frame, pd.DataFrame):
        checks.require(_no_frame(frame))
    asked = {"pre": pre, "post": post, "group": group, "strata": strata, "cluster": cluster}
    named = {name: column for name, column in asked.items() if column is not None}
    checks.require(*(f for name, column in named.items() for f in checks.columns(name, [column], frame.columns)))
    checks.require(*(twice(frame, column) for column in dict.fromkeys(named.values())))
    values, faults = {}, []
    for name in ("pre", "post"):
        values[name], fault = read_values(name, frame[named[name]].astype(object).tolist(), 0)
        faults.append(fault or too_large(name, values[name]))
    checks.require(*faults, None if len(frame) else _too_few("", 0))
    words = {name: _words(frame[named[name]]) for name in ("group", "strata", "cluster") if name in named}
    whole = ~np.isnan(values["pre"]) & ~np.isnan(values["post"])
    for column in words.values():
        whole &= column != ""
    known = list(dict.fromkeys(g for g in words["group"] if g))
    base, fault = _control(frame[group], known, control)
    checks.require(fault)
    labels = words["group"][whole]
    lost = {g: int(((words["group"] == g) & ~whole).sum()) for g in known}
    if unnamed := int((words["group"] == "").sum()):
        lost[""] = unnamed
    found = Classes(
        values["pre"][whole],
        values["post"][whole],
        labels,
        words["strata"][whole] if "strata" in words else np.full(len(labels), "", dtype=object),
        words["cluster"][whole] if "cluster" in words else labels,
        base,
        tuple(g for g in known if g != base),
        {g: n for g, n in lost.items() if n},
        "cluster" in words,
    )
    checks.require(*(_too_few(g, int((labels == g).sum())) for g in known), *_twice(found), error=ModelError)
    checks.require(_flat("pre", found.pre), _flat("post", found.post), error=ModelError)
    return found


def _words(column: pd.Series) -> np.ndarray:
    """Return values as words, an empty one where missing; 1.0 and 1 are the same."""
    return np.array(
        ["" if pd.isna(v) else f"{v:g}" if isinstance(v, float) else str(v).strip() for v in column], object
    )


def _control(column: pd.Series, known: list[str], control: object) -> tuple[str, Fault | None]:
    """Return the comparison group: the one named, or the one that is 0 or false."""
    if len(known) < 2:
        return "", Fault(
            checks.argument("group"),
            Text("至少要有两组", "there must be two groups at least"),
            Text("请给出做法不同的两组学生", "Give pupils of two groups that were treated differently"),
            known[0] if known else None,
        )
    if control is not None:
        asked = f"{control:g}" if isinstance(control, float) else str(control).strip()
        return asked, checks.one_of("control", asked, known)
    for pair in ({"0", "1"}, {"False", "True"}):
        if set(known) == pair:
            return min(pair), None
    return "", Fault(
        checks.argument("control"),
        Text("没有写明与哪一组相比", "it is not said which group the others are compared with"),
        Text("请写明，可选：{all}", "Name it, one of {all}").format(all=listing(known)),
    )


def _no_frame(frame: object) -> Fault:
    return Fault(
        checks.argument("frame"),
        Text("须为 DataFrame，每行一名学生", "must be a DataFrame with a row per pupil"),
        Text("例如 pandas.DataFrame({...})", "For example pandas.DataFrame({...})"),
        type(frame).__name__,
    )


def _too_few(group: str, n: int) -> Fault | None:
    if n >= 2:
        return None
    return Fault(
        Text("组 {g}", "Group {g}").format(g=group) if group else checks.argument("frame"),
        Text("前后测都有的学生不足两名", "fewer than two pupils have both results"),
        Text("请补上数据，或去掉这一组", "Add results, or leave the group out"),
        n,
    )


def _twice(found: Classes) -> list[Fault]:
    if not found.clustered:
        return []
    wrong = [c for c in sorted(set(found.cluster)) if len(set(found.group[found.cluster == c])) > 1]
    return [
        Fault(
            checks.argument("cluster"),
            Text(f"班级 {name} 的学生分在两组里", f"pupils of class {name} are in two groups"),
            Text(
                "如果是在班内分的组，请把班级写在 strata", "If groups were formed within classes, name them in strata"
            ),
        )
        for name in wrong
    ]


def _flat(name: str, values: np.ndarray) -> Fault | None:
    if np.ptp(values) > 0:
        return None
    return Fault(
        checks.argument(name),
        Text("所有学生的值都一样，无从比较", "all pupils have the same value: there is nothing to compare"),
        Text("请检查是不是取错了列", "See whether it is the right column"),
        float(values[0]),
    )
