"""A planned study in words: who, how many, what is assumed."""

from __future__ import annotations

import pandas as pd

from htresearch.language import LANGUAGES, Text, listing
from htresearch.multilevel.planned_design import TOTALS, PlannedDesign

MANY = {
    "schools": Text("{n} 所学校", "{n} schools"),
    "classes": Text("{n} 个班", "{n} classes"),
    "pupils": Text("{n} 名学生", "{n} pupils"),
    "classes_per_school": Text("每校 {n} 个班", "{n} classes per school"),
    "pupils_per_school": Text("每校 {n} 名学生", "{n} pupils per school"),
    "pupils_per_class": Text("每班 {n} 名学生", "{n} pupils per class"),
}
_UNITS = {
    "school": Text("学校", "schools"),
    "class": Text("班级", "classes"),
    "pupil": Text("学生", "pupils"),
}
_EACH = {"school": Text("所学校", "school"), "class": Text("个班", "class")}
_BETWEEN = {
    "school": Text("学校之间", "between schools"),
    "class": Text("班级之间", "between classes"),
    "pupil": Text("学生之间", "between pupils"),
}
_BLOCKS = {
    "random": Text(
        "这些{blocks}视为抽样得来，结论推及同类{blocks}，效应可各不相同",
        "these {blocks} count as a sample of others like them, and the effect may differ between them",
    ),
    "fixed": Text(
        "结论只及这些{blocks}，各有各的效应，取其平均",
        "the conclusion is about these {blocks} only, an effect in each, averaged",
    ),
    "constant": Text(
        "结论只及这些{blocks}，并假定效应处处相同",
        "the conclusion is about these {blocks} only, and one effect is assumed for all",
    ),
}


def said(
    design: PlannedDesign, rows: pd.DataFrame, column: str, two_sided: bool, outcome_sd: float | None
) -> tuple[Text, ...]:
    """Return the note of a planned study: design, test, assumptions, method."""
    return (
        _design(design, rows),
        _test(rows, column, two_sided, outcome_sd),
        _assumed(design, rows),
        *_adjusted(design, rows),
        _method(column),
        Text(
            "前提：随机分组，没有流失，两组方差相同。组内相关与 R² 都是设想，请多试几个值；"
            "若不是随机分组，检验力足够也不能说明差异由干预引起。",
            "This takes random assignment, no attrition, and equal variances in both arms. Intraclass correlations "
            "and R² are guesses: try several. Without random assignment, power says nothing about bias.",
        ),
    )


def _design(design: PlannedDesign, rows: pd.DataFrame) -> Text:
    counts = listing(MANY[name].format(n=_values(rows[name])) for name in (design.top, *reversed(design.sizes)))
    randomised = _UNITS[design.units[design.treatment_level - 1]]
    half = (rows["treated"] == 0.5).all()
    share = (
        Text("一半的", "half") if half else Text(" {n} 的", "{n}").format(n=_values(rows["treated"], percent=True))
    )
    arms = Text("随机取{share}{units}接受干预，其余为对照", "{share} of the {units} are treated, the others control")
    whole = Text("设计：{counts}；{within}{arms}{kind}。", "Design: {counts}; {within}{arms}{kind}.")
    within = kind = Text("", "")
    if design.blocked:
        within = Text("每{one}之内，", "within each {one}, ").format(one=_EACH[design.blocked[0]])
        blocks = Text("和", " and ")
        blocks = Text(
            *(getattr(blocks, z).join(getattr(_UNITS[u], z) for u in design.blocked[::-1]) for z in LANGUAGES)
        )
        kind = Text("；{kind}", "; {kind}").format(kind=_BLOCKS[design.blocks].format(blocks=blocks))
    return whole.format(counts=counts, within=within, arms=arms.format(share=share, units=randomised), kind=kind)


def _test(rows: pd.DataFrame, column: str, two_sided: bool, outcome_sd: float | None) -> Text:
    sides = Text("双侧", "Two-sided") if two_sided else Text("单侧", "One-sided")
    given = Text("检验力 {n}", "power {n}") if column == "mdes" else Text("效应 {n} 个标准差", "an effect of {n} SD")
    name = "power" if column == "mdes" else "effect"
    raw = Text("", "")
    if outcome_sd is not None:
        raw = Text(
            f"；原始单位按标准差 {outcome_sd:g} 换算", f"; own units by a standard deviation of {outcome_sd:g}"
        )
    return Text(
        "{sides}检验，显著性水平 {alpha}，{given}；效应以全体学生成绩的标准差为单位{raw}。",
        "{sides} test at alpha {alpha}, {given}; effects are in standard deviations of the outcome over all "
        "pupils{raw}.",
    ).format(
        sides=sides,
        alpha=_values(rows["alpha"]),
        given=given.format(n=_values(rows[name], percent=column == "mdes")),
        raw=raw,
    )


def _assumed(design: PlannedDesign, rows: pd.DataFrame) -> Text:
    if design.levels == 1:
        return Text("假定：学生之间互不相关。", "Assumed: pupils are independent.")
    shares = [
        Text("{where}占 {n}", "{n} {where}").format(
            where=_BETWEEN[unit], n=_values(rows[f"icc_{unit}"], percent=True)
        )
        for unit in reversed(design.units[1:])
    ]
    within = Text("（同校之内）", " of one school") if design.levels == 3 else Text("", "")
    return Text(
        "假定成绩的方差：{shares}{within}，其余在学生之间。",
        "Assumed of the outcome's variance: {shares}{within}, the rest between pupils.",
    ).format(shares=listing(shares), within=within)


def _adjusted(design: PlannedDesign, rows: pd.DataFrame) -> list[Text]:
    """Say what covariates, varying effects and unequal groups were taken to be, where they were."""
    notes = []
    explained = [u for u in reversed(design.units[: design.treatment_level]) if (rows[f"r2_{u}"] > 0).any()]
    if explained:
        parts = listing(
            Text("{where}方差的 {n}", "{n} of the variance {where}").format(
                where=_BETWEEN[unit], n=_values(rows[f"r2_{unit}"], percent=True)
            )
            for unit in explained
        )
        notes.append(Text("协变量解释{parts}。", "Covariates explain {parts}.").format(parts=parts))
    if (rows["covariates"] > 0).any():
        notes.append(
            Text("协变量占去 {n} 个自由度。", "Covariates take {n} degrees of freedom.").format(
                n=_values(rows["covariates"])
            )
        )
    for unit in reversed(design.blocked if design.blocks == "random" else ()):
        notes.append(
            Text(
                "效应在{units}之间的方差，是成绩在{units}之间方差的 {n} 倍（omega）。",
                "The effect varies between {units} with {n} times the outcome's variance there (omega).",
            ).format(units=_UNITS[unit], n=_values(rows[f"omega_{unit}"]))
        )
    for size in design.sizes:
        name = f"cv_{size.split('_per_')[0]}"
        if (rows[name] > 0).any():
            notes.append(
                Text(
                    "各组{what}数不等，变异系数 {n}，按调和平均 均值/(1 + 变异系数²) 计算。",
                    "Groups hold unequal numbers of {what}, coefficient of variation {n}: the harmonic mean, "
                    "mean/(1 + cv²), is used.",
                ).format(what=_UNITS[_singular(size)], n=_values(rows[name]))
            )
    return notes


def _method(column: str) -> Text:
    if column == "power":
        return Text("检验力由非中心 t 分布精确算得。", "Power is exact, from the noncentral t distribution.")
    return Text(
        "最小可检测效应由非中心 t 分布精确解出；近似式（PowerUp! 所用，两个 t 分位数之和乘标准误）的值列在旁边，"
        "自由度很少时不准。",
        "The minimum detectable effect is solved exactly from the noncentral t distribution; beside it stands the "
        "usual formula (PowerUp!'s: the sum of two t quantiles times the standard error), which is off where "
        "degrees of freedom are very few.",
    )


def _singular(size: str) -> str:
    return next(unit for unit, plural in TOTALS.items() if size.startswith(plural))


def _values(values: pd.Series, percent: bool = False) -> Text:
    """Write the numbers given for one argument: one, or one or another."""
    numbers = [f"{100 * v:.6g}%" if percent else f"{v:,.10g}" for v in values.unique()]
    return Text(" 或 ".join(numbers), " or ".join(numbers))
