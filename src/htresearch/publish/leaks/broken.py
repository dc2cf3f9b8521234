"""Numbers that the end of a line broke in two, or in more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from htresearch.identifiers.plain import plain

_TAIL = re.compile(r"\+?[0-9](?:[ \-·]{0,2}[0-9])*[ \-·]{0,2}$")
_HEAD = re.compile(r"[ \-·]{0,2}[0-9X](?:[ \-·]{0,2}[0-9X])*(?![0-9A-Z])(?![.,][0-9])", re.IGNORECASE)
#: How many digits a phone has, with 0 or a country before it, and a card, without its X and with a letter before it.
_LENGTHS = frozenset((11, 12, 13, 14, 15, 17, 18))
_SAYS_SO = re.compile(
    r"(?:电话|手机|联系|座机|打|拨|短信|微信|tel|phone|mobile|call|dial|text|contact)[^0-9]{0,16}$", re.I
)
_WORD_BEFORE = re.compile(r"[^\W\d_][^\w\n|,;]{0,4}$")
_LONGEST = 4


def mended(text: str) -> Iterator[str]:
    """Give each number that may have been broken, in one piece, with what stands before it.

    A column of numbers is none: together the lines must have as many digits as a phone or a card, no further line of
    digits may follow, and a phone needs a word before it, on its own line or one that says what it is.

    Examples
    --------
    >>> list(mended("有事打 138001\\n38000 找我"))
    ['有事打 13800138000']
    """
    lines = plain(text)[0].splitlines()
    for number, line in enumerate(lines[:-1]):
        line = line.rstrip()
        tail = _TAIL.search(line)
        if not tail or (tail.start() and re.match(r"[0-9A-Za-z.,]", line[tail.start() - 1])):
            continue
        parts = [tail[0]]
        for below in lines[number + 1 : number + 1 + _LONGEST]:
            head = _HEAD.match(below.lstrip())
            if head:
                parts.append(head[0].strip())
            if not head or below.strip() != head[0].strip():
                break
        digits = sum(character.isdigit() for part in parts for character in part)
        if len(parts) < 2 or digits not in _LENGTHS:
            continue
        before = line[: tail.start()]
        said = before or " ".join(lines[max(0, number - 1) : number])
        if digits < 15 and not (_WORD_BEFORE.search(before) or _SAYS_SO.search(said)):
            continue
        yield said[-20:] + re.sub(r"[ \-·]", "", "".join(parts))
