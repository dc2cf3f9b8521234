"""A text in plain characters, so that a number is read however it was typed."""

import re
import unicodedata

_PLAIN = str.maketrans(
    {chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)}
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " ")
    | dict.fromkeys("‐‑‒–—―−﹣─ー", "-")
    | dict.fromkeys("•・‧∙⋅･●", "·")
    | dict.fromkeys("×✕ХхΧ", "X")  # how the last character of an ID card is also typed
)
INVISIBLE = re.compile("[\u00ad\u034f\u180e\u200b-\u200f\u20e3\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_SPELLED = re.compile("[〇零○一二三四五六七八九幺]{11,}")
_SPELLED_DIGITS = str.maketrans("〇零○一二三四五六七八九幺", "0001234567891")


def plain(text: str) -> tuple[str, list[int] | None]:
    """Return a text with ASCII digits, letters and separators, and where each of its characters stood.

    The places are ``None`` where every character has kept its own. Eleven and more spelled-out digits in a row
    (一三八…) are digits too.

    Examples
    --------
    >>> plain("１３８－００１３")
    ('138-0013', None)
    """
    if text.isascii():
        return text, None
    places = None
    if INVISIBLE.search(text):
        places = [i for i, character in enumerate(text) if not INVISIBLE.match(character)]
        text = "".join(text[i] for i in places)
    text = _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text.translate(_PLAIN))
    return _SPELLED.sub(lambda spelled: spelled[0].translate(_SPELLED_DIGITS), text), places
