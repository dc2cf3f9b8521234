"""From filled workbooks to reports: each in a folder of its own, and a page that says what became of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from htresearch import atomic, checks
from htresearch.errors import Fault, HTResearchError
from htresearch.intake.class_study import ClassStudy, Plan, PlanHistory, read_class_study
from htresearch.intake.folders import tables_in
from htresearch.language import LANGUAGES, Text, listing
from htresearch.publish.leaks import Secrets
from htresearch.publish.own_folder import INDEX, in_the_way, put, put_index

FORMATS = ("html", "pdf", "docx", "png")
#: What a workbook or a table of records may be saved as.
SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".et", ".csv", ".tsv"})
#: The history of plans, beside the reports; the page says what became of every file.
PLANS = "plans.json"
_MARK = "htresearch class reports"

#: Called after each file with how many are done, how many there are, and the name of the file.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Reported:
    """What became of one file.

    Attributes
    ----------
    source : str
        The name of the file, without what tells who somebody is.
    folder : pathlib.Path or None
        Where its report is; None if the file is at fault.
    written : tuple of pathlib.Path
        The files of the report.
    title, question, place : str
        From the plan, for the page of all reports.
    faults : tuple of Fault
        What is wrong with the file.
    """

    source: str
    folder: Path | None = None
    written: tuple[Path, ...] = ()
    title: str = ""
    question: str = ""
    place: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class ClassReports:
    """What became of all files.

    Attributes
    ----------
    index : pathlib.Path
        The page that lists them.
    reported : tuple of Reported
        One for each file, in their order.
    """

    index: Path
    reported: tuple[Reported, ...]

    @property
    def failed(self) -> tuple[Reported, ...]:
        """The files that are at fault."""
        return tuple(one for one in self.reported if one.faults)

    def __str__(self) -> str:
        done = len(self.reported) - len(self.failed)
        lines = [Text("写了 {n} 份报告：{index}", "{n} reports written: {index}").format(n=done, index=self.index)]
        if self.failed:
            lines.append(
                Text("{n} 个文件有问题，没有写报告：", "{n} files are at fault and have no report:").format(
                    n=len(self.failed)
                )
            )
        said = [str(line) for line in lines]
        for one in self.failed:
            said += ["", one.source, str(HTResearchError(*one.faults))]
        return "\n".join(said)


def report_class(
    paths: str | Path | ClassStudy | Iterable[str | Path | ClassStudy],
    out: str | Path,
    formats: Sequence[str] = FORMATS,
    language: str = "zh",
    plan: Plan | Mapping | ClassStudy | str | Path | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    secrets: Secrets | None = None,
) -> ClassReports:
    """Write a two-page report on each class study.

    Each study gets a folder in `out`, named by a number that tells nobody anything, with the report as page, PDF and
    Word and the graph as picture. A file that is at fault stops no other; ``index.html`` names it with all that is
    wrong. ``plans.json`` keeps fingerprints of the plans, so that a change after the first record shows in the next
    report. Only what an earlier run wrote on the same study is replaced.

    Each report is searched before it is written: one that holds a pupil's id, a name of `secrets` or anything else
    that says who somebody is counts as at fault. School and class may stand in it as the plan names them.

    Parameters
    ----------
    paths
        A workbook, a folder of workbooks, several of them, or studies already read.
    out
        The folder to write: a new one, an empty one, or one that an earlier run wrote.
    formats
        Which of ``"html"``, ``"pdf"``, ``"docx"``, ``"png"``.
    language
        ``"zh"`` or ``"en"``.
    plan
        For tables without a plan, see `htresearch.intake.class_study.read_class_study`.
    workers
        How many reports are written at once.
    progress
        Called after each file with how many are done, how many there are, and the file's name.
    secrets
        Names, ids and numbers that may not get out, see `Secrets`; what is known by its form is found in any case.

    Returns
    -------
    ClassReports
        What became of each file; ``failed`` are those without a report.

    Raises
    ------
    ArgumentError
        If there is no file to read, `out` holds something else, or an argument is wrong.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.report_class("studies", "reports")  # doctest: +SKIP
    """
    from htresearch.language import speaking

    formats = (formats,) if isinstance(formats, str) else tuple(dict.fromkeys(formats))
    checks.require(
        *(checks.one_of("formats", kind, FORMATS) for kind in formats or ("",)),
        checks.one_of("language", language, LANGUAGES),
        checks.integer("workers", workers),
    )
    secrets = secrets or Secrets()
    sources = _sources(paths)
    out = Path(out).absolute()
    checks.require(None if sources else _nothing(paths, secrets), in_the_way(out, _MARK), *_inside(out, sources))
    out.mkdir(parents=True, exist_ok=True)
    with speaking(language):
        if not (out / INDEX).exists():
            _write_index(out, (), secrets)  # the folder is ours from the first report on
        history = PlanHistory(out / PLANS)
        studies = [_read(source, plan, secrets) for source in sources]
        studies = [history.remember(one) if isinstance(one, ClassStudy) else one for one in studies]
        reported = _write_all(studies, sources, out, formats, language, workers, progress, secrets)
        _write_index(out, reported, secrets)
    return ClassReports(out / INDEX, reported)


# --- what is read ---------------------------------------------------------------------------------------------------


def _sources(paths: object) -> list[Path | ClassStudy]:
    several = [paths] if isinstance(paths, str | Path | ClassStudy) else list(paths)
    found: list[Path | ClassStudy] = []
    for one in several:
        found += [one] if isinstance(one, ClassStudy) else tables_in(one, SUFFIXES)[0]
    return found


def _read(source: Path | ClassStudy, plan: object, secrets: Secrets) -> ClassStudy | tuple[Fault, ...]:
    """Return a study, or all that is wrong with its file."""
    if isinstance(source, ClassStudy):
        return source
    try:
        return read_class_study(source, plan)
    except HTResearchError as error:
        return error.faults
    except OSError as error:
        return (
            Fault(
                secrets.mask(source.name),
                Text(f"读不了（{error.strerror}）", f"cannot be read ({error.strerror})"),
                Text("请检查文件在不在、能不能打开", "See whether it is there and can be opened"),
            ),
        )


def _named(source: Path | ClassStudy, secrets: Secrets) -> str:
    """Name a file without what tells who somebody is."""
    name = source.source if isinstance(source, ClassStudy) else source.name
    return secrets.mask(name) or str(Text("（没有文件）", "(no file)"))


def _key(study: ClassStudy) -> str:
    """Return what tells one study from another in the name of its folder, and nothing else."""
    named = study.study_id or f"{study.plan.fingerprint} {study.source}"
    return hashlib.sha256(named.encode()).hexdigest()[:8]


# --- what is written ------------------------------------------------------------------------------------------------


def _write_all(
    studies: list[ClassStudy | tuple[Fault, ...]],
    sources: list[Path | ClassStudy],
    out: Path,
    formats: tuple[str, ...],
    spoken: str,
    workers: int,
    progress: Progress | None,
    secrets: Secrets,
) -> tuple[Reported, ...]:
    """Write the reports, several at once, and return what became of each file in their order."""
    found: dict[int, Reported] = {}
    tasks: dict[int, tuple] = {}
    taken: dict[str, int] = {}
    for number, (study, source) in enumerate(zip(studies, sources, strict=True)):
        if isinstance(study, ClassStudy):
            key = _key(study)
            taken[key] = taken.get(key, 0) + 1
            stem = f"class-study-{key}" + (f"-{taken[key]}" if taken[key] > 1 else "")
            tasks[number] = (replace(study, source=_named(source, secrets)), out / stem, formats, spoken, secrets)
        else:
            found[number] = Reported(_named(source, secrets), faults=study)
    done = 0
    for number in found:
        done += 1
        _tell(progress, done, len(sources), _named(sources[number], secrets))
    for number, one in _written(tasks, workers):
        found[number] = one
        done += 1
        _tell(progress, done, len(sources), one.source)
    return tuple(found[number] for number in sorted(found))


def _tell(progress: Progress | None, done: int, total: int, name: str) -> None:
    if progress:
        progress(done, total, name)


def _written(tasks: dict[int, tuple], workers: int) -> Iterator[tuple[int, Reported]]:
    """Write each report; in processes of their own where that is worth starting them."""
    workers = min(workers, len(tasks) // 2)
    if workers < 2:
        for number, task in tasks.items():
            yield number, write_report(*task)
        return
    # Processes that start anew, not copies of this one: copying a process with threads can hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(write_report, *task): number for number, task in tasks.items()}
        for future in as_completed(waiting):
            number = waiting[future]
            try:
                yield number, future.result()
            except BrokenProcessPool:  # as when memory ran out: one at a time needs less of it
                yield number, write_report(*tasks[number])


def write_report(
    study: ClassStudy, folder: Path, formats: Sequence[str], language: str, secrets: Secrets | None = None
) -> Reported:
    """Write one report into a folder, which takes the place of the one that an earlier run wrote.

    Returns
    -------
    Reported
        With faults, if the report could not be made or holds what may not get out.
    """
    from htresearch.language import speaking
    from htresearch.publish.class_report.compose import compose

    with speaking(language):
        try:
            report = compose(study)
            made = {f"{folder.name}.{kind}": _content(kind, report) for kind in formats}
            contents = {name: content for name, content in made.items() if content is not None}
            with atomic.new_folder(folder, ours=_is_report) as fresh:
                put(fresh, contents, secrets, own=(study.plan.school, study.plan.class_name))
        except HTResearchError as error:
            return Reported(study.source, faults=error.faults)
    written = tuple(folder / name for name in contents)
    return Reported(study.source, folder, written, report.title, report.question, report.place)


def _content(kind: str, report) -> bytes | None:
    if kind == "html":
        from htresearch.publish.class_report.html import to_html

        return to_html(report).encode()
    if kind == "pdf":
        from htresearch.publish.class_report.pdf import to_pdf

        return to_pdf(report)
    if kind == "docx":
        from htresearch.publish.class_report.word import to_word

        return to_word(report)
    return report.picture.png if report.picture else None


def _is_report(folder: Path) -> bool:
    """Whether a folder holds a report and nothing else."""
    inside = list(folder.iterdir())
    return all(one.is_file() and one.stem == folder.name and one.suffix[1:] in FORMATS for one in inside)


def _write_index(out: Path, reported: tuple[Reported, ...], secrets: Secrets) -> None:
    done = [one for one in reported if not one.faults]
    failed = [(one.source, one.faults) for one in reported if one.faults]
    count = Text("{n} 份报告", "Reports: {n}").format(n=len(done))
    if failed:
        wrong = Text("，{n} 个文件有问题", ", at fault: {n}").format(n=len(failed))
        count = Text(count.zh + wrong.zh, count.en + wrong.en)
    put_index(
        out,
        _MARK,
        Text("班级研究报告", "Reports of class studies"),
        count,
        [str(Text("研究", "Study")), str(Text("学校与班级", "School and class")), str(Text("文件", "File"))],
        [(one.title, (one.place or "–", one.source), _links(one, out)) for one in done],
        failed,
        secrets,
        own=[named for one in done for named in one.place.split(" · ")],
    )


def _links(one: Reported, out: Path) -> list[tuple[str, str]]:
    names = {
        "html": Text("网页", "Page"),
        "pdf": Text("PDF", "PDF"),
        "docx": Text("Word", "Word"),
        "png": Text("图", "Graph"),
    }
    return [(str(names[path.suffix[1:]]), path.relative_to(out).as_posix()) for path in one.written]


# --- what is refused ------------------------------------------------------------------------------------------------


def _nothing(paths: object, secrets: Secrets) -> Fault:
    shown = [paths] if isinstance(paths, str | Path) else list(paths)
    return Fault(
        listing([secrets.mask(Path(path).name) for path in shown]) if shown else checks.argument("paths"),
        Text("里面没有工作簿", "holds no workbook"),
        Text("请给出填好的“我的班级研究.xlsx”，或放着它们的文件夹", "Give filled workbooks (.xlsx) or their folder"),
    )


def _inside(out: Path, sources: list[Path | ClassStudy]) -> list[Fault]:
    """Refuse a folder that holds the workbooks themselves."""
    if not any(isinstance(source, Path) and source.absolute().parent == out for source in sources):
        return []
    return [
        Fault(
            checks.argument("out"),
            Text("就是放工作簿的文件夹", "is the folder of the workbooks themselves"),
            Text(
                "请换一个文件夹，报告不和工作簿混在一起", "Choose another, so that reports and workbooks stay apart"
            ),
            out.name,
        )
    ]
