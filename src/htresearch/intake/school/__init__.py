"""What schools really have: termly head-teacher lists, score sheets, sign-in sheets and lists of honours."""

from htresearch.intake.school.books import MESS, Written, made_up_roster, write_workbooks
from htresearch.intake.school.reading import Books, read_workbooks
from htresearch.intake.school.roster import Roster
from htresearch.intake.school.taking_in import TakenIn, take_in

__all__ = [
    "MESS",
    "Books",
    "Roster",
    "TakenIn",
    "Written",
    "made_up_roster",
    "read_workbooks",
    "take_in",
    "write_workbooks",
]
