"""What the workbook of a class study is made of: its sheets, the entries of the plan, the columns of the records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from htresearch.intake.entries import bare
from htresearch.language import Text

FILE_NAME = Text("我的班级研究.xlsx", "my-class-study.xlsx")

GUIDE, PLAN, RECORDS = Text("说明", "How to"), Text("我的计划", "My plan"), Text("每天记录", "Daily records")
EXAMPLE = Text("例子", "Example")
SHEETS = (GUIDE, PLAN, RECORDS, EXAMPLE)

#: What marks the example row of the records, in the first column.
EXAMPLE_ROW = Text("例", "e.g.")
#: The example row of the records by column; the last column is empty in it.
EXAMPLE_RECORD: Mapping[str, object] = {
    "date": date(2026, 9, 1),
    "value": 3,
    "as_planned": Text("是", "Yes"),
    "second_value": 3,
    "remark": Text("照这样填；这一行不会读入", "Like this; this row is not read"),
}
#: What begins the first line of the sheet with the finished example.
NOT_READ = Text("例子（只供参考，不会读入）", "Example (to look at; it is not read)")

CHANGES = Text("计划的改动", "Changes of the plan")
CHANGED_ON, CHANGED = Text("哪天改的", "Changed on"), Text("改了什么，为什么", "What was changed, and why")
STUDY_ID = Text("研究编号（请勿改动）", "Study id (leave as it is)")


@dataclass(frozen=True)
class Choice:
    """One of the answers that an entry can be chosen from, with other words for it."""

    value: str
    label: Text
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One entry of the plan.

    Attributes
    ----------
    name : str
        The field of `Plan`; ``start_1`` to ``start_3`` and ``start_record`` become `Plan.starts`.
    label, hint : Text
    kind : str
        ``"text"``, ``"choice"``, ``"date"``, ``"number"`` or ``"position"`` (a record, counted from 1).
    required : bool
    choices : tuple of Choice
    lines : int
        How many lines of text its cell has room for.
    """

    name: str
    label: Text
    hint: Text
    kind: str = "text"
    required: bool = False
    choices: tuple[Choice, ...] = ()
    lines: int = 1


_SCALES = (
    Choice("count", Text("次数", "How often (a count)"), ("count", "计数", "频数", "how often")),
    Choice(
        "share",
        Text("总数中的几个（或百分之几）", "How many of all (or per cent)"),
        ("share", "总数中的几个", "百分之几", "比例", "百分比", "百分率", "比率", "how many of all", "percentage"),
    ),
    Choice(
        "amount",
        Text("数量（如分钟、分数）", "An amount (minutes, points)"),
        ("amount", "数量", "分钟", "分数", "an amount"),
    ),
)
_BETTER = (
    Choice("increase", Text("越多越好", "More is better"), ("increase", "越高越好", "越大越好", "多好")),
    Choice("decrease", Text("越少越好", "Less is better"), ("decrease", "越低越好", "越小越好", "fewer is better")),
)
_DESIGNS = (
    Choice("AB", Text("前后对比（AB）", "Before and after (AB)"), ("ab", "前后对比", "a-b", "before and after")),
    Choice(
        "ABAB",
        Text("前、后、前、后（ABAB）", "Before, after, and again (ABAB)"),
        ("abab", "a-b-a-b", "前后前后", "前、后、前、后"),
    ),
    Choice(
        "alternating",
        Text("两种做法轮流（交替）", "By turns (alternating)"),
        ("alternating", "交替", "轮流", "两种做法轮流", "交替设计", "by turns"),
    ),
)
_STARTS = (
    Choice("drawn", Text("抽签定的", "Drawn by lot"), ("drawn", "抽签", "随机", "抽签决定", "掷骰子", "random")),
    Choice("chosen", Text("自己定的", "Chosen"), ("chosen", "自己定", "自定", "自己选的", "没有抽签")),
)


def _entry(name: str, zh: str, en: str, hint: tuple[str, str], kind: str = "text", **more: object) -> Entry:
    return Entry(name, Text(zh, en), Text(*hint), kind, **more)


#: The sections of the plan, each with its entries.
SECTIONS: Mapping[Text, tuple[Entry, ...]] = {
    Text("一、研究什么", "1  What is studied"): (
        _entry("school", "学校", "School", ("报告的标题里用", "For the heading of the report"), required=True),
        _entry(
            "class_name",
            "班级",
            "Class",
            ("如 七(3)班；不写任何人的姓名", "Such as 7(3); nobody's name"),
            required=True,
        ),
        _entry(
            "question",
            "研究的问题",
            "Question",
            ("一句话：做了什么，想看到什么变化", "One sentence: what is done, what should change"),
            required=True,
            lines=2,
        ),
        _entry(
            "watched",
            "观察什么",
            "What is watched",
            ("看得见、数得清的一件事", "One thing that can be seen and counted"),
            required=True,
            lines=2,
        ),
        _entry(
            "counting",
            "怎样数",
            "How it is counted",
            (
                "什么时候数、谁来数、什么算一次、什么不算：换个人照着做，也能数出一样的结果",
                "When, by whom, what counts and what does not: so that somebody else would count the same",
            ),
            required=True,
            lines=4,
        ),
        _entry(
            "scale",
            "记录的是",
            "What is recorded",
            ("从下拉列表中选", "Choose from the list"),
            "choice",
            required=True,
            choices=_SCALES,
        ),
        _entry(
            "unit",
            "单位",
            "Unit",
            ("如 次、份、分钟、%", "Such as times, pieces, minutes, %"),
            required=True,
        ),
        _entry(
            "out_of",
            "总数",
            "Out of",
            (
                "选“总数中的几个”才填：全班人数；记百分之几就填 100",
                "Only for “how many of all”: the pupils of the class; 100 where per cent are recorded",
            ),
            "number",
        ),
        _entry(
            "improvement",
            "怎样算好",
            "Which way is better",
            ("从下拉列表中选", "Choose from the list"),
            "choice",
            required=True,
            choices=_BETTER,
        ),
    ),
    Text("二、改变什么", "2  What is changed"): (
        _entry(
            "before",
            "改变前怎么做",
            "Before the change",
            ("照平时那样做，也要写清楚", "What is done as usual, said plainly"),
            required=True,
            lines=3,
        ),
        _entry(
            "after",
            "改变后怎么做",
            "After the change",
            ("只改一样；写到别人能照着做", "Change one thing; so plain that somebody else could do it"),
            required=True,
            lines=3,
        ),
        _entry(
            "design",
            "怎样安排",
            "Design",
            ("一般选“前后对比”，见“说明”", "Mostly “before and after”; see “How to”"),
            "choice",
            required=True,
            choices=_DESIGNS,
        ),
    ),
    Text("三、从哪天开始改（开始记录之前定下）", "3  When the change begins (settled before the first record)"): (
        _entry(
            "start",
            "开始日怎样定的",
            "How the start was settled",
            (
                "抽签最好：不是因为“那天正好好转了”才开始的",
                "By lot is best: then it did not begin because things were getting better anyway",
            ),
            "choice",
            required=True,
            choices=_STARTS,
        ),
        _entry(
            "earliest",
            "抽签范围：最早从第几条记录起",
            "Drawn from: earliest record",
            ("抽签才填，如 11：前面至少有 10 条", "Only if drawn, such as 11: so at least 10 come before"),
            "position",
        ),
        _entry(
            "latest",
            "抽签范围：最晚从第几条记录起",
            "Drawn from: latest record",
            ("抽签才填，如 30", "Only if drawn, such as 30"),
            "position",
        ),
        _entry(
            "start_record",
            "抽到从第几条记录起改",
            "Record drawn",
            ("抽签才填", "Only if drawn"),
            "position",
        ),
        _entry("drawn_on", "哪天抽的签", "Drawn on", ("日期，如 2026-9-1", "A date such as 2026-9-1"), "date"),
        _entry(
            "start_1",
            "改变从哪天开始",
            "First day of the change",
            (
                "改的第一天（“轮流”不填，在“每天记录”里写每天的做法）",
                "Its first day (empty for “by turns”: write each day's condition in the records)",
            ),
            "date",
        ),
        _entry(
            "start_2",
            "恢复原样从哪天开始",
            "First day back as before",
            ("只有“前、后、前、后”要填", "Only for ABAB"),
            "date",
        ),
        _entry(
            "start_3",
            "再次改变从哪天开始",
            "First day of the second change",
            ("只有“前、后、前、后”要填", "Only for ABAB"),
            "date",
        ),
    ),
    Text("四、同意与判断（开始记录之前写好）", "4  Consent and judgement (written before the first record)"): (
        _entry(
            "consent",
            "谁同意了，怎样征求的",
            "Who agreed, and how they were asked",
            (
                "如：学校同意；告知家长与学生，可以不参加；只记座号或全班合计",
                "Such as: the school agreed; families and pupils were told and may decline; class totals only",
            ),
            required=True,
            lines=3,
        ),
        _entry(
            "success",
            "怎样算成功",
            "What counts as success",
            ("先定下来再开始，如：改变后平均每天不到 1 次", "Settled first, such as: under 1 a day on average"),
            required=True,
            lines=2,
        ),
        _entry(
            "target",
            "目标值",
            "Target value",
            ("成功的标准若是一个数，填在这里；没有就空着", "If success is a number; else leave it empty"),
            "number",
        ),
        _entry(
            "decided_on",
            "计划定于哪天",
            "Plan settled on",
            ("应早于第一条记录，如 2026-9-1", "Before the first record, such as 2026-9-1"),
            "date",
        ),
    ),
}
ENTRIES: Mapping[str, Entry] = {entry.name: entry for section in SECTIONS.values() for entry in section}


@dataclass(frozen=True)
class Column:
    """A column of the records: its heading in the form and other headings that mean the same."""

    name: str
    label: Text
    words: tuple[str, ...] = ()
    width: int = 12
    known: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self):
        said = (self.name, self.label.zh, self.label.en, *self.words)
        object.__setattr__(self, "known", frozenset(heading(word) for word in said))


def heading(value: object) -> str:
    """Return a heading as it is compared: without what stands in brackets, stars and question marks.

    Examples
    --------
    >>> heading("记录值（次） *"), heading("今天按计划做了吗？")
    ('记录值', '今天按计划做了吗')
    """
    text = bare(value) if isinstance(value, str) else ""
    return re.sub(r"[\s*?_:]", "", re.sub(r"\(.*?\)", "", text))


COLUMNS = (
    Column("session", Text("序号", "No."), ("no", "编号", "第几条", "次序", "number"), 7),
    Column("date", Text("日期", "Date"), ("记录日期", "记录日", "day", "时间"), 14),
    Column("value", Text("记录值", "Value"), ("数值", "值", "数据", "测量值", "观察值", "recorded value"), 12),
    Column(
        "as_planned",
        Text("今天按计划做了吗", "Done as planned today?"),
        ("按计划", "按计划做了吗", "是否按计划", "是否按计划做了", "as planned", "done as planned"),
        17,
    ),
    Column(
        "second_value",
        Text("第二记录人的值", "Second recorder's value"),
        ("第二记录人", "第二记录人记录值", "second recorder", "second recorders value", "second observer"),
        15,
    ),
    Column("remark", Text("备注", "Remark"), ("remarks", "note", "notes", "说明", "备注说明"), 30),
    Column("phase", Text("今天的做法", "Condition today"), ("做法", "阶段", "condition", "时期"), 14),
)
#: Headings that are passed over without a word: they follow from the others.
DERIVED = {"run"}

BEFORE, AFTER = Text("改变前", "Before"), Text("改变后", "After")
PHASES = (
    Choice("A", BEFORE, ("a", "前", "基线", "基线期", "改变前做法", "baseline", "原来", "a阶段", "a期")),
    Choice(
        "B", AFTER, ("b", "后", "干预", "干预期", "处理", "改变后做法", "treatment", "intervention", "b阶段", "b期")
    ),
)
YES, NO = Text("是", "Yes"), Text("否", "No")


def same_sheet(name: str, sheet: Text) -> bool:
    """Tell whether a sheet has the name that the form gave it, in either language."""
    return bare(name) in (bare(sheet.zh), bare(sheet.en))
