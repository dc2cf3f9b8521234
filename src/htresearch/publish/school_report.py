"""Reports on schools or school zones: a notebook, run for each in a fresh kernel that gets nothing of the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault, HTResearchError, NotebookError
from htresearch.language import LANGUAGES, Text, label, speaking
from htresearch.publish.leaks import Secrets
from htresearch.publish.leaks.listed import study_ids
from htresearch.publish.own_folder import INDEX, Listed, in_the_way, put, put_index

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from htresearch.corps import UnitView
    from htresearch.study.open import Study

FORMATS = ("html", "pdf")
#: The notebook that is run, from the project's folder.
NOTEBOOK = "notebooks/school_report.ipynb"
_MARK = "htresearch school reports"
_HEAD = (Text("班主任人数", "Head teachers"), Text("标注", "Mark"))
_STEMS = {"school_id": "school", "zone_id": "zone"}

#: Called after each report with how many are done, how many there are, and whose it was.
Progress = Callable[[int, int, str], None]


class SchoolReports(Listed):
    """The reports on schools that were written; see `report_schools`."""


def report_schools(
    study: Study | str | Path,
    out: str | Path,
    by: str = "school_id",
    only: Collection[str] | None = None,
    term: str | None = None,
    formats: Iterable[str] = FORMATS,
    language: str = "zh",
    workers: int = 2,
    progress: Progress | None = None,
    notebook: str | Path = NOTEBOOK,
    secrets: Secrets | None = None,
) -> SchoolReports:
    """Write a report on each school or school zone beside its peers, as a page and a PDF.

    The indicators are computed once; each report then runs in a fresh kernel that gets a file with its own unit's
    numbers and the middle of its peers, and nothing else. A report on a unit with fewer than ten head teachers is
    marked internal. Each is searched before it is written: a report that holds the id of another school, zone,
    class, teacher or pupil of the study, or anything else that says who somebody is, is not. Runs that ended well are
    kept beside `out`, in ``.out-runs`` (after its name): a call that was cut short, even by force, goes on from there
    the next time.

    Parameters
    ----------
    study
        A study, or its folder.
    out
        The folder to write: a new one, an empty one, or one that an earlier run wrote.
    by
        ``"school_id"`` or ``"zone_id"``.
    only
        Which units; all of them otherwise.
    term
        The term that the reports are about; the last one otherwise.
    formats
        Which of ``"html"`` and ``"pdf"``.
    language
        ``"zh"`` or ``"en"``.
    workers
        How many reports are made at once.
    progress
        Called after each report with how many are done, how many there are, and the unit's id.
    notebook
        The notebook, with a cell tagged ``parameters`` that sets ``prepared``.
    secrets
        Names and numbers that may not get out either, see `Secrets`.

    Returns
    -------
    SchoolReports

    Raises
    ------
    ArgumentError
        If `out` holds something else, or an argument is wrong.
    NotebookError
        If the notebook is missing or fails, or if a report holds what may not get out: the message says where and of
        which kind, not what. Reports on other units are written all the same.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.report_schools("data/demo", "reports", only=["S0001"])  # doctest: +SKIP
    """
    from htresearch.corps import unit_views
    from htresearch.study.open import open_study

    formats = (formats,) if isinstance(formats, str) else tuple(dict.fromkeys(formats))
    out, notebook = Path(out).absolute(), Path(notebook)
    checks.require(
        *(checks.one_of("formats", kind, FORMATS) for kind in formats or ("",)),
        checks.one_of("by", by, tuple(_STEMS)),
        checks.one_of("language", language, LANGUAGES),
        checks.integer("workers", workers),
        in_the_way(out, _MARK),
        None if notebook.is_file() else _no_notebook(notebook),
    )
    study = open_study(study) if isinstance(study, str | Path) else study
    views = unit_views(study, by, only, term)
    secrets = _of_others(study, secrets or Secrets())
    with speaking(language):
        out.mkdir(parents=True, exist_ok=True)
        if not (out / INDEX).exists():
            _write_index(out, {}, by, secrets)  # the folder is ours from the first report on
        work = _Work(out, notebook, by, formats, language, secrets)
        written, faults = work.all(views, workers, progress)
        _write_index(out, {unit: (views[unit], paths) for unit, paths in written.items()}, by, secrets)
    checks.require(*faults, error=NotebookError)
    return SchoolReports(out / INDEX, tuple(path for paths in written.values() for path in paths))


def _of_others(study: Study, secrets: Secrets) -> Secrets:
    """Return all that a report on any unit must not hold; its own id is spared when it is written."""
    units = [
        study.store.table("schools").select(column).collect("pandas").to_native()[column].dropna().unique()
        for column in _STEMS
        if study.store.has("schools", column)
    ]
    return secrets.adding(study_ids(study)).adding(one for ids in units for one in ids)


@dataclass(frozen=True)
class _Work:
    """What all reports of a call have in common."""

    out: Path
    notebook: Path
    by: str
    formats: tuple[str, ...]
    spoken: str
    secrets: Secrets

    def all(
        self, views: Mapping[str, UnitView], workers: int, progress: Progress | None
    ) -> tuple[dict[str, tuple[Path, ...]], list[Fault]]:
        """Write every report, several at once; one that fails stops no other."""
        found: dict[str, tuple[Path, ...]] = {}
        faults: dict[str, Fault] = {}
        with ThreadPoolExecutor(workers) as pool:
            waiting = {pool.submit(self.one, unit, view): unit for unit, view in views.items()}
            try:
                for done, future in enumerate(as_completed(waiting), 1):
                    unit = waiting[future]
                    try:
                        found[unit] = future.result()
                    except HTResearchError as error:
                        faults |= {f"{fault}": fault for fault in error.faults}
                    if progress:
                        progress(done, len(views), unit)
            finally:  # whoever is cut short starts no more of them
                pool.shutdown(cancel_futures=True)
        return {unit: found[unit] for unit in views if unit in found}, list(faults.values())

    def one(self, unit: str, view: UnitView) -> tuple[Path, ...]:
        """Write one report, from a run that was kept if there is one."""
        from htresearch.publish.html.about import citation
        from htresearch.publish.html.page import lay_out, render
        from htresearch.publish.kept import Kept
        from htresearch.publish.pdf.page import page_pdf
        from htresearch.publish.runs import keep_failed, run_kept

        stem = f"{_STEMS[self.by]}-{unit}"
        runs = self.out.parent / f".{self.out.name}-runs"
        runs.mkdir(exist_ok=True)
        prepared = view.save(runs / f"{stem}.json")
        parameters = {"prepared": prepared, "unit": unit, "by": self.by, "term": view.term}
        kept = Kept(runs, parameters, figure_data=None)
        done = run_kept(self.notebook, self.spoken, kept, f"{stem}-{self.spoken}", parameters)
        if done.fault is not None:
            keep_failed([done], self.out.parent)
            raise NotebookError(done.fault)
        page = render(_own(done.notebook, view), f"{stem}.ipynb", self.spoken, self.notebook.parent)
        cited = citation(self.notebook.absolute().parent.parent)
        contents = {}
        if "pdf" in self.formats:
            contents["pdf"] = page_pdf(page, cited)
        if "html" in self.formats:
            contents["html"] = lay_out(page, pdf=f"{stem}.pdf" if "pdf" in contents else "", cited=cited).encode()
        named = {f"{stem}.{kind}": contents[kind] for kind in self.formats}
        return put(self.out, named, self.secrets, own=[unit])


def _own(notebook: NotebookNode, view: UnitView) -> NotebookNode:
    """Return a run as a report on one unit: named in the title, without parameters, which are paths and examples."""
    from htresearch.publish import cells

    notebook = deepcopy(notebook)
    notebook.cells = [c for c in notebook.cells if not {"parameters", "injected-parameters"} & set(cells.tags(c))]
    marks = {"zh": "（内部资料）", "en": " (internal)"} if view.internal else {}
    which = {"zh": f"：{view.unit}，{view.term}", "en": f": {view.unit}, {view.term}"}
    for spoken in LANGUAGES:
        for cell in notebook.cells:
            if cell.cell_type == "markdown" and spoken in cells.tags(cell):
                named = f"{which[spoken]}{marks.get(spoken, '')}"
                cell.source = re.sub(r"(?m)^(# .*)$", lambda m, named=named: m[1] + named, cell.source, count=1)
                break
    return notebook


def _write_index(
    out: Path, reports: Mapping[str, tuple[UnitView, tuple[Path, ...]]], by: str, secrets: Secrets
) -> None:
    lines = []
    for unit, (view, paths) in reports.items():
        inside = str(Text("内部资料", "Internal")) if view.internal else "–"
        links = [(str(Text("网页", "Page")) if p.suffix == ".html" else "PDF", p.name) for p in paths]
        lines.append((unit, (view.term, str(view.n_heads), inside), links))
    put_index(
        out,
        _MARK,
        Text("班主任队伍报告", "Reports on the corps"),
        Text("{n} 份报告", "Reports: {n}").format(n=len(lines)),
        [str(label(by)), str(label("term_id")), *map(str, _HEAD)],
        lines,
        secrets=secrets,
        own=reports,
    )


def _no_notebook(notebook: Path) -> Fault:
    return Fault(
        checks.argument("notebook"),
        Text("没有这个笔记本", "there is no such notebook"),
        Text(
            "请在项目文件夹中运行，或写明 school_report.ipynb 在哪里",
            "Run in the project's folder, or say where school_report.ipynb is",
        ),
        str(notebook),
    )
