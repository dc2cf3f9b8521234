"""Scales: from answers to scores, and whether the scores may be trusted."""

from htresearch.scales.adequacy import sampling_adequacy
from htresearch.scales.cfa import MeasurementFit, cfa
from htresearch.scales.correlations import Correlations, correlations, polychoric
from htresearch.scales.efa import ExploratoryFactors, efa
from htresearch.scales.invariance import Invariance, invariance
from htresearch.scales.lavaan import LavaanScript, lavaan_script
from htresearch.scales.parallel import ParallelAnalysis, parallel_analysis

__all__ = [
    "Correlations",
    "ExploratoryFactors",
    "Invariance",
    "LavaanScript",
    "MeasurementFit",
    "ParallelAnalysis",
    "cfa",
    "correlations",
    "efa",
    "invariance",
    "lavaan_script",
    "parallel_analysis",
    "polychoric",
    "sampling_adequacy",
]
