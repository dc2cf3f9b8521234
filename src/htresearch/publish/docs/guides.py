"""Pages that people wrote, in Markdown: each in English as ``name.md`` and in Chinese as ``name.zh-CN.md``."""

import re
from html import escape
from pathlib import Path

from nbformat.v4 import new_markdown_cell

from htresearch import checks
from htresearch.errors import Fault, NotebookError
from htresearch.language import Text
from htresearch.publish.docs.prose import code
from htresearch.publish.html.narrative import Narrative

_ENDINGS = {"zh": ".zh-CN.md", "en": ".md"}
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.IGNORECASE)


def find(folder: str | Path) -> list[Path]:
    """Return the English pages of a folder and of its folders, in order.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    list of Path
        The ``.md`` files that are not the Chinese twin of another.

    Raises
    ------
    NotebookError
        If a page lacks its twin in the other language; all such pages are named.

    Examples
    --------
    >>> find("surveys/none")
    []
    """
    folder = Path(folder)
    every = sorted(folder.rglob("*.md"))
    english = [path for path in every if not path.name.endswith(_ENDINGS["zh"])]
    chinese = [path for path in every if path.name.endswith(_ENDINGS["zh"])]
    lacking = [twin(path, "zh") for path in english] + [twin(path, "en") for path in chinese]
    checks.require(*(_lacks(path) for path in lacking if not path.is_file()), error=NotebookError)
    return english


def twin(path: Path, spoken: str) -> Path:
    """Return the file of a page in one language.

    Parameters
    ----------
    path
        The page in either language.
    spoken
        The language that is wanted.

    Returns
    -------
    Path
        The file, whether or not it is there.

    Examples
    --------
    >>> twin(Path("a.md"), "zh").name, twin(Path("a.zh-CN.md"), "en").name
    ('a.zh-CN.md', 'a.md')
    """
    stem = path.name.removesuffix(".md").removesuffix(".zh-CN")
    return path.with_name(stem + _ENDINGS[spoken])


def _lacks(path: Path) -> Fault:
    return Fault(
        path.name,
        Text("缺少这一种语言的页面", "the page in this language is missing"),
        Text(
            "每篇都要有中文（.zh-CN.md）与英文（.md）",
            "Each page has a Chinese (.zh-CN.md) and an English (.md) file",
        ),
    )


def stem(path: Path, docs: Path) -> str:
    """Return the name of a page on the site, the same in both languages.

    Parameters
    ----------
    path
        The page's file.
    docs
        The folder of all pages.

    Returns
    -------
    str
        Folders and name, with hyphens between.

    Examples
    --------
    >>> stem(Path("docs/howto/01-open.zh-CN.md"), Path("docs"))
    'howto-01-open'
    """
    return "-".join(twin(path, "en").relative_to(docs).with_suffix("").parts)


class Guide(Narrative):
    """Writes one Markdown page: code in colours, and links led to where the site has their target.

    Parameters
    ----------
    path
        The page's file.
    docs
        The folder of all pages.
    spoken
        The language of the page.
    notebooks
        Names of the notebooks that the site has, without their ending.
    """

    def __init__(self, path: Path, docs: Path, spoken: str, notebooks: frozenset[str] = frozenset()):
        super().__init__(path.name, path.parent)
        self._path, self._docs, self._spoken, self._notebooks = path, docs, spoken, notebooks

    def page(self) -> tuple[str, str]:
        """Return title and HTML of the page."""
        source = self._path.read_text(encoding="utf-8")
        title = re.search(r"^# (.+)$", source, re.MULTILINE)
        html = self.write(new_markdown_cell(source))
        lacking = Fault(
            self._path.name,
            Text("没有标题", "has no heading"),
            Text("请以“# 标题”一行开头", "Begin with a line “# Title”"),
        )
        checks.require(None if title else lacking, *self.faults, error=NotebookError)
        return title[1].replace("`", "").strip(), html

    def block_code(self, code_text: str, info: str | None = None) -> str:
        """Colour Python; anything else stays as it is."""
        if (info or "").split(" ")[0] == "python":
            return code(code_text)
        kind = ' class="output"' if info == "text" else ' class="code"'
        return f'<pre{kind} tabindex="0"><code>{escape(code_text.rstrip(), quote=False)}</code></pre>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Lead to the page on the site; what the site does not have is named and not linked."""
        if _ELSEWHERE.match(url):
            return super().link(text, url, title)
        target, hash_, part = url.partition("#")
        path = (self._path.parent / target).resolve()
        if path.suffix == ".ipynb" and path.stem in self._notebooks:
            return super().link(text, f"../../{self._spoken}/{path.stem}.html{hash_}{part}", title)
        docs = self._docs.resolve()
        if path.suffix == ".md" and path.is_relative_to(docs) and path.is_file():
            return super().link(text, f"{stem(path, docs)}.html{hash_}{part}", title)
        return text
