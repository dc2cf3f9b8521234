"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.between_case import BetweenCaseEffect, between_case_smd
from htresearch.singlecase.piecewise import PiecewiseRegression, piecewise
from htresearch.singlecase.piecewise_multilevel import MultilevelPiecewise, piecewise_multilevel
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.synthesis import Synthesis, synthesis

__all__ = [
    "IMPROVEMENT",
    "BetweenCaseEffect",
    "MultilevelPiecewise",
    "PiecewiseRegression",
    "Synthesis",
    "between_case_smd",
    "piecewise",
    "piecewise_multilevel",
    "synthesis",
]
