"""Teachers' files as pages and PDFs in a folder: one teacher's, a school's, or everybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import checks
from htresearch.errors import Fault, HTResearchError, NotebookError
from htresearch.language import LANGUAGES, Text, label, speaking
from htresearch.publish.leaks import Secrets
from htresearch.publish.leaks.listed import study_ids
from htresearch.publish.own_folder import INDEX, Listed, in_the_way, put, put_index

if TYPE_CHECKING:
    from htresearch.corps import Archive
    from htresearch.study.open import Study

FORMATS = ("html", "pdf")
_MARK = "htresearch teacher files"

#: Called after each file with how many are done, how many there are, and whose it was.
Progress = Callable[[int, int, str], None]


class TeacherFiles(Listed):
    """The files of teachers that were written; see `report_archives`."""

    _said = Text("写了 {n} 份档案：{index}", "{n} files written: {index}")


def report_archives(
    study: Study,
    out: str | Path,
    teacher_ids: Iterable[str] | None = None,
    school_id: str | None = None,
    until: date | str | None = None,
    formats: Iterable[str] = FORMATS,
    language: str = "zh",
    progress: Progress | None = None,
    secrets: Secrets | None = None,
) -> TeacherFiles:
    """Write the files of teachers (一师一档) as pages and PDFs, marked internal.

    Each is searched before it is written: a file that holds the id of anybody else of the study or of a class that
    the teacher never had, or anything else that says who somebody is, is not.

    Parameters
    ----------
    study
        A study.
    out
        The folder to write: a new one, an empty one, or one that an earlier run wrote.
    teacher_ids, school_id, until
        Whose files, and up to which day; see `htresearch.corps.archives`.
    formats
        Which of ``"html"`` and ``"pdf"``.
    language
        ``"zh"`` or ``"en"``.
    progress
        Called after each file with how many are done, how many there are, and the teacher's id.
    secrets
        Names and numbers that may not get out either, see `Secrets`.

    Returns
    -------
    TeacherFiles

    Raises
    ------
    ArgumentError
        If `out` holds something else, or an argument is wrong.
    MissingTableError
        If the study has no teachers.
    NotebookError
        If a file holds what may not get out: the message says where and of which kind, not what. Other teachers'
        files are written all the same.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> study = ht.open_study("data/demo")
    >>> teacher = study.frame("appointments")["teacher_id"][0]
    >>> files = ht.publish.report_archives(study, tempfile.mkdtemp(), [teacher], formats=["html"])
    >>> [path.suffix for path in files.written]
    ['.html']
    """
    from htresearch.corps import archives

    formats = (formats,) if isinstance(formats, str) else tuple(dict.fromkeys(formats))
    out = Path(out).absolute()
    checks.require(
        *(checks.one_of("formats", kind, FORMATS) for kind in formats or ("",)),
        checks.one_of("language", language, LANGUAGES),
        in_the_way(out, _MARK),
    )
    found = archives(study, teacher_ids, school_id, until)
    secrets = (secrets or Secrets()).adding(study_ids(study))
    written: dict[str, tuple[Path, ...]] = {}
    faults: dict[str, Fault] = {}
    with speaking(language):
        out.mkdir(parents=True, exist_ok=True)
        _write_index(out, {}, {}, secrets)  # the folder is ours from the first file on
        for done, (teacher, file) in enumerate(found.items(), 1):
            try:
                written[teacher] = put(out, _contents(file, formats), secrets, own=_own(file))
            except HTResearchError as error:  # one that is at fault stops no other
                faults |= {str(fault): fault for fault in error.faults}
            if progress:
                progress(done, len(found), teacher)
        _write_index(out, found, written, secrets)
    checks.require(*faults.values(), error=NotebookError)
    return TeacherFiles(out / INDEX, tuple(path for paths in written.values() for path in paths))


def _own(file: Archive) -> list[object]:
    """Return the ids that may stand in a teacher's file: the teacher's own, and those of the classes led."""
    spells = file.parts["spells"]
    return [file.teacher_id, *([] if spells is None else spells["class_id"].dropna().unique())]


def _contents(file: Archive, formats: Iterable[str]) -> dict[str, bytes]:
    from htresearch.publish.teacher_file.compose import compose

    report = compose(file)
    contents = {}
    if "html" in formats:
        from htresearch.publish.class_report.html import to_html

        contents[f"{file.teacher_id}.html"] = to_html(report).encode()
    if "pdf" in formats:
        from htresearch.publish.class_report.pdf import to_pdf

        contents[f"{file.teacher_id}.pdf"] = to_pdf(report)
    return contents


def _write_index(
    out: Path, found: dict[str, Archive], written: dict[str, tuple[Path, ...]], secrets: Secrets
) -> None:
    lines = []
    for teacher, paths in written.items():
        line = found[teacher].glance().iloc[0]
        tier = str(label(line["tier"], within="tier")) if isinstance(line["tier"], str) else "–"
        complete = f"{line['parts_complete']} / {line['parts_due']}"
        links = [(str(Text("网页", "Page")) if p.suffix == ".html" else "PDF", p.name) for p in paths]
        lines.append((teacher, (tier, complete), links))
    put_index(
        out,
        _MARK,
        Text("一师一档", "One teacher, one file"),
        Text("{n} 位教师", "Teachers: {n}").format(n=len(lines)),
        [str(Text("教师", "Teacher")), str(Text("梯队", "Tier")), str(Text("齐全的部分", "Parts complete"))],
        lines,
        secrets=secrets,
        own=written,
    )
