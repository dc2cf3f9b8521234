"""Scales: from answers to scores, and whether the scores may be trusted."""

from htresearch.scales.adequacy import sampling_adequacy
from htresearch.scales.agreement import Agreement, agreement
from htresearch.scales.careless import Careless, careless
from htresearch.scales.cfa import MeasurementFit, cfa
from htresearch.scales.correlations import Correlations, correlations, polychoric
from htresearch.scales.efa import ExploratoryFactors, efa
from htresearch.scales.fabricated import fabricated
from htresearch.scales.hierarchical import omega_hierarchical
from htresearch.scales.invariance import Invariance, invariance
from htresearch.scales.item_statistics import ItemStatistics, item_statistics, reverse_key_check
from htresearch.scales.lavaan import LavaanScript, lavaan_script
from htresearch.scales.parallel import ParallelAnalysis, parallel_analysis
from htresearch.scales.raters import RaterAgreement, kappa, rater_icc
from htresearch.scales.reliability import Reliability, alpha, omega
from htresearch.scales.scale_by_scale import scale_invariance, scale_reliability
from htresearch.scales.score import Scores, items_of, score

__all__ = [
    "Agreement",
    "Careless",
    "Correlations",
    "ExploratoryFactors",
    "Invariance",
    "ItemStatistics",
    "LavaanScript",
    "MeasurementFit",
    "ParallelAnalysis",
    "RaterAgreement",
    "Reliability",
    "Scores",
    "agreement",
    "alpha",
    "careless",
    "cfa",
    "correlations",
    "efa",
    "fabricated",
    "invariance",
    "item_statistics",
    "items_of",
    "kappa",
    "lavaan_script",
    "omega",
    "omega_hierarchical",
    "parallel_analysis",
    "polychoric",
    "rater_icc",
    "reverse_key_check",
    "sampling_adequacy",
    "scale_invariance",
    "scale_reliability",
    "score",
]
