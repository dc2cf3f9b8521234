"""The What Works Clearinghouse's standards for single-case designs, checked phase by phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, label
from htresearch.result import Estimates
from htresearch.singlecase import criteria
from htresearch.singlecase.criteria import FAILS, MEETS, RESERVATIONS, UNKNOWN, Finding
from htresearch.singlecase.observers import INDICES
from htresearch.singlecase.series import IMPROVEMENT, read_values
from htresearch.singlecase.stretches import Case, read_cases, too_large

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DESIGNS = ("AB", "ABAB", "multiple_baseline", "alternating", "changing_criterion")
VERSIONS = tuple(criteria.VERSIONS)
#: From the worst to the best; a design is as good as its worst criterion.
VERDICTS = (FAILS, UNKNOWN, RESERVATIONS, MEETS)


@dataclass(frozen=True)
class Standards(Estimates):
    """How a study stands to the standards.

    Attributes
    ----------
    needed : tuple of Text
        What would be needed, each once, for what does not meet the standards without reservations.
    """

    needed: tuple[Text, ...] = field(default=())

    @property
    def verdict(self) -> str:
        """The verdict on the whole: ``"meets"``, ``"reservations"``, ``"fails"`` or ``"unknown"``."""
        return self.summary["verdict"].item()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a mark per criterion and phase: full where it meets, half with reservations, a cross otherwise."""
        return _draw(self.frame, ax)


def standards(
    frame: pd.DataFrame,
    case: str | None = "case",
    phase: str = "phase",
    value: str = "value",
    time: str | None = None,
    second: str | None = None,
    *,
    design: str | None = None,
    manipulated: bool | None = None,
    scale: str = "count",
    agreement: str | None = None,
    improvement: str = "increase",
    version: str = "4.1",
) -> Standards:
    """Check a study against the What Works Clearinghouse's design standards, and say what would be needed.

    The standards are about what a design can show, not about how well a class was led: one change in one class, the
    AB design, can never meet them, and is worth doing all the same.

    Parameters
    ----------
    frame
        A row per observation.
    case, phase, value, time, second
        Its columns; `second` holds what a second observer recorded. Without a column of cases all rows are one case.
        Without `time` rows are in time order, and the n-th rows of all cases count as made at the same time.
    design
        ``"AB"``, ``"ABAB"`` (a return to the baseline, once or more), ``"multiple_baseline"`` (the same change in
        several cases, one after the other), ``"alternating"`` or ``"changing_criterion"``. Read from the phases if
        not given, which a changing criterion cannot be.
    manipulated
        Whether whoever did the study decided when things were changed; ``None`` if that is not known.
    scale
        What was recorded, as for `observer_agreement`.
    agreement
        The index of agreement that counts; the usual one of the scale if not given.
    improvement
        ``"increase"`` if higher is better, ``"decrease"`` if lower is (only for version 5.0).
    version
        ``"4.1"`` (2020) or ``"5.0"`` (2022) of the handbook.

    Returns
    -------
    Standards
        `.tidy()`: a row per criterion and what it is about: term (the criterion), estimate (what was found, as a
        number), case, phase, verdict, found, rule, needed (in words). Criteria: ``manipulated``,
        ``second_observer`` (a record by both in each phase), ``share_both`` (20 % of each condition), ``agreement``
        (80 %, or a kappa of .6, over all), ``attempts`` (three demonstrations at three points in time), ``points``
        (observations per phase, or per condition where conditions take turns), and by design ``concurrent``,
        ``in_a_row``; from 5.0 on ``baseline_trend`` and ``return``. `.glance()`: version, design, verdict, n_cases,
        n_phases, and how many criteria have each verdict. `.needed`: what would be needed, in words. `.plot()`.

    Raises
    ------
    ArgumentError
        With everything that is wrong with the arguments.

    Notes
    -----
    4.1: five observations in each phase meet the standards, three with reservations (alternating: five and four of
    each condition, at most two in a row). 5.0 wants six in the first baseline, and looks with the share of pairs
    that are better (NAP, limit .85) at whether the baseline already improves at its end, and whether a return to it
    is one; failing these leaves reservations. The rules of 5.0 are taken from accounts of the handbook that agree
    with one another: read its chapter on single-case designs before quoting a verdict. What these standards ask of
    reports, of attrition and of residual effects of earlier phases is not checked.

    References
    ----------
    Kratochwill, T. R., et al. (2013). Single-case intervention research design standards. Remedial and Special
    Education, 34, 26-38. https://doi.org/10.1177/0741932512452794
    What Works Clearinghouse (2020). Standards handbook, version 4.1; (2022). Procedures and standards handbook,
    version 5.0. Institute of Education Sciences.

    Examples
    --------
    >>> import pandas as pd, htresearch as ht
    >>> frame = pd.DataFrame({"phase": list("AAAAABBBBB"), "value": range(10)})
    >>> found = ht.singlecase.standards(frame, manipulated=True)
    >>> found.verdict, found.glance()["design"].item()
    ('fails', 'AB')
    """
    checks.require(
        None if design is None else checks.one_of("design", design, DESIGNS),
        None if manipulated is None else checks.one_of("manipulated", manipulated, (True, False)),
        checks.one_of("improvement", improvement, IMPROVEMENT),
        checks.one_of("version", version, VERSIONS),
        known := checks.one_of("scale", scale, tuple(INDICES)),
        None if agreement is None or known else checks.one_of("agreement", agreement, INDICES[scale]),
    )
    cases = read_cases(frame, case, phase, value, time, [] if second is None else [second])
    other = _second(frame, second, cases)
    guessed = _design(cases)
    checks.require(_suits(design, cases))
    rules = criteria.VERSIONS[version]
    kind = design or guessed
    findings = [
        criteria.manipulated(manipulated),
        *criteria.observers(cases, other, scale, agreement or INDICES[scale][0]),
        *criteria.attempts(cases, kind, time is not None),
        *criteria.points(cases, kind, rules),
        *(criteria.screens(cases, kind, 1 if improvement == "increase" else -1) if rules.screens else ()),
    ]
    return _result(findings, cases, kind, version, design is None, time is None)


def _result(
    findings: list[Finding], cases: list[Case], design: str, version: str, guessed: bool, timeless: bool
) -> Standards:
    rows = pd.DataFrame([vars(finding) for finding in findings])
    counts = rows["verdict"].value_counts()
    verdict = min(rows["verdict"], key=VERDICTS.index)
    summary = {
        "version": [version],
        "design": [design],
        "verdict": [verdict],
        "n_cases": [len(cases)],
        "n_phases": [sum(len(c.stretches) for c in cases)],
    } | {f"n_{name}": [int(counts.get(name, 0))] for name in reversed(VERDICTS)}
    needed = tuple(dict.fromkeys(_where(f) for f in findings if f.verdict != MEETS))
    note = tuple(_note(design, version, verdict, guessed, timeless and len(cases) > 1, cases))
    return Standards(rows, pd.DataFrame(summary), note, "https://doi.org/10.1177/0741932512452794", needed)


def _where(finding: Finding) -> Text:
    """Return what is needed, with the case and the phase that need it."""
    about = " ".join(part for part in (finding.case, finding.phase) if part)
    return Text(f"{about}：{finding.needed.zh}", f"{about}: {finding.needed.en}") if about else finding.needed


def _second(frame: pd.DataFrame, second: str | None, cases: list[Case]) -> list[np.ndarray] | None:
    if second is None:
        return None
    values, fault = read_values("second", frame[second].astype(object).tolist(), 0)
    checks.require(fault or too_large("second", values))
    return [values[case.rows] for case in cases]


def _design(cases: list[Case]) -> str:
    """Read the design from the phases."""
    stretches = [case.stretches for case in cases]
    kinds = [[s.kind for s in one] for one in stretches]
    if any(len(one) >= 4 and np.median([len(s.values) for s in one]) <= 2 for one in stretches):
        return "alternating"
    if any(len(one) > len(set(one)) for one in kinds):
        return "ABAB"
    return "multiple_baseline" if len(cases) > 1 else "AB"


def _suits(design: str | None, cases: list[Case]) -> Fault | None:
    """Refuse a design that the phases are not."""
    most = max(len(case.stretches) for case in cases)
    if design == "multiple_baseline" and len(cases) < 2:
        rule = Text(
            "多基线设计至少要有两个个案，这里只有一个", "a multiple baseline has two cases or more, here is one"
        )
    elif design in ("ABAB", "alternating") and most < 3:
        rule = Text("各阶段没有一个再次出现", "no phase comes back")
    elif most < 2:
        rule = Text("只有一个阶段，没有改变", "there is one phase only, and no change")
    else:
        return None
    return Fault(
        checks.argument("design") if design else checks.argument("phase"),
        rule,
        Text("请检查阶段列，或换一种设计", "See the column of phases, or choose another design"),
        design,
    )


def _note(
    design: str, version: str, verdict: str, guessed: bool, timeless: bool, cases: list[Case]
) -> Iterator[Text]:
    yield Text(
        f"依据 WWC 单一被试设计标准 {version} 版。",
        f"By the WWC standards for single-case designs, version {version}.",
    )
    if guessed:
        name = label(design, within="design")
        yield Text("设计由阶段看出：{name}。", "Design, read from the phases: {name}.").format(name=name)
    if design == "AB":
        yield Text(
            "改变前后各一段的设计只提供一次比较，所以达不到这套标准；这说的是设计能证明多少，不是工作做得好不好。"
            "它仍然值得做：看清变化、积累记录，也是下一步重复验证的起点。",
            "One stretch before and one after offer a single comparison, so they cannot meet these standards. "
            "That is about how much the design can show, not about how well the work was done. It is worth doing: it "
            "shows change, it builds a record, and it is where repeating it begins.",
        )
    if verdict == UNKNOWN:
        yield Text(
            "有的条件还不知道，所以没有总评。", "Something is not known yet, so there is no verdict on the whole."
        )
    if timeless:
        yield Text(
            "没有给出时间，各个案的第几次记录视为同一时间。",
            "No times were given: the n-th records of all cases count as made at the same time.",
        )
    if missing := sum(case.missing for case in cases):
        yield Text(f"缺失的 {missing} 次观察未计入。", f"{missing} missing observations do not count.")
    if (
        any(len(a.seen) < 3 or len(b.seen) < 3 for c in cases for a, b in pairwise(c.stretches))
        and design != "alternating"
    ):
        yield Text(
            "不足三次观察的阶段不能用来显示作用。", "A phase with fewer than three observations cannot show anything."
        )


def _draw(frame: pd.DataFrame, ax: Axes | None) -> Axes:
    import matplotlib.pyplot as plt

    terms = list(dict.fromkeys(frame["term"]))
    places = list(dict.fromkeys(zip(frame["case"], frame["phase"], strict=True)))
    if ax is None:
        ax = plt.subplots(figsize=(1.8 + 0.9 * len(places), 0.8 + 0.42 * len(terms)))[1]
    looks = {
        MEETS: {"marker": "o", "color": "#0072B2"},
        RESERVATIONS: {"marker": "o", "color": "#0072B2", "fillstyle": "left", "markerfacecoloralt": "white"},
        FAILS: {"marker": "X", "color": "#D55E00"},
        UNKNOWN: {"marker": "o", "color": "0.5", "fillstyle": "none"},
    }
    for verdict, look in looks.items():
        mine = frame[frame["verdict"] == verdict]
        across = [places.index(place) for place in zip(mine["case"], mine["phase"], strict=True)]
        down = [len(terms) - 1 - terms.index(term) for term in mine["term"]]
        if len(mine):
            ax.plot(
                across, down, linestyle="none", markersize=11, label=str(label(verdict, within="verdict")), **look
            )
    ax.set_yticks(range(len(terms) - 1, -1, -1), [str(label(term, within="term")) for term in terms])
    whole = str(Text("全部", "all"))
    ax.set_xticks(range(len(places)), ["\n".join(p for p in place if p) or whole for place in places])
    ax.xaxis.tick_top()
    ax.set_xlim(-0.6, len(places) - 0.4)
    ax.set_ylim(-0.6, len(terms) - 0.4)
    ax.grid(axis="x", visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.02), ncols=4, handletextpad=0.3)
    return ax
