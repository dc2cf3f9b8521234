"""The reference: a page for each room, made from its docstrings."""

import inspect
import re
from html import escape

from htresearch.language import Text
from htresearch.publish.docs.docstring import Docstring, Entry
from htresearch.publish.docs.prose import blocks, code, example, inline, references
from htresearch.publish.docs.rooms import Name, Room

#: What each room is for, in a few words; the docstring of a room says more.
ROOMS = {
    "appearance": Text("图与表的样子", "How figures and tables look"),
    "checks": Text("参数检查", "Checks of arguments"),
    "corps": Text("班主任队伍的指标", "The corps in view"),
    "disclosure": Text("披露控制", "Disclosure control"),
    "errors": Text("错误", "Errors"),
    "identifiers": Text("识别个人信息", "Finding what identifies"),
    "instruments": Text("问卷与观察表", "Questionnaires and forms"),
    "intake": Text("数据录入", "Taking in files"),
    "language": Text("两种语言", "Both languages"),
    "multilevel": Text("多层模型", "Multilevel models"),
    "publish": Text("发布", "Publishing"),
    "result": Text("分析结果", "Results"),
    "scales": Text("量表", "Scales"),
    "singlecase": Text("单个班级的研究", "Single cases"),
    "study": Text("研究与面板", "Studies and panels"),
}
_TITLES = {
    "Parameters": Text("参数", "Parameters"),
    "Attributes": Text("属性", "Attributes"),
    "Returns": Text("返回", "Returns"),
    "Yields": Text("产出", "Yields"),
    "Raises": Text("错误", "Raises"),
    "Warns": Text("警告", "Warns"),
    "Notes": Text("说明", "Notes"),
    "References": Text("文献", "References"),
    "Examples": Text("例子", "Examples"),
    "See Also": Text("另见", "See also"),
    "Methods": Text("方法", "Methods"),
}
_ORDER = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "Notes", "References", "Examples")
_KINDS = {
    "function": Text("函数", "Functions"),
    "class": Text("类", "Classes"),
    "value": Text("常量", "Values"),
}


def room_page(room: Room, spoken: str) -> tuple[str, str]:
    """Return the title and the HTML of a room's page.

    Parameters
    ----------
    room
        As `htresearch.publish.docs.rooms` finds it.
    spoken
        The language of headings; docstrings are English.

    Returns
    -------
    tuple of str
        Title and body.

    Examples
    --------
    >>> from htresearch.publish.docs.rooms import room
    >>> room_page(room("result"), "en")[0]
    'ht.result: Results'
    """
    about = ROOMS.get(room.name)
    title = f"ht.{room.name}" + (_say(Text("：", ": "), spoken) + _say(about, spoken) if about else "")
    parts = [f"<h1>{escape(title)}</h1>\n", _english(_docstring_text(room.docstring)), _list_of_names(room, spoken)]
    for kind, heading in _KINDS.items():
        names = [name for name in room.names if name.kind == kind]
        if names:
            parts.append(f"<h2>{_say(heading, spoken)}</h2>\n")
            parts += [_name(name, spoken) for name in names]
    return title, "".join(parts)


def _list_of_names(room: Room, spoken: str) -> str:
    head = (_say(Text("名称", "Name"), spoken), _say(Text("用途", "What it does"), spoken))
    rows = "".join(
        f'<tr><th scope="row"><a href="#{anchor(name)}"><code>{escape(name.path)}</code></a></th>'
        f'<td lang="en">{inline(_one_line(name.docstring.summary))}</td></tr>\n'
        for name in room.names
    )
    top = "".join(f'<th scope="col">{word}</th>' for word in head)
    return (
        f'<div class="wide" tabindex="0"><table class="names"><thead><tr>{top}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def anchor(name: Name) -> str:
    """Return the identifier of a name on its page.

    Parameters
    ----------
    name
        The name.

    Returns
    -------
    str
        Letters, digits, hyphens.

    Examples
    --------
    >>> anchor(Name("ht.scales.alpha", "function", None, Docstring()))
    'ht-scales-alpha'
    """
    return re.sub(r"\W", "-", name.path)


def _name(name: Name, spoken: str) -> str:
    parts = [f'<section class="name" id="{anchor(name)}">\n<h3><code>{escape(name.path)}</code></h3>\n']
    if name.kind == "value":
        shown = repr(name.value)
        parts.append(code(shown if len(shown) < 500 else shown[:500] + " …"))
    else:
        parts.append(code(call(name)))
        parts.append(_english(_docstring_text(name.docstring)))
        parts.append(_sections(name.docstring, spoken))
    parts += [_member(member, spoken) for member in name.members if member.docstring.summary]
    return "".join(parts) + "</section>\n"


def _member(member: Name, spoken: str) -> str:
    head = f".{member.short}" + ("" if member.kind == "property" else _brackets(member))
    return (
        f'<div class="member" id="{anchor(member)}">\n<h4><code>{escape(head)}</code></h4>\n'
        f"{_english(_docstring_text(member.docstring))}{_sections(member.docstring, spoken)}</div>\n"
    )


def call(name: Name) -> str:
    """Return how a function is called, broken into lines where it is long.

    Parameters
    ----------
    name
        A function or class.

    Returns
    -------
    str
        Path and parameters with their types and defaults.

    Examples
    --------
    >>> from htresearch.language import listing
    >>> call(Name("ht.language.listing", "function", listing, Docstring(), inspect.signature(listing)))
    'ht.language.listing(items: object) -> Text'
    """
    return name.path + _brackets(name, name.path)


def _brackets(name: Name, before: str = "") -> str:
    if name.signature is None:
        return ""
    # Of a type its own name is enough.
    plain = re.sub(r"(htresearch(\.\w+)+|collections\.abc|pathlib|typing)\.(?=[A-Z])", "", _readable(name.signature))
    if len(before) + len(plain) <= 88:
        return plain
    given, arrow, returned = plain.rpartition(") -> ")
    if not arrow:
        given, returned = plain.rstrip(")"), ""
    lines = ",\n    ".join(_split(given[1:]))
    return f"(\n    {lines},\n)" + (f" -> {returned}" if arrow else "")


def _readable(signature: inspect.Signature) -> str:
    """Write a signature without ``self`` and without quotes around types."""
    kept = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    text = str(signature.replace(parameters=kept))
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no bracket."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [part.strip() for part in found if part.strip()]


def _docstring_text(docstring: Docstring) -> str:
    return blocks(docstring.summary) + blocks(docstring.text)


def _sections(docstring: Docstring, spoken: str) -> str:
    others = [title for title in docstring.sections if title not in _ORDER]
    parts = []
    for title in (*_ORDER, *others):
        if title not in docstring.lists and title not in docstring.sections:
            continue
        heading = _TITLES.get(title, Text(title, title))
        parts.append(f'<p class="section">{_say(heading, spoken)}</p>\n')
        if title in docstring.lists:
            parts.append(_english("<dl>\n" + "".join(map(_entry, docstring.lists[title])) + "</dl>\n"))
        else:
            write = {"References": references, "Examples": _examples}.get(title, blocks)
            parts.append(_english(write(docstring.sections[title])))
    return "".join(parts)


def _examples(text: str) -> str:
    """Return examples, which a blank line does not end, and the words between them."""
    parts = re.split(r"\n\s*\n(?=[^\s>.])", text)
    return "".join(example(part) if part.lstrip().startswith(">>>") else blocks(part) for part in parts)


def _entry(entry: Entry) -> str:
    names = ", ".join(f"<code>{escape(name, quote=False)}</code>" for name in entry.names)
    kind = f'<span class="kind">{inline(entry.kind)}</span>' if entry.kind else ""
    between = " " if names and kind else ""
    said = blocks(entry.text)
    return f"<dt>{names}{between}{kind}</dt>\n<dd>{said}</dd>\n"


def _english(html: str) -> str:
    return f'<div lang="en">\n{html}</div>\n' if html.strip() else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _say(text: Text, spoken: str) -> str:
    return getattr(text, spoken)
