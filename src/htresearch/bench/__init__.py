"""How fast the engine is, side by side with others on the same machine."""

from htresearch.bench.report import figure, ratios, table
from htresearch.bench.run import run
from htresearch.bench.tasks import SIZES, TASKS

__all__ = ["SIZES", "TASKS", "figure", "ratios", "run", "table"]
