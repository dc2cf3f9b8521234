"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.graph import plot_case, plot_cases
from htresearch.singlecase.series import IMPROVEMENT

__all__ = ["IMPROVEMENT", "plot_case", "plot_cases"]
