"""Which characters the font has. One that it lacks would print as an empty box, so it is found beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

_Data = TypeVar("_Data")

#: What stands for a character that the font lacks, as printers have always done it.
GETA = "〓"

# Marks that steer the character before them and have no shape of their own: joiners, variation selectors.
_SHAPELESS = frozenset("\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f\n\t")


def font_folder() -> Path:
    """Return the folder of the one font that pages are set in."""
    return Path(str(files("zhplot").joinpath("fonts")))


def code_font() -> Path:
    """Return the folder with the font of code, which Matplotlib brings; what it lacks is set in the other."""
    return Path(str(files("matplotlib").joinpath("mpl-data/fonts/ttf")))


@cache
def _known() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(font_folder() / "NotoSansSC-Regular.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap())


def missing_glyphs(data: object) -> list[str]:
    """Return the characters of all strings in nested data that the font lacks, each once, in order.

    Examples
    --------
    >>> missing_glyphs({"title": "班级研究", "rows": [["ok", "𓀀"]]})
    ['𓀀']
    """
    known = _known()
    every = (mark for text in _strings(data) for mark in text)
    return list(dict.fromkeys(m for m in every if ord(m) not in known and m not in _SHAPELESS))


def _strings(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _strings(value)


def printable(data: _Data) -> _Data:
    """Return a text, or nested data with every text in it, with `GETA` for each character that the font lacks.

    For words that others wrote, where the page says that it was done; `missing_glyphs` tells whether it was.

    Examples
    --------
    >>> printable({"rows": ["加油𓀀", 3]})
    {'rows': ['加油〓', 3]}
    """
    lacking = missing_glyphs(data)
    return _with(data, {ord(mark): GETA for mark in lacking}) if lacking else data


def _with(data: _Data, marks: Mapping[int, str]) -> _Data:
    if isinstance(data, str):
        return data.translate(marks)
    if isinstance(data, Mapping):
        return {name: _with(value, marks) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with(value, marks) for value in data]
    return data
