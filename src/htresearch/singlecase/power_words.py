"""What designs a power simulation is given, what is said about it, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.singlecase.drawing import Drawing
from htresearch.singlecase.lottery import Lottery, PhaseLottery, too_short


def listed(value: object) -> list:
    """Return one value as a list, several as they are."""
    return list(value) if isinstance(value, (list, tuple, range, np.ndarray, pd.Series)) else [value]


def power_words(designs: list[Lottery], alpha: float, series: int) -> tuple[Text, ...]:
    """Say what was simulated, and where no test can find anything."""
    said = [
        Text(
            f"每行模拟 {series:,} 次研究，每次重新抽签；效应从改变后的第一次记录起就有，并一直保持。",
            f"{series:,} simulated studies a row, each with its own draw; the effect is there at once and lasts.",
        )
    ]
    few = [lottery for lottery in designs if lottery.smallest_p > alpha]
    if few:
        needed = few[-1].records_needed(max(alpha, 0.001))
        more = Text("", "")
        if needed is not None:
            more = Text(f"按同样的规则至少需要 {needed} 次。", f" With the same rules that takes at least {needed}.")
        at = "、".join(str(lottery.length) for lottery in few), ", ".join(str(lottery.length) for lottery in few)
        said.append(
            Text(
                f"{at[0]} 次记录时可能的结果太少，随机化检验的 p 值不会小到 {alpha:g}。{{more}}",
                f"With {at[1]} records a randomisation test has too few outcomes to reach {alpha:g}.{{more}}",
            ).format(more=more)
        )
    return tuple(said)


def read_designs(n: object, min_baseline: object, min_treatment: object) -> list[Lottery]:
    """Return the lottery of each design that was given: a number of records each, or one of any other kind."""
    if isinstance(n, (Drawing, Lottery)):
        beside = [
            name for name, v in (("min_baseline", min_baseline), ("min_treatment", min_treatment)) if v is not None
        ]
        checks.require(*(_given_twice(name) for name in beside))
        return [n.lottery if isinstance(n, Drawing) else n]
    records = listed(n)
    lengths = (min_baseline, min_treatment)
    checks.require(
        *(checks.integer("n", one, 2, 500) for one in records or [None]),
        checks.integer("min_baseline", min_baseline),
        checks.integer("min_treatment", min_treatment),
    )
    checks.require(*(too_short(one, lengths) for one in records))
    return [PhaseLottery(one, lengths) for one in records]


def _given_twice(name: str) -> Fault:
    return Fault(
        checks.argument(name),
        Text("设计里已经有了", "the design has it already"),
        Text("给了设计就不要再给它", "Leave it out beside a design"),
    )


def family_faults(family: str, mean: object, trials: object, effects: list[float]) -> Iterator[Fault | None]:
    """Yield what is wrong with the mean and the trials of counts and percentages."""
    if family == "gaussian":
        return
    if family == "count":
        yield checks.between("mean", mean, 0.01, 10_000)
        return
    wrong = checks.between("mean", mean, 0.1, 99.9), checks.integer("trials", trials, 1, 10_000)
    yield from wrong
    if not any(wrong):
        for effect in effects:
            reached = mean + 100 * effect * np.sqrt(mean / 100 * (1 - mean / 100) / trials)
            if not 0 <= reached <= 100:
                yield Fault(
                    checks.argument("effect"),
                    Text(f"会使百分比变成 {reached:.0f}", f"would make the percentage {reached:.0f}"),
                    Text("请给较小的效应", "Give a smaller one"),
                    effect,
                )


def unsuited(designs: list[Lottery], varied: dict[str, list]) -> Iterator[Fault]:
    """Yield methods and statistics that these designs do not allow."""
    if all(lottery.design == "AB" for lottery in designs):
        short = min(min(lottery.shortest) for lottery in designs)
        lines = {"level", "slope"} & set(varied["statistic"]) or "piecewise_level" in varied["method"]
        if lines and short < 2:
            yield Fault(
                checks.argument("min_baseline"),
                Text("画直线时每个阶段至少要有两次记录", "a line needs at least two records in each phase"),
                Text("请改为 2 或更大", "Make it 2 or more"),
                short,
            )
        return
    for method in varied["method"]:
        if method != "randomisation":
            yield Fault(
                checks.argument("method"),
                Text("只适用于 AB 设计", "is for AB designs only"),
                Text('请写 "randomisation"', 'Say "randomisation"'),
                method,
            )
    for statistic in varied["statistic"]:
        if statistic in ("level", "slope"):
            yield Fault(
                checks.argument("statistic"),
                Text("只适用于 AB 设计", "is for AB designs only"),
                Text("请改用 mean、median、trimmed_mean 或 nap", "Choose mean, median, trimmed_mean or nap"),
                statistic,
            )
