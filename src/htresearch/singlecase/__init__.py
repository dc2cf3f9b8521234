"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.graph import plot_case, plot_cases
from htresearch.singlecase.observers import ObserverAgreement, observer_agreement
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.visual import VisualAnalysis, visual_analysis

__all__ = [
    "IMPROVEMENT",
    "ObserverAgreement",
    "VisualAnalysis",
    "observer_agreement",
    "plot_case",
    "plot_cases",
    "visual_analysis",
]
