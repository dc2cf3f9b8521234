"""What several commands ask for."""

from enum import StrEnum
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


def speak(chosen: Spoken = None) -> None:
    """Speak the language that is asked for."""
    if chosen:
        language.use(chosen.value)
