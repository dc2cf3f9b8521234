"""What schools really have: termly head-teacher lists, score sheets, sign-in sheets and lists of honours."""

from htresearch.intake.school.reading import Books, read_workbooks
from htresearch.intake.school.roster import Roster

__all__ = ["Books", "Roster", "read_workbooks"]
