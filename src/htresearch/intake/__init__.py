"""From the files of the field to a study: what was found, what was left out and why."""

from htresearch.intake.identity import Key, Linkage, match_roster
from htresearch.intake.workbook import Sheet, Workbook, open_table

__all__ = ["Key", "Linkage", "Sheet", "Workbook", "match_roster", "open_table"]
