"""What may be shown: every output is checked before it leaves, and what is not known to be safe does not leave."""

from htresearch.disclosure import figures, results, scales, single_cases  # noqa: F401 - they register checkers
from htresearch.disclosure import frames, tables  # noqa: F401 (they register their checkers)
from htresearch.disclosure.check import check, register
from htresearch.disclosure.rules import PRESETS, Rules, load_rules
from htresearch.disclosure.tabulate import STATISTICS, Tabulation, tabulate
from htresearch.disclosure.verdicts import Finding, Verdicts, decide

__all__ = [
    "PRESETS",
    "STATISTICS",
    "Finding",
    "Rules",
    "Tabulation",
    "Verdicts",
    "check",
    "decide",
    "load_rules",
    "register",
    "tabulate",
]
