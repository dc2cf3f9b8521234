"""The command and its options; which of the three ways is taken, what is given tells."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import checks
from htresearch.cli.commands import command
from htresearch.cli.intake import receipts as receipt_pages
from htresearch.cli.intake.answers import NO_ACCEPTING, Kept, pairs, take_in_answers
from htresearch.cli.intake.forms import take_in_forms
from htresearch.cli.intake.workbooks import take_in_workbooks
from htresearch.cli.options import STUDY
from htresearch.language import Text


class Accept(StrEnum):
    """What may change rows that a study has already."""

    nothing = "nothing"
    empty = "empty"
    new = "new"


Files = Annotated[list[Path], typer.Argument(help=Text("文件或文件夹。", "Files, or folders of them."))]
Study = Annotated[Path, typer.Option(help=STUDY)]
InstrumentFile = Annotated[Path | None, typer.Option(help=Text("问卷（YAML）。", "The instrument."))]
Wave = Annotated[str | None, typer.Option(help=Text("批次，如 2024-2。", "The round, as 2024-2."))]
Source = Annotated[
    str | None,
    typer.Option(help=Text("来源：wenjuanxing、tencent、sav、dta、csv、xlsx。", "The source.")),
]
Mode = Annotated[str | None, typer.Option(help=Text("导出方式：text、number、score。", "text, number or score."))]
RosterFile = Annotated[
    Path | None, typer.Option(help=Text("名册（xlsx），放在研究之外。", "The roster, kept apart."))
]
KeyFile = Annotated[Path | None, typer.Option(help=Text("密钥文件，放在研究之外。", "The key file, kept apart."))]
NewKey = Annotated[bool, typer.Option("--new-key", help=Text("新建该密钥文件。", "Make the key file."))]
LinkageFile = Annotated[
    Path | None,
    typer.Option(help=Text("对照表写入的文件，放在研究之外。", "Where to keep the linkage table, apart.")),
]
Receipts = Annotated[Path | None, typer.Option(help=Text("回执写入的文件夹。", "The folder for receipts."))]
Sheet = Annotated[str | None, typer.Option(help=Text("工作表的名称。", "The name of the sheet."))]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        help=Text(
            "某列是哪道题，如 I1=trained；I1= 表示不收。可多次给出。",
            "Which item a column is, as I1=trained; I1= leaves it out. May be given several times.",
        )
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(help=Text("当时没有问的题，可多次给出。", "An item not asked; may be given several times.")),
]
OpenedOn = Annotated[str | None, typer.Option(help=Text("调查第一天，如 2024-09-01。", "The round's first day."))]
ClosedOn = Annotated[str | None, typer.Option(help=Text("调查最后一天。", "The round's last day."))]
Accepted = Annotated[
    Accept,
    typer.Option(
        help=Text(
            "表和工作簿与研究已有的记录不同时：nothing 只列出，empty 补上研究中空着的，new 以新写的为准。",
            "Where forms or workbooks differ from the study: nothing lists it, empty fills in what the study "
            "leaves empty, new takes what they say.",
        )
    ),
]


@command(
    Text(
        "把外来文件并入研究：有 --instrument 时读问卷导出，有 --roster 时读学校的工作簿，都没有时读填好的表。",
        "Take files into a study: exports of answers with --instrument, schools' own workbooks with --roster, "
        "filled forms otherwise.",
    )
)
def intake(
    files: Files,
    study: Study,
    instrument: InstrumentFile = None,
    wave: Wave = None,
    source: Source = None,
    mode: Mode = None,
    roster: RosterFile = None,
    key: KeyFile = None,
    new_key: NewKey = False,
    linkage: LinkageFile = None,
    receipts: Receipts = None,
    sheet: Sheet = None,
    columns: Columns = None,
    without: Without = None,
    opened_on: OpenedOn = None,
    closed_on: ClosedOn = None,
    accept: Accepted = Accept.nothing,
) -> None:
    """Take files into a study."""
    receipts = receipt_pages.folder(receipts, study)
    if instrument is not None:
        checks.require(None if accept is Accept.nothing else NO_ACCEPTING)
        days = {"opened_on": opened_on, "closed_on": closed_on}
        how = {"source": source, "mode": mode, "sheet": sheet, **days}
        how |= {"columns": pairs(columns), "without": without}
        take_in_answers(files, study, instrument, wave, Kept(key, new_key, linkage, roster, receipts), how)
    elif roster is not None:
        take_in_workbooks(files, study, roster, receipts, accept.value)
    else:
        raise typer.Exit(take_in_forms(files, study, accept.value))
