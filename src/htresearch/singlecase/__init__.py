"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.graph import plot_case, plot_cases
from htresearch.singlecase.observers import ObserverAgreement, observer_agreement
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.standards import Standards, standards
from htresearch.singlecase.two_groups import ClassComparison, compare_classes
from htresearch.singlecase.visual import VisualAnalysis, visual_analysis

__all__ = [
    "IMPROVEMENT",
    "ClassComparison",
    "ObserverAgreement",
    "Standards",
    "VisualAnalysis",
    "compare_classes",
    "observer_agreement",
    "plot_case",
    "plot_cases",
    "standards",
    "visual_analysis",
]
