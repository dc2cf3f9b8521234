"""Multilevel models: people in classes in schools."""

from htresearch.multilevel.compare import Comparison
from htresearch.multilevel.crossproducts import CrossProducts
from htresearch.multilevel.engines import fit_multilevel
from htresearch.multilevel.fit import MultilevelFit
from htresearch.multilevel.formula import ModelFormula, RandomTerm, parse_formula
from htresearch.multilevel.lines import fixed_effects, three_lines
from htresearch.multilevel.mundlak import mundlak

__all__ = [
    "Comparison",
    "CrossProducts",
    "ModelFormula",
    "MultilevelFit",
    "RandomTerm",
    "fit_multilevel",
    "fixed_effects",
    "mundlak",
    "parse_formula",
    "three_lines",
]
