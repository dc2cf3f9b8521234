"""From the files of the field to a study: what was found, what was left out and why."""

from htresearch.intake.workbook import Sheet, Workbook, open_table

__all__ = ["Sheet", "Workbook", "open_table"]
