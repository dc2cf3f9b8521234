"""Python in the few colours of the style sheet; what has no colour of its own gets no element of its own."""

from html import escape
from itertools import groupby

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Number, Operator, String, _TokenType

_COLOURS = {Keyword: "k", Operator.Word: "k", String: "s", Comment: "c", Number: "m"}


def coloured(source: str) -> str:
    """Return Python as HTML with a class for keywords (``k``), strings (``s``), comments (``c``) and numbers (``m``).

    Examples
    --------
    >>> coloured("return x < 1")
    '<span class="k">return</span> x &lt; <span class="m">1</span>'
    """
    parts = []
    tokens = ((_colour(kind), text) for kind, text in PythonLexer(stripnl=True).get_tokens(source))
    for colour, run in groupby(tokens, key=lambda token: token[0]):
        text = escape("".join(text for _, text in run), quote=False)
        parts.append(f'<span class="{colour}">{text}</span>' if colour else text)
    return "".join(parts).rstrip("\n")


def _colour(kind: _TokenType) -> str:
    return next((colour for parent, colour in _COLOURS.items() if kind in parent), "")
