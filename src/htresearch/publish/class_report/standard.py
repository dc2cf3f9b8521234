"""Page two: the study held against the standards for single-case research, in kind words."""

from __future__ import annotations

from htresearch.language import Text
from htresearch.publish.class_report.findings import Findings


def against_the_standard(found: Findings) -> list[Text]:
    """Say what the standards ask for and what this study has."""
    return []
