"""The corps in view: what the district's notice asks for, counted exactly, unit by unit and term by term.

`indicators` computes them for schools, school zones or the district; `definitions` says what each counts.
"""

from htresearch.corps.catalogue import Definition, definitions
from htresearch.corps.indicators import Indicators, indicators

__all__ = ["Definition", "Indicators", "definitions", "indicators"]
