"""The criteria of the What Works Clearinghouse's single-case standards, one function each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from htresearch.language import Text
from htresearch.singlecase.observers import LIMIT, LIMITS, observer_agreement
from htresearch.singlecase.stretches import Case, Stretch

MEETS, RESERVATIONS, FAILS, UNKNOWN = "meets", "reservations", "fails", "unknown"


@dataclass(frozen=True)
class Rules:
    """What differs between versions: observations that meet the standards, and whether trends are screened."""

    first_baseline: int
    other_phase: int
    screens: bool


VERSIONS = {"4.1": Rules(5, 5, False), "5.0": Rules(6, 5, True)}
#: With reservations; fewer show nothing.
FEWEST = 3
#: Of each condition where conditions take turns.
TURNS, FEWEST_TURNS, IN_A_ROW = 5, 4, 2
ATTEMPTS = 3
SHARE = 0.2
#: 5.0: up to this share of better pairs a baseline has no trend worth the name, and a return is a return.
NO_TREND = 0.85


@dataclass(frozen=True)
class Finding:
    """One criterion, and how the study stands to it."""

    term: str
    estimate: float
    case: str
    phase: str
    verdict: str
    found: Text
    rule: Text
    needed: Text


NOTHING = Text("无", "nothing")


def manipulated(answer: bool | None) -> Finding:
    """Was it decided by whoever did the study when things were changed?"""
    verdict = UNKNOWN if answer is None else MEETS if answer else FAILS
    found = {None: Text("没有说明", "not said"), True: Text("是", "yes"), False: Text("不是", "no")}[answer]
    needed = {
        None: Text(
            "请说明：何时开始、何时撤回，是不是由研究者事先定的", "Say whether the start was decided by the study"
        ),
        True: NOTHING,
        False: Text(
            "由研究者事先决定何时开始改变，最好抽签", "Decide beforehand when the change begins, best by lot"
        ),
    }[answer]
    rule = Text(
        "何时改变由研究者决定，不是事后找来的记录", "The study decides when things change; no records found later"
    )
    return Finding("manipulated", np.nan if answer is None else float(answer), "", "", verdict, found, rule, needed)


# --- the second observer --------------------------------------------------------------------------------------------


def observers(cases: list[Case], second: list[np.ndarray] | None, scale: str, index: str) -> Iterator[Finding]:
    """Did a second observer record in each phase, often enough, and the same?"""
    others = second or [np.full(len(case.values), np.nan) for case in cases]
    for case, other in zip(cases, others, strict=True):
        both = ~np.isnan(case.values) & ~np.isnan(other)
        yield from _each_phase(case, both)
        yield from _each_condition(case, both)
    yield _agreement(cases, others, scale, index)


def _each_phase(case: Case, both: np.ndarray) -> Iterator[Finding]:
    for s in case.stretches:
        n = int(both[s.first : s.first + len(s.values)].sum())
        yield Finding(
            "second_observer",
            float(n),
            case.name,
            s.name,
            MEETS if n else FAILS,
            Text(f"{n} 次双人记录", f"{n} records by both"),
            Text("每个阶段都要有双人记录", "Records by both in every phase"),
            NOTHING if n else Text("每个阶段至少安排一次双人记录", "Have both record at least once in every phase"),
        )


def _each_condition(case: Case, both: np.ndarray) -> Iterator[Finding]:
    kinds = np.array([s.kind for s in case.stretches for _ in s.values], dtype=object)
    for kind in dict.fromkeys(kinds):
        mine = (kinds == kind) & ~np.isnan(case.values)
        n, k = int(mine.sum()), int((mine & both).sum())
        # One in five, in whole numbers: 2 of 10 are enough, whatever the last bit of .2 says.
        enough = n > 0 and 5 * k >= n
        more = int(np.ceil(n * SHARE - 1e-9)) - k
        yield Finding(
            "share_both",
            k / n if n else np.nan,
            case.name,
            kind,
            MEETS if enough else FAILS,
            Text(f"{n} 次中 {k} 次", f"{k} of {n}"),
            Text("每种条件下至少 20% 的记录由两个人同时记", "At least 20 % of the records of each condition by both"),
            NOTHING if enough else Text(f"再有 {max(more, 1)} 次双人记录", f"{max(more, 1)} more records by both"),
        )


def _agreement(cases: list[Case], others: list[np.ndarray], scale: str, index: str) -> Finding:
    one, two = np.concatenate([case.values for case in cases]), np.concatenate(others)
    limit = LIMITS.get(index, LIMIT)
    rule = Text(
        "合起来的一致程度不低于 80%（κ 不低于 .6）", "Agreement over all of at least 80 % (a kappa of at least .6)"
    )
    if not (~np.isnan(one) & ~np.isnan(two)).any():
        needed = Text(
            "请第二个人与第一个人同时、各自独立地记录", "Have a second person record at the same time, on their own"
        )
        return Finding("agreement", np.nan, "", "", FAILS, Text("没有双人记录", "no records by both"), rule, needed)
    rows = observer_agreement(one, two, scale=scale).tidy().set_index("term")
    value = float(rows.loc[index, "estimate"])
    if np.isnan(value):
        found, needed = (
            Text("算不出 κ：记录都是同一类", "no kappa: all records are of one kind"),
            Text("换一个一致性指标", "Choose another index of agreement"),
        )
        return Finding("agreement", value, "", "", UNKNOWN, found, rule, needed)
    reached = value >= limit - 1e-12
    needed = Text(
        "把“怎样算一次”写得更清楚，两人先一起练习", "Write down more clearly what counts, and practise together"
    )
    found = Text(f"{value:.0%}", f"{value:.0%}") if limit == LIMIT else Text(f"κ = {value:.2f}", f"κ = {value:.2f}")
    return Finding(
        "agreement", value, "", "", MEETS if reached else FAILS, found, rule, NOTHING if reached else needed
    )


# --- attempts -------------------------------------------------------------------------------------------------------


def attempts(cases: list[Case], design: str, timed: bool) -> Iterator[Finding]:
    """How many times, at different points in time, could an effect have shown itself?"""
    if design == "multiple_baseline":
        changes = [_first_change(case) for case in cases]
        found = sorted({change for change in changes if change is not None})
        yield _three(len(found), "", Text("个不同的开始时间", "different starts"), _LATER)
        yield _concurrent(cases, changes)
        return
    for case in cases:
        stretches = case.stretches
        if design == "alternating":
            yield from _in_a_row(case)
            turns = min(sum(len(s.seen) for s in stretches if s.kind == k) for k in {s.kind for s in stretches})
            yield _three(turns, case.name, Text("次轮流", "turns of each condition"), _TURNS)
        elif design == "changing_criterion":
            yield _three(len(stretches) - 1, case.name, Text("个标准", "criteria"), _CRITERIA)
        else:
            shown = sum(len(a.seen) >= FEWEST and len(b.seen) >= FEWEST for a, b in pairwise(stretches))
            yield _three(shown, case.name, Text("次改变", "changes"), _AGAIN if design == "AB" else _RETURN)


_AGAIN = Text(
    "再重复两次：撤回再恢复（ABAB），或请另外两个班在不同的时间开始（多基线）",
    "Two more: withdraw and bring back (ABAB), or two more classes that start at other times (multiple baseline)",
)
_RETURN = Text(
    "至少四个阶段（ABAB），每段至少三次观察", "Four phases at least (ABAB), with three observations or more each"
)
_LATER = Text("至少三个个案，在三个不同的时间开始", "Three cases at least, starting at three different times")
_TURNS = Text("每种条件多轮几次", "More turns of each condition")
_CRITERIA = Text("标准至少改变三次", "At least three changes of the criterion")


def _three(n: int, case: str, unit: Text, needed: Text) -> Finding:
    reached = n >= ATTEMPTS
    found = Text("{n} {unit}", "{n} {unit}").format(n=n, unit=unit)
    rule = Text(
        "在三个不同的时间点上，作用至少有三次机会显现", "Three chances, at three points in time, to show an effect"
    )
    return Finding(
        "attempts", float(n), case, "", MEETS if reached else FAILS, found, rule, NOTHING if reached else needed
    )


def _first_change(case: Case) -> float | None:
    stretches = case.stretches
    return None if len(stretches) < 2 else _number(stretches[1].times[0])


def _number(time: object) -> float:
    return float(time.astype("int64")) if isinstance(time, np.datetime64) else float(time)


def _concurrent(cases: list[Case], changes: list[float | None]) -> Finding:
    """Each case is still in its baseline, and observed, when an earlier one has changed; all began before any did."""
    known = [change for change in changes if change is not None]
    fine = bool(known)
    for case, own in zip(cases, changes, strict=True):
        base = case.stretches[0]
        seen = [_number(t) for t, v in zip(base.times, base.values, strict=True) if not np.isnan(v)]
        earlier = [change for change in known if own is None or change < own]
        fine &= bool(seen) and (min(seen) < min(known) if known else True)
        fine &= all(any(t >= change for t in seen) for change in earlier)
    return Finding(
        "concurrent",
        float(fine),
        "",
        "",
        MEETS if fine else FAILS,
        Text("是", "yes") if fine else Text("不是", "no"),
        Text(
            "各个案同时记录；有的已开始改变时，其余的还在基线，并且在记录",
            "Cases run side by side: when one has changed, those still to come are in baseline and watched",
        ),
        NOTHING
        if fine
        else Text(
            "让各个案从同一时间开始记录，改变前不断线", "Start all cases together, and keep recording till the change"
        ),
    )


def _in_a_row(case: Case) -> Iterator[Finding]:
    for kind in dict.fromkeys(s.kind for s in case.stretches):
        longest = max(len(s.seen) for s in case.stretches if s.kind == kind)
        fine = longest <= IN_A_ROW
        yield Finding(
            "in_a_row",
            float(longest),
            case.name,
            kind,
            MEETS if fine else FAILS,
            Text(f"最多连续 {longest} 次", f"at most {longest} in a row"),
            Text("同一条件最多连续两次", "At most two in a row of one condition"),
            NOTHING if fine else Text("轮换得更勤些，次序抽签", "Take turns more often, in an order drawn by lot"),
        )


# --- observations per phase -----------------------------------------------------------------------------------------


def points(cases: list[Case], design: str, rules: Rules) -> Iterator[Finding]:
    """Are there enough observations in each phase, or of each condition?"""
    for case in cases:
        if design == "alternating":
            for kind in dict.fromkeys(s.kind for s in case.stretches):
                n = sum(len(s.seen) for s in case.stretches if s.kind == kind)
                yield _enough(n, case.name, kind, TURNS, FEWEST_TURNS)
            continue
        for number, stretch in enumerate(case.stretches):
            wanted = rules.other_phase if number else rules.first_baseline
            yield _enough(len(stretch.seen), case.name, stretch.name, wanted, FEWEST)


def _enough(n: int, case: str, phase: str, wanted: int, fewest: int) -> Finding:
    verdict = MEETS if n >= wanted else RESERVATIONS if n >= fewest else FAILS
    return Finding(
        "points",
        float(n),
        case,
        phase,
        verdict,
        Text(f"{n} 次观察", f"{n} observations"),
        Text(f"{wanted} 次达到，{fewest} 次有保留", f"{wanted} meet, {fewest} with reservations"),
        NOTHING if n >= wanted else Text(f"再观察 {wanted - n} 次", f"{wanted - n} more observations"),
    )


# --- version 5.0 ----------------------------------------------------------------------------------------------------


def screens(cases: list[Case], design: str, sign: int) -> Iterator[Finding]:
    """Does the first baseline improve by itself at its end, and is a return to it one? (5.0)."""
    if design == "alternating":
        return
    for case in cases:
        first, *later = case.stretches
        seen = first.seen
        yield _screen("baseline_trend", case, first, _better(seen[:-3], seen[-3:], sign), _TREND_RULE, _TREND_NEEDED)
        if design == "ABAB":
            for stretch in (s for s in later if s.kind == first.kind):
                better = _better(seen, stretch.seen, sign)
                yield _screen("return", case, stretch, better, _RETURN_RULE, _RETURN_NEEDED)


def _better(before: np.ndarray, after: np.ndarray, sign: int) -> float:
    """The share of pairs of which the later is better, ties counting half (NAP)."""
    if not len(before) or not len(after):
        return np.nan
    return float((np.sign(sign * (after[None, :] - before[:, None])).mean() + 1) / 2)


_TREND_RULE = Text(
    "基线最后三次与之前相比，较好的比例不超过 85%",
    "Of the last three of the baseline against those before, at most 85 % of pairs better",
)
_TREND_NEEDED = Text(
    "基线多观察几次，等它平稳了再开始改变", "Watch the baseline longer, until it no longer improves by itself"
)
_RETURN_RULE = Text(
    "撤回后与最初的基线相比，较好的比例不超过 85%",
    "Of the return against the first baseline, at most 85 % of pairs better",
)
_RETURN_NEEDED = Text(
    "撤回后没有回落：作用可能会留下来，改用多基线设计", "No way back: the effect may last; use a multiple baseline"
)


def _screen(term: str, case: Case, stretch: Stretch, share: float, rule: Text, needed: Text) -> Finding:
    fine = share <= NO_TREND + 1e-12
    found = Text(f"{share:.0%}", f"{share:.0%}")
    if np.isnan(share):
        found, needed = Text("观察太少，看不出", "too few to see"), Text("多观察几次", "More observations")
    verdict = MEETS if fine else RESERVATIONS
    return Finding(term, share, case.name, stretch.name, verdict, found, rule, NOTHING if fine else needed)
