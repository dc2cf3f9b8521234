"""A page of the site for print."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from htresearch.errors import ArgumentError
from htresearch.language import Text
from htresearch.publish.html.about import Citation, citation, versions
from htresearch.publish.pdf.compile import compile_pdf
from htresearch.publish.pdf.glyphs import GETA, missing_glyphs, printable
from htresearch.publish.pdf.markup import Markup

if TYPE_CHECKING:
    from htresearch.publish.html.page import Page


def page_pdf(page: Page, cited: Citation | None = None, marks: Text | None = None) -> bytes:
    """Return a page as a PDF: its headings, words, lists, tables and figures; code that is folded
    away stays so.

    A table that is too wide is set smaller. What the page holds that print has no form for is set as plain text. A
    character that the font lacks is replaced by 〓, and the end of the page says so.

    Parameters
    ----------
    page
        What `render` returns.
    cited
        How it is cited; unless given, as a part of this package.
    marks
        What must stand at its head.

    Returns
    -------
    bytes
        The PDF.

    Examples
    --------
    >>> from htresearch.publish import Page
    >>> page_pdf(Page("20_dose", "en", "Dose", "", "<h1>Dose</h1><p>Hours of training.</p>"))[:5]
    b'%PDF-'
    """
    try:
        return _set(page, cited or citation(""), marks, Markup())
    except ArgumentError:  # an SVG that Typst cannot read: nothing else of the page's own goes to it unchecked
        return _set(page, cited or citation(""), marks, Markup(drawings=False))


def page_pdfs(
    pages: Sequence[Page], cited: Citation | None = None, marks: Text | None = None, workers: int = 2
) -> list[bytes]:
    """Return several pages as PDFs, set at once; see `page_pdf`."""
    with ThreadPoolExecutor(workers) as pool:  # Typst sets outside of Python's lock
        return list(pool.map(lambda page: page_pdf(page, cited, marks), pages))


def _set(page: Page, cited: Citation, marks: Text | None, markup: Markup) -> bytes:
    blocks = markup.read(page.body)
    if marks:
        blocks = [{"t": "para", "c": [{"t": "strong", "c": [getattr(marks, page.language)]}]}, *blocks]
    foot = [
        Text("引用：{c}", "Cite as: {c}").format(c=cited.of(page.title)),
        Text("软件：{v}", "Software: {v}").format(v=versions()),
    ]
    data = {"language": page.language, "title": page.title, "blocks": blocks}
    data["foot"] = [getattr(said, page.language) for said in foot]
    lacking = missing_glyphs(data)
    if lacking:
        data = printable(data)
        codes = ", ".join(f"U+{ord(mark):04X}" for mark in lacking[:20])
        said = Text(
            f"有 {len(lacking)} 种字符印不出来，用“{GETA}”代替：{codes}。",
            f"Characters that cannot be printed, for which {GETA} stands: {codes}.",
        )
        data["foot"].append(getattr(said, page.language))
    return compile_pdf(_template(), data, markup.pictures)


@cache
def _template() -> str:
    return files("htresearch.publish").joinpath("pdf/page.typ").read_text(encoding="utf-8")
