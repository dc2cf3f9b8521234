"""The inverse of reading: a study written as its schools would hold it."""

from htresearch.intake.school.books.made_up import made_up_roster
from htresearch.intake.school.books.writing import MESS, Written, write_workbooks

__all__ = ["MESS", "Written", "made_up_roster", "write_workbooks"]
