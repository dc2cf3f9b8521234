"""What a between-case effect refuses, and what it says of itself."""

from __future__ import annotations

import numpy as np

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, listing
from htresearch.singlecase import between_case_reml
from htresearch.singlecase.cases import Case


def remarks(df: float, n_cases: int, design: str) -> tuple[Text, ...]:
    """Say what the estimate is and what so few cases cannot carry."""
    said = [
        Text(
            "标准化用的是个案之间的标准差，可与组间比较研究的 d 并列；前提：个案之间独立，"
            "改变以外没有别的事同时发生。",
            "It is standardised by how cases differ from one another, so that it can stand beside the d of a "
            "comparison "
            "of groups; it assumes that cases are independent and that nothing else changed when the treatment did.",
        )
    ]
    if df <= 2:
        said.append(
            Text(
                f"自由度只有 {df:.2f}，不足 2：g 的方差不存在，没有标准误和区间。需要更多个案。",
                f"There are only {df:.2f} degrees of freedom, not above 2: g has no variance, so no standard "
                "error and "
                "interval. More cases are needed.",
            )
        )
    elif df < 5:
        said.append(
            Text(
                f"{n_cases} 个个案只给出 {df:.1f} 个自由度：标准误和区间很不稳，请慎用。",
                f"{n_cases} cases give only {df:.1f} degrees of freedom: the standard error and the interval are "
                "unsteady.",
            )
        )
    return tuple(said)


def model_and_times(design: str, method: str, model: str, at: object) -> list[Fault | None]:
    """Refuse a model and times that do not go with the method and the design."""
    trends = model in between_case_reml.WITH_TRENDS
    if method == "moment":
        return [
            None
            if model == "MB1" and at is None
            else Fault(
                checks.argument("model"),
                Text('method="moment" 没有趋势，也不选模型', 'method="moment" has no trends and no choice of model'),
                Text('请改用 method="reml"，或不给 model 和 at', 'Use method="reml", or leave out model and at'),
                model,
            )
        ]
    if design == "reversal" and model not in ("MB1", "MB2"):
        return [
            Fault(
                checks.argument("model"),
                Text("含趋势的模型只适用于多基线设计", "models with trends are for multiple baselines"),
                Text("请用 MB1 或 MB2", "Use MB1 or MB2"),
                model,
            )
        ]
    if trends == (at is not None) and (at is None or _is_span(at)):
        return [None]
    return [
        Fault(
            checks.argument("at"),
            Text(
                "MB3 至 MB5 的效应随时间而变，须给出（改变前最后一次、比较时）两个时间，后者较大；MB1、MB2 不用给",
                "the effect of MB3 to MB5 depends on time: it takes (last session before treatment, session of the "
                "comparison), the second the later; MB1 and MB2 take none",
            ),
            Text("例如 at=(4, 12)", "For example at=(4, 12)"),
            at,
        )
    ]


def _is_span(at: object) -> bool:
    try:
        start, end = (float(time) for time in at)  # ty: ignore
    except (TypeError, ValueError):
        return False
    return bool(np.isfinite(start) and np.isfinite(end) and start < end)


def not_of_design(cases: list[Case], design: str, method: str) -> list[Fault | None]:
    """Refuse too few cases, and phases that are not those of the design."""
    faults: list[Fault | None] = []
    if len(cases) < 3:
        faults.append(_few_cases(len(cases)))
    conditions = list(dict.fromkeys(c for one in cases for c in one.conditions))
    if len(conditions) != 2:
        faults.append(
            Fault(
                checks.argument("phase"),
                Text("须恰好有两种条件（改变前、改变后）", "there must be two conditions, baseline and treatment"),
                Text("现有：{all}", "There are: {all}").format(all=listing(conditions[:10])),
                len(conditions),
            )
        )
        return faults
    first = cases[0].conditions[0]
    runs = {len(one.labels) for one in cases}
    other = [one.name for one in cases if one.conditions[0] != first]
    if other:
        faults.append(
            Fault(
                checks.argument("phase"),
                Text(
                    "每个个案都须从同一种条件开始；以下个案不是：{names}",
                    "every case must start with the same condition; these do not: {names}",
                ).format(names=listing(other[:10])),
                Text("请检查阶段名", "Check the labels of the phases"),
            )
        )
    if design == "multiple_baseline" and runs != {2}:
        faults.append(
            _phases_wrong(
                cases, Text("多基线设计每个个案恰好两个阶段", "a case of a multiple-baseline design has two phases")
            )
        )
    if design == "reversal" and method == "moment" and (len(runs) > 1 or min(runs) % 2):
        faults.append(
            _phases_wrong(
                cases,
                Text(
                    "反转设计的矩估计要求各个案阶段数相同，且改变前、改变后成对（AB、ABAB……）；"
                    '否则请用 method="reml"',
                    "moment estimators of reversal designs need as many phases in every case, in pairs (AB, "
                    "ABAB, …); "
                    'method="reml" does not',
                ),
            )
        )
    return faults


def _few_cases(n: int) -> Fault:
    return Fault(
        checks.argument("frame"),
        Text(
            "至少要有 3 个个案，才谈得上个案之间的标准差",
            "at least 3 cases are needed to speak of a standard deviation between cases",
        ),
        Text(
            "请加入个案；只有一两个个案时请用个案内的效应量（smd、lrr、nap）",
            "Add cases; for one or two use effect sizes within a case (smd, lrr, nap)",
        ),
        n,
    )


def _phases_wrong(cases: list[Case], rule: Text) -> Fault:
    numbers = listing([f"{one.name} {'-'.join(one.labels)}" for one in cases[:10]])
    return Fault(checks.argument("phase"), rule, Text("现有：{all}", "There are: {all}").format(all=numbers))


def fractional(time: str | None, cases: list[Case]) -> Fault | None:
    """Refuse times between whole numbers, of which a power of a negative autocorrelation has no value."""
    if all((one.times % 1 == 0).all() for one in cases):
        return None
    return Fault(
        checks.argument("time"),
        Text(
            "须为整数（第几次）或日期，自相关按间隔的次数计",
            "must be whole numbers or dates: autocorrelation counts them",
        ),
        Text("请写明是第几次观察", "Give the number of the session"),
        time,
    )


def nothing_varies(cases: list[Case]) -> list[Fault | None]:
    """Refuse phases in which nothing varies."""
    scale = max(float(np.abs(one.values).max()) for one in cases)
    rest = sum(
        float(((one.values[one.phase == p] - one.values[one.phase == p].mean()) ** 2).sum())
        for one in cases
        for p in range(len(one.labels))
    )
    if rest > (1e-10 * scale) ** 2:
        return [None]
    return [
        Fault(
            checks.argument("value"),
            Text(
                "每个个案的每个阶段之内数值都不变，估计不出自相关和标准差",
                "nothing varies within the phases of any case, which leaves no autocorrelation and standard "
                "deviation",
            ),
            Text(
                "请描述各阶段的水平，或用不依赖标准差的指标（nap、pnd）",
                "Describe the levels, or use an index without a standard deviation (nap, pnd)",
            ),
        )
    ]
