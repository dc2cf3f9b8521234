"""Commands for the corps: report archive, report school."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import language
from htresearch.cli.commands import command
from htresearch.cli.options import Language, Linkage, Roster, secrets
from htresearch.cli.progress import counting
from htresearch.language import Text


class Unit(StrEnum):
    """What a report is on."""

    school = "school_id"
    zone = "zone_id"


StudyFolder = Annotated[Path, typer.Option("--study", help=Text("研究的文件夹。", "The folder of the study."))]
Teachers = Annotated[
    list[str] | None,
    typer.Option(
        "--teacher", help=Text("只要这位教师，可多次给出。", "This teacher only; may be given several times.")
    ),
]
School = Annotated[
    str | None, typer.Option(help=Text("只要这所学校现任的班主任。", "Those who lead a class of this school only."))
]
Until = Annotated[
    str | None,
    typer.Option(help=Text("记录算到哪一天，如 2025-07-10。", "The last day that counts, such as 2025-07-10.")),
]
Out = Annotated[Path, typer.Option(help=Text("档案写入的文件夹。", "The folder that the files are written to."))]
ReportsOut = Annotated[Path, typer.Option(help=Text("报告写入的文件夹。", "The folder of the reports."))]
By = Annotated[
    Unit, typer.Option(help=Text("每所学校一份，还是每个学区一份。", "One for each school or for each zone."))
]
Only = Annotated[
    list[str] | None,
    typer.Option(help=Text("只要这个单位，可多次给出。", "This unit only; may be given several times.")),
]
Term = Annotated[
    str | None, typer.Option(help=Text("报告哪个学期；默认最后一个。", "Which term; the last one unless given."))
]
Workers = Annotated[int, typer.Option(min=1, help=Text("同时写几份。", "How many reports are made at once."))]
Notebook = Annotated[Path, typer.Option(help=Text("报告所用的笔记本。", "The notebook of the reports."))]
ReportLanguage = Annotated[
    Language | None, typer.Option("--language", help=Text("档案的语言。", "The language of the files."))
]


@command(
    Text(
        "一师一档：把每位班主任的记录写成一份网页和一份 PDF，只供本人和学校使用。",
        "One teacher, one file: a page and a PDF on each head teacher, for the teacher and the school only.",
    ),
    name="archive",
)
def archive_report(
    study: StudyFolder,
    out: Out = Path("teacher-files"),
    teachers: Teachers = None,
    school: School = None,
    until: Until = None,
    spoken: ReportLanguage = None,
    roster: Roster = None,
    linkage: Linkage = None,
) -> None:
    """Write the files of teachers."""
    chosen = spoken.value if spoken else language.current()
    with counting(Text("写档案", "Writing files")) as progress:
        from htresearch.publish import report_archives
        from htresearch.study import open_study

        how = {"language": chosen, "progress": progress, "secrets": secrets(roster, linkage)}
        files = report_archives(open_study(study), out, teachers or None, school, until, **how)
    with language.speaking(chosen):
        typer.echo(str(files))


@command(
    Text(
        "学校报告：每所学校或每个学区一份网页和一份 PDF，与同类比较，不出现别的单位和任何人。",
        "Reports on schools: a page and a PDF for each school or school zone beside its peers, naming nobody else.",
    ),
    name="school",
)
def school_report(
    study: StudyFolder,
    out: ReportsOut = Path("school-reports"),
    by: By = Unit.school,
    only: Only = None,
    term: Term = None,
    workers: Workers = 2,
    notebook: Notebook = Path("notebooks/school_report.ipynb"),
    spoken: ReportLanguage = None,
    roster: Roster = None,
    linkage: Linkage = None,
) -> None:
    """Write reports on schools or school zones."""
    chosen = spoken.value if spoken else language.current()
    how = {"term": term, "language": chosen, "workers": workers, "notebook": notebook}
    with counting(Text("写报告", "Writing reports")) as progress:
        from htresearch.publish import report_schools

        how["secrets"] = secrets(roster, linkage)
        reports = report_schools(study, out, by.value, only or None, progress=progress, **how)
    with language.speaking(chosen):
        typer.echo(str(reports))
