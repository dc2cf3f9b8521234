"""Page two: what to do next, by rule, the most pressing first."""

from __future__ import annotations

from collections.abc import Iterator

from htresearch.language import Text
from htresearch.publish.class_report.evidence import BOTH_SHARE, DONE_SHARE
from htresearch.publish.class_report.findings import Findings

#: Records that each phase should have, so that its level can be told from its ups and downs.
ENOUGH = 5
#: More advice than this is not followed.
MOST = 5


def next_steps(found: Findings) -> list[Text]:
    """Say what to do next: at most `MOST` things."""
    return list(_every(found))[:MOST]


def _every(found: Findings) -> Iterator[Text]:
    yield from _records(found)
    yield from _pupils_first(found)
    yield from _baseline(found)
    yield from _carrying_out(found)
    yield from _second_recorder(found)
    yield from _stronger_design(found)


def _records(found: Findings) -> Iterator[Text]:
    """Too few records, or too many without a value."""
    if not found.begun:
        yield Text(
            f"接着记：计划里还有没开始的一段；每一段最好记到 {ENOUGH} 次以上。",
            f"Go on: a phase of the plan has not begun yet; each should have {ENOUGH} records or more.",
        )
    elif found.shortest < ENOUGH:
        yield Text(
            f"接着记：每一段最好记到 {ENOUGH} 次以上，现在最少的一段是 {found.shortest} 次。",
            f"Go on recording: each phase should have {ENOUGH} records or more; the shortest has {found.shortest}.",
        )
    total = found.before.records + found.after.records
    missing = total - found.before.observed - found.after.observed
    if missing and missing / total > 0.2:
        yield Text(
            "缺的记录超过五分之一：想想缺的是不是都在难的日子，再商量一个忙起来也记得下的办法。",
            "More than a fifth of the records have no value: see whether those were the hard days, and find a way of "
            "recording that survives a busy day.",
        )


def _pupils_first(found: Findings) -> Iterator[Text]:
    if found.better < 0 and not found.few:
        yield Text(
            "先停一停，和学生、任课老师谈谈记录为什么变差了；把谈到的写在备注里，再决定改一改办法，还是不用它。",
            "Pause, and ask pupils and subject teachers why the records got worse; write down what they say, "
            "then decide "
            "whether to adapt the change or to drop it.",
        )


def _baseline(found: Findings) -> Iterator[Text]:
    """What was wrong with the first phase, for it is what everything is compared with."""
    if found.rising:
        yield Text(
            "改变之前，记录已经在变好：下一次请等记录平稳了再开始，否则分不清是原来的势头还是新办法。",
            "The records were getting better before the change: next time wait until they are level, or the "
            "old trend "
            "cannot be told from the change.",
        )
    elif found.unsteady:
        yield Text(
            "改变之前，记录忽高忽低：下一次请多记几次，等平稳些再开始；也查一查计数的办法有没有时松时紧。",
            "Before the change, the records went up and down a good deal: next time record longer until they "
            "are steadier, "
            "and check whether the way of counting was the same each time.",
        )
    if found.full:
        yield Text(
            "改变之前就已经接近最好，剩下的余地很小：换一个更能看出差别的行为来记。",
            "Things were close to their best before the change, which leaves little room: choose something in "
            "which a "
            "difference can show.",
        )


def _carrying_out(found: Findings) -> Iterator[Text]:
    done = found.done_after
    known = done.yes + done.no
    if known and done.yes / known < DONE_SHARE:
        yield Text(
            "先把办法做实：想想没做成的那些次卡在哪里，能不能简单一点，然后再看它管不管用。",
            "Carry it out first: see what got in the way when it was not done, make it simpler, and only then "
            "look at what "
            "it does.",
        )
    elif not known and found.after.records:
        yield Text(
            "每次记录时，在“今天按计划做了吗”一栏写上是或否，一秒钟的事，读记录的人却全靠它。",
            "With each record, say whether the plan was followed: it takes a second, and readers depend on it.",
        )


def _second_recorder(found: Findings) -> Iterator[Text]:
    agreed = found.agreement
    if agreed is not None and not agreed.reached:
        yield Text(
            "和第二记录人一起，把两人不一样的那几次对一对，把“怎样算一次”写得更清楚，再接着记。",
            "With the second recorder, go through the records on which you differ, say more clearly what "
            "counts, and go on.",
        )
    elif agreed is None or agreed.both / agreed.of < BOTH_SHARE:
        yield Text(
            "请一位同事在五分之一以上的日子里同时各记各的，两段都要有，不要先对数。",
            "Ask a colleague to record independently on a fifth of the days or more, in both phases, without "
            "comparing "
            "first.",
        )


def _stronger_design(found: Findings) -> Iterator[Text]:
    """The next study, or the next phase of this one."""
    plan = found.study.plan
    if found.few:
        return
    if plan.design == "AB":
        yield Text(
            "找一个平行班晚两三周再开始（错开开始）：如果两个班都在各自开始之后才变，就更能说明问题。",
            "Find a second class that begins two or three weeks later (a staggered start): if each changes "
            "only once it "
            "has begun, that says much more.",
        )
        if found.better > 0:
            yield Text(
                "如果停一停不会让学生吃亏，也可以照旧一两周，再用一次（来回一次）：看记录是不是跟着办法走。",
                "If a pause does pupils no harm, go back to the usual way for a week or two and then change "
                "again: see "
                "whether the records follow.",
            )
    if plan.start == "chosen":
        yield _LOTS_FOR_ORDER if plan.design == "alternating" else _LOTS_FOR_START
    if plan.design != "AB":
        yield Text(
            "请另一个班照同样的计划做一遍：几个班的记录放在一起，才谈得上这个办法一般怎样。",
            "Ask another class to do the same by the same plan: only several classes together tell how it goes "
            "in general.",
        )


_LOTS_FOR_START = Text(
    "下一次，开始的日子请抽签定：先定好最早、最晚从第几次记录开始，再抽。",
    "Let lots decide when to begin next time: settle the first and the last record with which the change may begin, "
    "then draw.",
)
_LOTS_FOR_ORDER = Text(
    "下一次，哪次照旧、哪次改变，请抽签定。",
    "Let lots decide next time when things stay as usual and when they change.",
)
