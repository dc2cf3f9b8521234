"""Why a cell may not leave and what to do, said once for every check; no reason repeats a count or a value."""

from __future__ import annotations

from htresearch.disclosure.verdicts import Finding
from htresearch.language import Text

_COARSER = Text("请合并类别或扩大范围。", "Put categories together, or take a wider group.")
_TABULATE = Text(
    "请用 ht.disclosure.tabulate 从原始数据生成这张表。",
    "Make the table from the microdata by ht.disclosure.tabulate.",
)

#: Reason and what to do, by rule, the gravest first.
RULES: dict[str, tuple[Text, Text]] = {
    "label": (
        Text("标签能认出是谁。", "A label tells who somebody is."),
        Text(
            "不要以教师或学生为行或列；请按群体汇总。",
            "No row or column is a teacher or a pupil: summarise by groups.",
        ),
    ),
    "unknown_statistic": (
        Text(
            "不认识“{name}”这种汇总方式，无法检查。", "The aggregation {name!r} is not known and cannot be checked."
        ),
        Text(
            "可用：count、percentage、sum、mean、sd、median、quantile、correlation、ratio。",
            "Use count, percentage, sum, mean, sd, median, quantile, correlation or ratio.",
        ),
    ),
    "provenance": (
        Text("看不出这些数背后有多少人。", "It is not known how many persons stand behind these numbers."),
        Text(
            "请写明 statistic，并用 microdata= 给出原始数据，由程序核对；或用 ht.disclosure.tabulate 生成；"
            "没有原始数据的，给出 n_students、n_teachers、n_schools。",
            "Say statistic= and give the data by microdata=, so that it is verified; or make it by "
            "ht.disclosure.tabulate; without the data, give n_students, n_teachers and n_schools.",
        ),
    ),
    "mismatch": (
        Text(
            "这些数不是由所给的原始数据这样算出来的。",
            "These numbers are not what this statistic of the microdata gives.",
        ),
        Text(
            "请用 statistic= 写明实际的统计量、用 value= 写明汇总的是哪一列；加权的请给 weight=。",
            "Say by statistic= what it is, by value= of which column, and by weight= whether it is weighted.",
        ),
    ),
    "inconsistent": (
        Text("给出的人数不可能属实：{why}。", "The counts that are given cannot be true: {why}."),
        Text(
            "请改正人数；或用 microdata= 给出原始数据，由程序核对。",
            "Mend the counts; or give the data by microdata=, so that they are computed.",
        ),
    ),
    "rows": (
        Text(
            "看不出各行是什么，或几行同名：一行可能就是一个人。",
            "What the rows are is not said, or several have one name: a row may be a person.",
        ),
        Text(
            "请把分组放在索引或一列里，每组一行；数字的分组用 keys= 写明。",
            "Put the groups into the index or a column, a row each; name columns of numbers by keys=.",
        ),
    ),
    "extreme": (
        Text(
            "最小值、最大值、首个或末个值是某一个人的数值。",
            "A minimum, maximum, first or last value is one person's.",
        ),
        Text("请改用分位数或标准差。", "Use quantiles or the standard deviation."),
    ),
    "model": (
        Text(
            "这是模型的系数：由哪些人得出，从表里看不出来。",
            "These are a model's coefficients: whom they rest on cannot be seen from the table.",
        ),
        Text("请检查模型本身：check(模型, …)。", "Check the model itself: check(model, …)."),
    ),
    "altered": (
        Text(
            "这张表生成之后被改动过。",
            "The table was changed after it was made.",
        ),
        Text("请检查 tabulate 直接返回的表。", "Check what tabulate returned."),
    ),
    "incomplete": (
        Text(
            "有总计，而组成它的单元格不全：相减就得到隐去的数。",
            "A margin stands without all of its cells: subtraction gives what was hidden.",
        ),
        Text("隐去单元格请用 ht.disclosure.Release。", "To hide cells, use ht.disclosure.Release."),
    ),
    "missing": (
        Text("有空缺的数：可能可由其余的数推出。", "A number is missing: it may follow from the others."),
        Text(
            "隐去单元格请用 ht.disclosure.Release；没有数据的行请去掉。",
            "To hide cells, use ht.disclosure.Release; leave out rows without data.",
        ),
    ),
    "zero": (
        Text("没有一个人：等于说出这一群人都不是。", "Nobody is in it: this says of the whole group that none is."),
        _COARSER,
    ),
    "full": (
        Text("全都在这一格：等于说出每个人都是。", "Everybody is in it: this says it of each of them."),
        _COARSER,
    ),
    "constant": (
        Text("所有人的数值相同：等于说出每个人的数值。", "All have one value: this tells everyone's."),
        _COARSER,
    ),
    "threshold": (
        Text("背后的人数不足。", "Too few persons stand behind it."),
        Text(
            "至少要有 {threshold} 人；请合并类别或扩大范围。",
            "At least {threshold} are needed: put categories together, or take a wider group.",
        ),
    ),
    "teachers": (
        Text(
            "背后的教师太少：一个班的数就是一位班主任的数。",
            "Too few teachers stand behind it: a class's number is its teacher's.",
        ),
        Text(
            "至少要有 {teachers} 名教师；请合并班级，并给出教师或班级一列。",
            "At least {teachers} are needed: put classes together, and give a column of teachers or classes.",
        ),
    ),
    "schools": (
        Text("背后的学校太少，看得出是哪一所。", "Too few schools stand behind it: one can tell which."),
        Text(
            "至少要有 {schools} 所学校；请合并类别，并给出学校一列。",
            "At least {schools} are needed: put categories together, and give a column of schools.",
        ),
    ),
    "dominance": (
        Text(
            "一两个单位占了绝大部分，等于说出它们的数。",
            "One or two units make up nearly all of it: this tells theirs.",
        ),
        _COARSER,
    ),
    "p_ratio": (
        Text(
            "除最大的两个外所剩太少，第二大的可以算出最大的。",
            "Little is left beside the two largest: the second can compute the largest.",
        ),
        _COARSER,
    ),
    "contributors": (
        Text("数值不为零的人太少。", "Too few persons have anything but zero."),
        _COARSER,
    ),
    "two_values": (
        Text(
            "只有两种取值，其中一种的人太少：由百分比可算出人数。",
            "Of two values, too few persons have one: a percentage gives the count.",
        ),
        _COARSER,
    ),
    "sides": (
        Text("分位数一侧的人数不足。", "Too few persons lie on one side of the quantile."),
        Text("请扩大范围，或用离中间更近的分位数。", "Take a wider group, or a quantile nearer the middle."),
    ),
    "quantile": (
        Text("这套规则不允许这个分位数。", "These rules do not allow this quantile."),
        Text("请用四分位数或中位数。", "Use a quartile or the median."),
    ),
    "outlier": (
        Text(
            "离散几乎全来自一个人，等于说出他的数值。",
            "Nearly all of the spread is one person's: this tells their value.",
        ),
        Text("请改用中位数，或扩大范围。", "Use the median, or take a wider group."),
    ),
    "perfect": (
        Text("完全相关：由一列可算出另一列。", "The correlation is perfect: one column gives the other."),
        Text("请检查两列是否同一件事。", "See whether the two columns are one and the same."),
    ),
    "residual_df": (
        Text("剩余自由度不足。", "Too few residual degrees of freedom."),
        Text("请用更多的人或更少的项。", "Use more persons, or fewer terms."),
    ),
    "steps": (
        Text("曲线的一级台阶就是几个人。", "A step of the curve is a few persons."),
        Text(
            "请合并时间段，并在人数不足之前截断。", "Put times together, and end the curve before too few are left."
        ),
    ),
    "money": (
        Text("看不出是否有人占了大部分。", "It cannot be seen whether somebody makes up most of it."),
        _TABULATE,
    ),
    "range": (
        Text("数值不合这种统计量。", "A value does not fit this statistic."),
        Text(
            "count 为非负整数，percentage 为 0 到 100，share 为 0 到 1。",
            "A count is a whole number of 0 or more, a percentage 0 to 100, a share 0 to 1.",
        ),
    ),
    "undefined": (
        Text("算不出数值，原因本身可能泄露信息。", "It is not defined, and why may tell something."),
        _COARSER,
    ),
}
ORDER = tuple(RULES)


def finding(cell: int | None, rule: str, **values: object) -> Finding:
    """Return a finding of a rule with its reason."""
    reason, needed = RULES[rule]
    return Finding(cell, rule, reason.format(**values), needed.format(**values))
