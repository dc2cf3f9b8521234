"""The site: every notebook once in each language, and a page of contents, out of nothing but local files."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from htresearch import atomic, checks
from htresearch.disclosure.results import INTERNAL
from htresearch.disclosure.rules import Rules, load_rules
from htresearch.errors import Fault, HTResearchError, NotebookError
from htresearch.language import LANGUAGES, Text
from htresearch.publish import cells, leaks
from htresearch.publish.docs import write_docs
from htresearch.publish.figure_data import CHECKED, CHOICES, NONE, tally
from htresearch.publish.html.about import Citation, citation
from htresearch.publish.html.frame import SITE
from htresearch.publish.html.page import Page, contents_page, lay_out, lay_out_contents, render
from htresearch.publish.kept import Kept
from htresearch.publish.leaks import Secrets
from htresearch.publish.pdf.page import page_pdfs
from htresearch.publish.runs import Progress, Run, keep_failed, run_all

#: The parts of the site by the first digit of a notebook's number.
PARTS = {
    "0": Text("导览", "Tour"),
    "1": Text("数据与量表", "Data and scales"),
    "2": Text("模型", "Models"),
    "3": Text("研究设计", "Designs"),
    "4": Text("考核", "Appraisal"),
    "5": Text("行动研究", "Action research"),
    "6": Text("研究规划", "Planning"),
    "9": Text("真实数据研究", "Studies on real data"),
}
_OTHERS = Text("其他", "Others")


def build_site(
    notebooks: str | Path = "notebooks",
    site: str | Path = "site",
    languages: Sequence[str] = LANGUAGES,
    parameters: Mapping[str, object] | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    fresh: bool = False,
    pdf: bool = False,
    figure_data: str = CHECKED,
    rules: Rules | str | Path | None = None,
    scan_leaks: bool = True,
    secrets: Secrets | None = None,
    docs: str | Path | None = None,
    report: Callable[[Text], None] | None = None,
) -> Path:
    """Run the numbered notebooks of a folder and lay them out as a site that opens from the disk.

    Nothing half-written is left: pages are made in a folder beside, which takes the place of `site` at the end. If
    a notebook fails, the old site stays and the failed run is kept beside it as ``NN_topic.failed.ipynb``.

    Runs that ended well are kept beside the site too, in ``.site-runs`` (after its name). If the making is cut short,
    even by force, the next call goes on from there; a run is taken from there only if nothing that it depends on has
    changed: the notebook, the language, the parameters, this package and every other, the files that the notebook
    names. What a notebook reads without naming it (an environment variable, the network) is not among them.

    Parameters
    ----------
    notebooks
        The folder of the notebooks; those named ``NN_topic.ipynb`` are taken, in order.
    site
        The folder to write.
    languages
        Which of ``"zh"`` and ``"en"``.
    parameters
        Values for every notebook, see `execute`.
    workers
        How many notebooks run at once.
    progress
        Called after each run with how many are done, how many there are, and the notebook's name.
    fresh
        Whether to run everything, whatever was kept.
    pdf
        Whether to make a PDF of each page too.
    figure_data
        Whether pages offer the numbers that their figures draw as CSV: ``"checked"``, those that pass
        `htresearch.disclosure.check` (a page says where they did not); ``"unchecked"``, all of them, exact: only
        for data that may be shown so, simulated ones for instance; ``"none"``.
    rules
        By which these are checked: a preset (``"public"`` by default), a file, or rules. If they say so, as
        ``"internal"`` does, every page is marked as one that stays inside.
    scan_leaks
        Whether runs and pages are searched for what says who somebody is, see `scan`; a find stops publication.
    secrets
        Names and ids to be searched for, beside what is known by its form.
    docs
        A folder of pages in Markdown; with it, the documentation is written to the folder ``docs`` of the site.
    report
        Called at the end with each sentence of the report: of how many figures the data are offered, of how many
        they were refused.

    Returns
    -------
    Path
        The page of contents.

    Raises
    ------
    NotebookError
        With everything that is wrong with the notebooks and their runs and with the pages of `docs`, or with every
        leak: where it stands and of which kind it is, not what it is.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.build_site("notebooks", "site", languages=("zh", "en"))  # doctest: +SKIP
    """
    languages = tuple(dict.fromkeys([languages] if isinstance(languages, str) else languages))
    checks.require(
        *(checks.one_of("languages", spoken, LANGUAGES) for spoken in languages or ("",)),
        checks.integer("workers", workers),
        checks.one_of("figure_data", figure_data, CHOICES),
    )
    applied = load_rules(rules)
    paths = cells.find(notebooks)
    checks.require(*cells.all_shape_faults(paths), error=NotebookError)
    atomic.require_free(site, _is_site)
    beside = Path(site).absolute().parent
    told = json.dumps(applied.as_dict()) if figure_data == CHECKED else ""
    kept = Kept(beside / f".{Path(site).name}-runs", parameters, told)
    tasks = [(path, spoken) for path in paths for spoken in languages]
    runs = run_all(tasks, parameters, workers, progress, kept=kept, fresh=fresh)
    keep_failed(runs, beside)
    if scan_leaks:  # first where it can be said which cell it is; below, all that was written
        leaks.refuse(leak for done in runs for leak in leaks.scan_notebook(done.notebook, done.path.name, secrets))
    pages = _pages(runs, figure_data != NONE)
    cited = citation(Path(notebooks).absolute().parent)
    marks = INTERNAL if applied.mark else None
    parts = _parts(pages)
    printed = [*pages, contents_page(SITE, parts, languages)] if pdf else []
    made = page_pdfs(printed, cited, marks, workers)
    prints = {(page.language, page.stem): whole for page, whole in zip(printed, made, strict=True)}
    first = [done.notebook for done in runs if done.language == languages[0]]
    counted = tally(first, applied.name).said() if figure_data != NONE else None
    with atomic.new_folder(site, ours=_is_site) as folder:
        if docs is not None:
            names = [path.stem for path in paths]
            write_docs(docs, folder / "docs", languages, names, pdf, cited, workers)
        _write(folder, pages, parts, languages, prints, cited, marks, counted)
        if scan_leaks:
            # The documentation explains what an ID number looks like by made-up ones, and speaks of no study.
            told = [path for path in folder.iterdir() if path.name != "docs"]
            leaks.refuse(leaks.scan(told, secrets, small_counts=False))
    if report and counted:
        report(counted)
    return Path(site).absolute() / "index.html"


def _is_site(folder: Path) -> bool:
    index = folder / "index.html"
    mark = 'name="generator" content="htresearch'
    return index.is_file() and mark in index.read_text(encoding="utf-8", errors="replace")


def _pages(runs: list[Run], offer_data: bool) -> list[Page]:
    """Render every run that ended well, or say all that is wrong with any of them."""
    pages: list[Page] = []
    faults: dict[str, Fault] = {}
    for done in runs:
        if done.fault:
            faults.setdefault(str(done.fault.where), done.fault)  # a cell fails alike in both languages
            continue
        try:
            pages.append(
                render(done.notebook, done.path.name, done.language, done.path.parent, offer_data=offer_data)
            )
        except HTResearchError as error:
            for fault in error.faults:
                faults.setdefault(str(fault), fault)
    checks.require(*faults.values(), error=NotebookError)
    return pages


def _parts(pages: list[Page]) -> list[tuple[Text, list[dict[str, Page]]]]:
    """Return the parts of the site, each with its pages by language."""
    entries: dict[str, dict[str, Page]] = {}
    for page in pages:
        entries.setdefault(page.stem, {})[page.language] = page
    return [
        (PARTS.get(digit, _OTHERS), [entries[stem] for stem in stems])
        for digit, stems in groupby(entries, key=lambda stem: stem[0])
    ]


def _write(
    folder: Path,
    pages: list[Page],
    parts: Sequence[tuple[Text, list[dict[str, Page]]]],
    languages: Sequence[str],
    prints: Mapping[tuple[str, str], bytes],
    cited: Citation,
    marks: Text | None,
    counted: Text | None,
) -> None:
    for spoken in languages:
        shelf = [page for page in pages if page.language == spoken]
        for before, page, after in zip([None, *shelf], shelf, [*shelf[1:], None], strict=False):
            printed = prints.get((spoken, page.stem))
            beside = {f"{page.stem}.pdf": printed} if printed else {}
            whole = lay_out(
                page,
                before,
                after,
                twin=len(languages) > 1,
                home="../index.html",
                pdf="".join(beside),
                cited=cited,
                marks=marks,
            )
            for name, content in {f"{page.stem}.html": whole.encode("utf-8"), **beside, **page.data}.items():
                path = folder / spoken / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    docs = "docs/index.html" if (folder / "docs").is_dir() else ""
    contents = lay_out_contents(parts, languages, cited, docs, marks, counted, "index.pdf" if prints else "")
    if prints:
        (folder / "index.pdf").write_bytes(prints[languages[0], "index"])
    (folder / "index.html").write_bytes(contents.encode("utf-8"))
