"""HTML that a cell printed, made fit for a page: identifiers of its own, nothing loaded, nothing left open."""

import re
from html import escape
from html.parser import HTMLParser

#: Elements that load, run or send something.
_ACTIVE = frozenset(
    (
        *("script", "iframe", "frame", "object", "embed", "applet", "link", "base", "meta"),
        *("video", "audio", "source", "form", "input", "button", "select", "textarea"),
    )
)
_VOID = frozenset(("area", "br", "col", "hr", "img", "wbr"))
_POINTING = frozenset(("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "list"))
_LOADING = frozenset(("src", "srcset", "poster", "data", "background", "action", "formaction"))
#: Classes of the tables of great_tables and pandas.
_KNOWN = frozenset(("gt_table", "dataframe"))
_OUTSIDE_STYLE = re.compile(r"@import|url\(\s*['\"]?(?!data:|#)|expression\(", re.IGNORECASE)
# The frame around a fragment scrolls and can be reached by keyboard; one within it that scrolls too could not.
_SCROLLS = re.compile(r"(?<![\w-])overflow(?:-[xy])?\s*:[^;]*;?\s*", re.IGNORECASE)

Attributes = list[tuple[str, str | None]]


def fit(html: str, suffix: str) -> tuple[str, list[str]]:
    """Return a fragment with `suffix` on each identifier, and what in it cannot be published.

    A table by great_tables or pandas leaves its style sheet behind: it is longer than the table, some of its rules
    reach every table of the page, and the page has a style of its own for tables.

    Parameters
    ----------
    html
        What a cell gave as ``text/html``.
    suffix
        What makes the fragment's identifiers differ from those of the page's other fragments.

    Examples
    --------
    >>> fit('<table id="t"><thead><tr><th>x</th></tr></thead></table>', "-2")
    ('<table id="t-2"><thead><tr><th scope="col">x</th></tr></thead></table>', [])
    >>> fit('<script src="a.js"></script>', "-1")[1]
    ['<script>', 'src=a.js']
    """
    found = _Identifiers()
    found.feed(html)
    found.close()
    fragment = _Fragment(frozenset(found.names), suffix, found.styled_here)
    fragment.feed(html)
    fragment.close()
    return fragment.html(), fragment.refused


class _Identifiers(HTMLParser):
    """First reading: which identifiers there are, and whose table it is."""

    def __init__(self):
        super().__init__()
        self.names: set[str] = set()
        self.styled_here = False

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.names.add(values["id"])
        if tag == "table" and _KNOWN.intersection((values.get("class") or "").split()):
            self.styled_here = True


class _Fragment(HTMLParser):
    """Second reading: write it again."""

    def __init__(self, names: frozenset[str], suffix: str, styled_here: bool):
        super().__init__(convert_charrefs=False)
        self.refused: list[str] = []
        self._names = names
        self._suffix = suffix
        self._styled_here = styled_here
        self._written: list[str] = []
        self._open: list[str] = []

    def html(self) -> str:
        """Return what was written, with what was left open closed."""
        return "".join(self._written) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in _ACTIVE:
            self.refused.append(f"<{tag}>")
        if tag == "style" and self._styled_here:
            self._open.append(tag)
            return
        attributes = "".join(
            f" {name}" if value is None else f' {name}="{escape(value)}"'
            for name, value in self._attributes(tag, attrs)
        )
        self._written.append(f"<{tag}{attributes}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while True:
            closing = self._open.pop()
            if not (closing == "style" and self._styled_here):
                self._written.append(f"</{closing}>")
            if closing == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            if self._styled_here:
                return
            if _OUTSIDE_STYLE.search(data):
                self.refused.append("<style>")
            data = re.sub(r"#([A-Za-z_][\w-]*)", lambda match: f"#{self._own(match[1])}", data)
        self._written.append(data)

    def handle_entityref(self, name: str) -> None:
        self._written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._written.append(f"&#{name};")

    def _own(self, name: str) -> str:
        return name + self._suffix if name in self._names else name

    def _attributes(self, tag: str, attrs: Attributes) -> Attributes:
        kept: Attributes = []
        for name, value in attrs:
            value = value or ""
            if tag == "table" and name == "border":
                continue
            if name.startswith("on") or not re.fullmatch(r"[a-z][a-z0-9_.:-]*", name):
                self.refused.append(f"{name}=")
            elif name in _LOADING and not value.startswith(("data:image/", "#")):
                self.refused.append(f"{name}={value[:60]}")
            elif name == "style" and _OUTSIDE_STYLE.search(value):
                self.refused.append(f"style={value[:60]}")
            elif name == "style" and self._styled_here:
                kept.append((name, _SCROLLS.sub("", value)))
            elif name.endswith("href") and not value.startswith("#"):
                if tag != "a" or re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE):
                    self.refused.append(f"{name}={value[:60]}")
                kept.append((name, value))
            elif name.endswith("href"):
                kept.append((name, "#" + self._own(value[1:])))
            elif name == "id":
                kept.append((name, self._own(value)))
            elif name in _POINTING:
                kept.append((name, " ".join(self._own(word) for word in value.split())))
            else:
                kept.append((name, value))
        if tag == "img" and not dict(attrs).get("alt"):
            self.refused.append("<img> alt")
        # What a heading cell heads is left unsaid by pandas.
        if tag == "th" and "scope" not in dict(attrs):
            kept.append(("scope", "col" if "thead" in self._open else "row"))
        return kept
