"""A run from the arguments to the exit status."""

import sys
from collections.abc import Sequence

from htresearch import language
from htresearch.cli.application import application
from htresearch.cli.refusals import of_file, of_package, refuse
from htresearch.errors import HTResearchError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console may lack a character; a mark in its place will do
            stream.reconfigure(errors="replace")
    # jsonschema, which reads notebooks and instruments, builds a grammar of web addresses where it finds one, and
    # takes seconds over it; no command here checks such addresses.
    sys.modules.setdefault("rfc3987_syntax", None)
    _speak_early(arguments)
    try:
        application()(args=arguments, prog_name="htresearch")
    except HTResearchError as error:
        refuse(error)
    except OSError as error:
        refuse(of_file(error))
    except ModuleNotFoundError as error:
        refuse(of_package(error))


def _speak_early(arguments: list[str]) -> None:
    """Choose the language before the help is written, which is in that language too."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if not word.startswith("-"):
            return
        value = following if word == "--language" else word.removeprefix("--language=")
        if word.startswith("--language") and value in language.LANGUAGES:
            language.use(value)
            return
