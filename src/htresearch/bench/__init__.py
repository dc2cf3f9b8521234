"""How fast this is, side by side with others on the same machine: engine, intake, scales, cases, indicators."""

from htresearch.bench.report import figure, ratios, table
from htresearch.bench.run import GROUPS, run

__all__ = ["GROUPS", "figure", "ratios", "run", "table"]
