"""Schools' own workbooks, taken in."""

from pathlib import Path

from htresearch.cli.intake import receipts
from htresearch.cli.progress import working
from htresearch.language import Text


def take_in_workbooks(paths: list[Path], study: Path, roster: Path, folder: Path, accept: str) -> None:
    """Take workbooks in; their receipt goes into a folder."""
    from htresearch.intake.school import Roster, take_in

    with working(Text("正在读入学校的工作簿……", "Reading schools' workbooks …")):
        taken = take_in(paths, study, Roster.read(roster), accept=accept)
    receipts.say(taken.receipt, folder)
