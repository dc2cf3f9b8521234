"""Scales: from answers to scores, and whether the scores may be trusted."""

from htresearch.scales.agreement import Agreement, agreement
from htresearch.scales.raters import RaterAgreement, kappa, rater_icc
from htresearch.scales.reliability import Reliability, alpha, omega
from htresearch.scales.score import Scores, items_of, score

__all__ = [
    "Agreement",
    "RaterAgreement",
    "Reliability",
    "Scores",
    "agreement",
    "alpha",
    "items_of",
    "kappa",
    "omega",
    "rater_icc",
    "score",
]
