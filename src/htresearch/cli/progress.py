"""What is going on, shown on the error stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from htresearch.language import Text


@contextmanager
def working(what: Text) -> Iterator[None]:
    """Show that something is going on."""
    from rich.console import Console

    with Console(stderr=True).status(str(what)):
        yield


@contextmanager
def counting(what: Text) -> Iterator[Callable[[int, int, str], None]]:
    """Show how many of something are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(str(what), total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=f"{what} {name}")
