"""Scales: from answers to scores, and whether the scores may be trusted."""
