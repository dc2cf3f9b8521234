"""What is searched for: everything that says who somebody is, or where on whose machine."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from htresearch import identifiers
from htresearch.identifiers.found import Found, mark
from htresearch.identifiers.plain import plain
from htresearch.publish.leaks.broken import mended
from htresearch.publish.leaks.listed import of_roster, study_ids

if TYPE_CHECKING:
    from htresearch.study.open import Study

#: Keyed pseudonyms, and the ids that a simulated district has, whosever study they are of.
_PSEUDONYM = re.compile(
    r"(?<![0-9A-Za-z])(?:t|s|p|r|sch|cls)(?:_(?=[a-f]*[0-9])[0-9a-f]{8,64}|[_\- ](?=[0-9]*[a-f])[0-9a-f]{16,64})"
    r"(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_ID = re.compile(r"(?<![0-9A-Za-z])(?:[TC][0-9]{6}|[PR][0-9]{8})(?![0-9A-Za-z])")

_ROOTS = r"home|Users|root|tmp|mnt|media|private|Volumes|var|srv|opt|work|data/home|export/home|content|kaggle"
_PATH = re.compile(
    r"file:/{1,3}[^\s/]"
    # A drive: D:/data; what LaTeX and the end of a line write after a colon is none.
    r"|(?<![A-Za-z0-9])[A-Za-z]:(?:\\{1,2}(?!(?:math|text|to\b|in\b|[nrt]\b))|/(?!/))[^\s\\/:*?\"<>|{}]{2,}"
    # A drive of the network, by the name of a machine.
    r"|(?<![\\\w}$&])\\{2,4}(?=[A-Za-z0-9.\-]*[0-9.\-A-Z])[A-Za-z0-9][A-Za-z0-9.\-]+\\{1,2}[^\s\\$&{}]{2,}"
    rf"|(?<![A-Za-z0-9_./~])/(?:{_ROOTS})/[^\s/\"'<>)]"
)
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_WORD = re.compile(r"[0-9A-Za-z]+")
#: A shorter id, or a number of fewer digits, would be found everywhere.
_SHORTEST_ID, _SHORTEST_NUMBER = 4, 6
#: What may be somebody's own: ids, and nothing by which the rest of the world knows a person.
_IDS = frozenset({"study_id", "pseudonym"})


class Secrets:
    """What may not get out: the persons of a roster or of a linkage table, and the ids of a study.

    Phones, ID cards, 学籍号, e-mail and IP addresses, WeChat names, pseudonyms and paths of a machine are found
    whether or not anything is given here: they are known by their form.

    Parameters
    ----------
    names
        Full names; see `htresearch.identifiers.Names`.
    ids
        Ids of teachers, students and classes.
    numbers
        What else is known of persons: numbers and addresses.

    Attributes
    ----------
    left_out : int
        How many ids and names are too short to be searched for: ``3`` would be found everywhere.

    Examples
    --------
    >>> secrets = Secrets(names=["王兰"], ids=["T-104"])
    >>> secrets.kinds("王 兰 (t-104)，/home" "/wang/data.csv")
    ['name', 'path', 'study_id']
    >>> secrets.mask("report_T-104.pdf")
    'report_‹研究中的编号›.pdf'
    """

    def __init__(self, names: Iterable[object] = (), ids: Iterable[object] = (), numbers: Iterable[object] = ()):
        names = [name.strip() if isinstance(name, str) else name for name in dict.fromkeys(names)]
        # In Latin letters the family name stands first or last.
        turned = [" ".join(reversed(n.split())) for n in names if isinstance(n, str) and n.isascii() and " " in n]
        self._names = identifiers.Names([*names, *turned])
        # A name of two characters, taken apart, would be found at many a line's end.
        self._long = identifiers.Names([n for n in names if isinstance(n, str) and len(n) > 2 and not n.isascii()])
        self._known = (("study_id", _Known(ids)), ("known_number", _Known(numbers)))
        self._own: frozenset[str] = frozenset()
        self.left_out = self._names.left_out + sum(known.left_out for _, known in self._known)

    def __repr__(self) -> str:
        """Say how much is searched for, and nobody's name."""
        return f"Secrets({sum(len(known) for _, known in self._known)} ids, {self.left_out} left out)"

    @classmethod
    def read(
        cls,
        roster: str | Path | None = None,
        linkage: str | Path | None = None,
        study: Study | str | Path | None = None,
    ) -> Secrets:
        """Read what may not get out from a roster, a linkage table and a study; any of them may be missing.

        Parameters
        ----------
        roster
            A table (xlsx, csv …) with a column 姓名 or ``name`` in any of its sheets, or a text file with a name a
            line. Names are not spelled in pinyin by themselves (a character may have several readings): add a column
            拼音, and they are found in any case, with or without spaces, the family name first or last. Columns of
            numbers (学籍号, 电话 …) are searched for too.
        linkage
            The linkage table that intake keeps.
        study
            A study, or where it is; the ids of its teachers, students, classes and respondents are searched for.

        Raises
        ------
        ArgumentError
            If a file holds no names, or is no linkage table, or if the study cannot be read.
        """
        names: list[object] = []
        ids: list[object] = []
        numbers: list[object] = []
        if roster is not None:
            found = of_roster(Path(roster))
            names += found[0]
            numbers += found[1]
        if linkage is not None:
            from htresearch.intake.identity import Linkage

            frame = Linkage.load(linkage, study).frame
            ids += frame["pseudonym"].tolist()
            names += frame.loc[frame["what"] == "name", "value"].tolist()
            numbers += frame.loc[~frame["what"].isin(["name", "school", "class"]), "value"].tolist()
        if study is not None:
            ids += study_ids(study)
        return cls(names, ids, numbers)

    def adding(self, ids: Iterable[object]) -> Secrets:
        """Return the same with more ids that may not get out, as those of other schools.

        Examples
        --------
        >>> Secrets().adding(["S0002"]).kinds("S0001, S0002")
        ['study_id']
        """
        more = copy(self)
        known = _Known(ids)
        more._known = (*self._known, ("study_id", known))
        more.left_out = self.left_out + known.left_out
        return more

    def sparing(self, own: Iterable[object]) -> Secrets:
        """Return the same for a text that may hold these ids: a teacher's file holds the teacher's own.

        Names, phones and all that is no id are found all the same.

        Examples
        --------
        >>> Secrets().sparing(["T000104"]).kinds("T000104"), Secrets().sparing(["T000104"]).kinds("T000105")
        ([], ['study_id'])
        """
        fewer = copy(self)
        fewer._own = self._own | {_as_id(one) for one in own}
        return fewer

    def kinds(self, text: str) -> list[str]:
        """Return the kinds of what a text holds, each once; an empty list for a text that may get out."""
        found: dict[str, None] = {}
        for reading in _readings(text):
            found.update(dict.fromkeys(kind for kind, _, _ in self._find(reading)))
            if "name" not in found and self._long.find(_APART.sub("", reading)):
                found["name"] = None
        return list(found)

    def mask(self, text: str) -> str:
        """Return a short text, as the name of a file, with a mark in the place of each find."""
        for _ in range(len(text)):
            found = self._find(text)
            if not found:
                break
            kind, start, end = found[0]
            text = text[:start] + mark(kind) + text[end:]
        return "‹…›" if self.kinds(text) else text

    def _find(self, text: str) -> list[Found]:
        found = identifiers.find(text) + self._names.find(text)
        read, places = plain(text)
        for kind, pattern in (("pseudonym", _PSEUDONYM), ("study_id", _ID), ("path", _PATH)):
            found += [Found(kind, *match.span()) for match in pattern.finditer(read)]
        found += [Found("path", *span) for span in _here(read)]
        for kind, known in self._known:
            found += [Found(kind, *span) for span in known.find(read)]
        if self._own:
            own = self._own
            found = [one for one in found if one.kind not in _IDS or _as_id(read[one.start : one.end]) not in own]
        if places is None:
            return found
        return [Found(kind, min(start, len(text)), min(end, len(text))) for kind, start, end in found]


def _as_id(one: object) -> str:
    """Return an id as it is compared: in plain characters and small letters."""
    return plain(str(one).strip())[0].translate(_ASCII_LOWER)


class _Known:
    """Ids that are known, found as words of a text, whatever the case of their letters."""

    def __init__(self, ids: Iterable[object]):
        self._by_word: dict[str, tuple[set[str], set[int]]] = {}
        self._others: list[str] = []
        self.left_out = self._count = 0
        for given in dict.fromkeys(str(one).strip() for one in ids if one is not None and one == one):
            one = _as_id(given)
            if len(one) < (_SHORTEST_NUMBER if one.isdigit() else _SHORTEST_ID) or not re.search("[0-9]", one):
                self.left_out += bool(one)
                continue
            self._count += 1
            word = _WORD.match(one)
            if word:
                known, lengths = self._by_word.setdefault(word[0], (set(), set()))
                known.add(one)
                lengths.add(len(one))
            else:
                self._others.append(one)

    def __len__(self) -> int:
        return self._count

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Give where a text in plain characters holds one of them."""
        lower = text.translate(_ASCII_LOWER)
        for match in _WORD.finditer(lower) if self._by_word else ():
            known, lengths = self._by_word.get(match[0], ((), ()))
            for length in lengths:
                start, end = match.start(), match.start() + length
                if lower[start:end] in known and not (
                    lower[end : end + 1].isascii() and lower[end : end + 1].isalnum()
                ):
                    yield start, end
        for one in self._others:
            start = lower.find(one)
            if start >= 0:
                yield start, start + len(one)


@cache
def _machine() -> tuple[str, ...]:
    """Where this very machine keeps its user's files."""
    places = {str(Path.home()), str(Path.cwd())}
    return tuple(place for place in places if len(place) > len("/root"))


def _here(text: str) -> Iterator[tuple[int, int]]:
    for place in _machine():
        start = text.find(place)
        if start >= 0:
            yield start, start + len(place)


# --- how a text may be read -----------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\[nrt]")
_PACKED = re.compile(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{12,}={0,2}(?![A-Za-z0-9+/=_\-])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){9,200}(?![0-9A-Za-z])")
_AT = re.compile(r"\s*[(\[{（【]\s*at\s*[)\]}）】]\s*", re.IGNORECASE)
_DOT = re.compile(r"\s*[(\[{（【]\s*dot\s*[)\]}）】]\s*", re.IGNORECASE)
#: Digits that are no decimals (①, ², ⑴), and the numerals that cheques are written in.
_ODD_DIGITS = re.compile(
    r"[\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u24ea\u2776-\u277e]{7,}"
)
_CHEQUE = re.compile("[零壹贰叁肆伍陆柒捌玖]{11,}")
_CHEQUE_DIGITS = str.maketrans("零壹贰叁肆伍陆柒捌玖", "0123456789")
#: What stands between the characters of a name that was taken apart.
_APART = re.compile(r"(?<=[\u3400-\u9fff])[\s\-\u2010-\u2015_/|,，、.。*~]{1,12}(?=[\u3400-\u9fff])")


def _readings(text: str) -> Iterator[str]:
    """Give a text as it stands, and as a browser, a kernel or a link's reader would understand it."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    yield text
    seen = {text}
    for read in (
        _to_the_end(html.unescape, text) if "&" in text else text,
        _to_the_end(unquote, text) if "%" in text else text,
        unquote(text, encoding="gb18030", errors="replace") if "%" in text else text,
        _ESCAPED.sub(_unescaped, text) if "\\" in text else text,
        re.sub(r"\\(?=[_\-.@*])|[*`](?=\w)|(?<=\w)[*`]", "", text) if re.search(r"[\\*`]", text) else text,
        _DOT.sub(".", _AT.sub("@", text)) if re.search(r"\bat\b", text, re.IGNORECASE) else text,
        _CHEQUE.sub(lambda m: m[0].translate(_CHEQUE_DIGITS), _ODD_DIGITS.sub(_as_digits, text)),
    ):
        if read not in seen:
            seen.add(read)
            yield read.encode("utf-8", "replace").decode("utf-8")
    yield from mended(text)
    for match in _PACKED.finditer(text):
        if unpacked := _unpacked(match[0]):
            yield unpacked
    for match in _HEX.finditer(text):
        said = bytes.fromhex(match[0]).decode("utf-8", "replace")
        if "\ufffd" not in said and said.isprintable():
            yield said


def _to_the_end(read: Callable[[str], str], text: str) -> str:
    """Read again what was packed more than once."""
    for _ in range(3):
        text, before = read(text), text
        if text == before:
            break
    return text


def _as_digits(match: re.Match) -> str:
    return "".join(str(unicodedata.digit(character)) for character in match[0])


def _unescaped(match: re.Match) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else " "


_URL_SAFE = str.maketrans("-_", "+/")


def _unpacked(word: str) -> str | None:
    """Return a word of base64 as the text that it stands for, if it stands for one."""
    try:
        word = word.translate(_URL_SAFE).rstrip("=")
        said = base64.b64decode(word + "=" * (-len(word) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return said if said.isprintable() or not re.search(r"[\x00-\x08\x0e-\x1f]", said) else None
