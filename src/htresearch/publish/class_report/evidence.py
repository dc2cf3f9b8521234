"""Page two: whether the records can be relied on, what was agreed beforehand, what the design can and cannot show."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd

from htresearch.language import Text
from htresearch.publish.class_report.findings import Done, Findings
from htresearch.publish.class_report.quantity import number, per_cent
from htresearch.publish.class_report.teachers_words import clean

#: Two recorders should both record at least this share of all.
BOTH_SHARE = 0.2
#: From this share on a plan counts as carried out.
DONE_SHARE = 0.8
#: How much of a fingerprint is printed.
FINGERPRINT = 12


def day(when: date | pd.Timestamp) -> Text:
    """Write a day as people do."""
    return Text(f"{when.year}年{when.month}月{when.day}日", f"{when.day} {when:%B} {when.year}")


# --- can the records be relied on? ----------------------------------------------------------------------------------


def reliability(found: Findings) -> list[Text]:
    """Say what is missing, how two recorders agree, and how often things were done as planned."""
    said = [_missing(found), _agreement(found), _done(found)]
    if found.done_before.no:
        often = found.moment.counted(found.done_before.no)
        said.append(
            Text(
                f"照旧的那一段里，有 {often.zh}没有照计划做：如果那几次已经用了新办法，前后的差别会显得小。",
                f"While things were to stay as usual, {often.en} did not follow the plan: if the change was "
                f"already in "
                "use then, the difference looks smaller than it is.",
            )
        )
    return said


def _missing(found: Findings) -> Text:
    before, after = found.before.records - found.before.observed, found.after.records - found.after.observed
    total = found.moment.counted(found.before.records + found.after.records)
    if not before + after:
        return Text(
            f"一共 {total.zh}，没有缺的。", f"{total.en[:1].upper()}{total.en[1:]} in all, none without a value."
        )
    first, second = phase_names(found)
    return Text(
        f"一共 {total.zh}，有 {before + after} 次没有记到数（{first.zh} {before} 次，{second.zh} {after} 次）；"
        "没有记到的不算进任何一个数里。",
        f"{total.en[:1].upper()}{total.en[1:]} in all, {before + after} without a value ({before} {first.en}, "
        f"{after} "
        f"{second.en}); these enter no number.",
    )


def phase_names(found: Findings) -> tuple[Text, Text]:
    """Name the two phases in the middle of a sentence or in a table."""
    if found.study.plan.design == "AB":
        return Text("改变前", "before the change"), Text("改变后", "after the change")
    return Text("照旧的时候", "as usual"), Text("改变的时候", "with the change")


def _agreement(found: Findings) -> Text:
    agreed = found.agreement
    if agreed is None:
        return Text(
            "没有第二个人同时记录，所以还不知道换一个人来记，数会不会一样。",
            "Nobody else recorded at the same time, so it is not known whether another person would have got "
            "the same "
            "values.",
        )
    part = agreed.both / agreed.of
    fifth = Text("；通常希望有五分之一以上", "; a fifth or more is usual") if part < BOTH_SHARE else Text("", "")
    start = Text(
        f"有 {agreed.both} 次由两个人各自记录（占 {per_cent(part)}{fifth.zh}），其中 {agreed.exact} 次完全一样；",
        f"{agreed.both} records were made by two people independently ({per_cent(part)} of all{fifth.en}), "
        f"{agreed.exact} of "
        "them alike; ",
    )
    share = agreed.share
    if math.isnan(share.estimate):
        return Text(f"{start.zh}这样的数没有通用的一致程度。", f"{start.en}there is no usual index for such values.")
    span = ""
    if not math.isnan(share.low):
        span = f"{per_cent(share.low)}–{per_cent(share.high)}"
    interval = Text(f"（95% 区间 {span}）", f" (95% interval {span})") if span else Text("", "")
    if agreed.reached:
        end = Text("，达到了通常要求的 80%。", ", and 80% is what is usually asked for.")
    else:
        end = Text(
            "，不到通常要求的 80%：怎样算一次，还要说得更清楚。",
            ", less than the usual 80%: how to count needs saying more clearly.",
        )
    return Text(
        f"{start.zh}每次拿小的除以大的，平均是 {per_cent(share.estimate)}{interval.zh}{end.zh}",
        f"{start.en}the smaller over the larger is {per_cent(share.estimate)} on average{interval.en}{end.en}",
    )


def _done(found: Findings) -> Text:
    done = found.done_after
    known = done.yes + done.no
    if not found.after.records:
        return Text("新办法还没有开始用。", "The change has not begun yet.")
    if not known:
        return Text(
            "没有写明改变后每次是否照计划做了，所以不知道办法用得怎样。",
            "It was not written down whether the plan was followed after the change, so it is not known how "
            "well it was "
            "carried out.",
        )
    said = _shares(found, done)
    if done.yes / known < DONE_SHARE:
        return Text(
            f"{said.zh}；做到的不到八成，记录好或不好，都还说不上是这个办法的事。",
            f"{said.en}; that is less than 80%, so whatever the records show can hardly be the doing of a plan "
            f"that was "
            "not carried out.",
        )
    return Text(f"{said.zh}。", f"{said.en}.")


def _shares(found: Findings, done: Done) -> Text:
    total = done.yes + done.no + done.unknown
    of = found.moment.counted(total)
    if done.yes == total:
        return Text(f"要用新办法的 {of.zh}，次次照计划做了", f"The change was carried out as planned on all {of.en}")
    unknown = (
        Text(f"，{done.unknown} 次没有写明", f", {done.unknown} not written down") if done.unknown else Text("", "")
    )
    return Text(
        f"要用新办法的 {of.zh}里，照计划做了的有 {done.yes} 次，没有做的有 {done.no} 次{unknown.zh}",
        f"Of {of.en} on which the change was to be used, it was carried out as planned on {done.yes} and not on "
        f"{done.no}{unknown.en}",
    )


# --- what was agreed beforehand -------------------------------------------------------------------------------------


def agreed_beforehand(found: Findings) -> list[Text]:
    """Say when the plan was made, what was to count as success and whether it came, and every later change."""
    return [_decided(found), *_success(found), _consent(found), *_changes(found)]


def _decided(found: Findings) -> Text:
    plan = found.study.plan
    mark = plan.fingerprint[:FINGERPRINT]
    stamp = Text(
        f"计划指纹 {mark}（计划改动一个字，指纹就不同）。",
        f"Fingerprint of the plan: {mark} (one letter changed in the plan, and it is another).",
    )
    first = found.study.records["date"].dropna()
    if plan.decided_on is None:
        said = Text(
            "计划没有写日期，所以看不出是不是在第一次记录之前定下的。",
            "The plan bears no date, so it cannot be told whether it was made before the first record.",
        )
    elif first.empty or plan.decided_on <= pd.Timestamp(first.min()).date():
        when = day(plan.decided_on)
        said = Text(
            f"计划写于{when.zh}，在第一次记录之前。", f"The plan dates from {when.en}, before the first record."
        )
        if not first.empty and plan.decided_on == pd.Timestamp(first.min()).date():
            said = Text(
                f"计划写于{when.zh}，也就是第一次记录那天。",
                f"The plan dates from {when.en}, the day of the first record.",
            )
    else:
        when = day(plan.decided_on)
        said = Text(
            f"计划写于{when.zh}，晚于第一次记录：看过记录再定的计划，要打折扣来看。",
            f"The plan dates from {when.en}, after the first record: a plan made with records in sight counts "
            f"for less.",
        )
    return Text(said.zh + stamp.zh, f"{said.en} {stamp.en}")


def _success(found: Findings) -> list[Text]:
    plan = found.study.plan
    words = clean(plan.success)
    if plan.target is None:
        if not words:
            return [
                Text(
                    "事先没有写下怎样才算成功；看过结果再定的标准，容易迁就结果。",
                    "What would count as success was not written down; a criterion chosen afterwards tends to "
                    "suit the "
                    "result.",
                )
            ]
        return [
            Text(
                f"事先写下的成功标准：“{words}”。标准里没有数，是否达到，请对照上面的记录判断。",
                f"What was to count as success: “{words}”. There is no number in it: judge by the records above.",
            )
        ]
    return [_target(found, words)]


def _target(found: Findings, words: str) -> Text:
    plan, quantity = found.study.plan, found.quantity
    target = quantity.share(plan.target)
    opening = Text(
        f"事先写下的成功标准：{f'“{words}”，即' if words else ''} {target.zh}。".replace("： ", "：").replace(
            "即 ", "即"
        ),
        f"What was to count as success: {f'“{words}”, that is, ' if words else ''}{target.en}. ",
    )
    values = [value for value in found.study.values("B") if not math.isnan(value)]
    if not values:
        return Text(
            f"{opening.zh}改变后还没有记到数，现在说不上。", f"{opening.en}There are no values after the change yet."
        )
    met = sum(found.sign * (value - plan.target) >= 0 for value in values)
    reached = found.sign * (found.after.median - plan.target) >= 0
    middle, of = quantity.share(found.after.median), found.moment.counted(len(values))
    _, after = phase_names(found)
    one = found.moment.one
    return Text(
        f"{opening.zh}{after.zh}居中的{one.zh}是 {middle.zh}，{'达到了' if reached else '没有达到'}；"
        f"{of.zh}中有 {met} {'天' if found.moment.daily else '次'}达到。",
        f"{opening.en}The middle {one.en} {after.en} is at {middle.en}: {'reached' if reached else 'not reached'}; "
        f"{met} of {of.en} reached it.",
    )


def _consent(found: Findings) -> Text:
    words = clean(found.study.plan.consent)
    if words:
        return Text(f"知情同意：{words.rstrip('。.')}。", f"Consent: {words.rstrip('。.')}.")
    return Text(
        "没有写明谁同意了这项研究；学生未成年，请在给别人看之前补上。",
        "Who agreed to the study was not written down; pupils are minors: see to it before others read this.",
    )


def _changes(found: Findings) -> list[Text]:
    if not found.study.changes:
        return [
            Text(
                "第一次记录之后，没有写下也没有发现计划有改动。",
                "No change of the plan after the first record was written down or found.",
            )
        ]
    said = []
    for change in found.study.changes:
        when = day(change.noticed_on)
        what = change.what if isinstance(change.what, Text) else Text(change.what, change.what)
        what = Text(clean(what.zh).rstrip("。."), clean(what.en).rstrip("。."))
        marks = " → ".join(mark[:FINGERPRINT] for mark in (change.before, change.after) if mark)
        said.append(
            Text(
                f"第一次记录之后改过计划（{when.zh}）：{what.zh}{f'；指纹 {marks}' if marks else ''}。",
                f"The plan was changed after the first record ({when.en}): {what.en}"
                f"{f'; fingerprint {marks}' if marks else ''}.",
            )
        )
    return said


# --- what the design can and cannot show ----------------------------------------------------------------------------


def meaning(found: Findings) -> list[Text]:
    """Say what a study of this design can show and what it cannot."""
    plan = found.study.plan
    turns = plan.design == "alternating"
    if plan.start == "chosen":
        lots = _TURNS_CHOSEN if turns else _CHOSEN
    elif turns:
        lots = _TURNS_DRAWN if found.chance else _TURNS_NOT_IN_PAIRS
    else:
        lots = _drawn_start(found)
    return [*{"AB": _AB, "ABAB": _ABAB, "alternating": _TURNS}[plan.design], lots, _ONE_CLASS]


_AB = (
    Text(
        "能说明：改变前后的记录相差多少，这个差有多稳。",
        "It can show how far the records before and after the change lie apart, and how steady that difference is.",
    ),
    Text(
        "不能说明：差别是不是由这个办法带来的。只改变了一次，恰好同时发生的别的事、学生自己的成长，都可能带来同样的变化。",
        "It cannot show whether the change brought this about. Things were changed only once; whatever else happened "
        "just then, and pupils growing older, may have done the same.",
    ),
)
_ABAB = (
    Text(
        "能说明：记录是不是每次都跟着办法走。用上、停下、再用，三次转换都朝预想的方向变，别的原因就不容易解释。",
        "It can show whether the records follow the change each time. If all three turns go as expected, other "
        "causes "
        "have a hard time explaining it.",
    ),
    Text(
        "不能说明：停下之后学生是否真的回到了原样。习惯一旦养成，记录可能不退回，那不等于办法没有用。",
        "It cannot show that pupils went back to where they were. Once a habit has formed, the records may not fall "
        "back, which does not mean that the change is of no use.",
    ),
)
_TURNS = (
    Text(
        "能说明：在同一段时间里，照旧与改变的时候相差多少；学生的成长、季节这类慢慢的变化，对两种时候的影响大致相同。",
        "It can show how far records as usual and with the change lie apart in the same weeks; slow things such as "
        "growing older or the season bear on both alike.",
    ),
    Text(
        "不能说明：前一天留下的影响。办法若有后劲，照旧的日子也会沾光，差别会显得小。",
        "It cannot show what lingers from the day before: if the change has an after-effect, usual days gain "
        "by it and "
        "the difference looks smaller.",
    ),
)
_CHOSEN = Text(
    "开始的日子是自己选的，不是抽签定的，所以这里不算“碰巧有多大可能”：算出来也没有意义。",
    "The day on which to begin was chosen and not drawn by lot, so no probability of chance is given here: it would "
    "mean nothing.",
)
_TURNS_DRAWN = Text(
    "次序是抽签定的，所以可以算出：如果办法毫无作用，单凭抽签碰巧有这么大差别的可能（见上面的表）。",
    "Lots decided the order, so one can compute how often they alone would give such a difference if the change did "
    "nothing at all (see the table above).",
)
_TURNS_CHOSEN = Text(
    "次序是自己定的，不是抽签定的，所以这里不算“碰巧有多大可能”：算出来也没有意义。",
    "The order was chosen and not drawn by lot, so no probability of chance is given here: it would mean nothing.",
)
_TURNS_NOT_IN_PAIRS = Text(
    "次序是抽签定的，但不是两次一签，抽签的全部可能无从知道，所以这里不算“碰巧有多大可能”。",
    "Lots decided the order, but not two records at a time, so it is not known what else could have been "
    "drawn, and no "
    "probability of chance is given here.",
)
_ONE_CLASS = Text(
    "这只是一个班、一段时间的记录，不能直接推到别的班。",
    "This is one class in one stretch of time, and does not carry over to other classes as it is.",
)


def _drawn_start(found: Findings) -> Text:
    plan = found.study.plan
    days = Text("开始的日子", "when to begin") if plan.design == "AB" else Text("转换的日子", "when to turn")
    window = Text("", "")
    if plan.earliest is not None and plan.latest is not None:
        window = Text(
            f"在第 {number(plan.earliest)} 次到第 {number(plan.latest)} 次记录之间",
            f" among records {number(plan.earliest)} to {number(plan.latest)}",
        )
    if plan.design == "ABAB":
        return Text(
            f"{days.zh}是抽签定的；但计划里没有每一次抽签的范围，所以这里不算“碰巧有多大可能”。",
            f"Lots decided {days.en}; but the plan does not say between which records each was drawn, so no "
            f"probability of "
            "chance is given here.",
        )
    if found.chance is None:
        return Text(
            f"{days.zh}是{window.zh}抽签定的；但现在的记录还不够算出“碰巧有多大可能”。",
            f"Lots decided {days.en}{window.en}; but the records do not yet suffice to compute how likely chance is.",
        )
    return Text(
        f"{days.zh}是{window.zh}抽签定的，所以可以算出：如果办法毫无作用，单凭抽签碰巧有这么大差别的可能（见上面的表）。"
        "它排除的是“挑了个好时候”，排除不了恰好同时发生的别的事。",
        f"Lots decided {days.en}{window.en}, so one can compute how often they alone would give such a difference if "
        "the change did nothing at all (see the table above). That rules out a moment picked for the purpose, "
        "but not "
        "something else that happened just then.",
    )
