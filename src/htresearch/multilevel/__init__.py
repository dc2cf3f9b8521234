"""Multilevel models: people in classes in schools."""

from htresearch.multilevel.compare import Comparison
from htresearch.multilevel.crossproducts import CrossProducts
from htresearch.multilevel.engines import fit_multilevel
from htresearch.multilevel.files import load_fit
from htresearch.multilevel.fit import MultilevelFit
from htresearch.multilevel.formula import ModelFormula, RandomTerm, parse_formula
from htresearch.multilevel.lines import fixed_effects, three_lines
from htresearch.multilevel.model_table import ModelTable, model_table
from htresearch.multilevel.mundlak import mundlak
from htresearch.multilevel.planned_study import PlannedStudy
from htresearch.multilevel.power import minimum_detectable_effect, power, schools_needed

__all__ = [
    "Comparison",
    "CrossProducts",
    "ModelFormula",
    "ModelTable",
    "MultilevelFit",
    "PlannedStudy",
    "RandomTerm",
    "fit_multilevel",
    "fixed_effects",
    "load_fit",
    "minimum_detectable_effect",
    "model_table",
    "mundlak",
    "parse_formula",
    "power",
    "schools_needed",
    "three_lines",
]
