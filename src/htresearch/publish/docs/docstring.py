"""Docstrings in NumPy's style, read into their parts.

The style is that of numpydoc: sections under a line of dashes; in the lists of parameters, values and errors a name
(with its type after a colon) and below it, indented, what is said about it.
"""

import inspect
import re
from dataclasses import dataclass, field

#: Sections whose entries have names, and the rest, which are text.
LISTED = ("Parameters", "Returns", "Yields", "Raises", "Warns", "Attributes", "Methods")
_HEADING = re.compile(r"^(\S[^\n]*)\n-{3,}[ ]*$", re.MULTILINE)
_HEAD = re.compile(r"\*{0,2}\w+(\s*,\s*\*{0,2}\w+)*(\s*:.*)?$")
_NAME = re.compile(r"^(?P<names>[^:]+?)(?:\s+:\s*|\s*:\s+)(?P<kind>.+)$")


@dataclass(frozen=True)
class Entry:
    """One line of a list, such as a parameter.

    Attributes
    ----------
    names : tuple of str
        The names; several where one text speaks of several. Empty where there is a type alone.
    kind : str
        The type, if the docstring says it.
    text : str
        What is said about it.
    """

    names: tuple[str, ...]
    kind: str
    text: str


@dataclass(frozen=True)
class Docstring:
    """A docstring in its parts.

    Attributes
    ----------
    summary : str
        The first paragraph.
    text : str
        What follows up to the first section.
    lists : dict
        The entries by section.
    sections : dict
        The text of the other sections.
    """

    summary: str = ""
    text: str = ""
    lists: dict[str, list[Entry]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)

    def names(self, section: str) -> list[str]:
        """Return the names that a section's entries speak of, without the stars of ``*args``."""
        return [name.lstrip("*") for entry in self.lists.get(section, ()) for name in entry.names]


def parse(source: str | None) -> Docstring:
    """Read a docstring into its parts.

    Parameters
    ----------
    source
        The docstring as it stands in the code; ``None`` gives an empty one.

    Returns
    -------
    Docstring
        Its parts; unknown sections are kept as text.

    Examples
    --------
    >>> read = parse('''Return the mean.
    ...
    ...     Parameters
    ...     ----------
    ...     values : array of n
    ...         Numbers, n of them.
    ...     ''')
    >>> read.summary, read.names("Parameters"), read.lists["Parameters"][0].kind
    ('Return the mean.', ['values'], 'array of n')
    """
    whole = inspect.cleandoc(source or "")
    first, *rest = _HEADING.split(whole)
    summary, _, text = first.strip().partition("\n\n")
    lists, sections = {}, {}
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        if title.strip() in LISTED:
            lists[title.strip()] = _entries(body, named=title.strip() in ("Parameters", "Attributes"))
        else:
            sections[title.strip()] = body.strip("\n")
    return Docstring(summary, text.strip(), lists, sections)


def _entries(body: str, named: bool) -> list[Entry]:
    """Return the entries of a list: a line at the margin begins one, unless it is the text of a paragraph."""
    found: list[tuple[str, list[str]]] = []
    for line in body.strip("\n").split("\n"):
        if line and not line[0].isspace() and (not named or _HEAD.match(line.strip()) or not found):
            found.append((line.strip(), []))
        elif found:
            found[-1][1].append(line if not line or line[0].isspace() else f"    {line}")
    return [_entry(head, inspect.cleandoc("\n" + "\n".join(lines)).strip(), named) for head, lines in found]


def _entry(head: str, text: str, named: bool) -> Entry:
    match = _NAME.match(head)
    if match:
        return Entry(tuple(name.strip() for name in match["names"].split(",")), match["kind"].strip(), text)
    if named:
        return Entry(tuple(name.strip() for name in head.split(",")), "", text)
    return Entry((), head, text)
