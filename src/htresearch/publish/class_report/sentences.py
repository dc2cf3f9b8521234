"""Page one: three sentences in plain words. No p-value, and no word that claims more than the design bears."""

from __future__ import annotations

import math

from htresearch.language import Text
from htresearch.publish.class_report.findings import FEW, Findings, Level


def three_sentences(found: Findings) -> tuple[Text, Text, Text]:
    """Say what was recorded, how often the one day is better than the other, and what else it may be."""
    first = _sentence(_levels(found))
    if not (found.before.observed and found.after.observed):
        return first, _nothing_to_compare(found), _GO_ON
    return first, _sentence([_comparison(found), _how_far(found)]), _what_else(found)


def _sentence(parts: list[Text]) -> Text:
    return Text("；".join(p.zh for p in parts) + "。", "; ".join(p.en for p in parts) + ".")


# --- the first: what was recorded -----------------------------------------------------------------------------------


def _levels(found: Findings) -> list[Text]:
    if found.study.plan.design == "AB":
        when = Text("改变前", "before the change"), Text("改变后", "after it")
    else:
        when = Text("照旧的时候", "as usual"), Text("改变的时候", "with the change")
    first, second = (_level(found, *pair) for pair in zip((found.before, found.after), when, strict=True))
    said = [Text(first.zh, first.en[:1].upper() + first.en[1:]), second]
    return said if math.isnan(found.after.median - found.before.median) else [*said, _way(found)]


def _level(found: Findings, level: Level, when: Text) -> Text:
    """Say how many records a phase has and where they lie, be it one or thirty."""
    moment, quantity = found.moment, found.quantity
    counted, value = moment.counted(level.observed), quantity.share(level.median)
    on = f"{'on' if moment.daily else 'in'} {counted.en} {when.en}"
    if not level.records:
        return Text(f"{when.zh}还没有记录", f"there are no records {when.en} yet")
    if not level.observed:
        empty = moment.counted(level.records)
        return Text(f"{when.zh}的 {empty.zh}都没有记到数", f"no value was recorded {when.en} ({empty.en})")
    if level.observed == 1:
        return Text(f"{when.zh}只记了 {counted.zh}，是 {value.zh}", f"{on}, the value was {value.en}")
    if level.low == level.high:
        each = "每天" if moment.daily else "每次"
        return Text(f"{when.zh}记了 {counted.zh}，{each}都是 {value.zh}", f"{on}, it was {value.en} every time")
    low, high = quantity.plain(level.low), quantity.plain(level.high)
    if level.observed < FEW:
        unit = quantity.say(level.high)
        return Text(f"{when.zh}只记了 {counted.zh}：{low} 和 {unit.zh}", f"{on}, the values were {low} and {unit.en}")
    middle, part = quantity.say(level.median), quantity.part(level.median)
    return Text(
        f"{when.zh}记了 {counted.zh}，居中的{moment.one.zh}是 {middle.zh}（{f'占 {part}，' if part else ''}"
        f"最低 {low}，最高 {high}）",
        f"{on}, the middle value was {middle.en} ({f'{part}; ' if part else ''}lowest {low}, highest {high})",
    )


def _way(found: Findings) -> Text:
    """Say which way the middle went, and whether that was hoped for."""
    difference = found.after.median - found.before.median
    early = found.study.plan.design == "AB"
    if difference == 0:
        return Text("前后居中的值一样" if early else "两种时候居中的值一样", "the middle value is the same for both")
    apart, up, hoped = found.quantity.difference(difference), difference > 0, difference * found.sign > 0
    zh = "改变后" if early else "改变的时候"
    en = (
        f"it {'rose' if up else 'fell'} by {apart.en}"
        if early
        else f"that is {apart.en} {'higher' if up else 'lower'}"
    )
    return Text(
        f"{zh}{'高' if up else '低'}了 {apart.zh}，{'是希望的方向' if hoped else '与希望的方向相反'}",
        f"{en}, {'as was hoped' if hoped else 'the opposite of what was hoped'}",
    )


# --- the second: the comparison, and how far it goes ----------------------------------------------------------------


def _comparison(found: Findings) -> Text:
    share, daily, early = found.nap.estimate, found.moment.daily, found.study.plan.design == "AB"
    one, day = ("一天", "day") if daily else ("一次", "record")
    if early:
        take = Text(f"任取改变前后各{one}比较", f"Take any {day} from before the change and any from after it")
        later = Text(f"后{one}", f"the later {day}")
    else:
        take = Text(f"任取照旧和改变的各{one}比较", f"Take any {day} as usual and any with the change")
        later = Text(f"改变的那{one}", f"the {day} with the change")
    if found.before.low == found.before.high == found.after.low == found.after.high:
        return Text(f"{take.zh}，全都一样，分不出高下", f"{take.en}: they are all alike, neither is better")
    if share in (0.0, 1.0):
        zh, en = ("更好", "better") if share else ("更差", "worse")
        return Text(f"{take.zh}，每一次都是{later.zh}{zh}", f"{take.en}: every time {later.en} is the {en} one")
    often = how_often(share)
    tail = {
        1: Text("", ""),
        0: Text("，接近一半对一半，看不出明显的差别", ", close to half, so no clear difference is to be seen"),
        -1: Text("，改变后总的来说变差了", ", so on the whole things were worse after the change")
        if early
        else Text("，改变的时候总的来说更差", ", so on the whole things were worse with the change"),
    }[found.better]
    only = "only " if found.better < 0 else ""
    zh = often.zh
    if zh.startswith("约"):  # 约有 92% 的情况；只有约 20% 的情况
        zh = f"只有{zh}" if only else zh.replace("约 ", "约有 ")
    return Text(
        f"{take.zh}，{zh} 的情况是{later.zh}更好（相同算一半）{tail.zh}",
        f"{take.en}: in {only}{often.en} of all such pairs {later.en} is the better one (a tie counts half){tail.en}",
    )


def how_often(share: float) -> Text:
    """Say a share of 1 as per cent; only what is exactly none or all is said to be so.

    Examples
    --------
    >>> how_often(0.9167).en, how_often(0.998).en, how_often(0.002).zh
    ('about 92%', 'more than 99%', '不到 1%')
    """
    if share > 0.99:
        return Text("超过 99%", "more than 99%")
    if share < 0.01:
        return Text("不到 1%", "less than 1%")
    rounded = f"{math.floor(share * 100 + 0.5)}%"
    return Text(f"约 {rounded}", f"about {rounded}")


def _how_far(found: Findings) -> Text:
    """Say what may not be made of the comparison, or what the design adds to it."""
    if found.few:
        return Text(
            "但记录还太少，这只是初步的印象，更不能说就是这个办法起的作用",
            "but there are too few records: this is a first impression, and cannot be put down to what was changed",
        )
    return {"AB": _once, "ABAB": _back_and_again, "alternating": _by_turns}[found.study.plan.design](found)


def _once(found: Findings) -> Text:
    return {
        1: Text(
            "单凭这一次，还不能说就是这个办法起的作用",
            "from this one time alone it cannot be said that the change was what did it",
        ),
        0: Text(
            "单凭这一次，也不能说这个办法没有用",
            "from this one time alone it cannot be said that the change is of no use, either",
        ),
        -1: Text(
            "单凭这一次，也不能说就是这个办法造成的",
            "from this one time alone it cannot be said that the change is to blame, either",
        ),
    }[found.better]


def _back_and_again(found: Findings) -> Text:
    ways = found.switches
    if not found.complete:
        return Text(
            "来回还没有做完，现在只能当作前后的比较来看",
            "going back and changing again is not finished, so for now this is a plain before-and-after",
        )
    if set(ways) == {1}:
        return Text(
            "用上就变好，停下就退回，再用又变好，三次变化都跟着办法走",
            "things got better with the change, worse without it and better again with it: "
            "all three turns went along with it",
        )
    if set(ways) == {-1}:
        return Text(
            "三次转换，每一次的变化都与希望的方向相反",
            "at all three turns, things went the opposite way of what was hoped",
        )
    kept = ways.count(1)
    return Text(
        f"三次转换中，{f'有 {kept} 次' if kept else '没有一次'}的变化是希望的方向",
        f"of the three turns, {kept or 'none'} went the way that was hoped",
    )


def _by_turns(found: Findings) -> Text:
    if found.study.plan.start == "drawn":
        return Text(
            "哪次改变是抽签定的，班上别的事对两种时候的影响大致相当",
            "lots decided when to use the change, so whatever else went on in class bears on both alike",
        )
    return Text(
        "但哪次改变是自己定的，日子本身好过还是难过也会混在里面",
        "but the teacher decided when to use the change, so easy and hard days may be mixed up with it",
    )


# --- the third: what else it may be ---------------------------------------------------------------------------------


def _what_else(found: Findings) -> Text:
    plan = found.study.plan
    if found.better < 0:
        return _WORSE
    if plan.design == "ABAB" and found.complete:
        return _BACK_CLEAR if set(found.switches) == {1} and found.better > 0 else _BACK_MIXED
    if plan.design == "alternating":
        if not found.better:
            return _SMALL
        return _TURNS_DRAWN if plan.start == "drawn" else _TURNS_CHOSEN
    if not found.better:
        return _SMALL
    if found.rising:
        return _RISING
    return _ONCE_DRAWN if plan.start == "drawn" else _ONCE_CHOSEN


_ONCE_CHOSEN = Text(
    "同一段时间里，班上别的事（考试、活动、换季，还有“有人在记”本身）也会让记录有变化，"
    "所以请把它当作和同事一起琢磨的开头，而不是结论。",
    "Other things in class during the same weeks (examinations, events, the season, even being recorded) can "
    "move the "
    "records too, so take this as something to think over with colleagues, not as a verdict.",
)
_ONCE_DRAWN = Text(
    "开始的日子是抽签定的，不是挑了一个好时候，前后比较因此更公平；"
    "但只改变了一次，恰好同时发生的别的事仍可能带来同样的变化。",
    "Lots decided the day on which to begin, so no good moment was picked and the comparison is fairer; but "
    "things were "
    "changed only once, and something else that happened just then could have done the same.",
)
_RISING = Text(
    "而且改变之前，记录就已经在一天天变好：照那样走下去，不做改变也可能更好。",
    "Besides, the records were getting better before anything was changed: had that gone on, they might be "
    "better now "
    "without it.",
)
_SMALL = Text(
    "也许本来就没有什么变化，也许变化小，这么多次记录还看不出来；图上如果有个别特别的日子，先想想那天班上有什么事。",
    "Perhaps nothing much has changed, perhaps the change is small and so many records cannot show it; where a "
    "single "
    "day stands out in the picture, think first of what happened in class that day.",
)
_WORSE = Text(
    "请先想一想这段时间班上还发生了什么；如果学生因此吃亏，不必等到研究做完，可以先停下来。",
    "Think first of what else happened in class during that time; if pupils are the worse for it, there is no "
    "need to "
    "wait for the end of the study before stopping.",
)
_BACK_CLEAR = Text(
    "来回一趟比只改变一次更能说明问题，别的事恰好三次都赶在同一天，机会不大；但这只是一个班、一段时间，换个班还要再试。",
    "Going back and changing again tells more than one change, for something else is unlikely to have come "
    "about just at "
    "all three turns; still, this is one class in one stretch of time, and another class would have to try for "
    "itself.",
)
_BACK_MIXED = Text(
    "记录没有每次都跟着办法走，所以还不能说就是这个办法起的作用；请在图上找出不一样的那一段，想想那时班上有什么事。",
    "The records did not follow the change each time, so they cannot be put down to it; find the stretch that "
    "differs in "
    "the picture, and think of what happened in class then.",
)
_TURNS_DRAWN = Text(
    "所以这样的差别，比先后各记一段的更可信；但它只说明这个班、这段时间，而且前一次留下的影响可能带到下一次。",
    "Such a difference is therefore more to be trusted than that of one stretch after another; but it speaks "
    "for this "
    "class and this time only, and what was done once may linger on the next day.",
)
_TURNS_CHOSEN = Text(
    "要让两种时候真正可比，下一轮请用抽签决定哪次照旧、哪次改变。",
    "To make both kinds of days comparable, let lots decide next time when things stay as usual and when they "
    "change.",
)
_GO_ON = Text(
    "请照计划接着记，每一段最好记满五次以上；到时再出一份报告，就能比较了。",
    "Go on recording as planned, if possible five times or more in each phase; a report made then can compare them.",
)


def _nothing_to_compare(found: Findings) -> Text:
    if not (found.before.observed or found.after.observed):
        return Text(
            "还没有可以比较的数，现在什么也不能说。",
            "There is nothing yet to compare, and nothing can be said for now.",
        )
    return Text(
        "只有一段记到了数，还不能比较改变前后，现在不能说有没有变化。",
        "Only one phase has values, so the two cannot be compared: whether anything changed cannot be said yet.",
    )
