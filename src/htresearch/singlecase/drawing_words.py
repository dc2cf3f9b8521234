"""What is said about a drawing, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.singlecase.lottery import MOST_PHASES, BaselineLottery, Lottery, PhaseLottery


def drawn_words(lottery: Lottery, outcome: tuple[int, ...]) -> Text:
    """Say what was drawn, for the plan of a head teacher."""
    if isinstance(lottery, BaselineLottery):
        each = [
            Text(f"{case}从第 {start + 1} 次记录起改变", f"{case} changes with record {start + 1}")
            for case, start in zip(lottery.cases, outcome, strict=True)
        ]
        return Text("抽签结果：{all}。", "Drawn: {all}.").format(all=listing(each))
    if lottery.design == "AB":
        return Text(
            f"抽签结果：从第 {outcome[0] + 1} 次记录起改变做法。", f"Drawn: change with record {outcome[0] + 1}."
        )
    if isinstance(lottery, PhaseLottery):
        each = [
            Text(f"第 {at + 1} 次记录起{name[0]}", f"{name[1]} with record {at + 1}")
            for at, name in zip(
                outcome, (("改变做法", "change"), ("恢复原来做法", "go back")) * len(outcome), strict=False
            )
        ]
        return Text("抽签结果：{all}。", "Drawn: {all}.").format(all=listing(each))
    order = "".join("AB"[value] for value in outcome)
    return Text(
        f"抽签结果：各次依次为 {order}（A 原来做法，B 新做法）。", f"Drawn: {order} (A as before, B the new way)."
    )


def chance_words(lottery: Lottery) -> Text:
    """Say how many outcomes there were, and what that means for a test."""
    if lottery.size >= 20:
        return Text(
            f"可能的结果共 {lottery.size:,} 种，机会均等。",
            f"That is one of {lottery.size:,} equally likely outcomes.",
        )
    needed = lottery.records_needed(0.05)
    more = Text("", "")
    if needed is not None:
        more = Text(f"至少要有 {needed} 次记录才有可能。", f" At least {needed} records would be needed for that.")
    return Text(
        f"可能的结果只有 {lottery.size} 种，即使效果明显，p 值也不会小到 .05。{{more}}",
        f"That is one of {lottery.size} possible outcomes: too few for a p of .05, however clear the change.{{more}}",
    ).format(more=more)


def odd_draw(seed: object, on: object) -> Iterator[Fault | None]:
    """Yield what is wrong with a seed or a day."""
    if seed is not None:
        yield checks.integer("seed", seed, 0)
    if on is not None and not isinstance(on, date):
        yield Fault(
            checks.argument("on"),
            Text("须为日期", "must be a date"),
            Text("例如 date(2026, 9, 1)", "For example date(2026, 9, 1)"),
            on,
        )


def not_drawn(lottery: Lottery, outcome: tuple[int, ...], number: int | None) -> Fault | None:
    """Refuse an outcome that the lottery does not hold, or whose number is not the one that the seed gives."""
    if not lottery.holds(outcome):
        return Fault(
            checks.argument("outcome"),
            Text("不是这个设计可能抽到的结果", "this design could not have had it as an outcome"),
            Text("请核对结果与设计", "Check the outcome and the design"),
            outcome,
        )
    if number is None or lottery.outcome(number) == outcome:
        return None
    return Fault(
        checks.argument("outcome"),
        Text("用这个种子重抽，得到的不是这个结果", "it does not follow from this seed"),
        Text(
            "请核对种子；若是用纸条抽的，种子写 None",
            "Check the seed; if slips of paper were drawn, write None for it",
        ),
        outcome,
    )


def no_turns(phases: object) -> Fault | None:
    """Refuse phases that are not A and B by turns."""
    if isinstance(phases, str) and 2 <= len(phases) <= MOST_PHASES and phases == ("AB" * len(phases))[: len(phases)]:
        return None
    return Fault(
        checks.argument("phases"),
        Text(
            f"须以 A 开头，A 与 B 交替，最多 {MOST_PHASES} 个阶段",
            f"must be A and B by turns, beginning with A, and {MOST_PHASES} at most",
        ),
        Text("例如 ABAB", "For example ABAB"),
        phases,
    )


def other_number(name: str, values: tuple, wanted: int) -> Fault | None:
    """Refuse another number of values."""
    if len(values) == wanted:
        return None
    return Fault(
        checks.argument(name),
        Text(f"须为 {wanted} 个数", f"must be {wanted} numbers"),
        Text("每个阶段一个", "One for each phase"),
        list(values),
    )


def no_list(name: str, values: object) -> Fault | None:
    """Refuse what is no list of names."""
    if isinstance(values, Sequence) and not isinstance(values, str):
        return None
    return Fault(
        checks.argument(name),
        Text("须为一列名称", "must be a list of names"),
        Text('例如 ["一班", "二班", "三班"]', 'For example ["1", "2", "3"]'),
        values,
    )


def starts_or_windows(starts: object, windows: object, method: str) -> Fault | None:
    """Refuse what the method does not take."""
    wanted, other = (starts, windows) if method == "wampold-worsham" else (windows, starts)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str) and other is None:
        return None
    name = "starts" if method == "wampold-worsham" else "windows"
    return Fault(
        checks.argument(name),
        Text(f"{method} 须给出 {name}，且只给这一个", f"{method} needs {name}, and only that"),
        Text("每个个案一个", "One for each case"),
    )


def no_pairs(windows: list) -> Fault | None:
    """Refuse windows that are no two whole numbers."""
    for window in windows:
        whole = isinstance(window, Sequence) and len(window) == 2
        if not whole or any(checks.integer("", v, 0) for v in window):
            return Fault(
                checks.argument("windows"),
                Text("每个范围须为两个整数", "each window must be two whole numbers"),
                Text("例如 (5, 8)", "For example (5, 8)"),
                window,
            )
    return None
