"""Names of a roster inside free text."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from htresearch.identifiers.found import Found, mark
from htresearch.identifiers.plain import INVISIBLE
from htresearch.identifiers.rules import KINDS
from htresearch.identifiers.traditional import SIMPLIFIED

_BETWEEN = frozenset(" \t\u00a0\u2002\u2003\u2009\u3000·•・‧∙⋅･●．.")
_DOTS = re.compile("[·•・‧∙⋅･●．.]")
_SHORTEST = 2


class Names:
    """The names of a roster, to be found in free text.

    A name is found with spaces or a dot between its characters (王　兰, 阿卜杜拉·买买提), in any width and case, in
    simplified and in traditional characters, and the parts of three and more characters of a name with a dot are
    found alone, as people are called by them. Of names that begin at one place, the longest is found. A name that is
    also a word (高兴, 文明) is found as that word too: what is lost of the text weighs less than a name that stays.

    Parameters
    ----------
    names
        Full names. What has fewer than two letters is left out, for it would be found everywhere.

    Attributes
    ----------
    left_out : int
        How many entries were no names to look for.

    Examples
    --------
    >>> text = "李 建国老师和阿卜杜拉谈过"
    >>> [text[a:b] for _, a, b in Names(["李建国", "阿卜杜拉·买买提"]).find(text)]
    ['李 建国', '阿卜杜拉']
    """

    def __init__(self, names: Iterable[object]):
        by_start: dict[str, set[str]] = defaultdict(set)
        self.left_out = 0
        for name in names:
            whole = _letters(name) if isinstance(name, str) else ""
            if len(whole) < _SHORTEST or not whole.isalpha():
                self.left_out += 1
                continue
            parts = [part for part in map(_letters, _DOTS.split(name)) if len(part) >= 3 and part.isalpha()]
            for key in (whole, *(parts if not whole.isascii() else ())):
                by_start[key[:_SHORTEST]].add(key)
        self._by_start = {start: sorted(keys, key=len, reverse=True) for start, keys in by_start.items()}

    def find(self, text: str) -> list[Found]:
        """Find the names in a text, as `identifiers.find` finds numbers; the kind is ``"name"``."""
        found: list[Found] = []
        if not self._by_start:
            return found
        places = [i for i, c in enumerate(text) if c not in _BETWEEN and not INVISIBLE.match(c)]
        read = "".join(_letter(text[i]) for i in places)
        marks = [found.span() for found in _marks().finditer(text)]
        position = 0
        while position < len(read) - 1:
            for name in self._by_start.get(read[position : position + _SHORTEST], ()):
                if read.startswith(name, position):
                    start, end = places[position], places[position + len(name) - 1] + 1
                    if _stands_alone(text, start, end) and not any(a < end and start < b for a, b in marks):
                        found.append(Found("name", start, end))
                        position += len(name) - 1
                        break
            position += 1
        return found


@cache
def _marks() -> re.Pattern:
    """Match the marks of finds: a roster's heading (姓名) is no name inside one."""
    return re.compile("|".join(map(mark, KINDS)))


def _letter(character: str) -> str:
    """Return a character in its usual, simplified form, where that is one character too."""
    usual = unicodedata.normalize("NFKC", character).casefold()
    return (usual if len(usual) == 1 else character).translate(SIMPLIFIED)


def _letters(name: str) -> str:
    return "".join(_letter(c) for c in name if not c.isspace() and c not in _BETWEEN and not INVISIBLE.match(c))


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether a name in Latin letters is no part of a longer word."""

    def latin(character: str) -> bool:
        return character.isascii() and character.isalpha()

    return not (latin(text[start]) and latin(text[start - 1 : start])) and not (
        latin(text[end - 1]) and latin(text[end : end + 1])
    )
