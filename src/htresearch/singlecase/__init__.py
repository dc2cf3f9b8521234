"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.series import IMPROVEMENT

__all__ = ["IMPROVEMENT"]
