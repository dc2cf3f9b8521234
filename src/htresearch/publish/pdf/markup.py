"""HTML of a page as plain nested data that a Typst template sets. What it doesn't know, it keeps as text."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Undecodable
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from itertools import groupby
from unicodedata import east_asian_width

from htresearch.publish.pdf.grid import table

_VOID = frozenset(("area", "br", "col", "hr", "img", "wbr", "input", "embed", "source", "track", "link", "meta"))
_HIDDEN = frozenset(("style", "script", "template", "head", "title"))
_BLOCKS = frozenset(
    (
        *("p", "div", "section", "article", "header", "footer", "main", "aside", "nav", "ul", "ol", "li", "dl", "dt"),
        *("dd", "blockquote", "pre", "hr", "table", "figure", "figcaption", "img", "details", "summary", "address"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"),
    )
)
_MARKS = {
    "strong": "strong",
    "b": "strong",
    "em": "em",
    "i": "em",
    "cite": "em",
    "dfn": "em",
    "code": "code",
    "kbd": "code",
    "samp": "code",
    "sub": "sub",
    "sup": "sup",
    "del": "strike",
    "s": "strike",
    "strike": "strike",
}
_SPACES = re.compile(r"[ \t\r\n\f]+")
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,(.*)", re.DOTALL)
#: Points: as wide as the text, and low enough for words to stand on the same page.
_WIDEST, _HIGHEST = 493, 350

Block = dict[str, object]
Inline = str | dict[str, object]


@dataclass
class Element:
    """An element of HTML with what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        """The element's classes."""
        return set(self.attributes.get("class", "").split())

    def text(self) -> str:
        """Return all words in it as they stand."""
        if self.tag in _HIDDEN:
            return ""
        if self.tag == "br":
            return "\n"
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def all(self, *tags: str) -> list[Element]:
        """Return the elements of some tags in it, in order, but none inside another table."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag in tags:
                    found.append(child)
                elif child.tag != "table":
                    found += child.all(*tags)
        return found


class _Tree(HTMLParser):
    def __init__(self):
        super().__init__()
        self.root = Element("div")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class Markup:
    """Reads the HTML of one page; `pictures` gathers its images by the names that the blocks have for them.

    Parameters
    ----------
    drawings
        Whether SVG is taken in; otherwise its alternative text is, as for an image that cannot be read.

    Examples
    --------
    >>> Markup().read("<p>On <b>dose</b></p>")
    [{'t': 'para', 'c': ['On ', {'t': 'strong', 'c': ['dose']}]}]
    >>> Markup().read("<blink>kept <p>as text</p></blink>")
    [{'t': 'para', 'c': ['kept']}, {'t': 'para', 'c': ['as text']}]
    """

    def __init__(self, drawings: bool = True):
        self.pictures: dict[str, bytes] = {}
        self._drawings = drawings
        self._level = 0

    def read(self, html: str) -> list[Block]:
        """Return the blocks of a page."""
        tree = _Tree()
        tree.feed(html)
        tree.close()
        return self.blocks(tree.root)

    def blocks(self, element: Element) -> list[Block]:
        """Return what is in an element as blocks; words between blocks become paragraphs."""
        found: list[Block] = []
        for is_block, run in groupby(element.children, key=_is_block):
            children = list(run)
            if is_block:
                found += [block for child in children for block in self._block(child)]
            elif words := _trimmed(self.inlines(children)):
                found.append({"t": "para", "c": words})
        return found

    def _block(self, element: Element) -> list[Block]:
        tag = element.tag
        if "code" in element.classes and tag == "details":
            return []  # folded away on the page, too
        if tag[0] == "h" and tag[1:].isdigit():
            # Readers that go by headings need them without gaps; a page may leave one out.
            self._level = min(int(tag[1:]), self._level + 1)
            words = _trimmed(self.inlines(element.children))
            return [{"t": "heading", "level": self._level, "c": words}] if words else []
        if tag in ("ul", "ol"):
            items = [self.blocks(i) for i in _as_items(element)]
            start = element.attributes.get("start", "1")
            first = int(start) if start.isdigit() else 1
            return [{"t": "list", "ordered": tag == "ol", "start": first, "items": [i for i in items if i]}]
        if tag == "blockquote":
            return [{"t": "quote", "c": self.blocks(element)}]
        if tag == "pre":
            lines = element.text().strip("\n").expandtabs(4).split("\n")
            return [{"t": "pre", "lines": [line.rstrip() for line in lines], "width": max(map(_columns, lines))}]
        if tag == "hr":
            return [{"t": "rule"}]
        if tag == "table":
            level, pictures = self._level, dict(self.pictures)
            found = table(element, self)
            if not Counter(_letters(element.text())) - Counter(_letters(_said(found))):
                return [found]
            self._level, self.pictures = level, pictures
            return self.blocks(element)  # words outside of its cells: better no table than words lost
        if tag == "img":
            return self._picture(element)
        if tag == "figcaption" and element.all("a") and "download" in element.all("a")[0].attributes:
            return []  # a file beside the page
        if tag == "dl":
            return self._terms(element)
        if "section" in element.classes and tag == "p":
            return [{"t": "label", "c": _trimmed(self.inlines(element.children))}]
        if tag in ("summary", "dt"):
            words = _trimmed(self.inlines(element.children))
            return [{"t": "para", "c": [{"t": "strong", "c": words}]}] if words else []
        if "summary" in element.classes:
            return [{"t": "box", "c": self.blocks(element)}]
        return self.blocks(element)

    def _terms(self, element: Element) -> list[Block]:
        """Return a list of names, each with what is said about it."""
        found: list[Block] = []
        items: list[dict[str, object]] = []
        for child in element.children:
            if isinstance(child, Element) and child.tag == "dt":
                items.append({"c": _trimmed(self.inlines(child.children)), "items": []})
            elif isinstance(child, Element) and child.tag == "dd" and items:
                items[-1]["items"] += self.blocks(child)
            elif isinstance(child, Element) or child.strip():  # no list of names after all: its words stay
                return [block for part in element.children for block in self.blocks(Element("div", {}, [part]))]
        if items:
            found.append({"t": "terms", "items": items})
        return found

    def _picture(self, element: Element) -> list[Block]:
        alt = element.attributes.get("alt", "")
        found = _PICTURE.fullmatch(element.attributes.get("src", ""))
        shown = found and (self._drawings or found[1] != "svg+xml")
        size = _read(found[1], found[2]) if shown else None
        if not size:
            return [{"t": "para", "c": [alt]}] if alt.strip() else []
        content, width = size
        name = f"picture-{len(self.pictures) + 1}.{found[1].partition('+')[0]}"
        self.pictures[name] = content
        return [{"t": "picture", "name": name, "alt": alt, "width": width}]

    def inlines(self, children: list[Element | str]) -> list[Inline]:
        """Return words with their marks; what is no mark that is known is taken for the words in it."""
        found: list[Inline] = []
        for child in children:
            if isinstance(child, str):
                found.append(_SPACES.sub(" ", child))
            elif child.tag == "br":
                found.append({"t": "break"})
            elif child.tag == "img":
                found.append(child.attributes.get("alt", ""))
            elif child.tag in _HIDDEN:
                continue
            elif "kind" in child.classes:
                found.append({"t": "kind", "c": self.inlines(child.children)})
            elif child.tag in _MARKS:
                found.append({"t": _MARKS[child.tag], "c": self.inlines(child.children)})
            elif child.tag == "a" and re.match(r"https?://|mailto:", child.attributes.get("href", "")):
                found.append({"t": "link", "to": child.attributes["href"], "c": self.inlines(child.children)})
            else:
                found += self.inlines(child.children)
        return [words for words in found if words != ""]


def _columns(line: str) -> int:
    """Return how many columns a line takes where Chinese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


def _letters(words: str) -> str:
    return "".join(words.split())


def _said(block: object) -> str:
    """Return every word of nested blocks."""
    if isinstance(block, dict):
        return "".join(
            _said(block[part]) for part in ("c", "items", "lines", "title", "cells", "notes") if part in block
        )
    return block if isinstance(block, str) else "".join(map(_said, block))


def _is_block(child: Element | str) -> bool:
    return isinstance(child, Element) and (
        child.tag in _BLOCKS or (child.tag not in _HIDDEN and any(map(_is_block, child.children)))
    )


def _as_items(element: Element) -> list[Element]:
    """Return the items of a list; what stands between them becomes an item too."""
    return [
        child if isinstance(child, Element) else Element("li", {}, [child])
        for child in element.children
        if isinstance(child, Element) or child.strip()
    ]


def _trimmed(words: list[Inline]) -> list[Inline]:
    """Take off the spaces at the ends; nothing is left of what is only spaces."""
    words = list(words)
    while words and isinstance(words[0], str) and not words[0].strip():
        words.pop(0)
    while words and isinstance(words[-1], str) and not words[-1].strip():
        words.pop()
    if words and isinstance(words[0], str):
        words[0] = words[0].lstrip()
    if words and isinstance(words[-1], str):
        words[-1] = words[-1].rstrip()
    return words


def _read(kind: str, content: str) -> tuple[bytes, float] | None:
    """Return an image and how wide it is set, in points; ``None`` for one that cannot be read."""
    from PIL import Image

    try:
        whole = b64decode(content, validate=False)
        if kind == "svg+xml":
            return whole, _WIDEST
        with Image.open(BytesIO(whole)) as image:
            image.verify()
            width, height = image.size
    except (Undecodable, OSError, SyntaxError, ValueError):
        return None
    return whole, min(width * 72 / 160, _WIDEST, _HIGHEST * width / max(height, 1))
