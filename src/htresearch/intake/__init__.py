"""From the files of the field to a study: what was found, what was left out and why."""

from htresearch.intake.merge import Merged, merge
from htresearch.intake.place import Place
from htresearch.intake.workbook import Sheet, Workbook, open_table

__all__ = ["Merged", "Place", "Sheet", "Workbook", "merge", "open_table"]
