"""Teachers' files as pages and PDFs in a folder: one teacher's, a school's, or everybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from htresearch import atomic, checks
from htresearch.language import LANGUAGES, Text, speaking
from htresearch.publish.own_folder import INDEX, in_the_way

if TYPE_CHECKING:
    from htresearch.corps import Archive
    from htresearch.study.open import Study

FORMATS = ("html", "pdf")
_MARK = "htresearch teacher files"

#: Called after each file with how many are done, how many there are, and whose it was.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class TeacherFiles:
    """The files written.

    Attributes
    ----------
    index : pathlib.Path
        The page that lists them.
    written : tuple of pathlib.Path
    """

    index: Path
    written: tuple[Path, ...]

    def __str__(self) -> str:
        n = len({path.stem for path in self.written})
        return str(Text("写了 {n} 份档案：{index}", "{n} files written: {index}").format(n=n, index=self.index))


def report_archives(
    study: Study,
    out: str | Path,
    teacher_ids: Iterable[str] | None = None,
    school_id: str | None = None,
    until: date | str | None = None,
    formats: Iterable[str] = FORMATS,
    language: str = "zh",
    progress: Progress | None = None,
) -> TeacherFiles:
    """Write the files of teachers (一师一档) as pages and PDFs, marked internal.

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

    Returns
    -------
    TeacherFiles

    Raises
    ------
    ArgumentError
        If `out` holds something else, or an argument is wrong.
    MissingTableError
        If the study has no teachers.

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
    written: list[Path] = []
    with speaking(language):
        out.mkdir(parents=True, exist_ok=True)
        _write_index(out, {}, formats, language)  # the folder is ours from the first file on
        for done, (teacher, file) in enumerate(found.items(), 1):
            for kind, content in _contents(file, formats).items():
                path = out / f"{teacher}.{kind}"
                atomic.write_file(path, content)
                written.append(path)
            if progress:
                progress(done, len(found), teacher)
        _write_index(out, found, formats, language)
    return TeacherFiles(out / INDEX, tuple(written))


def _contents(file: Archive, formats: Iterable[str]) -> dict[str, bytes]:
    from htresearch.publish.teacher_file.compose import compose

    report = compose(file)
    contents = {}
    if "html" in formats:
        from htresearch.publish.class_report.html import to_html

        contents["html"] = to_html(report).encode()
    if "pdf" in formats:
        from htresearch.publish.class_report.pdf import to_pdf

        contents["pdf"] = to_pdf(report)
    return contents


def _write_index(out: Path, found: dict[str, Archive], formats: Iterable[str], spoken: str) -> None:
    from htresearch.language import label
    from htresearch.publish.class_report.html import render

    lines = []
    for teacher, file in found.items():
        line = file.glance().iloc[0]
        tier = str(label(line["tier"], within="tier")) if isinstance(line["tier"], str) else "–"
        complete = f"{line['parts_complete']} / {line['parts_due']}"
        links = [(str(Text("网页", "Page")) if kind == "html" else "PDF", f"{teacher}.{kind}") for kind in formats]
        lines.append((teacher, (tier, complete), links))
    page = render(
        "listed.html",
        spoken,
        mark=_MARK,
        title=str(Text("一师一档", "One teacher, one file")),
        count=str(Text("{n} 位教师", "Teachers: {n}").format(n=len(lines))),
        head=[str(Text("教师", "Teacher")), str(Text("梯队", "Tier")), str(Text("齐全的部分", "Parts complete"))],
        lines=lines,
        say=lambda zh, en: str(Text(zh, en)),
    )
    atomic.write_file(out / INDEX, page.encode())
