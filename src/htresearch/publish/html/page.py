"""One notebook, one language, one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from markupsafe import Markup
from nbformat import NotebookNode

from htresearch import checks
from htresearch.errors import NotebookError
from htresearch.language import LANGUAGES, Text
from htresearch.publish import cells, clauses
from htresearch.publish.html.about import Citation, citation, versions
from htresearch.publish.html.code import coloured
from htresearch.publish.html.frame import SITE, fill
from htresearch.publish.html.narrative import Narrative
from htresearch.publish.html.outputs import Outputs

_CONTENTS = Text("目录", "Contents")


@dataclass(frozen=True)
class Page:
    """A notebook's page in one language: its opening and its body, ready to be laid out.

    Attributes
    ----------
    stem
        The name of the notebook without its ending; the page is ``stem.html``.
    language
        ``"zh"`` or ``"en"``.
    title, question
        How the notebook introduces itself.
    body
        The cells as HTML.
    clauses
        The clauses of the notice that the notebook speaks to.
    data
        The data behind its figures: CSV files by their names beside the page.
    """

    stem: str
    language: str
    title: str
    question: str
    body: str
    clauses: tuple[str, ...] = ()
    data: Mapping[str, bytes] = field(default_factory=dict)


def render(
    notebook: NotebookNode, name: str, spoken: str = "zh", folder: str | Path = ".", offer_data: bool = False
) -> Page:
    """Return the page of a notebook that has been run.

    Parameters
    ----------
    notebook
        The notebook with its outputs.
    name
        Its file's name, for messages and for the page's own name.
    spoken
        The language of the page; cells tagged for the other language are left out.
    folder
        Where relative paths to images start.
    offer_data
        Whether figures that carry the data behind them get a link to a file beside the page, and others that must
        not say so; without it, the page stays a single file.

    Returns
    -------
    Page
        Its opening and its body.

    Raises
    ------
    NotebookError
        With every output that cannot be published.

    Examples
    --------
    >>> import nbformat
    >>> notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Dose")])
    >>> render(notebook, "20_dose.ipynb", "en").body
    '<h1 id="s1">Dose</h1>\\n'
    """
    narrative = Narrative(name, Path(folder))
    outputs = Outputs(name, notebook, spoken if offer_data else "")
    parts = []
    for cell in _summary_first(cells.spoken_in(notebook, spoken)):
        if cell.cell_type == "markdown":
            said = narrative.write(cell)
            parts.append(_boxed(said, spoken) if "summary" in cells.tags(cell) else said)
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(f'{_code(cell.source, spoken)}\n<div class="result">{outputs.write(cell)}</div>\n')
    checks.require(*cells.output_faults(notebook, name), *outputs.faults, *narrative.faults, error=NotebookError)
    opening = cells.opening(notebook, spoken)
    return Page(
        name.removesuffix(".ipynb"),
        spoken,
        opening.title,
        opening.question,
        "".join(parts),
        clauses.of(notebook),
        outputs.data,
    )


def _summary_first(shown: list[NotebookNode]) -> list[NotebookNode]:
    """Move what is tagged ``summary`` to where a hurried reader looks: right below the question."""
    summary = [cell for cell in shown if cell.cell_type == "markdown" and "summary" in cells.tags(cell)]
    others = [cell for cell in shown if cell not in summary]
    first = next((i for i, cell in enumerate(others, 1) if cell.cell_type == "markdown"), 0)
    return [*others[:first], *summary, *others[first:]]


def _boxed(said: str, spoken: str) -> str:
    name = _say(Text("先说结论", "The conclusions first"), spoken)
    return f'<section class="summary" aria-label="{name}">\n{said}</section>\n'


def _code(source: str, spoken: str) -> str:
    summary = _say(Text("代码", "Code"), spoken)
    code = f'<pre tabindex="0"><code>{coloured(source.strip())}</code></pre>'
    return f'<details class="code"><summary>{summary}</summary>{code}</details>'


def lay_out(
    page: Page,
    before: Page | None = None,
    after: Page | None = None,
    twin: bool = False,
    home: str = "",
    pdf: str = "",
    cited: Citation | None = None,
    marks: Text | None = None,
) -> str:
    """Return a page as a whole HTML file.

    Parameters
    ----------
    page
        What to lay out.
    before, after
        The pages to turn to.
    twin
        Whether there is the same page in the other language.
    home
        The relative address of the contents; none for a page that stands alone.
    pdf
        The relative address of the page for print, if there is one.
    cited
        How the page is cited; unless given, as a part of this package.
    marks
        What must stand at the head of every page.
    """
    return fill(
        "html/page.html",
        page.language,
        page=page,
        body=Markup(page.body),
        before=before,
        after=after,
        twins=[other for other in LANGUAGES if other != page.language] if twin else [],
        home=home,
        home_name=_say(_CONTENTS, page.language),
        pdf=pdf,
        clauses=[(clause, _say(clauses.CLAUSES[clause], page.language)) for clause in page.clauses],
        citation=_say((cited or citation("")).of(page.title), page.language),
        versions=versions(),
        marks=marks,
    )


def lay_out_contents(
    parts: Sequence[tuple[Text, Sequence[dict[str, Page]]]],
    languages: Sequence[str],
    cited: Citation | None = None,
    docs: str = "",
    marks: Text | None = None,
    counted: Text | None = None,
    pdf: str = "",
) -> str:
    """Return the page of contents: parts, each with its notebooks in every language; then the same by clause.

    `docs` and `pdf` are the relative addresses of the documentation and of the page for print, if there are any;
    `marks` must stand at the head, `counted` at the foot.
    """
    entries = [entry for _, shelf in parts for entry in shelf]
    groups = []
    for letter, title in clauses.GROUPS.items():
        ids = [clause for clause in clauses.CLAUSES if clause.startswith(letter)]
        found = {
            clause: [entry for entry in entries if clause in next(iter(entry.values())).clauses] for clause in ids
        }
        lacking = "、".join(clause for clause in ids if not found[clause])
        groups.append((title, [(c, clauses.CLAUSES[c], found[c]) for c in ids if found[c]], lacking))
    return fill(
        "html/contents.html",
        languages[0],
        title=SITE,
        parts=parts,
        languages=languages,
        groups=groups if any(by_clause for _, by_clause, _ in groups) else [],
        docs=docs,
        citation=cited or citation(""),
        versions=versions(),
        marks=marks,
        counted=counted,
        pdf=pdf,
    )


def contents_page(
    title: Text, parts: Sequence[tuple[Text, Sequence[Mapping[str, Page]]]], languages: Sequence[str]
) -> Page:
    """Return a page of contents for print: in every language the parts, each with its titles and questions."""
    said = []
    for spoken in languages:
        said.append(f"<h1>{escape(_say(title, spoken))}</h1>")
        for part, entries in parts:
            items = [f"{escape(e[spoken].title)}<p>{escape(e[spoken].question)}</p>" for e in entries]
            listed = "".join(f"<li>{item}</li>" for item in items)
            said.append(f"<h2>{escape(_say(part, spoken))}</h2><ol>{listed}</ol>")
    return Page("index", languages[0], _say(title, languages[0]), "", "".join(said))


def _say(text: Text, spoken: str) -> str:
    return getattr(text, spoken)
