"""What may be shown: every output is checked before it leaves, and what is not known to be safe does not leave."""

from htresearch.disclosure import (  # noqa: F401 - they register their checkers
    corps,
    figures,
    frames,
    protected,
    results,
    scales,
    single_cases,
    tables,
)
from htresearch.disclosure.audit import Audit, Protection, audit
from htresearch.disclosure.check import check, register
from htresearch.disclosure.ledger import RefusedError, Release
from htresearch.disclosure.memory import LedgerError
from htresearch.disclosure.protected import ProtectedTable, suppress_table
from htresearch.disclosure.relations import Axis, LinearTable, crossed_table, linear_table
from htresearch.disclosure.rounding import Rounding, round_table
from htresearch.disclosure.rules import PRESETS, Rules, load_rules
from htresearch.disclosure.seals import Shown, is_sealed, show
from htresearch.disclosure.suppression import Suppression, suppress
from htresearch.disclosure.tabulate import STATISTICS, Tabulation, tabulate
from htresearch.disclosure.verdicts import Finding, Verdicts, decide

__all__ = [
    "PRESETS",
    "STATISTICS",
    "Audit",
    "Axis",
    "Finding",
    "LedgerError",
    "LinearTable",
    "ProtectedTable",
    "Protection",
    "RefusedError",
    "Release",
    "Rounding",
    "Rules",
    "Shown",
    "Suppression",
    "Tabulation",
    "Verdicts",
    "audit",
    "check",
    "crossed_table",
    "decide",
    "is_sealed",
    "linear_table",
    "load_rules",
    "register",
    "round_table",
    "show",
    "suppress",
    "suppress_table",
    "tabulate",
]
