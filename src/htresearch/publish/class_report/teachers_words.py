"""What teachers wrote, made fit for a report: on one line, without what tells who somebody is."""

from __future__ import annotations

import re
import unicodedata

from htresearch import identifiers

_BREAKS = re.compile(r"\s+")


def clean(text: object) -> str:
    """Return a text on one line, without control characters, phone numbers, ID cards and the like.

    Examples
    --------
    >>> clean("  有事打\\n13800138000 ")
    '有事打 ‹电话›'
    """
    shown = (mark for mark in str(text or "") if unicodedata.category(mark) not in ("Cf", "Cs", "Cn"))
    plain = "".join(" " if unicodedata.category(mark) == "Cc" else mark for mark in shown)
    return identifiers.mask(_BREAKS.sub(" ", plain).strip())


def holds_identifiers(*texts: object) -> bool:
    """Whether something in any of the texts tells who somebody is, so that `clean` takes it out."""
    return any(identifiers.find(str(text)) for text in texts if text)
