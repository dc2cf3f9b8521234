"""What several commands ask for."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import language
from htresearch.language import Text

STUDY = Text("研究的文件夹。", "The study's folder.")


class Language(StrEnum):
    """The languages that can be asked for."""

    zh = "zh"
    en = "en"


Spoken = Annotated[Language | None, typer.Option("--language", help=Text("所用语言。", "The language to speak."))]

Roster = Annotated[
    Path | None, typer.Option(help=Text("名册：里面的姓名不得外泄。", "A roster whose names may not get out."))
]
Linkage = Annotated[
    Path | None,
    typer.Option(help=Text("对照表：里面的人不得外泄。", "A linkage table whose persons may not get out.")),
]
Ids = Annotated[
    Path | None,
    typer.Option("--study", help=Text("研究：里面的编号不得外泄。", "A study whose ids may not get out.")),
]


def secrets(*listed: Path | None):
    """Read the names and ids to be searched for: of a roster, a linkage table and a study."""
    from htresearch.publish import Secrets

    return Secrets.read(*listed)


def speak(chosen: Spoken = None) -> None:
    """Speak the language that is asked for."""
    if chosen:
        language.use(chosen.value)
