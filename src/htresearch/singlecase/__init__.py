"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.drawing import (
    Drawing,
    draw_alternating,
    draw_multiple_baseline,
    draw_phases,
    draw_start,
    load_drawing,
)
from htresearch.singlecase.randomisation import RandomisationTest, randomisation_test
from htresearch.singlecase.series import IMPROVEMENT

__all__ = [
    "IMPROVEMENT",
    "Drawing",
    "RandomisationTest",
    "draw_alternating",
    "draw_multiple_baseline",
    "draw_phases",
    "draw_start",
    "load_drawing",
    "randomisation_test",
]
