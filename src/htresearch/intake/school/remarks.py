"""Remarks of a termly list: who took over from whom on which day, in the wordings that leave no doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from htresearch.intake.school.dates import find_days
from htresearch.intake.school.dictionary import Dictionary
from htresearch.intake.school.places import Term

_DAY = timedelta(days=1)
#: A holiday on either side of a term belongs to its list.
_AROUND = timedelta(days=62)
_WHO = r"(?P<who>[一-龥·]{2,}?)(?:老师|教师|同志)?"
_TAKES = r"(?P<how>接任|接替|接管|继任|担任|任班主任|任|代理|代班|代)(?:班主任)?(?:工作)?"
_OLD = r"(?:原|前)班主任[:为是]?(?P<who>[一-龥·]{2,4}?)(?:老师)?"

# «0» stands for the first day that is named, «1» for the second.
_HANDS_OVER = re.compile(rf"«0»(?:起|开始)?(?P<why>[^«»由]*?)[,，、]?(?:改)?由{_WHO}{_TAKES}(?P<rest>[^«»]*)")
_STANDS_IN = re.compile(
    rf"«0»(?:起)?(?:至|到|-)«1»(?:期间|止)?(?P<why>[^«»由]*?)[,，、]?由{_WHO}(?P<how>代理|代班|代)(?:班主任)?(?P<rest>)"
)
_TOOK_OVER = re.compile(rf"{_OLD}[,，]?(?P<end>于|至|到)?«0»(?P<mark>起|止|前)?(?P<why>[^«»]*)")
_STARTED = re.compile(r"(?:于|自)?«0»(?:起|开始)?(?:接任|接手|接班|任职|到任|上任|担任班主任|任班主任)(?P<why>)")
_ENDED = re.compile(r"(?:于|至|到)?«0»(?P<mark>起)?(?P<why>[^«»由]+)")
#: What shows that a remark is about who leads the class.
_TRIGGER = re.compile(
    r"接任|接替|接手|代理|代班|原班主任|前班主任|离任|卸任|改由|换班|调离|产假|病假|休假|退休|免去|不再担任|换成|更换|\d月|学期中"
)
_ENDS = ("离任", "止", "结束")


@dataclass(frozen=True)
class Change:
    """What a remark says.

    Attributes
    ----------
    kind : str
        ``successor`` (someone takes over from the one listed), ``acting`` (stands in), ``predecessor`` (someone led
        the class before the one listed), ``started`` or ``ended`` (the one listed).
    first, last : datetime.date or None
        First day of who came, or last day of who went.
    name : str or None
        Of the other person.
    reason : str or None
        Why a spell ended, as the vocabulary has it.
    """

    kind: str
    first: date | None = None
    last: date | None = None
    name: str | None = None
    reason: str | None = None


def is_about_leading(text: str) -> bool:
    """Tell whether a remark is about who leads the class, so that it must not be passed over."""
    return bool(_TRIGGER.search(text))


def change(text: str, term: Term, words: Dictionary) -> Change | None:
    """Read a remark; None where it says nothing that is certain.

    Parameters
    ----------
    text
        The remark, made `plain`, such as 2023年4月29日起由李敏接任,原班主任休产假.
    """
    days = find_days(text, term.starts_on - _AROUND, term.ends_on + _AROUND)
    marked, shift = text, 0
    for place, (_, begins, ends) in enumerate(days[:10]):
        mark = f"«{place}»"
        marked = marked[: begins + shift] + mark + marked[ends + shift :]
        shift += len(mark) - (ends - begins)
    marked = marked.strip("()。.;；")
    if len(days) == 2 and (said := _STANDS_IN.fullmatch(marked)):
        return Change("acting", days[0][0], days[1][0], said["who"])
    if len(days) != 1:
        return None
    named = days[0][0]
    if said := _HANDS_OVER.fullmatch(marked):
        reason = _reason(said["why"] + "," + said["rest"], words)
        if said["how"].startswith("代"):
            return Change("acting", named, None, said["who"])
        return Change("successor", named, named - _DAY, said["who"], reason)
    if said := _TOOK_OVER.fullmatch(marked):
        last = named - _DAY if said["mark"] in ("起", "前") else named
        return Change("predecessor", last + _DAY, last, said["who"], _reason(said["why"], words))
    if _STARTED.fullmatch(marked):
        return Change("started", named)
    if (said := _ENDED.fullmatch(marked)) and (said["why"] in words.words["reason"] or said["why"] in _ENDS):
        last = named - _DAY if said["mark"] else named
        return Change("ended", None, last, None, words.words["reason"].get(said["why"]))
    return None


def _reason(text: str, words: Dictionary) -> str | None:
    """Return the reason whose longest word a remark holds."""
    known = [word for word in words.words["reason"] if len(word) > 1 and word in text]
    return words.words["reason"][max(known, key=len)] if known else None
