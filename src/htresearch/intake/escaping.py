"""Text that a spreadsheet would take for a formula, made harmless on writing and restored on reading."""

from __future__ import annotations

import re

#: Signs that begin a formula in Excel or WPS, in their full width too, and blanks that hide one.
_SIGNS = "=+-@＝＋－＠\t\r\n"
_NUMBER = re.compile(r"[+-]\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?\s*%?")


def escaped(value: object) -> object:
    """Return a cell's value as it is written for a spreadsheet: text that begins a formula gets an apostrophe.

    Numbers stay as they are, negative ones too, whether they come as numbers or as text.

    Examples
    --------
    >>> escaped("=HYPERLINK(A1)"), escaped("-3.5"), escaped(-3.5), escaped("语文")
    ("'=HYPERLINK(A1)", '-3.5', -3.5, '语文')
    """
    return f"'{value}" if isinstance(value, str) and _begins_formula(value) else value


def unescaped(value: object) -> object:
    """Return what `escaped` was given.

    Examples
    --------
    >>> unescaped("'=1+1"), unescaped("'twas"), unescaped(escaped("'=1+1"))
    ('=1+1', "'twas", "'=1+1")
    """
    return value[1:] if isinstance(value, str) and value.startswith("'") and _begins_formula(value) else value


def _begins_formula(text: str) -> bool:
    bare = text.lstrip("'")
    return bare[:1] in _SIGNS and bare != "" and not _NUMBER.fullmatch(bare)
