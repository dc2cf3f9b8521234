"""From the files of the field to a study: what was found, what was left out and why."""

from htresearch.intake.receipt import Exclusion, Receipt
from htresearch.intake.responses import Answers, read, read_responses
from htresearch.intake.workbook import Sheet, Workbook, open_table

__all__ = ["Answers", "Exclusion", "Receipt", "Sheet", "Workbook", "open_table", "read", "read_responses"]
