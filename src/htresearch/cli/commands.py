"""Commands: plain functions whose helps are in both languages.

A help is a `Text` until its command joins an application; then it is said, in the language of that moment.
"""

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, get_args

import typer

from htresearch.language import Text


@dataclass(frozen=True)
class Command:
    """A function of the command line, with its help, and its name where that is not the function's."""

    function: Callable[..., None]
    help: Text
    name: str | None = None

    def join(self, app: typer.Typer) -> None:
        """Become a command of `app`."""
        app.command(self.name, help=str(self.help))(spoken(self.function))


@dataclass(frozen=True)
class CommandGroup:
    """Commands that share a first word."""

    name: str
    help: Text
    commands: tuple[Command, ...]

    def join(self, app: typer.Typer) -> None:
        """Become a group of `app`."""
        group = typer.Typer(name=self.name, help=str(self.help), no_args_is_help=True)
        for one in self.commands:
            one.join(group)
        app.add_typer(group)


def command(help: Text, name: str | None = None) -> Callable[[Callable[..., None]], Command]:
    """Make a `Command` of the function that follows."""
    return lambda function: Command(function, help, name)


def spoken(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function of whose parameters Typer reads the helps in the language now spoken."""

    @wraps(function)
    def said(**given: object) -> None:
        function(**given)

    own = inspect.signature(function)
    parameters = [p.replace(annotation=_said(p.annotation)) for p in own.parameters.values()]
    said.__signature__ = own.replace(parameters=parameters)
    return said


def _said(annotation: object) -> object:
    kind, parameter = get_args(annotation)
    parameter = copy(parameter)
    parameter.help = str(parameter.help)
    return Annotated[kind, parameter]
