"""Markdown cells as HTML, without scripts, raw HTML or anything from outside."""

import base64
import mimetypes
import re
from html import escape
from pathlib import Path

import mistune
from nbformat import NotebookNode

from htresearch.errors import Fault
from htresearch.language import Text
from htresearch.publish.cells import joined

_EMPHASISED = re.compile(r"(\*{1,2})(?![\s*])[^*\n]+(?<![\s*])\1")
_HAIR = "\u200a"
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_DOCUMENTATION = re.compile(r"^\.\./docs/(?P<page>[^#]+?)(?P<chinese>\.zh-CN)?\.md(?=$|#)")


def _on_the_site(match: re.Match[str]) -> str:
    spoken = "zh" if match["chinese"] else "en"
    return f"../docs/{spoken}/{match['page'].replace('/', '-')}.html"


class Narrative(mistune.HTMLRenderer):
    """Writes the Markdown of one page; `faults` gathers the images that cannot be shown.

    Parameters
    ----------
    name
        The notebook, for messages.
    folder
        Where the notebook's relative paths start.
    """

    def __init__(self, name: str, folder: Path):
        super().__init__(escape=True)
        self.faults: list[Fault] = []
        self._name = name
        self._folder = folder
        self._attachments: dict[str, dict[str, str]] = {}
        self._headings = 0
        self._parse = mistune.create_markdown(renderer=self, plugins=["table", "strikethrough"])

    def write(self, cell: NotebookNode) -> str:
        """Return a Markdown cell as HTML."""
        self._attachments = cell.get("attachments", {})
        return self._parse(_EMPHASISED.sub(_set_apart, cell.source)).replace(_HAIR, "")

    def paragraph(self, text: str) -> str:
        """Join lines as Chinese does."""
        return f"<p>{joined(text)}</p>\n"

    def block_text(self, text: str) -> str:
        """Join the lines of a list item as Chinese does."""
        return joined(text)

    def heading(self, text: str, level: int, **attrs: object) -> str:
        """Number the headings, so that a link to one works in either language's page."""
        self._headings += 1
        return f'<h{level} id="s{self._headings}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        """Let long lines of code scroll, by keyboard too."""
        return super().block_code(code, info).replace("<pre>", '<pre tabindex="0">', 1)

    def table(self, text: str) -> str:
        """Let a wide table scroll on a narrow screen, by keyboard too."""
        return f'<div class="wide" tabindex="0"><table>\n{text}</table></div>\n'

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        """Say what a heading cell heads."""
        side = f' class="{align}"' if align else ""
        return f'<th scope="col"{side}>{text}</th>\n' if head else f"<td{side}>{text}</td>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Lead a link to the page of another notebook, or of the documentation beside the notebooks."""
        if not _ELSEWHERE.match(url):
            url = re.sub(r"\.ipynb(?=$|#)", ".html", url)
            url = _DOCUMENTATION.sub(_on_the_site, url)
        return super().link(text, url, title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Take an image into the page; it needs words that stand for it."""
        source = self._embedded(url)
        if not text.strip():
            rule = Text(f"图片 {url} 没有替代文字", f"the image {url} has no alternative text")
            fix = Text("请写成 ![图中的内容](文件)", "Write ![what it shows](file)")
            self.faults.append(Fault(self._name, rule, fix))
        if source is None:
            rule = Text(f"图片 {url} 不在笔记本的文件夹中", f"the image {url} is not in the notebook's folder")
            fix = Text("请把图片存到笔记本旁边", "Save the image beside the notebook")
            self.faults.append(Fault(self._name, rule, fix))
            return ""
        return f'<img src="{source}" alt="{escape(text)}">'

    def _embedded(self, url: str) -> str | None:
        if url.startswith("attachment:"):
            kinds = self._attachments.get(url.removeprefix("attachment:"), {})
            return next((f"data:{kind};base64,{''.join(data.split())}" for kind, data in kinds.items()), None)
        if _ELSEWHERE.match(url):
            return None
        path = self._folder / url
        kind = mimetypes.guess_type(path.name)[0] or ""
        if not (path.is_file() and kind.startswith("image/")):
            return None
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _set_apart(match: re.Match[str]) -> str:
    """Set emphasis apart from the letters around it while it is parsed.

    CommonMark knows emphasis by the spaces around it, which Chinese has not: 说**“关联”**不说 would show its stars.
    """
    text, start, end = match.string, match.start(), match.end()
    before = _HAIR if start and text[start - 1].isalnum() else ""
    after = _HAIR if text[end : end + 1].isalnum() else ""
    return f"{before}{match[0]}{after}"
