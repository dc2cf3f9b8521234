"""Scales: from answers to scores, and whether the scores may be trusted."""

from htresearch.scales.agreement import Agreement, agreement
from htresearch.scales.careless import Careless, careless
from htresearch.scales.hierarchical import omega_hierarchical
from htresearch.scales.item_statistics import ItemStatistics, item_statistics, reverse_key_check
from htresearch.scales.raters import RaterAgreement, kappa, rater_icc
from htresearch.scales.reliability import Reliability, alpha, omega
from htresearch.scales.score import Scores, items_of, score

__all__ = [
    "Agreement",
    "Careless",
    "ItemStatistics",
    "RaterAgreement",
    "Reliability",
    "Scores",
    "agreement",
    "alpha",
    "careless",
    "item_statistics",
    "items_of",
    "kappa",
    "omega",
    "omega_hierarchical",
    "rater_icc",
    "reverse_key_check",
    "score",
]
