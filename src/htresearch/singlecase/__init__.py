"""Single cases: one class watched over weeks, before a change and after it."""

from htresearch.singlecase.effect_sizes import INDICES, effect_sizes
from htresearch.singlecase.gradual import gradual_effects
from htresearch.singlecase.medians import lrm
from htresearch.singlecase.overlap import nap, pem, pnd
from htresearch.singlecase.parametric import pogo, smd
from htresearch.singlecase.ratios import lor, lrr
from htresearch.singlecase.removal import ird, pand
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.tau import tau, tau_bc, tau_u
from htresearch.singlecase.trend import cdc, pet

__all__ = [
    "IMPROVEMENT",
    "INDICES",
    "cdc",
    "effect_sizes",
    "gradual_effects",
    "ird",
    "lor",
    "lrm",
    "lrr",
    "nap",
    "pand",
    "pem",
    "pet",
    "pnd",
    "pogo",
    "smd",
    "tau",
    "tau_bc",
    "tau_u",
from htresearch.singlecase.between_case import BetweenCaseEffect, between_case_smd
from htresearch.singlecase.piecewise import PiecewiseRegression, piecewise
from htresearch.singlecase.piecewise_multilevel import MultilevelPiecewise, piecewise_multilevel
from htresearch.singlecase.series import IMPROVEMENT
from htresearch.singlecase.synthesis import Synthesis, synthesis

__all__ = [
    "IMPROVEMENT",
    "BetweenCaseEffect",
    "MultilevelPiecewise",
    "PiecewiseRegression",
    "Synthesis",
    "between_case_smd",
    "piecewise",
    "piecewise_multilevel",
    "synthesis",
]
