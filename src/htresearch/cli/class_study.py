"""Commands for head teachers' own studies of one class: new class-study, report class."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import checks, language
from htresearch.cli.commands import CommandGroup, command
from htresearch.cli.options import Ids, Language, Linkage, Roster, Spoken, secrets, speak
from htresearch.cli.progress import counting
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text


class ReportFormat(StrEnum):
    """What a report can be written as."""

    html = "html"
    pdf = "pdf"
    docx = "docx"
    png = "png"


Folder = Annotated[Path, typer.Argument(help=Text("写入的文件夹。", "The folder to write into."))]
TopicName = Annotated[
    str | None,
    typer.Option(help=Text("选题，如 lateness 或 迟到。", "What is studied, such as lateness.")),
]
Draw = Annotated[
    str | None,
    typer.Option(
        help=Text(
            "抽签定从第几条记录起改变：范围如 11-30，或 auto（按选题）。",
            "Draw the record with which the change begins: a range such as 11-30, or auto for the topic's.",
        )
    ),
]
Files = Annotated[
    list[Path], typer.Argument(help=Text("工作簿，或放着它们的文件夹。", "Workbooks, or folders of them."))
]
Out = Annotated[Path, typer.Option(help=Text("报告写入的文件夹。", "The folder that the reports are written to."))]
ReportLanguage = Annotated[
    Language | None, typer.Option("--language", help=Text("报告的语言。", "The language of the reports."))
]
Formats = Annotated[
    list[ReportFormat] | None,
    typer.Option("--format", help=Text("只要这一种，可多次给出。", "This one only; may be given several times.")),
]
PlanBook = Annotated[
    Path | None,
    typer.Option(
        help=Text("表格（CSV）没有计划时，从这个工作簿取。", "The workbook with the plan for tables without.")
    ),
]
Workers = Annotated[int, typer.Option(min=1, help=Text("同时写几份。", "How many reports are written at once."))]


@command(
    Text(
        "生成一项班级研究的工作簿（xlsx）和一张手写的记录表（PDF），不用编程。",
        "Make the workbook of a class study (xlsx) and a sheet to record on by pen (PDF): no code needed.",
    ),
    name="class-study",
)
def class_study(folder: Folder, topic: TopicName = None, spoken: Spoken = None, draw: Draw = None) -> None:
    """Make what a class study is recorded in."""
    speak(spoken)
    _write_forms(folder, topic, _lot(draw))


@command(
    Text(
        "把填好的“我的班级研究”写成两页的报告：网页、PDF、Word 和图。一个文件有问题，不影响别的。",
        "Write two-page reports on filled class studies: page, PDF, Word and graph. A faulty file stops no other.",
    ),
    name="class",
)
def class_report(
    files: Files,
    out: Out = Path("class-reports"),
    spoken: ReportLanguage = None,
    formats: Formats = None,
    plan: PlanBook = None,
    workers: Workers = 2,
    roster: Roster = None,
    linkage: Linkage = None,
    study: Ids = None,
) -> None:
    """Write reports on class studies."""
    chosen = spoken.value if spoken else language.current()
    kinds = [kind.value for kind in formats or ReportFormat]
    raise typer.Exit(_report(files, out, kinds, chosen, plan, workers, (roster, linkage, study)))


new = CommandGroup("new", Text("生成要填写的东西。", "Make what is to be filled in."), (class_study,))


def _write_forms(folder: Path, topic: str | None, draw: bool | tuple[int, int]) -> None:
    from htresearch.intake.class_study.form import FILE_NAME, write_workbook
    from htresearch.intake.class_study.topics import topic as find_topic
    from htresearch.publish.class_report import record_sheet

    chosen = None if topic is None else find_topic(topic)
    book, sheet = folder / str(FILE_NAME), folder / str(Text("记录表.pdf", "record-sheet.pdf"))
    checks.require(*(_taken(path) for path in (book, sheet)))
    folder.mkdir(parents=True, exist_ok=True)
    write_workbook(book, topic=chosen, draw=draw)
    try:
        record_sheet(sheet, chosen, language.current())
    except BaseException:
        book.unlink()  # both or nothing: what is there would be in the way of the next try
        raise
    for made in (book, sheet):
        typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=made)))


def _taken(path: Path) -> Fault | None:
    if not path.exists():
        return None
    rule = Text("已经存在，可能有人填过", "is there already and may have been filled in")
    return Fault(str(path), rule, Text("请换一个文件夹", "Choose another folder"))


def _lot(draw: str | None) -> bool | tuple[int, int]:
    """Return what ``--draw`` asks for."""
    if draw is None or draw == "auto":
        return draw is not None
    ends = re.fullmatch(r"(\d{1,4})\s*[-–至到~]\s*(\d{1,4})", draw.strip())
    if ends is None:
        rule = Text("不是抽签的范围", "is no range of a lot")
        fix = Text("请写成 11-30，或 auto", "Write it as 11-30, or auto")
        raise HTResearchError(Fault(checks.argument("--draw"), rule, fix, draw))
    return int(ends[1]), int(ends[2])


def _report(
    files: list[Path],
    out: Path,
    formats: list[str],
    spoken: str,
    plan: Path | None,
    workers: int,
    listed: tuple[Path | None, ...],
) -> int:
    with counting(Text("写报告", "Writing reports")) as progress:
        from htresearch.publish import report_class

        reports = report_class(files, out, formats, spoken, plan, workers, progress, secrets(*listed))
    with language.speaking(spoken):
        typer.echo(str(reports))
    return 1 if reports.failed else 0
