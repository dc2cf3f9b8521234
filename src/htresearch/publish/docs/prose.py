"""Text of docstrings as HTML: paragraphs, lists, code, and DOIs as links."""

import re
from html import escape

from htresearch.publish.html.code import coloured

_MARKED = re.compile(
    r"``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|(?P<url>https?://[^\s<>]+)|\bdoi:\s?(?P<doi>10\.\d+/[^\s<>,;]+)"
)
_CLOSING = ".,;:)"


def inline(text: str) -> str:
    """Return a line of text with code and links marked.

    Parameters
    ----------
    text
        As docstrings write it: code in back quotes, DOIs with ``doi:`` or as addresses.

    Returns
    -------
    str
        HTML; everything else is escaped.

    Examples
    --------
    >>> inline("See `ht.score` & doi:10.1037/a0029315.")
    'See <code>ht.score</code> &amp; <a href="https://doi.org/10.1037/a0029315">doi:10.1037/a0029315</a>.'
    """
    parts, at = [], 0
    for match in _MARKED.finditer(text):
        parts.append(escape(text[at : match.start()], quote=False))
        if match["url"] or match["doi"]:
            whole = match[0]
            said = whole.rstrip(_CLOSING)
            if said.count("(") > said.count(")") and whole[len(said) : len(said) + 1] == ")":
                said += ")"  # the bracket belongs to the DOI
            address = said if match["url"] else "https://doi.org/" + said.partition(":")[2].strip()
            parts.append(f'<a href="{escape(address)}">{escape(said)}</a>{escape(whole[len(said) :])}')
        else:
            parts.append(f"<code>{escape(match['code'] or match['name'], quote=False)}</code>")
        at = match.end()
    return "".join(parts) + escape(text[at:], quote=False)


def blocks(text: str) -> str:
    """Return paragraphs, lists and indented code of a docstring as HTML.

    Parameters
    ----------
    text
        The text, its indentation taken off.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> blocks("One.\\n\\n- a\\n- b")
    '<p>One.</p>\\n<ul><li>a</li><li>b</li></ul>\\n'
    """
    return "".join(_block(block) for block in re.split(r"\n\s*\n", text.strip("\n")) if block.strip())


def _block(block: str) -> str:
    lines = block.split("\n")
    if ">>>" in lines[0]:
        return example(block)
    if all(line.startswith("    ") for line in lines):
        inner = "\n".join(line[4:] for line in lines)
        return f'<pre tabindex="0"><code>{escape(inner, quote=False)}</code></pre>\n'
    first = next((i for i, line in enumerate(lines) if re.match(r"[-*] ", line)), None)
    if first is None:
        return f"<p>{inline(' '.join(line.strip() for line in lines))}</p>\n"
    items: list[str] = []
    for line in lines[first:]:
        if re.match(r"[-*] ", line):
            items.append(line[2:].strip())
        else:
            items[-1] += f" {line.strip()}"
    before = _block("\n".join(lines[:first])) if first else ""
    return before + "<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>\n"


def references(text: str) -> str:
    """Return references as a list: one a line or a paragraph, continued until its address.

    Parameters
    ----------
    text
        The section.

    Returns
    -------
    str
        HTML, an item a work.

    Examples
    --------
    >>> references("A. (2001). X. https://doi.org/10.1/a\\nB. (2002). Y.").count("<li>")
    2
    """
    works: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        begun = False
        for line in (line.strip() for line in paragraph.split("\n")):
            if begun:
                works[-1] += f" {line}"
            else:
                works.append(line)
            begun = not re.search(r"(10\.\d{4,}/\S+|10\.1/\S+)[.;]?$", line)
    return '<ul class="works">' + "".join(f"<li>{inline(work)}</li>" for work in works) + "</ul>\n"


def example(source: str) -> str:
    """Return an example with its prompts taken off, what it prints below it.

    Parameters
    ----------
    source
        Lines as in a session of Python.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> "output" in example(">>> 1 + 1\\n2")
    True
    """
    parts: list[tuple[bool, list[str]]] = []
    for line in source.strip("\n").split("\n"):
        typed = line.startswith((">>> ", "... ")) or line in (">>>", "...")
        if not parts or parts[-1][0] != typed:
            parts.append((typed, []))
        parts[-1][1].append(re.sub(r"\s*# doctest:.*$", "", line[4:]) if typed else line)
    return "".join(code("\n".join(lines)) if typed else _printed("\n".join(lines)) for typed, lines in parts)


def code(source: str) -> str:
    """Return Python in colours.

    Parameters
    ----------
    source
        The code.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> code("x").startswith('<pre class="code"')
    True
    """
    return f'<pre class="code" tabindex="0"><code>{coloured(source)}</code></pre>\n'


def _printed(text: str) -> str:
    shown = text.replace("<BLANKLINE>", "").strip("\n")
    return f'<pre class="output" tabindex="0">{escape(shown, quote=False)}</pre>\n' if shown.strip() else ""
