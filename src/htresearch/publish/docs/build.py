"""The folder of documentation: pages in both languages, with contents of their own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markupsafe import Markup

from htresearch.language import LANGUAGES, Text
from htresearch.publish.docs import guides
from htresearch.publish.docs.reference import room_page
from htresearch.publish.docs.rooms import rooms
from htresearch.publish.html.about import Citation
from htresearch.publish.html.frame import fill
from htresearch.publish.html.page import Page, contents_page

#: The parts, by the folder of their pages; pages of other folders come last.
PARTS = {
    "howto": Text("怎样做", "How to"),
    "": Text("专题", "Guides"),
    "methods": Text("方法：算什么，怎样核对过", "Methods: what is computed, and how it was checked"),
    "reference": Text("函数参考", "Reference"),
}
TITLE = Text("使用说明", "Documentation")


@dataclass(frozen=True)
class Sheet:
    """A page in one language, ready to be laid out.

    Attributes
    ----------
    part : str
        The key of its part.
    stem : str
        Its name without ending, the same in both languages.
    language, title, body : str
        As they say.
    question : str
        What it answers; none.
    """

    part: str
    stem: str
    language: str
    title: str
    body: str
    question: str = ""


def write_docs(
    docs: str | Path | None,
    folder: str | Path,
    languages: Sequence[str] = LANGUAGES,
    notebooks: Collection[str] = (),
    pdf: bool = False,
    cited: Citation | None = None,
    workers: int = 2,
) -> Path:
    """Write the documentation as pages that open from the disk.

    Parameters
    ----------
    docs
        The folder of Markdown pages; None for the reference alone.
    folder
        Where to write: a folder a language, and the page of contents.
    languages
        Which of ``"zh"`` and ``"en"``.
    notebooks
        Names of the notebooks, without their ending, whose pages stand in folders beside `folder`; links to them
        lead there.
    pdf
        Whether to make a PDF of each page too.
    cited
        How a page is cited there; unless given, as a part of this package.
    workers
        How many PDFs are made at once.

    Returns
    -------
    Path
        The page of contents.

    Raises
    ------
    NotebookError
        If a page lacks its twin in the other language, a heading, or an image that it shows.

    Examples
    --------
    >>> import tempfile
    >>> write_docs(None, tempfile.mkdtemp(), languages=("en",)).name
    'index.html'
    """
    folder = Path(folder)
    shelves = {spoken: _sheets(docs, spoken, frozenset(notebooks)) for spoken in languages}
    parts = _parts(shelves)
    sheets = [sheet for shelf in shelves.values() for sheet in shelf]
    prints = _prints([*sheets, contents_page(TITLE, parts, languages)], cited, workers) if pdf else {}
    for spoken, shelf in shelves.items():
        (folder / spoken).mkdir(parents=True, exist_ok=True)
        for before, sheet, after in zip([None, *shelf], shelf, [*shelf[1:], None], strict=False):
            whole = fill(
                "docs/sheet.html",
                spoken,
                "docs/docs.css",
                page=sheet,
                body=Markup(sheet.body),
                before=before,
                after=after,
                twins=[other for other in languages if other != spoken],
                home="../index.html",
                home_name=getattr(TITLE, spoken),
                pdf=f"{sheet.stem}.pdf" if pdf else "",
            )
            (folder / spoken / f"{sheet.stem}.html").write_text(whole, encoding="utf-8", newline="\n")
    contents = fill(
        "docs/contents.html",
        languages[0],
        "docs/docs.css",
        title=TITLE,
        parts=parts,
        languages=list(languages),
        pdf="index.pdf" if pdf else "",
    )
    for (spoken, stem), printed in prints.items():
        place = folder if stem == "index" else folder / spoken
        (place / f"{stem}.pdf").write_bytes(printed)
    index = folder / "index.html"
    index.write_text(contents, encoding="utf-8", newline="\n")
    return index


def _sheets(docs: str | Path | None, spoken: str, notebooks: frozenset[str]) -> list[Sheet]:
    found = []
    if docs is not None:
        docs = Path(docs)
        for path in guides.find(docs):
            part = path.relative_to(docs).parts[0] if path.parent != docs else ""
            title, body = guides.Guide(guides.twin(path, spoken), docs, spoken, notebooks).page()
            found.append(Sheet(part, guides.stem(path, docs), spoken, title, body))
    for room in rooms():
        title, body = room_page(room, spoken)
        found.append(Sheet("reference", f"reference-{room.name}", spoken, title, body))
    order = list(PARTS)
    return sorted(found, key=lambda s: (order.index(s.part) if s.part in order else len(order), s.part))


def _prints(pages: Sequence[Sheet | Page], cited: Citation | None, workers: int) -> dict[tuple[str, str], bytes]:
    from htresearch.publish.pdf.page import page_pdfs

    made = page_pdfs(pages, cited, workers=workers)
    return {(page.language, page.stem): printed for page, printed in zip(pages, made, strict=True)}


def _parts(shelves: dict[str, list[Sheet]]) -> list[tuple[Text, list[dict[str, Sheet]]]]:
    rows = [{sheet.language: sheet for sheet in sheets} for sheets in zip(*shelves.values(), strict=True)]
    first = next(iter(shelves))
    return [
        (PARTS.get(part, Text(part, part)), list(entries))
        for part, entries in groupby(rows, key=lambda row: row[first].part)
    ]
