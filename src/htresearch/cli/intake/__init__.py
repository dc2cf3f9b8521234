"""The command that takes files into a study: exports of answers, schools' own workbooks, filled forms."""

from htresearch.cli.intake.command import intake

__all__ = ["intake"]
