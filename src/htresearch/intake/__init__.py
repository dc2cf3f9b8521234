"""From the files of the field to a study: what was found, what was left out and why."""

from htresearch.intake.identity import Key, Linkage, match_roster
from htresearch.intake.merge import Merged, merge
from htresearch.intake.place import Place
from htresearch.intake.receipt import Exclusion, Receipt
from htresearch.intake.responses import Answers, read, read_responses
from htresearch.intake.taking_in import take_in
from htresearch.intake.workbook import Sheet, Workbook, open_table

__all__ = [
    "Answers",
    "Exclusion",
    "Key",
    "Linkage",
    "Merged",
    "Place",
    "Receipt",
    "Sheet",
    "Workbook",
    "match_roster",
    "merge",
    "open_table",
    "read",
    "read_responses",
    "take_in",
]
