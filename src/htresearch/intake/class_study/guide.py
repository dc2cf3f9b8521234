"""What the workbook says to a head teacher: how to go about it, how to draw the start, what is owed to the pupils."""

from __future__ import annotations

from htresearch.intake.class_study.layout import PLAN, RECORDS
from htresearch.intake.class_study.topics import Topic
from htresearch.language import Text

TITLE = Text("我的班级研究", "My class study")
LEAD = Text(
    "一个班、一件事、一张表：把平时的做法和新的做法各记一段，看看有没有变化。不用公式，不用编程。",
    "One class, one thing, one workbook: record a while as usual and a while with the change, and see what differs.",
)

STEPS = (
    Text(
        f"在“{PLAN.zh}”里写下问题：观察什么、怎样数、改变前后各怎么做。橙色的项目必填。",
        f"Write the question into “{PLAN.en}”: what is watched and counted, what is done before and after. "
        "Orange entries are required.",
    ),
    Text(
        "征得学校同意，告诉家长和学生，把怎样征求的写进计划。",
        "Ask the school, tell families and pupils, and write into the plan how they were asked.",
    ),
    Text(
        "抽签决定从第几条记录开始改变（办法见下），写上怎样算成功，填上计划定于哪天。到这里都要在开始记录之前做完。",
        "Draw by lot with which record the change begins (see below), write what counts as success and the day. "
        "All of this comes before the first record.",
    ),
    Text(
        f"每个上学日在“{RECORDS.zh}”里填一行：日期、记录值、今天按计划做了吗。当天填，不补编。"
        "没有记录就写“缺”，不要写 0。",
        f"On every school day fill in a row of “{RECORDS.en}”: date, value, done as planned or not. The same "
        "day, nothing "
        "made up later. Write “missing” where nothing was recorded, not 0.",
    ),
    Text(
        "每周请另一个人（副班主任、课代表）独立记一两天，填在“第二记录人的值”里，事先不对答案。",
        "On a day or two a week somebody else records on their own; their number goes into “Second recorder's "
        "value”.",
    ),
    Text(
        "到了抽到的那一条就改变，提前或推后都不行。计划真的要改，写进“计划的改动”，注明日期，不要涂改原来的。",
        "Begin the change with the record that was drawn, neither earlier nor later. If the plan must change, "
        "write that "
        "into “Changes of the plan” with its date and leave the old entry.",
    ),
    Text(
        "记满以后，把这个文件交给学校教科室或工作室生成报告，也可以自己生成。有填错的，会逐格告诉您怎么改。",
        "When it is full, hand the file to the school's research office or your studio for the report, or make it "
        "yourself. Mistakes are named cell by cell with what to do.",
    ),
)

LOT_TITLE = Text("怎样抽签", "How to draw the start")
LOT = (
    Text(
        "为什么抽签：如果看着情况不对才开始改，后来好转也可能只是自己好起来的。开始日由抽签定，就排除了这种可能。",
        "Why: if the change begins because things look bad, they might have got better anyway. A start by lot rules "
        "that out.",
    ),
    Text(
        "用纸条：准备记 40 条，就在 20 张同样的纸条上写 11 到 30，折好放进袋子，请一位同事抽一张。抽到 17，"
        "就从第 17 条记录起改变。",
        "Slips: for 40 records, write 11 to 30 on 20 equal slips, fold them, let a colleague take one. If it "
        "says 17, the "
        "change begins with record 17.",
    ),
    Text(
        "用骰子：掷两次，（第一次 − 1）× 6 + 第二次，得 1 到 36 的数；大于 20 就重掷；再加 10，就是从第几条起。",
        "Dice: throw twice; (first − 1) × 6 + second gives 1 to 36; throw again if it is above 20; add 10.",
    ),
    Text(
        "只抽一次，当天填进计划：范围（11 到 30）、抽到几、哪天抽的。不满意再抽，就不是抽签了。",
        "Draw once and write it into the plan that day: the range (11 to 30), the number, the day. Drawing "
        "again is no lot.",
    ),
)

DESIGN_TITLE = Text("怎样安排", "Which design")
DESIGNS = (
    Text(
        "前后对比（AB）：先照常，再改变。最省事，大多数情况用它。",
        "Before and after (AB): as usual, then the change. The simplest.",
    ),
    Text(
        "前、后、前、后（ABAB）：改变一段，恢复原样一段，再改变。说服力强；但好习惯不该为了研究而停掉的，不要用。",
        "ABAB: change, back as before, change again. More convincing; not for what should not be taken away again.",
    ),
    Text(
        "两种做法轮流（交替）：适合当天就见效、第二天不受影响的做法。每两天抽一次签定先后，写在“今天的做法”里。",
        "By turns: for what works at once and leaves nothing behind. Draw the order for every two days and "
        "write it into "
        "“Condition today”.",
    ),
)

ETHICS_TITLE = Text("学生是未成年人：先做到这几条", "Pupils are minors: first of all")
ETHICS = (
    Text(
        "不写任何人的姓名、电话、学号。要区分学生时只写座号，能记全班合计的就不记个人。",
        "Nobody's name, phone or pupil number. Seat numbers where pupils must be told apart; totals where they "
        "will do.",
    ),
    Text(
        "学校知情并同意；告知家长和学生做什么、记什么、给谁看；谁都可以不参加，而且不受影响。",
        "The school knows and agrees; families and pupils are told what is done and recorded and who sees it; "
        "anybody "
        "may decline without any harm.",
    ),
    Text(
        "改变的办法不惩罚、不羞辱、不耽误学习。有学生受到伤害或需要帮助，立即停下来先帮助他。",
        "The change neither punishes nor shames and costs no lessons. If a pupil is hurt or needs help, that "
        "comes first.",
    ),
    Text(
        "结果不好也照实写：不管结果如何，都是有用的研究。",
        "Write what came out, whatever it is: every finished study is useful.",
    ),
)

OF_TOPIC = Text("关于“{name}”", "About “{name}”")


def sections(topic: Topic | None) -> list[tuple[Text | None, list[Text], bool]]:
    """Return what the guide says: title, sentences, and whether they are numbered."""
    found = [
        (Text("七步做完", "Seven steps"), list(STEPS), True),
        (LOT_TITLE, list(LOT), False),
        (DESIGN_TITLE, list(DESIGNS), False),
        (ETHICS_TITLE, list(ETHICS), False),
    ]
    if topic is not None:
        found.append((OF_TOPIC.format(name=topic.name), [topic.sheet, topic.ethics], False))
    return found
