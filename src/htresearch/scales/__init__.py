"""Scales: from answers to scores, and whether the scores may be trusted."""

from htresearch.scales.score import Scores, items_of, score

__all__ = ["Scores", "items_of", "score"]
